"""Room: the two jobs of an action, its decision and its outcome. Takes: a transaction. Gives: a verdict.

The decision job is steps 2 to 4 of the pipeline; the numbers are those of docs/ARCHITECTURE.md. Never: runs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from halo_core import canonical
from halo_core.behaviour import origin_of_result
from halo_core.behaviour.sketch import MAX_TEXT
from halo_core.keys import Digester
from halo_core.model import Decision, Effect, EntryKind, Mode, Provenance, Resource
from halo_core.pdp import decide
from halo_core.pep.call import Prepared
from halo_core.pep.obligations import clamp
from halo_core.pip import Credentials, Facts, Gathered, Shown, gather, see
from halo_core.reasons import text
from halo_core.store import Draft, Tx, Written, leaf_text

__all__ = ["DecisionJob", "OutcomeJob", "Verdict", "justify"]

MAX_OUTPUT = 16_384  # characters of an output that are kept


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision as the ledger holds it. `runs` says whether the action may run now; `args` are what it runs with."""

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


@dataclass(frozen=True, slots=True)
class DecisionJob:
    """Decide one prepared request, durably."""

    prepared: Prepared
    credentials: Credentials
    digester: Digester
    mode: Mode | None

    def __call__(self, tx: Tx) -> Verdict:
        """Snapshot, decide, append, move the projections."""
        prepared, request = self.prepared, self.prepared.request
        # Arguments with a problem were never walked through, so nothing here looks into them.
        facts = Facts({} if request.problem else prepared.named, prepared.seen, self.mode)
        gathered = gather(tx, request, facts, self.credentials)  # (2)
        snapshot = gathered.snapshot
        decision = decide(request, snapshot)  # (3)
        observe = snapshot.mode is Mode.OBSERVE
        runs = observe or decision.effect.runs
        args = prepared.args if observe or request.problem else clamp(prepared.args, decision.obligations)
        asks = not runs and decision.effect is Effect.CHALLENGE
        state = gathered.state.stepped(snapshot.time_us)
        state = replace(state, pending=state.pending + asks)
        body = {
            "after": {"authority": None, "budgets": [], "risk": snapshot.risk, "steps": state.view.steps},
            "decision": decision.to_plain(),
            "dispatched": runs,
            "executed_digest": self._executed(args) if runs else "",
            "justification": justify(decision, request.resource.id),
            "request": request.to_plain(),
            "snapshot": snapshot.to_plain(),
            "state": state.commitment() if request.context.session else None,
        }
        written = tx.append(Draft(EntryKind.DECISION, request.context.session, body, prepared.content))  # (4)
        pending = ""
        if runs:
            once = not (observe or request.resource.idempotent)
            tx.dispatch(request.request_id, written.entry, once=once)
            tx.used(request.subject.agent, request.resource.id)
        elif asks:
            pending = self._ask(tx, written, decision)
        if request.context.session:
            tx.put_session(state, written.entry)
        return self._verdict(written, decision, gathered, args, runs=runs, pending=pending)

    def _executed(self, args: Mapping[str, Any]) -> str:
        if self.prepared.request.problem:
            return ""  # it runs in observe mode, with arguments that have no digest
        if args is self.prepared.args:
            return self.prepared.request.args_digest
        return self.digester.digest("halo/args", canonical.canonical(args))

    def _ask(self, tx: Tx, written: Written, decision: Decision) -> str:
        """The request entry of a challenge: what the approver must see, by reference."""
        body = {
            "args_digest": self.prepared.request.args_digest,
            "decision": {"leaf": leaf_text(written.leaf), "w": written.entry.writer, "ws": written.entry.seq},
            "reasons": [reason.to_plain() for reason in decision.reasons],
            "resource": self.prepared.request.resource.id,
            "status": "pending",
        }
        return tx.append(Draft(EntryKind.APPROVAL_REQUEST, written.entry.session, body)).entry.id

    def _verdict(
        self,
        written: Written,
        decision: Decision,
        gathered: Gathered,
        args: Mapping[str, Any],
        *,
        runs: bool,
        pending: str,
    ) -> Verdict:
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
        )


@dataclass(frozen=True, slots=True)
class OutcomeJob:
    """Record what became of a dispatched action. Safe to run again: the second time it does nothing.

    Args:
        verdict: the decision that let it run.
        status: `success`, `error`, `cancelled` or `not_run`.
        output: its text, as much as is kept.
        output_len: length of the whole text in characters.
        output_digest: keyed digest of the whole text.
        prints: fingerprints of the text, for provenance of later arguments.
        detail: class of the error, or how many documents were dropped.
    """

    verdict: Verdict
    status: str
    output: str = ""
    output_len: int = 0
    output_digest: str = ""
    prints: frozenset[int] = frozenset()
    detail: str = ""

    def __call__(self, tx: Tx) -> None:
        """Append the outcome, mark what the session has now seen."""
        verdict = self.verdict
        if not tx.settled(verdict.writer, verdict.seq):
            return
        state = tx.session(verdict.session) if verdict.session else None
        origin = origin_of_result(verdict.resource)
        if state is not None and self.output_len and origin is not Provenance.NOVEL:
            shown = Shown(self.prints, origin, cut=self.output_len > MAX_TEXT)
            state = see(tx, state, tx.sketch(state), shown, verdict.resource.id)
        body: dict[str, Any] = {
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
            state = replace(state, view=replace(state.view, version=state.view.version + 1))
            body["state"] = state.commitment()
        content = {"output": (verdict.subject, self.output.encode())} if self.output else {}
        written = tx.append(Draft(EntryKind.OUTCOME, verdict.session, body, content))
        if state is not None:
            tx.put_session(state, written.entry)


def justify(decision: Decision, resource: str) -> str:
    """One plain sentence saying why, from the reason codes; no argument's value appears in it."""
    parts = []
    for reason in decision.reasons:
        title = text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        parts.append(f"{title}: {reason.detail}{where}" if reason.detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
