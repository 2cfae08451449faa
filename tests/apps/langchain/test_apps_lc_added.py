"""What an application adds to its objects after the guard: decided, or refused when enforced and named when observed.

Real applications go on building: a plugin puts a tool into a tool node, a hook a retriever into an ensemble, a step a
tool into the model's request. What ran by its own counters is in the log as decided.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from app_models import model
from counting import Actions, count_decided, declare, list_undecided
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, wrap_model_call, wrap_tool_call
from langchain_classic.retrievers import EnsembleRetriever
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from halo_langchain import Halo
from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ASKED = {"messages": [("user", "What is rain?")]}
LATE = ("late_tool", {"q": "rain"})
Built = tuple[Any, Callable[[Any], Any], Any]
"""The application, what is done to its guarded copy (which may give another), and its input."""


def make_tool(actions: Actions, name: str = "late_tool") -> Any:
    @tool(name)
    def late(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", name)
        return f"about {q}"

    return late


class LateShelf(BaseRetriever):
    """One document."""

    actions: Any
    inside: str = ""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.actions.note("retrieval", f"{self.inside}{type(self).__name__}")
        return [Document("rain is wet")]


class Shelf(LateShelf):
    """Another."""


def asking(actions: Actions, *calls: Any, name: str = "agent-model") -> Any:
    return model(actions, call("go", *(calls or (LATE,)), id=f"{name}-1"), "wet", name=name)


def a_tool_of_a_tool_node(actions: Actions) -> Built:
    bound = asking(actions)
    graph = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([make_tool(actions, "look")])).add_edge(START, "ask").add_edge("tools", "ask")
    graph.add_conditional_edges("ask", tools_condition)

    def add(guarded: Any) -> None:
        guarded.nodes["tools"].bound.tools_by_name["late_tool"] = make_tool(actions)

    return graph.compile(), add, ASKED


def a_tool_of_an_agent(actions: Actions) -> Built:
    agent = create_agent(asking(actions), [make_tool(actions, "look")])

    def add(guarded: Any) -> None:
        guarded.nodes["tools"].bound.tools_by_name["late_tool"] = make_tool(actions)

    return agent, add, ASKED


def a_tool_of_a_request(actions: Actions) -> Built:
    late = make_tool(actions)

    @wrap_model_call
    def offer(request: Any, handler: Any) -> Any:
        return handler(request.override(tools=[*request.tools, late]))

    @wrap_tool_call
    def run_late(request: Any, handler: Any) -> Any:
        return handler(request.override(tool=late) if request.tool_call["name"] == "late_tool" else request)

    agent = create_agent(asking(actions), [make_tool(actions, "look")], middleware=[offer, run_late])
    return agent, lambda _guarded: None, ASKED


def a_tool_of_a_middleware(actions: Actions) -> Built:
    tools = [make_tool(actions, "look")]
    held = {"late_tool": make_tool(actions)}

    class Plugins(AgentMiddleware):
        """Runs tools that were plugged in since."""

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            plugged = held.get(request.tool_call["name"])
            if plugged is None:
                return handler(request)
            said = plugged.invoke(request.tool_call["args"])
            return ToolMessage(said, tool_call_id=request.tool_call["id"])

    return (
        create_agent(asking(actions), tools, middleware=[Plugins()]),
        lambda _guarded: tools.extend(held.values()),
        ASKED,
    )


def a_node_of_a_graph(actions: Actions) -> Built:
    graph = StateGraph(MessagesState).add_node("ask", lambda _state: {"messages": [("ai", "hi")]})
    late, shelf, says = make_tool(actions), LateShelf(actions=actions), model(actions, "late", name="late-model")

    def act(state: Any) -> Any:
        late.invoke({"q": "rain"})
        shelf.invoke("rain")
        return {"messages": [says.invoke(state["messages"])]}

    def add(guarded: Any) -> None:
        other = StateGraph(MessagesState).add_node("late", act).add_edge(START, "late").compile()
        guarded.nodes["ask"] = guarded.nodes["ask"].copy({"bound": other.nodes["late"].bound})

    return graph.add_edge(START, "ask").compile(), add, ASKED


def a_graph_in_a_node(actions: Actions) -> Built:
    held: list[Any] = []

    def ask(state: MessagesState) -> Any:
        return held[0].invoke(state)

    graph = StateGraph(MessagesState).add_node("ask", ask)

    def add(_guarded: Any) -> None:
        held.append(create_agent(asking(actions), [make_tool(actions)]))

    return graph.add_edge(START, "ask").compile(), add, ASKED


def a_tool_node_in_place_of_another(actions: Actions) -> Built:
    agent = create_agent(asking(actions), [make_tool(actions, "look")])

    def add(guarded: Any) -> None:
        guarded.nodes["tools"] = guarded.nodes["tools"].copy({"bound": ToolNode([make_tool(actions)])})

    return agent, add, ASKED


def a_subgraph_in_place_of_a_node(actions: Actions) -> Built:
    graph = StateGraph(MessagesState).add_node("ask", lambda _state: {"messages": [("ai", "hi")]})

    def add(guarded: Any) -> None:
        inner = create_agent(asking(actions), [make_tool(actions)])
        guarded.nodes["ask"] = guarded.nodes["ask"].copy({"bound": inner})

    return graph.add_edge(START, "ask").compile(), add, ASKED


def a_retriever_of_an_ensemble(actions: Actions) -> Built:
    shelves: list[Any] = [Shelf(actions=actions, inside="EnsembleRetriever/")]
    ensemble = EnsembleRetriever(retrievers=shelves, weights=[1.0])
    actions.note("retrieval", "EnsembleRetriever")  # the framework's own, which searches the others

    def add(guarded: Any) -> None:
        guarded.retrievers.append(LateShelf(actions=actions, inside="EnsembleRetriever/"))
        guarded.weights.append(1.0)

    return ensemble, add, "rain"


def a_part_of_a_chain_in_a_node(actions: Actions) -> Built:
    steps: dict[str, Any] = {"a": RunnableLambda(lambda _x: "rain") | Shelf(actions=actions)}
    both = RunnableParallel(steps)
    graph = StateGraph(MessagesState).add_node("ask", both | RunnableLambda(lambda _x: {"messages": [("ai", "ok")]}))

    def add(_guarded: Any) -> None:
        both.steps__["b"] = RunnableLambda(lambda _x: {"q": "rain"}) | make_tool(actions)

    return graph.add_edge(START, "ask").compile(), add, ASKED


ADDITIONS = [
    a_tool_of_a_tool_node,
    a_tool_of_an_agent,
    a_node_of_a_graph,
    a_graph_in_a_node,
    a_tool_node_in_place_of_another,
    a_subgraph_in_place_of_a_node,
    a_retriever_of_an_ensemble,
    a_part_of_a_chain_in_a_node,
]


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize(
    ("build", "awaited"),
    [*itertools.product(ADDITIONS, (False, True)), (a_tool_of_a_request, False), (a_tool_of_a_middleware, False)],
)
def test_what_is_added_later_is_decided(tmp_path, build, awaited, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}", "late_tool: {impact: read}")
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        app, add, given = build(actions)
        guarded = halo.guard(app)
        guarded = add(guarded) or guarded
        if awaited:
            asyncio.run(guarded.ainvoke(given))
        else:
            guarded.invoke(given)
    kinds = ("inference", "retrieval", "tool_call")
    undecided = actions.count(*kinds) - count_decided(home, *kinds)
    assert undecided == {}
    if mode == "observe":
        assert any("late" in name.lower() for _, name in actions.count())
        assert list_undecided(home) == []
