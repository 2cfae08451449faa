"""Room: what an agent stands on: its passport and its policy, kept in step with what is registered.

Takes: a registry. Gives: credentials. In `local` mode it mints the standing link itself (assurance `dev`), again
whenever a later `guard` adds a resource. Never: decides.
"""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

from halo_core import canonical
from halo_core.errors import PassportError
from halo_core.keys import KeyStore, agent_key_name
from halo_core.model import Constraint, EntryKind, Grants, Link
from halo_core.passport import mint_standing, verify_standing
from halo_core.pip import Credentials
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.registry import Registered, Registry
from halo_core.store import Control, Draft, Store, Tx

__all__ = ["PASSPORT_DOMAIN", "REGISTRATION_DOMAIN", "Standing", "install_starter"]

PASSPORT_DOMAIN: Final = "halo/passport/v1"
REGISTRATION_DOMAIN: Final = "halo/registration/v1"
_LIFETIME_S: Final = 90 * 24 * 3600


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
    ) -> None:
        self._store = store
        self._keys = keys
        self._agent = agent
        self._user = user
        self._grants = grants
        self._policy_dir = policy_dir
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        self._version = -1

    def current(self, registry: Registry) -> Credentials:
        """Credentials over everything registered so far.

        Raises:
            PolicyError: the policy does not parse.
            CannotDecide: a new passport could not be recorded.
        """
        # The version is read first: it is set last.
        if self._version == registry.version and (known := self._current) is not None and self._fresh(known):
            return known
        with self._lock:
            # Read before renewing: what is registered meanwhile is left for the next call.
            version = registry.version
            if self._current is None or self._version != version or not self._fresh(self._current):
                self._current = self._renew(registry)
                self._version = version
            return self._current

    def ready(self, registry: Registry) -> bool:
        """Whether `current` has nothing to do: a coroutine asks first, since renewing reads files and writes."""
        known = self._current
        return known is not None and self._version == registry.version and self._fresh(known)

    def _fresh(self, known: Credentials) -> bool:
        # A process that runs for months gets a new link long before the old one ends.
        return self._store.clock.now_us() // 1_000_000 < known.chain[0].issued_at_s + _LIFETIME_S // 2

    def check_policy(self) -> None:
        """Load the policy once, so that a bad one is refused at start.

        Raises:
            PolicyError: it does not parse.
        """
        install_starter(self._policy_dir)
        CedarPolicy.compile(PolicyBundle.load([self._policy_dir], {}))

    def _renew(self, registry: Registry) -> Credentials:
        bundle = PolicyBundle.load([self._policy_dir], registry.types())
        policy = CedarPolicy.compile(bundle)
        control: Control = self._store.commit(lambda tx: tx.control())
        token, link = self._mint(registry, control.store)
        items = list(registry.items())
        issuer = self._keys.signer("issuer")
        facts = {
            "agent": link.agent,
            "expires_at_s": link.expires_at_s,
            "issuer": {"key": base64.b64encode(issuer.public_key).decode("ascii"), "kid": issuer.key_id},
            "jti": link.jti,
        }
        self._store.commit(lambda tx: _record(tx, items, bundle, token, facts))
        return Credentials((link,), policy)

    def _mint(self, registry: Registry, audience: str) -> tuple[str, Link]:
        issuer = self._keys.signer("issuer")
        try:
            token = self._token(registry.grants(self._grants), audience)
        except PassportError as exc:
            if exc.code != "too_large" or self._grants is not None:
                raise
            # About a hundred tools: what each may be called with is then left to its own schema.
            token = self._token(registry.grants(None, compact=True), audience)
        tenant = self._store.tenant
        link = verify_standing(token, trusted={issuer.key_id: issuer.public_key}, audience=audience, tenant=tenant)
        return token, link

    def _token(self, grants: Grants, audience: str) -> str:
        tenant = self._store.tenant
        return mint_standing(
            signer=self._keys.signer("issuer"),
            tenant=tenant,
            agent=self._agent,
            principal=self._user or f"tenant:{tenant}",
            audience=audience,
            holder_public_key=self._keys.signer(agent_key_name(self._agent)).public_key,
            grants=grants,
            now_s=self._store.clock.now_us() // 1_000_000,
            lifetime_s=_LIFETIME_S,
            jti=self._store.ids.entry(),
            txn=self._store.ids.entry(),
        )


def _record(tx: Tx, items: list[Registered], bundle: PolicyBundle, token: str, facts: dict[str, Any]) -> None:
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
        tx.put_control(Control(control.version + 1, control.store, control.mode, bundle.hash))
    _keep(tx, EntryKind.PASSPORT, PASSPORT_DOMAIN, token.encode("ascii"), facts)


def _keep(tx: Tx, kind: EntryKind, domain: str, data: bytes, facts: dict[str, Any]) -> None:
    name = canonical.digest(domain, data)
    tx.put_blob(name, data)
    tx.append(Draft(kind, "", {"hash": name, **facts}))


def install_starter(folder: Path) -> None:
    """Copy the starter policy into `folder` if there is no folder yet; what is there is never touched."""
    if folder.exists():
        return
    folder.mkdir(parents=True, mode=0o700)
    with resources.as_file(resources.files("halo_core.policy") / "starter") as source:
        for path in sorted(source.glob("*.cedar")):
            shutil.copyfile(path, folder / path.name)
