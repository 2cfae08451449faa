"""A new SQLite file that a store is copied into; see `copying`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import Any

from halo_core.errors import CannotDecide, ConfigError
from halo_core.files import hold_file_lock
from halo_core.store.copying import CHUNK_ROWS, TableCopy
from halo_core.store.database import Database, find_sqlite_path, make_store_error
from halo_core.store.engine import SCHEMA_VERSION, UNFINISHED_COPY, check_schema_version


class _UnfinishedDatabase(Database):
    """A database that only the copy that fills it opens."""

    schema_version = UNFINISHED_COPY


class SqliteCopyTarget:
    """A `CopyTarget`; see there.

    While it is open it holds a lock on `<file>.copy.lock`, so two copies never fill one file.
    """

    def __init__(self, url: str, *, restart: bool = False) -> None:
        path = find_sqlite_path(url)
        if path is None:
            problem, remedy = "a database in memory cannot be a target", "use sqlite:///path/to/halo.db"
            raise ConfigError("bad_db_url", problem, field="target", remedy=remedy)
        self._url = url
        self._path = path
        self._resources = ExitStack()
        lock = path.with_name(f"{path.name}.copy.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._resources.enter_context(hold_file_lock(lock, wait=False))
        except BlockingIOError as exc:
            raise ConfigError(
                "copy_running", f"another copy fills `{path}`", field="target", remedy="wait until it ends"
            ) from exc
        except OSError as exc:
            raise CannotDecide(
                "ledger_unwritable", f"cannot write beside `{path}`: {exc.strerror}", remedy="check permissions"
            ) from exc
        self._resources.callback(lock.unlink, missing_ok=True)  # before the lock is released
        try:
            self._require_empty(restart=restart)
            self._database = _UnfinishedDatabase(url)
        except BaseException:
            self._resources.close()
            raise
        self._resources.callback(self._database.close)

    def _require_empty(self, *, restart: bool) -> None:
        """Refuse a file that holds anything but an unfinished copy, which is removed if `restart`."""
        if not self._path.exists():
            return
        version: int | None = None
        try:
            uri = f"{self._path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                    return
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error:
            pass  # no database, or a damaged one
        if version != UNFINISHED_COPY:
            raise ConfigError(
                "store_not_empty",
                f"`{self._path}` is not empty",
                field="target",
                remedy="name a file that does not exist",
            )
        if not restart:
            check_schema_version(version)
        self._remove_files()

    def insert(self, table: TableCopy, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, a transaction for each thousand."""
        if "sqlite" not in table.has:
            for _ in rows:  # their digest is still wanted
                pass
            return
        places = ",".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})"  # noqa: S608  constants
        remaining = iter(rows)
        try:
            while chunk := list(islice(remaining, CHUNK_ROWS)):
                self._database.begin(5.0)
                self._database.connection.executemany(statement, chunk)
                self._database.commit()
        except sqlite3.Error as exc:
            raise make_store_error(exc) from exc

    def open_for_reading(self) -> Database:
        """Open another connection, which reads what has been copied so far."""
        return _UnfinishedDatabase(self._url, read_only=True)

    def finish(self) -> None:
        """Give the file the schema version of a store."""
        try:
            self._database.connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except sqlite3.Error as exc:
            raise make_store_error(exc) from exc

    def remove(self) -> None:
        """Remove the file, unless it is finished."""
        # INVARIANT: no store is ever removed, wherever an interrupt comes.
        self._database.rollback()
        if self._database.read_version() == UNFINISHED_COPY:
            self._database.close()
            self._remove_files()

    def _remove_files(self) -> None:
        # The file last, since without it nobody would know what the others are.
        for name in (*(f"{self._path.name}-{end}" for end in ("shm", "wal", "queue")), self._path.name):
            self._path.with_name(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection and release the lock."""
        self._resources.close()
