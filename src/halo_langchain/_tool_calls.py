"""Calls of guarded tools, as actions of the one flow.

A `ToolCall` runs a function that a tool holds, a `ToolBodyCall` its own `_run` or `_arun`, an `OverriddenEntryCall` an
entry point that the tool's class overrides: nobody knows whether such a one comes to the tool's body, so it is decided
where it is entered, on the arguments as the framework would hand them to the body, and the body takes that decision
along.

State and store are the graph's where a `ToolNode` puts them into a call: it throws away what the call had under their
names. Anybody else who calls the tool has chosen them. Neither the arguments of a call nor a configuration, which all
code of a step has, tell the two apart; the code that makes the call does, so `called_by_tool_node` reads its frame.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolNode

from halo_core.enforcement import Surface, Ticket
from halo_core.enforcement.arguments import BoundArguments, same_value
from halo_core.enforcement.delegation import HANDOFF_SURFACE, note_allowed_agent
from halo_core.enforcement.guarded_calls import GuardedCall, is_enforced
from halo_core.enforcement.guards import GuardMetadata, require_guard
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_langchain._arguments import Binder
from halo_langchain._pause import LangChainAction
from halo_langchain._results import TOOL_RESULT_SURFACE
from halo_langchain._runs import RunClaim, body_values, current_claim

__all__ = [
    "BINDERS_KEY",
    "OverriddenEntryCall",
    "ToolBodyCall",
    "ToolCall",
    "called_by_tool_node",
    "get_call_id",
    "injection_scope",
    "take_body_call",
]

BINDERS_KEY: Final = "_halo_binders"
_TOOL_NODE_CODE: Final = frozenset(
    function.__code__ for function in vars(ToolNode).values() if isinstance(function, types.FunctionType)
)
_INJECTED_GUARD: Final[ContextVar[GuardMetadata | None]] = ContextVar("halo_langchain_filled", default=None)


def called_by_tool_node(frame: types.FrameType | None) -> bool:
    """Whether a tool node called the function of this frame; no, where frames cannot be read."""
    return frame is not None and frame.f_back is not None and frame.f_back.f_code in _TOOL_NODE_CODE


def injection_scope(guard: GuardMetadata, *, by_tool_node: bool) -> ContextVarScope:
    """Around an entry point of a guarded tool: who called it, where that is not known from the one above."""
    return ContextVarScope((_INJECTED_GUARD, guard if by_tool_node or _is_injected_by_tool_node(guard) else None))


def _is_injected_by_tool_node(guard: GuardMetadata) -> bool:
    """Whether a tool node has filled in what it does in the call at hand."""
    return _INJECTED_GUARD.get() is guard


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
            bound: BoundArguments = binder.bind_call(
                self.args, self.kwargs, by_tool_node=_is_injected_by_tool_node(guard)
            )
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
        """No tool node fills in what the tool calls; it may have, where the call is yet on its way to the body."""
        injected = _INJECTED_GUARD.get() if self.allows_reentry else None
        return *body_values(self.claim), (_INJECTED_GUARD, injected)


class ToolBodyCall(ToolCall):
    """A call of a tool's own `_run` or `_arun`. The functions that it holds too are its body: one of them runs once.

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
            tool.__dict__[BINDERS_KEY][name],
            types.MethodType(method, tool),
            args,
            kwargs,
            allows_reentry=name == "_arun",
        )

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """As `ToolCall`, and the call itself for `take_body_call`."""
        return *super().context_values(), (_BODY_CALL, self)


_BODY_CALL: Final[ContextVar[ToolBodyCall | None]] = ContextVar("halo_langchain_inside", default=None)


def take_body_call(guard: GuardMetadata) -> bool:
    """Whether a function that a tool holds is called by the tool's own, decided, body; no other call is, afterwards."""
    call = _BODY_CALL.get()
    if call is None or call.guard is not guard or call.is_body_taken:
        return False
    # Tasks and threads that were started inside have this context too; after the end it lets nothing pass.
    call.is_body_taken = True
    return call.reentrant_call is not None and call.reentrant_call.is_running


# entry points that a class overrides

_RUN_PARAMETERS: Final = frozenset(inspect.signature(BaseTool.run).parameters) | {"input"}
# Nothing can be bound to it: a call whose arguments fit no body is recorded and refused.
_EMPTY_BINDER: Final = Binder(inspect.Signature(()), frozenset(), frozenset(), frozenset(), frozenset(), {})


def get_call_id(value: Any) -> str:
    """The id of a tool call that an entry point is given, empty of arguments alone."""
    return str(value.get("id") or "") if _is_tool_call(value) else ""


def _is_tool_call(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "tool_call"


class OverriddenEntryCall(ToolCall):
    """A call of an entry point that the tool's class overrides.

    Args:
        tool: the guarded tool.
        name: of the entry point.
        method: as the class has it.
        value: what it was given: a tool call, or its arguments alone.
        args: what else it was given.
        kwargs: what else it was given.
        claim: of the run that it may start.
    """

    def __init__(
        self,
        tool: Any,
        name: str,
        method: Callable[..., Any],
        value: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        claim: RunClaim,
    ) -> None:
        guard = require_guard(tool)
        self.entry_arguments = (tool, args, kwargs)
        self.has_tool_call = name in ("invoke", "ainvoke") and _is_tool_call(value)
        self.value = value
        extra = _collect_extra_arguments(method, tool, value, args, kwargs)
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
    binders: Mapping[str, Binder] = tool.__dict__[BINDERS_KEY]
    if "_run" in binders:
        return binders["_arun" if awaited and type(tool)._arun is not BaseTool._arun else "_run"]  # noqa: SLF001
    order = ("coroutine", "func") if awaited else ("func", "coroutine")
    return next((binders[name] for name in order if name in binders), _EMPTY_BINDER)


def _collect_extra_arguments(
    method: Callable[..., Any], tool: Any, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """What an entry point is given that the framework does not know, under the names that it has for it."""
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
