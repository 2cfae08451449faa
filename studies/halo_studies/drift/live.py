"""Streams of recorded sessions through the whole enforcement path: decided, run, recorded, folded into a profile.

    found = run_live(stream, tools, axes, LiveSetting())

Each stream has a home of its own with the starter policy. Its reference sessions run in observe mode, as those of a new
agent do, and all later ones in enforce mode. Nobody answers a question: an act that is asked about does not run, and
the agent goes on with the next one. Tools return what was recorded. Time is simulated.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from halo_core.behaviour import session_drift
from halo_core.behaviour.session_drift import is_drift_axis
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import HaloError
from halo_core.facade import HaloBase
from halo_core.model import BEHAVIOUR_CODES, ActionKind, EntryKind, Impact, Resource
from halo_core.risk.drift import DriftAxes
from halo_core.store.reader import Reader, read_entries
from halo_studies.drift.streams import Point, Stream
from halo_studies.recordings.labelled_sessions import Event, Session
from halo_studies.recordings.tools import resource_of
from halo_studies.rogue.guarded import SimulatedClock

__all__ = ["LiveRun", "LiveSession", "LiveSetting", "run_live", "sum_up", "tools_by_suite"]

_TENANT: Final = "local"
_OPEN_SCHEMA: Final = {"additionalProperties": True, "properties": {}, "type": "object"}
_SURFACE: Final[Surface[str]] = Surface(text=str)
_BEGIN_US: Final = 1_767_603_600_000_000  # a Monday in 2026, nine o'clock
_DAY_S: Final = 86_400
_BECAUSE_OF_BEHAVIOUR: Final = BEHAVIOUR_CODES | {"agent_risk_elevated", "agent_risk_high", "authority_decayed"}
_USERS: Final = tuple(f"user-{number}" for number in range(5))


@dataclass(frozen=True, slots=True)
class LiveSetting:
    """How streams run.

    Args:
        mode: of the sessions after the reference.
        a_day: sessions of a day.
        gap_s: seconds between two actions.
    """

    mode: str = "enforce"
    a_day: int = 8
    gap_s: int = 15


@dataclass(slots=True)
class LiveSession:
    """What came of one session.

    Args:
        drifted: axes of drift over sessions that raised an alarm.
        others: axes of other alarms.
        actions: by `act` or `read`.
        asked: those of them that were asked about or denied because of behaviour.
        stopped: those that were asked about or denied for whatever reason.
        authority: what the chain had at its first action, in millionths; None where that is not recorded.
    """

    drifted: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    actions: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)
    authority: int | None = None


@dataclass(frozen=True, slots=True)
class LiveRun:
    """Sessions of a stream after its reference."""

    stream: Stream
    sessions: Sequence[LiveSession]

    @property
    def first_alarm(self) -> int | None:
        """Number of the first session that raised an alarm of drift."""
        return next((at for at, session in enumerate(self.sessions) if session.drifted), None)

    @property
    def delay(self) -> int | None:
        """Sessions from the change, or the beginning, to the alarm; None without one, or with one before the change."""
        first, change = self.first_alarm, self.stream.change
        return None if first is None or first < change else first - max(change, 0) + 1


def sum_up(runs: Sequence[LiveRun]) -> dict[str, Any]:
    """Rates of some runs of one kind: alarms, sessions to them, and what the agent could do before and after."""
    delays = [run.delay for run in runs]
    known = [delay for delay in delays if delay is not None]
    figures: dict[str, Any] = {"streams": len(runs)}
    if all(run.stream.change < 0 for run in runs):
        return figures | {"false_alarms_per_200": round(len(known) / len(runs), 4)}
    figures |= {
        "detected": round(len(known) / len(runs), 4),
        "alarm_before": sum(run.first_alarm is not None and run.first_alarm < run.stream.change for run in runs),
        "median_delay": statistics.median(known) if known else None,
    }
    found = [run for run in runs if run.delay is not None]
    before = [session for run in found for session in run.sessions[: run.stream.change]]
    after = [session for run in found for session in run.sessions[(run.first_alarm or 0) + 1 :]]
    return figures | {"before": _tell_freedom(before), "after_alarm": _tell_freedom(after)}


def _tell_freedom(sessions: Sequence[LiveSession]) -> dict[str, Any]:
    """Shares of acts and reads that were stopped, for any reason and because of behaviour; authority at the start."""
    told: dict[str, Any] = {"sessions": len(sessions)}
    for kind in ("act", "read"):
        every = sum(session.actions[kind] for session in sessions)
        told[kind] = {
            "actions": every,
            "stopped": round(sum(session.stopped[kind] for session in sessions) / max(every, 1), 4),
            "by_behaviour": round(sum(session.asked[kind] for session in sessions) / max(every, 1), 4),
        }
    authority = [session.authority for session in sessions if session.authority is not None]
    told["authority"] = round(statistics.mean(authority)) if authority else None
    told["sessions_with_an_act_stopped_by_behaviour"] = round(
        sum(session.asked["act"] > 0 for session in sessions) / max(len(sessions), 1), 4
    )
    return told


def tools_by_suite(sessions: Sequence[Session]) -> dict[str, dict[str, str]]:
    """Suite → its tools → their kind; names that a model made up are in no list."""
    found: dict[str, dict[str, str]] = {}
    for session in sessions:
        for event in session.events:
            if not event.error.startswith("Invalid tool"):
                found.setdefault(session.suite, {})[event.tool] = event.kind
    return found


def run_live(stream: Stream, tools: Mapping[str, str], axes: DriftAxes, how: LiveSetting) -> LiveRun:
    """Run a stream, and read from its ledger what was decided.

    Args:
        stream: its points hold their sessions.
        tools: of its role: name → kind.
        axes: directions and limits of drift, in place of the shipped ones.
        how: see there.
    """
    with (
        tempfile.TemporaryDirectory(prefix="halo-drift-") as name,
        patch.object(session_drift, "load_axes", lambda: axes),
    ):
        desk = _Desk(stream.suite, tools, Path(name), SimulatedClock(_BEGIN_US), how)
        desk.run_sessions(stream.reference, 0, "observe")
        names = desk.run_sessions(stream.after, len(stream.reference), how.mode)
        return LiveRun(stream, _read_sessions(desk.home, names))


@dataclass(frozen=True, slots=True)
class _Desk:
    """One agent with its tools over a home."""

    suite: str
    tools: Mapping[str, str]
    home: Path
    clock: SimulatedClock
    how: LiveSetting

    def run_sessions(self, points: Sequence[Point], first: int, mode: str) -> list[str]:
        """Run sessions one after the other, numbered from `first`; their references in the ledger, in order."""
        with HaloBase.local(
            self.suite, home=self.home, mode=mode, quiet=True, clock=self.clock, deadline_s=30.0
        ) as halo:
            registered = {
                tool: halo.register(
                    ActionKind(kind), tool, resource=resource_of(tool, kind), description=tool, schema=_OPEN_SCHEMA
                )
                for tool, kind in sorted(self.tools.items())
            }
            references = []
            for number, point in enumerate(points, first):
                assert point.session is not None
                day, place = divmod(number, self.how.a_day)
                self.clock.move_to(_BEGIN_US + (day * _DAY_S + place * _DAY_S // 3 // self.how.a_day) * 1_000_000)
                name = f"{self.suite}-{number}"
                self._run_session(halo, registered, point.session, name)
                references.append(halo.store.references.of_session(name))
        return references

    def _run_session(self, halo: HaloBase, registered: Mapping[str, Resource], session: Session, name: str) -> None:
        user = _USERS[sum(session.task.encode()) % len(_USERS)]
        with halo.session(name, user=user, request="\n".join(session.requests)):
            for number, event in enumerate(session.events):
                if event.tool not in registered:
                    continue  # a name that the model made up: the framework refuses it
                self.clock.advance_s(self.how.gap_s)
                call = halo.build_call(registered[event.tool], dict(event.args), call_id=f"{name}-{number}")
                call = replace(call, turn=f"{name}-turn-{event.turn}")
                with suppress(HaloError, LookupError):  # the agent goes on
                    halo.enforcer.run(call, partial(_return_recorded, event), _SURFACE)


def _return_recorded(event: Event, _: Mapping[str, Any]) -> str:
    """The body of a tool."""
    if event.error:
        raise LookupError(event.error)
    return event.result


def _read_sessions(home: Path, names: Sequence[str]) -> list[LiveSession]:
    found = {name: LiveSession() for name in names}
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        for item in read_entries(reader, _TENANT, (EntryKind.DECISION, EntryKind.ALERT)):
            session = found.get(item.entry.session)
            if session is None:
                continue
            if item.entry.kind is EntryKind.ALERT:
                for factor in item.entry.body.get("factors", ()):
                    (session.drifted if is_drift_axis(factor["id"]) else session.others).add(factor["id"])
            else:
                _count_decision(session, item.entry.body)
    return [found[name] for name in names]


def _count_decision(session: LiveSession, body: Mapping[str, Any]) -> None:
    impact, decision = str(body["request"]["resource"]["impact"]), body["decision"]
    kind = "read" if impact == Impact.READ.value else "act"
    session.actions[kind] += 1
    if session.authority is None:
        session.authority = body["snapshot"].get("authority")
    if decision["effect"] in ("challenge", "deny"):
        session.stopped[kind] += 1
        codes = {reason["code"] for reason in decision["reasons"] if reason["effect"] in ("challenge", "deny")}
        session.asked[kind] += not codes.isdisjoint(_BECAUSE_OF_BEHAVIOUR)
