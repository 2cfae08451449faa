"""Names that two levels of a graph share, and agents that two others hand on to at once: nobody gains by either."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send
from langgraph_supervisor import create_supervisor
from typing_extensions import TypedDict

from halo_core.errors import Denied
from halo_core.model import ActionKind, Constraint, Impact, Reversal
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900)
WIPE = Resource(impact=Impact.DELETE, reversal=Reversal.COMPENSATE)
WILD = {"**": Constraint.anything()}
BOTH = pytest.mark.parametrize("awaited", [False, True])


def joined(left: list[str], right: list[str]) -> list[str]:
    return [*left, *right]


class State(TypedDict, total=False):
    seen: Annotated[list[str], joined]
    by: str


class Disk:
    """A tool that some may use and others may not."""

    def __init__(self, halo: Any) -> None:
        self.wiped: list[str] = []

        @tool
        def wipe(path: str) -> str:
            """Wipe a path."""
            self.wiped.append(path)
            return "wiped"

        @tool
        def look(q: str) -> str:
            """Look."""
            return q

        self.wipe, self.look = halo.guard(wipe, resource=WIPE), halo.guard(look, resource=READ)

    def node(self, state: State) -> dict[str, Any]:
        """Try to wipe."""
        try:
            self.wipe.invoke({"path": state.get("by", "/")})
        except Denied as denied:
            return {"seen": [denied.reason]}
        return {"seen": ["wiped"]}


def few(*to: str) -> HandOff:
    return HandOff(
        grants={ActionKind.TOOL_CALL: {"look": WILD}, ActionKind.HANDOFF: dict.fromkeys(to, WILD)},
        to=None if to else (),
    )


def run(graph: Any, given: Any, *, awaited: bool, **config: Any) -> Any:
    return asyncio.run(graph.ainvoke(given, config)) if awaited else graph.invoke(given, config)


def chains(world: Any, name: str) -> list[list[str]]:
    return [entry.body["request"]["subject"]["chain"] for entry in world.decisions(name)]


def nested(disk: Disk, name: str) -> Any:
    """alice → bob, who holds a graph that holds an agent called `name`."""
    core = StateGraph(State).add_node("act", disk.node).add_edge(START, "act").compile()
    bob = StateGraph(State).add_node(name, core).add_edge(START, name).compile()
    builder = StateGraph(State).add_node("alice", lambda _: Command(goto="bob"), destinations=("bob",))
    return builder.add_node("bob", bob).add_edge(START, "alice").compile()


# names


@BOTH
@pytest.mark.parametrize("name", ["alice", "desk", "carol"])
def test_an_agent_inside_a_narrowed_one_has_no_more_under_any_name(world, name, awaited):
    disk = Disk(world.halo)
    guarded = world.halo.guard(nested(disk, name), agents=["alice"], give={"bob": few(name)})
    assert run(guarded, {"seen": []}, awaited=awaited)["seen"] == ["tool_not_granted"]
    assert disk.wiped == []
    own = [] if name != "carol" else ["carol"]
    assert chains(world, "wipe") == [["desk", "alice", "bob", *own]]


@BOTH
@pytest.mark.parametrize("name", ["alice", "desk"])
def test_less_for_a_name_that_is_taken_is_refused(world, name, awaited):
    disk = Disk(world.halo)
    guarded = world.halo.guard(nested(disk, name), agents=["alice"], give={name: HandOff(to=("bob",))})
    with pytest.raises(Denied) as denied:
        run(guarded, {"seen": []}, awaited=awaited)
    assert denied.value.reason == "agent_name_taken"
    assert disk.wiped == []


def boss(name: str, *script: AIMessage) -> Any:
    return ScriptedModel(script=list(script), model_name=f"model of {name}")


@BOTH
def test_teams_whose_supervisors_bear_the_same_name_work(world, awaited):
    disk = Disk(world.halo)
    looks = call("look", ("look", {"q": "x"}), id="look")
    worker = create_agent(
        boss("worker", AIMessage("unused"), AIMessage("unused"), looks, AIMessage("word", id="w")),
        tools=[disk.look],
        middleware=[world.halo.middleware()],
        name="worker",
    )
    inside = call("over to you", ("transfer_to_worker", {}), id="i1")
    team = create_supervisor([worker], model=boss("inner", AIMessage("unused"), inside)).compile(name="team")
    outside = call("over to you", ("transfer_to_team", {}), id="o1")
    graph = create_supervisor([world.halo.guard(team)], model=boss("outer", outside)).compile()
    run(world.halo.guard(graph), {"messages": [("user", "hi")]}, awaited=awaited, recursion_limit=30)
    assert chains(world, "look") == [["desk", "supervisor", "team", "worker"]]
    assert [chain for chain in chains(world, "worker") if chain[-1] == "supervisor"] == []


# two givers


def two(world: Any, disk: Disk, first: str, **options: Any) -> Any:
    """alice, who has little, and carol, who has all, each send to bob in the same step."""

    def sends(name: str) -> Any:
        return lambda _: Command(goto=[Send("bob", {"by": name})])

    builder = StateGraph(State).add_node("bob", disk.node)
    for name in sorted(("alice", "carol"), key=lambda name: name != first):
        builder.add_node(name, sends(name), destinations=("bob",)).add_edge(START, name)
    return world.halo.guard(builder.compile(), agents=["alice", "bob", "carol"], **options)


@BOTH
@pytest.mark.parametrize("first", ["alice", "carol"])
def test_whom_two_hand_on_to_acts_under_the_narrower_link(world, first, awaited):
    disk = Disk(world.halo)
    graph = two(world, disk, first, give={"alice": few("bob")})
    told = run(graph, {"seen": []}, awaited=awaited, max_concurrency=1)
    assert told["seen"] == ["tool_not_granted"] * 2
    assert disk.wiped == []
    assert chains(world, "wipe") == [["desk", "alice", "bob"]] * 2


@BOTH
def test_whom_two_hand_on_to_on_other_terms_does_not_act(world, awaited):
    disk = Disk(world.halo)
    other = HandOff(grants={ActionKind.TOOL_CALL: {"wipe": WILD}, ActionKind.HANDOFF: {"bob": WILD}})
    graph = two(world, disk, "alice", give={"alice": few("bob"), "carol": other})
    with pytest.raises(Denied) as denied:
        run(graph, {"seen": []}, awaited=awaited)
    assert denied.value.reason == "ambiguous_hand_off"
    assert disk.wiped == []


@BOTH
def test_whom_two_hand_on_to_alike_works_for_both(world, awaited):
    disk = Disk(world.halo)
    told = run(two(world, disk, "alice"), {"seen": []}, awaited=awaited)
    assert told["seen"] == ["wiped"] * 2
    assert sorted(disk.wiped) == ["alice", "carol"]


@BOTH
def test_a_giver_that_acts_again_first_leaves_the_receiver_what_it_gave(world, awaited):
    disk = Disk(world.halo)
    builder = StateGraph(State).add_node("bob", disk.node).add_node("start", lambda _: {})
    sends = lambda state: Command(goto=[Send("bob", {})]) if state["by"] == "1" else {"seen": []}  # noqa: E731
    builder.add_node("alice", sends, destinations=("bob",)).add_edge(START, "start")
    builder.add_conditional_edges("start", lambda _: [Send("alice", {"by": n}) for n in "12"], ["alice"])
    graph = world.halo.guard(builder.compile(), agents=["alice", "bob"], give={"alice": few("bob")})
    told = run(graph, {"seen": []}, awaited=awaited, max_concurrency=1)
    assert told["seen"] == ["tool_not_granted"]
    assert chains(world, "wipe") == [["desk", "alice", "bob"]]
