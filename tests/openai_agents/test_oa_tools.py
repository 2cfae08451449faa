"""Tools: what stands before one, whichever way it is reached, and that nothing else changes about it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    RunContextWrapper,
    Runner,
    ToolGuardrailFunctionOutput,
    UserError,
    function_tool,
    tool_input_guardrail,
)
from agents.run_config import ToolErrorFormatterArgs
from agents.tool_context import ToolContext
from oa_world import LOOK, RAN, agent, by_hand, look, told, top, trusted
from pydantic import BaseModel

from halo_core.errors import ConfigError, Denied
from halo_openai_agents.testing import call

pytestmark = pytest.mark.smoke


class Order(BaseModel):
    to: list[str]


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def raw(name: str, schema: Any = None) -> FunctionTool:
    """A tool that is no function of Python's: its body gets the JSON."""

    async def invoke(context: ToolContext[Any], text: str) -> str:
        RAN.append(text)
        return f"ran {text}"

    schema = schema or {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    return FunctionTool(name, "Raw.", schema, invoke, strict_json_schema=False)


# every way to one


async def test_whoever_holds_a_guarded_tool_is_decided(world, halo):
    tool = halo.guard(look, resource=trusted("forbidden"))
    for _ in range(2):
        with pytest.raises(Denied):
            await tool.on_invoke_tool(*by_hand(tool, {"q": "x"}))
    with pytest.raises(Denied):
        await asyncio.to_thread(tool.__wrapped__, "x")
    with pytest.raises(Denied):
        await tool.on_invoke_tool(None, '{"q": "x"}')  # no context of the SDK's at all
    assert RAN == []
    assert world.effects("look") == ["deny"] * 4


async def test_a_denial_inside_a_tool_reaches_whoever_called_it(halo):
    inner = halo.guard(look, resource=trusted("forbidden"))

    def outer(q: str) -> str:
        """Look by way of another tool."""
        return str(inner.__wrapped__(q))

    tool = halo.guard(outer, resource=trusted())
    with pytest.raises(Denied):
        await asyncio.to_thread(tool.__wrapped__, "x")
    with pytest.raises(Denied):
        await tool.on_invoke_tool(*by_hand(tool, {"q": "x"}))
    asks = halo.guard(agent("worker", [call("asking", ("outer", {"q": "x"}), id="m1")], [tool]))
    result = await Runner.run(asks, "go", **halo.run_options())
    assert told(result)[0].startswith("deny `look`")
    assert RAN == []


async def test_copies_stay_guarded(world, halo):
    tool = halo.guard(look, resource=trusted("forbidden"))
    for made in (copy.copy(tool), dataclasses.replace(tool, name="other"), dataclasses.replace(tool, is_enabled=False)):
        with pytest.raises(Denied):
            await made.on_invoke_tool(*by_hand(made, {"q": "x"}))
    assert RAN == []
    assert world.effects("look") == ["deny"] * 3


async def test_a_tool_whose_invoker_was_replaced_is_one_without_a_guard(world, halo):
    tool = halo.guard(raw("raw"), resource=trusted("forbidden"))
    tool.on_invoke_tool = raw("raw").on_invoke_tool
    guarded = halo.guard(agent("worker", [call("raw", ("raw", {"q": "x"}), id="m1")], [tool]), grants=False)
    result = await Runner.run(guarded, "go", **halo.run_options())
    assert RAN == []
    assert "needs_guard" in told(result)[0]  # whatever else has its name
    assert world.effects("raw") == ["deny"]


async def test_a_raw_tool_is_decided_on_its_json_and_gets_it_as_it_came(world, halo):
    tool = halo.guard(raw("raw"), resource=trusted())
    text = '{ "q" : "x" }'
    assert await tool.on_invoke_tool(*by_hand(tool, text)) == f"ran {text}"
    assert [text] == RAN


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"q": 1}', '{"q": "x", "q": "y"}', '{"other": "x"}', '{"q": NaN}', '"x"'],
)
async def test_json_that_does_not_fit_is_refused_and_recorded(world, halo, text):
    tool = halo.guard(raw("raw"), resource=trusted())
    with pytest.raises(Denied) as denied:
        await tool.on_invoke_tool(*by_hand(tool, text))
    assert denied.value.reason == "invalid_arguments"
    assert RAN == []
    assert world.codes("raw") == ["invalid_arguments"]


async def test_a_name_that_nobody_declared_is_refused_where_the_schema_is_closed(world, halo):
    closed = {"type": "object", "properties": {"q": {"type": "string"}}, "additionalProperties": False}
    tool = halo.guard(raw("raw", closed), resource=trusted())
    with pytest.raises(Denied):
        await tool.on_invoke_tool(*by_hand(tool, {"q": "x", "admin": True}))
    assert RAN == []


# what is decided is what runs


async def test_defaults_and_coerced_values_are_decided(make_world):
    policy = (
        '@id("t.base") permit (principal, action, resource);\n'
        '@id("t.much") forbid (principal, action == Action::"pay", resource) '
        "when { context.args has amount && context.args.amount > 100 };\n"
    )
    world = make_world(policy=policy)

    def pay(to: str, amount: int = 500) -> str:
        """Pay."""
        RAN.append((to, amount))
        return "paid"

    tool = world.halo.guard(pay, resource=trusted())
    for args in ({"to": "bo"}, {"to": "bo", "amount": "666"}):
        with pytest.raises(Denied):
            await tool.on_invoke_tool(*by_hand(tool, args))
    await tool.on_invoke_tool(*by_hand(tool, {"to": "bo", "amount": "5"}))
    assert RAN == [("bo", 5)]


async def test_a_tool_that_reads_its_own_context_reads_what_was_decided(world, halo):
    async def invoke(context: ToolContext[Any], text: str) -> str:
        RAN.append((text, context.tool_arguments, context.tool_call.arguments))
        return "ran"

    schema = {"type": "object", "properties": {"k": {"type": "integer"}}}
    tool = FunctionTool("top", "Top.", schema, invoke, strict_json_schema=False)
    guarded = halo.guard(
        agent("worker", [call("top", ("top", {"k": 50}), id="m1")], [halo.guard(tool, resource=trusted("clamped"))])
    )
    await Runner.run(guarded, "go")
    assert RAN == [('{"k": 2}',) * 3]


async def test_a_guardrail_that_rewrites_arguments_changes_what_is_decided(world, halo):
    @tool_input_guardrail
    def rewrite(data: Any) -> ToolGuardrailFunctionOutput:
        data.context.tool_call.arguments = '{"k": 42}'
        return ToolGuardrailFunctionOutput.allow()

    tool = function_tool(top)
    tool.tool_input_guardrails = [rewrite]
    guarded = halo.guard(
        agent("worker", [call("top", ("top", {"k": 1}), id="m1")], [halo.guard(tool, resource=trusted("clamped"))])
    )
    for pausing in (False, True):
        await Runner.run(guarded, "go", **halo.run_options(pausing=pausing))
    assert RAN == [2, 2]  # 42, clamped: whatever was said before, what runs was decided


async def test_arguments_of_python_are_a_snapshot(world, halo):
    def send(order: Order) -> str:
        """Send."""
        RAN.append(list(order.to))
        return "sent"

    tool = halo.guard(send, resource=trusted())
    order = Order(to=["ana"])
    await asyncio.to_thread(tool.__wrapped__, order)
    order.to[0] = "mallory"
    await tool.on_invoke_tool(*by_hand(tool, {"order": {"to": ["ana"]}}))
    assert RAN == [["ana"], ["ana"]]


# nothing else changes


async def test_a_tool_keeps_its_schema_its_context_and_its_way_with_errors(world, halo):
    @function_tool(failure_error_function=lambda _ctx, error: f"mine: {error}")
    def breaks(ctx: RunContextWrapper[Any], q: str) -> str:
        """Break."""
        RAN.append(ctx.context)
        raise ValueError(q)

    guarded = halo.guard(breaks, resource=trusted())
    assert guarded.params_json_schema == breaks.params_json_schema
    assert (guarded.name, guarded.description) == (breaks.name, breaks.description)
    worker = halo.guard(agent("worker", [call("b", ("breaks", {"q": "x"}), id="m1")], [guarded]))
    result = await Runner.run(worker, "go", context="mine")
    assert told(result) == ["mine: x"]
    assert RAN == ["mine"]
    assert world.outcomes().count("error") == 1


async def test_a_tool_that_raises_its_errors_goes_on_raising_them(world, halo):
    @function_tool(failure_error_function=None)
    def breaks(q: str) -> str:
        """Break."""
        raise ValueError(q)

    for tool in (breaks, halo.guard(breaks, resource=trusted())):
        worker = agent("worker", [call("b", ("breaks", {"q": "x"}), id="m1")], [tool])
        with pytest.raises(UserError, match="Error running tool breaks: x"):
            await Runner.run(halo.guard(worker) if tool is not breaks else worker, "go")


async def test_a_denial_is_told_even_where_a_tool_raises_its_errors(world, halo):
    tool = halo.guard(function_tool(look, failure_error_function=None), resource=trusted("forbidden"))
    result = await Runner.run(halo.guard(agent("worker", [LOOK], [tool])), "go")
    assert "policy_denied" in told(result)[0]
    assert RAN == []


async def test_a_tool_that_times_out_is_recorded_as_cancelled(world, halo):
    @function_tool(timeout=0.5)
    async def slow(q: str) -> str:
        """Wait."""
        RAN.append(q)
        await asyncio.sleep(60)
        return q

    worker = agent("worker", [call("s", ("slow", {"q": "x"}), id="m1")], [halo.guard(slow, resource=trusted())])
    result = await Runner.run(halo.guard(worker), "go")
    assert "timed out" in told(result)[0]
    assert world.outcomes().count("cancelled") == 1


@pytest.mark.skipif(
    "tool_exception" not in str(ToolErrorFormatterArgs.__annotations__["kind"]),
    reason="this release of the SDK asks no formatter about errors of tools",
)
async def test_the_hosts_formatter_of_tool_errors_is_still_asked(world, halo):
    def breaks(q: str) -> str:
        """Break."""
        raise ValueError(q)

    worker = halo.guard(
        agent(
            "worker",
            [call("b", ("breaks", {"q": "x"}), ("gone", {}), id="m1")],
            [halo.guard(breaks, resource=trusted())],
        )
    )
    asked: list[str] = []

    def formatter(args: Any) -> str | None:
        asked.append(args.kind)
        return "mine" if args.kind == "tool_exception" else None

    result = await Runner.run(worker, "go", **halo.run_options(run_config={"tool_error_formatter": formatter}))
    assert told(result)[0] == "mine"
    assert "unknown_tool" in told(result)[1]
    assert asked == ["tool_exception"]


# what cannot be guarded


def test_what_can_stand_nowhere_is_refused_with_what_can(halo):
    from agents import WebSearchTool, handoff

    for thing in (
        handoff(agent("other", [])),
        {"type": "function"},
        7,
    ):
        with pytest.raises(ConfigError) as refused:
            halo.guard(thing)
        assert refused.value.code == "not_guardable"
        assert refused.value.remedy
    with pytest.raises(ConfigError) as refused:
        halo.guard([look, WebSearchTool()])
    assert refused.value.code == "hosted_tool"
    assert halo.find_registered("look") is None  # all or none


def test_a_plain_function_in_an_agent_is_refused_with_what_to_pass(halo):
    def note(text: str) -> str:
        return text

    with pytest.raises(ConfigError) as refused:
        halo.guard(Agent(name="a", tools=[note]))
    assert refused.value.code == "not_guardable"
    assert "halo.guard(note)" in refused.value.remedy
