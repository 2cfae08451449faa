"""Code that calls what is behind an entry point (`_run`, `_generate`, `_get_relevant_documents`, `func`) is decided."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForLLMRun
from langchain_core.documents import Document
from langchain_core.language_models import LLM, BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool
from langgraph.graph import START, MessagesState, StateGraph

from halo_core.errors import Denied
from halo_core.model import EntryKind, Impact
from halo_langchain import Resource

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
BASE = '@id("b")\npermit (principal, action, resource);\n'


class Sends(BaseTool):
    """A tool of a class of its own."""

    name: str = "sends"
    description: str = "Send."
    ran: Any = None

    def _run(self, q: str) -> str:
        self.ran.append("sends")
        return q

    async def _arun(self, q: str) -> str:
        return self._run(q)


class Shelf(BaseRetriever):
    """One document."""

    ran: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.ran.append("Shelf")
        return [Document("wet")]


class Talks(BaseChatModel):
    """Answers, in parts too."""

    ran: Any = None
    model_name: str = "talks"

    @property
    def _llm_type(self) -> str:
        return "talks"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.ran.append("talks")
        return ChatResult(generations=[ChatGeneration(message=AIMessage("wet"))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        answer = self._generate(messages).generations[0].message  # a method of its own, and no further call
        yield ChatGenerationChunk(message=AIMessageChunk(answer.content))


class Completes(LLM):
    """Completes a text."""

    ran: Any = None
    model_name: str = "completes"

    @property
    def _llm_type(self) -> str:
        return "completes"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        self.ran.append("completes")
        return "wet"


class Reads(BaseRetriever):
    """Hands a query on to another, as retrievers that rank or filter do."""

    inner: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return list(self.inner._get_relevant_documents(query, run_manager=run_manager))


class Wraps(BaseChatModel):
    """Hands messages on to another model, as those do that change its prompt."""

    inner: Any = None
    model_name: str = "wraps"

    @property
    def _llm_type(self) -> str:
        return "wraps"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return self.inner._generate(messages, stop=stop, run_manager=run_manager, **kwargs)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return await self.inner._agenerate(messages, stop=stop, run_manager=run_manager, **kwargs)


class WrapsQuietly(Wraps):
    """Hands on the messages alone."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return self.inner._generate(messages)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return await self.inner._agenerate(messages)


def read_async(parts: Any) -> Any:
    async def read() -> list[Any]:
        return [item async for item in parts]

    return asyncio.run(read())


QUESTION = [HumanMessage("q")]
MANAGER = AsyncCallbackManagerForRetrieverRun.get_noop_manager()
RUN_MANAGER = CallbackManagerForLLMRun.get_noop_manager()
Way = Callable[[list[str]], Any]
WAYS: dict[str, tuple[str, Way]] = {
    "_run": ("sends", lambda ran: Sends(ran=ran)._run("x")),
    "_arun": ("sends", lambda ran: asyncio.run(Sends(ran=ran)._arun("x"))),
    "_run of a function": ("looks", lambda ran: make_looks(ran)._run(q="x", config={})),
    "retriever": ("Shelf", lambda ran: Shelf(ran=ran)._get_relevant_documents("q", run_manager=None)),
    "async retriever": (
        "Shelf",
        lambda ran: asyncio.run(Shelf(ran=ran)._aget_relevant_documents("q", run_manager=MANAGER)),
    ),
    "retriever in another": ("Shelf", lambda ran: Reads(inner=Shelf(ran=ran)).invoke("q")),
    "_generate": ("talks", lambda ran: Talks(ran=ran)._generate(QUESTION)),
    "_agenerate": ("talks", lambda ran: asyncio.run(Talks(ran=ran)._agenerate(QUESTION))),
    "_stream": ("talks", lambda ran: list(Talks(ran=ran)._stream(QUESTION))),
    "_astream": ("talks", lambda ran: read_async(Talks(ran=ran)._astream(QUESTION))),
    "model in another": ("talks", lambda ran: Wraps(inner=Talks(ran=ran)).invoke("q")),
    "async model in another": ("talks", lambda ran: asyncio.run(Wraps(inner=Talks(ran=ran)).ainvoke("q"))),
    "_generate_with_cache": ("talks", lambda ran: Talks(ran=ran)._generate_with_cache(QUESTION)),
    "_agenerate_with_cache": ("talks", lambda ran: asyncio.run(Talks(ran=ran)._agenerate_with_cache(QUESTION))),
    "_call": ("completes", lambda ran: Completes(ran=ran)._call("q")),
    "text model": ("completes", lambda ran: Completes(ran=ran)._generate(["q"])),
    "_generate_helper": (
        "completes",
        lambda ran: Completes(ran=ran)._generate_helper(["q"], None, [RUN_MANAGER], new_arg_supported=True),
    ),
    "function of a tool": ("looks", lambda ran: make_looks(ran).func(q="x")),
    "coroutine of a tool": ("looks", lambda ran: asyncio.run(make_async_looks(ran).coroutine(q="x"))),
    "function of an older tool": ("looks", lambda ran: make_old_looks(ran).func("x")),
    "function in the copy of a tool": (
        "looks",
        lambda ran: copy_by_hand(make_looks(ran)).func("x"),
    ),
    "_run without decorators": ("sends", lambda ran: inspect.unwrap(Sends._run)(Sends(ran=ran), "x")),
    "_generate without decorators": ("talks", lambda ran: inspect.unwrap(Talks._generate)(Talks(ran=ran), QUESTION)),
}


def make_looks(ran: list[str]) -> Any:
    @tool
    def looks(q: str) -> str:
        """Look."""
        ran.append("looks")
        return q

    return looks


def make_async_looks(ran: list[str]) -> Any:
    @tool
    async def looks(q: str) -> str:
        """Look."""
        ran.append("looks")
        return q

    return looks


def copy_by_hand(made: Any) -> Any:
    return made.model_copy(update={"func": made.func})


def make_old_looks(ran: list[str]) -> Any:
    return Tool("looks", lambda q: ran.append("looks") or q, "Look.")


def in_tool(world: Any, work: Callable[[], Any]) -> None:
    def body(q: str) -> str:
        """Do it."""
        work()
        return q

    world.halo.guard(body, resource=READ).invoke({"q": "x"})


def in_graph(world: Any, work: Callable[[], Any]) -> None:
    def node(_state: Any) -> Any:
        work()
        return {"messages": [("ai", "done")]}

    graph = StateGraph(MessagesState).add_node("work", node).add_edge(START, "work").compile()
    world.halo.guard(graph).invoke({"messages": [("user", "hi")]})


def in_chain(world: Any, work: Callable[[], Any]) -> None:
    RunnableLambda(lambda _value: work() and "done").invoke("q", {"callbacks": [world.halo.callback()]})


PLACES = pytest.mark.parametrize("place", [in_tool, in_graph, in_chain])
EACH = pytest.mark.parametrize("way", WAYS)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("make_step", "given", "name"),
    [
        (lambda ran: Wraps(inner=Talks(ran=ran)), QUESTION, "talks"),
        (lambda ran: WrapsQuietly(inner=Talks(ran=ran)), QUESTION, "talks"),
        (lambda ran: Reads(inner=Shelf(ran=ran)), "q", "Shelf"),
    ],
)
def test_what_a_step_of_a_batch_wraps_is_decided(make_world, make_step, given, name, is_async):
    world, ran = make_world(policy=BASE), list[str]()
    chain = RunnableLambda(lambda value: value) | make_step(ran)
    config = {"callbacks": [world.halo.callback()]}
    if is_async:
        asyncio.run(chain.abatch([given], config))
    else:
        chain.batch([given], config)
    assert ran == [name]
    assert len(world.decisions(name)) == 1


@pytest.mark.matrix
@PLACES
@EACH
def test_it_is_decided_once(make_world, way, place):
    world, ran = make_world(policy=BASE), list[str]()
    name, work = WAYS[way]
    place(world, lambda: work(ran))
    assert ran == [name]
    assert len(world.decisions(name)) == 1
    assert set(world.outcomes()) == {"success"}


@pytest.mark.matrix
@PLACES
@EACH
def test_where_it_is_denied_it_does_not_run(make_world, way, place):
    name, work = WAYS[way]
    rule = f'@id("n")\nforbid (principal, action == Action::"{name}", resource);\n'
    world, ran = make_world(policy=BASE + rule), list[str]()
    with pytest.raises(Denied):
        place(world, lambda: work(ran))
    assert ran == []


@EACH
def test_outside_of_anything_guarded_it_runs_as_ever(make_world, way):
    world, ran = make_world(policy=BASE), list[str]()
    name, work = WAYS[way]
    work(ran)
    assert ran == [name]
    assert world.decisions() == []


@EACH
def test_the_tripwire_refuses_it(make_world, way):
    world, ran = make_world(policy=BASE), list[str]()
    _, work = WAYS[way]
    with world.halo.install(), pytest.raises(Denied):
        work(ran)
    assert ran == []
    assert len(world.entries(EntryKind.SHADOW)) == 1


def test_a_class_that_is_made_later_is_decided_too(make_world):
    world, ran = make_world(policy=BASE), list[str]()

    class Later(Sends):
        name: str = "later"

        def _run(self, q: str) -> str:
            return super()._run(q)

    in_tool(world, lambda: Later(ran=ran)._run("x"))
    assert ran == ["sends"]
    assert len(world.decisions("later")) == 1


def test_an_object_that_calls_its_own_body_again_is_one_call(make_world):
    world, ran = make_world(policy=BASE), list[str]()

    class Twice(Sends):
        def _run(self, q: str) -> str:
            return super()._run(q) if q == "again" else self._run("again")

    in_tool(world, lambda: Twice(ran=ran).invoke({"q": "x"}))
    assert (ran, len(world.decisions("sends"))) == (["sends"], 1)


def test_code_with_a_name_like_ours_reads_no_function_past_what_decides(make_world):
    world, ran = make_world(policy=BASE), list[str]()
    looks = make_looks(ran)
    in_tool(world, lambda: eval("looks.func('x')", {"__name__": "halo_langchain_helpers", "looks": looks}))
    assert (ran, len(world.decisions("looks"))) == (["looks"], 1)


def test_a_function_that_is_read_says_what_it_is(make_world):
    """As libraries ask that make a tool of another one's function."""
    world, ran, looks = make_world(policy=BASE), list[str](), make_looks([])
    read = list[Any]()
    in_tool(world, lambda: read.append(looks.func))
    assert inspect.signature(read[0]) == inspect.signature(looks.func)
    assert (read[0].__name__, read[0].__doc__) == ("looks", "Look.")
    assert not hasattr(read[0], "__wrapped__")
    assert read[0]("x") == "x"  # outside of everything
    in_tool(world, lambda: read.append(looks.func))
    assert {read[0]: "known"}[read[1]] == "known"  # a table of functions finds it again
    assert world.decisions("looks") == []

    made = list[Any]()
    looks = make_looks(ran)
    in_tool(world, lambda: made.append(StructuredTool.from_function(looks.func, name="again")))
    in_tool(world, lambda: made[0].invoke({"q": "x"}))
    assert ran == ["looks"]
    assert len(world.decisions("again")) == 1


def test_a_tool_that_calls_its_own_function_is_one_call(make_world):
    world, ran = make_world(policy=BASE), list[str]()

    class Checked(StructuredTool):
        def _run(self, *args: Any, config: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            return self.func(**kwargs)

    looks = make_looks(ran)
    checked = Checked(name="checked", description="Look.", func=looks.func, args_schema=looks.args_schema)
    in_tool(world, lambda: checked.invoke({"q": "x"}))
    assert (ran, len(world.decisions("checked")), len(world.decisions("looks"))) == (["looks"], 1, 0)
