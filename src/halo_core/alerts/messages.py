"""Alerts in the form in which they are sent: about an agent, about a day of an identity, and about questions that wait.

None contains arguments, results or amounts. Each can be rendered as a sentence, as JSON, and as the structured data of
a syslog message.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Any, Final

from halo_core.identities.day_alerts import ALERT_KIND, AlertedEvent, DayAlert
from halo_core.model import LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.risk.model import Factor
from halo_core.store.reader import LoggedEntry

PROFILE_ALERTS: Final = ("behaviour", "drift", "volume")
"""Kinds of alerts about an agent that leaves its profile; their factors are the axes."""
BREAK_GLASS: Final = "break_glass"
"""Kind of the alert that a person lets an agent act without questions; it is about no session."""
_MAX_SCORE: Final = 1000
_ID: Final = re.compile(r"[0-9a-f-]{1,64}")
_MAX_TEXT: Final = 1000
_MAX_FACTORS: Final = 3
_MAX_REASONS: Final = 10


@dataclass(frozen=True, slots=True)
class AgentAlert:
    """An alert about an action or session of an agent, without arguments and results.

    Args:
        id: id of the entry.
        index: index in the tenant's log.
        tenant: tenant of the log.
        session: session of the action.
        ts_us: time of the alert, microseconds since the epoch.
        kind: `action`, `session`, `drift`, `volume`, `behaviour`, `quota`, `plan` or `break_glass`.
        agent: agent that acted.
        resource: resource that it used.
        risk: risk of the action, 0 to 1000; None if it has none.
        session_risk: risk of the session with this action.
        leaf: leaf hash of the decision's entry.
        writer: writer of the decision.
        seq: sequence number of the decision.
        factors: the features that moved the score most.
    """

    id: str
    index: int
    tenant: str
    session: str
    ts_us: int
    kind: str
    agent: str
    resource: str
    risk: int | None
    session_risk: int
    leaf: str
    writer: str
    seq: int
    factors: tuple[Factor, ...]

    @classmethod
    def from_entry(cls, logged: LoggedEntry) -> AgentAlert:
        """Read an entry.

        INVARIANT: members are taken by name, so that members of later versions are not sent by accident.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: the entry is no such alert.
        """
        entry, body = logged.entry, logged.entry.body
        decision = body["decision"]
        factors = (
            Factor(shorten(item["id"]), item["value"], item["moved"], shorten(item["words"]))
            for item in body["factors"][:_MAX_FACTORS]
        )
        return cls(
            id=check_entry_id(entry),
            index=logged.index,
            tenant=shorten(entry.tenant),
            session=shorten(entry.session),
            ts_us=entry.ts_us,
            kind=shorten(body["kind"]),
            agent=shorten(body["agent"]),
            resource=shorten(body["resource"]),
            risk=body["risk"],
            session_risk=body["session_risk"],
            leaf=shorten(decision["leaf"]),
            writer=shorten(decision["w"]),
            seq=decision["ws"],
            factors=tuple(factors),
        )

    @property
    def score(self) -> int:
        """The risk that the alert is about, 0 to 1000."""
        if self.kind in PROFILE_ALERTS and self.risk is None:
            return min(max((item.moved for item in self.factors), default=0), _MAX_SCORE)
        return self.risk if self.kind == "action" and self.risk is not None else self.session_risk

    @property
    def reason(self) -> str:
        """Descriptions of the factors."""
        if self.kind == BREAK_GLASS:
            return "break glass, see `halo approvals remembered`"
        return "; ".join(item.words for item in self.factors) or "the session as a whole"

    @property
    def sentence(self) -> str:
        """The alert as a sentence."""
        description = {
            "action": f"`{self.resource}` is very unusual",
            "behaviour": "it does what it does not usually do",
            BREAK_GLASS: "a person answers its questions with yes for a while",
            "drift": "its sessions drift away from ordinary behaviour",
            "volume": "it does more than in its ordinary sessions",
            "quota": "a quota of the day is nearly used up",
            "plan": f"the decision of `{self.resource}` worked out in advance was wrong, and was not used",
        }.get(self.kind, "the risk of the session is high")
        return f"risk {self.score} of 1000, agent `{self.agent}`: {description}: {self.reason}"

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message."""
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "agent": self.agent,
            "resource": self.resource,
            "session": self.session,
            "risk": "-" if self.risk is None else str(self.risk),
            "session_risk": str(self.session_risk),
            "factors": " ".join(item.id for item in self.factors),
            "leaf": self.leaf,
        }

    def to_plain(self) -> dict[str, Any]:
        """The alert as JSON, with the keys of `halo alerts --json`."""
        plain = asdict(self)
        decision = {"leaf": plain.pop("leaf"), "w": plain.pop("writer"), "ws": plain.pop("seq")}
        return {**plain, "decision": decision}


@dataclass(frozen=True, slots=True)
class QuestionAlert:
    """A question that waits for an answer, without arguments and amounts.

    Args:
        id: id of the question.
        index: index in the tenant's log.
        tenant: tenant of the log.
        session: session of the action.
        ts_us: when it was asked, microseconds since the epoch.
        role: role of the agent that asks.
        resource: resource that it waits to use.
        reasons: reason codes.
        question: `call` or `reauthorization`.
        is_held: whether the agent goes on meanwhile.
        expires_us: time until which it can be answered, microseconds since the epoch.
    """

    id: str
    index: int
    tenant: str
    session: str
    ts_us: int
    role: str
    resource: str
    reasons: tuple[str, ...]
    question: str
    is_held: bool
    expires_us: int
    kind = "question"

    @classmethod
    def from_entry(cls, logged: LoggedEntry) -> QuestionAlert:
        """Read an entry; members are taken by name, as in `AgentAlert`.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: the entry is no question.
        """
        entry, body = logged.entry, logged.entry.body
        return cls(
            id=check_entry_id(entry),
            index=logged.index,
            tenant=shorten(entry.tenant),
            session=shorten(entry.session),
            ts_us=entry.ts_us,
            role=shorten(body.get("role", "")),
            resource=shorten(body["resource"]),
            reasons=tuple(shorten(item["code"]) for item in body["reasons"][:_MAX_REASONS]),
            question=shorten(body["kind"]),
            is_held=bool(body.get("held", False)),
            expires_us=body["expires_us"],
        )

    @property
    def answer_with(self) -> str:
        """The command that answers."""
        return f"halo approvals approve {self.id} --as NAME"

    @property
    def sentence(self) -> str:
        """The question as a sentence."""
        return (
            f"question {self.id}: role `{self.role}` waits for an answer to use `{self.resource}` "
            f"({', '.join(self.reasons)}); answer with `{self.answer_with}`"
        )

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message."""
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "role": self.role,
            "resource": self.resource,
            "session": self.session,
            "reasons": " ".join(self.reasons),
            "question": self.question,
            "held": "true" if self.is_held else "false",
            "expires_us": str(self.expires_us),
        }

    def to_plain(self) -> dict[str, Any]:
        """The question as JSON."""
        plain = asdict(self)
        return {**plain, "answer_with": self.answer_with, "held": plain.pop("is_held"), "kind": self.kind}


def check_entry_id(entry: LedgerEntry) -> str:
    """The entry's id, validated because it becomes a header.

    Raises:
        ValueError: it is not an id of the ledger.
    """
    if not _ID.fullmatch(entry.id):
        raise ValueError("not an id of the ledger")
    return entry.id


def shorten(text: str) -> str:
    """At most 1,000 characters of a text."""
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"


def read_agent_alert(logged: LoggedEntry) -> AgentAlert | None:
    """The alert of an agent; None for any other entry."""
    try:
        return AgentAlert.from_entry(logged)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class PersonAlert:
    """An alert about a day of a person or a service account, which is named by a keyed fingerprint.

    Args:
        id: id of the entry.
        index: index in the tenant's log.
        tenant: tenant of the log.
        ts_us: time of the alert, microseconds since the epoch.
        alert: the alert without names.
        event: the event with names; None if that was not asked for, or cannot be opened.
    """

    id: str
    index: int
    tenant: str
    ts_us: int
    alert: DayAlert
    event: AlertedEvent | None = None
    kind = ALERT_KIND

    @classmethod
    def from_entry(cls, logged: LoggedEntry, event: AlertedEvent | None = None) -> PersonAlert:
        """Read an entry; `event` is its opened content.

        Raises:
            Tampered or ValueError: the entry is no such alert.
        """
        entry = logged.entry
        alert = DayAlert.from_body(entry.body)
        alert = replace(alert, factors=alert.factors[:_MAX_FACTORS], baseline=shorten(alert.baseline))
        return cls(check_entry_id(entry), logged.index, shorten(entry.tenant), entry.ts_us, alert, event)

    @property
    def sentence(self) -> str:
        """The alert as a sentence."""
        event = self.event
        identity = f"`{event.identity}`: {event.summary}" if event is not None else self.alert.fingerprint
        return f"risk {self.alert.risk} of 1000, identity {identity} on {self.alert.day}: {self.alert.explanation}"

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message, with the same members with and without names."""
        alert, event = self.alert, self.event
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "identity": alert.fingerprint,
            "name": event.identity if event else "-",
            "action": event.action if event else "-",
            "system": event.system if event else "-",
            "network": event.network if event else "-",
            "day": alert.day,
            "risk": str(alert.risk),
            "running": str(alert.identity_risk),
            "high": str(alert.high_event_count),
            "factors": " ".join(item.id for item in alert.factors),
        }

    def to_plain(self) -> dict[str, Any]:
        """The alert as JSON, with the keys of `halo alerts --json`."""
        body = self.alert.to_body()
        del body["key"]
        event = None if self.event is None else self.event.to_plain()
        place = {"id": self.id, "index": self.index, "tenant": self.tenant, "ts_us": self.ts_us}
        return {**body, **place, "event": event}


AnyAlert = AgentAlert | PersonAlert | QuestionAlert
