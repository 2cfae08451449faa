"""Limits below their floor, for what hardly ever happens without being asked for, as much work has shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from halo_core.behaviour.limits import (
    CLEARED_STEP,
    FINE,
    MATURE_SESSIONS,
    WINDOW_SLACK,
    Histogram,
    count_sessions,
    estimate_limit,
)
from halo_core.behaviour.measures import COUNT, INDEX, MAX_LEVEL, WINDOWED, to_level, value_at

_PAYMENTS, _ACTS = INDEX["payments"], INDEX["acts"]
_UNRELATED_PAYMENTS, _UNRELATED_ACTS = INDEX["unrelated_payments"], INDEX["unrelated_acts"]
_RECENT: Final = COUNT + WINDOWED.index(_UNRELATED_ACTS)
_MANY_PAYMENTS: Final = 10
"""Ordinary sessions with payments after which one to an account that no request leads to says something."""
_MANY_ACTS: Final = 40
"""Likewise of changes to things that no request leads to."""
_LEAST: Final = (to_level(1) * FINE, to_level(3) * FINE)
SLOW_STEP: Final = 1
"""64ths of an octave (1.1 %) by which a session raises a limit of what no request leads to, once mature."""


class NarrowLimits(NamedTuple):
    """Limits of changes that no request leads to, in 64ths of an octave: of a session, and of recent sessions.

    They follow what ordinary sessions reached, without the floor of other limits, and rise more slowly than those.
    """

    session: int = MAX_LEVEL * FINE
    recent: int = MAX_LEVEL * FINE

    def learn(self, histograms: Sequence[Histogram], sessions: int, window: int, *, is_quick: bool) -> NarrowLimits:
        """The limits after one more session.

        Args:
            histograms: of all limits, with the session.
            sessions: that they are of.
            window: sessions that sums reach back: those of fewer are in no histogram.
            is_quick: a person found the session ordinary, or nobody was there to ask.
        """
        step = CLEARED_STEP if is_quick else SLOW_STEP
        matures = MATURE_SESSIONS, MATURE_SESSIONS + window
        steps = zip(self, _estimate(histograms), matures, strict=True)
        return NarrowLimits(*(aim if sessions <= mature else min(aim, old + step) for old, aim, mature in steps))

    def unlearn(self, histograms: Sequence[Histogram]) -> NarrowLimits:
        """The limits without a session that turned out to be an attack."""
        return NarrowLimits(*map(min, self, _estimate(histograms)))


ANY_CHANGES: Final = NarrowLimits()


def _estimate(histograms: Sequence[Histogram]) -> Iterable[int]:
    limits = estimate_limit(histograms[_UNRELATED_ACTS]), estimate_limit(histograms[_RECENT], WINDOW_SLACK)
    return [max(level * FINE, least) for level, least in zip(limits, _LEAST, strict=True)]


def narrow_by_habit(histograms: Sequence[Histogram], limits: NarrowLimits) -> Mapping[int, int]:
    """Limits, by their place, of what an identity with these ordinary sessions does though no request leads there.

    Args:
        histograms: one for each limit.
        limits: of its changes.
    """
    narrower = {}
    if _count_with(histograms[_PAYMENTS]) >= _MANY_PAYMENTS and not _count_with(histograms[_UNRELATED_PAYMENTS]):
        narrower[_UNRELATED_PAYMENTS] = 0
    if _count_with(histograms[_ACTS]) >= _MANY_ACTS:
        narrower[_UNRELATED_ACTS] = value_at(_UNRELATED_ACTS, min(limits.session // FINE, MAX_LEVEL))
        narrower[_RECENT] = value_at(_UNRELATED_ACTS, min(limits.recent // FINE, MAX_LEVEL))
    return narrower


def _count_with(histogram: Histogram) -> int:
    """Sessions that showed any of it."""
    return count_sessions(tuple(pair for pair in histogram if pair[0]))
