"""Room: the policy information point. Takes: a transaction and a request. Gives: one snapshot. Never: decides.

Read once, inside the transaction that will hold the decision, so nothing can change between look and leap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halo_core import canonical
from halo_core.authority import effective
from halo_core.behaviour import Sketch, traced
from halo_core.behaviour.score import WEALTH
from halo_core.behaviour.seen import Chunk, chunk_of
from halo_core.binding import call_binding
from halo_core.custody import Custody, Held
from halo_core.errors import Gap, Tampered
from halo_core.model import AccessRequest, Approval, Link, Mode, PolicyView, Provenance, Revocation, Snapshot, Stop
from halo_core.pdp import revokes
from halo_core.pdp import stops as concerns
from halo_core.store import Control, SessionState, Tx, paused_run, rows
from halo_core.watching import Scores, Watched

__all__ = ["STORED", "Credentials", "Day", "Facts", "Gathered", "Shown", "gather", "read_day", "see"]

STORED = "stored"
"""Beside a source: it brought back what was stored while a session was exposed."""
_DAY_US = 86_400_000_000
_MOST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the enforcement point holds: the custody of its passports, the compiled policy, the scores it has read."""

    custody: Custody
    policy: PolicyView
    scores: Scores = field(default_factory=Scores)


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that the agent has been shown, as keyed fingerprints.

    Args:
        prints: of its tokens.
        origin: who wrote it.
        vouched: the host says so, not the conversation.
        cut: it was longer than what is read, so what it brought is not all known.
        traces: by what it could be known as something that was stored.
        text: itself, of the user's words, for the session's profile.
        back: it was known as that.
    """

    prints: frozenset[int]
    origin: Provenance
    vouched: bool = False
    cut: bool = False
    traces: Callable[[], Iterable[int]] = field(default=tuple, compare=False)
    text: str = field(default="", repr=False)
    back: bool = False

    def judged(self, tx: Tx) -> Shown:
        """The same, as untrusted where it brings back what some session stored while it was exposed.

        INVARIANT: taint outlives its session - no store makes what was put there our own word. Of the user's words, and
        of what taints by itself, nobody asks.
        """
        if self.origin is not Provenance.SYSTEM or not (stored := tx.stored()) or not stored.holds(self.traces()):
            return self
        return replace(self, origin=Provenance.UNTRUSTED, back=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the snapshot needs besides the request.

    Args:
        args: the real arguments under their recorded names; compared with what the session has seen, no more.
        seen: texts that the agent has been shown since.
        mode: the mode this handle was opened with, None for the store's.
        acting: handle of the link acted under, empty for the agent's own.
        stops: stops that hold whether or not the store can be written.
        handing: it would make a link for the resource, which is an agent.
    """

    args: Mapping[str, Any]
    seen: tuple[Shown, ...]
    mode: Mode | None
    acting: str = ""
    stops: tuple[Stop, ...] = ()
    handing: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """What was spent on one UTC day under an envelope. The day never goes back, and its sums never fall.

    Args:
        account: the envelope's name.
        version: of the row.
        number: days since the epoch.
        used: (unit, amount), sorted.
        decimals: (unit, decimals) in which they were counted, sorted.
        read: the bytes it was read from.
    """

    account: str
    version: int
    number: int
    used: tuple[tuple[str, int], ...]
    decimals: tuple[tuple[str, int], ...] = ()
    read: bytes = b""

    def charged(self, charges: tuple[tuple[str, int], ...]) -> Day:
        """After a charge, of the units that have a quota."""
        due = dict(charges)
        used = tuple((unit, min(amount + max(due.get(unit, 0), 0), _MOST)) for unit, amount in self.used)
        return replace(self, version=self.version + 1, used=used)

    def refunded(self, unit: str, amount: int) -> Day:
        """After a cost turned out lower."""
        used = tuple((name, min(max(spent - amount, 0), _MOST) if name == unit else spent) for name, spent in self.used)
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
class Gathered:
    """The snapshot with the rows it came from; `drifted` is the wealth of the session's e-process before the action."""

    snapshot: Snapshot
    control: Control
    state: SessionState
    watched: Watched
    day: Day | None = None
    drifted: int = 0


def see(
    tx: Tx, state: SessionState, sketch: Sketch, shown: Shown, source: str, *, chunk: Chunk | None = None
) -> SessionState:
    """The state of a session that has been shown a text; untrusted content taints it, whatever it says.

    Args:
        tx: the transaction.
        state: the session's.
        sketch: what it has seen.
        shown: the text.
        source: whose.
        chunk: what the session's profile keeps of it.
    """
    shown = shown.judged(tx)
    source = f"{source} ({STORED})" if shown.back else source
    foreign, place = shown.origin is Provenance.UNTRUSTED, 0
    if shown.origin is not Provenance.USER:
        state, place = state.with_source(source)
    added = sketch.additions(shown.prints, shown.origin, vouched=shown.vouched, place=place)
    state = tx.add_row(state, added, chunk, request=shown.origin is Provenance.USER)
    # INVARIANT: a sketch that could not take everything in says so, and the unknown then counts as untrusted.
    sketch.saturated = sketch.saturated or (foreign and shown.cut)
    if state.saturated != sketch.saturated:
        state = replace(state, saturated=sketch.saturated)
    return state.tainted_by(source) if foreign else state


def gather(tx: Tx, request: AccessRequest, facts: Facts, credentials: Credentials) -> Gathered:
    """Read one snapshot; texts the agent has seen are noted first, so that this very call is judged by them."""
    control = tx.control()
    now_us = tx.clock.now_us()
    session = request.context.session
    state = (tx.session(session) if session else None) or SessionState.fresh(session, now_us)
    sketch = tx.sketch(state)
    score = credentials.scores.name(tx, request.subject.agent) if session else ""
    if session:
        for shown in facts.seen:
            state = see(tx, state, sketch, shown, "history", chunk=_asked(sketch, shown, watching=bool(score)))
    at_us = credentials.custody.time(session, now_us, tx.clock.mono_us(), state.view.high_water_us)
    held = _held(tx, request, facts, credentials, state, store=control.store, at_us=at_us)
    state, chain = held.state, held.chain
    day = _day(tx, chain[0], at_us) if chain and chain[0].quotas else None
    pending, approval = _answers(tx, request, held, credentials, store=control.store, at_us=at_us)
    found = traced(facts.args, sketch)
    drifted = tx.profile(state).sums[WEALTH] if score else 0
    watched = credentials.scores.watch(tx, request, facts.args, state, score, at_us=at_us)
    uses, dispatched = tx.past(request.subject.agent, request.resource.id, request.request_id)
    snapshot = Snapshot(
        time_us=at_us,
        mode=facts.mode or control.mode,
        control_version=control.version,
        session=state.view,
        uses=uses,
        provenance=tuple((pointer, origin) for pointer, origin, _ in found),
        sources=_named(found, state.sources),
        chain=chain,
        policy=credentials.policy,
        envelopes=held.accounts,
        quotas=day.used if day is not None else (),
        authority=effective(chain, held.accounts, at_us) if chain else None,
        passport_problem=held.problem,
        stops=tuple(sorted({stop for stop in (*control.stops, *facts.stops) if concerns(stop, request, chain)})),
        revocations=_concerning(control, request, chain),
        approval=approval,
        dispatched=dispatched,
        pending=pending,
        model_hash=watched.name,
        risk=watched.risk,
        features=watched.values,
        band=watched.band,
        factors=watched.factors,
        session_risk=state.risk,
        score_problem=watched.problem,
        partial=watched.partial,
        refused=state.refused,
        unscored=not score and credentials.scores.beside(tx, request, state, chain),
    )
    return Gathered(snapshot, control, state, watched, day, drifted)


def _asked(sketch: Sketch, shown: Shown, *, watching: bool) -> Chunk | None:
    """What the profile keeps of the user's words, where any of them are new."""
    new = watching and shown.text and any(print_ not in sketch.marks for print_ in shown.prints)
    return chunk_of(shown.text, sketch.key) if new else None


def _named(
    found: tuple[tuple[str, Provenance, tuple[int, ...]], ...], sources: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names of the sources that argument leaves came from, of those that came from any."""
    return tuple(
        (pointer, tuple(sorted({sources[place - 1] for place in places if place <= len(sources)})))
        for pointer, _, places in found
        if places
    )


def _held(
    tx: Tx,
    request: AccessRequest,
    facts: Facts,
    credentials: Credentials,
    state: SessionState,
    *,
    store: str,
    at_us: int,
) -> Held:
    if not request.context.session:
        return Held(state)
    custody = credentials.custody
    held = custody.hold(tx, state, facts.acting, store, at_us, asking=_asking(request))
    if not facts.handing or held.problem:
        return held
    return replace(held, problem=custody.receiving(tx, held, request.resource.id, store, at_us))


def _asking(request: AccessRequest) -> tuple[str, ...]:
    return request.subject.user, request.subject.agent, *request.subject.chain


def _concerning(control: Control, request: AccessRequest, chain: tuple[Link, ...]) -> tuple[Revocation, ...]:
    """Revocations that name something of this chain, so that an entry does not carry all there ever were."""
    if not control.revocations:
        return ()
    return tuple(item for item in control.revocations if revokes(item, chain, request.context.session))


def _answers(
    tx: Tx, request: AccessRequest, held: Held, credentials: Credentials, *, store: str, at_us: int
) -> tuple[int, Approval | None]:
    """How many challenges of the session are open, and the answer to this very call, if somebody gave one."""
    if not held.state.pending or not held.chain:
        return 0, None
    session = request.context.session
    pending = sum(at_us < row.expires_us for row in rows.Approvals(tx).pending(session))
    binding = call_binding(request, held.chain, credentials.policy.rules)
    row = _going_on(tx, request, binding) or rows.Approvals(tx).open_for(session, binding)
    token = credentials.custody.passports.answer(tx, row, store, at_us) if row is not None else None
    if row is None or token is None or token.kind != "call":
        return pending, None
    expires_us = token.expires_at_s * 1_000_000
    granted = token.answer == "approve"
    return pending, Approval(row.id, token.approver, token.key_id, token.binding, expires_us, granted)


def _going_on(tx: Tx, request: AccessRequest, binding: str) -> rows.ApprovalRow | None:
    """The answer that this very request was let run with, if it paused since: the answer was for the whole of it."""
    try:
        ran = paused_run(tx, request.request_id)
    except (Gap, Tampered):
        return None  # INVARIANT: BIND - rows that no signature bears out answer nothing
    approval = ran.body["snapshot"].get("approval") if ran is not None else None
    row = rows.Approvals(tx).get(approval["id"]) if approval else None
    return row if row is not None and (row.status, row.binding) == ("used", binding) else None


def read_day(tx: Tx, account: str) -> Day | None:
    """The row of an account as it stands."""
    found = rows.Quotas(tx).get(account)
    if found is None:
        return None
    plain = canonical.loads(found[1])
    used, decimals = (tuple((unit, number) for unit, number in plain[name]) for name in ("used", "decimals"))
    return Day(account, found[0], plain["day"], used, decimals, found[1])


def _day(tx: Tx, root: Link, at_us: int) -> Day:
    """Today's sums, of every unit that has a quota."""
    stored = read_day(tx, root.envelope) or Day(root.envelope, 0, 0, ())
    number = max(at_us // _DAY_US, stored.number)
    known = dict(stored.used) if number == stored.number else {}
    decimals = tuple(sorted((quota.unit, quota.decimals) for quota in root.quotas))
    before = dict(stored.decimals)
    # INVARIANT: ENV - in other decimals as much is spent, and never less.
    used = tuple((unit, _in_decimals(known.get(unit, 0), before.get(unit, to), to)) for unit, to in decimals)
    return replace(stored, number=number, used=used, decimals=decimals)


def _in_decimals(amount: int, old: int, new: int) -> int:
    scaled: int = -(-amount * 10**new // 10**old)
    return min(scaled, _MOST)
