"""Tools and models without a guard that code inside a guarded run calls by itself, past every runner."""

from __future__ import annotations

from typing import Any

import pytest
from agents import FunctionTool, ModelSettings, ModelTracing, Runner, function_tool
from oa_world import RAN, agent, by_hand, look, pay, told, trusted

from halo_core.errors import Denied
from halo_openai_agents.testing import ScriptedModel, call

DOES = call("do it", ("do_it", {"q": "x"}), id="m1")
FORBID_PAY = """
@id("t.base") permit (principal, action, resource);
@id("t.no-pay") forbid (principal, action == Action::"pay", resource);
@id("t.no-cheap") forbid (principal, action == Action::"cheap", resource);
"""


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


def doing(halo: Any, body: Any) -> Any:
    """A guarded agent with one tool, which does this."""

    async def do_it(q: str) -> str:
        """Do it."""
        return str(await body())

    return halo.guard(agent("worker", [DOES], [halo.guard(do_it, resource=trusted())]))


async def ask(model: Any, *, streamed: bool) -> str:
    given: tuple[Any, ...] = (None, "hi", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    more = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    if not streamed:
        return str((await model.get_response(*given, **more)).output[0].content[0].text)
    events = [event async for event in model.stream_response(*given, **more)]
    return str(events[-1].response.output[0].content[0].text)


async def test_a_tool_that_a_body_calls_is_decided(make_world):
    world = make_world(policy=FORBID_PAY)
    paying = function_tool(pay)

    async def body() -> Any:
        return await paying.on_invoke_tool(*by_hand(paying, {"to": "bo", "amount": 5}))

    result = await Runner.run(doing(world.halo, body), "go")
    assert "policy_denied" in told(result)[0]
    assert (RAN, world.effects("pay")) == ([], ["deny"])


async def test_the_original_of_a_guarded_tool_keeps_its_grant(world, halo):
    looking = function_tool(look)
    halo.guard(looking, resource=trusted())

    async def body() -> Any:
        return await looking.on_invoke_tool(*by_hand(looking, {"q": "rain"}))

    assert told(await Runner.run(doing(halo, body), "go")) == ["seen rain"]
    assert world.effects("look") == ["allow"]


async def test_another_tool_of_a_guarded_ones_name_takes_nothing_of_its(world, halo):
    halo.guard(function_tool(look), resource=trusted())
    other = function_tool(pay, name_override="look")

    async def body() -> Any:
        return await other.on_invoke_tool(*by_hand(other, {"to": "bo", "amount": 5}))

    result = await Runner.run(doing(halo, body), "go")
    assert "needs_guard" in told(result)[0]
    assert RAN == []


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_model_that_a_body_asks_is_decided(make_world, streamed):
    world = make_world(policy=FORBID_PAY)
    models = [ScriptedModel(["said"], model=name) for name in ("cheap", "strong")]

    async def body() -> Any:
        with pytest.raises(Denied):
            await ask(models[0], streamed=streamed)
        return await ask(models[1], streamed=streamed)

    assert told(await Runner.run(doing(world.halo, body), "go")) == ["said"]
    assert (world.effects("cheap"), world.effects("strong")) == (["deny"], ["allow"])


async def test_outside_of_a_guarded_run_nothing_is_decided(world, halo):
    looking = function_tool(look)
    await Runner.run(doing(halo, lambda: ask(ScriptedModel(["said"], model="inner"), streamed=False)), "go")
    decided = len(world.decisions())
    assert await looking.on_invoke_tool(*by_hand(looking, {"q": "x"})) == "seen x"
    assert await ask(ScriptedModel(["said"]), streamed=False) == "said"
    assert len(world.decisions()) == decided


async def test_a_tool_made_of_a_function_of_ones_own_is_not_seen(world, halo):
    async def invoke(_context: Any, _text: str) -> str:
        RAN.append("own")
        return "done"

    own = FunctionTool("own", "Own.", {"type": "object", "properties": {}}, invoke, strict_json_schema=False)

    async def body() -> Any:
        return await own.on_invoke_tool(*by_hand(own, {}))

    assert told(await Runner.run(doing(halo, body), "go")) == ["done"]
    assert world.effects("own") == []
