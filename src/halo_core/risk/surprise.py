"""How surprising something is that happens so often: -log2 of its rate, in sixteenths of a bit, in integers."""

from __future__ import annotations

from typing import Final

MAX_SURPRISE: Final = 160  # sixteenths of a bit


def _compute_surprise(rate: int) -> int:
    """Surprise at something that happens `rate` thousandths of the time, in sixteenths of a bit, exactly."""
    rate = min(max(rate, 1), 1000)
    return min((1000**16 // rate**16).bit_length() - 1, MAX_SURPRISE)


SURPRISE_BITS: Final = tuple(_compute_surprise(rate) for rate in range(1001))
