"""Arguments hidden from the model, and what plain means: whatever a caller can set is decided as it runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, tool
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode
from pydantic import BaseModel, ConfigDict, RootModel
from pydantic.v1 import BaseModel as BaseModelV1

from halo_core.enforcement.arguments import same_value, to_json_outline, to_json_value
from halo_core.errors import Denied
from halo_core.model import Constraint, ConstraintKind, Impact
from halo_langchain import Resource
from halo_langchain._translate import Binder
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
OWN_ONLY = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action == Action::"balance", resource)
when { context.args has user_id && context.args.user_id != "me" };
"""
ACCOUNT = {"balance": {"account": Constraint(ConstraintKind.EXACT, values=("A1",))}}


@pytest.fixture
def ran() -> list[Any]:
    return []


def balance_tool(ran: list[Any]) -> Any:
    @tool
    def balance(account: str, user_id: Annotated[str, InjectedToolArg] = "me") -> str:
        """Read a balance."""
        ran.append((account, user_id))
        return "ok"

    return balance


def ask(world: Any, guarded: Any, args: dict[str, Any], **more: Any) -> Any:
    model = ScriptedModel(script=[call("x", (guarded.name, args), id="m1")])
    built = create_agent(model, tools=[guarded], middleware=[world.halo.middleware()])
    return built.invoke({"messages": [("user", "go")], **more})["messages"][-2]


def test_a_model_that_sets_a_hidden_argument_is_decided_on_it(make_world, ran):
    world = make_world(policy=OWN_ONLY)
    guarded = world.halo.guard(balance_tool(ran), resource=READ)
    with pytest.raises(Denied):  # a host that passes a model's arguments on as they are
        guarded.invoke({"account": "A1", "user_id": "victim"})
    assert ran == []
    assert ask(world, guarded, {"account": "A1", "user_id": "victim"}).status == "success"  # the agent drops it
    guarded.invoke({"account": "A1", "user_id": "me"})
    assert ran == [("A1", "me")] * 2
    assert (
        world.decisions("balance")[0].body["request"]["args_digest"]
        != (world.decisions("balance")[-1].body["request"]["args_digest"])
    )


def test_a_grant_that_does_not_name_it_refuses_it(make_world, ran):
    world = make_world(grants=ACCOUNT)
    guarded = world.halo.guard(balance_tool(ran), resource=READ)
    with pytest.raises(Denied) as denied:
        guarded.invoke({"account": "A1", "user_id": "victim"})
    assert denied.value.reason == "args_closed_world"
    guarded.invoke({"account": "A1"})
    assert ran == [("A1", "me")]


def test_a_host_may_hand_in_a_live_object(world, ran):
    database = object()

    @dataclass
    class Who:
        name: str
        database: Any = field(default_factory=object)

    @tool
    def read(q: str, db: Annotated[Any, InjectedToolArg], who: Annotated[Any, InjectedToolArg]) -> str:
        """Read."""
        ran.append((q, db, who))
        return "ok"

    guarded = world.halo.guard(read, resource=READ)
    who = Who("ana", database)
    guarded.invoke({"q": "x", "db": database, "who": who})
    guarded.invoke({"q": "x", "db": database, "who": Who("bo", database)})
    assert ran[0][1] is database
    assert ran[0][2] is who
    one, other = (e.body["request"]["args_digest"] for e in world.decisions("read"))
    assert one != other  # the name in it is decided, the object is not


def test_what_the_framework_itself_fills_in_is_not_decided(world, ran):
    @tool
    def count(q: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Count."""
        ran.append(len(state["messages"]))
        return "ok"

    assert ask(world, world.halo.guard(count, resource=READ), {"q": "x"}).status == "success"
    assert ran == [2]


NO_STATE = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource) when { context.args has state };
"""


class Counts(BaseTool):
    name: str = "count"
    description: str = "Count."
    log: Any = None

    def _run(self, q: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        self.log.append((q, state))
        return "ok"


def counting(ran: list[Any], kind: str) -> Any:
    def count(q: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Count."""
        ran.append((q, state))
        return "ok"

    async def acount(q: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Count."""
        ran.append((q, state))
        return "ok"

    both = acount if kind == "coroutine" else None
    return (
        Counts(log=ran) if kind == "class" else StructuredTool.from_function(func=count, coroutine=both, name="count")
    )


KINDS = pytest.mark.parametrize("kind", ["function", "coroutine", "class"])


@KINDS
def test_a_state_that_the_caller_chose_is_decided(make_world, ran, kind):
    world = make_world(policy=NO_STATE)
    guarded = world.halo.guard(counting(ran, kind), resource=READ)
    args = {"q": "x", "state": {"user": "victim"}}
    asked = {"type": "tool_call", "id": "c1", "name": "count", "args": args}
    with pytest.raises(Denied):
        guarded.invoke(asked)
    with pytest.raises(Denied):
        guarded.run(args)
    with pytest.raises(Denied):
        asyncio.run(guarded.ainvoke(asked))

    def step(_: Any) -> Any:  # code of a step has the configuration of a task, and is no tool node
        return {"messages": [guarded.invoke(asked)]}

    built = StateGraph(MessagesState)
    built.add_node("tools", step)
    built.set_entry_point("tools")
    with pytest.raises(Denied):
        built.compile().invoke({"messages": []})
    assert ran == []


@pytest.mark.matrix
@KINDS
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("guards_node", [False, True])
def test_a_state_that_a_tool_node_filled_in_is_not_decided(make_world, ran, kind, later, guards_node):
    world = make_world(policy=NO_STATE)
    guarded = world.halo.guard(counting(ran, kind), resource=READ)
    built = StateGraph(MessagesState)
    built.add_node("tools", ToolNode([guarded]))
    built.set_entry_point("tools")
    graph = world.halo.guard(built.compile()) if guards_node else built.compile()
    given = {"messages": [call("x", ("count", {"q": "x", "state": {"messages": ["forged"]}}), id="m1")]}
    said = asyncio.run(graph.ainvoke(given)) if later else graph.invoke(given)
    assert said["messages"][-1].content == "ok"
    assert [state["messages"][0].id for _, state in ran] == ["m1"]
    assert len(world.decisions("count")) == 1


def test_what_the_body_of_a_tool_calls_is_not_filled_in(make_world, ran):
    world = make_world(policy=NO_STATE)

    def count(q: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Count."""
        ran.append(q)
        return guarded.func(q="again", state={**state, "user": "victim"}) if q == "x" else "ok"

    guarded = world.halo.guard(StructuredTool.from_function(func=count, name="count"), resource=READ)
    built = StateGraph(MessagesState)
    built.add_node("tools", ToolNode([guarded]))
    built.set_entry_point("tools")
    with pytest.raises(Denied):
        built.compile().invoke({"messages": [call("x", ("count", {"q": "x"}), id="m1")]})
    assert ran == ["x"]


@pytest.mark.parametrize("name", ["callbacks", "run_manager", "state", "other"])
def test_no_name_passes_undecided_among_keywords(world, ran, name):
    def rpc(**arguments: Any) -> str:
        ran.append(arguments)
        return "ok"

    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False}
    remote = StructuredTool(name="rpc", description="Call.", args_schema=schema, func=rpc)
    guarded = world.halo.guard(remote, resource=READ)
    with pytest.raises(Denied) as denied:
        guarded.func(x=1, **{name: "EVIL"})
    assert denied.value.reason == "args_closed_world"
    assert ask(world, guarded, {"x": 1, "callbacks": "EVIL"}).status == "error"
    assert ran == []


def test_a_keyword_named_like_the_variadic_stays_a_keyword(world, ran):
    def wrapper(*args: Any, **kwargs: Any) -> str:
        ran.append((args, kwargs))
        return "ok"

    schema = {"type": "object", "properties": {"command": {"type": "string"}, "args": {"type": "array"}}}
    remote = StructuredTool(name="w", description="Run.", args_schema=schema, func=wrapper)
    world.halo.guard(remote, resource=READ).invoke({"command": "ls", "args": ["-l"]})
    assert ran == [((), {"command": "ls", "args": ["-l"]})]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((1, 2, 3), {"z": 4}), ((1,), {"rest": 6}), ((), {"rest": 6})],
)
def test_arguments_come_out_the_way_they_went_in(args, kwargs):
    def odd(a: int = 0, /, *rest: int, **more: int) -> None: ...

    probe = StructuredTool(name="w", description="Run.", args_schema={"type": "object", "properties": {}}, func=odd)
    binder = Binder.for_tool(probe, odd, frozenset())
    bound = binder.bind_call(args, kwargs)
    assert binder.build_call_arguments(bound, bound.objects) == (args, kwargs)


async def test_a_coroutine_tool_lets_no_second_call_pass(world, ran):
    async def acoro(x: int) -> str:
        await asyncio.to_thread(guarded.func, x=x)
        return "ok"

    def plain_one(x: int) -> str:
        ran.append(x)
        return "ok"

    both = StructuredTool.from_function(func=plain_one, coroutine=acoro, name="dual", description="Do.")
    guarded = world.halo.guard(both, resource=READ)
    await guarded.ainvoke({"x": 1})
    assert ran == [1]
    assert len(world.decisions("dual")) == 2


class Downward(BaseTool):
    name: str = "downward"
    description: str = "Go down."
    log: Any = None

    def _run(self, x: Any) -> str:
        self.log.append(x)
        return "ok"

    async def _arun(self, x: Any) -> str:
        return await asyncio.to_thread(self._run, True if x == 1 else x)


@pytest.mark.parametrize(("x", "decisions"), [(1, 2), (2, 1)])
async def test_going_down_with_an_equal_value_of_another_type_is_another_call(world, ran, x, decisions):
    await world.halo.guard(Downward(log=ran), resource=READ).ainvoke({"x": x})
    assert ran == [x]
    assert len(world.decisions("downward")) == decisions


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"x": 1}, {"x": True}, False),
        ({"x": [1]}, {"x": [1.0]}, False),
        ({"x": {"y": [1, "a"]}}, {"x": {"y": [1, "a"]}}, True),
        ({"x": [1]}, {"x": [1, 2]}, False),
        ({"x": 1}, {"y": 1}, False),
    ],
)
def test_the_same_means_the_same_type(one, other, same):
    assert same_value(one, other) is same


class Pays(RootModel[list[tuple[str, int]]]):
    def __iter__(self) -> Any:
        return iter(self.root)


class Sly(BaseModel):
    model_config = ConfigDict(extra="allow")
    amount: int

    def __iter__(self) -> Any:
        return iter((("amount", 1),))


class Old(BaseModelV1):
    amount: int

    def __iter__(self) -> Any:
        return iter((("amount", 1),))


def test_models_are_read_as_they_are_stored():
    assert to_json_value(Pays([("bob", 1_000_000), ("bob", 1)])) == [["bob", 1_000_000], ["bob", 1]]
    assert to_json_value(Sly(amount=5, more="x")) == {"amount": 5, "more": "x"}
    assert to_json_value(Old(amount=5)) == {"amount": 5}
    assert to_json_outline(to_json_value({"a": object(), "b": [1]})) == {"a": "object", "b": [1]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("100.00000000000000000001", "100.00000000000000000001"),
        ("9007199254740993.5", "9007199254740993.5"),
        ("0.1", 0.1),
        ("5000.00", 5000),
        ("NaN", "NaN"),
    ],
)
def test_an_amount_is_never_shown_as_another(value, shown):
    found = to_json_value(Decimal(value))
    assert (type(found), found) == (type(shown), shown)
