"""`halo doctor` for the OpenAI Agents SDK: what is decided, what can run undecided, what nothing can intercept."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    LocalShellTool,
    OpenAIResponsesModel,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    WebSearchTool,
    function_tool,
    handoff,
)
from agents.memory import OpenAIResponsesCompactionSession
from agents.realtime import RealtimeAgent
from oa_world import agent, look, pay, trusted
from openai import AsyncOpenAI
from test_oa_mcp import Tiny

from halo_core.doctor import Finding, FindingKind, FindingStatus, count_by_status
from halo_openai_agents import doctor
from halo_openai_agents.testing import ScriptedModel

pytestmark = pytest.mark.smoke


def rows(found: Any, kind: FindingKind | None = None) -> set[tuple[str, str, str]]:
    """Kind, name and status of what is found."""
    listed: list[Finding] = doctor(found, name="app")
    return {(item.kind.value, item.name, item.status.value) for item in listed if kind in (None, item.kind)}


def row(found: Any, name: str) -> Finding:
    return next(item for item in doctor(found, name="app") if item.name == name)


def app() -> Agent[Any]:
    """One of everything."""
    helper = agent("helper", [], [function_tool(look, name_override="deep")])
    bob = agent("bob", [], [function_tool(pay)], mcp_servers=[Tiny()])
    tools = [function_tool(look), helper.as_tool("ask_helper", "Ask."), WebSearchTool()]
    first = agent("alice", [], tools, handoffs=[bob])
    bob.handoffs = [handoff(first)]
    return first


def test_of_a_bare_agent_everything_is_open_with_what_to_do(halo):
    found = doctor(app(), name="app")
    assert {item.status for item in found} == {FindingStatus.OPEN}
    assert all(item.remedy for item in found)
    assert {(item.kind.value, item.name) for item in found} == {
        ("agent", "alice"),
        ("agent", "bob"),
        ("agent", "helper"),
        ("handoff", "bob"),
        ("handoff", "alice"),
        ("tool", "look"),
        ("tool", "pay"),
        ("tool", "deep"),
        ("tool", "ask_helper"),
        ("tool", "web_search"),
        ("tool", "tools of MCP server `tiny`"),
        ("model", "scripted"),
    }


def test_of_a_guarded_agent_nothing_is_open(halo):
    found = doctor(halo.guard(app()), name="app")
    assert count_by_status(found)[FindingStatus.OPEN] == 0
    closed = {(item.kind.value, item.name, item.point) for item in found if item.status is FindingStatus.CLOSED}
    assert closed == {
        ("agent", "alice", "guarded agent"),
        ("agent", "bob", "guarded agent"),
        ("agent", "helper", "guarded agent"),
        ("handoff", "bob", "guarded hand-off"),
        ("handoff", "alice", "guarded hand-off"),
        ("tool", "look", "guarded copy"),
        ("tool", "pay", "guarded copy"),
        ("tool", "deep", "guarded copy"),
        ("tool", "ask_helper", "guarded copy"),
        ("tool", "web_search", "guarded model (refused)"),
        ("tool", "tools of MCP server `tiny`", "guarded server"),
        ("model", "scripted", "guarded copy"),
    }


def test_originals_that_their_module_keeps_are_noted_once(halo):
    noted = [item for item in doctor(halo.guard(app())) if item.where.startswith("originals")]
    assert len(noted) == 1
    assert noted[0].status is FindingStatus.NOTED
    assert {"look", "pay", "ask_helper"} <= set(noted[0].name.split(", ")[:5])
    assert "on_invoke_tool" in noted[0].remedy


def test_what_was_put_into_a_guarded_agent_is_seen(halo):
    guarded = halo.guard(agent("worker", [], [halo.guard(look)]))
    guarded.tools.append(function_tool(pay))
    guarded.model = ScriptedModel([], model="raw")
    guarded.handoffs.append(agent("other", []))
    found = rows(guarded)
    assert ("tool", "pay", "closed") in found  # each turn puts it behind a gate,
    assert ("tool", "pay", "noted") in found  # and nobody granted it
    assert ("model", "raw", "open") in found
    assert ("handoff", "other", "closed") in found  # as above
    assert ("handoff", "other", "noted") in found
    assert ("agent", "other", "closed") in found


def test_a_tool_whose_invoker_was_replaced_is_open(halo):
    tool = halo.guard(look)
    assert rows(tool, FindingKind.TOOL) >= {("tool", "look", "closed")}
    tool.on_invoke_tool = function_tool(look).on_invoke_tool
    assert rows(tool, FindingKind.TOOL) == {("tool", "look", "open")}


@pytest.mark.parametrize("name", ["", "gpt-mine"])
def test_a_model_by_name_is_the_providers(halo, name):
    plain = Agent(name="worker", model=name or None)
    shown = name or "the SDK's default model"
    assert ("model", shown, "open") in rows(plain)
    assert ("model", shown, "closed") in rows(halo.guard(plain))


def test_a_models_client_is_noted(halo):
    client = AsyncOpenAI(api_key="none")
    model = halo.guard(OpenAIResponsesModel("gpt-mine", client))
    assert rows(model) == {("model", "gpt-mine", "closed"), ("model", "AsyncOpenAI", "noted")}
    assert rows([client]) == {("model", "AsyncOpenAI", "noted")}


CHECKER = agent("checker", [])
CLIENT = AsyncOpenAI(api_key="none")


async def checks(_context: Any, _agent: Any, given: Any) -> GuardrailFunctionOutput:
    """A guardrail that asks a model of its own."""
    result = await Runner.run(CHECKER, given)
    return GuardrailFunctionOutput(output_info=result.final_output, tripwire_triggered=False)


def test_a_guardrail_that_runs_an_agent_is_named_where_it_stands(halo):
    guarded = halo.guard(agent("worker", [], input_guardrails=[InputGuardrail(guardrail_function=checks)]))
    found = row(guarded, "checker")
    assert (found.kind, found.status) == (FindingKind.AGENT, FindingStatus.CLOSED)
    assert found.point == "guarded run (guarded where it starts)"
    assert "input guardrails `checks`" in found.where


def test_code_that_runs_beside_an_agent_is_looked_into(halo):
    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            await Runner.run(CHECKER, "?")

    def instructions(_context: Any, _agent: Any) -> str:
        return str(CLIENT)

    found = rows(halo.guard(agent("worker", [], instructions=instructions)))
    assert ("model", "AsyncOpenAI", "noted") in found
    assert ("agent", "checker", "open") in rows(Hooks())


def ask(q: str) -> str:
    """Ask."""
    return str(Runner.run_sync(CHECKER, q).final_output)


@pytest.mark.parametrize("model", [ScriptedModel([], model="own"), "gpt-mine"])
def test_an_agent_that_a_tool_of_a_guarded_agent_runs_is_closed_with_all_that_it_has(halo, model):
    second = Agent(name="second", model=model)
    inner = Agent(name="inner", model=model, tools=[function_tool(pay)], handoffs=[second])

    async def delegate(task: str) -> str:
        """Hand a task on."""
        return str((await Runner.run(inner, task)).final_output)

    found = rows(halo.guard(agent("worker", [], [function_tool(delegate)])))
    shown = model if isinstance(model, str) else model.model
    inside = {("agent", "inner"), ("model", shown), ("tool", "pay"), ("handoff", "second"), ("agent", "second")}
    assert found >= {(*item, "closed") for item in inside}
    assert {item for item in found if item[2] == "open"} == set()


def test_an_agent_that_a_tool_runs_by_itself_is_open(halo):
    assert ("agent", "checker", "open") in rows(halo.guard(ask))
    assert ("agent", "checker", "open") in rows(functools.partial(ask, "x"))


def test_a_stored_prompt_is_noted(halo):
    found = row(halo.guard(agent("worker", [], prompt={"id": "pmpt_1"})), "pmpt_1")
    assert found.status is FindingStatus.NOTED
    assert "tools" in found.remedy


def test_tools_that_are_no_function_tools_are_refused_or_open(halo):
    shell = LocalShellTool(executor=lambda _request: "")
    for tool, point in ((WebSearchTool(), "guarded model (refused)"), (shell, "guarded copy")):
        assert rows(tool) == {("tool", tool.name, "open")}
        guarded = halo.guard(agent("worker", [], [tool]))
        assert row(guarded, tool.name).point == point
    guarded.tools[:] = [shell]  # put there since
    assert row(guarded, "local_shell").point == "guarded model (refused)"


def test_a_servers_resources_are_noted(halo):
    found = row(halo.guard(Tiny()), "resources of MCP server `tiny`")
    assert found.status is FindingStatus.NOTED
    assert rows(Tiny()) == {("tool", "tools of MCP server `tiny`", "open")}


def test_a_realtime_agent_is_noted_and_its_tools_are_looked_at(halo):
    realtime = RealtimeAgent(name="voice", tools=[halo.guard(look), function_tool(pay)])
    found = rows(realtime)
    assert ("agent", "voice", "noted") in found
    assert ("tool", "look", "closed") in found
    assert ("tool", "pay", "open") in found


def test_a_configuration_is_looked_at(halo):
    config = RunConfig(
        model=ScriptedModel([], model="raw"), input_guardrails=[InputGuardrail(guardrail_function=checks)]
    )
    assert {("model", "raw", "open"), ("agent", "checker", "open")} <= rows(config)
    assert ("model", "models by name", "open") in rows(RunConfig(model="gpt-mine"))
    options = halo.run_options(run_config=RunConfig(model=ScriptedModel([], model="raw")))
    assert ("model", "raw", "closed") in rows(options)
    assert ("model", "models by name", "closed") in rows(options)


def test_a_tripwire_closes_what_it_refuses(halo, make_world):
    with halo.install():
        assert {item.status for item in doctor(app())} == {FindingStatus.CLOSED}
    with make_world(mode="observe").halo.install():
        found = doctor(app())
        assert {item.status for item in found} == {FindingStatus.OPEN}
        assert all(item.point == "tripwire, observe mode: recorded only" for item in found)


def test_what_is_granted_by_nobody_is_noted(make_world):
    world = make_world()
    guarded = world.halo.guard(agent("worker", [], [function_tool(look)]), grants=False)
    found = [item for item in doctor(guarded) if item.name == "look"]
    assert [(item.status, item.point) for item in found] == [
        (FindingStatus.CLOSED, "guarded agent"),
        (FindingStatus.NOTED, "none"),
    ]
    assert "no passport grants it" in found[1].remedy


def test_whatever_it_is_given_it_only_looks(halo):
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    circle: list[Any] = [Odd(), {"x": 1}, None, 7, "x", lambda: None, Odd]
    circle.append(circle)
    assert doctor(circle) == []
    deep: Any = halo.guard(look, resource=trusted())
    for _ in range(200):
        deep = [deep]
    assert rows(deep) == {("node", "the rest", "open")}


def test_what_hears_an_agent_inside_and_who_sums_a_session_up_are_noted(halo):
    helper = agent("helper", [])
    listening = helper.as_tool("ask", "Ask.", on_stream=lambda _event: None)
    for found in (listening, halo.guard(listening)):
        assert ("store", "on_stream of `ask`", "noted") in rows(found)
    assert not rows(helper.as_tool("ask", "Ask."), FindingKind.STORE)
    session = OpenAIResponsesCompactionSession("s", SQLiteSession("s"), client=AsyncOpenAI(api_key="none"))
    assert ("model", "OpenAIResponsesCompactionSession", "noted") in rows({"session": session})


def test_a_raw_client_of_another_maker_is_noted():
    raw = type("Anthropic", (), {"__module__": "anthropic._client"})()
    assert rows({"client": raw}) == {("model", "anthropic.Anthropic", "noted")}
    assert "use a guarded model instead" in row({"client": raw}, "anthropic.Anthropic").remedy


def test_a_guardrail_by_itself_is_looked_into():
    guardrail = InputGuardrail(guardrail_function=checks)
    assert "`checks`" in row([guardrail], "checker").where
