"""Room: a decided tool call on its way to the server that runs it. Takes: a call. Gives: a way past. Never: decides.

Room: one call of a guarded tool. Takes: a gate, arguments as the SDK hands them on. Gives: a result, or a refusal.

Inside a run a refusal is the tool's result, which the model reads; whoever calls a tool directly gets it raised. Never:
decides by itself.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Final

from agents import FunctionTool, RunConfig
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.tool_context import ToolContext
from agents.tracing import FunctionSpanData, get_current_span

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.arguments import BoundArguments, same_value, to_json_value
from halo_core.enforcement.guards import GuardMetadata
from halo_core.errors import Denied
from halo_core.model import Mode
from halo_openai_agents._arguments import ArgumentReader, ModelArguments
from halo_openai_agents._runs import AgentRun, EarlyDecision, body_scope, find_run, step_scope
from halo_openai_agents._translate import find_guard

__all__ = [
    "DirectCallDenied",
    "build_call",
    "build_refusal",
    "claim_server_call",
    "decide_early",
    "record_result",
    "run_guarded_call",
    "server_call_scope",
]


_CLAIM_LOCK: Final = threading.Lock()


@dataclass(slots=True, eq=False)
class _DecidedServerCall:
    halo: object
    name: str
    args: Mapping[str, Any]
    is_open: bool = True


_SERVER_CALL: Final[ContextVar[_DecidedServerCall | None]] = ContextVar("halo_openai_agents_passing", default=None)


@contextmanager
def server_call_scope(halo: object, name: str, ticket: Ticket) -> Iterator[None]:
    """Run the block with a decision that one call of the server's tool `name` may use; empty means none may."""
    token = _SERVER_CALL.set(server_call := _DecidedServerCall(halo, name, ticket.args, is_open=bool(name)))
    try:
        yield
    finally:
        server_call.is_open = False  # tasks that were started inside hold it too
        _SERVER_CALL.reset(token)


def claim_server_call(halo: object, name: str, args: Mapping[str, Any]) -> bool:
    """Whether this call of a server is the one that was decided; no other is, afterwards."""
    server_call = _SERVER_CALL.get()
    if server_call is None or server_call.halo is not halo or server_call.name != name:
        return False
    # INVARIANT: one decision lets one call with the same arguments pass.
    with _CLAIM_LOCK:
        if not server_call.is_open or not same_value(to_json_value(dict(args)), dict(server_call.args)):
            return False
        server_call.is_open = False
    return True


InvokeFunction = Callable[[Any, str], Awaitable[Any]]


class DirectCallDenied(BaseException):
    """A denial of a direct caller's, on its way past the SDK's handling of a tool's own errors."""

    def __init__(self, denied: Denied) -> None:
        super().__init__()
        self.denied = denied


async def run_guarded_call(
    guard: GuardMetadata, name: str, reader: ArgumentReader, inner: InvokeFunction, context: Any, text: str
) -> Any:
    """Decide a call, run it with exactly what was decided, record it; `name` is that of the tool that runs.

    Raises:
        Refused: it may not run, and was called directly.
    """
    model_arguments = reader.parse_text(text)
    by_runner = is_called_by_runner(name, context)
    async with AsyncExitStack() as stack:
        try:
            run = await stack.enter_async_context(_acting_scope(guard, context))
            ticket = await _decide(guard, model_arguments, run if by_runner else None, _record_call_id(context, run))
        except Denied as denied:
            if denied.earlier is not None:  # a state that was gone on from before
                return denied.earlier
            if not by_runner:
                raise DirectCallDenied(denied) from None
            return build_refusal(denied)
        try:
            execution_context, text = _prepare_execution(model_arguments, ticket, context)
            with body_scope(), server_call_scope(guard.halo, _get_server_tool_name(guard.original), ticket):
                result = await inner(execution_context, text)
        except BaseException as exc:
            failed = ticket.fail(exc)
            if by_runner and isinstance(failed, Denied):  # of something guarded inside, an agent's entry say
                return build_refusal(failed)
            if failed is exc:
                raise
        else:
            _set_custom_data(ticket, execution_context, context)
            return record_result(guard, ticket, result, execution_context)
        raise failed


def _set_custom_data(ticket: Ticket, execution_context: Any, context: Any) -> None:
    """What the SDK keeps of a result beside it, in its items and states: nothing, where the result is made less."""
    if not isinstance(context, ToolContext):
        return
    custom_data = getattr(execution_context, "_custom_data", None)
    context._custom_data = None if ticket.holds_output else custom_data  # noqa: SLF001  the SDK's only place for it


def _record_call_id(context: Any, run: AgentRun | None) -> str:
    call_id = str(getattr(context, "tool_call_id", "") or "")
    if run is not None and call_id:
        run.call_ids.add(call_id)
    return call_id


def _get_server_tool_name(tool: FunctionTool) -> str:
    """Name by which an MCP server knows the tool; empty of a tool that no server runs."""
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    return binding[1] if binding is not None else ""


def is_called_by_runner(name: str, context: Any) -> bool:
    """Whether the runner calls a tool of this name, and not somebody who holds it."""
    return (
        isinstance(context, ToolContext)
        and isinstance(context.run_config, RunConfig)
        and context.tool_call is not None
        and context.tool_name == name
    )


def build_refusal(denied: Denied) -> str:
    """A denial or a pause as the result that the model reads: reason and remedy."""
    return str(denied)


def build_call(guard: GuardMetadata, bound_arguments: BoundArguments, call_id: str) -> Call:
    """The call to decide."""
    call: Call = guard.halo.build_call(guard.resource, bound_arguments.decision_values, call_id=call_id)
    problem = bound_arguments.problem or guard.find_problem()
    return replace(call, problem=problem) if problem else call


async def decide_early(
    guard: GuardMetadata, bound_arguments: BoundArguments, run: AgentRun, call_id: str
) -> EarlyDecision:
    """Decide a call before the SDK comes to it; `invoked` takes the answer along."""
    decided = run.early_decisions.get(call_id)
    if (
        decided is not None
        and run.take_early_decision(call_id, guard.original, bound_arguments.decision_values) is decided
    ):
        run.early_decisions[call_id] = decided
        return decided
    with run.step_scope():
        try:
            ticket = await guard.halo.enforcer.abegin(build_call(guard, bound_arguments, call_id))
        except Denied as denied:
            answer = EarlyDecision(guard.original, dict(bound_arguments.decision_values), denied=denied)
        else:
            answer = EarlyDecision(guard.original, dict(bound_arguments.decision_values), ticket=ticket)
    return answer


async def _decide(guard: GuardMetadata, model_arguments: ModelArguments, run: AgentRun | None, call_id: str) -> Ticket:
    answer = (
        run.take_early_decision(call_id, guard.original, model_arguments.bound_arguments.decision_values)
        if run is not None
        else None
    )
    if answer is None:
        ticket: Ticket = await guard.halo.enforcer.abegin(build_call(guard, model_arguments.bound_arguments, call_id))
        return ticket
    if answer.denied is not None:
        raise answer.denied
    if answer.ticket is None:
        raise AssertionError("an answer is a ticket or a denial")
    return answer.ticket


@asynccontextmanager
async def _acting_scope(guard: GuardMetadata, context: Any) -> AsyncIterator[AgentRun | None]:
    """As whoever acts in the run at hand; in a run that none of our runners began, as the agent that the SDK says."""
    agent_guard = find_guard(getattr(context, "agent", None)) if find_run(guard.halo, context) is None else None
    if agent_guard is not None and agent_guard.halo is guard.halo and agent_guard.name:
        async with guard.halo.async_agent_scope(
            agent_guard.name, give=guard.halo.delegation_terms.get(agent_guard.name)
        ):
            yield None
        return
    with step_scope(guard.halo) as active_run:
        yield active_run


def _prepare_execution(model_arguments: ModelArguments, ticket: Ticket, context: Any) -> tuple[Any, str]:
    """Context and JSON to run with.

    Raises:
        Denied: the tool would read something else in the JSON than may run.
    """
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return context, model_arguments.text  # nothing stands in the way; what does not fit, the function itself says
    text = model_arguments.to_executed_json(ticket)
    execution_context = (
        context if text is model_arguments.text else _make_changed_context(model_arguments, text, context)
    )
    if (
        isinstance(execution_context, ToolContext)
        and (prepared := model_arguments.prepare_values(ticket, text)) is not None
    ):
        execution_context._function_tool_arguments = prepared  # noqa: SLF001  where the SDK keeps what it has validated
    elif not model_arguments.matches_decision(ticket, text):
        raise Denied("invalid_arguments", "deny: the arguments as changed by the policy cannot be passed to this tool")
    return execution_context, text


def _make_changed_context(model_arguments: ModelArguments, text: str, context: Any) -> Any:
    """The context of a call whose arguments were changed: all that a tool could read of them says what was decided."""
    span = get_current_span()
    if (
        span is not None
        and isinstance(span.span_data, FunctionSpanData)
        and span.span_data.input == model_arguments.text
    ):
        span.span_data.input = text  # the SDK's trace of the call shows what ran
    if not isinstance(context, ToolContext):
        return context
    return ToolContext.from_agent_context(
        context,
        context.tool_call_id,
        tool_call=context.tool_call.model_copy(update={"arguments": text}) if context.tool_call is not None else None,
        agent=context.agent,
        tool_name=context.tool_name,
        tool_arguments=text,
        tool_namespace=context.tool_namespace,
        run_config=context.run_config,
    )


def record_result(guard: GuardMetadata, ticket: Ticket, result: Any, context: Any) -> Any:
    """Record a result and return what of it may be used; an agent inside that waits has not given one yet."""
    call = getattr(context, "tool_call", None)
    if guard.original._is_agent_tool and call is not None:  # noqa: SLF001  the SDK's mark of an agent as a tool
        nested = peek_agent_tool_run_result(call, scope_id=get_agent_tool_state_scope(context))
        if getattr(nested, "interruptions", None):
            ticket.pause(RuntimeError("the agent inside waits for an answer"))
            return result
    return ticket.succeed(result, guard.surface)
