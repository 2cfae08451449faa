"""Guarded copies of function tools.

A copy's `on_invoke_tool` is wrapped below the SDK's own handling of errors, which stays as it is in the original; the
function behind it (`__wrapped__`) is decided too. In a run whose host keeps its state, the copy asks for approval where
the decision is a challenge (`make_pausing_copy`).
"""

from __future__ import annotations

import copy
import functools
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, RunContextWrapper
from agents import tool as sdk
from agents.tool_context import ToolContext
from agents.util._approvals import evaluate_function_tool_approval

from halo_core.enforcement.arguments import read_signature
from halo_core.enforcement.flow import arun, run
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    choose_resource_id,
    make_unregistered_resource,
)
from halo_core.errors import Pending
from halo_core.model import ActionKind, Resource
from halo_openai_agents._pause import store_pending
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import find_run, step_scope
from halo_openai_agents._tool_calls import DirectCallDenied, FunctionCall, decide_early, run_guarded_call
from halo_openai_agents._translate import ArgumentReader, FunctionBinder, attach_to_invoker, find_guard, tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_PREPARE_MARK: Final = "__agents_prepare_arguments__"
_SYNC_MARK: Final = sdk._SYNC_FUNCTION_TOOL_MARKER  # noqa: SLF001  the SDK's own marks, which a copy must carry on
_WRAPPED_MARK: Final = sdk._FUNCTION_TOOL_WRAPPED_CALLABLE_MARKER  # noqa: SLF001  as above
_BIND_MARK: Final = "__agents_bind_function_tool__"  # the SDK's: what invokes a copy of a tool


class _GuardedInvoker(sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  what `function_tool` makes
    """The SDK's invoker, which lets the denial of a direct call through."""

    rebuild: Callable[[FunctionTool], Any]  # the same for a copy of the tool

    async def __call__(self, ctx: ToolContext[Any], input: str) -> Any:  # noqa: A002  the SDK's names
        """Invoke the tool; raises `Denied` where it was called directly and may not run."""
        try:
            return await super().__call__(ctx, input)
        except DirectCallDenied as refused:
            denied = refused.denied
        raise denied

    def __agents_bind_function_tool__(self, function_tool: FunctionTool) -> _GuardedInvoker:
        """Bind to a copy of the tool, as the SDK's invoker does: it handles errors by its own settings."""
        if self._function_tool is function_tool:
            return self
        rebuilt: _GuardedInvoker = self.rebuild(function_tool)
        return rebuilt


def guard_tool(halo: Halo, tool: FunctionTool, resource: Resource | None) -> FunctionTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    guard = find_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None:
            return tool
        tool = guard.original
    name = choose_resource_id(resource, tool.qualified_name)
    if resource is None:
        resource = halo.find_declared(name, *_TOOL_KINDS)
    kind = resource.kind if resource is not None and resource.kind in _TOOL_KINDS else ActionKind.TOOL_CALL
    registered = halo.register(kind, name, resource=resource, description=tool.description, schema=_build_schema(tool))
    return copy_with_guard(halo, tool, registered)


def _build_schema(tool: FunctionTool) -> dict[str, Any]:
    """The schema of a tool's arguments, under the parameter names of its function, which are what is decided."""
    schema, names = tool_schema(tool), ArgumentReader.for_tool(tool).get_parameter_names()
    required = [names.get(key, key) for key in schema.get("required", [])]
    return {
        **schema,
        "properties": {names.get(key, key): spec for key, spec in schema["properties"].items()},
        **({"required": required} if required else {}),
    }


def copy_with_guard(halo: Halo, tool: FunctionTool, resource: Resource | None = None) -> FunctionTool:
    """Copy a tool with a guard; without a resource it counts as unregistered, whatever else has its name."""
    known_resource = resource or make_unregistered_resource(tool.qualified_name, ActionKind.TOOL_CALL)
    kind = GuardMetadata if halo.find_registered(known_resource.id) == known_resource else UnregisteredGuard
    guard = kind(halo, tool, tool.name, known_resource, TOOL_RESULT_SURFACE)
    guarded = copy.copy(tool)
    guarded.on_invoke_tool = make_invoker(guard, guarded, ArgumentReader.for_tool(tool), prepares=True)
    return guarded


def make_invoker(guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader, *, prepares: bool) -> Any:
    """Make what the SDK invokes; it handles errors as the original does."""
    original: FunctionTool = guard.original
    original_invoker = original.on_invoke_tool
    if not isinstance(original_invoker, sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  as above
        return _make_plain_invoker(guard, tool, reader)
    inner = original_invoker._invoke_tool_impl  # noqa: SLF001  as above: below its handling of errors

    async def impl(context: ToolContext[Any], text: str) -> Any:
        return await run_guarded_call(guard, tool.name, reader.parse_text(text), inner, context)

    if prepares and hasattr(inner, _PREPARE_MARK):
        setattr(impl, _PREPARE_MARK, getattr(inner, _PREPARE_MARK))
    wrapped = getattr(inner, _WRAPPED_MARK, None)
    if callable(wrapped):
        setattr(impl, _WRAPPED_MARK, _wrap_function(guard, wrapped))
    guarded_invoker = _GuardedInvoker(impl, original_invoker._on_handled_error, function_tool=tool)  # noqa: SLF001  as above
    guarded_invoker.rebuild = lambda copied_tool: make_invoker(guard, copied_tool, reader, prepares=prepares)
    attach_to_invoker(guarded_invoker, guard)
    if getattr(original_invoker, _SYNC_MARK, False):
        setattr(guarded_invoker, _SYNC_MARK, True)
    return guarded_invoker


def _make_plain_invoker(
    guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader
) -> Callable[[ToolContext[Any], str], Awaitable[Any]]:
    original: FunctionTool = guard.original

    async def inner(context: Any, text: str) -> Any:
        if isinstance(context, ToolContext):
            context = sdk._get_function_tool_invoke_context(original, context)  # noqa: SLF001  as the SDK's own step does
        return await original.on_invoke_tool(context, text)

    async def invoke(context: ToolContext[Any], text: str) -> Any:
        try:
            return await run_guarded_call(guard, tool.name, reader.parse_text(text), inner, context)
        except DirectCallDenied as refused:
            denied = refused.denied
        raise denied

    def bind_invoker(other_tool: FunctionTool) -> Any:
        return invoke if other_tool is tool else _make_plain_invoker(guard, other_tool, reader)

    setattr(invoke, _BIND_MARK, bind_invoker)
    attach_to_invoker(invoke, guard)
    return invoke


# the function behind a tool


def _wrap_function(guard: GuardMetadata, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function that a tool was made of, so that its calls are decided."""
    binder = FunctionBinder(read_signature(function))
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            with step_scope(guard.halo):
                return await arun(FunctionCall(guard, binder, function, args, kwargs))

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with step_scope(guard.halo):
            return run(FunctionCall(guard, binder, function, args, kwargs))

    return call


# runs that can pause


def make_pausing_copy(tool: FunctionTool) -> FunctionTool:
    """Copy a guarded tool for a run whose host keeps its state: a challenge becomes an interruption."""
    guard = find_guard(tool)
    if guard is None:
        return tool
    reader = ArgumentReader.for_tool(guard.original)
    pausing_copy = copy.copy(tool)
    # The SDK asks a person by itself about arguments that it has prepared and its own checks would change.
    pausing_copy.on_invoke_tool = make_invoker(guard, pausing_copy, reader, prepares=False)
    pausing_copy.needs_approval = _make_approval_check(guard, tool, reader)
    return pausing_copy


def _make_approval_check(
    guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader
) -> Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]:
    async def needs_approval(context: RunContextWrapper[Any], params: dict[str, Any], call_id: str) -> bool:
        if tool.needs_approval is not False:
            # The host's own question comes first, and answers nothing of ours.
            evaluation = await evaluate_function_tool_approval(tool, context, json.dumps(params), call_id)
            if evaluation.outcome != "invoke":
                return True
        agent_run = find_run(guard.halo, context)
        if agent_run is None or not agent_run.pausing:
            return False
        decision = await decide_early(guard, reader.validate(copy.deepcopy(params)), agent_run, call_id)
        if isinstance(decision, Pending):
            store_pending(context, agent_run.turn_id, call_id, guard.resource.id, decision)
        return isinstance(decision, Pending)

    return needs_approval
