"""Room: one run of a guarded tool. Takes: a gate, the arguments as executed. Gives: a result, or a refusal.

Never: decides itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode
from halo_core.pep import Call, Ticket
from halo_core.pep.bound import Bound
from halo_core.pep.descent import Descent, arrived, descending
from halo_core.pep.gate import Gate
from halo_core.pep.handoff import as_task, with_terms
from halo_llamaindex._arguments import Binder
from halo_llamaindex._context import body
from halo_llamaindex._nested import nested, nested_id
from halo_llamaindex._pause import PASSES, abegin, begin, broke_off

__all__ = ["arun_gated", "run_gated"]

Again = tuple[tuple[Any, ...], dict[str, Any], Mapping[str, Any]]


@contextmanager
def _running(descent: Descent, call_id: str) -> Iterator[None]:
    with descending(descent), body(), nested(call_id):
        yield


def _call(gate: Gate, bound: Bound) -> Call:
    hands_off = gate.resource.kind is ActionKind.HANDOFF
    args = as_task(bound.decided) if hands_off else bound.decided
    call = gate.halo.call(gate.resource, args, call_id=nested_id(gate.resource.id, args))
    call = with_terms(gate.halo, call) if hands_off else call
    problem = bound.problem or gate.problem()
    return replace(call, problem=problem) if problem else call


def run_gated(
    gate: Gate,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    descends: bool = False,
) -> Any:
    """Decide, then run the function with what was decided.

    Args:
        gate: of the tool.
        binder: of the function.
        function: what runs.
        args: as it was called.
        kwargs: as it was called.
        descends: whether it may call another guarded method of its own once, undecided.

    Raises:
        Denied: it may not run, and did not.
    """
    bound = binder.split(args, kwargs)
    if (above := arrived(gate, bound.decided)) is not None:
        with descending(Descent(gate, bound.decided, above.ticket, open=descends, passes=PASSES)), body():
            return above.run(lambda: function(*args, **kwargs))
    call = _call(gate, bound)
    try:
        ticket = begin(gate.halo, call)
    except Denied as denied:
        return _earlier(denied)
    again_args, again_kwargs, executed = _again(binder, bound, ticket, args, kwargs)
    descent = Descent(gate, executed, ticket, open=descends, passes=PASSES)
    try:
        with _running(descent, call.call_id):
            result = function(*again_args, **again_kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(result), gate.surface)
    raise failed


async def arun_gated(
    gate: Gate,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    descends: bool = False,
) -> Any:
    """As `run_gated`, for a coroutine function."""
    bound = binder.split(args, kwargs)
    if (above := arrived(gate, bound.decided)) is not None:
        with descending(Descent(gate, bound.decided, above.ticket, open=descends, passes=PASSES)), body():
            return await above.arun(lambda: function(*args, **kwargs))
    call = _call(gate, bound)
    try:
        ticket = await abegin(gate.halo, call)
    except Denied as denied:
        return _earlier(denied)
    again_args, again_kwargs, executed = _again(binder, bound, ticket, args, kwargs)
    descent = Descent(gate, executed, ticket, open=descends, passes=PASSES)
    try:
        with _running(descent, call.call_id):
            result = await function(*again_args, **again_kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(result), gate.surface)
    raise failed


def _earlier(denied: Denied) -> Any:
    """What the very same call gave when it ran: a step that is run again after a pause calls its tools again.

    Raises:
        Denied: it did not run, or nobody knows what came of it.
    """
    if denied.earlier is None:
        raise denied
    return denied.earlier


def _again(binder: Binder, bound: Bound, ticket: Ticket, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Again:
    """Arguments to run with, and the same as the decision knows them."""
    verdict = ticket.verdict
    if verdict is None or verdict.mode is Mode.OBSERVE:
        return args, kwargs, bound.decided  # nothing stands in the way; what does not fit, the function itself says
    if verdict.resource.kind is ActionKind.HANDOFF:
        if ticket.args != as_task(bound.decided):
            refused = Denied("needs_guard", "cannot change what a hand-off tool passes on")
            ticket.fail(refused)
            raise refused
        return *binder.join(bound, bound.own), bound.decided
    return *binder.join(bound, bound.executed(ticket)), ticket.args
