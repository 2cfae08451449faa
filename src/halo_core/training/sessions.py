"""Recorded sessions with their labels, as a model is trained on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any, Final

from halo_core.enforcement.guesses import guess_tool
from halo_core.enforcement.registry import complete_resource
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Impact
from halo_core.quick_dataclass import dataclass
from halo_core.risk.observation import ActionObservation, observe_action
from halo_core.risk.profile import Profile, ProposedAction

KEY: Final = b"benchmark"
"""Key of the fingerprints while training; no feature depends on it."""
NOT_AN_ACTION: Final = "external_context"
"""Name of an event that is a text which stood in the first message, and no action."""
Seen = list[tuple["TrainingSession", list[tuple[int, ActionObservation]]]]
"""Sessions with (index of the event, observation) of their actions."""


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One recorded action.

    Args:
        kind: kind of the action (`ActionKind`).
        tool: its name.
        args: arguments of the call.
        result: text that came back.
        error: text of the error, empty if none.
        malicious: whether it served an attacker; None if the label leaves it open.
        part: index of the request that it belongs to, where the session had several.
        turn: number of the message that asked for it.
        impact: class of the action, as recorded; None to guess it from the tool's name.
    """

    kind: str
    tool: str
    args: Mapping[str, Any]
    result: str
    error: str
    malicious: bool | None
    part: int
    turn: int = 0
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class TrainingSession:
    """One recorded session.

    Args:
        id: its own.
        source: which record it is from.
        suite: the role.
        model: the agent that acted: its model, with its defence.
        defense: the agent's defense, empty if none.
        task: what the user wanted; sessions with the same request have the same task.
        goal: goal of the attacker, empty if none.
        attack: technique.
        fold: half of the tasks that it belongs to, A or B.
        label: benign, control (unusual but asked for), hijacked, partial or resisted.
        requests: what the user said, one for each part.
        events: events in order.
        folder: folder from which it was read.
    """

    id: str
    source: str
    suite: str
    model: str
    defense: str
    task: str
    goal: str
    attack: str
    fold: str
    label: str
    requests: tuple[str, ...]
    events: tuple[TrainingEvent, ...]
    folder: str = ""


def propose_action(event: TrainingEvent) -> ProposedAction:
    """The action of an event; its class is guessed from the tool's name where none was recorded."""
    kind = ActionKind(event.kind)
    if event.impact is not None:
        return ProposedAction(event.tool, kind, event.impact, event.args)
    guess = guess_tool(event.tool, "", {"properties": dict.fromkeys(event.args)})
    full = complete_resource(None, guess, kind=kind, name=event.tool, arguments=list(event.args))
    impact = Impact.READ if kind is ActionKind.RETRIEVAL else full.impact
    return ProposedAction(event.tool, kind, impact, event.args)


def observe_session(session: TrainingSession) -> list[tuple[int, ActionObservation]]:
    """(index of the event, observation) of each action, in order, each from what came before it."""
    profile = Profile(KEY)
    observations = []
    asked = 0
    for at, event in enumerate(session.events):
        while asked < len(session.requests) and asked <= event.part:
            profile.add_request_text(session.requests[asked])
            asked += 1
        named = False
        if event.tool != NOT_AN_ACTION:
            observation = observe_action(profile, propose_action(event))
            observations.append((at, observation))
            profile.record_action(
                observation.tool, observation.action_fingerprint, acts=not observation.is_read, sums=profile.sums
            )
            named = observation.named_by_request
        profile.observe_result(event.tool, event.result or event.error, named_by_request=named)
    return observations


def observe_sessions(sessions: Iterable[TrainingSession]) -> Seen:
    """Sessions with their observations."""
    return [(session, observe_session(session)) for session in sessions]


def require_libraries() -> None:
    """Check that the libraries of the extra `train` are there.

    Raises:
        ConfigError: `no_training_libraries`.
    """
    if find_spec("sklearn") is None:
        problem, remedy = "scikit-learn is not installed", "run `pip install '.[train]'` in the checkout"
        raise ConfigError("no_training_libraries", problem, remedy=remedy)
