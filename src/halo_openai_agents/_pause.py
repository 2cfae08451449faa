"""Room: pauses, challenges as the SDK's interruptions. Takes: results, states. Gives: what waits; states to go on with.

A challenged call of a run whose host keeps its state becomes an interruption. Somebody answers in the ledger, from any
process; `resume` asks it and sets the SDK's own approval, which only lets the call come as far as its guard: there it
is decided anew, with the answer. An approval that the host sets by itself approves nothing. Never: decides by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool, RunResult, RunResultStreaming, RunState
from agents.items import ToolApprovalItem
from agents.result import RunResultBase

from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind
from halo_core.pep.bound import Bound
from halo_core.pep.gate import Gate, gate_of
from halo_core.pep.names import unknown
from halo_core.reasons import text
from halo_core.session import Acting, Asking, acting, asking, current_acting, current_session, in_session
from halo_openai_agents._gates import gate_at
from halo_openai_agents._notes import Noted, noted, noted_session, noted_turn
from halo_openai_agents._surfaces import TOOL_RESULT
from halo_openai_agents._tools.arguments import Reader
from halo_openai_agents._tools.run import call_of

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["resume", "waiting"]

_ANSWERED: Final = ("approved", "used")


@dataclass(frozen=True, slots=True)
class _Question:
    """One interruption of a state.

    Args:
        item: the SDK's.
        noted: Halo's question; None where the host asked by itself.
        context: of the run that asked.
        call_id: the SDK's id of the call.
    """

    item: ToolApprovalItem
    noted: Noted | None
    context: Any
    call_id: str

    @property
    def agent(self) -> str:
        """Whose call waits."""
        return str(getattr(self.item.agent, "name", ""))


def waiting(halo: Halo, result: RunResultBase | RunState[Any]) -> list[dict[str, Any]]:
    """What whoever waits is told: a reference for each question, and no argument's value."""
    found = ((item, item.noted) for item in _questions(_state(result)))
    return [_told(halo, item, question) for item, question in found if question is not None]


def _told(halo: Halo, question: _Question, noted: Noted) -> dict[str, Any]:
    session = noted_session(halo, question.context)
    return {
        "type": "halo_challenge",
        "pending_id": noted.pending_id,
        "decision_id": noted.decision_id,
        "resource": noted.resource,
        "reason": noted.reason,
        "message": f"pending {noted.pending_id}: challenge `{noted.resource}`: {text(noted.reason).title}",
        "agent": question.agent or halo.agent,
        "session": session.id if session is not None else "",
        "answer_with": f"halo approvals approve {noted.pending_id} --as NAME",
    }


def _state(result: Any) -> RunState[Any]:
    if isinstance(result, RunState):
        return result
    if isinstance(result, RunResult | RunResultStreaming):
        return result.to_state()
    raise ConfigError(
        "not_a_run",
        f"`{type(result).__name__}` is no run that waits",
        field="result",
        remedy="pass what the runner returned, or a `RunState` that was read back: `await RunState.from_string(...)`",
    )


def _questions(state: RunState[Any]) -> Iterator[_Question]:
    """Interruptions of a state, those of agents inside of its tools too."""
    for item in state.get_interruptions():
        nested = state._find_nested_approval_state(item)  # noqa: SLF001  where an agent inside keeps its own
        owner, mine = nested if nested is not None else (state, item)
        context = owner._context  # noqa: SLF001  as above
        call_id = str(getattr(mine.raw_item, "call_id", "") or "")
        yield _Question(item, noted(context, call_id), context, call_id)


def resume(halo: Halo, result: RunResultBase | RunState[Any]) -> RunState[Any]:
    """A state to go on with: what was answered in the ledger is answered in it, what is open stays so.

    Raises:
        CannotDecide: the ledger cannot be read.
        ConfigError: this is no run.
    """
    state = _state(result)
    for question in list(_questions(state)):
        gate, bound = _call(halo, question)
        if question.noted is None:
            # The SDK asks about what it cannot read, because ours may have to ask; the guard refuses it.
            if gate is not None and bound.problem and _asks_nothing(question):
                state.approve(question.item)
            continue
        answer = halo.enforcer.answered(question.noted.pending_id)
        if answer in _ANSWERED:
            state.approve(question.item)
        elif answer != "pending":
            gate = gate or _unlisted(halo, question.noted)
            state.reject(question.item, rejection_message=_refused(halo, gate, bound, question))
    return state


def _listed(question: _Question) -> FunctionTool | None:
    name, tools = question.item.tool_name, getattr(question.item.agent, "tools", [])
    return next((tool for tool in tools if isinstance(tool, FunctionTool) and tool.name == name), None)


def _asks_nothing(question: _Question) -> bool:
    """Whether the host asks nothing of its own about a tool; what it asks, it answers."""
    tool = _listed(question)
    return tool is not None and tool.needs_approval is False


def _call(halo: Halo, question: _Question) -> tuple[Gate | None, Bound]:
    """The guarded tool that a question is about, and the arguments of the call."""
    gate = gate_at(_listed(question))
    mine = gate if gate is not None and gate.halo is halo else None
    reader = Reader.of(mine.original) if mine is not None else Reader(None, {})
    return mine, reader.text(getattr(question.item.raw_item, "arguments", "") or "").bound


def _unlisted(halo: Halo, question: Noted) -> Gate:
    """A gate for a tool that stands in no agent's own list, as those of servers do."""
    resource = halo.registered(question.resource) or unknown(question.resource, ActionKind.TOOL_CALL)
    return Gate(halo, None, resource.id, resource, TOOL_RESULT)


def _refused(halo: Halo, gate: Gate, bound: Bound, question: _Question) -> str:
    """Why a call is refused, as a decision about it says: it is on the record that it was driven again."""
    session = current_session() or noted_session(halo, question.context) or halo.find_session()
    place = gate_of(question.item.agent)
    under = _acting(halo, session.id, place.name if place is not None else "")
    with in_session(session), acting(under), asking(Asking(noted_turn(question.context), kind="message")):
        try:
            ticket = halo.enforcer.begin(call_of(gate, bound, question.call_id))
        except Denied as denied:
            return str(denied)
    ticket.pause(RuntimeError("it was answered with a no"))
    return text("approval_denied").title


def _acting(halo: Halo, session: str, agent: str) -> Acting | None:
    """Under which link the agent that asked goes on."""
    here = current_acting(halo.agent, session)
    if not agent:
        return here
    live = halo.enforcer.live(session, agent, here.handle if here is not None else "")
    return Acting(halo.agent, session, live.handle, live.agents) if live is not None and live.handle else here
