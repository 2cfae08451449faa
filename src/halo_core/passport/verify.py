"""Room: verification of a standing link. Takes: a token, trusted keys. Gives: a link. Never: I/O, a clock.

Time is checked at each decision (`check_time`), not here, so that a passport that expires in the middle of a run stops
the run, and a replay asks with the recorded time.
"""

from __future__ import annotations

from collections.abc import Mapping

from halo_core.errors import PassportError
from halo_core.model import Link, LinkKind
from halo_core.passport.claims import claims_to_link
from halo_core.passport.codec import decode
from halo_core.reasons import text

__all__ = ["check_link", "check_time", "verify_standing"]


def verify_standing(token: str | bytes, *, trusted: Mapping[str, bytes], audience: str, tenant: str) -> Link:
    """Verify the standing link, the first of a chain.

    Args:
        token: whatever was presented.
        trusted: issuers' `kid` → public key, 32 bytes.
        audience: the store that asks; the link's `aud` must name it.
        tenant: the tenant that asks.

    Raises:
        PassportError: with a code of `decode` or `claims_to_link`, `wrong_tenant` or `wrong_audience`.
    """
    link = claims_to_link(decode(token, trusted))  # steps 1 (size) to 3 (strict JSON, exact members)
    if link.kind is not LinkKind.STANDING:  # step 4, for a chain of one
        raise PassportError("bad_depth", "a chain starts with a standing link", field="/halo/kind")
    code = check_link(link, tenant=tenant, audience=audience)  # step 7
    if code is not None:
        raise PassportError(code, text(code).title, remedy=text(code).remedy)
    return link


def check_link(link: Link, *, tenant: str, audience: str) -> str | None:
    """Reason code why `link` is not for this tenant and store, or None."""
    if link.tenant != tenant:
        return "wrong_tenant"
    return None if audience in link.audience else "wrong_audience"


def check_time(link: Link, now_s: int) -> str | None:
    """Reason code why `link` is not valid at `now_s` (seconds since the epoch), or None; `exp` is exclusive."""
    if now_s < link.not_before_s:
        return "not_yet_valid"
    return "expired" if now_s >= link.expires_at_s else None
