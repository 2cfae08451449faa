"""A led first day of a `FunctionAgent` with eight tools."""

from __future__ import annotations

import asyncio

from first_day_desk import REQUEST, STEPS, USER, check_a_led_first_day
from llama_index.core.agent.workflow import FunctionAgent

from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM, call


def run(home, tools):
    script = [call("next", step, id=f"m{number}") for number, step in enumerate(STEPS)] + ["done"]

    async def work(agent, halo):
        with halo.session(user=USER):
            await agent.run(REQUEST, max_iterations=30)

    with Halo.local("desk", home=home, quiet=True) as halo:
        agent = halo.guard(FunctionAgent(tools=halo.guard(tools), llm=ScriptedLLM(script=script)))
        asyncio.run(work(agent, halo))


def test_an_agent_works_after_its_led_first_day(tmp_path):
    check_a_led_first_day(tmp_path / "home", run)
