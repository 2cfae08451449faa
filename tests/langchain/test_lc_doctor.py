"""`halo doctor` for LangChain: what is decided, what can run undecided, what nothing can intercept."""

# ruff: noqa: PLW0108  what a lambda's body names is what is looked for
from __future__ import annotations

import collections
import contextvars
import dis
import functools
import operator
import sys
import threading
import types
import weakref
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelFallbackMiddleware,
    SummarizationMiddleware,
    ToolRetryMiddleware,
    dynamic_prompt,
)
from langchain.agents.structured_output import ToolStrategy
from langchain.chat_models import init_chat_model
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.example_selectors import SemanticSimilarityExampleSelector
from langchain_core.language_models import FakeListLLM
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, FewShotPromptTemplate, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBranch, RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tools import BaseTool, StructuredTool, create_retriever_tool, tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, RetryPolicy
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from pydantic import BaseModel, PrivateAttr, field_validator

from halo_core.doctor import (
    Finding,
    FindingKind,
    FindingStatus,
    has_governable_findings,
    sort_findings,
    summarize_findings,
)
from halo_core.model import ActionKind
from halo_langchain import Resource, doctor, testing
from halo_langchain.testing import ScriptedModel

pytestmark = pytest.mark.smoke

HOSTED = {"type": "web_search"}


def model(name: str = "scripted", **more: Any) -> ScriptedModel:
    return ScriptedModel(script=[], model_name=name, **more)


@tool
def lookup(q: str) -> str:
    """Look it up."""
    return q


class Shelf(BaseRetriever):
    name: str = "shelf"

    def _get_relevant_documents(self, query: str) -> list[Document]:
        return [Document(query)]


class Pair(BaseRetriever):
    name: str = "pair"
    parts: list[Any]
    llm: Any = None

    def _get_relevant_documents(self, query: str) -> list[Document]:
        return [d for part in self.parts for d in part.invoke(query)]


def rows(findings: list[Finding], status: FindingStatus) -> set[tuple[str, str]]:
    return {(str(item.kind), item.name) for item in findings if item.status is status}


def decided_inside(thing: Any) -> set[tuple[str, str]]:
    """What is decided where it starts; nothing else may be open."""
    found = doctor(thing, name="app")
    assert rows(found, FindingStatus.OPEN) == set()
    return {(item.kind.value, item.name) for item in found if item.point.startswith("inside a guarded")}


def opened(x: Any) -> set[tuple[str, str]]:
    return rows(doctor(x, name="app"), FindingStatus.OPEN)


def one(x: Any, name: str) -> Finding:
    return next(item for item in doctor(x, name="app") if item.name == name)


def graph_of(node: Any, **more: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("step", node, **more)
    builder.set_entry_point("step")
    return builder.compile(name="app")


# one thing


@pytest.mark.parametrize("make", [lambda: lookup, Shelf, model], ids=["tool", "retriever", "model"])
def test_a_guarded_copy_is_closed_and_an_original_is_open(world, make):
    thing = make()
    (before,) = doctor(thing, name="app")
    assert (before.status, before.point) == (FindingStatus.OPEN, "none")
    assert before.remedy.startswith("use `halo.guard(")
    after = next(item for item in doctor(world.halo.guard(thing), name="app") if item.name == before.name)
    assert (after.status, after.point, after.kind) == (FindingStatus.CLOSED, "guarded copy", before.kind)
    assert opened(world.halo.guard(thing)) == set()


def test_lists_and_dicts_of_things_are_looked_into(world):
    found = doctor({"a": [lookup, (Shelf(),)], "b": {"c": model()}}, name="app")
    assert rows(found, FindingStatus.OPEN) == {("tool", "lookup"), ("retriever", "shelf"), ("model", "scripted")}


def test_originals_that_their_module_keeps_are_noted_once(world):
    found = doctor([world.halo.guard(lookup), world.halo.guard(lookup)], name="app")
    noted = [item for item in found if item.where.startswith("originals")]
    assert [item.name for item in noted] == ["lookup"]


def test_a_store_behind_a_retriever_is_noted(world):
    shelf = InMemoryVectorStore(DeterministicFakeEmbedding(size=4)).as_retriever()
    for thing in (shelf, world.halo.guard(shelf, resource=Resource(id="shelf"))):
        assert ("retriever", "similarity_search") in rows(doctor(thing, name="app"), FindingStatus.NOTED)


def test_retrievers_and_models_inside_a_guarded_retriever_are_named(world):
    inner, llm = Shelf(), model("expander")
    inside = {("retriever", "shelf"), ("model", "expander")}
    assert decided_inside(world.halo.guard(Pair(parts=[inner], llm=llm))) == inside
    guarded = Pair(parts=[world.halo.guard(inner)], llm=world.halo.guard(llm))
    assert opened(world.halo.guard(guarded)) == set()


def test_what_a_tool_reaches_is_named_although_the_tool_is_guarded(world):
    llm, shelf, other = model("inner"), Shelf(), lookup
    agent = create_agent(model("sub"), tools=[other], name="sub")

    @tool
    def ask(q: str) -> str:
        """Ask."""
        return str((llm.invoke(q), shelf.invoke(q), agent.invoke({"messages": [q]})))

    assert decided_inside(world.halo.guard(ask)) == {
        ("model", "inner"), ("retriever", "shelf"), ("tool", "lookup"), ("model", "sub"),
    }  # fmt: skip
    where = one(world.halo.guard(ask), "sub").where
    assert where == "`app` > tool `ask` > agent `sub` > node `model`"


def test_a_tool_class_is_looked_into_like_a_function(world):
    class Ask(BaseTool):
        name: str = "ask"
        description: str = "ask"
        llm: Any

        def _run(self, q: str) -> str:
            return str(self.llm.invoke(q)) + str(SHELF.invoke(q))

    assert decided_inside(world.halo.guard(Ask(llm=model("inner")))) == {("model", "inner"), ("retriever", "shelf")}


SHELF = Shelf()


def test_a_tool_guarded_as_a_retrieval_decides_the_retriever_in_it(world):
    search = create_retriever_tool(Shelf(), "search", "Search.")
    assert decided_inside(world.halo.guard(search)) == {("retriever", "shelf")}
    as_retrieval = world.halo.guard(search, resource=Resource(id="search2", kind=ActionKind.RETRIEVAL))
    assert opened(as_retrieval) == set()
    asking = create_retriever_tool(Pair(parts=[], llm=model("expander")), "asking", "Search.")
    guarded = world.halo.guard(asking, resource=Resource(id="asking", kind=ActionKind.RETRIEVAL))
    assert decided_inside(guarded) == {("model", "expander"), ("retriever", "pair")}

    @tool
    def both(q: str) -> str:
        """Search and ask."""
        return str((SHELF.invoke(q), MODELS["cheap"].invoke(q)))

    guarded = world.halo.guard(both, resource=Resource(id="both", kind=ActionKind.RETRIEVAL))
    assert decided_inside(guarded) == {("model", "cheap"), ("retriever", "shelf")}


def test_a_store_that_a_tool_searches_is_noted_in_a_guarded_tool_and_open_elsewhere(world):
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))

    @tool
    def search(q: str) -> str:
        """Search."""
        return str(store.similarity_search(q))

    assert ("retriever", "similarity_search") in opened(search)
    assert ("retriever", "similarity_search") in rows(doctor(world.halo.guard(search), name="app"), FindingStatus.NOTED)


def test_a_graph_in_a_guarded_tool_is_judged_by_itself(world):
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    inner = graph_of(lambda s: store.similarity_search(s))

    @tool
    def search(q: str) -> str:
        """Search."""
        return str(inner.invoke(q))

    assert opened(world.halo.guard(search)) == {("retriever", "similarity_search")}


# tools of a provider, clients


def test_hosted_tools_are_open_unless_the_model_is_guarded(world):
    bound = model().bind(tools=[HOSTED])
    assert ("tool", "web_search") in opened(bound)
    assert ("tool", "web_search") in opened(create_agent(model(), tools=[HOSTED]))
    guarded = doctor(world.halo.guard(model()).bind(tools=[HOSTED]), name="app")
    assert next(item.point for item in guarded if item.name == "web_search") == "refused when called"
    agent = create_agent(model(), tools=[HOSTED], middleware=[world.halo.middleware()])
    assert opened(agent) == set()
    assert one(agent, "web_search").status is FindingStatus.NOTED


def test_a_models_client_is_noted(world):
    class Remote(ScriptedModel):
        client: Any = None

    class Private(ScriptedModel):
        _client: Any = PrivateAttr(default_factory=object)

    for llm in (Remote(script=[], client=object()), Private(script=[])):
        found = doctor(world.halo.guard(llm), name="app")
        assert ("model", "scripted.client") in rows(found, FindingStatus.NOTED)


def test_mcp_tools_are_governed_like_tools_and_their_session_is_noted(world):
    async def call(q: str) -> str:
        return q

    there = types.FunctionType(call.__code__, {"__name__": "langchain_mcp_adapters.tools"}, "call_tool")
    mcp = StructuredTool(name="far", description="far", args_schema={"properties": {}}, coroutine=there)
    assert opened(mcp) == {("tool", "far")}
    found = doctor(world.halo.guard(mcp), name="app")
    assert rows(found, FindingStatus.OPEN) == set()
    assert ("tool", "far (MCP)") in rows(found, FindingStatus.NOTED)


def test_a_raw_sdk_client_is_noted():
    kind = type("OpenAI", (), {"__module__": "openai._client"})
    raw = kind()
    found = doctor(graph_of(lambda s: raw), name="app")
    assert ("model", "openai.OpenAI") in rows(found, FindingStatus.NOTED)


# chains


def chain(shelf: Any, llm: Any) -> Any:
    prompt = ChatPromptTemplate.from_template("{context}{question}")
    return {"context": shelf, "question": RunnablePassthrough()} | prompt | llm | StrOutputParser()


def test_a_chain_is_as_closed_as_its_parts(world):
    guard = world.halo.guard
    assert opened(chain(Shelf(), model())) == {("retriever", "shelf"), ("model", "scripted")}
    assert opened(chain(guard(Shelf()), model())) == {("model", "scripted")}
    assert opened(chain(guard(Shelf()), guard(model()))) == set()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: m.with_retry(),
        lambda m: m.with_config(tags=["x"]),
        lambda m: m.bind(stop=["x"]),
        lambda m: RunnableLambda(str).with_fallbacks([m]),
        lambda m: RunnableBranch((bool, m), RunnablePassthrough()),
        lambda m: RunnableParallel(a=m),
        lambda m: RunnableLambda(lambda x: m.invoke(x)),
        lambda m: RunnableLambda(functools.partial(lambda m, x: m.invoke(x), m)),
        lambda m: RunnablePassthrough.assign(x=m),
        lambda m: m.map(),
        lambda m: RunnableLambda(str) | (lambda x: [m.invoke(y) for y in x]),
        lambda m: lambda x, m=m: m.invoke(x),
    ],
    ids="retry config bind fallback branch parallel lambda partial assign map comprehension default".split(),
)
def test_a_model_is_found_in_every_wrapping(world, wrap):
    assert opened(wrap(model())) == {("model", "scripted")}
    assert opened(wrap(world.halo.guard(model()))) == set()


def test_a_bound_callback_decides_the_parts_of_a_chain_but_not_what_functions_call(world):
    config = {"callbacks": [world.halo.callback()]}
    parts = chain(Shelf(), model()).with_config(config)
    assert opened(parts) == set()
    assert one(parts, "shelf").point == "callback"
    llm = model("hidden")
    assert opened(RunnableLambda(lambda x: llm.invoke(x)).with_config(config)) == {("model", "hidden")}
    assert opened(model(callbacks=[world.halo.callback()])) == set()


# agents


def test_middleware_in_the_last_place_decides_tools_models_and_hand_offs(world):
    tools = [lookup, create_handoff_tool(agent_name="bob")]
    bare = create_agent(model("m"), tools=tools, name="alice")
    assert opened(bare) == {("tool", "lookup"), ("handoff", "bob (by `transfer_to_bob`)"), ("model", "m")}
    agent = create_agent(model("m"), tools=tools, middleware=[ToolRetryMiddleware(), world.halo.middleware()])
    assert opened(agent) == set()
    assert one(agent, "lookup").point == "middleware"


def test_what_a_later_middleware_changes_is_decided_where_it_starts(world):
    class Later(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            return handler(request)

        def wrap_tool_call(self, request, handler):
            return handler(request)

    around = [ToolRetryMiddleware(), world.halo.middleware(), Later()]
    agent = create_agent(model("m"), tools=[lookup], middleware=around)
    assert opened(agent) == set()
    assert one(agent, "lookup").point == one(agent, "m").point == "inside a guarded run"
    guarded = create_agent(world.halo.guard(model("m")), tools=world.halo.guard([lookup]), middleware=around)
    assert opened(guarded) == set()
    assert one(agent, "halo.middleware()").status is FindingStatus.NOTED


def test_only_the_hooks_that_a_later_middleware_has_count(world):
    around = [world.halo.middleware(), ToolRetryMiddleware()]
    agent = create_agent(model("m"), tools=[lookup], middleware=around)
    assert (one(agent, "m").point, one(agent, "lookup").point) == ("middleware", "inside a guarded run")


def test_models_that_other_middleware_calls_are_decided_where_they_start(world):
    agent = create_agent(
        model("m"),
        tools=[lookup],
        middleware=[
            SummarizationMiddleware(model("summary")), ModelFallbackMiddleware(model("spare")), world.halo.middleware(),
        ],
    )  # fmt: skip
    assert opened(agent) == set()
    assert one(agent, "summary").point == one(agent, "spare").point == "inside a guarded run"


def test_a_tool_node_is_decided_by_our_hook_and_not_by_another(world):
    assert opened(graph_of(ToolNode([lookup]))) == {("tool", "lookup")}
    assert opened(graph_of(ToolNode([lookup], wrap_tool_call=lambda r, h: h(r)))) == {("tool", "lookup")}
    assert opened(graph_of(ToolNode([lookup], wrap_tool_call=world.halo.middleware().wrap_tool_call))) == set()
    # LangGraph skips an asynchronous hook in a synchronous run.
    only_async = ToolNode([lookup], awrap_tool_call=world.halo.middleware().awrap_tool_call)
    assert opened(graph_of(only_async)) == {("tool", "lookup")}


# graphs


def test_a_node_that_is_an_agent_is_entered_undecided_unless_the_graph_is_guarded(world):
    agent = create_agent(world.halo.guard(model("m")), tools=[], name="alice")
    graph = create_swarm([agent], default_active_agent="alice").compile(name="swarm")
    assert opened(graph) == {("node", "alice (an agent)")}
    guarded = doctor(world.halo.guard(graph), name="app")
    assert rows(guarded, FindingStatus.OPEN) == set()
    assert {"guarded graph", "guarded graph, node entry"} <= {item.point for item in guarded}


def test_an_agent_that_a_nodes_function_calls_is_a_node_that_is_an_agent(world):
    agent = create_agent(world.halo.guard(model("m")), tools=[], name="alice")

    def step(state: MessagesState) -> Any:
        return agent.invoke(state)

    assert opened(graph_of(step)) == {("node", "step (an agent)")}
    assert opened(world.halo.guard(graph_of(step))) == set()


def test_an_agent_that_the_guard_was_not_told_of_is_open_with_the_words_to_say(world):
    agent = create_agent(world.halo.guard(model("m")), tools=[], name="alice")
    table = types.SimpleNamespace(agent=agent)

    def far(state: MessagesState) -> Any:
        return near(state)

    def near(state: MessagesState) -> Any:
        return table.agent.invoke(state)

    hidden = [far, agent]
    guarded = world.halo.guard(graph_of(lambda state: hidden[0](state)))
    (finding,) = [item for item in doctor(guarded, name="app") if item.status is FindingStatus.OPEN]
    assert "agents=['step']" in finding.remedy
    assert opened(world.halo.guard(graph_of(lambda state: hidden[0](state)), agents=["step"])) == set()


def test_a_supervisor_is_read_like_a_swarm(world):
    bob = create_agent(world.halo.guard(model("b")), tools=[], name="bob")
    graph = create_supervisor([bob], model=model("boss"), supervisor_name="boss").compile(name="team")
    assert {("model", "boss"), ("node", "bob (an agent)"), ("node", "boss (an agent)")} <= opened(graph)
    assert decided_inside(world.halo.guard(graph)) == {("model", "boss")}


def test_a_function_node_is_as_closed_as_what_it_reaches(world):
    llm, guarded = model("m"), world.halo.guard(model("m"))
    assert opened(graph_of(lambda s: {"messages": [llm.invoke(s["messages"])]})) == {("model", "m")}
    assert opened(graph_of(lambda s: {"messages": [guarded.invoke(s["messages"])]})) == set()


def test_a_function_node_that_holds_nothing_is_noted():
    def step(state: MessagesState) -> Any:
        return state

    (finding,) = doctor(graph_of(step), name="app")
    assert (finding.status, finding.kind, finding.name) == (FindingStatus.NOTED, FindingKind.NODE, "step")
    assert not has_governable_findings([finding])


MODELS = {"cheap": model("cheap")}


def _helper(words: str) -> Any:
    return MODELS["cheap"].invoke(words)


class Service:
    def ask(self, words: str) -> Any:
        return _helper(words)


SERVICE = Service()


def test_globals_helpers_and_services_that_a_node_uses_are_followed():
    assert opened(graph_of(lambda s: MODELS["cheap"].invoke(s))) == {("model", "cheap")}
    assert opened(graph_of(lambda s: _helper(s))) == {("model", "cheap")}
    assert opened(graph_of(lambda s: SERVICE.ask(s))) == {("model", "cheap")}
    assert opened(graph_of(lambda s: [x for x in [s] if SERVICE.ask(x)])) == {("model", "cheap")}


class Settings:
    llm = MODELS["cheap"]

    @property
    def shown(self) -> Any:
        return MODELS["cheap"]

    @functools.cached_property
    def kept(self) -> Any:
        return MODELS["cheap"]

    @classmethod
    def asked(cls) -> Any:
        return cls.llm


@functools.lru_cache
def cheap() -> Any:
    return MODELS["cheap"]


class Step:
    def __call__(self, state: Any) -> Any:
        return cheap().invoke(state)


def _imports(state: Any) -> Any:
    from test_lc_doctor import MODELS as THERE

    return THERE["cheap"].invoke(state)


def _by_module(state: Any) -> Any:
    return THIS.MODELS["cheap"].invoke(state)


THIS = sys.modules[__name__]


@pytest.mark.parametrize(
    "step",
    [
        lambda s: Settings.llm.invoke(s),
        lambda s: Settings().shown.invoke(s),
        lambda s: Settings().kept.invoke(s),
        lambda s: Settings.asked().invoke(s),
        lambda s: cheap().invoke(s),
        Step(),
        Step().__call__,
        functools.partial(lambda builder, s: builder["cache"].invoke(s), {"cache": MODELS["cheap"]}),
        _imports,
        _by_module,
    ],
    ids="class property cached_property classmethod lru_cache callable method partial import module".split(),
)
def test_a_model_is_found_wherever_an_app_keeps_it(step):
    assert opened(step) == {("model", "cheap")}
    assert opened(graph_of(step)) == {("model", "cheap")}


def test_a_model_that_a_function_makes_and_may_guard_is_noted(world):
    halo = world.halo
    found = doctor(graph_of(lambda s: halo.guard(ScriptedModel(script=[])).invoke(s)), name="app")
    assert ("model", "ScriptedModel") in rows(found, FindingStatus.NOTED)
    assert opened(graph_of(lambda s: init_chat_model("x").invoke(s))) == {("model", "init_chat_model")}


def test_a_model_made_while_a_node_runs_is_open():
    found = opened(graph_of(lambda s: ScriptedModel(script=[]).invoke(s)))
    assert found == {("model", "ScriptedModel")}
    assert opened(graph_of(lambda s: testing.ScriptedModel(script=[]).invoke(s))) == {("model", "ScriptedModel")}
    assert opened(graph_of(lambda s: THIS.ScriptedModel(script=[]).invoke(s))) == {("model", "ScriptedModel")}
    assert opened(graph_of(lambda s: isinstance(s, ScriptedModel | testing.ScriptedModel))) == set()


def test_what_chooses_the_next_node_is_looked_into():
    llm = model("router")
    builder = StateGraph(MessagesState)
    builder.add_node("step", lambda s: s)
    builder.set_entry_point("step")
    builder.add_conditional_edges("step", lambda s: str(llm.invoke(s)), ["step"])
    for graph in (builder, builder.compile(name="app")):
        found = doctor(graph, name="app")
        assert ("model", "router") in rows(found, FindingStatus.OPEN), graph


def test_tasks_of_the_functional_api_are_followed(world):
    llm = model("m")

    @task
    def ask(words: str) -> Any:
        return llm.invoke(words)

    @entrypoint()
    def flow(words: str) -> Any:
        return ask(words).result()

    assert opened(flow) == {("model", "m")}


def test_a_cached_node_is_open_unless_the_graph_is_guarded(world):
    def step(state: MessagesState) -> Any:
        return state

    graph = graph_of(step, cache_policy=CachePolicy())
    assert opened(graph) == {("node", "step (cached)")}
    assert opened(world.halo.guard(graph)) == set()


def test_powers_of_the_host_are_noted(world):
    builder = StateGraph(MessagesState)
    builder.add_node("step", lambda s: s)
    builder.set_entry_point("step")
    graph = builder.compile(checkpointer=InMemorySaver(), store=InMemoryStore())
    noted = rows(doctor(graph, name="app"), FindingStatus.NOTED)
    assert {("store", "InMemorySaver"), ("store", "InMemoryStore"), ("node", "update_state")} <= noted


# the process


def test_the_builder_of_a_guarded_graph_is_noted(world):
    graph = StateGraph(MessagesState).add_node("step", lambda _: {}).set_entry_point("step").compile()
    found = one(world.halo.guard(graph), "builder")
    assert (found.status, found.kind) == (FindingStatus.NOTED, FindingKind.NODE)
    assert ("builder", found.where) not in rows(doctor(graph), FindingStatus.NOTED)


def test_guarded_tools_that_a_plain_tool_node_runs_over_time_travel_are_noted(world):
    tools, saver = [world.halo.guard(lookup)], InMemorySaver()

    def graph(node: Any, saver: Any = saver) -> Any:
        return StateGraph(MessagesState).add_node("tools", node).set_entry_point("tools").compile(checkpointer=saver)

    found = one(graph(ToolNode(tools)), "tools (time travel)")
    assert (found.status, found.kind) == (FindingStatus.NOTED, FindingKind.NODE)
    under_ours = ToolNode(tools, wrap_tool_call=world.halo.middleware().wrap_tool_call)
    again = (graph(ToolNode(tools), None), graph(ToolNode([lookup])), graph(under_ours))
    agent = create_agent(model(), tools, middleware=[world.halo.middleware()], checkpointer=saver)
    for quiet in (*again, world.halo.guard(graph(ToolNode(tools))), agent):
        assert not [item for item in doctor(quiet) if "time travel" in item.name]


def test_the_tripwire_closes_what_is_not_guarded_where_it_refuses(make_world):
    enforced, observed = make_world(), make_world("observe")
    with enforced.halo.install():
        assert opened([lookup, Shelf(), model()]) == set()
        assert one(lookup, "lookup").point == "tripwire (refused)"
    with observed.halo.install():
        assert opened(lookup) == {("tool", "lookup")}
    assert opened(lookup) == {("tool", "lookup")}


def test_a_policy_that_restricts_output_is_noted(make_world):
    policy = """@id("a") permit (principal, action, resource);
    @id("b") @effect("restrict") @obligation("redact_output()") @reason("t")
    forbid (principal, action, resource) when { resource.labels.contains("pii") };"""
    for text, expected in ((policy, True), ('@id("a") permit (principal, action, resource);', False)):
        halo = make_world(policy=text).halo
        noted = rows(
            doctor(create_agent(halo.guard(model()), tools=halo.guard([lookup])), name="app"), FindingStatus.NOTED
        )
        assert (("model", "output") in noted) is expected


# the whole


def desk(halo: Any, *, but: str = "") -> Any:
    """A RAG chain in a tool, two agents in a swarm, and a node of its own; one thing may be left unguarded."""

    def guard(x: Any, name: str, **more: Any) -> Any:
        return x if name == but else halo.guard(x, **more)

    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    shelf = guard(store.as_retriever(), "VectorStoreRetriever", resource=Resource(id="shelf"))
    rag = chain(shelf, guard(model("reader"), "reader"))

    @tool
    def research(q: str) -> str:
        """Research."""
        return rag.invoke(q)

    to_bob, to_alice = create_handoff_tool(agent_name="bob"), create_handoff_tool(agent_name="alice")
    alice = create_agent(
        model("a"),
        tools=[research, to_bob],
        middleware=[SummarizationMiddleware(guard(model("summary"), "summary")), halo.middleware()],
        name="alice",
    )
    bob = create_agent(guard(model("b"), "b"), tools=[guard(lookup, "lookup"), guard(to_alice, "transfer")], name="bob")
    builder = create_swarm([alice, bob], default_active_agent="alice")
    spare = guard(model("spare"), "spare")
    builder.add_node("note", lambda s: {"messages": [spare.invoke(s["messages"])]})
    graph = builder.compile(checkpointer=InMemorySaver(), name="swarm")
    return graph if but == "graph" else halo.guard(graph)


def test_an_app_guarded_all_through_has_nothing_open(world):
    found = doctor(desk(world.halo), name="app")
    assert rows(found, FindingStatus.OPEN) == set()
    assert has_governable_findings(found)
    kinds = {item.kind for item in found if item.status is FindingStatus.CLOSED}
    assert kinds == {
        FindingKind.TOOL,
        FindingKind.RETRIEVER,
        FindingKind.MODEL,
        FindingKind.HANDOFF,
        FindingKind.AGENT,
        FindingKind.NODE,
    }


@pytest.mark.parametrize("left", ["VectorStoreRetriever", "reader", "summary", "b", "spare"])
def test_one_thing_left_unguarded_is_decided_where_it_starts(world, left):
    found = doctor(desk(world.halo, but=left), name="app")
    assert rows(found, FindingStatus.OPEN) == set()
    assert {item.name for item in found if item.point.startswith("inside")} == {left}


def test_a_graph_left_unguarded_is_named(world):
    found = rows(doctor(desk(world.halo, but="graph"), name="app"), FindingStatus.OPEN)
    assert found == {("node", "alice (an agent)"), ("node", "bob (an agent)")}


# odd objects


class Hostile:
    """Whatever is asked of it, it tells that it was asked."""

    __slots__ = ("x",)
    asked: list[str] = []  # noqa: RUF012  what the test reads

    def __getattribute__(self, name: str) -> Any:
        Hostile.asked.append(name)
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        Hostile.asked.append("eq")
        raise RuntimeError

    def __bool__(self) -> bool:
        Hostile.asked.append("bool")
        raise RuntimeError

    def __iter__(self) -> Any:
        Hostile.asked.append("iter")
        raise RuntimeError

    def __hash__(self) -> int:
        Hostile.asked.append("hash")
        raise RuntimeError


class Lazy:
    @property
    def model(self) -> Any:
        Hostile.asked.append("property")
        raise RuntimeError


class Items(list):
    def __iter__(self) -> Any:
        Hostile.asked.append("items")
        raise RuntimeError


def test_nothing_of_the_apps_own_is_run():
    Hostile.asked.clear()
    hostile = Hostile()
    found = doctor([hostile, Lazy(), Items([lookup]), {"a": hostile}, lambda: hostile], name="app")
    assert rows(found, FindingStatus.OPEN) == {("tool", "lookup")}
    assert Hostile.asked == []


@pytest.mark.parametrize(
    "x",
    [None, 1, "x", b"x", ..., object(), type, int, len, print, iter([]), types, 1j],
    ids=lambda value: type(value).__name__,
)
def test_odd_objects_give_no_findings_and_no_errors(x):
    assert doctor(x) == []


def test_cycles_end_and_depth_is_bounded():
    ring: list[Any] = [lookup]
    ring.append(ring)
    assert opened(ring) == {("tool", "lookup")}
    deep: list[Any] = [lookup]
    for _ in range(10_000):
        deep = [deep]
    assert opened(deep) == {("node", "the rest")}


def test_a_broken_closure_and_a_recursive_function_are_no_matter():
    def again(n: int) -> Any:
        return again(n - 1) + later

    def use() -> Any:
        return again(1)

    assert opened(use) == set()
    later = model("late")
    assert opened(use) == {("model", "late")}


# everything that objects hold


def _in(made: Any) -> Any:
    return lambda _x: made


def hold_in_a_dict_key(raw: Any) -> Any:
    kept = {raw.bind: 1}
    return lambda x: next(iter(kept))().invoke(x)


def hold_in_a_context_variable(raw: Any, *, as_default: bool) -> Any:
    made: contextvars.ContextVar[Any] = contextvars.ContextVar("m", default=raw if as_default else None)
    if not as_default:
        made.set(raw)
    return lambda x: made.get().invoke(x)


def hold_in_a_thread_local(raw: Any) -> Any:
    made = threading.local()
    made.m = raw
    return lambda x: made.m.invoke(x)


def hold_in_a_generator(raw: Any) -> Any:
    def forever() -> Any:
        mine = raw
        while True:
            yield mine

    made = forever()
    next(made)
    return lambda _x: next(made)


class Noted(dict):
    """A dict with a field."""


def hold_beside_items(raw: Any) -> Any:
    made = Noted()
    made.m = raw
    return lambda x: made.m.invoke(x)


HOLDERS: dict[str, Any] = {
    "namespace": lambda raw: _in(types.SimpleNamespace(m=raw)),
    "user dict": lambda raw: _in(collections.UserDict(m=raw)),
    "weak reference": lambda raw: _in(weakref.WeakValueDictionary(m=raw)),
    "iterator": lambda raw: _in(iter([raw])),
    "builtin method": lambda raw: _in({"m": raw}.get),
    "method caller": lambda raw: _in(operator.methodcaller("bind", raw)),
    "dict key": hold_in_a_dict_key,
    "context variable": functools.partial(hold_in_a_context_variable, as_default=False),
    "default of a context variable": functools.partial(hold_in_a_context_variable, as_default=True),
    "thread local": hold_in_a_thread_local,
    "generator": hold_in_a_generator,
    "field of a dict": hold_beside_items,
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_a_model_is_found_in_whatever_python_keeps_it(world, hold):
    raw = model("raw")
    assert opened(world.halo.guard(model()) | RunnableLambda(hold(raw))) == {("model", "raw")}
    assert opened(RunnableLambda(hold(world.halo.guard(raw)))) == set()


class Moderator(BaseCallbackHandler):
    def __init__(self, llm: Any) -> None:
        self.llm = llm

    def on_chat_model_start(self, *_args: Any, **_kwargs: Any) -> None:
        self.llm.invoke("moderate")


class Wrapped(Runnable):
    """A part of a chain of the app's own."""

    def invoke(self, input: Any, config: Any = None, **_kwargs: Any) -> Any:  # noqa: A002  the framework's name
        return _helper(input)


def test_what_parts_of_a_chain_call_beside_it_is_found(world):
    raw, guarded = model("raw"), world.halo.guard(model())
    prompt = ChatPromptTemplate.from_messages([("user", "{a} {x}")]).partial(a=lambda: raw.invoke("who").text)
    assert opened(prompt | guarded) == {("model", "raw")}
    for part in (guarded.with_config(callbacks=[Moderator(raw)]), model("m", callbacks=[Moderator(raw)])):
        assert ("model", "raw") in opened(part)
    assert opened(Wrapped() | guarded) == {("model", "cheap")}
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    chosen = FewShotPromptTemplate(
        example_selector=SemanticSimilarityExampleSelector(vectorstore=store),
        example_prompt=PromptTemplate.from_template("{a}"),
        suffix="{a}",
        input_variables=["a"],
    )
    assert opened(chosen | guarded) == {("retriever", "similarity_search")}


class Part(BaseModel):
    """Stands for a framework's own part that is no runnable: an agent of `AgentExecutor`, a compressor."""

    runnable: Any


Part.__module__ = "langchain_classic.agents.agent"


def test_parts_of_the_framework_that_are_no_runnables_are_looked_into(world):
    raw = model("raw")
    assert decided_inside(world.halo.guard(Pair(parts=[], llm=Part(runnable=raw)))) == {("model", "raw")}


def test_what_handles_the_errors_of_tools_is_found(world):
    raw, kept = model("raw"), world.halo.guard(lookup)

    def fix(error: Exception) -> str:
        return raw.invoke(str(error)).text

    class Answer(BaseModel):
        words: str

    class Node(ToolNode):
        def _run_one(self, *args: Any, **kwargs: Any) -> Any:
            _helper("before")
            return super()._run_one(*args, **kwargs)

    node = graph_of(ToolNode([kept], handle_tool_errors=fix))
    assert opened(node) == decided_inside(world.halo.guard(node)) == {("model", "raw")}
    assert opened(graph_of(Node([kept]))) == {("model", "cheap")}
    strategy = ToolStrategy(Answer, handle_errors=fix)
    guarded = world.halo.guard(model("m"))
    agent = create_agent(guarded, tools=[kept], middleware=[world.halo.middleware()], response_format=strategy)
    assert opened(agent) == {("model", "raw")}


def test_what_decorated_middleware_calls_is_found(world):
    @dynamic_prompt
    def prompt(_request: Any) -> str:
        return _helper("who").text

    assert opened(create_agent(model("m"), tools=[], middleware=[prompt])) == {("model", "m"), ("model", "cheap")}
    agent = create_agent(model("m"), tools=[], middleware=[prompt, world.halo.middleware()])
    assert one(agent, "cheap").point == "inside a guarded run"


def test_reducers_validators_and_retry_policies_of_a_graph_are_found(world):
    raw = model("raw")

    reduced = TypedDict("Reduced", {"messages": Annotated[list, lambda a, b: [*a, raw.invoke(str(b))]]})  # noqa: UP013

    class Checked(BaseModel):
        messages: list = []

        @field_validator("messages")
        @classmethod
        def check(cls, value: Any) -> Any:
            return _helper(value)

    def again(_error: Exception) -> bool:
        return bool(raw.invoke("?"))

    def app(state: Any, **more: Any) -> Any:
        builder = StateGraph(state)
        builder.add_node("step", world.halo.guard(model()), **more)
        builder.set_entry_point("step")
        return builder.compile(name="app")

    found = one(app(reduced), "raw")
    assert (found.status, found.where) == (FindingStatus.OPEN, "graph `app` > state `messages`")
    assert opened(world.halo.guard(app(reduced))) == {("model", "raw")}
    assert opened(app(Checked)) == {("model", "cheap")}
    assert opened(app(MessagesState, retry_policy=RetryPolicy(retry_on=again))) == {("model", "raw")}
    cached = app(MessagesState, cache_policy=CachePolicy(key_func=lambda x: str(raw.invoke(x))))
    assert ("model", "raw") in opened(cached)


def test_a_model_that_a_guarded_model_calls_is_decided_with_it(world):
    class Router(ScriptedModel):
        inner: Any = None
        shelf: Any = None

    router = Router(script=[], model_name="router", inner=model("inner"), shelf=Shelf())
    assert decided_inside(world.halo.guard(router)) == {("retriever", "shelf"), ("model", "inner")}
    assert opened(router) == {("model", "router"), ("model", "inner"), ("retriever", "shelf")}


def test_data_counts_for_nothing():
    many: list[Any] = [[Document(str(n)) for n in range(1000)], *([n, str(n)] for n in range(60_000)), lookup]
    assert opened(many) == {("tool", "lookup")}


# copies that are guarded no longer


def test_a_copy_that_was_changed_after_it_was_guarded_is_open(world):
    def raw(q: str) -> str:
        """Look."""
        return str(SERVICE.ask(q))

    kept = world.halo.guard(raw)
    assert rows(doctor(kept, name="app"), FindingStatus.OPEN) == set()
    kept.func = raw
    found = one(kept, "raw")
    assert (found.status, found.point) == (FindingStatus.OPEN, "none")
    assert "changed after it was guarded" in found.remedy
    other = world.halo.guard(StructuredTool.from_function(raw, name="other"))
    kept.func = other.func
    assert ("tool", "raw") in opened(kept)
    for thing, method in ((Shelf(), "invoke"), (model(), "_generate"), (lookup, "run")):
        guarded = world.halo.guard(thing)
        assert opened(guarded) == set()
        guarded.__dict__[method] = getattr(thing, method)
        assert len(opened(guarded)) == 1, method
    shelf = world.halo.guard(Shelf())
    object.__setattr__(shelf, "__class__", Shelf)
    assert opened(shelf) == {("retriever", "shelf")}


def test_a_text_model_under_a_callback_is_open(world):
    llm = FakeListLLM(responses=["x"])
    found = one(llm.with_config(callbacks=[world.halo.callback()]), "FakeListLLM")
    assert (found.status, found.point) == (FindingStatus.OPEN, "none")
    assert "halo.guard(model)" in found.remedy
    assert "halo.install()" in found.remedy
    own = FakeListLLM(responses=["x"], callbacks=[world.halo.callback()])
    assert opened(own) == {("model", "FakeListLLM")}
    assert opened(world.halo.guard(llm).with_config(callbacks=[world.halo.callback()])) == set()


def test_a_hand_off_that_the_middleware_decides_and_nobody_granted_is_noted(world):
    def noted(*tools: Any) -> list[str]:
        found = doctor(create_agent(model("m"), tools=list(tools), middleware=[world.halo.middleware()]), name="app")
        assert rows(found, FindingStatus.OPEN) == set()
        return [item.name for item in found if "no passport grants it" in item.remedy]

    assert noted(lookup) == []  # registered when it is called
    assert noted(create_handoff_tool(agent_name="bob")) == ["bob"]


# the rows


def test_a_hand_off_tool_is_closed_by_guarding_its_graph():
    found = one(create_handoff_tool(agent_name="bob"), "bob (by `transfer_to_bob`)")
    assert "halo.guard(graph)" in found.remedy
    assert "halo.guard(tool)" not in found.remedy


def test_what_is_in_two_places_is_one_row_with_both():
    builder = StateGraph(MessagesState)
    for name in ("a", "b"):
        builder.add_node(name, _through if name == "a" else SERVICE.ask)
    builder.set_entry_point("a")
    found = [item for item in doctor(builder.compile(name="app"), name="app") if item.status is FindingStatus.OPEN]
    assert [item.where for item in found] == ["graph `app` > node `a`; graph `app` > node `b`"]
    shared = {f"t{n}": lambda _s: MODELS["cheap"] for n in range(1)}
    many = StateGraph(MessagesState)
    for n in range(7):
        many.add_node(f"n{n}", functools.partial(lambda _step, s: shared["t0"](s), n))
    many.set_entry_point("n0")
    (row,) = [item for item in doctor(many.compile(name="app"), name="app") if item.status is FindingStatus.OPEN]
    assert row.where.endswith("; and 3 more places")
    app = create_supervisor([create_agent(model("b"), tools=[], name="bob")], model=model("boss"))
    assert one(app.compile(name="team"), "b").where == "graph `team` > agent `bob` > node `model`"


def _through(state: Any) -> Any:
    return SERVICE.ask(state)


def test_functions_that_name_each_other_are_read_once(monkeypatch):
    count = 9
    names = [f"f{n}" for n in range(count)]
    source = "\n".join(f"def {name}(s): return ({', '.join(n for n in names if n != name)})" for name in names)
    scope: dict[str, Any] = {"__name__": "app_of_its_own"}
    exec(source, scope)
    read: list[Any] = []
    real = dis.get_instructions
    monkeypatch.setattr(dis, "get_instructions", lambda code, **more: (read.append(code), real(code, **more))[1])
    assert opened(graph_of(scope["f0"])) == set()
    assert len(read) <= 2 * count


def test_rows_are_sorted_worst_first_and_said_once():
    made = [
        Finding(FindingKind.TOOL, "t", "w", "none", status)
        for status in (FindingStatus.NOTED, FindingStatus.CLOSED, FindingStatus.OPEN)
    ]
    assert [item.status for item in sort_findings([*made, *made])] == [
        FindingStatus.OPEN,
        FindingStatus.CLOSED,
        FindingStatus.NOTED,
    ]
    assert summarize_findings(made) == "1 closed, 1 open, 1 noted"
