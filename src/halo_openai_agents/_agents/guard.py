"""Room: guarding an agent. Takes: an agent. Gives: a copy of it and of every agent that it reaches, all decided.

Over hand-offs, however they circle, and agents as tools. An agent that hands off or is handed to acts under its own
name; one by itself acts as whoever runs it. Never: decides, changes the originals.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agents import Agent, FunctionTool, Handoff, Model, handoff

from halo_core.errors import ConfigError
from halo_core.facade import HandOff
from halo_core.model import Resource
from halo_core.pep.gate import Gate, gate_of, put_gate
from halo_core.pep.handoff import HANDED, agent_resource, known_agent
from halo_core.pep.names import clean_name
from halo_openai_agents._agents.handoffs import guard_handoff, target_of
from halo_openai_agents._agents.kind import agent_class, is_named
from halo_openai_agents._agents.nested import inner_agent, with_agent
from halo_openai_agents._gates import gate_at
from halo_openai_agents._mcp import guard_server
from halo_openai_agents._models.guard import guard_model
from halo_openai_agents._tools.guard import guard_tool

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["guard_agent"]

_IDENTITY: Final = "_function_approval_identity"  # the SDK's, of one agent object and no copy of it


def guard_agent(
    halo: Halo,
    agent: Agent[Any],
    resource: Resource | None,
    *,
    give: Mapping[str, HandOff] | None = None,
    name: str = "",
    grants: bool = True,
) -> Agent[Any]:
    """A guarded copy of an agent.

    Raises:
        ConfigError: something in it cannot be guarded, or a name is taken.
    """
    _terms(halo, agent, give or {})
    wanted, known = clean_name(name) if name else "", gate_of(agent)
    if known is not None and known.halo is halo and wanted in ("", known.name):
        return agent
    alone = not agent.handoffs
    return _Family(halo, grants=grants).copied(agent, wanted or ("" if alone else clean_name(agent.name)), resource)


def _terms(halo: Halo, agent: Agent[Any], give: Mapping[str, HandOff]) -> None:
    there = {clean_name(agent.name), *_reached(agent, [])} if give else set()
    for name, terms in give.items():
        if clean_name(name) not in there:
            raise ConfigError(
                "no_such_agent",
                f"`{name}` is no agent that `{agent.name}` leads to",
                field="give",
                remedy=f"one of: {', '.join(sorted(there))}",
            )
        halo.terms.add(name, terms)


def _reached(agent: Agent[Any], seen: list[Agent[Any]]) -> Iterator[str]:
    """Names of the agents that one leads to, however far away: by hand-offs, and as tools."""
    seen.append(agent)
    inside = (_inside(tool) for tool in agent.tools)
    for item in [*agent.handoffs, *(found for found in inside if found is not None)]:
        yield clean_name(item.agent_name if isinstance(item, Handoff) else item.name)
        further = target_of(item) if isinstance(item, Handoff) else item
        if isinstance(further, Agent) and not any(further is other for other in seen):
            yield from _reached(further, seen)


def _inside(tool: Any) -> Agent[Any] | None:
    gate = gate_at(tool)
    plain = tool if gate is None else gate.original
    return inner_agent(plain) if isinstance(plain, FunctionTool) else None


class _Family:
    """The agents that one reaches, each copied once."""

    def __init__(self, halo: Halo, *, grants: bool) -> None:
        self._halo = halo
        self._grants = grants
        self._made: dict[int, tuple[Agent[Any], Agent[Any]]] = {}

    def of(self, agent: Agent[Any]) -> Agent[Any]:
        """The guarded copy of an agent that another one leads to."""
        known = self._made.get(id(agent))
        if known is not None:
            return known[1]
        if is_named(self._halo, agent):
            return agent
        return self.copied(agent, clean_name(agent.name))

    def copied(self, agent: Agent[Any], name: str, resource: Resource | None = None) -> Agent[Any]:
        """A copy that acts as `name`; empty as whoever runs it."""
        halo, known = self._halo, gate_of(agent)
        if known is not None and known.halo is not halo:
            raise _elsewhere(agent)
        made = copy.copy(agent)
        made.__dict__.pop(_IDENTITY, None)
        told = agent_resource(halo, name, resource) if name else known_agent(halo, clean_name(agent.name))
        gate = Gate(halo, agent if known is None else known.original, name, told, HANDED)
        object.__setattr__(made, "__class__", agent_class(gate))
        put_gate(made, gate)
        if name:  # who else leads to one that acts as whoever runs it leads to a copy that is handed to
            self._made[id(agent)] = (agent, made)
        made.model = self._model(agent.model)
        made.tools = [self._tool(tool) for tool in agent.tools]
        made.mcp_servers = [guard_server(halo, server, None, grants=self._grants) for server in agent.mcp_servers]
        made.handoffs = [self._handoff(made, item) for item in agent.handoffs]
        return made

    def _model(self, model: Any) -> Any:
        # A name stays one: the run's provider makes a guarded model of it.
        return guard_model(self._halo, model, None) if isinstance(model, Model) else model

    def _tool(self, tool: Any) -> Any:
        if not isinstance(tool, FunctionTool):
            return tool
        gate = gate_at(tool)
        agent = inner_agent(tool if gate is None else gate.original)
        if agent is not None and not is_named(self._halo, agent):
            plain = gate.original if gate is not None else tool
            told = gate.resource if gate is not None else None
            return guard_tool(self._halo, with_agent(plain, self.of(agent)), told)
        if gate is None and not self._grants:
            return tool  # each turn puts it behind a gate that nobody granted
        return guard_tool(self._halo, tool, None)

    def _handoff(self, giver: Agent[Any], item: Any) -> Any:
        if isinstance(item, Handoff):
            gate = gate_of(item)
            original = item if gate is None else gate.original
            agent_resource(self._halo, clean_name(original.agent_name))
            return guard_handoff(self._halo, giver, original, self.of)
        return guard_handoff(self._halo, giver, handoff(self.of(item)), self.of) if isinstance(item, Agent) else item


def _elsewhere(agent: Agent[Any]) -> ConfigError:
    return ConfigError(
        "guarded_elsewhere",
        f"another Halo guards `{agent.name}`",
        field="x",
        remedy="guard the original agent, once for each Halo",
    )
