"""Sessions of runs whose agent has no guard, of resumed runs, and of recorded answers."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from agents import Agent, Runner, RunState, SQLiteSession, function_tool
from oa_world import LOOK, RAN, agent, look, trusted

from halo_core.errors import Denied
from halo_openai_agents.testing import ScriptedModel, call

NOTED: list[str] = []


@function_tool
def note(text: str) -> str:
    """Note a text."""
    NOTED.append(text)
    return "noted"


@function_tool(needs_approval=True)
def send(to: str) -> str:
    """Send something."""
    NOTED.append(to)
    return "sent"


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()
    NOTED.clear()


def ungoverned(halo: Any, *script: Any) -> Agent[Any]:
    """An agent without a guard; its model and its tool have one."""
    model = halo.guard(ScriptedModel(script=list(script) or [LOOK, "done"]))
    return Agent(name="plain", model=model, tools=[halo.guard(look, resource=trusted())])


async def test_each_outermost_run_of_an_unguarded_agent_is_a_session(world, halo):
    await Runner.run(ungoverned(halo), "go")
    first = world.sessions()
    await asyncio.gather(Runner.run(ungoverned(halo), "go"), Runner.run(ungoverned(halo), "go"))
    assert len(first) == 1
    assert len(world.sessions()) == 3
    assert all(name.startswith("run-") for name in world.sessions())


async def test_or_the_conversation_that_the_sdk_carries(world, halo):
    for _ in range(2):
        await Runner.run(ungoverned(halo), "go", session=SQLiteSession("case-7"))
    assert world.sessions() == {"thread:case-7"}


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_run_inside_of_an_unguarded_tool_is_part_of_it(world, halo, guarded):
    inner = halo.guard(ungoverned(halo)) if guarded else ungoverned(halo)

    @function_tool
    async def ask(question: str) -> str:
        """Ask somebody."""
        return str((await Runner.run(inner, question)).final_output)

    asking = call("ask", ("ask", {"question": "?"}), id="o1")
    outer = Agent(name="outer", model=halo.guard(ScriptedModel(script=[asking, "done"])), tools=[ask])
    await Runner.run(outer, "go")
    assert len(world.sessions()) == 1


@pytest.mark.parametrize("host", ["case-7", ""])
async def test_a_run_that_the_sdks_own_approval_paused_goes_on_in_its_session(world, halo, host):
    sending = call("send", ("send", {"to": "bo"}), id="m1")

    def build(*script: Any) -> Any:
        return halo.guard(agent("worker", list(script), [halo.guard(send, resource=trusted())]))

    async def begin() -> Any:
        return await Runner.run(build(sending, "done"), "send")

    if host:
        with halo.session(host):
            result = await begin()
    else:
        result = await begin()
    state = result.to_state()
    for item in state.get_interruptions():
        state.approve(item)
    kept, again = state.to_string(), build("done")
    result = await Runner.run(again, await RunState.from_string(again, kept))
    assert NOTED == ["bo"]
    assert len(world.sessions()) == 1
    assert not host or world.sessions() == {host}


async def test_a_recording_that_is_played_again_in_its_conversation_works_again(halo):
    noting = call("note", ("note", {"text": "hi"}), id="m1")
    for _ in range(3):
        guarded = halo.guard(agent("worker", [noting, "done"], [halo.guard(note, resource=trusted())]))
        await Runner.run(guarded, "go", session=SQLiteSession("case-7"))
    assert NOTED == ["hi"] * 3


async def test_while_a_state_that_is_gone_on_from_twice_sends_once(halo):
    both = call("both", ("note", {"text": "hi"}), ("send", {"to": "bo"}), id="m1")
    tools = [halo.guard(note, resource=trusted()), halo.guard(send, resource=trusted())]
    result = await Runner.run(halo.guard(agent("worker", [both, "done"], tools)), "go")
    state = result.to_state()
    for item in state.get_interruptions():
        state.approve(item)
    for _ in range(2):
        again = halo.guard(agent("worker", ["done"], tools))
        await Runner.run(again, await RunState.from_string(again, state.to_string()))
    assert sorted(NOTED) == ["bo", "hi"]


def test_what_runs_in_a_raw_thread_of_a_request_still_has_none(halo):
    refused: list[str] = []
    model = halo.guard(ScriptedModel(script=["hello"]))
    bare = Agent(name="plain", model=model)

    def work() -> None:
        try:
            asyncio.run(Runner.run(bare, "go"))
        except Denied as denied:
            refused.append(denied.reason)

    with halo.session("started"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert refused == ["session_missing"]
