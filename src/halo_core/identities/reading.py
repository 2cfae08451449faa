"""Room: a file of events, read. Takes: a stream of bytes. Gives: events in order of time. Never: opens a file, a clock.

INVARIANT: nothing is half imported - the whole file is read and checked before anybody gets an event of it. What is
wrong is named by line and field.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from halo_core.errors import BadInput
from halo_core.identities.event import FIELDS, IdentityEvent, event_of
from halo_core.identities.ocsf import event_of_ocsf

__all__ = ["FORMATS", "MAX_EVENTS", "MAX_LINE", "Read", "Stream", "mapping_of", "read"]

FORMATS: Final = ("csv", "ocsf")
MAX_EVENTS: Final = 500_000
MAX_LINE: Final = 65_536
"""Bytes of one line: of a row, or of an event as JSON."""
MAX_ARRAY: Final = 64 * 1024 * 1024
"""Bytes of an array of events, which is read at once."""
_NEEDED: Final = ("time", "identity", "action")
_MOST_COLUMNS: Final = 1_000


class Stream(Protocol):
    """What is read of a file opened as bytes."""

    def readline(self, limit: int, /) -> bytes:
        """A line, or its start."""
        ...

    def read(self, limit: int, /) -> bytes:
        """What is left, or its start."""
        ...


@dataclass(frozen=True, slots=True)
class Read:
    """What a file held.

    Args:
        events: in order of time, equal ones beside each other.
        skipped: class of OCSF → events of it, which say nothing of what an identity did.
    """

    events: tuple[IdentityEvent, ...]
    skipped: Mapping[int, int] = field(default_factory=dict)


def read(stream: Stream, form: str, mapping: Mapping[str, str] | None = None, *, most: int = MAX_EVENTS) -> Read:
    """Every event of a file.

    Args:
        stream: the file's bytes.
        form: one of `FORMATS`.
        mapping: for CSV, our field → the file's column, where they differ.
        most: events at most.

    Raises:
        BadInput: with the line and field that are wrong.
    """
    if form not in FORMATS:
        raise BadInput("bad_format", f"`{form[:60]}` is no format", field="format", remedy="one of: csv, ocsf")
    if mapping and form != "csv":
        raise BadInput("bad_map", "only columns of a CSV file are mapped", field="map", remedy="leave `--map` out")
    skipped: Counter[int] = Counter()
    found: list[IdentityEvent] = []
    for event in _rows(stream, mapping or {}) if form == "csv" else _ocsf(stream, skipped):
        if len(found) >= most:
            remedy = f"at most {MAX_EVENTS:,} in one import: the later ones with `--add`"
            raise BadInput("too_many", "there are too many events", field="file", remedy=remedy)
        found.append(event)
    if not found:
        other = ", ".join(f"{number} of class {name}" for name, number in sorted(skipped.items()))
        what = f"no event can be used (skipped: {other})" if other else "there is no event"
        raise BadInput("no_events", what, field="file", remedy="check the file and `--format`")
    return Read(tuple(sorted(found)), dict(skipped))


def mapping_of(pairs: Iterable[str]) -> dict[str, str]:
    """`field=column` pairs.

    Raises:
        BadInput: one is none, names no field, or names one twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column or name not in FIELDS or name in found:
            raise BadInput(
                "bad_map",
                f"`{pair[:100]}` maps no field",
                field="map",
                remedy=f"FIELD=COLUMN, each field once; fields are {', '.join(FIELDS)}",
            )
        found[name] = column
    return found


def _lines(stream: Stream) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise _at(number, BadInput("too_long", f"the line is longer than {MAX_LINE:,} bytes", field="line"))
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise _at(
                number, BadInput("bad_text", "it is not UTF-8", field="line", remedy="save it as UTF-8")
            ) from None


def _rows(stream: Stream, mapping: Mapping[str, str]) -> Iterator[IdentityEvent]:
    rows = csv.reader((line for _, line in _lines(stream)), strict=True)
    columns: list[str] = []
    places: dict[str, int] = {}
    while True:
        try:
            row = next(rows, None)
        except csv.Error as exc:
            raise _at(rows.line_num, BadInput("bad_csv", f"{exc}", field="row", remedy="check its quotes")) from None
        if row is None:
            return
        if not row:
            continue
        if not columns:
            columns, places = row, _places(row, mapping)
            continue
        if len(row) != len(columns):
            what = f"it has {len(row)} values for {len(columns)} columns"
            raise _at(rows.line_num, BadInput("bad_row", what, field="row", remedy="check commas and quotes"))
        try:
            yield event_of({name: row[at] for name, at in places.items()})
        except BadInput as exc:
            raise _at(rows.line_num, exc) from None


def _places(header: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    columns = [name.strip() for name in header]
    told = f"columns are {', '.join(f'`{name[:60]}`' for name in columns[:20])}"
    if len(columns) > _MOST_COLUMNS or len(set(columns)) != len(columns):
        raise BadInput("bad_header", "a column is named twice, or there are too many", field="line 1", remedy=f"{told}")
    places = {}
    for name in FIELDS:
        column = mapping.get(name, name)
        if column in columns:
            places[name] = columns.index(column)
        elif name in mapping or name in _NEEDED:
            alone = len(columns) == 1 and any(mark in columns[0] for mark in ";\t|")
            remedy = f"separate columns by commas; {told}" if alone else f"`--map {name}=COLUMN`; {told}"
            raise BadInput("no_column", f"there is no column `{column[:60]}`", field=name, remedy=remedy)
    return places


def _ocsf(stream: Stream, skipped: Counter[int]) -> Iterator[IdentityEvent]:
    for place, plain in _objects(stream):
        try:
            event = event_of_ocsf(plain, skipped)
        except BadInput as exc:
            raise _at(place, exc) from None
        if event is not None:
            yield event


def _objects(stream: Stream) -> Iterator[tuple[int | str, Any]]:
    """Place and value of each event: one on each line, or all of them in one array."""
    first = True
    for number, line in _lines(stream):
        text = line.strip()
        if not text:
            continue
        if first and text.startswith("["):
            rest = stream.read(MAX_ARRAY + 1)
            if len(rest) > MAX_ARRAY:
                what = f"the array is longer than {MAX_ARRAY:,} bytes"
                raise BadInput("too_long", what, field="file", remedy="write one event on each line")
            yield from ((f"event {i + 1}", item) for i, item in enumerate(_json(number, text.encode() + rest)))
            return
        first = False
        yield number, _json(number, text)


def _json(number: int, text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise _at(number, BadInput("bad_json", f"not JSON: {exc}", field="line")) from None


def _at(place: int | str, error: BadInput) -> BadInput:
    at = f"line {place}" if isinstance(place, int) else place
    error.field = at if error.field in ("", "line", "row") else f"{at}, {error.field}"
    error.remedy = error.remedy or "mend it, or leave it out; nothing was imported"
    return error
