"""Counts how often an agent used a resource, in memory, and writes the counts together.

A row for each use would cost a statement for each decision. The count may lack what other processes counted last, and
what a killed process counted, so a rule that reads `uses` or `first_use` reads an estimate. For hard limits there are
budgets.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

from halo_core.store.image import MAX_KEYS
from halo_core.store.row_access import RowAccess

_MAX_UNWRITTEN: Final = 64  # uses of a process that are in no row yet


_INSERT: Final = (
    "INSERT INTO usage VALUES (?,?,?,?) ON CONFLICT (tenant, agent, resource) DO UPDATE SET "
    "uses=usage.uses+excluded.uses"
)
_INSERT_PART: Final = (
    "INSERT INTO usage VALUES (?,?,?,?,?) ON CONFLICT (tenant, agent, resource, part) DO UPDATE SET "
    "uses=usage.uses+excluded.uses"
)


class UseCounts:
    """The counts as one transaction sees and changes them.

    Args:
        tx: the transaction. Its image holds what this process counted and has not written, which outlives it.
        part: part of the counts to which this writer adds (`choose_part`); None if the engine has one writer at a time.
    """

    __slots__ = ("_added", "_are_written", "_must_wait", "_part", "_tx")

    def __init__(self, tx: RowAccess, part: int | None = None) -> None:
        self._tx = tx
        self._part = part
        self._added: dict[tuple[str, str], int] = {}
        self._are_written = False
        self._must_wait = False

    def count(self, agent: str, resource: str) -> int:
        """How often the agent has used the resource, as far as this process knows."""
        image, used = self._tx.image, (agent, resource)
        uses = image.uses.get(used)
        if uses is None:
            row = self._tx.cursor.execute(
                "SELECT sum(uses) FROM usage WHERE tenant=? AND agent=? AND resource=?",
                (self._tx.tenant, agent, resource),
            ).fetchone()
            if len(image.uses) >= MAX_KEYS:
                image.uses.clear()
            written = int(row[0] or 0)
            unwritten = 0 if self._are_written else image.unwritten_uses.get(used, 0)
            uses = image.uses[used] = written + unwritten + self._added.get(used, 0)
        return uses

    def add(self, agent: str, resource: str) -> None:
        """Count one use."""
        used, uses = (agent, resource), self._tx.image.uses
        uses[used] = (uses[used] if used in uses else self.count(agent, resource)) + 1
        self._added[used] = self._added.get(used, 0) + 1

    def write(self) -> None:
        """Write the counts if many wait, or if this transaction counts nothing and so has the time.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep a row.
        """
        late = {} if self._are_written else self._tx.image.unwritten_uses
        if not late or self._must_wait or (self._added and sum(late.values()) < _MAX_UNWRITTEN):
            return
        uses = dict(late)
        for used, times in self._added.items():
            uses[used] = uses.get(used, 0) + times
        for (agent, resource), times in sorted(uses.items()):  # in the same order as others do, who lock the same rows
            values = self._tx.tenant, agent, resource, times
            if self._part is None:
                self._tx.insert(_INSERT, values)
            else:
                self._tx.insert(_INSERT_PART, (*values, self._part))
        self._added.clear()
        self._are_written = True

    def confirm(self) -> None:
        """After COMMIT, note what this process has counted and not written."""
        unwritten = self._tx.image.unwritten_uses
        if self._are_written:
            unwritten.clear()
            if self._part is not None:
                self._tx.image.uses.clear()  # what others have counted meanwhile is read again
        for used, times in self._added.items():
            unwritten[used] = unwritten.get(used, 0) + times

    def copy_added(self) -> dict[tuple[str, str], int]:
        """The counts of this transaction that are not written."""
        return dict(self._added)

    def forget(self, written: Mapping[tuple[str, str], int]) -> None:
        """Forget this transaction's counts after a rollback, except `written`, counted before that part."""
        self._added = dict(written)
        self._are_written = False
        self._must_wait = True  # what of it is taken back later, each job by itself, is not known here


def choose_part(writer: str) -> int:
    """The part of the counts that a writer adds to, 0..31, so that concurrent writers do not share a row."""
    return zlib.crc32(writer.encode()) % 32
