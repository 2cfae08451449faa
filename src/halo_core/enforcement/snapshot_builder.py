"""Reading the snapshot of a decision.

Everything is read once, inside the transaction that will hold the decision, so that nothing can change in between.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from halo_core.authority import compute_effective_authority
from halo_core.decision import revocation_applies, stop_applies
from halo_core.decision.checks import call_binding
from halo_core.enforcement.call import Credentials, DecisionContext, ObservedText
from halo_core.enforcement.passport_store import ActiveChain, PassportStore
from halo_core.enforcement.risk_assessor import RiskAssessment
from halo_core.errors import Gap, Tampered
from halo_core.model import AccessRequest, Approval, Provenance, Snapshot, Stop
from halo_core.risk.action_risk import WEALTH_INDEX
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.store import SessionState, Transaction, find_paused_decision, rows
from halo_core.store.rows import compute_quota_day
from halo_core.values import (
    MAX_SOURCE_INDEX,
    FactSources,
    Marks,
    Sketch,
    TracedLeaf,
    drop_said_forms,
    find_facts,
    fingerprint_said,
    fingerprint_vouching_text,
    trace_leaves,
    vouch_for_user,
)

POINTED_MARK: Final = " (pointed at)"
"""Behind a source in a session's list: the user pointed at what it brought."""
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
    is_pointed: bool = False,
) -> SessionState:
    """Record that a session has been shown a text; returns its state, tainted by untrusted content.

    Args:
        tx: the transaction.
        state: the session's.
        sketch: what it has seen.
        observed: the text.
        source: whose.
        chunk: what the session's profile keeps of it.
        is_pointed: the user pointed at it: the action that brought it named something, and only what the user wrote.
    """
    if observed.text_mark and observed.text_mark in sketch.marks:
        return state  # the same words again
    observed = observed.resolve_origin(tx)
    source = f"{source} ({RECALLED_MARK})" if observed.is_recalled else source
    is_untrusted, place = observed.origin is Provenance.UNTRUSTED, 0
    if observed.origin is not Provenance.USER:
        state, place = state.with_source(source + POINTED_MARK * is_pointed)
    additions, spans = _compute_additions(sketch, observed, place)
    state = tx.add_sketch_row(state, additions, chunk, request=observed.origin is Provenance.USER)
    if spans:
        state = tx.add_spans_row(state, observed.origin, spans)
    # INVARIANT: a sketch that could not take everything in says so, and the unknown then counts as untrusted.
    sketch.saturated = sketch.saturated or (is_untrusted and observed.is_cut)
    if state.saturated != sketch.saturated:
        state = replace(state, saturated=sketch.saturated)
    return state.with_taint_source(source) if is_untrusted else state


def _compute_additions(sketch: Sketch, observed: ObservedText, place: int) -> tuple[Marks, bytes]:
    """Marks that a text adds to a sketch, and its words in order if it vouches for values."""
    origin, fingerprints = observed.origin, observed.fingerprints
    spans = b""
    if origin is Provenance.USER:
        if not observed.is_vouched:
            # INVARIANT: VOUCH - what the model said after exposure stays the model's, whoever sends it.
            fingerprints = drop_said_forms(sketch, observed.text, fingerprints)
        spans = fingerprint_vouching_text(sketch, observed.text, is_vouched=observed.is_vouched)
        fingerprints |= {observed.text_mark}
    if origin is not Provenance.KNOWN:
        return sketch.compute_additions(fingerprints, origin, vouched=observed.is_vouched, place=place), spans
    additions = sketch.compute_additions(fingerprints, Provenance.SYSTEM, place=place)
    return additions | sketch.compute_additions(
        observed.result.known, Provenance.SYSTEM, place=place
    ), observed.result.spans


_MAX_SAID: Final = 4_096  # characters of a call's arguments that are remembered as the model's


def _record_arguments(
    tx: Transaction, state: SessionState, sketch: Sketch, context: DecisionContext, traced: tuple[TracedLeaf, ...]
) -> SessionState:
    """Record what the exposed model wrote into the arguments, so that nobody's message makes it the user's."""
    users = {leaf.pointer for leaf in traced if leaf.origin is Provenance.USER}
    texts: list[str] = []
    room = _MAX_SAID
    for leaf in context.leaves:
        if leaf.pointer not in users and room > 0:
            texts.append(leaf.text[:room])
            room -= len(texts[-1])
    said = fingerprint_said(sketch.key, texts)
    return tx.add_sketch_row(state, sketch.compute_additions(said, Provenance.UNTRUSTED)) if said else state


def build_snapshot(
    tx: Transaction, context: DecisionContext, credentials: Credentials, stops: tuple[Stop, ...]
) -> None:
    """Read one snapshot into the context; texts the agent has seen are noted first, so that they count for this call.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        credentials: what it is decided with.
        stops: stops that hold whether or not the store can be written.
    """
    request = context.request
    control = context.control = tx.load_control()
    now_us = context.now_us = tx.clock.now_us()
    session = request.context.session
    state = (tx.load_session(session) if session else None) or SessionState.create(session, now_us)
    sketch = tx.load_sketch(state)
    scores = credentials.risk_assessor
    score_name = scores.find_score_name(tx, request.subject.agent) if session else ""
    if session:
        for observed in context.observed_texts:
            chunk = _make_request_chunk(sketch, observed, is_scored=bool(score_name))
            state = record_observation(tx, state, sketch, observed, "history", chunk=chunk)
    at_us = credentials.passport_store.advance_session_time(
        session, now_us, tx.clock.mono_us(), state.view.high_water_us
    )
    active = _load_chain(tx, context, credentials.passport_store, state, at_us=at_us)
    state, chain = active.state, active.chain
    day = context.quota_day = compute_quota_day(tx, chain[0], at_us) if chain and chain[0].quotas else None
    pending, approval = _read_approvals(tx, context, active, credentials, at_us=at_us)
    # Compared with what the session has seen, no more; arguments with a problem were never walked through.
    resource = request.resource
    traced_leaves = vouch_for_user(
        trace_leaves(context.leaves, sketch, resource.targets, resource.amount), context.leaves, request.subject.user
    )
    if state.view.tainted and session:
        state = _record_arguments(tx, state, sketch, context, traced_leaves)
    context.drift_before = tx.load_profile(state).sums[WEALTH_INDEX] if score_name else 0
    assessment = scores.assess(tx, request, context.recorded_args, state, score_name, at_us=at_us)
    facts = find_facts(
        resource,
        context.recorded_args,
        context.leaves,
        traced_leaves,
        sketch,
        _find_fact_sources(tx, state, assessment),
    )
    context.names_requested = facts.names_requested
    context.state, context.assessment = state, assessment
    context.snapshot = Snapshot(
        time_us=at_us,
        mode=context.mode_option or control.mode,
        control_version=control.version,
        session=state.view,
        uses=tx.count_uses(request.subject.agent, request.resource.id),
        provenance=tuple((leaf.pointer, leaf.origin) for leaf in traced_leaves),
        targets=tuple((leaf.pointer, leaf.kind.value, leaf.flags) for leaf in traced_leaves if leaf.is_target),
        sources=_name_sources(traced_leaves, state.sources),
        chain=chain,
        policy=credentials.policy,
        envelopes=active.accounts,
        quotas=day.used if day is not None else (),
        authority=compute_effective_authority(chain, active.accounts, at_us) if chain else None,
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
        facts=facts.facts,
        program=facts.program,
        unscored=not score_name and scores.has_scored_neighbour(tx, request, state, chain),
    )


def _find_fact_sources(tx: Transaction, state: SessionState, assessment: RiskAssessment) -> FactSources:
    """What facts rest on besides the call and the sketch."""
    pointed = frozenset(place for place, source in enumerate(state.sources, 1) if source.endswith(POINTED_MARK))
    # The last place is shared by all sources that found no place of their own.
    return FactSources(
        pointed - {MAX_SOURCE_INDEX},
        partial(_is_own_domain, tx),
        is_established=assessment.is_established,
        knows_places=assessment.knows_places,
    )


def _is_own_domain(_tx: Transaction, _domain: str) -> bool:
    """Whether a mail domain is declared as the tenant's own; nothing declares any yet."""
    return False


def _make_request_chunk(sketch: Sketch, observed: ObservedText, *, is_scored: bool) -> Chunk | None:
    """What the profile keeps of the user's words, None if none of them is new."""
    has_new_words = is_scored and observed.text and any(print_ not in sketch.marks for print_ in observed.fingerprints)
    return make_chunk(observed.text, sketch.key) if has_new_words else None


def _name_sources(
    traced_leaves: tuple[TracedLeaf, ...], sources: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names of the sources of each argument leaf that has any."""
    return tuple(
        (
            leaf.pointer,
            tuple(
                sorted(
                    {sources[place - 1].removesuffix(POINTED_MARK) for place in leaf.places if place <= len(sources)}
                )
            ),
        )
        for leaf in traced_leaves
        if leaf.places
    )


def _load_chain(
    tx: Transaction, context: DecisionContext, passports: PassportStore, state: SessionState, *, at_us: int
) -> ActiveChain:
    request, store = context.request, context.control.store
    if not request.context.session:
        return ActiveChain(state)
    requesters = request.subject.user, request.subject.agent, *request.subject.chain
    active = passports.load_chain(tx, state, context.call.acting_handle, store, at_us, requesters=requesters)
    if context.call.hand_off is None or active.problem:
        return active
    return replace(active, problem=passports.find_receiver_problem(tx, active, request.resource.id, store, at_us))


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
    return pending, Approval(row.id, token.approver, token.key_id, token.binding, expires_us, granted)


def _find_paused_approval(tx: Transaction, request: AccessRequest, binding: str) -> rows.ApprovalRow | None:
    """The answer with which this request was allowed before it paused; it covers the rest of the request."""
    try:
        paused = find_paused_decision(tx, request.context.session, request.request_id)
    except (Gap, Tampered):
        return None  # INVARIANT: BIND - rows that no signature bears out answer nothing
    approval = paused.body["snapshot"].get("approval") if paused is not None else None
    row = rows.ApprovalTable(tx).get(approval["id"]) if approval else None
    return row if row is not None and (row.status, row.binding) == ("used", binding) else None
