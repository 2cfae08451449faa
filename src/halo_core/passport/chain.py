"""Room: verification of a whole chain. Takes: tokens, whom to trust. Gives: links, or a refusal. Never: I/O, a clock.

Sizes, headers, signatures, strict JSON, linkage and narrowing: what a chain is by itself. Expiry, revocation and spent
budgets are asked anew at each decision, of the links this gives, so a cached chain is never a valid one by that alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from halo_core.errors import PassportError
from halo_core.keys import key_id
from halo_core.model import Link, LinkKind
from halo_core.passport.approval import in_chain, read_approval, reauthorization_violation
from halo_core.passport.claims import MAX_DEPTH, claims_to_link
from halo_core.passport.codec import b64url, decode, decode_derived, signing_input_hash, token_text
from halo_core.passport.constraints import Violation
from halo_core.passport.narrow import widening
from halo_core.reasons import text

__all__ = ["MAX_CHAIN", "ChainCache", "Issuer", "Trusted", "verify_chain"]

MAX_CHAIN: Final = 64 * 1024
"""Bytes of all tokens of a chain."""
MAX_TOKENS: Final = 1 + MAX_DEPTH
"""Standing link, session link and hand-offs."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A key that signs standing links; one that is retired signs no more, and what it signed is refused."""

    public_key: bytes
    retired: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trusted:
    """Whom a verifier trusts; a value, so a change is another one.

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
        """Take copies, so that `version` stays true."""
        for name in ("issuers", "approvers", "holders"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        plain = [
            sorted([kid, b64url(item.public_key), item.retired] for kid, item in self.issuers.items()),
            sorted([kid, name, b64url(key)] for kid, (name, key) in self.approvers.items()),
            sorted([agent, b64url(key)] for agent, key in self.holders.items()),
            self.registered_only,
        ]
        object.__setattr__(self, "version", hashlib.sha256(ascii(plain).encode("ascii")).hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trusted) and self.version == other.version

    def __hash__(self) -> int:
        return hash(self.version)


@dataclass(frozen=True, slots=True)
class _Verified:
    links: tuple[Link, ...]
    approver: tuple[str, bytes] | None = None


def verify_chain(
    tokens: Sequence[str | bytes], *, trusted: Trusted, audience: str | None, tenant: str | None
) -> tuple[Link, ...]:
    """Verify a chain, root first.

    Args:
        tokens: whatever was presented: a standing link, then perhaps a session link and up to eight hand-offs.
        trusted: whom to trust.
        audience: the store that asks; the last link's `aud` must name it. None for a replay, which asks for no store.
        tenant: the tenant that asks, None for a replay.

    Raises:
        PassportError: `chain_len`, `too_large`, `root_key_retired`, `par_hash_mismatch`, a code of `decode`,
            `decode_derived`, `claims_to_link`, `widening` or `read_approval`, `key_reuse_cycle`, `jti_reused`,
            `holder_not_registered`, `bad_reauthorization`, `approver_in_chain`, `wrong_tenant` or `wrong_audience`.
    """
    texts = _texts(tokens)
    found = _root(texts[0], trusted)
    for count in range(2, len(texts) + 1):
        found = _derived(found, texts[:count], trusted)
    return _for_asker(found.links, audience, tenant)


class ChainCache:
    """Verified chains by their exact tokens and by whom was trusted. Thread-safe; the least recently used go first.

    What it holds is pure: no clock, no store. Expiry and revocation are checked by the decision, each time.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, tuple[str, ...]], _Verified] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def verify(
        self, tokens: Sequence[str | bytes], *, trusted: Trusted, audience: str | None, tenant: str | None
    ) -> tuple[Link, ...]:
        """As `verify_chain`, verifying only what follows the longest known prefix."""
        texts = _texts(tokens)
        found, length = self._longest(texts, trusted)
        for count in range(length + 1, len(texts) + 1):
            found = _root(texts[0], trusted) if found is None else _derived(found, texts[:count], trusted)
            self._keep(texts[:count], trusted, found)
        return _for_asker(found.links if found is not None else (), audience, tenant)

    def _longest(self, texts: tuple[str, ...], trusted: Trusted) -> tuple[_Verified | None, int]:
        with self._lock:
            for count in range(len(texts), 0, -1):
                key = (trusted.version, texts[:count])
                if key in self._known:
                    self._known.move_to_end(key)
                    return self._known[key], count
        return None, 0

    def _keep(self, texts: tuple[str, ...], trusted: Trusted, found: _Verified) -> None:
        with self._lock:
            self._known[trusted.version, texts] = found
            while len(self._known) > self._limit:
                self._known.popitem(last=False)


def _texts(tokens: Sequence[str | bytes]) -> tuple[str, ...]:
    if not 0 < len(tokens) <= MAX_TOKENS:
        raise PassportError("chain_len", f"a chain has 1 to {MAX_TOKENS} tokens, not {len(tokens)}")
    texts = tuple(map(token_text, tokens))
    if sum(map(len, texts)) > MAX_CHAIN:
        raise PassportError("too_large", f"the chain is larger than {MAX_CHAIN} bytes")
    return texts


def _root(token: str, trusted: Trusted) -> _Verified:
    link = claims_to_link(decode(token, {kid: issuer.public_key for kid, issuer in trusted.issuers.items()}))
    if link.kind is not LinkKind.STANDING:
        raise PassportError("bad_depth", "a chain starts with a standing link", field="/halo/kind")
    if any(issuer.retired and key_id(issuer.public_key) == link.key_id for issuer in trusted.issuers.values()):
        raise _refusal(Violation("root_key_retired", ""))
    return _Verified((link,))


def _derived(known: _Verified, texts: tuple[str, ...], trusted: Trusted) -> _Verified:
    parent = known.links[-1]
    link = claims_to_link(decode_derived(texts[-1], parent.holder_key), parent)
    if link.parent != signing_input_hash(texts[-2]):
        raise _refusal(Violation("par_hash_mismatch", ""))
    found = widening(parent, link) or _repeated(known.links, link) or _unregistered(link, trusted)
    if found is not None:
        raise _refusal(found)
    links = (*known.links, link)
    approver = _approver(parent, link, trusted) if link.reauthorization else known.approver
    # INVARIANT: EPOCH nobody in the chain renews it; asked again of each link that is added below.
    if approver is not None and in_chain(*approver, links):
        raise _refusal(Violation("approver_in_chain", approver[0]))
    return _Verified(links, approver)


def _repeated(above: tuple[Link, ...], link: Link) -> Violation | None:
    if any(link.jti == other.jti for other in above):
        return Violation("jti_reused", "")
    # INVARIANT: each agent and each key stands once in a chain, so that no hand-off comes back as a fresh link.
    if link.kind is LinkKind.HANDOFF and any(
        link.agent == other.agent or link.holder_key == other.holder_key for other in above
    ):
        return Violation("key_reuse_cycle", link.agent)
    return None


def _unregistered(link: Link, trusted: Trusted) -> Violation | None:
    if link.kind is not LinkKind.HANDOFF:
        return None
    known = trusted.holders.get(link.agent)
    foreign = any(key == link.holder_key for agent, key in trusted.holders.items() if agent != link.agent)
    if foreign or known not in (None, link.holder_key) or (known is None and trusted.registered_only):
        return Violation("holder_not_registered", link.agent)
    return None


def _approver(standing: Link, session: Link, trusted: Trusted) -> tuple[str, bytes]:
    try:
        approval = read_approval(session.reauthorization, trusted.approvers)
    except PassportError as exc:
        raise PassportError(
            "bad_reauthorization", f"{exc.message} [{exc.code}]", field="/halo/rea", remedy=exc.remedy
        ) from exc
    found = reauthorization_violation(standing, session, approval)
    if found is not None:
        raise _refusal(found)
    keys = (key for _, key in trusted.approvers.values() if key_id(key) == approval.key_id)
    return approval.approver, next(keys)


def _for_asker(links: tuple[Link, ...], audience: str | None, tenant: str | None) -> tuple[Link, ...]:
    leaf = links[-1]
    if tenant is not None and leaf.tenant != tenant:
        raise _refusal(Violation("wrong_tenant", ""))
    if audience is not None and audience not in leaf.audience:
        raise _refusal(Violation("wrong_audience", ""))
    return links


def _refusal(found: Violation) -> PassportError:
    words = text(found.code)
    title = f"{words.title}: `{found.detail[:64]}`" if found.detail else words.title
    return PassportError(found.code, title, remedy=words.remedy)
