"""A graph that is itself an agent: to run it anywhere is a hand-off, and nobody else ever acts as it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from halo_core.errors import Denied
from halo_core.model import ActionKind, EntryKind, Impact
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900)
BOTH = pytest.mark.parametrize("awaited", [False, True])
GIVEN: dict[str, Any] = {"messages": [("user", "hi")]}


@tool
def look(what: str) -> str:
    """Look something up."""
    return "seen"


LOOK = call("look", ("look", {"what": "x"}), id="r1")


def research(world: Any, **options: Any) -> Any:
    graph = create_agent(
        ScriptedModel(script=[LOOK, AIMessage("found")], model_name="model of research"),
        tools=[world.halo.guard(look, resource=READ)],
        middleware=[world.halo.middleware()],
        name="research",
    )
    return world.halo.guard(graph, agent="research", **options)


def chains(world: Any, name: str) -> list[list[str]]:
    return [e.body["request"]["subject"]["chain"] for e in world.decisions(name)]


async def drain(parts: Any) -> list[Any]:
    return [part async for part in parts]


WAYS: dict[str, Any] = {
    "invoke": lambda g: g.invoke(GIVEN),
    "ainvoke": lambda g: asyncio.run(g.ainvoke(GIVEN)),
    "stream": lambda g: list(g.stream(GIVEN)),
    "astream": lambda g: asyncio.run(drain(g.astream(GIVEN))),
    "astream_events": lambda g: asyncio.run(drain(g.astream_events(GIVEN, version="v2"))),
    "stream_events": lambda g: list(g.stream_events(GIVEN, version="v3")),
    "batch": lambda g: g.batch([GIVEN]),
    "abatch": lambda g: asyncio.run(g.abatch([GIVEN])),
    "piped": lambda g: (g | (lambda state: state)).invoke(GIVEN),
    "configured": lambda g: g.with_config(tags=["x"]).invoke(GIVEN),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_run_what_is_inside_acts_as_the_agent(world, way):
    WAYS[way](research(world))
    assert chains(world, "research") == [["desk"]]
    assert chains(world, "look") == [["desk", "research"]]
    assert len(world.entries(EntryKind.HANDBACK)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_run_it_does_not_where_nobody_may_hand_off_to_it(make_world, way):
    world = make_world(grants={})
    with pytest.raises(Denied) as denied:
        WAYS[way](research(world))
    assert denied.value.reason == "handoff_not_allowed"
    assert chains(world, "look") == []


def boss(world: Any, tools: list[Any], *script: AIMessage) -> Any:
    return create_agent(
        ScriptedModel(script=list(script), model_name="model of boss"),
        tools=world.halo.guard(tools, resource=READ),
        middleware=[world.halo.middleware()],
        name="boss",
    )


@BOTH
def test_as_a_tool_of_another_agent_it_acts_below_that_one(world, awaited):
    sub = research(world)

    @tool
    async def asks(question: str) -> str:
        """Ask the researcher."""
        return (await sub.ainvoke({"messages": [("user", question)]}))["messages"][-1].text

    @tool("asks")
    def asks_now(question: str) -> str:
        """Ask the researcher."""
        return sub.invoke({"messages": [("user", question)]})["messages"][-1].text

    twice = call("ask", ("asks", {"question": "a"}), ("asks", {"question": "b"}), id="m")
    graph = StateGraph(MessagesState).add_node("boss", boss(world, [asks if awaited else asks_now], twice))
    guarded = world.halo.guard(graph.add_edge(START, "boss").compile())
    result = asyncio.run(guarded.ainvoke(GIVEN)) if awaited else guarded.invoke(GIVEN)
    assert [m.text for m in result["messages"]].count("found") == 2
    assert chains(world, "look") == [["desk", "boss", "research"]] * 2
    assert chains(world, "asks") == [["desk", "boss"]] * 2


@BOTH
def test_as_a_tool_it_does_not_run_where_its_asker_may_not_hand_off(world, awaited):
    sub = research(world)

    @tool
    async def asks(question: str) -> str:
        """Ask the researcher."""
        return str(await sub.ainvoke({"messages": [("user", question)]}))

    @tool("asks")
    def asks_now(question: str) -> str:
        """Ask the researcher."""
        return str(sub.invoke({"messages": [("user", question)]}))

    one = call("ask", ("asks", {"question": "a"}), id="m")
    graph = StateGraph(MessagesState).add_node("boss", boss(world, [asks if awaited else asks_now], one))
    guarded = world.halo.guard(graph.add_edge(START, "boss").compile(), give={"boss": HandOff(to=())})
    result = asyncio.run(guarded.ainvoke(GIVEN)) if awaited else guarded.invoke(GIVEN)
    assert any("handoff_not_allowed" in m.text for m in result["messages"])
    assert chains(world, "look") == []


def test_as_a_node_of_the_same_name_it_is_entered_once(world):
    graph = StateGraph(MessagesState).add_node("research", research(world)).add_edge(START, "research").compile()
    world.halo.guard(graph).invoke(GIVEN)
    assert chains(world, "research") == [["desk"]]
    assert chains(world, "look") == [["desk", "research"]]


def test_terms_of_the_agent_hold(world):
    nothing = HandOff(grants={ActionKind.TOOL_CALL: {}})
    with pytest.raises(Denied):  # not even its model
        research(world, give={"research": nothing}).invoke(GIVEN)
    assert chains(world, "look") == []


# between two parts of a stream


def test_whoever_reads_a_stream_does_not_act_as_the_agent_meanwhile(world):
    with world.halo.session("s"):
        for _ in research(world).stream(GIVEN):
            assert world.halo.find_acting_agent() == "desk"
        assert world.halo.find_acting_agent() == "desk"


async def test_whoever_reads_an_asynchronous_stream_does_not_act_as_the_agent_meanwhile(world):
    with world.halo.session("s"):
        async for _ in research(world).astream(GIVEN):
            assert world.halo.find_acting_agent() == "desk"


def test_a_stream_that_is_given_up_hands_back(world):
    with world.halo.session("s"):
        parts = research(world).stream(GIVEN)
        next(parts)
        parts.close()
        assert world.halo.find_acting_agent() == "desk"
    assert len(world.entries(EntryKind.HANDBACK)) == 1


async def test_an_asynchronous_stream_that_is_given_up_or_cancelled_hands_back(world):
    with world.halo.session("s"):
        parts = research(world).astream(GIVEN)
        await anext(parts)
        await parts.aclose()

        started = asyncio.Event()

        async def read() -> None:
            async for _ in research(world).astream(GIVEN):
                started.set()
                await asyncio.sleep(30)

        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.halo.find_acting_agent() == "desk"
    for _ in range(100):
        if len(world.entries(EntryKind.HANDBACK)) == 2:
            break
        await asyncio.sleep(0.01)
    assert len(world.entries(EntryKind.HANDBACK)) == 2


async def test_two_streams_side_by_side_do_not_see_each_other(world):
    async def one(session: str) -> None:
        with world.halo.session(session):
            async for _ in research(world).astream(GIVEN):
                await asyncio.sleep(0)

    await asyncio.gather(one("a"), one("b"))
    assert sorted(e.session for e in world.decisions("look")) == ["a", "b"]


def test_it_pauses_and_goes_on(world):
    graph = StateGraph(MessagesState).add_node("ask", lambda _: {"messages": [("ai", interrupt("who?"))]})
    guarded = world.halo.guard(graph.add_edge(START, "ask").compile(checkpointer=InMemorySaver()), agent="research")
    config = {"configurable": {"thread_id": "1"}}
    assert guarded.invoke(GIVEN, config)["__interrupt__"][0].value == "who?"
    assert guarded.invoke(Command(resume="me"), config)["messages"][-1].text == "me"
    assert chains(world, "research") == [["desk"], ["desk"]]
