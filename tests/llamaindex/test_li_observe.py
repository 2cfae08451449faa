"""The observer: what it sees of what carries no guard, and that it refuses nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
from li_world import Shelf, run, trusted
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation import root_dispatcher

from halo_llamaindex.testing import ScriptedLLM, call


class City(pydantic.BaseModel):
    """A city."""

    name: str


def look(q: str) -> str:
    """Look."""
    return f"seen {q}"


def test_what_carries_no_guard_is_seen_and_runs(world):
    ran: list[str] = []
    with world.halo.observe():
        assert str(FunctionTool.from_defaults(look).call(q="x")) == "seen x"
        asyncio.run(FunctionTool.from_defaults(look, name="alook").acall(q="x"))
        Shelf("a", read=ran).retrieve("q")
        MockLLM().complete("q")
        asyncio.run(ScriptedLLM(model="other", script=["a"]).achat([]))
    assert ran == ["q"]  # enforce mode, and nothing was refused: it only observes
    assert set(world.sightings()) == {
        ("tool", "look"), ("tool", "alook"), ("retriever", "Shelf"), ("model", "MockLLM"), ("model", "other"),
    }  # fmt: skip


def test_what_is_guarded_is_not_seen(world):
    tool = world.halo.guard(look, resource=trusted())
    agent = world.halo.guard(
        FunctionAgent(tools=[tool], llm=ScriptedLLM(script=[call("x", ("look", {"q": "x"}), id="m1")]))
    )
    fusion = QueryFusionRetriever([Shelf("a")], llm=ScriptedLLM(script=["one"]), num_queries=2, use_async=False)
    shelf = world.halo.guard(fusion, resource=trusted(id="fusion"))
    engine = world.halo.guard(RetrieverQueryEngine.from_args(Shelf("a"), llm=MockLLM()), resource=trusted(id="shelf"))
    structured = world.halo.guard(ScriptedLLM(script=[call("", ("City", {"name": "Bern"}), id="c")])).as_structured_llm(
        City
    )
    with world.halo.observe():
        structured.chat([])
        run(agent)
        shelf.retrieve("q")
        engine.query("q")
    assert world.sightings() == []


def test_installing_says_that_it_only_observes(make_world, capsys):
    world = make_world(quiet=False)
    with world.halo.install():
        MockLLM().complete("q")
    assert "only observes" in capsys.readouterr().err
    assert world.sightings() == [("model", "MockLLM")]
    MockLLM(max_tokens=3).complete("q")
    assert len(world.sightings()) == 1


def test_an_observer_disturbs_nothing(world, monkeypatch):
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(world.halo, "record_shadow", broken)
    before = list(root_dispatcher.span_handlers)
    with world.halo.observe() as installed:
        assert str(FunctionTool.from_defaults(look).call(q="x")) == "seen x"
    installed.uninstall()
    assert root_dispatcher.span_handlers == before
