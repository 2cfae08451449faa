"""Whose records (mails, tickets, messages) the user named, among those of an untrusted list.

So that "answer Ana's mail" vouches for the number m-8812, which only an untrusted source wrote (`listed_records`). A
session keeps one mark for each pair: the fingerprint of the number combined with that of the sender's name or the
topic. Whoever has the number and the words of the user can find it, and learns nothing else.

INVARIANT: VOUCH - a number with two senders, a name of two senders and a topic of two records count for nothing. A
topic counts for "the mail about ...", a place in the list for "the second one".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from halo_core.values.kinds.kinds import Form
from halo_core.values.requests.listed_records import (
    ID_WORDS,
    MAX_NUMBER,
    MAX_READ,
    MAX_RECORDS,
    Parties,
    has_key_word,
    iterate_records,
    parse_structure,
    read_list,
)
from halo_core.values.requests.topics import ALL, ONLY, ONLY_OF
from halo_core.values.sketches.sketch import (
    LOOKED_UP,
    SOURCE_SHIFT,
    USER_BIT,
    Sketch,
    extract_tokens,
    fingerprint_forms,
)

_ANSWER_USES: Final = {"name": ("person", "named"), "about": ("about",)}
"""Forms by which a text of the user names one."""


def fingerprint_named_records(
    key: bytes,
    text: str,
    *,
    is_named_list: bool = False,
    own_domain: str = "",
    parties: Parties = frozenset(),
    is_of_one: bool = False,
    is_filtered_list: bool = False,
) -> Iterator[int]:
    """Fingerprint the pairs of a record's number with its sender and its topics, for an untrusted list.

    A name or a topic is also paired with its owner. So a name that another list gives to somebody else counts for
    nobody any more.

    Args:
        key: of the sketch.
        text: what an untrusted source returned.
        is_named_list: as in `find_records`.
        own_domain: as in `find_records`.
        parties: as in `find_records`.
        is_of_one: the list is of what belongs to one thing or person whom the user named.
        is_filtered_list: the call asked for a list (`lists_by_filters`), whatever the source is called.
    """
    is_list = is_named_list or is_filtered_list
    records, owners = read_list(text, is_named_list=is_list, own_domain=own_domain, parties=parties)
    for number, found in records.items():
        by_user, by_lookup = fingerprint_forms(key, [Form("record", number), Form("record known", number)])
        addresses = [Form("email", address) for address in found.addresses]
        words = [Form(use, name) for name in found.names for use in _ANSWER_USES["name"]]
        words += [Form("about", topic) for topic in found.topics]
        words += [Form("paid_for", topic) for topic in found.topics if found.is_payment]
        yield from (by_user ^ tie for tie in fingerprint_forms(key, [*addresses, *words]))
        yield from (by_lookup ^ tie for tie in fingerprint_forms(key, addresses, LOOKED_UP))
    for number, use in _list_answered(text, is_named_list=is_named_list, is_of_one=is_of_one):
        answered, tie = fingerprint_forms(key, [Form("answered", number), Form("about", use)])
        yield answered ^ tie
    for (kind, word), owner_names in owners.items():
        uses = fingerprint_forms(key, [Form(use, word) for use in _ANSWER_USES[kind]])
        for owner in fingerprint_forms(key, [Form("owner", name) for name in owner_names]):
            yield owner
            yield from (owner ^ use for use in uses)


def _find_list(sketch: Sketch, number: str, is_list: Callable[[int], bool]) -> int | None:
    """Find the mark of the list that first contained a record's number; None if no list did."""
    words = list(islice(extract_tokens(number), 2)) if len(number) <= MAX_NUMBER else []
    if len(words) != 1:
        return None
    source = sketch.look_up_marks(words)[0]
    return source if is_list(source >> SOURCE_SHIFT) else None


def is_named_record(sketch: Sketch, number: str, is_list: Callable[[int], bool]) -> bool:
    """Whether the list that first contained a record's number ties it to a sender or a topic that the user named.

    A trusted lookup may name the sender as well. A name that two lists give to different senders counts for nobody.

    Args:
        sketch: what the session has seen.
        number: as an argument has it.
        is_list: whether the source with this number lists what the call acts on (`is_list_of`).
    """
    number = number.strip()
    source = _find_list(sketch, number, is_list)
    if source is None:
        return False
    by_user, by_lookup = fingerprint_forms(sketch.key, [Form("record", number), Form("record known", number)])
    find_mark = sketch.marks.get
    return any(
        # The same source, since another may only speak of the record.
        mark == source
        and (
            (find_mark(tie ^ by_user, 0) & USER_BIT and not _has_owners(sketch, tie ^ by_user))
            or tie ^ by_lookup in sketch.marks
        )
        for tie, mark in sketch.marks.items()
    )


def _list_answered(text: str, *, is_named_list: bool, is_of_one: bool = False) -> Iterator[tuple[str, str]]:
    """List the numbers of the records that "answer it" and "answer them" mean, and which of the two.

    If somebody is named before, the only record of what belongs to that person is meant (`ONLY_OF`).

    INVARIANT: VOUCH - a body of several lines can contain what looks like a further row. So "answer them" means only
    records that stand in a structure (JSON). The only record of a list is meant by both.
    """
    if not is_named_list:
        return
    text = text[:MAX_READ]
    parsed = parse_structure(text)
    records = islice(iterate_records(text, is_named_list=True), MAX_RECORDS)
    found = list(dict.fromkeys(number for number, _ in records))
    if parsed is not None:
        outer = _list_outer_numbers(parsed)
        found = [number for number in found if number in outer]
    elif len(found) > 1:
        return
    numbers = [number for number in found if any(map(str.isdigit, number)) and " " not in number]
    if len(found) == len(numbers) == 1:
        yield from ((numbers[0], use) for use in ((ONLY, ALL, ONLY_OF) if is_of_one else (ONLY, ALL)))
    else:
        yield from ((number, ALL) for number in numbers)


def _list_outer_numbers(parsed: Any) -> set[str]:
    """List the numbers of records that stand in no other record, whose sender could have written them."""
    if isinstance(parsed, Mapping):
        record_numbers = {
            str(item).strip()
            for key, item in parsed.items()
            if has_key_word(key, ID_WORDS) and type(item) in (str, int)
        }
        return record_numbers or set[str]().union(*(map(_list_outer_numbers, parsed.values())))
    return set[str]().union(*map(_list_outer_numbers, parsed)) if isinstance(parsed, list | tuple) else set()


def is_answered_record(
    sketch: Sketch, number: str, is_list: Callable[[int], bool], wanted: Iterable[str] = (ONLY, ALL, ONLY_OF)
) -> bool:
    """Whether the user asked to answer a list, and a record is the only one in it, or one of a structure.

    Args:
        sketch: what the session has seen.
        number: as an argument has it.
        is_list: whether the source with this number lists what the call acts on (`is_list_of`).
        wanted: what the user may have said, of `ONLY`, `ALL` and `ONLY_OF`.
    """
    number = number.strip()
    source = _find_list(sketch, number, is_list)
    if source is None:
        return False
    forms = [Form("answered", number), *(Form("about", use) for use in wanted)]
    answered, *uses = fingerprint_forms(sketch.key, forms)
    find_mark = sketch.marks.get
    return any(find_mark(use, 0) & USER_BIT and find_mark(answered ^ use) == source for use in uses)


def _has_owners(sketch: Sketch, word: int) -> bool:
    """Whether a name or a topic has more than one owner in all lists together."""
    # Of each owner there are two marks that differ by the word: its own, and that of the two combined.
    return sum(mark ^ word in sketch.marks for mark in sketch.marks) > 2
