"""Sessions that nobody named: one for each outermost run of a workflow or engine, guarded or not."""

from __future__ import annotations

import asyncio
from typing import Any

from li_world import trusted
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.workflow import Context

from halo_llamaindex.testing import ScriptedLLM, call

LOOK = call("look", ("look", {"q": "x"}), id="m1")


def look(q: str) -> str:
    """Look something up."""
    return f"seen {q}"


def ungoverned(halo: Any) -> FunctionAgent:
    """An agent without a guard; its model and its tool have one."""
    tools = halo.guard([look], resource=trusted())
    return FunctionAgent(tools=tools, llm=halo.guard(ScriptedLLM(script=[LOOK, LOOK, "done"])))


def sessions(world: Any) -> list[str]:
    return [item.session for item in world.decisions()]


async def test_each_outermost_run_of_an_unguarded_workflow_is_a_session(world):
    await ungoverned(world.halo).run("go")
    assert len(set(sessions(world))) == 1
    await asyncio.gather(ungoverned(world.halo).run("go"), ungoverned(world.halo).run("go"))
    assert len(set(sessions(world))) == 3
    assert all(name.startswith("run-") for name in sessions(world))


async def test_each_query_of_an_unguarded_engine_is_one(world):
    llm, (tool,) = world.halo.guard(ScriptedLLM(script=["a"] * 8)), world.halo.guard([look], resource=trusted())

    class Engine(CustomQueryEngine):
        def custom_query(self, query_str: str) -> Response:
            return Response(str(llm.complete(f"{query_str} {tool.call(query_str)}")))

    for question in ("one", "two"):
        await asyncio.to_thread(Engine().query, question)
    found = sessions(world)
    assert len(found) == 4
    assert found[0] == found[1] != found[2] == found[3]


async def test_a_guarded_agent_inside_of_an_unguarded_one_is_part_of_its_run(world):
    inner = world.halo.guard(ungoverned(world.halo))

    async def ask(question: str) -> str:
        """Ask somebody."""
        return str(await inner.run(question))

    asking = call("ask", ("ask", {"question": "?"}), id="o1")
    await FunctionAgent(tools=[ask], llm=world.halo.guard(ScriptedLLM(script=[asking, "done"]))).run("go")
    assert len(sessions(world)) > 3
    assert len(set(sessions(world))) == 1


async def test_a_guarded_workflow_keeps_that_of_its_context(world):
    agent = world.halo.guard(ungoverned(world.halo))
    ctx = Context(agent)
    await agent.run("go", ctx=ctx)
    await agent.run("go", ctx=ctx)
    assert len(set(sessions(world))) == 1
    await agent.run("go")
    assert len(set(sessions(world))) == 2


async def test_plain_code_of_one_task_is_one_and_that_of_another_is_another(world):
    (tool,) = world.halo.guard([look], resource=trusted())

    async def request() -> None:
        await tool.acall("a")
        await asyncio.gather(tool.acall("b"), tool.acall("c"))
        tool.call("d")

    await asyncio.create_task(request())
    await asyncio.create_task(request())
    found = sessions(world)
    assert len(found) == 8
    assert len(set(found[:4])) == len(set(found[4:])) == 1
    assert found[0] != found[4]
