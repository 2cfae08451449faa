"""Room: the agent middleware. Takes: model and tool calls of `create_agent`. Gives: decisions, denials as messages.

Placed last, it sees every call as it will be made. Never: decides a guarded tool a second time; keeps state (the
session of a run without a thread is a private field of the agent's own state).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.prebuilt.tool_node import ToolInvocationError
from pydantic import ValidationError

from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_core.pep import Call, Surface
from halo_core.session import Asking, Session, asking, current_session, in_session
from halo_langchain._context import Mark, marked, thread_session
from halo_langchain._gate import gate_of
from halo_langchain._inference import inference
from halo_langchain._texts import model_output
from halo_langchain._tools import gated_copy
from halo_langchain._translate import (
    bound_tools,
    model_name,
    refusal,
    unknown,
)

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["HaloMiddleware", "HaloState"]

_MODEL: Final[Surface[Any]] = Surface(model_output)
_FIELD: Final = "halo_session"
_EARLIER: Final = "halo_earlier"


class HaloState(AgentState[Any]):
    """Agent state with the session of a run that belongs to no thread, and the tool messages that predate it."""

    halo_session: NotRequired[Annotated[str, PrivateStateAttr]]
    halo_earlier: NotRequired[Annotated[list[str], PrivateStateAttr]]


class HaloMiddleware(AgentMiddleware[HaloState, Any, Any]):
    """Decides model calls and unguarded tools, and shows denials to the model. Use it last in the list."""

    state_schema = HaloState

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo

    # the session of a run

    def before_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002  the hook's form
        """Open a session for a run that has none."""
        if current_session() is not None or thread_session() is not None:
            return None
        # The session is new, so what tools said before it was read by nobody here.
        earlier = [m.id for m in state.get("messages", ()) if isinstance(m, ToolMessage) and m.id]
        return {_FIELD: self._halo.run_session(), _EARLIER: earlier}

    async def abefore_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:
        """As `before_agent`."""
        return self.before_agent(state, runtime)

    # model calls

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Decide a model call.

        Raises:
            Denied: it may not be made. There is no model to show the denial to, so the run ends.
        """
        with _run_session(request.state):
            name, call = self._inference(request)

            def execute(_args: Mapping[str, Any]) -> Any:
                with marked(Mark(self._halo, "model", name)):
                    return handler(request)

            return self._halo.enforcer.run(call, execute, _MODEL)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_model_call`."""
        with _run_session(request.state):
            name, call = self._inference(request)

            async def execute(_args: Mapping[str, Any]) -> Any:
                with marked(Mark(self._halo, "model", name)):
                    return await handler(request)

            return await self._halo.enforcer.arun(call, execute, _MODEL)

    def _inference(self, request: Any) -> tuple[str, Call]:
        name = model_name(request.model)
        tools = [*(request.tools or ()), *bound_tools(request.model, request.model_settings)]
        earlier = request.state.get(_EARLIER) if isinstance(request.state, Mapping) else None
        system = [request.system_message] if request.system_message is not None else []
        return name, inference(self._halo, name, [*system, *request.messages], tools, earlier=frozenset(earlier or ()))

    # tool calls

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Let a guarded tool decide, guard an unguarded one, and answer for a tool that is not there."""
        with _run_session(request.state), _on_behalf(request):
            if request.tool is None:
                try:
                    ticket = self._halo.enforcer.begin(self._unreachable(request, "unknown_tool"))
                except Denied as denied:
                    return refusal(request.tool_call, denied, _choices(request))
                result = handler(request)
                ticket.fail(LookupError(f"no tool `{request.tool_call['name']}`"))
                return result
            request, mark = self._ready(request)
            try:
                with marked(mark):
                    result = handler(request)
            except Denied as denied:
                return refusal(request.tool_call, denied)
            except (ToolInvocationError, ValidationError) as exc:
                if not mark.decided:
                    self._reject(request, exc)
                raise
            if not mark.decided and _failed(result):
                self._reject(request, ValueError(result.text))
            return result

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_tool_call`."""
        with _run_session(request.state), _on_behalf(request):
            if request.tool is None:
                try:
                    ticket = await self._halo.enforcer.abegin(self._unreachable(request, "unknown_tool"))
                except Denied as denied:
                    return refusal(request.tool_call, denied, _choices(request))
                result = await handler(request)
                ticket.fail(LookupError(f"no tool `{request.tool_call['name']}`"))
                return result
            request, mark = self._ready(request)
            try:
                with marked(mark):
                    result = await handler(request)
            except Denied as denied:
                return refusal(request.tool_call, denied)
            except (ToolInvocationError, ValidationError) as exc:
                if not mark.decided:
                    await self._areject(request, exc)
                raise
            if not mark.decided and _failed(result):
                await self._areject(request, ValueError(result.text))
            return result

    def _ready(self, request: Any) -> tuple[Any, Mark]:
        """The request with a tool that decides, and the mark under which it runs."""
        gate = gate_of(request.tool)
        if gate is None or gate.halo is not self._halo:
            # Nothing is registered: what nobody granted is refused, at the same last step as a guarded tool.
            request = request.override(tool=gated_copy(self._halo, request.tool))
        return request, Mark(self._halo, "tool", request.tool.name, request.tool_call.get("id") or "")

    def _unreachable(self, request: Any, problem: str) -> Call:
        name, args = request.tool_call["name"], request.tool_call.get("args") or {}
        gate = gate_of(request.tool)
        resource = gate.resource if gate is not None else unknown(name, ActionKind.TOOL_CALL)
        return self._halo.call(resource, args, call_id=request.tool_call.get("id") or "", problem=problem)

    def _reject(self, request: Any, error: Exception) -> None:
        """Record a call whose arguments did not fit; the framework's own message goes to the model."""
        try:
            self._halo.enforcer.begin(self._unreachable(request, "invalid_arguments")).fail(error)
        except Denied:
            return

    async def _areject(self, request: Any, error: Exception) -> None:
        try:
            ticket = await self._halo.enforcer.abegin(self._unreachable(request, "invalid_arguments"))
        except Denied:
            return
        ticket.fail(error)


@contextmanager
def _run_session(state: Any) -> Iterator[None]:
    """The session at hand: the host's, else the thread's, else the run's own."""
    if current_session() is not None:
        yield
        return
    own = state.get(_FIELD) if isinstance(state, Mapping) else None
    session = thread_session() or (Session(own, "run") if own else None)
    if session is None:
        yield
        return
    with in_session(session):
        yield


@contextmanager
def _on_behalf(request: Any) -> Iterator[None]:
    """The model message that asked for a tool call."""
    messages = request.state.get("messages", []) if isinstance(request.state, Mapping) else []
    call_id = request.tool_call.get("id")
    asked = [m for m in messages if isinstance(m, AIMessage)]
    by = next(
        (m for m in reversed(asked) if any(c["id"] == call_id for c in m.tool_calls)), asked[-1] if asked else None
    )
    with asking(Asking(by.id or "", kind="message", text=str(by.text)) if by is not None else Asking(kind="message")):
        yield


def _failed(result: Any) -> bool:
    return isinstance(result, ToolMessage) and result.status == "error"


def _choices(request: Any) -> str:
    names = [tool.name for tool in getattr(request.runtime, "tools", None) or ()]
    return f"the tools are: {', '.join(names)}" if names else ""
