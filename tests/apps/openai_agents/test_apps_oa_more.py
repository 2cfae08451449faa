"""More shapes of applications of the OpenAI Agents SDK: what ends a run, sessions that think, code between agents.

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
    AgentHooks,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Model,
    ModelProvider,
    RunConfig,
    RunErrorHandlerResult,
    RunHooks,
    Runner,
    RunState,
    SQLiteSession,
    StopAtTools,
    ToolsToFinalOutputResult,
    function_tool,
    handoff,
    input_guardrail,
)
from agents.extensions import handoff_filters
from agents.memory import SessionABC
from agents.tool_context import ToolContext
from counting import Actions, assert_all_decided, count_decided, count_questions, declare, list_undecided
from oa_app_parts import LOOKS, CountingModel, ask, looks_once, make_agent, make_look, open_halo, require_whole, run
from pydantic import BaseModel

from halo_openai_agents.testing import call

Built = tuple[Agent[Any], dict[str, Any]]


# what ends a run


def the_first_tool_ends_the_run(actions: Actions) -> Built:
    return looks_once(actions, "outer", is_named=False, tool_use_behavior="stop_on_first_tool"), {}


def some_tools_end_the_run(actions: Actions) -> Built:
    ends = StopAtTools(stop_at_tool_names=["look"])
    return looks_once(actions, "outer", is_named=False, tool_use_behavior=ends), {}


def a_function_says_what_ends_the_run(actions: Actions) -> Built:
    async def decide(_context: Any, results: Any) -> ToolsToFinalOutputResult:
        said = await ask(actions, "judge")
        return ToolsToFinalOutputResult(is_final_output=True, final_output=f"{said.final_output} {results[0].output}")

    return looks_once(actions, "outer", is_named=False, tool_use_behavior=decide), {}


def too_many_turns(actions: Actions) -> Built:
    async def answer(_data: Any) -> RunErrorHandlerResult:
        return RunErrorHandlerResult(final_output=str((await ask(actions, "excuse")).final_output))

    script = [call("look", LOOKS, id=f"o{n}") for n in range(9)]
    agent = make_agent(actions, "outer", script, is_named=False, tools=[make_look(actions)])
    return agent, {"max_turns": 2, "error_handlers": {"max_turns": answer}}


class Weather(BaseModel):
    """An answer with a shape."""

    wet: bool


def an_answer_with_a_shape(actions: Actions) -> Built:
    script = [call("look", LOOKS, id="o1"), '{"wet": true}']
    return make_agent(actions, "outer", script, is_named=False, tools=[make_look(actions)], output_type=Weather), {}


# agents and tools beside each other


def tools_that_are_there_or_not(actions: Actions) -> Built:
    async def is_there(_context: Any, _agent: Any) -> bool:
        return bool((await ask(actions, "gate")).final_output)

    @function_tool(is_enabled=lambda _context, _agent: False)
    @actions.tool
    def hidden(q: str) -> str:
        """Nobody sees this."""
        return q

    look = make_look(actions)
    look.is_enabled = is_there
    inner = looks_once(actions, "inner").as_tool("ask_inner", "Ask.", is_enabled=lambda *_args: True)
    actions.note("tool_call", "ask_inner")
    calls = (LOOKS, ("ask_inner", {"input": "rain"}))
    return looks_once(actions, "outer", *calls, is_named=False, tools=[look, hidden, inner]), {}


def an_agent_as_a_tool_with_its_own_run(actions: Actions) -> Built:
    class Watching(RunHooks[Any]):
        async def on_agent_end(self, *_args: Any) -> None:
            await ask(actions, "watcher")

    inner = looks_once(actions, "inner")
    tool = inner.as_tool(
        "ask_inner",
        "Ask.",
        max_turns=3,
        hooks=Watching(),
        run_config=RunConfig(workflow_name="inner"),
        session=SQLiteSession("inner"),
        is_enabled=True,
    )
    actions.note("tool_call", "ask_inner")
    return looks_once(actions, "outer", ("ask_inner", {"input": "rain"}), is_named=False, tools=[tool]), {}


def tools_that_use_tools(actions: Actions) -> Built:
    """A tool that calls two others by what the SDK itself calls, and one whose failure is answered by an agent."""
    look = make_look(actions)

    @function_tool
    @actions.tool
    async def look_twice(context: ToolContext[Any], q: str) -> str:
        """Look twice, at once."""
        inner = [
            ToolContext(
                context.context,
                tool_name="look",
                tool_call_id=f"{context.tool_call_id}-{n}",
                tool_arguments=f'{{"q": "{q}"}}',
            )
            for n in range(2)
        ]
        said = await asyncio.gather(*(look.on_invoke_tool(item, item.tool_arguments) for item in inner))
        return " ".join(map(str, said))

    async def excuse(_context: Any, error: Exception) -> str:
        return str((await ask(actions, "excuse")).final_output)

    @function_tool(failure_error_function=excuse)
    @actions.tool
    def fails(q: str) -> str:
        """Fail."""
        raise ValueError(q)

    calls = (("look_twice", {"q": "rain"}), ("fails", {"q": "rain"}))
    return looks_once(actions, "outer", *calls, is_named=False, tools=[look_twice, fails]), {}


def hooks_that_use_tools(actions: Actions) -> Built:
    look = make_look(actions)

    class Reading(AgentHooks[Any]):
        async def on_tool_end(self, context: Any, *_args: Any) -> None:
            inner = ToolContext(context.context, tool_name="look", tool_call_id="h1", tool_arguments='{"q": "x"}')
            await look.on_invoke_tool(inner, '{"q": "x"}')

    return looks_once(actions, "outer", is_named=False, hooks=Reading()), {}


# hand-offs


def hand_offs_that_filter(actions: Actions) -> Built:
    async def shorten(data: Any) -> Any:
        await ask(actions, "shortener")
        return handoff_filters.remove_all_tools(data)

    third = looks_once(actions, "third")
    second = looks_once(
        actions, "second", ("transfer_to_third", {}), handoffs=[handoff(third, nest_handoff_history=True)]
    )
    over = handoff(second, input_filter=shorten, tool_name_override="escalate")
    script = [call("look", LOOKS, id="o1"), call("over", ("escalate", {}), id="o2")]
    return make_agent(actions, "outer", script, tools=[make_look(actions)], handoffs=[over]), {}


def hand_offs_that_are_there_or_not(actions: Actions) -> Built:
    async def is_there(_context: Any, _agent: Any) -> bool:
        return bool((await ask(actions, "gate")).final_output)

    inner, other = looks_once(actions, "inner"), looks_once(actions, "other")
    ways = [handoff(inner, is_enabled=is_there), handoff(other, is_enabled=False)]
    return looks_once(actions, "outer", ("transfer_to_inner", {}), handoffs=ways), {}


# models


class Choosing(Model):
    """A model that asks a cheap one which of two to ask."""

    def __init__(self, actions: Actions, cheap: Model, strong: Model) -> None:
        self.actions, self.cheap, self.strong, self.model = actions, cheap, strong, "choosing"

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        self.actions.note("inference", "choosing")
        await self.cheap.get_response(*args, **kwargs)
        return await self.strong.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        self.actions.note("inference", "choosing")
        await self.cheap.get_response(*args, **kwargs)
        async for event in self.strong.stream_response(*args, **kwargs):
            yield event


def a_model_that_asks_models(actions: Actions) -> Built:
    strong = CountingModel(actions, [call("look", LOOKS, id="o1"), "done"], "strong")
    model = Choosing(actions, CountingModel(actions, ["strong"], "cheap"), strong)
    return Agent[Any](name="outer", model=model, tools=[make_look(actions)]), {}


def models_by_their_prefix(actions: Actions) -> Built:
    class Provider(ModelProvider):
        def get_model(self, model_name: str | None) -> Any:
            return CountingModel(actions, [call("look", LOOKS, id=f"{model_name}-1"), "done"], str(model_name))

    inner = Agent[Any](name="inner", model="house/small", tools=[make_look(actions)])
    outer = Agent[Any](
        name="outer",
        model=CountingModel(actions, [call("ask", ("ask_inner", {"input": "x"}), id="o1"), "done"], "outer-model"),
        tools=[inner.as_tool("ask_inner", "Ask.")],
    )
    actions.note("tool_call", "ask_inner")
    actions.note("handoff", "inner")
    return outer, {"run_config": RunConfig(model_provider=Provider())}


def what_a_model_is_given_is_filtered(actions: Actions) -> Built:
    async def shorten(data: Any) -> Any:
        await ask(actions, "shortener")
        return data.model_data

    config = RunConfig(call_model_input_filter=shorten)
    return looks_once(actions, "outer", is_named=False), {"run_config": config}


# sessions


class Summarizing(SessionABC):
    """A session that has what was said summed up by an agent."""

    session_id = "ana"
    session_settings = None

    def __init__(self, actions: Actions) -> None:
        self.actions, self.items = actions, list[Any]()

    async def get_items(self, limit: int | None = None) -> list[Any]:
        if self.items:
            await ask(self.actions, "summarizer")
        return list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


def a_session_that_sums_up(actions: Actions) -> Built:
    return looks_once(actions, "outer", is_named=False), {"session": Summarizing(actions)}


SHAPES: list[Callable[[Actions], Built]] = [
    the_first_tool_ends_the_run,
    some_tools_end_the_run,
    a_function_says_what_ends_the_run,
    too_many_turns,
    an_answer_with_a_shape,
    tools_that_are_there_or_not,
    an_agent_as_a_tool_with_its_own_run,
    tools_that_use_tools,
    hooks_that_use_tools,
    hand_offs_that_filter,
    hand_offs_that_are_there_or_not,
    a_model_that_asks_models,
    models_by_their_prefix,
    what_a_model_is_given_is_filtered,
    a_session_that_sums_up,
]
READS = ("look", "ask_inner", "look_twice", "fails")


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


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_runs_at_once_of_one_agent(tmp_path, streamed, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900, idempotent: true}")
    with open_halo(home, mode) as halo:
        inner = looks_once(actions, "inner")
        outer = halo.guard(looks_once(actions, "outer", ("transfer_to_inner", {}), handoffs=[inner]))
        judge = halo.guard(make_agent(actions, "judge", ["the first"]), agent="judge")
        runs = (
            run(outer, f"{n}?", streamed=streamed, session=SQLiteSession(f"user-{n}"), **halo.run_options())
            for n in range(8)
        )
        results = await asyncio.gather(*runs)
        result = await Runner.run(judge, " ".join(str(item.final_output) for item in results), **halo.run_options())
    assert result.final_output == "the first"
    assert actions.count("tool_call") == {("tool_call", "look"): 8}
    require_whole(home, actions)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("how", ["immediate", "after_turn", "left"])
async def test_a_stream_that_is_cancelled_ran_what_the_log_says(tmp_path, how, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}")
    script = [call("look at this", LOOKS, id=f"o{n}") for n in range(4)]
    with open_halo(home, mode) as halo:
        agent = halo.guard(make_agent(actions, "outer", script, is_named=False, tools=[make_look(actions)]))
        result = Runner.run_streamed(agent, "go", **halo.run_options())
        async for event in result.stream_events():
            if event.type == "run_item_stream_event" and event.name == "tool_output":
                if how == "left":
                    break
                result.cancel(mode=how)
        if how == "left":
            result.cancel()
        await asyncio.sleep(0.05)
    assert actions.count("tool_call")
    assert actions.count("tool_call")["tool_call", "look"] < 4
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (0, [])


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_guardrail_that_trips_leaves_nothing_undecided(tmp_path, streamed, blocking, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}")

    @input_guardrail(run_in_parallel=not blocking)
    async def check(*_args: Any) -> GuardrailFunctionOutput:
        await asyncio.sleep(0)
        said = await ask(actions, "checker")
        return GuardrailFunctionOutput(said.final_output, tripwire_triggered=True)

    with open_halo(home, mode) as halo:
        agent = halo.guard(looks_once(actions, "outer", is_named=False, input_guardrails=[check]))
        with pytest.raises(InputGuardrailTripwireTriggered):
            await run(agent, "go", streamed=streamed, **halo.run_options())
    assert not blocking or actions.names("tool_call") == []
    if blocking:
        assert_all_decided(home, actions)
    else:  # the guardrail may cancel what was decided beside it, before it runs
        kinds = ("inference", "tool_call")
        assert not actions.count(*kinds) - count_decided(home, *kinds)
    assert (count_questions(home), list_undecided(home)) == (0, [])


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("pausing", [True, False])
async def test_a_state_is_resumed_behind_a_hand_off(tmp_path, pausing, mode):
    """The host's own approval, in an agent that was handed to, answered from a stored state."""
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}", "book: {impact: write, reversal: undo}")

    @function_tool(needs_approval=True)
    @actions.tool
    def book(seat: str) -> str:
        """Book a seat."""
        return f"booked {seat}"

    def build() -> Agent[Any]:
        script = [call("book", ("book", {"seat": "1A"}), id="i1"), call("look", LOOKS, id="i2"), "done"]
        inner = make_agent(actions, "inner", script, tools=[book, make_look(actions)])
        return make_agent(actions, "outer", [call("go", ("transfer_to_inner", {}), id="o1")], handoffs=[inner])

    with open_halo(home, mode) as halo, halo.session(user="ana", request="Book seat 1A."):
        guarded = halo.guard(build())
        result = await Runner.run(guarded, "Book seat 1A.", **halo.run_options(pausing=pausing))
        assert len(result.interruptions) == 1
        stored = result.to_state().to_string()
        again = halo.guard(build())
        state = await RunState.from_string(again, stored)
        state.approve(state.get_interruptions()[0])
        result = await Runner.run(again, state, **halo.run_options(pausing=pausing))
    assert result.final_output == "done"
    assert actions.names() == ["book", "look"]
    assert_all_decided(home, actions)
    assert (count_questions(home), list_undecided(home)) == (0, [])
