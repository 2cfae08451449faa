"""Guarded copies of function tools, and their calls as actions of the one flow.

A copy's `on_invoke_tool` is wrapped below the SDK's own handling of errors, which stays as it is in the original; the
function behind it (`__wrapped__`) is decided too. In a run whose state the host keeps, the copy asks for the SDK's
approval where the decision is a challenge (`make_pausing_copy`).

Inside a run, a refusal is the tool's result, which the model reads; a direct caller gets it as an exception. A call of
a tool that an MCP server runs is decided here, and may pass the server's own guard once, with the same arguments.
"""

from __future__ import annotations

import copy
import inspect
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, RunConfig, RunContextWrapper
from agents import tool as sdk
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.tool_context import ToolContext
from agents.tracing import FunctionSpanData, get_current_span
from agents.util._approvals import evaluate_function_tool_approval

from halo_core.enforcement.arguments import BoundArguments, read_signature, same_value, to_json_value
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import (
    GuardedCall,
    build_guarded_call,
    is_enforced,
    make_governed_method,
)
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    GuardMetadata,
    UnregisteredGuard,
    clean_name,
    make_unregistered_resource,
)
from halo_core.enforcement.reversals import Reverser
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope
from halo_core.errors import Denied, Pending
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_openai_agents._pause import store_pending
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import AgentRun, EarlyDecision, current_run, enclosing_value, find_run, step_scope
from halo_openai_agents._translate import (
    ArgumentReader,
    FunctionBinder,
    ModelArguments,
    attach_to_invoker,
    find_guard,
    tool_schema,
)

if TYPE_CHECKING:
    from halo_openai_agents import Halo

# calls

InvokeFunction = Callable[[Any, str], Awaitable[Any]]
_CLAIM_LOCK: Final = threading.Lock()


class DirectCallDenied(BaseException):
    """Carries a denial to a direct caller, bypassing the SDK's handling of tool errors."""

    def __init__(self, denied: Denied) -> None:
        super().__init__()
        self.denied = denied


async def _raise_denial(result: Awaitable[Any]) -> Any:
    """Await a result, and raise a direct caller's denial unchanged, outside the handler."""
    try:
        return await result
    except DirectCallDenied as refused:
        denied = refused.denied
    raise denied


async def run_guarded_call(
    guard: GuardMetadata, name: str, arguments: ModelArguments, invoke: InvokeFunction, context: Any
) -> Any:
    """Decide a call, run it with the decided arguments, record it; `name` is the running tool's.

    Raises:
        DirectCallDenied: it may not run, and was called directly.
    """
    by_runner, halo = is_called_by_runner(name, context), guard.halo
    agent = _find_acting_agent(halo, context)
    try:
        if agent:
            async with halo.agent_scope(agent, give=halo.delegation_terms.get(agent)):
                return await _run_or_refuse(_ToolCall(guard, arguments, invoke, context, None, by_runner=by_runner))
        run = current_run(halo)
        if run is None:
            return await _run_or_refuse(_ToolCall(guard, arguments, invoke, context, None, by_runner=by_runner))
        with run.step_scope():
            return await _run_or_refuse(_ToolCall(guard, arguments, invoke, context, run, by_runner=by_runner))
    except Denied as denied:  # whose call it is may not act here
        return _refuse(denied, by_runner=by_runner)


async def _run_or_refuse(action: _ToolCall) -> Any:
    try:
        return await arun(action)
    except Denied as denied:  # of something guarded inside too, an agent's entry say
        return _refuse(denied, by_runner=action.by_runner)


def _refuse(denied: Denied, *, by_runner: bool) -> str:
    if not by_runner:
        raise DirectCallDenied(denied) from None
    return str(denied)


class _ToolCall(GovernedAction[Any]):
    """A call of a tool as the SDK invokes it.

    Args:
        guard: guard of the tool.
        arguments: arguments as the model wrote them.
        invoke: what runs.
        context: the SDK's, of this call.
        run: the run in which it is made; None outside ours.
        by_runner: whether the runner makes it, so that it may have been decided before.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        arguments: ModelArguments,
        invoke: InvokeFunction,
        context: Any,
        run: AgentRun | None,
        *,
        by_runner: bool,
    ) -> None:
        self.guard = guard
        self.arguments = arguments
        self.invoke = invoke
        self.context = self.outer_context = context
        self.text = arguments.text
        self.call_id = str(getattr(context, "tool_call_id", "") or "")
        self.by_runner = by_runner
        decision = None
        if run is not None and by_runner:
            values = arguments.bound_arguments.decision_values
            decision = run.take_early_decision(self.call_id, guard.original, values)
        super().__init__(guard.halo.enforcer, None, guard.surface, decision=decision)

    def build_call(self) -> Call:
        return build_guarded_call(self.guard, self.arguments.bound_arguments, self.call_id)

    def return_denied(self, denied: Denied) -> Any:
        """Return the earlier result of the same call, since a state may be resumed twice."""
        return super().return_denied(denied) if denied.earlier is None else denied.earlier

    def scope(self, ticket: Ticket) -> AbstractContextManager[None]:
        if is_enforced(ticket):  # in observe mode the function itself refuses what does not fit
            self._put_decided_arguments(ticket)
        return _server_call_scope(self.guard, ticket, self.context)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        return self.invoke(self.context, self.text)

    def finish(self, ticket: Ticket, result: Any) -> Any:
        """Record the result, or a pause if the inner agent waits for an answer."""
        if isinstance(self.outer_context, ToolContext):
            # What the SDK keeps beside a result, in its items and states: nothing, where the result is restricted.
            custom_data = None if ticket.holds_output else getattr(self.context, "_custom_data", None)
            self.outer_context._custom_data = custom_data  # noqa: SLF001  the SDK's only place for it
        if self._is_inner_agent_waiting():
            ticket.pause(RuntimeError("the agent inside waits for an answer"))
            return result
        return super().finish(ticket, result)

    def _is_inner_agent_waiting(self) -> bool:
        tool_call = getattr(self.context, "tool_call", None)
        if not self.guard.original._is_agent_tool or tool_call is None:  # noqa: SLF001  the SDK's mark of an agent as a tool
            return False
        inner_result = peek_agent_tool_run_result(tool_call, scope_id=get_agent_tool_state_scope(self.context))
        return bool(getattr(inner_result, "interruptions", None))

    def _put_decided_arguments(self, ticket: Ticket) -> None:
        """Put the decided arguments into the context and the JSON to run with.

        Raises:
            Denied: the tool would read something else in the JSON than may run.
        """
        text = self.arguments.to_executed_json(ticket)
        if text is not self.text:
            self.context = _make_changed_context(self.context, self.text, text)
            self.text = text
        prepared = self.arguments.prepare_values(ticket, text) if isinstance(self.context, ToolContext) else None
        if prepared is not None:
            self.context._function_tool_arguments = prepared  # noqa: SLF001  where the SDK keeps what it has validated
        elif not self.arguments.matches_decision(ticket, text):
            raise Denied(
                "invalid_arguments", "deny: the arguments as changed by the policy cannot be passed to this tool"
            )


class FunctionCall(GuardedCall):
    """A call of the function behind a tool."""

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        return (IN_BODY, True), enclosing_value(self.guard.halo)


def _make_changed_context(context: Any, text: str, changed_text: str) -> Any:
    """A context with the decided arguments everywhere that a tool could read them."""
    span = get_current_span()
    if span is not None and isinstance(span.span_data, FunctionSpanData) and span.span_data.input == text:
        span.span_data.input = changed_text  # the SDK's trace of the call shows what ran
    if not isinstance(context, ToolContext):
        return context
    tool_call = context.tool_call
    return ToolContext.from_agent_context(
        context,
        context.tool_call_id,
        tool_call=tool_call.model_copy(update={"arguments": changed_text}) if tool_call is not None else None,
        agent=context.agent,
        tool_name=context.tool_name,
        tool_arguments=changed_text,
        tool_namespace=context.tool_namespace,
        run_config=context.run_config,
    )


_RUNNING_CALLS: Final[ContextVar[frozenset[tuple[str, str]]]] = ContextVar(
    "halo_openai_agents_running_calls", default=frozenset()
)
"""Name and id of each call whose body runs around this code."""


def _identify_call(context: Any) -> tuple[str, str]:
    return str(getattr(context, "tool_name", "")), str(getattr(context, "tool_call_id", ""))


def is_called_by_runner(name: str, context: Any) -> bool:
    """Whether the runner calls a tool with this name, and not code that holds a reference to it.

    INVARIANT: a body that hands its own context to another tool is no runner, whatever that tool is called.
    """
    return (
        isinstance(context, ToolContext)
        and isinstance(context.run_config, RunConfig)
        and context.tool_call is not None
        and context.tool_name == name
        and _identify_call(context) not in _RUNNING_CALLS.get()
    )


def _find_acting_agent(halo: Any, context: Any) -> str:
    """The agent named by the SDK in a run that our runner did not begin; empty if the current run knows it."""
    agent = getattr(context, "agent", None)
    agent_guard = find_guard(agent) if agent is not None and find_run(halo, context) is None else None
    return agent_guard.name if agent_guard is not None and agent_guard.halo is halo else ""


# decisions


async def decide_early(
    guard: GuardMetadata, bound_arguments: BoundArguments, run: AgentRun, call_id: str
) -> Ticket | Denied:
    """Decide a call before the SDK invokes the tool, and keep the decision."""
    values = bound_arguments.decision_values
    decision = run.take_early_decision(call_id, guard.original, values)
    if decision is None:
        with run.step_scope():
            call = build_guarded_call(guard, bound_arguments, call_id)
        try:
            decision = await guard.halo.enforcer.abegin(call)
        except Denied as denied:
            decision = denied
    if not isinstance(decision, Pending):
        run.early_decisions[call_id] = EarlyDecision(guard.original, dict(values), decision)
    return decision


# tools that a server runs


@dataclass(slots=True, eq=False)
class _DecidedServerCall:
    halo: object
    name: str
    args: Mapping[str, Any]
    is_open: bool = True


_SERVER_CALL: Final[ContextVar[_DecidedServerCall | None]] = ContextVar("halo_openai_agents_passing", default=None)


class _server_call_scope(ContextVarScope):  # noqa: N801  used as a function
    """Run a tool's body with a decision that one call of the tool's server may use, if it has a server."""

    __slots__ = ("_call",)

    def __init__(self, guard: GuardMetadata, ticket: Ticket, context: Any) -> None:
        tool: FunctionTool = guard.original
        binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
        self._call = _DecidedServerCall(guard.halo, binding[1], ticket.args) if binding is not None else None
        running = (_RUNNING_CALLS, _RUNNING_CALLS.get() | {_identify_call(context)})
        super().__init__((IN_BODY, True), enclosing_value(guard.halo), (_SERVER_CALL, self._call), running)

    def __exit__(self, *_exc: object) -> None:
        if self._call is not None:
            self._call.is_open = False  # tasks that were started inside hold it too
        super().__exit__()


def claim_server_call(halo: object, name: str, args: Mapping[str, Any]) -> bool:
    """Whether this call of a server is the decided one; only one call can claim a decision."""
    server_call = _SERVER_CALL.get()
    if server_call is None or server_call.halo is not halo or server_call.name != name:
        return False
    # INVARIANT: one decision lets one call with the same arguments pass.
    with _CLAIM_LOCK:
        if not server_call.is_open or not same_value(to_json_value(dict(args)), dict(server_call.args)):
            return False
        server_call.is_open = False
    return True


# copies

_PREPARE_MARK: Final = "__agents_prepare_arguments__"
_SYNC_MARK: Final = sdk._SYNC_FUNCTION_TOOL_MARKER  # noqa: SLF001  the SDK's own marks, which a copy must carry on
_WRAPPED_MARK: Final = sdk._FUNCTION_TOOL_WRAPPED_CALLABLE_MARKER  # noqa: SLF001  as above
_BIND_MARK: Final = "__agents_bind_function_tool__"  # the SDK's: what invokes a copy of a tool


class _GuardedInvoker(sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  what `function_tool` makes
    """The SDK's invoker, except that it lets a direct call's denial through."""

    rebuild: Callable[[FunctionTool], Any]  # the same for a copy of the tool

    async def __call__(self, ctx: ToolContext[Any], input: str) -> Any:  # noqa: A002  the SDK's names
        """Invoke the tool; raises `Denied` if it was called directly and may not run."""
        return await _raise_denial(super().__call__(ctx, input))

    def __agents_bind_function_tool__(self, function_tool: FunctionTool) -> _GuardedInvoker:
        """Bind to a copy of the tool, as the SDK's invoker does: it handles errors by its own settings."""
        if self._function_tool is function_tool:
            return self
        rebuilt: _GuardedInvoker = self.rebuild(function_tool)
        return rebuilt


_AGENT_TOOL_RESOURCE: Final = Resource(impact=Impact.WRITE, reversal=Reversal.UNDO, classified="guessed")
"""An agent as a tool that nobody declared: it only starts the agent, whose own acts are decided one by one."""


def list_parts(tool: FunctionTool) -> Any:
    """The parts that distinguish a tool from another with its name: its function, inner agent, or invoker."""
    function = get_tool_function(tool)
    inner = getattr(function, "_invoke_tool_impl", None)
    agent = tool._agent_instance if tool._is_agent_tool else None  # noqa: SLF001  the SDK's only mark of one
    return agent or getattr(inner, _WRAPPED_MARK, None) or function


def guard_tool(
    halo: Halo,
    tool: FunctionTool,
    resource: Resource | None,
    *,
    is_sighting: bool = False,
    reverser: Reverser | None = None,
) -> FunctionTool:
    """Register a tool and return its guarded copy.

    Args:
        halo: who decides.
        tool: the tool to guard.
        resource: what it is; guessed where not given.
        is_sighting: whether nobody asked for it: the tool was met as it ran.
        reverser: how its effects are taken back.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    guard = find_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None and reverser is None:
            return tool
        tool = guard.original
    if resource is None and tool._is_agent_tool and halo.find_declared(get_resource_id(tool), *TOOL_KINDS) is None:  # noqa: SLF001  as above
        resource = _AGENT_TOOL_RESOURCE
    name, schema = get_resource_id(tool), build_schema(tool)
    registered = halo.register_tool(name, resource, tool.description, schema, reverser=reverser)
    if not is_sighting:
        halo.originals.note(registered.id, tool)
    inner = getattr(tool.on_invoke_tool, "_invoke_tool_impl", None)
    halo.register_runner(registered, getattr(inner, _WRAPPED_MARK, None))
    return copy_with_guard(halo, tool, registered)


def get_resource_id(tool: FunctionTool) -> str:
    """The id of a tool without an explicit one: its name, unless its inner agent has that."""
    name, agent = tool.qualified_name, tool._agent_instance if tool._is_agent_tool else None  # noqa: SLF001  as above
    return f"{name}.as_tool" if agent is not None and clean_name(agent.name) == name else name


def build_schema(tool: FunctionTool) -> dict[str, Any]:
    """The schema of a tool's arguments, under its function's parameter names, which are decided."""
    schema, names = tool_schema(tool), ArgumentReader.for_tool(tool).get_parameter_names()
    required = [names.get(key, key) for key in schema.get("required", [])]
    return {
        **schema,
        "properties": {names.get(key, key): spec for key, spec in schema["properties"].items()},
        **({"required": required} if required else {}),
    }


def get_argument_names(tool: FunctionTool) -> list[str]:
    """Names of a tool's decided arguments."""
    return sorted(build_schema(tool)["properties"])


def copy_with_guard(
    halo: Halo,
    tool: FunctionTool,
    resource: Resource | None = None,
    make_guard: Callable[..., GuardMetadata] | None = None,
) -> FunctionTool:
    """Copy a tool with a guard; without a resource it is unregistered, whatever else has its name."""
    known_resource = resource or make_unregistered_resource(get_resource_id(tool), ActionKind.TOOL_CALL)
    kind = GuardMetadata if halo.find_registered(known_resource.id) == known_resource else UnregisteredGuard
    guard = (make_guard or kind)(halo, tool, tool.name, known_resource, TOOL_RESULT_SURFACE)
    guarded = copy.copy(tool)
    guarded.on_invoke_tool = make_invoker(guard, guarded, ArgumentReader.for_tool(tool), prepares=True)
    return guarded


def get_tool_function(tool: FunctionTool) -> Callable[..., Any]:
    """The function of a tool; code inside a guarded run gets one whose calls are decided."""
    function: Callable[..., Any] = tool.__dict__.get("on_invoke_tool") or tool.on_invoke_tool
    return function


def make_invoker(guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader, *, prepares: bool) -> Any:
    """Make the tool's invoker; it handles errors like the original."""
    original: FunctionTool = guard.original
    original_invoker = original.on_invoke_tool
    if not isinstance(original_invoker, sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  as above
        return _make_plain_invoker(guard, tool, reader)
    inner = original_invoker._invoke_tool_impl  # noqa: SLF001  as above: below its handling of errors

    async def impl(context: ToolContext[Any], text: str) -> Any:
        return await run_guarded_call(guard, tool.name, reader.parse_text(text), inner, context)

    if prepares and hasattr(inner, _PREPARE_MARK):
        setattr(impl, _PREPARE_MARK, getattr(inner, _PREPARE_MARK))
    wrapped = getattr(inner, _WRAPPED_MARK, None)
    if callable(wrapped):
        setattr(impl, _WRAPPED_MARK, _wrap_function(guard, wrapped))
    guarded_invoker = _GuardedInvoker(impl, original_invoker._on_handled_error, function_tool=tool)  # noqa: SLF001  as above
    guarded_invoker.rebuild = lambda copied_tool: make_invoker(guard, copied_tool, reader, prepares=prepares)
    attach_to_invoker(guarded_invoker, guard)
    if getattr(original_invoker, _SYNC_MARK, False):
        setattr(guarded_invoker, _SYNC_MARK, True)
    return guarded_invoker


def _make_plain_invoker(
    guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader
) -> Callable[[ToolContext[Any], str], Awaitable[Any]]:
    original: FunctionTool = guard.original
    function = get_tool_function(original)

    async def inner(context: Any, text: str) -> Any:
        if isinstance(context, ToolContext):
            context = sdk._get_function_tool_invoke_context(original, context)  # noqa: SLF001  as the SDK's own step does
        return await function(context, text)

    async def invoke(context: ToolContext[Any], text: str) -> Any:
        return await _raise_denial(run_guarded_call(guard, tool.name, reader.parse_text(text), inner, context))

    def bind_invoker(other_tool: FunctionTool) -> Any:
        return invoke if other_tool is tool else _make_plain_invoker(guard, other_tool, reader)

    setattr(invoke, _BIND_MARK, bind_invoker)
    attach_to_invoker(invoke, guard)
    return invoke


# the function behind a tool


def _wrap_function(guard: GuardMetadata, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a tool's function, so that its calls are decided."""
    binder = FunctionBinder(read_signature(function))

    def make_call(*args: Any, **kwargs: Any) -> FunctionCall:
        return FunctionCall(guard, binder, function, args, kwargs)

    is_async, open_scope = inspect.iscoroutinefunction(function), partial(step_scope, guard.halo)
    return make_governed_method(function, make_call, is_async=is_async, open_scope=open_scope)


# runs that can pause


def make_pausing_copy(tool: FunctionTool) -> FunctionTool:
    """Copy a guarded tool for a run whose host keeps its state: challenges become interruptions."""
    guard = find_guard(tool)
    if guard is None:
        return tool
    reader = ArgumentReader.for_tool(guard.original)
    pausing_copy = copy.copy(tool)
    # The SDK asks a person by itself about arguments that it has prepared and its own checks would change.
    pausing_copy.on_invoke_tool = make_invoker(guard, pausing_copy, reader, prepares=False)
    pausing_copy.needs_approval = _make_approval_check(guard, tool, reader)
    return pausing_copy


def _make_approval_check(
    guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader
) -> Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]:
    async def needs_approval(context: RunContextWrapper[Any], params: dict[str, Any], call_id: str) -> bool:
        if tool.needs_approval is not False:
            # The host's own question comes first, and answers nothing of ours.
            evaluation = await evaluate_function_tool_approval(tool, context, json.dumps(params), call_id)
            if evaluation.outcome != "invoke":
                return True
        agent_run = find_run(guard.halo, context)
        if agent_run is None or not agent_run.pausing:
            return False
        decision = await decide_early(guard, reader.validate(copy.deepcopy(params)), agent_run, call_id)
        if isinstance(decision, Pending):
            store_pending(context, agent_run.turn_id, call_id, guard.resource.id, decision)
        return isinstance(decision, Pending)

    return needs_approval
