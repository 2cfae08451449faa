"""Shapes of LlamaIndex applications as its guides and templates have them, compared with the same run ungoverned.

Each runs without Halo, and as observed and enforced. What ran by its own counters is what the log says was decided, it
is what ran without Halo, and what comes out is the same.
"""

import asyncio
from typing import Any

import pytest
from counting import Actions
from li_app_parts import Guard, Run, answering, check_as_ungoverned, scripted
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.objects import ObjectIndex
from llama_index.core.tools import FunctionTool, ToolOutput
from llama_index.core.workflow import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)
from pydantic import BaseModel

from halo_llamaindex.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
LOOKS = ("look_up", {"q": "rain"})
WET = "wet"


def make_look(actions: Actions) -> FunctionTool:
    def look_up(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look_up")
        return f"about {q}"

    return FunctionTool.from_defaults(look_up)


def looks_once(actions: Actions, name: str, *calls: Any) -> Any:
    return scripted(actions, call("go", *(calls or (LOOKS,)), id=f"{name}-1"), WET, name=name)


def runs(workflow: Any, words: str = "What is rain?", **options: Any) -> Run:
    async def go() -> Any:
        return await workflow.run(user_msg=words, **options)

    return go


class Found(Event):
    text: str


class Part(Event):
    text: str


class Checked(Event):
    text: str


def branches_that_are_collected(guard: Guard, actions: Actions) -> Run:
    """A step that sends several events, workers side by side, and one that collects what they found."""
    look, says = make_look(actions), answering(actions, name="says")

    class Flow(Workflow):
        @step
        async def split(self, ctx: Context, ev: StartEvent) -> Part | None:
            for text in ("a", "b", "c"):
                ctx.send_event(Part(text=text))
            return None

        @step(num_workers=3)
        async def work(self, ev: Part) -> Found:
            found = await look.acall(q=ev.text)
            return Found(text=str(await says.acomplete(str(found))))

        @step
        async def join(self, ctx: Context, ev: Found) -> StopEvent | None:
            parts = ctx.collect_events(ev, [Found] * 3)
            return None if parts is None else StopEvent(result=sorted(part.text for part in parts))

    return runs(guard(Flow(timeout=60)))


class Answer(BaseModel):
    wet: bool


def a_reflection_until_it_parses(guard: Guard, actions: Actions) -> Run:
    """What a model says is parsed, and asked for again with the error."""
    tries = answering(actions, {"error": '{"wet": true}', "rain": "not json"}, name="tries")

    class Flow(Workflow):
        @step
        async def extract(self, ev: StartEvent | Checked) -> Found | StopEvent:
            asked = f"rain {ev.text}" if isinstance(ev, Checked) else "rain?"
            return Found(text=str(await tries.acomplete(asked)))

        @step
        async def validate_it(self, ev: Found) -> Checked | StopEvent:
            try:
                return StopEvent(result=Answer.model_validate_json(ev.text))
            except ValueError:
                return Checked(text="error")

    return runs(guard(Flow(timeout=60)))


def a_workflow_that_passes_on_what_an_inner_one_tells(guard: Guard, actions: Actions) -> Run:
    """An agent inside a step, whose events are streamed to the outside."""
    tools = guard([make_look(actions)])
    inner = FunctionAgent(name="inner", tools=tools, llm=looks_once(actions, "inner-model"))

    class Flow(Workflow):
        @step
        async def go(self, ctx: Context, ev: StartEvent) -> StopEvent:
            handler = inner.run(user_msg="rain?")
            async for told in handler.stream_events():
                if isinstance(told, AgentStream):
                    ctx.write_event_to_stream(Found(text=told.delta))
            return StopEvent(result=str(await handler))

    flow = guard(Flow(timeout=60))

    async def go() -> Any:
        handler = flow.run()
        told = [event.text async for event in handler.stream_events() if isinstance(event, Found)]
        return told, await handler

    return go


def a_team_that_researches_writes_and_reviews(guard: Guard, actions: Actions) -> Run:
    """Hand-offs through three agents, whose tools write the state."""

    async def note_down(ctx: Context, text: str) -> str:
        """Write down what was found."""
        actions.note("tool_call", "note_down")
        async with ctx.store.edit_state() as state:
            state.setdefault("state", {})["notes"] = text
        return "noted"

    def over(to: str, name: str) -> Any:
        return call("over", ("handoff", {"to_agent": to, "reason": "done"}), id=f"{name}-over")

    tools = guard([FunctionTool.from_defaults(async_fn=note_down), make_look(actions)])
    first = scripted(
        actions, call("a", LOOKS, ("note_down", {"text": "wet"}), id="r1"), over("writer", "r"), name="m-research"
    )
    second = scripted(actions, "", "", over("reviewer", "w"), name="m-write")
    third = scripted(actions, "", "", "", "good", name="m-review")
    agents = [
        FunctionAgent(
            name=name, description=name, tools=tools if name == "researcher" else [], llm=llm, can_handoff_to=to
        )
        for name, llm, to in (
            ("researcher", first, ["writer"]),
            ("writer", second, ["reviewer"]),
            ("reviewer", third, ["writer"]),
        )
    ]
    for name in ("writer", "reviewer"):
        actions.note("handoff", name)
    return runs(guard(AgentWorkflow(agents=agents, root_agent="researcher", initial_state={"notes": ""})))


def an_orchestrator_with_agents_as_tools(guard: Guard, actions: Actions) -> Run:
    """A tool with the context runs another agent and writes what it said into the state."""
    inner = FunctionAgent(name="inner", tools=guard([make_look(actions)]), llm=looks_once(actions, "inner-model"))

    async def research(ctx: Context, q: str) -> str:
        """Have somebody look."""
        actions.note("tool_call", "research")
        said = str(await inner.run(user_msg=q))
        async with ctx.store.edit_state() as state:
            state["found"] = said
        return said

    tools = guard([FunctionTool.from_defaults(async_fn=research)])
    return runs(guard(FunctionAgent(tools=tools, llm=looks_once(actions, "m", ("research", {"q": "rain"})))))


def a_planner_that_writes_a_plan(guard: Guard, actions: Actions) -> Run:
    """A plan in words, whose lines are sub-agents that are run one by one."""
    plans = answering(actions, {"plan": "look\nwrite"}, name="plans")
    agents = {
        "look": FunctionAgent(name="look", tools=guard([make_look(actions)]), llm=looks_once(actions, "m-look")),
        "write": FunctionAgent(name="write", tools=[], llm=scripted(actions, "written", name="m-write")),
    }

    class Flow(Workflow):
        @step
        async def plan(self, ctx: Context, ev: StartEvent) -> Found:
            await ctx.store.set("found", [])
            return Found(text=str(await plans.achat([ChatMessage("plan")])).removeprefix("assistant: "))

        @step
        async def carry_out(self, ctx: Context, ev: Found) -> StopEvent:
            found = [str(await agents[name].run(user_msg=name)) for name in ev.text.split()]
            return StopEvent(result=found)

    return runs(guard(Flow(timeout=60)))


def a_person_in_a_step(guard: Guard, actions: Actions) -> Run:
    """A question to a person, whose answer comes in a context that was stored."""
    look, says = make_look(actions), answering(actions, name="says")

    class Flow(Workflow):
        @step
        async def ask(self, ev: StartEvent) -> InputRequiredEvent:
            return InputRequiredEvent(prefix=str(await look.acall(q="rain")))

        @step
        async def go_on(self, ev: HumanResponseEvent) -> StopEvent:
            return StopEvent(result=str(await says.acomplete(ev.response)))

    flow = guard(Flow(timeout=60))

    async def go() -> Any:
        handler = flow.run()
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                break
        stored = handler.ctx.to_dict()
        await handler.cancel_run()
        handler = flow.run(ctx=Context.from_dict(flow, stored))
        handler.ctx.send_event(HumanResponseEvent(response="yes"))
        return await handler

    return go


def tools_from_an_index_of_objects(guard: Guard, actions: Actions) -> Run:
    """Tools that are found by their descriptions in a vector index."""
    tools = guard([make_look(actions)])
    index = ObjectIndex.from_objects(tools, index_cls=VectorStoreIndex, embed_model=MockEmbedding(4))
    for _ in range(3):  # for each turn, and for the call
        actions.note("retrieval", "VectorIndexRetriever")
    agent = FunctionAgent(tool_retriever=index.as_retriever(similarity_top_k=1), llm=looks_once(actions, "m"))
    return runs(guard(agent))


def a_tool_that_ends_a_reasoning(guard: Guard, actions: Actions) -> Run:
    """A tool that is returned directly, of an agent that thinks in words, read as a stream."""

    def look_up(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look_up")
        return f"about {q}"

    tool = FunctionTool.from_defaults(look_up, return_direct=True)
    thinks = scripted(actions, 'Thought: look.\nAction: look_up\nAction Input: {"q": "rain"}', name="thinks")
    agent = guard(ReActAgent(tools=guard([tool]), llm=thinks))

    async def go() -> Any:
        handler = agent.run("rain?")
        told = [type(event).__name__ async for event in handler.stream_events()]
        return told, str(await handler)

    return go


def tools_with_callbacks_and_parts(guard: Guard, actions: Actions) -> Run:
    """A tool with a callback that asks a model, and arguments that are given before."""
    sums = answering(actions, {"": "short"}, name="sums")

    async def look_up(q: str, where: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look_up")
        return f"about {q} in {where}"

    async def shorten(output: ToolOutput) -> str:
        return str(await sums.acomplete(str(output)))

    tool = FunctionTool.from_defaults(async_fn=look_up, async_callback=shorten, partial_params={"where": "books"})
    return runs(guard(FunctionAgent(tools=guard([tool]), llm=looks_once(actions, "m"))))


def two_conversations_of_one_agent(guard: Guard, actions: Actions) -> Run:
    """Runs side by side with contexts of their own, and a second turn."""
    agent = guard(FunctionAgent(tools=guard([make_look(actions)]), llm=looks_once(actions, "m")))

    async def talk() -> str:
        context = Context(agent)
        await agent.run("rain?", ctx=context)
        return str(await agent.run("and wind?", ctx=context))

    async def go() -> Any:
        return await asyncio.gather(talk(), talk())

    return go


APPS = [
    branches_that_are_collected,
    a_reflection_until_it_parses,
    a_workflow_that_passes_on_what_an_inner_one_tells,
    a_team_that_researches_writes_and_reviews,
    an_orchestrator_with_agents_as_tools,
    a_planner_that_writes_a_plan,
    a_person_in_a_step,
    tools_from_an_index_of_objects,
    a_tool_that_ends_a_reasoning,
    tools_with_callbacks_and_parts,
    two_conversations_of_one_agent,
]
READS = ("look_up", "research", "ask_index", "talk", "one", "two", "note_down")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_shape_runs_as_without_halo(tmp_path, build, mode):
    check_as_ungoverned(tmp_path / "home", build, mode, READS)
