"""Every way into an agent of a guarded graph is a hand-off that somebody may make, or nothing runs."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, StateUpdate, interrupt
from typing_extensions import TypedDict

from halo_core.enforcement.delegation import register_agent_resource
from halo_core.errors import Denied, Pending
from halo_core.model import ActionKind, Budget, EntryKind, Impact
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel

READ = Resource(impact=Impact.READ, source_trust=900)


def joined(left: list[str], right: list[str]) -> list[str]:
    return [*left, *right]


class State(TypedDict, total=False):
    seen: Annotated[list[str], joined]


class Graph:
    """A graph of functions that say who ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.builder = StateGraph(State)

    def node(self, name: str, result: Any = None) -> Graph:
        def act(state: State) -> Any:
            self.ran.append(name)
            return result(state) if callable(result) else ({} if result is None else result)

        self.builder.add_node(name, act)
        return self

    def edge(self, *names: str) -> Graph:
        for start, end in pairwise(names):
            self.builder.add_edge(start, end)
        return self

    def compiled(self, **options: Any) -> Any:
        return self.builder.compile(**options)


def go(graph: Any, given: Any, *, how: str = "invoke", config: Any = None) -> Any:
    async def drain() -> list[Any]:
        return [part async for part in graph.astream(given, config)]

    async def events() -> list[Any]:
        return [part async for part in graph.astream_events(given, config, version="v2")]

    ways: dict[str, Any] = {
        "invoke": lambda: graph.invoke(given, config),
        "ainvoke": lambda: asyncio.run(graph.ainvoke(given, config)),
        "stream": lambda: list(graph.stream(given, config, stream_mode="values")),
        "astream": lambda: asyncio.run(drain()),
        "astream_events": lambda: asyncio.run(events()),
        "batch": lambda: graph.batch([given], config),
        "abatch": lambda: asyncio.run(graph.abatch([given], config)),
        "stream_events": lambda: list(graph.stream_events(given, config, version="v3")),
    }
    return ways[how]()


WAYS = ["invoke", "ainvoke", "stream", "astream", "astream_events", "batch", "abatch", "stream_events"]
BOTH = ["invoke", "ainvoke"]


# from outside


@pytest.mark.matrix
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("goto", ["priv", Send("priv", {}), ["worker", "priv"]])
def test_nobody_enters_from_outside_at_a_node_that_is_no_agent(world, goto, how):
    graph = Graph().node("worker").node("priv").edge(START, "worker")
    guarded = world.halo.guard(graph.compiled(), agents=["worker"])
    with pytest.raises(Denied) as denied:
        go(guarded, Command(goto=goto), how=how)
    assert denied.value.reason == "foreign_goto"
    assert graph.ran == []
    assert world.reasons("priv") == [["foreign_goto"]]


@pytest.mark.parametrize("how", WAYS)
def test_from_outside_an_agent_is_entered_by_a_hand_off(world, how):
    graph = Graph().node("start").node("worker").edge(START, "start")
    go(world.halo.guard(graph.compiled(), agents=["worker"]), Command(goto="worker"), how=how)
    assert graph.ran.count("worker") == 1
    assert world.effects("worker") == ["allow"]


@pytest.mark.matrix
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("goto", ["worker", Send("worker", {})])
def test_from_outside_an_agent_that_is_not_granted_does_not_run(make_world, goto, how):
    world = make_world(grants={})
    graph = Graph().node("start").node("worker").edge(START, "start")
    with pytest.raises(Denied) as denied:
        go(world.halo.guard(graph.compiled(), agents=["worker"]), Command(goto=goto), how=how)
    assert denied.value.reason == "handoff_not_allowed"
    assert "worker" not in graph.ran


def test_an_end_an_update_and_an_answer_from_outside_pass(world):
    graph = Graph().node("ask", lambda _: {"seen": [interrupt("who?")]}).edge(START, "ask")
    guarded = world.halo.guard(graph.compiled(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}
    guarded.invoke({"seen": []}, config)
    assert guarded.invoke(Command(resume="me", update={"seen": ["more"]}), config)["seen"] == ["more", "me"]
    guarded.invoke(Command(goto=END, update={"seen": ["last"]}), config)
    assert world.decisions() == []


@pytest.mark.parametrize("awaited", [False, True])
def test_what_a_host_writes_into_the_state_does_not_say_what_runs_next(world, awaited):
    graph = Graph().node("start").node("priv").edge(START, "start")
    guarded = world.halo.guard(graph.compiled(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}
    guarded.invoke({"seen": []}, config)
    write = {"config": config, "values": Command(goto="priv"), "as_node": "start"}
    with pytest.raises(Denied) as denied:
        asyncio.run(guarded.aupdate_state(**write)) if awaited else guarded.update_state(**write)
    assert denied.value.reason == "foreign_goto"
    guarded.update_state(config, {"seen": ["more"]}, as_node="start")
    guarded.invoke(None, config)
    assert graph.ran == ["start"]


SMUGGLED: dict[str, Any] = {
    "a branch": {"branch:to:priv": None},
    "a branch, beside the state": {"seen": ["x"], "branch:to:priv": None},
    "a branch in pairs": [("branch:to:priv", None)],
    "a task": [("__pregel_tasks", Send("priv", {}))],
    "a branch to an agent": {"branch:to:worker": None},
    "a channel of the framework's": {"__start__": {"seen": []}},
    "nothing that is there": {"elsewhere": 1},
}


@pytest.mark.matrix
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("update", SMUGGLED)
def test_an_update_from_outside_writes_nothing_but_the_state(world, update, how):
    graph = Graph().node("start").node("worker").node("priv").edge(START, "start")
    guarded = world.halo.guard(graph.compiled(), agents=["worker"])
    with pytest.raises(Denied) as denied:
        go(guarded, Command(update=SMUGGLED[update]), how=how)
    assert denied.value.reason == "foreign_goto"
    assert graph.ran == []


@pytest.mark.parametrize("update", SMUGGLED)
def test_nor_does_one_that_comes_with_an_answer(world, update):
    graph = Graph().node("ask", lambda _: {"seen": [interrupt("who?")]}).node("worker").node("priv").edge(START, "ask")
    guarded = world.halo.guard(graph.compiled(checkpointer=InMemorySaver()), agents=["worker"])
    config = {"configurable": {"thread_id": "1"}}
    guarded.invoke({"seen": []}, config)
    with pytest.raises(Denied):
        guarded.invoke(Command(resume="me", update=SMUGGLED[update]), config)
    assert graph.ran == ["ask"]


@pytest.mark.parametrize("key", ["jump_to", "halo_session"])
def test_an_update_from_outside_writes_no_private_key_of_an_agent(world, key):
    agent = create_agent(ScriptedModel(script=[]), [world.halo.guard(_reader())], middleware=[world.halo.middleware()])
    guarded = world.halo.guard(agent)
    with pytest.raises(Denied) as denied:
        guarded.invoke(Command(update={key: "tools"}))
    assert denied.value.reason == "foreign_goto"
    assert guarded.invoke(Command(update={"messages": [("user", "x")]}, goto=END))["messages"][0].text == "x"


def test_an_update_from_outside_writes_a_state_that_is_no_mapping(world):
    builder = StateGraph(Annotated[list, joined]).add_node("start", lambda _: ["ran"]).add_edge(START, "start")
    guarded = world.halo.guard(builder.compile(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "1"}}
    guarded.invoke(["first"], config)
    assert guarded.invoke(Command(update=["x"]), config) == ["first", "ran", "x"]


@pytest.mark.matrix
@pytest.mark.parametrize("update", SMUGGLED)
@pytest.mark.parametrize("form", ["a command", "commands", "values"])
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("bulk", [False, True])
def test_what_a_host_writes_into_the_state_reaches_nothing_else(world, update, form, awaited, bulk):
    graph = Graph().node("start").node("worker").node("priv").edge(START, "start")
    guarded = world.halo.guard(graph.compiled(checkpointer=InMemorySaver()), agents=["worker"])
    config = {"configurable": {"thread_id": "1"}}
    guarded.invoke({"seen": []}, config)
    told = SMUGGLED[update]
    values = {"a command": Command(update=told), "commands": [Command(), Command(update=told)], "values": dict(told)}[
        form
    ]
    calls: dict[tuple[bool, bool], Any] = {
        (False, False): lambda: guarded.update_state(config, values, as_node="start"),
        (True, False): lambda: asyncio.run(guarded.aupdate_state(config, values, as_node="start")),
        (False, True): lambda: guarded.bulk_update_state(config, [[StateUpdate(values, "start", None)]]),
        (True, True): lambda: asyncio.run(guarded.abulk_update_state(config, [[StateUpdate(values, "start", None)]])),
    }
    if form == "values":  # LangGraph itself writes no other key
        calls[awaited, bulk]()
    else:
        with pytest.raises(Denied) as denied:
            calls[awaited, bulk]()
        assert denied.value.reason == "foreign_goto"
    guarded.invoke(None, config)
    assert graph.ran == ["start"]


def test_observe_mode_records_a_foreign_entry_and_lets_it_be(make_world):
    world = make_world("observe")
    graph = Graph().node("start").node("priv").edge(START, "start")
    world.halo.guard(graph.compiled()).invoke(Command(goto="priv"))
    assert "priv" in graph.ran
    assert world.reasons("priv") == [["foreign_goto"]]


# inside


ROUTES: dict[str, Any] = {
    "edge": lambda g: g.edge(START, "start", "worker"),
    "command": lambda g: g.edge(START, "jump"),
    "send": lambda g: g.edge(START, "fan"),
    "branch": lambda g: g.builder.add_conditional_edges(START, lambda _: "worker"),
    "branch of sends": lambda g: g.builder.add_conditional_edges(START, lambda _: [Send("worker", {})]),
}


def routed(route: str) -> Graph:
    graph = Graph().node("start").node("worker").node("jump", Command(goto="worker"))
    graph.node("fan", Command(goto=[Send("worker", {})] * 3))
    ROUTES[route](graph)
    return graph


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("route", ROUTES)
def test_however_the_graph_comes_there_the_agent_is_entered(world, route, how):
    graph = routed(route)
    go(world.halo.guard(graph.compiled(), agents=["worker"]), {"seen": []}, how=how)
    times = 3 if route == "send" else 1
    assert graph.ran.count("worker") == times
    assert world.effects("worker") == ["allow"] * times


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("route", ROUTES)
def test_however_the_graph_comes_there_an_agent_that_is_not_granted_does_not_run(make_world, route, how):
    world = make_world(grants={})
    graph = routed(route)
    with pytest.raises(Denied):
        go(world.halo.guard(graph.compiled(), agents=["worker"]), {"seen": []}, how=how)
    assert "worker" not in graph.ran


@pytest.mark.parametrize("how", BOTH)
def test_three_that_run_side_by_side_each_act_under_a_link_of_their_own(world, how):
    read = world.halo.guard(_reader(), resource=READ)
    graph = Graph().node("fan", Command(goto=[Send("worker", {})] * 3)).edge(START, "fan")
    graph.node("worker", lambda _: {"seen": [read.invoke({"x": "a"})]})
    result = go(world.halo.guard(graph.compiled(), agents=["worker"]), {"seen": []}, how=how)
    assert result["seen"] == ["read"] * 3
    assert {tuple(e.body["request"]["subject"]["chain"]) for e in world.decisions("read")} == {("desk", "worker")}
    assert len(world.entries(EntryKind.HANDBACK)) == 3


def _reader() -> Any:
    @tool
    def read(x: str) -> str:
        """Read."""
        return "read"

    return read


# out of an agent

LEAVES: dict[str, Any] = {
    "command": Command(goto="bob"),
    "commands": [Command(update={"seen": ["x"]}), Command(goto=["bob"])],
    "send": Command(goto=[Send("bob", {})]),
}


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("leaves", LEAVES)
def test_an_agent_hands_on_only_to_whom_it_may(world, leaves, how):
    graph = Graph().node("alice", lambda _: LEAVES[leaves]).node("bob").edge(START, "alice")
    guarded = world.halo.guard(graph.compiled(), agents=["alice", "bob"], give={"alice": HandOff(to=())})
    with pytest.raises(Denied) as denied:
        go(guarded, {"seen": []}, how=how)
    assert denied.value.reason == "handoff_not_allowed"
    assert graph.ran == ["alice"]
    assert [e.body["request"]["subject"]["agent"] for e in world.decisions("bob")] == ["alice"]


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("leaves", LEAVES)
def test_what_an_agent_hands_on_is_below_its_own(world, leaves, how):
    read = world.halo.guard(_reader(), resource=READ)
    graph = Graph().node("alice", lambda _: LEAVES[leaves]).edge(START, "alice")
    graph.node("bob", lambda _: {"seen": [read.invoke({"x": "a"})]})
    go(world.halo.guard(graph.compiled(), agents=["alice", "bob"]), {"seen": []}, how=how)
    (decided,) = world.decisions("read")
    assert decided.body["request"]["subject"]["chain"] == ["desk", "alice", "bob"]


@pytest.mark.parametrize("how", BOTH)
def test_terms_narrow_what_an_agent_may(world, how):
    read = world.halo.guard(_reader(), resource=READ)
    graph = Graph().node("alice", lambda _: {"seen": [read.invoke({"x": "a"})]}).edge(START, "alice")
    none = HandOff(grants={ActionKind.TOOL_CALL: {}})
    with pytest.raises(Denied) as denied:
        go(world.halo.guard(graph.compiled(), agents=["alice"], give={"alice": none}), {"seen": []}, how=how)
    assert denied.value.reason == "tool_not_granted"


def _parent(target: Any) -> Any:
    """A graph whose only node leaves it for the graph above."""
    inner = StateGraph(State).add_node("work", lambda _: Command(graph=Command.PARENT, goto=target))
    return inner.add_edge(START, "work").compile()


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("target", ["bob", [Send("bob", {})]])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_command_for_the_graph_above_is_a_hand_off_too(world, target, how, allowed):
    graph = Graph().node("bob")
    graph.builder.add_node("alice", _parent(target))
    graph.edge(START, "alice")
    give = {} if allowed else {"alice": HandOff(to=())}
    guarded = world.halo.guard(graph.compiled(), agents=["bob"], give=give)
    if allowed:
        go(guarded, {"seen": []}, how=how)
        assert [e.body["request"]["subject"]["chain"] for e in world.decisions("bob")] == [
            ["desk", "alice"],
            ["desk", "alice", "bob"],
        ]
    else:
        with pytest.raises(Denied):
            go(guarded, {"seen": []}, how=how)
    assert graph.ran == (["bob"] if allowed else [])


@pytest.mark.parametrize("how", BOTH)
def test_a_command_for_a_graph_further_up_is_not_taken_for_a_node_of_the_same_name_here(world, how):
    def leave(state: State) -> Any:
        raise ParentCommand(Command(graph="team", goto="bob"))

    def leaf(name: str, act: Any) -> Any:
        return StateGraph(State).add_node("work", act).add_edge(START, "work").compile(name=name)

    team = StateGraph(State).add_node("alice", leaf("alice", leave)).add_node("bob", leaf("bob", lambda _: {}))
    graph = Graph().node("bob", {"seen": ["outer bob"]})
    graph.builder.add_node("team", team.add_edge(START, "alice").compile())
    graph.edge(START, "team")
    result = go(world.halo.guard(graph.compiled(), agents=["bob"]), {"seen": []}, how=how)
    assert result["seen"] == ["outer bob"]
    assert [e.body["request"]["subject"]["chain"] for e in world.decisions("bob")] == [
        ["desk", "team"],
        ["desk", "team", "bob"],
    ]


@pytest.mark.parametrize("how", BOTH)
def test_agents_of_a_graph_inside_are_entered_below_the_one_that_holds_it(world, how):
    inner = StateGraph(State).add_node(
        "clerk", StateGraph(State).add_node("w", lambda _: {}).add_edge(START, "w").compile()
    )
    team = inner.add_edge(START, "clerk").compile()
    graph = StateGraph(State).add_node("team", team).add_edge(START, "team").compile()
    go(world.halo.guard(graph), {"seen": []}, how=how)
    assert [e.body["request"]["subject"]["chain"] for e in world.decisions("clerk")] == [["desk", "team"]]


# round and round

FEW = HandOff(budgets=(Budget("step", 6, 6),))


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("loop", [("alice",), ("alice", "bob")])
def test_going_round_gains_nothing(world, loop, how):
    graph = Graph().edge(START, "alice")
    for name, following in zip(loop, [*loop[1:], loop[0]], strict=True):
        graph.node(name, Command(goto=following))
    guarded = world.halo.guard(graph.compiled(), agents=loop, give={"alice": FEW})
    with pytest.raises(Denied) as denied:
        go(guarded, {"seen": []}, how=how, config={"recursion_limit": 50})
    assert denied.value.reason == "budget_exceeded"
    handles = {
        e.body["handle"]
        for e in world.entries(EntryKind.PASSPORT)
        if e.body.get("agent") == "alice" and "handle" in e.body
    }
    assert len(handles) == 1


@pytest.mark.parametrize("how", BOTH)
def test_handing_back_ends_what_was_below(world, how):
    turns = iter([Command(goto="bob"), Command(goto=END)])
    graph = Graph().node("alice", lambda _: next(turns)).node("bob", Command(goto="alice")).edge(START, "alice")
    go(world.halo.guard(graph.compiled(), agents=["alice", "bob"]), {"seen": []}, how=how)
    assert graph.ran == ["alice", "bob", "alice"]
    closed = [[item["agent"] for item in e.body["closed"]] for e in world.entries(EntryKind.HANDBACK)]
    assert closed == [["bob"]]


# challenges at the door

ASKED = Resource(impact=Impact.READ, labels=("asked",), kind=ActionKind.HANDOFF)


def asked_world(world: Any, **options: Any) -> tuple[Graph, Any]:
    graph = Graph().node("worker").edge(START, "worker")
    register_agent_resource(world.halo, "worker", ASKED)
    return graph, world.halo.guard(graph.compiled(**options), agents=["worker"])


@pytest.mark.parametrize("how", BOTH)
def test_an_entry_that_somebody_must_approve_pauses_the_graph(world, how):
    graph, guarded = asked_world(world, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    result = go(guarded, {"seen": []}, how=how, config=config)
    assert result["__interrupt__"][0].value["type"] == "halo_challenge"
    assert result["__interrupt__"][0].value["resource"] == "worker"
    assert graph.ran == []
    again = go(guarded, Command(resume="look again"), how=how, config=config)
    assert again["__interrupt__"]
    with pytest.raises(Denied) as denied:
        go(guarded, Command(resume={"type": "reject"}), how=how, config=config)
    assert denied.value.reason == "challenge_withdrawn"
    assert graph.ran == []


def test_without_a_checkpointer_the_pause_goes_to_the_caller(world):
    graph, guarded = asked_world(world)
    with pytest.raises(Pending):
        guarded.invoke({"seen": []})
    assert graph.ran == []


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("said", [False, True])
def test_what_is_guarded_while_an_agent_acts_is_its_own_only_where_nobody_said_less(world, said, how):
    """A model is registered on first sight, in the middle of a run; explicit terms hold what they held."""

    def act(state: State) -> dict[str, Any]:
        late = world.halo.guard(_reader(), resource=READ)
        return {"seen": [late.invoke({"x": "a"})]}

    async def aact(state: State) -> dict[str, Any]:
        late = world.halo.guard(_reader(), resource=READ)
        return {"seen": [await late.ainvoke({"x": "a"})]}

    register_agent_resource(world.halo, "worker")
    everything = HandOff(grants=world.halo._registry.build_grants(None))
    graph = StateGraph(State).add_node("worker", act if how == "invoke" else aact).add_edge(START, "worker").compile()
    guarded = world.halo.guard(graph, agents=["worker"], give={"worker": everything} if said else None)
    if said:
        with pytest.raises(Denied) as denied:
            go(guarded, {"seen": []}, how=how)
        assert denied.value.reason == "tool_not_granted"
    else:
        assert go(guarded, {"seen": []}, how=how)["seen"] == ["read"]
