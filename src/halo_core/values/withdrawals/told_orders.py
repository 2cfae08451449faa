"""The orders and the listed items of an earlier text of the user, and how parts are cut out of it.

    split_orders("Delete D-19 and D-20. Mail Kim.")     # "Delete D-19 and D-20", "Mail Kim"
    cut_value(text, order, place_of_d20)                # what to cut: " and D-20"

Places are pairs of a first and a last character, as slices have them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT, STOP_WORDS, find_asking_verbs, stem_all
from halo_core.values.language.opposite_acts import TAKING_STEMS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.requests.unlisted_orders import KNOWN_VERBS, LOOKING_UP, SENTENCE, find_unlisted_orders

Place = tuple[int, int]

_MAX_ORDERS: Final = 64  # of a text
_MAX_COURTESY: Final = 4  # words
_JOINT: Final = compile_later(
    r",\s|\s(?:and|or|then|und|oder|dann|sowie|et|ou|puis|y|luego|e|o|poi|en|of|dan|i|oraz|og|och|ja|a|ve|и|&|\+"
    r"|plus|but|aber"
    r"|mais|pero|ma|maar|mas)\s|\s?[()]|[、，]"
)
_TOKEN: Final = compile_later(r"[^\s,;()\[\]{}<>\"“”„«»!?、，。]+")
_EDGES: Final = "¿¡.:'’`*_-–—"
_LEADS: Final = frozenset(
    "please pls also then and just now kindly first next finally can could would you bitte dann auch s'il por favor per"
    " favore alsjeblieft ok okay hi hey hello so".split()
)
_EXCLUDING: Final = frozenset(
    "but except all every each any everything everyone besides not without alle alles jeder außer ohne tout tous"
    " toutes chaque"
    " sauf todo todos todas cada excepto salvo menos tutto tutti tutte ogni tranne eccetto elke behalve exceto".split()
)
"""Words of an order out of which no item can be cut: "delete all but D-19" would become "delete all"."""
_LABEL: Final = compile_later(r"(?<![^\s(])\(?([0-9]{1,2})[.)](?=\s)")
_BULLET: Final = compile_later(r"(?m)^[ \t]*[-*•–][ \t]+[^\n]+")
_NUMBER: Final = compile_later(r"[€$£¥]?[0-9](?:[0-9.,' ]*[0-9])?(?:[.,]-)?[€$£¥%]?")
_CURRENCY: Final = compile_later(
    r"[€$£¥]|(?:eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|sek|nok|dkk|pln|kronor|kroner|kr|zł)"
)
_DAYS: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday today tomorrow tonight montag dienstag mittwoch"
    " donnerstag freitag"
    " samstag sonntag heute morgen lundi mardi mercredi jeudi vendredi samedi dimanche demain lunes martes"
    " miércoles jueves"
    " viernes sábado domingo mañana lunedì martedì mercoledì giovedì venerdì sabato domenica domani maandag"
    " dinsdag woensdag"
    " donderdag vrijdag zaterdag zondag".split()
)
_SAME_ACTS: Final = (
    REQUEST_WORDS_BY_IMPACT["delete"] | TAKING_STEMS | stem_all("remove delete erase wipe purge trash bin cancel"),
    stem_all("pay transfer wire send remit settle tip reimburse refund charge debit"),
    REQUEST_WORDS_BY_IMPACT["send"]
    | stem_all("send mail email forward post text message share write reply tell notify"),
    REQUEST_WORDS_BY_IMPACT["execute"] | stem_all("run restart reboot start deploy execute launch trigger rerun"),
    REQUEST_WORDS_BY_IMPACT["admin"] | stem_all("invite add grant give let open unlock enable"),
)
"""Stems of verbs for acts of one kind: who forbids one of them means the others, too."""
_PAYING: Final = stem_all("pay transfer wire remit settle tip reimburse refund donate")


class Token(NamedTuple):
    """A word of a text with its place."""

    start: int
    end: int
    text: str


@lru_cache(maxsize=64)
def split_orders(text: str) -> tuple[Place, ...]:
    """Split a text into its orders: sentences, and the parts of a sentence that begin with a verb."""
    orders: list[Place] = []
    for sentence in SENTENCE.finditer(text):
        start, end = sentence.span()
        for joint in _JOINT.finditer(text, start, end):
            if _begins_order(text[joint.end() : end]):
                orders.append((start, joint.start()))
                start = joint.start()
        orders.append((start, end))
    return tuple([place for place in orders if text[slice(*place)].strip(" \t\n,.;!?…-")][:_MAX_ORDERS])


def _begins_order(text: str) -> bool:
    words = [word for word in text[:80].lower().split() if word.strip(",.") not in _LEADS][:3]
    if not words:
        return False
    first = split_name(words[0].strip(".,;:!?"))
    return (bool(first) and first[0] in KNOWN_VERBS) or bool(find_foreign_acts(" ".join(words[:1])))


@lru_cache(maxsize=64)
def orders_act(text: str) -> bool:
    """Whether a text may order more than a lookup: it is no courtesy, and only looks nothing up."""
    stems = find_asked_stems(text)
    if stems - LOOKING_UP or find_foreign_acts(text) or find_unlisted_orders(text):
        return True
    if stems or text.rstrip().endswith("?"):
        return False
    return len(text.split()) > _MAX_COURTESY or any(
        find_kind(token.text) in ("id", "email") for token in list_tokens(text)
    )


def list_tokens(text: str, place: Place | None = None) -> list[Token]:
    """List the words of a text, or of a part of it, without the signs around them."""
    found = []
    for match in _TOKEN.finditer(text, *(place or ())):
        word = match[0]
        start = match.start() + len(word) - len(word.lstrip(_EDGES))
        word = word.strip(_EDGES).removesuffix("'s").removesuffix("’s")
        if word:
            found.append(Token(start, start + len(word), word))
    return found


def find_kind(word: str) -> str:
    """Return what a word looks like: `email`, `id`, `number`, `day`, `name`; empty for others."""
    if "@" in word[1:]:
        return "email"
    if _NUMBER.fullmatch(word) is not None:
        return "number"
    if any(map(str.isdigit, word)) or any(sign in word for sign in "/_@#") or "." in word[1:-1]:
        return "id"
    if word.lower() in _DAYS:
        return "day"
    is_name = word[:1].isupper() and not word.isupper() and word.lower() not in STOP_WORDS and len(word) > 1
    return "name" if is_name else ""


def stem_words(words: Iterable[str]) -> set[str]:
    """Return the stems of words, in small letters."""
    return {stem for word in words for stem in split_name(word.lower())}


def is_act_of(act: str, order: str) -> bool:
    """Whether an order is one for an act, or for one of its kind: "send" for "mail it to Kim"."""
    stems, words = frozenset(split_name(act.lower())), stem_words(token.text for token in list_tokens(order))
    asking = stems.union(*map(find_asking_verbs, stems))
    if not asking.isdisjoint(words):
        return True
    if any(not stems.isdisjoint(kind) and not words.isdisjoint(kind) for kind in _SAME_ACTS):
        return True
    return any(_share_beginning(stem, word) for stem in stems for word in words)


def takes_away(order: str) -> bool:
    """Whether an order removes or ends something, or is in a language whose verbs are not known here."""
    stems = stem_words(token.text for token in list_tokens(order))
    known = stems & (KNOWN_VERBS | {"set"})
    return not known or not _SAME_ACTS[0].isdisjoint(stems)


def pays(order: str) -> bool:
    """Whether an order is one for a payment."""
    return not _PAYING.isdisjoint(stem_words(token.text for token in list_tokens(order)))


_MIN_BEGINNING: Final = 4


def _share_beginning(one: str, other: str) -> bool:
    """Whether two words begin alike, as a verb and its noun do: `pay` and `payment`, `delet` and `deletion`."""
    length = min(len(one), len(other), _MIN_BEGINNING)
    return length >= min(_MIN_BEGINNING, len(one)) and length > 2 and one[:length] == other[:length]


def are_words_of(words: Collection[str], order: str) -> bool:
    """Whether an order has all of these words, in whatever number."""
    found = stem_words(token.text for token in list_tokens(order))
    return all(stem in found or any(_share_beginning(stem, word) for word in found) for stem in stem_words(words))


# items


def list_items(text: str) -> list[list[Place]]:
    """List the items of a text, in each way in which it can be read as a list of two or more."""
    for lines in (_find_labelled(text), [match.span() for match in _BULLET.finditer(text)]):
        if len(lines) > 1:
            return [lines]
    readings = [[order for order in split_orders(text) if orders_act(text[slice(*order)])]]
    for kinds in (("id", "email"), ("name",), ("number",)):
        values: dict[str, Place] = {}
        for order in split_orders(text):
            for place, token in enumerate(list_tokens(text, order)):
                if find_kind(token.text) in kinds and (place or kinds != ("name",)):
                    values.setdefault(token.text.casefold(), (token.start, token.end))
        if len(values) > 1:
            readings.append([*values.values()])
            break
    return [reading for reading in readings if len(reading) > 1]


def _find_labelled(text: str) -> list[Place]:
    """Find the items of a list that is numbered from 1, in lines or in one line."""
    starts: list[int] = []
    for match in _LABEL.finditer(text):
        if int(match[1]) == len(starts) + 1:
            starts.append(match.start())
    ends = [*starts[1:], len(text)][: len(starts)]
    return [
        (start, end if (line := text.find("\n", start, end)) < 0 else line)
        for start, end in zip(starts, ends, strict=True)
    ]


# cutting


def is_excluding(order: str) -> bool:
    """Whether no item can be cut out of an order, since less would mean more: "delete all but D-19"."""
    return not _EXCLUDING.isdisjoint(token.text.lower() for token in list_tokens(order))


def cut_value(text: str, order: Place, value: Place) -> Place:
    """Return what has to be cut so that an order loses a value: its item of an enumeration, or the whole order."""
    if is_excluding(text[slice(*order)]):
        return order
    pieces = _split_pieces(text, order)
    if len(pieces) < 2:
        return order
    return value if pieces[0][0] <= value[0] < pieces[0][1] else find_piece(text, order, value)


def find_piece(text: str, order: Place, value: Place) -> Place:
    """Find the item of an enumeration that has a value; the whole order if there is none."""
    return next((piece for piece in _split_pieces(text, order) if piece[0] <= value[0] < piece[1]), order)


def _split_pieces(text: str, order: Place) -> list[Place]:
    start, end = order
    starts = [start, *(match.start() for match in _JOINT.finditer(text, start, end) if match.start() > start)]
    places = zip(starts, [*starts[1:], end], strict=True)
    return [place for place in places if list_tokens(text, place)]


def cut_item(text: str, item: Place) -> Place:
    """Return what has to be cut so that a text loses an item: an order, a line, or a value of an order."""
    orders = split_orders(text)
    if item in orders or text[slice(*item)].strip().count(" "):
        return item
    return next((cut_value(text, order, item) for order in orders if order[0] <= item[0] < order[1]), item)


def cut_verbs(text: str) -> list[Place]:
    """Return the places of the verbs by which a text orders, so that its values stay."""
    found = []
    for order in split_orders(text):
        tokens = list_tokens(text, order)
        verbs = [token for token in tokens if not KNOWN_VERBS.isdisjoint(split_name(token.text.lower()))]
        found += [(token.start, token.end) for token in verbs or tokens[:1]]
    return found


def cut_out(text: str, places: Iterable[Place]) -> str:
    """Cut places out of a text. Each becomes the end of a line, so that no words meet that did not stand together."""
    rest: list[str] = []
    done = 0
    for start, end in sorted(places):
        if end <= done:
            continue
        rest += (text[done : max(start, done)], "\n")
        done = end
    rest.append(text[done:])
    return "".join(rest)


def find_values(text: str, order: Place, values: Collection[str]) -> Iterator[Place]:
    """Find the places of values in an order, whatever their case."""
    for token in list_tokens(text, order):
        if token.text.casefold() in values:
            yield token.start, token.end


_MIN_PART: Final = 4  # letters of a name that is part of an address
_MAX_ADDRESS: Final = 64
_PARTS: Final = compile_later(r"[\W\d_]+")


def is_same_value(old: str, new: str) -> bool:
    """Whether a word is a value, or names the address that has it: "Omar" for "omar@corp.example"."""
    if old.casefold() == new.casefold():
        return True
    if find_kind(new) != "name" or find_kind(old) not in ("email", "id") or len(old) > _MAX_ADDRESS:
        return False
    return new.lower() in _PARTS.split(old.lower()) or (len(new) >= _MIN_PART and _strip(new) in _strip(old))


def _strip(word: str) -> str:
    """Return the letters of a word, without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", word.lower()) if sign.isalpha())


def has_any_value(text: str, item: Place, names: Iterable[str]) -> bool:
    """Whether an item of a list has one of some values, or an address with it."""
    olds = [token.text for token in list_tokens(text, item)]
    return any(is_same_value(old, new) for old in olds for new in names)


NUMBERING: Final = stem_all(
    "invoice mail email message order ticket room case booking number no nr id account record item user page line step"
    " rechnung bestellung facture commande factura pedido fattura ordine factuur fatura"
)


def find_other_values(text: str, kind: str, new: Collection[str]) -> list[Place]:
    """Find the values of a kind in a text that a new one replaces.

    Of numbers, those with a currency are meant, else those that number nothing: not 4410 of "invoice 4410".
    """
    tokens = [token for order in split_orders(text) for token in list_tokens(text, order)]
    found: list[Token] = []
    priced: list[Token] = []
    for place, token in enumerate(tokens):
        if find_kind(token.text) != kind or token.text.casefold() in new:
            continue
        before, after = (
            (tokens[place - 1].text if place else ""),
            "".join(item.text for item in tokens[place + 1 : place + 2]),
        )
        if kind == "number":
            if _CURRENCY.search(token.text) is not None or _CURRENCY.fullmatch(after.lower()) is not None:
                priced.append(token)
            if not NUMBERING.isdisjoint(split_name(before.lower())):
                continue
        elif kind == "name" and is_first(text, token):
            continue
        found.append(token)
    return [(token.start, token.end) for token in priced or found]


def is_first(text: str, token: Token) -> bool:
    """Whether a word begins a sentence, so that its capital says nothing."""
    return any(
        not text[start : token.start].strip(" \t\n,;-–—")
        for start, end in split_orders(text)
        if start <= token.start < end
    )
