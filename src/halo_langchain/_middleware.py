"""Room: the agent middleware. Takes: model and tool calls of `create_agent`. Gives: decisions, denials as messages.

Placed last, it sees every call as it will be made. Never: decides a guarded tool a second time; keeps state (the
session of a run without a thread is a private field of the agent's own state).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import ToolMessage

from halo_core.pep import Call, Ticket
from halo_core.session import current_session
from halo_langchain._context import Mark, marked, source_of
from halo_langchain._models.call import Decided, handed
from halo_langchain._models.guard import gated_model, model_gate, restrictable, unbound
from halo_langchain._models.inference import RESTRICTABLE, Carried, inference
from halo_langchain._pause import abegin, begin, broke_off
from halo_langchain._sessions import thread_session
from halo_langchain._surfaces import model_surface
from halo_langchain._tools.calls import SESSION_FIELD, ToolCalls, run_session
from halo_langchain._translate import bound_tools, model_name

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["HaloMiddleware", "HaloState"]

_EARLIER: Final = "halo_earlier"


class HaloState(AgentState[Any]):
    """Agent state with the session of a run that belongs to no thread, and the tool messages that predate it."""

    halo_session: NotRequired[Annotated[str, PrivateStateAttr]]
    halo_earlier: NotRequired[Annotated[list[str], PrivateStateAttr]]


class HaloMiddleware(AgentMiddleware[HaloState, Any, Any]):
    """Decides model calls, refuses tools that nobody guarded, shows denials to the model. Use it last in the list."""

    state_schema = HaloState

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo
        self._calls = ToolCalls(halo)

    # the session of a run

    def before_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002  the hook's form
        """Open a session for a run that has none."""
        if current_session() is not None or thread_session() is not None:
            return None
        # The session is new, so what tools said before it was read by nobody here.
        earlier = [m.id for m in state.get("messages", ()) if isinstance(m, ToolMessage) and m.id]
        return {SESSION_FIELD: self._halo.run_session(), _EARLIER: earlier}

    async def abefore_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:
        """As `before_agent`."""
        return self.before_agent(state, runtime)

    # model calls

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Decide a model call.

        Raises:
            Denied: it may not be made. There is no model to show the denial to, so the run ends.
        """
        with run_session(request.state):
            name, call, carried = self._inference(request)
            ticket = begin(self._halo, call)
            request = self._restricted(request, ticket)
            decided = Decided(ticket, owner=self._halo, name=name, carried=carried)
            try:
                with marked(self._mark(request, carried)), handed(decided):
                    result = handler(request)
            except BaseException as exc:
                failed = broke_off(ticket, exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, model_surface(self._halo))
            raise failed

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_model_call`."""
        with run_session(request.state):
            name, call, carried = self._inference(request)
            ticket = await abegin(self._halo, call)
            request = self._restricted(request, ticket)
            decided = Decided(ticket, owner=self._halo, name=name, carried=carried)
            try:
                with marked(self._mark(request, carried)), handed(decided):
                    result = await handler(request)
            except BaseException as exc:
                failed = broke_off(ticket, exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, model_surface(self._halo))
            raise failed

    def _inference(self, request: Any) -> tuple[str, Call, Carried]:
        """Name, call to decide, and what a guarded model knows it by."""
        name, gate = model_name(request.model), model_gate(self._halo, request.model)
        tools = [*(request.tools or ()), *bound_tools(request.model, request.model_settings)]
        earlier = request.state.get(_EARLIER) if isinstance(request.state, Mapping) else None
        system = [request.system_message] if request.system_message is not None else []
        messages = [*system, *request.messages]
        call = inference(
            self._halo,
            name,
            messages,
            tools,
            earlier=frozenset(earlier or ()),
            resource=gate.resource if gate is not None else None,
            abilities=RESTRICTABLE if restrictable(self._halo, request.model) else ("pause",),
        )
        return name, call, Carried.of(messages, tools, _schema_names(request.response_format))

    def _mark(self, request: Any, carried: Carried) -> Mark | None:
        """The mark of a model that has no gate, and so no entry of its own; one that has marks itself."""
        if model_gate(self._halo, request.model) is not None:
            return None
        source = source_of(unbound(request.model))
        return Mark(self._halo, "model", armed=True, source=source, words=carried.words)

    def _restricted(self, request: Any, ticket: Ticket) -> Any:
        """The request with a model that restricts its answer where it gives it: what streams shows nothing else."""
        if not ticket.holds_output or model_gate(self._halo, request.model) is not None:
            return request
        return request.override(model=gated_model(self._halo, request.model))

    # tool calls

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Let a guarded tool decide, guard an unguarded one, and answer for a tool that is not there."""
        return self._calls.run(request, handler)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_tool_call`."""
        return await self._calls.arun(request, handler)


def _schema_names(form: Any) -> list[str]:
    """Names of the tools that `create_agent` makes of a response format: they are bound on the way to the model."""
    schema = getattr(form, "schema", form)
    try:
        return [] if schema is None else [spec.name for spec in ToolStrategy(schema=schema).schema_specs]
    except Exception:  # noqa: BLE001  what has no such form makes no tools
        return []
