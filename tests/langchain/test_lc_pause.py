"""Challenges as LangGraph's interrupt: asked, answered by a person, resumed, run once. Invariants: BIND, ONCE."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, hook_config
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph._internal import _constants as names
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command, interrupt

from halo_core.enforcement.flow import make_withdrawal_call
from halo_core.manifest import DEFAULT_TERMS
from halo_core.model import Budget, EntryKind
from halo_langchain import Halo, Limits, Pending, Resource, _pause
from halo_langchain.testing import ScriptedModel, call
from halo_world import cli, python, verified

OPEN = '@id("t.base")\npermit (principal, action, resource);\n'
THREAD: Any = {"configurable": {"thread_id": "t1"}}
ASKED = Resource(impact="payment", targets=("to",), amount="amount", labels=("asked",))
PLAIN = Resource(impact="read")
ASK: Any = {"messages": [("user", "pay 500 to carol")]}
SCRIPT = [call("I pay.", ("pay", {"amount": 500, "to": "carol"}), id="m1")]


class Desk:
    """An agent that pays, with what it did."""

    def __init__(self, world, script=None, *, more=(), middleware=(), checkpointer=True, resource=ASKED):
        self.world, self.paid, self.looked = world, [], []
        self.saver = InMemorySaver() if checkpointer else None

        def pay(amount: int, to: str) -> str:
            """Pay."""
            self.paid.append((amount, to))
            return f"paid {amount} to {to}"

        def look(at: str) -> str:
            """Look something up."""
            self.looked.append(at)
            return f"nothing new at {at}"

        halo = world.halo
        self.tools = [halo.guard(pay, resource=resource), halo.guard(look, resource=PLAIN), *more]
        self.agent = create_agent(
            ScriptedModel(script=script or SCRIPT),
            tools=self.tools,
            middleware=[*middleware, halo.middleware()],
            checkpointer=self.saver,
        )
        assert cli("approver", "enrol", "bo@bank", home=world.home / "halo")[0] == 0

    def call(self) -> Any:
        """The payment of the script, as the tool makes it."""
        resource = self.world.halo.find_registered("pay")
        return self.world.halo.build_call(resource, {"amount": 500, "to": "carol"}, call_id="m1-call-0")

    def answer(self, pending: str, verb: str = "approve") -> None:
        more = ("--why", "no") if verb == "deny" else ()
        code, out, err = cli("approvals", verb, pending, "--as", "bo@bank", *more, home=self.world.home / "halo")
        assert code == 0, (out, err)


def approve(world: Any, pending: str) -> None:
    home = world.home / "halo"
    assert cli("approver", "enrol", "bo@bank", home=home)[0] == 0
    assert cli("approvals", "approve", pending, "--as", "bo@bank", home=home)[0] == 0


def asked(result: Any) -> list[dict[str, Any]]:
    return [item.value for item in result.get("__interrupt__", ())]


def said(result: Any) -> list[str]:
    return [str(m.content) for m in result["messages"] if isinstance(m, ToolMessage)]


def test_a_challenge_pauses_and_runs_once_after_the_answer(world):
    desk = Desk(world)
    result = desk.agent.invoke(ASK, THREAD)
    (question,) = asked(result)
    assert (desk.paid, question["type"], question["resource"]) == ([], "halo_challenge", "pay")
    assert question["agent"] == "desk"
    assert question["answer_with"] == f"halo approvals approve {question['pending_id']} --as NAME"
    desk.answer(question["pending_id"])
    result = desk.agent.invoke(Command(resume=True), THREAD)
    assert (desk.paid, said(result), asked(result)) == ([(500, "carol")], ["paid 500 to carol"], [])
    assert world.effects("pay") == ["challenge", "monitor"]
    assert verified(world.home / "halo") == 0


async def test_asynchronously_too(world):
    desk = await asyncio.to_thread(Desk, world)
    result = await desk.agent.ainvoke(ASK, THREAD)
    (question,) = asked(result)
    await asyncio.to_thread(desk.answer, question["pending_id"])
    result = await desk.agent.ainvoke(Command(resume="ok"), THREAD)
    assert (desk.paid, said(result)) == ([(500, "carol")], ["paid 500 to carol"])


def test_streams_show_the_pause(world):
    desk = Desk(world)
    chunks = list(desk.agent.stream(ASK, THREAD))
    (question,) = asked(chunks[-1])
    assert (desk.paid, question["resource"]) == ([], "pay")


def test_the_question_carries_no_arguments(world):
    desk = Desk(world)
    text = json.dumps(asked(desk.agent.invoke(ASK, THREAD)))
    assert "carol" not in text
    assert not re.search(r"\b500\b", text)  # a random id may hold these digits


def test_resuming_before_the_answer_asks_again(world):
    desk = Desk(world)
    (first,) = asked(desk.agent.invoke(ASK, THREAD))
    for value in (True, "approve", {"type": "approve"}, {"decisions": [{"type": "approve"}]}):
        (again,) = asked(desk.agent.invoke(Command(resume=value), THREAD))
        assert again["pending_id"] == first["pending_id"]
    assert desk.paid == []
    desk.answer(first["pending_id"])
    desk.agent.invoke(Command(resume=True), THREAD)
    assert desk.paid == [(500, "carol")]


def test_a_signed_no_is_a_denial_that_the_model_reads(world):
    desk = Desk(world)
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"], "deny")
    result = desk.agent.invoke(Command(resume=True), THREAD)
    assert desk.paid == []
    assert "an approver denied this exact call" in said(result)[0]


@pytest.mark.parametrize("value", ["reject", {"type": "reject"}, {"decisions": [{"type": "reject"}]}])
def test_whoever_resumes_may_say_no_and_it_is_recorded(world, value):
    desk = Desk(world)
    asked(desk.agent.invoke(ASK, THREAD))
    result = desk.agent.invoke(Command(resume=value), THREAD)
    assert (desk.paid, world.effects("pay")) == ([], ["challenge", "challenge", "deny"])
    assert world.reasons("pay")[-1] == ["challenge_withdrawn"]
    assert "resumed with a no" in said(result)[0]


class JumpBack(AgentMiddleware):
    """Sends the run back to the tools after a denial, as other people's middleware may."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state, runtime):
        if self.jumped == 1:
            asking = next(m for m in state["messages"] if isinstance(m, AIMessage) and m.tool_calls)
            self.jumped = 2
            return {"messages": [asking.model_copy(update={"id": "again"})], "jump_to": "tools"}
        self.jumped += 1
        return None


def test_a_rejected_call_that_is_driven_again_stays_blocked(world):
    """LangChain issue 40491: a rejected tool still ran when other middleware jumped back to the tools."""
    jump = JumpBack()
    desk = Desk(world, middleware=[jump])
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"], "deny")
    desk.agent.invoke(Command(resume=True), THREAD)
    assert jump.jumped >= 2
    assert desk.paid == []


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_no_said_in_somebody_elses_middleware_holds_when_the_call_is_driven_again(world, asynchronous):
    """LangChain issue 40491 itself: rejected in its own middleware, sent back to the tools by another one."""
    jump = JumpBack()
    people = HumanInTheLoopMiddleware(interrupt_on={"pay": True})
    desk = await asyncio.to_thread(Desk, world, middleware=[jump, people], resource=PLAIN)
    no = Command(resume={"decisions": [{"type": "reject", "message": "no"}]})
    for given in (ASK, no):
        if asynchronous:
            await desk.agent.ainvoke(given, THREAD)
        else:
            await asyncio.to_thread(desk.agent.invoke, given, THREAD)
    assert jump.jumped >= 2
    assert desk.paid == []
    assert await asyncio.to_thread(world.reasons, "pay") == [["rejected_before"]]


def test_edited_arguments_ask_again(world):
    desk = Desk(world)
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    state = desk.agent.get_state(THREAD)
    message = state.values["messages"][-1]
    edited = message.model_copy(
        update={"tool_calls": [{**message.tool_calls[0], "args": {"amount": 900, "to": "carol"}}]}
    )
    config = desk.agent.update_state(THREAD, {"messages": [edited]}, as_node="model")
    (again,) = asked(desk.agent.invoke(None, config))
    assert again["pending_id"] != question["pending_id"]
    assert desk.paid == []


def test_siblings_of_a_paused_call_do_not_run_twice(world):
    script = [call("Both.", ("look", {"at": "a"}), ("pay", {"amount": 500, "to": "carol"}), id="m1")]
    desk = Desk(world, script)
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    result = desk.agent.invoke(Command(resume=True), THREAD)
    assert (desk.paid, desk.looked) == ([(500, "carol")], ["a"])
    assert sorted(said(result)) == ["nothing new at a", "paid 500 to carol"]


def test_two_challenges_of_one_message_are_answered_apart(world):
    script = [call("Both.", ("pay", {"amount": 1, "to": "a"}), ("pay", {"amount": 2, "to": "b"}), id="m1")]
    desk = Desk(world, script)
    result = desk.agent.invoke(ASK, THREAD)
    first, second = result["__interrupt__"]
    desk.answer(first.value["pending_id"])
    result = desk.agent.invoke(Command(resume={first.id: True, second.id: True}), THREAD)
    assert len(desk.paid) == 1
    (left,) = asked(result)
    desk.answer(left["pending_id"])
    desk.agent.invoke(Command(resume=True), THREAD)
    assert sorted(desk.paid) == [(1, "a"), (2, "b")]


def plain_graph(tools, message, saver):
    """A graph of one's own with LangGraph's ToolNode, which runs all of a message's calls in one task."""
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda _: {"messages": [message]})
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    builder.add_edge("tools", END)
    return builder.compile(checkpointer=saver)


def test_a_plain_tool_node_that_runs_again_gives_its_siblings_results_from_the_record(world):
    desk = Desk(world)
    message = call("Both.", ("look", {"at": "a"}), ("pay", {"amount": 500, "to": "carol"}), id="m1")
    graph = plain_graph(desk.tools, message, InMemorySaver())
    (question,) = asked(graph.invoke(ASK, THREAD))
    assert desk.looked == ["a"]
    desk.answer(question["pending_id"])
    result = graph.invoke(Command(resume=True), THREAD)
    assert (desk.paid, desk.looked) == ([(500, "carol")], ["a"])
    assert said(result) == ["nothing new at a", "paid 500 to carol"]


def test_a_question_of_the_tools_own_gets_its_own_answer(world):
    ran = []

    def close(account: str) -> str:
        """Close an account."""
        ran.append(("asked", account))
        answer = interrupt(f"really close {account}?")
        ran.append(("told", answer))
        return f"closed: {answer}"

    script = [call("Close it.", ("close", {"account": "A1"}), id="m1")]
    closing = world.halo.guard(close, resource=Resource(impact="delete", labels=("asked",)))
    desk = Desk(world, script, more=[closing])
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    assert (question["resource"], ran) == ("close", [])
    desk.answer(question["pending_id"])
    (own,) = asked(desk.agent.invoke(Command(resume="look again"), THREAD))
    assert (own, ran) == ("really close A1?", [("asked", "A1")])
    result = desk.agent.invoke(Command(resume="yes"), THREAD)
    assert ran[-1] == ("told", "yes")
    assert said(result) == ["closed: yes"]
    assert verified(world.home / "halo") == 0


def test_a_tool_that_pauses_by_itself_goes_on_once(world):
    ran = []

    def ask_user(what: str) -> str:
        """Ask the user."""
        answer = interrupt(what)
        ran.append(answer)
        return f"the user said {answer}"

    script = [call("I ask.", ("ask_user", {"what": "which one?"}), id="m1")]
    desk = Desk(world, script, more=[world.halo.guard(ask_user, resource=PLAIN)])
    assert asked(desk.agent.invoke(ASK, THREAD)) == ["which one?"]
    result = desk.agent.invoke(Command(resume="the red one"), THREAD)
    assert (ran, said(result)) == (["the red one"], ["the user said the red one"])
    assert [status for status in world.outcomes() if status == "paused"] == ["paused"]


def test_without_a_checkpointer_the_model_is_told(world):
    desk = Desk(world, checkpointer=False)
    result = desk.agent.invoke(ASK)
    assert (desk.paid, asked(result)) == ([], [])
    assert said(result)[0].startswith("pending ")


def test_outside_of_a_graph_it_is_raised(world):
    desk = Desk(world)
    with world.halo.session("s1"), pytest.raises(world.halo.Pending):
        desk.tools[0].invoke({"amount": 1, "to": "a"})


def test_observe_mode_never_pauses(make_world):
    desk = Desk(make_world("observe"))
    result = desk.agent.invoke(ASK, THREAD)
    assert (desk.paid, asked(result)) == ([(500, "carol")], [])


def test_an_injected_state_does_not_change_what_was_approved(world):
    seen = []

    def pay2(amount: int, state: Annotated[dict, InjectedState]) -> str:
        """Pay."""
        seen.append((amount, len(state["messages"])))
        return "paid"

    script = [call("I pay.", ("pay2", {"amount": 7}), id="m1")]
    desk = Desk(
        world,
        script,
        more=[world.halo.guard(pay2, resource=Resource(impact="payment", amount="amount", labels=("asked",)))],
    )
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    desk.agent.invoke(Command(resume=True), THREAD)
    assert seen == [(7, 2)]


def test_the_names_of_langgraphs_notes_are_those_of_the_installed_version():
    assert _pause._SCRATCHPAD_KEY == names.CONFIG_KEY_SCRATCHPAD
    assert _pause._CHECKPOINTER_KEY == names.CONFIG_KEY_CHECKPOINTER
    assert (_pause._SEND_KEY, _pause._RESUME_CHANNEL) == (names.CONFIG_KEY_SEND, names.RESUME)


# an answer to Halo's question is no answer to the action's own


def confirming(desk_world, ran, *, name="transfer", labels=("asked",)):
    """A guarded tool that asks a person itself before it acts."""

    def transfer(amount: int, to: str) -> str:
        """Transfer."""
        ran.append(("asked", amount))
        answer = interrupt(f"really transfer {amount} to {to}?")
        ran.append(("told", answer))
        return f"transferred, {answer}"

    tool = StructuredTool.from_function(transfer, name=name)
    resource = Resource(impact="payment", targets=("to",), amount="amount", labels=labels)
    return desk_world.halo.guard(tool, resource=resource)


TRANSFER = [call("I pay.", ("transfer", {"amount": 500, "to": "carol"}), id="m1")]


@pytest.mark.parametrize("change", ["lifted", "observe"])
def test_a_pause_that_needs_no_answer_any_more_answers_nothing_else(make_world, change):
    ran: list[Any] = []
    world = make_world()
    desk = Desk(world, TRANSFER, more=[confirming(world, ran)])
    asked(desk.agent.invoke(ASK, THREAD))
    world.halo.close()
    if change == "lifted":
        (world.home / "rules" / "t.cedar").write_text(OPEN)
    mode = "observe" if change == "observe" else "enforce"
    world.halo = Halo.local("desk", home=world.home / "halo", mode=mode, policy=world.home / "rules", quiet=True)
    again = Desk(world, TRANSFER, more=[confirming(world, ran)])
    again.agent.checkpointer = desk.saver
    assert asked(again.agent.invoke(Command(resume=True), THREAD)) == ["really transfer 500 to carol?"]
    assert ran == [("asked", 500)]
    assert said(again.agent.invoke(Command(resume="yes"), THREAD)) == ["transferred, yes"]


def test_nor_does_a_session_that_was_re_authorized(make_world):
    ran: list[Any] = []
    steps = replace(DEFAULT_TERMS, budgets=(Budget("risk", 1_000_000, 1_000_000), Budget("step", 1, 1)))
    world = make_world(policy=OPEN, limits=Limits(steps))
    desk = Desk(world, TRANSFER, more=[confirming(world, ran)])
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    assert question["reason"] == "budget_exceeded"
    desk.answer(question["pending_id"])
    assert asked(desk.agent.invoke(Command(resume=True), THREAD)) == ["really transfer 500 to carol?"]
    assert ran == [("asked", 500)]


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_nor_does_the_entry_of_an_agent(make_world, asynchronous, lost):
    ran: list[Any] = []
    ask = '@id("t.asked")\n@effect("challenge")\nforbid (principal, action == Action::"worker", resource);\n'
    world = await asyncio.to_thread(make_world, policy=OPEN + ask)

    def worker(_: Any) -> Any:
        ran.append(interrupt("really?"))
        return {"messages": [AIMessage("sent")]}

    builder = StateGraph(MessagesState)
    builder.add_node("worker", worker)
    builder.add_edge(START, "worker")
    builder.add_edge("worker", END)
    graph = world.halo.guard(builder.compile(checkpointer=InMemorySaver()), agents=["worker"])

    async def go(given: Any) -> Any:
        if asynchronous:
            return await graph.ainvoke(given, THREAD)
        return await asyncio.to_thread(graph.invoke, given, THREAD)

    (question,) = asked(await go(ASK))
    await asyncio.to_thread(approve, world, question["pending_id"])
    if lost:
        await asyncio.to_thread(graph.update_state, THREAD, {})
    assert asked(await go(Command(resume=True))) == ["really?"]
    assert ran == []
    (question,) = asked(await go(Command(resume="yes")))  # to enter it again is another entry
    await asyncio.to_thread(approve, world, question["pending_id"])
    await go(Command(resume=True))
    assert ran == ["yes"]  # and what was answered meanwhile is not lost


@pytest.mark.parametrize("time", range(5))
def test_nor_does_a_call_beside_it_in_the_same_tool_node(world, time):
    ran: list[Any] = []
    wipe = confirming(world, ran, name="wipe", labels=())
    desk = Desk(world)
    message = call("Both.", ("pay", {"amount": 5, "to": "a"}), ("wipe", {"amount": 1, "to": "b"}), id="m1")
    graph = plain_graph([*desk.tools, wipe], message, InMemorySaver())
    (question,) = asked(graph.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    assert asked(graph.invoke(Command(resume=True), THREAD)) == ["really transfer 1 to b?"]
    assert ("told", True) not in ran
    assert desk.paid == [(5, "a")]


@pytest.mark.parametrize("shape", ["subgraph", "update"])
def test_nor_where_langgraph_has_lost_that_the_task_waited(world, shape):
    """A subgraph that keeps nothing, a state that was changed while a question waited: the ledger still knows."""
    ran: list[Any] = []
    desk = Desk(world, TRANSFER, more=[confirming(world, ran)])
    agent = desk.agent
    if shape == "subgraph":
        inner = create_agent(
            ScriptedModel(script=TRANSFER), tools=desk.tools, middleware=[world.halo.middleware()], checkpointer=False
        )
        builder = StateGraph(MessagesState)
        builder.add_node("agent", inner)
        builder.add_edge(START, "agent")
        agent = builder.compile(checkpointer=InMemorySaver())
    (question,) = asked(agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    if shape == "update":
        agent.update_state(THREAD, {})
    assert asked(agent.invoke(Command(resume=True), THREAD)) == ["really transfer 500 to carol?"]
    assert ran == [("asked", 500)]


@pytest.mark.parametrize("guarded", [True, False])
def test_nobody_beside_it_takes_the_mark_for_a_yes(world, guarded):
    """A person says no to what an app's own wrapper asks, or is not asked yet: nothing may read as a yes."""
    wiped: list[Any] = []
    heard: list[Any] = []

    def wipe(path: str) -> str:
        """Wipe."""
        wiped.append(path)
        return "wiped"

    def ask_first(request: Any, handler: Any) -> Any:
        if request.tool_call["name"] != "wipe":
            return handler(request)
        heard.append(interrupt("run wipe?"))
        return handler(request) if heard[-1] else ToolMessage("no", tool_call_id=request.tool_call["id"])

    desk = Desk(world)
    message = call("Both.", ("wipe", {"path": "/"}), ("pay", {"amount": 5, "to": "a"}), id="m1")
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda _: {"messages": [message]})
    tools = [*desk.tools, world.halo.guard(wipe, resource=PLAIN)]
    builder.add_node("tools", ToolNode(tools, wrap_tool_call=ask_first))
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph = world.halo.guard(graph) if guarded else graph
    result = graph.invoke(ASK, THREAD)
    for _ in range(4):
        questions = asked(result)
        if not questions:
            break
        if isinstance(questions[0], dict):
            desk.answer(questions[0]["pending_id"])
        result = graph.invoke(Command(resume="" if questions[0] == "run wipe?" else True), THREAD)
    assert heard
    assert not any(heard)
    assert wiped == []


def test_nobody_can_make_the_mark_of_another_home(make_world):
    one, other = make_world().halo, make_world().halo
    assert one.make_keyed_digest("asked") == one.make_keyed_digest("asked")
    assert one.make_keyed_digest("asked") not in (
        other.make_keyed_digest("asked"),
        one.make_keyed_digest("other"),
        "asked",
    )


# one answer, one request


def test_an_answer_that_a_paused_call_took_is_good_for_no_other(world):
    ran: list[Any] = []
    two = [call("Both.", *[("transfer", {"amount": 500, "to": "carol"})] * 2, id="m1")]
    desk = Desk(world, two, more=[confirming(world, ran)])
    result = desk.agent.invoke(ASK, THREAD)
    ids = [item.id for item in result["__interrupt__"]]
    assert len({item.value["pending_id"] for item in result["__interrupt__"]}) == 1  # one question, asked twice
    desk.answer(result["__interrupt__"][0].value["pending_id"])
    for _ in range(3):
        result = desk.agent.invoke(Command(resume=dict.fromkeys(ids, "ok")), THREAD)
        ids = [item.id for item in result.get("__interrupt__", ())]
    assert [what for what, _ in ran].count("told") == 1
    assert verified(world.home / "halo") == 0


def test_nor_for_the_same_call_in_a_later_turn(world):
    ran: list[Any] = []
    again = call("Again.", ("transfer", {"amount": 500, "to": "carol"}), id="m2")
    desk = Desk(world, [*TRANSFER, again], more=[confirming(world, ran)])
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    assert asked(desk.agent.invoke(Command(resume=True), THREAD)) == ["really transfer 500 to carol?"]
    given = {"messages": [ToolMessage("later", tool_call_id="m1-call-0"), ("user", "again")]}
    (other,) = asked(desk.agent.invoke(given, THREAD))
    assert other["pending_id"] != question["pending_id"]
    assert ran == [("asked", 500)]


def test_a_question_that_was_taken_back_cannot_be_answered(world):
    desk = Desk(world, [*SCRIPT, call("Again.", ("pay", {"amount": 500, "to": "carol"}), id="m2")])
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    result = desk.agent.invoke(Command(resume={"type": "reject"}), THREAD)
    (again,) = asked(result)  # the model asks once more, which is another question
    assert again["pending_id"] != question["pending_id"]
    home = world.home / "halo"
    assert cli("approvals", "approve", question["pending_id"], "--as", "bo@bank", home=home)[0] == 10
    assert (desk.paid, verified(home)) == ([], 0)


def test_an_answer_that_came_before_the_no_is_taken_back_with_the_question(world):
    desk = Desk(world, SCRIPT)
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    withdrawn = make_withdrawal_call(desk.call(), Pending("x", "x", pending_id=question["pending_id"]))
    desk.answer(question["pending_id"])
    with world.halo.session("thread:t1"), pytest.raises(world.halo.Denied):
        world.halo.enforcer.begin(replace(withdrawn, session="thread:t1"))
    (again,) = asked(desk.agent.invoke(Command(resume=True), THREAD))
    assert again["pending_id"] != question["pending_id"]
    assert desk.paid == []


WORKER = '''
import json, sys
from pathlib import Path
from langchain.agents import create_agent
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel, call

home, what = Path(sys.argv[1]), sys.argv[2]
halo = Halo.local("desk", home=home / "halo", mode="enforce", policy=home / "rules", quiet=True)

def pay(amount: int, to: str) -> str:
    """Pay."""
    with (home / "paid").open("a") as file:
        file.write(f"{amount} {to}\\n")
    return "paid"

tool = halo.guard(pay, resource=Resource(impact="payment", targets=("to",), amount="amount", labels=("asked",)))
script = [call("I pay.", ("pay", {"amount": 500, "to": "carol"}), id="m1")]
with SqliteSaver.from_conn_string(str(home / "graph.db")) as saver, halo:
    agent = create_agent(ScriptedModel(script=script), tools=[tool], middleware=[halo.middleware()], checkpointer=saver)
    given = {"messages": [("user", "pay 500 to carol")]} if what == "ask" else Command(resume=True)
    result = agent.invoke(given, {"configurable": {"thread_id": "t1"}})
    print(json.dumps([item.value["pending_id"] for item in result.get("__interrupt__", ())]))
'''


def work(home: Path, what: str) -> list[str]:
    env = {**os.environ, "HALO_HOME": str(home / "halo")}
    done = subprocess.run(python("-c", WORKER, str(home), what), capture_output=True, text=True, check=True, env=env)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.thorough
def test_asked_here_approved_there_and_run_in_a_third_process_once(world):
    """One process asks and ends, a command approves, the next one resumes, the last finds it done."""
    home = world.home
    world.halo.close()
    (pending,) = work(home, "ask")
    assert not (home / "paid").exists()
    assert work(home, "resume") == [pending]  # nobody has answered yet
    assert cli("approver", "enrol", "bo@bank", home=home / "halo")[0] == 0
    assert cli("approvals", "approve", pending, "--as", "bo@bank", home=home / "halo")[0] == 0
    assert work(home, "resume") == []
    assert work(home, "resume") == []
    assert (home / "paid").read_text() == "500 carol\n"
    assert verified(home / "halo") == 0


def test_every_pause_and_run_is_in_the_ledger(world):
    desk = Desk(world)
    (question,) = asked(desk.agent.invoke(ASK, THREAD))
    desk.answer(question["pending_id"])
    desk.agent.invoke(Command(resume=True), THREAD)
    assert len(world.entries(EntryKind.APPROVAL_REQUEST)) == 1
    assert len(world.entries(EntryKind.APPROVAL)) == 1
