"""Room: one run of a guarded tool. Takes: a gate, the arguments as executed. Gives: a result, or a refusal.

Never: decides itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.arguments import BoundArguments
from halo_core.enforcement.delegation import to_task_arguments, with_delegation_terms
from halo_core.enforcement.guards import GuardMetadata, ReentrantCall, current_reentrant_call, reentrant_call_scope
from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode
from halo_llamaindex._arguments import Binder
from halo_llamaindex._pause import STEERING_ERRORS, abegin_or_pause, begin_or_pause, finish_failed
from halo_llamaindex._runs import body_scope, make_nested_call_id, nested_call_scope

__all__ = ["arun_guarded_call", "run_guarded_call"]

CallArguments = tuple[tuple[Any, ...], dict[str, Any], Mapping[str, Any]]


@contextmanager
def _body_run_scope(reentrant_call: ReentrantCall, call_id: str) -> Iterator[None]:
    with reentrant_call_scope(reentrant_call), body_scope(), nested_call_scope(call_id):
        yield


def _build_call(guard: GuardMetadata, bound_arguments: BoundArguments) -> Call:
    is_handoff = guard.resource.kind is ActionKind.HANDOFF
    args = to_task_arguments(bound_arguments.decision_values) if is_handoff else bound_arguments.decision_values
    call = guard.halo.build_call(guard.resource, args, call_id=make_nested_call_id(guard.resource.id, args))
    call = with_delegation_terms(guard.halo, call) if is_handoff else call
    problem = bound_arguments.problem or guard.find_problem()
    return replace(call, problem=problem) if problem else call


def run_guarded_call(
    guard: GuardMetadata,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    allows_reentry: bool = False,
) -> Any:
    """Decide, then run the function with what was decided.

    Args:
        guard: of the tool.
        binder: of the function.
        function: what runs.
        args: as it was called.
        kwargs: as it was called.
        allows_reentry: whether it may call another guarded method of its own once, undecided.

    Raises:
        Denied: it may not run, and did not.
    """
    bound_arguments = binder.bind_call(args, kwargs)
    if (outer_call := current_reentrant_call(guard, bound_arguments.decision_values)) is not None:
        with (
            reentrant_call_scope(
                ReentrantCall(
                    guard,
                    bound_arguments.decision_values,
                    outer_call.ticket,
                    is_open=allows_reentry,
                    passthrough_errors=STEERING_ERRORS,
                )
            ),
            body_scope(),
        ):
            return outer_call.run(lambda: function(*args, **kwargs))
    call = _build_call(guard, bound_arguments)
    try:
        ticket = begin_or_pause(guard.halo, call)
    except Denied as denied:
        return _return_earlier_result(denied)
    call_args, call_kwargs, executed = _executed_arguments(binder, bound_arguments, ticket, args, kwargs)
    reentrant_call = ReentrantCall(guard, executed, ticket, is_open=allows_reentry, passthrough_errors=STEERING_ERRORS)
    try:
        with _body_run_scope(reentrant_call, call.call_id):
            result = function(*call_args, **call_kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(result), guard.surface)
    raise failed


async def arun_guarded_call(
    guard: GuardMetadata,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    allows_reentry: bool = False,
) -> Any:
    """As `run_gated`, for a coroutine function."""
    bound_arguments = binder.bind_call(args, kwargs)
    if (outer_call := current_reentrant_call(guard, bound_arguments.decision_values)) is not None:
        with (
            reentrant_call_scope(
                ReentrantCall(
                    guard,
                    bound_arguments.decision_values,
                    outer_call.ticket,
                    is_open=allows_reentry,
                    passthrough_errors=STEERING_ERRORS,
                )
            ),
            body_scope(),
        ):
            return await outer_call.arun(lambda: function(*args, **kwargs))
    call = _build_call(guard, bound_arguments)
    try:
        ticket = await abegin_or_pause(guard.halo, call)
    except Denied as denied:
        return _return_earlier_result(denied)
    call_args, call_kwargs, executed = _executed_arguments(binder, bound_arguments, ticket, args, kwargs)
    reentrant_call = ReentrantCall(guard, executed, ticket, is_open=allows_reentry, passthrough_errors=STEERING_ERRORS)
    try:
        with _body_run_scope(reentrant_call, call.call_id):
            result = await function(*call_args, **call_kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(result), guard.surface)
    raise failed


def _return_earlier_result(denied: Denied) -> Any:
    """What the very same call gave when it ran: a step that is run again after a pause calls its tools again.

    Raises:
        Denied: it did not run, or nobody knows what came of it.
    """
    if denied.earlier is None:
        raise denied
    return denied.earlier


def _executed_arguments(
    binder: Binder, bound_arguments: BoundArguments, ticket: Ticket, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> CallArguments:
    """Arguments to run with, and the same as the decision knows them."""
    verdict = ticket.verdict
    if verdict is None or verdict.mode is Mode.OBSERVE:
        return (
            args,
            kwargs,
            bound_arguments.decision_values,
        )  # nothing stands in the way; what does not fit, the function itself says
    if verdict.resource.kind is ActionKind.HANDOFF:
        if ticket.args != to_task_arguments(bound_arguments.decision_values):
            refused = Denied("needs_guard", "cannot change what a hand-off tool passes on")
            ticket.fail(refused)
            raise refused
        return *binder.build_call_arguments(bound_arguments, bound_arguments.objects), bound_arguments.decision_values
    return *binder.build_call_arguments(bound_arguments, bound_arguments.get_executed_arguments(ticket)), ticket.args
