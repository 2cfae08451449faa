"""Further shapes of applications of the OpenAI Agents SDK: guardrails of tools, agents side by side, voice, realtime.

As in `test_apps_oa_shapes.py`: each runs as observed and enforced, streamed or not, with or without
`halo.run_options()`, and what ran by its own counters is what the log says was decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    AgentBase,
    FunctionTool,
    GuardrailFunctionOutput,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    handoff,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agents.realtime import RealtimeAgent, RealtimeRunner, realtime_handoff
from agents.voice import SingleAgentVoiceWorkflow
from counting import Actions, assert_all_decided, count_questions, declare, list_undecided
from oa_app_parts import LOOKS, looks_once, make_agent, make_look, open_halo, require_whole, run
from oa_line import Line
from pydantic import BaseModel

from halo_openai_agents.testing import call

Built = tuple[Agent[Any], dict[str, Any]]


def guardrails_that_keep_a_tool_from_running(actions: Actions) -> Built:
    """One refuses a call for what it asks, the other one what came of a call."""

    @tool_input_guardrail
    def no_wind(data: Any) -> ToolGuardrailFunctionOutput:
        said = ToolGuardrailFunctionOutput.reject_content("not about wind")
        return said if "wind" in data.context.tool_arguments else ToolGuardrailFunctionOutput.allow()

    @tool_output_guardrail
    def no_sun(data: Any) -> ToolGuardrailFunctionOutput:
        said = ToolGuardrailFunctionOutput.reject_content("not about the sun")
        return said if "sun" in str(data.output) else ToolGuardrailFunctionOutput.allow()

    look = make_look(actions)
    look.tool_input_guardrails, look.tool_output_guardrails = [no_wind], [no_sun]
    asks = (("look", {"q": item}) for item in ("rain", "wind", "sun"))
    return looks_once(actions, "outer", *asks, is_named=False, tools=[look]), {}


class Question(BaseModel):
    """What an agent as a tool takes."""

    about: str
    depth: int = 1


def an_agent_as_a_tool_with_arguments_of_its_own(actions: Actions) -> Built:
    def is_there(context: RunContextWrapper[Any], agent: AgentBase[Any]) -> bool:
        return context.context == "deep" and bool(agent.name)

    async def write(given: Any) -> str:
        return f"Tell me about {given['params']['about']}."

    inner = looks_once(actions, "inner")
    actions.note("tool_call", "ask_inner")
    asks = inner.as_tool(
        "ask_inner", "Ask.", parameters=Question, input_builder=write, include_input_schema=True, is_enabled=is_there
    )
    outer = looks_once(actions, "outer", ("ask_inner", {"about": "rain", "depth": 1}), is_named=False, tools=[asks])
    return outer, {"context": "deep"}


def an_agent_as_a_tool_that_fails(actions: Actions) -> Built:
    """Its run takes too many turns; the agent outside is told so and goes on."""
    script = [call("look", LOOKS, id=f"i{n}") for n in range(9)]
    inner = make_agent(actions, "inner", script, tools=[make_look(actions)])
    actions.note("tool_call", "ask_inner")
    asks = inner.as_tool("ask_inner", "Ask.", max_turns=2, failure_error_function=lambda _c, _e: "it took too long")
    return looks_once(actions, "outer", ("ask_inner", {"input": "rain"}), is_named=False, tools=[asks]), {}


def hand_offs_to_and_fro(actions: Actions) -> Built:
    """Three hand-offs, what was said before nested into one message, and filtered on the way back."""

    def shorten(data: Any) -> Any:
        return data.clone(
            input_history=tuple(data.input_history)[-1:] if isinstance(data.input_history, tuple) else "x"
        )

    first = make_agent(
        actions,
        "first",
        [call("go", ("transfer_to_second", {}), id="f1"), call("look", LOOKS, id="f2"), "first is done"],
        tools=[make_look(actions)],
    )
    second = make_agent(
        actions,
        "second",
        [call("look", LOOKS, id="s1"), call("back", ("transfer_to_first", {}), id="s2"), "second is done"],
        tools=[make_look(actions)],
    )
    first.handoffs = [second]
    second.handoffs = [handoff(first, input_filter=shorten)]
    return first, {"run_config": RunConfig(nest_handoff_history=True), "max_turns": 12}


def a_session_that_chooses_what_is_sent(actions: Actions) -> Built:
    def choose(history: list[Any], new: list[Any]) -> list[Any]:
        return [*history[-4:], *new]

    agent = looks_once(actions, "outer", is_named=False)
    return agent, {"session": SQLiteSession("one"), "run_config": RunConfig(session_input_callback=choose)}


def agents_side_by_side_in_a_tool(actions: Actions) -> Built:
    @function_tool
    @actions.tool
    async def ask_all(q: str) -> str:
        """Ask three at once."""
        agents = [looks_once(actions, f"inner-{n}") for n in range(3)]
        found = await asyncio.gather(*(Runner.run(item, q) for item in agents))
        return " ".join(str(item.final_output) for item in found)

    return looks_once(actions, "outer", ("ask_all", {"q": "rain"}), is_named=False, tools=[ask_all]), {}


def a_plain_function_that_runs_an_agent(actions: Actions) -> Built:
    """A function that knows no event loop, in the thread that the SDK runs it in."""

    @function_tool
    @actions.tool
    def ask_one(q: str) -> str:
        """Ask one."""
        return str(Runner.run_sync(looks_once(actions, "inner"), q).final_output)

    return looks_once(actions, "outer", ("ask_one", {"q": "rain"}), is_named=False, tools=[ask_one]), {}


def a_tool_written_by_hand(actions: Actions) -> Built:
    """A tool with a function and a schema of its own, which asks an agent when it fails."""

    async def find(_context: Any, text: str) -> str:
        actions.note("tool_call", "find")
        said = await Runner.run(make_agent(actions, "helper", ["wet"]), text)
        return str(said.final_output)

    schema = {
        "type": "object",
        "properties": {"q": {"type": "string"}},
        "required": ["q"],
        "additionalProperties": False,
    }
    tool = FunctionTool(name="find", description="Find.", params_json_schema=schema, on_invoke_tool=find)
    return looks_once(actions, "outer", ("find", {"q": "rain"}), is_named=False, tools=[tool]), {}


SHAPES: list[Callable[[Actions], Built]] = [
    guardrails_that_keep_a_tool_from_running,
    an_agent_as_a_tool_with_arguments_of_its_own,
    an_agent_as_a_tool_that_fails,
    hand_offs_to_and_fro,
    a_session_that_chooses_what_is_sent,
    agents_side_by_side_in_a_tool,
    a_plain_function_that_runs_an_agent,
    a_tool_written_by_hand,
]
READS = ("look", "ask_inner", "ask_all", "ask_one", "find")


def open_reading(tmp_path: Any, mode: str) -> Any:
    home = tmp_path / "home"
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    return home, open_halo(home, mode)


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("build", SHAPES)
async def test_each_shape_does_what_the_log_says(tmp_path, build, streamed, with_options, mode):
    actions = Actions()
    home, halo = open_reading(tmp_path, mode)
    with halo:
        agent, given = build(actions)
        guarded = halo.guard(agent)
        if with_options:
            mine = {name: given.get(name) for name in ("run_config", "hooks")}
            given |= halo.run_options(**mine)
        for text in ("What is rain?", "And wind?")[: 2 if "session" in given else 1]:
            await run(guarded, text, streamed=streamed, **given)
    assert actions.count("tool_call")
    require_whole(home, actions)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_that_trips_a_guardrail_was_decided(tmp_path, streamed, mode):
    actions = Actions()
    home, halo = open_reading(tmp_path, mode)

    @output_guardrail
    async def check(_context: Any, _agent: Any, output: Any) -> GuardrailFunctionOutput:
        said = await Runner.run(make_agent(actions, "judge", ["no"]), str(output))
        return GuardrailFunctionOutput(said.final_output, tripwire_triggered=True)

    with halo:
        agent = halo.guard(looks_once(actions, "outer", is_named=False, output_guardrails=[check]))
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await run(agent, "go", streamed=streamed, **halo.run_options())
    require_whole(home, actions)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_voice_that_is_asked_twice(tmp_path, mode):
    actions = Actions()
    home, halo = open_reading(tmp_path, mode)
    with halo:
        script = [call("look", LOOKS, id="v1"), call("go", ("transfer_to_inner", {}), id="v2")]
        inner = looks_once(actions, "inner")
        agent = make_agent(actions, "outer", script, tools=[make_look(actions)], handoffs=[inner])
        workflow = SingleAgentVoiceWorkflow(halo.guard(agent))
        said = ["".join([part async for part in workflow.run(text)]) for text in ("What is rain?", "And wind?")]
    assert all(said)
    require_whole(home, actions)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("side_by_side", [False, True])
async def test_a_realtime_agent_with_guarded_tools(tmp_path, side_by_side, mode):
    """Its tools are guarded one by one, as the documentation says; what they start is decided as well."""
    actions = Actions()
    home, halo = open_reading(tmp_path, mode)

    @function_tool
    @actions.tool
    async def ask_one(q: str) -> str:
        """Ask one."""
        return str((await Runner.run(looks_once(actions, "inner"), q)).final_output)

    with halo, halo.session(user="ana"):
        look, ask = halo.guard(make_look(actions)), halo.guard(ask_one)
        second: Any = RealtimeAgent(name="second", tools=[ask])
        first: Any = RealtimeAgent(name="first", tools=[look], handoffs=[realtime_handoff(second)])
        line = Line(("look", '{"q": "rain"}'), ("transfer_to_second", "{}"), ("ask_one", '{"q": "rain"}'))
        runner = RealtimeRunner(first, model=line, config={"async_tool_calls": side_by_side})
        async with await runner.run():
            await line.talk()
    assert actions.names() == ["look", "ask_one", "look"]
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (0, [])
