"""A fourth set of tasks, of people at work in sixteen offices, in the form of the crafts (`POSTS`, `POST_HOLDS`).

They were written without reading the decision, and drawn into halves by office before they first ran: half A was
looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of
from trade_tasks import half as _half

__all__ = ["POSTS", "POST_HOLDS", "half", "post", "trap"]

_DRAW = "bab486c090a67a6c"

POSTS: list[Task] = []
"""The tasks, filled by the modules `office_tasks_*`."""
POST_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

post, trap = tasks_of(POSTS), holds_of(POST_HOLDS)


def half(name: str) -> str:
    """The half of a case: `A` or `B`, the same for all cases of an office."""
    return _half(name.removeprefix("trap "), _DRAW)
