"""Room: what a tool node fills in. Takes: the frame of an entry point. Gives: whether this very call comes from one.

State and store are the graph's where a `ToolNode` puts them into a call: it throws away what the call had under their
names. Anybody else who calls the tool has chosen them. The arguments of a call do not tell the two apart, nor does a
configuration, which all code of a step has; the code that makes the call does. Never: decides, reads an argument.

Room: one run of a guarded tool. Takes: a gate, the arguments as executed. Gives: a result, or a refusal.

Never: decides itself.

Room: entry points that a tool's class has made anew. Takes: a call of one. Gives: a result, decided there.

Nobody knows whether such a one comes to the tool's body. So it is decided where it is entered, on the arguments as the
framework would hand them to the body, and the body takes that decision along. Never: decides itself.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolNode

from halo_core.enforcement import Call, Surface, Ticket
from halo_core.enforcement.arguments import BoundArguments, same_value
from halo_core.enforcement.delegation import (
    HANDOFF_SURFACE,
    note_allowed_agent,
    to_task_arguments,
    with_delegation_terms,
)
from halo_core.enforcement.guards import GuardMetadata
from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode
from halo_langchain._arguments import Binder
from halo_langchain._pause import abegin_or_pause, begin_or_pause, finish_failed
from halo_langchain._results import TOOL_RESULT_SURFACE
from halo_langchain._runs import (
    ContextVarScope,
    ReentrantCall,
    RunClaim,
    current_claim,
    current_reentrant_call,
    make_reentrant_call,
    reentrant_body_scope,
)

__all__ = [
    "OverriddenEntry",
    "OverriddenEntryCall",
    "arun_entry",
    "arun_guarded_call",
    "called_by_tool_node",
    "get_call_id",
    "injected_by_tool_node",
    "injection_scope",
    "no_injection_scope",
    "run_entry",
    "run_guarded_call",
]


_TOOL_NODE_CODE: Final = frozenset(
    function.__code__ for function in vars(ToolNode).values() if isinstance(function, types.FunctionType)
)
_INJECTED_GUARD: Final[ContextVar[GuardMetadata | None]] = ContextVar("halo_langchain_filled", default=None)


def called_by_tool_node(frame: types.FrameType | None) -> bool:
    """Whether a tool node called the function of this frame; no, where frames cannot be read."""
    return frame is not None and frame.f_back is not None and frame.f_back.f_code in _TOOL_NODE_CODE


def injection_scope(guard: GuardMetadata, *, by_tool_node: bool) -> ContextVarScope[Any]:
    """Around an entry point of a guarded tool: who called it, where that is not known from the one above."""
    return ContextVarScope((_INJECTED_GUARD, guard if by_tool_node or injected_by_tool_node(guard) else None))


def no_injection_scope(*, keep: bool = False) -> ContextVarScope[Any]:
    """Around the body of a decided tool: what it calls, nobody fills in; `keep` where it is yet on its way there."""
    return ContextVarScope((_INJECTED_GUARD, _INJECTED_GUARD.get() if keep else None))


def injected_by_tool_node(guard: GuardMetadata) -> bool:
    """Whether a tool node has filled in what it does in the call at hand."""
    return _INJECTED_GUARD.get() is guard


@dataclass(frozen=True, slots=True)
class OverriddenEntry:
    """An entry point that a class has made anew, on its way to the body that it may call.

    Args:
        surface: how its results are read.
        claim: of the run that it may start.
    """

    surface: Surface[Any]
    claim: RunClaim


@contextmanager
def _body_run_scope(reentrant_call: ReentrantCall, entry: OverriddenEntry | None) -> Iterator[None]:
    """Run what was decided: the body itself, or what may yet come to it."""
    with (
        reentrant_body_scope(reentrant_call, entry.claim if entry is not None else None),
        no_injection_scope(keep=reentrant_call.is_open),
    ):
        yield


def _build_call(guard: GuardMetadata, bound_arguments: BoundArguments) -> Call:
    """The call, with the id the framework gave it."""
    claim = current_claim(guard.halo, "tool", guard.name)
    call_id = ""
    if claim is not None:
        claim.decided = True
        call_id = claim.call_id
    hands_off = guard.resource.kind is ActionKind.HANDOFF
    args = to_task_arguments(bound_arguments.decision_values) if hands_off else bound_arguments.decision_values
    call: Call = guard.halo.build_call(guard.resource, args, call_id=call_id)
    if hands_off:
        call = with_delegation_terms(guard.halo, call)
    problem = bound_arguments.problem or guard.find_problem()
    return replace(call, problem=problem) if problem else call


def run_guarded_call(
    guard: GuardMetadata,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    entry: OverriddenEntry | None = None,
) -> Any:
    """Decide, then run the function with what was decided."""
    bound_arguments = _bind_arguments(guard, binder, args, kwargs)
    surface = entry.surface if entry is not None else guard.surface
    if (outer_call := current_reentrant_call(guard, bound_arguments.decision_values)) is not None:
        with _body_run_scope(
            make_reentrant_call(guard, bound_arguments.decision_values, outer_call.ticket, is_open=entry is not None),
            entry,
        ):
            return outer_call.run(lambda: function(*args, **kwargs), surface)
    try:
        ticket = begin_or_pause(guard.halo, _build_call(guard, bound_arguments))
    except Denied as denied:
        return _return_earlier_result(guard, denied)
    final_args, final_kwargs, executed = _build_executed_arguments(binder, bound_arguments, ticket, args, kwargs)
    reentrant_call = make_reentrant_call(guard, executed, ticket, is_open=entry is not None)
    try:
        with _body_run_scope(reentrant_call, entry):
            result = function(*final_args, **final_kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc), ToolException)
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(result), surface)
    raise failed


async def arun_guarded_call(
    guard: GuardMetadata,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    may_reenter: bool = False,
    entry: OverriddenEntry | None = None,
) -> Any:
    """As `run_gated`, for a coroutine function; one that `may_reenter` may call its own `_run` once, undecided."""
    bound_arguments = _bind_arguments(guard, binder, args, kwargs)
    surface, is_open = entry.surface if entry is not None else guard.surface, may_reenter or entry is not None
    if (outer_call := current_reentrant_call(guard, bound_arguments.decision_values)) is not None:
        with _body_run_scope(
            make_reentrant_call(guard, bound_arguments.decision_values, outer_call.ticket, is_open=is_open), entry
        ):
            return await outer_call.arun(lambda: function(*args, **kwargs), surface)
    try:
        ticket = await abegin_or_pause(guard.halo, _build_call(guard, bound_arguments))
    except Denied as denied:
        return _return_earlier_result(guard, denied)
    final_args, final_kwargs, executed = _build_executed_arguments(binder, bound_arguments, ticket, args, kwargs)
    reentrant_call = make_reentrant_call(guard, executed, ticket, is_open=is_open)
    try:
        with _body_run_scope(reentrant_call, entry):
            result = await function(*final_args, **final_kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc), ToolException)
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(result), surface)
    raise failed


def _return_earlier_result(guard: GuardMetadata, denied: Denied) -> Any:
    """What the very same call gave when it ran: a node that is run again after a pause calls its tools again.

    Raises:
        Denied: it did not run, or nobody knows what came of it.
    """
    earlier = getattr(denied, "earlier", None)
    if earlier is None:
        raise denied
    with_artifact = getattr(guard.original, "response_format", "") == "content_and_artifact"
    return (earlier, None) if with_artifact else earlier


def _bind_arguments(
    guard: GuardMetadata, binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> BoundArguments:
    try:
        return binder.split(args, kwargs, by_tool_node=injected_by_tool_node(guard))
    except TypeError:
        # The call cannot work; it is recorded and refused like any other that does not fit.
        return BoundArguments({}, {}, "invalid_arguments")


def _build_executed_arguments(
    binder: Binder, bound_arguments: BoundArguments, ticket: Ticket, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], Mapping[str, Any]]:
    """Arguments to run with, and the same as the decision knows them."""
    verdict = ticket.verdict
    hands_off = verdict is not None and verdict.resource.kind is ActionKind.HANDOFF
    if verdict is not None and hands_off:
        note_allowed_agent(verdict.resource.id)
    if verdict is None or verdict.mode is Mode.OBSERVE:
        return (
            args,
            kwargs,
            bound_arguments.decision_values,
        )  # nothing stands in the way; what does not fit, the function itself says
    if hands_off:
        if ticket.args != to_task_arguments(bound_arguments.decision_values):
            refused = Denied("needs_guard", "cannot change what a hand-off tool passes on")
            ticket.fail(refused)
            raise refused
        return *binder.join(bound_arguments, bound_arguments.objects), bound_arguments.decision_values
    return *binder.join(bound_arguments, bound_arguments.get_executed_arguments(ticket)), ticket.args


_RUN_PARAMETERS: Final = frozenset(inspect.signature(BaseTool.run).parameters) | {"input"}
# Nothing can be bound to it: a call whose arguments fit no body is recorded and refused.
_EMPTY_BINDER: Final = Binder(inspect.Signature(()), frozenset(), frozenset(), frozenset(), frozenset(), {})


def get_call_id(value: Any) -> str:
    """The id of a tool call that an entry point is given, empty of arguments alone."""
    return str(value.get("id") or "") if _is_tool_call(value) else ""


def _is_tool_call(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "tool_call"


@dataclass(frozen=True, slots=True)
class OverriddenEntryCall:
    """A call of an own entry point.

    Args:
        guard: of the tool.
        claim: of the run that it may start.
        call_id: the framework's id of the call.
        value: what it was given, as nobody else holds it.
        binder: of the body; None of a tool that has none.
        may_be_tool_call: whether the value can be a tool call, and not its arguments alone.
        args: positional arguments that the body would get.
        kwargs: its keyword arguments, and what else the caller passed.
        extra_names: names of those.
    """

    guard: GuardMetadata
    claim: RunClaim
    call_id: str
    value: Any
    binder: Binder | None
    may_be_tool_call: bool = False
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    extra_names: frozenset[str] = frozenset()

    def bind_arguments(self, tool: BaseTool, extra_arguments: Mapping[str, Any]) -> OverriddenEntryCall:
        """The same with what the body would get; `extra_arguments` are arguments that the framework does not know."""
        extra = {name: item for name, item in extra_arguments.items() if name not in _RUN_PARAMETERS}
        binder = self.binder or _EMPTY_BINDER
        try:
            copied = _copy_arguments(binder, self._get_arguments())
            arguments = dict(copied) if isinstance(copied, dict) else copied  # the framework writes into it
            args, kwargs = tool._to_args_and_kwargs(arguments, self.call_id or None)  # noqa: SLF001  as `run` does
            kwargs = {**binder.fill_missing(kwargs), **extra}
        except Exception:  # noqa: BLE001  whatever is wrong with them, it is recorded and refused
            return replace(self, binder=None, args=(None,), kwargs={})
        return replace(self, value=self._with_arguments(copied), args=args, kwargs=kwargs, extra_names=frozenset(extra))

    def _get_arguments(self) -> Any:
        return self.value["args"] if self.may_be_tool_call and _is_tool_call(self.value) else self.value

    def _with_arguments(self, arguments: Any) -> Any:
        return {**self.value, "args": arguments} if self.may_be_tool_call and _is_tool_call(self.value) else arguments

    def rebuild_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What to hand to the entry point now that these arguments were decided, and what else it was passed."""
        if self.binder is None:
            return self.value, {}
        by_tool_node = injected_by_tool_node(self.guard)
        before = self.binder.split(self.args, self.kwargs, by_tool_node=by_tool_node)
        now = self.binder.split(args, kwargs, by_tool_node=by_tool_node)
        changed = {
            name: now.objects[name]
            for name, value in now.decision_values.items()
            if name not in self.extra_names and not same_value(value, before.decision_values.get(name))
        }
        extra = {name: kwargs[name] for name in self.extra_names if name in kwargs}
        if not changed:
            return self.value, extra
        arguments = self._get_arguments()
        if isinstance(arguments, str):
            only = next(iter(changed.values())) if len(changed) == 1 else None
            return self._with_arguments(only if isinstance(only, str) else changed), extra
        return self._with_arguments({**arguments, **changed}), extra

    def to_entry(self) -> OverriddenEntry:
        """As `run` takes it: what comes out is a message or its content, whatever the body returns."""
        return OverriddenEntry(
            HANDOFF_SURFACE if self.guard.surface is HANDOFF_SURFACE else TOOL_RESULT_SURFACE, self.claim
        )

    def format_earlier_result(self, earlier: Any) -> Any:
        """What the very same call gave when it ran, in the form in which an entry point gives it."""
        content = earlier[0] if isinstance(earlier, tuple) else earlier
        return ToolMessage(content, tool_call_id=self.call_id, name=self.guard.name) if self.call_id else content


def _copy_arguments(binder: Binder, arguments: Any) -> Any:
    """Arguments that nobody else holds; what a host or the framework put in stays what it is."""
    if not isinstance(arguments, Mapping):
        return copy.deepcopy(arguments)
    hidden = binder.framework_filled | binder.node_filled | binder.injected
    return {name: item if name in hidden else copy.deepcopy(item) for name, item in arguments.items()}


def run_entry(entry_call: OverriddenEntryCall, call: Callable[[Any, dict[str, Any]], Any]) -> Any:
    """Decide an own entry point, run it with what was decided, restrict what it gives."""
    ran = False

    def function(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        ran = True
        return call(*entry_call.rebuild_call(args, kwargs))

    kwargs = dict(entry_call.kwargs)
    result = run_guarded_call(
        entry_call.guard,
        entry_call.binder or _EMPTY_BINDER,
        function,
        entry_call.args,
        kwargs,
        entry=entry_call.to_entry(),
    )
    return result if ran else entry_call.format_earlier_result(result)


async def arun_entry(entry_call: OverriddenEntryCall, call: Callable[[Any, dict[str, Any]], Awaitable[Any]]) -> Any:
    """As `enter`, for a coroutine function."""
    ran = False

    async def function(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        ran = True
        return await call(*entry_call.rebuild_call(args, kwargs))

    binder, kwargs = entry_call.binder or _EMPTY_BINDER, dict(entry_call.kwargs)
    result = await arun_guarded_call(
        entry_call.guard, binder, function, entry_call.args, kwargs, entry=entry_call.to_entry()
    )
    return result if ran else entry_call.format_earlier_result(result)
