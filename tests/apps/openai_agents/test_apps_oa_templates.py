"""Shapes of applications of the OpenAI Agents SDK as its guides have them, compared with the same run ungoverned.

Each runs streamed or not, with or without `halo.run_options()`, as observed and enforced. What ran by its own counters
is what the log says was decided, it is what ran without Halo, and what comes out is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    Runner,
    SQLiteSession,
    StopAtTools,
    ToolOutputText,
    function_tool,
    handoff,
    output_guardrail,
    trace,
)
from agents.extensions.handoff_prompt import prompt_with_handoff_instructions
from counting import Actions, declare, list_refusals
from oa_app_parts import LOOKS, CountingModel, looks_once, make_agent, make_look, open_halo, require_whole, run
from pydantic import BaseModel

from halo_openai_agents.testing import call

Built = tuple[Agent[Any], dict[str, Any]]


async def say(agent: Agent[Any], given: Any) -> str:
    return str((await Runner.run(agent, given)).final_output)


def a_judge_in_a_loop(actions: Actions) -> Built:
    """A tool that has an outline written and judged until it is good."""

    @function_tool
    async def outline(q: str) -> str:
        """Write an outline."""
        actions.note("tool_call", "outline")
        writer = make_agent(actions, "writer", ["draft", "better"])
        judge = make_agent(actions, "judge", ["bad"])
        good = make_agent(actions, "good-judge", ["good"])
        first = await Runner.run(writer, q)
        await say(judge, str(first.final_output))
        second = await Runner.run(writer, [*first.to_input_list(), {"role": "user", "content": "again"}])
        return f"{second.final_output} {await say(good, str(second.final_output))}"

    return looks_once(actions, "outer", ("outline", {"q": "rain"}), is_named=False, tools=[outline]), {}


def translations_side_by_side_and_the_best(actions: Actions) -> Built:
    """Three runs at once of one agent, and one that picks."""

    @function_tool
    async def translate(q: str) -> str:
        """Translate."""
        actions.note("tool_call", "translate")
        translator = make_agent(actions, "translator", ["nass"])
        picker = make_agent(actions, "picker", ["nass"])
        with trace("translations"):
            found = await asyncio.gather(*(say(translator, q) for _ in range(3)))
            return await say(picker, "\n".join(found))

    return looks_once(actions, "outer", ("translate", {"q": "wet"}), is_named=False, tools=[translate]), {}


@dataclass
class Desk:
    """What tools share."""

    notes: list[str]


def tools_that_share_a_context(actions: Actions) -> Built:
    """Instructions and tools that read and write the context of the run."""

    @function_tool
    def note_down(context: RunContextWrapper[Desk], text: str) -> str:
        """Write down."""
        actions.note("tool_call", "note_down")
        context.context.notes.append(text)
        return "noted"

    def instruct(context: RunContextWrapper[Desk], _agent: Agent[Any]) -> str:
        return f"{len(context.context.notes)} notes"

    script = [call("a", ("note_down", {"text": "x"}), id="a1"), call("b", LOOKS, id="a2"), "done"]
    agent = make_agent(
        actions, "outer", script, is_named=False, instructions=instruct, tools=[note_down, make_look(actions)]
    )
    return agent, {"context": Desk([])}


def clones_of_one_agent(actions: Actions) -> Built:
    """Clones that are handed to, with the tools of their original."""
    base = looks_once(actions, "base")
    pirate = base.clone(
        name="pirate", model=CountingModel(actions, [call("x", LOOKS, id="p1"), "arr"], "model-of-pirate")
    )
    script = [call("over", ("transfer_to_pirate", {}), id="o1")]
    prompt = prompt_with_handoff_instructions("Hand over.")
    return make_agent(actions, "outer", script, instructions=prompt, handoffs=[pirate]), {}


class Weather(BaseModel):
    city: str
    wet: bool


def tools_with_models_as_arguments(actions: Actions) -> Built:
    """Arguments and results of classes, methods as tools, and results in parts."""

    class Station:
        def __init__(self) -> None:
            self.name = "station"

        async def measure(self, weather: Weather) -> Weather:
            """Measure."""
            actions.note("tool_call", "measure")
            return weather

    @function_tool
    def show(q: str) -> list[ToolOutputText]:
        """Show."""
        actions.note("tool_call", "show")
        return [ToolOutputText(text=q), ToolOutputText(text="more")]

    tools = [function_tool(Station().measure), show]
    asks = (("measure", {"weather": {"city": "Ulm", "wet": True}}), ("show", {"q": "x"}))
    return looks_once(actions, "outer", *asks, is_named=False, tools=tools), {}


def three_that_hand_on_in_a_ring(actions: Actions) -> Built:
    third = make_agent(actions, "third", [call("c", ("transfer_to_first", {}), id="t1")])
    second = make_agent(
        actions, "second", [call("b", LOOKS, ("transfer_to_third", {}), id="s1")], tools=[make_look(actions)]
    )
    first = make_agent(actions, "first", [call("a", ("transfer_to_second", {}), id="f1"), "done"])
    first.handoffs, second.handoffs, third.handoffs = [second], [third], [first]
    return first, {}


def one_that_is_a_tool_and_is_handed_to(actions: Actions) -> Built:
    helper = make_agent(actions, "helper", [call("x", LOOKS, id="h1"), "helped"], tools=[make_look(actions)])
    actions.note("tool_call", "ask_helper")
    script = [
        call("ask", ("ask_helper", {"input": "rain"}), id="o1"),
        call("over", ("transfer_to_helper", {}), id="o2"),
    ]
    tools = [helper.as_tool("ask_helper", "Ask.", max_turns=3)]
    return make_agent(actions, "outer", script, tools=tools, handoffs=[helper]), {}


def an_agent_as_a_tool_with_a_session(actions: Actions) -> Built:
    """An agent as a tool, which remembers from call to call, and hooks of its run."""

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, _context: Any, agent: Any) -> None: ...

    helper = make_agent(actions, "helper", ["first", "second"])
    for _ in range(2):
        actions.note("tool_call", "ask_helper")
    asks = ("ask_helper", {"input": "rain"})
    script = [call("a", asks, id="o1"), call("b", asks, id="o2"), "done"]
    tools = [helper.as_tool("ask_helper", "Ask.", session=SQLiteSession("helper"), hooks=Hooks())]
    return make_agent(actions, "outer", script, is_named=False, tools=tools), {}


def an_agent_as_a_tool_that_ends_the_run(actions: Actions) -> Built:
    helper = make_agent(actions, "helper", [call("x", LOOKS, id="h1"), "helped"], tools=[make_look(actions)])
    actions.note("tool_call", "ask_helper")
    agent = looks_once(
        actions,
        "outer",
        ("ask_helper", {"input": "rain"}),
        is_named=False,
        tools=[helper.as_tool("ask_helper", "Ask.")],
        tool_use_behavior=StopAtTools(stop_at_tool_names=["ask_helper"]),
        model_settings=ModelSettings(tool_choice="required", parallel_tool_calls=True),
    )
    return agent, {}


def an_answer_that_is_checked_by_an_agent(actions: Actions) -> Built:
    """A shape of the answer of the one that is handed to, with a guardrail of its own."""

    @output_guardrail
    async def check(_context: Any, _agent: Any, output: Any) -> GuardrailFunctionOutput:
        said = await say(make_agent(actions, "checker", ["fine"]), str(output))
        return GuardrailFunctionOutput(said, tripwire_triggered=False)

    second = make_agent(
        actions, "second", ['{"city": "Ulm", "wet": true}'], output_type=Weather, output_guardrails=[check]
    )
    script = [call("over", ("transfer_to_second", {}), id="o1")]
    return make_agent(actions, "outer", script, handoffs=[second]), {}


def hooks_that_change_the_agent(actions: Actions) -> Built:
    """A hook that adds to the instructions, and one that reads what tools give."""

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, _context: Any, agent: Any) -> None:
            agent.instructions = "Be brief."

        async def on_tool_end(self, _context: Any, _agent: Any, _tool: Any, result: Any) -> None:
            assert "rain" in str(result)

    return looks_once(actions, "outer", is_named=False), {"hooks": Hooks()}


class Polite(Agent[Any]):
    """An agent with a prompt of its own."""

    async def get_system_prompt(self, _context: Any) -> str:
        return "Be polite."

    async def get_all_tools(self, context: Any) -> Any:
        return [tool for tool in await super().get_all_tools(context) if tool.name != "hidden"]


def an_agent_of_a_class_of_its_own(actions: Actions) -> Built:
    @function_tool
    def hidden() -> str:
        """Is never offered."""
        raise AssertionError

    model = CountingModel(actions, [call("x", LOOKS, id="o1"), "done"], "model-of-outer")
    return Polite(name="outer", model=model, tools=[make_look(actions), hidden]), {}


def a_conversation_that_was_before(actions: Actions) -> Built:
    """A list of items with a picture and an earlier call."""
    given = [
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
        {"type": "function_call", "call_id": "c0", "name": "look", "arguments": '{"q": "a"}'},
        {"type": "function_call_output", "call_id": "c0", "output": "about a"},
        {"role": "user", "content": "What is rain?"},
    ]
    return looks_once(actions, "outer", is_named=False), {"input": given}


def a_pipeline_of_runs_in_a_tool(actions: Actions) -> Built:
    """A story in three steps, of agents that are made for it."""

    @function_tool
    async def tell(q: str) -> str:
        """Tell a story."""
        actions.note("tool_call", "tell")
        said = q
        for name in ("plans", "checks", "writes"):
            said = await say(make_agent(actions, name, [f"{name} it"]), said)
        return said

    return looks_once(actions, "outer", ("tell", {"q": "rain"}), is_named=False, tools=[tell]), {}


def a_run_in_a_thread_of_a_tool(actions: Actions) -> Built:
    """A synchronous run in a thread with its context."""

    @function_tool
    async def ask_aside(q: str) -> str:
        """Ask somebody else."""
        actions.note("tool_call", "ask_aside")
        aside = looks_once(actions, "aside")
        return str((await asyncio.to_thread(lambda: asyncio.run(Runner.run(aside, q)))).final_output)

    return looks_once(actions, "outer", ("ask_aside", {"q": "rain"}), is_named=False, tools=[ask_aside]), {}


def a_hand_off_that_nests_its_history(actions: Actions) -> Built:
    second = looks_once(actions, "second")
    script = [call("look", LOOKS, id="o1"), call("over", ("transfer_to_second", {}), id="o2")]
    agent = make_agent(actions, "outer", script, tools=[make_look(actions)], handoffs=[handoff(second)])
    return agent, {"run_config": RunConfig(nest_handoff_history=True, workflow_name="story", group_id="g1")}


def agents_that_are_there_for_some(actions: Actions) -> Built:
    """Agents as tools that are offered by what the context says."""
    tools = []
    for name in ("spanish", "french"):
        helper = make_agent(actions, name, [f"in {name}"])
        tools.append(
            helper.as_tool(f"ask_{name}", "Ask.", is_enabled=lambda context, _agent, name=name: context.context == name)
        )
    actions.note("tool_call", "ask_french")
    return looks_once(actions, "outer", ("ask_french", {"input": "x"}), is_named=False, tools=tools), {
        "context": "french"
    }


def many_calls_at_once(actions: Actions) -> Built:
    asks = tuple(("look", {"q": f"rain {i}"}) for i in range(8))
    return looks_once(actions, "outer", *asks, is_named=False), {}


def a_session_behind_a_hand_off(actions: Actions) -> Built:
    """Two turns, of which the second begins anew with the first agent."""
    second = looks_once(actions, "second")
    script = [call("over", ("transfer_to_second", {}), id="o1"), "again"]
    return make_agent(actions, "outer", script, handoffs=[second]), {"session": SQLiteSession("case")}


APPS: list[Callable[[Actions], Built]] = [
    a_judge_in_a_loop,
    translations_side_by_side_and_the_best,
    tools_that_share_a_context,
    clones_of_one_agent,
    tools_with_models_as_arguments,
    three_that_hand_on_in_a_ring,
    one_that_is_a_tool_and_is_handed_to,
    an_agent_as_a_tool_with_a_session,
    an_agent_as_a_tool_that_ends_the_run,
    an_answer_that_is_checked_by_an_agent,
    hooks_that_change_the_agent,
    an_agent_of_a_class_of_its_own,
    a_conversation_that_was_before,
    a_pipeline_of_runs_in_a_tool,
    a_run_in_a_thread_of_a_tool,
    a_hand_off_that_nests_its_history,
    agents_that_are_there_for_some,
    many_calls_at_once,
    a_session_behind_a_hand_off,
]
READS = (
    *("look", "outline", "translate", "note_down", "measure", "show", "tell"),
    *("ask_helper", "ask_aside", "ask_french", "ask_spanish"),
)


async def _talk(agent: Any, given: dict[str, Any], *, streamed: bool) -> list[Any]:
    given = dict(given)
    asked = given.pop("input", "What is rain?")
    said = []
    for text in (asked, "And wind?")[: 2 if "session" in given else 1]:
        result = await run(agent, text, streamed=streamed, **given)
        said.append((result.final_output, result.last_agent.name, [type(item).__name__ for item in result.new_items]))
    return said


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("build", APPS)
async def test_each_shape_runs_as_without_halo(tmp_path, build, streamed, with_options, mode):
    home, actions, free = tmp_path / "home", Actions(), Actions()
    agent, given = build(free)
    expected = await _talk(agent, given, streamed=streamed)
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with open_halo(home, mode) as halo:
        agent, given = build(actions)
        guarded = halo.guard(agent)
        if with_options:
            given |= halo.run_options(run_config=given.get("run_config"), hooks=given.get("hooks"))
        found = await _talk(guarded, given, streamed=streamed)
    assert list_refusals(home) == []
    require_whole(home, actions)
    assert actions.count() == free.count()
    assert found == expected
