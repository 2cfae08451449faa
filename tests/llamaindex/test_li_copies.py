"""Copies of guarded copies, what is kept of them, and tools that are not what they look like."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from li_world import CARD, Member, Shelf, run, told, trusted
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCall, ToolCallResult
from llama_index.core.llms import MockLLM
from llama_index.core.objects import ObjectRetriever
from llama_index.core.tools import FunctionTool, ToolOutput
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from workflows.errors import ContextStateError

from halo_core.enforcement.guards import get_guard
from halo_core.errors import ConfigError
from halo_llamaindex.testing import ScriptedLLM, call


def look(q: str) -> str:
    """Look."""
    return f"saw {q}"


# kept, and copied


class Asks(Workflow):
    @step
    async def go(self, ctx: Context, ev: StartEvent) -> StopEvent:
        llm = await ctx.store.get("llm")
        return StopEvent(result=str(llm.complete("private words")))


@pytest.mark.parametrize("made", [MockLLM, lambda: FunctionAgent(llm=MockLLM())], ids=["model", "agent"])
def test_what_a_context_keeps_of_a_guarded_thing_does_not_come_back_unguarded(world, made):
    flow, guarded = world.halo.guard(Asks()), world.halo.guard(made())

    async def kept() -> dict[str, Any]:
        ctx = Context(flow)
        await ctx.store.set("llm", guarded)
        try:
            return ctx.to_dict()
        except ContextStateError:
            pytest.skip("this release serializes no context before its run")

    async def restored(told: dict[str, Any]) -> Any:
        return await flow.run(ctx=Context.from_dict(flow, told))

    with pytest.raises((ConfigError, ValueError), match=r"comes back from nowhere|serializ"):
        asyncio.run(restored(asyncio.run(kept())))
    assert world.kinds() == []


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda item: item.model_copy(deep=True),
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """No garbage collection: it would remove other agents from a table of weak references that deep copies walk.

    The table is of the framework, which leaves every agent of the process in it.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_copy_of_a_guarded_copy_is_guarded(make_world, way, mode):
    world = make_world(mode)
    model = COPIES[way](world.halo.guard(ScriptedLLM(script=["hi"], model="m")))
    assert model.complete("x").text == "hi"
    tool = world.halo.guard(look, resource=trusted())
    agent = COPIES[way](world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=["hi"]))))
    assert str(run(agent)) == "hi"
    assert world.kinds() == [("m", "allow"), ("scripted", "allow")]


# what looks like a hand-off, or like nothing


class Found(ObjectRetriever[Any]):
    def __init__(self, *tools: Any) -> None:
        self.tools = list(tools)

    async def aretrieve(self, str_or_query_bundle: Any) -> list[Any]:
        return self.tools


def test_a_tool_that_only_has_the_hand_offs_name_is_a_tool(world):
    ran: list[Any] = []

    def handoff(to_agent: str, reason: str, amount: int = 0) -> str:
        """Hand off."""
        ran.append(amount)
        return "ran"

    asked = call("x", ("handoff", {"to_agent": "bob", "reason": "r", "amount": 10**6}), id="m1")
    alice = FunctionAgent(
        name="alice",
        description="a",
        tool_retriever=Found(FunctionTool.from_defaults(handoff)),
        can_handoff_to=[],
        llm=Member(script=[asked, "x"], speaker="alice"),
    )
    bob = FunctionAgent(name="bob", description="b", llm=Member(script=["bob"], speaker="bob"))
    told(world.halo.guard(AgentWorkflow(agents=[alice, bob], root_agent="alice")))
    assert ran == []
    assert "bob" not in [name for name, _ in world.kinds()]


def test_what_a_hand_off_is_called_with_beside_its_own_goes_nowhere(world):
    asked = call("x", ("handoff", {"to_agent": "bob", "reason": "r", "amount": 10**6}), id="m1")
    alice = FunctionAgent(name="alice", description="a", llm=Member(script=[asked, "x"], speaker="alice"))
    bob = FunctionAgent(name="bob", description="b", llm=Member(script=["bob"], speaker="bob"))
    assert told(world.halo.guard(AgentWorkflow(agents=[alice, bob], root_agent="alice")))[1] == "bob"


def test_an_agent_class_that_calls_tools_in_a_step_of_its_own_gets_them_gated(world):
    ran: list[str] = []

    def raw(q: str) -> str:
        """Do it."""
        ran.append(q)
        return "x"

    class Mine(FunctionAgent):
        @step
        async def call_tool(self, ctx: Context, ev: ToolCall) -> ToolCallResult:
            tools = {tool.metadata.name: tool for tool in await self.get_tools(ev.tool_name)}
            try:
                output = await tools[ev.tool_name].acall(**ev.tool_kwargs)
            except PermissionError as denied:
                output = ToolOutput(content=str(denied), tool_name="raw", raw_input={}, raw_output="", is_error=True)
            return ToolCallResult(
                tool_name=ev.tool_name,
                tool_kwargs=ev.tool_kwargs,
                tool_id=ev.tool_id,
                tool_output=output,
                return_direct=False,
            )

    script = [call("c", ("raw", {"q": "1"}), id="m")]
    told(world.halo.guard(Mine(tools=[raw], llm=ScriptedLLM(script=script))))
    assert ran == []
    assert world.effects("raw") == ["deny"]


# functions


def traced(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@traced
async def fetch(url: str) -> str:
    """Fetch."""
    await asyncio.sleep(0)
    if url == "bad":
        raise ValueError("no")
    return f"card {CARD}"


def test_a_coroutine_of_a_decorated_function_ends_when_it_ends(world):
    tool = FunctionTool.from_defaults(async_fn=fetch)
    assert CARD not in str(asyncio.run(world.halo.guard(tool, resource=trusted("masked")).acall(url="x")).content)
    plain = world.halo.guard(tool, resource=trusted(id="plain"))
    with pytest.raises(ValueError, match="no"):
        asyncio.run(plain.acall(url="bad"))
    assert world.outcomes() == ["success", "error"]


def test_an_asynchronous_function_is_bound_by_its_own_order(world):
    got: list[Any] = []

    def pay(amount: int, to: str) -> str:
        """Pay."""
        return "x"

    async def apay(to: str, amount: int) -> str:
        """Pay."""
        got.append((to, amount))
        return "x"

    tool = world.halo.guard(FunctionTool.from_defaults(fn=pay, async_fn=apay), resource=trusted())
    asyncio.run(tool.acall("bo", 5))
    assert got == [("bo", 5)]


def test_an_argument_that_has_the_name_of_one_by_position_is_refused(world):
    got: list[Any] = []

    def take(x: int, /, **more: Any) -> str:
        """Take."""
        got.append((x, more))
        return "x"

    tool = world.halo.guard(FunctionTool.from_defaults(take), resource=trusted())
    with pytest.raises(PermissionError, match="arguments"):
        tool.call(1, x=2)
    assert got == []


def test_a_default_stays_the_functions_own_object(world):
    def memo(q: str, seen: dict[str, int] = {}) -> str:  # noqa: B006  what it is about
        """Remember."""
        seen[q] = 1
        return str(len(seen))

    tool = world.halo.guard(FunctionTool.from_defaults(memo), resource=trusted())
    assert [tool.call(q=word).content for word in "abc"] == ["1", "2", "3"]


def test_shelves_are_copied_with_their_guard(world):
    retriever = copy.deepcopy(world.halo.guard(Shelf("a"), resource=trusted()))
    assert get_guard(retriever) is not None
    assert len(retriever.retrieve("q")) == 1
