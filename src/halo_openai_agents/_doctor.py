"""`halo doctor` for the OpenAI Agents SDK: which parts of an application are decided before they run.

`doctor` follows references: agents over hand-offs and tools, guardrails, hooks and instructions that are functions,
closures, and globals that functions name. It runs nothing of the application, so it does not see what a function
creates at run time; an agent that is started inside a guarded run is guarded there.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from agents import FunctionTool, Handoff, Model, RunConfig, RunState
from agents.agent import AgentBase
from agents.guardrail import InputGuardrail, OutputGuardrail
from agents.mcp import MCPServer
from agents.memory import OpenAIResponsesCompactionSession
from agents.realtime import RealtimeAgent, RealtimeModel
from agents.tracing import get_trace_provider
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from halo_core.doctor import (
    DECIDED_BODY,
    IGNORED_TYPES,
    NO_COVER,
    Cover,
    Examiner,
    Finding,
    FindingKind,
    find_tripwire_point,
    get_body_cover,
    join_place,
)
from halo_core.enforcement.guards import choose_model_name, require_guard
from halo_core.object_graph import ObjectExplorer, get_attributes, get_module_name, is_a
from halo_openai_agents._agents import get_inner_agent, get_stream_listener
from halo_openai_agents._handoffs import get_handoff_target, has_input_callback
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

_CLIENT_TYPES: Final = (AsyncOpenAI, OpenAI)
CODE_FIELDS: Final = ("instructions", "input_guardrails", "output_guardrails", "hooks", "tool_use_behavior", "prompt")
"""Fields of an agent that can be code of the app's, which runs beside what is decided."""
_STARTED_POINT: Final = "guarded run (guarded where it starts)"
"""What decides an agent that code inside a guarded run starts by itself, in its own tasks or threads of the SDK."""


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: an agent, tool, hand-off, model, MCP server, run configuration or function, or a list or dict of these.
        name: what to call it.

    Returns:
        Findings, open ones first. Empty if there is nothing that Halo knows.
    """
    return AppExaminer(name).examine_app(obj)


class AppExaminer(Examiner):
    """One examination of an SDK app. An object has the cover of the agent that has it."""

    explorer = ObjectExplorer("halo_openai_agents", frozenset(("agents",)), frozenset(("httpx2", "mcp", "openai")))
    ignored_types = (*IGNORED_TYPES, RunState, BaseModel)
    remedies: ClassVar = {
        FindingKind.AGENT: "use `halo.guard(agent)`, and run the guarded agent",
        FindingKind.HANDOFF: "use `halo.guard(agent)` on the agent that hands off",
        FindingKind.MODEL: "use `halo.guard(model)`, or `halo.guard(agent)` on the agent that has it",
        FindingKind.TOOL: "use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it",
    }
    originals_remedy = "originals and their `on_invoke_tool` are not guarded: use only the guarded copies"

    def add_rows_of_whole(self) -> None:
        """Add a row about the data that the SDK sends to its makers."""
        has_agents = any(item.kind is FindingKind.AGENT for item in self.findings)
        if has_agents and not getattr(get_trace_provider(), "_disabled", False):
            remedy = (
                "the SDK sends what is asked and answered to its makers: `set_tracing_disabled(True)`, or a processor "
                "of your own; what a policy masks or holds back is left out"
            )
            self.add_note(FindingKind.STORE, "traces", "every run", remedy)

    def is_opaque(self, obj: Any) -> bool:
        """Whether an object of the SDK or its dependencies is examined only by its type."""
        return self.explorer.is_framework_module(get_module_name(obj))

    def get_contents_cover(self, obj: Any, cover: Cover) -> Cover:  # noqa: ARG002  the form of the base
        """The cover inside an object of the app: only runs that it starts are decided."""
        return get_body_cover(cover)

    def find_watch_point(self, kind: FindingKind) -> str:  # noqa: ARG002  the form of the base
        """The tripwire, which refuses whatever a runner runs."""
        return find_tripwire_point(get_watches())

    # agents

    def examine_agent(self, agent: Any, where: str, cover: Cover) -> None:
        """Examine an agent, its parts, and the code that runs beside it.

        One that code inside a guarded run starts by itself is guarded there.
        """
        guard, place = find_guard(agent), join_place(where, "agent", agent.name)
        is_started = guard is None and cover.is_decided
        cover = Cover("guarded agent", halo=guard.halo) if guard is not None else NO_COVER
        cover = Cover(_STARTED_POINT) if is_started else cover
        self.add_point(FindingKind.AGENT, agent.name, where, cover.point)
        for part in (*agent.tools, *agent.mcp_servers):
            self.visit(part, place, cover)
        for item in agent.handoffs:
            if isinstance(item, Handoff):
                self.examine_handoff(item, place, DECIDED_BODY if is_started else NO_COVER)
            else:
                self.add_point(FindingKind.HANDOFF, get_display_name(item), place, cover.point if is_started else "")
                self.visit(item, place, DECIDED_BODY if is_started else NO_COVER)
        if isinstance(agent.model, Model):
            self.visit(agent.model, place, DECIDED_BODY if is_started else cover)
        else:
            point = "the run's provider, which is guarded" if cover.point else ""
            self.add_point(FindingKind.MODEL, agent.model or "the SDK's default model", place, point)
        for field in CODE_FIELDS:
            code = getattr(agent, field, None)
            self.visit(code, f"{place} > {field.replace('_', ' ')}", DECIDED_BODY if cover.point else NO_COVER)
        prompt = getattr(agent, "prompt", None)
        if isinstance(prompt, dict) and "id" in prompt:
            remedy = (
                "the provider fills in a stored prompt, and its tools: the first call asks a person; accept it "
                "only if it has no tools"
            )
            self.add_note(FindingKind.MODEL, str(prompt.get("id")), f"{place} > prompt", remedy)

    def examine_handoff(self, item: Handoff[Any, Any], where: str, cover: Cover) -> None:
        """Examine a hand-off and its target agent."""
        is_guarded, body = find_guard(item) is not None, get_body_cover(cover)
        point = "guarded hand-off" if is_guarded else _STARTED_POINT if cover.is_decided else ""
        self.add_point(FindingKind.HANDOFF, item.agent_name, where, point)
        guard = find_guard(item)
        if guard is not None and guard.halo.find_registered(guard.name) is None:
            self.add_ungranted(FindingKind.HANDOFF, item.agent_name, where)
        self.visit(get_handoff_target(item), where, body)
        if not is_guarded:
            self.visit(item.on_invoke_handoff, where, body)
        elif has_input_callback(require_guard(item).original):
            self.add_point(FindingKind.TOOL, f"callback of `{item.tool_name}`", where, "guarded hand-off")
        self.visit(item.input_filter, where, DECIDED_BODY if is_guarded else body)

    def examine_guardrail(self, item: InputGuardrail[Any] | OutputGuardrail[Any], where: str, cover: Cover) -> None:
        """Examine a guardrail: of its function's calls, only runs that it starts are decided."""
        self.visit(item.guardrail_function, f"{where} `{item.get_name()}`", get_body_cover(cover))

    def examine_realtime(self, obj: Any, where: str, _cover: Cover) -> None:
        """Examine an agent or model of a realtime session, which no runner runs."""
        name, attributes = get_display_name(obj), get_attributes(obj)
        remedy = "a realtime session talks directly to its provider: guard each of its tools with `halo.guard(tool)`"
        self.add_note(FindingKind.AGENT if is_a(obj, AgentBase) else FindingKind.MODEL, name, where, remedy)
        for item in (*attributes.get("tools", ()), *attributes.get("mcp_servers", ())):
            self.visit(item, join_place(where, "realtime agent", name))

    # tools

    def examine_tool(self, tool: FunctionTool, where: str, cover: Cover) -> None:
        """Examine a function tool, its inner agent, and what its function refers to.

        One that code inside a guarded run calls by itself is guarded there.
        """
        guard = find_guard(tool)
        if guard is None and cover.is_decided:
            cover = Cover(_STARTED_POINT)
        point, halo, resource_id = cover.point, cover.halo, tool.qualified_name
        if guard is not None:
            point, halo, resource_id = "guarded copy", guard.halo, guard.resource.id
            self.originals.append(tool.name)
        self.add_point(FindingKind.TOOL, tool.name, where, point)
        # A declaration grants nothing here: what is not registered is never registered by a call.
        if halo is not None and halo.find_registered(resource_id) is None:
            self.add_ungranted(FindingKind.TOOL, tool.name, where)
        original = tool if guard is None else guard.original
        inner, place = get_inner_agent(tool), join_place(where, "tool", tool.name)
        if inner is None:
            # What its function refers to, it calls past the tool's guard; but a run that it starts is seen.
            body = DECIDED_BODY if cover.point else NO_COVER
            self.visit(getattr(original, "__wrapped__", original.on_invoke_tool), place, body)
            return
        self.visit(inner, place, DECIDED_BODY if cover.point == _STARTED_POINT else NO_COVER)
        if get_stream_listener(original) is not None:
            remedy = "it receives the inner agent's output before a policy of the tool can withhold it"
            self.add_note(FindingKind.STORE, f"on_stream of `{tool.name}`", where, remedy)

    def examine_other_tool(self, tool: Any, where: str, cover: Cover) -> None:
        """Examine a tool that is not a function tool."""
        if find_guard(tool) is not None:
            self.add_point(FindingKind.TOOL, get_display_name(tool), where, "guarded copy")
            return
        by_provider, is_refused = is_hosted(tool), cover.halo is not None
        hint = "use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it"
        if by_provider:
            hint = "the provider runs it, so it is not decided here: remove it, or guard the agent, which refuses it"
        if is_refused or by_provider or is_native(tool):
            point = "guarded model (refused)" if is_refused else ""
            self.add_point(FindingKind.TOOL, get_display_name(tool), where, point, hint)

    def examine_server(self, server: MCPServer, where: str, _cover: Cover) -> None:
        """Report a local MCP server: what guards its tools; its resources and prompts are not decided."""
        name, guard = f"tools of MCP server `{server.name}`", find_server_guard(server)
        if guard is None:
            self.add_point(FindingKind.TOOL, name, where, "", "use `halo.guard(server)`, or `halo.guard(agent)`")
            return
        self.add_point(FindingKind.TOOL, name, where, "guarded server" if guard.grants else "guarded server, no grants")
        remedy = "your own code reads its resources and prompts, not a model: check there what is read"
        self.add_note(FindingKind.STORE, f"resources of MCP server `{server.name}`", where, remedy)
        self.originals.append(server.name)

    # models

    def examine_model(self, model: Model, where: str, cover: Cover) -> None:
        """Report a model, its client, and its inner model; code of a guarded run asks a guarded copy."""
        guard, name = find_guard(model), choose_model_name(model)
        place = join_place(where, "model", name)
        if guard is not None:
            self.add_point(FindingKind.MODEL, guard.name, where, "guarded copy")
        else:
            self.add_point(FindingKind.MODEL, name, where, _STARTED_POINT if cover.is_decided else "")
        for item in get_attributes(model).values():
            if is_a(item, *_CLIENT_TYPES):
                self.examine_client(item, place, NO_COVER)
            elif is_a(item, Model):
                self.visit(item, place)

    def examine_client(self, client: Any, where: str, _cover: Cover) -> None:
        """Note a provider's own client, whose calls are not decided."""
        remedy = "calls of your own code through it are not decided: use the guarded model"
        self.add_note(FindingKind.MODEL, type(client).__name__, where or "a client", remedy)

    def examine_compacting_session(self, session: Any, where: str, _cover: Cover) -> None:
        """Note a session whose provider compacts its content outside any guard."""
        remedy = "it calls a model without a guard, with the whole content of the session: use a plain session"
        self.add_note(FindingKind.MODEL, type(session).__name__, where or "a session", remedy)

    def examine_provider(self, _provider: GuardedProvider, where: str, _cover: Cover) -> None:
        """Report a guarded provider, which decides models requested by name."""
        self.add_point(FindingKind.MODEL, "models by name", where, "guarded provider")

    def examine_run_config(self, config: RunConfig, where: str, _cover: Cover) -> None:
        """Examine the model, provider and guardrails in a run configuration."""
        for x in (config.model, config.input_guardrails, config.output_guardrails, config.call_model_input_filter):
            self.visit(x, where)
        if is_a(config.model_provider, GuardedProvider):
            self.visit(config.model_provider, where)
        elif isinstance(config.model, str):
            hint = "pass it through `halo.run_options(run_config=...)`"
            self.add_point(FindingKind.MODEL, "models by name", where, "", hint)

    examiners = (
        ((RealtimeAgent, RealtimeModel), examine_realtime),
        ((AgentBase,), examine_agent),
        ((FunctionTool,), examine_tool),
        ((*HOSTED_TYPES, *NATIVE_TYPES), examine_other_tool),
        ((Handoff,), examine_handoff),
        ((InputGuardrail, OutputGuardrail), examine_guardrail),
        ((Model,), examine_model),
        ((MCPServer,), examine_server),
        ((RunConfig,), examine_run_config),
        ((GuardedProvider,), examine_provider),
        (_CLIENT_TYPES, examine_client),
        ((OpenAIResponsesCompactionSession,), examine_compacting_session),
    )
