"""Room: the two jobs of an action, its decision and its outcome. Takes: a transaction. Gives: a verdict.

The decision job is steps 2 to 4 of the pipeline; the numbers are those of docs/ARCHITECTURE.md. Never: runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halo_core import canonical
from halo_core.authority import charged, effective, settled
from halo_core.behaviour import origin_of_result
from halo_core.behaviour.memory import head
from halo_core.behaviour.provenance import leaves
from halo_core.behaviour.scoring import DRIFTING, moved
from halo_core.behaviour.seen import Chunk
from halo_core.behaviour.sketch import MAX_TEXT
from halo_core.custody import handback_body
from halo_core.keys import Digester
from halo_core.model import (
    RESERVED_UNITS,
    ActionKind,
    Decision,
    EntryKind,
    Envelope,
    Impact,
    Mode,
    Provenance,
    Resource,
    Snapshot,
    Stop,
)
from halo_core.pdp import decide
from halo_core.pep.asking import question
from halo_core.pep.call import Prepared
from halo_core.pep.obligations import narrowed
from halo_core.pep.recall import only_repeats, recall
from halo_core.pip import Credentials, Day, Facts, Gathered, Shown, gather, read_day, see
from halo_core.reasons import text
from halo_core.store import Draft, SessionState, Tx, Written, commit_state, leaf_text, rows

__all__ = ["DecisionJob", "HandBackJob", "OutcomeJob", "Verdict", "justify"]

MAX_OUTPUT = 16_384  # characters of an output that are kept
_STORES_NOTHING = (Impact.READ, Impact.DELETE)
_HIGH = 2  # band
ALERT_RISK = 800
"""A session's risk (0..1000) from which somebody should look at it."""
_OURS = (Provenance.USER, Provenance.SYSTEM)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision as the ledger holds it. `runs` says whether the action may run now; `args` are what it runs with.

    `charges` were taken from the accounts `handles` and, on that (account, day), from the quota; `handle` is the link
    that a hand-off leads to, `claimed` if it was made for this call alone; `earlier` what the same request brought when
    it ran before (`pep.recall`); `answered` that it took an answer, and not for the rest of what paused; `watched` that
    a score is in force, `named` that all it names stood in the request, `step` the session's steps before it.
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
    charges: tuple[tuple[str, int], ...] = ()
    handles: tuple[str, ...] = ()
    day: tuple[str, int] | None = None
    handle: str = ""
    claimed: bool = False
    earlier: str | None = None
    answered: bool = False
    watched: bool = False
    named: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True)
class DecisionJob:
    """Decide one prepared request, durably."""

    prepared: Prepared
    credentials: Credentials
    digester: Digester
    mode: Mode | None
    stops: Callable[[], tuple[Stop, ...]] = tuple

    def __call__(self, tx: Tx) -> Verdict:
        """Snapshot, decide, append, move the projections."""
        prepared, request = self.prepared, self.prepared.request
        # Arguments with a problem were never walked through, so nothing here looks into them.
        named = {} if request.problem else prepared.named
        facts = Facts(named, prepared.seen, self.mode, prepared.acting, self.stops(), prepared.hand_off is not None)
        gathered = gather(tx, request, facts, self.credentials)  # (2)
        snapshot = gathered.snapshot
        decision = decide(request, snapshot)  # (3)
        observe = snapshot.mode is Mode.OBSERVE
        runs = decision.effect.runs or (observe and not _held(decision))
        args = prepared.args if observe or request.problem else narrowed(prepared.args, decision.obligations)
        asked = question(tx, request, snapshot, decision) if not runs else None
        accounts = tuple(charged(account, decision.charges) for account in snapshot.envelopes)
        risk = snapshot.session_risk
        if snapshot.risk is not None:
            risk = moved(risk, snapshot.risk, refused=not decision.effect.runs)
        watched = gathered.watched.head
        new = int(asked is not None and not asked.known)
        refused = decision.refused
        state = gathered.state.stepped(
            snapshot.time_us, accounts, asked=new, risk=risk, watched=watched, refused=refused
        )
        # What observe mode lets run although it was refused makes no link: no chain could hold it.
        state, handle = self._hand_off(tx, gathered, state) if decision.effect.runs else (state, "")
        day = gathered.day.charged(decision.charges) if runs and gathered.day is not None else None
        body = {
            "after": {
                "authority": _left(gathered, accounts),
                "budgets": [[account.link, *item] for account in accounts for item in account.spent],
                "risk": risk,
                "steps": state.view.steps,
            },
            "decision": decision.to_plain(),
            "dispatched": runs,
            "executed_digest": self._executed(args) if runs else "",
            "justification": justify(decision, request.resource.id),
            "quota": _spend(tx, day),
            "request": request.to_plain(),
            "snapshot": snapshot.to_plain(),
            "state": state.commitment() if request.context.session else None,
        }
        stored = tx.keep(self._left(snapshot)) if runs else None
        if stored is not None:
            body["stored"] = stored
        earlier = self._earlier(tx, decision, gathered)
        if earlier is not None:
            body["recalled"] = True
        approval, answered = _used(decision, gathered) if runs else "", False
        if prepared.withdraws:
            body["withdrawn"] = _withdraw(tx, request.context.session, prepared.withdraws)
        content = prepared.content
        if prepared.asked and not gathered.state.view.steps:
            content = {**content, "request": (prepared.subject, prepared.asked.encode())}
        written = tx.append(Draft(EntryKind.DECISION, request.context.session, body, content))  # (4)
        _alert(tx, written, gathered, risk)
        pending = asked.ask(tx, written) if asked is not None else ""
        if runs:
            answered = self._dispatch(tx, written, approval, once=not (observe or request.resource.idempotent))
        if request.context.session:
            tx.put_session(state, written.entry)
        made = self._verdict(written, decision, gathered, args, day, runs=runs, pending=pending, handle=handle)
        return replace(made, earlier=earlier, answered=answered)

    def _left(self, snapshot: Snapshot) -> frozenset[int]:
        """What is left of the values of an exposed session that this action may store: all that are not ours."""
        request = self.prepared.request
        keeps = request.kind is ActionKind.TOOL_CALL and request.resource.impact not in _STORES_NOTHING
        if not keeps or request.problem or not snapshot.session.tainted:
            return frozenset()
        foreign = {place for place, source in snapshot.provenance if source not in _OURS}
        return self.prepared.left(text for place, text in leaves(self.prepared.named) if place in foreign)

    def _dispatch(self, tx: Tx, written: Written, approval: str, *, once: bool) -> bool:
        """Let it run; whether that uses an answer up."""
        request = self.prepared.request
        tx.dispatch(request.request_id, written.entry, once=once)
        tx.used(request.subject.agent, request.resource.id)
        if not approval:
            return False
        # INVARIANT: BIND - an approval serves once: one request, to its end.
        challenges = rows.Approvals(tx)
        row = challenges.get(approval)
        if row is not None and row.status == "used":
            return False  # this very request goes on after a pause
        challenges.set_status(approval, "used")
        return True

    def _hand_off(self, tx: Tx, gathered: Gathered, state: SessionState) -> tuple[SessionState, str]:
        terms, accounts = self.prepared.hand_off, gathered.snapshot.envelopes
        if terms is None or not accounts:
            return state, ""
        return self.credentials.custody.hand_off(
            tx,
            state,
            accounts[-1].link,
            self.prepared.request.resource.id,
            terms=terms,
            store=gathered.control.store,
            now_us=gathered.snapshot.time_us,
            claim=self.prepared.claim,
        )

    def _earlier(self, tx: Tx, decision: Decision, gathered: Gathered) -> str | None:
        if gathered.snapshot.mode is not Mode.ENFORCE or not only_repeats(decision):
            return None
        return recall(tx, self.prepared.request.request_id, decision, whole=MAX_OUTPUT)

    def _executed(self, args: Mapping[str, Any]) -> str:
        if self.prepared.request.problem:
            return ""  # it runs in observe mode, with arguments that have no digest
        if args is self.prepared.args:
            return self.prepared.request.args_digest
        return self.digester.digest("halo/args", canonical.canonical(args))

    def _verdict(
        self,
        written: Written,
        decision: Decision,
        gathered: Gathered,
        args: Mapping[str, Any],
        day: Day | None,
        *,
        runs: bool,
        pending: str,
        handle: str,
    ) -> Verdict:
        held = tuple(account.link for account in gathered.snapshot.envelopes)
        return Verdict(
            decision=decision,
            entry_id=written.entry.id,
            leaf=leaf_text(written.leaf),
            writer=written.entry.writer,
            seq=written.entry.seq,
            session=written.entry.session,
            resource=self.prepared.request.resource,
            subject=self.prepared.subject,
            mode=gathered.snapshot.mode,
            runs=runs,
            args=args,
            pending_id=pending,
            charges=decision.charges if runs else (),
            handles=held,
            day=(day.account, day.number) if day is not None else None,
            handle=handle,
            claimed=bool(handle) and self.prepared.claim is not None and handle not in held,
            watched=bool(gathered.watched.name),
            named=gathered.watched.named,
            step=gathered.state.view.steps,
        )


def _alert(tx: Tx, written: Written, gathered: Gathered, risk: int) -> None:
    """Somebody should look: the action is far from ordinary, or the session as a whole has become so."""
    snapshot = gathered.snapshot
    rose = snapshot.session_risk < ALERT_RISK <= risk
    drifts = gathered.watched.wealth >= DRIFTING > gathered.drifted
    if snapshot.band < _HIGH and not rose and not drifts:
        return
    entry = written.entry
    body = {
        "agent": entry.body["request"]["subject"]["agent"],
        "decision": {"leaf": leaf_text(written.leaf), "w": entry.writer, "ws": entry.seq},
        "factors": [dict(item) for item in snapshot.factors],
        "kind": "action" if snapshot.band >= _HIGH else "drift" if drifts else "session",
        "resource": entry.body["request"]["resource"]["id"],
        "risk": snapshot.risk,
        "session_risk": risk,
    }
    tx.append(Draft(EntryKind.ALERT, entry.session, body))


def _held(decision: Decision) -> bool:
    """Whether a person has stopped or revoked this; that holds in observe mode too."""
    return any(reason.code in ("stopped", "revoked") for reason in decision.reasons)


def _left(gathered: Gathered, accounts: tuple[Envelope, ...]) -> int | None:
    """Authority that is left, of a chain that has any."""
    if not accounts:
        return None
    return effective(gathered.snapshot.chain, accounts, gathered.snapshot.time_us)


def _spend(tx: Tx, day: Day | None) -> dict[str, Any] | None:
    """Move the quota's row; what the entry says of it."""
    if day is None:
        return None
    data = day.to_bytes()
    rows.Quotas(tx).put(day.account, day.version, data)
    return {"account": day.account, **commit_state(day.version, data, before=day.read)}


@dataclass(frozen=True, slots=True)
class HandBackJob:
    """Close a link and what is below it. What is closed already stays so."""

    session: str
    handle: str

    def __call__(self, tx: Tx) -> None:
        """Append the entry, close the accounts."""
        state = tx.session(self.session)
        path = state.path(self.handle) if state is not None else ()
        if state is None or len(path) < 2:
            return
        above = path[-2]
        closed = (path[-1], *state.below(self.handle))
        state = state.closed(self.handle).settled()
        body = {**handback_body(closed, above), "state": state.commitment()}
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
        seen_len: length of what somebody may have read, which an error can hold more of than may be recorded.
        prints: fingerprints of what may have been read, for provenance of later arguments.
        traces: by what that could be known as something that was stored.
        chunk: what the session's profile keeps of it.
        detail: class of the error, or how many documents were dropped.
        actual: what it cost, in the units of the budgets, where that is not what was reserved.
    """

    verdict: Verdict
    status: str
    output: str = ""
    output_len: int = 0
    output_digest: str = ""
    seen_len: int = 0
    prints: frozenset[int] = frozenset()
    traces: Callable[[], Iterable[int]] = tuple
    chunk: Chunk | None = None
    detail: str = ""
    actual: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, tx: Tx) -> None:
        """Append the outcome, mark what the session has now seen."""
        verdict = self.verdict
        if not tx.settled(verdict.writer, verdict.seq, paused=self.status == "paused"):
            return
        state = tx.session(verdict.session) if verdict.session else None
        origin = origin_of_result(verdict.resource)
        if state is not None and self.seen_len and origin is not Provenance.NOVEL:
            cut = self.seen_len > MAX_TEXT
            shown = Shown(self.prints, origin, cut=cut, traces=self.traces).judged(tx)
            origin = shown.origin
            profile = tx.profile(state) if self.chunk is not None else None
            state = see(tx, state, tx.sketch(state), shown, verdict.resource.id, chunk=self.chunk)
            if profile is not None:
                state = replace(state, watched=head(profile))
        actual = self._actual()
        body: dict[str, Any] = {
            "actual": [[unit, amount] for unit, amount in sorted(actual.items())],
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
            held = (account.envelope for account in state.links if account.handle in verdict.handles)
            state = state.settled([settled(account, verdict.charges, actual) for account in held])
            body["quota"] = self._refund(tx, actual)
            body["state"] = state.commitment()
        content = {"output": (verdict.subject, self.output.encode())} if self.output else {}
        written = tx.append(Draft(EntryKind.OUTCOME, verdict.session, body, content))
        if state is not None:
            tx.put_session(state, written.entry)

    def _actual(self) -> dict[str, int]:
        reserved = {unit: amount for unit, amount in self.verdict.charges if unit not in RESERVED_UNITS}
        if self.status == "not_run":
            return dict.fromkeys(reserved, 0)  # the caller was gone before anything ran
        return {unit: amount for unit, amount in self.actual.items() if unit in reserved and amount != reserved[unit]}

    def _refund(self, tx: Tx, actual: Mapping[str, int]) -> dict[str, Any] | None:
        """Give back to the day's quota what a cost fell short of its reservation; a day that is over keeps it."""
        if self.verdict.day is None or not actual:
            return None
        account, number = self.verdict.day
        day = read_day(tx, account)
        if day is None or day.number != number:
            return None
        day = replace(day, version=day.version + 1)
        for unit, amount in self.verdict.charges:
            if unit in actual:
                day = day.refunded(unit, amount - actual[unit])
        return _spend(tx, day)


def _used(decision: Decision, gathered: Gathered) -> str:
    """The request whose answer lets the action run, empty where it took none."""
    approval = gathered.snapshot.approval
    taken = approval is not None and any(reason.code == "approved" for reason in decision.reasons)
    return approval.id if approval is not None and taken else ""


def _withdraw(tx: Tx, session: str, request: str) -> str:
    """Close a question that is open or answered, and not used: whoever waits for the answer takes it back."""
    challenges = rows.Approvals(tx)
    row = challenges.get(request)
    if row is None or row.session != session or row.status not in ("pending", "approved"):
        return ""
    challenges.set_status(request, "expired")
    return request


def justify(decision: Decision, resource: str) -> str:
    """One plain sentence saying why, from the reason codes; no argument's value appears in it."""
    parts = []
    for reason in decision.reasons:
        title = text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        parts.append(f"{title}: {reason.detail}{where}" if reason.detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
