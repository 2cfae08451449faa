"""Room: issuance of links. Takes: a signer and what to grant. Gives: a token. Never: I/O, a clock, randomness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from halo_core.errors import PassportError
from halo_core.model import Budget, Grants, Link, LinkKind
from halo_core.passport.claims import MAX_DEPTH, issuer_uri, link_to_claims
from halo_core.passport.codec import encode
from halo_core.passport.verify import verify_standing

if TYPE_CHECKING:
    from halo_core.keys import Signer

__all__ = ["mint_standing"]


def mint_standing(
    *,
    signer: Signer,
    tenant: str,
    agent: str,
    principal: str,
    audience: str,
    holder_public_key: bytes,
    grants: Grants,
    now_s: int,
    lifetime_s: int,
    jti: str,
    txn: str,
    labels: Sequence[str] | None = None,
    budgets: Sequence[Budget] = (),
    hand_off_to: Sequence[str] = (),
    policy: str = "",
    max_depth: int = MAX_DEPTH,
    epoch: int = 1,
) -> str:
    """Mint a standing link: grants, ceilings and quotas, no decay.

    Args:
        signer: the issuer.
        tenant: whose agents.
        agent: id of the agent that will hold it (`client_id`).
        principal: user or organisation it acts for (`sub`).
        audience: the one store it is good for; a second store would double every budget.
        holder_public_key: 32 bytes; the agent's key, which signs the session links.
        grants: what it may reach, exact resource ids.
        now_s: seconds since the epoch, the start of validity.
        lifetime_s: seconds.
        jti: id of this token, unique; it also names the envelope of its chain.
        txn: id of the call tree (RFC 8417), unchanged along the chain.
        labels: data labels allowed, None for any.
        budgets: quotas.
        hand_off_to: agents it may hand off to.
        policy: `sha256:` digest of the policy bundle that the chain is pinned to, or empty.
        max_depth: depth of the deepest link that may be derived, 0..`MAX_DEPTH`.
        epoch: 1, or one more than the chain that this re-authorizes.

    Raises:
        PassportError: with the code `verify_standing` would give; nothing is minted that it would refuse.
    """
    if len({item.unit for item in budgets}) != len(budgets):
        raise PassportError("bad_bud", "a unit has two budgets", field="/halo/bud", remedy="name each unit once")
    link = Link(
        hash="",
        kind=LinkKind.STANDING,
        issuer=issuer_uri(signer.public_key),
        key_id=signer.key_id,
        jti=jti,
        principal=principal,
        agent=agent,
        tenant=tenant,
        audience=(audience,),
        issued_at_s=now_s,
        not_before_s=now_s,
        expires_at_s=now_s + lifetime_s,
        txn=txn,
        holder_key=holder_public_key,
        depth=0,
        max_depth=max_depth,
        epoch=epoch,
        grants=grants,
        labels=tuple(labels) if labels is not None else None,
        hand_off_to=tuple(hand_off_to),
        budgets=tuple(budgets),
        policy=policy,
        envelope=jti,
    )
    token = encode(link_to_claims(link), signer)
    verify_standing(token, trusted={signer.key_id: signer.public_key}, audience=audience, tenant=tenant)
    return token
