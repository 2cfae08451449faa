"""What the shapes of LangChain applications share: tools, shelves and models that count, and ways to run them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from app_models import CountedModel, model
from counting import Actions
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, tool

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
