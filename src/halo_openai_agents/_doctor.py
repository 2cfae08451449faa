"""Room: `halo doctor` for the OpenAI Agents SDK. Takes: an app. Gives: findings. Never: runs anything of the app's.

Room: agents and what they hand to, for `halo doctor`. Takes: agents, hand-offs. Gives: rows. Never: runs any.

Room: tools, servers and models, for `halo doctor`. Takes: these. Gives: rows. Never: runs anything of the app's.

Room: what of an app is decided before it runs. Takes: an agent, tool, model, server or function. Gives: findings.

It follows what objects hold: agents over hand-offs and tools, guardrails, hooks and instructions that are functions,
closures, globals that functions name. What a function makes while it runs it does not see. Never: runs anything of the
app's, raises.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, Final

from agents import Agent, FunctionTool, Handoff, Model, RunConfig, RunState
from agents.agent import AgentBase
from agents.guardrail import InputGuardrail, OutputGuardrail
from agents.lifecycle import AgentHooksBase, RunHooksBase
from agents.mcp import MCPServer
from agents.memory import OpenAIResponsesCompactionSession
from agents.realtime import RealtimeAgent, RealtimeModel
from agents.tracing import get_trace_provider
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus, sort_findings
from halo_core.enforcement.guards import GuardMetadata
from halo_core.facade import HaloBase
from halo_openai_agents._agents import get_inner_agent, get_stream_listener
from halo_openai_agents._doctor_rows import (
    Examiner,
    Rows,
    find_reachable,
    get_container_items,
    get_module_name,
    is_a,
    is_framework_module,
    is_plain_value,
    read_attributes,
)
from halo_openai_agents._mcp import find_server_guard
from halo_openai_agents._models import GuardedProvider
from halo_openai_agents._translate import (
    HOSTED_TYPES,
    NATIVE_TYPES,
    find_guard,
    get_display_name,
    is_hosted,
    is_native,
    model_name,
)

__all__ = [
    "CLIENT_TYPES",
    "doctor",
    "examine_agent",
    "examine_client",
    "examine_compacting_session",
    "examine_companion_code",
    "examine_handoff",
    "examine_model",
    "examine_other_tool",
    "examine_provider",
    "examine_realtime",
    "examine_run_config",
    "examine_server",
    "examine_tool",
]


_CODE_FIELDS: Final = ("instructions", "input_guardrails", "output_guardrails", "hooks", "tool_use_behavior", "prompt")
"""Fields of an agent that can be code of the app's, which runs beside what is decided."""


def examine_agent(examiner: Examiner, agent: Agent[Any], where: str, _within: GuardMetadata | None) -> None:
    """An agent, with what it has and what runs beside it."""
    guard = find_guard(agent)
    name = agent.name
    if guard is not None:
        examiner.rows.add_closed(FindingKind.AGENT, name, where, "guarded agent")
    else:
        examiner.rows.add_undecided(FindingKind.AGENT, name, where)
    place = f"{where} > agent `{name}`" if where else f"agent `{name}`"
    for tool in agent.tools:
        examiner.visit(tool, place, guard)
    for server in agent.mcp_servers:
        examiner.visit(server, place, guard)
    for item in agent.handoffs:
        _examine_handoff_item(examiner, item, place)
    _examine_agent_model(examiner, agent, place, guard)
    for field in _CODE_FIELDS:
        examine_companion_code(examiner, getattr(agent, field, None), f"{place} > {field.replace('_', ' ')}")


def _examine_agent_model(examiner: Examiner, agent: Agent[Any], where: str, guard: GuardMetadata | None) -> None:
    if isinstance(agent.model, Model):
        examiner.visit(agent.model, where, guard)
        return
    name = agent.model or "the SDK's default model"
    if guard is not None:
        examiner.rows.add_closed(FindingKind.MODEL, name, where, "the run's provider, which is guarded")
    else:
        examiner.rows.add_undecided(FindingKind.MODEL, name, where)


def examine_companion_code(examiner: Examiner, x: Any, where: str) -> None:
    """Code of the app's that runs beside an agent: what it calls there, nothing around it decides."""
    for item in x if isinstance(x, list) else [x]:
        if is_a(item, dict) and "id" in item:
            remedy = "the provider fills in a stored prompt and its tools: do not put tools into it"
            examiner.rows.add_note(FindingKind.MODEL, str(item.get("id")), where, remedy)
        elif is_a(item, InputGuardrail, OutputGuardrail):
            examiner.visit(item.guardrail_function, f"{where} `{item.get_name()}`", None)
        elif is_a(item, AgentHooksBase, RunHooksBase):
            examiner.visit_contents(item, where)
        else:
            examiner.visit(item, where, None)


def _examine_handoff_item(examiner: Examiner, item: Any, where: str) -> None:
    if is_a(item, Handoff):
        examine_handoff(examiner, item, where, None)
        return
    examiner.rows.add_undecided(FindingKind.HANDOFF, get_display_name(item), where)
    examiner.visit(item, where, None)


def examine_handoff(examiner: Examiner, item: Handoff[Any, Any], where: str, _within: GuardMetadata | None) -> None:
    """A hand-off, and the agent that it leads to."""
    if find_guard(item) is not None:
        examiner.rows.add_closed(FindingKind.HANDOFF, item.agent_name, where, "guarded hand-off")
    else:
        examiner.rows.add_undecided(FindingKind.HANDOFF, item.agent_name, where)
    target = item._agent_ref() if item._agent_ref is not None else None  # noqa: SLF001  the SDK's only link to it
    examiner.visit(target, where, None)
    if find_guard(item) is None:
        examiner.visit_contents(item.on_invoke_handoff, where)
    examiner.visit(item.input_filter, where, None)


def examine_realtime(examiner: Examiner, x: Any, where: str, _within: GuardMetadata | None) -> None:
    """An agent or model of a realtime session, which no runner runs."""
    remedy = "a realtime session talks directly to its provider: guard each of its tools with `halo.guard(tool)`"
    examiner.rows.add_note(
        FindingKind.AGENT if is_a(x, AgentBase) else FindingKind.MODEL, get_display_name(x), where, remedy
    )
    for item in (*read_attributes(x).get("tools", ()), *read_attributes(x).get("mcp_servers", ())):
        examiner.visit(item, f"{where} > realtime agent `{get_display_name(x)}`", None)


CLIENT_TYPES: Final = (AsyncOpenAI, OpenAI)


def examine_tool(examiner: Examiner, tool: FunctionTool, where: str, within: GuardMetadata | None) -> None:
    """A function tool, the agent inside of it, and what its function reaches."""
    guard = find_guard(tool)
    if guard is not None:
        examiner.rows.add_closed(FindingKind.TOOL, tool.name, where, "guarded copy")
        examiner.rows.add_ungranted(FindingKind.TOOL, tool.name, where, guard.halo, guard.resource.id)
        examiner.rows.originals.append(tool.name)
    elif within is not None:
        examiner.rows.add_closed(FindingKind.TOOL, tool.name, where, "guarded agent")
        examiner.rows.add_ungranted(FindingKind.TOOL, tool.name, where, within.halo, tool.qualified_name)
    else:
        examiner.rows.add_undecided(FindingKind.TOOL, tool.name, where)
    inner = get_inner_agent(tool)
    place = f"{where} > tool `{tool.name}`"
    if inner is not None:
        examiner.visit(inner, place, None)
        if get_stream_listener(tool if guard is None else guard.original) is not None:
            remedy = "it receives the inner agent's output before a policy of the tool can withhold it"
            examiner.rows.add_note(FindingKind.STORE, f"on_stream of `{tool.name}`", where, remedy)
    else:
        _examine_tool_body(examiner, tool if guard is None else guard.original, place)


def _examine_tool_body(examiner: Examiner, tool: FunctionTool, where: str) -> None:
    """What the function of a tool reaches: it is called from there, past whatever stands around the tool."""
    try:
        function = tool.__wrapped__
    except AttributeError:
        function = tool.on_invoke_tool
    examiner.visit_contents(function, where)


def examine_other_tool(examiner: Examiner, tool: Any, where: str, within: GuardMetadata | None) -> None:
    """A tool that is no function tool."""
    by_provider = is_hosted(tool)
    if within is not None:
        examiner.rows.add_closed(FindingKind.TOOL, get_display_name(tool), where, "guarded model (refused)")
    elif by_provider:
        remedy = "the provider runs it, so it is not decided here: remove it, or guard the agent, which then refuses it"
        examiner.rows.add_undecided(FindingKind.TOOL, get_display_name(tool), where, remedy)
    elif is_native(tool):
        examiner.rows.add_undecided(
            FindingKind.TOOL, get_display_name(tool), where, "write it as a function tool, and guard that"
        )


def examine_server(examiner: Examiner, server: MCPServer, where: str, _within: GuardMetadata | None) -> None:
    """A local MCP server."""
    name = f"tools of MCP server `{server.name}`"
    server_guard = find_server_guard(server)
    if server_guard is None:
        examiner.rows.add_undecided(FindingKind.TOOL, name, where, "use `halo.guard(server)`, or `halo.guard(agent)`")
        return
    examiner.rows.add_closed(
        FindingKind.TOOL, name, where, "guarded server" if server_guard.grants else "guarded server, no grants"
    )
    remedy = "your own code reads its resources and prompts, not a model: check there what is read"
    examiner.rows.add_note(FindingKind.STORE, f"resources of MCP server `{server.name}`", where, remedy)
    examiner.rows.originals.append(server.name)


def examine_model(examiner: Examiner, model: Model, where: str, _within: GuardMetadata | None) -> None:
    """A model, the client that it sends through, and a model inside of it."""
    guard = find_guard(model)
    if guard is not None:
        examiner.rows.add_closed(FindingKind.MODEL, guard.name, where, "guarded copy")
    else:
        examiner.rows.add_undecided(FindingKind.MODEL, model_name(model), where)
    for item in read_attributes(model).values():
        if is_a(item, *CLIENT_TYPES):
            examine_client(examiner, item, f"{where} > model `{model_name(model)}`", None)
        elif is_a(item, Model):
            examiner.visit(item, f"{where} > model `{model_name(model)}`", guard)


def examine_client(examiner: Examiner, client: Any, where: str, _within: GuardMetadata | None) -> None:
    """A provider's own client."""
    remedy = "calls of your own code through it are not decided: use the guarded model"
    examiner.rows.add_note(FindingKind.MODEL, type(client).__name__, where or "a client", remedy)


def examine_compacting_session(examiner: Examiner, session: Any, where: str, _within: GuardMetadata | None) -> None:
    """A session that has its provider sum up what it keeps."""
    remedy = "it calls a model without a guard, with the whole content of the session: use a plain session"
    examiner.rows.add_note(FindingKind.MODEL, type(session).__name__, where or "a session", remedy)


def examine_provider(examiner: Examiner, _provider: GuardedProvider, where: str, _within: GuardMetadata | None) -> None:
    """A guarded provider."""
    examiner.rows.add_closed(FindingKind.MODEL, "models by name", where, "guarded provider")


def examine_run_config(examiner: Examiner, config: RunConfig, where: str, _within: GuardMetadata | None) -> None:
    """A configuration of runs."""
    for x in (config.model, config.input_guardrails, config.output_guardrails, config.call_model_input_filter):
        examine_companion_code(examiner, x, where)
    if is_a(config.model_provider, GuardedProvider):
        examiner.visit(config.model_provider, where, None)
    elif isinstance(config.model, str):
        examiner.rows.add_undecided(
            FindingKind.MODEL, "models by name", where, "pass it through `halo.run_options(run_config=...)`"
        )


_MAX_DEPTH: Final = 80
_MAX_OBJECTS: Final = 50_000
_IGNORED_TYPES: Final = (GuardMetadata, HaloBase, RunState, BaseModel)
_FUNCTION_TYPES: Final = (types.FunctionType, types.MethodType, functools.partial)
_EXAMINERS: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Any, Any, str, GuardMetadata | None], None]], ...]] = (
    ((RealtimeAgent, RealtimeModel), examine_realtime),
    ((AgentBase,), examine_agent),
    ((FunctionTool,), examine_tool),
    ((*HOSTED_TYPES, *NATIVE_TYPES), examine_other_tool),
    ((Handoff,), examine_handoff),
    ((Model,), examine_model),
    ((MCPServer,), examine_server),
    ((RunConfig,), examine_run_config),
    ((GuardedProvider,), examine_provider),
    (CLIENT_TYPES, examine_client),
    ((OpenAIResponsesCompactionSession,), examine_compacting_session),
)


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: an agent, tool, hand-off, model, MCP server, run configuration or function, or a list or dict of these.
        name: what to call it.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = _AppExaminer()
    examiner.visit(obj, f"`{name}`" if name else "", None)
    return examiner.finish()


class _AppExaminer(Examiner):
    """One look at an app."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._visited: dict[tuple[int, bool], Any] = {}  # kept, so that no other takes its identity
        self._depth = 0
        self._is_cut_short = False
        self._has_agents = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        if self.rows.originals:
            names = list(dict.fromkeys(self.rows.originals))
            shortened = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            remedy = "originals and their `on_invoke_tool` are not guarded: use only the guarded copies"
            self.rows.add_note(FindingKind.TOOL, shortened, "originals, in the modules that made them", remedy)
        if self._has_agents and not getattr(get_trace_provider(), "_disabled", False):
            remedy = (
                "the SDK sends what is asked and answered to its makers: `set_tracing_disabled(True)`, or a processor "
                "of your own; what a policy masks or holds back is left out"
            )
            self.rows.add_note(FindingKind.STORE, "traces", "every run", remedy)
        if self._is_cut_short:
            remedy = "check its parts: `halo doctor MODULE:PART`"
            self.rows.add(
                FindingKind.NODE, "the rest", "too deep or too large to inspect", "none", FindingStatus.OPEN, remedy
            )
        return sort_findings(self.rows.findings)

    def visit(self, x: Any, where: str, within: GuardMetadata | None) -> None:
        """Look at anything, once."""
        if is_plain_value(x) or is_a(x, *_IGNORED_TYPES):
            return
        key = (id(x), within is not None)
        if key in self._visited:
            return
        if len(self._visited) >= _MAX_OBJECTS or self._depth >= _MAX_DEPTH:
            self._is_cut_short = True
            return
        self._visited[key] = x
        self._depth += 1
        self._has_agents = self._has_agents or is_a(x, AgentBase)
        examine = next((examine for kinds, examine in _EXAMINERS if is_a(x, *kinds)), None)
        if examine is not None:
            examine(self, x, where, within)
        else:
            self.visit_contents(x, where)
        self._depth -= 1

    def visit_contents(self, x: Any, where: str) -> None:
        """What a container, a function or an object of the app's holds, which nothing around it decides."""
        items = get_container_items(x)
        if items is None:
            is_foreign = is_framework_module(get_module_name(x)) and not is_a(x, *_FUNCTION_TYPES)
            items = [] if is_foreign else find_reachable(x)
        for item in items:
            self.visit(item, where, None)
