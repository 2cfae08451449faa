"""The calls and rules of the benchmarks as plain data, so that another product can be given the same ones.

Nothing here imports Halo: the peers of `peers.py` run in environments of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["MIXES", "RESULT", "TOOLS", "Rule", "build_args", "generate_rules", "name_parties"]

_PLAIN: Final = ("search_orders", "send_message", "pay_invoice", "wipe_folder")
TOOLS: Final = (*_PLAIN, *(f"tool_{i:02d}" for i in range(13)))

MIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "allowed": ("search_orders", "search_orders", "send_message", "pay_invoice"),
    "denied": ("search_orders", "wipe_folder", "pay_invoice", "wipe_folder"),
    "reads": ("search_orders",),
}
"""Tools called in turn, by name of the mix."""

RESULT: Final = (
    "order 48{0} of 2026-03-0{1}: 3 x paper A4, 1 x toner, 129.{0} EUR, shipped to Hauptstr. {0}, 1020 Wien, carrier "
    "reference AT{0}88{1}, two parcels, delivered to the front desk and signed for by the office manager on Tuesday"
)
"""What a tool returns, with places for two numbers."""

_SHAPES: Final = ("limit", "domain", "steps", "traced", "pending")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "limit": (500, 900),
    "domain": (0, 100),
    "steps": (200, 400),
    "pending": (10, 15),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about one tool; each product writes it in its own language.

    Args:
        name: unique.
        shape: `never`, `limit` (on an amount), `domain` (of a target), `steps` (of the session), `traced` (an argument
            comes from an untrusted source) or `pending` (actions that wait).
        tool: of which tool.
        value: the number in the condition; 0 where it has none.
    """

    name: str
    shape: str
    tool: str
    value: int

    @property
    def place(self) -> str:
        """The argument that says where to. A search has none; its rules look at what it has."""
        return "query" if self.tool == "search_orders" else "to"

    @property
    def number(self) -> str:
        """The argument that is limited."""
        return "limit" if self.tool == "search_orders" else "amount"


def generate_rules(count: int) -> Iterator[Rule]:
    """The first `count` rules, always the same: one that forbids a tool, then five shapes for tool after tool."""
    draw = random.Random(7)
    yield Rule("own.never", "never", "wipe_folder", 0)
    for i in range(count - 1):
        shape = _SHAPES[i % len(_SHAPES)]
        value = draw.randrange(*_RANGES[shape]) if shape in _RANGES else 0
        yield Rule(f"own.{shape}.{i}", shape, TOOLS[i // len(_SHAPES) % len(TOOLS)], value)


def name_parties(number: int) -> tuple[str, str]:
    """Mail address and account that the calls of one session name.

    No account comes twice: a payment to it would be one that ran within the last 24 hours, and be asked about.
    """
    return f"pat.{number % 1000}@partner.example", f"AT6119043002{number % 100_000_000:08d}"


def build_args(tool: str, number: int, mail: str, payee: str) -> dict[str, Any]:
    """Arguments of the call with this number.

    Orders have six digits whatever the number of the call. Otherwise messages would grow longer, and seven digits would
    be a record that the request does not name; both are asked about.
    """
    order = 100_000 + number % 900_000
    if tool == "search_orders":
        return {"query": f"open orders number {order}", "limit": 20, "newest_first": True}
    if tool == "send_message":
        text = f"Dear Pat, of order {order} the toner is still missing. Could you tell us when it comes? Kind regards"
        return {"to": mail, "subject": f"Order {order}", "text": text}
    if tool == "pay_invoice":
        return {"to": payee, "amount": 90 + number % 50, "subject": f"Invoice {order}"}
    return {"to": f"/srv/share/{number}", "subject": "clean up"}
