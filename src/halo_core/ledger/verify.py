"""Verifies every row of a ledger against its signed entries, checkpoints and anchors: `verify(reader, trust)`.

The checks have these numbers, also in comments of the code:

    1 something to verify and a trusted key           6 anchors are in the tree
    2 entries are what their notes say                7 writers certified, signatures
    3 writer chains without gap                       8 sealed content is what entries say
    4 positions have no gap                           9 sessions, runs, blobs, holds, approvals, control
    5 checkpoints signed by the log, roots recomputed

A row that contradicts the signed bytes, or that nothing accounts for, is tampering. A missing row, with everything else
consistent, is a gap. `report.LIMITS` lists what cannot be detected.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from halo_core.errors import Gap, NotVerified
from halo_core.ledger.reader import Stream
from halo_core.ledger.report import Collector, Report
from halo_core.ledger.verify_entries import EntryPass
from halo_core.ledger.verify_projections import check_blobs
from halo_core.ledger.verify_signatures import SignatureQueue
from halo_core.ledger.verify_tree import TreeFacts, TreePass

if TYPE_CHECKING:
    from halo_core.ledger.reader import EntryKey, LedgerReader, Trust

Progress = Callable[[str, int], None]


def verify(
    reader: LedgerReader,
    trust: Trust,
    *,
    signatures: bool = False,
    fast: bool = False,
    threads: int = 2,
    processes: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Verify every row of every tenant.

    Args:
        reader: streams over the tables, on one consistent view.
        trust: keys and anchors from outside the database.
        signatures: verify the signature of every entry, not only of those that no good checkpoint covers.
        fast: only hashes, tree, checkpoints and anchors; notes are not parsed, chains and content not checked.
        threads: number of threads that verify signatures.
        processes: number of processes that do so in their place where there are many; they are spawned.
        progress: called now and then with the pass (`tree` or `entries`) and the rows done.

    Returns:
        The report; a database that cannot be read is a finding, not an exception.
    """
    run = _Verification(reader, trust, progress or (lambda _stage, _done: None))
    run.check_tree(fast=fast)
    if not fast:
        run.check_entries(signatures=signatures, threads=threads, processes=processes)
    run.check_trust()
    return run.out.build_report(run.facts.heads, full=not fast)


class _Verification:
    """One verification: its passes, each protected from unreadable tables, and their findings."""

    def __init__(self, reader: LedgerReader, trust: Trust, progress: Progress) -> None:
        self.out = Collector()
        self.facts = TreeFacts()
        self._reader = reader
        self._trust = trust
        self._progress = progress
        self._writers: dict[tuple[str, str], Any] = {}
        self._rows = 0
        self._named_blobs: dict[tuple[str, str], EntryKey] = {}
        self._run_check(7, "writer", self._read_writers)
        self._run_check(9, "sqlite_master", self._check_schema)

    def _run_check(self, check: int, table: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Gap as exc:
            self.out.add_gap(check, table, exc.message, exc.code)
        except NotVerified as exc:
            self.out.add_tampered(check, table, f"the table cannot be read: {exc.message}", exc.code)

    def _read_writers(self) -> None:
        for tenant, w, vkey, closed_us in self._reader.rows(Stream.WRITERS):
            self._writers[tenant, w] = (vkey, closed_us)

    def _check_schema(self) -> None:
        # (9) A foreign trigger can make a write do nothing.
        for kind, name in self._reader.schema_differences():
            if kind == "missing":
                self.out.warn(f"trigger `{name}`, which prevents accidental changes, is missing")
            else:
                message = f"the {kind} was not created by Halo: it can hide, change or drop rows"
                self.out.add_tampered(9, f"{kind} {name}", message, "foreign_trigger")

    def check_tree(self, *, fast: bool) -> None:
        """Checks 4, 5, 6 and the hashes of 2."""

        def work() -> None:
            tree = TreePass(self._reader, self._trust, self.out)
            self.facts = tree.facts
            tree.run(self._progress)
            if fast:
                self.out.passed[2] += tree.facts.rows - self.out.failed[2]

        self._run_check(4, "entry", work)
        self._rows += self.facts.rows

    def check_entries(self, *, signatures: bool, threads: int, processes: int) -> None:
        """Checks 2, 3, 7, 8 and 9."""

        def work() -> None:
            entries = EntryPass(self._reader, self._trust, self.out, self.facts, self._writers, signatures=signatures)
            with SignatureQueue(self.out, threads, processes) as queue:
                entries.run(queue, self._progress)
            self._rows += entries.rows
            self._named_blobs = entries.named_blobs
            for table, row_check in entries.row_checks.items():
                self._run_check(9, table, partial(row_check.check, self._reader))

        self._run_check(2, "entry", work)
        self._run_check(9, "blob", lambda: check_blobs(self._reader, self._trust, self.out, self._named_blobs))

    def check_trust(self) -> None:
        """(1) An empty or untrusted ledger does not count as verified."""
        tenants = sorted({tenant for tenant, _ in self._writers} | set(self.facts.heads))
        for tenant in tenants:
            if tenant not in self._trust.logs:
                self.out.undetermined.append(f"no trusted key for tenant `{tenant}`")
            elif tenant not in self._trust.anchors:
                self.out.undetermined.append(
                    f"tenant `{tenant}` has no anchor, so a rollback to an earlier state would be missed; it has one "
                    "after its first checkpoint, unless anchor.json was removed"
                )
            else:
                self.out.passed[1] += 1
        for tenant in sorted(set(self._trust.logs) - set(tenants) - set(self._trust.anchors)):
            if tenant in self._trust.elsewhere:
                self.out.warn(f"tenant `{tenant}` has no data here: its anchor belongs to another database")
            else:
                self.out.undetermined.append(
                    f"tenant `{tenant}` is trusted, but has neither entries nor an anchor here"
                )
        if not self._rows and not self.out.total:
            self.out.undetermined.append("there is nothing to verify")
        self.out.skipped[1] += len(self.out.undetermined)
