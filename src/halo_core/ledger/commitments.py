"""Commitments of entries to the rows that they leave behind: the state of a session or a quota, rows of a sketch."""

from __future__ import annotations

import binascii
import hashlib
from typing import Any, Final

from halo_core.crypto import canonical

REGISTRATION_DOMAIN: Final = "halo/registration/v1"
"""Domain of the digest by which an entry commits to the registration of a resource."""
_DOMAIN = b"halo/session/v2\0"


def commit_state(version: int, state: bytes, *, before: bytes | None = None) -> dict[str, Any]:
    """An entry's commitment to a state: the version, which rises by one, and its digest.

    Args:
        version: version of the state that the entry leaves behind.
        state: bytes of that state.
        before: bytes of the state that the entry found, empty if there was none; the commitment then holds its
            digest too. None for sessions, whose rows are compared with the newest entry whenever they are read.
    """
    digest = hashlib.sha256(_DOMAIN + state).digest()  # as `digest_state`, without a call, for each decision
    commitment: dict[str, Any] = {
        "digest": binascii.b2a_base64(digest, newline=False).decode("ascii"),
        "version": version,
    }
    if before is not None:
        commitment["before"] = digest_state(before) if before else ""
    return commitment


def digest_state(state: bytes) -> str:
    """Base64 digest of a state's bytes, as entries hold it."""
    return binascii.b2a_base64(hashlib.sha256(_DOMAIN + state).digest(), newline=False).decode("ascii")


def chain_marks(before: str, chunk: bytes) -> str:
    """Chained digest over the rows of a sketch, 64 hex digits; `before` is the digest before `chunk`, or empty."""
    return hashlib.sha256(before.encode("ascii", "replace") + b"\0" + chunk).hexdigest()


def digest_answer(token: str) -> str:
    """Digest of an approver's signed token, kept in entries instead of the token, which names the approver."""
    return canonical.digest("halo/answer", token.encode("utf-8", "surrogatepass"))
