"""A led first day of a `create_agent` with eight tools."""

from __future__ import annotations

from first_day_desk import REQUEST, STEPS, USER, check_a_led_first_day
from langchain.agents import create_agent

from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel, call


def run(home, tools):
    script = [call("next", step, id=f"m{number}") for number, step in enumerate(STEPS)] + ["done"]
    with Halo.local("desk", home=home, quiet=True) as halo:
        agent = create_agent(ScriptedModel(script=script), tools=halo.guard(tools), middleware=[halo.middleware()])
        with halo.session(user=USER):
            agent.invoke({"messages": [("user", REQUEST)]})


def test_an_agent_works_after_its_led_first_day(tmp_path):
    check_a_led_first_day(tmp_path / "home", run)
