"""Approvals: signed answers of people outside the chain, as strict JWS of their own `typ`.

There are two kinds: `call`, bound to the digest of what was asked, and `reauthorization` of a session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import Signer, compute_key_thumbprint
from halo_core.durations import DAY_S
from halo_core.model import AUTHORITY_ONE, Budget, Link, same_person
from halo_core.passports.answer_claims import (
    make_answer_claims,
    open_answer,
    require_answer_members,
    require_enrolled_name,
    require_lifetime,
)
from halo_core.passports.claims import budgets_to_json, parse_budgets
from halo_core.passports.codec import (
    Claims,
    claim_error,
    make_header,
    read_unverified,
    require_integer,
    require_members,
    require_text,
    require_texts,
    sign_token,
)
from halo_core.passports.grants import Violation
from halo_core.passports.narrowing import find_budget_violation, session_limits
from halo_core.quick_dataclass import dataclass

MAX_APPROVAL_LIFETIME_S: Final = 30 * DAY_S
"""Longest time an answer waits to be used, seconds."""
_MEDIA_TYPE: Final = "halo-approval+jwt"
_HALO_MEMBERS: Final = ("a0", "ans", "bind", "bud", "epoch", "kind", "req", "ses")


@dataclass(frozen=True, slots=True)
class ApprovalToken:
    """A parsed answer. Times are seconds since the epoch.

    Args:
        id: id of the token (`jti`).
        approver: name of the approver.
        tenant: owner of the log.
        audience: ids of the stores in which it is valid.
        issued_at_s: when it was signed.
        expires_at_s: from then on it can no longer be used.
        answer: `approve` or `deny`.
        kind: `call` or `reauthorization`.
        binding: digest of what was asked.
        request: id of the entry with the request.
        session: session whose request it answers.
        budgets: new limits of a re-authorized session; units that it does not name keep the limits of the terms.
        authority: authority with which a re-authorized session goes on, 1..1_000_000; 0 for a call.
        epoch: epoch that a re-authorization begins, 2 or more; 0 for a call.
        key_id: thumbprint of the key that signed.
        token: the signed form.
    """

    id: str
    approver: str
    tenant: str
    audience: tuple[str, ...]
    issued_at_s: int
    expires_at_s: int
    answer: str
    kind: str
    binding: str
    request: str
    session: str
    budgets: tuple[Budget, ...] = ()
    authority: int = 0
    epoch: int = 0
    key_id: str = ""
    token: str = field(default="", repr=False)


def mint_approval(approval: ApprovalToken, signer: Signer) -> str:
    """Sign an answer; ignores its `key_id` and `token`.

    Raises:
        PassportError: with the code `read_approval` would give; nothing is minted that it would refuse.
    """
    halo = {
        "a0": approval.authority,
        "ans": approval.answer,
        "bind": approval.binding,
        "bud": budgets_to_json(approval.budgets),
        "epoch": approval.epoch,
        "kind": approval.kind,
        "req": approval.request,
        "ses": approval.session,
    }
    claims = make_answer_claims(approval, halo, signer)
    token = sign_token(make_header(signer.key_id, _MEDIA_TYPE), claims, signer)
    _parse_approval(Claims(claims, signer.key_id, token))
    return token


def read_approval(token: str | bytes, approvers: Mapping[str, tuple[str, bytes]]) -> ApprovalToken:
    """Verify and parse an answer.

    Args:
        token: whatever was presented.
        approvers: enrolled `kid` → name, public key of 32 bytes.

    Raises:
        PassportError: `unknown_approver`, `bad_approver`, `bad_approval`, `bad_iss`, `bad_times`, `bad_bud`,
            `claims_shape`, or as `halo_core.passports.codec.open_token`.
    """
    approval = _parse_approval(open_answer(token, _MEDIA_TYPE, approvers))
    require_enrolled_name(approval, approvers)
    return approval


def peek_approval(token: str) -> ApprovalToken:
    """Parse an answer without verifying it, for a holder that derives a link from it; the verifier checks it.

    Raises:
        PassportError: as `read_approval`, except for the codes of a wrong key or signature.
    """
    return _parse_approval(read_unverified(token))


def _parse_approval(claims: Claims) -> ApprovalToken:
    top = require_answer_members(claims)
    halo = require_members(top["halo"], _HALO_MEMBERS, "claims_shape", "/halo")
    issued_s, expires_s = require_lifetime(top, MAX_APPROVAL_LIFETIME_S)
    authority, epoch = _parse_authority_and_epoch(halo)
    return ApprovalToken(
        id=require_text(top["jti"], "/jti"),
        approver=require_text(top["sub"], "/sub"),
        key_id=claims.key_id,
        tenant=require_text(top["ten"], "/ten"),
        audience=require_texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued_s,
        expires_at_s=expires_s,
        answer=halo["ans"],
        binding=require_text(halo["bind"], "/halo/bind"),
        budgets=parse_budgets(halo["bud"], "/halo/bud"),
        authority=authority,
        epoch=epoch,
        kind=halo["kind"],
        request=require_text(halo["req"], "/halo/req"),
        session=require_text(halo["ses"], "/halo/ses"),
        token=claims.token,
    )


def _parse_authority_and_epoch(halo: Mapping[str, Any]) -> tuple[int, int]:
    answer, kind = halo["ans"], halo["kind"]
    if answer not in ("approve", "deny") or kind not in ("call", "reauthorization"):
        raise claim_error("bad_approval", "unknown answer or kind", "/halo")
    renews = kind == "reauthorization"
    grants_terms = renews and answer == "approve"
    if not grants_terms and halo["bud"] != {}:
        raise claim_error("bad_approval", "only an approved re-authorization can have budgets", "/halo/bud")
    authority = require_integer(
        halo["a0"], *((1, AUTHORITY_ONE) if grants_terms else (0, 0)), "bad_approval", "/halo/a0"
    )
    epoch = require_integer(halo["epoch"], *((2, INT_LIMIT - 1) if renews else (0, 0)), "bad_approval", "/halo/epoch")
    return authority, epoch


def find_reauthorization_violation(standing_link: Link, session: Link, approval: ApprovalToken) -> Violation | None:
    """Why `approval` does not allow a session link of a later epoch, or None.

    Whether the approver is enrolled and outside the chain is checked in `halo_core.passports.chain`.
    """
    conditions = {
        "kind": approval.kind == "reauthorization",
        "answer": approval.answer == "approve",
        "audience": {*session.audience} <= {*approval.audience},
        "expired": session.issued_at_s < approval.expires_at_s,
    }
    wrong = [name for name, holds in conditions.items() if not holds]
    if wrong:
        return Violation("bad_reauthorization", ", ".join(wrong))
    if session.epoch != approval.epoch:
        return Violation("stale_epoch", "")
    # INVARIANT: EPOCH - an answer is valid for one agent of one tenant in one session.
    if approval.binding != make_reauthorization_binding(session.tenant, session.txn, session.agent, session.epoch):
        return Violation("bad_reauthorization", "binding")
    if session.decay is None or session.decay.authority > approval.authority:
        return Violation("decay_widened", "a0")
    return find_budget_violation(session.budgets, session_limits(standing_link, approval.budgets))


def make_reauthorization_binding(tenant: str, session: str, agent: str, epoch: int) -> str:
    """Digest that binds an answer to an agent's session (its `txn`) and the epoch it may continue into."""
    return canonical.digest("halo/binding/epoch/v1", canonical.dumps([tenant, session, agent, epoch]))


def is_in_chain(name: str, public_key: bytes, links: Sequence[Link]) -> bool:
    """Whether somebody, by name or key, is a principal, agent, owner, holder or issuer of one of `links`."""
    # Names are normalized, so that nobody approves their own session under another spelling.
    thumbprint = compute_key_thumbprint(public_key)
    return any(
        any(same_person(name, other) for other in (link.principal, link.agent, link.owner))
        or public_key == link.holder_key
        or thumbprint == link.key_id
        for link in links
    )
