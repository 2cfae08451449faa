"""Typed access to the tables that a job reads and writes besides its session: quotas, scores, restrictions.

Each class stands for one table, inside one open transaction: `QuotaTable(tx).get(account)`.

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from halo_core.clock import DAY_US
from halo_core.crypto import canonical
from halo_core.ledger import build_entry_note, chain_marks, commit_state
from halo_core.model import Link, Revocation, Stop
from halo_core.store.cached_rows import TAINT_BYTES, TaintIndex
from halo_core.store.image import MAX_ACCOUNTS
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
    """Write a session's row, if it is still the one that was read and belongs to the newest entry with a state.

    Only for engines with many writers; the others say when somebody else has written.

    INVARIANT: AUDIT - a row that was put back to what this process remembers is not taken for the newest.

    Args:
        tx: the transaction.
        session: whose.
        row: version, state, and the (writer, sequence) of the entry that left it behind.
        base: the version that was read, None where there was no row.
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


_MAX_QUOTAS_AT_ONCE: Final = 64  # rows of one statement


@lru_cache(maxsize=_MAX_QUOTAS_AT_ONCE)
def _make_quota_statement(count: int) -> str:
    values = ",".join(["(?,?,?,?)"] * count)
    return (
        f"INSERT INTO quota VALUES {values} ON CONFLICT (tenant, account) DO UPDATE SET "  # noqa: S608  only marks
        "version=excluded.version, state=excluded.state WHERE excluded.version > quota.version"
    )


class QuotaTable(Table):
    """Spending per day, one row for each account."""

    def get(self, account: str) -> tuple[int, bytes] | None:
        """(version, state) of an account; None where it has no row."""
        known = self._tx.image.quotas
        if account not in known:
            if len(known) >= MAX_ACCOUNTS and not self._tx.database.has_many_writers:
                known.clear()
            row = self._tx.row_cursor.execute(
                f"SELECT version, state FROM quota WHERE tenant=? AND account=?{self._tx.database.row_lock}",  # noqa: S608  constants
                (self._tx.tenant, account),
            ).fetchone()
            known[account] = None if row is None else (row[0], bytes(row[1]))
        return known[account]

    def put(self, account: str, version: int, state: bytes) -> None:
        """Set an account's state; the version only rises.

        Raises:
            CannotDecide: the row has that version or a later one already.
        """
        self.put_all([(account, version, state)])

    def put_all(self, changed: Sequence[tuple[str, int, bytes]]) -> None:
        """As `put`, for the account, version and state of each of different rows; raises the same."""
        if self._tx.database.has_many_writers:
            for account, version, state in changed:
                self._put_if_unchanged(account, version, state)
        else:
            tenant = self._tx.tenant
            for start in range(0, len(changed), _MAX_QUOTAS_AT_ONCE):
                part = changed[start : start + _MAX_QUOTAS_AT_ONCE]
                values = [value for row in part for value in (tenant, *row)]
                self._tx.insert_rows(_make_quota_statement(len(part)), tuple(values), len(part))
        for account, version, state in changed:
            self._tx.image.quotas[account] = (version, state)

    def _put_if_unchanged(self, account: str, version: int, state: bytes) -> None:
        # INVARIANT: ENV - two processes that read the same spending cannot both write what follows from it.
        before = self.get(account)
        if before is None:
            self._tx.insert("INSERT INTO quota VALUES (?,?,?,?)", (self._tx.tenant, account, version, state))
            return
        self._tx.update(
            "UPDATE quota SET version=?, state=? WHERE tenant=? AND account=? AND version=?",
            (version, state, self._tx.tenant, account, before[0]),
        )


class BaselineTable(Table):
    """Which score is in force for each agent."""

    def get(self, agent: str) -> str:
        """Hash of the score's terms, empty where no score is in force."""
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
    """Alert entries, and the subjects whose sealed content was erased."""

    def load_since(self, index: int) -> list[tuple[int, bytes]]:
        """(position, note) of the alerts from a position on, in log order; signatures are not verified.

        On an engine with many writers nobody else writes alerts until the transaction ends, and those that wait for
        their position come last, with -1.
        """
        positions = "idx>=?"
        if self._tx.database.has_many_writers:
            self._tx.database.claim_control()
            positions = "(idx>=? OR idx IS NULL)"
        found = self._tx.cursor.execute(
            "SELECT idx, tenant, w, body, signatures FROM entry"  # noqa: S608  constants
            f" WHERE tenant=? AND {positions} AND kind='alert' ORDER BY idx",
            (self._tx.tenant, index),
        )
        return [(-1 if row[0] is None else row[0], build_entry_note(*row[1:])) for row in found]

    def is_erased(self, subject: str) -> bool:
        """Whether a subject's data was erased as a whole; nothing more is written about it by others then."""
        row = self._tx.cursor.execute(
            "SELECT 1 FROM vault WHERE tenant=? AND subject=? AND erased_at_us IS NOT NULL AND length(dek_wrapped)=0",
            (self._tx.tenant, subject),
        ).fetchone()
        return row is not None


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
        """Add one; False where it is there already."""
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
        """Remove one; False where there is none."""
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
    """Fingerprints of values that any session of the tenant stored while it was exposed; rows are only appended."""

    def refresh(self) -> TaintIndex:
        """The index in memory, brought up to date with the table."""
        index = self._tx.image.taint_index
        if self._load_newest()[0] != index.seq:
            rows = self._tx.cursor.execute(
                "SELECT seq, prints FROM residue WHERE tenant=? AND seq>? ORDER BY seq", (self._tx.tenant, index.seq)
            ).fetchall()
            for seq, chunk in rows:
                index.add_chunk(seq, chunk)
        return index

    def add(self, fingerprints: frozenset[int]) -> dict[str, Any] | None:
        """Store fingerprints; the commitment for the entry, None where all of them are there already."""
        index = self.refresh()
        new = sorted(item for item in fingerprints if not index.contains_any((item,)))
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
        """Number of the last row and the digest over all; (0, "") where there is none."""
        image = self._tx.image
        if image.taint_end is None:
            row = self._tx.cursor.execute(
                "SELECT seq, chain FROM residue WHERE tenant=? ORDER BY seq DESC LIMIT 1", (self._tx.tenant,)
            ).fetchone()
            image.taint_end = (0, "") if row is None else (row[0], row[1])
        return image.taint_end


_MAX_COUNT: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """What was spent on one UTC day under an envelope for one user. The day never goes back, and its sums never fall.

    Args:
        account: see `make_quota_account`.
        version: of the row.
        number: days since the epoch.
        used: (unit, amount), sorted.
        decimals: (unit, decimals) in which they were counted, sorted.
        stored_bytes: the bytes it was read from.
    """

    account: str
    version: int
    number: int
    used: tuple[tuple[str, int], ...]
    decimals: tuple[tuple[str, int], ...] = ()
    stored_bytes: bytes = b""

    def charge(self, charges: tuple[tuple[str, int], ...]) -> QuotaDay:
        """The next version of the row, after a charge of the units that have a quota."""
        amounts = dict(charges)
        used = tuple((unit, min(amount + max(amounts.get(unit, 0), 0), _MAX_COUNT)) for unit, amount in self.used)
        return replace(self, version=self.version + 1, used=used)

    def refund(self, unit: str, amount: int) -> QuotaDay:
        """The same version, after a cost turned out lower."""
        used = tuple(
            (name, min(max(spent - amount, 0), _MAX_COUNT) if name == unit else spent) for name, spent in self.used
        )
        return replace(self, used=used)

    def to_bytes(self) -> bytes:
        """Canonical bytes for the `state` column."""
        return canonical.dumps(
            {
                "day": self.number,
                "decimals": [list(item) for item in self.decimals],
                "used": [list(item) for item in self.used],
            }
        )


def read_quota_day(tx: RowAccess, account: str) -> QuotaDay | None:
    """The row of an account as it stands."""
    stored = QuotaTable(tx).get(account)
    if stored is None:
        return None
    tree = canonical.loads(stored[1])
    used, decimals = (tuple((unit, number) for unit, number in tree[name]) for name in ("used", "decimals"))
    return QuotaDay(account, stored[0], tree["day"], used, decimals, stored[1])


def make_quota_account(root: Link, user_reference: str) -> str:
    """Name of the account of a standing link's quotas for one user; empty for what the agent does for nobody named."""
    return f"{root.envelope}/{user_reference}" if user_reference else root.envelope


def compute_quota_day(tx: RowAccess, root: Link, at_us: int, user_reference: str = "") -> QuotaDay:
    """Today's sums of every unit that a standing link has a quota of.

    Args:
        tx: the transaction.
        root: the standing link.
        at_us: the time, microseconds.
        user_reference: of whom the agent acts for; sums are by agent and user, whatever the session.
    """
    account = make_quota_account(root, user_reference)
    stored = read_quota_day(tx, account) or QuotaDay(account, 0, 0, ())
    number = max(at_us // DAY_US, stored.number)
    spent_today = dict(stored.used) if number == stored.number else {}
    decimals = tuple(sorted((quota.unit, quota.decimals) for quota in root.quotas))
    old_decimals = dict(stored.decimals)
    # INVARIANT: ENV - in other decimals as much is spent, and never less.
    used = tuple((unit, _rescale(spent_today.get(unit, 0), old_decimals.get(unit, to), to)) for unit, to in decimals)
    return replace(stored, number=number, used=used, decimals=decimals)


def _rescale(amount: int, old: int, new: int) -> int:
    scaled: int = -(-amount * 10**new // 10**old)
    return min(scaled, _MAX_COUNT)


def write_quota_day(tx: RowAccess, day: QuotaDay | None) -> dict[str, Any] | None:
    """Write the row; returns what the entry records of it."""
    if day is None:
        return None
    data = day.to_bytes()
    QuotaTable(tx).put(day.account, day.version, data)
    return {"account": day.account, **commit_state(day.version, data, before=day.stored_bytes)}


class ResourceTable(Table):
    """The table `resource`, as one transaction sees it: what each resource was registered as."""

    def get(self, resource: str) -> bytes | None:
        """The registration of a resource; None where it has none."""
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
