"""What a guarded thing holds, is handed later, or finds as it runs: no model, table or store is asked undecided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from li_world import CARD, Shelf, run, trusted
from llama_index.core import SQLDatabase, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import RelevancyEvaluator
from llama_index.core.indices.query.query_transform.base import IdentityQueryTransform
from llama_index.core.memory import ChatMemoryBuffer, ChatSummaryMemoryBuffer, Memory
from llama_index.core.memory.memory_blocks import FactExtractionMemoryBlock
from llama_index.core.objects import ObjectRetriever
from llama_index.core.postprocessor import PrevNextNodePostprocessor
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import (
    NLSQLTableQueryEngine,
    RetrieverQueryEngine,
    RetryQueryEngine,
    ToolRetrieverRouterQueryEngine,
)
from llama_index.core.response_synthesizers import TreeSummarize, get_response_synthesizer
from llama_index.core.retrievers import QueryFusionRetriever, RecursiveRetriever, RouterRetriever, TransformRetriever
from llama_index.core.schema import IndexNode, NodeWithScore, QueryBundle, TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.tools import QueryEngineTool, RetrieverTool
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.types import VectorStoreQueryMode, VectorStoreQueryResult
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from halo_core.errors import ConfigError
from halo_llamaindex import Denied
from halo_llamaindex.testing import ScriptedLLM

NO_JUDGE = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action == Action::"judge", resource);
"""
NO_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action in Action::"inference", resource);
"""
NO_READING = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action in Action::"retrieval", resource);
"""
NO_VECTORS = """
@id("t.base") permit (principal, action, resource);
@id("t.vectors") forbid (principal, action, resource) when { context has args && context.args has embedding };
"""


class Judge(ScriptedLLM):
    """Writes down each time that it is really asked."""

    asked: Any = None

    def next_message(self, messages: Any) -> Any:
        self.asked.append(messages)
        return super().next_message(messages)


def judge(asked: list[Any]) -> Judge:
    return Judge(script=["YES"] * 9, model="judge", asked=asked)


def answering(shelf: Any, llm: Any, **more: Any) -> RetrieverQueryEngine:
    return RetrieverQueryEngine(shelf, response_synthesizer=get_response_synthesizer(llm=llm), **more)


# what parts hold


def sees(name: str) -> BaseRetriever:
    class Root(BaseRetriever):
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            return [NodeWithScore(node=IndexNode(text="see", index_id=name), score=1)]

    return Root()


class First(LLMSingleSelector):
    def _select(self, choices: Any, query: Any) -> Any:
        from llama_index.core.base.base_selector import SelectorResult, SingleSelection

        return SelectorResult(selections=[SingleSelection(index=0, reason="x")])


class Found(ObjectRetriever[Any]):
    def __init__(self, *tools: Any) -> None:
        self.tools = list(tools)
        self._retriever, self._node_postprocessors = Shelf("a tool"), []

    def retrieve(self, str_or_query_bundle: Any) -> list[Any]:
        return self.tools


def summing(asked: list[Any]) -> ChatSummaryMemoryBuffer:
    long = [ChatMessage(role="user", content="many words " * 20), ChatMessage(role="assistant", content="ok")]
    return ChatSummaryMemoryBuffer.from_defaults(
        llm=judge(asked), token_limit=10, tokenizer_fn=lambda t: t.split(), chat_history=long
    )


def told_tool(asked: list[Any]) -> QueryEngineTool:
    return QueryEngineTool.from_defaults(answering(Shelf("a"), judge(asked)), name="t", description="d")


HOLD: dict[str, Callable[[list[Any]], Any]] = {
    "engine_of_a_dict": lambda asked: RecursiveRetriever(
        "root", retriever_dict={"root": sees("eng")}, query_engine_dict={"eng": answering(Shelf("in"), judge(asked))}
    ),
    "retriever_of_a_dict": lambda asked: RecursiveRetriever(
        "root",
        retriever_dict={
            "root": sees("fusion"),
            "fusion": QueryFusionRetriever([Shelf("a")], llm=judge(asked), num_queries=2, use_async=False),
        },
    ),
    "router": lambda asked: RouterRetriever(
        selector=First.from_defaults(llm=ScriptedLLM()),
        retriever_tools=[
            RetrieverTool.from_defaults(
                QueryFusionRetriever([Shelf("a")], llm=judge(asked), num_queries=2, use_async=False),
                name="f",
                description="f",
            )
        ],
        llm=ScriptedLLM(),
    ),
    "evaluator": lambda asked: RetryQueryEngine(
        answering(Shelf("t"), ScriptedLLM(script=["fine"])), RelevancyEvaluator(llm=judge(asked))
    ),
    "found_while_it_runs": lambda asked: ToolRetrieverRouterQueryEngine(
        retriever=Found(told_tool(asked)), summarizer=TreeSummarize(llm=ScriptedLLM()), llm=ScriptedLLM()
    ),
    "memory": lambda asked: SimpleChatEngine.from_defaults(llm=ScriptedLLM(script=["hi"]), memory=summing(asked)),
}


@pytest.mark.parametrize("name", HOLD)
def test_no_part_asks_its_model_past_the_guard(make_world, name):
    world, asked = make_world(policy=NO_JUDGE), []
    guarded = world.halo.guard(HOLD[name](asked), resource=trusted(id="shelf"))
    ask = next(getattr(guarded, way) for way in ("query", "chat", "retrieve") if hasattr(guarded, way))
    with pytest.raises(Denied):
        ask("one two three four")
    assert asked == []
    assert "deny" in world.effects("judge")


def test_a_part_that_nobody_knows_is_refused_with_the_model_it_would_ask(world):
    class Helper:
        def __init__(self, llm: Any) -> None:
            self.llm = llm

    engine = answering(Shelf("a"), ScriptedLLM())
    engine.helper = [Helper(judge([]))]  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="would still use its own `Judge`"):
        world.halo.guard(engine)
    engine.helper = [Helper(world.halo.guard(judge([])))]  # type: ignore[attr-defined]
    assert world.halo.guard(engine) is not engine


@pytest.mark.parametrize("team", [False, True])
def test_a_memory_that_a_run_is_handed_asks_a_guarded_model(make_world, team):
    world, asked = make_world(policy=NO_JUDGE), []
    agent: Any = FunctionAgent(name="a", description="a", llm=ScriptedLLM(script=["hi"]))
    agent = world.halo.guard(AgentWorkflow(agents=[agent], root_agent="a") if team else agent)
    with pytest.raises(Denied):
        run(agent, "one two three", memory=summing(asked))
    assert asked == []


def test_a_memory_asks_its_blocks_models_guarded_and_stays_the_hosts_otherwise(make_world):
    world, asked = make_world(policy=NO_JUDGE), []
    block = FactExtractionMemoryBlock(llm=judge(asked), max_facts=1)
    memory = Memory.from_defaults(
        token_limit=60, token_flush_size=10, chat_history_token_ratio=0.2, memory_blocks=[block]
    )
    history = [ChatMessage(role=role, content="many words " * 9) for role in ("user", "assistant") * 3]
    agent = world.halo.guard(FunctionAgent(llm=ScriptedLLM(script=["hi"])))
    with pytest.raises(Denied):
        run(agent, "go on", memory=memory, chat_history=history)
    assert asked == []
    own = ChatMemoryBuffer.from_defaults()
    run(agent, "hello", memory=own)
    assert [str(message.content) for message in own.get_all()] == ["hello", "hi"]


@pytest.mark.parametrize("team", [False, True])
def test_a_model_that_is_put_into_a_guarded_agent_is_decided(make_world, team):
    world, asked = make_world(policy=NO_JUDGE), []
    agent: Any = world.halo.guard(FunctionAgent(name="a", description="a", llm=ScriptedLLM(script=["hi"])))
    swapped: Any = agent.model_copy(update={"llm": judge(asked)})
    if team:
        swapped = world.halo.guard(AgentWorkflow(agents=[agent], root_agent="a"))
        swapped.agents["a"].llm = judge(asked)
    with pytest.raises(Denied):
        run(swapped)
    assert asked == []


# tables and stores


def staff() -> SQLDatabase:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as made:
        made.execute(text("create table staff(name text, card text)"))
        made.execute(text(f"insert into staff values('bo', '{CARD}')"))
    return SQLDatabase(engine)


def tables(asked: list[Any], **more: Any) -> NLSQLTableQueryEngine:
    llm = Judge(script=["SELECT * FROM staff", "that is it"], asked=asked)
    return NLSQLTableQueryEngine(staff(), tables=["staff"], llm=llm, embed_model=MockEmbedding(embed_dim=4), **more)


@pytest.mark.parametrize("waits", [False, True])
def test_a_table_is_not_read_where_reading_is_not_allowed(make_world, waits):
    world, asked = make_world(policy=NO_READING), []
    engine = world.halo.guard(tables(asked), resource=trusted(id="staff"))
    with pytest.raises(Denied):
        asyncio.run(engine.aquery("who?")) if waits else engine.query("who?")
    assert world.kinds() == [("staff", "deny")]
    assert asked == []


@pytest.mark.parametrize("label", ["masked", "dropped"])
def test_what_is_taken_from_a_tables_documents_is_not_in_its_rows(world, label):
    asked: list[Any] = []
    trust = {"source_trust": 100} if label == "dropped" else {}
    engine = world.halo.guard(tables(asked), resource=trusted(label, id="staff", **trust))
    answer = engine.query("who?")
    assert world.effects("staff") == ["restrict"]
    assert len(asked) == 2
    assert CARD not in str([message.content for message in asked[1]])
    assert CARD not in str(answer.metadata)
    assert CARD not in str([node.node.get_content() for node in answer.source_nodes])


def test_a_table_that_is_read_is_one_retrieval(world):
    engine = world.halo.guard(tables([]), resource=trusted(id="staff"))
    engine.query("who?")
    assert [name for name, _ in world.kinds()].count("staff") == 1


def bringing_back() -> RetrieverQueryEngine:
    store = SimpleDocumentStore()
    store.add_documents([TextNode(id_="b", text="dropped before")])
    after = PrevNextNodePostprocessor(docstore=store, num_nodes=1, mode="next")
    return answering(Shelf("a"), ScriptedLLM(), node_postprocessors=[after])


def test_a_part_that_reads_a_store_by_itself_is_refused(world):
    with pytest.raises(ConfigError, match="which is not guarded"):
        world.halo.guard(bringing_back(), resource=trusted("labelled"))


# how many, and by what


class Hybrid(SimpleVectorStore):
    stores_text: bool = True

    def query(self, query: Any, **kwargs: Any) -> VectorStoreQueryResult:
        many = query.hybrid_top_k or query.similarity_top_k
        nodes = [TextNode(text=f"n{i}") for i in range(many)]
        return VectorStoreQueryResult(nodes=nodes, similarities=[1.0] * many, ids=[str(i) for i in range(many)])


def hybrid() -> BaseRetriever:
    index = VectorStoreIndex.from_vector_store(Hybrid(), embed_model=MockEmbedding(embed_dim=4))
    made: BaseRetriever = index.as_retriever(
        similarity_top_k=9, vector_store_query_mode=VectorStoreQueryMode.HYBRID, sparse_top_k=9, hybrid_top_k=9
    )
    return made


@pytest.mark.parametrize(
    "made",
    [hybrid, lambda: TransformRetriever(hybrid(), IdentityQueryTransform()), lambda: Shelf("a", "b", "c", "d")],
    ids=["hybrid", "one_down", "no_setting"],
)
def test_a_policy_says_how_many_wherever_a_retriever_says_it(world, made):
    retriever = world.halo.guard(made(), resource=trusted("clamped", id="shelf"))
    assert len(retriever.retrieve("q")) == 2
    assert len(asyncio.run(retriever.aretrieve("q"))) == 2


def test_what_is_searched_by_is_decided_whatever_the_words_say(make_world):
    world = make_world(policy=NO_VECTORS)
    retriever = world.halo.guard(hybrid(), resource=trusted(id="shelf"))
    assert retriever.retrieve(QueryBundle(query_str="weather"))
    with pytest.raises(Denied):
        retriever.retrieve(QueryBundle(query_str="weather", embedding=[9.0, 9.0, 9.0, 9.0]))


# a provider's own ways


class Out(BaseModel):
    x: int


class Gem(ScriptedLLM):
    """Sends by itself, as GoogleGenAI does."""

    sent: Any = None

    def structured_predict(self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **args: Any) -> Any:
        self.sent.append("sent")
        return output_cls(x=1)

    async def astructured_predict(self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **args: Any) -> Any:
        self.sent.append("sent")
        return output_cls(x=1)

    def stream_structured_predict(self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **args: Any) -> Any:
        self.sent.append("sent")
        yield output_cls(x=1)
        yield output_cls(x=2)


ASKS: dict[str, Callable[[Any], Any]] = {
    "structured": lambda llm: llm.structured_predict(Out, PromptTemplate("hi {a}"), a="you"),
    "astructured": lambda llm: asyncio.run(llm.astructured_predict(Out, PromptTemplate("hi"))),
    "stream": lambda llm: list(llm.stream_structured_predict(Out, PromptTemplate("hi"))),
    "as_structured_llm": lambda llm: llm.as_structured_llm(Out).chat([ChatMessage("hi")]),
}


@pytest.mark.parametrize("way", ASKS)
def test_a_providers_own_structured_answers_are_decided(make_world, way):
    world, sent = make_world(policy=NO_MODELS), []
    with pytest.raises(Denied):
        ASKS[way](world.halo.guard(Gem(sent=sent)))
    assert sent == []
    world = make_world()
    assert ASKS[way](world.halo.guard(Gem(sent=sent))) == ASKS[way](Gem(sent=[])) or way == "as_structured_llm"
    assert sent == ["sent"]
    assert world.kinds() == [("scripted", "allow")]


def test_a_structured_answer_that_comes_down_to_a_chat_is_one_call(world):
    class Down(ScriptedLLM):
        def structured_predict(self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **args: Any) -> Any:
            self.chat(prompt.format_messages(**args))
            return output_cls(x=1)

    world.halo.guard(Down(script=["x"])).structured_predict(Out, PromptTemplate("hi"))
    assert world.kinds() == [("scripted", "allow")]


def test_other_ways_that_a_provider_made_anew_are_refused(world):
    class Own(ScriptedLLM):
        def predict(self, prompt: Any, **args: Any) -> str:
            return "sent"

    with pytest.raises(ConfigError, match="`predict`"):
        world.halo.guard(Own())
