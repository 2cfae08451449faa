"""Room: what stands before the steps of a guarded workflow. Takes: a step. Gives: one that runs as whoever acts.

Each step runs in a task and a context of its own, so each finds the session, who acts and what was said anew: from the
context that the run was started in, and from the workflow's own store. Never: decides, mints, keeps anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from llama_index.core.agent.workflow import AgentInput, AgentOutput, ToolCall
from llama_index.core.base.llms.types import MessageRole
from llama_index.core.workflow import Context
from workflows.runtime.types.results import StepWorkerStateContextVar

from halo_core.errors import Denied
from halo_core.model import Provenance
from halo_core.session import Asking, acting, asking, current_session, in_session
from halo_llamaindex._agents.at import CURRENT, At, Plan, as_actor, leave
from halo_llamaindex._agents.calls import wanted
from halo_llamaindex._agents.carried import (
    EARLIER,
    TURN,
    Acts,
    forget_chat,
    keep_acts,
    keep_chat,
    kept,
    read_acts,
    restore_chat,
    session_of,
)
from halo_llamaindex._agents.entry import hand_on
from halo_llamaindex._context import Once, current_run, speaking, waits_in
from halo_llamaindex._models.inference import EARLIER as MARK
from halo_llamaindex._models.inference import message_id
from halo_llamaindex._pause import Waiting, settled, waits
from halo_llamaindex._words import message_text

__all__ = ["run_step"]

_RESULTS: Final = (MessageRole.TOOL, MessageRole.FUNCTION)
Step = Callable[..., Awaitable[Any]]


async def run_step(plan: Plan, name: str, step: Step, event: Any) -> Any:
    """Run one step of a workflow as whoever acts in it.

    Args:
        plan: of the workflow.
        name: of the step.
        step: called with the event that the step works on.
        event: that it was called with.
    """
    ctx, place = Context.get_step_context(), StepWorkerStateContextVar.get()
    run, item = current_run(), place.state.work_item_id
    once = run.once.setdefault((name, item), Once()) if item is not None else Once()
    async with once.lock:
        once.waited = once.waited or bool(waits(place))
        if once.done and once.waited:
            return None
        result = await _run_step(plan, name, step, event, ctx, place)
        once.done = True
        settled(place)
        return result


async def _run_step(plan: Plan, name: str, step: Step, event: Any, ctx: Any, place: Any) -> Any:  # noqa: PLR0917  one step
    with ExitStack() as stack:
        session, fresh = current_session(), False
        if session is None:
            session, fresh = await session_of(plan.halo, ctx)
            stack.enter_context(in_session(session))
        stack.enter_context(waits_in(place if current_run().kept else None))
        try:
            if not plan.agentic:
                return await step(event)
            await (forget_chat if name == "init_run" else restore_chat)(ctx)
            return await _STEPS.get(name, _other)(At(plan, ctx, event, step, session.id, fresh))
        except Waiting as waiting:
            if plan.agentic:
                await keep_chat(ctx)
            if waiting.again:  # the framework shows a question once; who resumed has not seen it
                ctx.write_event_to_stream(waiting.challenge)
            raise


async def _plainly(at: At) -> Any:
    return await at.step(at.event)


async def _other(at: At) -> Any:
    return await as_actor(at, _plainly)


# the steps


async def _init_run(at: At) -> Any:
    if at.plan.enters:
        await leave(at)  # what an earlier run of this context left behind
    result = await at.step(at.event)
    if at.fresh and isinstance(result, AgentInput):
        strange = [message_text(message) for message in result.input if message.role in _RESULTS]
        if strange:
            # The session is new, so what tools said before it was read by nobody here.
            await at.ctx.store.set(EARLIER, [at.halo.word(MARK + text) for text in strange])
    return result


async def _setup_agent(at: At) -> Any:
    """Enter the agent that an event names; one that may not be entered leaves the giver at work."""
    if not at.plan.enters:
        return await at.step(at.event)
    acts = await read_acts(at.halo, at.ctx, at.session) or Acts(under=_under(at))
    giver, event = acts.agent, at.event
    if at.plan.agent and not giver:
        acts = await _entered(at, acts, at.plan.agent, current_run().task)
    named = event.current_agent_name
    if at.plan.team and named != acts.agent:
        try:
            acts = await _entered(at, acts, named)
        except Denied:
            if not giver:
                raise
            await at.ctx.store.set(CURRENT, giver)
            event = AgentInput(input=event.input, current_agent_name=giver)
    await keep_acts(at.halo, at.ctx, replace(acts, handed={}), at.session)
    with acting(acts.acting(at.halo, at.session)):
        return await at.step(event)


def _under(at: At) -> tuple[str, ...]:
    found = Acts().acting(at.halo, at.session)
    return found.agents if found is not None else ()


async def _entered(at: At, acts: Acts, agent: str, task: str = "") -> Acts:
    handle = acts.handed.get(agent)
    if handle is None:
        with acting(acts.acting(at.halo, at.session)):
            handle, session = await hand_on(at.halo, agent, task)
        acts = replace(acts, session=session or acts.session)
    return acts.entered(agent, handle)


async def _run_agent_step(at: At) -> Any:
    async def run(at: At) -> Any:
        result = await _speaking(at)
        if isinstance(result, AgentOutput):
            turn = message_id(result.response) or at.halo.run_session()
            await at.ctx.store.set(TURN, turn)
        return result

    return await as_actor(at, run)


async def _parse_agent_output(at: At) -> Any:
    return await as_actor(at, _speaking)


async def _speaking(at: At) -> Any:
    """Run a step in which a model is asked, knowing whose words it is shown."""
    named = getattr(at.event, CURRENT, "") if at.plan.team else ""
    prompt = (at.plan.prompts or {}).get(named, "")
    told = [(prompt, Provenance.SYSTEM)] if prompt else []
    told += [(words, Provenance.USER) for words in current_run().words]
    earlier = await kept(at.ctx, EARLIER, [])
    with speaking(tuple(told), frozenset(earlier if isinstance(earlier, list) else ())):
        return await at.step(at.event)


async def _call_tool(at: At) -> Any:
    async def run(at: At) -> Any:
        event: ToolCall = at.event
        if at.plan.team and at.acts is not None:
            # Whose tools are called, and under whose link: a tool that wrote another name there has entered nobody.
            await at.ctx.store.set(CURRENT, at.acts.agent)
        turn = await kept(at.ctx, TURN, "")
        asked = Asking(str(turn), event.tool_id, kind="message", text=await _said(at.ctx))
        with asking(asked), wanted(event.tool_name):
            return await at.step(event)

    return await as_actor(at, run)


async def _said(ctx: Any) -> str:
    """The words of the message whose calls are under way, where the agent's scratchpad has them."""
    pad = await kept(ctx, "scratchpad", [])
    spoken = (
        [item for item in pad if getattr(item, "role", None) == MessageRole.ASSISTANT] if isinstance(pad, list) else []
    )
    return message_text(spoken[-1]) if spoken else ""


_STEPS: Final[Mapping[str, Callable[[At], Awaitable[Any]]]] = {
    "call_tool": _call_tool,
    "init_run": _init_run,
    "parse_agent_output": _parse_agent_output,
    "run_agent_step": _run_agent_step,
    "setup_agent": _setup_agent,
}
