"""Engines, retrievers and ingestions as the guides of LlamaIndex have them, compared with the same run ungoverned.

Each runs without Halo, and as observed and enforced. What ran by its own counters is what the log says was decided, it
is what ran without Halo, and what comes out is the same.
"""

import asyncio
from typing import Any

import pytest
from counting import Actions
from li_app_parts import CountedShelf, Guard, Run, answering, check_as_ungoverned, scripted
from llama_index.core import Settings, SummaryIndex, TreeIndex, VectorStoreIndex, get_response_synthesizer
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.chat_engine import CondensePlusContextChatEngine, ContextChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import CorrectnessEvaluator
from llama_index.core.indices.keyword_table import KeywordTableIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import SentenceSplitter, SentenceWindowNodeParser
from llama_index.core.postprocessor import LLMRerank, MetadataReplacementPostProcessor
from llama_index.core.program import LLMTextCompletionProgram
from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.retrievers import QueryFusionRetriever, RecursiveRetriever, VectorIndexAutoRetriever
from llama_index.core.schema import Document, IndexNode, NodeWithScore, QueryBundle, TextNode, TransformComponent
from llama_index.core.selectors import LLMMultiSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.vector_stores import MetadataInfo, VectorStoreInfo
from llama_index.core.workflow import (
    Event,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)
from pydantic import BaseModel

from halo_llamaindex import Resource
from halo_llamaindex.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
LIBRARY = Resource(id="library", impact="read", source_trust=900)
LOOKS = ("look_up", {"q": "rain"})
WET = "wet"


class Shelf(CountedShelf):
    """One source; guarded with `LIBRARY`, it has its name."""


def make_shelf(actions: Actions) -> Shelf:
    return Shelf(actions, WET, name="library")


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


class Checked(Event):
    text: str


class Answer(BaseModel):
    wet: bool


def a_corrective_retrieval(guard: Guard, actions: Actions) -> Run:
    """Documents are judged, the question is written again, and the web is asked."""
    judge = answering(actions, {"relevant": "no"}, name="judge")
    rewrites = answering(actions, {"": "rain"}, name="rewrites")
    shelf, look = guard(make_shelf(actions), resource=LIBRARY), make_look(actions)

    class Flow(Workflow):
        @step
        async def find(self, ev: StartEvent) -> Found | Checked:
            nodes = await shelf.aretrieve("rain")
            said = [str(await judge.acomplete(f"relevant? {node.text}")) for node in nodes]
            return Checked(text="") if "no" in said else Found(text=nodes[0].text)

        @step
        async def search(self, ev: Checked) -> Found:
            return Found(text=str(await look.acall(q=str(await rewrites.acomplete("rain?")))))

        @step
        async def answer(self, ev: Found) -> StopEvent:
            made = get_response_synthesizer(llm=answering(actions, name="answers"), response_mode=ResponseMode.REFINE)
            return StopEvent(result=str(await made.asynthesize("rain?", [NodeWithScore(node=TextNode(text=ev.text))])))

    return runs(guard(Flow(timeout=60)))


def a_fusion_written_by_hand(guard: Guard, actions: Actions) -> Run:
    """A fused retriever in an engine that ranks by a model, asked in a stream."""
    queries = answering(actions, {"": "rain\nwind"}, name="queries")
    shelf = Shelf(actions, WET, name="library/Shelf")
    fused = QueryFusionRetriever([shelf], llm=queries, num_queries=2, use_async=False)
    ranks = answering(actions, {"": "Doc: 1, Relevance: 9"}, name="ranks")
    engine = RetrieverQueryEngine.from_args(
        fused,
        llm=answering(actions, name="reads"),
        node_postprocessors=[LLMRerank(llm=ranks, top_n=1)],
        streaming=False,
    )
    return _asks(guard(engine, resource=LIBRARY), actions, "library")


def _asks(engine: Any, actions: Actions, *own: str) -> Run:
    """Ask an engine; the retrievers of the framework that are named have no counters."""

    def go() -> Any:
        for name in own:
            actions.note("retrieval", name)
        return str(engine.query("What is rain?"))

    return go


def modes_of_answers(guard: Guard, actions: Actions) -> Run:
    """Each way to make an answer of two texts."""
    modes = ("refine", "compact", "tree_summarize", "simple_summarize", "accumulate", "compact_accumulate")
    shelf = Shelf(actions, WET, "dry", name="library")
    engines = [
        guard(
            RetrieverQueryEngine.from_args(shelf, llm=answering(actions, name=f"m-{mode}"), response_mode=mode),
            resource=LIBRARY,
        )
        for mode in modes
    ]
    return lambda: [str(engine.query("What is rain?")) for engine in engines]


def a_router_that_chooses_several(guard: Guard, actions: Actions) -> Run:
    selects = answering(actions, {"": '[{"choice": 1, "reason": "a"}, {"choice": 2, "reason": "b"}]'}, name="selects")
    tools = [
        QueryEngineTool.from_defaults(
            RetrieverQueryEngine.from_args(make_shelf(actions), llm=answering(actions, name=f"m-{name}")),
            name=name,
            description=name,
        )
        for name in ("one", "two")
    ]
    engine = RouterQueryEngine.from_defaults(
        query_engine_tools=tools,
        selector=LLMMultiSelector.from_defaults(llm=selects),
        llm=answering(actions, name="sums"),
        select_multi=True,
    )
    return _asks(guard(engine, resource=LIBRARY), actions)


def questions_about_parts(guard: Guard, actions: Actions) -> Run:
    asks = answering(
        actions,
        {"": '{"items": [{"sub_question": "a", "tool_name": "one"}, {"sub_question": "b", "tool_name": "one"}]}'},
        name="asks",
    )
    tool = QueryEngineTool.from_defaults(
        RetrieverQueryEngine.from_args(make_shelf(actions), llm=answering(actions, name="m-one")),
        name="one",
        description="one",
    )
    engine = SubQuestionQueryEngine.from_defaults(
        query_engine_tools=[tool],
        question_gen=LLMQuestionGenerator.from_defaults(llm=asks),
        llm=answering(actions, name="sums"),
        use_async=True,
        verbose=False,
    )
    return _asks(guard(engine, resource=LIBRARY), actions)


def a_retriever_that_follows_nodes(guard: Guard, actions: Actions) -> Run:
    """A summary that stands for an engine."""
    inner = RetrieverQueryEngine.from_args(make_shelf(actions), llm=answering(actions, name="inner"))

    class Summaries(CountedShelf):
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            self._actions.note("retrieval", self._name)
            return [NodeWithScore(node=IndexNode(text="rain", index_id="rain"), score=1.0)]

    retriever = RecursiveRetriever(
        "root",
        retriever_dict={"root": Summaries(actions, name="library/Summaries")},
        query_engine_dict={"rain": inner},
    )
    engine = RetrieverQueryEngine.from_args(retriever, llm=answering(actions, name="outer"))
    return _asks(guard(engine, resource=LIBRARY), actions, "library")


def windows_around_sentences(guard: Guard, actions: Actions) -> Run:
    parser = SentenceWindowNodeParser.from_defaults(sentence_splitter=lambda text: text.split(". "))
    nodes = parser.get_nodes_from_documents([Document(text="Rain is wet. Sun is dry.")])
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(4))
    engine = index.as_query_engine(
        llm=answering(actions, name="reads"), node_postprocessors=[MetadataReplacementPostProcessor("window")]
    )
    return _asks(guard(engine, resource=LIBRARY), actions, "library")


def filters_that_a_model_writes(guard: Guard, actions: Actions) -> Run:
    says = answering(actions, {"": '{"query": "rain", "filters": [], "top_k": 1}'}, name="filters")
    index = VectorStoreIndex([TextNode(text="wet")], embed_model=MockEmbedding(4))
    info = VectorStoreInfo(content_info="weather", metadata_info=[MetadataInfo(name="a", type="str", description="b")])
    retriever = guard(VectorIndexAutoRetriever(index, vector_store_info=info, llm=says), resource=LIBRARY)

    def go() -> Any:
        for name in ("library", "library/VectorIndexRetriever"):
            actions.note("retrieval", name)
        return [node.text for node in retriever.retrieve("rain?")]

    return go


def strategies_that_are_judged(guard: Guard, actions: Actions) -> Run:
    """Several engines, and a judge that picks an answer."""
    engines = [
        RetrieverQueryEngine.from_args(make_shelf(actions), llm=answering(actions, name=f"m{i}")) for i in range(2)
    ]
    guarded = [guard(engine, resource=LIBRARY) for engine in engines]
    judge = answering(actions, {"": "0"}, name="judge")

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            found = await asyncio.gather(*(engine.aquery("rain?") for engine in guarded))
            return StopEvent(result=str(found[int(str(await judge.acomplete(str(found[0]))))]))

    return runs(guard(Flow(timeout=60)))


def a_chat_that_streams_synchronously(guard: Guard, actions: Actions) -> Run:
    engine = ContextChatEngine.from_defaults(
        make_shelf(actions),
        llm=answering(actions, name="reads"),
        memory=ChatMemoryBuffer.from_defaults(token_limit=900),
    )
    guarded = guard(engine, resource=LIBRARY)

    def go() -> Any:
        first = str(guarded.chat("Hello."))
        guarded.reset()
        return first, str(guarded.chat("What is rain?"))

    return go


def a_judge_of_answers(guard: Guard, actions: Actions) -> Run:
    judge = CorrectnessEvaluator(llm=answering(actions, {"": "4.0\nfine"}, name="judge"))

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            found = await judge.aevaluate(query="rain?", response="wet", reference="wet")
            return StopEvent(result=found.score)

    return runs(guard(Flow(timeout=60)))


class Ask(TransformComponent):
    """A transformation of the application's own, which asks a model."""

    llm: Any

    def __call__(self, nodes: Any, **_kwargs: Any) -> Any:
        for node in nodes:
            node.metadata["topic"] = str(self.llm.complete("topic?"))
        return nodes


def an_ingestion_with_a_part_of_its_own(guard: Guard, actions: Actions) -> Run:
    asks = answering(actions, {"": "rain"}, name="asks")

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            pipeline = IngestionPipeline(transformations=[SentenceSplitter(), Ask(llm=asks)])
            nodes = pipeline.run(documents=[Document(text="Rain is wet."), Document(text="Sun is dry.")])
            return StopEvent(result=[node.metadata["topic"] for node in nodes])

    return runs(guard(Flow(timeout=60)))


def indices_that_models_build(guard: Guard, actions: Actions) -> Run:
    """A tree and a table of keywords, which a model makes and reads."""
    builds = answering(actions, {"ANSWER": "ANSWER: 1", "eyword": "KEYWORDS: rain"}, name="builds")

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            nodes = [TextNode(text="rain is wet")]
            table = KeywordTableIndex(nodes, llm=builds)
            tree = TreeIndex(nodes, llm=builds, num_children=2)
            found = table.as_retriever().retrieve("rain?")
            leaves = tree.as_retriever(retriever_mode="all_leaf").retrieve("rain?")
            for name in ("KeywordTableGPTRetriever", "TreeAllLeafRetriever"):
                actions.note("retrieval", name)
            return StopEvent(result=[node.text for node in (*found, *leaves)])

    return runs(guard(Flow(timeout=60)))


def a_model_that_answers_in_a_shape(guard: Guard, actions: Actions) -> Run:
    """A program that fills a shape, and an engine with a template of its own."""
    fills = answering(actions, {"": '{"wet": true}'}, name="fills")

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            program = LLMTextCompletionProgram.from_defaults(output_cls=Answer, prompt_template_str="{q}", llm=fills)
            many = await asyncio.gather(*(program.acall(q=q) for q in ("a", "b")))
            return StopEvent(result=[item.wet for item in many])

    return runs(guard(Flow(timeout=60)))


def what_is_set_for_all(guard: Guard, actions: Actions) -> Run:
    """An engine of an index and an agent that take their model from the settings."""
    index = SummaryIndex([TextNode(text="wet")])

    async def ask_index(q: str) -> str:
        """Ask the index."""
        actions.note("tool_call", "ask_index")
        actions.note("retrieval", "SummaryIndexRetriever")
        before = Settings._llm
        Settings.llm = answering(actions, name="set")
        try:
            return str(await index.as_query_engine().aquery(q))
        finally:
            Settings._llm = before

    tools = guard([FunctionTool.from_defaults(async_fn=ask_index)])
    return runs(guard(FunctionAgent(tools=tools, llm=looks_once(actions, "m", ("ask_index", {"q": "rain"})))))


def a_chat_engine_as_a_tool(guard: Guard, actions: Actions) -> Run:
    chat = CondensePlusContextChatEngine.from_defaults(make_shelf(actions), llm=answering(actions, name="reads"))
    guarded = guard(chat, resource=LIBRARY)

    async def talk(q: str) -> str:
        """Talk to the library."""
        actions.note("tool_call", "talk")
        return str(await guarded.achat(q))

    tools = guard([FunctionTool.from_defaults(async_fn=talk)])
    return runs(guard(FunctionAgent(tools=tools, llm=looks_once(actions, "m", ("talk", {"q": "rain"})))))


APPS = [
    a_corrective_retrieval,
    a_fusion_written_by_hand,
    modes_of_answers,
    a_router_that_chooses_several,
    questions_about_parts,
    a_retriever_that_follows_nodes,
    windows_around_sentences,
    filters_that_a_model_writes,
    strategies_that_are_judged,
    a_chat_that_streams_synchronously,
    a_judge_of_answers,
    an_ingestion_with_a_part_of_its_own,
    indices_that_models_build,
    a_model_that_answers_in_a_shape,
    what_is_set_for_all,
    a_chat_engine_as_a_tool,
]
READS = ("look_up", "research", "ask_index", "talk", "one", "two", "note_down")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_engine_runs_as_without_halo(tmp_path, build, mode):
    check_as_ungoverned(tmp_path / "home", build, mode, READS)
