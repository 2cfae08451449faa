"""Verification: a chain of tokens (sizes, headers, signatures, strict JSON, linkage, narrowing), and a call's proof.

Time, revocation and spent budgets are checked at each decision, on the links that this returns: a passport that expires
in the middle of a run stops the run, a replay asks with the recorded time, and a cached chain is not thereby valid.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Final

from halo_core.crypto.keys import compute_key_thumbprint, encode_b64url
from halo_core.errors import PassportError
from halo_core.model import Link, LinkKind
from halo_core.passports.approval import find_reauthorization_violation, is_in_chain, read_approval
from halo_core.passports.claims import MAX_DEPTH, claims_to_link
from halo_core.passports.codec import (
    DERIVED_HEADER,
    LAST_SECOND,
    PASSPORT_TYPE,
    hash_signing_input,
    make_header,
    open_token,
    require_integer,
    require_members,
    require_text,
    require_token_text,
)
from halo_core.passports.grants import Violation
from halo_core.passports.narrowing import find_widening
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text


def verify_standing(token: str | bytes, *, trusted: Mapping[str, bytes], audience: str, tenant: str) -> Link:
    """Verify the standing link, the first of a chain.

    Args:
        token: whatever was presented.
        trusted: issuers' `kid` → public key, 32 bytes.
        audience: the store that asks; the link's `aud` must name it.
        tenant: the tenant that asks.

    Raises:
        PassportError: `unknown_root_or_header`, `wrong_tenant`, `wrong_audience`, or a code of `open_token` or
            `claims_to_link`.
    """
    link = _open_root(token, trusted)
    if (code := check_link(link, tenant=tenant, audience=audience)) is not None:
        raise _make_chain_error(Violation(code, ""))
    return link


def _open_root(token: str | bytes, keys_by_id: Mapping[str, bytes]) -> Link:
    accepted = {make_header(kid, PASSPORT_TYPE): key for kid, key in keys_by_id.items()}
    remedy = "add the issuer's key to the trust list, if you trust it"
    link = claims_to_link(open_token(token, accepted, unknown="unknown_root_or_header", remedy=remedy))
    if link.kind is not LinkKind.STANDING:
        raise PassportError("bad_depth", "a chain must start with a standing link", field="/halo/kind")
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


MAX_CHAIN: Final = 64 * 1024
"""Bytes of all tokens of a chain."""
MAX_TOKENS: Final = 1 + MAX_DEPTH
"""Standing link, session link and hand-offs."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A key that signs standing links; links signed by a retired key are refused."""

    public_key: bytes
    retired: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TrustAnchors:
    """The keys that a verifier trusts. Immutable and compared by content.

    Args:
        issuers: `kid` → key.
        approvers: `kid` → name, public key; only they re-authorize.
        holders: agent → its registered public key; an agent named here hands off under no other.
        registered_only: a hand-off to an agent that `holders` does not name is refused.
    """

    issuers: Mapping[str, Issuer]
    approvers: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    holders: Mapping[str, bytes] = field(default_factory=dict)
    registered_only: bool = False
    version: str = field(init=False)

    def __post_init__(self) -> None:
        """Copy the mappings, so that they stay as they were when `version` was computed."""
        for name in ("issuers", "approvers", "holders"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        version_parts = [
            sorted([kid, encode_b64url(item.public_key), item.retired] for kid, item in self.issuers.items()),
            sorted([kid, name, encode_b64url(key)] for kid, (name, key) in self.approvers.items()),
            sorted([agent, encode_b64url(key)] for agent, key in self.holders.items()),
            self.registered_only,
        ]
        object.__setattr__(self, "version", hashlib.sha256(ascii(version_parts).encode("ascii")).hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrustAnchors) and self.version == other.version

    def __hash__(self) -> int:
        return hash(self.version)


@dataclass(frozen=True, slots=True)
class _VerifiedChain:
    links: tuple[Link, ...]
    approver: tuple[str, bytes] | None = None


def verify_chain(
    tokens: Sequence[str | bytes], *, trusted: TrustAnchors, audience: str | None, tenant: str | None
) -> tuple[Link, ...]:
    """Verify a chain, root first.

    Args:
        tokens: whatever was presented: a standing link, then perhaps a session link and up to eight hand-offs.
        trusted: the keys to trust.
        audience: the store that asks; the last link's `aud` must name it. None for a replay, which no store asks for.
        tenant: the tenant that asks; None for a replay.

    Raises:
        PassportError: `chain_len`, `too_large`, `unknown_root_or_header`, `root_key_retired`, `par_hash_mismatch`,
            a code of `open_token`, `claims_to_link`, `find_widening` or `read_approval`, `key_reuse_cycle`,
            `jti_reused`, `holder_not_registered`, `bad_reauthorization`, `approver_in_chain`, `wrong_tenant` or
            `wrong_audience`.
    """
    return ChainCache().verify(tokens, trusted=trusted, audience=audience, tenant=tenant)


class ChainCache:
    """Verified chains by their exact tokens and trust anchors. Thread-safe; evicts the least recently used.

    The result of a verification depends on nothing else: expiry and revocation are checked at each decision.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._chains: OrderedDict[tuple[str, tuple[str, ...]], _VerifiedChain] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chains)

    def verify(
        self, tokens: Sequence[str | bytes], *, trusted: TrustAnchors, audience: str | None, tenant: str | None
    ) -> tuple[Link, ...]:
        """Like `verify_chain`, but verifies only the tokens after the longest chain that is in the cache."""
        texts = _require_tokens(tokens)
        verified, length = self._find_longest_prefix(texts, trusted)
        for count in range(length + 1, len(texts) + 1):
            verified = (
                _verify_root(texts[0], trusted)
                if verified is None
                else _verify_derived(verified, texts[:count], trusted)
            )
            self._store(texts[:count], trusted, verified)
        return _require_audience(verified.links if verified is not None else (), audience, tenant)

    def _find_longest_prefix(self, texts: tuple[str, ...], trusted: TrustAnchors) -> tuple[_VerifiedChain | None, int]:
        with self._lock:
            for count in range(len(texts), 0, -1):
                key = (trusted.version, texts[:count])
                if key in self._chains:
                    self._chains.move_to_end(key)
                    return self._chains[key], count
        return None, 0

    def _store(self, texts: tuple[str, ...], trusted: TrustAnchors, verified: _VerifiedChain) -> None:
        with self._lock:
            self._chains[trusted.version, texts] = verified
            while len(self._chains) > self._limit:
                self._chains.popitem(last=False)


def _require_tokens(tokens: Sequence[str | bytes]) -> tuple[str, ...]:
    if not 0 < len(tokens) <= MAX_TOKENS:
        raise PassportError("chain_len", f"a chain must have 1 to {MAX_TOKENS} tokens, not {len(tokens)}")
    texts = tuple(map(require_token_text, tokens))
    if sum(map(len, texts)) > MAX_CHAIN:
        raise PassportError("too_large", f"the chain is larger than {MAX_CHAIN} bytes")
    return texts


def _verify_root(token: str, trusted: TrustAnchors) -> _VerifiedChain:
    link = _open_root(token, {kid: issuer.public_key for kid, issuer in trusted.issuers.items()})
    if any(
        issuer.retired and compute_key_thumbprint(issuer.public_key) == link.key_id
        for issuer in trusted.issuers.values()
    ):
        raise _make_chain_error(Violation("root_key_retired", ""))
    return _VerifiedChain((link,))


def _verify_derived(verified: _VerifiedChain, texts: tuple[str, ...], trusted: TrustAnchors) -> _VerifiedChain:
    parent = verified.links[-1]
    link = claims_to_link(open_token(texts[-1], {DERIVED_HEADER: parent.holder_key}), parent)
    if link.parent != hash_signing_input(texts[-2]):
        raise _make_chain_error(Violation("par_hash_mismatch", ""))
    violation = (
        find_widening(parent, link) or _find_repetition(verified.links, link) or _find_unregistered(link, trusted)
    )
    if violation is not None:
        raise _make_chain_error(violation)
    links = (*verified.links, link)
    approver = _verify_approver(parent, link, trusted) if link.reauthorization else verified.approver
    # INVARIANT: EPOCH - nobody in a chain re-authorizes it. Checked again for each link that is added below.
    if approver is not None and is_in_chain(*approver, links):
        raise _make_chain_error(Violation("approver_in_chain", approver[0]))
    return _VerifiedChain(links, approver)


def _find_repetition(ancestors: tuple[Link, ...], link: Link) -> Violation | None:
    if any(link.jti == ancestor.jti for ancestor in ancestors):
        return Violation("jti_reused", "")
    # INVARIANT: each agent and each key occurs once in a chain, so a hand-off cannot return to an earlier holder.
    if link.kind is LinkKind.HANDOFF and any(
        link.agent == ancestor.agent or link.holder_key == ancestor.holder_key for ancestor in ancestors
    ):
        return Violation("key_reuse_cycle", link.agent)
    return None


def _find_unregistered(link: Link, trusted: TrustAnchors) -> Violation | None:
    if link.kind is not LinkKind.HANDOFF:
        return None
    registered_key = trusted.holders.get(link.agent)
    foreign = any(key == link.holder_key for agent, key in trusted.holders.items() if agent != link.agent)
    if foreign or registered_key not in (None, link.holder_key) or (registered_key is None and trusted.registered_only):
        return Violation("holder_not_registered", link.agent)
    return None


def _verify_approver(standing_link: Link, session: Link, trusted: TrustAnchors) -> tuple[str, bytes]:
    try:
        approval = read_approval(session.reauthorization, trusted.approvers)
    except PassportError as exc:
        raise PassportError(
            "bad_reauthorization", f"{exc.message} [{exc.code}]", field="/halo/rea", remedy=exc.remedy
        ) from exc
    violation = find_reauthorization_violation(standing_link, session, approval)
    if violation is not None:
        raise _make_chain_error(violation)
    keys = (key for _, key in trusted.approvers.values() if compute_key_thumbprint(key) == approval.key_id)
    return approval.approver, next(keys)


def _require_audience(links: tuple[Link, ...], audience: str | None, tenant: str | None) -> tuple[Link, ...]:
    leaf = links[-1]
    if tenant is not None and leaf.tenant != tenant:
        raise _make_chain_error(Violation("wrong_tenant", ""))
    if audience is not None and audience not in leaf.audience:
        raise _make_chain_error(Violation("wrong_audience", ""))
    return links


def _make_chain_error(violation: Violation) -> PassportError:
    words = get_reason_text(violation.code)
    title = f"{words.title}: `{violation.detail[:64]}`" if violation.detail else words.title
    return PassportError(violation.code, title, remedy=words.remedy)


POP_WINDOW_S: Final = 30
"""Seconds that the clocks of holder and verifier may differ, either way."""
POP_HEADER: Final = b'{"alg":"Ed25519","typ":"halo-pop+jwt"}'
"""Header of a proof of possession of a passport's key for one call, after RFC 9449 (`jti`, `iat`, `ath`)."""
_POP_MEMBERS: Final = ("act", "arg", "ath", "aud", "iat", "jti")


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
    """Refuse a proof unless it is for this call, under this leaf, current and used for the first time.

    A proof names the store, the passport, the action and the digest of its arguments, so a captured one cannot be used
    for another call, nor twice for the same. Nothing calls this yet: `halo serve`, which decides for agents in other
    processes, will require a proof with each request.

    Args:
        token: whatever was presented.
        leaf: the last link, verified.
        leaf_token: its token.
        audience: the store that asks.
        action: resource id of the call.
        args_digest: digest of its arguments as executed.
        now_s: seconds since the epoch.
        note_id: records an id (that of the key and that of the proof), and returns whether it was recorded before, in
            one step. Called last.

    Raises:
        PassportError: `bad_header`, `bad_sig`, `claims_shape`, `pop_aud`, `pop_ath`, `pop_tool`, `pop_args`,
            `pop_window`, `replay`, or as `halo_core.passports.codec.open_token`.
    """
    claims = open_token(token, {POP_HEADER: leaf.holder_key})
    members = require_members(claims.members, _POP_MEMBERS, "claims_shape", "")
    issued = require_integer(members["iat"], 0, LAST_SECOND, "claims_shape", "/iat")
    jti = require_text(members["jti"], "/jti")
    holds = {
        "pop_aud": members["aud"] == audience,
        "pop_ath": members["ath"] == hash_leaf(leaf_token),
        "pop_tool": members["act"] == action,
        "pop_args": members["arg"] == args_digest,
        "pop_window": abs(now_s - issued) <= POP_WINDOW_S,
    }
    wrong = next((code for code, is_met in holds.items() if not is_met), None)
    # INVARIANT: an id is recorded only when all else is right, so that a wrong proof cannot use up the id of another.
    if wrong is None and note_id(f"{claims.key_id}:{jti}"):
        wrong = "replay"
    if wrong is not None:
        raise _make_chain_error(Violation(wrong, ""))


def hash_leaf(leaf_token: str) -> str:
    """`ath` of a proof under this leaf: base64url of SHA-256 over its token (RFC 9449 section 4.2)."""
    return encode_b64url(hashlib.sha256(leaf_token.encode("ascii")).digest())
