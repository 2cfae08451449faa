"""Copies of the homes that an application opens (`HomeCopies`), so that a drill never writes to the operator's.

Each home is copied once, with its database, keys, policy, manifest and grants. Each case of the drill works on a fresh
copy of that copy, so that no case sees what another one left behind.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from halo_core.errors import CannotDecide
from halo_core.facade import HaloBase
from halo_core.home import default_url
from halo_core.model import Mode
from halo_core.store_copy import copy_store

_SQLITE: Final = "sqlite:///"
_DATABASE: Final = "halo.db"
_NOT_COPIED: Final = ("*.db", "*.db-wal", "*.db-shm", "*.db-queue", "writers", "*.sock")
"""Of a home: databases are copied by their engine, and locks belong to processes that write to the original."""


class HomeCopies:
    """The homes that an application opens, each relocated into a folder of the drill.

    Args:
        folder: folder of the drill; its owner alone can read it.

    Attributes:
        halos: facades that were opened, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.halos: list[HaloBase] = []
        self._pristine: dict[tuple[Path, str], Path] = {}
        self._origins: list[tuple[Path, str]] = []
        self._number = 0
        self._live: Path | None = None

    def locate(self, home: Path, url: str) -> tuple[Path, str]:
        """A copy of a home, and of its database, in place of these."""
        key = home.absolute(), url
        if key not in self._pristine:
            target = self.folder / f"home-{len(self._pristine)}"
            _copy_home(home, url, target)
            self._pristine[key] = target
        self._origins.append(key)
        copied = self._copy_pristine(key, "load")
        return copied, default_url(copied)

    def add(self, halo: HaloBase) -> None:
        """Register a facade that was opened."""
        self.halos.append(halo)

    def renew(self, *, mode: Mode | None = None, flipped: Mode | None = None) -> None:
        """Move every facade to a fresh copy.

        Args:
            mode: what the application asks for, in place of what it asked for.
            flipped: a mode that is written into the database by hand.

        Raises:
            HaloError: a facade refuses to open so.
        """
        earlier, self._number = self._live, self._number + 1
        self._live = self.folder / f"case-{self._number}"
        homes = {key: self._copy_pristine(key, f"case-{self._number}") for key in dict.fromkeys(self._origins)}
        if flipped is not None:
            for home in homes.values():
                _write_mode(home / _DATABASE, flipped)
        for halo, key in zip(self.halos, self._origins, strict=True):
            halo.reopen(homes[key], default_url(homes[key]), mode=mode)
        if earlier is not None:
            shutil.rmtree(earlier, ignore_errors=True)

    def list_origins(self) -> list[tuple[Path, str]]:
        """The homes that the application opens, each with the URL of its database, in order."""
        return list(self._pristine)

    def list_homes(self) -> list[tuple[Path, str]]:
        """The copies in use now, each with the tenant of a facade over it."""
        return list(dict.fromkeys((halo.home, halo.store.tenant) for halo in self.halos))

    def close(self) -> None:
        """Close every facade."""
        for halo in self.halos:
            halo.close()

    def _copy_pristine(self, key: tuple[Path, str], name: str) -> Path:
        pristine = self._pristine[key]
        target = self.folder / name / pristine.name
        if not target.exists():
            shutil.copytree(pristine, target)
        return target


def _copy_home(home: Path, url: str, target: Path) -> None:
    """Copy a home and its database.

    Raises:
        CannotDecide: `not_copied`, it cannot be read.
    """
    try:
        target.mkdir(mode=0o700)
        if home.is_dir():
            # The anchor first: the copied database is never older than it.
            shutil.copytree(home, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        if url.startswith(_SQLITE):
            source = Path(url.removeprefix(_SQLITE).partition("?")[0])
            if source.is_file():
                _copy_database(source, target / _DATABASE)
        else:
            copy_store(url, default_url(target), target, in_use=True)
    except (OSError, sqlite3.Error, shutil.Error) as exc:
        problem = f"`{home}` cannot be copied for the drill: {exc}"
        raise CannotDecide("not_copied", problem, remedy="free space in TMPDIR") from exc


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database as of one moment, while others may write to it."""
    original, copied = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(target)
    with closing(original), closing(copied):
        original.backup(copied)
    target.chmod(0o600)


def _write_mode(database: Path, mode: Mode) -> None:
    """Change the mode as somebody with write access to the database could."""
    if not database.exists():
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE control SET mode=?", (mode.value,))
