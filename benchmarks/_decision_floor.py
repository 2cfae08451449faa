"""The floors of a decision: a bare durable insert of as many bytes as an entry has, and a signature.

The signature is over a fixed number of bytes, so that figures of different ledger formats have one unit. The insert has
the pragmas of the real connection.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from halo_core.store.database import Database

__all__ = ["Floor", "open_floor"]

_PRAGMAS: Final = ("journal_mode", "synchronous", "wal_autocheckpoint", "secure_delete", "page_size", "busy_timeout")

_SIGNED_BYTES: Final = 3_343


class Floor:
    """One insert and one signature.

    Args:
        connection: of a database of its own.
        size: bytes of what is inserted.
    """

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self.size = size
        self._connection = connection
        self._key = SigningKey(os.urandom(32))
        self._body = os.urandom(size // 2).hex().encode()
        self._message = os.urandom(_SIGNED_BYTES // 2).hex().encode()

    def commit(self) -> None:
        """Insert the bytes durably: one statement, autocommitted."""
        self._connection.execute("INSERT INTO entry (body) VALUES (?)", (self._body,))

    def sign(self) -> None:
        """Sign as many bytes as an entry of format 1 had."""
        self._key.sign(self._message)


@contextmanager
def open_floor(folder: Path, size: int) -> Iterator[Floor]:
    """A floor in a file of its own, on the disk of the real one."""
    folder.mkdir(parents=True)
    real = Database(f"sqlite:///{folder / 'pragmas.db'}")
    wanted = {name: real.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
    real.close()
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    try:
        for name, value in wanted.items():
            connection.execute(f"PRAGMA {name}={value}")
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
        assert found == wanted, (found, wanted)
        connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        yield Floor(connection, size)
    finally:
        connection.close()
