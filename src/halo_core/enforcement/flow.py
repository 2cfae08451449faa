"""The protocol of one governed action.

A surface of an adapter describes its action as a `GovernedAction` (or a `GovernedStream`) and picks a driver. `govern`
and `govern_stream` are the procedures (`halo_core.enforcement.steps`) that decide, pause, run, restrict and record it.
They are the only place that determines this order, so no surface can leave a step out.

Example:
    class Lookup(GovernedAction[str]):
        def execute(self, ticket):
            return search(**ticket.args)

    result = run(Lookup(halo.enforcer, call, surface))

Actions of guarded objects are in `guarded_calls`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from halo_core.enforcement.bodies import body_scope
from halo_core.enforcement.provider_blocks import ProviderCall, list_provider_calls
from halo_core.enforcement.steps import (
    END,
    Emit,
    Flow,
    Raise,
    ResultStep,
    Return,
    Step,
    Steps,
    TwoWayStep,
    adrive,
    close_source,
    drive,
    get_thrown_error,
)
from halo_core.errors import Denied, Pending
from halo_core.failpoints import ARMED, hit_failpoint

if TYPE_CHECKING:
    from halo_core.enforcement.call import Call
    from halo_core.enforcement.obligations import Surface
    from halo_core.enforcement.ticket import Ticket
    from halo_core.model import Resource

T = TypeVar("T")
_NO_SCOPE: Final = nullcontext()


class Decider(Protocol):
    """The part of an enforcer that decides calls (`halo_core.enforcement.enforcer.Enforcer`)."""

    find_resource: Callable[[str], Resource | None]
    """The resource of an id, None where nobody registered or declared it."""

    def begin(self, call: Call) -> Ticket:
        """Decide; a ticket if the action may run. Raises `Denied`, or `Pending` where it waits for an approval."""
        ...

    async def abegin(self, call: Call) -> Ticket:
        """Like `begin`, from a coroutine."""
        ...


class GovernedAction(Generic[T]):
    """One action of a framework, in the form that the protocol needs. Each is used once.

    Args:
        enforcer: decides and records.
        call: what is decided; None if `build_call` makes it, or if the decision is given.
        surface: how the result is read and restricted.
        decision: what was decided of this action before, at another place of the adapter.
        records_outcome: whether the outcome is recorded here; if not, whoever decided records it, and here the result
            is only restricted.
    """

    steering_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """Exceptions that the framework uses for control flow; they are re-raised unchanged."""
    pause_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """The steering errors that mean the action is waiting and will be run again."""
    error_class: ClassVar[type[Exception]] = RuntimeError
    """Raised instead of an error that must be hidden if its class cannot be built from a message."""

    def __init__(
        self,
        enforcer: Decider,
        call: Call | None,
        surface: Surface[Any],
        *,
        decision: Ticket | Denied | None = None,
        records_outcome: bool = True,
    ) -> None:
        self.enforcer = enforcer
        self.call = call
        self.surface = surface
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
        """The scope around the execution: context variables of the adapter."""
        return _NO_SCOPE

    def pause_for_approval(self, call: Call, pending: Pending) -> bool:  # noqa: ARG002  for subclasses
        """Pause the framework until the challenge is answered, by raising the framework's own pause exception.

        Returns:
            False if nothing can be resumed, so that the `Pending` is raised to the caller; True if the framework
            was resumed with a no, which is then recorded.
        """
        return False

    def accept(self, ticket: Ticket) -> None:
        """Called once, when the action was decided here and may run, before any part of it runs."""

    def return_denied(self, denied: Denied) -> T:
        """The result for the caller if the action may not run. Raises the denial unless overridden."""
        raise denied

    def finish(self, ticket: Ticket, result: Any) -> T:
        """Record a result and return the part that may be used; may be a coroutine under `arun`."""
        used: T = (ticket.succeed if self.records_outcome else ticket.restrict)(result, self.surface)
        return used

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Record an error, a cancellation or a pause inside the action; returns the error to raise."""
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
        """Whether parts are held back until the whole result has been restricted."""
        return ticket.holds_output

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """The scope around taking one part; a generator runs in the context of its reader."""
        return self.scope(ticket)

    def merge_parts(self) -> Any:
        """Combine the parts into the one result that the surface reads."""
        raise NotImplementedError

    def split_result(self, result: Any) -> Iterable[Any]:
        """Split a whole result into parts to pass on."""
        raise NotImplementedError

    def is_last(self, part: Any) -> bool:  # noqa: ARG002  for subclasses
        """Whether this part completes the result, so that the reader may not ask for another."""
        return False

    def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Remember a part; returns an iterable of what may be passed on now, under `astream` a coroutine of one.

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
        """Record the whole result unless that was done; returns the parts to pass on, like `add_part`."""
        if self.is_withheld:
            return self.split_result(self.finish(ticket, self.merge_parts()))
        self._record(ticket)
        return ()

    def _record(self, ticket: Ticket) -> None:
        if self.records_outcome and not self._is_recorded:
            self._is_recorded = True
            self.finish(ticket, self.merge_parts())

    def announce(self, part: Any) -> Any:  # noqa: ARG002  for subclasses
        """Report a part that was held back to the framework's callbacks; a coroutine under `astream`."""
        return None

    def close(self) -> None:
        """Called at the end, whether or not it succeeded."""


def make_withdrawal_call(call: Call, pending: Pending) -> Call:
    """A copy of the call that records that the resuming person refused, and closes the approval request."""
    return replace(call, problem="challenge_withdrawn", withdrawn_question=pending.pending_id)


def run_step(action: GovernedAction[Any]) -> Step:
    """The step of a procedure that runs an action."""
    return TwoWayStep(run, arun, action)


def govern(action: GovernedAction[T]) -> Flow[T]:
    """The protocol of an action: decide, pause, run with the decided arguments, restrict and record.

    A procedure that ends with an action can delegate to it: `return (yield from govern(action))`. Scopes around that
    are left before an error is raised, and are not told of it; where one has to be, take `run_step`.

    The numbers are those of docs/ARCHITECTURE.md; (1) to (4) happen in `Enforcer.begin`.
    """
    try:
        ticket = yield from _decide(action)
    except Denied as denied:
        return _return_denied(action, denied)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(get_thrown_error(exc))
    try:  # (5)
        if action.decision is None:
            action.accept(ticket)
        with body_scope(ticket.context), action.scope(ticket):
            if ARMED:
                hit_failpoint("before_run")
            result = yield action.execute, ticket
            if ARMED:
                hit_failpoint("after_run")
    except BaseException as exc:  # noqa: BLE001  a cancellation too; the driver raises what is left of it
        return Raise(action.finish_failed(ticket, get_thrown_error(exc)))  # (6)
    try:
        used: T = yield ResultStep((action.finish, ticket, result))  # (6)
        if provider_calls := find_provider_calls(action, ticket, lambda: result):
            yield from _record_provider_calls(action, provider_calls)
    except BaseException as exc:  # noqa: BLE001  `needs_guard`: the result is withheld, and recorded as such
        error = get_thrown_error(exc)
        action.finish_failed(ticket, error)  # records it where `finish` was interrupted before it recorded anything
        return Raise(error)
    return Return(used)


def govern_stream(action: GovernedStream) -> Flow[None]:
    """The protocol of an action whose result arrives in parts; see `govern`."""
    source: Any = None
    try:
        ticket = yield from _decide(action)
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(get_thrown_error(exc))
    try:
        if action.decision is None:
            action.accept(ticket)
        action.is_withheld = action.withholds(ticket)
        with body_scope(ticket.context), action.scope(ticket):
            source = yield TwoWayStep(iter, aiter, (yield action.execute, ticket))
        while True:
            with body_scope(ticket.context), action.part_scope(ticket):
                part = yield TwoWayStep(next, anext, source, END)
            if part is END:
                break
            for item in (yield action.add_part, ticket, part):
                yield Emit(item)
        for item in (yield action.finish_stream, ticket):
            yield action.announce, item
            yield Emit(item)
    except BaseException as exc:  # noqa: BLE001  GeneratorExit too: the reader stopped, which is recorded
        return Raise(action.finish_failed(ticket, get_thrown_error(exc)))
    finally:
        yield from _record_provider_calls(action, find_provider_calls(action, ticket, action.merge_parts))
        action.close()
        yield close_source, source
    return Return(None)


def find_provider_calls(
    action: GovernedAction[Any], ticket: Ticket, get_result: Callable[[], Any]
) -> list[ProviderCall]:
    """The calls of providers' tools in a model's answer, if the answer's outcome is recorded here."""
    find_blocks = action.surface.provider_blocks
    if find_blocks is None or ticket.context is None or not action.records_outcome:
        return []
    return list_provider_calls(find_blocks, ticket.context.call, get_result, action.enforcer.find_resource)


def _record_provider_calls(action: GovernedAction[Any], calls: Iterable[ProviderCall]) -> Steps[None]:
    """Record the calls that a model's provider made with its own tools for an answer."""
    for item in calls:
        (yield TwoWayStep(action.enforcer.begin, action.enforcer.abegin, item.call)).succeed(item.text, item.surface)


def _decide(action: GovernedAction[Any]) -> Steps[Ticket]:
    """Decide the action; if the framework resumes from a challenge with a refusal, decide again to record it."""
    decision = action.decision
    if isinstance(decision, Denied):
        raise decision
    if decision is not None:
        return decision
    call = action.build_call()
    enforcer = action.enforcer
    try:
        ticket: Ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, call)
    except Pending as pending:
        if not action.pause_for_approval(call, pending):
            raise
        call = make_withdrawal_call(call, pending)
    else:
        return ticket
    ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, call)
    return ticket


def _return_denied(action: GovernedAction[T], denied: Denied) -> Return[T] | Raise:
    try:
        return Return(action.return_denied(denied))
    except BaseException as exc:  # noqa: BLE001  the driver raises it
        return Raise(get_thrown_error(exc))


def run(action: GovernedAction[T]) -> T:
    """Drive an action in the calling thread.

    Raises:
        Denied: it may not run, and did not.
        Pending: it waits for an approval, and did not run.
        BaseException: what the action raised, as much of it as the obligations leave (`Ticket.fail`).
    """
    result: T = drive(govern(action))
    return result


async def arun(action: GovernedAction[T]) -> T:
    """Like `run`, without ever blocking the event loop."""
    result: T = await adrive(govern(action))
    return result
