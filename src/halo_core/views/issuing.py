"""What issuing a passport would change, and grants proposed from what was recorded.

A proposal takes away and never adds; nothing is signed or written here (see `halo_core.oversight.issuing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, PassportSpec, load_manifest, replace_grants
from halo_core.model import ANY_OTHER, ActionKind, Constraint, EntryKind, Grants, Link, LinkKind, Revocation
from halo_core.oversight.issuing import refuse_revoked
from halo_core.passports import MAX_DEPTH, intersect_grants
from halo_core.store.log import SealedContents, read_entries
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES, View
from halo_core.views.entitlements import Proposal, propose_grants
from halo_core.views.manifests import MANIFEST, find_manifest, load_catalogue, load_registrations, read_manifest_text
from halo_core.views.passport_changes import Change, diff_passports
from halo_core.views.passports import StoredChain, list_revocations, load_current_passport

_US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class IssuedPassport:
    """A passport as it was or would be issued, and how it differs from the one before."""

    link: Link
    before: Link | None
    changes: tuple[Change, ...]
    by_hand: bool = False
    """Whether the one before was issued; one that was derived is nobody's decision."""

    def describe_changes(self) -> list[str]:
        """Each difference on a line, for the record."""
        return [item.text() for item in self.changes]

    def list_widenings(self) -> tuple[Change, ...]:
        """What it allows beyond the one before: a new line counts where somebody decided without it."""
        return tuple(item for item in self.changes if item.is_wider() and (self.by_hand or item.sign != "+"))


@dataclass(frozen=True, slots=True)
class IssueReport(View):
    """What was issued, or would be (`dry_run`), with notes for whoever issues."""

    issued: IssuedPassport
    dry_run: bool
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        link, before = self.issued.link, self.issued.before
        return {
            "agent": link.agent,
            "changes": [change._asdict() for change in self.issued.changes],
            "dry_run": self.dry_run,
            "expires_at_s": link.expires_at_s,
            "hash": link.hash,
            "notes": self.notes,
            "replaces": before.hash if before is not None else "",
        }


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
    refuse_revoked(link, [item for item in revoked if item.scope in ("agent", "tenant")])
    before = stored.links[0] if stored is not None else None
    facts = stored.entry.body if stored is not None and stored.entry is not None else {}
    changes = tuple(diff_passports(before, link, facts, wanted.facts))
    return wanted, IssuedPassport(link, before, changes, by_hand=facts.get("origin", "derived") != "derived")


def _load_current(url: str, tenant: str, agent: str) -> tuple[StoredChain | None, list[Revocation]]:
    try:
        with Reader(url) as reader:
            return load_current_passport(reader, tenant, agent), list_revocations(reader, tenant)
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        return None, []


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
                argument_names = set(item.schema.get("required", ())) if tight else set(item.argument_names())
                rest = {
                    word: rule for word, rule in item.wildcard_grant().items() if word in argument_names - rules.keys()
                }
                wanted.setdefault(kind, {})[name] = {**rest, **rules}
            elif kind is ActionKind.TOOL_CALL:
                wanted.setdefault(kind, {})[name] = rules
            else:  # queries and prompts are free text
                wanted.setdefault(kind, {})[name] = {ANY_OTHER: Constraint.anything()}
    return wanted


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
    return PreparedGrants(path, manifest, tuple(planned))
