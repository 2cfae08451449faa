"""Room: the claims of one link. Takes: verified claims. Gives: a `Link`, or a refusal. Never: I/O, a clock, signing.

Registered names: RFC 7519, `client_id` (RFC 9068), `txn` (RFC 8417), `cnf` (RFC 7800), `authorization_details` (RFC
9396); `del_depth`, `del_max_depth`, `par_hash` from the delegation drafts; everything private is under `halo`. Member
sets are exact: an unknown member could be a restriction that this version would not honour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.errors import BadInput, PassportError
from halo_core.keys import key_id, require_strong
from halo_core.model import Budget, Decay, Link, LinkKind
from halo_core.passport.codec import Claims, b64url, b64url_decode, token_hash
from halo_core.passport.grants import grants_plain, parse_grants

__all__ = ["MAX_DEPTH", "MAX_LIFETIME_S", "claims_to_link", "issuer_uri", "link_to_claims"]

VERSION: Final = 1
MAX_HANDOFFS: Final = 8
MAX_DEPTH: Final = 1 + MAX_HANDOFFS
"""The deepest link: standing 0, session 1, hand-offs from 2."""
MAX_LIFETIME_S: Final[Mapping[LinkKind, int]] = {
    LinkKind.STANDING: 366 * 86_400,
    LinkKind.SESSION: 30 * 86_400,
    LinkKind.HANDOFF: 30 * 86_400,
}
"""Longest validity, seconds."""
ISSUER_URI: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
AUTHORITY_ONE: Final = 1_000_000
"""Full authority, in millionths."""

# fmt: off
_ROOT: Final = frozenset({
    "aud", "authorization_details", "client_id", "cnf", "del_depth", "del_max_depth", "exp", "halo", "iat", "iss",
    "jti", "nbf", "sub", "txn",
})
# fmt: on
_DERIVED: Final = _ROOT | {"par_hash"}
_HALO: Final = frozenset({"bud", "cls", "env", "epoch", "hand", "kind", "pol", "ten", "ver"})
_HALO_DECAYING: Final = _HALO | {"dcy"}
_DECAY: Final = ("a0", "hl_s", "hl_steps", "hl_risk", "reauth")
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write
_INT_LIMIT: Final = 2**53
_MAX_ITEMS: Final = 256
_MAX_DECIMALS: Final = 15
_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_POLICY: Final = re.compile(r"(sha256:[0-9a-f]{64})?")


def issuer_uri(public_key: bytes) -> str:
    """`iss` of what `public_key` signs: its thumbprint URI (RFC 9278), for an issuer and for a holder alike."""
    return ISSUER_URI + key_id(public_key)


def claims_to_link(claims: Claims) -> Link:
    """Parse verified claims.

    Raises:
        PassportError: `claims_shape`, `bad_iss`, `bad_times`, `bad_cnf`, `bad_depth`, `bad_detail`, `bad_tool_id`,
            `unknown_constraint`, `bad_constraint`, `bad_bud`, `bad_dcy`, `bad_cls` or `bad_hand`.
    """
    top = claims.members
    _exact(top, _DERIVED if "par_hash" in top else _ROOT, "claims_shape", "")
    halo, kind = _halo(top["halo"])
    if top["iss"] != ISSUER_URI + claims.key_id:
        raise _refuse("bad_iss", "`iss` does not name the key that signed", "/iss")
    depth, max_depth = _depth(top, kind)
    issued, not_before, expires = _times(top, kind)
    return Link(
        hash=token_hash(claims.token),
        kind=kind,
        issuer=top["iss"],
        key_id=claims.key_id,
        jti=_text(top["jti"], "/jti"),
        principal=_text(top["sub"], "/sub"),
        agent=_text(top["client_id"], "/client_id"),
        tenant=_text(halo["ten"], "/halo/ten"),
        audience=_texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued,
        not_before_s=not_before,
        expires_at_s=expires,
        txn=_text(top["txn"], "/txn"),
        holder_key=_holder(top["cnf"]),
        depth=depth,
        max_depth=max_depth,
        epoch=_integer(halo["epoch"], 1, _INT_LIMIT - 1, "claims_shape", "/halo/epoch"),
        grants=parse_grants(top["authorization_details"]),
        labels=None if halo["cls"] is None else _labels(halo["cls"]),
        hand_off_to=_texts(halo["hand"], "bad_hand", "/halo/hand"),
        budgets=_budgets(halo["bud"]),
        decay=_decay(halo["dcy"]) if "dcy" in halo else None,
        policy=halo["pol"],
        parent=_parent(top),
        envelope=halo["env"],
        raw=top,
    )


def _halo(plain: object) -> tuple[Mapping[str, Any], LinkKind]:
    kind = plain.get("kind") if type(plain) is dict else None
    if type(kind) is not str or kind not in set(LinkKind):
        raise _refuse("claims_shape", "unknown kind of link", "/halo/kind")
    halo = _exact(plain, _HALO if kind == LinkKind.STANDING else _HALO_DECAYING, "claims_shape", "/halo")
    _integer(halo["ver"], VERSION, VERSION, "claims_shape", "/halo/ver")
    _text(halo["env"], "/halo/env")
    if type(halo["pol"]) is not str or not _POLICY.fullmatch(halo["pol"]):
        raise _refuse("claims_shape", "`pol` is no `sha256:` digest and not empty", "/halo/pol")
    return halo, LinkKind(kind)


def _depth(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int]:
    most = _integer(top["del_max_depth"], 0, MAX_DEPTH, "bad_depth", "/del_max_depth")
    depth = _integer(top["del_depth"], 0, most, "bad_depth", "/del_depth")
    expected = {LinkKind.STANDING: depth == 0, LinkKind.SESSION: depth == 1, LinkKind.HANDOFF: depth >= 2}
    if not expected[kind] or ("par_hash" in top) != (depth > 0):
        raise _refuse("bad_depth", f"a {kind} link cannot be at depth {depth}", "/del_depth")
    return depth, most


def _times(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int, int]:
    issued, not_before, expires = (
        _integer(top[n], 0, _LAST_SECOND, "bad_times", f"/{n}") for n in ("iat", "nbf", "exp")
    )
    if not issued <= not_before < expires:
        raise _refuse("bad_times", "`iat` ≤ `nbf` < `exp` does not hold", "/exp")
    if expires - issued > MAX_LIFETIME_S[kind]:
        raise _refuse("bad_times", f"a {kind} link lives at most {MAX_LIFETIME_S[kind]} seconds", "/exp")
    return issued, not_before, expires


def _holder(plain: object) -> bytes:
    jwk = _exact(_exact(plain, {"jwk"}, "bad_cnf", "/cnf")["jwk"], {"crv", "kty", "x"}, "bad_cnf", "/cnf/jwk")
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or type(jwk["x"]) is not str:
        raise _refuse("bad_cnf", "the holder's key is no Ed25519 JWK", "/cnf/jwk")
    try:
        key = b64url_decode(jwk["x"])
        require_strong(key)
    except BadInput as exc:
        raise _refuse("bad_cnf", f"the holder's key: {exc.message}", "/cnf/jwk/x") from exc
    return key


def _parent(top: Mapping[str, Any]) -> str:
    if "par_hash" not in top:
        return ""
    text = top["par_hash"]
    if type(text) is not str or len(b64url_decode(text)) != 32:
        raise _refuse("claims_shape", "`par_hash` is no SHA-256 in base64url", "/par_hash")
    return text


def _budgets(plain: object) -> tuple[Budget, ...]:
    units = _object(plain, "bad_bud", "/halo/bud")
    return tuple(_budget(unit, units[unit]) for unit in sorted(units))


def _budget(unit: str, plain: object) -> Budget:
    field = f"/halo/bud/{unit[:32]}"
    if not _UNIT.fullmatch(unit):
        raise _refuse("bad_bud", "a unit is a letter and up to 31 letters, digits and `_`", field)
    members = _exact(plain, {"decimals", "max", "max_subtree"}, "bad_bud", field)
    subtree = _integer(members["max_subtree"], 0, _INT_LIMIT - 1, "bad_bud", f"{field}/max_subtree")
    return Budget(
        unit=unit,
        per_action=_integer(members["max"], 0, subtree, "bad_bud", f"{field}/max"),
        subtree=subtree,
        decimals=_integer(members["decimals"], 0, _MAX_DECIMALS, "bad_bud", f"{field}/decimals"),
    )


def _decay(plain: object) -> Decay:
    members = _exact(plain, set(_DECAY), "bad_dcy", "/halo/dcy")
    authority, seconds, steps, risk, floor = (members[name] for name in _DECAY)
    return Decay(
        authority=_integer(authority, 1, AUTHORITY_ONE, "bad_dcy", "/halo/dcy/a0"),
        half_life_s=_integer(seconds, 1, _INT_LIMIT - 1, "bad_dcy", "/halo/dcy/hl_s"),
        half_life_steps=_integer(steps, 1, _INT_LIMIT - 1, "bad_dcy", "/halo/dcy/hl_steps"),
        half_life_risk=_integer(risk, 1, _INT_LIMIT - 1, "bad_dcy", "/halo/dcy/hl_risk"),
        reauthorize_below=_integer(floor, 0, AUTHORITY_ONE, "bad_dcy", "/halo/dcy/reauth"),
    )


def _labels(plain: object) -> tuple[str, ...]:
    labels = _texts(plain, "bad_cls", "/halo/cls")
    if not all(map(_LABEL.fullmatch, labels)):
        raise _refuse("bad_cls", "a label is lowercase ASCII", "/halo/cls")
    return labels


def _text(value: object, field: str, code: str = "claims_shape") -> str:
    # `isprintable` also refuses zero-width, direction and control characters, which hide in a name.
    if type(value) is not str or not 0 < len(value) <= _MAX_ITEMS or not value.isprintable():
        raise _refuse(code, "a printable text of 1 to 256 characters is expected", field)
    return value


def _texts(plain: object, code: str, field: str, *, least: int = 0) -> tuple[str, ...]:
    if type(plain) is not list or not least <= len(plain) <= _MAX_ITEMS:
        raise _refuse(code, f"a list of {least} to {_MAX_ITEMS} texts is expected", field)
    texts = tuple(_text(item, field, code) for item in plain)
    if list(texts) != sorted(set(texts)):
        raise _refuse(code, "the list is not sorted, or names something twice", field)
    return texts


def _integer(value: object, low: int, high: int, code: str, field: str) -> int:
    # `type` and not `isinstance`, because True is an int.
    if type(value) is not int or not low <= value <= high:
        raise _refuse(code, f"an integer from {low} to {high} is expected", field)
    return value


def _object(plain: object, code: str, field: str) -> Mapping[str, Any]:
    if type(plain) is not dict:
        raise _refuse(code, "an object is expected", field)
    return plain


def _exact(plain: object, names: frozenset[str] | set[str], code: str, field: str) -> Mapping[str, Any]:
    # INVARIANT: fail closed on an unknown member as on a missing one.
    members = _object(plain, code, field)
    if set(members) != set(names):
        raise _refuse(code, f"expected exactly the members {', '.join(sorted(names))}", field)
    return members


def _refuse(code: str, message: str, field: str) -> PassportError:
    return PassportError(code, message, field=field, remedy="issue a new passport")


def link_to_claims(link: Link) -> dict[str, Any]:
    """Claims of a link, the inverse of `claims_to_link`."""
    claims: dict[str, Any] = {
        "aud": sorted(link.audience),
        "authorization_details": grants_plain(link.grants),
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
        "bud": {
            item.unit: {"decimals": item.decimals, "max": item.per_action, "max_subtree": item.subtree}
            for item in link.budgets
        },
        "cls": _sorted_texts(link.labels),
        "env": link.envelope,
        "epoch": link.epoch,
        "hand": _sorted_texts(link.hand_off_to),
        "kind": link.kind.value,
        "pol": link.policy,
        "ten": link.tenant,
        "ver": VERSION,
    }
    if link.decay is not None:
        decay = link.decay
        values = (
            decay.authority,
            decay.half_life_s,
            decay.half_life_steps,
            decay.half_life_risk,
            decay.reauthorize_below,
        )
        halo["dcy"] = dict(zip(_DECAY, values, strict=True))
    return halo


def _sorted_texts(texts: Sequence[str] | None) -> list[str] | None:
    return None if texts is None else sorted(texts)
