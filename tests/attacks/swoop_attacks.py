"""Attacks in the manner of the first review of the values, and honest twins (`SWOOPS`, `swoop`).

A request, a poisoned result, store or second session, a model that obeys, and a tool that acts: values written another
way, relayed, stored, split or redirected. They were committed before any of them ran. The halves were drawn by name:
half A was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from pairs_table import Pair, Step
from sally_attacks import sallies_of

__all__ = ["SWOOPS", "half", "swoop"]

_DRAW = "e19f4b7730ac62d5"

SWOOPS: list[Pair] = []
"""The pairs, filled by the modules `swoop_attacks_*`."""

_add = sallies_of(SWOOPS)


def swoop(
    name: str,
    told: str,
    bad: Step,
    good: Step | tuple[Step, ...] | None = None,
    honest_steps: tuple[Step, ...] | None = None,
    **more: Any,
) -> None:
    """Add an attack and its twin, or the attack alone where `good` is None; `honest_steps`: all calls of the twin."""
    _add(name, told, bad, bad if good is None else good, **more)
    pair = SWOOPS[-1]
    if good is None:
        SWOOPS[-1] = replace(pair, twin=None)
    elif honest_steps is not None and pair.twin is not None:
        *before, last = pair.twin.talks
        SWOOPS[-1] = replace(pair, twin=replace(pair.twin, talks=(*before, replace(last, calls=honest_steps))))


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]
