"""A swarm: who takes over a conversation takes over no more rights than the giver has. Offline: the model is scripted.

Before                                             After
    model = ChatModel(...)                             model = halo.guard(ChatModel(...))
    team = create_swarm([alice, bob, carol], ...)      team = create_swarm([alice, bob, carol], ...)
    graph = team.compile()                             graph = halo.guard(team.compile())

The desk may look at balances, and hand on to alice and to bob. It has no `pay`: so bob, who has the tool, cannot pay
for whoever comes from this desk. Nor does it have carol: the hand-off to her is refused, and alice goes on.
"""

from __future__ import annotations

import tempfile

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph_swarm import create_handoff_tool, create_swarm

from halo_core import Constraint, ConstraintKind
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel, call

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
    call("Carol can close it.", ("transfer_to_carol", {}), id="m1"),  # alice
    call("Then Bob.", ("transfer_to_bob", {}), id="m2"),  # alice
    call("First a look.", ("balance", {"account": "ACC-1"}), id="m3"),  # bob
    call("Now the payment.", ("pay", {"account": "ACC-1", "amount": 900.0}), id="m4"),  # bob
    AIMessage("I can tell you what is on the account, and not pay from it.", id="m5"),  # bob
]


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        Halo.local("front-desk", grants=GRANTS, mode="enforce", home=home) as halo,
    ):
        model, names = halo.guard(ScriptedModel(script=SCRIPT)), ("alice", "bob", "carol")
        members = [
            create_agent(
                model,
                tools=[balance, pay, *(create_handoff_tool(agent_name=other) for other in names if other != name)],
                name=name,
            )
            for name in names
        ]
        graph = halo.guard(create_swarm(members, default_active_agent="alice").compile())
        with halo.session(request="Pay 900 from ACC-1"):
            result = graph.invoke({"messages": [("user", "Pay 900 from ACC-1")]})
        for message in result["messages"]:
            if message.type == "tool":
                print(f"{message.name}: {message.text}")
        print(f"{result['active_agent']}: {result['messages'][-1].text}")


if __name__ == "__main__":
    main()
