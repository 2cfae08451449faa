"""Daily quotas of a standing link: what was spent on one UTC day, over all sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.model import Link
from halo_core.store import Transaction, commit_state, rows

_DAY_US: Final = 86_400_000_000
_MAX_COUNT: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """What was spent on one UTC day under an envelope. The day never goes back, and its sums never fall.

    Args:
        account: the envelope's name.
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


def read_quota_day(tx: Transaction, account: str) -> QuotaDay | None:
    """The row of an account as it stands."""
    stored = rows.QuotaTable(tx).get(account)
    if stored is None:
        return None
    tree = canonical.loads(stored[1])
    used, decimals = (tuple((unit, number) for unit, number in tree[name]) for name in ("used", "decimals"))
    return QuotaDay(account, stored[0], tree["day"], used, decimals, stored[1])


def compute_quota_day(tx: Transaction, root: Link, at_us: int) -> QuotaDay:
    """Today's sums of every unit that a standing link has a quota of."""
    stored = read_quota_day(tx, root.envelope) or QuotaDay(root.envelope, 0, 0, ())
    number = max(at_us // _DAY_US, stored.number)
    spent_today = dict(stored.used) if number == stored.number else {}
    decimals = tuple(sorted((quota.unit, quota.decimals) for quota in root.quotas))
    old_decimals = dict(stored.decimals)
    # INVARIANT: ENV - in other decimals as much is spent, and never less.
    used = tuple((unit, _rescale(spent_today.get(unit, 0), old_decimals.get(unit, to), to)) for unit, to in decimals)
    return replace(stored, number=number, used=used, decimals=decimals)


def _rescale(amount: int, old: int, new: int) -> int:
    scaled: int = -(-amount * 10**new // 10**old)
    return min(scaled, _MAX_COUNT)


def write_quota_day(tx: Transaction, day: QuotaDay | None) -> dict[str, Any] | None:
    """Write the row; returns what the entry records of it."""
    if day is None:
        return None
    data = day.to_bytes()
    rows.QuotaTable(tx).put(day.account, day.version, data)
    return {"account": day.account, **commit_state(day.version, data, before=day.stored_bytes)}
