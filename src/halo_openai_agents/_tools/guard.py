"""Room: guarded tools. Takes: function tools, functions. Gives: copies decided at the last step before they run.

A tool's `on_invoke_tool` is wrapped below the SDK's own handling of errors, so a copy takes errors as its original
does, and the function behind it (`__wrapped__`) is decided too. Never: decides, changes the original.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, function_tool
from agents import tool as sdk
from agents.tool_context import ToolContext

from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, Strange, resource_name
from halo_core.pep.names import unknown
from halo_openai_agents._gates import gate_at, put_at
from halo_openai_agents._running import body, stepping
from halo_openai_agents._surfaces import TOOL_RESULT
from halo_openai_agents._tools.arguments import Reader, called, joined
from halo_openai_agents._tools.run import Refused, call_of, invoked
from halo_openai_agents._translate import tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["as_tool", "gated_copy", "guard_tool", "invoker"]

_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_PREPARES: Final = "__agents_prepare_arguments__"
_SYNC: Final = sdk._SYNC_FUNCTION_TOOL_MARKER  # noqa: SLF001  the SDK's own marks, which a copy must carry on
_WRAPPED: Final = sdk._FUNCTION_TOOL_WRAPPED_CALLABLE_MARKER  # noqa: SLF001  as above
_BINDS: Final = "__agents_bind_function_tool__"  # the SDK's: what invokes a copy of a tool


class _Invoker(sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  what `function_tool` makes
    """The SDK's own, which lets a denial of a direct caller's through."""

    again: Callable[[FunctionTool], Any]  # the same for a copy of the tool

    async def __call__(self, ctx: ToolContext[Any], input: str) -> Any:  # noqa: A002  the SDK's names
        """Invoke the tool.

        Raises:
            Denied: it may not run, and was called directly.
        """
        try:
            return await super().__call__(ctx, input)
        except Refused as refused:
            denied = refused.denied
        raise denied

    def __agents_bind_function_tool__(self, function_tool: FunctionTool) -> _Invoker:
        """As the SDK's: a copy of a tool takes errors by its own settings."""
        if self._function_tool is function_tool:
            return self
        made: _Invoker = self.again(function_tool)
        return made


def as_tool(function: Callable[..., Any]) -> FunctionTool:
    """A function as a tool, described by its docstring."""
    return function_tool(function)


def guard_tool(halo: Halo, tool: FunctionTool, resource: Resource | None) -> FunctionTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    gate = gate_at(tool)
    if gate is not None and gate.halo is halo:
        if resource is None:
            return tool
        tool = gate.original
    name = resource_name(resource, tool.qualified_name)
    if resource is None:
        resource = halo.declared(name, *_KINDS)
    kind = resource.kind if resource is not None and resource.kind in _KINDS else ActionKind.TOOL_CALL
    registered = halo.register(kind, name, resource=resource, description=tool.description, schema=_schema(tool))
    return gated_copy(halo, tool, registered)


def _schema(tool: FunctionTool) -> dict[str, Any]:
    """What a tool's caller chooses, under the names of its function's parameters, which are decided."""
    found, names = tool_schema(tool), Reader.of(tool).names()
    required = [names.get(key, key) for key in found.get("required", [])]
    return {
        **found,
        "properties": {names.get(key, key): spec for key, spec in found["properties"].items()},
        **({"required": required} if required else {}),
    }


def gated_copy(halo: Halo, tool: FunctionTool, resource: Resource | None = None) -> FunctionTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name."""
    told = resource or unknown(tool.qualified_name, ActionKind.TOOL_CALL)
    kind = Gate if halo.registered(told.id) == told else Strange
    gate = kind(halo, tool, tool.name, told, TOOL_RESULT)
    made = copy.copy(tool)
    made.on_invoke_tool = invoker(gate, made, Reader.of(tool), prepares=True)
    return made


def invoker(gate: Gate, tool: FunctionTool, reader: Reader, *, prepares: bool) -> Any:
    """What the SDK invokes: under its own handling of errors where the original has that."""
    original: FunctionTool = gate.original
    found = original.on_invoke_tool
    if not isinstance(found, sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  as above
        return _plain(gate, tool, reader)
    inner = found._invoke_tool_impl  # noqa: SLF001  as above: below its handling of errors

    async def impl(context: ToolContext[Any], text: str) -> Any:
        return await invoked(gate, tool.name, reader, inner, context, text)

    if prepares and hasattr(inner, _PREPARES):
        setattr(impl, _PREPARES, getattr(inner, _PREPARES))
    wrapped = getattr(inner, _WRAPPED, None)
    if callable(wrapped):
        setattr(impl, _WRAPPED, _function(gate, wrapped))
    made = _Invoker(impl, found._on_handled_error, function_tool=tool)  # noqa: SLF001  as above
    made.again = lambda other: invoker(gate, other, reader, prepares=prepares)
    put_at(made, gate)
    if getattr(found, _SYNC, False):
        setattr(made, _SYNC, True)
    return made


def _plain(gate: Gate, tool: FunctionTool, reader: Reader) -> Callable[[ToolContext[Any], str], Awaitable[Any]]:
    original: FunctionTool = gate.original

    async def inner(context: Any, text: str) -> Any:
        if isinstance(context, ToolContext):
            context = sdk._get_function_tool_invoke_context(original, context)  # noqa: SLF001  as the SDK's own step does
        return await original.on_invoke_tool(context, text)

    async def invoke(context: ToolContext[Any], text: str) -> Any:
        try:
            return await invoked(gate, tool.name, reader, inner, context, text)
        except Refused as refused:
            denied = refused.denied
        raise denied

    def bound(other: FunctionTool) -> Any:
        return invoke if other is tool else _plain(gate, other, reader)

    setattr(invoke, _BINDS, bound)
    put_at(invoke, gate)
    return invoke


# the function behind a tool


def _function(gate: Gate, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a tool was made of, decided."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            bound = called(function, args, kwargs)
            with stepping(gate.halo):
                ticket = await gate.halo.enforcer.abegin(call_of(gate, bound, ""))
                args, kwargs = joined(function, bound, bound.executed(ticket)) if not bound.problem else (args, kwargs)
                try:
                    with body():
                        result = await function(*args, **kwargs)
                except BaseException as exc:
                    failed = ticket.fail(exc)
                    if failed is exc:
                        raise
                else:
                    return ticket.succeed(result, gate.surface)
                raise failed

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = called(function, args, kwargs)
        with stepping(gate.halo):
            ticket = gate.halo.enforcer.begin(call_of(gate, bound, ""))
            args, kwargs = joined(function, bound, bound.executed(ticket)) if not bound.problem else (args, kwargs)
            try:
                with body():
                    result = function(*args, **kwargs)
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, gate.surface)
            raise failed

    return call
