"""Room: hand-offs, as every adapter says them. Takes: names of agents, arguments of hand-offs. Gives: resources, terms.

A hand-off is of kind `handoff` and named after the agent, so a grant of the agent is a grant of every way that leads
there. Never: decides, mints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final, Protocol

from halo_core.custody import HandOff
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.pep.call import Call
from halo_core.pep.names import clean_name, unknown
from halo_core.pep.obligations import Surface

__all__ = [
    "HANDED",
    "Facade",
    "Terms",
    "agent_resource",
    "as_task",
    "decided",
    "deciding",
    "known_agent",
    "with_terms",
]

_AGENT: Final = Resource(
    kind=ActionKind.HANDOFF, impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True, source_trust=500
)
_TASK: Final = {"type": "object", "properties": {"task": {"type": "string"}}}


class Facade(Protocol):
    """What of an adapter's `Halo` a hand-off needs."""

    @property
    def terms(self) -> Terms:
        """How much each agent is given."""

    def registered(self, name: str) -> Resource | None:
        """See `HaloBase`."""

    def declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """See `HaloBase`."""

    def register(
        self, kind: ActionKind, name: str, *, resource: Resource | None = None, schema: Mapping[str, Any] | None = None
    ) -> Resource:
        """See `HaloBase`."""


def _handed(_result: Any) -> str:
    return "handed off"


HANDED: Final[Surface[Any]] = Surface(text=_handed)
"""What a hand-off gives back is its framework's own: nothing that anybody read there and then."""


def agent_resource(halo: Facade, agent: str, resource: Resource | None = None) -> Resource:
    """The registration of an agent; the same one for its node and for every tool that hands off to it.

    Raises:
        ConfigError: its name belongs to a resource of another kind.
    """
    name = clean_name(agent)
    known = halo.registered(name)
    if known is not None and known.kind is not ActionKind.HANDOFF:
        known = None  # registering says whose name it is
    if known is not None and known.idempotent and resource is None:
        return known
    told = resource or known or halo.declared(name, ActionKind.HANDOFF) or _AGENT
    # A step that is run again after a pause or an error enters its agent again; that hands on nothing twice.
    return halo.register(
        ActionKind.HANDOFF,
        name,
        resource=replace(told, id=name, kind=ActionKind.HANDOFF, idempotent=True),
        schema=_TASK,
    )


def known_agent(halo: Facade, agent: str) -> Resource:
    """What is known of an agent's name; of one that nobody registered, that nobody granted it."""
    known = halo.registered(agent)
    return known if known is not None and known.kind is ActionKind.HANDOFF else unknown(agent, ActionKind.HANDOFF)


def as_task(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a hand-off tool as the hand-off has them: what the other is asked to do, in words."""
    if not args:
        return {"task": ""}
    only = next(iter(args.values())) if len(args) == 1 else None
    return {"task": only if isinstance(only, str) else json.dumps(args, sort_keys=True, default=str)}


# Whom the agents that act here, the innermost last, have been allowed to hand off to since they were entered.
_DECIDED: Final[ContextVar[tuple[set[str], ...]]] = ContextVar("halo_handed", default=())


@contextmanager
def deciding() -> Iterator[set[str]]:
    """Run an agent; yields whom it, or anybody below it, was allowed to hand off to in the block."""
    mine: set[str] = set()
    token = _DECIDED.set((*_DECIDED.get(), mine))
    try:
        yield mine
    finally:
        _DECIDED.reset(token)


def decided(agent: str) -> None:
    """Note that whoever acts here may hand off to this agent; what it may, those above it may too."""
    for names in _DECIDED.get():
        names.add(agent)


def with_terms(halo: Facade, call: Call) -> Call:
    """The call of a hand-off with how much is handed on."""
    return replace(call, hand_off=halo.terms.of(call.resource.id))


class Terms:
    """How much each agent of the guarded graphs and teams is given."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: dict[str, HandOff] = {}

    def of(self, agent: str) -> HandOff:
        """The terms for an agent; all that the giver has where nobody said less."""
        return self._given.get(agent) or HandOff()

    def add(self, agent: str, terms: HandOff) -> None:
        """Fix the terms for an agent.

        Raises:
            ConfigError: other terms were fixed for it: a graph must not widen what another one narrowed.
        """
        known = self._given.setdefault(clean_name(agent), terms)
        if known != terms:
            raise ConfigError(
                "terms_taken",
                f"`{agent}` is given other terms already",
                field="give",
                remedy="give an agent the same terms in every graph, or open another Halo",
            )
