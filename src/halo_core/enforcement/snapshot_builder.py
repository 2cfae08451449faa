"""Builds the snapshot of a decision.

Everything is read once, inside the transaction that will hold the decision, so that nothing can change in between.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from halo_core.authority import compute_effective_authority
from halo_core.crypto.keys import Digester
from halo_core.decision.bindings import ENDING_SOURCES, UNEXPOSED, find_exposure, list_answer_bindings
from halo_core.decision.checks import revocation_applies, stop_applies
from halo_core.decision.model_fields import ACCEPTED_KIND, list_model_fields
from halo_core.enforcement.action_facts import (
    find_sketch_of_orders,
    list_user_texts,
    mark_source,
    read_facts,
    unmark_source,
)
from halo_core.enforcement.call import Credentials
from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.enforcement.exposure import HISTORY_SOURCE, iterate_observed, iterate_unvouched
from halo_core.enforcement.outbox import OutboxView, read_outbox
from halo_core.enforcement.passport_store import ActiveChain, PassportStore
from halo_core.enforcement.payment_windows import PaymentFacts, read_amount_at_stake, read_payment_facts
from halo_core.enforcement.session_behaviour import find_starting_risk, read_behaviour
from halo_core.enforcement.session_orders import NO_ORDERS
from halo_core.enforcement.standing_answers import read_standing_answers
from halo_core.enforcement.withdrawals import note_user_text
from halo_core.errors import Gap, Tampered
from halo_core.model import (
    NO_PRINCIPAL_RISK,
    AccessRequest,
    Approval,
    Mode,
    Principal,
    Provenance,
    Snapshot,
    StandingAnswer,
    Stop,
)
from halo_core.risk.action_risk import WEALTH_INDEX
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.store.answer_rows import MAX_ANSWER_LIFETIME_S, ApprovalTable
from halo_core.store.identity_rows import IdentityTable
from halo_core.store.known_values import KnownValues
from halo_core.store.proven_entries import find_paused_decision, list_asked_codes, was_approval_used
from halo_core.store.quota_rows import compute_quota_day
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.session_state import SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.facts.call_view import trace_call
from halo_core.values.facts.facts import ActionFacts
from halo_core.values.facts.listed_orders import compare_with_orders, make_orders_mark, vouch_by_order
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.orders.looked_up_words import tie_to_source
from halo_core.values.provenance.observed_text import fingerprint_vouching_text
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS, is_trusted_lookup
from halo_core.values.provenance.traced_leaves import TracedLeaf, unvouch_withdrawn, vouch_for_user
from halo_core.values.sketches.sketch import Marks, Sketch

RECALLED_MARK = "stored"
"""Added to the name of a source that returned what an exposed session had stored."""


def record_observation(
    tx: Transaction,
    state: SessionState,
    sketch: Sketch,
    observed: ObservedText,
    source: str,
    *,
    chunk: Chunk | None = None,
    is_pointed: bool = False,
    is_labelled: bool = False,
    is_related: bool = False,
    is_resolved: bool = False,
) -> SessionState:
    """Record that a session was shown a text; returns its state, tainted if the text is untrusted.

    Args:
        tx: the transaction.
        state: the session's.
        sketch: what the session has seen.
        observed: the text.
        source: name of the resource that returned it, or `HISTORY_SOURCE`.
        chunk: what the session's profile keeps of it.
        is_pointed: the user pointed at it: the action that returned it named something, and only what the user wrote.
        is_labelled: the resource that returned it has data labels.
        is_related: the action that returned it had to do with the request, and returned little.
        is_resolved: `ObservedText.resolve_origin` was called in this transaction.
    """
    if observed.text_mark and observed.text_mark in sketch.marks:
        return state  # the whole text was recorded before
    if not is_resolved:
        observed = observed.resolve_origin(tx)
    source = f"{source} ({RECALLED_MARK})" if observed.is_recalled else source
    is_users, is_untrusted = observed.origin is Provenance.USER, observed.origin is Provenance.UNTRUSTED
    source_number = 0  # the user is no source
    if not is_users:
        state, source_number = state.with_source(
            mark_source(source, is_pointed=is_pointed, is_labelled=is_labelled, is_related=is_related)
        )
    additions, spans = _compute_additions(sketch, observed, source_number)
    if additions or chunk is not None:
        state = tx.add_sketch_row(state, additions, chunk, request=is_users)
    if spans:
        state = tx.add_spans_row(state, observed.origin, spans)
    if is_users and observed.text:
        number = sketch.spans[Provenance.USER].texts - 1 if spans else -1
        state = note_user_text(tx, state, sketch, observed, number=number)
    # INVARIANT: a sketch that lacks part of an untrusted text is saturated: unknown words then count as untrusted.
    sketch.saturated = sketch.saturated or (is_untrusted and observed.is_cut)
    if state.saturated != sketch.saturated:
        state = replace(state, saturated=sketch.saturated)
    return state.with_taint_source(source) if is_untrusted else state


def _compute_additions(sketch: Sketch, observed: ObservedText, source_number: int) -> tuple[Marks, bytes]:
    """The marks that a text adds to a sketch, and its packed words in order if it vouches for values."""
    origin, fingerprints = observed.origin, observed.fingerprints
    spans = b""
    if origin is Provenance.USER:
        spans = fingerprint_vouching_text(sketch, observed.text, is_vouched=observed.is_vouched)
        fingerprints |= {observed.text_mark}
    if origin is not Provenance.KNOWN:
        return sketch.compute_additions(
            fingerprints, origin, vouched=observed.is_vouched, source_number=source_number
        ), spans
    # A lookup vouches by its forms and its words in order. Single tokens of its result are marked like a prompt's.
    additions = sketch.compute_additions(fingerprints, Provenance.SYSTEM, source_number=source_number)
    known = observed.result.known.union(tie_to_source(sketch.key, observed.result.looked_up, source_number))
    additions |= sketch.compute_additions(known, Provenance.SYSTEM, source_number=source_number)
    return additions, observed.result.spans


def read_session(tx: Transaction, context: DecisionContext, credentials: Credentials, digester: Digester) -> None:
    """Read what every decision needs of its session into the context, and record the texts that the call shows.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        credentials: what it is decided with.
        digester: keyed digests.
    """
    context.forget_attempt()
    control = context.control = tx.load_control()
    now_us, mono_us = tx.clock.now_us(), tx.clock.mono_us()
    context.now_us = now_us
    context.mode = (
        control.mode
        if control.waiver is None and context.mode_option is None
        else tx.image.find_mode(context.mode_option, now_us, mono_us)
    )
    if context.mode is Mode.OBSERVE and tx.image.floors.follow_host() is Mode.ENFORCE:
        context.mode, tx.image.control = Mode.ENFORCE, None
    context.policy = credentials.policy
    session = context.session
    state = (tx.load_session(session) if session else None) or SessionState.create(session, now_us)
    sketch = context.sketch = tx.load_sketch(state)
    head = context.principal.reference or find_head_reference(tx, context.principal)
    context.principal_risk = IdentityTable(tx, digester).read_risk(head, now_us) if head else NO_PRINCIPAL_RISK
    context.score_name = credentials.risk_assessor.find_score_name(tx, context.principal.agent) if session else ""
    if session and (context.observed_texts or context.history):
        state = _observe_history(tx, context, state, sketch)
    context.time_us = credentials.passport_store.advance_session_time(
        session, now_us, mono_us, state.view.high_water_us
    )
    context.state = state
    _trace_arguments(tx, context, digester)
    if not context.score_name:  # otherwise `build_snapshot` reads it, after the score
        read_behaviour(tx, context, digester)


def _trace_arguments(tx: Transaction, context: DecisionContext, digester: Digester) -> None:
    """Put the provenance of each argument leaf into the context; arguments with a problem have no leaves."""
    resource = context.call.resource
    is_declared_known = None
    if tx.image.has_known is not False and (declared := KnownValues(tx, digester, context.known_values)):
        is_declared_known = declared.names
    sketch, is_exposed = find_sketch_of_orders(context), context.state.view.tainted
    given = context.recorded_args
    traced_leaves = trace_call(resource, context.leaves, sketch, is_declared_known, is_exposed=is_exposed, args=given)
    if sketch is not context.sketch:
        written = trace_call(
            resource, context.leaves, context.sketch, is_declared_known, is_exposed=is_exposed, args=given
        )
        traced_leaves = unvouch_withdrawn(traced_leaves, written)
    if context.call.orders is not None or make_orders_mark(sketch.key) in context.sketch.marks:
        traced_leaves = _apply_orders(context, traced_leaves)
    is_lookup = is_trusted_lookup(resource)
    traced_leaves = vouch_for_user(traced_leaves, context.leaves, context.principal.user, is_lookup=is_lookup)
    context.traced = traced_leaves
    _record_origins(context, traced_leaves, context.state.sources)


def _apply_orders(context: DecisionContext, traced_leaves: tuple[TracedLeaf, ...]) -> tuple[TracedLeaf, ...]:
    """Find the listed order that a call carries out, take it for this call, and vouch for its values by it.

    INVARIANT: FAILCLOSED - in a session in which the host has listed orders, a block without a list orders nothing.
    """
    listed, digest = context.call.orders or NO_ORDERS, context.args_digest
    compared = compare_with_orders(
        context.call.resource, context.recorded_args, context.leaves, traced_leaves, listed.list_open(digest)
    )
    match = compared.match
    if match is not None and not listed.take(match.place, digest):
        match = None
    context.note_orders(match, compared.differences)
    return traced_leaves if match is None else vouch_by_order(traced_leaves, match)


def find_head_reference(tx: Transaction, principal: Principal) -> str:
    """Reference of the person or service account at the head of an agent's chain; empty if there is none."""
    if principal.reference or principal.user:
        return principal.reference or tx.references.of_person(principal.user)
    head = principal.chain[0] if principal.chain else ""
    return "" if head == principal.agent else tx.references.of_person(head)


def build_snapshot(
    tx: Transaction,
    context: DecisionContext,
    credentials: Credentials,
    stops: tuple[Stop, ...],
    *,
    digester: Digester,
) -> None:
    """Read the whole snapshot of a decision into the context, after `read_session`.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        credentials: what it is decided with.
        stops: stops that hold whether or not the store can be written.
        digester: keyed digests.
    """
    request, at_us, score_name = context.request, context.time_us, context.score_name
    active = context.active or load_active_chain(tx, context, credentials.passport_store)
    active = _add_receiver_problem(tx, context, credentials.passport_store, active)
    state = context.state = active.state
    chain = context.chain = active.chain
    context.accounts = active.accounts
    has_quotas = bool(chain and chain[0].quotas)
    user = context.principal.reference
    context.quota_day = compute_quota_day(tx, chain[0], at_us, user) if has_quotas else None
    approvals = _read_approvals(tx, context, active, credentials, at_us=at_us)
    context.drift_before = tx.load_profile(state).sums[WEALTH_INDEX] if score_name else 0
    assessment = credentials.risk_assessor.assess(tx, request, context.recorded_args, state, score_name, at_us=at_us)
    context.assessment = assessment
    if score_name:
        read_behaviour(tx, context, digester)
    context.uses = tx.count_uses(request.subject.agent, request.resource.id)
    context.authority = compute_effective_authority(chain, active.accounts, at_us) if chain else None
    payment = context.payment or read_payment(tx, context, digester)  # a plan may have read it
    facts = read_facts(tx, context, digester, assessment)
    answers = read_standing_answers(tx, context, digester=digester, reader=credentials.passport_store.reader)
    outbox = read_outbox(tx, context, digester)
    context.hold_room, context.held_question = outbox.has_room, outbox.question
    context.held_equal = outbox.equal
    parts = _SnapshotParts(active.problem, stops, approvals, payment, facts, answers, outbox)
    context.snapshot = _assemble_snapshot(tx, context, credentials, parts, digester)


class _SnapshotParts(NamedTuple):
    """What was read for a snapshot and is not in the context.

    Args:
        passport_problem: why the chain does not count; empty if it does.
        stops: stops that hold whether or not the store can be written.
        approvals: the number of open questions of the session, and the answer to this call if there is one.
        payment: sums of the payment windows, for a payment.
        facts: facts that spare or cause questions, and the class of the program in the arguments.
        answers: scope of the call, and the remembered answers that cover it.
        outbox: how the call is related to held acts.
    """

    passport_problem: str
    stops: tuple[Stop, ...]
    approvals: tuple[int, Approval | None]
    payment: PaymentFacts | None
    facts: ActionFacts
    answers: tuple[str, tuple[StandingAnswer, ...]]
    outbox: OutboxView


def _assemble_snapshot(
    tx: Transaction, context: DecisionContext, credentials: Credentials, parts: _SnapshotParts, digester: Digester
) -> Snapshot:
    request, control, session, chain = context.request, context.control, context.session, context.chain
    state, assessment, payment, day = context.state, context.assessment, parts.payment, context.quota_day
    pending, approval = parts.approvals
    answer_scope, standing = parts.answers
    return Snapshot(
        time_us=context.time_us,
        mode=context.mode,
        control_version=control.version,
        session=state.view,
        uses=context.uses,
        provenance=context.provenance,
        targets=context.targets,
        sources=context.sources,
        chain=chain,
        policy=credentials.policy,
        envelopes=context.accounts,
        quotas=day.used if day is not None else (),
        authority=context.authority,
        passport_problem=parts.passport_problem,
        stops=tuple(sorted({stop for stop in (*control.stops, *parts.stops) if stop_applies(stop, request, chain)})),
        # Only those that apply to this chain: the entry of a decision holds its snapshot.
        revocations=tuple(item for item in control.revocations if revocation_applies(item, chain, session)),
        approval=approval,
        dispatched=tx.was_dispatched(session, request.request_id),
        pending=pending,
        model_hash=assessment.score_name,
        risk=assessment.risk,
        features=assessment.features,
        band=assessment.band,
        factors=assessment.factors,
        session_risk=state.risk,
        score_problem=assessment.problem,
        partial=assessment.is_partial,
        refused=state.refused,
        unscored=not context.score_name and credentials.risk_assessor.has_scored_neighbour(tx, request, state, chain),
        answer_scope=answer_scope,
        standing=standing,
        amount=context.amount,
        paid_to_target=payment.paid_to_target if payment is not None else 0,
        paid_by_principal=payment.paid_by_principal if payment is not None else 0,
        repeated=payment is not None and payment.is_repeated,
        held_before=parts.outbox.rests_on_held and not parts.outbox.can_queue,
        held_behind=parts.outbox.rests_on_held and parts.outbox.can_queue,
        hold_room=context.hold_room,
        facts=parts.facts.facts,
        program=parts.facts.program,
        new_fields=_list_new_fields(tx, context, digester),
        behaviour=context.behaviour,
        principal_risk=context.principal_risk,
    )


def read_payment(tx: Transaction, context: DecisionContext, digester: Digester) -> PaymentFacts | None:
    """Read the amount at stake and, for a payment, the sums of its windows into the context, after `read_session`."""
    request = context.request
    if context.amount is None:
        context.amount = read_amount_at_stake(request, context.recorded_args)
    context.payment = read_payment_facts(
        tx,
        request,
        context.recorded_args,
        context.amount,
        role=context.terms.role,
        user_messages=_list_user_messages(tx, context),
        unvouched={name_of_argument(place) for place, origin in context.provenance if origin not in VOUCHED_ORIGINS},
        digester=digester,
        at_us=context.time_us,
    )
    return context.payment


def _list_new_fields(tx: Transaction, context: DecisionContext, digester: Digester) -> tuple[str, ...]:
    """Fields of a model request that are neither known nor accepted by the operator."""
    names = list_model_fields(context.request)
    if not names:
        return ()
    accepted = KnownValues(tx, digester, context.known_values)
    return tuple(sorted({name for name in names if not accepted.contains(ACCEPTED_KIND, name)}))


def _observe_history(tx: Transaction, context: DecisionContext, state: SessionState, sketch: Sketch) -> SessionState:
    """Record the texts and the history that a call shows; returns the session's state after them."""
    texts, is_scored = context.observed_texts, bool(context.score_name)
    if not context.history and len(texts) == 1 and texts[0].fingerprints is sketch.last_request:
        return state  # the request that the host passed before: the sketch has all of it
    for observed in iterate_observed(tx, context, is_first_action=state.view.steps == 0):
        if observed.origin is Provenance.KNOWN and observed.result.known <= sketch.marks.keys():
            continue  # an earlier call carried the same known values
        chunk = _make_request_chunk(sketch, observed, is_scored=is_scored)
        if _is_told_again(context, state, sketch, observed):
            state = note_user_text(tx, state, sketch, observed, number=-1)
        state = record_observation(tx, state, sketch, observed, observed.source or HISTORY_SOURCE, chunk=chunk)
        if observed.is_vouched:
            sketch.last_request = observed.fingerprints
    for observed in iterate_unvouched(tx, context, is_exposed=state.view.tainted):
        state = record_observation(tx, state, sketch, observed, observed.source or HISTORY_SOURCE)
    return state


def _is_told_again(context: DecisionContext, state: SessionState, sketch: Sketch, observed: ObservedText) -> bool:
    """Whether the request of a run that has just begun has the words of an earlier one, so that the user says it again.

    A run that began before the session's last decision only repeats its own request: what the user took back meanwhile
    stays taken back.
    """
    is_known = observed.is_vouched and observed.origin is Provenance.USER and observed.text_mark in sketch.marks
    return is_known and context.call.began_us > state.view.high_water_us


def _list_user_messages(tx: Transaction, context: DecisionContext) -> list[str]:
    """The user's messages, oldest first; none if the user is not the origin of each target."""
    targets = {pointer for pointer, *_ in context.targets}
    for pointer, origin in context.provenance:
        if pointer in targets and origin is not Provenance.USER:
            return []
    return list_user_texts(tx, context)


def _make_request_chunk(sketch: Sketch, observed: ObservedText, *, is_scored: bool) -> Chunk | None:
    """What the session's profile keeps of the user's words; None if no word is new, or the agent is not scored."""
    is_user = observed.origin is Provenance.USER
    has_new_words = (
        is_scored and is_user and observed.text and any(print_ not in sketch.marks for print_ in observed.fingerprints)
    )
    return make_chunk(observed.text, sketch.key) if has_new_words else None


def _record_origins(context: DecisionContext, traced_leaves: tuple[TracedLeaf, ...], names: tuple[str, ...]) -> None:
    """Record the provenance of each argument leaf, which leaves are targets, and the source names of each."""
    provenance, targets, sources = [], [], []
    for pointer, origin, places, kind, flags, is_target in traced_leaves:
        provenance.append((pointer, origin))
        if is_target:
            targets.append((pointer, str.__str__(kind), flags))
        if places:
            sources.append(
                (pointer, tuple(sorted({unmark_source(names[place - 1]) for place in places if place <= len(names)})))
            )
    context.provenance, context.targets, context.sources = tuple(provenance), tuple(targets), tuple(sources)


def load_active_chain(tx: Transaction, context: DecisionContext, passports: PassportStore) -> ActiveChain:
    """The live chain under which the call acts; the first decision of a session opens the session's link."""
    if not context.session:
        return ActiveChain(context.state)
    principal = context.principal
    requesters = principal.user, principal.agent, *principal.chain
    return passports.load_chain(
        tx,
        context.state,
        context.call.acting_handle,
        context.control.store,
        context.time_us,
        began_us=context.call.began_us,
        requesters=requesters,
        find_risk=lambda agent: find_starting_risk(tx, agent, principal.reference),
    )


def _add_receiver_problem(
    tx: Transaction, context: DecisionContext, passports: PassportStore, active: ActiveChain
) -> ActiveChain:
    """The chain; for a hand-off to an agent that could not act under it, with that problem."""
    if context.call.hand_off is None or active.problem or not context.session:
        return active
    store, at_us = context.control.store, context.time_us
    problem = passports.find_receiver_problem(tx, active, context.resource.id, store, at_us)
    return replace(active, problem=problem)


def _read_approvals(
    tx: Transaction, context: DecisionContext, active: ActiveChain, credentials: Credentials, *, at_us: int
) -> tuple[int, Approval | None]:
    """The number of open questions of the session, and the answer to this call if there is one."""
    table, session = ApprovalTable(tx), context.session
    can_end = context.call.session_source in ENDING_SOURCES
    may_reuse = can_end and table.has_answers_for_runs(context.now_us)
    may_have_paused = can_end and tx.image.runs.find(session, context.request_id) != []
    if not active.chain or not (active.state.pending or may_reuse or may_have_paused):
        return 0, None
    pending = sum(at_us < row.expires_us for row in table.list_pending(session)) if active.state.pending else 0
    for row in _find_answered_rows(tx, context, active, credentials, may_reuse=may_reuse):
        token = credentials.passport_store.reader.read_answer(tx, row, context.control.store, at_us)
        if token is None or token.kind != "call":
            continue
        asked_in, expires_us = row.session if row.session != session else "", token.expires_at_s * 1_000_000
        # INVARIANT: BIND - an answer that another run was given counts only for its time, a no for a day.
        if asked_in and token.answer != "approve":
            expires_us = min(expires_us, (token.issued_at_s + MAX_ANSWER_LIFETIME_S) * 1_000_000)
        if asked_in and at_us >= expires_us:
            continue
        # INVARIANT: BIND - a row may have been set back to unused. The signed entries say whether it was used.
        if row.status == "approved" and was_approval_used(tx, row.id, dict.fromkeys((row.session, session))):
            continue
        return pending, Approval(
            row.id,
            token.approver,
            token.key_id,
            token.binding,
            expires_us,
            token.answer == "approve",
            tx.references.of_person(token.approver),
            asked_in,
            _list_asked_codes(tx, row.id),
        )
    return pending, None


def _list_asked_codes(tx: Transaction, question: str) -> tuple[str, ...]:
    try:
        return list_asked_codes(tx, question)
    except (Gap, Tampered):
        return ()  # INVARIANT: BIND - an answer to a question that cannot be read settles nothing


def _find_answered_rows(
    tx: Transaction, context: DecisionContext, active: ActiveChain, credentials: Credentials, *, may_reuse: bool
) -> list[ApprovalRow]:
    """Questions that may hold the answer to this call.

    That is the question on which this request paused; otherwise the session's open question about the same call;
    otherwise questions about it of runs which have ended: approved ones that they left unused, and denied ones.
    """
    request, session, table = context.request, context.session, ApprovalTable(tx)
    exposure = find_exposure(context.provenance, context.targets, is_tainted=active.state.view.tainted)

    def list_bindings(asked_in: str = "", least: int = exposure) -> tuple[str, ...]:
        return list_answer_bindings(request, active.chain, credentials.policy.rules, exposure=least, asked_in=asked_in)

    paused = _find_paused_approval(tx, request)
    # INVARIANT: BIND - a paused action goes on only with the binding for which it was approved.
    if paused is not None and paused.binding in list_bindings(paused.session if paused.session != session else ""):
        context.is_paused_answer = True
        return [paused]
    if active.state.pending and (row := table.find_open(session, list_bindings())) is not None:
        return [row]
    if not may_reuse:
        return []
    approved = table.list_answered_elsewhere("approved", session, list_bindings("another"))
    denied = table.list_answered_elsewhere("denied", session, list_bindings("another", UNEXPOSED))
    return sorted(approved + denied, key=lambda row: (row.asked_us, row.id), reverse=True)


def _find_paused_approval(tx: Transaction, request: AccessRequest) -> ApprovalRow | None:
    """The question whose answer let this request run before it paused; the answer covers the rest of it too."""
    try:
        paused = find_paused_decision(tx, request.context.session, request.request_id)
    except (Gap, Tampered):
        return None  # INVARIANT: BIND - rows that differ from the signed entries answer nothing
    approval = paused.body["snapshot"].get("approval") if paused is not None else None
    row = ApprovalTable(tx).get(approval["id"]) if approval else None
    return row if row is not None and row.status == "used" else None
