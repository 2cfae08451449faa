"""What an application adds to agents after the guard: decided, or refused when enforced and named when observed.

Real applications build their agents in pieces: a plugin appends a tool, a configuration a hand-off, a hook a server.
Each piece is added in one of several places, at one of several moments, and what ran by its own counters is either in
the log as decided, or seen and refused by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    Handoff,
    RunContextWrapper,
    RunHooks,
    function_tool,
    handoff,
)
from counting import Actions, count_decided, declare, list_undecided
from oa_app_parts import make_agent, make_look, open_halo, run
from pydantic import BaseModel

from halo_openai_agents.testing import call

Add = Callable[[Agent[Any]], None]


class Ticket(BaseModel):
    """What a hand-off's callback takes."""

    number: int


def make_late_tool(actions: Actions) -> FunctionTool:
    @function_tool
    @actions.tool
    def late_tool(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    return late_tool


def make_late_agent(actions: Actions, name: str = "late") -> Agent[Any]:
    script = [call("looks", ("late_tool", {"q": "rain"}), id=f"{name}-1"), f"{name} is done"]
    return make_agent(actions, name, script, tools=[make_late_tool(actions)])


def a_tool(actions: Actions) -> tuple[Add, Any]:
    return lambda agent: agent.tools.append(make_late_tool(actions)), ("late_tool", {"q": "rain"})


def tools_in_a_new_list(actions: Actions) -> tuple[Add, Any]:
    def add(agent: Agent[Any]) -> None:
        agent.tools = [*agent.tools, make_late_tool(actions)]

    return add, ("late_tool", {"q": "rain"})


def an_agent_as_a_tool(actions: Actions) -> tuple[Add, Any]:
    tool = make_late_agent(actions).as_tool("ask_late", "Ask.")
    return lambda agent: agent.tools.append(tool), ("ask_late", {"input": "rain"})


def an_agent_to_hand_to(actions: Actions) -> tuple[Add, Any]:
    return lambda agent: agent.handoffs.append(make_late_agent(actions)), ("transfer_to_late", {})


def agents_in_a_new_list(actions: Actions) -> tuple[Add, Any]:
    late = make_late_agent(actions)  # the SDK holds it weakly

    def add(agent: Agent[Any]) -> None:
        agent.handoffs = [*agent.handoffs, late]

    return add, ("transfer_to_late", {})


def a_hand_off(actions: Actions) -> tuple[Add, Any]:
    late = make_late_agent(actions)
    return lambda agent: agent.handoffs.append(handoff(late)), ("transfer_to_late", {})


def a_hand_off_with_a_callback(actions: Actions) -> tuple[Add, Any]:
    def on_handoff(_context: RunContextWrapper[Any], ticket: Ticket) -> None:
        actions.note("tool_call", "transfer_to_late")

    late = make_late_agent(actions)
    added = handoff(late, on_handoff=on_handoff, input_type=Ticket)
    return lambda agent: agent.handoffs.append(added), ("transfer_to_late", {"number": 1})


def a_hand_off_that_makes_its_agent(actions: Actions) -> tuple[Add, Any]:
    async def make(*_args: Any) -> Agent[Any]:
        return make_late_agent(actions)

    added = Handoff(
        tool_name="over", tool_description="Hand over.", input_json_schema={}, on_invoke_handoff=make, agent_name="late"
    )
    return lambda agent: agent.handoffs.append(added), ("over", {})


ADDITIONS = [
    a_tool,
    tools_in_a_new_list,
    an_agent_as_a_tool,
    an_agent_to_hand_to,
    agents_in_a_new_list,
    a_hand_off,
    a_hand_off_with_a_callback,
    a_hand_off_that_makes_its_agent,
]

# where it is added, and when


def to_the_agent(actions: Actions, add: Add, calls: Any) -> tuple[Agent[Any], Callable[[Agent[Any]], None], Any]:
    return make_agent(actions, "first", [calls, "done"], is_named=False), add, None


def to_one_that_is_handed_to(actions: Actions, add: Add, calls: Any) -> Any:
    second = make_agent(actions, "second", [calls, "done"])
    script = [call("over", ("transfer_to_second", {}), id="f1")]
    first = make_agent(actions, "first", script, handoffs=[second])
    return first, lambda guarded: add(guarded.handoffs[0]._agent_ref()), None


def to_one_that_is_a_tool(actions: Actions, add: Add, calls: Any) -> Any:
    second = make_agent(actions, "second", [calls, "done"])
    script = [call("ask", ("ask_second", {"input": "rain"}), id="f1"), "done"]
    actions.note("tool_call", "ask_second")
    first = make_agent(actions, "first", script, is_named=False, tools=[second.as_tool("ask_second", "Ask.")])
    return first, lambda guarded: add(guarded.tools[0]._agent_instance), None


def in_instructions(actions: Actions, add: Add, calls: Any) -> Any:
    added: list[Any] = []

    def instruct(_context: Any, agent: Agent[Any]) -> str:
        if not added:
            added.append(add(agent))
        return "Be brief."

    script = [call("wait", ("look", {"q": "x"}), id="w1"), calls, "done"]
    first = make_agent(actions, "first", script, is_named=False, instructions=instruct, tools=[make_look(actions)])
    return first, lambda _guarded: None, None


def in_a_hook(actions: Actions, add: Add, calls: Any) -> Any:
    class Adding(RunHooks[Any]):
        async def on_agent_start(self, _context: Any, agent: Any) -> None:
            if agent.name == "first":
                add(agent)

    return make_agent(actions, "first", [calls, "done"], is_named=False), lambda _guarded: None, Adding()


def in_a_tool(actions: Actions, add: Add, calls: Any) -> Any:
    held: list[Any] = []

    @function_tool
    def look(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look")
        add(held[0])
        return q

    script = [call("wait", ("look", {"q": "x"}), id="w1"), calls, "done"]
    return make_agent(actions, "first", script, is_named=False, tools=[look]), held.append, None


PLACES = [to_the_agent, to_one_that_is_handed_to, to_one_that_is_a_tool, in_instructions, in_a_hook, in_a_tool]
READS = ("look", "ask_second")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("place", PLACES, ids=lambda item: item.__name__)
@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda item: item.__name__)
async def test_what_is_added_later_is_decided(tmp_path, addition, place, streamed, with_options, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900}}" for name in READS))
    with open_halo(home, mode) as halo:
        add, call_made = addition(actions)
        agent, change, hooks = place(actions, add, call("go", call_made, id="go-1"))
        guarded = halo.guard(agent)
        change(guarded)
        options = halo.run_options(hooks=hooks) if with_options else {"hooks": hooks}
        await run(guarded, "go", streamed=streamed, **options)
    assert actions.count("inference", "tool_call") - count_decided(home, "inference", "tool_call") == {}
    begun = Counter({action: number for action, number in actions.count("handoff").items() if action[1] == "late"})
    assert begun - count_decided(home, "handoff") == {}
    if mode == "observe":
        assert actions.names("tool_call").count("late_tool") == 1
        assert list_undecided(home) == []
    else:
        assert "late_tool" not in actions.names()
        assert "late" not in actions.names("handoff")


async def test_an_agent_that_is_added_later_leads_back_to_the_guarded_one(tmp_path):
    home, actions = tmp_path / "home", Actions()
    script = [call("go", ("transfer_to_late", {}), id="go-1"), "done"]
    first = make_agent(actions, "first", script, is_named=False)
    with open_halo(home, "observe") as halo:
        guarded = halo.guard(first, agent="first")
        late = make_agent(actions, "late", [call("back", ("transfer_to_first", {}), id="l-1")], handoffs=[first])
        guarded.handoffs.append(late)
        result = await run(guarded, "go", **halo.run_options())
    assert result.last_agent is guarded
    assert (actions.count("inference"), list_undecided(home)) == (count_decided(home, "inference"), [])
