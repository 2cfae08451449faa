"""The wire form of passports: strict JWS compact (RFC 7515) over strict JSON (RFC 8259), and checks of claim shapes.

`open_token` checks, in this order: the size; that the header equals a constant, byte for byte; that base64url
re-encodes identically and Ed25519 verifies; and only then the claims, whose bytes must be the canonical form. Roots,
derived links, approvals and proofs of possession have different headers, so none of them can be taken for another.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from halo_core.crypto import canonical, keys
from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import encode_b64url
from halo_core.errors import BadInput, CanonicalError, PassportError
from halo_core.quick_dataclass import dataclass

_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse_object(payload: bytes) -> Mapping[str, Any]:
    """Parse one object in canonical form.

    Raises:
        PassportError: `too_deep`, `malformed_json`, `dup_member`, `non_integer_number`, `int_range`, `surrogate`,
            `noncanonical_json` or `claims_shape`.
    """
    if _measure_depth(payload) > canonical.MAX_DEPTH:
        raise PassportError("too_deep", f"claims are nested deeper than {canonical.MAX_DEPTH}")
    try:
        members = canonical.loads(payload)
    except CanonicalError as exc:
        members = _explain_rejection(payload, exc)
    if type(members) is not dict:
        raise PassportError("claims_shape", "claims must be one JSON object")
    return members


def _measure_depth(payload: bytes) -> int:
    if payload.count(b"[") + payload.count(b"{") <= canonical.MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(payload):
        token = match[0]
        depth += (token in b"[{") - (token in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _explain_rejection(payload: bytes, cause: CanonicalError) -> Any:
    """The rule of strict JSON that was broken.

    Where the only fault is a member name that is not ASCII, the parsed value is returned: no member set has such a
    name, so `claims_to_link` refuses it with a more exact code (`bad_tool_id` for a homoglyph of a tool).
    """
    try:
        json_value = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_require_distinct,
            parse_int=_parse_integer,
            parse_float=_reject_number,
            parse_constant=_reject_number,
        )
    except (ValueError, RecursionError):
        raise PassportError("malformed_json", "claims are not JSON") from cause
    if _has_surrogate(json_value):
        raise PassportError("surrogate", "a lone surrogate is not text") from cause
    if json.dumps(json_value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != payload:
        raise PassportError("noncanonical_json", "claims are not in canonical form") from cause
    return json_value


def _require_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PassportError("dup_member", "a member occurs twice")
    return members


def _parse_integer(text: str) -> int:
    # Sixteen digits and a sign hold every permitted integer; int() of more may cost quadratic time.
    if len(text) > 17 or not -INT_LIMIT < int(text) < INT_LIMIT:
        raise PassportError("int_range", "an integer is not below 2**53")
    return int(text)


def _reject_number(_text: str) -> NoReturn:
    raise PassportError("non_integer_number", "a number is not an integer")


def _has_surrogate(json_value: Any) -> bool:
    if isinstance(json_value, dict):
        return any(_has_surrogate(key) or _has_surrogate(item) for key, item in json_value.items())
    if isinstance(json_value, list):
        return any(map(_has_surrogate, json_value))
    return isinstance(json_value, str) and _LONE_SURROGATE.search(json_value) is not None


LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second that RFC 3339 can write."""
MAX_ITEMS: Final = 256
"""Characters of a text, and texts of a list."""


def require_text(value: object, field: str, code: str = "claims_shape") -> str:
    """Require a printable text of 1 to 256 characters."""
    # `isprintable` also refuses zero-width, direction and control characters, which hide in a name.
    if type(value) is not str or not 0 < len(value) <= MAX_ITEMS or not value.isprintable():
        raise claim_error(code, "a printable text of 1 to 256 characters is expected", field)
    return value


def require_texts(json_value: object, code: str, field: str, *, least: int = 0) -> tuple[str, ...]:
    """Require a sorted list of distinct texts."""
    if type(json_value) is not list or not least <= len(json_value) <= MAX_ITEMS:
        raise claim_error(code, f"a list of {least} to {MAX_ITEMS} texts is expected", field)
    distinct_texts = tuple([require_text(item, field, code) for item in json_value])
    if list(distinct_texts) != sorted(set(distinct_texts)):
        raise claim_error(code, "the list is not sorted, or has an item twice", field)
    return distinct_texts


def require_integer(value: object, low: int, high: int, code: str, field: str) -> int:
    """Require an integer from `low` to `high`."""
    # `type` and not `isinstance`, because True is an int.
    if type(value) is not int or not low <= value <= high:
        raise claim_error(code, f"an integer from {low} to {high} is expected", field)
    return value


def require_object(json_value: object, code: str, field: str) -> Mapping[str, Any]:
    """Require a JSON object."""
    if type(json_value) is not dict or not set(map(type, json_value)) <= {str}:
        raise claim_error(code, "an object is expected", field)
    return json_value


def require_members(json_value: object, names: Iterable[str], code: str, field: str) -> Mapping[str, Any]:
    """Require a JSON object with exactly these members."""
    # INVARIANT: fail closed on an unknown member as on a missing one.
    members = require_object(json_value, code, field)
    if set(members) != set(names):
        raise claim_error(code, f"expected exactly the members {', '.join(sorted(names))}", field)
    return members


def claim_error(code: str, message: str, field: str, *, remedy: str = "issue a new passport") -> PassportError:
    """The error for a malformed claim."""
    return PassportError(code, message, field=field[:256], remedy=remedy)


MAX_TOKEN: Final = 16 * 1024
"""Bytes of one token."""
TOKEN_DOMAIN: Final = "halo/passport/v1"  # noqa: S105 - a domain, no secret
DERIVED_HEADER: Final = b'{"alg":"Ed25519","typ":"halo-passport+jwt"}'
"""Header of every link below a root: no `kid`, the key is the parent's `cnf`."""
PASSPORT_TYPE: Final = "halo-passport+jwt"
"""Media type of a root, whose header names the key that signed it."""
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token and the key that signed them.

    Args:
        members: the claims by name, parsed JSON.
        key_id: thumbprint (RFC 7638) of the public key that verified them; from `read_unverified` only what they name.
        token: the token they came in.
    """

    members: Mapping[str, Any]
    key_id: str
    token: str


def sign_token(header: bytes, claims: Mapping[str, Any], signer: keys.Signer) -> str:
    """Sign claims under an exact header.

    Raises:
        PassportError: `noncanonical_json` (no canonical form) or `too_large`.
    """
    try:
        payload = canonical.dumps(claims)
    except CanonicalError as exc:
        raise PassportError("noncanonical_json", f"claims have no canonical form: {exc.message}") from exc
    signing_input = f"{encode_b64url(header)}.{encode_b64url(payload)}"
    token = f"{signing_input}.{encode_b64url(signer.sign(signing_input.encode('ascii')))}"
    if len(token) > MAX_TOKEN:
        message = f"the token would have {len(token)} bytes, the limit is {MAX_TOKEN}"
        raise PassportError("too_large", message, remedy="grant fewer resources, or constrain fewer arguments by name")
    return token


def open_token(
    token: str | bytes, accepted: Mapping[bytes, bytes], *, unknown: str = "bad_header", remedy: str = ""
) -> Claims:
    """Verify and parse a token under one of a few exact headers.

    Args:
        token: whatever was presented.
        accepted: header, byte for byte → public key, 32 bytes.
        unknown: code of the error for any other header.
        remedy: remedy in the error for any other header.

    Raises:
        PassportError: `unknown`, `too_large`, `malformed_b64`, `noncanonical_b64`, `bad_sig`, `malformed_json`,
            `too_deep`, `dup_member`, `non_integer_number`, `int_range`, `surrogate`, `noncanonical_json` or
            `claims_shape`.
    """
    text = require_token_text(token)
    header, body, tail = _split_segments(text)
    # INVARIANT: the header is compared, never interpreted, so no member of it can steer the verifier.
    public_key = next((key for expected, key in accepted.items() if header == encode_b64url(expected)), None)
    if public_key is None:
        raise PassportError(unknown, "the header is not accepted here", remedy=remedy)
    if not _is_strong(public_key):
        raise PassportError("bad_sig", "the signer's key is weak", remedy="remove the key from the trust list")
    signature, payload = decode_b64url(tail), decode_b64url(body)
    # INVARIANT: nothing is parsed before its signature was verified.
    if not keys.verify_signature(public_key, f"{header}.{body}".encode("ascii"), signature):
        raise PassportError("bad_sig", "the signature does not verify")
    return Claims(parse_object(payload), keys.compute_key_thumbprint(public_key), text)


@functools.lru_cache(maxsize=256)
def _is_strong(public_key: bytes) -> bool:
    try:
        keys.require_strong_key(public_key)
    except BadInput:
        return False
    return True


def make_header(kid: str, kind: str) -> bytes:
    """Header of a token of media type `kind` by the key `kid`."""
    # Plain formatting would let a hostile kid write members; the canonical printer escapes it.
    return canonical.dumps({"alg": "Ed25519", "kid": kid, "typ": kind})


def token_hash(token: str) -> str:
    """Name of a token in the store and in a `Link`: `canonical.digest` over its bytes."""
    return canonical.digest(TOKEN_DOMAIN, token.encode("ascii"))


def hash_signing_input(token: str) -> str:
    """`par_hash` of the links below `token`: base64url of SHA-256 over its signing input (RFC 7515 section 2)."""
    return encode_b64url(hashlib.sha256(token.rpartition(".")[0].encode("ascii")).digest())


def read_payload(token: str) -> Mapping[str, Any]:
    """Claims of a token without looking at header or signature, for tokens that were verified before.

    Raises:
        PassportError: as `open_token`, without `bad_header` and `bad_sig`.
    """
    return parse_object(decode_b64url(_split_segments(require_token_text(token))[1]))


def read_unverified(token: str) -> Claims:
    """Claims of a token as `read_payload`, with the key that `iss` names; the signature is not verified."""
    members = read_payload(token)
    issuer = members.get("iss")
    return Claims(members, issuer.rpartition(":")[2] if type(issuer) is str else "", token)


def _split_segments(text: str) -> list[str]:
    segments = text.split(".", 3)
    if len(segments) != 3:
        raise PassportError("malformed_b64", "a token must have three segments")
    return segments


def require_token_text(token: str | bytes) -> str:
    """Require a token of ASCII text within `MAX_TOKEN`.

    Raises:
        PassportError: `too_large` or `malformed_b64`.
    """
    if not isinstance(token, str | bytes):
        raise PassportError("malformed_b64", "a token must be text or bytes")
    if len(token) > MAX_TOKEN:
        raise PassportError("too_large", f"the token is larger than {MAX_TOKEN} bytes")
    try:
        return token.decode("ascii") if isinstance(token, bytes) else token.encode("ascii").decode("ascii")
    except UnicodeError:
        raise PassportError("malformed_b64", "a token must be ASCII") from None


def decode_b64url(text: str) -> bytes:
    """Inverse of `encode_b64url`; one byte string has one spelling.

    Raises:
        PassportError: `malformed_b64` or `noncanonical_b64`.
    """
    if not _ALPHABET.fullmatch(text):
        raise PassportError("malformed_b64", "a character is not in the base64url alphabet")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise PassportError("malformed_b64", "a segment is not valid base64url") from None
    if encode_b64url(data) != text:
        raise PassportError("noncanonical_b64", "a segment is not the canonical encoding of its bytes")
    return data
