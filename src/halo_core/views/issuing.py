"""Room: issuing a standing passport from a manifest. Takes: a home, a manifest. Gives: a plan; records what it says.

The issuer's key may lie in a folder of its own (`--key-home`), so that who runs the agents need not hold it. Never:
issues under a key that the home does not trust, unless the key is the home's own.

Room: grants proposed from what was recorded, for `halo enforce --grants`. Takes: a reader. Gives: a diff.

Never: proposes more than an agent has; issues without being told to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore, Signer, agent_key_name, key_thumbprint
from halo_core.decision import revocation_applies
from halo_core.enforcement import make_issuer_facts
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import CannotDecide, ConfigError, PassportError
from halo_core.manifest import Manifest, PassportSpec, load_manifest, replace_grants
from halo_core.model import ANY_OTHER, ActionKind, Constraint, EntryKind, Grants, Link, LinkKind, Revocation
from halo_core.passports import MAX_DEPTH, intersect_grants, mint_standing, token_hash, verify_standing
from halo_core.store import Draft, Store, StoreConfig, Transaction
from halo_core.store.log import SealedContents, read_entries
from halo_core.store.reader import Reader
from halo_core.store.rows import StandingTable
from halo_core.views.entitlements import Proposal, propose_grants
from halo_core.views.manifests import MANIFEST, find_manifest, load_catalogue, load_registrations, read_manifest_text
from halo_core.views.passport_changes import CHANGE_STYLE, Change, diff_passports
from halo_core.views.passports import StoredChain, decode_unverified, list_revocations, load_current_passport
from halo_core.views.wording import describe_arguments, safe_text

__all__ = [
    "IssuedPassport",
    "PreparedGrants",
    "ProposedGrants",
    "apply_grants",
    "issue",
    "list_proposals",
    "plan",
    "prepare_grants",
    "render_proposal",
]


_US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class IssuedPassport:
    """A passport as it was or would be issued, and how it differs from the one before."""

    link: Link
    before: Link | None
    changes: tuple[Change, ...]
    by_hand: bool = False
    """Whether the one before was issued; one that was derived is nobody's decision."""

    def list_widenings(self) -> tuple[Change, ...]:
        """What it allows beyond the one before: a new line counts where somebody decided without it."""
        return tuple(item for item in self.changes if item.is_wider() and (self.by_hand or item.sign != "+"))


def plan(
    url: str, manifest: Manifest, agent: str, now_us: int, *, spare: bool = False
) -> tuple[PassportSpec, IssuedPassport]:
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
    wanted = manifest.build_passport_spec(agent, load_catalogue(url, manifest.tenant), allow_unspent=spare)
    stored, revoked = _load_current(url, manifest.tenant, agent)
    link = _build_unsigned_link(wanted, now_us // _US_PER_S)
    _refuse_revoked(link, [item for item in revoked if item.scope in ("agent", "tenant")])
    return wanted, _compare(link, stored, wanted)


def _load_current(url: str, tenant: str, agent: str) -> tuple[StoredChain | None, list[Revocation]]:
    try:
        with Reader(url) as reader:
            return load_current_passport(reader, tenant, agent), list_revocations(reader, tenant)
    except ConfigError as exc:
        if exc.code not in ("no_database", "no_store"):
            raise
        return None, []


def _compare(link: Link, stored: StoredChain | None, wanted: PassportSpec) -> IssuedPassport:
    before = stored.links[0] if stored is not None else None
    facts = stored.entry.body if stored is not None and stored.entry is not None else {}
    differences = diff_passports(before, link, facts, wanted.facts)
    return IssuedPassport(link, before, tuple(differences), by_hand=facts.get("origin", "derived") != "derived")


def _refuse_revoked(link: Link, revoked: Iterable[Revocation]) -> None:
    for item in revoked:
        if revocation_applies(item, (link,), ""):
            by_name = item.scope in ("agent", "tenant")
            raise ConfigError(
                "revoked",
                f"{item.scope} `{item.target[:64]}` is permanently revoked",
                field="agent",
                remedy="use another id" if by_name else "rotate the key, then issue",
            )


def _build_unsigned_link(wanted: PassportSpec, now_s: int) -> Link:
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


def issue(
    url: str, home: Path, wanted: PassportSpec, manifest: Manifest, *, key_home: Path | None = None
) -> IssuedPassport:
    """Mint with the issuer's key, record, and make it the agent's passport, in one transaction.

    Raises:
        ConfigError: the key is not there, or not trusted.
        PassportError: the passport cannot hold all that.
        CannotDecide: it could not be recorded.
    """
    keys = KeyStore(home)
    authorities = Authorities(home)
    signer = _load_issuer(keys, key_home, trusting=bool(authorities.load(wanted.tenant).issuers))
    store = Store(StoreConfig(url, home, wanted.tenant), keys)
    try:
        _trust_issuer(authorities, wanted.tenant, signer, is_home_key=key_home is None, now_us=store.clock.now_us())
        holder = keys.signer(agent_key_name(wanted.agent)).public_key
        stored, _ = _load_current(url, wanted.tenant, wanted.agent)
        issued: IssuedPassport = store.commit(
            lambda tx: _record_passport(tx, store, wanted, manifest, signer=signer, holder=holder, stored=stored)
        )
        store.checkpoint()
    finally:
        store.close()
    return issued


def _load_issuer(keys: KeyStore, key_home: Path | None, *, trusting: bool) -> Signer:
    folder = key_home or keys.home
    # A key is made only where nobody issues yet: a home whose issuer was taken away gets no other one.
    if not (folder / "issuer.key").exists() and (key_home is not None or trusting):
        raise ConfigError(
            "no_issuer",
            f"`{folder}` has no issuer.key",
            field="key-home",
            remedy="give the issuer's folder with `--key-home`",
        )
    return (keys if key_home is None else KeyStore(key_home)).signer("issuer")


def _trust_issuer(authorities: Authorities, tenant: str, signer: Signer, *, is_home_key: bool, now_us: int) -> None:
    trusted = authorities.load(tenant)
    if signer.key_id in trusted.issuer_keys(now_us):
        return
    # INVARIANT: a home that trusts somebody already is not taught another issuer by the one who comes with a key.
    if (
        not is_home_key
        or signer.key_id in trusted.issuers
        or (trusted.issuers and not _is_first(trusted.issuers, signer))
    ):
        raise ConfigError(
            "unknown_key",
            f"this home does not trust the issuer's key `{signer.key_id}`",
            field="key-home",
            remedy="enrol it (`halo keys rotate`), or give the folder of the trusted key with `--key-home`",
        )
    authorities.add_issuer(tenant, signer.public_key, now_us)


def _is_first(issuers: Mapping[str, Any], signer: Signer) -> bool:
    return set(issuers) <= {signer.key_id}


def _record_passport(
    tx: Transaction,
    store: Store,
    wanted: PassportSpec,
    manifest: Manifest,
    *,
    signer: Signer,
    holder: bytes,
    stored: StoredChain | None,
) -> IssuedPassport:
    standing_rows = StandingTable(tx)
    before = _read_previous(tx, standing_rows, wanted.agent)
    control = tx.load_control()
    now_s = store.clock.now_us() // _US_PER_S
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
        jti=store.ids.new_entry_id(),
        txn=store.ids.new_entry_id(),
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
    issued = _compare(link, stored, wanted)
    _store_manifest(tx, manifest)
    name = token_hash(token)
    if not tx.put_blob(name, token.encode("ascii")):
        raise CannotDecide("ledger_unwritable", "the store already has this passport", remedy="run `halo verify`")
    facts = {
        "agent": link.agent,
        "changes": [change.text()[:500] for change in issued.changes[:200]],
        "expires_at_s": link.expires_at_s,
        "holder": key_thumbprint(holder),
        "issuer": make_issuer_facts(signer),
        "jti": link.jti,
        "kind": "standing",
        "manifest": manifest.hash,
        "origin": "issued",
        "owner": link.owner,
        "replaces": before.hash if before is not None else "",
        **wanted.facts,
    }
    tx.append(Draft(EntryKind.PASSPORT, "", {"hash": name, **facts}))
    standing_rows.put(link.agent, name, "issued", manifest.hash)
    return issued


def _store_manifest(tx: Transaction, manifest: Manifest) -> None:
    """Keep the text: what it declares of tools is what the agent's processes go by."""
    data = manifest.text.encode("utf-8")
    if tx.put_blob(manifest.hash, data):
        tx.append(Draft(EntryKind.MANIFEST, "", {"hash": manifest.hash, "source": manifest.source}))
    elif tx.load_blob(manifest.hash) != data:
        raise CannotDecide("ledger_unwritable", "the store has another manifest here", remedy="run `halo verify`")


def _read_previous(tx: Transaction, standing_rows: StandingTable, agent: str) -> Link | None:
    row = standing_rows.get(agent)
    data = tx.load_blob(row.hash) if row is not None else None
    try:
        return decode_unverified([data.decode("ascii")])[0] if data is not None else None
    except (PassportError, UnicodeError):
        return None  # what cannot be read serves nobody; the new one stands by itself


_MAX_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class ProposedGrants:
    """A proposal for one agent, and the grants that it comes to within what the agent has."""

    proposal: Proposal
    grants: Grants
    first: bool = False
    """Whether the agent has no passport yet, so that there is nothing to stay within."""


@dataclass(frozen=True, slots=True)
class PreparedGrants:
    """The manifest as it would be written, and the passports that it comes to."""

    path: Path
    text: str
    manifest: Manifest
    planned: tuple[tuple[PassportSpec, IssuedPassport], ...]


def list_proposals(
    reader: Reader, contents: SealedContents, tenant: str, *, tight: bool = False
) -> list[ProposedGrants]:
    """One for each agent that acted, by name."""
    agents = sorted(
        {
            proposals.entry.body["request"]["subject"]["agent"]
            for proposals in read_entries(reader, tenant, (EntryKind.DECISION,))
        }
    )
    schemas = {(item.resource.kind, item.resource.id): item for item in load_registrations(reader, tenant)}
    proposals = []
    for agent in agents:
        stored = load_current_passport(reader, tenant, agent)
        granted = stored.links[0].grants if stored is not None else {}
        usage = propose_grants(reader, contents, tenant, agent, granted=granted)
        wanted = _build_grants(usage, schemas, tight=tight)
        # A proposal takes away, it never adds.
        proposals.append(
            ProposedGrants(
                usage, intersect_grants(granted, wanted) if stored is not None else wanted, first=stored is None
            )
        )
    return proposals


def _build_grants(
    usage: Proposal, registered: Mapping[tuple[ActionKind, str], RegisteredResource], *, tight: bool
) -> Grants:
    """What was used. Other arguments of a tool's schema stay; with `tight` those it demands."""
    wanted: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    for kind, resources in usage.to_grants(tight=tight).items():
        for name, rules in resources.items():
            item = registered.get((kind, name))
            if kind is ActionKind.TOOL_CALL and item is not None:
                argument_names = _list_required_arguments(item) if tight else set(item.argument_names())
                rest = {
                    word: rule for word, rule in item.wildcard_grant().items() if word in argument_names - rules.keys()
                }
                wanted.setdefault(kind, {})[name] = {**rest, **rules}
            elif kind is ActionKind.TOOL_CALL:
                wanted.setdefault(kind, {})[name] = rules
            else:  # queries and prompts are free text
                wanted.setdefault(kind, {})[name] = {ANY_OTHER: Constraint.anything()}
    return wanted


def _list_required_arguments(item: RegisteredResource) -> set[str]:
    return set(item.schema.get("required", ()))


def render_proposal(view: Console, proposed: ProposedGrants) -> None:
    """What would be taken, what kept, what narrowed."""
    usage = proposed.proposal
    used = [item for item in usage.used if item.kind is not ActionKind.HANDOFF]  # hand-offs are the manifest's to say
    granted = {(kind, name) for kind, resources in usage.granted.items() for name in resources}
    granted_uses = [item for item in used if proposed.first or (item.kind, item.name) in granted]
    unused = [item for item in usage.list_unused() if item[0] is not ActionKind.HANDOFF]
    summary = "no passport yet" if proposed.first else f"granted {len(unused) + len(granted_uses)}"
    view.print(safe_text(usage.agent, "bold"), f": {summary}, used {len(granted_uses)}", sep="", end="")
    removed = "this one" if len(unused) == 1 else f"these {len(unused)}"
    view.print(f": {removed} would be removed" if unused else ": nothing would be removed")
    for kind, name in unused[:_MAX_ROWS]:
        view.print("  ", safe_text(f"- {_format_resource(kind, name)}", style=CHANGE_STYLE["-"]), sep="")
    if len(unused) > _MAX_ROWS:
        view.print(f"  … and {len(unused) - _MAX_ROWS} more")
    for item in granted_uses:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_format_resource(item.kind, item.name)} ({item.calls:,} calls): {describe_arguments(rules)}"
        view.print(safe_text(line))
    for item in used:
        if item not in granted_uses:
            line = f"  used before, not granted now, not proposed: {_format_resource(item.kind, item.name)} ({item.calls:,} calls)"
            view.print(safe_text(line, style="yellow"))
    for kind, name, count in usage.refused:
        view.print(
            safe_text(
                f"  denied every time, not proposed: {_format_resource(kind, name)} ({count:,} calls)", style="yellow"
            )
        )
    if usage.unread:
        view.print(f"  [yellow]arguments of {usage.unread:,} calls could not be decrypted[/]")


def _format_resource(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"


def prepare_grants(url: str, home: Path, tenant: str, proposed: list[ProposedGrants], now_us: int) -> PreparedGrants:
    """The manifest with these grants, and what would be issued from it; nothing is written.

    It is the one that `halo passport issue` would read; where there is none, a new one in the home.

    Raises:
        ConfigError: the manifest there cannot be read or edited.
    """
    try:
        path = find_manifest(home, None)
        text = read_manifest_text(path)
    except ConfigError as exc:
        if exc.code != "no_manifest" or (home / MANIFEST).exists():
            raise
        path, text = home / MANIFEST, ""
    for item in proposed:
        text = replace_grants(text, item.proposal.agent, item.grants, tenant=tenant, source=path.name)
    manifest = load_manifest(text, source=path.name)
    if manifest.tenant != tenant:
        raise ConfigError(
            "which_tenant", f"`{path}` is of tenant `{manifest.tenant[:64]}`", field="tenant", remedy=f"name {tenant}"
        )
    # Of a tool that is taken away its budget may stay: said, and no reason to stop here.
    planned = [plan(url, manifest, item.proposal.agent, now_us, spare=True) for item in proposed]
    return PreparedGrants(path, text, manifest, tuple(planned))


def apply_grants(
    url: str, home: Path, prepared: PreparedGrants, *, key_home: Path | None = None
) -> list[IssuedPassport]:
    """Write the manifest and issue passports from it.

    Raises:
        ConfigError: it cannot be written; nothing was issued then.
    """
    KeyStore(home)  # the folder, with its permissions checked
    _write(prepared.path, prepared.text)
    return [issue(url, home, wanted, prepared.manifest, key_home=key_home) for wanted, _ in prepared.planned]


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as exc:
        raise ConfigError("no_manifest", f"cannot write `{path}`: {exc.strerror}", field="manifest") from exc
