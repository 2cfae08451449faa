"""Reading the snapshot of a decision.

Everything is read once, inside the transaction that will hold the decision, so that nothing can change in between.
"""

from __future__ import annotations

from dataclasses import replace

from halo_core.authority import compute_effective_authority
from halo_core.decision import revocation_applies, stop_applies
from halo_core.decision.checks import call_binding
from halo_core.enforcement.call import Credentials
from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.enforcement.passport_store import ActiveChain, PassportStore
from halo_core.errors import Gap, Tampered
from halo_core.model import AccessRequest, Approval, Provenance, Snapshot, Stop
from halo_core.risk.action_risk import WEALTH_INDEX
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.store import SessionState, Transaction, find_paused_decision, rows
from halo_core.store.rows import compute_quota_day
from halo_core.values import Sketch, trace_leaves

RECALLED_MARK = "stored"
"""Beside a source: it brought back what was stored while a session was exposed."""


def record_observation(
    tx: Transaction,
    state: SessionState,
    sketch: Sketch,
    observed: ObservedText,
    source: str,
    *,
    chunk: Chunk | None = None,
) -> SessionState:
    """Record that a session has been shown a text; returns its state, tainted by untrusted content.

    Args:
        tx: the transaction.
        state: the session's.
        sketch: what it has seen.
        observed: the text.
        source: whose.
        chunk: what the session's profile keeps of it.
    """
    observed = observed.resolve_origin(tx)
    source = f"{source} ({RECALLED_MARK})" if observed.is_recalled else source
    is_untrusted, place = observed.origin is Provenance.UNTRUSTED, 0
    if observed.origin is not Provenance.USER:
        state, place = state.with_source(source)
    additions = sketch.compute_additions(
        observed.fingerprints, observed.origin, vouched=observed.is_vouched, place=place
    )
    state = tx.add_sketch_row(state, additions, chunk, request=observed.origin is Provenance.USER)
    # INVARIANT: a sketch that could not take everything in says so, and the unknown then counts as untrusted.
    sketch.saturated = sketch.saturated or (is_untrusted and observed.is_cut)
    if state.saturated != sketch.saturated:
        state = replace(state, saturated=sketch.saturated)
    return state.with_taint_source(source) if is_untrusted else state


def read_session(tx: Transaction, context: DecisionContext, credentials: Credentials) -> None:
    """Read into the context what every decision needs of its session; texts the agent has seen count for this call.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        credentials: what it is decided with.
    """
    control = context.control = tx.load_control()
    context.mode = context.mode_option or control.mode
    context.policy = credentials.policy
    now_us = context.now_us = tx.clock.now_us()
    session = context.session
    state = (tx.load_session(session) if session else None) or SessionState.create(session, now_us)
    sketch = tx.load_sketch(state)
    context.score_name = credentials.risk_assessor.find_score_name(tx, context.principal.agent) if session else ""
    if session:
        for observed in context.observed_texts:
            if sketch.last_request is observed.fingerprints:
                continue  # it has all of these words already, as the user's
            chunk = _make_request_chunk(sketch, observed, is_scored=bool(context.score_name))
            state = record_observation(tx, state, sketch, observed, "history", chunk=chunk)
            if observed.is_vouched:
                sketch.last_request = observed.fingerprints
    context.time_us = credentials.passport_store.advance_session_time(
        session, now_us, tx.clock.mono_us(), state.view.high_water_us
    )
    context.state = state
    # Compared with what the session has seen, no more; arguments with a problem were never walked through.
    _name_origins(context, trace_leaves(context.leaves, sketch), state.sources)
    # A job that is run again starts from nothing.
    context.active, context.chain, context.accounts, context.authority = None, (), (), None
    context.made_snapshot = context.quota_day = None


def build_snapshot(
    tx: Transaction, context: DecisionContext, credentials: Credentials, stops: tuple[Stop, ...]
) -> None:
    """Read one snapshot into the context, after `read_session`.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        credentials: what it is decided with.
        stops: stops that hold whether or not the store can be written.
    """
    request, control, session, at_us = context.request, context.control, context.session, context.time_us
    scores, score_name = credentials.risk_assessor, context.score_name
    active = context.active or load_active_chain(tx, context, credentials.passport_store)
    active = _check_receiver(tx, context, credentials.passport_store, active)
    state = context.state = active.state
    chain = context.chain = active.chain
    context.accounts = active.accounts
    day = context.quota_day = compute_quota_day(tx, chain[0], at_us) if chain and chain[0].quotas else None
    pending, approval = _read_approvals(tx, context, active, credentials, at_us=at_us)
    context.drift_before = tx.load_profile(state).sums[WEALTH_INDEX] if score_name else 0
    assessment = scores.assess(tx, request, context.recorded_args, state, score_name, at_us=at_us)
    context.assessment = assessment
    context.uses = tx.count_uses(request.subject.agent, request.resource.id)
    context.authority = compute_effective_authority(chain, active.accounts, at_us) if chain else None
    context.made_snapshot = Snapshot(
        time_us=at_us,
        mode=context.mode,
        control_version=control.version,
        session=state.view,
        uses=context.uses,
        provenance=context.provenance,
        sources=context.sources,
        chain=chain,
        policy=credentials.policy,
        envelopes=active.accounts,
        quotas=day.used if day is not None else (),
        authority=context.authority,
        passport_problem=active.problem,
        stops=tuple(sorted({stop for stop in (*control.stops, *stops) if stop_applies(stop, request, chain)})),
        # Those that name something of this chain, so that an entry does not carry all there ever were.
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
        unscored=not score_name and scores.has_scored_neighbour(tx, request, state, chain),
    )


def _make_request_chunk(sketch: Sketch, observed: ObservedText, *, is_scored: bool) -> Chunk | None:
    """What the profile keeps of the user's words, None if none of them is new."""
    has_new_words = is_scored and observed.text and any(print_ not in sketch.marks for print_ in observed.fingerprints)
    return make_chunk(observed.text, sketch.key) if has_new_words else None


def _name_origins(
    context: DecisionContext,
    traced_leaves: tuple[tuple[str, Provenance, tuple[int, ...]], ...],
    names: tuple[str, ...],
) -> None:
    """Record where each argument leaf came from, and the names of the sources of each that has any."""
    provenance, sources = [], []
    for pointer, origin, places in traced_leaves:
        provenance.append((pointer, origin))
        if places:
            sources.append((pointer, tuple(sorted({names[place - 1] for place in places if place <= len(names)}))))
    context.provenance, context.sources = tuple(provenance), tuple(sources)


def load_active_chain(tx: Transaction, context: DecisionContext, passports: PassportStore) -> ActiveChain:
    """The live chain under the link acted under; a session's first decision opens its link."""
    if not context.session:
        return ActiveChain(context.state)
    principal = context.principal
    requesters = principal.user, principal.agent, *principal.chain
    return passports.load_chain(
        tx, context.state, context.call.acting_handle, context.control.store, context.time_us, requesters=requesters
    )


def _check_receiver(
    tx: Transaction, context: DecisionContext, passports: PassportStore, active: ActiveChain
) -> ActiveChain:
    """The chain, as problematic where whoever is handed to could not act."""
    if context.call.hand_off is None or active.problem or not context.session:
        return active
    store, at_us = context.control.store, context.time_us
    problem = passports.find_receiver_problem(tx, active, context.resource.id, store, at_us)
    return replace(active, problem=problem)


def _read_approvals(
    tx: Transaction, context: DecisionContext, active: ActiveChain, credentials: Credentials, *, at_us: int
) -> tuple[int, Approval | None]:
    """The number of open challenges of the session, and the answer to this call, if there is one."""
    if not active.state.pending or not active.chain:
        return 0, None
    session = context.session
    pending = sum(at_us < row.expires_us for row in rows.ApprovalTable(tx).list_pending(session))
    binding = call_binding(context.request, active.chain, credentials.policy.rules)
    row = _find_paused_approval(tx, context.request, binding) or rows.ApprovalTable(tx).find_open(session, binding)
    if row is None:
        return pending, None
    token = credentials.passport_store.reader.read_answer(tx, row, context.control.store, at_us)
    if token is None or token.kind != "call":
        return pending, None
    expires_us = token.expires_at_s * 1_000_000
    granted = token.answer == "approve"
    return pending, Approval(
        row.id,
        token.approver,
        token.key_id,
        token.binding,
        expires_us,
        granted,
        tx.references.of_person(token.approver),
    )


def _find_paused_approval(tx: Transaction, request: AccessRequest, binding: str) -> rows.ApprovalRow | None:
    """The answer with which this request was allowed before it paused; it covers the rest of the request."""
    try:
        paused = find_paused_decision(tx, request.context.session, request.request_id)
    except (Gap, Tampered):
        return None  # INVARIANT: BIND - rows that no signature bears out answer nothing
    approval = paused.body["snapshot"].get("approval") if paused is not None else None
    row = rows.ApprovalTable(tx).get(approval["id"]) if approval else None
    return row if row is not None and (row.status, row.binding) == ("used", binding) else None
