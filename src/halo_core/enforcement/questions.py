"""Questions to approvers: what a challenge asks, and what became of it.

A challenge becomes a request that an approver answers. If the same call is challenged again while its question is open,
it refers to that question.
"""

from __future__ import annotations

from typing import Any, Final

from halo_core.crypto.keys import Digester
from halo_core.decision.answers import is_answerable
from halo_core.decision.bindings import (
    find_exposure,
    list_answer_bindings,
    make_question_binding,
    make_reauthorization_binding,
)
from halo_core.decision.checks import HOLD
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.outbox import hold_act
from halo_core.enforcement.standing_answers import compute_amount_scope, compute_answer_scope
from halo_core.errors import Gap, Tampered
from halo_core.model import AMOUNT_CODES, REAUTHORIZABLE_CODES, Effect, EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.drafts import Draft
from halo_core.store.proven_entries import list_asked_codes
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.transaction import Transaction

QUESTION_LIFETIME_US: Final = 86_400_000_000
"""How long a question may be answered, microseconds."""


@dataclass(frozen=True, slots=True)
class Question:
    """The question a challenge asks an approver: to allow this call, or to renew the session's authority.

    Args:
        kind: `call` or `reauthorization`.
        binding: digest of what a yes allows.
        epoch: epoch that a re-authorization begins, 0 for a call.
        open_request_id: id of the open question that asks the same, empty if there is none.
    """

    kind: str
    binding: str
    epoch: int
    open_request_id: str

    @classmethod
    def of_challenge(cls, tx: Transaction, context: DecisionContext) -> Question:
        """The question of a decision that is a challenge."""
        is_reauthorization = any(
            reason.code in REAUTHORIZABLE_CODES and reason.effect == Effect.CHALLENGE.value
            for reason in context.decision.reasons
        )
        return cls._of_reauthorization(tx, context) if is_reauthorization else cls._of_call(tx, context)

    @classmethod
    def _of_reauthorization(cls, tx: Transaction, context: DecisionContext) -> Question:
        request, snapshot, session = context.request, context.snapshot, context.session
        epoch = snapshot.envelopes[0].epoch + 1
        binding = make_reauthorization_binding(request.subject.tenant, session, snapshot.chain[0].agent, epoch)
        row = ApprovalTable(tx).find_open(session, (binding,))
        return cls("reauthorization", binding, epoch, _get_id_if_pending(row, snapshot.time_us))

    @classmethod
    def _of_call(cls, tx: Transaction, context: DecisionContext) -> Question:
        request, snapshot = context.request, context.snapshot
        is_held = HOLD in context.decision.obligations
        exposure = find_exposure(snapshot.provenance, snapshot.targets, is_tainted=snapshot.session.tainted)
        binding = make_question_binding(
            request, snapshot.chain, snapshot.policy.rules, exposure=exposure, is_held=is_held
        )
        if _waits_only_for_held(context) or (context.held_equal and is_held):
            return cls("call", binding, 0, context.held_question)
        row = _find_equal_question(tx, context, binding, exposure)
        open_id = _get_id_if_pending(row, snapshot.time_us)
        return cls("call", binding, 0, open_id if open_id and _asks_all(tx, context, open_id) else "")

    def record(self, tx: Transaction, context: DecisionContext, digester: Digester) -> str:
        """Record the approval request, which refers to the decision to show to the approver; returns its id."""
        if self.open_request_id:
            return self.open_request_id
        time_us, session = context.snapshot.time_us, context.session
        is_held, role = HOLD in context.decision.obligations, context.terms.role
        expires_us = time_us + (context.terms.hold_for_s * 1_000_000 if is_held else QUESTION_LIFETIME_US)
        body = {
            "amount": context.amount,
            "args_digest": context.request.args_digest,
            "binding": self.binding,
            "decision": context.entry_reference,
            "epoch": self.epoch,
            "expires_us": expires_us,
            "held": is_held,
            "kind": self.kind,
            "role": role,
            # What a remembered answer would cover: the approver signs the scope that this process computed.
            "scope": compute_answer_scope(digester, role, context.resource, context.recorded_args)
            if self.kind == "call"
            else "",
            **self._describe_amount(context, digester, role),
            "reasons": [reason.to_plain() for reason in context.decision.reasons],
            "resource": context.resource.id,
            "status": "pending",
        }
        entry = tx.append(Draft(EntryKind.APPROVAL_REQUEST, session, body)).entry
        row = ApprovalRow(entry.id, self.kind, session, self.binding, "pending", time_us, expires_us, "")
        ApprovalTable(tx).put(row)
        return entry.id

    def _describe_amount(self, context: DecisionContext, digester: Digester, role: str) -> dict[str, Any]:
        """What an answer to a large amount would cover; empty for other questions."""
        if self.kind != "call" or not any(reason.code in AMOUNT_CODES for reason in context.decision.reasons):
            return {}
        return {"amount_scope": compute_amount_scope(digester, role, context.resource, context.recorded_args)}


def _find_equal_question(tx: Transaction, context: DecisionContext, binding: str, exposure: int) -> ApprovalRow | None:
    """The question of the session, or of a run that has ended, that asks for the same call."""
    request, snapshot, session = context.request, context.snapshot, context.session
    # The session's question stays the same one if the session was exposed after it was asked.
    bindings = list_answer_bindings(request, snapshot.chain, snapshot.policy.rules, exposure=exposure)
    row = ApprovalTable(tx).find_open(session, bindings)
    if row is None and binding != bindings[0]:
        # INVARIANT: BIND - what several ended runs asked is one question, whose answer serves one run.
        others = list_answer_bindings(
            request, snapshot.chain, snapshot.policy.rules, exposure=exposure, asked_in="another"
        )
        row = ApprovalTable(tx).find_pending_elsewhere(session, others, snapshot.time_us)
    return row


def _asks_all(tx: Transaction, context: DecisionContext, question: str) -> bool:
    """Whether an open question asks about all that this decision asks about."""
    try:
        asked = list_asked_codes(tx, question)
    except (Gap, Tampered):
        return False
    return all(reason.code in asked for reason in context.decision.reasons if is_answerable(reason))


def _get_id_if_pending(row: ApprovalRow | None, at_us: int) -> str:
    """The id of a question that is still open at this time; empty otherwise."""
    return row.id if row is not None and row.status == "pending" and at_us < row.expires_us else ""


def _waits_only_for_held(context: DecisionContext) -> bool:
    """Whether an act is asked about only because it has to wait for a held act; a yes to that one is enough."""
    asking = {reason.code for reason in context.decision.reasons if reason.effect == Effect.CHALLENGE.value}
    return HOLD in context.decision.obligations and asking == {"held_before"}


def record_question(tx: Transaction, context: DecisionContext, question: Question | None, digester: Digester) -> None:
    """Record what a challenge asks, and store the act if it can wait for the answer; both ids go into the context.

    Args:
        tx: the transaction, in which the decision was appended.
        context: the decided call.
        question: what is asked, None for a decision that asks nothing.
        digester: keyed digests.
    """
    context.pending_id = question.record(tx, context, digester) if question is not None else ""
    context.is_new_question = question is not None and not question.open_request_id
    context.held_id = ""
    if context.pending_id and HOLD in context.decision.obligations:
        follows = _waits_only_for_held(context)
        context.held_id = context.held_equal or hold_act(tx, context, context.pending_id, digester, follows=follows)


def find_question_status(tx: Transaction, request_id: str) -> str:
    """The status of a question; empty if it was never asked."""
    row = ApprovalTable(tx).get(request_id)
    if row is None:
        return ""
    is_expired = row.status == "pending" and tx.clock.now_us() >= row.expires_us
    return "expired" if is_expired else row.status


def withdraw_question(tx: Transaction, session: str, request: str) -> str:
    """Close a question that is open, or answered and unused; returns its id, or an empty text."""
    approvals = ApprovalTable(tx)
    row = approvals.get(request)
    if row is None or row.session != session or row.status not in ("pending", "approved"):
        return ""
    approvals.set_status(request, "expired")
    return request
