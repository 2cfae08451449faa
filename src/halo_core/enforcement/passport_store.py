"""The passports of a session: reading its live chain, and minting session links and hand-off links.

    standing link      the agent's, named by the store's `standing` row; its holder cannot change it
    session link       minted here at a session's first decision, with the agent's key
    hand-off links     minted here with the key of the agent that hands off

If the standing link is replaced, or somebody outside the chain has re-authorized the session, the links below are
derived again under their handles, and counters stay (INVARIANT: EPOCH). The same happens when a conversation is resumed
that has rested for `RESUMED_AFTER_S`: its link ages from then on, as that of a new session would, while its exposure,
its risk and what it has spent stay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from halo_core.authorities import Authorities
from halo_core.authority import lower_start, renew_account
from halo_core.crypto.keys import IdSource, KeyStore, Signer, make_agent_key_name
from halo_core.decision.bindings import make_reauthorization_binding, make_session_claim
from halo_core.decision.checks import revocation_applies
from halo_core.durations import SECOND_US
from halo_core.enforcement.hand_offs import GivenShare, HandOff, compute_share, make_handback_body
from halo_core.enforcement.passport_reader import MAX_REMEMBERED, PassportReader
from halo_core.errors import PassportError
from halo_core.model import Budget, EntryKind, Envelope, Link, same_person
from halo_core.passports import (
    ApprovalToken,
    check_time,
    intersect_grants,
    intersect_labels,
    mint_handoff,
    mint_session,
    tighter_budgets,
    tighter_decay,
    token_hash,
)
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import REASONS
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.cached_rows import StandingPassport
from halo_core.store.drafts import Draft
from halo_core.store.session_state import Account, SessionState
from halo_core.store.standing_passports import StandingTable
from halo_core.store.transaction import Transaction

RESUMED_AFTER_S: Final = 12 * 3600
"""Seconds without a decision after which a session counts as resumed; one with an open question keeps ageing."""


@dataclass(frozen=True, slots=True)
class ActiveChain:
    """The live chain for one call with its accounts, or why there is none; and the session's state."""

    state: SessionState
    chain: tuple[Link, ...] = ()
    accounts: tuple[Envelope, ...] = ()
    problem: str = ""


class _GivesEverything(NamedTuple):
    """Which rights a giver gave without limits: if the giver gains such rights later, the link has them too."""

    grants: bool = False
    hand_offs: bool = False


class PassportStore:
    """Passports of one agent's sessions. Thread-safe: it works under the transaction's lock.

    Args:
        keys: key folder of the agents.
        authorities: issuers and approvers that are trusted.
        agent: the agent whose sessions these are.
        ids: source of token ids.
    """

    def __init__(self, keys: KeyStore, authorities: Authorities, agent: str, ids: IdSource) -> None:
        self._keys = keys
        self.reader = PassportReader(authorities)
        self._agent = agent
        self._ids = ids
        self._session_times: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._passport_check: Callable[[Link], bool] | None = None
        self._checked_root = ""

    # what a decision asks

    def load_chain(
        self,
        tx: Transaction,
        state: SessionState,
        handle: str,
        store: str,
        now_us: int,
        *,
        began_us: int = 0,
        requesters: Sequence[str] = (),
        find_risk: Callable[[str], int] = lambda _: 0,
    ) -> ActiveChain:
        """The live chain under `handle` (empty: the agent's own session link), brought up to date.

        `find_risk` is asked for what an agent's past sessions leave, 0..1000, where a session begins or is resumed.

        Raises nothing for a bad passport: `problem` holds the reason code (INVARIANT: FAILCLOSED).
        """
        try:
            current = self._bring_up_to_date(
                tx, state, store, now_us, requesters, began_us=began_us, find_risk=find_risk
            )
            session_account = current.session_account(self._agent)
            path = current.path_to(handle or (session_account.handle if session_account is not None else ""))
            if not path:
                return ActiveChain(current, problem="handed_back")
            chain = self.reader.read_chain(tx, path, store, now_us)
        except PassportError as exc:
            return ActiveChain(state, problem=exc.code if exc.code in REASONS else "bad_passport")
        return ActiveChain(current, chain, tuple(account.envelope for account in path))

    def read_basis(self, tx: Transaction, now_us: int) -> tuple[Any, Any]:
        """What live chains depend on besides session accounts: the standing passport and the trusted keys.

        A chain that was loaded stays the one that `load_chain` would load while both are the same.
        """
        row = tx.image.standing.get(self._agent) or StandingTable(tx).get(self._agent)
        return row, self.reader.load_trust_period(tx, now_us)

    def advance_session_time(self, session: str, now_us: int, mono_us: int, high_us: int) -> int:
        """A session's time: the wall clock, or the monotonic clock while the wall clock is behind.

        INVARIANT: MONO - a session goes on ageing when the wall clock is set back.
        """
        last_time = self._session_times.get(session)
        if now_us >= high_us:
            at_us = now_us
        else:
            at_us = high_us if last_time is None else max(last_time[1] + max(mono_us - last_time[0], 0), high_us)
        self._session_times[session] = (mono_us, at_us)
        self._session_times.move_to_end(session)
        while len(self._session_times) > MAX_REMEMBERED:
            self._session_times.popitem(last=False)
        return at_us

    def set_passport_check(self, check: Callable[[Link], bool]) -> None:
        """Accept a derived passport only if `check` finds it within the options of this handle."""
        self._passport_check = check

    # hand-off and hand-back

    def find_receiver_problem(self, tx: Transaction, active: ActiveChain, agent: str, store: str, now_us: int) -> str:
        """Reason code why nothing can be handed to `agent`; empty if something can.

        An agent with an issued passport of its own acts only while that passport is valid.
        """
        if any(link.agent == agent for link in active.chain[:-1]):
            return ""  # handed back to, which makes no link
        try:
            issued = self._read_issued_passport(tx, agent, store, now_us)
        except PassportError as exc:
            return exc.code if exc.code in REASONS else "bad_passport"
        if issued is None:
            return ""
        if _is_revoked(tx, active.state, issued):
            return "revoked"
        return check_time(issued, now_us // SECOND_US) or ""

    def hand_off(
        self,
        tx: Transaction,
        state: SessionState,
        handle: str,
        agent: str,
        *,
        terms: HandOff,
        store: str,
        now_us: int,
        on_link_made: Callable[[str], object] | None = None,
    ) -> tuple[SessionState, str]:
        """Derive a link for an agent; if the agent is in the chain already, hand back to it instead.

        A link that this giver gave the agent on the same terms is used again, unless the call claims one of its own.

        Args:
            tx: the transaction.
            state: the session's.
            handle: of the giver's link.
            agent: that takes over.
            terms: what it is given.
            store: id of the store.
            now_us: time of the session, microseconds since the epoch.
            on_link_made: called with the handle of a new link. If given, the call claims a link of its own.

        Returns:
            The session's new state, and the handle of the agent's link.

        Raises:
            PassportError: the chain does not allow it.
        """
        path = state.path_to(handle)
        for account in path:
            if account.agent == agent:
                return self._hand_back_to(tx, state, account, is_holder=account is path[-1]), account.handle
        chain = self.reader.read_chain(tx, path, store, now_us)
        parent = chain[-1]
        share_given = compute_share(parent, terms, self._read_issued_passport(tx, agent, store, now_us))
        if on_link_made is None and terms.lifetime_s is None:
            existing_handle = self._find_equal_link(
                tx, state, path[-1].handle, agent, share_given, store=store, now_us=now_us
            )
            if existing_handle:
                return state, existing_handle
        token = mint_handoff(
            parent=parent,
            parent_token=self.reader.read_token(tx, path[-1].hash),
            signer=self._load_signer(parent.agent),
            now_s=now_us // SECOND_US,
            jti=self._ids.new_token_id(),
            agent=agent,
            holder_public_key=self._load_signer(agent).public_key,
            owner=self._find_owner(tx, agent, store, now_us),
            lifetime_s=terms.lifetime_s,
            grants=share_given.grants,
            labels=share_given.labels,
            hand_off_to=share_given.to,
            budgets=share_given.budgets,
            decay=share_given.decay,
        )
        new_handle = self._ids.new_short_id()
        if on_link_made is not None:
            on_link_made(new_handle)
        facts = {"agent": agent, "handle": new_handle, "kind": "handoff", "parent": path[-1].hash}
        self.reader.store_token(tx, token, facts, state)
        envelope = Envelope(link=new_handle, epoch=parent.epoch, since_us=now_us)
        account = Account(new_handle, token_hash(token), path[0].root, path[-1].handle, agent, envelope)
        return state.with_link(account), new_handle

    def _hand_back_to(self, tx: Transaction, state: SessionState, account: Account, *, is_holder: bool) -> SessionState:
        """The session's state once the links below an agent of the chain are closed; `is_holder` if it is the last."""
        state, closed = self.hand_back(state, account.handle, include_unused=not is_holder)
        if closed:
            tx.append(Draft(EntryKind.HANDBACK, state.view.id, make_handback_body(closed, account)))
        return state

    def _find_equal_link(
        self,
        tx: Transaction,
        state: SessionState,
        giver: str,
        agent: str,
        share_given: GivenShare,
        *,
        store: str,
        now_us: int,
    ) -> str:
        """Handle of the newest live link with the same terms and its giver's expiry; empty if none."""
        for account in reversed(state.links):
            if (account.parent, account.agent) != (giver, agent):
                continue
            try:
                giver_link, link = self.reader.read_chain(tx, state.path_to(account.handle), store, now_us)[-2:]
            except PassportError:
                continue
            lasts = now_us // SECOND_US < link.expires_at_s == giver_link.expires_at_s
            if lasts and share_given == GivenShare.from_link(link) and not _is_revoked(tx, state, link):
                return account.handle
        return ""

    @staticmethod
    def hand_back(
        state: SessionState, handle: str, *, include_unused: bool = True
    ) -> tuple[SessionState, tuple[Account, ...]]:
        """Close every link below `handle`; returns the new state and the closed links.

        What was spent there stays charged to the links above; risk and taint belong to the session (INVARIANT: MONO).
        Without `include_unused`, links given by `handle` and never used stay live: their holders have yet to begin, and
        need what they were given (INVARIANT: SUB).
        """
        descendants = state.descendants(handle)
        kept_handles = {
            item.handle
            for item in descendants
            if item.parent == handle and not (include_unused or item.envelope.total("step"))
        }
        closed = tuple(item for item in descendants if item.handle not in kept_handles)
        for account in closed:
            state = state.without_link(account.handle)
        return state, closed

    # putting a chain together

    def _bring_up_to_date(
        self,
        tx: Transaction,
        state: SessionState,
        store: str,
        now_us: int,
        requesters: Sequence[str],
        *,
        began_us: int,
        find_risk: Callable[[str], int],
    ) -> SessionState:
        row = StandingTable(tx).get(self._agent)
        if row is None:
            raise PassportError("no_passport", f"`{self._agent}` has no passport")
        self._require_passport_check(tx, row, store, now_us)
        account = state.session_account(self._agent)
        if account is None:
            return self._open_session_link(tx, state, row.hash, store, now_us, risk=find_risk(self._agent))
        # INVARIANT: EPOCH - within one run an expired passport stays expired, however long a step takes.
        has_rested = is_resumed_at(state.view.high_water_us, min(began_us, now_us))
        is_resumed = has_rested and not self._has_open_question(tx, state, now_us)
        if is_resumed or account.root != row.hash:
            risk = find_risk(self._agent) if is_resumed else 0
            state = self._derive_links(
                tx, state, account, row.hash, store=store, now_us=now_us, is_resumed=is_resumed, risk=risk
            )
        if state.pending:
            state = self._apply_reauthorization(tx, state, store, now_us, requesters)
        return state

    @staticmethod
    def _has_open_question(tx: Transaction, state: SessionState, now_us: int) -> bool:
        if not state.pending:
            return False
        return any(now_us < row.expires_us for row in ApprovalTable(tx).list_pending(state.view.id))

    def _require_passport_check(self, tx: Transaction, row: StandingPassport, store: str, now_us: int) -> None:
        # An issued passport speaks for itself; a derived one must not be widened by another handle of the agent.
        if self._passport_check is None or row.origin != "derived" or row.hash == self._checked_root:
            return
        if not self._passport_check(self.reader.read_standing_link(tx, row.hash, store, now_us)):
            raise PassportError("other_grants", f"`{self._agent}` has since been opened with other grants or limits")
        self._checked_root = row.hash

    def _open_session_link(
        self, tx: Transaction, state: SessionState, root: str, store: str, now_us: int, *, risk: int
    ) -> SessionState:
        parent = self.reader.read_standing_link(tx, root, store, now_us)
        handle = self._ids.new_short_id()
        token = self._mint_session(tx, root, parent, state, now_us)
        self.reader.store_token(
            tx, token, {"agent": self._agent, "handle": handle, "kind": "session", "parent": root}, state
        )
        envelope = Envelope(link=handle, epoch=1, since_us=max(now_us, state.view.opened_us))
        if parent.terms is not None:
            envelope = lower_start(envelope, parent.terms.decay, risk)
        return state.with_link(Account(handle, token_hash(token), root, "", self._agent, envelope))

    def _apply_reauthorization(
        self, tx: Transaction, state: SessionState, store: str, now_us: int, requesters: Sequence[str]
    ) -> SessionState:
        account = state.session_account(self._agent)
        if account is None:
            return state
        epoch = account.envelope.epoch + 1
        binding = make_reauthorization_binding(tx.tenant, state.view.id, self._agent, epoch)
        row = ApprovalTable(tx).find_open(state.view.id, (binding,))
        token = (
            self.reader.read_answer(tx, row, store, now_us) if row is not None and row.status == "approved" else None
        )
        if row is None or token is None or token.answer != "approve" or now_us >= token.expires_at_s * SECOND_US:
            return state
        ApprovalTable(tx).set_status(row.id, "used")
        if any(same_person(token.approver, name) for name in requesters if name):
            # INVARIANT: EPOCH - nor does whoever the session acts for, whom no link names.
            raise PassportError("approver_in_chain", f"`{token.approver}` is part of the chain")
        return self._derive_links(tx, state, account, account.root, store=store, now_us=now_us, answer=token)

    def _derive_links(
        self,
        tx: Transaction,
        state: SessionState,
        account: Account,
        root: str,
        *,
        store: str,
        now_us: int,
        answer: ApprovalToken | None = None,
        is_resumed: bool = False,
        risk: int = 0,
    ) -> SessionState:
        """Derive the agent's links again: for another standing link, a renewal in the next epoch, or a resumption.

        Args:
            tx: the transaction.
            state: the session's.
            account: of the session link.
            root: hash of the standing link.
            store: id of the store.
            now_us: time of the session, microseconds since the epoch.
            answer: the yes to a renewal, None for no renewal.
            is_resumed: the session is resumed.
            risk: 0..1000, carried by the agent, for a session that is resumed.

        Returns:
            The session's new state.

        Raises:
            PassportError: a link of the chain was revoked, or the chain does not allow it.
        """
        parent = self.reader.read_standing_link(tx, root, store, now_us)
        old = self.reader.read_past_link(tx, account, store, now_us)
        if any(_is_revoked(tx, state, link) for link in self.reader.read_past_chain(tx, account, store, now_us)):
            # INVARIANT: REV - the holder of a revoked link does not get another one in its place.
            raise PassportError("revoked", "the session's passport was revoked")
        envelope = account.envelope
        if answer is not None:
            envelope = renew_account(envelope, epoch=answer.epoch, since_us=now_us)
        elif is_resumed:
            envelope, old = _resume_account(envelope, parent, old, now_us=now_us, risk=risk), None
        token = self._mint_session(tx, root, parent, state, now_us, old=old, answer=answer)
        term: dict[str, Any] = {"resumed": True} if is_resumed else {"epoch": envelope.epoch}
        facts = {"agent": self._agent, "handle": account.handle, "kind": "session", "parent": root, **term}
        self.reader.store_token(tx, token, facts, state)
        children = [
            (child, *self._read_given_terms(tx, child, state, store, now_us))
            for child in state.descendants(account.handle)
        ]
        state = state.with_account(replace(account, hash=token_hash(token), root=root, envelope=envelope))
        for child, link, gives_everything in children:
            state = self._derive_child(
                tx,
                state,
                child,
                link,
                gives_everything=gives_everything,
                store=store,
                now_us=now_us,
                is_resumed=is_resumed,
            )
        return state

    def _read_given_terms(
        self, tx: Transaction, child: Account, state: SessionState, store: str, now_us: int
    ) -> tuple[Link | None, _GivesEverything]:
        """Read a child link, and whether its giver gave everything, rights gained later included."""
        try:
            giver_link, link = self.reader.read_chain(
                tx, state.path_to(child.handle), store, now_us, use_past_trust=True
            )[-2:]
        except PassportError:
            return None, _GivesEverything()
        gives_grants = link.grants is giver_link.grants
        return link, _GivesEverything(gives_grants, gives_grants and link.hand_off_to == giver_link.hand_off_to)

    def _derive_child(
        self,
        tx: Transaction,
        state: SessionState,
        child: Account,
        link: Link | None,
        *,
        gives_everything: _GivesEverything,
        store: str,
        now_us: int,
        is_resumed: bool,
    ) -> SessionState:
        path = state.path_to(child.parent)
        now_s = now_us // SECOND_US
        if not path or link is None or link.decay is None or link.expires_at_s <= now_s or _is_revoked(tx, state, link):
            return state.without_link(child.handle)
        parent = self.reader.read_chain(tx, path, store, now_us)[-1]
        try:
            token = mint_handoff(
                parent=parent,
                parent_token=self.reader.read_token(tx, path[-1].hash),
                signer=self._load_signer(parent.agent),
                now_s=now_s,
                jti=self._ids.new_token_id(),
                agent=child.agent,
                holder_public_key=link.holder_key,
                owner=link.owner,
                lifetime_s=min(link.expires_at_s, parent.expires_at_s) - now_s,
                grants=None if gives_everything.grants else intersect_grants(parent.grants, link.grants),
                labels=intersect_labels(parent.labels, link.labels),
                hand_off_to=parent.hand_off_to
                if gives_everything.hand_offs
                else tuple(sorted(set(link.hand_off_to) & set(parent.hand_off_to))),
                budgets=tighter_budgets(parent.budgets, link.budgets),
                decay=tighter_decay(parent.decay, link.decay) if parent.decay is not None else None,
            )
        except PassportError:  # what the new parent no longer has cannot be given on
            return state.without_link(child.handle)
        facts = {"agent": child.agent, "handle": child.handle, "kind": "handoff", "parent": path[-1].hash}
        self.reader.store_token(tx, token, facts, state)
        envelope = child.envelope
        if is_resumed or parent.epoch != envelope.epoch:
            envelope = renew_account(envelope, epoch=parent.epoch, since_us=now_us)
        return state.with_account(replace(child, hash=token_hash(token), root=path[0].root, envelope=envelope))

    def _mint_session(
        self,
        tx: Transaction,
        root: str,
        parent: Link,
        state: SessionState,
        now_us: int,
        *,
        old: Link | None = None,
        answer: ApprovalToken | None = None,
    ) -> str:
        if parent.terms is None:
            raise PassportError("no_passport", "the standing link does not allow sessions")
        if parent.expires_at_s <= now_us // SECOND_US:
            raise PassportError("expired", "the standing passport has expired")
        budgets, decay, epoch, proof, lifetime_s = None, None, 1, "", parent.terms.lifetime_s
        if answer is not None:  # limits and authority are what the approver gave, under the ceilings
            epoch, proof = answer.epoch, answer.token
        elif old is not None and old.decay is not None:
            # INVARIANT: MONO - under a new standing link an epoch goes on with the tighter of both terms, no longer.
            if old.expires_at_s <= now_us // SECOND_US:
                raise PassportError("expired", "the session's passport has expired")
            lifetime_s = min(parent.terms.lifetime_s, old.expires_at_s - now_us // SECOND_US)
            epoch, proof = old.epoch, old.reauthorization
            _require_same_decimals(parent.terms.budgets, old.budgets)
            budgets = tighter_budgets(parent.terms.budgets, old.budgets)
            decay = tighter_decay(parent.terms.decay, old.decay)
        return mint_session(
            parent=parent,
            parent_token=self.reader.read_token(tx, root),
            signer=self._load_signer(self._agent),
            now_s=max(now_us // SECOND_US, parent.not_before_s),
            jti=self._ids.new_token_id(),
            session=make_session_claim(state.view.id),
            lifetime_s=lifetime_s,
            budgets=budgets,
            decay=decay,
            epoch=epoch,
            reauthorization=proof,
        )

    # tokens and links

    def _read_issued_passport(self, tx: Transaction, agent: str, store: str, now_us: int) -> Link | None:
        """The standing link that an issuer gave to an agent; None if there is none."""
        row = StandingTable(tx).get(agent)
        if row is None or row.origin == "derived" or agent == self._agent:
            return None
        return self.reader.read_standing_link(tx, row.hash, store, now_us)

    def _find_owner(self, tx: Transaction, agent: str, store: str, now_us: int) -> str:
        """The owner of an agent, according to its own passport."""
        row = StandingTable(tx).get(agent)
        return self.reader.read_standing_link(tx, row.hash, store, now_us).owner if row is not None else ""

    def _load_signer(self, agent: str) -> Signer:
        return self._keys.signer(make_agent_key_name(agent))


def is_resumed_at(last_us: int, began_us: int) -> bool:
    """Whether a request begun at `began_us` resumes a session whose last decision was at `last_us`, microseconds."""
    return began_us - last_us >= RESUMED_AFTER_S * SECOND_US


def _is_revoked(tx: Transaction, state: SessionState, link: Link) -> bool:
    return any(revocation_applies(item, (link,), state.view.id) for item in tx.load_control().revocations)


def _resume_account(envelope: Envelope, parent: Link, old: Link | None, *, now_us: int, risk: int) -> Envelope:
    """The account of a session link whose session is resumed under `parent`, which may have changed since `old`.

    INVARIANT: EPOCH - it gets no more than a new session would get, and nothing that was spent comes back.
    """
    if parent.terms is None:
        return renew_account(envelope, epoch=1, since_us=now_us)
    if old is not None:
        _require_same_decimals(parent.terms.budgets, old.budgets)
    return lower_start(renew_account(envelope, epoch=1, since_us=now_us), parent.terms.decay, risk)


def _require_same_decimals(new: Sequence[Budget], old: Sequence[Budget]) -> None:
    """INVARIANT: ENV - a counter keeps the decimals in which it was counted; with others its value would change."""
    old_decimals = {item.unit: item.decimals for item in old}
    changed = sorted(item.unit for item in new if old_decimals.get(item.unit, item.decimals) != item.decimals)
    if changed:
        raise PassportError(
            "budget_units_changed", f"`{changed[0]}` now has a different number of decimals", field=changed[0]
        )
