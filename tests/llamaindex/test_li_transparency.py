"""Transparency: what LlamaIndex's pages show, once plain and once governed with everything allowed, gives the same.

LlamaIndex ships no tests with its release, so its documented patterns are rebuilt here: agents, teams, people in the
loop, retrievers, query and chat engines, structured output. Each case is given `g`, which guards or does nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pydantic
import pytest
from li_functions import ask_a_person, remember
from li_world import Member, Shelf, hands, trusted
from llama_index.core import Document, Settings, VectorStoreIndex, get_response_synthesizer
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    CondenseQuestionChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import LLMRerank, SimilarityPostprocessor
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import (
    RetrieverQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.retrievers import QueryFusionRetriever, RecursiveRetriever
from llama_index.core.schema import IndexNode, TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool, RetrieverTool
from llama_index.core.workflow import (
    Context,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)

from halo_llamaindex.testing import ScriptedLLM, call

ALLOW = '@id("t.base") permit (principal, action, resource);\n'
Guard = Callable[..., Any]
CASES: dict[str, Callable[[Guard], Any]] = {}


def case(function: Callable[[Guard], Any]) -> Callable[[Guard], Any]:
    CASES[function.__name__] = function
    return function


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def fail(what: str) -> str:
    """Fail."""
    raise ValueError(f"no {what}")


class City(pydantic.BaseModel):
    """A city."""

    name: str
    people: int


ADD = call("adding", ("add", {"a": 2, "b": 3}), id="m1")
BOTH = call("both", ("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 2}), id="m1")
TEXTS = ("Thirty days to return.", "Shipping takes a week.")


def shelf(*texts: str) -> Shelf:
    return Shelf(*(texts or TEXTS))


async def ran(workflow: Any, *args: Any, **kwargs: Any) -> Any:
    """A run's last words and what its tools said."""
    result = await workflow.run(*args, **kwargs)
    return str(result), [str(item.tool_output) for item in result.tool_calls if isinstance(item, ToolCallResult)]


# agents


@case
async def an_agent_with_a_tool(g: Guard) -> Any:
    return await ran(g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=[ADD, "it is 5"]))), "2 + 3?")


@case
async def parallel_tools(g: Guard) -> Any:
    return await ran(g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=[BOTH]))), "go")


@case
async def a_failing_tool(g: Guard) -> Any:
    agent = FunctionAgent(tools=[g(fail)], llm=ScriptedLLM(script=[call("x", ("fail", {"what": "luck"}), id="m1")]))
    return await ran(g(agent), "go")


@case
async def a_tool_that_returns_directly(g: Guard) -> Any:
    tool = FunctionTool.from_defaults(add, return_direct=True)
    return await ran(g(FunctionAgent(tools=[g(tool)], llm=ScriptedLLM(script=[ADD]))), "go")


@case
async def a_tool_with_a_context(g: Guard) -> Any:
    agent = g(
        FunctionAgent(tools=[g(remember)], llm=ScriptedLLM(script=[call("x", ("remember", {"note": "n"}), id="m")]))
    )
    handler = agent.run("go")
    return str(await handler), await handler.ctx.store.get("note")


@case
async def a_state_in_the_prompt(g: Guard) -> Any:
    class Echo(ScriptedLLM):
        def next_message(self, messages: Any) -> Any:
            return ChatMessage(role="assistant", content=str(messages[-1].content))

    return await ran(g(FunctionAgent(llm=Echo(), initial_state={"n": 1}, system_prompt="be brief")), "go")


@case
async def a_memory_over_two_runs(g: Guard) -> Any:
    memory = ChatMemoryBuffer.from_defaults()
    agent = g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=[ADD, "5", "bye"])))
    said = [await ran(agent, "a", memory=memory), await ran(agent, "b", memory=memory)]
    return said, [str(message.content) for message in await memory.aget_all()]


@case
async def a_chat_history(g: Guard) -> Any:
    history = [ChatMessage("hi"), ChatMessage("hello", role="assistant")]
    return await ran(g(FunctionAgent(llm=ScriptedLLM(script=["x", "second"]))), "go", chat_history=history)


@case
async def structured_output_of_an_agent(g: Guard) -> Any:
    class Structured(ScriptedLLM):
        calls_functions: bool = True

        def next_message(self, messages: Any) -> Any:
            city = call("", ("City", {"name": "Bern", "people": 1}), id="c")
            return super().next_message(messages) if str(messages[-1].content) == "go" else city

    agent = g(FunctionAgent(llm=Structured(script=["Bern it is"]), output_cls=City))
    result = await agent.run("go")
    return str(result), result.structured_response


@case
async def an_output_function(g: Guard) -> Any:
    agent = g(FunctionAgent(llm=ScriptedLLM(script=["ok"]), structured_output_fn=lambda said: {"n": len(said)}))
    return (await agent.run("go")).structured_response


@case
async def too_many_iterations(g: Guard) -> Any:
    script = [call("x", ("add", {"a": i, "b": 0}), id=f"m{i}") for i in range(9)]
    agent = g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=script)))
    with pytest.raises(Exception, match="Max iterations") as raised:
        await agent.run("go", max_iterations=3)
    generous = g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=script), early_stopping_method="generate"))
    return type(raised.value).__name__, str(await generous.run("go", max_iterations=3))


@case
async def a_react_agent(g: Guard) -> Any:
    script = ['Thought: I add.\nAction: add\nAction Input: {"a": 2, "b": 3}', "Thought: I can answer.\nAnswer: 5"]
    return await ran(g(ReActAgent(tools=[g(add)], llm=ScriptedLLM(script=script, calls_functions=False))), "go")


@case
async def events_of_a_run(g: Guard) -> Any:
    agent = g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=[ADD, "it is five"])))
    handler = agent.run("go")
    seen = [
        (type(event).__name__, event.delta if isinstance(event, AgentStream) else "")
        async for event in handler.stream_events()
    ]
    await handler
    return seen


@case
async def without_streaming(g: Guard) -> Any:
    return await ran(g(FunctionAgent(tools=[g(add)], llm=ScriptedLLM(script=[ADD, "5"]), streaming=False)), "go")


@case
async def a_workflow_of_functions(g: Guard) -> Any:
    team = AgentWorkflow.from_tools_or_functions([g(add)], llm=ScriptedLLM(script=[ADD, "5"]))
    return await ran(g(team), "go")


def members(g: Guard, **said: Any) -> list[Any]:
    return [
        FunctionAgent(name=name, description=name, tools=[g(add)], llm=Member(script=script, speaker=name))
        for name, script in said.items()
    ]


@case
async def a_team(g: Guard) -> Any:
    team = AgentWorkflow(
        agents=members(g, research=[hands("write")], write=[ADD, hands("review", "h2")], review=["well done"]),
        root_agent="research",
        initial_state={"notes": {}},
    )
    return await ran(g(team), "a report, please")


@case
async def a_team_that_hands_back(g: Guard) -> Any:
    said = members(g, a=[hands("b"), "a ends"], b=[hands("a", "h2")])
    handler = g(AgentWorkflow(agents=said, root_agent="a")).run("go")
    seen = [type(event).__name__ async for event in handler.stream_events()]
    return str(await handler), seen


@case
async def a_team_where_not_everybody_may_hand_to_everybody(g: Guard) -> Any:
    said = members(g, a=[hands("c"), "a ends"], b=[], c=[])
    said[0].can_handoff_to = ["b"]
    return await ran(g(AgentWorkflow(agents=said, root_agent="a")), "go")


@case
async def agents_as_tools(g: Guard) -> Any:
    inner = g(FunctionAgent(name="inner", tools=[g(add)], llm=ScriptedLLM(script=[ADD, "five"])))

    async def ask(q: str) -> str:
        """Ask."""
        return str(await inner.run(q))

    return await ran(
        g(FunctionAgent(tools=[g(ask)], llm=ScriptedLLM(script=[call("x", ("ask", {"q": "?"}), id="o")]))), "go"
    )


@case
async def a_person_in_the_loop(g: Guard) -> Any:
    script = [call("x", ("ask_a_person", {"what": "cy"}), id="m")]
    agent = g(FunctionAgent(tools=[g(ask_a_person)], llm=ScriptedLLM(script=script)))
    handler = agent.run("go", ctx=Context(agent))
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            handler.ctx.send_event(HumanResponseEvent(response="fine", to="cy"))
    result = await handler
    return str(result), [str(item.tool_output) for item in result.tool_calls]


class Rag(Workflow):
    """The pages' own example of a workflow."""

    retriever: Any = None
    llm: Any = None

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        found = await self.retriever.aretrieve(ev.query)
        return StopEvent(result=str(await self.llm.acomplete(found[0].get_content())))


@case
async def a_workflow_of_ones_own(g: Guard) -> Any:
    flow = Rag()
    flow.retriever, flow.llm = g(shelf()), g(MockLLM())
    return await g(flow).run(query="returns")


# retrievers and engines


def texts(found: Any) -> list[str]:
    return [item.get_content() for item in found]


@case
def an_index_as_retriever(g: Guard) -> Any:
    index = VectorStoreIndex([TextNode(text=text) for text in TEXTS], embed_model=MockEmbedding(embed_dim=3))
    return sorted(texts(g(index.as_retriever(similarity_top_k=2)).retrieve("returns")))


@case
def an_index_as_engine(g: Guard) -> Any:
    index = VectorStoreIndex.from_documents([Document(text=TEXTS[0])], embed_model=MockEmbedding(embed_dim=3))
    return str(g(index.as_query_engine(llm=MockLLM())).query("returns"))


@pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "simple_summarize", "accumulate"])
@pytest.mark.parametrize("waits", [False, True])
def test_every_way_to_synthesize_gives_the_same_governed(make_world, mode, waits):
    def engine(g: Guard) -> Any:
        synthesizer = get_response_synthesizer(response_mode=mode, llm=MockLLM())
        made = g(RetrieverQueryEngine(shelf(), synthesizer))
        answer = asyncio.run(made.aquery("returns")) if waits else made.query("returns")
        return str(answer), texts(answer.source_nodes)

    compared(make_world, engine)


@case
def a_streaming_engine(g: Guard) -> Any:
    engine = g(RetrieverQueryEngine.from_args(shelf(), llm=MockLLM(), streaming=True))
    return "".join(engine.query("returns").response_gen)


@case
def an_engine_with_postprocessors(g: Guard) -> Any:
    rerank = LLMRerank(llm=ScriptedLLM(script=["Doc: 2, Relevance: 9\nDoc: 1, Relevance: 3"]), top_n=1)
    made = RetrieverQueryEngine.from_args(
        shelf(), llm=MockLLM(), node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=0.1), rerank]
    )
    return texts(g(made).query("returns").source_nodes)


@case
def a_fusion_retriever(g: Guard) -> Any:
    fusion = QueryFusionRetriever(
        [shelf("a"), shelf("b")], llm=ScriptedLLM(script=["one\ntwo"]), num_queries=3, use_async=False
    )
    return sorted(texts(g(fusion).retrieve("q")))


@case
def an_asynchronous_fusion_retriever(g: Guard) -> Any:
    fusion = QueryFusionRetriever([shelf("a"), shelf("b")], llm=ScriptedLLM(script=["one"]), num_queries=2)
    return sorted(texts(g(fusion).retrieve("q"))), sorted(texts(asyncio.run(g(fusion).aretrieve("q"))))


@case
def a_recursive_retriever(g: Guard) -> Any:
    root = shelf()
    root._nodes = [IndexNode(text="see", index_id="inner")]
    return texts(g(RecursiveRetriever("root", {"root": root, "inner": shelf("deep")})).retrieve("q"))


@case
def a_transformed_query(g: Guard) -> Any:
    inner = RetrieverQueryEngine.from_args(shelf(), llm=MockLLM())
    return str(g(TransformQueryEngine(inner, HyDEQueryTransform(llm=MockLLM()))).query("returns"))


def engine_tool(text: str, name: str) -> QueryEngineTool:
    engine = RetrieverQueryEngine.from_args(shelf(text), llm=MockLLM())
    return QueryEngineTool.from_defaults(engine, name=name, description=name)


@case
def a_router_engine(g: Guard) -> Any:
    choice = '[{"choice": 2, "reason": "it fits"}]'
    router = RouterQueryEngine(
        LLMSingleSelector.from_defaults(llm=ScriptedLLM(script=[choice])),
        [engine_tool("first", "one"), engine_tool("second", "two")],
        llm=MockLLM(),
    )
    return str(g(router).query("which?"))


@case
def a_sub_question_engine(g: Guard) -> Any:
    questions = '```json\n{"items": [{"sub_question": "when?", "tool_name": "one"}]}\n```'
    engine = SubQuestionQueryEngine.from_defaults(
        [engine_tool("first", "one")],
        llm=MockLLM(),
        question_gen=LLMQuestionGenerator.from_defaults(llm=ScriptedLLM(script=[questions])),
        response_synthesizer=get_response_synthesizer(llm=MockLLM(), response_mode="compact"),
        use_async=False,
        verbose=False,
    )
    return str(g(engine).query("when and how?"))


CHATS: dict[str, Callable[[], Any]] = {
    "simple": lambda: SimpleChatEngine.from_defaults(llm=MockLLM()),
    "context": lambda: ContextChatEngine.from_defaults(retriever=shelf(), llm=MockLLM()),
    "condense_plus_context": lambda: CondensePlusContextChatEngine.from_defaults(shelf(), llm=MockLLM()),
    "condense_question": lambda: CondenseQuestionChatEngine.from_defaults(
        RetrieverQueryEngine.from_args(shelf(), llm=MockLLM()), llm=MockLLM()
    ),
}


@pytest.mark.matrix
@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat"])
def test_every_chat_engine_gives_the_same_governed(make_world, kind, way):
    def talk(g: Guard) -> Any:
        engine = g(CHATS[kind]())
        said = []
        for words in ("hi", "and then?"):
            answer = getattr(engine, way)(words)
            answer = asyncio.run(answer) if inspect.isawaitable(answer) else answer
            said.append("".join(answer.response_gen) if way == "stream_chat" else str(answer))
        return said

    compared(make_world, talk)


# models


@case
def structured_prediction(g: Guard) -> Any:
    model = g(ScriptedLLM(script=[call("", ("City", {"name": "Bern", "people": 1}), id="c")]))
    by_class = model.as_structured_llm(City).chat([ChatMessage("a city")])
    return model.structured_predict(City, PromptTemplate("a city")), by_class.raw, str(by_class.message.content)


@case
def predicting_and_calling(g: Guard) -> Any:
    model = g(ScriptedLLM(script=[ADD]))
    return str(model.predict_and_call([g(add)], "2 + 3?")), str(asyncio.run(model.apredict_and_call([g(add)], "?")))


@case
async def tools_over_a_retriever_and_an_engine(g: Guard) -> Any:
    found = RetrieverTool.from_defaults(shelf(), name="find", description="find")
    script = [call("both", ("find", {"input": "q"}), ("one", {"input": "q"}), id="m1")]
    agent = FunctionAgent(tools=[g(found), g(engine_tool("first", "one"))], llm=ScriptedLLM(script=script))
    return await ran(g(agent), "go")


@case
def the_settings_model(g: Guard) -> Any:
    before = Settings._llm
    Settings.llm = g(MockLLM())
    try:
        return str(RetrieverQueryEngine.from_args(g(shelf())).query("returns"))
    finally:
        Settings._llm = before


# once plain, once governed


def compared(make_world: Any, function: Callable[[Guard], Any]) -> None:
    world = make_world(policy=ALLOW)

    def guard(x: Any) -> Any:
        plain = inspect.isfunction(x) or isinstance(x, FunctionTool | Shelf)
        return world.halo.guard(x, resource=trusted()) if plain else world.halo.guard(x)

    def result(g: Guard) -> Any:
        found = function(g)
        return asyncio.run(found) if inspect.isawaitable(found) else found

    plain = result(lambda x: FunctionTool.from_defaults(x) if inspect.isfunction(x) else x)
    governed = result(guard)
    assert governed == plain
    assert world.decisions()
    assert {effect for _, effect in world.kinds()} <= {"allow", "monitor"}


@pytest.mark.parametrize("name", CASES)
def test_it_gives_the_same_governed(name, make_world):
    compared(make_world, CASES[name])
