"""Typed access to the tables that a job reads and writes besides its session: scores, restrictions, taint.

Each class is one table, inside one open transaction: `BaselineTable(tx).get(agent)`.

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.
"""

from __future__ import annotations

from typing import Any, Final

from halo_core.ledger import build_entry_note, chain_marks, commit_state
from halo_core.model import Revocation, Stop
from halo_core.store.cached_rows import TAINT_BYTES, TaintIndex
from halo_core.store.marks import MarkTable
from halo_core.store.row_access import STATE_MARK, RowAccess, Table

_OTHER_STATES: Final = "FROM entry WHERE tenant=? AND session=? AND instr(body, ?)>0 AND NOT (w=? AND ws>=?)"
_INSERT_SESSION: Final = f"INSERT INTO session SELECT ?,?,?,?,?,? WHERE NOT EXISTS (SELECT 1 {_OTHER_STATES})"
_UPDATE_SESSION: Final = (
    "UPDATE session SET version=?, state=?, head_w=?, head_ws=? WHERE tenant=? AND session=? AND version=?"  # noqa: S608
    f" AND (head_w, head_ws) = (SELECT w, ws {_OTHER_STATES} ORDER BY tick DESC LIMIT 1)"
)
_COUNT_PARTS: Final = "SELECT 1 FROM blob WHERE tenant=? AND hash=ANY(?::text[]) HAVING count(*)=?"


def write_session_if_unchanged(
    tx: RowAccess, session: str, row: tuple[int, bytes, str, int], base: int | None, own: tuple[str, int]
) -> None:
    """Write a session's row if it is still as read and belongs to the newest entry with a state.

    Only for engines with many writers; the others say when somebody else has written.

    INVARIANT: AUDIT - a row that was put back to what this process remembers is not taken for the newest.

    Args:
        tx: the transaction.
        session: whose.
        row: version, state, and the (writer, sequence) of the entry that left it behind.
        base: the version that was read, None if there was no row.
        own: writer of this transaction, and the sequence of the first of its entries that the row comes after.

    Raises:
        Conflict: it is not; at the latest at COMMIT.
    """
    others = (tx.tenant, session, STATE_MARK, *own)
    if base is None:
        tx.insert(_INSERT_SESSION, (tx.tenant, session, *row, *others))
    else:
        tx.update(_UPDATE_SESSION, (*row, tx.tenant, session, base, *others))


def require_parts(tx: RowAccess, names: list[str]) -> None:
    """Refuse to commit unless these parts are stored.

    INVARIANT: AUDIT - an entry is never without the parts that it names, though one was removed meanwhile.

    Raises:
        Conflict: one is missing; at the latest at COMMIT.
    """
    tx.update(_COUNT_PARTS, (tx.tenant, names, len(names)))


class BaselineTable(Table):
    """Which score is in force for each agent."""

    def get(self, agent: str) -> str:
        """Hash of the score's terms; empty if no score is in force."""
        known = self._tx.image.baselines
        if agent not in known:
            row = self._tx.cursor.execute(
                "SELECT hash FROM baseline WHERE tenant=? AND agent=?", (self._tx.tenant, agent)
            ).fetchone()
            known[agent] = "" if row is None else str(row[0])
        return known[agent]

    def put(self, agent: str, name: str) -> None:
        """Put the score with this hash in force; an empty one takes it out of force."""
        self._tx.database.claim_control()
        self._tx.image.baselines.pop(agent, None)
        if not name:
            self._tx.cursor.execute("DELETE FROM baseline WHERE tenant=? AND agent=?", (self._tx.tenant, agent))
            return
        self._tx.insert(
            "INSERT INTO baseline VALUES (?,?,?) ON CONFLICT (tenant, agent) DO UPDATE SET hash=excluded.hash",
            (self._tx.tenant, agent, name),
        )


class AlertTable(Table):
    """Alert entries."""

    def load_since(self, index: int) -> list[tuple[int, bytes]]:
        """(position, note) of the alerts from a position on, in log order; signatures are not verified.

        On an engine with many writers nobody else writes alerts until the transaction ends, and those that wait for
        their position come last, with -1.
        """
        positions = "idx>=?"
        if self._tx.database.has_many_writers:
            self._tx.database.claim_control()
            positions = "(idx>=? OR idx IS NULL)"
        rows = self._tx.cursor.execute(
            "SELECT idx, tenant, w, body, signatures FROM entry"  # noqa: S608  constants
            f" WHERE tenant=? AND {positions} AND kind='alert' ORDER BY idx",
            (self._tx.tenant, index),
        )
        return [(-1 if row[0] is None else row[0], build_entry_note(*row[1:])) for row in rows]


class RestrictionTable(Table):
    """Stops and revocations in force. Each change raises the control row's version, under which they are cached."""

    def list_all(self) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
        """Stops and revocations, sorted."""
        rows = self._tx.cursor.execute(
            "SELECT kind, scope, target, since_us FROM hold WHERE tenant=? ORDER BY scope, target", (self._tx.tenant,)
        ).fetchall()
        stops = tuple(Stop(*row[1:]) for row in rows if row[0] == "stop")
        # INVARIANT: FAILCLOSED - a kind that this version does not know counts as a revocation.
        return stops, tuple(Revocation(*row[1:]) for row in rows if row[0] != "stop")

    def add(self, kind: str, scope: str, target: str, since_us: int) -> bool:
        """Add one; False if it exists."""
        key = (self._tx.tenant, kind, scope, target)
        present = self._tx.cursor.execute(
            "SELECT 1 FROM hold WHERE tenant=? AND kind=? AND scope=? AND target=?", key
        ).fetchone()
        if present is not None:
            return False
        self._tx.insert("INSERT INTO hold VALUES (?,?,?,?,?)", (*key, since_us))
        self._tx.increment_control_version()
        return True

    def remove(self, kind: str, scope: str, target: str) -> bool:
        """Remove one; False if it does not exist."""
        self._tx.load_control()  # while the row is there: what an entry says without a row is written again
        done = self._tx.cursor.execute(
            "DELETE FROM hold WHERE tenant=? AND kind=? AND scope=? AND target=?",
            (self._tx.tenant, kind, scope, target),
        )
        if done.rowcount != 1:
            return False
        self._tx.increment_control_version()
        return True


class TaintTable(Table):
    """Fingerprints of values stored by exposed sessions of the tenant; rows are only appended."""

    def refresh(self) -> TaintIndex:
        """The index in memory, updated from the table."""
        index = self._tx.image.taint_index
        if self._load_newest()[0] != index.seq:
            rows = self._tx.cursor.execute(
                "SELECT seq, prints FROM residue WHERE tenant=? AND seq>? ORDER BY seq", (self._tx.tenant, index.seq)
            ).fetchall()
            for seq, chunk in rows:
                index.add_chunk(seq, chunk)
        return index

    def add(self, fingerprints: frozenset[int]) -> dict[str, Any] | None:
        """Store fingerprints; returns the commitment for the entry, None if all are already stored."""
        index = self.refresh()
        # INVARIANT: taint outlives its session - what is stored again after the newest clearance counts everywhere.
        cleared = MarkTable(self._tx).get_newest_clearance() if index else 0
        new = sorted(item for item in fingerprints if not index.contains_any((item,), after=cleared))
        if not new:
            return None
        seq, before = self._load_newest()
        chunk = b"".join(item.to_bytes(TAINT_BYTES) for item in new)
        chain = chain_marks(before, chunk)
        self._tx.insert("INSERT INTO residue VALUES (?,?,?,?)", (self._tx.tenant, seq + 1, chain, chunk))
        index.add_chunk(seq + 1, chunk)
        self._tx.image.taint_end = (seq + 1, chain)
        # INVARIANT: AUDIT - no row can be removed unseen, neither the last nor one between two.
        return commit_state(seq + 1, chain.encode("ascii"), before=before.encode("ascii"))

    def _load_newest(self) -> tuple[int, str]:
        """Number of the last row and the digest over all rows; (0, "") if there is none."""
        image = self._tx.image
        if image.taint_end is None:
            row = self._tx.cursor.execute(
                "SELECT seq, chain FROM residue WHERE tenant=? ORDER BY seq DESC LIMIT 1", (self._tx.tenant,)
            ).fetchone()
            image.taint_end = (0, "") if row is None else (row[0], row[1])
        return image.taint_end


class ResourceTable(Table):
    """The table `resource`, with the registration of each resource, as one transaction sees it."""

    def get(self, resource: str) -> bytes | None:
        """The registration of a resource; None if it has none."""
        row = self._tx.cursor.execute(
            "SELECT spec FROM resource WHERE tenant=? AND id=?", (self._tx.tenant, resource)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, resource: str, spec: bytes) -> None:
        """Register or re-register a resource.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep the row.
        """
        self._tx.insert(
            "INSERT INTO resource VALUES (?,?,?) ON CONFLICT (tenant, id) DO UPDATE SET spec=excluded.spec",
            (self._tx.tenant, resource, spec),
        )
