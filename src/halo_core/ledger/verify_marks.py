"""Room: signed heads to compare the tree with. Takes: checkpoint rows, anchors. Gives: marks by size. Never: I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halo_core.errors import ConfigError, Tampered
from halo_core.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from halo_core.ledger.merkle import CompactRange
from halo_core.ledger.reader import LedgerReader, Row, Trust, keyed

if TYPE_CHECKING:
    from halo_core.ledger.report import Collector

__all__ = ["Mark", "Marks"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A signed head to compare with: from a checkpoint row, or from an anchor (then without frontier)."""

    tenant: str
    size: int
    root: bytes
    frontier: bytes | None
    where: str

    @property
    def check(self) -> int:
        """Number of the check that this mark belongs to."""
        return 6 if self.frontier is None else 5


class Marks:
    """Checkpoint rows in step with the tenants, verified, with each tenant's anchor in its place."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector) -> None:
        self._trust = trust
        self._out = out
        self._rows = keyed(reader.checkpoints(), (str, int), self._complain)
        self._next: Row | None = next(self._rows, None)
        self._left = dict(sorted(trust.anchors.items()))

    def _complain(self, row: Row, what: str) -> None:
        self._out.tampered(5, f"checkpoint {row[0]}/{row[1]}", what, "row_malformed")

    def before(self, tenant: str | None) -> Iterator[Mark]:
        """Marks of tenants before this one (None: of all that are left): tenants without a single position."""
        while self._next is not None and (tenant is None or self._next[0] < tenant):
            yield from self.of(self._next[0])
        for name in [name for name in self._left if tenant is None or name < tenant]:
            yield from self.of(name)

    def of(self, tenant: str) -> Iterator[Mark]:
        """Marks of one tenant, by size."""
        anchor = self._anchor(tenant)
        while self._next is not None and self._next[0] == tenant:
            row = self._next
            if anchor is not None and anchor.size < row[1]:
                yield from self._without_row(anchor, tenant)
                anchor = None
            mark = self._checkpoint(row)
            if mark is not None:
                yield mark
            if anchor is not None and anchor.size == row[1]:
                yield anchor
                anchor = None
            self._next = next(self._rows, None)
        if anchor is not None:
            yield from self._without_row(anchor, tenant)

    def _without_row(self, anchor: Mark, tenant: str) -> Iterator[Mark]:
        # An anchor is always a checkpoint that was committed first.
        where = f"checkpoint {tenant}/{anchor.size}"
        self._out.gap(5, where, "the checkpoint that the anchor remembers is missing", "checkpoint_missing")
        yield anchor

    def _anchor(self, tenant: str) -> Mark | None:
        note = self._left.pop(tenant, None)
        where = f"anchor {tenant}"
        if note is None:
            return None
        head = self._open(6, where, tenant, note)
        return None if head is None or head.size == 0 else Mark(tenant, head.size, head.root, None, where)

    def _open(self, check: int, where: str, tenant: str, note: object) -> Checkpoint | None:
        vkey = self._trust.logs.get(tenant)
        try:
            # What is no bytes is no note.
            signed = note if type(note) is bytes else b""
            if vkey is not None:
                return open_checkpoint(signed, vkey, tenant)
            read_checkpoint(signed, tenant)
        except (Tampered, ConfigError) as exc:
            self._out.tampered(check, f"{where} columns tenant, note" if check == 5 else where, exc.message, exc.code)
            return None
        self._out.skipped[check] += 1
        return None

    def _checkpoint(self, row: Row) -> Mark | None:
        # (5) checkpoints: signed by the trusted key, columns as signed
        tenant, size, root, note, frontier = row
        where = f"checkpoint {tenant}/{size}"
        head = self._open(5, where, tenant, note)
        if head is None:
            return None
        if head.size != size or head.root != root:
            column = "size" if head.size != size else "root"
            self._out.tampered(5, f"{where} column {column}", f"`{column}` is not what the note says", "column_altered")
            if head.size != size:
                return None
        try:
            same = CompactRange.from_bytes(frontier)
        except (Tampered, TypeError):
            same = None
        if same is None or same.size != size or same.root() != head.root:
            what = "the frontier does not lead to the signed root"
            self._out.tampered(5, f"{where} column frontier", what, "column_altered")
            return Mark(tenant, size, head.root, b"", where)
        return Mark(tenant, size, head.root, frontier, where)
