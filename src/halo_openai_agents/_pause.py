"""Pauses: a challenged call becomes an interruption of the SDK, in a run whose state the host keeps.

Somebody answers the challenge in the ledger, from any process. `resume` reads the answer and sets the SDK's own
approval, which only lets the call reach its guard, where it is decided again. An approval that the host sets itself
approves nothing.

Halo stores its data among the SDK's approvals, under a key that no tool can have: for each question its ids, subject
and reason; the session and the turn; never a passport, a link or an argument's value. The session counts only with a
mark that this home alone can make.
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
from halo_core.enforcement.flow import run
from halo_core.enforcement.guarded_calls import UnreachableCall, build_guarded_call
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
from halo_core.enforcement.steps import drive
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.model import ActionKind
from halo_core.reasons import get_reason_text
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._translate import ArgumentReader, find_guard

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_APPROVAL_KEY: Final = "halo:waiting"
_SESSION_KEY: Final = "halo:session"
_TURN_KEY: Final = "halo:turn"
_SOURCES: Final = ("block", "call", "host", "run", "thread")


@dataclass(frozen=True, slots=True)
class _PendingNote:
    """An open question as stored in the run's state, which others may have changed."""

    pending_id: str
    decision_id: str
    resource: str
    reason: str


def store_pending(context: Any, turn: str, call_id: str, resource: str, pending: Pending) -> None:
    """Store an open question in the run's state."""
    messages = _get_messages(context, create=True)
    note = _PendingNote(pending.pending_id, pending.decision_id, resource, pending.reason)
    messages[call_id] = json.dumps(asdict(note))
    messages[_TURN_KEY] = turn


def _load_pending(context: Any, call_id: str) -> _PendingNote | None:
    """The question about a call; None if Halo asked none."""
    note = _parse_object(_get_messages(context).get(call_id, ""))
    names = ("pending_id", "decision_id", "resource", "reason")
    if not all(isinstance(note.get(name), str) for name in names) or not note["pending_id"]:
        return None
    return _PendingNote(*(note[name] for name in names))


def load_turn(context: Any) -> str:
    """Id of the turn that paused; empty if none is stored."""
    return _get_messages(context).get(_TURN_KEY, "")


def store_session(halo: Halo, context: Any, session: Session) -> None:
    """Store the session of the run in its state."""
    note = {"id": session.id, "source": session.source, "mark": _make_session_mark(halo, session)}
    _get_messages(context, create=True)[_SESSION_KEY] = json.dumps(note)


def load_session(halo: Halo, context: Any) -> Session | None:
    """The session of the run that paused.

    INVARIANT: whoever writes into a stored state joins no other session: only this home makes the mark.
    """
    note = _parse_object(_get_messages(context).get(_SESSION_KEY, ""))
    name, source = note.get("id"), note.get("source")
    if not isinstance(name, str) or not name or source not in _SOURCES:
        return None
    session = Session(name, source)
    return session if note.get("mark") == _make_session_mark(halo, session) else None


def _make_session_mark(halo: Halo, session: Session) -> str:
    return halo.make_keyed_digest(f"session {session.source} {session.id}")


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


# questions

_APPROVED_ANSWERS: Final = ("approved", "used")
_REFUSED: Final = RuntimeError("the request was denied")


@dataclass(frozen=True, slots=True)
class _Question:
    """One interruption of a state.

    Args:
        item: the SDK's.
        note: Halo's question; None if the host asked by itself.
        context: context of the run that asked.
        call_id: the SDK's id of the call.
    """

    item: ToolApprovalItem
    note: _PendingNote | None
    context: Any
    call_id: str

    def find_listed_tool(self) -> FunctionTool | None:
        """The tool of the call, if it is in its agent's own list."""
        name, tools = self.item.tool_name, getattr(self.item.agent, "tools", [])
        return next((tool for tool in tools if isinstance(tool, FunctionTool) and tool.name == name), None)


def waiting(halo: Halo, result: RunResultBase | RunState[Any]) -> list[dict[str, Any]]:
    """Describe the open questions by references, without any argument's value."""
    challenges = []
    for question in _iter_questions(_get_state(result)):
        note, session = question.note, load_session(halo, question.context)
        if note is None:
            continue
        reason = get_reason_text(note.reason).title
        challenges.append(
            {
                "type": "halo_challenge",
                **asdict(note),
                "message": f"pending {note.pending_id}: challenge `{note.resource}`: {reason}",
                "agent": str(getattr(question.item.agent, "name", "")) or halo.agent,
                "session": session.id if session is not None else "",
                "answer_with": f"halo approvals approve {note.pending_id} --as NAME",
            }
        )
    return challenges


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
    """Interruptions of a state, including those of agents inside tools."""
    for item in state.get_interruptions():
        nested = state._find_nested_approval_state(item)  # noqa: SLF001  where an agent inside keeps its own
        owner, nested_item = nested if nested is not None else (state, item)
        context = owner._context  # noqa: SLF001  as above
        call_id = str(getattr(nested_item.raw_item, "call_id", "") or "")
        yield _Question(item, _load_pending(context, call_id), context, call_id)


def resume(halo: Halo, result: RunResultBase | RunState[Any]) -> RunState[Any]:
    """Return a state to resume with: answers in the ledger are applied, other questions stay open.

    Raises:
        CannotDecide: the ledger cannot be read.
        ConfigError: this is no run.
    """
    state = _get_state(result)
    for question in list(_iter_questions(state)):
        guard, bound_arguments = _read_question_call(halo, question)
        if question.note is None:
            # The SDK asks about what it cannot read, because ours may have to ask; the guard refuses it.
            tool = question.find_listed_tool() if guard is not None and bound_arguments.problem else None
            if tool is not None and tool.needs_approval is False:  # what the host asks, it answers
                state.approve(question.item)
            continue
        answer = halo.enforcer.find_question_status(question.note.pending_id)
        if answer in _APPROVED_ANSWERS:
            state.approve(question.item)
        elif answer != "pending":
            if guard is None:  # a tool in no agent's own list, as those of servers are
                name = question.note.resource
                resource = halo.find_registered(name) or make_unregistered_resource(name, ActionKind.TOOL_CALL)
                guard = GuardMetadata(halo, None, resource.id, resource, TOOL_RESULT_SURFACE)
            state.reject(question.item, rejection_message=_decide_refusal(halo, guard, bound_arguments, question))
    return state


def _read_question_call(halo: Halo, question: _Question) -> tuple[GuardMetadata | None, BoundArguments]:
    """The guarded tool that a question is about, and the arguments of the call."""
    guard = find_guard(question.find_listed_tool())
    own_guard = guard if guard is not None and guard.halo is halo else None
    reader = ArgumentReader.for_tool(own_guard.original) if own_guard is not None else ArgumentReader(None, {})
    return own_guard, reader.parse_text(getattr(question.item.raw_item, "arguments", "") or "").bound_arguments


def _decide_refusal(halo: Halo, guard: GuardMetadata, bound_arguments: BoundArguments, question: _Question) -> str:
    """Decide a refused call again to record the refusal; returns the reason."""
    session = current_session() or load_session(halo, question.context) or halo.find_session()
    agent_guard = get_guard(question.item.agent)
    asking_link = _find_acting(halo, session.id, agent_guard.name if agent_guard is not None else "")
    with (
        session_scope(session),
        delegation_scope(asking_link),
        triggering_message_scope(TriggeringMessage(load_turn(question.context), kind="message")),
    ):
        call = build_guarded_call(guard, bound_arguments, question.call_id)
    return run(_RefusedCall(halo, call, _REFUSED)) or get_reason_text("approval_denied").title


class _RefusedCall(UnreachableCall):
    """A call that a person refused; if nothing else refuses it now, it is recorded as still paused."""

    pause_errors = (RuntimeError,)

    def return_denied(self, denied: Denied) -> str:
        return str(denied)


def _find_acting(halo: Halo, session: str, agent: str) -> ActiveDelegation | None:
    """The link under which the agent that asked continues."""
    current_link = current_delegation(halo.agent, session)
    if not agent:
        return current_link
    active = drive(halo.enforcer.find_link(session, agent, current_link.handle if current_link is not None else ""))
    if active is None or not active.handle:
        return current_link
    return ActiveDelegation(halo.agent, session, active.handle, active.agents)
