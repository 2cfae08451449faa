"""Guarded tools: decided once, at the last step, with the arguments that run."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import pickle
import sqlite3
from decimal import Decimal
from typing import Annotated, Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, Tool, tool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, Field

from halo_core.errors import ConfigError, Denied, Pending
from halo_langchain import ActionKind, Halo, HostedTool, Impact, Resource

pytestmark = pytest.mark.smoke

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
FORBIDDEN = Resource(impact=Impact.READ, labels=("forbidden",))


FAILING = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource) when { context.args.none == 1 };
"""

SMALL_ONLY = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action == Action::"add", resource) when { context.args has b && context.args.b > 100 };
"""


class Line(BaseModel):
    amount: Decimal
    when: dt.date


class Log(list[Any]):
    """What ran."""


@pytest.fixture
def ran() -> Log:
    return Log()


def adder(ran: Log) -> BaseTool:
    @tool
    def add(a: int, b: int = 2) -> int:
        """Add."""
        ran.append((a, b))
        return a + b

    return add


class Multiply(BaseTool):
    name: str = "multiply"
    description: str = "Multiply."
    log: Any = None

    def _run(self, a: int, b: int = 3, run_manager: Any = None, *, config: RunnableConfig) -> int:
        self.log.append((a, b, config is not None, run_manager is not None))
        return a * b


class Both(Multiply):
    name: str = "both"

    async def _arun(self, a: int, b: int = 3) -> int:
        self.log.append((a, b, "async"))
        return a * b


class Down(Multiply):
    name: str = "down"

    async def _arun(self, a: int, b: int = 3, *, config: RunnableConfig) -> int:
        return await asyncio.to_thread(self._run, a, b, config=config)


class Twice(Multiply):
    name: str = "twice"

    async def _arun(self, a: int, *, config: RunnableConfig) -> int:
        first = await asyncio.to_thread(self._run, a, config=config)
        return first + await asyncio.to_thread(self._run, a + 1, config=config)


async def every_shape(guarded: BaseTool, args: dict[str, Any]) -> dict[str, Any]:
    """Outcome of each way to call a tool: its result, or the class of what it raised."""
    call = {"name": guarded.name, "args": args, "type": "tool_call"}

    async def one(what: Any) -> Any:
        try:
            found = await what() if callable(what) else what
        except Denied as exc:
            return type(exc)
        return found.content if isinstance(found, ToolMessage) else found

    async def wait(f: Any) -> Any:
        return f()

    async def collect(f: Any) -> Any:
        return [x async for x in f()][-1]

    async def events() -> Any:
        return [e async for e in guarded.astream_events(args, version="v2")][-1]["data"]["output"]

    return {
        "ainvoke": await one(lambda: guarded.ainvoke(args)),
        "ainvoke_call": await one(lambda: guarded.ainvoke({**call, "id": "shape-1"})),
        "abatch": await one(lambda: guarded.abatch([args])),
        "astream": await one(lambda: collect(lambda: guarded.astream(args))),
        "arun": await one(lambda: guarded.arun(args)),
        "events": await one(events),
    }


def every_sync_shape(guarded: BaseTool, args: dict[str, Any]) -> dict[str, Any]:
    call = {"name": guarded.name, "args": args, "type": "tool_call", "id": "shape-2"}
    shapes = {
        "invoke": lambda: guarded.invoke(args),
        "invoke_call": lambda: guarded.invoke(call).content,
        "batch": lambda: guarded.batch([args]),
        "stream": lambda: list(guarded.stream(args))[-1],
        "run": lambda: guarded.run(args),
    }
    found = {}
    for name, shape in shapes.items():
        try:
            found[name] = shape()
        except Denied as exc:
            found[name] = type(exc)
    return found


@pytest.mark.parametrize("kind", ["structured", "multiply", "both"])
async def test_every_shape_runs_and_is_decided_once(world, ran, kind):
    original = {"structured": adder(ran), "multiply": Multiply(log=ran), "both": Both(log=ran)}[kind]
    guarded = world.halo.guard(original, resource=READ)
    found = await every_shape(guarded, {"a": 5})
    assert not [v for v in found.values() if isinstance(v, type)]
    found = {**found, **await asyncio.to_thread(every_sync_shape, guarded, {"a": 5})}
    values = {str(v[0] if isinstance(v, list) else v) for v in found.values()}
    assert values == {"7" if kind == "structured" else "15"}
    assert len(ran) == len(found) == len(world.decisions(original.name))
    assert world.outcomes() == ["success"] * len(found)


async def test_an_asynchronous_tool_that_goes_down_to_its_own_run_is_decided_once(world, ran):
    guarded = world.halo.guard(Down(log=ran), resource=READ)
    assert await guarded.ainvoke({"a": 5}) == 15
    assert len(ran) == len(world.decisions("down")) == 1
    clamped = Resource(id="other", impact=Impact.READ, labels=("forbidden",))
    with pytest.raises(Denied):
        await world.halo.guard(Down(log=ran), resource=clamped).ainvoke({"a": 5})
    assert len(ran) == 1


async def test_going_down_with_other_arguments_is_another_call(world, ran):
    guarded = world.halo.guard(Twice(log=ran), resource=READ)
    assert await guarded.ainvoke({"a": 5}) == 33
    # {"a": 5}, then run itself with {"a": 5, "b": 3} and {"a": 6, "b": 3}.
    assert len(world.decisions("twice")) == 3


@pytest.mark.parametrize("kind", ["structured", "multiply", "both"])
async def test_a_denied_tool_runs_in_no_shape(world, ran, kind):
    original = {"structured": adder(ran), "multiply": Multiply(log=ran), "both": Both(log=ran)}[kind]
    guarded = world.halo.guard(original, resource=FORBIDDEN)
    found = {**await every_shape(guarded, {"a": 5}), **await asyncio.to_thread(every_sync_shape, guarded, {"a": 5})}
    assert set(found.values()) == {Denied}
    assert ran == []
    assert world.effects(original.name) == ["deny"] * len(found)


def test_the_inner_callables_are_gated_too(world, ran):
    guarded = world.halo.guard(adder(ran), resource=FORBIDDEN)
    for inner in (lambda: guarded.func(1, 2), lambda: guarded._run(1, 2, config={})):
        with pytest.raises(Denied):
            inner()
    with pytest.raises(Denied):
        world.halo.guard(Multiply(log=ran), resource=FORBIDDEN)._run(1, config={})
    assert ran == []


def test_positional_arguments_are_bound_by_signature(world, ran):
    (world.home / "rules" / "t.cedar").write_text(SMALL_ONLY)
    guarded = world.halo.guard(adder(ran), resource=READ)
    assert guarded.func(1, 2) == 3
    with pytest.raises(Denied):
        guarded.func(1, 666)
    assert ran == [(1, 2)]


def test_defaults_are_decided_as_executed(world, ran):
    guarded = world.halo.guard(adder(ran), resource=READ)
    guarded.invoke({"a": 1})
    guarded.func(1, 2)
    first, second = world.decisions("add")
    assert first.body["request"]["args_digest"] == second.body["request"]["args_digest"]


def test_validated_values_are_what_is_decided(world, ran):
    guarded = world.halo.guard(adder(ran), resource=READ)
    guarded.invoke({"a": "1", "b": "2"})
    guarded.invoke({"a": 1, "b": 2})
    first, second = world.decisions("add")
    assert first.body["request"]["args_digest"] == second.body["request"]["args_digest"]


def test_the_copy_keeps_everything_and_leaves_the_original_alone(world, ran):
    class Args(BaseModel):
        a: int = Field(description="the first", ge=0)

    def inc(a: int) -> tuple[str, int]:
        """Add one."""
        ran.append(a)
        return str(a + 1), a + 1

    original = StructuredTool.from_function(
        inc, name="inc", args_schema=Args, return_direct=True, response_format="content_and_artifact", tags=["t"]
    )
    guarded = world.halo.guard(original, resource=READ)
    assert type(original) is StructuredTool
    assert original.func is inc
    assert isinstance(guarded, StructuredTool)
    assert guarded.args_schema is Args
    assert guarded.get_name() == "inc"
    assert (guarded.name, guarded.description, guarded.return_direct, guarded.response_format, guarded.tags) == (
        "inc",
        original.description,
        True,
        "content_and_artifact",
        ["t"],
    )
    assert guarded.tool_call_schema.model_json_schema() == original.tool_call_schema.model_json_schema()
    message = guarded.invoke({"name": "inc", "args": {"a": 1}, "id": "1", "type": "tool_call"})
    assert (message.content, message.artifact) == ("2", 2)


def test_injected_arguments_reach_the_tool_and_not_the_decision(world, ran):
    @tool
    def note(
        text: str,
        call_id: Annotated[str, InjectedToolCallId],
        owner: Annotated[str, InjectedToolArg],
        runtime: ToolRuntime = None,
        *,
        config: RunnableConfig,
    ) -> str:
        """Keep a note."""
        ran.append((text, call_id, owner, runtime, config["configurable"]["x"]))
        return "kept"

    runtime = ToolRuntime(state={}, context=None, config={}, stream_writer=None, tool_call_id="9", store=None, tools=[])
    guarded = world.halo.guard(note, resource=READ)
    call = {"name": "note", "args": {"text": "hi", "owner": "ana", "runtime": runtime}, "id": "9", "type": "tool_call"}
    guarded.invoke(call, config={"configurable": {"x": 1}})
    guarded.invoke({**call, "id": "10"}, config={"configurable": {"x": 2}})
    assert [item[:3] + item[4:] for item in ran] == [("hi", "9", "ana", 1), ("hi", "10", "ana", 2)]
    assert ran[0][3] is runtime
    first, second = world.decisions("note")
    assert first.body["request"]["args_digest"] == second.body["request"]["args_digest"]
    assert first.body["request"]["context"]["call_id"] == world.refer_call("9")


def test_arguments_changed_after_the_decision_never_run(world, ran, monkeypatch):
    @tool
    def send(to: list[str]) -> str:
        """Send."""
        ran.append(list(to))
        return "sent"

    guarded = world.halo.guard(send, resource=READ)
    recipients = ["ana"]
    begin = world.halo.enforcer.begin

    def late(call):
        ticket = begin(call)
        recipients[0] = "mallory"
        return ticket

    monkeypatch.setattr(world.halo.enforcer, "begin", late)
    guarded.func(to=recipients)
    assert recipients == ["mallory"]
    assert ran == [["ana"]]


def test_clamped_arguments_are_what_runs(world, ran):
    @tool
    def top(k: int, name: str = "x") -> str:
        """Top k."""
        ran.append((k, name))
        return "ok"

    guarded = world.halo.guard(top, resource=Resource(impact=Impact.READ, labels=("clamped",), source_trust=900))
    guarded.invoke({"k": 50})
    guarded.invoke({"k": 1})
    guarded.func(50, "y")
    assert ran == [(2, "x"), (1, "x"), (2, "y")]


def test_rich_values_are_decided_as_plain_ones_and_run_as_they_are(world, ran):
    @tool
    def book(lines: list[Line], tags: set[str]) -> str:
        """Book."""
        ran.append((lines, tags))
        return "ok"

    guarded = world.halo.guard(book, resource=READ)
    guarded.invoke({"lines": [{"amount": "5000", "when": "2026-01-02"}], "tags": ["b", "a"]})
    assert ran == [([Line(amount=Decimal(5000), when=dt.date(2026, 1, 2))], {"a", "b"})]


def test_what_cannot_be_copied_is_not_run(world, ran):
    @tool
    def odd(x: Any) -> str:
        """Odd."""
        ran.append(x)
        return "ok"

    guarded = world.halo.guard(odd, resource=READ)
    with pytest.raises(Denied) as denied:
        guarded.func(i for i in range(3))
    assert denied.value.reason == "invalid_arguments"
    with pytest.raises(Denied) as denied:
        guarded.func(object())
    assert denied.value.reason == "invalid_arguments"
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Denied) as denied:
        guarded.func(deep)
    assert denied.value.reason == "arguments_too_large"
    while deep:  # unwound by hand: the interpreter would recurse
        deep = deep.pop()
    assert ran == []


def test_arguments_that_do_not_fit_the_function(world, make_world, ran):
    guarded = world.halo.guard(adder(ran), resource=READ)
    with pytest.raises(Denied) as denied:
        guarded.func(1, 2, 3)
    assert denied.value.reason == "invalid_arguments"
    watching = make_world(mode="observe").halo.guard(adder(ran), resource=READ)
    with pytest.raises(TypeError):
        watching.func(1, 2, 3)


def test_functions_lists_and_legacy_tools(world, ran):
    def greet(name: str) -> str:
        """Greet."""
        return f"hello {name}"

    async def agreet(name: str) -> str:
        return f"hello {name}"

    class Desk:
        def look(self, q: str) -> str:
            """Look."""
            return q

    legacy = Tool("legacy", lambda q: f"got {q}", "Old.")
    a, b, c, d = world.halo.guard([greet, agreet, Desk().look, legacy], resource=READ)
    assert a.invoke({"name": "ana"}) == "hello ana"
    assert b.name == "agreet"
    assert c.invoke({"q": "x"}) == "x"
    assert d.invoke("hi") == "got hi"
    assert world.effects("legacy") == ["allow"]
    assert isinstance(world.halo.guard((greet,), resource=READ), list)


@pytest.mark.parametrize(
    ("thing", "error", "word"),
    [
        ({"type": "web_search", "name": "web_search"}, HostedTool, "web_search"),
        ([{"type": "code_interpreter"}], HostedTool, "code_interpreter"),
        ({"type": "function", "function": {"name": "f"}}, ConfigError, "schema"),
        (object(), ConfigError, "object"),
        ("text", ConfigError, "str"),
        (lambda x: x, ConfigError, "lambda"),
    ],
)
def test_what_cannot_be_guarded_is_refused_and_named(world, thing, error, word):
    with pytest.raises(error, match=word):
        world.halo.guard(thing)


def test_a_pause_is_pending_and_nothing_ran(world, ran):
    guarded = world.halo.guard(adder(ran), resource=Resource(impact=Impact.PAYMENT, labels=("asked",)))
    with pytest.raises(Pending) as pending:
        guarded.invoke({"a": 1})
    assert pending.value.pending_id
    assert pending.value.message.startswith(f"pending {pending.value.pending_id}")
    assert ran == []


def test_a_policy_that_fails_blocks(make_world, ran):
    world = make_world(policy=FAILING)
    guarded = world.halo.guard(adder(ran), resource=READ)
    with pytest.raises(Denied):
        guarded.invoke({"a": 1})
    assert ran == []


def test_a_ledger_held_by_another_process_blocks(make_world, ran):
    world = make_world(deadline_s=0.5)
    guarded = world.halo.guard(adder(ran), resource=READ)
    guarded.invoke({"a": 1})
    world.halo.store.flush()
    holder = sqlite3.connect(world.home / "halo" / "halo.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Denied) as denied:
        guarded.invoke({"a": 2})
    assert denied.value.reason == "ledger_busy"
    holder.execute("ROLLBACK")
    holder.close()
    guarded.invoke({"a": 3})
    assert ran == [(1, 2), (3, 2)]


async def test_an_unwritable_ledger_blocks(world, ran):
    guarded = world.halo.guard([adder(ran), Both(log=ran)], resource=READ)
    await asyncio.to_thread(world.halo.close)
    for item in guarded:
        with pytest.raises(Denied) as denied:
            await item.ainvoke({"a": 1})
        assert denied.value.reason == "ledger_closed"
    assert ran == []


def test_observe_runs_whatever_is_decided(make_world, ran):
    world = make_world(mode="observe")
    guarded = world.halo.guard(adder(ran), resource=FORBIDDEN)
    assert guarded.invoke({"a": 1}) == 3
    assert world.effects("add") == ["deny"]
    odd = world.halo.guard(Tool("odd", ran.append, "Odd."), resource=READ)
    thing = object()
    odd.func(thing)
    assert ran[-1] is thing
    world.halo.close()
    assert guarded.invoke({"a": 2}) == 4


def test_the_same_call_twice_runs_once(world, ran):
    once = Resource(impact=Impact.READ, source_trust=900)
    guarded = world.halo.guard(adder(ran), resource=once)
    call = {"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}
    with world.halo.session("s"):
        guarded.invoke(call)
        assert guarded.invoke(call).content == "3"  # from the record
        guarded.invoke({**call, "id": "c2"})
        guarded.invoke({"a": 1})
        guarded.invoke({"a": 1})
    assert len(ran) == 4


def test_errors_are_recorded_and_raised(world):
    @tool
    def broken(x: int) -> str:
        """Break."""
        raise OSError(f"no {x}")

    with pytest.raises(OSError, match="no 1"):
        world.halo.guard(broken, resource=READ).invoke({"x": 1})
    assert world.outcomes() == ["error"]


def test_a_tool_may_be_registered_as_a_retrieval(world):
    @tool
    def search(q: str) -> str:
        """Search."""
        return f"document about {q}"

    @tool(response_format="content_and_artifact")
    def search2(q: str) -> tuple[str, list[str]]:
        """Search."""
        return f"document about {q}", [q]

    poor = Resource(kind=ActionKind.RETRIEVAL, impact=Impact.READ, labels=("dropped",), source_trust=100)
    one, two = world.halo.guard([search, search2], resource=poor)
    assert "withheld" in one.invoke({"q": "x"})
    message = two.invoke({"name": "search2", "args": {"q": "x"}, "id": "1", "type": "tool_call"})
    assert "withheld" in message.content
    assert message.artifact is None
    assert {e.body["request"]["kind"] for e in world.decisions()} == {"retrieval"}


def test_guarding_twice_is_guarding_once(world, ran):
    guarded = world.halo.guard(adder(ran), resource=READ)
    assert world.halo.guard(guarded) is guarded
    again = world.halo.guard(guarded, resource=FORBIDDEN)
    with pytest.raises(Denied):
        again.invoke({"a": 1})
    assert len(world.decisions("add")) == 1


def test_copies_stay_guarded_or_fail(world, ran):
    for original in (adder(ran), Multiply(log=ran)):
        guarded = world.halo.guard(original, resource=FORBIDDEN)
        for other in (copy.copy(guarded), copy.deepcopy(guarded), guarded.model_copy(update={"description": "x"})):
            with pytest.raises(Denied):
                other.invoke({"a": 1})
        with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
            pickle.dumps(guarded)
    assert ran == []


def test_a_tool_that_calls_a_tool_is_two_decisions(world, ran):
    inner = world.halo.guard(adder(ran), resource=READ)

    @tool
    def outer(a: int) -> int:
        """Outer."""
        return inner.invoke({"a": a}) + inner.invoke({"a": a})

    guarded = world.halo.guard(outer, resource=READ)
    assert guarded.invoke({"name": "outer", "args": {"a": 1}, "id": "1", "type": "tool_call"}).content == "6"
    assert len(world.decisions("add")) == 2
    assert len(world.decisions("outer")) == 1


def test_two_halos_do_not_vouch_for_each_other(make_world, ran):
    one, two = make_world(), make_world()
    guarded = two.halo.guard(one.halo.guard(adder(ran), resource=FORBIDDEN), resource=READ)
    with pytest.raises(Denied):
        guarded.invoke({"a": 1})
    assert ran == []


def test_names_that_are_no_names(world, ran):
    @tool("z\u0430hlen")  # a Cyrillic letter
    def pay(größe: int) -> int:  # noqa: PLC2401  the point of the test
        """Pay."""
        return größe

    with pytest.raises(ConfigError):
        world.halo.guard(pay)
    guarded = world.halo.guard(pay, resource=Resource(id="pay", impact=Impact.READ))
    assert guarded.invoke({"größe": 1}) == 1


def test_session_of_the_thread_of_the_host_and_of_plain_code(world, ran):
    guarded = world.halo.guard(adder(ran), resource=READ)
    guarded.invoke({"a": 1}, config={"configurable": {"thread_id": "t7"}})
    with world.halo.session("mine", user="bo"):
        guarded.invoke({"a": 1}, config={"configurable": {"thread_id": "t7"}})
    guarded.invoke({"a": 1})
    contexts = [e.body["request"]["context"] for e in world.decisions("add")]
    assert [c["session_source"] for c in contexts] == ["thread", "host", "call"]
    assert [e.session for e in world.decisions("add")][:2] == ["thread:t7", "mine"]
    assert world.decisions("add")[1].body["request"]["subject"]["user"] == "bo"


def test_the_names_of_the_facade():
    assert Halo.Denied is Denied
    assert issubclass(Denied, PermissionError)
    assert issubclass(HostedTool, ConfigError)


def test_what_an_asynchronous_tool_started_is_decided_anew(world, unblocked):
    """In a callback of the loop while it runs, and in a task after it has ended: both bring the same arguments."""
    unblocked.deactivate()  # it is the tool that calls what blocks
    log: list[str] = []
    after: list[Any] = []

    class Starts(BaseTool):
        name: str = "starts"
        description: str = "Starts something."
        again: Any = None

        def _run(self, a: int) -> int:
            log.append("run")
            return a

        async def _arun(self, a: int) -> int:
            called = asyncio.Event()
            asyncio.get_running_loop().call_soon(self.calls, a, called)
            after.append(asyncio.create_task(self.afterwards(a)))
            await called.wait()
            return a

        def calls(self, a: int, called: asyncio.Event) -> None:
            called.set()
            self.again.invoke({"a": a})

        async def afterwards(self, a: int) -> None:
            await end.wait()
            await asyncio.to_thread(self.again.invoke, {"a": a})

    end = asyncio.Event()
    guarded = world.halo.guard(Starts(), resource=READ)
    guarded.again = guarded

    async def run() -> None:
        await guarded.ainvoke({"a": 1})
        end.set()
        await asyncio.gather(*after)

    asyncio.run(run())
    assert log == ["run", "run"]
    assert len(world.decisions("starts")) == 3


SECRETIVE = """
@id("p") permit(principal, action, resource);
@id("r") @effect("restrict") @obligation("hold_output()") forbid(principal, action, resource);
"""


def test_a_thread_that_passes_under_a_tool_gets_neither_result_nor_error_that_is_held_back(make_world):
    world = make_world(policy=SECRETIVE)
    found: list[Any] = []

    class Leaks(BaseTool):
        name: str = "leaks"
        description: str = "Has another thread run it."
        again: Any = None

        def _run(self, a: int) -> str:
            if a:
                raise ValueError("sesame")
            return "sesame"

        async def _arun(self, a: int) -> str:
            def other() -> None:
                try:
                    found.append(self.again.invoke({"a": a}))
                except ValueError as exc:
                    found.append(str(exc))

            await asyncio.create_task(asyncio.to_thread(other))
            return "open"

    guarded = world.halo.guard(Leaks(), resource=READ)
    guarded.again = guarded
    for a in (0, 1):
        asyncio.run(guarded.ainvoke({"a": a}))
    assert len(found) == 2
    assert "sesame" not in str(found)
