"""Room: what a decision is measured in. Takes: a folder. Gives: an open Halo, a policy of 100 rules, a mix of calls.

The policy is the starter policy and generated rules of the kinds people write: limits on amounts, blocked domains,
steps of a session, provenance of an argument; five for each tool, sliced by resource like any other. The calls are what
an office agent does: it looks things up, writes a message, pays an invoice. Never: measures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from halo_core.enforcement import Call, Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["MIXES", "RULES", "SURFACE", "Work", "World", "open_world"]

RULES: Final = 100
SURFACE: Final[Surface[str]] = Surface(text=str)
_PER_SESSION: Final = 20  # calls, then the next user's request begins

_STRING: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}
_PLAIN: Final = ("search_orders", "send_message", "pay_invoice", "wipe_folder")
_TOOLS: Final = (*_PLAIN, *(f"tool_{i:02d}" for i in range(13)))

MIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "allowed": ("search_orders", "search_orders", "send_message", "pay_invoice"),
    "denied": ("search_orders", "wipe_folder", "pay_invoice", "wipe_folder"),
}
"""Tools called in turn, by name of the mix."""

_RESULT: Final = (
    "order 48{0} of 2026-03-0{1}: 3 x paper A4, 1 x toner, 129.{0} EUR, shipped to Hauptstr. {0}, 1020 Wien, carrier "
    "reference AT{0}88{1}, two parcels, delivered to the front desk and signed for by the office manager on Tuesday"
)


@dataclass(frozen=True, slots=True)
class Work:
    """One call, and what its tool will return."""

    call: Call
    result: str


@dataclass(slots=True)
class World:
    """An open Halo with its tools; `work` makes calls that no other call of the run equals."""

    halo: HaloBase
    tools: Mapping[str, Resource]
    _made: int = 0

    def work(self, mix: str, *, agent: int = 0) -> Iterator[Work]:
        """Endless calls of one agent, a new session after every twenty."""
        names = MIXES[mix]
        while True:
            session, user = f"s-{agent}-{self._made}", f"user-{self._made % 50}"
            payee = f"AT61190430023457{self._made % 10_000:04d}"
            mail = f"pat.{self._made % 1000}@partner.example"
            request = (
                f"Please look up our open orders, write to {mail} what is still missing, and pay the invoice over "
                f"{90 + self._made % 50} euros to {payee}. Mention the order number, and be brief and polite."
            )
            for i in range(_PER_SESSION):
                self._made += 1
                name = names[i % len(names)]
                args = _args(name, self._made, mail, payee)
                call = Call(
                    self.tools[name],
                    args,
                    session=session,
                    session_source="host",
                    user=user,
                    turn=f"turn-{self._made}",
                    trigger="message",
                    trigger_text=f"I will now use {name} for step {i} of the request.",
                    request=request,
                    trace_id=f"{self._made:032x}",
                )
                yield Work(call, _RESULT.format(self._made % 90 + 10, self._made % 9 + 1))


def _args(name: str, number: int, mail: str, payee: str) -> dict[str, Any]:
    if name == "search_orders":
        return {"query": f"open orders number {number}", "limit": 20, "newest_first": True}
    if name == "send_message":
        text = f"Dear Pat, of order {number} the toner is still missing. Could you tell us when it comes? Kind regards"
        return {"to": mail, "subject": f"Order {number}", "text": text}
    if name == "pay_invoice":
        return {"to": payee, "amount": 90 + number % 50, "subject": f"Invoice {number}"}
    return {"to": f"/srv/share/{number}", "subject": "clean up"}


def open_world(folder: Path, *, rules: int = RULES) -> World:
    """Open Halo in an empty folder, in enforce mode.

    Args:
        folder: of keys, policy and database.
        rules: how many the policy holds, the starter's included.
    """
    policy = folder / "policy"
    policy.mkdir(parents=True)
    starter = [path.read_text("utf-8") for path in _starter()]
    left = rules - sum(text.count('@id("') for text in starter)
    texts = [*starter, "\n".join(_generated(left))]
    (policy / "all.cedar").write_text("\n".join(texts), "utf-8")
    assert "\n".join(texts).count('@id("') == rules
    halo = HaloBase.local(
        "office", user="bench", mode="enforce", home=folder / "home", policy=policy, quiet=True, deadline_s=10.0
    )
    return World(halo, {name: _register(halo, name) for name in _TOOLS})


def _starter() -> list[Path]:
    with resources.as_file(resources.files("halo_core.policy") / "starter") as folder:
        return sorted(folder.glob("*.cedar"))


def _register(halo: HaloBase, name: str) -> Resource:
    properties: dict[str, Any] = {"to": _STRING, "subject": _STRING, "amount": _INTEGER, "text": _STRING}
    targets: tuple[str, ...] = ("to",)
    impact, reversal, amount = Impact.SEND, Reversal.COMPENSATE, ""
    if name == "search_orders":
        properties = {"query": _STRING, "limit": _INTEGER, "newest_first": {"type": "boolean"}}
        targets, impact, reversal = (), Impact.READ, Reversal.NONE_NEEDED
    elif name == "pay_invoice":
        impact, amount = Impact.PAYMENT, "amount"
    elif name == "wipe_folder":
        impact = Impact.WRITE
    resource = Resource(
        impact=impact, source_trust=600, reversal=reversal, targets=targets, amount=amount, system="erp"
    )
    schema = {"type": "object", "properties": properties}
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema)


def _generated(count: int) -> Iterator[str]:
    """Rules of five shapes, in a fixed order, for tool after tool."""
    draw = random.Random(7)
    shapes = ("limit", "domain", "steps", "traced", "pending")
    yield '@id("own.never") @reason("grave_impact") forbid (principal, action, resource == Tool::"wipe_folder");'
    for i in range(count - 1):
        tool = _TOOLS[i // len(shapes) % len(_TOOLS)]
        shape = shapes[i % len(shapes)]
        yield _rule(f"own.{shape}.{i}", shape, tool, draw)


def _rule(name: str, shape: str, tool: str, draw: random.Random) -> str:
    # A search has neither recipient nor amount; its rules look at what it has.
    place, number = ("query", "limit") if tool == "search_orders" else ("to", "amount")
    head = f'forbid (principal, action, resource == Tool::"{tool}") when'
    graded = f'@id("{name}") @effect("challenge") @reason("large_amount") {head}'
    match shape:
        case "limit":
            return f"{graded} {{ context.args has {number} && context.args.{number} > {draw.randrange(500, 900)} }};"
        case "domain":
            domain = f"*@blocked-{draw.randrange(100)}.example"
            return (
                f'@id("{name}") @reason("untrusted_target") {head} '
                f'{{ context.args has {place} && context.args.{place} like "{domain}" }};'
            )
        case "steps":
            return f'@id("{name}") @effect("monitor") {head} {{ context.steps > {draw.randrange(200, 400)} }};'
        case "traced":
            return (
                f"{graded} {{ context.tainted && context.provenance has {place} && "
                f'context.provenance.{place} == "untrusted" }};'
            )
        case _:
            return f"{graded} {{ context.pending > {draw.randrange(10, 15)} }};"
