"""Guarded tools: every way in, what is validated, what the framework and the host fill in."""

from __future__ import annotations

import asyncio
import copy
import inspect
from datetime import date
from enum import Enum
from typing import Any, ClassVar

import pydantic
import pytest
from li_functions import remember
from li_world import CARD, Shelf, run, told, trusted
from llama_index.core import get_response_synthesizer
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import CustomQueryEngine, RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.tools import (
    AsyncBaseTool,
    BaseTool,
    FunctionTool,
    QueryEngineTool,
    RetrieverTool,
    ToolMetadata,
    ToolOutput,
)
from llama_index.core.tools.calling import call_tool
from llama_index.core.tools.query_plan import QueryPlanTool
from llama_index.core.tools.types import BaseToolAsyncAdapter

from halo_core.errors import ConfigError
from halo_llamaindex import ActionKind, Denied, Pending, Resource
from halo_llamaindex.testing import ScriptedLLM, call

pytestmark = pytest.mark.smoke


def pay(to: str, amount: int = 1) -> str:
    """Pay."""
    return f"paid {to} {amount}"


WAYS = [
    lambda tool: tool.call(to="bo"),
    lambda tool: asyncio.run(tool.acall(to="bo")),
    lambda tool: tool(to="bo"),
    lambda tool: tool.fn("bo"),
    lambda tool: asyncio.run(tool.async_fn("bo")),
    lambda tool: tool.real_fn("bo"),
    lambda tool: tool._fn(to="bo"),
    lambda tool: asyncio.run(tool._async_fn(to="bo")),
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_into_a_copy_is_decided_once(world, way):
    tool = FunctionTool.from_defaults(pay)
    allowed = world.halo.guard(tool, resource=trusted())
    assert "paid bo 1" in str(way(allowed))
    assert world.effects("pay") == ["allow"]
    assert world.outcomes() == ["success"]
    assert isinstance(allowed, FunctionTool)
    assert type(allowed) is FunctionTool
    assert tool.fn is pay  # the original is what it was


@pytest.mark.parametrize("way", WAYS)
def test_every_way_into_a_denied_copy_is_closed(world, way):
    tool = world.halo.guard(pay, resource=trusted("forbidden"))
    with pytest.raises(Denied) as denied:
        way(tool)
    assert denied.value.reason == "policy_denied"


def test_a_coroutine_is_decided_in_both_forms(world):
    async def look(q: str) -> str:
        """Look."""
        return f"seen {q}"

    tool = world.halo.guard(look, resource=trusted())
    assert inspect.iscoroutinefunction(tool.real_fn)
    assert str(tool.call(q="x")) == "seen x"
    assert str(asyncio.run(tool.acall(q="y"))) == "seen y"
    assert world.effects("look") == ["allow", "allow"]


def test_both_functions_of_a_tool_are_decided_each_by_itself(world):
    async def alook(q: str) -> str:
        return f"async {q}"

    def look(q: str) -> str:
        """Look."""
        return f"sync {q}"

    tool = world.halo.guard(FunctionTool.from_defaults(fn=look, async_fn=alook), resource=trusted())
    assert str(tool.call(q="x")) == "sync x"
    assert str(asyncio.run(tool.acall(q="y"))) == "async y"
    assert world.effects("look") == ["allow", "allow"]


# arguments


def test_what_does_not_fit_the_schema_is_refused_and_recorded(world):
    tool = world.halo.guard(pay, resource=trusted())
    for given in ({"to": "bo", "amount": "much"}, {"amount": 5}, {"to": "bo", "cc": "mallory"}):
        with pytest.raises(Denied) as denied:
            tool.call(**given)
        assert denied.value.reason == "invalid_arguments"
    assert world.reasons("pay") == [["invalid_arguments"]] * 3


def test_what_fits_only_as_another_type_runs_as_that(world):
    ran: list[Any] = []

    def top(k: int, share: float = 0.5) -> str:
        """Top."""
        ran.append((k, share))
        return "ok"

    tool = world.halo.guard(top, resource=trusted("clamped"))
    tool.call(k="50", share=1)
    assert ran == [(2, 1.0)]
    assert [type(value) for value in ran[0]] == [int, float]


class Colour(Enum):
    RED = "red"


class Order(pydantic.BaseModel):
    item: str
    count: int


def test_objects_keep_their_shape(world):
    """LlamaIndex hands a function plain values for a model, a date or an enum: Halo changes nothing about that."""
    seen: list[Any] = []

    def order(what: Order, on: date, colour: Colour) -> str:
        """Order."""
        seen.append((what, on, colour))
        return "ordered"

    plain = {"what": {"item": "pen", "count": 2}, "on": "2026-01-01", "colour": "red"}
    tool = FunctionTool.from_defaults(order)
    tool.call(**plain)
    guarded = world.halo.guard(tool, resource=trusted())
    guarded.call(**plain)
    guarded.call(what=Order(item="pen", count=2), on=date(2026, 1, 1), colour=Colour.RED)
    assert seen[0] == seen[1]
    assert seen[2] == (Order(item="pen", count=2), date(2026, 1, 1), Colour.RED)
    assert world.effects("order") == ["allow", "allow"]


def test_what_the_host_fixed_is_decided_too_and_an_object_of_its_is_handed_on(world):
    seen: list[Any] = []
    connection = object()

    def ask(q: str, region: str, connection: Any) -> str:
        """Ask."""
        seen.append((q, region, connection))
        return "ok"

    fixed = {"region": "eu", "connection": connection}
    tool = world.halo.guard(FunctionTool.from_defaults(ask, partial_params=fixed), resource=trusted())
    assert tool.partial_params == fixed
    tool.call(q="x")
    assert seen == [("x", "eu", connection)]
    tool.call(q="y", region="us")  # the framework lets a caller override it, so it is decided like the rest
    assert seen[-1][1] == "us"
    with pytest.raises(Denied):
        tool.call(q="z", connection=object())


def test_a_default_of_pydantics_is_filled_in(world):
    ran: list[int] = []

    def top(k: int = pydantic.Field(default=9, description="how many")) -> str:
        """Top."""
        ran.append(k)
        return "ok"

    world.halo.guard(top, resource=trusted("clamped")).call()
    assert ran == [2]


def test_a_function_of_any_keywords_takes_them(world):
    ran: list[Any] = []

    def anything(**given: Any) -> str:
        """Anything."""
        ran.append(given)
        return "ok"

    world.halo.guard(anything, resource=trusted()).call(a=1, b=[2])
    assert ran == [{"a": 1, "b": [2]}]


def test_a_workflows_context_is_the_frameworks(world):
    tool = world.halo.guard(remember, resource=trusted())
    assert tool.requires_context
    assert tool.ctx_param_name == "ctx"
    script = [call("noting", ("remember", {"note": "x"}), id="m1")]
    agent = world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=script)))
    assert told(agent) == (["noted x"], "done")
    with pytest.raises(Denied):
        asyncio.run(tool.async_fn(ctx="made up", note="x"))


def test_a_mutable_argument_stays_as_it_was_decided(world):
    names = ["ana"]

    def send(to: list[str]) -> str:
        """Send."""
        names[0] = "mallory"
        return ",".join(to)

    assert str(world.halo.guard(send, resource=trusted()).call(to=names)) == "ana"


# results


def test_nodes_and_blocks_of_a_tool_are_read_and_masked(world):
    def look(q: str) -> list[NodeWithScore]:
        """Look."""
        return [NodeWithScore(node=TextNode(text=f"card {CARD}", metadata={"by": "bo"}), score=0.5)]

    (found,) = world.halo.guard(look, resource=trusted("masked")).fn("x")
    assert CARD not in found.node.text
    assert "card" in found.node.text
    assert (found.node.metadata, found.score) == ({"by": "bo"}, 0.5)


def test_a_callback_gets_what_may_be_used(world):
    seen: list[Any] = []

    def look(q: str) -> str:
        """Look."""
        return f"card {CARD}"

    tool = FunctionTool.from_defaults(look, callback=seen.append)
    assert CARD not in str(world.halo.guard(tool, resource=trusted("masked")).call(q="x"))
    assert CARD not in seen[0]


def test_an_error_that_must_be_masked_is(world):
    def look(q: str) -> str:
        """Look."""
        raise ValueError(f"card {CARD}")

    with pytest.raises(ValueError, match="card") as raised:
        world.halo.guard(look, resource=trusted("masked")).call(q="x")
    assert CARD not in str(raised.value)


# other kinds of tools


class Own(AsyncBaseTool):
    """A tool of an app's own."""

    def __init__(self, ran: list[Any]) -> None:
        self.ran = ran

    @property
    def metadata(self) -> ToolMetadata:
        return ToolMetadata(description="own", name="own")

    def call(self, *args: Any, **kwargs: Any) -> ToolOutput:
        self.ran.append((args, kwargs))
        return ToolOutput(content="did", tool_name="own", raw_input=kwargs, raw_output="did")

    async def acall(self, *args: Any, **kwargs: Any) -> ToolOutput:
        return self.call(*args, **kwargs)


class Synchronous(BaseTool):
    """One that has only `__call__`."""

    ran: ClassVar[list[Any]] = []

    @property
    def metadata(self) -> ToolMetadata:
        return ToolMetadata(description="sync", name="sync")

    def __call__(self, input: Any) -> ToolOutput:  # noqa: A002  the framework's
        self.ran.append(input)
        return ToolOutput(content=f"did {input}", tool_name="sync", raw_input={}, raw_output=input)


@pytest.mark.parametrize(
    "way",
    [
        lambda tool: tool.call(input="x"),
        lambda tool: tool("x"),
        lambda tool: asyncio.run(tool.acall(input="x")),
    ],
)
def test_a_tool_that_is_no_function_is_decided_once(world, way):
    ran: list[Any] = []
    tool = world.halo.guard(Own(ran), resource=trusted())
    assert str(way(tool)) == "did"
    assert len(ran) == 1
    assert world.effects("own") == ["allow"]
    denied = world.halo.guard(Own(ran), resource=trusted("forbidden", id="other"))
    with pytest.raises(Denied):
        way(denied)
    assert len(ran) == 1


def test_a_tool_that_is_tried_twice_is_refused_twice(world):
    """LlamaIndex calls a tool that is no function once more when it raises, in another form."""
    ran: list[Any] = []
    tool = world.halo.guard(Own(ran), resource=trusted("forbidden"))
    assert call_tool(tool, {"input": "x"}).is_error
    assert ran == []
    assert world.effects("own") == ["deny", "deny"]


def test_a_synchronous_tool_is_decided_in_an_agent(world):
    Synchronous.ran.clear()
    script = [call("x", ("sync", {"input": "x"}), id="m1")]
    guarded = world.halo.guard(Synchronous(), resource=trusted())
    plain = world.halo.guard(FunctionAgent(tools=[Synchronous()], llm=ScriptedLLM(script=script)))
    agent = world.halo.guard(FunctionAgent(tools=[guarded], llm=ScriptedLLM(script=script)))
    assert told(agent)[0] == ["did x"]
    assert world.effects("sync") == ["allow"]
    assert isinstance(world.halo.guard(BaseToolAsyncAdapter(Synchronous())), Synchronous)
    assert "needs_guard" in told(plain)[0][0]  # its name is registered and granted, it is not
    assert world.effects("sync") == ["allow", "deny"]


class Overridden(FunctionTool):
    """A function tool that need not come to its function."""

    def call(self, *args: Any, **kwargs: Any) -> ToolOutput:
        return ToolOutput(content="past it", tool_name="pay", raw_input=kwargs, raw_output="past it")


def test_a_function_tool_with_entry_points_of_its_own_is_decided_there(world):
    tool = world.halo.guard(Overridden.from_defaults(pay), resource=trusted("forbidden"))
    for way in (lambda: tool.call(to="bo"), lambda: tool(to="bo"), lambda: tool.fn("bo")):
        with pytest.raises(Denied):
            way()
    assert world.effects("pay") == ["deny"] * 3


class Logged(FunctionTool):
    """One that comes to its function all the same."""

    def call(self, *args: Any, **kwargs: Any) -> ToolOutput:
        return super().call(*args, **kwargs)


def test_a_function_tool_that_comes_to_its_function_is_decided_once(world):
    tool = world.halo.guard(Logged.from_defaults(pay), resource=trusted())
    assert str(tool.call(to="bo")) == "paid bo 1"
    assert str(tool(to="bo", amount=2)) == "paid bo 2"
    assert world.effects("pay") == ["allow", "allow"]


def test_copies_stay_guarded(world):
    tool = world.halo.guard(pay, resource=trusted("forbidden"))
    model = world.halo.guard(ScriptedLLM(model="other"))
    for made in (copy.copy(tool), copy.deepcopy(tool)):
        with pytest.raises(Denied):
            made.call(to="bo")
    for made in (copy.copy(model), copy.deepcopy(model), model.model_copy()):
        made.complete("q")
    assert world.effects("other") == ["allow"] * 3


def test_an_entry_point_of_an_objects_own_is_refused(world):
    tool = FunctionTool.from_defaults(pay)
    tool.call = lambda **_kwargs: "past it"
    with pytest.raises(ConfigError, match="`call`"):
        world.halo.guard(tool)


def test_a_retriever_tool_and_what_it_holds_are_both_decided(world):
    tool = RetrieverTool.from_defaults(Shelf("thirty days"), name="handbook", description="The handbook.")
    guarded = world.halo.guard(tool, resource=trusted())
    assert "thirty days" in str(guarded.call(input="returns"))
    assert world.kinds() == [("handbook", "allow"), ("handbook.retriever", "allow")]
    assert type(guarded) is RetrieverTool or isinstance(guarded, RetrieverTool)


def test_a_query_engine_tool_and_what_it_holds_are_all_decided(world):
    class Engine(CustomQueryEngine):
        retriever: Any
        llm: Any

        def custom_query(self, query_str: str) -> str:
            found = self.retriever.retrieve(query_str)
            return str(self.llm.complete(found[0].get_content()))

    engine = Engine(retriever=Shelf("thirty days"), llm=MockLLM())
    tool = QueryEngineTool.from_defaults(engine, name="ask", description="Ask.")
    guarded = world.halo.guard(tool, resource=trusted())
    assert str(asyncio.run(guarded.acall(input="returns"))) == "thirty days"
    assert [name for name, _ in world.kinds()] == ["ask", "ask.retriever", "MockLLM"]


def test_a_tool_of_tools_guards_what_they_hold(world):
    engine = RetrieverQueryEngine.from_args(Shelf("thirty days"), llm=MockLLM())
    inner = QueryEngineTool.from_defaults(engine, name="ask", description="Ask.")
    plan = QueryPlanTool([inner], get_response_synthesizer(llm=MockLLM()), "plan", "Plan.")
    guarded = world.halo.guard(plan, resource=trusted())
    asked = {"nodes": [{"id": 1, "query_str": "returns", "tool_name": "ask", "dependencies": []}]}
    assert "thirty days" in str(guarded(**asked))
    assert world.kinds() == [
        ("plan", "allow"), ("ask", "allow"), ("plan.retriever", "allow"), ("MockLLM", "allow"),
    ]  # fmt: skip


# in an agent


def test_a_pending_call_by_itself_raises_and_names_the_question(world):
    tool = world.halo.guard(pay, resource=trusted("asked"))
    with pytest.raises(Pending) as pending:
        tool.call(to="bo")
    assert pending.value.pending_id
    assert world.outcomes() == []


def test_a_tool_that_counts_as_a_retrieval_is_registered_as_one(world):
    world.halo.guard(pay, resource=Resource(kind=ActionKind.RETRIEVAL, source_trust=900, impact="read"))
    assert world.halo.find_registered("pay").kind is ActionKind.RETRIEVAL


def test_guarding_twice_decides_once(world):
    tool = world.halo.guard(world.halo.guard(pay, resource=trusted()))
    tool.call(to="bo")
    assert world.effects("pay") == ["allow"]


def test_the_loop_is_not_blocked(world, unblocked):
    tool = world.halo.guard(pay, resource=trusted())
    script = [call("x", ("pay", {"to": "bo"}), id="m1")]
    agent = world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=script)))
    assert str(run(agent)) == "done"
