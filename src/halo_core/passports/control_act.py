"""Signed control acts: what an enrolled person signs to enrol somebody, lift a stop, or change the mode.

A token is a strict JWS of its own `typ`, bound to one store, one tenant and the exact terms of the act. So it can be
made on another host than the one where it is used, and two people can sign the same act. It is stored in ledger
entries, so it names its signer by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from halo_core.crypto.keys import Signer
from halo_core.durations import DAY_S
from halo_core.errors import PassportError
from halo_core.passports.claims import ISSUER_URI, issuer_uri
from halo_core.passports.codec import (
    LAST_SECOND,
    Claims,
    claim_error,
    make_header,
    open_token,
    read_unverified,
    require_integer,
    require_members,
    require_object,
    require_text,
    sign_token,
)
from halo_core.quick_dataclass import dataclass

MAX_ACT_LIFETIME_S: Final = 7 * DAY_S
"""Longest time between the signature of an act and its use, seconds."""
MAX_WAIVER_S: Final = 7 * DAY_S
"""Longest time for which a waiver lowers the floor, seconds."""
_SKEW_S: Final = 300
"""By how much the clock of the host that signs may be ahead, seconds."""
ACTS: Final = (
    "enforce", "enrol", "erase", "lift", "policy", "waive", "withdraw", "confirm_reversal", "review_override",
)  # fmt: skip
_MEDIA_TYPE: Final = "halo-control+jwt"
_MEMBERS: Final = ("aud", "exp", "halo", "iat", "iss", "jti", "ten", "ver")
_REMEDY: Final = "sign the act again with `halo operator sign`, by somebody who is enrolled"


@dataclass(frozen=True, slots=True)
class ControlAct:
    """A signed act and its key. Times are seconds since the epoch.

    Args:
        act: one of `ACTS`.
        terms: what exactly is done: texts and integers by name.
        store: id of the store.
        tenant: owner of the log.
        issued_at_s: when it was signed.
        expires_at_s: from then on it can no longer be used.
        id: id of the signature (`jti`).
        key_id: thumbprint of the key that signed.
        token: the signed form.
    """

    act: str
    terms: Mapping[str, str | int]
    store: str
    tenant: str
    issued_at_s: int
    expires_at_s: int
    id: str
    key_id: str = ""
    token: str = field(default="", repr=False)


def sign_act(act: ControlAct, signer: Signer) -> str:
    """Sign an act; ignores its `key_id` and `token`.

    Raises:
        PassportError: nothing is signed that `read_act` would refuse.
    """
    claims = {
        "aud": act.store,
        "exp": act.expires_at_s,
        "halo": {"act": act.act, "terms": dict(act.terms)},
        "iat": act.issued_at_s,
        "iss": issuer_uri(signer.public_key),
        "jti": act.id,
        "ten": act.tenant,
        "ver": 1,
    }
    token = sign_token(make_header(signer.key_id, _MEDIA_TYPE), claims, signer)
    _parse(Claims(claims, signer.key_id, token))
    return token


def read_act(token: str, keys: Mapping[str, bytes]) -> ControlAct:
    """Verify and parse a signed act.

    Args:
        token: whatever was presented.
        keys: enrolled `kid` → public key of 32 bytes.

    Raises:
        PassportError: `unknown_signer`, `bad_iss`, `bad_times`, `bad_act`, `claims_shape`, or as
            `halo_core.passports.codec.open_token`.
    """
    accepted = {make_header(kid, _MEDIA_TYPE): key for kid, key in keys.items()}
    return _parse(open_token(token, accepted, unknown="unknown_signer", remedy=_REMEDY))


def peek_act(token: str) -> ControlAct:
    """Parse an act without verifying it, for somebody about to sign the same one.

    Raises:
        PassportError: as `read_act`, except for the codes of a wrong key or signature.
    """
    return _parse(read_unverified(token))


def collect_signatures(
    tokens: Iterable[object],
    keys: Mapping[str, bytes],
    *,
    act: str,
    terms: Mapping[str, str | int],
    store: str,
    tenant: str,
    at_s: int,
) -> frozenset[tuple[str, str]]:
    """(thumbprint of the key, id) of each valid signature of exactly this act; anything else is ignored.

    Args:
        tokens: whatever was presented.
        keys: enrolled `kid` → public key of 32 bytes.
        act: one of `ACTS`.
        terms: terms of the act: texts and integers by name.
        store: id of the store in which it is done.
        tenant: owner of the log.
        at_s: when it is done, seconds since the epoch.
    """
    signatures = set()
    for token in tokens:
        try:
            signed = read_act(token, keys) if isinstance(token, str) else None
        except PassportError:
            continue
        if (
            signed is not None
            and (signed.act, dict(signed.terms)) == (act, dict(terms))
            and (signed.store, signed.tenant) == (store, tenant)
            and signed.issued_at_s - _SKEW_S <= at_s < signed.expires_at_s
        ):
            signatures.add((signed.key_id, signed.id))
    return frozenset(signatures)


def _parse(claims: Claims) -> ControlAct:
    top = require_members(claims.members, _MEMBERS, "claims_shape", "")
    halo = require_members(top["halo"], ("act", "terms"), "claims_shape", "/halo")
    require_integer(top["ver"], 1, 1, "claims_shape", "/ver")
    if top["iss"] != ISSUER_URI + claims.key_id:
        raise claim_error("bad_iss", "`iss` does not name the key that signed", "/iss", remedy=_REMEDY)
    issued, expires = (require_integer(top[name], 0, LAST_SECOND, "bad_times", f"/{name}") for name in ("iat", "exp"))
    if not issued < expires <= issued + MAX_ACT_LIFETIME_S:
        message = f"a signed act is valid for 1 to {MAX_ACT_LIFETIME_S} seconds"
        raise claim_error("bad_times", message, "/exp", remedy=_REMEDY)
    terms = require_object(halo["terms"], "bad_act", "/halo/terms")
    if halo["act"] not in ACTS or not all(type(value) in (str, int) for value in terms.values()):
        raise claim_error("bad_act", "unknown act or terms", "/halo", remedy=_REMEDY)
    return ControlAct(
        act=halo["act"],
        terms=terms,
        store=require_text(top["aud"], "/aud"),
        tenant=require_text(top["ten"], "/ten"),
        issued_at_s=issued,
        expires_at_s=expires,
        id=require_text(top["jti"], "/jti"),
        key_id=claims.key_id,
        token=claims.token,
    )
