"""What each order of a user's text names, so that a call can be compared with one order as a whole.

    find_whole_orders("read mail 7, then set the cellar door to 4481")
    # of the second part: the words "set", "cellar", "door", "to" and "4481", and that it has one number

`order_parts` splits the text. An order that refers back ("reboot it"), or names nothing ("then a reboot"), is also read
together with the part that says what is meant, and with parts that only add a value ("ten minutes will do").

A mark is a `Form` of a domain and a text. The text begins with the number of the order, from 0 to `MAX_ORDERS` - 1, so
that a call is compared with one order. The examples are from several orders:

    order_word     "17 cellar"          # a word or value
    order_name     "17 2 sowa"          # if it refers back: how many names the part in front has, and one of them
    order_rest     "17 1 account"       # likewise: how many words the order itself has but verbs, and one of them
    order_pair     "17 cellar door"     # a word and the one behind it, with and without prepositions
    order_verb     "17 reset"           # the stem of a listed verb at its beginning with one clear meaning; else "17 -"
    order_first    "17 lend"            # a first word that is in no list: a verb, or what the order is about
    order_when     "17 friday"          # when it is to be done
    order_thing    "17 sign"            # what is put somewhere
    order_count    "17 1"               # how many different words with digits it has
    order_taking   "17"                 # it takes something away, or ends it
    order_of       "17 b-12"            # a word that says to what something else belongs: "the log of b-12"
    order_head     "17 log b-12"        # what belongs to it, and it; also with `shorten` of what belongs to it
    order_numbered "17 9"               # a number with a noun in front: "reminder 9"

`order_name` and `order_rest` also stand once with the number of words and no word, and `order_first` once without one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, pairwise
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import STOP_WORDS, stem_all
from halo_core.values.language.opposite_acts import TAKING_STEMS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.order_parts import FACT, LOOKUP, ORDER, VALUE, Part, find_first_stems, read_parts
from halo_core.values.orders.order_words import (
    BEGINNING_VERBS,
    LEAVING_BE,
    MEASURE,
    ORDERED,
    OWN_ACTS,
    PUT,
    TAKING,
    UNNEEDED,
)
from halo_core.values.orders.stated_decisions import ASKING_YOU, LEAD, drop_lead
from halo_core.values.requests.unlisted_orders import CLEAR_VERBS, KNOWN_VERBS, LIGHT_VERBS, LOOKING_UP, VAGUE_VERBS
from halo_core.values.sketches.sketch import extract_tokens, find_token_places

ORDER_WORD: Final = "order_word"
ORDER_NAME: Final = "order_name"
ORDER_REST: Final = "order_rest"
ORDER_VERB: Final = "order_verb"
ORDER_COUNT: Final = "order_count"
ORDER_PAIR: Final = "order_pair"
ORDER_FIRST: Final = "order_first"
ORDER_TAKING: Final = "order_taking"
ORDER_WHEN: Final = "order_when"
ORDER_THING: Final = "order_thing"
ORDER_OF: Final = "order_of"
ORDER_HEAD: Final = "order_head"
ORDER_NUMBERED: Final = "order_numbered"
NO_VERB: Final = "-"
"""Stands for a verb that is in no list or may mean anything ("set"), and for none."""
MAX_ORDERS: Final = 128  # of a text; further ones are left out
MAX_COUNTED: Final = 6  # names, or further words, of an order that refers back
_MAX_WORDS: Final = 32  # of an order
_MAX_BACK: Final = 4  # parts in front in which what is meant is looked for
_MAX_BARE: Final = 4  # words of an order that names nothing
_TAKING_VERBS: Final = TAKING_STEMS | stem_all(
    "cancel rm scrap ditch dump bin trash purge wipe kill reject decline refuse deny dismiss stop withdraw undo abort"
    " destroy shred shut end terminate void retract recall quit leave strike waive forgive disappear vanish"
)
"""Stems of verbs that take something away, or end it."""
_VERBS: Final = (
    KNOWN_VERBS | LIGHT_VERBS | VAGUE_VERBS | BEGINNING_VERBS | _TAKING_VERBS | OWN_ACTS | stem_all("fix correct mend")
)
"""Stems of all verbs that are in a list."""
_CLEAR_ACTS: Final = CLEAR_VERBS | OWN_ACTS
_BACK_TO_PERSON: Final = CaselessPattern(r"\b(?:him|her|his|them|their|he|she)\b")
_BACK: Final = CaselessPattern(r"\b(?:it|its|them|these|those|that one|this one|an? new one|another one|the same)\b")
"""Words that refer back to a thing."""
_THERE: Final = compile_later(r"(?i:\b(?:on )?there\W*$)")
"""The end of an order that is to be carried out where the part in front says: "restart nginx there"."""
_DOCUMENT_NOTE: Final = compile_later(
    r"(?i:\s*\((?:see )?(?:[a-z]+ )?(?:e-?mail|mail|form|letter|note|ticket|message|page|sms|post|fax)s?"
    r" (?:no\.? ?|nr\.? ?|#)?[\w-]*[0-9][\w-]*\))"
)
"""A document in brackets, which names nothing that is acted on: "Bruno left (leaver form 17)"."""
_THEIRS: Final = compile_later(r"\W*(?i:her|his|their) [a-z]+ (?:is|are)\b")
"""What belongs to somebody whom a part in front names: "her badge is registered"."""
_OF_NOTHING: Final = compile_later(r"\W*(?i:somebody|someone|he|she|they|it|that|this|we|i)\b")
"""The beginning of a remark that names no other thing: "somebody fiddled with it"."""
_BESIDE: Final = compile_later(
    r"(?i:\b(?:next to|behind|beside|near|unlike|like|than|as|between|since|opposite|besides|except)\b"
    r"(?: [\w'-]+){0,3}? \S*[0-9]|\b(?:works|is (?:fine|ok|okay|healthy|good))\b)"
)
"""A thing that only says where or how another one is, or that is as it should be."""
_WHO: Final = compile_later(r"\W*[A-Z][a-z]+ [A-Z][a-z]+(?: [A-Z][a-z]+)? [a-z]+s\b")
"""Somebody with his title, and what he does: "Nurse Petra Hain covers ward 3B"."""
_WHEN: Final = CaselessPattern(
    r"\b(?:on (?:the )?)((?:mon|tues|wednes|thurs|fri|satur|sun)day)\b(?!['’])|\b(?:at )(night)\b|\b(overnight)\b"
    r"|\b(?:in (?:the|an) )(evening|afternoon|morning|hour)\b|\b(?:during (?:the |our |my )?(?:[\w-]+ )?)([a-z]+)\b"
)
"""When an order is to be carried out, if not now."""
_POSSESSING: Final = CaselessPattern(r"\b(?:his|her|their)\b")
_ID: Final = compile_later(r"[0-9]|[^\s.]\.[^\s.]|[@/#]")
"""A sign of an id: a digit, a dot within a word, "@", "/" or "#"."""
_CAPITAL: Final = compile_later(r"(?<![\w'])([A-Z][\w-]*)")
_TOLD: Final = CaselessPattern(
    r"\b(?:(?:should|must|shall|has to|have to|needs? to|is to|are to) (?:hear|know|learn|be (?:told|informed))"
    r"|(?:tell|inform|remind|notify) (?:[\w@#.'’-]+ ){1,5}?)\s*that\b"
)
"""The words in front of a message. What it says is no act: "they should know that choir is off"."""
_TAKING_BACK: Final = compile_later(
    rf"(?i:{LEAD}{ASKING_YOU}(?:take|pull) (?:(?!(?:from|to|into|onto|on|with|over)\b)[\w'’#.-]+ ){{1,8}}?"
    r"back(?: please| pls| plz| again)?\W*$)"
)
"""An order that takes back what was published or said: "take post p-702 back", and not "take Kim back to A3"."""
_ITEM: Final = compile_later(r"[\w-]*[0-9][\w-]*")
_ITEMS: Final = compile_later(
    rf"({LEAD}{ASKING_YOU}[a-z]+ (?:(?:the |both |my |our )?[a-z]{{3,}} )?)"
    r"([\w-]*[0-9][\w-]*(?:(?:,| and|, and| &| \+)? [\w-]*[0-9][\w-]*)+)(?= ?(?:,|$|[.!] ?$))",
    re.IGNORECASE,
)
"""A verb with several numbers or ids, and nothing behind them in their clause: "trash 14 and 15, both newsletters"."""
_NOUNS_TOO: Final = stem_all("block stop drop end lock strike cut bin trash dump ban kick draft record quit void leave")
"""Stems of verbs that take something away and of nouns: "block 7"."""
_COURTESY: Final = frozenset(
    "that this please pls plz kindly thanks thx"
    " thank you now then today tonight asap again back there here so too also just"
    " right away immediately it its him her his them their he she one ones same i we me us good ok okay and or go goes"
    " out off on in to into onto from away for with up down let get have do should must can could would will has needs"
    " gets is are be ought"
    " new another degrees degree minutes minute hours hour percent".split()
)
"""Words of an order that do not say what it is about."""
_BE_DONE: Final = compile_later(
    r"(?i:\b(?:should|must|can|may|to|get) (?:be )?(?:also |now |finally )?([a-z]+(?:ed|en|n|t))\b)"
)
"""What should be done: "D-19 should be deleted"."""
_BELONGING: Final = frozenset("of for from about regarding on behind under".split())
"""Words between a thing and what it belongs to: "the log of b-12"."""
_PREPOSITIONS: Final = frozenset("of at from in on with by to".split())
"""Words that a value may leave out: "Ilona Varga" for "Ilona at Varga"."""
_NO_NOUNS: Final = frozenset(
    "no nr number id is are to for at of on in by with from and as than over until till meant possible due ready good"
    " around about only just exactly after before behind under into onto out off up down set make it them be been"
    " back via phone tel mobile open closed shut locked armed".split()
)
"""Words in front of a number, or of "for", that are no noun of what follows."""
_DOCUMENTS: Final = frozenset(
    "bill invoice order ticket case ref reference customer contract policy claim booking reservation".split()
)
"""Nouns in front of a long number that is neither an account nor a telephone number."""
_SHORT_NUMBER: Final = 6  # digits
_FILLERS: Final = frozenset("the a an my our your this that these those both all at".split())
"""Words that are left out of every order and value."""
_EDGES: Final = "@#'’.,:!?()\""
"""Signs that are left out at both ends of a word."""
_RANGE: Final = compile_later(r"([0-9]{1,2}(?::[0-9]{2})?)[-–]([0-9]{1,2}(?::[0-9]{2})?)")
_MIN_PHONE: Final = 7  # digits
_STEM_LETTERS: Final = 5  # by which "referral" is the noun of `refer`
_DAYS: Final = {
    **dict.fromkeys(("mon",), "monday"),
    **dict.fromkeys(("tue", "tues"), "tuesday"),
    **dict.fromkeys(("wed",), "wednesday"),
    **dict.fromkeys(("thu", "thur", "thurs"), "thursday"),
    **dict.fromkeys(("fri",), "friday"),
    **dict.fromkeys(("sat",), "saturday"),
    **dict.fromkeys(("sun",), "sunday"),
    **dict.fromkeys(("jan",), "january"),
    **dict.fromkeys(("feb",), "february"),
    **dict.fromkeys(("mar",), "march"),
    **dict.fromkeys(("apr",), "april"),
    **dict.fromkeys(("jun",), "june"),
    **dict.fromkeys(("jul",), "july"),
    **dict.fromkeys(("aug",), "august"),
    **dict.fromkeys(("sep", "sept"), "september"),
    **dict.fromkeys(("oct",), "october"),
    **dict.fromkeys(("nov",), "november"),
    **dict.fromkeys(("dec",), "december"),
}
_NO_PERSONS: Final = _COURTESY.union(_DAYS, _DAYS.values(), {"may"})
"""Words with capitals that name nobody."""


class _Order(NamedTuple):
    """An order: its own part, what stands in front and behind of it, and whether it only refers to what is in front."""

    part: Part
    front: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    refers_back: bool = False

    @property
    def pieces(self) -> tuple[str, ...]:
        return (*self.front, self.part.text, *self.behind)


def list_order_words(text: str, most: int = _MAX_WORDS) -> list[str]:
    """List the words of a text as the marks have them: names of days and months in full, without words such as "the".

    A word of letters alone is in small letters. Any other is as it is written, since the case of an id matters. The two
    ends of a range are two words, and the groups of a telephone number are one word: "Mon 10-14" gives "monday", "10"
    and "14".

    Args:
        text: of an order, or of an argument.
        most: how many words are read.
    """
    words: list[str] = []
    for start, end in islice(find_token_places(text), most):
        written = text[start:end].strip(_EDGES)
        ends = _RANGE.fullmatch(written)
        if ends is not None:
            words += ends.groups()
            continue
        word = next(iter(extract_tokens(written)), "").strip(_EDGES)
        if word and word != written and word == written.casefold() and not word.isalpha():
            word = written
        if word and word not in _FILLERS:
            words.append(_DAYS.get(word, word))
    return _join_groups(words)


def _join_groups(words: Sequence[str]) -> list[str]:
    """Join the groups of a telephone number, which begins with a zero: "040", "555" and "0177"."""
    joined: list[str] = []
    phone: list[str] = []
    for word in [*words, ""]:
        if word.isdigit() and (phone or (word.startswith("0") and len(word) > 1)):
            phone.append(word)
            continue
        digits = "".join(phone)
        joined += [digits] if len(digits) >= _MIN_PHONE else phone
        phone = []
        joined += [word] if word else []
    return joined


def takes_away(stems: frozenset[str]) -> bool:
    """Whether one of these stems is a verb that takes something away, or ends it."""
    return not stems.isdisjoint(_TAKING_VERBS)


def shorten(word: str) -> str:
    """Shorten a word to what related words share: both "referral" and "refer" give "~refer"."""
    return f"~{word[:_STEM_LETTERS]}"


@lru_cache(maxsize=16)
def find_whole_orders(text: str, user_text: str = "") -> tuple[Form, ...]:
    """Find the marks of each order in a text of the user: its words, and what else says which act it means.

    Args:
        text: of the user, without what it forbids, its numbers in digits.
        user_text: the same with what it forbids, since "we don't need D-19 any more" is no prohibition.
    """
    taken = set[int]()
    forms: list[Form] = []
    parts = list(chain.from_iterable(read_parts(text)))
    if UNNEEDED.search(user_text) is not None:
        whole = chain.from_iterable(read_parts(user_text))
        parts += [part for part in whole if part.is_unneeded and part not in parts]
    for order in _list_orders(parts):
        digest = hashlib.blake2b("\n".join(order.pieces).encode("utf-8", "replace"), digest_size=1).digest()
        number = int.from_bytes(digest) % MAX_ORDERS
        while number in taken and len(taken) < MAX_ORDERS:
            number = (number + 1) % MAX_ORDERS
        if len(taken) == MAX_ORDERS:
            break  # two orders never share a number
        taken.add(number)
        forms += _list_forms(number, order)
    return tuple(forms)


def _list_orders(parts: Sequence[Part]) -> Iterator[_Order]:
    """List the orders of a text, with what belongs to them in front and behind."""
    for place, part in enumerate(parts):
        if part.kind != ORDER:
            continue
        behind = _find_values_behind(parts, place)
        yield _Order(part, behind=behind)
        yield from (_Order(part._replace(text=text), behind=behind) for text in _split_items(part.text))
        front = _find_place(parts, place) or _find_front(parts, place)
        if front:
            yield _Order(part, front, behind, refers_back=True)


def _split_items(text: str) -> list[str]:
    """Write an order that takes several numbered things away as one order for each: "trash 14 and 15"."""
    text = " ".join(text.split()).replace(" ,", ",")
    match = _ITEMS.match(text)
    if match is None or not takes_away(find_first_stems(text)):
        return []
    return [f"{match[1]}{item}{text[match.end() :]}" for item in _ITEM.findall(match[2])]


def _find_values_behind(parts: Sequence[Part], place: int) -> tuple[str, ...]:
    """Find the parts behind an order that only add a value: "ten minutes will do"."""
    found: list[str] = []
    for part in parts[place + 1 : place + 3]:
        if part.kind != VALUE:
            break
        found.append(part.text)
    return tuple(found)


def _find_front(parts: Sequence[Part], place: int) -> tuple[str, ...]:
    """Find the part that says what an order means by "it", or by no word at all, and the values in between.

    Only the nearest part that names something counts. None in between may name another thing that could be meant.
    """
    part = parts[place]
    to_person = _BACK_TO_PERSON.search(part.text) is not None
    to_thing = _BACK.search(part.text) is not None or _is_bare(part)
    values: list[str] = []
    if not to_person and not to_thing:
        return ()
    for other in reversed(parts[max(place - _MAX_BACK, 0) : place]):
        if other.kind == VALUE:
            values.insert(0, other.text)
        elif other.kind in (FACT, ORDER):
            piece = _find_meant_piece(part, other, to_person=to_person)
            if piece:
                return (piece, *values)
            if other.kind == FACT and not to_person and _THEIRS.match(other.text) is not None:
                to_person = True  # "Her badge is registered; let it into F3" is about whom the part in front names
            elif piece is None or (other.kind == FACT and _OF_NOTHING.match(other.text) is None):
                return ()
        elif other.kind != LOOKUP or _takes_something(part) or len(other.text.split()) > _MAX_BARE:
            return ()
    return ()


def _find_meant_piece(part: Part, other: Part, *, to_person: bool) -> str | None:
    """Find what an order means in a part in front of it; empty if it names nothing, None if it is not to be meant."""
    piece = _find_naming_piece(other.text, by_name=to_person)
    if other.kind == FACT and not to_person and _BESIDE.search(piece) is not None:
        return None  # "the router next to mx3 hangs. Reboot it"
    if not piece and other.kind == FACT and MEASURE.fullmatch(part.text) is not None:
        return other.text  # "it's freezing in the living room. 22 degrees please"
    return piece


def _find_place(parts: Sequence[Part], place: int) -> tuple[str, ...]:
    """Find the part right in front that says what "there" means, if only as what is looked at: "check web-03"."""
    if place == 0 or _THERE.search(parts[place].text) is None:
        return ()
    other = parts[place - 1]
    if other.kind not in (FACT, ORDER, LOOKUP):
        return ()
    piece = _find_naming_piece(other.text, by_name=False)
    return (piece,) if piece else ()


def _is_bare(part: Part) -> bool:
    """Whether an order names nothing, and so little else that something in front must be meant: "then a reboot"."""
    words = list_order_words(part.text)
    if MEASURE.fullmatch(part.text) is not None:
        return True
    return len(words) <= _MAX_BARE and _ID.search(part.text) is None and not _list_names(part.text)


def _find_naming_piece(text: str, *, by_name: bool) -> str:
    """Return what stands between commas around the first id in a part, or the first name; nothing if it has none."""
    for piece in _DOCUMENT_NOTE.sub(" ", text).split(", "):
        if _ID.search(piece) is not None or (by_name and _list_names(piece)):
            return piece
    return ""


def _list_names(text: str) -> list[str]:
    """List the words with capitals and without digits, but for common words at the beginning of a sentence."""
    found = [match[1].casefold() for match in _CAPITAL.finditer(text) if not _ID.search(match[1])]
    return list(dict.fromkeys(word for word in found if word not in STOP_WORDS and word not in _NO_PERSONS))


def _takes_something(part: Part) -> bool:
    """Whether an order takes something away: "bin D-19", "D-19 can go", "D-19 should be deleted"."""
    told = _TOLD.search(part.text)
    text = part.text[: told.end()] if told is not None else part.text
    done = (split_name(match[1]) for match in _BE_DONE.finditer(text))
    if LEAVING_BE.match(text) is not None:
        return False
    return (
        part.is_unneeded
        or takes_away(find_first_stems(text))
        or TAKING.search(text) is not None
        or _TAKING_BACK.match(text) is not None
        or any(takes_away(frozenset(stems)) for stems in done)
    )


def _list_forms(number: int, order: _Order) -> Iterator[Form]:
    """List the marks of an order that has this number."""
    pieces = [list_order_words(piece) for piece in order.pieces]
    words = list(chain.from_iterable(pieces))
    yield from (make_form((ORDER_WORD, f"{number} {word}")) for word in dict.fromkeys(words))
    for piece in pieces:
        plain = [word for word in piece if word not in _PREPOSITIONS]
        for a, b in dict.fromkeys((*pairwise(piece), *pairwise(plain))):
            yield make_form((ORDER_PAIR, f"{number} {a} {b}"))
    stems = find_first_stems(order.part.text)
    verbs = stems & _CLEAR_ACTS
    yield from (make_form((ORDER_VERB, f"{number} {stem}")) for stem in sorted(verbs or {NO_VERB}))
    yield from _list_first(number, order.part.text, stems)
    times = [match[match.lastindex or 0] for match in _WHEN.finditer(order.part.text)]
    whens = list_order_words(" ".join(times))
    yield from (make_form((ORDER_WHEN, f"{number} {word}")) for word in (["", *whens] if whens else []))
    things = PUT.search(order.part.text)
    yield from (make_form((ORDER_THING, f"{number} {word}")) for word in (["", things[1].lower()] if things else []))
    numbers = {word for word in words if any(map(str.isdigit, word))}
    yield make_form((ORDER_COUNT, f"{number} {len(numbers)}"))
    if _takes_something(order.part):
        yield make_form((ORDER_TAKING, f"{number}"))
    # "It's Jo's last day, so his account has to go" is about what belongs to Jo.
    looks_back = any(pattern.search(order.part.text) is not None for pattern in (_POSSESSING, _THERE))
    for piece in pieces[len(order.front) :] if looks_back else pieces:
        yield from _list_belongings(number, piece)
    if order.refers_back:
        yield from _list_accounted(number, order)


def _list_first(number: int, text: str, stems: frozenset[str]) -> Iterator[Form]:
    """List the marks `order_first` of an order that has no listed verb, and no other words by which it orders."""
    first = next(iter(list_order_words(drop_lead(text))), "")
    is_plain = first.isalpha() and first not in STOP_WORDS and first not in _COURTESY
    if (
        is_plain
        and stems.isdisjoint(_VERBS)
        and stems.isdisjoint(LOOKING_UP)
        and ORDERED.search(text) is None
        and len(text.split()) > 1
        and not _WHO.match(text)
    ):
        yield make_form((ORDER_FIRST, f"{number} "))
        yield make_form((ORDER_FIRST, f"{number} {first}"))


def _list_accounted(number: int, order: _Order) -> Iterator[Form]:
    """List the marks of the words that a call must have, if it is compared with an order that refers back."""
    names = _list_names(" ".join(order.front))
    to_person = _BACK_TO_PERSON.search(order.part.text) is not None
    if not to_person and names and order.front[0].startswith(names[0].capitalize()):
        names = names[1:]  # the first word of a sentence
    rest = [word for word in list_order_words(order.part.text) if word not in _COURTESY]
    rest = [word for word in rest if stem_all(word).isdisjoint(_VERBS)]
    for domain, found in ((ORDER_NAME, names), (ORDER_REST, list(dict.fromkeys(rest)))):
        yield make_form((domain, f"{number} {min(len(found), MAX_COUNTED + 1)} "))
        yield from (make_form((domain, f"{number} {len(found)} {word}")) for word in found[:MAX_COUNTED])


def _list_belongings(number: int, words: Sequence[str]) -> Iterator[Form]:
    """List the marks of what belongs to something ("the log of b-12", "Jo's log"), and of numbers behind a noun."""
    for place, word in enumerate(words[1:], 1):
        before = words[place - 1]
        is_short = len(word) <= _SHORT_NUMBER and before not in _NO_NOUNS
        if _is_no_noun(before) and _COURTESY.issuperset(words[: place - 1]):
            continue  # "let 5570 open the door", "delete 15"
        if word.isdigit() and before.isalpha() and (is_short or before in _DOCUMENTS):
            yield make_form((ORDER_NUMBERED, f"{number} {word}"))
        if word == "s" and place + 1 < len(words):
            yield from _list_heads(number, before, words[place + 1 : place + 3])
        is_removed = place > 1 and word == "off" and frozenset(split_name(before)).isdisjoint(_VERBS)
        if (word not in _BELONGING and not is_removed) or before in _NO_NOUNS or before == "rid":
            continue
        behind = words[place + 1 : place + 4]
        if len(behind) > 1 and behind[0].isdigit() and behind[1] in _COURTESY:
            continue  # "for 40 minutes"
        for item in behind:
            if item in _BELONGING:
                break
            yield from _list_heads(number, item, [before])


def _is_no_noun(first: str) -> bool:
    """Whether the first word of an order is a verb, and hardly ever the noun of a number behind it."""
    stems = frozenset(split_name(first))
    return first == "let" or (takes_away(stems) and stems.isdisjoint(_NOUNS_TOO))


def _list_heads(number: int, item: str, heads: Sequence[str]) -> Iterator[Form]:
    """List the marks `order_of` and `order_head` of an item and of the words for what belongs to it."""
    yield make_form((ORDER_OF, f"{number} {item}"))
    ways = {way for head in heads for way in (head, *split_name(head), shorten(head))}
    yield from (make_form((ORDER_HEAD, f"{number} {way} {item}")) for way in sorted(ways))
