"""Room: what can be revoked, by name. Takes: a store, a home. Gives: the names it knows. Never: writes, decides.

Room: whom a rotation of the issuer concerns. Takes: a store, a thumbprint. Gives: agents, words. Never: rotates.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto.keys import key_thumbprint
from halo_core.errors import ConfigError, HaloError, PassportError
from halo_core.model import EntryKind
from halo_core.passports.claims import ISSUER_URI
from halo_core.passports.codec import read_payload
from halo_core.store.log import read_entries
from halo_core.store.reader import Reader

__all__ = [
    "PassportHolders",
    "find_holders",
    "list_follow_ups",
    "refuse_without_overlap",
    "require_known_target",
]


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
        return {row[3] for row in reader.sessions() if row[0] == tenant}
    bodies = [record.entry.body for record in read_entries(reader, tenant, (EntryKind.PASSPORT,))]
    if scope == "agent":
        standing_agents = {agent for owner, agent, *_ in reader.standing_passports() if owner == tenant}
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
        for owner, agent, name, origin, *_ in reader.standing_passports():
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
