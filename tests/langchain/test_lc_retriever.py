"""Guarded retrievers: every shape, one decision, clamps carried out, poor sources dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import VectorStore

from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_langchain import Impact, Resource
from halo_langchain._retrievers import _prepare_retrieval

GOOD = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
FORBIDDEN = Resource(impact=Impact.READ, labels=("forbidden",))
POOR = Resource(impact=Impact.READ, labels=("dropped",), source_trust=100, idempotent=True)
CLAMPED = Resource(impact=Impact.READ, labels=("clamped",), source_trust=900, idempotent=True)


class Plain(BaseRetriever):
    """Takes no run manager: the oldest form."""

    log: Any

    def _get_relevant_documents(self, query: str) -> list[Document]:
        self.log.append(query)
        return [Document(f"about {query}", metadata={"source_trust": 1000})] * 3


class Managed(BaseRetriever):
    log: Any
    k: int = 3

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        assert run_manager is not None
        self.log.append(query)
        return [Document(f"about {query}", metadata={"source_trust": 1000})] * self.k


class Async(Managed):
    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self._get_relevant_documents(query, run_manager=run_manager)


class Store(VectorStore):
    """Finds whatever it is asked for."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        self.log.append(query)
        return [Document(f"{query} {i}") for i in range(k)]

    @classmethod
    def from_texts(cls, *args: Any, **kwargs: Any) -> Store:
        raise NotImplementedError


def vector_store(log: list[str]) -> BaseRetriever:
    return Store(log).as_retriever(search_kwargs={"k": 3})


KINDS = {
    "plain": lambda log: Plain(log=log),
    "managed": lambda log: Managed(log=log),
    "async": lambda log: Async(log=log),
    "vector": vector_store,
}


async def shapes(r: BaseRetriever) -> dict[str, Any]:
    async def attempt(made: Any) -> Any:
        try:
            return await made
        except Denied as exc:
            return type(exc)

    async def collect() -> Any:
        return [x async for x in r.astream("q")][-1]

    async def events() -> Any:
        return [e async for e in r.astream_events("q", version="v2")][-1]["data"]["output"]

    async def batch() -> Any:
        return (await r.abatch(["q"]))[0]

    thread = asyncio.to_thread
    return {
        "ainvoke": await attempt(r.ainvoke("q")),
        "abatch": await attempt(batch()),
        "astream": await attempt(collect()),
        "events": await attempt(events()),
        "invoke": await attempt(thread(r.invoke, "q")),
        "batch": await attempt(thread(lambda: r.batch(["q"])[0])),
        "stream": await attempt(thread(lambda: list(r.stream("q"))[-1])),
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_every_shape_is_decided_once(world, kind):
    log: list[str] = []
    original = KINDS[kind](log)
    guarded = world.halo.guard(original, resource=GOOD)
    assert isinstance(guarded, type(original))
    found = await shapes(guarded)
    assert {len(v) for v in found.values()} == {3}
    assert len(world.decisions(original.get_name())) == len(found)
    assert world.outcomes() == ["success"] * len(found)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_denied_retriever_runs_in_no_shape(world, kind):
    log: list[str] = []
    guarded = world.halo.guard(KINDS[kind](log), resource=FORBIDDEN)
    found = await shapes(guarded)
    assert set(found.values()) == {Denied}
    with pytest.raises(Denied):
        await asyncio.to_thread(lambda: guarded._get_relevant_documents("q", run_manager=None))
    assert log == []


@pytest.mark.parametrize("kind", KINDS)
async def test_documents_of_a_poor_source_are_dropped_whatever_they_say(world, kind):
    guarded = world.halo.guard(KINDS[kind]([]), resource=POOR)
    assert all(found == [] for found in (await shapes(guarded)).values())
    assert {e.body["detail"] for e in world.entries(EntryKind.OUTCOME)} == {"dropped 3"}


@pytest.mark.parametrize("kind", ["managed", "async", "vector"])
async def test_a_clamp_on_k_is_carried_out(world, kind):
    guarded = world.halo.guard(KINDS[kind]([]), resource=CLAMPED)
    assert {len(found) for found in (await shapes(guarded)).values()} == {2}
    assert world.effects(guarded.get_name())[0] == "restrict"


def test_a_clamp_reaches_what_the_caller_passes(world):
    guarded = world.halo.guard(vector_store([]), resource=CLAMPED)
    assert len(guarded.invoke("q", k=5)) == 2
    assert len(guarded.invoke("q", k=1)) == 1


def test_a_retriever_tool_uses_the_guard(world):
    guarded = world.halo.guard(Managed(log=[]), resource=FORBIDDEN)
    with pytest.raises(Denied):
        create_retriever_tool(guarded, "search", "Search.").invoke({"query": "q"})


def test_observe_keeps_documents_and_records_what_would_be(make_world):
    world = make_world(mode="observe")
    guarded = world.halo.guard(Managed(log=[]), resource=POOR)
    assert len(guarded.invoke("q")) == 3
    assert world.effects("Managed") == ["restrict"]


def test_recursion_into_itself_is_decided_again(world):
    class Recursive(Plain):
        again: Any = None

        async def _aget_relevant_documents(self, query: str) -> list[Document]:
            first = await asyncio.to_thread(self.again.invoke, query)
            return first + await asyncio.to_thread(self.again.invoke, query)

    recursive = Recursive(log=[])
    guarded = world.halo.guard(recursive, resource=GOOD)
    guarded.again = guarded
    asyncio.run(guarded.ainvoke("q"))
    # The way down passes once under the outer decision, the second time it is a retrieval of its own.
    assert len(world.decisions("Recursive")) == 2


class Refreshing(BaseRetriever):
    """Answers at once, and has something else ask it again."""

    start: Any
    again: Any = None
    log: Any

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.log.append(query)
        return [Document("kept back")]

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        await self.start(self.again, query)
        return [Document("shown")]


def refreshing(world: Any, start: Any, resource: Resource) -> Any:
    original = Refreshing(start=start, log=[])
    original.again = guarded = world.halo.guard(original, resource=resource)
    guarded.again = guarded
    return guarded


async def _later(asked: Any, found: list[Any], begin: asyncio.Event) -> None:
    await begin.wait()
    found.append(await asyncio.to_thread(asked.invoke, "q"))


def test_what_a_retrieval_started_is_decided_anew_once_it_has_ended(world):
    found: list[Any] = []
    tasks: list[Any] = []

    async def run() -> Any:
        begin = asyncio.Event()

        async def start(again: Any, _query: str) -> None:
            tasks.append(asyncio.create_task(_later(again, found, begin)))

        got = await refreshing(world, start, POOR).ainvoke("q")
        begin.set()
        await asyncio.gather(*tasks)
        return got

    assert asyncio.run(run()) == []
    assert found == [[]]
    assert len(world.decisions("Refreshing")) == 2


def test_a_task_that_a_retrieval_started_is_decided_anew_while_it_runs(world, unblocked):
    unblocked.deactivate()  # it is the retriever that calls what blocks
    found: list[Any] = []

    async def inside(again: Any) -> None:
        found.append(again.invoke("q"))

    async def start(again: Any, _query: str) -> None:
        await asyncio.create_task(inside(again))

    assert asyncio.run(refreshing(world, start, POOR).ainvoke("q")) == []
    assert found == [[]]
    assert len(world.decisions("Refreshing")) == 2


def test_a_thread_that_passes_under_a_retrieval_gets_no_more_than_it(world):
    found: list[Any] = []

    async def start(again: Any, _query: str) -> None:
        await asyncio.create_task(asyncio.to_thread(lambda: found.append(again.invoke("q"))))

    assert asyncio.run(refreshing(world, start, POOR).ainvoke("q")) == []
    assert found == [[]]


class Delegating(Plain):
    """Has a number of documents that is no field."""

    def __getattr__(self, name):
        if name == "k":
            return 7
        raise AttributeError(name)


def test_a_number_of_documents_that_a_retriever_answers_for_itself_is_decided():
    assert _prepare_retrieval(Delegating(log=[]), "q", {}).decided_arguments == {"query": "q", "k": 7}
