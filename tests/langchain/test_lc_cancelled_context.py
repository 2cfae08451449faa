"""What a cancelled call leaves in the context of its caller is what the same call leaves when it ends.

`halo_activity` differs after any call: plain code gets an activity with its first guarded call, and an outermost run
leaves an activity that is over. It is not taken out of the context, since the framework reports the end of a cancelled
graph from a task with a copy of the context.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from halo_core.enforcement.activities import _ACTIVITY, Activity
from halo_core.model import Impact
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel

READ = Resource(impact=Impact.READ, source_trust=900)


class Caller:
    """Calls something in each way, slowly enough to be cancelled, or not."""

    def __init__(self, halo: Any) -> None:
        self.halo = halo
        self.is_slow = False
        self.started = asyncio.Event()

        @tool
        async def look(q: str) -> str:
            """Look."""
            await self.work()
            return q

        async def node(_state: Any) -> dict[str, Any]:
            await self.look.ainvoke({"q": "x"})
            return {}

        self.look = halo.guard(look, resource=READ)
        self.graph = StateGraph(MessagesState).add_node("n", node).add_edge(START, "n").compile()

    async def work(self) -> None:
        self.started.set()
        await asyncio.sleep(60 if self.is_slow else 0)

    async def tool(self) -> None:
        await self.look.ainvoke({"q": "x"})

    async def chain(self) -> None:
        await (RunnableLambda(lambda given: given) | RunnableLambda(lambda _: self.look) | str).ainvoke({"q": "x"})

    async def bare_graph(self) -> None:
        await self.graph.ainvoke({"messages": []})

    async def guarded_graph(self) -> None:
        await self.halo.guard(self.graph).ainvoke({"messages": []})

    async def streamed_graph(self) -> None:
        async for _ in self.halo.guard(self.graph).astream({"messages": []}):
            pass

    async def model(self) -> None:
        caller = self

        class Slow(ScriptedModel):
            async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
                await caller.work()
                return await super()._agenerate(*args, **kwargs)

        model = Slow(script=["hi"], model_name="slow")
        await create_agent(model, [self.look], middleware=[self.halo.middleware()]).ainvoke(
            {"messages": [("user", "x")]}
        )


def describe(activity: Activity | None) -> Any:
    return activity and (activity.source, activity.is_over, describe(activity.outer))


async def leave(caller: Caller, way: str, *, slow: bool) -> tuple[Any, ...]:
    """Call once in a context of its own; what differs there, the activity, and whose session plain code has."""

    async def act() -> tuple[Any, ...]:
        session = caller.halo.find_session().id  # that of plain code
        before = contextvars.copy_context()
        try:
            await getattr(caller, way)()
        except asyncio.CancelledError:
            assert slow
        after = contextvars.copy_context()
        changed = {item.name for item in after if before.get(item) is not after[item]}
        return changed, describe(_ACTIVITY.get()), caller.halo.find_session().id == session

    caller.is_slow, caller.started = slow, asyncio.Event()
    task = asyncio.get_running_loop().create_task(act(), context=contextvars.Context())
    await asyncio.wait_for(caller.started.wait(), 30)
    if slow:
        await asyncio.sleep(0.01)
        task.cancel()
    return await task


@pytest.mark.parametrize("way", ["tool", "chain", "bare_graph", "guarded_graph", "streamed_graph", "model"])
async def test_a_cancelled_call_leaves_what_one_that_ends_leaves(world, way):
    caller = Caller(world.halo)
    ended, cancelled = await leave(caller, way, slow=False), await leave(caller, way, slow=True)
    assert cancelled == ended
    _, activity, is_same_session = cancelled
    assert is_same_session
    plain = ("call", False, None)
    assert activity == (plain if way == "tool" else ("run", True, plain))


class Telling(AsyncCallbackHandler):
    """Takes its time, or fails, when it is told that a chain starts."""

    raise_error = True

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails

    async def on_chain_start(self, *_args: Any, **_kwargs: Any) -> None:
        if self.fails:
            raise ZeroDivisionError
        await asyncio.sleep(60)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_that_is_cancelled_while_its_start_is_told_leaves_no_run(world, fails):
    """The framework reports no end of it, and what plain code has seen must count for what it does afterwards."""
    session = world.halo.find_session().id
    with pytest.raises(ZeroDivisionError if fails else TimeoutError):
        async with asyncio.timeout(60 if fails else 0.05):
            await RunnableLambda(str).ainvoke("x", {"callbacks": [Telling(fails=fails)]})
    assert describe(_ACTIVITY.get()) == ("run", True, ("call", False, None))
    assert world.halo.find_session().id == session
