"""A PostgreSQL database that was opened: its connection and its tables, checked, and what needs no transaction.

Transactions are `halo_core.store.postgres`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from halo_core.errors import ConfigError, HaloError, Tampered
from halo_core.ledger import PROVISIONAL, Stream
from halo_core.store import postgres_schema
from halo_core.store.engine import ADDED, SCHEMA_VERSION, check_schema_version
from halo_core.store.postgres_connection import connect
from halo_core.store.postgres_statements import (
    PURGED_TABLES,
    UNPURGED,
    describe_server,
    first_line,
    make_libpq_url,
    make_store_error,
    translate,
)

_CHUNK_ROWS: Final = 1000
_ABANDONED: Final[list[object]] = []


class OpenedDatabase:
    """An open connection to a schema that was checked; `PostgresDatabase` adds the transactions of an `Engine`."""

    schema_version = SCHEMA_VERSION
    path: Path | None = None
    positions_query: Final = (
        "SELECT p.tenant, p.idx, p.w, p.ws, e.body, e.signatures FROM position p LEFT JOIN entry e"
        " ON e.tenant=p.tenant AND e.w=p.w AND e.ws=p.ws ORDER BY p.tenant, p.idx"
    )

    def __init__(self, url: str, *, tenant: str = "", read_only: bool = False) -> None:
        """Connect, and create the tables where there are none (unless `read_only`).

        Raises:
            ConfigError: not a usable URL, another schema, or (`read_only`) no server.
            CannotDecide: the server cannot be reached, or the role has no rights.
        """
        self.url = url
        self.tenant = tenant
        self.read_only = read_only
        self._failure: HaloError | None = None
        self._deadline_ms = 0
        self._names = count()
        self._schema = ""
        try:
            conninfo_to_dict(make_libpq_url(url))
        except psycopg.Error as exc:
            raise ConfigError(
                # Not quoted, since there may be a password in it.
                "bad_db_url",
                "it is not a database URL",
                field="db",
                remedy="for example postgresql://host/name",
            ) from exc
        self._connection = self._connect()
        try:
            self._open()
        except psycopg.Error as exc:
            failure = self.fail(exc)
            self.close()
            raise failure from exc
        except BaseException:
            self.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        connection = connect(self.url)
        self._deadline_ms = 0
        self._schema = self._read_one(connection, "SELECT current_schema()")
        return connection

    @staticmethod
    def _read_one(connection: psycopg.Connection[Any], statement: str, values: Sequence[Any] = ()) -> Any:
        row = connection.execute(statement.encode(), values).fetchone()
        return None if row is None else row[0]

    def _open(self) -> None:
        if self.read_only:
            self._connection.execute("SET default_transaction_read_only=on")
            if self.has_tables():
                self._check_version()
            return
        is_whole = self.has_tables() and all(map(self.has_table, ADDED))
        if not is_whole or not postgres_schema.has_added_indexes(self._connection):
            postgres_schema.create_missing(self._connection, self._key("create"), self.schema_version)
        self._check_version()
        foreign = self._list_foreign_objects()
        if foreign:
            raise ConfigError(
                "foreign_trigger",
                f"the database has a trigger, rule or policy that Halo did not create: {foreign}",
                field="db",
                remedy="run `halo verify`, find out who created it, and drop it",
            )

    def _check_version(self) -> None:
        version = self._read_one(self._connection, "SELECT max(version) FROM halo_schema")
        check_schema_version(version, self.schema_version)

    def _list_foreign_objects(self) -> str:
        return ", ".join(f"`{name}`" for kind, name in self.find_schema_differences() if kind != "missing")

    def _key(self, kind: str, name: str = "", *, tenant: str | None = None) -> int:
        """The advisory lock of something of the tenant in this schema."""
        text = f"halo\0{self._schema}\0{kind}\0{self.tenant if tenant is None else tenant}\0{name}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)

    def fail(self, error: psycopg.Error) -> HaloError:
        """The error that callers get for one of the driver's; the transaction cannot be committed any more."""
        self._failure = self._failure or make_store_error(error, is_lost=not self.is_open)
        return self._failure

    @property
    def is_open(self) -> bool:
        """Whether the connection can still be used."""
        return not (self._connection.closed or self._connection.broken)

    def query(self, statement: str, values: Sequence[Any] = (), *, stream: bool = False) -> Iterator[Any]:
        """Read rows; with `stream`, in portions through a cursor of the server."""
        text = translate(statement).encode()
        if not stream:
            yield from self._connection.cursor(binary=True).execute(text, values)
            return
        with self._connection.cursor(f"halo_{next(self._names)}", binary=True) as cursor:
            cursor.itersize = _CHUNK_ROWS
            yield from cursor.execute(text, values)

    def stream_query(self, stream: Stream) -> str:
        """The statement of a stream; an entry without a position gets a provisional one, in the sequencer's order."""
        if stream not in (Stream.CONTROL_ENTRIES, Stream.ENTRIES, Stream.KNOWN_ENTRIES):
            return stream.query
        return stream.query.replace(" idx,", f" coalesce(idx, {PROVISIONAL}+tick),")

    def set_deadline(self, deadline_s: float) -> None:
        """Let no statement, and no wait for a lock, take longer than `deadline_s` seconds."""
        deadline_ms = max(1, int(deadline_s * 1000))
        if deadline_ms != self._deadline_ms:
            self._connection.execute(f"SET statement_timeout={deadline_ms}; SET lock_timeout={deadline_ms}".encode())
            self._deadline_ms = deadline_ms

    def begin_reading(self) -> None:
        """Open a read-only transaction that sees one state of the database until it ends."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._connection.execute("SET LOCAL idle_in_transaction_session_timeout=0")

    def peek_mode(self, tenant: str) -> str | None:
        """The mode in the database, read on a connection of its own; None if it cannot be read."""
        try:
            connection = self._connect()
        except HaloError:
            return None
        with suppress(psycopg.Error), connection:
            connection.execute("SET statement_timeout=1000")
            mode = self._read_one(connection, "SELECT mode FROM control WHERE tenant=%s", (tenant,))
            return None if mode is None else str(mode)
        return None

    def describe_location(self, home: Path) -> str:  # noqa: ARG002  see `Engine`
        """The server and the name of the database."""
        return describe_server(self.url)

    def has_tables(self) -> bool:
        """Whether there is a Halo store."""
        return postgres_schema.has_tables(self._connection)

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""
        return postgres_schema.has_tables(self._connection, name)

    def find_schema_differences(self) -> list[tuple[str, str]]:
        """Triggers, rules and row policies that differ from Halo's own."""
        return postgres_schema.find_differences(self._connection)

    def as_unreadable(self, error: Exception) -> HaloError | None:
        """The error that a reader gets for one of the driver's."""
        if not isinstance(error, psycopg.Error):
            return None
        if not self.is_open:
            return make_store_error(error, is_lost=True)
        return Tampered("unreadable", f"the database cannot be read: {first_line(error)}", remedy="restore a copy")

    def wal_checkpoint(self) -> None:
        """Nothing to do: the server does it."""

    def purge_deleted(self, deadline_s: float) -> str:
        """Write the tables anew that had keys; the server's write-ahead log is not in reach."""
        try:
            self.set_deadline(deadline_s)
            for table in PURGED_TABLES:
                self._connection.execute(f"VACUUM (FULL) {table}".encode())
        except psycopg.Error as exc:
            return f"run `VACUUM FULL {', '.join(PURGED_TABLES)}`, which failed here ({first_line(exc)}); {UNPURGED}"
        return UNPURGED

    def abandon(self) -> None:
        """Close this process's copy of the socket after a fork, so that the parent's end is seen by the server."""
        with suppress(psycopg.Error, OSError):
            os.close(self._connection.fileno())
        _ABANDONED.append(self._connection)  # its destructor must not run: the socket's number may be another's

    def close(self) -> None:
        """Close the connection."""
        self._close_connection()

    def _close_connection(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()
