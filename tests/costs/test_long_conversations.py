"""A model call of a long conversation costs about as much as one of a short one: no message is read anew each time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from measure import _no_background_work

from halo_core.enforcement import enforcer
from halo_core.facade import HaloBase
from halo_core.model import Impact, Resource

TURNS = 14
EARLY, LATE = 3, 12
MOST_PER_TURN = 25
"""Python calls that a turn may take more than the one before it, for the two messages that it has more."""
REQUEST = "Please look up our open orders and tell me what is missing."
READ = Resource(impact=Impact.READ, source_trust=900)

Run = Callable[[int], object]


def look(q: str) -> str:
    """Look up orders."""
    return f"order 48{q[-2:]} of 2026-03-04: 3 x paper A4, 129.40 EUR, carrier reference AT1288{q[-2:]}"


def write_script(call: Callable[..., Any], number: int) -> list[Any]:
    """What the model says in a run: a call in each message."""
    return [
        call(f"Looking up {number}-{i}.", ("look", {"q": f"orders of {number}, page {i:02d}"}), id=f"m{number}-{i}")
        for i in range(TURNS)
    ]


def open_langchain(home: Any) -> tuple[HaloBase, Run]:
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    from halo_langchain import Halo
    from halo_langchain.testing import ScriptedModel, call

    halo = Halo.local("clerk", home=home, mode="enforce", quiet=True)
    tools, middleware = [halo.guard(tool(look), resource=READ)], [halo.middleware()]

    def run(number: int) -> None:
        agent = create_agent(ScriptedModel(script=write_script(call, number)), tools, middleware=middleware)
        agent.invoke({"messages": [("user", REQUEST)]}, {"recursion_limit": 10 * TURNS})

    return halo, run


def open_openai_agents(home: Any) -> tuple[HaloBase, Run]:
    from agents import Agent, Runner, set_tracing_disabled

    from halo_openai_agents import Halo
    from halo_openai_agents.testing import ScriptedModel, call

    set_tracing_disabled(disabled=True)
    halo = Halo.local("clerk", home=home, mode="enforce", quiet=True)
    tools = [halo.guard(look, resource=READ)]

    def run(number: int) -> None:
        agent = halo.guard(Agent(name="clerk", model=ScriptedModel(write_script(call, number)), tools=tools))
        asyncio.run(Runner.run(agent, REQUEST, max_turns=2 * TURNS, **halo.run_options()))

    return halo, run


def open_llamaindex(home: Any) -> tuple[HaloBase, Run]:
    from llama_index.core.agent.workflow import FunctionAgent

    from halo_llamaindex import Halo
    from halo_llamaindex.testing import ScriptedLLM, call

    halo = Halo.local("clerk", home=home, mode="enforce", quiet=True)
    tools = [halo.guard(look, resource=READ)]

    def run(number: int) -> None:
        llm = ScriptedLLM(script=write_script(call, number))
        agent = halo.guard(FunctionAgent(tools=tools, llm=llm))

        async def ask() -> None:
            await agent.run(REQUEST, max_iterations=2 * TURNS)

        asyncio.run(ask())

    return halo, run


def count_calls(run: Run, number: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Python calls of Halo's modules from each decision of a model call to the next."""
    counts: list[int] = []
    make_job = enforcer.Enforcer._make_decision_job

    def note(self: Any, call: Any, *args: Any, **kwargs: Any) -> Any:
        if call.resource.kind.value == "inference":
            counts.append(0)
        return make_job(self, call, *args, **kwargs)

    def count(frame: Any, event: str, _arg: object) -> None:
        if event == "call" and counts and "/src/halo_" in frame.f_code.co_filename:
            counts[-1] += 1

    with monkeypatch.context() as patch:
        patch.setattr(enforcer.Enforcer, "_make_decision_job", note)
        sys.setprofile(count)
        try:
            run(number)
        finally:
            sys.setprofile(None)
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("open_framework", [open_langchain, open_openai_agents, open_llamaindex])
def test_no_message_is_read_anew_by_each_model_call(home, monkeypatch, open_framework):
    halo, run = open_framework(home)
    with halo, _no_background_work():
        run(1)
        counts = count_calls(run, 2, monkeypatch)
    assert len(counts) == TURNS + 1
    growth = (counts[LATE] - counts[EARLY]) / (LATE - EARLY)
    assert growth <= MOST_PER_TURN, counts
