"""A led first day of an agent of the OpenAI Agents SDK with eight tools."""

from __future__ import annotations

from agents import Agent, Runner, set_tracing_disabled
from first_day_desk import REQUEST, STEPS, USER, check_a_led_first_day

from halo_openai_agents import Halo
from halo_openai_agents.testing import ScriptedModel, call


def run(home, tools):
    set_tracing_disabled(disabled=True)
    script = [call("next", step, id=f"m{number}") for number, step in enumerate(STEPS)] + ["done"]
    with Halo.local("desk", home=home, quiet=True) as halo:
        agent = halo.guard(Agent(name="desk", model=ScriptedModel(script), tools=halo.guard(tools)))
        with halo.session(user=USER):
            Runner.run_sync(agent, REQUEST, max_turns=20, **halo.run_options())


def test_an_agent_works_after_its_led_first_day(tmp_path):
    check_a_led_first_day(tmp_path / "home", run)
