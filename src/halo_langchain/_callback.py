"""Room: the callback handler, for plain chains. Takes: start and end events. Gives: a block, or documents dropped.

It decides what carries no guard mark. It is synchronous on purpose: LangChain logs and swallows what an asynchronous
handler raises on every synchronous path; and not inline, so that a decision never holds up an event loop. Never:
registers a tool or retriever that it happens to see.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, HumanMessage

from halo_core.model import ActionKind, Resource
from halo_core.pep import Call, Surface, Ticket
from halo_core.pep.names import clean_name, unknown
from halo_core.pep.plain import plain
from halo_core.session import current_session, in_session
from halo_langchain._context import Start, claimed
from halo_langchain._models.inference import inference
from halo_langchain._sessions import event_session
from halo_langchain._surfaces import DOCUMENTS
from halo_langchain._values.texts import model_output, result_text

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["HaloCallback"]

_MAX_OPEN: Final = 10_000
_ABILITIES: Final = ("drop_documents", "drop_labels")  # of a list of documents, which is changed in place
_TEXT: Final[Surface[Any]] = Surface(result_text)
_MODEL: Final[Surface[Any]] = Surface(model_output)


class HaloCallback(BaseCallbackHandler):
    """Blocks what a policy denies, in every call shape, unless a guard decides it."""

    raise_error = True
    run_inline = False

    def __init__(self, halo: Halo) -> None:
        super().__init__()
        self._halo = halo
        self._open: OrderedDict[UUID, Ticket | None] = OrderedDict()
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
        if claimed(self._halo, Start("tool", run_id, name)):
            return
        resource = self._known(name, ActionKind.TOOL_CALL)
        args = inputs if inputs is not None else {"tool_input": input_str}
        # The tool fills in the defaults of its schema; here is what it will run with.
        args = {**self._halo.argument_defaults(resource.id), **args}
        with _session(kwargs):
            call = self._halo.call(
                resource,
                {key: plain(value) for key, value in args.items()},
                call_id=str(kwargs.get("tool_call_id") or ""),
                abilities=(),
            )
            self._begin(run_id, call)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Decide a retriever that is not guarded; its documents can be dropped when they arrive."""
        name = str(kwargs.get("name") or (serialized or {}).get("name") or "")
        if claimed(self._halo, Start("retriever", run_id)):  # a run name hides the retriever's own
            return
        resource = self._known(name, ActionKind.RETRIEVAL)
        with _session(kwargs):
            self._begin(run_id, self._halo.call(resource, {"query": query}, abilities=_ABILITIES))

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Decide a model call that the middleware has not decided."""
        self._model(serialized, [message for batch in messages for message in batch], run_id, kwargs)

    def on_llm_start(
        self, serialized: dict[str, Any] | None, prompts: list[str], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """As `on_chat_model_start`, for text models."""
        self._model(serialized, [HumanMessage(prompt, name="prompt") for prompt in prompts], run_id, kwargs)

    def _model(
        self, serialized: dict[str, Any] | None, messages: list[BaseMessage], run_id: UUID, kwargs: dict[str, Any]
    ) -> None:
        if claimed(self._halo, Start("model", run_id, source=serialized, messages=messages)):
            return
        settings = kwargs.get("invocation_params") or {}
        traced = (kwargs.get("metadata") or {}).get("ls_model_name")
        named = traced or settings.get("model") or settings.get("model_name") or _class_name(serialized)
        name = clean_name(str(named))
        with _session(kwargs):
            self._begin(run_id, inference(self._halo, name, messages, settings.get("tools")))

    # ends

    def on_tool_end(self, output: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the result."""
        if (ticket := self._take(run_id)) is not None:
            ticket.succeed(output, _TEXT)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Drop what may not be used, in place, and record the result."""
        if (ticket := self._take(run_id)) is not None:
            kept = ticket.succeed(list(documents), DOCUMENTS)
            documents[:] = kept

    def on_llm_end(self, response: Any, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record what the model said."""
        if (ticket := self._take(run_id)) is not None:
            ticket.succeed(response, _MODEL)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the error."""
        self._fail(run_id, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the error."""
        self._fail(run_id, error)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_kwargs: Any) -> None:
        """Record the error."""
        self._fail(run_id, error)

    # parts

    def _known(self, name: str, kind: ActionKind) -> Resource:
        found = self._halo.registered(name)
        # A tool may be registered as a retrieval.
        kinds = (kind, ActionKind.RETRIEVAL)
        return found if found is not None and found.kind in kinds else unknown(name, kind)

    def _begin(self, run_id: UUID, call: Call) -> None:
        with self._lock:
            if run_id in self._open:  # installed twice: the other one decides this run, and raises for both
                return
            self._open[run_id] = None
            # A run that never ends (an abandoned stream) stays "outcome unknown" in the ledger.
            while len(self._open) > _MAX_OPEN:
                self._open.popitem(last=False)
        try:
            ticket = self._halo.enforcer.begin(call)
        except BaseException:
            self._take(run_id)
            raise
        with self._lock:
            self._open[run_id] = ticket

    def _take(self, run_id: UUID) -> Ticket | None:
        with self._lock:
            return self._open.pop(run_id, None)

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        if (ticket := self._take(run_id)) is not None:
            ticket.fail(error, passes=True)


def _class_name(serialized: Mapping[str, Any] | None) -> str:
    path = (serialized or {}).get("id") or []
    return str(path[-1] if path else (serialized or {}).get("name") or "model")


@contextmanager
def _session(kwargs: Mapping[str, Any]) -> Iterator[None]:
    """The session of this context, else LangGraph's thread where the event tells it."""
    if current_session() is not None:
        yield
        return
    session = event_session(kwargs.get("metadata") or {})
    if session is None:
        yield
        return
    with in_session(session):
        yield
