"""What all signed answers of approvers have in common: the outer claims, and that an enrolled person signed.

The answers themselves are `approval` (one call, or a session that goes on) and `standing_answer` (more than one call,
and orders).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from halo_core.crypto.keys import Signer, compute_key_thumbprint
from halo_core.errors import PassportError
from halo_core.passports.claims import ISSUER_URI, issuer_uri
from halo_core.passports.codec import (
    LAST_SECOND,
    Claims,
    claim_error,
    make_header,
    open_token,
    require_integer,
    require_members,
)

_MEMBERS: Final = ("aud", "exp", "halo", "iat", "iss", "jti", "sub", "ten", "ver")


class SignedAnswer(Protocol):
    """The outer claims of an answer. Times are seconds since the epoch."""

    @property
    def id(self) -> str:
        """Id of the token (`jti`)."""

    @property
    def approver(self) -> str:
        """Name of the approver."""

    @property
    def tenant(self) -> str:
        """Owner of the log."""

    @property
    def audience(self) -> tuple[str, ...]:
        """Ids of the stores in which it is valid."""

    @property
    def issued_at_s(self) -> int:
        """When it was signed."""

    @property
    def expires_at_s(self) -> int:
        """From then on it can no longer be used."""

    @property
    def key_id(self) -> str:
        """Thumbprint of the key that signed."""


def make_answer_claims(answer: SignedAnswer, halo: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The claims of an answer, signed by `signer`; `halo` is what this kind of answer says."""
    return {
        "aud": sorted(answer.audience),
        "exp": answer.expires_at_s,
        "halo": dict(halo),
        "iat": answer.issued_at_s,
        "iss": issuer_uri(signer.public_key),
        "jti": answer.id,
        "sub": answer.approver,
        "ten": answer.tenant,
        "ver": 1,
    }


def open_answer(token: str | bytes, media_type: str, approvers: Mapping[str, tuple[str, bytes]]) -> Claims:
    """Verify an answer's signature; `require_enrolled_name` has to follow once it is parsed.

    Args:
        token: whatever was presented.
        media_type: the `typ` of the answer.
        approvers: enrolled `kid` → name, public key of 32 bytes.

    Raises:
        PassportError: `unknown_approver`, or as `halo_core.passports.codec.open_token`.
    """
    accepted = {make_header(kid, media_type): key for kid, (_, key) in approvers.items()}
    return open_token(token, accepted, unknown="unknown_approver", remedy="enrol the approver's key")


def require_enrolled_name(answer: SignedAnswer, approvers: Mapping[str, tuple[str, bytes]]) -> None:
    """Refuse an answer that names somebody else than the owner of the key that signed it.

    Raises:
        PassportError: `bad_approver`.
    """
    names = {name for name, key in approvers.values() if compute_key_thumbprint(key) == answer.key_id}
    if answer.approver not in names:
        raise PassportError("bad_approver", "the answer names a different approver than its key", field="/sub")


def require_answer_members(claims: Claims) -> Mapping[str, Any]:
    """The outer members of an answer, of the known version, which name the key that signed as their issuer.

    Raises:
        PassportError: `claims_shape`, `bad_iss`.
    """
    members = require_members(claims.members, _MEMBERS, "claims_shape", "")
    require_integer(members["ver"], 1, 1, "claims_shape", "/ver")
    if members["iss"] != ISSUER_URI + claims.key_id:
        raise claim_error("bad_iss", "`iss` does not name the key that signed", "/iss")
    return members


def require_lifetime(members: Mapping[str, Any], longest_s: int) -> tuple[int, int]:
    """When an answer was signed and when it ends, seconds since the epoch.

    Raises:
        PassportError: `bad_times`, no such times, or further apart than `longest_s`.
    """
    issued_s, expires_s = (
        require_integer(members[name], 0, LAST_SECOND, "bad_times", f"/{name}") for name in ("iat", "exp")
    )
    if not issued_s < expires_s <= issued_s + longest_s:
        raise claim_error("bad_times", f"this answer is valid for 1 to {longest_s} seconds", "/exp")
    return issued_s, expires_s
