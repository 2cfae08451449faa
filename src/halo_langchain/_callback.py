"""The callback handler, which decides objects without a guard in plain chains and inside anything guarded.

It can block, pause a graph and drop documents. Objects are registered when it first sees them (`FirstSeen`).

The handler is synchronous, because LangChain logs and swallows what an asynchronous handler raises on every synchronous
path. It does not run inline, so that a decision never holds up an event loop. An asynchronous call of a text model is
the exception: LangChain reports its start to inline handlers alone if there are any, so `TextModelCallback`, an
asynchronous handler, decides it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langgraph.errors import GraphInterrupt

from halo_core.enforcement.arguments import to_json_value
from halo_core.enforcement.bodies import BODY, Body
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import GovernedAction, find_provider_calls, make_withdrawal_call
from halo_core.enforcement.guards import clean_name, find_name_problem, make_unregistered_resource, to_list
from halo_core.enforcement.mcp_listings import describe_for_guess
from halo_core.enforcement.session_context import ContextVarScope, current_session, session_values
from halo_core.enforcement.steps import Steps, TwoWayStep, adrive, drive
from halo_core.errors import Pending
from halo_core.model import ActionKind
from halo_core.model_requests import ModelFields
from halo_langchain._first_seen import get_description
from halo_langchain._history import outermost_run_values, read_message
from halo_langchain._mcp import read_server_tool
from halo_langchain._model_calls import RESTRICTING_ABILITIES, DecidedInput, build_inference_call, holds_outer_answer
from halo_langchain._model_fields import (
    judge_model_request,
    judge_observed_request,
    list_message_tools,
    read_observed_facts,
)
from halo_langchain._pause import consume_resume, discard_resume, pause_or_withdraw
from halo_langchain._results import DOCUMENTS_SURFACE, extract_result_text, make_model_surface
from halo_langchain._runs import (
    DECIDED_RUN_OBSERVERS,
    RunStart,
    claim_run,
    claim_run_for_any,
    current_enclosure,
    find_event_session,
    find_starting,
    find_starting_object,
    get_run_source,
)

if TYPE_CHECKING:
    from halo_langchain import Halo

_MAX_OPEN: Final = 10_000
_ABILITIES: Final = ("drop_documents", "drop_labels", "pause")  # a list of documents is changed in place
_TEXT_SURFACE: Final[Surface[Any]] = Surface(extract_result_text)


class HaloCallback(BaseCallbackHandler):
    """Blocks what a policy denies, in every form of call, unless a guard decides it."""

    raise_error = True
    run_inline = False

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo
        self.text_model_callback = TextModelCallback(self)
        self._model_surface = make_model_surface(halo)
        self._open_runs: OrderedDict[UUID, Ticket | None] = OrderedDict()
        self._bodies: dict[UUID, Body] = {}
        self._lock = threading.Lock()

    @property
    def ignore_chain(self) -> bool:
        """Whether chain events are withheld from this handler; true, since chains are not actions."""
        return True

    @property
    def halo(self) -> Halo:
        """The Halo that decides."""
        return self._halo

    # starts

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Decide an unguarded tool."""
        name = str((serialized or {}).get("name") or kwargs.get("name") or "")
        if self._is_claimed(RunStart("tool", run_id, name, find_starting_object(BaseTool)), kwargs):
            return
        args = inputs if inputs is not None else {"tool_input": input_str}
        tool, _ = find_starting(BaseTool, lambda item: item.name == name)
        description, problem, served = get_description(serialized), "", read_server_tool(tool)
        if served is not None:
            problem = self._halo.server_tools.find_called_problem(tool, served)
            description = describe_for_guess(served.listed)
        if problem and served is not None:
            resource = make_unregistered_resource(served.resource_name, ActionKind.TOOL_CALL)
        else:
            is_new = self._halo.find_registered(name) is None
            resource = self._halo.first_seen.find_tool(name, description, args, tool)
            if served is not None and is_new:  # whichever way it is called next, the name is this tool's
                self._halo.server_tools.note_registered(served, resource.id)
        # The tool fills in the defaults of its schema; here is what it will run with.
        args = {**self._halo.get_argument_defaults(resource.id), **args}
        with _event_session_scope(kwargs):
            call = self._halo.build_call(
                resource,
                {key: to_json_value(value) for key, value in args.items()},
                call_id=str(kwargs.get("tool_call_id") or ""),
                problem=problem or find_name_problem(self._halo, resource),
                abilities=("pause",),
            )
            self._begin_run(run_id, call)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Decide an unguarded retriever; its documents can be dropped when they arrive."""
        name = str(kwargs.get("name") or (serialized or {}).get("name") or "")
        # A run name hides the retriever's own.
        if self._is_claimed(RunStart("retriever", run_id, source=find_starting_object(BaseRetriever)), kwargs):
            return
        retriever, _ = find_starting(BaseRetriever, lambda item: name in (item.name, type(item).__name__))
        resource = self._halo.first_seen.find_retriever(name, current_enclosure(), retriever)
        with _event_session_scope(kwargs):
            problem = find_name_problem(self._halo, resource)
            call = self._halo.build_call(resource, {"query": query}, problem=problem, abilities=_ABILITIES)
            self._begin_run(run_id, call)

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Decide a model call unless the middleware has decided it."""
        self._start_model(serialized, [message for batch in messages for message in batch], run_id, kwargs)

    def on_llm_start(
        self, serialized: dict[str, Any] | None, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Like `on_chat_model_start`, for text models."""
        self._start_model(serialized, [HumanMessage(prompt, name="prompt") for prompt in prompts], run_id, kwargs)

    def _start_model(
        self, serialized: dict[str, Any] | None, messages: list[BaseMessage], run_id: UUID, kwargs: dict[str, Any]
    ) -> None:
        if self._is_claimed(_make_model_start(serialized, messages, run_id, kwargs), kwargs):
            return
        with _event_session_scope(kwargs):
            self._begin_run(run_id, self._build_model_call(serialized, messages, kwargs))

    def _build_model_call(
        self, serialized: dict[str, Any] | None, messages: list[BaseMessage], kwargs: dict[str, Any]
    ) -> Call:
        settings = kwargs.get("invocation_params") or {}
        traced_name = (kwargs.get("metadata") or {}).get("ls_model_name")
        raw_name = traced_name or settings.get("model") or settings.get("model_name") or _class_name(serialized)
        # What a guarded model's own code asks of another model is restricted with that one's answer.
        abilities = RESTRICTING_ABILITIES if holds_outer_answer() else ("pause",)
        name = clean_name(str(raw_name))
        tools = to_list(settings.get("tools"))
        fields = _judge_fields(serialized, settings, messages)
        facts = read_observed_facts(kwargs.get("metadata") or {}, settings, _class_name(serialized))
        shown = [read_message(item) for item in messages]
        return build_inference_call(self._halo, name, shown, tools, abilities=abilities, fields=fields, facts=facts)

    async def astart_text_model(
        self, serialized: dict[str, Any], prompts: list[str], run_id: UUID, kwargs: dict[str, Any]
    ) -> None:
        """Like `on_llm_start`, on an event loop; does nothing for a decided run."""
        messages: list[BaseMessage] = [HumanMessage(prompt, name="prompt") for prompt in prompts]
        start = _make_model_start(serialized, messages, run_id, kwargs)
        if self.is_open(run_id) or self._is_claimed(start, kwargs):
            return
        with _event_session_scope(kwargs):
            await adrive(self._begin_steps(run_id, self._build_model_call(serialized, messages, kwargs)))

    # ends

    def on_tool_end(self, output: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the result."""
        self._end_run(run_id, output, _TEXT_SURFACE)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Drop documents that may not be used, in place, and record the result."""
        arrived = list(documents)
        used = self._end_run(run_id, arrived, DOCUMENTS_SURFACE)
        if used is not arrived:
            documents[:] = used

    def on_llm_end(self, response: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the model's answer."""
        ticket = self._pop_ticket(run_id)
        if ticket is not None:
            run = _ObservedRun(self._halo.enforcer, None, self._model_surface)
            run.finish(ticket, response)
            for item in find_provider_calls(run, ticket, lambda: response):
                self._halo.enforcer.begin(item.call).succeed(item.text, item.surface)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the error."""
        if (ticket := self._pop_ticket(run_id)) is not None:
            _ObservedRun(self._halo.enforcer, None, _TEXT_SURFACE).finish_failed(ticket, error)

    on_retriever_error = on_llm_error = on_tool_error

    # parts

    def _is_claimed(self, start: RunStart, event: Mapping[str, Any]) -> bool:
        """Whether a guard decides this run: this Halo's, or any inside something guarded."""
        if current_enclosure() is None:
            return claim_run(self._halo, start)
        for observe in DECIDED_RUN_OBSERVERS:
            observe(event.get("parent_run_id"))
        return claim_run_for_any(start)

    def _open_run(self, run_id: UUID) -> bool:
        with self._lock:
            if run_id in self._open_runs:  # installed twice: the other one decides this run, and raises for both
                return False
            self._open_runs[run_id] = None
            # A run that never ends (an abandoned stream) stays "outcome unknown" in the ledger.
            while len(self._open_runs) > _MAX_OPEN:
                oldest, _ = self._open_runs.popitem(last=False)
                self._close_body(oldest)
        return True

    def _begin_run(self, run_id: UUID, call: Call) -> None:
        drive(self._begin_steps(run_id, call))

    def _begin_steps(self, run_id: UUID, call: Call) -> Steps[None]:
        if not self._open_run(run_id):
            return
        enforcer = self._halo.enforcer
        try:
            consume_resume(self._halo)
            try:
                ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, call)
            except Pending as pending:
                if not pause_or_withdraw(self._halo, call, pending):
                    raise
                ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, make_withdrawal_call(call, pending))
            self._accept(run_id, ticket)
        except BaseException:
            self._pop_ticket(run_id)
            raise

    def _accept(self, run_id: UUID, ticket: Ticket) -> None:
        if ticket.context is not None and ticket.context.used_answer:
            discard_resume()
        with self._lock:
            self._open_runs[run_id] = ticket
            if ticket.context is not None:
                body = self._bodies[run_id] = Body(ticket.context, BODY.get())
                body.open()

    def _close_body(self, run_id: UUID) -> None:
        if (body := self._bodies.pop(run_id, None)) is not None:
            body.close()

    def find_body(self, run_id: object) -> Body | None:
        """The body of a run that was decided here and is still open."""
        return self._bodies.get(run_id) if self._bodies else None  # type: ignore[call-overload]  # None is no run

    def is_open(self, run_id: UUID) -> bool:
        """Whether a run was decided here and is still open."""
        with self._lock:
            return run_id in self._open_runs

    def _pop_ticket(self, run_id: UUID) -> Ticket | None:
        with self._lock:
            self._close_body(run_id)
            return self._open_runs.pop(run_id, None)

    def _end_run(self, run_id: UUID, result: Any, surface: Surface[Any]) -> Any:
        ticket = self._pop_ticket(run_id)
        return result if ticket is None else _ObservedRun(self._halo.enforcer, None, surface).finish(ticket, result)


class TextModelCallback(AsyncCallbackHandler):
    """Decides asynchronous calls of text models for a `HaloCallback`, whichever other handlers run inline."""

    raise_error = True
    run_inline = True
    ignore_agent = ignore_chain = ignore_chat_model = ignore_retriever = True
    """The callback is told of these."""

    def __init__(self, callback: HaloCallback) -> None:
        super().__init__()
        self._callback = callback

    async def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Decide the call unless it is decided: on a synchronous path the callback was called already."""
        await self._callback.astart_text_model(serialized, prompts, run_id, kwargs)


class _ObservedRun(GovernedAction[Any]):
    """A run that the framework executes: decided in one event, recorded in another; it raises its own errors."""

    steering_errors = (BaseException,)
    pause_errors = (GraphInterrupt,)


def _make_model_start(
    serialized: dict[str, Any] | None, messages: list[BaseMessage], run_id: UUID, event: Mapping[str, Any]
) -> RunStart:
    def has_fields_of(decided: DecidedInput) -> bool:
        return decided.covers_fields(_judge_fields(serialized, event.get("invocation_params") or {}, messages))

    return RunStart("model", run_id, source=serialized, messages=messages, has_fields_of=has_fields_of)


def _judge_fields(
    serialized: dict[str, Any] | None, settings: Mapping[str, Any], messages: list[BaseMessage]
) -> ModelFields:
    """Judge the fields that a model's run sends besides its messages, and the tools that these offer."""
    tools = [*to_list(settings.get("tools")), *list_message_tools(messages)]
    model, options = find_starting(BaseLanguageModel, lambda item: get_run_source(item) is serialized)
    if model is not None:
        return judge_model_request(model, options, tools)
    return judge_observed_request(_class_name(serialized), settings, tools)


def _class_name(serialized: Mapping[str, Any] | None) -> str:
    path = (serialized or {}).get("id") or []
    return str(path[-1] if path else (serialized or {}).get("name") or "model")


def _event_session_scope(kwargs: Mapping[str, Any]) -> ContextVarScope:
    """The session of this context, else of LangGraph's thread in the event, in the outermost run around it."""
    outermost = outermost_run_values(kwargs.get("parent_run_id"))
    with ContextVarScope(*outermost):
        session = find_event_session(kwargs.get("metadata") or {}) if current_session() is None else None
    return ContextVarScope(*outermost, *session_values(session, None))
