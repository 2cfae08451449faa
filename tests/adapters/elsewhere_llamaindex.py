"""Another process for `test_a_paused_run_is_resumed_in_another_process`; see `Driver.elsewhere`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
from llama_index.core.workflow import Context
from workflows.events import WorkflowIdleEvent

from halo_llamaindex import Halo, HaloChallenge, Resource
from halo_llamaindex.testing import ScriptedLLM, call

SCRIPT = [call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")]


async def run(agent: Any, kept: dict[str, Any] | None) -> tuple[list[str], list[str], dict[str, Any]]:
    """What waits, what the model was told, and what is kept of the run."""
    pending: list[str] = []
    told: list[str] = []
    if kept is None:
        handler = agent.run(user_msg="pay bo 5", ctx=Context(agent))
    else:
        handler = agent.run(ctx=Context.from_dict(agent, kept))
    async for event in handler.stream_events(expose_internal=True):
        if isinstance(event, HaloChallenge):
            pending.append(event.pending_id)
        elif isinstance(event, ToolCallResult):
            told.append(str(event.tool_output))
        elif isinstance(event, WorkflowIdleEvent) and pending:
            kept = handler.ctx.to_dict()
            await handler.cancel_run()
            break
    else:
        await handler
    return pending, told, kept or {}


def main(verb: str, folder: Path) -> None:
    def pay(to: str, amount: int) -> str:
        """Pay."""
        with (folder / "ran").open("a", encoding="utf-8") as file:
            file.write(f"{to}:{amount}\n")
        return f"paid {to}"

    policy = folder / "halo-policy"
    with Halo.local("desk", home=folder / "halo", mode="enforce", policy=policy, quiet=True) as halo:
        tool = halo.guard(pay, resource=Resource(impact="read", source_trust=900, labels=("asked",)))
        agent = halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=SCRIPT)))
        state = folder / "context.json"
        before = json.loads(state.read_text("utf-8")) if verb == "resume" else None
        pending, told, kept = asyncio.run(run(agent, before))
        state.write_text(json.dumps(kept), "utf-8")
    sys.stdout.write(json.dumps({"pending": pending, "told": told}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
