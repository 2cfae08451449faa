"""Pauses: a challenge becomes LangGraph's `interrupt()`, for every action inside LangChain (`LangChainAction`).

In a LangGraph run with a checkpointer, a challenge interrupts the graph. Somebody answers the challenge, in any process
(`halo approvals approve`), and `Command(resume=...)` runs the node again: the same call is then decided again, with the
answer. The resume value does not approve anything, but `{"type": "reject"}` in it refuses. Without a checkpointer the
graph cannot be resumed, so the caller gets the `Pending` exception.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import langgraph.types
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand
from langgraph.types import Interrupt

from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import GovernedAction
from halo_core.enforcement.guarded_calls import HandOffAction, describe_challenge
from halo_core.errors import Denied, Pending

if TYPE_CHECKING:
    from halo_langchain import Halo

# LangGraph's names; a test holds them to the installed version.
_SCRATCHPAD_KEY: Final = "__pregel_scratchpad"
_CHECKPOINTER_KEY: Final = "__pregel_checkpointer"
_SEND_KEY: Final = "__pregel_send"
_RESUME_CHANNEL: Final = "__resume__"

_PARENT_COMMAND_SURFACE: Final[Surface[Any]] = Surface(str)
_NAMESPACE_KEY: Final = "checkpoint_ns"
_WAITING_LABEL: Final = "asked"
"""The word of this stands among the answers that LangGraph keeps of a task while the task waits for Halo."""

_LOCK: Final = threading.Lock()
_REJECTED_TASKS: Final[deque[Any]] = deque(maxlen=256)
"""Tasks resumed with a no that the call which asked has not heard yet: another of their calls was first."""


class LangChainAction(GovernedAction[Any]):
    """An action inside LangChain: a challenge pauses LangGraph, and exceptions that steer a graph pass through.

    Attributes:
        halo: who decides.
    """

    steering_errors = (GraphBubbleUp,)
    pause_errors = (GraphInterrupt,)
    halo: Halo

    def build_call(self) -> Call:
        """Like `GovernedAction`; first takes an answer that waited for this decision."""
        consume_resume(self.halo)
        return super().build_call()

    def pause_for_approval(self, call: Call, pending: Pending) -> bool:
        """Pause the graph, if there is one that can be resumed."""
        return pause_or_withdraw(self.halo, call, pending)

    def accept(self, ticket: Ticket) -> None:
        """Consume the answer that this decision used."""
        if ticket.context is not None and ticket.context.used_answer:
            discard_resume()

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Like `GovernedAction`; a command for a parent graph counts as a result."""
        if not isinstance(error, ParentCommand) or not self.records_outcome:
            return super().finish_failed(ticket, error)
        try:
            ticket.succeed(error.args[0], _PARENT_COMMAND_SURFACE)
        except Denied as denied:  # INVARIANT: FAILCLOSED - nothing makes less of what it takes with it
            denied.__cause__ = denied.__context__ = None
            return denied
        return error


class HandOffDecision(LangChainAction, HandOffAction):
    """The decision about a hand-off that the graph carries out."""


def consume_resume(halo: Halo, config: Mapping[str, Any] | None = None) -> None:
    """Take the resume value of this task if it waited for Halo; called before anything is decided or runs.

    INVARIANT: BIND - an answer to Halo's question is never taken for the answer to one that the action itself asks:
    nobody was shown that one. It approves nothing either; only a no is kept.
    """
    scratchpad = _find_scratchpad(config)
    if scratchpad is None or not scratchpad.resume:
        return
    waiting_digest = halo.make_keyed_digest(_WAITING_LABEL)
    with _LOCK:
        if waiting_digest not in scratchpad.resume:
            return
        position = scratchpad.resume.index(waiting_digest) - 1
        answer = (
            scratchpad.resume[position + 2]
            if len(scratchpad.resume) > position + 2
            else scratchpad.get_null_resume(True)
        )
        scratchpad.resume[max(position, 0) : position + 3] = []
        _save_answers(scratchpad.resume, config)
        if _is_rejection(answer):
            _REJECTED_TASKS.append(scratchpad)


def discard_resume() -> None:
    """Withhold a run's resume value from an action that was just approved: it has not asked anything yet.

    The ledger knows that also where LangGraph has lost that the task waited for Halo: in a subgraph that keeps nothing,
    in a state that was changed meanwhile.
    """
    if (scratchpad := _find_scratchpad()) is not None:
        scratchpad.get_null_resume(True)


def pause_or_withdraw(halo: Halo, call: Call, pending: Pending) -> bool:
    """Whether the host withdraws a challenge; does not return for one that can be waited for."""
    scratchpad = _find_scratchpad()
    if scratchpad is None:
        return False
    with _LOCK:
        for rejected in _REJECTED_TASKS:
            if rejected is scratchpad:
                _REJECTED_TASKS.remove(rejected)
                return True
        pending_answer = scratchpad.get_null_resume(
            True
        )  # the answer to a question of the action's own keeps its place
        if pending_answer is not None:
            scratchpad.resume.append(pending_answer)
        # Not into the list at hand, from which other calls of this task take their answers; and what asks before Halo
        # when the task is run again, where nothing stands before it, finds an empty one.
        saved_answers = [*scratchpad.resume, "", halo.make_keyed_digest(_WAITING_LABEL)]
        _save_answers(saved_answers)
    challenge = {"type": "halo_challenge", **describe_challenge(halo, call, pending)}
    raise GraphInterrupt((_build_interrupt(challenge, len(saved_answers)),))


def _build_interrupt(challenge: dict[str, str], answered: int) -> Interrupt:
    """An interrupt with the id that LangGraph gives to the next question of a task after so many answers."""
    namespace = ((var_child_runnable_config.get() or {}).get("configurable") or {}).get(_NAMESPACE_KEY, "")
    make_id = getattr(langgraph.types, "_interrupt_id", None)
    if make_id is None:  # older versions gave all of a task's questions one id
        return Interrupt.from_ns(challenge, namespace)
    return Interrupt(challenge, id=make_id(namespace, answered))


def _find_scratchpad(config: Mapping[str, Any] | None = None) -> Any:
    """LangGraph's scratchpad of the current task; None if there is nothing to resume from."""
    configurable = (config or var_child_runnable_config.get() or {}).get("configurable") or {}
    return configurable.get(_SCRATCHPAD_KEY) if configurable.get(_CHECKPOINTER_KEY) else None


def _save_answers(answers: list[Any], config: Mapping[str, Any] | None = None) -> None:
    """Let LangGraph keep these as the task's answers in case it pauses again."""
    configurable = (config or var_child_runnable_config.get() or {}).get("configurable") or {}
    configurable[_SEND_KEY]([(_RESUME_CHANNEL, list(answers))])


def _is_rejection(answer: Any) -> bool:
    if isinstance(answer, Mapping):
        decisions = answer.get("decisions")
        answers = decisions if isinstance(decisions, list) else [answer]
        return any(isinstance(item, Mapping) and item.get("type") == "reject" for item in answers)
    return isinstance(answer, str) and answer == "reject"
