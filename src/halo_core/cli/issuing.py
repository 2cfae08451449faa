"""Room: issuing a standing passport from a manifest. Takes: a home, a manifest. Gives: a plan; records what it says.

The issuer's key may lie in a folder of its own (`--key-home`), so that who runs the agents need not hold it. Never:
issues under a key that the home does not trust, unless the key is the home's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.cli.manifests import catalogue
from halo_core.cli.passport_diff import Change, changes
from halo_core.cli.passport_files import Kept, current, peek, revocations
from halo_core.custody import issuer_facts
from halo_core.errors import CannotDecide, ConfigError, PassportError
from halo_core.keys import KeyStore, Signer, agent_key_name, key_id
from halo_core.manifest import Issue, Manifest
from halo_core.model import EntryKind, Link, LinkKind, Revocation
from halo_core.passport import MAX_DEPTH, mint_standing, token_hash, verify_standing
from halo_core.pdp import revokes
from halo_core.store import Draft, Store, StoreConfig, Tx
from halo_core.store.reader import Reader
from halo_core.store.rows import Standings

__all__ = ["Issued", "issue", "plan"]

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Issued:
    """A passport as it was or would be issued, and how it differs from the one before."""

    link: Link
    before: Link | None
    changes: tuple[Change, ...]
    by_hand: bool = False
    """Whether the one before was issued; one that was derived is nobody's decision."""

    def wider(self) -> tuple[Change, ...]:
        """What it allows beyond the one before: a new line counts where somebody decided without it."""
        return tuple(item for item in self.changes if item.wider() and (self.by_hand or item.sign != "+"))


def plan(url: str, manifest: Manifest, agent: str, now_us: int, *, spare: bool = False) -> tuple[Issue, Issued]:
    """What would be issued, unsigned.

    Args:
        url: the store.
        manifest: what is wanted.
        agent: for whom.
        now_us: the time.
        spare: note budgets that nothing spends instead of refusing them.

    Raises:
        ConfigError: the manifest does not fit what is registered, or the agent is revoked.
    """
    wanted = manifest.standing(agent, catalogue(url, manifest.tenant), spare=spare)
    kept, revoked = _known(url, manifest.tenant, agent)
    link = _unsigned(wanted, now_us // _US)
    _refuse_revoked(link, [item for item in revoked if item.scope in ("agent", "tenant")])
    return wanted, _compared(link, kept, wanted)


def _known(url: str, tenant: str, agent: str) -> tuple[Kept | None, list[Revocation]]:
    try:
        with Reader(url) as reader:
            return current(reader, tenant, agent), revocations(reader, tenant)
    except ConfigError as exc:
        if exc.code not in ("no_database", "no_store"):
            raise
        return None, []


def _compared(link: Link, kept: Kept | None, wanted: Issue) -> Issued:
    before = kept.links[0] if kept is not None else None
    facts = kept.entry.body if kept is not None and kept.entry is not None else {}
    found = changes(before, link, facts, wanted.facts)
    return Issued(link, before, tuple(found), by_hand=facts.get("origin", "derived") != "derived")


def _refuse_revoked(link: Link, revoked: Iterable[Revocation]) -> None:
    for item in revoked:
        if revokes(item, (link,), ""):
            own = item.scope in ("agent", "tenant")
            raise ConfigError(
                "revoked",
                f"{item.scope} `{item.target[:64]}` is revoked for good",
                field="agent",
                remedy="use another id" if own else "rotate the key, then issue",
            )


def _unsigned(wanted: Issue, now_s: int) -> Link:
    return Link(
        hash="",
        kind=LinkKind.STANDING,
        issuer="",
        key_id="",
        jti="",
        principal=wanted.principal,
        agent=wanted.agent,
        tenant=wanted.tenant,
        audience=(),
        issued_at_s=now_s,
        not_before_s=now_s,
        expires_at_s=now_s + wanted.lifetime_s,
        txn="",
        holder_key=b"",
        depth=0,
        max_depth=MAX_DEPTH,
        epoch=1,
        grants=wanted.grants,
        labels=wanted.labels,
        hand_off_to=wanted.hand_off_to,
        budgets=wanted.ceilings,
        owner=wanted.owner,
        quotas=wanted.quotas,
        terms=wanted.terms,
    )


def issue(url: str, home: Path, wanted: Issue, manifest: Manifest, *, key_home: Path | None = None) -> Issued:
    """Mint with the issuer's key, record, and make it the agent's passport, in one transaction.

    Raises:
        ConfigError: the key is not there, or not trusted.
        PassportError: the passport cannot hold all that.
        CannotDecide: it could not be recorded.
    """
    keys = KeyStore(home)
    authorities = Authorities(home)
    signer = _issuer(keys, key_home, trusting=bool(authorities.load(wanted.tenant).issuers))
    store = Store(StoreConfig(url, home, wanted.tenant), keys)
    try:
        _trust(authorities, wanted.tenant, signer, own=key_home is None, now_us=store.clock.now_us())
        holder = keys.signer(agent_key_name(wanted.agent)).public_key
        kept, _ = _known(url, wanted.tenant, wanted.agent)
        issued: Issued = store.commit(
            lambda tx: _record(tx, store, wanted, manifest, signer=signer, holder=holder, kept=kept)
        )
        store.checkpoint()
    finally:
        store.close()
    return issued


def _issuer(keys: KeyStore, key_home: Path | None, *, trusting: bool) -> Signer:
    folder = key_home or keys.home
    # A key is made only where nobody issues yet: a home whose issuer was taken away gets no other one.
    if not (folder / "issuer.key").exists() and (key_home is not None or trusting):
        raise ConfigError(
            "no_issuer",
            f"`{folder}` holds no issuer.key",
            field="key-home",
            remedy="name the issuer's folder with `--key-home`",
        )
    return (keys if key_home is None else KeyStore(key_home)).signer("issuer")


def _trust(authorities: Authorities, tenant: str, signer: Signer, *, own: bool, now_us: int) -> None:
    known = authorities.load(tenant)
    if signer.key_id in known.issuer_keys(now_us):
        return
    # INVARIANT: a home that trusts somebody already is not taught another issuer by the one who comes with a key.
    if not own or signer.key_id in known.issuers or (known.issuers and not _is_first(known.issuers, signer)):
        raise ConfigError(
            "unknown_key",
            f"this home does not trust the issuer's key `{signer.key_id}`",
            field="key-home",
            remedy="enrol it (`halo keys rotate`), or name the folder of the trusted one with `--key-home`",
        )
    authorities.add_issuer(tenant, signer.public_key, now_us)


def _is_first(issuers: Mapping[str, Any], signer: Signer) -> bool:
    return set(issuers) <= {signer.key_id}


def _record(
    tx: Tx, store: Store, wanted: Issue, manifest: Manifest, *, signer: Signer, holder: bytes, kept: Kept | None
) -> Issued:
    standings = Standings(tx)
    before = _before(tx, standings, wanted.agent)
    control = tx.control()
    now_s = store.clock.now_us() // _US
    token = mint_standing(
        signer=signer,
        tenant=wanted.tenant,
        agent=wanted.agent,
        principal=wanted.principal,
        audience=control.store,
        holder_public_key=holder,
        grants=wanted.grants,
        now_s=now_s,
        lifetime_s=wanted.lifetime_s,
        jti=store.ids.entry(),
        txn=store.ids.entry(),
        labels=wanted.labels,
        budgets=wanted.ceilings,
        hand_off_to=wanted.hand_off_to,
        owner=wanted.owner,
        quotas=wanted.quotas,
        terms=wanted.terms,
        # INVARIANT: ENV - what was spent today stays spent under a new passport.
        envelope=before.envelope if before is not None else f"agent:{wanted.agent}",
    )
    keys = {signer.key_id: signer.public_key}
    link = verify_standing(token, trusted=keys, audience=control.store, tenant=wanted.tenant)
    _refuse_revoked(link, control.revocations)
    issued = _compared(link, kept, wanted)
    _keep(tx, manifest)
    name = token_hash(token)
    if not tx.put_blob(name, token.encode("ascii")):
        raise CannotDecide("ledger_unwritable", "the store holds this passport already", remedy="run `halo verify`")
    facts = {
        "agent": link.agent,
        "changes": [change.text()[:500] for change in issued.changes[:200]],
        "expires_at_s": link.expires_at_s,
        "holder": key_id(holder),
        "issuer": issuer_facts(signer),
        "jti": link.jti,
        "kind": "standing",
        "manifest": manifest.hash,
        "origin": "issued",
        "owner": link.owner,
        "replaces": before.hash if before is not None else "",
        **wanted.facts,
    }
    tx.append(Draft(EntryKind.PASSPORT, "", {"hash": name, **facts}))
    standings.put(link.agent, name, "issued", manifest.hash)
    return issued


def _keep(tx: Tx, manifest: Manifest) -> None:
    """Keep the text: what it declares of tools is what the agent's processes go by."""
    data = manifest.text.encode("utf-8")
    if tx.put_blob(manifest.hash, data):
        tx.append(Draft(EntryKind.MANIFEST, "", {"hash": manifest.hash, "source": manifest.source}))
    elif tx.blob(manifest.hash) != data:
        raise CannotDecide("ledger_unwritable", "the store holds another manifest here", remedy="run `halo verify`")


def _before(tx: Tx, standings: Standings, agent: str) -> Link | None:
    row = standings.get(agent)
    data = tx.blob(row.hash) if row is not None else None
    try:
        return peek([data.decode("ascii")])[0] if data is not None else None
    except (PassportError, UnicodeError):
        return None  # what cannot be read serves nobody; the new one stands by itself
