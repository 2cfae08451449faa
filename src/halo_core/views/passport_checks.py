"""The steps of verifying a passport, one after another, each with its answer.

They are the functions that a decision uses; only here each is told apart. A token's own word is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError, PassportError
from halo_core.model import Link, LinkKind, Revocation
from halo_core.passports import TrustAnchors, check_time, verify_chain
from halo_core.reasons import get_reason_text
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.passports import list_revocations, load_trusted
from halo_core.views.wording import format_link_kind, format_utc_minute

_US_PER_S: Final = 1_000_000
_SIGNER_TEXTS: Final = {
    LinkKind.STANDING: "by an issuer that this home trusts, well formed",
    LinkKind.SESSION: "by the agent's own key, and within the standing link",
    LinkKind.HANDOFF: "by the agent that handed off, and within the link above",
}


class Check(NamedTuple):
    """One step: what was asked, whether it passed (None: could not be asked), the code if not."""

    passed: bool | None
    what: str
    code: str = ""


def run_checks(tokens: Sequence[str], home: Path, url: str, tenant: str | None, *, now_us: int) -> list[Check]:
    """Every step in order; after a link that does not verify nothing more is asked."""
    store, tenant_name, revoked = _load_store_facts(url, tenant)
    trust = load_trusted(home, tenant_name, now_us)
    results: list[Check] = []
    links: tuple[Link, ...] = ()
    for count in range(1, len(tokens) + 1):
        try:
            links = verify_chain(tokens[:count], trusted=trust, audience=None, tenant=None)
        except PassportError as exc:
            results.append(Check(False, f"link {count}: {exc.message}", exc.code))
            return results
        link = links[-1]
        results.append(
            Check(
                True, f"link {count}, {format_link_kind(link)} link of {link.agent}: signed {_SIGNER_TEXTS[link.kind]}"
            )
        )
    results += _check_audience(tokens, trust, store, tenant_name)
    results += _check_validity(links, revoked, now_us)
    return results


def _load_store_facts(url: str, tenant: str | None) -> tuple[str | None, str, list[Revocation] | None]:
    """Store id, tenant and revocations; None where there is no store to ask."""
    try:
        with Reader(url) as reader:
            tenants = reader.tenants()
            tenant_name = tenant or (tenants[0] if len(tenants) == 1 else "local")
            control = reader.control(tenant_name)
            return (control[1] if control else None), tenant_name, list_revocations(reader, tenant_name)
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        return None, tenant or "local", None


def _check_audience(tokens: Sequence[str], trust: TrustAnchors, store: str | None, tenant: str) -> Iterator[Check]:
    for title, audience, expected_tenant in ((f"for tenant {tenant}", None, tenant), ("for this store", store, None)):
        if title.endswith("store") and store is None:
            yield Check(None, "for this store: not checked, there is no store here")
            continue
        try:
            verify_chain(tokens, trusted=trust, audience=audience, tenant=expected_tenant)
        except PassportError as exc:
            yield Check(False, f"{title}: {exc.message}", exc.code)
        else:
            yield Check(True, title)


def _check_validity(links: tuple[Link, ...], revoked: list[Revocation] | None, now_us: int) -> Iterator[Check]:
    late = next(((link, code) for link in links if (code := check_time(link, now_us // _US_PER_S))), None)
    ends = format_utc_minute(min(link.expires_at_s for link in links))
    if late is None:
        yield Check(True, f"valid until {ends}")
    else:
        yield Check(False, f"validity: {get_reason_text(late[1]).title} ({late[0].kind.value} link)", late[1])
    if revoked is None:
        yield Check(None, "not revoked: not checked, there is no store here")
        return
    hit = next((item for item in revoked if revocation_applies(item, links, links[-1].txn)), None)
    if hit is None:
        yield Check(True, "not revoked")
    else:
        yield Check(False, f"revoked: {hit.scope} {hit.target[:64]}", "revoked")
