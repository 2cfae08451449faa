"""Room: the steps of verifying a passport, one after another. Takes: tokens, a home. Gives: what each step said.

The same functions as a decision uses; only here each is told apart. Never: writes, trusts a token's own word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from halo_core.cli.passport_files import revocations, trusted
from halo_core.cli.passport_view import when
from halo_core.cli.words import link_kind
from halo_core.errors import ConfigError, PassportError
from halo_core.model import Link, LinkKind, Revocation
from halo_core.passport import Trusted, check_time, verify_chain
from halo_core.pdp import revokes
from halo_core.reasons import text
from halo_core.store.reader import Reader

__all__ = ["Check", "checks"]

_US: Final = 1_000_000
_SIGNED: Final = {
    LinkKind.STANDING: "by an issuer that this home trusts, well formed",
    LinkKind.SESSION: "by the agent's own key, and within the standing link",
    LinkKind.HANDOFF: "by whoever handed off, and within the link above",
}


class Check(NamedTuple):
    """One step: what was asked, whether it passed (None: could not be asked), the code if not."""

    passed: bool | None
    what: str
    code: str = ""


def checks(tokens: Sequence[str], home: Path, url: str, tenant: str | None, *, now_us: int) -> list[Check]:
    """Every step in order; after a link that does not verify nothing more is asked."""
    store, whose, revoked = _store(url, tenant)
    trust = trusted(home, whose, now_us)
    found: list[Check] = []
    links: tuple[Link, ...] = ()
    for count in range(1, len(tokens) + 1):
        try:
            links = verify_chain(tokens[:count], trusted=trust, audience=None, tenant=None)
        except PassportError as exc:
            found.append(Check(False, f"link {count}: {exc.message}", exc.code))
            return found
        link = links[-1]
        found.append(Check(True, f"link {count}, {link_kind(link)} link of {link.agent}: signed {_SIGNED[link.kind]}"))
    found += _place(tokens, trust, store, whose)
    found += _now(links, revoked, now_us)
    return found


def _store(url: str, tenant: str | None) -> tuple[str | None, str, list[Revocation] | None]:
    """Store id, tenant and revocations; None where there is no store to ask."""
    try:
        with Reader(url) as reader:
            known = reader.tenants()
            whose = tenant or (known[0] if len(known) == 1 else "local")
            control = reader.control(whose)
            return (control[1] if control else None), whose, revocations(reader, whose)
    except ConfigError as exc:
        if exc.code not in ("no_database", "no_store"):
            raise
        return None, tenant or "local", None


def _place(tokens: Sequence[str], trust: Trusted, store: str | None, tenant: str) -> Iterator[Check]:
    for what, audience, whose in ((f"for tenant {tenant}", None, tenant), ("for this store", store, None)):
        if what.endswith("store") and store is None:
            yield Check(None, "for this store: there is none here to ask")
            continue
        try:
            verify_chain(tokens, trusted=trust, audience=audience, tenant=whose)
        except PassportError as exc:
            yield Check(False, f"{what}: {exc.message}", exc.code)
        else:
            yield Check(True, what)


def _now(links: tuple[Link, ...], revoked: list[Revocation] | None, now_us: int) -> Iterator[Check]:
    late = next(((link, code) for link in links if (code := check_time(link, now_us // _US))), None)
    ends = when(min(link.expires_at_s for link in links))
    if late is None:
        yield Check(True, f"in time, until {ends}")
    else:
        yield Check(False, f"in time: {text(late[1]).title} ({late[0].kind.value} link)", late[1])
    if revoked is None:
        yield Check(None, "not revoked: there is no store here to ask")
        return
    hit = next((item for item in revoked if revokes(item, links, links[-1].txn)), None)
    if hit is None:
        yield Check(True, "not revoked")
    else:
        yield Check(False, f"revoked: {hit.scope} {hit.target[:64]}", "revoked")
