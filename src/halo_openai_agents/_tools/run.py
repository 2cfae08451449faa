"""Room: one call of a guarded tool. Takes: a gate, arguments as the SDK hands them on. Gives: a result, or a refusal.

Inside a run a refusal is the tool's result, which the model reads; whoever calls a tool directly gets it raised. Never:
decides by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from agents import FunctionTool, RunConfig
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.tool_context import ToolContext
from agents.tracing import FunctionSpanData, get_current_span

from halo_core.errors import Denied
from halo_core.model import Mode
from halo_core.pep import Call, Ticket
from halo_core.pep.bound import Bound
from halo_core.pep.gate import Gate
from halo_openai_agents._gates import gate_at
from halo_openai_agents._passing import passing
from halo_openai_agents._running import body, run_of, stepping
from halo_openai_agents._runs import Answer, Run
from halo_openai_agents._tools.arguments import Given, Reader

__all__ = ["Refused", "asked", "call_of", "invoked", "refusal", "settled"]

Invoke = Callable[[Any, str], Awaitable[Any]]


class Refused(BaseException):
    """A denial of a direct caller's, on its way past the SDK's handling of a tool's own errors."""

    def __init__(self, denied: Denied) -> None:
        super().__init__()
        self.denied = denied


async def invoked(gate: Gate, name: str, reader: Reader, inner: Invoke, context: Any, text: str) -> Any:  # noqa: PLR0917  a call
    """Decide a call, run it with exactly what was decided, record it; `name` is that of the tool that runs.

    Raises:
        Refused: it may not run, and was called directly.
    """
    given = reader.text(text)
    by_runner = is_of_run(name, context)
    async with AsyncExitStack() as stack:
        try:
            run = await stack.enter_async_context(_standing(gate, context))
            ticket = await _decided(gate, given, run if by_runner else None, _call_id(context, run))
        except Denied as denied:
            if denied.earlier is not None:  # a state that was gone on from before
                return denied.earlier
            if not by_runner:
                raise Refused(denied) from None
            return refusal(denied)
        try:
            run_as, text = _executed(given, ticket, context)
            with body(), passing(gate.halo, _served(gate.original), ticket):
                result = await inner(run_as, text)
        except BaseException as exc:
            failed = ticket.fail(exc)
            if by_runner and isinstance(failed, Denied):  # of something guarded inside, an agent's entry say
                return refusal(failed)
            if failed is exc:
                raise
        else:
            _kept_aside(ticket, run_as, context)
            return settled(gate, ticket, result, run_as)
        raise failed


def _kept_aside(ticket: Ticket, run_as: Any, context: Any) -> None:
    """What the SDK keeps of a result beside it, in its items and states: nothing, where the result is made less."""
    if not isinstance(context, ToolContext):
        return
    told = getattr(run_as, "_custom_data", None)
    context._custom_data = None if ticket.holds_output else told  # noqa: SLF001  the SDK's only place for it


def _call_id(context: Any, run: Run | None) -> str:
    found = str(getattr(context, "tool_call_id", "") or "")
    if run is not None and found:
        run.calls.add(found)
    return found


def _served(tool: FunctionTool) -> str:
    """Name by which an MCP server knows the tool; empty of a tool that no server runs."""
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    return binding[1] if binding is not None else ""


def is_of_run(name: str, context: Any) -> bool:
    """Whether the runner calls a tool of this name, and not somebody who holds it."""
    return (
        isinstance(context, ToolContext)
        and isinstance(context.run_config, RunConfig)
        and context.tool_call is not None
        and context.tool_name == name
    )


def refusal(denied: Denied) -> str:
    """A denial or a pause as the result that the model reads: reason and remedy."""
    return str(denied)


def call_of(gate: Gate, bound: Bound, call_id: str) -> Call:
    """The call to decide."""
    call: Call = gate.halo.call(gate.resource, bound.decided, call_id=call_id)
    problem = bound.problem or gate.problem()
    return replace(call, problem=problem) if problem else call


async def asked(gate: Gate, bound: Bound, run: Run, call_id: str) -> Answer:
    """Decide a call before the SDK comes to it; `invoked` takes the answer along."""
    known = run.answers.get(call_id)
    if known is not None and run.answered(call_id, gate.original, bound.decided) is known:
        run.answers[call_id] = known
        return known
    with run.step():
        try:
            ticket = await gate.halo.enforcer.abegin(call_of(gate, bound, call_id))
        except Denied as denied:
            answer = Answer(gate.original, dict(bound.decided), denied=denied)
        else:
            answer = Answer(gate.original, dict(bound.decided), ticket=ticket)
    return answer


async def _decided(gate: Gate, given: Given, run: Run | None, call_id: str) -> Ticket:
    answer = run.answered(call_id, gate.original, given.bound.decided) if run is not None else None
    if answer is None:
        ticket: Ticket = await gate.halo.enforcer.abegin(call_of(gate, given.bound, call_id))
        return ticket
    if answer.denied is not None:
        raise answer.denied
    if answer.ticket is None:
        raise AssertionError("an answer is a ticket or a denial")
    return answer.ticket


@asynccontextmanager
async def _standing(gate: Gate, context: Any) -> AsyncIterator[Run | None]:
    """As whoever acts in the run at hand; in a run that none of our runners began, as the agent that the SDK says."""
    place = gate_at(getattr(context, "agent", None)) if run_of(gate.halo, context) is None else None
    if place is not None and place.halo is gate.halo and place.name:
        async with gate.halo.aentering(place.name, give=gate.halo.terms.of(place.name)):
            yield None
        return
    with stepping(gate.halo) as stepped:
        yield stepped


def _executed(given: Given, ticket: Ticket, context: Any) -> tuple[Any, str]:
    """Context and JSON to run with.

    Raises:
        Denied: the tool would read something else in the JSON than may run.
    """
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return context, given.text  # nothing stands in the way; what does not fit, the function itself says
    text = given.executed(ticket)
    run_as = context if text is given.text else _shown(given, text, context)
    if isinstance(run_as, ToolContext) and (prepared := given.prepared(ticket, text)) is not None:
        run_as._function_tool_arguments = prepared  # noqa: SLF001  where the SDK keeps what it has validated
    elif not given.holds(ticket, text):
        raise Denied("invalid_arguments", "deny: what the policy made of the arguments cannot be passed to this tool")
    return run_as, text


def _shown(given: Given, text: str, context: Any) -> Any:
    """The context of a call whose arguments were changed: all that a tool could read of them says what was decided."""
    span = get_current_span()
    if span is not None and isinstance(span.span_data, FunctionSpanData) and span.span_data.input == given.text:
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


def settled(gate: Gate, ticket: Ticket, result: Any, context: Any) -> Any:
    """Record a result and return what of it may be used; an agent inside that waits has not given one yet."""
    call = getattr(context, "tool_call", None)
    if gate.original._is_agent_tool and call is not None:  # noqa: SLF001  the SDK's mark of an agent as a tool
        nested = peek_agent_tool_run_result(call, scope_id=get_agent_tool_state_scope(context))
        if getattr(nested, "interruptions", None):
            ticket.pause(RuntimeError("the agent inside waits for an answer"))
            return result
    return ticket.succeed(result, gate.surface)
