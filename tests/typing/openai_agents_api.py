"""Type checks of `halo_openai_agents`: every overload of `guard`, run options, and runs that wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from agents import Agent, FunctionTool, Handoff, Model, RunConfig, RunHooks, Runner, RunResult, RunState, WebSearchTool
from agents.mcp import MCPServer, MCPServerStdio

from halo_core.testing import CountingIds, FixedClock
from halo_openai_agents import Denied, Halo, HandOff, HostedTool, Impact, Limits, PastAct, Pending, Resource, doctor
from halo_openai_agents.testing import Message, ScriptedModel, call

MONEY = Resource(impact=Impact.PAYMENT, targets=("account",), amount="amount")


class Case:
    """The context of a run."""


class Desk(Agent[Case]):
    """An agent of the app's own."""


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount} to {account}"


def refund(act: PastAct) -> str:
    return f"refunded {act.args['amount']}"


async def look(account: str) -> str:
    """Look at an account."""
    return account


def opening() -> None:
    with Halo.local("desk", limits=Limits(), clock=FixedClock(), ids=CountingIds()) as halo:
        assert_type(halo, Halo)
    assert_type(Halo.local(agent="desk", user="ana@bank"), Halo)
    assert_type(halo.Denied, type[Denied])
    assert_type(halo.Pending, type[Pending])
    Halo.local("desk", limits=7)  # type: ignore[arg-type]


# guard


def agents(halo: Halo, agent: Agent[Case], desk: Desk) -> None:
    assert_type(halo.guard(agent), Agent[Case])
    assert_type(halo.guard(desk), Desk)
    assert_type(halo.guard(agent, give={"bob": HandOff(lifetime_s=60)}, agent="team", grants=False), Agent[Case])
    assert_type(halo.guard(agent, resource=MONEY), Agent[Case])
    halo.guard(agent, MONEY)  # type: ignore[call-overload]
    halo.guard(agent, give={"bob": 60})  # type: ignore[dict-item]
    halo.guard(agent, labels=("pii",))  # type: ignore[call-overload]


def functions(halo: Halo, plain: Callable[..., str]) -> None:
    assert_type(halo.guard(pay), FunctionTool)
    assert_type(halo.guard(look), FunctionTool)
    assert_type(halo.guard(plain), FunctionTool)
    assert_type(halo.guard(pay, resource=MONEY), FunctionTool)
    assert_type(halo.guard(pay, undo=refund), FunctionTool)
    assert_type(halo.guard(pay, resource=MONEY, compensate=refund), FunctionTool)
    assert_type(halo.guard(pay, irreversible=True), FunctionTool)
    halo.guard(pay, undo=pay)  # type: ignore[arg-type]
    halo.guard([pay], undo=refund)  # type: ignore[call-overload]
    halo.guard(pay, give={})  # type: ignore[call-overload]
    halo.guard(pay, grants=False)  # type: ignore[call-overload]
    halo.guard(pay, resource="payment")  # type: ignore[call-overload]


def tools(halo: Halo, tool: FunctionTool, hosted: WebSearchTool, handoff: Handoff[Case, Agent[Case]]) -> None:
    assert_type(halo.guard(tool), FunctionTool)
    assert_type(halo.guard(tool, resource=MONEY), FunctionTool)
    halo.guard(tool, agent="desk")  # type: ignore[call-overload]
    halo.guard(hosted)  # type: ignore[call-overload]
    halo.guard(handoff)  # type: ignore[call-overload]


def lists(halo: Halo, tool: FunctionTool, hosted: WebSearchTool) -> None:
    assert_type(halo.guard([pay, tool]), list[FunctionTool])
    assert_type(halo.guard((pay, look), resource=MONEY), list[FunctionTool])
    guarded = halo.guard([pay, look])
    assert_type(guarded, list[FunctionTool])
    Agent[Case](name="desk", tools=halo.guard([pay, look]))
    halo.guard([hosted])  # type: ignore[list-item]
    halo.guard([tool], agent="desk")  # type: ignore[call-overload]


def models(halo: Halo, model: Model) -> None:
    assert_type(halo.guard(model), Model)
    assert_type(halo.guard(ScriptedModel(["hello"])), ScriptedModel)
    assert_type(halo.guard(model, resource=Resource(id="model")), Model)
    halo.guard(model, agent="desk")  # type: ignore[call-overload]


def servers(halo: Halo, server: MCPServer, stdio: MCPServerStdio) -> None:
    assert_type(halo.guard(server), MCPServer)
    assert_type(halo.guard(stdio), MCPServerStdio)
    assert_type(halo.guard(server, resource=Resource(source_trust=300)), MCPServer)
    halo.guard(server, grants=False)  # type: ignore[call-overload]


def nothing_to_guard(halo: Halo) -> None:
    halo.guard()  # type: ignore[call-overload]
    halo.guard(7)  # type: ignore[call-overload]
    halo.guard(None)  # type: ignore[call-overload]
    halo.guard("pay")  # type: ignore[arg-type]
    halo.guard({"type": "web_search"})  # type: ignore[call-overload]


# runs


async def options(halo: Halo, agent: Agent[Case], hooks: RunHooks[Case]) -> None:
    assert_type(halo.run_options(), dict[str, Any])
    assert_type(await Runner.run(agent, "hello", **halo.run_options()), RunResult)
    assert_type(Runner.run_sync(agent, "hello", **halo.run_options(pausing=True)), RunResult)
    Runner.run_streamed(agent, "hello", **halo.run_options(run_config=RunConfig(), hooks=hooks))
    halo.run_options(run_config={"tracing_disabled": True})
    halo.run_options(hooks=pay)  # type: ignore[arg-type]
    halo.run_options(run_config="fast")  # type: ignore[arg-type]
    halo.run_options(RunConfig())  # type: ignore[call-arg]


def pausing(halo: Halo, result: RunResult, state: RunState[Any]) -> None:
    assert_type(halo.waiting(result), list[dict[str, str]])
    assert_type(halo.waiting(state)[0]["pending_id"], str)
    assert_type(halo.resume(result), RunState[Any])
    assert_type(halo.resume(state), RunState[Any])
    halo.waiting("p-1")  # type: ignore[arg-type]
    halo.resume()  # type: ignore[call-arg]


def installing(halo: Halo) -> None:
    handle = halo.install()
    assert_type(handle.uninstall(), None)
    with halo.install() as installed:
        assert_type(installed.uninstall(), None)
    handle.no_such_name  # type: ignore[attr-defined]
    installed.no_such_name  # type: ignore[attr-defined]


def sessions(halo: Halo) -> None:
    with halo.session("case-7", user="ana@bank", request="Pay 90 to ACC-1") as session:
        assert_type(session.id, str)


def examined(agent: Agent[Case]) -> None:
    for finding in doctor(agent, name="desk"):
        assert_type(finding.where, str)
        assert_type(finding.remedy, str)
    doctor()  # type: ignore[call-arg]
    doctor(agent, name=7)  # type: ignore[arg-type]


def scripted(model: ScriptedModel) -> None:
    assert_type(call("Paying.", ("pay", {"account": "ACC-1"}), id="m1"), Message)
    assert_type(ScriptedModel([call("Paying.", id="m1"), "done"], model="mine"), ScriptedModel)
    assert_type(model.script, list[Message])
    ScriptedModel([7])  # type: ignore[list-item]
    call("Paying.", "pay", id="m1")  # type: ignore[arg-type]
    call("Paying.")  # type: ignore[call-arg]


def refused(error: HostedTool) -> None:
    assert_type(error.code, str)
