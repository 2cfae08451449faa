"""Room: the store, owner of all state. Takes: jobs. Gives: durable results. Never: decides what a job does.

A sync caller commits inline, with what was deferred before it. An async caller hands its job to the one writer
thread (`store.committer`). Outcomes are deferred: they join the next transaction or wait at most 50 ms. The writer
thread also signs a checkpoint every 256 entries or every second and moves the local anchor forward; the anchor and the
write-ahead log are seen to without the ledger's lock, so that no decision waits for their disk.
"""

from __future__ import annotations

import atexit
import os
import socket
import sqlite3
import sys
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.clock import Clock, SystemClock
from halo_core.errors import CannotDecide
from halo_core.failpoints import reach
from halo_core.ids import IdSource, RandomIds
from halo_core.keys import KeyStore
from halo_core.ledger import origin, vkey_of
from halo_core.model import Mode, Revocation, Stop
from halo_core.store import checkpoints
from halo_core.store.batch import CommitFailed, Job, Outcome, run_batch
from halo_core.store.committer import Committer, closed_error
from halo_core.store.database import Database
from halo_core.store.opening import open_chain, refuse_foreign, refuse_older_than_anchor, remember_trust
from halo_core.store.state import SketchCache, StateCache
from halo_core.store.tx import Holds, Secrets, Tx
from halo_core.store.writer import Writer, forget

__all__ = ["Store", "StoreConfig"]

_CHECKPOINT_S: Final = 1.0
_CHECKPOINT_ENTRIES: Final = 256


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
        self._states = StateCache()
        self._holds = Holds()
        self._deferred: deque[Job] = deque()
        self._closed = False
        self._start_over()
        _STORES.add(self)

    def _start_over(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._marking = threading.Lock()  # of checkpoints and the anchor; taken before the other
        self._committer = Committer(self, self._deferred)
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
        return await self._committer.commit(job, orphaned)

    def defer(self, job: Job) -> None:
        """Queue a job that may join the next transaction; it runs within 50 ms and is retried until durable."""
        self._after_fork()
        self._committer.defer(job)

    def last_holds(self) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
        """Stops and revocations as this process last read them."""
        return self._holds.stops, self._holds.revocations

    def peek_mode(self) -> Mode | None:
        """The mode that the database holds, read beside whoever has the lock; None if it cannot be read."""
        database = self._database
        if database is None or database.path is None:
            return None
        place = f"{database.path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(place, uri=True, timeout=0)) as connection:
                row = connection.execute("SELECT mode FROM control WHERE tenant=?", (self.tenant,)).fetchone()
            return Mode(row[0]) if row is not None else None
        except (sqlite3.Error, ValueError):
            return None

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
                raise closed_error()
            return self._run_locked(jobs)
        finally:
            self._lock.release()

    def _run_locked(self, jobs: Sequence[Job]) -> list[Outcome]:
        database, writer = self._opened()
        late = list(self._deferred)
        before = writer.seq
        reach("before_begin")
        try:
            database.begin(self.config.deadline_s)
            outcomes = self._batch(database, writer, [*late, *jobs])
        except CannotDecide as exc:
            self._sketches.clear()
            if isinstance(exc, CommitFailed):
                self._retire()
            raise
        except BaseException:  # interrupted on the way in: a lock that stayed taken would deny for ever
            database.rollback()
            raise
        for outcome in outcomes[: len(late)]:
            self._deferred.popleft()
            if outcome.error is not None:
                sys.stderr.write(f"halo: an outcome was not recorded: {outcome.error}\n")
        if any(outcome.error is not None for outcome in outcomes):
            self._sketches.clear()
        self._since_checkpoint += writer.seq - before
        return outcomes[len(late) :]

    def _batch(self, database: Database, writer: Writer, jobs: Sequence[Job]) -> list[Outcome]:
        return run_batch(
            database.connection,
            self._tx(database, writer),
            jobs,
            begin=lambda: database.begin(self.config.deadline_s),
            forget=self._sketches.clear,
        )

    def _tx(self, database: Database, writer: Writer) -> Tx:
        return Tx(
            database.connection,
            tenant=self.tenant,
            writer=writer,
            clock=self.clock,
            ids=self.ids,
            secrets=self._secrets,
            sketches=self._sketches,
            states=self._states,
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
                opening = self._batch(self._database, writer, [lambda tx: open_chain(tx, self.config, _host())])
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
            _quietly(self._mark_locked)
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
        with self._marking, self._lock:
            if self._writer is not None:
                try:
                    self._run_locked([_farewell])
                    self._mark_locked()
                except Exception as exc:  # noqa: BLE001  closing must not raise; what is missing shows as a crash
                    sys.stderr.write(f"halo: closing the ledger: {exc}\n")
            self._closed = True
            self._retire()
        self._committer.close()
        self._committer.join()

    def checkpoint(self) -> None:
        """Sign a checkpoint over everything so far and move the anchor."""
        self.flush()
        self._mark(wait_s=-1)

    def _mark(self, *, wait_s: float) -> None:
        """Sign a checkpoint, move the anchor, empty the write-ahead log; -1 waits for the ledger without a limit."""
        with self._marking:
            if not self._lock.acquire(timeout=wait_s):
                return
            try:
                if self._closed:
                    raise closed_error()
                note = self._sign_locked()
                database = self._opened()[0]
                names = checkpoints.anchor_names(database, self.config)
            finally:
                self._lock.release()
            if note is not None:
                checkpoints.anchor(names, self.config, note)
            # Most of the work without the lock; the rest with it, since the log starts over only when nothing is left.
            database.wal_checkpoint()
            if self._lock.acquire(timeout=wait_s):
                try:
                    database.wal_checkpoint()
                finally:
                    self._lock.release()

    def _sign_locked(self) -> bytes | None:
        database, _ = self._opened()
        note = checkpoints.sign_next(database, self.tenant, self._log, self.config.deadline_s)
        self._since_checkpoint = 0
        self._checkpoint_at = self.clock.mono_us() / 1e6
        return note

    def _mark_locked(self) -> None:
        note = self._sign_locked()
        database, _ = self._opened()
        if note is not None:
            checkpoints.anchor(checkpoints.anchor_names(database, self.config), self.config, note)
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

    # what the writer thread asks of its store

    @property
    def unsealed(self) -> bool:
        """Whether there are entries without a checkpoint."""
        return bool(self._since_checkpoint)

    def run_group(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Commit a group of jobs."""
        return self._run(jobs)

    def write_deferred(self) -> None:
        """Give what is deferred a transaction of its own; an error is said, and tried again."""
        _quietly(self.flush)

    def keep_up(self) -> None:
        """Sign a checkpoint when one is due."""
        if self._due():
            _quietly(lambda: self._mark(wait_s=0.01))

    def _due(self) -> bool:
        if not self._since_checkpoint:
            return False
        late = self.clock.mono_us() / 1e6 - self._checkpoint_at
        return self._since_checkpoint >= _CHECKPOINT_ENTRIES or late >= _CHECKPOINT_S


def _unwrap(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


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


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for store in list(_STORES):
        store.close()
