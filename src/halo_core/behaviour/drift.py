"""Room: drift. Takes: habits of sessions, tail probabilities of actions. Gives: alarms. Never: I/O, a clock, floats.

Across sessions: each session's habits, less what is usual for the same request in the reference, along the directions
in which agents differ (learnt offline, a matrix of integers), smoothed exponentially, as one squared distance (a
multivariate EWMA). Within a session: an e-process, a bet against "this is ordinary work" that grows with each
unlikely action; by Ville's inequality ordinary work passes 1/alpha with probability alpha at most, however long it
goes on, as far as the tail probabilities are true. Limits come from null streams, or from alpha.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

__all__ = ["UNIT", "Axes", "Reference", "Session", "Watch", "bet", "distance", "reference_of"]

UNIT: Final = 1024
_LEAST: Final = 16
_WIDEST: Final = 3 * UNIT
_SHRINK: Final = 4
"""Sessions that the whole reference counts for beside those of the same request."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Directions, learnt offline.

    Args:
        rows: one row of weights for each direction, in 1/1024 of a standard deviation within one agent.
        keep: 1/1024 that the smoothing keeps of what was before, the slower of two.
        limits: squared distance at which an alarm starts, one for each smoothing.
        keeps: the smoothings.
    """

    rows: tuple[tuple[int, ...], ...]
    keeps: tuple[int, ...]
    limits: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {"keeps": list(self.keeps), "limits": list(self.limits), "rows": [list(row) for row in self.rows]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Axes:
        """Inverse of `to_plain`."""
        rows = tuple(tuple(map(int, row)) for row in plain["rows"])
        return cls(rows, tuple(map(int, plain["keeps"])), tuple(map(int, plain["limits"])))


@dataclass(frozen=True, slots=True)
class Session:
    """What drift looks at of one session.

    Args:
        request: fingerprint of what the user asked for.
        habits: `Habits.vector()`.
        ways: fingerprints of the ways it went: a tool with the arguments that it filled in.
    """

    request: int
    habits: tuple[int, ...]
    ways: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """What is usual: along each direction, of all sessions and of those with one request, with their number.

    Args:
        whole: mean of all sessions, in 1/1024; the last two are shares of new and of missing ways.
        tasks: request → (sessions, sums along the directions).
        ways: request → way → sessions that went it.
        spread: mean square of what is left once the usual is taken away, for each of them.
    """

    whole: tuple[int, ...]
    tasks: Mapping[int, tuple[int, tuple[int, ...]]]
    ways: Mapping[int, Mapping[int, int]]
    spread: tuple[int, ...]

    def apart(self, axes: Axes, session: Session, *, member: bool = False) -> tuple[int, ...]:
        """How far a session is from what is usual for its request; of a `member`, from the others."""
        point = project(axes, session.habits)
        times, sums = self.tasks.get(session.request, (0, (0,) * len(point)))
        if member:
            times, sums = times - 1, tuple(total - one for total, one in zip(sums, point, strict=True))
        usual = [(total + _SHRINK * mean) // (times + _SHRINK) for total, mean in zip(sums, self.whole, strict=False)]
        ways = self._ways(session, times, member=member)
        return (*(a - b for a, b in zip(point, usual, strict=True)), *ways)

    def _ways(self, session: Session, times: int, *, member: bool) -> tuple[int, int]:
        if not times or not session.ways:
            return 0, 0
        known = self.ways.get(session.request, {})
        others = {way: count - (member and way in session.ways) for way, count in known.items()}
        new = sum(not others.get(way, 0) for way in session.ways) * UNIT // len(session.ways)
        usual = [way for way, count in others.items() if 2 * count > times]
        missing = sum(way not in session.ways for way in usual) * UNIT // len(usual) if usual else 0
        return new - self.whole[-2], missing - self.whole[-1]


def project(axes: Axes, vector: Sequence[int]) -> tuple[int, ...]:
    """Habits along the directions, in 1/1024."""
    return tuple(sum(weight * number for weight, number in zip(row, vector, strict=True)) for row in axes.rows)


def reference_of(axes: Axes, sessions: Sequence[Session]) -> Reference:
    """The reference of ordinary sessions; at least one."""
    points = [project(axes, session.habits) for session in sessions]
    whole = tuple(sum(column) // len(points) for column in zip(*points, strict=True))
    tasks: dict[int, tuple[int, tuple[int, ...]]] = {}
    ways: dict[int, dict[int, int]] = {}
    for session, point in zip(sessions, points, strict=True):
        times, sums = tasks.get(session.request, (0, (0,) * len(whole)))
        tasks[session.request] = (times + 1, tuple(a + b for a, b in zip(sums, point, strict=True)))
        row = ways.setdefault(session.request, {})
        for way in session.ways:
            row[way] = row.get(way, 0) + 1
    first = Reference((*whole, 0, 0), tasks, ways, ())
    left = [first.apart(axes, session, member=True) for session in sessions]
    shares = tuple(sum(row[at] for row in left) // len(left) for at in (-2, -1))
    reference = replace(first, whole=(*whole, *shares))
    rows = [reference.apart(axes, session, member=True) for session in sessions]
    spread = tuple(
        max(sum(item * item for item in column) // len(rows), UNIT**2 // _LEAST) for column in zip(*rows, strict=True)
    )
    return replace(reference, spread=spread)


@dataclass(frozen=True, slots=True)
class Watch:
    """A stream of sessions of one identity, as it stands.

    Args:
        count: sessions watched.
        means: smoothed deviation along each direction, for each smoothing.
        worst: largest share of a limit reached by the last session, in thousandths: 1000 is an alarm.
    """

    count: int = 0
    means: tuple[tuple[int, ...], ...] = field(default_factory=tuple)
    worst: int = 0

    def after(self, axes: Axes, reference: Reference, session: Session) -> Watch:
        """One session later."""
        apart = reference.apart(axes, session)
        each = [item * UNIT // _root(spread) for item, spread in zip(apart, reference.spread, strict=True)]
        each = [max(min(item, _WIDEST), -_WIDEST) for item in each]
        means, worst = [], 0
        before = self.means or tuple((0,) * len(each) for _ in axes.keeps)
        for keep, limit, old in zip(axes.keeps, axes.limits, before, strict=True):
            new = tuple((keep * a + (UNIT - keep) * b) // UNIT for a, b in zip(old, each, strict=True))
            means.append(new)
            worst = max(worst, distance(new, keep, self.count + 1) * 1000 // max(limit, 1))
        return Watch(self.count + 1, tuple(means), worst)

    @property
    def alarm(self) -> bool:
        """Whether the identity no longer behaves as it used to."""
        return self.worst >= 1000


def distance(means: Sequence[int], keep: int, count: int) -> int:
    """Squared distance from the reference, in 1/1024 of the variance that so many smoothed sessions have."""
    kept = UNIT
    for _ in range(min(count, 256)):
        kept = kept * keep * keep // (UNIT * UNIT)
    variance = max((UNIT - keep) * (UNIT - kept) // (UNIT + keep), 1)
    return sum(item * item for item in means) // variance


def _root(number: int) -> int:
    """Integer square root, at least one."""
    guess = 1 << (max(number, 1).bit_length() + 1) // 2
    while (better := (guess + max(number, 1) // guess) // 2) < guess:
        guess = better
    return max(guess, 1)


def bet(wealth: int, bits: int) -> int:
    """The e-process one action later, in sixteenths of a bit, never below zero (so that late trouble counts in full).

    Args:
        wealth: before.
        bits: surprise of the action, -log2 of the probability of anything as strange in ordinary work, in sixteenths.

    The bet is the calibrator p^(-1/2)/2, whose mean is one where p is uniform: log2 of it is bits/2 - 1.
    """
    return max(wealth + bits // 2 - 16, 0)
