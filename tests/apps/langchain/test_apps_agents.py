"""Public patterns of agents: deep agents, swarms, supervisors, agents as tools, hand-offs, approvals, plans.

Each runs as its authors wrote it, with the lines for Halo marked `# halo`, once as observed and once enforced after
what a first day of observing would declare. What ran by its own counters is what the log says was decided.
"""

from __future__ import annotations

import asyncio
import operator
from pathlib import Path
from typing import Annotated, Any

import pytest
from app_models import model
from counting import (
    Actions,
    assert_all_decided,
    count_actors,
    count_added_lines,
    count_decided,
    count_questions,
    declare,
    list_refusals,
    list_undecided,
)
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from typing_extensions import TypedDict

from halo_langchain import Halo
from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

MODES = pytest.mark.parametrize("mode", ["observe", "enforce"])
WAYS = pytest.mark.parametrize("awaited", [False, pytest.param(True, marks=pytest.mark.thorough)])
THREAD = {"configurable": {"thread_id": "t1"}}


def run(graph: Any, text: str, *, awaited: bool = False, config: Any = None) -> Any:
    given = {"messages": [("user", text)]}
    return asyncio.run(graph.ainvoke(given, config)) if awaited else graph.invoke(given, config)


def open_halo(home: Path, mode: str) -> Halo:
    return Halo.local("desk", mode=mode, home=home, quiet=True)


def require_whole(home: Path, actions: Actions, *, questions: int = 0) -> None:
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (questions, [])


# deep agent, text to SQL


def build_deep_agent(halo: Halo, actions: Actions, *, hostile: bool = False) -> Any:
    @actions.tool
    def list_tables() -> str:
        """List the tables."""
        return "users, orders"

    @actions.tool
    def run_query(query: str) -> str:
        """Run a SQL query."""
        return "3"

    @actions.tool
    def wipe_account(account: str) -> str:
        """Wipe an account."""
        return "wiped"

    wipe = [call("wipe", ("wipe_account", {"account": "ACC-1"}), id="s0")] if hostile else []
    analyst = model(
        actions,
        *wipe,
        call("look", ("list_tables", {}), id="s1"),
        call("ask", ("run_query", {"query": "SELECT count(*) FROM users"}), id="s2"),
        "three users",
        name="analyst-model",
    )
    lead = model(
        actions,
        call("go", ("task", {"description": "count users", "subagent_type": "analyst"}), id="m1"),
        "There are three users.",
        name="lead-model",
    )
    tools = [list_tables, run_query, wipe_account]
    sub = {"name": "analyst", "description": "counts", "system_prompt": "Count.", "tools": tools, "model": analyst}
    agent = create_deep_agent(model=lead, tools=[list_tables], subagents=[sub])
    return halo.guard(agent)  # halo


DEEP = ("list_tables: {impact: read, source_trust: 900}", "run_query: {impact: read, source_trust: 900}")
FRAMEWORK_TOOLS = {("tool_call", "task"): 1}
"""Tools of the framework, whose bodies count nothing."""


@MODES
@WAYS
def test_a_deep_agent_and_its_sub_agents_are_decided(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(home, *DEEP)
    with open_halo(home, mode) as halo:
        answer = run(build_deep_agent(halo, actions), "How many users are there?", awaited=awaited)
    assert answer["messages"][-1].text == "There are three users."
    assert count_decided(home, "tool_call") == actions.count("tool_call") + type(actions.count())(FRAMEWORK_TOOLS)
    assert count_decided(home, "inference") == actions.count("inference")
    assert count_decided(home, "handoff") == {("handoff", "analyst"): 1}
    for name in ("list_tables", "run_query", "analyst-model"):
        assert set(count_actors(home, name)) == {"analyst"}
    assert set(count_actors(home, "lead-model")) == set(count_actors(home, "task")) == {"desk"}
    assert (count_questions(home), list_undecided(home)) == (0, [])
    assert count_added_lines(build_deep_agent) == 1


@WAYS
def test_what_a_sub_agent_may_not_do_does_not_run(tmp_path, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(home, *DEEP, "wipe_account: {impact: delete, targets: [account]}")
    with open_halo(home, "enforce") as halo:
        run(build_deep_agent(halo, actions, hostile=True), "How many users are there?", awaited=awaited)
    assert "wipe_account" not in actions.names()
    assert [item[1] for item in list_refusals(home)] == ["wipe_account"]
    assert count_actors(home, "wipe_account") == {"analyst": 1}


# swarm, supervisor


def build_swarm(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def search_flights(city: str) -> str:
        """Search flights."""
        return "LH1 at 9"

    @actions.tool
    def book_hotel(hotel: str) -> str:
        """Book a hotel."""
        return "booked"

    to_hotels = create_handoff_tool(agent_name="hotels")
    flights = create_agent(
        model(
            actions,
            call("look", ("search_flights", {"city": "Rome"}), id="f1"),
            call("over", ("transfer_to_hotels", {}), id="f2"),
            name="flights-model",
        ),
        [search_flights, to_hotels],
        name="flights",
    )
    book = call("book", ("book_hotel", {"hotel": "Roma"}), id="h1")
    told = [AIMessage("")] * 2  # its place in the script counts the messages of the other agent
    hotels = create_agent(model(actions, *told, book, "Booked.", name="hotels-model"), [book_hotel], name="hotels")
    swarm = create_swarm([flights, hotels], default_active_agent="flights").compile(checkpointer=InMemorySaver())
    return halo.guard(swarm)  # halo


@MODES
@WAYS
def test_a_swarm_hands_off_by_decisions(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(
        home, "search_flights: {impact: read, source_trust: 900}", "book_hotel: {impact: write, reversal: compensate}"
    )
    with open_halo(home, mode) as halo:
        answer = run(build_swarm(halo, actions), "Book the hotel Roma in Rome", awaited=awaited, config=THREAD)
    assert answer["messages"][-1].text == "Booked."
    require_whole(home, actions)
    assert (count_actors(home, "search_flights"), count_actors(home, "book_hotel")) == ({"flights": 1}, {"hotels": 1})
    assert count_decided(home, "handoff")["handoff", "hotels"] >= 1
    assert count_added_lines(build_swarm) == 1


def build_supervisor(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    adds = model(actions, AIMessage(""), call("add", ("add", {"a": 1, "b": 2}), id="a1"), "three", name="maths-model")
    maths = create_agent(adds, [add], name="maths")
    lead = model(actions, call("go", ("transfer_to_maths", {}), id="s1"), *["The sum is three."] * 9, name="lead-model")
    team = create_supervisor([maths], model=lead).compile()
    return halo.guard(team)  # halo


@MODES
@WAYS
def test_a_supervisor_hands_off_by_decisions(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(home, "add: {impact: read, source_trust: 900}")
    with open_halo(home, mode) as halo:
        answer = run(build_supervisor(halo, actions), "Add 1 and 2", awaited=awaited)
    assert answer["messages"][-1].text == "The sum is three."
    require_whole(home, actions)
    assert count_actors(home, "add") == {"maths": 1}
    assert count_added_lines(build_supervisor) == 1


# agents as tools


RESEARCHERS: dict[str, Any] = {}
"""Where an application keeps an agent that its tools find by a global name."""


def build_agents_as_tools(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def search(q: str) -> str:
        """Search."""
        return f"about {q}"

    asks = [call("look", ("search", {"q": "rain"}), id="r1"), "wet"]
    RESEARCHERS["rain"] = create_agent(model(actions, *asks, name="research-model"), [search], name="researcher")

    @actions.tool
    def research(q: str) -> str:
        """Ask the researcher."""
        return RESEARCHERS["rain"].invoke({"messages": [("user", q)]})["messages"][-1].text

    lead = model(actions, call("go", ("research", {"q": "rain"}), id="m1"), "It is wet.", name="lead-model")
    return halo.guard(create_agent(lead, [research]))  # halo


@MODES
@WAYS
def test_an_agent_in_a_tool_acts_under_its_own_name(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(home, *[f"{name}: {{impact: read, source_trust: 900}}" for name in ("search", "research")])
    with open_halo(home, mode) as halo:
        answer = run(build_agents_as_tools(halo, actions), "What is rain?", awaited=awaited)
    assert answer["messages"][-1].text == "It is wet."
    require_whole(home, actions)
    actors = {name: set(count_actors(home, name)) for name in ("search", "research-model", "research", "lead-model")}
    assert actors == {
        "search": {"researcher"},
        "research-model": {"researcher"},
        "research": {"desk"},
        "lead-model": {"desk"},
    }
    assert count_added_lines(build_agents_as_tools) == 1


# customer service with hand-offs of its own


def build_customer_service(halo: Halo, actions: Actions) -> Any:
    @tool
    def escalate(
        refund: float,
        account: str,
        state: Annotated[Any, InjectedState],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> Command[Any]:
        """Hand over to billing, with the refund that was promised."""
        actions.note("tool_call", "escalate")
        told = ToolMessage("handed over", tool_call_id=tool_call_id)
        return Command(goto="billing", graph=Command.PARENT, update={"messages": [*state["messages"], told]})

    escalate.metadata = {"__handoff_destination": "billing"}

    @actions.tool
    def pay_refund(account: str, amount: float) -> str:
        """Pay a refund."""
        return "paid"

    over = call("over", ("escalate", {"refund": 20.0, "account": "ACC-1"}), id="c1")
    front = create_agent(model(actions, over, name="front-model"), [escalate], name="front")
    pays = call("pay", ("pay_refund", {"account": "ACC-1", "amount": 20.0}), id="b1")
    billing = create_agent(
        model(actions, AIMessage(""), pays, "Refunded.", name="billing-model"), [pay_refund], name="billing"
    )
    graph = StateGraph(MessagesState)
    graph.add_node("front", front, destinations=("billing",))
    graph.add_node("billing", billing)
    graph.add_edge(START, "front")
    return halo.guard(graph.compile())  # halo


@MODES
@WAYS
def test_customer_service_hands_off_with_arguments(tmp_path, mode, awaited):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        "pay_refund: {impact: payment, targets: [account], amount: amount, reversal: compensate}",
        "escalate: {impact: write, targets: [account], reversal: compensate}",
    )
    with open_halo(home, mode) as halo:
        text = "Please pay me a refund of 20 to ACC-1"
        answer = run(build_customer_service(halo, actions), text, awaited=awaited)
    assert answer["messages"][-1].text == "Refunded."
    require_whole(home, actions)
    assert (count_actors(home, "escalate"), count_actors(home, "pay_refund")) == ({"front": 1}, {"billing": 1})
    assert count_added_lines(build_customer_service) == 1


# human in the loop


def build_clerk(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def pay(account: str, amount: float) -> str:
        """Pay an amount to an account."""
        return "paid"

    pays = call("pay", ("pay", {"account": "ACC-9", "amount": 90.0}), id="p1")
    clerk = create_agent(model(actions, pays, "Paid."), [pay], checkpointer=InMemorySaver())
    return halo.guard(clerk)  # halo


def test_a_person_is_asked_once_and_it_runs_once(tmp_path):
    from halo_world import cli

    home, actions = tmp_path / "home", Actions()
    declare(home, "pay: {impact: payment, targets: [account], amount: amount, reversal: compensate}")
    with open_halo(home, "enforce") as halo:
        graph = build_clerk(halo, actions)
        (asked,) = run(graph, "Pay ACME 90", config=THREAD)["__interrupt__"]
        assert (asked.value["resource"], actions.names()) == ("pay", [])
        cli("approver", "enrol", "mia@bank.example", home=home)
        code, _, error = cli("approvals", "approve", asked.value["pending_id"], "--as", "mia@bank.example", home=home)
        assert code == 0, error
        answer = graph.invoke(Command(resume=True), THREAD)
    assert (answer["messages"][-1].text, actions.names()) == ("Paid.", ["pay"])
    require_whole(home, actions, questions=1)


# plan and execute


class Plan(TypedDict):
    """The state of a plan."""

    steps: list[str]
    done: Annotated[list[str], operator.add]


def build_plan_and_execute(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def look_up(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    planner = model(actions, "rain; wind", name="planner-model")
    script = [call("look", ("look_up", {"q": "rain"}), id="x1"), "wet"]
    worker = create_agent(model(actions, *script, name="worker-model"), [look_up])

    def plan(_state: Plan) -> dict[str, Any]:
        return {"steps": planner.invoke([HumanMessage("plan")]).text.split("; ")}

    def execute(state: Plan) -> dict[str, Any]:
        step, *rest = state["steps"]
        answer = worker.invoke({"messages": [("user", step)]})["messages"][-1].text
        return {"steps": rest, "done": [answer]}

    graph = StateGraph(Plan).add_node("plan", plan).add_node("execute", execute)
    graph.add_edge(START, "plan").add_edge("plan", "execute")
    graph.add_conditional_edges("execute", lambda state: "execute" if state["steps"] else END)
    return halo.guard(graph.compile())  # halo


@MODES
def test_plan_and_execute_is_decided_step_by_step(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look_up: {impact: read, source_trust: 900}")
    with open_halo(home, mode) as halo:
        answer = build_plan_and_execute(halo, actions).invoke({"steps": [], "done": []})
    assert answer["done"] == ["wet", "wet"]
    require_whole(home, actions)
    assert count_decided(home, "inference")["inference", "worker-model"] == 4
    assert count_added_lines(build_plan_and_execute) == 1
