"""Room: the class of a guarded agent. Takes: an agent's class. Gives: a subclass whose turns and tools are decided.

The SDK asks an agent for its tools at the beginning of each turn, whichever way it came to it: there the turn is
entered, and what carries no guard (tools added later, those of MCP servers) is put behind one. Never: decides itself.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from agents import Agent, FunctionTool, RunContextWrapper, Tool

from halo_core.pep.gate import gate_of, put_gate, required, subclass
from halo_core.pep.names import clean_name
from halo_openai_agents._gates import gate_at
from halo_openai_agents._mcp import served_tool
from halo_openai_agents._notes import note_session
from halo_openai_agents._runs import current_run
from halo_openai_agents._tools.guard import gated_copy, pausing

__all__ = ["agent_class", "is_guarded"]

_COPIES: Final = "_halo_copies"


def is_guarded(halo: object, agent: Any) -> bool:
    """Whether this Halo guards an agent."""
    gate = gate_of(agent)
    return gate is not None and gate.halo is halo


@functools.lru_cache(maxsize=64)
def agent_class(kind: Any) -> type[Agent[Any]]:
    """Subclass of guarded agents."""

    @functools.wraps(kind.get_all_tools)
    async def get_all_tools(self: Any, run_context: RunContextWrapper[Any]) -> list[Tool]:
        gate = required(self)
        run = current_run(gate.halo)
        mine = run is not None and run.mine(run_context)
        if run is not None and mine:
            if run.pausing or run.session.source == "thread":
                note_session(gate.halo, run_context, run.session)
            await run.enters(gate.name or ("" if run.agent in (None, "") else clean_name(self.name)))
        found = await kind.get_all_tools(self, run_context)
        # A state that is read back outside of a run belongs to one that paused.
        pauses = run.pausing if run is not None and mine else True
        return [_guarded(self, gate.halo, tool, pauses=pauses) for tool in found]

    @functools.wraps(kind.clone)
    def clone(self: Any, **kwargs: Any) -> Any:
        made = kind.clone(self, **kwargs)
        put_gate(made, required(self))
        return made

    return subclass(kind, {"get_all_tools": get_all_tools, "clone": clone})


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
