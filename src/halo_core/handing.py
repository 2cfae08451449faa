"""Room: handing off, the part of the facade about several agents. Takes: an agent's name. Gives: a narrower link.

Never: decides, mints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from halo_core.custody import HandOff
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.pep import Call, Enforcer, Surface, Verdict
from halo_core.session import Acting, acting

__all__ = ["HandOff", "HandingOff"]

_HANDED: Final = Resource(kind=ActionKind.HANDOFF, impact=Impact.READ, reversal=Reversal.NONE_NEEDED, source_trust=500)
_TASK: Final = {"type": "object", "properties": {"task": {"type": "string"}}}
_DONE: Final[Surface[str]] = Surface(text=str)


class HandingOff:
    """What `HaloBase` knows of hand-offs."""

    agent: str
    enforcer: Enforcer

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Resource:
        """See `HaloBase`."""
        raise NotImplementedError

    def registered(self, name: str) -> Resource | None:
        """See `HaloBase`."""
        raise NotImplementedError

    def call(self, resource: Resource, args: Mapping[str, Any], *, call_id: str = "") -> Call:
        """See `HaloBase`."""
        raise NotImplementedError

    @contextmanager
    def hand_off(self, to: str, *, task: str = "", give: HandOff | None = None, call_id: str = "") -> Iterator[str]:
        """Hand off to another agent: inside the block it acts, under a narrower link; at its end it hands back.

        The hand-off is decided like any action. What the other spends is charged to everybody above, and its
        authority is never more than theirs. To an agent up the chain this hands back, and gives nothing new.

        Args:
            to: the agent's id.
            task: what it is asked to do; recorded.
            give: how much of its own the giver hands on; None gives what it has.
            call_id: the framework's id of the hand-off.

        Yields:
            The handle of the link.

        Raises:
            Denied: it may not hand off to this agent.
        """
        known = self.registered(to)
        if known is None or known.kind is not ActionKind.HANDOFF:
            known = self.register(ActionKind.HANDOFF, to, resource=_HANDED, schema=_TASK)
        call = replace(self.call(known, {"task": task}, call_id=call_id), hand_off=give or HandOff())
        ticket = self.enforcer.begin(call)
        try:
            with self._under(call, ticket.verdict, to) as handle:
                yield handle
        except BaseException as exc:
            ticket.fail(exc)
            raise
        ticket.succeed("handed back", _DONE)

    @contextmanager
    def _under(self, call: Call, verdict: Verdict | None, to: str) -> Iterator[str]:
        handle = verdict.handle if verdict is not None else ""
        back = to in (self.agent, *call.agents)
        path = _cut(call.agents, to) if back else (*call.agents, to)
        try:
            with acting(Acting(self.agent, call.session, handle, path) if handle and path else None):
                yield handle
        finally:
            if handle and not back:
                self.enforcer.hand_back(call.session, handle)


def _cut(agents: tuple[str, ...], to: str) -> tuple[str, ...]:
    return agents[: agents.index(to) + 1] if to in agents else ()
