"""Another process for `test_a_paused_run_is_resumed_in_another_process`; see `Driver.elsewhere`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from agents import Agent, Runner, RunState, set_tracing_disabled

from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel, call

SCRIPT = [call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")]


def main(verb: str, folder: Path) -> None:
    def pay(to: str, amount: int) -> str:
        """Pay."""
        with (folder / "ran").open("a", encoding="utf-8") as file:
            file.write(f"{to}:{amount}\n")
        return f"paid {to}"

    set_tracing_disabled(True)
    policy, kept = folder / "halo-policy", folder / "state.json"
    with Halo.local("desk", home=folder / "halo", mode="enforce", policy=policy, quiet=True) as halo:
        tool = halo.guard(pay, resource=Resource(impact="read", source_trust=900, labels=("asked",)))
        agent = halo.guard(Agent(name="worker", model=ScriptedModel(SCRIPT), tools=[tool]))
        given = "pay bo 5"
        if verb == "resume":
            given = halo.resume(asyncio.run(RunState.from_string(agent, kept.read_text())))
        result = Runner.run_sync(agent, given, **halo.run_options(pausing=True))
        waiting = [item["pending_id"] for item in halo.waiting(result)]
        kept.write_text(result.to_state().to_string())
    told = [item["output"] for item in result.to_input_list() if item.get("type") == "function_call_output"]
    sys.stdout.write(json.dumps({"pending": waiting, "told": told}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
