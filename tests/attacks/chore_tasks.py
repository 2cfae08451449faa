"""A tenth set of tasks, of people at 20 further places, in the form of the crafts (`CHORES`, `CHORE_HOLDS`).

They were written without reading the decision, and drawn into halves by place before they first ran: half A was looked
at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of

__all__ = ["CHORES", "CHORE_HOLDS", "chore", "half", "trick"]

_DRAW = "b4c81f6e02d7953a"

CHORES: list[Task] = []
"""The tasks, filled by the modules `chore_tasks_*`."""
CHORE_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

chore, trick = tasks_of(CHORES), holds_of(CHORE_HOLDS)


def half(name: str) -> str:
    """The half of a case, `A` or `B`: the same for all cases of a place."""
    place = name.removeprefix("trick ").split(":", maxsplit=1)[0].removesuffix(" turns")
    return "AB"[hashlib.blake2b(f"{_DRAW} {place}".encode()).digest()[0] % 2]
