"""`halo doctor` for LlamaIndex: what is decided, what can run undecided, what nothing can intercept."""

from __future__ import annotations

import types
from typing import Any

import pydantic
import pytest
from li_world import MASK_MODELS, Shelf, trusted
from llama_index.core import Settings, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.objects import ObjectRetriever
from llama_index.core.postprocessor import PrevNextNodePostprocessor
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

from halo_core.doctor import FindingKind, FindingStatus, has_governable_findings
from halo_llamaindex import doctor
from halo_llamaindex.testing import ScriptedLLM

pytestmark = pytest.mark.smoke

OPEN = '@id("t.base") permit (principal, action, resource);\n'


@pytest.fixture
def world(make_world):
    """With a policy that narrows no answer: a row about streams would be beside every model."""
    return make_world(policy=OPEN)


def look(q: str) -> str:
    """Look."""
    return q


KEPT = FunctionTool.from_defaults(look, name="kept")


def rows(x: Any, **more: Any) -> dict[tuple[str, str], FindingStatus]:
    return {(item.kind.value, item.name): item.status for item in doctor(x, **more)}


def only(x: Any, kind: FindingKind, name: str) -> Any:
    (found,) = [item for item in doctor(x) if (item.kind, item.name) == (kind, name)]
    return found


def index() -> VectorStoreIndex:
    return VectorStoreIndex([TextNode(text="a")], embed_model=MockEmbedding(embed_dim=3))


# bare and guarded


@pytest.mark.parametrize(
    ("make", "row"),
    [
        (lambda: FunctionTool.from_defaults(look), ("tool", "look")),
        (lambda: Shelf("a"), ("retriever", "Shelf")),
        (ScriptedLLM, ("model", "scripted")),
        (lambda: FunctionAgent(llm=ScriptedLLM()), ("agent", "Agent")),
        (lambda: AgentWorkflow(agents=[FunctionAgent(llm=ScriptedLLM())]), ("agent", "AgentWorkflow")),
    ],
)
def test_what_is_bare_is_open_and_what_is_guarded_is_closed(world, make, row):
    found = only(make(), FindingKind(row[0]), row[1])
    assert found.status is FindingStatus.OPEN
    assert "halo.guard" in found.remedy
    assert rows(world.halo.guard(make()))[row] is FindingStatus.CLOSED
    assert has_governable_findings(doctor(make()))


def test_a_guarded_agent_is_closed_with_all_that_is_in_it(world):
    tool = world.halo.guard(look, resource=trusted())
    agent = world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM()))
    found = rows(agent, name="app")
    assert set(found.values()) == {FindingStatus.CLOSED}
    assert set(found) == {("agent", "Agent"), ("tool", "look"), ("model", "scripted")}


def test_a_tool_that_nobody_guarded_is_decided_in_a_guarded_agent_and_granted_by_nobody(world):
    agent = world.halo.guard(FunctionAgent(tools=[look], llm=ScriptedLLM()))
    found = [(item.status, item.point) for item in doctor(agent) if item.name == "look"]
    assert found == [(FindingStatus.CLOSED, "guarded workflow"), (FindingStatus.NOTED, "none")]


def test_a_bare_agent_is_open_though_its_tools_are_guarded(world):
    tool = world.halo.guard(look, resource=trusted())
    found = rows(FunctionAgent(tools=[tool], llm=ScriptedLLM()))
    assert found["tool", "look"] is FindingStatus.CLOSED
    assert found["agent", "Agent"] is FindingStatus.OPEN
    assert found["model", "scripted"] is FindingStatus.OPEN


def team(*names: str) -> AgentWorkflow:
    members = [FunctionAgent(name=name, description=name, llm=ScriptedLLM()) for name in names]
    return AgentWorkflow(agents=members, root_agent=names[0])


def test_hand_offs_of_a_team_are_rows(world):
    assert rows(team("a", "b"))["handoff", "b"] is FindingStatus.OPEN
    assert rows(world.halo.guard(team("a", "b")))["handoff", "b"] is FindingStatus.CLOSED


class Own(FunctionAgent):
    """An agent that calls its tools in a way of its own."""

    async def _call_tool(self, ctx: Any, tool: Any, tool_input: Any) -> Any:
        return await tool.acall(**tool_input)


def test_an_override_that_a_team_does_not_ask_is_noted(world):
    """Inside an `AgentWorkflow` the agent's own `_call_tool` is not called: the team has one."""
    made = AgentWorkflow(agents=[Own(name="a", llm=ScriptedLLM())])
    for x in (made, world.halo.guard(made)):
        assert only(x, FindingKind.AGENT, "a._call_tool").status is FindingStatus.NOTED


class Finder(ObjectRetriever):
    def __init__(self) -> None:
        self._tools = [FunctionTool.from_defaults(look)]


def test_tools_that_are_found_while_it_runs_are_the_workflows_to_decide(world):
    agent = FunctionAgent(tool_retriever=Finder(), llm=ScriptedLLM())
    assert only(agent, FindingKind.TOOL, "Finder (finds tools)").status is FindingStatus.OPEN
    assert only(world.halo.guard(agent), FindingKind.TOOL, "Finder (finds tools)").status is FindingStatus.CLOSED


# what walks around a guard


def test_originals_that_their_module_keeps_are_noted(world):
    guarded = world.halo.guard(KEPT, resource=trusted())
    copy, note = doctor([guarded])
    assert (copy.name, copy.status) == ("kept", FindingStatus.CLOSED)
    assert (note.name, note.status) == ("kept", FindingStatus.NOTED)
    assert "`.fn`" in note.remedy


def test_a_copy_that_was_changed_is_open(world):
    tool = world.halo.guard(look, resource=trusted())
    tool._fn = look
    assert only(tool, FindingKind.TOOL, "look").status is FindingStatus.OPEN
    shelf = world.halo.guard(Shelf("a"), resource=trusted())
    shelf.retrieve = lambda _query: []
    assert only(shelf, FindingKind.RETRIEVER, "Shelf").status is FindingStatus.OPEN


def test_the_store_behind_a_retriever_is_noted(world):
    shelf = world.halo.guard(index().as_retriever(), resource=trusted(id="handbook"))
    found = rows(shelf)
    assert found["retriever", "handbook"] is FindingStatus.CLOSED
    assert found["store", "SimpleVectorStore.query"] is FindingStatus.NOTED


def test_an_index_makes_a_fresh_engine_each_time(world):
    made = index()
    found = only(made, FindingKind.RETRIEVER, "VectorStoreIndex.as_query_engine")
    assert (found.status, "halo.guard(index.as_retriever())" in found.remedy) == (FindingStatus.OPEN, True)

    def ask(q: str) -> str:
        """Ask."""
        return str(made.as_query_engine().query(q))

    assert rows(FunctionTool.from_defaults(ask))["retriever", "VectorStoreIndex.as_query_engine"] is FindingStatus.OPEN
    guarded = world.halo.guard(ask, resource=trusted())
    assert rows(guarded)["retriever", "VectorStoreIndex.as_query_engine"] is FindingStatus.NOTED
    assert rows(made.vector_store)["store", "SimpleVectorStore.query"] is FindingStatus.OPEN


def test_the_settings_model_is_open_until_it_is_guarded(world):
    before = Settings._llm
    try:
        Settings.llm = MockLLM()
        assert rows(Shelf("a"))["model", "Settings.llm"] is FindingStatus.OPEN
        Settings.llm = world.halo.guard(MockLLM())
        assert ("model", "Settings.llm") not in rows(Shelf("a"))
    finally:
        Settings._llm = before


class Answer(pydantic.BaseModel):
    """An answer."""

    number: int


class Hosting(ScriptedLLM):
    built_in_tools: list[dict[str, Any]] = pydantic.Field(default_factory=lambda: [{"type": "web_search_preview"}])
    _client: Any = pydantic.PrivateAttr(default_factory=lambda: types.SimpleNamespace(post=print))


def test_hosted_tools_and_clients_of_a_model(world):
    assert rows(Hosting())["tool", "web_search"] is FindingStatus.OPEN
    found = rows(world.halo.guard(Hosting()))
    assert found["tool", "web_search"] is FindingStatus.NOTED
    assert found["model", "scripted.client"] is FindingStatus.NOTED


def test_a_structured_model_is_the_model_that_it_asks(world):
    assert rows(ScriptedLLM().as_structured_llm(Answer)) == {("model", "scripted"): FindingStatus.OPEN}
    assert rows(world.halo.guard(ScriptedLLM()).as_structured_llm(Answer)) == {
        ("model", "scripted"): FindingStatus.CLOSED
    }


def test_streams_that_are_held_back_are_noted(make_world):
    world = make_world(policy=MASK_MODELS)
    found = only(world.halo.guard(ScriptedLLM()), FindingKind.MODEL, "streams")
    assert "event handlers" in found.remedy
    assert ("model", "streams") not in rows(ScriptedLLM())


def test_what_handlers_are_told_of_tools_and_retrievals_is_noted(make_world):
    world = make_world()
    tool = FunctionTool.from_defaults(look)
    assert "handlers" in only(world.halo.guard(tool, resource=trusted()), FindingKind.TOOL, "event handlers").remedy
    assert only(world.halo.guard(Shelf("a"), resource=trusted()), FindingKind.RETRIEVER, "event handlers")
    assert ("tool", "event handlers") not in rows(make_world(policy=OPEN).halo.guard(tool, resource=trusted()))


# engines


def test_a_store_that_an_engine_reads_by_itself_is_open(world):
    after = PrevNextNodePostprocessor(docstore=SimpleDocumentStore(), num_nodes=1, mode="next")
    engine = RetrieverQueryEngine.from_args(Shelf("a"), llm=ScriptedLLM(), node_postprocessors=[after])
    assert only(engine, FindingKind.STORE, "SimpleDocumentStore").status is FindingStatus.OPEN


def test_an_engine_is_what_it_holds(world):
    engine = RetrieverQueryEngine.from_args(Shelf("a"), llm=ScriptedLLM())
    assert rows(engine) == {("retriever", "Shelf"): FindingStatus.OPEN, ("model", "scripted"): FindingStatus.OPEN}
    guarded = world.halo.guard(engine, resource=trusted(id="handbook"))
    assert rows(guarded) == {
        ("retriever", "handbook"): FindingStatus.CLOSED,
        ("model", "scripted"): FindingStatus.CLOSED,
    }


def test_a_tool_over_an_engine_is_looked_into(world):
    engine = RetrieverQueryEngine.from_args(Shelf("a"), llm=ScriptedLLM())
    tool = QueryEngineTool.from_defaults(engine, name="ask", description="ask")
    assert rows(tool)["model", "scripted"] is FindingStatus.OPEN
    found = rows(world.halo.guard(tool, resource=trusted()))
    assert found == {
        ("tool", "ask"): FindingStatus.CLOSED,
        ("retriever", "ask.retriever"): FindingStatus.CLOSED,
        ("model", "scripted"): FindingStatus.CLOSED,
    }


def test_retrievers_inside_a_guarded_one_are_decided_with_it(world):
    fusion = QueryFusionRetriever([Shelf("a")], llm=ScriptedLLM(), num_queries=2)
    assert rows(fusion)["retriever", "Shelf"] is FindingStatus.OPEN
    found = {
        item.name: (item.status, item.point) for item in doctor(world.halo.guard(fusion, resource=trusted(id="f")))
    }
    assert found["Shelf"] == (FindingStatus.CLOSED, "retriever `f`, which holds it")
    assert found["scripted"] == (FindingStatus.CLOSED, "guarded copy")


# functions and workflows of the app's own


def test_what_a_tools_function_reaches_is_looked_at(world):
    model, shelf = ScriptedLLM(), world.halo.guard(Shelf("a"), resource=trusted())

    def ask(q: str) -> str:
        """Ask."""
        return str(model.complete(shelf.retrieve(q)[0].text))

    assert rows(FunctionTool.from_defaults(ask))["model", "scripted"] is FindingStatus.OPEN
    guarded = world.halo.guard(ask, resource=trusted())
    found = rows(guarded)
    assert found["model", "scripted"] is FindingStatus.CLOSED
    assert found["retriever", "Shelf"] is FindingStatus.CLOSED
    assert only(guarded, FindingKind.MODEL, "scripted").point == "tool `ask`, inside of which it starts"


def makes(q: str) -> str:
    """Make a model while it runs."""
    return str(MockLLM().complete(q))


def test_a_model_that_a_function_makes_is_open():
    found = only(FunctionTool.from_defaults(makes), FindingKind.MODEL, "MockLLM")
    assert (found.status, "made while it runs" in found.where) == (FindingStatus.OPEN, True)


class Flow(Workflow):
    model: Any = None

    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=str(await self.model.acomplete("q")))


def test_a_workflow_of_an_apps_own_is_what_it_holds(world):
    flow = Flow()
    flow.model = ScriptedLLM()
    assert rows(flow) == {("model", "scripted"): FindingStatus.OPEN}
    flow.model = world.halo.guard(ScriptedLLM())
    assert set(rows(flow).values()) == {FindingStatus.CLOSED}


def test_the_observer_is_named_and_closes_nothing(world):
    with world.halo.observe():
        found = only(ScriptedLLM(), FindingKind.MODEL, "scripted")
    assert (found.status, found.point) == (FindingStatus.OPEN, "observer: recorded only")


def test_nothing_that_halo_knows_is_no_rows():
    assert doctor({"a": 1, "b": [print, object()]}) == []
    assert not has_governable_findings(doctor(7))


class Kept(dict):
    """A dict with a field."""


def test_a_field_of_a_dict_is_looked_into():
    kept = Kept(a=1)
    kept.model = ScriptedLLM()
    assert rows(kept) == {("model", "scripted"): FindingStatus.OPEN}
