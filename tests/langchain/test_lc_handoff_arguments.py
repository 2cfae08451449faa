"""A tool that is tagged as a hand-off is an action with its arguments too, unless it takes a task alone."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import InjectedState

from halo_core.enforcement.delegation import register_agent_resource
from halo_langchain._tools import takes_more_than_task
from halo_langchain.testing import ScriptedModel, call

TAG = {"__handoff_destination": "bob"}
DENY_PAYING = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action in Action::"tool_call", resource) when { context.args.account == "EVIL" };
"""


def make_tools(ran: list[Any]) -> dict[str, Any]:
    @tool
    def pay_and_transfer(
        account: str,
        amount: float,
        state: Annotated[Any, InjectedState],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> Any:
        """Pay, and hand over to Bob."""
        ran.append((account, amount))
        return ToolMessage("handed over", tool_call_id=tool_call_id)

    @tool
    def transfer(task_description: str) -> str:
        """Hand over to Bob."""
        ran.append(task_description)
        return "handed over"

    made = {"pay": pay_and_transfer, "transfer": transfer}
    return {name: item.model_copy(update={"metadata": TAG}) for name, item in made.items()}


def run(world: Any, used: Any, name: str, args: dict[str, Any]) -> Any:
    script = [call("go", (name, args), id="m1")]
    built = create_agent(ScriptedModel(script=script), [used], middleware=[world.halo.middleware()])
    return built.invoke({"messages": [("user", "go")]})["messages"][-2]


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("account", ["EVIL", "ACC-1"])
def test_its_arguments_are_decided(make_world, guarded, account):
    world, ran = make_world(policy=DENY_PAYING), []
    register_agent_resource(world.halo, "bob")
    made = make_tools(ran)["pay"]
    used = world.halo.guard(made) if guarded else made
    message = run(world, used, "pay_and_transfer", {"account": account, "amount": 9.0})
    allowed = account == "ACC-1"
    assert ran == ([("ACC-1", 9.0)] if allowed else [])
    assert message.status == ("success" if allowed else "error")
    assert len(world.decisions("pay_and_transfer")) == 1
    assert len(world.decisions("bob")) == (1 if allowed else 0)


def test_a_task_alone_is_decided_with_the_hand_off(world):
    ran: list[Any] = []
    assert run(world, world.halo.guard(make_tools(ran)["transfer"]), "transfer", {"task_description": "x"}).text
    assert ran == ["x"]
    assert (len(world.decisions("bob")), world.decisions("transfer")) == (1, [])


def test_what_is_more_than_a_task():
    made = make_tools([])
    assert [takes_more_than_task(made[name]) for name in ("pay", "transfer")] == [True, False]


def test_a_question_about_its_arguments_comes_first(make_world):
    asks = """
    @id("p") permit(principal, action, resource);
    @id("a") @effect("challenge") @reason("large_amount")
    forbid(principal, action, resource == Tool::"pay_and_transfer");
    """
    world, ran = make_world(policy=asks), []
    built = create_agent(
        ScriptedModel(script=[call("go", ("pay_and_transfer", {"account": "A", "amount": 9.0}), id="m1")]),
        [world.halo.guard(make_tools(ran)["pay"])],
        middleware=[world.halo.middleware()],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "t"}}
    assert built.invoke({"messages": [("user", "go")]}, config)["__interrupt__"]
    assert (ran, world.effects("pay_and_transfer"), world.effects("bob")) == ([], ["challenge"], [])
