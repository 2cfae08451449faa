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

from halo_core.enforcement import Call, Ticket
from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_llamaindex._runs import get_waiting_step

__all__ = [
    "STEERING_ERRORS",
    "HaloChallenge",
    "StepPaused",
    "abegin_or_pause",
    "begin_or_pause",
    "finish_failed",
    "forget_waits",
    "list_waiter_ids",
    "pause_or_withdraw",
    "withdraw_call",
]

_WAITER_PREFIX: Final = "halo:"
STEERING_ERRORS: Final = (WaitingForEvent,)
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


class StepPaused(WaitingForEvent[HumanResponseEvent]):
    """The step waits for a look at its question."""

    def __init__(self, challenge: HaloChallenge, *, is_repeated: bool, message: str) -> None:
        super().__init__(
            AddWaiter(
                waiter_id=f"{_WAITER_PREFIX}{challenge.pending_id}",
                waiter_event=challenge,
                requirements={"pending_id": challenge.pending_id},
                timeout=None,
                event_type=HumanResponseEvent,
            )
        )
        self.challenge = challenge
        self.is_repeated = is_repeated
        self.message = message

    def __str__(self) -> str:
        """What a model is told where something made a tool's result of this."""
        return self.message


def begin_or_pause(halo: HaloBase, call: Call) -> Ticket:
    """Decide; where a person has to answer first, let the step wait.

    Raises:
        Denied: it may not run.
        Pending: it waits for an answer, and nothing here can be resumed.
        Waiting: it waits for an answer, and the step with it.
    """
    try:
        return halo.enforcer.begin(call)
    except Pending as pending:
        if not pause_or_withdraw(halo, call, pending):
            raise
        return halo.enforcer.begin(withdraw_call(call, pending))


async def abegin_or_pause(halo: HaloBase, call: Call) -> Ticket:
    """As `begin`, from a coroutine."""
    try:
        return await halo.enforcer.abegin(call)
    except Pending as pending:
        if not pause_or_withdraw(halo, call, pending):
            raise
        return await halo.enforcer.abegin(withdraw_call(call, pending))


def pause_or_withdraw(halo: HaloBase, call: Call, pending: Pending) -> bool:
    """Whether the host takes a challenge back; one that can be waited for does not come back from here.

    Raises:
        Waiting: the step waits.
    """
    step = _get_pausable_step()
    if step is None:
        return False
    waiter_id = f"{_WAITER_PREFIX}{pending.pending_id}"
    waiter = next((item for item in step.state.collected_waiters if item.waiter_id == waiter_id), None)
    if waiter is not None and waiter.resolved_event is not None and _is_rejection(waiter.resolved_event):
        return True
    raise StepPaused(_build_challenge(halo, call, pending), is_repeated=waiter is not None, message=str(pending))


def withdraw_call(call: Call, pending: Pending) -> Call:
    """The call that records a no of whoever resumed, and closes the question."""
    return replace(call, problem="challenge_withdrawn", withdrawn_question=pending.pending_id)


def finish_failed(ticket: Ticket, error: BaseException, fallback: type[Exception] = RuntimeError) -> BaseException:
    """Record how an action ended that returned nothing: it waits inside, failed, or was cancelled.

    Returns:
        What may be raised, outside of the handler of `error` unless it is that itself.
    """
    if isinstance(error, STEERING_ERRORS):
        ticket.pause(error)
        return error
    return ticket.fail(error, fallback)


def list_waiter_ids(step: Any) -> list[str]:
    """Ids of what the piece of work at hand has waited for, before it was run again."""
    work_item_id = step.state.work_item_id
    return [
        waiter.waiter_id
        for waiter in step.state.collected_waiters
        if waiter.waiter_id.startswith(_WAITER_PREFIX)
        and (waiter.event == step.event if work_item_id is None else waiter.work_item_id == work_item_id)
    ]


def forget_waits(step: Any) -> None:
    """Forget what a step waited for that has now run to its end: nothing asks it again."""
    step.returns.return_values.extend(DeleteWaiter(waiter_id=item) for item in list_waiter_ids(step))


def _get_pausable_step() -> Any:
    """The step at hand, if it is one that can wait: not a step of some other workflow that runs inside it."""
    step = get_waiting_step()
    return step if step is not None and StepWorkerStateContextVar.get(None) is step else None


def _build_challenge(halo: HaloBase, call: Call, pending: Pending) -> HaloChallenge:
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


def _is_rejection(event: HumanResponseEvent) -> bool:
    return "reject" in (event.get("response", None), event.get("type", None))
