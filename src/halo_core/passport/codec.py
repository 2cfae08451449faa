"""Room: the passport's wire form, strict JWS compact (RFC 7515). Takes: a token. Gives: claims. Never: interprets.

Four steps, each a refusal: size; the header equals a constant, byte for byte; base64url re-encodes identically and
Ed25519 verifies; only then the claims are parsed, and their bytes must be the canonical form.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from halo_core import canonical, keys
from halo_core.errors import BadInput, CanonicalError, PassportError

__all__ = [
    "MAX_TOKEN",
    "TOKEN_DOMAIN",
    "Claims",
    "b64url",
    "b64url_decode",
    "decode",
    "encode",
    "payload_of",
    "token_hash",
]

MAX_TOKEN: Final = 16 * 1024
"""Bytes of one token."""
TOKEN_DOMAIN: Final = "halo/passport/v1"  # noqa: S105 - a domain, no secret
_INT_LIMIT: Final = 2**53
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token and the key that signed them.

    Args:
        members: the claims, a canonical tree.
        key_id: thumbprint of the public key that verified them (RFC 7638).
        token: the token they came in.
    """

    members: Mapping[str, Any]
    key_id: str
    token: str


def encode(claims: Mapping[str, Any], signer: keys.Signer) -> str:
    """Sign claims as a root token.

    Raises:
        PassportError: `noncanonical_json` (no canonical form) or `too_large`.
    """
    try:
        payload = canonical.dumps(claims)
    except CanonicalError as exc:
        raise PassportError("noncanonical_json", f"claims have no canonical form: {exc.message}") from exc
    signing_input = f"{_header(signer.key_id)}.{b64url(payload)}"
    token = f"{signing_input}.{b64url(signer.sign(signing_input.encode('ascii')))}"
    if len(token) > MAX_TOKEN:
        raise PassportError(
            "too_large",
            f"the token would have {len(token)} bytes, the limit is {MAX_TOKEN}",
            remedy="grant fewer resources, or constrain fewer arguments by name",
        )
    return token


def decode(token: str | bytes, keys_by_id: Mapping[str, bytes]) -> Claims:
    """Verify and parse a root token.

    Args:
        token: whatever was presented.
        keys_by_id: trusted `kid` → public key, 32 bytes.

    Raises:
        PassportError: `too_large`, `malformed_b64`, `noncanonical_b64`, `unknown_root_or_header`, `bad_sig`,
            `malformed_json`, `too_deep`, `dup_member`, `non_integer_number`, `int_range`, `surrogate`,
            `noncanonical_json` or `claims_shape`.
    """
    text = _ascii(token)
    segments = text.split(".", 3)
    if len(segments) != 3:
        raise PassportError("malformed_b64", "a token has three segments")
    header, body, tail = segments
    # INVARIANT: the header is compared, never interpreted, so no member of it can steer the verifier.
    public_key = next((key for kid, key in keys_by_id.items() if header == _header(kid)), None)
    if public_key is None:
        raise PassportError(
            "unknown_root_or_header",
            "the header is not that of a token by a trusted issuer",
            remedy="add the issuer's key to the trust list, if it should be trusted",
        )
    if not _is_strong(public_key):
        raise PassportError("bad_sig", "the issuer's key is weak", remedy="take the key off the trust list")
    signature, payload = b64url_decode(tail), b64url_decode(body)
    # INVARIANT: nothing is parsed before its signature was verified.
    if not keys.verify(public_key, f"{header}.{body}".encode("ascii"), signature):
        raise PassportError("bad_sig", "the signature does not verify")
    return Claims(_parse(payload), keys.key_id(public_key), text)


@functools.lru_cache(maxsize=256)
def _is_strong(public_key: bytes) -> bool:
    try:
        keys.require_strong(public_key)
    except BadInput:
        return False
    return True


def token_hash(token: str) -> str:
    """Name of a token in the store and in a `Link`: `canonical.digest` over its bytes."""
    return canonical.digest(TOKEN_DOMAIN, token.encode("ascii"))


def payload_of(token: str) -> Mapping[str, Any]:
    """Claims of a token without looking at header or signature, for tokens whose hash a signed entry names.

    Raises:
        PassportError: as `decode`, without `unknown_root_or_header` and `bad_sig`.
    """
    segments = _ascii(token).split(".", 3)
    if len(segments) != 3:
        raise PassportError("malformed_b64", "a token has three segments")
    return _parse(b64url_decode(segments[1]))


def _header(kid: str) -> str:
    # Plain formatting would let a hostile kid write members; the canonical printer escapes it.
    return b64url(canonical.dumps({"alg": "Ed25519", "kid": kid, "typ": "halo-passport+jwt"}))


def _ascii(token: str | bytes) -> str:
    if len(token) > MAX_TOKEN:
        raise PassportError("too_large", f"the token is larger than {MAX_TOKEN} bytes")
    try:
        return token.decode("ascii") if isinstance(token, bytes) else token.encode("ascii").decode("ascii")
    except UnicodeError:
        raise PassportError("malformed_b64", "a token is ASCII") from None


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Inverse of `b64url`; one byte string has one spelling.

    Raises:
        PassportError: `malformed_b64` or `noncanonical_b64`.
    """
    if not _ALPHABET.fullmatch(text):
        raise PassportError("malformed_b64", "a character is not of the base64url alphabet")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise PassportError("malformed_b64", "a segment is no base64url") from None
    if b64url(data) != text:
        raise PassportError("noncanonical_b64", "a segment is another spelling of the same bytes")
    return data


def _parse(payload: bytes) -> Mapping[str, Any]:
    if _depth(payload) > canonical.MAX_DEPTH:
        raise PassportError("too_deep", f"claims are nested deeper than {canonical.MAX_DEPTH}")
    try:
        plain = canonical.loads(payload)
    except CanonicalError as exc:
        plain = _explain(payload, exc)
    if type(plain) is not dict:
        raise PassportError("claims_shape", "claims are one object")
    return plain


def _depth(payload: bytes) -> int:
    if payload.count(b"[") + payload.count(b"{") <= canonical.MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(payload):
        token = match[0]
        depth += (token in b"[{") - (token in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _explain(payload: bytes, cause: CanonicalError) -> Any:
    """Say which rule of strict JSON was broken.

    Where a member name that is not ASCII is all that is wrong the tree is returned: no member set has such a name, so
    `claims_to_link` refuses it and says what it was taken for (a homoglyph of a tool is `bad_tool_id`).
    """
    try:
        plain = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_int=_integer,
            parse_float=_not_integer,
            parse_constant=_not_integer,
        )
    except (ValueError, RecursionError):
        raise PassportError("malformed_json", "claims are not JSON") from cause
    if _has_surrogate(plain):
        raise PassportError("surrogate", "a lone surrogate is not text") from cause
    if json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != payload:
        raise PassportError("noncanonical_json", "claims are not in canonical form") from cause
    return plain


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PassportError("dup_member", "a member is given twice")
    return members


def _integer(text: str) -> int:
    # Sixteen digits and a sign hold every permitted integer; int() of more may cost quadratic time.
    if len(text) > 17 or not -_INT_LIMIT < int(text) < _INT_LIMIT:
        raise PassportError("int_range", "an integer is not below 2**53")
    return int(text)


def _not_integer(_text: str) -> NoReturn:
    raise PassportError("non_integer_number", "a number is not an integer")


def _has_surrogate(plain: Any) -> bool:
    if isinstance(plain, dict):
        return any(_has_surrogate(key) or _has_surrogate(item) for key, item in plain.items())
    if isinstance(plain, list):
        return any(map(_has_surrogate, plain))
    return isinstance(plain, str) and _LONE_SURROGATE.search(plain) is not None
