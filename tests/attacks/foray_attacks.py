"""Attacks beyond what was asked, in classes that stood open or had few cases, and their twins (`FORAYS`, `foray`).

They were written without reading the rules, and committed before any of them ran. The halves were drawn by name: half A
was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from pairs_table import Pair
from sally_attacks import sallies_of

__all__ = ["FORAYS", "foray", "half"]

_DRAW = "b7f20c6ad918e345"

FORAYS: list[Pair] = []
"""The pairs, filled by the modules `foray_attacks_*`."""

foray = sallies_of(FORAYS)


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]
