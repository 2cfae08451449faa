"""Keys of issuers and approvers: enrolling, withdrawing, rotating, retiring, loading and reporting them.

Each change is made in `authorities.json` and recorded in the ledger. After a rotation the old key signs nothing more,
and what it signed stays valid until the overlap ends. Reports never contain a secret.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from halo_core.authorities import Authorities, TrustedKeys, make_approver_key_name
from halo_core.crypto.keys import Ed25519Signer, KeyStore, compute_key_thumbprint, encode_base64
from halo_core.errors import ConfigError, Denied
from halo_core.files import sync_folder
from halo_core.ledger.control_history import make_enrol_terms
from halo_core.model import Actor, EntryKind
from halo_core.oversight.control_acts import require_signatures, signed_member
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction


def enrol_approver(
    store: Store, authorities: Authorities, *, name: str, public_key: bytes, by: Actor | str, now_us: int
) -> str:
    """Enrol an approver as `enrol_person`, without signatures: enough while fewer than two people are enrolled."""
    return enrol_person(store, authorities, name=name, public_key=public_key, by=by, now_us=now_us, role="approver")


def enrol_person(
    store: Store,
    authorities: Authorities,
    *,
    name: str,
    public_key: bytes,
    by: Actor | str,
    now_us: int,
    role: str,
    signed: Sequence[str] = (),
    is_here: bool = False,
) -> str:
    """Enrol somebody as `approver` or `operator` with this key from now on; returns the key's thumbprint.

    Args:
        store: store with the tenant's log.
        authorities: authorities of the home.
        name: name of the person.
        public_key: 32 bytes.
        by: who enrols.
        now_us: time from which on it is valid, microseconds since the epoch.
        role: `approver` (answers challenges, and signs control acts) or `operator` (signs control acts).
        signed: signatures of the act `enrol`, of which two are needed where two people are enrolled.
        is_here: the private key is known to be on this machine.

    Raises:
        BadInput: `weak_key`.
        ConfigError: like `Authorities.add_person`; then nothing is recorded either.
        Denied: `signatures_needed`.
        CannotDecide: it could not be recorded; then nobody is enrolled.
    """
    key, kid = encode_base64(public_key), compute_key_thumbprint(public_key)
    here = is_here or _holds_key(store.keys, kid)

    def job(tx: Transaction) -> str:
        # Enrolling somebody who is enrolled already changes nothing, so it needs no signature.
        if kid not in authorities.load(tx.tenant).list_people(now_us):
            require_signatures(tx, "enrol", make_enrol_terms({"role": role, "key": key}), signed)
        more = signed_member(signed)
        # In the same transaction: an enrolment that cannot be recorded does not happen.
        _record(tx, "enrol", role, by, key=key, kid=kid, name=name, since_us=now_us, here=here, **more)
        return authorities.add_person(tx.tenant, name, public_key, now_us, role=role)

    return store.commit(job)


def _holds_key(keys: KeyStore, kid: str) -> bool:
    """Whether the private key is in a key folder, where the agents' process can read it."""
    for name in keys.names():
        if name.startswith(("approver-", "operator-")):
            with contextlib.suppress(ConfigError):
                if keys.signer(name).key_id == kid:
                    return True
    return False


def record_withdrawal(
    tx: Transaction,
    kids: list[str],
    *,
    name: str,
    by: Actor | str,
    now_us: int,
    role: str = "approver",
    signed: Sequence[str] = (),
) -> None:
    """Record what `Authorities.withdraw_person` did.

    The file comes first, so that a withdrawal is in force even if the ledger cannot be written.
    """
    for kid in kids:
        more = signed_member(signed)
        _record(tx, "withdraw", role, by, kid=kid, name=name, until_us=now_us, **more)


def _record(tx: Transaction, act: str, role: str, by: Actor | str, **details: object) -> None:
    body: dict[str, object] = {"act": act, "role": role, **details}
    named: SealedFields = ()
    if "name" in details:
        reference = tx.references.of_person(str(details["name"]))
        body["name"], named = reference, ((reference, {"name": str(details["name"]).encode()}),)
    tx.append(Draft(EntryKind.AUTHORITY, "", body, others=named, actor=Actor.of(by)))


ISSUER: Final = "issuer"
_NEXT_NAME: Final = "issuer-next"
_KEPT_PREFIX: Final = "issuer-"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Thumbprints of the old and the new key, and until when the old one's passports are valid, µs since the epoch."""

    old: str
    new: str
    until_us: int


def rotate_issuer(
    store: Store, keys: KeyStore, authorities: Authorities, *, overlap_s: int, by: Actor | str, now_us: int
) -> Rotation:
    """Trust a new issuer key for the store's tenant, and the old one until the overlap ends.

    `swap_issuer_keys` then puts it in use. May be run again after a crash: the new key waits in the folder until then.

    Raises:
        ConfigError: `no_issuer`, the folder holds no issuer key; `key_retired`, the new key was trusted before.
        CannotDecide: it could not be recorded; then nothing changes.
    """
    old, new = _load_issuer(keys), keys.signer(_NEXT_NAME)
    until_us, retired_us = now_us + overlap_s * 1_000_000, _retired_at(authorities, old.key_id)
    if retired_us is not None:
        until_us = min(until_us, retired_us)
    key = encode_base64(new.public_key)

    def job(tx: Transaction) -> None:
        kids = {"kid": new.key_id, "old": old.key_id}
        _record(tx, "rotate", "issuer", by, key=key, since_us=now_us, until_us=until_us, **kids)
        authorities.add_issuer(tx.tenant, new.public_key, now_us)
        # INVARIANT: a key that one tenant retired does not become trusted by another.
        if old.key_id not in authorities.load(tx.tenant).issuers and retired_us is None:
            authorities.add_issuer(tx.tenant, old.public_key, 0)
        if old.key_id in authorities.load(tx.tenant).issuers:
            authorities.retire_issuer(tx.tenant, old.key_id, until_us)

    store.commit(job)
    return Rotation(old.key_id, new.key_id, until_us)


def find_current_key_id(keys: KeyStore) -> str:
    """Thumbprint of the issuer key in a folder; ConfigError `no_issuer` where there is none."""
    return _load_issuer(keys).key_id


def swap_issuer_keys(keys: KeyStore) -> Path:
    """Put the new issuer key in the old one's place; returns the path under which the old one is kept."""
    old, home = _load_issuer(keys), keys.home
    kept_path = _kept_key_path(keys, old.key_id)
    # A second name first, then one rename: there is an issuer key at any moment, so that no process makes one.
    with contextlib.suppress(FileExistsError):
        kept_path.hardlink_to(home / f"{ISSUER}.key")
    (home / f"{_NEXT_NAME}.key").replace(home / f"{ISSUER}.key")
    sync_folder(home)
    return kept_path


def _kept_key_path(keys: KeyStore, kid: str) -> Path:
    """A path for a replaced issuer key that no other key has.

    Some file systems ignore case, so the lowercased starts of two thumbprints can be equal: then more of it is used.
    """
    for length in (8, 16, 43):
        name = f"{_KEPT_PREFIX}{kid[:length].lower()}"
        if name not in keys.names() or keys.signer(name).key_id == kid:
            break
    return keys.home / f"{name}.key"


def is_issuer_in_use(keys: KeyStore, trusted: TrustedKeys, kid: str, now_us: int) -> bool:
    """Whether passports are issued with this key now: it is the folder's key, or the only one trusted."""
    with contextlib.suppress(ConfigError):
        if find_current_key_id(keys) == kid:
            return True
    return set(trusted.issuer_keys(now_us)) == {kid}


def resolve_key_id(trusted: TrustedKeys, kid: str) -> str:
    """The full thumbprint of an issuer's key.

    Raises:
        ConfigError: `unknown_key`, no issuer's thumbprint is or starts with `kid`, or several do.
    """
    matches = [name for name in trusted.issuers if kid and name.startswith(kid)]
    if len(matches) != 1:
        message = f"{len(matches)} issuers have a key `{kid[:64]}`"
        raise ConfigError("unknown_key", message, field="kid", remedy="see `halo keys report`")
    return matches[0]


def _retired_at(authorities: Authorities, kid: str) -> int | None:
    records = [authorities.load(tenant).issuers.get(kid) for tenant in authorities.tenants()]
    ends = [item.until_us for item in records if item is not None and item.until_us is not None]
    return min(ends, default=None)


def retire_issuer(authorities: Authorities, tenant: str, *, kid: str, now_us: int) -> str:
    """Stop trusting an issuer from now on; returns its full thumbprint, for `record_retirement`.

    Raises:
        ConfigError: as `resolve_key_id`.
    """
    full = resolve_key_id(authorities.load(tenant), kid)
    authorities.retire_issuer(tenant, full, now_us)
    return full


def record_retirement(tx: Transaction, kid: str, *, by: Actor | str, now_us: int) -> None:
    """Record what `retire_issuer` did."""
    _record(tx, "retire", "issuer", by, kid=kid, until_us=now_us)


def remove_expired_keys(keys: KeyStore, authorities: Authorities, now_us: int) -> list[str]:
    """Remove the files of old issuer keys that no tenant trusts any more; returns their names."""
    removed = []
    trusted = [authorities.load(tenant) for tenant in authorities.tenants()]
    for name in keys.names():
        if not name.startswith(_KEPT_PREFIX) or name == _NEXT_NAME:
            continue
        kid = keys.signer(name).key_id
        is_known = any(kid in item.issuers for item in trusted)
        if is_known and not any(kid in item.issuer_keys(now_us) for item in trusted):
            (keys.home / f"{name}.key").unlink(missing_ok=True)
            removed.append(f"{name}.key")
    if removed:
        sync_folder(keys.home)
    return removed


def _load_issuer(keys: KeyStore) -> Ed25519Signer:
    if ISSUER not in keys.names():
        raise ConfigError(
            "no_issuer",
            f"`{keys.home}` has no issuer.key",
            field="key-home",
            remedy="give the issuer's folder; `halo passport issue AGENT` creates the first issuer key",
        )
    return keys.signer(ISSUER)


# Start of a key file's name → what its key signs. The first match counts; a start without `-` is the whole name.
_USES: Final = (
    ("agent-", "session and hand-off passports of the agent"),
    ("approver-", "answers to challenges and control acts, as this approver"),
    ("operator-", "control acts, as this operator"),
    ("issuer-next", "nothing yet: `halo keys rotate` was not finished"),
    ("issuer-", "standing passports until its overlap ends (no longer used)"),
    ("issuer", "standing passports"),
    ("alerts", "alerts that are sent to webhooks"),
    ("log", "checkpoints, and the keys of the ledger's writers"),
    ("content", "nothing: decrypts sealed content"),
    ("digest", "nothing: keys the digests of arguments"),
    ("sketch", "nothing: keys the fingerprints of texts"),
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key file, without its content.

    Args:
        name: name of the file, without `.key`.
        kind: `ed25519`, `secret` or `unusable`.
        key_id: thumbprint of an `ed25519` key; else empty.
        signs: what the key signs; `nothing: …` says what else it is for.
        owner: account that owns the file.
        mode: permission bits, octal.
        readable: whether this process can read it.
        problem: why it is `unusable`; else empty.
    """

    name: str
    kind: str
    key_id: str
    signs: str
    owner: str
    mode: str
    readable: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of authorities.json; times are microseconds since the epoch.

    `live` says that it is trusted now, `here` that this process can read its private key, and so sign as its holder.
    """

    tenant: str
    role: str
    name: str
    key_id: str
    since_us: int
    until_us: int | None
    live: bool
    here: bool


def list_key_files(keys: KeyStore) -> list[KeyFile]:
    """Every key file of a folder, by name."""
    return [_describe_file(keys, name) for name in keys.names()]


def list_trusted_keys(trusted: Mapping[str, TrustedKeys], files: Sequence[KeyFile], now_us: int) -> list[TrustedKey]:
    """Every trusted key of every tenant, issuers first."""
    mine = {item.key_id for item in files if item.key_id and item.readable}
    rows = []
    for tenant, keys in sorted(trusted.items()):
        live = keys.issuer_keys(now_us).keys() | keys.list_people(now_us).keys()
        roles = (("issuer", keys.issuers), ("approver", keys.approvers), ("operator", keys.operators))
        for role, records in roles:
            for kid, item in records.items():
                times = (item.since_us, item.until_us)
                rows.append(TrustedKey(tenant, role, item.name, kid, *times, kid in live, kid in mine))
    return rows


def list_warnings(files: Sequence[KeyFile], trusted: Sequence[TrustedKey]) -> list[str]:
    """Warnings about the keys, as sentences."""
    sentences = []
    for item in trusted:
        if item.live and item.here:
            holder = f"issuer of tenant `{item.tenant}`" if item.role == "issuer" else f"{item.role} `{item.name}`"
            sentences.append(f"this process could sign as {holder} (key {item.key_id[:8]})")
    trusted_ids = {item.key_id for item in trusted}
    for file in files:
        if file.problem:
            sentences.append(f"`{file.name}.key`: {file.problem}")
        elif file.name == "issuer" and file.readable and file.key_id not in trusted_ids:
            sentences.append("this process could sign as issuer, with a key that is not in authorities.json")
    return sentences


def _describe_file(keys: KeyStore, name: str) -> KeyFile:
    path = keys.home / f"{name}.key"
    kind, key_id, problem = _read_kind(keys, name)
    status = path.lstat()
    owner = str(status.st_uid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    return KeyFile(
        name=name,
        kind=kind,
        key_id=key_id,
        signs=next((use for start, use in _USES if name == start or (start[-1] == "-" and name.startswith(start))), ""),
        owner=owner,
        mode=f"{status.st_mode & 0o777:03o}",
        readable=os.access(path, os.R_OK, effective_ids=True),
        problem=problem,
    )


def _read_kind(keys: KeyStore, name: str) -> tuple[str, str, str]:
    try:
        return "ed25519", keys.signer(name).key_id, ""
    except ConfigError as exc:
        if exc.code != "key_malformed":
            return "unusable", "", exc.message
    try:
        keys.secret(name)
    except ConfigError as exc:
        return "unusable", "", exc.message
    return "secret", "", ""


def load_signer(tenant: str, keys: KeyStore, home: Path, approver: str, now_us: int) -> Ed25519Signer:
    """The key of an enrolled approver.

    Raises:
        ConfigError: `no_approver_key`.
        Denied: `approver_not_enrolled`.
    """
    enrolled = Authorities(home).load(tenant).approver_keys(now_us)
    mine = {kid for kid, (name, _) in enrolled.items() if name == approver}
    if not mine:
        raise make_not_enrolled_error(approver, "is not enrolled")
    name = make_approver_key_name(approver)
    if name not in keys.names():  # a signer would be made on the spot otherwise
        message = f"`{keys.home}` has no key of the approver `{approver}` (`{name}.key`)"
        raise ConfigError(
            "no_approver_key", message, field="key-home", remedy="give the folder of the key with `--key-home`"
        )
    signer = keys.signer(name)
    if signer.key_id not in mine:
        raise make_not_enrolled_error(approver, "is enrolled with another key")
    return signer


def make_not_enrolled_error(approver: str, why: str) -> Denied:
    """The error that refuses an answer of a person whose key is not enrolled as an approver's."""
    remedy = "`halo approver list` shows the names that are enrolled; `halo approver enrol NAME` adds a person"
    return Denied("approver_not_enrolled", f"`{approver[:64]}` {why}", remedy=remedy)
