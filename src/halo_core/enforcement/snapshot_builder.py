"""Room: the policy information point. Takes: a transaction and a request. Gives: one snapshot. Never: decides.

Read once, inside the transaction that will hold the decision, so nothing can change between look and leap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halo_core.authority import compute_effective_authority
from halo_core.crypto import canonical
from halo_core.decision import revocation_applies
from halo_core.decision import stop_applies as concerns
from halo_core.decision.approval_binding import call_binding
from halo_core.enforcement.passport_store import ActiveChain, PassportStore
from halo_core.enforcement.risk_assessor import RiskAssessment, RiskAssessor
from halo_core.errors import Gap, Tampered
from halo_core.model import AccessRequest, Approval, Link, Mode, PolicyView, Provenance, Revocation, Snapshot, Stop
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.risk.session_risk import WEALTH_INDEX
from halo_core.store import Control, SessionState, Transaction, find_paused_decision, rows
from halo_core.values import Sketch, trace_arguments

__all__ = [
    "RECALLED_MARK",
    "CallFacts",
    "Credentials",
    "ObservedText",
    "QuotaDay",
    "SnapshotBundle",
    "build_snapshot",
    "read_quota_day",
    "record_observation",
]

RECALLED_MARK = "stored"
"""Beside a source: it brought back what was stored while a session was exposed."""
_DAY_US = 86_400_000_000
_MAX_COUNT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the enforcement point holds: the custody of its passports, the compiled policy, the scores it has read."""

    passport_store: PassportStore
    policy: PolicyView
    risk_assessor: RiskAssessor = field(default_factory=RiskAssessor)


@dataclass(frozen=True, slots=True)
class ObservedText:
    """A text that the agent has been shown, as keyed fingerprints.

    Args:
        fingerprints: of its tokens.
        origin: who wrote it.
        is_vouched: the host says so, not the conversation.
        is_cut: it was longer than what is read, so what it brought is not all known.
        traces: by what it could be known as something that was stored.
        text: itself, of the user's words, for the session's profile.
        is_recalled: it was known as that.
    """

    fingerprints: frozenset[int]
    origin: Provenance
    is_vouched: bool = False
    is_cut: bool = False
    traces: Callable[[], Iterable[int]] = field(default=tuple, compare=False)
    text: str = field(default="", repr=False)
    is_recalled: bool = False

    def resolve_origin(self, tx: Transaction) -> ObservedText:
        """The same, as untrusted where it brings back what some session stored while it was exposed.

        INVARIANT: taint outlives its session - no store makes what was put there our own word. Of the user's words, and
        of what taints by itself, nobody asks.
        """
        if (
            self.origin is not Provenance.SYSTEM
            or not (stored := tx.load_taint_index())
            or not stored.contains_any(self.traces())
        ):
            return self
        return replace(self, origin=Provenance.UNTRUSTED, is_recalled=True)


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the snapshot needs besides the request.

    Args:
        args: the real arguments under their recorded names; compared with what the session has seen, no more.
        observed_texts: texts that the agent has been shown since.
        mode: the mode this handle was opened with, None for the store's.
        acting_handle: handle of the link acted under, empty for the agent's own.
        stops: stops that hold whether or not the store can be written.
        makes_link: it would make a link for the resource, which is an agent.
    """

    args: Mapping[str, Any]
    observed_texts: tuple[ObservedText, ...]
    mode: Mode | None
    acting_handle: str = ""
    stops: tuple[Stop, ...] = ()
    makes_link: bool = False


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """What was spent on one UTC day under an envelope. The day never goes back, and its sums never fall.

    Args:
        account: the envelope's name.
        version: of the row.
        number: days since the epoch.
        used: (unit, amount), sorted.
        decimals: (unit, decimals) in which they were counted, sorted.
        stored_bytes: the bytes it was read from.
    """

    account: str
    version: int
    number: int
    used: tuple[tuple[str, int], ...]
    decimals: tuple[tuple[str, int], ...] = ()
    stored_bytes: bytes = b""

    def charge(self, charges: tuple[tuple[str, int], ...]) -> QuotaDay:
        """After a charge, of the units that have a quota."""
        amounts = dict(charges)
        used = tuple((unit, min(amount + max(amounts.get(unit, 0), 0), _MAX_COUNT)) for unit, amount in self.used)
        return replace(self, version=self.version + 1, used=used)

    def refund(self, unit: str, amount: int) -> QuotaDay:
        """After a cost turned out lower."""
        used = tuple(
            (name, min(max(spent - amount, 0), _MAX_COUNT) if name == unit else spent) for name, spent in self.used
        )
        return replace(self, used=used)

    def to_bytes(self) -> bytes:
        """For the `state` column."""
        return canonical.dumps(
            {
                "day": self.number,
                "decimals": [list(item) for item in self.decimals],
                "used": [list(item) for item in self.used],
            }
        )


@dataclass(frozen=True, slots=True)
class SnapshotBundle:
    """The snapshot with the rows it came from; `drift_before` is the wealth of the session's e-process before the action."""

    snapshot: Snapshot
    control: Control
    state: SessionState
    assessment: RiskAssessment
    day: QuotaDay | None = None
    drift_before: int = 0


def record_observation(
    tx: Transaction,
    state: SessionState,
    sketch: Sketch,
    observed: ObservedText,
    source: str,
    *,
    chunk: Chunk | None = None,
) -> SessionState:
    """The state of a session that has been shown a text; untrusted content taints it, whatever it says.

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


def build_snapshot(
    tx: Transaction, request: AccessRequest, facts: CallFacts, credentials: Credentials
) -> SnapshotBundle:
    """Read one snapshot; texts the agent has seen are noted first, so that this very call is judged by them."""
    control = tx.load_control()
    now_us = tx.clock.now_us()
    session = request.context.session
    state = (tx.load_session(session) if session else None) or SessionState.create(session, now_us)
    sketch = tx.load_sketch(state)
    score_name = credentials.risk_assessor.find_score_name(tx, request.subject.agent) if session else ""
    if session:
        for observed in facts.observed_texts:
            state = record_observation(
                tx,
                state,
                sketch,
                observed,
                "history",
                chunk=_make_request_chunk(sketch, observed, is_scored=bool(score_name)),
            )
    at_us = credentials.passport_store.advance_session_time(
        session, now_us, tx.clock.mono_us(), state.view.high_water_us
    )
    active = _load_chain(tx, request, facts, credentials, state, store=control.store, at_us=at_us)
    state, chain = active.state, active.chain
    day = _compute_quota_day(tx, chain[0], at_us) if chain and chain[0].quotas else None
    pending, approval = _read_approvals(tx, request, active, credentials, store=control.store, at_us=at_us)
    traced_leaves = trace_arguments(facts.args, sketch)
    drift_before = tx.load_profile(state).sums[WEALTH_INDEX] if score_name else 0
    assessment = credentials.risk_assessor.assess(tx, request, facts.args, state, score_name, at_us=at_us)
    uses, dispatched = tx.load_past_use(request.subject.agent, request.resource.id, request.request_id)
    snapshot = Snapshot(
        time_us=at_us,
        mode=facts.mode or control.mode,
        control_version=control.version,
        session=state.view,
        uses=uses,
        provenance=tuple((pointer, origin) for pointer, origin, _ in traced_leaves),
        sources=_name_sources(traced_leaves, state.sources),
        chain=chain,
        policy=credentials.policy,
        envelopes=active.accounts,
        quotas=day.used if day is not None else (),
        authority=compute_effective_authority(chain, active.accounts, at_us) if chain else None,
        passport_problem=active.problem,
        stops=tuple(sorted({stop for stop in (*control.stops, *facts.stops) if concerns(stop, request, chain)})),
        revocations=_filter_revocations(control, request, chain),
        approval=approval,
        dispatched=dispatched,
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
        unscored=not score_name and credentials.risk_assessor.has_scored_neighbour(tx, request, state, chain),
    )
    return SnapshotBundle(snapshot, control, state, assessment, day, drift_before)


def _make_request_chunk(sketch: Sketch, observed: ObservedText, *, is_scored: bool) -> Chunk | None:
    """What the profile keeps of the user's words, where any of them are new."""
    has_new_words = is_scored and observed.text and any(print_ not in sketch.marks for print_ in observed.fingerprints)
    return make_chunk(observed.text, sketch.key) if has_new_words else None


def _name_sources(
    traced_leaves: tuple[tuple[str, Provenance, tuple[int, ...]], ...], sources: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names of the sources that argument leaves came from, of those that came from any."""
    return tuple(
        (pointer, tuple(sorted({sources[place - 1] for place in places if place <= len(sources)})))
        for pointer, _, places in traced_leaves
        if places
    )


def _load_chain(
    tx: Transaction,
    request: AccessRequest,
    facts: CallFacts,
    credentials: Credentials,
    state: SessionState,
    *,
    store: str,
    at_us: int,
) -> ActiveChain:
    if not request.context.session:
        return ActiveChain(state)
    custody = credentials.passport_store
    active = custody.load_chain(tx, state, facts.acting_handle, store, at_us, requesters=_list_requesters(request))
    if not facts.makes_link or active.problem:
        return active
    return replace(active, problem=custody.find_receiver_problem(tx, active, request.resource.id, store, at_us))


def _list_requesters(request: AccessRequest) -> tuple[str, ...]:
    return request.subject.user, request.subject.agent, *request.subject.chain


def _filter_revocations(control: Control, request: AccessRequest, chain: tuple[Link, ...]) -> tuple[Revocation, ...]:
    """Revocations that name something of this chain, so that an entry does not carry all there ever were."""
    if not control.revocations:
        return ()
    return tuple(item for item in control.revocations if revocation_applies(item, chain, request.context.session))


def _read_approvals(
    tx: Transaction, request: AccessRequest, active: ActiveChain, credentials: Credentials, *, store: str, at_us: int
) -> tuple[int, Approval | None]:
    """How many challenges of the session are open, and the answer to this very call, if somebody gave one."""
    if not active.state.pending or not active.chain:
        return 0, None
    session = request.context.session
    pending = sum(at_us < row.expires_us for row in rows.ApprovalTable(tx).list_pending(session))
    binding = call_binding(request, active.chain, credentials.policy.rules)
    row = _find_paused_approval(tx, request, binding) or rows.ApprovalTable(tx).find_open(session, binding)
    token = credentials.passport_store.reader.read_answer(tx, row, store, at_us) if row is not None else None
    if row is None or token is None or token.kind != "call":
        return pending, None
    expires_us = token.expires_at_s * 1_000_000
    granted = token.answer == "approve"
    return pending, Approval(row.id, token.approver, token.key_id, token.binding, expires_us, granted)


def _find_paused_approval(tx: Transaction, request: AccessRequest, binding: str) -> rows.ApprovalRow | None:
    """The answer that this very request was let run with, if it paused since: the answer was for the whole of it."""
    try:
        paused = find_paused_decision(tx, request.request_id)
    except (Gap, Tampered):
        return None  # INVARIANT: BIND - rows that no signature bears out answer nothing
    approval = paused.body["snapshot"].get("approval") if paused is not None else None
    row = rows.ApprovalTable(tx).get(approval["id"]) if approval else None
    return row if row is not None and (row.status, row.binding) == ("used", binding) else None


def read_quota_day(tx: Transaction, account: str) -> QuotaDay | None:
    """The row of an account as it stands."""
    stored = rows.QuotaTable(tx).get(account)
    if stored is None:
        return None
    tree = canonical.loads(stored[1])
    used, decimals = (tuple((unit, number) for unit, number in tree[name]) for name in ("used", "decimals"))
    return QuotaDay(account, stored[0], tree["day"], used, decimals, stored[1])


def _compute_quota_day(tx: Transaction, root: Link, at_us: int) -> QuotaDay:
    """Today's sums, of every unit that has a quota."""
    stored = read_quota_day(tx, root.envelope) or QuotaDay(root.envelope, 0, 0, ())
    number = max(at_us // _DAY_US, stored.number)
    spent_today = dict(stored.used) if number == stored.number else {}
    decimals = tuple(sorted((quota.unit, quota.decimals) for quota in root.quotas))
    old_decimals = dict(stored.decimals)
    # INVARIANT: ENV - in other decimals as much is spent, and never less.
    used = tuple((unit, _rescale(spent_today.get(unit, 0), old_decimals.get(unit, to), to)) for unit, to in decimals)
    return replace(stored, number=number, used=used, decimals=decimals)


def _rescale(amount: int, old: int, new: int) -> int:
    scaled: int = -(-amount * 10**new // 10**old)
    return min(scaled, _MAX_COUNT)
