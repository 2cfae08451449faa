"""Another process for `test_a_paused_run_is_resumed_in_another_process`; see `Driver.elsewhere`."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel, call

SCRIPT = [call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")]
THREAD: dict[str, Any] = {"configurable": {"thread_id": "t"}}


def main(verb: str, folder: Path) -> None:
    def pay(to: str, amount: int) -> str:
        """Pay."""
        with (folder / "ran").open("a", encoding="utf-8") as file:
            file.write(f"{to}:{amount}\n")
        return f"paid {to}"

    policy = folder / "halo-policy"
    connection = sqlite3.connect(folder / "threads.db", check_same_thread=False)
    with Halo.local("desk", home=folder / "halo", mode="enforce", policy=policy, quiet=True) as halo:
        agent = create_agent(
            ScriptedModel(script=SCRIPT),
            [halo.guard(pay, resource=Resource(impact="read", source_trust=900, labels=("asked",)))],
            middleware=[halo.middleware()],
            checkpointer=SqliteSaver(connection),
        )
        agent.invoke({"messages": [("user", "pay bo 5")]} if verb == "start" else Command(resume=True), THREAD)
        state = agent.get_state(THREAD)
    told = [message.text for message in state.values["messages"] if message.type == "tool"]
    waiting = [item.value["pending_id"] for item in state.interrupts]
    sys.stdout.write(json.dumps({"pending": waiting, "told": told}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
