"""The store: one tenant's state and log in a database, opened by one process.

Everything is written by jobs, functions of a `Transaction`, and is durable when the call returns:

    store.commit(job)           in this thread, together with what was deferred before
    await store.acommit(job)    in the writer thread (`halo_core.store.committer`)
    store.defer(job)            with the next transaction, or after 50 ms

The writer thread also signs a checkpoint every 256 entries or every second and moves the local anchor forward. It
writes the anchor and empties the write-ahead log without the store's lock, so that no decision waits for that.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from halo_core.clock import Clock, SystemClock
from halo_core.crypto.keys import Digester, IdSource, KeyStore, RandomIds
from halo_core.errors import CannotDecide, HaloError
from halo_core.failpoints import ARMED, hit_failpoint
from halo_core.floors import HomeFloor, read_host_floor
from halo_core.ledger import format_vkey, log_origin, make_vkey
from halo_core.log_output import get_logger, install_default_handler
from halo_core.model import Mode, Revocation, Stop
from halo_core.references import References
from halo_core.store import log_checkpoints
from halo_core.store.checkpoint_signer import CheckpointSigner
from halo_core.store.committer import CommitFailed, Committer, Job, Outcome, commit_batch, make_closed_error
from halo_core.store.config import StoreConfig
from halo_core.store.deferred import DeferredJob, DeferredJobs, Preparation, PreparationThread, commit_patient
from halo_core.store.draining import Drained, Readiness, add_store, list_stores, wait_for_outcomes
from halo_core.store.engine import Conflict, Engine, find_writer_end, is_postgres
from halo_core.store.engines import open_database
from halo_core.store.floor_memory import FloorMemory
from halo_core.store.image import TenantImage
from halo_core.store.log_checkpoints import refuse_older_than_anchor
from halo_core.store.reader import Reader
from halo_core.store.sequencer import LEASE_WAIT_S
from halo_core.store.transaction import Transaction
from halo_core.store.writer_chains import close_writer_chain, open_writer_chain, refuse_foreign_store
from halo_core.store.writers import Writer, remove_lock_file

T = TypeVar("T")
_LOG: Final = get_logger("store")
_ATTEMPTS: Final = 3
"""How often jobs are run that lose a race against another process."""


class Store:
    """One tenant's store in this process. Thread-safe; after a fork the child continues with a new writer."""

    def __init__(
        self, config: StoreConfig, keys: KeyStore, *, clock: Clock | None = None, ids: IdSource | None = None
    ) -> None:
        self.config = config
        self.keys = keys
        self.clock: Clock = clock or SystemClock()
        self.ids: IdSource = ids or RandomIds()
        self._log = keys.signer("log")
        self._image = TenantImage(
            keys.secret("content"), keys.secret("sketch"), References(Digester(keys.secret("digest"))), config.home
        )
        self._image.floors = FloorMemory(read_host_floor().mode, HomeFloor(config.home).read(config.tenant))
        self._closed = False
        self._is_draining = False
        self._reset()
        self._siblings = add_store(self, config.url, config.tenant)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._checkpoint_lock = threading.Lock()  # of checkpoints and the anchor; taken before `_lock`
        self._deferred = DeferredJobs()
        self._committer = Committer(self, self._deferred)
        self._preparations = PreparationThread()
        self._database: Engine | None = None
        self._writer: Writer | None = None
        self._last_writer: tuple[str, int] | None = None
        """The writer that this process had before, and the sequence after the last of its entries that is durable."""
        self._checkpoints = CheckpointSigner(self.config, self._log, self.clock)

    @property
    def references(self) -> References:
        """Makes the references that replace names in this store."""
        return self._image.references

    @property
    def tenant(self) -> str:
        """Owner of the log."""
        return self.config.tenant

    def commit(self, job: Callable[[Transaction], T], *, session: str | None = None) -> T:
        """Run one job in this thread and return its result once it is durable.

        Args:
            job: what to run.
            session: session that it reads and changes, empty for none; None if it may be any.

        Raises:
            CannotDecide: it could not be made durable; nothing was written.
            Exception: raised by the job itself; nothing it did was written.
        """
        self._reset_after_fork()
        if self._is_draining:
            raise make_closed_error()
        result: T = _unwrap(self.commit_group([job], None if session is None else (session,))[0])
        return result

    async def acommit(
        self, job: Callable[[Transaction], T], *, session: str | None = None, on_orphaned: Any = None
    ) -> T:
        """Run one job in the writer thread and return its result once it is durable; raises like `commit`.

        Args:
            job: what to run.
            session: see `commit`.
            on_orphaned: called with the result if the caller was cancelled meanwhile.
        """
        self._reset_after_fork()
        if self._is_draining:
            raise make_closed_error()
        result: T = await self._committer.commit(job, session, on_orphaned)
        return result

    def defer(
        self, job: Job, *, session: str = "", preparation: Preparation[Any] | None = None, is_patient: bool = False
    ) -> None:
        """Queue a job for the next transaction, within 50 ms; it is retried until it is durable.

        Args:
            job: what to run.
            session: session that it changes, empty for none.
            preparation: done by a thread before the job runs, or else by the transaction that needs it.
            is_patient: see `DeferredJob`.
        """
        self._reset_after_fork()
        if self._committer.defer(DeferredJob(job, session, preparation, is_patient)) and preparation is not None:
            self._preparations.add(preparation, self.config.deadline_s)

    def last_restrictions(self) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
        """The stops and revocations that this process last read."""
        return self._image.stops, self._image.revocations

    def find_mode(self, option: Mode | None = None) -> Mode:
        """The mode in force now, for an application that asked for `option`.

        Raises:
            CannotDecide: the store cannot be used.
        """

        def job(tx: Transaction) -> Mode:
            tx.load_control()
            return tx.image.find_mode(option, tx.clock.now_us(), tx.clock.mono_us())

        return self.commit(job)

    def recall_mode(self, option: Mode) -> Mode:
        """Like `find_mode`, from what this process last read, without waiting; `enforce` if it has read nothing."""
        return self._image.find_mode(option, self.clock.now_us(), self.clock.mono_us())

    def peek_mode(self) -> Mode | None:
        """The floor, if known without waiting for a lock; None if the database cannot be read.

        It may say `enforce` while a waiver lasts, and says `observe` only where nothing has raised the floor.
        """
        if Mode.ENFORCE in (self._image.floors.host, self._image.floors.home):
            return Mode.ENFORCE
        database = self._database
        try:
            mode = database.peek_mode(self.tenant) if database is not None else None
            return None if mode is None else Mode(mode)
        except ValueError:
            return None

    def find_waived_mode(self) -> Mode | None:
        """Like `peek_mode`, but waits for the lock if this process knows of a waiver.

        Raises:
            CannotDecide: the store cannot be used.
        """
        mode, control = self.peek_mode(), self._image.control
        return self.find_mode() if mode is Mode.ENFORCE and control is not None and control.waiver is not None else mode

    def flush(self) -> None:
        """Make all deferred jobs durable now.

        Raises:
            CannotDecide: it could not be made durable.
        """
        self._reset_after_fork()
        if self._deferred:
            self.commit_group([])

    def commit_group(self, jobs: Sequence[Job], sessions: Collection[str] | None = None) -> list[Outcome]:
        """Run and commit jobs in one transaction, after deferred ones.

        Args:
            jobs: jobs in order.
            sessions: sessions that the jobs read and change; None if they may be any. Deferred jobs of other sessions
                that are still being prepared may come later.

        Raises:
            CannotDecide: nothing was made durable.
        """
        if jobs and len(self._siblings) > 1:
            self._flush_siblings()
        return self._commit_group(jobs, sessions)

    def _flush_siblings(self) -> None:
        """Make jobs durable that other stores of this process deferred in the same database.

        INVARIANT: VOUCH - what one agent of a process has read is known when the next agent's action is decided.
        """
        for store in list_stores(self._siblings):
            if store is not self and store._deferred:  # noqa: SLF001  another of its own kind
                _run_reporting_errors(store.flush)

    def _commit_group(self, jobs: Sequence[Job], sessions: Collection[str] | None) -> list[Outcome]:
        while True:
            if not self._lock.acquire(timeout=self.config.deadline_s):
                raise CannotDecide("ledger_busy", "another thread has locked the ledger", remedy="try again")
            try:
                if self._closed:
                    raise make_closed_error()
                late = self._deferred.select(sessions, with_patient=not jobs)
                unread: list[DeferredJob] = []
                for item in late:
                    if item.needs_long:
                        unread.append(item)  # noqa: PERF401  a comprehension is a call
                if not unread:
                    return self._commit_locked(jobs, late, sessions or ())
            finally:
                self._lock.release()
            for item in unread:  # without the lock: others go on while a long text is read
                item.prepare(self.config.deadline_s)

    def _commit_locked(
        self, jobs: Sequence[Job], late: Sequence[DeferredJob], sessions: Collection[str] = ()
    ) -> list[Outcome]:
        """Run and commit the deferred jobs `late`, then `jobs`."""
        batch: list[Job] = []
        changed = set(sessions)
        for item in late:  # each decision comes by, and a comprehension is a call
            batch.append(item.job)
            changed.add(item.session)
        batch += jobs
        changed.discard("")
        alone = False
        for attempt in range(_ATTEMPTS):
            try:
                database, writer = self._ensure_open()
                before = writer.seq
                for item in late:
                    item.prepare(self.config.deadline_s)
                if ARMED:
                    hit_failpoint("before_begin")
                is_first = attempt == 0
                begin = partial(
                    database.begin,
                    self.config.deadline_s,
                    alone=alone,
                    locking=not is_first,
                    lazy=is_first,
                    sessions=changed,
                )
                outcomes = self._attempt(database, writer, batch, begin)
                break
            except Conflict as exc:
                alone = alone or exc.wants_control
                if attempt == _ATTEMPTS - 1:
                    raise
        self._deferred.remove(late)
        for outcome in outcomes[: len(late)]:
            if outcome.error is not None:
                _log_error("outcome_lost", "an outcome was not recorded", outcome.error)
        self._checkpoints.unsigned += writer.seq - before
        return outcomes[len(late) :]

    def _attempt(
        self, database: Engine, writer: Writer, jobs: Sequence[Job], begin: Callable[[], None]
    ) -> list[Outcome]:
        """Run and commit jobs in one transaction; after an error nothing of it remains in the database or in memory."""
        try:
            begin()
            tx = Transaction(
                database,
                tenant=self.config.tenant,
                writer=writer,
                clock=self.clock,
                ids=self.ids,
                image=self._image,
                assurance=self.config.assurance,
            )
            try:
                return commit_batch(database, tx, jobs, begin=begin, deadline_s=self.config.deadline_s)
            finally:
                tx.close()
        except CannotDecide as exc:
            self._image.clear()
            if isinstance(exc, CommitFailed):
                self._discard_writer()
            raise
        except BaseException:  # interrupted: a lock that stayed taken would deny everything from now on
            database.rollback()
            self._image.clear()
            self._discard_writer()  # it may have been committed all the same
            raise

    def open(self) -> None:
        """Open the database now instead of at the first decision.

        Raises:
            CannotDecide: the store cannot be used.
            Gap: the database is older than its anchor.
        """
        self._reset_after_fork()
        self.commit_group([])

    def _ensure_open(self) -> tuple[Engine, Writer]:
        if self._database is not None and not self._database.is_open:
            self._resume(self._database)
        if self._database is None:
            install_default_handler()
            self._database = open_database(self.config.url, tenant=self.tenant)
            self._database.on_foreign_write = self._image.expire
            self._database.on_begin = self._image.expire_shared
            self._database.on_wait = self.config.on_wait
        if self._writer is None:
            vkey = make_vkey(log_origin(self.tenant), self._log.public_key)
            refuse_foreign_store(self._database, self.config, vkey, self._image)
            refuse_older_than_anchor(self._database, self.config, vkey)
            if self._last_writer is not None:
                find_writer_end(self._database, self.tenant, *self._last_writer)
            log_checkpoints.trust_log_key(self.config.home, self.tenant, format_vkey(vkey))
            writer, recovered = self._open_writer(self._database)
            self._writer = writer
            self._checkpoints.unsigned = 1
            for name in recovered:
                remove_lock_file(self.config.home, name)
            # A log has an anchor from its first entry on; without one nobody could tell whether it was cut.
            _run_reporting_errors(self._checkpoint_locked)
        return self._database, self._writer

    def _resume(self, database: Engine) -> None:
        """Reconnect, and continue with the writer unless it was taken for dead."""
        self._image.clear()
        writer = self._writer
        if writer is None or not database.resume_writer(writer.id, writer.seq, self.config.deadline_s):
            self._discard_writer()

    def _open_writer(self, database: Engine) -> tuple[Writer, list[str]]:
        """A new writer, and the names of recovered writers."""
        home = None if database.has_many_writers else self.config.home
        writer = Writer(self.tenant, self.ids.new_short_id(), os.urandom(32), self._log, home)
        self._image.policy = ""
        alone = False

        def job(tx: Transaction) -> list[str]:
            return open_writer_chain(tx, self.config, _describe_process())

        try:
            database.hold_writer(self.config.home, writer.id)
            while True:
                try:
                    begin = partial(database.begin, self.config.deadline_s, alone=alone)
                    opening = self._attempt(database, writer, [job], begin)
                    return writer, _unwrap(opening[0])
                except Conflict as exc:
                    if alone or not exc.wants_control:
                        raise
                    alone = True
        except BaseException:
            writer.release_lock()
            raise

    def _discard_writer(self) -> None:
        if self._writer is not None:
            self._last_writer = self._writer.id, self._writer.seq
            self._writer.release_lock()
        self._writer = None
        if self._database is not None:
            self._database.close()
        self._database = None

    def check_readiness(self) -> Readiness:
        """Whether a decision could be made durable now; commits deferred jobs and writes nothing else."""
        try:
            self._reset_after_fork()
            if self._is_draining:
                raise make_closed_error()
            self.commit_group([], ())
        except HaloError as exc:
            return Readiness(exc.code, exc.message)
        return Readiness()

    def drain(self, deadline_s: float) -> Drained:
        """Take no new work, wait for running actions and their outcomes, then close.

        New work is refused with `ledger_closed`; outcomes of what runs are taken until the end.

        Args:
            deadline_s: how long to wait, seconds; a transaction that has begun may take longer.

        Returns:
            What was left.
        """
        self._reset_after_fork()
        self._is_draining = True
        drained = Drained() if self._closed or self._database is None else wait_for_outcomes(self, deadline_s)
        self.close()
        if drained.problem and not self._deferred:  # closing could write it after all
            drained = replace(drained, problem="")
        drained = replace(drained, uncommitted=len(self._deferred))
        if not drained.is_clean:
            _LOG.error("the ledger was closed before all was recorded: %s", drained, extra={"halo_event": "drained"})
        return drained

    def count_deferred(self) -> tuple[int, int]:
        """How many deferred jobs wait for a text to be read, and how many wait at all."""
        waiting = self._deferred.select(None)
        unread = [item for item in waiting if item.preparation is not None and not item.preparation.is_done]
        return len(unread), len(waiting)

    def close(self) -> None:
        """Write deferred jobs, close the writer and sign a last checkpoint. Idempotent."""
        if self._closed or os.getpid() != self._pid:
            return
        with self._checkpoint_lock, self._lock:
            if self._writer is not None:
                try:
                    commit_patient(self._deferred, partial(self._commit_locked, []))
                    if self._image.unwritten_uses:  # in a transaction that cannot fail for another reason
                        self._commit_locked([], ())
                    self._commit_locked([close_writer_chain], self._deferred.select(None, with_patient=False))
                    self._checkpoint_locked()
                except Exception as exc:  # noqa: BLE001  closing must not raise; what is missing shows as a crash
                    _log_error("close_failed", "error while closing the ledger", exc)
                    if self._writer is not None:
                        self._writer.abandon_lock()  # the file stays, so whoever opens the store next recovers it
            self._closed = True
            self._discard_writer()
            self._checkpoints.close()
        self._committer.close()
        self._preparations.close()
        self._committer.join()

    def checkpoint(self) -> None:
        """Sign a checkpoint over everything written so far and move the anchor."""
        self.flush()
        self._checkpoint(wait_s=-1, lease_wait_s=LEASE_WAIT_S)

    def _checkpoint(self, *, wait_s: float, lease_wait_s: float = 0.0) -> None:
        """Sign a checkpoint, move the anchor and empty the write-ahead log; -1 waits for the lock without limit."""
        with self._checkpoint_lock:
            if not self._lock.acquire(timeout=wait_s):
                return
            try:
                if self._closed:
                    raise make_closed_error()
                database = self._ensure_open()[0]
                note = None if database.has_many_writers else self._checkpoints.sign(database)
                names = log_checkpoints.list_anchor_names(database, self.config)
            finally:
                self._lock.release()
            if database.has_many_writers:
                note = self._checkpoints.sign(database, wait_s=lease_wait_s)
            if note is not None:
                log_checkpoints.update_anchor(names, self.config, note)
            # Most of it without the lock; the rest with it, since the WAL starts over only when nothing is left in it.
            database.wal_checkpoint()
            if self._lock.acquire(timeout=wait_s):
                try:
                    database.wal_checkpoint()
                finally:
                    self._lock.release()

    def open_reader(self) -> Reader:
        """A reader that sees everything written so far; on a server, each entry then has its position."""
        if is_postgres(self.config.url):
            self.checkpoint()
        return Reader(self.config.url)

    def purge_deleted(self) -> str:
        """Remove deleted data from the database's files; returns what remains and why, empty for nothing."""
        self.checkpoint()
        with self._checkpoint_lock, self._lock:
            return self._ensure_open()[0].purge_deleted(self.config.deadline_s)

    def _checkpoint_locked(self) -> None:
        """Like `_checkpoint`, for a caller that holds the locks."""
        database, _ = self._ensure_open()
        note = self._checkpoints.sign(database, wait_s=LEASE_WAIT_S)
        if note is not None:
            log_checkpoints.update_anchor(log_checkpoints.list_anchor_names(database, self.config), self.config, note)
        database.wal_checkpoint()

    def _reset_after_fork(self) -> None:
        if os.getpid() != self._pid:
            # The connection and the writer belong to the parent.
            if self._writer is not None:
                self._writer.abandon_lock()
            if self._database is not None:
                self._database.abandon()
            self._checkpoints.abandon()
            self._image.clear()
            self._image.unwritten_uses.clear()
            inherited = self._deferred.list_inherited()
            self._reset()
            for item in inherited:
                self._committer.defer(item)

    def hold_for_fork(self) -> list[threading.Lock]:
        """Wait for other threads' database work and keep them out; returns the locks to release after the fork."""
        locks = (self._checkpoint_lock, self._lock) if os.getpid() == self._pid else ()
        return [lock for lock in locks if lock.acquire(timeout=self.config.deadline_s)]

    # called by the writer thread, beside `commit_group`

    @property
    def has_unsigned_entries(self) -> bool:
        """Whether there are entries without a checkpoint."""
        return bool(self._checkpoints.unsigned)

    def commit_deferred(self) -> None:
        """Commit deferred jobs that are prepared; errors are reported, and the jobs are retried."""
        if self._deferred.select(()):
            _run_reporting_errors(lambda: self.commit_group([], ()))

    def checkpoint_if_due(self) -> None:
        """Sign a checkpoint if one is due."""
        if self._checkpoints.is_due():
            _run_reporting_errors(lambda: self._checkpoint(wait_s=0.01))


def _unwrap(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


def _describe_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "process": Path(sys.argv[0]).name if sys.argv else ""}


def _log_error(event: str, text: str, error: BaseException) -> None:
    _LOG.error("%s: %s", text, error, extra={"halo_event": event, "halo_reason": getattr(error, "code", "")})


def _run_reporting_errors(step: Any) -> None:
    try:
        step()
    except Exception as exc:  # noqa: BLE001  the next turn tries again; decisions themselves fail loudly
        if getattr(exc, "code", "") != "ledger_closed":
            _log_error("background_failed", "error in the background thread", exc)
