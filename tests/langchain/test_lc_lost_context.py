"""What is handed a node's configuration, but not its context, acts for nobody; and nobody chooses another's session."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.base import RunnableSerializable
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from pydantic import Field
from typing_extensions import TypedDict

from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Reversal
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

WIPE = Resource(impact=Impact.DELETE, reversal=Reversal.COMPENSATE)
FEW = HandOff(grants={ActionKind.TOOL_CALL: {"look": {}}})
CALL = {"name": "wipe", "args": {"path": "/"}, "id": "c1", "type": "tool_call"}
THREAD = {"configurable": {"thread_id": "t1"}}


HELD: dict[str, Any] = {}
"""Graphs that a node's function finds where no guard looks."""


class State(TypedDict, total=False):
    seen: Annotated[list[str], list.__add__]


class Shelf(BaseRetriever):
    asked: list[str] = Field(default_factory=list)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        self.asked.append(query)
        return []


def wiper(ran: list[str]) -> Any:
    @tool
    def wipe(path: str) -> str:
        """Wipe."""
        ran.append(path)
        return "wiped"

    return wipe


def told(act: Callable[[], Any]) -> list[str]:
    """Why it was refused, or that it was not."""
    try:
        act()
    except Denied as denied:
        return [denied.reason]
    return ["ran"]


def raw(act: Callable[[], Any]) -> Any:
    """In a thread of its own, which no context goes along to."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def fresh(act: Callable[[], Any]) -> Any:
    """In this thread, and in no context that was known before."""
    return contextvars.Context().run(act)


def carried(act: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, act).result()


def team(world: Any, act: Callable[[RunnableConfig], list[str]], *, saver: bool = False, **more: Any) -> Any:
    """A graph with one agent, which may look and not wipe."""

    def worker(state: State, config: RunnableConfig) -> State:
        return {"seen": act(config)}

    graph = StateGraph(State).add_node("worker", worker).add_edge(START, "worker")
    compiled = graph.compile(checkpointer=InMemorySaver() if saver else None)
    return world.halo.guard(compiled, **({"agents": ["worker"], "give": {"worker": FEW}} | more))


WAYS = pytest.mark.parametrize("lost", [raw, fresh], ids=["raw thread", "fresh context"])
SESSIONS = pytest.mark.parametrize("kind", ["thread", "run", "host"])


def seen(graph: Any, world: Any, kind: str) -> Any:
    if kind == "host":
        with world.halo.session("s1"):
            return graph.invoke({"seen": []})["seen"]
    return graph.invoke({"seen": []}, THREAD if kind == "thread" else None)["seen"]


@WAYS
@SESSIONS
def test_a_configuration_handed_to_a_lost_context_gives_no_authority(world, lost, kind):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    graph = team(world, lambda config: lost(lambda: told(lambda: wipe.invoke(CALL, config))), saver=kind == "thread")
    assert seen(graph, world, kind) == ["session_missing"]
    assert ran == []
    assert world.reasons("wipe") == [["session_missing"]]


@WAYS
@SESSIONS
def test_so_does_an_agent_that_is_run_there(world, lost, kind):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    model = world.halo.guard(ScriptedModel(script=[call("so", ("wipe", {"path": "/"}), id="m1")]))
    HELD["inner"] = create_agent(model, [wipe], middleware=[world.halo.middleware()])
    asked = {"messages": [("user", "wipe it")]}

    def act(config: RunnableConfig) -> list[str]:
        return lost(lambda: told(lambda: HELD["inner"].invoke(asked, config)))

    graph = team(world, act, saver=kind == "thread")
    assert seen(graph, world, kind) == ["session_missing"]
    assert ran == []


@WAYS
@pytest.mark.parametrize("guarded", [True, False])
def test_so_does_a_graph_with_a_guarded_tool_in_a_node(world, lost, guarded):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    step = StateGraph(State).add_node("step", lambda _, config: {"seen": told(lambda: wipe.invoke(CALL, config))})
    inner = step.add_edge(START, "step").compile()
    HELD["inner"] = world.halo.guard(inner) if guarded else inner
    graph = team(world, lambda config: lost(lambda: HELD["inner"].invoke({"seen": []}, config)["seen"]))
    assert seen(graph, world, "run") == ["session_missing"]
    assert ran == []


@WAYS
@SESSIONS
def test_models_and_retrievers_are_refused_there_too(world, lost, kind):
    shelf = Shelf()
    find = world.halo.guard(shelf, resource=Resource(impact=Impact.READ, source_trust=900))
    model = world.halo.guard(ScriptedModel(script=[]))

    def act(config: RunnableConfig) -> list[str]:
        return lost(lambda: told(lambda: find.invoke("x", config)) + told(lambda: model.invoke("x", config)))

    graph = team(world, act, saver=kind == "thread", give={})
    assert seen(graph, world, kind) == ["session_missing"] * 2
    assert shelf.asked == []


@WAYS
@SESSIONS
def test_the_callback_decides_for_nobody_there(world, lost, kind):
    ran: list[str] = []
    wipe = wiper(ran)
    world.halo.guard(wipe, resource=WIPE)  # granted

    def act(config: RunnableConfig) -> list[str]:
        return lost(lambda: told(lambda: wipe.invoke(CALL, {**config, "callbacks": [world.halo.callback()]})))

    graph = team(world, act, saver=kind == "thread")
    assert seen(graph, world, kind) == ["session_missing"]
    assert ran == []


@WAYS
def test_an_agent_that_was_handed_to_by_hand_loses_its_link_there_too(world, lost):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    step = StateGraph(State).add_node("step", lambda _, config: {"seen": told(lambda: wipe.invoke(CALL, config))})
    HELD["inner"] = world.halo.guard(step.add_edge(START, "step").compile())

    def act(config: RunnableConfig) -> list[str]:
        with world.halo.hand_off("worker", give=FEW):
            direct = lost(lambda: told(lambda: wipe.invoke(CALL, config)))
            return direct + lost(lambda: HELD["inner"].invoke({"seen": []}, config)["seen"])

    graph = team(world, act, agents=[], give={})
    assert seen(graph, world, "run") == ["session_missing"] * 2
    assert ran == []


@SESSIONS
def test_a_context_that_is_carried_along_acts_as_the_agent(world, kind):
    wipe = world.halo.guard(wiper([]), resource=WIPE)
    look = world.halo.guard(_look(), resource=Resource(impact=Impact.READ, source_trust=900))

    def act(config: RunnableConfig) -> list[str]:
        wiped = carried(lambda: told(lambda: wipe.invoke(CALL, config)))
        return wiped + carried(lambda: told(lambda: look.invoke({}, config)))

    graph = team(world, act, saver=kind == "thread")
    assert seen(graph, world, kind) == ["tool_not_granted", "ran"]
    assert world.decisions("look")[0].body["request"]["subject"]["chain"] == ["desk", "worker"]


def _look() -> Any:
    @tool
    def look() -> str:
        """Look."""
        return "seen"

    return look


def test_a_thread_that_begins_a_request_names_its_session_by_the_thread(world):
    look = world.halo.guard(_look(), resource=Resource(impact=Impact.READ, source_trust=900))
    step = StateGraph(State).add_node("step", lambda _, config: {"seen": told(lambda: look.invoke({}, config))})
    graph = step.add_edge(START, "step").compile(checkpointer=InMemorySaver())
    assert raw(lambda: graph.invoke({"seen": []}, THREAD))["seen"] == ["ran"]
    assert [e.session for e in world.decisions("look")] == ["thread:t1"]


def test_a_thread_that_a_request_starts_names_no_session_by_a_thread_id(world):
    look = world.halo.guard(_look(), resource=Resource(impact=Impact.READ, source_trust=900))
    step = StateGraph(State).add_node("step", lambda _, config: {"seen": told(lambda: look.invoke({}, config))})
    graph = world.halo.guard(step.add_edge(START, "step").compile(checkpointer=InMemorySaver()))
    with world.halo.hand_off("worker", give=HandOff(grants={})):
        assert raw(lambda: graph.invoke({"seen": []}, THREAD))["seen"] == ["session_missing"]
    assert raw(lambda: graph.invoke({"seen": []}, {"configurable": {"thread_id": "t2"}}))["seen"] == ["ran"]


def test_asynchronous_nodes_lose_it_alike(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)

    async def again(config: RunnableConfig) -> list[str]:
        try:
            await wipe.ainvoke(CALL, config)
        except Denied as denied:
            return [denied.reason]
        return ["ran"]

    async def worker(state: State, config: RunnableConfig) -> State:
        loop = asyncio.get_running_loop()
        first = await loop.create_task(again(config), context=contextvars.Context())
        second = await loop.run_in_executor(None, lambda: told(lambda: wipe.invoke(CALL, config)))
        third = await asyncio.to_thread(lambda: told(lambda: wipe.invoke(CALL, config)))
        return {"seen": first + second + third}

    compiled = StateGraph(State).add_node("worker", worker).add_edge(START, "worker").compile()
    graph = world.halo.guard(compiled, agents=["worker"], give={"worker": FEW})
    found = asyncio.run(graph.ainvoke({"seen": []}))["seen"]
    assert found == ["session_missing", "session_missing", "tool_not_granted"]
    assert ran == []


class _Later(RunnableSerializable[Any, Any]):
    """A later part of a node, which LangGraph awaits without a configuration in its context."""

    act: Any

    def invoke(self, input: Any, config: Any = None, **_kwargs: Any) -> Any:  # noqa: A002  the base class's name
        raise NotImplementedError

    async def ainvoke(self, input: Any, config: Any = None, **_kwargs: Any) -> Any:  # noqa: A002  as above
        return {"seen": await self.act(config)}


def _make_later(act: Any) -> Any:
    node = RunnableLambda(lambda state: state) | _Later(act=act)
    return StateGraph(State).add_node("later", node).add_edge(START, "later")


@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize("with_callback", [True, False])
def test_later_parts_of_an_asynchronous_node_act_in_its_run(world, with_callback, threaded):
    shelf, unguarded = Shelf(), ScriptedModel(script=["wet"], model_name="bare")
    find = world.halo.guard(shelf, resource=Resource(impact=Impact.READ, source_trust=900))
    model = unguarded if with_callback else world.halo.guard(unguarded)
    chain = RunnableLambda(lambda _: "rain") | model | RunnableLambda(lambda said: said.text) | find
    node = chain | RunnableLambda(lambda found: {"seen": [str(len(found))]})
    graph = StateGraph(State).add_node("ask", node).add_edge(START, "ask").compile()
    config = {"callbacks": [world.halo.callback()]} if with_callback else {}
    found = asyncio.run(graph.ainvoke({"seen": []}, {**config, **(THREAD if threaded else {})}))
    assert (found["seen"], shelf.asked) == (["0"], ["wet"])
    assert len({entry.session for entry in world.decisions()}) == 1


async def _told_in(context: contextvars.Context, wipe: Any, config: RunnableConfig) -> str:
    """Why a call in a context is refused, or that it is not."""
    try:
        await asyncio.get_running_loop().create_task(wipe.ainvoke(CALL, config), context=context)
    except Denied as denied:
        return denied.reason
    return "ran"


def test_a_later_part_that_was_handed_to_and_lost_its_link_acts_for_nobody(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)

    async def act(config: RunnableConfig) -> list[str]:
        kept = contextvars.copy_context()  # from before the hand-off, in the same run

        def hand_off() -> list[str]:
            with world.halo.hand_off("worker", give=FEW):
                linked = told(lambda: wipe.invoke(CALL, config))
                return linked + kept.run(lambda: told(lambda: wipe.invoke(CALL, config)))

        return await asyncio.to_thread(hand_off)

    found = asyncio.run(_make_later(act).compile().ainvoke({"seen": []}))
    assert found["seen"] == ["tool_not_granted", "session_missing"]
    assert ran == []


def test_a_later_part_that_loses_its_context_acts_for_nobody(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)

    async def act(config: RunnableConfig) -> list[str]:
        return [await _told_in(contextvars.Context(), wipe, config)]

    assert asyncio.run(_make_later(act).compile().ainvoke({"seen": []}))["seen"] == ["session_missing"]
    assert ran == []


def test_a_graph_that_is_one_agent_loses_it_alike(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    graph = team(
        world, lambda config: raw(lambda: told(lambda: wipe.invoke(CALL, config))), agents=[], give={}, agent="team"
    )
    assert seen(graph, world, "run") == ["session_missing"]
    assert ran == []


# sessions that are not one's own


def test_an_agent_that_was_handed_to_opens_no_session(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    codes: list[str] = []

    def act(config: RunnableConfig) -> list[str]:
        with pytest.raises(ConfigError) as refused, world.halo.session(user="ana"):
            wipe.invoke(CALL, config)
        codes.append(refused.value.code)
        with world.halo.session("thread:t1"):
            return told(lambda: wipe.invoke(CALL, config))

    assert seen(team(world, act, saver=True), world, "thread") == ["tool_not_granted"]
    assert codes == ["session_inside_agent"]
    assert ran == []


def test_nor_does_a_thread_id_take_it_out_of_its_session(world):
    ran: list[str] = []
    wipe = world.halo.guard(wiper(ran), resource=WIPE)
    graph = team(world, lambda config: told(lambda: wipe.invoke(CALL, config)), agents=[], give={}, saver=True)
    with world.halo.hand_off("worker", give=FEW):
        assert told(lambda: wipe.invoke(CALL, THREAD)) == ["tool_not_granted"]
        assert seen(graph, world, "thread") == ["tool_not_granted"]
    assert ran == []


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("thread", [True, False])
def test_a_caller_chooses_nobodys_session(world, guarded, thread):
    look = world.halo.guard(_look(), resource=Resource(impact=Impact.READ, source_trust=900))
    step = StateGraph(State).add_node("step", lambda _, config: {"seen": told(lambda: look.invoke({}, config))})
    graph: Any = step.add_edge(START, "step").compile()
    graph = world.halo.guard(graph) if guarded else graph
    graph.invoke(
        {"seen": []}, {"configurable": {"__halo_session": "thread:ana"} | ({"thread_id": "eve"} if thread else {})}
    )
    (decided,) = world.decisions("look")
    assert decided.session == "thread:eve" if thread else decided.session.startswith("run-")
