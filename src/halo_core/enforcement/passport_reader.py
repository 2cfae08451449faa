"""Reads and verifies the passports in the store.

Tokens and verified chains are cached. The keys that the home trusts are read for each decision; `decide` checks time
and revocation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from halo_core.authorities import Authorities, TrustedKeys
from halo_core.decision.bindings import make_session_claim
from halo_core.errors import PassportError
from halo_core.ledger.control_history import ControlHistory
from halo_core.model import EntryKind, Link
from halo_core.passports import (
    ApprovalToken,
    ChainCache,
    Issuer,
    TrustAnchors,
    read_approval,
    token_hash,
    verify_chain,
)
from halo_core.quick_dataclass import dataclass
from halo_core.references import References
from halo_core.store.drafts import Draft
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.session_state import Account, SessionState
from halo_core.store.transaction import Transaction

MAX_REMEMBERED = 512
"""Chains, tokens and sessions remembered."""


@dataclass(frozen=True, slots=True)
class TrustPeriod:
    """The keys that one version of `authorities.json` trusts during a period; of approvers, those enrolled."""

    version: Any
    since_us: int
    until_us: int
    trusted: TrustAnchors


def _make_trust_period(
    keys: TrustedKeys, enrolled: frozenset[tuple[str, str]], references: References, now_us: int
) -> TrustPeriod:
    changes = [time for item in keys.issuers.values() for time in (item.since_us, item.until_us)]
    changes += [time for item in keys.approvers.values() for time in (item.since_us, item.until_us)]
    ends = [time for time in changes if time is not None]
    return TrustPeriod(
        version=(keys.version, enrolled),
        since_us=max((end for end in ends if end <= now_us), default=-(2**62)),
        until_us=min((end for end in ends if end > now_us), default=2**62),
        trusted=TrustAnchors(
            issuers={
                kid: Issuer(item.public_key, item.until_us is not None and now_us >= item.until_us)
                for kid, item in keys.issuers.items()
                if item.since_us <= now_us
            },
            # INVARIANT: BIND - a key in the file that no signed entry of this log has enrolled answers nothing, nor one
            # under another name than it was enrolled with.
            approvers={
                kid: (name, key)
                for kid, (name, key) in keys.approver_keys(now_us).items()
                if (kid, references.of_person(name)) in enrolled
            },
        ),
    )


def _ever_trusted(keys: TrustedKeys) -> TrustAnchors:
    """All keys that the home trusts or once trusted: for reading what a link said, never for acting on it."""
    return TrustAnchors(
        issuers={kid: Issuer(item.public_key) for kid, item in keys.issuers.items()},
        approvers={kid: (item.name, item.public_key) for kid, item in keys.approvers.items()},
    )


class PassportReader:
    """Reads and verifies passports in a home's stores. Thread-safe: it works under the transaction's lock.

    Args:
        authorities: issuers and approvers that are trusted.
    """

    def __init__(self, authorities: Authorities) -> None:
        self._authorities = authorities
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._chains: OrderedDict[tuple[Any, ...], tuple[Link, ...]] = OrderedDict()
        self._chain_cache = ChainCache()
        self._trust_period: TrustPeriod | None = None
        self._latest_us = 0
        self._enrolled: tuple[ControlHistory, frozenset[tuple[str, str]]] | None = None

    def load_trusted(self, tx: Transaction, now_us: int) -> TrustAnchors:
        """The keys that this home trusts at `now_us`; of approvers, those enrolled by signed entries."""
        return self.load_trust_period(tx, now_us).trusted

    def load_trust_period(self, tx: Transaction, now_us: int) -> TrustPeriod:
        """The keys trusted at `now_us`; the same object until `authorities.json` or enrolments change.

        INVARIANT: REV - a key that this process has seen retired stays so, although the clock is set back.
        """
        now_us = self._latest_us = max(self._latest_us, now_us)
        keys, history = self._authorities.load(tx.tenant), tx.load_history()
        if self._enrolled is None or self._enrolled[0] is not history:
            self._enrolled = history, frozenset(history.map_approvers().items())
        version, trust = (keys.version, self._enrolled[1]), self._trust_period
        if trust is None or trust.version != version or not trust.since_us <= now_us < trust.until_us:
            trust = self._trust_period = _make_trust_period(keys, self._enrolled[1], tx.references, now_us)
        return trust

    def read_answer(self, tx: Transaction, row: ApprovalRow, store: str, now_us: int) -> ApprovalToken | None:
        """The approver's verified answer to a request; None if there is no valid one."""
        if not row.answer:
            return None
        try:
            token = read_approval(row.answer, self.load_trusted(tx, now_us).approvers)
        except PassportError:
            return None
        claimed = (token.request, token.session, token.binding, token.kind, token.tenant)
        expected = (row.id, make_session_claim(row.session), row.binding, row.kind, tx.tenant)
        return token if claimed == expected and store in token.audience else None

    def read_standing_link(self, tx: Transaction, root: str, store: str, now_us: int) -> Link:
        """The verified standing link with this hash.

        Raises:
            PassportError: it does not verify, or the store does not hold it.
        """
        return self.verify_links(tx, (root,), store, now_us)[0]

    def peek_standing_link(self, tx: Transaction, root: str) -> Link | None:
        """Read a standing link under any key that was ever trusted, for any store; None if it cannot be read.

        Never to act on: it tells whether what is revoked is this.
        """
        try:
            trusted = _ever_trusted(self._authorities.load(tx.tenant))
            return verify_chain([self.read_token(tx, root)], trusted=trusted, audience=None, tenant=tx.tenant)[0]
        except PassportError:
            return None

    def read_chain(
        self, tx: Transaction, path: Sequence[Account], store: str, now_us: int, *, use_past_trust: bool = False
    ) -> tuple[Link, ...]:
        """The verified links of a path of accounts, standing link first.

        Raises:
            PassportError: it does not verify, or is not the one in force.
        """
        hashes = (path[0].root, *(account.hash for account in path))
        chain = self.verify_links(tx, hashes, store, now_us, use_past_trust=use_past_trust)
        for account, link in zip(path, chain[1:], strict=True):
            # INVARIANT: EPOCH - a link of another epoch, agent or session than the account's serves nothing.
            if link.epoch != account.envelope.epoch or link.agent != account.agent:
                raise PassportError("stale_epoch", "the link is not in force")
        return chain

    def read_past_link(self, tx: Transaction, account: Account, store: str, now_us: int) -> Link | None:
        """Read an account's link under any key that was ever trusted; None if it cannot be read."""
        try:
            return self.read_chain(tx, (account,), store, now_us, use_past_trust=True)[-1]
        except PassportError:
            return None  # it cannot be read at all: then only the new terms hold

    def read_past_chain(self, tx: Transaction, account: Account, store: str, now_us: int) -> tuple[Link, ...]:
        """The standing link and session link of a past session; empty if they cannot be read."""
        try:
            return self.verify_links(tx, (account.root, account.hash), store, now_us, use_past_trust=True)
        except PassportError:
            return ()

    def verify_links(
        self, tx: Transaction, hashes: tuple[str, ...], store: str, now_us: int, *, use_past_trust: bool = False
    ) -> tuple[Link, ...]:
        """The links of these tokens, root first.

        Args:
            tx: transaction over the store with the tokens.
            hashes: that name them.
            store: the audience that asks.
            now_us: microseconds since the epoch.
            use_past_trust: accept every key ever trusted, to read what they say and never to act on it.

        Raises:
            PassportError: they do not verify.
        """
        if use_past_trust:
            # INVARIANT: MONO - what a link limited it goes on limiting, although nobody trusts its issuer any more.
            tokens = [self.read_token(tx, name) for name in hashes]
            return verify_chain(
                tokens, trusted=_ever_trusted(self._authorities.load(tx.tenant)), audience=store, tenant=tx.tenant
            )
        # Verified once for these very tokens and this trust; time and revocation are asked at every decision.
        trust = self.load_trust_period(tx, now_us)
        key = (hashes, store, trust.version, trust.since_us)
        links = self._chains.get(key)
        if links is None:
            tokens = [self.read_token(tx, name) for name in hashes]
            links = self._chain_cache.verify(tokens, trusted=trust.trusted, audience=store, tenant=tx.tenant)
            _remember_bounded(self._chains, key, links)
        return links

    def read_token(self, tx: Transaction, name: str) -> str:
        """A token by its hash.

        Raises:
            PassportError: the store does not hold it.
        """
        token = self._tokens.get(name)
        if token is None:
            data = tx.load_blob(name)
            if data is None:
                raise PassportError("bad_passport", "the passport is not in the store")
            token = data.decode("ascii", "replace")
            if token_hash(token) != name:
                raise PassportError("bad_passport", "the stored passport is a different one")
            _remember_bounded(self._tokens, name, token)
        return token

    def store_token(self, tx: Transaction, token: str, facts: dict[str, Any], state: SessionState) -> None:
        """Store a newly signed token under its hash, with an entry.

        Raises:
            CannotDecide: `ledger_unwritable`, the store has it already, or did not keep it.
        """
        name = token_hash(token)
        tx.put_new_blob(name, token.encode("ascii"))
        _remember_bounded(self._tokens, name, token)
        tx.append(Draft(EntryKind.PASSPORT, state.view.id, {"hash": name, **facts}))


def _remember_bounded(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    while len(cache) > MAX_REMEMBERED:
        cache.popitem(last=False)
