"""Records (mails, tickets, messages) in a list that an untrusted source returned: who sent each, and its topics.

    find_records("m-8812 | ana@x.example | Parking lot")
    # {"m-8812": Record(addresses=("ana@x.example",), names=("ana",), topics=("parking",))}

INVARIANT: VOUCH - a sender chooses the name that is displayed, so beside an address a name counts only if it is part
of the address. A mail's body can contain what looks like a row, so rows count only at the beginning of a text, below
at most one heading, and only for a number that stands nowhere else in the text.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile, zip_longest
from typing import Any, Final, NamedTuple

from halo_core.values.kinds.addresses import canonicalize_email, find_registrable_domain, looks_like_domain
from halo_core.values.kinds.yaml_items import read_items
from halo_core.values.language.lexicon import COMMON_NAME_PARTS, STOP_WORDS, is_task_word
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.topics import (
    LAST,
    MAX_ORDINAL,
    NUMBERED_NAME,
    is_describing,
    is_short_topic,
    is_topic,
)

MAX_READ: Final = 65_536  # characters
_MAX_LITERAL: Final = 16_384  # characters of a Python literal
MAX_RECORDS: Final = 64
_MAX_DEPTH: Final = 4
MAX_NUMBER: Final = 64  # characters
_MIN_NAME: Final = 3  # letters
_MAX_NAMES: Final = 5
_NO_NAMES: Final = STOP_WORDS | COMMON_NAME_PARTS

ID_WORDS: Final = frozenset("id ids no nr number num ref uid uuid key ts".split())
_SENDER_WORDS: Final = frozenset(
    "from sender author by user username reporter customer client requester organizer organiser creator poster owner "
    "von de van od da".split()
)
_PERSON_KEYS: Final = frozenset(
    "name fullname applicant candidate participant attendee student pupil member guest patient respondent".split()
)
_AMOUNT_WORDS: Final = frozenset(("amount", "betrag", "montant"))
_KEY_WORD: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ADDRESS: Final = compile_later(r"[^\s@<>(),;:\"\[\]'`|]{1,64}@[\w.-]{1,128}\w")
_ROW_START: Final = compile_later(
    r"[ \t]*(?:[-*•][ \t]*)?[\[(#]?"
    r"(?:(?:id_?|mail|e-?mail|message|msg|thread|ticket|case|no|nr|ref|number)\b[ \t]*[:=#.]?[ \t]*)?"
    r"[\"'#]?(?P<id>(?=[\w.-]{0,63}[0-9])[\w.-]{1,64})[\"']?(?P<end>[\])]?[ \t]*[|,;:\])\t]|[ \t]|$)",
    re.IGNORECASE,
)
_LABEL: Final = compile_later(
    r"(?:^|[|,;\t])[ \t]*[\"']?(?:from|sender|author|by|von|de|van|od|da)[\"']?[ \t]*[:=][ \t]*", re.IGNORECASE
)
_SENT_WORDS: Final = frozenset(
    "body comment content description message note notes question reason remark subject summary text title".split()
)
"""Words of fields that hold text of the sender."""
_CELL_END: Final = compile_later(r"[|;\t\n]|, *(?=[A-Za-z_ ]{1,24}[:=])")
_CHAT_SPEAKER: Final = compile_later(r"[ \t]*@?(?P<name>[^\W\d_][\w.-]{1,31}(?: [^\W\d_][\w.-]{1,31})?)[ \t]*:")
_CELL: Final = compile_later(r"[|;\t]")
_CELL_OR_COLON: Final = compile_later(r"[|;\t]|: ")
_FIRST_CELL_END: Final = compile_later(r"[|;,\t:\n]| {2}")
_FULL_NAME: Final = compile_later(r"[^\W\d_][\w.'’-]{1,31}(?: [^\W\d_][\w.'’-]{0,31}){1,2}")
_MAX_COLUMNS: Final = 8
_DISPLAYED: Final = compile_later(r"[A-ZÀ-Þ][^\W\d_.]+(?: [A-ZÀ-Þ][^\W\d_]*\.?){0,2}|[A-ZÀ-Þ]\. [A-ZÀ-Þ][^\W\d_]+")
_AS_SHORT_AS_NAME: Final = compile_later(r"[^\W\d_](?:[\w&.,'’-]| (?! )){1,40}(?<=\w)")
_NAME_AND_TEXT: Final = 2  # cells
_MIN_COLUMN: Final = 2  # rows that show that a column holds names
_LETTERS: Final = compile_later(r"[^\W\d_]+")
_NAME: Final = compile_later(r"[^\W_]+")
_WORD: Final = compile_later(r"[\w.-]+")
_SUBJECT_WORDS: Final = frozenset(
    "subject title topic summary betreff objet sujet asunto oggetto assunto onderwerp".split()
)
_SUBJECT: Final = compile_later(
    rf"[ \t]*[\"']?(?:{'|'.join(sorted(_SUBJECT_WORDS))})[\"']?[ \t]*[:=](.*)", re.IGNORECASE
)
_MAX_SENDER: Final = 256  # characters
_MAX_TOPICS: Final = 6


class Record(NamedTuple):
    """Who sent a record, and what it is about.

    Args:
        addresses: canonical e-mail addresses, at most one.
        names: words of the sender's name, in small letters; with an address those that stand in it as well.
        topics: words of its subject, in small letters.
        is_displayed: its sender is one word of a column that each sender may have filled in.
        is_payment: it has an amount.
    """

    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    is_displayed: bool = False
    is_payment: bool = False


Parties = frozenset[tuple[str, ...]]
"""Names (each as its words in small letters) for which a list was requested."""
Owners = dict[tuple[str, str], set[str]]
"""(`name` or `about`, word) → the senders with this name, or the numbers of the records with this topic."""


def find_records(
    text: str, *, is_named_list: bool = False, own_domain: str = "", parties: Parties = frozenset()
) -> dict[str, Record]:
    """Find the number of each record in a text whose sender or subject is certain, and the record.

    Args:
        text: what an untrusted source returned.
        is_named_list: the source's name says that it lists records (`names_list`). The text of any other source
            may have been written by one sender, so places in the list and a column of names do not count there.
        own_domain: mail domain of the user. A sender with a domain that only resembles it gets no name.
        parties: people whose records the call asked for, by the user's own words. A row that begins with one of
            these names is a record of that sender.
    """
    return read_list(text, is_named_list=is_named_list, own_domain=own_domain, parties=parties)[0]


def read_list(text: str, *, is_named_list: bool, own_domain: str, parties: Parties) -> tuple[dict[str, Record], Owners]:
    """Read the records of a text that are certain, and the owners of each name and topic in it, certain or not."""
    text = text[:MAX_READ]
    records: dict[str, Record] = {}
    ambiguous = set[str]()
    owners: Owners = defaultdict(set)
    found = list(islice(iterate_records(text, is_named_list=is_named_list, parties=parties), MAX_RECORDS))
    for number, record in _add_places(found) if is_named_list else found:
        if own_domain and any(looks_like_domain(item.partition("@")[2], own_domain) for item in record.addresses):
            record = record._replace(names=())  # noqa: PLW2901
        if is_named_list and any(map(str.isalpha, number)):
            record = record._replace(topics=(*record.topics, number.casefold()))  # noqa: PLW2901
        if records.setdefault(number, record) != record:
            ambiguous.add(number)
        # Anybody may display a name of several words, or the one that was asked for; a handle is the system's.
        is_handle = len(record.names) == 1 and not (record.is_displayed or _is_asked_for(record.names[0], parties))
        owner = " ".join(record.addresses or (*record.names, *(() if is_handle else (number,))))
        for name in record.names:
            owners["name", name].add(owner)
        for topic in record.topics:
            owners["about", topic].add(number)
    certain = {
        number: Record(
            record.addresses,
            tuple(name for name in record.names if len(owners["name", name]) == 1),
            tuple(topic for topic in record.topics if len(owners["about", topic]) == 1),
            is_payment=record.is_payment,
        )
        for number, record in records.items()
        if number not in ambiguous and record != Record()
    }
    return certain, owners


def _add_places(records: Sequence[tuple[str, Record]]) -> Iterator[tuple[str, Record]]:
    """Add the places by which the first records of a list, and its last one, can be named."""
    for place, (number, record) in enumerate(records, start=1):
        places = [str(place)] if len(records) > 1 and place <= MAX_ORDINAL else []
        if 1 < len(records) == place:
            places.append(LAST)
        yield number, record._replace(topics=(*record.topics, *places))


def iterate_records(text: str, *, is_named_list: bool, parties: Parties = frozenset()) -> Iterator[tuple[str, Record]]:
    """Iterate over the numbers and records of a text, whose senders and subjects may be uncertain.

    Args:
        text: what an untrusted source returned.
        is_named_list: as in `find_records`.
        parties: as in `find_records`.
    """
    parsed = parse_structure(text)
    if parsed is not None:
        yield from _walk(parsed, 0)
        return
    items = read_items(text) if is_named_list else []
    if items:
        yield from _iter_items(text, items)
        return
    lines = text.split("\n")
    starts = [i for i, line in enumerate(lines) if _ROW_START.match(line) is not None]
    if not starts and is_named_list:
        yield from _iter_chat_lines(lines)
    if not starts or not _begins_list(lines[: starts[0]]):
        return
    times = Counter(word.strip(".-") for word in _WORD.findall(text))
    matches = [match for i in starts if (match := _ROW_START.match(lines[i])) is not None]
    rows = [match.string[match.end() :] for match in matches]
    column = _find_column_of_names(rows) if is_named_list else -1
    displays = is_named_list and column < 0 and _display_names(rows)
    word_counts = Counter(map(str.casefold, _NAME.findall(text))) if displays else Counter[str]()
    for match, start, end in zip(matches, starts, [*starts[1:], len(lines)], strict=True):
        rest = lines[start][match.end() :]
        record = _read_row(rest, match["end"], column, parties) if rest.strip() else _read_block(lines[start + 1 : end])
        if displays and not (record.names or record.addresses):
            record = _read_displayed(rest, record, word_counts)
        number = match["id"].rstrip(".-")
        # Whoever wrote a part of the text can write a row for a number that stands elsewhere in it.
        if times[number] == 1:
            yield number, record


def _iter_items(text: str, items: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, Record]]:
    """Read the items of a list in YAML; none of them if the number of any stands somewhere else as well."""
    times = Counter(word.strip(".-") for word in _WORD.findall(text))
    records = list(_walk(items, 0))
    if all(times[number] == 1 for number, _ in records):
        yield from records


def _iter_chat_lines(lines: Sequence[str]) -> Iterator[tuple[str, Record]]:
    """Read the lines of a chat without record numbers: `bram: how far is it?`."""
    for place, line in enumerate(lines):
        speaker = _CHAT_SPEAKER.match(line)
        if speaker is not None:
            record = _read_sender(speaker["name"])
            yield f"line {place}", record._replace(topics=_read_topics(line[speaker.end() :]))


def _find_column_of_names(rows: Sequence[str]) -> int:
    """Find the only column with first and last names in most rows; -1 if none does, or two do.

    In one cell alone, such words could be a subject, which the sender chooses.
    """
    table = [[cell.strip() for cell in _CELL.split(row)[:_MAX_COLUMNS]] for row in rows]
    if len(table) < _MIN_COLUMN:
        return -1
    named = [sum(map(_is_full_name, cells)) for cells in zip_longest(*table, fillvalue="")]
    columns = [i for i, count in enumerate(named) if 2 * count >= len(table)]
    is_certain = len(columns) == 1 and named[columns[0]] >= _MIN_COLUMN and 3 * named[columns[0]] >= 2 * len(table)
    return columns[0] if is_certain else -1


def _display_names(rows: Sequence[str]) -> bool:
    """Whether rows consist of a name and a text, like those of messages.

    In most rows the first cell is a name, in the others something as short ("Kies & Co"). Most texts have several
    words, and none is a full name.
    """
    table = [[cell.strip() for cell in _CELL.split(row)] for row in rows]
    if len(rows) < _MIN_COLUMN or any(len(cells) != _NAME_AND_TEXT for cells in table):
        return False
    named = sum(_DISPLAYED.fullmatch(name) is not None for name, _ in table)
    rows_with_text = sum(" " in text for _, text in table)
    is_short = all(_AS_SHORT_AS_NAME.fullmatch(name) is not None for name, _ in table)
    is_sender_behind = any(_FULL_NAME.fullmatch(text) is not None for _, text in table)
    return is_short and not is_sender_behind and 2 * named >= len(table) and 2 * rows_with_text >= len(table)


def _read_displayed(rest: str, record: Record, word_counts: Mapping[str, int]) -> Record:
    """Add the name in the first cell of a row to a record, if the name stands nowhere else in the text.

    Anybody may display a name. A name that somebody else mentions too counts for nobody.

    Args:
        rest: of the row, behind its number.
        record: as it is known without that.
        word_counts: how often the text contains each word, in small letters.
    """
    name = _CELL.split(rest)[0].strip()
    sender = _read_sender(name) if _DISPLAYED.fullmatch(name) is not None else Record()
    if not sender.names or any(word_counts[name] > 1 for name in sender.names):
        return record
    return sender._replace(topics=record.topics, is_displayed=True)


def _is_full_name(cell: str) -> bool:
    return _FULL_NAME.fullmatch(cell) is not None and all(word[0].isupper() for word in cell.split())


def _begins_list(lines: Sequence[str]) -> bool:
    """Whether the lines in front of the first row are a list's heading. Behind a header or prose follows a body."""
    heading = [line for line in lines if line.strip()]
    return len(heading) <= 1 and not any("@" in line or _LABEL.search(line) for line in heading)


def parse_structure(text: str) -> Any:
    """Parse a text that is JSON, lines of it, or a Python literal; None for other texts."""
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return None
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in stripped.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(stripped) if len(stripped) <= _MAX_LITERAL else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _walk(value: Any, depth: int) -> Iterator[tuple[str, Record]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        numbers = [str(item) for key, item in value.items() if has_key_word(key, ID_WORDS) and type(item) in (str, int)]
        senders = [
            item for key, item in value.items() if has_key_word(key, _SENDER_WORDS) and not has_key_word(key, ID_WORDS)
        ]
        senders = senders or [item for key, item in value.items() if _is_person_key(key)]
        subjects = [item for key, item in value.items() if has_key_word(key, _SUBJECT_WORDS) and isinstance(item, str)]
        if numbers and len(numbers[0]) <= MAX_NUMBER:
            parts = [] if len(senders) != 1 else senders[0].values() if isinstance(senders[0], Mapping) else senders
            sender = _read_sender(" ".join(part for part in parts if isinstance(part, str))[:_MAX_SENDER])
            is_payment = any(has_key_word(key, _AMOUNT_WORDS) for key in value)
            topics = _read_topics(" ".join(subjects), is_payment=is_payment)
            record = sender._replace(
                topics=(*topics, *_list_numbered_names(_list_short_fields(value))), is_payment=is_payment
            )
            yield numbers[0].strip(), record
        for item in value.values():
            if not (numbers and isinstance(item, Mapping)):  # a field of a record may hold what its sender wrote
                yield from _walk(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item, depth + 1)


def _is_person_key(key: Any) -> bool:
    """Whether a field holds the name of the person that a record is about: an applicant, somebody who signed up."""
    return isinstance(key, str) and key.lower().replace("_", "") in _PERSON_KEYS


def has_key_word(key: Any, words: Iterable[str]) -> bool:
    """Whether one of these words stands in a key of a record: "id" in `ticketId`."""
    return isinstance(key, str) and not {word.lower() for word in _KEY_WORD.findall(key[:64])}.isdisjoint(words)


def _read_row(rest: str, sign: str, column: int, parties: Parties) -> Record:
    """Read the sender and the subject in a row of a list.

    The sender stands behind a label, in the only cell with an address, in the column of names, or in front of a colon
    in a chat. In a list that was asked for by a sender, it stands in the cell with that name. The other cells are the
    subject.
    """
    party = _find_party(rest, parties)
    if party:
        return _read_sender(party)._replace(topics=_read_topics(rest))
    cells = f"|{rest}" if sign.strip() in ("|", ",", ";") else rest
    label = _LABEL.search(cells)
    sender = ""
    if label is not None:
        sender = _CELL_END.split(cells[label.end() :], maxsplit=1)[0]
    else:
        addressed = [cell for cell in _CELL_END.split(rest) if "@" in cell and _ADDRESS.search(cell) is not None]
        speaker = _CHAT_SPEAKER.match(rest) if not addressed and sign.strip()[:1] in ("]", ")") else None
        sender = addressed[0] if len(addressed) == 1 else speaker["name"] if speaker is not None else ""
        if column >= 0 and "@" not in rest and not sender:
            cell = "".join(_CELL.split(rest)[column : column + 1]).strip()
            sender = cell if _is_full_name(cell) else ""
    topics = (*_read_topics(rest.replace(sender, " ", 1)), *_list_numbered_names(_CELL_OR_COLON.split(rest)))
    return _read_sender(sender)._replace(topics=topics)


def _list_short_fields(record: Mapping[Any, Any]) -> Iterator[Any]:
    """List the fields of a record that hold no words of its sender."""
    return (item for key, item in record.items() if not has_key_word(key, _SENT_WORDS))


def _list_numbered_names(cells: Iterable[Any]) -> tuple[str, ...]:
    """List the first name with a number that fills a cell, in small letters: `birkenallee 3`.

    A further one may be what somebody wrote about another record.
    """
    texts = (cell.strip() for cell in cells if isinstance(cell, str) and len(cell) <= _MAX_SENDER)
    return tuple(islice((text.casefold() for text in texts if NUMBERED_NAME.fullmatch(text) is not None), 1))


def _is_asked_for(name: str, parties: Parties) -> bool:
    return any(name in party for party in parties)


def _find_party(rest: str, parties: Parties) -> str:
    """Find the words at the beginning of a row by which the list was asked for.

    None if its first cell has an address.
    """
    if not parties or "@" in rest:
        return ""
    words = [word.casefold() for word in _NAME.findall(_FIRST_CELL_END.split(rest.lstrip(" \t|,;:])"), maxsplit=1)[0])]
    return next((" ".join(party) for party in parties if tuple(words[: len(party)]) == party), "")


def _read_block(lines: list[str]) -> Record:
    """Read the sender and the subject of a record of several lines, in front of its first blank line."""
    head = list(takewhile(str.strip, lines))
    senders = [line.strip()[match.end() :] for line in head if (match := _LABEL.match(line.strip())) is not None]
    subjects = [match[1] for line in head if (match := _SUBJECT.match(line)) is not None]
    sender = _read_sender(senders[0]) if len(senders) == 1 else Record()
    return sender._replace(topics=_read_topics(" ".join(subjects)))


def _read_topics(text: str, *, is_payment: bool = False) -> tuple[str, ...]:
    words = dict.fromkeys(word.casefold() for word in _LETTERS.findall(text[:_MAX_SENDER]))
    may_name = is_describing if is_payment else is_topic
    return tuple(islice((word for word in words if may_name(word) or is_short_topic(word)), _MAX_TOPICS))


def _read_sender(text: str) -> Record:
    """Read a sender as a list shows it: a name, an address, or both."""
    text = text[:_MAX_SENDER]
    if NUMBERED_NAME.fullmatch(text.strip()) is not None:
        return Record()  # one of several that are called so, whom the name and the number name together
    found = {canonicalize_email(match) for match in _ADDRESS.findall(text)} - {None}
    if len(found) > 1 or ("@" in text and not found):
        return Record()
    words = [word.casefold() for word in _NAME.findall(_ADDRESS.sub(" ", text))]
    addresses = tuple(address for address in found if address is not None)
    if addresses:
        words = [
            word for word in [*words, *_NAME.findall(addresses[0].partition("@")[0])] if _has_name(addresses[0], word)
        ]
        words.append(find_registrable_domain(addresses[0].partition("@")[2]).partition(".")[0])
    names = [
        word
        for word in dict.fromkeys(words)
        if len(word) >= _MIN_NAME and word not in _NO_NAMES and not word.isdigit() and not is_task_word(word)
    ]
    return Record(addresses, tuple(names[:_MAX_NAMES]))


def _has_name(address: str, word: str) -> bool:
    """Whether a word begins or ends a part of an address in front of its `@`, or is the name of its site."""
    local, _, host = address.partition("@")
    parts = (*_LETTERS.findall(local), *_NAME.findall(local))
    if any(part.startswith(word) or part.endswith(word) for part in parts):
        return True
    return word == find_registrable_domain(host).partition(".")[0]
