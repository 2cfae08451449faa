"""Minting of tokens: standing links by an issuer, session and hand-off links below them by their holders.

A session link begins one run under a standing link, a hand-off link gives another agent part of it. Nothing is minted
that a verifier would refuse, and what is not given is the parent's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from halo_core.crypto.keys import Signer
from halo_core.errors import PassportError
from halo_core.model import Budget, Decay, Grants, Link, LinkKind, Quota, SessionTerms
from halo_core.passports.approval import find_reauthorization_violation, peek_approval
from halo_core.passports.chain import verify_standing
from halo_core.passports.claims import MAX_DEPTH, claims_to_link, issuer_uri, link_to_claims
from halo_core.passports.codec import Claims, encode_derived, encode_root, signing_input_hash, token_hash
from halo_core.passports.grants import Violation
from halo_core.passports.narrowing import find_widening, session_limits
from halo_core.reasons import get_reason_text

__all__ = [
    "mint_handoff",
    "mint_session",
    "mint_standing",
]


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
    terms: SessionTerms | None = None,
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
    token = encode_root(link_to_claims(link), signer)
    verify_standing(token, trusted={signer.key_id: signer.public_key}, audience=audience, tenant=tenant)
    return token


def mint_session(
    *,
    parent: Link,
    parent_token: str,
    signer: Signer,
    now_s: int,
    jti: str,
    session: str,
    lifetime_s: int | None = None,
    budgets: Sequence[Budget] | None = None,
    decay: Decay | None = None,
    grants: Grants | None = None,
    labels: Sequence[str] | None = None,
    hand_off_to: Sequence[str] | None = None,
    max_depth: int | None = None,
    epoch: int = 1,
    reauthorization: str = "",
) -> str:
    """Mint a session link under a standing link. What is not given is the parent's.

    Args:
        parent: the standing link.
        parent_token: its token.
        signer: its holder.
        now_s: seconds since the epoch, the start of validity.
        jti: id of this token, unique.
        session: the session it is good for (`txn`), printable, 1 to 256 characters.
        lifetime_s: seconds; never beyond the terms and the parent.
        budgets: limits, in exactly the units of the terms.
        decay: no looser than that of the terms.
        grants: within the parent's; None for the same, by reference.
        labels: within the parent's.
        hand_off_to: within the parent's.
        max_depth: at most the parent's.
        epoch: 1, or that of the approval.
        reauthorization: the approver's token that a later epoch rests on; limits and authority are what it gives.

    Raises:
        PassportError: with the code `verify_chain` would give, but for the approval's signer.
    """
    terms = parent.terms
    if terms is None:
        raise _violation_error(Violation("bad_dcy", "the standing link does not allow sessions"))
    approval = peek_approval(reauthorization) if reauthorization else None
    authority = terms.decay.authority if approval is None else min(terms.decay.authority, approval.authority)
    limits = terms.budgets if approval is None else session_limits(parent, approval.budgets)
    life = terms.lifetime_s if lifetime_s is None else lifetime_s
    link = dataclasses.replace(
        _derive_link(parent, parent_token, signer, now_s=now_s, jti=jti, lifetime_s=life),
        kind=LinkKind.SESSION,
        txn=session,
        epoch=epoch,
        budgets=limits if budgets is None else tuple(budgets),
        decay=dataclasses.replace(terms.decay, authority=authority) if decay is None else decay,
        quotas=(),
        terms=None,
        reauthorization=reauthorization,
    )
    token, session_link = _sign_link(parent, _narrow_link(link, grants, labels, hand_off_to, max_depth), signer)
    wrong = find_reauthorization_violation(parent, session_link, approval) if approval is not None else None
    if wrong is not None:
        raise _violation_error(wrong)
    return token


def mint_handoff(
    *,
    parent: Link,
    parent_token: str,
    signer: Signer,
    now_s: int,
    jti: str,
    agent: str,
    holder_public_key: bytes,
    lifetime_s: int | None = None,
    grants: Grants | None = None,
    labels: Sequence[str] | None = None,
    hand_off_to: Sequence[str] | None = None,
    budgets: Sequence[Budget] | None = None,
    decay: Decay | None = None,
    owner: str = "",
    max_depth: int | None = None,
) -> str:
    """Mint a hand-off link under a session or hand-off link. What is not given is the parent's.

    Args:
        parent: the link to narrow.
        parent_token: its token.
        signer: its holder.
        now_s: seconds since the epoch, the start of validity.
        jti: id of this token, unique.
        agent: who receives it; one of the parent's `hand_off_to`.
        holder_public_key: that agent's key, 32 bytes.
        lifetime_s: seconds; never beyond the parent.
        grants: within the parent's; None for the same, by reference.
        labels: within the parent's.
        hand_off_to: within the parent's.
        budgets: limits, in exactly the parent's units.
        decay: no looser than the parent's.
        owner: who answers for the agent, empty if nobody was named.
        max_depth: at most the parent's.

    Raises:
        PassportError: with the code `verify_chain` would give, but for what it asks of links further up.
    """
    life = parent.expires_at_s - now_s if lifetime_s is None else lifetime_s
    link = dataclasses.replace(
        _derive_link(parent, parent_token, signer, now_s=now_s, jti=jti, lifetime_s=life),
        kind=LinkKind.HANDOFF,
        agent=agent,
        holder_key=holder_public_key,
        budgets=parent.budgets if budgets is None else tuple(budgets),
        decay=parent.decay if decay is None else decay,
        owner=owner,
        reauthorization="",
    )
    return _sign_link(parent, _narrow_link(link, grants, labels, hand_off_to, max_depth), signer)[0]


def _derive_link(parent: Link, parent_token: str, signer: Signer, *, now_s: int, jti: str, lifetime_s: int) -> Link:
    if token_hash(parent_token) != parent.hash:
        raise _violation_error(Violation("par_hash_mismatch", ""))
    if signer.public_key != parent.holder_key:
        raise PassportError("bad_sig", "only the parent's holder can sign a link below it", field="signer")
    return dataclasses.replace(
        parent,
        issuer=issuer_uri(signer.public_key),
        key_id=signer.key_id,
        jti=jti,
        issued_at_s=now_s,
        not_before_s=max(now_s, parent.not_before_s),
        expires_at_s=min(now_s + lifetime_s, parent.expires_at_s),
        depth=parent.depth + 1,
        parent=signing_input_hash(parent_token),
    )


def _narrow_link(
    link: Link,
    grants: Grants | None,
    labels: Sequence[str] | None,
    hand_off_to: Sequence[str] | None,
    max_depth: int | None,
) -> Link:
    return dataclasses.replace(
        link,
        grants=link.grants if grants is None else grants,
        labels=link.labels if labels is None else tuple(labels),
        hand_off_to=link.hand_off_to if hand_off_to is None else tuple(hand_off_to),
        max_depth=link.max_depth if max_depth is None else max_depth,
    )


def _sign_link(parent: Link, link: Link, signer: Signer) -> tuple[str, Link]:
    claims = link_to_claims(link, same_grants=link.grants is parent.grants)
    token = encode_derived(claims, signer)
    # What was signed here needs no verifying, but must parse, and be within the parent.
    parsed = claims_to_link(Claims(claims, signer.key_id, token), parent)
    wrong = find_widening(parent, parsed)
    if wrong is not None:
        raise _violation_error(wrong)
    return token, parsed


def _violation_error(violation: Violation) -> PassportError:
    words = get_reason_text(violation.code)
    return PassportError(violation.code, words.title, field=violation.detail, remedy=words.remedy)
