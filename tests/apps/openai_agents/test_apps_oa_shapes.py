"""Shapes of applications of the OpenAI Agents SDK: agents as tools of agents as tools, guardrails and hooks that run
agents, filters, configurations that bring a model, agents that are made while they are handed to.

As in `test_apps_sdk.py`: each runs as observed and enforced, streamed or not, with or without `halo.run_options()`, and
what ran by its own counters is what the log says was decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    Handoff,
    ModelProvider,
    ModelSettings,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agents.extensions import handoff_filters
from counting import Actions, declare
from oa_app_parts import LOOKS, CountingModel, ask, looks_once, make_look, open_halo, require_whole, run

from halo_openai_agents.testing import call

Built = tuple[Agent[Any], dict[str, Any]]


def agents_as_tools_of_agents_as_tools(actions: Actions) -> Built:
    inner = looks_once(actions, "inner")
    asks_inner, asks_middle = ("ask_inner", {"input": "rain"}), ("ask_middle", {"input": "rain"})
    middle = looks_once(actions, "middle", asks_inner, tools=[inner.as_tool("ask_inner", "Ask.")])
    for name in ("ask_inner", "ask_middle"):  # the SDK runs them, and each of them ran its agent once
        actions.note("tool_call", name)
    tools = [middle.as_tool("ask_middle", "Ask.")]
    return looks_once(actions, "outer", asks_middle, is_named=False, tools=tools), {}


def an_agent_as_a_tool_with_a_listener_and_an_extractor(actions: Actions) -> Built:
    async def listen(_event: Any) -> None: ...

    async def extract(_result: Any) -> str:
        return str((await ask(actions, "extractor")).final_output)

    inner = looks_once(actions, "inner")
    actions.note("tool_call", "ask_inner")
    tools = [inner.as_tool("ask_inner", "Ask.", on_stream=listen, custom_output_extractor=extract)]
    return looks_once(actions, "outer", ("ask_inner", {"input": "rain"}), is_named=False, tools=tools), {}


def guardrails_that_run_agents(actions: Actions) -> Built:
    @input_guardrail
    async def check_input(*_args: Any) -> GuardrailFunctionOutput:
        await ask(actions, "input-checker")
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    @output_guardrail
    async def check_output(*_args: Any) -> GuardrailFunctionOutput:
        await ask(actions, "output-checker")
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    @tool_input_guardrail
    async def check_call(_data: Any) -> ToolGuardrailFunctionOutput:
        await ask(actions, "call-checker")
        return ToolGuardrailFunctionOutput.allow()

    @tool_output_guardrail
    async def check_result(_data: Any) -> ToolGuardrailFunctionOutput:
        await ask(actions, "result-checker")
        return ToolGuardrailFunctionOutput.allow()

    look = make_look(actions)
    look.tool_input_guardrails, look.tool_output_guardrails = [check_call], [check_result]
    guardrails = {"input_guardrails": [check_input], "output_guardrails": [check_output]}
    return looks_once(actions, "outer", is_named=False, tools=[look], **guardrails), {}


def hooks_and_instructions_that_run_agents(actions: Actions) -> Built:
    class Watching(RunHooks[Any]):
        async def on_tool_start(self, *_args: Any) -> None:
            await ask(actions, "watcher")

    async def instruct(_context: Any, _agent: Any) -> str:
        return str((await ask(actions, "instructor")).final_output)

    return looks_once(actions, "outer", is_named=False, instructions=instruct), {"hooks": Watching()}


def a_configuration_with_a_model_and_filters(actions: Actions) -> Built:
    async def pass_on(data: Any) -> Any:
        return data.model_data

    script = [call("look", LOOKS, id="o1"), call("over", ("transfer_to_inner", {}), id="o2"), "done"]
    model = CountingModel(actions, script, "model-of-all")
    agent = looks_once(actions, "outer", handoffs=[handoff(looks_once(actions, "inner"))])
    config = RunConfig(
        model=model,
        model_settings=ModelSettings(temperature=0.1),
        handoff_input_filter=handoff_filters.remove_all_tools,
        call_model_input_filter=pass_on,
    )
    return agent, {"run_config": config}


def a_provider_of_the_hosts(actions: Actions) -> Built:
    class Provider(ModelProvider):
        def get_model(self, model_name: str | None) -> Any:
            return CountingModel(actions, [call("look", LOOKS, id="p1"), "done"], str(model_name))

    agent = Agent[Any](name="outer", model="their/model", tools=[make_look(actions)])
    return agent, {"run_config": RunConfig(model_provider=Provider())}


def a_hand_off_that_makes_its_agent(actions: Actions) -> Built:
    async def make(*_args: Any) -> Agent[Any]:
        return looks_once(actions, "inner")

    made = Handoff(
        tool_name="over",
        tool_description="Hand over.",
        input_json_schema={},
        on_invoke_handoff=make,
        agent_name="inner",
    )
    return looks_once(actions, "outer", ("over", {}), handoffs=[made]), {}


def tools_that_run_agents(actions: Actions) -> Built:
    @function_tool
    @actions.tool
    def run_here(q: str) -> str:
        """Run an agent in this thread."""
        return str(Runner.run_sync(looks_once(actions, "first"), q).final_output)

    @function_tool
    @actions.tool
    async def run_streamed(q: str) -> str:
        """Run an agent, and read what it says as it says it."""
        result = Runner.run_streamed(looks_once(actions, "second"), q)
        return str(len([event async for event in result.stream_events()]))

    calls = (("run_here", {"q": "rain"}), ("run_streamed", {"q": "wind"}))
    return looks_once(actions, "outer", *calls, is_named=False, tools=[run_here, run_streamed]), {}


def a_session_of_two_turns(actions: Actions) -> Built:
    return looks_once(actions, "outer", is_named=False), {"session": SQLiteSession("ana")}


SHAPES: list[Callable[[Actions], Built]] = [
    agents_as_tools_of_agents_as_tools,
    an_agent_as_a_tool_with_a_listener_and_an_extractor,
    guardrails_that_run_agents,
    hooks_and_instructions_that_run_agents,
    a_configuration_with_a_model_and_filters,
    a_provider_of_the_hosts,
    a_hand_off_that_makes_its_agent,
    tools_that_run_agents,
    a_session_of_two_turns,
]
READS = ("look", "ask_inner", "ask_middle", "run_here", "run_streamed")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("build", SHAPES)
async def test_each_shape_does_what_the_log_says(tmp_path, build, streamed, with_options, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with open_halo(home, mode) as halo:
        agent, given = build(actions)
        guarded = halo.guard(agent)
        if with_options:
            mine = {name: given.get(name) for name in ("run_config", "hooks")}
            given |= halo.run_options(**mine)
        for text in ("What is rain?", "And wind?")[: 2 if "session" in given else 1]:
            await run(guarded, text, streamed=streamed, **given)
    assert actions.count("tool_call")
    require_whole(home, actions)
