"""The agent middleware: decides the model calls of `create_agent`, and turns denials of tools into messages.

It has to be the last middleware, so that it sees every call in its final form. Guarded tools decide their own calls.
The session of a run without a thread is kept in a private field of the agent's state.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from langchain.agents.structured_output import ToolStrategy

from halo_core.enforcement.activities import current_run_activity
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import govern
from halo_core.enforcement.session_context import current_session, is_raw_thread
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.model import ActionKind, Resource
from halo_langchain._history import read_message
from halo_langchain._model_calls import (
    RESTRICTING_ABILITIES,
    DecidedCall,
    DecidedInput,
    build_inference_call,
    decided_call_scope,
    name_tools,
)
from halo_langchain._model_fields import list_message_tools, read_model_request
from halo_langchain._models import (
    copy_model_with_guard,
    find_model_guard,
)
from halo_langchain._pause import LangChainAction
from halo_langchain._results import make_model_surface
from halo_langchain._runs import RunClaim, enclosure_values, find_thread_session, get_run_source
from halo_langchain._tool_nodes import SESSION_FIELD, ToolCalls, run_session_scope
from halo_langchain._translate import bound_tools, unwrap_bindings

if TYPE_CHECKING:
    from halo_langchain import Halo


_AGENT_RESOURCE: Final = Resource(kind=ActionKind.HANDOFF)


@dataclass(frozen=True, slots=True)
class AgentEnclosure:
    """An agent with the middleware, as the enclosure of its model calls and other hooks."""

    halo: Halo
    resource: Resource = _AGENT_RESOURCE


class HaloState(AgentState[Any]):
    """Agent state with the session of a run without a thread."""

    halo_session: NotRequired[Annotated[str, PrivateStateAttr]]


class HaloMiddleware(AgentMiddleware[HaloState, Any, Any]):
    """Decides model calls and tool calls, and shows denials to the model. Use it last in the list."""

    state_schema = HaloState

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo
        self._tool_calls = ToolCalls(halo)
        self._model_surface = make_model_surface(halo)
        self._enclosure = AgentEnclosure(halo)

    # the session of a run

    def before_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002  the hook's form
        """Open a session for a run without one, if the start of its outermost run was not seen."""
        has_run_session = current_run_activity() is not None and not is_raw_thread()
        if current_session() is not None or find_thread_session() is not None or has_run_session:
            return None
        return {SESSION_FIELD: self._halo.make_run_session_id()}

    async def abefore_agent(self, state: HaloState, runtime: Any) -> dict[str, Any] | None:
        """Like `before_agent`."""
        return self.before_agent(state, runtime)

    # model calls

    def _model_call_steps(self, request: Any, handler: Callable[[Any], Any]) -> Steps[Any]:
        """Decide a model call.

        Raises:
            Denied: it may not be made. There is no model to show the denial to, so the run ends.
        """
        yield from self._halo.server_tools.make_admit_steps(request.tools or ())
        with run_session_scope(request.state):
            return (yield from govern(_ModelRequest(self._enclosure, request, handler, self._model_surface)))

    wrap_model_call = make_method(AgentMiddleware.wrap_model_call, _model_call_steps, is_async=False)
    awrap_model_call = make_method(AgentMiddleware.awrap_model_call, _model_call_steps, is_async=True)

    # tool calls

    def _tool_call_steps(self, request: Any, handler: Callable[[Any], Any]) -> Steps[Any]:
        return self._tool_calls.make_steps(request, handler)

    wrap_tool_call = make_method(AgentMiddleware.wrap_tool_call, _tool_call_steps, is_async=False)
    awrap_tool_call = make_method(AgentMiddleware.awrap_tool_call, _tool_call_steps, is_async=True)


class _ModelRequest(LangChainAction):
    """A model call of an agent. A guarded model that it reaches uses this decision."""

    def __init__(
        self, enclosure: AgentEnclosure, request: Any, handler: Callable[[Any], Any], surface: Surface[Any]
    ) -> None:
        self.enclosure = enclosure
        self.halo = halo = enclosure.halo
        self.request = request
        self.handler = handler
        self.model_guard, can_restrict_output = find_model_guard(halo, request.model)
        tools = [*(request.tools or ()), *bound_tools(request.model, request.model_settings)]
        system = [request.system_message] if request.system_message is not None else []
        messages = [*system, *request.messages]
        shown = [read_message(item) for item in messages]
        offered = [*tools, *list_message_tools(messages)]
        self.name, fields, facts = read_model_request(request.model, request.model_settings, offered)
        tool_names, function_names = name_tools(tools)
        schema_names = _schema_names(request.response_format)
        self.model_input = DecidedInput.from_names(shown, function_names, fields, schema_names)
        call = build_inference_call(
            halo,
            self.name,
            shown,
            tools,
            resource=self.model_guard.resource if self.model_guard is not None else None,
            abilities=RESTRICTING_ABILITIES if can_restrict_output else ("pause",),
            fields=fields,
            facts=facts,
            tool_names=tool_names,
        )
        super().__init__(halo.enforcer, call, surface)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """The decision, and a claim for an unguarded model, which has no entry point to claim its run."""
        model, claim = self.request.model, None
        if self.model_guard is None and ticket.holds_output:
            # By a model that restricts its answer where it gives it: what streams shows nothing else.
            self.request = self.request.override(model=copy_model_with_guard(self.halo, model))
        elif self.model_guard is None:
            source, texts = get_run_source(unwrap_bindings(model)), self.model_input.message_texts
            claim = RunClaim(
                self.halo, "model", active=True, source=source, message_texts=texts, model_input=self.model_input
            )
        decided_call = DecidedCall(ticket, owner=self.halo, name=self.name, model_input=self.model_input)
        return decided_call_scope(decided_call, *enclosure_values(self.enclosure, claim))

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  nothing narrows a prompt
        """Make the call."""
        return self.handler(self.request)


def _schema_names(response_format: Any) -> list[str]:
    """Names of the tools that `create_agent` derives from a response format and binds on the way to the model."""
    schema = getattr(response_format, "schema", response_format)
    try:
        return [] if schema is None else [spec.name for spec in ToolStrategy(schema=schema).schema_specs]
    except Exception:  # noqa: BLE001  what has no such form makes no tools
        return []


FIRST_NODE_SUFFIX: Final = ".before_agent"
"""Ends the name of the node that `create_agent` makes of our hook."""


def find_agent_halo(graph: Any) -> Halo | None:
    """The Halo of an agent's middleware; None for any other graph."""
    for name, node in graph.nodes.items():
        if name.endswith(FIRST_NODE_SUFFIX):
            hook = getattr(getattr(node, "bound", None), "func", None)
            middleware = getattr(hook, "__self__", None)
            if isinstance(middleware, HaloMiddleware):
                return middleware._halo  # noqa: SLF001  of this module
    return None
