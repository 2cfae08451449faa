"""What runs the programs that a model writes: each program is a tool call, wherever the executor stands."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_community", reason="public toolkits are installed beside the newest versions only")

from langchain_community.agent_toolkits import SQLDatabaseToolkit
from langchain_community.chains.graph_qa.cypher import GraphCypherQAChain
from langchain_community.graphs.graph_store import GraphStore
from langchain_community.tools import ShellTool
from langchain_community.utilities import SQLDatabase
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_experimental.sql import SQLDatabaseChain
from langchain_experimental.tools import PythonAstREPLTool, PythonREPLTool
from langchain_experimental.utilities import PythonREPL
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from halo_core.errors import ConfigError, Pending
from halo_core.model import ActionKind, EntryKind
from halo_langchain import Halo, Resource, doctor
from halo_langchain._known_tools import describe_known_tool
from halo_world import bodies

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
READ, DELETE = "SELECT count(*) FROM users", "DELETE FROM users"


def make_database() -> SQLDatabase:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INT, name TEXT)"))
        connection.execute(text("INSERT INTO users VALUES (1, 'ana')"))
    return SQLDatabase(engine)


def count_rows(database: SQLDatabase) -> int:
    with database._engine.connect() as connection:
        return int(connection.execute(text(READ)).scalar() or 0)


class Graph(GraphStore):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def query(self, query: str, params: Any = None) -> list[dict[str, Any]]:
        self.ran.append(query)
        return [{"n": 1}]

    get_schema = ""
    get_structured_schema = {"node_props": {}, "rel_props": {}, "relationships": []}  # noqa: RUF012  as the base has it

    def refresh_schema(self) -> None: ...

    def add_graph_documents(self, *args: Any, **kwargs: Any) -> None: ...


def says(*answers: str) -> FakeListChatModel:
    return FakeListChatModel(responses=list(answers))


@pytest.fixture
def halo(tmp_path):
    with (
        Halo.local("desk", mode="enforce", home=tmp_path / "home", quiet=True) as halo,
        halo.session("s", user="ana", request="How many users are there?"),
    ):
        yield halo


def decided(tmp_path: Any) -> list[tuple[str, bool]]:
    kinds = ("tool_call", "retrieval")
    entries = bodies(tmp_path / "home", EntryKind.DECISION)
    found = [body for body in entries if body["request"]["kind"] in kinds]
    return [(body["request"]["resource"]["id"], body["dispatched"]) for body in found]


def get_query_tool(halo: Halo, database: Any) -> Any:
    tools = SQLDatabaseToolkit(db=database, llm=says("x")).get_tools()
    return next(item for item in halo.guard(tools) if item.name == "sql_db_query")


WAYS: dict[str, Any] = {
    "guarded": lambda halo, db, sql: halo.guard(db).run(sql),
    "toolkit": lambda halo, db, sql: get_query_tool(halo, db).invoke({"query": sql}),
    "toolkit over a guarded database": lambda halo, db, sql: get_query_tool(halo, halo.guard(db)).invoke(
        {"query": sql}
    ),
    "chain": lambda halo, db, sql: SQLDatabaseChain.from_llm(says(sql, "one"), halo.guard(db)).invoke("How many?"),
    "chain under a callback": lambda halo, db, sql: SQLDatabaseChain.from_llm(says(sql, "one"), db).invoke(
        "How many?", {"callbacks": [halo.callback()]}
    ),
    "function under a callback": lambda halo, db, sql: RunnableLambda(lambda _q: db.run(sql)).invoke(
        "x", {"callbacks": [halo.callback()]}
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_statement_that_reads_runs_and_is_decided_once(halo, tmp_path, way):
    assert WAYS[way](halo, make_database(), READ)
    name = "sql_db_query" if way.startswith("toolkit") else "SQLDatabase"
    assert decided(tmp_path) == [(name, True)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("statement", [DELETE, "SELECT load_extension('x')", "PRAGMA writable_schema=1", """ x;;("""])
def test_a_statement_that_acts_is_asked_about(halo, tmp_path, way, statement):
    database = make_database()
    with pytest.raises(Pending):
        WAYS[way](halo, database, statement)
    assert count_rows(database) == 1
    assert [ran for _, ran in decided(tmp_path)] == [False]


def test_another_statement_than_the_decided_one_is_decided(halo, tmp_path):
    database = make_database()

    @tool
    def count(query: str) -> str:
        """Count."""
        return str(database.run(DELETE))

    resource = Resource(impact="execute", programs=(("query", "sql/sqlite"),), source_trust=900)
    with pytest.raises(Pending):
        halo.guard(count, resource=resource).invoke({"query": READ})
    assert (count_rows(database), decided(tmp_path)) == (1, [("count", True), ("SQLDatabase", False)])


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize(("query", "runs"), [("MATCH (n) RETURN n", True), ("MATCH (n) DETACH DELETE n", False)])
def test_cypher_of_a_chain(halo, tmp_path, guarded, query, runs):
    graph = Graph()
    chain = GraphCypherQAChain.from_llm(
        says(query, "one"), graph=halo.guard(graph) if guarded else graph, allow_dangerous_requests=True
    )
    config = None if guarded else {"callbacks": [halo.callback()]}
    if runs:
        chain.invoke("How many?", config)
    else:
        with pytest.raises(Pending):
            chain.invoke("How many?", config)
    assert graph.ran == ([query] if runs else [])
    assert decided(tmp_path) == [("Graph", runs)]


INTERPRETERS: dict[str, Any] = {
    "ast tool": lambda halo, code: halo.guard(PythonAstREPLTool()).invoke({"query": code}),
    "tool": lambda halo, code: halo.guard(PythonREPLTool()).invoke({"query": code}),
    "callback": lambda halo, code: PythonAstREPLTool().invoke({"query": code}, {"callbacks": [halo.callback()]}),
    "interpreter": lambda halo, code: halo.guard(PythonREPL()).run(code),
}


@pytest.mark.parametrize("way", INTERPRETERS)
def test_python_that_acts_is_asked_about(halo, tmp_path, way):
    made = tmp_path / "made"
    with pytest.raises(Pending):
        INTERPRETERS[way](halo, f"import os; os.mkdir({str(made)!r})")
    assert not made.exists()


@pytest.mark.parametrize("way", INTERPRETERS)
def test_python_that_counts_runs(halo, tmp_path, way):
    INTERPRETERS[way](halo, "1 + 1")
    assert [ran for _, ran in decided(tmp_path)] == [True]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_shell_that_acts_is_asked_about(halo, tmp_path, guarded):
    made = tmp_path / "made"
    shell = halo.guard(ShellTool()) if guarded else ShellTool()
    with pytest.raises(Pending):
        shell.invoke({"commands": [f"mkdir {made}"]}, None if guarded else {"callbacks": [halo.callback()]})
    assert not made.exists()


def test_what_is_declared_keeps_its_programs(halo):
    declared = halo.guard(make_database(), resource=Resource(id="orders", impact="read", source_trust=900))
    resource = halo.find_registered("orders")
    assert (resource.programs, resource.kind) == ((("command", "sql/sqlite"),), ActionKind.TOOL_CALL)
    with pytest.raises(Pending):
        declared.run(DELETE)


def test_what_cannot_be_guarded_is_refused(halo):
    class Sealed:
        __slots__ = ()

        def query(self, query: str) -> None: ...

        def get_schema(self) -> None: ...

    with pytest.raises(ConfigError, match="cannot be guarded"):
        halo.guard(Sealed())


def test_the_doctor_names_them(halo):
    graph, database = Graph(), make_database()
    rows = {item.name: item.status.value for item in doctor([graph, database])}
    assert rows == {"Graph (runs statements)": "open", "SQLDatabase (runs statements)": "open"}
    found = doctor([halo.guard(graph), halo.guard(database)])
    assert {item.status.value for item in found if item.name.endswith("(runs statements)")} == {"closed"}


def test_tools_of_deep_agents_are_known():
    from deepagents.middleware.filesystem import FilesystemMiddleware

    known = {item.name: describe_known_tool(item) for item in FilesystemMiddleware().tools}
    assert {name for name, resource in known.items() if resource is None} == set()
    assert known["execute"].programs == (("command", "shell"),)
    assert {name: known[name].impact.value for name in ("ls", "write_file", "delete")} == {
        "ls": "read",
        "write_file": "write",
        "delete": "delete",
    }
