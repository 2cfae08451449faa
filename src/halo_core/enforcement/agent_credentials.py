"""The credentials of an agent: its passport and its policy, kept in step with what is registered.

An agent with an issued passport uses that. Without one, in `local` mode, a standing link is minted here from what is
guarded (assurance `dev`), and again whenever a later `guard` adds something. What an earlier process of the agent
guarded stays granted, so that several processes share one passport.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.crypto.keys import Ed25519Signer, KeyStore, make_agent_key_name
from halo_core.decision.checks import revocation_applies
from halo_core.durations import SECOND_US
from halo_core.enforcement.call import Credentials
from halo_core.enforcement.hand_offs import make_issuer_facts
from halo_core.enforcement.manifest_texts import has_terms, store_manifest
from halo_core.enforcement.passport_store import PassportStore
from halo_core.enforcement.registry import RegisteredResource, Registry
from halo_core.errors import CannotDecide, PassportError
from halo_core.ledger.commitments import REGISTRATION_DOMAIN
from halo_core.manifest import DEFAULT_TERMS
from halo_core.model import (
    OUTPUT_OBLIGATIONS,
    ActionKind,
    Budget,
    Constraint,
    EntryKind,
    Grants,
    Link,
    Quota,
    SessionTerms,
)
from halo_core.os_user import describe_os_user
from halo_core.passports import mint_standing, token_hash
from halo_core.policy import CedarPolicy, PolicyBundle, action_id, apply_risk_threshold, may_reach_kind
from halo_core.quick_dataclass import dataclass
from halo_core.store.cached_rows import StandingPassport
from halo_core.store.control_state import put_policy_in_force
from halo_core.store.drafts import Draft
from halo_core.store.image import Control
from halo_core.store.rows import ResourceTable
from halo_core.store.standing_passports import StandingTable
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.manifest import Manifest

_LIFETIME_S: Final = 90 * 24 * 3600
_CEILING_FACTOR: Final = 3
_ISSUE_REMEDY: Final = "issue the agent's passport with `halo passport issue` where the key is"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a derived passport.

    Args:
        terms: what each session starts with.
        quotas: per day, over all sessions.
        ceilings: most that a re-authorization may raise a session to; None is three times what it starts with.
    """

    terms: SessionTerms = DEFAULT_TERMS
    quotas: tuple[Quota, ...] = ()
    ceilings: tuple[Budget, ...] | None = None

    def effective_ceilings(self) -> tuple[Budget, ...]:
        """The ceilings given, or three times what a session starts with."""
        if self.ceilings is not None:
            return self.ceilings
        return tuple(map(_raise_ceiling, self.terms.budgets))


def _sort_by_unit(limits: Limits) -> Limits:
    """The same limits in the order in which a passport has them, so that the two can be compared."""
    by_unit = attrgetter("unit")
    terms = replace(limits.terms, budgets=tuple(sorted(limits.terms.budgets, key=by_unit)))
    return replace(limits, terms=terms, quotas=tuple(sorted(limits.quotas, key=by_unit)))


def _raise_ceiling(budget: Budget) -> Budget:
    ceiling = min(budget.subtree * _CEILING_FACTOR, 2**53 - 1)
    return replace(budget, subtree=ceiling, per_action=ceiling if budget.unit == "time" else budget.per_action)


class AgentCredentials:
    """Credentials of one agent. Thread-safe."""

    def __init__(
        self,
        store: Store,
        keys: KeyStore,
        *,
        agent: str,
        user: str,
        grants: Mapping[str, Mapping[str, Constraint]] | None,
        policy_dir: Path,
        limits: Limits | None = None,
        read_manifest: Callable[[], Manifest | None] = lambda: None,
    ) -> None:
        self.authorities = Authorities(keys.home)
        self.passport_store = PassportStore(keys, self.authorities, agent, store.ids)
        if grants is not None or limits is not None:
            self.passport_store.set_passport_check(self._matches_options)
        self._store = store
        self._keys = keys
        self._agent = agent
        self._user = user
        self._grants = grants
        self.policy_dir = policy_dir
        self._limits = _sort_by_unit(limits or Limits())
        self._read_manifest = read_manifest
        self._has_explicit_limits = limits is not None
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        self._checked_policy: CedarPolicy | None = None
        self._registry_version = -1
        self._until_us = 0

    def current(self, registry: Registry) -> Credentials:
        """Credentials over everything registered so far.

        Raises:
            PolicyError: the policy does not parse.
            CannotDecide: a new passport could not be recorded.
        """
        # The version is read first: it is set last.
        if (
            self._registry_version == registry.version
            and (credentials := self._current) is not None
            and self._store.clock.now_us() < self._until_us
        ):
            return credentials
        with self._lock:
            # Read before renewing: what is registered meanwhile is left for the next call.
            version = registry.version
            if self._current is None or self._registry_version != version or not self._is_fresh():
                self._current = self._renew(registry)
                self._registry_version = version
            return self._current

    def is_ready(self, registry: Registry) -> bool:
        """Whether `current` returns at once; a coroutine asks this first, since renewal reads and writes files."""
        return self._current is not None and self._registry_version == registry.version and self._is_fresh()

    def _is_fresh(self) -> bool:
        return self._store.clock.now_us() < self._until_us

    def check_policy(self) -> None:
        """Load the policy once, so that a bad one is refused at start.

        Raises:
            PolicyError: it does not parse.
        """
        install_starter(self.policy_dir)
        self._checked_policy = CedarPolicy.compile(PolicyBundle.load([self.policy_dir], {}))

    def may_restrict_output(self, kind: ActionKind, registry: Registry) -> bool:
        """Whether the policy last read has an output obligation for this kind of action; True if unsure."""
        credentials = self._current
        policy = self._checked_policy if credentials is None else credentials.policy
        if not isinstance(policy, CedarPolicy):
            return True
        other_actions = {action_id(item.resource.id) for item in registry.items() if item.resource.kind is not kind}
        return any(
            item.obligation is not None
            and item.obligation.kind in OUTPUT_OBLIGATIONS
            and may_reach_kind(item, kind, other_actions)
            for item in policy.policies
        )

    def _renew(self, registry: Registry) -> Credentials:
        bundle = PolicyBundle.load([self.policy_dir], registry.argument_types())
        policy = CedarPolicy.compile(bundle)
        items = list(registry.items())
        self._store.commit(lambda tx: _record_registrations(tx, items, bundle))
        manifest = self._read_manifest()
        self._until_us = self._store.commit(lambda tx: self._ensure_passport(tx, registry, manifest))
        return Credentials(self.passport_store, policy)

    # the passport

    def _ensure_passport(self, tx: Transaction, registry: Registry, manifest: Manifest | None) -> int:
        """Give the agent a passport unless it has a valid one; returns when to check again, microseconds.

        A derived one names the manifest that the process goes by, if that says what no passport and no registration
        holds, or if the one before named a manifest.
        """
        now_us = self._store.clock.now_us()
        row = StandingTable(tx).get(self._agent)
        check_again_us = now_us + _LIFETIME_S * SECOND_US // 4
        # INVARIANT: AUDIT - it is what the log says: a row that was taken away or renamed makes nobody an issuer.
        if row is not None and row.origin != "derived":
            return check_again_us
        control = tx.load_control()
        if row is not None and self._was_revoked(tx, row.hash, control):
            return check_again_us  # INVARIANT: REV - what was revoked is not replaced by its own holder
        standing_link = self._read_standing_link(tx, row, control, now_us)
        wanted = self._compute_wanted_grants(registry, standing_link)
        named = row.manifest if row is not None else ""
        text = manifest if manifest is not None and (named or has_terms(manifest)) else None
        # INVARIANT: AUDIT - what a file says of an agent comes into force with an entry that names the text.
        is_same_text = named == (text.hash if text is not None else "")
        if standing_link is None or not (is_same_text and self._is_up_to_date(standing_link, wanted, now_us)):
            self._mint_passport(tx, registry, wanted, control.store, now_us, manifest=text)
        return check_again_us

    def _matches_options(self, link: Link) -> bool:
        """Whether a derived passport grants no more than the options of this handle."""
        if self._has_explicit_limits and not self._has_own_limits(link):
            return False
        allowed = self._grants
        return allowed is None or all(
            resource in allowed and dict(rules) == dict(allowed[resource])
            for kind, resources in link.grants.items()
            if kind is not ActionKind.INFERENCE
            for resource, rules in resources.items()
        )

    def _was_revoked(self, tx: Transaction, name: str, control: Control) -> bool:
        link = self.passport_store.reader.peek_standing_link(tx, name)
        return any(link is None or revocation_applies(item, (link,), "") for item in control.revocations)

    def _read_standing_link(
        self, tx: Transaction, row: StandingPassport | None, control: Control, now_us: int
    ) -> Link | None:
        if row is None:
            return None
        try:
            return self.passport_store.reader.read_standing_link(tx, row.hash, control.store, now_us)
        except PassportError:
            return None

    def _compute_wanted_grants(self, registry: Registry, standing_link: Link | None) -> Grants:
        wanted = registry.build_grants(self._grants)
        if standing_link is None or not self._matches_options(standing_link):
            return wanted
        return {
            kind: {**standing_link.grants.get(kind, {}), **wanted.get(kind, {})}
            for kind in sorted(standing_link.grants.keys() | wanted.keys())
        }

    def _is_up_to_date(self, standing_link: Link, wanted: Grants, now_us: int) -> bool:
        is_young = now_us // SECOND_US < standing_link.issued_at_s + _LIFETIME_S // 2
        return standing_link.grants == wanted and self._has_own_limits(standing_link) and is_young

    def _has_own_limits(self, link: Link) -> bool:
        limits = self._limits
        ceilings = tuple(sorted(limits.effective_ceilings(), key=attrgetter("unit")))
        return (link.terms, link.quotas, link.budgets) == (limits.terms, limits.quotas, ceilings)

    def _mint_passport(
        self,
        tx: Transaction,
        registry: Registry,
        wanted: Grants,
        store: str,
        now_us: int,
        *,
        manifest: Manifest | None,
    ) -> None:
        issuer = self._load_issuer(tx.tenant, now_us)
        try:
            token = self._mint_token(wanted, store, now_us)
        except PassportError as exc:
            if exc.code != "too_large" or self._grants is not None:
                raise
            # About a hundred tools: what each may be called with is then left to its own schema.
            token = self._mint_token(registry.build_grants(None, compact=True), store, now_us)
        name = token_hash(token)
        if not tx.put_blob(name, token.encode("ascii")):
            raise CannotDecide("ledger_unwritable", "the store already has this passport", remedy="run `halo verify`")
        facts = {"agent": self._agent, "issuer": make_issuer_facts(issuer), "kind": "standing", "origin": "derived"}
        if manifest is not None:
            store_manifest(tx, manifest)
            facts["manifest"] = manifest.hash
        tx.append(Draft(EntryKind.PASSPORT, "", {"hash": name, **facts}, actor=describe_os_user()))
        StandingTable(tx).put(self._agent, name, "derived", manifest.hash if manifest is not None else "")

    def _load_issuer(self, tenant: str, now_us: int) -> Ed25519Signer:
        """The home's issuer key; created and trusted only where no issuer is trusted yet."""
        trusted = self.authorities.load(tenant).issuers
        if trusted and not self._keys.has("issuer"):
            raise CannotDecide("no_issuer", "there is no issuer key here", remedy=_ISSUE_REMEDY)
        issuer = self._keys.signer("issuer")
        if not trusted:
            self.authorities.add_issuer(tenant, issuer.public_key, now_us)
        elif issuer.key_id not in trusted:
            raise CannotDecide("no_issuer", "`issuer.key` is not the trusted issuer key", remedy=_ISSUE_REMEDY)
        return issuer

    def _mint_token(self, grants: Grants, audience: str, now_us: int) -> str:
        limits = self._limits
        return mint_standing(
            signer=self._keys.signer("issuer"),
            tenant=self._store.tenant,
            agent=self._agent,
            principal=self._user or f"tenant:{self._store.tenant}",
            audience=audience,
            holder_public_key=self._keys.signer(make_agent_key_name(self._agent)).public_key,
            grants=grants,
            now_s=now_us // SECOND_US,
            lifetime_s=_LIFETIME_S,
            jti=self._store.ids.new_token_id(),
            txn=self._store.ids.new_token_id(),
            # The account of what was spent outlives the passport: a new one refills nothing.
            envelope=f"agent:{self._agent}",
            budgets=limits.effective_ceilings(),
            quotas=limits.quotas,
            terms=limits.terms,
            hand_off_to=sorted(grants.get(ActionKind.HANDOFF, {})),
        )


def _record_registrations(tx: Transaction, items: list[RegisteredResource], bundle: PolicyBundle) -> None:
    """Store registrations and policy by hash, with an entry for each that changed."""
    for item in items:
        data = item.to_bytes()
        if ResourceTable(tx).get(item.resource.id) != data:
            ResourceTable(tx).put(item.resource.id, data)
            _store_text(tx, EntryKind.REGISTRATION, REGISTRATION_DOMAIN, data, {"resource": item.resource.to_plain()})
    tx.put_blob(bundle.hash, bundle.to_bytes())
    put_policy_in_force(tx, bundle.hash, sorted(bundle.sources))


def _store_text(tx: Transaction, kind: EntryKind, domain: str, data: bytes, facts: dict[str, Any]) -> None:
    name = canonical.digest(domain, data)
    tx.put_blob(name, data)
    tx.append(Draft(kind, "", {"hash": name, **facts}, actor=describe_os_user()))


def install_starter(folder: Path, *, risk_threshold: int | None = None) -> None:
    """Copy the starter policy into `folder` if that does not exist; an existing folder is never changed.

    Args:
        folder: folder of the agent's policy.
        risk_threshold: least risk (1..1000) at which the rules that may depend on a score apply.

    Raises:
        BadInput: `risk_threshold` is out of range.
    """
    if folder.exists():
        return
    texts = PolicyBundle.load_starter().sources
    if risk_threshold is not None:
        texts = {name: apply_risk_threshold(text, risk_threshold) for name, text in texts.items()}
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it may be a home that is to come
    # Under another name first: whoever opens the same home at this moment finds all of the policy, or none yet.
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.is_dir():  # else another was first
            raise
