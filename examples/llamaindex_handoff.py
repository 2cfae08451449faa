"""A team: who takes over a conversation takes over no more rights than the giver has. Offline: the models are scripted.

Before                                             After
    team = AgentWorkflow(agents=[...], ...)            team = halo.guard(AgentWorkflow(agents=[...], ...))

The desk may look at balances, and hand on to alice and to bob. It has no `pay`: so bob, who has the tool, cannot pay
for whoever comes from this desk. Nor does it have carol: the hand-off to her is refused, and alice goes on.
"""

from __future__ import annotations

import asyncio
import tempfile

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult

from halo_core import Constraint, ConstraintKind
from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM, call

ANY = Constraint(ConstraintKind.WILDCARD)
GRANTS = {"balance": {"account": ANY}, "alice": {"task": ANY}, "bob": {"task": ANY}}


def balance(account: str) -> str:
    """Look at the balance of an account."""
    return f"{account} holds 1200.00"


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount:.2f} to {account}"


# One conversation, so one script: whoever acts says what comes next.
SCRIPT = [
    call("Carol can close it.", ("handoff", {"to_agent": "carol", "reason": "she closes accounts"}), id="m1"),  # alice
    call("Then Bob.", ("handoff", {"to_agent": "bob", "reason": "he pays"}), id="m2"),  # alice
    call("First a look.", ("balance", {"account": "ACC-1"}), id="m3"),  # bob
    call("Now the payment.", ("pay", {"account": "ACC-1", "amount": 900.0}), id="m4"),  # bob
    "I can tell you what is on the account, and not pay from it.",  # bob
]


async def run(team: AgentWorkflow) -> None:
    result = await team.run("Pay 900 from ACC-1")
    for item in result.tool_calls:
        if isinstance(item, ToolCallResult):
            print(f"{item.tool_name}: {item.tool_output}")
    print(f"{result.current_agent_name}: {result}")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        Halo.local("front-desk", grants=GRANTS, mode="enforce", home=home) as halo,
    ):
        llm, tools = ScriptedLLM(script=SCRIPT), halo.guard([balance, pay])
        agents = [
            FunctionAgent(name=name, description=f"{name} of the desk", tools=tools, llm=llm)
            for name in ("alice", "bob", "carol")
        ]
        team = halo.guard(AgentWorkflow(agents=agents, root_agent="alice"))
        with halo.session(request="Pay 900 from ACC-1"):
            asyncio.run(run(team))


if __name__ == "__main__":
    main()
