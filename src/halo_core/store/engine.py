"""What the store needs of a database: an `Engine`. There are two, `Database` (SQLite) and `PostgresDatabase`.

Statements are written once, in the SQL that both understand, with `?` for values. What only one of them needs is in its
engine. `open_database` chooses by URL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from halo_core.errors import CannotDecide, ConfigError, HaloError

if TYPE_CHECKING:
    from halo_core.ledger import Stream

SCHEMA_VERSION: Final = 7
ADDED: Final = ("identity", "identity_source", "profile", "unfolded")
"""Tables that a store of this schema version may lack, since they came later: opening it for writing adds them."""
ADDED_INDEXES: Final = (
    "entry_answer",
    "entry_answer_use",
    "entry_identity",
    "entry_opening",
    "entry_passport_of",
    "entry_profile_of",
)
"""Likewise, indexes of entries."""
UNFINISHED_COPY: Final = -SCHEMA_VERSION
"""The schema version of a copy that is not finished (`store.copying`), so that nobody takes it for a store."""
_POSTGRES: Final = ("postgresql", "postgres", "postgresql+psycopg")


class Conflict(CannotDecide):
    """Another process was faster. Nothing was written, and the jobs may run again on its result.

    Args:
        message: what happened.
        wants_control: the jobs change control rows, so they must begin alone (`Engine.begin`).
    """

    def __init__(self, message: str, *, wants_control: bool = False) -> None:
        super().__init__("ledger_busy", message, remedy="try again, or let fewer processes share a session")
        self.wants_control = wants_control


class ConnectionLost(Conflict):
    """The connection ended before COMMIT was sent, so nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code, self.remedy = "ledger_unreachable", "check the database server"


class EntriesLost(CannotDecide):
    """The database lacks entries that this process wrote, such as a standby that was behind when it took over.

    Args:
        lost: number of missing entries.
    """

    def __init__(self, lost: int) -> None:
        super().__init__(
            "ledger_behind_anchor",
            f"the database lacks {lost} of the entries that this process wrote into it",
            remedy="restore the newest copy, or see docs/operations.md",
        )


class CommitInDoubt(CannotDecide):
    """The connection ended during COMMIT: `Engine.find_committed` has to look up what became of it."""


class Cursor(Protocol):
    """Runs statements and holds the rows of the last one, as `sqlite3.Cursor` does."""

    @property
    def rowcount(self) -> int:
        """Rows that the statement changed."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Self:
        """Run a statement."""
        ...

    def fetchone(self) -> Any:
        """The next row, None at the end."""
        ...

    def fetchall(self) -> list[Any]:
        """The remaining rows."""
        ...

    def close(self) -> None:
        """Drop the remaining rows; the cursor runs no statement afterwards."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Engine(Protocol):
    """One open database. Not thread-safe: the store guards it with a lock."""

    url: str
    path: Path | None
    """The file of a SQLite database; None in memory and on a server."""
    on_foreign_write: Callable[[], object]
    """Called inside a transaction that sees what another connection has written since the last one."""
    on_begin: Callable[[int], object]
    """Called inside each transaction of an engine with several writers, with the number of the newest taint row."""
    on_wait: Callable[[], object]
    """Called where another process has kept the write lock of a file for 2 seconds and the deadline is later."""

    @property
    def has_many_writers(self) -> bool:
        """Whether transactions of several writers run at the same time.

        Then positions are given by a sequencer, and a row with a version is written only if it has the one read.
        """
        ...

    @property
    def is_open(self) -> bool:
        """Whether the connection can still be used."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def cursor(self) -> Cursor:
        """A cursor; what it raises is of the driver (SQLite), or CannotDecide."""
        ...

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Cursor:
        """Run one statement."""
        ...

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Run a statement that must insert or update exactly one row, at the latest with the next other statement.

        Raises:
            Conflict: an earlier such statement did not find the row that was read.
            CannotDecide: the database did not keep a row, now or before.
        """
        ...

    def flush(self) -> None:
        """Run what `write` has kept back.

        Raises:
            See `write`.
        """
        ...

    def query(self, statement: str, values: Sequence[Any] = (), *, stream: bool = False) -> Iterator[Any]:
        """Read rows; with `stream`, many of them, without holding all in memory."""
        ...

    def stream_query(self, stream: Stream) -> str:
        """The statement of a stream."""
        ...

    @property
    def positions_query(self) -> str:
        """(tenant, idx, w, ws, body, signatures) in the order of each log; body is None if the entry is missing."""
        ...

    @property
    def row_lock(self) -> str:
        """The end of a query that reads a versioned row."""
        ...

    @property
    def holds_rows(self) -> bool:
        """Whether a versioned row stays unchanged from being read until the transaction ends."""
        ...

    def begin(
        self,
        deadline_s: float,
        *,
        alone: bool = False,
        locking: bool = False,
        lazy: bool = False,
        sessions: Collection[str] = (),
    ) -> None:
        """Open a transaction.

        Args:
            deadline_s: how long to wait at most, seconds.
            alone: while no other decides.
            locking: rows with versions are locked when they are read, after a race for them was lost.
            lazy: an engine with several writers may open it with the first read, or as it is committed. Where memory is
                not current then, that is a Conflict, and the jobs may run again in one that is not lazy.
            sessions: those that will be changed, as far as they are known: who changes the same one waits its turn.

        Raises:
            CannotDecide: `ledger_busy` past the deadline, `ledger_unwritable` on any other error.
        """
        ...

    def begin_reading(self) -> None:
        """Open a read-only transaction that sees one state of the database until it ends."""
        ...

    def claim_control(self) -> None:
        """Note that this transaction changes cached state: other processes reread it at their next decision.

        Raises:
            Conflict: others are deciding at this moment, so the transaction must begin `alone`.
        """
        ...

    def claim_tenants(self, tenants: Sequence[str]) -> None:
        """Like `claim_control`, for other tenants, whose processes wait until the transaction ends."""
        ...

    def savepoint(self) -> None:
        """Set the savepoint `job`."""
        ...

    def rollback_to_savepoint(self) -> None:
        """Undo everything since the savepoint, and remove it."""
        ...

    def release_savepoint(self) -> None:
        """Keep everything since the savepoint, and remove it."""
        ...

    def commit(self) -> None:
        """Commit; what was written is durable on return.

        Raises:
            CommitInDoubt: the connection ended meanwhile.
            CannotDecide: a statement that `write` kept back failed; nothing was committed.
        """
        ...

    def rollback(self) -> None:
        """Roll back the open transaction, if there is one; never raises because the connection ended."""
        ...

    def find_committed(self, writer: str, start: int, end: int, deadline_s: float) -> bool:
        """Whether a transaction was committed, after `CommitInDoubt`; on a new connection.

        The engine is open afterwards only if the writer may go on (`resume_writer`).

        Args:
            writer: whose entries it appended.
            start: sequence of the first of them.
            end: sequence after the last of them; equal to `start` where it appended none, which is never committed.
            deadline_s: how long to look, seconds.

        Raises:
            CannotDecide: it cannot be found out, or the writer's earlier entries are not there.
        """
        ...

    def resume_writer(self, writer: str, seq: int, deadline_s: float) -> bool:
        """Reconnect, and continue with a writer whose next entry has the sequence `seq`.

        Returns:
            False if another process has closed the writer meanwhile, or a later entry of it is there than is known.

        Raises:
            CannotDecide: the server cannot be reached, or the writer's earlier entries are not there.
        """
        ...

    def hold_writer(self, home: Path, writer: str) -> None:
        """Show other processes that the writer is alive, until the connection or this process ends."""
        ...

    def writer_alive(self, home: Path, writer: str) -> AbstractContextManager[bool]:
        """Whether another writer is alive; while it is not, no other process can recover it."""
        ...

    def peek_mode(self, tenant: str) -> str | None:
        """The mode in the database, read without waiting for a lock; None if it cannot be read."""
        ...

    def describe_location(self, home: Path) -> str:
        """The database's location, by which anchors identify it."""
        ...

    def has_tables(self) -> bool:
        """Whether there is a Halo store."""
        ...

    def has_table(self, name: str) -> bool:
        """Whether there is a table with this name."""
        ...

    def find_schema_differences(self) -> list[tuple[str, str]]:
        """Triggers, views and rules that differ from Halo's own: (kind, name) of each foreign one.

        (`missing`, name) is one of Halo's triggers that is not there.
        """
        ...

    def as_unreadable(self, error: Exception) -> HaloError | None:
        """The reader's error for an error of the driver; None for any other error."""
        ...

    def is_pending(self, tenant: str, ts_us: int) -> bool:
        """Whether an entry of this time without a position may still get one."""
        ...

    def wal_checkpoint(self) -> None:
        """Empty the write-ahead log of SQLite without waiting for a lock."""
        ...

    def purge_deleted(self, deadline_s: float) -> str:
        """Remove overwritten and deleted data from the database's files, outside a transaction.

        Args:
            deadline_s: how long to wait for others, seconds.

        Returns:
            What is left in them and why, empty for nothing that is known.
        """
        ...

    def abandon(self) -> None:
        """Release the parent's connection after a fork without ending it."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def find_writer_end(database: Engine, tenant: str, writer: str, seq: int) -> int:
    """The sequence after a writer's last entry, in a database that should have its entries before `seq`.

    INVARIANT: AUDIT - no process goes on over a database that does not have what it was told is durable.

    Raises:
        EntriesLost: it lacks some of them.
    """
    row = database.execute("SELECT max(ws)+1 FROM entry WHERE tenant=? AND w=?", (tenant, writer)).fetchone()
    end = int(row[0] or 0)
    if end < seq:
        raise EntriesLost(seq - end)
    return end


def check_schema_version(version: int | None, expected: int = SCHEMA_VERSION) -> None:
    """Refuse a database with another schema version, or with an incomplete copy.

    Args:
        version: that the database has; None if it has none.
        expected: the version that is accepted.

    Raises:
        ConfigError: `copy_unfinished` or `schema_version`.
    """
    if version == expected:
        return
    if version == UNFINISHED_COPY:
        raise ConfigError(
            "copy_unfinished",
            "the database holds a copy of a store that was not finished",
            field="db",
            remedy="run `halo store copy` with the same source and target and `--restart`",
        )
    raise ConfigError(
        "schema_version",
        f"the database has schema version {version}, but this version of Halo needs {expected}",
        field="db",
        remedy="use the Halo version that wrote it",
    )


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL server."""
    return url.partition(":")[0] in _POSTGRES
