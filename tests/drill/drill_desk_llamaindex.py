"""A desk of LlamaIndex's for drills: reads pages, pays invoices, posts. Each body fails: none may ever run."""

from __future__ import annotations

from llama_index.core.agent.workflow import FunctionAgent

from halo_llamaindex import Halo, Resource
from halo_llamaindex.testing import ScriptedLLM


def _fail() -> str:
    raise AssertionError("a real body ran in a drill")


def browse(url: str) -> str:
    """Open a web page."""
    return _fail()


def pay_invoice(account: str, amount: float, reference: str) -> str:
    """Pay an invoice to an account."""
    return _fail()


async def post_message(channel: str, text: str) -> str:
    """Post a message to a channel."""
    return _fail()


RESOURCES = {
    browse: Resource(impact="read", source_trust=100, targets=("url",)),
    pay_invoice: Resource(impact="payment", targets=("account",), amount="amount", reversal="compensate"),
    post_message: Resource(impact="send", targets=("channel",)),
}

halo = Halo.local("clerk", mode="enforce", quiet=True)
agent = halo.guard(
    FunctionAgent(
        tools=[made for function, resource in RESOURCES.items() for made in halo.guard([function], resource=resource)],
        llm=ScriptedLLM(script=["never said"]),
        streaming=False,
    )
)
