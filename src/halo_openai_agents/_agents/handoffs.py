"""Room: guarded hand-offs. Takes: the SDK's hand-offs. Gives: copies that are decided before the other agent is there.

A refused one gives the giver back, and says so where the model reads how the hand-off went. Never: decides itself,
mints.
"""

from __future__ import annotations

import copy
import functools
import json
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast

from agents import Agent, Handoff, RunContextWrapper

from halo_core.errors import Denied
from halo_core.pep import Ticket
from halo_core.pep.gate import Gate, put_gate, required, subclass
from halo_core.pep.handoff import HANDED, as_task, known_agent
from halo_core.pep.names import clean_name
from halo_openai_agents._running import current_run, run_of
from halo_openai_agents._runs import Run

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["given_by", "guard_handoff", "target_of"]

_AGAIN: Final = "_halo_again"
# The hand-off that has just been refused, in the very step that asks how it went.
_REFUSED: Final[ContextVar[tuple[object, str] | None]] = ContextVar("halo_openai_agents_refused", default=None)
_UNFILTERED: Final = ("input_filter", "nest_handoff_history")


def target_of(handoff: Handoff[Any, Any]) -> Agent[Any] | None:
    """The agent that a hand-off leads to, where it says so and that one still lives."""
    ref = handoff._agent_ref  # noqa: SLF001  the SDK's only link to it
    found = ref() if ref is not None else None
    return found if isinstance(found, Agent) else None


def guard_handoff(halo: Halo, giver: Agent[Any], handoff: Handoff[Any, Any], to: Callable[[Any], Agent[Any]]) -> Any:
    """A decided copy of a hand-off from `giver`; `to` gives the guarded one of whichever agent it leads to."""
    agent = clean_name(handoff.agent_name)
    gate = Gate(halo, handoff, agent, known_agent(halo, agent), HANDED)
    made = copy.copy(handoff)
    object.__setattr__(made, "__class__", _class(cast("Any", type(handoff))))
    put_gate(made, gate)
    target = target_of(handoff)
    if target is not None:
        made._agent_ref = weakref.ref(to(target))  # noqa: SLF001  as above
    inner = handoff.on_invoke_handoff

    async def on_invoke_handoff(context: RunContextWrapper[Any], text: str) -> Agent[Any]:
        _REFUSED.set(None)
        run = run_of(halo, context)
        before = (run.agent, run.acting) if run is not None else None
        try:
            ticket = await _begun(halo, run, agent, handoff.tool_name, text)
        except Denied as denied:
            _REFUSED.set((made, str(denied)))
            if run is None:
                return giver
            run.led = run.at
            return cast("Agent[Any]", run.at)
        try:
            found = to(await inner(context, text))
        except BaseException as exc:
            if run is not None and before is not None:
                run.agent, run.acting = before
            failed = ticket.fail(exc)
            if failed is exc:
                raise
        else:
            ticket.succeed(found, HANDED)
            if run is not None:
                run.led = found
            return found
        raise failed

    made.on_invoke_handoff = on_invoke_handoff
    made.__dict__[_AGAIN] = lambda other: guard_handoff(halo, other, handoff, to)
    return made


def given_by(giver: Agent[Any], handoff: Any) -> Any:
    """A guarded hand-off as another giver's, who goes on where it is refused; any other as it is."""
    again = getattr(handoff, "__dict__", {}).get(_AGAIN)
    return again(giver) if again is not None else handoff


async def _begun(halo: Halo, run: Run | None, agent: str, tool: str, text: str) -> Ticket:
    """Decide a hand-off.

    Raises:
        Denied: it may not be made; nor past every runner of ours, where nobody could say how the other one acts.
    """
    task, problem = _task(text)
    if run is not None:
        return await run.hands(agent, run.hand_offs.get(tool, ""), task, problem)
    ticket: Ticket = await halo.enforcer.abegin(halo.call(known_agent(halo, agent), task, problem="needs_guard"))
    return ticket


def _task(text: str) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {"task": ""}, "invalid_arguments"
    return (as_task(found), "") if isinstance(found, Mapping) else ({"task": ""}, "invalid_arguments")


@functools.lru_cache(maxsize=16)
def _class(kind: Any) -> type[Handoff[Any, Any]]:
    """Subclass that says of a refused hand-off that it was refused, and filters nothing then."""

    def get_transfer_message(self: Any, agent: Any) -> str:
        required(self)
        refused = _REFUSED.get()
        if refused is not None and refused[0] is self:
            return refused[1]
        return str(kind.get_transfer_message(self, agent))

    return subclass(
        kind, {"get_transfer_message": get_transfer_message, **{name: _field(name) for name in _UNFILTERED}}
    )


def _field(name: str) -> property:
    """A field that says nothing while a refused hand-off goes back to its giver, who keeps what was said."""

    def read(self: Any) -> Any:
        refused, own = _REFUSED.get(), self.__dict__.get(name)
        if refused is None or refused[0] is not self:
            return own
        if name == "nest_handoff_history":
            return False
        run = current_run(required(self).halo)
        return _as_it_is if own is not None or (run is not None and run.filters) else None

    def write(self: Any, value: Any) -> None:
        self.__dict__[name] = value

    return property(read, write)


def _as_it_is(data: Any) -> Any:
    return data
