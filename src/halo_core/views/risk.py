"""The risk of agents, and their activity, counted by what the score compares as circumstances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from halo_core.durations import SECOND_US
from halo_core.model import EntryKind, Grants
from halo_core.model_changes import list_scored_agents
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.views import View
from halo_core.views.passports import load_current_passport
from halo_core.views.wording import escape_unprintable, format_count

_MAX_NAMES: Final = 6
_STOPPING_EFFECTS: Final = ("deny", "challenge")
_BARS: Final = " ▁▂▃▄▅▆▇█"
SPARKLINE_WIDTH: Final = 40
"""Number of values, the newest ones, that a sparkline shows."""


def draw_sparkline(history: Iterable[int]) -> str:
    """A line of characters as bars for the newest values, each 0..1000."""
    top = len(_BARS) - 1
    return "".join(_BARS[min(value * top // 1000, top)] for value in list(history)[-SPARKLINE_WIDTH:])


@dataclass(slots=True)
class AgentActivity:
    """Counts of what one agent did.

    Args:
        actions: number of its actions.
        used: action kind → resource → number of actions that ran.
        systems: system → number of actions that ran.
        labels: data label → number of actions that ran.
        origins: host and program → number of actions.
        hours: hour of the day (UTC) → number of actions.
        outside: reason code → number of actions that were denied or asked because of it.
    """

    actions: int = 0
    used: dict[str, Counter[str]] = field(default_factory=dict)
    systems: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)

    def add(self, record: LoggedEntry) -> None:
        """Count a decision. An action that did not run used nothing; the reasons are counted."""
        body = record.entry.body
        request, resource = body["request"], body["request"]["resource"]
        origin = request["context"]["origin"]
        self.actions += 1
        self.hours[datetime.fromtimestamp(record.entry.ts_us // SECOND_US, UTC).hour] += 1
        self.origins[f"{origin['host']} {origin['process']}"] += 1
        if body["dispatched"]:
            self.used.setdefault(request["kind"], Counter())[resource["id"]] += 1
            self.systems.update(filter(None, (resource["system"],)))
            self.labels.update(resource["labels"])
        reasons = body["decision"]["reasons"]
        self.outside.update(sorted({item["code"] for item in reasons if item["effect"] in _STOPPING_EFFECTS}))

    def list_unused(self, granted: Grants) -> list[str]:
        """Granted resources that no action reached, as kind and id."""
        return sorted(
            f"{kind.value} {name}"
            for kind, resources in granted.items()
            for name in resources
            if name not in self.used.get(kind.value, ())
        )

    def to_json(self, granted: Grants | None) -> dict[str, Any]:
        """For programs; `unused` is None if no passport of its own is on record."""
        return {
            "actions": self.actions,
            "hours": {str(hour): times for hour, times in sorted(self.hours.items())},
            "labels": _sort_counts(self.labels),
            "origins": _sort_counts(self.origins),
            "outside": _sort_counts(self.outside),
            "systems": _sort_counts(self.systems),
            "unused": None if granted is None else self.list_unused(granted),
            "used": {kind: _sort_counts(names) for kind, names in sorted(self.used.items())},
        }

    def describe(self, granted: Grants | None) -> Iterator[str]:
        """Describe the activity in lines for people."""
        used = Counter({f"{kind} {name}": times for kind, names in self.used.items() for name, times in names.items()})
        if granted is None:
            yield f"used      {_format_counts(used)}; it has no passport of its own to compare with"
        else:
            total, unused_names = sum(map(len, granted.values())), self.list_unused(granted)
            addition = f"; never used: {_format_names(unused_names)}" if unused_names else ""
            yield f"used      {total - len(unused_names)} of {total} granted resources{addition}"
        for title, counts in (("systems", self.systems), ("labels", self.labels), ("from", self.origins)):
            if counts:
                yield f"{title:<9} {_format_counts(counts)}"
        yield f"hours     {', '.join(f'{hour:02}' for hour in sorted(self.hours))} UTC"
        if self.outside:
            yield f"stopped   {_format_counts(self.outside)}"


def _sort_counts(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _format_counts(counts: Counter[str]) -> str:
    return _format_names([f"{name} {times}" for name, times in counts.most_common()]) or "nothing"


def _format_names(names: list[str]) -> str:
    listed, unlisted = ", ".join(map(escape_unprintable, names[:_MAX_NAMES])), len(names) - _MAX_NAMES
    return listed + (f" and {unlisted} more" if unlisted > 0 else "")


@dataclass(slots=True)
class AgentRisk(View):
    """The risk of one agent, 0..1000, from the log.

    Args:
        agent: id of the agent.
        granted: grants of its passport; None if it has no passport of its own.
        scored: number of scored actions.
        risk: risk of the session that acted last.
        highest: highest risk that one of its sessions had.
        band: band of the last scored action: 0 ordinary, 1 elevated, 2 high.
        bands: band → number of actions.
        history: risk of the session after each action.
        factors: cause, in words → number of actions that it moved.
        session: session of the last scored action.
        last_us: time of the last scored action, microseconds since the epoch.
        activity: what the agent did.
        unscored: number of actions without a score, although the agent or another one in the session is scored.
    """

    agent: str
    granted: Grants | None = None
    scored: int = 0
    risk: int = 0
    highest: int = 0
    band: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    history: list[int] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    session: str = ""
    last_us: int = 0
    activity: AgentActivity = field(default_factory=AgentActivity)
    unscored: int = 0

    def add(self, record: LoggedEntry) -> None:
        """Take the next decision, in log order."""
        body = record.entry.body
        self.activity.add(record)
        snapshot = body["snapshot"]
        self.unscored += bool(snapshot.get("unscored"))
        if snapshot["risk"] is None:
            return
        self.scored += 1
        self.risk, self.session, self.last_us = body["after"]["risk"], record.entry.session, record.entry.ts_us
        self.highest = max(self.highest, self.risk)
        self.band = snapshot["band"]
        self.bands[self.band] += 1
        self.history.append(self.risk)
        self.factors.update(item["words"] for item in snapshot["factors"])

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "agent": self.agent,
            "elevated": self.bands[1],
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": self.highest,
            "history": self.history[-SPARKLINE_WIDTH:],
            "last_us": self.last_us,
            "reach": self.activity.to_json(self.granted),
            "risk": self.risk,
            "scored": self.scored,
            "session": self.session,
        }


@dataclass(frozen=True, slots=True)
class RiskReport(View):
    """The risk of agents.

    Args:
        scored: agents with scored actions, the riskiest first.
        unscored: agents with actions without a score in sessions with scored agents, sorted by id.
        advice: what to do if no action was scored.
    """

    scored: tuple[AgentRisk, ...]
    unscored: tuple[AgentRisk, ...]
    advice: str

    def describe_unscored(self) -> list[str]:
        """Agents that act beside scored ones, and have no score."""
        return [
            f"{format_count(item.unscored, 'action')} of {item.agent} in the same sessions have no score: "
            f"run `halo baseline fit {item.agent}`"
            for item in self.unscored
            if not item.scored
        ]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        unscored = {item.agent: item.unscored for item in self.unscored}
        return {"agents": [item.to_json() for item in self.scored], "unscored": unscored}


def load_risk_report(reader: Reader, tenant: str, agent: str) -> RiskReport:
    """The risk of every agent that acted, or of one."""
    agents: dict[str, AgentRisk] = {}
    for item in read_entries(reader, tenant, (EntryKind.DECISION,)):
        name = item.entry.body["request"]["subject"]["agent"]
        if not agent or name == agent:
            agents.setdefault(name, AgentRisk(name)).add(item)
    for name, row in agents.items():
        passport = load_current_passport(reader, tenant, name)
        row.granted = None if passport is None else passport.links[0].grants
    return RiskReport(
        scored=tuple(sorted((item for item in agents.values() if item.scored), key=lambda x: (-x.risk, x.agent))),
        unscored=tuple(item for _, item in sorted(agents.items()) if item.unscored),
        advice=_advise_scoring(reader, tenant, agent, acted=bool(agents)),
    )


def _advise_scoring(reader: Reader, tenant: str, agent: str, *, acted: bool) -> str:
    fitted = list_scored_agents(reader, tenant)
    if agent in fitted or (not agent and fitted):
        return "no action has been scored yet; scoring starts with the next action"
    if agent and not acted:
        return f"the log has no action of `{agent}`; see `halo agents`"
    return f"no action has been scored yet; run `halo baseline fit {agent or 'AGENT'}` to start scoring"
