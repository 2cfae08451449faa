"""The condition of a store: who writes, what waits for a checkpoint, how its clock runs.

It only reads, in a few statements by index, however long the log is. `check_writable` also takes the lock that a
decision takes, and releases it without writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import orjson

from halo_core.errors import CannotDecide
from halo_core.quick_dataclass import dataclass
from halo_core.store.engines import open_database
from halo_core.store.reader import Reader

_WAITING: Final = (
    "SELECT count(*), min(n.ts_us) FROM writer r LEFT JOIN sequenced s ON s.tenant=r.tenant AND s.w=r.w"
    " JOIN entry n ON n.tenant=r.tenant AND n.w=r.w AND n.ws>=coalesce(s.next,0)"
    " WHERE r.tenant=? AND coalesce(s.done,0)=0"
)
_UNCOVERED: Final = "SELECT count(*), min(ts_us) FROM entry WHERE tenant=? AND idx>=?"
_NEWEST: Final = "SELECT ts_us FROM entry WHERE tenant=? ORDER BY idx DESC LIMIT 1"
_NEWEST_POSITION: Final = (
    "SELECT e.ts_us FROM position p JOIN entry e ON e.tenant=p.tenant AND e.w=p.w AND e.ws=p.ws"
    " WHERE p.tenant=? ORDER BY p.idx DESC LIMIT 1"
)
_NOW: Final = "(extract(epoch FROM clock_timestamp())*1000000)::bigint"
_MAX_WRITERS: Final = 1000


@dataclass(frozen=True, slots=True)
class OpenWriter:
    """A writer that has not closed its chain.

    Args:
        id: id of the writer.
        opened_us: when, microseconds since the epoch.
        host: as it said when it opened.
        process: likewise.
        pid: likewise.
        is_alive: whether its process runs; on SQLite also where that cannot be told (another host or home).
    """

    id: str
    opened_us: int
    host: str
    process: str
    pid: int
    is_alive: bool


@dataclass(frozen=True, slots=True)
class SequencerLease:
    """Who may assign positions, on PostgreSQL.

    Args:
        holder: id of the holder, or of the last one.
        epoch: number of leases so far.
        left_us: how long it still lasts, microseconds; 0 where nobody holds it.
    """

    holder: str
    epoch: int
    left_us: int


@dataclass(frozen=True, slots=True)
class LogCondition:
    """One tenant's log.

    Args:
        covered: entries under the newest checkpoint.
        checkpoint: note of that checkpoint, None if there is none.
        uncovered: entries after it; on PostgreSQL those that wait for a position.
        oldest_uncovered_us: time of the first of them, None if there is none.
        newest_us: time of the newest entry, None for an empty log.
        lease: lease of the sequencer; None on SQLite, and where there was never one.
        writers: that are not closed; the first thousand.
    """

    covered: int
    checkpoint: bytes | None
    uncovered: int
    oldest_uncovered_us: int | None
    newest_us: int | None
    lease: SequencerLease | None
    writers: tuple[OpenWriter, ...]


@dataclass(frozen=True, slots=True)
class StoreCondition:
    """The condition of a store.

    Args:
        engine: `sqlite` or `postgresql`.
        path: the file, None for a server.
        size_bytes: size of the database.
        server_us: the server's clock, None for a file.
        server_limit: connections that the server allows, None for a file.
        server_connections: connections that it has.
        foreign_objects: triggers, views, rules and policies that are not Halo's own, as `kind name`.
        logs: logs, by tenant.
    """

    engine: str
    path: Path | None
    size_bytes: int
    server_us: int | None
    server_limit: int | None
    server_connections: int | None
    foreign_objects: tuple[str, ...]
    logs: Mapping[str, LogCondition]


def read_condition(url: str, home: Path) -> StoreCondition:
    """Read the condition of a store.

    Args:
        url: URL of the database.
        home: that holds the lock files of writers on SQLite.

    Raises:
        ConfigError: there is no such store.
        CannotDecide: it cannot be reached.
        Tampered: it cannot be read.
    """
    with Reader(url) as reader:
        is_server, path = reader.database.has_many_writers, reader.path
        facts = _read_server(reader) if is_server else (None, None, None, _read_file_size(path))
        foreign = tuple(f"{kind} {name}" for kind, name in reader.schema_differences() if kind != "missing")
        tenants = reader.tenants()
    logs = {}
    for tenant in tenants:
        # The locks of a tenant's writers bear its name.
        with Reader(url, database=open_database(url, tenant=tenant, read_only=True)) as reader:
            logs[tenant] = _read_log(reader, home, tenant)
    server_us, limit, connections, size = facts
    return StoreCondition(
        "postgresql" if is_server else "sqlite", path, size or 0, server_us, limit, connections, foreign, logs
    )


def _read_server(reader: Reader) -> tuple[int, int, int, int]:
    row = next(
        reader.stream(
            f"SELECT {_NOW}, current_setting('max_connections')::bigint,"  # noqa: S608  constants
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type='client backend'),"
            " pg_database_size(current_database())"
        )
    )
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def _read_file_size(path: Path | None) -> int:
    files = () if path is None else (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _read_log(reader: Reader, home: Path, tenant: str) -> LogCondition:
    def find(statement: str, *values: Any) -> tuple[Any, ...] | None:
        return next(reader.stream(statement, *values), None)

    is_server = reader.database.has_many_writers
    checkpoint = find("SELECT size, note FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1", tenant)
    size, note = (0, None) if checkpoint is None else (int(checkpoint[0]), bytes(checkpoint[1]))
    waiting = find(_WAITING, tenant) if is_server else find(_UNCOVERED, tenant, size)
    newest = find(_NEWEST_POSITION if is_server else _NEWEST, tenant)
    lease = None
    if is_server:
        row = find(f"SELECT holder, epoch, greatest(until_us-{_NOW}, 0) FROM lease WHERE tenant=?", tenant)  # noqa: S608  a constant
        lease = None if row is None else SequencerLease(str(row[0]), int(row[1]), int(row[2]))
    uncovered, oldest = waiting if waiting is not None else (0, None)
    newest_us = None if newest is None else int(newest[0])
    return LogCondition(size, note, int(uncovered), oldest, newest_us, lease, _read_writers(reader, home, tenant))


def _read_writers(reader: Reader, home: Path, tenant: str) -> tuple[OpenWriter, ...]:
    rows = reader.stream(
        "SELECT r.w, r.opened_us, e.body FROM writer r JOIN entry e ON e.tenant=r.tenant AND e.w=r.w AND e.ws=0"
        " WHERE r.tenant=? AND r.closed_us IS NULL ORDER BY r.opened_us, r.w LIMIT ?",
        tenant,
        _MAX_WRITERS,
    )
    writers = []
    for name, opened_us, body in list(rows):
        with reader.database.writer_alive(home, name) as is_alive:
            origin = _read_origin(bytes(body))
            process, host = str(origin.get("process", "")), str(origin.get("host", ""))
            pid = origin.get("pid")
            writers.append(OpenWriter(name, opened_us, host, process, pid if type(pid) is int else 0, is_alive))
    return tuple(writers)


def _read_origin(body: bytes) -> Mapping[str, Any]:
    try:
        origin = orjson.loads(body)["body"]["origin"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return {}  # changed by somebody: `halo verify` says so
    return origin if isinstance(origin, dict) else {}


def check_writable(url: str, tenant: str, deadline_s: float) -> None:
    """Take the lock of a decision in an existing store and release it; writes nothing.

    Raises:
        ConfigError: there is no such store.
        CannotDecide: no decision could be made durable now.
    """
    Reader(url).close()  # opening for writing would create a store
    with closing(open_database(url, tenant=tenant)) as database:
        database.begin(deadline_s)
        try:
            if database.has_many_writers:
                _require_rights(database.execute(_RIGHTS).fetchone())
        finally:
            database.rollback()


_RIGHTS: Final = (
    "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')='on', has_table_privilege('entry','INSERT')"
)


def _require_rights(row: tuple[bool, bool, bool]) -> None:
    is_standby, is_read_only, may_insert = row
    if is_standby or is_read_only or not may_insert:
        why = "the role may not insert entries" if may_insert is False else "the server is read-only"
        raise CannotDecide(
            "ledger_unwritable", why, remedy="check the role's rights, and that the server is no standby"
        )
