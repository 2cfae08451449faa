"""A payment that waits for somebody, written down and gone on with: `RunState` as the SDK has it. Offline."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from agents import Agent, Runner, RunState, set_tracing_disabled

from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel, call

RULE = """
@id("mine.payments-wait")
@effect("challenge")
@reason("large_amount")
forbid (principal, action == Action::"pay", resource);
"""


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount:.2f} to {account}"


def answer(home: str, *words: str) -> None:
    """What somebody outside does, elsewhere: `halo approvals approve ID --as NAME`."""
    code = "from halo_core.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *words, "--home", home], check=True, capture_output=True)  # noqa: S603


async def main() -> None:
    set_tracing_disabled(disabled=True)
    with tempfile.TemporaryDirectory() as home, Halo.local("payer", mode="enforce", home=home, user="ana@bank") as halo:
        (Path(home) / "policy" / "mine.cedar").write_text(RULE)
        money = Resource(impact="payment", targets=("account",), amount="amount", reversal="compensate")
        model = ScriptedModel([call("As you asked.", ("pay", {"account": "ACC-1", "amount": 90.0}), id="m1")])
        agent = halo.guard(Agent(name="payer", model=model, tools=[halo.guard(pay, resource=money)]))
        options = halo.run_options(pausing=True)
        with halo.session("case-7", request="Pay 90 to ACC-1"):
            result = await Runner.run(agent, "Pay 90 to ACC-1", **options)
            (question,) = halo.waiting(result)
            print("waits:", question["resource"], question["reason"])
            kept = result.to_state().to_string()  # into a file, a database: any process that has it may go on

            await asyncio.to_thread(answer, home, "approver", "enrol", "mia@bank")
            await asyncio.to_thread(answer, home, "approvals", "approve", question["pending_id"], "--as", "mia@bank")

            state = await RunState.from_string(agent, kept)
            result = await Runner.run(agent, await asyncio.to_thread(halo.resume, state), **options)
    print(*(item.output for item in result.new_items if item.type == "tool_call_output_item"))


if __name__ == "__main__":
    asyncio.run(main())
