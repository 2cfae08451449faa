"""Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

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

from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.tools.types import BaseToolAsyncAdapter

from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, Strange, gate_of, put_gate, resource_name
from halo_core.pep.names import unknown
from halo_llamaindex._arguments import Binder
from halo_llamaindex._surfaces import TOOL_RESULT
from halo_llamaindex._tools.kind import BINDER, entry_class, own_entries
from halo_llamaindex._tools.run import arun_gated, run_gated
from halo_llamaindex._translate import bare, tool_schema

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["as_tool", "gated_copy", "guard_tool"]

_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_FUNCTIONS: Final = ("_fn", "_async_fn", "_real_fn")
_FRAMEWORK: Final = "llama_index.core."
_IN_A_THREAD: Final = "sync_to_async."
"""How the names of functions begin that the framework makes of a synchronous one."""


def as_tool(function: Callable[..., Any]) -> FunctionTool:
    """A function as a tool, described by its signature and docstring."""
    return FunctionTool.from_defaults(fn=function)


def guard_tool(halo: Halo, tool: BaseTool, resource: Resource | None) -> BaseTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    tool = bare(tool)
    gate = gate_of(tool)
    if gate is not None and gate.halo is halo:
        if resource is None:
            return tool
        tool = gate.original
    name = resource_name(resource, tool.metadata.get_name())
    if resource is None:
        resource = halo.declared(name, ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
    kind = resource.kind if resource is not None and resource.kind in _KINDS else ActionKind.TOOL_CALL
    schema = tool_schema(tool, getattr(tool, "partial_params", None) or ())
    registered = halo.register(kind, name, resource=resource, description=tool.metadata.description, schema=schema)
    if isinstance(tool, FunctionTool):
        halo.functions[registered.id] = tool.real_fn
    return gated_copy(halo, tool, registered)


def gated_copy(halo: Halo, tool: BaseTool, resource: Resource | None = None) -> BaseTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name."""
    if type(tool) is BaseToolAsyncAdapter:
        return BaseToolAsyncAdapter(gated_copy(halo, bare(tool), resource))
    name = tool.metadata.get_name()
    kind = Strange if resource is None else Gate
    gate = kind(halo, tool, name, resource or unknown(name, ActionKind.TOOL_CALL), TOOL_RESULT)
    guarded = copy.copy(tool)
    function = tool.real_fn if isinstance(tool, FunctionTool) else None
    binder = Binder.of(tool, function)
    if isinstance(tool, FunctionTool):
        for attribute in _FUNCTIONS:
            guarded.__dict__[attribute] = _wrapped(gate, tool, _function(tool, attribute), binder)
    if function is None or own_entries(type(tool)):
        # Where it comes down to its function with the same arguments, that is the same call.
        guarded.__dict__[BINDER] = binder
        object.__setattr__(guarded, "__class__", entry_class(type(tool)))
    put_gate(guarded, gate)
    return guarded


def _function(tool: Any, attribute: str) -> Callable[..., Any]:
    """A function that a tool holds; one that LlamaIndex runs in a thread, with its context.

    Releases before 0.14.25 left that behind, and with it the session of what the body does.
    """
    found: Callable[..., Any] = getattr(tool, attribute)
    if attribute != "_async_fn" or not getattr(found, "__qualname__", "").startswith(_IN_A_THREAD):
        return found
    function = tool.fn

    @functools.wraps(function)
    async def threaded(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(function, *args, **kwargs)

    return threaded


def _wrapped(gate: Gate, tool: FunctionTool, function: Callable[..., Any], binder: Binder) -> Callable[..., Any]:
    if not str(getattr(function, "__module__", "")).startswith(_FRAMEWORK):
        binder = Binder.of(tool, function)  # its own order of parameters; the framework's adapters have none
    if function is tool._async_fn or asyncio.iscoroutinefunction(function):  # noqa: SLF001  the tool's own part

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            found = function(*args, **kwargs)  # of a decorated one only what it gives tells that it is one
            return await found if inspect.isawaitable(found) else found

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await arun_gated(gate, binder, awaited, args, kwargs)

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run_gated(gate, binder, function, args, kwargs)

    return call
