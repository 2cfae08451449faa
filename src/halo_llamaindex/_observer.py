"""Process-wide observers: one records what runs without a guard, once for each name; one notes the outermost runs.

They cannot refuse anything, because LlamaIndex swallows what its handlers raise. They see what opens a span: the
methods of LLMs, retrievers and tools. They do not see `.fn` of an unguarded tool, `_retrieve` of an unguarded
retriever, vector stores, raw SDK clients and plain functions. They read no argument values.
"""

from __future__ import annotations

import inspect
import threading
from contextlib import suppress
from typing import Any, ClassVar, Final, Self

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.tools import BaseTool
from llama_index_instrumentation import root_dispatcher
from llama_index_instrumentation.span.base import BaseSpan
from llama_index_instrumentation.span_handlers.base import BaseSpanHandler
from pydantic import PrivateAttr

from halo_core.enforcement.activities import begin_run_activity, end_run_activity
from halo_core.enforcement.guards import clean_name, get_guard
from halo_core.enforcement.session_context import in_body
from halo_core.facade import HaloBase
from halo_llamaindex._runs import current_inner_scope, is_part
from halo_llamaindex._translate import model_name

_OBSERVED_KINDS: Final[tuple[tuple[type[Any], str, tuple[str, ...]], ...]] = (
    (BaseLLM, "model", ("chat", "complete")),
    (BaseRetriever, "retriever", ("retrieve",)),
    (BaseTool, "tool", ("call", "__call__")),
)
"""What is observed: class, kind, and endings of method names."""


class _SpanObserver(BaseSpanHandler[BaseSpan]):
    """A span handler that keeps no spans."""

    def _ignore(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: no span is kept."""

    new_span: ClassVar[Any] = _ignore
    span_exit: ClassVar[Any] = _ignore
    span_drop: ClassVar[Any] = _ignore
    prepare_to_exit_span: ClassVar[Any] = _ignore
    prepare_to_drop_span: ClassVar[Any] = _ignore


class _RootObserver(_SpanObserver):
    """Notes where an outermost run (of a workflow or engine) begins and ends, for the session of its calls.

    Of a guarded object's own span it notes nothing: its calls by plain code are that code's.
    """

    @classmethod
    def class_name(cls) -> str:
        """Name of the handler, as the framework asks for it."""
        return "HaloRootObserver"

    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002  the base class's signature
        instance: Any | None = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,  # noqa: ARG002  as above
        **_kwargs: Any,
    ) -> None:
        """Note that a span begins, in the context of its function."""
        if not parent_id and not in_body() and get_guard(instance) is None:
            begin_run_activity("llamaindex", id_)

    def span_exit(self, id_: str, *_args: Any, **_kwargs: Any) -> None:
        """Note that a span ends."""
        end_run_activity(id_)

    def span_drop(self, id_: str, *_args: Any, **_kwargs: Any) -> None:
        """Note that a span ends with an error."""
        end_run_activity(id_)


_LOCK: Final = threading.Lock()


def observe_roots() -> None:
    """Have outermost runs noted from now on; once for the process."""
    with _LOCK:
        if not any(isinstance(item, _RootObserver) for item in root_dispatcher.span_handlers):
            root_dispatcher.add_span_handler(_RootObserver())


class HaloObserver(_SpanObserver):
    """Records what runs without a guard; it cannot refuse."""

    _halo: Any = PrivateAttr()

    def __init__(self, halo: HaloBase) -> None:
        super().__init__()
        self._halo = halo

    @classmethod
    def class_name(cls) -> str:
        """Name of the handler, as the framework asks for it."""
        return "HaloObserver"

    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002  the base class's signature
        instance: Any | None = None,
        parent_id: str | None = None,  # noqa: ARG002  as above
        tags: dict[str, Any] | None = None,  # noqa: ARG002  as above
        **_kwargs: Any,
    ) -> None:
        """Record the span's object if it is unguarded."""
        with suppress(Exception):  # it must not disturb what it cannot stop
            self._record_unguarded(id_, instance)

    def _record_unguarded(self, id_: str, instance: Any) -> None:
        if current_inner_scope() is not None:
            return  # decided there; see `_inner_calls`
        if isinstance(instance, StructuredLLM) or is_structured_answer_tool(instance):
            return  # it asks the LLM in it, which is looked at by itself
        method = id_.rpartition("-")[0] or id_
        for kind, word, method_suffixes in _OBSERVED_KINDS:
            if isinstance(instance, kind) and get_guard(instance) is None and not is_part(instance):
                if any(part.endswith(method_suffixes) for part in (method, id_.split("-", maxsplit=1)[0])):
                    self._halo.record_shadow(word, _describe(instance), "seen by the observer")
                return


def is_structured_answer_tool(tool: Any) -> bool:
    """Whether LlamaIndex made the tool from an answer's class; such a tool has no effect."""
    module = getattr(getattr(tool, "_real_fn", None), "__module__", "")
    return isinstance(module, str) and module.startswith("llama_index.core.program.")


def _describe(thing: Any) -> str:
    if isinstance(thing, BaseLLM):
        return model_name(thing)
    name = thing.metadata.name if isinstance(thing, BaseTool) else ""
    return clean_name(name or type(thing).__name__)


class InstalledObserver:
    """One installation of an observer, for the whole process."""

    def __init__(self, halo: HaloBase) -> None:
        self._observer = HaloObserver(halo)
        root_dispatcher.add_span_handler(self._observer)

    def uninstall(self) -> None:
        """Remove the observer; does nothing the second time."""
        root_dispatcher.span_handlers = [item for item in root_dispatcher.span_handlers if item is not self._observer]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.uninstall()
