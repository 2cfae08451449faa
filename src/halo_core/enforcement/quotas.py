"""Warnings before a day's quota is used up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from halo_core.model import Quota
from halo_core.quick_dataclass import dataclass
from halo_core.store.quota_rows import QuotaDay

WARNED_AT_PERCENT: Final = 80
"""Share of a quota from which a warning is logged, once a day for each agent and user."""


@dataclass(frozen=True, slots=True)
class QuotaWarning:
    """A quota that is nearly used up.

    Args:
        unit: unit of the quota.
        used: spent today, in the unit's smallest parts.
        per_day: the quota, in the same.
        decimals: decimals of the unit.
    """

    unit: str
    used: int
    per_day: int
    decimals: int

    def describe(self) -> str:
        """The warning as one sentence: how much of today's quota is used."""
        used, per_day = (f"{amount / 10**self.decimals:,.{self.decimals}f}" for amount in (self.used, self.per_day))
        return f"{used} of {per_day} {self.unit} of today's quota are used"


def find_quota_warnings(quotas: Iterable[Quota], before: QuotaDay, after: QuotaDay) -> tuple[QuotaWarning, ...]:
    """The quotas that a charge brings to at least `WARNED_AT_PERCENT` of the day's amount.

    Args:
        quotas: quotas of the standing link.
        before: the day's sums before the charge.
        after: the sums after it.
    """
    used_before, used_after = dict(before.used), dict(after.used)
    return tuple(
        QuotaWarning(item.unit, used_after[item.unit], item.per_day, item.decimals)
        for item in quotas
        if used_before.get(item.unit, 0) * 100 < WARNED_AT_PERCENT * item.per_day
        and used_after.get(item.unit, 0) * 100 >= WARNED_AT_PERCENT * item.per_day
    )
