"""Carried risk: what alarms of past sessions leave for an agent's next ones.

When a session is folded, `summarize_session` says how severe its worst alarm was and what explains it, and
`CarriedRisk.after_session` adds that to what is left of earlier ones, or lets it fall after ordinary work. The next
session asks `CarriedRisk.risk_for(principal)`: 0..1000, by which its authority at the start is lowered.

    session for Ana with an alarm of 800, no untrusted content read   → risk 800 for Ana, 0 for everybody else
    the same after a mail of one source                               → risk 200 for Ana: the mail explains it
    the same for Ana and for Bob, without untrusted content           → risk 800 for everybody

An alarm belongs to a pair of agent and principal, and, where untrusted content explains it, to the source of that
content. Only what alarms of two principals agree on counts for the whole agent, and lightly where content explains
them. Sessions that act for nobody are a pair of their own: whoever can start them must not lower what the agent may do
for others.
INVARIANT: one source raises the risk of nobody but those who acted after reading it, and that lightly.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.known import day_of
from halo_core.behaviour.measures import INDEX, LISTABLE, MAX_VALUE
from halo_core.behaviour.packing import NumberReader
from halo_core.behaviour.session_drift import is_drift_axis
from halo_core.behaviour.tally import SessionTally, TallyAlarm
from halo_core.quick_dataclass import dataclass

MAX_RISK: Final = 1000
MAX_LIGHT: Final = 250
"""Most that alarms which content explains leave for a pair, or for an agent."""
_LIGHT_DIVISOR: Final = 4
"""Of alarms which content explains a quarter counts."""
_MAX_ALARMS: Final = 64
"""Alarms that are kept of one agent."""

# Severity of a session
_UNIT_SHARE: Final = 1000
"""Share of an alarm at its limit: 3000 is three times the limit."""
_MAX_SEVERITY: Final = 900
"""Most that one alarm comes to; several axes of a session add `_MORE_AXES` each."""
_MORE_TIMES: Final = 40
_MORE_AXES: Final = 25
_JUDGED_RISK: Final = 900
"""Least that a session leaves which a person found an attack."""
MAX_DRIFT_SEVERITY: Final = 250
"""Most that a session leaves whose only alarms are drift over sessions, which the profile itself carries, or come from
the score: a model finds unlikely what it has not seen, such as a long list of ordinary work."""
_SCORED_AXES: Final = frozenset(("session_risk", "surprise"))
"""Axes whose value is a model's, and no measure of what was done."""
_WORK_AXES: Final = frozenset("actions reads acts objects requested seconds burst".split())
"""Measures of how much work was done, whatever it was done on. How often they alarm says nothing: each entry of a long
list is a further try. What is strange about a theft has measures of its own, labelled data among them."""
_WORK: Final = "work"

# Rise and fall
_DECAY_DIVISOR: Final = 4
"""A day of ordinary work takes a quarter of what is left. By sessions alone, a thief would work it off in an hour."""
MIN_WORK: Final = 5
"""Actions of ordinary sessions, since it fell last, without which a day is no day of work."""
_REPEAT_DIVISOR: Final = 4
"""Of two alarms of one pair and source, a quarter of the lesser is added to the greater."""


class SessionVerdict(StrEnum):
    """What a session counts as when it is folded.

    `ordinary`: nothing alarmed. `observed`: something alarmed in observe mode, where nobody was asked. `alarm`:
    something alarmed that nobody has cleared. `cleared`: it alarmed, and a person found it ordinary. `attack`: a person
    found it an attack.
    """

    ORDINARY = "ordinary"
    OBSERVED = "observed"
    ALARM = "alarm"
    CLEARED = "cleared"
    ATTACK = "attack"


TEACHING: Final = (SessionVerdict.ORDINARY, SessionVerdict.CLEARED, SessionVerdict.OBSERVED)
"""Verdicts of sessions that teach."""


def has_taught(tally: SessionTally) -> bool:
    """Whether a part of a session that went on has taught already."""
    return tally.folded is not None and tally.folded.verdict in TEACHING


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What carried risk takes of a session.

    Args:
        session: its reference.
        principal: keyed reference of the person or account it acted for, empty for none.
        severity: of its worst alarm, 0..1000; 0 without one.
        source: of the untrusted content after which it alarmed; empty where no content explains the alarm.
        verdict: see `SessionVerdict`.
        actions: of the session.
        day: on which it began, since 1970.
        is_only_asked: all that alarmed was asked about and leaves no risk (`assessment.Axis.kind`).
    """

    session: str
    principal: str = ""
    severity: int = 0
    source: str = ""
    verdict: SessionVerdict = SessionVerdict.ORDINARY
    actions: int = 0
    day: int = 0
    is_only_asked: bool = False


def summarize_session(
    session: str,
    tally: SessionTally,
    *,
    source: str = "",
    cleared: bool = False,
    attack: bool = False,
    observed: bool = False,
) -> SessionSummary:
    """What a session leaves for the next ones.

    Args:
        session: its reference.
        tally: at its end.
        source: of the untrusted content that it read, if it read any: explains alarms raised after reading it.
        cleared: a person found all of its alarms ordinary.
        attack: a person found it an attack.
        observed: it ran in observe mode, where nobody is asked.
    """
    alarms = tally.open_alarms if tally.open_alarms and not cleared else tally.alarms
    severity = _grade_session(alarms)
    new = [alarm for alarm in alarms if alarm.times]
    is_explained = all(alarm.is_exposed for alarm in new or alarms)
    verdict = SessionVerdict.ORDINARY
    if attack:
        verdict = SessionVerdict.ATTACK
    elif tally.alarms and (cleared or not tally.open_alarms):
        verdict = SessionVerdict.CLEARED
    elif tally.alarms:
        teaches = observed and (not (source and is_explained) or _is_listed(tally))
        verdict = SessionVerdict.OBSERVED if teaches else SessionVerdict.ALARM
        severity = 0 if observed else severity
    is_only_asked = verdict is SessionVerdict.ALARM and all(alarm.share < _UNIT_SHARE for alarm in alarms)
    explained_by = source if is_explained else ""
    return make_summary(session, tally, severity, explained_by, verdict, is_only_asked=is_only_asked)


def _is_listed(tally: SessionTally) -> bool:
    """Whether all alarms of a session are about work on objects that its request names one by one.

    INVARIANT: untrusted content cannot lengthen the list. Only the user's words make an object a requested one.
    """
    listed = tally["requested"]
    return all(
        measure in LISTABLE and tally[LISTABLE[measure]] <= listed
        for measure in (alarm.axis.removesuffix("_recent") for alarm in tally.alarms)
    )


def make_summary(
    session: str,
    tally: SessionTally,
    severity: int,
    source: str,
    verdict: SessionVerdict,
    *,
    is_only_asked: bool,
) -> SessionSummary:
    """The summary of a session whose severity, source and verdict are known; see `SessionSummary`."""
    day = day_of(tally.first_us)
    actions = tally.values_since_fold[INDEX["actions"]]
    return SessionSummary(session, tally.principal, severity, source, verdict, actions, day, is_only_asked)


def _grade_session(alarms: Sequence[TallyAlarm]) -> int:
    """Severity of a session's alarms: of the worst, and more for each further thing that was out of the ordinary."""
    severity = max((_grade(alarm) for alarm in alarms), default=0)
    kinds = {
        _name_kind(alarm.axis)
        for alarm in alarms
        if alarm.times
        and alarm.share >= _UNIT_SHARE
        and not is_drift_axis(alarm.axis)
        and alarm.axis not in _SCORED_AXES
    }
    return min(severity + _MORE_AXES * max(len(kinds) - 1, 0), MAX_RISK)


def _name_kind(axis: str) -> str:
    """What an axis measures: a sum over recent sessions, and the largest and the sum of amounts, are one thing."""
    name = axis.removeprefix("tenant_").removesuffix("_recent").replace("amount_largest", "amount_sum")
    return _WORK if name in _WORK_AXES else name


def _grade(alarm: TallyAlarm) -> int:
    """Severity of one alarm: by how far the limit was passed, and how often it was tried."""
    if alarm.share < _UNIT_SHARE or not alarm.times:
        return 0  # what the request itself asked for, or what was charged before
    if is_drift_axis(alarm.axis) or alarm.axis in _SCORED_AXES:
        return min(alarm.share // 4, MAX_DRIFT_SEVERITY)
    times = 1 if _name_kind(alarm.axis) == _WORK else alarm.times
    return min(alarm.share // 4 + _MORE_TIMES * (times - 1), _MAX_SEVERITY)


@dataclass(frozen=True, slots=True)
class CarriedAlarm:
    """Alarms of one pair and one source that still count.

    Args:
        principal: fingerprint, 0 for none.
        source: fingerprint of the source, 0 where no content explains them.
        session: fingerprint of the last session that alarmed.
        pair: what is left for the pair, 0..1000.
        agent: what is left for the agent, 0..1000, if others agree.
        judged: a person found the session an attack.
        pair_day: number of the last day on which `pair` fell, or of the alarm.
        pair_work: actions of the pair's ordinary sessions since then.
        agent_day, agent_work: the same of `agent`, for sessions of whomever.
    """

    principal: int
    source: int
    session: int
    pair: int
    agent: int
    judged: bool = False
    pair_day: int = 0
    pair_work: int = 0
    agent_day: int = 0
    agent_work: int = 0

    def after_work(self, summary: SessionSummary, *, is_own: bool) -> CarriedAlarm:
        """What is left after an ordinary session.

        Args:
            summary: of the session.
            is_own: it acted for this alarm's principal.
        """
        pair = self.pair, self.pair_day, self.pair_work
        if is_own:
            pair = _fall(*pair, summary)
        agent = _fall(self.agent, self.agent_day, self.agent_work, summary)
        return CarriedAlarm(
            self.principal, self.source, self.session, pair[0], agent[0], self.judged, *pair[1:], *agent[1:]
        )


def _fall(risk: int, day: int, work: int, summary: SessionSummary) -> tuple[int, int, int]:
    """A risk after an ordinary session, with the day on which it fell last and the work done since.

    INVARIANT: it falls at most once a day, and only for work: empty sessions, or many in a row, take nothing away.
    """
    work = min(work + summary.actions, MAX_VALUE)
    if work < MIN_WORK or summary.day <= day:
        return risk, day, work
    return risk - -(-risk // _DECAY_DIVISOR), summary.day, 0


@dataclass(frozen=True, slots=True)
class CarriedRisk:
    """The alarms that still count for an agent, those that count most first."""

    alarms: tuple[CarriedAlarm, ...] = ()

    def after_session(self, summary: SessionSummary) -> CarriedRisk:
        """The risk after a session has ended."""
        # INVARIANT: what is asked about because of the risk does not keep the risk up.
        if summary.is_only_asked or summary.verdict in (SessionVerdict.ORDINARY, SessionVerdict.CLEARED):
            principal = _fingerprint(summary.principal)
            alarms_left = [alarm.after_work(summary, is_own=alarm.principal == principal) for alarm in self.alarms]
            return CarriedRisk(_order([alarm for alarm in alarms_left if alarm.pair or alarm.agent]))
        return self if summary.verdict is SessionVerdict.OBSERVED else self.charge(summary)

    def charge(self, summary: SessionSummary) -> CarriedRisk:
        """The risk with the alarms of a session."""
        judged = summary.verdict is SessionVerdict.ATTACK
        severity = min(max(summary.severity, _JUDGED_RISK if judged else 0), MAX_RISK)
        principal, session, source = map(_fingerprint, (summary.principal, summary.session, summary.source))
        if not severity:
            return self
        rest, old = [], CarriedAlarm(principal, source, session, 0, 0)
        for alarm in self.alarms:
            if (alarm.principal, alarm.source) == (principal, source):
                old = alarm
            else:
                rest.append(alarm)
        pair, agent = _add(old.pair, severity), _add(old.agent, severity)
        day = max(summary.day, old.pair_day, old.agent_day)
        new = CarriedAlarm(principal, source, session, pair, agent, judged or old.judged, day, 0, day, 0)
        return CarriedRisk(_order([*rest, new])[:_MAX_ALARMS])

    def judged(self, summary: SessionSummary) -> CarriedRisk:
        """The risk once a person has judged a past session: `cleared` takes its alarms away, `attack` confirms them."""
        principal, session = _fingerprint(summary.principal), _fingerprint(summary.session)
        others = [alarm for alarm in self.alarms if not (alarm.principal == principal and alarm.session == session)]
        base = CarriedRisk(tuple(others))
        return base.charge(summary) if summary.verdict is SessionVerdict.ATTACK else base

    @property
    def agent_risk(self) -> int:
        """Risk of the whole agent, 0..1000, whomever it acts for."""
        return max(self._agreed, min(self._agreed_on_content // _LIGHT_DIVISOR, MAX_LIGHT))

    @property
    def _agreed(self) -> int:
        """What alarms of two principals agree on, that no content explains."""
        named = [alarm for alarm in self.alarms if alarm.principal]
        return _second([(alarm.principal, alarm.agent) for alarm in named if not alarm.source])

    @property
    def _agreed_on_content(self) -> int:
        """What alarms of two principals after two sources agree on."""
        ranked = [alarm for alarm in self.alarms if alarm.source and alarm.principal and alarm.agent]
        return max(
            (
                min(one.agent, other.agent)
                for at, one in enumerate(ranked)
                for other in ranked[at + 1 :]
                if one.principal != other.principal and one.source != other.source
            ),
            default=0,
        )

    def risk_for(self, principal: str) -> int:
        """Risk of the agent when it acts for a principal, 0..1000."""
        wanted = _fingerprint(principal)
        own = 0
        for alarm in self.alarms:
            if alarm.principal == wanted:
                own = max(own, min(alarm.pair // _LIGHT_DIVISOR, MAX_LIGHT) if alarm.source else alarm.pair)
        return max(own, self.agent_risk)

    @property
    def independent_alarms(self) -> int:
        """Alarms that count and share neither principal nor source: suspension needs two, or a verdict.

        Those of sessions that act for nobody are not counted: nobody knows who started them.
        """
        named = [alarm for alarm in self.alarms if alarm.principal and alarm.agent]
        alone = {alarm.principal for alarm in named if not alarm.source}
        explained = {alarm.principal: alarm.source for alarm in named if alarm.source}
        sources = {source for principal, source in explained.items() if principal not in alone}
        return len(alone) + len(sources)

    @property
    def is_judged(self) -> bool:
        """Whether a person found an attack that no content explains and that still counts."""
        return any(alarm.judged and not alarm.source for alarm in self.alarms)

    def to_numbers(self) -> list[int]:
        """Numbers to be packed."""
        numbers = [len(self.alarms)]
        for alarm in self.alarms:
            numbers += (alarm.principal, alarm.source, alarm.session, alarm.pair, alarm.agent, int(alarm.judged))
            numbers += (alarm.pair_day, alarm.pair_work, alarm.agent_day, alarm.agent_work)
        return numbers

    @classmethod
    def read(cls, reader: NumberReader) -> CarriedRisk:
        """Inverse of `to_numbers`."""
        alarms = []
        for _ in range(reader.take(0, _MAX_ALARMS)):
            principal, source, session = reader.take_many(3, 0)
            pair, agent = reader.take_many(2, 0, MAX_RISK)
            judged = bool(reader.take(0, 1))
            fallen = [reader.take(), reader.take(0), reader.take(), reader.take(0)]
            alarms.append(CarriedAlarm(principal, source, session, pair, agent, judged, *fallen))
        return cls(tuple(alarms))


def _fingerprint(text: str) -> int:
    return fingerprint_text(text) if text else 0


def _add(before: int, severity: int) -> int:
    """What two alarms come to: at least either, and more the more severe the new one is: after 400, 400 is 500."""
    low, high = sorted((before, severity))
    most = MAX_DRIFT_SEVERITY + 3 * (severity - MAX_DRIFT_SEVERITY)
    return max(before, severity, min(high + low // _REPEAT_DIVISOR, most, MAX_RISK))


def _second(pairs: list[tuple[int, int]]) -> int:
    """The second largest of the largest numbers of each key."""
    best: dict[int, int] = {}
    for key, number in pairs:
        best[key] = max(best.get(key, 0), number)
    ranked = sorted(best.values(), reverse=True)
    return ranked[1] if len(ranked) > 1 else 0


def _order(alarms: list[CarriedAlarm]) -> tuple[CarriedAlarm, ...]:
    return tuple(
        sorted(alarms, key=lambda a: (-a.judged, -(a.pair + a.agent) * (1 if a.source else 4), a.principal, a.source))
    )
