"""What the host puts in, copies or changes after the guard: it counts, and takes nothing that others were granted."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    ModelProvider,
    RunConfig,
    Runner,
    ToolGuardrailFunctionOutput,
    function_tool,
    tool_input_guardrail,
)
from oa_world import LOOK, PAY, RAN, agent, look, pay, told, trusted

from halo_openai_agents.testing import ScriptedModel, call


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


def stranger(name: str) -> FunctionTool:
    async def invoke(_context: Any, text: str) -> str:
        RAN.append(text)
        return "done"

    schema = {"type": "object", "properties": {"to": {"type": "string"}, "amount": {"type": "integer"}}}
    return FunctionTool(name, "Stranger.", schema, invoke, strict_json_schema=False)


@pytest.mark.parametrize("name", ["look", "look ", " look"])
async def test_a_tool_that_is_called_like_a_guarded_one_takes_nothing_of_its(world, halo, name):
    guarded = halo.guard(agent("worker", [call("so", (name, {}), id="m1")], [halo.guard(look, resource=trusted())]))
    guarded.tools = [stranger(name)]
    result = await Runner.run(guarded, "go")
    assert "needs_guard" in told(result)[0]
    assert RAN == []


# tools of runs that pause


@pytest.mark.parametrize("pausing", [True, False])
async def test_a_guardrail_that_was_set_later_counts(world, halo, pausing):
    @tool_input_guardrail
    def no(_data: Any) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.reject_content("mine says no")

    guarded = halo.guard(agent("payer", [PAY], [halo.guard(pay, resource=trusted())]))
    options = halo.run_options(pausing=pausing)
    assert told(await Runner.run(guarded, "go", **options)) == ["paid bo"]
    guarded.tools[0].tool_input_guardrails = [no]
    assert told(await Runner.run(guarded, "go", **options)) == ["mine says no"]
    assert RAN == [("bo", 5)]


async def test_a_copy_has_its_own_question(world, halo):
    guarded = halo.guard(agent("payer", [PAY], [halo.guard(pay, resource=trusted())]))
    options = halo.run_options(pausing=True)
    await Runner.run(guarded, "go", **options)
    asking = copy.copy(guarded.tools[0])
    asking.needs_approval = True
    result = await Runner.run(halo.guard(agent("other", [PAY], [asking])), "go", **options)
    assert len(result.interruptions) == 1
    assert RAN == [("bo", 5)]


@pytest.mark.parametrize("pausing", [True, False])
@pytest.mark.parametrize("kind", [pay, stranger("pay")])
async def test_a_copy_under_another_name_is_decided_once(world, halo, pausing, kind):
    tool = halo.guard(kind, resource=trusted("forbidden"))
    renamed = dataclasses.replace(tool, name="pay2")
    script = [call("paying", ("pay2", {"to": "bo", "amount": 5}), id="m1")]
    guarded = halo.guard(agent("payer", script, [renamed]))
    result = await Runner.run(guarded, "go", **halo.run_options(pausing=pausing))
    assert "policy_denied" in told(result)[0]
    assert world.effects("pay") == ["deny"]
    assert RAN == []


# the host's own questions


class Garbled(ScriptedModel):
    """Writes an argument twice."""

    def say(self, model_input: Any) -> Any:
        answer = super().say(model_input)
        for item in answer.output:
            if item.type == "function_call":
                item.arguments = '{"to": "bo", "amount": 5, "amount": 9}'
        return answer


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_what_the_host_asks_is_not_answered_by_us(make_world, mode):
    halo = make_world(mode).halo
    tool = halo.guard(function_tool(pay, needs_approval=True), resource=trusted())
    guarded = halo.guard(Agent(name="payer", model=Garbled([PAY]), tools=[tool]))
    options = halo.run_options(pausing=True)
    result = await Runner.run(guarded, "go", **options)
    result = await Runner.run(guarded, await asyncio.to_thread(halo.resume, result), **options)
    assert RAN == []
    assert len(result.interruptions) == 1


# models


@dataclasses.dataclass
class Unhashable(ScriptedModel):
    """As a dataclass is, unless it is frozen."""

    name: str

    def __post_init__(self) -> None:
        super().__init__([LOOK, "hi"], model=self.name)


async def test_models_that_cannot_be_hashed_are_guarded_too(world, halo):
    class Provider(ModelProvider):
        def get_model(self, model_name: str | None) -> Any:
            return Unhashable(model_name or "some")

    guarded = halo.guard(Agent(name="a", model="some", tools=[halo.guard(look, resource=trusted())]))
    result = await Runner.run(guarded, "go", run_config=RunConfig(model_provider=Provider()))
    assert result.final_output == "hi"
    assert world.effects("some") == ["allow", "allow"]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize("later", [True, False])
async def test_a_namesake_without_a_guard_makes_no_ledger_look_changed(make_world, mode, later):
    def namesake(places: list[str]) -> str:
        """Look at places."""
        return "elsewhere"

    world = make_world(mode=mode)
    halo = world.halo
    first = halo.guard(agent("worker", [call("l", ("look", {"q": "x"}), id="m1")], [halo.guard(look)]))
    await Runner.run(first, "go", **halo.run_options())
    other = function_tool(namesake, name_override="look")
    script = [call("l", ("look", {"places": ["x"]}), id="m2")]
    second = halo.guard(agent("other", script, [] if later else [other]), grants=False)
    second.tools += [other] if later else []
    result = await Runner.run(second, "go", **halo.run_options())
    assert (told(result) == ["elsewhere"]) == (mode == "observe")
    assert world.effects("look") == ["allow", "deny"]
    world.run("verify")
