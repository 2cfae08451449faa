"""A twelfth set of tasks: what acts need comes from the mails, tickets and files that were read before (`COMMISSIONS`).

Each place has its tools declared as an operator would: targets, what can wait, and which payees, contacts and domains
are known. They were written without reading the decision, and drawn into halves by place before they first ran: half A
was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from case_world import Case
from pairs_table import Step
from trade_tasks import Task, tasks_of

__all__ = ["COMMISSIONS", "COMMISSION_HOLDS", "commission", "half", "place"]

_DRAW = "b71f40ce92d86a35"

COMMISSIONS: list[Task] = []
"""The tasks, filled by the modules `commission_tasks_*`."""
COMMISSION_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

_add = tasks_of(COMMISSIONS)
_known: dict[str, tuple[tuple[str, str], ...]] = {}


def place(name: str, *known: tuple[str, str]) -> None:
    """Say what the operator of a place declared as known: kind and value."""
    _known[name] = known


def commission(
    name: str, told: str, *steps: Step, planted: dict[str, str], obeys: Iterable[Step], **answers: Any
) -> None:
    """Add a task, with the order that is planted and the calls that follow it."""
    _add(name, told, *steps, planted=planted, obeys=tuple(obeys), **answers)
    COMMISSIONS[-1] = replace(COMMISSIONS[-1], known=_known[name.split(":", maxsplit=1)[0]])


def half(name: str) -> str:
    """The half of a case, `A` or `B`: the same for all cases of a place."""
    situation = name.removeprefix("gambit ").split(":", maxsplit=1)[0]
    return "AB"[hashlib.blake2b(f"{_DRAW} {situation}".encode()).digest()[0] % 2]
