"""Room: model calls that return their answer at once. Takes: a gate, a method. Gives: what it returns, decided.

Never: decides by itself, lets one decision serve two calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from halo_langchain._models.call import DONE, RUNNING, Asked, current, handed, muted, sending, taken
from halo_langchain._pause import abegin, begin, broke_off, raisable

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate
    from halo_langchain._values.answers import Shape

__all__ = ["ahook", "arun", "hook", "run"]

# the outermost method


def run(gate: Gate, model: Any, function: Callable[..., Any], shape: Shape, /, *args: Any, **kwargs: Any) -> Any:
    """Decide a call, make it, record it.

    Raises:
        Denied: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    asked = Asked.of(gate, model, args, kwargs)
    given = taken(gate, asked)
    ticket = given or begin(gate.halo, asked.call(gate))
    try:
        with handed(asked.decided(gate, ticket, enters=shape.enters)):
            result = function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc) if given is None else raisable(ticket, exc)
        if failed is exc:
            raise
    else:
        # What the middleware decided it also records; a cached answer is restricted here at the latest.
        return result if given and not ticket.holds_output else shape.finish(ticket, result, gate.surface)
    raise failed


async def arun(
    gate: Gate, model: Any, function: Callable[..., Awaitable[Any]], shape: Shape, /, *args: Any, **kwargs: Any
) -> Any:
    """As `run`, for a coroutine function."""
    asked = Asked.of(gate, model, args, kwargs)
    given = taken(gate, asked)
    ticket = given or await abegin(gate.halo, asked.call(gate))
    try:
        with handed(asked.decided(gate, ticket, enters=shape.enters)):
            result = await function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc) if given is None else raisable(ticket, exc)
        if failed is exc:
            raise
    else:
        return result if given and not ticket.holds_output else shape.finish(ticket, result, gate.surface)
    raise failed


# the method that sends it


def hook(gate: Gate, model: Any, function: Callable[..., Any], shape: Shape, /, *args: Any, **kwargs: Any) -> Any:
    """Send a decided call, and restrict its answer; decide it first where it was called directly."""
    decided = current(gate)
    if decided is None:
        return run(gate, model, lambda *a, **k: hook(gate, model, function, shape, *a, **k), shape, *args, **kwargs)
    if decided.state == RUNNING:  # one method of the model calls another
        return function(*args, **kwargs)
    decided.state = RUNNING
    args, kwargs, _ = muted(decided.ticket, args, kwargs)
    try:
        with sending(decided):
            result = function(*args, **kwargs)
    except BaseException as exc:
        failed = raisable(decided.ticket, exc)  # here: the framework tells its callbacks on the way up
        if failed is exc:
            raise
    else:
        return shape.finish(decided.ticket, result, gate.surface) if decided.ticket.holds_output else result
    finally:
        decided.state = DONE
    raise failed


async def ahook(
    gate: Gate, model: Any, function: Callable[..., Awaitable[Any]], shape: Shape, /, *args: Any, **kwargs: Any
) -> Any:
    """As `hook`, for a coroutine function."""
    decided = current(gate)
    if decided is None:
        return await arun(
            gate, model, lambda *a, **k: ahook(gate, model, function, shape, *a, **k), shape, *args, **kwargs
        )
    if decided.state == RUNNING:
        return await function(*args, **kwargs)
    decided.state = RUNNING
    args, kwargs, _ = muted(decided.ticket, args, kwargs)
    try:
        with sending(decided):
            result = await function(*args, **kwargs)
    except BaseException as exc:
        failed = raisable(decided.ticket, exc)  # here: the framework tells its callbacks on the way up
        if failed is exc:
            raise
    else:
        return shape.finish(decided.ticket, result, gate.surface) if decided.ticket.holds_output else result
    finally:
        decided.state = DONE
    raise failed
