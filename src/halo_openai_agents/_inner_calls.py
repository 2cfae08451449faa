"""Decides tools and models without a guard that code inside a guarded run calls by itself, past every runner.

The body of a guarded tool that no guarded run calls (a realtime agent, a script) is such a place too.

Examples are a tool's body or a hook that calls `on_invoke_tool` of another tool, and a guardrail that asks a model with
`get_response`. The SDK has no hook for either, so `watch_inner_calls` wraps what they come to, once for the process:
the invoker that `function_tool` makes, and the methods of models. Outside of a guarded run, and for what carries a
guard, a wrapped method only reads a context variable. Inside of one the call is that of a guarded copy, decided as
undeclared under its own name; where another tool has that name it is refused.

Not seen: a `FunctionTool` that somebody made of a function of their own, plain functions, clients, fresh
contexts.
"""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, Model
from agents import tool as sdk

from halo_core.enforcement.guards import GENERATED_MARK, choose_model_name
from halo_core.enforcement.shadow_activity import refuse_unguarded
from halo_core.errors import ConfigError
from halo_core.model import Mode
from halo_openai_agents._agents import guard_started_tool
from halo_openai_agents._models import guard_model, is_called_by_its_replacement
from halo_openai_agents._runs import find_enclosing_halo
from halo_openai_agents._tools import is_called_by_runner
from halo_openai_agents._translate import GUARD_ATTRIBUTE, find_guard

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_MAX_COPIES: Final = 4_096


class InnerGuards:
    """The guarded copies of what one Halo has seen called inside of guarded runs, the newest 4,096 of them.

    Args:
        halo: who decides.
    """

    def __init__(self, halo: Halo) -> None:
        self._halo = halo
        # By identity; with the original, so that nothing else takes its identity.
        self._copies: OrderedDict[int, tuple[Any, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def find_tool(self, tool: FunctionTool) -> FunctionTool:
        """The guarded copy of a tool."""
        copied: FunctionTool = self._find(tool, guard_started_tool)
        return copied

    def find_model(self, model: Model) -> Model:
        """The guarded copy of a model."""
        copied: Model = self._find(model, _guard_seen_model)
        return copied

    def _find(self, x: Any, make: Callable[[Any, Any], Any]) -> Any:
        with self._lock:
            entry = self._copies.get(id(x))
            if entry is None:
                entry = self._copies[id(x)] = x, make(self._halo, x)
                while len(self._copies) > _MAX_COPIES:
                    self._copies.popitem(last=False)
            return entry[1]


def _guard_seen_model(halo: Halo, model: Model) -> Model:
    return guard_model(halo, model, halo.register_seen_model(choose_model_name(model)))


# tools

_INVOKER: Final[Any] = sdk._FailureHandlingFunctionToolInvoker  # noqa: SLF001  what `function_tool` makes
_CALL: Final = _INVOKER.__call__


@functools.wraps(_CALL)
async def _call_invoker(self: Any, ctx: Any, input: str) -> Any:  # noqa: A002  the SDK's name
    halo, tool = find_enclosing_halo(), self._function_tool
    if halo is None or tool is None or hasattr(self, GUARD_ATTRIBUTE) or is_called_by_runner(tool.name, ctx):
        return await _CALL(self, ctx, input)
    return await halo.inner_guards.find_tool(tool).on_invoke_tool(ctx, input)


def is_watched_tool(tool: FunctionTool) -> bool:
    """Whether calls of a tool are seen, wherever they come from."""
    return isinstance(tool.on_invoke_tool, _INVOKER)


# models

_WATCHED: Final = "__halo_watched__"
_METHODS: Final = ("get_response", "stream_response")


def get_model_method(kind: type[Any], name: str) -> Any:
    """The method of this name that a class of models defines itself, as it was before it was watched; None for none."""
    method: Any = kind.__dict__.get(name)
    return inspect.unwrap(method, stop=lambda item: not hasattr(item, _WATCHED)) if callable(method) else method


def _find_decided_copy(model: Model) -> Model:
    """What decides a call of a model: its guarded copy where a guarded run is around it, else the model itself."""
    halo = find_enclosing_halo()
    if halo is None or find_guard(model) is not None or is_called_by_its_replacement(model):
        return model
    try:
        copied: Model = halo.inner_guards.find_model(model)
    except ConfigError as exc:
        name = choose_model_name(model)
        refused = halo.mode is Mode.ENFORCE
        halo.notify_once(f"model `{name}` cannot be guarded where it is called: {exc}")
        halo.record_shadow("model", name, "", refused=refused)
        if refused:  # INVARIANT: FAILCLOSED - what no guard can decide does not run
            refuse_unguarded(name)
        return model
    return copied


def _watch_model_class(kind: type[Any]) -> None:
    if GENERATED_MARK in kind.__dict__:
        return
    for name in _METHODS:
        method = kind.__dict__.get(name)
        if not isinstance(method, types.FunctionType) or hasattr(method, _WATCHED):
            continue
        if not getattr(method, "__isabstractmethod__", False):
            watched = _watch_stream(method) if name == "stream_response" else _watch_response(method)
            setattr(watched, _WATCHED, True)
            setattr(kind, name, watched)


def _watch_response(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def get_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        decided = _find_decided_copy(self)
        return await (method(self, *args, **kwargs) if decided is self else decided.get_response(*args, **kwargs))

    return get_response


def _watch_stream(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        decided = _find_decided_copy(self)
        stream: AsyncIterator[Any] = (
            method(self, *args, **kwargs) if decided is self else decided.stream_response(*args, **kwargs)
        )
        return stream

    return stream_response


def _iterate_subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in type.__subclasses__(kind):
        yield subclass
        yield from _iterate_subclasses(subclass)


@functools.cache
def watch_inner_calls() -> None:
    """Wrap the invoker of function tools, and the methods of the models there are and of those made from now on."""
    _INVOKER.__call__ = _call_invoker
    for kind in _iterate_subclasses(Model):
        _watch_model_class(kind)
    original = Model.__dict__.get("__init_subclass__")

    def init_subclass(cls: type[Any], /, **kwargs: Any) -> None:
        inherited = super(Model, cls).__init_subclass__ if original is None else original.__get__(None, cls)
        inherited(**kwargs)
        _watch_model_class(cls)

    Model.__init_subclass__ = classmethod(init_subclass)  # type: ignore[method-assign,assignment]
