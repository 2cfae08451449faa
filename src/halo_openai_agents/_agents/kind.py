"""Room: the class of a guarded agent. Takes: an agent's class. Gives: a subclass whose turns and tools are decided.

The SDK asks an agent for its tools at the beginning of each turn, whichever way it came to it: there the turn is
entered, and what carries no guard (tools added later, those of MCP servers) is put behind one. It asks for them too
where it reads a stored state, but for instructions in a turn only: there one that no run of ours began is decided.
Never: decides itself.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from agents import Agent, FunctionTool, Model, RunContextWrapper, Tool

from halo_core.model import ActionKind
from halo_core.pep import Surface
from halo_core.pep.gate import Gate, gate_of, put_gate, required, subclass
from halo_core.pep.names import unknown
from halo_openai_agents._agents.handoffs import given_by
from halo_openai_agents._gates import gate_at
from halo_openai_agents._mcp import served_tool
from halo_openai_agents._notes import note_session
from halo_openai_agents._running import current_run, run_of
from halo_openai_agents._tools.guard import gated_copy
from halo_openai_agents._tools.pausing import pausing

__all__ = ["agent_class", "is_guarded", "is_named"]

_COPIES: Final = "_halo_copies"
_UNREAD: Final[Surface[Any]] = Surface(text=lambda _answer: "")


def is_guarded(halo: object, agent: Any) -> bool:
    """Whether this Halo guards an agent."""
    gate = gate_of(agent)
    return gate is not None and gate.halo is halo


def is_named(halo: object, agent: Any) -> bool:
    """Whether this Halo guards an agent under a name of its own, and so decides who may hand to it."""
    gate = gate_of(agent)
    return gate is not None and gate.halo is halo and bool(gate.name)


def agent_class(gate: Gate) -> type[Agent[Any]]:
    """Subclass of one guarded agent and its copies, however they are made."""
    kind: Any = type(gate.original)

    @functools.wraps(kind.__post_init__)
    def __post_init__(self: Any) -> None:  # noqa: N807  the dataclass's, of every copy with other fields
        put_gate(self, gate)
        kind.__post_init__(self)
        if isinstance(self.handoffs, list):
            self.handoffs = [given_by(self, item) for item in self.handoffs]

    @functools.wraps(kind.get_all_tools)
    async def get_all_tools(self: Any, run_context: RunContextWrapper[Any]) -> list[Tool]:
        own = required(self)
        run = current_run(own.halo)
        mine = run is not None and run.begins(self, run_context)
        if run is not None and mine:
            if run.pausing or run.session.source == "thread":
                note_session(own.halo, run_context, run.session)
            await run.enters(run.named(self, own.name))
        found = await kind.get_all_tools(self, run_context)
        # A state that is read back outside of a run belongs to one that paused.
        pauses = run.pausing if run is not None and mine else True
        return [_guarded(self, own.halo, tool, pauses=pauses) for tool in found]

    @functools.wraps(kind.get_system_prompt)
    async def get_system_prompt(self: Any, run_context: RunContextWrapper[Any]) -> str | None:
        own = required(self)
        if run_of(own.halo, run_context) is None:
            await _beside(self, own)
        found: str | None = await kind.get_system_prompt(self, run_context)
        return found

    members = {"__post_init__": __post_init__, "get_all_tools": get_all_tools, "get_system_prompt": get_system_prompt}
    return subclass(kind, members)


async def _beside(agent: Any, gate: Gate) -> None:
    """Decide a turn that no run of ours began: of a giver without a guard, or of another runner.

    Raises:
        Denied: it may not be entered from here; or its model is a name, and nobody knows who looks it up.
        Pending: somebody has to be asked first.
    """
    halo = gate.halo
    if not isinstance(agent.model, Model):
        model = unknown(str(agent.model or "default"), ActionKind.INFERENCE)
        ticket = await halo.enforcer.abegin(halo.call(model, {}, problem="needs_guard"))
        ticket.succeed(None, _UNREAD)
    if gate.name:
        async with halo.aentering(gate.name, give=halo.terms.of(gate.name)):
            pass


def _guarded(agent: Any, halo: Any, tool: Tool, *, pauses: bool) -> Tool:
    """A tool as a run of this agent gets it: nothing that can be decided goes without a guard."""
    if not isinstance(tool, FunctionTool):
        return tool  # the guarded model refuses the call that carries it
    gate = gate_at(tool)
    if gate is None or gate.halo is not halo:
        binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to the server
        if binding is not None and binding[2] is not None:  # made anew for each turn
            made = served_tool(halo, agent.mcp_servers[binding[2]], tool)
            return pausing(made) if pauses else made
        copies: dict[int, tuple[Tool, FunctionTool]] = agent.__dict__.setdefault(_COPIES, {})
        known = copies.get(id(tool))
        if known is None or known[0] is not tool:
            # Nothing is registered: what nobody granted is refused, at the same last step as a guarded tool.
            known = copies[id(tool)] = (tool, gated_copy(halo, tool))
        tool = known[1]
    return pausing(tool) if pauses else tool
