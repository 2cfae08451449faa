"""Files of events of identities, as CSV or as JSON of the OCSF: `read_events` reads and checks one.

INVARIANT: nothing is half imported - the whole file is read and checked before an event is returned. Errors name line
and field.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final, Protocol

import orjson

from halo_core.errors import BadInput
from halo_core.identities.event import FIELDS, IdentityEvent, parse_event
from halo_core.identities.ocsf import parse_ocsf_event
from halo_core.quick_dataclass import dataclass

FORMATS: Final = ("csv", "ocsf")
MAX_EVENTS: Final = 500_000
MAX_LINE: Final = 65_536
"""Bytes of one line: of a row, or of an event as JSON."""
MAX_ARRAY: Final = 64 * 1024 * 1024
"""Bytes of an array of events, which is read at once."""
_REQUIRED_FIELDS: Final = ("time", "identity", "action")
_MOST_COLUMNS: Final = 1_000


class ByteStream(Protocol):
    """The part of a binary file that is used here."""

    def readline(self, limit: int, /) -> bytes:
        """A line, or its start."""
        ...

    def read(self, limit: int, /) -> bytes:
        """What is left, or its start."""
        ...


@dataclass(frozen=True, slots=True)
class EventFile:
    """The events of a file.

    Args:
        events: in order of time, equal ones beside each other.
        skipped: class of OCSF → events of it, which say nothing of what an identity did.
    """

    events: tuple[IdentityEvent, ...]
    skipped: Mapping[int, int] = field(default_factory=dict)


def read_events(
    stream: ByteStream, form: str, mapping: Mapping[str, str] | None = None, *, most: int = MAX_EVENTS
) -> EventFile:
    """Read and check every event of a file.

    Args:
        stream: the file's bytes.
        form: one of `FORMATS`.
        mapping: for CSV, our field → the file's column, where they differ.
        most: events at most.

    Raises:
        BadInput: with the line and field that are wrong.
    """
    if form not in FORMATS:
        raise BadInput("bad_format", f"`{form[:60]}` is not a format", field="format", remedy="one of: csv, ocsf")
    if mapping and form != "csv":
        raise BadInput("bad_map", "only columns of a CSV file can be mapped", field="map", remedy="omit `--map`")
    skipped: Counter[int] = Counter()
    events: list[IdentityEvent] = []
    for event in _read_csv(stream, mapping or {}) if form == "csv" else _read_ocsf(stream, skipped):
        if len(events) >= most:
            remedy = f"import at most {MAX_EVENTS:,} at once, and the rest with `--add`"
            raise BadInput("too_many", "there are too many events", field="file", remedy=remedy)
        events.append(event)
    if not events:
        skipped_classes = ", ".join(f"{number} of class {name}" for name, number in sorted(skipped.items()))
        message = f"no event is usable (skipped: {skipped_classes})" if skipped_classes else "there is no event"
        raise BadInput("no_events", message, field="file", remedy="check the file and `--format`")
    return EventFile(tuple(sorted(events)), dict(skipped))


def parse_column_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Parse `field=column` pairs.

    Raises:
        BadInput: one is none, names no field, or names one twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column or name not in FIELDS or name in mapping:
            remedy = f"FIELD=COLUMN, each field once; fields are {', '.join(FIELDS)}"
            raise BadInput("bad_map", f"`{pair[:100]}` is not a mapping of a field", field="map", remedy=remedy)
        mapping[name] = column
    return mapping


def _read_lines(stream: ByteStream) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            problem = f"the line is longer than {MAX_LINE:,} bytes"
            raise _locate_error(number, BadInput("too_long", problem, field="line"))
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            error = BadInput("bad_text", "it is not UTF-8", field="line", remedy="save it as UTF-8")
            raise _locate_error(number, error) from None


def _read_csv(stream: ByteStream, mapping: Mapping[str, str]) -> Iterator[IdentityEvent]:
    rows = csv.reader((line for _, line in _read_lines(stream)), strict=True)
    columns: list[str] = []
    places: dict[str, int] = {}
    while True:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            error = BadInput("bad_csv", f"{exc}", field="row", remedy="check its quotes")
            raise _locate_error(rows.line_num, error) from None
        if row is None:
            return
        if not row:
            continue
        if not columns:
            columns, places = row, _locate_columns(row, mapping)
            continue
        if len(row) != len(columns):
            message = f"it has {len(row)} values for {len(columns)} columns"
            error = BadInput("bad_row", message, field="row", remedy="check commas and quotes")
            raise _locate_error(rows.line_num, error)
        try:
            yield parse_event({name: row[index] for name, index in places.items()})
        except BadInput as exc:
            raise _locate_error(rows.line_num, exc) from None


def _locate_columns(header: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    columns = [name.strip() for name in header]
    columns_text = f"columns are {', '.join(f'`{name[:60]}`' for name in columns[:20])}"
    if len(columns) > _MOST_COLUMNS or len(set(columns)) != len(columns):
        problem = "a column name occurs twice, or there are too many columns"
        raise BadInput("bad_header", problem, field="line 1", remedy=columns_text)
    places = {}
    for name in FIELDS:
        column = mapping.get(name, name)
        if column in columns:
            places[name] = columns.index(column)
        elif name in mapping or name in _REQUIRED_FIELDS:
            alone = len(columns) == 1 and any(mark in columns[0] for mark in ";\t|")
            first = "separate columns with commas" if alone else f"`--map {name}=COLUMN`"
            remedy = f"{first}; {columns_text}"
            raise BadInput("no_column", f"there is no column `{column[:60]}`", field=name, remedy=remedy)
    return places


def _read_ocsf(stream: ByteStream, skipped: Counter[int]) -> Iterator[IdentityEvent]:
    for place, record in _read_objects(stream):
        try:
            event = parse_ocsf_event(record, skipped)
        except BadInput as exc:
            raise _locate_error(place, exc) from None
        if event is not None:
            yield event


def _read_objects(stream: ByteStream) -> Iterator[tuple[int | str, Any]]:
    """Place and value of each event: one on each line, or all of them in one array."""
    first = True
    for number, line in _read_lines(stream):
        text = line.strip()
        if not text:
            continue
        if first and text.startswith("["):
            tail = stream.read(MAX_ARRAY + 1)
            if len(tail) > MAX_ARRAY:
                message = f"the array is longer than {MAX_ARRAY:,} bytes"
                raise BadInput("too_long", message, field="file", remedy="write one event on each line")
            yield from ((f"event {i + 1}", item) for i, item in enumerate(_parse_json(number, text.encode() + tail)))
            return
        first = False
        yield number, _parse_json(number, text)


def _parse_json(number: int, text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise _locate_error(number, BadInput("bad_json", f"not JSON: {exc}", field="line")) from None


def _locate_error(place: int | str, error: BadInput) -> BadInput:
    location = f"line {place}" if isinstance(place, int) else place
    error.field = location if error.field in ("", "line", "row") else f"{location}, {error.field}"
    error.remedy = error.remedy or "correct or remove it; nothing was imported"
    return error
