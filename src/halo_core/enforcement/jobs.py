"""Jobs that decide a call or hand a link back, in a transaction of the store (`outcome_job` records outcomes).

A job is called with the transaction in which it reads and writes. `decide_call` is steps (2) to (4) of the pipeline,
with the numbers of docs/ARCHITECTURE.md. A challenge becomes a request that an approver answers; if the same call is
challenged again while its question is open, it refers to that question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from halo_core.authority import charge_account, compute_effective_authority
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision import decide, only_repeats
from halo_core.decision.bindings import (
    find_exposure,
    list_answer_bindings,
    make_question_binding,
    make_reauthorization_binding,
)
from halo_core.decision.checks import HOLD
from halo_core.decision.record import SIGNER_FIELD, DecisionResult, encode_decision
from halo_core.enforcement.call import MAX_KEPT_CHARS, Credentials
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.exposure import list_place_marks, record_argument_words
from halo_core.enforcement.hand_offs import make_handback_body
from halo_core.enforcement.lookups import recall_result
from halo_core.enforcement.obligations import apply_argument_obligations
from halo_core.enforcement.outbox import check_release, hold_act, record_release
from halo_core.enforcement.payment_windows import store_changes
from halo_core.enforcement.planner import IMPACTS_WITHOUT_STORAGE, TRUSTED_ORIGINS, Planner, is_equal_draft
from halo_core.enforcement.quotas import find_quota_warnings
from halo_core.enforcement.repeated_answers import tell_from_replay
from halo_core.enforcement.reversals import record_reversal, refuse_impossible_reversal
from halo_core.enforcement.session_behaviour import describe_alarms, list_new_alarms, name_alert, record_behaviour
from halo_core.enforcement.snapshot_builder import build_snapshot, read_session
from halo_core.enforcement.standing_answers import compute_amount_scope, compute_answer_scope, count_uses
from halo_core.model import (
    AMOUNT_CODES,
    REAUTHORIZABLE_CODES,
    ActionKind,
    Decision,
    Effect,
    EntryKind,
    Envelope,
    Mode,
    Stop,
)
from halo_core.references import clip_name
from halo_core.risk.action_risk import DRIFT_ALARM_WEALTH, compute_next_session_risk
from halo_core.store import Draft, SealedFields, SessionState, Transaction
from halo_core.store.answer_rows import ApprovalRow, ApprovalTable
from halo_core.store.control_state import put_policy_in_force
from halo_core.store.quota_rows import QuotaDay, write_quota_day
from halo_core.values import fingerprint_stored_values, list_record_numbers, may_store

QUESTION_LIFETIME_US: Final = 86_400_000_000
"""How long a question may be answered, microseconds."""
ALERT_RISK: Final = 800
"""A session's risk (0..1000) from which somebody should look at it, while the agent has no limits of its own."""
_HIGH_BAND: Final = 2


def decide_call(
    tx: Transaction,
    context: DecisionContext,
    *,
    credentials: Credentials,
    digester: Digester,
    sketch_key: bytes,
    planner: Planner,
    read_stops: Callable[[], tuple[Stop, ...]] = tuple,
) -> DecisionContext:
    """Decide one prepared call, durably: read the snapshot, decide, append the entry, write the session's state.

    Returns:
        The context, with what was decided.
    """
    check_release(tx, context, digester)
    if context.call.links:
        refuse_impossible_reversal(tx, context, digester)
    if tx.image.policy != credentials.policy.hash:  # a new writer, or a policy that others have changed meanwhile
        put_policy_in_force(tx, credentials.policy.hash)
    if context.call.answer_requests is not None:
        tell_from_replay(tx, context, context.call.answer_requests)
    read_session(tx, context, credentials, digester)  # (2)
    stops = read_stops()
    planned = planner.decide(tx, context, credentials, stops, digester)  # (3)
    if planned is None:
        _decide_fully(tx, context, credentials, stops, digester=digester, sketch_key=sketch_key)
    elif not planner.is_check_due(context):
        record_argument_words(tx, context)
        if context.window_changes:
            store_changes(tx, context.window_changes)
        context.appended = tx.append(planned)  # (4)
        tx.record_run(context.request_id, context.appended.entry)
        tx.add_use(context.principal.agent, context.call.resource.id)
        tx.put_session(context.next_state, context.appended.entry)
    else:
        decision = context.decision
        draft = _decide_fully(tx, context, credentials, stops, digester=digester, sketch_key=sketch_key)
        # INVARIANT: REPLAY - what `decide` says is what was appended, whatever the plan said.
        if decision != context.decision or not is_equal_draft(planned, draft):
            planner.report_difference(tx, context)
    return context


def _decide_fully(
    tx: Transaction,
    context: DecisionContext,
    credentials: Credentials,
    stops: tuple[Stop, ...],
    *,
    digester: Digester,
    sketch_key: bytes,
) -> Draft:
    """Decide with `decide` from a whole snapshot and record the decision; returns what was appended."""
    request = context.request
    build_snapshot(tx, context, credentials, stops, digester=digester)
    snapshot = context.snapshot
    decision = context.decision = decide(request, snapshot)  # (3)
    runs = _settle_run(context)
    question = _Question.of_challenge(tx, context) if not runs and decision.effect is Effect.CHALLENGE else None
    accounts = tuple([charge_account(account, decision.charges) for account in snapshot.envelopes])
    state = _advance_session(context, accounts, question)
    # A refused action that observe mode runs anyway creates no passport link: no valid chain could contain it.
    links_before = len(state.links)
    state, context.handle = _make_link(tx, context, credentials, state) if decision.effect.runs else (state, "")
    child = state.links[-1].hash if len(state.links) > links_before else ""
    quota_before = context.quota_day
    context.quota_day = quota_before.charge(decision.charges) if runs and quota_before is not None else None
    context.earlier = _recall_earlier(tx, context)
    record_argument_words(tx, context)
    stored = None
    if runs:
        fingerprints = _find_tainted_fingerprints(context, sketch_key) | list_place_marks(tx, context)
        stored = tx.add_tainted_fingerprints(fingerprints)
    withdrawn_question = context.call.withdrawn_question
    result = DecisionResult(
        runs=runs,
        authority_left=compute_effective_authority(snapshot.chain, accounts, snapshot.time_us) if accounts else None,
        session_risk=state.risk,
        executed_digest=_digest_executed(context, digester) if runs else "",
        state=state.make_commitment() if context.session else None,
        stored=stored,
        child=child,
        recalled=context.earlier is not None,
        released=record_release(tx, context),
        quota=write_quota_day(tx, context.quota_day),
        withdrawn=_withdraw_question(tx, context.session, withdrawn_question) if withdrawn_question else "",
        sums=_count_sums(tx, context),
        known=tuple(sorted(context.known)),
    )
    draft = _draft_decision(tx, context, result)
    context.next_state = state
    context.appended = tx.append(draft)  # (4)
    _append_consequences(tx, context, state.risk, quota_before)
    _record_question(tx, context, question, digester)
    context.used_answer = _record_run(tx, context)
    if context.session:
        tx.put_session(state, context.appended.entry)
    return draft


def _recall_earlier(tx: Transaction, context: DecisionContext) -> str | None:
    """The result of an earlier run of the same call, where the decision refuses nothing but its repetition."""
    decision = context.decision
    if context.snapshot.mode is not Mode.ENFORCE or not only_repeats(decision.reasons):
        return None
    return recall_result(tx, context.session, context.request.request_id, decision, max_output=MAX_KEPT_CHARS)


def _record_question(tx: Transaction, context: DecisionContext, question: _Question | None, digester: Digester) -> None:
    """Record what a challenge asks, and store the act where it can wait for the answer."""
    context.pending_id = question.record(tx, context, digester) if question is not None else ""
    context.is_new_question = question is not None and not question.open_request_id
    context.held_id = ""
    if context.pending_id and HOLD in context.decision.obligations:
        follows = _only_waits_behind_held(context)
        context.held_id = context.held_equal or hold_act(tx, context, context.pending_id, digester, follows=follows)


def _advance_session(
    context: DecisionContext, accounts: tuple[Envelope, ...], question: _Question | None
) -> SessionState:
    """The session's state after the decision: charged accounts, risk, open challenges and tallies."""
    snapshot, decision = context.snapshot, context.decision
    risk = snapshot.session_risk
    if snapshot.risk is not None:
        risk = compute_next_session_risk(risk, snapshot.risk, refused=not decision.effect.runs)
    return context.state.with_decision(
        snapshot.time_us,
        accounts,
        new_challenges=int(question is not None and not question.open_request_id),
        risk=risk,
        profile_head=context.assessment.profile_head,
        refused=decision.is_refused_attempt,
        tallies=record_behaviour(context),
    )


def _settle_run(context: DecisionContext) -> bool:
    """Set whether the action runs now (`runs`, also returned) and with which arguments (`args`)."""
    call, decision = context.call, context.decision
    observe = context.snapshot.mode is Mode.OBSERVE
    # INVARIANT: REVERSE - what takes an effect back is no work of the agent's that observe mode must not stop.
    runs = decision.effect.runs or call.has_run or (observe and not call.links and not _is_stopped_by_person(decision))
    context.args = (
        context.original_args
        if observe or context.request.problem
        else apply_argument_obligations(context.original_args, decision.obligations)
    )
    # INVARIANT: SAME - what is taken back is what was done: an obligation that would change it lets nothing run.
    context.runs = runs and not (call.links and context.args != context.original_args)
    return context.runs


def _is_stopped_by_person(decision: Decision) -> bool:
    """Whether a person stopped or revoked part of the action; observe mode runs everything else."""
    return any(reason.code in ("stopped", "revoked") for reason in decision.reasons)


def _append_consequences(tx: Transaction, context: DecisionContext, risk: int, quota_before: QuotaDay | None) -> None:
    """Append what a decision that was just appended leads to: a reversal's start, and alerts."""
    if context.call.links:
        record_reversal(tx, context)
    _append_alert(tx, context, risk)
    _append_behaviour_alert(tx, context, risk)
    if quota_before is not None and context.quota_day is not None:
        quotas = context.snapshot.chain[0].quotas
        context.quota_warnings = find_quota_warnings(quotas, quota_before, context.quota_day)
        if context.quota_warnings:
            _append_quota_alert(tx, context, risk)


def _count_sums(tx: Transaction, context: DecisionContext) -> tuple[Mapping[str, Any], ...]:
    """Count a payment, and the uses of the answers that allow the action; returns the commitments, by account."""
    if not context.runs:
        return ()
    changes = context.payment.list_changes() if context.payment is not None else []
    store_changes(tx, changes)
    counted = [item.make_commitment() for item in changes]
    counted += count_uses(tx, context.decision, context.amount)
    return tuple(sorted(counted, key=itemgetter("account")))


def _draft_decision(tx: Transaction, context: DecisionContext, result: DecisionResult) -> Draft:
    """The entry of a decision; stores the parts it refers to if they are missing."""
    request, snapshot = context.request, context.snapshot
    body, parts = encode_decision(request, snapshot, context.decision, result, ts_us=context.now_us)
    for name, data in (*parts, *context.parts):
        tx.put_part(name, data)
    content = context.content
    if not context.state.view.steps and context.session:  # what is the session's stands with its first action
        content = {**content, "session": clip_name(context.call.session).encode()}
        if context.user_request:
            content = {**content, "request": context.user_request.encode()}
    approval = snapshot.approval
    others: SealedFields = ()
    if approval is not None:
        others = ((approval.reference, {"approver": approval.approver.encode()}),)
    others += tuple(
        (item.reference, {f"{SIGNER_FIELD}{i}": item.approver.encode()}) for i, item in enumerate(snapshot.standing)
    )
    run = b""
    if result.runs:
        once = snapshot.mode is Mode.ENFORCE and not request.resource.idempotent
        run = tx.make_run_key(context.session, request.request_id, once=once)
    return Draft(
        EntryKind.DECISION, context.session, body, content, context.subject, others, run=run, ts_us=context.now_us
    )


def _make_link(
    tx: Transaction, context: DecisionContext, credentials: Credentials, state: SessionState
) -> tuple[SessionState, str]:
    if context.call.hand_off is None or not context.snapshot.envelopes:
        return state, ""
    return credentials.passport_store.hand_off(
        tx,
        state,
        context.handles[-1],
        context.resource.id,
        terms=context.call.hand_off,
        store=context.control.store,
        now_us=context.snapshot.time_us,
        on_link_made=context.call.on_link_made,
    )


def _digest_executed(context: DecisionContext, digester: Digester) -> str:
    if context.request.problem:
        return ""  # it runs in observe mode, with arguments that have no digest
    if context.args is context.original_args:
        return context.request.args_digest
    return digester.digest("halo/args", canonical.encode(context.args))


def _find_tainted_fingerprints(context: DecisionContext, sketch_key: bytes) -> frozenset[int]:
    """Fingerprints of untrusted values that this action of an exposed session may store."""
    request, snapshot = context.request, context.snapshot
    may_leave = request.kind is ActionKind.TOOL_CALL and request.resource.impact not in IMPACTS_WITHOUT_STORAGE
    if not may_leave or request.problem or not snapshot.session.tainted:
        return frozenset()
    untrusted_places = {place for place, source in snapshot.provenance if source not in TRUSTED_ORIGINS}
    texts = [leaf.text for leaf in context.leaves if leaf.pointer in untrusted_places]
    # A number that the user wrote names the user's record, whatever is said of it. Only where the place is marked too.
    known_numbers = list_record_numbers(context.call.request) if texts and may_store(request.resource) else ()
    return fingerprint_stored_values(sketch_key, texts, known_numbers)


def _record_run(tx: Transaction, context: DecisionContext) -> bool:
    """Record that the action runs, if it does; returns whether this uses up an approval."""
    if not context.runs:
        return False
    request, approval = context.request, context.snapshot.approval
    tx.record_run(request.request_id, context.appended.entry)
    tx.add_use(request.subject.agent, request.resource.id)
    if approval is None or all(reason.code != "approved" for reason in context.decision.reasons):
        return False
    if context.is_paused_answer:
        return False  # this very request goes on after a pause
    # INVARIANT: BIND - an approval serves once: one request, to its end. Where another run has used it meanwhile, the
    # update finds no row and the decision is made anew.
    ApprovalTable(tx).set_status(approval.id, "used")
    return True


def _append_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert if the action is far from ordinary, or the session as a whole has become so."""
    snapshot = context.snapshot
    # An agent with limits of its own raises an alarm at its own (the axis `session_risk`).
    has_risen = snapshot.session_risk < ALERT_RISK <= risk and not context.has_own_limits
    has_drifted = context.assessment.drift >= DRIFT_ALARM_WEALTH > context.drift_before
    if snapshot.band < _HIGH_BAND and not has_risen and not has_drifted:
        return
    body = {
        "agent": context.request.subject.agent,
        "decision": context.place,
        "factors": [dict(item) for item in snapshot.factors],
        "kind": "action" if snapshot.band >= _HIGH_BAND else "drift" if has_drifted else "session",
        "resource": context.resource.id,
        "risk": snapshot.risk,
        "session_risk": risk,
    }
    tx.append(Draft(EntryKind.ALERT, context.session, body))


def _append_behaviour_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert where the session leaves the agent's profile on an axis for the first time."""
    axes = list_new_alarms(context)
    if not axes:
        return
    body = {
        "agent": context.request.subject.agent,
        "decision": context.place,
        "factors": describe_alarms(axes),
        "kind": name_alert(axes),
        "resource": context.resource.id,
        "risk": None,
        "session_risk": risk,
    }
    tx.append(Draft(EntryKind.ALERT, context.session, body))


def _append_quota_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert if an action brings a day's quota near its end."""
    factors = [
        {"id": f"quota.{item.unit}", "value": item.used, "moved": 0, "words": item.describe()}
        for item in context.quota_warnings
    ]
    body = {
        "agent": context.request.subject.agent,
        "decision": context.place,
        "factors": factors,
        "kind": "quota",
        "resource": context.resource.id,
        "risk": None,
        "session_risk": risk,
    }
    tx.append(Draft(EntryKind.ALERT, context.session, body))


# questions


def _find_equal_question(tx: Transaction, context: DecisionContext, binding: str, exposure: int) -> ApprovalRow | None:
    """The question of the session, or of a run that has ended, that asks for the same call."""
    request, snapshot, session = context.request, context.snapshot, context.session
    # One question of a session is asked once, even if the session has been exposed since.
    bindings = list_answer_bindings(request, snapshot.chain, snapshot.policy.rules, exposure=exposure)
    row = ApprovalTable(tx).find_open(session, bindings)
    if row is None and binding != bindings[0]:
        # INVARIANT: BIND - one answer serves one run: what several ended runs asked is one question too.
        others = list_answer_bindings(
            request, snapshot.chain, snapshot.policy.rules, exposure=exposure, asked_in="another"
        )
        row = ApprovalTable(tx).find_pending_elsewhere(session, others, snapshot.time_us)
    return row


@dataclass(frozen=True, slots=True)
class _Question:
    """The question a challenge asks an approver: to allow this call, or to renew the session for `epoch`.

    `open_request_id` is the id of the open request that asks the same, empty if there is none.
    """

    kind: str
    binding: str
    epoch: int
    open_request_id: str

    @classmethod
    def of_challenge(cls, tx: Transaction, context: DecisionContext) -> _Question:
        """The question of a decision that is a challenge."""
        request, snapshot, session = context.request, context.snapshot, context.session
        is_reauthorization = any(
            reason.code in REAUTHORIZABLE_CODES and reason.effect == Effect.CHALLENGE.value
            for reason in context.decision.reasons
        )
        epoch = snapshot.envelopes[0].epoch + 1 if is_reauthorization else 0
        exposure = find_exposure(snapshot.provenance, snapshot.targets, is_tainted=snapshot.session.tainted)
        binding = (
            make_reauthorization_binding(request.subject.tenant, session, snapshot.chain[0].agent, epoch)
            if is_reauthorization
            else make_question_binding(
                request,
                snapshot.chain,
                snapshot.policy.rules,
                exposure=exposure,
                is_held=HOLD in context.decision.obligations,
            )
        )
        row = (
            ApprovalTable(tx).find_open(session, (binding,))
            if is_reauthorization
            else _find_equal_question(tx, context, binding, exposure)
        )
        is_open = row is not None and row.status == "pending" and snapshot.time_us < row.expires_us
        if _only_waits_behind_held(context) or (context.held_equal and HOLD in context.decision.obligations):
            return cls("call", binding, epoch, context.held_question)
        return cls(
            kind="reauthorization" if is_reauthorization else "call",
            binding=binding,
            epoch=epoch,
            open_request_id=row.id if row is not None and is_open else "",
        )

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
            "decision": context.place,
            "epoch": self.epoch,
            "expires_us": expires_us,
            "held": is_held,
            "kind": self.kind,
            "role": role,
            # What a remembered answer would cover, so that whoever answers signs for what this process computed.
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


def _only_waits_behind_held(context: DecisionContext) -> bool:
    """Whether an act would run unasked, but for the held act that it waits for: a yes to that one is enough."""
    asking = {reason.code for reason in context.decision.reasons if reason.effect == Effect.CHALLENGE.value}
    return HOLD in context.decision.obligations and asking == {"held_before"}


def find_question_status(tx: Transaction, request_id: str) -> str:
    """The status of a question; empty if it was never asked."""
    row = ApprovalTable(tx).get(request_id)
    if row is None:
        return ""
    is_expired = row.status == "pending" and tx.clock.now_us() >= row.expires_us
    return "expired" if is_expired else row.status


def _withdraw_question(tx: Transaction, session: str, request: str) -> str:
    """Close a question that is open, or answered and unused; returns its id, or an empty text."""
    approvals = ApprovalTable(tx)
    row = approvals.get(request)
    if row is None or row.session != session or row.status not in ("pending", "approved"):
        return ""
    approvals.set_status(request, "expired")
    return request


# after the decision


@dataclass(frozen=True, slots=True)
class HandBackJob:
    """Close a link and all links below it. Closed links stay closed."""

    session: str
    handle: str

    def __call__(self, tx: Transaction) -> None:
        """Append the entry, close the accounts."""
        state = tx.load_session(self.session)
        path = state.path_to(self.handle) if state is not None else ()
        if state is None or len(path) < 2:
            return
        giver = path[-2]
        closed = (path[-1], *state.descendants(self.handle))
        state = state.without_link(self.handle).with_update()
        body = {**make_handback_body(closed, giver), "state": state.make_commitment()}
        tx.put_session(state, tx.append(Draft(EntryKind.HANDBACK, self.session, body)).entry)
