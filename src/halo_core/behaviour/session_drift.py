"""Drift of an identity over its sessions: its habits and its measures against those of its reference sessions.

The reference is the first `REFERENCE_SESSIONS` ordinary sessions. It does not learn afterwards, or only very slowly, so
that an identity which changes step by step is compared with what it was at first, not with the step before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from functools import lru_cache
from importlib import resources
from math import isqrt
from typing import Final, NamedTuple

from halo_core.behaviour.drift_waves import MIN_SLACK, REFERENCE_SLACK, widen_by_return
from halo_core.behaviour.measures import DRIFTING, MEASURES, from_level, list_levels
from halo_core.behaviour.packing import NumberReader, encode_numbers, profile_error
from halo_core.quick_dataclass import dataclass
from halo_core.risk.drift import (
    HABITS,
    UNIT,
    WAY_WEIGHT,
    DriftAxes,
    DriftMonitor,
    DriftReference,
    DriftSession,
    fit_reference,
)

REFERENCE_SESSIONS: Final = 60
_MAX_WAYS: Final = 10  # of a session
_MAX_PAIRS: Final = 320  # of a request and a way, in a reference
_MAX_TASKS: Final = REFERENCE_SESSIONS
_UNIT: Final = 1024
_WAY_DIRECTIONS: Final = 2
"""Directions besides those of `risk/axes.json`: the shares of new and of missing ways."""


class DriftTerms(NamedTuple):
    """What habits are held to.

    Args:
        alarm: thousandths of the limits of `risk/axes.json` that habits must pass in two sessions in a row: on recorded
            agents this finds more changes than the limits themselves in one session, with no more false alarms.
        way_weight: 1/1024 with which ways (which arguments a tool is given) count.
        is_joint: directions are weighed by how they go together in the identity's own sessions.
    """

    alarm: int
    way_weight: int
    is_joint: bool


DRIFT_TERMS: Final = DriftTerms(875, WAY_WEIGHT, is_joint=True)
EARLIER_DRIFT_TERMS: Final = DriftTerms(850, UNIT, is_joint=False)


@lru_cache(maxsize=1)
def load_axes() -> DriftAxes:
    """The directions along which agents differ, as shipped (`studies/train_behaviour.py` makes them)."""
    text = resources.files("halo_core.risk").joinpath("axes.json").read_text(encoding="utf-8")
    return DriftAxes.from_plain(json.loads(text))


@dataclass(frozen=True, slots=True)
class HabitDrift:
    """Habits over sessions; see `risk.drift`.

    Args:
        rows: reference sessions so far, until there are enough.
        reference: what is usual, once there are.
        monitor: state of the detector.
        before: share of an alarm that the session before the last reached.
        slack: the limits in force, in thousandths of the shipped ones: wide where reference sessions vary much.
        alarm: as `DriftTerms.alarm`, of the terms by which `before` was computed; it is not stored.
        peak: what a deviation has reached of which nobody was asked, until it goes; 0 for none.
    """

    rows: tuple[DriftSession, ...] = ()
    reference: DriftReference | None = None
    monitor: DriftMonitor = field(default_factory=DriftMonitor)
    before: int = 0
    slack: int = MIN_SLACK
    alarm: int = DRIFT_TERMS.alarm
    peak: int = 0

    def advance(
        self,
        session: DriftSession,
        *,
        learns: bool,
        axes: DriftAxes | None = None,
        terms: DriftTerms = DRIFT_TERMS,
    ) -> HabitDrift:
        """The state after one more session; only one that teaches becomes a reference session.

        Args:
            session: its habits.
            learns: whether it teaches.
            axes: other directions than the shipped ones, for studies.
            terms: of the form of the profile.
        """
        axes = axes or load_axes()
        if self.reference is not None:
            monitor = self.monitor.advance(axes, self.reference, session, way_weight=terms.way_weight)
            before = self.monitor.worst_share * 1000 // terms.alarm
            return replace(self, monitor=monitor, before=before, alarm=terms.alarm)
        if not learns:
            return self
        kept_ways = _keep_few_ways(session)
        rows = (*self.rows, kept_ways)
        if len(rows) < REFERENCE_SESSIONS:
            return replace(self, rows=rows)
        reference = fit_reference(axes, rows, is_joint=terms.is_joint)
        slack = _measure_slack(axes, reference, rows, terms)
        return HabitDrift((), _bound_ways(reference), slack=slack, alarm=terms.alarm)

    def make_comparable(self, session: DriftSession) -> DriftSession:
        """A session with the ways that the reference could have kept: others would be new in each session."""
        if self.reference is not None and not self.reference.call_shapes.get(session.request):
            return DriftSession(session.request, session.habits)
        return _keep_few_ways(session)

    @property
    def _latest(self) -> int:
        return self.monitor.worst_share * 1000 // self.alarm

    @property
    def share(self) -> int:
        """Share of an alarm, in thousandths: what two sessions in a row reached."""
        return min(self.before, self._latest) * 1000 // self.slack

    @property
    def latest_share(self) -> int:
        """What the last session has reached."""
        return self._latest * 1000 // self.slack

    def note_return(self, *, is_asked: bool, is_observed: bool) -> HabitDrift:
        """The state that knows whether a deviation came and went; see `widen_by_return`."""
        reached = min(self.before, self._latest)
        peak, slack = widen_by_return(
            (self.peak, self.slack), reached, is_alarm=self.share >= _ALARM, is_asked=is_asked, is_observed=is_observed
        )
        return self if (peak, slack) == (self.peak, self.slack) else replace(self, peak=peak, slack=slack)

    def fade(self) -> HabitDrift:
        """The state after a session that tells nothing of drift, since Halo stopped some of it: an eighth less."""
        means = tuple(tuple(map(_fade, row)) for row in self.monitor.means)
        monitor = replace(self.monitor, means=means, worst_share=_fade(_fade(self.monitor.worst_share)))
        return replace(self, monitor=monitor, before=_fade(_fade(self.before)))

    def to_numbers(self) -> list[int | bytes]:
        """Numbers to be packed."""
        numbers: list[int | bytes] = [len(self.rows), *map(_encode_row, self.rows), int(self.reference is not None)]
        if self.reference is not None:
            numbers.append(_encode_reference(self.reference.numbers))
        numbers += (self.before, self.slack, self.monitor.count, self.monitor.worst_share, len(self.monitor.means))
        for means in self.monitor.means:
            numbers += means
        return numbers

    @classmethod
    def read(cls, reader: NumberReader, terms: DriftTerms) -> HabitDrift:
        """Inverse of `to_numbers`, of a profile that is held to these terms."""
        rows = []
        for _ in range(reader.take(0, REFERENCE_SESSIONS)):
            request, habits = reader.take(0), reader.take_many(len(HABITS))
            rows.append(DriftSession(request, habits, frozenset(reader.take_many(reader.take(0, _MAX_WAYS), 0))))
        reference = _read_reference(reader) if reader.take(0, 1) else None
        before, slack = reader.take(0), reader.take(MIN_SLACK)
        count, worst, smoothings = reader.take(0), reader.take(0), reader.take(0, len(load_axes().keeps))
        means = tuple(reader.take_many(_count_directions()) for _ in range(smoothings))
        return cls(tuple(rows), reference, DriftMonitor(count, means, worst), before, slack, terms.alarm)


def _keep_few_ways(session: DriftSession) -> DriftSession:
    """The session with at most `_MAX_WAYS` ways."""
    return DriftSession(session.request, session.habits, frozenset(sorted(session.call_shapes)[:_MAX_WAYS]))


def _shrink(share: int, slack: int) -> int:
    """A signed share under wider limits, rounded towards 0."""
    return share * MIN_SLACK // slack if share >= 0 else -(-share * MIN_SLACK // slack)


def _fade(number: int) -> int:
    """A number less an eighth, rounded towards 0."""
    return number * 7 // 8 if number >= 0 else -(-number * 7 // 8)


def is_drift_axis(axis: str) -> bool:
    """Whether an axis of an assessment tells of drift over sessions."""
    return axis == "habits" or axis.endswith("_trend")


def _count_directions() -> int:
    return len(load_axes().rows) + _WAY_DIRECTIONS


def _count_pairs() -> int:
    """Pairs of directions, each with itself among them."""
    return _count_directions() * (_count_directions() + 1) // 2


def _measure_slack(axes: DriftAxes, reference: DriftReference, rows: Iterable[DriftSession], terms: DriftTerms) -> int:
    """How much wider than shipped the limits must be for the reference sessions to stay well below them.

    They are compared one by one with the others. Sessions of heavy tails, or of busy days in a row, wander more than
    recorded agents did.
    """
    monitor, before, highest = DriftMonitor(), 0, 0
    for row in rows:
        monitor = monitor.advance(axes, reference, row, member=True, way_weight=terms.way_weight)
        share = monitor.worst_share * 1000 // terms.alarm
        before, highest = share, max(highest, min(before, share))
    return max(MIN_SLACK, highest * REFERENCE_SLACK // 1000)


def _bound_ways(reference: DriftReference) -> DriftReference:
    """The reference with a bounded number of ways, those of the most frequent requests."""
    room, kept = _MAX_PAIRS, {}
    for request in sorted(reference.tasks, key=lambda task: (-reference.tasks[task][0], task)):
        ways = dict(sorted(reference.call_shapes.get(request, {}).items())[:room])
        room -= len(ways)
        kept[request] = ways
    return replace(reference, call_shapes=kept)


@lru_cache(maxsize=4096)
def _encode_row(row: DriftSession) -> bytes:
    """A reference session, which each later version of a profile stores again."""
    return encode_numbers((row.request, *row.habits, len(row.call_shapes), *sorted(row.call_shapes)))


@lru_cache(maxsize=256)
def _encode_reference(numbers: tuple[int, ...]) -> bytes:
    """The numbers of a reference, which each later version of a profile stores again."""
    return encode_numbers(numbers)


def _read_reference(reader: NumberReader) -> DriftReference:
    width = _count_directions()
    means, spread = reader.take_many(width), reader.take_many(width, 0)
    tasks: dict[int, tuple[int, tuple[int, ...]]] = {}
    call_shapes: dict[int, dict[int, int]] = {}
    for _ in range(reader.take(0, _MAX_TASKS)):
        request, times, sums = reader.take(0), reader.take(0), reader.take_many(width - _WAY_DIRECTIONS)
        ways = [(reader.take(0), reader.take(0)) for _ in range(reader.take(0, _MAX_PAIRS))]
        tasks[request], call_shapes[request] = (times, sums), dict(ways)
    return DriftReference(means, tasks, call_shapes, spread)


_MAX_MOVERS: Final = 4
_NOTED: Final = 500
"""Share of an alarm from which on it is noted what moved, and who moves it further."""
_FORGOTTEN: Final = 250
"""Share of an alarm below which its movers are forgotten."""
_KEEPS: Final = (768, 922, 984)
"""1/1024 of a smoothed deviation that stay with each session: one number for each smoothing."""
_MAX_DEVIATION: Final = 3 * _UNIT
_MIN_SPREAD: Final = 6
"""Least standard deviation of a level, in units of levels."""
_ALARM: Final = 1000
_UNIT_ROOT: Final = 32
"""A variance in 1/1024 has a root in 1/32."""
TREND_LIMIT: Final = 5 * _UNIT + _UNIT // 5
"""Deviation of a smoothed measure, in 1/1024 of its standard deviation, at which an alarm starts."""
_RISING: Final = frozenset(at for at, of in enumerate(DRIFTING) if MEASURES[of].id in ("failures", "refusals"))
"""Places of measures whose fall is no alarm: what Halo stops does not fail."""


@dataclass(frozen=True, slots=True)
class MeasureTrend:
    """Levels of the drifting measures over sessions, smoothed (EWMA: Roberts, 1959).

    Args:
        sessions: reference sessions so far.
        sums: of their levels.
        squares: of their levels, squared.
        count: sessions watched after those.
        means: smoothed deviations, for each smoothing, in 1/1024 of the standard deviation.
        latest: largest share of an alarm for each measure, signed by its direction, in thousandths.
        before: the same after the session before the last.
        peak, slack: as those of `HabitDrift`.
    """

    sessions: int = 0
    sums: tuple[int, ...] = (0,) * len(DRIFTING)
    squares: tuple[int, ...] = (0,) * len(DRIFTING)
    count: int = 0
    means: tuple[tuple[int, ...], ...] = ((0,) * len(DRIFTING),) * len(_KEEPS)
    latest: tuple[int, ...] = (0,) * len(DRIFTING)
    before: tuple[int, ...] = (0,) * len(DRIFTING)
    peak: int = 0
    slack: int = MIN_SLACK

    def advance(self, values: tuple[int, ...], *, learns: bool) -> MeasureTrend:
        """The state after one more session with these measures."""
        levels = list_levels(DRIFTING, [values[at] for at in DRIFTING])
        if self.sessions < REFERENCE_SESSIONS:
            if not learns:
                return self
            return replace(
                self,
                sessions=self.sessions + 1,
                sums=tuple(a + b for a, b in zip(self.sums, levels, strict=True)),
                squares=tuple(a + b * b for a, b in zip(self.squares, levels, strict=True)),
            )
        means: list[list[int]] = []
        worst = [0] * len(levels)
        scaled = self._scale(levels)
        for keep, row, limit in zip(_KEEPS, self.means, _list_limits(self.sessions), strict=True):
            smoothed = [(keep * old + (_UNIT - keep) * new) // _UNIT for old, new in zip(row, scaled, strict=True)]
            means.append(smoothed)
            worst = _choose_worse(worst, smoothed, limit)
        count = min(self.count + 1, 2**31)
        means_now, latest = tuple(map(tuple, means)), tuple(worst)
        return replace(self, count=count, means=means_now, latest=latest, before=self.latest)

    def note_return(self, *, is_asked: bool, is_observed: bool) -> MeasureTrend:
        """The state that knows whether a deviation came and went; see `widen_by_return`."""
        share = self.share
        peak, slack = widen_by_return(
            (self.peak, self.slack),
            share * self.slack // 1000,
            is_alarm=share >= _ALARM,
            is_asked=is_asked,
            is_observed=is_observed,
        )
        return self if (peak, slack) == (self.peak, self.slack) else replace(self, peak=peak, slack=slack)

    def amend(self, before: tuple[int, ...], values: tuple[int, ...], *, learns: bool) -> MeasureTrend:
        """The state with other measures in place of those of the last session, which went on.

        Args:
            before: its measures, as they were taken into account.
            values: its measures now.
            learns: whether it teaches, and did so before.
        """
        old, new = (list_levels(DRIFTING, [numbers[at] for at in DRIFTING]) for numbers in (before, values))
        if self.sessions < REFERENCE_SESSIONS or not self.count:
            if not learns or not self.sessions:
                return self
            return replace(
                self,
                sums=tuple(total + b - a for total, a, b in zip(self.sums, old, new, strict=True)),
                squares=tuple(total + b * b - a * a for total, a, b in zip(self.squares, old, new, strict=True)),
            )
        moved = [b - a for a, b in zip(self._scale(old), self._scale(new), strict=True)]
        means = tuple(
            tuple(mean + (_UNIT - keep) * more // _UNIT for mean, more in zip(row, moved, strict=True))
            for keep, row in zip(_KEEPS, self.means, strict=True)
        )
        worst = [0] * len(moved)
        for row, limit in zip(means, _list_limits(self.sessions), strict=True):
            worst = _choose_worse(worst, row, limit)
        return replace(self, means=means, latest=tuple(worst))

    def _describe(self, at: int) -> tuple[int, int]:
        """Mean and standard deviation of a measure's level in the reference, in 1/1024."""
        return _describe_levels(self.sessions, self.sums[at], self.squares[at])

    def _scale(self, levels: Iterable[int]) -> list[int]:
        """How far each measure's level is from its mean in the reference, in 1/1024 of what is usual."""
        sessions, deviations = self.sessions, []
        for level, total, squares in zip(levels, self.sums, self.squares, strict=True):
            mean, spread = _describe_levels(sessions, total, squares)
            deviation = (level * _UNIT - mean) * _UNIT // spread
            deviations.append(max(min(deviation, _MAX_DEVIATION), -_MAX_DEVIATION))
        return deviations

    @property
    def share(self) -> int:
        """Largest share of an alarm, in thousandths."""
        return max(map(abs, self.shares), default=0)

    @property
    def shares(self) -> tuple[int, ...]:
        """For each drifting measure the share that two sessions in a row reached in one direction, signed."""
        pairs = zip(self.latest, self.before, strict=True)
        shares = [min(one, other, key=abs) if (one < 0) == (other < 0) else 0 for one, other in pairs]
        if self.slack != MIN_SLACK:
            shares = [_shrink(share, self.slack) for share in shares]
        return tuple([max(share, 0) if at in _RISING else share for at, share in enumerate(shares)])

    def fade(self) -> MeasureTrend:
        """The state after a session that tells nothing of drift: an eighth less."""
        means = tuple(tuple(map(_fade, row)) for row in self.means)
        return replace(self, means=means, latest=tuple(map(_fade, self.latest)), before=tuple(map(_fade, self.before)))

    def list_narrowed(self) -> dict[int, int]:
        """Measures that rose to an alarm, with what reference sessions reached: a standard deviation above the mean."""
        narrowed = {}
        for at, share in enumerate(self.shares):
            if share >= _ALARM:
                mean, spread = self._describe(at)
                narrowed[DRIFTING[at]] = max(from_level((mean + spread) // _UNIT), 1)
        return narrowed

    def list_moved(self) -> tuple[tuple[str, int], ...]:
        """Measures that moved, with their signed shares, the largest first."""
        pairs = ((MEASURES[at].id, share) for at, share in zip(DRIFTING, self.shares, strict=True))
        return tuple(
            sorted((pair for pair in pairs if abs(pair[1]) >= _NOTED), key=lambda pair: (-abs(pair[1]), pair[0]))
        )

    def to_numbers(self) -> list[int]:
        """Numbers to be packed."""
        means = [number for row in self.means for number in row]
        return [self.sessions, *self.sums, *self.squares, self.count, *means, *self.latest, *self.before]

    @classmethod
    def read(cls, reader: NumberReader) -> MeasureTrend:
        """Inverse of `to_numbers`."""
        width, sessions = len(DRIFTING), reader.take(0)
        sums, squares = reader.take_many(width, 0), reader.take_many(width, 0)
        count, means = reader.take(0), tuple(reader.take_many(width) for _ in _KEEPS)
        return cls(sessions, sums, squares, count, means, reader.take_many(width), reader.take_many(width))


@lru_cache(maxsize=4096)
def _describe_levels(sessions: int, total: int, squares: int) -> tuple[int, int]:
    mean = total * _UNIT // sessions
    variance = squares * _UNIT // sessions - mean * mean // _UNIT
    return mean, max(isqrt(max(variance, 0) * _UNIT), _MIN_SPREAD * _UNIT)


def _choose_worse(worst: Sequence[int], means: Sequence[int], limit: int) -> list[int]:
    """For each measure the signed share of an alarm that is furthest off: the one so far, or that of this smoothing."""
    shares = [mean * _ALARM * _UNIT_ROOT // limit for mean in means]
    return [new if abs(new) > abs(old) else old for old, new in zip(worst, shares, strict=True)]


@lru_cache(maxsize=2 * REFERENCE_SESSIONS)
def _list_limits(sessions: int) -> tuple[int, ...]:
    """For each smoothing, what a smoothed deviation may reach after so many reference sessions, in 1/1024 of 1/32."""
    limits = []
    for keep in _KEEPS:
        # Variance of the smoothed deviation, and of the reference's own mean, in 1/1024.
        variance = max((_UNIT - keep) * _UNIT // (_UNIT + keep), 1) + _UNIT // max(sessions, 1)
        limits.append(isqrt(variance * _UNIT * _UNIT) * TREND_LIMIT // _UNIT)
    return tuple(limits)


@dataclass(frozen=True, slots=True)
class SessionDrift:
    """Drift of one kind of sessions: those without untrusted content, or all.

    Args:
        habits: of how the agent works.
        trend: of the measures.
        movers: fingerprints of the principals whose sessions moved it, the latest first.
    """

    habits: HabitDrift = field(default_factory=HabitDrift)
    trend: MeasureTrend = field(default_factory=MeasureTrend)
    movers: tuple[int, ...] = ()

    def advance(
        self,
        session: DriftSession,
        values: tuple[int, ...],
        *,
        learns: bool,
        axes: DriftAxes | None = None,
        terms: DriftTerms = DRIFT_TERMS,
    ) -> SessionDrift:
        """The state after one more session, with its measures; see `HabitDrift.advance`."""
        habits = self.habits.advance(session, learns=learns, axes=axes, terms=terms)
        return SessionDrift(habits, self.trend.advance(values, learns=learns), self.movers)

    def note_return(self, *, is_asked: bool, is_observed: bool) -> SessionDrift:
        """The state that knows whether a deviation came and went; see `widen_by_return`."""
        habits = self.habits.note_return(is_asked=is_asked, is_observed=is_observed)
        trend = self.trend.note_return(is_asked=is_asked, is_observed=is_observed)
        return self if habits is self.habits and trend is self.trend else SessionDrift(habits, trend, self.movers)

    def widened_as(self, other: SessionDrift) -> SessionDrift:
        """The state whose limits are at least as wide as those of another one of the same identity."""
        habits, trend = self.habits, self.trend
        if habits.slack < other.habits.slack:
            habits = replace(habits, slack=other.habits.slack)
        if trend.slack < other.trend.slack:
            trend = replace(trend, slack=other.trend.slack)
        return self if habits is self.habits and trend is self.trend else SessionDrift(habits, trend, self.movers)

    def amend(self, before: tuple[int, ...], values: tuple[int, ...], *, learns: bool) -> SessionDrift:
        """The state after the last session went on; see `MeasureTrend.amend`. Habits are those of its first part."""
        return SessionDrift(self.habits, self.trend.amend(before, values, learns=learns), self.movers)

    def fade(self) -> SessionDrift:
        """The state after a session that tells nothing of drift, since Halo stopped some of it."""
        return SessionDrift(self.habits.fade(), self.trend.fade(), self.movers)

    def held_to(self, terms: DriftTerms) -> SessionDrift:
        """The same drift, whose habits are held to other terms from now on."""
        before = self.habits.before * self.habits.alarm // terms.alarm
        return replace(self, habits=replace(self.habits, before=before, alarm=terms.alarm))

    @property
    def share(self) -> int:
        """Share of an alarm, in thousandths."""
        return max(self.habits.share, self.trend.share)

    @property
    def latest_share(self) -> int:
        """What the last session has left, which counts once the next one confirms it."""
        return max(self.habits.latest_share, max(map(abs, self.trend.latest)) * MIN_SLACK // self.trend.slack)

    def moved_by(self, principal: int, before: SessionDrift) -> SessionDrift:
        """The state with a principal among the movers, if its session has moved it further."""
        latest = self.latest_share
        if latest < _FORGOTTEN:
            return replace(self, movers=()) if self.movers else self
        if latest < _NOTED or latest <= before.latest_share:
            return self
        others = [one for one in self.movers if one != principal]
        return replace(self, movers=(principal, *others)[:_MAX_MOVERS])

    def holds(self, principal: int) -> bool:
        """Whether a principal is held to it: its sessions have moved it, or those of several have."""
        return len(self.movers) != 1 or self.movers[0] == principal

    def to_numbers(self) -> list[int | bytes]:
        """Numbers to be packed that every form of profiles has."""
        return [*self.habits.to_numbers(), *self.trend.to_numbers()]

    def to_later_numbers(self) -> list[int]:
        """Numbers to be packed that the earlier form does not have."""
        reference = self.habits.reference
        joint = () if reference is None else reference.joint
        waves = (self.habits.peak, self.trend.peak, self.trend.slack)
        return [len(self.movers), *self.movers, len(joint), *joint, *waves]

    def with_later_numbers(self, reader: NumberReader) -> SessionDrift:
        """The state with what `to_later_numbers` stored behind it."""
        movers = reader.take_many(reader.take(0, _MAX_MOVERS), 0)
        joint, habits = reader.take_many(reader.take(0, _count_pairs())), self.habits
        if habits.reference is not None:
            if len(joint) not in (0, _count_pairs()):
                raise profile_error("other directions")
            habits = replace(habits, reference=replace(habits.reference, joint=joint))
        peak, trend_peak, trend_slack = reader.take(0), reader.take(0), reader.take(MIN_SLACK)
        trend = replace(self.trend, peak=trend_peak, slack=trend_slack)
        return SessionDrift(replace(habits, peak=peak), trend, movers)

    @classmethod
    def read(cls, reader: NumberReader, terms: DriftTerms) -> SessionDrift:
        """Inverse of `to_numbers`, of a profile whose habits are held to these terms."""
        return cls(HabitDrift.read(reader, terms), MeasureTrend.read(reader))
