"""What a program does, as the readers of each language say it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_NODES: Final = 2_000
"""Most nodes of a program that is read."""
MAX_NAMED: Final = 32
"""Most things that a program may name."""


class ProgramEffect(StrEnum):
    """How much of a program's effect is known: it only reads, it acts on what it names, or it could do anything."""

    READS = "reads"
    ACTS = "acts"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Program:
    """What one program does.

    Args:
        effect: see `ProgramEffect`.
        named: hosts, paths and tables that it names, as they are written.
        verbs: of each thing that it does, the stems by which a user asks for that; empty of one that only reads.
    """

    effect: ProgramEffect
    named: tuple[str, ...] = ()
    verbs: tuple[frozenset[str], ...] = ()


OPAQUE: Final = Program(ProgramEffect.OPAQUE)
READS: Final = Program(ProgramEffect.READS)
