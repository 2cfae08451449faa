"""Jobs that decide a call or hand a link back, in a transaction of the store (`outcome_job` records outcomes).

A job is called with the transaction in which it reads and writes. `decide_call` is steps (2) to (4) of the pipeline,
with the numbers of docs/ARCHITECTURE.md. What a challenge asks is in `questions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from halo_core.authority import charge_account, compute_effective_authority
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision.checks import decide, only_repeats
from halo_core.decision.record import SIGNER_FIELD, DecisionResult, encode_decision
from halo_core.enforcement.call import MAX_KEPT_CHARS, Credentials
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.exposure import list_place_marks, record_argument_words
from halo_core.enforcement.hand_offs import make_handback_body
from halo_core.enforcement.lookups import recall_result
from halo_core.enforcement.obligations import apply_argument_obligations
from halo_core.enforcement.outbox import check_release, record_release
from halo_core.enforcement.payment_windows import store_changes
from halo_core.enforcement.planner import IMPACTS_WITHOUT_STORAGE, TRUSTED_ORIGINS, Planner, are_drafts_equal
from halo_core.enforcement.questions import Question, record_question, withdraw_question
from halo_core.enforcement.quotas import find_quota_warnings
from halo_core.enforcement.repeated_answers import identify_repetition
from halo_core.enforcement.reversals import record_reversal, refuse_impossible_reversal
from halo_core.enforcement.session_behaviour import describe_alarms, list_new_alarms, name_alert, record_behaviour
from halo_core.enforcement.snapshot_builder import build_snapshot, read_session
from halo_core.enforcement.standing_answers import count_uses
from halo_core.model import (
    ActionKind,
    Decision,
    Effect,
    EntryKind,
    Envelope,
    Mode,
    Stop,
)
from halo_core.quick_dataclass import dataclass
from halo_core.risk.action_risk import DRIFT_ALARM_WEALTH, compute_next_session_risk
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.control_state import put_policy_in_force
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.quota_rows import QuotaDay, write_quota_day
from halo_core.store.session_state import SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.provenance.stored_objects import may_store
from halo_core.values.sketches.sketch import fingerprint_stored_values, list_record_numbers

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
    """Decide one prepared call: read the snapshot, decide, append the entry, write the session's state.

    Args:
        tx: the transaction of the decision.
        context: the prepared call.
        credentials: what it is decided with.
        digester: keyed digests.
        sketch_key: key of the session sketches.
        planner: decides plain calls without a whole snapshot.
        read_stops: stops that hold whether or not the store can be written.

    Returns:
        The context, with what was decided.
    """
    check_release(tx, context, digester)
    if context.call.links:
        refuse_impossible_reversal(tx, context, digester)
    if tx.image.policy != credentials.policy.hash:  # a new writer, or another process changed the policy
        put_policy_in_force(tx, credentials.policy.hash)
    if context.call.answer_requests is not None:
        identify_repetition(tx, context, context.call.answer_requests)
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
        if decision != context.decision or not are_drafts_equal(planned, draft):
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
    """Decide with `decide` from a whole snapshot, and record the decision; returns what was appended."""
    build_snapshot(tx, context, credentials, stops, digester=digester)
    snapshot = context.snapshot
    decision = context.decision = decide(context.request, snapshot)  # (3)
    runs = _settle_run(context)
    question = Question.of_challenge(tx, context) if not runs and decision.effect is Effect.CHALLENGE else None
    accounts = tuple([charge_account(account, decision.charges) for account in snapshot.envelopes])
    state = _advance_session(context, accounts, question)
    # A refused action that observe mode runs anyway creates no passport link: no valid chain could contain it.
    links_before = len(state.links)
    state, context.handle = _hand_off(tx, context, credentials, state) if decision.effect.runs else (state, "")
    child = state.links[-1].hash if len(state.links) > links_before else ""
    quota_before = context.quota_day
    context.quota_day = quota_before.charge(decision.charges) if runs and quota_before is not None else None
    context.earlier = _recall_earlier(tx, context)
    record_argument_words(tx, context)
    authority_left = compute_effective_authority(snapshot.chain, accounts, snapshot.time_us) if accounts else None
    result = _record_effects(
        tx, context, state, authority_left=authority_left, child=child, digester=digester, sketch_key=sketch_key
    )
    draft = _draft_decision(tx, context, result)
    context.next_state = state
    context.appended = tx.append(draft)  # (4)
    _append_consequences(tx, context, state.risk, quota_before)
    record_question(tx, context, question, digester)
    context.used_answer = _record_run(tx, context)
    if context.session:
        tx.put_session(state, context.appended.entry)
    return draft


def _record_effects(
    tx: Transaction,
    context: DecisionContext,
    state: SessionState,
    *,
    authority_left: int | None,
    child: str,
    digester: Digester,
    sketch_key: bytes,
) -> DecisionResult:
    """Record what a decision changes beside its session; returns what its entry says of that.

    Args:
        tx: the transaction.
        context: the decided call.
        state: the session's state after the decision.
        authority_left: what the chain has left, None without accounts.
        child: hash of the link that a hand-off made, empty for none.
        digester: keyed digests.
        sketch_key: key of the session sketches.
    """
    runs, stored = context.runs, None
    if runs:
        fingerprints = _find_tainted_fingerprints(context, sketch_key) | list_place_marks(tx, context)
        stored = tx.add_tainted_fingerprints(fingerprints)
    withdrawn_question = context.call.withdrawn_question
    return DecisionResult(
        runs=runs,
        authority_left=authority_left,
        session_risk=state.risk,
        executed_digest=_digest_executed_arguments(context, digester) if runs else "",
        state=state.make_commitment() if context.session else None,
        stored=stored,
        child=child,
        recalled=context.earlier is not None,
        released=record_release(tx, context),
        quota=write_quota_day(tx, context.quota_day),
        withdrawn=withdraw_question(tx, context.session, withdrawn_question) if withdrawn_question else "",
        sums=_count_payment_and_answers(tx, context),
        known=tuple(sorted(context.known_values)),
    )


def _recall_earlier(tx: Transaction, context: DecisionContext) -> str | None:
    """The result of an earlier run of the same call, where the decision refuses nothing but its repetition."""
    decision = context.decision
    if context.snapshot.mode is not Mode.ENFORCE or not only_repeats(decision.reasons):
        return None
    return recall_result(tx, context.session, context.request.request_id, decision, max_output=MAX_KEPT_CHARS)


def _advance_session(
    context: DecisionContext, accounts: tuple[Envelope, ...], question: Question | None
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
    # INVARIANT: REVERSE - a denied reversal does not run in observe mode either: it is no work of the agent.
    runs = decision.effect.runs or call.has_run or (observe and not call.links and not _is_stopped_by_person(decision))
    context.args = (
        context.original_args
        if observe or context.request.problem
        else apply_argument_obligations(context.original_args, decision.obligations)
    )
    # INVARIANT: SAME - a reversal takes back exactly what was done, so it does not run with changed arguments.
    context.runs = runs and not (call.links and context.args != context.original_args)
    return context.runs


def _is_stopped_by_person(decision: Decision) -> bool:
    """Whether a person stopped or revoked part of the action; observe mode runs everything else."""
    return any(reason.code in ("stopped", "revoked") for reason in decision.reasons)


def _append_consequences(tx: Transaction, context: DecisionContext, risk: int, quota_before: QuotaDay | None) -> None:
    """Append the entries that follow from a decision that was just appended: the start of a reversal, and alerts."""
    if context.call.links:
        record_reversal(tx, context)
    _append_risk_alert(tx, context, risk)
    _append_behaviour_alert(tx, context, risk)
    if quota_before is not None and context.quota_day is not None:
        quotas = context.snapshot.chain[0].quotas
        context.quota_warnings = find_quota_warnings(quotas, quota_before, context.quota_day)
        _append_quota_alert(tx, context, risk)


def _count_payment_and_answers(tx: Transaction, context: DecisionContext) -> tuple[Mapping[str, Any], ...]:
    """Add a payment to its windows, and count the uses of the answers that allow the action.

    Returns:
        The commitments to the changed sums for the entry, by account.
    """
    if not context.runs:
        return ()
    changes = context.payment.list_changes() if context.payment is not None else []
    store_changes(tx, changes)
    counted = [item.make_commitment() for item in changes]
    counted += count_uses(tx, context.decision, context.amount)
    return tuple(sorted(counted, key=itemgetter("account")))


def _draft_decision(tx: Transaction, context: DecisionContext, result: DecisionResult) -> Draft:
    """The entry of a decision; stores the parts that it refers to and that are not stored yet."""
    request, snapshot = context.request, context.snapshot
    body, parts = encode_decision(request, snapshot, context.decision, result, ts_us=context.now_us)
    for name, data in (*parts, *context.parts):
        tx.put_part(name, data)
    is_first = not context.state.view.steps and bool(context.session)
    content = context.make_first_content() if is_first else context.content
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


def _hand_off(
    tx: Transaction, context: DecisionContext, credentials: Credentials, state: SessionState
) -> tuple[SessionState, str]:
    """The session's state with the link of a hand-off, and the link's handle; unchanged for any other action."""
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


def _digest_executed_arguments(context: DecisionContext, digester: Digester) -> str:
    """Keyed digest of the arguments with which the action runs; empty if they have a problem."""
    if context.request.problem:
        return ""  # observe mode runs arguments that have no canonical form, so no digest
    if context.args is context.original_args:
        return context.request.args_digest
    return digester.digest("halo/args", canonical.encode(context.args))


def _find_tainted_fingerprints(context: DecisionContext, sketch_key: bytes) -> frozenset[int]:
    """Fingerprints of untrusted values that this action of an exposed session may store."""
    request, snapshot = context.request, context.snapshot
    may_leave = request.kind is ActionKind.TOOL_CALL and request.resource.impact not in IMPACTS_WITHOUT_STORAGE
    may_leave = may_leave and not context.only_runs_queries
    if not may_leave or request.problem or not snapshot.session.tainted:
        return frozenset()
    untrusted_places = {place for place, source in snapshot.provenance if source not in TRUSTED_ORIGINS}
    texts = [leaf.text for leaf in context.leaves if leaf.pointer in untrusted_places]
    # The number of a record in the user's request is the user's, also in an untrusted value. It gets no fingerprint of
    # its own if `list_place_marks` marks the place that is written to.
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
    # INVARIANT: BIND - an approval is used once, for one request to its end. If another run has used it meanwhile, the
    # update finds no row, and the decision is made again.
    ApprovalTable(tx).set_status(approval.id, "used")
    return True


def _append_risk_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert if the action is far from ordinary, or the session as a whole has become so."""
    snapshot = context.snapshot
    # An agent with limits of its own has one for its session's risk, whose alarm `_append_behaviour_alert` reports.
    has_risen = snapshot.session_risk < ALERT_RISK <= risk and not context.has_own_limits
    has_drifted = context.assessment.drift >= DRIFT_ALARM_WEALTH > context.drift_before
    if snapshot.band < _HIGH_BAND and not has_risen and not has_drifted:
        return
    kind = "action" if snapshot.band >= _HIGH_BAND else "drift" if has_drifted else "session"
    factors = [dict(item) for item in snapshot.factors]
    _append_alert(tx, context, kind, factors, risk=snapshot.risk, session_risk=risk)


def _append_behaviour_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert where the session leaves the agent's profile on an axis for the first time."""
    axes = list_new_alarms(context)
    if axes:
        _append_alert(tx, context, name_alert(axes), describe_alarms(axes), session_risk=risk)


def _append_quota_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert if an action brings a day's quota near its end."""
    factors = [
        {"id": f"quota.{item.unit}", "value": item.used, "moved": 0, "words": item.describe()}
        for item in context.quota_warnings
    ]
    if factors:
        _append_alert(tx, context, "quota", factors, session_risk=risk)


def _append_alert(
    tx: Transaction,
    context: DecisionContext,
    kind: str,
    factors: Sequence[Mapping[str, Any]],
    *,
    risk: int | None = None,
    session_risk: int,
) -> None:
    """Append an alert about a decision that was just appended.

    Args:
        tx: the transaction.
        context: the decided call.
        kind: `action`, `drift`, `session`, `quota`, or a kind of `name_alert`.
        factors: why, the strongest first.
        risk: of the action, 0..1000; None if it was not scored.
        session_risk: of the session, 0..1000.
    """
    body = {
        "agent": context.request.subject.agent,
        "decision": context.entry_reference,
        "factors": factors,
        "kind": kind,
        "resource": context.resource.id,
        "risk": risk,
        "session_risk": session_risk,
    }
    tx.append(Draft(EntryKind.ALERT, context.session, body))


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
