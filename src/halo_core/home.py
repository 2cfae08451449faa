"""The home folder of an agent: its location, its database, and the manifest in force (`Declarations`)."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from halo_core.crypto import canonical
from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered, make_read_error
from halo_core.model import Mode, Origin
from halo_core.store import Store, Transaction
from halo_core.store.standing_passports import StandingTable

if TYPE_CHECKING:
    from halo_core.manifest import Manifest


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


def read_manifest(home: Path, tenant: str) -> Manifest | None:
    """The manifest `agents.yaml` of a home; None if there is none.

    Raises:
        ConfigError: it is not well formed, or is another tenant's.
    """
    path = home / "agents.yaml"
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as exc:
        raise make_read_error(path, exc, field="manifest", code="no_manifest") from exc
    from halo_core.manifest import load_manifest  # noqa: PLC0415  it imports YAML

    manifest = load_manifest(text, source=str(path))
    if manifest.tenant != tenant:
        raise ConfigError(
            "wrong_tenant",
            f"`{path}` is for tenant `{manifest.tenant}`, but this store is for `{tenant}`",
            field="tenant",
            remedy="use a separate home for each tenant",
        )
    return manifest


_VERIFY_REMEDY: Final = "run `halo verify`"


class Declarations:
    """The manifest in force for an agent. Thread-safe.

    INVARIANT: AUDIT - for an agent with an issued passport, that is the text it was issued from, which the ledger
    holds; the file in the home counts only until a passport is issued.
    """

    def __init__(self, store: Store, home: Path, agent: str) -> None:
        self._store = store
        self._home = home
        self._agent = agent
        self._lock = threading.Lock()
        self._is_read = False
        self._hash = ""
        self._manifest: Manifest | None = None

    def current(self) -> Manifest | None:
        """The manifest as last read, None if there is none; reads only the first time.

        Raises:
            See `refresh`.
        """
        return self._manifest if self._is_read else self.refresh()

    def refresh(self) -> Manifest | None:
        """Read the manifest in force again if another one was issued.

        Raises:
            ConfigError: a manifest in the home is not well formed, or of another tenant.
            Tampered: the issued text was changed.
            Gap: the issued text is missing.
            CannotDecide: the store cannot be used, and nothing was read before.
        """
        with self._lock:
            try:
                issued = self._store.commit(self._read_issued)
            except CannotDecide:
                if not self._is_read:
                    raise
                return self._manifest  # no decision is possible either, so an old manifest does no harm
            if issued is None:
                if not self._is_read:
                    self._manifest = read_manifest(self._home, self._store.tenant)
            elif not self._is_read or issued[0] != self._hash:
                self._manifest = _load_issued(*issued)
                self._hash = issued[0]
            self._is_read = True
            return self._manifest

    def _read_issued(self, tx: Transaction) -> tuple[str, bytes | None] | None:
        row = StandingTable(tx).get(self._agent)
        if row is None or row.origin == "derived":
            return None
        is_unchanged = self._is_read and row.manifest == self._hash
        return row.manifest, None if is_unchanged or not row.manifest else tx.load_blob(row.manifest)


def _load_issued(name: str, data: bytes | None) -> Manifest | None:
    if not name:  # issued by other means than from a manifest
        return None
    if data is None:
        raise Gap("manifest_missing", "the issued manifest is missing from the store", remedy=_VERIFY_REMEDY)
    from halo_core.manifest import MANIFEST_DOMAIN, load_manifest  # noqa: PLC0415  it imports YAML

    if canonical.digest(MANIFEST_DOMAIN, data) != name:
        raise Tampered("manifest_altered", "the issued manifest was changed in the store", remedy=_VERIFY_REMEDY)
    return load_manifest(data.decode("utf-8"), source="the issued manifest")


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
