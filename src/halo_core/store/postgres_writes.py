"""What a transaction on PostgreSQL writes, kept back so that it takes one round trip: `PendingWrites`.

Reads that do not look at a table with a row that is kept back need not wait for it, so most transactions send their
rows once, with COMMIT.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg

from halo_core.store.postgres_statements import combine, find_table

_MAX_ENTRIES: Final = 16
_CHECK: Final = "check"
MEMORY_CHECK: Final = (
    "SELECT 1 WHERE (SELECT version FROM generation WHERE tenant=?) IS NOT DISTINCT FROM ?"
    " AND coalesce((SELECT max(seq) FROM residue WHERE tenant=?), 0)=?"
)
"""Finds one row where the generation and the newest taint row of a tenant are those that memory was read with."""


class PendingWrites:
    """Statements that must each insert, update or find exactly one row, in the order in which they were given."""

    __slots__ = ("_statements", "lock", "tables")

    def __init__(self) -> None:
        self._statements: list[tuple[str, Sequence[Any]]] = []
        self.tables: set[str] = set()
        """The tables that they write or look at."""
        self.lock = ""
        """Takes the locks without which nothing is written; empty once they are taken, and where there are none."""

    def __bool__(self) -> bool:
        return bool(self._statements)

    def add(self, statement: str, values: Sequence[Any]) -> None:
        """Keep a statement back, to be sent with the others."""
        self._statements.append((statement, values))
        self.tables.add(find_table(statement))

    def clear(self) -> None:
        """Forget all statements that are kept back."""
        self._statements.clear()
        self.tables.clear()

    def concern(self, statement: str) -> bool:
        """Whether a statement could see what is kept back, or does more than read."""
        return bool(self._statements) and (
            not statement.startswith("SELECT") or not self.tables.isdisjoint(_list_words(statement))
        )

    def send(self, connection: psycopg.Connection[Any], check: Sequence[Any] | None = None, *, lock: str = "") -> None:
        """Run them, in as few statements as possible.

        INVARIANT: AUDIT - a row that was not kept, or has another version than was read, is an error of the server
        (a division by zero), after which it commits nothing.

        Args:
            connection: in a transaction, or in a pipeline, whose round trip they take then.
            check: values of `MEMORY_CHECK`, which is part of the first statement; None for none.
            lock: takes the locks of a transaction that has not begun yet; empty for none.
        """
        lock = lock + self.lock.replace("SELECT ", ", ", 1) if lock else self.lock
        self.lock, statements = "", self._statements.copy()
        self.clear()  # first: what fails here must not be sent again by whoever looks up what became of it
        if lock:
            connection.execute(lock.encode(), prepare=False)
        batch: dict[str, tuple[str, list[Sequence[Any]]]] = {}
        if check is not None:
            batch[_CHECK] = MEMORY_CHECK, [check]
        for statement, values in statements:
            table = find_table(statement)
            pending_rows = batch.get(table)
            # Parts of one statement do not see each other, so a table is written once; entries are only added.
            if pending_rows is not None and (
                table != "entry" or pending_rows[0] != statement or len(pending_rows[1]) >= _MAX_ENTRIES
            ):
                _run(connection, batch)
                batch = {}
            batch.setdefault(table, (statement, []))[1].append(values)
        _run(connection, batch)


def _run(connection: psycopg.Connection[Any], batch: dict[str, tuple[str, list[Sequence[Any]]]]) -> None:
    text = combine(tuple((statement, len(rows)) for statement, rows in batch.values()))
    values = [value for _, rows in batch.values() for row in rows for value in row]
    connection.cursor(binary=True).execute(text, values)


@lru_cache(maxsize=1024)
def _list_words(statement: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", statement))
