"""The log in forms that other programs read: one JSON document a line, and CSV for samples and spreadsheets.

    for line in iter_jsonl(room, period): ...
    for line in iter_csv(room, DecisionFilter(period)): ...

Both are streams. They carry references in place of names of people and sessions, unless the room's reader opens names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from halo_core.clock import format_iso
from halo_core.evidence.answers import Period
from halo_core.evidence.room import Action, DecisionFilter, QueryRoom

COLUMNS: Final = (
    "position", "id", "time", "tenant", "session", "agent", "person", "chain", "kind", "resource", "system", "impact",
    "labels", "effect", "reasons", "rules", "ran", "outcome", "mode", "policy", "passports", "arguments", "host",
    "process", "approver", "trace",
)  # fmt: skip
"""Titles of the CSV, in order."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters by which a spreadsheet may take a cell for a formula (CWE-1236), full-width ones among them."""
_BLANKS: Final = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\u200b\u2060\ufeff"
"""What a spreadsheet may drop from the start of a cell."""


def iter_jsonl(room: QueryRoom, period: Period) -> Iterator[bytes]:
    """Every entry of a period, whole, as a JSON document a line, in log order.

    Args:
        room: of the log.
        period: when.

    Raises:
        Tampered: an entry cannot be read.
        NotVerified: the log is not whole.
    """
    for row in room.entries((), period):
        note = room.reader.note_at_index(room.tenant, row.index)
        if note is not None:
            entry = room.reader.read_note(row.index, note).entry
            yield orjson.dumps({"index": row.index, **entry.to_json()}) + b"\n"


def iter_csv(room: QueryRoom, wanted: DecisionFilter) -> Iterator[str]:
    """Decisions with the outcome of their actions as lines of CSV (RFC 4180), the titles first.

    Every cell is quoted. One that a spreadsheet could take for a formula begins with an apostrophe instead.

    Args:
        room: of the log.
        wanted: which decisions.

    Raises:
        Tampered: an entry cannot be read.
        NotVerified: the log is not whole.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for action in room.actions(wanted):
        yield _take(text)
        row = describe_action(room, action)
        writer.writerow([make_cell(row[name]) for name in COLUMNS])
    yield _take(text)


def _take(text: io.StringIO) -> str:
    line = text.getvalue()
    text.seek(0)
    text.truncate()
    return line


def make_cell(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    is_formula = text.startswith(_FORMULA_STARTS) or text.lstrip(_BLANKS).startswith(_FORMULA_STARTS)
    return f"'{text}" if is_formula else text


def describe_action(room: QueryRoom, action: Action) -> dict[str, Any]:
    """What is exported of a decision and its outcome: the values of `COLUMNS`."""
    decision, outcome = action
    origin: Mapping[str, Any] = decision.host.get("origin", {})
    approval = decision.approval or {}
    return {
        "position": decision.index,
        "id": decision.id,
        "time": format_iso(decision.ts_us),
        "tenant": room.tenant,
        "session": decision.session,
        "agent": decision.agent,
        "person": room.name_of(decision.user),
        "chain": [room.name_of(name) for name in decision.acting],
        "kind": decision.kind,
        "resource": decision.resource,
        "system": decision.system,
        "impact": decision.impact,
        "labels": list(decision.labels),
        "effect": decision.effect,
        "reasons": list(decision.reasons),
        "rules": [rule for rule in decision.rules if rule],
        "ran": action.ran,
        "outcome": None if outcome is None else outcome.status,
        "mode": decision.host.get("mode", ""),
        "policy": decision.host.get("policy", ""),
        "passports": list(decision.chain),
        "arguments": decision.args_digest,
        "host": origin.get("host", ""),
        "process": origin.get("process", ""),
        "approver": room.name_of(str(approval.get("approver", ""))) if approval else None,
        "trace": decision.trace,
    }
