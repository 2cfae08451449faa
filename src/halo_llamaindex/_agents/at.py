"""Room: one run of one step of a guarded workflow, and who acts in it. Takes: a step. Gives: its result.

Never: decides, mints, keeps anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.workflow import StopEvent
from workflows.runtime.types.results import WaitingForEvent

from halo_core.errors import Denied
from halo_core.session import acting
from halo_llamaindex._agents.carried import Acts, keep_acts, read_acts
from halo_llamaindex._agents.entry import left, not_entered

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["CURRENT", "At", "Plan", "as_actor", "leave"]

CURRENT: Final = "current_agent_name"
"""The framework's word for who is at work, in its events and its store."""
Step = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a guarded workflow is entered.

    Args:
        halo: who decides.
        team: whether its agents are entered by hand-offs: it has several.
        agent: the agent that it is as a whole; empty where it acts as whoever runs it.
        prompts: system prompt by agent; of a single agent under the empty name.
        agentic: whether it is one of the framework's agents, and no workflow of the app's own.
    """

    halo: Halo
    team: bool = False
    agent: str = ""
    prompts: Mapping[str, str] | None = None
    agentic: bool = True

    @property
    def enters(self) -> bool:
        """Whether anybody is entered in it."""
        return self.team or bool(self.agent)


@dataclass(slots=True)
class At:
    """One run of one step."""

    plan: Plan
    ctx: Any
    event: Any
    step: Step
    session: str
    fresh: bool
    acts: Acts | None = None

    @property
    def halo(self) -> Halo:
        return self.plan.halo


async def as_actor(at: At, run: Callable[[At], Awaitable[Any]]) -> Any:
    """Run something as whoever acts, and hand back what was handed on when the run ends with it."""
    if not at.plan.enters:
        return await run(at)
    at.acts = await read_acts(at.halo, at.ctx, at.session)
    if at.acts is None or not at.acts.agent:
        # INVARIANT: SUB - who acts is not known, so it is not the first one either.
        raise Denied("handed_back", "nobody was entered here", remedy="start the run at its beginning")
    try:
        with acting(at.acts.acting(at.halo, at.session)):
            named = getattr(at.event, CURRENT, None)
            if at.plan.team and isinstance(named, str) and named != at.acts.agent:
                await not_entered(at.halo, named)
            result = await run(at)
    except WaitingForEvent:
        raise
    except Exception:
        await leave(at)
        raise
    if isinstance(result, StopEvent):
        await leave(at)
    return result


async def leave(at: At) -> None:
    acts = await read_acts(at.halo, at.ctx, at.session)
    await keep_acts(at.halo, at.ctx, None, at.session)
    await left(at.halo, acts)
