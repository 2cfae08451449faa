"""Carried risk: what alarms of past sessions leave for an agent's next ones.

An alarm belongs to a pair of agent and principal, and, where untrusted content explains it, to the source of that
content. Only alarms that no single source explains, from several principals or with none, count for the whole agent.
INVARIANT: one source raises the risk of nobody but those who acted after reading it, and that lightly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.packing import NumberReader
from halo_core.behaviour.session_drift import is_drift_axis
from halo_core.behaviour.tally import SessionTally, TallyAlarm

MAX_RISK: Final = 1000
MAX_LIGHT: Final = 250
"""Most that alarms which content explains leave for a pair, or for an agent."""
MAX_DRIFT_SEVERITY: Final = 250
"""Most that a session leaves whose only alarms are drift over sessions: drift itself is carried in the profile."""
_MAX_ALARMS: Final = 64
_DECAY_DIVISOR: Final = 8
_LIGHT_DIVISOR: Final = 4
_REPEAT_DIVISOR: Final = 4
_JUDGED_RISK: Final = 900
_MAX_SEVERITY: Final = 900
_MORE_TIMES: Final = 40
_ALARM_SHARE: Final = 1000
_MORE_AXES: Final = 25


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


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What carried risk takes of a session.

    Args:
        session: its reference.
        principal: keyed reference of whom it acted for, empty for none.
        severity: of its worst alarm, 0..1000; 0 without one.
        source: of the untrusted content after which it alarmed; empty where no content explains the alarm.
        verdict: see `SessionVerdict`.
    """

    session: str
    principal: str = ""
    severity: int = 0
    source: str = ""
    verdict: SessionVerdict = SessionVerdict.ORDINARY


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
        cleared: a person found its alarms ordinary.
        attack: a person found it an attack.
        observed: it ran in observe mode, where nobody is asked.
    """
    severity = max((_grade(alarm) for alarm in tally.alarms), default=0)
    others = sum(not is_drift_axis(alarm.axis) and alarm.share >= _ALARM_SHARE for alarm in tally.alarms)
    severity = min(severity + _MORE_AXES * max(others - 1, 0), MAX_RISK)
    is_explained = all(alarm.is_exposed for alarm in tally.alarms)
    verdict = SessionVerdict.ORDINARY
    if attack:
        verdict = SessionVerdict.ATTACK
    elif tally.alarms and cleared:
        verdict = SessionVerdict.CLEARED
    elif tally.alarms:
        is_unexplained_observation = observed and not (source and is_explained)
        verdict = SessionVerdict.OBSERVED if is_unexplained_observation else SessionVerdict.ALARM
        severity = 0 if observed else severity
    return SessionSummary(session, tally.principal, severity, source if is_explained else "", verdict)


def _grade(alarm: TallyAlarm) -> int:
    """Severity of one alarm: by how far the limit was passed, and how often it was tried."""
    if alarm.share < _ALARM_SHARE:
        return 0  # what the request itself asked for
    if is_drift_axis(alarm.axis):
        return min(alarm.share // 4, MAX_DRIFT_SEVERITY)
    return min(alarm.share // 4 + _MORE_TIMES * (alarm.times - 1), _MAX_SEVERITY)


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
    """

    principal: int
    source: int
    session: int
    pair: int
    agent: int
    judged: bool = False


@dataclass(frozen=True, slots=True)
class CarriedRisk:
    """The alarms that still count for an agent, those that count most first."""

    alarms: tuple[CarriedAlarm, ...] = ()

    def after_session(self, summary: SessionSummary) -> CarriedRisk:
        """The risk after a session has ended."""
        if summary.verdict in (SessionVerdict.ORDINARY, SessionVerdict.CLEARED):
            return self._fall(_fingerprint(summary.principal))
        return self if summary.verdict is SessionVerdict.OBSERVED else self.charge(summary)

    def _fall(self, principal: int) -> CarriedRisk:
        kept = []
        for alarm in self.alarms:
            pair = alarm.pair - -(-alarm.pair // _DECAY_DIVISOR) if alarm.principal == principal else alarm.pair
            agent = alarm.agent - -(-alarm.agent // _DECAY_DIVISOR)
            if pair or agent:
                kept.append(replace(alarm, pair=pair, agent=agent))
        return CarriedRisk(_order(kept))

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
        new = CarriedAlarm(principal, source, session, pair, agent, judged or old.judged)
        return CarriedRisk(_order([*rest, new])[:_MAX_ALARMS])

    def judged(self, summary: SessionSummary) -> CarriedRisk:
        """The risk once a person has judged a past session: `cleared` takes its alarms away, `attack` confirms them."""
        principal, session = _fingerprint(summary.principal), _fingerprint(summary.session)
        rest = [alarm for alarm in self.alarms if not (alarm.principal == principal and alarm.session == session)]
        base = CarriedRisk(tuple(rest))
        return base.charge(summary) if summary.verdict is SessionVerdict.ATTACK else base

    @property
    def agent_risk(self) -> int:
        """Risk of the whole agent, 0..1000, whomever it acts for."""
        alone = max((alarm.agent for alarm in self.alarms if not alarm.source and not alarm.principal), default=0)
        return max(alone, self._agreed, min(self._agreed_on_content // _LIGHT_DIVISOR, MAX_LIGHT))

    @property
    def _agreed(self) -> int:
        """What alarms of two principals agree on, that no content explains."""
        return _second([(alarm.principal, alarm.agent) for alarm in self.alarms if not alarm.source])

    @property
    def _agreed_on_content(self) -> int:
        """What alarms of two principals after two sources agree on."""
        ranked = [alarm for alarm in self.alarms if alarm.source and alarm.agent]
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

    def risk_of_source(self, source: str) -> int:
        """What alarms were charged to a source, 0..1000."""
        wanted = _fingerprint(source)
        return max((alarm.pair for alarm in self.alarms if alarm.source == wanted), default=0) if wanted else 0

    @property
    def independent_alarms(self) -> int:
        """Alarms that count and share neither principal nor source: suspension needs two, or a verdict."""
        alone = {alarm.principal for alarm in self.alarms if not alarm.source and alarm.agent}
        explained = {alarm.principal: alarm.source for alarm in self.alarms if alarm.source and alarm.agent}
        sources = {source for principal, source in explained.items() if principal not in alone}
        return len(alone) + len(sources)

    @property
    def is_judged(self) -> bool:
        """Whether a person found an attack that no content explains and that still counts."""
        return any(alarm.judged and not alarm.source for alarm in self.alarms)

    def to_numbers(self) -> Iterator[int]:
        """Numbers to be packed."""
        yield len(self.alarms)
        for alarm in self.alarms:
            yield from (alarm.principal, alarm.source, alarm.session, alarm.pair, alarm.agent, int(alarm.judged))

    @classmethod
    def read(cls, reader: NumberReader) -> CarriedRisk:
        """Inverse of `to_numbers`."""
        alarms = []
        for _ in range(reader.take(0, _MAX_ALARMS)):
            principal, source, session = reader.take_many(3, 0)
            pair, agent = reader.take_many(2, 0, MAX_RISK)
            alarms.append(CarriedAlarm(principal, source, session, pair, agent, bool(reader.take(0, 1))))
        return cls(tuple(alarms))


def _fingerprint(text: str) -> int:
    return fingerprint_text(text) if text else 0


def _add(before: int, severity: int) -> int:
    """What two alarms come to: at least either; the more severe, the more repeated ones add up."""
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
