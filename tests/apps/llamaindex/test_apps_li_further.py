"""Further shapes of LlamaIndex applications: teams that stream, code that acts, workflows as tools, runs that go on.

As in `test_apps_li_shapes.py`: each runs as observed and enforced, and what ran by its own counters is what the log
says was decided.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from li_app_parts import CountedShelf, answering, open_halo, scripted
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, CodeActAgent, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.tools import FunctionTool, QueryEngineTool, ToolOutput
from llama_index.core.workflow import Context, Event, JsonSerializer, StartEvent, StopEvent, Workflow, step
from pydantic import BaseModel
from workflows.resource import Resource as Injected
from workflows.retry_policy import ConstantDelayRetryPolicy

from halo_llamaindex import Halo, Resource
from halo_llamaindex.testing import call

LOOK = ("look_up", {"q": "rain"})
Run = Callable[[], Any]
"""Runs an application that was built; may be awaited."""


class Shelf(CountedShelf):
    """One source."""


def make_look(actions: Actions, **more: Any) -> FunctionTool:
    def look_up(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look_up")
        return f"about {q}"

    return FunctionTool.from_defaults(look_up, **more)


def looks_once(actions: Actions, *calls: Any, name: str = "agent-model") -> Any:
    return scripted(actions, call("go", *(calls or (LOOK,)), id=f"{name}-1"), "wet", name=name)


def runs(workflow: Any, **given: Any) -> Run:
    async def go() -> Any:
        return await workflow.run(**given)

    return go


def a_team_that_streams(halo: Halo, actions: Actions) -> Run:
    """Three agents that write and check by turns, word by word, with state of their own."""

    async def note_down(ctx: Context, words: str) -> str:
        """Note something down."""
        actions.note("tool_call", "note_down")
        async with ctx.store.edit_state() as state:
            state["state"]["words"] = words
        return "noted"

    def member(name: str, tools: Any, others: list[str], *said: Any) -> FunctionAgent:
        llm = scripted(actions, *said, name=f"{name}-model")
        return FunctionAgent(
            name=name, description=name, tools=halo.guard(tools), can_handoff_to=others, llm=llm, streaming=True
        )

    go = "handoff"
    finds = call("look", LOOK, id="f1"), call("on", (go, {"to_agent": "writer", "reason": "found"}), id="f2")
    # In the conversation of a team each counts all that was said before.
    writes = "x", "x", call("note", ("note_down", {"words": "wet"}), id="w1"), "It is wet."
    team = AgentWorkflow(
        agents=[
            member("finder", [make_look(actions)], ["writer"], *finds),
            member("writer", [note_down], [], *writes),
            member("checker", [make_look(actions)], ["writer"], "never"),
        ],
        root_agent="finder",
        initial_state={"words": ""},
    )

    async def run() -> Any:
        handler = halo.guard(team).run(user_msg="What is rain?")
        words = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream)]
        assert words
        return await handler

    return run


def an_agent_that_writes_code(halo: Halo, actions: Actions) -> Run:
    """Its program runs in a function of the application's."""

    def execute(code: str) -> str:
        """Run a program."""
        actions.note("tool_call", "execute")
        return str(len(code))

    said = "<execute>\nprint('rain')\n</execute>", "It is wet."
    llm = scripted(actions, *said, name="coder")
    halo.guard(execute)
    agent = CodeActAgent(code_execute_fn=execute, tools=halo.guard([make_look(actions)]), llm=llm)
    return runs(halo.guard(agent), user_msg="What is rain?")


def a_workflow_as_a_tool(halo: Halo, actions: Actions) -> Run:
    """What an agent calls is the run of a workflow that asks a retriever and a model."""
    shelf, reads = Shelf(actions, "wet", name="Shelf"), answering(actions, name="reads")

    class Research(Workflow):
        """Retrieve and read."""

        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            nodes = await shelf.aretrieve(ev.topic)
            return StopEvent(result=str(await reads.acomplete(f"{ev.topic} {nodes[0].text}")))

    workflow = Research(timeout=60)

    async def research(topic: str) -> str:
        """Research a topic."""
        actions.note("tool_call", "research")
        return str(await workflow.run(topic=topic))

    tools = halo.guard([FunctionTool.from_defaults(async_fn=research)])
    agent = FunctionAgent(tools=tools, llm=looks_once(actions, ("research", {"topic": "rain"})))
    return runs(halo.guard(agent), user_msg="What is rain?")


class Tried(Event):
    """What is tried."""

    number: int


class Done(Event):
    """What came of it."""

    words: str


def steps_side_by_side_that_try_again(halo: Halo, actions: Actions) -> Run:
    """Three pieces of work at once, of which one fails at first; what a step needs is injected."""
    look, failed = make_look(actions), []

    def get_reader() -> Any:
        return answering(actions, name="reads")

    class Work(Workflow):
        """Fan out, work, collect."""

        @step
        async def begin(self, ctx: Context, ev: StartEvent) -> Tried | None:
            for number in range(3):
                ctx.send_event(Tried(number=number))
            return None

        @step(num_workers=2, retry_policy=ConstantDelayRetryPolicy(delay=0.01, maximum_attempts=3))
        async def work(self, ev: Tried, reader: Annotated[Any, Injected(get_reader)]) -> Done:
            said = str(await look.acall(q=f"rain {ev.number}"))
            if ev.number == 1 and not failed:
                failed.append(ev.number)
                raise ConnectionError("later")
            return Done(words=str(await reader.acomplete(said)))

        @step
        async def end(self, ctx: Context, ev: Done) -> StopEvent | None:
            found = ctx.collect_events(ev, [Done] * 3)
            return None if found is None else StopEvent(result=" ".join(item.words for item in found))

    return runs(halo.guard(Work(timeout=60)))


def a_conversation_that_is_kept_between_runs(halo: Halo, actions: Actions) -> Run:
    """The context is written down after the first question, and read back for the second one."""
    llm = scripted(
        actions, call("go", LOOK, id="m1"), "wet", call("go", ("look_up", {"q": "wind"}), id="m2"), "windy", name="m"
    )
    agent = halo.guard(FunctionAgent(tools=halo.guard([make_look(actions)]), llm=llm))

    async def go() -> Any:
        ctx: Any = Context(agent)
        await agent.run(user_msg="What is rain?", ctx=ctx)
        kept = ctx.to_dict(serializer=JsonSerializer())
        again: Any = Context.from_dict(agent, kept, serializer=JsonSerializer())
        return await agent.run(user_msg="And wind?", ctx=again)

    return go


def tools_that_end_the_run(halo: Halo, actions: Actions) -> Run:
    """A tool whose answer is the agent's, one with a callback that asks a model, and arguments that are fixed."""
    checks = answering(actions, name="checks")

    def check(output: Any) -> ToolOutput:
        said = checks.complete(str(output))
        return ToolOutput(content=f"{output} {said}", tool_name="look_up", raw_input={}, raw_output=output)

    def sum_up(words: str, style: str) -> str:
        """Sum something up."""
        actions.note("tool_call", "sum_up")
        return f"{style} {words}"

    last = FunctionTool.from_defaults(sum_up, return_direct=True, partial_params={"style": "short"})
    tools = halo.guard([make_look(actions, callback=check), last])
    script = call("go", LOOK, id="m1"), call("on", ("sum_up", {"words": "wet"}), id="m2"), "never"
    return runs(halo.guard(FunctionAgent(tools=tools, llm=scripted(actions, *script, name="m"))), user_msg="rain?")


class Weather(BaseModel):
    """An answer with a shape."""

    wet: bool


def models_that_are_asked_for_shapes_and_calls(halo: Halo, actions: Actions) -> Run:
    """A step that has a model predict a shape, stream a chat, and call a tool by itself."""
    look = make_look(actions)
    predicts = scripted(actions, call("shape", ("Weather", {"wet": True}), id="p1"), name="predicts")
    calls = scripted(actions, call("go", LOOK, id="c1"), name="calls")
    talks = answering(actions, name="talks")

    class Asks(Workflow):
        """Three ways to ask."""

        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            prompt = PromptTemplate("Is {thing} wet?")
            shape = await predicts.astructured_predict(Weather, prompt, thing=ev.topic)
            used = await calls.apredict_and_call([look], ev.topic)
            stream = await talks.astream_chat([ChatMessage(content=str(used))])
            words = [part.delta async for part in stream]
            return StopEvent(result=f"{shape.wet} {words}")

    return runs(halo.guard(Asks(timeout=60)), topic="rain")


def an_engine_and_an_agent_in_a_reasoning_agent(halo: Halo, actions: Actions) -> Run:
    """An agent that thinks in words, with a memory of its own, a library and an inner agent as tools."""
    library = RetrieverQueryEngine.from_args(
        Shelf(actions, "wet", name="library"), llm=answering(actions, name="reads")
    )
    inner = FunctionAgent(tools=[make_look(actions)], llm=looks_once(actions, name="inner-model"))

    async def ask_inner(q: str) -> str:
        """Ask another agent."""
        actions.note("tool_call", "ask_inner")
        return str(await inner.run(user_msg=q))

    said = (
        'Thought: look.\nAction: ask_library\nAction Input: {"input": "rain"}',
        'Thought: ask.\nAction: ask_inner\nAction Input: {"q": "rain"}',
        "Thought: I can answer.\nAnswer: wet",
    )
    engine = halo.guard(library, resource=Resource(id="library", impact="read", source_trust=900))
    actions.note("tool_call", "ask_library")  # the framework runs it, and it asked the library once
    asks = QueryEngineTool.from_defaults(engine, name="ask_library", description="Ask a library.")
    llm = scripted(actions, *said, name="thinker")
    agent = ReActAgent(tools=halo.guard([asks, ask_inner]), llm=llm)
    memory = ChatMemoryBuffer.from_defaults(token_limit=4000)
    return runs(halo.guard(agent), user_msg="What is rain?", memory=memory)


APPS = [
    a_team_that_streams,
    an_agent_that_writes_code,
    a_workflow_as_a_tool,
    steps_side_by_side_that_try_again,
    a_conversation_that_is_kept_between_runs,
    tools_that_end_the_run,
    models_that_are_asked_for_shapes_and_calls,
    an_engine_and_an_agent_in_a_reasoning_agent,
]
READS = ("look_up", "research", "ask_inner", "ask_library", "sum_up", "execute")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_shape_does_what_the_log_says(tmp_path, build, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS),
        "note_down: {impact: write, reversal: undo}",
    )
    with open_halo(home, mode) as halo:
        said = build(halo, actions)()
        if inspect.isawaitable(said):
            asyncio.run(asyncio.wait_for(said, 60))
    assert actions.count("inference")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
