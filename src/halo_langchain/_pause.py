"""Room: the pause, a challenge as LangGraph's `interrupt()`. Takes: calls. Gives: tickets, or a graph that waits.

Inside a LangGraph run that has a checkpointer, a challenge stops the graph where it stands. Somebody answers it
(`halo approvals approve`), in any process, and `Command(resume=...)` runs the node again: the very same call is then
decided anew, with the answer. The resume value itself approves nothing; `{"type": "reject"}` in it is a no. Without a
checkpointer there is nothing to resume from, so the `Pending` goes to whoever called. Never: decides, keeps anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import interrupt

from halo_core.errors import Denied, Pending
from halo_core.pep import Call, Surface, Ticket

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["abegin", "begin", "broke_off", "withdrawn"]

# LangGraph's names; a test holds them to the installed version.
_SCRATCHPAD: Final = "__pregel_scratchpad"
_CHECKPOINTER: Final = "__pregel_checkpointer"
_LEFT: Final[Surface[Any]] = Surface(str)


def begin(halo: Halo, call: Call) -> Ticket:
    """Decide; where a person has to answer first, pause the graph.

    Raises:
        Denied: it may not run.
        Pending: it waits for an answer, and nothing here can be resumed.
        GraphInterrupt: it waits for an answer, and the graph with it.
    """
    try:
        ticket = halo.enforcer.begin(call)
    except Pending as pending:
        if not withdrawn(halo, call, pending):
            raise
        ticket = halo.enforcer.begin(replace(call, problem="challenge_withdrawn"))
    except Denied as denied:
        _answered(denied)
        raise
    return _settled(ticket)


async def abegin(halo: Halo, call: Call) -> Ticket:
    """As `begin`, from a coroutine."""
    try:
        ticket = await halo.enforcer.abegin(call)
    except Pending as pending:
        if not withdrawn(halo, call, pending):
            raise
        ticket = await halo.enforcer.abegin(replace(call, problem="challenge_withdrawn"))
    except Denied as denied:
        _answered(denied)
        raise
    return _settled(ticket)


def broke_off(ticket: Ticket, error: BaseException) -> None:
    """Record how an action ended that returned nothing: paused inside, left for a parent graph, failed, cancelled."""
    if isinstance(error, GraphInterrupt):
        ticket.pause(error)
    elif isinstance(error, ParentCommand):
        ticket.succeed(error.args[0], _LEFT)
    else:
        ticket.fail(error)


def _settled(ticket: Ticket) -> Ticket:
    verdict = ticket.verdict
    if verdict is not None and verdict.approval and not verdict.continued:
        # What the graph was resumed with was for this pause: a question that the action itself asks must not get it.
        _take()
    return ticket


def _answered(denied: Denied) -> None:
    if denied.reason == "approval_denied":
        _take()


def withdrawn(halo: Halo, call: Call, pending: Pending) -> bool:
    """Whether the host takes a challenge back; one that can be waited for does not come back from here."""
    if _pad() is None:
        return False
    if _rejects(_take()):
        return True
    question = _question(halo, call, pending)
    while True:  # past the answers that the action itself was given before
        interrupt(question)


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
        "answer_with": f"halo approvals approve {pending.pending_id}",
    }


def _pad() -> Any:
    """LangGraph's notes of the task at hand, None where there is nothing to resume from."""
    configurable = (var_child_runnable_config.get() or {}).get("configurable") or {}
    return configurable.get(_SCRATCHPAD) if configurable.get(_CHECKPOINTER) else None


def _take() -> Any:
    """What this task was resumed with and nobody has read, None without; it is used up.

    Not through `interrupt()`, which would count it among the answers to the questions of the action itself.
    """
    pad = _pad()
    if pad is None:
        return None
    given = pad.get_null_resume(True)
    if given is None and pad.resume:
        given = pad.resume.pop()
    return given


def _rejects(answer: Any) -> bool:
    if isinstance(answer, Mapping):
        found = answer.get("decisions")
        answers = found if isinstance(found, list) else [answer]
        return any(isinstance(item, Mapping) and item.get("type") == "reject" for item in answers)
    return isinstance(answer, str) and answer == "reject"
