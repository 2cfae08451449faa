"""Spending per UTC day: the table `quota`, and the sums of one day in a row of it.

A decision computes the sums of the day (`compute_quota_day`), charges them, and writes them (`write_quota_day`).

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.durations import DAY_US
from halo_core.ledger import commit_state
from halo_core.model import Link
from halo_core.quick_dataclass import dataclass
from halo_core.store.image import MAX_ACCOUNTS
from halo_core.store.row_access import RowAccess, Table

_MAX_QUOTAS_AT_ONCE: Final = 64  # rows of one statement
_MAX_COUNT: Final = 2**53 - 1


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
        """(version, state) of an account; None if it has no row."""
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
        """Like `put`, for the account, version and state of each of different rows; raises the same."""
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


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """Spending on one UTC day under an envelope for one user. The day never goes back; sums never fall.

    Args:
        account: see `make_quota_account`.
        version: version of the row.
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
        """The same version, after an actual cost below the reserved one."""
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
    """Name of the account of a standing link's quotas for one user; empty if the agent acts for nobody named."""
    return f"{root.envelope}/{user_reference}" if user_reference else root.envelope


def compute_quota_day(tx: RowAccess, root: Link, at_us: int, user_reference: str) -> QuotaDay:
    """Today's sums of every unit that has a quota in a standing link.

    Args:
        tx: the transaction.
        root: the standing link.
        at_us: the time, microseconds.
        user_reference: reference of the user for whom the agent acts; sums are by agent and user, over all sessions.
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
    """Write the row; returns the commitment for the entry."""
    if day is None:
        return None
    data = day.to_bytes()
    QuotaTable(tx).put(day.account, day.version, data)
    return {"account": day.account, **commit_state(day.version, data, before=day.stored_bytes)}
