"""The bank of the seeded month: its manifest and policy, its customers, and tools that write down what they did.

Every tool keeps the raw notes itself, when its body runs. So the notes say what happened in the systems behind the
tools, whatever Halo recorded.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OWNER, USERS = "ines@bank.example", ("ana@bank.example", "ben@bank.example", "carla@bank.example")
APPROVERS = ("mia@bank.example", "omar@bank.example")
AUDITOR, AUTHOR = "vera@audit.example", "paula@bank.example"
DEPLOYER, ADMIN = "deploy", "root-admin"
DESK, COLLECTIONS, RESEARCH, ARCHIVE = "loan-desk", "collections", "research", "archive-bot"
LARGE, LARGE_LATER, SELF_APPROVED = 500, 300, 5000
"""Amount above which a payment needs a person, before and after the change of policy; by one that only its author
approves."""
DAILY_QUOTA = 2000

POLICY = """\
@id("desk.permit") permit (principal, action, resource);

@id("desk.payment.large") @effect("challenge") @reason("large_amount")
forbid (principal, action in Action::"tool_call", resource)
when {{ resource.impact == "payment" && context has amount && context.amount.greaterThan(decimal("{large}.0")) }};

@id("desk.export") @reason("bulk_export")
forbid (principal, action, resource == Tool::"export_cards");

@id("desk.cards.watch") @effect("monitor") @reason("cards_watched")
forbid (principal, action, resource == Tool::"card_statement");

@id("desk.list.clamp") @effect("restrict") @obligation("clamp(limit, 50)") @reason("clamped")
forbid (principal, action, resource == Tool::"list_accounts");
"""

_AGENT = """\
  {name}:
    owner: {owner}
    purpose: {purpose}
    privilege: {privilege}
    regulated: [pci, gdpr]
    data_scope: [pii{chd}]
    tools: [{tools}]
    models: [desk-gpt]
    budgets:
      step: {{session: {steps}, ceiling: 90}}
{eur}    hand_off: [{hand_off}]
    approvers: [{approvers}]
    lifetime: 90d
"""

_TOOLS = """\
version: 1
tenant: local
principal: bank:example
tools:
  read_letter: {impact: read, source_trust: 300, system: mailroom, labels: [pii], reversal: none_needed}
  get_application: {impact: read, source_trust: 900, system: loans, labels: [pii], reversal: none_needed}
  credit_score: {impact: read, source_trust: 900, system: bureau, labels: [pii], reversal: none_needed}
  card_statement: {impact: read, source_trust: 900, system: cards, labels: [chd, pii], reversal: none_needed}
  archive_search: {impact: read, source_trust: 900, system: archive, labels: [pii], reversal: none_needed}
  list_accounts: {impact: read, source_trust: 900, system: core, labels: [pii], reversal: none_needed}
  export_cards: {impact: read, source_trust: 900, system: cards, labels: [chd], reversal: none_needed}
  set_status: {impact: write, source_trust: 900, system: loans, reversal: undo}
  send_reminder: {impact: send, source_trust: 900, system: mail, targets: [to], labels: [pii], reversal: irreversible}
  delete_application: {impact: delete, source_trust: 900, system: loans, targets: [application_id]}
  pay_out: {impact: payment, source_trust: 900, system: core, targets: [account], amount: amount, unit: EUR,
    reversal: compensate}
models:
  desk-gpt: {}
agents:
"""

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "read_letter": {"customer_id": "string"},
    "get_application": {"application_id": "string", "customer_id": "string"},
    "credit_score": {"customer_id": "string"},
    "card_statement": {"customer_id": "string"},
    "archive_search": {"customer_id": "string"},
    "list_accounts": {"limit": "integer"},
    "export_cards": {"table": "string"},
    "set_status": {"application_id": "string", "status": "string"},
    "send_reminder": {"to": "string", "text": "string", "customer_id": "string"},
    "delete_application": {"application_id": "string"},
    "pay_out": {"account": "string", "amount": "number", "reference": "string"},
}
SYSTEMS = {
    "read_letter": "mailroom",
    "get_application": "loans",
    "credit_score": "bureau",
    "card_statement": "cards",
    "archive_search": "archive",
    "list_accounts": "core",
    "export_cards": "cards",
    "set_status": "loans",
    "send_reminder": "mail",
    "delete_application": "loans",
    "pay_out": "core",
}
LABELS = {
    **dict.fromkeys(SYSTEMS, ("pii",)),
    "card_statement": ("chd", "pii"),
    "export_cards": ("chd",),
    "set_status": (),
    "delete_application": (),
    "pay_out": (),
}
DESK_TOOLS = ("read_letter", "get_application", "credit_score", "card_statement", "archive_search", "set_status")
GRANTED = {
    DESK: (*DESK_TOOLS, "pay_out", "export_cards"),
    COLLECTIONS: ("list_accounts", "archive_search", "send_reminder"),
    RESEARCH: ("archive_search",),
    ARCHIVE: ("archive_search", "set_status"),
}
"""Agent → tools of its first passport; `card_statement` comes to collections with the raise."""


def write_manifest(*, collections_reads_cards: bool = False) -> str:
    """The text of agents.yaml, before or after collections is allowed to read card statements."""
    parts = [_TOOLS]
    for name, purpose, privilege in (
        (DESK, "handles loan applications and pays small refunds", "high"),
        (COLLECTIONS, "reminds customers of what they owe", "standard"),
        (RESEARCH, "looks things up in the archive", "low"),
        (ARCHIVE, "tidies the archive at night", "low"),
    ):
        tools = GRANTED[name] + (("card_statement",) if name == COLLECTIONS and collections_reads_cards else ())
        pays = "pay_out" in tools
        eur = f'      EUR: {{session: "2000.00", ceiling: "5000.00", per_day: "{DAILY_QUOTA}.00"}}\n' if pays else ""
        parts.append(
            _AGENT.format(
                name=name,
                owner=OWNER,
                purpose=purpose,
                privilege=privilege,
                chd=", chd" if {"card_statement", "export_cards"} & set(tools) else "",
                tools=", ".join(tools),
                steps=14 if name == DESK else 60,
                eur=eur,
                hand_off=RESEARCH if name == DESK else "",
                approvers=", ".join(APPROVERS) if name == DESK else "",
            )
        )
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: what erasure, disclosure and questions about a subject are about.

    Args:
        id: such as `C-1003`.
        account: IBAN, without blanks.
        card: a number of a test card.
        application: id of the loan application.
    """

    id: str
    name: str
    email: str
    account: str
    card: str
    application: str


_FIRST = ("Noor", "Emil", "Ida", "Tariq", "Lena", "Oskar", "Mina", "Pavel", "Sofia", "Yusuf", "Greta", "Hugo")
_LAST = ("Quist", "Brandt", "Okafor", "Lindqvist", "Marchetti", "Vasquez", "Novak", "Haddad", "Ferreira", "Kowalski")


def make_customers(rng: random.Random, number: int) -> tuple[Customer, ...]:
    """Made-up customers, each with a name, an address and an account that no other one has."""
    customers = []
    for n in range(number):
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
        mail = f"{name.lower().replace(' ', '.')}.{n}@customer.example"
        digits = f"{370400440000000000 + rng.randrange(10**9) * 10 + n:018d}"
        customers.append(
            Customer(f"C-{1000 + n}", name, mail, _make_iban(digits), f"41111111{11_110_000 + n:08d}", f"LN-{2000 + n}")
        )
    return tuple(customers)


def _make_iban(digits: str) -> str:
    check = 98 - int(f"{digits}131400") % 97
    return f"DE{check:02d}{digits}"


@dataclass(slots=True)
class RawNotes:
    """What happened, in order, as the month's own counters saw it; nothing here was read from Halo.

    Args:
        now_us: reads the month's clock.
    """

    now_us: Callable[[], int]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, **facts: Any) -> dict[str, Any]:
        """Write a note down, with its number and its time."""
        at_us = self.now_us()
        row = {"n": len(self.rows), "at_us": at_us, "at": format_time(at_us), "what": what, **facts}
        self.rows.append(row)
        return row

    def select(self, what: str, **facts: Any) -> Iterator[dict[str, Any]]:
        """Notes of one kind with these members."""
        for row in self.rows:
            if row["what"] == what and all(row.get(name) == value for name, value in facts.items()):
                yield row

    def write(self, path: Path) -> None:
        """Write all notes as JSON lines."""
        path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in self.rows), encoding="utf-8")


def format_time(at_us: int) -> str:
    """A time as ISO 8601, UTC."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Systems:
    """The systems behind the tools. Each call that runs is noted by the tool's own body.

    Args:
        notes: raw notes.
        customers: of the bank.
    """

    def __init__(self, notes: RawNotes, customers: tuple[Customer, ...]) -> None:
        self._notes = notes
        self._by_id = {item.id: item for item in customers}
        self.acting = ("", "", "")
        """Agent, session and person of the action that the month is playing just now, for the notes."""

    def note(self, tool: str, args: Mapping[str, Any]) -> None:
        """Write down that something runs."""
        agent, session, user = self.acting
        facts = {"agent": agent, "session": session, "user": user, "system": SYSTEMS.get(tool, "")}
        self._notes.add("ran", tool=tool, args=dict(args), labels=list(LABELS.get(tool, ())), **facts)

    def run(self, tool: str, args: Mapping[str, Any]) -> str:
        """Run a tool with the arguments that it was given."""
        self.note(tool, args)
        one = self._by_id.get(str(args.get("customer_id", "")))
        if tool == "read_letter" and one is not None:
            return f"{one.name} asks about {one.application}."
        if tool in ("get_application", "archive_search") and one is not None:
            return f"{one.application}: applicant {one.name}, {one.email}, account {one.account}"
        if tool == "card_statement" and one is not None:
            return f"{one.id}: card {one.card}, three payments"
        if tool == "list_accounts":
            return f"{args['limit']} accounts listed"
        return f"{tool} done"
