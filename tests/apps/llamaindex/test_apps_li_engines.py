"""Eight public patterns of LlamaIndex's query engines, over counted models, retrievers, databases and graphs.

Each is guarded by one line. What ran by its own counters is what the log says was decided.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from counting import Actions, count_added_lines, count_questions, list_refusals
from li_app_parts import (
    CountedDatabase,
    CountedGraph,
    CountedShelf,
    answering,
    open_halo,
    require_whole,
    run,
    scripted,
)
from llama_index.core import Settings, get_response_synthesizer
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.chat_engine import CondenseQuestionChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.evaluation import RelevancyEvaluator
from llama_index.core.indices.property_graph import PGRetriever, TextToCypherRetriever
from llama_index.core.indices.query.query_transform import HyDEQueryTransform
from llama_index.core.query_engine import (
    CitationQueryEngine,
    NLSQLTableQueryEngine,
    RetrieverQueryEngine,
    RetryQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
    TransformQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool

from halo_llamaindex import Halo, Pending, Resource
from halo_llamaindex.testing import call

MODES = pytest.mark.parametrize("mode", ["observe", "enforce"])
WAYS = pytest.mark.parametrize("awaited", [False, pytest.param(True, marks=pytest.mark.thorough)])
HANDBOOK = Resource(id="handbook", impact="read", source_trust=900)
ORDERS = Resource(id="orders", impact="read", source_trust=900)
PRODUCTS = Resource(id="products", impact="read", source_trust=900)
READS_SQL = {"create a syntactically correct": "SELECT count(*) FROM orders"}
READS_CYPHER = {"Cypher": "MATCH (p:Product) RETURN count(p)"}
DELETES_SQL = {"create a syntactically correct": "DELETE FROM orders"}
DELETES_CYPHER = {"Cypher": "MATCH (p) DETACH DELETE p"}
CHOICE = {"Some choices are given": '[{"choice": 1, "reason": "it says so"}]'}
SUB_QUESTION = {
    "Given a user question, and a list": '```json\n{"items": [{"sub_question": "x?", "tool_name": "shelf"}]}\n```'
}


@pytest.fixture(autouse=True)
def _embeddings(monkeypatch):
    monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=4))


def shelf(actions: Actions) -> CountedShelf:
    return CountedShelf(actions, "Returns take thirty days.", name="handbook")


def simple(actions: Actions, llm: Any) -> Any:
    return RetrieverQueryEngine.from_args(shelf(actions), llm=llm)


def tool_over(engine: Any) -> QueryEngineTool:
    return QueryEngineTool.from_defaults(engine, name="shelf", description="The handbook.")


def sub_questions(actions: Actions, llm: Any) -> Any:
    return SubQuestionQueryEngine.from_defaults(
        [tool_over(simple(actions, llm))],
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        use_async=False,
        verbose=False,
    )


ENGINES: dict[str, tuple[dict[str, str], Resource, Callable[[Actions, Any], Any]]] = {
    "simple": ({}, HANDBOOK, simple),
    "router": (
        CHOICE,
        HANDBOOK,
        lambda actions, llm: RouterQueryEngine(
            LLMSingleSelector.from_defaults(llm=llm),
            [tool_over(simple(actions, llm)), tool_over(simple(actions, llm))],
            llm=llm,
        ),
    ),
    "sub_questions": (SUB_QUESTION, HANDBOOK, sub_questions),
    "nl_sql": (
        READS_SQL,
        ORDERS,
        lambda actions, llm: NLSQLTableQueryEngine(_CountedRows(actions), tables=["orders"], llm=llm),
    ),
    "citation": ({}, HANDBOOK, lambda actions, llm: CitationQueryEngine(shelf(actions), llm=llm)),
    "retry": (
        {"context information": "YES"},
        HANDBOOK,
        lambda actions, llm: RetryQueryEngine(simple(actions, llm), RelevancyEvaluator(llm=llm)),
    ),
    "transform": (
        {},
        HANDBOOK,
        lambda actions, llm: TransformQueryEngine(simple(actions, llm), HyDEQueryTransform(llm=llm)),
    ),
    "text_to_cypher": (
        READS_CYPHER,
        PRODUCTS,
        lambda actions, llm: RetrieverQueryEngine.from_args(
            PGRetriever([_CountedCypher(actions, llm)], use_async=False), llm=llm
        ),
    ),
}


class _CountedRows(CountedDatabase):
    """Its retriever is counted where its statement runs: one retrieval is one statement."""

    def run_sql(self, command: str) -> Any:
        self.actions.note("retrieval", "orders")
        return super().run_sql(command)


class _CountedCypher(TextToCypherRetriever):
    """Counts what is retrieved through it."""

    def __init__(self, actions: Actions, llm: Any) -> None:
        super().__init__(CountedGraph(actions), llm=llm)
        self.actions = actions

    def _note(self) -> None:
        self.actions.note("retrieval", "products")  # the framework's own, which calls this one
        self.actions.note("retrieval", "products/_CountedCypher")

    def retrieve_from_graph(self, query_bundle: Any) -> Any:
        self._note()
        return super().retrieve_from_graph(query_bundle)

    async def aretrieve_from_graph(self, query_bundle: Any) -> Any:
        self._note()
        return await super().aretrieve_from_graph(query_bundle)


def guard_engine(halo: Halo, actions: Actions, name: str, answers: dict[str, str] | None = None) -> Any:
    needed, resource, make = ENGINES[name]
    engine = make(actions, answering(actions, {**needed, **(answers or {})}))
    return halo.guard(engine, resource=resource)  # halo


@pytest.mark.matrix
@MODES
@WAYS
@pytest.mark.parametrize("name", ENGINES)
def test_each_engine_does_what_the_log_says(tmp_path, mode, awaited, name):
    home, actions = tmp_path / "home", Actions()
    with open_halo(home, mode) as halo:
        engine = guard_engine(halo, actions, name)
        answer = asyncio.run(engine.aquery("How long?")) if awaited else engine.query("How long?")
    assert str(answer)
    assert actions.count("inference")
    assert actions.count("retrieval")
    if name == "retry":  # its evaluator reads the answer's own sources again, by a retriever of the framework's
        actions.note("retrieval", "handbook/SummaryIndexRetriever")
    require_whole(home, actions)
    assert count_added_lines(guard_engine) == 1


@MODES
@WAYS
def test_a_chat_engine_does_what_the_log_says(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    with open_halo(home, mode) as halo:
        llm = answering(actions)
        chat = halo.guard(CondenseQuestionChatEngine.from_defaults(simple(actions, llm), llm=llm), resource=HANDBOOK)
        for question in ("How long?", "And then?"):
            assert str(asyncio.run(chat.achat(question)) if awaited else chat.chat(question))
    assert actions.count("retrieval") == {("retrieval", "handbook"): 2}
    require_whole(home, actions)


@WAYS
@pytest.mark.parametrize(("name", "hostile"), [("nl_sql", DELETES_SQL), ("text_to_cypher", DELETES_CYPHER)])
def test_a_program_that_does_more_than_read_is_asked_about(tmp_path, awaited, name, hostile):
    home, actions = tmp_path / "home", Actions()
    with open_halo(home, "enforce") as halo:
        engine = guard_engine(halo, actions, name, hostile)
        with pytest.raises(Pending):
            asyncio.run(engine.aquery("How many?")) if awaited else engine.query("How many?")
    assert not actions.count("tool_call")
    assert count_questions(home) == 1
    assert [kind for kind, _, _ in list_refusals(home)] == ["tool_call"]


def build_analyst(halo: Halo, actions: Actions, database: CountedDatabase, statement: str) -> Any:
    llm = answering(actions, {"create a syntactically correct": statement}, name="sql-model")
    engine = NLSQLTableQueryEngine(database, tables=["orders"], llm=llm)
    tool = QueryEngineTool.from_defaults(engine, name="orders", description="The orders.")
    tool = halo.guard(tool, resource=Resource(impact="read", source_trust=900))  # halo
    lead = scripted(
        actions, call("look", ("orders", {"input": "how many?"}), id="m1"), "There are two.", name="lead-model"
    )
    return halo.guard(FunctionAgent(tools=[tool], llm=lead))  # halo


@pytest.mark.parametrize("statement", ["SELECT count(*) FROM orders", "DROP TABLE orders"])
def test_an_engine_as_a_tool_of_an_agent(tmp_path, statement):
    home, actions = tmp_path / "home", Actions()
    database = CountedDatabase(actions)
    with open_halo(home, "enforce") as halo:
        assert str(run(build_analyst(halo, actions, database, statement), "How many?")) == "There are two."
    assert database.count_rows() == 2
    reads = statement.startswith("SELECT")
    assert bool(actions.count("tool_call")) is reads
    assert count_questions(home) == (0 if reads else 1)
