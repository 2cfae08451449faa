"""Decides calls of what is behind LangChain's entry points: `_run`, `_generate`, a tool's `func`.

Code that wraps a tool, a model or a retriever often calls such a method of what it holds, past the entry point that
starts a run, so no callback is told. `watch_body_calls` stands in their place, once for the process, and so does what
is read as `func` and `coroutine` of a tool. Inside something guarded, and in a chain under a `halo.callback()`, such a
call is that of a guarded copy. It is none where LangChain's own code calls a method of the object at hand, since that
has started a run; nor where the object's own body calls it. Where nothing decides, the tripwire is told.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from contextvars import ContextVar
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, Tool

from halo_core.enforcement.class_hooks import watch_classes, wrap_methods
from halo_core.enforcement.guards import choose_model_name, get_guard
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.enforcement.stand_ins import find_original, find_stand_in, make_stand_in
from halo_core.enforcement.steps import astream, emit_parts, stream
from halo_core.errors import ConfigError, Denied
from halo_langchain._models import copy_model_with_guard
from halo_langchain._retrievers import copy_retriever_with_guard
from halo_langchain._runs import current_enclosure
from halo_langchain._translate import FRAMEWORK, model_name

if TYPE_CHECKING:
    from halo_langchain import Halo

_METHODS: Final[tuple[tuple[type[Any], tuple[str, ...]], ...]] = (
    (BaseTool, ("_run", "_arun")),
    (BaseRetriever, ("_get_relevant_documents", "_aget_relevant_documents")),
    (
        BaseLanguageModel,
        (
            *("_generate", "_agenerate", "_stream", "_astream", "_call", "_acall"),
            *("_generate_with_cache", "_agenerate_with_cache", "_generate_helper", "_agenerate_helper"),
        ),
    ),
)
_KINDS: Final[dict[type[Any], str]] = {BaseTool: "tool", BaseRetriever: "retriever", BaseLanguageModel: "model"}
UNGUARDED_OBSERVERS: Final[list[Callable[[str, str], None]]] = []
"""Told kind and name of what nothing decides; may refuse it by raising."""
UNGUARDED_WATCHES: Final[list[Callable[[], object]]] = []
"""Whether somebody is told of it now."""

_RUNNING_BODY: Final[ContextVar[Any]] = ContextVar("halo_langchain_running_body", default=None)
"""The object without a guard whose body runs."""
_DECIDING_HALO: Final[ContextVar[Any]] = ContextVar("halo_langchain_deciding_halo", default=None)
"""The `Halo` that decides what the running body calls; None if none does."""

FindHalo = Callable[..., Any]
"""Returns the `Halo` that decides what is called here, or with a configuration; None if none does."""


def _is_called_by_framework(x: Any, caller: types.FrameType) -> bool:
    """Whether LangChain's own entry point calls a method of the object it was called on.

    Neither the arguments nor the configuration tell: whoever wraps an object hands on those of the outer run.
    """
    module = caller.f_globals.get("__name__", "")
    return module.startswith(FRAMEWORK) and caller.f_locals.get("self") is x


def _copy_tool(halo: Halo, tool: Any) -> Any:
    return halo.first_seen.guard_started_tool(tool)


def _copy_retriever(halo: Halo, retriever: Any) -> Any:
    resource = halo.first_seen.find_retriever(retriever.get_name(), current_enclosure(), retriever)
    return copy_retriever_with_guard(halo, retriever, resource)


def _copy_model(halo: Halo, model: Any) -> Any:
    return copy_model_with_guard(halo, model, halo.register_seen_model(model_name(model)))


_COPIERS: Final[dict[type[Any], Callable[[Halo, Any], Any]]] = {
    BaseTool: _copy_tool,
    BaseRetriever: _copy_retriever,
    BaseLanguageModel: _copy_model,
}


def _find_decided_method(base: type[Any], x: Any, name: str, halo: Halo | None) -> Callable[..., Any] | None:
    """The method of the guarded copy that decides a call of a body; None if it needs no decision.

    Raises:
        Denied: it cannot be decided (`needs_guard`).
    """
    caller = sys._getframe(_FRAMES_TO_CALLER)  # noqa: SLF001  nothing else shows who calls
    if _RUNNING_BODY.get() is x or _is_called_by_framework(x, caller):
        return None
    return _take_decided_member(base, x, name, halo)


def _take_decided_member(base: type[Any], x: Any, name: str, halo: Halo | None) -> Callable[..., Any] | None:
    """The member of the guarded copy that decides; without a Halo, None once the observers were told.

    Raises:
        Denied: as `_find_decided_method`.
    """
    if halo is None:
        shown_name = choose_model_name(x) if base is BaseLanguageModel else x.get_name()
        for observe in UNGUARDED_OBSERVERS:
            observe(_KINDS[base], shown_name)
        return None
    try:
        member: Callable[..., Any] = getattr(_COPIERS[base](halo, x), name)
    except ConfigError as error:
        raise Denied("needs_guard", error.message, remedy=error.remedy) from error
    return member


_FRAMES_TO_CALLER: Final = 3
"""From `_find_decided_method` to whoever calls the body: two functions that stand in its place are between."""


# wrappers


def _wrap_body(base: type[Any], name: str, method: Callable[..., Any], find_halo: FindHalo) -> Callable[..., Any]:
    run_body = _choose_runner(method)

    def call_body(self: Any, *args: Any, **kwargs: Any) -> Any:
        if get_guard(self) is not None:
            return method(self, *args, **kwargs)
        # Steps of a chain are called with its callbacks, which their context does not hold in a batch.
        manager = kwargs.get("run_manager")
        halo = find_halo({"callbacks": manager} if manager is not None else None) or _DECIDING_HALO.get()
        if halo is None and not UNGUARDED_OBSERVERS:
            return method(self, *args, **kwargs)
        decided = _find_decided_method(base, self, name, halo)
        if decided is not None:
            return decided(*args, **kwargs)
        return run_body(self, halo, method, args, kwargs)

    return make_stand_in(method, call_body)


_Method = Callable[..., Any]
RunBody = Callable[[Any, Any, _Method, tuple[Any, ...], dict[str, Any]], Any]


def _choose_runner(method: Callable[..., Any]) -> RunBody:
    """The function that runs an object's body, so that its calls of the same object count as its own."""
    if iscoroutinefunction(method):
        return _run_async
    if isasyncgenfunction(method):
        return _run_async_stream
    return _run_stream if isgeneratorfunction(method) else _run_sync


def _enter_body(x: Any, halo: Any) -> ContextVarScope:
    return ContextVarScope((_RUNNING_BODY, x), (_DECIDING_HALO, halo))


def _run_sync(x: Any, halo: Any, method: _Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _enter_body(x, halo):
        return method(x, *args, **kwargs)


async def _run_async(x: Any, halo: Any, method: _Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _enter_body(x, halo):
        return await method(x, *args, **kwargs)


def _run_stream(x: Any, halo: Any, method: _Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return stream(emit_parts(method(x, *args, **kwargs), lambda: _enter_body(x, halo)))


def _run_async_stream(x: Any, halo: Any, method: _Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return astream(emit_parts(method(x, *args, **kwargs), lambda: _enter_body(x, halo)))


# functions of tools


class _FunctionField:
    """Stands for a field of a tool that holds a function; a plain field where nothing decides.

    Elsewhere code that reads it gets a function whose calls are decided. The tool's own code, LangChain's and ours get
    the tool's.
    """

    def __init__(self, name: str, find_halo: FindHalo) -> None:
        self._name = name
        self._find_halo = find_halo

    def __get__(self, tool: BaseTool | None, _owner: Any = None) -> Any:
        if tool is None or self._name not in tool.__dict__:  # as a field without a default on its class
            raise AttributeError(self._name)
        # A copy was made of what somebody had read here.
        function = find_original(tool.__dict__[self._name])
        if function is None or get_guard(tool) is not None:
            return function
        halo = self._find_halo() or _DECIDING_HALO.get()
        if halo is None and not any(watches() for watches in UNGUARDED_WATCHES):
            return function
        caller = sys._getframe(1)  # noqa: SLF001  nothing else shows who reads
        is_own = _RUNNING_BODY.get() is tool or _is_called_by_framework(tool, caller)
        if is_own or _is_ours(caller):
            return function
        return find_stand_in(tool, self._name, function, lambda: self._make_function(tool, function))

    def __set__(self, tool: BaseTool, value: Any) -> None:
        tool.__dict__[self._name] = value

    def _make_function(self, tool: BaseTool, function: Callable[..., Any]) -> Callable[..., Any]:
        is_async = self._name == "coroutine"
        run_body = _run_async if is_async else _choose_runner(function)

        def run_function(_tool: BaseTool, /, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        def call_function(*args: Any, **kwargs: Any) -> Any:
            halo = self._find_halo() or _DECIDING_HALO.get()
            if _RUNNING_BODY.get() is not tool and (halo is not None or UNGUARDED_OBSERVERS):
                decided = _take_decided_member(BaseTool, tool, self._name, halo)
                if decided is not None:
                    return decided(*args, **kwargs)
            return run_body(tool, halo, run_function, args, kwargs)

        return make_stand_in(function, call_function, is_async=is_async)


def _is_ours(caller: types.FrameType) -> bool:
    return str(caller.f_globals.get("__name__", "")).partition(".")[0] == "halo_langchain"


# classes


@functools.cache
def watch_body_calls(find_halo: FindHalo) -> None:
    """Wrap the bodies of all classes, present and future.

    Args:
        find_halo: who decides what starts here; None if nobody does.
    """
    for base, names in _METHODS:
        watch_classes(base, functools.partial(_watch_class, base, names, find_halo))
    for tool_class in (Tool, StructuredTool):
        for name in ("func", "coroutine"):
            type.__setattr__(tool_class, name, _FunctionField(name, find_halo))


def _watch_class(base: type[Any], names: tuple[str, ...], find_halo: FindHalo, kind: type[Any]) -> None:
    wrap_methods(kind, names, lambda method, name: _wrap_body(base, name, method, find_halo))
