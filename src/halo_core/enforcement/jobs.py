"""Room: asking, what a challenge becomes. Takes: a decision. Gives: the request that is answered. Never: decides.

One question is asked once: the same call challenged again while its question is open refers to it, so a model that
retries does not fill an approver's list.

Room: the two jobs of an action, its decision and its outcome. Takes: a transaction. Gives: a verdict.

The decision job is steps 2 to 4 of the pipeline; the numbers are those of docs/ARCHITECTURE.md. Never: runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halo_core.authority import charge_account, compute_effective_authority, settle_account
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision import REAUTHORIZATION, decide
from halo_core.decision.approval_binding import call_binding, reauthorization_binding
from halo_core.enforcement.call import PreparedCall
from halo_core.enforcement.delegation_terms import make_handback_body
from halo_core.enforcement.lookups import only_repeats, recall_result
from halo_core.enforcement.obligations import apply_argument_obligations
from halo_core.enforcement.snapshot_builder import (
    CallFacts,
    Credentials,
    ObservedText,
    QuotaDay,
    SnapshotBundle,
    build_snapshot,
    read_quota_day,
    record_observation,
)
from halo_core.model import (
    RESERVED_UNITS,
    AccessRequest,
    ActionKind,
    Decision,
    Effect,
    EntryKind,
    Envelope,
    Impact,
    Mode,
    Provenance,
    Resource,
    Snapshot,
    Stop,
)
from halo_core.reasons import get_reason_text
from halo_core.risk.profile import Chunk, pack_head
from halo_core.risk.session_risk import DRIFT_ALARM_WEALTH, next_session_risk
from halo_core.store import AppendedEntry, Draft, SessionState, Transaction, commit_state, encode_leaf, rows
from halo_core.values import MAX_TEXT, extract_leaves, origin_of_result

__all__ = [
    "QUESTION_LIFETIME_US",
    "DecisionJob",
    "HandBackJob",
    "OutcomeJob",
    "Question",
    "QuestionStatusJob",
    "Verdict",
    "build_question",
    "justify_decision",
]


QUESTION_LIFETIME_US = 86_400_000_000
"""How long a question may be answered, microseconds."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the exact call, or whether the session may go on into `epoch`.

    `open_request_id` is the id of the open request that asks the same, empty where there is none.
    """

    kind: str
    binding: str
    epoch: int
    open_request_id: str
    session: str
    body: dict[str, object]
    time_us: int

    def record(self, tx: Transaction, written: AppendedEntry) -> str:
        """Record the request of a challenge, what the approver must see by reference; its id."""
        if self.open_request_id:
            return self.open_request_id
        expires_us = self.time_us + QUESTION_LIFETIME_US
        body = {
            **self.body,
            "binding": self.binding,
            "decision": {"leaf": encode_leaf(written.leaf), "w": written.entry.writer, "ws": written.entry.seq},
            "epoch": self.epoch,
            "expires_us": expires_us,
            "kind": self.kind,
            "status": "pending",
        }
        entry = tx.append(Draft(EntryKind.APPROVAL_REQUEST, self.session, body)).entry
        row = rows.ApprovalRow(entry.id, self.kind, self.session, self.binding, "pending", self.time_us, expires_us, "")
        rows.ApprovalTable(tx).put(row)
        return entry.id


def build_question(tx: Transaction, request: AccessRequest, snapshot: Snapshot, decision: Decision) -> Question | None:
    """The question that a challenge asks; None for any other decision."""
    if decision.effect is not Effect.CHALLENGE:
        return None
    is_reauthorization = any(
        reason.code in REAUTHORIZATION and reason.effect == Effect.CHALLENGE.value for reason in decision.reasons
    )
    session = request.context.session
    epoch = snapshot.envelopes[0].epoch + 1 if is_reauthorization else 0
    binding = (
        reauthorization_binding(request.subject.tenant, session, snapshot.chain[0].agent, epoch)
        if is_reauthorization
        else call_binding(request, snapshot.chain, snapshot.policy.rules)
    )
    row = rows.ApprovalTable(tx).find_open(session, binding)
    is_open = row is not None and row.status == "pending" and snapshot.time_us < row.expires_us
    return Question(
        kind="reauthorization" if is_reauthorization else "call",
        binding=binding,
        epoch=epoch,
        open_request_id=row.id if row is not None and is_open else "",
        session=session,
        body={
            "args_digest": request.args_digest,
            "reasons": [reason.to_plain() for reason in decision.reasons],
            "resource": request.resource.id,
        },
        time_us=snapshot.time_us,
    )


@dataclass(frozen=True, slots=True)
class QuestionStatusJob:
    """Look up what became of a question."""

    request_id: str

    def __call__(self, tx: Transaction) -> str:
        """Its status; empty of a question that was never asked."""
        row = rows.ApprovalTable(tx).get(self.request_id)
        if row is None:
            return ""
        is_expired = row.status == "pending" and tx.clock.now_us() >= row.expires_us
        return "expired" if is_expired else row.status


MAX_OUTPUT_CHARS = 16_384  # characters of an output that are kept
_IMPACTS_WITHOUT_STORAGE = (Impact.READ, Impact.DELETE)
_HIGH_BAND = 2  # band
ALERT_RISK = 800
"""A session's risk (0..1000) from which somebody should look at it."""
_TRUSTED_ORIGINS = (Provenance.USER, Provenance.SYSTEM)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision as the ledger holds it. `runs` says whether the action may run now; `args` are what it runs with.

    `reserved_charges` were taken from the accounts `handles` and, on that (account, day), from the quota; `handle` is the link
    that a hand-off leads to, `has_own_link` if it was made for this call alone; `earlier` what the same request brought when
    it ran before (`pep.recall`); `used_answer` that it took an answer, and not for the rest of what paused; `is_scored` that
    a score is in force, `names_requested` that all it names stood in the request, `step` the session's steps before it.
    """

    decision: Decision
    entry_id: str
    leaf: str
    writer: str
    seq: int
    session: str
    resource: Resource
    subject: str
    mode: Mode
    runs: bool
    args: Mapping[str, Any]
    pending_id: str = ""
    reserved_charges: tuple[tuple[str, int], ...] = ()
    handles: tuple[str, ...] = ()
    quota_day: tuple[str, int] | None = None
    handle: str = ""
    has_own_link: bool = False
    earlier: str | None = None
    used_answer: bool = False
    is_scored: bool = False
    names_requested: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True)
class DecisionJob:
    """Decide one prepared request, durably."""

    prepared: PreparedCall
    credentials: Credentials
    digester: Digester
    mode: Mode | None
    read_stops: Callable[[], tuple[Stop, ...]] = tuple

    def __call__(self, tx: Transaction) -> Verdict:
        """Snapshot, decide, append, move the projections."""
        prepared, request = self.prepared, self.prepared.request
        # Arguments with a problem were never walked through, so nothing here looks into them.
        recorded_args = {} if request.problem else prepared.recorded_args
        facts = CallFacts(
            recorded_args,
            prepared.observed_texts,
            self.mode,
            prepared.acting_handle,
            self.read_stops(),
            prepared.hand_off is not None,
        )
        bundle = build_snapshot(tx, request, facts, self.credentials)  # (2)
        snapshot = bundle.snapshot
        decision = decide(request, snapshot)  # (3)
        observe = snapshot.mode is Mode.OBSERVE
        runs = decision.effect.runs or (observe and not _is_held_by_person(decision))
        args = (
            prepared.args
            if observe or request.problem
            else apply_argument_obligations(prepared.args, decision.obligations)
        )
        new_question = build_question(tx, request, snapshot, decision) if not runs else None
        accounts = tuple(charge_account(account, decision.charges) for account in snapshot.envelopes)
        risk = snapshot.session_risk
        if snapshot.risk is not None:
            risk = next_session_risk(risk, snapshot.risk, refused=not decision.effect.runs)
        profile_head = bundle.assessment.profile_head
        new_question_count = int(new_question is not None and not new_question.open_request_id)
        is_refused = decision.is_refused_attempt
        state = bundle.state.with_decision(
            snapshot.time_us,
            accounts,
            new_challenges=new_question_count,
            risk=risk,
            profile_head=profile_head,
            refused=is_refused,
        )
        # What observe mode lets run although it was refused makes no link: no chain could hold it.
        state, handle = self._make_link(tx, bundle, state) if decision.effect.runs else (state, "")
        day = bundle.day.charge(decision.charges) if runs and bundle.day is not None else None
        body = {
            "after": {
                "authority": _remaining_authority(bundle, accounts),
                "budgets": [[account.link, *item] for account in accounts for item in account.spent],
                "risk": risk,
                "steps": state.view.steps,
            },
            "decision": decision.to_plain(),
            "dispatched": runs,
            "executed_digest": self._digest_executed(args) if runs else "",
            "justification": justify_decision(decision, request.resource.id),
            "quota": _write_quota_day(tx, day),
            "request": request.to_plain(),
            "snapshot": snapshot.to_plain(),
            "state": state.make_commitment() if request.context.session else None,
        }
        stored = tx.add_tainted_fingerprints(self._tainted_fingerprints(snapshot)) if runs else None
        if stored is not None:
            body["stored"] = stored
        earlier = self._recall_result(tx, decision, bundle)
        if earlier is not None:
            body["recalled"] = True
        approval, used_answer = _find_used_approval(decision, bundle) if runs else "", False
        if prepared.withdrawn_question:
            body["withdrawn"] = _withdraw_question(tx, request.context.session, prepared.withdrawn_question)
        content = prepared.content
        if prepared.user_request and not bundle.state.view.steps:
            content = {**content, "request": (prepared.subject, prepared.user_request.encode())}
        written = tx.append(Draft(EntryKind.DECISION, request.context.session, body, content))  # (4)
        _append_alert(tx, written, bundle, risk)
        pending = new_question.record(tx, written) if new_question is not None else ""
        if runs:
            used_answer = self._record_dispatch(
                tx, written, approval, once=not (observe or request.resource.idempotent)
            )
        if request.context.session:
            tx.put_session(state, written.entry)
        verdict = self._make_verdict(written, decision, bundle, args, day, runs=runs, pending=pending, handle=handle)
        return replace(verdict, earlier=earlier, used_answer=used_answer)

    def _tainted_fingerprints(self, snapshot: Snapshot) -> frozenset[int]:
        """What is left of the values of an exposed session that this action may store: all that are not ours."""
        request = self.prepared.request
        may_store = request.kind is ActionKind.TOOL_CALL and request.resource.impact not in _IMPACTS_WITHOUT_STORAGE
        if not may_store or request.problem or not snapshot.session.tainted:
            return frozenset()
        untrusted_places = {place for place, source in snapshot.provenance if source not in _TRUSTED_ORIGINS}
        return self.prepared.tainted_fingerprints(
            text for place, text in extract_leaves(self.prepared.recorded_args) if place in untrusted_places
        )

    def _record_dispatch(self, tx: Transaction, written: AppendedEntry, approval: str, *, once: bool) -> bool:
        """Let it run; whether that uses an answer up."""
        request = self.prepared.request
        tx.record_dispatch(request.request_id, written.entry, once=once)
        tx.count_use(request.subject.agent, request.resource.id)
        if not approval:
            return False
        # INVARIANT: BIND - an approval serves once: one request, to its end.
        challenges = rows.ApprovalTable(tx)
        row = challenges.get(approval)
        if row is not None and row.status == "used":
            return False  # this very request goes on after a pause
        challenges.set_status(approval, "used")
        return True

    def _make_link(self, tx: Transaction, bundle: SnapshotBundle, state: SessionState) -> tuple[SessionState, str]:
        terms, accounts = self.prepared.hand_off, bundle.snapshot.envelopes
        if terms is None or not accounts:
            return state, ""
        return self.credentials.passport_store.hand_off(
            tx,
            state,
            accounts[-1].link,
            self.prepared.request.resource.id,
            terms=terms,
            store=bundle.control.store,
            now_us=bundle.snapshot.time_us,
            on_link_made=self.prepared.on_link_made,
        )

    def _recall_result(self, tx: Transaction, decision: Decision, bundle: SnapshotBundle) -> str | None:
        if bundle.snapshot.mode is not Mode.ENFORCE or not only_repeats(decision):
            return None
        return recall_result(tx, self.prepared.request.request_id, decision, max_output=MAX_OUTPUT_CHARS)

    def _digest_executed(self, args: Mapping[str, Any]) -> str:
        if self.prepared.request.problem:
            return ""  # it runs in observe mode, with arguments that have no digest
        if args is self.prepared.args:
            return self.prepared.request.args_digest
        return self.digester.digest("halo/args", canonical.encode(args))

    def _make_verdict(
        self,
        written: AppendedEntry,
        decision: Decision,
        bundle: SnapshotBundle,
        args: Mapping[str, Any],
        day: QuotaDay | None,
        *,
        runs: bool,
        pending: str,
        handle: str,
    ) -> Verdict:
        handles = tuple(account.link for account in bundle.snapshot.envelopes)
        return Verdict(
            decision=decision,
            entry_id=written.entry.id,
            leaf=encode_leaf(written.leaf),
            writer=written.entry.writer,
            seq=written.entry.seq,
            session=written.entry.session,
            resource=self.prepared.request.resource,
            subject=self.prepared.subject,
            mode=bundle.snapshot.mode,
            runs=runs,
            args=args,
            pending_id=pending,
            reserved_charges=decision.charges if runs else (),
            handles=handles,
            quota_day=(day.account, day.number) if day is not None else None,
            handle=handle,
            has_own_link=bool(handle) and self.prepared.on_link_made is not None and handle not in handles,
            is_scored=bool(bundle.assessment.score_name),
            names_requested=bundle.assessment.names_requested,
            step=bundle.state.view.steps,
        )


def _append_alert(tx: Transaction, written: AppendedEntry, bundle: SnapshotBundle, risk: int) -> None:
    """Somebody should look: the action is far from ordinary, or the session as a whole has become so."""
    snapshot = bundle.snapshot
    has_risen = snapshot.session_risk < ALERT_RISK <= risk
    has_drifted = bundle.assessment.drift >= DRIFT_ALARM_WEALTH > bundle.drift_before
    if snapshot.band < _HIGH_BAND and not has_risen and not has_drifted:
        return
    entry = written.entry
    body = {
        "agent": entry.body["request"]["subject"]["agent"],
        "decision": {"leaf": encode_leaf(written.leaf), "w": entry.writer, "ws": entry.seq},
        "factors": [dict(item) for item in snapshot.factors],
        "kind": "action" if snapshot.band >= _HIGH_BAND else "drift" if has_drifted else "session",
        "resource": entry.body["request"]["resource"]["id"],
        "risk": snapshot.risk,
        "session_risk": risk,
    }
    tx.append(Draft(EntryKind.ALERT, entry.session, body))


def _is_held_by_person(decision: Decision) -> bool:
    """Whether a person has stopped or revoked this; that holds in observe mode too."""
    return any(reason.code in ("stopped", "revoked") for reason in decision.reasons)


def _remaining_authority(bundle: SnapshotBundle, accounts: tuple[Envelope, ...]) -> int | None:
    """Authority that is left, of a chain that has any."""
    if not accounts:
        return None
    return compute_effective_authority(bundle.snapshot.chain, accounts, bundle.snapshot.time_us)


def _write_quota_day(tx: Transaction, day: QuotaDay | None) -> dict[str, Any] | None:
    """Move the quota's row; what the entry says of it."""
    if day is None:
        return None
    data = day.to_bytes()
    rows.QuotaTable(tx).put(day.account, day.version, data)
    return {"account": day.account, **commit_state(day.version, data, before=day.stored_bytes)}


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
        verdict: the decision that let it run.
        status: `success`, `error`, `cancelled`, `paused` or `not_run`.
        output: its text, as much as is kept.
        output_len: length of the whole text in characters.
        output_digest: keyed digest of the whole text.
        readable_len: length of what somebody may have read, which an error can hold more of than may be recorded.
        fingerprints: fingerprints of what may have been read, for provenance of later arguments.
        traces: by what that could be known as something that was stored.
        chunk: what the session's profile keeps of it.
        detail: class of the error, or how many documents were dropped.
        actual_costs: what it cost, in the units of the budgets, where that is not what was reserved.
    """

    verdict: Verdict
    status: str
    output: str = ""
    output_len: int = 0
    output_digest: str = ""
    readable_len: int = 0
    fingerprints: frozenset[int] = frozenset()
    traces: Callable[[], Iterable[int]] = tuple
    chunk: Chunk | None = None
    detail: str = ""
    actual_costs: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, tx: Transaction) -> None:
        """Append the outcome, mark what the session has now seen."""
        verdict = self.verdict
        if not tx.mark_settled(verdict.writer, verdict.seq, paused=self.status == "paused"):
            return
        state = tx.load_session(verdict.session) if verdict.session else None
        origin = origin_of_result(verdict.resource)
        if state is not None and self.readable_len and origin is not Provenance.NOVEL:
            is_cut = self.readable_len > MAX_TEXT
            observed = ObservedText(self.fingerprints, origin, is_cut=is_cut, traces=self.traces).resolve_origin(tx)
            origin = observed.origin
            profile = tx.load_profile(state) if self.chunk is not None else None
            state = record_observation(
                tx, state, tx.load_sketch(state), observed, verdict.resource.id, chunk=self.chunk
            )
            if profile is not None:
                state = replace(state, watched=pack_head(profile))
        actual_costs = self._compute_actual_costs()
        body: dict[str, Any] = {
            "actual": [[unit, amount] for unit, amount in sorted(actual_costs.items())],
            "decision": {"leaf": verdict.leaf, "w": verdict.writer, "ws": verdict.seq},
            "detail": self.detail,
            "labels": list(verdict.resource.labels),
            "origin": origin.value,
            "output_digest": self.output_digest,
            "output_len": self.output_len,
            "status": self.status,
            "tainted": state.view.tainted if state is not None else False,
        }
        if state is not None:
            charged_accounts = (account.envelope for account in state.links if account.handle in verdict.handles)
            state = state.with_update(
                [settle_account(account, verdict.reserved_charges, actual_costs) for account in charged_accounts]
            )
            body["quota"] = self._refund_quota(tx, actual_costs)
            body["state"] = state.make_commitment()
        content = {"output": (verdict.subject, self.output.encode())} if self.output else {}
        written = tx.append(Draft(EntryKind.OUTCOME, verdict.session, body, content))
        if state is not None:
            tx.put_session(state, written.entry)

    def _compute_actual_costs(self) -> dict[str, int]:
        reserved = {unit: amount for unit, amount in self.verdict.reserved_charges if unit not in RESERVED_UNITS}
        if self.status == "not_run":
            return dict.fromkeys(reserved, 0)  # the caller was gone before anything ran
        return {
            unit: amount for unit, amount in self.actual_costs.items() if unit in reserved and amount != reserved[unit]
        }

    def _refund_quota(self, tx: Transaction, actual_costs: Mapping[str, int]) -> dict[str, Any] | None:
        """Give back to the day's quota what a cost fell short of its reservation; a day that is over keeps it."""
        if self.verdict.quota_day is None or not actual_costs:
            return None
        account, number = self.verdict.quota_day
        day = read_quota_day(tx, account)
        if day is None or day.number != number:
            return None
        day = replace(day, version=day.version + 1)
        for unit, amount in self.verdict.reserved_charges:
            if unit in actual_costs:
                day = day.refund(unit, amount - actual_costs[unit])
        return _write_quota_day(tx, day)


def _find_used_approval(decision: Decision, bundle: SnapshotBundle) -> str:
    """The request whose answer lets the action run, empty where it took none."""
    approval = bundle.snapshot.approval
    is_used = approval is not None and any(reason.code == "approved" for reason in decision.reasons)
    return approval.id if approval is not None and is_used else ""


def _withdraw_question(tx: Transaction, session: str, request: str) -> str:
    """Close a question that is open or answered, and not used: whoever waits for the answer takes it back."""
    challenges = rows.ApprovalTable(tx)
    row = challenges.get(request)
    if row is None or row.session != session or row.status not in ("pending", "approved"):
        return ""
    challenges.set_status(request, "expired")
    return request


def justify_decision(decision: Decision, resource: str) -> str:
    """One plain sentence saying why, from the reason codes; no argument's value appears in it."""
    parts = []
    for reason in decision.reasons:
        title = get_reason_text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        parts.append(f"{title}: {reason.detail}{where}" if reason.detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
