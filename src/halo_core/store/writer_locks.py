"""Lock files, by which the processes of one host see which writers of a SQLite database are alive."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOCK_FOLDER: Final = "writers"


def lock_file(home: Path, writer_id: str) -> tuple[int, Path]:
    """Create and lock the file of a new writer; the lock ends with the process."""
    folder = home / _LOCK_FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{writer_id}.lock"
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd, path


@contextmanager
def writer_alive(home: Path, writer_id: str) -> Iterator[bool]:
    """Whether the writer's process is alive (on this host); while it is not, no other process can recover it."""
    path = home / _LOCK_FOLDER / f"{writer_id}.lock"
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        # Released, or of another host or home, and then it may be alive.
        yield True
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield True
            return
        yield False
    finally:
        os.close(fd)


def remove_lock_file(home: Path, writer_id: str) -> None:
    """Remove the lock file of a writer whose recovery is durable."""
    (home / _LOCK_FOLDER / f"{writer_id}.lock").unlink(missing_ok=True)
