"""Parses lines with one event each: JSON of the OCSF, or an object with the fields of an event (`time`, ...).

A line that is not an event is reported with its number and field, and reading goes on with the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

import orjson

from halo_core.errors import BadInput
from halo_core.identities.event import FIELDS, IdentityEvent, parse_event
from halo_core.identities.event_file import MAX_LINE
from halo_core.identities.ocsf import parse_ocsf_event
from halo_core.quick_dataclass import dataclass

_OCSF_MARK: Final = "class_uid"
_REMEDY: Final = "correct the source; the line was left out, and the next ones were read"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event.

    Args:
        number: number of the line in its source, from 1.
        field: what is wrong in it.
        problem: the problem in words, with at most 60 characters of the line.
        code: what kind of mistake it is.
    """

    number: int
    field: str
    problem: str
    code: str

    def describe(self) -> str:
        """The mistake in one line."""
        where = f"line {self.number}" + (f", {self.field}" if self.field and self.field != "line" else "")
        return f"{where}: {self.problem}"


@dataclass(slots=True)
class ParsedLines:
    """The content of lines.

    Args:
        events: events in the order of the lines, with the number of each line.
        bad: lines that are no events.
        skipped: class of OCSF → lines of it, which say nothing of what an identity did.
    """

    events: list[tuple[int, IdentityEvent]] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    skipped: Counter[int] = field(default_factory=Counter)

    def add_line(self, number: int, line: bytes) -> None:
        """Take one line."""
        if not line.strip():
            return
        try:
            event = parse_line(line, self.skipped)
        except BadInput as exc:
            self.bad.append(BadLine(number, exc.field, exc.message, exc.code))
            return
        if event is not None:
            self.events.append((number, event))


def parse_line(line: bytes, skipped: Counter[int]) -> IdentityEvent | None:
    """Parse one line; None, counted in `skipped`, for an OCSF event of another class.

    Raises:
        BadInput: `field` is what is wrong.
    """
    if len(line) > MAX_LINE:
        raise BadInput("too_long", f"it is longer than {MAX_LINE:,} bytes", field="line", remedy=_REMEDY)
    try:
        record = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as exc:
        raise BadInput("bad_json", f"it is not JSON: {exc}", field="line", remedy=_REMEDY) from None
    return parse_record(record, skipped)


def parse_record(record: Any, skipped: Counter[int]) -> IdentityEvent | None:
    """Parse one event that is given as a mapping; see `parse_line`."""
    if not isinstance(record, Mapping):
        raise BadInput("bad_event", "an object is expected", field="line", remedy=_REMEDY)
    if _OCSF_MARK in record:
        return parse_ocsf_event(record, skipped)
    texts = {}
    for name in FIELDS:
        value = record.get(name)
        if value is None:
            continue
        if type(value) not in (str, int):
            raise BadInput("bad_text", "a text or a whole number is expected", field=name, remedy=_REMEDY)
        texts[name] = str(value)
    return parse_event(texts)


def parse_records(records: Iterable[Any]) -> ParsedLines:
    """Parse events that a program has: mappings as of `parse_line`, `IdentityEvent`s, or JSON texts."""
    parsed = ParsedLines()
    for number, record in enumerate(records, 1):
        if isinstance(record, IdentityEvent):
            parsed.events.append((number, record))
        elif isinstance(record, str | bytes):
            parsed.add_line(number, record.encode() if isinstance(record, str) else record)
        else:
            try:
                event = parse_record(record, parsed.skipped)
            except BadInput as exc:
                parsed.bad.append(BadLine(number, exc.field, exc.message, exc.code))
                continue
            if event is not None:
                parsed.events.append((number, event))
    return parsed
