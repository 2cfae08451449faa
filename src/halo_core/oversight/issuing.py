"""Issues standing passports from a manifest: signs them, records them, and puts them in force.

The issuer's key may be in a folder of its own (`key_home`), so that whoever runs the agents need not hold it.
`halo_core.views.passport_changes` describes what a new passport changes for its agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore, Signer, compute_key_thumbprint, make_agent_key_name
from halo_core.decision.checks import revocation_applies
from halo_core.durations import SECOND_US
from halo_core.enforcement.hand_offs import make_issuer_facts
from halo_core.enforcement.manifest_texts import store_manifest
from halo_core.errors import CannotDecide, ConfigError, PassportError, make_write_error
from halo_core.files import replace_file
from halo_core.manifest import Manifest, PassportSpec
from halo_core.model import EntryKind, Link, Revocation
from halo_core.os_user import describe_os_user
from halo_core.oversight.signed_entries import decode_link
from halo_core.passports import mint_standing, token_hash, verify_standing
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.standing_passports import StandingTable
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction


def issue(
    url: str,
    home: Path,
    wanted: PassportSpec,
    manifest: Manifest,
    *,
    changes: Sequence[str],
    key_home: Path | None = None,
) -> Link:
    """Mint a passport with the issuer's key, record it, and make it the agent's, in one transaction.

    Args:
        url: url of the store.
        home: folder of the agent's key and of `authorities.json`.
        wanted: what the passport grants, expanded from the manifest.
        manifest: the manifest, which is stored too.
        changes: how the passport differs from the one before, as sentences for the record.
        key_home: folder of the issuer's key; the home if None.

    Raises:
        ConfigError: `no_issuer`, `unknown_key`, `revoked`.
        PassportError: a claim is out of the range of a passport.
        CannotDecide: it could not be recorded.
    """
    keys = KeyStore(home)
    authorities = Authorities(home)
    signer = _load_issuer(keys, key_home, trusting=bool(authorities.load(wanted.tenant).issuers))
    store = Store(StoreConfig(url, home, wanted.tenant), keys)
    try:
        _trust_issuer(authorities, wanted.tenant, signer, is_home_key=key_home is None, now_us=store.clock.now_us())
        holder = keys.signer(make_agent_key_name(wanted.agent)).public_key
        link = store.commit(
            lambda tx: _record_passport(tx, store, wanted, manifest, signer=signer, holder=holder, changes=changes)
        )
        store.checkpoint()
    finally:
        store.close()
    return link


def _load_issuer(keys: KeyStore, key_home: Path | None, *, trusting: bool) -> Signer:
    folder = key_home or keys.home
    # A key is made only where no issuer is trusted yet: a home whose issuer's key was removed gets no new one.
    if not (folder / "issuer.key").exists() and (key_home is not None or trusting):
        message = f"`{folder}` has no issuer.key"
        raise ConfigError("no_issuer", message, field="key-home", remedy="give the issuer's folder with `--key-home`")
    return (keys if key_home is None else KeyStore(key_home)).signer("issuer")


def _trust_issuer(authorities: Authorities, tenant: str, signer: Signer, *, is_home_key: bool, now_us: int) -> None:
    trusted = authorities.load(tenant)
    if signer.key_id in trusted.issuer_keys(now_us):
        return
    # INVARIANT: a home that trusts an issuer does not come to trust another one because a passport is issued with it.
    if (
        not is_home_key
        or signer.key_id in trusted.issuers
        or (trusted.issuers and not set(trusted.issuers) <= {signer.key_id})
    ):
        raise ConfigError(
            "unknown_key",
            f"this home does not trust the issuer's key `{signer.key_id}`",
            field="key-home",
            remedy="enrol it (`halo keys rotate`), or give the folder of the trusted key with `--key-home`",
        )
    authorities.add_issuer(tenant, signer.public_key, now_us)


def _mint_passport(
    store: Store, wanted: PassportSpec, signer: Signer, holder: bytes, *, audience: str, envelope: str
) -> str:
    return mint_standing(
        signer=signer,
        tenant=wanted.tenant,
        agent=wanted.agent,
        principal=wanted.principal,
        audience=audience,
        holder_public_key=holder,
        grants=wanted.grants,
        now_s=store.clock.now_us() // SECOND_US,
        lifetime_s=wanted.lifetime_s,
        jti=store.ids.new_token_id(),
        txn=store.ids.new_token_id(),
        labels=wanted.labels,
        budgets=wanted.ceilings,
        hand_off_to=wanted.hand_off_to,
        owner=wanted.owner,
        quotas=wanted.quotas,
        terms=wanted.terms,
        envelope=envelope,
    )


def _record_passport(
    tx: Transaction,
    store: Store,
    wanted: PassportSpec,
    manifest: Manifest,
    *,
    signer: Signer,
    holder: bytes,
    changes: Sequence[str],
) -> Link:
    standing_rows = StandingTable(tx)
    before = _read_previous(tx, standing_rows, wanted.agent)
    control = tx.load_control()
    # INVARIANT: ENV - what was spent today stays spent under a new passport.
    envelope = before.envelope if before is not None else f"agent:{wanted.agent}"
    token = _mint_passport(store, wanted, signer, holder, audience=control.store, envelope=envelope)
    keys = {signer.key_id: signer.public_key}
    link = verify_standing(token, trusted=keys, audience=control.store, tenant=wanted.tenant)
    refuse_revoked(link, control.revocations)
    store_manifest(tx, manifest)
    name = token_hash(token)
    if not tx.put_blob(name, token.encode("ascii")):
        raise CannotDecide("ledger_unwritable", "the store already has this passport", remedy="run `halo verify`")
    body = {
        "hash": name,
        **_describe_link(link, signer, holder),
        "changes": [text[:500] for text in changes[:200]],
        "manifest": manifest.hash,
        "replaces": before.hash if before is not None else "",
        **wanted.facts,
    }
    tx.append(Draft(EntryKind.PASSPORT, "", body, actor=describe_os_user()))
    standing_rows.put(link.agent, name, "issued", manifest.hash)
    return link


def _describe_link(link: Link, signer: Signer, holder: bytes) -> dict[str, Any]:
    """What the entry of an issued passport says of the link itself."""
    return {
        "agent": link.agent,
        "expires_at_s": link.expires_at_s,
        "holder": compute_key_thumbprint(holder),
        "issuer": make_issuer_facts(signer),
        "jti": link.jti,
        "kind": "standing",
        "origin": "issued",
        "owner": link.owner,
    }


def _read_previous(tx: Transaction, standing_rows: StandingTable, agent: str) -> Link | None:
    """The passport that an agent has so far; None if there is none that can be read."""
    row = standing_rows.get(agent)
    data = tx.load_blob(row.hash) if row is not None else None
    try:
        return decode_link(data.decode("ascii"), None) if data is not None else None
    except (PassportError, UnicodeError):
        return None  # a passport that cannot be read is not in force, so the new one replaces nothing


def apply_manifest(
    url: str, home: Path, path: Path, manifest: Manifest, passports: Sequence[tuple[PassportSpec, Sequence[str]]]
) -> list[Link]:
    """Write a manifest's file, whole or not at all, and issue passports from it, each with its changes for the record.

    Raises:
        ConfigError: `no_manifest`, the file cannot be written; nothing was issued then.
    """
    KeyStore(home)  # makes the folder and checks its permissions
    write_manifest(path, manifest.text)
    return [issue(url, home, wanted, manifest, changes=changes) for wanted, changes in passports]


def write_manifest(path: Path, text: str) -> None:
    """Write a manifest's file, whole or not at all.

    Raises:
        ConfigError: `no_manifest`, it cannot be written.
    """
    try:
        replace_file(path, text.encode(), mode=0o666)
    except OSError as exc:
        raise make_write_error(path, exc, field="manifest", code="no_manifest") from exc


def refuse_revoked(link: Link, revoked: Iterable[Revocation]) -> None:
    """Refuse a passport of an agent, tenant or key that is revoked.

    Raises:
        ConfigError: `revoked`.
    """
    for item in revoked:
        if revocation_applies(item, (link,), ""):
            by_name = item.scope in ("agent", "tenant")
            raise ConfigError(
                "revoked",
                f"{item.scope} `{item.target[:64]}` is permanently revoked",
                field="agent",
                remedy="use another id" if by_name else "rotate the key, then issue",
            )
