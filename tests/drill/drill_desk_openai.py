"""A desk of the OpenAI Agents SDK for drills: reads tickets, refunds, writes to customers, invites, remembers.

Each body fails: none may ever run.
"""

from __future__ import annotations

from agents import Agent

from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel


def _fail() -> str:
    raise AssertionError("a real body ran in a drill")


def read_ticket(number: int) -> str:
    """Read a ticket."""
    return _fail()


async def find_customer(name: str) -> str:
    """Find a customer in our own records."""
    return _fail()


def refund(iban: str, amount: float) -> str:
    """Refund an amount to a bank account."""
    return _fail()


async def send_message(to: str, text: str) -> str:
    """Send a message to a customer."""
    return _fail()


def invite_user(email: str, workspace: str) -> str:
    """Invite a user to a workspace."""
    return _fail()


def remember_note(note: str) -> str:
    """Write a note to memory."""
    return _fail()


async def recall_notes(q: str) -> str:
    """Read the notes in memory."""
    return _fail()


RESOURCES = {
    read_ticket: Resource(impact="read", source_trust=100),
    find_customer: Resource(impact="read", source_trust=900, idempotent=True),
    refund: Resource(impact="payment", targets=("iban",), amount="amount", reversal="compensate"),
    send_message: Resource(impact="send", targets=("to",)),
    invite_user: Resource(impact="admin", targets=("email",), reversal="undo"),
    remember_note: Resource(impact="write", source_trust=900, reversal="undo"),
    recall_notes: Resource(impact="read", source_trust=900, idempotent=True),
}

halo = Halo.local("service", mode="enforce", quiet=True)
agent = halo.guard(
    Agent(
        name="service",
        instructions="Serve customers.",
        model=ScriptedModel(["never said"]),
        tools=[halo.guard(function, resource=resource) for function, resource in RESOURCES.items()],
    )
)
