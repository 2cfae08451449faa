"""Short numbers, which count only together with the noun beside them: "invoice 42", "orders 7 and 8", "#7 channel".

A bare 42 stands in many texts by accident. So `invoice_id=42` needs "invoice 42" in a vouching text.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import MAX_FORMS, Form, make_form
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later

MIN_DIGITS: Final = 5
"""Digits from which a number counts without its noun."""
_FILLERS: Final = frozenset(
    "no nr num number numbers nos id ids # : nummer № . n nº numéro número numero numer °".split()
)
"""Words between a noun and its number: "invoice no. 42"."""
_RELATING: Final = frozenset({"with", "whose", "having", "the", "has", "its"})
"""Words between a noun and the noun of its number: "the file with the id 13"."""
_SHORT_NOUNS: Final = frozenset(("pr", "mr"))
_QUOTES: Final = frozenset("'\"`’‘“”")
INVITATION: Final = "invitation"
_OF_EVENTS: Final = frozenset((INVITATION, "invite"))
"""Nouns of what belongs to an event and has the number of the event."""
_CONNECTORS: Final = frozenset({",", "and", "or", "&", "und"})
_NO_NOUNS: Final = _FILLERS | _RELATING | _CONNECTORS | {"is"}
"""Words that describe the noun and the number around them."""
_WORD_OR_NUMBER: Final = compile_later(r"[0-9]+(?![.,]?[0-9])(?=[^A-Za-z0-9_-]|$)|[^\W\d_]+|[0-9]\S*|[#:,.&№]|\S")
_NUMBER_IN_ASCII: Final = r"[0-9]+(?![.,]?[0-9])(?=[^a-z0-9_-]|$)|[0-9][^\t-\r\x1c-\x20]*|[^\t-\r\x1c-\x20]"
_WORD_OR_NUMBER_IN_ASCII: Final = compile_later(rf"[a-z]+|{_NUMBER_IN_ASCII}")
"""The same in small letters of ASCII, which is found faster than classes of Unicode."""
_ROW_OR_NUMBER_IN_ASCII: Final = compile_later(rf"[a-z]+(?: +[a-z]+)*+|{_NUMBER_IN_ASCII}")
"""The same, with words that stand one behind the other as one."""
_MAX_TOKENS: Final = 20_000
_SHORT_NUMBER: Final = compile_later(r"[0-9](?<![\w.,][0-9])[0-9]{0,3}(?![\w])")
_NOUN_WINDOW: Final = 40  # characters on each side of a number


def add_numbered_forms(text: str, forms: list[Form]) -> None:
    """Add the forms of short numbers with the noun beside them.

    Args:
        text: without what was taken for something else.
        forms: takes the forms, up to `MAX_FORMS`.
    """
    start = end = 0
    for match in _SHORT_NUMBER.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        if match.start() > end:
            if end:
                _find_numbered_in(text[start:end], forms)
            start = max(match.start() - _NOUN_WINDOW, end)
        end = match.end() + _NOUN_WINDOW
    if end:
        _find_numbered_in(text[start:end], forms)


def _find_numbered_in(text: str, forms: list[Form]) -> None:  # noqa: C901  one branch for each kind of word
    """Read a part of a text word by word, with the noun that a number would belong to in mind."""
    # `noun` may be any word until it is needed as one: few words stand before a number.
    noun = previous = before = behind = ""  # `behind`: the noun before words such as `with the`
    in_list = False  # a number of the noun was the last thing but commas
    for sign in _list_signs(text):
        if sign.isalpha() and sign not in _NO_NOUNS and before != "#":
            noun, behind, in_list = sign, "", False
        elif sign.isascii() and sign.isdigit():
            noun = noun if noun and _is_noun(noun) else ""
            if noun and len(sign) < MIN_DIGITS:
                _add_form(noun, sign, forms)
            in_list = bool(noun)
        elif sign in _QUOTES or (sign == "is" and previous in _FILLERS):
            continue
        elif sign in _CONNECTORS:
            noun, behind = noun if in_list else "", ""
        elif sign in _FILLERS:
            noun = noun if noun and _is_noun(noun) else behind if sign.isalpha() else ""
            if sign == "." and previous not in ("no", "nr"):
                noun = ""
        elif sign.isalpha():
            if before == "#" and previous.isascii() and previous.isdigit() and len(previous) < MIN_DIGITS:
                _add_form(sign, previous, forms)
            behind = (noun if noun and _is_noun(noun) else behind) if sign in _RELATING else ""
            noun, in_list = sign if sign not in _RELATING and _is_noun(sign) else "", False
        else:
            noun, behind, in_list = "", "", False
        before, previous = previous, sign


def _add_form(noun: str, number: str, forms: list[Form]) -> None:
    noun = singularize(noun)
    forms.append(make_form(("numbered", f"{to_numbered_noun(noun)} {int(number)}")))
    if noun in _OF_EVENTS:
        forms.append(make_form(("numbered", f"{INVITATION} {int(number)}")))


def to_argument_noun(word: str) -> str:
    """Replace a word of an argument's name by its main synonym.

    An invitation has the number of its event, not the reverse. `event_id` matches "invitation 12", but `invitation`
    does not match "event 12".
    """
    return INVITATION if singularize(word) in _OF_EVENTS else to_numbered_noun(word)


def _is_noun(sign: str) -> bool:
    return (len(sign) > 2 or not sign.isascii() or sign in _SHORT_NOUNS) and sign not in STOP_WORDS


def _list_signs(text: str) -> Iterable[str]:
    """List words in small letters, numbers and signs of a text, at most `_MAX_TOKENS`."""
    if len(text) > _MAX_TOKENS:
        return [match[0].lower() for match in islice(_WORD_OR_NUMBER.finditer(text), _MAX_TOKENS)]
    if not text.isascii():
        return map(str.lower, _WORD_OR_NUMBER.findall(text))
    if "#" in text:  # with which two words before count as well
        return _WORD_OR_NUMBER_IN_ASCII.findall(text.lower())
    signs: list[str] = []
    for row in _ROW_OR_NUMBER_IN_ASCII.findall(text.lower()):
        if " " not in row:
            signs.append(row)
            continue
        # Of words in a row the last that may be a noun takes the place of those before it.
        words = row.split()
        last = len(words) - 1
        while last and words[last] in _NO_NOUNS:
            last -= 1
        signs += words[last:]
    return signs


def singularize(word: str) -> str:
    """Return a noun in the singular, as far as its ending tells."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
