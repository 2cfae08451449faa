"""Actions inside LlamaIndex (`LlamaIndexAction`), and their pauses: a challenge becomes `wait_for_event` of a workflow.

In a step of a guarded workflow whose `Context` the host holds (`run(ctx=...)`), a challenge makes the step wait, and
the run's stream emits a `HaloChallenge`. Somebody answers it, in any process (`halo approvals approve`). Then a
`HumanResponseEvent(pending_id=...)`, or a new run from `Context.from_dict`, runs the step again: the same call is
decided again, with the answer. The event does not approve anything, but `response="reject"` in it refuses. If nobody
holds the context the run cannot be resumed, so the caller gets the `Pending` exception.

A run whose events nobody reads would wait without anybody knowing: after `answer_wait_s` seconds it ends with an error
that says what to do (`watch_events`, `_limit_wait`). Once somebody has read the question there is no such limit.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final

from llama_index.core.workflow import Event, HumanResponseEvent, InputRequiredEvent
from workflows.runtime.types.results import AddWaiter, DeleteWaiter, StepWorkerStateContextVar, WaitingForEvent

from halo_core.enforcement import flow
from halo_core.enforcement.call import Call
from halo_core.enforcement.guarded_calls import describe_challenge, make_unread_question_error
from halo_core.errors import Denied, Pending
from halo_llamaindex._runs import RunWaits, current_run, current_run_context, note_inner_error

_WAITER_PREFIX: Final = "halo:"
_LIMIT_SUFFIX: Final = ":limit"
STEERING_ERRORS: Final = (WaitingForEvent,)
"""Errors that steer a workflow; they are raised unchanged."""


class HaloChallenge(InputRequiredEvent):
    """An event: a call waits for somebody outside the chain. Contains no argument's value.

    Attributes:
        pending_id: the question; whoever answers with a `HumanResponseEvent` names it there.
        decision_id: id of the decision's entry in the log.
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


class WaitEnded(Event):
    """Wakes a step whose question nobody read in time. No step of an application handles it.

    Attributes:
        pending_id: the question.
    """

    pending_id: str


class StepPaused(WaitingForEvent[HumanResponseEvent]):
    """Raised to make a step wait for the answer to a challenge."""

    def __init__(self, challenge: HaloChallenge, *, is_repeated: bool) -> None:
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

    def __str__(self) -> str:
        """The message for a model, if something turned this error into a tool's result."""
        return self.challenge.message


class LlamaIndexAction(flow.GovernedAction[Any]):
    """An action inside LlamaIndex: a challenge makes a guarded workflow's step wait.

    Attributes:
        halo: who decides.
    """

    steering_errors = STEERING_ERRORS
    pause_errors = STEERING_ERRORS
    halo: Any

    def pause_for_approval(self, call: Call, pending: Pending) -> bool:
        """Let the step wait if it can; see `GovernedAction`.

        Raises:
            StepPaused: the step waits.
        """
        step: Any = current_run_context().waiting_step
        current_step: Any = StepWorkerStateContextVar.get(None)
        if step is None or current_step is not step:
            return False  # no step, or one of some other workflow that runs inside a step that can wait
        waiter_id = f"{_WAITER_PREFIX}{pending.pending_id}"
        waiter = next((item for item in step.state.collected_waiters if item.waiter_id == waiter_id), None)
        if waiter is not None and waiter.resolved_event is not None and _is_rejection(waiter.resolved_event):
            return True
        challenge = HaloChallenge(**describe_challenge(self.halo, call, pending))
        waits = current_run().waits
        if pending.pending_id in waits.unread:
            waits.error = make_unread_question_error(pending, self.halo.answer_wait_s)
            raise waits.error
        _limit_wait(step, waits, pending.pending_id, self.halo.answer_wait_s)
        paused = StepPaused(challenge, is_repeated=waiter is not None)
        note_inner_error(paused)
        raise paused

    def return_denied(self, denied: Denied) -> Any:
        """Like `GovernedAction`; an engine around it that catches every error cannot hide the denial."""
        try:
            return super().return_denied(denied)
        except Denied as raised:
            note_inner_error(raised)
            raise


def watch_events(waits: RunWaits, handler: Any) -> None:
    """Note which questions are read from a run's events, by any reader."""
    waits.handler = handler
    ctx = handler.ctx

    async def stream_events() -> AsyncGenerator[Event, None]:
        async for event in type(ctx).stream_events(ctx):
            if isinstance(event, HaloChallenge):
                waits.shown.add(event.pending_id)
            yield event

    ctx.stream_events = stream_events


def _limit_wait(step: Any, waits: RunWaits, pending_id: str, wait_s: float) -> None:
    """End a step's wait for an answer after a time, unless somebody has read the question by then."""
    if pending_id in waits.timed or waits.handler is None:
        return
    waits.timed.add(pending_id)
    waiter_id = f"{_WAITER_PREFIX}{pending_id}{_LIMIT_SUFFIX}"
    # Without requirements, which the framework would take as a reason to run a restored step twice.
    waiter: AddWaiter[WaitEnded] = AddWaiter(
        waiter_id=waiter_id, waiter_event=None, requirements={}, timeout=None, event_type=WaitEnded
    )
    step.returns.return_values.append(waiter)

    def end_wait() -> None:
        if pending_id in waits.shown or waits.handler.is_done():
            return
        waits.unread.add(pending_id)
        with suppress(Exception):  # the run has ended meanwhile
            waits.handler.ctx.send_event(WaitEnded(pending_id=pending_id))

    # The step runs in a context of its own; what wakes it stands outside all steps.
    asyncio.get_running_loop().call_later(wait_s, end_wait, context=contextvars.Context())


def list_waiter_ids(step: Any) -> list[str]:
    """Ids of the current work item's waiters from earlier runs of it."""
    work_item_id = step.state.work_item_id
    return [
        waiter.waiter_id
        for waiter in step.state.collected_waiters
        if waiter.waiter_id.startswith(_WAITER_PREFIX)
        and (waiter.event == step.event if work_item_id is None else waiter.work_item_id == work_item_id)
    ]


def forget_waits(step: Any) -> None:
    """Delete the waiters of a finished step."""
    step.returns.return_values.extend(DeleteWaiter(waiter_id=item) for item in list_waiter_ids(step))


def _is_rejection(event: HumanResponseEvent) -> bool:
    return "reject" in (event.get("response", None), event.get("type", None))
