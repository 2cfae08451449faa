"""Room: the pause, a challenge as a workflow's `wait_for_event`. Takes: calls. Gives: tickets, or a step that waits.

In a step of a guarded workflow whose `Context` the host holds (`run(ctx=...)`), a challenge makes the step wait, and
the run's stream shows a `HaloChallenge`. Somebody answers it (`halo approvals approve`), in any process. A
`HumanResponseEvent(pending_id=...)`, or a run that begins anew from `Context.from_dict`, runs the step again: the very
same call is decided anew, with the answer. The event itself approves nothing; `response="reject"` in it is a no. Where
nobody holds the context there is nothing to resume from, so the `Pending` goes to whoever called. Never: decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from llama_index.core.workflow import HumanResponseEvent, InputRequiredEvent
from workflows.runtime.types.results import AddWaiter, DeleteWaiter, StepWorkerStateContextVar, WaitingForEvent

from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_core.pep import Call, Ticket
from halo_llamaindex._context import waiting_place

__all__ = [
    "PASSES",
    "HaloChallenge",
    "Waiting",
    "abegin",
    "begin",
    "broke_off",
    "settled",
    "taken_back",
    "wait_for",
    "waits",
]

_PREFIX: Final = "halo:"
PASSES: Final = (WaitingForEvent,)
"""Errors that steer a workflow, and so go on as they are."""


class HaloChallenge(InputRequiredEvent):
    """A call waits for somebody outside the chain. No argument's value is in it.

    Attributes:
        pending_id: the question; whoever answers with a `HumanResponseEvent` names it there.
        decision_id: of its entry in the log.
        resource: what is to be acted on.
        reason: reason code.
        message: the reason in words.
        agent: who acts.
        session: id of its session.
        answer_with: the command that answers.
    """

    pending_id: str
    decision_id: str
    resource: str
    reason: str
    message: str
    agent: str
    session: str
    answer_with: str


class Waiting(WaitingForEvent[HumanResponseEvent]):
    """The step waits for a look at its question."""

    def __init__(self, challenge: HaloChallenge, *, again: bool, message: str) -> None:
        super().__init__(
            AddWaiter(
                waiter_id=f"{_PREFIX}{challenge.pending_id}",
                waiter_event=challenge,
                requirements={"pending_id": challenge.pending_id},
                timeout=None,
                event_type=HumanResponseEvent,
            )
        )
        self.challenge = challenge
        self.again = again
        self.message = message

    def __str__(self) -> str:
        """What a model is told where something made a tool's result of this."""
        return self.message


def begin(halo: HaloBase, call: Call) -> Ticket:
    """Decide; where a person has to answer first, let the step wait.

    Raises:
        Denied: it may not run.
        Pending: it waits for an answer, and nothing here can be resumed.
        Waiting: it waits for an answer, and the step with it.
    """
    try:
        return halo.enforcer.begin(call)
    except Pending as pending:
        if not wait_for(halo, call, pending):
            raise
        return halo.enforcer.begin(taken_back(call, pending))


async def abegin(halo: HaloBase, call: Call) -> Ticket:
    """As `begin`, from a coroutine."""
    try:
        return await halo.enforcer.abegin(call)
    except Pending as pending:
        if not wait_for(halo, call, pending):
            raise
        return await halo.enforcer.abegin(taken_back(call, pending))


def wait_for(halo: HaloBase, call: Call, pending: Pending) -> bool:
    """Whether the host takes a challenge back; one that can be waited for does not come back from here.

    Raises:
        Waiting: the step waits.
    """
    place = _place()
    if place is None:
        return False
    waiter_id = f"{_PREFIX}{pending.pending_id}"
    waiter = next((item for item in place.state.collected_waiters if item.waiter_id == waiter_id), None)
    if waiter is not None and waiter.resolved_event is not None and _rejects(waiter.resolved_event):
        return True
    raise Waiting(_challenge(halo, call, pending), again=waiter is not None, message=str(pending))


def taken_back(call: Call, pending: Pending) -> Call:
    """The call that records a no of whoever resumed, and closes the question."""
    return replace(call, problem="challenge_withdrawn", withdraws=pending.pending_id)


def broke_off(ticket: Ticket, error: BaseException, otherwise: type[Exception] = RuntimeError) -> BaseException:
    """Record how an action ended that returned nothing: it waits inside, failed, or was cancelled.

    Returns:
        What may be raised, outside of the handler of `error` unless it is that itself.
    """
    if isinstance(error, PASSES):
        ticket.pause(error)
        return error
    return ticket.fail(error, otherwise)


def waits(step: Any) -> list[str]:
    """Ids of what the piece of work at hand has waited for, before it was run again."""
    mine = step.state.work_item_id
    return [
        waiter.waiter_id
        for waiter in step.state.collected_waiters
        if waiter.waiter_id.startswith(_PREFIX)
        and (waiter.event == step.event if mine is None else waiter.work_item_id == mine)
    ]


def settled(step: Any) -> None:
    """Forget what a step waited for that has now run to its end: nothing asks it again."""
    step.returns.return_values.extend(DeleteWaiter(waiter_id=item) for item in waits(step))


def _place() -> Any:
    """The step at hand, if it is one that can wait: not a step of some other workflow that runs inside it."""
    place = waiting_place()
    return place if place is not None and StepWorkerStateContextVar.get(None) is place else None


def _challenge(halo: HaloBase, call: Call, pending: Pending) -> HaloChallenge:
    return HaloChallenge(
        pending_id=pending.pending_id,
        decision_id=pending.decision_id,
        resource=call.resource.id,
        reason=pending.reason,
        message=str(pending),
        agent=call.agents[-1] if call.agents else halo.agent,
        session=call.session,
        answer_with=f"halo approvals approve {pending.pending_id} --as NAME",
    )


def _rejects(event: HumanResponseEvent) -> bool:
    return "reject" in (event.get("response", None), event.get("type", None))
