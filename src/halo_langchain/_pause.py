"""Room: the pause, a challenge as LangGraph's `interrupt()`. Takes: calls. Gives: tickets, or a graph that waits.

Inside a LangGraph run that has a checkpointer, a challenge stops the graph where it stands. Somebody answers it
(`halo approvals approve`), in any process, and `Command(resume=...)` runs the node again: the very same call is then
decided anew, with the answer. The resume value itself approves nothing; `{"type": "reject"}` in it is a no. Without a
checkpointer there is nothing to resume from, so the `Pending` goes to whoever called. Never: decides.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import langgraph.types
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand
from langgraph.types import Interrupt

from halo_core.errors import Denied, Pending
from halo_core.pep import Call, Surface, Ticket

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["abegin", "begin", "broke_off", "heard", "raisable", "taken_back", "unasked", "withdrawn"]

# LangGraph's names; a test holds them to the installed version.
_SCRATCHPAD: Final = "__pregel_scratchpad"
_CHECKPOINTER: Final = "__pregel_checkpointer"
_SEND: Final = "__pregel_send"
_RESUME: Final = "__resume__"

_LEFT: Final[Surface[Any]] = Surface(str)
_NAMESPACE: Final = "checkpoint_ns"
_ASKED: Final = "asked"
"""The word of this stands among the answers that LangGraph keeps of a task while the task waits for Halo."""

_LOCK: Final = threading.Lock()
_REFUSED: Final[deque[Any]] = deque(maxlen=256)
"""Tasks resumed with a no that the call which asked has not heard yet: another of their calls was first."""


def begin(halo: Halo, call: Call) -> Ticket:
    """Decide; where a person has to answer first, pause the graph.

    Raises:
        Denied: it may not run.
        Pending: it waits for an answer, and nothing here can be resumed.
        GraphInterrupt: it waits for an answer, and the graph with it.
    """
    heard(halo)
    try:
        return _first(halo.enforcer.begin(call))
    except Pending as pending:
        if not withdrawn(halo, call, pending):
            raise
        return halo.enforcer.begin(taken_back(call, pending))


async def abegin(halo: Halo, call: Call) -> Ticket:
    """As `begin`, from a coroutine."""
    heard(halo)
    try:
        return _first(await halo.enforcer.abegin(call))
    except Pending as pending:
        if not withdrawn(halo, call, pending):
            raise
        return await halo.enforcer.abegin(taken_back(call, pending))


def broke_off(ticket: Ticket, error: BaseException, otherwise: type[Exception] = RuntimeError) -> BaseException:
    """Record how an action ended that returned nothing: paused inside, left for a parent graph, failed, cancelled.

    Returns:
        What may be raised, outside of the handler of `error` unless it is that itself. What steers a graph is left as
        it is; what an obligation takes away of the rest, `Ticket.fail` says.
    """
    if isinstance(error, GraphInterrupt):
        ticket.pause(error)
    elif isinstance(error, ParentCommand):
        return _left(ticket, error)
    else:
        return ticket.fail(error, otherwise, passes=isinstance(error, GraphBubbleUp))
    return error


def raisable(ticket: Ticket, error: BaseException) -> BaseException:
    """What may be raised of an error that is recorded further up."""
    return error if isinstance(error, GraphBubbleUp) else ticket.raisable(error)


def _left(ticket: Ticket, error: ParentCommand) -> BaseException:
    try:
        ticket.succeed(error.args[0], _LEFT)
    except Denied as denied:  # INVARIANT: FAILCLOSED - nothing makes less of what it takes with it
        denied.__cause__ = denied.__context__ = None
        return denied
    return error


def heard(halo: Halo, config: Mapping[str, Any] | None = None) -> None:
    """Take what this task was resumed with, if it waited for Halo; called before anything is decided or runs.

    INVARIANT: BIND - an answer to Halo's question is never taken for the answer to one that the action itself asks:
    nobody was shown that one. It approves nothing either; only a no is kept.
    """
    pad = _pad(config)
    if pad is None or not pad.resume:
        return
    word = halo.word(_ASKED)
    with _LOCK:
        if word not in pad.resume:
            return
        place = pad.resume.index(word) - 1
        given = pad.resume[place + 2] if len(pad.resume) > place + 2 else pad.get_null_resume(True)
        pad.resume[max(place, 0) : place + 3] = []
        _keep(pad.resume, config)
        if _rejects(given):
            _REFUSED.append(pad)


def _first(ticket: Ticket) -> Ticket:
    if ticket.verdict is not None:
        unasked(answered=ticket.verdict.answered)
    return ticket


def unasked(*, answered: bool) -> None:
    """What a run was resumed with is not for an action that has just been answered for: it has not asked anything yet.

    The ledger knows that also where LangGraph has lost that the task waited for Halo: in a subgraph that keeps nothing,
    in a state that was changed meanwhile.
    """
    if answered and (pad := _pad()) is not None:
        pad.get_null_resume(True)


def withdrawn(halo: Halo, call: Call, pending: Pending) -> bool:
    """Whether the host takes a challenge back; one that can be waited for does not come back from here."""
    pad = _pad()
    if pad is None:
        return False
    with _LOCK:
        for refused in _REFUSED:
            if refused is pad:
                _REFUSED.remove(refused)
                return True
        own = pad.get_null_resume(True)  # the answer to a question of the action's own keeps its place
        if own is not None:
            pad.resume.append(own)
        # Not into the list at hand, from which other calls of this task take their answers; and what asks before Halo
        # when the task is run again, where nothing stands before it, finds an empty one.
        kept = [*pad.resume, "", halo.word(_ASKED)]
        _keep(kept)
    raise GraphInterrupt((_interrupt(_question(halo, call, pending), len(kept)),))


def _interrupt(question: dict[str, Any], answered: int) -> Interrupt:
    """Under the id that LangGraph gives to what a task asks after so many answers."""
    namespace = ((var_child_runnable_config.get() or {}).get("configurable") or {}).get(_NAMESPACE, "")
    made = getattr(langgraph.types, "_interrupt_id", None)
    if made is None:  # older versions gave all of a task's questions one id
        return Interrupt.from_ns(question, namespace)
    return Interrupt(question, id=made(namespace, answered))


def taken_back(call: Call, pending: Pending) -> Call:
    """The call that records a no of whoever resumed, and closes the question."""
    return replace(call, problem="challenge_withdrawn", withdraws=pending.pending_id)


def _question(halo: Halo, call: Call, pending: Pending) -> dict[str, Any]:
    """What whoever waits is told: a reference, and no argument's value."""
    return {
        "type": "halo_challenge",
        "pending_id": pending.pending_id,
        "decision_id": pending.decision_id,
        "resource": call.resource.id,
        "reason": pending.reason,
        "message": str(pending),
        "agent": call.agents[-1] if call.agents else halo.agent,
        "session": call.session,
        "answer_with": f"halo approvals approve {pending.pending_id} --as NAME",
    }


def _pad(config: Mapping[str, Any] | None = None) -> Any:
    """LangGraph's notes of the task at hand, None where there is nothing to resume from."""
    configurable = (config or var_child_runnable_config.get() or {}).get("configurable") or {}
    return configurable.get(_SCRATCHPAD) if configurable.get(_CHECKPOINTER) else None


def _keep(answers: list[Any], config: Mapping[str, Any] | None = None) -> None:
    """Have LangGraph keep these as the task's answers, should it pause again."""
    configurable = (config or var_child_runnable_config.get() or {}).get("configurable") or {}
    configurable[_SEND]([(_RESUME, list(answers))])


def _rejects(answer: Any) -> bool:
    if isinstance(answer, Mapping):
        found = answer.get("decisions")
        answers = found if isinstance(found, list) else [answer]
        return any(isinstance(item, Mapping) and item.get("type") == "reject" for item in answers)
    return isinstance(answer, str) and answer == "reject"
