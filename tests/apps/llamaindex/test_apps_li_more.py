"""More shapes of LlamaIndex applications: workflows that retrieve and rank, routers, chat engines, memories, indexing.

As in `test_apps_li_shapes.py`: each runs as observed and enforced, and what ran by its own counters is what the log
says was decided.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from li_app_parts import AnsweringLLM, CountedShelf, answering, open_halo, scripted
from llama_index.core import Document, DocumentSummaryIndex, MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import CondensePlusContextChatEngine, CondenseQuestionChatEngine, SimpleChatEngine
from llama_index.core.evaluation import FaithfulnessEvaluator, RelevancyEvaluator
from llama_index.core.extractors import KeywordExtractor, SummaryExtractor, TitleExtractor
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.memory import ChatSummaryMemoryBuffer, FactExtractionMemoryBlock, Memory, StaticMemoryBlock
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.objects import ObjectIndex
from llama_index.core.postprocessor import LLMRerank, SimilarityPostprocessor
from llama_index.core.program import LLMTextCompletionProgram
from llama_index.core.query_engine import (
    CitationQueryEngine,
    CustomQueryEngine,
    RetrieverQueryEngine,
    RetryQueryEngine,
    RouterQueryEngine,
    ToolRetrieverRouterQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.retrievers import RouterRetriever
from llama_index.core.schema import NodeWithScore
from llama_index.core.selectors import LLMMultiSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool, RetrieverTool, ToolSelection
from llama_index.core.tools.tool_spec.base import BaseToolSpec
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from pydantic import BaseModel

from halo_llamaindex import Halo, Resource
from halo_llamaindex.testing import call

LIBRARY = Resource(id="library", impact="read", source_trust=900)
LOOK = ("look_up", {"q": "rain"})
Run = Callable[[], Any]
"""Runs an application that was built; may be awaited."""


class Shelf(CountedShelf):
    """One source."""


class Archive(CountedShelf):
    """Another."""


def make_look(actions: Actions, name: str = "look_up") -> FunctionTool:
    def look_up(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", name)
        return f"about {q}"

    return FunctionTool.from_defaults(look_up, name=name)


def looks_once(actions: Actions, *calls: Any, name: str = "agent-model") -> Any:
    return scripted(actions, call("go", *(calls or (LOOK,)), id=f"{name}-1"), "wet", name=name)


def runs(workflow: Any, **given: Any) -> Run:
    async def go() -> Any:
        return await workflow.run(**given)

    return go


# workflows


class Found(Event):
    """What was retrieved."""

    nodes: list[NodeWithScore]


class Ranked(Event):
    """What is left of it."""

    nodes: list[NodeWithScore]


def a_workflow_that_retrieves_ranks_and_answers(halo: Halo, actions: Actions) -> Run:
    shelf = Shelf(actions, "wet", "dry", name="Shelf")
    ranks = answering(actions, {"relevance": "Doc: 1, Relevance: 9"}, name="ranks")
    reads = answering(actions, name="reads")

    class Rag(Workflow):
        """Retrieve, rank, answer."""

        @step
        async def retrieve(self, ctx: Context, ev: StartEvent) -> Found:
            await ctx.store.set("query", ev.query)
            return Found(nodes=await shelf.aretrieve(ev.query))

        @step
        async def rank(self, ctx: Context, ev: Found) -> Ranked:
            ranker = LLMRerank(llm=ranks, top_n=1)
            query = await ctx.store.get("query")
            return Ranked(nodes=ranker.postprocess_nodes(ev.nodes, query_str=query))

        @step
        async def answer(self, ctx: Context, ev: Ranked) -> StopEvent:
            synthesizer = get_response_synthesizer(llm=reads)
            said = await synthesizer.asynthesize(await ctx.store.get("query"), nodes=ev.nodes)
            return StopEvent(result=str(said))

    return runs(halo.guard(Rag(timeout=60)), query="What is rain?")


class Calls(Event):
    """Calls that a model asked for."""

    calls: list[ToolSelection]


class Chat(Event):
    """The conversation so far."""

    messages: list[ChatMessage]


def an_agent_written_as_a_workflow(halo: Halo, actions: Actions) -> Run:
    look = make_look(actions)
    llm = looks_once(actions, LOOK, ("look_up", {"q": "wind"}))

    class Agent(Workflow):
        """The loop of an agent, step by step."""

        @step
        async def begin(self, ev: StartEvent) -> Chat:
            return Chat(messages=[ChatMessage(ev.words)])

        @step
        async def ask(self, ctx: Context, ev: Chat) -> Calls | StopEvent:
            answer = await llm.achat_with_tools([look], chat_history=ev.messages)
            await ctx.store.set("messages", [*ev.messages, answer.message])
            calls = llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
            return Calls(calls=calls) if calls else StopEvent(result=str(answer.message.content))

        @step
        async def use(self, ctx: Context, ev: Calls) -> Chat:
            results = [look(**item.tool_kwargs) for item in ev.calls]
            told = [ChatMessage(str(item.content), role="tool") for item in results]
            return Chat(messages=[*await ctx.store.get("messages"), *told])

    return runs(halo.guard(Agent(timeout=60)), words="What is rain?")


def a_workflow_inside_a_workflow(halo: Halo, actions: Actions) -> Run:
    look, checks = make_look(actions), answering(actions, name="checks")

    class Reflect(Workflow):
        """The inner one."""

        @step
        async def check(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str(await checks.acomplete(ev.words)))

    inner = Reflect(timeout=60)

    class Holder(Workflow):
        """Runs another one that it holds."""

        def __init__(self, inner: Workflow, **more: Any) -> None:
            super().__init__(**more)
            self.inner = inner

        @step
        async def go(self, ctx: Context, ev: StartEvent) -> StopEvent:
            said = str(await look.acall(q=ev.words))
            handler = self.inner.run(words=said)
            async for event in handler.stream_events():
                ctx.write_event_to_stream(event)
            return StopEvent(result=await handler)

    return runs(halo.guard(Holder(inner, timeout=60)), words="rain")


# agents


class WeatherSpec(BaseToolSpec):
    """A tool specification, as hubs have them."""

    spec_functions: ClassVar = ["look_up", ("look_far", "alook_far")]

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def look_up(self, q: str) -> str:
        """Look something up."""
        self.actions.note("tool_call", "look_up")
        return q

    def look_far(self, q: str) -> str:
        """Look far."""
        self.actions.note("tool_call", "look_far")
        return q

    async def alook_far(self, q: str) -> str:
        """Look far."""
        self.actions.note("tool_call", "look_far")
        return q


def an_agent_with_a_tool_specification(halo: Halo, actions: Actions) -> Run:
    tools = halo.guard(WeatherSpec(actions).to_tool_list())
    llm = looks_once(actions, LOOK, ("look_far", {"q": "rain"}))
    return runs(halo.guard(FunctionAgent(tools=tools, llm=llm)), user_msg="rain?")


class Answer(BaseModel):
    """An answer with a shape."""

    wet: bool


def an_agent_with_an_answer_with_a_shape(halo: Halo, actions: Actions) -> Run:
    tools = halo.guard([make_look(actions)])

    async def shape(messages: list[ChatMessage]) -> dict[str, Any]:
        said = await answering(actions, name="shapes").achat(messages[-1:])
        return {"wet": bool(said.message.content)}

    agent = FunctionAgent(tools=tools, llm=looks_once(actions), structured_output_fn=shape)
    return runs(halo.guard(agent), user_msg="rain?")


def an_agent_that_thinks_in_words(halo: Halo, actions: Actions) -> Run:
    tools = halo.guard([make_look(actions)])
    said = ['Thought: look.\nAction: look_up\nAction Input: {"q": "rain"}', "Thought: I can answer.\nAnswer: wet"]
    return runs(halo.guard(ReActAgent(tools=tools, llm=scripted(actions, *said, name="agent-model"))), user_msg="rain?")


def agents_with_memory_blocks(halo: Halo, actions: Actions) -> Run:
    facts = AnsweringLLM(
        script=["x"], actions=actions, model="facts", answers={"": "<facts><fact>likes rain</fact></facts>"}
    )
    memory = Memory.from_defaults(
        session_id="ana",
        token_limit=40,
        chat_history_token_ratio=0.3,
        token_flush_size=10,
        memory_blocks=[
            StaticMemoryBlock(name="who", static_content="Ana.", priority=0),
            FactExtractionMemoryBlock(name="facts", llm=facts, max_facts=5, priority=1),
        ],
    )
    agent = halo.guard(FunctionAgent(tools=halo.guard([make_look(actions)]), llm=looks_once(actions)))

    async def go() -> Any:
        for words in ("I like rain, and I like the wind a lot, and the sun.", "What do I like, of all that there is?"):
            said = await agent.run(user_msg=words, memory=memory)
        return said

    return go


def agents_with_retriever_and_engine_tools(halo: Halo, actions: Actions) -> Run:
    engine = halo.guard(
        RetrieverQueryEngine.from_args(Shelf(actions, "wet", name="library"), llm=answering(actions, name="reads")),
        resource=LIBRARY,
    )
    archive = halo.guard(Archive(actions, "old", name="archive"), resource=Resource(id="archive", source_trust=900))
    tools = halo.guard(
        [
            QueryEngineTool.from_defaults(engine, name="ask_library", description="Ask."),
            RetrieverTool.from_defaults(archive, name="ask_archive", description="Ask."),
        ]
    )
    for name in ("ask_library", "ask_archive"):  # the framework's, which run what counts for itself
        actions.note("tool_call", name)
    llm = looks_once(actions, ("ask_library", {"input": "rain"}), ("ask_archive", {"input": "rain"}))
    return runs(halo.guard(FunctionAgent(tools=tools, llm=llm)), user_msg="rain?")


def a_team_that_starts_from_functions(halo: Halo, actions: Actions) -> Run:
    tools = halo.guard([make_look(actions)])
    team = AgentWorkflow.from_tools_or_functions(tools, llm=looks_once(actions))
    guarded = halo.guard(team)

    async def go() -> Any:
        handler = guarded.run(user_msg="rain?")
        async for _ in handler.stream_events():
            pass
        return await handler

    return go


# engines


def make_engine(actions: Actions, *, name: str = "library", reader: str = "reads", kind: type = Shelf) -> Any:
    return RetrieverQueryEngine.from_args(kind(actions, "wet", name=name), llm=answering(actions, name=reader))


def asks(halo: Halo, engine: Any) -> Run:
    guarded = halo.guard(engine, resource=LIBRARY)
    return lambda: guarded.query("What is rain?")


def asks_later(halo: Halo, engine: Any) -> Run:
    guarded = halo.guard(engine, resource=LIBRARY)

    async def go() -> Any:
        return await guarded.aquery("What is rain?")

    return go


CHOICE = {"choice": '[{"choice": 1, "reason": "a"}, {"choice": 2, "reason": "b"}]'}


def a_router_over_two(halo: Halo, actions: Actions) -> Run:
    tools = [
        QueryEngineTool.from_defaults(make_engine(actions, kind=kind), description="d") for kind in (Shelf, Archive)
    ]
    selector = LLMMultiSelector.from_defaults(llm=answering(actions, CHOICE, name="selects"))
    return asks(halo, RouterQueryEngine(selector, tools, llm=answering(actions, name="joins")))


def a_router_of_retrievers(halo: Halo, actions: Actions) -> Run:
    tools = [
        RetrieverTool.from_defaults(kind(actions, "wet", name=f"library/{kind.__name__}"), description="d")
        for kind in (Shelf, Archive)
    ]
    selector = LLMMultiSelector.from_defaults(llm=answering(actions, CHOICE, name="selects"))
    actions.note("retrieval", "library")  # the framework's own, which asks the others
    router = RouterRetriever(selector, tools, llm=answering(actions, name="unused"))
    return asks_later(halo, RetrieverQueryEngine.from_args(router, llm=answering(actions, name="reads")))


def a_router_that_finds_its_tools(halo: Halo, actions: Actions) -> Run:
    tools = [QueryEngineTool.from_defaults(make_engine(actions), name="docs", description="Docs.")]
    actions.note("retrieval", "library/VectorIndexRetriever")  # the framework's own, which finds the tool
    index = ObjectIndex.from_objects(tools, index_cls=VectorStoreIndex, embed_model=MockEmbedding(4))
    return asks(
        halo,
        ToolRetrieverRouterQueryEngine(index.as_retriever(similarity_top_k=1), answering(actions, name="joins")),
    )


def questions_that_are_rewritten(halo: Halo, actions: Actions) -> Run:
    hyde = HyDEQueryTransform(llm=answering(actions, {"": "rain is wet"}, name="hyde"), include_original=True)
    return asks(halo, TransformQueryEngine(make_engine(actions), hyde))


def citations_and_filters(halo: Halo, actions: Actions) -> Run:
    engine = CitationQueryEngine.from_args(
        SummaryIndex.from_documents([Document(text="wet")]),
        retriever=Shelf(actions, "wet", name="library"),
        llm=answering(actions, name="reads"),
        node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=0.1)],
    )
    return asks(halo, engine)


def a_custom_engine(halo: Halo, actions: Actions) -> Run:
    class Own(CustomQueryEngine):
        """An engine of the application's own."""

        shelf: Any
        llm: Any
        tool: Any

        def custom_query(self, query_str: str) -> str:
            found = self.shelf.retrieve(query_str)
            looked = self.tool.call(q=query_str)
            return str(self.llm.complete(f"{found[0].text} {looked}"))

    own = Own(
        shelf=Shelf(actions, "wet", name="library"), llm=answering(actions, name="reads"), tool=make_look(actions)
    )
    return asks(halo, own)


def an_engine_that_tries_again(halo: Halo, actions: Actions) -> Run:
    actions.note("retrieval", "library/SummaryIndexRetriever")  # the framework's own: the judge reads by an index
    judge = RelevancyEvaluator(llm=answering(actions, {"": "YES"}, name="judge"))
    return asks(halo, RetryQueryEngine(make_engine(actions), judge))


def an_index_that_sums_up(halo: Halo, actions: Actions) -> Run:
    """Ingestion with transformations that ask models, inside a workflow step."""
    titles, words, sums = (answering(actions, {"": "rain"}, name=name) for name in ("titles", "words", "sums"))
    answers = answering(actions, {"choose": "Doc: 1, Relevance: 9"}, name="reads")

    class Ingest(Workflow):
        """Read documents in, then ask."""

        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            pipeline = IngestionPipeline(
                transformations=[
                    SentenceSplitter(chunk_size=64, chunk_overlap=0),
                    TitleExtractor(llm=titles, nodes=1),
                    KeywordExtractor(llm=words, keywords=2),
                    SummaryExtractor(llm=sums, summaries=["self"]),
                    MockEmbedding(4),
                ]
            )
            nodes = await pipeline.arun(documents=[Document(text="Rain is wet.")])
            index = DocumentSummaryIndex(
                nodes, llm=sums, embed_model=MockEmbedding(4), response_synthesizer=get_response_synthesizer(llm=sums)
            )
            engine = index.as_query_engine(llm=answers)
            for name in ("DocumentSummaryIndexEmbeddingRetriever", "SummaryIndexRetriever"):  # the framework's own
                actions.note("retrieval", name)
            said = await engine.aquery("What is rain?")
            judge = FaithfulnessEvaluator(llm=answering(actions, {"": "YES"}, name="judge"))
            await judge.aevaluate_response(query="What is rain?", response=said)
            program = LLMTextCompletionProgram.from_defaults(
                output_cls=Answer,
                prompt_template_str="{x}",
                llm=answering(actions, {"": '{"wet": true}'}, name="fills"),
            )
            return StopEvent(result=str(await program.acall(x=str(said))))

    return runs(halo.guard(Ingest(timeout=60)))


# chat engines


def talks(halo: Halo, engine: Any) -> Run:
    guarded = halo.guard(engine, resource=LIBRARY)

    def go() -> Any:
        guarded.chat("Hello.")
        return guarded.chat("What is rain?")

    return go


def a_chat_that_condenses(halo: Halo, actions: Actions) -> Run:
    asks = answering(actions, {"": "What is rain?"}, name="asks")
    return talks(halo, CondenseQuestionChatEngine.from_defaults(make_engine(actions), llm=asks))


def a_chat_with_context_and_a_summary(halo: Halo, actions: Actions) -> Run:
    memory = ChatSummaryMemoryBuffer.from_defaults(llm=answering(actions, name="sums"), token_limit=3)
    engine = CondensePlusContextChatEngine.from_defaults(
        Shelf(actions, "wet", name="library"), llm=answering(actions, name="reads"), memory=memory
    )
    return talks(halo, engine)


def a_plain_chat(halo: Halo, actions: Actions) -> Run:
    engine = halo.guard(SimpleChatEngine.from_defaults(llm=answering(actions, name="reads")))

    async def go() -> Any:
        said = await engine.astream_chat("Hello.")
        return "".join([part async for part in said.async_response_gen()])

    return go


APPS = [
    a_workflow_that_retrieves_ranks_and_answers,
    an_agent_written_as_a_workflow,
    a_workflow_inside_a_workflow,
    an_agent_with_a_tool_specification,
    an_agent_with_an_answer_with_a_shape,
    an_agent_that_thinks_in_words,
    agents_with_memory_blocks,
    agents_with_retriever_and_engine_tools,
    a_team_that_starts_from_functions,
    a_router_over_two,
    a_router_of_retrievers,
    a_router_that_finds_its_tools,
    questions_that_are_rewritten,
    citations_and_filters,
    a_custom_engine,
    an_engine_that_tries_again,
    an_index_that_sums_up,
    a_chat_that_condenses,
    a_chat_with_context_and_a_summary,
    a_plain_chat,
]


READS = ("look_up", "look_far", "ask_library", "ask_archive")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_shape_does_what_the_log_says(tmp_path, build, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(
            f"{name}: {{impact: read, source_trust: 900}}"
            for name in ("look_up", "look_far", "ask_library", "ask_archive")
        ),
    )
    with open_halo(home, mode) as halo:
        said = build(halo, actions)()
        if inspect.isawaitable(said):
            asyncio.run(asyncio.wait_for(said, 60))
    assert actions.count("inference")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
