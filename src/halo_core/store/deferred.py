"""Jobs that wait for the next transaction, and what is prepared for them in the meantime.

An outcome waits for the next transaction of its store. Reading the text of a result takes longer than the rest, so that
is a `Preparation`: a thread of the store does it while the model thinks. Code that needs it earlier does it in its own
thread, so nothing depends on the thread having run.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from halo_core.errors import CannotDecide
from halo_core.quick_dataclass import dataclass
from halo_core.store.engine import Conflict

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction

T = TypeVar("T")

_MAX_DEFERRED: Final = 5_000
_PATIENT_ATTEMPTS: Final = 20
MAX_UNPREPARED: Final = 256
_MAX_LATE: Final = 4  # short preparations in a row that the thread came too late for
_LEFT_OUT: Final = 60  # short preparations that it then leaves to others


class Preparation(Generic[T]):
    """Work done once, by the first thread that needs it; others wait for that thread.

    Args:
        work: what to do, a function without arguments. An exception that it raises is kept in `error`.
        is_long: it may take much longer than a transaction.
    """

    __slots__ = ("_lock", "_work", "error", "is_done", "is_long", "result", "was_early")

    def __init__(self, work: Callable[[], T], *, is_long: bool = False) -> None:
        self._lock = threading.Lock()
        self._work: Callable[[], T] | None = work
        self.is_long = is_long
        self.is_done = False
        self.was_early = False
        """Whether it was done before anybody waited for it."""
        self.result: T | None = None
        self.error: Exception | None = None

    def release_after_fork(self) -> None:
        """Let this process do the work: a thread that was doing it belongs to the parent."""
        self._lock = threading.Lock()

    def finish(self, timeout_s: float) -> bool:
        """Do the work, or wait for the thread doing it; False if that takes longer than `timeout_s`."""
        if self.is_done:
            return True
        if not self._lock.acquire(timeout=timeout_s):
            return False
        try:
            if self._work is not None and not self.is_done:
                try:
                    self.result = self._work()
                except Exception as exc:  # noqa: BLE001  whoever reads the result decides what the error means
                    self.error = exc
                # In this order: what has no work left is done, wherever an interrupt comes.
                self.is_done = True
                self._work = None  # with the text that it holds
        finally:
            self._lock.release()  # interrupted, the work is left for the next one who needs it
        return True


@dataclass(frozen=True, slots=True, eq=False)
class DeferredJob:
    """A job that may wait.

    Args:
        job: what to run in a transaction.
        session: session that it changes, empty for none.
        preparation: what the job needs, None if it can run at once.
        is_patient: it takes rows that many processes write. It runs in transactions that nobody waits for, so that a
            conflict delays no decision.
    """

    job: Callable[[Transaction], Any]
    session: str = ""
    preparation: Preparation[Any] | None = None
    is_patient: bool = False

    @property
    def needs_long(self) -> bool:
        """Whether a long preparation is not done yet."""
        return self.preparation is not None and self.preparation.is_long and not self.preparation.is_done

    def prepare(self, timeout_s: float) -> None:
        """Have the preparation done.

        Raises:
            CannotDecide: `ledger_busy`, another thread does it and takes longer than `timeout_s`.
        """
        if self.preparation is not None and not self.preparation.finish(timeout_s):
            problem = "the result of an earlier action is still being read"
            raise CannotDecide("ledger_busy", problem, remedy="try again")


class DeferredJobs:
    """Jobs that may wait, in order. Bounded.

    Any thread may add one; one thread at a time removes those that it ran.
    """

    def __init__(self) -> None:
        self._jobs: deque[DeferredJob] = deque()  # each use of it is one call, which no other thread interrupts
        self._has_patient = False

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, item: DeferredJob) -> bool:
        """Add a job; False if 5,000 wait already, and it is dropped.

        So many wait only if the disk fails; their decisions are durable, with "outcome unknown".
        """
        if len(self._jobs) >= _MAX_DEFERRED:
            return False
        self._has_patient = self._has_patient or item.is_patient
        self._jobs.append(item)
        return True

    def select(self, sessions: Collection[str] | None, *, with_patient: bool = True) -> list[DeferredJob]:
        """The jobs that the next transaction must run first, in order.

        Those of other sessions are passed over where a long preparation is not done, with what comes after them.

        INVARIANT: VOUCH - no decision of a session is made before what its results said is known: in `sessions`
        nothing is passed over.

        Args:
            sessions: sessions that the transaction is for; None if that may be any session.
            with_patient: whether nobody waits for the transaction.
        """
        jobs = list(self._jobs)
        if self._has_patient and not with_patient:
            jobs = [item for item in jobs if not item.is_patient]
        if sessions is None:
            return jobs
        passed: set[str] = set()
        selected = []
        for item in jobs:
            if item.session in sessions or not (item.session in passed or item.needs_long):
                selected.append(item)
            elif item.session:
                passed.add(item.session)
        return selected

    def list_inherited(self) -> list[DeferredJob]:
        """The jobs of sessions that a child runs as well after a fork; call it on the child's copy.

        INVARIANT: VOUCH - the child may go on with a session before its parent has written what that was shown. Whoever
        comes second finds such a job done; others are left to the parent.
        """
        inherited = [item for item in self._jobs if item.session]
        for item in inherited:
            if item.preparation is not None:
                item.preparation.release_after_fork()
        return inherited

    def remove(self, done: Iterable[DeferredJob]) -> None:
        """Remove jobs that have run."""
        for item in done:
            self._jobs.remove(item)  # by identity; nearly always the first


def commit_patient(deferred: DeferredJobs, commit: Callable[[list[DeferredJob]], Any]) -> None:
    """Commit deferred jobs, retrying a few times when other writers are faster; then leave them.

    Args:
        deferred: the jobs.
        commit: runs jobs in one transaction, and removes them.
    """
    for _ in range(_PATIENT_ATTEMPTS):
        late = deferred.select(None)
        if not any(item.is_patient for item in late):
            return
        with suppress(Conflict):
            commit(late)


class PreparationThread:
    """Runs preparations in a thread that starts with the first one and ends with its owner.

    Where 256 wait already, the caller does the work itself, so that no more is taken in than can be worked off. Where
    decisions follow so closely that they come before the thread, short work is left to them for a while: waking a
    thread that finds nothing to do takes the interpreter from the one that decides.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Preparation[Any] | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last: Preparation[Any] | None = None
        self._late = self._left_out = 0
        # The thread holds the queue alone, so an owner that nobody uses any more is not kept alive by it.
        weakref.finalize(self, self._queue.put, None).atexit = False

    def add(self, preparation: Preparation[Any], timeout_s: float) -> None:
        """Have a preparation done soon; `timeout_s` bounds the wait of a caller that must do it itself."""
        if not preparation.is_long:
            if self._left_out:
                self._left_out -= 1
                return
            last, self._last = self._last, preparation
            self._late = self._late + 1 if last is not None and last.is_done and not last.was_early else 0
            if self._late == _MAX_LATE:
                self._late, self._left_out, self._last = 0, _LEFT_OUT, None
                return
        if self._queue.qsize() >= MAX_UNPREPARED or not self._ensure_thread():
            preparation.finish(timeout_s)
        else:
            self._queue.put(preparation)

    def close(self) -> None:
        """Let the thread end after the waiting work."""
        self._queue.put(None)

    def _ensure_thread(self) -> bool:
        if self._thread is not None:
            return True
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=_run_loop, args=(self._queue,), name="halo-results", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is ending, or there are too many threads
                    return False
                self._thread = thread
        return True


def _run_loop(preparations: queue.SimpleQueue[Preparation[Any] | None]) -> None:
    while (preparation := preparations.get()) is not None:
        if not preparation.is_done:
            preparation.was_early = preparation.finish(0.0)  # who works on it already needs no help
        del preparation  # while it waits, the thread holds no text
