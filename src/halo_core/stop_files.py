"""Stops in files, so that agents can be stopped while the database cannot be written.

Each stop is one small JSON file under `<home>/stops`. An unreadable file there stops everything, so a stop can be made
by hand: `touch .halo/stops/now`.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.files import replace_file, sync_folder
from halo_core.model import Stop
from halo_core.quick_dataclass import dataclass

SCOPES: Final = ("agent", "all", "session", "tenant", "tool", "user")

STOPS_FOLDER: Final = "stops"
"""Folder of a home with a file for each stop."""
_MAX_FILE_BYTES: Final = 64 * 1024
# The coarsest tick of a file system's clock: a folder that changed within it before it was read is read again.
_TICK_NS: Final = 2_000_000_000

_Stamp = tuple[int, int, int]


class _File(NamedTuple):
    name: str
    stamp: _Stamp
    stop: Stop
    tenant: str
    readable: bool


@dataclass(frozen=True, slots=True)
class _FolderCache:
    folder: _Stamp
    files: tuple[_File, ...]


class StopFiles:
    """Stops of a home. Thread-safe; while nothing changes, reading costs one `stat`, and one more for each stop.

    Args:
        home: folder of keys.
    """

    __slots__ = ("_cached", "_folder", "_folder_path")

    def __init__(self, home: Path) -> None:
        self._folder = home / STOPS_FOLDER
        self._folder_path = os.fspath(self._folder)
        self._cached: _FolderCache | None = None

    def set(self, stop: Stop, by: str, why: str, *, tenant: str = "") -> bool:
        """Write a stop; False if such a file exists.

        Args:
            stop: what to stop.
            by: who stops it.
            why: reason in their words.
            tenant: the one tenant it is for; empty for every tenant of the home.

        Raises:
            ConfigError: `bad_stop`, scope and target make no sense; `stop_unwritable`, the file cannot be written.
        """
        if stop.scope not in SCOPES or (stop.scope == "all") == bool(stop.target):
            raise ConfigError(
                "bad_stop",
                f"`{stop.scope}` with target `{stop.target[:64]}` is not a valid stop",
                remedy="see `halo stop -h`",
            )
        path = self._folder / _file_name(stop.scope, stop.target, tenant)
        if any(file.name == path.name and file.readable for file in self._load_files()):
            return False
        tree = {
            "by": by,
            "scope": stop.scope,
            "since_us": stop.since_us,
            "target": stop.target,
            "tenant": tenant,
            "why": why,
        }
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, json.dumps(tree, indent=2, sort_keys=True).encode("ascii") + b"\n")
        except OSError as exc:
            raise ConfigError(
                "stop_unwritable",
                f"cannot write a stop to `{self._folder}`: {exc.strerror}",
                field="home",
                remedy="stop the process itself, then free the disk",
            ) from exc
        return True

    def lift(self, scope: str, target: str, *, tenant: str = "") -> int:
        """Remove the files of a stop, of one tenant or of every tenant; returns how many.

        Lifting `all` also removes the files that cannot be read.

        Raises:
            ConfigError: `stop_unwritable`.
        """
        files = self._find_files(scope, target, tenant)
        try:
            for file in files:
                (self._folder / file.name).unlink(missing_ok=True)
            if files:
                sync_folder(self._folder)
        except OSError as exc:
            raise ConfigError(
                "stop_unwritable",
                f"cannot remove a stop from `{self._folder}`: {exc.strerror}",
                field="home",
                remedy="make the folder writable and run it again; until then the stop holds",
            ) from exc
        return len(files)

    def count(self, scope: str, target: str, *, tenant: str = "") -> int:
        """How many files `lift` would remove."""
        return len(self._find_files(scope, target, tenant))

    def _find_files(self, scope: str, target: str, tenant: str) -> list[_File]:
        def is_lifted(file: _File) -> bool:
            if not file.readable:
                return scope == "all" and not tenant
            return (file.stop.scope, file.stop.target) == (scope, target) and tenant in ("", file.tenant)

        return list(filter(is_lifted, self._load_files()))

    def read(self, tenant: str = "") -> tuple[Stop, ...]:
        """Stops in force for a tenant, sorted; without a tenant, those of all tenants.

        INVARIANT: FAILCLOSED - a file that cannot be read stops everything; this never raises.
        """
        files = self._load_files()
        if not files:
            return ()
        return tuple(sorted({file.stop for file in files if not tenant or file.tenant in ("", tenant)}))

    def _load_files(self) -> tuple[_File, ...]:
        try:
            folder = _make_stamp(os.stat(self._folder_path))  # noqa: PTH116  at each decision, and a Path takes twice as long
        except FileNotFoundError:
            return ()
        except OSError:
            return (_unreadable(""),)
        cached = self._cached
        if cached is not None and cached.folder == folder and all(map(self._is_unchanged, cached.files)):
            return cached.files
        # The system's clock, not the engine's: it is compared with times of the file system. Read before the files are.
        now_ns = SystemClock().now_us() * 1000
        try:
            names = sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))
        except OSError:
            return (_unreadable(""),)
        files = tuple(_read_file(self._folder / name) for name in names)
        newest = max([folder[0], *(file.stamp[0] for file in files)])
        # A second change within one tick leaves the same time behind, so files that young are not cached.
        self._cached = _FolderCache(folder, files) if newest < now_ns - _TICK_NS else None
        return files

    def _is_unchanged(self, file: _File) -> bool:
        try:
            return _make_stamp(os.stat(f"{self._folder_path}/{file.name}")) == file.stamp  # noqa: PTH116  as above
        except OSError:
            return False


def _unreadable(name: str) -> _File:
    return _File(name, (0, 0, 0), Stop("all", "", 0), "", readable=False)


def _file_name(scope: str, target: str, tenant: str) -> str:
    text = json.dumps([scope, target, tenant] if tenant else [scope, target])
    return f"{hashlib.sha256(text.encode('ascii')).hexdigest()}.json"


def _make_stamp(status: os.stat_result) -> _Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read_file(path: Path) -> _File:
    try:
        # Non-blocking, so that a FIFO here stops everything instead of hanging the process.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(_MAX_FILE_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        stop, tenant = _parse_stop(json.loads(data))
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return _unreadable(path.name)
    return _File(path.name, _make_stamp(status), stop, tenant, readable=True)


def _parse_stop(tree: Any) -> tuple[Stop, str]:
    scope, target = tree["scope"], tree.get("target", "")
    since, tenant = tree.get("since_us", 0), tree.get("tenant", "")
    if scope not in SCOPES or type(target) is not str or type(since) is not int or type(tenant) is not str:
        raise ValueError("this is not a valid stop")
    if (scope == "all") == bool(target) or not 0 <= since < 2**53:
        raise ValueError("this is not a valid stop")
    return Stop(scope, target, since), tenant
