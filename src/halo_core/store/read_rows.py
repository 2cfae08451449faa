"""Rows as `RowReader` gives them: frozen, with a name and a type for each column.

They hold what the database says. The entries prove the signed part of it, not these rows.
"""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

from halo_core.quick_dataclass import dataclass


class ControlRow(NamedTuple):
    """A tenant's control row.

    Args:
        version: raised by each change of control.
        store: id of the store.
        mode: as it was recorded; a row that somebody changed may hold another text than a `Mode`.
        policy: hash of the policy in force, empty for none.
    """

    version: int
    store: str
    mode: str
    policy: str


class RestrictionRow(NamedTuple):
    """A stop or a revocation in force.

    Args:
        kind: `stop` or the kind of a revocation.
        scope: what it is for: `agent`, `session`, `tool`, `user` and so on.
        target: which one; empty for all.
        since_us: microseconds since 1970.
    """

    kind: str
    scope: str
    target: str
    since_us: int


class VaultRow(NamedTuple):
    """The data key of a subject.

    Args:
        wrapped_key: the key, wrapped with the store's content key; empty if it was erased.
        commitment: commitment to the key, which outlives it.

    See `halo_core.ledger.sealed_content`.
    """

    wrapped_key: bytes
    commitment: bytes


class AttachedRow(NamedTuple):
    """What is stored beside the signed text of an entry.

    Args:
        sealed: its boxes; None for none.
        marks: rows of a sketch of its texts (`split_marks`); None for none.
    """

    sealed: bytes | None
    marks: bytes | None


class EntryColumns(NamedTuple):
    """All columns of an entry, for copying it."""

    text: bytes
    signatures: bytes
    sealed: bytes | None
    marks: bytes | None


class EntryRow(NamedTuple):
    """An entry with the columns that queries select by; its signatures are not read.

    Args:
        position: position in the tenant's log.
        writer: id of the writer.
        seq: number of the entry among those of its writer.
        kind: kind of the entry, a value of `EntryKind`.
        session: reference of its session, empty for none.
        ts_us: microseconds since 1970.
        text: the signed text, without its newline.
    """

    position: int
    writer: str
    seq: int
    kind: str
    session: str
    ts_us: int
    text: bytes


class SignedRow(NamedTuple):
    """Like `EntryRow`, with the signatures."""

    position: int
    writer: str
    seq: int
    kind: str
    session: str
    ts_us: int
    text: bytes
    signatures: bytes


class SealedRow(NamedTuple):
    """Like `EntryRow`, for an entry that seals something, with that content (see `AttachedRow`)."""

    position: int
    writer: str
    seq: int
    kind: str
    session: str
    ts_us: int
    text: bytes
    sealed: bytes
    marks: bytes | None


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A challenge and its status.

    Args:
        id: id of the entry that asks.
        kind: `call` or `reauthorization`.
        session: id of the session that asks.
        binding: digest of what is asked (`halo_core.decision.bindings`).
        status: `pending`, `approved`, `denied`, `used` or `expired`.
        asked_us: when it was asked, microseconds since the epoch.
        expires_us: when it counts as denied if nobody answered, likewise.
        answer: the approver's signed token, empty until there is one. The token is what counts, not the row.
    """

    id: str
    kind: str
    session: str
    binding: str
    status: str
    asked_us: int
    expires_us: int
    answer: str = field(default="", repr=False)
