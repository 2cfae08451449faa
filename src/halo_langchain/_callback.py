"""The callback handler, for plain chains: it decides what carries no guard, and can block it or drop documents.

It registers no tool or retriever that it happens to see. It is synchronous on purpose: LangChain logs and swallows what
an asynchronous handler raises on every synchronous path; and not inline, so that a decision never holds up an event
loop.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, HumanMessage

from halo_core.enforcement import Call, Surface, Ticket
from halo_core.enforcement.arguments import to_json_value
from halo_core.enforcement.flow import GovernedAction
from halo_core.enforcement.guards import clean_name, make_unregistered_resource
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.model import ActionKind, Resource
from halo_langchain._model_calls import build_inference_call
from halo_langchain._results import DOCUMENTS_SURFACE, extract_model_output, extract_result_text
from halo_langchain._runs import RunStart, claim_run, fallback_session_scope, find_event_session

if TYPE_CHECKING:
    from halo_langchain import Halo

_MAX_OPEN: Final = 10_000
_ABILITIES: Final = ("drop_documents", "drop_labels")  # of a list of documents, which is changed in place
_TEXT_SURFACE: Final[Surface[Any]] = Surface(extract_result_text)
_MODEL_SURFACE: Final[Surface[Any]] = Surface(extract_model_output)


class HaloCallback(BaseCallbackHandler):
    """Blocks what a policy denies, in every call shape, unless a guard decides it."""

    raise_error = True
    run_inline = False

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo
        self._open_runs: OrderedDict[UUID, Ticket | None] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def ignore_chain(self) -> bool:
        """Chains are not actions."""
        return True

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
        """Decide a tool that is not guarded."""
        name = str((serialized or {}).get("name") or kwargs.get("name") or "")
        if claim_run(self._halo, RunStart("tool", run_id, name)):
            return
        resource = self._find_resource(name, ActionKind.TOOL_CALL)
        args = inputs if inputs is not None else {"tool_input": input_str}
        # The tool fills in the defaults of its schema; here is what it will run with.
        args = {**self._halo.get_argument_defaults(resource.id), **args}
        with _event_session_scope(kwargs):
            call = self._halo.build_call(
                resource,
                {key: to_json_value(value) for key, value in args.items()},
                call_id=str(kwargs.get("tool_call_id") or ""),
                abilities=(),
            )
            self._begin_run(run_id, call)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Decide a retriever that is not guarded; its documents can be dropped when they arrive."""
        name = str(kwargs.get("name") or (serialized or {}).get("name") or "")
        if claim_run(self._halo, RunStart("retriever", run_id)):  # a run name hides the retriever's own
            return
        resource = self._find_resource(name, ActionKind.RETRIEVAL)
        with _event_session_scope(kwargs):
            self._begin_run(run_id, self._halo.build_call(resource, {"query": query}, abilities=_ABILITIES))

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Decide a model call that the middleware has not decided."""
        self._start_model(serialized, [message for batch in messages for message in batch], run_id, kwargs)

    def on_llm_start(
        self, serialized: dict[str, Any] | None, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """As `on_chat_model_start`, for text models."""
        self._start_model(serialized, [HumanMessage(prompt, name="prompt") for prompt in prompts], run_id, kwargs)

    def _start_model(
        self, serialized: dict[str, Any] | None, messages: list[BaseMessage], run_id: UUID, kwargs: dict[str, Any]
    ) -> None:
        if claim_run(self._halo, RunStart("model", run_id, source=serialized, messages=messages)):
            return
        settings = kwargs.get("invocation_params") or {}
        traced_name = (kwargs.get("metadata") or {}).get("ls_model_name")
        raw_name = traced_name or settings.get("model") or settings.get("model_name") or _class_name(serialized)
        name = clean_name(str(raw_name))
        with _event_session_scope(kwargs):
            self._begin_run(run_id, build_inference_call(self._halo, name, messages, settings.get("tools")))

    # ends

    def on_tool_end(self, output: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the result."""
        self._end_run(run_id, output, _TEXT_SURFACE)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Drop what may not be used, in place, and record the result."""
        arrived = list(documents)
        used = self._end_run(run_id, arrived, DOCUMENTS_SURFACE)
        if used is not arrived:
            documents[:] = used

    def on_llm_end(self, response: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record what the model said."""
        self._end_run(run_id, response, _MODEL_SURFACE)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the error."""
        if (ticket := self._pop_ticket(run_id)) is not None:
            _ObservedRun(self._halo.enforcer, None, _TEXT_SURFACE).finish_failed(ticket, error)

    on_retriever_error = on_llm_error = on_tool_error

    # parts

    def _find_resource(self, name: str, kind: ActionKind) -> Resource:
        resource = self._halo.find_registered(name)
        # A tool may be registered as a retrieval.
        kinds = (kind, ActionKind.RETRIEVAL)
        return resource if resource is not None and resource.kind in kinds else make_unregistered_resource(name, kind)

    def _begin_run(self, run_id: UUID, call: Call) -> None:
        with self._lock:
            if run_id in self._open_runs:  # installed twice: the other one decides this run, and raises for both
                return
            self._open_runs[run_id] = None
            # A run that never ends (an abandoned stream) stays "outcome unknown" in the ledger.
            while len(self._open_runs) > _MAX_OPEN:
                self._open_runs.popitem(last=False)
        try:
            ticket = self._halo.enforcer.begin(call)
        except BaseException:
            self._pop_ticket(run_id)
            raise
        with self._lock:
            self._open_runs[run_id] = ticket

    def _pop_ticket(self, run_id: UUID) -> Ticket | None:
        with self._lock:
            return self._open_runs.pop(run_id, None)

    def _end_run(self, run_id: UUID, result: Any, surface: Surface[Any]) -> Any:
        ticket = self._pop_ticket(run_id)
        return result if ticket is None else _ObservedRun(self._halo.enforcer, None, surface).finish(ticket, result)


class _ObservedRun(GovernedAction[Any]):
    """A run that the framework carries out: decided in one event, recorded in another; it raises its errors itself."""

    steering_errors = (BaseException,)


def _class_name(serialized: Mapping[str, Any] | None) -> str:
    path = (serialized or {}).get("id") or []
    return str(path[-1] if path else (serialized or {}).get("name") or "model")


def _event_session_scope(kwargs: Mapping[str, Any]) -> ContextVarScope:
    """The session of this context, else LangGraph's thread where the event tells it."""
    return fallback_session_scope(lambda: find_event_session(kwargs.get("metadata") or {}))
