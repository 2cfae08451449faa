"""Guarded workflows: copies of agents, teams of agents and an application's workflows, with a decision at each entry.

The copy asks guarded models and decides the tool calls of its agents. It grants nothing: a tool that was not guarded
has no grant.

Every agent of a team is entered by a hand-off: the one that was decided for the hand-off tool, else one that is decided
on entry, from the acting agent. So a tool that only writes where the workflow goes next gains nothing. A guarded tool
decides its own calls, an unguarded one is put behind a guard, and a call that reaches no tool is recorded. A denial
becomes an error output, which the model reads.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, cast

from llama_index.core.agent.workflow import AgentWorkflow, CodeActAgent
from llama_index.core.agent.workflow.base_agent import DEFAULT_AGENT_NAME, BaseWorkflowAgent
from llama_index.core.agent.workflow.codeact_agent import EXECUTE_TOOL_NAME
from llama_index.core.agent.workflow.multi_agent_workflow import handoff
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.tools import AsyncBaseTool, BaseTool, FunctionTool, ToolMetadata, ToolOutput
from llama_index.core.workflow import Context, StartEvent, Workflow
from workflows.errors import WorkflowCancelledByUser
from workflows.utils import get_steps_from_class, get_steps_from_instance

from halo_core.enforcement import flow
from halo_core.enforcement.activities import run_activity_scope
from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, register_agent_resource
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.guarded_calls import with_problem
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    attach_guard,
    clean_name,
    get_guard,
    make_unregistered_resource,
    refuse_other_halo,
    refuse_overridden_attributes,
    require_guard,
)
from halo_core.enforcement.mcp_listings import ListedToolGuard
from halo_core.enforcement.session_context import in_body, is_lost_thread
from halo_core.errors import ConfigError, Denied
from halo_core.facade import HandOff
from halo_core.model import ActionKind, Resource
from halo_llamaindex._agent_runs import UnmadeCall, WorkflowPlan, build_handoff_call, get_handle, run_step
from halo_llamaindex._components import guard_memory, guard_swapped_models
from halo_llamaindex._models import guard_model
from halo_llamaindex._pause import LlamaIndexAction, watch_events
from halo_llamaindex._results import extract_message_text
from halo_llamaindex._runs import (
    WorkflowRun,
    current_run_context,
    hand_back_unfinished,
    make_spanless_subclass,
    read_store,
    record_decided_handoff,
    run_context_scope,
)
from halo_llamaindex._serialization import forbid_restoring
from halo_llamaindex._tools import copy_with_guard
from halo_llamaindex._translate import OVERRIDE_REMEDY, build_refusal, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_CALL_TOOL: Final = "_call_tool"
_GET_TOOLS: Final = "get_tools"
_GET_STEPS: Final = "_get_steps"


# calls of tools

InnerCall = Callable[[Any, Any, Any, dict[str, Any]], Awaitable[ToolOutput]]
_HANDOFF_TOOL: Final = "handoff"
"""LlamaIndex keeps this name for its own tool."""
_NEXT_AGENT_KEY: Final = "next_agent"


def is_handoff_tool(tool: Any) -> bool:
    """Whether this is the framework's own hand-off tool, which the name alone does not prove."""
    tool = unwrap_tool(tool)
    function = getattr(tool, "real_fn", None) if type(tool) is FunctionTool else None
    return function is handoff and tool.metadata.name == _HANDOFF_TOOL


def guard_agent_tools(plan: WorkflowPlan, tools: Sequence[Any]) -> list[Any]:
    """Guard all tools of an agent, since the agent's class may call them in its own steps.

    An unguarded tool is not registered, so nobody has granted it: in enforce mode its calls are refused. Tools of an
    agent that was met inside something guarded are decided as undeclared.
    """
    halo: Halo = plan.halo

    def guard_tool(tool: Any) -> Any:
        if is_handoff_tool(tool) or _is_guarded_by(halo, tool):
            return tool
        guard = halo.inner_guards.find_tool_guard(tool) if plan.adopts_tools else None
        if not isinstance(guard, ListedToolGuard):
            return copy_with_guard(halo, tool, None if guard is None else guard.resource)
        make_guard = functools.partial(ListedToolGuard, server=guard.server, listed_name=guard.listed_name)
        return copy_with_guard(halo, tool, guard.resource, make_guard)

    return [guard_tool(tool) for tool in tools]


def _is_guarded_by(halo: Halo, tool: Any) -> bool:
    guard = get_guard(unwrap_tool(tool))
    return guard is not None and guard.halo is halo


def add_missing_tool(tools: Sequence[Any]) -> list[Any]:
    """Add a tool that records the call if the model calls one that the agent does not have."""
    name = current_run_context().called_tool
    if not name or any(tool.metadata.name == name for tool in tools):
        return list(tools)
    return [*tools, MissingTool(name, [str(tool.metadata.name) for tool in tools])]


class MissingTool(AsyncBaseTool):
    """A tool invented by a model."""

    def __init__(self, name: str, available_tools: Sequence[str]) -> None:
        self._metadata = ToolMetadata(description="no such tool", name=name)
        self.available_tools = tuple(available_tools)

    @property
    def metadata(self) -> ToolMetadata:
        """The name given by the model, in the framework's form."""
        return self._metadata

    def call(self, *_args: Any, **_kwargs: Any) -> ToolOutput:
        """Answer as the framework does."""
        name = self._metadata.get_name()
        return ToolOutput(
            content=f"Tool {name} not found. Please select a tool that is available.",
            tool_name=name,
            raw_input={},
            raw_output=None,
            is_error=True,
        )

    async def acall(self, *_args: Any, **_kwargs: Any) -> ToolOutput:
        """Answer as the framework does."""
        return self.call()


async def call_tool(  # noqa: PLR0917  what the framework hands over, and who decides
    plan: WorkflowPlan, inner: InnerCall, workflow: Any, ctx: Any, tool: BaseTool, arguments: dict[str, Any]
) -> ToolOutput:
    """Decide and run one tool call of an agent."""
    halo: Halo = plan.halo
    if isinstance(tool, MissingTool):
        return await _decide_missing_call(halo, tool, arguments)
    if isinstance(workflow, AgentWorkflow) and is_handoff_tool(tool):
        return await flow.arun(_HandOffToolCall(halo, functools.partial(inner, workflow, ctx, tool), ctx, arguments))
    return await inner(workflow, ctx, guard_agent_tools(plan, [tool])[0], arguments)


async def _decide_missing_call(halo: Halo, tool: MissingTool, arguments: Mapping[str, Any]) -> ToolOutput:
    name = tool.metadata.get_name()
    resource = make_unregistered_resource(name, ActionKind.TOOL_CALL)
    call = halo.build_call(resource, arguments, problem="unknown_tool")
    try:
        await flow.arun(UnmadeCall(halo, call, LookupError("no such tool")))
    except Denied as denied:
        names = ", ".join(tool.available_tools)
        return build_refusal(name, arguments, denied, f"the tools are: {names}" if names else "")
    return tool.call()


class _HandOffToolCall(LlamaIndexAction):
    """A call of the hand-off tool, decided as the hand-off itself; after a refusal the giver continues."""

    def __init__(self, halo: Halo, inner: Callable[[Any], Any], ctx: Any, arguments: Mapping[str, Any]) -> None:
        self.halo, self.inner, self.ctx, self.raw_arguments = halo, inner, ctx, arguments
        self.arguments = {"to_agent": arguments.get("to_agent"), "reason": arguments.get("reason", "")}
        agent, reason = self.arguments.values()
        is_valid = isinstance(agent, str) and isinstance(reason, str)
        call = build_handoff_call(
            halo, agent if isinstance(agent, str) else _HANDOFF_TOOL, reason if isinstance(reason, str) else ""
        )
        call = with_problem(call, "" if is_valid else "invalid_arguments")
        super().__init__(halo.enforcer, call, HANDOFF_SURFACE)

    def return_denied(self, denied: Denied) -> ToolOutput:
        """The refusal, for the model to read."""
        return build_refusal(_HANDOFF_TOOL, self.raw_arguments, denied)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  the arguments are not changed
        """Call the tool. INVARIANT: the receiver and the reason that run are the decided ones."""
        return self.inner(self.arguments)

    async def finish(self, ticket: Ticket, result: Any) -> Any:
        """Note which agent the next step may enter, if the tool has named it."""
        agent = self.arguments["to_agent"]
        is_next = isinstance(agent, str) and await read_store(self.ctx, _NEXT_AGENT_KEY) == agent
        if ticket.context is not None and is_next:
            handle = get_handle(self.halo, ticket)
            await record_decided_handoff(self.halo, self.ctx, self.build_call().session, agent, handle)
        return super().finish(ticket, result)


# copies


def _get_plan(workflow: Any) -> WorkflowPlan:
    """How a guarded workflow is entered; raises as `require_guard`."""
    return cast("WorkflowPlan", require_guard(workflow))


def list_entry_points(kind: type[Workflow]) -> list[str]:
    """Methods that a guarded copy of a workflow replaces."""
    overridable = [name for name in (_CALL_TOOL, _GET_TOOLS) if hasattr(kind, name)]
    return ["run", *get_steps_from_class(kind), *overridable]


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[Workflow]) -> type[Workflow]:
    """Subclass that starts the runs, enters the steps and decides the tool calls of a workflow's agents."""
    members: dict[str, Any] = {
        name: _wrap_step(name, getattr(kind, name), is_method=True) for name in get_steps_from_class(kind)
    }
    members |= {name: _wrap_step(name, item, is_method=False) for name, item in kind._step_functions.items()}  # noqa: SLF001  no public way to them
    members["run"] = _wrap_run(kind)
    members[_GET_STEPS] = _wrap_get_steps(kind)
    if hasattr(kind, _CALL_TOOL):
        members |= {_CALL_TOOL: _wrap_call_tool(kind), _GET_TOOLS: _wrap_get_tools(kind)}
    return make_spanless_subclass(kind, members)


def _wrap_step(name: str, function: Callable[..., Any], *, is_method: bool) -> Callable[..., Any]:
    """A step of the class, or a separate function that is a step, as a method."""

    @functools.wraps(function)  # the framework reads its signature and its configuration
    async def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = functools.partial(function, self) if is_method else function
        return await _run_step_function(self, name, bound, args, kwargs)

    if not is_method:  # as the signature of a method, its own would lose the first parameter
        del step.__wrapped__
    return step


async def _run_step_function(workflow: Any, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    # Of the class: to look for the steps of an instance reads all of its attributes, deprecated ones too.
    config = getattr(type(workflow), name)._step_config  # noqa: SLF001  where the framework keeps it
    event_name = config.event_name

    async def step(event: Any) -> Any:
        step_kwargs = {**kwargs, event_name: event} if event_name in kwargs else kwargs
        if asyncio.iscoroutinefunction(inspect.unwrap(getattr(function, "func", function))):
            return await function(*args, **step_kwargs)
        return await asyncio.to_thread(function, *args, **step_kwargs)

    plan = _get_plan(workflow)
    guard_swapped_models(plan.halo, workflow)
    return await run_step(plan, name, step, kwargs.get(event_name))


def _wrap_run(kind: type[Workflow]) -> Callable[..., Any]:
    @functools.wraps(kind.run)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        plan = _get_plan(self)
        if in_body() and plan.own_name and not plan.agent and not plan.is_team:
            self = _name_inner_agent(plan, self)
        ctx = kwargs.get("ctx")
        host_context = ctx if ctx is not None else next((item for item in args if isinstance(item, Context)), None)
        outer_run = current_run_context().run
        user_texts = tuple(_iter_user_texts(args, kwargs))
        # What a tool's body asks an agent is no user's word; nor is it what a thread asks of which nobody knows whose.
        # What a step asks is the user's as far as the user asked for it.
        outermost_texts = user_texts if outer_run is None else outer_run.user_texts
        run = WorkflowRun(
            host_context is not None,
            () if in_body() or is_lost_thread() else outermost_texts,
            user_texts[-1] if user_texts else "",
        )
        if "memory" in kwargs:
            kwargs["memory"] = guard_memory(plan.halo, kwargs["memory"])
        # What a resumed run's model says again may be what was asked for before the run was kept.
        is_resumed = isinstance(host_context, Context) and host_context.is_running
        # Whatever the run around this one is at stays there.
        with (
            run_activity_scope("llamaindex", is_resumed=is_resumed),
            run_context_scope(run=run, called_tool="", call_counter=None),
        ):
            handler = kind.run(self, *args, **kwargs)
            watch_events(run.waits, handler)
            handler._result_task.add_done_callback(functools.partial(_finish_run, plan.halo))  # noqa: SLF001  nothing public
        return handler

    return run


def _name_inner_agent(plan: WorkflowPlan, workflow: Any) -> Any:
    """The agent run by a tool's body, entered under its own name; unchanged if the name is taken."""
    halo: Halo = plan.halo
    name = clean_name(plan.own_name)
    registered = halo.find_registered(name)
    is_taken = registered is not None and registered.kind is not ActionKind.HANDOFF
    if is_taken or name == halo.find_acting_agent():
        return workflow
    named = copy.copy(workflow)
    attach_guard(named, replace(plan, agent=name, resource=register_agent_resource(halo, name)))
    return named


def _finish_run(halo: Halo, result: asyncio.Task[Any]) -> None:
    """Hand back the links of a run that failed or timed out; a cancelled one may be resumed."""
    if not result.cancelled() and not isinstance(result.exception(), WorkflowCancelledByUser | NoneType):
        hand_back_unfinished(halo)


def _iter_user_texts(args: tuple[Any, ...], kwargs: Any) -> Iterable[str]:
    """The texts that the host passed as its user's words."""
    start = kwargs.get("start_event") or next((item for item in args if isinstance(item, StartEvent)), None)
    positional = [item for item in args if not isinstance(item, Context | StartEvent)]
    inputs = [kwargs.get("user_msg"), positional[0] if positional else None]
    history = [kwargs.get("chat_history"), positional[1] if len(positional) > 1 else None]
    if start is not None:
        inputs.append(start.get("user_msg", None))
        history.append(start.get("chat_history", None))
    messages = [item for chat_history in history if isinstance(chat_history, list | tuple) for item in chat_history]
    for item in (*messages, *inputs):
        if isinstance(item, str) and item:
            yield item
        elif isinstance(item, ChatMessage) and item.role == MessageRole.USER and extract_message_text(item):
            yield extract_message_text(item)


def _wrap_call_tool(kind: Any) -> Callable[..., Any]:
    function = getattr(kind, _CALL_TOOL)

    @functools.wraps(function)
    async def _call_tool(self: Any, ctx: Any, tool: Any, tool_input: dict[str, Any]) -> Any:
        return await call_tool(_get_plan(self), function, self, ctx, tool, tool_input)

    return _call_tool


def _wrap_get_steps(kind: Any) -> Callable[..., Any]:
    """The steps of a guarded workflow; steps registered later with its class or the original's are wrapped."""

    @functools.wraps(getattr(kind, _GET_STEPS))
    def _get_steps(self: Any) -> dict[str, Any]:
        guarded_kind = type(self)
        for name, function in {**kind._step_functions, **guarded_kind._step_functions}.items():  # noqa: SLF001  as above
            if not hasattr(guarded_kind, name):
                setattr(guarded_kind, name, _wrap_step(name, function, is_method=False))
        return get_steps_from_instance(self)

    return _get_steps


def _wrap_get_tools(kind: Any) -> Callable[..., Any]:
    function = getattr(kind, _GET_TOOLS)

    @functools.wraps(function)
    async def get_tools(self: Any, *args: Any, **kwargs: Any) -> Any:
        return add_missing_tool(guard_agent_tools(_get_plan(self), await function(self, *args, **kwargs)))

    return get_tools


_CACHED_FIELDS: Final = ("_validation_result", "_broker_config")


def guard_workflow(
    halo: Halo,
    workflow: Workflow,
    *,
    agent: str = "",
    give: Mapping[str, HandOff] | None = None,
    resource: Resource | None = None,
    adopts_tools: bool = False,
) -> Workflow:
    """A guarded copy of a workflow.

    Args:
        halo: who decides.
        workflow: an agent, a team of agents, or a workflow of the app's own.
        agent: the agent that it is as a whole; to run it is then a hand-off to that agent.
        give: how much of its own whoever hands off gives, by agent.
        resource: what `agent` is.
        adopts_tools: whether its unguarded tools are decided as undeclared, not refused.

    Raises:
        ConfigError: another Halo guards it, terms are for nobody in it, or it has entry points of its own.
    """
    guard = get_guard(workflow)
    refuse_other_halo(halo, guard, "workflow")
    if guard is not None:
        if not (agent or give or resource):
            return workflow
        workflow = guard.original
    refuse_overridden_attributes(workflow, list_entry_points(type(workflow)), OVERRIDE_REMEDY)
    agents = workflow.agents if isinstance(workflow, AgentWorkflow) else {}
    is_team = len(agents) > 1
    names = list(agents) if is_team else []
    halo.delegation_terms.set_all(give or {}, {*names, *([agent] if agent else ())}, "of this workflow")
    for name in names:
        register_agent_resource(halo, name)
    if agent:
        register_agent_resource(halo, agent, resource)
    elif resource is not None:
        raise ConfigError(
            "not_an_agent", "a workflow is not a resource", field="resource", remedy="use `agent=` to name its agent"
        )
    guarded: Workflow = _copy_workflow(halo, workflow, adopts_tools=adopts_tools)
    name = agent or getattr(workflow, "name", "") or type(workflow).__name__
    plan = WorkflowPlan(
        halo,
        workflow,
        name,
        find_agent_resource(halo, clean_name(name)),
        HANDOFF_SURFACE,
        is_team=is_team,
        agent=agent,
        prompts=_collect_prompts(workflow, is_team=is_team),
        is_agentic=isinstance(workflow, AgentWorkflow | BaseWorkflowAgent),
        own_name=_find_own_name(workflow),
        adopts_tools=adopts_tools,
    )
    forbid_restoring(guarded)
    attach_guard(guarded, plan)
    return guarded


def _find_own_name(workflow: Workflow) -> str:
    """The agent name given by the application; empty for any other workflow."""
    name = workflow.name if isinstance(workflow, BaseWorkflowAgent) else ""
    return name if name != DEFAULT_AGENT_NAME else ""


def _guard_code_tool(halo: Halo, workflow: CodeActAgent, tool: Any) -> Any:
    """Guard the framework's tool for a code executor; it has a grant only if that function was guarded."""
    registered, function = halo.find_registered(EXECUTE_TOOL_NAME), workflow.code_execute_fn
    runs_code_function = (
        isinstance(tool, FunctionTool)
        and tool.real_fn is function
        # INVARIANT: a grant is of what was guarded, not of whatever has its name.
        and halo.functions_by_tool.get(EXECUTE_TOOL_NAME) == function
    )
    is_code_tool = runs_code_function and tool.metadata.name == EXECUTE_TOOL_NAME and get_guard(tool) is None
    return (
        copy_with_guard(halo, tool, registered)
        if is_code_tool and registered is not None and registered.kind in TOOL_KINDS
        else tool
    )


def _copy_workflow(halo: Halo, workflow: Any, *, adopts_tools: bool) -> Any:
    guarded = copy.copy(workflow)
    kind: type[Workflow] = type(workflow)
    object.__setattr__(guarded, "__class__", _make_guarded_class(kind))
    for name in _CACHED_FIELDS:
        if name in guarded.__dict__:
            guarded.__dict__[name] = None
    if isinstance(workflow, BaseWorkflowAgent):
        guarded.__dict__["llm"] = guard_model(halo, workflow.llm, None, is_part=True)
        if isinstance(workflow, CodeActAgent):
            guarded.__dict__["tools"] = [_guard_code_tool(halo, workflow, tool) for tool in workflow.tools or ()]
    if isinstance(workflow, AgentWorkflow):
        guarded.__dict__["agents"] = {
            name: guard_workflow(halo, item, adopts_tools=adopts_tools) for name, item in workflow.agents.items()
        }
    return guarded


def _collect_prompts(workflow: Any, *, is_team: bool) -> dict[str, str]:
    agents = workflow.agents if isinstance(workflow, AgentWorkflow) else {"": workflow}
    named_agents = agents if is_team else {"": next(iter(agents.values()))}
    prompts = {name: getattr(item, "system_prompt", None) for name, item in named_agents.items()}
    return {name: prompt for name, prompt in prompts.items() if isinstance(prompt, str) and prompt}
