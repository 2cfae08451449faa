"""Shapes of LangGraph applications: mapped subgraphs, tasks, injected state, middleware that acts, chains as nodes.

As in `test_apps_agents.py`: each runs as observed and enforced, guarded or under the callback alone, and what ran by
its own counters is what the log says was decided.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from app_models import model
from counting import Actions, assert_all_decided, count_questions, declare, list_undecided
from langchain.agents import create_agent
from langchain.agents.middleware import LLMToolEmulator, SummarizationMiddleware, ToolRetryMiddleware
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, ToolRuntime, tools_condition
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, Send
from lc_app_parts import ASKED, THREAD, WAYS, Shelf, looks_once, make_look
from typing_extensions import TypedDict

from halo_langchain import Halo

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


class Topics(TypedDict):
    topics: list[str]
    done: Annotated[list[str], operator.add]


class Topic(TypedDict):
    topic: str
    messages: Annotated[list[Any], add_messages]
    done: Annotated[list[str], operator.add]


def map_over_subgraphs(actions: Actions) -> tuple[Any, Any]:
    look = make_look(actions)

    def ask(state: Topic) -> dict[str, Any]:
        bound = looks_once(actions, f"writer-{state['topic']}").bind_tools([look])
        return {"messages": [bound.invoke(state["messages"] or [("user", state["topic"])])]}

    section = StateGraph(Topic).add_node("ask", ask).add_node("tools", ToolNode([look]))
    section.add_node("finish", lambda state: {"done": [state["messages"][-1].text]})
    section.add_edge(START, "ask").add_edge("tools", "ask")
    section.add_conditional_edges("ask", lambda s: "tools" if s["messages"][-1].tool_calls else "finish")
    planner, joiner = model(actions, "rain,wind,sun", name="planner"), model(actions, "all", name="joiner")
    graph = StateGraph(Topics).add_node("section", section.compile())
    graph.add_node("plan", lambda _state: {"topics": planner.invoke("plan").text.split(",")})
    graph.add_node("join", lambda state: {"done": [joiner.invoke(str(state["done"])).text]})
    graph.add_edge(START, "plan").add_edge("section", "join")
    graph.add_conditional_edges(
        "plan", lambda s: [Send("section", {"topic": item, "messages": []}) for item in s["topics"]], ["section"]
    )
    return graph.compile(), {"topics": [], "done": []}


def tasks_at_once(actions: Actions) -> tuple[Any, Any]:
    look = make_look(actions)
    bound = looks_once(actions, "agent-model", ("look", {"q": "rain"}), ("look", {"q": "wind"})).bind_tools([look])

    @task
    def ask(messages: Any) -> Any:
        return bound.invoke(messages)

    @task
    def use(tool_call: Any) -> Any:
        return look.invoke({**tool_call, "type": "tool_call"})

    @entrypoint(checkpointer=InMemorySaver())
    def agent(messages: Any) -> Any:
        answer = ask(messages).result()
        while answer.tool_calls:
            used = [use(item) for item in answer.tool_calls]
            messages = add_messages(messages, [answer, *(item.result() for item in used)])
            answer = ask(messages).result()
        return answer

    return agent, [HumanMessage("What is rain?")]


def injected_state(actions: Actions) -> tuple[Any, Any]:
    @tool
    def keep(
        key: str, state: Annotated[Any, InjectedState], store: Annotated[Any, InjectedStore()], runtime: ToolRuntime
    ) -> Command[Any]:
        """Keep what was said."""
        actions.note("tool_call", "keep")
        said = model(actions, "a summary", name="summarizer").invoke(state["messages"]).text
        store.put(("said",), key, {"text": said})
        return Command(update={"messages": [ToolMessage(said, tool_call_id=runtime.tool_call_id)]})

    calls = (("keep", {"key": "rain"}), ("look", {"q": "rain"}))
    tools = [keep, make_look(actions)]
    bound = looks_once(actions, "agent-model", *calls).bind_tools(tools)
    graph = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools)).add_edge(START, "ask").add_edge("tools", "ask")
    graph.add_conditional_edges("ask", tools_condition)
    return graph.compile(store=InMemoryStore()), ASKED


def chains_as_nodes(actions: Actions) -> tuple[Any, Any]:
    look, n = make_look(actions), [0]

    @tool
    def flaky(q: str) -> str:
        """Look something up, at the second attempt."""
        actions.note("tool_call", "flaky")
        n[0] += 1
        if n[0] % 2:
            raise ConnectionError("again")
        return q

    answers = model(actions, "wet", name="answers").with_retry().with_fallbacks([model(actions, "no", name="spare")])
    chain = RunnableParallel(
        docs=RunnableLambda(lambda _state: "rain") | Shelf(actions=actions),
        looked=RunnableLambda(lambda _state: {"q": "rain"}) | look,
        said=RunnableLambda(lambda _state: {"q": "rain"}) | ChatPromptTemplate.from_template("{q}") | answers,
    )
    graph = StateGraph(MessagesState).add_node(
        "chain", chain | RunnableLambda(lambda item: {"messages": [item["said"]]})
    )
    graph.add_node("batch", lambda _s: {"messages": [("ai", str(look.batch([{"q": "wind"}, {"q": "sun"}])))]})
    graph.add_node(
        "flaky",
        lambda _s: {"messages": [("ai", flaky.invoke({"q": "fog"}))]},
        retry_policy=RetryPolicy(initial_interval=0.01),
    )
    graph.add_edge(START, "chain").add_edge("chain", "batch").add_edge("batch", "flaky")
    return graph.compile(), ASKED


def middleware_that_acts(actions: Actions) -> tuple[Any, Any]:
    look = make_look(actions)

    @tool
    def imagined(q: str) -> str:
        """A tool that a model stands in for."""
        actions.note("tool_call", "imagined")
        return q

    middleware: list[Any] = [
        SummarizationMiddleware(model(actions, "short", name="short"), trigger=("messages", 2), keep=("messages", 1)),
        ToolRetryMiddleware(max_retries=1, initial_delay=0.0),
        LLMToolEmulator(tools=["imagined"], model=model(actions, "made up", name="emulator")),
    ]
    calls = (("look", {"q": "rain"}), ("imagined", {"q": "rain"}))
    agent = create_agent(looks_once(actions, "agent-model", *calls), [look, imagined], middleware=middleware)
    return agent, {"messages": [("user", "hi"), ("ai", "hello"), ("user", "What is rain?")]}


def chains_and_agents_as_tools(actions: Actions) -> tuple[Any, Any]:
    chain = ChatPromptTemplate.from_template("{q}") | model(actions, "said", name="said")
    inner = create_agent(looks_once(actions, "inner-model"), [make_look(actions)], name="inner")
    asks = RunnableLambda(lambda item: {"messages": [("user", item["q"])]}) | inner
    tools = [
        item.as_tool(name=name, description="Ask.", arg_types={"q": str})
        for name, item in (("ask_chain", chain), ("ask_agent", asks | RunnableLambda(lambda s: s["messages"][-1].text)))
    ]
    for name in ("ask_chain", "ask_agent"):  # the framework runs them, and each runs what counts for itself
        actions.note("tool_call", name)
    calls = (("ask_chain", {"q": "rain"}), ("ask_agent", {"q": "rain"}))
    return create_agent(looks_once(actions, "agent-model", *calls), tools), ASKED


APPS: list[Callable[[Actions], tuple[Any, Any]]] = [
    map_over_subgraphs,
    tasks_at_once,
    injected_state,
    chains_as_nodes,
    middleware_that_acts,
    chains_and_agents_as_tools,
]
READS = ("look", "flaky", "ask_chain", "ask_agent", "imagined")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", APPS)
def test_each_shape_does_what_the_log_says(tmp_path, build, way, is_guarded, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS),
        "keep: {impact: write, reversal: undo}",
    )
    if build is tasks_at_once and way in ("ainvoke", "events"):
        pytest.skip("its entry point is synchronous")
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        graph, given = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        WAYS[way](halo.guard(graph) if is_guarded else graph, given, config)
    assert actions.count("inference")
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (0, [])
