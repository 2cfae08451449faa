"""What is usual of a measure, and the limit that follows: histograms over sessions, and their tails.

A histogram counts an identity's ordinary sessions by the level of a measure (`measures.to_level`). Its limit leaves at
most a stated share of ordinary sessions above it: by rank where there are enough sessions (conformal: Vovk et al.,
Algorithmic Learning in a Random World, 2005), and by continuing the slope of the tail where there are few. How wide
the limits of an identity are altogether is adapted to how often its ordinary sessions passed them (Gibbs and Candès,
Adaptive Conformal Inference Under Distribution Shift, 2021).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from halo_core.behaviour.measures import COUNT, INDEX, MAX_LEVEL, MEASURES, WINDOWED, level_of, to_level, value_at
from halo_core.behaviour.packing import NumberReader

Histogram = tuple[tuple[int, int], ...]
"""(level, sessions), rising in level."""

FINE: Final = 4
"""Limits are kept in a quarter of a level, 64ths of an octave, so that small steps add up."""
SERIES: Final = COUNT + len(WINDOWED)
"""Number of limits: one for each measure, then one for each measure over recent sessions."""
MATURE_SESSIONS: Final = 60
SHARE: Final = 20
"""Thousandths of ordinary sessions that may pass any of an identity's limits."""
_SHARE_BITS: Final = 144
"""16 * log2 of 1 / the share of one limit (1 in 512): SHARE shared out over as many limits as really differ."""
LEAST_SLACK: Final = 10
"""Levels that a limit lies above the largest ordinary value (1.5 times), while there are fewer sessions than that."""
WINDOW_SLACK: Final = 8
"""The same of a sum over recent sessions (1.4 times), whose values depend on each other."""
_MAX_SESSIONS: Final = 1024
_MAX_BINS: Final = 24
_MAX_READ_BINS: Final = 64
_COUNT_OF_PAIR: Final = itemgetter(1)
_ALIKE: Final = 512
"""Histograms of which is remembered what was made of them: an identity never does most of what is measured, so that one
session asks the same of many."""
_PRIOR_SLOPE: Final = 6
"""Levels that a limit rises for each halving of the share, where an identity has shown little."""
_PRIOR_WEIGHT: Final = 16
_TAIL: Final = 48  # 16ths of halvings over which the slope is measured: the upper eighth
MAX_STEP: Final = 4
"""64ths of an octave that one session raises a limit by at most (4.4 %), once mature."""
MAX_DAY_STEP: Final = 21
"""64ths of an octave that one day raises a limit by at most (25.5 %), once mature."""
CLEARED_STEP: Final = 32
"""64ths of an octave that a session which a person found ordinary raises a limit by at most (41 %)."""
CLEARED_DAY_STEP: Final = 64
_DOWN_STEP: Final = 1
LOOSENESS_UNIT: Final = 16
"""Looseness is kept in 1,024ths of an octave: 16 of them are a 64th, the unit of limits."""
MAX_LOOSENESS: Final = 32 * FINE * LOOSENESS_UNIT
_LOOSER: Final = 4 * FINE * LOOSENESS_UNIT
_WINDOW_FLOOR: Final = 3
_WINDOW_GENEROUS: Final = 8


@lru_cache(maxsize=_ALIKE)
def add_to_histogram(histogram: Histogram, level: int) -> Histogram:
    """The histogram with one more session; half of it is forgotten each 1,024 sessions."""
    # A session adds to each histogram of a profile; most of them only count one more.
    place = bisect_left(histogram, (level,))
    if place < len(histogram) and histogram[place][0] == level:
        grown = (*histogram[:place], (level, histogram[place][1] + 1), *histogram[place + 1 :])
    else:
        grown = (*histogram[:place], (level, 1), *histogram[place:])
    is_full = count_sessions(grown) > _MAX_SESSIONS
    return _shorten(dict(grown), is_full=is_full) if is_full or len(grown) > _MAX_BINS else grown


def _shorten(counts: dict[int, int], *, is_full: bool) -> Histogram:
    if is_full:
        counts = {at: count // 2 for at, count in counts.items() if count > 1}
    while len(counts) > _MAX_BINS:
        levels = sorted(counts)
        # The closest neighbours become one, at the upper of the two: a limit never falls by that.
        low, high = min(itertools.pairwise(levels), key=lambda pair: (pair[1] - pair[0], pair))
        counts[high] += counts.pop(low)
    return tuple(sorted(counts.items()))


def remove_from_histogram(histogram: Histogram, level: int) -> Histogram:
    """The histogram without one session of that level, or of the next above it that was counted."""
    counts = dict(histogram)
    at = min((known for known in counts if known >= level), default=None)
    if at is not None:
        counts[at] -= 1
    return tuple(sorted((known, count) for known, count in counts.items() if count))


def read_histogram(reader: NumberReader) -> Histogram:
    """A histogram whose levels are written as differences."""
    pairs, level = [], 0
    for _ in range(reader.take(0, _MAX_READ_BINS)):
        level += reader.take(0, MAX_LEVEL)
        pairs.append((level, reader.take(1)))
    return tuple(pairs)


@lru_cache(maxsize=_ALIKE)
def list_histogram(histogram: Histogram) -> tuple[int, ...]:
    """Inverse of `read_histogram`."""
    numbers, last = [len(histogram)], 0
    for level, count in histogram:
        numbers += (level - last, count)
        last = level
    return tuple(numbers)


def count_sessions(histogram: Histogram) -> int:
    """Sessions in a histogram."""
    return sum(map(_COUNT_OF_PAIR, histogram))


def _find_quantile(histogram: Histogram, above: int) -> int:
    """The smallest level that at most `above` sessions pass."""
    count_left = above
    for level, count in reversed(histogram):
        count_left -= count
        if count_left < 0:
            return level
    return 0


@lru_cache(maxsize=_ALIKE)
def estimate_limit(histogram: Histogram, slack: int = LEAST_SLACK) -> int:
    """The level that a new ordinary session passes with about the share of one limit; 0 of no sessions.

    Args:
        histogram: ordinary sessions by level.
        slack: levels above the largest one that the limit lies at least, while there are few sessions.
    """
    if not histogram or histogram[-1][0] <= 0:
        return 0  # as of what an identity never does
    every = count_sessions(histogram)
    above_zero = every - histogram[0][1] if histogram[0][0] <= 0 else every
    allowed = every >> _SHARE_BITS // 16
    if allowed:
        return _find_quantile(histogram, allowed)
    bits, depth = _SHARE_BITS - (to_level(every) - to_level(above_zero)), to_level(above_zero - 1)
    largest = histogram[-1][0]
    tail = min(_TAIL, depth)
    spread = largest - _find_quantile(histogram, min(max(above_zero >> tail // 16, 1), above_zero - 1))
    slope_16 = (16 * (spread + _PRIOR_SLOPE * _PRIOR_WEIGHT // 16)) * 16 // (tail + _PRIOR_WEIGHT)
    return largest + max(max(bits - depth, 0) * slope_16 // 256, slack)


CLIP: Final = 10
"""Levels above its limit (1.5 times) that an alarmed session of observe mode is taken to have reached at most."""


def move_limit(before: int, target: int, day_start: int, *, cleared: bool = False) -> int:
    """The limit after one session: towards the target, by a bounded step and within the bound of the day.

    All in 64ths of an octave. INVARIANT: it rises by at most `MAX_STEP`, and by `MAX_DAY_STEP` above its start of the
    day; by more only where a person found the session ordinary, or nobody was there to ask (observe mode).
    """
    if target < before:
        return max(before - _DOWN_STEP, target)
    step, day_step = (CLEARED_STEP, CLEARED_DAY_STEP) if cleared else (MAX_STEP, MAX_DAY_STEP)
    return max(min(target, before + step, day_start + day_step), before)


def update_looseness(before: int, *, exceeded: bool) -> int:
    """How much wider limits are than estimated, after one ordinary session, in 1,024ths of an octave."""
    if exceeded:
        return min(before + _LOOSER, MAX_LOOSENESS)
    return max(before - _LOOSER * SHARE // (1000 - SHARE), 0)


def _floor_of(at: int, *, generous: bool) -> int:
    if at < COUNT:
        measure = MEASURES[at]
        return measure.generous if generous else measure.floor
    measure = MEASURES[WINDOWED[at - COUNT]]
    return measure.generous * _WINDOW_GENEROUS if generous else measure.floor * _WINDOW_FLOOR


FLOORS: Final = tuple(level_of(at, _floor_of(at, generous=False)) * FINE for at in range(SERIES))
GENEROUS: Final = tuple(level_of(at, _floor_of(at, generous=True)) * FINE for at in range(SERIES))
"""Shipped limits for identities without a history, in 64ths of an octave."""


@dataclass(frozen=True)
class RolePrior:
    """Limits that stand in while an identity has little history: those of its role, or the shipped ones.

    Args:
        limits: in 64ths of an octave, one for each limit.
        sessions: that they come from, 0 for the shipped ones.
    """

    limits: tuple[int, ...] = GENEROUS
    sessions: int = 0


SHIPPED_PRIOR: Final = RolePrior()


def blend_limits(
    own: tuple[int, ...], sessions: int, looseness: int, prior: tuple[int, ...], window: int
) -> tuple[int, ...]:
    """Limits in force, as values: the prior's at first, an identity's own once it is mature.

    Args:
        own: limits of the identity, in 64ths of an octave.
        sessions: ordinary sessions it has shown.
        looseness: see `update_looseness`.
        prior: limits of its role, or `GENEROUS`.
        window: sessions before sums over recent sessions count.
    """
    # Beyond these, more of both changes nothing, so that the limits of a mature identity are mostly remembered.
    return _blend_limits(own, min(sessions, MATURE_SESSIONS + window), looseness // LOOSENESS_UNIT, prior, window)


@lru_cache(maxsize=4096)
def _blend_limits(
    own: tuple[int, ...], sessions: int, loosened: int, prior: tuple[int, ...], window: int
) -> tuple[int, ...]:
    limits = []
    for at, (mine, given, floor) in enumerate(zip(own, prior, FLOORS, strict=True)):
        weight = min(max(sessions - (window if at >= COUNT else 0), 0), MATURE_SESSIONS)
        mature = max(mine + loosened, floor)
        blended = (mature * weight + max(given, mature) * (MATURE_SESSIONS - weight)) // MATURE_SESSIONS
        limit = value_at(at, min(blended // FINE, MAX_LEVEL))
        ceiling = MEASURES[at].ceiling if at < COUNT else 0
        limits.append(min(limit, ceiling) if ceiling and weight == MATURE_SESSIONS else limit)
    return tuple(limits)


# limits below the floor of other limits, for what hardly ever happens without being asked for

_PAYMENTS, _ACTS = INDEX["payments"], INDEX["acts"]
_UNRELATED_PAYMENTS, _UNRELATED_ACTS = INDEX["unrelated_payments"], INDEX["unrelated_acts"]
_RECENT_UNRELATED_ACTS: Final = COUNT + WINDOWED.index(_UNRELATED_ACTS)
_MANY_PAYMENTS: Final = 10
"""Ordinary sessions with payments after which one to an account that no request leads to says something."""
_MANY_ACTS: Final = 40
"""Likewise of changes to things that no request leads to."""
_LEAST_NARROW: Final = (to_level(1) * FINE, to_level(3) * FINE)
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
        steps = zip(self, _estimate_narrow(histograms), matures, strict=True)
        return NarrowLimits(*(aim if sessions <= mature else min(aim, old + step) for old, aim, mature in steps))

    def unlearn(self, histograms: Sequence[Histogram]) -> NarrowLimits:
        """The limits without a session that turned out to be an attack."""
        return NarrowLimits(*map(min, self, _estimate_narrow(histograms)))


ANY_CHANGES: Final = NarrowLimits()


def _estimate_narrow(histograms: Sequence[Histogram]) -> Iterable[int]:
    limits = (
        estimate_limit(histograms[_UNRELATED_ACTS]),
        estimate_limit(histograms[_RECENT_UNRELATED_ACTS], WINDOW_SLACK),
    )
    return [max(level * FINE, least) for level, least in zip(limits, _LEAST_NARROW, strict=True)]


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
        narrower[_RECENT_UNRELATED_ACTS] = value_at(_UNRELATED_ACTS, min(limits.recent // FINE, MAX_LEVEL))
    return narrower


def _count_with(histogram: Histogram) -> int:
    """Sessions that showed any of it."""
    return count_sessions(tuple(pair for pair in histogram if pair[0]))
