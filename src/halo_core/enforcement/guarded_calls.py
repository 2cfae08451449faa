"""Actions of guarded objects, for every adapter: the calls of a guarded tool, retriever or method.

A `GuardedAction` is an action that knows its guard. A decided call may call the same object again, with the same
arguments (an `_arun` that calls `_run`): the inner call runs under the decision of the outer one, which also restricts
and records it. A `GuardedCall` runs a function with the arguments that a binder has split. An adapter derives a class
of its own from `GovernedAction`, which says how its framework pauses, and mixes it in:

    class ToolCall(LangChainAction, GuardedCall): ...

    def make_call(*args, **kwargs):
        return ToolCall(guard, binder, function, args, kwargs)

    guarded = make_governed_method(function, make_call, is_async=inspect.iscoroutinefunction(function))
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

from halo_core.enforcement.activities import current_activity
from halo_core.enforcement.arguments import ArgumentBinder, BoundArguments
from halo_core.enforcement.call import Call
from halo_core.enforcement.delegation import HANDOFF_SURFACE, DelegationFacade, to_task_arguments, with_delegation_terms
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun, govern, run
from halo_core.enforcement.guards import GuardMetadata, ReentrantCall, current_reentrant_call, reentrant_call_scope
from halo_core.enforcement.obligations import Surface
from halo_core.enforcement.session_context import current_session, session_values
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import Denied, Pending
from halo_core.model import ActionKind, Mode

_NO_RESULT_SURFACE: Final[Surface[Any]] = Surface(lambda _result: "")


def is_enforced(ticket: Ticket) -> bool:
    """Whether only the decided arguments may run; in observe mode nothing is enforced."""
    return ticket.context is not None and ticket.context.mode is not Mode.OBSERVE


def with_problem(call: Call, problem: str) -> Call:
    """The call, refused for this reason if there is one."""
    return replace(call, problem=problem) if problem else call


def build_guarded_call(guard: GuardMetadata, bound_arguments: BoundArguments, call_id: str) -> Call:
    """The call of a guarded function to decide; for a hand-off, with what is handed on."""
    arguments: Mapping[str, Any] = bound_arguments.decision_values
    hands_off = guard.resource.kind is ActionKind.HANDOFF
    arguments = to_task_arguments(arguments) if hands_off else arguments
    call: Call = guard.halo.build_call(guard.resource, arguments, call_id=call_id)
    if hands_off:
        call = with_delegation_terms(guard.halo, call)
    problem = bound_arguments.problem or guard.find_problem()
    return with_problem(call, problem) if problem else call


def make_governed_method(
    function: Callable[..., Any],
    make_action: Callable[..., GovernedAction[Any]],
    *,
    is_async: bool,
    open_scope: Callable[[], AbstractContextManager[Any]] | None = None,
) -> Callable[..., Any]:
    """Make a function that runs each of its calls as an action.

    Args:
        function: the function or method in whose place it stands.
        make_action: called as `function` is; of a method, with the object first.
        is_async: whether it is a coroutine function.
        open_scope: opens a block around each call, the making of its action included; it is not told of errors.
    """
    if open_scope is not None:

        def steps(*args: Any, **kwargs: Any) -> Steps[Any]:
            with open_scope():
                return (yield from govern(make_action(*args, **kwargs)))

        return make_method(function, steps, is_async=is_async)

    def governed(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        return run(make_action(*args, **kwargs))

    async def governed_async(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        return await arun(make_action(*args, **kwargs))

    return functools.wraps(function)(governed_async if is_async else governed)


def make_governed_methods(
    kind: type[Any], names: Iterable[str], make_action: Callable[..., GovernedAction[Any]]
) -> dict[str, Callable[..., Any]]:
    """Governed replacements for these methods of a class; asynchronous if the name begins with `a`.

    `make_action` is called with the method, its name, the object, and what the method is called with.
    """

    def wrap_method(name: str) -> Callable[..., Any]:
        method = getattr(kind, name)
        is_async = name.lstrip("_").startswith("a")
        return make_governed_method(method, functools.partial(make_action, method, name), is_async=is_async)

    return {name: wrap_method(name) for name in names if hasattr(kind, name)}


def describe_challenge(halo: DelegationFacade, call: Call, pending: Pending) -> dict[str, str]:
    """The challenge as shown to whoever waits for an answer: a reference, without any argument's value."""
    return {
        "pending_id": pending.pending_id,
        "decision_id": pending.decision_id,
        "resource": call.resource.id,
        "reason": pending.reason,
        "message": str(pending),
        "agent": call.agents[-1] if call.agents else halo.agent,
        "session": call.session,
        "answer_with": f"halo approvals approve {pending.pending_id} --as NAME",
    }


def make_unread_question_error(pending: Pending, wait_s: float) -> Pending:
    """The error that ends a run which waited for an answer while nobody read the run's events.

    Args:
        pending: what the action that waits would have raised; its question stays open.
        wait_s: how long the run has waited, seconds (`HaloBase.answer_wait_s`).
    """
    return Pending(
        "answer_not_awaited",
        f"waited {wait_s:g} s for the answer to {pending.pending_id}, and nothing read the events of the run",
        pending_id=pending.pending_id,
        remedy="read the events of the run while it waits, or answer with "
        f"`halo approvals approve {pending.pending_id} --as NAME` and run it again; `answer_wait_s` sets the wait",
        decision_id=pending.decision_id,
    )


class GuardedAction(GovernedAction[Any]):
    """An action of a guarded object. Subclasses implement `build_call` and `execute`.

    Args:
        guard: guard of the object.
        arguments: what is decided, by name, as plain values.
        surface: how the result is read, if not as the guard says.
        allows_reentry: whether one guarded method of the same object may run under this decision.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        arguments: Mapping[str, Any],
        surface: Surface[Any] | None = None,
        *,
        allows_reentry: bool = False,
    ) -> None:
        self.halo: Any = guard.halo
        self.guard = guard
        self.arguments = arguments
        self.outer_call = outer_call = current_reentrant_call(guard, arguments)
        self.allows_reentry = allows_reentry
        self.reentrant_call: ReentrantCall | None = None
        super().__init__(
            guard.halo.enforcer,
            None,
            surface or guard.surface,
            decision=outer_call.ticket if outer_call is not None else None,
            records_outcome=outer_call is None,
        )

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:  # noqa: ARG002  for subclasses
        """Prepare what `execute` needs; returns the arguments as executed.

        Not called where the decision was made further up, and so carried out there.

        Raises:
            Denied: what was decided cannot be carried out.
        """
        return self.arguments

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Context variables of the adapter, with their values while the action runs."""
        return ()

    def select_inner_arguments(self, executed: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments by which an inner call of the same object is recognised as part of this one."""
        return executed

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """A scope in which one inner call may reach the action under the same decision."""
        executed = self.prepare(ticket) if self.outer_call is None else self.arguments
        inner_arguments = self.select_inner_arguments(executed)
        self.reentrant_call = ReentrantCall(self.guard, inner_arguments, ticket, is_open=self.allows_reentry)
        return reentrant_call_scope(self.reentrant_call, *self.context_values(), *self._list_session_values())

    def _list_session_values(self) -> list[tuple[ContextVar[Any], Any]]:
        """The session of the decision, for tasks and threads that the body starts."""
        if current_session() is not None:
            return []
        session = self.halo.find_session()
        return session_values(session, None) if session.id else []

    def finish(self, ticket: Ticket, result: Any) -> Any:
        """Like `GovernedAction.finish`; records the result as it was before an inner call restricted it."""
        if self.reentrant_call is not None:
            result = self.reentrant_call.get_unrestricted(result)
        used = super().finish(ticket, result)
        if self.outer_call is not None:
            self.outer_call.remember(used, result)
        return used

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Like `finish`."""
        if self.reentrant_call is not None:
            error = self.reentrant_call.get_unrestricted(error)
        raised = super().finish_failed(ticket, error)
        if self.outer_call is not None:
            self.outer_call.remember(raised, error)
        return raised


class GuardedCall(GuardedAction):
    """A call of a guarded function, which runs with the decided arguments.

    Args:
        guard: guard of the object that holds the function.
        binder: binder of the function.
        function: what runs; a coroutine function under `arun`.
        args: positional arguments of the call; `kwargs` likewise.
        kwargs: what follows them are the options of `GuardedAction`.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        binder: ArgumentBinder,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        **options: Any,
    ) -> None:
        self.binder = binder
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.bound_arguments = self.bind_arguments(guard)
        super().__init__(guard, self.bound_arguments.decision_values, **options)

    def bind_arguments(self, guard: GuardMetadata) -> BoundArguments:  # noqa: ARG002  for subclasses
        """The arguments to decide."""
        return self.binder.bind_call(self.args, self.kwargs)

    def get_call_id(self, arguments: Mapping[str, Any]) -> str:  # noqa: ARG002  for subclasses
        """The framework's id of this call; empty for a fresh one."""
        return ""

    def build_call(self) -> Call:
        """The call to decide; for a hand-off, with what is handed on."""
        return build_guarded_call(self.guard, self.bound_arguments, self.get_call_id(self.arguments))

    def return_denied(self, denied: Denied) -> Any:
        """The recorded result of the same call if it ran before: a step resumed after a pause repeats its calls.

        Raises:
            Denied: it did not run, or nobody knows what came of it.
        """
        if denied.earlier is None:
            raise denied
        return denied.earlier

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:
        """Put the decided arguments in place of the caller's."""
        if not is_enforced(ticket):
            return self.arguments  # what does not fit, the function itself says
        if self.guard.resource.kind is ActionKind.HANDOFF:
            if ticket.args != to_task_arguments(self.arguments):
                raise Denied("needs_guard", "cannot change what a hand-off tool passes on")
            executed, objects = self.arguments, self.bound_arguments.objects
        else:
            executed, objects = ticket.args, self.bound_arguments.get_executed_arguments(ticket)
        self.args, self.kwargs = self.binder.build_call_arguments(self.bound_arguments, objects)
        return executed

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        """Call the function."""
        return self.function(*self.args, **self.kwargs)


class HandOffAction(GovernedAction[None]):
    """A hand-off, or an entry of an agent, that the framework itself carries out once it is decided."""

    def __init__(self, halo: DelegationFacade, call: Call) -> None:
        self.halo: Any = halo
        super().__init__(halo.enforcer, call, HANDOFF_SURFACE)

    def execute(self, ticket: Ticket) -> None:
        """Do nothing: the framework carries the hand-off out."""


class UnreachableCall(GovernedAction[Any]):
    """A call that reaches no code: the framework answers it with an error, which is recorded.

    Args:
        halo: who decides.
        call: the call; its problem says why nothing runs, so that only observe mode lets it pass.
        error: what it is recorded with then.
    """

    def __init__(self, halo: DelegationFacade, call: Call, error: BaseException) -> None:
        self.halo: Any = halo
        super().__init__(halo.enforcer, call, _NO_RESULT_SURFACE)
        self.error = error

    def execute(self, ticket: Ticket) -> None:
        """Do nothing: the call reaches no code."""

    def finish(self, ticket: Ticket, result: Any) -> None:  # noqa: ARG002  there is none
        """Record the error."""
        self.finish_failed(ticket, self.error)
