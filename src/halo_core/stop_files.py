"""Room: stops in files, which hold when no database can be written. Takes: a home. Gives: stops. Never: a database.

One small JSON file for each stop under `<home>/stops`. Whatever lies there and cannot be read stops everything, so a
stop may be made by hand: `touch .halo/stops/now`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import Stop

__all__ = ["SCOPES", "StopFiles"]

SCOPES: Final = ("agent", "all", "session", "tenant", "tool")

_FOLDER_NAME: Final = "stops"
_MAX_FILE_BYTES: Final = 64 * 1024
# A file system's clock may tick as coarsely as this; a folder changed later than that before it was read is read again.
_TICK_NS: Final = 2_000_000_000
_STOP_ALL: Final = Stop("all", "", 0)

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
    """Stops of a home. Thread-safe; reading costs one `stat`, and one more for each stop, while nothing changes.

    Args:
        home: folder of keys.
    """

    __slots__ = ("_cached", "_folder", "_folder_path")

    def __init__(self, home: Path) -> None:
        self._folder = home / _FOLDER_NAME
        self._folder_path = os.fspath(self._folder)
        self._cached: _FolderCache | None = None

    def set(self, stop: Stop, by: str, why: str, *, tenant: str = "") -> bool:
        """Stop; False where that file stops it already.

        Args:
            stop: what; see `Stop`.
            by: who stops it.
            why: in their words.
            tenant: the one tenant it is for; empty for every tenant of the home.

        Raises:
            ConfigError: `bad_stop`, such a stop would mean nothing; `stop_unwritable`, the file cannot be written.
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
            _write_file(path, json.dumps(tree, indent=2, sort_keys=True).encode("ascii") + b"\n")
        except OSError as exc:
            raise ConfigError(
                "stop_unwritable",
                f"cannot write a stop to `{self._folder}`: {exc.strerror}",
                field="home",
                remedy="stop the process itself, then free the disk",
            ) from exc
        return True

    def lift(self, scope: str, target: str, *, tenant: str = "") -> int:
        """Remove the files of a stop: of one tenant, or wherever it is for; how many there were.

        Lifting `all` removes what cannot be read as well.

        Raises:
            ConfigError: `stop_unwritable`.
        """
        files = self._find_files(scope, target, tenant)
        try:
            for file in files:
                (self._folder / file.name).unlink(missing_ok=True)
            if files:
                _sync_folder(self._folder)
        except OSError as exc:
            raise ConfigError(
                "stop_unwritable", f"cannot remove a stop from `{self._folder}`: {exc.strerror}", field="home"
            ) from exc
        return len(files)

    def count(self, scope: str, target: str, *, tenant: str = "") -> int:
        """How many files `lift` would remove."""
        return len(self._find_files(scope, target, tenant))

    def _find_files(self, scope: str, target: str, tenant: str) -> list[_File]:
        return [file for file in self._load_files() if self._is_lifted(file, scope, target, tenant)]

    @staticmethod
    def _is_lifted(file: _File, scope: str, target: str, tenant: str) -> bool:
        if not file.readable:
            return scope == "all" and not tenant
        return (file.stop.scope, file.stop.target) == (scope, target) and tenant in ("", file.tenant)

    def read(self, tenant: str = "") -> tuple[Stop, ...]:
        """Stops in force for a tenant, sorted; without one, those of every tenant.

        INVARIANT: FAILCLOSED - what cannot be read stops everything; this never raises.
        """
        files = self._load_files()
        if not files:
            return ()
        return tuple(sorted({file.stop for file in files if not tenant or file.tenant in ("", tenant)}))

    def _load_files(self) -> tuple[_File, ...]:
        # The system's clock, whatever clock decides: it is compared with the file system's.
        now_ns = SystemClock().now_us() * 1000
        try:
            folder = _make_stamp(os.stat(self._folder_path))  # noqa: PTH116  at each decision, and a Path takes twice as long
        except FileNotFoundError:
            return ()
        except OSError:
            return (_File("", (0, 0, 0), _STOP_ALL, "", readable=False),)
        cached = self._cached
        if cached is not None and cached.folder == folder and all(map(self._is_unchanged, cached.files)):
            return cached.files
        try:
            names = sorted(path.name for path in self._folder.iterdir() if not path.name.startswith("."))
        except OSError:
            return (_File("", (0, 0, 0), _STOP_ALL, "", readable=False),)
        files = tuple(_read_file(self._folder / name) for name in names)
        newest = max([folder[0], *(file.stamp[0] for file in files)])
        # A change within the same tick leaves the same time behind, so what is that young is not remembered.
        self._cached = _FolderCache(folder, files) if newest < now_ns - _TICK_NS else None
        return files

    def _is_unchanged(self, file: _File) -> bool:
        try:
            return _make_stamp(os.stat(f"{self._folder_path}/{file.name}")) == file.stamp  # noqa: PTH116  as above
        except OSError:
            return False


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
        return _File(path.name, (0, 0, 0), _STOP_ALL, "", readable=False)
    return _File(path.name, _make_stamp(status), stop, tenant, readable=True)


def _parse_stop(tree: Any) -> tuple[Stop, str]:
    scope, target = tree["scope"], tree.get("target", "")
    since, tenant = tree.get("since_us", 0), tree.get("tenant", "")
    if scope not in SCOPES or type(target) is not str or type(since) is not int or type(tenant) is not str:
        raise ValueError("this is not a valid stop")
    if (scope == "all") == bool(target) or not 0 <= since < 2**53:
        raise ValueError("this is not a valid stop")
    return Stop(scope, target, since), tenant


def _write_file(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
