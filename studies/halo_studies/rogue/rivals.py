"""Two rivals that see the same streams: a z-score on counts, and a watcher with hand-written limits.

A rival decides before each act. An alarm ends the session: what is left of it does not run. Sessions without an alarm
are learnt from; those with one are not.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from halo_core.model import Impact, Resource
from halo_studies.rogue.streams import Plan

__all__ = ["RIVALS", "Rival", "RuleWatcher", "ZScore"]

_WINDOW: Final = 150
_LEAST: Final = 20
_SENSITIVE: Final = frozenset({"chd", "phi", "pii", "secret"})
_SAFE: Final = frozenset({Impact.READ})


def list_leaves(args: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values inside nested arguments, each with the name of the outermost argument."""
    for name, value in args.items():
        items = value if isinstance(value, list) else [value]
        inner = [leaf for item in items for leaf in (_list_inner(item) if isinstance(item, Mapping) else [item])]
        yield from ((name, leaf) for leaf in inner)


def _list_inner(value: Mapping[str, Any]) -> list[Any]:
    return [leaf for _, leaf in list_leaves(value)]


def list_places(resource: Resource, args: Mapping[str, Any]) -> set[str]:
    """Where money or data goes: the values of the declared targets."""
    return {str(value) for name, value in list_leaves(args) if name in resource.targets}


@dataclass(slots=True)
class Seen:
    """What a rival has seen of one session: the acts that ran before, and the one to decide."""

    plan: Plan
    counts: Counter[str] = field(default_factory=Counter)
    objects: set[str] = field(default_factory=set)
    amounts: dict[str, list[float]] = field(default_factory=dict)
    records: dict[str, set[str]] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    tools: set[str] = field(default_factory=set)
    systems: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)

    def add(self, tool: str, resource: Resource, args: Mapping[str, Any]) -> None:
        """Add an act."""
        self.counts["acts"] += 1
        self.counts["reads" if resource.impact in _SAFE else "writes"] += 1
        self.counts["sends"] += resource.impact is Impact.SEND
        leaves = [value for _, value in list_leaves(args)]
        self.counts["size"] += sum(len(value) for value in leaves if isinstance(value, str))
        self.tools.add(tool)
        self.systems.add(resource.system)
        self.labels.update(resource.labels)
        self.objects.update(value for value in leaves if isinstance(value, str) and len(value) <= 40)
        self.places.update(list_places(resource, args))
        if resource.impact in _SAFE and resource.labels:
            self.records.setdefault(tool, set()).update(map(str, leaves))
        if resource.amount:
            self.amounts.setdefault(tool, []).append(float(args.get(resource.amount, 0)))

    def measures(self) -> dict[str, float]:
        """Counts of the session so far."""
        named = {name: float(self.counts[name]) for name in ("acts", "reads", "writes", "sends", "size", "failures")}
        paid = [amount for amounts in self.amounts.values() for amount in amounts]
        return {**named, "objects": float(len(self.objects)), "amount": sum(paid), "largest": max(paid, default=0.0)}


class Rival(ABC):
    """A detector that learns session by session.

    Args:
        tools: declarations by name.
    """

    name = ""

    def __init__(self, tools: Mapping[str, Resource]) -> None:
        self.tools = tools
        self.learnt = 0

    def begin(self, plan: Plan) -> Seen:
        """A session begins."""
        return Seen(plan)

    def why_alarm(self, seen: Seen, tool: str, args: Mapping[str, Any]) -> str:
        """Add an act and say in a word why it may not run; empty where it may."""
        seen.add(tool, self.tools[tool], args)
        return self.judge(seen, self.tools[tool], args) if self.learnt >= _LEAST else ""

    def note_result(self, seen: Seen, text: str, *, failed: bool) -> None:
        """What came of the act that was decided last."""
        seen.counts["failures"] += failed
        seen.results.append(text)

    def end(self, seen: Seen) -> None:
        """Learn a session that raised no alarm."""
        self.learnt += 1
        self.learn(seen)

    @abstractmethod
    def judge(self, seen: Seen, resource: Resource, args: Mapping[str, Any]) -> str:
        """Why the last act of a session may not run."""

    @abstractmethod
    def learn(self, seen: Seen) -> None:
        """Learn from a whole session."""


class ZScore(Rival):
    """Each count of the session against mean and standard deviation of the last sessions.

    The limit is four deviations, of nine counts, so that one ordinary session in twenty is above. The deviation is at
    least a quarter of the mean and at least one.
    """

    name = "z-score"
    limit: Final = 4.0

    def __init__(self, tools: Mapping[str, Resource]) -> None:
        super().__init__(tools)
        self._last: deque[dict[str, float]] = deque(maxlen=_WINDOW)
        self._usual: dict[str, tuple[float, float]] = {}

    def judge(self, seen: Seen, resource: Resource, args: Mapping[str, Any]) -> str:  # noqa: ARG002
        for name, value in seen.measures().items():
            mean, deviation = self._usual[name]
            if (value - mean) / deviation > self.limit:
                return name
        return ""

    def learn(self, seen: Seen) -> None:
        self._last.append(seen.measures())
        for name in self._last[0]:
            values = [one[name] for one in self._last]
            mean = sum(values) / len(values)
            deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
            self._usual[name] = (mean, max(deviation, mean / 4, 1.0))


class RuleWatcher(Rival):
    """Limits that somebody sensible would write by hand, from the largest seen and from first times."""

    name = "rules"

    def __init__(self, tools: Mapping[str, Resource]) -> None:
        super().__init__(tools)
        self._most: Counter[str] = Counter()
        self._largest: dict[str, float] = {}
        self._days: dict[str, int] = {}
        self._systems: set[str] = set()
        self._labels: set[str] = set()
        self._places: set[str] = set()
        self._hosts: set[str] = set()
        self._hours: set[int] = set()

    def judge(self, seen: Seen, resource: Resource, args: Mapping[str, Any]) -> str:
        return next((word for word in self._reasons(seen, resource, args) if word), "")

    def _reasons(self, seen: Seen, resource: Resource, args: Mapping[str, Any]) -> Iterator[str]:
        at = datetime.fromtimestamp(seen.plan.start_us / 1_000_000, tz=UTC)
        tool = next(name for name, one in self.tools.items() if one is resource)
        places = list_places(resource, args)
        yield "host" if seen.plan.host not in self._hosts else ""
        yield "hour" if not {(at.hour + step) % 24 for step in (-1, 0, 1)} & self._hours else ""
        records = max(map(len, seen.records.values()), default=0)
        yield "records" if records > 1.3 * self._most["records"] + 1 else ""
        yield "objects" if len(seen.objects) > 1.3 * self._most["objects"] + 2 else ""
        yield "sends" if seen.counts["sends"] > 1.5 * self._most["sends"] + 2 else ""
        yield "size" if seen.counts["size"] > 2 * self._most["size"] + 200 else ""
        yield "failures" if seen.counts["failures"] > self._most["failures"] + 3 else ""
        yield "system" if resource.system not in self._systems else ""
        yield "label" if not set(resource.labels) <= self._labels else ""
        is_new = tool not in self._days
        yield "first grave act" if is_new and resource.impact in {Impact.DELETE, Impact.ADMIN, Impact.PAYMENT} else ""
        dormant = not is_new and at.toordinal() - self._days[tool] > 90
        yield "dormant" if dormant and (resource.impact not in _SAFE or _SENSITIVE & set(resource.labels)) else ""
        if resource.amount:
            yield "amount" if float(args.get(resource.amount, 0)) > 1.5 * self._largest.get(tool, 0) + 1 else ""
        carries = _SENSITIVE & seen.labels and resource.impact in {Impact.SEND, Impact.PAYMENT}
        named = all(place in seen.plan.request or self._is_on_record(seen, place) for place in places)
        yield "destination" if carries and places - self._places and not named else ""

    def _is_on_record(self, seen: Seen, place: str) -> bool:
        """Whether a result of the session showed the destination; what a record says is no stranger."""
        return any(place in text for text in seen.results)

    def learn(self, seen: Seen) -> None:
        at = datetime.fromtimestamp(seen.plan.start_us / 1_000_000, tz=UTC)
        measures = {**seen.measures(), "records": max(map(len, seen.records.values()), default=0)}
        for name in ("records", "objects", "sends", "size", "failures"):
            self._most[name] = max(self._most[name], int(measures[name]))
        for tool in seen.tools:
            self._days[tool] = at.toordinal()
        self._systems |= seen.systems
        self._labels |= seen.labels
        self._places |= seen.places
        self._hosts.add(seen.plan.host)
        self._hours.add(at.hour)
        for tool, amounts in seen.amounts.items():
            self._largest[tool] = max(self._largest.get(tool, 0.0), *amounts)


RIVALS: Final = (ZScore, RuleWatcher)
