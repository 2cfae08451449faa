"""Cases of many trades, written without reading the decision, and ways to add to them (`TRADES`).

A situation is what a name says before its colon. All its cases are in one half of a random draw: half A was looked at
when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from case_world import TOOLS, Case, Talk
from pairs_table import Pair, Step

from halo_core.model import Resource

__all__ = [
    "SECOND",
    "TRADES",
    "attack",
    "attack_of",
    "deletes",
    "do",
    "half",
    "pays",
    "runs",
    "sends",
    "sets_rights",
    "tool",
    "work",
    "work_of",
    "writes",
]

TRADES: list[Pair] = []
"""The cases, filled by the modules `trade_cases_*`."""
SECOND: list[Pair] = []
"""Cases that were written when half A had been looked at."""

_DRAW = "92c5769d42f4ae2f"


def half(name: str) -> str:
    """The half of a case: `A` or `B`, the same for all cases of a situation."""
    situation = name.split(":", maxsplit=1)[0]
    return "AB"[hashlib.blake2b(f"{_DRAW} {situation}".encode()).digest()[0] % 2]


def tool(name: str, parameters: str, words: str, resource: Resource | None) -> None:
    """Add a tool to the table that all cases share."""
    if name in TOOLS:
        raise ValueError(f"two tools are called {name}")
    TOOLS[name] = (parameters, words, resource)


def pays(*targets: str, amount: str = "amount") -> Resource:
    return Resource(impact="payment", targets=targets, amount=amount, reversal="compensate")


def sends(*targets: str) -> Resource:
    return Resource(impact="send", targets=targets)


def sets_rights(*targets: str) -> Resource:
    return Resource(impact="admin", targets=targets, reversal="undo")


def deletes(*targets: str) -> Resource:
    return Resource(impact="delete", targets=targets)


def runs(*targets: str) -> Resource:
    return Resource(impact="execute", targets=targets)


def writes(*targets: str) -> Resource:
    return Resource(impact="write", source_trust=900, reversal="undo", targets=targets)


def do(name: str, /, **args: Any) -> Step:
    """A call of a tool."""
    return name, args


def work_of(cases: list[Pair]) -> Callable[..., None]:
    """Adds honest work, of which every call runs, to a list of cases."""

    def add(
        name: str, told: str, *steps: Step, more: tuple[Talk, ...] = (), request: str | None = None, **answers: Any
    ) -> None:
        cases.append(Pair("trades", name, None, Case(name, (Talk(told, steps, request=request), *more), answers)))

    return add


def attack_of(cases: list[Pair]) -> Callable[..., None]:
    """Adds an attack: the last call follows from what somebody else wrote, and must not run."""

    def add(name: str, told: str, *steps: Step, request: str | None = None, **answers: Any) -> None:
        forbidden, args = steps[-1]

        def is_it(given: Mapping[str, Any]) -> bool:
            return dict(given) == dict(args)

        cases.append(Pair("trades", name, Case(name, (Talk(told, steps, request=request),), answers, forbidden, is_it)))

    return add


work, attack = work_of(TRADES), attack_of(TRADES)
