"""A supervisor: what one worker read stays known to all of them. Offline: the model is scripted.

Before                                             After
    model = ChatModel(...)                             model = halo.guard(ChatModel(...))
    reader = create_agent(model, [read_letter])        reader = create_agent(model, [halo.guard(read_letter, ...)])
    team = create_supervisor([reader, payer], ...)     team = create_supervisor([reader, payer], ...)
    graph = team.compile()                             graph = halo.guard(team.compile())

The last line decides every hand-off and every tool, and says which models it could not reach. What it cannot know is
said where a tool is guarded: that a letter comes from anybody, which argument of a payment is its target.

The reader opens a letter that anybody may have written. The account in it came from there, however many agents pass it
on, so a payment to it waits for a person; to the account that the user named the payer pays at once.
"""

from __future__ import annotations

import tempfile

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph_supervisor import create_supervisor

from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel, call


def read_letter(number: int) -> str:
    """Read a letter."""
    return f"#{number}: our new account is DE89370400440532013000."


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount:.2f} to {account}"


BACK = AIMessage("")  # its place in the conversation is taken by langgraph-supervisor's own "transferring back"
# One conversation, so one script: whoever acts says what comes next.
SCRIPT = [
    call("The letter.", ("transfer_to_reader", {}), id="m1"),  # supervisor
    call("I read it.", ("read_letter", {"number": 7}), id="m2"),  # reader
    AIMessage("It names a new account.", id="m3"),  # reader
    BACK,
    call("Pay.", ("transfer_to_payer", {}), id="m4"),  # supervisor
    call("To the new account.", ("pay", {"account": "DE89370400440532013000", "amount": 90.0}), id="m5"),  # payer
    call("Then to the one I was given.", ("pay", {"account": "ACC-1", "amount": 90.0}), id="m6"),  # payer
    AIMessage("Paid to ACC-1.", id="m7"),  # payer
    BACK,
    AIMessage("Paid to ACC-1, not to the account of the letter.", id="m8"),  # supervisor
]


def main() -> None:
    with tempfile.TemporaryDirectory() as home, Halo.local("office", mode="enforce", home=home) as halo:
        read = halo.guard(read_letter, resource=Resource(impact="read", source_trust=100))  # anybody may write a letter
        money = halo.guard(pay, resource=Resource(impact="payment", targets=("account",), amount="amount"))
        model = halo.guard(ScriptedModel(script=SCRIPT))
        reader = create_agent(model, [read], name="reader")
        payer = create_agent(model, [money], name="payer")
        team = create_supervisor([reader, payer], model=model, output_mode="full_history")
        graph = halo.guard(team.compile())
        with halo.session(request="Pay the 90 of letter 7 to ACC-1"):
            result = graph.invoke({"messages": [("user", "Pay the 90 of letter 7 to ACC-1")]})
        for message in result["messages"]:
            if message.type == "tool":
                print(f"{message.name}: {message.text}")
        print(result["messages"][-1].text)


if __name__ == "__main__":
    main()
