"""The engine for SQLite: opening, creating tables, taking the write lock, closing.

SQLAlchemy reads the URL and writes the schema; all else is done with the driver, which saves 45 µs a commit. The
journal is a write-ahead log with `synchronous=FULL`, so a commit that returned survives a power loss. `busy_timeout` is
0, since with SQLite's own waiting some callers starve (for over a second, measured): `begin` retries itself, in turn
with other processes (`write_queue`), up to a deadline.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import CannotDecide, ConfigError, HaloError, Tampered
from halo_core.store.engine import ADDED, ADDED_INDEXES, SCHEMA_VERSION, UNFINISHED_COPY, check_schema_version
from halo_core.store.write_queue import WriteQueue, is_busy
from halo_core.store.writers import writer_alive

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

    from halo_core.ledger import Stream

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CREATE_LOCK: Final = threading.Lock()
_DROP_REMEDY: Final = "run `halo verify`, find out who created it, and drop it"
_RETRY_S: Final = 100e-6
_AUTOCHECKPOINT_PAGES: Final = 4000  # the background checkpoint keeps the WAL small; this is the fallback


class Database:
    """One open SQLite database, an `Engine`; see there. Not thread-safe: the store guards it with a lock."""

    schema_version = SCHEMA_VERSION
    """The version that a new database gets, and that an old one must have."""
    has_many_writers: Final = False
    is_open: Final = True
    row_lock: Final = ""
    holds_rows: Final = True
    positions_query: Final = "SELECT tenant, idx, w, ws, body, signatures FROM entry ORDER BY tenant, idx"

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Open `url`, creating missing tables (unless `read_only`).

        Raises:
            ConfigError: not a usable URL.
            CannotDecide: the file cannot be opened or written.
        """
        self.url = url
        self.path = find_sqlite_path(url)
        self.read_only = read_only
        self.on_foreign_write: Callable[[], object] = lambda: None
        """Called inside a transaction that sees what another connection has written since the last one."""
        self.on_begin: Callable[[int], object] = lambda _newest: None
        self.on_wait: Callable[[], object] = lambda: None
        self._schema: int | None = None
        self._data_version: int | None = None
        self._checkpoint_connection: sqlite3.Connection | None = None
        if not read_only:
            self._make_parent()
            self._make_file()
        elif self.path is not None and not self.path.exists():
            raise ConfigError(
                "no_database",
                f"there is no database at `{self.path}`",
                field="db",
                remedy="run your app once, or check `--db` and `--home`",
            )
        self._queue = WriteQueue(None if read_only else self.path)
        try:
            self._open()
        except sqlite3.Error as exc:
            raise self._make_open_error(exc) from exc

    def _make_open_error(self, error: sqlite3.Error) -> CannotDecide:
        """What `make_store_error` says; of a file that is only read, also which file it is and what helps."""
        store_error = make_store_error(error)
        if not self.read_only or self.path is None or store_error.code != "ledger_unwritable":
            return store_error
        problem = f"cannot open `{self.path}` to read it: {error}"
        remedy = "run this as the user to whom it belongs, or copy the whole home into a folder that you can write"
        return CannotDecide(store_error.code, problem, remedy=remedy)

    def _make_parent(self) -> None:
        if self.path is None or self.path.parent.exists():
            return
        try:
            self.path.parent.mkdir(parents=True, mode=0o700)
        except OSError as exc:
            raise CannotDecide(
                "ledger_unwritable", f"cannot create `{self.path.parent}`: {exc.strerror}", remedy="check permissions"
            ) from exc

    def _make_file(self) -> None:
        # Before SQLite does, which would make it readable for everybody; its WAL and index get the mode of the file.
        # Only a new file is touched, since closing a handle of an open one drops the locks that SQLite holds on it.
        if self.path is None:
            return
        with _CREATE_LOCK:
            try:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except OSError:
                return  # it is there, or SQLite will report why it cannot be

    def _open(self) -> None:
        driver = _connect(self.url)
        if not isinstance(driver, sqlite3.Connection):
            problem, remedy = "the URL names another driver for SQLite", "use sqlite:///path/to/halo.db"
            raise ConfigError("bad_db_url", problem, field="db", remedy=remedy)
        self.connection = driver
        driver.isolation_level = None
        driver.execute("PRAGMA busy_timeout=0")
        if self.read_only:
            self._open_read_only()
            return
        # Another process that opens the same new file at this moment may block any of these.
        self._retry(self._configure, 5.0)
        foreign = self._list_foreign_objects()
        if foreign:
            raise ConfigError(
                "foreign_trigger",
                f"the database has a trigger or view that Halo did not create: {foreign}",
                field="db",
                remedy=_DROP_REMEDY,
            )

    def _configure(self) -> None:
        driver = self.connection
        self.rollback()
        driver.execute("PRAGMA journal_mode=WAL")
        driver.execute("PRAGMA synchronous=FULL")
        driver.execute(f"PRAGMA wal_autocheckpoint={_AUTOCHECKPOINT_PAGES}")
        driver.execute("PRAGMA secure_delete=ON")
        self._create()
        self._schema = self._read_schema_cookie()

    def _read_schema_cookie(self) -> int:
        """SQLite's count of changes to the schema (PRAGMA schema_version); reading it takes 2 µs."""
        return int(self.connection.execute("PRAGMA schema_version").fetchone()[0])

    def _list_foreign_objects(self) -> str:
        return ", ".join(f"`{name}`" for kind, name in find_schema_differences(self.connection) if kind != "missing")

    def _open_read_only(self) -> None:
        try:
            self.connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not self.path:
                raise
            # A copy on a read-only medium or in such a folder: nothing changes it, unless its WAL was left behind.
            if self.path.with_name(self.path.name + "-wal").exists():
                raise
            self.connection.close()
            uri = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            self.connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return  # the first query reports what is wrong with it
        self.connection.execute("PRAGMA query_only=ON")
        with contextlib.suppress(sqlite3.Error):  # what cannot be read is reported by the first query
            if self.read_version() == UNFINISHED_COPY:
                self._check_version()

    def _create(self) -> None:
        driver = self.connection
        if driver.execute("SELECT 1 FROM sqlite_master WHERE name='control'").fetchone() is not None:
            self._check_version()
            if all(map(self.has_table, ADDED)) and all(map(self._has_index, ADDED_INDEXES)):
                return
        self.begin(5.0)
        for statement in _compile_schema():
            driver.execute(statement)
        driver.execute(f"PRAGMA user_version={self.schema_version}")
        driver.execute("COMMIT")

    def _check_version(self) -> None:
        check_schema_version(self.read_version(), self.schema_version)

    def read_version(self) -> int:
        """The schema version of the file; 0 for an empty one."""
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    def begin(
        self,
        deadline_s: float,
        *,
        alone: bool = False,  # noqa: ARG002  a writer of SQLite is always alone
        locking: bool = False,  # noqa: ARG002  likewise
        lazy: bool = False,  # noqa: ARG002  the lock is taken in no time where nobody has it
        sessions: Collection[str] = (),  # noqa: ARG002  likewise
    ) -> None:
        """Take the write lock, waiting at most `deadline_s` seconds.

        Raises:
            CannotDecide: `ledger_busy` past the deadline, `ledger_unwritable` on any other error, also if a foreign
                trigger or view was added since it was opened.
        """
        try:
            if self._queue.is_waited_for() or not self._try_lock():
                self._queue.retry(self._take_lock, deadline_s, self.on_wait)
            # Only under the write lock can nothing change between this and the commit.
            version = self.connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._data_version:
                self._check_schema_unchanged()
                self.on_foreign_write()
                self._data_version = version
        except sqlite3.Error as exc:
            # A transaction that stayed open would refuse every later one.
            with contextlib.suppress(sqlite3.Error):
                self.rollback()
            raise make_store_error(exc) from exc

    def _try_lock(self) -> bool:
        try:
            self.connection.execute("BEGIN IMMEDIATE")  # as `_take_lock`
        except sqlite3.OperationalError:  # `WriteQueue.retry` finds out whether another process has it
            return False
        return True

    def _take_lock(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def _check_schema_unchanged(self) -> None:
        # INVARIANT: AUDIT - no trigger but Halo's own can act on what a transaction writes.
        if self._schema is None:
            return
        cookie = self._read_schema_cookie()
        if cookie == self._schema:
            return
        foreign = self._list_foreign_objects()
        if foreign:
            self.rollback()
            raise CannotDecide(
                "ledger_unwritable",
                f"a trigger or view was added to the database: {foreign}",
                remedy=_DROP_REMEDY,
            )
        self._schema = cookie

    def _retry(self, step: Callable[[], object], deadline_s: float) -> None:
        end = time.monotonic() + deadline_s
        while True:
            try:
                step()
            except sqlite3.OperationalError as exc:
                if not is_busy(exc) or time.monotonic() >= end:
                    raise
            else:
                return
            time.sleep(_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311  jitter is no secret

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.in_transaction

    def cursor(self) -> sqlite3.Cursor:
        """A cursor of the driver."""
        return self.connection.cursor()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, values)

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Run a statement that must insert or update exactly one row."""
        # A foreign trigger can make an insert succeed and do nothing (RAISE(IGNORE)).
        if self.connection.execute(statement, values).rowcount != 1:
            raise CannotDecide("ledger_unwritable", "the database did not store a row", remedy="run `halo verify`")

    def flush(self) -> None:
        """Does nothing: nothing is kept back."""

    def query(self, statement: str, values: Sequence[Any] = (), *, stream: bool = False) -> Iterator[Any]:
        """Read rows, one by one."""
        del stream
        # Not `yield from`, which would close the cursor of a reader that is closed already.
        for row in self.connection.execute(statement, values):  # noqa: UP028
            yield row

    def stream_query(self, stream: Stream) -> str:
        """The statement of a stream."""
        return stream.query

    def begin_reading(self) -> None:
        """Open a read-only transaction; text that is not UTF-8 must not raise, since a verifier must see it."""
        self.connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        self.connection.execute("BEGIN")

    def claim_control(self) -> None:
        """Does nothing: SQLite tells other connections that it was written."""

    def claim_tenants(self, tenants: Sequence[str]) -> None:
        """Does nothing: SQLite has one writer at a time."""

    def savepoint(self) -> None:
        """Set the savepoint `job`."""
        self.connection.execute("SAVEPOINT job")

    def rollback_to_savepoint(self) -> None:
        """Undo everything since the savepoint, and remove it."""
        self.connection.execute("ROLLBACK TO job")
        self.connection.execute("RELEASE job")

    def release_savepoint(self) -> None:
        """Keep everything since the savepoint, and remove it."""
        self.connection.execute("RELEASE job")

    def commit(self) -> None:
        """Commit; what was written is durable on return."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Roll back the open transaction, if there is one."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def find_committed(self, writer: str, start: int, end: int, deadline_s: float) -> bool:
        """Never called: a COMMIT in this process is not in doubt."""
        raise NotImplementedError

    def resume_writer(self, writer: str, seq: int, deadline_s: float) -> bool:
        """Never called: a file does not disconnect."""
        raise NotImplementedError

    def hold_writer(self, home: Path, writer: str) -> None:
        """Does nothing: a writer's own lock file shows that it is alive."""

    def writer_alive(self, home: Path, writer: str) -> AbstractContextManager[bool]:
        """Whether the writer's lock file is locked."""
        return writer_alive(home, writer)

    def peek_mode(self, tenant: str) -> str | None:
        """The mode in the database, read without waiting for a lock; None if it cannot be read."""
        if self.path is None:
            return None
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
                row = connection.execute("SELECT mode FROM control WHERE tenant=?", (tenant,)).fetchone()
        except sqlite3.Error:
            return None
        return None if row is None else str(row[0])

    def describe_location(self, home: Path) -> str:
        """The file, relative to the home if it is inside."""
        return describe_file(self.path, home)

    def has_tables(self) -> bool:
        """Whether there is a Halo store."""
        row = self.connection.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('entry','control')").fetchone()
        return bool(row[0] == 2)

    def has_table(self, name: str) -> bool:
        """Whether there is a table with this name."""
        row = self.connection.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", (name,)).fetchone()
        return row is not None

    def _has_index(self, name: str) -> bool:
        row = self.connection.execute("SELECT 1 FROM sqlite_master WHERE type='index' AND name=?", (name,)).fetchone()
        return row is not None

    def find_schema_differences(self) -> list[tuple[str, str]]:
        """Triggers and views that differ from Halo's own."""
        return find_schema_differences(self.connection)

    def as_unreadable(self, error: Exception) -> HaloError | None:
        """The reader's error for an error of the driver."""
        if isinstance(error, UnicodeDecodeError):  # SQLite's message quotes the damaged bytes
            return make_unreadable_error(sqlite3.DatabaseError("its schema is damaged"))
        return make_unreadable_error(error) if isinstance(error, sqlite3.Error) else None

    def is_pending(self, tenant: str, ts_us: int) -> bool:  # noqa: ARG002  see `Engine`
        """Never: an entry gets its position in its own transaction."""
        return False

    def abandon(self) -> None:
        """Close this process's copy of the queue's file after a fork; the parent keeps its place."""
        self._queue.close()

    def wal_checkpoint(self) -> None:
        """Move WAL pages into the database without waiting for a lock, on a connection without a transaction."""
        if self.path is None or self.read_only:
            return
        if self._checkpoint_connection is None:
            self._checkpoint_connection = sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
        self._checkpoint_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def purge_deleted(self, deadline_s: float) -> str:
        """Move the whole write-ahead log into the database and truncate it; pages are overwritten there anyway.

        Deleted rows are overwritten with zeros where they stood (`secure_delete`).
        """
        if self.path is None or self.read_only:
            return ""
        end = time.monotonic() + deadline_s
        while True:
            busy = 1
            with contextlib.suppress(sqlite3.OperationalError):
                busy = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return ""
            if time.monotonic() >= end:
                return "another process reads the database, so its write-ahead log still has old pages"
            time.sleep(_RETRY_S * random.uniform(5, 15))  # noqa: S311  jitter is no secret

    def close(self) -> None:
        """Close the connections."""
        if self._checkpoint_connection is not None:
            self._checkpoint_connection.close()
        self.connection.close()
        self._queue.close()


def _connect(url: str) -> Any:
    """A connection of the driver for a URL; creating an SQLAlchemy engine would take longer than everything else."""
    options: dict[str, Any] = {"check_same_thread": False, "timeout": 0}
    if (path := _find_plain_path(url)) is not None:
        return sqlite3.connect(Path(path).absolute(), **options)
    from sqlalchemy.engine import make_url  # noqa: PLC0415  importing SQLAlchemy takes 0.2 s

    parsed = make_url(url)
    dialect = _load_dialect(parsed.drivername)
    arguments, dialect_options = dialect.create_connect_args(parsed)
    return dialect.connect(*arguments, **{**dialect_options, **options})


@cache
def _load_dialect(driver: str) -> Dialect:
    from sqlalchemy.engine import make_url  # noqa: PLC0415  likewise

    kind: Any = make_url(f"{driver}://").get_dialect()
    dialect: Dialect = kind(dbapi=kind.import_dbapi())
    return dialect


@cache
def _compile_schema() -> tuple[str, ...]:
    """The statements that create tables, indexes and triggers; cached, since compiling is slower than running them."""
    from sqlalchemy.dialects.sqlite import dialect  # noqa: PLC0415
    from sqlalchemy.schema import CreateIndex, CreateTable  # noqa: PLC0415

    from halo_core.store import schema  # noqa: PLC0415

    tables = schema.metadata.sorted_tables
    sqlite = dialect()
    return (
        *(str(CreateTable(table, if_not_exists=True).compile(dialect=sqlite)) for table in tables),
        *(
            str(CreateIndex(index, if_not_exists=True).compile(dialect=sqlite))
            for table in tables
            for index in table.indexes
        ),
        *schema.triggers(),
    )


def find_schema_differences(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Triggers and views that differ from Halo's own: (`trigger` or `view`, name) of each foreign one.

    (`missing`, name) is one of Halo's triggers that is not there; they only prevent accidents.
    """
    from halo_core.store import schema  # noqa: PLC0415  it imports SQLAlchemy

    # SQLite keeps the statement without its IF NOT EXISTS.
    expected = {text.split()[5]: text.replace("IF NOT EXISTS ", "", 1) for text in schema.triggers()}
    objects = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger','view') ORDER BY name"
    ).fetchall()
    foreign = [(kind, name) for kind, name, text in objects if kind != "trigger" or expected.get(name) != text]
    return foreign + [("missing", name) for name in sorted(expected.keys() - {name for _, name, _ in objects})]


def describe_file(path: Path | None, home: Path) -> str:
    """The name of a file in anchors: relative to the home if it is inside."""
    if path is None:
        return "memory"
    full, base = Path(os.path.realpath(path)), Path(os.path.realpath(home))
    return f"home:{full.relative_to(base)}" if full.is_relative_to(base) else f"file:{full}"


def _find_plain_path(url: str) -> str | None:
    """The path in a URL of a file without options; SQLAlchemy reads the same, but importing it takes 0.2 s.

    None where SQLAlchemy may read another path than what stands there: with an escape, or a way up.
    """
    path = url.removeprefix("sqlite:///")
    return None if path in (url, "", ":memory:") or any(sign in path for sign in ("?", "%", "..")) else path


def find_sqlite_path(url: str) -> Path | None:
    """The file of a URL, None for a database in memory; ConfigError for anything but SQLite."""
    if (path := _find_plain_path(url)) is not None:
        return Path(path)
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ConfigError(
            "bad_db_url", f"`{url}` is not a database URL", field="db", remedy="for example sqlite:///.halo/halo.db"
        ) from exc
    try:
        backend = parsed.get_backend_name()
    except NoSuchModuleError:  # pragma: no cover - SQLAlchemy answers from the name alone
        backend = parsed.drivername
    if backend != "sqlite":
        raise ConfigError(
            "bad_db_url",
            f"`{backend}` is not supported",
            field="db",
            remedy="use sqlite:///path/to/halo.db or postgresql://host/name",
        )
    if not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def make_url_absolute(url: str) -> str:
    """Make a URL of the same database that holds in any working folder; unchanged unless it names a file.

    Raises:
        ConfigError: `bad_db_url`.
    """
    path = find_sqlite_path(url) if url.startswith("sqlite") else None
    if path is None or path.is_absolute() or str(path).startswith("file:"):
        return url
    if _find_plain_path(url) is not None:
        return f"sqlite:///{path.absolute()}"
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    return make_url(url).set(database=str(path.absolute())).render_as_string(hide_password=False)


def make_store_error(error: sqlite3.Error) -> CannotDecide:
    """The error for callers when the driver fails to write."""
    if is_busy(error):
        return CannotDecide(
            "ledger_busy",
            "another process has locked the ledger",
            remedy="try again, or find the process that keeps it locked",
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return CannotDecide("ledger_closed", "the ledger is closed", remedy="open Halo again")
    is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
    remedy = "run `halo verify`, and restore a copy" if is_damaged else "check disk space and permissions"
    return CannotDecide("ledger_unwritable", f"the ledger cannot be written: {error}", remedy=remedy)


def make_unreadable_error(error: sqlite3.Error) -> Tampered:
    """The error for readers when the driver fails."""
    return Tampered("unreadable", f"the database cannot be read: {error}", remedy="restore a copy of the database")
