"""Arguments: what was decided is what runs, whichever validators, defaults and aliases stand before the function."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import pytest
from agents import FunctionTool, Runner, function_tool
from oa_world import RAN, agent, told, trusted
from pydantic import BeforeValidator, Field

from halo_openai_agents.testing import call

NO_MORE_THAN_100 = """
@id("t.base") permit (principal, action, resource);
@id("t.big") forbid (principal, action == Action::"pay", resource)
  when { context.args has amount && context.args.amount > 100 };
"""
AMOUNTS = itertools.cycle([1, 1000])  # the first is decided, and a second one would run


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


def hundredths(k: Annotated[int, BeforeValidator(lambda value: value * 100)]) -> str:
    """The model says units."""
    RAN.append(k)
    return f"top {k}"


def aliased(k: Annotated[int, Field(alias="limit")]) -> str:
    """Top."""
    RAN.append(k)
    return f"top {k}"


def aliased_for_reading(k: int = Field(..., validation_alias="limit")) -> str:
    """Top."""
    RAN.append(k)
    return f"top {k}"


def pay(to: str, amount: int = Field(default_factory=lambda: next(AMOUNTS))) -> str:
    """Pay."""
    RAN.append(amount)
    return f"paid {to}"


async def once(halo: Any, tool: Any, args: dict[str, Any], *, pausing: bool = False) -> list[str]:
    guarded = halo.guard(agent("worker", [call("so", (tool.name, args), id="m1")], [tool]))
    return told(await Runner.run(guarded, "go", **halo.run_options(pausing=pausing)))


@pytest.mark.parametrize("pausing", [True, False])
async def test_a_validator_does_not_change_what_was_narrowed(world, halo, pausing):
    tool = halo.guard(hundredths, resource=trusted("clamped"))
    assert await once(halo, tool, {"k": 10}, pausing=pausing) == ["top 2"]
    assert RAN == [2]


async def test_a_default_is_made_once(make_world):
    world = make_world(policy=NO_MORE_THAN_100)
    tool = world.halo.guard(function_tool(pay, strict_mode=False), resource=trusted())
    for _ in range(4):
        await once(world.halo, tool, {"to": "bo"})
    assert RAN == [1, 1]
    assert world.effects("pay") == ["allow", "deny", "allow", "deny"]


@pytest.mark.parametrize("function", [aliased, aliased_for_reading])
async def test_an_argument_is_decided_under_its_parameters_name(world, halo, function):
    tool = halo.guard(function, resource=trusted("clamped"))
    assert await once(halo, tool, {"limit": 10}) == ["top 2"]
    assert RAN == [2]


async def test_an_alias_under_an_open_grant_is_narrowed_too(world, halo):
    def top(k: Annotated[int, Field(alias="limit")], größe: int = 1) -> str:  # noqa: PLC2401  no passport can name it
        """Top."""
        RAN.append((k, größe))
        return f"top {k}"

    tool = halo.guard(top, resource=trusted("clamped"))
    assert await once(halo, tool, {"limit": 10, "größe": 3}) == ["top 2"]
    assert RAN == [(2, 3)]


async def test_what_reads_the_json_by_itself_reads_what_was_decided(world, halo):
    async def invoke(_context: Any, text: str) -> str:
        RAN.append(text)
        return text

    schema = {"type": "object", "properties": {"k": {"type": "integer"}}}
    tool = FunctionTool("raw", "Raw.", schema, invoke, strict_json_schema=False)
    assert await once(halo, halo.guard(tool, resource=trusted("clamped")), {"k": 10}) == ['{"k": 2}']
