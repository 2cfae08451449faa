"""The manifest in force for an agent: the one that its passport was issued from, else the file in the home."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from halo_core.crypto import canonical
from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered, make_read_error
from halo_core.store.standing_passports import StandingTable
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.manifest import Manifest


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
