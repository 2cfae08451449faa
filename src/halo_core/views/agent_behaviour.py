"""How an agent behaved over its sessions: its risk and why, its limits and their use, and what was done about it.

Everything is computed from the log: summaries of sessions, alerts, verdicts and stops. A session is compared with the
limits that were in force before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from halo_core.behaviour.limits import SHIPPED_PRIOR
from halo_core.behaviour.measures import MEASURES, show_value
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.summaries import (
    AGENT,
    Place,
    ProfileHistory,
    decode_summary,
    fold_summary,
    judge_summary,
)
from halo_core.errors import BadInput
from halo_core.ledger import digest_state
from halo_core.model import EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.views import View
from halo_core.views.wording import escape_unprintable, format_count

PARTS: Final = ("behaviour", "entitlement", "context", "scope")
"""The four parts of `unusual`."""
ALARM: Final = 1000
_MEASURES: Final = {measure.id: measure for measure in MEASURES}
_ALERT_KINDS: Final = ("volume", "drift", "behaviour")
_MAX_SESSIONS: Final = 1_500
"""Most sessions that are shown, the newest ones. `_WARM_UP` sessions before them are folded without being shown."""
_WARM_UP: Final = 300
_RECENT: Final = 20
_KINDS: Final = (
    EntryKind.PROFILE, EntryKind.ALERT, EntryKind.DECISION, EntryKind.STOP, EntryKind.LIFT, EntryKind.FEEDBACK,
    EntryKind.GRANTS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionPoint:
    """One session of an agent.

    Args:
        session: its name, or its reference.
        principal: whom it acted for, name or reference; empty for nobody.
        ts_us: time of its first action, microseconds since the epoch.
        actions: number of its actions.
        share: largest share of a limit that it used, in thousandths; from 1000 on the limit was passed.
        measure: the measure whose limit that is, in words.
        drift: share of a drift alarm after it, in thousandths.
        alarms: what alarmed, in words.
        verdict: `ordinary`, `observed`, `alarm`, `cleared` or `attack`.
        agent_risk: risk of the whole agent after it, 0..1000.
        pair_risk: risk of the agent for this principal after it, 0..1000.
        parts: part → its highest value in the session, 0..1000.
        unusual: highest value of the four parts combined, 0..1000.
        is_carrying: whether alarms of this session or of earlier ones still count after it, for any principal.
    """

    session: str
    principal: str
    ts_us: int
    actions: int
    share: int
    measure: str
    drift: int
    alarms: tuple[str, ...]
    verdict: str
    agent_risk: int
    pair_risk: int
    parts: Mapping[str, int] = field(default_factory=dict)
    unusual: int = 0
    is_carrying: bool = False

    @property
    def risk(self) -> int:
        """The risk that a further session for the same principal starts with."""
        return max(self.agent_risk, self.pair_risk)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "actions": self.actions,
            "agent_risk": self.agent_risk,
            "alarms": list(self.alarms),
            "drift": self.drift,
            "measure": self.measure,
            "pair_risk": self.pair_risk,
            "parts": dict(self.parts),
            "principal": self.principal,
            "session": self.session,
            "share": self.share,
            "ts_us": self.ts_us,
            "unusual": self.unusual,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A measure with its limit and what recent sessions used of it.

    Args:
        id: id of the measure.
        words: what it counts.
        limit: the value up to which it is usual now.
        last: value in the newest session.
        most: highest value in the last twenty sessions.
        unit: unit of the values.
    """

    id: str
    words: str
    limit: int
    last: int
    most: int
    unit: str

    @property
    def share(self) -> int:
        """The highest recent value as a share of the limit, in thousandths."""
        return self.most * ALARM // (self.limit + 1)


@dataclass(frozen=True, slots=True)
class DoneAct:
    """What was done about an agent or a person.

    Args:
        ts_us: when.
        what: description in words.
        by: who did it, name or reference; empty for the rules.
    """

    ts_us: int
    what: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class AgentBehaviour(View):
    """An agent over its sessions.

    Args:
        agent: its id.
        sessions: number of sessions that were folded, and of those from which what is usual was learned.
        points: the newest sessions, oldest first.
        limits: measures with their limits, the closest to its limit first.
        carried: principal → risk (0..1000) with which the agent's next session for them starts.
        agent_risk: risk of the whole agent, 0..1000.
        drift: share of a drift alarm over sessions, in thousandths.
        done: what was done, oldest first.
        problem: why the history cannot be computed, or the profile counts for nothing; empty if all is well.
    """

    agent: str
    sessions: tuple[int, int] = (0, 0)
    points: tuple[SessionPoint, ...] = ()
    limits: tuple[LimitUse, ...] = ()
    carried: Mapping[str, int] = field(default_factory=dict)
    agent_risk: int = 0
    drift: int = 0
    done: tuple[DoneAct, ...] = ()
    problem: str = ""

    @property
    def risk(self) -> int:
        """The highest risk that a next session starts with."""
        return max([self.agent_risk, *self.carried.values()])

    @property
    def since_us(self) -> int:
        """Since when there is a risk, microseconds since the epoch; 0 where there is none."""
        since = 0
        for point in reversed(self.points):
            if not point.is_carrying and not point.alarms:
                break
            since = point.ts_us
        return since if self.risk else 0

    @property
    def why(self) -> tuple[str, ...]:
        """What alarmed since then, the newest first, each once."""
        words = [text for point in reversed(self.points) if point.ts_us >= self.since_us for text in point.alarms]
        return tuple(dict.fromkeys(words)) if self.risk else ()

    @property
    def parts(self) -> Mapping[str, int]:
        """The four parts of the newest session."""
        return self.points[-1].parts if self.points else {}

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "agent": self.agent,
            "agent_risk": self.agent_risk,
            "carried": dict(self.carried),
            "done": [{"at_us": item.ts_us, "by": item.by, "what": item.what} for item in self.done],
            "drift": self.drift,
            "learned_from": self.sessions[1],
            "limits": [
                {"id": item.id, "last": item.last, "limit": item.limit, "most": item.most, "unit": item.unit}
                for item in self.limits
            ],
            "parts": dict(self.parts),
            "problem": self.problem,
            "risk": self.risk,
            "sessions": self.sessions[0],
            "since_us": self.since_us,
            "timeline": [point.to_json() for point in self.points],
            "why": list(self.why),
        }


@dataclass(slots=True)
class _LogReading:
    """What one pass over the log collects about all agents.

    Args:
        history: profiles and summaries of sessions.
        alarms: (agent, session) → what alarmed, in words.
        parts: (agent, session) → part → its highest value.
        names: reference of a person → name.
        sessions: reference of a session → name.
        acted: agent → references of its sessions.
        done: agent → what was done about it.
        alerts: id of an alert → agent.
        shares: (agent, session) → share of a limit that an alarm reached, in thousandths, and the measure.
    """

    history: ProfileHistory = field(default_factory=ProfileHistory)
    alarms: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    parts: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    acted: dict[str, set[str]] = field(default_factory=dict)
    done: dict[str, list[DoneAct]] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    shares: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def take(self, record: LoggedEntry, reference: str) -> None:
        """Take an entry; `reference` is that of its session."""
        entry, body = record.entry, record.entry.body
        if entry.kind is EntryKind.PROFILE:
            self.history.add(body, reference, entry.writer, entry.seq)
        elif entry.kind is EntryKind.DECISION:
            self._take_decision(body, reference, entry.session)
        elif entry.kind is EntryKind.ALERT:
            if body.get("kind") in _ALERT_KINDS:
                agent = str(body.get("agent"))
                words = self.alarms.setdefault((agent, reference), {})
                words.update((str(item["words"]), None) for item in body.get("factors", ()))
                self._take_shares(agent, reference, body.get("factors", ()))
                self.alerts[entry.id] = agent
        else:
            self._take_act(record)

    def _take_shares(self, agent: str, reference: str, factors: Iterable[Mapping[str, Any]]) -> None:
        """Take the shares of limits from an alert: the tally lacks the action that alarmed, where it did not run."""
        for item in factors:
            name = str(item.get("id")).removesuffix("_recent").removeprefix("tenant_")
            share = int(item.get("moved", 0))
            if name in _MEASURES and share > self.shares.get((agent, reference), (0, ""))[0]:
                self.shares[agent, reference] = share, name

    def _take_decision(self, body: Mapping[str, Any], reference: str, name: str) -> None:
        subject = body["request"]["subject"]
        agent = subject["agent"]
        self.sessions[reference] = name
        self.acted.setdefault(agent, set()).add(reference)
        if subject.get("reference"):
            self.names[subject["reference"]] = subject["user"]
        view = body["snapshot"].get("behaviour") or {}
        if view:
            highest = self.parts.setdefault((agent, reference), {})
            for part in (*PARTS, "unusual"):
                highest[part] = max(highest.get(part, 0), int(view.get(part, 0)))

    def _take_act(self, record: LoggedEntry) -> None:
        entry, body = record.entry, record.entry.body
        act = describe_act(entry.kind, body)
        if entry.kind is EntryKind.FEEDBACK:
            agent = self.alerts.get(str(body.get("alert")), "")
            verdict = "an attack" if body.get("attack") is True else "ordinary"
            act = (agent, f"an alarm was judged {verdict}") if agent else None
        if act is not None:
            what = DoneAct(entry.ts_us, act[1], "" if body.get("authn") == "policy" else str(body.get("actor", "")))
            self.done.setdefault(act[0], []).append(what)


_ACTS: Final = {EntryKind.STOP: "stopped", EntryKind.LIFT: "the stop was lifted"}
_GRANT_ACTS: Final = {"notice": "notice: unused, will be removed", "remove": "removed as unused", "restore": "restored"}


def describe_act(kind: EntryKind, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """The agent (id) or person (reference) that an entry is about, and what was done; None if it is about neither."""
    if kind is EntryKind.GRANTS:
        names = ", ".join(escape_unprintable(str(name)) for _, name in list(body.get("grants", ()))[:6])
        return str(body.get("agent")), f"grants {_GRANT_ACTS.get(str(body.get('op')), str(body.get('op')))}: {names}"
    scope, target = str(body.get("scope")), str(body.get("target"))
    if scope not in ("agent", "user", "suspended_agent", "suspended_pair", "suspended_user"):
        return None
    subject, _, agent = target.partition(":") if scope == "suspended_pair" else (target, "", target)
    whom = agent if scope == "suspended_pair" else subject
    why = f": {body['why']}" if body.get("why") else ""
    if not scope.startswith("suspended_"):
        return whom, f"{_ACTS[kind]}{why}"
    if kind is EntryKind.LIFT:
        return whom, f"the suspension was lifted{why}"
    pair = " for one person" if scope == "suspended_pair" else ""
    return whom, f"notice of a suspension{pair}{why}"


def load_agent_behaviour(reader: Reader, tenant: str, agent: str) -> list[AgentBehaviour]:
    """The behaviour of each agent that acted, sorted by id, or of one; with names where the reader can open them."""
    reading = _LogReading()
    for record in read_entries(reader, tenant, _KINDS):
        reading.take(record, reader.find_session(tenant, record.entry.session) if record.entry.session else "")
    agents = sorted({*reading.acted, *(name for kind, name in reading.history.list_subjects() if kind == AGENT)})
    problems = list_profile_problems(reader, tenant, reading.history)
    return [_build(reading, name, problems) for name in agents if agent in ("", name)]


def list_profile_problems(reader: Reader, tenant: str, history: ProfileHistory) -> dict[tuple[str, str], str]:
    """(kind, subject) → what is wrong with a profile that decisions therefore do not use (`bad_profile`)."""
    rows = {(kind, subject): (version, state) for kind, subject, version, state in reader.profiles(tenant)}
    waiting, problems = history.find_waiting(), dict[tuple[str, str], str]()
    for identity, steps in history.steps.items():
        newest = max(steps)
        version, state = rows.pop(identity, (0, b""))
        if (identity in waiting and history.is_of_this_form(*identity)) or steps[newest].waits:
            sessions = len({item.of for item in waiting.get(identity, ())})
            problems[identity] = f"{format_count(sessions, 'session')} ended while it was damaged"
        elif (version, digest_state(state)) != (newest, steps[newest].digest):
            problems[identity] = "it is not what its newest entry left behind"
    return problems | dict.fromkeys(rows, "no entry explains it")


def _describe_problems(problems: Mapping[tuple[str, str], str], agent: str) -> str:
    """What is wrong with the profiles that an agent is compared with; empty for nothing."""
    words = [
        f"the profile of the {kind}{f' `{subject}`' if subject else ''} counts for nothing (bad_profile): {text}"
        for (kind, subject), text in sorted(problems.items())
        if kind != AGENT or subject == agent
    ]
    return "; ".join(words) + "; run `halo verify`, then `halo risk --rebuild`" if words else ""


def _build(reading: _LogReading, agent: str, problems: Mapping[tuple[str, str], str]) -> AgentBehaviour:
    done = tuple(reading.done.get(agent, ()))
    steps = reading.history.steps.get((AGENT, agent), {})
    folded = [(place, steps[version].judged) for version in sorted(steps) for place in steps[version].of]
    try:
        profile, points = _fold(reading, folded)
    except (BadInput, KeyError, ValueError, TypeError):
        problem = "the history cannot be computed: run `halo verify`, then `halo risk --rebuild`"
        return AgentBehaviour(agent, done=done, problem=problem)
    principals = ((item, profile.carried.risk_for(item)) for item in _list_principals(reading, folded))
    carried = {reading.names.get(item, item): risk for item, risk in principals if risk}
    return AgentBehaviour(
        agent=agent,
        sessions=(profile.watched, profile.sessions),
        points=tuple(points),
        limits=tuple(_list_limits(profile, reading, folded)),
        carried=carried,
        agent_risk=profile.carried.agent_risk,
        drift=profile.drift,
        done=done,
        problem=_describe_problems(problems, agent),
    )


_Step = tuple[Place, str]
"""Place of a session's summary, and the verdict that a person gave on it; the verdict is empty where it was folded."""


def _list_principals(reading: _LogReading, folded: Iterable[_Step]) -> set[str]:
    trees = (reading.history.summaries[place][1] for place, _ in folded)
    return {str(tree["tally"].get("p", "")) for tree in trees} - {""}


def _fold(reading: _LogReading, folded: list[_Step]) -> tuple[IdentityProfile, list[SessionPoint]]:
    profile: IdentityProfile = NEW_PROFILE
    points: dict[Place, SessionPoint] = {}
    latest: dict[str, Place] = {}
    verdicts: dict[Place, str] = {}
    newest = folded[-_MAX_SESSIONS - _WARM_UP :]
    for number, (place, judged) in enumerate(newest):
        session, tree = reading.history.summaries[place]
        if judged:
            said_before = verdicts.get(place, tree["verdict"])
            after = judge_summary(AGENT, profile, tree, session, verdict=judged, before=said_before)
        else:
            after = fold_summary(AGENT, profile, tree, session)
        if not isinstance(after, IdentityProfile):
            raise TypeError("not the profile of an agent")
        before, profile = profile, after
        if not judged and (len(newest) <= _MAX_SESSIONS or number >= _WARM_UP):
            if "f" in tree["tally"]:  # the session went on: this stands for all of it
                points.pop(latest.get(session, place), None)
            points[place] = _make_point(reading, session, tree, before, profile)
            latest[session] = place
        elif judged and place in points:
            verdicts[place] = judged
            points[place] = replace(points[place], verdict=judged)
            last = next(reversed(points))
            points[last] = replace(points[last], agent_risk=profile.carried.agent_risk)
    return profile, list(points.values())


def _make_point(
    reading: _LogReading,
    session: str,
    tree: Mapping[str, Any],
    before: IdentityProfile,
    after: IdentityProfile,
) -> SessionPoint:
    agent, (tally, summary) = str(tree["agent"]), decode_summary(tree, session)
    limits = before.limits_with(SHIPPED_PRIOR)
    shares = [(value * ALARM // (limits[at] + 1), MEASURES[at]) for at, value in enumerate(tally.values) if value]
    share, measure = max(shares, key=lambda item: item[0], default=(0, MEASURES[0]))
    asked_share, name = reading.shares.get((agent, session), (0, ""))
    if asked_share > share:
        share, measure = asked_share, _MEASURES[name]
    parts = reading.parts.get((agent, session), {})
    return SessionPoint(
        session=reading.sessions.get(session, session),
        principal=reading.names.get(summary.principal, summary.principal),
        ts_us=tally.first_us,
        actions=tally.values[0],
        share=share,
        measure=f"{measure.verb} {measure.noun}".strip(),
        drift=after.drift,
        alarms=tuple(reading.alarms.get((agent, session), ())),
        verdict=summary.verdict.value,
        agent_risk=after.carried.agent_risk,
        pair_risk=after.carried.risk_for(summary.principal),
        parts={name: parts.get(name, 0) for name in PARTS},
        unusual=parts.get("unusual", 0),
        is_carrying=bool(after.carried.alarms),
    )


def _list_limits(profile: IdentityProfile, reading: _LogReading, folded: list[_Step]) -> Iterator[LimitUse]:
    values = [reading.history.summaries[place][1]["tally"]["v"] for place, judged in folded[-_RECENT:] if not judged]
    if not values:
        return
    limits = profile.limits_with(SHIPPED_PRIOR)
    uses = [
        LimitUse(
            measure.id,
            f"{measure.verb} {measure.noun}".strip(),
            limits[at],
            int(values[-1][at]),
            max(int(item[at]) for item in values),
            measure.unit,
        )
        for at, measure in enumerate(MEASURES)
    ]
    yield from sorted((item for item in uses if item.most), key=lambda item: (-item.share, item.id))


def format_measure(item: LimitUse, value: int) -> str:
    """A value of a measure for people."""
    return show_value(_MEASURES[item.id], value)
