"""Shapes of LlamaIndex applications: fused retrievers, tools with a context, steps at once, agents started in steps.

As in `test_apps_li_agents.py`: each runs as observed and enforced, and what ran by its own counters is what the log
says was decided.
"""

import asyncio
from typing import Any

import pytest
from counting import Actions, assert_all_decided, count_actors, count_questions, declare, list_undecided
from li_app_parts import CountedShelf, answering, open_halo, require_whole, scripted
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

from halo_llamaindex import Halo, Resource
from halo_llamaindex.testing import call

MODES = pytest.mark.parametrize("mode", ["observe", "enforce"])
LIBRARY = Resource(id="library", impact="read", source_trust=900)


class Handbook(CountedShelf):
    """One source."""


class Archive(CountedShelf):
    """Another."""


def build_fusion(halo: Halo, actions: Actions, *, use_async: bool) -> Any:
    writer = answering(actions, {"search queries": "returns\nrefunds"}, name="writer")
    shelves = [
        Handbook(actions, "Thirty days.", name="library/Handbook"),
        Archive(actions, "Once a month.", name="library/Archive"),
    ]
    fusion = QueryFusionRetriever(shelves, llm=writer, num_queries=3, use_async=use_async, mode="reciprocal_rerank")
    engine = RetrieverQueryEngine.from_args(fusion, llm=answering(actions, name="reader"))
    return halo.guard(engine, resource=LIBRARY)


@MODES
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("use_async", [False, True])
def test_each_source_of_a_fused_retriever_is_decided_with_each_query(tmp_path, mode, awaited, use_async):
    home, actions = tmp_path / "home", Actions()
    with open_halo(home, mode) as halo, halo.session(user="ana", request="How long may I return it?"):
        engine = build_fusion(halo, actions, use_async=use_async)
        answer = asyncio.run(engine.aquery("returns?")) if awaited else engine.query("returns?")
    assert str(answer) == "It is thirty days."
    assert len(actions.names("retrieval")) == 6
    actions.note("retrieval", "library")  # the fused one, whose body is the framework's
    require_whole(home, actions)


def build_desk(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    async def note_down(ctx: Context, text: str) -> str:
        """Note something down."""
        async with ctx.store.edit_state() as state:
            state["notes"] = [*state.get("notes", []), text]
        return "noted"

    @actions.tool
    def look_up(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    both = (("note_down", {"text": "rain"}), ("look_up", {"q": "rain"}))
    llm = scripted(actions, call("both", *both, id="m1"), "Noted.", name="desk-model")
    tools = halo.guard([note_down, look_up])
    agent = FunctionAgent(name="desk", description="A desk.", tools=tools, llm=llm)
    return halo.guard(AgentWorkflow(agents=[agent], root_agent="desk", initial_state={"notes": []}))


@MODES
def test_tools_with_a_context_run_at_once(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "note_down: {impact: write, reversal: undo}", "look_up: {impact: read, source_trust: 900}")
    with open_halo(home, mode) as halo:
        team = build_desk(halo, actions)

        async def go() -> str:
            context = Context(team)
            answer = str(await asyncio.wait_for(team.run(user_msg="Note rain down.", ctx=context), 60))
            assert await context.store.get("notes") == ["rain"]
            return answer

        assert asyncio.run(go()) == "Noted."
    require_whole(home, actions)


class Part(Event):
    """A piece of work."""

    n: int


class Done(Event):
    """A piece of work that is done."""

    said: str


def build_report(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def look_up(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    looks, shelf = FunctionTool.from_defaults(look_up), Handbook(actions, "Thirty days.", name="Handbook")
    writer = scripted(actions, "A part.", name="writer")

    class Report(Workflow):
        """Writes the parts of a report at once, and has them checked by an agent."""

        @step
        async def split(self, ctx: Context, ev: StartEvent) -> Part | None:
            for n in range(3):
                ctx.send_event(Part(n=n))
            return None

        @step(num_workers=3)
        async def write(self, ev: Part) -> Done:
            found = await shelf.aretrieve(f"part {ev.n}")
            looked = await asyncio.to_thread(looks.call, q=f"part {ev.n}")
            said = await asyncio.create_task(writer.achat([ChatMessage(f"{found[0].text} {looked}")]))
            return Done(said=str(said.message.content))

        @step
        async def check(self, ctx: Context, ev: Done) -> StopEvent | None:
            parts = ctx.collect_events(ev, [Done] * 3)
            if parts is None:
                return None
            llm = scripted(actions, call("l", ("look_up", {"q": "rules"}), id="c1"), "Fine.", name="checker-model")
            checker = FunctionAgent(name="checker", description="Checks.", tools=[looks], llm=llm)
            return StopEvent(result=str(await checker.run(user_msg=" ".join(part.said for part in parts))))

    return halo.guard(Report(timeout=60))


@MODES
def test_steps_at_once_and_an_agent_that_one_starts(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look_up: {impact: read, source_trust: 900}")
    with open_halo(home, mode) as halo:
        report = build_report(halo, actions)

        async def go() -> Any:
            return await asyncio.wait_for(report.run(), 60)

        assert asyncio.run(go()) == "Fine."
    assert (actions.names().count("look_up"), actions.names("retrieval")) == (4, ["Handbook"] * 3)
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (0, [])
    assert set(count_actors(home, "checker-model")) == {"checker"}
