"""Two models over the same recorded actions: sessions touched, attacks caught, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.model_comparison import ComparedAction, ScoredEffect
from halo_core.views import View, select_fields
from halo_core.views.backtest import SEQUENCE_NOTE

MAX_LISTED: Final = 1000
"""Most disagreements that are listed one by one; all are counted."""


@dataclass(slots=True)
class ModelLoad:
    """What one model meant for the sessions. Of an attack the actions that a verdict names count, or else all.

    Args:
        elevated: ordinary sessions with an action in band 1 or 2.
        high: ordinary sessions with an action in band 2.
        held: ordinary sessions in which an action was asked or denied, for any reason.
        flagged_attacks: attacks with an action in band 1 or 2.
        held_attacks: attacks in which an action was asked or denied.
    """

    elevated: set[str] = field(default_factory=set)
    high: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    flagged_attacks: set[str] = field(default_factory=set)
    held_attacks: set[str] = field(default_factory=set)

    def add_ordinary(self, session: str, score: ScoredEffect) -> None:
        """Count one action of an ordinary session."""
        for sessions, counts in (
            (self.elevated, score.band >= 1),
            (self.high, score.band >= 2),
            (self.held, score.is_held),
        ):
            if counts:
                sessions.add(session)

    def add_attack(self, session: str, score: ScoredEffect) -> None:
        """Count one action that served an attacker."""
        if score.band:
            self.flagged_attacks.add(session)
        if score.is_held:
            self.held_attacks.add(session)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(slots=True)
class ModelComparison(View):
    """Recorded actions under the model in force and under another one.

    Args:
        actions: number of actions compared.
        ordinary: their sessions that were not judged an attack.
        attacks: their sessions that were.
        recorded: what the model in force at the time meant.
        other: what the other model would have meant.
        disagreements: number of actions with different bands, or held under one of the models only.
        listed: the first of them; those of attacks and those held under one model only come first.
        skipped: reason → number of actions that cannot be compared.
        since: position in the log from which on actions were compared.
    """

    actions: int = 0
    ordinary: set[str] = field(default_factory=set)
    attacks: set[str] = field(default_factory=set)
    recorded: ModelLoad = field(default_factory=ModelLoad)
    other: ModelLoad = field(default_factory=ModelLoad)
    disagreements: int = 0
    listed: list[ComparedAction] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    since: int = 0

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self, "actions", "disagreements", "skipped"),
            "attacks": len(self.attacks),
            "since": self.since,
            "listed": [_action_to_json(item) for item in self.listed],
            "note": SEQUENCE_NOTE,
            "ordinary": len(self.ordinary),
            "other": self.other.to_json(),
            "recorded": self.recorded.to_json(),
        }


def _action_to_json(item: ComparedAction) -> dict[str, Any]:
    scores = {
        name: {"band": score.band, "effect": score.effect.value, "risk": score.risk}
        for name, score in (("other", item.other), ("recorded", item.recorded))
    }
    return {**select_fields(item, "agent", "id", "index", "resource", "session"), **scores}


def summarize_comparison(
    actions: Iterable[ComparedAction | None], attacks: frozenset[str], malicious: Mapping[str, str]
) -> ModelComparison:
    """Count compared actions.

    Args:
        actions: actions in log order.
        attacks: references of sessions that were judged an attack.
        malicious: decisions that verdicts name as part of one: id of the entry → reference of its session.
    """
    report = ModelComparison()
    named = frozenset(malicious.values())
    grave: list[ComparedAction] = []
    slight: list[ComparedAction] = []
    for item in actions:
        if item is None:
            continue
        report.actions += 1
        is_attack = item.session in attacks
        if not is_attack:
            report.ordinary.add(item.session)
            report.recorded.add_ordinary(item.session, item.recorded)
            report.other.add_ordinary(item.session, item.other)
        else:
            report.attacks.add(item.session)
        if is_attack and (item.id in malicious or item.session not in named):
            report.recorded.add_attack(item.session, item.recorded)
            report.other.add_attack(item.session, item.other)
        is_held_by_one = item.recorded.is_held is not item.other.is_held
        if is_held_by_one or item.recorded.band != item.other.band:
            report.disagreements += 1
            listed = grave if is_held_by_one or is_attack else slight
            if len(listed) < MAX_LISTED:
                listed.append(item)
    report.listed = (grave + slight)[:MAX_LISTED]
    return report
