"""The history of an agent's risk over its actions, as it was recorded.

Sessions follow one another in the order in which they began, each as a whole, even if they ran in parallel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from itertools import groupby
from typing import Final

from halo_core.identities.day_alerts import ALERT_KIND
from halo_core.model import EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import LoggedEntry

BANDS: Final = (("other", "ordinary"), ("granted", "elevated"), ("stopped", "high"))
"""Chart color and name of each risk band, by its number."""
KINDS: Final = (EntryKind.DECISION, EntryKind.ALERT, EntryKind.BASELINE)
"""Kinds of entries from which a history is built."""


@dataclass(frozen=True, slots=True)
class ScoredAction:
    """One scored action.

    Args:
        index: position of its decision in the log.
        ts_us: when, microseconds since the epoch.
        session: session of the action.
        resource: id of the resource that it acted on.
        effect: effect of the decision.
        risk: risk of the action, 0..1000.
        session_risk: risk of the session including this action, 0..1000.
        band: 0 ordinary, 1 elevated, 2 high.
        limits: (elevated, high) in force then; None if they were not recorded.
        alert: kind of the alert about it; empty if there is none.
    """

    index: int
    ts_us: int
    session: str
    resource: str
    effect: str
    risk: int
    session_risk: int
    band: int
    limits: tuple[int, int] | None
    alert: str = ""


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """The actions of a session: from place `start` to before place `end` of a history."""

    session: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RiskHistory:
    """An agent's scored actions in session order, with the span of each session and the top factors."""

    agent: str
    actions: tuple[ScoredAction, ...]
    spans: tuple[SessionSpan, ...]
    factors: tuple[tuple[str, int], ...]

    @property
    def now(self) -> int:
        """Risk of the session that acted last."""
        return max(self.actions, key=lambda item: item.index).session_risk

    @property
    def highest(self) -> int:
        """The highest risk that a session of the agent had."""
        return max(item.session_risk for item in self.actions)


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """Consecutive actions drawn as one, with their highest values.

    Args:
        first: place of the first action in the history.
        actions: the actions, in order.
    """

    first: int
    actions: tuple[ScoredAction, ...]

    @property
    def top(self) -> ScoredAction:
        """The first action with the highest risk."""
        return max(self.actions, key=lambda item: item.risk)

    @property
    def session_risk(self) -> int:
        """The highest risk of a session among the actions."""
        return max(item.session_risk for item in self.actions)

    @property
    def alerts(self) -> list[ScoredAction]:
        """The actions with an alert."""
        return [item for item in self.actions if item.alert]


@dataclass(slots=True)
class _HistoryReader:
    """Collects one agent's scored actions from log entries."""

    agent: str
    limits: tuple[int, int] | None = None
    sessions: dict[str, list[ScoredAction]] = field(default_factory=dict)
    places: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    factors: Counter[str] = field(default_factory=Counter)

    def add_entry(self, record: LoggedEntry) -> None:
        """Take the next entry, in log order."""
        entry = record.entry
        body = entry.body
        if entry.kind is EntryKind.BASELINE:
            if body["agent"] == self.agent and not body["part"]:
                risks = body.get("risks")
                self.limits = (risks[0], risks[1]) if risks else None
        elif entry.kind is EntryKind.ALERT:
            if body.get("kind") == ALERT_KIND or "decision" not in body:
                return  # of a person or a service account, not of an action
            self._add_alert((body["decision"]["w"], body["decision"]["ws"]), body["kind"])
        elif body["request"]["subject"]["agent"] == self.agent and body["snapshot"]["risk"] is not None:
            self._add_decision(record)

    def _add_decision(self, record: LoggedEntry) -> None:
        entry = record.entry
        body, snapshot = entry.body, entry.body["snapshot"]
        actions = self.sessions.setdefault(entry.session, [])
        self.places[entry.writer, entry.seq] = (entry.session, len(actions))
        self.factors.update(item["words"] for item in snapshot["factors"])
        actions.append(
            ScoredAction(
                index=record.index,
                ts_us=entry.ts_us,
                session=entry.session,
                resource=body["request"]["resource"]["id"],
                effect=body["decision"]["effect"],
                risk=snapshot["risk"],
                session_risk=body["after"]["risk"],
                band=snapshot["band"],
                limits=self.limits,
            )
        )

    def _add_alert(self, place: tuple[str, int], kind: str) -> None:
        if place in self.places:
            session, position = self.places[place]
            actions = self.sessions[session]
            actions[position] = replace(actions[position], alert=kind)


def build_history(agent: str, records: Iterable[LoggedEntry]) -> RiskHistory:
    """An agent's scored actions; there may be none."""
    reading = _HistoryReader(agent)
    for item in records:
        reading.add_entry(item)
    actions: list[ScoredAction] = []
    spans = []
    for session, some in reading.sessions.items():
        spans.append(SessionSpan(session, len(actions), len(actions) + len(some)))
        actions += some
    return RiskHistory(agent, tuple(actions), tuple(spans), tuple(reading.factors.most_common(3)))


def group_actions(agent_history: RiskHistory, most: int) -> list[ActionGroup]:
    """Split the actions into at most `most` equal groups (the last may be smaller); a group can span two sessions."""
    size = max(-(-len(agent_history.actions) // most), 1)
    return [
        ActionGroup(start, agent_history.actions[start : start + size])
        for start in range(0, len(agent_history.actions), size)
    ]


def group_limits(limits: Sequence[tuple[int, int] | None]) -> list[tuple[int, int, tuple[int, int]]]:
    """(from, to, limits) of each run of places with the same limits; places without limits are left out."""
    ranges = []
    start = 0
    for value, group in groupby(limits):
        length = len(list(group))
        if value is not None:
            ranges.append((start, start + length, value))
        start += length
    return ranges
