"""Room: custody, which passports a session holds. Takes: a transaction, a session's state. Gives: its live chain.

    standing link      the agent's, named by the store's `standing` row; its holder cannot change it
    session link       minted here at a session's first decision, with the agent's key
    hand-off links     minted here with the key of whoever hands off

When the standing link is replaced, or somebody outside the chain has re-authorized the session, the links below are
derived anew under their handles: counters stay (INVARIANT: EPOCH). Never: decides, verifies less than the whole chain.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from halo_core.authorities import Authorities, Known
from halo_core.authority import recharged
from halo_core.binding import reauthorization_binding, session_name
from halo_core.errors import BadInput, CannotDecide, PassportError
from halo_core.ids import IdSource
from halo_core.keys import KeyStore, Signer, agent_key_name
from halo_core.model import Budget, Decay, EntryKind, Envelope, Grants, Link, same_person
from halo_core.passport import (
    ApprovalToken,
    ChainCache,
    Issuer,
    Trusted,
    labels_meet,
    meet,
    mint_handoff,
    mint_session,
    read_approval,
    tighter_budgets,
    tighter_decay,
    token_hash,
    verify_chain,
)
from halo_core.pdp import revokes
from halo_core.reasons import REASONS
from halo_core.store import Account, Draft, SessionState, Tx, rows

__all__ = ["Custody", "HandOff", "Held", "handback_body", "issuer_facts"]

_KEPT = 512
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """What a session holds for one call: its state, the live chain with its accounts, or why there is none."""

    state: SessionState
    chain: tuple[Link, ...] = ()
    accounts: tuple[Envelope, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HandOff:
    """How much of its own an agent gives to another; None gives what it has.

    Args:
        grants: action kind → resource id → argument → constraint; what the giver lacks is not given.
        labels: data labels.
        budgets: limits; units not named keep the giver's.
        decay: how the authority given falls.
        lifetime_s: seconds.
        to: whom the receiver may hand off to.
    """

    grants: Grants | None = None
    labels: tuple[str, ...] | None = None
    budgets: tuple[Budget, ...] = ()
    decay: Decay | None = None
    lifetime_s: int | None = None
    to: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse terms that no link can hold, where they are written and not in the middle of a decision.

        Raises:
            BadInput: `bad_handoff`.
        """
        life = 1 if self.lifetime_s is None else self.lifetime_s
        budgets = all(0 <= item.per_action <= item.subtree < 2**53 for item in self.budgets)
        lives = (
            ()
            if self.decay is None
            else (self.decay.half_life_s, self.decay.half_life_steps, self.decay.half_life_risk)
        )
        if life < 1 or not budgets or any(not 1 <= item < 2**53 for item in lives):
            raise BadInput("bad_handoff", "no link can hold these terms", field="give", remedy="see `HandOff`")


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


class Custody:
    """Passports of one agent's sessions. Thread-safe as the store is: it works under the transaction's lock.

    Args:
        keys: where agents' keys are.
        authorities: issuers and approvers that are trusted.
        agent: whose sessions.
        ids: source of token ids.
    """

    def __init__(self, keys: KeyStore, authorities: Authorities, agent: str, ids: IdSource) -> None:
        self._keys = keys
        self._authorities = authorities
        self._agent = agent
        self._ids = ids
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._chains: OrderedDict[tuple[Any, ...], tuple[Link, ...]] = OrderedDict()
        self._cache = ChainCache()
        self._trust: _Trust | None = None

    # what a decision asks

    def hold(
        self, tx: Tx, state: SessionState, handle: str, store: str, now_us: int, *, asking: Sequence[str] = ()
    ) -> Held:
        """The live chain under `handle` (empty: the agent's own session link), brought up to date.

        Total for whatever a passport can be: a refusal is told by its reason code (INVARIANT: FAILCLOSED).
        """
        try:
            current = self._up_to_date(tx, state, store, now_us, asking)
            own = current.session_account(self._agent)
            path = current.path(handle or (own.handle if own is not None else ""))
            if not path:
                return Held(current, problem="handed_back")
            chain = self._chain(tx, path, store, now_us)
        except PassportError as exc:
            return Held(state, problem=exc.code if exc.code in REASONS else "bad_passport")
        return Held(current, chain, tuple(account.envelope for account in path))

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
        return self._verified(tx, (root,), store, now_us)[0]

    # hand-off and hand-back

    def hand_off(
        self, tx: Tx, state: SessionState, handle: str, agent: str, *, terms: HandOff, store: str, now_us: int
    ) -> tuple[SessionState, str]:
        """Derive a link for `agent` under `handle`; for an agent that is up the chain, hand back to it instead.

        Raises:
            PassportError: the chain does not allow it.
        """
        path = state.path(handle)
        for account in path:
            if account.agent == agent:
                state, closed = self.hand_back(state, account.handle)
                if closed:
                    tx.append(Draft(EntryKind.HANDBACK, state.view.id, handback_body(closed, account)))
                return state, account.handle
        chain = self._chain(tx, path, store, now_us)
        parent = chain[-1]
        token = mint_handoff(
            parent=parent,
            parent_token=self._token(tx, path[-1].hash),
            signer=self._signer(parent.agent),
            now_s=now_us // _US,
            jti=self._ids.entry(),
            agent=agent,
            holder_public_key=self._signer(agent).public_key,
            lifetime_s=terms.lifetime_s,
            grants=None if terms.grants is None else meet(parent.grants, terms.grants),
            labels=None if terms.labels is None else labels_meet(parent.labels, terms.labels),
            hand_off_to=None if terms.to is None else tuple(sorted(set(terms.to) & set(parent.hand_off_to))),
            budgets=tighter_budgets(parent.budgets, terms.budgets) if terms.budgets else None,
            decay=None if terms.decay is None or parent.decay is None else tighter_decay(parent.decay, terms.decay),
        )
        made = self._ids.short()
        self._keep(tx, token, {"agent": agent, "handle": made, "kind": "handoff", "parent": path[-1].hash}, state)
        envelope = Envelope(link=made, epoch=parent.epoch, since_us=now_us)
        account = Account(made, token_hash(token), path[0].root, path[-1].handle, agent, envelope)
        return state.opened(account), made

    @staticmethod
    def hand_back(state: SessionState, handle: str) -> tuple[SessionState, tuple[Account, ...]]:
        """The state with everything below `handle` closed, and what was closed.

        What was spent there stays with those above; risk and taint are the session's (INVARIANT: MONO).
        """
        closed = state.below(handle)
        for account in closed:
            state = state.closed(account.handle)
        return state, closed

    # putting a chain together

    def _up_to_date(self, tx: Tx, state: SessionState, store: str, now_us: int, asking: Sequence[str]) -> SessionState:
        row = rows.Standings(tx).get(self._agent)
        if row is None:
            raise PassportError("no_passport", f"`{self._agent}` has no passport")
        account = state.session_account(self._agent)
        if account is None:
            return self._open(tx, state, row.hash, store, now_us)
        if account.root != row.hash:
            state = self._derive(tx, state, account, row.hash, store=store, now_us=now_us)
        if state.pending:
            state = self._reauthorized(tx, state, store, now_us, asking)
        return state

    def _open(self, tx: Tx, state: SessionState, root: str, store: str, now_us: int) -> SessionState:
        parent = self.standing(tx, root, store, now_us)
        handle = self._ids.short()
        token = self._mint_session(tx, root, parent, state, now_us)
        self._keep(tx, token, {"agent": self._agent, "handle": handle, "kind": "session", "parent": root}, state)
        envelope = Envelope(link=handle, epoch=1, since_us=max(now_us, state.view.opened_us))
        return state.opened(Account(handle, token_hash(token), root, "", self._agent, envelope))

    def _reauthorized(
        self, tx: Tx, state: SessionState, store: str, now_us: int, asking: Sequence[str]
    ) -> SessionState:
        account = state.session_account(self._agent)
        if account is None:
            return state
        epoch = account.envelope.epoch + 1
        binding = reauthorization_binding(tx.tenant, state.view.id, self._agent, epoch)
        row = rows.Approvals(tx).open_for(state.view.id, binding)
        token = self.answer(tx, row, store, now_us) if row is not None and row.status == "approved" else None
        if row is None or token is None or token.answer != "approve" or now_us >= token.expires_at_s * _US:
            return state
        rows.Approvals(tx).set_status(row.id, "used")
        if any(same_person(token.approver, name) for name in asking if name):
            # INVARIANT: EPOCH - nor does whoever the session acts for, whom no link names.
            raise PassportError("approver_in_chain", f"`{token.approver}` is who asks")
        return self._derive(tx, state, account, account.root, store=store, now_us=now_us, answer=token)

    def _derive(
        self,
        tx: Tx,
        state: SessionState,
        account: Account,
        root: str,
        *,
        store: str,
        now_us: int,
        answer: ApprovalToken | None = None,
    ) -> SessionState:
        """The agent's links anew: under another standing link, or after a re-authorization in the next epoch."""
        parent = self.standing(tx, root, store, now_us)
        old = self._known(tx, account, store, now_us)
        if any(_revoked(tx, state, link) for link in self._before(tx, account, store, now_us)):
            # INVARIANT: REV - what was revoked is not replaced by its own holder.
            raise PassportError("revoked", "the session's passport was revoked")
        envelope = account.envelope
        if answer is not None:
            envelope = recharged(envelope, epoch=answer.epoch, since_us=now_us)
        token = self._mint_session(tx, root, parent, state, now_us, old=old, answer=answer)
        facts = {
            "agent": self._agent,
            "epoch": envelope.epoch,
            "handle": account.handle,
            "kind": "session",
            "parent": root,
        }
        self._keep(tx, token, facts, state)
        children = [(child, self._known(tx, child, store, now_us, state)) for child in state.below(account.handle)]
        state = state.with_account(replace(account, hash=token_hash(token), root=root, envelope=envelope))
        for child, link in children:
            state = self._derive_child(tx, state, child, link, store=store, now_us=now_us)
        return state

    def _derive_child(
        self, tx: Tx, state: SessionState, child: Account, link: Link | None, *, store: str, now_us: int
    ) -> SessionState:
        path = state.path(child.parent)
        now_s = now_us // _US
        if not path or link is None or link.decay is None or link.expires_at_s <= now_s or _revoked(tx, state, link):
            return state.closed(child.handle)
        parent = self._chain(tx, path, store, now_us)[-1]
        try:
            token = mint_handoff(
                parent=parent,
                parent_token=self._token(tx, path[-1].hash),
                signer=self._signer(parent.agent),
                now_s=now_s,
                jti=self._ids.entry(),
                agent=child.agent,
                holder_public_key=link.holder_key,
                lifetime_s=min(link.expires_at_s, parent.expires_at_s) - now_s,
                grants=meet(parent.grants, link.grants),
                labels=labels_meet(parent.labels, link.labels),
                hand_off_to=tuple(sorted(set(link.hand_off_to) & set(parent.hand_off_to))),
                budgets=tighter_budgets(parent.budgets, link.budgets),
                decay=tighter_decay(parent.decay, link.decay) if parent.decay is not None else None,
            )
        except PassportError:  # what the new parent no longer has cannot be given on
            return state.closed(child.handle)
        facts = {"agent": child.agent, "handle": child.handle, "kind": "handoff", "parent": path[-1].hash}
        self._keep(tx, token, facts, state)
        envelope = child.envelope
        if parent.epoch != envelope.epoch:
            envelope = recharged(envelope, epoch=parent.epoch, since_us=now_us)
        return state.with_account(replace(child, hash=token_hash(token), root=path[0].root, envelope=envelope))

    def _mint_session(
        self,
        tx: Tx,
        root: str,
        parent: Link,
        state: SessionState,
        now_us: int,
        *,
        old: Link | None = None,
        answer: ApprovalToken | None = None,
    ) -> str:
        if parent.terms is None:
            raise PassportError("no_passport", "the standing link has no terms for a session")
        budgets, decay, epoch, proof, lifetime_s = None, None, 1, "", parent.terms.lifetime_s
        if answer is not None:  # limits and authority are what the approver gave, under the ceilings
            epoch, proof = answer.epoch, answer.token
        elif old is not None and old.decay is not None:
            # INVARIANT: MONO - under a new standing link an epoch goes on with the tighter of both terms, no longer.
            if old.expires_at_s <= now_us // _US:
                raise PassportError("expired", "the session's passport has expired")
            lifetime_s = min(parent.terms.lifetime_s, old.expires_at_s - now_us // _US)
            epoch, proof = old.epoch, old.reauthorization
            _same_decimals(parent.terms.budgets, old.budgets)
            budgets = tighter_budgets(parent.terms.budgets, old.budgets)
            decay = tighter_decay(parent.terms.decay, old.decay)
        return mint_session(
            parent=parent,
            parent_token=self._token(tx, root),
            signer=self._signer(self._agent),
            now_s=max(now_us // _US, parent.not_before_s),
            jti=self._ids.entry(),
            session=session_name(state.view.id),
            lifetime_s=lifetime_s,
            budgets=budgets,
            decay=decay,
            epoch=epoch,
            reauthorization=proof,
        )

    # tokens and links

    def _signer(self, agent: str) -> Signer:
        return self._keys.signer(agent_key_name(agent))

    def _chain(
        self, tx: Tx, path: Sequence[Account], store: str, now_us: int, *, past: bool = False
    ) -> tuple[Link, ...]:
        hashes = (path[0].root, *(account.hash for account in path))
        chain = self._verified(tx, hashes, store, now_us, past=past)
        for account, link in zip(path, chain[1:], strict=True):
            # INVARIANT: EPOCH - a link of another epoch, agent or session than the account's serves nothing.
            if link.epoch != account.envelope.epoch or link.agent != account.agent:
                raise PassportError("stale_epoch", "the link is not the one in force")
        return chain

    def _known(
        self, tx: Tx, account: Account, store: str, now_us: int, state: SessionState | None = None
    ) -> Link | None:
        path = state.path(account.handle) if state is not None else (account,)
        try:
            return self._chain(tx, path, store, now_us, past=True)[-1]
        except PassportError:
            return None  # it cannot be read at all: then only the new terms hold

    def _before(self, tx: Tx, account: Account, store: str, now_us: int) -> tuple[Link, ...]:
        try:
            return self._verified(tx, (account.root, account.hash), store, now_us, past=True)
        except PassportError:
            return ()

    def _verified(
        self, tx: Tx, hashes: tuple[str, ...], store: str, now_us: int, *, past: bool = False
    ) -> tuple[Link, ...]:
        if past:
            # INVARIANT: MONO - what a link limited it goes on limiting, although nobody trusts its issuer any more.
            tokens = [self._token(tx, name) for name in hashes]
            return verify_chain(
                tokens, trusted=_ever(self._authorities.load(tx.tenant)), audience=store, tenant=tx.tenant
            )
        # Verified once for these very tokens and this trust; time and revocation are asked at every decision.
        trust = self._trusted(tx.tenant, now_us)
        key = (hashes, store, trust.version, trust.since_us)
        known = self._chains.get(key)
        if known is None:
            tokens = [self._token(tx, name) for name in hashes]
            known = self._cache.verify(tokens, trusted=trust.value, audience=store, tenant=tx.tenant)
            _remember(self._chains, key, known)
        return known

    def _token(self, tx: Tx, name: str) -> str:
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

    def _keep(self, tx: Tx, token: str, facts: dict[str, Any], state: SessionState) -> None:
        name = token_hash(token)
        if not tx.put_blob(name, token.encode("ascii")):
            raise CannotDecide("ledger_unwritable", "the store holds this passport already", remedy="run `halo verify`")
        tx.append(Draft(EntryKind.PASSPORT, state.view.id, {"hash": name, **facts}))


def _revoked(tx: Tx, state: SessionState, link: Link) -> bool:
    return any(revokes(item, (link,), state.view.id) for item in tx.control().revocations)


def _same_decimals(new: Sequence[Budget], old: Sequence[Budget]) -> None:
    """INVARIANT: ENV - counters are in the decimals they were counted in; in others they would be less."""
    known = {item.unit: item.decimals for item in old}
    changed = sorted(item.unit for item in new if known.get(item.unit, item.decimals) != item.decimals)
    if changed:
        raise PassportError("budget_units_changed", f"`{changed[0]}` has other decimals now", field=changed[0])


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    while len(cache) > _KEPT:
        cache.popitem(last=False)


def handback_body(closed: Sequence[Account], to: Account) -> dict[str, Any]:
    """What an entry says of links that were handed back."""
    return {
        "closed": [
            {
                "agent": item.agent,
                "handle": item.handle,
                "hash": item.hash,
                "spent": [list(s) for s in item.envelope.spent],
            }
            for item in closed
        ],
        "to": {"agent": to.agent, "handle": to.handle},
    }


def issuer_facts(signer: Signer) -> dict[str, str]:
    """How an entry names the key that issued a passport, so that it can be verified when the key is gone."""
    return {"key": base64.b64encode(signer.public_key).decode("ascii"), "kid": signer.key_id}
