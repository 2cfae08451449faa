"""Room: one run of one step of a workflow of the app's own. Takes: a step. Gives: its result, as whoever acts.

Never: decides, mints.
"""

from __future__ import annotations

from typing import Any, Final

from llama_index.core.workflow import StartEvent

from halo_llamaindex._agents.at import At, as_actor, leave
from halo_llamaindex._agents.carried import Acts, has_room, keep_acts, kept, read_acts
from halo_llamaindex._agents.entry import entered, under
from halo_llamaindex._context import current_run
from halo_llamaindex._nested import nested
from halo_llamaindex._pause import waits

__all__ = ["own_step"]

_RUN: Final = "halo_run"
"""Key of a name of the run at hand, which goes on with it."""
_BEGAN: Final = "began"


async def own_step(at: At, name: str, place: Any) -> Any:
    """Run a step; where the workflow is an agent as a whole, its first step enters that agent."""
    begins = isinstance(at.event, StartEvent) and not waits(place)
    run, item = current_run(), place.state.work_item_id
    work = ""
    if run.kept and item is not None:
        # Where it was tried and failed, it is another try: what it calls then is called anew.
        work = f"{await _run_id(at, begins=begins)}:{name}:{item}:{run.once[name, item].attempt}"
    if at.plan.agent and isinstance(at.event, StartEvent):
        await _enter(at, begins=begins)
    with nested(work):
        return await as_actor(at, _plainly)


async def _plainly(at: At) -> Any:
    return await at.step(at.event)


async def _run_id(at: At, *, begins: bool) -> str:
    run = current_run()
    async with run.writing:  # steps side by side have one
        if _RUN not in run.wrote:
            room = has_room(at.ctx)
            found = None if begins or not room else await kept(at.ctx, _RUN)
            run.wrote[_RUN] = str(found) if found is not None else at.halo.run_session()
            if found is None and room:
                await at.ctx.store.set(_RUN, run.wrote[_RUN])
    return str(run.wrote[_RUN])


async def _enter(at: At, *, begins: bool) -> None:
    run = current_run()
    async with run.writing:
        if begins and not run.wrote.get(_BEGAN):
            await leave(at)  # what an earlier run of this context left behind
        run.wrote[_BEGAN] = True
        acts = await read_acts(at.halo, at.ctx, at.session)
        if acts is None or acts.agent != at.plan.agent:
            acts = await entered(at, Acts(under=under(at)), at.plan.agent, run.task)
            await keep_acts(at.halo, at.ctx, acts, at.session)
