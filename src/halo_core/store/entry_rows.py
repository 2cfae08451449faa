"""Rows of entries on their way into the database: those of one transaction share statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from halo_core.failpoints import ARMED, hit_failpoint

EntryRow = tuple[Any, ...]
"""Values of the columns of `entry`, in their order."""

_COLUMNS: Final = 13
_VALUES: Final = f"({','.join('?' * _COLUMNS)})"
_SIZES: Final = (16, 2, 1)
_STATEMENTS: Final = {size: f"INSERT INTO entry VALUES {','.join([_VALUES] * size)}" for size in _SIZES}  # noqa: S608
INSERT_ENTRY: Final = _STATEMENTS[1]


class EntryRows:
    """Rows that were appended and not inserted yet, in their order.

    An outcome and the decision after it usually share a transaction, and so one statement. Only for SQLite: the engine
    for PostgreSQL keeps back every statement (`Engine.write`).

    Args:
        insert: runs a statement that must insert as many rows as it says, and raises where it does not.
    """

    __slots__ = ("_insert", "_rows")

    def __init__(self, insert: Callable[[str, EntryRow, int], None]) -> None:
        self._insert = insert
        self._rows: list[EntryRow] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: EntryRow) -> None:
        """Add a row."""
        self._rows.append(row)

    def write(self) -> None:
        """Insert all."""
        rows, self._rows = self._rows, []
        start = 0
        for size in _SIZES:
            while len(rows) - start >= size:
                values = rows[start] if size == 1 else sum(rows[start : start + size], ())
                self._insert(_STATEMENTS[size], values, size)
                start += size
        if ARMED:
            hit_failpoint("after_append")

    def clear(self) -> None:
        """Drop all, after a rollback."""
        self._rows = []
