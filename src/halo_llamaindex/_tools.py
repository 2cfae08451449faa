"""Guarded tools of LlamaIndex: copies of tools and functions, and their calls as actions of the one flow.

The functions of a `FunctionTool` are wrapped, so that calls are decided with the arguments as executed, including those
that the host fixed, on every path (`call`, `acall`, `fn`, `async_fn`, `real_fn`). Any other tool is decided on entry,
by a subclass that is made here, and the objects that it holds (a query engine, a retriever) are guarded in the copy.
"""

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.tools import BaseTool, FunctionTool, ToolOutput
from llama_index.core.tools.types import BaseToolAsyncAdapter

from halo_core.enforcement.call import Call
from halo_core.enforcement.guarded_calls import GuardedCall, make_governed_method, make_governed_methods
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    get_guard,
    make_unregistered_resource,
    overrides_entry_point,
    require_guard,
)
from halo_core.enforcement.mcp_listings import ListedToolGuard, describe_for_guess
from halo_core.enforcement.reversals import Reverser
from halo_core.errors import Denied
from halo_core.model import ActionKind, Resource
from halo_llamaindex._mcp import admit_tools, find_listed_tool
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._results import TOOL_RESULT_SURFACE
from halo_llamaindex._runs import (
    CallCounter,
    body_values,
    inner_values,
    make_nested_call_id,
    make_spanless_subclass,
    run_context_values,
)
from halo_llamaindex._translate import Binder, tool_schema, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

BINDER_ATTRIBUTE: Final = "_halo_binder"


class ToolCall(LlamaIndexAction, GuardedCall):
    """A call of a function in a guarded tool."""

    call_id = ""
    owner: Any = None
    """See `InnerScope`."""

    def get_call_id(self, arguments: Mapping[str, Any]) -> str:
        """The call's id, the same when a waiting step runs again."""
        return make_nested_call_id(self.guard.resource.id, arguments)

    def build_call(self) -> Call:
        call = super().build_call()
        self.call_id = call.call_id
        return call

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Context variables in which the body's own calls are numbered for this call."""
        programs = tuple(
            text for name, _ in self.guard.resource.list_programs() if isinstance(text := self.arguments.get(name), str)
        )
        values = (*body_values(), *inner_values(self.halo, owner=self.owner, programs=programs))
        if self.outer_call is not None:
            return values
        counter = CallCounter(self.call_id) if self.call_id else None
        return *values, *run_context_values(call_counter=counter)


class ToolEntryCall(ToolCall):
    """A call of a guarded tool's `__call__`, `call` or `acall`, which may reach its function."""

    def __init__(self, method: Callable[..., Any], _name: str, tool: Any, *args: Any, **kwargs: Any) -> None:
        self.tool = tool
        guard, binder = self.find_guard(tool)
        super().__init__(guard, binder, functools.partial(method, tool), args, kwargs, allows_reentry=True)

    def find_guard(self, tool: Any) -> tuple[GuardMetadata, Binder]:
        """The guard of the tool, and the binder of its arguments."""
        return require_guard(tool), tool.__dict__[BINDER_ATTRIBUTE]

    def return_denied(self, denied: Denied) -> Any:
        """Like `GuardedCall`, in the form of a tool's result."""
        earlier = super().return_denied(denied)
        if not isinstance(earlier, str):
            return earlier
        return ToolOutput(content=earlier, tool_name=self.tool.metadata.get_name(), raw_input={}, raw_output=earlier)


TOOL_ENTRY_POINTS: Final = ("__call__", "call", "acall")


def _overrides_entry_points(kind: type[BaseTool]) -> bool:
    """Whether a class of function tools overrides entry points, which then may not reach its function."""
    return any(overrides_entry_point(kind, name, FunctionTool.__module__) for name in TOOL_ENTRY_POINTS)


@functools.lru_cache(maxsize=256)
def _make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `__call__`, `call` and `acall` are decided; once if one calls another."""
    return make_spanless_subclass(kind, make_governed_methods(kind, TOOL_ENTRY_POINTS, ToolEntryCall))


_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn")
_FRAMEWORK: Final = "llama_index.core."
_THREADED_PREFIX: Final = "sync_to_async."
"""Prefix of the names of asynchronous functions that the framework makes of synchronous ones."""


def as_tool(function: Callable[..., Any]) -> FunctionTool:
    """A function as a tool, described by its signature and docstring."""
    return FunctionTool.from_defaults(fn=function)


def list_parts(tool: Any) -> Any:
    """The parts that distinguish a tool from another with its name: its function, or everything it holds."""
    return tool.real_fn if isinstance(tool, FunctionTool) else tool


def guard_tool(halo: Halo, tool: BaseTool, resource: Resource | None, reverser: Reverser | None = None) -> BaseTool:
    """Register a tool and return its guarded copy; `reverser` says how its effects are reversed.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    tool = unwrap_tool(tool)
    guard = get_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None and reverser is None:
            return tool
        tool = guard.original
    schema = tool_schema(tool, getattr(tool, "partial_params", None) or ())
    name, description = tool.metadata.get_name(), tool.metadata.description
    listed, make_guard = find_listed_tool(tool), None
    if listed is not None:
        server, listed_name = listed[0], listed[1].name
        admit_tools(halo, [tool])
        make_guard = functools.partial(ListedToolGuard, server=server, listed_name=listed_name)
        if halo.mcp_listings.is_refused(server, listed_name):  # no grant, and no other tool's name
            unregistered = make_unregistered_resource(f"{server}/{name}", ActionKind.TOOL_CALL)
            return copy_with_guard(halo, tool, unregistered, make_guard)
        description = describe_for_guess(listed[1])
    registered = halo.register_tool(name, resource, description, schema, reverser=reverser)
    halo.originals.note(registered.id, tool)
    halo.inner_guards.forget(tool)
    if isinstance(tool, FunctionTool):
        halo.functions_by_tool[registered.id] = tool.real_fn
        halo.register_runner(registered, tool.real_fn)
    return copy_with_guard(halo, tool, registered, make_guard)


def copy_with_guard(
    halo: Halo,
    tool: BaseTool,
    resource: Resource | None = None,
    make_guard: Callable[..., GuardMetadata] | None = None,
) -> BaseTool:
    """Make a guarded copy of a tool; without a resource it is unregistered, even if something else has its name."""
    if type(tool) is BaseToolAsyncAdapter:
        return BaseToolAsyncAdapter(copy_with_guard(halo, unwrap_tool(tool), resource, make_guard))
    name = tool.metadata.get_name()
    make_guard = make_guard or (UnregisteredGuard if resource is None else GuardMetadata)
    guard = make_guard(
        halo, tool, name, resource or make_unregistered_resource(name, ActionKind.TOOL_CALL), TOOL_RESULT_SURFACE
    )
    guarded = copy.copy(tool)
    function = tool.real_fn if isinstance(tool, FunctionTool) else None
    if isinstance(tool, FunctionTool):
        for attribute in _FUNCTION_FIELDS:
            guarded.__dict__[attribute] = govern_function(guard, tool, attribute)
    if function is None or _overrides_entry_points(type(tool)):
        # Where it comes down to its function with the same arguments, that is the same call.
        guarded.__dict__[BINDER_ATTRIBUTE] = Binder.for_tool(tool, function)
        object.__setattr__(guarded, "__class__", _make_entry_class(type(tool)))
    attach_guard(guarded, guard)
    return guarded


def _get_function(tool: Any, attribute: str) -> Callable[..., Any]:
    """A function in a tool; one that LlamaIndex runs in a thread keeps its context.

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


def govern_function(guard: GuardMetadata, tool: FunctionTool, attribute: str) -> Callable[..., Any]:
    """A function that a tool holds in an attribute, each call of it decided."""
    function = _get_function(tool, attribute)
    is_adapter = str(getattr(function, "__module__", "")).startswith(_FRAMEWORK)
    # A function has an order of parameters of its own; the framework's adapters have none.
    binder = Binder.for_tool(tool, tool.real_fn if is_adapter else function)
    is_async = function is tool._async_fn or asyncio.iscoroutinefunction(function)  # noqa: SLF001  the tool's own part

    def make_call(*args: Any, **kwargs: Any) -> ToolCall:
        return ToolCall(guard, binder, function, args, kwargs)

    return make_governed_method(function, make_call, is_async=is_async)
