"""Shapes of LangGraph applications as its templates and tutorials have them, compared with the same run ungoverned.

Each runs in eight ways, as observed and enforced, guarded or under the callback alone. What ran by its own counters is
what the log says was decided, it is what ran without Halo, and what comes out is the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypedDict

import pytest
from app_models import Answers, model
from counting import Actions
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage, trim_messages
from langchain_core.runnables import RunnableLambda, chain
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_store, get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, tools_condition
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send
from lc_app_parts import ASKED, MORE_WAYS, App, Shelf, check_as_ungoverned, looks_once, make_look

from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def says(text: Any) -> dict[str, Any]:
    return {"messages": [AIMessage(str(text))]}


def evaluator_and_optimizer(actions: Actions) -> App:
    """The functional API: a draft is judged and written again until it is good."""
    writes = Answers(actions=actions, answers=["a", "b", "c"], model_name="writes")
    judges = Answers(actions=actions, answers=["bad", "good"], model_name="judges")
    look = make_look(actions)

    @task
    def write(topic: str, feedback: str) -> str:
        return writes.invoke(f"{topic} {feedback} {look.invoke({'q': topic})}").text

    @task
    def judge(draft: str) -> str:
        return judges.invoke(draft).text

    @entrypoint()
    def flow(given: dict[str, Any]) -> dict[str, Any]:
        feedback = ""
        while True:
            draft = write("rain", feedback).result()
            feedback = judge(draft).result()
            if feedback == "good":
                return says(draft)

    return flow, ASKED


def a_parent_of_subgraphs_that_remember(actions: Actions) -> App:
    """Two calls of one subgraph in one run, each with checkpoints of its own."""
    inner = create_agent(looks_once(actions, "fruit-model"), [make_look(actions)], checkpointer=True, name="fruit")

    def ask(_state: MessagesState) -> Any:
        return {"messages": [inner.invoke(ASKED)["messages"][-1]]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask")
    return graph.compile(checkpointer=InMemorySaver()), ASKED


class Report(TypedDict):
    sections: list[str]
    done: Annotated[list[str], operator.add]
    messages: Annotated[list[Any], add_messages]


class Work(TypedDict):
    section: str
    done: Annotated[list[str], operator.add]


def an_orchestrator_and_its_workers(actions: Actions) -> App:
    """A plan, a worker for each part of it, and what sums up."""
    plans = Answers(actions=actions, answers=["rain,wind"], model_name="plans")
    writes = Answers(actions=actions, answers=["text"], model_name="writes")
    look = make_look(actions)

    def plan(_state: Report) -> Any:
        return {"sections": plans.invoke("plan").text.split(",")}

    def write(state: Work) -> Any:
        return {"done": [writes.invoke(look.invoke({"q": state["section"]})).text]}

    graph = StateGraph(Report).add_node(plan).add_node("write", write)
    graph.add_node("sum_up", lambda state: says(" ".join(state["done"])))
    graph.add_edge(START, "plan").add_edge("write", "sum_up")
    graph.add_conditional_edges("plan", lambda s: [Send("write", {"section": x}) for x in s["sections"]], ["write"])
    return graph.compile(), ASKED


def hand_offs_by_commands(actions: Actions) -> App:
    """A tool whose Command goes to another agent with an update of the state."""

    @tool
    def to_sales(
        item: str, state: Annotated[Any, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]
    ) -> Command[Any]:
        """Hand over to sales."""
        actions.note("tool_call", "to_sales")
        told = ToolMessage(f"over with {item}", tool_call_id=tool_call_id)
        return Command(goto="sales", graph=Command.PARENT, update={"messages": [*state["messages"], told]})

    first = create_agent(looks_once(actions, "m1", ("to_sales", {"item": "lamp"})), [to_sales], name="first")
    sells = Answers(actions=actions, answers=["sold"], model_name="m2")
    sales = create_agent(sells, [], name="sales")
    graph = StateGraph(MessagesState).add_node("first", first, destinations=("sales",)).add_node("sales", sales)
    return graph.add_edge(START, "first").compile(), ASKED


def a_node_of_tools_with_plain_functions(actions: Actions) -> App:
    """Plain functions as tools, a handler of errors, and two calls at once."""

    @actions.tool
    def look(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    @actions.tool
    def fails(q: str) -> str:
        """Look where nothing is."""
        raise ValueError(f"no {q}")

    asks = looks_once(actions, "m", ("look", {"q": "rain"}), ("fails", {"q": "sun"}))
    graph = StateGraph(MessagesState).add_node("ask", lambda s: {"messages": [asks.invoke(s["messages"])]})
    graph.add_node("tools", ToolNode([look, fails], handle_tool_errors=lambda e: f"sorry: {e}"))
    graph.add_edge(START, "ask").add_conditional_edges("ask", tools_condition).add_edge("tools", "ask")
    return graph.compile(), ASKED


def an_agent_with_a_store(actions: Actions) -> App:
    """Memories written and searched by tools, and read by a node."""

    @tool
    def remember(text: str, store: Annotated[Any, InjectedStore()]) -> str:
        """Remember something."""
        actions.note("tool_call", "remember")
        store.put(("memories",), text, {"text": text})
        return "kept"

    @tool
    def recall(q: str) -> str:
        """What was remembered."""
        actions.note("tool_call", "recall")
        return str(sorted(item.key for item in get_store().search(("memories",))))

    asks = model(
        actions,
        call("a", ("remember", {"text": "rain is wet"}), id="a1"),
        call("b", ("recall", {"q": "rain"}), id="a2"),
        "wet",
        name="m",
    )
    return create_agent(asks, [remember, recall], store=InMemoryStore()), ASKED


def a_dialog_with_a_stack(actions: Actions) -> App:
    """Tool nodes with fallbacks, entry nodes, and a way back."""
    look = make_look(actions)

    @tool
    def to_flights(request: str) -> str:
        """Transfer to the flights desk."""
        actions.note("tool_call", "to_flights")
        return "over"

    first = looks_once(actions, "m1", ("to_flights", {"request": "rain"}))
    second = model(actions, "unused", call("x", ("look", {"q": "rain"}), id="f1"), "done", name="m2")

    def handle(state: Any) -> Any:
        calls = state["messages"][-1].tool_calls
        return {"messages": [ToolMessage(repr(state["error"]), tool_call_id=c["id"]) for c in calls]}

    def enter(state: MessagesState) -> Any:
        made = state["messages"][-1].tool_calls[0]["id"]
        return {"messages": [ToolMessage("now the flights desk", tool_call_id=made)]}

    graph = StateGraph(MessagesState)
    graph.add_node("first", lambda s: {"messages": [first.bind_tools([to_flights]).invoke(s["messages"])]})
    graph.add_node("enter", enter)
    graph.add_node("flights", lambda s: {"messages": [second.bind_tools([look]).invoke(s["messages"])]})
    fallback = [RunnableLambda(handle)]
    graph.add_node("tools", ToolNode([look]).with_fallbacks(fallback, exception_key="error"))
    graph.add_edge(START, "first").add_edge("first", "enter").add_edge("enter", "flights")
    graph.add_conditional_edges("flights", tools_condition).add_edge("tools", "flights")
    return graph.compile(), ASKED


def a_compiler_of_tasks(actions: Actions) -> App:
    """Tasks that are scheduled in threads as soon as what they depend on is there."""
    look, joins = make_look(actions), Answers(actions=actions, answers=["wet"], model_name="joins")

    @chain
    def run_task(item: Any) -> str:
        return str(look.invoke({"q": item["q"]}))

    @chain
    def schedule(items: Any) -> list[str]:
        with ContextThreadPoolExecutor() as pool:
            return [done.result() for done in [pool.submit(run_task.invoke, item) for item in items]]

    def plan_and_run(_state: MessagesState) -> Any:
        return says(" ".join(schedule.invoke([{"q": "rain"}, {"q": "wind"}])))

    graph = StateGraph(MessagesState).add_node("run", plan_and_run)
    graph.add_node("join", lambda s: {"messages": [joins.invoke(s["messages"])]})
    return graph.add_edge(START, "run").add_edge("run", "join").compile(), ASKED


def a_plan_with_evidence(actions: Actions) -> App:
    """A plan with variables, tools by their names, and a solver."""
    tools: dict[str, Any] = {"look": make_look(actions)}
    plans = Answers(actions=actions, answers=["#E1 = look[rain]\n#E2 = llm[#E1]"], model_name="plans")
    thinks = Answers(actions=actions, answers=["wet"], model_name="thinks")

    def work(_state: MessagesState) -> Any:
        found: dict[str, str] = {}
        for line in plans.invoke("plan").text.splitlines():
            name, _, rest = line.partition(" = ")
            which, _, given = rest.rstrip("]").partition("[")
            for key, value in found.items():
                given = given.replace(key, value)
            found[name] = thinks.invoke(given).text if which == "llm" else str(tools[which].invoke({"q": given}))
        return says(found)

    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile(), ASKED


def teams_below_a_supervisor(actions: Actions) -> App:
    """A router that names the next worker, and workers that come back with a Command."""
    routes = Answers(actions=actions, answers=["research", "FINISH"], model_name="routes")
    research = create_agent(looks_once(actions, "m1"), [make_look(actions)], name="research-agent")

    def supervisor(state: MessagesState) -> Command[Literal["research", "__end__"]]:
        next_one = routes.invoke(state["messages"]).text
        return Command(goto=END if next_one == "FINISH" else "research")  # type: ignore[arg-type]

    def work(_state: MessagesState) -> Command[Literal["supervisor"]]:
        found = research.invoke(ASKED)
        update = {"messages": [HumanMessage(found["messages"][-1].text, name="research")]}
        return Command(update=update, goto="supervisor")

    graph = StateGraph(MessagesState).add_node("supervisor", supervisor).add_node("research", work)
    team = graph.add_edge(START, "supervisor").compile()
    top = StateGraph(MessagesState).add_node("team", lambda s: {"messages": team.invoke(s)["messages"][-1]})
    return top.add_edge(START, "team").compile(), ASKED


def a_conversation_that_is_cut(actions: Actions) -> App:
    """Old messages are trimmed, summed up and removed."""
    sums_up = Answers(actions=actions, answers=["a summary"], model_name="sums-up")
    talks = Answers(actions=actions, answers=["wet"], model_name="talks")

    def talk(state: MessagesState) -> Any:
        kept = trim_messages(state["messages"], max_tokens=2, token_counter=len, strategy="last")
        return {"messages": [talks.invoke(kept)]}

    def sum_up(state: MessagesState) -> Any:
        said = sums_up.invoke([*state["messages"], HumanMessage("Sum up.")])
        return {"messages": [*(RemoveMessage(id=m.id) for m in state["messages"][:-2]), said]}

    graph = StateGraph(MessagesState).add_node("talk", talk).add_node("sum_up", sum_up)
    graph.add_edge(START, "talk").add_edge("talk", "sum_up")
    return graph.compile(), {"messages": [("user", "a"), ("ai", "b"), ("user", "c")]}


def many_tools_of_which_some_are_bound(actions: Actions) -> App:
    """Tools that are found by a retrieval, bound for each call, and run by one node."""
    look, shelf = make_look(actions), Shelf(actions=actions)
    asks = looks_once(actions, "m")

    def select(state: MessagesState) -> Any:
        shelf.invoke(state["messages"][-1].text)
        return {}

    graph = StateGraph(MessagesState).add_node("select", select)
    graph.add_node("ask", lambda s: {"messages": [asks.bind_tools([look]).invoke(s["messages"])]})
    graph.add_node("tools", ToolNode([look])).add_edge(START, "select").add_edge("select", "ask")
    graph.add_conditional_edges("ask", tools_condition).add_edge("tools", "ask")
    return graph.compile(), ASKED


def tools_that_tell_how_far_they_are(actions: Actions) -> App:
    """A tool that streams its progress and what a model inside of it says."""
    inner = Answers(actions=actions, answers=["wet"], model_name="inner")

    @tool
    def research(q: str) -> str:
        """Look something up, and say so."""
        actions.note("tool_call", "research")
        write = get_stream_writer()
        write({"progress": 1})
        return "".join(str(part.content) for part in inner.stream(q))

    return create_agent(looks_once(actions, "m", ("research", {"q": "rain"})), [research]), ASKED


class Context(TypedDict):
    who: str


def a_graph_with_a_context(actions: Actions) -> App:
    """What a runtime carries, in a node, in a deferred one, and side by side."""
    look, says_it = make_look(actions), Answers(actions=actions, answers=["wet"], model_name="m")

    def left(_state: Report, runtime: Runtime[Context]) -> Any:
        return {"done": [f"{look.invoke({'q': 'rain'})} {runtime.context}"]}

    graph = StateGraph(Report, context_schema=Context).add_node("left", left)
    graph.add_node("right", lambda _s: {"done": [says_it.invoke("x").text]})
    graph.add_node("end", lambda s: says(sorted(s["done"])), defer=True)
    graph.add_edge(START, "left").add_edge(START, "right").add_edge("left", "end").add_edge("right", "end")
    return graph.compile(), ASKED


APPS: list[Callable[[Actions], App]] = [
    evaluator_and_optimizer,
    a_parent_of_subgraphs_that_remember,
    an_orchestrator_and_its_workers,
    hand_offs_by_commands,
    a_node_of_tools_with_plain_functions,
    an_agent_with_a_store,
    a_dialog_with_a_stack,
    a_compiler_of_tasks,
    a_plan_with_evidence,
    teams_below_a_supervisor,
    a_conversation_that_is_cut,
    many_tools_of_which_some_are_bound,
    tools_that_tell_how_far_they_are,
    a_graph_with_a_context,
]


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", MORE_WAYS)
@pytest.mark.parametrize("build", APPS)
def test_each_shape_runs_as_without_halo(tmp_path, build, way, is_guarded, mode):
    check_as_ungoverned(tmp_path / "home", build, way, is_guarded=is_guarded, mode=mode)
