"""The jobs of one action inside the store's transactions: its decision, its outcome, a hand-back.

A job is called with the transaction in which it reads and writes. `decide_call` is steps (2) to (4) of the pipeline and
`OutcomeJob` is step (6); the numbers are those of docs/ARCHITECTURE.md. A challenge becomes a request that an approver
answers, once: the same call challenged again while its question is open refers to that question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from halo_core.authority import charge_account, compute_effective_authority, settle_account
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision import decide, only_repeats
from halo_core.decision.checks import call_binding, reauthorization_binding
from halo_core.decision.record import DecisionResult, encode_decision, encode_outcome
from halo_core.enforcement.call import MAX_KEPT_CHARS, Credentials, DecisionContext, ObservedText
from halo_core.enforcement.lookups import recall_result
from halo_core.enforcement.obligations import apply_argument_obligations
from halo_core.enforcement.passport_reader import make_handback_body
from halo_core.enforcement.snapshot_builder import build_snapshot, record_observation
from halo_core.model import (
    REAUTHORIZABLE_CODES,
    RESERVED_UNITS,
    ActionKind,
    Effect,
    EntryKind,
    Envelope,
    Impact,
    Mode,
    Provenance,
    Stop,
)
from halo_core.risk.action_risk import DRIFT_ALARM_WEALTH, next_session_risk
from halo_core.risk.profile import Chunk, pack_head
from halo_core.store import Draft, SessionState, Transaction, rows
from halo_core.store.rows import read_quota_day, write_quota_day
from halo_core.values import NO_MARKS, ResultMarks, fingerprint_stored_values
from halo_core.values.sketch import MAX_TEXT

QUESTION_LIFETIME_US: Final = 86_400_000_000
"""How long a question may be answered, microseconds."""
ALERT_RISK: Final = 800
"""A session's risk (0..1000) from which somebody should look at it."""
_HIGH_BAND: Final = 2
_IMPACTS_WITHOUT_STORAGE: Final = (Impact.READ, Impact.DELETE)
_TRUSTED_ORIGINS: Final = (Provenance.USER, Provenance.KNOWN, Provenance.SYSTEM)


def decide_call(
    tx: Transaction,
    context: DecisionContext,
    *,
    credentials: Credentials,
    digester: Digester,
    sketch_key: bytes,
    read_stops: Callable[[], tuple[Stop, ...]] = tuple,
) -> DecisionContext:
    """Decide one prepared call, durably: read the snapshot, decide, append the entry, write the session's state.

    Returns:
        The context, with what was decided.
    """
    request = context.request
    build_snapshot(tx, context, credentials, read_stops())  # (2)
    snapshot = context.snapshot
    decision = context.decision = decide(request, snapshot)  # (3)
    observe = snapshot.mode is Mode.OBSERVE
    # Observe mode runs everything except what a person has stopped or revoked.
    is_stopped_by_person = any(reason.code in ("stopped", "revoked") for reason in decision.reasons)
    runs = context.runs = decision.effect.runs or (observe and not is_stopped_by_person)
    context.args = (
        context.original_args
        if observe or request.problem
        else apply_argument_obligations(context.original_args, decision.obligations)
    )
    question = _Question.of_challenge(tx, context) if not runs and decision.effect is Effect.CHALLENGE else None
    accounts = tuple(charge_account(account, decision.charges) for account in snapshot.envelopes)
    risk = snapshot.session_risk
    if snapshot.risk is not None:
        risk = next_session_risk(risk, snapshot.risk, refused=not decision.effect.runs)
    state = context.state.with_decision(
        snapshot.time_us,
        accounts,
        new_challenges=int(question is not None and not question.open_request_id),
        risk=risk,
        profile_head=context.assessment.profile_head,
        refused=decision.is_refused_attempt,
    )
    # A refused action that observe mode runs anyway creates no passport link: no valid chain could contain it.
    state, context.handle = _make_link(tx, context, credentials, state) if decision.effect.runs else (state, "")
    context.quota_day = context.quota_day.charge(decision.charges) if runs and context.quota_day is not None else None
    can_recall = snapshot.mode is Mode.ENFORCE and only_repeats(decision.reasons)
    context.earlier = (
        recall_result(tx, context.session, request.request_id, decision, max_output=MAX_KEPT_CHARS)
        if can_recall
        else None
    )
    stored = tx.add_tainted_fingerprints(_find_tainted_fingerprints(context, sketch_key)) if runs else None
    result = DecisionResult(
        runs=runs,
        authority_left=compute_effective_authority(snapshot.chain, accounts, snapshot.time_us) if accounts else None,
        session_risk=risk,
        executed_digest=_digest_executed(context, digester) if runs else "",
        state=state.make_commitment() if context.session else None,
        quota=write_quota_day(tx, context.quota_day),
        stored=stored,
        recalled=context.earlier is not None,
        withdrawn=_withdraw_question(tx, context.session, context.call.withdrawn_question)
        if context.call.withdrawn_question
        else "",
    )
    context.appended = tx.append(_draft_decision(tx, context, result))  # (4)
    _append_alert(tx, context, risk)
    context.pending_id = question.record(tx, context) if question is not None else ""
    context.used_answer = _record_run(tx, context)
    if context.session:
        tx.put_session(state, context.appended.entry)
    return context


def _draft_decision(tx: Transaction, context: DecisionContext, result: DecisionResult) -> Draft:
    """The entry of a decision; the parts that it names are stored if they are not there yet."""
    request, snapshot = context.request, context.snapshot
    body, parts = encode_decision(request, snapshot, context.decision, result, ts_us=context.now_us)
    for name, data in parts:
        tx.put_part(name, data)
    content = context.content
    if context.user_request and not context.state.view.steps:
        content = {**content, "request": context.user_request.encode()}
    run = b""
    if result.runs:
        once = snapshot.mode is Mode.ENFORCE and not request.resource.idempotent
        run = tx.make_run_key(context.session, request.request_id, once=once)
    return Draft(EntryKind.DECISION, context.session, body, content, context.subject, run=run, ts_us=context.now_us)


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
    """Fingerprints of the untrusted values that this action may store, in a session that is exposed."""
    request, snapshot = context.request, context.snapshot
    may_store = request.kind is ActionKind.TOOL_CALL and request.resource.impact not in _IMPACTS_WITHOUT_STORAGE
    if not may_store or request.problem or not snapshot.session.tainted:
        return frozenset()
    untrusted_places = {place for place, source in snapshot.provenance if source not in _TRUSTED_ORIGINS}
    return fingerprint_stored_values(
        sketch_key, (leaf.text for leaf in context.leaves if leaf.pointer in untrusted_places)
    )


def _record_run(tx: Transaction, context: DecisionContext) -> bool:
    """Record that the action runs, if it does. Returns whether this consumes an approval."""
    if not context.runs:
        return False
    request, approval = context.request, context.snapshot.approval
    tx.record_run(request.request_id, context.appended.entry)
    tx.add_use(request.subject.agent, request.resource.id)
    if approval is None or all(reason.code != "approved" for reason in context.decision.reasons):
        return False
    # INVARIANT: BIND - an approval serves once: one request, to its end.
    approvals = rows.ApprovalTable(tx)
    row = approvals.get(approval.id)
    if row is not None and row.status == "used":
        return False  # this very request goes on after a pause
    approvals.set_status(approval.id, "used")
    return True


def _append_alert(tx: Transaction, context: DecisionContext, risk: int) -> None:
    """Append an alert where the action is far from ordinary, or the session as a whole has become so."""
    snapshot = context.snapshot
    has_risen = snapshot.session_risk < ALERT_RISK <= risk
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


# questions


@dataclass(frozen=True, slots=True)
class _Question:
    """What a challenge asks an approver: to allow this exact call, or to renew the session for `epoch`.

    `open_request_id` is the id of the open request that asks the same, empty where there is none.
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
        binding = (
            reauthorization_binding(request.subject.tenant, session, snapshot.chain[0].agent, epoch)
            if is_reauthorization
            else call_binding(request, snapshot.chain, snapshot.policy.rules)
        )
        row = rows.ApprovalTable(tx).find_open(session, binding)
        is_open = row is not None and row.status == "pending" and snapshot.time_us < row.expires_us
        return cls(
            kind="reauthorization" if is_reauthorization else "call",
            binding=binding,
            epoch=epoch,
            open_request_id=row.id if row is not None and is_open else "",
        )

    def record(self, tx: Transaction, context: DecisionContext) -> str:
        """Record the approval request, which refers to the decision that the approver must see; returns its id."""
        if self.open_request_id:
            return self.open_request_id
        time_us, session = context.snapshot.time_us, context.session
        expires_us = time_us + QUESTION_LIFETIME_US
        body = {
            "args_digest": context.request.args_digest,
            "binding": self.binding,
            "decision": context.place,
            "epoch": self.epoch,
            "expires_us": expires_us,
            "kind": self.kind,
            "reasons": [reason.to_plain() for reason in context.decision.reasons],
            "resource": context.resource.id,
            "status": "pending",
        }
        entry = tx.append(Draft(EntryKind.APPROVAL_REQUEST, session, body)).entry
        row = rows.ApprovalRow(entry.id, self.kind, session, self.binding, "pending", time_us, expires_us, "")
        rows.ApprovalTable(tx).put(row)
        return entry.id


def find_question_status(tx: Transaction, request_id: str) -> str:
    """What became of a question; empty of one that was never asked."""
    row = rows.ApprovalTable(tx).get(request_id)
    if row is None:
        return ""
    is_expired = row.status == "pending" and tx.clock.now_us() >= row.expires_us
    return "expired" if is_expired else row.status


def _withdraw_question(tx: Transaction, session: str, request: str) -> str:
    """Close a question that is open or answered but not used; returns its id, or an empty text."""
    approvals = rows.ApprovalTable(tx)
    row = approvals.get(request)
    if row is None or row.session != session or row.status not in ("pending", "approved"):
        return ""
    approvals.set_status(request, "expired")
    return request


# after the decision


@dataclass(frozen=True, slots=True)
class HandBackJob:
    """Close a link and what is below it. What is closed already stays so."""

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


@dataclass(frozen=True, slots=True)
class OutcomeJob:
    """Record what became of a dispatched action. Safe to run again: the second time it does nothing.

    Args:
        context: of the decision that let it run.
        status: `success`, `error`, `cancelled`, `paused` or `not_run`.
        output: its text, as much as is kept.
        output_len: length of the whole text in characters.
        output_digest: keyed digest of the whole text.
        readable_len: length of the text a reader may have seen; for an error, it can exceed what may be recorded.
        origin: of the result, by its source and its arguments.
        result: what is kept of what may have been read, for provenance of later arguments.
        traces: returns the fingerprints by which the output is recognised as previously stored text.
        chunk: what the session's profile keeps of it.
        detail: class of the error, or how many documents were dropped.
        actual_costs: what it cost, in the units of the budgets, where that is not what was reserved.
    """

    context: DecisionContext
    status: str
    output: str = ""
    output_len: int = 0
    output_digest: str = ""
    readable_len: int = 0
    origin: Provenance = Provenance.NOVEL
    result: ResultMarks = NO_MARKS
    traces: Callable[[], Iterable[int]] = tuple
    chunk: Chunk | None = None
    detail: str = ""
    actual_costs: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, tx: Transaction) -> None:
        """Append the outcome, and record what the session has now seen."""
        context = self.context
        decided = context.appended.entry
        if tx.has_outcome(context.session, decided.writer, decided.seq):
            return
        state = tx.load_session(context.session) if context.session else None
        origin = self.origin
        if state is not None and self.result.said:
            # What the exposed model said is nobody's, and stays the model's in a later message.
            said = tx.load_sketch(state).compute_additions(self.result.said, Provenance.UNTRUSTED)
            state = tx.add_sketch_row(state, said)
        if state is not None and self.readable_len and context.resource.kind is not ActionKind.INFERENCE:
            observed = ObservedText(
                self.result.marks,
                origin,
                is_cut=self.readable_len > MAX_TEXT,
                traces=self.traces,
                result=self.result,
            ).resolve_origin(tx)
            origin = observed.origin
        if state is not None and self.readable_len and origin is not Provenance.NOVEL:
            profile = tx.load_profile(state) if self.chunk is not None else None
            state = record_observation(
                tx,
                state,
                tx.load_sketch(state),
                observed,
                context.resource.id,
                chunk=self.chunk,
                is_pointed=context.names_requested,
            )
            if profile is not None:
                state = replace(state, watched=pack_head(profile))
        actual_costs = self._compute_actual_costs()
        body: dict[str, Any] = {
            "actual": [[unit, amount] for unit, amount in sorted(actual_costs.items())],
            "decision": context.place,
            "detail": self.detail,
            "labels": list(context.resource.labels),
            "origin": origin.value,
            "output_digest": self.output_digest,
            "output_len": self.output_len,
            "status": self.status,
            "tainted": state.view.tainted if state is not None else False,
        }
        if state is not None:
            state = state.with_update(self._settle_accounts(state, actual_costs))
            body["quota"] = self._refund_quota(tx, actual_costs)
            body["state"] = state.make_commitment()
        written = tx.append(
            Draft(
                EntryKind.OUTCOME,
                context.session,
                encode_outcome(body, tx.writer.id),
                {"output": self.output.encode()} if self.output else {},
                context.subject,
                settles=(decided.writer, decided.seq),
                paused=self.status == "paused",
            )
        )
        if state is not None:
            tx.put_session(state, written.entry)

    def _settle_accounts(self, state: SessionState, actual_costs: Mapping[str, int]) -> list[Envelope]:
        """The accounts that reserved something for this action, settled."""
        charges = [item for item in self.context.reserved_charges if item[0] not in RESERVED_UNITS]
        if not charges:
            return []
        handles = self.context.handles
        return [
            settle_account(account.envelope, charges, actual_costs)
            for account in state.links
            if account.handle in handles
        ]

    def _compute_actual_costs(self) -> dict[str, int]:
        reserved = {unit: amount for unit, amount in self.context.reserved_charges if unit not in RESERVED_UNITS}
        if self.status == "not_run":
            return dict.fromkeys(reserved, 0)  # the caller was gone before anything ran
        return {
            unit: amount for unit, amount in self.actual_costs.items() if unit in reserved and amount != reserved[unit]
        }

    def _refund_quota(self, tx: Transaction, actual_costs: Mapping[str, int]) -> dict[str, Any] | None:
        """Refund the unused part of the reserved cost to the day's quota; a past day gets no refund."""
        if self.context.quota_day is None or not actual_costs:
            return None
        day = read_quota_day(tx, self.context.quota_day.account)
        if day is None or day.number != self.context.quota_day.number:
            return None
        day = replace(day, version=day.version + 1)
        for unit, amount in self.context.reserved_charges:
            if unit in actual_costs:
                day = day.refund(unit, amount - actual_costs[unit])
        return write_quota_day(tx, day)
