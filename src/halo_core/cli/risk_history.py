"""Room: an agent's risk over its actions. Takes: what entries recorded. Gives: a history, folded to fit. Never: I/O.

Sessions stand one after another in the order they began, each whole, also where they ran side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from halo_core.identities.alerting import KIND
from halo_core.model import EntryKind
from halo_core.query import Found

__all__ = ["KINDS", "Action", "Cell", "History", "Span", "cells", "history", "runs"]

KINDS: Final = (EntryKind.DECISION, EntryKind.ALERT, EntryKind.BASELINE)
"""Entries that a history is made of."""


@dataclass(frozen=True, slots=True)
class Action:
    """One scored action.

    Args:
        index: place of its decision in the log.
        ts_us: when.
        session: in which.
        resource: what it acted on.
        effect: of the decision.
        risk: of the action.
        session_risk: of the session with it.
        band: 0 ordinary, 1 elevated, 2 high.
        limits: (elevated, high) in force, None where nobody recorded them.
        alert: its kind, empty where there is none.
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
class Span:
    """A session's actions: from one place up to another."""

    session: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class History:
    """See the module."""

    agent: str
    actions: tuple[Action, ...]
    spans: tuple[Span, ...]
    factors: tuple[tuple[str, int], ...]

    @property
    def now(self) -> int:
        """Risk of the session that acted last."""
        return max(self.actions, key=lambda item: item.index).session_risk

    @property
    def highest(self) -> int:
        """The most it ever was."""
        return max(item.session_risk for item in self.actions)


@dataclass(frozen=True, slots=True)
class Cell:
    """One or several actions that are drawn as one: the highest of each.

    Args:
        first: place of the first.
        actions: in order.
    """

    first: int
    actions: tuple[Action, ...]

    @property
    def top(self) -> Action:
        """The action with the highest risk, the first of them."""
        return max(self.actions, key=lambda item: item.risk)

    @property
    def session_risk(self) -> int:
        """The highest."""
        return max(item.session_risk for item in self.actions)

    @property
    def alerts(self) -> list[Action]:
        """Those that somebody should look at."""
        return [item for item in self.actions if item.alert]


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    agent: str
    limits: tuple[int, int] | None = None
    sessions: dict[str, list[Action]] = field(default_factory=dict)
    places: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    factors: Counter[str] = field(default_factory=Counter)

    def take(self, found: Found) -> None:
        """One entry, in log order."""
        entry = found.entry
        body = entry.body
        if entry.kind is EntryKind.BASELINE:
            if body["agent"] == self.agent and not body["part"]:
                risks = body.get("risks")
                self.limits = (risks[0], risks[1]) if risks else None
        elif entry.kind is EntryKind.ALERT:
            if body.get("kind") == KIND or "decision" not in body:
                return  # of a person or a service account, not of an action
            self._alert((body["decision"]["w"], body["decision"]["ws"]), body["kind"])
        elif body["request"]["subject"]["agent"] == self.agent and body["snapshot"]["risk"] is not None:
            self._decision(found)

    def _decision(self, found: Found) -> None:
        entry = found.entry
        body, snapshot = entry.body, entry.body["snapshot"]
        actions = self.sessions.setdefault(entry.session, [])
        self.places[entry.writer, entry.seq] = (entry.session, len(actions))
        self.factors.update(item["words"] for item in snapshot["factors"])
        actions.append(
            Action(
                index=found.index,
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

    def _alert(self, place: tuple[str, int], kind: str) -> None:
        if place in self.places:
            session, at = self.places[place]
            actions = self.sessions[session]
            actions[at] = replace(actions[at], alert=kind)


def history(agent: str, found: Iterable[Found]) -> History:
    """An agent's scored actions; there may be none."""
    reading = _Reading(agent)
    for item in found:
        reading.take(item)
    actions: list[Action] = []
    spans = []
    for session, some in reading.sessions.items():
        spans.append(Span(session, len(actions), len(actions) + len(some)))
        actions += some
    return History(agent, tuple(actions), tuple(spans), tuple(reading.factors.most_common(3)))


def cells(told: History, most: int) -> list[Cell]:
    """At most about so many: each holds as many actions as the others, and none of two sessions where that is one."""
    size = max(-(-len(told.actions) // most), 1)
    return [Cell(at, told.actions[at : at + size]) for at in range(0, len(told.actions), size)]


def runs(limits: Sequence[tuple[int, int] | None]) -> list[tuple[int, int, tuple[int, int]]]:
    """(from, to, limits) of neighbours with the same limits, those without any left out."""
    found = []
    at = 0
    for value, group in groupby(limits):
        length = len(list(group))
        if value is not None:
            found.append((at, at + length, value))
        at += length
    return found
