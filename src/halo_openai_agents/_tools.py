"""Room: tools, guarded copies and each way to call one. Takes: tools. Gives: copies. Never: decides.

Room: guarded tools. Takes: function tools, functions. Gives: copies decided at the last step before they run.

A tool's `on_invoke_tool` is wrapped below the SDK's own handling of errors, so a copy takes errors as its original
does, and the function behind it (`__wrapped__`) is decided too. Never: decides, changes the original.

Room: tools of runs that can pause. Takes: guarded tools. Gives: the same, whose challenges become interruptions.

Never: decides by itself, keeps a copy of what the host has changed since.
"""

from __future__ import annotations

import copy
import functools
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, RunContextWrapper, function_tool
from agents import tool as sdk
from agents.tool_context import ToolContext
from agents.util._approvals import evaluate_function_tool_approval

from halo_core.enforcement.arguments import BoundArguments
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    choose_resource_id,
    make_unregistered_resource,
)
from halo_core.errors import Pending
from halo_core.model import ActionKind, Resource
from halo_openai_agents._arguments import ArgumentReader, bind_call, build_call_arguments
from halo_openai_agents._pause import store_pending
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import body_scope, find_run, step_scope
from halo_openai_agents._tool_calls import DirectCallDenied, build_call, decide_early, run_guarded_call
from halo_openai_agents._translate import attach_to_invoker, find_guard, tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = [
    "as_tool",
    "copy_with_guard",
    "guard_tool",
    "make_invoker",
    "make_pausing_copy",
]


_TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_PREPARE_MARK: Final = "__agents_prepare_arguments__"
_SYNC_MARK: Final = sdk._SYNC_FUNCTION_TOOL_MARKER  # noqa: SLF001  the SDK's own marks, which a copy must carry on
_WRAPPED_MARK: Final = sdk._FUNCTION_TOOL_WRAPPED_CALLABLE_MARKER  # noqa: SLF001  as above
_BIND_MARK: Final = "__agents_bind_function_tool__"  # the SDK's: what invokes a copy of a tool


class _GuardedInvoker(sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  what `function_tool` makes
    """The SDK's own, which lets a denial of a direct caller's through."""

    rebuild: Callable[[FunctionTool], Any]  # the same for a copy of the tool

    async def __call__(self, ctx: ToolContext[Any], input: str) -> Any:  # noqa: A002  the SDK's names
        """Invoke the tool.

        Raises:
            Denied: it may not run, and was called directly.
        """
        try:
            return await super().__call__(ctx, input)
        except DirectCallDenied as refused:
            denied = refused.denied
        raise denied

    def __agents_bind_function_tool__(self, function_tool: FunctionTool) -> _GuardedInvoker:
        """As the SDK's: a copy of a tool takes errors by its own settings."""
        if self._function_tool is function_tool:
            return self
        rebuilt: _GuardedInvoker = self.rebuild(function_tool)
        return rebuilt


def as_tool(function: Callable[..., Any]) -> FunctionTool:
    """A function as a tool, described by its docstring."""
    return function_tool(function)


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
    """What a tool's caller chooses, under the names of its function's parameters, which are decided."""
    schema, names = tool_schema(tool), ArgumentReader.for_tool(tool).get_parameter_names()
    required = [names.get(key, key) for key in schema.get("required", [])]
    return {
        **schema,
        "properties": {names.get(key, key): spec for key, spec in schema["properties"].items()},
        **({"required": required} if required else {}),
    }


def copy_with_guard(halo: Halo, tool: FunctionTool, resource: Resource | None = None) -> FunctionTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name."""
    known_resource = resource or make_unregistered_resource(tool.qualified_name, ActionKind.TOOL_CALL)
    kind = GuardMetadata if halo.find_registered(known_resource.id) == known_resource else UnregisteredGuard
    guard = kind(halo, tool, tool.name, known_resource, TOOL_RESULT_SURFACE)
    guarded = copy.copy(tool)
    guarded.on_invoke_tool = make_invoker(guard, guarded, ArgumentReader.for_tool(tool), prepares=True)
    return guarded


def make_invoker(guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader, *, prepares: bool) -> Any:
    """What the SDK invokes: under its own handling of errors where the original has that."""
    original: FunctionTool = guard.original
    original_invoker = original.on_invoke_tool
    if not isinstance(original_invoker, sdk._FailureHandlingFunctionToolInvoker):  # noqa: SLF001  as above
        return _make_plain_invoker(guard, tool, reader)
    inner = original_invoker._invoke_tool_impl  # noqa: SLF001  as above: below its handling of errors

    async def impl(context: ToolContext[Any], text: str) -> Any:
        return await run_guarded_call(guard, tool.name, reader, inner, context, text)

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
            return await run_guarded_call(guard, tool.name, reader, inner, context, text)
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
    """The function that a tool was made of, decided."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            bound_arguments = bind_call(function, args, kwargs)
            with step_scope(guard.halo):
                ticket = await guard.halo.enforcer.abegin(build_call(guard, bound_arguments, ""))
                args, kwargs = (
                    build_call_arguments(function, bound_arguments, bound_arguments.get_executed_arguments(ticket))
                    if not bound_arguments.problem
                    else (args, kwargs)
                )
                try:
                    with body_scope():
                        result = await function(*args, **kwargs)
                except BaseException as exc:
                    failed = ticket.fail(exc)
                    if failed is exc:
                        raise
                else:
                    return ticket.succeed(result, guard.surface)
                raise failed

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound_arguments = bind_call(function, args, kwargs)
        with step_scope(guard.halo):
            ticket = guard.halo.enforcer.begin(build_call(guard, bound_arguments, ""))
            args, kwargs = (
                build_call_arguments(function, bound_arguments, bound_arguments.get_executed_arguments(ticket))
                if not bound_arguments.problem
                else (args, kwargs)
            )
            try:
                with body_scope():
                    result = function(*args, **kwargs)
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, guard.surface)
            raise failed

    return call


_PAUSING_COPY: Final = "_halo_pausing"


def make_pausing_copy(tool: FunctionTool) -> FunctionTool:
    """The same guarded tool as a run gets it whose host keeps its state: a challenge becomes an interruption."""
    guard = find_guard(tool)
    if guard is None:
        return tool
    fields = {name: value for name, value in vars(tool).items() if name != _PAUSING_COPY}
    cached: tuple[FunctionTool, dict[str, Any], FunctionTool] | None = tool.__dict__.get(_PAUSING_COPY)
    if cached is not None and cached[0] is tool and _has_same_fields(cached[1], fields):
        return cached[2]
    reader = ArgumentReader.for_tool(guard.original)
    pausing_copy = copy.copy(tool)
    pausing_copy.__dict__.pop(_PAUSING_COPY, None)
    # The SDK asks a person by itself about arguments that it has prepared and its own checks would change.
    pausing_copy.on_invoke_tool = make_invoker(guard, pausing_copy, reader, prepares=False)
    pausing_copy.needs_approval = _make_approval_check(guard, tool, reader)
    tool.__dict__[_PAUSING_COPY] = (tool, fields, pausing_copy)
    return pausing_copy


def _has_same_fields(earlier: dict[str, Any], current: dict[str, Any]) -> bool:
    return earlier.keys() == current.keys() and all(current[name] is value for name, value in earlier.items())


def _make_approval_check(
    guard: GuardMetadata, tool: FunctionTool, reader: ArgumentReader
) -> Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]:
    async def needs_approval(context: RunContextWrapper[Any], params: dict[str, Any], call_id: str) -> bool:
        if tool.needs_approval is not False and await _needs_host_approval(tool, context, params, call_id):
            return True  # the host's own question comes first, and answers nothing of ours
        run = find_run(guard.halo, context)
        if run is None or not run.pausing:
            return False
        answer = await decide_early(guard, _bind_parameters(reader, params), run, call_id)
        if isinstance(answer.denied, Pending):
            store_pending(context, run.turn_id, call_id, guard.resource.id, answer.denied)
            return True
        run.early_decisions[call_id] = answer
        return False

    return needs_approval


def _bind_parameters(reader: ArgumentReader, params: dict[str, Any]) -> BoundArguments:
    return reader.validate(copy.deepcopy(params))


async def _needs_host_approval(
    tool: FunctionTool, context: RunContextWrapper[Any], params: dict[str, Any], call_id: str
) -> bool:
    """What the tool's own approval setting says, as the SDK reads it."""
    evaluation = await evaluate_function_tool_approval(tool, context, json.dumps(params), call_id)
    return evaluation.outcome != "invoke"
