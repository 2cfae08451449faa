"""One call of a guarded tool, of the function behind it, or of an MCP server's tool, as an action of the one flow.

Inside a run a refusal is the tool's result, which the model reads; whoever calls a tool directly gets it raised. The
call of a tool that a server runs is decided here, and passes the server's own guard once, with the same arguments.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from agents import FunctionTool, RunConfig
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.tool_context import ToolContext
from agents.tracing import FunctionSpanData, get_current_span

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.arguments import BoundArguments, same_value, to_json_value
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import GuardedCall, is_enforced, with_problem
from halo_core.enforcement.guards import GuardMetadata
from halo_core.errors import Denied, Pending
from halo_openai_agents._arguments import ModelArguments
from halo_openai_agents._runs import BODY_MARK, AgentRun, EarlyDecision, body_scope, find_run, step_scope
from halo_openai_agents._translate import find_guard

InvokeFunction = Callable[[Any, str], Awaitable[Any]]
_CLAIM_LOCK: Final = threading.Lock()


class DirectCallDenied(BaseException):
    """Carries a denial to a direct caller, past the SDK's handling of a tool's errors."""

    def __init__(self, denied: Denied) -> None:
        super().__init__()
        self.denied = denied


async def run_guarded_call(
    guard: GuardMetadata, name: str, arguments: ModelArguments, invoke: InvokeFunction, context: Any
) -> Any:
    """Decide a call, run it with exactly what was decided, record it; `name` is that of the tool that runs.

    Raises:
        DirectCallDenied: it may not run, and was called directly.
    """
    by_runner = _is_called_by_runner(name, context)
    try:
        async with _acting_scope(guard, context) as run:
            try:
                return await arun(_ToolCall(guard, arguments, invoke, context, run, by_runner=by_runner))
            except Denied as denied:  # of something guarded inside too, an agent's entry say
                return _refuse(denied, by_runner=by_runner)
    except Denied as denied:  # whose call it is may not act here
        return _refuse(denied, by_runner=by_runner)


def _refuse(denied: Denied, *, by_runner: bool) -> str:
    if not by_runner:
        raise DirectCallDenied(denied) from None
    return str(denied)


class _ToolCall(GovernedAction[Any]):
    """A call of a tool as the SDK invokes it.

    Args:
        guard: of the tool.
        arguments: as the model wrote them.
        invoke: what runs.
        context: the SDK's, of this call.
        run: in which it is made; None outside of ours.
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
        if run is not None and self.call_id:
            run.call_ids.add(self.call_id)
        decision = None
        if run is not None and by_runner:
            values = arguments.bound_arguments.decision_values
            decision = run.take_early_decision(self.call_id, guard.original, values)
        super().__init__(guard.halo.enforcer, None, guard.surface, decision=decision)

    def build_call(self) -> Call:
        return build_call(self.guard, self.arguments.bound_arguments, self.call_id)

    def return_denied(self, denied: Denied) -> Any:
        """Return what the very same call gave when it ran: a state may be resumed twice."""
        return super().return_denied(denied) if denied.earlier is None else denied.earlier

    @contextmanager
    def scope(self, ticket: Ticket) -> Iterator[None]:
        if is_enforced(ticket):  # in observe mode the function itself refuses what does not fit
            self._put_decided_arguments(ticket)
        with body_scope(), _server_call_scope(self.guard, ticket):
            yield

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        return self.invoke(self.context, self.text)

    def finish(self, ticket: Ticket, result: Any) -> Any:
        """Record the result, or a pause where the agent inside waits for an answer."""
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
        return (BODY_MARK,)


def _make_changed_context(context: Any, text: str, changed_text: str) -> Any:
    """A context in which everything that a tool could read of its arguments has the decided ones."""
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


def _is_called_by_runner(name: str, context: Any) -> bool:
    """Whether the runner calls a tool of this name, and not code that has a reference to it."""
    return (
        isinstance(context, ToolContext)
        and isinstance(context.run_config, RunConfig)
        and context.tool_call is not None
        and context.tool_name == name
    )


@asynccontextmanager
async def _acting_scope(guard: GuardMetadata, context: Any) -> AsyncIterator[AgentRun | None]:
    """Act as the current agent of the run; in a run that our runner did not begin, as the agent that the SDK names."""
    agent_guard = find_guard(getattr(context, "agent", None)) if find_run(guard.halo, context) is None else None
    if agent_guard is not None and agent_guard.halo is guard.halo and agent_guard.name:
        async with guard.halo.agent_scope(agent_guard.name, give=guard.halo.delegation_terms.get(agent_guard.name)):
            yield None
        return
    with step_scope(guard.halo) as active_run:
        yield active_run


# decisions


def build_call(guard: GuardMetadata, bound_arguments: BoundArguments, call_id: str) -> Call:
    """Build the call of a tool."""
    call: Call = guard.halo.build_call(guard.resource, bound_arguments.decision_values, call_id=call_id)
    return with_problem(call, bound_arguments.problem or guard.find_problem())


async def decide_early(
    guard: GuardMetadata, bound_arguments: BoundArguments, run: AgentRun, call_id: str
) -> Ticket | Denied:
    """Decide a call before the SDK invokes the tool, and keep the decision for it."""
    values = bound_arguments.decision_values
    decision = run.take_early_decision(call_id, guard.original, values)
    if decision is None:
        with run.step_scope():
            call = build_call(guard, bound_arguments, call_id)
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


@contextmanager
def _server_call_scope(guard: GuardMetadata, ticket: Ticket) -> Iterator[None]:
    """Run the block with a decision that one call of the tool's server may use, if a server runs the tool."""
    tool: FunctionTool = guard.original
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    server_call = _DecidedServerCall(guard.halo, binding[1], ticket.args) if binding is not None else None
    token = _SERVER_CALL.set(server_call)
    try:
        yield
    finally:
        if server_call is not None:
            server_call.is_open = False  # tasks that were started inside hold it too
        _SERVER_CALL.reset(token)


def claim_server_call(halo: object, name: str, args: Mapping[str, Any]) -> bool:
    """Whether this call of a server is the decided one; only one call can claim the decision."""
    server_call = _SERVER_CALL.get()
    if server_call is None or server_call.halo is not halo or server_call.name != name:
        return False
    # INVARIANT: one decision lets one call with the same arguments pass.
    with _CLAIM_LOCK:
        if not server_call.is_open or not same_value(to_json_value(dict(args)), dict(server_call.args)):
            return False
        server_call.is_open = False
    return True
