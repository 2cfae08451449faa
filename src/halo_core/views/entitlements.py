"""What an agent was granted against what it used, and the least that would have let through every call not refused.

A proposal is a start for a person to look at, never applied by itself: what nobody has needed yet is not in it, and
what an attack made the agent do must not get into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from halo_core.crypto import canonical
from halo_core.model import ActionKind, Constraint, Effect, EntryKind, Grants
from halo_core.passports import is_resource_id
from halo_core.store.log import LoggedEntry, SealedContents, read_entries
from halo_core.store.reader import Reader

_MAX_LISTED_VALUES: Final = 12
_MAX_VALUE_LENGTH: Final = 64
_MAX_NAME: Final = 128
_INT_LIMIT: Final = 2**53
_SEALED: Final = "halo:secret:"
_Value = str | int | bool


@dataclass(slots=True)
class _ArgumentValues:
    """Values of one argument."""

    calls: int = 0
    odd: bool = False
    values: set[tuple[type, _Value]] = field(default_factory=set)

    def add(self, value: object) -> None:
        self.calls += 1
        if type(value) is str:
            self.odd = (
                self.odd or len(value) > _MAX_VALUE_LENGTH or not value.isprintable() or not value or _SEALED in value
            )
        elif type(value) is int:
            self.odd = self.odd or abs(value) >= _INT_LIMIT
        elif type(value) is not bool:
            self.odd = True
        if isinstance(value, str | int) and not self.odd and len(self.values) <= _MAX_LISTED_VALUES * 100:
            self.values.add((type(value), value))

    def constraint(self, calls: int) -> Constraint:
        """The tightest that lets all of them through, without a guess at more."""
        kinds = {kind for kind, _ in self.values}
        if self.odd or self.calls < calls or not self.values:  # what may be left out cannot be demanded
            return Constraint.anything()
        values = [value for _, value in sorted(self.values, key=lambda item: (str(item[0]), item[1]))]
        if kinds == {int}:
            numbers = [value for value in values if isinstance(value, int)]
            return Constraint.between(min(numbers), max(numbers))
        return Constraint.one_of(*values) if len(values) <= _MAX_LISTED_VALUES else Constraint.anything()


@dataclass(frozen=True, slots=True)
class UsedResource:
    """A resource that the agent used: how often, and with what arguments, as tight as the calls were."""

    kind: ActionKind
    name: str
    calls: int
    arguments: Mapping[str, Constraint]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Granted against used.

    Args:
        agent: whose.
        granted: what its latest decisions were made under; empty where it had no passport.
        used: what it used, sorted.
        refused: (kind, resource, calls) that was refused every time, by whatever; never proposed.
        unread: calls whose arguments could not be opened.
    """

    agent: str
    granted: Grants
    used: tuple[UsedResource, ...]
    refused: tuple[tuple[ActionKind, str, int], ...] = ()
    unread: int = 0

    def list_unused(self) -> tuple[tuple[ActionKind, str], ...]:
        """Granted, and never used."""
        used = {(item.kind, item.name) for item in self.used}
        return tuple(
            (kind, name)
            for kind in ActionKind
            for name in sorted(self.granted.get(kind, {}))
            if (kind, name) not in used
        )

    def to_grants(self, *, tight: bool = False) -> Grants:
        """What would have been enough; with `tight` the values seen are the only ones."""
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
    """Read an agent's decisions, and those of agents that act under it.

    Args:
        reader: the store.
        contents: opens the arguments.
        tenant: whose log.
        agent: whose decisions.
        granted: what it has now.
    """
    calls: dict[tuple[ActionKind, str], int] = {}
    refused: dict[tuple[ActionKind, str], int] = {}
    values_by_resource: dict[tuple[ActionKind, str], dict[str, _ArgumentValues]] = {}
    unread = 0
    for logged in _read_decisions(reader, tenant, agent):
        request = logged.entry.body["request"]
        resource = ActionKind(request["kind"]), request["resource"]["id"]
        if not is_resource_id(resource[1]):
            continue
        effect = logged.entry.body["decision"]["effect"]
        if effect == Effect.DENY.value:  # also for want of a grant: who is misled asks for what it should not have
            refused[resource] = refused.get(resource, 0) + 1
            continue
        calls[resource] = calls.get(resource, 0) + 1
        sealed = contents.open(logged.entry, "args")
        unread += sealed is None
        argument_values = values_by_resource.setdefault(resource, {})
        for name, value in (canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}).items():
            if _is_grantable_name(name):
                # What a person was to be asked about pins no value: it may be what nobody would have approved.
                known = None if effect == Effect.CHALLENGE.value else value
                argument_values.setdefault(name, _ArgumentValues()).add(known)
    return Proposal(
        agent=agent,
        granted=granted or {},
        used=tuple(
            UsedResource(
                *resource,
                count,
                {name: item.constraint(count) for name, item in sorted(values_by_resource[resource].items())},
            )
            for resource, count in sorted(calls.items())
        ),
        refused=tuple((*resource, count) for resource, count in sorted(refused.items()) if resource not in calls),
        unread=unread,
    )


def _read_decisions(reader: Reader, tenant: str, agent: str) -> Iterator[LoggedEntry]:
    """What an agent did, and what others did under it: a right that it gave on it must have."""
    for logged in read_entries(reader, tenant, (EntryKind.DECISION,)):
        request = logged.entry.body["request"]
        subject = request["subject"]
        agents = subject["chain"][1 if subject["user"] else 0 :]
        entering = request["kind"] == ActionKind.HANDOFF.value and request["resource"]["id"] == agent
        if agent in (subject["agent"], *agents) and not entering:  # it needs no right to begin to act itself
            yield logged


def _is_grantable_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()
