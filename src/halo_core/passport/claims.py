"""Room: the claims of one link. Takes: verified claims. Gives: a `Link`, or a refusal. Never: I/O, a clock, signing.

Registered names: RFC 7519, `client_id` (RFC 9068), `txn` (RFC 8417), `cnf` (RFC 7800), `authorization_details` (RFC
9396); `del_depth`, `del_max_depth`, `par_hash` from the delegation drafts; everything private is under `halo`. Member
sets are exact: an unknown member could be a restriction that this version would not honour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.keys import key_id, require_strong
from halo_core.model import Grants, Link, LinkKind
from halo_core.passport.codec import Claims, b64url_decode, token_hash
from halo_core.passport.grants import parse_grants
from halo_core.passport.limits import (
    MAX_LIFE_S,
    parse_budgets,
    parse_decay,
    parse_quotas,
    parse_terms,
    require_ceilings,
)
from halo_core.passport.shape import INT_LIMIT, LAST_SECOND, exact, integer, refuse, text, texts

__all__ = [
    "ISSUER_URI",
    "MAX_DEPTH",
    "MAX_HANDOFFS",
    "MAX_LIFETIME_S",
    "SAME_GRANTS",
    "VERSION",
    "claims_to_link",
    "issuer_uri",
]

VERSION: Final = 1
MAX_HANDOFFS: Final = 8
MAX_DEPTH: Final = 1 + MAX_HANDOFFS
"""The deepest link: standing 0, session 1, hand-offs from 2."""
MAX_LIFETIME_S: Final[Mapping[LinkKind, int]] = {
    LinkKind.STANDING: 366 * 86_400,
    LinkKind.SESSION: MAX_LIFE_S,
    LinkKind.HANDOFF: MAX_LIFE_S,
}
"""Longest validity, seconds."""
ISSUER_URI: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
MAX_REAUTHORIZATION: Final = 4096
"""Bytes of the approver's token that a session link carries."""

# fmt: off
_ROOT: Final = frozenset({
    "aud", "authorization_details", "client_id", "cnf", "del_depth", "del_max_depth", "exp", "halo", "iat", "iss",
    "jti", "nbf", "sub", "txn",
})
# fmt: on
_DERIVED: Final = _ROOT | {"par_hash"}
_HALO: Final = frozenset({"bud", "cls", "env", "epoch", "hand", "kind", "own", "pol", "ten", "ver"})
_MEMBERS: Final[Mapping[LinkKind, frozenset[str]]] = {
    LinkKind.STANDING: _HALO | {"quo", "ses"},
    LinkKind.SESSION: _HALO | {"dcy", "rea"},
    LinkKind.HANDOFF: _HALO | {"dcy"},
}
SAME_GRANTS: Final = "halo_grant_parent"
"""Type of the authorization detail that stands for the parent's grants."""
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_POLICY: Final = re.compile(r"(sha256:[0-9a-f]{64})?")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]*")


def issuer_uri(public_key: bytes) -> str:
    """`iss` of what `public_key` signs: its thumbprint URI (RFC 9278), for an issuer and for a holder alike."""
    return ISSUER_URI + key_id(public_key)


def claims_to_link(claims: Claims, parent: Link | None = None) -> Link:
    """Parse verified claims.

    Args:
        claims: of one token.
        parent: the link above it, whose grants a `halo_grant_parent` stands for.

    Raises:
        PassportError: `claims_shape`, `bad_iss`, `bad_times`, `bad_cnf`, `bad_depth`, `bad_detail`, `bad_tool_id`,
            `unknown_constraint`, `bad_constraint`, `bad_bud`, `bad_quo`, `bad_ses`, `bad_dcy`, `bad_cls`, `bad_hand`
            or `bad_reauthorization`.
    """
    top = claims.members
    exact(top, _DERIVED if "par_hash" in top else _ROOT, "claims_shape", "")
    halo, kind = _halo(top["halo"])
    if top["iss"] != ISSUER_URI + claims.key_id:
        raise refuse("bad_iss", "`iss` does not name the key that signed", "/iss")
    depth, max_depth = _depth(top, kind)
    issued, not_before, expires = _times(top, kind)
    budgets = parse_budgets(halo["bud"], "/halo/bud")
    terms = parse_terms(halo.get("ses"), "/halo/ses")
    if terms is not None:
        require_ceilings(budgets, terms)
    return Link(
        hash=token_hash(claims.token),
        kind=kind,
        issuer=top["iss"],
        key_id=claims.key_id,
        jti=text(top["jti"], "/jti"),
        principal=text(top["sub"], "/sub"),
        agent=text(top["client_id"], "/client_id"),
        tenant=text(halo["ten"], "/halo/ten"),
        audience=texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued,
        not_before_s=not_before,
        expires_at_s=expires,
        txn=text(top["txn"], "/txn"),
        holder_key=_holder(top["cnf"]),
        depth=depth,
        max_depth=max_depth,
        epoch=integer(halo["epoch"], 1, INT_LIMIT - 1, "claims_shape", "/halo/epoch"),
        grants=_grants(top["authorization_details"], parent),
        labels=None if halo["cls"] is None else _labels(halo["cls"]),
        hand_off_to=texts(halo["hand"], "bad_hand", "/halo/hand"),
        budgets=budgets,
        decay=parse_decay(halo["dcy"], "/halo/dcy") if "dcy" in halo else None,
        policy=halo["pol"],
        parent=_parent(top),
        envelope=halo["env"],
        owner=halo["own"],
        quotas=parse_quotas(halo["quo"], "/halo/quo") if "quo" in halo else (),
        terms=terms,
        reauthorization=halo.get("rea", ""),
        raw=top,
    )


def _halo(plain: object) -> tuple[Mapping[str, Any], LinkKind]:
    kind = plain.get("kind") if type(plain) is dict else None
    if type(kind) is not str or kind not in set(LinkKind):
        raise refuse("claims_shape", "unknown kind of link", "/halo/kind")
    halo = exact(plain, _MEMBERS[LinkKind(kind)], "claims_shape", "/halo")
    integer(halo["ver"], VERSION, VERSION, "claims_shape", "/halo/ver")
    text(halo["env"], "/halo/env")
    if halo["own"] != "":
        text(halo["own"], "/halo/own")
    if type(halo["pol"]) is not str or not _POLICY.fullmatch(halo["pol"]):
        raise refuse("claims_shape", "`pol` is no `sha256:` digest and not empty", "/halo/pol")
    if kind == LinkKind.STANDING:
        integer(halo["epoch"], 1, 1, "claims_shape", "/halo/epoch")
    if kind == LinkKind.SESSION:
        _reauthorization(halo["rea"], halo["epoch"])
    return halo, LinkKind(kind)


def _reauthorization(token: object, epoch: object) -> None:
    if type(token) is not str or len(token) > MAX_REAUTHORIZATION or not _TOKEN.fullmatch(token):
        raise refuse("bad_reauthorization", "`rea` is no token", "/halo/rea")
    # INVARIANT: EPOCH only somebody's answer begins an epoch, so a later one rests on exactly one.
    if (epoch == 1) != (token == ""):
        raise refuse("bad_reauthorization", "an epoch above 1 rests on an approval, the first on none", "/halo/rea")


def _grants(plain: object, parent: Link | None) -> Grants:
    if plain != [{"type": SAME_GRANTS}]:
        return parse_grants(plain)
    if parent is None:
        raise refuse("bad_detail", "only a derived link has its parent's grants", "/authorization_details")
    return parent.grants


def _depth(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int]:
    most = integer(top["del_max_depth"], 0, MAX_DEPTH, "bad_depth", "/del_max_depth")
    depth = integer(top["del_depth"], 0, most, "bad_depth", "/del_depth")
    expected = {LinkKind.STANDING: depth == 0, LinkKind.SESSION: depth == 1, LinkKind.HANDOFF: depth >= 2}
    if not expected[kind] or ("par_hash" in top) != (depth > 0):
        raise refuse("bad_depth", f"a {kind} link cannot be at depth {depth}", "/del_depth")
    return depth, most


def _times(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int, int]:
    issued, not_before, expires = (integer(top[n], 0, LAST_SECOND, "bad_times", f"/{n}") for n in ("iat", "nbf", "exp"))
    if not issued <= not_before < expires:
        raise refuse("bad_times", "`iat` ≤ `nbf` < `exp` does not hold", "/exp")
    if expires - issued > MAX_LIFETIME_S[kind]:
        raise refuse("bad_times", f"a {kind} link lives at most {MAX_LIFETIME_S[kind]} seconds", "/exp")
    return issued, not_before, expires


def _holder(plain: object) -> bytes:
    jwk = exact(exact(plain, {"jwk"}, "bad_cnf", "/cnf")["jwk"], {"crv", "kty", "x"}, "bad_cnf", "/cnf/jwk")
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or type(jwk["x"]) is not str:
        raise refuse("bad_cnf", "the holder's key is no Ed25519 JWK", "/cnf/jwk")
    try:
        key = b64url_decode(jwk["x"])
        require_strong(key)
    except BadInput as exc:
        raise refuse("bad_cnf", f"the holder's key: {exc.message}", "/cnf/jwk/x") from exc
    return key


def _parent(top: Mapping[str, Any]) -> str:
    if "par_hash" not in top:
        return ""
    found = top["par_hash"]
    if type(found) is not str or len(b64url_decode(found)) != 32:
        raise refuse("claims_shape", "`par_hash` is no SHA-256 in base64url", "/par_hash")
    return found


def _labels(plain: object) -> tuple[str, ...]:
    labels = texts(plain, "bad_cls", "/halo/cls")
    if not all(map(_LABEL.fullmatch, labels)):
        raise refuse("bad_cls", "a label is lowercase ASCII", "/halo/cls")
    return labels
