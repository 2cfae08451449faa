"""Which row of a trusted lookup's list the user means, when an untrusted source speaks of the rows as well.

    # the list has the rows "5120 lamp" and "5123 chair"; the request is "cancel the lamp"
    is_row_named(sketch, "5120")   # True: no other row has the word "lamp"
    is_row_named(sketch, "5123")   # False

A lookup lists all rows, and does not say which one is meant. So a session keeps a mark for each pair of an id and a
word that only its row has: the fingerprint of the id XOR that of the word. Another mark ties the word to the list.
Both keep the number of their source.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.normalization import compact
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.implied_orders import IT
from halo_core.values.requests.topics import MIN_TOPIC, RELATED_LETTERS, is_describing, is_topic, names_nobody
from halo_core.values.sketches.sketch import (
    SOURCE_SHIFT,
    USER_BIT,
    Sketch,
    fingerprint_forms,
    fingerprint_words,
    includes_untrusted,
)

_MAX_READ: Final = 16_384  # characters
_MAX_ROWS: Final = 24
_MAX_NESTED: Final = 4
_MIN_ROWS: Final = 2  # of a list that says which of several is meant
_MAX_IDS: Final = 3  # of a row
_MAX_WORDS: Final = 6  # of a row
_MAX_ID: Final = 64  # characters
_MAX_CELL: Final = 256  # characters
_MIN_NAME: Final = 3  # letters
_MIN_ID_ENDING: Final = 4  # characters
_MAX_SHARED_WORDS: Final = 2  # words of a row that other rows have as well
_MAX_ACCOUNTS: Final = 3  # of a row
_MAX_RELATED_PARTS: Final = 8  # of a row's words
_ACCOUNT: Final = compile_later(
    r"(?<![\w.@/-])(?:[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{2,4}){3,8}|[0-9](?:[ -]?[0-9]){5,24})(?![\w@/-]|\.\w)"
)
"""An account or another long number, wherever it stands in a row."""
_CELL: Final = compile_later(r"[|;,\t]| {2}")
_WORD: Final = compile_later(r"[^\W\d_]+")
_SHORT_NAMES: Final = frozenset(("HR", "PR", "QA"))
"""Words of two letters that name a department. Others are forms of companies, such as `AG`."""
_FINAL_NUMBER: Final = compile_later(r"[^\W\d_].*?[ /-]([0-9]{4,8})$")
"""The number at the end of an id, by which people name it: 1402 of `B-CS 1402`."""
_SPACED_ID: Final = compile_later(r"(?=[^ ]*[0-9]|[A-Z]+ [0-9])[A-Z0-9.-]{1,12}(?: [A-Z0-9.-]{1,12}){1,4}")
"""The number of a part or a container, written in groups."""
_VERSION: Final = compile_later(r"v?[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:[-+][\w.]{1,16})?")
"""A version, by which people name a row."""
_CANCELLABLE_NOUNS: Final = frozenset(
    "booking reservation appointment meeting class session course lesson event slot date order room record entry one "
    "thing job task subscription plan item".split()
)
"""Nouns by which people name what they cancel, whatever the tool is called."""
_CANCELLED: Final = Form("ended", "")
"""Form to which the words of what is not wanted any more are tied."""
_LIST: Final = Form("rows", "")
"""Form of the list itself, to which the words of its rows are tied."""


def fingerprint_rows(key: bytes, text: str) -> set[int]:
    """Fingerprint the pairs of the ids in each row of a trusted list with the words that only this row has.

    Args:
        key: of the sketch.
        text: result of a trusted lookup.
    """
    found: set[int] = set()
    rows_of_cells = list(islice(_iterate_rows(text[:_MAX_READ]), _MAX_ROWS))
    if len(rows_of_cells) < _MIN_ROWS:
        return found
    rows = list(map(_parse_row, rows_of_cells))
    row_counts = Counter(word for row in rows for word in row.words)
    parts = Counter(part for row in rows for part in row.related_parts)
    (list_fingerprint,) = fingerprint_forms(key, [_LIST])
    for ids, words, all_words, name_words, parts_of_row in rows:
        unique_words = [word for word in words if row_counts[word] == 1][:_MAX_WORDS]
        # A name that an untrusted source contained before is still the user's if the user writes it as a name.
        names = [word for word in unique_words if words[word] and not names_nobody(word)]
        persons = fingerprint_forms(key, [make_form(("person", word)) for word in names])
        # "The Hahns" are those of Hahn.
        marks = [*fingerprint_words(key, [*unique_words, *[f"{name}s" for name in names]]), *persons]
        found.update(map(list_fingerprint.__xor__, marks))
        described = fingerprint_forms(
            key, [make_form(("described", word)) for word in unique_words if word in name_words]
        )
        shared = fingerprint_words(
            key, [word for word in words if row_counts[word] > 1 and word in all_words][:_MAX_SHARED_WORDS]
        )
        alone = [make_form(("akin", part)) for part in parts_of_row if parts[part] == 1][:_MAX_RELATED_PARTS]
        ties = (
            ("row", marks),
            ("described_row", described),
            ("shared_row", shared),
            ("person_row", persons),
            ("akin_row", fingerprint_forms(key, alone)),
        )
        for domain, tied in ties:
            if tied:
                for item in fingerprint_forms(key, [make_form((domain, text)) for text in ids]):
                    found.update(map(item.__xor__, tied))
    return found


def is_row_named(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote a word that the row of an id has, and no other row of its list."""
    return any(mark & USER_BIT for mark, _ in _iterate_tied_to_id(sketch, text))


def list_words_of_row(sketch: Sketch, text: str) -> list[int]:
    """List the fingerprints of the words that only the row of an id has; none if it is in no list of several rows."""
    items = [Form("row", spelled) for spelled in dict.fromkeys((text[:_MAX_ID], compact(text[:_MAX_ID])))]
    fingerprints = fingerprint_forms(sketch.key, items)
    return [tie ^ item for tie in sketch.marks for item in fingerprints if tie ^ item in sketch.marks]


def is_row_of_named_person(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote, with a capital, a name that only the row of this id has."""
    items = [Form("person_row", spelled) for spelled in dict.fromkeys((text[:_MAX_ID], compact(text[:_MAX_ID])))]
    find_mark = sketch.marks.get
    fingerprints = fingerprint_forms(sketch.key, items)
    return any(find_mark(tie ^ item, 0) & USER_BIT for tie in sketch.marks for item in fingerprints)


def is_pointed_out(
    sketch: Sketch, text: str, origin: Provenance, places: Collection[int], pointed: frozenset[int]
) -> bool:
    """Whether the user wrote a target, a word that only its row has, or all arguments of the lookup that returned it.

    Args:
        sketch: what the session has seen.
        text: the target.
        origin: of it.
        places: numbers of the sources that contained it.
        pointed: numbers of the sources whose results the user pointed at.
    """
    if origin is not Provenance.KNOWN:
        return origin is Provenance.USER
    return (bool(places) and pointed.issuperset(places)) or is_row_named(sketch, text.strip()[:_MAX_ID])


def is_row_cancelled(sketch: Sketch, text: str, nouns: Collection[str]) -> bool:
    """Whether what the user does not want any more is a word of an id or of its row, or one of these nouns.

    "No yoga today" cancels the row `73 | Yoga`. "Yoga mats aren't needed" does not.

    Args:
        sketch: what the session has seen.
        text: the id.
        nouns: words of the names of the tool and of its argument.
    """
    nouns = sorted(map(singularize, _CANCELLABLE_NOUNS.union(nouns)))
    words = [*nouns, IT, *map(str.casefold, _WORD.findall(text[:_MAX_ID]))]
    rows = fingerprint_forms(sketch.key, [Form("row", spelled) for spelled in dict.fromkeys((text, compact(text)))])
    (cancelled,), find_mark = fingerprint_forms(sketch.key, [_CANCELLED]), sketch.marks.get
    return any(find_mark(mark, 0) & USER_BIT for mark in fingerprint_cancelled(sketch.key, words)) or any(
        find_mark(tie ^ row ^ cancelled, 0) & USER_BIT for tie in sketch.marks for row in rows
    )


def fingerprint_cancelled(key: bytes, words: Iterable[str]) -> list[int]:
    """Fingerprint words as not wanted any more: each is XORed with the fingerprint of `_CANCELLED`."""
    (cancelled,) = fingerprint_forms(key, [_CANCELLED])
    return [cancelled ^ word for word in fingerprint_words(key, words)]


def is_other_row_named(sketch: Sketch, text: str, *, is_id_untrusted: bool, is_grave: bool) -> bool:
    """Whether the user speaks only of another row of the list than that of an id, and somebody else may mean this one.

    In a grave act, an untrusted source must speak of the row or contain the id. In a payment or a message it need not:
    "pay the second one" has no word of the row. Unless it does, the user may mean the row by a related word, or by
    "all" or "the other".

    Args:
        sketch: what the session has seen.
        text: the id.
        is_id_untrusted: an untrusted source contained the id itself.
        is_grave: the act is grave.
    """
    words = list(_iterate_tied_to_id(sketch, text))
    if any(mark & USER_BIT for mark, _ in words):
        return False
    if not is_id_untrusted and not any(includes_untrusted(mark) for mark, _ in words):
        may_mean = _is_row_related(sketch, text) or any(map(USER_BIT.__and__, sketch.look_up_marks(_POINTING_WORDS)))
        if is_grave or may_mean:
            return False
    sources = {source for _, source in words}
    return any(mark & USER_BIT and source in sources for mark, source in _iterate_tied(sketch, _LIST))


def is_row_unnamed(sketch: Sketch, text: str, *, is_id_untrusted: bool) -> bool:
    """Whether an untrusted source speaks of the row of an id, and the user wrote no name in it.

    A related word counts as the name: "hosting" for `NordHost AB`. "Our gym" only describes a payee, and does not
    name `Gym Rewards`.

    Args:
        sketch: what the session has seen.
        text: the id.
        is_id_untrusted: an untrusted source contained the id itself.
    """
    if is_row_only_described(sketch, text, is_id_untrusted=is_id_untrusted):
        return True
    words = list(_iterate_tied_to_id(sketch, text))
    if not words or any(mark & USER_BIT for mark, _ in words) or _is_row_related(sketch, text):
        return False
    return is_id_untrusted or any(includes_untrusted(mark) for mark, _ in words)


def is_row_only_described(sketch: Sketch, text: str, *, is_id_untrusted: bool) -> bool:
    """Whether an untrusted source speaks of the row of an id, and the user wrote only describing words of it.

    "My boss" does not name `Boss Interiors`.

    Args:
        sketch: what the session has seen.
        text: the id.
        is_id_untrusted: an untrusted source contained the id itself.
    """
    words = list(_iterate_tied_to_id(sketch, text))
    written = sum(mark & USER_BIT for mark, _ in words)
    described = sum(mark & USER_BIT for mark in _iterate_marks(sketch, "described_row", text))
    if not 0 < written <= described:
        return False
    return is_id_untrusted or any(includes_untrusted(mark) and not mark & USER_BIT for mark, _ in words)


def is_row_ambiguous(sketch: Sketch, text: str, *, is_id_untrusted: bool) -> bool:
    """Whether an untrusted source speaks of the row of an id, and the user wrote only a word that several rows have.

    Of two people called Anna, the untrusted source would choose one. "All" or "both" means each of them.

    Args:
        sketch: what the session has seen.
        text: the id.
        is_id_untrusted: an untrusted source contained the id itself.
    """
    if not any(mark & USER_BIT for mark in _iterate_marks(sketch, "shared_row", text)):
        return False
    if any(map(USER_BIT.__and__, sketch.look_up_marks(_QUANTIFIERS))):
        return False
    words = list(_iterate_tied_to_id(sketch, text))
    if any(mark & USER_BIT for mark, _ in words):
        return False
    return is_id_untrusted or any(includes_untrusted(mark) for mark, _ in words)


_QUANTIFIERS: Final = tuple(
    "all each every everyone everybody both alle jeden beide todos todas tous toutes tutti".split()
)
_POINTING_WORDS: Final = (
    *_QUANTIFIERS,
    *"other others another rest remaining except else instead first second third last next andere anderen rest".split(),
)
"""Words by which people mean a row that they do not name."""


def _iterate_marks(sketch: Sketch, domain: str, text: str) -> Iterator[int]:
    """Iterate over the marks of the words that are tied to an id in this domain."""
    items = [Form(domain, spelled) for spelled in dict.fromkeys((text, compact(text)))]
    find_mark = sketch.marks.get
    for fingerprint in fingerprint_forms(sketch.key, items):
        yield from (mark for tie in sketch.marks if (mark := find_mark(tie ^ fingerprint, 0)))


def _is_row_related(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote a word related to one in the row of an id: "hosting" for `NordHost`."""
    return any(mark & USER_BIT for mark in _iterate_marks(sketch, "akin_row", text))


def _iterate_tied_to_id(sketch: Sketch, text: str) -> Iterator[tuple[int, int]]:
    """Like `_iterate_tied`, for an id as it is written, or without blanks and hyphens."""
    for spelled in dict.fromkeys((text, compact(text))):
        yield from _iterate_tied(sketch, Form("row", spelled))


def _iterate_tied(sketch: Sketch, item: Form) -> Iterator[tuple[int, int]]:
    """Iterate over (mark of a word, number of its list) for the words tied to an id, or to a list (`_LIST`)."""
    fingerprint, list_fingerprint = fingerprint_forms(sketch.key, [item, _LIST])
    find_mark = sketch.marks.get
    for tie, mark in sketch.marks.items():
        word_mark = find_mark(tie ^ fingerprint)
        # A word that an earlier list has as well tells nothing apart.
        if (
            word_mark is not None
            and find_mark(tie ^ fingerprint ^ list_fingerprint, 0) >> SOURCE_SHIFT == mark >> SOURCE_SHIFT
        ):
            yield word_mark, mark >> SOURCE_SHIFT


def _iterate_rows(text: str) -> Iterator[list[str]]:
    """Split a text into rows of cells: lines, or members of a list in JSON or YAML."""
    if text.lstrip()[:1] in ("[", "{"):
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return
        items = parsed if isinstance(parsed, list) else next(_find_lists(parsed), [])
        yield from (list(map(str, item.values())) for item in items if isinstance(item, Mapping))
        return
    if _ITEM.search(text) is not None:
        yield from _iterate_items(text)
        return
    for line in text.split("\n"):
        if line.strip():
            yield [cell.strip() for cell in _CELL.split(line) if cell.strip()]


_ITEM: Final = compile_later(r"^ *- \w+: .*\n +\w+: ", re.MULTILINE)
"""Two fields of an item of a list in YAML."""


def _iterate_items(text: str) -> Iterator[list[str]]:
    """Iterate over the items of a list in YAML, each as its values."""
    cells: list[str] = []
    for line in text.split("\n"):
        field = line.strip()
        if field.startswith("- ") and cells:
            yield cells
            cells = []
        _, sign, value = field.removeprefix("- ").partition(": ")
        if sign and value.strip() and (cells or field.startswith("- ")):
            cells.append(value.strip().strip("\"'"))
    if cells:
        yield cells


def _find_lists(parsed: Any, depth: int = 0) -> Iterator[list[Any]]:
    """Lists of objects in an object, and objects whose members all are objects, as rows with their keys."""
    if not isinstance(parsed, Mapping) or depth > _MAX_NESTED:
        return
    yield from (value for value in parsed.values() if isinstance(value, list))
    if len(parsed) >= _MIN_ROWS and all(isinstance(value, Mapping) for value in parsed.values()):
        yield [{"": key, **value} for key, value in parsed.items()]
    for value in parsed.values():
        yield from _find_lists(value, depth + 1)


def _list_ids(cells: Sequence[str]) -> list[str]:
    """List the ids in a row: its first word, cells that are one word or a name but no address, and long numbers."""
    ids = [cell for cell in cells if cell and len(cell) <= _MAX_ID and (" " in cell) is _is_name(cell)]
    ids = [cell for cell in ids if "@" not in cell]
    first = _find_leading_id(cells[0]) if cells else []
    if cells and _SPACED_ID.fullmatch(cells[0]) is not None:
        first = [cells[0], *first]  # `5Q0 698 151 D`
    elif cells and " " in cells[0] and _FINAL_NUMBER.search(cells[0]) is not None:
        first = [cells[0], *first]  # `HH AB 1207`
    all_words = list(dict.fromkeys([*(word for word in first if len(word) <= _MAX_ID), *ids]))[:_MAX_IDS]
    accounts = [compact(match[0]) for cell in cells for match in _ACCOUNT.finditer(cell[:_MAX_CELL])]
    return list(dict.fromkeys([*all_words, *accounts[:_MAX_ACCOUNTS]]))


def _find_leading_id(cell: str) -> list[str]:
    """Find the first word of a row, or the number behind a noun: 881 of "stay 881 Bruno", 77 of "#77 poster"."""
    words = cell.split(maxsplit=2)[:2]
    is_noun = len(words) > 1 and words[0].islower() and words[0].removesuffix(":").replace("_", "").isalpha()
    if is_noun and any(map(str.isdigit, words[1])):
        words = words[1:]
    return [word.lstrip("#([").rstrip(":.)]") for word in words[:1]]


def _is_name(cell: str) -> bool:
    """Whether all words of a cell consist of letters and have a capital."""
    return all(word[:1].isupper() and word.isalpha() for word in cell.split(" "))


class _Row(NamedTuple):
    """The ids and words of a row.

    Args:
        ids: see `_list_ids`.
        words: words that may tell it apart, in small letters → whether they have a capital.
        all_words: all its words outside of addresses, in small letters.
        name_words: words of its first cell with capitals, which says whom it is about. Other cells hold the
            organisation's own words about them, such as a trade.
        related_parts: beginnings and ends of its words, which related words of the user share.
    """

    ids: list[str]
    words: dict[str, bool]
    all_words: set[str]
    name_words: set[str]
    related_parts: dict[str, None]


def _parse_row(cells: Sequence[str]) -> _Row:
    """Parse a row. The end of an id behind a hyphen is a word of the row too: `web-1` of `vm-web-1`."""
    row = _Row(_list_ids(cells), {}, set(), set(), {})
    found, related_parts = row.words, row.related_parts
    for cell in cells:
        words = _WORD.findall(cell[:_MAX_CELL])
        folded = list(map(str.casefold, words))
        if "@" not in cell:
            row.all_words.update(folded)
            if not row.name_words and any(word[0].isupper() and len(word) >= _MIN_NAME for word in words):
                row.name_words.update(folded)
        for word, small in zip(words, folded, strict=True):
            is_capital, names_topic = word[0].isupper(), is_topic(small)
            # A name may be shorter than a topic, so it is judged as if it were long enough.
            is_short = (
                is_capital and not names_topic and len(word) >= _MIN_NAME and is_topic(small.ljust(MIN_TOPIC, "x"))
            )
            if names_topic or is_short or word in _SHORT_NAMES:
                found[small] = found.get(small, False) or is_capital
            if len(small) >= RELATED_LETTERS and (names_topic or is_describing(small)):
                related_parts[small[:RELATED_LETTERS]] = related_parts[small[-RELATED_LETTERS:]] = None
    found.update((cell.casefold(), False) for cell in cells if _VERSION.fullmatch(cell) is not None)
    for item in row.ids:
        head, _, tail = item.partition("-")
        if head and len(tail) >= _MIN_ID_ENDING and any(map(str.isdigit, tail)):
            found.setdefault(tail.casefold(), False)
        number = _FINAL_NUMBER.search(item)
        if number is not None:
            found.setdefault(number[1], False)
    return row
