"""Agents inside of tools: entered by a hand-off, decided like any other, whoever started them."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, function_tool
from oa_world import LOOK, RAN, agent, look, streamed, told, trusted

from halo_core.errors import ConfigError, Denied
from halo_openai_agents.testing import ScriptedModel, call

NO_HELPER = """
@id("t.base") permit (principal, action, resource);
@id("t.no") forbid (principal, action == Action::"helper", resource);
"""
ASK = call("asking", ("ask_helper", {"input": "look at x"}), id="b1")


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def helper(halo: Any, *labels: str, guard: bool = True) -> Agent[Any]:
    tool = halo.guard(look, resource=trusted(*labels)) if guard else function_tool(look)
    return agent("helper", [LOOK, "helped"], [tool])


def boss(inner: Agent[Any], **more: Any) -> Agent[Any]:
    return agent("boss", [ASK, "boss is done"], [inner.as_tool("ask_helper", "Ask.", **more)])


@pytest.mark.parametrize("run", [Runner.run, streamed])
@pytest.mark.parametrize("options", [False, True])
async def test_the_agent_inside_acts_under_a_hand_off(world, halo, run, options):
    result = await run(halo.guard(boss(helper(halo))), "go", **(halo.run_options() if options else {}))
    assert told(result) == ["helped"]
    assert RAN == ["x"]
    assert world.order() == ["scripted", "ask_helper", "helper", "scripted", "look", "scripted", "scripted"]
    assert world.chains("look") == [["desk", "helper"]]
    assert world.chains("ask_helper") == [["desk"]]


@pytest.mark.parametrize("guarded", ["all", "agent", "named", "tool"])
async def test_a_tool_may_have_the_name_of_the_agent_inside_as_the_sdk_gives_it(world, halo, guarded):
    inner = helper(halo)
    if guarded in ("agent", "named"):
        inner = halo.guard(inner, agent="helper" if guarded == "named" else "")
    tool = inner.as_tool(None, "Ask.")
    assert tool.name == "helper"
    script = [call("ask", ("helper", {"input": "look"}), id="b1"), "boss is done"]
    outer = halo.guard(agent("boss", script, [halo.guard(tool) if guarded == "tool" else tool]))
    assert told(await Runner.run(outer, "go")) == ["helped"]
    assert world.order() == ["scripted", "helper.as_tool", "helper", "scripted", "look", "scripted", "scripted"]
    assert world.chains("look") == [["desk", "helper"]]
    world.run("verify")


async def test_a_tool_inside_is_decided_by_itself(world, halo):
    result = await Runner.run(halo.guard(boss(helper(halo, "forbidden"))), "go")
    assert RAN == []
    assert world.effects("look") == ["deny"]
    assert told(result) == ["helped"]  # the agent inside was told, and went on


async def test_a_tool_inside_that_nobody_guarded_is_guarded_with_its_agent(world, halo):
    await Runner.run(halo.guard(boss(helper(halo, guard=False))), "go")
    assert RAN == ["x"]
    assert world.effects("look") == ["allow"]
    await Runner.run(
        halo.guard(boss(agent("other", [call("top", ("top", {"k": 1}), id="m9")], [])), grants=False), "go"
    )


async def test_an_agent_inside_that_may_not_be_handed_to_does_not_begin(make_world):
    world = make_world(policy=NO_HELPER)
    result = await Runner.run(world.halo.guard(boss(helper(world.halo))), "go")
    assert RAN == []
    assert "policy_denied" in told(result)[0]
    assert world.effects("helper") == ["deny"]
    assert result.final_output == "boss is done"


async def test_a_configuration_of_its_own_does_not_lead_around_it(world, halo):
    model = ScriptedModel([LOOK, "mine"], model="other")
    inner = helper(halo, "forbidden")
    guarded = halo.guard(boss(inner, run_config=RunConfig(model=model)))
    result = await Runner.run(guarded, "go")
    assert told(result) == ["mine"]
    assert RAN == []
    assert world.effects("other") == ["allow", "allow"]
    assert world.effects("look") == ["deny"]


async def test_a_stream_inside_is_decided_too(world, halo):
    seen: list[str] = []
    guarded = halo.guard(boss(helper(halo), on_stream=lambda event: seen.append(event["agent"].name)))
    assert told(await Runner.run(guarded, "go")) == ["helped"]
    assert set(seen) == {"helper"}
    assert world.chains("look") == [["desk", "helper"]]


async def test_agents_inside_each_other_are_one_chain(world, halo):
    middle = agent("middle", [call("ask", ("ask_helper", {"input": "look"}), id="c1"), "middling"])
    middle.tools = [helper(halo).as_tool("ask_helper", "Ask.")]
    top = agent(
        "top", [call("ask", ("ask_middle", {"input": "look"}), id="d1")], [middle.as_tool("ask_middle", "Ask.")]
    )
    await Runner.run(halo.guard(top), "go")
    assert world.chains("look") == [["desk", "middle", "helper"]]


async def test_an_agent_that_is_a_tool_of_its_own_receiver_circles(world, halo):
    alice = agent("alice", [call("over", ("transfer_to_bob", {}), id="m0"), "alice was asked"])
    bob = agent("bob", [call("ask", ("ask_alice", {"input": "?"}), id="m1"), "bob is done"])
    alice.handoffs, bob.tools = [bob], [alice.as_tool("ask_alice", "Ask.")]
    result = await Runner.run(halo.guard(alice), "go", max_turns=20)
    assert result.final_output == "bob is done"
    # Inside, the name of somebody who is at work above gives no more than the actor has.
    assert ["desk", "alice", "bob"] in world.chains("bob")


async def test_words_for_an_agent_inside_are_not_the_users(make_world):
    policy = (
        '@id("t.base") permit (principal, action, resource);\n'
        '@id("t.told") forbid (principal, action == Action::"look", resource) '
        'when { context.provenance.q != "user" };\n'
    )
    world = make_world(policy=policy)
    inner = agent("helper", [call("look", ("look", {"q": "zebra"}), id="m1"), "helped"], [look_of(world)])
    outer = agent("boss", [call("ask", ("ask_helper", {"input": "look at zebra"}), id="b1")])
    outer.tools = [inner.as_tool("ask_helper", "Ask.")]
    await Runner.run(world.halo.guard(outer), "go")
    assert RAN == []
    await Runner.run(world.halo.guard(outer), "look at zebra")
    assert RAN == ["zebra"]


def look_of(world: Any) -> Any:
    return world.halo.guard(look, resource=trusted())


async def test_a_guarded_agent_that_a_tool_runs_by_itself_acts_as_the_actor(world, halo):
    inner = halo.guard(agent("inner", [LOOK], [halo.guard(look, resource=trusted())]))

    async def ask(q: str) -> str:
        """Ask."""
        return str((await Runner.run(inner, q)).final_output)

    bob = agent("bob", [call("ask", ("ask", {"q": "x"}), id="b1")], [function_tool(ask)])
    await Runner.run(halo.guard(agent("alice", [call("o", ("transfer_to_bob", {}), id="o1")], handoffs=[bob])), "go")
    assert world.chains("look") == [["desk", "alice", "bob"]]


async def test_a_tool_made_of_a_guarded_agent_runs_that_one(world, halo):
    inner = halo.guard(helper(halo, "forbidden"), agent="helper")
    result = await Runner.run(halo.guard(boss(inner)), "go")
    assert RAN == []
    assert world.effects("helper") == ["allow"]
    assert told(result) == ["helped"]


def test_an_agent_that_cannot_be_reached_in_its_tool_is_refused(halo):
    tool = helper(halo).as_tool("ask_helper", "Ask.")
    tool._agent_instance = agent("another", [])
    with pytest.raises(ConfigError) as refused:
        halo.guard(agent("boss", [], [tool]))
    assert refused.value.code == "not_guardable"


async def test_an_original_agent_that_is_run_beside_its_copy_is_not_decided(world, halo):
    """What `halo doctor` says of originals."""
    inner = helper(halo, guard=False)
    halo.guard(boss(inner))
    with halo.install(), pytest.raises(Denied):
        await Runner.run(inner, "go")
    await Runner.run(inner, "go")
    assert RAN == ["x"]
    assert world.effects("look") == []
