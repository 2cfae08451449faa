"""The manifest in force, and what issuing a passport from it would change.

What issuing a passport would change, and grants proposed from what was recorded.

A proposal takes away and never adds; nothing is signed or written here (see `halo_core.oversight.issuing`).

The manifest that verbs read, and what is registered: a row that the log does not bear out is not trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.enforcement.agent_credentials import REGISTRATION_DOMAIN
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError, Tampered
from halo_core.manifest import MANIFEST_DOMAIN, Manifest, PassportSpec, load_manifest, replace_grants
from halo_core.model import (
    ANY_OTHER,
    ActionKind,
    Constraint,
    EntryKind,
    Grants,
    Link,
    LinkKind,
    Resource,
    Revocation,
    same_person,
)
from halo_core.oversight.issuing import refuse_revoked
from halo_core.passports import MAX_DEPTH, intersect_grants
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.views import NO_LEDGER_CODES, View
from halo_core.views.inventory import Proposal, propose_grants
from halo_core.views.passport_changes import Change, diff_passports
from halo_core.views.passports import StoredChain, list_revocations, load_current_passport, read_regular_file

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


MANIFEST: Final = "agents.yaml"
_MAX_FILE: Final = 1 << 20


def find_manifest(home: Path, path: Path | None) -> Path:
    """The manifest named, else that of the home, else that of the working directory.

    Raises:
        ConfigError: there is none.
    """
    places = [path] if path is not None else [home / MANIFEST, Path(MANIFEST)]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        "no_manifest",
        f"there is no `{places[0]}`",
        field="manifest",
        remedy="write one (see docs/manifest.md), or let `halo enforce --grants` propose one",
    )


def read_manifest(path: Path) -> Manifest:
    """Read and parse.

    Raises:
        ConfigError: it cannot be read, or is refused.
    """
    return load_manifest(read_manifest_text(path), source=path.name)


def read_manifest_if_any(home: Path, path: Path | None, *, ignore_errors: bool = False) -> Manifest | None:
    """The manifest, None where there is none.

    Args:
        home: of the manifest.
        path: the one that was asked for by name.
        ignore_errors: None also where the one that was found cannot be read, unless it was asked for by name.

    Raises:
        ConfigError: it cannot be read, or is refused.
    """
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError as exc:
        if path is None and (ignore_errors or exc.code == "no_manifest"):
            return None
        raise


def read_manifest_text(path: Path) -> str:
    """The text of a manifest's file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return read_regular_file(path, _MAX_FILE).decode("utf-8")
    except (OSError, UnicodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ConfigError("no_manifest", f"cannot read `{path}`: {why}", field="manifest") from exc


def load_catalogue(url: str, tenant: str) -> list[RegisteredResource]:
    """What is registered; nothing where there is no store yet.

    Raises:
        Tampered: as `registrations`.
    """
    try:
        with Reader(url) as reader:
            return load_registrations(reader, tenant)
    except ConfigError as exc:
        if exc.code in NO_LEDGER_CODES:
            return []
        raise


def load_registrations(reader: Reader, tenant: str) -> list[RegisteredResource]:
    """What is registered, as the log recorded it last.

    Raises:
        Tampered: a row says something else. What a passport grants is expanded over these, so rows are not trusted.
    """
    recorded_hashes = {}
    for record in read_entries(reader, tenant, (EntryKind.REGISTRATION,)):
        body = record.entry.body
        recorded_hashes[str(body["resource"]["id"])] = str(body["hash"])
    registered = []
    for name, spec in reader.resources(tenant):
        data = reader.blob(tenant, recorded_hashes.get(name, ""))
        if data is None or data != spec or canonical.digest(REGISTRATION_DOMAIN, data) != recorded_hashes[name]:
            raise Tampered(
                "registration_altered",
                f"the registration of `{name[:64]}` differs from the one in the log",
                remedy="run `halo verify`",
            )
        registered.append(RegisteredResource.from_bytes(data))
    return registered


def note_unenrolled_approvers(home: Path, wanted: PassportSpec, now_us: int) -> list[str]:
    """A note for approvers that the manifest names and nobody enrolled: their answers would not be taken."""
    enrolled = [name for name, _ in Authorities(home).load(wanted.tenant).approver_keys(now_us).values()]
    unenrolled = [
        name
        for name in wanted.facts.get("approvers", ())
        if not any(same_person(name, approver) for approver in enrolled)
    ]
    if not unenrolled:
        return []
    return [
        f"not enrolled, so their answers are not accepted: {', '.join(unenrolled)} (run `halo approver enrol NAME`)"
    ]


def classify_resources(
    manifest: Manifest | None, registered: list[RegisteredResource]
) -> Mapping[tuple[ActionKind, str], Resource]:
    """What each resource is, by kind and id: as the manifest declares it, else as it was registered."""
    resources = {(item.resource.kind, item.resource.id): item.resource for item in registered}
    if manifest is not None:
        for kind, declared in manifest.declared.items():
            resources.update({(kind, name): resource for name, resource in declared.items()})
        for kind, name in list(resources):
            resources[kind, name] = manifest.find_resource(name, kind) or resources[kind, name]
    return resources


def note_other_manifest(path: Path) -> list[str]:
    """A note where the working directory has another manifest than the one read."""
    here = Path(MANIFEST)
    if not here.is_file() or here.resolve() == path.resolve():
        return []
    return [f"using {path}; the {MANIFEST} in the working directory is a different file and was not read"]


def load_issued_manifest(stored: StoredChain, url: str, tenant: str) -> Manifest | None:
    """The manifest that a standing passport of the store was issued from; None where it is not there."""
    name = stored.entry.body.get("manifest") if stored.entry is not None else None
    if not name:
        return None
    with Reader(url) as reader:
        data = reader.blob(tenant, name)
    if data is None or canonical.digest(MANIFEST_DOMAIN, data) != name:
        return None
    return load_manifest(data.decode("utf-8"), source="the issued manifest")
