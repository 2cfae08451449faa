"""Room: the tree pass: hashes, positions, checkpoints, anchors. Takes: a reader. Gives: findings, heads. Never: I/O.

Streams each tenant's positions once and keeps one frontier. Where an entry is missing or a root differs, the pass goes
on from the next signed frontier, so one hole does not hide what stands behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from halo_core.ledger.merkle import CompactRange
from halo_core.ledger.report import Collector, Head, name_of
from halo_core.ledger.verify_marks import Mark, Marks

if TYPE_CHECKING:
    from halo_core.ledger.reader import LedgerReader, Trust

__all__ = ["TreeFacts", "TreePass"]

_BATCH: Final = 4096
_MAX_BAD: Final = 1000
_NOTHING: Final = bytes(32)

Key = tuple[str, str, int]


@dataclass(slots=True)
class TreeFacts:
    """What the other passes need to know of the tree.

    Args:
        heads: tenant → head.
        holes: tenant → number of missing positions.
        dangling: tenant → number of positions that name no entry.
        last: tenant → largest position.
        bad: entries whose leaf is not the hash of their note, for the entry pass to say which of the two was changed.
        rows: number of position rows.
    """

    heads: dict[str, Head] = field(default_factory=dict)
    holes: dict[str, int] = field(default_factory=dict)
    dangling: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    bad: set[Key] = field(default_factory=set)
    rows: int = 0


class _Tree:
    """One tenant's tree while its positions stream by."""

    def __init__(self, tenant: str, marks: Iterator[Mark], out: Collector) -> None:
        self.tenant = tenant
        self.pending: list[bytes] = []
        self.broken = False
        self.holes = 0
        self._out = out
        self._marks = marks
        self._mark = next(marks, None)
        self._range = CompactRange()
        self._clean = True
        self._covered = 0

    def stop(self, expect: int) -> int:
        """Position at which to settle next."""
        return min(expect + _BATCH, self._mark.size) if self._mark is not None else expect + _BATCH

    def settle(self, expect: int) -> int:
        """Hash what is pending, compare with every mark up to here; returns where to settle next."""
        self._range.extend(self.pending)
        self.pending.clear()
        while self._mark is not None and self._mark.size <= expect:
            self._compare(self._mark, expect)
            self._mark = next(self._marks, None)
        return self.stop(expect)

    def _compare(self, mark: Mark, expect: int) -> None:
        # (5) the root recomputed at the checkpoint's size  (6) at the anchor's size
        if self.broken or mark.size < expect:
            self._out.skipped[mark.check] += 1
            self._clean = False
        elif self._range.root() != mark.root:
            self._clean = False
            what = f"the {mark.size} first entries do not have the signed root"
            self._out.tampered(mark.check, mark.where, what, "root_mismatch")
        else:
            self._out.passed[mark.check] += 1
            # INVARIANT: `covered` counts leading entries that a signed root covers without any failure before it.
            if self._clean:
                self._covered = mark.size
            return
        if mark.frontier and mark.size == expect:
            self._range = CompactRange.from_bytes(mark.frontier)
            self.broken = False

    def close(self, expect: int) -> Head:
        """No more positions: what is signed beyond them is missing."""
        self.settle(expect)
        while self._mark is not None:
            beyond(self._mark, expect, self._out)
            self._mark = next(self._marks, None)
        return Head(expect, b"" if self.broken else self._range.root(), self._covered)


def beyond(mark: Mark, size: int, out: Collector) -> None:
    """Report a signed head that is larger than the tree."""
    if mark.size > 0:
        out.incomplete.add(mark.tenant)
        code = "ledger_behind_anchor" if mark.check == 6 else "tree_cut"
        out.gap(mark.check, mark.where, f"{mark.size} entries are signed for and {size} are there", code)


class TreePass:
    """Hashes every positioned entry once and checks it against leaf, checkpoints and anchors."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector, writers: set[tuple[str, str]]) -> None:
        self._reader = reader
        self._out = out
        self._writers = writers
        self._marks = Marks(reader, trust, out)
        self.facts = TreeFacts()

    def run(self, progress: Callable[[str, int], None], *, fast: bool) -> None:
        """Stream the positions; with `fast`, findings of leaf hashes are reported here."""
        sha256 = hashlib.sha256
        tree: _Tree | None = None
        expect = stop = 0
        for tenant, idx, w, ws, leaf, body in self._reader.by_position():
            if tree is None or tenant != tree.tenant:
                self._close(tree, expect)
                tree = self._open(tenant, idx)
                if tree is None:
                    continue
                expect, stop = 0, tree.stop(0)
            # (4) positions: contiguous from 0
            if idx != expect:
                if not self._jump(tree, expect, idx):
                    continue
                expect, stop = idx, tree.settle(idx)
            elif idx == stop:
                stop = tree.settle(expect)
                progress("tree", self.facts.rows + idx)
            expect += 1
            if type(body) is not bytes:
                self._nameless(tree, (tenant, idx, w, ws), present=leaf is not None)
                continue
            # (2) leaf = SHA-256(0x00, note)
            digest = sha256(b"\x00" + body).digest()
            if digest != leaf:
                self._bad((tenant, w, ws), report=fast)
            tree.pending.append(digest)
        self._close(tree, expect)
        for mark in self._marks.before(None):
            beyond(mark, 0, self._out)

    def _open(self, tenant: object, idx: object) -> _Tree | None:
        if type(tenant) is not str:
            self._out.tampered(4, f"position {tenant}/{idx} column tenant", "the tenant is not text", "row_malformed")
            return None
        if tenant in self.facts.heads:
            what = "the row is out of order, so index and table disagree"
            self._out.tampered(4, f"position {tenant}/{idx}", what, "row_malformed")
            return None
        for mark in self._marks.before(tenant):
            beyond(mark, 0, self._out)
        return _Tree(tenant, self._marks.of(tenant), self._out)

    def _close(self, tree: _Tree | None, expect: int) -> None:
        if tree is None:
            return
        self.facts.heads[tree.tenant] = tree.close(expect)
        self.facts.holes[tree.tenant] = tree.holes
        self.facts.last[tree.tenant] = expect - 1
        self.facts.rows += expect
        self._out.passed[4] += max(0, expect - tree.holes - self.facts.dangling.get(tree.tenant, 0))

    def _jump(self, tree: _Tree, expect: int, idx: object) -> bool:
        where = f"position {tree.tenant}/{idx} column idx"
        if type(idx) is not int or idx < expect:
            self._out.tampered(4, where, "the position is taken, negative or no integer", "position_stray")
            return False
        tree.settle(expect)
        tree.broken = True
        tree.holes += idx - expect
        self._out.incomplete.add(tree.tenant)
        missing = f"{expect}" if idx == expect + 1 else f"{expect} to {idx - 1}"
        self._out.gap(4, f"position {tree.tenant}/{expect}", f"position {missing} is missing", "position_missing")
        return True

    def _nameless(self, tree: _Tree, key: tuple[str, int, object, object], *, present: bool) -> None:
        tenant, idx, w, ws = key
        tree.broken = True
        tree.pending.append(_NOTHING)
        if present:
            # An entry row without bytes: the entry pass reports it.
            return
        self.facts.dangling[tenant] = self.facts.dangling.get(tenant, 0) + 1
        where = f"position {tenant}/{idx}"
        if (tenant, w) in self._writers:
            self._out.incomplete.add(tenant)
            self._out.gap(4, where, f"entry {tenant}/{w}/{ws}, which it names, is missing", "entry_missing")
        else:
            self._out.tampered(4, where, f"it names entry {tenant}/{w}/{ws} of an unknown writer", "position_stray")

    def _bad(self, key: Key, *, report: bool) -> None:
        if report or len(self.facts.bad) >= _MAX_BAD:
            where = f"{name_of(key)} columns leaf, body"
            self._out.tampered(2, where, "the leaf is not the hash of the note", "leaf_mismatch")
        else:
            self.facts.bad.add(key)
