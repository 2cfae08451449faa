"""One call as an adapter translates it, and the credentials with which it is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.enforcement.hand_offs import HandOff
from halo_core.enforcement.model_inputs import ModelInput
from halo_core.enforcement.passport_store import PassportStore
from halo_core.enforcement.risk_assessor import RiskAssessor
from halo_core.enforcement.session_orders import SessionOrders
from halo_core.model import (
    HistoryItem,
    PolicyView,
    Provenance,
    Resource,
)
from halo_core.quick_dataclass import dataclass

MAX_KEPT_CHARS: Final = 16_384  # of a trigger, a request or an output


ABILITIES: Final = (
    "clamp",
    "drop_documents",
    "drop_labels",
    "hold_output",
    "pause",
    "redact",
    "redact_output",
)
"""What a guarded object can do; a callback handler can less."""


@dataclass(frozen=True, slots=True)
class Call:
    """One action, translated from a framework.

    Args:
        resource: the resource as registered.
        args: arguments after validation, as they would be executed.
        session: session id, empty when there is none.
        session_source: `host`, `block`, `thread`, `run` or `call`.
        user: whom the agent acts for, as asserted; empty keeps the facade's.
        turn: id of the message that asked.
        call_id: the framework's id of this call; empty means a fresh one for each invocation.
        trigger: kind of what made the agent act.
        trigger_text: text of that; of a model's message its own words, the agent's justification.
        request: the user's own words, as the host vouches.
        earlier_requests: his words in earlier turns of the session that no call has shown yet, as the host vouches,
            oldest first.
        orders: what the user ordered, as calls that the host lists; None where it lists none.
        shown_texts: texts the agent has been shown in the conversation, with their origin.
        history: items of the conversation so far, in order.
        vouches_history: the host says that unknown items of it are the user's words and this agent's.
        problem: reason code found while translating.
        abilities: what this enforcement point can do.
        acting_handle: handle of the link acted under, empty for the agent's own.
        agents: who acts, from whom the facade's agent handed off to down to the actor; empty for itself.
        hand_off: with a hand-off, how much is handed on.
        on_link_made: with a hand-off, called with the handle of its link before anybody can see the link. The hand-off
            then gets a link of its own, even where the receiver has the same from this giver.
        withdrawn_question: id of an open question about this call, which whoever waits for the answer takes back.
        model: what the model is given, for an inference.
        trace_id: trace that the call belongs to, 32 lowercase hex digits; anything else is not recorded.
        network: network address that the request came from, as the host knows it; sealed with the user's data.
        held_id: id of the held act that this call releases.
        links: entries that the decision refers to, (relation, id): `reverses` of one that takes an effect back.
        has_run: it ran elsewhere before it could be decided, so that a refusal is recorded and stops nothing.
        answer_requests: request id → what the request became here, for a message that a model call of this very run
            returned. A recorded answer (a cassette, a model's cache) has the ids of an earlier run, so each of its
            requests may be made once more. None if the message may be driven again.
        began_us: when the request that it belongs to began, microseconds; 0 where it is not known. Only what began
            after a conversation's rest resumes it.
    """

    resource: Resource
    args: Mapping[str, Any]
    session: str = ""
    session_source: str = ""
    user: str = ""
    turn: str = ""
    call_id: str = ""
    trigger: str = "host"
    trigger_text: str = ""
    request: str = ""
    earlier_requests: tuple[str, ...] = ()
    orders: SessionOrders | None = None
    shown_texts: tuple[tuple[str, Provenance], ...] = ()
    history: tuple[HistoryItem, ...] = ()
    vouches_history: bool = False
    problem: str = ""
    abilities: tuple[str, ...] = ABILITIES
    acting_handle: str = ""
    agents: tuple[str, ...] = ()
    hand_off: HandOff | None = None
    on_link_made: Callable[[str], object] | None = None
    withdrawn_question: str = ""
    model: ModelInput | None = None
    trace_id: str = ""
    network: str = ""
    held_id: str = ""
    links: tuple[tuple[str, str], ...] = ()
    has_run: bool = False
    answer_requests: dict[str, str] | None = field(default=None, compare=False)
    began_us: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an agent's enforcement point decides with.

    Args:
        passport_store: the passports of its sessions.
        policy: the compiled policy.
        risk_assessor: the behaviour scores in force.
    """

    passport_store: PassportStore
    policy: PolicyView
    risk_assessor: RiskAssessor = field(default_factory=RiskAssessor)
