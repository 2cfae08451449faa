"""Attacks through the carriers of everyday work, and the twins of ordinary customers (`SORTIES`, `sortie`).

They were written without reading the rules, and committed before any of them ran. The halves were drawn by name: half A
was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib

from pairs_table import Pair
from sally_attacks import sallies_of

__all__ = ["SORTIES", "half", "sortie"]

_DRAW = "e41a97d05c6b38f2"

SORTIES: list[Pair] = []
"""The pairs, filled by the modules `sortie_attacks_*`."""

sortie = sallies_of(SORTIES)


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]
