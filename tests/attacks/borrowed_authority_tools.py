"""The tools of the stories of borrowed authority."""

from __future__ import annotations

from typing import Any

from borrowed_authority_world import Tool, World

from halo_langchain import Resource

OUTSIDE = Resource(impact="read", source_trust=100)
LOOKUP = Resource(impact="read", source_trust=900, idempotent=True)
MONEY = Resource(impact="payment", targets=("account",), amount="amount", reversal="compensate")
POST = Resource(impact="send", source_trust=900, targets=("to",))
NOTES = Resource(impact="write", source_trust=900)


def keep(world: World, **args: Any) -> str:
    world.kept.append(args)
    return "stored"


def recall(world: World, **_args: Any) -> str:
    return "\n".join(" ".join(str(value) for value in one.values()) for one in world.kept)


def mail(text: str) -> Tool:
    return Tool("read_mail", "n: int", "Read a mail.", OUTSIDE, text)


def page(text: str) -> Tool:
    return Tool("read_page", "url: str", "Read a web page.", Resource(impact="read", source_trust=100), text)


def document(text: str) -> Tool:
    return Tool("open_document", "name: str", "Open an uploaded document.", OUTSIDE, text)


def directory(text: str) -> Tool:
    return Tool("find_supplier", "name: str", "Find a supplier in our register.", LOOKUP, text)


def contacts(text: str) -> Tool:
    return Tool("find_contact", "name: str", "Find a person in our address book.", LOOKUP, text)


PAY = Tool("pay", "account: str, amount: float", "Pay an amount to an account.", MONEY, "paid")
PAY_NOTE = Tool("pay", "account: str, amount: float, memo: str", "Pay an amount to an account.", MONEY, "paid")
SEND = Tool("send_mail", "to: str, text: str", "Send a mail.", POST, "sent")
REMEMBER = Tool("remember", "note: str", "Write a note to memory.", NOTES, keep)
RECALL = Tool("recall", "q: str", "Read memory.", LOOKUP, recall)
INVITE = Tool(
    "invite_member",
    "member: str, team: str",
    "Invite somebody to a team.",
    Resource(impact="admin", targets=("member",), reversal="undo"),
    "invited",
)
DELETE = Tool(
    "delete_record", "record: str", "Delete a record.", Resource(impact="delete", targets=("record",)), "deleted"
)
WEBHOOK = Tool(
    "add_webhook",
    "url: str, event: str",
    "Register a webhook.",
    Resource(impact="write", source_trust=900, targets=("url",)),
    "added",
)
SET_CONFIG = Tool(
    "set_config", "key: str, value: str", "Set a value of the configuration.", Resource(impact="admin"), "set"
)
ADD_KEY = Tool(
    "add_deploy_key",
    "repository: str, key: str",
    "Add a deploy key.",
    Resource(impact="admin", targets=("repository", "key")),
    "added",
)
GRANT = Tool(
    "grant_role",
    "member: str, role: str",
    "Grant a role.",
    Resource(impact="admin", targets=("member",), reversal="undo"),
    "granted",
)
CHARGE = Tool(
    "refund", "order: str, iban: str, amount: float", "Refund an order.",
    Resource(impact="payment", targets=("iban",), amount="amount", reversal="compensate"), "refunded",
)  # fmt: skip
FETCH = Tool("fetch_url", "url: str", "Fetch a URL.", Resource(impact="read", source_trust=100), "ok")
SUBMIT = Tool(
    "submit_form",
    "url: str, fields: dict",
    "Submit a form.",
    Resource(impact="send", source_trust=300, targets=("url",)),
    "submitted",
)

READ = ("read_mail", {"n": 1})


def paying(account: Any, amount: float = 90.0, **more: Any) -> tuple[str, dict[str, Any]]:
    return ("pay", {"account": account, "amount": amount, **more})


def sending(to: Any, text: str = "Hello, as agreed.", **more: Any) -> tuple[str, dict[str, Any]]:
    return ("send_mail", {"to": to, "text": text, **more})
