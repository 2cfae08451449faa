"""Room: asking, what a challenge becomes. Takes: a decision. Gives: the request that is answered. Never: decides.

One question is asked once: the same call challenged again while its question is open refers to it, so a model that
retries does not fill an approver's list.
"""

from __future__ import annotations

from dataclasses import dataclass

from halo_core.binding import call_binding, reauthorization_binding
from halo_core.model import AccessRequest, Decision, Effect, EntryKind, Snapshot
from halo_core.pdp import REAUTHORIZATION
from halo_core.store import Draft, Tx, Written, leaf_text, rows

__all__ = ["ASK_US", "AnswerJob", "Question", "question"]

ASK_US = 86_400_000_000
"""How long a question may be answered, microseconds."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the exact call, or whether the session may go on into `epoch`.

    `known` is the id of the open request that asks the same, empty where there is none.
    """

    kind: str
    binding: str
    epoch: int
    known: str
    session: str
    body: dict[str, object]
    time_us: int

    def ask(self, tx: Tx, written: Written) -> str:
        """Record the request of a challenge, what the approver must see by reference; its id."""
        if self.known:
            return self.known
        expires_us = self.time_us + ASK_US
        body = {
            **self.body,
            "binding": self.binding,
            "decision": {"leaf": leaf_text(written.leaf), "w": written.entry.writer, "ws": written.entry.seq},
            "epoch": self.epoch,
            "expires_us": expires_us,
            "kind": self.kind,
            "status": "pending",
        }
        entry = tx.append(Draft(EntryKind.APPROVAL_REQUEST, self.session, body)).entry
        row = rows.ApprovalRow(entry.id, self.kind, self.session, self.binding, "pending", self.time_us, expires_us, "")
        rows.Approvals(tx).put(row)
        return entry.id


def question(tx: Tx, request: AccessRequest, snapshot: Snapshot, decision: Decision) -> Question | None:
    """The question that a challenge asks; None for any other decision."""
    if decision.effect is not Effect.CHALLENGE:
        return None
    again = any(
        reason.code in REAUTHORIZATION and reason.effect == Effect.CHALLENGE.value for reason in decision.reasons
    )
    session = request.context.session
    epoch = snapshot.envelopes[0].epoch + 1 if again else 0
    binding = (
        reauthorization_binding(request.subject.tenant, session, snapshot.chain[0].agent, epoch)
        if again
        else call_binding(request, snapshot.chain, snapshot.policy.rules)
    )
    row = rows.Approvals(tx).open_for(session, binding)
    is_open = row is not None and row.status == "pending" and snapshot.time_us < row.expires_us
    return Question(
        kind="reauthorization" if again else "call",
        binding=binding,
        epoch=epoch,
        known=row.id if row is not None and is_open else "",
        session=session,
        body={
            "args_digest": request.args_digest,
            "reasons": [reason.to_plain() for reason in decision.reasons],
            "resource": request.resource.id,
        },
        time_us=snapshot.time_us,
    )


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """Look up what became of a question."""

    request: str

    def __call__(self, tx: Tx) -> str:
        """Its status; empty of a question that was never asked."""
        row = rows.Approvals(tx).get(self.request)
        if row is None:
            return ""
        over = row.status == "pending" and tx.clock.now_us() >= row.expires_us
        return "expired" if over else row.status
