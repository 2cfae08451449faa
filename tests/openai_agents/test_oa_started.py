"""What code inside a guarded run starts by itself: guarded on the spot, and decided under its own agent's name."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from agents import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunConfig,
    Runner,
    WebSearchTool,
    function_tool,
    handoff,
)
from agents.run import AgentRunner
from oa_world import LOOK, RAN, agent, look, stored, streamed, told, trusted
from test_oa_mcp import Tiny

from halo_openai_agents import Halo, HandOff
from halo_openai_agents.testing import ScriptedModel, call

NO_LOOK = """
@id("t.base") permit (principal, action, resource);
@id("t.no") forbid (principal, action == Action::"look", resource);
"""
ASK = call("asking", ("ask", {"q": "x"}), id="b1")


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def plain(name: str = "plain", *, script: Any = (LOOK, "plain is done"), **more: Any) -> Agent[Any]:
    return Agent(
        name=name, model=ScriptedModel(list(script), model=f"model of {name}"), tools=[function_tool(look)], **more
    )


def boss(body: Any) -> Agent[Any]:
    return agent("boss", [ASK, "boss is done"], [function_tool(body, name_override="ask")])


async def by_run(q: str) -> str:
    """Ask."""
    return str((await Runner.run(plain(), q)).final_output)


async def by_stream(q: str) -> str:
    """Ask."""
    return str((await streamed(plain(), q)).final_output)


def by_run_sync(q: str) -> str:
    """Ask."""
    return str(Runner.run_sync(plain(), q).final_output)


async def in_a_thread(q: str) -> str:
    """Ask."""
    return str((await asyncio.to_thread(Runner.run_sync, plain(), q)).final_output)


async def in_a_task(q: str) -> str:
    """Ask."""
    return str((await asyncio.create_task(Runner.run(plain(), q))).final_output)


async def by_a_runner_of_its_own(q: str) -> str:
    """Ask."""
    return str((await AgentRunner().run(plain(), q)).final_output)


async def by_a_stream_of_its_own(q: str) -> str:
    """Ask."""
    running = AgentRunner().run_streamed(plain(), q)
    async for _ in running.stream_events():
        pass
    return str(running.final_output)


def by_a_synchronous_runner_of_its_own(q: str) -> str:
    """Ask."""
    return str(AgentRunner().run_sync(plain(), q).final_output)


class Mine(AgentRunner):
    """A runner of the application."""

    async def run(self, starting_agent: Any, given: Any, **kwargs: Any) -> Any:
        return await super().run(starting_agent, given, **kwargs)


async def by_a_runner_of_a_class_of_its_own(q: str) -> str:
    """Ask."""
    return str((await Mine().run(plain(), q)).final_output)


async def with_a_configuration(q: str) -> str:
    """Ask."""
    model = ScriptedModel([LOOK, "plain is done"], model="model of plain")
    return str((await Runner.run(plain(script=()), q, run_config=RunConfig(model=model))).final_output)


async def as_a_tool(q: str) -> str:
    """Ask."""
    script = [call("over", ("ask_plain", {"input": q}), id="o1"), "plain is done"]
    outer = agent("outer", script, [plain().as_tool("ask_plain", "Ask.")])
    return str((await Runner.run(outer, q)).final_output)


async def by_a_hand_off(q: str) -> str:
    """Ask."""
    outer = agent("outer", [call("over", ("transfer_to_plain", {}), id="o1")], handoffs=[plain()])
    return str((await Runner.run(outer, q)).final_output)


WAYS = [
    by_run,
    by_stream,
    by_run_sync,
    in_a_thread,
    in_a_task,
    with_a_configuration,
    as_a_tool,
    by_a_hand_off,
    by_a_runner_of_its_own,
    by_a_stream_of_its_own,
    by_a_synchronous_runner_of_its_own,
    by_a_runner_of_a_class_of_its_own,
]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize("options", [False, True])
@pytest.mark.parametrize("body", WAYS)
@pytest.mark.matrix
async def test_an_agent_that_a_tool_starts_is_decided_under_its_own_name(make_world, unblocked, mode, options, body):
    world = make_world(mode=mode)
    unblocked.deactivate()  # a synchronous run inside a loop's thread may wait
    guarded = world.halo.guard(boss(body))
    result = await Runner.run(guarded, "go", **(world.halo.run_options() if options else {}))
    assert told(result) == ["plain is done"]
    assert RAN == ["x"]
    assert world.chains("look")[0][-1] == "plain"
    assert world.chains("model of plain")[0][-1] == "plain"
    assert "ask" in world.order()
    assert world.effects("plain")[0] == "allow"
    assert world.shadows() == []
    assert len(world.sessions()) == 1


@pytest.mark.parametrize("body", WAYS)
async def test_what_its_tools_may_not_does_not_run(make_world, unblocked, body):
    world = make_world(policy=NO_LOOK)
    unblocked.deactivate()
    await Runner.run(world.halo.guard(boss(body)), "go", **world.halo.run_options())
    assert RAN == []
    assert world.effects("look") == ["deny"]


@pytest.mark.parametrize("where", ["input guardrail", "output guardrail", "instructions", "hooks", "callback"])
async def test_an_agent_that_other_code_of_the_app_starts_is_decided_too(make_world, where):
    world = make_world()

    async def ask(*_given: Any) -> Any:
        await Runner.run(plain(), "look")
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    class Hooks(AgentHooks[Any]):
        async def on_start(self, context: Any, agent: Any) -> None:
            await ask()

    async def instruct(_context: Any, _agent: Any) -> str:
        await ask()
        return "Do it."

    made = agent("boss", ["boss is done"])
    if where == "input guardrail":
        made.input_guardrails = [InputGuardrail(ask)]
    elif where == "output guardrail":
        made.output_guardrails = [OutputGuardrail(ask)]
    elif where == "instructions":
        made.instructions = instruct
    elif where == "hooks":
        made.hooks = Hooks()
    else:
        made.model = ScriptedModel([call("over", ("transfer_to_bob", {}), id="o1")])
        made.handoffs = [handoff(agent("bob", ["bob is done"]), on_handoff=lambda _context: ask())]
    result = await Runner.run(world.halo.guard(made), "go", **world.halo.run_options())
    assert result.final_output.endswith("is done")
    assert RAN == ["x"]
    assert world.chains("look")[0][-1] == "plain"
    assert world.effects("model of plain") == ["allow", "allow"]


async def test_tools_of_servers_in_it_are_decided_too(world, halo):
    async def ask(q: str) -> str:
        """Ask."""
        script = [call("f", ("find", {"q": q}), id="m1"), "found"]
        return str((await Runner.run(agent("plain", script, mcp_servers=[Tiny("find")]), q)).final_output)

    result = await Runner.run(halo.guard(boss(ask)), "go", **halo.run_options())
    assert told(result) == ["found"]
    assert RAN == [("find", {"q": "x"})]
    assert world.chains("find") == [["desk", "plain"]]


@pytest.mark.parametrize("give", [False, True])
async def test_below_a_hand_off_it_is_what_its_giver_may_give(make_world, give):
    world = make_world()
    bob = agent("bob", [ASK, "bob is done"], [function_tool(by_run, name_override="ask")])
    alice = agent("alice", [call("over", ("transfer_to_bob", {}), id="o1")], handoffs=[bob])
    terms = {"bob": HandOff(to=())} if give else None
    result = await Runner.run(world.halo.guard(alice, give=terms), "go", **world.halo.run_options())
    assert result.final_output == "bob is done"
    assert ([] if give else ["x"]) == RAN
    assert world.effects("plain") == (["deny"] if give else ["allow"])
    if not give:
        assert world.chains("look") == [["desk", "alice", "bob", "plain"]]


async def test_below_a_hand_off_tools_of_a_server_are_granted_when_it_lists_them(world, halo):
    bob = agent("bob", [call("f", ("find", {"q": "x"}), id="m1"), "bob is done"], mcp_servers=[Tiny("find")])
    alice = agent("alice", [call("over", ("transfer_to_bob", {}), id="o1")], handoffs=[bob])
    await Runner.run(halo.guard(alice), "go", **halo.run_options())
    assert RAN == [("find", {"q": "x"})]


async def test_a_tool_of_its_providers_is_refused(world, halo):
    async def ask(q: str) -> str:
        """Ask."""
        made = plain(script=["never"])
        made.tools.append(WebSearchTool())
        return str((await Runner.run(made, q)).final_output)

    result = await Runner.run(halo.guard(boss(ask)), "go", **halo.run_options())
    assert "hosted_tool" in world.codes("model of plain")
    assert "never" not in str(told(result))


async def test_a_tool_whose_name_is_taken_by_another_is_refused_and_the_run_goes_on(world, halo):
    def look(places: list[str]) -> str:
        """Look at places."""
        RAN.append(places)
        return "seen"

    halo.guard(function_tool(look), resource=trusted())
    result = await Runner.run(halo.guard(boss(by_run)), "go", **halo.run_options())
    assert RAN == []
    assert told(result) == ["plain is done"]
    assert world.effects("look") == ["deny"]
    world.run("verify")


async def test_what_the_host_declared_of_a_tool_holds_for_its_namesake(world, halo):
    halo.guard(look, resource=trusted("forbidden"))
    await Runner.run(halo.guard(boss(by_run)), "go", **halo.run_options())
    assert RAN == []
    assert "forbidden" in halo.find_registered("look").labels


@pytest.mark.parametrize("mode", ["enforce", "observe"])
async def test_an_agent_that_cannot_be_guarded_is_refused_by_name(make_world, mode):
    world = make_world(mode=mode)
    world.halo.guard(function_tool(look, name_override="plain"))  # a tool of that name
    result = await Runner.run(world.halo.guard(boss(by_run)), "go", **world.halo.run_options())
    assert ([] if mode == "enforce" else ["x"]) == RAN
    assert ("agent", "plain", mode == "enforce") in world.shadows()
    assert ("unguarded" in told(result)[0]) == (mode == "enforce")


async def test_a_stored_state_of_an_agent_without_a_guard_is_refused(world, halo):
    made = plain()
    made.tools = [function_tool(look, needs_approval=True)]
    state = await stored(made, await Runner.run(made, "go"))
    state.approve(state.get_interruptions()[0])

    async def ask(q: str) -> str:
        """Ask."""
        return str((await Runner.run(made, state)).final_output)

    result = await Runner.run(halo.guard(boss(ask)), "go", **halo.run_options())
    assert RAN == []
    assert "unguarded" in told(result)[0]


def served(source: str) -> Any:
    """A tool of a server: each has the same code, and holds a server of its own."""

    def look(q: str) -> str:
        """Look."""
        RAN.append(source)
        return f"{source} {q}"

    return function_tool(look)


@pytest.mark.parametrize("source", ["mine", "theirs"])
@pytest.mark.parametrize("seen_before", [True, False])
async def test_a_started_agent_has_the_grant_of_a_guarded_tool_for_that_tool_alone(world, halo, source, seen_before):
    async def ask(q: str) -> str:
        """Ask."""
        script = [LOOK, "inner is done"]
        result = await Runner.run(agent("inner", script, [served("mine" if RAN == ["early"] else source)]), q)
        return " ".join(told(result))

    if seen_before:
        RAN.append("early")
        await Runner.run(halo.guard(boss(ask)), "go", **halo.run_options())
        RAN.clear()
    kept = halo.guard(served("mine"), resource=trusted())
    result = await Runner.run(halo.guard(boss(ask)), "go", **halo.run_options())
    assert (["mine"] if source == "mine" else []) == RAN
    assert ("needs_guard" in told(result)[0]) == (source == "theirs")
    assert kept.name == "look"


async def test_outside_of_a_guarded_run_nothing_is_guarded(world, halo):
    await Runner.run(halo.guard(agent("boss", ["boss is done"])), "go", **halo.run_options())
    await Runner.run(plain(), "go")
    thread = threading.Thread(target=lambda: Runner.run_sync(plain(), "go"))  # as `install` and the doctor say
    thread.start()
    await asyncio.to_thread(thread.join)
    assert RAN == ["x", "x"]
    assert "look" not in world.order()


def test_under_the_starter_policy_an_agent_inside_a_tool_wipes_nothing(tmp_path):
    def wipe_account(account: str) -> str:
        """Wipe an account."""
        RAN.append(account)
        return "wiped"

    async def ask(q: str) -> str:
        """Ask."""
        script = [call("w", ("wipe_account", {"account": "ACC-1"}), id="s1"), "sub done"]
        return str((await Runner.run(agent("cleaner", script, [function_tool(wipe_account)]), q)).final_output)

    with Halo.local("desk", mode="enforce", home=tmp_path / "halo", quiet=True) as halo:
        result = Runner.run_sync(halo.guard(boss(ask)), "do it", **halo.run_options())
        assert RAN == []
        assert told(result) == ["sub done"]
        assert halo.find_registered("wipe_account") is not None
