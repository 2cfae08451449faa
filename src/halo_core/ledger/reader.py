"""Room: what verification reads. Takes: nothing. Gives: the reader's protocol, trust. Never: I/O.

The store implements `LedgerReader` with streaming queries on one consistent view. Rows come as they are in the
tables, of every tenant, whatever their type: a reader must not filter, convert or repair. Texts sort by code point
(SQLite BINARY, PostgreSQL COLLATE "C").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from halo_core.ledger.notes import Vkey

__all__ = ["BLOB_DOMAINS", "LedgerReader", "Row", "RowFollower", "Trust", "filter_ordered"]

Row = tuple[Any, ...]

BLOB_DOMAINS = (
    "halo/baseline/v1",
    "halo/blob/v1",
    "halo/manifest/v1",
    "halo/model/v1",
    "halo/passport/v1",
    "halo/policy/v1",
    "halo/registration/v1",
    "halo/scoring/v1",
    "halo/usual/v1",
)
"""Domains under which `canonical.digest` may have named a blob, unless the caller passes others."""


class LedgerReader(Protocol):
    """Streams over the tables. A method may raise NotVerified where the database cannot be read."""

    def by_position(self) -> Iterator[Row]:
        """(tenant, idx, w, ws, leaf, body), position left-joined with entry, ordered by (tenant, idx)."""
        ...

    def entries(self) -> Iterator[Row]:
        """(tenant, w, ws, leaf, kind, session, ts_us, body), ordered by (tenant, w, ws)."""
        ...

    def positions(self) -> Iterator[Row]:
        """(tenant, w, ws, idx), ordered by (tenant, w, ws)."""
        ...

    def checkpoints(self) -> Iterator[Row]:
        """(tenant, size, root, note, frontier), ordered by (tenant, size)."""
        ...

    def contents(self) -> Iterator[Row]:
        """(tenant, commitment, subject, nonce, ciphertext), ordered by (tenant, commitment)."""
        ...

    def vaults(self) -> Iterator[Row]:
        """(tenant, subject, dek_wrapped, erased_at_us); dek_wrapped is None or empty once erased."""
        ...

    def sessions(self) -> Iterator[Row]:
        """(tenant, head_w, head_ws, session, version), ordered by (tenant, head_w, head_ws)."""
        ...

    def quotas(self) -> Iterator[Row]:
        """(tenant, account, version, state)."""
        ...

    def baselines(self) -> Iterator[Row]:
        """(tenant, agent, hash), in any order."""
        ...

    def residues(self) -> Iterator[Row]:
        """(tenant, seq, chain, prints), ordered by (tenant, seq)."""
        ...

    def states(self) -> Iterator[Row]:
        """(tenant, session, version, state), in any order."""
        ...

    def sketches(self) -> Iterator[Row]:
        """(tenant, session, seq, marks), ordered by (tenant, session, seq)."""
        ...

    def dispatches(self) -> Iterator[Row]:
        """(tenant, w, ws, request_id, outcome, once), ordered by (tenant, w, ws)."""
        ...

    def writers(self) -> Iterator[Row]:
        """(tenant, w, vkey, closed_us); closed_us is None until the writer closes."""
        ...

    def blobs(self) -> Iterator[Row]:
        """(tenant, hash, bytes)."""
        ...

    def standing_passports(self) -> Iterator[Row]:
        """(tenant, agent, hash, origin, manifest)."""
        ...

    def holds(self) -> Iterator[Row]:
        """(tenant, kind, scope, target, since_us), in any order."""
        ...

    def approvals(self) -> Iterator[Row]:
        """(tenant, id, kind, session, binding, status, asked_us, expires_us, answer), in any order."""
        ...

    def schema_differences(self) -> Iterator[Row]:
        """(`trigger` or `view`, name) of each that is not the store's own, (`missing`, name) of its own not there."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """What the verifier knows from outside the database.

    Args:
        logs: tenant → verifier key of its log.
        anchors: tenant → newest checkpoint note remembered outside the database.
        kek: 32-byte content key, to open content and compare it with its commitment; None leaves it closed.
        blob_domains: domains under which blobs are named.
        elsewhere: tenants that a checkpoint outside the database remembers in another store.
    """

    logs: Mapping[str, Vkey]
    anchors: Mapping[str, bytes] = field(default_factory=dict)
    kek: bytes | None = field(default=None, repr=False)
    blob_domains: tuple[str, ...] = BLOB_DOMAINS
    elsewhere: frozenset[str] = frozenset()


def filter_ordered(
    rows: Iterator[Row], kinds: tuple[type, ...], report_malformed: Callable[[Row, str], None]
) -> Iterator[Row]:
    """Pass on the rows whose leading columns have these types and come in order; complain about the others.

    A row out of order means that an index and its table disagree, which no program of ours brings about.
    """
    width = len(kinds)
    last: Row | None = None
    for row in rows:
        key = row[:width]
        if tuple(map(type, key)) != kinds:
            report_malformed(row, "a key column has the wrong type")
        elif last is not None and key < last:
            report_malformed(row, "the row is out of order, so index and table disagree")
        else:
            last = key
            yield row


class RowFollower:
    """Walks rows in step with a leading stream that has the same key order: (tenant, w, ws)."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next: Row | None = next(rows, None)

    def advance_to(self, key: Row) -> tuple[list[Row], list[Row]]:
        """Rows before the key (they name nothing) and rows at the key."""
        before: list[Row] = []
        matching: list[Row] = []
        row = self._next
        while row is not None and row[:3] <= key:
            (matching if row[:3] == key else before).append(row)
            row = self._next = next(self._rows, None)
        return before, matching

    def remaining(self) -> Iterator[Row]:
        """Rows behind the last key."""
        while self._next is not None:
            row = self._next
            self._next = next(self._rows, None)
            yield row
