"""Room: entitlements, what an agent was granted against what it used. Takes: a reader, a key. Gives: a proposal.

The least that would have let through every call that was not refused. A start for a person to look at, never applied by
itself: what nobody has needed yet is not in it, and what an attack made the agent do must not get into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core import canonical
from halo_core.model import ActionKind, Constraint, Effect, EntryKind, Grants
from halo_core.passport import is_resource_id
from halo_core.query import Contents, Found, entries
from halo_core.store.reader import Reader

__all__ = ["Proposal", "Used", "proposal"]

_FEW: Final = 12
_SHORT: Final = 64
_MAX_NAME: Final = 128
_INT_LIMIT: Final = 2**53
_SEALED: Final = "halo:secret:"
_Value = str | int | bool


@dataclass(slots=True)
class _Seen:
    """Values of one argument."""

    calls: int = 0
    odd: bool = False
    values: set[tuple[type, _Value]] = field(default_factory=set)

    def take(self, value: object) -> None:
        self.calls += 1
        if type(value) is str:
            self.odd = self.odd or len(value) > _SHORT or not value.isprintable() or not value or _SEALED in value
        elif type(value) is int:
            self.odd = self.odd or abs(value) >= _INT_LIMIT
        elif type(value) is not bool:
            self.odd = True
        if isinstance(value, str | int) and not self.odd and len(self.values) <= _FEW * 100:
            self.values.add((type(value), value))

    def constraint(self, calls: int) -> Constraint:
        """The tightest that lets all of them through, without a guess at more."""
        kinds = {kind for kind, _ in self.values}
        if self.odd or self.calls < calls or not self.values:  # what may be left out cannot be demanded
            return Constraint.anything()
        plain = [value for _, value in sorted(self.values, key=lambda item: (str(item[0]), item[1]))]
        if kinds == {int}:
            numbers = [value for value in plain if isinstance(value, int)]
            return Constraint.between(min(numbers), max(numbers))
        return Constraint.one_of(*plain) if len(plain) <= _FEW else Constraint.anything()


@dataclass(frozen=True, slots=True)
class Used:
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
    used: tuple[Used, ...]
    refused: tuple[tuple[ActionKind, str, int], ...] = ()
    unread: int = 0

    def unused(self) -> tuple[tuple[ActionKind, str], ...]:
        """Granted, and never used."""
        used = {(item.kind, item.name) for item in self.used}
        return tuple(
            (kind, name)
            for kind in ActionKind
            for name in sorted(self.granted.get(kind, {}))
            if (kind, name) not in used
        )

    def grants(self, *, tight: bool = False) -> Grants:
        """What would have been enough; with `tight` the values seen are the only ones."""
        found: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
        for item in self.used:
            arguments = {
                name: rule if tight else Constraint.anything() for name, rule in sorted(item.arguments.items())
            }
            found.setdefault(item.kind, {})[item.name] = arguments
        return found


def proposal(reader: Reader, contents: Contents, tenant: str, agent: str, *, granted: Grants | None = None) -> Proposal:
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
    seen: dict[tuple[ActionKind, str], dict[str, _Seen]] = {}
    unread = 0
    for found in _decisions(reader, tenant, agent):
        request = found.entry.body["request"]
        what = ActionKind(request["kind"]), request["resource"]["id"]
        if not is_resource_id(what[1]):
            continue
        effect = found.entry.body["decision"]["effect"]
        if effect == Effect.DENY.value:  # also for want of a grant: who is misled asks for what it should not have
            refused[what] = refused.get(what, 0) + 1
            continue
        calls[what] = calls.get(what, 0) + 1
        args = _args(contents, found)
        unread += args is None
        known = seen.setdefault(what, {})
        for name, value in (args or {}).items():
            if _nameable(name):
                # What a person was to be asked about pins no value: it may be what nobody would have approved.
                known.setdefault(name, _Seen()).take(None if effect == Effect.CHALLENGE.value else value)
    return Proposal(
        agent=agent,
        granted=granted or {},
        used=tuple(
            Used(*what, count, {name: item.constraint(count) for name, item in sorted(seen[what].items())})
            for what, count in sorted(calls.items())
        ),
        refused=tuple((*what, count) for what, count in sorted(refused.items()) if what not in calls),
        unread=unread,
    )


def _decisions(reader: Reader, tenant: str, agent: str) -> Iterator[Found]:
    """What an agent did, and what others did under it: a right that it gave on it must have."""
    for found in entries(reader, tenant, (EntryKind.DECISION,)):
        request = found.entry.body["request"]
        subject = request["subject"]
        agents = subject["chain"][1 if subject["user"] else 0 :]
        entering = request["kind"] == ActionKind.HANDOFF.value and request["resource"]["id"] == agent
        if agent in (subject["agent"], *agents) and not entering:  # it needs no right to begin to act itself
            yield found


def _args(contents: Contents, found: Found) -> Mapping[str, Any] | None:
    sealed = contents.open(found.entry, "args")
    if sealed is None:
        return None
    args: Mapping[str, Any] = canonical.from_plain(canonical.loads(sealed))
    return args


def _nameable(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()
