"""The floor: the mode below which no application may go, of this host and of a home.

The floor of a host holds for every home that is opened on it: the variable `HALO_FLOOR`, or the file `/etc/halo/floor`,
which must be owned by root and writable by nobody else. Each contains `enforce` or `observe`.

The floor of a home is in its log, as signed entries. Its file `floor.json` records, outside the database, that the
floor was raised and which waivers have ended, so that nobody who can only write the database can lower it. The record
only ever grows.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from halo_core.errors import ConfigError
from halo_core.files import hold_file_lock, replace_file
from halo_core.model import Mode
from halo_core.quick_dataclass import dataclass

HOST_FLOOR_PATH: Final = Path("/etc/halo/floor")
HOST_FLOOR_VARIABLE: Final = "HALO_FLOOR"
_HOME_FILE: Final = "floor.json"
_MAX_ENDED: Final = 64
_MAX_BYTES: Final = 65_536
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_ENVIRONMENT_PATH: Final = Path("/proc/self/environ")


def read_start_variable(path: Path = _ENVIRONMENT_PATH) -> str:
    """The value of `HALO_FLOOR` when the process started, whatever changed since; empty if unset.

    Where the system does not keep that, the variable as it is when this module is imported.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return os.environ.get(HOST_FLOOR_VARIABLE, "")
    prefix = f"{HOST_FLOOR_VARIABLE}=".encode()
    values = [item.removeprefix(prefix) for item in data.split(b"\0") if item.startswith(prefix)]
    return values[0].decode("utf-8", "replace") if values else os.environ.get(HOST_FLOOR_VARIABLE, "")


_AT_START: Final = read_start_variable()
"""An application that changes its environment later lowers nothing."""


@dataclass(frozen=True, slots=True)
class HostFloor:
    """The floor of this host.

    Args:
        mode: `observe` where nothing sets one.
        source: what sets it, for people; empty if nothing does.
        is_protected: the user of this process cannot change it.
    """

    mode: Mode = Mode.OBSERVE
    source: str = ""
    is_protected: bool = False


def read_host_floor(
    path: Path | None = None, environment: Mapping[str, str] | None = None, *, at_start: str = _AT_START
) -> HostFloor:
    """The floor of this host: the higher one of its file and its environment.

    Args:
        path: the file; None means `HOST_FLOOR_PATH`.
        environment: variables; None means those of the process.
        at_start: what the variable was when the process started.

    Raises:
        ConfigError: `bad_floor`, one of them is neither `enforce` nor `observe`, or the file cannot be read.
    """
    variables = os.environ if environment is None else environment
    texts = filter(None, (at_start, variables.get(HOST_FLOOR_VARIABLE, "")))
    floors = [
        _read_file(HOST_FLOOR_PATH if path is None else path),
        *(HostFloor(_parse(text, HOST_FLOOR_VARIABLE), HOST_FLOOR_VARIABLE) for text in texts),
    ]
    # The file comes first, and stays where the variable says the same: it is the one that is protected.
    return next((floor for floor in floors if floor.mode is Mode.ENFORCE), floors[0])


class HostFloorFile:
    """Detects changes of the host's floor file, with one `stat` for each question."""

    __slots__ = ("_stamp",)

    def __init__(self) -> None:
        self._stamp: tuple[int, ...] | None = None

    def has_changed(self) -> bool:
        """Whether the file changed since the last question; True for the first one."""
        try:
            status = os.stat(HOST_FLOOR_PATH)  # noqa: PTH116  it is asked at decisions, and makes no objects
            stamp: tuple[int, ...] = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
        except OSError as exc:
            stamp = (exc.errno or 0,)
        has_changed, self._stamp = stamp != self._stamp, stamp
        return has_changed


def _read_file(path: Path) -> HostFloor:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status, text = os.fstat(file.fileno()), file.read(_MAX_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return HostFloor()
    except OSError as exc:
        # INVARIANT: FLOOR - a floor that cannot be read is not taken for none.
        raise _make_error(f"`{path}` cannot be read: {exc.strerror}") from exc
    is_protected = os.geteuid() != 0 and all(map(_is_roots, (status, path.parent.stat())))
    return HostFloor(_parse(text, f"`{path}`"), str(path), is_protected)


def _is_roots(status: os.stat_result) -> bool:
    return status.st_uid == 0 and not status.st_mode & _WRITABLE_BY_OTHERS


def _parse(text: str, where: str) -> Mode:
    try:
        return Mode(text.strip())
    except ValueError:
        raise _make_error(f"{where} contains `{text.strip()[:32]}`, which is not a mode") from None


def _make_error(problem: str) -> ConfigError:
    return ConfigError("bad_floor", problem, field="floor", remedy="write `enforce` or `observe` there, or remove it")


class HomeFloor:
    """The tenants of a home that were put in enforce mode, according to its file.

    Args:
        home: folder of the home.
    """

    __slots__ = ("_home",)

    def __init__(self, home: Path) -> None:
        self._home = home

    def read(self, tenant: str) -> Mode:
        """The floor noted for a tenant; `enforce` if the file cannot be read."""
        return Mode.ENFORCE if tenant in self._load(unreadable=(tenant,)) else Mode.OBSERVE

    def list_raised(self) -> list[str]:
        """The tenants whose floor was raised."""
        return sorted(self._load(unreadable=()))

    def raise_for(self, tenant: str) -> None:
        """Note that the floor of a tenant is `enforce`.

        Raises:
            OSError: the home cannot be written.
        """
        if tenant in self._load(unreadable=()):
            return
        self._write(tenant, ())

    def read_ended(self, tenant: str) -> frozenset[str]:
        """Entries of a tenant's waivers that are noted as ended."""
        return frozenset(self._load(unreadable=()).get(tenant, ()))

    def note_ended(self, tenant: str, waivers: Iterable[str]) -> None:
        """Note that waivers have ended, so that deleting the entry that ended one does not restore it.

        Raises:
            OSError: the home cannot be written.
        """
        if not set(waivers) <= self.read_ended(tenant):
            self._write(tenant, waivers)

    def _write(self, tenant: str, ended: Iterable[str]) -> None:
        with hold_file_lock(self._home / f"{_HOME_FILE}.lock"):
            noted = self._load(unreadable=())
            noted[tenant] = tuple(dict.fromkeys((*noted.get(tenant, ()), *ended)))[-_MAX_ENDED:]
            tree = {
                name: {"ended": list(waivers), "floor": Mode.ENFORCE.value} for name, waivers in sorted(noted.items())
            }
            replace_file(self._home / _HOME_FILE, json.dumps(tree, indent=2).encode() + b"\n")

    def _load(self, *, unreadable: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Entries of ended waivers, by each tenant whose floor was raised."""
        try:
            data = (self._home / _HOME_FILE).read_bytes()
        except FileNotFoundError:
            return {}
        except OSError:
            return dict.fromkeys(unreadable, ())
        try:
            tree = json.loads(data[:_MAX_BYTES])
            return {
                str(name): tuple(map(str, item["ended"]))
                for name, item in tree.items()
                if item["floor"] == Mode.ENFORCE.value
            }
        except (AttributeError, KeyError, TypeError, ValueError):
            return dict.fromkeys(unreadable, ())  # INVARIANT: FLOOR - a damaged file is not taken for an empty one
