"""Hand-offs: decided before the other one is there, whichever way the SDK came to it; who acts is on the record."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, Runner, function_tool, handoff
from agents.run import AgentRunner
from oa_world import LOOK, RAN, agent, look, pay, streamed, told, trusted

from halo_core.errors import ConfigError, Denied
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, EntryKind
from halo_openai_agents import HandOff
from halo_openai_agents.testing import call

NO_BOB = """
@id("t.base") permit (principal, action, resource);
@id("t.no-bob") forbid (principal, action == Action::"bob", resource);
"""
ANY = Constraint(ConstraintKind.WILDCARD)


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def over(to: str, n: int = 0) -> Any:
    return call(f"to {to}", (f"transfer_to_{to}", {}), id=f"over-{to}-{n}")


def pair(halo: Any, alice: Any, bob: Any, **more: Any) -> Any:
    """Two that hand to each other."""
    first = agent("alice", alice)
    second = agent("bob", bob, [halo.guard(look, resource=trusted())])
    first.handoffs, second.handoffs = [second], [first]
    return halo.guard(first, **more)


async def test_agents_that_hand_back_and_forth_never_deepen_the_chain(world, halo):
    rounds = 12
    alice = [over("bob", n) for n in range(rounds)] + ["alice is done"]
    bob = [over("alice", n) for n in range(rounds)]
    result = await Runner.run(pair(halo, alice, bob), "go", max_turns=None)
    assert result.final_output == "alice is done"
    assert {tuple(chain) for chain in world.chains("bob")} == {("desk", "alice")}
    assert {tuple(chain) for chain in world.chains("alice")} == {("desk",), ("desk", "alice", "bob")}
    assert set(world.effects("alice") + world.effects("bob")) == {"allow"}


async def test_an_agent_named_as_the_application_hands_off_to_others_and_not_to_itself(world, halo):
    """Nobody hands off to the agent that the run began under."""
    front = agent("desk", [over("bob"), "desk is done"], handoffs=[agent("bob", ["bob is here"])])
    assert (await Runner.run(halo.guard(front), "go")).final_output == "bob is here"
    decisions = [entry.body["request"] for entry in world.entries(EntryKind.DECISION)]
    hand_offs = [item for item in decisions if item["kind"] == "handoff"]
    assert [(item["subject"]["agent"], item["resource"]["id"]) for item in hand_offs] == [("desk", "bob")]
    assert world.chains("bob") == [["desk"]]


async def test_links_end_with_the_run(world, halo):
    guarded = pair(halo, [over("bob")], [LOOK, "done"])
    await Runner.run(guarded, "go", **halo.run_options())
    await streamed(guarded, "go")
    assert len(world.entries(EntryKind.HANDBACK)) == 2
    assert world.chains("look") == [["desk", "alice", "bob"]] * 2


async def test_a_run_that_begins_at_another_agent_enters_it(world, halo):
    first = await Runner.run(pair(halo, [over("bob")], ["bob is here", LOOK, "done"]), "go")
    again = await Runner.run(first.last_agent, [*first.to_input_list(), {"role": "user", "content": "look"}])
    assert again.final_output == "done"
    assert world.chains("bob") == [["desk", "alice"], ["desk"]]
    assert world.chains("look") == [["desk", "bob"]]


async def test_a_run_cannot_begin_at_an_agent_that_is_forbidden(make_world):
    world = make_world(policy=NO_BOB)
    guarded = pair(world.halo, [], [LOOK])
    bob = guarded.handoffs[0]._agent_ref()
    for run in (Runner.run, streamed):
        with pytest.raises(Denied) as denied:
            await run(bob, "go")
        assert denied.value.reason == "policy_denied"
    assert RAN == []
    assert world.order() == ["bob", "bob"]  # no model was asked


async def test_a_refused_hand_off_runs_no_callback_and_filters_nothing(make_world):
    world = make_world(policy=NO_BOB)
    called: list[str] = []

    def filtered(data: Any) -> Any:
        called.append("filter")
        return data.clone(input_history=(), pre_handoff_items=(), new_items=())

    way = handoff(agent("bob", []), on_handoff=lambda _ctx: called.append("callback"), input_filter=filtered)
    guarded = world.halo.guard(agent("alice", [over("bob"), "alice goes on"], handoffs=[way]))
    for options in ({}, {"run_config": {"handoff_input_filter": filtered}}):
        result = await Runner.run(guarded, "go", **world.halo.run_options(**options))
        assert result.final_output == "alice goes on"
        assert "policy_denied" in told(result)[0]
        assert result.last_agent is guarded
    assert called == []


async def test_an_allowed_hand_off_runs_its_callback_and_its_filter(world, halo):
    called: list[str] = []

    def filtered(data: Any) -> Any:
        called.append("filter")
        return data

    way = handoff(
        agent("bob", ["bob is here"]), on_handoff=lambda _ctx: called.append("callback"), input_filter=filtered
    )
    result = await Runner.run(halo.guard(agent("alice", [over("bob")], handoffs=[way])), "go")
    assert result.final_output == "bob is here"
    assert called == ["callback", "filter"]
    assert told(result) == ['{"assistant": "bob"}']


async def test_a_tool_beside_a_refused_hand_off_is_decided_by_itself(make_world):
    world = make_world(policy=NO_BOB)
    alice = agent(
        "alice",
        [call("both", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 5}), ("transfer_to_bob", {}), id="m1")],
        [world.halo.guard(look, resource=trusted()), world.halo.guard(pay, resource=trusted("forbidden"))],
        handoffs=[agent("bob", [])],
    )
    result = await Runner.run(world.halo.guard(alice), "go")
    assert RAN == ["x", ("bo", 5)]  # this policy forbids bob alone
    assert (world.effects("look"), world.effects("pay"), world.effects("bob")) == (["allow"], ["allow"], ["deny"])
    assert result.final_output == "done"


async def test_whoever_a_hand_off_really_leads_to_is_decided(make_world):
    world = make_world(policy=NO_BOB)
    bob = agent("bob", [LOOK], [world.halo.guard(look, resource=trusted())])
    way = handoff(agent("carol", []))

    async def elsewhere(_context: Any, _text: str) -> Agent[Any]:
        return bob

    way.on_invoke_handoff = elsewhere
    guarded = world.halo.guard(agent("alice", [call("to carol", ("transfer_to_carol", {}), id="m1")], handoffs=[way]))
    with pytest.raises(Denied) as denied:
        await Runner.run(guarded, "go")
    assert denied.value.reason == "policy_denied"
    assert RAN == []
    assert world.effects("carol") == ["allow"]
    assert world.effects("bob") == ["deny"]


async def test_a_hand_off_that_was_added_after_the_guard_does_not_run(world, halo):
    guarded = halo.guard(agent("alice", [over("bob")], handoffs=[agent("carol", [])]))
    guarded.handoffs.append(agent("bob", [LOOK], [function_tool(look)]))
    result = await Runner.run(guarded, "go")
    assert "handoff_not_allowed" in told(result)[0]
    assert (RAN, world.effects("bob")) == ([], ["deny"])
    assert result.last_agent is guarded


async def test_a_receiver_gets_what_the_terms_say(world, halo):
    terms = HandOff(grants={ActionKind.INFERENCE: {"scripted": {ANY_OTHER: Constraint.anything()}}})
    result = await Runner.run(pair(halo, [over("bob")], [LOOK, "done"], give={"bob": terms}), "go")
    assert "tool_not_granted" in told(result)[1]
    assert (result.final_output, RAN) == ("done", [])


async def test_past_every_runner_of_ours_no_hand_off_is_made(world, halo):
    guarded = pair(halo, [over("bob"), "alice goes on"], [LOOK])
    result = await AgentRunner().run(guarded, "go")
    assert "needs_guard" in told(result)[0]
    assert result.last_agent is guarded


async def test_past_every_runner_of_ours_a_tool_acts_as_its_agent(world, halo):
    bob = pair(halo, [], [LOOK]).handoffs[0]._agent_ref()
    await AgentRunner().run(bob, "go")
    assert RAN == ["x"]
    assert world.chains("look") == [["desk", "bob"]]


async def test_an_agent_that_hands_on_to_nobody_acts_as_whoever_runs_it(world, halo):
    worker = halo.guard(agent("worker", [LOOK], [halo.guard(look, resource=trusted())]))
    await Runner.run(worker, "go")
    async with halo.agent_scope("research"):
        await Runner.run(worker, "go")
    assert world.chains("look") == [["desk"], ["desk", "research"]]
    named = halo.guard(agent("worker", [LOOK], [halo.guard(look)]), agent="clerk")
    await Runner.run(named, "go")
    assert world.chains("look")[-1] == ["desk", "clerk"]


async def test_two_agents_of_one_name_act_under_one(world, halo):
    second = agent("twin", [LOOK, "done"], [halo.guard(look, resource=trusted())])
    first = agent("twin", [call("over", ("transfer_to_twin", {}), id="m0")], handoffs=[second])
    result = await Runner.run(halo.guard(first), "go")
    assert result.final_output == "done"
    assert world.chains("look") == [["desk", "twin"]]


async def test_a_receiver_cannot_do_what_its_giver_may_not(make_world):
    world = make_world(grants={"look": {"q": ANY}, "alice": {"task": ANY}})
    result = await Runner.run(pair(world.halo, [over("bob"), "alice goes on"], [LOOK]), "go")
    assert "a hand-off to this agent" in told(result)[0]
    assert world.effects("bob") == ["deny"]
    assert (result.final_output, RAN) == ("alice goes on", [])


def test_originals_are_not_changed(halo):
    first, second = agent("alice", []), agent("bob", [], [function_tool(look)])
    first.handoffs, second.handoffs = [second, handoff(second)], [first]
    before = [(dict(vars(item)), list(item.tools), list(item.handoffs)) for item in (first, second)]
    guarded = halo.guard(first)
    assert [(dict(vars(item)), list(item.tools), list(item.handoffs)) for item in (first, second)] == before
    assert type(guarded) is not type(first)
    assert isinstance(guarded, Agent)
    assert guarded.handoffs[0]._agent_ref() is guarded.handoffs[1]._agent_ref()  # one copy of each
    assert guarded.handoffs[0]._agent_ref().handoffs[0]._agent_ref() is guarded
    assert halo.guard(guarded) is guarded


async def test_a_clone_of_a_guarded_agent_is_guarded(world, halo):
    guarded = halo.guard(agent("worker", [LOOK], [halo.guard(look, resource=trusted("forbidden"))]))
    result = await Runner.run(guarded.clone(instructions="other"), "go")
    assert "policy_denied" in told(result)[0]
    assert world.effects("look") == ["deny"]


def test_terms_for_nobody_are_refused(world, halo):
    bob = agent("bob", ["done"])
    cleo = agent("cleo", ["done"])
    bob.handoffs = [handoff(cleo)]
    alice = agent("alice", ["done"])
    alice.handoffs = [bob]
    with pytest.raises(ConfigError, match="no_such_agent") as caught:
        halo.guard(alice, give={"bobb": HandOff(lifetime_s=60)})
    assert caught.value.field == "give"
    assert "alice, bob, cleo" in str(caught.value)
    halo.guard(alice, give={"cleo": HandOff(lifetime_s=60)})
