"""The callback in plain chains: it blocks in every call shape, and never decides what a guard decides."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.types import Command, interrupt
from lc_noting import RAN, AsyncShelf, Chat, Shelf, Text, alook, look

from halo_core.errors import Denied, Pending
from halo_core.model import ActionKind, EntryKind, Impact
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
NOTHING = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource);
"""


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


def chat_chain() -> Runnable[Any, Any]:
    return ChatPromptTemplate.from_messages([("human", "{q}")]) | Chat(responses=["hi"])


# name → (what is called, its input, the kind decided)
THINGS: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "tool": (lambda: look, {"q": "x"}, "tool_call"),
    "retriever": (Shelf, "x", "retrieval"),
    "async_retriever": (AsyncShelf, "x", "retrieval"),
    "chat": (lambda: Chat(responses=["hi"]), "x", "inference"),
    "text": (lambda: Text(responses=["hi"]), "x", "inference"),
    "chain": (chat_chain, {"q": "x"}, "inference"),
    "tool_chain": (lambda: RunnableLambda(lambda q: {"q": q}) | look, "x", "tool_call"),
}

SYNC: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda r, x, c: r.invoke(x, c),
    "batch": lambda r, x, c: r.batch([x], c)[0],
    "stream": lambda r, x, c: list(r.stream(x, c)),
}


async def _astream(r: Any, x: Any, c: Any) -> Any:
    return [item async for item in r.astream(x, c)]


async def _events(r: Any, x: Any, c: Any) -> Any:
    return [item async for item in r.astream_events(x, c, version="v2")]


async def _abatch(r: Any, x: Any, c: Any) -> Any:
    return (await r.abatch([x], c))[0]


ASYNC: dict[str, Callable[[Any, Any, Any], Any]] = {
    "ainvoke": lambda r, x, c: r.ainvoke(x, c),
    "abatch": _abatch,
    "astream": _astream,
    "events": _events,
}
SHAPES = [(thing, shape) for thing in THINGS for shape in (*SYNC, *ASYNC)] + [("async_tool", s) for s in ASYNC]


async def run(thing: str, shape: str, config: dict[str, Any]) -> Any:
    made, given, _ = THINGS.get(thing, (lambda: alook, {"q": "x"}, "tool_call"))
    if shape in SYNC:
        return await asyncio.to_thread(SYNC[shape], made(), given, config)
    return await ASYNC[shape](made(), given, config)


@pytest.fixture
def watched(make_world):
    return make_world(policy=NOTHING)


@pytest.mark.matrix
@pytest.mark.parametrize(("thing", "shape"), SHAPES)
async def test_what_is_denied_runs_in_no_shape(watched, thing, shape):
    with pytest.raises(Denied):
        await run(thing, shape, {"callbacks": [watched.halo.callback()]})
    assert RAN == []
    (decision,) = watched.decisions()
    assert decision.body["request"]["kind"] == THINGS.get(thing, (None, None, "tool_call"))[2]
    assert decision.body["decision"]["effect"] == "deny"


@pytest.fixture
def open_world(make_world):
    world = make_world()
    world.halo.register(ActionKind.TOOL_CALL, "look", resource=READ, schema={"properties": {"q": {"type": "string"}}})
    world.halo.register(ActionKind.TOOL_CALL, "alook", resource=READ, schema={"properties": {"q": {"type": "string"}}})
    for name in ("Shelf", "AsyncShelf"):
        schema = {"properties": {"query": {"type": "string"}}}
        world.halo.register(ActionKind.RETRIEVAL, name, resource=READ, schema=schema)
    return world


@pytest.mark.matrix
@pytest.mark.parametrize(("thing", "shape"), SHAPES)
async def test_what_is_granted_runs_and_is_decided_once(open_world, thing, shape):
    callback = open_world.halo.callback()
    assert await run(thing, shape, {"callbacks": [callback, callback]})
    assert len(RAN) == 1
    assert len(open_world.decisions()) == 1
    assert open_world.outcomes() == ["success"]
    assert not callback._open_runs


def test_an_asynchronous_handler_would_have_let_it_run():
    """Why ours is synchronous: the pitfall, shown."""

    class Late(AsyncCallbackHandler):
        raise_error = True

        async def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
            raise PermissionError

    look.invoke({"q": "x"}, config={"callbacks": [Late()]})
    assert RAN == ["look"]


def test_the_handler_is_synchronous_raises_and_is_not_inline(world):
    callback = world.halo.callback()
    assert callback.raise_error
    assert not callback.run_inline
    hooks = [getattr(callback, name) for name in dir(callback) if name.startswith("on_")]
    assert not any(asyncio.iscoroutinefunction(hook) for hook in hooks)


@pytest.mark.parametrize("config", ["runtime", "constructor", "with_config"])
def test_every_way_to_install_it(watched, config):
    callbacks = [watched.halo.callback()]
    made = {
        "runtime": lambda: (look, {"callbacks": callbacks}),
        "constructor": lambda: (look.model_copy(update={"callbacks": callbacks}), None),
        "with_config": lambda: (look.with_config(callbacks=callbacks), None),
    }
    thing, given = made[config]()
    with pytest.raises(Denied):
        thing.invoke({"q": "x"}, given)
    assert RAN == []


@pytest.mark.parametrize("shape", [*SYNC, *ASYNC])
async def test_poor_documents_are_filtered_on_the_way_back(open_world, shape):
    poor = Resource(impact=Impact.READ, labels=("dropped",), source_trust=100, idempotent=True)
    open_world.halo.register(
        ActionKind.RETRIEVAL, "Shelf", resource=poor, schema={"properties": {"query": {"type": "string"}}}
    )
    found = await run("retriever", shape, {"callbacks": [open_world.halo.callback()]})
    shown = found[-1]["data"]["output"] if shape == "events" else found
    assert not [item for item in shown if item]
    assert open_world.entries(EntryKind.OUTCOME)[0].body["detail"] == "dropped 2"


def test_what_it_cannot_carry_out_is_denied(world):
    resource = Resource(impact=Impact.READ, labels=("clamped",), source_trust=900)
    world.halo.register(ActionKind.TOOL_CALL, "look", resource=resource, schema={"properties": {"q": {}}})
    with pytest.raises(Denied):
        look.invoke({"q": "x"}, config={"callbacks": [world.halo.callback()]})
    assert RAN == []
    assert "needs_guard" in world.reasons("look")[0]


def test_what_a_person_is_asked_about_waits(world):
    resource = Resource(impact=Impact.READ, labels=("asked",), source_trust=900)
    world.halo.register(ActionKind.TOOL_CALL, "look", resource=resource, schema={"properties": {"q": {}}})
    with pytest.raises(Pending):
        look.invoke({"q": "x"}, config={"callbacks": [world.halo.callback()]})
    assert RAN == []
    assert world.effects("look") == ["challenge"]


async def test_guarded_things_are_left_to_their_guard(world):
    tools = world.halo.guard([look, alook], resource=READ)
    shelves = [world.halo.guard(Shelf(), resource=READ), world.halo.guard(AsyncShelf(), resource=READ)]
    config = {"callbacks": [world.halo.callback()]}
    for item in tools:
        await item.ainvoke({"q": "x"}, config)
    await asyncio.to_thread(tools[0].invoke, {"q": "x"}, config)
    for shelf in shelves:
        await shelf.ainvoke("x", config)
        await asyncio.to_thread(shelf.invoke, "x", config)
        await shelf.ainvoke("x", {**config, "run_name": "other"})
    assert Counter(e.body["request"]["kind"] for e in world.decisions()) == {"tool_call": 3, "retrieval": 6}
    assert len(RAN) == 9


def test_a_guard_vouches_for_itself_alone(world):
    """A tool that a guarded tool calls is not under its mark, even where only the inner call has the callback."""

    @tool
    def outer(q: str) -> str:
        """Outer."""
        return str(look.invoke({"q": q}, config={"callbacks": [world.halo.callback()]}))

    world.halo.guard(outer, resource=READ).invoke({"q": "x"})
    assert (len(world.decisions("outer")), len(world.decisions("look"))) == (1, 1)


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_what_it_sees_is_registered_and_judged_as_undeclared(make_world, mode):
    @tool
    def handle(item: str) -> str:
        """Handle."""
        return item

    world = make_world(mode=mode)
    config = {"callbacks": [world.halo.callback()]}
    look.invoke({"q": "x"}, config=config)
    handle.invoke({"item": "x"}, config=config)
    Shelf().invoke("x", config)
    assert RAN == ["look", "shelf"]
    seen, unclear, shelf = map(world.halo.find_registered, ("look", "handle", "Shelf"))
    assert (seen.kind, seen.impact, seen.classified) == (ActionKind.TOOL_CALL, Impact.READ, "guessed")
    assert (unclear.kind, unclear.classified) == (ActionKind.TOOL_CALL, "unknown")
    assert (shelf.kind, shelf.source_trust, shelf.classified) == (ActionKind.RETRIEVAL, 300, "guessed")


@tool
def forecast(city: str, day: str = "today") -> str:
    """Get the forecast."""
    RAN.append("forecast")
    return f"{city} {day}"


@pytest.mark.parametrize("way", ["tool", "list", "agent", "node"])
def test_what_it_saw_first_can_be_guarded_later(world, way):
    config = {"callbacks": [world.halo.callback()]}
    RunnableLambda(lambda _: forecast.invoke({"city": "Ulm"})).invoke("x", config)
    if way in ("tool", "list"):
        (guarded,) = world.halo.guard([forecast]) if way == "list" else [world.halo.guard(forecast)]
        guarded.invoke({"city": "Bonn", "day": "today"})
    else:
        script = [call("I look", ("forecast", {"city": "Bonn"}), id="m1"), "done"]
        agent = create_agent(ScriptedModel(script=script), [forecast])
        app = world.halo.guard(agent)
        if way == "node":  # a graph that starts inside something guarded
            outer = StateGraph(dict).add_node("n", lambda _: {"m": agent.invoke({"messages": ["x"]})})
            app = world.halo.guard(outer.set_entry_point("n").compile())
        app.invoke({"messages": ["x"]})
    assert RAN == ["forecast"] * 2
    assert world.effects("forecast") == ["allow"] * 2


def test_what_grants_do_not_name_is_denied(make_world):
    world = make_world(grants={})
    with pytest.raises(Denied) as denied:
        look.invoke({"q": "x"}, config={"callbacks": [world.halo.callback()]})
    assert (denied.value.reason, RAN) == ("tool_not_granted", [])


def test_what_a_chain_calls_without_callbacks_is_decided(world):
    inner = RunnableLambda(lambda q: look.invoke({"q": q}, config={"callbacks": []}))
    assert inner.invoke("x", config={"callbacks": [world.halo.callback()]}) == "seen x"
    assert len(world.decisions("look")) == 1
    look.invoke({"q": "outside"})
    assert len(world.decisions("look")) == 1


def test_the_arguments_of_a_tool_are_part_of_the_guess(world):
    @tool
    def forward(note: str, recipient: str = "") -> str:
        """Do it."""
        return note

    config = {"callbacks": [world.halo.callback()]}
    forward.invoke({"note": "x"}, config=config)
    assert world.halo.find_registered("forward").targets == ("recipient",)
    forward.invoke({"note": "x", "recipient": "ana"}, config=config)
    assert len(world.decisions("forward")) == 2


def test_an_argument_that_comes_later_is_part_of_the_guess(world):
    first_seen = world.halo.first_seen
    assert first_seen.find_tool("forward", "", ["note"]).targets == ()
    assert first_seen.find_tool("forward", "", ["note", "recipient"]).targets == ("recipient",)
    assert first_seen.find_tool("forward", "", ["note"]).targets == ("recipient",)


def test_observe_lets_it_all_run(make_world):
    world = make_world(mode="observe", policy=NOTHING)
    config = {"callbacks": [world.halo.callback()]}
    look.invoke({"q": "x"}, config)
    Shelf().invoke("x", config)
    chat_chain().invoke({"q": "x"}, config)
    assert RAN == ["look", "shelf", "chat"]
    assert {e.body["decision"]["effect"] for e in world.decisions()} == {"deny"}
    assert world.outcomes() == ["success"] * 3


def test_a_hosted_tool_bound_to_a_model_is_refused(world):
    model = Chat(responses=["hi"]).bind(tools=[{"type": "web_search"}])
    with pytest.raises(Denied) as denied:
        model.invoke("x", {"callbacks": [world.halo.callback()]})
    assert denied.value.reason == "hosted_tool"
    assert RAN == []


def test_errors_are_recorded(open_world):
    @tool("look")
    def broken(q: str) -> str:
        """Break."""
        raise OSError(q)

    with pytest.raises(OSError, match="x"):
        broken.invoke({"q": "x"}, {"callbacks": [open_world.halo.callback()]})
    assert open_world.outcomes() == ["error"]


@pytest.mark.parametrize("awaited", [False, True])
def test_a_tool_that_asks_a_person_goes_on_when_it_is_resumed(open_world, awaited):
    @tool
    def ask(q: str) -> str:
        """Ask."""
        RAN.append("ask")
        return str(interrupt(q))

    script = [call("ask", ("ask", {"q": "really?"}), id="m1"), "done"]
    agent = create_agent(ScriptedModel(script=script), [ask], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}, "callbacks": [open_world.halo.callback()]}
    for given in ({"messages": [("user", "q")]}, Command(resume="yes")):
        answer = asyncio.run(agent.ainvoke(given, config)) if awaited else agent.invoke(given, config)
    assert [message.text for message in answer["messages"][-2:]] == ["yes", "done"]
    assert RAN == ["ask", "ask"]
    assert open_world.effects("ask") == ["allow", "allow"]
    assert open_world.outcomes() == ["success", "paused", "success", "success"]


def test_a_closed_ledger_blocks(open_world):
    open_world.halo.close()
    with pytest.raises(Denied):
        look.invoke({"q": "x"}, {"callbacks": [open_world.halo.callback()]})
    assert RAN == []


def test_the_session_of_a_host_reaches_it(open_world):
    with open_world.halo.session("mine"):
        look.invoke({"q": "x"}, {"callbacks": [open_world.halo.callback()]})
    node = StateGraph(dict).add_node("n", lambda _: {"x": look.invoke({"q": "x"})}).set_entry_point("n")
    node.compile().invoke({}, {"callbacks": [open_world.halo.callback()], "configurable": {"thread_id": "t"}})
    look.invoke({"q": "x"}, {"callbacks": [open_world.halo.callback()]})
    contexts = [e.body["request"]["context"]["session_source"] for e in open_world.decisions()]
    assert contexts == ["host", "thread", "call"]


def test_a_raw_thread_has_no_session_but_is_still_blocked(watched):
    failed: list[BaseException] = []

    def call() -> None:
        try:
            look.invoke({"q": "x"}, {"callbacks": [watched.halo.callback()]})
        except Denied as exc:
            failed.append(exc)

    with watched.halo.session("mine"):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert len(failed) == 1
    assert RAN == []


def test_the_mark_ends_where_the_body_begins(world):
    """Even for an unguarded tool of the same name; the grant is not its."""

    @tool("look")
    def outer(q: str) -> str:
        """Outer."""
        return str(look.invoke({"q": q}, config={"callbacks": [world.halo.callback()]}))

    guarded = world.halo.guard(outer, resource=Resource(impact=Impact.READ, source_trust=900))
    with pytest.raises(Denied) as denied:
        guarded.invoke({"q": "x"})
    assert denied.value.reason == "needs_guard"
    assert len(world.decisions("look")) == 2
    assert RAN == []


def test_a_guard_of_another_halo_is_no_excuse(make_world, watched):
    other = make_world()
    guarded = other.halo.guard(look, resource=READ)
    with pytest.raises(Denied):
        guarded.invoke({"q": "x"}, {"callbacks": [watched.halo.callback()]})
    assert watched.effects("look") == ["deny"]
    assert RAN == []


def test_one_decision_lets_one_model_call_pass(world):
    class Again(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            handler(request)
            return handler(request)

    built = create_agent(Chat(responses=["hi"]), [], middleware=[world.halo.middleware(), Again()])
    built.invoke({"messages": ["x"]}, {"callbacks": [world.halo.callback()]})
    assert len(RAN) == len(world.decisions()) == 2
