"""Room: the writer thread and what waits for it. Takes: jobs of coroutines, jobs that may wait. Gives: groups, turns.

The thread commits coroutines' jobs in groups and answers through `call_soon_threadsafe`, once for each group: the event
loop never waits for a disk. Jobs that may wait (outcomes) join the next transaction of anybody; the thread gives them
one of their own after 50 ms. It is woken by what cannot wait only: waking it for an outcome that joins the next call's
transaction would cost that call two changes of thread. Never: holds the ledger's lock, keeps a store alive.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from halo_core.errors import CannotDecide
from halo_core.store.batch import Job, Outcome

__all__ = ["Committer", "closed_error"]

_GROUP: Final = 64
_AT_ONCE: Final = 4  # answers in one turn of an event loop
_QUEUE: Final = 20_000
_DEFER_S: Final = 0.05
_IDLE_S: Final = 1.0
_MAX_DEFERRED: Final = 5_000


class _Owner(Protocol):
    def run_group(self, jobs: Sequence[Job]) -> list[Outcome]: ...

    def write_deferred(self) -> None: ...

    def keep_up(self) -> None: ...

    @property
    def unsealed(self) -> bool: ...


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    orphaned: Any


class Committer:
    """The queue of one store in one process, and its thread.

    Args:
        owner: the store; only a weak reference is kept.
        deferred: jobs that may wait, shared with the store, which takes them into every transaction.
    """

    def __init__(self, owner: _Owner, deferred: deque[Job]) -> None:
        self._owner = weakref.ref(owner)
        self._deferred = deferred
        self._deferred_at = 0.0
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._idle = False
        self._closed = False
        self._thread: threading.Thread | None = None

    async def commit(self, job: Job, orphaned: Any) -> Any:
        """Have one job committed by the thread; see `Store.acommit`."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop, loop.create_future(), orphaned)
        with self._wake:
            if self._closed:
                raise closed_error()
            if len(self._waiting) >= _QUEUE:
                raise CannotDecide("ledger_busy", f"more than {_QUEUE} decisions wait", remedy="slow down")
            self._waiting.append(waiting)
            self._ensure_thread()
            self._wake.notify()
        try:
            return await waiting.future
        except asyncio.CancelledError:
            # Cancelled after the answer came and before the task could take it.
            if waiting.future.done() and not waiting.future.cancelled() and waiting.future.exception() is None:
                _orphan(waiting, Outcome(waiting.future.result()))
            raise

    def defer(self, job: Job) -> None:
        """Queue a job that may wait; past 5,000 of them it is dropped.

        Then the disk is gone; the decisions are durable and will stand as "outcome unknown".
        """
        with self._wake:
            if len(self._deferred) >= _MAX_DEFERRED:
                return
            if not self._deferred:
                self._deferred_at = time.monotonic()
            self._deferred.append(job)
            self._ensure_thread()
            if self._idle:
                self._wake.notify()

    def close(self) -> None:
        """Let the thread end; it answers those who wait first."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def join(self) -> None:
        """Wait for the thread to end."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._live, name="halo-writer", daemon=True)
            self._thread.start()

    def _live(self) -> None:
        busy = True
        while True:
            group = self._next_group(busy=busy)
            owner = self._owner()
            if owner is None:
                return
            if group:
                _answer(owner, group)
            elif self._deferred and not self._closed and self._waited_s() >= _DEFER_S:
                owner.write_deferred()
            if not self._closed:
                owner.keep_up()
            elif not self._waiting:
                return
            busy = owner.unsealed
            del owner  # while the thread sleeps, nothing keeps a store alive that nobody uses any more

    def _next_group(self, *, busy: bool) -> list[_Waiting]:
        with self._wake:
            if not self._waiting and not self._closed:
                if self._deferred:
                    pause = max(_DEFER_S - self._waited_s(), 0.001)
                else:
                    # Busy: looks by itself, often enough for an outcome that comes meanwhile.
                    pause = _DEFER_S if busy else _IDLE_S
                    self._idle = not busy
                self._wake.wait(pause)
                self._idle = False
            return [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]

    def _waited_s(self) -> float:
        return time.monotonic() - self._deferred_at


def _answer(owner: _Owner, group: Sequence[_Waiting]) -> None:
    try:
        outcomes = owner.run_group([item.job for item in group])
    except Exception as exc:  # noqa: BLE001  every caller gets it
        outcomes = [Outcome(error=exc)] * len(group)
    except BaseException as exc:  # noqa: BLE001  the same, and the thread goes on
        outcomes = [Outcome(error=_interrupted(exc))] * len(group)
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Outcome]]] = {}
    for item, outcome in zip(group, outcomes, strict=True):
        loops.setdefault(item.loop, []).append((item, outcome))
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:  # the loop is closed: nobody waits any more
            for item, outcome in answers:
                _orphan(item, outcome)


def _settle(answers: Sequence[tuple[_Waiting, Outcome]]) -> None:
    # A few in each turn of the loop: what the callers do next takes time there, and others have a turn in between.
    if len(answers) > _AT_ONCE:
        asyncio.get_running_loop().call_soon(_settle, answers[_AT_ONCE:])
    for item, outcome in answers[:_AT_ONCE]:
        if item.future.cancelled():
            _orphan(item, outcome)
        elif outcome.error is not None:
            item.future.set_exception(outcome.error)
        else:
            item.future.set_result(outcome.result)


def _orphan(item: _Waiting, outcome: Outcome) -> None:
    if outcome.error is None and item.orphaned is not None:
        item.orphaned(outcome.result)


def _interrupted(error: BaseException) -> CannotDecide:
    return CannotDecide("decision_error", f"the decision was interrupted: {type(error).__name__}", remedy="try again")


def closed_error() -> CannotDecide:
    """The refusal of a closed ledger."""
    return CannotDecide("ledger_closed", "the ledger is closed", remedy="open Halo again")
