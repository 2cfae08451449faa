"""Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

Room: the class of a guarded tool that is no function. Takes: a tool's class. Gives: one whose ways in are decided.

Never: decides itself, holds anything of one tool.

Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

A `FunctionTool` has its functions wrapped: with the arguments as executed, whatever the host fixed among them, on every
path (`call`, `acall`, `fn`, `async_fn`, `real_fn`). Any other tool is decided where it is entered, and what it holds (a
query engine, a retriever) is guarded on the copy. Never: decides, changes the original.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.tools import BaseTool, FunctionTool, ToolOutput
from llama_index.core.tools.types import BaseToolAsyncAdapter

from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    choose_resource_id,
    get_guard,
    is_generated_class,
    make_unregistered_resource,
    require_guard,
)
from halo_core.model import ActionKind, Resource
from halo_llamaindex._arguments import Binder
from halo_llamaindex._results import TOOL_RESULT_SURFACE
from halo_llamaindex._runs import make_spanless_subclass
from halo_llamaindex._tool_calls import arun_guarded_call, run_guarded_call
from halo_llamaindex._translate import tool_schema, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = [
    "BINDER_ATTRIBUTE",
    "as_tool",
    "copy_with_guard",
    "guard_tool",
    "make_entry_class",
    "overrides_entry_points",
]


BINDER_ATTRIBUTE: Final = "_halo_binder"
_ENTRY_POINTS: Final = ("__call__", "call", "acall")
_FRAMEWORK_TOOLS: Final = "llama_index.core.tools."


def overrides_entry_points(kind: type[BaseTool]) -> bool:
    """Whether a kind of function tool has entry points of its own, which need not come to its function."""
    return any(_find_defining_class(kind, name) is not FunctionTool for name in _ENTRY_POINTS)


def _find_defining_class(kind: type[Any], name: str) -> type[Any] | None:
    return next((base for base in kind.__mro__ if name in base.__dict__ and not is_generated_class(base)), None)


def _to_tool_output(tool: BaseTool, result: Any) -> Any:
    """A result recalled from the ledger as the tool would give it."""
    if not isinstance(result, str):
        return result
    return ToolOutput(content=result, tool_name=tool.metadata.get_name(), raw_input={}, raw_output=result)


def _wrap_method(kind: type[BaseTool], name: str) -> Callable[..., Any]:
    function = getattr(kind, name)

    if name == "acall":

        @functools.wraps(function)
        async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
            guard, binder = require_guard(self), self.__dict__[BINDER_ATTRIBUTE]
            return _to_tool_output(
                self,
                await arun_guarded_call(
                    guard, binder, functools.partial(function, self), args, kwargs, allows_reentry=True
                ),
            )

        return acall

    @functools.wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, binder = require_guard(self), self.__dict__[BINDER_ATTRIBUTE]
        return _to_tool_output(
            self, run_guarded_call(guard, binder, functools.partial(function, self), args, kwargs, allows_reentry=True)
        )

    return call


@functools.lru_cache(maxsize=256)
def make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `__call__`, `call` and `acall` are decided, once for each call however they lead to each other."""
    return make_spanless_subclass(
        kind, {name: _wrap_method(kind, name) for name in _ENTRY_POINTS if hasattr(kind, name)}
    )


_TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn")
_FRAMEWORK: Final = "llama_index.core."
_THREADED_PREFIX: Final = "sync_to_async."
"""How the names of functions begin that the framework makes of a synchronous one."""


def as_tool(function: Callable[..., Any]) -> FunctionTool:
    """A function as a tool, described by its signature and docstring."""
    return FunctionTool.from_defaults(fn=function)


def guard_tool(halo: Halo, tool: BaseTool, resource: Resource | None) -> BaseTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    tool = unwrap_tool(tool)
    guard = get_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None:
            return tool
        tool = guard.original
    name = choose_resource_id(resource, tool.metadata.get_name())
    if resource is None:
        resource = halo.find_declared(name, ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
    kind = resource.kind if resource is not None and resource.kind in _TOOL_KINDS else ActionKind.TOOL_CALL
    schema = tool_schema(tool, getattr(tool, "partial_params", None) or ())
    registered = halo.register(kind, name, resource=resource, description=tool.metadata.description, schema=schema)
    if isinstance(tool, FunctionTool):
        halo.functions_by_tool[registered.id] = tool.real_fn
    return copy_with_guard(halo, tool, registered)


def copy_with_guard(halo: Halo, tool: BaseTool, resource: Resource | None = None) -> BaseTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name."""
    if type(tool) is BaseToolAsyncAdapter:
        return BaseToolAsyncAdapter(copy_with_guard(halo, unwrap_tool(tool), resource))
    name = tool.metadata.get_name()
    kind = UnregisteredGuard if resource is None else GuardMetadata
    guard = kind(
        halo, tool, name, resource or make_unregistered_resource(name, ActionKind.TOOL_CALL), TOOL_RESULT_SURFACE
    )
    guarded = copy.copy(tool)
    function = tool.real_fn if isinstance(tool, FunctionTool) else None
    binder = Binder.for_tool(tool, function)
    if isinstance(tool, FunctionTool):
        for attribute in _FUNCTION_FIELDS:
            guarded.__dict__[attribute] = _wrap_function(guard, tool, _get_function(tool, attribute), binder)
    if function is None or overrides_entry_points(type(tool)):
        # Where it comes down to its function with the same arguments, that is the same call.
        guarded.__dict__[BINDER_ATTRIBUTE] = binder
        object.__setattr__(guarded, "__class__", make_entry_class(type(tool)))
    attach_guard(guarded, guard)
    return guarded


def _get_function(tool: Any, attribute: str) -> Callable[..., Any]:
    """A function that a tool holds; one that LlamaIndex runs in a thread, with its context.

    Releases before 0.14.25 left that behind, and with it the session of what the body does.
    """
    stored: Callable[..., Any] = getattr(tool, attribute)
    if attribute != "_async_fn" or not getattr(stored, "__qualname__", "").startswith(_THREADED_PREFIX):
        return stored
    function = tool.fn

    @functools.wraps(function)
    async def threaded(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(function, *args, **kwargs)

    return threaded


def _wrap_function(
    guard: GuardMetadata, tool: FunctionTool, function: Callable[..., Any], binder: Binder
) -> Callable[..., Any]:
    if not str(getattr(function, "__module__", "")).startswith(_FRAMEWORK):
        binder = Binder.for_tool(tool, function)  # its own order of parameters; the framework's adapters have none
    if function is tool._async_fn or asyncio.iscoroutinefunction(function):  # noqa: SLF001  the tool's own part

        async def await_result(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)  # of a decorated one only what it gives tells that it is one
            return await result if inspect.isawaitable(result) else result

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await arun_guarded_call(guard, binder, await_result, args, kwargs)

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run_guarded_call(guard, binder, function, args, kwargs)

    return call
