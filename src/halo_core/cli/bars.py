"""Room: a history as a line of bars. Takes: risks. Gives: text. Never: I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["WIDTH", "line"]

_BARS: Final = " ▁▂▃▄▅▆▇█"
WIDTH: Final = 40
"""How many are shown, the last ones."""


def line(history: Iterable[int]) -> str:
    """A line of bars, 0..1000."""
    return "".join(_BARS[min(value * (len(_BARS) - 1) // 1000, len(_BARS) - 1)] for value in list(history)[-WIDTH:])
