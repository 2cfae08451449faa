"""Room: a link as claims. Takes: a `Link`. Gives: what is signed. Never: checks it (`claims_to_link` does)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from halo_core.model import Link, LinkKind
from halo_core.passport.claims import SAME_GRANTS, VERSION
from halo_core.passport.codec import b64url
from halo_core.passport.grants import grants_plain
from halo_core.passport.limits import budgets_plain, decay_plain, quotas_plain, terms_plain

__all__ = ["link_to_claims"]


def link_to_claims(link: Link, *, same_grants: bool = False) -> dict[str, Any]:
    """Claims of a link, the inverse of `claims_to_link`.

    Args:
        link: of any kind.
        same_grants: write that the grants are the parent's, instead of the grants.
    """
    claims: dict[str, Any] = {
        "aud": sorted(link.audience),
        "authorization_details": [{"type": SAME_GRANTS}] if same_grants else grants_plain(link.grants),
        "client_id": link.agent,
        "cnf": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": b64url(link.holder_key)}},
        "del_depth": link.depth,
        "del_max_depth": link.max_depth,
        "exp": link.expires_at_s,
        "halo": _halo_plain(link),
        "iat": link.issued_at_s,
        "iss": link.issuer,
        "jti": link.jti,
        "nbf": link.not_before_s,
        "sub": link.principal,
        "txn": link.txn,
    }
    if link.parent:
        claims["par_hash"] = link.parent
    return claims


def _halo_plain(link: Link) -> dict[str, Any]:
    halo: dict[str, Any] = {
        "bud": budgets_plain(link.budgets),
        "cls": _sorted(link.labels),
        "env": link.envelope,
        "epoch": link.epoch,
        "hand": _sorted(link.hand_off_to),
        "kind": link.kind.value,
        "own": link.owner,
        "pol": link.policy,
        "ten": link.tenant,
        "ver": VERSION,
    }
    if link.decay is not None:
        halo["dcy"] = decay_plain(link.decay)
    if link.kind is LinkKind.STANDING:
        halo.update(quo=quotas_plain(link.quotas), ses=terms_plain(link.terms))
    if link.kind is LinkKind.SESSION:
        halo["rea"] = link.reauthorization
    return halo


def _sorted(items: Sequence[str] | None) -> list[str] | None:
    return None if items is None else sorted(items)
