"""An empty PostgreSQL database that a store is copied into, through COPY; see `copying`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg

from halo_core.errors import ConfigError, Tampered
from halo_core.store import postgres_schema
from halo_core.store.copying import TableCopy
from halo_core.store.engine import SCHEMA_VERSION, UNFINISHED_COPY, check_schema_version
from halo_core.store.postgres import PostgresDatabase

_TYPES: Final = {"text": "text", "bigint": "int8", "bytea": "bytea"}


class _UnfinishedDatabase(PostgresDatabase):
    """A database that only the copy that fills it opens."""

    schema_version = UNFINISHED_COPY

    def __init__(self, url: str, *, read_only: bool = False, restart: bool = False) -> None:
        self._restart = restart
        super().__init__(url, read_only=read_only)

    def _open(self) -> None:
        if not self.read_only:
            self._connection.execute("SET statement_timeout=0; SET lock_timeout=0")
            self._require_empty()
        super()._open()

    def _require_empty(self) -> None:
        """Refuse a schema with tables of Halo's names, unless they are an unfinished copy, removed if `restart`."""
        if not self._read_one(self._connection, "SELECT pg_try_advisory_lock(%s)", (self._key("copy"),)):
            raise ConfigError(
                "copy_running", "another copy fills this database", field="target", remedy="wait until it ends"
            )
        tables = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace=current_schema()::regnamespace AND relname = ANY(%s)",
            (postgres_schema.list_tables(),),
        ).fetchall()
        if not tables:
            return
        version = None
        if ("halo_schema",) in tables:
            version = self._read_one(self._connection, "SELECT max(version) FROM halo_schema")
        if version != UNFINISHED_COPY:
            raise ConfigError(
                "store_not_empty",
                f"the database is not empty: it has a table `{tables[0][0]}`",
                field="target",
                remedy="name an empty database, or another schema in the URL (`?options=-csearch_path%3Dname`)",
            )
        if not self._restart:
            check_schema_version(version)
        self.drop_tables()

    def drop_tables(self) -> None:
        """Remove an unfinished copy."""
        with self._connection.transaction():
            # INVARIANT: no store is ever removed: the version is read under the lock that `finish` needs.
            self._connection.execute("LOCK TABLE halo_schema IN ACCESS EXCLUSIVE MODE")
            version = self._read_one(self._connection, "SELECT max(version) FROM halo_schema")
            if version == UNFINISHED_COPY:
                names = ", ".join(f'"{name}"' for name in postgres_schema.list_tables())
                self._connection.execute(f"DROP TABLE {names}".encode())
                self._connection.execute(f"DROP FUNCTION {postgres_schema.FUNCTION_NAME}()".encode())

    def copy_in(self, table: TableCopy, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows with COPY, in their order, so that `tick` rises with the position."""
        more = {"usage": (("part", 0),)}.get(table.name, ())
        columns = [name for name in table.columns if (table.name, name) != ("entry", "idx")]
        leave_out = table.columns.index("idx") if len(columns) < len(table.columns) else None
        names = [*columns, *(name for name, _ in more)]
        types = self._list_types(table.name, names)
        values = tuple(value for _, value in more)
        try:
            with self._connection.cursor().copy(
                f"COPY {table.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)".encode()
            ) as copy:
                copy.set_types(types)
                for row in rows:
                    kept = row if leave_out is None else (*row[:leave_out], *row[leave_out + 1 :])
                    copy.write_row((*kept, *values))
        except psycopg.Error as exc:
            raise self.fail(exc) from exc
        except UnicodeError as exc:
            raise Tampered(
                "unreadable", f"`{table.name}` holds text that is no UTF-8", remedy="run `halo verify` on the source"
            ) from exc

    def _list_types(self, table: str, columns: Sequence[str]) -> list[str]:
        rows = self._connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema=current_schema() AND table_name=%s",
            (table,),
        ).fetchall()
        types = dict(rows)
        return [_TYPES[types[name]] for name in columns]

    def publish(self) -> None:
        """Give the database the schema version of a store."""
        try:
            self._connection.execute("ANALYZE")
            self._connection.execute("UPDATE halo_schema SET version=%s", (SCHEMA_VERSION,))
        except psycopg.Error as exc:
            raise self.fail(exc) from exc


class PostgresCopyTarget:
    """A `CopyTarget`; see there. While it is open it holds an advisory lock, so two copies never fill one database."""

    def __init__(self, url: str, *, restart: bool = False) -> None:
        self._url = url
        self._database = _UnfinishedDatabase(url, restart=restart)

    def insert(self, table: TableCopy, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of a table in one transaction."""
        self._database.copy_in(table, rows)

    def open_for_reading(self) -> PostgresDatabase:
        """Open another connection, which reads what has been copied so far."""
        return _UnfinishedDatabase(self._url, read_only=True)

    def finish(self) -> None:
        """Publish the copy: from now on it is opened as a store."""
        self._database.publish()

    def remove(self) -> None:
        """Drop the tables, unless it is finished; a server that is away keeps them, and they stay unfinished."""
        with suppress(psycopg.Error):
            self._database.drop_tables()

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
