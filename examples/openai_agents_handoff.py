"""Two agents that hand off to each other, each hand-off decided; the receiver acts under a narrower link. Offline."""

from __future__ import annotations

import tempfile

from agents import Agent, Runner, set_tracing_disabled

from halo_openai_agents import Halo, HandOff, Resource
from halo_openai_agents.testing import ScriptedModel, call


def track(parcel: str) -> str:
    """Track a parcel."""
    return f"{parcel} is in Cologne"


TRIAGE = [call("The tracker knows.", ("transfer_to_tracker", {}), id="a1"), "It is in Cologne, and comes tomorrow."]
TRACKER = [
    call("A look.", ("track", {"parcel": "P-7"}), id="b1"),
    call("Back to you.", ("transfer_to_triage", {}), id="b2"),
]


def main() -> None:
    set_tracing_disabled(disabled=True)
    with tempfile.TemporaryDirectory() as home, Halo.local("front-desk", mode="enforce", home=home) as halo:
        tool = halo.guard(track, resource=Resource(impact="read", source_trust=600))
        tracker = Agent(name="tracker", model=ScriptedModel(TRACKER), tools=[tool])
        triage = Agent(name="triage", model=ScriptedModel(TRIAGE), handoffs=[tracker])
        tracker.handoffs = [triage]
        team = halo.guard(triage, give={"tracker": HandOff(lifetime_s=60)})  # for a minute, no more
        with halo.session(user="sam@shop"):
            result = Runner.run_sync(team, "Where is P-7?", **halo.run_options())
    for item in result.new_items:
        if item.type in ("tool_call_output_item", "handoff_output_item"):
            print(f"{item.agent.name}: {item.to_input_item()['output']}")
    print(result.final_output)


if __name__ == "__main__":
    main()
