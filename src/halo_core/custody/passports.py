"""Room: passports as the store keeps them. Takes: a transaction, hashes. Gives: verified links. Never: decides, mints.

Tokens and verified chains are remembered; whom the home trusts is asked at each decision, time and revocation by the
PDP.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from halo_core.authorities import Authorities, Known
from halo_core.binding import session_name
from halo_core.errors import CannotDecide, PassportError
from halo_core.model import EntryKind, Link
from halo_core.passport import ApprovalToken, ChainCache, Issuer, Trusted, read_approval, token_hash, verify_chain
from halo_core.store import Account, Draft, SessionState, Tx, rows

__all__ = ["KEPT", "Passports"]

KEPT = 512
"""Chains, tokens and sessions remembered."""


@dataclass(frozen=True, slots=True)
class _Trust:
    """Whom a version of `authorities.json` trusts, from one change in time to the next."""

    version: Any
    since_us: int
    until_us: int
    value: Trusted


def _trust(known: Known, now_us: int) -> _Trust:
    changes = [time for item in known.issuers.values() for time in (item.since_us, item.until_us)]
    changes += [time for item in known.approvers.values() for time in (item.since_us, item.until_us)]
    ends = [time for time in changes if time is not None]
    return _Trust(
        version=known.version,
        since_us=max((end for end in ends if end <= now_us), default=-(2**62)),
        until_us=min((end for end in ends if end > now_us), default=2**62),
        value=Trusted(
            issuers={
                kid: Issuer(item.public_key, item.until_us is not None and now_us >= item.until_us)
                for kid, item in known.issuers.items()
                if item.since_us <= now_us
            },
            approvers=known.approver_keys(now_us),
        ),
    )


def _ever(known: Known) -> Trusted:
    """Whom the home trusts or has trusted: to read what a link said, never to act on it."""
    return Trusted(
        issuers={kid: Issuer(item.public_key) for kid, item in known.issuers.items()},
        approvers={kid: (item.name, item.public_key) for kid, item in known.approvers.items()},
    )


class Passports:
    """Passports of a home's stores. Thread-safe as the store is: it works under the transaction's lock.

    Args:
        authorities: issuers and approvers that are trusted.
    """

    def __init__(self, authorities: Authorities) -> None:
        self._authorities = authorities
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._chains: OrderedDict[tuple[Any, ...], tuple[Link, ...]] = OrderedDict()
        self._cache = ChainCache()
        self._trust: _Trust | None = None

    def trusted(self, tenant: str, now_us: int) -> Trusted:
        """Whom this home trusts at `now_us`."""
        return self._trusted(tenant, now_us).value

    def _trusted(self, tenant: str, now_us: int) -> _Trust:
        known = self._authorities.load(tenant)
        trust = self._trust
        if trust is None or trust.version != known.version or not trust.since_us <= now_us < trust.until_us:
            trust = self._trust = _trust(known, now_us)
        return trust

    def answer(self, tx: Tx, row: rows.ApprovalRow, store: str, now_us: int) -> ApprovalToken | None:
        """The approver's verified answer to a request; None if there is none that holds."""
        if not row.answer:
            return None
        try:
            token = read_approval(row.answer, self.trusted(tx.tenant, now_us).approvers)
        except PassportError:
            return None
        told = (token.request, token.session, token.binding, token.kind, token.tenant)
        asked = (row.id, session_name(row.session), row.binding, row.kind, tx.tenant)
        return token if told == asked and store in token.audience else None

    def standing(self, tx: Tx, root: str, store: str, now_us: int) -> Link:
        """The standing link of this hash, verified.

        Raises:
            PassportError: it does not verify, or the store does not hold it.
        """
        return self.verified(tx, (root,), store, now_us)[0]

    def peek(self, tx: Tx, root: str) -> Link | None:
        """What a standing link says, whoever was trusted when and whatever store it is for; None if it cannot be read.

        Never to act on: it tells whether what is revoked is this.
        """
        try:
            trusted = _ever(self._authorities.load(tx.tenant))
            return verify_chain([self.token(tx, root)], trusted=trusted, audience=None, tenant=tx.tenant)[0]
        except PassportError:
            return None

    def chain(
        self, tx: Tx, path: Sequence[Account], store: str, now_us: int, *, past: bool = False
    ) -> tuple[Link, ...]:
        """The verified links of a path of accounts, standing link first.

        Raises:
            PassportError: it does not verify, or is not the one in force.
        """
        hashes = (path[0].root, *(account.hash for account in path))
        chain = self.verified(tx, hashes, store, now_us, past=past)
        for account, link in zip(path, chain[1:], strict=True):
            # INVARIANT: EPOCH - a link of another epoch, agent or session than the account's serves nothing.
            if link.epoch != account.envelope.epoch or link.agent != account.agent:
                raise PassportError("stale_epoch", "the link is not the one in force")
        return chain

    def known(
        self, tx: Tx, account: Account, store: str, now_us: int, state: SessionState | None = None
    ) -> Link | None:
        """What an account's link says, whoever is trusted now; None if it cannot be read."""
        path = state.path(account.handle) if state is not None else (account,)
        try:
            return self.chain(tx, path, store, now_us, past=True)[-1]
        except PassportError:
            return None  # it cannot be read at all: then only the new terms hold

    def before(self, tx: Tx, account: Account, store: str, now_us: int) -> tuple[Link, ...]:
        """The standing link and session link that a session had; empty if they cannot be read."""
        try:
            return self.verified(tx, (account.root, account.hash), store, now_us, past=True)
        except PassportError:
            return ()

    def verified(
        self, tx: Tx, hashes: tuple[str, ...], store: str, now_us: int, *, past: bool = False
    ) -> tuple[Link, ...]:
        """The links of these tokens, root first.

        Args:
            tx: where the tokens are kept.
            hashes: that name them.
            store: the audience that asks.
            now_us: microseconds since the epoch.
            past: under whatever was ever trusted, to read what they say and never to act on it.

        Raises:
            PassportError: they do not verify.
        """
        if past:
            # INVARIANT: MONO - what a link limited it goes on limiting, although nobody trusts its issuer any more.
            tokens = [self.token(tx, name) for name in hashes]
            return verify_chain(
                tokens, trusted=_ever(self._authorities.load(tx.tenant)), audience=store, tenant=tx.tenant
            )
        # Verified once for these very tokens and this trust; time and revocation are asked at every decision.
        trust = self._trusted(tx.tenant, now_us)
        key = (hashes, store, trust.version, trust.since_us)
        known = self._chains.get(key)
        if known is None:
            tokens = [self.token(tx, name) for name in hashes]
            known = self._cache.verify(tokens, trusted=trust.value, audience=store, tenant=tx.tenant)
            _remember(self._chains, key, known)
        return known

    def token(self, tx: Tx, name: str) -> str:
        """A token by its hash.

        Raises:
            PassportError: the store does not hold it.
        """
        known = self._tokens.get(name)
        if known is None:
            data = tx.blob(name)
            if data is None:
                raise PassportError("bad_passport", "the passport is not in the store")
            known = data.decode("ascii", "replace")
            if token_hash(known) != name:
                raise PassportError("bad_passport", "the stored passport is another one")
            _remember(self._tokens, name, known)
        return known

    def keep(self, tx: Tx, token: str, facts: dict[str, Any], state: SessionState) -> None:
        """Keep a token under its hash, and say so in the log."""
        name = token_hash(token)
        if not tx.put_blob(name, token.encode("ascii")):
            raise CannotDecide("ledger_unwritable", "the store holds this passport already", remedy="run `halo verify`")
        tx.append(Draft(EntryKind.PASSPORT, state.view.id, {"hash": name, **facts}))


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    while len(cache) > KEPT:
        cache.popitem(last=False)
