"""Who acts in a guarded workflow, whatever a tool keeps, puts back, or starts beside it; what runs once."""

import asyncio
import concurrent.futures
import json
import time
from typing import Any

import pytest
from li_functions import EVENTS, keep, put, put_and_send
from li_world import CARD, Member, hands, run, told, trusted, until_idle
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCall
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.workflow import Context, HumanResponseEvent, StartEvent, StopEvent, Workflow, step
from pydantic import BaseModel
from workflows.errors import WorkflowTimeoutError

from halo_core.model import Constraint, ConstraintKind, EntryKind
from halo_llamaindex import Denied, HandOff
from halo_llamaindex.testing import ScriptedLLM, call
from halo_world import cli

ANY = Constraint(ConstraintKind.WILDCARD)
NO_BOB = """
@id("t.base") permit (principal, action, resource);
@id("t.no-bob") forbid (principal, action == Action::"bob", resource);
"""


def chains(world: Any, name: str) -> list[list[str]]:
    return [e.body["request"]["subject"]["chain"] for e in world.decisions(name)]


def approve(world: Any, pending_id: str) -> None:
    cli("approver", "enrol", "mia@bank", home=world.home)
    assert cli("approvals", "approve", pending_id, "--as", "mia@bank", home=world.home)[0] == 0


async def answered(world: Any, workflow: Any, **kwargs: Any) -> Any:
    """Run a workflow, approve the first thing that it waits for, and let it end."""
    handler = workflow.run(ctx=Context(workflow), **kwargs)
    asked = await until_idle(handler)
    await asyncio.to_thread(approve, world, asked[0].pending_id)
    handler.ctx.send_event(HumanResponseEvent(pending_id=asked[0].pending_id, response="look again"))
    return await handler, handler


# a workflow of the app's own, as an agent


class State(BaseModel):
    n: int = 0


def flow(tool: Any) -> Workflow:
    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str((await tool.acall(to="eve")).content))

    return Flow()


def typed(tool: Any) -> Workflow:
    class Flow(Workflow):
        @step
        async def go(self, ctx: Context[State], ev: StartEvent) -> StopEvent:
            return StopEvent(result=str((await tool.acall(to="eve")).content))

    return Flow()


def pay(to: str) -> str:
    """Pay."""
    return f"paid {to}"


@pytest.mark.parametrize("made", [flow, typed])
def test_an_apps_own_workflow_is_entered_as_the_agent_that_it_is(world, made):
    tool = world.halo.guard(pay, resource=trusted())
    assert run(world.halo.guard(made(tool), agent="bob")) == "paid eve"
    assert world.kinds() == [("bob", "allow"), ("pay", "allow")]
    assert chains(world, "pay") == [["desk", "bob"]]
    assert len(world.entries(EntryKind.HANDBACK)) == 1


def test_an_apps_own_workflow_does_not_run_where_its_agent_may_not_be_entered(make_world):
    world = make_world(policy=NO_BOB)
    tool = world.halo.guard(pay, resource=trusted())
    with pytest.raises(Denied):
        run(world.halo.guard(flow(tool), agent="bob"))
    assert world.kinds() == [("bob", "deny")]


def test_an_apps_own_workflow_acts_with_no_more_than_it_is_given(world):
    tool = world.halo.guard(pay, resource=trusted())
    little = HandOff(grants={"tool_call": {"pay": {"to": Constraint(ConstraintKind.EXACT, ("ana",))}}})
    with pytest.raises(Denied):
        run(world.halo.guard(flow(tool), agent="bob", give={"bob": little}))
    assert world.effects("pay") == ["deny"]


# threads of their own


def test_an_agent_that_a_tool_runs_in_a_raw_thread_acts_for_nobody(world):
    paying = world.halo.guard(pay, resource=trusted())
    script = [call("p", ("pay", {"to": "eve"}), id="x1")]
    helper = world.halo.guard(FunctionAgent(tools=[paying], llm=ScriptedLLM(script=script)))

    def ask_helper(q: str) -> str:
        """Ask, the usual way around a running loop."""

        async def go() -> str:
            return str(await helper.run(user_msg=q))

        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            return threads.submit(lambda: asyncio.run(go())).result()

    asking = world.halo.guard(ask_helper, resource=trusted())
    script = {"alice": [hands("bob")], "bob": [call("r", ("ask_helper", {"q": "pay"}), id="r1")]}
    run(team(world, script, {"bob": [asking]}))
    assert world.effects("pay") == []
    assert ["session_missing"] in world.reasons("scripted")


def team(world: Any, said: Any, tools: Any, give: Any = None, **kwargs: Any) -> Any:
    members = [
        FunctionAgent(name=name, description=name, tools=tools.get(name, []), llm=Member(script=script, speaker=name))
        for name, script in said.items()
    ]
    return world.halo.guard(AgentWorkflow(agents=members, root_agent="alice", **kwargs), give=give)


# what a tool puts back


def test_who_acted_before_does_not_act_again_when_a_tool_puts_it_back(world):
    keeping, putting, paying = world.halo.guard([keep, put, pay], resource=trusted())
    told_of = {"put": {"key": ANY, "frm": ANY}, "keep": {"key": ANY, "to": ANY}}
    give = {"bob": HandOff(grants={"tool_call": told_of, "inference": {"scripted": {"messages": ANY, "tools": ANY}}})}
    back = ("put", {"key": "halo_acts", "frm": "saved"})
    said = {
        "alice": [call("k", ("keep", {"key": "halo_acts", "to": "saved"}), id="k1"), hands("bob"), "done"],
        "bob": [call("x", *[back] * 4, ("pay", {"to": "eve"}), id="m1"), call("y", ("pay", {"to": "eve"}), id="m2")],
    }
    every = [keeping, putting, paying]
    with pytest.raises(Denied) as denied:
        run(team(world, said, {"alice": every, "bob": every}, give))
    assert denied.value.reason == "handed_back"
    assert "allow" not in world.effects("pay")


def test_nor_while_the_tool_that_put_it_back_is_still_at_work(world):
    """It can have another step begin before its own has ended."""
    EVENTS["pay"] = lambda: ToolCall(tool_name="pay", tool_kwargs={"to": "eve"}, tool_id="p1")
    keeping, putting, paying = world.halo.guard([keep, put_and_send, pay], resource=trusted())
    tools = {"put_and_send": {"key": ANY, "frm": ANY, "event": ANY}}
    give = {"bob": HandOff(grants={"tool_call": tools, "inference": {"scripted": {"messages": ANY, "tools": ANY}}})}
    back = call("x", ("put_and_send", {"key": "halo_acts", "frm": "saved", "event": "pay"}), id="m1")
    said = {
        "alice": [call("k", ("keep", {"key": "halo_acts", "to": "saved"}), id="k1"), hands("bob"), "done"],
        "bob": [back],
    }
    with pytest.raises(Denied) as denied:
        run(team(world, said, {"alice": [keeping, paying], "bob": [putting, paying]}, give))
    assert denied.value.reason == "handed_back"
    assert world.effects("pay") == []


def test_another_runs_session_does_not_become_this_ones(world):
    """A tool writes what it read in another run: the word beside the id is the right one."""
    keeping, putting = world.halo.guard([keep, put], resource=trusted())
    script = [call("k", ("put", {"key": "halo_session", "frm": "other"}), id="k1"), "on"]
    agent = world.halo.guard(FunctionAgent(tools=[keeping, putting], llm=ScriptedLLM(script=script)))
    first = world.halo.guard(FunctionAgent(llm=ScriptedLLM(script=["one"])))

    async def both() -> None:
        handler = first.run(user_msg="a", ctx=Context(first))
        await handler
        ctx = Context(agent)
        await ctx.store.set("other", await handler.ctx.store.get("halo_session"))
        await agent.run(user_msg="b", ctx=ctx)

    with pytest.raises(Denied) as denied:
        asyncio.run(both())
    assert denied.value.reason == "session_missing"


# what runs once


def test_what_a_step_did_before_it_waited_is_not_done_again(world):
    paid: list[Any] = []

    def pay(to: str, amount: int) -> str:
        """Pay."""
        paid.append((to, amount))
        return "paid"

    small, big = world.halo.guard(pay, resource=trusted(id="small")), world.halo.guard(pay, resource=trusted("asked"))

    class Flow(Workflow):
        @step
        async def go(self, ev: StartEvent) -> StopEvent:
            await small.acall(to="bo", amount=5)
            await asyncio.gather(small.acall(to="bo", amount=5), small.acall(to="al", amount=6))
            await big.acall(to="bo", amount=900)
            return StopEvent(result="x")

    asyncio.run(answered(world, world.halo.guard(Flow())))
    assert sorted(paid, key=str) == [("al", 6), ("bo", 5), ("bo", 5), ("bo", 900)]


def test_what_a_tools_body_did_before_it_waited_is_not_done_again(world):
    paid: list[Any] = []

    def pay(to: str, amount: int) -> str:
        """Pay."""
        paid.append((to, amount))
        return "paid"

    small, big = world.halo.guard(pay, resource=trusted(id="small")), world.halo.guard(pay, resource=trusted("asked"))

    async def settle(to: str) -> str:
        """Settle."""
        await small.acall(to=to, amount=5)
        await big.acall(to=to, amount=900)
        return "settled"

    script = [call("s", ("settle", {"to": "bo"}), id="m1"), "done"]
    agent = world.halo.guard(
        FunctionAgent(tools=[world.halo.guard(settle, resource=trusted())], llm=ScriptedLLM(script=script))
    )
    asyncio.run(answered(world, agent, user_msg="settle"))
    assert paid == [("bo", 5), ("bo", 900)]


def test_a_second_run_of_a_context_does_anew_what_the_first_did(world):
    paid: list[str] = []

    def pay(to: str) -> str:
        """Pay."""
        paid.append(to)
        return "paid"

    tool = world.halo.guard(pay, resource=trusted())
    made = world.halo.guard(flow(tool))

    async def twice() -> None:
        ctx = Context(made)
        await made.run(ctx=ctx)
        await made.run(ctx=ctx)

    asyncio.run(twice())
    assert paid == ["eve", "eve"]


def test_a_step_that_failed_and_is_tried_again_calls_its_tools_again(world):
    from workflows.retry_policy import ConstantDelayRetryPolicy

    tried: list[str] = []

    def pay(to: str) -> str:
        """Pay."""
        tried.append(to)
        if len(tried) == 1:
            raise ConnectionError("not now")
        return "paid"

    tool = world.halo.guard(pay, resource=trusted())

    class Flow(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(delay=0.01, maximum_attempts=3))
        async def go(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str((await tool.acall(to="bo")).content))

    made = world.halo.guard(Flow())

    async def go() -> Any:
        return await made.run(ctx=Context(made))

    assert asyncio.run(go()) == "paid"
    assert tried == ["bo", "bo"]


def test_two_calls_alike_under_one_id_both_run(world):
    """Some providers give a call its tool's name as its id."""
    rolled: list[int] = []

    def roll() -> str:
        """Roll a die."""
        rolled.append(1)
        return f"rolled {len(rolled)}"

    rolling = [ToolCallBlock(tool_call_id="roll", tool_name="roll", tool_kwargs={})] * 2
    said = ChatMessage(role="assistant", blocks=[TextBlock(text="a"), *rolling])
    tool = world.halo.guard(roll, resource=trusted())
    texts, _ = told(world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=[said]))))
    assert sorted(texts) == ["rolled 1", "rolled 2"]


# what is left behind


def test_a_run_that_waited_keeps_no_conversation_when_it_has_ended(world):
    paying = world.halo.guard(pay, resource=trusted("asked"))
    script = [call("p", ("pay", {"to": "bo"}), id="m1"), "ok"]
    agent = world.halo.guard(FunctionAgent(tools=[paying], llm=ScriptedLLM(script=script)))
    history = [ChatMessage(role="user", content=f"earlier: my card is {CARD}")]
    _, handler = asyncio.run(answered(world, agent, user_msg="pay", chat_history=history))
    kept = handler.ctx.to_dict()["state"]["state_data"]["_data"]
    assert kept["halo_chat"] in (None, "null")
    assert CARD not in json.dumps(kept["halo_chat"])


def test_a_team_that_times_out_hands_back_what_it_handed_on(world):
    async def slow(q: str) -> str:
        """Slow."""
        await asyncio.sleep(9)
        return q

    tool = world.halo.guard(slow, resource=trusted())
    said = {"alice": [hands("bob")], "bob": [call("r", ("slow", {"q": "x"}), id="r1")]}
    with pytest.raises(WorkflowTimeoutError):
        run(team(world, said, {"bob": [tool]}, timeout=2.0))
    for _ in range(600):  # it is written beside, soon after
        if world.entries(EntryKind.HANDBACK):
            break
        time.sleep(0.05)
    assert len(world.entries(EntryKind.HANDBACK)) == 1


# one run in another


def test_an_agent_in_a_tools_body_is_offered_its_own_tools_alone(world):
    class Seeing(ScriptedLLM):
        saw: Any = None

        def _prepare_chat_with_tools(self, tools: Any, *args: Any, **kwargs: Any) -> Any:
            self.saw.append([tool.metadata.name for tool in tools])
            return super()._prepare_chat_with_tools(tools, *args, **kwargs)

    saw: list[list[str]] = []
    paying = world.halo.guard(pay, resource=trusted())
    inner = world.halo.guard(FunctionAgent(tools=[paying], llm=Seeing(script=["it says"], saw=saw)))

    async def ask_expert(q: str) -> str:
        """Ask the expert."""
        return str(await inner.run(user_msg=q))

    asking = world.halo.guard(ask_expert, resource=trusted())
    script = [call("c", ("ask_expert", {"q": "x"}), id="m1")]
    run(world.halo.guard(FunctionAgent(tools=[asking], llm=ScriptedLLM(script=script))))
    assert saw == [["pay"]]
