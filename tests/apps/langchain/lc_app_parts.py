"""What the shapes of LangChain applications share: tools, shelves and models that count, and ways to run them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app_models import CountedModel, model
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel import Pregel

from halo_langchain import Halo
from halo_langchain.testing import call

ASKED = {"messages": [("user", "What is rain?")]}
THREAD = {"configurable": {"thread_id": "t1"}}


class Shelf(BaseRetriever):
    """One document."""

    actions: Any

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.actions.note("retrieval", "Shelf")
        return [Document("rain is wet")]


def make_look(actions: Actions) -> BaseTool:
    """A tool that reads."""

    @tool
    @actions.tool
    def look(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    return look


def looks_once(actions: Actions, name: str, *calls: tuple[str, dict[str, Any]]) -> CountedModel:
    """A model that calls these tools at once, and then is done."""
    return model(actions, call("look", *(calls or (("look", {"q": "rain"}),)), id=f"{name}-1"), "wet", name=name)


async def read_all(events: Any) -> None:
    """Read a stream to its end."""
    async for _ in events:
        pass


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda graph, given, config: graph.invoke(given, config),
    "ainvoke": lambda graph, given, config: asyncio.run(graph.ainvoke(given, config)),
    "stream": lambda graph, given, config: list(graph.stream(given, config, stream_mode="messages", subgraphs=True)),
    "events": lambda graph, given, config: asyncio.run(read_all(graph.astream_events(given, config, version="v2"))),
}
"""Ways to run a graph."""


App = tuple[Any, Any]
"""An application and its input."""


async def _take_completed(graph: Any, given: Any, config: Any) -> Any:
    return [found async for _, found in graph.abatch_as_completed([given], [config])]


async def _read_third_events(graph: Any, given: Any, config: Any) -> None:
    await read_all(await graph.astream_events(given, config, version="v3"))


MORE_WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    **WAYS,
    "stream": lambda graph, given, config: list(graph.stream(given, config)),
    "batch": lambda graph, given, config: graph.batch([given], [config]),
    "as_completed": lambda graph, given, config: asyncio.run(_take_completed(graph, given, config)),
    "third_events": lambda graph, given, config: asyncio.run(_read_third_events(graph, given, config)),
}
"""More ways to run a graph or a chain."""


def check_as_ungoverned(
    home: Path, build: Callable[[Actions], App], way: str, *, is_guarded: bool, mode: str, reads: tuple[str, ...] = ()
) -> None:
    """Require that an application does under Halo what it does without, and that the log says so.

    Args:
        home: of the Halo.
        build: makes the application, with counters of its own.
        way: one of `MORE_WAYS`.
        is_guarded: whether the application is guarded; else the callback alone decides.
        mode: of the Halo.
        reads: further tools that are declared as reads.
    """
    free = Actions()
    app, given = build(free)
    is_graph = is_guarded or way == "third_events"  # which chains have not
    expected = _run(way, _make_graph(app) if is_graph else app, given, THREAD)
    actions = Actions()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in (*_READS, *reads)))
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        app, given = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        app = _make_graph(app) if is_graph else app
        guarded = halo.guard(app) if is_guarded else app
        found = _run(way, guarded, given, config)
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
    assert actions.count() == free.count()
    assert found == expected


_READS = (
    *("look", "fails", "remember", "recall", "research", "delegate", "both", "to_sales", "to_flights"),
    "write_todos",
)


def _make_graph(app: Any) -> Any:
    """A chain as the node of a graph, since graphs are what is guarded."""
    if isinstance(app, Pregel):
        return app
    return StateGraph(MessagesState).add_node("chain", app).add_edge(START, "chain").compile()


def _run(way: str, app: Any, given: Any, config: Any) -> Any:
    """What came out, or why it failed, since streams try nothing again. Parts that ran side by side have no order."""
    try:
        found = _strip(MORE_WAYS[way](app, given, config))
    except ValueError as error:
        return type(error), str(error)
    return sorted(found, key=repr) if way == "stream" else found


def _strip(found: Any) -> Any:
    """What came out, without ids."""
    if isinstance(found, dict):
        return {key: _strip(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_strip(item) for item in found]
    if isinstance(found, BaseMessage):
        calls = [(made["name"], made["args"]) for made in getattr(found, "tool_calls", ())]
        return type(found).__name__, found.content, found.name, getattr(found, "status", None), calls
    return found
