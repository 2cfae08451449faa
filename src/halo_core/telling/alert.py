"""Room: an alert as it is told. Takes: an entry. Gives: plain values, bounded. Never: I/O, content of a call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from halo_core.model import Entry
from halo_core.query import Found

__all__ = ["Alert", "agent_alert", "id_of", "short"]

_ID: Final = re.compile(r"[0-9a-f-]{1,64}")
_MOST_TEXT: Final = 1000
_MOST_FACTORS: Final = 3


@dataclass(frozen=True, slots=True)
class Factor:
    """What moved a score: `id` of the feature, its value, thousandths of the margin, words of the catalogue."""

    id: str
    value: int
    moved: int
    words: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, without what the action was called with or brought.

    Args:
        id: of the entry, the same however often it is sent.
        index: place in the tenant's log.
        tenant: whose log.
        session: in which it happened.
        ts_us: when.
        kind: `action`, `session` or `drift`.
        agent: who acted.
        resource: what it acted on.
        risk: of the action, None where it has none.
        session_risk: of the session with this action.
        leaf: of the decision's entry, by which it is found in the log.
        writer: who wrote the decision.
        seq: the writer's number of it.
        factors: what moved the score most.
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
    def of(cls, found: Found) -> Alert:
        """An alert entry.

        INVARIANT: members are taken by name, so that nothing an entry may hold one day is sent unasked.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: it is none of ours.
        """
        entry, body = found.entry, found.entry.body
        decision = body["decision"]
        factors = (
            Factor(short(item["id"]), item["value"], item["moved"], short(item["words"]))
            for item in body["factors"][:_MOST_FACTORS]
        )
        return cls(
            id=id_of(entry),
            index=found.index,
            tenant=short(entry.tenant),
            session=short(entry.session),
            ts_us=entry.ts_us,
            kind=short(body["kind"]),
            agent=short(body["agent"]),
            resource=short(body["resource"]),
            risk=body["risk"],
            session_risk=body["session_risk"],
            leaf=short(decision["leaf"]),
            writer=short(decision["w"]),
            seq=decision["ws"],
            factors=tuple(factors),
        )

    @property
    def score(self) -> int:
        """The number that the alert is about."""
        return self.risk if self.kind == "action" and self.risk is not None else self.session_risk

    @property
    def why(self) -> str:
        """What moved it, in words."""
        return "; ".join(item.words for item in self.factors) or "the session as a whole"

    @property
    def sentence(self) -> str:
        """For people."""
        what = {"action": f"`{self.resource}` is far from ordinary", "drift": "its sessions drift from the ordinary"}
        told = what.get(self.kind, "the session has become risky")
        return f"risk {self.score} of 1000, agent `{self.agent}`: {told}: {self.why}"

    def values(self) -> dict[str, str]:
        """For structured data of syslog."""
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
        """For programs, named as `halo alerts --json` names it."""
        return {
            "agent": self.agent,
            "decision": {"leaf": self.leaf, "w": self.writer, "ws": self.seq},
            "factors": [
                {"id": item.id, "moved": item.moved, "value": item.value, "words": item.words} for item in self.factors
            ],
            "id": self.id,
            "index": self.index,
            "kind": self.kind,
            "resource": self.resource,
            "risk": self.risk,
            "session": self.session,
            "session_risk": self.session_risk,
            "tenant": self.tenant,
            "ts_us": self.ts_us,
        }


def id_of(entry: Entry) -> str:
    """An entry's id: it goes into a header and into what is signed.

    Raises:
        ValueError: it is none of ours.
    """
    if not _ID.fullmatch(entry.id):
        raise ValueError("not an id of ours")
    return entry.id


def short(text: str) -> str:
    """At most so much of it."""
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"


def agent_alert(found: Found) -> Alert | None:
    """The alert of an agent; None where the entry is something else."""
    try:
        return Alert.of(found)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
