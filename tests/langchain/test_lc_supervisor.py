"""langgraph-supervisor under Halo: hand-offs one by one and side by side, workers in closures, nested teams."""

from __future__ import annotations

import asyncio
from inspect import getclosurevars
from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph_supervisor import create_handoff_tool, create_supervisor
from pydantic import Field

from halo_core.enforcement.guards import get_guard
from halo_core.errors import Denied
from halo_core.model import Constraint, ConstraintKind, Impact
from halo_core.oversight.restrictions import revoke
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900)
NUMBERS = count()
BOTH = pytest.mark.parametrize("awaited", [False, True])


@tool
def look(what: str) -> str:
    """Look something up."""
    return f"seen {what}"


class Turns(ScriptedModel):
    """Says its script in turn, whatever the conversation."""

    said: list[int] = Field(default_factory=list)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        done = len(self.said)
        self.said.append(done)
        message = self.script[done] if done < len(self.script) else AIMessage("done")
        named = message.model_copy(update={"id": message.id or f"{self.model_name} {done}"})
        return ChatResult(generations=[ChatGeneration(message=named)])


def model(name: str, *script: AIMessage) -> Any:
    return Turns(script=list(script), model_name=f"model of {name}", said=[])


def worker(world: Any, name: str, *script: AIMessage) -> Any:
    tools = [world.halo.guard(look, resource=READ)]
    return create_agent(model(name, *script), tools=tools, middleware=[world.halo.middleware()], name=name)


def looks(name: str) -> AIMessage:
    return call("look", ("look", {"what": name}), id=f"look-{name}-{next(NUMBERS)}")


def to(*names: str, by: str = "s1") -> AIMessage:
    return call("over to you", *((f"transfer_to_{name}", {}) for name in names), id=by)


def supervised(world: Any, boss: list[AIMessage], *workers: Any, **options: Any) -> Any:
    graph = create_supervisor(list(workers), model=model("boss", *boss), parallel_tool_calls=True)
    return world.halo.guard(graph.compile(), **options)


def turn(graph: Any, *, awaited: bool) -> Any:
    given = {"messages": [("user", "hi")]}
    return asyncio.run(graph.ainvoke(given)) if awaited else graph.invoke(given)


def chains(world: Any, name: str) -> list[list[str]]:
    return [e.body["request"]["subject"]["chain"] for e in world.decisions(name)]


@BOTH
def test_the_supervisor_hands_on_and_the_worker_that_a_closure_holds_acts_below(world, awaited):
    graph = supervised(
        world, [to("math"), AIMessage("the end")], worker(world, "math", looks("math"), AIMessage("math's word"))
    )
    result = turn(graph, awaited=awaited)
    assert result["messages"][-1].text == "the end"
    assert "math's word" in [m.text for m in result["messages"]]
    assert chains(world, "look") == [["desk", "supervisor", "math"]]
    assert chains(world, "math") == [["desk", "supervisor"], ["desk", "supervisor", "math"]]
    assert chains(world, "supervisor") == [["desk"], ["desk", "supervisor"]]


def side_by_side(world: Any, boss: AIMessage, **options: Any) -> Any:
    """A supervisor whose tool node runs all its hand-offs at once, so that they are sent together."""
    tools = ToolNode([create_handoff_tool(agent_name=name) for name in ("math", "law")])
    lead = StateGraph(MessagesState).add_node("model", lambda _: {"messages": [boss]}).add_node("tools", tools)
    graph = StateGraph(MessagesState)
    graph.add_node("supervisor", lead.add_edge(START, "model").add_edge("model", "tools").compile())
    for name in ("math", "law"):
        script = [looks(name) for _ in range(sum(item["name"].endswith(name) for item in boss.tool_calls))]
        graph.add_node(name, worker(world, name, *script, AIMessage(f"word of {name}")))
    return world.halo.guard(graph.add_edge(START, "supervisor").compile(), **options)


@BOTH
def test_hand_offs_side_by_side_each_act_below_the_supervisor(world, awaited):
    said = [m.text for m in turn(side_by_side(world, to("math", "law")), awaited=awaited)["messages"]]
    assert {"word of math", "word of law"} <= set(said)
    assert sorted(chains(world, "look")) == [["desk", "supervisor", "law"], ["desk", "supervisor", "math"]]
    assert world.effects("math") == world.effects("law") == ["allow", "allow"]


@BOTH
def test_one_agent_asked_twice_side_by_side_acts_under_two_links(world, awaited):
    turn(side_by_side(world, to("math", "math")), awaited=awaited)
    assert {tuple(chain[:2]) for chain in chains(world, "math")} == {("desk", "supervisor")}
    assert chains(world, "look") == [["desk", "supervisor", "math"]] * 2


@BOTH
def test_of_hand_offs_side_by_side_only_the_allowed_one_runs(world, awaited):
    turn(side_by_side(world, to("math", "law"), give={"supervisor": HandOff(to=("math",))}), awaited=awaited)
    assert chains(world, "look") == [["desk", "supervisor", "math"]]
    assert world.effects("law") == ["deny"]


@BOTH
def test_a_hand_off_that_is_not_allowed_is_told_to_the_supervisor(world, awaited):
    boss = [to("math"), AIMessage("then I do it")]
    graph = supervised(world, boss, worker(world, "math", looks("math")), give={"supervisor": HandOff(to=())})
    result = turn(graph, awaited=awaited)
    assert result["messages"][-1].text == "then I do it"
    assert [m.status for m in result["messages"] if isinstance(m, ToolMessage)] == ["error"]
    assert chains(world, "look") == []


@BOTH
def test_a_worker_that_was_revoked_does_not_run(world, awaited):
    boss = [to("math"), AIMessage("then I do it")]
    graph = supervised(world, boss, worker(world, "math", looks("math")))
    world.halo.store.commit(lambda tx: revoke(tx, "agent", "math", "ops@bank", "left"))
    with pytest.raises(Denied) as denied:
        turn(graph, awaited=awaited)
    assert denied.value.reason == "revoked"
    assert chains(world, "look") == []


@BOTH
def test_a_team_inside_a_team_acts_below_everybody_above(world, awaited):
    inner = create_supervisor(
        [worker(world, "math", looks("math"), AIMessage("word of math"))],
        model=model("chief", to("math", by="c1"), AIMessage("chief's word")),
        supervisor_name="chief",
    ).compile(name="team")
    graph = supervised(world, [to("team"), AIMessage("the end")], world.halo.guard(inner))
    assert turn(graph, awaited=awaited)["messages"][-1].text == "the end"
    assert chains(world, "look") == [["desk", "supervisor", "team", "chief", "math"]]


# guarded by one line: nothing in it knows of Halo


def plain(name: str, *script: AIMessage) -> Any:
    return create_agent(model(name, *script), tools=[look], name=name)


def plain_team() -> Any:
    boss = model("boss", to("math"), AIMessage("the end"))
    workers = [plain("math", call("look", ("look", {"what": "x"}), id="l1"), AIMessage("math's word"))]
    return create_supervisor(workers, model=boss, output_mode="full_history").compile()


@BOTH
def test_one_line_decides_the_tools_of_workers_under_their_own_chains(world, awaited):
    graph = plain_team()
    guarded = world.halo.guard(graph)
    assert turn(guarded, awaited=awaited)["messages"][-1].text == "the end"
    assert world.effects("look") == ["allow"]
    assert chains(world, "look") == [["desk", "supervisor", "math"]]
    assert chains(world, "math") == [["desk", "supervisor"], ["desk", "supervisor", "math"]]


@BOTH
def test_the_team_that_was_guarded_is_not_changed(world, awaited):
    graph = plain_team()
    before = [getclosurevars(function).nonlocals["agent"] for function in calls(graph)]
    guarded = world.halo.guard(graph)
    assert [getclosurevars(function).nonlocals["agent"] for function in calls(graph)] == before
    ours = [getclosurevars(function).nonlocals["agent"] for function in calls(guarded)]
    assert ours[0] is ours[1]
    assert get_guard(ours[0]).original is before[0]
    turn(graph, awaited=awaited)
    assert world.decisions() == []


def calls(graph: Any) -> tuple[Any, Any]:
    bound = graph.nodes["math"].bound
    return bound.func, bound.afunc


@BOTH
def test_a_team_says_and_shows_the_same_as_without_a_guard(world, awaited):
    before, after = plain_team(), world.halo.guard(plain_team())
    for xray in (False, True):
        assert after.get_graph(xray=xray).draw_mermaid() == before.get_graph(xray=xray).draw_mermaid()
    assert [name for name, _ in after.get_subgraphs()] == [name for name, _ in before.get_subgraphs()]
    said = [[(m.type, m.name, m.text) for m in turn(g, awaited=awaited)["messages"]] for g in (before, after)]
    assert said[0] == said[1]


@BOTH
def test_a_tool_that_is_refused_in_a_worker_without_middleware_is_told_to_its_model(make_world, awaited):
    anything = {"task": Constraint(ConstraintKind.WILDCARD)}
    world = make_world(grants={"supervisor": anything, "math": anything})
    result = turn(world.halo.guard(plain_team()), awaited=awaited)
    assert [m.status for m in result["messages"] if isinstance(m, ToolMessage) and m.name == "look"] == ["error"]
    assert "math's word" in [m.text for m in result["messages"]]
    assert world.reasons("look") == [["tool_not_granted"]]


def test_the_models_of_a_team_are_decided_and_not_named_as_open(world, capsys):
    world.halo._quiet = False
    world.halo.guard(plain_team())
    assert [line for line in capsys.readouterr().err.splitlines() if "not decided" in line] == []
