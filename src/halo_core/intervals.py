"""Confidence intervals of shares, computed from counts."""

from __future__ import annotations

from typing import Final

_Z: Final = 1.959963984540054
"""Of the normal distribution, for 95%."""


def compute_wilson_interval(hits: float, total: int) -> tuple[float, float]:
    """The 95% interval of a proportion, by Wilson's score method (Wilson 1927, JASA 22:209).

    Args:
        hits: how many of them, 0 to `total`; of a rate, the rate times the total.
        total: number of all.

    Returns:
        Lower and upper limit, 0 to 1; (0, 1) of none.

    Raises:
        ValueError: the counts are no share.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no share")
    if not total:
        return 0.0, 1.0
    share, square = hits / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    width = _Z * ((share * (1 - share) + square / (4 * total)) / total) ** 0.5 / (1 + square / total)
    low, high = max(0.0, middle - width), min(1.0, middle + width)
    return (0.0 if hits == 0 else low), (1.0 if hits == total else high)
