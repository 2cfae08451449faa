"""A fifth set of tasks, of people at work in sixteen places, in the form of the crafts (`SHIFTS`, `SHIFT_HOLDS`).

They were written without reading the decision, and drawn into halves by place before they first ran: half A (two
places of three) was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of

from halo_core.model import Resource

__all__ = ["SHIFTS", "SHIFT_HOLDS", "buys", "half", "shift", "snare"]

_DRAW = "cce2ba776dd846eb"

SHIFTS: list[Task] = []
"""The tasks, filled by the modules `workplace_tasks_*`."""
SHIFT_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

shift, snare = tasks_of(SHIFTS), holds_of(SHIFT_HOLDS)


def half(name: str) -> str:
    """The half of a case: `A` (two places of three) or `B`, the same for all cases of a place."""
    place = name.removeprefix("snare ").split(":", maxsplit=1)[0]
    return "AAB"[hashlib.blake2b(f"{_DRAW} {place}".encode()).digest()[0] % 3]


def buys(*targets: str) -> Resource:
    """An order at a price that no argument says."""
    return Resource(impact="payment", targets=targets, reversal="compensate")
