"""Guarded agents: copies of an agent, and of every agent that it reaches, whose turns and tools are decided.

`guard_agent` follows hand-offs, including circular ones, and agents that are used as tools. An agent that hands off or
is handed to acts under its own name; a single agent acts as whoever runs it.

The SDK asks an agent for its tools at the beginning of each turn. That is where the turn is entered, and where tools
without a guard (tools added later, those of MCP servers) get one. The SDK asks for an agent's instructions in a turn
only, so a turn that did not begin in a run of Halo is decided there. A hand-off that was added later gets its guard
when the agent's hand-offs are read; nobody has granted it.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from agents import Agent, FunctionTool, Handoff, Model, RunContextWrapper, Tool, handoff
from agents import tool as sdk

from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, register_agent_resource
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    GuardMetadata,
    attach_guard,
    clean_name,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    refuse_other_halo,
    require_guard,
)
from halo_core.errors import ConfigError
from halo_core.facade import HandOff
from halo_core.model import ActionKind, Resource
from halo_openai_agents._handoffs import REBIND, get_handoff_target, guard_handoff
from halo_openai_agents._mcp import guard_server, guard_server_tool
from halo_openai_agents._models import guard_model
from halo_openai_agents._native_tools import guard_native_tool
from halo_openai_agents._pause import store_session
from halo_openai_agents._runs import current_run, find_run
from halo_openai_agents._tools import (
    copy_with_guard,
    get_argument_names,
    get_resource_id,
    guard_tool,
    make_pausing_copy,
)
from halo_openai_agents._translate import find_guard, is_native, read_closure

if TYPE_CHECKING:
    from halo_openai_agents import Halo

# agents as tools: the SDK keeps the agent in the closure of the tool's function, and nowhere else that counts

_AGENT_CELL: Final = "self"  # the name of the agent in `Agent.as_tool`
_LISTENER_CELL: Final = "on_stream"


def get_inner_agent(tool: FunctionTool) -> Agent[Any] | None:
    """The agent that a tool runs; None for any other tool."""
    agent = tool._agent_instance if tool._is_agent_tool else None  # noqa: SLF001  the SDK's only mark of one
    return agent if isinstance(agent, Agent) else None


def get_stream_listener(tool: FunctionTool) -> object:
    """The receiver of a tool's inner agent's output while it runs; None if there is none."""
    return read_closure(getattr(tool.on_invoke_tool, "_invoke_tool_impl", None)).get(_LISTENER_CELL)


def _replace_inner_agent(tool: FunctionTool, agent: Agent[Any]) -> FunctionTool:
    """Return the tool with another agent inside.

    Raises:
        ConfigError: the SDK keeps its agent somewhere else than it did.
    """
    invoker = tool.on_invoke_tool
    inner = getattr(invoker, "_invoke_tool_impl", None)
    if (
        not isinstance(invoker, sdk._FailureHandlingFunctionToolInvoker)  # noqa: SLF001  the SDK's own
        or not isinstance(inner, types.FunctionType)
        or read_closure(inner).get(_AGENT_CELL) is not tool._agent_instance  # noqa: SLF001  as above
    ):
        raise ConfigError(
            "not_guardable",
            f"the agent inside `{tool.name}` cannot be reached",
            field="x",
            remedy="create the tool from the guarded agent: `halo.guard(agent, agent='name').as_tool(...)`",
        )
    cells = zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True)
    closure = tuple(types.CellType(agent) if name == _AGENT_CELL else cell for name, cell in cells)
    rebuilt = types.FunctionType(inner.__code__, inner.__globals__, inner.__name__, inner.__defaults__, closure)
    rebuilt.__kwdefaults__ = inner.__kwdefaults__
    rebuilt.__annotations__ = inner.__annotations__
    rebuilt.__dict__.update(inner.__dict__)
    copied = copy.copy(tool)
    copied.on_invoke_tool = type(invoker)(rebuilt, invoker._on_handled_error, function_tool=copied)  # noqa: SLF001  as above
    copied._agent_instance = agent  # noqa: SLF001  as above
    return copied


# turns


def _is_named_agent(halo: object, agent: Any) -> bool:
    """Whether this Halo guards an agent under its own name, and so decides who may hand off to it."""
    guard = get_guard(agent)
    return guard is not None and guard.halo is halo and bool(guard.name)


def _make_agent_class(guard: GuardMetadata, copies: _AgentCopies) -> type[Agent[Any]]:
    """Make the class of one guarded agent and its copies, however they are created.

    Args:
        guard: guard of the agent.
        copies: makes those of the agents that it reaches.
    """
    kind: Any = type(guard.original)

    @functools.wraps(kind.__post_init__)
    def __post_init__(self: Any) -> None:  # noqa: N807  the dataclass's, of every copy with other fields
        attach_guard(self, guard)
        kind.__post_init__(self)
        if isinstance(self.handoffs, list):
            # Where it is refused, the copy goes on and not its original.
            rebinders = [getattr(item, "__dict__", {}).get(REBIND) for item in self.handoffs]
            self.handoffs = [
                rebind(self) if rebind else item for rebind, item in zip(rebinders, self.handoffs, strict=True)
            ]

    @functools.wraps(kind.get_all_tools)
    async def get_all_tools(self: Any, run_context: RunContextWrapper[Any]) -> list[Tool]:
        guard = require_guard(self)
        run = current_run(guard.halo)
        is_turn_of_run = run is not None and run.claim_turn(self, run_context)
        if run is not None and is_turn_of_run:
            store_session(guard.halo, run_context, run.session)
            await run.enter_agent(run.get_agent_name(self, guard.name))
        if isinstance(self.model, Model) and find_guard(self.model) is None:  # put there since
            with suppress(ConfigError):  # the tripwire refuses it
                self.model = guard_model(guard.halo, self.model, None)
        tools = await kind.get_all_tools(self, run_context)
        # A state that is read back outside a run belongs to one that paused.
        pauses = run.pausing if run is not None and is_turn_of_run else True
        return [_guard_tool_for_run(self, guard.halo, tool, pauses=pauses) for tool in tools]

    @functools.wraps(kind.get_system_prompt)
    async def get_system_prompt(self: Any, run_context: RunContextWrapper[Any]) -> str | None:
        guard = require_guard(self)
        if find_run(guard.halo, run_context) is None:
            await _decide_turn_outside_run(self, guard)
        prompt: str | None = await kind.get_system_prompt(self, run_context)
        return prompt

    members = {"__post_init__": __post_init__, "get_all_tools": get_all_tools, "get_system_prompt": get_system_prompt}
    return make_named_subclass(kind, {**members, _HANDOFFS: _make_handoffs_property(copies)})


_HANDOFFS: Final = "handoffs"


def _make_handoffs_property(copies: _AgentCopies) -> property:
    """Make the property for an agent's hand-offs, which guards each before anybody reads it."""

    def read(self: Any) -> Any:
        items = self.__dict__[_HANDOFFS]
        if isinstance(items, list) and get_guard(self) is not None:
            for place, item in enumerate(items):
                if isinstance(item, Agent | Handoff) and not _is_guarded_handoff(item):
                    items[place] = copies.guard_later_handoff(self, item)
        return items

    def write(self: Any, value: Any) -> None:
        self.__dict__[_HANDOFFS] = value

    return property(read, write)


def _is_guarded_handoff(item: Any) -> bool:
    """Whether a hand-off is decided by some Halo."""
    return REBIND in getattr(item, "__dict__", {}) and find_guard(item) is not None


async def _decide_turn_outside_run(agent: Any, guard: GuardMetadata) -> None:
    """Decide a turn outside our runs: after an unguarded giver's hand-off, or in another runner.

    Raises:
        Denied: it may not be entered from here; or its model is a name, and nobody knows who looks it up.
        Pending: somebody has to be asked first.
    """
    halo = guard.halo
    if not isinstance(agent.model, Model):
        model = make_unregistered_resource(str(agent.model or "default"), ActionKind.INFERENCE)
        call = halo.build_call(model, {}, problem="needs_guard")
        await arun(_ModelOutsideRun(halo.enforcer, call, Surface(text=lambda _answer: "")))
    if guard.name:
        async with halo.agent_scope(guard.name, give=halo.delegation_terms.get(guard.name)):
            pass


class _ModelOutsideRun(GovernedAction[None]):
    """A model call outside our runs, which the SDK makes itself once it is decided."""

    def execute(self, ticket: Ticket) -> None:
        """Do nothing: the SDK makes the call."""


def _guard_tool_for_run(agent: Any, halo: Any, tool: Tool, *, pauses: bool) -> Tool:
    """The tool that a run of this agent uses; guarded if possible."""
    if not isinstance(tool, FunctionTool):
        return tool  # the guarded model refuses the call that carries it
    guard = find_guard(tool)
    if guard is None or guard.halo is not halo:
        binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to the server
        if binding is not None and binding[2] is not None:  # made anew for each turn
            guarded = guard_server_tool(halo, agent.mcp_servers[binding[2]], tool)
            return make_pausing_copy(guarded) if pauses else guarded
        tool = copy_with_guard(halo, tool)  # not registered, so nobody granted it: its calls are refused
    return make_pausing_copy(tool) if pauses else tool


# copies

_APPROVAL_IDENTITY: Final = "_function_approval_identity"  # the SDK's, of one agent object and no copy of it


def guard_agent(
    halo: Halo,
    agent: Agent[Any],
    resource: Resource | None,
    *,
    give: Mapping[str, HandOff] | None = None,
    name: str = "",
    grants: bool = True,
    keeps_names: bool = False,
) -> Agent[Any]:
    """Make a guarded copy of an agent.

    With `keeps_names` a tool whose name is taken gets no grant, instead of an error.

    Raises:
        ConfigError: something in it cannot be guarded, or a name is taken.
    """
    names = {clean_name(agent.name), *_iter_reachable_names(agent, [])} if give else set()
    halo.delegation_terms.set_all(give or {}, names, f"that `{agent.name}` can hand off to")
    acting_name, guard = clean_name(name) if name else "", get_guard(agent)
    if guard is not None and guard.halo is halo and acting_name in ("", guard.name):
        return agent
    if not acting_name and agent.handoffs:
        acting_name = clean_name(agent.name)
    return _AgentCopies(halo, grants, keeps_names).copy_agent(agent, acting_name, resource)


def guard_started_tool(halo: Halo, tool: FunctionTool) -> FunctionTool:
    """A guarded copy of a tool that code inside a guarded run calls; refused if another tool has its name."""
    guarded = _AgentCopies(halo, grants=True, keeps_names=True).guard_tool(tool)
    return copy_with_guard(halo, tool) if find_guard(guarded) is None else guarded


def _iter_reachable_names(agent: Agent[Any], visited: list[Agent[Any]]) -> Iterator[str]:
    """Names of all agents that one reaches, by hand-offs and as tools."""
    visited.append(agent)
    inner_agents = (_find_inner_agent(tool) for tool in agent.tools)
    for item in [*agent.handoffs, *(inner for inner in inner_agents if inner is not None)]:
        yield clean_name(item.agent_name if isinstance(item, Handoff) else item.name)
        target = get_handoff_target(item) if isinstance(item, Handoff) else item
        if isinstance(target, Agent) and not any(target is seen_agent for seen_agent in visited):
            yield from _iter_reachable_names(target, visited)


def _find_inner_agent(tool: Any) -> Agent[Any] | None:
    guard = find_guard(tool)
    original = tool if guard is None else guard.original
    return get_inner_agent(original) if isinstance(original, FunctionTool) else None


@dataclass(slots=True, eq=False)
class _AgentCopies:
    """Copies each reachable agent once."""

    halo: Halo
    grants: bool
    keeps_names: bool = False
    is_late: bool = False
    """Whether what it copies was added after the guard: nothing of that is registered, and so granted."""
    _copies: dict[int, tuple[Agent[Any], Agent[Any]]] = field(default_factory=dict)

    def get_copy(self, agent: Agent[Any]) -> Agent[Any]:
        """The guarded copy of a reachable agent."""
        copies = self._copies.get(id(agent))
        if copies is not None:
            return copies[1]
        if _is_named_agent(self.halo, agent):
            return agent
        try:
            return self.copy_agent(agent, clean_name(agent.name))
        except ConfigError:
            if not self.is_late:
                raise
            return agent  # the hand-off to it is decided; what it does the tripwire refuses, or notes

    def copy_agent(self, agent: Agent[Any], name: str, resource: Resource | None = None) -> Agent[Any]:
        """Copy an agent that then acts under `name`; an empty name stands for whoever runs it."""
        halo, existing = self.halo, get_guard(agent)
        refuse_other_halo(halo, existing, "agent")
        copied = copy.copy(agent)
        copied.__dict__.pop(_APPROVAL_IDENTITY, None)
        acting_resource = (
            register_agent_resource(halo, name, resource)
            if name and not self.is_late
            else find_agent_resource(halo, clean_name(agent.name))
        )
        guard = GuardMetadata(
            halo, agent if existing is None else existing.original, name, acting_resource, HANDOFF_SURFACE
        )
        object.__setattr__(copied, "__class__", _make_agent_class(guard, self))
        attach_guard(copied, guard)
        if name:  # who else leads to one that acts as whoever runs it leads to a copy that is handed to
            self._copies[id(agent)] = (agent, copied)
        if isinstance(agent.model, Model):  # the run's provider makes a guarded model of a name
            copied.model = guard_model(halo, agent.model, None)
        copied.tools = [self.guard_tool(tool) for tool in agent.tools]
        copied.mcp_servers = [guard_server(halo, server, None, grants=self.grants) for server in agent.mcp_servers]
        copied.handoffs = [self._guard_handoff(copied, item) for item in agent.handoffs]
        return copied

    def guard_tool(self, tool: Any) -> Any:
        """The guarded copy of a tool; the tool itself if each turn makes one that nobody granted."""
        if inspect.isroutine(tool) and not self.keeps_names:
            name = getattr(tool, "__name__", type(tool).__name__)
            remedy = f"pass `halo.guard({name})`, which makes a tool of it, or `function_tool({name})`"
            raise ConfigError(
                "not_guardable", f"`{name}` is a function and no tool of the SDK", field="tools", remedy=remedy
            )
        try:
            if is_native(tool):
                return guard_native_tool(self.halo, tool, None, grants=self.grants)
            return self._guard_function_tool(tool) if isinstance(tool, FunctionTool) else tool
        except ConfigError as exc:
            if not self.keeps_names or exc.code != "resource_id_taken":
                raise
            return tool  # each turn makes a guarded copy that nobody granted

    def _guard_function_tool(self, tool: FunctionTool) -> FunctionTool:
        guard = find_guard(tool)
        agent = get_inner_agent(tool if guard is None else guard.original)
        if agent is not None and not _is_named_agent(self.halo, agent):
            original = guard.original if guard is not None else tool
            resource = guard.resource if guard is not None else None
            return guard_tool(self.halo, _replace_inner_agent(original, self.get_copy(agent)), resource)
        if guard is None and not self.grants:
            return tool  # each turn makes a guarded copy that nobody granted
        if not self.keeps_names or guard is not None:
            return guard_tool(self.halo, tool, None)
        if agent is None and self.halo.originals.belongs_to_another(tool.qualified_name, tool):
            return tool  # as above: a grant is of what was guarded
        return guard_tool(self.halo, tool, self._find_resource(tool), is_sighting=True)

    def _find_resource(self, tool: FunctionTool) -> Resource | None:
        """The host's registration under a tool's name, which a guess does not replace."""
        name = get_resource_id(tool)
        registered = self.halo.find_registered(name) if name not in self.halo.servers_by_tool else None
        is_same = registered is not None and self.halo.get_argument_names(name) == get_argument_names(tool)
        return registered if registered is not None and registered.kind in TOOL_KINDS and is_same else None

    def guard_later_handoff(self, giver: Agent[Any], item: Any) -> Any:
        """The guarded copy of a hand-off that was added after guarding."""
        # Copies of its own: an application may make an agent anew for each turn.
        late = replace(self, grants=False, keeps_names=True, is_late=True, _copies=dict(self._copies))
        return late._guard_handoff(giver, item)  # noqa: SLF001  its own class

    def _guard_handoff(self, giver: Agent[Any], item: Any) -> Any:
        if isinstance(item, Handoff):
            guard = get_guard(item)
            original = item if guard is None else guard.original
            if not self.is_late:
                register_agent_resource(self.halo, clean_name(original.agent_name))
        elif isinstance(item, Agent):
            original = handoff(self.get_copy(item))
        else:
            return item
        return guard_handoff(self.halo, giver, original, self.get_copy, grants=self.grants)
