"""Verifying a store with the trusted keys, the anchor and the content key of its home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from halo_core.authorities import Authorities
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError, Gap
from halo_core.floors import HomeFloor
from halo_core.ledger import Report, Trust, parse_vkey, read_anchors
from halo_core.ledger.verify import verify
from halo_core.store import log_checkpoints
from halo_core.store.config import StoreConfig
from halo_core.store.log_checkpoints import find_anchored_note, select_anchors
from halo_core.store.reader import Reader
from halo_core.store.sealed_contents import load_home_content_key


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
    _load_trusted_keys(home)  # its absence is reported first
    try:
        opened = Reader(url)
    except ConfigError as exc:
        anchors = read_anchors(home / "anchor.json")
        if exc.code in ("no_database", "no_store") and select_anchors(anchors, url, home):
            raise Gap(
                "ledger_behind_anchor",
                f"there is an anchor for a ledger here, but {exc.message}",
                remedy="restore the newest copy",
            ) from exc
        raise
    with opened:
        return verify_reader(opened, home, signatures=signatures, fast=fast, processes=processes, progress=progress)


def verify_reader(reader: Reader, home: Path, *, anchors: Mapping[str, bytes] | None = None, **options: Any) -> Report:
    """Verify every tenant of a store that is already open.

    Args:
        reader: the store.
        home: see `verify_store`.
        anchors: tenant → checkpoint note that the log must contain; None takes those of the home for this store.
        options: see `verify_store`.

    Raises:
        See `verify_store`.
    """
    logs = _load_trusted_keys(home)
    anchors_by_store = read_anchors(home / "anchor.json")
    if anchors is None:
        anchors = find_anchors(reader, home, anchors_by_store)
    keys = {tenant: parse_vkey(text) for tenant, text in logs.items()}
    anywhere = frozenset(tenant for store in anchors_by_store.values() for tenant in store)
    trust = Trust(
        keys,
        anchors=anchors,
        kek=load_home_content_key(reader, KeyStore(home)),
        elsewhere=anywhere - set(anchors),
        raised=frozenset(HomeFloor(home).list_raised()),
        people=_load_people(home),
    )
    return verify(reader, trust, **options)


def find_anchors(reader: Reader, home: Path, anchors_by_store: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """Tenant → checkpoint note in the anchor file of a store, for tenants that the home trusts."""
    configs = [StoreConfig("", home, tenant) for tenant in log_checkpoints.load_trusted_keys(home)]
    notes = ((config.tenant, find_anchored_note(anchors_by_store, reader.database, config)) for config in configs)
    return {tenant: note for tenant, note in notes if note is not None}


def _load_trusted_keys(home: Path) -> dict[str, str]:
    logs = log_checkpoints.load_trusted_keys(home)
    if not logs:
        raise ConfigError(
            "no_trust",
            f"`{home}` has no trusted key",
            field="home",
            remedy="set HALO_HOME to the home that created the log",
        )
    return logs


def _load_people(home: Path) -> dict[str, frozenset[str]]:
    authorities, now_us = Authorities(home), SystemClock().now_us()
    return {tenant: frozenset(authorities.load(tenant).list_people(now_us)) for tenant in authorities.tenants()}
