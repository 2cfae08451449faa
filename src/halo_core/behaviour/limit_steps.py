"""How far a single session moves a limit, and the first limits of amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from halo_core.behaviour.axes import ALARM
from halo_core.behaviour.limits import FINE, SLOW_STEP, Histogram, move_limit
from halo_core.behaviour.measures import COUNT, INDEX, WINDOWED
from halo_core.behaviour.tally import SessionTally

AMOUNT_IDS: Final = frozenset(("amount_largest", "amount_sum", "amount_sum_recent"))
"""Ids of the axes of amounts in an assessment."""
AMOUNT_SERIES: Final = (INDEX["amount_sum"], INDEX["amount_largest"], COUNT + WINDOWED.index(INDEX["amount_sum"]))
"""Places of the limits of amounts."""
_LARGEST: Final = INDEX["amount_largest"]
_FEW_PAYMENTS: Final = 8
"""Sessions with amounts until which nobody knows what is usual of them."""
_CLEARED_SLACK: Final = 37
"""64ths of an octave (a factor of 1.5) by which a young limit passes what a session has reached."""


class LimitStep(NamedTuple):
    """What a session may do to the limits of a profile.

    Args:
        is_settled: the profile has shown enough sessions for limits to move by steps.
        are_sums_settled: likewise, for limits of sums over recent sessions.
        is_cleared: a person found the session ordinary.
        is_quick: it was asked about or observed, so that larger steps are due.
        slow: places of limits that rise slowly.
        begins: places of limits that begin with this session; what they were before says nothing.
    """

    is_settled: bool
    are_sums_settled: bool
    is_cleared: bool
    is_quick: bool
    slow: tuple[int, ...]
    begins: tuple[int, ...]

    def find_limit(self, at: int, limit: int, target: int, level: int, day_limit: int) -> int:
        """The limit at a place after a session, in 64ths of an octave.

        Args:
            at: the place of the limit.
            limit: the limit before the session.
            target: the limit that the histogram asks for.
            level: the level that the session has reached, in 16ths of an octave.
            day_limit: the limit at the start of the day.
        """
        is_young = not (self.are_sums_settled if at >= COUNT else self.is_settled)
        if (is_young and self.is_cleared) or (at in self.begins and self.is_settled):
            # One mistaken verdict on a young profile must not open it.
            return max(limit, min(target, level * FINE + _CLEARED_SLACK))
        if is_young:
            return target
        moved = move_limit(limit, target, day_limit, cleared=self.is_quick)
        return min(moved, limit + SLOW_STEP) if at in self.slow and not self.is_quick else moved


def has_hardly_paid(histograms: Sequence[Histogram]) -> bool:
    """Whether too few sessions have moved an amount for anybody to know what is usual."""
    return sum(count for level, count in histograms[_LARGEST] if level) < _FEW_PAYMENTS


def list_beginning(histograms: Sequence[Histogram], tally: SessionTally) -> tuple[int, ...]:
    """Places of limits that begin with a session.

    A limit rises by a share of itself, so that of an agent which begins to pay late would stay at nothing for years.

    INVARIANT: a limit of amounts begins only with a session that raised no alarm but such as the request accounts for.
    """
    is_accounted = tally["amount_largest"] > 0 and all(alarm.share < ALARM for alarm in tally.alarms)
    return AMOUNT_SERIES if is_accounted and has_hardly_paid(histograms) else ()
