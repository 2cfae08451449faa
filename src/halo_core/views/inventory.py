"""What a store knows by name: agents, tenants with their mode, and whom a revocation or a rotation concerns."""

from __future__ import annotations

import base64
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto.keys import key_thumbprint
from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError, HaloError, PassportError
from halo_core.manifest import Manifest
from halo_core.model import EntryKind, Revocation
from halo_core.oversight.requests import decode_link
from halo_core.passports.claims import ISSUER_URI
from halo_core.passports.codec import read_payload
from halo_core.store.log import read_entries, summarize
from halo_core.store.reader import Reader, Stream
from halo_core.views import View
from halo_core.views.passports import iterate_standing_entries, list_revocations

_US_PER_S: Final = 1_000_000
_MAX_NAMES: Final = 6
_MIN_PREFIX: Final = 4


def require_known_target(reader: Reader, home: Path, tenant: str, scope: str, target: str) -> None:
    """Refuse a target that nothing here is called: a revocation of it would hold nobody, and say that it does.

    Raises:
        ConfigError: `no_such_target`, with the name that is meant, where one is near.
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
    raise ConfigError(
        "no_such_target",
        f"there is no {scope} named `{target[:64]}` here{names_text}",
        field=scope,
        remedy=f"did you mean `{matches[0]}`" if matches else "check the name, or confirm it with `--unknown`",
    )


def _list_names(reader: Reader, home: Path, tenant: str, scope: str) -> set[str]:
    if scope == "tenant":
        return set(reader.tenants())
    if scope == "session":
        return {row[3] for row in reader.rows(Stream.SESSION_HEADS) if row[0] == tenant}
    bodies = [record.entry.body for record in read_entries(reader, tenant, (EntryKind.PASSPORT,))]
    if scope == "agent":
        standing_agents = {agent for owner, agent, *_ in reader.rows(Stream.STANDING_PASSPORTS) if owner == tenant}
        return standing_agents | {str(body.get("agent")) for body in bodies}
    tokens = [dict(_read_claims(reader, tenant, body)) for body in bodies]
    if scope == "link":
        return {str(body.get("hash")) for body in bodies} | {str(token.get("jti")) for token in tokens}
    trusted = Authorities(home).load(tenant)
    return {*trusted.issuers, *trusted.approvers}.union(*map(_list_thumbprints, tokens))


def _read_claims(reader: Reader, tenant: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    data = reader.blob(tenant, str(body.get("hash")))
    try:
        return read_payload(data.decode("ascii", "replace")) if data is not None else {}
    except HaloError:
        return {}  # what cannot be read has no name of its own but its hash


def _list_thumbprints(token: Mapping[str, Any]) -> set[str]:
    """Of the key that signed a link, and of its holder's."""
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
            data = reader.blob(tenant, name) if owner == tenant else None
            with contextlib.suppress(PassportError):
                if (
                    data is not None
                    and read_payload(data.decode("ascii", "replace")).get("iss") == f"{ISSUER_URI}{kid}"
                ):
                    agents_by_origin.setdefault(origin, []).append(agent)
    return agents_by_origin


def refuse_without_overlap(holders_by_tenant: Mapping[str, PassportHolders]) -> None:
    """Refuse to end passports at once.

    Raises:
        ConfigError: `passports_die`, somebody holds one.
    """
    agents = sorted({agent for item in holders_by_tenant.values() for names in item.values() for agent in names})
    if agents:
        raise ConfigError(
            "passports_die",
            f"without an overlap the passports of {', '.join(agents)} become invalid now",
            field="overlap",
            remedy="give a longer `--overlap`, or confirm with `--yes`",
        )


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
        owner, privilege, purpose, regulated: as the manifest declares them, else as recorded with its passport.
        passport: `issued`, `derived`, `revoked`, `expired`, `unreadable` or `none`.
        until_s: end of the passport, seconds since the epoch.
        decisions: how many it had; `uses` of them ran.
        last_us: the last of them, microseconds since the epoch.
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


def list_agents(reader: Reader, tenant: str, manifest: Manifest | None, now_us: int) -> list[AgentRow]:
    """Every agent that the manifest declares, or that has a passport, or that acted, by name."""
    declared = manifest.agents if manifest is not None and manifest.tenant == tenant else {}
    rows = {
        name: AgentRow(name, agent.owner, agent.privilege, agent.purpose, agent.regulated, listed=True)
        for name, agent in declared.items()
    }
    revoked = list_revocations(reader, tenant)
    for record in iterate_standing_entries(reader, tenant):
        body = record.entry.body
        row = rows.setdefault(body["agent"], AgentRow(body["agent"]))
        _add_passport(row, body, reader.blob(tenant, body["hash"]), revoked, now_us // _US_PER_S)
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        name = record.entry.body["request"]["subject"]["agent"]
        row = rows.setdefault(name, AgentRow(name))
        row.decisions += 1
        row.uses += bool(record.entry.body["dispatched"])
        row.last_us = max(row.last_us, record.entry.ts_us)
    for row in rows.values():
        if manifest is not None and row.listed is None:
            row.listed = False
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


@dataclass(frozen=True, slots=True)
class TenantStatus(View):
    """The mode of a tenant, and what was decided so far."""

    decisions: dict[str, int]
    effects: dict[str, int]
    mode: str
    sessions: int
    sightings: int
    store: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        names = ("decisions", "effects", "mode", "sightings", "store")
        return {name: getattr(self, name) for name in names}


def load_statuses(url: str) -> dict[str, TenantStatus]:
    """The status of every tenant of a store."""
    statuses = {}
    with Reader(url) as reader:
        for tenant in reader.tenants():
            control, counts = reader.control(tenant), summarize(reader, tenant)
            statuses[tenant] = TenantStatus(
                decisions=dict(counts.decisions),
                effects=dict(counts.effects),
                mode=control[2] if control else "",
                sessions=counts.sessions,
                sightings=counts.sightings,
                store=url,
            )
    return statuses


def count_stopped(reader: Reader, tenant: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """(resource, reason codes) → calls that enforce mode would not have let run, by the decisions of their time."""
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        decision = record.entry.body["decision"]
        if decision["effect"] in ("deny", "challenge"):
            codes = tuple(sorted({reason["code"] for reason in decision["reasons"]}))
            counts[record.entry.body["request"]["resource"]["id"], codes] += 1
    return counts
