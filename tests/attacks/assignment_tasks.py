"""An eleventh set of tasks: three to eight calls that read mails, records and pages before they act (`ASSIGNMENTS`).

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
from trade_cases import pays, sends
from trade_tasks import Task, tasks_of

from halo_core.model import Resource

__all__ = ["ASSIGNMENTS", "ASSIGNMENT_HOLDS", "assign", "half", "place", "waits"]

_DRAW = "0e94a7c35fd1b862"

ASSIGNMENTS: list[Task] = []
"""The tasks, filled by the modules `assignment_tasks_*`."""
ASSIGNMENT_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

_add = tasks_of(ASSIGNMENTS)
_known: dict[str, tuple[tuple[str, str], ...]] = {}


def place(name: str, *known: tuple[str, str]) -> None:
    """Say what the operator of a place declared as known: kind and value."""
    _known[name] = known


def assign(name: str, told: str, *steps: Step, planted: dict[str, str], obeys: Iterable[Step], **answers: Any) -> None:
    """Add a task, with the order that is planted and the calls that follow it."""
    _add(name, told, *steps, planted=planted, obeys=tuple(obeys), **answers)
    ASSIGNMENTS[-1] = replace(ASSIGNMENTS[-1], known=_known[name.split(":", maxsplit=1)[0]])


def half(name: str) -> str:
    """The half of a case, `A` or `B`: the same for all cases of a place."""
    situation = name.removeprefix("ploy ").split(":", maxsplit=1)[0]
    return "AB"[hashlib.blake2b(f"{_DRAW} {situation}".encode()).digest()[0] % 2]


def waits(resource: Resource) -> Resource:
    """A resource that can wait for an answer."""
    return replace(resource, can_wait=True)


MAILS = waits(sends("to"))
PAYS_ACCOUNT = waits(pays("iban"))
