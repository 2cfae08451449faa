"""Sessions that nobody named: one for each outermost run of a workflow or engine, guarded or not."""

from __future__ import annotations

import asyncio
from typing import Any

from li_world import trusted, until_idle
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.workflow import Context, HumanResponseEvent

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


# repeated answers


class Recording(ScriptedLLM):
    """Gives each run of a conversation the same messages, with the same message and call ids."""

    def next_message(self, messages: Any) -> Any:
        asked = max((n for n, item in enumerate(messages) if item.role.value == "user"), default=0)
        return super().next_message(messages[asked:])


def recorded(halo: Any, noted: list[str], *labels: str) -> FunctionAgent:
    def note(text: str) -> str:
        """Note."""
        noted.append(text)
        return "noted"

    llm = Recording(script=[call("I note", ("note", {"text": "hi"}), id="m1"), "done"])
    return halo.guard(FunctionAgent(tools=halo.guard([note], resource=trusted(*labels)), llm=llm))


async def test_a_recording_that_is_played_again_in_its_context_works_again(world):
    noted: list[str] = []
    agent = recorded(world.halo, noted)
    ctx = Context(agent)
    for _ in range(3):
        await agent.run("note hi", ctx=ctx)
    assert noted == ["hi"] * 3
    assert len(set(sessions(world))) == 1


async def test_a_resumed_run_plays_nothing_again(world):
    noted: list[str] = []

    def pay(to: str) -> str:
        """Pay."""
        return f"paid {to}"

    both = call("both", ("note", {"text": "hi"}), ("pay", {"to": "bo"}), id="m1")
    plain = recorded(world.halo, noted)
    tools = [*plain.tools, world.halo.guard(pay, resource=trusted("asked"))]
    agent = world.halo.guard(FunctionAgent(tools=tools, llm=Recording(script=[both, both, "done"])))
    handler = agent.run("note hi", ctx=Context(agent))
    (asked,) = await until_idle(handler)
    kept = handler.ctx.to_dict()
    await handler.cancel_run()
    handler = agent.run(ctx=Context.from_dict(agent, kept))
    await until_idle(handler)
    handler.ctx.send_event(HumanResponseEvent(pending_id=asked.pending_id, response="reject"))
    assert await until_idle(handler)  # the recording asks for both again
    await handler.cancel_run()
    assert noted == ["hi"]


async def test_a_message_that_no_model_of_the_run_gave_runs_nothing_twice(world):
    """An agent of the app's own kind that answers from what it has kept."""
    noted: list[str] = []
    plain = recorded(world.halo, noted)
    kept: list[Any] = []

    class Keeping(FunctionAgent):
        async def take_step(self, ctx: Any, llm_input: Any, tools: Any, memory: Any) -> Any:
            is_second_run = len(kept) == 2  # the first has asked its model twice
            if is_second_run:
                await ctx.store.set(self.scratchpad_key, [kept[0].response])
            kept.append(kept[0] if is_second_run else await super().take_step(ctx, llm_input, tools, memory))
            return kept[-1]

    agent = world.halo.guard(Keeping(tools=plain.tools, llm=plain.llm))
    ctx = Context(agent)
    await agent.run("note hi", ctx=ctx)
    assert noted == ["hi"]
    await agent.run("note hi", ctx=ctx)
    assert noted == ["hi"]
