"""Room: the passport's wire form, strict JWS compact (RFC 7515). Takes: a token. Gives: claims. Never: interprets.

Four steps, each a refusal: size; the header equals a constant, byte for byte; base64url re-encodes identically and
Ed25519 verifies; only then the claims are parsed, and their bytes must be the canonical form. Roots, derived links,
approvals and proofs of possession differ in their header only, so none of them is ever taken for another.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core import canonical, keys
from halo_core.errors import BadInput, CanonicalError, PassportError
from halo_core.passport.strict import parse_object

__all__ = [
    "DERIVED_HEADER",
    "MAX_TOKEN",
    "TOKEN_DOMAIN",
    "Claims",
    "b64url",
    "b64url_decode",
    "decode",
    "decode_derived",
    "encode",
    "encode_derived",
    "named_header",
    "open_token",
    "payload_of",
    "seal",
    "signing_input_hash",
    "token_hash",
    "token_text",
]

MAX_TOKEN: Final = 16 * 1024
"""Bytes of one token."""
TOKEN_DOMAIN: Final = "halo/passport/v1"  # noqa: S105 - a domain, no secret
DERIVED_HEADER: Final = b'{"alg":"Ed25519","typ":"halo-passport+jwt"}'
"""Header of every link below a root: no `kid`, the key is the parent's `cnf`."""
_ROOT_TYPE: Final = "halo-passport+jwt"
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")


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


def seal(header: bytes, claims: Mapping[str, Any], signer: keys.Signer) -> str:
    """Sign claims under an exact header.

    Raises:
        PassportError: `noncanonical_json` (no canonical form) or `too_large`.
    """
    try:
        payload = canonical.dumps(claims)
    except CanonicalError as exc:
        raise PassportError("noncanonical_json", f"claims have no canonical form: {exc.message}") from exc
    signing_input = f"{b64url(header)}.{b64url(payload)}"
    token = f"{signing_input}.{b64url(signer.sign(signing_input.encode('ascii')))}"
    if len(token) > MAX_TOKEN:
        raise PassportError(
            "too_large",
            f"the token would have {len(token)} bytes, the limit is {MAX_TOKEN}",
            remedy="grant fewer resources, or constrain fewer arguments by name",
        )
    return token


def open_token(
    token: str | bytes, accepted: Mapping[bytes, bytes], *, unknown: str = "bad_header", remedy: str = ""
) -> Claims:
    """Verify and parse a token under one of a few exact headers.

    Args:
        token: whatever was presented.
        accepted: header, byte for byte → public key, 32 bytes.
        unknown: code for any other header.
        remedy: for any other header.

    Raises:
        PassportError: `unknown`, `too_large`, `malformed_b64`, `noncanonical_b64`, `bad_sig`, `malformed_json`,
            `too_deep`, `dup_member`, `non_integer_number`, `int_range`, `surrogate`, `noncanonical_json` or
            `claims_shape`.
    """
    text = token_text(token)
    segments = text.split(".", 3)
    if len(segments) != 3:
        raise PassportError("malformed_b64", "a token has three segments")
    header, body, tail = segments
    # INVARIANT: the header is compared, never interpreted, so no member of it can steer the verifier.
    public_key = next((key for expected, key in accepted.items() if header == b64url(expected)), None)
    if public_key is None:
        raise PassportError(unknown, "the header is not one that is accepted here", remedy=remedy)
    if not _is_strong(public_key):
        raise PassportError("bad_sig", "the signer's key is weak", remedy="take the key off the trust list")
    signature, payload = b64url_decode(tail), b64url_decode(body)
    # INVARIANT: nothing is parsed before its signature was verified.
    if not keys.verify(public_key, f"{header}.{body}".encode("ascii"), signature):
        raise PassportError("bad_sig", "the signature does not verify")
    return Claims(parse_object(payload), keys.key_id(public_key), text)


@functools.lru_cache(maxsize=256)
def _is_strong(public_key: bytes) -> bool:
    try:
        keys.require_strong(public_key)
    except BadInput:
        return False
    return True


def named_header(kid: str, kind: str) -> bytes:
    """Header of a token of media type `kind` by the key `kid`."""
    # Plain formatting would let a hostile kid write members; the canonical printer escapes it.
    return canonical.dumps({"alg": "Ed25519", "kid": kid, "typ": kind})


def encode(claims: Mapping[str, Any], signer: keys.Signer) -> str:
    """Sign claims as a root token; errors as `seal`."""
    return seal(named_header(signer.key_id, _ROOT_TYPE), claims, signer)


def encode_derived(claims: Mapping[str, Any], signer: keys.Signer) -> str:
    """Sign claims as a link below a root; errors as `seal`."""
    return seal(DERIVED_HEADER, claims, signer)


def decode(token: str | bytes, keys_by_id: Mapping[str, bytes]) -> Claims:
    """Verify and parse a root token.

    Args:
        token: whatever was presented.
        keys_by_id: trusted `kid` → public key, 32 bytes.

    Raises:
        PassportError: `unknown_root_or_header`, or as `open_token`.
    """
    accepted = {named_header(kid, _ROOT_TYPE): key for kid, key in keys_by_id.items()}
    remedy = "add the issuer's key to the trust list, if it should be trusted"
    return open_token(token, accepted, unknown="unknown_root_or_header", remedy=remedy)


def decode_derived(token: str | bytes, parent_key: bytes) -> Claims:
    """Verify and parse a link below a root.

    Args:
        token: whatever was presented.
        parent_key: the parent's holder key, 32 bytes.

    Raises:
        PassportError: `bad_header`, or as `open_token`.
    """
    return open_token(token, {DERIVED_HEADER: parent_key})


def token_hash(token: str) -> str:
    """Name of a token in the store and in a `Link`: `canonical.digest` over its bytes."""
    return canonical.digest(TOKEN_DOMAIN, token.encode("ascii"))


def signing_input_hash(token: str) -> str:
    """`par_hash` of the links below `token`: base64url of SHA-256 over its signing input (RFC 7515 section 2)."""
    return b64url(hashlib.sha256(token.rpartition(".")[0].encode("ascii")).digest())


def payload_of(token: str) -> Mapping[str, Any]:
    """Claims of a token without looking at header or signature, for tokens that were verified before.

    Raises:
        PassportError: as `open_token`, without `bad_header` and `bad_sig`.
    """
    segments = token_text(token).split(".", 3)
    if len(segments) != 3:
        raise PassportError("malformed_b64", "a token has three segments")
    return parse_object(b64url_decode(segments[1]))


def token_text(token: str | bytes) -> str:
    """A token's ASCII text.

    Raises:
        PassportError: `too_large` or `malformed_b64`.
    """
    if not isinstance(token, str | bytes):
        raise PassportError("malformed_b64", "a token is text or bytes")
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
