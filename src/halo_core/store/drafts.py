"""An entry before and after it is appended, and its row on the way into the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.failpoints import ARMED, hit_failpoint
from halo_core.model import Actor, EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass

OPEN_KINDS: Final = (
    EntryKind.WRITER_OPEN,
    EntryKind.WRITER_CLOSE,
    EntryKind.SHADOW,
    EntryKind.FEEDBACK,
    EntryKind.ACKNOWLEDGEMENT,
    EntryKind.ACCESS,
    EntryKind.DRILL,
    EntryKind.POLICY,
    EntryKind.PROFILE,
    EntryKind.CONTROL_WAIVER,
    EntryKind.INCIDENT,
    EntryKind.REPORT,
)
"""Kinds of entries without a session that do not affect decisions of other writers."""
VERSIONED_KINDS: Final = frozenset(
    (EntryKind.LIFT, EntryKind.MODE, EntryKind.POLICY, EntryKind.REVOCATION, EntryKind.STOP)
)
"""Kinds of entries, each with an actor, that set the version of the control row."""

SealedFields = tuple[tuple[str, Mapping[str, bytes]], ...]
"""Fields to seal for each of several subjects: (reference, name → bytes)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry without a place in the log yet.

    Args:
        kind: kind of the entry.
        session: session that it belongs to, empty for housekeeping.
        body: canonical tree.
        content: fields to seal, name → bytes.
        subject: reference of the person or session that the fields belong to.
        others: fields of further subjects, (reference, name → bytes); those of an erased subject are left out.
        actor: who caused a control entry; None if the writing process did.
        run: the key from `Transaction.make_run_key`, for a decision that lets its action run; else empty.
        settles: for an outcome, the (writer, sequence) of its decision.
        paused: for an outcome, whether the action paused and may run once more.
        ts_us: its time, microseconds since the epoch; 0 asks the clock.
        key: for a unique entry, the key that the table refuses a second time; else empty.
    """

    kind: EntryKind
    session: str
    body: Mapping[str, Any]
    content: Mapping[str, bytes] = field(default_factory=dict)
    subject: str = ""
    others: SealedFields = ()
    actor: Actor | None = None
    run: bytes = b""
    settles: tuple[str, int] | None = None
    paused: bool = False
    ts_us: int = 0
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class AppendedEntry:
    """An entry that was appended (durable only when the transaction commits)."""

    entry: LedgerEntry
    leaf: bytes


def list_sealed_names(draft: Draft) -> tuple[str, ...]:
    """Names of all sealed fields, sorted."""
    return tuple(sorted({*draft.content, *(name for _, fields in draft.others for name in fields)}))


EntryRow = tuple[Any, ...]
"""Values of the columns of `entry`, in their order."""

_COLUMNS: Final = 13
_VALUES: Final = f"({','.join('?' * _COLUMNS)})"
_SIZES: Final = (16, 2, 1)
_STATEMENTS: Final = {size: f"INSERT INTO entry VALUES {','.join([_VALUES] * size)}" for size in _SIZES}  # noqa: S608
INSERT_ENTRY: Final = _STATEMENTS[1]


class EntryRows:
    """Appended rows not inserted yet, in order.

    An outcome and the decision after it usually share a transaction, and so one statement. Only for SQLite: the engine
    for PostgreSQL keeps back every statement (`Engine.write`).

    Args:
        insert: runs a statement that must insert as many rows as it says, and raises where it does not.

    Attributes:
        waiting: the rows.
    """

    __slots__ = ("_insert", "waiting")

    def __init__(self, insert: Callable[[str, EntryRow, int], None]) -> None:
        self._insert = insert
        self.waiting: list[EntryRow] = []

    def write(self) -> None:
        """Insert all waiting rows with as few statements as possible."""
        rows, self.waiting = self.waiting, []
        start = 0
        for size in _SIZES:
            while len(rows) - start >= size:
                values = rows[start] if size == 1 else sum(rows[start : start + size], ())
                self._insert(_STATEMENTS[size], values, size)
                start += size
        if ARMED:
            hit_failpoint("after_append")

    def clear(self) -> None:
        """Drop all, after a rollback."""
        self.waiting = []
