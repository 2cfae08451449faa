"""Verifying a store with the trusted keys, the anchor and the content key of its home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError, Gap
from halo_core.ledger import Report, Trust, parse_vkey, read_anchors
from halo_core.ledger.verify import verify
from halo_core.store import StoreConfig, writer_chains
from halo_core.store.reader import Reader
from halo_core.store.writer_chains import find_anchored_note, select_anchors


def verify_store(
    url: str,
    home: Path,
    *,
    signatures: bool = False,
    fast: bool = False,
    processes: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> Report:
    """Verify every tenant of a store.

    Args:
        url: SQLAlchemy URL.
        home: folder with trust.json, anchor.json and, to open content, the content key.
        signatures: check every writer signature as well.
        fast: only hashes, tree, checkpoints and anchors.
        processes: how many verify signatures where there are many. They are spawned, so a script that asks for more
            than one must guard its start with `if __name__ == "__main__"`.
        progress: called now and then with the pass and the rows done.

    Raises:
        ConfigError: there is no such store, or nothing in `home` to trust.
        Tampered: the anchor file is damaged.
        Gap: the anchor is of a ledger that is not there any more.
    """
    logs = writer_chains.load_trusted_keys(home)
    if not logs:
        raise ConfigError(
            "no_trust",
            f"`{home}` has no trusted key",
            field="home",
            remedy="set HALO_HOME to the home that created the log",
        )
    anchors_by_store = read_anchors(home / "anchor.json")
    try:
        opened = Reader(url)
    except ConfigError as exc:
        if exc.code in ("no_database", "no_store") and select_anchors(anchors_by_store, url, home):
            raise Gap(
                "ledger_behind_anchor",
                f"there is an anchor for a ledger here, but {exc.message}",
                remedy="restore the newest copy",
            ) from exc
        raise
    with opened as reader:
        anchors = {
            tenant: note
            for tenant in logs
            if (note := find_anchored_note(anchors_by_store, reader.database, StoreConfig(url, home, tenant)))
            is not None
        }
        keys = {tenant: parse_vkey(text) for tenant, text in logs.items()}
        anywhere = frozenset(tenant for store in anchors_by_store.values() for tenant in store)
        trust_anchors = Trust(keys, anchors=anchors, kek=_load_content_key(home), elsewhere=anywhere - set(anchors))
        return verify(reader, trust_anchors, signatures=signatures, fast=fast, processes=processes, progress=progress)


def _load_content_key(home: Path) -> bytes | None:
    keys = KeyStore(home)
    return keys.secret("content") if "content" in keys.names() else None
