"""Room: the store, owner of all state. Takes: jobs. Gives: durable results. Never: decides what a job does.

A sync caller commits inline, with what was deferred before it. An async caller hands its job to the one writer
thread, which commits in groups and answers with `call_soon_threadsafe`: the event loop never waits for a disk.
Outcomes are deferred: they join the next transaction or wait at most 50 ms. The same thread signs a checkpoint every
256 entries or every second and moves the local anchor forward.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import sys
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.clock import Clock, SystemClock
from halo_core.errors import CannotDecide
from halo_core.failpoints import reach
from halo_core.ids import IdSource, RandomIds
from halo_core.keys import KeyStore
from halo_core.ledger import origin, vkey_of
from halo_core.store import checkpoints
from halo_core.store.batch import CommitFailed, Job, Outcome, run_batch
from halo_core.store.database import Database
from halo_core.store.opening import open_chain, refuse_foreign, refuse_older_than_anchor, remember_trust
from halo_core.store.state import SketchCache
from halo_core.store.tx import Holds, Secrets, Tx
from halo_core.store.writer import Writer, forget

__all__ = ["Store", "StoreConfig"]

_GROUP: Final = 64
_QUEUE: Final = 20_000
_DEFER_S: Final = 0.05
_CHECKPOINT_S: Final = 1.0
_CHECKPOINT_ENTRIES: Final = 256
_MAX_DEFERRED: Final = 5_000


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where and how.

    Args:
        url: SQLAlchemy URL.
        home: folder of keys, trust and anchor.
        tenant: whose log.
        assurance: `dev`, `embedded` or `isolated`.
        deadline_s: how long a decision may wait for the write lock before it is denied with `ledger_busy`.
    """

    url: str
    home: Path
    tenant: str
    assurance: str = "dev"
    deadline_s: float = 5.0


@dataclass(slots=True)
class _Waiting:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    orphaned: Any


class Store:
    """One tenant's open store in this process. Thread-safe; survives a fork with a new writer."""

    def __init__(
        self, config: StoreConfig, keys: KeyStore, *, clock: Clock | None = None, ids: IdSource | None = None
    ) -> None:
        self.config = config
        self.keys = keys
        self.clock: Clock = clock or SystemClock()
        self.ids: IdSource = ids or RandomIds()
        self._log = keys.signer("log")
        self._secrets = Secrets(kek=keys.secret("content"))
        self._sketches = SketchCache(keys.secret("sketch"))
        self._holds = Holds()
        self._deferred: deque[Job] = deque()
        self._closed = False
        self._start_over()
        _STORES.add(self)

    def _start_over(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._wake = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._thread: threading.Thread | None = None
        self._database: Database | None = None
        self._writer: Writer | None = None
        self._since_checkpoint = 0
        self._checkpoint_at = 0.0

    @property
    def tenant(self) -> str:
        """Whose log."""
        return self.config.tenant

    @property
    def anchor_path(self) -> Path:
        """The local anchor file."""
        return self.config.home / "anchor.json"

    # committing

    def commit(self, job: Job) -> Any:
        """Run one job durably, inline.

        Raises:
            CannotDecide: it could not be made durable; nothing was written.
            Exception: whatever the job itself raised; nothing of it was written.
        """
        self._after_fork()
        return _unwrap(self._run([job])[0])

    async def acommit(self, job: Job, *, orphaned: Any = None) -> Any:
        """Run one job durably in the writer thread.

        Args:
            job: the job.
            orphaned: called with the result, in the writer thread, when the caller was cancelled meanwhile.
        """
        self._after_fork()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop, loop.create_future(), orphaned)
        with self._wake:
            if self._closed:
                raise _closed()
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
        """Queue a job that may join the next transaction; it runs within 50 ms and is retried until durable."""
        self._after_fork()
        with self._wake:
            if len(self._deferred) >= _MAX_DEFERRED:
                # The disk is gone; the decisions are durable and will stand as "outcome unknown".
                return
            self._deferred.append(job)
            self._ensure_thread()
            self._wake.notify()

    def flush(self) -> None:
        """Make everything deferred durable now.

        Raises:
            CannotDecide: it could not be.
        """
        self._after_fork()
        if self._deferred:
            self._run([])

    def _run(self, jobs: Sequence[Job]) -> list[Outcome]:
        if not self._lock.acquire(timeout=self.config.deadline_s):
            raise CannotDecide("ledger_busy", "another thread holds the ledger", remedy="try again")
        try:
            if self._closed:
                raise _closed()
            return self._run_locked(jobs)
        finally:
            self._lock.release()

    def _run_locked(self, jobs: Sequence[Job]) -> list[Outcome]:
        database, writer = self._opened()
        late = list(self._deferred)
        reach("before_begin")
        database.begin(self.config.deadline_s)
        before = writer.seq
        try:
            outcomes = run_batch(database.connection, self._tx(database, writer), [*late, *jobs])
        except CannotDecide as exc:
            self._sketches.clear()
            if isinstance(exc, CommitFailed):
                self._retire()
            raise
        for outcome in outcomes[: len(late)]:
            self._deferred.popleft()
            if outcome.error is not None:
                sys.stderr.write(f"halo: an outcome was not recorded: {outcome.error}\n")
        if any(outcome.error is not None for outcome in outcomes):
            self._sketches.clear()
        self._since_checkpoint += writer.seq - before
        return outcomes[len(late) :]

    def _tx(self, database: Database, writer: Writer) -> Tx:
        return Tx(
            database.connection,
            tenant=self.tenant,
            writer=writer,
            clock=self.clock,
            ids=self.ids,
            secrets=self._secrets,
            sketches=self._sketches,
            holds=self._holds,
            assurance=self.config.assurance,
        )

    # opening and closing

    def open(self) -> None:
        """Open now instead of at the first decision.

        Raises:
            CannotDecide: the store cannot be used.
            Gap: the database is older than its anchor.
        """
        self._after_fork()
        self._run([])

    def _opened(self) -> tuple[Database, Writer]:
        if self._database is None:
            self._database = Database(self.config.url)
        if self._writer is None:
            vkey = vkey_of(origin(self.tenant), self._log.public_key)
            refuse_foreign(self._database, self.config, vkey, self._secrets.kek)
            refuse_older_than_anchor(self._database, self.config, vkey)
            remember_trust(self.config, vkey)
            writer = Writer(self.tenant, self.ids.short(), os.urandom(32), self._log, self.config.home)
            try:
                self._database.begin(self.config.deadline_s)
                tx = self._tx(self._database, writer)
                opening = run_batch(self._database.connection, tx, [lambda tx: open_chain(tx, self.config, _host())])
                recovered = _unwrap(opening[0])
            except BaseException:
                writer.release()
                self._database.rollback()
                raise
            self._writer = writer
            self._since_checkpoint = 1
            for name in recovered:
                forget(self.config.home, name)
            # From its first entry on, a log has an anchor: without one nobody could tell whether it was cut.
            _quietly(self._checkpoint_locked)
        return self._database, self._writer

    def _retire(self) -> None:
        if self._writer is not None:
            self._writer.release()
        self._writer = None
        if self._database is not None:
            self._database.close()
        self._database = None

    def close(self) -> None:
        """Write what is deferred, close the writer, sign a last checkpoint. Idempotent."""
        if self._closed or os.getpid() != self._pid:
            return
        with self._wake:
            self._wake.notify()
        with self._lock:
            if self._writer is not None:
                try:
                    self._run_locked([_farewell])
                    self._checkpoint_locked()
                except Exception as exc:  # noqa: BLE001  closing must not raise; what is missing shows as a crash
                    sys.stderr.write(f"halo: closing the ledger: {exc}\n")
            self._closed = True
            self._retire()
        with self._wake:
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def checkpoint(self) -> None:
        """Sign a checkpoint over everything so far and move the anchor."""
        self.flush()
        with self._lock:
            if self._closed:
                raise _closed()
            self._checkpoint_locked()

    def _checkpoint_locked(self) -> None:
        database, _ = self._opened()
        note = checkpoints.sign_next(database, self.tenant, self._log, self.config.deadline_s)
        self._since_checkpoint = 0
        self._checkpoint_at = self.clock.mono_us() / 1e6
        if note is not None:
            checkpoints.anchor(database, self.config, note)
        database.wal_checkpoint()

    def _after_fork(self) -> None:
        if os.getpid() != self._pid:
            # The parent's connection and writer stay the parent's.
            if self._writer is not None:
                self._writer.abandon()
            self._deferred.clear()
            self._sketches.clear()
            self._holds = Holds()
            self._start_over()

    # the writer thread

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=_loop, args=(weakref.ref(self),), name="halo-writer", daemon=True)
            self._thread.start()

    def _turn(self) -> bool:
        with self._wake:
            if not self._waiting and not self._closed:
                self._wake.wait(_DEFER_S if self._since_checkpoint else _CHECKPOINT_S)
            if self._deferred:
                # An outcome waits for a transaction to join, not for one of its own: half the commits of a busy run.
                self._wake.wait_for(lambda: bool(self._waiting) or self._closed, timeout=_DEFER_S)
            group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
        if group:
            self._answer(group)
        elif self._deferred and not self._closed:
            _quietly(self.flush)
        if self._due() and not self._closed:
            _quietly(self._checkpoint_if_free)
        return not self._closed or bool(self._waiting)

    def _due(self) -> bool:
        if not self._since_checkpoint:
            return False
        late = self.clock.mono_us() / 1e6 - self._checkpoint_at
        return self._since_checkpoint >= _CHECKPOINT_ENTRIES or late >= _CHECKPOINT_S

    def _checkpoint_if_free(self) -> None:
        if self._lock.acquire(timeout=0.01):
            try:
                if not self._closed:
                    self._checkpoint_locked()
            finally:
                self._lock.release()

    def _answer(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._run([item.job for item in group])
        except Exception as exc:  # noqa: BLE001  every caller gets it
            outcomes = [Outcome(error=exc)] * len(group)
        except BaseException as exc:  # noqa: BLE001  the same, and the thread goes on
            outcomes = [Outcome(error=_interrupted(exc))] * len(group)
        for item, outcome in zip(group, outcomes, strict=True):
            try:
                item.loop.call_soon_threadsafe(_settle, item, outcome)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _orphan(item, outcome)


def _settle(item: _Waiting, outcome: Outcome) -> None:
    if item.future.cancelled():
        _orphan(item, outcome)
    elif outcome.error is not None:
        item.future.set_exception(outcome.error)
    else:
        item.future.set_result(outcome.result)


def _orphan(item: _Waiting, outcome: Outcome) -> None:
    if outcome.error is None and item.orphaned is not None:
        item.orphaned(outcome.result)


def _unwrap(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


def _interrupted(error: BaseException) -> CannotDecide:
    return CannotDecide("decision_error", f"the decision was interrupted: {type(error).__name__}", remedy="try again")


def _closed() -> CannotDecide:
    return CannotDecide("ledger_closed", "the ledger is closed", remedy="open Halo again")


def _farewell(tx: Tx) -> None:
    from halo_core.store.opening import close_chain  # noqa: PLC0415  one use, at the very end

    close_chain(tx)


def _host() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "process": Path(sys.argv[0]).name if sys.argv else ""}


def _quietly(step: Any) -> None:
    try:
        step()
    except Exception as exc:  # noqa: BLE001  the next turn tries again; decisions themselves fail loudly
        if getattr(exc, "code", "") != "ledger_closed":
            sys.stderr.write(f"halo: background: {exc}\n")


def _loop(ref: weakref.ref[Store]) -> None:
    while True:
        store = ref()
        if store is None or not store._turn():  # noqa: SLF001  the loop is the store's own thread
            return
        del store


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for store in list(_STORES):
        store.close()
