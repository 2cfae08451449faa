"""Proof of possession of a passport's key for one call, after RFC 9449 (`jti`, `iat`, `ath`).

It also binds the audience, the action and the digest of its arguments, so that a captured proof serves no other store,
passport, action or arguments, and serves once. Nothing calls this yet: `halo serve`, which decides for agents in other
processes, will require a proof with each request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from halo_core.crypto.keys import Signer
from halo_core.errors import PassportError
from halo_core.model import Link
from halo_core.passports.codec import (
    LAST_SECOND,
    encode_b64url,
    open_token,
    require_integer,
    require_members,
    require_text,
    sign_token,
)
from halo_core.reasons import get_reason_text as reason

__all__ = ["POP_WINDOW_S", "mint_pop", "verify_pop"]

POP_WINDOW_S: Final = 30
"""Seconds that the clocks of holder and verifier may differ, either way."""
_HEADER: Final = b'{"alg":"Ed25519","typ":"halo-pop+jwt"}'
_MEMBERS: Final = ("act", "arg", "ath", "aud", "iat", "jti")


def mint_pop(
    *, signer: Signer, leaf_token: str, audience: str, action: str, args_digest: str, now_s: int, jti: str
) -> str:
    """Prove possession of the leaf's key for one call.

    Args:
        signer: the leaf's holder.
        leaf_token: the last token of the chain.
        audience: the store that will decide.
        action: resource id.
        args_digest: digest of the arguments as executed.
        now_s: seconds since the epoch.
        jti: id of this proof, never used before.
    """
    claims = {
        "act": action,
        "arg": args_digest,
        "ath": _hash_leaf(leaf_token),
        "aud": audience,
        "iat": now_s,
        "jti": jti,
    }
    return sign_token(_HEADER, claims, signer)


def verify_pop(
    token: str | bytes,
    *,
    leaf: Link,
    leaf_token: str,
    audience: str,
    action: str,
    args_digest: str,
    now_s: int,
    note_id: Callable[[str], bool],
) -> None:
    """Refuse a proof that is not of this call, under this leaf, now and for the first time.

    Args:
        token: whatever was presented.
        leaf: the last link, verified.
        leaf_token: its token.
        audience: the store that asks.
        action: resource id of the call.
        args_digest: digest of its arguments as executed.
        now_s: seconds since the epoch.
        note_id: notes an id (the key's and the proof's), and says whether it was noted before; asked last, in one step.

    Raises:
        PassportError: `bad_header`, `bad_sig`, `claims_shape`, `pop_aud`, `pop_ath`, `pop_tool`, `pop_args`,
            `pop_window`, `replay`, or as `halo_core.passports.codec.open_token`.
    """
    claims = open_token(token, {_HEADER: leaf.holder_key})
    members = require_members(claims.members, _MEMBERS, "claims_shape", "")
    issued = require_integer(members["iat"], 0, LAST_SECOND, "claims_shape", "/iat")
    jti = require_text(members["jti"], "/jti")
    holds = {
        "pop_aud": members["aud"] == audience,
        "pop_ath": members["ath"] == _hash_leaf(leaf_token),
        "pop_tool": members["act"] == action,
        "pop_args": members["arg"] == args_digest,
        "pop_window": abs(now_s - issued) <= POP_WINDOW_S,
    }
    wrong = next((code for code, is_met in holds.items() if not is_met), None)
    # INVARIANT: noted only once it is known to be good, so nobody else's proof can use up an id.
    if wrong is None and note_id(f"{claims.key_id}:{jti}"):
        wrong = "replay"
    if wrong is not None:
        raise PassportError(wrong, reason(wrong).title, remedy=reason(wrong).remedy)


def _hash_leaf(leaf_token: str) -> str:
    return encode_b64url(hashlib.sha256(leaf_token.encode("ascii")).digest())
