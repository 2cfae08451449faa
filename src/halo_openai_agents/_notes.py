"""Room: what Halo writes into the state that the SDK keeps of a run. Takes: a run's context. Gives: what waits.

Of each question that waits its id, the decision's, what it is about and why; the name of the session and of the turn.
It stands under a key among the SDK's approvals that no tool can have, and approves nothing; the session counts only
with a mark that this home alone can make. Never: a passport, a key, a link, an argument's value.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from agents.run_context import _ApprovalRecord

from halo_core.errors import Pending
from halo_core.session import Session

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["Noted", "note_pending", "note_session", "noted", "noted_session", "noted_turn"]

_KEY: Final = "halo:waiting"
_SESSION: Final = "halo:session"
_TURN: Final = "halo:turn"
_SOURCES: Final = ("host", "process", "run", "thread")


@dataclass(frozen=True, slots=True)
class Noted:
    """A question that waits; a reference, which whoever writes into the state may have changed."""

    pending_id: str
    decision_id: str
    resource: str
    reason: str


def note_pending(context: Any, turn: str, call_id: str, resource: str, pending: Pending) -> None:
    """Keep a question with the run's state."""
    told = _told(context, make=True)
    told[call_id] = json.dumps(asdict(Noted(pending.pending_id, pending.decision_id, resource, pending.reason)))
    told[_TURN] = turn


def noted(context: Any, call_id: str) -> Noted | None:
    """The question about a call, None where there is none of Halo's."""
    found = _read(_told(context).get(call_id, ""))
    names = ("pending_id", "decision_id", "resource", "reason")
    if not all(isinstance(found.get(name), str) for name in names) or not found["pending_id"]:
        return None
    return Noted(*(found[name] for name in names))


def noted_turn(context: Any) -> str:
    """Name of the turn that paused, empty where nothing says."""
    return _told(context).get(_TURN, "")


def note_session(halo: Halo, context: Any, session: Session) -> None:
    """Keep which session a run belongs to."""
    told = {"id": session.id, "source": session.source}
    _told(context, make=True)[_SESSION] = json.dumps({**told, "mark": halo.word(_mark(session.id, session.source))})


def noted_session(halo: Halo, context: Any) -> Session | None:
    """The session of the run that paused.

    INVARIANT: whoever writes into a stored state joins no other session: only this home makes the mark.
    """
    found = _read(_told(context).get(_SESSION, ""))
    name, source = found.get("id"), found.get("source")
    if not isinstance(name, str) or not name or source not in _SOURCES:
        return None
    return Session(name, source) if found.get("mark") == halo.word(_mark(name, source)) else None


def _mark(name: str, source: str) -> str:
    return f"session {source} {name}"


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(context: Any, *, make: bool = False) -> dict[str, str]:
    approvals: dict[Any, Any] = getattr(context, "_approvals", {})
    record = approvals.get(_KEY)
    if not isinstance(record, _ApprovalRecord):
        if not make:
            return {}
        record = approvals[_KEY] = _ApprovalRecord(approved=[], rejected=[])
    return record.rejection_messages
