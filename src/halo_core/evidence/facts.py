"""Facts that questions and checks read from entries: decisions, outcomes, both together; filters of decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, NamedTuple

from halo_core.errors import Tampered
from halo_core.evidence.answers import Period
from halo_core.model import Effect, format_entry_id
from halo_core.quick_dataclass import dataclass

RUN_EFFECTS: Final = frozenset(effect.value for effect in Effect if effect.runs)
"""Effects that let an action run."""


class AuditEntry(NamedTuple):
    """One entry as it is stored; the body of a decision is in its compact form, which names its parts by digest."""

    index: int  # type: ignore[assignment]  # hides `tuple.index`
    writer: str
    seq: int
    kind: str
    ts_us: int
    session: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Writer and sequence."""
        return format_entry_id(self.writer, self.seq)


class FrameFacts(NamedTuple):
    """What the decisions of an agent in a session share.

    Args:
        name: name of the stored part.
        agent: who acted.
        user: reference of the person it acted for; empty for nobody.
        acting: everybody in whose name it acted, from that person (a reference) down to the agent.
        chain: hashes of its passports, root first.
        host: the stored part with process, policy, mode and what the host can do.
    """

    name: str
    agent: str
    user: str
    acting: tuple[str, ...]
    chain: tuple[str, ...]
    host: Mapping[str, Any]

    @property
    def agents(self) -> frozenset[str]:
        """The agents whose grants a decision uses: the one that acts, and those that it acts under."""
        return frozenset((self.agent, *self.acting[bool(self.user) :]))


class DecisionFacts(NamedTuple):
    """The facts of a decision that questions use.

    Args:
        index: position in the log.
        id: id of the entry.
        ts_us: when, microseconds since 1970.
        session: reference of the session.
        agent: who acted.
        user: reference of the person it acted for; empty for nobody.
        acting: who acts, from that person (a reference) down to the agent.
        chain: hashes of its passports, root first.
        host: part that tells process, policy, mode and what the host can do.
        kind: kind of the action.
        resource: id of what was acted on.
        impact: impact of the resource.
        labels: data labels of the resource.
        system: that the resource belongs to; empty for none.
        effect: effect of the decision.
        reasons: codes.
        rules: ids of the rules behind the reasons, in their order; empty if a check has none.
        dispatched: whether the action was let run.
        args_digest: keyed digest of the arguments.
        approval: a person's answer that the decision read, with `approver` as a reference; None if it read none.
        links: pairs of relation and entry id.
        trace: trace id as stored; empty for none.
        body: body as stored.
    """

    index: int  # type: ignore[assignment]  # hides `tuple.index`
    id: str
    ts_us: int
    session: str
    agent: str
    user: str
    acting: tuple[str, ...]
    chain: tuple[str, ...]
    host: Mapping[str, Any]
    kind: str
    resource: str
    impact: str
    labels: tuple[str, ...]
    system: str
    effect: str
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    dispatched: bool
    args_digest: str
    approval: Mapping[str, Any] | None
    links: tuple[tuple[str, str], ...]
    trace: str
    body: Mapping[str, Any]

    @property
    def agents(self) -> frozenset[str]:
        """The agents whose grants it uses: the one that acts, and those that it acts under."""
        return frozenset((self.agent, *self.acting[bool(self.user) :]))


class OutcomeFacts(NamedTuple):
    """The facts of an outcome that questions use: `decision` is the entry id of its decision."""

    index: int  # type: ignore[assignment]  # hides `tuple.index`
    id: str
    ts_us: int
    session: str
    decision: str
    status: str
    labels: tuple[str, ...]
    origin: str
    tainted: bool
    body: Mapping[str, Any]


class Action(NamedTuple):
    """A decision, and the outcome of its action; None if the action did not run or none is recorded."""

    decision: DecisionFacts
    outcome: OutcomeFacts | None

    @property
    def ran(self) -> bool | None:
        """Whether it ran; None if that is not known."""
        if self.outcome is None:
            return None if self.decision.dispatched else False
        return {"unknown": None, "not_run": False, "paused": False}.get(self.outcome.status, True)


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """A filter of decisions; every condition that is set must hold.

    Args:
        period: when.
        agent: id of the acting agent.
        user: name or reference of the person it acted for.
        tool: id of the resource; `*` stands for any characters.
        system: that the resource belongs to.
        label: a data label of the resource.
        effects: effects of the decision; empty for all.
        session: name or reference of the session.
        ids: entry ids, such as those that an index of subjects found; None for all.
    """

    period: Period
    agent: str = ""
    user: str = ""
    tool: str = ""
    system: str = ""
    label: str = ""
    effects: frozenset[str] = field(default_factory=frozenset[str])
    session: str = ""
    ids: frozenset[str] | None = None


def read_outcome(entry: AuditEntry) -> OutcomeFacts:
    """The facts of an outcome's entry.

    Raises:
        Tampered: it names no decision.
    """
    body = entry.body
    return OutcomeFacts(
        entry.index,
        entry.id,
        entry.ts_us,
        entry.session,
        read_place(entry),
        body.get("status", "success"),
        tuple(body.get("labels", ())),
        body.get("origin", "system"),
        body.get("tainted", False),
        body,
    )


def read_place(entry: AuditEntry) -> str:
    """The id of the decision that an outcome, an alert or a question belongs to.

    Raises:
        Tampered: the entry names none.
    """
    name = find_place_id(entry.body.get("decision"), entry.writer)
    if not name:
        raise Tampered("malformed_entry", f"the entry {entry.id} names no decision")
    return name


def find_place_id(place: object, writer: str = "") -> str:
    """The id of the entry that a body names; empty if it names none.

    Args:
        place: writer and sequence (`w`, `ws`), or the sequence alone of an entry of the same writer.
        writer: writer of the entry that holds it.
    """
    if type(place) is int:
        return format_entry_id(writer, place)
    match place:
        case {"w": str(named), "ws": int(seq)}:
            return format_entry_id(named, seq)
    return ""
