"""What another policy would have decided: transitions by rule and resource, sessions touched, questions.

`summarize_backtest` counts the results of `halo_core.backtest.backtest_log`; moves towards running come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import Any, Final

from halo_core.backtest import BacktestResult, Change
from halo_core.model import Effect
from halo_core.quick_dataclass import dataclass
from halo_core.replay import ReplayStatus
from halo_core.views import View, select_fields
from halo_core.views.score_frontier import ScoreFrontier

SEQUENCE_NOTE: Final = (
    "each decision was decided from its own recorded inputs: what another decision would have changed later in its "
    "session (exposure, budgets, authority, counts) is not followed"
)
MAX_LISTED: Final = 10_000
"""Most decisions that are listed one by one, for each kind of change; all are counted."""
MAX_UNDECIDED: Final = 1000
_LISTED: Final = (Change.TOWARDS_RUNNING, Change.NEW_QUESTION, Change.NEW_DENIAL, Change.NEW_RESTRICTION)
_TOUCHED: Final = frozenset({Effect.RESTRICT, Effect.CHALLENGE, Effect.DENY})


@dataclass(slots=True)
class TransitionGroup:
    """Decisions that changed in the same way, by the same rules, on the same resource.

    Args:
        change: kind of the change.
        before: recorded effect.
        after: effect under the other policy.
        rules: rules that made the difference.
        resource: id of the resource.
        decisions: number of the decisions.
        sessions: references of their sessions.
        first: position of the first decision in the log.
    """

    change: Change
    before: Effect
    after: Effect
    rules: tuple[str, ...]
    resource: str
    first: int
    decisions: int = 0
    sessions: set[str] = field(default_factory=set)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self, "decisions", "first", "resource"),
            "after": self.after.value,
            "before": self.before.value,
            "change": self.change.value,
            "rules": list(self.rules),
            "sessions": len(self.sessions),
        }


@dataclass(slots=True)
class SessionLoad:
    """What one policy means for the sessions.

    Args:
        touched: sessions in which an action was denied, asked or restricted.
        asked: sessions in which somebody was asked.
        questions: decisions that asked somebody.
    """

    touched: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    questions: int = 0

    def add(self, session: str, effect: Effect) -> None:
        """Count one decision."""
        if effect in _TOUCHED:
            self.touched.add(session)
        if effect is Effect.CHALLENGE:
            self.asked.add(session)
            self.questions += 1

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"asked": len(self.asked), "questions": self.questions, "touched": len(self.touched)}


@dataclass(frozen=True, slots=True)
class UndecidedDecision:
    """A decision that could not be decided again, and why."""

    index: int
    id: str
    status: ReplayStatus
    problem: str


@dataclass(slots=True)
class BacktestReport(View):
    """Recorded decisions against those of another policy.

    Args:
        decisions: number of decisions that were compared.
        sessions: their sessions.
        changes: kind of change → number of decisions.
        groups: decisions that changed in the same way, moves towards running first.
        listed: the first of these decisions one by one: moves towards running, new questions, denials, restrictions.
        before: what the recorded decisions meant for the sessions.
        after: what those of the other policy would have meant.
        undecided: status → number of decisions that could not be decided again; they are in no other count.
        undecided_examples: the first of these.
        frontier: what other limits of the score's rules would ask; None if it was not asked for.
    """

    decisions: int = 0
    sessions: set[str] = field(default_factory=set)
    changes: Counter[Change] = field(default_factory=Counter)
    groups: list[TransitionGroup] = field(default_factory=list)
    listed: list[BacktestResult] = field(default_factory=list)
    before: SessionLoad = field(default_factory=SessionLoad)
    after: SessionLoad = field(default_factory=SessionLoad)
    undecided: Counter[ReplayStatus] = field(default_factory=Counter)
    undecided_examples: list[UndecidedDecision] = field(default_factory=list)
    frontier: ScoreFrontier | None = None

    def per_hundred_sessions(self, number: int) -> float:
        """A number per 100 sessions."""
        return 100 * number / len(self.sessions) if self.sessions else 0.0

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "after": self._load_to_json(self.after),
            "before": self._load_to_json(self.before),
            "changes": {change.value: self.changes[change] for change in Change},
            "decisions": self.decisions,
            "frontier": self.frontier.to_json() if self.frontier is not None else None,
            "groups": [group.to_json() for group in self.groups],
            "listed": [_result_to_json(item) for item in self.listed],
            "note": SEQUENCE_NOTE,
            "sessions": len(self.sessions),
            "undecided": {status.value: number for status, number in sorted(self.undecided.items())},
            "undecided_examples": [
                {**select_fields(item, "id", "index", "problem"), "status": item.status.value}
                for item in self.undecided_examples
            ],
        }

    def _load_to_json(self, load: SessionLoad) -> dict[str, Any]:
        return load.to_json() | {"questions_per_100_sessions": round(self.per_hundred_sessions(load.questions), 2)}


def _result_to_json(item: BacktestResult) -> dict[str, Any]:
    return {
        **select_fields(item, "id", "index", "resource", "session"),
        "after": item.after.value,
        "before": item.before.value,
        "change": item.change.value,
        "rules": list(item.rules),
    }


def summarize_backtest(results: Iterable[BacktestResult | None]) -> BacktestReport:
    """Count results, which come in log order; None stands for a decision that was not selected."""
    report = BacktestReport()
    groups: dict[tuple[Any, ...], TransitionGroup] = {}
    listed: Counter[Change] = Counter()
    for item in results:
        if item is None:
            continue
        if item.status is not ReplayStatus.IDENTICAL:
            _add_undecided(report, item)
            continue
        report.decisions += 1
        report.changes[item.change] += 1
        if item.session:
            report.sessions.add(item.session)
            report.before.add(item.session, item.before)
            report.after.add(item.session, item.after)
        if item.change is Change.SAME:
            continue
        key = (item.change, item.before, item.after, item.rules, item.resource)
        group = groups.setdefault(key, TransitionGroup(*key, first=item.index))
        group.decisions += 1
        group.sessions.add(item.session)
        if item.change in _LISTED and listed[item.change] < MAX_LISTED:
            listed[item.change] += 1
            report.listed.append(item)
    order = list(Change)
    report.groups = sorted(groups.values(), key=_group_key)
    report.listed.sort(key=lambda item: (order.index(item.change), item.index))
    return report


def _add_undecided(report: BacktestReport, item: BacktestResult) -> None:
    report.undecided[item.status] += 1
    if len(report.undecided_examples) < MAX_UNDECIDED:
        report.undecided_examples.append(UndecidedDecision(item.index, item.id, item.status, item.problem))


def _group_key(group: TransitionGroup) -> tuple[int, int, int, int, int]:
    # Within a kind of change the largest difference of effects comes first: deny → allow before deny → challenge.
    before, after = group.before.severity, group.after.severity
    return list(Change).index(group.change), -abs(before - after), -before, -group.decisions, group.first
