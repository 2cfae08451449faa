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

from halo_core.authorities import Authorities, Known
from halo_core.errors import ConfigError
from halo_core.keys import Ed25519Signer, KeyStore
from halo_core.model import EntryKind
from halo_core.store import Draft, Store, Tx

__all__ = [
    "ISSUER",
    "Rotation",
    "current",
    "in_use",
    "record_retirement",
    "resolve",
    "retire",
    "rotate",
    "swap",
    "sweep",
]

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
        ConfigError: `no_issuer`, the folder holds no issuer key; `key_retired`, the new key was trusted before.
        CannotDecide: it could not be recorded; then nothing changes.
    """
    old, new = _old(keys), keys.signer(_NEXT)
    until_us, ended = now_us + overlap_s * 1_000_000, _ended(authorities, old.key_id)
    if ended is not None:
        until_us = min(until_us, ended)
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
        authorities.add_issuer(tx.tenant, new.public_key, now_us)
        # INVARIANT: a key that any tenant retired is not trusted anew by one that never heard of it.
        if old.key_id not in authorities.load(tx.tenant).issuers and ended is None:
            authorities.add_issuer(tx.tenant, old.public_key, 0)
        if old.key_id in authorities.load(tx.tenant).issuers:
            authorities.retire_issuer(tx.tenant, old.key_id, until_us)

    store.commit(job)
    return Rotation(old.key_id, new.key_id, until_us)


def current(keys: KeyStore) -> str:
    """Thumbprint of the issuer key in a folder; ConfigError `no_issuer` where there is none."""
    return _old(keys).key_id


def swap(keys: KeyStore) -> Path:
    """Put the new issuer key in the old one's place; the path under which the old one is kept."""
    old, home = _old(keys), keys.home
    kept = _place(keys, old.key_id)
    # A second name first, then one rename: at no moment is there no issuer key, which somebody would then make.
    with contextlib.suppress(FileExistsError):
        kept.hardlink_to(home / f"{ISSUER}.key")
    (home / f"{_NEXT}.key").replace(home / f"{ISSUER}.key")
    _sync(home)
    return kept


def _place(keys: KeyStore, kid: str) -> Path:
    """A file of its own for each key: names tell no case, so two thumbprints may begin alike."""
    for length in (8, 16, 43):
        name = f"{_OLD}{kid[:length].lower()}"
        if name not in keys.names() or keys.signer(name).key_id == kid:
            break
    return keys.home / f"{name}.key"


def in_use(keys: KeyStore, known: Known, kid: str, now_us: int) -> bool:
    """Whether passports are issued with this key now: it is the folder's, or the only one trusted."""
    with contextlib.suppress(ConfigError):
        if current(keys) == kid:
            return True
    return set(known.issuer_keys(now_us)) == {kid}


def resolve(known: Known, kid: str) -> str:
    """The whole thumbprint of an issuer's key.

    Raises:
        ConfigError: `unknown_key`, no issuer's thumbprint is or starts with `kid`, or several do.
    """
    found = [name for name in known.issuers if kid and name.startswith(kid)]
    if len(found) != 1:
        raise ConfigError(
            "unknown_key", f"{len(found)} issuers have a key `{kid[:64]}`", field="kid", remedy="see `halo keys report`"
        )
    return found[0]


def _ended(authorities: Authorities, kid: str) -> int | None:
    known = [authorities.load(tenant).issuers.get(kid) for tenant in authorities.tenants()]
    ends = [item.until_us for item in known if item is not None and item.until_us is not None]
    return min(ends, default=None)


def retire(authorities: Authorities, tenant: str, *, kid: str, now_us: int) -> str:
    """Trust an issuer no longer, from now on; its thumbprint, to be recorded with `record_retirement`.

    Raises:
        ConfigError: `unknown_key`, no issuer's thumbprint is or starts with `kid`, or several do.
    """
    full = resolve(authorities.load(tenant), kid)
    authorities.retire_issuer(tenant, full, now_us)
    return full


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
            "no_issuer",
            f"`{keys.home}` holds no issuer.key",
            field="key-home",
            remedy="name the issuer's folder; `halo passport issue AGENT` makes a first one",
        )
    return keys.signer(ISSUER)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
