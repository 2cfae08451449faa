"""The home folder of an agent: its location and its database; and the process that opens it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from halo_core.errors import ConfigError
from halo_core.model import Mode, Origin


def default_home() -> Path:
    """`HALO_HOME`, or `.halo` in the working directory if that is unset or empty."""
    return Path(os.environ.get("HALO_HOME") or ".halo")


def default_url(home: Path) -> str:
    """URL of the SQLite database in a home."""
    return f"sqlite:///{home / 'halo.db'}"


class HomeRelocation(Protocol):
    """Replaces the homes that an application names by others: a drill opens copies."""

    def locate(self, home: Path, url: str) -> tuple[Path, str]:
        """The home and the database to open instead of these."""
        ...

    def add(self, halo: Any) -> None:
        """Register a facade that was opened."""
        ...


_relocation: HomeRelocation | None = None


@contextmanager
def relocated_homes(relocation: HomeRelocation) -> Iterator[None]:
    """Relocate every home that this process opens, until the block ends."""
    global _relocation  # noqa: PLW0603  whoever opens a home is the application's code, which passes nothing on
    earlier, _relocation = _relocation, relocation
    try:
        yield
    finally:
        _relocation = earlier


def find_relocation() -> HomeRelocation | None:
    """The relocation in force; None if there is none."""
    return _relocation


def parse_mode(mode: str | None) -> Mode | None:
    """The mode with this name; None stays None.

    Raises:
        ConfigError: `bad_mode`.
    """
    if mode is None:
        return None
    try:
        return Mode(mode)
    except ValueError as exc:
        raise ConfigError(
            "bad_mode", f"`{mode}` is not a mode", field="mode", remedy="use `observe` or `enforce`"
        ) from exc


def describe_process(framework: str) -> Origin:
    """This process, as entries record the origin of a request."""
    process = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    host = socket.gethostname()
    return Origin(host=host, pid=os.getpid(), process=process, network="local", framework=framework)
