"""Guarded tools: copies that are decided at the last step before they run.

A `Tool` or `StructuredTool` has its function wrapped, any other tool its `_run` and `_arun`: after validation, with
the arguments as executed, on every path (`invoke`, `run`, `batch`, `.func`). An entry point that a class overrides is
decided there.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.tools import tool as make_tool

from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, register_agent_resource
from halo_core.enforcement.flow import arun, run
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    choose_resource_id,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    overrides_entry_point,
    require_guard,
)
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_langchain._arguments import Binder, list_settable_arguments
from halo_langchain._results import make_tool_surface
from halo_langchain._runs import RunClaim, ensure_run_id, entry_scope, get_or_create_claim
from halo_langchain._tool_calls import (
    BINDERS_KEY,
    OverriddenEntryCall,
    ToolBodyCall,
    ToolCall,
    called_by_tool_node,
    get_call_id,
    injection_scope,
    take_body_call,
)
from halo_langchain._translate import FRAMEWORK, get_handoff_agent, refuse_overridden_entry_points, tool_schema

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["as_tool", "copy_with_guard", "guard_tool"]

_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun")


@functools.lru_cache(maxsize=256)
def make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points say that a guard decides this run, or decide where the class overrides them."""
    overridden = {name: overrides_entry_point(kind, name, FRAMEWORK) for name in _ENTRY_POINTS}

    def make_claim(guard: GuardMetadata, name: str, call_id: str, kwargs: dict[str, Any]) -> RunClaim:
        # A class that overrides an entry point starts its runs as it likes.
        run_id = None if overridden[name] else ensure_run_id(kwargs)
        return get_or_create_claim(guard.halo, "tool", guard.name, run_id, call_id)

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        guard = require_guard(self)
        with injection_scope(guard, by_tool_node=called_by_tool_node(inspect.currentframe())):
            if not overridden["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            with entry_scope(claim := make_claim(guard, "invoke", get_call_id(input), kwargs), config):
                return run(OverriddenEntryCall(self, "invoke", kind.invoke, input, (config,), kwargs, claim))

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        guard = require_guard(self)
        with injection_scope(guard, by_tool_node=called_by_tool_node(inspect.currentframe())):
            if not overridden["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            with entry_scope(claim := make_claim(guard, "ainvoke", get_call_id(input), kwargs), config):
                return await arun(OverriddenEntryCall(self, "ainvoke", kind.ainvoke, input, (config,), kwargs, claim))

    def run_tool(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        claim = make_claim(require_guard(self), "run", kwargs.get("tool_call_id") or "", kwargs)
        with entry_scope(claim, kwargs.get("config")):
            if not overridden["run"]:
                return kind.run(self, tool_input, *args, **kwargs)
            return run(OverriddenEntryCall(self, "run", kind.run, tool_input, args, kwargs, claim))

    async def arun_tool(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        claim = make_claim(require_guard(self), "arun", kwargs.get("tool_call_id") or "", kwargs)
        with entry_scope(claim, kwargs.get("config")):
            if not overridden["arun"]:
                return await kind.arun(self, tool_input, *args, **kwargs)
            return await arun(OverriddenEntryCall(self, "arun", kind.arun, tool_input, args, kwargs, claim))

    members: dict[str, Callable[..., Any]] = {"invoke": invoke, "ainvoke": ainvoke, "run": run_tool, "arun": arun_tool}
    return make_named_subclass(
        kind, {name: functools.wraps(getattr(kind, name))(method) for name, method in members.items()}
    )


@functools.lru_cache(maxsize=256)
def make_run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, where the class has its own) is decided."""

    @functools.wraps(kind._run)  # noqa: SLF001  the framework reads its signature
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return run(ToolBodyCall(self, "_run", kind._run, args, kwargs))  # noqa: SLF001  what was overridden

    @functools.wraps(kind._arun)  # noqa: SLF001  as above
    async def _arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await arun(ToolBodyCall(self, "_arun", kind._arun, args, kwargs))  # noqa: SLF001  as above

    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    overrides_async = kind._arun is not BaseTool._arun  # noqa: SLF001  as above
    return make_named_subclass(make_entry_class(kind), {"_run": _run, **({"_arun": _arun} if overrides_async else {})})


_TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_GUARDED_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun", "_run", "_arun")
_UNGUARDED_ENTRY_POINTS: Final = ("batch", "abatch", "stream", "astream")


def as_tool(function: Callable[..., Any]) -> BaseTool:
    """A function as a tool, described by its docstring, or by its name where it has none."""
    description = getattr(function, "__doc__", None)
    tool = make_tool(function) if description else make_tool(function, description=_get_function_name(function))
    if not isinstance(tool, BaseTool):
        raise ConfigError("not_a_tool", f"`{function!r}` cannot be made into a tool", field="x")
    return tool


def _get_function_name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def guard_tool(halo: Halo, tool: BaseTool, resource: Resource | None) -> BaseTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind; or its class has an entry point
            of its own that cannot be decided.
    """
    guard = get_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None:
            return tool
        tool = guard.original
    refuse_overridden_entry_points(
        tool,
        _GUARDED_ENTRY_POINTS,
        _UNGUARDED_ENTRY_POINTS,
        "guard a tool without it: the framework's own runs the tool",
    )
    handoff_agent = get_handoff_agent(tool)
    if handoff_agent:
        return copy_with_guard(halo, tool, register_agent_resource(halo, handoff_agent, resource))
    name = choose_resource_id(resource, tool.name)
    if resource is None:
        resource = halo.find_declared(name, ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
    kind = resource.kind if resource is not None and resource.kind in _TOOL_KINDS else ActionKind.TOOL_CALL
    # A hidden argument that the caller can set is granted, or refused, like any other.
    schema = tool_schema(tool, list_settable_arguments(tool, _get_functions(tool).values()))
    registered = halo.register(kind, name, resource=resource, description=tool.description, schema=schema)
    return copy_with_guard(halo, tool, registered)


def copy_with_guard(halo: Halo, tool: BaseTool, resource: Resource | None = None) -> BaseTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name.

    A hand-off tool is known by the agent that it leads to.
    """
    handoff_agent = get_handoff_agent(tool)
    tool_resource = resource or (
        find_agent_resource(halo, handoff_agent)
        if handoff_agent
        else make_unregistered_resource(tool.name, ActionKind.TOOL_CALL)
    )
    guard = (GuardMetadata if resource or handoff_agent else UnregisteredGuard)(
        halo, tool, tool.name, tool_resource, HANDOFF_SURFACE if handoff_agent else make_tool_surface(tool)
    )
    names = frozenset(tool_schema(tool)["properties"])
    kind = type(tool)
    # Bound here, read by the class: one class serves every tool of its type.
    functions = _get_functions(tool)
    binders = {name: Binder.for_tool(tool, item, names, method=name[0] == "_") for name, item in functions.items()}
    update = {
        name: _wrap_function(guard, binders[name], item, awaited=name == "coroutine")
        for name, item in functions.items()
        if name[0] != "_"
    }
    guarded: BaseTool = tool.model_copy(update=update)
    object.__setattr__(guarded, "__class__", make_run_class(kind) if "_run" in functions else make_entry_class(kind))
    guarded.__dict__[BINDERS_KEY] = binders
    attach_guard(guarded, guard)
    return guarded


def _get_functions(tool: BaseTool) -> dict[str, Callable[..., Any]]:
    """What of a tool is decided, by the name of the attribute."""
    kind, functions = type(tool), {}
    if isinstance(tool, Tool | StructuredTool):
        function_fields = {name: getattr(tool, name) for name in ("func", "coroutine")}
        functions = {name: function for name, function in function_fields.items() if function is not None}
        if not _overrides_run(kind):
            return functions
    return {**functions, **{name: getattr(kind, name) for name in ("_run", "_arun")}}


def _overrides_run(kind: type[BaseTool]) -> bool:
    base = Tool if issubclass(kind, Tool) else StructuredTool
    return kind._run is not base._run or kind._arun is not base._arun  # noqa: SLF001  the hooks we stand at


def _wrap_function(
    guard: GuardMetadata, binder: Binder, function: Callable[..., Any], *, awaited: bool
) -> Callable[..., Any]:
    if awaited:

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            if take_body_call(guard):
                return await function(*args, **kwargs)
            return await arun(ToolCall(guard, binder, function, args, kwargs))

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if take_body_call(guard):
            return function(*args, **kwargs)
        return run(ToolCall(guard, binder, function, args, kwargs))

    return call
