"""Guarded tools: copies whose calls are decided at the last step before the tool's own code.

The functions of a `Tool` or `StructuredTool` are wrapped (`ToolCall`); of any other tool, `_run` and `_arun` are
(`_ToolBodyCall`). There the arguments are validated and as executed, on every path (`invoke`, `run`, `batch`, `.func`).
An entry point that a class overrides may never reach those methods, so its calls are decided on entry
(`_OverriddenEntryCall`), with the arguments that the framework would pass on; the tool's code then runs under that
decision.

A `ToolNode` injects the graph's state and store and overwrites any values that the call had under those names; any
other caller chooses these values itself. Neither the arguments nor the configuration show which case applies, since all
code of a step can set them, so `_called_by_tool_node` inspects the caller's frame.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, Tool, ToolException
from langgraph.prebuilt import ToolNode

from halo_core.enforcement.activities import current_activity
from halo_core.enforcement.arguments import BoundArguments, same_value
from halo_core.enforcement.delegation import (
    HANDOFF_SURFACE,
    find_agent_resource,
    note_allowed_agent,
    register_agent_resource,
)
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import arun, run, run_step
from halo_core.enforcement.guarded_calls import GuardedCall, HandOffAction, is_enforced, with_problem
from halo_core.enforcement.guards import (
    TOOL_KINDS,
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
from halo_core.enforcement.mcp_listings import ListedToolGuard, describe_for_guess
from halo_core.enforcement.reversals import Reverser, refuse_reversal_options
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.enforcement.step_methods import make_method, make_scoped_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import Denied
from halo_core.model import ActionKind, Resource
from halo_langchain._known_tools import describe_known_tool
from halo_langchain._mcp import ServerTool, hide_listing, read_server_tool
from halo_langchain._pause import LangChainAction
from halo_langchain._results import TOOL_RESULT_SURFACE, make_tool_surface
from halo_langchain._runs import (
    RunClaim,
    body_values,
    current_claim,
    ensure_run_id,
    entry_scope,
    get_or_create_claim,
    program_values,
)
from halo_langchain._translate import (
    FRAMEWORK,
    Binder,
    get_handoff_agent,
    list_settable_arguments,
    refuse_overridden_entry_points,
    resolve_annotations,
    takes_more_than_task,
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
    """Whether a tool node called the function of this frame; False if frames cannot be read."""
    return frame is not None and frame.f_back is not None and frame.f_back.f_code in _TOOL_NODE_CODE


def _injection_scope(guard: GuardMetadata, *, by_tool_node: bool) -> ContextVarScope:
    """Scope of an entry point that records whether a tool node called it, directly or through an outer one."""
    return ContextVarScope((_INJECTED_GUARD, guard if by_tool_node or _INJECTED_GUARD.get() is guard else None))


class ToolCall(LangChainAction, GuardedCall):
    """A call of a function in a guarded tool.

    Attributes:
        claim: claim of the run that the call may yet start.
    """

    error_class = ToolException
    claim: RunClaim | None = None

    def bind_arguments(self, guard: GuardMetadata) -> BoundArguments:
        """Like `GuardedCall`; arguments injected by a tool node are not decided."""
        binder: Any = self.binder
        try:
            by_tool_node = _INJECTED_GUARD.get() is guard
            bound: BoundArguments = binder.bind_call(self.args, self.kwargs, by_tool_node=by_tool_node)
        except TypeError:
            # The call cannot work; it is recorded and refused like any other that does not fit.
            return BoundArguments({}, {}, "invalid_arguments")
        return bound

    def get_call_id(self, arguments: Mapping[str, Any]) -> str:  # noqa: ARG002  the framework has its own
        """The framework's id of the call."""
        claim = current_claim(self.halo, "tool", self.guard.name)
        if claim is None:
            return ""
        claim.decided = True
        return claim.call_id

    def accept(self, ticket: Ticket) -> None:
        """Remember a hand-off decided here, so that the graph that carries it out does not decide it again."""
        super().accept(ticket)
        if ticket.context is not None and ticket.context.resource.kind is ActionKind.HANDOFF:
            note_allowed_agent(ticket.context.resource.id)

    def return_denied(self, denied: Denied) -> Any:
        """Like `GuardedCall`, in the form that the tool's function returns."""
        earlier = super().return_denied(denied)
        with_artifact = getattr(self.guard.original, "response_format", "") == "content_and_artifact"
        return (earlier, None) if with_artifact else earlier

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Context variables for the execution: nested calls count as not injected unless under this decision."""
        injected = _INJECTED_GUARD.get() if self.allows_reentry else None
        programs = program_values(self.guard.resource, self.arguments)
        return *body_values(self.guard, self.claim), *programs, (_INJECTED_GUARD, injected)


@dataclass(frozen=True, slots=True, eq=False)
class HandOffToolGuard(GuardMetadata):
    """The guard of a hand-off tool with arguments besides the task: its call is also decided as a tool call.

    Args:
        tool_resource: resource as which the call is decided, before the hand-off.
    """

    tool_resource: Resource


class _ToolArgumentsDecision(LangChainAction, HandOffAction):
    """The decision about a hand-off tool's arguments; the tool runs once the hand-off is decided too."""

    def return_denied(self, denied: Denied) -> None:
        """Like `GuardedCall`: a step resumed after a pause decides its calls again.

        Raises:
            Denied: it may not run.
        """
        if denied.earlier is None:
            raise denied


def _decide_and_run(action: ToolCall) -> Steps[Any]:
    """Run an action; for a hand-off tool with more arguments, decide these first."""
    if isinstance(action.guard, HandOffToolGuard) and action.outer_call is None:
        halo, bound = action.halo, action.bound_arguments
        claim = current_claim(halo, "tool", action.guard.name)
        call = halo.build_call(
            action.guard.tool_resource, bound.decision_values, call_id=claim.call_id if claim is not None else ""
        )
        yield run_step(_ToolArgumentsDecision(halo, with_problem(call, bound.problem)))
    return (yield run_step(action))


class _ToolBodyCall(ToolCall):
    """A call of a tool's own `_run` or `_arun`, which may call one function of the tool without a new decision."""

    is_body_taken = False

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Like `ToolCall`, with the call itself for `_take_body_call`."""
        return *super().context_values(), (_BODY_CALL, self)


_BODY_CALL: Final[ContextVar[_ToolBodyCall | None]] = ContextVar("halo_langchain_inside", default=None)


def _take_body_call(guard: GuardMetadata) -> bool:
    """Whether the tool's decided body makes this call of a function of the tool; True once per decision."""
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
    """The id of the tool call given to an entry point; empty if it got only arguments."""
    return str(value.get("id") or "") if _is_tool_call(value) else ""


def _is_tool_call(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "tool_call"


class _OverriddenEntryCall(ToolCall):
    """A call of an overridden entry point.

    Args:
        entry: the entry point.
        claim: claim of the run that it may start.
        tool: the guarded tool.
        value: what it was given: a tool call, or its arguments alone.
        args: what else it was given.
        kwargs: what else it was given.
    """

    def __init__(
        self, entry: _EntryPoint, claim: RunClaim, tool: Any, value: Any, /, *args: Any, **kwargs: Any
    ) -> None:
        guard, method = require_guard(tool), entry.method
        self.entry_arguments = (tool, args, kwargs)
        is_invoke = entry.name in ("invoke", "ainvoke")
        self.has_tool_call = is_invoke and _is_tool_call(value)
        self.value = value
        # Of an `invoke` the only other argument is its configuration.
        extra = _collect_extra_arguments(method, tool, value, () if is_invoke else args, kwargs)
        self.extra_names = frozenset(extra)
        binder = _find_body_binder(tool, awaited=entry.name in ("ainvoke", "arun"))
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
        self.claim = claim
        super().__init__(guard, binder, method, body_args, body_kwargs, surface=surface, allows_reentry=True)

    def execute(self, ticket: Ticket) -> Any:
        """Call the entry point with its arguments, except those that the decision changed."""
        tool, args, kwargs = self.entry_arguments
        extra = {name: self.kwargs[name] for name in self.extra_names if name in self.kwargs}
        kwargs = {name: extra.get(name, item) for name, item in kwargs.items()}
        return self.function(tool, self._build_value(ticket), *args, **kwargs)

    def return_denied(self, denied: Denied) -> Any:
        """Like `ToolCall`, in the form that an entry point returns."""
        earlier = super().return_denied(denied)
        content = earlier[0] if isinstance(earlier, tuple) else earlier
        call_id = self.claim.call_id if self.claim is not None else ""
        return ToolMessage(content, tool_call_id=call_id, name=self.guard.name) if call_id else content

    def _build_value(self, ticket: Ticket) -> Any:
        """The value to pass to the entry point."""
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
    """The binder of the first function that the framework runs of a tool."""
    binders: Mapping[str, Binder] = tool.__dict__[_BINDERS_KEY]
    if "_run" in binders:
        return binders["_arun" if awaited and type(tool)._arun is not BaseTool._arun else "_run"]  # noqa: SLF001
    order = ("coroutine", "func") if awaited else ("func", "coroutine")
    return next((binders[name] for name in order if name in binders), _EMPTY_BINDER)


def _collect_extra_arguments(
    method: Callable[..., Any], tool: Any, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Entry point arguments that `BaseTool.run` lacks, by parameter name."""
    signature = inspect.signature(method)
    extra: dict[str, Any] = {}
    for name, item in list(signature.bind_partial(tool, value, *args, **kwargs).arguments.items())[2:]:
        extra |= item if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: item}
    return {name: item for name, item in extra.items() if name not in _RUN_PARAMETERS}


def _copy_arguments(binder: Binder, arguments: Any) -> Any:
    """A private copy of arguments; objects inserted by a host or the framework are kept."""
    if not isinstance(arguments, Mapping):
        return copy.deepcopy(arguments)
    hidden = binder.framework_filled | binder.node_filled | binder.injected
    return {name: item if name in hidden else copy.deepcopy(item) for name, item in arguments.items()}


# guarded classes

_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun")


@functools.lru_cache(maxsize=256)
def _make_entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points register the run as guarded; overridden ones decide it."""
    members: dict[str, Callable[..., Any]] = {}
    for name in _ENTRY_POINTS:
        original, is_async = getattr(kind, name), name.startswith("a")
        if overrides_entry_point(kind, name, FRAMEWORK):
            make_steps: Callable[..., Steps[Any]] = _invoke_steps if name.endswith("invoke") else _run_steps
            steps = functools.partial(make_steps, _EntryPoint(name, original))
            members[name] = make_method(original, steps, is_async=is_async)
        else:
            open_scope = _open_invoke_scope if name.endswith("invoke") else _open_run_scope
            members[name] = make_scoped_method(original, open_scope, is_async=is_async)
    return make_named_subclass(kind, members)


def _open_invoke_scope(tool: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> ContextVarScope:
    # This frame was called by the method that `make_scoped_method` made: the one that counts called that.
    frame = inspect.currentframe()
    by_tool_node = _called_by_tool_node(frame.f_back if frame is not None else None)
    return _injection_scope(require_guard(tool), by_tool_node=by_tool_node)


def _open_run_scope(tool: Any, _args: tuple[Any, ...], kwargs: dict[str, Any]) -> ContextVarScope:
    guard = require_guard(tool)
    call_id = kwargs.get("tool_call_id") or ""
    claim = get_or_create_claim(guard.halo, "tool", guard.name, ensure_run_id(kwargs), call_id)
    return entry_scope(claim, kwargs.get("config"), starts_at_once=True)


@dataclass(frozen=True, slots=True)
class _EntryPoint:
    """An overridden entry point, which may start its runs in any way."""

    name: str
    method: Callable[..., Any]

    def make_claim(self, tool: BaseTool, call_id: str) -> RunClaim:
        """The claim of its run."""
        guard = require_guard(tool)
        claim = get_or_create_claim(guard.halo, "tool", guard.name, None, call_id)
        claim.source = tool
        return claim


def _invoke_steps(entry: _EntryPoint, tool: Any, /, input: Any, config: Any = None, **kwargs: Any) -> Steps[Any]:  # noqa: A002  the framework's name
    # This frame was called by the method that `make_method` made: the one that counts called that.
    frame = inspect.currentframe()
    by_tool_node = _called_by_tool_node(frame.f_back if frame is not None else None)

    def steps() -> Steps[Any]:
        with _injection_scope(require_guard(tool), by_tool_node=by_tool_node):
            claim = entry.make_claim(tool, _get_call_id(input))
            with entry_scope(claim, config):
                return (yield from _decide_and_run(_OverriddenEntryCall(entry, claim, tool, input, config, **kwargs)))

    return steps()


def _run_steps(entry: _EntryPoint, tool: Any, /, tool_input: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
    claim = entry.make_claim(tool, kwargs.get("tool_call_id") or "")
    with entry_scope(claim, kwargs.get("config")):
        action = _OverriddenEntryCall(entry, claim, tool, tool_input, *args, **kwargs)
        return (yield from _decide_and_run(action))


@functools.lru_cache(maxsize=256)
def _make_run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, if the class has its own) is decided."""
    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    names = ("_run",) if kind._arun is BaseTool._arun else ("_run", "_arun")  # noqa: SLF001  the hooks of a tool
    return make_named_subclass(_make_entry_class(kind), {name: _wrap_body(kind, name) for name in names})


def _wrap_body(kind: type[BaseTool], name: str) -> Callable[..., Any]:
    original = getattr(kind, name)

    def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        guard, binder, method = require_guard(self), self.__dict__[_BINDERS_KEY][name], types.MethodType(original, self)
        action = _ToolBodyCall(guard, binder, method, args, kwargs, allows_reentry=name == "_arun")
        return (yield from _decide_and_run(action))

    return make_method(original, steps, is_async=name == "_arun")


# guarded copies

_GUARDED_ENTRY_POINTS: Final = ("invoke", "ainvoke", "run", "arun", "_run", "_arun")
_UNGUARDED_ENTRY_POINTS: Final = ("batch", "abatch", "stream", "astream")


def guard_tool(
    halo: Halo,
    tool: BaseTool,
    resource: Resource | None,
    *,
    is_sighting: bool = False,
    reverser: Reverser | None = None,
) -> BaseTool:
    """Register a tool and return its guarded copy.

    Args:
        halo: who decides.
        tool: the tool to guard.
        resource: what it is; guessed where not given.
        is_sighting: whether nobody asked for it: the tool was met as it ran.
        reverser: how its effects are taken back.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind; or its class has an entry point
            of its own that cannot be decided.
    """
    guard = get_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None and reverser is None:
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
        refuse_reversal_options(reverser)
        if takes_more_than_task(tool):
            halo.register_tool(tool.name, None, tool.description, make_tool_schema(tool))
        return copy_with_guard(halo, tool, register_agent_resource(halo, handoff_agent, resource))
    schema, served = make_tool_schema(tool), read_server_tool(tool)
    if served is not None:
        return _guard_server_tool(halo, tool, served, resource, reverser)
    if resource is None and halo.find_declared(tool.name, *TOOL_KINDS) is None:
        resource = describe_known_tool(tool)
    resource_id = choose_resource_id(resource, tool.name)
    was_only_seen = not is_sighting and halo.first_seen.was_only_seen(resource_id, tool)
    registered = halo.register_tool(
        tool.name, resource, tool.description, schema, replaces=was_only_seen, reverser=reverser
    )
    halo.first_seen.note_guarded(registered.id, tool, is_sighting=is_sighting)
    function = (tool.func or tool.coroutine) if isinstance(tool, StructuredTool) else None
    # A subclass may do more than call its function.
    halo.register_runner(registered, function if type(tool) is StructuredTool else None)
    return copy_with_guard(halo, tool, registered)


def _guard_server_tool(
    halo: Halo, tool: BaseTool, served: ServerTool, resource: Resource | None, reverser: Reverser | None
) -> BaseTool:
    """Guard a tool of an MCP server; it is registered, and so granted, as first listed by its server.

    Raises:
        ConfigError: as `guard_tool`.
    """
    server_tools, name = halo.server_tools, tool.name
    server_tools.admit([tool], again=False)
    is_refused = halo.mcp_listings.is_refused(served.server, served.listed.name)
    tool_resource = make_unregistered_resource(served.resource_name, ActionKind.TOOL_CALL)
    if not is_refused and not server_tools.is_name_free(served, name):
        halo.notify_once(f"`{name}` of `{served.server}` has no grant: its name is used by something else")
    elif not is_refused:
        description = describe_for_guess(served.listed)
        schema = make_tool_schema(tool)
        tool_resource = halo.register_tool(name, resource, description, schema, served.listed.hints, reverser=reverser)
        server_tools.note_registered(served, name)
    make_guard = functools.partial(ListedToolGuard, server=served.server, listed_name=served.listed.name)
    if halo.mcp_listings.is_withheld(served.server):
        tool = tool.model_copy(update=hide_listing(tool))
    guarded = copy_with_guard(halo, tool, tool_resource, make_guard)
    server_tools.note_guard(name, require_guard(guarded))
    return guarded


def make_tool_schema(tool: BaseTool) -> dict[str, Any]:
    """Schema of a tool's arguments; a hidden one that the caller can set is decided like any other."""
    return tool_schema(tool, list_settable_arguments(tool, _get_functions(tool).values()))


def copy_with_guard(
    halo: Halo,
    tool: BaseTool,
    resource: Resource | None = None,
    make_guard: Callable[..., GuardMetadata] | None = None,
) -> BaseTool:
    """A guarded copy; without `resource` it counts as unregistered, even if a resource has its name.

    A hand-off tool is known by the agent that it leads to.
    """
    handoff_agent = get_handoff_agent(tool)
    tool_resource = resource or (
        find_agent_resource(halo, handoff_agent)
        if handoff_agent
        else make_unregistered_resource(tool.name, ActionKind.TOOL_CALL)
    )
    guard = (make_guard or (GuardMetadata if resource or handoff_agent else UnregisteredGuard))(
        halo, tool, tool.name, tool_resource, HANDOFF_SURFACE if handoff_agent else make_tool_surface(tool)
    )
    if handoff_agent and takes_more_than_task(tool):
        registered = halo.find_registered(tool.name)
        if registered is None or registered.kind not in TOOL_KINDS:
            registered = make_unregistered_resource(tool.name, ActionKind.TOOL_CALL)
        guard = HandOffToolGuard(halo, tool, tool.name, tool_resource, HANDOFF_SURFACE, registered)
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
    """The decided functions of a tool, by attribute name."""
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
    if isinstance(guard, HandOffToolGuard):

        def steps(*args: Any, **kwargs: Any) -> Steps[Any]:
            if _take_body_call(guard):
                return (yield (functools.partial(function, *args, **kwargs),))
            return (yield from _decide_and_run(ToolCall(guard, binder, function, args, kwargs)))

        return resolve_annotations(make_method(function, steps, is_async=awaited))

    def call(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        if _take_body_call(guard):
            return function(*args, **kwargs)
        return run(ToolCall(guard, binder, function, args, kwargs))

    async def acall(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        if _take_body_call(guard):
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result
        return await arun(ToolCall(guard, binder, function, args, kwargs))

    return resolve_annotations(functools.wraps(function)(acall if awaited else call))
