"""LangGraph applications as services run them, compared with the same run ungoverned.

Requests that stream, jobs from a queue, work that goes on after the answer, conversations that are wound back, several
Halos in a process, processes that are forked. What ran by the application's own counters is what the log says was
decided, it is what ran without Halo, and what comes out is the same.
"""

from __future__ import annotations

import asyncio
import contextvars
import multiprocessing
import operator
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from app_models import Answers, CountedModel, model
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from deepagents import create_deep_agent
from deepagents.backends import CompositeBackend, StateBackend, StoreBackend
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_store
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send, interrupt
from lc_app_parts import ASKED, looks_once, make_look

from halo_langchain import Halo
from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

Guard = Callable[[Any], Any]
Run = Callable[[], Any]


def ask_about(q: str) -> dict[str, Any]:
    return {"messages": [("user", f"What is {q}?")]}


def on_thread(name: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": name}}


def last_text(found: dict[str, Any]) -> str:
    return str(found["messages"][-1].text)


# requests


def a_server_that_streams_words(guard: Guard, actions: Actions) -> Run:
    """Two requests at once, each streamed word by word, with a task in the background of each answer."""
    agent = guard(create_agent(looks_once(actions, "m"), [make_look(actions)], checkpointer=InMemorySaver()))
    sums = guard(create_agent(Answers(actions=actions, answers=["short"], model_name="sums"), []))
    app, kept = FastAPI(), []

    async def sum_up(thread: str) -> None:
        kept.append((thread, last_text(await sums.ainvoke(ask_about(thread)))))

    @app.get("/chat/{thread}")
    async def chat(thread: str, after: BackgroundTasks) -> StreamingResponse:
        async def read() -> Any:
            parts = agent.astream(ASKED, on_thread(thread), stream_mode=["messages", "updates"])
            async for kind, part in parts:
                yield f"{kind}: {part[0].text if kind == 'messages' else sorted(part)}\n"

        after.add_task(sum_up, thread)
        return StreamingResponse(read(), background=after)

    async def go() -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answers = await asyncio.gather(*(client.get(f"/chat/{name}") for name in ("a", "b", "a")))
        return sorted(answer.text for answer in answers[:2]), sorted(kept)

    return go


def jobs_from_a_queue(guard: Guard, actions: Actions) -> Run:
    """Threads that were started before take jobs from a queue, as workers of a task queue do."""
    agent = guard(create_agent(looks_once(actions, "m"), [make_look(actions)]))
    jobs: queue.Queue[str | None] = queue.Queue()
    done: list[str] = []

    def work() -> None:
        while (job := jobs.get()) is not None:
            done.append(f"{job}: {last_text(agent.invoke(ask_about(job)))}")

    def go() -> Any:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for job in ["rain", "wind", "snow", "sun", *[None] * len(threads)]:
            jobs.put(job)
        for thread in threads:
            thread.join(60)
        return sorted(done)

    return go


def a_table_of_questions(guard: Guard, actions: Actions) -> Run:
    """An evaluation: questions side by side in a pool of threads, in tasks, and by `to_thread`."""
    agent = guard(create_agent(looks_once(actions, "m"), [make_look(actions)]))
    asked = [ask_about(f"rain {i}") for i in range(4)]

    async def in_tasks() -> list[str]:
        limit = asyncio.Semaphore(2)

        async def ask(given: Any) -> str:
            async with limit:
                return last_text(await agent.ainvoke(given))

        found = await asyncio.gather(*map(ask, asked), *(asyncio.to_thread(agent.invoke, given) for given in asked))
        return [item if isinstance(item, str) else last_text(item) for item in found]

    def go() -> Any:
        with ThreadPoolExecutor(3) as pool:
            found = [last_text(item) for item in pool.map(agent.invoke, asked)]
        return found, asyncio.run(in_tasks()), [last_text(item) for item in agent.batch(asked, {"max_concurrency": 2})]

    return go


# conversations


class Review(TypedDict):
    parts: list[str]
    found: Annotated[list[str], operator.add]


class Part(TypedDict):
    part: str
    found: Annotated[list[str], operator.add]


def branches_that_each_ask_a_person(guard: Guard, actions: Actions) -> Run:
    """Mapped branches that pause side by side, answered by the ids of their questions."""
    look, says = make_look(actions), Answers(actions=actions, answers=["wet"], model_name="says")

    def review(state: Part) -> Any:
        found = look.invoke({"q": state["part"]})
        return {"found": [f"{says.invoke(found).text} {interrupt({'part': state['part']})}"]}

    graph = StateGraph(Review).add_node("split", lambda _state: {"parts": ["a", "b", "c"]}).add_node("review", review)
    graph.add_conditional_edges("split", lambda s: [Send("review", {"part": x}) for x in s["parts"]], ["review"])
    graph.add_edge(START, "split")
    app = guard(graph.compile(checkpointer=InMemorySaver()))

    def go() -> Any:
        paused = app.invoke({"found": []}, on_thread("t"))["__interrupt__"]
        # Branches pause in whichever order their threads get there.
        answers = {item.id: f"yes to {item.value['part']}" for item in paused if item.value["part"] != "c"}
        rest = app.invoke(Command(resume=answers), on_thread("t"))["__interrupt__"]
        return sorted(app.invoke(Command(resume={item.id: "no" for item in rest}), on_thread("t"))["found"])

    return go


def a_conversation_that_is_wound_back(guard: Guard, actions: Actions) -> Run:
    """A run that begins again at an earlier checkpoint, once as it was and once with another message."""
    agent = guard(create_agent(looks_once(actions, "m"), [make_look(actions)], checkpointer=InMemorySaver()))

    def go() -> Any:
        agent.invoke(ask_about("rain"), on_thread("t"))
        before = next(state for state in agent.get_state_history(on_thread("t")) if state.next == ("tools",))
        again = agent.invoke(None, before.config)
        first = next(state for state in agent.get_state_history(on_thread("t")) if state.next == ("__start__",))
        other = agent.update_state(first.config, ask_about("wind"), as_node="__start__")
        forked = agent.invoke(None, other)
        return last_text(again), last_text(forked), len(forked["messages"])

    return go


# memory, and work that goes on


def memories_that_are_written_later(guard: Guard, actions: Actions) -> Run:
    """Memory tools over a store, and a reflection in a pool of threads with the run's own context."""
    reflects = Answers(actions=actions, answers=["likes rain"], model_name="reflects")
    pool, pending = ThreadPoolExecutor(1), []

    @tool
    def remember(text: str) -> str:
        """Remember something."""
        actions.note("tool_call", "remember")
        store = get_store()
        store.put(("memories",), text, {"text": text})

        def reflect() -> None:
            store.put(("memories",), "profile", {"text": reflects.invoke(text).text})

        pending.append(pool.submit(contextvars.copy_context().run, reflect))
        return "noted"

    @tool
    def recall(q: str) -> str:
        """Recall what is known."""
        actions.note("tool_call", "recall")
        return " ".join(sorted(item.value["text"] for item in get_store().search(("memories",))))

    script = [call("a", ("remember", {"text": "rain"}), id="a1"), "ok", call("b", ("recall", {"q": "rain"}), id="a2")]
    agent = guard(
        create_agent(
            model(actions, *script, "done", name="m"),
            [remember, recall],
            checkpointer=InMemorySaver(),
            store=InMemoryStore(),
        )
    )

    def go() -> Any:
        first = agent.invoke(ask_about("rain"), on_thread("t"))
        for future in pending:
            future.result(60)
        second = agent.invoke(ask_about("known"), on_thread("t"))
        pool.shutdown()
        return last_text(first), last_text(second), second["messages"][-2].text

    return go


def work_that_goes_on_after_the_answer(guard: Guard, actions: Actions) -> Run:
    """A tool that starts an agent in a task, which ends after the run that started it."""
    research = create_agent(looks_once(actions, "inner-m"), [make_look(actions)], name="research")
    started: list[asyncio.Task[Any]] = []

    @tool
    async def start_research(q: str) -> str:
        """Start a research in the background."""
        actions.note("tool_call", "start_research")

        async def work() -> str:
            await asyncio.sleep(0.05)
            return last_text(await research.ainvoke(ask_about(q)))

        started.append(asyncio.create_task(work()))
        return "started"

    script = [call("a", ("start_research", {"q": "rain"}), id="a1"), "it is on its way"]
    agent = guard(create_agent(model(actions, *script, name="m"), [start_research]))

    async def go() -> Any:
        said = last_text(await agent.ainvoke(ask_about("rain")))
        return said, await asyncio.gather(*started)

    return go


def a_deep_agent_that_remembers(guard: Guard, actions: Actions) -> Run:
    """Files below one path are kept in a store over conversations, the others are not."""
    write = {"file_path": "/memories/rain.md", "content": "rain is wet"}
    script = [
        call("a", ("write_file", write), ("write_file", {"file_path": "/draft.md", "content": "x"}), id="a1"),
        call("b", ("read_file", {"file_path": "/memories/rain.md"}), ("ls", {"path": "/memories/"}), id="a2"),
    ]

    backend = CompositeBackend(
        default=StateBackend(), routes={"/memories/": StoreBackend(namespace=lambda _runtime: ("memories",))}
    )

    agent = guard(
        create_deep_agent(
            model=model(actions, *script, "done", name="m"),
            tools=[make_look(actions)],
            backend=backend,
            store=InMemoryStore(),
            checkpointer=InMemorySaver(),
        )
    )

    def go() -> Any:
        found = agent.invoke(ask_about("rain"), on_thread("t"))
        # What the framework's own tools do is theirs; by their messages they ran.
        for message in found["messages"]:
            if message.type == "tool":
                actions.note("tool_call", message.name)
        return [(message.type, message.text) for message in found["messages"]], sorted(found["files"])

    return go


# models


class RoutedModel(BaseChatModel):
    """Asks one of several deployments, the next where one fails, as routers of providers do."""

    actions: Any
    name_in_log: str = "routed"
    deployments: list[str]
    failed: list[str]

    @property
    def _llm_type(self) -> str:
        return "routed"

    @property
    def model_name(self) -> str:
        return self.name_in_log

    def _answer(self, messages: list[Any]) -> str:
        for name in self.deployments:
            if name == "broken":
                self.failed.append(name)
                continue
            return f"{name}: {messages[-1].text}"
        raise RuntimeError("none answers")

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> ChatResult:
        self.actions.note("inference", self.name_in_log)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._answer(messages)))])

    def _stream(
        self, messages: list[Any], stop: Any = None, run_manager: Any = None, **_kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.actions.note("inference", self.name_in_log)
        for word in self._answer(messages).split():
            chunk = ChatGenerationChunk(message=AIMessageChunk(word))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


def a_router_of_deployments(guard: Guard, actions: Actions) -> Run:
    """A model class of the application's own, which is asked whole, in parts, in a batch, and with alternatives."""
    routed = RoutedModel(actions=actions, deployments=["broken", "east"], failed=[])
    none = RoutedModel(actions=actions, deployments=["broken"], failed=[], name_in_log="none")

    def ask(state: MessagesState) -> Any:
        words = state["messages"][-1].text
        parts = "".join(part.text for part in routed.stream(words))
        batch = [item.text for item in routed.batch([words, "b"])]
        other = none.with_fallbacks([routed]).invoke(words).text
        tagged = routed.with_config(tags=["draft"]).bind(stop=["x"]).invoke(words).text
        return {"messages": [AIMessage(f"{parts} {batch} {other} {tagged}")]}

    async def ask_later(state: MessagesState) -> Any:
        parts = [part.text async for part in routed.astream(state["messages"][-1].text)]
        return {"messages": [AIMessage(f"{parts} {len(routed.failed)}")]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_node("later", ask_later)
    graph.add_edge(START, "ask").add_edge("ask", "later")
    app = guard(graph.compile())

    async def go() -> Any:
        return [last_text(part["data"]["output"]) async for part in app.astream_events(ASKED, version="v2")
                if part["event"] == "on_chain_end" and part["name"] in ("ask", "later")]  # fmt: skip

    return go


class Tree(TypedDict):
    tries: Annotated[list[str], operator.add]
    depth: int


def a_search_in_a_tree(guard: Guard, actions: Actions) -> Run:
    """Candidates by `generate` and `agenerate` of several prompts, judged side by side, until one is good."""
    drafts = Answers(actions=actions, answers=["a", "b", "c", "d", "e"], model_name="drafts")
    judges = Answers(actions=actions, answers=["3", "9"], model_name="judges")
    look = make_look(actions)

    async def expand(state: Tree) -> Any:
        asked = [[HumanMessage(f"try {i}")] for i in range(2)]
        now, later = drafts.generate(asked), await drafts.agenerate(asked)
        found = [item[0].text for result in (now, later) for item in result.generations]
        notes = await look.abatch([{"q": item} for item in found[:2]])
        return {"tries": [*found, *notes], "depth": state["depth"] + 1}

    def judge(state: Tree) -> str:
        return "__end__" if int(judges.invoke(str(state["tries"])).text) > 5 else "expand"

    graph = StateGraph(Tree).add_node("expand", expand).add_edge(START, "expand")
    graph.add_conditional_edges("expand", judge, ["expand", "__end__"])
    app = guard(graph.compile())

    async def go() -> Any:
        return await app.ainvoke({"tries": [], "depth": 0})

    return go


def interviews_side_by_side(guard: Guard, actions: Actions) -> Run:
    """A graph that maps a subgraph over its personas by `abatch`, each an interview with several turns."""
    asks = Answers(actions=actions, answers=["why?"], model_name="asks")
    look, answers = make_look(actions), Answers(actions=actions, answers=["so"], model_name="answers")

    async def ask(state: MessagesState) -> Any:
        return {"messages": [await asks.ainvoke(state["messages"])]}

    async def answer(state: MessagesState) -> Any:
        found = await look.abatch([{"q": "x"}, {"q": "y"}], return_exceptions=True)
        return {"messages": [await answers.ainvoke([*state["messages"], HumanMessage(str(found))])]}

    inner = StateGraph(MessagesState).add_node("ask", ask).add_node("answer", answer)
    inner.add_edge(START, "ask").add_edge("ask", "answer")
    inner.add_conditional_edges("answer", lambda s: "ask" if len(s["messages"]) < 5 else "__end__", ["ask", "__end__"])
    interview = inner.compile().with_config(run_name="interview")

    async def hold(_state: MessagesState) -> Any:
        found = await interview.abatch([ask_about(who) for who in ("ana", "ben", "cy")])
        return {"messages": [AIMessage(str(sorted(len(item["messages"]) for item in found)))]}

    app = guard(StateGraph(MessagesState).add_node("hold", hold).add_edge(START, "hold").compile())

    async def go() -> Any:
        return last_text(await app.ainvoke(ASKED))

    return go


APPS: list[Callable[[Guard, Actions], Run]] = [
    a_server_that_streams_words,
    jobs_from_a_queue,
    a_table_of_questions,
    branches_that_each_ask_a_person,
    a_conversation_that_is_wound_back,
    memories_that_are_written_later,
    work_that_goes_on_after_the_answer,
    a_deep_agent_that_remembers,
    a_router_of_deployments,
    a_search_in_a_tree,
    interviews_side_by_side,
]
READS = ("look", "remember", "recall", "start_research", "read_file", "ls", "write_file")


def finish(said: Any) -> Any:
    return asyncio.run(asyncio.wait_for(said, 60)) if asyncio.iscoroutine(said) else said


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("build", APPS)
def test_each_service_runs_as_without_halo(tmp_path, build, is_guarded, mode):
    # Threads that plain code starts which has called something guarded, as other tests have here, are inside of that.
    contextvars.Context().run(check_service, tmp_path / "home", build, mode, is_guarded=is_guarded)


def check_service(home: Path, build: Any, mode: str, *, is_guarded: bool) -> None:
    actions, free = Actions(), Actions()
    expected = finish(build(lambda given: given, free)())
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        guard = halo.guard if is_guarded else lambda graph: graph.with_config(callbacks=[halo.callback()])
        found = finish(build(guard, actions)())
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
    assert actions.count() == free.count()
    assert found == expected


# more than one Halo, and more than one process


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("awaited", [False, True])
def test_two_halos_of_a_process_each_log_their_own(tmp_path, awaited, mode):
    homes, counts = [tmp_path / "one", tmp_path / "two"], [Actions(), Actions()]
    for home in homes:
        declare(home, *(f"{name}: {{impact: read, source_trust: 900}}" for name in ("look", "ask_other")))
    with (
        Halo.local("front", mode=mode, home=homes[0], quiet=True) as one,
        Halo.local("back", mode=mode, home=homes[1], quiet=True) as two,
    ):
        other = two.guard(create_agent(looks_once(counts[1], "back-m"), [make_look(counts[1])], name="back"))

        @tool
        def ask_other(q: str) -> str:
            """Ask the other one."""
            counts[0].note("tool_call", "ask_other")
            with two.session(user="ana@bank.example", request=q):
                return last_text(other.invoke(ask_about(q)))

        front = create_agent(looks_once(counts[0], "front-m", ("ask_other", {"q": "rain"})), [ask_other])
        agent = one.guard(front)
        found = asyncio.run(agent.ainvoke(ASKED)) if awaited else agent.invoke(ASKED)
        alone = other.invoke(ASKED)
    assert (last_text(found), found["messages"][-2].text, last_text(alone)) == ("wet", "wet", "wet")
    for home, actions in zip(homes, counts, strict=True):
        assert_all_decided(home, actions)
        assert (list_refusals(home), count_questions(home), list_undecided(home)) == ([], 0, [])


def build_clerk(actions: Actions) -> CountedModel:
    return create_agent(looks_once(actions, "m"), [make_look(actions)])


def work_in_a_fork(agent: Any, jobs: Any, done: Any) -> None:
    while (job := jobs.get()) is not None:
        done.put(last_text(agent.invoke(ask_about(job))))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_workers_that_are_forked_log_what_they_ran(tmp_path, mode):
    home, actions = tmp_path / "home", Actions(tmp_path / "ran")
    declare(home, "look: {impact: read, source_trust: 900}")
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        agent, fork = halo.guard(build_clerk(actions)), multiprocessing.get_context("fork")
        agent.invoke(ask_about("rain"))
        jobs, done = fork.Queue(), fork.Queue()
        workers = [fork.Process(target=work_in_a_fork, args=(agent, jobs, done)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for job in ["wind", "snow", "sun", "fog", None, None]:
            jobs.put(job)
        found = [done.get(timeout=120) for _ in range(4)]
        for worker in workers:
            worker.join(60)
        found.append(last_text(agent.invoke(ask_about("hail"))))
    assert found == ["wet"] * 5
    assert actions.count("tool_call") == {("tool_call", "look"): 6}
    assert_all_decided(home, actions)
    assert (list_refusals(home), count_questions(home), list_undecided(home)) == ([], 0, [])
