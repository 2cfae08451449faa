"""A queue for SQLite's write lock: connections get it in the order in which they began to wait (`WriteQueue`).

SQLite has no queue. A process that commits and begins again at once finds the lock free, while those that wait sleep
between two tries; under load one of them may get no turn for a minute. So the first that waits locks a file beside the
database. Everybody checks that file before trying the database, and waits behind it.

Nothing relies on this order. A process that is halted while it is first in the queue delays the others by `_OVERTAKE_S`
at most, and one that cannot open the file tries for the lock alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_FIRST_RETRY_S: Final = 100e-6
"""Between two tries of the first in the queue, seconds."""
_RETRY_S: Final = 400e-6
"""Between two tries of the others to become the first, seconds; less than a transaction takes."""
_OVERTAKE_S: Final = 0.05
"""How long the others wait before they try for the database themselves, seconds."""
_WAITING_S: Final = 2.0
"""How long to wait for the write lock before `on_wait` is called, seconds."""


class WriteQueue:
    """The queue of connections on this host that wait to write to one SQLite file.

    Not thread-safe: each connection has an object of its own.
    """

    def __init__(self, database: Path | None) -> None:
        """Open the file of the queue, `<database>-queue`.

        Args:
            database: the file; None for one in memory or one that is only read, which nobody waits for.
        """
        self._fd: int | None = None
        if database is not None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            with contextlib.suppress(OSError):
                self._fd = os.open(database.with_name(f"{database.name}-queue"), flags, 0o600)

    def is_waited_for(self) -> bool:
        """Whether another connection waits for the write lock."""
        if self._fd is None:
            return False
        try:  # as `_lock` and `_unlock`, without their calls: each decision asks
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        return False

    def retry(self, step: Callable[[], object], deadline_s: float, on_wait: Callable[[], object]) -> None:
        """Call `step`, which takes the write lock, until it succeeds, taking turns with other connections.

        Args:
            step: raises `sqlite3.OperationalError` while another connection has the lock.
            deadline_s: how long to wait, seconds.
            on_wait: called once if it takes longer than two seconds.

        Raises:
            sqlite3.OperationalError: the last one of `step` at the deadline, or one that says anything else.
        """
        now = time.monotonic()
        end, tell_at, overtake_at = now + deadline_s, now + _WAITING_S, now + _OVERTAKE_S
        is_first = False
        try:
            while True:
                is_first = is_first or self._lock(fcntl.LOCK_EX)
                now = time.monotonic()
                if is_first or now >= min(overtake_at, end):
                    try:
                        step()
                    except sqlite3.OperationalError as exc:
                        if not is_busy(exc) or now >= end:
                            raise
                        overtake_at = now + _OVERTAKE_S
                    else:
                        return
                if now >= tell_at:
                    on_wait()
                    tell_at = end + 1
                pause_s = _FIRST_RETRY_S if is_first else _RETRY_S
                time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  jitter is no secret
        finally:
            if is_first:
                self._unlock()

    def close(self) -> None:
        """Close the file; also in a child after a fork, which would otherwise keep its parent's lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _lock(self, kind: int) -> bool:
        if self._fd is None:
            return True
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(self) -> None:
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds the lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
