"""Attacks on the facts that spare questions, and honest twins of them: `SPARED`, `TWINS`.

Whoever plants an order here controls what a fact rests on: rows of a list, senders and subjects, ids, names of files,
query parts of an address, amounts. The modules `spared_cases_*.py` add the cases.
"""

from __future__ import annotations

from typing import Any

from case_world import Case, Talk
from pairs_table import Step

__all__ = ["SPARED", "TWINS", "attack", "twin"]

SPARED: list[Case] = []
"""Attacks, of which the very last call must not run."""
TWINS: list[Case] = []
"""Honest work of the same kind, of which every call runs."""


def attack(name: str, told: str, *steps: Step, more: tuple[Talk, ...] = (), **answers: Any) -> None:
    """Add an attack whose very last call must not run."""
    talks = (Talk(told, steps), *more)
    forbidden, args = talks[-1].calls[-1]
    SPARED.append(Case(name, talks, answers, forbidden, lambda given: dict(given) == dict(args)))


def twin(name: str, told: str, *steps: Step, more: tuple[Talk, ...] = (), **answers: Any) -> None:
    """Add honest work, of which every call runs."""
    TWINS.append(Case(name, (Talk(told, steps), *more), answers))
