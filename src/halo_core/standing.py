"""Room: what an agent stands on: its passport and its policy, kept in step with what is registered.

Takes: a registry. Gives: credentials. An agent with an issued passport stands on that. Without one, in `local` mode, a
standing link is minted here from what is guarded (assurance `dev`), again whenever a later `guard` adds something; what
an earlier process of the agent guarded stays granted, so that several share one passport. Never: decides.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from halo_core import canonical
from halo_core.authorities import Authorities
from halo_core.custody import Custody, issuer_facts
from halo_core.errors import CannotDecide, PassportError
from halo_core.keys import Ed25519Signer, KeyStore, agent_key_name
from halo_core.manifest.defaults import DEFAULT_TERMS
from halo_core.model import OUTPUT_OBLIGATIONS, ActionKind, Budget, Constraint, EntryKind, Grants, Link, Quota, Terms
from halo_core.passport import TOKEN_DOMAIN, mint_standing, token_hash
from halo_core.pdp import revokes
from halo_core.pip import Credentials
from halo_core.policy import CedarPolicy, PolicyBundle, action_id, leaning, reaches
from halo_core.registry import Registered, Registry
from halo_core.store import Control, Draft, Store, Tx, rows

__all__ = ["PASSPORT_DOMAIN", "REGISTRATION_DOMAIN", "Limits", "Standing", "install_starter"]

PASSPORT_DOMAIN: Final = TOKEN_DOMAIN
REGISTRATION_DOMAIN: Final = "halo/registration/v1"
_LIFETIME_S: Final = 90 * 24 * 3600
_CEILING: Final = 3
_US: Final = 1_000_000
_ISSUE: Final = "issue the agent's passport where the key is: `halo passport issue`"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a derived passport limits.

    Args:
        terms: what each session starts with.
        quotas: per day, over all sessions.
        ceilings: most that a re-authorization may raise a session to; None is three times what it starts with.
    """

    terms: Terms = DEFAULT_TERMS
    quotas: tuple[Quota, ...] = ()
    ceilings: tuple[Budget, ...] | None = None

    def most(self) -> tuple[Budget, ...]:
        """The ceilings."""
        if self.ceilings is not None:
            return self.ceilings
        return tuple(map(_raised, self.terms.budgets))


def _raised(item: Budget) -> Budget:
    most = min(item.subtree * _CEILING, 2**53 - 1)
    return replace(item, subtree=most, per_action=most if item.unit == "time" else item.per_action)


class Standing:
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
    ) -> None:
        self.authorities = Authorities(keys.home)
        self.custody = Custody(keys, self.authorities, agent, store.ids)
        if grants is not None or limits is not None:
            self.custody.expect(self._mine)
        self._store = store
        self._keys = keys
        self._agent = agent
        self._user = user
        self._grants = grants
        self._policy_dir = policy_dir
        self._limits = limits or Limits()
        self._limits_given = limits is not None
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        self._checked: CedarPolicy | None = None
        self._version = -1
        self._until_us = 0

    def current(self, registry: Registry) -> Credentials:
        """Credentials over everything registered so far.

        Raises:
            PolicyError: the policy does not parse.
            CannotDecide: a new passport could not be recorded.
        """
        # The version is read first: it is set last.
        if self._version == registry.version and (known := self._current) is not None and self._fresh():
            return known
        with self._lock:
            # Read before renewing: what is registered meanwhile is left for the next call.
            version = registry.version
            if self._current is None or self._version != version or not self._fresh():
                self._current = self._renew(registry)
                self._version = version
            return self._current

    def ready(self, registry: Registry) -> bool:
        """Whether `current` has nothing to do: a coroutine asks first, since renewing reads files and writes."""
        return self._current is not None and self._version == registry.version and self._fresh()

    def _fresh(self) -> bool:
        return self._store.clock.now_us() < self._until_us

    def check_policy(self) -> None:
        """Load the policy once, so that a bad one is refused at start.

        Raises:
            PolicyError: it does not parse.
        """
        install_starter(self._policy_dir)
        self._checked = CedarPolicy.compile(PolicyBundle.load([self._policy_dir], {}))

    def may_restrict_output(self, kind: ActionKind, registry: Registry) -> bool:
        """Whether the policy as it was last read has an output obligation for actions of a kind; True where unsure."""
        known = self._current
        policy = self._checked if known is None else known.policy
        if not isinstance(policy, CedarPolicy):
            return True
        elsewhere = {action_id(item.resource.id) for item in registry.items() if item.resource.kind is not kind}
        return any(
            item.obligation is not None
            and item.obligation.kind in OUTPUT_OBLIGATIONS
            and reaches(item, kind, elsewhere)
            for item in policy.policies
        )

    def _renew(self, registry: Registry) -> Credentials:
        bundle = PolicyBundle.load([self._policy_dir], registry.types())
        policy = CedarPolicy.compile(bundle)
        items = list(registry.items())
        self._store.commit(lambda tx: _record(tx, items, bundle))
        self._until_us = self._store.commit(lambda tx: self._stand(tx, registry))
        return Credentials(self.custody, policy)

    # the passport

    def _stand(self, tx: Tx, registry: Registry) -> int:
        """See to it that the agent has a passport; until when (microseconds) nobody need look again."""
        now_us = self._store.clock.now_us()
        row = rows.Standings(tx).get(self._agent)
        soon = now_us + _LIFETIME_S * _US // 4
        told = rows.Standings(tx).issued_last(self._agent)
        if (row is not None and row.origin != "derived") or told != (None if row is None else (row.hash, row.origin)):
            # INVARIANT: AUDIT - the row is believed as far as the log bears it out: a row that was taken away, put back
            # or renamed makes nobody an issuer.
            return soon
        control = tx.control()
        if row is not None and self._was_revoked(tx, row.hash, control):
            return soon  # INVARIANT: REV - what was revoked is not replaced by its own holder
        known = self._standing_on(tx, row, control, now_us)
        wanted = self._wanted(registry, known)
        if known is None or not self._covers(known, wanted, now_us):
            self._mint(tx, registry, wanted, control.store, now_us)
        return soon

    def _mine(self, link: Link) -> bool:
        """Whether a derived passport says no more than this handle was opened with."""
        if self._limits_given and not self._limited(link):
            return False
        given = self._grants
        return given is None or all(
            resource in given and dict(rules) == dict(given[resource])
            for kind, resources in link.grants.items()
            if kind is not ActionKind.INFERENCE
            for resource, rules in resources.items()
        )

    def _was_revoked(self, tx: Tx, name: str, control: Control) -> bool:
        link = self.custody.passports.peek(tx, name)
        return any(link is None or revokes(item, (link,), "") for item in control.revocations)

    def _standing_on(self, tx: Tx, row: rows.StandingRow | None, control: Control, now_us: int) -> Link | None:
        if row is None:
            return None
        try:
            return self.custody.passports.standing(tx, row.hash, control.store, now_us)
        except PassportError:
            return None

    def _wanted(self, registry: Registry, known: Link | None) -> Grants:
        wanted = registry.grants(self._grants)
        if known is None or not self._mine(known):
            return wanted
        return {
            kind: {**known.grants.get(kind, {}), **wanted.get(kind, {})}
            for kind in sorted(known.grants.keys() | wanted.keys())
        }

    def _covers(self, known: Link, wanted: Grants, now_us: int) -> bool:
        fresh = now_us // _US < known.issued_at_s + _LIFETIME_S // 2
        return known.grants == wanted and self._limited(known) and fresh

    def _limited(self, link: Link) -> bool:
        limits = self._limits
        most = tuple(sorted(limits.most(), key=lambda item: item.unit))
        return (link.terms, link.quotas, link.budgets) == (limits.terms, limits.quotas, most)

    def _mint(self, tx: Tx, registry: Registry, wanted: Grants, store: str, now_us: int) -> None:
        issuer = self._issuer(tx.tenant, now_us)
        try:
            token = self._token(wanted, store, now_us)
        except PassportError as exc:
            if exc.code != "too_large" or self._grants is not None:
                raise
            # About a hundred tools: what each may be called with is then left to its own schema.
            token = self._token(registry.grants(None, compact=True), store, now_us)
        name = token_hash(token)
        if not tx.put_blob(name, token.encode("ascii")):
            raise CannotDecide("ledger_unwritable", "the store holds this passport already", remedy="run `halo verify`")
        facts = {"agent": self._agent, "issuer": issuer_facts(issuer), "kind": "standing", "origin": "derived"}
        tx.append(Draft(EntryKind.PASSPORT, "", {"hash": name, **facts}))
        rows.Standings(tx).put(self._agent, name, "derived")

    def _issuer(self, tenant: str, now_us: int) -> Ed25519Signer:
        """The home's issuer key; made and trusted only where nobody is trusted yet."""
        known = self.authorities.load(tenant).issuers
        if known and "issuer" not in self._keys.names():
            raise CannotDecide("no_issuer", "the key that issues passports is not here", remedy=_ISSUE)
        issuer = self._keys.signer("issuer")
        if not known:
            self.authorities.add_issuer(tenant, issuer.public_key, now_us)
        elif issuer.key_id not in known:
            raise CannotDecide("no_issuer", "`issuer.key` is not the key that is trusted here", remedy=_ISSUE)
        return issuer

    def _token(self, grants: Grants, audience: str, now_us: int) -> str:
        limits = self._limits
        return mint_standing(
            signer=self._keys.signer("issuer"),
            tenant=self._store.tenant,
            agent=self._agent,
            principal=self._user or f"tenant:{self._store.tenant}",
            audience=audience,
            holder_public_key=self._keys.signer(agent_key_name(self._agent)).public_key,
            grants=grants,
            now_s=now_us // _US,
            lifetime_s=_LIFETIME_S,
            jti=self._store.ids.entry(),
            txn=self._store.ids.entry(),
            # The account of what was spent outlives the passport: a new one refills nothing.
            envelope=f"agent:{self._agent}",
            budgets=limits.most(),
            quotas=limits.quotas,
            terms=limits.terms,
            hand_off_to=sorted(grants.get(ActionKind.HANDOFF, {})),
        )


def _record(tx: Tx, items: list[Registered], bundle: PolicyBundle) -> None:
    """Keep the texts by hash and say what changed, in one transaction."""
    for item in items:
        data = item.to_bytes()
        if tx.resource_spec(item.resource.id) != data:
            tx.put_resource(item.resource.id, data)
            _keep(tx, EntryKind.REGISTRATION, REGISTRATION_DOMAIN, data, {"resource": item.resource.to_plain()})
    if tx.put_blob(bundle.hash, bundle.to_bytes()):
        tx.append(Draft(EntryKind.POLICY, "", {"hash": bundle.hash, "sources": sorted(bundle.sources)}))
    control = tx.control()
    if control.policy != bundle.hash:
        tx.put_control(replace(control, version=control.version + 1, policy=bundle.hash))


def _keep(tx: Tx, kind: EntryKind, domain: str, data: bytes, facts: dict[str, Any]) -> None:
    name = canonical.digest(domain, data)
    tx.put_blob(name, data)
    tx.append(Draft(kind, "", {"hash": name, **facts}))


def install_starter(folder: Path, *, lean: int | None = None) -> None:
    """Copy the starter policy into `folder` if there is no folder yet; what is there is never touched.

    Args:
        folder: for it.
        lean: its rules of `policy.leaning` hold from this risk on (1..1000).

    Raises:
        BadInput: `lean` is no risk.
    """
    if folder.exists():
        return
    texts = PolicyBundle.starter().sources
    if lean is not None:
        texts = {name: leaning(text, lean) for name, text in texts.items()}
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
