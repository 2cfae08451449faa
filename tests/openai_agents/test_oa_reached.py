"""Agents that are reached by ways that nobody guarded: entering one is decided, or it does not begin."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from agents import Agent, ModelProvider, RunConfig, Runner
from agents.run import AgentRunner, set_default_agent_runner
from oa_world import LOOK, PAY, RAN, agent, look, pay, told, trusted

from halo_core.errors import ConfigError, Denied
from halo_openai_agents.testing import ScriptedModel, call

NO_BOB = """
@id("t.base") permit (principal, action, resource);
@id("t.no-bob") forbid (principal, action == Action::"bob", resource);
"""
TO_BOB = call("to bob", ("transfer_to_bob", {}), id="a1")


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


def looker(halo: Any, name: str = "bob") -> Any:
    return agent(name, [LOOK, f"{name} is done"], [halo.guard(look, resource=trusted())])


class ByName(ModelProvider):
    """Looks models up by name, and guards none."""

    def get_model(self, model_name: str | None) -> Any:
        return ScriptedModel([LOOK, "done"], model=model_name or "some")


# two that were guarded by themselves


@pytest.mark.parametrize("clone", [True, False])
async def test_a_hand_off_between_two_that_were_guarded_by_themselves_does_not_happen(world, halo, clone):
    bob, alice = halo.guard(looker(halo)), halo.guard(agent("alice", [TO_BOB, "alice goes on"]))
    if clone:
        alice = alice.clone(handoffs=[bob])
    else:
        alice.handoffs.append(bob)
    for options in ({}, halo.run_options()):
        result = await Runner.run(alice, "go", **options)
        assert "handoff_not_allowed" in told(result)[0]
        assert result.final_output == "alice goes on"
    assert RAN == []
    assert world.effects("bob") == ["deny", "deny"]


async def test_who_was_not_begun_with_acts_as_nobody_but_itself(make_world):
    """In observe mode the hand-off goes on, and is on the record as what nobody granted."""
    world = make_world("observe")
    halo = world.halo
    bob, alice = halo.guard(looker(halo)), halo.guard(agent("alice", [TO_BOB]))
    alice.handoffs.append(bob)
    await Runner.run(alice, "go")
    assert RAN == ["x"]
    assert world.effects("bob") == ["deny"]
    assert len(world.outcomes()) == len(world.decisions())  # the entry of an agent has one too


@pytest.mark.parametrize("as_tool", [True, False])
async def test_one_that_was_guarded_by_itself_and_is_handed_to_acts_under_its_own_name(make_world, as_tool):
    world = make_world()
    halo = world.halo
    bob = halo.guard(looker(halo))
    ask = [bob.as_tool("ask", "Ask.")] if as_tool else []
    script = [call("ask", ("ask", {"input": "q"}), id="a1")] if as_tool else [TO_BOB]
    await Runner.run(halo.guard(agent("alice", script, ask, handoffs=[] if as_tool else [bob])), "go")
    assert world.effects("bob") == ["allow"]
    assert {chain[-1] for chain in world.chains("look")} == {"bob"}
    await Runner.run(bob, "go")  # and by itself as ever
    assert world.chains("look")[-1] == ["desk"]


async def test_nor_does_a_policy_that_forbids_it_let_it_begin(make_world):
    world = make_world(policy=NO_BOB)
    halo = world.halo
    bob = halo.guard(looker(halo))
    outer = agent("outer", [call("ask", ("ask", {"input": "q"}), id="a1")], [bob.as_tool("ask", "Ask.")])
    result = await Runner.run(halo.guard(outer), "go")
    assert "policy_denied" in told(result)[0]
    assert RAN == []


async def test_an_agent_of_another_halo_is_not_led_to(make_world):
    one, two = make_world(), make_world()
    bob = two.halo.guard(looker(two.halo))
    with pytest.raises(ConfigError) as refused:
        one.halo.guard(Agent(name="alice", handoffs=[bob]))
    assert refused.value.code == "guarded_elsewhere"
    alice = one.halo.guard(agent("alice", [TO_BOB, "alice goes on"]))
    alice.handoffs.append(bob)
    result = await Runner.run(alice, "go")
    assert "handoff_not_allowed" in told(result)[0]
    assert result.final_output == "alice goes on"
    assert RAN == []


def test_a_name_that_is_given_later_makes_a_copy_of_that_name(halo):
    bob = halo.guard(looker(halo))
    named = halo.guard(bob, agent="clerk")
    assert named is not bob
    assert halo.guard(named) is named
    assert halo.find_registered("clerk") is not None


# givers that nobody guards, runners that are not ours


@pytest.mark.parametrize("inside", [True, False])
async def test_an_agent_that_an_unguarded_one_hands_to_is_entered_first(make_world, inside):
    world = make_world(policy=NO_BOB)
    halo = world.halo
    bob = halo.guard(looker(halo), agent="bob")
    triage = Agent(name="triage", model=ScriptedModel([TO_BOB]), handoffs=[bob])

    async def ask(q: str) -> str:
        """Ask."""
        return str((await Runner.run(triage, q)).final_output)

    if inside:
        tool = halo.guard(ask, resource=trusted())
        alice = halo.guard(agent("alice", [call("a", ("ask", {"q": "x"}), id="m1")], [tool]), agent="alice")
        assert told(await Runner.run(alice, "go")) == ["done"]  # triage, guarded where it starts, was told
        assert "policy_denied" in world.codes("bob")
    else:
        with pytest.raises(Denied):
            await Runner.run(triage, "go")
    assert RAN == []
    assert world.chains("bob") == [["desk", "alice", "triage"] if inside else ["desk"]]


async def test_a_run_inside_of_a_tool_changes_nobody_in_the_run_around_it(world, halo):
    """The one inside is begun past Halo's runner, so its hand-offs are refused, and the outer one goes on as it was."""
    bob = looker(halo)
    inner = halo.guard(agent("inner", [TO_BOB, "inner goes on"], handoffs=[bob]))
    pays = halo.guard(pay, resource=trusted())

    async def ask(q: str) -> str:
        """Ask."""
        return str((await AgentRunner().run(inner, q)).final_output)

    tool = halo.guard(ask, resource=trusted())
    script = [call("a", ("ask", {"q": "x"}), id="m0"), PAY]
    alice = halo.guard(agent("alice", script, [tool, pays]), agent="alice")
    result = await Runner.run(alice, "go")
    assert told(result)[0] == "inner goes on"
    assert world.chains("pay") == [["desk", "alice"]]
    assert world.codes("bob") == ["needs_guard"]


async def test_past_every_runner_of_ours_entering_is_decided(make_world):
    world = make_world(policy=NO_BOB)
    bob = world.halo.guard(looker(world.halo), agent="bob")
    set_default_agent_runner(AgentRunner())
    with pytest.raises(Denied):
        await Runner.run(bob, "go")
    assert world.effects("bob") == ["deny"]
    assert RAN == []


async def test_past_every_runner_of_ours_no_model_is_looked_up_by_its_name(world, halo):
    bob = halo.guard(Agent(name="bob", model="some", tools=[halo.guard(look, resource=trusted())]))
    config = RunConfig(model_provider=ByName())
    with pytest.raises(Denied) as denied:
        await AgentRunner().run(bob, "go", run_config=config)
    assert denied.value.reason == "needs_guard"
    assert RAN == []
    assert (await Runner.run(bob, "go", run_config=config)).final_output == "done"
    assert world.effects("some")[1:] == ["allow", "allow"]


# copies, and observe mode


async def test_a_refused_hand_off_of_a_clone_goes_on_as_the_clone(make_world):
    world = make_world(policy=NO_BOB)
    halo = world.halo
    alice = agent("alice", [TO_BOB, PAY], [halo.guard(pay, resource=trusted())], handoffs=[agent("bob", [])])
    narrow = halo.guard(alice).clone(tools=[])
    for runner in (None, AgentRunner()):
        result = await (runner or Runner).run(narrow, "go", **halo.run_options())
        assert result.last_agent is narrow
        assert RAN == []


async def test_a_copy_with_other_fields_is_guarded(make_world):
    world = make_world()
    guarded = world.halo.guard(agent("solo", [PAY], [world.halo.guard(pay, resource=trusted("forbidden"))]))
    result = await Runner.run(dataclasses.replace(guarded, instructions="other"), "go")
    assert "policy_denied" in told(result)[0]
    assert RAN == []


async def test_in_observe_mode_hand_offs_past_every_runner_of_ours_go_on(make_world):
    world = make_world("observe")
    alice = world.halo.guard(agent("alice", [TO_BOB], handoffs=[looker(world.halo)]))
    result = await AgentRunner().run(alice, "go")
    assert result.last_agent.name == "bob"
    assert RAN == ["x"]
    assert "needs_guard" in world.codes("bob")
