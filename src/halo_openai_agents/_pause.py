"""Room: what Halo writes into the state that the SDK keeps of a run. Takes: a run's context. Gives: what waits.

Of each question that waits its id, the decision's, what it is about and why; the name of the session and of the turn.
It stands under a key among the SDK's approvals that no tool can have, and approves nothing; the session counts only
with a mark that this home alone can make. Never: a passport, a key, a link, an argument's value.

Room: pauses, challenges as the SDK's interruptions. Takes: results, states. Gives: what waits; states to go on with.

A challenged call of a run whose host keeps its state becomes an interruption. Somebody answers in the ledger, from any
process; `resume` asks it and sets the SDK's own approval, which only lets the call come as far as its guard: there it
is decided anew, with the answer. An approval that the host sets by itself approves nothing. Never: decides by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, RunResult, RunResultStreaming, RunState
from agents.items import ToolApprovalItem
from agents.result import RunResultBase
from agents.run_context import _ApprovalRecord

from halo_core.enforcement.arguments import BoundArguments
from halo_core.enforcement.guards import GuardMetadata, get_guard, make_unregistered_resource
from halo_core.enforcement.session_context import (
    ActiveDelegation,
    Session,
    TriggeringMessage,
    current_delegation,
    current_session,
    delegation_scope,
    session_scope,
    triggering_message_scope,
)
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.model import ActionKind
from halo_core.reasons import get_reason_text
from halo_openai_agents._arguments import ArgumentReader
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._tool_calls import build_call
from halo_openai_agents._translate import find_guard

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = [
    "PendingNote",
    "load_pending",
    "load_session",
    "load_turn",
    "resume",
    "store_pending",
    "store_session",
    "waiting",
]


_APPROVAL_KEY: Final = "halo:waiting"
_SESSION_KEY: Final = "halo:session"
_TURN_KEY: Final = "halo:turn"
_SOURCES: Final = ("host", "process", "run", "thread")


@dataclass(frozen=True, slots=True)
class PendingNote:
    """A question that waits; a reference, which whoever writes into the state may have changed."""

    pending_id: str
    decision_id: str
    resource: str
    reason: str


def store_pending(context: Any, turn: str, call_id: str, resource: str, pending: Pending) -> None:
    """Keep a question with the run's state."""
    messages = _get_messages(context, create=True)
    messages[call_id] = json.dumps(
        asdict(PendingNote(pending.pending_id, pending.decision_id, resource, pending.reason))
    )
    messages[_TURN_KEY] = turn


def load_pending(context: Any, call_id: str) -> PendingNote | None:
    """The question about a call, None where there is none of Halo's."""
    note = _parse_object(_get_messages(context).get(call_id, ""))
    names = ("pending_id", "decision_id", "resource", "reason")
    if not all(isinstance(note.get(name), str) for name in names) or not note["pending_id"]:
        return None
    return PendingNote(*(note[name] for name in names))


def load_turn(context: Any) -> str:
    """Name of the turn that paused, empty where nothing says."""
    return _get_messages(context).get(_TURN_KEY, "")


def store_session(halo: Halo, context: Any, session: Session) -> None:
    """Keep which session a run belongs to."""
    reference = {"id": session.id, "source": session.source}
    _get_messages(context, create=True)[_SESSION_KEY] = json.dumps(
        {**reference, "mark": halo.make_keyed_digest(_format_session_mark(session.id, session.source))}
    )


def load_session(halo: Halo, context: Any) -> Session | None:
    """The session of the run that paused.

    INVARIANT: whoever writes into a stored state joins no other session: only this home makes the mark.
    """
    note = _parse_object(_get_messages(context).get(_SESSION_KEY, ""))
    name, source = note.get("id"), note.get("source")
    if not isinstance(name, str) or not name or source not in _SOURCES:
        return None
    return (
        Session(name, source)
        if note.get("mark") == halo.make_keyed_digest(_format_session_mark(name, source))
        else None
    )


def _format_session_mark(name: str, source: str) -> str:
    return f"session {source} {name}"


def _parse_object(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text) if text else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _get_messages(context: Any, *, create: bool = False) -> dict[str, str]:
    approvals: dict[Any, Any] = getattr(context, "_approvals", {})
    record = approvals.get(_APPROVAL_KEY)
    if not isinstance(record, _ApprovalRecord):
        if not create:
            return {}
        record = approvals[_APPROVAL_KEY] = _ApprovalRecord(approved=[], rejected=[])
    return record.rejection_messages


_APPROVED_ANSWERS: Final = ("approved", "used")


@dataclass(frozen=True, slots=True)
class _Question:
    """One interruption of a state.

    Args:
        item: the SDK's.
        note: Halo's question; None where the host asked by itself.
        context: of the run that asked.
        call_id: the SDK's id of the call.
    """

    item: ToolApprovalItem
    note: PendingNote | None
    context: Any
    call_id: str

    @property
    def agent(self) -> str:
        """Whose call waits."""
        return str(getattr(self.item.agent, "name", ""))


def waiting(halo: Halo, result: RunResultBase | RunState[Any]) -> list[dict[str, Any]]:
    """What whoever waits is told: a reference for each question, and no argument's value."""
    questions = ((question, question.note) for question in _iter_questions(_get_state(result)))
    return [_build_challenge(halo, question, note) for question, note in questions if note is not None]


def _build_challenge(halo: Halo, question: _Question, note: PendingNote) -> dict[str, Any]:
    session = load_session(halo, question.context)
    return {
        "type": "halo_challenge",
        "pending_id": note.pending_id,
        "decision_id": note.decision_id,
        "resource": note.resource,
        "reason": note.reason,
        "message": f"pending {note.pending_id}: challenge `{note.resource}`: {get_reason_text(note.reason).title}",
        "agent": question.agent or halo.agent,
        "session": session.id if session is not None else "",
        "answer_with": f"halo approvals approve {note.pending_id} --as NAME",
    }


def _get_state(result: Any) -> RunState[Any]:
    if isinstance(result, RunState):
        return result
    if isinstance(result, RunResult | RunResultStreaming):
        return result.to_state()
    raise ConfigError(
        "not_a_run",
        f"`{type(result).__name__}` is not a waiting run",
        field="result",
        remedy="pass the runner's result, or a `RunState` from `await RunState.from_string(...)`",
    )


def _iter_questions(state: RunState[Any]) -> Iterator[_Question]:
    """Interruptions of a state, those of agents inside of its tools too."""
    for item in state.get_interruptions():
        nested = state._find_nested_approval_state(item)  # noqa: SLF001  where an agent inside keeps its own
        owner, nested_item = nested if nested is not None else (state, item)
        context = owner._context  # noqa: SLF001  as above
        call_id = str(getattr(nested_item.raw_item, "call_id", "") or "")
        yield _Question(item, load_pending(context, call_id), context, call_id)


def resume(halo: Halo, result: RunResultBase | RunState[Any]) -> RunState[Any]:
    """A state to go on with: what was answered in the ledger is answered in it, what is open stays so.

    Raises:
        CannotDecide: the ledger cannot be read.
        ConfigError: this is no run.
    """
    state = _get_state(result)
    for question in list(_iter_questions(state)):
        guard, bound_arguments = _read_question_call(halo, question)
        if question.note is None:
            # The SDK asks about what it cannot read, because ours may have to ask; the guard refuses it.
            if guard is not None and bound_arguments.problem and _needs_no_approval(question):
                state.approve(question.item)
            continue
        answer = halo.enforcer.find_question_status(question.note.pending_id)
        if answer in _APPROVED_ANSWERS:
            state.approve(question.item)
        elif answer != "pending":
            guard = guard or _make_unlisted_guard(halo, question.note)
            state.reject(question.item, rejection_message=_decide_refusal(halo, guard, bound_arguments, question))
    return state


def _find_listed_tool(question: _Question) -> FunctionTool | None:
    name, tools = question.item.tool_name, getattr(question.item.agent, "tools", [])
    return next((tool for tool in tools if isinstance(tool, FunctionTool) and tool.name == name), None)


def _needs_no_approval(question: _Question) -> bool:
    """Whether the host asks nothing of its own about a tool; what it asks, it answers."""
    tool = _find_listed_tool(question)
    return tool is not None and tool.needs_approval is False


def _read_question_call(halo: Halo, question: _Question) -> tuple[GuardMetadata | None, BoundArguments]:
    """The guarded tool that a question is about, and the arguments of the call."""
    guard = find_guard(_find_listed_tool(question))
    own_guard = guard if guard is not None and guard.halo is halo else None
    reader = ArgumentReader.for_tool(own_guard.original) if own_guard is not None else ArgumentReader(None, {})
    return own_guard, reader.parse_text(getattr(question.item.raw_item, "arguments", "") or "").bound_arguments


def _make_unlisted_guard(halo: Halo, note: PendingNote) -> GuardMetadata:
    """A gate for a tool that stands in no agent's own list, as those of servers do."""
    resource = halo.find_registered(note.resource) or make_unregistered_resource(note.resource, ActionKind.TOOL_CALL)
    return GuardMetadata(halo, None, resource.id, resource, TOOL_RESULT_SURFACE)


def _decide_refusal(halo: Halo, guard: GuardMetadata, bound_arguments: BoundArguments, question: _Question) -> str:
    """Why a call is refused, as a decision about it says: it is on the record that it was driven again."""
    session = current_session() or load_session(halo, question.context) or halo.find_session()
    agent_guard = get_guard(question.item.agent)
    asking_link = _find_acting(halo, session.id, agent_guard.name if agent_guard is not None else "")
    with (
        session_scope(session),
        delegation_scope(asking_link),
        triggering_message_scope(TriggeringMessage(load_turn(question.context), kind="message")),
    ):
        try:
            ticket = halo.enforcer.begin(build_call(guard, bound_arguments, question.call_id))
        except Denied as denied:
            return str(denied)
    ticket.pause(RuntimeError("the request was denied"))
    return get_reason_text("approval_denied").title


def _find_acting(halo: Halo, session: str, agent: str) -> ActiveDelegation | None:
    """Under which link the agent that asked goes on."""
    current_link = current_delegation(halo.agent, session)
    if not agent:
        return current_link
    active = halo.enforcer.find_link(session, agent, current_link.handle if current_link is not None else "")
    return (
        ActiveDelegation(halo.agent, session, active.handle, active.agents)
        if active is not None and active.handle
        else current_link
    )
