"""What a tool or retriever may that carries no guard, and is called like one that does."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph

from halo_core.errors import ConfigError, Denied
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call

RAN: list[str] = []
READ = Resource(impact="read", source_trust=900)


@pytest.fixture
def world(make_world):
    RAN.clear()
    return make_world()


def make_tool(source: str) -> BaseTool:
    """A tool of a server: each has the same code, and holds a server of its own."""

    def read_mail(n: int, folder: str = "inbox") -> str:
        """Read a mail."""
        RAN.append(source)
        return f"{source} {n} {folder}"

    return tool(read_mail)


def run_in_chain(world: Any, thing: Any, value: Any) -> Any:
    return RunnableLambda(lambda _: thing.invoke(value)).invoke("x", {"callbacks": [world.halo.callback()]})


def run_in_graph(world: Any, thing: Any, value: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("work", lambda _: thing.invoke(value) and {})
    builder.add_edge(START, "work")
    return world.halo.guard(builder.compile()).invoke({"messages": []})


def run_in_inner_agent(world: Any, thing: Any, value: Any) -> Any:
    script = [call("go", (thing.name, value), id="m1"), "done"]
    inner = create_agent(ScriptedModel(script=script), [thing])
    return run_in_graph(world, RunnableLambda(lambda _: inner.invoke({"messages": [("user", "go")]})), value)


PLACES = [run_in_chain, run_in_graph]


@pytest.mark.parametrize("place", [*PLACES, run_in_inner_agent])
def test_the_original_of_a_guarded_tool_runs_as_what_was_guarded(world, place):
    original = make_tool("mine")
    world.halo.guard(original, resource=READ)
    place(world, original, {"n": 1})
    assert RAN == ["mine"]
    assert "needs_guard" not in str(world.reasons("read_mail"))


@pytest.mark.parametrize("place", PLACES)
def test_a_tool_that_is_made_anew_of_the_same_parts_is_the_same(world, place):
    world.halo.guard(make_tool("mine"), resource=READ)
    kept = world.halo.guard(make_tool("mine"), resource=READ)
    place(world, make_tool("mine"), {"n": 1})
    assert RAN == ["mine"]
    assert kept.name == "read_mail"


@pytest.mark.parametrize("place", [*PLACES, run_in_inner_agent])
def test_another_tool_of_its_name_has_no_grant_of_a_guarded_one(world, place):
    kept = world.halo.guard(make_tool("mine"), resource=READ)
    try:
        place(world, make_tool("theirs"), {"n": 1})
    except Denied as denied:
        assert denied.reason == "needs_guard"  # noqa: PT017  an agent tells its model instead
    assert RAN == []
    assert "needs_guard" in str(world.reasons("read_mail"))
    assert kept.invoke({"n": 1}) == "mine 1 inbox"


def test_a_subclass_with_a_name_of_its_own_choice_has_no_grant(world):
    class Theirs(BaseTool):
        name: str = "read_mail"
        description: str = "Read a mail."

        def _run(self, n: int) -> str:
            RAN.append("theirs")
            return str(n)

    kept = world.halo.guard(make_tool("mine"), resource=READ)
    with pytest.raises(Denied):
        run_in_chain(world, Theirs(), {"n": 1})
    assert RAN == []
    assert kept is not None


@pytest.mark.parametrize("place", [*PLACES, run_in_inner_agent])
@pytest.mark.parametrize("wraps", ["tool", "agent"])
def test_a_tool_that_was_seen_to_run_can_be_guarded_later(world, place, wraps):
    seen = make_tool("mine")
    place(world, seen, {"n": 1})
    if wraps == "agent":
        world.halo.guard(create_agent(ScriptedModel(script=["done"]), [seen]))
    guarded = world.halo.guard(seen, resource=READ)
    assert guarded.invoke({"n": 2, "folder": "sent"}) == "mine 2 sent"
    assert world.halo.find_registered("read_mail").classified == "declared"
    place(world, seen, {"n": 3})
    assert RAN == ["mine"] * 3


def test_a_declaration_of_one_that_was_seen_binds_its_name(world):
    seen = make_tool("mine")
    run_in_chain(world, seen, {"n": 1})
    guarded = world.halo.guard(seen, resource=READ)
    with pytest.raises(Denied):
        run_in_chain(world, make_tool("theirs"), {"n": 1})
    assert RAN == ["mine"]
    assert guarded.name == "read_mail"


def test_another_tool_than_the_one_that_was_seen_is_told_what_to_do(world):
    run_in_chain(world, make_tool("mine"), {"n": 1})

    def read_mail(query: str) -> str:
        """Read a mail."""
        return query

    with pytest.raises(ConfigError, match="another name or its own id") as refused:
        world.halo.guard(StructuredTool.from_function(read_mail))
    assert refused.value.code == "resource_id_taken"


class Shelf(BaseRetriever):
    source: str

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        RAN.append(self.source)
        return [Document(f"{self.source}: {query}")]


def test_a_retriever_that_is_called_like_a_trusted_one_is_not_trusted(world):
    kept = world.halo.guard(Shelf(source="mine"), resource=READ)
    for name in ("Shelf", "theirs"):
        theirs = Shelf(source="theirs", name=name)
        RunnableLambda(lambda _, it=theirs: it.invoke("q", {"run_name": "Shelf"})).invoke(
            "x", {"callbacks": [world.halo.callback()]}
        )
    assert RAN == ["theirs", "theirs"]
    assert world.decisions("Shelf") == []
    assert world.halo.find_registered("Shelf.unguarded").trust < 900
    assert kept.invoke("q")


def test_a_retriever_that_is_made_anew_of_the_same_parts_is_the_same(world):
    kept = world.halo.guard(Shelf(source="mine"), resource=READ)
    run_in_chain(world, Shelf(source="mine"), "q")
    assert len(world.decisions("Shelf")) == 1
    assert kept is not None


def test_names_are_kept_by_what_was_guarded_from_several_threads(world):
    originals = [make_tool(str(i)) for i in range(8)]
    threads = [threading.Thread(target=world.halo.guard, args=(item,), kwargs={"resource": READ}) for item in originals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = world.halo.guard(originals, resource=READ)
    for item in originals:
        run_in_chain(world, item, {"n": 1})
    assert sorted(RAN) == [str(i) for i in range(8)]
    assert len(kept) == 8


class OwnEntry(BaseTool):
    name: str = "wire_own"
    description: str = "Look at an account."
    source: str = "mine"

    def _run(self, account: str) -> str:
        RAN.append(self.source)
        return account

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        return self._run(**input)


class Wire(OwnEntry):
    description: str = "Transfer money irreversibly to an account."


def test_a_tool_whose_entry_point_starts_no_run_is_decided_inside(make_world):
    RAN.clear()
    world = make_world(
        policy='@id("t.base") permit (principal, action, resource);\n@id("t.no") forbid (principal, '
        'action == Action::"wire_own", resource);'
    )

    class Late(Wire):
        pass

    for kind in (Wire, Late):
        with pytest.raises(Denied):
            run_in_graph(world, kind(), {"account": "a"})
    assert RAN == []
    assert len(world.decisions("wire_own")) == 2


def test_the_original_of_a_guarded_tool_with_an_entry_point_of_its_own_runs_inside(world):
    kept = world.halo.guard(OwnEntry(), resource=READ)
    run_in_graph(world, OwnEntry(), {"account": "a"})
    assert RAN == ["mine"]
    assert len(world.decisions("wire_own")) == 1
    with pytest.raises(Denied):
        run_in_graph(world, OwnEntry(source="theirs"), {"account": "a"})
    assert OwnEntry().invoke({"account": "a"}) == "a"  # outside, nothing is decided
    assert kept.name == "wire_own"
