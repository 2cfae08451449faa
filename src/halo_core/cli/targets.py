"""Room: what can be revoked, by name. Takes: a store, a home. Gives: the names it knows. Never: writes, decides."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.errors import ConfigError, HaloError
from halo_core.keys import key_id
from halo_core.model import EntryKind
from halo_core.passport.claims import ISSUER_URI
from halo_core.passport.codec import payload_of
from halo_core.query import entries
from halo_core.store.reader import Reader

__all__ = ["require_known"]

_FEW: Final = 6
_SHORTEST: Final = 4


def require_known(reader: Reader, home: Path, tenant: str, scope: str, target: str) -> None:
    """Refuse a target that nothing here is called: a revocation of it would hold nobody, and say that it does.

    Raises:
        ConfigError: `no_such_target`, with the name that is meant, where one is near.
    """
    known = _names(reader, home, tenant, scope)
    if target in known:
        return
    near = [name for name in known if len(target) >= _SHORTEST and name.removeprefix("sha256:").startswith(target)]
    near = near if len(near) == 1 else get_close_matches(target, known, 1)
    listed = f", known here: {', '.join(sorted(known)[:_FEW])}" if scope in ("agent", "session") and known else ""
    raise ConfigError(
        "no_such_target",
        f"no {scope} is called `{target[:64]}` here{listed}",
        field=scope,
        remedy=f"did you mean `{near[0]}`" if near else "check the name, or insist with `--unknown`",
    )


def _names(reader: Reader, home: Path, tenant: str, scope: str) -> set[str]:
    if scope == "tenant":
        return set(reader.tenants())
    if scope == "session":
        return {row[3] for row in reader.sessions() if row[0] == tenant}
    bodies = [found.entry.body for found in entries(reader, tenant, (EntryKind.PASSPORT,))]
    if scope == "agent":
        standing = {agent for owner, agent, *_ in reader.standings() if owner == tenant}
        return standing | {str(body.get("agent")) for body in bodies}
    tokens = [dict(_claims(reader, tenant, body)) for body in bodies]
    if scope == "link":
        return {str(body.get("hash")) for body in bodies} | {str(token.get("jti")) for token in tokens}
    trusted = Authorities(home).load(tenant)
    return {*trusted.issuers, *trusted.approvers}.union(*map(_thumbprints, tokens))


def _claims(reader: Reader, tenant: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    data = reader.blob(tenant, str(body.get("hash")))
    try:
        return payload_of(data.decode("ascii", "replace")) if data is not None else {}
    except HaloError:
        return {}  # what cannot be read has no name of its own but its hash


def _thumbprints(token: Mapping[str, Any]) -> set[str]:
    """Of the key that signed a link, and of its holder's."""
    try:
        holder = base64.urlsafe_b64decode(token["cnf"]["jwk"]["x"] + "=")
    except (KeyError, TypeError, ValueError):
        return set()
    return {str(token.get("iss")).removeprefix(ISSUER_URI), key_id(holder)}
