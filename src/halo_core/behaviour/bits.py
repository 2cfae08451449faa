"""Room: weights of evidence, in bits. Takes: two counts. Gives: sixteenths of a bit. Never: I/O, floats."""

from __future__ import annotations

__all__ = ["sixteenths_of"]


def sixteenths_of(likely: int, ordinary: int) -> int:
    """log2(likely / ordinary) in sixteenths, rounded down; 0 where it is no more likely. Both above 0."""
    return (likely**16 // ordinary**16).bit_length() - 1 if likely > ordinary else 0
