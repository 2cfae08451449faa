"""Remembered answers: signed approvals that are valid for more than one call, as strict JWS of their own `typ`.

A `standing` answer covers one scope (tool, targets, object: `halo_core.values.facts.answer_scope`) under a cap of uses
and of amount. A `break_glass` answer covers everything one agent does for some minutes, except what moves money.

Three more kinds are for one act each: `override_allow` lets one exact call run that was refused, `override_deny`
forbids a call or its target, and `reversal` orders that the effect of one decision is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import Signer
from halo_core.durations import DAY_S
from halo_core.passports.answer_claims import (
    make_answer_claims,
    open_answer,
    require_answer_members,
    require_enrolled_name,
    require_lifetime,
)
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
from halo_core.quick_dataclass import dataclass

MAX_STANDING_LIFETIME_S: Final = 366 * DAY_S
"""Longest time for which a standing answer is good, seconds."""
MAX_BREAK_GLASS_S: Final = 3600
"""Longest time for which an emergency answer is good, seconds."""
MAX_OVERRIDE_S: Final = DAY_S
"""Longest time for which an override is good, seconds."""
MAX_ORDER_S: Final = 7 * DAY_S
"""Longest time for which a reversal that was ordered may wait for a process that can carry it out, seconds."""
MAX_USES: Final = 1_000_000
_LIFETIMES: Final = {
    "break_glass": MAX_BREAK_GLASS_S,
    "override_allow": MAX_OVERRIDE_S,
    "override_deny": MAX_OVERRIDE_S,
    "reversal": MAX_ORDER_S,
    "standing": MAX_STANDING_LIFETIME_S,
}
_MEDIA_TYPE: Final = "halo-standing-answer+jwt"
_HALO_MEMBERS: Final = ("amount", "kind", "res", "role", "scope", "uses")
_EACH_MEMBERS: Final = ("each", "each_scope")
"""Members of an answer that holds for amounts as well."""


@dataclass(frozen=True, slots=True)
class StandingToken:
    """A parsed remembered answer. Times are seconds since the epoch.

    Args:
        id: id of the token (`jti`).
        approver: name of the approver.
        tenant: owner of the log.
        audience: ids of the stores in which it is valid.
        issued_at_s: when it was signed.
        expires_at_s: from then on it can no longer be used.
        kind: `standing`, `break_glass`, `override_allow`, `override_deny` or `reversal`.
        scope: digest of what it covers.
        role: for `standing`, the role of the agents that it covers; for `break_glass` and `override_allow`, the agent;
            for `override_deny`, `*`; for `reversal`, the id of the decision whose effect is taken back.
        resource: the tool; empty for `break_glass`.
        max_uses: how many actions may run on it.
        max_amount: limit of the sum of their amounts, in ten-thousandths.
        max_each: up to which sum within 24 hours it answers for a large amount too, in ten-thousandths; 0 for none.
        each_scope: digest of what that holds for; empty if `max_each` is 0.
        key_id: thumbprint of the key that signed.
        token: the signed form.
    """

    id: str
    approver: str
    tenant: str
    audience: tuple[str, ...]
    issued_at_s: int
    expires_at_s: int
    kind: str
    scope: str
    role: str
    resource: str
    max_uses: int
    max_amount: int
    max_each: int = 0
    each_scope: str = ""
    key_id: str = ""
    token: str = field(default="", repr=False)


def mint_standing_answer(answer: StandingToken, signer: Signer) -> str:
    """Sign an answer; ignores its `key_id` and `token`.

    Raises:
        PassportError: with the code `read_standing_answer` would give; nothing is minted that it would refuse.
    """
    halo = {
        "amount": answer.max_amount,
        "kind": answer.kind,
        "res": answer.resource,
        "role": answer.role,
        "scope": answer.scope,
        "uses": answer.max_uses,
        **({"each": answer.max_each, "each_scope": answer.each_scope} if answer.max_each else {}),
    }
    claims = make_answer_claims(answer, halo, signer)
    token = sign_token(make_header(signer.key_id, _MEDIA_TYPE), claims, signer)
    _parse(Claims(claims, signer.key_id, token))
    return token


def read_standing_answer(token: str | bytes, approvers: Mapping[str, tuple[str, bytes]]) -> StandingToken:
    """Verify and parse an answer.

    Args:
        token: whatever was presented.
        approvers: enrolled `kid` → name, public key of 32 bytes.

    Raises:
        PassportError: `unknown_approver`, `bad_approver`, `bad_approval`, `bad_iss`, `bad_times`, `claims_shape`, or as
            `halo_core.passports.codec.open_token`.
    """
    answer = _parse(open_answer(token, _MEDIA_TYPE, approvers))
    require_enrolled_name(answer, approvers)
    return answer


def peek_standing_answer(token: str) -> StandingToken:
    """Parse an answer without verifying it, for a caller that lists or selects answers; a decision verifies them.

    Raises:
        PassportError: as `read_standing_answer`, except for the codes of a wrong key or signature.
    """
    return _parse(read_unverified(token))


def _parse(claims: Claims) -> StandingToken:
    top = require_answer_members(claims)
    has_each = isinstance(top["halo"], Mapping) and "each" in top["halo"]
    members = _HALO_MEMBERS + _EACH_MEMBERS if has_each else _HALO_MEMBERS
    halo = require_members(top["halo"], members, "claims_shape", "/halo")
    if require_text(halo["kind"], "/halo/kind") not in _LIFETIMES:
        raise claim_error("bad_approval", "unknown kind of answer", "/halo/kind")
    issued_s, expires_s = require_lifetime(top, _LIFETIMES[halo["kind"]])
    names_tool = halo["kind"] != "break_glass"
    if names_tool != bool(halo["res"]):
        raise claim_error("bad_approval", "an answer must name a tool, and an emergency answer none", "/halo/res")
    if has_each and halo["kind"] != "standing":
        raise claim_error("bad_approval", "only an answer for one scope holds for amounts", "/halo/each")
    return StandingToken(
        id=require_text(top["jti"], "/jti"),
        approver=require_text(top["sub"], "/sub"),
        tenant=require_text(top["ten"], "/ten"),
        audience=require_texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued_s,
        expires_at_s=expires_s,
        kind=halo["kind"],
        scope=require_text(halo["scope"], "/halo/scope"),
        role=require_text(halo["role"], "/halo/role"),
        resource=require_text(halo["res"], "/halo/res") if names_tool else "",
        max_uses=require_integer(halo["uses"], 1, MAX_USES, "bad_approval", "/halo/uses"),
        max_amount=require_integer(halo["amount"], 0, INT_LIMIT - 1, "bad_approval", "/halo/amount"),
        max_each=require_integer(halo["each"], 1, INT_LIMIT - 1, "bad_approval", "/halo/each") if has_each else 0,
        each_scope=require_text(halo["each_scope"], "/halo/each_scope") if has_each else "",
        key_id=claims.key_id,
        token=claims.token,
    )
