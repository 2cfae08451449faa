"""Pauses: a challenge as the SDK's interruption, answered in the ledger and nowhere else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, RunState, ToolGuardrailFunctionOutput, function_tool, tool_input_guardrail
from oa_world import LOOK, PAY, RAN, agent, look, pay, stored, streamed, told, trusted

from halo_core.errors import ConfigError, Pending
from halo_core.model import EntryKind
from halo_openai_agents.testing import call


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def payer(halo: Any, *script: Any, **more: Any) -> Agent[Any]:
    tools = [halo.guard(pay, resource=trusted("asked")), halo.guard(look, resource=trusted())]
    return halo.guard(agent("payer", script or [PAY], tools, **more))


async def first(halo: Any, guarded: Any, **options: Any) -> Any:
    return await Runner.run(guarded, "pay bo 5", **halo.run_options(pausing=True), **options)


async def again(halo: Any, guarded: Any, state: Any) -> Any:
    return await Runner.run(guarded, await asyncio.to_thread(halo.resume, state), **halo.run_options(pausing=True))


async def test_an_approval_that_the_host_sets_approves_nothing(world, halo):
    guarded = payer(halo)
    for always in (False, True):
        result = await first(halo, guarded)
        state = await stored(guarded, result)
        for item in state.get_interruptions():
            state.approve(item, always_approve=always)
        result = await Runner.run(guarded, state, **halo.run_options(pausing=True))
        assert told(result)[0].startswith("pending ")  # the model hears what waits, and the run goes on
        assert result.final_output == "done"
    assert RAN == []
    assert set(world.effects("pay")) == {"challenge"}


async def test_a_rejection_that_the_host_sets_is_a_no(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded)
    state = result.to_state()
    state.reject(state.get_interruptions()[0], rejection_message="not today")
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    result = await Runner.run(guarded, state, **halo.run_options(pausing=True))
    assert told(result) == ["not today"]
    assert RAN == []


async def test_what_waits_is_named_without_a_value(world, halo):
    with halo.session("case-7"):
        result = await first(halo, payer(halo))
    (shown,) = halo.waiting(result)
    (asked,) = world.entries(EntryKind.APPROVAL_REQUEST)
    assert shown == {
        "type": "halo_challenge",
        "pending_id": asked.id,
        "decision_id": world.decisions("pay")[0].id,
        "resource": "pay",
        "reason": "large_amount",
        "message": shown["message"],
        "agent": "payer",
        "session": "case-7",
        "answer_with": f"halo approvals approve {asked.id} --as NAME",
    }
    assert "bo" not in shown["message"].split()


async def test_a_no_in_the_ledger_is_what_the_model_reads(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded)
    world.answer("deny", halo.waiting(result)[0]["pending_id"])
    result = await again(halo, guarded, await stored(guarded, result))
    assert "approval_denied" in told(result)[0]
    assert (result.final_output, RAN) == ("done", [])
    assert world.effects("pay") == ["challenge", "deny"]
    assert "approval_denied" in world.codes("pay")


async def test_a_state_that_is_gone_on_from_twice_runs_its_call_once(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded)
    kept = result.to_state().to_string()
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    results = [await again(halo, guarded, await RunState.from_string(guarded, kept)) for _ in range(2)]
    assert RAN == [("bo", 5)]
    assert [told(item) for item in results] == [["paid bo"], ["paid bo"]]  # the second is told what the first brought


async def test_arguments_that_were_changed_in_the_state_are_not_the_approved_ones(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded)
    world.answer("approve", halo.waiting(result)[0]["pending_id"])

    def change(kept: Any) -> None:
        text = json.dumps(kept).replace('\\"amount\\": 5', '\\"amount\\": 5000')
        kept.clear()
        kept.update(json.loads(text))
        kept["context"]["tool_invocations"] = {}  # the SDK's own check of them, too

    state = await stored(guarded, result, change)
    assert "5000" in state.to_string()
    result = await again(halo, guarded, state)
    assert RAN == []
    assert world.effects("pay") == ["challenge", "challenge"]  # another question


async def test_a_state_that_names_another_session_joins_none(world, halo):
    guarded = payer(halo)
    with halo.session("rich"):
        await Runner.run(payer(halo, LOOK), "look")
    result = await first(halo, guarded)

    def change(kept: Any) -> None:
        notes = kept["context"]["approvals"]["halo:waiting"]["rejection_messages"]
        told = json.loads(notes["halo:session"])
        notes["halo:session"] = json.dumps({**told, "id": "rich"})

    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    before = world.sessions()
    await again(halo, guarded, await stored(guarded, result, change))
    (new,) = world.sessions() - before
    assert new.startswith("run-")
    assert RAN == ["x", ("bo", 5)]  # the run that asked is over, so its answer serves the next one, once


async def test_notes_that_name_another_question_run_nothing(world, halo):
    guarded = payer(halo)
    with halo.session("s"):
        other = await first(halo, payer(halo, call("look", ("pay", {"to": "al", "amount": 1}), id="m1")))
        result = await first(halo, guarded)
        known = halo.waiting(other)[0]["pending_id"]
        world.answer("approve", known)

        def change(kept: Any) -> None:
            notes = kept["context"]["approvals"]["halo:waiting"]["rejection_messages"]
            notes["m1-call-0"] = json.dumps({**json.loads(notes["m1-call-0"]), "pending_id": known})

        result = await again(halo, guarded, await stored(guarded, result, change))
    assert RAN == []
    assert told(result)[0].startswith("pending ")


async def test_notes_that_are_gone_leave_the_call_waiting(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded)
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    state = await stored(guarded, result, lambda kept: kept["context"]["approvals"].clear())
    result = await again(halo, guarded, state)
    assert len(result.interruptions) == 1
    assert halo.waiting(result) == []
    assert RAN == []


async def test_no_key_passport_or_link_is_in_what_is_kept(world, halo):
    guarded = payer(halo)
    result = await first(halo, guarded, context={"mine": "kept"})
    kept = result.to_state().to_string()
    assert '"mine": "kept"' in kept
    assert halo.waiting(result)[0]["pending_id"] in kept
    assert "eyJ" not in kept
    assert '"bo"' not in json.dumps(json.loads(kept)["context"]["approvals"])


async def test_siblings_of_what_waits_run_once(world, halo):
    both = call("both", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 5}), id="m1")
    guarded = payer(halo, both)
    result = await first(halo, guarded)
    assert RAN == ["x"]
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    result = await again(halo, guarded, await stored(guarded, result))
    assert RAN == ["x", ("bo", 5)]
    assert told(result) == ["seen x", "paid bo"]
    assert world.effects("look") == ["allow"]


async def test_the_hosts_own_question_comes_first_and_answers_none_of_ours(world, halo):
    tool = halo.guard(function_tool(pay, needs_approval=True), resource=trusted("asked"))
    guarded = halo.guard(agent("payer", [PAY], [tool]))
    for pausing in (True, False):
        options = halo.run_options(pausing=pausing)
        result = await Runner.run(guarded, "go", **options)
        assert len(result.interruptions) == 1
        assert halo.waiting(result) == []
        assert world.effects("pay") == [] if pausing else True
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await Runner.run(guarded, state, **options)
        assert told(result)[0].startswith("pending ")
    assert RAN == []


async def test_the_hosts_own_question_about_an_allowed_call_is_all_there_is(world, halo):
    asked: list[Any] = []

    async def needs(_context: Any, params: Any, call_id: str) -> bool:
        asked.append((params, call_id))
        return params["q"] == "x"

    tool = halo.guard(function_tool(look, needs_approval=needs), resource=trusted())
    both = call("both", ("look", {"q": "x"}), ("look", {"q": "y"}), id="m1")
    guarded = halo.guard(agent("looker", [both], [tool]))
    for pausing in (True, False):
        RAN.clear()
        result = await Runner.run(guarded, "go", **halo.run_options(pausing=pausing))
        assert RAN == ["y"]
        state = await asyncio.to_thread(halo.resume, result)
        state.approve(result.interruptions[0])
        result = await Runner.run(guarded, state, **halo.run_options(pausing=pausing))
        assert RAN == ["y", "x"]
        assert sorted(told(result)) == ["seen x", "seen y"]
    assert world.effects("look") == ["allow"] * 4
    assert asked[0] == ({"q": "x"}, "m1-call-0")


async def test_a_guardrail_before_the_question_still_stands_before_it(world, halo):
    @tool_input_guardrail
    def no(_data: Any) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.reject_content("mine says no")

    tool = function_tool(pay)
    tool.tool_input_guardrails = [no]
    guarded = halo.guard(agent("payer", [PAY], [halo.guard(tool, resource=trusted("asked"))]))
    config = RunConfig(tool_execution={"pre_approval_tool_input_guardrails": True})
    result = await Runner.run(guarded, "go", **halo.run_options(run_config=config, pausing=True))
    assert told(result) == ["mine says no"]
    assert (result.interruptions, RAN) == ([], [])


async def test_json_that_the_sdk_cannot_ask_about_is_refused_by_the_guard(world, halo):
    class Garbled(type(agent("x", []).model)):
        def say(self, given: Any) -> Any:
            answer = super().say(given)
            for item in answer.output:
                if item.type == "function_call":
                    item.arguments = "{"
            return answer

    tools = [halo.guard(pay, resource=trusted("asked"))]
    guarded = halo.guard(Agent(name="payer", model=Garbled([PAY]), tools=tools))
    result = await first(halo, guarded)
    assert len(result.interruptions) == 1  # the SDK asks a person about what it cannot read
    result = await again(halo, guarded, result)
    assert "invalid_arguments" in told(result)[0]
    assert world.codes("pay") == ["invalid_arguments"]


async def test_a_streamed_run_pauses_and_goes_on(world, halo):
    guarded = payer(halo)
    result = await streamed(guarded, "go", **halo.run_options(pausing=True))
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    state = await asyncio.to_thread(halo.resume, result)
    result = await streamed(guarded, state, **halo.run_options(pausing=True))
    assert (told(result), RAN) == (["paid bo"], [("bo", 5)])


# several agents


async def test_a_question_of_an_agent_that_was_handed_to_is_gone_on_with_under_its_link(world, halo):
    bob = agent("bob", [PAY], [halo.guard(pay, resource=trusted("asked"))])
    guarded = halo.guard(agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob]))
    result = await first(halo, guarded)
    assert len(world.entries(EntryKind.HANDBACK)) == 0  # who waits keeps the link
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    result = await again(halo, guarded, await stored(guarded, result))
    assert RAN == [("bo", 5)]
    assert told(result)[-1] == "paid bo"
    assert world.chains("pay") == [["desk", "alice", "bob"]] * 2


async def test_a_no_to_an_agent_that_was_handed_to_is_decided_as_that_agents(world, halo):
    bob = agent("bob", [PAY], [halo.guard(pay, resource=trusted("asked"))])
    guarded = halo.guard(agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob]))
    result = await first(halo, guarded)
    world.answer("deny", halo.waiting(result)[0]["pending_id"])
    result = await again(halo, guarded, await stored(guarded, result))
    assert "approval_denied" in told(result)[-1]
    assert world.chains("pay") == [["desk", "alice", "bob"]] * 2


async def test_a_question_inside_of_an_agent_as_a_tool_comes_up_and_goes_down_again(world, halo):
    inner = agent("helper", [PAY], [halo.guard(pay, resource=trusted("asked"))])
    tool = inner.as_tool("ask_helper", "Ask.")
    outer = agent("boss", [call("ask", ("ask_helper", {"input": "pay bo"}), id="b1")], [tool])
    guarded = halo.guard(outer)
    result = await first(halo, guarded)
    assert [item["agent"] for item in halo.waiting(result)] == ["helper"]
    assert (RAN, world.outcomes().count("paused")) == ([], 2)  # the tool, and the agent inside of it
    again_open = await again(halo, guarded, await stored(guarded, result))
    assert [item["pending_id"] for item in halo.waiting(again_open)] == [halo.waiting(result)[0]["pending_id"]]
    world.answer("approve", halo.waiting(result)[0]["pending_id"])
    result = await again(halo, guarded, await stored(guarded, again_open))
    assert RAN == [("bo", 5)]
    assert (told(result), result.final_output) == (["done"], "done")
    assert {tuple(chain) for chain in world.chains("pay")} == {("desk", "helper")}


# where nothing waits


async def test_a_tool_that_is_called_by_itself_raises_what_waits(world, halo):
    from oa_world import by_hand

    tool = halo.guard(pay, resource=trusted("asked"))
    with pytest.raises(Pending) as pending:
        await tool.on_invoke_tool(*by_hand(tool, {"to": "bo", "amount": 5}))
    assert pending.value.pending_id == world.entries(EntryKind.APPROVAL_REQUEST)[0].id


async def test_a_challenged_model_call_ends_the_run_until_somebody_has_answered(make_world):
    policy = (
        '@id("t.base") permit (principal, action, resource);\n'
        '@id("t.ask") @effect("challenge") forbid (principal, action in Action::"inference", resource);\n'
    )
    world = make_world(policy=policy)
    guarded = world.halo.guard(agent("worker", ["hello"]))
    with world.halo.session("s"):
        with pytest.raises(Pending) as pending:
            await Runner.run(guarded, "go", **world.halo.run_options(pausing=True))
        world.answer("approve", pending.value.pending_id)
        result = await Runner.run(guarded, "go", **world.halo.run_options(pausing=True))
    assert result.final_output == "hello"


async def test_a_challenged_hand_off_is_told_and_the_giver_goes_on(make_world):
    policy = (
        '@id("t.base") permit (principal, action, resource);\n'
        '@id("t.ask") @effect("challenge") forbid (principal, action == Action::"bob", resource);\n'
    )
    world = make_world(policy=policy)
    guarded = world.halo.guard(
        agent("alice", [call("over", ("transfer_to_bob", {}), id="m0"), "alice goes on"], handoffs=[agent("bob", [])])
    )
    result = await Runner.run(guarded, "go", **world.halo.run_options(pausing=True))
    assert told(result)[0].startswith("pending ")
    assert result.final_output == "alice goes on"


@pytest.mark.parametrize("way", ["resume", "waiting"])
def test_what_is_no_run_is_refused(halo, way):
    with pytest.raises(ConfigError, match="not_a_run"):
        getattr(halo, way)(None)
