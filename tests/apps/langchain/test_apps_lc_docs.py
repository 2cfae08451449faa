"""Shapes of LangChain applications out of the frameworks' guides: Pregel by hand, chains as tools, generators, threads.

As in `test_apps_shapes.py`: each runs as observed and enforced, guarded or under the callback alone, and what ran by
its own counters is what the log says was decided.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from app_models import Answers, CountedModel, model
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from langchain.agents import create_agent
from langchain_classic.retrievers import MergerRetriever, MultiVectorRetriever, RePhraseQueryRetriever
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableGenerator, RunnableLambda, RunnablePassthrough
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.stores import InMemoryStore
from langchain_core.tools import StructuredTool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.channels import EphemeralValue, LastValue
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import RetryPolicy, Send
from lc_app_parts import ASKED, THREAD, WAYS, Shelf, looks_once, make_look
from pydantic import BaseModel

from halo_langchain import Halo

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
App = tuple[Any, Any]


def graph_of(work: Any) -> Any:
    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile()


def says(text: Any) -> dict[str, Any]:
    return {"messages": [AIMessage(str(text))]}


def pregel_by_hand(actions: Actions) -> App:
    """Two nodes over channels, without a builder of graphs."""
    look, says_it = make_look(actions), model(actions, "wet", name="by-hand")
    first = NodeBuilder().subscribe_only("a").do(lambda q: look.invoke({"q": q})).write_to("b")
    second = NodeBuilder().subscribe_only("b").do(lambda said: says_it.invoke(said).text).write_to("c")
    channels = {"a": EphemeralValue(str), "b": LastValue(str), "c": EphemeralValue(str)}
    app: Any = Pregel(
        nodes={"first": first, "second": second},
        channels=channels,
        input_channels=["a"],
        output_channels=["c"],
    )
    return app, {"a": "rain"}


def chains_as_tools_of_an_agent(actions: Actions) -> App:
    """A chain with a memory of its own, as a tool."""
    memory = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("human", "{q}")])
    inner = prompt | model(actions, "wet", name="remembers")
    remembers: Any = RunnableWithMessageHistory(
        inner, lambda _session: memory, input_messages_key="q", history_messages_key="history"
    )

    class Question(BaseModel):
        """What is asked."""

        q: str

    chain = (
        RunnableLambda(_noted(actions, "ask_chain"))
        | remembers.with_config(configurable={"session_id": "s"})
        | StrOutputParser()
    )
    asks = chain.as_tool(args_schema=Question, name="ask_chain", description="Ask a chain.")
    return create_agent(looks_once(actions, "outer", ("ask_chain", {"q": "rain"})), [asks]), ASKED


def _noted(actions: Actions, name: str) -> Callable[[Any], Any]:
    def note(given: Any) -> Any:
        actions.note("tool_call", name)
        return given

    return note


def generators_in_a_node(actions: Actions) -> App:
    """A generator that asks a model for each part of a stream."""
    says_it, again = model(actions, "rain is wet", name="speaks"), model(actions, "WET", name="echoes")

    def echo(parts: Iterator[Any]) -> Iterator[str]:
        yield str(again.invoke(" ".join(str(part.content) for part in parts)).content)

    chain = says_it | RunnableGenerator(echo) | RunnablePassthrough()
    return graph_of(lambda state: says("".join(chain.stream(state["messages"])))), ASKED


def threads_with_a_copied_context(actions: Actions) -> App:
    """A node and a tool that work in threads of their own, each in a copy of the context."""
    look, inner = (
        make_look(actions),
        create_agent(looks_once(actions, "inner-model"), [make_look(actions)], name="inner"),
    )

    def work(state: Any) -> Any:
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(contextvars.copy_context().run, look.invoke, {"q": q}) for q in ("rain", "wind")]
            jobs.append(pool.submit(contextvars.copy_context().run, inner.invoke, {"messages": state["messages"]}))
            return says([job.result() for job in jobs][:2])

    return graph_of(work), ASKED


def loops_inside_of_a_tool(actions: Actions) -> App:
    """A synchronous tool that starts an event loop, in which an agent and a tool run side by side."""
    look, inner = (
        make_look(actions),
        create_agent(looks_once(actions, "inner-model"), [make_look(actions)], name="inner"),
    )

    async def both(q: str) -> str:
        found = await asyncio.gather(look.ainvoke({"q": q}), inner.ainvoke({"messages": [("user", q)]}))
        return str(found[0])

    def research(q: str) -> str:
        """Research something."""
        actions.note("tool_call", "research")
        with ThreadPoolExecutor(1) as pool:
            return str(pool.submit(contextvars.copy_context().run, lambda: asyncio.run(both(q))).result())

    tools = [StructuredTool.from_function(research)]
    return create_agent(looks_once(actions, "outer", ("research", {"q": "rain"})), tools), ASKED


def retrievers_of_other_kinds(actions: Actions) -> App:
    """A retriever that rephrases, one that merges, one of parents in a store."""
    store = InMemoryStore()
    store.mset([("1", Document("rain is wet"))])
    vectors = InMemoryVectorStore.from_documents(
        [Document("rain", metadata={"doc_id": "1"})], DeterministicFakeEmbedding(size=4)
    )
    parents: Any = MultiVectorRetriever(vectorstore=vectors, docstore=store)
    merged = MergerRetriever(retrievers=[Shelf(actions=actions), parents])
    rephrases = RePhraseQueryRetriever.from_llm(merged, model(actions, "what is rain", name="rephrases"))
    for name in ("MultiVectorRetriever", "MergerRetriever", "RePhraseQueryRetriever"):
        actions.note("retrieval", name)
    return graph_of(lambda _state: says(rephrases.invoke("rain"))), ASKED


def tasks_that_stream_and_try_again(actions: Actions) -> App:
    """An entry point whose task fails once, writes to the stream, and starts tasks of its own."""
    look, says_it, tried = make_look(actions), model(actions, "wet", name="task-model"), []

    @task(retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.01, retry_on=ValueError))
    def search(q: str) -> str:
        get_stream_writer()({"q": q})
        found = str(look.invoke({"q": q}))
        if not tried:
            tried.append(q)
            raise ValueError(q)
        return found

    @task
    def answer(found: list[str]) -> str:
        return str(says_it.invoke("; ".join(found)).text)

    @entrypoint()
    def work(given: dict[str, Any]) -> dict[str, Any]:
        found = [search(q) for q in given["questions"]]
        return says(answer([item.result() for item in found]).result())

    return work, {"questions": ["rain", "wind"]}


class Fails(CountedModel):
    """Is asked, and fails."""

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        super()._generate(*args, **kwargs)
        raise ValueError("overloaded")


def models_that_stand_in(actions: Actions) -> App:
    """A model that fails twice, another one in its place, in agents that are sent to side by side."""
    fails = Fails(script=["x"], actions=actions, model_name="fails")
    chain = (
        fails.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).with_fallbacks(
            [Answers(actions=actions, answers=["wet"], model_name="stands-in")]
        )
        | StrOutputParser()
    )
    graph = StateGraph(MessagesState).add_node("ask", lambda given: says(chain.invoke(given["q"])))
    graph.add_conditional_edges(START, lambda _state: [Send("ask", {"q": q}) for q in ("rain", "wind")], ["ask"])
    return graph.compile(), ASKED


APPS: list[Callable[[Actions], App]] = [
    pregel_by_hand,
    chains_as_tools_of_an_agent,
    generators_in_a_node,
    threads_with_a_copied_context,
    loops_inside_of_a_tool,
    retrievers_of_other_kinds,
    tasks_that_stream_and_try_again,
    models_that_stand_in,
]
READS = ("look", "research", "ask_chain")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", APPS)
def test_each_shape_does_what_the_log_says(tmp_path, build, way, is_guarded, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(
            f"{name}: {{impact: read, source_trust: 900, idempotent: true}}"
            for name in ("look", "research", "ask_chain")
        ),
    )
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        graph, given = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        WAYS[way](halo.guard(graph) if is_guarded else graph, given, config)
    assert actions.count("inference", "tool_call")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
