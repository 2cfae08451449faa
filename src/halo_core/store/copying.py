"""Copying all rows of a store into an empty database of either engine, byte for byte.

`copy_rows` reads from one consistent view of the source and writes into a `CopyTarget`. The target's schema version is
`UNFINISHED_COPY` from its first table on until `finish`. So what a killed copy left behind is refused by everything
that opens stores.

The engines differ in three places. On SQLite the position of an entry stands in its row, on PostgreSQL in the table
`position`; there, `sequenced` says how many entries of each writer have one; and usage counts have parts. What belongs
to running processes (`lease`, `generation`) starts anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from halo_core.failpoints import hit_failpoint
from halo_core.quick_dataclass import dataclass
from halo_core.store.engine import ADDED, Engine
from halo_core.store.reader import Reader

CHUNK_ROWS: Final = 1000
"""Rows that a target is given at a time."""

Progress = Callable[[str, int, int], None]
"""Called with a table, the rows done of it, and the rows that it has."""


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table of the target, and the statements that read it.

    Args:
        name: name of the table.
        columns: that are written.
        sqlite: reads them from a store on SQLite, in an order that depends on nothing but the rows.
        postgres: reads them from a store on PostgreSQL, in the same order.
        has: names of the engines that have the table.
    """

    name: str
    columns: tuple[str, ...]
    sqlite: str
    postgres: str
    has: tuple[str, ...] = ("sqlite", "postgresql")

    def query(self, database: Engine) -> str:
        """The statement for an engine."""
        return self.postgres if database.has_many_writers else self.sqlite


_ENTRY: Final = ("tenant", "w", "ws", "idx", "kind", "session", "ts_us", "once", "mark", "body", "signatures", "sealed")
_ENTRY_COLUMNS: Final = (*_ENTRY, "marks")
_POSITIONED: Final = (
    f"SELECT e.{', e.'.join(_ENTRY_COLUMNS)}".replace("e.idx", "p.idx")  # noqa: S608  constants
    + " FROM position p JOIN entry e ON e.tenant=p.tenant AND e.w=p.w AND e.ws=p.ws ORDER BY p.tenant, p.idx"
)
_SPECIAL: Final = (
    TableCopy(
        "entry",
        _ENTRY_COLUMNS,
        f"SELECT {', '.join(_ENTRY_COLUMNS)} FROM entry ORDER BY tenant, idx",  # noqa: S608  constants
        _POSITIONED,
    ),
    TableCopy(
        "position",
        ("tenant", "idx", "w", "ws"),
        "SELECT tenant, idx, w, ws FROM entry ORDER BY tenant, idx",
        "SELECT tenant, idx, w, ws FROM position ORDER BY tenant, idx",
        ("postgresql",),
    ),
    # Of a closed writer nothing more comes, so the sequencer need not look at it again.
    TableCopy(
        "sequenced",
        ("tenant", "w", "next", "done"),
        "SELECT r.tenant, r.w, count(*), r.closed_us IS NOT NULL FROM writer r JOIN entry e ON e.tenant=r.tenant"
        " AND e.w=r.w GROUP BY r.tenant, r.w ORDER BY r.tenant, r.w",
        "SELECT tenant, w, next, done FROM sequenced ORDER BY tenant, w",
        ("postgresql",),
    ),
    TableCopy(
        "usage",
        ("tenant", "agent", "resource", "uses"),
        "SELECT tenant, agent, resource, uses FROM usage ORDER BY tenant, agent, resource",
        "SELECT tenant, agent, resource, sum(uses)::bigint FROM usage GROUP BY tenant, agent, resource"
        " ORDER BY tenant, agent, resource",
    ),
)


def list_table_copies() -> list[TableCopy]:
    """Every table of a store."""
    from halo_core.store import schema  # noqa: PLC0415  it imports SQLAlchemy

    special = {item.name: item for item in _SPECIAL}
    copies = list(_SPECIAL)
    for table in schema.metadata.sorted_tables:
        if table.name not in special:
            columns = tuple(str(column.name) for column in table.columns)
            key = ", ".join(str(column.name) for column in table.primary_key.columns)
            query = f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {key}"  # noqa: S608  constants
            copies.append(TableCopy(table.name, columns, query, query))
    return copies


class CopyTarget(Protocol):
    """A database into which a store is copied. Nobody else can open it as a store before `finish`."""

    def insert(self, table: TableCopy, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows durably, in their order."""
        ...

    def open_for_reading(self) -> Engine:
        """Open another connection, which reads what has been copied so far."""
        ...

    def finish(self) -> None:
        """Turn it into a store, durably. Nothing is written afterwards."""
        ...

    def remove(self) -> None:
        """Remove what was copied, unless it is finished."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def copy_rows(source: Reader, target: CopyTarget, progress: Progress) -> dict[str, str]:
    """Copy every table.

    Args:
        source: sees one state of the store.
        target: empty.
        progress: called now and then.

    Returns:
        Table → digest of its rows, for `digest_rows` of the target.
    """
    digests = {}
    copies = list_table_copies()
    engine = "postgresql" if source.database.has_many_writers else "sqlite"
    for table in copies:
        digest = _RowDigest()
        has_it = engine in table.has and _has_table(source, table.name)
        total = _count_rows(source, table.name) if has_it else 0
        rows = digest.watch(_stream_rows(source, table))
        target.insert(table, _report_rows(rows, table.name, total, progress))
        digests[table.name] = digest.text()
        hit_failpoint("copied_table")
    return digests


def digest_rows(reader: Reader, names: Iterable[str], progress: Progress) -> dict[str, str]:
    """Table → digest of its rows; equal for equal rows in either engine."""
    wanted = set(names)
    digests = {}
    for table in list_table_copies():
        if table.name in wanted:
            digest = _RowDigest()
            for _ in _report_rows(digest.watch(_stream_rows(reader, table)), table.name, 0, progress):
                pass
            digests[table.name] = digest.text()
    return digests


def _has_table(reader: Reader, name: str) -> bool:
    """Whether a store has a table; older stores may lack tables added later."""
    return name not in ADDED or reader.database.has_table(name)


def _stream_rows(reader: Reader, table: TableCopy) -> Iterator[tuple[Any, ...]]:
    return reader.stream(table.query(reader.database)) if _has_table(reader, table.name) else iter(())


class _RowDigest:
    """BLAKE2b-256 over rows of text, integers, bytes and None."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=32)

    def watch(self, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
        """Pass the rows on, adding each to the digest."""
        for row in rows:
            for value in row:
                data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
                self._hash.update(f"{type(value).__name__}{len(data)}:".encode())
                self._hash.update(data)
            yield tuple(row)

    def text(self) -> str:
        """The digest of the rows so far, as 64 hex digits."""
        return self._hash.hexdigest()


def _count_rows(source: Reader, table: str) -> int:
    return int(next(source.stream(f"SELECT count(*) FROM {table}"))[0])  # noqa: S608  a constant


def _report_rows(
    rows: Iterable[tuple[Any, ...]], name: str, total: int, progress: Progress
) -> Iterator[tuple[Any, ...]]:
    done = 0
    for done, row in enumerate(rows, 1):
        yield row
        if done % CHUNK_ROWS == 0:
            progress(name, done, total)
    progress(name, done, max(total, done))
