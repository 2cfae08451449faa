"""The engine for PostgreSQL: `PostgresDatabase`, used by several processes on several hosts at the same time.

A transaction begins with a shared advisory lock of its tenant, and reads in the same round trip the tenant's
generation. One that works from memory takes the lock and compares the generation when it ends, in the round trip that
writes and commits everything (`begin`, `lazy`). Whoever changes what others hold in memory (mode, policy, stops,
revocations, standing passports, scores, erasure) takes that lock alone and raises the generation, so the next decision
of every process reads it anew. The lock queues fairly, so a stop does not wait for a moment without decisions, and it
writes nothing, unlike a locked row.

Rows with a version are written if it is the one that was read. Who was slower gets `Conflict`, and the store runs its
jobs again. A writer is alive while its connection holds an advisory lock. A COMMIT whose connection was lost is looked
up under that lock, which the server gives away only after the old session has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.sql import Literal

from halo_core.errors import CannotDecide
from halo_core.store.engine import (
    CommitInDoubt,
    Conflict,
    ConnectionLost,
    EntriesLost,
    find_writer_end,
)
from halo_core.store.postgres_connection import PostgresCursor, find_cause, has_ended
from halo_core.store.postgres_opening import OpenedDatabase
from halo_core.store.postgres_statements import (
    LOST_STATES,
    RAISE_GENERATION,
    make_lock,
    translate,
)
from halo_core.store.postgres_writes import PendingWrites

LAG_US: Final = 10_000_000
"""How long an entry may wait for its position although every writer has closed, microseconds."""
_MAX_LOCKED: Final = 16  # sessions of one transaction
_STATE: Final = (
    b"SELECT (SELECT version FROM generation WHERE tenant=%s),"
    b" coalesce((SELECT max(seq) FROM residue WHERE tenant=%s), 0)"
)
"""What memory is compared with: read by a statement after the lock, which sees what was committed while it waited."""


class PostgresDatabase(OpenedDatabase):
    """One open PostgreSQL database, an `Engine`; see there. Not thread-safe: the store guards it with a lock."""

    has_many_writers: Final = True

    def __init__(self, url: str, *, tenant: str = "", read_only: bool = False) -> None:
        super().__init__(url, tenant=tenant, read_only=read_only)
        self.on_foreign_write: Callable[[], object] = lambda: None
        self.on_begin: Callable[[int], object] = lambda _newest: None
        self.on_wait: Callable[[], object] = lambda: None  # never called: a server's locks queue fairly
        self._generation: int | None = -1
        self._next_generation: int | None = None
        self._newest_taint: int | None = None
        """Number of the newest row of stored fingerprints, None where it has to be read."""
        self._lock = ""
        self._is_lazy = self._is_alone = False
        self._has_claimed = False
        self._pending = PendingWrites()
        self.row_lock = ""
        self.holds_rows = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        is_idle = self._connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        return self.is_open and (self._is_lazy or not is_idle)

    def cursor(self) -> PostgresCursor:
        """A new cursor of this connection."""
        return PostgresCursor(self.run, self._connection.cursor(binary=True))

    def execute(self, statement: str, values: Sequence[Any] = ()) -> PostgresCursor:
        """Run one statement."""
        return self.cursor().execute(statement, values)

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Keep a statement back that must insert or update exactly one row; see `PendingWrites`."""
        self._require_no_failure()
        self._pending.add(statement, values)

    def flush(self) -> None:
        """Run what `write` has kept back."""
        if self._pending:
            self._begin_if_lazy()
            self._require_no_failure()
            try:
                self._note_taint()
                with self._connection.pipeline():
                    self._pending.send(self._connection)
            except psycopg.Error as exc:
                raise self.fail(find_cause(exc)) from exc

    def _note_taint(self) -> None:
        if "residue" in self._pending.tables:
            self._newest_taint = None

    def _require_no_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def run(self, cursor: psycopg.Cursor[Any], statement: str, values: Sequence[Any]) -> None:
        """Run a statement, after those that were kept back and that it could see.

        Raises:
            See `PostgresCursor.execute`.
        """
        if self._pending.concern(statement):
            self.flush()
        self._require_no_failure()
        try:
            if self._is_lazy:
                self._begin_with(cursor, statement, values)
            else:
                cursor.execute(translate(statement).encode(), values)
        except psycopg.Error as exc:
            raise self.fail(find_cause(exc)) from exc

    def _begin_with(self, cursor: psycopg.Cursor[Any], statement: str, values: Sequence[Any]) -> None:
        """Like `_begin_if_lazy`, in the round trip of a first statement."""
        self._is_lazy = False
        with self._connection.pipeline():
            self._connection.execute("BEGIN")
            self._connection.execute(self._lock.encode(), prepare=False)
            state = self._connection.execute(_STATE, (self.tenant, self.tenant))
            cursor.execute(translate(statement).encode(), values)
        self._require_current(*(state.fetchone() or (None, 0)))

    def begin(
        self,
        deadline_s: float,
        *,
        alone: bool = False,
        locking: bool = False,
        lazy: bool = False,
        sessions: Collection[str] = (),
    ) -> None:
        """Open a transaction, in one round trip, or with `lazy` in none.

        Raises:
            Conflict: the connection has ended.
            CannotDecide: `ledger_busy` past the deadline, else `ledger_unwritable`.
        """
        self._failure = None
        self._pending.clear()
        self._has_claimed, self._is_alone, self._next_generation = False, alone, None
        # Taken before rows are locked or written, so that who changes the same sessions queues and no two deadlock.
        keys = [self._key("session", name) for name in sessions] if len(sessions) <= _MAX_LOCKED else []
        self._lock = make_lock(keys if locking else (), self._key("control"), alone=alone)
        self._pending.lock = "" if locking else make_lock(keys)
        self.row_lock, self.holds_rows = (" FOR UPDATE", True) if locking else ("", False)
        try:
            self.set_deadline(deadline_s)
            if lazy and not (alone or locking or self._generation == -1 or self._newest_taint is None):
                self._is_lazy = True
                self.on_begin(self._newest_taint)
                return
            generation, newest_taint = self._take_lock()
            if generation != self._generation:
                self._check_schema_unchanged()
                self.on_foreign_write()
                self._generation = generation
            self._newest_taint = newest_taint
            self.on_begin(newest_taint)
        except psycopg.Error as exc:
            failure = self.fail(exc)
            self.rollback()
            raise failure from exc

    def _take_lock(self) -> tuple[int | None, int]:
        """Send BEGIN and take the tenant's lock; its generation, and the number of its newest taint row."""
        tenant = Literal(self.tenant).as_string(self._connection)
        text = f"BEGIN; {self._lock}; {_STATE.decode()}" % (tenant, tenant)
        cursor = self._connection.execute(text.encode())
        while cursor.nextset():
            pass
        return cursor.fetchone() or (None, 0)

    def _begin_if_lazy(self) -> None:
        """Send BEGIN now, since there is something to read.

        INVARIANT: REV - what the jobs took from memory is what the lock's holder finds, or they run again.

        Raises:
            Conflict: memory is not current.
        """
        if not self._is_lazy:
            return
        self._is_lazy = False
        try:
            state = self._take_lock()
        except psycopg.Error as exc:
            raise self.fail(exc) from exc
        self._require_current(*state)

    def _require_current(self, generation: int | None, newest_taint: int) -> None:
        if (generation, newest_taint) != (self._generation, self._newest_taint):
            self._failure = Conflict("another process has changed what memory held")
            raise self._failure

    def _check_schema_unchanged(self) -> None:
        # INVARIANT: AUDIT - no trigger but Halo's own can act on what a transaction writes.
        foreign = self._list_foreign_objects()
        if foreign:
            self.rollback()
            raise CannotDecide(
                "ledger_unwritable",
                f"a trigger, rule or policy was added to the database: {foreign}",
                remedy="run `halo verify`, find out who created it, and drop it",
            )

    def claim_control(self) -> None:
        """Raise the tenant's generation, alone.

        INVARIANT: REV - no decision that does not see this change is committed after it.

        Raises:
            Conflict: others are deciding at this moment, so the transaction must begin `alone`.
        """
        if self._has_claimed:
            return
        self._begin_if_lazy()
        cursor = self.cursor()
        if not self._is_alone:
            # Trying, since two that wait for each other would need the server to notice it.
            granted = cursor.execute("SELECT pg_try_advisory_xact_lock(?)", (self._key("control"),)).fetchone()[0]
            if not granted:
                raise Conflict("others are deciding at this moment", wants_control=True)
        self._next_generation = cursor.execute(RAISE_GENERATION, (self.tenant,)).fetchone()[0]
        self._has_claimed = True

    def claim_tenants(self, tenants: Sequence[str]) -> None:
        """Take the locks of other tenants, and raise their generations."""
        for tenant in tenants:
            self.execute("SELECT pg_advisory_xact_lock(?)", (self._key("control", tenant=tenant),))
            self.execute(RAISE_GENERATION, (tenant,))

    def savepoint(self) -> None:
        """Set the savepoint `job`."""
        self.execute("SAVEPOINT job")

    def rollback_to_savepoint(self) -> None:
        """Undo what was done since the savepoint, and remove it; a lock that was taken since is gone too."""
        if self.is_open:
            self._failure = None
        self._pending.clear()
        self._has_claimed, self._next_generation = False, None
        self.execute("ROLLBACK TO SAVEPOINT job")
        self.execute("RELEASE SAVEPOINT job")

    def release_savepoint(self) -> None:
        """Keep what was done since the savepoint, and remove it."""
        self._require_no_failure()
        self.execute("RELEASE SAVEPOINT job")

    def commit(self) -> None:
        """Commit; what was written is durable on return.

        Raises:
            CommitInDoubt: the connection ended meanwhile.
            CannotDecide: a statement failed before, and nothing was committed.
        """
        if self._is_lazy and not self._pending:
            self._begin_if_lazy()  # what was taken from memory alone counts if it is current
        self._require_no_failure()
        if self._is_lazy and has_ended(self._connection):
            self._close_connection()
            self._failure = ConnectionLost("the connection to the database ended")
            raise self._failure
        self._note_taint()
        try:
            status = self._send_all()
        except psycopg.Error as exc:
            self._is_lazy = False
            cause = find_cause(exc)
            if self.is_open and cause.sqlstate is not None and cause.sqlstate not in LOST_STATES:
                raise self.fail(cause) from exc
            self._close_connection()
            raise CommitInDoubt(
                "ledger_unreachable", "the connection ended during COMMIT", remedy="check the database server"
            ) from exc
        # INVARIANT: CRASH - the server answers COMMIT with ROLLBACK, and no error, where a statement had failed.
        if status != "COMMIT":
            raise Conflict("the server rolled the transaction back")
        if self._next_generation is not None:
            self._generation = self._next_generation

    def _send_all(self) -> str | None:
        """Send in one round trip what was kept back, and the end of the transaction; what the server answers to that.

        Of a lazy transaction this is all: its lock, and everything it writes if memory is current under the lock. The
        server takes what comes in one pipeline without BEGIN as one transaction, and commits it before it answers.
        """
        if not self._is_lazy and not self._pending:
            return self._connection.execute("COMMIT").statusmessage
        check = (self.tenant, self._generation, self.tenant, self._newest_taint) if self._is_lazy else None
        with self._connection.pipeline():
            self._pending.send(self._connection, check, lock=self._lock if self._is_lazy else "")
            answer = None if self._is_lazy else self._connection.execute("COMMIT")
        if answer is not None:
            return answer.statusmessage
        self._is_lazy = False
        return None if self.in_transaction or not self.is_open else "COMMIT"

    def rollback(self) -> None:
        """Roll back the open transaction, if there is one; a connection on which that fails is closed."""
        was_open, self._is_lazy = self.in_transaction and not self._is_lazy, False
        self._pending.clear()
        self._has_claimed, self._next_generation = False, None
        if was_open or (self._failure is not None and self.is_open):
            try:
                # Also after a pipeline that failed, so that the driver forgets what it may not have prepared.
                self._connection.execute("ROLLBACK")
            except psycopg.Error:  # what it has written must not become part of the next transaction
                self._close_connection()

    def find_committed(self, writer: str, start: int, end: int, deadline_s: float) -> bool:
        """Whether a transaction with entries was committed, after `CommitInDoubt`; see `Engine`."""
        try:
            self._reconnect(writer, deadline_s)
        except psycopg.Error as exc:
            raise self.fail(exc) from exc
        is_committed = start < end <= self._find_end(writer, start)
        # INVARIANT: AUDIT - of a writer that was taken for dead meanwhile nothing more gets a position.
        if self._is_closed(writer):
            self._close_connection()  # so the store begins a new writer before it writes again
        return is_committed

    def _is_closed(self, writer: str) -> bool:
        """Whether another process has closed a writer; one that was never opened counts as closed."""
        row = self.execute("SELECT closed_us FROM writer WHERE tenant=? AND w=?", (self.tenant, writer)).fetchone()
        return row is None or row[0] is not None

    def _find_end(self, writer: str, seq: int) -> int:
        try:
            return find_writer_end(self, self.tenant, writer, seq)
        except EntriesLost:
            self._close_connection()  # the next attempt may reach another server
            raise

    def _reconnect(self, writer: str, deadline_s: float) -> None:
        self._close_connection()
        self._pending.clear()
        self._connection = self._connect()
        self._failure, self._is_lazy, self._generation, self._newest_taint = None, False, -1, None
        self.set_deadline(deadline_s)
        # The server gives this away only when the old session has ended, and with it whatever it was committing.
        self._connection.execute("SELECT pg_advisory_lock(%s)", (self._key("writer", writer),))

    def resume_writer(self, writer: str, seq: int, deadline_s: float) -> bool:
        """Connect anew and go on with a writer; see `Engine`."""
        try:
            self._reconnect(writer, deadline_s)
        except psycopg.Error as exc:
            raise self.fail(exc) from exc
        return self._find_end(writer, seq) == seq and not self._is_closed(writer)

    def hold_writer(self, home: Path, writer: str) -> None:  # noqa: ARG002  see `Engine`
        """Hold the writer's advisory lock until the connection ends."""
        self.execute("SELECT pg_advisory_lock(?)", (self._key("writer", writer),))

    @contextmanager
    def writer_alive(self, home: Path, writer: str) -> Iterator[bool]:  # noqa: ARG002  see `Engine`
        """Whether a connection holds the writer's lock; while it is free, this transaction holds it to its end."""
        key = self._key("writer", writer)
        yield not self.execute("SELECT pg_try_advisory_xact_lock(?)", (key,)).fetchone()[0]

    def is_pending(self, tenant: str, ts_us: int) -> bool:
        """Whether an entry without a position may still get one.

        It may while it is younger than the lag, or the tenant has a writer that is not closed: alive, it runs the
        sequencer; dead, whoever opens the store next recovers it and does.
        """
        row = self._connection.execute(
            "SELECT (extract(epoch FROM clock_timestamp())*1000000)::bigint - %s < %s"
            " OR EXISTS (SELECT 1 FROM writer WHERE tenant=%s AND closed_us IS NULL)",
            (ts_us, LAG_US, tenant),
        ).fetchone()
        return bool(row and row[0])
