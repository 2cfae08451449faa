"""The claims of one link: `claims_to_link` parses and checks them, `link_to_claims` writes them.

Registered names are those of RFC 7519, `client_id` (RFC 9068), `txn` (RFC 8417), `cnf` (RFC 7800) and
`authorization_details` (RFC 9396). `del_depth`, `del_max_depth` and `par_hash` are from the delegation drafts;
everything private is under `halo`. The set of members has to be exact, because an unknown member could be a restriction
that this version would not honour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import compute_key_thumbprint, encode_b64url, require_strong_key
from halo_core.durations import DAY_S
from halo_core.errors import BadInput
from halo_core.model import (
    AUTHORITY_ONE,
    MAX_BANDS,
    RESERVED_UNITS,
    UNIT_NAME,
    Budget,
    Decay,
    Grants,
    Impact,
    Link,
    LinkKind,
    Quota,
    SessionTerms,
)
from halo_core.passports.codec import (
    LAST_SECOND,
    Claims,
    claim_error,
    decode_b64url,
    require_integer,
    require_members,
    require_object,
    require_text,
    require_texts,
    token_hash,
)
from halo_core.passports.grants import grants_to_json, parse_grants

VERSION: Final = 1
MAX_SESSION_LIFETIME_S: Final = 30 * DAY_S
"""Longest life of a session, seconds."""
MAX_HANDOFFS: Final = 8
MAX_DEPTH: Final = 1 + MAX_HANDOFFS
"""The deepest link: standing 0, session 1, hand-offs from 2."""
MAX_LIFETIME_S: Final[Mapping[LinkKind, int]] = {
    LinkKind.STANDING: 366 * DAY_S,
    LinkKind.SESSION: MAX_SESSION_LIFETIME_S,
    LinkKind.HANDOFF: MAX_SESSION_LIFETIME_S,
}
"""Longest validity, seconds."""
ISSUER_URI: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
MAX_REAUTHORIZATION: Final = 4096
"""Bytes of the approver's token that a session link carries."""

# fmt: off
_ROOT_MEMBERS: Final = frozenset({
    "aud", "authorization_details", "client_id", "cnf", "del_depth", "del_max_depth", "exp", "halo", "iat", "iss",
    "jti", "nbf", "sub", "txn",
})
# fmt: on
_DERIVED_MEMBERS: Final = _ROOT_MEMBERS | {"par_hash"}
_HALO_MEMBERS: Final = frozenset({"bud", "cls", "env", "epoch", "hand", "kind", "own", "pol", "ten", "ver"})
_HALO_MEMBERS_BY_KIND: Final[Mapping[LinkKind, frozenset[str]]] = {
    LinkKind.STANDING: _HALO_MEMBERS | {"quo", "ses"},
    LinkKind.SESSION: _HALO_MEMBERS | {"dcy", "rea"},
    LinkKind.HANDOFF: _HALO_MEMBERS | {"dcy"},
}
SAME_GRANTS: Final = "halo_grant_parent"
"""Type of the authorization detail that stands for the parent's grants."""
_MAX_DECIMALS: Final = 15
_DECAY_MEMBERS: Final = ("a0", "bands", "floors", "hl_risk", "hl_s", "hl_steps", "reauth")
_IMPACTS: Final = tuple(sorted(item.value for item in Impact))
_LABEL_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_POLICY_PATTERN: Final = re.compile(r"(sha256:[0-9a-f]{64})?")
_TOKEN_PATTERN: Final = re.compile(r"[A-Za-z0-9_.-]*")


def issuer_uri(public_key: bytes) -> str:
    """`iss` of tokens signed with `public_key`: its thumbprint URI (RFC 9278), for issuers and holders alike."""
    return ISSUER_URI + compute_key_thumbprint(public_key)


def claims_to_link(claims: Claims, parent: Link | None = None) -> Link:
    """Parse verified claims.

    Args:
        claims: claims of one token.
        parent: the link above it, whose grants it has where its claims say `halo_grant_parent`; None for a root.

    Raises:
        PassportError: `claims_shape`, `bad_iss`, `bad_times`, `bad_cnf`, `bad_depth`, `bad_detail`, `bad_tool_id`,
            `unknown_constraint`, `bad_constraint`, `bad_bud`, `bad_quo`, `bad_ses`, `bad_dcy`, `bad_cls`, `bad_hand`
            or `bad_reauthorization`.
    """
    top = claims.members
    require_members(top, _DERIVED_MEMBERS if "par_hash" in top else _ROOT_MEMBERS, "claims_shape", "")
    halo, kind = _parse_halo(top["halo"])
    if top["iss"] != ISSUER_URI + claims.key_id:
        raise claim_error("bad_iss", "`iss` does not name the key that signed", "/iss")
    depth, max_depth = _parse_depth(top, kind)
    issued, not_before, expires = _parse_times(top, kind)
    budgets = parse_budgets(halo["bud"], "/halo/bud")
    terms = parse_terms(halo.get("ses"))
    if terms is not None:
        require_within_ceilings(budgets, terms)
    return Link(
        hash=token_hash(claims.token),
        kind=kind,
        issuer=top["iss"],
        key_id=claims.key_id,
        jti=require_text(top["jti"], "/jti"),
        principal=require_text(top["sub"], "/sub"),
        agent=require_text(top["client_id"], "/client_id"),
        tenant=require_text(halo["ten"], "/halo/ten"),
        audience=require_texts(top["aud"], "claims_shape", "/aud", least=1),
        issued_at_s=issued,
        not_before_s=not_before,
        expires_at_s=expires,
        txn=require_text(top["txn"], "/txn"),
        holder_key=_parse_holder_key(top["cnf"]),
        depth=depth,
        max_depth=max_depth,
        epoch=require_integer(halo["epoch"], 1, INT_LIMIT - 1, "claims_shape", "/halo/epoch"),
        grants=_parse_link_grants(top["authorization_details"], parent),
        labels=_parse_labels(halo["cls"]),
        hand_off_to=require_texts(halo["hand"], "bad_hand", "/halo/hand"),
        budgets=budgets,
        decay=parse_decay(halo["dcy"], "/halo/dcy") if "dcy" in halo else None,
        policy=halo["pol"],
        parent=_parse_parent_hash(top),
        envelope=halo["env"],
        owner=halo["own"],
        quotas=_parse_quotas(halo["quo"]) if "quo" in halo else (),
        terms=terms,
        reauthorization=halo.get("rea", ""),
        raw=top,
    )


def _parse_halo(json_value: object) -> tuple[Mapping[str, Any], LinkKind]:
    name = json_value.get("kind") if type(json_value) is dict else None
    if type(name) is not str or name not in _HALO_MEMBERS_BY_KIND:
        raise claim_error("claims_shape", "unknown kind of link", "/halo/kind")
    kind = LinkKind(name)
    halo = require_members(json_value, _HALO_MEMBERS_BY_KIND[kind], "claims_shape", "/halo")
    require_integer(halo["ver"], VERSION, VERSION, "claims_shape", "/halo/ver")
    require_text(halo["env"], "/halo/env")
    if halo["own"] != "":
        require_text(halo["own"], "/halo/own")
    if type(halo["pol"]) is not str or not _POLICY_PATTERN.fullmatch(halo["pol"]):
        raise claim_error("claims_shape", "`pol` is neither empty nor a `sha256:` digest", "/halo/pol")
    if kind == LinkKind.STANDING:
        require_integer(halo["epoch"], 1, 1, "claims_shape", "/halo/epoch")
    if kind == LinkKind.SESSION:
        _check_reauthorization(halo["rea"], halo["epoch"])
    return halo, kind


def _check_reauthorization(token: object, epoch: object) -> None:
    if type(token) is not str or len(token) > MAX_REAUTHORIZATION or not _TOKEN_PATTERN.fullmatch(token):
        raise claim_error("bad_reauthorization", "`rea` is not a token", "/halo/rea")
    # INVARIANT: EPOCH - each epoch after the first begins with exactly one answer.
    if (epoch == 1) != (token == ""):
        raise claim_error(
            "bad_reauthorization", "an epoch above 1 needs an approval, and the first must not have one", "/halo/rea"
        )


def _parse_link_grants(json_value: object, parent: Link | None) -> Grants:
    if json_value != [{"type": SAME_GRANTS}]:
        return parse_grants(json_value)
    if parent is None:
        raise claim_error("bad_detail", "only a derived link has its parent's grants", "/authorization_details")
    return parent.grants


def _parse_depth(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int]:
    most = require_integer(top["del_max_depth"], 0, MAX_DEPTH, "bad_depth", "/del_max_depth")
    depth = require_integer(top["del_depth"], 0, most, "bad_depth", "/del_depth")
    expected = {LinkKind.STANDING: depth == 0, LinkKind.SESSION: depth == 1, LinkKind.HANDOFF: depth >= 2}
    if not expected[kind] or ("par_hash" in top) != (depth > 0):
        raise claim_error("bad_depth", f"a {kind} link cannot be at depth {depth}", "/del_depth")
    return depth, most


def _parse_times(top: Mapping[str, Any], kind: LinkKind) -> tuple[int, int, int]:
    issued, not_before, expires = [
        require_integer(top[n], 0, LAST_SECOND, "bad_times", f"/{n}") for n in ("iat", "nbf", "exp")
    ]
    if not issued <= not_before < expires:
        raise claim_error("bad_times", "`iat` ≤ `nbf` < `exp` does not hold", "/exp")
    if expires - issued > MAX_LIFETIME_S[kind]:
        raise claim_error("bad_times", f"a {kind} link lives at most {MAX_LIFETIME_S[kind]} seconds", "/exp")
    return issued, not_before, expires


def _parse_holder_key(json_value: object) -> bytes:
    jwk = require_members(
        require_members(json_value, {"jwk"}, "bad_cnf", "/cnf")["jwk"], {"crv", "kty", "x"}, "bad_cnf", "/cnf/jwk"
    )
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or type(jwk["x"]) is not str:
        raise claim_error("bad_cnf", "the holder's key is not an Ed25519 JWK", "/cnf/jwk")
    try:
        key = decode_b64url(jwk["x"])
        require_strong_key(key)
    except BadInput as exc:
        raise claim_error("bad_cnf", f"the holder's key: {exc.message}", "/cnf/jwk/x") from exc
    return key


def _parse_parent_hash(top: Mapping[str, Any]) -> str:
    if "par_hash" not in top:
        return ""
    parent_hash = top["par_hash"]
    if type(parent_hash) is not str or len(decode_b64url(parent_hash)) != 32:
        raise claim_error("claims_shape", "`par_hash` is not a SHA-256 digest in base64url", "/par_hash")
    return parent_hash


def _parse_labels(json_value: object) -> tuple[str, ...] | None:
    if json_value is None:
        return None
    labels = require_texts(json_value, "bad_cls", "/halo/cls")
    if not all(map(_LABEL_PATTERN.fullmatch, labels)):
        raise claim_error("bad_cls", "a label must be lowercase ASCII", "/halo/cls")
    return labels


def link_to_claims(link: Link, *, same_grants: bool = False) -> dict[str, Any]:
    """Claims of a link, the inverse of `claims_to_link`.

    Args:
        link: link of any kind.
        same_grants: write that the grants are the parent's, instead of the grants.
    """
    claims: dict[str, Any] = {
        "aud": sorted(link.audience),
        "authorization_details": [{"type": SAME_GRANTS}] if same_grants else grants_to_json(link.grants),
        "client_id": link.agent,
        "cnf": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": encode_b64url(link.holder_key)}},
        "del_depth": link.depth,
        "del_max_depth": link.max_depth,
        "exp": link.expires_at_s,
        "halo": _halo_to_json(link),
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


def _halo_to_json(link: Link) -> dict[str, Any]:
    halo: dict[str, Any] = {
        "bud": budgets_to_json(link.budgets),
        "cls": None if link.labels is None else sorted(link.labels),
        "env": link.envelope,
        "epoch": link.epoch,
        "hand": sorted(link.hand_off_to),
        "kind": link.kind.value,
        "own": link.owner,
        "pol": link.policy,
        "ten": link.tenant,
        "ver": VERSION,
    }
    if link.decay is not None:
        halo["dcy"] = decay_to_json(link.decay)
    if link.kind is LinkKind.STANDING:
        halo.update(quo=quotas_to_json(link.quotas), ses=terms_to_json(link.terms))
    if link.kind is LinkKind.SESSION:
        halo["rea"] = link.reauthorization
    return halo


def parse_budgets(json_value: object, field: str) -> tuple[Budget, ...]:
    """Parse `bud`, sorted by unit.

    Raises:
        PassportError: `bad_bud`.
    """
    units = require_object(json_value, "bad_bud", field)
    return tuple([_parse_budget(unit, units[unit], f"{field}/{unit[:32]}") for unit in sorted(units)])


def _parse_budget(unit: str, json_value: object, field: str) -> Budget:
    members = require_members(json_value, ("decimals", "max", "max_subtree"), "bad_bud", field)
    subtree = require_integer(members["max_subtree"], 0, INT_LIMIT - 1, "bad_bud", f"{field}/max_subtree")
    # Actions do not spend the age of a session, so both limits are the same.
    least = subtree if unit == "time" else 0
    return Budget(
        unit=unit,
        per_action=require_integer(members["max"], least, subtree, "bad_bud", f"{field}/max"),
        subtree=subtree,
        decimals=_parse_decimals(unit, members["decimals"], "bad_bud", field),
    )


def _parse_decimals(unit: str, json_value: object, code: str, field: str) -> int:
    if not UNIT_NAME.fullmatch(unit):
        raise claim_error(code, "a unit must be a letter followed by up to 31 letters, digits or `_`", field)
    most = 0 if unit in RESERVED_UNITS else _MAX_DECIMALS
    return require_integer(json_value, 0, most, code, f"{field}/decimals")


def _parse_quotas(json_value: object) -> tuple[Quota, ...]:
    units = require_object(json_value, "bad_quo", "/halo/quo")
    return tuple(_parse_quota(unit, units[unit], f"/halo/quo/{unit[:32]}") for unit in sorted(units))


def _parse_quota(unit: str, json_value: object, field: str) -> Quota:
    members = require_members(json_value, ("decimals", "per_day"), "bad_quo", field)
    per_day = require_integer(members["per_day"], 0, INT_LIMIT - 1, "bad_quo", f"{field}/per_day")
    return Quota(unit, per_day, _parse_decimals(unit, members["decimals"], "bad_quo", field))


def parse_decay(json_value: object, field: str) -> Decay:
    """Parse `dcy`.

    Raises:
        PassportError: `bad_dcy`.
    """
    members = require_members(json_value, _DECAY_MEMBERS, "bad_dcy", field)

    def number(name: str, low: int, high: int) -> int:
        return require_integer(members[name], low, high, "bad_dcy", f"{field}/{name}")

    floors = require_members(members["floors"], _IMPACTS, "bad_dcy", f"{field}/floors")
    return Decay(
        authority=number("a0", 1, AUTHORITY_ONE),
        half_life_s=number("hl_s", 1, INT_LIMIT - 1),
        half_life_steps=number("hl_steps", 1, INT_LIMIT - 1),
        half_life_risk=number("hl_risk", 1, INT_LIMIT - 1),
        reauthorize_below=number("reauth", 0, AUTHORITY_ONE),
        floors=tuple(
            [
                (name, require_integer(floors[name], 0, AUTHORITY_ONE, "bad_dcy", f"{field}/floors/{name}"))
                for name in _IMPACTS
            ]
        ),
        bands=_parse_bands(members["bands"], f"{field}/bands"),
    )


def _parse_bands(json_value: object, field: str) -> tuple[tuple[int, int], ...]:
    if type(json_value) is not list or len(json_value) > MAX_BANDS:
        raise claim_error("bad_dcy", f"a list of up to {MAX_BANDS} bands is expected", field)
    bands: list[tuple[int, int]] = []
    least, most = 1, AUTHORITY_ONE
    for item in json_value:
        if type(item) is not list or len(item) != 2:
            raise claim_error("bad_dcy", "a band must be a pair of risk points and ceiling", field)
        risk = require_integer(item[0], least, INT_LIMIT - 1, "bad_dcy", field)
        ceiling = require_integer(item[1], 0, most, "bad_dcy", field)
        bands.append((risk, ceiling))
        least, most = risk + 1, ceiling - 1
    return tuple(bands)


def parse_terms(json_value: object) -> SessionTerms | None:
    """Parse `/halo/ses`: the terms of each new session, or None if none can be opened.

    Raises:
        PassportError: `bad_ses`, `bad_bud` or `bad_dcy`.
    """
    if json_value is None:
        return None
    members = require_members(json_value, ("bud", "dcy", "life"), "bad_ses", "/halo/ses")
    return SessionTerms(
        budgets=parse_budgets(members["bud"], "/halo/ses/bud"),
        decay=parse_decay(members["dcy"], "/halo/ses/dcy"),
        lifetime_s=require_integer(members["life"], 1, MAX_SESSION_LIFETIME_S, "bad_ses", "/halo/ses/life"),
    )


def require_within_ceilings(ceilings: Sequence[Budget], terms: SessionTerms) -> None:
    """Refuse terms that start above the ceilings of the same link, or count in other decimals.

    Raises:
        PassportError: `bad_bud`.
    """
    ceiling_by_unit = {item.unit: item for item in ceilings}
    for item in terms.budgets:
        most = ceiling_by_unit.get(item.unit, item)
        if item.decimals != most.decimals or item.subtree > most.subtree or item.per_action > most.per_action:
            raise claim_error("bad_bud", "a session would start above its ceiling", f"/halo/ses/bud/{item.unit}")


def budgets_to_json(budgets: Sequence[Budget]) -> dict[str, Any]:
    """`bud` of budgets.

    Raises:
        PassportError: `bad_bud`, a unit occurs twice.
    """
    _require_distinct_units([item.unit for item in budgets], "bad_bud", "/halo/bud")
    return {
        item.unit: {"decimals": item.decimals, "max": item.per_action, "max_subtree": item.subtree} for item in budgets
    }


def quotas_to_json(quotas: Sequence[Quota]) -> dict[str, Any]:
    """`quo` of quotas.

    Raises:
        PassportError: `bad_quo`, a unit occurs twice.
    """
    _require_distinct_units([item.unit for item in quotas], "bad_quo", "/halo/quo")
    return {item.unit: {"decimals": item.decimals, "per_day": item.per_day} for item in quotas}


def _require_distinct_units(units: Sequence[str], code: str, field: str) -> None:
    if len(set(units)) != len(units):
        raise claim_error(code, "a unit occurs twice", field)


def decay_to_json(decay: Decay) -> dict[str, Any]:
    """`dcy` of a decay."""
    return {
        "a0": decay.authority,
        "bands": [list(band) for band in decay.bands],
        "floors": dict(decay.floors),
        "hl_risk": decay.half_life_risk,
        "hl_s": decay.half_life_s,
        "hl_steps": decay.half_life_steps,
        "reauth": decay.reauthorize_below,
    }


def terms_to_json(terms: SessionTerms | None) -> Mapping[str, Any] | None:
    """`ses` of terms."""
    if terms is None:
        return None
    return {"bud": budgets_to_json(terms.budgets), "dcy": decay_to_json(terms.decay), "life": terms.lifetime_s}
