"""`halo doctor` for the OpenAI Agents SDK: what of an app is decided before it runs.

`doctor` follows what objects hold: agents over hand-offs and tools, guardrails, hooks and instructions that are
functions, closures, globals that functions name. What a function makes while it runs it does not see. It runs nothing
of the app's.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

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

from halo_core.doctor.findings import Finding, FindingKind, FindingRows, FindingStatus, sort_findings
from halo_core.doctor.object_graph import (
    ObjectExplorer,
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    iterate_container,
    unwrap,
)
from halo_core.enforcement.guards import GuardMetadata, choose_model_name
from halo_core.facade import HaloBase
from halo_openai_agents._agents import get_handoff_target, get_inner_agent, get_stream_listener
from halo_openai_agents._mcp import find_server_guard
from halo_openai_agents._models import GuardedProvider
from halo_openai_agents._runner import get_watches
from halo_openai_agents._translate import (
    HOSTED_TYPES,
    NATIVE_TYPES,
    find_guard,
    get_display_name,
    is_hosted,
    is_native,
)

_MAX_DEPTH: Final = 80
_MAX_OBJECTS: Final = 50_000
_IGNORED_TYPES: Final = (GuardMetadata, HaloBase, RunState, BaseModel)
_CLIENT_TYPES: Final = (AsyncOpenAI, OpenAI)
_CODE_FIELDS: Final = ("instructions", "input_guardrails", "output_guardrails", "hooks", "tool_use_behavior", "prompt")
"""Fields of an agent that can be code of the app's, which runs beside what is decided."""
_FRAMEWORKS: Final = frozenset((
    "agents", "anyio", "halo_core", "halo_openai_agents", "httpx", "httpx2", "mcp", "openai", "pydantic",
    "pydantic_core", "typing_extensions",
))  # fmt: skip
_EXPLORER: Final = ObjectExplorer(_FRAMEWORKS, frozenset(("agents",)), "halo_openai_agents.demo")


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: an agent, tool, hand-off, model, MCP server, run configuration or function, or a list or dict of these.
        name: what to call it.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = _AppExaminer()
    examiner.visit(obj, f"`{name}`" if name else "")
    return examiner.finish()


class _Rows(FindingRows):
    remedies: ClassVar[Mapping[FindingKind, str]] = {
        FindingKind.AGENT: "use `halo.guard(agent)`, and run the guarded agent",
        FindingKind.HANDOFF: "use `halo.guard(agent)` on the agent that hands off",
        FindingKind.MODEL: "use `halo.guard(model)`, or `halo.guard(agent)` on the agent that has it",
        FindingKind.TOOL: "use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it",
    }

    def add_point(self, kind: FindingKind, name: str, where: str, point: str, hint: str = "") -> None:
        """Add a row about something that is decided at `point`; empty where no guard decides it."""
        if point:
            self.add_closed(kind, name, where, point)
        else:
            self.add_open(kind, name, where, hint, get_watches())

    def add_grant(self, name: str, where: str, halo: Any, resource_id: str) -> None:
        """Add a row about a tool that nobody may use: what is not registered is not granted."""
        if halo.find_registered(resource_id) is None:
            remedy = f"no passport grants it: in enforce mode every call is denied; {self.remedies[FindingKind.TOOL]}"
            self.add_note(FindingKind.TOOL, name, where, remedy)


class _AppExaminer:
    """Examines one app. `within` is the guard of the agent that has the object."""

    def __init__(self) -> None:
        self.rows = _Rows()
        self._visited: dict[tuple[int, bool], Any] = {}  # kept, so that no other takes its identity
        self._depth = 0
        self._is_cut_short = False
        self._has_agents = False

    def finish(self) -> list[Finding]:
        """Return the findings in order, with those about the whole app."""
        self.rows.note_originals("originals and their `on_invoke_tool` are not guarded: use only the guarded copies")
        if self._has_agents and not getattr(get_trace_provider(), "_disabled", False):
            remedy = (
                "the SDK sends what is asked and answered to its makers: `set_tracing_disabled(True)`, or a processor "
                "of your own; what a policy masks or holds back is left out"
            )
            self.rows.add_note(FindingKind.STORE, "traces", "every run", remedy)
        if self._is_cut_short:
            self.rows.add(
                FindingKind.NODE,
                "the rest",
                "too deep or too large to inspect",
                "none",
                FindingStatus.OPEN,
                "check its parts: `halo doctor MODULE:PART`",
            )
        return sort_findings(self.rows.findings)

    # the walk

    def visit(self, x: Any, where: str, within: GuardMetadata | None = None) -> None:
        """Examine any object, once."""
        if is_atomic(x) or is_a(x, *_IGNORED_TYPES):
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
        """Examine what a container, a function or an object of the app refers to; no guard around it decides that."""
        for value in _find_contents(x):
            self.visit(value, where)

    # agents

    def examine_agent(self, agent: Agent[Any], where: str, _within: GuardMetadata | None) -> None:
        """Examine an agent, its parts, and the code that runs beside it."""
        guard = find_guard(agent)
        self.rows.add_point(FindingKind.AGENT, agent.name, where, "guarded agent" if guard is not None else "")
        place = f"{where} > agent `{agent.name}`" if where else f"agent `{agent.name}`"
        for part in (*agent.tools, *agent.mcp_servers):
            self.visit(part, place, guard)
        for item in agent.handoffs:
            if isinstance(item, Handoff):
                self.examine_handoff(item, place, None)
            else:
                self.rows.add_point(FindingKind.HANDOFF, get_display_name(item), place, "")
                self.visit(item, place)
        if isinstance(agent.model, Model):
            self.visit(agent.model, place, guard)
        else:
            point = "the run's provider, which is guarded" if guard is not None else ""
            self.rows.add_point(FindingKind.MODEL, agent.model or "the SDK's default model", place, point)
        for field in _CODE_FIELDS:
            self._examine_companion_code(getattr(agent, field, None), f"{place} > {field.replace('_', ' ')}")

    def _examine_companion_code(self, x: Any, where: str) -> None:
        """Examine code that runs beside an agent; no guard decides what it calls."""
        for item in x if isinstance(x, list) else [x]:
            if is_a(item, dict) and "id" in item:
                remedy = "the provider fills in a stored prompt and its tools: do not put tools into it"
                self.rows.add_note(FindingKind.MODEL, str(item.get("id")), where, remedy)
            elif is_a(item, InputGuardrail, OutputGuardrail):
                self.visit(item.guardrail_function, f"{where} `{item.get_name()}`")
            elif is_a(item, AgentHooksBase, RunHooksBase):
                self.visit_contents(item, where)
            else:
                self.visit(item, where)

    def examine_handoff(self, item: Handoff[Any, Any], where: str, _within: GuardMetadata | None) -> None:
        """Examine a hand-off, and the agent that it leads to."""
        is_guarded = find_guard(item) is not None
        self.rows.add_point(FindingKind.HANDOFF, item.agent_name, where, "guarded hand-off" if is_guarded else "")
        self.visit(get_handoff_target(item), where)
        if not is_guarded:
            self.visit_contents(item.on_invoke_handoff, where)
        self.visit(item.input_filter, where)

    def examine_realtime(self, x: Any, where: str, _within: GuardMetadata | None) -> None:
        """Examine an agent or model of a realtime session, which no runner runs."""
        name, attributes = get_display_name(x), get_attributes(x)
        remedy = "a realtime session talks directly to its provider: guard each of its tools with `halo.guard(tool)`"
        self.rows.add_note(FindingKind.AGENT if is_a(x, AgentBase) else FindingKind.MODEL, name, where, remedy)
        for item in (*attributes.get("tools", ()), *attributes.get("mcp_servers", ())):
            self.visit(item, f"{where} > realtime agent `{name}`")

    # tools

    def examine_tool(self, tool: FunctionTool, where: str, within: GuardMetadata | None) -> None:
        """Examine a function tool, its inner agent, and what its function refers to."""
        guard = find_guard(tool)
        if guard is not None:
            self.rows.add_closed(FindingKind.TOOL, tool.name, where, "guarded copy")
            self.rows.add_grant(tool.name, where, guard.halo, guard.resource.id)
            self.rows.originals.append(tool.name)
        elif within is not None:
            self.rows.add_closed(FindingKind.TOOL, tool.name, where, "guarded agent")
            self.rows.add_grant(tool.name, where, within.halo, tool.qualified_name)
        else:
            self.rows.add_point(FindingKind.TOOL, tool.name, where, "")
        original = tool if guard is None else guard.original
        inner, place = get_inner_agent(tool), f"{where} > tool `{tool.name}`"
        if inner is None:
            # What its function refers to, it calls past the tool's guard.
            self.visit_contents(getattr(original, "__wrapped__", original.on_invoke_tool), place)
            return
        self.visit(inner, place)
        if get_stream_listener(original) is not None:
            remedy = "it receives the inner agent's output before a policy of the tool can withhold it"
            self.rows.add_note(FindingKind.STORE, f"on_stream of `{tool.name}`", where, remedy)

    def examine_other_tool(self, tool: Any, where: str, within: GuardMetadata | None) -> None:
        """Examine a tool that is not a function tool."""
        by_provider = is_hosted(tool)
        hint = "write it as a function tool, and guard that"
        if by_provider:
            hint = "the provider runs it, so it is not decided here: remove it, or guard the agent, which refuses it"
        if within is not None or by_provider or is_native(tool):
            point = "guarded model (refused)" if within is not None else ""
            self.rows.add_point(FindingKind.TOOL, get_display_name(tool), where, point, hint)

    def examine_server(self, server: MCPServer, where: str, _within: GuardMetadata | None) -> None:
        """Examine a local MCP server."""
        name, server_guard = f"tools of MCP server `{server.name}`", find_server_guard(server)
        if server_guard is None:
            hint = "use `halo.guard(server)`, or `halo.guard(agent)`"
            self.rows.add_point(FindingKind.TOOL, name, where, "", hint)
            return
        point = "guarded server" if server_guard.grants else "guarded server, no grants"
        self.rows.add_closed(FindingKind.TOOL, name, where, point)
        remedy = "your own code reads its resources and prompts, not a model: check there what is read"
        self.rows.add_note(FindingKind.STORE, f"resources of MCP server `{server.name}`", where, remedy)
        self.rows.originals.append(server.name)

    # models

    def examine_model(self, model: Model, where: str, _within: GuardMetadata | None) -> None:
        """Examine a model, its client, and a model inside of it."""
        guard, name = find_guard(model), choose_model_name(model)
        point = "guarded copy" if guard is not None else ""
        self.rows.add_point(FindingKind.MODEL, guard.name if guard is not None else name, where, point)
        for item in get_attributes(model).values():
            if is_a(item, *_CLIENT_TYPES):
                self.examine_client(item, f"{where} > model `{name}`", None)
            elif is_a(item, Model):
                self.visit(item, f"{where} > model `{name}`", guard)

    def examine_client(self, client: Any, where: str, _within: GuardMetadata | None) -> None:
        """Examine a provider's own client."""
        remedy = "calls of your own code through it are not decided: use the guarded model"
        self.rows.add_note(FindingKind.MODEL, type(client).__name__, where or "a client", remedy)

    def examine_compacting_session(self, session: Any, where: str, _within: GuardMetadata | None) -> None:
        """Examine a session whose provider compacts its content."""
        remedy = "it calls a model without a guard, with the whole content of the session: use a plain session"
        self.rows.add_note(FindingKind.MODEL, type(session).__name__, where or "a session", remedy)

    def examine_provider(self, _provider: GuardedProvider, where: str, _within: GuardMetadata | None) -> None:
        """Examine a guarded provider."""
        self.rows.add_closed(FindingKind.MODEL, "models by name", where, "guarded provider")

    def examine_run_config(self, config: RunConfig, where: str, _within: GuardMetadata | None) -> None:
        """Examine a run configuration."""
        for x in (config.model, config.input_guardrails, config.output_guardrails, config.call_model_input_filter):
            self._examine_companion_code(x, where)
        if is_a(config.model_provider, GuardedProvider):
            self.visit(config.model_provider, where)
        elif isinstance(config.model, str):
            hint = "pass it through `halo.run_options(run_config=...)`"
            self.rows.add_point(FindingKind.MODEL, "models by name", where, "", hint)


_EXAMINERS: Final[
    tuple[tuple[tuple[type[Any], ...], Callable[[_AppExaminer, Any, str, GuardMetadata | None], None]], ...]
] = (
    ((RealtimeAgent, RealtimeModel), _AppExaminer.examine_realtime),
    ((AgentBase,), _AppExaminer.examine_agent),
    ((FunctionTool,), _AppExaminer.examine_tool),
    ((*HOSTED_TYPES, *NATIVE_TYPES), _AppExaminer.examine_other_tool),
    ((Handoff,), _AppExaminer.examine_handoff),
    ((Model,), _AppExaminer.examine_model),
    ((MCPServer,), _AppExaminer.examine_server),
    ((RunConfig,), _AppExaminer.examine_run_config),
    ((GuardedProvider,), _AppExaminer.examine_provider),
    (_CLIENT_TYPES, _AppExaminer.examine_client),
    ((OpenAIResponsesCompactionSession,), _AppExaminer.examine_compacting_session),
)


def _find_contents(x: Any) -> Iterable[Any]:
    items = iterate_container(x)
    if items is not None:
        return [value for _, value in items]
    function, extras = unwrap(x)
    if is_a(function, types.FunctionType):
        return [*(value for _, value in extras), *(value for _, value, _ in _EXPLORER.iterate_captured(function))]
    if is_a(x, types.ModuleType) or _EXPLORER.is_framework_module(get_module_name(x)):
        return ()
    attributes = () if is_a(x, type) else _EXPLORER.iterate_contents(x)
    members = _EXPLORER.iterate_members(x if is_a(x, type) else type(x))
    return [value for _, value in (*attributes, *members)]
