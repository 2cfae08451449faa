"""The risk of an agent: its baseline, its history over actions, and what it reached.

A history consists of recorded scores. Its sessions follow one another in the order in which they began, each as a
whole, even if they ran in parallel. The activity counts what the score compares as circumstances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any, Final

from halo_core.baselines import SessionHistory, find_baseline_hash, read_baseline_part
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.errors import ConfigError
from halo_core.identities.day_alerts import ALERT_KIND
from halo_core.model import EntryKind, Grants
from halo_core.model_changes import list_scored_agents
from halo_core.risk.action_risk import ScoringTerms
from halo_core.risk.circumstances import UsualCircumstances
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.views import View
from halo_core.views.passports import load_current_passport
from halo_core.views.wording import escape_unprintable, format_count

_KIND_NAMES: Final = {"label": "data label", "process": "program"}
_MIN_DAYS: Final = 5
"""With fewer days of history, a new host, program or hour has almost no weight."""


@dataclass(frozen=True, slots=True)
class BaselineView(View):
    """A baseline of an agent; `in_force` is False where it was only fitted."""

    agent: str
    terms: ScoringTerms
    usual: UsualCircumstances
    in_force: bool

    def describe_circumstances(self) -> str:
        """From where and when the agent acts, in words."""
        usual = self.usual
        if not usual.sessions:
            return "not compared"
        early = usual.days < _MIN_DAYS
        kinds = [kind for kind in sorted(usual.known_values) if not early or kind not in {"host", "process"}]
        counts = ", ".join(format_count(len(usual.known_values[kind]), _KIND_NAMES.get(kind, kind)) for kind in kinds)
        counts = counts or "none"
        if early:
            return f"{counts}; host, program and hour have little weight before day {_MIN_DAYS} ({usual.days} so far)"
        hours = ", ".join(f"{hour:02}" for hour in sorted(usual.hours)) or "none yet"
        return f"{usual.days} days; {counts}; hours (UTC) {hours}"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        shared = {"agent": self.agent, "circumstances": self.usual.to_plain(), "in_force": self.in_force}
        return {**shared, **asdict(self.terms)}


def load_baseline(reader: Reader, tenant: str, agent: str) -> BaselineView:
    """The baseline that is in force for an agent.

    Raises:
        ConfigError: `no_baseline`, there is none.
        BadInput: it is not what was put in force.
    """
    baseline_hash = find_baseline_hash(reader, tenant, agent)
    if not baseline_hash:
        problem, remedy = f"no baseline is in force for `{agent}`", f"run `halo baseline fit {agent}`"
        raise ConfigError("no_baseline", problem, field="agent", remedy=remedy)
    rules = load_rules(baseline_hash, partial(read_baseline_part, reader, tenant))
    return BaselineView(agent, rules.terms, rules.usual, in_force=True)


def check_agents_acted(reader: Reader, tenant: str, like: Sequence[str]) -> None:
    """Raise `ConfigError` if an agent in `like` has no action in the log: a typo must not go unnoticed."""
    if not like:
        return
    acted = {
        item.entry.body["request"]["subject"]["agent"] for item in read_entries(reader, tenant, (EntryKind.DECISION,))
    }
    for agent in like:
        if agent not in acted:
            why, remedy = f"the log has no action of `{agent}`", "see `halo agents`"
            raise ConfigError("no_sessions", why, field="like", remedy=remedy)


def count_unjudged_alerts(reader: Reader, tenant: str, sessions: frozenset[str]) -> int:
    """Number of alerts in these sessions without a verdict."""
    alert_entries = [item.entry for item in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK))]
    judged = {body["alert"] for entry in alert_entries if (body := read_verdict(entry)) is not None}
    alerts = {entry.id for entry in alert_entries if entry.kind is EntryKind.ALERT and entry.session in sessions}
    return len(alerts - judged)


def survey_sessions(
    reader: Reader, tenant: str, agents: Sequence[str], sessions: Sequence[SessionHistory]
) -> tuple[list[str], int]:
    """Agents without a baseline that acted in sessions, and how many sessions of `agents` were judged an attack."""
    acted: dict[str, set[str]] = {}
    bad: dict[str, bool] = {}
    for item in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.FEEDBACK)):
        body = item.entry.body
        if read_verdict(item.entry) is not None:
            bad[body["session"]] = body["attack"]
        elif item.entry.kind is EntryKind.DECISION:
            acted.setdefault(item.entry.session, set()).add(body["request"]["subject"]["agent"])
    scored = reader.baselines(tenant).keys()
    unscored = {name for item in sessions for name in acted.get(item.session, ())} - scored - {agents[0]}
    return sorted(unscored), sum(not acted.get(name, set()).isdisjoint(agents) for name in bad if bad[name])


_BARS: Final = " ▁▂▃▄▅▆▇█"
SPARKLINE_WIDTH: Final = 40
"""Number of values, the newest ones, that a sparkline shows."""


def draw_sparkline(history: Iterable[int]) -> str:
    """A line of characters as bars for the newest values, each 0..1000."""
    top = len(_BARS) - 1
    return "".join(_BARS[min(value * top // 1000, top)] for value in list(history)[-SPARKLINE_WIDTH:])


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
        limits: (elevated, high) in force then; None where they were not recorded.
        alert: kind of the alert about it; empty where there is none.
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


_MAX_NAMES: Final = 6
_US_PER_S: Final = 1_000_000
_STOPPING_EFFECTS: Final = ("deny", "challenge")


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
        self.hours[datetime.fromtimestamp(record.entry.ts_us // _US_PER_S, UTC).hour] += 1
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
        """For programs; `unused` is None where no passport of its own is on record."""
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
            rest = f"; never used: {_format_names(unused_names)}" if unused_names else ""
            yield f"used      {total - len(unused_names)} of {total} granted resources{rest}"
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
    shown, rest = ", ".join(map(escape_unprintable, names[:_MAX_NAMES])), len(names) - _MAX_NAMES
    return shown + (f" and {rest} more" if rest > 0 else "")


@dataclass(slots=True)
class AgentRisk(View):
    """The risk of one agent, 0..1000, from the log.

    Args:
        agent: id of the agent.
        granted: grants of its passport; None where it has no passport of its own.
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


def load_risk_report(reader: Reader, tenant: str, agent: str = "") -> RiskReport:
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


BANDS: Final = (("other", "ordinary"), ("granted", "elevated"), ("stopped", "high"))
