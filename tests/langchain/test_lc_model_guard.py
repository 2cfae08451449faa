"""Guarded models: one decision on every way there is to call one, before anything is sent."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import pickle
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.runnables import ConfigurableField
from langchain_core.tracers._streaming import _V2StreamingCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from lc_models import CHATS, SECRET, SENT, TEXTS, Answer, Own, Plain, Streaming, Text, Texts, go, look, ways

from counts import is_thorough
from halo_core.enforcement.guards import get_guard
from halo_core.enforcement.session_context import in_body
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.model import ActionKind, EntryKind
from halo_langchain import Resource
from halo_langchain._translate import unwrap_bindings
from halo_langchain.testing import ScriptedModel, call

ALLOWED = '@id("p") permit(principal, action, resource);'
FORBID = 'forbid(principal, action in Action::"inference", resource);'
NO_MODELS = ALLOWED + '@id("n")' + FORBID
ASKED = ALLOWED + '@id("c") @effect("challenge") @reason("large_amount")' + FORBID
MASKED = ALLOWED + '@id("r") @effect("restrict") @obligation("{}")' + FORBID
NO_LOOKING = """
@id("n") forbid(principal, action in Action::"inference", resource)
when { context.args has tools && context.args.tools.contains("look") };
"""


@pytest.fixture(autouse=True)
def fresh() -> Any:
    SENT.clear()
    set_llm_cache(None)
    yield
    set_llm_cache(None)


@pytest.fixture
def allowing(make_world: Any) -> Any:
    return make_world(policy=ALLOWED)


@pytest.fixture
def denying(make_world: Any) -> Any:
    return make_world(policy=NO_MODELS)


# every way


@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.spread
def test_every_way_is_decided_exactly_once(allowing, kind):
    guarded = allowing.halo.guard(kind())
    for name in (name for other, name in ways() if other is kind):
        before, sent = len(allowing.decisions()), len(SENT)
        go(kind, name, guarded)
        assert (name, len(allowing.decisions()) - before) == (name, 1)
        assert len(SENT) > sent, name
    assert set(allowing.outcomes()) == {"success"}
    assert len(allowing.outcomes()) == len(allowing.decisions())


@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.spread
def test_nothing_is_sent_on_any_way_that_is_denied(denying, kind):
    guarded = denying.halo.guard(kind())
    for name in (name for other, name in ways() if other is kind):
        before = len(denying.decisions())
        with pytest.raises(Denied):
            go(kind, name, guarded)
        assert (name, SENT) == (name, [])
        assert (name, len(denying.decisions()) - before) == (name, 1)


@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.spread
def test_under_a_callback_too_it_is_decided_once(allowing, kind):
    handler = allowing.halo.callback()
    guarded = allowing.halo.guard(kind(callbacks=[handler]))
    for name in (name for other, name in ways() if other is kind):
        before = len(allowing.decisions())
        go(kind, name, guarded)
        assert (name, len(allowing.decisions()) - before) == (name, 1)


def test_the_answers_are_the_models_own(allowing):
    for kind in (*CHATS, *TEXTS):
        plain, guarded = kind(), allowing.halo.guard(kind())
        assert isinstance(guarded, kind)
        assert type(guarded).__name__ == kind.__name__
        for way in ("invoke", "ainvoke", "batch"):
            first, second = go(kind, way, plain), go(kind, way, guarded)
            assert getattr(first, "content", first) == getattr(second, "content", second) or way == "batch"
        assert [str(getattr(c, "content", c)) for c in plain.stream("q")] == [
            str(getattr(c, "content", c)) for c in guarded.stream("q")
        ]


def test_the_original_is_not_guarded(denying):
    model = Plain()
    denying.halo.guard(model)
    assert model.invoke("q").content == SECRET


def test_a_call_of_several_prompts_is_decided_for_each_or_for_all(allowing):
    handler = allowing.halo.callback()
    chat = allowing.halo.guard(Plain(callbacks=[handler]))
    chat.generate([[HumanMessage("a")], [HumanMessage("b")]])
    assert len(allowing.decisions("fake-chat")) == 2
    text = allowing.halo.guard(Texts(callbacks=[handler]))
    text.generate(["a", "b", "c"])
    text.batch(["a", "b", "c"])
    assert len(allowing.decisions("fake-texts")) == 2


async def test_prompts_side_by_side_are_decided_one_by_one(allowing):
    chat = allowing.halo.guard(Own(callbacks=[allowing.halo.callback()]))
    await chat.agenerate([[HumanMessage("a")], [HumanMessage("b")], [HumanMessage("c")]])
    await chat.abatch(["a", "b"])
    assert len(allowing.decisions("fake-chat")) == 5


# caches


@pytest.mark.parametrize("kind", [Plain, Streaming, Text, Texts])
@pytest.mark.parametrize("own", [True, False])
def test_a_cached_answer_is_decided_like_any_other(make_world, kind, own):
    cache = InMemoryCache()
    if own:
        given: dict[str, Any] = {"cache": cache}
    else:
        set_llm_cache(cache)
        given = {}
    kind(**given).invoke("q")
    SENT.clear()
    allowed = make_world(policy=ALLOWED)
    assert "quartz" in str(allowed.halo.guard(kind(**given)).invoke("q"))
    assert (SENT, len(allowed.decisions()), allowed.outcomes()) == ([], 1, ["success"])
    denied = make_world(policy=NO_MODELS).halo.guard(kind(**given))
    for name in ("invoke", "ainvoke", "batch", "abatch"):
        with pytest.raises(Denied):
            go(kind, name, denied)
    assert SENT == []


# agents


class Again(AgentMiddleware):
    """Asks the model twice, the second time something else."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        handler(request)
        return handler(request.override(messages=[HumanMessage("other")]))


class Twice(AgentMiddleware):
    """Asks the model the very same twice."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        handler(request)
        return handler(request)


class Hosting(AgentMiddleware):
    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model_settings={"tools": [{"type": "web_search"}]}))


async def every(source: Any) -> list[Any]:
    return [item async for item in source]


def ask(built: Any) -> Any:
    return built.invoke({"messages": [("user", "q")]})["messages"][-1]


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("with_middleware", [True, False])
def test_an_agent_decides_its_model_once(allowing, kind, with_middleware):
    ours = [allowing.halo.middleware()] if with_middleware else []
    tools = allowing.halo.guard([look])
    built = create_agent(allowing.halo.guard(kind()), tools, middleware=ours, system_prompt="be brief")
    assert ask(built).content == SECRET
    asyncio.run(built.ainvoke({"messages": [("user", "q")]}))
    list(built.stream({"messages": [("user", "q")]}, stream_mode="messages"))
    assert len(allowing.decisions("fake-chat")) == 3
    assert allowing.outcomes() == ["success"] * 3


def test_an_agents_denied_model_sends_nothing(denying):
    for ours in ([denying.halo.middleware()], []):
        built = create_agent(denying.halo.guard(Streaming()), [], middleware=ours)
        with pytest.raises(Denied):
            ask(built)
        with pytest.raises(Denied):
            asyncio.run(built.ainvoke({"messages": [("user", "q")]}))
        with pytest.raises(Denied):
            list(built.stream({"messages": [("user", "q")]}, stream_mode="messages"))
    assert SENT == []
    assert len(denying.decisions("fake-chat")) == 6


def test_a_response_format_adds_no_decision(allowing):
    built = create_agent(
        allowing.halo.guard(Plain()),
        allowing.halo.guard([look]),
        middleware=[allowing.halo.middleware()],
        response_format=ToolStrategy(Answer),
    )
    ask(built)
    assert len(allowing.decisions("fake-chat")) == 1


def test_what_changes_behind_the_middleware_is_decided_anew(allowing):
    guarded = allowing.halo.guard(Plain())
    for inner in (Again(), Twice()):
        before = len(allowing.decisions("fake-chat"))
        ask(create_agent(guarded, [], middleware=[allowing.halo.middleware(), inner]))
        assert len(allowing.decisions("fake-chat")) - before == 2
    with pytest.raises(Denied) as denied:
        ask(create_agent(guarded, [], middleware=[allowing.halo.middleware(), Hosting()]))
    assert denied.value.reason == "hosted_tool"
    assert len(SENT) == 4


def test_a_scripted_agent_with_tools_decides_every_step_once(allowing):
    script = [call("I look", ("look", {"q": "x"}), id="a1"), AIMessage("done", id="a2")]
    model = allowing.halo.guard(ScriptedModel(script=script))
    for ours in ([allowing.halo.middleware()], []):
        before = len(allowing.decisions())
        ask(create_agent(model, allowing.halo.guard([look]), middleware=ours))
        assert len(allowing.decisions()) - before == 3


# hosted tools


class Keyworded(Plain):
    model_kwargs: dict[str, Any] = {}  # noqa: RUF012  a pydantic field


@pytest.mark.parametrize(
    "made",
    [
        lambda halo: halo.guard(Plain()).bind(tools=[{"type": "web_search"}]),
        lambda halo: halo.guard(Plain().bind(tools=[{"type": "web_search"}])),
        lambda halo: halo.guard(Plain().bind(tools=[{"type": "web_search"}]).with_config(tags=["x"])),
        lambda halo: halo.guard(Keyworded(model_kwargs={"tools": [{"google_search": {}}]})),
    ],
)
def test_tools_that_the_provider_runs_are_denied_by_name(allowing, made):
    with pytest.raises(Denied) as denied:
        made(allowing.halo).invoke("q")
    assert denied.value.reason == "hosted_tool"
    with pytest.raises(Denied):
        list(made(allowing.halo).stream("q"))
    assert SENT == []


def test_tools_passed_with_a_call_are_seen(allowing):
    guarded = allowing.halo.guard(Plain())
    with pytest.raises(Denied):
        guarded.invoke("q", tools=[{"type": "code_interpreter"}])
    with pytest.raises(Denied):
        guarded._generate([HumanMessage("q")], tools=[{"type": "code_interpreter"}])
    assert SENT == []


def test_policies_see_the_names_of_bound_tools(make_world):
    world = make_world(policy=ALLOWED + NO_LOOKING)
    guarded = world.halo.guard(Plain())
    guarded.invoke("q")
    for way in ("bind_tools", "bind_tools stream"):
        with pytest.raises(Denied):
            go(Plain, way, guarded)
    assert len(SENT) == 1


# copies, names, registration


@pytest.mark.parametrize("kind", [Streaming, Texts])
def test_copies_keep_the_guard(denying, kind):
    guarded = denying.halo.guard(kind())
    copies = (
        copy.copy(guarded),
        copy.deepcopy(guarded),
        guarded.model_copy(update={"tags": ["x"]}),
        guarded.bind(stop=["x"]),
        guarded.with_config(tags=["x"]),
        guarded.with_retry(stop_after_attempt=1),
        guarded.with_fallbacks([guarded]),
        guarded.configurable_fields(tags=ConfigurableField(id="tags")).with_config(configurable={"tags": ["y"]}),
    )
    for other in copies:
        with pytest.raises(Denied):
            other.invoke("q")
    assert SENT == []
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(guarded)


def test_a_binding_is_guarded_inside(denying):
    guarded = denying.halo.guard(Plain().bind_tools([look]).with_config(tags=["x"]))
    assert get_guard(unwrap_bindings(guarded)).name == "fake-chat"
    with pytest.raises(Denied):
        guarded.invoke("q")
    assert SENT == []


def test_a_model_is_registered_under_its_name_or_as_told(make_world):
    world = make_world()
    world.halo.guard(Plain())
    assert world.halo.find_registered("fake-chat").kind is ActionKind.INFERENCE
    named = world.halo.guard(Plain(), resource=Resource(id="house-model", labels=frozenset({"forbidden"})))
    for model in (named, create_agent(named, [], middleware=[world.halo.middleware()])):
        with pytest.raises(Denied):
            model.invoke({"messages": [("user", "q")]} if model is not named else "q")
    assert world.effects("house-model") == ["deny", "deny"]
    assert world.effects("fake-chat") == []


def test_guarding_twice_guards_once(allowing, make_world):
    guarded = allowing.halo.guard(Plain())
    assert allowing.halo.guard(guarded) is guarded
    again = allowing.halo.guard(guarded, resource=Resource(id="other"))
    again.invoke("q")
    assert (len(allowing.decisions("other")), len(allowing.decisions("fake-chat"))) == (1, 0)
    with pytest.raises(ConfigError) as refused:
        make_world().halo.guard(guarded)
    assert refused.value.code == "guarded_elsewhere"


def test_a_model_named_in_the_call_is_decided_by_that_name(allowing):
    guarded = allowing.halo.guard(Plain(callbacks=[allowing.halo.callback()]))
    guarded.bind(model="bigger").invoke("q")
    assert [e.body["request"]["resource"]["id"] for e in allowing.decisions()] == ["bigger"]


def test_a_challenge_stops_a_model_before_it_is_asked(make_world):
    world = make_world(policy=ASKED)
    guarded = world.halo.guard(Streaming())
    for way in ("invoke", "ainvoke", "stream", "astream", "_generate"):
        with pytest.raises(Pending):
            go(Streaming, way, guarded)
    assert SENT == []


def test_observing_lets_every_way_run_and_says_what_it_decided(make_world):
    world = make_world(mode="observe", policy=NO_MODELS)
    guarded = world.halo.guard(Streaming())
    for way in ("invoke", "stream", "astream", "_stream"):
        assert "miri" in str(go(Streaming, way, guarded))
    assert world.effects("fake-chat") == ["deny"] * 4


@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.spread
def test_the_session_is_the_threads_on_every_way(allowing, kind):
    guarded, config = allowing.halo.guard(kind()), {"configurable": {"thread_id": "t7"}}
    guarded.invoke("q", config)
    guarded.batch(["q"], config)
    list(guarded.stream("q", config))
    asyncio.run(guarded.ainvoke("q", config))
    asyncio.run(guarded.abatch(["q"], config))
    asyncio.run(every(guarded.astream("q", config)))
    assert {e.session for e in allowing.decisions()} == {"thread:t7"}
    assert len(allowing.decisions()) == 6


# nothing passes under somebody else's decision


class Asking(Streaming):
    """A model that asks itself something else while it answers."""

    depth: int = 0

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        if messages[-1].text == "q":
            self.invoke("deeper")
            list(self.stream("deeper"))
        return super()._generate(messages, stop, run_manager, **kwargs)


class Late(Plain):
    """A model that calls its own method after it has answered."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        if messages[-1].text == "q":
            context = contextvars.copy_context()
            LATER.append(lambda: context.run(self._generate, [HumanMessage("later")]))
        return super()._generate(messages, stop, run_manager, **kwargs)


LATER: list[Any] = []


def test_what_a_model_asks_itself_is_decided(allowing):
    allowing.halo.guard(Asking()).invoke("q")
    assert len(allowing.decisions("fake-chat")) == 3


def test_what_a_callback_asks_is_decided(allowing):
    class Nosy(BaseCallbackHandler):
        def on_llm_start(self, *_args: Any, **_kwargs: Any) -> None:
            if not SENT:
                SENT.append("asked")
                list(guarded.stream("deeper"))

    guarded = allowing.halo.guard(Texts())
    guarded.invoke("q", {"callbacks": [Nosy()]})
    assert len(allowing.decisions("fake-texts")) == 2


def test_a_decision_ends_with_its_call(allowing):
    LATER.clear()
    allowing.halo.guard(Late()).invoke("q")
    LATER[0]()
    assert len(allowing.decisions("fake-chat")) == 2


class Keeping(AgentMiddleware):
    """Answers by itself, and keeps the call for later."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        context = contextvars.copy_context()
        LATER.append(lambda: context.run(handler, request))
        return AIMessage("by itself")


def test_a_decision_of_the_middleware_ends_with_it(allowing):
    LATER.clear()
    ask(create_agent(allowing.halo.guard(Plain()), [], middleware=[allowing.halo.middleware(), Keeping()]))
    assert len(allowing.decisions("fake-chat")) == 1
    LATER[0]()
    assert len(allowing.decisions("fake-chat")) == 2


def test_what_a_models_body_says_is_nobody_elses_word(allowing):
    inside: list[bool] = []

    class Seeing(Streaming):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            inside.append(in_body())
            return super()._generate(*args, **kwargs)

        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            inside.append(in_body())
            yield from super()._stream(*args, **kwargs)

    guarded = allowing.halo.guard(Seeing())
    for name in ("invoke", "ainvoke", "stream", "astream"):
        go(Seeing, name, guarded)
    assert inside == [True] * 4
    assert not in_body()


def test_messages_changed_after_the_decision_are_not_sent(allowing):
    seen: list[str] = []

    class Reading(Own):
        async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            seen.extend(str(m.content) for m in messages)
            return await super()._agenerate(messages, *args, **kwargs)

    async def both() -> None:
        given = [HumanMessage("q")]
        task = asyncio.create_task(guarded._agenerate(given))
        await asyncio.sleep(0)
        given[0].content = "changed"
        given.append(HumanMessage("more"))
        await task

    guarded = allowing.halo.guard(Reading())
    asyncio.run(both())
    assert seen == ["q"]


def test_threads_decide_on_their_own(allowing):
    guarded = allowing.halo.guard(Plain())
    with allowing.halo.session():
        context = contextvars.copy_context()
        threads = [threading.Thread(target=context.copy().run, args=(guarded.invoke, "q")) for _ in range(4)]
        for item in threads:
            item.start()
        for item in threads:
            item.join()
    assert len(allowing.decisions("fake-chat")) == 4


def test_an_error_of_the_model_is_recorded(allowing):
    class Broken(Plain):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        allowing.halo.guard(Broken()).invoke("q")
    assert allowing.outcomes() == ["error"]


# what may be used of an answer


class Listener(BaseCallbackHandler):
    """Everything that callbacks are told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.heard.append(f"{token}{kwargs.get('chunk')}")

    def on_llm_end(self, response: Any, **_kwargs: Any) -> None:
        self.heard.append(str(response))


@pytest.mark.matrix
@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.parametrize("obligation", ["redact_output()", "hold_output()"])
def test_what_a_policy_takes_away_nobody_sees(make_world, kind, obligation):
    world = make_world(policy=MASKED.format(obligation))
    listener = Listener()
    guarded = world.halo.guard(kind(callbacks=[listener]))
    names = [name for other, name in ways() if other is kind]
    # Others decide each way by default: here every other one, and the rest under the other obligation.
    for name in names if is_thorough() else names[obligation == "hold_output()" :: 2]:
        before = len(world.decisions())
        shown = str(go(kind, name, guarded))
        assert "quartz" not in shown, (name, shown)
        assert "miri" not in shown, (name, shown)
        assert ("write to" in shown) == (obligation == "redact_output()"), (name, shown)
        assert len(world.decisions()) - before == 1, name
    heard = "".join(listener.heard)
    assert "quartz" not in heard
    assert "miri" not in heard
    assert set(world.outcomes()) == {"success"}


@pytest.mark.parametrize("kind", [Plain, Streaming, Text, Texts])
def test_the_cache_keeps_and_gives_only_what_may_be_used(make_world, kind):
    cache = InMemoryCache()
    guarded = make_world(policy=MASKED.format("redact_output()")).halo.guard(kind(cache=cache))
    guarded.invoke("q")
    assert "quartz" not in str(cache._cache)
    kind(cache=cache).invoke("raw")  # kept before anything restricted it
    assert "quartz" in str(cache._cache)
    for name in ("invoke", "ainvoke"):
        way = {"invoke": guarded.invoke, "ainvoke": lambda q: asyncio.run(guarded.ainvoke(q))}[name]
        assert "quartz" not in str(way("raw"))
    assert "quartz" in str(cache._cache)  # a copy was restricted, not what the cache holds


class Events(BaseCallbackHandler, _V2StreamingCallbackHandler):
    """Asks for protocol events, which a cached answer is replayed as."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_stream_event(self, event: Any, **_kwargs: Any) -> None:
        self.heard.append(str(event))


def test_a_cached_answer_is_replayed_as_what_may_be_used(make_world):
    cache, events = InMemoryCache(), Events()
    Streaming(cache=cache).invoke("q")
    guarded = make_world(policy=MASKED.format("redact_output()")).halo.guard(Streaming(cache=cache))
    guarded.invoke("q", {"callbacks": [events]})
    asyncio.run(guarded.ainvoke("q", {"callbacks": [events]}))
    guarded.invoke("another", {"callbacks": [events]})
    assert "write to" in "".join(events.heard)
    assert "miri" not in "".join(events.heard)


class Wrapping(Plain):
    """A model that asks another model."""

    inner: Any = None

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return ChatResult(generations=[ChatGeneration(message=self.inner.invoke(messages))])


@pytest.mark.matrix
@pytest.mark.parametrize("kind", [*CHATS, Wrapping])
@pytest.mark.parametrize("guards", [True, False])
@pytest.mark.parametrize("obligation", ["redact_output()", "hold_output()"])
def test_an_agents_stream_shows_only_what_may_be_used(make_world, kind, guards, obligation):
    world = make_world(policy=MASKED.format(obligation))
    model = kind(inner=Streaming()) if kind is Wrapping else kind()
    ours = [world.halo.middleware()]
    built = create_agent(world.halo.guard(model) if guards else model, [], middleware=ours)
    given = {"messages": [("user", "q")]}
    shown = [str(list(built.stream(given, stream_mode=mode))) for mode in ("messages", "updates", "values")]
    shown += [str(asyncio.run(every(built.astream(given, stream_mode="messages"))))]
    shown += [str(asyncio.run(every(built.astream_events(given, version="v2"))))]
    shown += [str(built.invoke(given)), str(asyncio.run(built.ainvoke(given)))]
    for text in shown:
        assert "quartz" not in text
        assert "miri" not in text
    # A model inside a model is another call.
    assert len(world.decisions("fake-chat")) == len(shown) * (2 if kind is Wrapping else 1)
    assert set(world.outcomes()) == {"success"}


def test_what_cannot_be_restricted_at_the_model_is_denied(make_world):
    other = make_world(policy=ALLOWED)
    world = make_world(policy=MASKED.format("redact_output()"))
    built = create_agent(other.halo.guard(Plain()), [], middleware=[world.halo.middleware()])
    with pytest.raises(Denied) as denied:
        ask(built)
    assert denied.value.reason == "needs_guard"
    with pytest.raises(Denied) as denied:
        Plain().invoke("q", {"callbacks": [world.halo.callback()]})
    assert denied.value.reason == "needs_guard"
    assert SENT == []


def test_what_is_recorded_is_what_may_be_used(make_world):
    world = make_world(policy=MASKED.format("hold_output()"))
    world.halo.guard(Plain()).invoke("q")
    assert [e.body["detail"] for e in world.entries(EntryKind.OUTCOME)] == ["withheld"]


# entry points that a class has made anew


class Rewritten(Streaming):
    """A model whose entry points go their own way, past every method of the framework."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        SENT.append("own")
        return AIMessage(SECRET)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        return self.invoke(input)

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        SENT.append("own")
        yield AIMessageChunk("write to miriam.")
        yield AIMessageChunk("quartz@example.com now")

    async def astream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        for chunk in self.stream(input):
            yield chunk

    def generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        SENT.append("own")
        return LLMResult(generations=[[Generation(text=SECRET)] for _ in messages])

    async def agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return self.generate(messages)


class Passing(Streaming):
    """A model whose entry points do something first, as Gemini's do."""

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        return super().invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        return await super().ainvoke(input, config, **kwargs)

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        yield from super().stream(input, config, **kwargs)

    async def astream(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        async for chunk in super().astream(input, config, **kwargs):
            yield chunk

    def generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return super().generate(messages, *args, **kwargs)


OWN_WAYS = ("invoke", "ainvoke", "stream", "astream", "generate", "agenerate", "batch", "pipe", "bind_tools")


@pytest.mark.parametrize("kind", [Rewritten, Passing])
def test_entry_points_of_a_models_own_are_decided_once(make_world, kind):
    allowing, denying = make_world(policy=ALLOWED), make_world(policy=NO_MODELS)
    masking = make_world(policy=MASKED.format("redact_output()"))
    for name in OWN_WAYS:
        before = len(allowing.decisions())
        go(kind, name, allowing.halo.guard(kind(callbacks=[allowing.halo.callback()])))
        assert (name, len(allowing.decisions()) - before) == (name, 1)
        shown = str(go(kind, name, masking.halo.guard(kind())))
        assert "quartz" not in shown, (name, shown)
        assert "miri" not in shown, (name, shown)
        SENT.clear()
        with pytest.raises(Denied):
            go(kind, name, denying.halo.guard(kind()))
        assert (name, SENT) == (name, [])
    assert set(allowing.outcomes()) == {"success"}
    assert len(allowing.outcomes()) == len(allowing.decisions())


def test_the_middleware_and_an_entry_point_of_a_models_own_decide_once(allowing):
    for kind in (Rewritten, Passing):
        before = len(allowing.decisions())
        ask(create_agent(allowing.halo.guard(kind()), [], middleware=[allowing.halo.middleware()]))
        assert len(allowing.decisions()) - before == 1
    assert allowing.outcomes() == ["success"] * 2


def test_an_input_of_a_models_own_form_is_decided(make_world):
    odd = {"messages": ["what only this model reads"]}
    observing = make_world(mode="observe", policy=NO_MODELS)
    assert observing.halo.guard(Rewritten()).invoke(odd).content == SECRET
    assert observing.effects("fake-chat") == ["deny"]
    with pytest.raises(Denied):
        make_world(policy=NO_MODELS).halo.guard(Rewritten()).invoke(odd)


# beside the other points


@pytest.mark.parametrize("kind", [*CHATS, *TEXTS])
@pytest.mark.spread
def test_the_tripwire_lets_a_guarded_model_pass(allowing, kind):
    guarded = allowing.halo.guard(kind())
    with allowing.halo.install():
        for name in (name for other, name in ways() if other is kind):
            before = len(allowing.decisions())
            go(kind, name, guarded)
            assert (name, len(allowing.decisions()) - before) == (name, 1)
        with pytest.raises(Denied):
            kind().invoke("q")


def test_a_challenged_model_pauses_its_graph(make_world):
    world = make_world(policy=ASKED)
    built = create_agent(world.halo.guard(Streaming()), [], checkpointer=InMemorySaver())
    found = built.invoke({"messages": [("user", "q")]}, {"configurable": {"thread_id": "t"}})
    assert found["__interrupt__"][0].value["type"] == "halo_challenge"
    assert SENT == []
