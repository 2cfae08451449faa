"""An entry before and after it was appended, and small encodings of columns."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from halo_core.model import EntryKind, LedgerEntry


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place.

    Args:
        kind: of the entry.
        session: it belongs to, empty for housekeeping.
        body: canonical tree.
        content: fields to seal, name → bytes.
        subject: whose they are.
        run: of a decision that lets its action run, the key from `Transaction.make_run_key`; else empty.
        settles: of an outcome, the (writer, sequence) of its decision.
        paused: of an outcome, the action paused and may run once more.
        ts_us: its time, microseconds since the epoch; 0 asks the clock.
    """

    kind: EntryKind
    session: str
    body: Mapping[str, Any]
    content: Mapping[str, bytes] = field(default_factory=dict)
    subject: str = ""
    run: bytes = b""
    settles: tuple[str, int] | None = None
    paused: bool = False
    ts_us: int = 0


@dataclass(frozen=True, slots=True)
class AppendedEntry:
    """An entry that was appended (durable only when the transaction commits)."""

    entry: LedgerEntry
    leaf: bytes


def encode_leaf(leaf: bytes) -> str:
    """A leaf hash as entries write it."""
    return base64.b64encode(leaf).decode("ascii")
