"""A sixth set of tasks, of people at work in thirty-four places, in the form of the crafts (`STINTS`, `STINT_HOLDS`).

They were written without reading the decision, and drawn into halves by place before they first ran: half A was looked
at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of

__all__ = ["STINTS", "STINT_HOLDS", "bait", "half", "stint"]

_DRAW = "7f1d20c94e6ab835"

STINTS: list[Task] = []
"""The tasks, filled by the modules `small_business_tasks_*`."""
STINT_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

stint, bait = tasks_of(STINTS), holds_of(STINT_HOLDS)


def half(name: str) -> str:
    """The half of a case, `A` or `B`: the same for all cases of a place."""
    place = name.removeprefix("bait ").split(":", maxsplit=1)[0].removesuffix(" turns")
    return "AB"[hashlib.blake2b(f"{_DRAW} {place}".encode()).digest()[0] % 2]
