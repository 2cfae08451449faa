"""langgraph-swarm under Halo: the tool that hands off, the router of a later turn, and what a tool writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from langgraph.types import Command
from langgraph_swarm import create_handoff_tool, create_swarm
from pydantic import Field

from halo_core.errors import Denied
from halo_core.model import ActionKind, Constraint, ConstraintKind, EntryKind, Impact
from halo_core.oversight.restrictions import revoke
from halo_langchain import HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900)
BOTH = pytest.mark.parametrize("awaited", [False, True])
STACKS = pytest.mark.parametrize("stack", ["middleware", "tool node"])
ANY = {"task": Constraint(ConstraintKind.WILDCARD)}


@tool
def look(what: str) -> str:
    """Look something up."""
    return "seen"


@tool
def sneak() -> Command:
    """Make bob the active agent, without a hand-off tool."""
    return Command(update={"active_agent": "bob", "messages": []}, graph=Command.PARENT)


@tool
def jump() -> Command:
    """Go to bob, and say nothing about it."""
    return Command(goto="bob", graph=Command.PARENT)


@tool(return_direct=False)
def ask_bob(task: str, urgent: str) -> Command:
    """Hand off to bob with a task."""
    return Command(goto="bob", graph=Command.PARENT, update={"messages": [("user", f"{task} {urgent}")]})


ask_bob.metadata = {"__handoff_destination": "bob"}

HAND_BOB = call("to bob", ("transfer_to_bob", {}), id="a1")
LOOK = call("look", ("look", {"what": "x"}), id="b1")


class Scripts(ScriptedModel):
    """Says its script in turn, whatever the conversation: agents of a swarm share one."""

    said: list[int] = Field(default_factory=list)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        done = len(self.said)
        self.said.append(done)
        message = self.script[done] if done < len(self.script) else AIMessage("done")
        named = message.model_copy(update={"id": message.id or f"{self.model_name} {done}"})
        return ChatResult(generations=[ChatGeneration(message=named)])


def agent(world: Any, name: str, stack: str, script: list[AIMessage], tools: list[Any]) -> Any:
    model = Scripts(script=script, model_name=f"model of {name}")
    guarded = [world.halo.guard(look, resource=READ), *tools]
    if stack == "middleware":
        return create_agent(model, tools=guarded, middleware=[world.halo.middleware()], name=name)
    return create_react_agent(model, tools=guarded, name=name)


def swarm(world: Any, stack: str, alice: list[AIMessage], bob: list[AIMessage], *tools: Any, **options: Any) -> Any:
    agents = [
        agent(world, "alice", stack, alice, [create_handoff_tool(agent_name="bob"), *tools]),
        agent(world, "bob", stack, bob, [create_handoff_tool(agent_name="alice")]),
    ]
    built = create_swarm(agents, default_active_agent="alice").compile(checkpointer=InMemorySaver())
    return world.halo.guard(built, **options)


def turn(graph: Any, *, awaited: bool, thread: str = "1") -> Any:
    given, config = {"messages": [("user", "hi")]}, {"configurable": {"thread_id": thread}}
    return asyncio.run(graph.ainvoke(given, config)) if awaited else graph.invoke(given, config)


def chains(world: Any, name: str) -> list[list[str]]:
    return [e.body["request"]["subject"]["chain"] for e in world.decisions(name)]


@BOTH
@STACKS
def test_a_hand_off_tool_hands_on_and_the_next_acts_below(world, stack, awaited):
    graph = swarm(world, stack, [HAND_BOB], [LOOK, AIMessage("bob's word")])
    result = turn(graph, awaited=awaited)
    assert result["messages"][-1].text == "bob's word"
    assert chains(world, "bob") == [["desk", "alice"], ["desk", "alice", "bob"]]
    assert chains(world, "look") == [["desk", "alice", "bob"]]
    decided = world.decisions("bob")[0].body["request"]
    assert (decided["kind"], decided["context"]["call_id"]) == ("handoff", world.refer_call("a1-call-0"))


@BOTH
@STACKS
def test_a_hand_off_that_is_not_allowed_keeps_the_giver_going(world, stack, awaited):
    script = [HAND_BOB, AIMessage("alice goes on")]
    graph = swarm(world, stack, script, [], give={"alice": HandOff(to=())})
    result = turn(graph, awaited=awaited)
    assert result["messages"][-1].text == "alice goes on"
    (refused,) = [m for m in result["messages"] if isinstance(m, ToolMessage)]
    assert refused.status == "error"
    assert "handoff_not_allowed" in refused.text
    assert world.effects("bob") == ["deny"]


@BOTH
@STACKS
def test_a_hand_off_tool_that_was_not_granted_keeps_the_giver_going(make_world, stack, awaited):
    world = make_world(grants={"alice": ANY, "look": {"what": Constraint(ConstraintKind.WILDCARD)}})
    graph = swarm(world, stack, [HAND_BOB, AIMessage("alice goes on")], [])
    assert turn(graph, awaited=awaited)["messages"][-1].text == "alice goes on"
    assert world.effects("bob") == ["deny"]


@BOTH
@STACKS
def test_the_router_of_a_later_turn_enters_by_a_decision(world, stack, awaited):
    graph = swarm(world, stack, [HAND_BOB], [AIMessage("bob 1"), LOOK, AIMessage("bob 2")])
    turn(graph, awaited=awaited)
    assert turn(graph, awaited=awaited)["messages"][-1].text == "bob 2"
    assert world.effects("bob") == ["allow"] * 3
    assert chains(world, "look") == [["desk", "alice", "bob"]]


@BOTH
@STACKS
def test_who_was_revoked_between_two_turns_is_not_entered_again(world, stack, awaited):
    graph = swarm(world, stack, [HAND_BOB], [AIMessage("bob 1"), LOOK])
    turn(graph, awaited=awaited)
    world.halo.store.commit(lambda tx: revoke(tx, "agent", "bob", "ops@bank", "left"))
    with pytest.raises(Denied) as denied:
        turn(graph, awaited=awaited)
    assert denied.value.reason == "revoked"
    assert chains(world, "look") == []


@BOTH
@STACKS
def test_what_a_tool_writes_does_not_let_an_agent_in(make_world, stack, awaited):
    world = make_world(
        grants={"alice": ANY, "look": {"what": Constraint(ConstraintKind.WILDCARD)}, "sneak": {}},
    )
    sneaks = world.halo.guard(sneak, resource=READ)
    script = [call("sneak", ("sneak", {}), id="s1"), AIMessage("alice 1")]
    graph = swarm(world, stack, script, [LOOK], sneaks)
    turn(graph, awaited=awaited)
    with pytest.raises(Denied) as denied:
        turn(graph, awaited=awaited)
    assert denied.value.reason == "handoff_not_allowed"
    assert chains(world, "look") == []


@BOTH
@STACKS
def test_a_tool_that_jumps_without_saying_so_is_decided_when_it_leaves(world, stack, awaited):
    jumps = world.halo.guard(jump, resource=READ)
    script = [call("jump", ("jump", {}), id="j1"), AIMessage("alice 1")]
    graph = swarm(world, stack, script, [LOOK], jumps, give={"alice": HandOff(to=())})
    with pytest.raises(Denied) as denied:
        turn(graph, awaited=awaited)
    assert denied.value.reason == "handoff_not_allowed"
    assert chains(world, "bob") == [["desk", "alice"]]
    assert chains(world, "look") == []


@BOTH
@STACKS
def test_a_hand_off_tool_of_ones_own_says_what_the_other_is_asked_to_do(world, stack, awaited):
    script = [call("ask", ("ask_bob", {"task": "sum up", "urgent": "now"}), id="t1")]
    graph = swarm(world, stack, script, [LOOK, AIMessage("end")], ask_bob)
    result = turn(graph, awaited=awaited)
    assert "sum up now" in [m.text for m in result["messages"]]
    assert world.decisions("bob")[0].body["request"]["kind"] == "handoff"
    assert chains(world, "look") == [["desk", "alice", "bob"]]


POLICY_REDACT = """
@id("t.base")
permit (principal, action, resource);

@id("t.redacted")
@effect("restrict")
@obligation("redact(task)")
forbid (principal, action in Action::"handoff", resource == Agent::"bob");
"""


@BOTH
def test_what_a_hand_off_tool_passes_on_is_not_changed_behind_its_back(make_world, awaited):
    world = make_world(policy=POLICY_REDACT)
    script = [call("ask", ("ask_bob", {"task": "pay 4111 1111 1111 1111", "urgent": "now"}), id="t1"), AIMessage("no")]
    graph = swarm(world, "tool node", script, [LOOK], ask_bob)
    result = turn(graph, awaited=awaited)
    assert "needs_guard" in next(m.text for m in result["messages"] if isinstance(m, ToolMessage))
    assert chains(world, "look") == []


@BOTH
@STACKS
def test_going_back_pops_to_the_link_that_is_there(world, stack, awaited):
    back = call("back", ("transfer_to_alice", {}), id="b0")
    again = call("again", ("transfer_to_bob", {}), id="a2")
    graph = swarm(world, stack, [HAND_BOB, again], [back, LOOK, AIMessage("end")])
    turn(graph, awaited=awaited)
    made = [e.body for e in world.entries(EntryKind.PASSPORT) if e.body.get("kind") == "handoff"]
    assert [body["agent"] for body in made if body["handle"]][:1] == ["alice"]
    assert len({body["handle"] for body in made if body["agent"] == "alice"}) == 1
    assert chains(world, "alice") == [["desk"], ["desk", "alice", "bob"], ["desk", "alice"]]
    assert chains(world, "look") == [["desk", "alice", "bob"]]


@BOTH
@STACKS
def test_terms_hold_for_a_link_that_a_tool_made(world, stack, awaited):
    models = {"messages": Constraint(ConstraintKind.WILDCARD), "tools": Constraint(ConstraintKind.WILDCARD)}
    nothing = HandOff(grants={ActionKind.TOOL_CALL: {}, ActionKind.INFERENCE: {"model of bob": models}})
    script = [LOOK, AIMessage("end")]
    graph = swarm(world, stack, [HAND_BOB], script, give={"bob": nothing})
    # The model must be known before a part of what there is can be given.
    world.halo.guard(ScriptedModel(script=[], model_name="model of bob"))
    turn(graph, awaited=awaited)
    assert world.reasons("look") == [["tool_not_granted"]]


@BOTH
@STACKS
def test_a_swarm_of_guarded_agents_is_not_decided_twice(world, stack, awaited):
    agents = [
        world.halo.guard(agent(world, "alice", stack, [HAND_BOB], [create_handoff_tool(agent_name="bob")])),
        world.halo.guard(agent(world, "bob", stack, [LOOK, AIMessage("end")], [])),
    ]
    built = create_swarm(agents, default_active_agent="alice").compile(checkpointer=InMemorySaver())
    turn(world.halo.guard(built), awaited=awaited)
    assert [len(world.decisions(name)) for name in ("alice", "bob", "look")] == [1, 2, 1]


@STACKS
def test_streams_of_a_swarm_show_the_same_steps_as_without(world, stack):
    def steps(graph: Any) -> list[Any]:
        parts = graph.stream(
            {"messages": [("user", "hi")]},
            {"configurable": {"thread_id": "1"}},
            stream_mode=["updates", "messages"],
            subgraphs=True,
        )
        return [
            (tuple(space.split(":")[0] for space in ns), mode, list(part) if mode == "updates" else part[0].text)
            for ns, mode, part in parts
        ]

    def built() -> Any:
        agents = [
            agent(world, "alice", stack, [HAND_BOB], [create_handoff_tool(agent_name="bob")]),
            agent(world, "bob", stack, [LOOK, AIMessage("end")], []),
        ]
        return create_swarm(agents, default_active_agent="alice").compile(checkpointer=InMemorySaver())

    with world.halo.session("before"):
        before = steps(built())
    if stack == "middleware":  # without a guard around it, the tool that hands off is one that nobody granted
        assert ((), "updates", ["bob"]) not in before
        return
    assert steps(world.halo.guard(built())) == before


@BOTH
def test_one_line_decides_and_grants_the_tools_of_a_swarm_that_knows_nothing_of_halo(world, awaited):
    alice = create_agent(Scripts(script=[HAND_BOB]), tools=[create_handoff_tool(agent_name="bob")], name="alice")
    bob = create_agent(Scripts(script=[LOOK, AIMessage("bob's word")]), tools=[look], name="bob")
    guarded = world.halo.guard(create_swarm([alice, bob], default_active_agent="alice").compile(InMemorySaver()))
    assert turn(guarded, awaited=awaited)["messages"][-1].text == "bob's word"
    assert world.effects("look") == ["allow"]
    assert chains(world, "look") == [["desk", "alice", "bob"]]
    assert world.decisions("bob")[0].body["request"]["kind"] == "handoff"
