"""Room: rotating and retiring issuers. Takes: a store, key folder, authorities. Gives: entries. Never: shows a secret.

After a rotation the old key signs nothing any more, and what it signed is good until the overlap ends.
"""

from __future__ import annotations

import base64
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from halo_core.authorities import Authorities
from halo_core.errors import ConfigError
from halo_core.keys import Ed25519Signer, KeyStore
from halo_core.model import EntryKind
from halo_core.store import Draft, Store, Tx

__all__ = ["ISSUER", "Rotation", "current", "record_retirement", "retire", "rotate", "swap", "sweep"]

ISSUER: Final = "issuer"
_NEXT: Final = "issuer-next"
_OLD: Final = "issuer-"


@dataclass(frozen=True, slots=True)
class Rotation:
    """The key that goes and the one that comes; until when the old one's passports are good, µs since the epoch."""

    old: str
    new: str
    until_us: int


def rotate(store: Store, keys: KeyStore, authorities: Authorities, *, overlap_s: int, by: str, now_us: int) -> Rotation:
    """Trust a new issuer key for the store's tenant, and the old one until the overlap ends; `swap` then uses it.

    May be run again after a crash: the new key waits in the folder until `swap`.

    Raises:
        ConfigError: `no_issuer`, the folder holds no issuer key.
        CannotDecide: it could not be recorded; then nothing changes.
    """
    old, new = _old(keys), keys.signer(_NEXT)
    until_us = now_us + overlap_s * 1_000_000
    body = {
        "act": "rotate",
        "by": by,
        "key": base64.b64encode(new.public_key).decode("ascii"),
        "kid": new.key_id,
        "old": old.key_id,
        "role": "issuer",
        "since_us": now_us,
        "until_us": until_us,
    }

    def job(tx: Tx) -> None:
        tx.append(Draft(EntryKind.AUTHORITY, "", body))
        if old.key_id not in authorities.load(tx.tenant).issuers:
            authorities.add_issuer(tx.tenant, old.public_key, 0)
        authorities.add_issuer(tx.tenant, new.public_key, now_us)
        authorities.retire_issuer(tx.tenant, old.key_id, until_us)

    store.commit(job)
    return Rotation(old.key_id, new.key_id, until_us)


def current(keys: KeyStore) -> str:
    """Thumbprint of the issuer key in a folder; ConfigError `no_issuer` where there is none."""
    return _old(keys).key_id


def swap(keys: KeyStore) -> Path:
    """Put the new issuer key in the old one's place; the path under which the old one is kept."""
    old, home = _old(keys), keys.home
    kept = home / f"{_OLD}{old.key_id[:8].lower()}.key"
    # A second name first, then one rename: at no moment is there no issuer key, which somebody would then make.
    with contextlib.suppress(FileExistsError):
        kept.hardlink_to(home / f"{ISSUER}.key")
    (home / f"{_NEXT}.key").replace(home / f"{ISSUER}.key")
    _sync(home)
    return kept


def retire(authorities: Authorities, tenant: str, *, kid: str, now_us: int) -> str:
    """Trust an issuer no longer, from now on; its thumbprint, to be recorded with `record_retirement`.

    Raises:
        ConfigError: `unknown_key`, no issuer's thumbprint is or starts with `kid`, or several do.
    """
    known = authorities.load(tenant).issuers
    found = [name for name in known if kid and name.startswith(kid)]
    if len(found) != 1:
        raise ConfigError(
            "unknown_key", f"{len(found)} issuers have a key `{kid[:64]}`", field="kid", remedy="see `halo keys report`"
        )
    authorities.retire_issuer(tenant, found[0], now_us)
    return found[0]


def record_retirement(tx: Tx, kid: str, *, by: str, now_us: int) -> None:
    """Write down what `retire` did."""
    body = {"act": "retire", "by": by, "kid": kid, "role": "issuer", "until_us": now_us}
    tx.append(Draft(EntryKind.AUTHORITY, "", body))


def sweep(keys: KeyStore, authorities: Authorities, now_us: int) -> list[str]:
    """Remove kept issuer keys that no tenant trusts any more; their file names."""
    gone = []
    for name in keys.names():
        if not name.startswith(_OLD) or name == _NEXT:
            continue
        kid = keys.signer(name).key_id
        known = [authorities.load(tenant) for tenant in authorities.tenants()]
        if any(kid in item.issuers for item in known) and not any(kid in item.issuer_keys(now_us) for item in known):
            (keys.home / f"{name}.key").unlink(missing_ok=True)
            gone.append(f"{name}.key")
    if gone:
        _sync(keys.home)
    return gone


def _old(keys: KeyStore) -> Ed25519Signer:
    if ISSUER not in keys.names():
        raise ConfigError(
            "no_issuer", f"`{keys.home}` holds no issuer.key", field="key-home", remedy="name the issuer's folder"
        )
    return keys.signer(ISSUER)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
