"""Room: custody, which passports a session holds. Takes: a transaction, a session's state. Gives: its live chain.

    standing link      the agent's, named by the store's `standing` row; its holder cannot change it
    session link       minted here at a session's first decision, with the agent's key
    hand-off links     minted here with the key of whoever hands off

When the standing link is replaced, or somebody outside the chain has re-authorized the session, the links below are
derived anew under their handles: counters stay (INVARIANT: EPOCH). Never: decides, verifies less than the whole chain.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from halo_core.authorities import Authorities
from halo_core.authority import recharged
from halo_core.binding import reauthorization_binding, session_name
from halo_core.custody.passports import KEPT, Passports
from halo_core.custody.terms import HandOff, Share, handback_body, share
from halo_core.errors import PassportError
from halo_core.ids import IdSource
from halo_core.keys import KeyStore, Signer, agent_key_name
from halo_core.model import Budget, EntryKind, Envelope, Link, same_person
from halo_core.passport import (
    ApprovalToken,
    check_time,
    labels_meet,
    meet,
    mint_handoff,
    mint_session,
    tighter_budgets,
    tighter_decay,
    token_hash,
)
from halo_core.pdp import revokes
from halo_core.reasons import REASONS
from halo_core.store import Account, Draft, SessionState, Tx, rows

__all__ = ["Custody", "Held"]

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """What a session holds for one call: its state, the live chain with its accounts, or why there is none."""

    state: SessionState
    chain: tuple[Link, ...] = ()
    accounts: tuple[Envelope, ...] = ()
    problem: str = ""


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
        self.passports = Passports(authorities)
        self._agent = agent
        self._ids = ids
        self._moments: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._fits: Callable[[Link], bool] | None = None
        self._fitting = ""

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
            chain = self.passports.chain(tx, path, store, now_us)
        except PassportError as exc:
            return Held(state, problem=exc.code if exc.code in REASONS else "bad_passport")
        return Held(current, chain, tuple(account.envelope for account in path))

    def time(self, session: str, now_us: int, mono_us: int, high_us: int) -> int:
        """A session's time: the wall clock, or what went by on the monotonic one while that stands behind.

        INVARIANT: MONO - a clock that was put right does not stop the ageing of what lived through the wrong one.
        """
        known = self._moments.get(session)
        if now_us >= high_us:
            at_us = now_us
        else:
            at_us = high_us if known is None else max(known[1] + max(mono_us - known[0], 0), high_us)
        self._moments[session] = (mono_us, at_us)
        self._moments.move_to_end(session)
        while len(self._moments) > KEPT:
            self._moments.popitem(last=False)
        return at_us

    def expect(self, fits: Callable[[Link], bool]) -> None:
        """Hold under a derived passport only if it `fits` what this handle was opened with."""
        self._fits = fits

    # hand-off and hand-back

    def receiving(self, tx: Tx, held: Held, agent: str, store: str, now_us: int) -> str:
        """Why nothing can be handed to `agent`, as a reason code; empty where something can.

        An agent that was issued a passport of its own acts only while that is good, whoever asks it to.
        """
        if any(link.agent == agent for link in held.chain[:-1]):
            return ""  # handed back to, which makes no link
        try:
            own = self._own(tx, agent, store, now_us)
        except PassportError as exc:
            return exc.code if exc.code in REASONS else "bad_passport"
        if own is None:
            return ""
        if _revoked(tx, held.state, own):
            return "revoked"
        return check_time(own, now_us // _US) or ""

    def hand_off(
        self,
        tx: Tx,
        state: SessionState,
        handle: str,
        agent: str,
        *,
        terms: HandOff,
        store: str,
        now_us: int,
        claim: Callable[[str], object] | None = None,
    ) -> tuple[SessionState, str]:
        """Derive a link for `agent` under `handle`; for an agent that is up the chain, hand back to it instead.

        A link that the agent has from this giver on these very terms serves again, unless one is claimed for the call
        alone: `claim` is told the handle of the link made.

        Raises:
            PassportError: the chain does not allow it.
        """
        path = state.path(handle)
        for account in path:
            if account.agent == agent:
                state, closed = self.hand_back(state, account.handle, idle=account is not path[-1])
                if closed:
                    tx.append(Draft(EntryKind.HANDBACK, state.view.id, handback_body(closed, account)))
                return state, account.handle
        chain = self.passports.chain(tx, path, store, now_us)
        parent = chain[-1]
        given = share(parent, terms, self._own(tx, agent, store, now_us))
        if claim is None and terms.lifetime_s is None:
            known = self._given_before(tx, state, path[-1].handle, agent, given, store=store, now_us=now_us)
            if known:
                return state, known
        token = mint_handoff(
            parent=parent,
            parent_token=self.passports.token(tx, path[-1].hash),
            signer=self._signer(parent.agent),
            now_s=now_us // _US,
            jti=self._ids.entry(),
            agent=agent,
            holder_public_key=self._signer(agent).public_key,
            owner=self._owner(tx, agent, store, now_us),
            lifetime_s=terms.lifetime_s,
            grants=given.grants,
            labels=given.labels,
            hand_off_to=given.to,
            budgets=given.budgets,
            decay=given.decay,
        )
        made = self._ids.short()
        if claim is not None:
            claim(made)
        self.passports.keep(
            tx, token, {"agent": agent, "handle": made, "kind": "handoff", "parent": path[-1].hash}, state
        )
        envelope = Envelope(link=made, epoch=parent.epoch, since_us=now_us)
        account = Account(made, token_hash(token), path[0].root, path[-1].handle, agent, envelope)
        return state.opened(account), made

    def _given_before(
        self, tx: Tx, state: SessionState, giver: str, agent: str, given: Share, *, store: str, now_us: int
    ) -> str:
        """The newest live link that says just this and lasts as long as its giver's; empty if there is none."""
        for account in reversed(state.links):
            if (account.parent, account.agent) != (giver, agent):
                continue
            try:
                above, link = self.passports.chain(tx, state.path(account.handle), store, now_us)[-2:]
            except PassportError:
                continue
            lasts = now_us // _US < link.expires_at_s == above.expires_at_s
            if lasts and given == Share.of(link) and not _revoked(tx, state, link):
                return account.handle
        return ""

    @staticmethod
    def hand_back(state: SessionState, handle: str, *, idle: bool = True) -> tuple[SessionState, tuple[Account, ...]]:
        """The state with everything below `handle` closed, and what was closed.

        What was spent there stays with those above; risk and taint are the session's (INVARIANT: MONO). Without
        `idle`, what was given by `handle` and never acted under stays live: its holder has yet to begin, and must not
        do so without what it was given (INVARIANT: SUB).
        """
        below = state.below(handle)
        kept = {item.handle for item in below if item.parent == handle and not (idle or item.envelope.total("step"))}
        closed = tuple(item for item in below if item.handle not in kept)
        for account in closed:
            state = state.closed(account.handle)
        return state, closed

    # putting a chain together

    def _up_to_date(self, tx: Tx, state: SessionState, store: str, now_us: int, asking: Sequence[str]) -> SessionState:
        row = rows.Standings(tx).get(self._agent)
        if row is None:
            raise PassportError("no_passport", f"`{self._agent}` has no passport")
        self._require_fitting(tx, row, store, now_us)
        account = state.session_account(self._agent)
        if account is None:
            return self._open(tx, state, row.hash, store, now_us)
        if account.root != row.hash:
            state = self._derive(tx, state, account, row.hash, store=store, now_us=now_us)
        if state.pending:
            state = self._reauthorized(tx, state, store, now_us, asking)
        return state

    def _require_fitting(self, tx: Tx, row: rows.StandingRow, store: str, now_us: int) -> None:
        # An issued passport speaks for itself; a derived one must not be widened by another handle of the agent.
        if self._fits is None or row.origin != "derived" or row.hash == self._fitting:
            return
        if not self._fits(self.passports.standing(tx, row.hash, store, now_us)):
            raise PassportError("other_grants", f"`{self._agent}` was opened with other grants or limits since")
        self._fitting = row.hash

    def _open(self, tx: Tx, state: SessionState, root: str, store: str, now_us: int) -> SessionState:
        parent = self.passports.standing(tx, root, store, now_us)
        handle = self._ids.short()
        token = self._mint_session(tx, root, parent, state, now_us)
        self.passports.keep(
            tx, token, {"agent": self._agent, "handle": handle, "kind": "session", "parent": root}, state
        )
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
        token = self.passports.answer(tx, row, store, now_us) if row is not None and row.status == "approved" else None
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
        parent = self.passports.standing(tx, root, store, now_us)
        old = self.passports.known(tx, account, store, now_us)
        if any(_revoked(tx, state, link) for link in self.passports.before(tx, account, store, now_us)):
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
        self.passports.keep(tx, token, facts, state)
        children = [(child, self._as_given(tx, child, state, store, now_us)) for child in state.below(account.handle)]
        state = state.with_account(replace(account, hash=token_hash(token), root=root, envelope=envelope))
        for child, (link, whole) in children:
            state = self._derive_child(tx, state, child, link, whole=whole, store=store, now_us=now_us)
        return state

    def _as_given(
        self, tx: Tx, child: Account, state: SessionState, store: str, now_us: int
    ) -> tuple[Link | None, bool]:
        """What a link below said, and whether its giver gave whatever it has: what it is given later too."""
        try:
            above, link = self.passports.chain(tx, state.path(child.handle), store, now_us, past=True)[-2:]
        except PassportError:
            return None, False
        return link, link.grants is above.grants

    def _derive_child(
        self, tx: Tx, state: SessionState, child: Account, link: Link | None, *, whole: bool, store: str, now_us: int
    ) -> SessionState:
        path = state.path(child.parent)
        now_s = now_us // _US
        if not path or link is None or link.decay is None or link.expires_at_s <= now_s or _revoked(tx, state, link):
            return state.closed(child.handle)
        parent = self.passports.chain(tx, path, store, now_us)[-1]
        try:
            token = mint_handoff(
                parent=parent,
                parent_token=self.passports.token(tx, path[-1].hash),
                signer=self._signer(parent.agent),
                now_s=now_s,
                jti=self._ids.entry(),
                agent=child.agent,
                holder_public_key=link.holder_key,
                owner=link.owner,
                lifetime_s=min(link.expires_at_s, parent.expires_at_s) - now_s,
                grants=None if whole else meet(parent.grants, link.grants),
                labels=labels_meet(parent.labels, link.labels),
                hand_off_to=tuple(sorted(set(link.hand_off_to) & set(parent.hand_off_to))),
                budgets=tighter_budgets(parent.budgets, link.budgets),
                decay=tighter_decay(parent.decay, link.decay) if parent.decay is not None else None,
            )
        except PassportError:  # what the new parent no longer has cannot be given on
            return state.closed(child.handle)
        facts = {"agent": child.agent, "handle": child.handle, "kind": "handoff", "parent": path[-1].hash}
        self.passports.keep(tx, token, facts, state)
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
            parent_token=self.passports.token(tx, root),
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

    def _own(self, tx: Tx, agent: str, store: str, now_us: int) -> Link | None:
        """The standing link that an issuer gave to an agent, None where nobody did."""
        row = rows.Standings(tx).get(agent)
        if row is None or row.origin == "derived" or agent == self._agent:
            return None
        return self.passports.standing(tx, row.hash, store, now_us)

    def _owner(self, tx: Tx, agent: str, store: str, now_us: int) -> str:
        """Who answers for an agent by its own passport, and so for nothing it asks."""
        row = rows.Standings(tx).get(agent)
        return self.passports.standing(tx, row.hash, store, now_us).owner if row is not None else ""

    def _signer(self, agent: str) -> Signer:
        return self._keys.signer(agent_key_name(agent))


def _revoked(tx: Tx, state: SessionState, link: Link) -> bool:
    return any(revokes(item, (link,), state.view.id) for item in tx.control().revocations)


def _same_decimals(new: Sequence[Budget], old: Sequence[Budget]) -> None:
    """INVARIANT: ENV - counters are in the decimals they were counted in; in others they would be less."""
    known = {item.unit: item.decimals for item in old}
    changed = sorted(item.unit for item in new if known.get(item.unit, item.decimals) != item.decimals)
    if changed:
        raise PassportError("budget_units_changed", f"`{changed[0]}` has other decimals now", field=changed[0])
