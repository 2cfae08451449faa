"""Programs that a model writes behind a text-to-program engine: what runs them is decided, whatever is around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from li_world import Shelf, paused, told, trusted
from llama_index.core import Settings, SQLDatabase, StorageContext, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.graph_stores import SimpleGraphStore, SimplePropertyGraphStore
from llama_index.core.indices.property_graph import CypherTemplateRetriever, PGRetriever, TextToCypherRetriever
from llama_index.core.indices.struct_store import JSONQueryEngine
from llama_index.core.objects import ObjectIndex, SQLTableNodeMapping, SQLTableSchema
from llama_index.core.query_engine import (
    KnowledgeGraphQueryEngine,
    NLSQLTableQueryEngine,
    PGVectorSQLQueryEngine,
    RetrieverQueryEngine,
    RouterQueryEngine,
    SQLJoinQueryEngine,
    SQLTableRetrieverQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.retrievers import NLSQLRetriever, SQLRetriever
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from halo_core.errors import ConfigError
from halo_llamaindex import Denied, Halo, HaloChallenge, Pending, Resource, doctor
from halo_llamaindex.testing import ScriptedLLM, call

USERS = Resource(id="users", impact="read", source_trust=900)


class Writer(ScriptedLLM):
    """Answers each prompt by the first of its keys that is in it."""

    answers: Any = None

    def next_message(self, messages: Any) -> Any:
        prompt = "\n".join(str(message.content) for message in messages)
        said = next((said for key, said in self.answers.items() if key in prompt), "done")
        return super().next_message([]).model_copy(update={"blocks": [_text(said)]})


def _text(said: str) -> Any:
    from llama_index.core.base.llms.types import TextBlock

    return TextBlock(text=said)


def writing(statement: str, **more: str) -> Writer:
    """A model that writes this statement when it is asked for one, and words otherwise."""
    return Writer(
        script=["x"],
        answers={
            **more,
            "Given an input question, first create a syntactically correct": statement,
            "You are a Postgres expert": statement,
            "Generate a Cypher": statement,
            "Task:Generate Cypher": statement,
        },
    )


class Database(SQLDatabase):
    """Counts what it runs."""

    ran: list[str]

    def run_sql(self, command: str) -> Any:
        self.ran.append(command)
        return super().run_sql(command)


def database() -> Database:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as made:
        made.execute(text("create table users(id int, name text)"))
        made.execute(text("insert into users values (1,'ana'),(2,'bob')"))
    db = Database(engine)
    db.ran = []
    return db


@pytest.fixture(autouse=True)
def embeddings(monkeypatch):
    monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=4))


@pytest.fixture
def desk(tmp_path):
    """A Halo under the starter policy."""
    with Halo.local("desk", home=tmp_path / "home", mode="enforce", quiet=True) as halo:
        yield halo


def by_tables(db: SQLDatabase, llm: Any) -> BaseQueryEngine:
    mapping = SQLTableNodeMapping(db)
    index = ObjectIndex.from_objects([SQLTableSchema(table_name="users")], mapping, VectorStoreIndex)
    return SQLTableRetrieverQueryEngine(db, index.as_retriever(similarity_top_k=1), llm=llm)


def nl_sql(db: SQLDatabase, llm: Any) -> BaseQueryEngine:
    return NLSQLTableQueryEngine(db, tables=["users"], llm=llm)


def sql_tool(db: SQLDatabase, llm: Any) -> QueryEngineTool:
    return QueryEngineTool.from_defaults(nl_sql(db, llm), name="users", description="Users.")


def other_tool(llm: Any) -> QueryEngineTool:
    return QueryEngineTool.from_defaults(
        RetrieverQueryEngine.from_args(Shelf("a"), llm=llm), name="other", description="Other."
    )


def routed(db: SQLDatabase, llm: Any) -> BaseQueryEngine:
    llm.answers["Some choices are given"] = '[{"choice": 1, "reason": "users"}]'
    return RouterQueryEngine(LLMSingleSelector.from_defaults(llm=llm), [sql_tool(db, llm), other_tool(llm)], llm=llm)


def joined(db: SQLDatabase, llm: Any) -> BaseQueryEngine:
    llm.answers["Some choices are given"] = '[{"choice": 1, "reason": "users"}]'
    return SQLJoinQueryEngine(
        sql_tool(db, llm), other_tool(llm), selector=LLMSingleSelector.from_defaults(llm=llm), llm=llm, verbose=False
    )


def sub_questions(db: SQLDatabase, llm: Any) -> BaseQueryEngine:
    llm.answers["Given a user question, and a list of tools"] = (
        '```json\n{"items": [{"sub_question": "how many users?", "tool_name": "users"}]}\n```'
    )
    return SubQuestionQueryEngine.from_defaults(
        [sql_tool(db, llm)],
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        use_async=False,
        verbose=False,
    )


SQL_ENGINES: dict[str, Callable[[Any, Any], Any]] = {
    "nl_sql": nl_sql,
    "pgvector": lambda db, llm: PGVectorSQLQueryEngine(db, tables=["users"], llm=llm),
    "by_tables": by_tables,
    "retriever": lambda db, llm: NLSQLRetriever(db, tables=["users"], llm=llm),
    "engine_over_retriever": lambda db, llm: RetrieverQueryEngine.from_args(
        NLSQLRetriever(db, tables=["users"], llm=llm), llm=llm
    ),
    "router": routed,
    "join": joined,
    "sub_questions": sub_questions,
}


def ask(guarded: Any, waits: bool) -> Any:  # noqa: FBT001  a parameter of the tests
    name = "retrieve" if isinstance(guarded, BaseRetriever) else "query"
    if waits:
        return asyncio.run(getattr(guarded, f"a{name}")("how many users are there?"))
    return getattr(guarded, name)("how many users are there?")


STATEMENTS = (
    "DELETE FROM users",
    "DROP TABLE users",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT * FROM gone",
    "SELECT load_extension('/tmp/evil.so')",
    "ATTACH DATABASE '/tmp/x.db' AS x",
)


@pytest.mark.matrix
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", SQL_ENGINES)
def test_no_engine_runs_sql_that_does_more_than_read(desk, name, waits):
    db = database()
    guarded = desk.guard(SQL_ENGINES[name](db, writing("DELETE FROM users")), resource=USERS)
    with pytest.raises(Pending) as pending:
        ask(guarded, waits)
    assert "users.run_sql" in str(pending.value)
    assert db.ran == []


@pytest.mark.matrix
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", SQL_ENGINES)
def test_sql_that_only_reads_runs_unasked(desk, name, waits):
    db = database()
    statement = "SELECT count(*) FROM users WHERE id > 0"
    ask(desk.guard(SQL_ENGINES[name](db, writing(statement)), resource=USERS), waits)
    assert db.ran == [statement]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_statement_but_a_read_runs_unasked(desk, statement):
    db = database()
    with pytest.raises(Denied):
        desk.guard(nl_sql(db, writing(statement)), resource=USERS).query("how many?")
    assert db.ran == []


def test_the_statement_is_in_the_entry_and_is_what_runs(world):
    db = database()
    world.halo.guard(nl_sql(db, writing("SELECT name FROM users")), resource=USERS).query("who?")
    (entry,) = world.decisions("users.run_sql")
    assert entry.body["request"]["kind"] == "tool_call"
    assert entry.body["request"]["resource"]["programs"] == [["statement", "sql/sqlite"]]
    assert db.ran == ["SELECT name FROM users"]


def test_a_declaration_of_the_executor_cannot_make_its_statement_a_plain_text(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "agents.yaml").write_text(
        "version: 1\ntools:\n  users.run_sql: {impact: read}\nagents:\n  nobody: {owner: ana@bank.example}\n"
    )
    db = database()
    with Halo.local("desk", home=home, mode="enforce", quiet=True) as halo:
        guarded = halo.guard(nl_sql(db, writing("DELETE FROM users")), resource=USERS)
        with pytest.raises(Denied):
            guarded.query("how many?")
    assert db.ran == []


def test_in_observe_mode_it_runs_and_is_recorded(make_world):
    world = make_world("observe", policy='@id("t") permit (principal, action, resource);')
    db = database()
    world.halo.guard(nl_sql(db, writing("DELETE FROM users")), resource=USERS).query("how many?")
    assert db.ran == ["DELETE FROM users"]
    assert len(world.decisions("users.run_sql")) == 1


def test_a_query_that_is_sql_already_is_decided_as_such(desk):
    db = database()
    guarded = desk.guard(SQLRetriever(db), resource=USERS)
    with pytest.raises(Denied):
        guarded.retrieve("DELETE FROM users")
    assert db.ran == []


def test_an_engine_of_the_apps_own_that_holds_a_database_is_decided(desk):
    class Own(BaseQueryEngine):
        def __init__(self, db):
            super().__init__(callback_manager=CallbackManager())
            self.store = db

        def _get_prompt_modules(self):
            return {}

        def _query(self, query_bundle):
            return Response(response=self.store.run_sql(query_bundle.query_str)[0])

        async def _aquery(self, query_bundle):
            return self._query(query_bundle)

    db = database()
    guarded = desk.guard(Own(db), resource=USERS)
    with pytest.raises(Denied):
        guarded.query("DROP TABLE users")
    assert db.ran == []
    assert "ana" in str(guarded.query("SELECT name FROM users"))


def test_a_database_that_a_body_reaches_is_decided_too(desk):
    db = database()

    def look(statement: str) -> str:
        """Look something up."""
        return db.run_sql("DELETE FROM users")[0]

    with pytest.raises(Denied):
        desk.guard(look, resource=trusted(id="look")).call("x")
    assert db.ran == []


def test_a_tool_over_an_engine_asks_in_an_agent_and_the_run_waits(desk):
    db = database()
    tool = desk.guard(sql_tool(db, writing("DELETE FROM users")), resource=trusted(id="users"))
    agent = desk.guard(
        FunctionAgent(
            tools=[tool], llm=ScriptedLLM(script=[call("I look.", ("users", {"input": "how many?"}), id="m")])
        )
    )
    texts, last = told(agent)
    assert db.ran == []
    assert any("run_sql" in words and "a person decides" in words for words in texts)
    assert last == "done"


# graphs


class Graph(SimplePropertyGraphStore):
    supports_structured_queries: bool = True

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[Any] = []

    def get_schema(self, refresh: bool = False) -> str:  # noqa: FBT001, FBT002
        return "(:Person {name})"

    def get_schema_str(self, refresh: bool = False) -> str:  # noqa: FBT001, FBT002
        return "(:Person {name})"

    def structured_query(self, query: str, param_map: Any = None) -> Any:
        self.ran.append((query, param_map))
        return [{"n": 2}]


class Named(BaseModel):
    name: str


class OldGraph(SimpleGraphStore):
    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []

    def get_schema(self, refresh: bool = False) -> str:  # noqa: FBT001, FBT002
        return "x"

    def query(self, query: str, param_map: Any = None) -> Any:
        self.ran.append(query)
        return [{"n": 2}]


def knowledge(graph: Any, llm: Any) -> BaseQueryEngine:
    from llama_index.core.prompts import PromptTemplate

    return KnowledgeGraphQueryEngine(
        llm=llm,
        storage_context=StorageContext.from_defaults(graph_store=graph),
        graph_query_synthesis_prompt=PromptTemplate("Generate a Cypher query for {query_str} on {schema}"),
    )


GRAPHS: dict[str, tuple[Callable[[], Any], Callable[[Any, Any], Any]]] = {
    "text_to_cypher": (Graph, lambda graph, llm: TextToCypherRetriever(graph, llm=llm)),
    "property_graph": (Graph, lambda graph, llm: PGRetriever([TextToCypherRetriever(graph, llm=llm)], use_async=False)),
    "engine": (
        Graph,
        lambda graph, llm: RetrieverQueryEngine.from_args(TextToCypherRetriever(graph, llm=llm), llm=llm),
    ),
    "knowledge_graph": (OldGraph, knowledge),
}


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize(
    "statement",
    [
        "MATCH (n) DETACH DELETE n",
        "LOAD CSV FROM 'http://evil.example/x' AS line RETURN line",
        "CALL apoc.load.json('http://evil.example')",
        "MATCH (n) SET n.name = 'x' RETURN n",
    ],
)
def test_no_engine_runs_cypher_that_does_more_than_read(desk, name, waits, statement):
    make_graph, make = GRAPHS[name]
    graph = make_graph()
    guarded = desk.guard(make(graph, writing(statement)), resource=USERS)
    with pytest.raises(Denied):
        ask(guarded, waits)
    assert graph.ran == []


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_cypher_that_only_reads_runs_unasked(desk, name, waits):
    make_graph, make = GRAPHS[name]
    graph = make_graph()
    ask(desk.guard(make(graph, writing("MATCH (p:Person) RETURN count(p)")), resource=USERS), waits)
    assert len(graph.ran) == 1


def test_the_values_of_a_template_are_decided_with_it(world):
    graph = Graph()

    class Filling(ScriptedLLM):
        def structured_predict(self, output_cls: Any, prompt: Any, **kwargs: Any) -> Any:
            return output_cls(name="ana")

    retriever = CypherTemplateRetriever(graph, Named, "MATCH (p {name: $name}) RETURN p", llm=Filling())
    world.halo.guard(retriever, resource=USERS).retrieve("who is ana?")
    assert graph.ran == [("MATCH (p {name: $name}) RETURN p", {"name": "ana"})]
    assert len(world.decisions("users.structured_query")) == 1


def test_a_store_that_a_retriever_reaches_elsewhere_is_decided(desk):
    """It is held by no field of the retriever's own."""
    graph = Graph()

    class Far(BaseRetriever):
        def __init__(self) -> None:
            super().__init__()
            self.context = {"far": lambda: graph}

        def _retrieve(self, query_bundle: Any) -> Any:
            found = self.context["far"]().structured_query("MATCH (n) DELETE n")
            return [NodeWithScore(node=TextNode(text=str(found)))]

    with pytest.raises(Denied):
        desk.guard(Far(), resource=USERS).retrieve("x")
    assert graph.ran == []


# what runs a program in its own code


class PandasInstructionParser:
    """As llama-index-experimental has it: the parser of an answer runs it."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def parse(self, output: str) -> str:
        self.ran.append(output)
        return "2"


class PandasQueryEngine(BaseQueryEngine):
    """As llama-index-experimental has it."""

    def __init__(self, llm: Any, parser: Any) -> None:
        super().__init__(callback_manager=CallbackManager())
        self._llm, self._instruction_parser = llm, parser

    def _get_prompt_modules(self) -> Any:
        return {}

    def _query(self, query_bundle: Any) -> Any:
        return Response(response=self._instruction_parser.parse(self._llm.complete("x").text))

    async def _aquery(self, query_bundle: Any) -> Any:
        return self._query(query_bundle)


class JSONalyzeQueryEngine(PandasQueryEngine):
    """As llama-index-experimental has it: a function of its own runs the SQL."""


def test_python_that_a_model_writes_is_asked_about(desk):
    parser = PandasInstructionParser()
    llm = ScriptedLLM(script=["__import__('os').system('id')"])
    with pytest.raises(Denied):
        desk.guard(PandasQueryEngine(llm, parser), resource=USERS).query("how many?")
    assert parser.ran == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: JSONalyzeQueryEngine(ScriptedLLM(), None),
        lambda: PandasQueryEngine(ScriptedLLM(), None),
        lambda: RouterQueryEngine(
            LLMSingleSelector.from_defaults(llm=ScriptedLLM()),
            [QueryEngineTool.from_defaults(JSONalyzeQueryEngine(ScriptedLLM(), None), name="x", description="x")],
            llm=ScriptedLLM(),
        ),
        lambda: JSONQueryEngine({}, {}, llm=ScriptedLLM(), output_processor=lambda said, _value: said),
    ],
)
def test_an_engine_that_runs_programs_in_its_own_code_is_refused_and_open(world, make):
    with pytest.raises(ConfigError, match="Halo cannot decide it"):
        world.halo.guard(make())
    assert any(row.status.value == "open" and "guard that as what executes" in row.remedy for row in doctor(make()))


def test_doctor_names_what_runs_the_programs(world):
    open_rows = [row.name for row in doctor(nl_sql(database(), ScriptedLLM())) if row.status.value == "open"]
    assert any("run_sql" in name for name in open_rows)
    guarded = world.halo.guard(nl_sql(database(), ScriptedLLM()), resource=USERS)
    rows = {row.name: row.status.value for row in doctor(guarded)}
    assert rows["users.run_sql"] == "closed"


def test_a_run_waits_for_an_answer_about_a_program(desk):
    """The engine catches every error of its database: the step waits all the same."""
    db = database()
    tool = desk.guard(sql_tool(db, writing("DELETE FROM users")), resource=trusted(id="users"))
    script = [call("I look.", ("users", {"input": "how many?"}), id="m")]
    agent = desk.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=script)))
    asked, _kept = asyncio.run(paused(agent))
    assert [question.resource for question in asked] == ["users.retriever.run_sql"]
    assert isinstance(asked[0], HaloChallenge)
    assert db.ran == []


def test_a_program_that_was_decided_as_an_argument_of_its_tool_is_not_decided_again(desk, world):
    db = database()

    def ask_database(sql: str, also: str = "") -> str:
        """Ask the database."""
        return str([db.run_sql(item)[0] for item in (sql, also) if item])

    declared = Resource(impact="execute", programs=(("sql", "sql/sqlite"),), source_trust=900)
    tool = world.halo.guard(ask_database, resource=declared)
    tool.call(sql="SELECT name FROM users")
    assert db.ran == ["SELECT name FROM users"]
    assert [name for name, _ in world.kinds()] == ["ask_database"]
    tool.call(sql="SELECT id FROM users", also="SELECT 1")  # the other one is no program of the tool's
    assert [name for name, _ in world.kinds()][2:] == ["Database.run_sql"]
    with pytest.raises(Denied):
        desk.guard(ask_database, resource=declared).call(sql="SELECT 1", also="DELETE FROM users")
    assert "DELETE FROM users" not in db.ran
