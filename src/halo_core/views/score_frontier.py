"""The questions that limits of the score's rules would cause: the share of sessions asked, against what is held back.

Each scored action was decided three times, as if its risk were above no limit, above the first, and above both
(`halo_core.backtest.ScoreOutcomes`). The decisions under any two limits follow from these exactly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from halo_core.backtest import BacktestResult, ScoreOutcomes
from halo_core.model import Effect, EntryKind
from halo_core.policy.score_limits import MAX_RISK, ScoreLimits, ScoreRules
from halo_core.quick_dataclass import dataclass
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View, select_fields

PER_CENT: Final = 100
"""Hundredths of a per cent in one per cent, the unit of `at_most`."""
_WHOLE: Final = 100 * PER_CENT
_SHARES: Final = (0, 25, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1500, 2000, 3000, 5000, 7500)
"""Shares of sessions, in hundredths of a per cent, whose highest risk is above a limit that is tried."""
_HELD: Final = frozenset({Effect.CHALLENGE, Effect.DENY})
_Shape = tuple[int, Effect, Effect, Effect]
"""Number of the tried limits that a risk is above, and the effects below the limits, above the first, above both."""


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """What one choice of limits means.

    Args:
        limits: limits of the score's rules; None for the policy as it is.
        asked: ordinary sessions in which somebody is asked.
        questions: decisions of ordinary sessions that ask somebody.
        held: decisions, of all sessions, that are asked or stopped.
        attacks_held: sessions judged an attack in which something is asked or stopped.
    """

    limits: ScoreLimits | None
    asked: int
    questions: int
    held: int
    attacks_held: int

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        limits = None if self.limits is None else [self.limits.elevated, self.limits.high]
        return {**select_fields(self, "asked", "attacks_held", "held", "questions"), "limits": limits}


@dataclass(frozen=True, slots=True)
class ScoreFrontier(View):
    """Choices of limits of which none asks less and holds more than another.

    Args:
        rules: the rules whose limits can be changed, and those that read the score and keep theirs.
        at_most: share of ordinary sessions that may be asked, in hundredths of a per cent.
        sessions: ordinary sessions: all that were not judged an attack.
        attacks: sessions that were judged an attack.
        decisions: number of decisions.
        points: the choices, by the sessions that they ask.
        current: the policy as it is.
        least: the choice with limits that no risk is above, so that only other rules ask.
        proposed: the choice that holds most and asks at most `at_most`; None if there is none.
    """

    rules: ScoreRules
    at_most: int
    sessions: int
    attacks: int
    decisions: int
    points: tuple[FrontierPoint, ...]
    current: FrontierPoint
    least: FrontierPoint
    proposed: FrontierPoint | None

    def share_asked(self, point: FrontierPoint) -> float:
        """Per cent of the ordinary sessions that a choice asks."""
        return 100 * point.asked / self.sessions if self.sessions else 0.0

    def share_held(self, point: FrontierPoint) -> float:
        """Per cent of the decisions that a choice asks or stops."""
        return 100 * point.held / self.decisions if self.decisions else 0.0

    def share_attacks_held(self, point: FrontierPoint) -> float:
        """Per cent of the attacks in which a choice asks or stops something."""
        return 100 * point.attacks_held / self.attacks if self.attacks else 0.0

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self, "attacks", "decisions", "sessions"),
            "at_most_percent": self.at_most / PER_CENT,
            "current": self.current.to_json(),
            "fixed_rules": list(self.rules.fixed),
            "least": self.least.to_json(),
            "movable_rules": list(self.rules.movable),
            "points": [point.to_json() for point in self.points],
            "proposed": self.proposed.to_json() if self.proposed is not None else None,
        }


@dataclass(slots=True)
class FrontierBuilder:
    """Collects the results of a backtest, and works out the frontier.

    Args:
        attacks: sessions that were judged an attack.
    """

    attacks: frozenset[str]
    _sessions: dict[str, Counter[ScoreOutcomes]] = field(default_factory=dict)
    _effects: dict[str, Counter[Effect]] = field(default_factory=dict)

    def watch(self, results: Iterable[BacktestResult | None]) -> Iterator[BacktestResult | None]:
        """Pass results on, and collect those of decisions that were decided again."""
        for item in results:
            if item is not None and item.session and item.outcomes is not None:
                self._sessions.setdefault(item.session, Counter())[item.outcomes] += 1
                self._effects.setdefault(item.session, Counter())[item.after] += 1
            yield item

    def build(self, rules: ScoreRules, at_most: int) -> ScoreFrontier:
        """The frontier.

        Args:
            rules: the rules that read the score.
            at_most: share of ordinary sessions that may be asked, in hundredths of a per cent.
        """
        ordinary = [counts for name, counts in self._sessions.items() if name not in self.attacks]
        attacks = [counts for name, counts in self._sessions.items() if name in self.attacks]
        fitted = self._find_fitted_limits()
        levels = _choose_levels(ordinary or attacks, at_most, fitted)
        grid = _Grid(levels, ordinary, attacks)
        tried = [grid.evaluate(low, high) for low in range(len(levels)) for high in range(low, len(levels))]
        points = _select_frontier(tried, fitted)
        allowed = [point for point in points if point.asked * _WHOLE <= at_most * len(ordinary)]
        return ScoreFrontier(
            rules=rules,
            at_most=at_most,
            sessions=len(ordinary),
            attacks=len(attacks),
            decisions=sum(counts.total() for counts in self._sessions.values()),
            points=tuple(points),
            current=self._count_current(),
            least=grid.evaluate(len(levels) - 1, len(levels) - 1),
            proposed=allowed[-1] if allowed and rules.movable else None,
        )

    def _find_fitted_limits(self) -> tuple[int, int]:
        """The limits of the baseline by which most actions were scored."""
        limits: Counter[tuple[int, int]] = Counter()
        for counts in self._sessions.values():
            for item, number in counts.items():
                if item.risk >= 0:
                    limits[item.fitted] += number
        return max(limits, key=lambda pair: limits[pair], default=(MAX_RISK, MAX_RISK))

    def _count_current(self) -> FrontierPoint:
        ordinary = [effects for name, effects in self._effects.items() if name not in self.attacks]
        return FrontierPoint(
            limits=None,
            asked=sum(effects[Effect.CHALLENGE] > 0 for effects in ordinary),
            questions=sum(effects[Effect.CHALLENGE] for effects in ordinary),
            held=sum(effects[effect] for effects in self._effects.values() for effect in _HELD),
            attacks_held=sum(
                any(effects[effect] for effect in _HELD)
                for name, effects in self._effects.items()
                if name in self.attacks
            ),
        )


def _choose_levels(sessions: Sequence[Mapping[ScoreOutcomes, int]], at_most: int, fitted: tuple[int, int]) -> list[int]:
    """Limits to try, ascending: above each lies about one of `_SHARES` of the sessions' highest risks; 1000 is last."""
    highest = sorted((max(item.risk for item in counts) for counts in sessions), reverse=True)
    shares = {*_SHARES, at_most}
    levels = {max(highest[share * len(highest) // _WHOLE], 0) for share in shares if highest and share < _WHOLE}
    return sorted(levels | {0, MAX_RISK, *fitted})


class _Grid:
    """Evaluates choices of two levels; the actions of sessions are counted by shape first."""

    def __init__(
        self,
        levels: Sequence[int],
        ordinary: Sequence[Mapping[ScoreOutcomes, int]],
        attacks: Sequence[Mapping[ScoreOutcomes, int]],
    ) -> None:
        self._levels = levels
        self._ordinary = Counter(self._find_shapes(counts) for counts in ordinary)
        self._attacks = Counter(self._find_shapes(counts) for counts in attacks)
        self._ordinary_actions = self._count_actions(ordinary)
        self._attack_actions = self._count_actions(attacks)

    def _get_shape(self, item: ScoreOutcomes) -> _Shape:
        return bisect_left(self._levels, item.risk), item.ordinary, item.elevated, item.high

    def _find_shapes(self, counts: Mapping[ScoreOutcomes, int]) -> frozenset[_Shape]:
        return frozenset(map(self._get_shape, counts))

    def _count_actions(self, sessions: Iterable[Mapping[ScoreOutcomes, int]]) -> Counter[_Shape]:
        actions: Counter[_Shape] = Counter()
        for counts in sessions:
            for item, number in counts.items():
                actions[self._get_shape(item)] += number
        return actions

    def evaluate(self, low: int, high: int) -> FrontierPoint:
        """The point for the limits at two positions of the levels."""
        shapes = {*self._ordinary_actions, *self._attack_actions}
        effects = {shape: shape[1 + (shape[0] > low) + (shape[0] > high)] for shape in shapes}
        asking = {shape for shape, effect in effects.items() if effect is Effect.CHALLENGE}
        holding = {shape for shape, effect in effects.items() if effect in _HELD}
        return FrontierPoint(
            limits=ScoreLimits(self._levels[low], self._levels[high]),
            asked=sum(number for profile, number in self._ordinary.items() if profile & asking),
            questions=sum(self._ordinary_actions[shape] for shape in asking),
            held=sum(self._ordinary_actions[shape] + self._attack_actions[shape] for shape in holding),
            attacks_held=sum(number for profile, number in self._attacks.items() if profile & holding),
        )


def _select_frontier(points: Iterable[FrontierPoint], fitted: tuple[int, int]) -> list[FrontierPoint]:
    """The points that hold more than every other point that asks as many sessions or fewer.

    Of points that hold and ask the same, the one with the fewest questions is taken, then the one whose limits are
    closest to the fitted ones.
    """
    frontier: list[FrontierPoint] = []
    best = (-1, -1)
    for point in sorted(points, key=lambda item: (*_benefit_key(item), _compute_distance(item, fitted))):
        if (point.attacks_held, point.held) > best:
            best = (point.attacks_held, point.held)
            frontier.append(point)
    return frontier


def _benefit_key(point: FrontierPoint) -> tuple[int, int, int, int]:
    return point.asked, -point.attacks_held, -point.held, point.questions


def _compute_distance(point: FrontierPoint, fitted: tuple[int, int]) -> int:
    limits = point.limits
    return 0 if limits is None else abs(limits.elevated - fitted[0]) + abs(limits.high - fitted[1])


def find_attack_sessions(reader: Reader, tenant: str) -> frozenset[str]:
    """Sessions that were judged an attack; of several verdicts the last one counts."""
    verdicts: dict[str, bool] = {}
    for item in read_entries(reader, tenant, (EntryKind.FEEDBACK,)):
        verdict = read_verdict(item.entry)
        if verdict is not None and verdict["session"]:
            verdicts[verdict["session"]] = verdict["attack"]
    return frozenset(name for name, is_attack in verdicts.items() if is_attack)
