"""Agents of a manifest and their grants.

    tools: [lookup, "crm.*"]               # any argument that their schemas name
    tools:
      pay:
        to: {one_of: [ACC-1, ACC-2]}       # exact, one_of, not_one_of, min / max, prefix, pattern, any
        amount: {min: 1, max: 500}
        "**": any                          # every argument that is not named; without it they are refused

What a mapping does not name is not granted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.errors import PassportError
from halo_core.manifest.fields import SECTIONS, check_pattern, read_duration, read_names, read_texts, read_word
from halo_core.manifest.limits import (
    DEFAULT_LIFETIME_S,
    DEFAULT_SESSION_LIFETIME_S,
    AgentLimits,
    read_budgets,
    read_decay,
)
from halo_core.manifest.nodes import Item, printable
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Decay, same_person
from halo_core.passports import constraint_to_json, parse_constraint

_MAX_NAME: Final = 128
_BOUNDS: Final = ("min", "max")
_CONSTRAINT_KEYS: Final = ("exact", "one_of", "not_one_of", "prefix", "pattern", *_BOUNDS)
_SEVERAL: Final = {"one_of": ConstraintKind.ONE_OF, "not_one_of": ConstraintKind.NOT_ONE_OF}
_TEXT: Final = {"prefix": ConstraintKind.PREFIX, "pattern": ConstraintKind.PATTERN}
PRIVILEGES: Final = ("low", "standard", "high", "critical")
_NEEDS_OWNER: Final = frozenset({"high", "critical"})
_MAX_LIFETIME_S: Final = 366 * 86_400
_MAX_SESSION_S: Final = 30 * 86_400
_READERS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "approvers": read_texts,
    "data_scope": lambda item: read_texts(item, labels=True),
    "lifetime": lambda item: read_duration(item, _MAX_LIFETIME_S),
    "owner": lambda item: item.text(most=256),
    "privilege": lambda item: read_word(item, PRIVILEGES),
    "purpose": lambda item: item.text(),
    "regulated": lambda item: read_texts(item, labels=True),
    "session_lifetime": lambda item: read_duration(item, _MAX_SESSION_S),
}
_AGENT_FIELDS: Final = (*_READERS, *SECTIONS, "bands", "budgets", "decay", "floors", "hand_off")


@dataclass(frozen=True, slots=True)
class GrantRule:
    """One line of a grant.

    Args:
        pattern: a resource id, or one with `*` and `?`.
        arguments: constraints by argument name; None for any argument that the schema names.
        item: its place in the file.
    """

    pattern: str
    arguments: Mapping[str, Constraint] | None
    item: Item


def read_rules(item: Item) -> tuple[GrantRule, ...]:
    """A list of names and patterns, or a mapping of them to arguments."""
    if item.is_sequence():
        return _read_list(item)
    if not item.is_mapping():
        item.fail("a list or a mapping is expected", "write `[lookup, pay]`, or `pay: {amount: {max: 500}}`")
        return ()
    members = item.mapping().items()
    return tuple(
        GrantRule(name, _read_arguments(member), member) for name, member in members if check_pattern(member, name)
    )


def _read_list(item: Item) -> tuple[GrantRule, ...]:
    rules: dict[str, GrantRule] = {}
    for member in item.sequence():
        pattern = member.text(most=_MAX_NAME)
        if pattern is None or not check_pattern(member, pattern):
            continue
        if pattern in rules:
            member.fail(f"`{printable(pattern)}` occurs twice", "keep one of them")
        rules[pattern] = GrantRule(pattern, None, member)
    return tuple(rules.values())


def _read_arguments(item: Item) -> Mapping[str, Constraint] | None:
    if not item.is_mapping():
        if item.kind() != "str" or item.node.value != "any":
            item.fail(
                "arguments are expected", "write `any`, argument names with constraints, or `{}` for no arguments"
            )
        return None
    arguments = {}
    for name, member in item.mapping().items():
        if len(name) > _MAX_NAME or not name.isascii():
            member.fail(
                f"`{printable(name)}` is not a valid argument name", f"grant other arguments together as `{ANY_OTHER}`"
            )
            continue
        constraint = _read_constraint(member)
        if constraint is not None:
            arguments[name] = constraint
    return arguments


def _read_constraint(item: Item) -> Constraint | None:
    if item.kind() == "str" and item.node.value == "any":
        return Constraint.anything()
    if not item.is_mapping():
        item.fail("a constraint is expected", "write `any`, `{exact: 3}`, `{one_of: [a, b]}` or `{max: 500}`")
        return None
    members = item.mapping(_CONSTRAINT_KEYS)
    kinds = sorted({"range" if name in _BOUNDS else name for name in members})
    if len(kinds) != 1:
        if kinds or not item.node.value:
            item.fail("exactly one kind of constraint is expected", f"use one of {', '.join(_CONSTRAINT_KEYS)}")
        return None
    constraint = _make_constraint(kinds[0], members)
    if constraint is None:
        return None
    try:
        return parse_constraint(constraint_to_json(constraint))
    except PassportError as exc:
        item.fail(exc.message, exc.remedy)
        return None


def _make_constraint(kind: str, members: Mapping[str, Item]) -> Constraint | None:
    if kind == "range":
        return _read_range(members)
    member = members[kind]
    if kind == "exact":
        value = member.scalar()
        return None if value is None else Constraint.exactly(value)
    if kind in _SEVERAL:
        items = member.sequence()
        values = [scalar for item in items if (scalar := item.scalar()) is not None]
        if not values and member.is_sequence() and not items:
            member.fail("the list is empty, so no value is allowed", "add values, or remove the tool")
        return Constraint(_SEVERAL[kind], tuple(values)) if values and len(values) == len(items) else None
    text = member.text()
    return None if text is None else Constraint(_TEXT[kind], text=text)


def _read_range(members: Mapping[str, Item]) -> Constraint | None:
    bounds: dict[str, int] = {}
    for name, member in members.items():
        value = member.scalar()
        if type(value) is int:
            bounds[name] = value
        elif value is not None:
            member.fail("a bound must be a whole number", "write plain digits, without quotes")
    if len(bounds) != len(members):
        return None
    return Constraint.between(bounds.get("min"), bounds.get("max"))


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of a manifest, before its grants are expanded.

    Args:
        id: its name.
        owner: the responsible person, who is never an approver; empty if nobody was named.
        purpose: a sentence for the inventory.
        privilege: one of `PRIVILEGES`.
        data_scope: data labels it may reach, None for any.
        regulated: regulations that its data falls under (`pci`, `gdpr`), for the inventory.
        rules: grants by action kind; a kind without an entry was not named.
        limits: budgets, ceilings and quotas.
        decay: how its authority falls.
        hand_off: agents it may hand off to.
        approvers: names of those who are asked for approval.
        lifetime_s: seconds that its passport is valid.
        session_lifetime_s: seconds that one session may last.
        item: its section in the file.
    """

    id: str
    owner: str
    purpose: str
    privilege: str
    data_scope: tuple[str, ...] | None
    regulated: tuple[str, ...]
    rules: Mapping[ActionKind, tuple[GrantRule, ...]]
    limits: AgentLimits
    decay: Decay
    hand_off: tuple[str, ...]
    approvers: tuple[str, ...]
    lifetime_s: int
    session_lifetime_s: int
    item: Item


def read_agent(name: str, item: Item, *, agents: Collection[str], principal: str) -> Agent:
    """Read the section of one agent; `agents` are the ids of all agents of the manifest."""
    members = item.mapping(_AGENT_FIELDS)
    values = {key: _READERS[key](member) for key, member in members.items() if key in _READERS}
    fields = {key: value for key, value in values.items() if value is not None}
    agent = Agent(
        id=name,
        owner=fields.get("owner", ""),
        purpose=fields.get("purpose", ""),
        privilege=fields.get("privilege", "standard"),
        data_scope=fields.get("data_scope"),
        regulated=fields.get("regulated", ()),
        rules={kind: read_rules(members[key]) for key, kind in SECTIONS.items() if key in members},
        limits=read_budgets(members.get("budgets")),
        decay=read_decay(members.get("decay"), members.get("floors"), members.get("bands")),
        hand_off=(read_names(members["hand_off"], agents, "agent") or ()) if "hand_off" in members else (),
        approvers=fields.get("approvers", ()),
        lifetime_s=fields.get("lifetime", DEFAULT_LIFETIME_S),
        session_lifetime_s=fields.get("session_lifetime", DEFAULT_SESSION_LIFETIME_S),
        item=item,
    )
    _check_agent(agent, members, principal)
    return agent


def _check_agent(agent: Agent, members: Mapping[str, Item], principal: str) -> None:
    if agent.privilege in _NEEDS_OWNER and not agent.owner and "owner" not in members:
        agent.item.fail(
            f"an agent of {agent.privilege} privilege needs an `owner`", "name the person who is responsible for it"
        )
    if agent.id in agent.hand_off:
        members["hand_off"].fail("an agent cannot hand off to itself", "remove it")
    chain = {"owner": agent.owner, "agent": agent.id, "principal": principal}
    for approver in agent.approvers:
        for role, somebody in chain.items():
            if somebody and same_person(approver, somebody):
                # INVARIANT: BIND - such an answer would be refused at run time.
                members["approvers"].fail(
                    f"`{printable(approver)}` is the {role} and cannot approve", "name a person outside the chain"
                )
