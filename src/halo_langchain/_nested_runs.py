"""Hooks that give LangChain the callback of a `Halo` for runs that start inside a guarded run.

A tool, model or graph without a guard is decided if it starts inside a guarded run. Inside means one of:

- the context in which a guarded graph, tool, retriever or model runs (`current_enclosure`);
- the run of an agent that has the middleware (`current_enclosure`);
- the run context of a chain that has a `halo.callback()`;
- a thread that was started in one of these. It has no session, so what starts there without one is denied.

LangChain reads a configure hook before each run that it starts. Inside a guarded run the hook returns the callback of
that `Halo`, whatever `callbacks=` the call itself names; outside it returns None. A graph that starts inside is
replaced by its guarded copy, so that its tools pause and are restricted like any guarded tool, and an agent acts under
its own name.

Code that calls what is behind an entry point (`_run`, `_generate`, a tool's `func`) starts no run: `_body_calls`
decides it. Not seen are plain functions, and code in a fresh context (`halo.install()` refuses what starts there).
"""

from __future__ import annotations

import sys
import threading
from asyncio import _get_running_loop
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables.base import RunnableBindingBase, RunnableSequence
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool
from langchain_core.tracers.context import register_configure_hook
from langgraph.pregel import Pregel

from halo_core.enforcement.bodies import enter_body
from halo_core.enforcement.body_threads import ContextValue, carry_calls_into_threads, carry_into_threads
from halo_core.enforcement.class_hooks import watch_classes, wrap_methods
from halo_core.enforcement.guards import clean_name, get_guard
from halo_core.enforcement.stand_ins import make_stand_in
from halo_core.enforcement.steps import astream, emit_parts, stream
from halo_core.errors import ConfigError, Denied
from halo_langchain._agents import guard_started_graph
from halo_langchain._body_calls import watch_body_calls
from halo_langchain._callback import HaloCallback
from halo_langchain._decision_models import watch_decision_models
from halo_langchain._executors import watch_executors
from halo_langchain._middleware import AgentEnclosure, find_agent_halo
from halo_langchain._remote_graphs import watch_remote_graphs
from halo_langchain._runs import current_enclosure, enclosure_scope, enclosure_values, note_starting, take_own_start

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler

    from halo_langchain import Halo

_MAX_GRAPHS: Final = 128
_AGENT_FACTORIES: Final = frozenset(("langchain_create_agent", "deepagents"))


class _EnclosureHook:
    """Takes the place of a configure hook's context variable: LangChain calls `get` before it starts a run.

    `get` also notes which object starts the run (`_note_caller`), and takes the note of a guard that it starts the run
    itself (`take_own_start`). LangChain offers no other moment for either.
    """

    def get(self) -> BaseCallbackHandler | None:
        """The callback; None outside guarded runs, and for runs that a guard starts and decides."""
        enclosure = current_enclosure()
        if enclosure is None or take_own_start():
            return None
        _note_caller()
        callback: HaloCallback = enclosure.halo.nested_callback
        _note_body(callback)
        return callback


class _ChainHook:
    """Like `_EnclosureHook`, for a chain with a Halo's callback, which its inner runs get too."""

    def get(self) -> BaseCallbackHandler | None:
        """The callback; None outside such a chain."""
        callback = _find_chain_callback()
        if callback is not None:
            _note_caller()
            _note_body(callback)
        elif _callbacks_are_used and current_enclosure() is None and _is_given_callback():
            _note_caller()  # the callback is there already
        return callback


_callbacks_are_used = False


def note_callback_use() -> None:
    """From now on, let the hooks also look at runs that get a Halo's callback directly."""
    global _callbacks_are_used  # noqa: PLW0603  the framework's list of hooks is the process's too
    _callbacks_are_used = True


def _is_given_callback() -> bool:
    """Whether the run being configured has a Halo's callback among its own.

    They are arguments of LangChain's `_configure`, two frames up: it calls the hook, and the hook calls this.
    """
    try:
        given = sys._getframe(2).f_locals  # noqa: SLF001  no hook is given them
    except (AttributeError, ValueError):
        return False
    names = ("inheritable_callbacks", "local_callbacks")
    return any(_find_callback(given.get(name)) is not None for name in names)


def _note_body(callback: HaloCallback) -> None:
    """Note that this run starts in the body of a run that the callback decided.

    The callback hears of that run in the context of its caller, or in a thread. The first run that starts in the body
    is configured in the context of the body, with the decided run as its parent.
    """
    config = var_child_runnable_config.get()
    manager = None if config is None else config.get("callbacks")
    body = callback.find_body(getattr(manager, "parent_run_id", None))
    if body is not None:
        enter_body(body)


_FRAMES_TO_CALLER: Final = 4
"""From `_note_caller` to the method that starts a run: the hook and two functions of LangChain stand between."""


def _note_caller() -> None:
    """Note the object that starts the run (the caller's `self`) and its keyword arguments."""
    try:
        frame = sys._getframe(_FRAMES_TO_CALLER)  # noqa: SLF001  nothing else tells a callback which object starts
    except (AttributeError, ValueError):
        return
    variables = frame.f_locals
    note_starting(variables.get("self"), variables.get("kwargs"))


class _TextModelHook:
    """Like `_EnclosureHook`, for text models in an event loop."""

    def get(self) -> BaseCallbackHandler | None:
        """The handler; None on a synchronous path, where the callback is called at every start."""
        if _get_running_loop() is None:
            return None
        enclosure = current_enclosure()
        callback = _find_chain_callback() if enclosure is None else enclosure.halo.nested_callback
        return None if callback is None else callback.text_model_callback


def _find_chain_callback() -> HaloCallback | None:
    config = var_child_runnable_config.get()
    return None if config is None else _find_callback(config.get("callbacks"))


def _find_callback(callbacks: Any) -> HaloCallback | None:
    """The Halo callback among a run's callbacks.

    Args:
        callbacks: a list, or a manager of callbacks.
    """
    handlers = callbacks if isinstance(callbacks, list) else getattr(callbacks, "handlers", None)
    for handler in handlers or ():
        if isinstance(handler, HaloCallback):
            return handler
    return None


def find_deciding_halo(config: Any = None) -> Any:
    """The `Halo` that decides what starts here or is called with a configuration; None if none does."""
    enclosure = current_enclosure()
    if enclosure is not None:
        return enclosure.halo
    callback = _find_chain_callback() or (_find_callback((config or {}).get("callbacks")) if config else None)
    return None if callback is None else callback.halo


def _find_carried_enclosure() -> ContextValue | None:
    """The Halo that decides what starts in a thread; without the session, which threads do not inherit."""
    enclosure = current_enclosure()
    if enclosure is None:
        callback = _find_chain_callback()
        if callback is None:
            return None
        enclosure = AgentEnclosure(callback.halo)
    return enclosure_values(enclosure)[0]


carry_into_threads(_find_carried_enclosure)
carry_calls_into_threads(BaseLanguageModel, BaseRetriever, BaseTool, Pregel, RunnableBindingBase, RunnableSequence)


# graphs


class StartedGraphs:
    """Guarded copies of graphs started inside something guarded, for one `Halo`. Thread-safe."""

    def __init__(self, halo: Halo) -> None:
        self._halo = halo
        self._copies: OrderedDict[int, tuple[Any, Any]] = OrderedDict()  # with the original, so that it stays
        self._lock = threading.RLock()

    def guard(self, graph: Any) -> Any:
        """The guarded copy of a graph; the same one for each run.

        Raises:
            Denied: it cannot be guarded (`needs_guard`).
        """
        with self._lock:
            earlier = self._copies.get(id(graph))
            if earlier is not None:
                return earlier[1]
            try:
                guarded = guard_started_graph(self._halo, graph, _find_agent_name(graph))
            except ConfigError as error:
                name = clean_name(graph.name)
                raise Denied("needs_guard", f"the graph `{name}`: {error.message}", remedy=error.remedy) from error
            self._copies[id(graph)] = graph, guarded
            while len(self._copies) > _MAX_GRAPHS:
                self._copies.popitem(last=False)
            return guarded


def _find_agent_name(graph: Any) -> str:
    """The agent name of a graph, as given to the function that made it; empty if there is none."""
    metadata = (graph.config or {}).get("metadata") or {}
    name = metadata.get("lc_agent_name")
    is_agent = metadata.get("ls_integration") in _AGENT_FACTORIES
    return clean_name(name) if is_agent and isinstance(name, str) and name else ""


def _watch_graph_method(name: str, drive_stream: Callable[..., Any]) -> None:
    """Watch a method that runs graphs.

    A graph that starts inside something guarded is replaced by its guarded copy. The run of an agent that has the
    middleware is an enclosure: what other hooks of the agent start is decided too.
    """
    original: Callable[..., Any] = getattr(Pregel, name)

    def run_graph(self: Any, *args: Any, **kwargs: Any) -> Any:
        if get_guard(self) is not None:
            return original(self, *args, **kwargs)
        enclosure = current_enclosure()
        if enclosure is not None:
            return getattr(enclosure.halo.started_graphs.guard(self), name)(*args, **kwargs)
        halo = find_agent_halo(self)
        if halo is None:
            return original(self, *args, **kwargs)
        agent = AgentEnclosure(halo)
        return drive_stream(emit_parts(original(self, *args, **kwargs), lambda: enclosure_scope(agent)))

    setattr(Pregel, name, make_stand_in(original, run_graph))


# tools with entry points of their own

_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun")


def _watch_tool_class(kind: type[Any]) -> None:
    """Decide calls of a tool class at overridden entry points, which may start no run."""
    if not kind.__module__.startswith("langchain_core."):
        wrap_methods(kind, _ENTRY_POINTS, _wrap_entry_point)


def _wrap_entry_point(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call_tool(self: Any, *args: Any, **kwargs: Any) -> Any:
        enclosure = current_enclosure()
        if enclosure is None or get_guard(self) is not None:
            return method(self, *args, **kwargs)
        return getattr(enclosure.halo.first_seen.guard_started_tool(self), name)(*args, **kwargs)

    return make_stand_in(method, call_tool)


_LOCK: Final = threading.Lock()
_ENCLOSURE_HOOK: Final[Any] = _EnclosureHook()
_CHAIN_HOOK: Final[Any] = _ChainHook()
_TEXT_MODEL_HOOK: Final[Any] = _TextModelHook()
_registered = False


def watch_nested_runs() -> None:
    """From now on, decide everything started inside guarded runs. Covers the modules imported so far."""
    global _registered  # noqa: PLW0603  the framework's list of hooks is the process's too
    watch_executors(find_deciding_halo)
    watch_decision_models(find_deciding_halo)
    watch_remote_graphs(find_deciding_halo)
    with _LOCK:
        if _registered:
            return
        register_configure_hook(_CHAIN_HOOK, inheritable=True)
        register_configure_hook(_ENCLOSURE_HOOK, inheritable=False)
        register_configure_hook(_TEXT_MODEL_HOOK, inheritable=False)
        _watch_graph_method("stream", stream)
        _watch_graph_method("astream", astream)
        watch_classes(BaseTool, _watch_tool_class)
        watch_body_calls(find_deciding_halo)
        _registered = True
