"""The protocol of one governed action, written once and driven in three ways.

`govern` and `govern_stream` are generators without I/O: each yields what is to be done next, as a function with its
arguments, and is sent what came of it. A driver does these steps: `run` in the calling thread, `arun` on an event loop,
`stream` and `astream` for results that arrive in parts. A surface of an adapter describes its action as a
`GovernedAction` (or a `GovernedStream`) and picks a driver; the order of deciding, pausing, running, restricting and
recording is decided here alone, so that no surface can leave a step out.

Example:
    class Lookup(GovernedAction[str]):
        def execute(self, ticket):
            return search(**ticket.args)

    result = run(Lookup(halo.enforcer, call, surface))

The form follows the `auth_flow` of httpx. Actions of guarded objects are in `guarded_calls`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from halo_core.errors import Denied, Pending
from halo_core.failpoints import hit_failpoint

if TYPE_CHECKING:
    from halo_core.enforcement.call import Call
    from halo_core.enforcement.enforcer import Enforcer, Ticket
    from halo_core.enforcement.obligations import Surface

T = TypeVar("T")


class GovernedAction(Generic[T]):
    """One action of a framework, as the protocol needs to know it. Each is used once.

    Args:
        enforcer: decides and records.
        call: what is decided; None where `build_call` makes it, or where the decision is given.
        surface: how the result is read and restricted.
        error_class: what is raised where an error may not be passed on and its own class cannot be made from a text.
        decision: what was decided of this action before, at another place of the adapter.
        records_outcome: whether the outcome is recorded here; if not, whoever decided records it, and here the result
            is only restricted.
    """

    steering_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """Errors by which the framework steers a run: they are raised as they are."""
    pause_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """Those of them that say that the action itself waits for something, and will be run again."""

    def __init__(
        self,
        enforcer: Enforcer,
        call: Call | None,
        surface: Surface[Any],
        error_class: type[Exception] = RuntimeError,
        *,
        decision: Ticket | Denied | None = None,
        records_outcome: bool = True,
    ) -> None:
        self.enforcer = enforcer
        self.call = call
        self.surface = surface
        self.error_class = error_class
        self.decision = decision
        self.records_outcome = records_outcome

    def build_call(self) -> Call:
        """The call to decide; asked for once, unless the decision was given."""
        if self.call is None:
            raise NotImplementedError
        return self.call

    def execute(self, ticket: Ticket) -> Any:
        """Run the action with exactly what was decided; a coroutine where `arun` drives it."""
        raise NotImplementedError

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  for subclasses
        """What stands around the execution: context variables of the adapter."""
        return nullcontext()

    def wait_for_answer(self, call: Call, pending: Pending) -> bool:  # noqa: ARG002  for subclasses
        """Pause the framework for a challenge, by raising what pauses it.

        Returns:
            False where nothing can be resumed, so that the `Pending` is raised to the caller; True where the framework
            was resumed with a no, which is then recorded.
        """
        return False

    def accept(self, ticket: Ticket) -> None:
        """Called once when the action was decided here and may run, before anything of it does."""

    def return_denied(self, denied: Denied) -> T:
        """What the caller gets where the action may not run. Raises the denial unless overridden."""
        raise denied

    def finish(self, ticket: Ticket, result: Any) -> T:
        """Record a result and return what of it may be used; may be a coroutine under `arun`."""
        used: T = (ticket.succeed if self.records_outcome else ticket.restrict)(result, self.surface)
        return used

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Record an error, a cancellation or a pause inside the action, and return what may be raised of it."""
        is_steering = isinstance(error, self.steering_errors)
        if not self.records_outcome:
            return error if is_steering else ticket.make_raisable(error)
        if isinstance(error, self.pause_errors):
            ticket.pause(error)
            return error
        return ticket.fail(error, self.error_class, passthrough=is_steering)


class GovernedStream(GovernedAction[None]):
    """An action whose result arrives in parts.

    Parts are passed on as they come. Where an obligation may change the result, none is passed on before all of it
    has arrived and was restricted.

    Attributes:
        parts: what has arrived so far.
        is_withheld: whether nothing may be passed on yet; set when the stream was decided.
    """

    is_withheld = False
    _is_recorded = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts: list[Any] = []

    def execute(self, ticket: Ticket) -> Any:
        """Start the stream: an iterator, or an asynchronous one where `astream` drives it."""
        raise NotImplementedError

    def withholds(self, ticket: Ticket) -> bool:
        """Whether parts wait until the whole result was restricted."""
        return ticket.holds_output

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """What stands around taking one part; a generator runs in the context of whoever reads it."""
        return self.scope(ticket)

    def merge_parts(self) -> Any:
        """The parts as the one result that the surface reads."""
        raise NotImplementedError

    def split_result(self, result: Any) -> Iterable[Any]:
        """A whole result as parts to pass on."""
        raise NotImplementedError

    def is_last(self, part: Any) -> bool:  # noqa: ARG002  for subclasses
        """Whether a part says that it completes the result, so that its reader may not ask for another."""
        return False

    def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Remember a part and return what may be passed on now: an iterable, or under `astream` a coroutine of one.

        A part that completes the result is recorded before it is passed on, since its reader may not come back. Where
        the stream is withheld, nothing that an obligation may change is returned.
        """
        self.parts.append(part)
        if self.is_withheld:
            return ()
        if self.is_last(part):
            self._record(ticket)
        return (part,)

    def finish_stream(self, ticket: Ticket) -> Any:
        """Record the whole result unless that was done; return the parts to pass on, as `add_part`."""
        if self.is_withheld:
            return self.split_result(self.finish(ticket, self.merge_parts()))
        self._record(ticket)
        return ()

    def _record(self, ticket: Ticket) -> None:
        if self.records_outcome and not self._is_recorded:
            self._is_recorded = True
            self.finish(ticket, self.merge_parts())

    def announce(self, part: Any) -> Any:  # noqa: ARG002  for subclasses
        """Tell the framework's callbacks of a part that was withheld; a coroutine under `astream`."""
        return None

    def close(self) -> None:
        """Called at the end, however it came."""


def withdraw_call(call: Call, pending: Pending) -> Call:
    """The call that records the no of whoever resumed a framework, and closes the question."""
    return replace(call, problem="challenge_withdrawn", withdrawn_question=pending.pending_id)


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


END: Final = object()
"""What `next` of a driver answers where a stream has ended."""
Step = tuple[Any, ...]
"""A function and its arguments; what it returns is the answer, once awaited if an asynchronous driver can await it."""
Flow = Generator[Step, Any, Return[T] | Raise]
Begin = Callable[["Call"], Any]


def govern(action: GovernedAction[T], begin: Begin) -> Flow[T]:
    """The protocol of an action: decide, pause, run with the decided arguments, restrict and record.

    The numbers are those of docs/ARCHITECTURE.md; (1) to (4) happen in `begin`, which is the enforcer's.
    """
    try:
        ticket = yield from _decide(action, begin)
    except Denied as denied:
        return _return_denied(action, denied)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(exc)
    try:  # (5)
        if action.decision is None:
            action.accept(ticket)
        with action.scope(ticket):
            hit_failpoint("before_run")
            result = yield action.execute, ticket
            hit_failpoint("after_run")
    except BaseException as exc:  # noqa: BLE001  a cancellation too; the driver raises what is left of it
        return Raise(action.finish_failed(ticket, exc))  # (6)
    try:
        used: T = yield action.finish, ticket, result  # (6)
    except BaseException as exc:  # noqa: BLE001  `needs_guard`: the result is withheld, and recorded as such
        return Raise(exc)
    return Return(used)


def govern_stream(
    action: GovernedStream, begin: Begin, take_next: Callable[[Any], Any]
) -> Generator[Step | Emit, Any, Return[None] | Raise]:
    """The protocol of an action whose result arrives in parts; see `govern`."""
    try:
        ticket = yield from _decide(action, begin)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(exc)
    try:
        if action.decision is None:
            action.accept(ticket)
        action.is_withheld = action.withholds(ticket)
        with action.scope(ticket):
            source = yield action.execute, ticket
        while True:
            with action.part_scope(ticket):
                part = yield take_next, source
            if part is END:
                break
            for item in (yield action.add_part, ticket, part):
                yield Emit(item)
        for item in (yield action.finish_stream, ticket):
            yield action.announce, item
            yield Emit(item)
    except BaseException as exc:  # noqa: BLE001  GeneratorExit too: the reader stopped, which is recorded
        return Raise(action.finish_failed(ticket, exc))
    finally:
        action.close()
    return Return(None)


def _decide(action: GovernedAction[Any], begin: Begin) -> Generator[Step, Any, Ticket]:
    """Decide, and once more with a refusal where the framework was resumed with one."""
    decision = action.decision
    if isinstance(decision, Denied):
        raise decision
    if decision is not None:
        return decision
    call = action.build_call()
    try:
        ticket: Ticket = yield begin, call
    except Pending as pending:
        if not action.wait_for_answer(call, pending):
            raise
        call = withdraw_call(call, pending)
    else:
        return ticket
    ticket = yield begin, call
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
    ending = drive(govern(action, action.enforcer.begin))
    return ending.value if isinstance(ending, Return) else _end(ending)


async def arun(action: GovernedAction[T]) -> T:
    """As `run`, without ever blocking the event loop."""
    return _end(await adrive(govern(action, action.enforcer.abegin)))


def drive(steps: Generator[Step, Any, T]) -> T:
    """Do the steps of a generator in the calling thread; for what an adapter does in several steps, too.

    A procedure that has a synchronous and an asynchronous form is written once, as a generator that is given what
    differs (`run` or `arun`, a handler) and yields each call of it:

        def _steps(self, request, handler, run):
            yield run, UnreachableCall(self.halo, call, error)
            return (yield handler, request)
    """
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            function, *arguments = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as stop:
            error = None  # its traceback holds this frame
            value: T = stop.value
            return value
        except RuntimeError as exc:
            if not isinstance(error, StopIteration) or exc.__cause__ is not error:
                raise
            break  # no generator passes it on as it is
        try:
            answer, error = function(*arguments), None
        except BaseException as exc:  # noqa: BLE001  the generator says what becomes of it
            error = exc
    raise error


async def adrive(steps: Generator[Step, Any, T]) -> T:
    """As `drive`, on an event loop: what a function returns is awaited where it can be."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            function, *arguments = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as stop:
            error = None  # its traceback holds this frame
            value: T = stop.value
            return value
        try:
            answer, error = function(*arguments), None
            if isawaitable(answer):
                answer = await answer
        except BaseException as exc:  # noqa: BLE001  as above
            error = exc


def stream(action: GovernedStream) -> Iterator[Any]:
    """Drive a stream for a synchronous reader; raises as `run`, a denial at the first step."""
    flow = govern_stream(action, action.enforcer.begin, _take_next)
    source: Any = None
    step = _advance(flow)
    try:
        while not isinstance(step, Return | Raise):
            answer: Any = None
            error: BaseException | None = None
            try:
                if isinstance(step, Emit):
                    yield step.part
                else:
                    function, *arguments = step
                    source = arguments[0] if function is _take_next else source
                    answer = function(*arguments)
            except BaseException as exc:  # noqa: BLE001  the reader's `close` or `throw` too
                error = exc
            step = _advance(flow, answer, error)
    finally:
        if hasattr(source, "close"):
            source.close()
    _end(step)


async def astream(action: GovernedStream) -> AsyncIterator[Any]:
    """As `stream`, for an asynchronous reader."""
    flow = govern_stream(action, action.enforcer.abegin, _atake_next)
    source: Any = None
    step = _advance(flow)
    try:
        while not isinstance(step, Return | Raise):
            answer: Any = None
            error: BaseException | None = None
            try:
                if isinstance(step, Emit):
                    yield step.part
                else:
                    function, *arguments = step
                    source = arguments[0] if function is _atake_next else source
                    answer = function(*arguments)
                    answer = await answer if isawaitable(answer) else answer
            except BaseException as exc:  # noqa: BLE001  the reader's `aclose` or `athrow` too
                error = exc
            step = _advance(flow, answer, error)
    finally:
        if hasattr(source, "aclose"):
            await source.aclose()
    _end(step)


def _take_next(source: Iterator[Any]) -> Any:
    return next(source, END)


def _atake_next(source: AsyncIterator[Any]) -> Awaitable[Any]:
    return anext(source, END)


def _advance(flow: Generator[Any, Any, Any], answer: Any = None, error: BaseException | None = None) -> Any:
    """The next step of a flow, or its end. Called outside of every handler; see `Raise`."""
    try:
        return flow.send(answer) if error is None else flow.throw(error)
    except StopIteration as stop:
        return stop.value


def _end(ending: Return[T] | Raise) -> T:
    if isinstance(ending, Return):
        return ending.value
    try:
        raise ending.error
    finally:
        del ending  # the traceback of its error holds this frame
