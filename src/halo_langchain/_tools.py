"""Guarded tools: copies that are decided at the last step before they run.

A `Tool` or `StructuredTool` has its functions wrapped (`ToolCall`), any other tool its `_run` and `_arun`
(`_ToolBodyCall`): after validation, with the arguments as executed, on every path (`invoke`, `run`, `batch`, `.func`).
An overridden entry point may never reach the tool's body, so the decision is made on entry (`_OverriddenEntryCall`), on
the arguments that the framework would pass to the body; the body then runs under that decision.

A `ToolNode` injects the graph's state and store and overwrites any values the call had under those names; any other
caller chooses these values itself. Neither the arguments nor the configuration show which case applies, since all code
of a step can set them; `_called_by_tool_node` therefore inspects the caller's frame.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException
from langchain_core.tools import tool as make_tool
from langgraph.prebuilt import ToolNode

from halo_core.enforcement import Surface, Ticket
from halo_core.enforcement.arguments import BoundArguments, same_value
from halo_core.enforcement.delegation import (
    HANDOFF_SURFACE,
    find_agent_resource,
    note_allowed_agent,
    register_agent_resource,
)
from halo_core.enforcement.flow import arun, run
from halo_core.enforcement.guarded_calls import GuardedCall, is_enforced
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    overrides_entry_point,
    require_guard,
)
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Resource
from halo_langchain._pause import LangChainAction
from halo_langchain._results import TOOL_RESULT_SURFACE, make_tool_surface
from halo_langchain._runs import (
    RunClaim,
    body_values,
    current_claim,
    ensure_run_id,
    entry_scope,
    get_or_create_claim,
)
from halo_langchain._translate import (
    FRAMEWORK,
    Binder,
    get_handoff_agent,
    list_settable_arguments,
    refuse_overridden_entry_points,
    tool_schema,
)

if TYPE_CHECKING:
    from halo_langchain import Halo

_BINDERS_KEY: Final = "_halo_binders"
_TOOL_NODE_CODE: Final = frozenset(
    function.__code__ for function in vars(ToolNode).values() if isinstance(function, types.FunctionType)
)
_INJECTED_GUARD: Final[ContextVar[GuardMetadata | None]] = ContextVar("halo_langchain_filled", default=None)
"""Guard of the tool that a `ToolNode` is calling, with its values injected; None for any other caller."""


def _called_by_tool_node(frame: types.FrameType | None) -> bool:
    """Whether a tool node called the function of this frame; no, where frames cannot be read."""
    return frame is not None and frame.f_back is not None and frame.f_back.f_code in _TOOL_NODE_CODE


def _injection_scope(guard: GuardMetadata, *, by_tool_node: bool) -> ContextVarScope:
    """Context for an entry point: record whether a tool node called it, directly or through an outer entry point."""
    return ContextVarScope((_INJECTED_GUARD, guard if by_tool_node or _INJECTED_GUARD.get() is guard else None))


class ToolCall(LangChainAction, GuardedCall):
    """A call of a function that a guarded tool holds.

    Args:
        guard: of the tool.
        binder: of the function.
        function: what runs.
        args: as it was called.
        kwargs: as it was called.
        surface: how the result is read, if not as the guard says.
        allows_reentry: whether a method of the tool may run under this decision.
        claim: of the run that the call may yet start.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        binder: Binder,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        surface: Surface[Any] | None = None,
        allows_reentry: bool = False,
        claim: RunClaim | None = None,
    ) -> None:
        self.claim = claim
        super().__init__(
            guard,
            binder,
            function,
            args,
            kwargs,
            surface=surface,
            allows_reentry=allows_reentry,
            error_class=ToolException,
        )

    def bind_arguments(self, guard: GuardMetadata) -> BoundArguments:
        """As `GuardedCall`; what a tool node has filled in is not decided."""
        binder: Any = self.binder
        try:
            by_tool_node = _INJECTED_GUARD.get() is guard
            bound: BoundArguments = binder.bind_call(self.args, self.kwargs, by_tool_node=by_tool_node)
        except TypeError:
            # The call cannot work; it is recorded and refused like any other that does not fit.
            return BoundArguments({}, {}, "invalid_arguments")
        return bound

    def get_call_id(self, arguments: Mapping[str, Any]) -> str:  # noqa: ARG002  the framework has its own
        """The id that the framework gave to the call."""
        claim = current_claim(self.halo, "tool", self.guard.name)
        if claim is None:
            return ""
        claim.decided = True
        return claim.call_id

    def accept(self, ticket: Ticket) -> None:
        """Remember a hand-off that was decided here: the graph that carries it out does not decide it again."""
        super().accept(ticket)
        if ticket.verdict is not None and ticket.verdict.resource.kind is ActionKind.HANDOFF:
            note_allowed_agent(ticket.verdict.resource.id)

    def return_denied(self, denied: Denied) -> Any:
        """As `GuardedCall`, in the form in which the tool's function gives it."""
        earlier = super().return_denied(denied)
        with_artifact = getattr(self.guard.original, "response_format", "") == "content_and_artifact"
        return (earlier, None) if with_artifact else earlier

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Values for the execution: nested calls count as not injected, unless the body may run under this decision."""
        injected = _INJECTED_GUARD.get() if self.allows_reentry else None
        return *body_values(self.claim), (_INJECTED_GUARD, injected)


class _ToolBodyCall(ToolCall):
    """A call of a tool's own `_run` or `_arun`; it may call one function that the tool holds without a new decision.

    Args:
        tool: the guarded tool.
        name: of the method.
        method: as the tool's class has it.
        args: as it was called.
        kwargs: as it was called.
    """

    def __init__(
        self, tool: Any, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.is_body_taken = False
        super().__init__(
            require_guard(tool),
            tool.__dict__[_BINDERS_KEY][name],
            types.MethodType(method, tool),
            args,
            kwargs,
            allows_reentry=name == "_arun",
        )

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """As `ToolCall`, and the call itself for `_take_body_call`."""
        return *super().context_values(), (_BODY_CALL, self)


_BODY_CALL: Final[ContextVar[_ToolBodyCall | None]] = ContextVar("halo_langchain_inside", default=None)


def _take_body_call(guard: GuardMetadata) -> bool:
    """Whether the tool's decided body is making this call of a function that the tool holds; True once per decision."""
    call = _BODY_CALL.get()
    if call is None or call.guard is not guard or call.is_body_taken:
        return False
    # Tasks and threads started by the body inherit this context; once the body has ended, they need their own decision.
    call.is_body_taken = True
    return call.reentrant_call is not None and call.reentrant_call.is_running


# entry points that a class overrides

_RUN_PARAMETERS: Final = frozenset(inspect.signature(BaseTool.run).parameters) | {"input"}
# Nothing can be bound to it: a call whose arguments fit no body is recorded and refused.
_EMPTY_BINDER: Final = Binder(inspect.Signature(()), frozenset(), frozenset(), frozenset(), frozenset(), {})


def _get_call_id(value: Any) -> str:
    """The id of a tool call that an entry point is given, empty of arguments alone."""
    return str(value.get("id") or "") if _is_tool_call(value) else ""


def _is_tool_call(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "tool_call"


class _OverriddenEntryCall(ToolCall):
    """A call of an entry point that the tool's class overrides.

    Args:
        tool: the guarded tool.
        name: of the entry point.
        method: as the class has it.
        value: what it was given: a tool call, or its arguments alone.
        claim: of the run that it may start.
        args: what else it was given.
        kwargs: what else it was given.
    """

    def __init__(
        self,
        tool: Any,
        name: str,
        method: Callable[..., Any],
        value: Any,
        claim: RunClaim,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        guard = require_guard(tool)
        self.entry_arguments = (tool, args, kwargs)
        is_invoke = name in ("invoke", "ainvoke")
        self.has_tool_call = is_invoke and _is_tool_call(value)
        self.value = value
        # Of an `invoke` the only other argument is its configuration.
        extra = _collect_extra_arguments(method, tool, value, () if is_invoke else args, kwargs)
        self.extra_names = frozenset(extra)
        binder = _find_body_binder(tool, awaited=name in ("ainvoke", "arun"))
        body_args: tuple[Any, ...] = (None,)
        body_kwargs: dict[str, Any] = {}
        try:
            copied = _copy_arguments(binder, self._get_arguments())
            arguments = dict(copied) if isinstance(copied, dict) else copied  # the framework writes into it
            body_args, body_kwargs = tool._to_args_and_kwargs(arguments, claim.call_id or None)  # noqa: SLF001  as `run` does
            body_kwargs = {**binder.fill_missing(body_kwargs), **extra}
            self.value = self._with_arguments(copied)
        except Exception:  # noqa: BLE001  whatever is wrong with them, it is recorded and refused
            binder, body_args, body_kwargs, self.extra_names = _EMPTY_BINDER, (None,), {}, frozenset()
        surface = HANDOFF_SURFACE if guard.surface is HANDOFF_SURFACE else TOOL_RESULT_SURFACE
        super().__init__(
            guard, binder, method, body_args, body_kwargs, surface=surface, allows_reentry=True, claim=claim
        )

    def execute(self, ticket: Ticket) -> Any:
        """Call the entry point with what it was given, except for what the decision changed."""
        tool, args, kwargs = self.entry_arguments
        extra = {name: self.kwargs[name] for name in self.extra_names if name in self.kwargs}
        kwargs = {name: extra.get(name, item) for name, item in kwargs.items()}
        return self.function(tool, self._build_value(ticket), *args, **kwargs)

    def return_denied(self, denied: Denied) -> Any:
        """As `ToolCall`, in the form in which an entry point gives it."""
        earlier = super().return_denied(denied)
        content = earlier[0] if isinstance(earlier, tuple) else earlier
        call_id = self.claim.call_id if self.claim is not None else ""
        return ToolMessage(content, tool_call_id=call_id, name=self.guard.name) if call_id else content

    def _build_value(self, ticket: Ticket) -> Any:
        """What to hand to the entry point."""
        if not is_enforced(ticket) or self.outer_call is not None or self.guard.resource.kind is ActionKind.HANDOFF:
            return self.value
        objects = self.bound_arguments.get_executed_arguments(ticket)
        changed = {
            name: objects[name]
            for name, value in ticket.args.items()
            if name not in self.extra_names and not same_value(value, self.arguments.get(name))
        }
        if not changed:
            return self.value
        arguments = self._get_arguments()
        if isinstance(arguments, str):
            only = next(iter(changed.values())) if len(changed) == 1 else None
            return self._with_arguments(only if isinstance(only, str) else changed)
        return self._with_arguments({**arguments, **changed})

    def _get_arguments(self) -> Any:
        return self.value["args"] if self.has_tool_call else self.value

    def _with_arguments(self, arguments: Any) -> Any:
        return {**self.value, "args": arguments} if self.has_tool_call else arguments


def _find_body_binder(tool: Any, *, awaited: bool) -> Binder:
    """The binder of what the framework runs of a tool, first of all."""
    binders: Mapping[str, Binder] = tool.__dict__[_BINDERS_KEY]
    if "_run" in binders:
        return binders["_arun" if awaited and type(tool)._arun is not BaseTool._arun else "_run"]  # noqa: SLF001
    order = ("coroutine", "func") if awaited else ("func", "coroutine")
    return next((binders[name] for name in order if name in binders), _EMPTY_BINDER)


def _collect_extra_arguments(
    method: Callable[..., Any], tool: Any, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of an entry point that `BaseTool.run` does not have, by parameter name."""
    signature = inspect.signature(method)
    extra: dict[str, Any] = {}
    for name, item in list(signature.bind_partial(tool, value, *args, **kwargs).arguments.items())[2:]:
        extra |= item if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: item}
    return {name: item for name, item in extra.items() if name not in _RUN_PARAMETERS}


def _copy_arguments(binder: Binder, arguments: Any) -> Any:
    """Arguments that nobody else holds; what a host or the framework put in stays what it is."""
    if not isinstance(arguments, Mapping):
        return copy.deepcopy(arguments)
    hidden = binder.framework_filled | binder.node_filled | binder.injected
    return {name: item if name in hidden else copy.deepcopy(item) for name, item in arguments.items()}


# guarded classes

_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun")


@functools.lru_cache(maxsize=256)
def _make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points register the run as guarded; those that the class overrides make the decision."""
    overridden = {name: overrides_entry_point(kind, name, FRAMEWORK) for name in _ENTRY_POINTS}

    def make_claim(guard: GuardMetadata, name: str, call_id: str, kwargs: dict[str, Any]) -> RunClaim:
        # A class that overrides an entry point starts its runs as it likes.
        run_id = None if overridden[name] else ensure_run_id(kwargs)
        return get_or_create_claim(guard.halo, "tool", guard.name, run_id, call_id)

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        guard = require_guard(self)
        with _injection_scope(guard, by_tool_node=_called_by_tool_node(inspect.currentframe())):
            if not overridden["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            with entry_scope(claim := make_claim(guard, "invoke", _get_call_id(input), kwargs), config):
                return run(_OverriddenEntryCall(self, "invoke", kind.invoke, input, claim, config, **kwargs))

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        guard = require_guard(self)
        with _injection_scope(guard, by_tool_node=_called_by_tool_node(inspect.currentframe())):
            if not overridden["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            with entry_scope(claim := make_claim(guard, "ainvoke", _get_call_id(input), kwargs), config):
                return await arun(_OverriddenEntryCall(self, "ainvoke", kind.ainvoke, input, claim, config, **kwargs))

    def run_tool(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        claim = make_claim(require_guard(self), "run", kwargs.get("tool_call_id") or "", kwargs)
        with entry_scope(claim, kwargs.get("config")):
            if not overridden["run"]:
                return kind.run(self, tool_input, *args, **kwargs)
            return run(_OverriddenEntryCall(self, "run", kind.run, tool_input, claim, *args, **kwargs))

    async def arun_tool(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        claim = make_claim(require_guard(self), "arun", kwargs.get("tool_call_id") or "", kwargs)
        with entry_scope(claim, kwargs.get("config")):
            if not overridden["arun"]:
                return await kind.arun(self, tool_input, *args, **kwargs)
            return await arun(_OverriddenEntryCall(self, "arun", kind.arun, tool_input, claim, *args, **kwargs))

    members: dict[str, Callable[..., Any]] = {"invoke": invoke, "ainvoke": ainvoke, "run": run_tool, "arun": arun_tool}
    return make_named_subclass(
        kind, {name: functools.wraps(getattr(kind, name))(method) for name, method in members.items()}
    )


@functools.lru_cache(maxsize=256)
def _make_run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, where the class has its own) is decided."""

    @functools.wraps(kind._run)  # noqa: SLF001  the framework reads its signature
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return run(_ToolBodyCall(self, "_run", kind._run, args, kwargs))  # noqa: SLF001  what was overridden

    @functools.wraps(kind._arun)  # noqa: SLF001  as above
    async def _arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await arun(_ToolBodyCall(self, "_arun", kind._arun, args, kwargs))  # noqa: SLF001  as above

    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    overrides_async = kind._arun is not BaseTool._arun  # noqa: SLF001  as above
    return make_named_subclass(_make_entry_class(kind), {"_run": _run, **({"_arun": _arun} if overrides_async else {})})


# guarded copies

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
    # A hidden argument that the caller can set is granted, or refused, like any other.
    schema = tool_schema(tool, list_settable_arguments(tool, _get_functions(tool).values()))
    return copy_with_guard(halo, tool, halo.register_tool(tool.name, resource, tool.description, schema))


def copy_with_guard(halo: Halo, tool: BaseTool, resource: Resource | None = None) -> BaseTool:
    """A guarded copy; without `resource` it counts as unregistered, even if a resource of its name exists.

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
    object.__setattr__(guarded, "__class__", _make_run_class(kind) if "_run" in functions else _make_entry_class(kind))
    guarded.__dict__[_BINDERS_KEY] = binders
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
            if _take_body_call(guard):
                return await function(*args, **kwargs)
            return await arun(ToolCall(guard, binder, function, args, kwargs))

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _take_body_call(guard):
            return function(*args, **kwargs)
        return run(ToolCall(guard, binder, function, args, kwargs))

    return call
