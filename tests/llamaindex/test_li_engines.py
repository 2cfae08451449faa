"""Query and chat engines: whatever they hold is guarded on the copy, so no way through one is left undecided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from li_world import CARD, Shelf, trusted
from llama_index.core import get_response_synthesizer
from llama_index.core.base.llms.types import CompletionResponse
from llama_index.core.chat_engine import CondensePlusContextChatEngine, CondenseQuestionChatEngine, ContextChatEngine
from llama_index.core.indices.query.query_transform import StepDecomposeQueryTransform
from llama_index.core.llms import MockLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import (
    CitationQueryEngine,
    MultiStepQueryEngine,
    RetrieverQueryEngine,
    RouterQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool

from halo_core.errors import ConfigError
from halo_llamaindex import Denied, Resource

NO_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action in Action::"inference", resource);
"""
NO_READING = """
@id("t.base") permit (principal, action, resource);
@id("t.none") forbid (principal, action in Action::"retrieval", resource);
"""


class Counting(MockLLM):
    """Writes down each time that it is really asked."""

    asked: Any = None

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        self.asked.append(prompt)
        return CompletionResponse(text="yes")


def counting(asked: list[str]) -> Counting:
    made = Counting()
    made.asked = asked
    return made


def over(shelf: Any, llm: Any, **more: Any) -> RetrieverQueryEngine:
    return RetrieverQueryEngine.from_args(shelf, llm=llm, **more)


def tool(shelf: Any, llm: Any) -> QueryEngineTool:
    return QueryEngineTool.from_defaults(over(shelf, llm), name="one", description="one")


MODES = ("compact", "refine", "tree_summarize", "simple_summarize", "accumulate", "compact_accumulate", "generation")
ENGINES: dict[str, Callable[[Any, Any], Any]] = {
    **{mode: lambda shelf, llm, mode=mode: over(shelf, llm, response_mode=mode) for mode in MODES},
    "filtered": lambda shelf, llm: RetrieverQueryEngine(
        shelf, get_response_synthesizer(llm=llm, response_mode="refine", structured_answer_filtering=True)
    ),
    "rerank": lambda shelf, llm: over(shelf, llm, node_postprocessors=[LLMRerank(llm=llm)]),
    "citation": lambda shelf, llm: CitationQueryEngine(shelf, llm=llm),
    "router": lambda shelf, llm: RouterQueryEngine(
        LLMSingleSelector.from_defaults(llm=llm), [tool(shelf, llm), tool(shelf, llm)], llm=llm
    ),
    "sub_question": lambda shelf, llm: SubQuestionQueryEngine.from_defaults(
        [tool(shelf, llm)],
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        response_synthesizer=get_response_synthesizer(llm=llm),
        use_async=False,
        verbose=False,
    ),
    "multi_step": lambda shelf, llm: MultiStepQueryEngine(
        over(shelf, llm), StepDecomposeQueryTransform(llm=llm), get_response_synthesizer(llm=llm)
    ),
}
CHATS: dict[str, Callable[[Any, Any], Any]] = {
    "context": lambda shelf, llm: ContextChatEngine.from_defaults(retriever=shelf, llm=llm),
    "condense_plus_context": lambda shelf, llm: CondensePlusContextChatEngine.from_defaults(shelf, llm=llm),
    "condense_question": lambda shelf, llm: CondenseQuestionChatEngine.from_defaults(over(shelf, llm), llm=llm),
}


@pytest.mark.matrix
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("waits", [False, True])
def test_no_engine_asks_its_model_past_the_guard(make_world, name, waits):
    """Some hold a method of their own, which would go on asking the original's model."""
    world = make_world(policy=NO_MODELS)
    asked: list[str] = []
    shelf = Shelf("thirty days", "a week")
    engine = world.halo.guard(ENGINES[name](shelf, counting(asked)), resource=trusted(id="shelf"))
    with pytest.raises(Denied):
        asyncio.run(engine.aquery("q")) if waits else engine.query("q")
    assert asked == []
    assert world.effects("Counting")[0] == "deny"


@pytest.mark.parametrize("name", CHATS)
def test_no_chat_engine_asks_its_model_past_the_guard(make_world, name):
    world = make_world(policy=NO_MODELS)
    asked: list[str] = []
    engine = world.halo.guard(CHATS[name](Shelf("thirty days"), counting(asked)), resource=trusted(id="shelf"))
    for way in (lambda: engine.chat("q"), lambda: asyncio.run(engine.achat("q"))):
        with pytest.raises(Denied):
            way()
    assert asked == []


@pytest.mark.parametrize("name", [*MODES[:-1], "citation"])
def test_no_engine_reads_past_the_guard(make_world, name):
    world = make_world(policy=NO_READING)
    shelf = Shelf("thirty days")
    engine = world.halo.guard(ENGINES[name](shelf, counting([])), resource=trusted(id="shelf"))
    with pytest.raises(Denied):
        engine.query("q")
    assert shelf.read == []
    assert ENGINES[name](shelf, counting([])).query("q") is not None  # the original is what it was


def test_what_is_dropped_or_masked_does_not_reach_the_model(world):
    asked: list[str] = []
    engine = over(Shelf(f"card {CARD}"), counting(asked))
    world.halo.guard(engine, resource=trusted("masked", id="letters")).query("q")
    assert "card" in asked[0]
    assert CARD not in asked[0]
    low = world.halo.guard(engine, resource=trusted("dropped", id="forum", source_trust=100))
    assert str(low.query("q")) == "Empty Response"
    assert len(asked) == 1


def test_what_is_guarded_already_stays_as_it_is(world):
    shelf = world.halo.guard(Shelf("a"), resource=trusted(id="mine"))
    engine = world.halo.guard(over(shelf, world.halo.guard(MockLLM())))
    assert engine.retriever is shelf
    engine.query("q")
    assert [name for name, _ in world.kinds()] == ["mine", "MockLLM"]


def test_a_synthesizer_by_itself_is_guarded_too(make_world):
    world = make_world(policy=NO_MODELS)
    asked: list[str] = []
    synthesizer = world.halo.guard(get_response_synthesizer(llm=counting(asked)))
    with pytest.raises(Denied):
        synthesizer.synthesize("q", Shelf("a").retrieve("q"))
    assert asked == []


def test_what_cannot_be_guarded_says_what_can(world):
    from test_li_doctor import index

    with pytest.raises(ConfigError, match=r"index\.as_retriever"):
        world.halo.guard(index())
    with pytest.raises(ConfigError, match="cannot be guarded"):
        world.halo.guard(7)
    with pytest.raises(ConfigError, match="for workflows only"):
        world.halo.guard(Shelf("a"), agent="x")
    with pytest.raises(ConfigError, match="can have labels"):
        world.halo.guard(MockLLM(), labels=lambda _node: [])
    with pytest.raises(ConfigError, match="cannot be the id of 2"):
        world.halo.guard([len_of, len_of], resource=Resource(id="x"))
    with pytest.raises(ConfigError, match="schema without a function"):
        world.halo.guard({"type": "function", "function": {"name": "x"}})


def len_of(text: str) -> int:
    """Length."""
    return len(text)


class Limited(Shelf):
    """A shelf that says how many documents it gives."""

    def __init__(self, *texts: str) -> None:
        super().__init__(*texts)
        self._similarity_top_k = 2


def sources(named: bool) -> Any:  # noqa: FBT001  a parameter of a test
    """An engine over two retrievers that do not take the same arguments, in a tool or with a resource of its own."""
    llm = MockLLM()
    tools = [tool(Limited("a"), llm), tool(Shelf("b"), llm)]
    engine = RouterQueryEngine(LLMSingleSelector.from_defaults(llm=llm), tools, llm=llm)
    return QueryEngineTool.from_defaults(engine, name="faq", description="faq") if named else engine


@pytest.mark.parametrize("named", [False, True])
def test_an_engine_whose_retrievers_take_other_arguments_is_one_source(make_world, named):
    world = make_world(policy=NO_READING)
    guarded = world.halo.guard(sources(named), resource=None if named else trusted(id="faq.retriever"))
    engine = guarded.query_engine if named else guarded
    for part in engine._query_engines:
        with pytest.raises(Denied):
            part.query("q")
    assert world.effects("faq.retriever") == ["deny", "deny"]
    assert {"k", "query"} <= set(world.halo.get_argument_names("faq.retriever"))


def test_two_retrievers_that_are_guarded_by_themselves_do_not_share_an_id(world):
    world.halo.guard(Limited("a"), resource=trusted(id="faq"))
    with pytest.raises(ConfigError):
        world.halo.guard(Shelf("b"), resource=trusted(id="faq"))
