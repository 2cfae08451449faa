"""Mints tokens: standing links by an issuer, session and hand-off links below them by their holders.

A session link begins one run under a standing link; a hand-off link gives another agent part of it. Nothing is minted
that a verifier would refuse. What the caller leaves out is taken from the parent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from halo_core.crypto.keys import Signer
from halo_core.errors import PassportError
from halo_core.model import Budget, Decay, Grants, Link, LinkKind, Quota, SessionTerms
from halo_core.passports.approval import find_reauthorization_violation, peek_approval
from halo_core.passports.chain import POP_HEADER, hash_leaf, verify_standing
from halo_core.passports.claims import MAX_DEPTH, claims_to_link, issuer_uri, link_to_claims
from halo_core.passports.codec import (
    DERIVED_HEADER,
    PASSPORT_TYPE,
    Claims,
    hash_signing_input,
    make_header,
    sign_token,
    token_hash,
)
from halo_core.passports.grants import Violation
from halo_core.passports.narrowing import find_widening, session_limits
from halo_core.reasons import get_reason_text


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
        signer: the issuer's.
        tenant: owner of the log.
        agent: that holds the link.
        principal: for whom the agent acts.
        audience: id of the one store in which the link is valid. In a second store, each budget would count again.
        holder_public_key: key with which the agent proves that it holds the link.
        grants: what it may use.
        now_s: time of issue, seconds since the epoch; the link is valid from then on.
        lifetime_s: how long it is valid, seconds.
        jti: id of the link.
        txn: id of the link itself; a session link has the id of its session here.
        labels: data labels that it may read, None for all.
        budgets: ceilings of one session, over all its re-authorizations.
        hand_off_to: agents that may take over.
        policy: `sha256:` digest of the policy bundle that the chain is pinned to, empty for any.
        max_depth: depth of the deepest link that may be derived.
        owner: person who answers for the agent.
        quotas: limits of a day.
        terms: of the sessions; None if no session may be opened.
        envelope: account of the quotas, `jti` if empty. With a predecessor's, its counts go on.

    Returns:
        The signed token.

    Raises:
        PassportError: `verify_standing` would refuse the link, with the same code; nothing is minted.
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
    token = sign_token(make_header(signer.key_id, PASSPORT_TYPE), link_to_claims(link), signer)
    verify_standing(token, trusted={signer.key_id: signer.public_key}, audience=audience, tenant=tenant)
    return token


class Narrowing(TypedDict, total=False):
    """What a link may have less of than its parent, or than the terms; omitted members are inherited.

    Grants that are taken over are written as a reference to the parent's. `budgets` are limits in exactly the same
    units.
    """

    grants: Grants | None
    labels: Sequence[str] | None
    hand_off_to: Sequence[str] | None
    budgets: Sequence[Budget] | None
    decay: Decay | None
    max_depth: int | None


def mint_session(
    *,
    parent: Link,
    parent_token: str,
    signer: Signer,
    now_s: int,
    jti: str,
    session: str,
    lifetime_s: int | None = None,
    epoch: int = 1,
    reauthorization: str = "",
    **narrower: Unpack[Narrowing],
) -> str:
    """Mint a session link under a standing link, signed by the holder; omitted members come from the parent.

    It is valid from `now_s` (seconds since the epoch) for `lifetime_s`, never beyond the terms and the parent.
    `session` is the session that it is for (`txn`), printable, 1 to 256 characters. `epoch` is 1, or that of the
    approval, whose token is `reauthorization`; limits and authority are then what it gives. Budgets and decay are those
    of the terms.

    Raises:
        PassportError: with the code `verify_chain` would give; the approval's signer is not checked.
    """
    terms = parent.terms
    if terms is None:
        raise _make_minting_error(Violation("bad_dcy", "the standing link does not allow sessions"))
    approval = peek_approval(reauthorization) if reauthorization else None
    authority = terms.decay.authority if approval is None else min(terms.decay.authority, approval.authority)
    limits = terms.budgets if approval is None else session_limits(parent, approval.budgets)
    life = terms.lifetime_s if lifetime_s is None else lifetime_s
    link = dataclasses.replace(
        _derive_link(parent, parent_token, signer, now_s=now_s, jti=jti, lifetime_s=life),
        kind=LinkKind.SESSION,
        txn=session,
        epoch=epoch,
        budgets=limits,
        decay=dataclasses.replace(terms.decay, authority=authority),
        quotas=(),
        terms=None,
        reauthorization=reauthorization,
    )
    token, session_link = _sign_link(parent, link, narrower, signer)
    wrong = find_reauthorization_violation(parent, session_link, approval) if approval is not None else None
    if wrong is not None:
        raise _make_minting_error(wrong)
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
    owner: str = "",
    **narrower: Unpack[Narrowing],
) -> str:
    """Mint a hand-off link under a session or hand-off link, signed by its holder.

    What is not given is taken from the parent.

    It is valid from `now_s` (seconds since the epoch) for `lifetime_s`, never beyond the parent. `agent`, one of the
    parent's `hand_off_to`, receives it and holds `holder_public_key` (32 bytes); `owner` answers for it, empty if
    nobody was named.

    Raises:
        PassportError: with the code `verify_chain` would give; links above the parent are not compared.
    """
    life = parent.expires_at_s - now_s if lifetime_s is None else lifetime_s
    link = dataclasses.replace(
        _derive_link(parent, parent_token, signer, now_s=now_s, jti=jti, lifetime_s=life),
        kind=LinkKind.HANDOFF,
        agent=agent,
        holder_key=holder_public_key,
        owner=owner,
        reauthorization="",
    )
    return _sign_link(parent, link, narrower, signer)[0]


def _derive_link(parent: Link, parent_token: str, signer: Signer, *, now_s: int, jti: str, lifetime_s: int) -> Link:
    if token_hash(parent_token) != parent.hash:
        raise _make_minting_error(Violation("par_hash_mismatch", ""))
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
        parent=hash_signing_input(parent_token),
    )


def _sign_link(parent: Link, derived: Link, narrower: Narrowing, signer: Signer) -> tuple[str, Link]:
    given: dict[str, Any] = {name: value for name, value in narrower.items() if value is not None}
    link = dataclasses.replace(derived, **given)
    claims = link_to_claims(link, same_grants=link.grants is parent.grants)
    token = sign_token(DERIVED_HEADER, claims, signer)
    # What was signed here needs no verifying, but must parse, and be within the parent.
    parsed = claims_to_link(Claims(claims, signer.key_id, token), parent)
    wrong = find_widening(parent, parsed)
    if wrong is not None:
        raise _make_minting_error(wrong)
    return token, parsed


def _make_minting_error(violation: Violation) -> PassportError:
    words = get_reason_text(violation.code)
    return PassportError(violation.code, words.title, field=violation.detail, remedy=words.remedy)


def mint_pop(
    *, signer: Signer, leaf_token: str, audience: str, action: str, args_digest: str, now_s: int, jti: str
) -> str:
    """Mint a proof of possession of a leaf's key for one call, signed by its holder; parameters as in `verify_pop`."""
    claims = {
        "act": action,
        "arg": args_digest,
        "ath": hash_leaf(leaf_token),
        "aud": audience,
        "iat": now_s,
        "jti": jti,
    }
    return sign_token(POP_HEADER, claims, signer)
