"""Whoever acts in a run is who the host's own code in it acts as: callbacks, and what a tool leaves running."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import (
    GuardrailFunctionOutput,
    RunConfig,
    RunHooks,
    Runner,
    ToolGuardrailFunctionOutput,
    handoff,
    output_guardrail,
    tool_output_guardrail,
)
from oa_world import LOOK, PAY, RAN, agent, by_hand, look, pay, trusted

from halo_core.errors import Denied
from halo_core.model import ANY_OTHER, ActionKind, Constraint
from halo_openai_agents import HandOff
from halo_openai_agents.testing import call

ANY = {ANY_OTHER: Constraint.anything()}
TO_BOB = call("to bob", ("transfer_to_bob", {}), id="a1")
PLACES = ["instructions", "tool guardrail", "output guardrail", "on_handoff", "model filter", "hooks"]


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


def reads(*agents: str) -> HandOff:
    """Terms under which nobody pays."""
    return HandOff(
        grants={
            ActionKind.INFERENCE: {"scripted": ANY},
            ActionKind.TOOL_CALL: {"look": ANY},
            ActionKind.HANDOFF: dict.fromkeys(agents, ANY),
        }
    )


class Places(RunHooks[Any]):
    """Code of the host's wherever the SDK calls some, which runs an agent at one place."""

    def __init__(self, place: str, checker: Any) -> None:
        self.place, self.checker = place, checker

    async def act(self, at: str) -> None:
        if at == self.place:
            await Runner.run(self.checker, "check")

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        if tool.name == "look":
            await self.act("hooks")

    async def instructions(self, _context: Any, _agent: Any) -> str:
        await self.act("instructions")
        return "be brief"

    async def after_tool(self, _data: Any) -> ToolGuardrailFunctionOutput:
        await self.act("tool guardrail")
        return ToolGuardrailFunctionOutput.allow()

    async def after_all(self, _context: Any, _agent: Any, _output: Any) -> GuardrailFunctionOutput:
        await self.act("output guardrail")
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    async def on_handing(self, _context: Any) -> None:
        await self.act("on_handoff")

    async def model_filter(self, data: Any) -> Any:
        if data.agent.name == "bob":
            await self.act("model filter")
        return data.model_data


@pytest.mark.parametrize("place", PLACES)
async def test_a_callback_of_a_receiver_acts_as_the_receiver(world, halo, place):
    checker = halo.guard(agent("checker", [PAY], [halo.guard(pay, resource=trusted())]))
    code = Places(place, checker)
    tool = halo.guard(look, resource=trusted())
    tool.tool_output_guardrails = [tool_output_guardrail(code.after_tool)]
    rails = [output_guardrail(code.after_all)]
    bob = agent("bob", [LOOK, "done"], [tool], instructions=code.instructions, output_guardrails=rails)
    alice = agent("alice", [TO_BOB], handoffs=[handoff(bob, on_handoff=code.on_handing)])
    options = halo.run_options(run_config=RunConfig(call_model_input_filter=code.model_filter), hooks=code)
    await Runner.run(halo.guard(alice, give={"bob": reads()}), "go", **options)
    assert "x" in RAN
    assert ("bo", 5) not in RAN
    assert set(world.effects("pay")) == {"deny"}
    assert {tuple(chain) for chain in world.chains("pay")} == {("desk", "alice", "bob")}


async def test_what_a_callback_enters_is_entered_by_the_receiver(make_world):
    world = make_world()
    halo = world.halo
    halo.register_agent("research")
    tool = halo.guard(look, resource=trusted())

    async def instructions(_context: Any, _agent: Any) -> str:
        async with halo.agent_scope("research"):
            await tool.on_invoke_tool(*by_hand(tool, {"q": "x"}))
        return "be brief"

    alice = agent("alice", [TO_BOB], handoffs=[agent("bob", ["done"], instructions=instructions)])
    await Runner.run(halo.guard(alice), "go")
    assert world.chains("research") == [["desk", "alice", "bob"]]
    assert world.chains("look") == [["desk", "alice", "bob", "research"]]


async def test_what_a_tool_leaves_running_acts_as_whoever_ran_the_tool(world, halo):
    tool = halo.guard(pay, resource=trusted())
    back, left = asyncio.Event(), []

    async def later() -> Any:
        await back.wait()
        return await tool.on_invoke_tool(*by_hand(tool, {"to": "bo", "amount": 5}))

    async def begin(q: str) -> str:
        """Begin."""
        left.append(asyncio.create_task(later()))
        return q

    async def finish() -> str:
        """Finish."""
        back.set()
        await asyncio.gather(*left, return_exceptions=True)
        return "finished"

    bob = agent(
        "bob",
        [call("b", ("begin", {"q": "x"}), id="b1"), call("back", ("transfer_to_alice", {}), id="b2")],
        [halo.guard(begin, resource=trusted(id="look"))],
    )
    alice = agent("alice", [TO_BOB, call("f", ("finish", {}), id="a2")], [halo.guard(finish, resource=trusted()), tool])
    alice.handoffs, bob.handoffs = [bob], [alice]
    await Runner.run(halo.guard(alice, give={"bob": reads("alice")}), "go")
    assert RAN == []
    assert world.chains("pay") == [["desk", "alice", "bob"]]
    with pytest.raises(Denied):
        left[0].result()
