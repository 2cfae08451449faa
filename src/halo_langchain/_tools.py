"""Room: tools, guarded copies and the calls that reach them. Takes: tools, calls. Gives: results. Never: decides.

Room: the class of a guarded tool. Takes: a tool's class. Gives: a subclass whose every way in is decided, once.

Never: decides itself, holds anything of one tool.

Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

A `Tool` or `StructuredTool` has its function wrapped, any other tool its `_run` and `_arun`: after validation, with
the arguments as executed, on every path (`invoke`, `run`, `batch`, `.func`). An entry point that a class has made anew
is decided there. Never: decides, changes the original.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.tools import tool as make_tool

from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, register_agent_resource
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    choose_resource_id,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    require_guard,
)
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_langchain._arguments import Binder, list_settable_arguments
from halo_langchain._results import make_tool_surface
from halo_langchain._runs import RunClaim, ensure_run_id, entry_scope, get_or_create_claim
from halo_langchain._tool_calls import (
    OverriddenEntryCall,
    arun_entry,
    arun_guarded_call,
    called_by_tool_node,
    get_call_id,
    injection_scope,
    run_entry,
    run_guarded_call,
)
from halo_langchain._translate import (
    get_handoff_agent,
    overrides_entry_point,
    refuse_overridden_entry_points,
    tool_schema,
)

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = [
    "BINDERS_KEY",
    "as_tool",
    "copy_with_guard",
    "guard_tool",
    "make_entry_class",
    "make_run_class",
    "take_body_call",
]


BINDERS_KEY: Final = "_halo_binders"
_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun")

# Inside the own `_run` of a tool that holds functions too: they are its body, and take its decision, once.
_BODY_GUARDS: Final[ContextVar[list[GuardMetadata] | None]] = ContextVar("halo_langchain_inside", default=None)


@contextmanager
def _tool_body_scope(guard: GuardMetadata) -> Iterator[None]:
    token = _BODY_GUARDS.set(guards := [guard])
    try:
        yield
    finally:
        guards.clear()  # tasks and threads that were started inside hold it too
        _BODY_GUARDS.reset(token)


def take_body_call(guard: GuardMetadata) -> bool:
    """Whether a function that a tool holds is called by the tool's own, decided, body; no other call is, afterwards."""
    guards = _BODY_GUARDS.get()
    if not guards or guards[0] is not guard:
        return False
    guards.clear()
    return True


def _find_body_binder(tool: Any, *, awaited: bool) -> Binder | None:
    """The binder of what the framework runs of a tool, first of all."""
    binders: Mapping[str, Binder] = tool.__dict__[BINDERS_KEY]
    if "_run" in binders:
        return binders["_arun" if awaited and type(tool)._arun is not BaseTool._arun else "_run"]  # noqa: SLF001
    order = ("coroutine", "func") if awaited else ("func", "coroutine")
    return next((binders[name] for name in order if name in binders), None)


def _collect_extra_arguments(
    method: Callable[..., Any], tool: Any, value: Any, args: tuple[Any, ...], kwargs: Any
) -> dict[str, Any]:
    """What else an own entry point is given, under the names that it has for it."""
    signature = inspect.signature(method)
    extra: dict[str, Any] = {}
    for name, item in list(signature.bind_partial(tool, value, *args, **kwargs).arguments.items())[2:]:
        extra |= item if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: item}
    return extra


def _update_arguments(kwargs: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    return {name: updates.get(name, item) for name, item in kwargs.items()}


@functools.lru_cache(maxsize=256)
def make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points say that a guard decides this run, or decide where the class made them anew."""
    overridden = {name: overrides_entry_point(kind, name) for name in _ENTRY_POINTS}

    def make_claim(guard: GuardMetadata, name: str, kwargs: dict[str, Any]) -> RunClaim:
        # A class that made an entry point anew starts its runs as it likes.
        return get_or_create_claim(guard.halo, "tool", guard.name, None if overridden[name] else ensure_run_id(kwargs))

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        guard = require_guard(self)
        with injection_scope(guard, by_tool_node=called_by_tool_node(inspect.currentframe())):
            if not overridden["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            call_id, claim = get_call_id(input), make_claim(guard, "invoke", kwargs)
            with entry_scope(claim, config, call_id):
                entry_call = OverriddenEntryCall(
                    guard, claim, call_id, input, _find_body_binder(self, awaited=False), may_be_tool_call=True
                )
                entry_call = entry_call.bind_arguments(
                    self, _collect_extra_arguments(kind.invoke, self, input, (), kwargs)
                )
                return run_entry(
                    entry_call,
                    lambda value, updates: kind.invoke(self, value, config, **_update_arguments(kwargs, updates)),
                )

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        guard = require_guard(self)
        with injection_scope(guard, by_tool_node=called_by_tool_node(inspect.currentframe())):
            if not overridden["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            call_id, claim = get_call_id(input), make_claim(guard, "ainvoke", kwargs)
            with entry_scope(claim, config, call_id):
                entry_call = OverriddenEntryCall(
                    guard, claim, call_id, input, _find_body_binder(self, awaited=True), may_be_tool_call=True
                )
                entry_call = entry_call.bind_arguments(
                    self, _collect_extra_arguments(kind.ainvoke, self, input, (), kwargs)
                )
                return await arun_entry(
                    entry_call,
                    lambda value, updates: kind.ainvoke(self, value, config, **_update_arguments(kwargs, updates)),
                )

    def run(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        guard = require_guard(self)
        call_id, claim = kwargs.get("tool_call_id"), make_claim(guard, "run", kwargs)
        with entry_scope(claim, kwargs.get("config"), call_id):
            if not overridden["run"]:
                return kind.run(self, tool_input, *args, **kwargs)
            entry_call = OverriddenEntryCall(
                guard, claim, call_id or "", tool_input, _find_body_binder(self, awaited=False)
            )
            entry_call = entry_call.bind_arguments(
                self, _collect_extra_arguments(kind.run, self, tool_input, args, kwargs)
            )
            return run_entry(
                entry_call, lambda value, updates: kind.run(self, value, *args, **_update_arguments(kwargs, updates))
            )

    async def arun(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        guard = require_guard(self)
        call_id, claim = kwargs.get("tool_call_id"), make_claim(guard, "arun", kwargs)
        with entry_scope(claim, kwargs.get("config"), call_id):
            if not overridden["arun"]:
                return await kind.arun(self, tool_input, *args, **kwargs)
            entry_call = OverriddenEntryCall(
                guard, claim, call_id or "", tool_input, _find_body_binder(self, awaited=True)
            )
            entry_call = entry_call.bind_arguments(
                self, _collect_extra_arguments(kind.arun, self, tool_input, args, kwargs)
            )
            return await arun_entry(
                entry_call, lambda value, updates: kind.arun(self, value, *args, **_update_arguments(kwargs, updates))
            )

    members: dict[str, Callable[..., Any]] = {"invoke": invoke, "ainvoke": ainvoke, "run": run, "arun": arun}
    return make_named_subclass(
        kind, {name: functools.wraps(getattr(kind, name))(method) for name, method in members.items()}
    )


@functools.lru_cache(maxsize=256)
def make_run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, where the class has its own) is decided."""
    base = make_entry_class(kind)

    @functools.wraps(kind._run)  # noqa: SLF001  the framework reads its signature
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, binder = require_guard(self), self.__dict__[BINDERS_KEY]["_run"]

        def function(*args: Any, **kwargs: Any) -> Any:
            with _tool_body_scope(guard):
                return kind._run(self, *args, **kwargs)  # noqa: SLF001  what was overridden

        return run_guarded_call(guard, binder, function, args, kwargs)

    @functools.wraps(kind._arun)  # noqa: SLF001  the framework reads its signature
    async def _arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, binder = require_guard(self), self.__dict__[BINDERS_KEY]["_arun"]

        async def function(*args: Any, **kwargs: Any) -> Any:
            with _tool_body_scope(guard):
                return await kind._arun(self, *args, **kwargs)  # noqa: SLF001  as above

        return await arun_guarded_call(guard, binder, function, args, kwargs, may_reenter=True)

    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    overrides_async = kind._arun is not BaseTool._arun  # noqa: SLF001  as above
    return make_named_subclass(base, {"_run": _run, **({"_arun": _arun} if overrides_async else {})})


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
            return await arun_guarded_call(guard, binder, function, args, kwargs)

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if take_body_call(guard):
            return function(*args, **kwargs)
        return run_guarded_call(guard, binder, function, args, kwargs)

    return call
