"""Twenty shapes of chains under `halo.callback()` alone: all that runs is decided, and the honest chain runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from app_models import Answers
from counting import Actions, assert_all_decided, count_questions, list_refusals
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.documents import Document
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    ConfigurableField,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    chain,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool

from halo_langchain import Halo


class Shelf(BaseRetriever):
    """Gives two documents."""

    actions: Any

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.actions.note("retrieval", "Shelf")
        return [Document(f"about {query}"), Document("more")]


class Failing(Answers):
    """Fails at its first call."""

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            self.actions.note("inference", self.model_name)
            raise ConnectionError("busy")
        return super()._generate(*args, **kwargs)


PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief"), ("human", "{q}")])
ASK = {"q": "what is rain"}


class Kit:
    """The parts of a chain, with counters of their own."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.shelf = Shelf(actions=actions)

        @tool
        def look_up(q: str) -> str:
            """Look something up."""
            actions.note("tool_call", "look_up")
            return f"found {q}"

        self.look_up = look_up

    def model(self, *answers: str, kind: type[Answers] = Answers) -> Any:
        return kind(actions=self.actions, answers=list(answers or ("wet",)))


def sequence(kit: Kit) -> Any:
    return PROMPT | kit.model() | StrOutputParser()


def json_parser(kit: Kit) -> Any:
    return PROMPT | kit.model('{"a": 1}') | JsonOutputParser()


def parallel(kit: Kit) -> Any:
    return RunnableParallel(one=PROMPT | kit.model(), two=PROMPT | kit.model())


def branch(kit: Kit) -> Any:
    return RunnableBranch((lambda x: "rain" in x["q"], PROMPT | kit.model()), PROMPT | kit.model("dry"))


def inner_chain(kit: Kit) -> Any:
    inner = PROMPT | kit.model()
    return RunnableLambda(lambda x: inner.invoke(x).text)


def inner_chain_without_callbacks(kit: Kit) -> Any:
    inner = PROMPT | kit.model()
    return RunnableLambda(lambda x: inner.invoke(x, config={"callbacks": []}).text)


def returned_chain(kit: Kit) -> Any:
    return RunnableLambda(lambda _x: PROMPT | kit.model())


def decorated(kit: Kit) -> Any:
    @chain
    def both(x: Any) -> str:
        return kit.model().invoke(x["q"]).text + kit.look_up.invoke({"q": x["q"]})

    return both


def retrieval(kit: Kit) -> Any:
    context = itemgetter("q") | kit.shelf | (lambda docs: "\n".join(doc.page_content for doc in docs))
    prompt = ChatPromptTemplate.from_template("{context}\n\n{q}")
    return RunnablePassthrough.assign(context=context) | prompt | kit.model() | StrOutputParser()


def two_retrievers(kit: Kit) -> Any:
    return {"a": itemgetter("q") | kit.shelf, "b": itemgetter("q") | kit.shelf, "q": itemgetter("q")} | RunnableLambda(
        lambda x: len(x["a"]) + len(x["b"])
    )


def tool_step(kit: Kit) -> Any:
    return RunnableLambda(lambda x: {"q": x["q"]}) | kit.look_up | (lambda text: {"q": text}) | PROMPT | kit.model()


def tool_in_lambda(kit: Kit) -> Any:
    return RunnableLambda(kit.look_up.invoke) | (lambda text: {"q": text}) | PROMPT | kit.model()


def routed(kit: Kit) -> Any:
    routes = {"weather": PROMPT | kit.model("wet"), "other": PROMPT | kit.model("dry")}
    topic = PROMPT | kit.model("weather") | StrOutputParser()
    return {"topic": topic, "q": itemgetter("q")} | RunnableLambda(lambda x: routes[x["topic"]])


def fallbacks(kit: Kit) -> Any:
    return PROMPT | kit.model(kind=Failing).with_fallbacks([kit.model("spare")])


def retried(kit: Kit) -> Any:
    return PROMPT | kit.model(kind=Failing).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)


def configured(kit: Kit) -> Any:
    return (PROMPT | kit.model() | StrOutputParser()).with_config(run_name="rain", tags=["t"], metadata={"k": "v"})


def bound(kit: Kit) -> Any:
    return PROMPT | kit.model().bind(stop=["."], temperature=0)


def alternatives(kit: Kit) -> Any:
    either = kit.model("a").configurable_alternatives(ConfigurableField(id="llm"), default_key="a", b=kit.model("b"))
    return (PROMPT | either).with_config(configurable={"llm": "b"})


def history(kit: Kit) -> Any:
    kept = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{q}")])
    talk = RunnableWithMessageHistory(
        prompt | kit.model(), lambda _id: kept, input_messages_key="q", history_messages_key="history"
    )
    return talk.with_config(configurable={"session_id": "s1"})


def mapped(kit: Kit) -> Any:
    return RunnableLambda(lambda x: [x, x]) | (PROMPT | kit.model()).map()


CHAINS: list[Callable[[Kit], Any]] = [
    *(sequence, json_parser, parallel, branch, inner_chain, inner_chain_without_callbacks, returned_chain, decorated),
    *(retrieval, two_retrievers, tool_step, tool_in_lambda, routed, fallbacks, retried, configured, bound),
    *(alternatives, history, mapped),
]
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda runnable, config: runnable.invoke(ASK, config),
    "stream": lambda runnable, config: list(runnable.stream(ASK, config)),
    "batch": lambda runnable, config: runnable.batch([ASK, ASK], config),
    "ainvoke": lambda runnable, config: asyncio.run(runnable.ainvoke(ASK, config)),
    "astream": lambda runnable, config: asyncio.run(_astream(runnable, config)),
    "abatch": lambda runnable, config: asyncio.run(runnable.abatch([ASK, ASK], config)),
}


async def _astream(runnable: Any, config: Any) -> list[Any]:
    return [part async for part in runnable.astream(ASK, config)]


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("shape", CHAINS, ids=lambda shape: shape.__name__)
def test_each_shape_runs_and_is_decided_once(tmp_path, shape, call, mode):
    home, actions = tmp_path / "home", Actions()
    with (
        Halo.local("clerk", mode=mode, home=home, quiet=True) as halo,
        halo.session(user="ana", request=ASK["q"]),
        contextlib.suppress(ConnectionError),  # LangChain retries no stream
    ):
        CALLS[call](shape(Kit(actions)), {"callbacks": [halo.callback()]})
    assert actions.count()
    assert_all_decided(home, actions)
    assert (count_questions(home), list_refusals(home)) == (0, [])
