"""Answering challenges: an enrolled approver signs a yes or a no, which is recorded, and used by the enforcer later.

The enforcer trusts only the signed token, and checks everything again when the call runs. The checks here only prevent
signatures that would have no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from halo_core.behaviour.carried import SessionVerdict
from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Digester, Ed25519Signer, KeyStore
from halo_core.decision.bindings import make_session_claim
from halo_core.decision.model_fields import ACCEPTED_KIND
from halo_core.enforcement.judged_sessions import apply_verdict
from halo_core.enforcement.session_behaviour import fingerprint_call
from halo_core.errors import ConfigError, Denied
from halo_core.ledger.commitments import digest_answer
from halo_core.model import BEHAVIOUR_CODES, Actor, Budget, EntryKind, same_person
from halo_core.oversight.access import recording_refusals
from halo_core.oversight.keys import load_signer, make_not_enrolled_error
from halo_core.oversight.known import KnownValue, add_known
from halo_core.oversight.remembered import RememberTerms, can_be_remembered, check_terms, remember
from halo_core.oversight.requests import ApprovalRequest, Spending, load_request
from halo_core.passports.approval import (
    MAX_APPROVAL_LIFETIME_S,
    ApprovalToken,
    is_in_chain,
    mint_approval,
    peek_approval,
)
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import MAX_ANSWER_LIFETIME_S, ApprovalTable
from halo_core.store.drafts import AppendedEntry, Draft
from halo_core.store.reader import SealedContents
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

MAX_LIFETIME_S: Final = MAX_ANSWER_LIFETIME_S
"""Longest time for which an answer can be used, seconds."""


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """A recorded answer.

    Args:
        request: id of the request.
        status: `approved` or `denied`; `confirmed` for a second person's yes, which is only remembered.
        approver: name of the person who answered.
        key_id: thumbprint of that person's key.
        entry: id of the entry that holds the answer; empty for `confirmed`.
        token: the signed answer; empty for `confirmed`.
        expires_s: end of its validity, seconds since the epoch.
        budgets: the session's limits after an approved re-authorization.
        authority: the session's authority after an approved re-authorization, millionths; else 0.
        remembered: id of the remembered answer that was kept, empty for none.
    """

    request: str
    status: str
    approver: str
    key_id: str
    entry: str
    expires_s: int
    token: str = field(repr=False)
    budgets: tuple[Budget, ...] = ()
    authority: int = 0
    remembered: str = ""


def answer(
    store: Store,
    keys: KeyStore,
    home: Path,
    *,
    request_id: str,
    approver: str,
    approve: bool,
    why: str = "",
    raised: Mapping[str, int] | None = None,
    now_us: int,
    lifetime_s: int = 3600,
    terms: RememberTerms | None = None,
    shown_page: bytes = b"",
) -> ApprovalAnswer:
    """Answer a challenge as an enrolled approver; the answer is durable on return.

    A refused answer is recorded too.

    Args:
        store: store with the request, opened with the keys of `home`.
        keys: key folder with the approver's key, preferably not that of `home`.
        home: folder with authorities.json and trust.json.
        request_id: id of the request, or its start.
        approver: who answers: enrolled, outside the chain.
        approve: yes or no.
        why: the reason.
        raised: for a re-authorization, unit → the session's new total limit, in the unit's own decimals. A limit that
            was reached and is not named rises by what a session starts with, up to the ceiling; others stay.
        now_us: time of the answer, microseconds since the epoch.
        lifetime_s: time for which a yes can be used, seconds.
        terms: on which a yes is remembered where it can be; None for this call alone.
        shown_page: exactly what the approver was shown.

    Raises:
        ConfigError: `no_such_request`, `no_approver_key`, `bad_lifetime`, `bad_cap`, `already_spent`.
        Denied: `not_pending`, `request_expired`, `approver_not_enrolled`, `approver_in_chain`, `budget_widened`,
            `budget_units_changed`.
        Tampered: `request_altered`, the request is not what was signed.
        CannotDecide: it could not be made durable.
    """
    if not 0 < lifetime_s <= MAX_LIFETIME_S:
        message = f"`{lifetime_s}` seconds is not a valid lifetime of an answer"
        raise ConfigError("bad_lifetime", message, field="for", remedy="use at most 24h")
    with recording_refusals(store, "approve" if approve else "deny", approver, {"request": request_id[:64]}):
        with store.open_reader() as reader:
            contents = SealedContents.with_home_key(reader, store.keys)
            request = load_request(reader, home, store.tenant, request_id, opener=contents.open, now_us=now_us)
        confirms = terms is not None and approve and _can_be_confirmed(request)
        if not confirms:
            _require_pending(request.row.status, request.row.expires_us, now_us)
        signer = load_signer(store.tenant, keys, home, approver, now_us)
        _require_outside_chain(approver, store.references.of_person(approver), signer.public_key, request)
        budgets = _decide_budgets(request, raised or {}) if approve and not confirms else ()
        if terms is not None:
            check_terms(terms, request)
        reason = mask_reason(why)
        if confirms and terms is not None:
            return store.commit(_ConfirmJob(store, request, approver, signer, reason, now_us, terms))
        is_kept = terms is not None and approve and can_be_remembered(request, with_amount=terms.with_amount)
        extended_s = _extend_for_held_act(request, lifetime_s, now_us)
        if not approve and request.row.kind == "call":
            extended_s = MAX_APPROVAL_LIFETIME_S  # a no holds for as long as its session goes on
        kept_terms = terms if is_kept else None
        return store.commit(
            _AnswerJob(
                store, request, approver, signer, approve, reason, budgets, now_us, extended_s, kept_terms, shown_page
            )
        )


def _can_be_confirmed(request: ApprovalRequest) -> bool:
    """Whether an approved request needs a second person's approval before its answer is remembered."""
    return request.row.status in ("approved", "used") and request.people_needed > 1 and can_be_remembered(request)


@dataclass(frozen=True, slots=True)
class _ConfirmJob:
    """Remembers a second person's approval of an approved request; the answer for the one call does not change."""

    store: Store
    request: ApprovalRequest
    approver: str
    signer: Ed25519Signer
    why: str
    now_us: int
    terms: RememberTerms

    def __call__(self, tx: Transaction) -> ApprovalAnswer:
        """Sign the remembered answer, store it and record it."""
        row = ApprovalTable(tx).get(self.request.row.id)
        if row is None or row.status not in ("approved", "used"):
            raise _not_pending_error(row.status if row is not None else "missing")
        # INVARIANT: BIND - two people are two names with two keys.
        first = peek_approval(row.answer)
        if same_person(first.approver, self.approver) or first.key_id == self.signer.key_id:
            raise Denied(
                "not_pending",
                f"`{self.approver[:64]}` has approved this already",
                remedy="let another approver confirm it: `halo approvals approve ID --as SECOND`",
            )
        remembered = remember(
            tx,
            self.store,
            self.request,
            approver=self.approver,
            signer=self.signer,
            terms=self.terms,
            now_us=self.now_us,
            why=self.why,
        )
        expires_s = self.now_us // 1_000_000 + self.terms.lifetime_s
        return ApprovalAnswer(
            row.id, "confirmed", self.approver, self.signer.key_id, "", expires_s, "", remembered=remembered
        )


@dataclass(frozen=True, slots=True)
class _AnswerJob:
    """Records the answer to a pending request; lifetime in seconds, time in microseconds since the epoch."""

    store: Store
    request: ApprovalRequest
    approver: str
    signer: Ed25519Signer
    approve: bool
    why: str
    budgets: tuple[Budget, ...]
    now_us: int
    lifetime_s: int
    terms: RememberTerms | None = None
    shown_page: bytes = b""

    def __call__(self, tx: Transaction) -> ApprovalAnswer:
        """Sign the answer, store it and record it, with what follows from it."""
        self._require_enrolled(tx)
        approvals, challenge = ApprovalTable(tx), self.request.row
        row = approvals.get(challenge.id)
        # Read again under the write lock: somebody else may have answered since it was shown.
        _require_pending(row.status if row is not None else "missing", challenge.expires_us, self.now_us)
        answer = "approve" if self.approve else "deny"
        token = self._mint_token(tx, answer)
        status = "approved" if self.approve else "denied"
        if not approvals.record_answer(challenge.id, status, token):
            raise _not_pending_error("answered")
        actor = Actor(self.approver, "approver-key")
        written = tx.append(self._draft_entry(tx, answer, token, actor))
        self._accept_fields(tx, actor)
        self._clear_behaviour(tx, written)
        remembered = ""
        if self.terms is not None:
            remembered = remember(
                tx,
                self.store,
                self.request,
                approver=self.approver,
                signer=self.signer,
                terms=self.terms,
                now_us=self.now_us,
                why=self.why,
            )
        expires_s = self.now_us // 1_000_000 + self.lifetime_s
        return ApprovalAnswer(
            challenge.id,
            status,
            self.approver,
            self.signer.key_id,
            written.entry.id,
            expires_s,
            token,
            self.budgets,
            _restored_authority(self.request) if self.approve else 0,
            remembered,
        )

    def _require_enrolled(self, tx: Transaction) -> None:
        """Refuse a key that no entry of the log has enrolled under the approver's name."""
        enrolled = tx.load_history().map_approvers()
        if self.signer.key_id not in enrolled:
            raise make_not_enrolled_error(self.approver, "has a key that no entry of this log has enrolled")
        if enrolled[self.signer.key_id] != tx.references.of_person(self.approver):
            raise make_not_enrolled_error(self.approver, "has a key that was enrolled under another name")

    def _draft_entry(self, tx: Transaction, answer: str, token: str, actor: Actor) -> Draft:
        challenge = self.request.row
        body = {
            "answer": answer,
            "binding": challenge.binding,
            "epoch": self.request.epoch,
            "kid": self.signer.key_id,
            "kind": challenge.kind,
            "request": challenge.id,
            "session": challenge.session,
            "token": digest_answer(token),
            "why": self.why,
        }
        if self.shown_page:
            body["shown"] = tx.references.digest_shown(self.shown_page)
        sealed = ((tx.references.of_person(self.approver), {"token": token.encode()}),)
        return Draft(EntryKind.APPROVAL, challenge.session, body, others=sealed, actor=actor)

    def _clear_behaviour(self, tx: Transaction, answer: AppendedEntry) -> None:
        """Record that the approver cleared the session's behaviour, if the question was about it."""
        if not self.approve or BEHAVIOUR_CODES.isdisjoint(reason.code for reason in self.request.reasons):
            return
        writer, _, seq = self.request.row.id.rpartition("-")
        call = fingerprint_call(self.request.resource, self.request.args_digest)
        apply_verdict(
            tx,
            self.request.row.session,
            self.request.agent,
            (writer, int(seq)),
            verdict=SessionVerdict.CLEARED,
            by=answer,
            call=call,
        )

    def _accept_fields(self, tx: Transaction, actor: Actor) -> None:
        """Accept, from now on, the fields of a model request that the question was about."""
        codes = ((reason.code, reason.detail) for reason in self.request.reasons)
        fields = [KnownValue(ACCEPTED_KIND, name) for code, name in codes if code == "unknown_model_field"]
        if self.approve and fields:
            digester = Digester(self.store.keys.secret("digest"))
            add_known(tx, digester, fields, by=actor, why=self.why or f"approved as {self.request.row.id}")

    def _mint_token(self, tx: Transaction, answer: str) -> str:
        request, now_s = self.request, self.now_us // 1_000_000
        approval = ApprovalToken(
            id=self.store.ids.new_token_id(),
            approver=self.approver,
            tenant=tx.tenant,
            audience=(tx.load_control().store,),
            issued_at_s=now_s,
            expires_at_s=now_s + self.lifetime_s,
            answer=answer,
            kind=request.row.kind,
            binding=request.row.binding,
            request=request.row.id,
            session=make_session_claim(request.row.session),
            budgets=self.budgets,
            authority=_restored_authority(request),
            epoch=request.epoch,
        )
        return mint_approval(approval, self.signer)


def _extend_for_held_act(request: ApprovalRequest, lifetime_s: int, now_us: int) -> int:
    """Lifetime of an answer, seconds; about a held act at least until it expires, as its caller does not ask again."""
    if not request.held:
        return lifetime_s
    return min(max((request.row.expires_us - now_us) // 1_000_000, lifetime_s), MAX_APPROVAL_LIFETIME_S)


def _restored_authority(request: ApprovalRequest) -> int:
    """Authority of the session after an approved re-authorization, millionths; 0 for another kind of request."""
    terms = request.links[0].terms if request.links else None
    return terms.decay.authority if request.row.kind == "reauthorization" and terms is not None else 0


def _require_pending(status: str, expires_us: int, now_us: int) -> None:
    if status != "pending":
        raise _not_pending_error(status)
    if expires_us <= now_us:
        raise Denied("request_expired", "the request has expired", remedy="let the agent ask again")


def _not_pending_error(status: str) -> Denied:
    return Denied(
        "not_pending", f"the request is not waiting for an answer: {status}", remedy="see `halo approvals list --all`"
    )


def _require_outside_chain(approver: str, reference: str, public_key: bytes, request: ApprovalRequest) -> None:
    # INVARIANT: EPOCH - nobody in the chain, and nobody it acts for, can answer.
    names = [name for name in (request.user, *request.identities) if name]
    is_involved = reference in names or any(same_person(approver, name) for name in names)
    if is_involved or is_in_chain(approver, public_key, request.links):
        message = f"`{approver[:64]}` is part of the requesting chain"
        raise Denied("approver_in_chain", message, remedy="ask a person who neither owns the agent nor uses it")


def _decide_budgets(request: ApprovalRequest, raised: Mapping[str, int]) -> tuple[Budget, ...]:
    """The session's limits after an approved re-authorization; none for another kind of request.

    Raises:
        ConfigError: `already_spent`.
        Denied: `budget_units_changed`, a unit that is raised is not one of the request; `budget_widened`.
    """
    spendings = {item.unit: item for item in request.budgets}
    unknown = sorted(raised.keys() - spendings.keys()) if request.row.kind == "reauthorization" else sorted(raised)
    if unknown:
        message = f"`{unknown[0][:32]}` is not a unit of the request"
        raise Denied("budget_units_changed", message, remedy="see the units with `halo approvals show`")
    if request.row.kind != "reauthorization":
        return ()
    # The answer sets every unit, so that a limit raised by an earlier answer stays raised.
    return tuple(
        _make_budget(item, _check_raise(item, raised[unit]) if unit in raised else _renew_limit(request, item))
        for unit, item in sorted(spendings.items())
    )


def _check_raise(item: Spending, limit: int) -> int:
    """Return a new limit; refuses one that is spent already and would have no effect."""
    if 0 <= limit <= item.spent and item.spent:
        spent, given, most = (item.format_amount(value) for value in (item.spent, limit, item.max_limit))
        raise ConfigError(
            "already_spent",
            f"`{item.unit}`: {spent} is already spent, so a limit of {given} has no effect",
            field="raise",
            remedy=f"the limit applies to the whole session: use a higher one, up to {most}",
        )
    return limit


def _renew_limit(request: ApprovalRequest, item: Spending) -> int:
    """The limit of a unit that the approver did not name: unchanged, or raised once if it was reached."""
    short = any(reason.code == "budget_exceeded" and reason.detail == item.unit for reason in request.reasons)
    return min(item.limit + item.start if short else item.limit, item.max_limit)


def _make_budget(item: Spending, limit: int) -> Budget:
    # INVARIANT: EPOCH - no answer exceeds the ceilings of the standing passport.
    if not 0 <= limit <= item.max_limit:
        side = "above" if limit > 0 else "no limit within"
        raise Denied(
            "budget_widened",
            f"{item.format_amount(limit)} is {side} the ceiling of {item.format_amount(item.max_limit)} {item.unit}",
            remedy="use a lower limit, or issue another standing passport",
        )
    per_action = limit if item.unit == "time" else min(item.per_action, limit)
    return Budget(item.unit, per_action, limit, item.decimals)
