"""The protocol of one governed action, written once and driven in three ways.

`govern` and `govern_stream` are generators without I/O: each yields what is to be done next (`Decide`, `Perform`,
`NextPart`, `Emit`) and is sent what came of it. A driver does these steps: `run` in the calling thread, `arun` on an
event loop, `stream` and `astream` for results that arrive in parts. A surface of an adapter describes its action as a
`GovernedAction` (or a `GovernedStream`) and picks a driver; the order of deciding, pausing, running, restricting and
recording is decided here alone, so that no surface can leave a step out.

Example:
    class Lookup(GovernedAction[str]):
        def execute(self, ticket):
            return search(**ticket.args)

    result = run(Lookup(halo.enforcer, call, surface))

The form follows the `auth_flow` of httpx.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from halo_core.errors import Denied, Pending
from halo_core.failpoints import hit_failpoint

if TYPE_CHECKING:
    from halo_core.enforcement.call import Call
    from halo_core.enforcement.enforcer import Enforcer, Ticket
    from halo_core.enforcement.obligations import Surface

__all__ = ["GovernedAction", "GovernedStream", "arun", "astream", "run", "stream"]

T = TypeVar("T")


class GovernedAction(Generic[T]):
    """One action of a framework, as the protocol needs to know it. Each is used once.

    Args:
        enforcer: decides and records.
        call: what is decided.
        surface: how the result is read and restricted.
        error_class: what is raised where an error may not be passed on and its own class cannot be made from a text.
    """

    def __init__(
        self, enforcer: Enforcer, call: Call, surface: Surface[Any], error_class: type[Exception] = RuntimeError
    ) -> None:
        self.enforcer = enforcer
        self.call = call
        self.surface = surface
        self.error_class = error_class

    def execute(self, ticket: Ticket) -> Any:
        """Run the action with exactly what was decided; a coroutine where `arun` drives it."""
        raise NotImplementedError

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  for subclasses
        """What stands around the execution: context variables of the adapter."""
        return nullcontext()

    def wait_for_answer(self, pending: Pending) -> Call | None:  # noqa: ARG002  for subclasses
        """Pause the framework for a challenge, by raising what pauses it.

        Returns:
            None where nothing can be resumed, so that the `Pending` is raised to the caller; or, where the framework
            was resumed with a refusal, the call that records the refusal.
        """
        return None

    def accept(self, ticket: Ticket) -> None:
        """Called once when the action may run, before anything of it does."""

    def return_denied(self, denied: Denied) -> T:
        """What the caller gets where the action may not run. Raises the denial unless overridden."""
        raise denied

    def finish(self, ticket: Ticket, result: Any) -> T:
        """Record a result and return what of it may be used; may be a coroutine under `arun`."""
        used: T = ticket.succeed(result, self.surface)
        return used

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Record an error, a cancellation or a pause inside the action, and return what may be raised of it."""
        return ticket.fail(error, self.error_class)


class GovernedStream(GovernedAction[None]):
    """An action whose result arrives in parts.

    Parts are passed on as they come. Where an obligation may change the result, none is passed on before all of it
    has arrived and was restricted.
    """

    def execute(self, ticket: Ticket) -> Any:
        """Start the stream: an iterator, or an asynchronous one where `astream` drives it."""
        raise NotImplementedError

    def withholds(self, ticket: Ticket) -> bool:
        """Whether parts wait until the whole result was restricted."""
        return ticket.holds_output

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """What stands around taking one part; a generator runs in the context of whoever reads it."""
        return self.scope(ticket)

    def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Remember a part and return what may be passed on now: an iterable, or under `astream` a coroutine of one.

        A part that completes the result is recorded here (`Ticket.succeed`) before it is passed on, since its reader
        may not come back. Where `withholds`, nothing that an obligation may change is returned.
        """
        raise NotImplementedError

    def finish_stream(self, ticket: Ticket) -> Any:
        """Record the whole result unless that was done; return the parts to pass on, as `add_part`."""
        raise NotImplementedError

    def announce(self, part: Any) -> Any:  # noqa: ARG002  for subclasses
        """Tell the framework's callbacks of a part that was withheld; a coroutine under `astream`."""
        return None


@dataclass(frozen=True, slots=True)
class Decide:
    """Have a call decided; answered with a `Ticket`, or by throwing `Denied` or `Pending` into the generator."""

    call: Call


@dataclass(frozen=True, slots=True)
class Perform:
    """Call a function of the action, and await what it returns if that can be awaited; answered with its result."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class NextPart:
    """Take the next part of a started stream; answered with the part, or with `END`."""

    source: Any


@dataclass(frozen=True, slots=True)
class Emit:
    """Pass a part on to whoever reads the stream."""

    part: Any


@dataclass(frozen=True, slots=True)
class Return(Generic[T]):
    """The end: what the caller gets."""

    value: T


@dataclass(frozen=True, slots=True)
class Raise:
    """The end: what the caller's call raises.

    The driver raises it outside of every handler, so that an error which says less does not carry the original as its
    context. An error cannot leave the generator by itself: a `StopIteration` would become a `RuntimeError`.
    """

    error: BaseException


Step = Decide | Perform | NextPart | Emit
END: Final = object()
Flow = Generator[Step, Any, Return[T] | Raise]


def govern(action: GovernedAction[T]) -> Flow[T]:
    """The protocol of an action: decide, pause, run with the decided arguments, restrict and record.

    The numbers are those of docs/ARCHITECTURE.md; (1) to (4) happen in `Decide`.
    """
    try:
        ticket = yield from _decide(action)
    except Denied as denied:
        return _return_denied(action, denied)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(exc)
    try:  # (5)
        action.accept(ticket)
        with action.scope(ticket):
            hit_failpoint("before_run")
            result = yield Perform(partial(action.execute, ticket))
            hit_failpoint("after_run")
    except BaseException as exc:  # noqa: BLE001  a cancellation too; the driver raises what is left of it
        return Raise(action.finish_failed(ticket, exc))  # (6)
    try:
        used: T = yield Perform(partial(action.finish, ticket, result))  # (6)
    except BaseException as exc:  # noqa: BLE001  `needs_guard`: the result is withheld, and recorded as such
        return Raise(exc)
    return Return(used)


def govern_stream(action: GovernedStream) -> Flow[None]:
    """The protocol of an action whose result arrives in parts; see `govern`."""
    try:
        ticket = yield from _decide(action)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(exc)
    try:
        action.accept(ticket)
        with action.scope(ticket):
            source = yield Perform(partial(action.execute, ticket))
        while True:
            with action.part_scope(ticket):
                part = yield NextPart(source)
            if part is END:
                break
            for item in (yield Perform(partial(action.add_part, ticket, part))):
                yield Emit(item)
        for item in (yield Perform(partial(action.finish_stream, ticket))):
            yield Perform(partial(action.announce, item))
            yield Emit(item)
    except BaseException as exc:  # noqa: BLE001  GeneratorExit too: the reader stopped, which is recorded
        return Raise(action.finish_failed(ticket, exc))
    return Return(None)


def _decide(action: GovernedAction[Any]) -> Generator[Step, Any, Ticket]:
    """Decide, and once more with a refusal where the framework was resumed with one."""
    try:
        ticket: Ticket = yield Decide(action.call)
    except Pending as pending:
        refusal = action.wait_for_answer(pending)
        if refusal is None:
            raise
    else:
        return ticket
    ticket = yield Decide(refusal)
    return ticket


def _return_denied(action: GovernedAction[T], denied: Denied) -> Return[T] | Raise:
    try:
        return Return(action.return_denied(denied))
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(exc)


# drivers


def run(action: GovernedAction[T]) -> T:
    """Drive an action in the calling thread.

    Raises:
        Denied: it may not run, and did not.
        Pending: it waits for an approval, and did not run.
        BaseException: what the action raised, as much of it as the obligations leave (`Ticket.fail`).
    """
    flow = govern(action)
    step = _advance(flow)
    while not isinstance(step, Return | Raise):
        step = _advance(flow, *_do(action, step))
    return _end(step)


async def arun(action: GovernedAction[T]) -> T:
    """As `run`, without ever blocking the event loop."""
    flow = govern(action)
    step = _advance(flow)
    while not isinstance(step, Return | Raise):
        step = _advance(flow, *await _ado(action, step))
    return _end(step)


def stream(action: GovernedStream) -> Iterator[Any]:
    """Drive a stream for a synchronous reader; raises as `run`, a denial at the first step."""
    flow = govern_stream(action)
    source: Any = None
    step = _advance(flow)
    try:
        while not isinstance(step, Return | Raise):
            if isinstance(step, Emit):
                error = None
                try:
                    yield step.part
                except BaseException as exc:  # noqa: BLE001  the reader's `close` or `throw`
                    error = exc
                step = _advance(flow, None, error)
                continue
            source = step.source if isinstance(step, NextPart) else source
            step = _advance(flow, *_do(action, step))
    finally:
        if hasattr(source, "close"):
            source.close()
    _end(step)


async def astream(action: GovernedStream) -> AsyncIterator[Any]:
    """As `stream`, for an asynchronous reader."""
    flow = govern_stream(action)
    source: Any = None
    step = _advance(flow)
    try:
        while not isinstance(step, Return | Raise):
            if isinstance(step, Emit):
                error = None
                try:
                    yield step.part
                except BaseException as exc:  # noqa: BLE001  the reader's `aclose` or `athrow`
                    error = exc
                step = _advance(flow, None, error)
                continue
            source = step.source if isinstance(step, NextPart) else source
            step = _advance(flow, *await _ado(action, step))
    finally:
        if hasattr(source, "aclose"):
            await source.aclose()
    _end(step)


def _advance(flow: Flow[T], value: Any = None, error: BaseException | None = None) -> Step | Return[T] | Raise:
    """The next step of a flow, or its end. Called outside of every handler; see `Raise`."""
    try:
        return flow.send(value) if error is None else flow.throw(error)
    except StopIteration as stop:
        end: Return[T] | Raise = stop.value
        return end


def _do(action: GovernedAction[Any], step: Step) -> tuple[Any, BaseException | None]:
    """Do a step synchronously: its answer, and what it raised."""
    try:
        if isinstance(step, Decide):
            return action.enforcer.begin(step.call), None
        if isinstance(step, NextPart):
            return next(step.source, END), None
        return _performed(step)(), None
    except BaseException as exc:  # noqa: BLE001  the flow says what becomes of it
        return None, exc


async def _ado(action: GovernedAction[Any], step: Step) -> tuple[Any, BaseException | None]:
    """As `_do`, from a coroutine."""
    try:
        if isinstance(step, Decide):
            return await action.enforcer.abegin(step.call), None
        if isinstance(step, NextPart):
            return await anext(step.source, END), None
        result = _performed(step)()
        return (await result if isawaitable(result) else result), None
    except BaseException as exc:  # noqa: BLE001  as above
        return None, exc


def _performed(step: Step) -> Callable[[], Any]:
    if not isinstance(step, Perform):
        raise TypeError(f"`{type(step).__name__}` is no step that a function performs")
    return step.function


def _end(ending: Return[T] | Raise) -> T:
    if isinstance(ending, Raise):
        raise ending.error
    return ending.value
