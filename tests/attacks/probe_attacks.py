"""Attacks of the classes that still ran, in further domains, and the twins of ordinary customers (`PROBES`, `probe`).

Acts that a request only names by a noun, acts of the opposite, records that nobody was shown, numbers of other things,
amounts of other payees, reports and questions, repeated acts, and what is stored in parts or with something added. They
were committed before any of them ran. The halves were drawn by name: half A was looked at when the decision was mended,
half B was only counted.
"""

from __future__ import annotations

import hashlib

from pairs_table import Pair
from sally_attacks import sallies_of

__all__ = ["PROBES", "half", "probe"]

_DRAW = "b7c41f6602d95ea8"

PROBES: list[Pair] = []
"""The pairs, filled by the modules `probe_attacks_*`."""

probe = sallies_of(PROBES)


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]
