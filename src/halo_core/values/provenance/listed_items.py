"""Items in the result of a trusted lookup: common words, short numbers of records, names that an argument began.

    find_listed_forms("71 | vacation", ["request"])   # the number 71, and request 71

Such an item has no form by its own look. It is recognized by its place in the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Final

from halo_core.values.kinds.addresses import canonicalize_path
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.normalization import compact
from halo_core.values.language.patterns import compile_later

_MAX_LISTED: Final = 512
_LISTED_WORD: Final = compile_later(
    r"(?:([A-Za-z]{1,40}+)[\"'`]?[ ]*:[ ]*[\"'`]?|^|[\n;,|\[({\"'`>\t])[ ]*(?:[-*•#@][ ]*)?([a-z]{2,40})"
    r"(?=[ ]*(?:$|[\n;,|\])}\"'`<\t]))(?![\"'`]?[ ]*:)"
)
"""A word in small letters that fills an item, a cell or a JSON text and is no key; with the key before it."""
_FIRST_LISTED_WORD: Final = compile_later(
    r"()[ ]*(?:[-*•#@][ ]*)?([a-z]{2,40})(?=[ ]*(?:$|[\n;,|\])}\"'`<\t]))(?![\"'`]?[ ]*:)"
)
_NEXT_LISTED_WORD: Final = compile_later(rf"[\n;,|\[({{\"'`>\t]{_FIRST_LISTED_WORD.pattern}")
"""The same in a text without keys: at its beginning, and behind a sign."""
_KEY_SIGN: Final = compile_later(r":(?<=[A-Za-z\"'` ]:)")
"""Every text with a key contains this, and nearly no other text."""
_NAMING_KEYS: Final = frozenset("id key name slug title label handle login".split())
"""Keys whose text is a name. The text of other keys, such as `status`, is a property."""
_NUMBER_OF_ID: Final = compile_later(
    r"\b(?:[A-Za-z]{1,24}_)?(?:[Ii]ds?|ID|[Nn]o|[Nn]r|[Nn]umber|[Kk]ey|[Rr]ef)[\"']?[ ]*[:= #][ ]*[\"']?#?"
    r"([0-9]{1,4})(?![\w.,]?[0-9]|\w)"
)
"""A short number behind `id`."""
_SHORT_ID: Final = compile_later(
    r"\b(?:[A-Za-z]{1,24}_)?(?:[Ii]ds?|ID|[Kk]ey|[Rr]ef)[\"']?[ ]*[:=#][ ]*[\"']?([A-Za-z][0-9]|[0-9][A-Za-z])\b"
)
"""An id of a letter and a digit behind `id`."""
_ID_SIGN: Final = compile_later(
    r"[IiNnKkRr](?:(?<=[Ii])ds?|(?<=I)D|(?<=[Nn])(?:o|r|umber)|(?<=[Kk])ey|(?<=[Rr])ef)[\"']?[ ]*[:= #][ ]*[\"']?#?"
    r"(?:[0-9]|[A-Za-z][0-9])"
)
"""Every match of `_NUMBER_OF_ID` and `_SHORT_ID` contains this. Most texts do not, which saves two searches."""
_ROW_ID: Final = compile_later(r"[ \[]*(?:[-*•#][ ]*)?([0-9][A-Za-z]|[A-Za-z][0-9])[ ]*[|,\]\t]")
"""An id of a letter and a digit in the first cell of a row."""
_WHOLE: Final = itemgetter(0)
_FIRST_GROUP: Final = itemgetter(1)
"""The first group of a match."""
_ROW: Final = compile_later(r"[^\n;]+")
_ROW_NUMBER: Final = compile_later(r"[ \[]*(?:[-*•#][ ]*)?([0-9]{1,4})(?=[ ,|\]\t]|$)([ ]*[|,\]\t]|$)?")
"""A short number that begins a row, and the sign that ends its cell."""
_COUNTED: Final = compile_later(
    r"[ ]*(?:(?:[\w.'-]+ ){0,3}(?:street|str|st|road|rd|avenue|ave|lane|drive|way|court|square|place|boulevard|terrace"
    r"|close|crescent|grove|hill|row|park|gardens|quay)\b"
    r"|(?:x|kg|g|km|m|cm|mm|l|ml|hrs?|hours?|min|minutes?|days?|weeks?|months?|years?|pcs|pieces?|units?|times|am|pm"
    r"|eur|euros?|usd|dollars?|gbp|pounds?|percent|people|persons?|guests?|nights?|of)(?=[ ,;|)]|$)"
    r"|[€$£%×]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)",
    re.IGNORECASE,
)
"""Words behind the number of a house, a quantity or a day."""


def find_listed_forms(text: str, nouns: Sequence[str] = ()) -> Iterator[Form]:
    """Find the items of a list that are one common word or one short number: channels, numbered records.

    Args:
        text: the result of a trusted lookup.
        nouns: of what the numbers are; none where the source does not say.
    """
    for match in islice(_iterate_listed_words(text), _MAX_LISTED):
        key = singularize(match[1].lower()) if match[1] else ""
        yield make_form(("listed", f"{key} {match[2]}" if key and key not in _NAMING_KEYS else match[2]))
    has_ids = _ID_SIGN.search(text) is not None
    for match in islice(_SHORT_ID.finditer(text), _MAX_LISTED) if has_ids else ():
        yield make_form(("listed", match[1]))
    rows = list(map(_WHOLE, islice(_ROW.finditer(text), _MAX_LISTED)))
    row_numbers, is_column = _find_row_numbers(rows)
    ids = list(map(_FIRST_GROUP, filter(None, map(_ROW_ID.match, rows))))
    if len({*ids}) == len(ids):
        for item in ids:
            yield make_form(("listed", item))
    numbers = [int(match[1]) for match in islice(_NUMBER_OF_ID.finditer(text), _MAX_LISTED)] if has_ids else []
    if not numbers and not row_numbers:
        return
    for number in [*numbers, *row_numbers]:
        for noun in nouns:
            yield make_form(("numbered", f"{noun} {number}"))
    for number in [*numbers, *row_numbers] if is_column else numbers:
        yield make_form(("listed", str(number)))


def _iterate_listed_words(text: str) -> Iterator[re.Match[str]]:
    """Iterate over the matches of `_LISTED_WORD`, which is slow, with faster patterns if the text has no key."""
    if _KEY_SIGN.search(text) is not None:
        return _LISTED_WORD.finditer(text)
    first = _FIRST_LISTED_WORD.match(text)
    if first is None:
        return _NEXT_LISTED_WORD.finditer(text)
    return chain((first,), _NEXT_LISTED_WORD.finditer(text, first.end()))


def _find_row_numbers(rows: Iterable[str]) -> tuple[list[int], bool]:
    """Find the short numbers at the beginning of rows, and whether they are a column that tells the rows apart.

    The number of a house, a quantity or a day begins no row. One row alone has such a column if a sign ends its first
    cell.
    """
    numbers: list[int] = []
    has_cell = False
    for row in rows:
        match = _ROW_NUMBER.match(row)
        if match is not None and (match[2] is not None or _COUNTED.match(row, match.end()) is None):
            numbers.append(int(match[1]))
            has_cell = has_cell or bool(match[2])
    return numbers, len({*numbers}) == len(numbers) and (len(numbers) > 1 or has_cell)


_CELL: Final = compile_later(r"[^\n;,|\"`()\[\]{}<>\t:=]+")
_MAX_CELL: Final = 64  # characters
_MAX_CELLS: Final = 1_024
_NAME_WORDS: Final = (2, 5)


def find_completed_names(text: str, given: str) -> Iterator[Form]:
    """Find the names in a lookup's result of which an argument has some words, but not all: `Kwame Osei` for Osei.

    INVARIANT: VOUCH - a name that a source could have composed from its arguments is not known.

    Args:
        text: what a trusted lookup brought.
        given: the letters and digits of its arguments, without case.
    """
    least, most = _NAME_WORDS
    for cell in islice(_CELL.finditer(text), _MAX_CELLS):
        words = cell[0].split(None, most)
        if len(words) < least or len(cell[0]) > _MAX_CELL:
            continue
        name = []
        repeated = 0  # of the words
        for word in words[:most]:
            is_plain = word.isascii() and word.isalpha()
            if not (is_plain or word.replace("-", "").replace("'", "").replace(".", "").isalpha()):
                break  # an address or a number begins the next cell
            name.append(word)
            repeated += (word.lower() if is_plain else compact(word)) in given
        if len(name) >= least and 0 < repeated < len(name):
            yield make_form(("completed", " ".join(name)))


_FOLDER: Final = compile_later(r"~?/?[\w.@-]{1,128}(?:/[\w.@ -]{1,128}){0,16}/?")
_FILE: Final = compile_later(
    r"(?<![\w./\\-])[\w-]{1,128}(?:\.[\w-]{1,64}){0,3}\.[A-Za-z][A-Za-z0-9]{0,5}(?![\w/\\-]|\.\w)"
)
_FILE_SIGN: Final = compile_later(r"\.[A-Za-z]")
"""Every match of `_FILE` contains this."""
_MAX_FOLDERS: Final = 2


def find_listed_paths(text: str, arguments: Sequence[str]) -> Iterator[Form]:
    """Find the paths of the files that a lookup lists in the folder which its argument names.

    Args:
        text: what a trusted lookup brought.
        arguments: texts of all arguments.
    """
    if _FILE_SIGN.search(text) is None:
        return
    folders = [argument.strip() for argument in arguments if _FOLDER.fullmatch(argument.strip()) is not None]
    if not folders or len(folders) > _MAX_FOLDERS:
        return
    for match in islice(_FILE.finditer(text), _MAX_LISTED):
        for folder in folders:
            path = canonicalize_path(f"{folder}/{match[0]}")
            if path is not None:
                yield Form("path", path)
