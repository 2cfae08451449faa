"""Agents and resources in a store and a manifest: which there are, what is registered, granted and used.

A proposal of grants is the least that would have let every call run that was not refused. A person has to check it
before it is applied: it lacks what was not needed yet, and may contain what an attack made the agent do.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.crypto.keys import key_thumbprint
from halo_core.decision import revocation_applies
from halo_core.enforcement.agent_credentials import REGISTRATION_DOMAIN
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError, HaloError, PassportError, Tampered
from halo_core.manifest import MANIFEST_DOMAIN, Manifest, load_manifest
from halo_core.model import ANY_OTHER, ActionKind, Constraint, Effect, EntryKind, Grants, Resource, Revocation
from halo_core.oversight.signed_entries import decode_link
from halo_core.passports import intersect_grants, is_resource_id
from halo_core.passports.claims import ISSUER_URI
from halo_core.passports.codec import read_payload
from halo_core.store.reader import (
    LoggedEntry,
    Reader,
    SealedContents,
    Stream,
    read_entries,
    select_tenant,
)
from halo_core.views import View
from halo_core.views.passports import (
    StoredChain,
    iterate_standing_entries,
    list_revocations,
    load_current_passport,
    open_reader_if_any,
    read_text_file,
)

_MAX_LISTED_VALUES: Final = 12
_MAX_VALUE_LENGTH: Final = 64
_MAX_NAME: Final = 128
_INT_LIMIT: Final = 2**53
_SEALED: Final = "halo:secret:"
_Value = str | int | bool


@dataclass(slots=True)
class _ArgumentValues:
    """Values of one argument over the calls of a resource.

    Args:
        calls: number of calls that gave the argument.
        is_open: whether a value cannot be in a constraint (too long, unprintable, a secret, of another type), so that
            no constraint is proposed.
        values: the distinct values, with their types.
    """

    calls: int = 0
    is_open: bool = False
    values: set[tuple[type, _Value]] = field(default_factory=set)

    def add(self, value: object) -> None:
        self.calls += 1
        if type(value) is str:
            self.is_open |= not 0 < len(value) <= _MAX_VALUE_LENGTH or not value.isprintable() or _SEALED in value
        elif type(value) is int:
            self.is_open |= abs(value) >= _INT_LIMIT
        elif type(value) is not bool:
            self.is_open = True
        if isinstance(value, str | int) and not self.is_open and len(self.values) <= _MAX_LISTED_VALUES * 100:
            self.values.add((type(value), value))

    def make_constraint(self, calls: int) -> Constraint:
        """The tightest constraint that allows all values; `calls` is the number of all calls of the resource."""
        kinds = {kind for kind, _ in self.values}
        if self.is_open or self.calls < calls or not self.values:  # an argument that was left out cannot be required
            return Constraint.anything()
        values = [value for _, value in sorted(self.values, key=lambda item: (str(item[0]), item[1]))]
        if kinds == {int}:
            numbers = [value for value in values if isinstance(value, int)]
            return Constraint.between(min(numbers), max(numbers))
        return Constraint.one_of(*values) if len(values) <= _MAX_LISTED_VALUES else Constraint.anything()


@dataclass(frozen=True, slots=True)
class UsedResource:
    """A resource that an agent used: number of calls, and argument → the tightest constraint that allows them."""

    kind: ActionKind
    name: str
    calls: int
    arguments: Mapping[str, Constraint]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent was granted, and what it used.

    Args:
        agent: id of the agent.
        granted: its grants now; empty where it has no passport.
        used: what it used, sorted.
        refused: (kind, resource, calls) of resources whose calls were all refused, for any reason; never proposed.
        unread: number of calls whose arguments could not be opened.
    """

    agent: str
    granted: Grants
    used: tuple[UsedResource, ...]
    refused: tuple[tuple[ActionKind, str, int], ...] = ()
    unread: int = 0

    def list_unused(self) -> tuple[tuple[ActionKind, str], ...]:
        """Kind and id of each resource that is granted and was never used."""
        used = {(item.kind, item.name) for item in self.used}
        return tuple(
            (kind, name)
            for kind in ActionKind
            for name in sorted(self.granted.get(kind, {}))
            if (kind, name) not in used
        )

    def to_grants(self, *, tight: bool = False) -> Grants:
        """The grants that would have been enough; with `tight` they allow only the values that were used."""
        grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
        for item in self.used:
            arguments = {
                name: rule if tight else Constraint.anything() for name, rule in sorted(item.arguments.items())
            }
            grants.setdefault(item.kind, {})[item.name] = arguments
        return grants


def propose_grants(
    reader: Reader, contents: SealedContents, tenant: str, agent: str, *, granted: Grants | None = None
) -> Proposal:
    """Propose grants from an agent's decisions and those of agents that act under it.

    Args:
        reader: the store.
        contents: opens the arguments.
        tenant: whose log.
        agent: whose decisions.
        granted: what it has now.
    """
    calls: Counter[tuple[ActionKind, str]] = Counter()
    refused: Counter[tuple[ActionKind, str]] = Counter()
    values_by_resource: dict[tuple[ActionKind, str], dict[str, _ArgumentValues]] = {}
    unread = 0
    for logged in _read_decisions(reader, tenant, agent):
        request = logged.entry.body["request"]
        resource = ActionKind(request["kind"]), request["resource"]["id"]
        if not is_resource_id(resource[1]):
            continue
        effect = logged.entry.body["decision"]["effect"]
        if effect == Effect.DENY.value:  # also where a grant was missing: a misled agent asks for what it must not have
            refused[resource] += 1
            continue
        calls[resource] += 1
        sealed = contents.open(logged.entry, "args")
        unread += sealed is None
        argument_values = values_by_resource.setdefault(resource, {})
        for name, value in (canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}).items():
            if _is_grantable_name(name):
                # A value that a person was asked about is not proposed: perhaps nobody would have approved it.
                proposable = None if effect == Effect.CHALLENGE.value else value
                argument_values.setdefault(name, _ArgumentValues()).add(proposable)
    return Proposal(
        agent=agent,
        granted=granted or {},
        used=tuple(
            UsedResource(
                *resource,
                count,
                {name: item.make_constraint(count) for name, item in sorted(values_by_resource[resource].items())},
            )
            for resource, count in sorted(calls.items())
        ),
        refused=tuple((*resource, count) for resource, count in sorted(refused.items()) if resource not in calls),
        unread=unread,
    )


def list_acting_agents(subject: Mapping[str, Any]) -> set[str]:
    """The agents whose grants a request uses: the one that acts, and those that it acts under.

    Args:
        subject: of the recorded request, with `agent`, `user` and the `chain` from the user down to the agent.
    """
    return {subject["agent"], *subject["chain"][1 if subject["user"] else 0 :]}


def _read_decisions(reader: Reader, tenant: str, agent: str) -> Iterator[LoggedEntry]:
    """Decisions of an agent and of agents that act under it: what it hands on, its own passport has to grant."""
    for logged in read_entries(reader, tenant, (EntryKind.DECISION,)):
        request = logged.entry.body["request"]
        entering = request["kind"] == ActionKind.HANDOFF.value and request["resource"]["id"] == agent
        if agent in list_acting_agents(request["subject"]) and not entering:  # being handed off to needs no grant
            yield logged


def _is_grantable_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()


@dataclass(frozen=True, slots=True)
class ProposedGrants:
    """A proposal for one agent, and the grants that follow from it, within those that the agent has."""

    proposal: Proposal
    grants: Grants
    first: bool = False
    """Whether the agent has no passport yet, so that there is nothing to stay within."""


def list_proposals(
    reader: Reader, contents: SealedContents, tenant: str, *, tight: bool = False
) -> list[ProposedGrants]:
    """The proposal for each agent that acted, sorted by id."""
    decisions = read_entries(reader, tenant, (EntryKind.DECISION,))
    agents = sorted({record.entry.body["request"]["subject"]["agent"] for record in decisions})
    schemas = {(item.resource.kind, item.resource.id): item for item in load_registrations(reader, tenant)}
    proposals = []
    for agent in agents:
        stored = load_current_passport(reader, tenant, agent)
        granted = stored.links[0].grants if stored is not None else {}
        usage = propose_grants(reader, contents, tenant, agent, granted=granted)
        grants = _build_grants(usage, schemas, tight=tight)
        if stored is not None:
            grants = intersect_grants(granted, grants)  # a proposal takes away, it never adds
        proposals.append(ProposedGrants(usage, grants, first=stored is None))
    return proposals


def _build_grants(
    usage: Proposal, registered: Mapping[tuple[ActionKind, str], RegisteredResource], *, tight: bool
) -> Grants:
    """The grants for what was used; a tool's other arguments stay allowed, with `tight` only those it requires."""
    wanted: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    for kind, resources in usage.to_grants(tight=tight).items():
        for name, used in resources.items():
            item, rest = registered.get((kind, name)), {}
            if kind is ActionKind.TOOL_CALL and item is not None:
                kept = set(item.schema.get("required", ())) if tight else set(item.argument_names())
                rest = {word: rule for word, rule in item.wildcard_grant().items() if word in kept}
            free_text = kind is not ActionKind.TOOL_CALL  # queries and prompts
            wanted.setdefault(kind, {})[name] = {ANY_OTHER: Constraint.anything()} if free_text else {**rest, **used}
    return wanted


_US_PER_S: Final = 1_000_000
_MAX_NAMES: Final = 6
_MIN_PREFIX: Final = 4


def require_known_target(reader: Reader, home: Path, tenant: str, scope: str, target: str) -> None:
    """Refuse a target that is not known here, since revoking it would have no effect and would seem to have one.

    Raises:
        ConfigError: `no_such_target`, with a similar name, if there is one.
    """
    known_names = _list_names(reader, home, tenant, scope)
    if target in known_names:
        return
    matches = [
        name for name in known_names if len(target) >= _MIN_PREFIX and name.removeprefix("sha256:").startswith(target)
    ]
    matches = matches if len(matches) == 1 else get_close_matches(target, known_names, 1)
    names_text = (
        f", known here: {', '.join(sorted(known_names)[:_MAX_NAMES])}"
        if scope in ("agent", "session") and known_names
        else ""
    )
    problem = f"there is no {scope} named `{target[:64]}` here{names_text}"
    remedy = f"did you mean `{matches[0]}`" if matches else "check the name, or confirm it with `--unknown`"
    raise ConfigError("no_such_target", problem, field=scope, remedy=remedy)


def _list_names(reader: Reader, home: Path, tenant: str, scope: str) -> set[str]:
    if scope == "tenant":
        return set(reader.tenants())
    if scope == "session":
        references = {row[3] for row in reader.rows(Stream.SESSION_HEADS) if row[0] == tenant}
        names = reader.names
        return references | (set() if names is None else {names.show_session(tenant, item) for item in references})
    bodies = [record.entry.body for record in read_entries(reader, tenant, (EntryKind.PASSPORT,))]
    if scope == "agent":
        standing_agents = {agent for owner, agent, *_ in reader.rows(Stream.STANDING_PASSPORTS) if owner == tenant}
        return standing_agents | {str(body.get("agent")) for body in bodies}
    tokens = [_read_claims(reader, tenant, str(body.get("hash"))) for body in bodies]
    if scope == "link":
        return {str(body.get("hash")) for body in bodies} | {str(token.get("jti")) for token in tokens}
    trusted = Authorities(home).load(tenant)
    return {*trusted.issuers, *trusted.approvers}.union(*map(_list_thumbprints, tokens))


def _read_claims(reader: Reader, tenant: str, hash_: str) -> Mapping[str, Any]:
    data = reader.blob(tenant, hash_)
    try:
        return read_payload(data.decode("ascii", "replace")) if data is not None else {}
    except HaloError:
        return {}  # a passport that cannot be read is known by its hash alone


def _list_thumbprints(token: Mapping[str, Any]) -> set[str]:
    """Thumbprints of the key that signed a link and of its holder's key."""
    try:
        holder = base64.urlsafe_b64decode(token["cnf"]["jwk"]["x"] + "=")
    except (KeyError, TypeError, ValueError):
        return set()
    return {str(token.get("iss")).removeprefix(ISSUER_URI), key_thumbprint(holder)}


PassportHolders = dict[str, list[str]]
"""Origin of a passport, `issued` or `derived` → agents."""


def find_holders(url: str, tenant: str, kid: str) -> PassportHolders:
    """Agents whose passport the key signed."""
    agents_by_origin: PassportHolders = {}
    with Reader(url) as reader:
        for owner, agent, name, origin, *_ in reader.rows(Stream.STANDING_PASSPORTS):
            if owner == tenant and _read_claims(reader, tenant, name).get("iss") == f"{ISSUER_URI}{kid}":
                agents_by_origin.setdefault(origin, []).append(agent)
    return agents_by_origin


def refuse_without_overlap(holders_by_tenant: Mapping[str, PassportHolders]) -> None:
    """Refuse a rotation that would make passports invalid at once.

    Raises:
        ConfigError: `passports_die`, there are such passports.
    """
    agents = sorted({agent for item in holders_by_tenant.values() for names in item.values() for agent in names})
    if agents:
        problem = f"without an overlap the passports of {', '.join(agents)} become invalid now"
        remedy = "give a longer `--overlap`, or confirm with `--yes`"
        raise ConfigError("passports_die", problem, field="overlap", remedy=remedy)


def list_follow_ups(agents_by_origin: PassportHolders, until: str, *, over: bool) -> list[str]:
    """What people have to do after a rotation, a line for each kind of passport."""
    issued, derived = agents_by_origin.get("issued"), agents_by_origin.get("derived")
    when = "now, because they are no longer valid" if over else f"before {until}"
    steps = [f"issue passports again {when}: {', '.join(issued)}"] if issued else []
    if derived:
        steps.append(f"restart to get passports of the new issuer: {', '.join(derived)}")
    return steps


@dataclass(slots=True)
class AgentRow(View):
    """What is known of one agent.

    Args:
        agent: its id.
        owner: as the manifest declares it, else as recorded with its passport; likewise the next three.
        privilege: its privilege.
        purpose: its purpose.
        regulated: systems under regulation that it works with.
        passport: `issued`, `derived`, `revoked`, `expired`, `unreadable` or `none`.
        until_s: end of the passport, seconds since the epoch.
        decisions: number of its decisions.
        uses: number of its decisions whose actions ran.
        last_us: time of the last decision, microseconds since the epoch.
        listed: whether the manifest declares it; None where there is no manifest.
    """

    agent: str
    owner: str = ""
    privilege: str = ""
    purpose: str = ""
    regulated: tuple[str, ...] = ()
    passport: str = "none"
    until_s: int = 0
    decisions: int = 0
    uses: int = 0
    last_us: int = 0
    listed: bool | None = None


def list_agents(
    reader: Reader, tenant: str, manifest: Manifest | None, now_us: int, *, reads_decisions: bool = True
) -> list[AgentRow]:
    """Every agent that the manifest declares, or that has a passport, or that acted, by name.

    Args:
        reader: the store.
        tenant: whose log.
        manifest: declares agents; None where there is none.
        now_us: the time, microseconds since the epoch.
        reads_decisions: whether to count decisions, and to find agents that have nothing else.
    """
    declared = manifest.agents if manifest is not None and manifest.tenant == tenant else {}
    rows = {
        name: AgentRow(name, agent.owner, agent.privilege, agent.purpose, agent.regulated, listed=True)
        for name, agent in declared.items()
    }
    unlisted = None if manifest is None else False
    revoked = list_revocations(reader, tenant)
    for record in iterate_standing_entries(reader, tenant):
        body = record.entry.body
        row = rows.setdefault(body["agent"], AgentRow(body["agent"], listed=unlisted))
        _add_passport(row, body, reader.blob(tenant, body["hash"]), revoked, now_us // _US_PER_S)
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)) if reads_decisions else ():
        name = record.entry.body["request"]["subject"]["agent"]
        row = rows.setdefault(name, AgentRow(name, listed=unlisted))
        row.decisions += 1
        row.uses += bool(record.entry.body["dispatched"])
        row.last_us = max(row.last_us, record.entry.ts_us)
    return [rows[name] for name in sorted(rows)]


def _add_passport(
    row: AgentRow, body: Mapping[str, Any], token: bytes | None, revoked: list[Revocation], now_s: int
) -> None:
    row.passport = body.get("origin", "derived")
    for name in ("owner", "privilege", "purpose"):
        if not getattr(row, name):
            setattr(row, name, body.get(name, ""))
    row.regulated = row.regulated or tuple(body.get("regulated", ()))
    try:
        link = decode_link(token.decode("ascii"), None) if token is not None else None
    except (PassportError, UnicodeError):
        link = None
    if link is None:
        row.passport, row.until_s = "unreadable", 0
        return
    row.until_s = link.expires_at_s
    if any(revocation_applies(item, (link,), "") for item in revoked):
        row.passport = "revoked"
    elif now_s >= link.expires_at_s:
        row.passport = "expired"


def count_stopped(reader: Reader, tenant: str) -> tuple[Counter[tuple[str, tuple[str, ...]]], int]:
    """Count the calls that ran and would not have in enforce mode, according to their recorded decisions.

    Returns:
        (resource, reason codes) → number of such calls; the number of all calls that ran.
    """
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    ran = 0
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        decision = record.entry.body["decision"]
        ran += bool(record.entry.body["dispatched"])
        if record.entry.body["dispatched"] and decision["effect"] in ("deny", "challenge"):
            codes = tuple(sorted({reason["code"] for reason in decision["reasons"]}))
            counts[record.entry.body["request"]["resource"]["id"], codes] += 1
    return counts, ran


MANIFEST: Final = "agents.yaml"
_MAX_FILE: Final = 1 << 20


def find_manifest(home: Path, path: Path | None) -> Path:
    """The path of the manifest: the given one, else that of the home, else that of the working directory.

    Raises:
        ConfigError: there is none.
    """
    places = [path] if path is not None else [home / MANIFEST, Path(MANIFEST)]
    for place in places:
        if place.is_file():
            return place
    remedy = "write one (see docs/manifest.md), or let `halo enforce --grants` propose one"
    raise ConfigError("no_manifest", f"there is no `{places[0]}`", field="manifest", remedy=remedy)


def read_manifest(path: Path) -> Manifest:
    """Read and parse a manifest's file.

    Raises:
        ConfigError: it cannot be read, or is not valid.
    """
    return load_manifest(read_manifest_text(path), source=path.name)


def read_manifest_if_any(home: Path, path: Path | None, *, ignore_errors: bool = False) -> Manifest | None:
    """Read the manifest, if there is one.

    Args:
        home: folder of keys, where the manifest may be.
        path: path of the manifest, as given; None to look for one.
        ignore_errors: whether a manifest that was found, not given, and cannot be read counts as none.

    Raises:
        ConfigError: it cannot be read, or is not valid.
    """
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError as exc:
        if path is None and (ignore_errors or exc.code == "no_manifest"):
            return None
        raise


def find_role(home: Path, agent: str) -> str:
    """The role that the home's manifest gives an agent; the agent's own id where it gives none."""
    manifest = read_manifest_if_any(home, None, ignore_errors=True)
    declared = None if manifest is None else manifest.agents.get(agent)
    return agent if declared is None else declared.role


def read_manifest_text(path: Path) -> str:
    """The text of a manifest's file.

    Raises:
        ConfigError: it cannot be read.
    """
    return read_text_file(path, _MAX_FILE, "no_manifest", "manifest")


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


def note_other_manifest(path: Path) -> list[str]:
    """A note where the working directory has another manifest than the one read."""
    here = Path(MANIFEST)
    if not here.is_file() or here.resolve() == path.resolve():
        return []
    return [f"using {path}; the {MANIFEST} in the working directory is a different file and was not read"]


def load_catalogue(url: str, tenant: str | None) -> list[RegisteredResource]:
    """The registered resources of a tenant, or of the only one; none where there is no store yet.

    Raises:
        Tampered: as `load_registrations`.
    """
    with open_reader_if_any(url) as reader:
        if reader is None:
            return []
        return load_registrations(reader, tenant if tenant is not None else select_tenant(reader, None))


def load_registrations(reader: Reader, tenant: str) -> list[RegisteredResource]:
    """The registered resources, as the log recorded them last.

    Raises:
        Tampered: a row differs from the log. Grants are expanded over registered resources, so rows are not trusted.
    """
    recorded_hashes = {}
    for note in reader.registration_notes(tenant):
        body = reader.read_entry(note).body
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


def classify_resources(
    manifest: Manifest | None, registered: list[RegisteredResource]
) -> Mapping[tuple[ActionKind, str], Resource]:
    """(kind, id) → resource, as the manifest declares it, else as it was registered."""
    resources = {(item.resource.kind, item.resource.id): item.resource for item in registered}
    if manifest is not None:
        for kind, declared in manifest.declared.items():
            resources.update({(kind, name): resource for name, resource in declared.items()})
        for kind, name in list(resources):
            resources[kind, name] = manifest.find_resource(name, kind) or resources[kind, name]
    return resources
