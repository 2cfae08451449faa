"""Procedures: generators of steps, written once and driven in the calling thread, on an event loop, or for a reader.

A procedure does no I/O itself. It yields the next step, a function with its arguments, and is sent what the function
returned. `drive` executes the steps in the calling thread, `adrive` on an event loop; `stream` and `astream` pass on
the parts that it emits. `step_methods.make_method` turns a procedure into the method that a framework expects, and
`StepScope` into a `with` block. The design follows the `auth_flow` of httpx.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from inspect import isawaitable, iscoroutinefunction
from types import NoneType
from typing import Any, Final, Generic, NoReturn, Self, TypeVar

from halo_core.enforcement.session_context import AwaitableInContext
from halo_core.quick_dataclass import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Emit:
    """Pass a part on to whoever reads the stream."""

    part: Any


@dataclass(slots=True)
class Return(Generic[T]):
    """The end of a procedure: what the caller gets."""

    value: T


@dataclass(slots=True)
class Raise:
    """The end of a procedure: what the caller's call raises.

    The driver raises it outside every handler, so a redacted error does not expose the original as its
    `__context__`. An error cannot leave the generator by itself: a `StopIteration` would become a `RuntimeError`.
    """

    error: BaseException


_ENDINGS: Final = frozenset((Return, Raise))
_PLAIN_TYPES: Final = frozenset((bool, dict, int, list, NoneType, str, tuple))


class ExitThrown(BaseException):
    """Stands for a `GeneratorExit` inside a procedure.

    `yield from` would close the inner generator, which then could take no step of its own at the end.
    """

    def __init__(self, error: GeneratorExit) -> None:
        self.error = error


def get_thrown_error(error: BaseException) -> BaseException:
    """The error that a procedure which catches everything has caught."""
    return error.error if isinstance(error, ExitThrown) else error


END: Final = object()
"""Sentinel that stands for the end of a stream."""
Step = tuple[Any, ...]
"""A function and its arguments; what it returns is the answer, once awaited if an asynchronous driver can await it."""


class ResultStep(tuple[Any, ...]):
    """A step whose result is what the caller gets.

    It is awaited only if its function is a coroutine function: an action may itself return something that can be
    awaited (a task, a future), which the caller gets as it was recorded.
    """

    __slots__ = ()


class TwoWayStep(tuple[Any, ...]):  # noqa: SLOT001  no slots beside the items of a tuple
    """A step for which an asynchronous driver calls another function: `TwoWayStep(next, anext, source)`."""

    async_function: Callable[..., Any]

    def __new__(cls, function: Callable[..., Any], async_function: Callable[..., Any], /, *arguments: Any) -> Self:
        """Make a step from a function, its asynchronous form, and the arguments of either."""
        step = tuple.__new__(cls, (function, *arguments))
        step.async_function = async_function
        return step


Steps = Generator[Step | Emit, Any, T]
"""A procedure. One that a driver for streams or a `StepScope` executes may yield `Emit` too."""
Flow = Steps[Return[T] | Raise]


def emit_parts(parts: Any, open_scope: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Steps[None]:
    """Pass on the parts of an iterable, each taken inside its own scope, and close its iterator at the end."""
    source = yield TwoWayStep(iter, aiter, parts)
    try:
        while True:
            with open_scope():
                part = yield TwoWayStep(next, anext, source, END)
            if part is END:
                return
            yield Emit(part)
    finally:
        yield close_source, source


def close_source(source: Any) -> Any:
    """Close an iterator that can be closed; for an asynchronous one, returns a coroutine."""
    close = getattr(source, "aclose" if hasattr(source, "__anext__") else "close", None)
    return close() if close is not None else None


def drive(steps: Steps[Any]) -> Any:
    """Execute the steps of a procedure in the calling thread, and return its result.

    A procedure is written once for the synchronous and the asynchronous form of what an adapter does:

        def _call_tool(self, request, handler):
            yield run_step(UnreachableCall(self.halo, call, error))
            return (yield handler, request)
    """
    step = _advance(steps)
    while type(step) not in _ENDINGS:
        answer: Any = None
        error: BaseException | None = None
        try:
            answer = operator.call(*step)
        except BaseException as exc:  # noqa: BLE001  the generator says what becomes of it
            error = exc
        step = _advance(steps, answer, error)
        # This frame is in the traceback of what is raised: it must not hold what an obligation takes away.
        answer = error = None
    return step.value if isinstance(step, Return) else _raise_error(step)


async def adrive(steps: Steps[Any]) -> Any:
    """Like `drive`, on an event loop: awaits whatever a function returns, if that is awaitable."""
    step = _advance(steps)
    while (kind := type(step)) not in _ENDINGS:
        answer: Any = None
        error: BaseException | None = None
        try:
            function = step.async_function if kind is TwoWayStep else step[0]
            answer = function(*step[1:])
            if (
                type(answer) not in _PLAIN_TYPES  # an abstract class takes its time to say no
                and isawaitable(answer)
                and (kind is not ResultStep or iscoroutinefunction(function))
            ):
                answer = await answer
        except BaseException as exc:  # noqa: BLE001  as above
            error = exc
        step = _advance(steps, answer, error)
        answer = error = None  # as above
    return step.value if isinstance(step, Return) else _raise_error(step)


def stream(steps: Steps[Any], context: Context | None = None) -> Iterator[Any]:
    """Drive a procedure for a reader of the parts that it emits; raises like `drive`, a denial at the first step.

    Args:
        steps: the procedure.
        context: where every step of it runs. None is the reader's: a variable that the procedure sets is set for its
            reader too while it is suspended.
    """
    run_here = context.run if context is not None else operator.call
    step = run_here(_advance, steps)
    while type(step) not in _ENDINGS:
        answer: Any = None
        error: BaseException | None = None
        try:
            if isinstance(step, Emit):
                yield step.part
            else:
                function, *arguments = step
                answer = run_here(function, *arguments)
        except BaseException as exc:  # noqa: BLE001  the reader's `close` or `throw` too
            error = exc
        step = run_here(_advance, steps, answer, error)
        answer = error = None  # as above
    if isinstance(step, Raise):
        _raise_error(step)


async def astream(steps: Steps[Any], context: Context | None = None) -> AsyncIterator[Any]:
    """Like `stream`, for an asynchronous reader."""
    run_here = context.run if context is not None else operator.call
    step = run_here(_advance, steps)
    while type(step) not in _ENDINGS:
        answer: Any = None
        error: BaseException | None = None
        try:
            if isinstance(step, Emit):
                yield step.part
            else:
                function = step.async_function if isinstance(step, TwoWayStep) else step[0]
                answer = run_here(function, *step[1:])
                if isawaitable(answer):
                    answer = await (answer if context is None else AwaitableInContext(context, answer))
        except BaseException as exc:  # noqa: BLE001  the reader's `aclose` or `athrow` too
            error = exc
        step = run_here(_advance, steps, answer, error)
        answer = error = None  # as above
    if isinstance(step, Raise):
        _raise_error(step)


def _advance(steps: Generator[Any, Any, Any], answer: Any = None, error: BaseException | None = None) -> Any:
    """The next step of a procedure, or its end. Called outside every handler; see `Raise`."""
    try:
        if error is None:
            return steps.send(answer)
        return steps.throw(ExitThrown(error) if isinstance(error, GeneratorExit) else error)
    except StopIteration as stop:
        return stop.value if type(stop.value) in _ENDINGS else Return(stop.value)
    except ExitThrown as exc:
        return Raise(exc.error)
    except RuntimeError as exc:
        if not isinstance(error, StopIteration) or exc.__cause__ is not error:
            raise
        return Raise(error)  # a generator turns `StopIteration` into `RuntimeError`; the driver raises the original


def _raise_error(ending: Raise) -> NoReturn:
    try:
        raise ending.error
    finally:
        del ending  # the traceback of its error holds this frame
