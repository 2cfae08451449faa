"""Incident files and waivers of controls: what people record about findings, and what follows from the log.

An incident has a deadline: a report is due 2, 10 or 15 days after the incident became known (Article 73 of Regulation
(EU) 2024/1689). Whether it is a serious incident in the sense of that article is a legal question, which only the
people who open the file can answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.content.redaction import mask_reason
from halo_core.durations import DAY_US, HOUR_US
from halo_core.errors import BadInput, ConfigError
from halo_core.evidence.audit_log import AuditEntry
from halo_core.evidence.controls import FRAMEWORKS, load_framework
from halo_core.model import Actor, EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import find_entry
from halo_core.store.reader import Reader
from halo_core.store.transaction import Transaction
from halo_core.views import View

DEADLINE_DAYS: Final[Mapping[str, int]] = {"widespread": 2, "death": 10, "serious": 15, "other": 0}
"""Severity → days until a report is due, from the moment at which it became known; 0 for none (Art. 73(2) to (4))."""
CLOCK_CAVEAT: Final = (
    "the clock is the longest time of Article 73 of the EU AI Act; whether the incident is a serious one, which "
    "authority is told, and whether other law sets shorter times, are legal questions"
)
INCIDENT_ACTS: Final = ("contain", "note", "report")
MAX_WAIVER_DAYS: Final = 366
"""Longest time for which a control may be waived."""
_MAX_DECISIONS: Final = 100


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One entry of an incident's file: `act` is `open`, `contain`, `note`, `report` or `close`."""

    entry: str
    at_us: int
    act: str
    actor: str
    text: str
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentFile(View):
    """One incident, as its entries leave it.

    Args:
        id: id of the entry that opened it.
        severity: see `DEADLINE_DAYS`.
        known_us: when it became known, microseconds since the epoch.
        deadline_us: by when a report is due; 0 for none.
        reported_us: when the first report was recorded; 0 for not yet.
        closed_us: when it was closed; 0 for not yet.
        events: every entry, oldest first.
    """

    id: str
    severity: str
    known_us: int
    deadline_us: int
    reported_us: int = 0
    closed_us: int = 0
    events: tuple[IncidentEvent, ...] = field(default=())

    @property
    def decisions(self) -> tuple[str, ...]:
        """Ids of the linked decisions, in the order in which they were linked."""
        return tuple(dict.fromkeys(name for event in self.events for name in event.decisions))

    def describe_clock(self, now_us: int) -> str:
        """How much time is left, in words."""
        if not self.deadline_us:
            return "no deadline"
        if self.reported_us:
            late = self.reported_us > self.deadline_us
            return f"reported {format_iso(self.reported_us)}, {'after' if late else 'before'} the deadline"
        remaining_us = self.deadline_us - now_us
        days, hours = divmod(abs(remaining_us) // HOUR_US, 24)
        length = f"{days} days {hours} hours"
        return f"{length} left" if remaining_us >= 0 else f"{length} overdue"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "closed_us": self.closed_us,
            "deadline_us": self.deadline_us,
            "decisions": list(self.decisions),
            "events": [
                {
                    "act": item.act,
                    "actor": item.actor,
                    "at": format_iso(item.at_us),
                    "decisions": list(item.decisions),
                    "entry": item.entry,
                    "text": item.text,
                }
                for item in self.events
            ],
            "id": self.id,
            "known": format_iso(self.known_us),
            "known_us": self.known_us,
            "reported_us": self.reported_us,
            "severity": self.severity,
        }


def read_incidents(entries: Iterable[AuditEntry]) -> dict[str, IncidentFile]:
    """Id → incident, in the order in which they were opened, from their entries in log order."""
    events: dict[str, list[IncidentEvent]] = {}
    heads: dict[str, tuple[str, int]] = {}
    for entry in entries:
        body = entry.body
        is_first = body.get("op") == "open"
        name = entry.id if is_first else str(body.get("incident", ""))
        if is_first:
            heads[name] = (str(body.get("severity", "other")), int(body.get("known_us") or entry.ts_us))
        if name not in heads:
            continue
        act = str(body.get("op", "")) if body.get("op") != "note" else str(body.get("act", "note"))
        decisions = tuple(map(str, body.get("decisions", ())))
        text, actor = str(body.get("text", "")), str(body.get("actor", ""))
        events.setdefault(name, []).append(IncidentEvent(entry.id, entry.ts_us, act, actor, text, decisions))
    return {name: _build_incident(name, *head, events[name]) for name, head in heads.items()}


def _build_incident(name: str, severity: str, known_us: int, events: Sequence[IncidentEvent]) -> IncidentFile:
    # A severity that this version does not know has the shortest time.
    days = DEADLINE_DAYS.get(severity, min(item for item in DEADLINE_DAYS.values() if item))
    return IncidentFile(
        id=name,
        severity=severity,
        known_us=known_us,
        deadline_us=known_us + days * DAY_US if days else 0,
        reported_us=next((item.at_us for item in events if item.act == "report"), 0),
        closed_us=next((item.at_us for item in reversed(events) if item.act == "close"), 0),
        events=tuple(events),
    )


def open_incident(
    tx: Transaction, *, severity: str, known_us: int, text: str, decisions: Sequence[str], by: Actor | str, now_us: int
) -> str:
    """Open an incident's file; returns its id.

    Args:
        tx: the transaction.
        severity: see `DEADLINE_DAYS`.
        known_us: when it became known, microseconds since the epoch.
        text: what happened, in words; stored unsealed, so it should name nobody.
        decisions: ids of entries of decisions.
        by: who opens it.
        now_us: the present, microseconds since the epoch.

    Raises:
        BadInput: `bad_incident`.
    """
    if severity not in DEADLINE_DAYS:
        remedy = f"choose one of {', '.join(DEADLINE_DAYS)}"
        raise _make_incident_error(f"`{severity[:32]}` is no severity", remedy, "severity")
    if not 0 < known_us <= now_us:
        raise _make_incident_error(
            "it cannot have become known in the future", "give the time of first knowledge", "known"
        )
    body = {"decisions": _limit(decisions), "known_us": known_us, "op": "open", "severity": severity}
    written = tx.append(Draft(EntryKind.INCIDENT, "", {**body, "text": mask_reason(text)}, actor=Actor.of(by)))
    return written.entry.id


def add_to_incident(
    tx: Transaction, incident: IncidentFile, act: str, *, text: str, decisions: Sequence[str], by: Actor | str
) -> str:
    """Add what was done (`contain`, `note`, `report`, `close`) to an incident's file; returns the entry's id.

    Raises:
        BadInput: `bad_incident`.
    """
    if act not in (*INCIDENT_ACTS, "close"):
        raise _make_incident_error(f"`{act[:32]}` is no act", f"choose one of {', '.join(INCIDENT_ACTS)}, close", "act")
    if incident.closed_us and act == "close":
        raise _make_incident_error("the incident is closed", "see `halo incident show`")
    body: dict[str, Any] = {"decisions": _limit(decisions), "incident": incident.id, "text": mask_reason(text)}
    body |= {"op": "close"} if act == "close" else {"act": act, "op": "note"}
    return tx.append(Draft(EntryKind.INCIDENT, "", body, actor=Actor.of(by))).entry.id


def _limit(decisions: Sequence[str]) -> list[str]:
    if len(decisions) > _MAX_DECISIONS:
        raise _make_incident_error(
            f"{len(decisions)} decisions are too many for one entry", "add them in several notes", "decision"
        )
    return list(decisions)


def _make_incident_error(message: str, remedy: str, field: str = "") -> BadInput:
    return BadInput("bad_incident", message, field=field, remedy=remedy)


def resolve_decisions(reader: Reader, tenant: str, names: Iterable[str]) -> list[str]:
    """Ids of the entries that these names (positions, ids, or beginnings of ids) stand for.

    Raises:
        ConfigError: `no_such_entry`.
    """
    return [find_entry(reader, tenant, name).entry.id for name in names]


@dataclass(frozen=True, slots=True)
class ControlWaiver:
    """A control that somebody waived for a time.

    Args:
        entry: id of its entry.
        control: framework and id, such as `pci-dss-4.0.1 10.3.3`.
        owner: reference of the person who answers for it.
        actor: reference of the person who recorded it.
        at_us: when it was recorded.
        until_us: its end.
        why: the reason.
        ended_us: when somebody ended it; 0 for not.
        problem: why it counts for nothing; empty if it counts.
    """

    entry: str
    control: str
    owner: str
    actor: str
    at_us: int
    until_us: int
    why: str
    ended_us: int = 0
    problem: str = ""

    def find_state(self, now_us: int) -> str:
        """`in force`, `expired`, `ended` or `void`."""
        if self.problem:
            return "void"
        if self.ended_us:
            return "ended"
        return "in force" if self.at_us <= now_us < self.until_us else "expired"

    def to_json(self, now_us: int) -> dict[str, Any]:
        """For programs."""
        return {
            "control": self.control,
            "entry": self.entry,
            "made": format_iso(self.at_us),
            "owner": self.owner,
            "problem": self.problem,
            "state": self.find_state(now_us),
            "until": format_iso(self.until_us),
            "why": self.why,
        }


def read_waivers(entries: Iterable[AuditEntry]) -> tuple[ControlWaiver, ...]:
    """The newest valid waiver of each control, then the void ones; from their entries in log order."""
    newest: dict[str, ControlWaiver] = {}
    void: list[ControlWaiver] = []
    for entry in entries:
        body, control = entry.body, str(entry.body.get("control", ""))
        if body.get("op") == "end":
            if control in newest:
                newest[control] = replace(newest[control], ended_us=entry.ts_us)
            continue
        until_us = body.get("until_us")
        waiver = ControlWaiver(
            entry=entry.id,
            control=control,
            owner=str(body.get("owner", "")),
            actor=str(body.get("actor", "")),
            at_us=entry.ts_us,
            until_us=until_us if isinstance(until_us, int) else 0,
            why=str(body.get("why", "")),
        )
        problem = _find_problem(waiver)
        if problem:
            void.append(replace(waiver, problem=problem))
        else:
            newest[control] = waiver
    return (*newest.values(), *void)


def _find_problem(waiver: ControlWaiver) -> str:
    framework, _, control = waiver.control.partition(" ")
    if framework not in FRAMEWORKS or load_framework(framework).find(control) is None:
        return "it names a control that this map does not have"
    if not waiver.owner or not waiver.why:
        return "it has no owner or no reason"
    if not waiver.at_us < waiver.until_us <= waiver.at_us + MAX_WAIVER_DAYS * DAY_US:
        return "its end is not within a year"
    return ""


def waive_control(
    tx: Transaction, *, control: str, owner: str, until_us: int, why: str, by: Actor | str, now_us: int
) -> str:
    """Record that a control is waived for a time; returns the entry's id.

    Args:
        tx: the transaction.
        control: framework and id, which the map has.
        owner: name of the person who answers for it; the entry has the reference, and the name sealed.
        until_us: its end, microseconds since the epoch.
        why: the reason; stored unsealed, so it should name nobody.
        by: who records it.
        now_us: the present.

    Raises:
        ConfigError: `bad_control_waiver`.
    """
    if not owner.strip() or not why.strip():
        place = "why" if owner.strip() else "owner"
        raise _make_waiver_error("a waiver has an owner and a reason", "give `--owner` and `--why`", place)
    if not now_us < until_us <= now_us + MAX_WAIVER_DAYS * DAY_US:
        raise _make_waiver_error(
            "a waiver ends within a year", "give a time in the future, such as `--until 2026-12-31`", "until"
        )
    reference = tx.references.of_person(owner)
    body = {"control": control, "op": "waive", "owner": reference, "until_us": until_us, "why": mask_reason(why)}
    sealed = ((reference, {"owner": owner.encode()}),)
    return tx.append(Draft(EntryKind.CONTROL_WAIVER, "", body, others=sealed, actor=Actor.of(by))).entry.id


def end_waiver(tx: Transaction, *, control: str, why: str, by: Actor | str) -> str:
    """Record that a waiver has ended before its time, or that an expired one is not needed; returns the entry's id."""
    body = {"control": control, "op": "end", "why": mask_reason(why)}
    return tx.append(Draft(EntryKind.CONTROL_WAIVER, "", body, actor=Actor.of(by))).entry.id


def _make_waiver_error(message: str, remedy: str, field: str) -> ConfigError:
    return ConfigError("bad_control_waiver", message, field=field, remedy=remedy)


def record_report(
    tx: Transaction,
    *,
    framework: str,
    period_us: tuple[int, int],
    form: str,
    digest: str,
    rows: Mapping[str, int],
    by: Actor | str,
) -> str:
    """Record that a report was made; returns the entry's id.

    Args:
        tx: the transaction.
        framework: its id.
        period_us: beginning and end of the period.
        form: `html`, `md` or `json`.
        digest: SHA-256 of the file, in hex.
        rows: verdict → number of rows.
        by: who made it.
    """
    from_us, to_us = period_us
    body = {"digest": digest, "format": form, "framework": framework, "from_us": from_us, "rows": dict(rows)}
    return tx.append(Draft(EntryKind.REPORT, "", {**body, "to_us": to_us}, actor=Actor.of(by))).entry.id
