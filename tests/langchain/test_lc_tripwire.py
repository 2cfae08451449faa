"""The tripwire: what nothing of Halo decides does not run, in no shape; what is guarded runs and is decided once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from langchain_core.tracers.context import _configure_hooks
from langgraph.func import entrypoint, task
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from lc_noting import RAN, AsyncShelf, Chat, Shelf, Text, alook, look

from halo_core.errors import Denied
from halo_core.model import ActionKind, EntryKind, Impact, Mode
from halo_langchain import Resource, _tripwire
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
NO_MODELS = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action in Action::"inference", resource);
"""


@pytest.fixture(autouse=True)
def nothing_ran() -> Iterator[None]:
    RAN.clear()
    yield
    for item in list(_tripwire._installed):  # whatever a test left behind: others run in this process
        item.uninstall()


@pytest.fixture
def watched(world: Any) -> Any:
    world.halo.install()
    return world


@pytest.fixture
def ungranted(make_world: Any) -> Any:
    world = make_world(grants={})
    world.halo.install()
    return world


@pytest.fixture
def observed(make_world: Any) -> Any:
    world = make_world(mode="observe")
    world.halo.install()
    return world


class Ladder(BaseTool):
    name: str = "ladder"
    description: str = "Climb."

    def _run(self, q: str) -> str:
        RAN.append("ladder")
        return f"up {q}"


async def _astream(r: Any, x: Any, c: Any) -> Any:
    return [item async for item in r.astream(x, c)]


async def _events(r: Any, x: Any, c: Any) -> Any:
    return [item async for item in r.astream_events(x, c, version="v2")]


async def _abatch(r: Any, x: Any, c: Any) -> Any:
    return (await r.abatch([x], c))[0]


SYNC: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda r, x, c: r.invoke(x, c),
    "batch": lambda r, x, c: r.batch([x], c)[0],
    "stream": lambda r, x, c: list(r.stream(x, c)),
}
ASYNC: dict[str, Callable[[Any, Any, Any], Any]] = {
    "ainvoke": lambda r, x, c: r.ainvoke(x, c),
    "abatch": _abatch,
    "astream": _astream,
    "events": _events,
}
# name → (what is called, its input, kind and name of the sighting)
THINGS: dict[str, tuple[Callable[[], Any], Any, tuple[str, str]]] = {
    "tool": (lambda: look, {"q": "x"}, ("tool", "look")),
    "own_run": (Ladder, {"q": "x"}, ("tool", "ladder")),
    "async_tool": (lambda: alook, {"q": "x"}, ("tool", "alook")),
    "retriever": (Shelf, "x", ("retriever", "Shelf")),
    "async_retriever": (AsyncShelf, "x", ("retriever", "AsyncShelf")),
    "chat": (lambda: Chat(responses=["hi"]), "x", ("model", "fakechatmodel")),
    "text": (lambda: Text(responses=["hi"]), "x", ("model", "fakelist")),
}
SHAPES = [(t, s) for t in THINGS for s in (*SYNC, *ASYNC) if t != "async_tool" or s in ASYNC]
GUARDABLE = [(t, s) for t, s in SHAPES if t not in {"chat", "text"}]


async def run(thing: Any, shape: str, given: Any, config: dict[str, Any] | None = None) -> Any:
    if shape in SYNC:
        return await asyncio.to_thread(SYNC[shape], thing, given, config)
    return await ASYNC[shape](thing, given, config)


def sightings(world: Any) -> list[tuple[str, str, str]]:
    return [(e.body["kind"], e.body["name"], e.body["where"]) for e in world.entries(EntryKind.SHADOW)]


def say(*calls: tuple[str, dict[str, Any]]) -> ScriptedModel:
    return ScriptedModel(script=[call("so", *calls, id="m1")])


# what is not guarded


@pytest.mark.matrix
@pytest.mark.parametrize("config", [None, {"callbacks": []}], ids=["plain", "no_callbacks"])
@pytest.mark.parametrize(("thing", "shape"), SHAPES)
async def test_what_is_not_guarded_runs_in_no_shape(watched, thing, shape, config):
    if (thing, config) == ("text", {"callbacks": []}):
        config = {"callbacks": CallbackManager([])}  # an empty list the framework cannot take here
    made, given, (kind, _) = THINGS[thing]
    with pytest.raises(Denied) as denied:
        await run(made(), shape, given, config)
    assert denied.value.reason == "unguarded"
    assert denied.value.remedy
    assert RAN == []
    assert [s[0] for s in sightings(watched)] == [kind]
    assert watched.decisions() == []


@pytest.mark.matrix
@pytest.mark.parametrize(("thing", "shape"), SHAPES)
async def test_observe_mode_lets_it_run_and_records_it(observed, thing, shape):
    made, given, (kind, _) = THINGS[thing]
    shown = await run(made(), shape, given)
    assert shown or (thing, shape) == ("text", "events")  # LangChain tells others of no start beside an inline handler
    assert len(RAN) == 1
    assert [s[0] for s in sightings(observed)] == [kind]


def test_a_sighting_names_what_ran_and_where_and_no_values(observed):
    graph = StateGraph(dict).add_node("n", lambda _: {"x": look.invoke({"q": "sesame"})}).set_entry_point("n")
    graph.compile(name="errands").invoke({})
    RunnableLambda(lambda q: Shelf().invoke(q), name="reading").invoke("sesame")
    found = sightings(observed)
    assert ("tool", "look", "errands/n") in found
    assert ("retriever", "Shelf", "reading") in found
    assert "sesame" not in str(observed.entries(EntryKind.SHADOW))


def test_a_raw_thread_does_not_lose_it(watched):
    def work() -> str:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: look.invoke({"q": "x"}, {"callbacks": []})).result()

    with pytest.raises(Denied):
        RunnableLambda(lambda _: work()).invoke("x")
    failed: list[BaseException] = []

    def bare() -> None:
        try:
            Chat(responses=["hi"]).invoke("x")
        except Denied as exc:
            failed.append(exc)

    thread = threading.Thread(target=bare)
    thread.start()
    thread.join()
    assert len(failed) == 1
    assert RAN == []


def test_entrypoints_and_tasks_are_no_way_around(watched):
    @task
    def errand(q: str) -> str:
        return str(look.invoke({"q": q}))

    @entrypoint()
    def flow(q: str) -> str:
        return str(errand(q).result())

    with pytest.raises(Denied):
        flow.invoke("x")
    assert RAN == []


def test_fallbacks_retries_and_returned_errors_run_nothing(watched):
    with pytest.raises(Denied):
        look.with_fallbacks([Ladder()]).invoke({"q": "x"})
    with pytest.raises(Denied):
        look.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke({"q": "x"})
    (got,) = look.batch([{"q": "x"}], return_exceptions=True)
    assert isinstance(got, Denied)
    assert RAN == []


def test_an_answer_from_the_cache_of_a_chat_model_is_refused_too(world):
    model = Chat(responses=["hi"], cache=InMemoryCache())
    model.invoke("x")
    world.halo.install()
    with pytest.raises(Denied):
        model.invoke("x")
    assert RAN == ["chat"]


async def test_a_batch_of_prompts_is_refused(watched):
    for thing in (Chat(responses=["hi"]), Text(responses=["hi"])):
        with pytest.raises(Denied):
            await asyncio.to_thread(thing.batch, ["a", "b"])
        with pytest.raises(Denied):
            await thing.abatch(["a", "b"])
    assert RAN == []


def test_a_manager_that_somebody_else_made_is_no_way_around(watched):
    with pytest.raises(Denied):
        look.invoke({"q": "x"}, {"callbacks": CallbackManager([])})
    assert RAN == []


def test_a_tool_node_of_unguarded_tools_runs_nothing(watched):
    graph = StateGraph(dict).add_node("tools", ToolNode([look])).set_entry_point("tools").compile()
    message = call("so", ("look", {"q": "x"}), id="m1")
    with pytest.raises(Denied):
        graph.invoke({"messages": [message]})
    assert RAN == []


# agents


def test_an_agent_with_nothing_of_halo_is_named_as_a_shadow(observed):
    create_agent(say(("look", {"q": "x"})), [look], name="researcher").invoke({"messages": ["x"]})
    assert RAN == ["look"]
    assert set(sightings(observed)) == {
        ("model", "scripted", "researcher/model"),
        ("tool", "look", "researcher/tools"),
        ("agent", "researcher", "researcher"),
    }


async def test_a_shadow_agent_gets_nowhere_in_enforce_mode(watched):
    built = create_agent(say(("look", {"q": "x"})), [look], name="researcher")
    with pytest.raises(Denied):
        await built.ainvoke({"messages": ["x"]})
    assert RAN == []
    assert ("agent", "researcher", "researcher") in sightings(watched)


def test_an_agent_that_has_something_of_halo_is_no_shadow(observed):
    tools = [observed.halo.guard(look, resource=READ), alook]
    create_agent(say(("look", {"q": "x"})), tools, name="desk").invoke({"messages": ["x"]})
    assert [s[0] for s in sightings(observed)] == ["model"]


def test_a_guarded_agent_runs_and_each_action_is_decided_once(watched):
    built = create_agent(
        say(("look", {"q": "x"})), [watched.halo.guard(look, resource=READ)], middleware=[watched.halo.middleware()]
    )
    built.invoke({"messages": ["x"]})
    assert RAN == ["look"]
    kinds = [e.body["request"]["kind"] for e in watched.decisions()]
    assert kinds == ["inference", "tool_call", "inference"]
    assert sightings(watched) == []


def test_a_tool_that_the_middleware_decides_is_decided_once(watched):
    watched.halo.register(ActionKind.TOOL_CALL, "look", resource=READ, schema={"properties": {"q": {"type": "string"}}})
    create_agent(say(("look", {"q": "x"})), [look], middleware=[watched.halo.middleware()]).invoke({"messages": ["x"]})
    assert RAN == []
    assert len(watched.decisions("look")) == 1


def test_a_call_of_another_middleware_to_a_model_is_decided(watched):
    class Summary(AgentMiddleware):
        def before_model(self, state: Any, runtime: Any) -> None:
            Chat(responses=["short"]).invoke("shorten this")

    built = create_agent(say(), [], middleware=[Summary(), watched.halo.middleware()])
    built.invoke({"messages": ["x"]})
    assert RAN == ["chat"]
    assert len(watched.entries(EntryKind.DECISION)) == 2
    assert sightings(watched) == []


def test_one_mark_lets_one_model_call_pass(watched):
    class Again(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            handler(request)
            return handler(request)

    built = create_agent(Chat(responses=["hi"]), [], middleware=[watched.halo.middleware(), Again()])
    built.invoke({"messages": ["x"]})
    assert RAN == ["chat", "chat"]
    assert len(watched.entries(EntryKind.DECISION)) == 2


def test_the_middleware_s_word_about_a_tool_is_not_for_its_unguarded_twin(watched):
    """Code between our middleware and the guarded tool calls the original, which has the same name."""

    class Between(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            look.invoke({"q": "behind"})
            return handler(request)

    built = create_agent(
        say(("look", {"q": "x"})),
        [watched.halo.guard(look, resource=READ)],
        middleware=[watched.halo.middleware(), Between()],
    )
    built.invoke({"messages": ["x"]})
    assert len(RAN) == len(watched.decisions("look")) == 2
    assert sightings(watched) == []


def test_a_second_try_at_a_guarded_tool_passes_and_is_decided(watched):
    class Fixes(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            if handler(request).status != "error":
                raise AssertionError
            return handler(request.override(tool_call={**request.tool_call, "args": {"q": "x"}}))

    built = create_agent(
        say(("look", {"wrong": 1})),
        [watched.halo.guard(look, resource=READ)],
        middleware=[watched.halo.middleware(), Fixes()],
    )
    built.invoke({"messages": ["x"]})
    assert RAN == ["look"]
    assert sightings(watched) == []


@pytest.mark.parametrize("inner", ["tool", "retriever", "chat", "text"])
def test_a_guard_does_not_cover_what_its_body_calls(watched, inner):
    made, given, _ = THINGS[inner]

    @tool
    def outer(q: str) -> str:
        """Outer."""
        RAN.append("outer")
        return str(made().invoke(given))

    watched.halo.guard(outer, resource=READ).invoke({"q": "x"})
    assert len(RAN) == len(watched.entries(EntryKind.DECISION)) == 2
    assert sightings(watched) == []


async def test_a_guard_does_not_cover_a_sub_agent_in_its_body(watched):
    built = create_agent(say(("look", {"q": "x"})), [look], name="helper")

    @tool
    async def ask(q: str) -> str:
        """Ask."""
        return str(await built.ainvoke({"messages": [q]}))

    await watched.halo.guard(ask, resource=READ).ainvoke({"q": "x"})
    assert RAN == ["look"]
    assert [e.body["request"]["subject"]["agent"] for e in watched.decisions("look")] == ["helper"]
    assert sightings(watched) == []


def test_a_guarded_retriever_does_not_vouch_for_those_it_asks(watched):
    class Both(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return Shelf().invoke(query, {"callbacks": run_manager.get_child()})

    watched.halo.guard(Both(), resource=READ).invoke("x")
    assert RAN == ["shelf"]
    (inner,) = watched.decisions("Both/Shelf")
    assert inner.body["request"]["resource"]["source_trust"] == 900


# taking a guard's mark


class Steals(BaseCallbackHandler):
    """Calls something else before the run that it is told of."""

    raise_error = True

    def __init__(self, thing: Any, given: Any) -> None:
        self.thing, self.given, self.met = thing, given, False

    def _steal(self, *_args: Any, **_event: Any) -> None:
        if not self.met:
            self.met = True
            self.thing.invoke(self.given)

    on_tool_start = on_retriever_start = on_chat_model_start = on_llm_start = _steal


@pytest.mark.matrix
@pytest.mark.parametrize("shape", SYNC)
@pytest.mark.parametrize("thing", [t for t in THINGS if t != "async_tool"])
def test_a_handler_of_a_guarded_run_takes_no_mark_for_another_of_its_name(watched, thing, shape):
    made, given, _ = THINGS[thing]
    guarded = watched.halo.guard(made(), resource=None if thing in {"chat", "text"} else READ)
    with pytest.raises(Denied) as denied:
        SYNC[shape](guarded, given, {"callbacks": [Steals(made(), given)]})
    assert denied.value.reason == "unguarded"
    assert RAN == []


@pytest.mark.parametrize("thing", ["chat", "text"])
def test_several_prompts_of_one_call_lend_no_mark_either(watched, thing):
    made, _, _ = THINGS[thing]
    guarded = watched.halo.guard(made())
    prompts = ["a", "b"] if thing == "text" else [[HumanMessage("a")], [HumanMessage("b")]]
    with pytest.raises(Denied):
        guarded.generate(prompts, callbacks=[Steals(made(), "x")])
    assert RAN == []
    assert len(guarded.generate(prompts).generations) == 2


def test_a_listener_of_a_guarded_model_takes_no_mark(watched):
    guarded = watched.halo.guard(Chat(responses=["hi"]))
    heard = guarded.with_listeners(on_start=lambda _: Chat(responses=["raw"]).invoke("x"))
    assert heard.invoke("q").text == "hi"
    assert RAN == ["chat"]
    assert len(sightings(watched)) == 1


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "another"])
def test_a_middleware_behind_ours_takes_no_mark_of_the_model(watched, guarded, same):
    model = Chat(responses=["hi"])
    raw = model if same else Chat(responses=["hi"])

    class Sums(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            raw.invoke("sum it up")
            return handler(request)

    mine = watched.halo.guard(model) if guarded else model
    built = create_agent(mine, [], middleware=[watched.halo.middleware(), Sums()])
    built.invoke({"messages": ["x"]})
    assert RAN == ["chat", "chat"]
    assert len(watched.entries(EntryKind.DECISION)) == 2


def test_an_unguarded_model_under_the_middleware_runs_with_images_and_a_system_prompt(watched):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    shown = [HumanMessage([{"type": "text", "text": "what is this"}, image])]
    built = create_agent(Chat(responses=["hi"]), [], system_prompt="Be brief", middleware=[watched.halo.middleware()])
    assert built.invoke({"messages": shown})["messages"][-1].text == "hi"
    assert sightings(watched) == []


def test_a_model_that_tracing_calls_something_else_is_guarded_all_the_same(watched):
    named = watched.halo.guard(Chat(responses=["hi"], metadata={"ls_model_name": "other"}))
    renamed = watched.halo.guard(ScriptedModel(script=[]))
    renamed.model_name = "renamed"
    assert named.invoke("q").text == "hi"
    assert renamed.invoke("q").text == "done"
    assert sightings(watched) == []


def test_a_model_that_ran_before_it_was_guarded_is_lent_no_mark(world):
    raw = Chat(responses=["hi"])
    raw.invoke("x")
    guarded = world.halo.guard(raw)
    world.halo.install()
    RAN.clear()
    with pytest.raises(Denied):
        guarded.invoke("x", {"callbacks": [Steals(raw, "x")]})
    assert RAN == []
    assert guarded.invoke("x").text == "hi"


def test_runs_keep_the_ids_that_their_callers_chose_and_have_one_each_otherwise(watched):
    ids: list[Any] = []

    class Notes(BaseCallbackHandler):
        def on_tool_start(self, *_args: Any, run_id: Any, **_event: Any) -> None:
            ids.append(run_id)

        def on_retriever_start(self, *_args: Any, run_id: Any, **_event: Any) -> None:
            ids.append(run_id)

    tool_, shelf = watched.halo.guard(look, resource=READ), watched.halo.guard(Shelf(), resource=READ)
    chosen, config = uuid4(), {"callbacks": [Notes()]}
    tool_.invoke({"q": "x"}, {**config, "run_id": chosen})
    tool_.batch([{"q": "a"}, {"q": "b"}], config)
    shelf.batch(["a", "b"], config)
    assert ids[0] == chosen
    assert len(set(ids)) == 5


def test_the_log_says_whether_it_ran(watched, observed):
    with pytest.raises(Denied):  # the stricter mode counts
        look.invoke({"q": "x"})
    assert [e.body["refused"] for e in watched.entries(EntryKind.SHADOW)] == [True]
    for item in list(_tripwire._installed):
        if item.halo is watched.halo:
            item.uninstall()
    look.invoke({"q": "x"})
    assert [e.body["refused"] for e in observed.entries(EntryKind.SHADOW)] == [True, False]


def test_a_shadow_agent_in_which_all_was_refused_is_not_said_to_have_run(watched):
    with pytest.raises(Denied):
        create_agent(say(("look", {"q": "x"})), [look], name="researcher").invoke({"messages": ["x"]})
    assert {e.body["kind"]: e.body["refused"] for e in watched.entries(EntryKind.SHADOW)} == {
        "model": True,
        "agent": True,
    }


# what is guarded


@pytest.mark.matrix
@pytest.mark.parametrize("config", [None, {"callbacks": []}], ids=["plain", "no_callbacks"])
@pytest.mark.parametrize(("thing", "shape"), GUARDABLE)
async def test_what_is_guarded_runs_and_is_decided_once(watched, thing, shape, config):
    made, given, _ = THINGS[thing]
    assert await run(watched.halo.guard(made(), resource=READ), shape, given, config)
    assert len(RAN) == 1
    assert len(watched.decisions()) == 1
    assert sightings(watched) == []


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["runtime", "constructor", "chain"])
@pytest.mark.parametrize("shape", [*SYNC, *ASYNC])
async def test_what_a_callback_decides_is_left_to_it(watched, shape, way):
    halo = watched.halo
    halo.register(ActionKind.TOOL_CALL, "look", resource=READ, schema={"properties": {"q": {"type": "string"}}})
    callbacks = [halo.callback()]
    mine = look.model_copy(update={"callbacks": callbacks})
    made = {
        "runtime": (look, {"callbacks": callbacks}),
        "constructor": (mine, None),
        "chain": (RunnableLambda(lambda x: x) | mine, None),
    }
    thing, config = made[way]
    assert await run(thing, shape, {"q": "x"}, config)
    assert RAN == ["look"]
    assert watched.effects("look") == ["allow"]
    assert sightings(watched) == []


@pytest.mark.parametrize("shape", [*SYNC, *ASYNC])
async def test_a_callback_that_says_no_is_not_overruled(ungranted, shape):
    with pytest.raises(Denied) as denied:
        await run(look, shape, {"q": "x"}, {"callbacks": [ungranted.halo.callback()]})
    assert denied.value.reason == "tool_not_granted"
    assert RAN == []


class Inline(BaseCallbackHandler):
    run_inline = True


@pytest.mark.matrix
@pytest.mark.parametrize("handlers", [[], [Inline()]], ids=["alone", "beside_an_inline_handler"])
@pytest.mark.parametrize("shape", [*SYNC, *ASYNC])
async def test_a_text_model_under_a_callback_is_decided_or_refused(make_world, shape, handlers):
    world = await asyncio.to_thread(make_world, policy=NO_MODELS)
    world.halo.install()
    with pytest.raises(Denied):
        await run(Text(responses=["hi"]), shape, "x", {"callbacks": [world.halo.callback(), *handlers]})
    assert RAN == []


def test_a_callback_on_one_tool_does_not_cover_what_its_body_calls(watched):
    @tool
    def outer(q: str) -> str:
        """Outer."""
        RAN.append("outer")
        return str(look.invoke({"q": q}))

    halo = watched.halo
    halo.register(ActionKind.TOOL_CALL, "outer", resource=READ, schema={"properties": {"q": {"type": "string"}}})
    outer.callbacks = [halo.callback()]
    with pytest.raises(Denied):
        outer.invoke({"q": "x"})
    assert RAN == ["outer"]


def test_a_guarded_tool_in_a_raw_thread_has_no_session_and_is_denied(watched):
    guarded = watched.halo.guard(look, resource=READ)

    def work(_: Any) -> str:
        with ThreadPoolExecutor(1) as pool:
            return str(pool.submit(lambda: guarded.invoke({"q": "x"})).result())

    with watched.halo.session("mine"), pytest.raises(Denied) as denied:
        RunnableLambda(work).invoke("x")
    assert denied.value.reason == "session_missing"
    assert RAN == []


# installing


def test_it_is_registered_once_and_taken_away(world):
    world.halo.install().uninstall()
    before = len(_configure_hooks)
    assert not _tripwire._TRIPWIRE.get().run_inline
    first, second = world.halo.install(), world.halo.install()
    assert len(_configure_hooks) == before
    first.uninstall()
    first.uninstall()
    with pytest.raises(Denied):  # the other installation still stands
        look.invoke({"q": "x"})
    second.uninstall()
    look.invoke({"q": "x"})
    assert RAN == ["look"]


def test_it_is_a_context_manager(world):
    with world.halo.install(), pytest.raises(Denied):
        look.invoke({"q": "x"})
    look.invoke({"q": "x"})
    assert RAN == ["look"]


def test_a_guard_of_any_halo_passes_and_the_stricter_mode_counts(make_world):
    strict, lax, third = make_world(), make_world(mode="observe"), make_world()
    with strict.halo.install(), lax.halo.install():
        assert third.halo.guard(look, resource=READ).invoke({"q": "x"}) == "seen x"
        with pytest.raises(Denied):
            look.invoke({"q": "x"})
        assert RAN == ["look"]
        assert [s[:2] for s in sightings(strict)] == [s[:2] for s in sightings(lax)] == [("tool", "look")]
        assert sightings(third) == []


def test_a_closed_halo_still_refuses(watched):
    watched.halo.close()
    with pytest.raises(Denied):
        look.invoke({"q": "x"})
    assert RAN == []


async def test_a_stored_mode_takes_effect_when_it_is_changed(make_world):
    world = await asyncio.to_thread(make_world, mode=None)
    await asyncio.to_thread(world.halo.install)
    await alook.ainvoke({"q": "x"})
    assert RAN == ["alook"]
    await asyncio.to_thread(_enforce, world)
    with pytest.raises(Denied):  # no event loop in the way: read where it is stored
        await asyncio.to_thread(look.invoke, {"q": "x"})
    assert RAN == ["alook"]


async def test_in_an_event_loop_a_changed_mode_takes_effect_after_the_next_action(make_world):
    world = await asyncio.to_thread(make_world, mode=None)
    watch = await asyncio.to_thread(world.halo.install)
    await asyncio.to_thread(_enforce, world)
    with contextlib.suppress(Denied):  # a thread may have read the mode already
        await alook.ainvoke({"q": "x"})
    ran = list(RAN)
    while watch._last_mode is not Mode.ENFORCE:  # noqa: ASYNC110  read in a thread, which tells nobody
        await asyncio.sleep(0)
    with pytest.raises(Denied):
        await alook.ainvoke({"q": "x"})
    assert ran == RAN


def _enforce(world: Any) -> None:
    def change(tx: Any) -> None:
        held = tx.load_control()
        tx.put_control(replace(held, version=held.version + 1, recorded=Mode.ENFORCE))

    world.halo.store.commit(change)
