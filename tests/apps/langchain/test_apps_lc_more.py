"""More shapes of LangChain applications: corrective retrieval, classic chains, memory, subgraphs with threads, loops.

As in `test_apps_shapes.py`: each runs as observed and enforced, guarded or under the callback alone, and what ran by
its own counters is what the log says was decided.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from app_models import Answers, model
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    PIIMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    dynamic_prompt,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_classic.agents import AgentExecutor, create_tool_calling_agent
from langchain_classic.agents import create_react_agent as create_text_agent
from langchain_classic.chains import create_history_aware_retriever, create_retrieval_chain
from langchain_classic.chains.combine_documents import create_stuff_documents_chain
from langchain_classic.retrievers import ContextualCompressionRetriever, MultiQueryRetriever
from langchain_classic.retrievers.document_compressors import LLMChainFilter
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnablePassthrough
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langchain_core.tools import BaseTool, StructuredTool, create_retriever_tool, tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_store, get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send, StreamWriter
from lc_app_parts import ASKED, THREAD, WAYS, Shelf, looks_once, make_look
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from halo_langchain import Halo
from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
App = tuple[Any, Any]
"""What is run, and its input."""


class Grade(BaseModel):
    """Whether a document is about the question."""

    score: str = Field(description="yes or no")


class RagState(TypedDict):
    question: str
    documents: list[Any]
    answer: str
    tries: int


def corrective_retrieval(actions: Actions) -> App:
    """Retrieve, grade each document, rewrite the question, search the web, answer, and check the answer."""

    def grades(name: str, score: str) -> Any:
        said = call("grade", ("Grade", {"score": score}), id=f"{name}-1")
        return model(actions, said, name=name).with_structured_output(Grade)

    shelf, search = Shelf(actions=actions), make_look(actions)
    rewriter = ChatPromptTemplate.from_template("Rewrite {q}") | model(actions, "rain?", name="rewriter")
    answers = ChatPromptTemplate.from_template("{d} {q}") | model(actions, "wet", name="answers") | StrOutputParser()

    def retrieve(state: RagState) -> Any:
        return {"documents": shelf.invoke(state["question"]), "tries": state.get("tries", 0) + 1}

    def grade(state: RagState) -> Any:
        chain = ChatPromptTemplate.from_template("{d}") | grades("grader", "no" if state["tries"] == 1 else "yes")
        kept = [item for item in state["documents"] if chain.invoke({"d": item.page_content}).score == "yes"]
        return {"documents": kept}

    def rewrite(state: RagState) -> Any:
        question = (rewriter | StrOutputParser()).invoke({"q": state["question"]})
        return {"question": question, "documents": [Document(search.invoke({"q": question}))]}

    def answer(state: RagState) -> Any:
        return {"answer": answers.invoke({"d": str(state["documents"]), "q": state["question"]})}

    def check(state: RagState) -> Literal["__end__", "rewrite"]:
        return END if grades("checker", "yes").invoke(state["answer"]).score == "yes" else "rewrite"

    graph = StateGraph(RagState).add_node(retrieve).add_node(grade).add_node(rewrite).add_node("say", answer)
    graph.add_edge(START, "retrieve").add_edge("retrieve", "grade").add_edge("rewrite", "retrieve")
    graph.add_conditional_edges("grade", lambda state: "say" if state["documents"] else "rewrite", ["say", "rewrite"])
    graph.add_conditional_edges("say", check)
    return graph.compile(), {"question": "what is rain", "tries": 0}


def a_retriever_as_a_tool(actions: Actions) -> App:
    shelf = create_retriever_tool(Shelf(actions=actions), "search_docs", "Search the documents.")
    actions.note("tool_call", "search_docs")  # the framework's own, which asks the retriever
    calls = (("search_docs", {"query": "rain"}),)
    return create_agent(looks_once(actions, "agent-model", *calls), [shelf]), ASKED


def hooks_and_a_model_for_each_turn(actions: Actions) -> App:
    look = make_look(actions)

    def shorten(state: Any) -> Any:
        model(actions, "short", name="before").invoke(state["messages"][-1:])
        return {"llm_input_messages": state["messages"]}

    def judge(state: Any) -> Any:
        model(actions, "fine", name="after").invoke([HumanMessage(str(state["messages"][-1].content))])
        return {}

    chosen = looks_once(actions, "chosen")

    def choose(_state: Any, _runtime: Any) -> Any:
        return chosen.bind_tools([look])

    return create_react_agent(choose, [look], pre_model_hook=shorten, post_model_hook=judge), ASKED


def an_answer_with_a_shape(actions: Actions) -> App:
    @dynamic_prompt
    def prompt(_request: Any) -> str:
        return "Be brief."

    said = [
        call("look", ("look", {"q": "rain"}), id="a-1"),
        call("answer", ("Grade", {"score": "yes"}), id="a-2"),
    ]
    agent = create_agent(
        model(actions, *said, name="agent-model"),
        [make_look(actions)],
        response_format=ToolStrategy(Grade),
        middleware=[prompt],
    )
    return agent, ASKED


def middleware_that_limits_and_selects(actions: Actions) -> App:
    class Failing(Answers):
        """Is always busy."""

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            self.actions.note("inference", self.model_name)
            raise ConnectionError("busy")

        def bind_tools(self, *_args: Any, **_kwargs: Any) -> Any:
            return self

    picks = model(actions, call("pick", ("ToolSelectionResponse", {"tools": ["look"]}), id="p-1"), name="selector")
    middleware: list[Any] = [
        TodoListMiddleware(),
        PIIMiddleware("email", strategy="redact"),
        ToolCallLimitMiddleware(run_limit=5),
        ModelCallLimitMiddleware(run_limit=5),
        ContextEditingMiddleware(),
        LLMToolSelectorMiddleware(model=picks, max_tools=1),
        ModelFallbackMiddleware(looks_once(actions, "spare")),
    ]
    first = Failing(actions=actions, answers=["x"], model_name="busy")
    return create_agent(first, [make_look(actions)], middleware=middleware), ASKED


def executor_of_the_first_days(actions: Actions) -> App:
    prompt = ChatPromptTemplate.from_messages([("human", "{input}"), MessagesPlaceholder("agent_scratchpad")])
    look = make_look(actions)
    agent = create_tool_calling_agent(looks_once(actions, "agent-model"), [look], prompt)
    executor = AgentExecutor(agent=agent, tools=[look])
    graph = StateGraph(MessagesState).add_node(
        "ask", lambda state: {"messages": [("ai", executor.invoke({"input": state["messages"][-1].text})["output"])]}
    )
    return graph.add_edge(START, "ask").compile(), ASKED


def executor_that_reads_words(actions: Actions) -> App:
    prompt = PromptTemplate.from_template("{tools} {tool_names} {input} {agent_scratchpad}")
    said = ["Thought: I look.\nAction: look\nAction Input: rain", "I now know.\nFinal Answer: wet"]
    look = make_look(actions)
    talks = Answers(actions=actions, answers=said, model_name="talks")
    executor = AgentExecutor(agent=create_text_agent(talks, [look], prompt), tools=[look])
    graph = StateGraph(MessagesState).add_node(
        "ask", lambda state: {"messages": [("ai", executor.invoke({"input": state["messages"][-1].text})["output"])]}
    )
    return graph.add_edge(START, "ask").compile(), ASKED


def classic_chains(actions: Actions) -> App:
    """A conversation over documents: the question is rewritten, variants are searched, and a model filters."""
    asks = model(actions, "what is rain?", name="asks")
    variants = Answers(actions=actions, answers=["rain?\nwater?"], model_name="variants")
    shelf = MultiQueryRetriever.from_llm(Shelf(actions=actions), llm=variants)
    keeps = Answers(actions=actions, answers=["YES"], model_name="keeps")
    filtered = ContextualCompressionRetriever(base_compressor=LLMChainFilter.from_llm(keeps), base_retriever=shelf)
    for name in ("MultiQueryRetriever", "ContextualCompressionRetriever"):
        actions.note("retrieval", name)  # the framework's own, which ask the others
    history = MessagesPlaceholder("chat_history")
    aware = create_history_aware_retriever(
        asks, filtered, ChatPromptTemplate.from_messages([history, ("human", "{input}")])
    )
    reads = ChatPromptTemplate.from_messages([("system", "{context}"), history, ("human", "{input}")])
    chain = create_retrieval_chain(aware, create_stuff_documents_chain(model(actions, "", "wet", name="reads"), reads))

    def ask(state: MessagesState) -> Any:
        given = {"input": "and rain?", "chat_history": [*state["messages"], ("ai", "hello")]}
        return {"messages": [("ai", chain.invoke(given)["answer"])]}

    return StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile(), ASKED


class Parts(TypedDict):
    texts: list[str]
    summaries: Annotated[list[str], operator.add]
    final: str


def summaries_mapped_and_collapsed(actions: Actions) -> App:
    chain = ChatPromptTemplate.from_template("Shorten {text}") | model(actions, "short", name="shortens")
    joins = ChatPromptTemplate.from_template("Join {text}") | model(actions, "all", name="joins") | StrOutputParser()

    async def shorten(part: Any) -> Any:
        return {"summaries": [(await chain.ainvoke({"text": part["text"]})).text]}

    async def join(state: Parts) -> Any:
        parts = await asyncio.gather(*(joins.ainvoke({"text": item}) for item in state["summaries"]))
        return {"final": await joins.ainvoke({"text": " ".join(parts)})}

    graph = StateGraph(Parts).add_node("shorten", shorten).add_node("join", join).add_edge("shorten", "join")
    graph.add_conditional_edges(
        START, lambda state: [Send("shorten", {"text": item}) for item in state["texts"]], ["shorten"]
    )
    return graph.compile(), {"texts": ["a", "b", "c"]}


def memories_in_a_store(actions: Actions) -> App:
    embedding = DeterministicFakeEmbedding(size=8)

    @tool
    @actions.tool
    def remember(text: str) -> str:
        """Remember something about the user."""
        get_store().put(("memories",), text, {"text": text})
        return "kept"

    @tool
    @actions.tool
    def recall(q: str) -> str:
        """Recall something about the user."""
        return str([item.value for item in get_store().search(("memories",), query=q)])

    def reflect(state: MessagesState, *, store: BaseStore) -> Any:
        said = model(actions, "likes rain", name="reflects").invoke(state["messages"][-1:]).text
        store.put(("memories",), "reflection", {"text": said})
        return {}

    calls = (("remember", {"text": "likes rain"}), ("recall", {"q": "rain"}))
    agent = create_agent(looks_once(actions, "agent-model", *calls), [remember, recall])
    graph = StateGraph(MessagesState).add_node("agent", agent).add_node("reflect", reflect)
    graph.add_edge(START, "agent").add_edge("agent", "reflect")
    index: Any = {"dims": 8, "embed": embedding}
    return graph.compile(store=InMemoryStore(index=index)), ASKED


def a_subgraph_with_a_thread_of_its_own(actions: Actions) -> App:
    bound, look = looks_once(actions, "inner-model"), make_look(actions)
    inner = StateGraph(MessagesState).add_node("ask", lambda s: {"messages": [bound.invoke(s["messages"])]})
    inner.add_node("tools", ToolNode([look])).add_edge(START, "ask").add_edge("tools", "ask")
    inner.add_conditional_edges("ask", tools_condition)
    kept = inner.compile(checkpointer=True)

    def outer(state: MessagesState) -> Command[Literal["again", "__end__"]]:
        said = kept.invoke({"messages": state["messages"][-1:]})
        return Command(update={"messages": said["messages"][-1:]}, goto="again")

    def again(_state: MessagesState, config: RunnableConfig) -> Command[Literal["__end__"]]:
        look.invoke({"q": "wind"}, config)
        return Command(goto=END)

    graph = StateGraph(MessagesState).add_node("outer", outer).add_node("again", again).add_edge(START, "outer")
    return graph.compile(checkpointer=InMemorySaver()), ASKED


def an_entry_point_that_remembers(actions: Actions) -> App:
    look, answers = make_look(actions), model(actions, "wet", name="answers")

    @task
    def read(q: str) -> str:
        return str(look.invoke({"q": q}))

    @task
    def write(texts: list[str]) -> str:
        return answers.invoke([SystemMessage("Join."), HumanMessage(" ".join(texts))]).text

    @entrypoint(checkpointer=InMemorySaver(), store=InMemoryStore())
    def work(given: dict[str, Any], *, previous: Any = None, writer: StreamWriter) -> Any:
        writer({"at": "work"})
        texts = [item.result() for item in [read(q) for q in given["topics"]]]
        said = write(texts).result()
        return entrypoint.final(value=said, save=[*(previous or []), said])

    return work, {"topics": ["rain", "wind"]}


class LoggingNode(ToolNode):
    """A tool node of the application's own."""

    def _func(self, input: Any, config: RunnableConfig, runtime: Runtime) -> Any:  # noqa: A002  the framework's name
        return super()._func(input, config, runtime)


def a_tool_node_of_the_applications_own(actions: Actions) -> App:
    @tool
    def fails(q: str) -> str:
        """Fail."""
        actions.note("tool_call", "fails")
        raise ValueError(q)

    class Clock(BaseTool):
        """A tool as a class."""

        name: str = "clock"
        description: str = "Tell the time."

        def _run(self, zone: str) -> str:
            actions.note("tool_call", "clock")
            return f"noon in {zone}"

    def adds(a: int, b: int) -> int:
        """Add two numbers."""
        actions.note("tool_call", "adds")
        get_stream_writer()({"sum": a + b})
        return a + b

    tools = [make_look(actions), fails, Clock(), StructuredTool.from_function(adds)]
    calls = (("look", {"q": "x"}), ("fails", {"q": "x"}), ("clock", {"zone": "UTC"}), ("adds", {"a": 1, "b": 2}))
    bound = looks_once(actions, "agent-model", *calls)
    graph = StateGraph(MessagesState).add_node("ask", lambda s: {"messages": [bound.invoke(s["messages"])]})
    graph.add_node("tools", LoggingNode(tools, handle_tool_errors=lambda error: f"sorry: {error}"))
    graph.add_edge(START, "ask").add_edge("tools", "ask").add_conditional_edges("ask", tools_condition)
    return graph.compile(), ASKED


def a_loop_written_by_hand(actions: Actions) -> App:
    """A model, its tools by name, threads for calls side by side, no framework around them but a node."""
    look = make_look(actions)
    by_name = {"look": look}
    bound = looks_once(actions, "agent-model", ("look", {"q": "rain"}), ("look", {"q": "wind"})).bind_tools([look])

    def work(state: MessagesState, config: RunnableConfig) -> Any:
        messages = list(state["messages"])
        while True:
            answer = bound.invoke(messages, config)
            messages.append(answer)
            if not answer.tool_calls:
                return {"messages": messages[-1:]}
            with ContextThreadPoolExecutor() as threads:
                messages += threads.map(lambda item: by_name[item["name"]].invoke(item), answer.tool_calls)

    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile(), ASKED


def batches_inside(actions: Actions) -> App:
    look, shelf = make_look(actions), Shelf(actions=actions)
    chain = RunnablePassthrough.assign(
        found=RunnableLambda(lambda x: x["q"]) | shelf, looked=RunnableLambda(lambda x: {"q": x["q"]}) | look
    ) | (lambda x: f"{x['found']} {x['looked']}") | model(actions, "wet", name="answers")  # fmt: skip
    inputs = [{"q": "rain"}, {"q": "wind"}, {"q": "sun"}]

    def work(_state: MessagesState) -> Any:
        list(chain.batch_as_completed(inputs))
        look.batch([{"q": "a"}, {"q": "b"}], config={"max_concurrency": 1})
        shelf.batch(["a", "b"])
        return {"messages": chain.batch(inputs, return_exceptions=True)}

    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile(), ASKED


def a_store_of_vectors(actions: Actions) -> App:
    class Vectors(InMemoryVectorStore):
        """Counts its searches."""

        def similarity_search(self, *args: Any, **kwargs: Any) -> Any:
            actions.note("retrieval", "VectorStoreRetriever")
            return super().similarity_search(*args, **kwargs)

    store = Vectors(DeterministicFakeEmbedding(size=8))
    store.add_texts(["rain is wet"])
    chain = (
        {"context": store.as_retriever(search_kwargs={"k": 1}), "q": RunnablePassthrough()}
        | ChatPromptTemplate.from_template("{context} {q}")
        | model(actions, "wet", name="answers")
    )

    def ask(state: MessagesState) -> Any:
        return {"messages": [chain.invoke(state["messages"][-1].text)]}

    return StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile(), ASKED


APPS: list[Callable[[Actions], App]] = [
    corrective_retrieval,
    a_retriever_as_a_tool,
    hooks_and_a_model_for_each_turn,
    an_answer_with_a_shape,
    middleware_that_limits_and_selects,
    executor_of_the_first_days,
    executor_that_reads_words,
    classic_chains,
    summaries_mapped_and_collapsed,
    memories_in_a_store,
    a_subgraph_with_a_thread_of_its_own,
    an_entry_point_that_remembers,
    a_tool_node_of_the_applications_own,
    a_loop_written_by_hand,
    batches_inside,
    a_store_of_vectors,
]
ONLY_ASYNC, ONLY_SYNC = (summaries_mapped_and_collapsed,), (an_entry_point_that_remembers,)
CASES = [
    (build, way)
    for build in APPS
    for way in WAYS
    if not (build in ONLY_ASYNC and way in ("invoke", "stream"))
    and not (build in ONLY_SYNC and way in ("ainvoke", "events"))
]
READS = ("look", "search_docs", "clock", "adds", "fails", "recall")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize(("build", "way"), CASES)
def test_each_shape_does_what_the_log_says(tmp_path, build, way, is_guarded, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS),
        "remember: {impact: write, reversal: undo}",
    )
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        graph, given = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        WAYS[way](halo.guard(graph) if is_guarded else graph, given, config)
    assert actions.count("inference", "tool_call")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
