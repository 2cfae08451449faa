"""Room: approvals, the signed answers of people outside the chain. Takes: an answer, a token. Gives: the other.

A strict JWS of its own `typ`, by an enrolled approver's key. One form answers every challenge: a `call` (bound to the
digest of what was asked) and a `reauthorization` of a session. Never: I/O, a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core import canonical
from halo_core.errors import PassportError
from halo_core.keys import Signer, key_id
from halo_core.model import Budget, Link, plain_name
from halo_core.passport.claims import ISSUER_URI, issuer_uri
from halo_core.passport.codec import Claims, named_header, open_token, payload_of, seal
from halo_core.passport.constraints import Violation
from halo_core.passport.limits import AUTHORITY_ONE, budgets_plain, parse_budgets
from halo_core.passport.shape import INT_LIMIT, LAST_SECOND, exact, integer, refuse, text, texts
from halo_core.passport.tighter import budgets_violation, session_limits

__all__ = [
    "ApprovalToken",
    "in_chain",
    "mint_approval",
    "peek_approval",
    "read_approval",
    "reauthorization_binding",
    "reauthorization_violation",
]

MAX_LIFE_S: Final = 30 * 86_400
"""Longest time an answer waits to be used, seconds."""
_TYPE: Final = "halo-approval+jwt"
_TOP: Final = ("aud", "exp", "halo", "iat", "iss", "jti", "sub", "ten", "ver")
_HALO: Final = ("a0", "ans", "bind", "bud", "epoch", "kind", "req", "ses")


@dataclass(frozen=True, slots=True)
class ApprovalToken:
    """One answer, read. Times are seconds since the epoch.

    Args:
        id: of the answer, unique (`jti`).
        approver: name, as enrolled.
        key_id: thumbprint of the key that signed.
        tenant: whose session.
        audience: the stores it is good for.
        issued_at_s: when it was given.
        expires_at_s: unused by then, it serves nothing.
        answer: `approve` or `deny`.
        binding: digest of what was asked.
        budgets: of a re-authorization, the new limits; of a unit not named, the terms.
        authority: of a re-authorization, where the new epoch starts, 1..1_000_000; else 0.
        epoch: of a re-authorization, the one it begins, 2 or more; else 0.
        kind: `call` or `reauthorization`.
        request: id of the challenge.
        session: id of the session.
        token: the signed form.
    """

    id: str
    approver: str
    key_id: str
    tenant: str
    audience: tuple[str, ...]
    issued_at_s: int
    expires_at_s: int
    answer: str
    binding: str
    budgets: tuple[Budget, ...]
    authority: int
    epoch: int
    kind: str
    request: str
    session: str
    token: str = field(repr=False)


def mint_approval(
    *,
    signer: Signer,
    approver: str,
    tenant: str,
    audience: str,
    now_s: int,
    lifetime_s: int,
    jti: str,
    answer: str,
    kind: str,
    binding: str,
    request: str,
    session: str,
    budgets: Sequence[Budget] = (),
    authority: int = 0,
    epoch: int = 0,
) -> str:
    """Sign an answer; parameters as in `ApprovalToken`.

    Raises:
        PassportError: with the code `read_approval` would give; nothing is minted that it would refuse.
    """
    claims = {
        "aud": [audience],
        "exp": now_s + lifetime_s,
        "halo": {
            "a0": authority,
            "ans": answer,
            "bind": binding,
            "bud": budgets_plain(budgets),
            "epoch": epoch,
            "kind": kind,
            "req": request,
            "ses": session,
        },
        "iat": now_s,
        "iss": issuer_uri(signer.public_key),
        "jti": jti,
        "sub": approver,
        "ten": tenant,
        "ver": 1,
    }
    token = seal(named_header(signer.key_id, _TYPE), claims, signer)
    _parse(Claims(claims, signer.key_id, token))
    return token


def read_approval(token: str | bytes, approvers: Mapping[str, tuple[str, bytes]]) -> ApprovalToken:
    """Verify and parse an answer.

    Args:
        token: whatever was presented.
        approvers: enrolled `kid` → name, public key of 32 bytes.

    Raises:
        PassportError: `unknown_approver`, `bad_approver`, `bad_approval`, `bad_iss`, `bad_times`, `bad_bud`,
            `claims_shape`, or as `halo_core.passport.codec.open_token`.
    """
    accepted = {named_header(kid, _TYPE): key for kid, (_, key) in approvers.items()}
    claims = open_token(token, accepted, unknown="unknown_approver", remedy="enrol the approver's key")
    found = _parse(claims)
    enrolled = {name for name, key in approvers.values() if key_id(key) == found.key_id}
    if found.approver not in enrolled:
        raise PassportError("bad_approver", "the answer names another approver than its key", field="/sub")
    return found


def peek_approval(token: str) -> ApprovalToken:
    """Parse an answer without asking who signed it, for a holder that lays a link upon it (the verifier asks).

    Raises:
        PassportError: as `read_approval`, but for what needs an enrolled key.
    """
    members = payload_of(token)
    iss = members.get("iss")
    return _parse(Claims(members, iss.rpartition(":")[2] if type(iss) is str else "", token))


def _parse(claims: Claims) -> ApprovalToken:
    top = exact(claims.members, _TOP, "claims_shape", "")
    halo = exact(top["halo"], _HALO, "claims_shape", "/halo")
    integer(top["ver"], 1, 1, "claims_shape", "/ver")
    if top["iss"] != ISSUER_URI + claims.key_id:
        raise refuse("bad_iss", "`iss` does not name the key that signed", "/iss")
    issued, expires = (integer(top[name], 0, LAST_SECOND, "bad_times", f"/{name}") for name in ("iat", "exp"))
    if not issued < expires <= issued + MAX_LIFE_S:
        raise refuse("bad_times", f"an answer is good for 1 to {MAX_LIFE_S} seconds", "/exp")
    authority, epoch = _terms(halo)
    return ApprovalToken(
        id=text(top["jti"], "/jti"),
        approver=text(top["sub"], "/sub"),
        key_id=claims.key_id,
        tenant=text(top["ten"], "/ten"),
        audience=texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued,
        expires_at_s=expires,
        answer=halo["ans"],
        binding=text(halo["bind"], "/halo/bind"),
        budgets=parse_budgets(halo["bud"], "/halo/bud"),
        authority=authority,
        epoch=epoch,
        kind=halo["kind"],
        request=text(halo["req"], "/halo/req"),
        session=text(halo["ses"], "/halo/ses"),
        token=claims.token,
    )


def _terms(halo: Mapping[str, Any]) -> tuple[int, int]:
    answer, kind = halo["ans"], halo["kind"]
    if answer not in ("approve", "deny") or kind not in ("call", "reauthorization"):
        raise refuse("bad_approval", "unknown answer or kind", "/halo")
    renews = kind == "reauthorization"
    gives = renews and answer == "approve"
    if not gives and halo["bud"] != {}:
        raise refuse("bad_approval", "only an approved re-authorization gives budgets", "/halo/bud")
    authority = integer(halo["a0"], *((1, AUTHORITY_ONE) if gives else (0, 0)), "bad_approval", "/halo/a0")
    epoch = integer(halo["epoch"], *((2, INT_LIMIT - 1) if renews else (0, 0)), "bad_approval", "/halo/epoch")
    return authority, epoch


def reauthorization_violation(standing: Link, session: Link, approval: ApprovalToken) -> Violation | None:
    """Why a session link of a later epoch does not rest on `approval`, or None. Who approved is asked elsewhere."""
    fits = {
        "kind": approval.kind == "reauthorization",
        "answer": approval.answer == "approve",
        "audience": {*session.audience} <= {*approval.audience},
        "expired": session.issued_at_s < approval.expires_at_s,
    }
    wrong = [name for name, holds in fits.items() if not holds]
    if wrong:
        return Violation("bad_reauthorization", ", ".join(wrong))
    if session.epoch != approval.epoch:
        return Violation("stale_epoch", "")
    # INVARIANT: EPOCH - an answer is to one tenant's one agent in one session, and to nobody else's.
    if approval.binding != reauthorization_binding(session.tenant, session.txn, session.agent, session.epoch):
        return Violation("bad_reauthorization", "binding")
    if session.decay is None or session.decay.authority > approval.authority:
        return Violation("decay_widened", "a0")
    return budgets_violation(session.budgets, session_limits(standing, approval.budgets))


def reauthorization_binding(tenant: str, session: str, agent: str, epoch: int) -> str:
    """Digest of the question whether an agent's session may go on into `epoch`; `session` as `txn` has it."""
    return canonical.digest("halo/binding/epoch/v1", canonical.dumps([tenant, session, agent, epoch]))


def in_chain(name: str, public_key: bytes, links: Sequence[Link]) -> bool:
    """Whether somebody, by name or key, is a principal, agent, owner, holder or issuer of one of `links`."""
    # Whoever wants to answer for themselves must not get there by spelling.
    who, thumbprint = plain_name(name), key_id(public_key)
    return any(
        who in map(plain_name, (link.principal, link.agent, link.owner))
        or public_key == link.holder_key
        or thumbprint == link.key_id
        for link in links
    )
