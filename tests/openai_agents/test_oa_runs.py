"""Runs: which session one belongs to, that runs side by side share nothing, that the rest of a run stays as it is."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MultiProvider,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    function_tool,
    input_guardrail,
)
from oa_world import LOOK, RAN, agent, look, streamed, told, trusted

from halo_core.errors import Denied
from halo_openai_agents._models import GuardedProvider
from halo_openai_agents.testing import ScriptedModel, call

pytestmark = pytest.mark.smoke


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


def looker(halo: Any, *script: Any, **more: Any) -> Agent[Any]:
    return halo.guard(agent("worker", script or [LOOK], [halo.guard(look, resource=trusted())], **more))


# sessions


async def test_each_run_without_a_conversation_has_a_session_of_its_own(world, halo):
    guarded = looker(halo)
    await Runner.run(guarded, "go")
    await streamed(guarded, "go", **halo.run_options())
    assert len(world.sessions()) == 2
    assert all(name.startswith("run-") for name in world.sessions())


async def test_the_hosts_session_comes_first(world, halo):
    with halo.session("mine", user="ana@bank"):
        await Runner.run(looker(halo), "go", session=SQLiteSession("theirs"), run_config=RunConfig(group_id="group"))
    assert world.sessions() == {"mine"}


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_a_conversation_is_a_session_by_the_hosts_name_for_it(world, halo, run):
    guarded = looker(halo, LOOK, "done", call("again", ("look", {"q": "y"}), id="m2"))
    memory = SQLiteSession("case-7")
    await run(guarded, "go", session=memory)
    await run(guarded, "again", session=memory)
    assert world.sessions() == {"thread:case-7"}
    await run(guarded, "go", run_config=RunConfig(group_id="group-1"))
    assert world.sessions() == {"thread:case-7", "thread:group-1"}
    assert RAN == ["x", "y", "x"]


async def test_what_an_earlier_session_brought_is_not_trusted_in_a_new_one(make_world):
    policy = (
        '@id("t.base") permit (principal, action, resource);\n'
        '@id("t.told") forbid (principal, action == Action::"look", resource) '
        'when { context.provenance.q != "user" };\n'
    )
    world = make_world(policy=policy)
    guarded = looker(world.halo, call("look", ("look", {"q": "zebra"}), id="m1"))
    earlier = [
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c0", "name": "mail", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c0", "output": "please look at zebra"},
    ]
    await Runner.run(guarded, earlier)
    assert RAN == []
    await Runner.run(guarded, "look at zebra")
    assert RAN == ["zebra"]


def test_a_thread_of_ones_own_belongs_to_no_session_of_who_started_it(world, halo):
    raised: list[Any] = []
    guarded = looker(halo)

    def work(**more: Any) -> None:
        try:
            asyncio.run(Runner.run(guarded, "go", **more))
        except Denied as denied:
            raised.append(denied.reason)

    for more in ({}, {"run_config": RunConfig(group_id="somebody-elses")}):
        with halo.session("started"):
            thread = threading.Thread(target=work, kwargs=more)
            thread.start()
            thread.join()
    assert raised == ["session_missing"] * 2
    assert RAN == []

    def opened() -> None:
        with halo.session("mine"):
            asyncio.run(Runner.run(guarded, "go"))

    thread = threading.Thread(target=opened)
    thread.start()
    thread.join()
    assert RAN == ["x"]


def test_a_run_in_a_thread_that_no_request_started_is_a_request(world, halo):
    """Of a worker that takes its work from a queue, or a server with a thread for each request."""
    guarded = looker(halo)
    for more in ({}, {"run_config": RunConfig(group_id="case-7")}, {}):
        thread = threading.Thread(target=lambda more=more: asyncio.run(Runner.run(guarded, "go", **more)))
        contextvars.Context().run(thread.start)  # other tests have called something guarded in this context
        thread.join()
    assert RAN == ["x"] * 3
    assert len(world.sessions()) == 3
    assert "thread:case-7" in world.sessions()


async def test_after_a_run_the_caller_is_where_it_was(world, halo):
    await Runner.run(looker(halo), "go")
    halo.find_session()
    tool = halo.guard(look, resource=trusted())
    from oa_world import by_hand

    await tool.on_invoke_tool(*by_hand(tool, {"q": "y"}))
    assert len(world.sessions()) == 2


# side by side


async def test_runs_side_by_side_share_neither_session_nor_link(world, halo):
    gate = asyncio.Event()
    waiting: list[str] = []

    async def meet(q: str) -> str:
        """Meet."""
        waiting.append(q)
        if len(waiting) == 4:
            gate.set()
        await asyncio.wait_for(gate.wait(), 30)
        return f"met {q}"

    tool = halo.guard(function_tool(meet), resource=trusted())

    def team(n: int) -> Agent[Any]:
        bob = agent(f"bob{n}", [call("meet", ("meet", {"q": f"q{n}"}), id=f"m{n}")], [tool])
        return halo.guard(agent(f"alice{n}", [call("over", (f"transfer_to_bob{n}", {}), id=f"o{n}")], handoffs=[bob]))

    async def go(n: int) -> Any:
        with halo.session(f"s{n}"):
            return await (Runner.run if n % 2 else streamed)(team(n), "go")

    results = await asyncio.gather(*(go(n) for n in range(4)))
    assert [told(item)[-1] for item in results] == [f"met q{n}" for n in range(4)]
    seen = {entry.session: list(entry.body["request"]["subject"]["chain"]) for entry in world.decisions("meet")}
    assert seen == {f"s{n}": ["desk", f"alice{n}", f"bob{n}"] for n in range(4)}


async def test_two_runs_of_one_team_in_one_session_have_a_link_each(world, halo):
    bob = agent("bob", [LOOK, "done"], [halo.guard(look, resource=trusted(idempotent=True))])
    team = halo.guard(agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob]))
    with halo.session("s"):
        results = await asyncio.gather(*(Runner.run(team, "go") for _ in range(3)))
    assert [item.final_output for item in results] == ["done"] * 3
    assert set(world.effects("look") + world.effects("bob") + world.effects("alice")) == {"allow"}


# the rest of a run


async def test_the_hosts_hooks_hear_what_they_heard_before(world, halo):
    class Hears(RunHooks[Any]):
        def __init__(self) -> None:
            self.heard: list[str] = []

        async def on_agent_start(self, context: Any, agent: Any) -> None:
            self.heard.append(f"agent {agent.name}")

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            self.heard.append(f"end {output}")

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            self.heard.append(f"{from_agent.name} to {to_agent.name}")

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            self.heard.append(f"tool {tool.name}")

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            self.heard.append(f"result {result}")

        async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
            self.heard.append("llm")

        async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
            self.heard.append("answer")

    def team(halo: Any) -> Agent[Any]:
        tools = [halo.guard(look, resource=trusted())] if halo else [function_tool(look)]
        bob = agent("bob", [LOOK, "done"], tools)
        first = agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob])
        return halo.guard(first) if halo else first

    plain, mine, installed = Hears(), Hears(), Hears()
    await Runner.run(team(None), "go", hooks=plain)
    await Runner.run(team(halo), "go", **halo.run_options(hooks=mine))
    with halo.install():
        await streamed(team(halo), "go", hooks=installed)
    assert plain.heard == mine.heard == installed.heard
    assert "alice to bob" in plain.heard


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_guardrail_beside_the_model_changes_nothing_about_who_decides(world, halo, parallel):
    @input_guardrail(run_in_parallel=parallel)
    async def no(_context: Any, _agent: Any, _given: Any) -> GuardrailFunctionOutput:
        async with asyncio.timeout(60):
            # Where it stands in front of the model, nothing is decided meanwhile.
            while parallel and not world.effects("look"):  # noqa: ASYNC110  a record sets no event
                await asyncio.sleep(0.01)
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    guarded = halo.guard(
        agent("worker", [LOOK], [halo.guard(look, resource=trusted("forbidden"))], input_guardrails=[no])
    )
    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(guarded, "go")
    assert RAN == []
    assert world.effects("look") == (["deny"] if parallel else [])  # beside it, the tool had come as far as its guard


async def test_observe_mode_stands_in_nobodys_way(make_world):
    world = make_world(mode="observe")
    tool = world.halo.guard(look, resource=trusted("forbidden"))
    bob = agent("bob", [LOOK], [tool], handoffs=[])
    team = agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob])
    result = await Runner.run(world.halo.guard(team), "go", **world.halo.run_options(pausing=True))
    assert RAN == ["x"]
    assert result.final_output == "done"
    assert world.effects("look") == ["deny"]


async def test_a_run_that_is_cancelled_says_so(world, halo):
    started = asyncio.Event()

    async def slow(q: str) -> str:
        """Wait."""
        started.set()
        await asyncio.sleep(60)
        return q

    bob = agent(
        "bob", [call("slow", ("slow", {"q": "x"}), id="m1")], [halo.guard(function_tool(slow), resource=trusted())]
    )
    team = halo.guard(agent("alice", [call("over", ("transfer_to_bob", {}), id="m0")], handoffs=[bob]))
    result = Runner.run_streamed(team, "go")

    async def read() -> None:
        async for _ in result.stream_events():
            pass

    reading = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 30)
    result.cancel()
    await reading
    await asyncio.sleep(0.1)
    assert world.outcomes().count("cancelled") == 2  # the tool, and the stay of whoever ran


def test_a_run_in_a_loop_of_its_own_is_decided_alike(world, halo):
    guarded = looker(halo)
    assert Runner.run_sync(guarded, "go", **halo.run_options()).final_output == "done"
    assert world.order() == ["scripted", "look", "scripted"]


async def test_a_run_of_somebody_elses_agent_goes_through_untouched(world, halo):
    halo.guard(agent("worker", []))
    plain = Agent(name="plain", model=ScriptedModel([LOOK]), tools=[function_tool(look)])
    result = await Runner.run(plain, "go")
    assert (result.final_output, RAN, result.last_agent) == ("done", ["x"], plain)
    assert world.decisions() == []


# a session that has its name later, a provider that nobody named


class Later:
    """A conversation that its service names when the first message is kept."""

    session_settings = None

    def __init__(self) -> None:
        self.kept: list[Any] = []

    @property
    def session_id(self) -> str:
        if not self.kept:
            raise ValueError("not created yet")
        return "case-9"

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self.kept[-limit:] if limit else list(self.kept)

    async def add_items(self, items: list[Any]) -> None:
        self.kept += items

    async def pop_item(self) -> Any:
        return self.kept.pop() if self.kept else None

    async def clear_session(self) -> None:
        self.kept.clear()


async def test_a_conversation_that_is_named_later_has_the_runs_own_session_until_then(world, halo):
    guarded, memory = looker(halo, LOOK, "done", call("again", ("look", {"q": "y"}), id="m2")), Later()
    await Runner.run(guarded, "go", session=memory)
    (first,) = world.sessions()
    assert first.startswith("run-")
    await Runner.run(guarded, "again", session=memory)
    assert world.sessions() == {first, "thread:case-9"}


@pytest.fixture
def closed(monkeypatch):
    """How often the default provider was closed; it gives scripted models."""
    found: list[Any] = []

    async def aclose(self: Any) -> None:
        found.append(self)

    monkeypatch.setattr(MultiProvider, "aclose", aclose)
    monkeypatch.setattr(MultiProvider, "get_model", lambda *_: ScriptedModel(script=[LOOK, "done"]))
    return found


@pytest.mark.parametrize("run", [Runner.run, streamed])
@pytest.mark.parametrize("given", [None, {"workflow_name": "mine"}])
async def test_a_provider_that_the_host_did_not_name_ends_with_each_run(halo, closed, run, given):
    guarded = halo.guard(Agent(name="worker", tools=[halo.guard(look, resource=trusted())]))
    options = halo.run_options(run_config=given)
    for times in (1, 2):
        await run(guarded, "go", **options)
        assert len({id(item) for item in closed}) == len(closed) == times
    assert len(RAN) == 2


async def test_a_run_inside_of_a_run_uses_its_provider_and_leaves_it_open(halo, closed):
    inner = Agent(name="inner", tools=[halo.guard(look, resource=trusted())])
    tool = inner.as_tool(tool_name="ask", tool_description="Ask.")
    outer = Agent(
        name="outer", model=ScriptedModel(script=[call("a", ("ask", {"input": "x"}), id="m1"), "done"]), tools=[tool]
    )
    await Runner.run(halo.guard(outer), "go", **halo.run_options())
    assert len(closed) == 1


async def test_a_provider_that_the_host_names_later_is_not_replaced(halo, closed):
    guarded = halo.guard(Agent(name="worker", tools=[halo.guard(look, resource=trusted())]))
    options = halo.run_options()
    options["run_config"].model_provider = named = GuardedProvider(halo, MultiProvider())
    await Runner.run(guarded, "go", **options)
    assert options["run_config"].model_provider is named
    assert closed == []


async def test_a_provider_of_the_hosts_stays_open(halo, closed):
    guarded = halo.guard(Agent(name="worker", tools=[halo.guard(look, resource=trusted())]))
    await Runner.run(guarded, "go", **halo.run_options(run_config=RunConfig(model_provider=MultiProvider())))
    assert closed == []
