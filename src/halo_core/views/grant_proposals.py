"""Proposals of grants: what agents used, and the grants that would have been enough for it.

A proposal is the least that would have let every call run that was not refused. A person has to check it before it is
applied: it lacks what was not needed yet, and may contain what an attack made the agent do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.content.redaction import SEAL_PREFIX
from halo_core.crypto import canonical
from halo_core.crypto.canonical import INT_LIMIT
from halo_core.enforcement.registry import RegisteredResource
from halo_core.model import ANY_OTHER, ActionKind, Constraint, Effect, EntryKind, Grants
from halo_core.passports import intersect_grants, is_resource_id
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.views.inventory import load_registrations
from halo_core.views.passports import load_current_passport

_MAX_LISTED_VALUES: Final = 12
_MAX_VALUE_LENGTH: Final = 64
_MAX_NAME: Final = 128
_Value = str | int | bool


@dataclass(slots=True)
class _ArgumentValues:
    """Values of one argument over the calls of a resource.

    Args:
        calls: number of calls that gave the argument.
        is_open: whether a value cannot be in a constraint (too long, unprintable, a secret, of another type), so that
            no constraint is proposed.
        values: the distinct values, with their types.
    """

    calls: int = 0
    is_open: bool = False
    values: set[tuple[type, _Value]] = field(default_factory=set)

    def add(self, value: object) -> None:
        self.calls += 1
        if type(value) is str:
            self.is_open |= not 0 < len(value) <= _MAX_VALUE_LENGTH or not value.isprintable() or SEAL_PREFIX in value
        elif type(value) is int:
            self.is_open |= abs(value) >= INT_LIMIT
        elif type(value) is not bool:
            self.is_open = True
        if isinstance(value, str | int) and not self.is_open and len(self.values) <= _MAX_LISTED_VALUES * 100:
            self.values.add((type(value), value))

    def make_constraint(self, calls: int) -> Constraint:
        """The tightest constraint that allows all values; `calls` is the number of all calls of the resource."""
        kinds = {kind for kind, _ in self.values}
        if self.is_open or self.calls < calls or not self.values:  # an argument that was left out cannot be required
            return Constraint.anything()
        values = [value for _, value in sorted(self.values, key=lambda item: (str(item[0]), item[1]))]
        if kinds == {int}:
            numbers = [value for value in values if isinstance(value, int)]
            return Constraint.between(min(numbers), max(numbers))
        return Constraint.one_of(*values) if len(values) <= _MAX_LISTED_VALUES else Constraint.anything()


@dataclass(frozen=True, slots=True)
class UsedResource:
    """A resource that an agent used: number of calls, and argument → the tightest constraint that allows them."""

    kind: ActionKind
    name: str
    calls: int
    arguments: Mapping[str, Constraint]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent was granted, and what it used.

    Args:
        agent: id of the agent.
        granted: its grants now; empty if it has no passport.
        used: what it used, sorted.
        refused: (kind, resource, calls) of resources whose calls were all refused, for any reason; never proposed.
        unread: number of calls whose arguments could not be opened.
    """

    agent: str
    granted: Grants
    used: tuple[UsedResource, ...]
    refused: tuple[tuple[ActionKind, str, int], ...] = ()
    unread: int = 0

    def list_unused(self) -> tuple[tuple[ActionKind, str], ...]:
        """Kind and id of each resource that is granted and was never used."""
        used = {(item.kind, item.name) for item in self.used}
        return tuple(
            (kind, name)
            for kind in ActionKind
            for name in sorted(self.granted.get(kind, {}))
            if (kind, name) not in used
        )

    def to_grants(self, *, tight: bool) -> Grants:
        """The grants that would have been enough; with `tight` they allow only the values that were used."""
        grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
        for item in self.used:
            arguments = {
                name: rule if tight else Constraint.anything() for name, rule in sorted(item.arguments.items())
            }
            grants.setdefault(item.kind, {})[item.name] = arguments
        return grants


def propose_grants(
    reader: Reader, contents: SealedContents, tenant: str, agent: str, *, granted: Grants | None = None
) -> Proposal:
    """Propose grants from an agent's decisions and those of agents that act under it.

    Args:
        reader: the store.
        contents: opens the arguments.
        tenant: owner of the log.
        agent: id of the agent.
        granted: what it has now.
    """
    calls: Counter[tuple[ActionKind, str]] = Counter()
    refused: Counter[tuple[ActionKind, str]] = Counter()
    values_by_resource: dict[tuple[ActionKind, str], dict[str, _ArgumentValues]] = {}
    unread = 0
    for logged in _read_decisions(reader, tenant, agent):
        request = logged.entry.body["request"]
        resource = ActionKind(request["kind"]), request["resource"]["id"]
        if not is_resource_id(resource[1]):
            continue
        effect = logged.entry.body["decision"]["effect"]
        if effect == Effect.DENY.value:  # also where a grant was missing: a misled agent asks for what it must not have
            refused[resource] += 1
            continue
        calls[resource] += 1
        sealed = contents.open(logged.entry, "args")
        unread += sealed is None
        argument_values = values_by_resource.setdefault(resource, {})
        for name, value in (canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}).items():
            if _is_grantable_name(name):
                # A value that a person was asked about is not proposed: perhaps nobody would have approved it.
                proposable = None if effect == Effect.CHALLENGE.value else value
                argument_values.setdefault(name, _ArgumentValues()).add(proposable)
    return Proposal(
        agent=agent,
        granted=granted or {},
        used=tuple(
            UsedResource(
                *resource,
                count,
                {name: item.make_constraint(count) for name, item in sorted(values_by_resource[resource].items())},
            )
            for resource, count in sorted(calls.items())
        ),
        refused=tuple((*resource, count) for resource, count in sorted(refused.items()) if resource not in calls),
        unread=unread,
    )


def list_acting_agents(subject: Mapping[str, Any]) -> set[str]:
    """The agents whose grants a request uses: the one that acts, and those that it acts under.

    Args:
        subject: subject of the recorded request, with `agent`, `user` and the `chain` from the user down to the agent.
    """
    return {subject["agent"], *subject["chain"][1 if subject["user"] else 0 :]}


def _read_decisions(reader: Reader, tenant: str, agent: str) -> Iterator[LoggedEntry]:
    """Decisions of an agent and of agents that act under it: what it hands on, its own passport has to grant."""
    for logged in read_entries(reader, tenant, (EntryKind.DECISION,)):
        request = logged.entry.body["request"]
        entering = request["kind"] == ActionKind.HANDOFF.value and request["resource"]["id"] == agent
        if agent in list_acting_agents(request["subject"]) and not entering:  # being handed off to needs no grant
            yield logged


def _is_grantable_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()


@dataclass(frozen=True, slots=True)
class ProposedGrants:
    """A proposal for one agent, and the grants that follow from it, within those that the agent has."""

    proposal: Proposal
    grants: Grants
    first: bool = False
    """Whether the agent has no passport yet, so that there is nothing to stay within."""


def list_proposals(
    reader: Reader, contents: SealedContents, tenant: str, *, tight: bool = False
) -> list[ProposedGrants]:
    """The proposal for each agent that acted, sorted by id."""
    decisions = read_entries(reader, tenant, (EntryKind.DECISION,))
    agents = sorted({record.entry.body["request"]["subject"]["agent"] for record in decisions})
    schemas = {(item.resource.kind, item.resource.id): item for item in load_registrations(reader, tenant)}
    proposals = []
    for agent in agents:
        stored = load_current_passport(reader, tenant, agent)
        granted = stored.links[0].grants if stored is not None else {}
        usage = propose_grants(reader, contents, tenant, agent, granted=granted)
        grants = _build_grants(usage, schemas, tight=tight)
        if stored is not None:
            grants = intersect_grants(granted, grants)  # a proposal takes away, it never adds
        proposals.append(ProposedGrants(usage, grants, first=stored is None))
    return proposals


def _build_grants(
    usage: Proposal, registered: Mapping[tuple[ActionKind, str], RegisteredResource], *, tight: bool
) -> Grants:
    """The grants for what was used; a tool's other arguments stay allowed, with `tight` only those it requires."""
    wanted: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    for kind, resources in usage.to_grants(tight=tight).items():
        for name, used in resources.items():
            item, constraints = registered.get((kind, name)), {}
            if kind is ActionKind.TOOL_CALL and item is not None:
                argument_names = set(item.schema.get("required", ())) if tight else set(item.argument_names())
                constraints = {word: rule for word, rule in item.wildcard_grant().items() if word in argument_names}
            free_text = kind is not ActionKind.TOOL_CALL  # queries and prompts
            wanted.setdefault(kind, {})[name] = (
                {ANY_OTHER: Constraint.anything()} if free_text else {**constraints, **used}
            )
    return wanted
