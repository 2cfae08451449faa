"""Shapes of applications of the OpenAI Agents SDK out of its guides: retries, time limits, handlers, providers.

As in `test_apps_oa_shapes.py`: each runs as observed and enforced, and what ran by its own counters is what the log
says was decided.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    ModelRetrySettings,
    ModelSettings,
    RunConfig,
    RunErrorHandlerResult,
    Runner,
    SQLiteSession,
    ToolsToFinalOutputResult,
    function_tool,
)
from agents.models.interface import ModelProvider
from counting import Actions, declare, list_refusals
from oa_app_parts import LOOKS, CountingModel, looks_once, make_agent, make_look, open_halo, require_whole, run
from pydantic import BaseModel

from halo_openai_agents.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
Built = tuple[Agent[Any], dict[str, Any]]


class Overloaded(Exception):
    """A provider's error."""


class FailsOnce(CountingModel):
    """Fails when it is asked for the first time."""

    has_failed = False

    def say(self, model_input: Any) -> Any:
        if not self.has_failed:
            self.has_failed = True
            self.actions.note("inference", self.model)
            raise Overloaded("try again")
        return super().say(model_input)


def a_model_that_is_asked_again(actions: Actions) -> Built:
    """The runner asks a model again that has failed."""
    model = FailsOnce(actions, [call("look", LOOKS, id="r1"), "done"], "retried")
    retry = ModelRetrySettings(max_retries=2, policy=lambda _context: True)
    settings = ModelSettings(retry=retry)
    return Agent(name="outer", model=model, tools=[make_look(actions)], model_settings=settings), {}


def tools_with_a_time_limit(actions: Actions) -> Built:
    """One is too slow, and the model is told so."""

    async def ponder(q: str) -> str:
        """Ponder something."""
        await asyncio.sleep(30)
        return q

    slow = function_tool(actions.tool(ponder), timeout=2.0)
    tools = [slow, make_look(actions)]
    return looks_once(actions, "outer", ("ponder", {"q": "rain"}), LOOKS, is_named=False, tools=tools), {}


def a_handler_that_asks_another_agent(actions: Actions) -> Built:
    """Too many turns: a handler has another agent sum up what is there."""

    async def sum_up(data: Any) -> Any:
        said = await Runner.run(make_agent(actions, "summariser", ["in short"]), "Sum up.")
        return RunErrorHandlerResult(final_output=said.final_output, include_in_history=False)

    script = [call("look", LOOKS, id=f"h{n}") for n in range(9)]
    agent = make_agent(actions, "outer", script, is_named=False, tools=[make_look(actions)])
    return agent, {"max_turns": 2, "error_handlers": {"max_turns": sum_up}}


class Provider(ModelProvider):
    """Makes models by name."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def get_model(self, model_name: str | None) -> Any:
        return CountingModel(self.actions, [call("look", LOOKS, id=f"{model_name}1"), "done"], f"{model_name}")


def models_of_a_provider(actions: Actions) -> Built:
    """Agents name their models; the run says who makes them. One is an agent as a tool, whose run says nothing."""
    look = make_look(actions)
    inner = looks_once(actions, "inner")
    actions.note("tool_call", "ask_inner")

    class Asks(Provider):
        def get_model(self, model_name: str | None) -> Any:
            calls = (LOOKS, ("ask_inner", {"input": "rain"}))
            return CountingModel(self.actions, [call("look", *calls, id="p1"), "done"], f"{model_name}")

    agent: Any = Agent(name="outer", model="house-model", tools=[look, inner.as_tool("ask_inner", "Ask.")])
    return agent, {"run_config": RunConfig(model_provider=Asks(actions))}


class Verdict(BaseModel):
    """What a judge says."""

    is_wet: bool


def a_behaviour_that_asks_a_judge(actions: Actions) -> Built:
    """What becomes of a tool's result, an agent with an answer in a shape decides."""

    async def choose(_context: Any, results: Any) -> ToolsToFinalOutputResult:
        judge = make_agent(actions, "judge", ['{"is_wet": true}'], output_type=Verdict)
        said = await Runner.run(judge, str(results[0].output))
        return ToolsToFinalOutputResult(is_final_output=said.final_output.is_wet, final_output="wet")

    return looks_once(actions, "outer", is_named=False, tool_use_behavior=choose), {}


def tools_that_work_in_threads(actions: Actions) -> Built:
    """A tool runs an agent in a thread, in a copy of the context; another one in a thread of asyncio's."""

    def start(name: str) -> str:
        return str(asyncio.run(Runner.run(looks_once(actions, name), "rain")).final_output)

    async def in_thread(q: str) -> str:
        """Work in a thread."""
        actions.note("tool_call", "in_thread")
        found: list[str] = []
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(lambda: found.append(start("first")),))
        thread.start()
        await asyncio.to_thread(thread.join)
        return found[0]

    async def in_asyncio(q: str) -> str:
        """Work in a thread of asyncio's."""
        actions.note("tool_call", "in_asyncio")
        return await asyncio.to_thread(start, "second")

    asks = (("in_thread", {"q": "rain"}), ("in_asyncio", {"q": "rain"}))
    tools = [function_tool(in_thread), function_tool(in_asyncio)]
    return looks_once(actions, "outer", *asks, is_named=False, tools=tools), {}


def a_conversation_that_is_cut(actions: Actions) -> Built:
    """A session whose history a function of the application's shortens before each turn."""

    def cut(history: Any, new: Any) -> Any:
        return [*history[-2:], *new]

    script = ["first", call("look", LOOKS, id="s2"), "second"]
    agent = make_agent(actions, "outer", script, is_named=False, tools=[make_look(actions)])
    return agent, {"session": SQLiteSession("case"), "run_config": RunConfig(session_input_callback=cut)}


APPS: list[Callable[[Actions], Built]] = [
    a_model_that_is_asked_again,
    tools_with_a_time_limit,
    a_handler_that_asks_another_agent,
    models_of_a_provider,
    a_behaviour_that_asks_a_judge,
    tools_that_work_in_threads,
    a_conversation_that_is_cut,
]
READS = ("look", "ponder", "ask_inner", "in_thread", "in_asyncio")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("build", APPS)
async def test_each_shape_does_what_the_log_says(tmp_path, build, streamed, with_options, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with open_halo(home, mode) as halo:
        agent, given = build(actions)
        guarded = halo.guard(agent)
        if with_options:
            given |= halo.run_options(run_config=given.get("run_config"))
        for text in ("What is rain?", "And wind?")[: 2 if "session" in given else 1]:
            await run(guarded, text, streamed=streamed, **given)
    assert actions.count("tool_call")
    assert list_refusals(home) == []
    require_whole(home, actions)
