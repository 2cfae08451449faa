"""Room: a decided call on its way down to a guarded method of its own. Takes: calls. Gives: a way past.

Many tools and retrievers have an asynchronous method that ends in the synchronous one, which is guarded too. One
decision is made for both: the first synchronous call with the same arguments passes, from the very task that was
decided or from a thread without an event loop (an executor), and only while that task's call is under way. Which task
sent a thread cannot be told; whoever did gets no more of the result, or of the error, than was decided. Never: decides,
records.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.pep.enforcer import Ticket
from halo_core.pep.gate import Gate
from halo_core.pep.obligations import Surface
from halo_core.pep.plain import unchanged

__all__ = ["Descent", "arrived", "descending"]

_TAKING: Final = threading.Lock()


def _task() -> object:
    """The task at hand; None in a thread without an event loop, and the loop itself in a callback of one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return asyncio.current_task(loop) or loop


@dataclass(slots=True, eq=False)
class Descent:
    """One decided asynchronous call.

    Args:
        gate: that decided it.
        args: as executed.
        ticket: the decision.
        open: whether a call may still pass under it.
        passes: errors that steer the framework, and so go on as they are.
    """

    gate: Gate
    args: Mapping[str, Any]
    ticket: Ticket
    open: bool = True
    passes: tuple[type[BaseException], ...] = ()
    _task: object = field(default_factory=_task)
    _given: Any = None
    _whole: Any = None

    def run(self, function: Callable[[], Any], surface: Surface[Any] | None = None) -> Any:
        """Run the synchronous method, for what of its result or error may be used; `surface`: other than the gate's."""
        try:
            whole = function()
        except BaseException as exc:
            failed = self._raisable(exc)
            if failed is exc:
                raise
            self._given, self._whole = failed, exc
        else:
            self._given, self._whole = self.ticket.restrict(whole, surface or self.gate.surface), whole
            return self._given
        raise failed

    async def arun(self, function: Callable[[], Awaitable[Any]], surface: Surface[Any] | None = None) -> Any:
        """As `run`, for a coroutine function: an entry point that a class has made anew comes down to its hook."""
        try:
            whole = await function()
        except BaseException as exc:
            failed = self._raisable(exc)
            if failed is exc:
                raise
            self._given, self._whole = failed, exc
        else:
            self._given, self._whole = self.ticket.restrict(whole, surface or self.gate.surface), whole
            return self._given
        raise failed

    def _raisable(self, error: BaseException) -> BaseException:
        return error if isinstance(error, self.passes) else self.ticket.raisable(error)

    def whole(self, found: Any) -> Any:
        """A result, or error, as it was before `run` took something away: what is to be recorded says what was."""
        return self._whole if self._given is not None and found is self._given else found

    def take(self, gate: Gate, args: Mapping[str, Any]) -> bool:
        """Whether this call is the one to pass; no other is, afterwards."""
        if gate is not self.gate or _task() not in (None, self._task) or not unchanged(dict(self.args), dict(args)):
            return False
        with _TAKING:
            mine, self.open = self.open, False
        return mine


_DESCENT: Final[ContextVar[Descent | None]] = ContextVar("halo_descent", default=None)


@contextmanager
def descending(descent: Descent) -> Iterator[None]:
    """Run the body of a decided call."""
    token = _DESCENT.set(descent)
    try:
        yield
    finally:
        # INVARIANT: tasks and threads that were started inside hold this too; after the end it lets nothing pass.
        descent.open = False
        _DESCENT.reset(token)


def arrived(gate: Gate, args: Mapping[str, Any]) -> Descent | None:
    """The call that was decided on the way down to this very one, None where this one is yet to be decided."""
    # INVARIANT: one asynchronous decision lets one synchronous call with the same arguments pass.
    descent = _DESCENT.get()
    return descent if descent is not None and descent.take(gate, args) else None
