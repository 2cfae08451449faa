"""The pass over the Merkle tree: hashes, positions, checkpoints and anchors (checks 2, 4, 5 and 6).

It reads each tenant's positions once and keeps one frontier. After a missing entry or a wrong root it continues from
the next signed frontier, so that one hole does not hide what comes after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Final

from halo_core.errors import ConfigError, Tampered
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint, read_checkpoint
from halo_core.ledger.notes import build_entry_note
from halo_core.ledger.reader import LedgerReader, Row, Stream, Trust, filter_ordered
from halo_core.ledger.report import Collector, Head
from halo_core.ledger.tree import CompactRange
from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A signed tree head to compare with, from a checkpoint row or from an anchor (then without frontier)."""

    tenant: str
    size: int
    root: bytes
    frontier: bytes | None
    where: str

    @property
    def check(self) -> int:
        """Number of the check that this head belongs to."""
        return 6 if self.frontier is None else 5


class SignedHeads:
    """The verified checkpoint rows and anchors of each tenant, by size."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector) -> None:
        self._trust = trust
        self._out = out
        self._rows = filter_ordered(reader.rows(Stream.CHECKPOINTS), (str, int), self._report_malformed)
        self._next: Row | None = next(self._rows, None)
        self._anchors_left = dict(sorted(trust.anchors.items()))

    def _report_malformed(self, row: Row, message: str) -> None:
        self._out.add_tampered(5, f"checkpoint {row[0]}/{row[1]}", message, "row_malformed")

    def heads_before(self, tenant: str | None) -> Iterator[SignedHead]:
        """Heads of the tenants before this one without any position (None: of all remaining tenants)."""
        while self._next is not None and (tenant is None or self._next[0] < tenant):
            yield from self.heads_of(self._next[0])
        for name in [name for name in self._anchors_left if tenant is None or name < tenant]:
            yield from self.heads_of(name)

    def heads_of(self, tenant: str) -> Iterator[SignedHead]:
        """Heads of one tenant, by size."""
        anchor = self._read_anchor(tenant)
        while self._next is not None and self._next[0] == tenant:
            row = self._next
            if anchor is not None and anchor.size < row[1]:
                yield from self._report_missing_row(anchor, tenant)
                anchor = None
            head = self._read_checkpoint_row(row)
            if head is not None:
                yield head
            if anchor is not None and anchor.size == row[1]:
                yield anchor
                anchor = None
            self._next = next(self._rows, None)
        if anchor is not None:
            yield from self._report_missing_row(anchor, tenant)

    def _report_missing_row(self, anchor: SignedHead, tenant: str) -> Iterator[SignedHead]:
        # The checkpoint of an anchor is always committed first.
        where = f"checkpoint {tenant}/{anchor.size}"
        self._out.add_gap(5, where, "the checkpoint of the anchor is missing", "checkpoint_missing")
        yield anchor

    def _read_anchor(self, tenant: str) -> SignedHead | None:
        note = self._anchors_left.pop(tenant, None)
        where = f"anchor {tenant}"
        if note is None:
            return None
        head = self._open_head(6, where, tenant, note)
        return None if head is None or head.size == 0 else SignedHead(tenant, head.size, head.root, None, where)

    def _open_head(self, check: int, where: str, tenant: str, note: object) -> Checkpoint | None:
        vkey = self._trust.logs.get(tenant)
        try:
            signed = note if type(note) is bytes else b""
            if vkey is not None:
                return open_checkpoint(signed, vkey, tenant)
            read_checkpoint(signed, tenant)
        except (Tampered, ConfigError) as exc:
            columns = " columns tenant, note" if check == 5 else ""
            self._out.add_tampered(check, f"{where}{columns}", exc.message, exc.code)
            return None
        self._out.skipped[check] += 1
        return None

    def _read_checkpoint_row(self, row: Row) -> SignedHead | None:
        # (5) signed by the trusted key, columns as signed
        tenant, size, root, note, frontier = row
        where = f"checkpoint {tenant}/{size}"
        head = self._open_head(5, where, tenant, note)
        if head is None:
            return None
        if head.size != size or head.root != root:
            column = "size" if head.size != size else "root"
            self._out.add_tampered(5, f"{where} column {column}", f"`{column}` differs from the note", "column_altered")
            if head.size != size:
                return None
        try:
            frontier_range = CompactRange.from_bytes(frontier)
        except (Tampered, TypeError):
            frontier_range = None
        if frontier_range is None or frontier_range.size != size or frontier_range.root() != head.root:
            message = "the frontier does not lead to the signed root"
            self._out.add_tampered(5, f"{where} column frontier", message, "column_altered")
            return SignedHead(tenant, size, head.root, b"", where)
        return SignedHead(tenant, size, head.root, frontier, where)


_BATCH: Final = 4096
_NOTHING: Final = bytes(32)


@dataclass(slots=True)
class TreeFacts:
    """Results of the tree pass that other passes use.

    Args:
        heads: tenant → head.
        holes: tenant → number of missing positions.
        last: tenant → largest position.
        rows: number of positions.
    """

    heads: dict[str, Head] = field(default_factory=dict)
    holes: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    rows: int = 0


class _Tree:
    """One tenant's tree while its entries are read."""

    def __init__(self, tenant: str, heads: Iterator[SignedHead], out: Collector) -> None:
        self.tenant = tenant
        self.pending: list[bytes] = []
        self.broken = False
        self.holes = 0
        self._out = out
        self._heads = heads
        self._head = next(heads, None)
        self._range = CompactRange()
        self._clean = True
        self._covered = 0

    def next_stop(self, expect: int) -> int:
        """Position at which `settle` is next due."""
        return min(expect + _BATCH, self._head.size) if self._head is not None else expect + _BATCH

    def settle(self, expect: int) -> int:
        """Hash the pending leaves and compare with every head up to here; returns the position of the next stop."""
        self._range.extend(self.pending)
        self.pending.clear()
        while self._head is not None and self._head.size <= expect:
            self._compare(self._head, expect)
            self._head = next(self._heads, None)
        return self.next_stop(expect)

    def _compare(self, head: SignedHead, expect: int) -> None:
        # (5) the root recomputed at the checkpoint's size  (6) at the anchor's size
        if self.broken or head.size < expect:
            self._out.skipped[head.check] += 1
            self._clean = False
        elif self._range.root() != head.root:
            self._clean = False
            message = f"the {head.size} first entries do not have the signed root"
            self._out.add_tampered(head.check, head.where, message, "root_mismatch")
        else:
            self._out.passed[head.check] += 1
            # INVARIANT: `covered` counts leading entries that a signed root covers without any failure before it.
            if self._clean:
                self._covered = head.size
            return
        if head.frontier and head.size == expect:
            self._range = CompactRange.from_bytes(head.frontier)
            self.broken = False

    def close(self, expect: int) -> Head:
        """Complete the tree, and report signed entries after its last position as missing."""
        self.settle(expect)
        while self._head is not None:
            report_beyond(self._head, expect, self._out)
            self._head = next(self._heads, None)
        return Head(expect, b"" if self.broken else self._range.root(), self._covered)


def report_beyond(head: SignedHead, size: int, out: Collector) -> None:
    """Report a signed head that is larger than the tree."""
    if head.size > 0:
        out.incomplete.add(head.tenant)
        code = "ledger_behind_anchor" if head.check == 6 else "tree_cut"
        out.add_gap(head.check, head.where, f"{head.size} entries are signed, but only {size} exist", code)


class TreePass:
    """Hashes every entry once, in log order, and checks the tree against checkpoints and anchors."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector) -> None:
        self._reader = reader
        self._out = out
        self._heads = SignedHeads(reader, trust, out)
        self.facts = TreeFacts()

    def run(self, progress: Callable[[str, int], None]) -> None:
        """Read the entries."""
        sha256 = hashlib.sha256
        tree: _Tree | None = None
        expect = stop = 0
        for tenant, idx, w, ws, text, signatures in self._reader.rows_by_position():
            if tree is None or tenant != tree.tenant:
                self._close_tree(tree, expect)
                tree = self._open_tree(tenant, idx)
                if tree is None:
                    continue
                expect, stop = 0, tree.next_stop(0)
            # (4) positions are contiguous from 0
            if idx != expect:
                if not self._skip_gap(tree, expect, idx):
                    continue
                expect, stop = idx, tree.settle(idx)
            elif idx == stop:
                stop = tree.settle(expect)
                progress("tree", self.facts.rows + idx)
            expect += 1
            # (2) leaf = SHA-256(0x00, note)
            try:
                tree.pending.append(sha256(b"\x00" + build_entry_note(tenant, w, text, signatures)).digest())
            except (Tampered, TypeError):
                self._report_no_entry(tree, idx, f"{tenant}/{w}/{ws}", is_missing=text is None)
        self._close_tree(tree, expect)
        for head in self._heads.heads_before(None):
            report_beyond(head, 0, self._out)

    def _report_no_entry(self, tree: _Tree, idx: object, name: str, *, is_missing: bool) -> None:
        tree.broken = True
        tree.pending.append(_NOTHING)
        if is_missing:  # a position stands in a table of its own where a sequencer gives it
            self._out.add_gap(4, f"position {tree.tenant}/{idx}", f"its entry {name} is missing", "entry_missing")
            self._out.incomplete.add(tree.tenant)
        else:
            where = f"entry {name} columns w, body, signatures"
            self._out.add_tampered(2, where, "it is no entry", "malformed_note")

    def _open_tree(self, tenant: object, idx: object) -> _Tree | None:
        if type(tenant) is not str:
            where = f"position {tenant}/{idx} column tenant"
            self._out.add_tampered(4, where, "the tenant is not text", "row_malformed")
            return None
        if tenant in self.facts.heads:
            message = "the row is out of order, so index and table disagree"
            self._out.add_tampered(4, f"position {tenant}/{idx}", message, "row_malformed")
            return None
        for head in self._heads.heads_before(tenant):
            report_beyond(head, 0, self._out)
        return _Tree(tenant, self._heads.heads_of(tenant), self._out)

    def _close_tree(self, tree: _Tree | None, expect: int) -> None:
        if tree is None:
            return
        self.facts.heads[tree.tenant] = tree.close(expect)
        self.facts.holes[tree.tenant] = tree.holes
        self.facts.last[tree.tenant] = expect - 1
        self.facts.rows += expect
        self._out.passed[4] += max(0, expect - tree.holes)

    def _skip_gap(self, tree: _Tree, expect: int, idx: object) -> bool:
        where = f"position {tree.tenant}/{idx} column idx"
        if type(idx) is not int or idx < expect:
            self._out.add_tampered(4, where, "the position is taken, negative or not an integer", "position_stray")
            return False
        tree.settle(expect)
        tree.broken = True
        tree.holes += idx - expect
        self._out.incomplete.add(tree.tenant)
        missing = f"{expect}" if idx == expect + 1 else f"{expect} to {idx - 1}"
        self._out.add_gap(4, f"position {tree.tenant}/{expect}", f"position {missing} is missing", "position_missing")
        return True
