"""What starts inside something guarded is decided, under the right agent, and outside of it nothing changes."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import functools
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, ensure_config
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from halo_core.errors import Denied
from halo_langchain import Resource, doctor
from halo_langchain.testing import ScriptedModel, call

RAN: list[str] = []
READ = Resource(impact="read", source_trust=900)


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


@tool
def look(q: str) -> str:
    """Look."""
    RAN.append("look")
    return f"seen {q}"


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        RAN.append("shelf")
        return [Document(query)]


class Chat(FakeListChatModel):
    def _call(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("chat")
        return super()._call(*args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Any:
        RAN.append("chat")
        yield from super()._stream(*args, **kwargs)


class Text(FakeListLLM):
    async def _acall(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("text")
        return await super()._acall(*args, **kwargs)


def node_graph(function: Any) -> Any:
    return StateGraph(MessagesState).add_node("work", function).add_edge(START, "work").compile()


THINGS = {
    "tool": lambda: look.invoke({"q": "x"}),
    "tool without callbacks": lambda: look.invoke({"q": "x"}, {"callbacks": []}),
    "retriever": lambda: Shelf().invoke("x"),
    "chat": lambda: Chat(responses=["hi"]).invoke("x"),
    "stream": lambda: list(Chat(responses=["hi"]).stream("x")),
    "chain": lambda: (RunnableLambda(lambda x: x) | Chat(responses=["hi"])).invoke("x"),
}


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("place", ["node", "edge", "tool body", "retriever body"])
def test_it_is_decided_wherever_it_starts(world, name, place):
    start = THINGS[name]

    def nothing(_state: Any) -> dict[str, Any]:
        return {}

    class Asking(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            start()
            return []

    @tool
    def outer(q: str) -> str:
        """Outer."""
        return str(start())

    if place == "node":
        world.halo.guard(node_graph(lambda _state: start() and {})).invoke({"messages": []})
    elif place == "edge":
        graph = StateGraph(MessagesState).add_node("work", nothing).add_edge(START, "work")
        graph.add_conditional_edges("work", lambda _state: start() and "__end__")
        world.halo.guard(graph.compile()).invoke({"messages": []})
    elif place == "tool body":
        world.halo.guard(outer, resource=READ).invoke({"q": "x"})
    else:
        world.halo.guard(Asking(), resource=READ).invoke("x")
    around = 1 if place in ("tool body", "retriever body") else 0
    assert len(RAN) == len(world.decisions()) - around == 1


@pytest.mark.parametrize("name", THINGS)
def test_outside_of_anything_guarded_nothing_is_decided(world, name):
    world.halo.guard(look).invoke({"q": "x"})
    THINGS[name]()
    assert len(RAN) == 2
    assert len(world.decisions()) == 1


def test_what_reads_a_guarded_stream_is_outside(world):
    agent = world.halo.guard(create_agent(ScriptedModel(script=["a"]), []))
    for _ in agent.stream({"messages": [("user", "hi")]}):
        look.invoke({"q": "x"})
    assert RAN
    assert world.decisions("look") == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_model_that_is_called_like_an_agent_has_a_name_of_its_own(make_world, mode):
    world = make_world(mode)
    agents = [create_agent(ScriptedModel(script=["wet"], model_name="weather"), [], name="weather")]

    @tool
    def ask(q: str) -> str:
        """Ask."""
        return str(agents[0].invoke({"messages": [("user", q)]})["messages"][-1].text)

    asks = ScriptedModel(script=[call("ask", ("ask", {"q": "rain"}), id="m1"), "done"])
    answer = world.halo.guard(create_agent(asks, [world.halo.guard(ask, resource=READ)])).invoke(
        {"messages": [("user", "rain?")]}
    )
    assert answer["messages"][-2].text == "wet"
    assert world.effects("model.weather") == ["allow"]


def test_what_is_denied_inside_does_not_run(make_world):
    world = make_world(policy=DENIES)
    with pytest.raises(Denied):
        world.halo.guard(node_graph(lambda _state: look.invoke({"q": "x"}) and {})).invoke({"messages": []})
    assert (RAN, world.effects("look")) == ([], ["deny"])


def test_an_asynchronous_text_model_is_decided_beside_an_inline_handler(world):
    from langchain_core.callbacks import BaseCallbackHandler

    class Inline(BaseCallbackHandler):
        run_inline = True

    async def work(_state: Any) -> dict[str, Any]:
        await Text(responses=["hi"]).ainvoke("x", {"callbacks": [Inline()]})
        return {}

    asyncio.run(world.halo.guard(node_graph(work)).ainvoke({"messages": []}))
    assert RAN == ["text"]
    assert len(world.decisions()) == len(world.outcomes()) == 1


DENIES = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource == Tool::"look");
"""
ASKS = """
@id("p") permit(principal, action, resource);
@id("a") @effect("challenge") @reason("large_amount") forbid(principal, action, resource == Tool::"look");
"""


def test_a_question_inside_pauses_the_graph_and_a_no_is_a_no(make_world):
    world = make_world(policy=ASKS)
    graph = StateGraph(MessagesState).add_node("work", lambda _state: look.invoke({"q": "x"}) and {})
    guarded = world.halo.guard(graph.add_edge(START, "work").compile(checkpointer=InMemorySaver()))
    config = {"configurable": {"thread_id": "t"}}
    (asked,) = guarded.invoke({"messages": []}, config)["__interrupt__"]
    assert asked.value["resource"] == "look"
    with pytest.raises(Denied) as denied:
        guarded.invoke(Command(resume={"type": "reject"}), config)
    assert (denied.value.reason, RAN) == ("challenge_withdrawn", [])


INNER: dict[str, Any] = {}


@pytest.mark.parametrize("awaited", [False, True])
def test_an_agent_found_by_a_global_acts_under_its_own_name(world, awaited):
    script = [call("go", ("look", {"q": "x"}), id="m1"), "done"]
    INNER["agent"] = create_agent(ScriptedModel(script=script, model_name="inner"), [look], name="helper")

    @tool
    async def ask(q: str) -> str:
        """Ask."""
        return str(await INNER["agent"].ainvoke({"messages": [q]}))

    @tool("ask")
    def ask_now(q: str) -> str:
        """Ask."""
        return str(INNER["agent"].invoke({"messages": [q]}))

    guarded = world.halo.guard(ask if awaited else ask_now, resource=READ)
    asyncio.run(guarded.ainvoke({"q": "x"})) if awaited else guarded.invoke({"q": "x"})
    look.invoke({"q": "after"})
    agents = {e.body["request"]["resource"]["id"]: e.body["request"]["subject"]["agent"] for e in world.decisions()}
    assert agents == {"ask": "desk", "helper": "desk", "inner": "helper", "look": "helper"}
    assert len(world.decisions("look")) == 1


def test_a_graph_that_holds_itself_is_decided(world):
    holder: dict[str, Any] = {}

    def work(state: Any) -> dict[str, Any]:
        if len(state["messages"]) < 3:
            look.invoke({"q": "x"})
            holder["graph"].invoke({"messages": [*state["messages"], ("user", "again")]})
        return {}

    holder["graph"] = node_graph(work)
    world.halo.guard(holder["graph"]).invoke({"messages": [("user", "go")]})
    assert RAN == ["look", "look"]
    assert len(world.decisions("look")) == 2


def test_a_tool_that_is_called_like_a_registered_one_is_refused_inside(world):
    @tool("look")
    def other(account: str, amount: float) -> str:
        """Something else."""
        RAN.append("other")
        return "done"

    world.halo.guard(look, resource=READ)
    script = [call("go", ("look", {"account": "a", "amount": 1.0}), id="m1"), "done"]
    INNER["agent"] = create_agent(ScriptedModel(script=script), [other])
    outer = world.halo.guard(node_graph(lambda _state: INNER["agent"].invoke({"messages": [("user", "go")]}) and {}))
    outer.invoke({"messages": []})
    assert RAN == []
    assert world.reasons("look")[0][0] == "needs_guard"


def start_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def start_pool(work: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(lambda _number: work(), [1]))


def refused(work: Any) -> Any:
    """Calls that swallow a denial, and keep its reason."""

    def call_it() -> None:
        try:
            work()
        except Denied as denied:
            RAN.append(denied.reason)

    return call_it


@pytest.mark.parametrize("start", [start_thread, start_pool])
def test_what_a_raw_thread_in_a_chain_with_the_callback_starts_is_denied(world, start):
    chain = RunnableLambda(lambda _given: start(refused(lambda: look.invoke({"q": "x"}))))
    chain.invoke("go", {"callbacks": [world.halo.callback()]})
    assert (RAN, world.effects("look")) == (["session_missing"], ["deny"])


@pytest.mark.parametrize("start", [start_thread, start_pool])
def test_what_a_raw_thread_starts_is_named_and_denied(world, start):
    def work(_state: Any) -> dict[str, Any]:
        start(refused(lambda: look.invoke({"q": "x"})))
        return {}

    guarded = world.halo.guard(node_graph(work))
    guarded.invoke({"messages": []})
    assert (RAN, world.effects("look")) == (["session_missing"], ["deny"])
    with world.halo.install():
        guarded.invoke({"messages": []})
    assert RAN == ["session_missing"] * 2
    start(lambda: look.invoke({"q": "x"}))  # outside of anything guarded
    assert RAN[2:] == ["look"]


@pytest.mark.parametrize("start", [start_thread, start_pool])
def test_a_raw_thread_that_opens_a_session_is_decided_in_it(world, start):
    def look_in_session() -> None:
        with world.halo.session("of-the-thread"):
            look.invoke({"q": "x"})

    guarded = world.halo.guard(node_graph(lambda _state: start(look_in_session) or {}))
    guarded.invoke({"messages": []})
    assert RAN == ["look"]
    assert world.effects("look") == ["allow"]


WAITING: queue.Queue[str] = queue.Queue()


def use_thread(_state: Any) -> dict[str, Any]:
    threading.Thread(target=print).start()
    return {}


def use_bare_thread(_state: Any) -> dict[str, Any]:
    _thread.start_new_thread(print, ())
    return {}


def use_queue(_state: Any) -> dict[str, Any]:
    WAITING.put("work")
    return {}


def use_copied_context(_state: Any) -> dict[str, Any]:
    threading.Thread(target=contextvars.copy_context().run, args=(print,)).start()
    return {}


@pytest.mark.parametrize(
    ("work", "name", "remedy"),
    [
        (use_thread, "threads of `use_thread`", "what they start has no session and is denied"),
        (use_bare_thread, "threads or processes of `use_bare_thread`", "is not decided"),
        (use_queue, "a queue of `use_queue`", "copy_context"),
        (use_copied_context, "", ""),
    ],
)
def test_doctor_names_threads(world, work, name, remedy):
    noted = {item.name: item.remedy for item in doctor(world.halo.guard(node_graph(work)))}
    found = [(item, remedy in text) for item, text in noted.items() if f"`{work.__name__}`" in item]
    assert found == ([(name, True)] if name else [])


# agents with the middleware


class Busy(AgentMiddleware):
    """A middleware whose hook does work of its own."""

    def __init__(self, hook: str, start: Any) -> None:
        super().__init__()
        self.hook, self.start = hook, start

    def _run(self, hook: str) -> None:
        if hook == self.hook:
            self.start()

    def before_agent(self, state: Any, runtime: Any) -> None:
        self._run("before_agent")

    def before_model(self, state: Any, runtime: Any) -> None:
        self._run("before_model")

    def after_model(self, state: Any, runtime: Any) -> None:
        self._run("after_model")

    def after_agent(self, state: Any, runtime: Any) -> None:
        self._run("after_agent")


def run_busy(agent: Any, way: str) -> None:
    given = {"messages": [("user", "hi")]}
    if way == "invoke":
        agent.invoke(given)
    elif way == "ainvoke":
        asyncio.run(agent.ainvoke(given))
    else:
        list(agent.stream(given))


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("hook", ["before_agent", "before_model", "after_model", "after_agent"])
def test_what_other_hooks_of_an_agent_with_the_middleware_start_is_decided(world, name, hook):
    middleware = [Busy(hook, THINGS[name]), world.halo.middleware()]
    run_busy(create_agent(ScriptedModel(script=["a"]), [], middleware=middleware), "invoke")
    assert len(RAN) == 1
    assert len(world.decisions()) == 2  # and the agent's own model call


REFUSES_LOOK = """
@id("t.base")
permit (principal, action, resource);
@id("t.look")
forbid (principal, action == Action::"look", resource);
"""


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
@pytest.mark.parametrize("last", [False, True])
def test_a_tool_that_another_hook_starts_does_not_run_where_it_is_refused(make_world, way, last):
    world = make_world(policy=REFUSES_LOOK)
    ours, busy = world.halo.middleware(), Busy("before_model", THINGS["tool"])
    agent = create_agent(ScriptedModel(script=["a"]), [], middleware=[busy, ours] if last else [ours, busy])
    with pytest.raises(Denied):
        run_busy(agent, way)
    assert RAN == []


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
def test_what_a_later_middleware_puts_in_the_place_of_model_and_tool_is_decided(world, way):
    @tool("other")
    def other(q: str) -> str:
        """Other."""
        RAN.append("other")
        return q

    class Later(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(model=ScriptedModel(script=script, model_name="swapped")))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return await handler(request.override(model=ScriptedModel(script=script, model_name="swapped")))

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tool=other))

        async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
            return await handler(request.override(tool=other))

    script = [call("I look.", ("look", {"q": "x"}), id="m1"), "done"]
    middleware = [world.halo.middleware(), Later()]
    run_busy(create_agent(ScriptedModel(script=[]), [look], middleware=middleware), way)
    assert RAN == ["other"]
    assert len(world.decisions("other")) == 1
    assert len(world.decisions("swapped")) == 2


def test_a_middleware_of_a_class_of_the_applications_own_is_known_too(world):
    class Ours(type(world.halo.middleware())):
        """Named otherwise."""

    middleware = [Busy("before_model", THINGS["tool"]), Ours(world.halo)]
    agent = create_agent(ScriptedModel(script=["a"]), [], middleware=middleware)
    run_busy(agent, "invoke")
    assert len(RAN) == len(world.decisions("look")) == 1


def test_an_agent_inside_a_tool_says_its_own_name(world):
    """What a host streams of the agents inside is told apart by the name in their metadata."""
    names = []

    class See(AgentMiddleware):
        def before_model(self, state: Any, runtime: Any) -> None:
            config = ensure_config()
            names.append((config["metadata"].get("lc_agent_name"), config["recursion_limit"]))

    inner = create_agent(ScriptedModel(script=["sunny"]), [], name="weather", middleware=[See()])
    inner = inner.with_config(recursion_limit=77)

    @tool
    def ask(city: str) -> str:
        """Ask the agent that knows."""
        return str(inner.invoke({"messages": [("user", city)]})["messages"][-1].text)

    script = [call("I ask.", ("ask", {"city": "Paris"}), id="a0"), "done"]
    asking = world.halo.guard(ask, resource=READ)
    outer = create_agent(
        ScriptedModel(script=script), [asking], name="desk", middleware=[See(), world.halo.middleware()]
    )
    outer.invoke({"messages": [("user", "hi")]}, {"recursion_limit": 55})
    assert names == [("desk", 55), ("weather", 77), ("desk", 55)]


# calls that are all that a thread does


def submit_each(pool: ThreadPoolExecutor) -> None:
    list(pool.map(look.invoke, [{"q": "x"}]))
    pool.submit(functools.partial(look.run, {"q": "y"})).result()
    pool.submit(look.func, "z").result()  # type: ignore[attr-defined]


def start_each(_pool: ThreadPoolExecutor) -> None:
    for target, given in ((look.invoke, {"q": "x"}), (look.run, {"q": "y"}), (look.func, "z")):  # type: ignore[attr-defined]
        thread = threading.Thread(target=target, args=(given,))
        thread.start()
        thread.join()


@pytest.mark.parametrize("start", [submit_each, start_each])
def test_a_call_that_is_all_a_thread_does_is_of_who_started_it(world, start):
    def work(_state: Any) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()  # its thread stands
            start(pool)
            pool.submit(refused(lambda: look.invoke({"q": "w"}))).result()  # code of its own, which may do anything
        return {}

    graph = world.halo.guard(node_graph(work))
    with world.halo.session("mine"):
        graph.invoke({"messages": []})
    assert RAN == ["look"] * 3 + ["session_missing"]
    assert world.effects("look") == ["allow"] * 3 + ["deny"]
    assert len({entry.body["request"]["context"]["session"] for entry in world.decisions("look")[:3]}) == 1


def test_what_a_session_submits_is_in_it(world):
    guarded = world.halo.guard(look, resource=READ)
    with ThreadPoolExecutor(1) as pool:
        with world.halo.session("mine"):
            pool.submit(guarded.invoke, {"q": "x"}).result()
        pool.submit(refused(lambda: guarded.invoke({"q": "x"}))).result()  # nothing of it is left in the thread
    assert RAN == ["look", "session_missing"]


class ServingTool(BaseTool):
    name: str = "serving"
    description: str = "Serves requests."

    def _run(self) -> str:
        return ""

    def serve(self, jobs: queue.Queue[Any]) -> None:
        for job in iter(jobs.get, None):
            job()


def test_a_loop_of_a_tool_of_the_applications_own_is_no_single_call(world):
    jobs: queue.Queue[Any] = queue.Queue()
    guarded = world.halo.guard(look, resource=READ)
    with world.halo.session("mine"):
        thread = threading.Thread(target=ServingTool().serve, args=(jobs,))
        thread.start()
    jobs.put(refused(lambda: guarded.invoke({"q": "of another request"})))
    jobs.put(None)
    thread.join()
    assert RAN == ["session_missing"]
