"""Connections to PostgreSQL: how they are opened, whether they have ended, and cursors that speak the store's SQL."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8BinaryDumper

from halo_core.store.postgres_statements import make_libpq_url, make_store_error

RunStatement = Callable[[psycopg.Cursor[Any], str, Sequence[Any]], None]

_CONNECT_S: Final = 5
_MAX_PREPARED: Final = 300
_KEEP_ALIVE: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Options of a connection, by which one that broke off is noticed."""
_SESSION: Final = (
    "SET client_encoding='UTF8'",
    "SET synchronous_commit=on",
    "SET default_transaction_isolation='read committed'",
    # A process that was stopped in a transaction must not block the others for long.
    "SET idle_in_transaction_session_timeout='10s'",
)
"""What each connection begins with."""


def connect(url: str) -> psycopg.Connection[Any]:
    """A new connection, each statement of which is a transaction of its own until BEGIN.

    Raises:
        CannotDecide: the server cannot be reached, or has no room.
    """
    address = make_libpq_url(url)
    parts = conninfo_to_dict(address)
    defaults: dict[str, str | int | None] = {
        "connect_timeout": _CONNECT_S,
        "application_name": "halo",
        **_KEEP_ALIVE,
    }
    try:
        connection = psycopg.connect(
            make_conninfo(address, **{name: value for name, value in defaults.items() if name not in parts}),
            autocommit=True,
            prepare_threshold=1,
        )
        connection.adapters.register_dumper(int, Int8BinaryDumper)  # else each width is prepared by itself
        connection.prepared_max = _MAX_PREPARED
        for statement in _SESSION:
            connection.execute(statement)
        # A table of the same name in another schema must not stand in for one of Halo's.
        connection.execute("SELECT set_config('search_path', quote_ident(current_schema()), false)")
    except psycopg.Error as exc:
        raise make_store_error(exc, is_connecting=True) from exc
    return connection


def find_cause(error: psycopg.Error) -> psycopg.Error:
    """The error of the server behind the one that a pipeline raised: what comes after it is reported as aborted."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.Error) and cause.sqlstate is not None:
            return cause
        cause = cause.__context__
    return error


def has_ended(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server is known to have ended an idle connection, without asking it."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return False
    try:
        connection.pgconn.consume_input()  # a notice, a changed parameter, or the end
    except psycopg.Error:
        return True
    return bool(connection.pgconn.status != psycopg.pq.ConnStatus.OK)


class PostgresCursor:
    """A cursor that translates statements, and raises what the store understands.

    Args:
        run: runs a statement of the store on a cursor of the driver.
        cursor: cursor of the driver.
    """

    __slots__ = ("_cursor", "_run")

    def __init__(self, run: RunStatement, cursor: psycopg.Cursor[Any]) -> None:
        self._run = run
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        """Rows that the statement changed."""
        return self._cursor.rowcount

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Self:
        """Run a statement.

        Raises:
            Conflict: another process was faster, or the connection ended.
            CannotDecide: any other error of the server.
        """
        self._run(self._cursor, sql, parameters)
        return self

    def fetchone(self) -> Any:
        """The next row, None at the end."""
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        """The remaining rows."""
        return self._cursor.fetchall()

    def close(self) -> None:
        """Drop the remaining rows; the cursor runs no statement afterwards."""
        self._cursor.close()

    def __iter__(self) -> Iterator[Any]:
        """The remaining rows, one by one."""
        return iter(self._cursor)
