"""The tripwire: what carries no guard does not run, wherever in the process it is started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import Agent, AgentHooks, RunHooks, Runner, UserError, function_tool
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from oa_world import LOOK, RAN, agent, look, streamed, told, trusted

from halo_core.errors import Denied
from halo_openai_agents._runner import HaloRunner
from halo_openai_agents.testing import ScriptedModel


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def plain() -> Agent[Any]:
    return agent("plain", [LOOK], [function_tool(look)])


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_an_agent_that_nobody_guarded_does_not_begin(world, halo, run):
    with halo.install(), pytest.raises(Denied) as denied:
        await run(plain(), "go")
    assert denied.value.reason == "unguarded"
    assert RAN == []
    assert world.shadows() == [("agent", "plain", True)]
    await run(plain(), "go")
    assert RAN == ["x"]


def test_it_stands_in_synchronous_runs_too(world, halo):
    with halo.install(), pytest.raises(Denied):
        Runner.run_sync(plain(), "go")
    assert RAN == []


async def test_run_options_refuse_an_agent_that_nobody_guarded(world, halo):
    for run in (Runner.run, streamed):
        with pytest.raises(Denied) as denied:
            await run(plain(), "go", **halo.run_options())
        assert denied.value.reason == "unguarded"
    assert RAN == []


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_a_model_that_was_put_into_a_guarded_agent_is_decided(world, halo, run):
    guarded = halo.guard(agent("worker", ["never"]))
    guarded.model = ScriptedModel(["hello"], model="other")
    assert (await run(guarded, "go")).final_output == "hello"
    assert world.effects("other") == ["allow"]
    assert world.shadows() == []


async def test_a_model_that_was_put_there_and_cannot_be_guarded_is_not_asked(world, halo):
    class Counting(ScriptedModel):
        def say(self, model_input: Any) -> Any:
            RAN.append("asked")
            return super().say(model_input)

    guarded = halo.guard(agent("worker", ["never"], [halo.guard(look)]))
    guarded.model = Counting(["hello"], model="look")  # the name of a tool
    for run in (Runner.run, streamed):
        with pytest.raises(Denied) as denied:
            await run(guarded, "go")
        assert denied.value.reason == "unguarded"
    assert RAN == []
    assert ("model", "look", True) in world.shadows()


async def test_a_tool_that_was_put_into_a_guarded_agent_is_granted_by_nobody(world, halo):
    guarded = halo.guard(agent("worker", [LOOK]))
    guarded.tools.append(function_tool(look))
    result = await Runner.run(guarded, "go")
    assert RAN == []
    assert "tool_not_granted" in told(result)[0]


async def test_observe_mode_records_what_runs_without_a_guard(make_world):
    world = make_world(mode="observe")
    with world.halo.install():
        await Runner.run(plain(), "go")
    assert RAN == ["x"]
    assert set(world.shadows()) == {
        ("agent", "plain", False),
        ("model", "scripted", False),
        ("tool", "look", False),
    }


async def test_what_one_halo_guards_all_let_pass(make_world):
    one, two = make_world(), make_world()
    guarded = one.halo.guard(agent("worker", [LOOK], [one.halo.guard(look, resource=trusted())]))
    with one.halo.install(), two.halo.install():
        assert (await Runner.run(guarded, "go")).final_output == "done"
        with pytest.raises(Denied):
            await Runner.run(plain(), "go")
    assert ("agent", "plain", True) in one.shadows()
    assert ("agent", "plain", True) in two.shadows()
    assert two.decisions() == []


async def test_a_tripwire_is_gone_when_the_last_installation_is(world, halo):
    one, two = halo.install(), halo.install()
    one.uninstall()
    one.uninstall()
    with pytest.raises(Denied):
        await Runner.run(plain(), "go")
    two.uninstall()
    await Runner.run(plain(), "go")
    assert RAN == ["x"]


async def test_hooks_that_are_none_are_refused_by_the_sdk_as_ever(world, halo):
    guarded = halo.guard(agent("worker", []))
    for run in (Runner.run, streamed):
        with pytest.raises(TypeError, match="Run hooks must be instances"):
            await run(guarded, "go", hooks=7)  # type: ignore[arg-type]


async def test_a_host_that_raises_in_its_hooks_stops_its_run_as_ever(world, halo):
    class Stops(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            raise ValueError("mine")

    guarded = halo.guard(agent("worker", [LOOK], [halo.guard(look, resource=trusted())]))
    with pytest.raises(UserError, match="mine"):
        await Runner.run(guarded, "go", **halo.run_options(hooks=Stops()))
    assert RAN == []
    with pytest.raises(UserError, match="mine"):
        await Runner.run(guarded, "go", **halo.run_options(hooks=Stops(), pausing=True))
    assert world.effects("look") == ["allow"]  # asked for by the pausing run, and never come to
    assert world.outcomes().count("paused") == 1


# the runner that stands before the process's own


async def test_a_runner_of_the_hosts_runs_what_it_ran(world, halo):
    class Mine(AgentRunner):
        ran: list[str] = []  # noqa: RUF012  one for the class

        async def run(self, starting_agent: Any, given: Any, **kwargs: Any) -> Any:
            self.ran.append(starting_agent.name)
            return await super().run(starting_agent, given, **kwargs)

    set_default_agent_runner(Mine())
    guarded = halo.guard(agent("worker", ["hello"]))
    await Runner.run(guarded, "go")
    await Runner.run(plain(), "go")
    assert Mine.ran == ["worker", "plain"]
    assert isinstance(get_default_agent_runner(), HaloRunner)
    halo.run_options()
    assert isinstance(get_default_agent_runner().inner, Mine)  # once is enough


async def test_a_runner_that_is_set_afterwards_leaves_every_guard_where_it_is(world, halo):
    guarded = halo.guard(agent("worker", [LOOK], [halo.guard(look, resource=trusted("forbidden"))]))
    set_default_agent_runner(AgentRunner())
    result = await Runner.run(guarded, "go")
    assert RAN == []
    assert "policy_denied" in told(result)[0]
    await Runner.run(guarded, "go", **halo.run_options())
    assert isinstance(get_default_agent_runner(), HaloRunner)


def test_what_starts_in_a_thread_is_seen_too(world, halo):
    async def go() -> Any:
        return await asyncio.to_thread(lambda: asyncio.run(Runner.run(plain(), "go")))

    with halo.install(), pytest.raises(Denied):
        asyncio.run(go())
    assert RAN == []


async def test_hooks_that_are_no_runs_hooks_are_refused_as_the_sdk_refuses_them(halo):
    guarded = halo.guard(agent("worker", [LOOK], [function_tool(look)]))
    with pytest.raises(TypeError, match="Run hooks"):
        await Runner.run(guarded, "go", **halo.run_options(hooks=AgentHooks()))
