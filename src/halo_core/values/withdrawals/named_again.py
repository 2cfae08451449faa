"""Values of an earlier order that a later message names again without ordering anything about them.

    find_named_again(["Cancel V-203 and V-219."], "V-219 was her favourite", clauses)   # V-219 in both texts

No list of words says what takes back: whoever speaks of an order that has not run yet, in whatever words, may have
changed his mind. What is known are the clauses that order: those with the verb of the order, a mere repetition, a yes,
and those that only have it looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_acts import find_stated_acts
from halo_core.values.orders.stated_decisions import find_stated_decisions
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.requests.unlisted_orders import KNOWN_VERBS, LOOKING_UP, find_unlisted_orders
from halo_core.values.withdrawals import withdrawal_words as words
from halo_core.values.withdrawals.message_clauses import MAX_CHARS, Clause, confirms
from halo_core.values.withdrawals.object_phrases import has_id
from halo_core.values.withdrawals.told_orders import (
    NUMBERING,
    Place,
    Token,
    find_kind,
    find_piece,
    is_act_of,
    is_excluding,
    is_first,
    is_same_value,
    list_tokens,
    split_orders,
)

_HYPHENATED: Final = compile_later(r"[a-z]+(?:-[a-z]+){1,3}")
_MIN_NUMBER: Final = 2  # digits
_MIN_ID: Final = 4  # digits of a number that says alone what is meant
_GROUPS: Final = compile_later(r"\+?[0-9]{2,6}(?: [0-9]{2,6}){0,7}|[A-Z]{2}[0-9]{2}(?: [0-9]{2,4}){0,8}")
_DETAIL: Final = compile_later(r"v?[0-9]+(?:\.[0-9]+)+|[€$£]?[0-9][0-9.,]*[€$£%]?")
"""An amount or a version: the thing that is ordered with it stands beside it, be it in a plain word."""
_CONFIRMING: Final = frozenset(
    "yes yeah yep yup ok okay please pls go on ahead with for do proceed now then first next so right sure exactly"
    " correct fine good great"
    " the a an one that it and or as well too also continue thanks thank you again still only"
    " just before after ja bitte genau jetzt dann mit zuerst erst auch gut und gerne doch nur oui d'accord vas-y merci"
    " maintenant avec et aussi bien d'abord sí si vale por favor adelante con ahora y también primero bien sì va bene"
    " avanti ora e anche prima graag doe maar met nu en ook eerst goed sim avante com agora também primeiro tak proszę"
    " z teraz i też ja tack med nu och också takk og også да пожалуйста сначала и тоже".split()
)
_GENERIC: Final = frozenset("go do take make get bring start begin continu proceed run execut finish complet".split())
_WITHHOLDING: Final = frozenset(
    "keep leav hold stop cancel drop scratch strike skip forget ignor withdraw paus spar abort revok retract halt avoid"
    " delay postpon".split()
)
_LOOKS: Final = compile_later(
    r"\W*(?:(?:please|pls|first|also|then|bitte|and|und|et|y|e|en)\W+)*(?:check|look|read|see|view|open|show"
    r"|skim|review"
    r"|verify|inspect|find|lies|lesen|schau|sieh|prüf\w*|zeig\w*|kontrollier\w*|öffne|regarde[zs]?|lis|lisez"
    r"|vérifie[zs]?"
    r"|montre[zs]?|ouvre[zs]?|mir[ae]|lee|lea|revisa|comprueba|verifica|muestra|abre|guarda|leggi|controlla|mostra|apri"
    r"|kijk|lees|bekijk|controleer|toon|open|olh[ae]|lê|leia|vê|veja|confere|przeczytaj|sprawdź|zobacz|pokaż|läs|kolla"
    r"|titta|visa|se|les|læs|sjekk|tjek|lue|katso|прочти|прочитай|проверь|посмотри|покажи)\b"
)
_REMINDING: Final = compile_later(
    r"\b(?:haven't|hasn't|isn't|have not|has not|is not) (?:\w+ )?(?:\S+ )?(?:yet|done|gone)\b|\byet$"
    r"|\bstill (?:isn't|hasn't|not|there|missing|pending|open|to do|waiting)\b|\bnoch (?:immer )?nicht \w+(?:t|en)\b"
    r"|\b(?:toujours|encore) pas \w+é|\b(?:todavía|aún) no\b.*\b(?:está|ha)\b|\bnon (?:è )?ancora\b"
    r"|\bnog (?:steeds )?niet\b"
    r"|\bainda não\b"
)
"""What reminds of an order that has not been carried out: "D-19 still isn't gone"."""
_ADDING: Final = compile_later(
    r"\b(?:also|too|as well|another|additionally|besides|auch|außerdem|zusätzlich|aussi|en plus|también|además|anche"
    r"|inoltre|ook|bovendien|também|além|też|także|också|dessutom|også|myös|также|тоже)\b"
)
_DENYING: Final = compile_later(
    r"\b(?:never|nothing|none|nobody|without|hands off|no longer|ohne|sans|sin|senza|zonder|sem|bez)\b|n't\b|\bnot\b"
)
_PRONOUN: Final = compile_later(
    r"\b(?:it|that|this|them|him|her|both|es|ihn|sie|das|beide|le|la|les|lo|los|las|li|het|hem|haar|dat|ze"
    r"|isso|je|ją|den"
    r"|det|его|её|их)\b|\w-(?:le|la|les|o|a|os|as)\b|\w(?:lo|la|los|las)$"
)


_BOUND: Final = compile_later(
    r"\b(?:more|less|higher|lower|other) than|\b(?:over|above|below|under|exceed\w*|at most|at least|up to"
    r"|until|till)\b"
    r"|\b(?:mehr|weniger|höchstens) (?:als )?|\b(?:plus|moins) de|\b(?:más|menos) de|\b(?:più|meno) di"
    r"|\b(?:meer|minder) dan"
    r"|\b(?:mais|menos) de"
)
"""In front of an amount that only bounds an order: "don't pay more than 100"."""

_KEEPING: Final = compile_later(r"\W*(?:please\W+)?(?:keep|leave|make|set|have|hold) (?:it|that|this|them|her|him)\b")


class Hit(NamedTuple):
    """A value of a clause that stands in an order, too.

    Args:
        text: number of the earlier text.
        order: the order in it.
        old: the value there.
        new: the value in the message.
    """

    text: int
    order: Place
    old: Token
    new: Token


class Taken(NamedTuple):
    """What has to be cut out of the earlier texts, with their numbers, and out of the message."""

    told: list[tuple[int, Place]]
    message: list[Place]


def may_name_again(told: Iterable[str], message: str) -> bool:
    """Whether a message may name a value of an earlier text, or give another one in its place."""
    return any(told) and any(is_value(token.text) for token in list_tokens(message[:MAX_CHARS]))


def find_named_again(told: Sequence[str], message: str, clauses: Sequence[Clause]) -> Taken:
    """Find what the clauses of a message name again without ordering it.

    Args:
        told: the earlier texts of the user as they stand.
        message: the text that follows.
        clauses: of the message that nothing else was read in.
    """
    taken = Taken([], [])
    for place, clause in enumerate(clauses):
        after = clauses[place + 1] if place + 1 < len(clauses) else None
        following = after.text if after is not None and (after.is_joined or _confirms_it(after.text)) else ""
        hits = [
            hit
            for hit in find_hits(told, message, clause)
            if not _is_ordered(clause, told[hit.text][slice(*hit.order)], hit.new, following)
        ]
        before = clauses[place - 1] if place and clause.is_joined else None
        if before is not None and confirms(before.text) and message[before.end : clause.start].strip() == ",":
            continue  # "go ahead, D-19 is the right one"
        hits = [] if hits and _completes(message, clause, hits) else hits
        taken.told.extend((hit.text, _cut_old(told[hit.text], hit)) for hit in hits)
        if hits and not _orders_other_act(clause.text):
            taken.message.extend(_cut_new(message, clause, hits))
    return taken


def find_hits(told: Sequence[str], message: str, clause: Clause) -> Iterator[Hit]:
    """Find the values of earlier orders that stand in a clause, too."""
    tokens = list_values_of(message, (clause.start, clause.end), is_message=True)
    for number, text in enumerate(told) if tokens else ():
        exact, addresses = _index_values(text)
        for new in tokens:
            for order, old in exact.get(new.text.casefold(), ()):
                yield Hit(number, order, old, new)
            if addresses and find_kind(new.text) == "name":
                named = (pair for pair in addresses if is_same_value(pair[1].text, new.text))
                yield from (Hit(number, order, old, new) for order, old in named)


def is_value(word: str) -> bool:
    """Whether a word is a value: an id, an address, a number or a name."""
    return find_kind(word) in ("email", "id", "number", "name") or _HYPHENATED.fullmatch(word) is not None


def list_values_of(text: str, place: Place, *, is_message: bool = False) -> list[Token]:
    """List the values in a part of a text, without what only numbers something, and nouns of German."""
    tokens = _join_groups(text, list_tokens(text, place))
    is_german = words.GERMAN.search(text) is not None
    found = []
    for position, token in enumerate(tokens):
        before = tokens[position - 1].text if position else ""
        after = tokens[position + 1].text if position + 1 < len(tokens) else ""
        is_behind_name = find_kind(before) == "name" and not is_first(text, tokens[position - 1])
        kind = find_kind(token.text)
        if kind == "number" and _only_numbers(token.text, before):
            continue
        is_common = (
            is_german and not is_behind_name and find_kind(after) != "name" and before.lower() not in words.TITLES
        )
        is_opening = not is_message and is_first(text, token) and find_kind(after) != "name"
        is_verb = not KNOWN_VERBS.isdisjoint(split_name(token.text.lower()))
        if kind == "name" and (is_common or is_opening or is_verb):
            continue
        if is_value(token.text):
            found.append(token)
    return found


def _only_numbers(number: str, before: str) -> bool:
    """Whether a number is too short to tell what it is: a digit, or "mail 12"."""
    digits = sum(map(str.isdigit, number))
    return digits < _MIN_NUMBER or (digits < _MIN_ID and not NUMBERING.isdisjoint(split_name(before.lower())))


def _join_groups(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Join the groups of digits of a long number: "030 5550 188", "DE44 5001 0517"."""
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if last is not None and token.start == last.end + 1 and _is_group(last.text) and token.text.isdigit():
            joined[-1] = Token(last.start, token.end, text[last.start : token.end])
        else:
            joined.append(token)
    return joined


def _is_group(word: str) -> bool:
    return _GROUPS.fullmatch(word) is not None


_Places = list[tuple[Place, Token]]


@lru_cache(maxsize=64)
def _index_values(text: str) -> tuple[dict[str, _Places], _Places]:
    """Index the values of the orders of a text: by what they are, and those that may have a name in them.

    Orders that only have something looked up are left out.
    """
    exact: dict[str, _Places] = {}
    addresses: _Places = []
    for order in split_orders(text):
        if looks_up(text[slice(*order)].lower()):
            continue
        for token in list_values_of(text, order):
            exact.setdefault(token.text.casefold(), []).append((order, token))
            if find_kind(token.text) in ("email", "id"):
                addresses.append((order, token))
    return exact, addresses


def looks_up(clause: str) -> bool:
    """Whether a clause orders a lookup and nothing else."""
    acts = find_asked_stems(clause) - _GENERIC
    is_lookup = _LOOKS.match(clause) is not None or bool(acts)
    return is_lookup and acts <= LOOKING_UP and find_foreign_acts(clause) <= {"read", "show", "find", "check"}


def _is_ordered(clause: Clause, order: str, value: Token, following: str) -> bool:
    """Whether a clause orders what an order with the same value does, or takes nothing back."""
    text = words.LIMIT.split(clause.text, maxsplit=1)[0]
    if _REMINDING.search(clause.text) is not None or _bounds(clause.text, value):
        return True
    if clause.is_question or _is_denying(text):
        return False
    if looks_up(clause.text) or _adds(clause.text) or _orders_same(text, order):
        return True
    if _repeats(text, order):  # "D-19, please", but not "D-19, that is Paul's"
        return not following or confirms(following) or _repeats(following, order) or has_id(following)
    is_yes = confirms(following) or (_PRONOUN.search(following) is not None and _orders_same(following, order))
    return is_yes and not _is_denying(following)


def _bounds(text: str, value: Token) -> bool:
    """Whether a clause has an amount only as a bound, or as what stays: "not more than 100", "keep it at 20"."""
    if _DETAIL.fullmatch(value.text) is None:
        return False
    return _BOUND.search(text) is not None or (_KEEPING.match(text) is not None and not _is_denying(text))


def _confirms_it(text: str) -> bool:
    """Whether a sentence says yes to what the one before it names: "Delete it.", but not "Go ahead."."""
    return confirms(text) and _PRONOUN.search(text) is not None


def _adds(text: str) -> bool:
    """Whether a clause orders something beside what was ordered before: "also mail Kim about D-19"."""
    return _ADDING.search(text) is not None and bool(find_asked_stems(text) or find_foreign_acts(text))


def _is_denying(text: str) -> bool:
    return any(pattern.search(text) is not None for pattern in (words.NEGATION, _DENYING))


def _repeats(text: str, order: str) -> bool:
    """Whether a clause has only words of an order, and a yes."""
    said = {token.text.lower() for token in list_tokens(text)}
    return said - _CONFIRMING <= {token.text.lower() for token in list_tokens(order.lower())}


@lru_cache(maxsize=256)
def _orders_same(text: str, order: str) -> bool:
    """Whether a clause orders the act of an order."""
    acts = find_asked_stems(text) - LOOKING_UP
    foreign = find_foreign_acts(text)
    if foreign & find_foreign_acts(order) or any(is_act_of(act, order) for act in acts - _WITHHOLDING):
        return True
    if acts and acts <= _GENERIC:
        return True
    own = {mark[len("+own ") :] for mark in find_unlisted_orders(text) if mark.startswith("+own ")}
    told = {mark[len("+own ") :] for mark in find_unlisted_orders(order) if mark.startswith("+own ")}
    if own & told:
        return True
    is_stated = any(find_stated_decisions(text)) or any(find_stated_acts(text, text))
    if is_stated and any(
        is_act_of(word, order) for word in text.split() if not KNOWN_VERBS.isdisjoint(split_name(word))
    ):
        return True
    has_verb = bool(find_asked_stems(order) - LOOKING_UP or find_foreign_acts(order) or told)
    if has_verb:
        return False
    return (is_stated or bool((acts | foreign) - _WITHHOLDING)) and _WITHHOLDING.isdisjoint(acts | foreign)


def _orders_other_act(text: str) -> bool:
    """Whether a clause orders something that has to keep what it says."""
    acts = (find_asked_stems(text) - LOOKING_UP) | find_foreign_acts(text)
    return bool(acts - _WITHHOLDING) and not _is_denying(text)


def _completes(message: str, clause: Clause, hits: Sequence[Hit]) -> bool:
    """Whether a clause gives an address or an id of somebody who was only named: "Ana's account is DE12"."""
    if any(find_kind(hit.old.text) != "name" for hit in hits) or clause.is_question or _is_denying(clause.text):
        return False
    named = {hit.new.text for hit in hits}
    return any(
        find_kind(token.text) in ("email", "id")
        for token in list_values_of(message, (clause.start, clause.end), is_message=True)
        if token.text not in named
    )


def _cut_old(text: str, hit: Hit) -> Place:
    """Return what has to be cut out of an earlier text: the value, or the order if it has no other."""
    has_others = any(token.text.casefold() != hit.old.text.casefold() for token in list_values_of(text, hit.order))
    has_others = has_others or _DETAIL.fullmatch(hit.old.text) is not None
    keeps_order = has_others and not is_excluding(text[slice(*hit.order)])
    return _find_share(text, hit) if keeps_order else hit.order


def _find_share(text: str, hit: Hit) -> Place:
    """Return the place of a value, with the amount that belongs to it: " and Ben 60"."""
    value = hit.old.start, hit.old.end
    piece = find_piece(text, hit.order, value)
    behind = [token for token in list_values_of(text, piece) if token.start > hit.old.start]
    if piece == hit.order or not behind or any(_DETAIL.fullmatch(token.text) is None for token in behind):
        return value
    is_first_piece = not text[hit.order[0] : piece[0]].strip()
    return hit.old.start if is_first_piece else piece[0], behind[-1].end


def _cut_new(message: str, clause: Clause, hits: Sequence[Hit]) -> list[Place]:
    """Return what has to be cut out of the message: the clause, or the values if it has others."""
    named = {hit.new for hit in hits}
    if set(list_values_of(message, (clause.start, clause.end), is_message=True)) <= named:
        return [(clause.start, clause.end)]
    return [(token.start, token.end) for token in named]
