"""Distinguishes repeated answers of a model, such as recorded ones, from replays of what was dispatched.

A framework's request is identified by its message and call id. A recorded answer (a cassette, a cache) has the same ids
in every run of a conversation, and so looks like an earlier message that is replayed. If a model call that was decided
in this very run returned the message, it counts as new, whatever its id. A message without a model call (a checkpoint,
a retried step, a resumed run) is the old one. So is one whose earlier run did not end with a result or an error: what
was cancelled, cut off or is still running may have taken effect, and is not done a second time.
"""

from __future__ import annotations

from typing import Final

from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.lookups import has_ended
from halo_core.model import compute_request_id
from halo_core.store.transaction import Transaction

MAX_REPETITIONS: Final = 1_000
"""How often one recorded call of a conversation can be made; after that it is denied as `already_dispatched`."""


def identify_repetition(tx: Transaction, context: DecisionContext, answer_requests: dict[str, str]) -> None:
    """Give a call the request id that its message has in this run, which distinguishes a repetition from a replay.

    INVARIANT: ONCE - each call of a message has one id in a run, however the call ends, so a run dispatches nothing
    twice. A message that no model call of this run returned keeps its id. A call whose earlier run may have been cut
    off is not made again.

    Args:
        tx: the transaction that will hold the decision.
        context: the prepared call.
        answer_requests: see `Call.answer_requests`; the turn that was chosen is noted here.
    """
    given_id, given_turn = context.request_id, context.turn
    turn = answer_requests.get(given_id)
    if turn is None:
        turn = answer_requests[given_id] = _find_turn(tx, context)
    if turn != given_turn:
        context.rename_request(turn, _compute_id(context, turn))


def _find_turn(tx: Transaction, context: DecisionContext) -> str:
    """The message's own name, else its first repetition under which the call was not dispatched yet."""
    session, given_turn = context.session, context.turn
    if not session:
        return given_turn
    turn, request_id = given_turn, context.request_id
    for number in range(2, MAX_REPETITIONS + 2):
        if not tx.was_dispatched(session, request_id):
            return turn
        if not has_ended(tx, session, request_id):
            return turn  # under the id of the run that was cut off, so that it is denied
        turn = f"{given_turn}#{number}"
        request_id = _compute_id(context, turn)
    return given_turn


def _compute_id(context: DecisionContext, turn: str) -> str:
    resource = context.call.resource
    return compute_request_id(
        context.session,
        context.principal.agent,
        turn,
        context.call_id,
        kind=str.__str__(resource.kind),
        resource=resource.id,
        args_digest=context.args_digest,
    )
