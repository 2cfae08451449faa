"""The agents and resources of a store, what is registered, and which agents hold passports that a key signed."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.decision.checks import revocation_applies
from halo_core.durations import SECOND_US
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError, HaloError, PassportError, Tampered
from halo_core.ledger.commitments import REGISTRATION_DOMAIN
from halo_core.manifest import Manifest
from halo_core.model import ActionKind, EntryKind, Resource, Revocation
from halo_core.oversight.signed_entries import decode_link
from halo_core.passports.claims import ISSUER_URI
from halo_core.passports.codec import read_payload
from halo_core.store.reader import Reader, Stream, read_entries, select_tenant
from halo_core.views import View
from halo_core.views.passports import iterate_standing_entries, list_revocations, open_reader_if_any

_MAX_NAMES: Final = 6
_MIN_PREFIX: Final = 4


def require_known_target(
    reader: Reader, home: Path, tenant: str, scope: str, target: str, *, written: str = ""
) -> None:
    """Refuse a target that is not known here, since revoking it would have no effect and would seem to have one.

    Args:
        reader: the store.
        home: folder with the keys that are trusted.
        tenant: owner of the log.
        scope: what the target is.
        target: its name or reference.
        written: the name that a person wrote, where `target` is its reference.

    Raises:
        ConfigError: `no_such_target`, with a similar name, if there is one.
    """
    known_names = _list_names(reader, home, tenant, scope)
    if target in known_names:
        return
    target = written or target
    matches = [
        name for name in known_names if len(target) >= _MIN_PREFIX and name.removeprefix("sha256:").startswith(target)
    ]
    matches = matches if len(matches) == 1 else get_close_matches(target, known_names, 1)
    names_text = (
        f", known here: {', '.join(sorted(_show_names(reader, tenant, scope, known_names))[:_MAX_NAMES])}"
        if scope in ("agent", "session") and known_names
        else ""
    )
    problem = f"there is no {scope} named `{target[:64]}` here{names_text}"
    remedy = f"did you mean `{matches[0]}`" if matches else "check the name, or confirm it with `--unknown`"
    raise ConfigError("no_such_target", problem, field=scope, remedy=remedy)


def _show_names(reader: Reader, tenant: str, scope: str, known_names: set[str]) -> set[str]:
    """The names as people know them: of a session its name, where it can be opened."""
    names = reader.names if scope == "session" else None
    return known_names if names is None else {names.show_session(tenant, item) for item in known_names}


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
    return {str(token.get("iss")).removeprefix(ISSUER_URI), compute_key_thumbprint(holder)}


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
        listed: whether the manifest declares it; None if there is no manifest.
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
        tenant: owner of the log.
        manifest: declares agents; None if there is none.
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
        _add_passport(row, body, reader.blob(tenant, body["hash"]), revoked, now_us // SECOND_US)
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


def load_catalogue(url: str, tenant: str | None) -> list[RegisteredResource]:
    """The registered resources of a tenant, or of the only one; none if there is no store yet.

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
