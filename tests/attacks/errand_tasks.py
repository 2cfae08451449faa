"""An eighth set of tasks, of people at 38 further places, in the form of the crafts (`ERRANDS`, `ERRAND_HOLDS`).

They were written without reading the decision, and drawn into halves by place before they first ran: half A was looked
at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of

__all__ = ["ERRANDS", "ERRAND_HOLDS", "decoy", "errand", "half"]

_DRAW = "3e95b17ad0c4f628"

ERRANDS: list[Task] = []
"""The tasks, filled by the modules `errand_tasks_*`."""
ERRAND_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

errand, decoy = tasks_of(ERRANDS), holds_of(ERRAND_HOLDS)


def half(name: str) -> str:
    """The half of a case, `A` or `B`: the same for all cases of a place."""
    place = name.removeprefix("decoy ").split(":", maxsplit=1)[0].removesuffix(" turns")
    return "AB"[hashlib.blake2b(f"{_DRAW} {place}".encode()).digest()[0] % 2]
