"""Room: tool calls of agents, for the middleware and the tool node alike. Takes: requests. Gives: results, refusals.

A guarded tool decides itself, an unguarded one is put behind a gate and refused, a call that reaches no tool is
recorded, and a denial becomes the framework's own error message. Never: decides a call a second time that another of
these has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.prebuilt.tool_node import ToolInvocationError
from pydantic import ValidationError

from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_core.pep import Call
from halo_core.pep.gate import gate_of
from halo_core.pep.names import unknown
from halo_core.session import Asking, Session, asking, current_session, in_session
from halo_langchain._context import Mark, current_mark, marked
from halo_langchain._sessions import thread_session
from halo_langchain._tools.guard import gated_copy
from halo_langchain._translate import refusal

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["SESSION_FIELD", "ToolCalls", "run_session"]

SESSION_FIELD: Final = "halo_session"
"""Field of the agent's state that holds the session which the middleware opened for a run without a thread."""


_ERRORS: Final[dict[str, Exception]] = {
    "unknown_tool": LookupError("no such tool"),
    "rejected_before": PermissionError("it was answered before"),
}
"""What observe mode records of a call that is no call."""


class ToolCalls:
    """Tool calls as `wrap_tool_call` of LangChain sees them, decided by one Halo."""

    def __init__(self, halo: Halo) -> None:
        self._halo = halo

    def run(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Let a guarded tool decide, guard an unguarded one, and answer for a tool that is not there."""
        if self._in_charge(request):
            return handler(request)
        with run_session(request.state), _on_behalf(request):
            if problem := _problem(request):
                try:
                    self._halo.enforcer.begin(self._unreachable(request, problem)).fail(_ERRORS[problem])
                except Denied as denied:
                    return refusal(request.tool_call, denied, _choices(request))
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
            if mark.denied is not None:  # whoever handles the tool's errors made something else of it
                return refusal(request.tool_call, mark.denied)
            if not mark.decided and _failed(result) and not problem:
                self._reject(request, ValueError(result.text))
            return result

    async def arun(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `run`."""
        if self._in_charge(request):
            return await handler(request)
        with run_session(request.state), _on_behalf(request):
            if problem := _problem(request):
                try:
                    (await self._halo.enforcer.abegin(self._unreachable(request, problem))).fail(_ERRORS[problem])
                except Denied as denied:
                    return refusal(request.tool_call, denied, _choices(request))
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
            if mark.denied is not None:
                return refusal(request.tool_call, mark.denied)
            if not mark.decided and _failed(result) and not problem:
                await self._areject(request, ValueError(result.text))
            return result

    def _mark(self, request: Any) -> Mark:
        name = request.tool_call["name"] if request.tool is None else request.tool.name
        return Mark(self._halo, "tool", name, request.tool_call.get("id") or "")

    def _in_charge(self, request: Any) -> bool:
        """Whether the middleware around this node sees to this very call, and to the tool that it reaches."""
        gate = gate_of(request.tool)
        if request.tool is not None and (gate is None or gate.halo is not self._halo):
            return False  # put in its place since, by another middleware
        ours = self._mark(request)
        mark = current_mark(self._halo, "tool", ours.name)
        return mark is not None and not mark.decided and mark.call_id == ours.call_id

    def _ready(self, request: Any) -> tuple[Any, Mark]:
        """The request with a tool that decides, and the mark under which it runs."""
        gate = gate_of(request.tool)
        if request.tool is not None and (gate is None or gate.halo is not self._halo):
            # Nothing is registered: what nobody granted is refused, at the same last step as a guarded tool.
            request = request.override(tool=gated_copy(self._halo, request.tool))
        return request, self._mark(request)

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
def run_session(state: Any) -> Iterator[None]:
    """The session at hand: the host's, else the thread's, else the run's own."""
    if current_session() is not None:
        yield
        return
    own = state.get(SESSION_FIELD) if isinstance(state, Mapping) else None
    session = thread_session() or (Session(own, "run") if own else None)
    if session is None:
        yield
        return
    with in_session(session):
        yield


@contextmanager
def _on_behalf(request: Any) -> Iterator[None]:
    """The model message that asked for a tool call."""
    messages = _messages(request)
    call_id = request.tool_call.get("id")
    asked = [m for m in messages if isinstance(m, AIMessage)]
    by = next(
        (m for m in reversed(asked) if any(c["id"] == call_id for c in m.tool_calls)), asked[-1] if asked else None
    )
    with asking(Asking(by.id or "", kind="message", text=str(by.text)) if by is not None else Asking(kind="message")):
        yield


def _problem(request: Any) -> str:
    """Why a call is refused whatever the policy says: there is no such tool, or the conversation says no to it already.

    A person's rejection in another middleware is an error message for the call; a third one can send the run back to
    the tools with it all the same (LangChain issue 40491).
    """
    if request.tool is None:
        return "unknown_tool"
    gate, call_id = gate_of(request.tool), request.tool_call.get("id")
    if not call_id or (gate is not None and gate.resource.idempotent):
        return ""
    said = any(_failed(message) and message.tool_call_id == call_id for message in _messages(request))
    return "rejected_before" if said else ""


def _messages(request: Any) -> list[Any]:
    found = request.state.get("messages", []) if isinstance(request.state, Mapping) else []
    return found if isinstance(found, list) else []


def _failed(result: Any) -> bool:
    return isinstance(result, ToolMessage) and result.status == "error"


def _choices(request: Any) -> str:
    if request.tool is not None:
        return ""
    names = [tool.name for tool in getattr(request.runtime, "tools", None) or ()]
    return f"the tools are: {', '.join(names)}" if names else ""
