"""Room: one run of a guarded tool. Takes: a gate, the arguments as executed. Gives: a result, or a refusal.

Never: decides itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.tools import ToolException

from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode
from halo_core.pep import Call, Surface, Ticket
from halo_core.pep.bound import Bound
from halo_core.pep.gate import Gate
from halo_core.pep.handoff import as_task, decided, with_terms
from halo_langchain._context import Mark, current_mark
from halo_langchain._descent import Descent, arrived, descending, descent_of
from halo_langchain._pause import abegin, begin, broke_off
from halo_langchain._tools.filled import emptied, filled
from halo_langchain._values.arguments import Binder

__all__ = ["Entry", "arun_gated", "run_gated"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry point that a class has made anew, on its way to the body that it may call.

    Args:
        surface: how its results are read.
        mark: of the run that it may start.
    """

    surface: Surface[Any]
    mark: Mark


@contextmanager
def _running(descent: Descent, entry: Entry | None) -> Iterator[None]:
    """Run what was decided: the body itself, or what may yet come to it."""
    with descending(descent, entry.mark if entry is not None else None), emptied(but=descent.open):
        yield


def _call(gate: Gate, bound: Bound) -> Call:
    """The call, with the id the framework gave it."""
    mark = current_mark(gate.halo, "tool", gate.name)
    call_id = ""
    if mark is not None:
        mark.decided = True
        call_id = mark.call_id
    hands_off = gate.resource.kind is ActionKind.HANDOFF
    args = as_task(bound.decided) if hands_off else bound.decided
    call: Call = gate.halo.call(gate.resource, args, call_id=call_id)
    if hands_off:
        call = with_terms(gate.halo, call)
    problem = bound.problem or gate.problem()
    return replace(call, problem=problem) if problem else call


def run_gated(
    gate: Gate,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    entry: Entry | None = None,
) -> Any:
    """Decide, then run the function with what was decided."""
    bound = _split(gate, binder, args, kwargs)
    surface = entry.surface if entry is not None else gate.surface
    if (above := arrived(gate, bound.decided)) is not None:
        with _running(descent_of(gate, bound.decided, above.ticket, open=entry is not None), entry):
            return above.run(lambda: function(*args, **kwargs), surface)
    try:
        ticket = begin(gate.halo, _call(gate, bound))
    except Denied as denied:
        return _earlier(gate, denied)
    again_args, again_kwargs, executed = _again(binder, bound, ticket, args, kwargs)
    descent = descent_of(gate, executed, ticket, open=entry is not None)
    try:
        with _running(descent, entry):
            result = function(*again_args, **again_kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc), ToolException)
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(result), surface)
    raise failed


async def arun_gated(
    gate: Gate,
    binder: Binder,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    descends: bool = False,
    entry: Entry | None = None,
) -> Any:
    """As `run_gated`, for a coroutine function; one that `descends` may call its own `_run` once, undecided."""
    bound = _split(gate, binder, args, kwargs)
    surface, further = entry.surface if entry is not None else gate.surface, descends or entry is not None
    if (above := arrived(gate, bound.decided)) is not None:
        with _running(descent_of(gate, bound.decided, above.ticket, open=further), entry):
            return await above.arun(lambda: function(*args, **kwargs), surface)
    try:
        ticket = await abegin(gate.halo, _call(gate, bound))
    except Denied as denied:
        return _earlier(gate, denied)
    again_args, again_kwargs, executed = _again(binder, bound, ticket, args, kwargs)
    descent = descent_of(gate, executed, ticket, open=further)
    try:
        with _running(descent, entry):
            result = await function(*again_args, **again_kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc), ToolException)
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(result), surface)
    raise failed


def _earlier(gate: Gate, denied: Denied) -> Any:
    """What the very same call gave when it ran: a node that is run again after a pause calls its tools again.

    Raises:
        Denied: it did not run, or nobody knows what came of it.
    """
    earlier = getattr(denied, "earlier", None)
    if earlier is None:
        raise denied
    with_artifact = getattr(gate.original, "response_format", "") == "content_and_artifact"
    return (earlier, None) if with_artifact else earlier


def _split(gate: Gate, binder: Binder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound:
    try:
        return binder.split(args, kwargs, filled=filled(gate))
    except TypeError:
        # The call cannot work; it is recorded and refused like any other that does not fit.
        return Bound({}, {}, "invalid_arguments")


def _again(
    binder: Binder, bound: Bound, ticket: Ticket, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], Mapping[str, Any]]:
    """Arguments to run with, and the same as the decision knows them."""
    verdict = ticket.verdict
    hands_off = verdict is not None and verdict.resource.kind is ActionKind.HANDOFF
    if verdict is not None and hands_off:
        decided(verdict.resource.id)
    if verdict is None or verdict.mode is Mode.OBSERVE:
        return args, kwargs, bound.decided  # nothing stands in the way; what does not fit, the function itself says
    if hands_off:
        if ticket.args != as_task(bound.decided):
            refused = Denied("needs_guard", "cannot change what a hand-off tool passes on")
            ticket.fail(refused)
            raise refused
        return *binder.join(bound, bound.own), bound.decided
    return *binder.join(bound, bound.executed(ticket)), ticket.args
