"""Applications of the OpenAI Agents SDK as services run them, compared with the same run ungoverned.

Conversations at once, jobs from a queue, work that goes on after the answer, agents that are made for each request, a
person who answers through a stored state. What ran by the application's own counters is what the log says was decided,
it is what ran without Halo, and what comes out is the same.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    Model,
    ModelProvider,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    Runner,
    RunState,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    handoff,
    input_guardrail,
    tool_input_guardrail,
)
from agents.extensions.handoff_filters import remove_all_tools
from counting import Actions, declare, list_refusals
from oa_app_parts import LOOKS, CountingModel, looks_once, make_agent, make_look, open_halo, require_whole
from openai.types.responses import ResponseTextDeltaEvent

from halo_openai_agents.testing import call

Guard = Callable[[Agent[Any]], Agent[Any]]
Options = Callable[..., dict[str, Any]]
Run = Callable[[], Any]


async def read(agent: Agent[Any], given: Any, **options: Any) -> tuple[str, Any]:
    """Stream a run; its words and its result."""
    result = Runner.run_streamed(agent, given, **options)
    words = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    return "".join(words), result


def conversations_at_once(guard: Guard, options: Options, actions: Actions) -> Run:
    """Three conversations side by side, two turns each, streamed, with sessions of their own."""
    second = looks_once(actions, "second")
    script = [call("over", ("transfer_to_second", {}), id="o1"), "again"]
    agent = guard(make_agent(actions, "outer", script, handoffs=[handoff(second, input_filter=remove_all_tools)]))

    async def talk(name: str) -> list[Any]:
        session, said = SQLiteSession(name), []
        for words in ("What is rain?", "And wind?"):
            text, result = await read(agent, words, session=session, **options())
            said.append((text, result.last_agent.name, len(await session.get_items())))
        return said

    async def go() -> Any:
        return await asyncio.gather(*map(talk, "abc"))

    return go


def jobs_from_a_queue(guard: Guard, options: Options, actions: Actions) -> Run:
    """Threads that were started before take jobs from a queue and run them synchronously."""
    agent = guard(looks_once(actions, "outer", is_named=False))

    async def go() -> Any:
        jobs: queue.Queue[str | None] = queue.Queue()
        done: list[str] = []

        def work() -> None:
            asyncio.set_event_loop(asyncio.new_event_loop())
            while (job := jobs.get()) is not None:
                done.append(f"{job}: {Runner.run_sync(agent, job, **options()).final_output}")
            asyncio.get_event_loop().close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for job in ["rain", "wind", "snow", "sun", *[None] * len(threads)]:
            jobs.put(job)
        for thread in threads:
            await asyncio.to_thread(thread.join, 60)
        return sorted(done)

    return go


def work_that_goes_on_after_the_answer(guard: Guard, options: Options, actions: Actions) -> Run:
    """A tool that starts a run in a task, which ends after the run that started it."""
    started: list[asyncio.Task[Any]] = []

    @function_tool
    async def start_research(q: str) -> str:
        """Start a research in the background."""
        actions.note("tool_call", "start_research")

        async def work() -> str:
            await asyncio.sleep(0.05)
            return str((await Runner.run(looks_once(actions, "research"), q)).final_output)

        started.append(asyncio.create_task(work()))
        return "started"

    agent = guard(
        looks_once(actions, "outer", ("start_research", {"q": "rain"}), is_named=False, tools=[start_research])
    )

    async def go() -> Any:
        said = (await Runner.run(agent, "rain?", **options())).final_output
        return said, await asyncio.gather(*started)

    return go


def agents_made_for_each_request(guard: Guard, options: Options, actions: Actions) -> Run:
    """A factory that makes the agent, its tools and its helper anew for each of twenty requests."""

    async def serve(number: int) -> str:
        helper = make_agent(actions, "helper", ["helped"])
        tools = [make_look(actions), helper.as_tool("ask_helper", "Ask the helper.")]
        actions.note("tool_call", "ask_helper")
        calls = (("look", {"q": f"rain {number}"}), ("ask_helper", {"input": f"wind {number}"}))
        agent = guard(looks_once(actions, "outer", *calls, is_named=False, tools=tools))
        return str((await Runner.run(agent, f"request {number}", **options())).final_output)

    async def go() -> Any:
        return [await serve(number) for number in range(20)]

    return go


def a_loop_at_a_terminal(guard: Guard, options: Options, actions: Actions) -> Run:
    """Turns that carry the list of inputs and the last agent on, as the SDK's demo loop does."""
    back = make_agent(actions, "back", [call("look", LOOKS, id="b1"), "b", "c"], tools=[make_look(actions)])
    front = make_agent(actions, "front", [call("over", ("transfer_to_back", {}), id="f1")], handoffs=[back])
    agent = guard(front)

    async def go() -> Any:
        current, items, said = agent, [], []
        for words in ("rain?", "wind?", "snow?"):
            items.append({"role": "user", "content": words})
            text, result = await read(current, items, **options())
            current, items = result.last_agent, result.to_input_list()
            said.append((text, current.name, len(items)))
        return said

    return go


def a_person_who_answers_through_a_stored_state(guard: Guard, options: Options, actions: Actions) -> Run:
    """Calls that wait for a person, stored as JSON, of which one is approved and one rejected."""

    @function_tool(needs_approval=True)
    def fetch(q: str) -> str:
        """Fetch something."""
        actions.note("tool_call", "fetch")
        return f"fetched {q}"

    calls = (("fetch", {"q": "rain"}), ("fetch", {"q": "wind"}), LOOKS)
    agent = guard(looks_once(actions, "outer", *calls, is_named=False, tools=[fetch, make_look(actions)]))

    async def go() -> Any:
        result = await Runner.run(agent, "rain?", **options())
        asked = [item.raw_item.arguments for item in result.interruptions]
        state = await RunState.from_json(agent, result.to_state().to_json())
        first, second = state.get_interruptions()
        state.approve(first)
        state.reject(second)
        result = await Runner.run(agent, state, **options())
        return asked, result.final_output, [str(getattr(item, "output", "")) for item in result.new_items]

    return go


class Router(Model):
    """Asks one of several deployments, the next where one fails."""

    def __init__(self, actions: Actions, *deployments: Model) -> None:
        self.actions, self.deployments = actions, deployments

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        self.actions.note("inference", "Router")
        for deployment in self.deployments:
            try:
                return await deployment.get_response(*args, **kwargs)
            except ConnectionError:
                continue
        raise ConnectionError("none answers")

    async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        self.actions.note("inference", "Router")
        for deployment in self.deployments:
            try:
                async for event in deployment.stream_response(*args, **kwargs):
                    yield event
            except ConnectionError:
                continue
            return


class Broken(CountingModel):
    """A deployment that does not answer."""

    def say(self, model_input: Any) -> Any:
        super().say(model_input)
        raise ConnectionError("gone")


class Provider(ModelProvider):
    """Gives a router for each name, as providers over many vendors do."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def get_model(self, model_name: str | None) -> Model:
        script = [call("look", LOOKS, id=f"{model_name}-1"), f"{model_name} is done"]
        self.made = CountingModel(self.actions, script, str(model_name))
        return Router(self.actions, Broken(self.actions, [], "broken"), self.made)


def a_provider_with_a_router(guard: Guard, options: Options, actions: Actions) -> Run:
    """Models by names of a provider, behind a router that tries the next deployment."""
    agent = guard(Agent(name="outer", model="vendor/large", tools=[make_look(actions)]))
    config = RunConfig(model_provider=Provider(actions))

    async def go() -> Any:
        given = {"run_config": config, **options(run_config=config)}
        result = await Runner.run(agent, "rain?", **given)
        return result.final_output, (await read(agent, "wind?", **given))[0]

    return go


def guardrails_on_all_sides(guard: Guard, options: Options, actions: Actions) -> Run:
    """A guardrail before the run that asks an agent, one of a tool that asks a model, and hooks that call a tool."""
    look = make_look(actions)

    @input_guardrail(run_in_parallel=False)
    async def check(context: RunContextWrapper[Any], _agent: Agent[Any], given: Any) -> GuardrailFunctionOutput:
        found = await Runner.run(make_agent(actions, "checker", ["fine"]), str(given), context=context.context)
        return GuardrailFunctionOutput(output_info=found.final_output, tripwire_triggered=False)

    @tool_input_guardrail
    async def watch(data: Any) -> ToolGuardrailFunctionOutput:
        found = await Runner.run(make_agent(actions, "watcher", ["fine"]), data.context.tool_arguments)
        if "wind" in data.context.tool_arguments:
            return ToolGuardrailFunctionOutput.reject_content(f"not {found.final_output}")
        return ToolGuardrailFunctionOutput.allow()

    @function_tool(tool_input_guardrails=[watch])
    def fetch(q: str) -> str:
        """Fetch something."""
        actions.note("tool_call", "fetch")
        return f"fetched {q}"

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Agent[Any]) -> None:
            await Runner.run(looks_once(actions, "greeter", tools=[look]), "hello")

    calls = (("fetch", {"q": "rain"}), ("fetch", {"q": "wind"}))
    agent = guard(looks_once(actions, "outer", *calls, is_named=False, tools=[fetch], input_guardrails=[check]))

    async def go() -> Any:
        hooks = Hooks()
        result = await Runner.run(agent, "rain?", **{"hooks": hooks, **options(hooks=hooks)})
        return result.final_output, [str(getattr(item, "output", "")) for item in result.new_items]

    return go


APPS: list[Callable[[Guard, Options, Actions], Run]] = [
    conversations_at_once,
    jobs_from_a_queue,
    work_that_goes_on_after_the_answer,
    agents_made_for_each_request,
    a_loop_at_a_terminal,
    a_person_who_answers_through_a_stored_state,
    a_provider_with_a_router,
    guardrails_on_all_sides,
]
READS = ("look", "fetch", "start_research", "ask_helper")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("build", APPS)
async def test_each_service_runs_as_without_halo(tmp_path, build, with_options, mode):
    home, actions, free = tmp_path / "home", Actions(), Actions()
    expected = await build(lambda agent: agent, lambda **_given: {}, free)()
    declare(home, *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS))
    with open_halo(home, mode) as halo:
        options = halo.run_options if with_options else lambda **_given: {}
        found = await asyncio.wait_for(build(halo.guard, options, actions)(), 60)
    assert list_refusals(home) == []
    require_whole(home, actions)
    assert actions.count() == free.count()
    assert found == expected
