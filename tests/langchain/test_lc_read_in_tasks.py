"""Streams whose parts are read in contexts of their own: one run is one session, whoever reads it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.runnables import RunnableGenerator
from langgraph.graph import START, MessagesState, StateGraph

from halo_langchain.testing import ScriptedModel

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
_END = object()


async def _read_in_tasks(parts: Any) -> None:
    """Each part in a task, as `asyncio.wait_for(anext(parts), 30)` does it."""
    while (await asyncio.create_task(anext(parts, _END))) is not _END:
        pass


def _three_steps(asked: list[str]) -> Any:
    async def ask(_state: MessagesState) -> Any:
        asked.append("step")
        return {"messages": [await ScriptedModel(script=["hi"], model_name="bare").ainvoke("x")]}

    graph = StateGraph(MessagesState).add_node("a", ask).add_node("b", ask).add_node("c", ask)
    return graph.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile()


async def _third_events(graph: Any, given: Any, config: Any) -> None:
    async for _ in await graph.astream_events(given, config, version="v3"):
        pass


@pytest.mark.parametrize("is_third", [True, False])
def test_a_stream_that_is_read_in_several_tasks_is_one_session(world, is_third):
    config = {"callbacks": [world.halo.callback()]}
    given, asked = {"messages": [("user", "hi")]}, []
    graph = _three_steps(asked)
    asyncio.run(
        _third_events(graph, given, config) if is_third else _read_in_tasks(graph.astream(given, config)),
    )
    assert len(asked) == len(world.decisions()) == 3
    assert len({entry.session for entry in world.decisions()}) == 1


def test_a_chain_that_is_read_in_several_tasks_is_one_session(world):
    says = ScriptedModel(script=["hi"], model_name="bare")

    async def ask(parts: Any) -> Any:
        async for part in parts:
            await says.ainvoke(str(part))
            yield part
            await says.ainvoke(str(part))

    chain = RunnableGenerator(ask) | RunnableGenerator(ask)
    asyncio.run(_read_in_tasks(chain.astream("x", {"callbacks": [world.halo.callback()]})))
    assert len(world.decisions()) == 4
    assert len({entry.session for entry in world.decisions()}) == 1


def test_streams_that_are_read_by_turns_are_sessions_of_their_own(world):
    async def read_by_turns() -> None:
        streams = [
            _three_steps([]).astream({"messages": [("user", who)]}, {"callbacks": [world.halo.callback()]})
            for who in ("ana", "eve")
        ]
        for _ in range(4):
            for parts in streams:
                await anext(parts, None)

    asyncio.run(read_by_turns())
    sessions = [entry.session for entry in world.decisions()]
    assert sessions == [sessions[0], sessions[1]] * 3
    assert sessions[0] != sessions[1]
