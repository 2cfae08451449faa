"""Shapes of LlamaIndex applications out of the framework's guides: injected resources, graphs of properties, threads.

As in `test_apps_li_shapes.py`: each runs as observed and enforced, and what ran by its own counters is what the log
says was decided.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from li_app_parts import CountedShelf, answering, open_halo, scripted
from llama_index.core import Document, PropertyGraphIndex, Settings, get_response_synthesizer
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.indices.property_graph import LLMSynonymRetriever, SimpleLLMPathExtractor
from llama_index.core.indices.query.query_transform.base import StepDecomposeQueryTransform
from llama_index.core.llms import ChatMessage
from llama_index.core.program import LLMTextCompletionProgram
from llama_index.core.query_engine import FLAREInstructQueryEngine, MultiStepQueryEngine, RetrieverQueryEngine
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from pydantic import BaseModel
from workflows.resource import Resource as Injected

from halo_llamaindex import Halo
from halo_llamaindex.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
Run = Callable[[], Any]


class Shelf(CountedShelf):
    """Named by its class, like any retriever."""


def make_shelf(actions: Actions) -> Shelf:
    return Shelf(actions, "rain is wet", name="Shelf")


def make_look(actions: Actions) -> FunctionTool:
    def look_up(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    return FunctionTool.from_defaults(actions.tool(look_up))


def looks_once(actions: Actions, *calls: Any, name: str) -> Any:
    return scripted(actions, call("look", *(calls or (("look_up", {"q": "rain"}),)), id=f"{name}-1"), "wet", name=name)


def runs(workflow: Any, **given: Any) -> Run:
    async def go() -> Any:
        return await workflow.run(**given)

    return go


def a_workflow_with_injected_resources(halo: Halo, actions: Actions) -> Run:
    """Steps that are given their model and their tool by the framework."""

    def get_llm() -> Any:
        return scripted(actions, "wet", name="injected")

    def get_tool() -> Any:
        return make_look(actions)

    class Flow(Workflow):
        @step
        async def work(
            self, event: StartEvent, llm: Annotated[Any, Injected(get_llm)], tool: Annotated[Any, Injected(get_tool)]
        ) -> StopEvent:
            found = await tool.acall(q="rain")
            return StopEvent(str(await llm.acomplete(str(found))))

    return runs(halo.guard(Flow()))


class Asked(Event):
    """The model has called tools."""

    calls: Any


def an_agent_of_steps_that_streams(halo: Halo, actions: Actions) -> Run:
    """The guide's agent from scratch: chat with tools, streamed, and the calls at once."""
    llm, look = (
        looks_once(actions, ("look_up", {"q": "rain"}), ("look_up", {"q": "wind"}), name="steps"),
        make_look(actions),
    )

    class Flow(Workflow):
        @step
        async def ask(self, ctx: Context, event: StartEvent) -> Asked | StopEvent:
            history = await ctx.store.get("history", default=[ChatMessage("What is rain?")])
            response: Any = None
            async for response in await llm.astream_chat_with_tools([look], chat_history=history):
                ctx.write_event_to_stream(
                    AgentStream(
                        delta=response.delta or "", response="", current_agent_name="x", tool_calls=[], raw=None
                    )
                )
            calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
            await ctx.store.set("history", [*history, response.message])
            return Asked(calls=calls) if calls else StopEvent(str(response.message.content))

        @step
        async def act(self, ctx: Context, event: Asked) -> StartEvent:
            found = await asyncio.gather(*(look.acall(**item.tool_kwargs) for item in event.calls))
            history = await ctx.store.get("history")
            said = [ChatMessage(str(item), role="tool") for item in found]
            await ctx.store.set("history", [*history, *said])
            return StartEvent()

    async def go() -> Any:
        run = halo.guard(Flow()).run()
        async for _ in run.stream_events():
            pass
        return await run

    return go


def steps_in_threads(halo: Halo, actions: Actions) -> Run:
    """Steps that work in threads: of asyncio, and in a copy of the context."""
    llm, look, shelf = scripted(actions, "wet", name="threads"), make_look(actions), make_shelf(actions)

    class Flow(Workflow):
        @step
        async def work(self, event: StartEvent) -> StopEvent:
            found = await asyncio.gather(asyncio.to_thread(look, q="rain"), asyncio.to_thread(shelf.retrieve, "rain"))
            told: list[Any] = []
            thread = threading.Thread(
                target=contextvars.copy_context().run, args=(lambda: told.append(llm.complete(str(found))),)
            )
            thread.start()
            await asyncio.to_thread(thread.join)
            return StopEvent(str(told[0]))

    return runs(halo.guard(Flow()))


def a_graph_of_properties(halo: Halo, actions: Actions) -> Run:
    """A guarded model takes triples out of a text, and finds synonyms for what is searched."""
    llm = halo.guard(answering(actions, {"triplets": "(Rain, is, Wet)", "synonyms": "Rain^Water"}, name="graph-model"))

    def go() -> Any:
        index = PropertyGraphIndex.from_documents(
            [Document(text="Rain is wet.")],
            kg_extractors=[SimpleLLMPathExtractor(llm=llm, num_workers=1)],
            embed_kg_nodes=False,
            show_progress=False,
        )
        finds = halo.guard(LLMSynonymRetriever(index.property_graph_store, llm=llm, include_text=False))
        actions.note("retrieval", "LLMSynonymRetriever")
        return finds.retrieve("rain")

    return go


def engines_of_several_steps(halo: Halo, actions: Actions) -> Run:
    """An engine that asks itself further questions."""
    llm = answering(actions, {"new question": "What is wet?"}, name="steps")
    engine = RetrieverQueryEngine.from_args(make_shelf(actions), llm=llm)
    several = MultiStepQueryEngine(
        engine,
        StepDecomposeQueryTransform(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        index_summary="rain",
        num_steps=2,
    )
    return lambda: halo.guard(several).query("What is rain?")


def an_engine_that_looks_ahead(halo: Halo, actions: Actions) -> Run:
    """FLARE: a model says what it has to search for in the middle of its answer."""
    answers = {"Skill": "It is [Search(What is rain?)] wet.", "What is rain?": "wet done"}
    llm = answering(actions, answers, name="flare")
    engine = RetrieverQueryEngine.from_args(make_shelf(actions), llm=llm)
    flare = FLAREInstructQueryEngine(engine, llm=llm, max_iterations=2)
    return lambda: halo.guard(flare).query("Tell me of rain")


class Weather(BaseModel):
    """What it is like."""

    is_wet: bool


def a_team_of_two_kinds_with_an_engine_and_a_program(halo: Halo, actions: Actions) -> Run:
    """A team whose members reason in words and by calls; a tool runs a program, another one an engine."""
    judging = answering(actions, {"Weather": '{"is_wet": true}'}, name="program")
    program: Any = LLMTextCompletionProgram.from_defaults(
        output_cls=Weather, prompt_template_str="Weather for {q}", llm=judging
    )

    def judge(q: str) -> str:
        """Judge the weather."""
        actions.note("tool_call", "judge")
        return str(program(q=q))

    shelf = Shelf(actions, "rain is wet", name="library.retriever")  # of a guarded tool over an engine
    engine = RetrieverQueryEngine.from_args(shelf, llm=answering(actions, name="reads"))
    library = QueryEngineTool.from_defaults(engine, name="library", description="Ask the library.")
    actions.note("tool_call", "library")
    thinks = scripted(
        actions,
        "",
        "",  # what the boss has said is in the conversation
        'Thought: look.\nAction: library\nAction Input: {"input": "rain"}',
        "Thought: I can answer.\nAnswer: wet",
        name="thinker",
    )
    writer = ReActAgent(name="writer", description="Writes.", tools=halo.guard([library]), llm=thinks)
    asks = scripted(
        actions,
        call("judge", ("judge", {"q": "rain"}), id="j1"),
        call("go", ("handoff", {"to_agent": "writer", "reason": "write"}), id="j2"),
        name="leads",
    )
    boss = FunctionAgent(
        name="boss",
        description="Leads.",
        tools=halo.guard([FunctionTool.from_defaults(judge)]),
        llm=asks,
        can_handoff_to=["writer"],
    )
    return runs(halo.guard(AgentWorkflow(agents=[boss, writer], root_agent="boss")), user_msg="What is rain?")


APPS = [
    a_workflow_with_injected_resources,
    an_agent_of_steps_that_streams,
    steps_in_threads,
    a_graph_of_properties,
    engines_of_several_steps,
    an_engine_that_looks_ahead,
    a_team_of_two_kinds_with_an_engine_and_a_program,
]
READS = ("look_up", "judge", "library")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_shape_does_what_the_log_says(tmp_path, build, mode, monkeypatch):
    monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=2))
    home, actions = tmp_path / "home", Actions()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with open_halo(home, mode) as halo:
        said = build(halo, actions)()
        if inspect.isawaitable(said):
            asyncio.run(asyncio.wait_for(said, 60))
    assert actions.count("inference")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
