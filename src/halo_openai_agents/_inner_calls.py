"""Decides calls of unguarded tools, models and MCP servers that code inside a guarded run makes directly.

Examples are a tool's body or a hook that calls `on_invoke_tool` of another tool, and a guardrail that asks a model with
`get_response`. The body of a guarded tool counts as inside even if no guarded run calls it (a realtime agent, a
script).

Examples are a tool's body or a hook that calls `on_invoke_tool` of another tool, and a guardrail that asks a model
with `get_response`. The SDK has no hook for any of these, so `watch_inner_calls` wraps what they come to, once for
the process: the invoker that `function_tool` makes, `on_invoke_tool` of tools that were made of a function of one's
own, the Python function that a tool gives as its `__wrapped__`, `call_tool` of MCP servers, and the methods of models.
Outside of a guarded run, and for what carries a guard, a wrapped method only reads a context variable. Inside of one
the call is that of a guarded copy, decided as undeclared under its own name; where another tool has that name it is
refused.

Not seen: functions that nobody reads from a tool, clients, fresh contexts.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, Model
from agents import tool as sdk
from agents.mcp import MCPServer

from halo_core.enforcement.class_hooks import watch_classes, wrap_methods
from halo_core.enforcement.guards import choose_model_name, clean_name
from halo_core.enforcement.shadow_activity import refuse_unguarded
from halo_core.enforcement.stand_ins import find_stand_in, make_stand_in
from halo_core.errors import ConfigError
from halo_core.model import Mode
from halo_openai_agents._agents import guard_started_tool
from halo_openai_agents._mcp import find_server_guard, guard_server
from halo_openai_agents._models import guard_model, is_called_by_its_replacement
from halo_openai_agents._runs import find_enclosing_halo
from halo_openai_agents._tools import claim_server_call, is_called_by_runner
from halo_openai_agents._translate import GUARD_ATTRIBUTE, find_guard

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_MAX_COPIES: Final = 4_096


class InnerGuards:
    """Guarded copies of objects that one Halo saw called inside guarded runs, the newest 4,096.

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

    def find_server(self, server: MCPServer) -> MCPServer:
        """The guarded copy of a server."""
        copied: MCPServer = self._find(server, _guard_seen_server)
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


def _guard_seen_server(halo: Halo, server: MCPServer) -> MCPServer:
    return guard_server(halo, server, None)


def _guard_seen_model(halo: Halo, model: Model) -> Model:
    return guard_model(halo, model, halo.register_seen_model(choose_model_name(model)))


# tools

_INVOKER: Final[Any] = sdk._FailureHandlingFunctionToolInvoker  # noqa: SLF001  what `function_tool` makes
_CALL: Final = _INVOKER.__call__


async def _call_invoker(self: Any, ctx: Any, input: str) -> Any:  # noqa: A002  the SDK's name
    halo, tool = find_enclosing_halo(), self._function_tool
    if halo is None or tool is None or hasattr(self, GUARD_ATTRIBUTE) or is_called_by_runner(tool.name, ctx):
        return await _CALL(self, ctx, input)
    return await halo.inner_guards.find_tool(tool).on_invoke_tool(ctx, input)


class _WatchedFunction:
    """A tool's function as read by code inside a guarded run, where its calls are decided."""

    def __init__(self, tool: FunctionTool, function: Callable[..., Any]) -> None:
        self.tool = tool
        self.function = function
        functools.update_wrapper(self, function, updated=())
        del self.__dict__["__wrapped__"]  # nothing leads past it

    async def __call__(self, context: Any, text: str) -> Any:
        halo, tool = find_enclosing_halo(), self.tool
        if halo is None or is_called_by_runner(tool.name, context):
            return await self.function(context, text)
        return await halo.inner_guards.find_tool(tool).on_invoke_tool(context, text)


_FIELD: Final = "on_invoke_tool"
_COPY_KEY: Final = "_halo_watched_function"


class _FunctionField:
    """Takes the place of a function tool's field for its function; a plain field outside guarded runs."""

    def __get__(self, tool: FunctionTool | None, _owner: Any = None) -> Any:
        if tool is None:  # as the dataclass has no default for it
            raise AttributeError(_FIELD)
        try:
            function = tool.__dict__[_FIELD]
        except KeyError:
            raise AttributeError(_FIELD) from None
        if find_enclosing_halo() is None or isinstance(function, _INVOKER) or hasattr(function, GUARD_ATTRIBUTE):
            return function
        watched = tool.__dict__.get(_COPY_KEY)  # the SDK asks whether it is still the same
        if watched is None or watched.tool is not tool or watched.function is not function:
            watched = tool.__dict__[_COPY_KEY] = _WatchedFunction(tool, function)
        return watched

    def __set__(self, tool: FunctionTool, value: Any) -> None:
        # A copy that was made inside a guarded run is a tool of its own.
        tool.__dict__[_FIELD] = value.function if isinstance(value, _WatchedFunction) else value


_WRAPPED_FIELD: Final = "__wrapped__"
_WRAPPED: Final[Any] = vars(FunctionTool)[_WRAPPED_FIELD]


class _WrappedField:
    """Stands for the SDK's own way from a tool to the Python function behind it."""

    def __get__(self, tool: FunctionTool | None, owner: Any = None) -> Any:
        function = _WRAPPED.__get__(tool, owner)
        if find_enclosing_halo() is None or tool is None or find_guard(tool) is not None:
            return function

        def call_function(*args: Any, **kwargs: Any) -> Any:
            halo = find_enclosing_halo()
            decided = function if halo is None else halo.inner_guards.find_tool(tool).__wrapped__
            return decided(*args, **kwargs)

        is_async = inspect.iscoroutinefunction(function)
        return find_stand_in(
            tool, _WRAPPED_FIELD, function, lambda: make_stand_in(function, call_function, is_async=is_async)
        )

    def __set__(self, tool: FunctionTool, value: Any) -> None:
        _WRAPPED.__set__(tool, value)


# servers


def _watch_call_tool(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call_tool(self: Any, tool_name: str, arguments: Any, *args: Any, **kwargs: Any) -> Any:
        halo = find_enclosing_halo()
        if (
            halo is None
            or find_server_guard(self) is not None
            or claim_server_call(halo, tool_name, dict(arguments or {}))
        ):
            return await method(self, tool_name, arguments, *args, **kwargs)
        server = halo.inner_guards.find_server(self)
        if halo.find_registered(clean_name(tool_name)) is None:
            with suppress(Exception):  # a tool of which no listing is to be had has no grant
                await server.list_tools()
        return await server.call_tool(tool_name, arguments, *args, **kwargs)

    return make_stand_in(method, call_tool, is_async=True)


# models


def _find_decided_copy(model: Model) -> Model:
    """The object that decides a model's call: its guarded copy inside a guarded run, else the model itself."""
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


def _watch_response(method: Callable[..., Any]) -> Callable[..., Any]:
    async def get_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        decided = _find_decided_copy(self)
        return await (method(self, *args, **kwargs) if decided is self else decided.get_response(*args, **kwargs))

    return make_stand_in(method, get_response, is_async=True)


def _watch_stream(method: Callable[..., Any]) -> Callable[..., Any]:
    def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        decided = _find_decided_copy(self)
        stream: AsyncIterator[Any] = (
            method(self, *args, **kwargs) if decided is self else decided.stream_response(*args, **kwargs)
        )
        return stream

    return make_stand_in(method, stream_response)


_WATCHERS: Final[Mapping[type[Any], Mapping[str, Callable[[Any], Any]]]] = {
    Model: {"get_response": _watch_response, "stream_response": _watch_stream},
    MCPServer: {"call_tool": _watch_call_tool},
}


@functools.cache
def watch_inner_calls() -> None:
    """Wrap the functions that run tools, and the methods of all models and servers, present and future."""
    _INVOKER.__call__ = make_stand_in(_CALL, _call_invoker, is_async=True)
    setattr(FunctionTool, _FIELD, _FunctionField())
    setattr(FunctionTool, _WRAPPED_FIELD, _WrappedField())
    for base, watchers in _WATCHERS.items():
        watch_classes(base, functools.partial(_watch_class, watchers))


def _watch_class(watchers: Mapping[str, Callable[[Any], Any]], kind: type[Any]) -> None:
    wrap_methods(kind, watchers, lambda method, name: watchers[name](method))
