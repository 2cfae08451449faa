"""A desk of LangChain's for drills: reads mail, pays, sends, deletes, remembers. Each body fails: none may ever run."""

from __future__ import annotations

from langchain.agents import create_agent

from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel


def _fail() -> str:
    raise AssertionError("a real body ran in a drill")


def read_mail(n: int) -> str:
    """Read a mail."""
    return _fail()


def look_up(vendor: str) -> str:
    """Look a vendor's bank details up in our directory."""
    return _fail()


def fetch_page(url: str) -> str:
    """Fetch a web page."""
    return _fail()


def pay(account: str, amount: float, reference: str) -> str:
    """Pay an amount to an account."""
    return _fail()


def send_email(to: str, subject: str, body: str) -> str:
    """Send an e-mail."""
    return _fail()


def delete_file(path: str) -> str:
    """Delete a file."""
    return _fail()


def remember_note(note: str) -> str:
    """Write a note to memory."""
    return _fail()


def recall_notes(q: str) -> str:
    """Read the notes in memory."""
    return _fail()


RESOURCES = {
    read_mail: Resource(impact="read", source_trust=100),
    look_up: Resource(impact="read", source_trust=900, idempotent=True),
    fetch_page: Resource(impact="read", source_trust=100, targets=("url",)),
    pay: Resource(impact="payment", targets=("account",), amount="amount", reversal="compensate"),
    send_email: Resource(impact="send", targets=("to",)),
    delete_file: Resource(impact="delete", targets=("path",)),
    remember_note: Resource(impact="write", source_trust=900, reversal="undo"),
    recall_notes: Resource(impact="read", source_trust=900, idempotent=True),
}

halo = Halo.local("desk", mode="enforce", quiet=True)
agent = create_agent(
    halo.guard(ScriptedModel(script=["never said"])),
    [halo.guard(function, resource=resource) for function, resource in RESOURCES.items()],
    middleware=[halo.middleware()],
)
