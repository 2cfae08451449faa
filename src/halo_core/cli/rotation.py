"""Room: whom a rotation of the issuer concerns. Takes: a store, a thumbprint. Gives: agents, words. Never: rotates."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from halo_core.errors import ConfigError, PassportError
from halo_core.passport.claims import ISSUER_URI
from halo_core.passport.codec import payload_of
from halo_core.store.reader import Reader

__all__ = ["Held", "holders", "refuse_sudden", "to_do"]

Held = dict[str, list[str]]
"""Origin of a passport, `issued` or `derived` → agents."""


def holders(url: str, tenant: str, kid: str) -> Held:
    """Agents whose passport the key signed."""
    held: Held = {}
    with Reader(url) as reader:
        for owner, agent, name, origin, *_ in reader.standings():
            data = reader.blob(tenant, name) if owner == tenant else None
            with contextlib.suppress(PassportError):
                if data is not None and payload_of(data.decode("ascii", "replace")).get("iss") == f"{ISSUER_URI}{kid}":
                    held.setdefault(origin, []).append(agent)
    return held


def refuse_sudden(held: Mapping[str, Held]) -> None:
    """Refuse to end passports at once.

    Raises:
        ConfigError: `passports_die`, somebody holds one.
    """
    agents = sorted({agent for item in held.values() for names in item.values() for agent in names})
    if agents:
        raise ConfigError(
            "passports_die",
            f"without an overlap the passports of {', '.join(agents)} serve nothing from now on",
            field="overlap",
            remedy="give a longer `--overlap`, or insist with `--yes`",
        )


def to_do(held: Held, until: str, *, over: bool) -> list[str]:
    """What people have to do after a rotation, a line for each kind of passport."""
    issued, derived = held.get("issued"), held.get("derived")
    when = "now: they serve nothing any more" if over else f"before {until}"
    said = [f"issue passports again {when}: {', '.join(issued)}"] if issued else []
    if derived:
        said.append(f"restart, so that they get passports of the new one: {', '.join(derived)}")
    return said
