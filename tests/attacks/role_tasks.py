"""A third set of tasks of assistants, in the form of the crafts (`DUTIES`, `DUTY_HOLDS`, `duty`, `hold`).

They were written without reading the decision, and drawn into halves by situation before they first ran: half A was
looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

from case_world import Case
from trade_tasks import Task, holds_of, tasks_of
from trade_tasks import half as _half

__all__ = ["DUTIES", "DUTY_HOLDS", "duty", "half", "hold"]

_DRAW = "e7c41d90a26f35b8"

DUTIES: list[Task] = []
"""The tasks, filled by the modules `role_tasks_*`."""
DUTY_HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""

duty, hold = tasks_of(DUTIES), holds_of(DUTY_HOLDS)


def half(name: str) -> str:
    """The half of a case: `A` or `B`, the same for all cases of a situation."""
    return _half(name, _DRAW)
