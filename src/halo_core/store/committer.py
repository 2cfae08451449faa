"""Where jobs become durable: `commit_batch` runs them in one transaction and then executes COMMIT.

A job is a function of a `Transaction` and sees what the jobs before it did. Its results are handed out after COMMIT
returned (INVARIANT: CRASH), and a job that fails leaves nothing behind. Usually none fails, and no SAVEPOINT is needed
(each costs a copy of every page its job touches). If one fails, the transaction is rolled back and all jobs run again,
each in its own SAVEPOINT; so a job must have no effect except through its transaction.

`Committer` is the writer thread of one store. It commits the jobs of coroutines in groups, so that no event loop waits
for a disk, and gives jobs that may wait (outcomes) a transaction after 50 ms if no other transaction took them along.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from halo_core.errors import CannotDecide, HaloError
from halo_core.failpoints import ARMED, hit_failpoint
from halo_core.store.database import make_store_error
from halo_core.store.deferred import DeferredJob, DeferredJobs
from halo_core.store.engine import CommitInDoubt, Conflict, ConnectionLost, Engine, EntriesLost
from halo_core.store.transaction import Transaction

Job = Callable[[Transaction], Any]


class Outcome(NamedTuple):
    """The outcome of one job: its result, or the error for which it was rolled back.

    Args:
        result: what the job returned.
        error: None for a job that was committed.
    """

    result: Any = None
    error: Exception | None = None


_make_outcome: Final = partial(tuple.__new__, Outcome)  # a named tuple's own constructor is a Python function


class CommitFailed(CannotDecide):
    """COMMIT failed: it is unknown what is durable, so the writer must not be used again."""


def commit_batch(
    database: Engine,
    tx: Transaction,
    jobs: Sequence[Job],
    *,
    begin: Callable[[], None],
    deadline_s: float,
) -> list[Outcome]:
    """Run jobs inside the open transaction and commit it; on return, what they wrote is durable.

    Args:
        database: database with an open transaction.
        tx: what the jobs are given, on that database.
        jobs: jobs in order.
        begin: opens a transaction again, after a rollback.
        deadline_s: how long to look for a commit whose connection was lost.

    Returns:
        One outcome for each job.

    Raises:
        CommitFailed: COMMIT failed.
        Conflict: another process was faster; nothing was written, and the jobs may run again.
        CannotDecide: the transaction could not go on; nothing was written.
    """
    start = tx.writer.chain_head()
    try:
        outcomes = _run_together(database, tx, jobs)
        if outcomes is None or not _commit(database, tx, start, deadline_s, is_last=False):
            _roll_back(database, tx, start)
            begin()
            outcomes = [_run_in_savepoint(tx, job) for job in jobs]
            tx.flush()
            _commit(database, tx, start, deadline_s, is_last=True)
    except sqlite3.Error as exc:
        _roll_back(database, tx, start)
        raise make_store_error(exc) from exc
    except BaseException:
        _roll_back(database, tx, start)
        raise
    tx.confirm()
    if ARMED:
        hit_failpoint("after_commit")
    return outcomes


def _commit(database: Engine, tx: Transaction, start: tuple[int, str], deadline_s: float, *, is_last: bool) -> bool:
    """Commit the transaction.

    Args:
        database: database with the transaction.
        tx: the transaction.
        start: head of the writer's chain before it (sequence number and hash).
        deadline_s: see `commit_batch`.
        is_last: a refusal is raised.

    Returns:
        Whether it was committed; False if the database refused a statement that it had kept back until COMMIT.

    Raises:
        See `commit_batch`.
    """
    try:
        if ARMED:
            hit_failpoint("before_commit")
        database.commit()
    except sqlite3.Error as exc:
        raise CommitFailed("ledger_unwritable", f"commit failed: {exc}", remedy="check the disk") from exc
    except CommitInDoubt as exc:
        _look_up_commit(database, tx, start, deadline_s, exc)
    except CannotDecide as exc:
        if is_last or isinstance(exc, Conflict):
            raise
        return False
    return True


def _look_up_commit(
    database: Engine, tx: Transaction, start: tuple[int, str], deadline_s: float, lost: CommitInDoubt
) -> None:
    """Find out whether a transaction without a response to COMMIT was committed; raises if it was not.

    A transaction without an entry leaves nothing to look for. It counts as not committed: its jobs run again, and they
    write only what may be written twice (registrations, parts).

    Raises:
        ConnectionLost: nothing was committed, so the jobs may run again.
        CommitFailed: it cannot be found out.
        EntriesLost: the database has lost what was committed before.
    """
    end = tx.writer.seq
    try:
        is_committed = database.find_committed(tx.writer.id, start[0], end, deadline_s)
    except EntriesLost:
        _roll_back(database, tx, start)
        raise
    except CannotDecide as exc:
        _roll_back(database, tx, start)
        raise CommitFailed(lost.code, f"{lost.message}, and {exc.message}", remedy=lost.remedy) from exc
    if not is_committed:
        _roll_back(database, tx, start)
        raise ConnectionLost("the connection ended, and nothing was committed") from lost


def _run_together(database: Engine, tx: Transaction, jobs: Sequence[Job]) -> list[Outcome] | None:
    """The outcomes of all jobs without a SAVEPOINT; None if one failed, so that the transaction must be rolled back.

    Raises:
        Conflict: another process was faster.
        CannotDecide: the database has rolled back by itself.
    """
    try:
        outcomes = []
        for job in jobs:
            outcomes.append(_make_outcome((job(tx), None)))  # noqa: PERF401  a comprehension is a call
        tx.flush()
    except Conflict:
        raise
    except Exception as exc:
        if not database.in_transaction:  # SQLite itself rolled back: the disk is full
            raise _as_halo_error(exc) from exc
        return None
    return outcomes


def _run_in_savepoint(tx: Transaction, job: Job) -> Outcome:
    """The outcome of one job; its writes are undone if it fails."""
    place, uses = tx.writer.chain_head(), tx.copy_uses()
    tx.database.savepoint()
    try:
        result = job(tx)
        tx.flush()
        tx.database.flush()
    except Conflict:
        raise
    except Exception as exc:  # noqa: BLE001  handed to the caller, after the job's part was rolled back
        tx.database.rollback_to_savepoint()
        tx.writer.restore(place)
        tx.forget(uses)
        return Outcome(error=_as_halo_error(exc))
    tx.database.release_savepoint()
    return Outcome(result)


def _as_halo_error(error: Exception) -> Exception:
    """The error for callers of the store; any other error becomes `decision_error`."""
    if isinstance(error, HaloError):
        return error
    if isinstance(error, sqlite3.Error):
        return make_store_error(error)
    refusal = CannotDecide(
        "decision_error", f"the decision failed: {type(error).__name__}", remedy="see the ledger and the error"
    )
    refusal.__cause__ = error
    return refusal


def _roll_back(database: Engine, tx: Transaction, place: tuple[int, str]) -> None:
    """Roll back the transaction, and set the writer to the head of its chain before it (sequence number and hash)."""
    tx.writer.restore(place)
    tx.forget()
    try:
        database.rollback()
    except sqlite3.Error:
        # The connection is unusable; the store opens a new one with a new writer.
        tx.writer.release_lock()


_MAX_GROUP: Final = 64
_ANSWERS_PER_TURN: Final = 4  # answers in one turn of an event loop
_MAX_QUEUED: Final = 20_000
_DEFER_S: Final = 0.05
_IDLE_S: Final = 1.0


class _Owner(Protocol):
    """The part of a store that its writer thread uses."""

    def commit_group(self, jobs: Sequence[Job], sessions: Collection[str] | None = None) -> list[Outcome]: ...

    def commit_deferred(self) -> None: ...

    def checkpoint_if_due(self) -> None: ...

    @property
    def has_unsigned_entries(self) -> bool: ...


@dataclass(slots=True, eq=False)
class _QueuedJob:
    """A job that a coroutine waits for, with its loop and future."""

    job: Job
    session: str | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    on_orphaned: Any


class Committer:
    """The writer thread of one store in one process, and the queue of jobs that coroutines wait for.

    It never holds the store's lock, and does not keep the store alive.

    Args:
        owner: the store; only a weak reference is kept.
        deferred: jobs that may wait, shared with the store, which takes them into every transaction.
    """

    def __init__(self, owner: _Owner, deferred: DeferredJobs) -> None:
        self._owner = weakref.ref(owner)
        self._deferred = deferred
        self._deferred_at = 0.0
        self._queue: deque[_QueuedJob] = deque()
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._is_idle = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._is_running = False

    async def commit(self, job: Job, session: str | None, on_orphaned: Any) -> Any:
        """Commit one job in the thread; see `Store.acommit`."""
        loop = asyncio.get_running_loop()
        queued = _QueuedJob(job, session, loop, loop.create_future(), on_orphaned)
        with self._wake:
            if self._closed:
                raise make_closed_error()
            if len(self._queue) >= _MAX_QUEUED:
                raise CannotDecide(
                    "ledger_busy",
                    f"more than {_MAX_QUEUED} decisions are waiting",
                    remedy="send fewer actions at the same time",
                )
            self._queue.append(queued)
            self._ensure_thread()
            self._wake.notify()
        try:
            return await queued.future
        except asyncio.CancelledError:
            # It was cancelled after its job was committed, before it could take the result.
            if queued.future.done() and not queued.future.cancelled() and queued.future.exception() is None:
                _report_orphan(queued, Outcome(queued.future.result()))
            raise

    def defer(self, item: DeferredJob) -> bool:
        """Queue a job that may wait; False if too many wait already, and it is dropped."""
        with self._lock:
            if not self._deferred:
                self._deferred_at = time.monotonic()
            if not self._deferred.add(item):
                return False
            if not self._is_running:
                self._ensure_thread()
            # A thread that is not idle looks for jobs by itself. To wake it for a job that joins the next transaction
            # would cost that transaction two thread switches.
            if self._is_idle:
                self._wake.notify()
            return True

    def close(self) -> None:
        """Let the thread end after it has answered the waiting callers."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def join(self) -> None:
        """Wait for the thread to end."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _ensure_thread(self) -> None:
        if not self._is_running:
            self._thread = threading.Thread(target=self._run_loop, name="halo-writer", daemon=True)
            self._is_running = True
            try:
                self._thread.start()
            except BaseException:
                self._is_running = False
                raise

    def _run_loop(self) -> None:
        try:
            self._serve()
        finally:
            self._is_running = False

    def _serve(self) -> None:
        """Commit jobs, and sign checkpoints that are due, until the store is closed or no longer exists."""
        is_busy = True
        while True:
            group = self._take_group(is_busy=is_busy)
            owner = self._owner()
            if owner is None:
                return
            if group:
                _commit_group(owner, group)
            elif self._deferred and not self._closed and self._deferred_for_s() >= _DEFER_S:
                owner.commit_deferred()
            if not self._closed:
                owner.checkpoint_if_due()
            elif not self._queue:
                return
            is_busy = owner.has_unsigned_entries
            del owner  # so that the sleeping thread keeps no unused store alive

    def _take_group(self, *, is_busy: bool) -> list[_QueuedJob]:
        """Wait for work, and take the jobs to commit next; empty if something else may be due."""
        with self._wake:
            if not self._queue and not self._closed:
                if self._deferred:
                    pause = max(_DEFER_S - self._deferred_for_s(), 0.001)
                else:
                    # A busy thread is not woken for a deferred job, so it looks again within `_DEFER_S`.
                    pause = _DEFER_S if is_busy else _IDLE_S
                    self._is_idle = not is_busy
                self._wake.wait(pause)
                self._is_idle = False
            return [self._queue.popleft() for _ in range(min(_MAX_GROUP, len(self._queue)))]

    def _deferred_for_s(self) -> float:
        return time.monotonic() - self._deferred_at


def _commit_group(owner: _Owner, group: Sequence[_QueuedJob]) -> None:
    """Commit jobs together, and pass each outcome to the loop of the waiting coroutine."""
    sessions = {item.session for item in group}
    decided_sessions = None if None in sessions else {session for session in sessions if session is not None}
    try:
        outcomes = owner.commit_group([item.job for item in group], decided_sessions)
    except Exception as exc:  # noqa: BLE001  every caller gets it
        outcomes = [Outcome(error=exc)] * len(group)
    except BaseException as exc:  # noqa: BLE001  likewise, and the thread goes on
        message = f"the decision was interrupted: {type(exc).__name__}"
        outcomes = [Outcome(error=CannotDecide("decision_error", message, remedy="try again"))] * len(group)
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_QueuedJob, Outcome]]] = {}
    for item, outcome in zip(group, outcomes, strict=True):
        loops.setdefault(item.loop, []).append((item, outcome))
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_deliver_answers, answers)
        except RuntimeError:  # the loop is closed, and nobody waits any more
            for item, outcome in answers:
                _report_orphan(item, outcome)


def _deliver_answers(answers: Sequence[tuple[_QueuedJob, Outcome]]) -> None:
    # A few in each turn of the event loop, so that other tasks run between the callers that continue now.
    if len(answers) > _ANSWERS_PER_TURN:
        asyncio.get_running_loop().call_soon(_deliver_answers, answers[_ANSWERS_PER_TURN:])
    for item, outcome in answers[:_ANSWERS_PER_TURN]:
        if item.future.cancelled():
            _report_orphan(item, outcome)
        elif outcome.error is not None:
            item.future.set_exception(outcome.error)
        else:
            item.future.set_result(outcome.result)


def _report_orphan(item: _QueuedJob, outcome: Outcome) -> None:
    """Report that a job was committed after its coroutine had gone."""
    if outcome.error is None and item.on_orphaned is not None:
        item.on_orphaned(outcome.result)


def make_closed_error() -> CannotDecide:
    """The error for use of a closed store."""
    return CannotDecide("ledger_closed", "the ledger is closed", remedy="open Halo again")
