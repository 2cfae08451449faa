"""Room: issuance of links. Takes: a signer and what to grant. Gives: a token. Never: I/O, a clock, randomness.

Standing links, by an issuer; the links below them are derived by their holders (`halo_core.passport.derive`).
"""

from __future__ import annotations

from collections.abc import Sequence

from halo_core.keys import Signer
from halo_core.model import Budget, Grants, Link, LinkKind, Quota, Terms
from halo_core.passport.claims import MAX_DEPTH, issuer_uri
from halo_core.passport.codec import encode
from halo_core.passport.plain import link_to_claims
from halo_core.passport.verify import verify_standing

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
    owner: str = "",
    quotas: Sequence[Quota] = (),
    terms: Terms | None = None,
    envelope: str = "",
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
        jti: id of this token, unique.
        txn: its own id in the call tree (RFC 8417).
        labels: data labels allowed, None for any.
        budgets: ceilings of one session over all its re-authorizations.
        hand_off_to: agents it may hand off to.
        policy: `sha256:` digest of the policy bundle that the chain is pinned to, or empty.
        max_depth: depth of the deepest link that may be derived, 0..`MAX_DEPTH`.
        owner: who answers for the agent, empty if nobody was named.
        quotas: of all its sessions together, per UTC day.
        terms: what each session begins with; without, none can be opened.
        envelope: account of the quotas, `jti` if empty; give a predecessor's to go on counting.

    Raises:
        PassportError: with the code `verify_standing` would give; nothing is minted that it would refuse.
    """
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
        epoch=1,
        grants=grants,
        labels=tuple(labels) if labels is not None else None,
        hand_off_to=tuple(hand_off_to),
        budgets=tuple(budgets),
        policy=policy,
        envelope=envelope or jti,
        owner=owner,
        quotas=tuple(quotas),
        terms=terms,
    )
    token = encode(link_to_claims(link), signer)
    verify_standing(token, trusted={signer.key_id: signer.public_key}, audience=audience, tenant=tenant)
    return token
