"""Room: manifest, one agent. Takes: an item. Gives: an `Agent`, or findings. Never: I/O, expansion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.manifest.constraints import Rule, read_rules
from halo_core.manifest.defaults import DEFAULT_LIFETIME_S, DEFAULT_SESSION_LIFETIME_S
from halo_core.manifest.findings import shown
from halo_core.manifest.limits import Limits, read_budgets, read_decay
from halo_core.manifest.scalars import duration, names, texts, word
from halo_core.manifest.tools import SECTIONS
from halo_core.manifest.tree import Item
from halo_core.model import ActionKind, Decay, same_person

__all__ = ["PRIVILEGES", "Agent", "read_agent"]

PRIVILEGES: Final = ("low", "standard", "high", "critical")
_OWNED: Final = frozenset({"high", "critical"})
_MAX_LIFETIME_S: Final = 366 * 86_400
_MAX_SESSION_S: Final = 30 * 86_400
_READERS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "approvers": texts,
    "data_scope": lambda item: texts(item, labels=True),
    "lifetime": lambda item: duration(item, _MAX_LIFETIME_S),
    "owner": lambda item: item.text(most=256),
    "privilege": lambda item: word(item, PRIVILEGES),
    "purpose": lambda item: item.text(),
    "regulated": lambda item: texts(item, labels=True),
    "session_lifetime": lambda item: duration(item, _MAX_SESSION_S),
}
_FIELDS: Final = (*_READERS, *SECTIONS, "bands", "budgets", "decay", "floors", "hand_off")


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of a manifest, before its grants are expanded.

    Args:
        id: its name.
        owner: who answers for it, empty if nobody was named; never its approver.
        purpose: why it is there, in a sentence.
        privilege: one of `PRIVILEGES`.
        data_scope: data labels it may reach, None for any.
        regulated: rules its data falls under (`pci`, `gdpr`); for the inventory.
        rules: grants by action kind; a kind that is not there was not named.
        limits: budgets, ceilings and quotas.
        decay: how its authority falls.
        hand_off: agents it may hand off to.
        approvers: who is asked when somebody must be.
        lifetime_s: of its passport.
        session_lifetime_s: of one session.
        item: where it stands.
    """

    id: str
    owner: str
    purpose: str
    privilege: str
    data_scope: tuple[str, ...] | None
    regulated: tuple[str, ...]
    rules: Mapping[ActionKind, tuple[Rule, ...]]
    limits: Limits
    decay: Decay
    hand_off: tuple[str, ...]
    approvers: tuple[str, ...]
    lifetime_s: int
    session_lifetime_s: int
    item: Item


def read_agent(name: str, item: Item, *, agents: Collection[str], principal: str) -> Agent:
    """The section of one agent; `agents` are all there are."""
    members = item.mapping(_FIELDS)
    told = {key: _READERS[key](member) for key, member in members.items() if key in _READERS}
    found = {key: value for key, value in told.items() if value is not None}
    agent = Agent(
        id=name,
        owner=found.get("owner", ""),
        purpose=found.get("purpose", ""),
        privilege=found.get("privilege", "standard"),
        data_scope=found.get("data_scope"),
        regulated=found.get("regulated", ()),
        rules={kind: read_rules(members[key]) for key, kind in SECTIONS.items() if key in members},
        limits=read_budgets(members.get("budgets")),
        decay=read_decay(members.get("decay"), members.get("floors"), members.get("bands")),
        hand_off=(names(members["hand_off"], agents, "agent") or ()) if "hand_off" in members else (),
        approvers=found.get("approvers", ()),
        lifetime_s=found.get("lifetime", DEFAULT_LIFETIME_S),
        session_lifetime_s=found.get("session_lifetime", DEFAULT_SESSION_LIFETIME_S),
        item=item,
    )
    _check(agent, members, principal)
    return agent


def _check(agent: Agent, members: Mapping[str, Item], principal: str) -> None:
    if agent.privilege in _OWNED and not agent.owner and "owner" not in members:
        agent.item.fail(f"an agent of {agent.privilege} privilege needs an `owner`", "name who answers for it")
    if agent.id in agent.hand_off:
        members["hand_off"].fail("an agent does not hand off to itself", "leave it out")
    chain = {"owner": agent.owner, "agent": agent.id, "principal": principal}
    for approver in agent.approvers:
        for role, somebody in chain.items():
            if somebody and same_person(approver, somebody):
                # INVARIANT: BIND - such an answer would be refused; better said now than at night.
                members["approvers"].fail(
                    f"`{shown(approver)}` is the {role} and cannot approve", "name somebody outside the chain"
                )
