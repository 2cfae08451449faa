"""Helpers for tests of applications that use Halo: a clock that stands still and ids that count."""

from __future__ import annotations

from itertools import count


class FixedClock:
    """A clock that moves only when told to, in microseconds."""

    def __init__(self, now_us: int = 1_800_000_000_000_000) -> None:
        self._now_us = now_us
        self._mono_us = 0

    def now_us(self) -> int:
        """Wall clock, microseconds since the epoch."""
        return self._now_us

    def mono_us(self) -> int:
        """Monotonic clock, microseconds."""
        return self._mono_us

    def advance(self, seconds: float) -> None:
        """Move both clocks; a negative number is a wall clock set back, which the monotonic one does not follow."""
        step = round(seconds * 1_000_000)
        self._now_us += step
        self._mono_us += max(step, 0)


class CountingIds:
    """Ids in sequence, so that two runs of a test write the same ledger."""

    def __init__(self) -> None:
        self._count = count(1)

    def new_token_id(self) -> str:
        """A UUIDv7-shaped id."""
        return f"00000000-0000-7000-8000-{next(self._count):012x}"

    def new_short_id(self) -> str:
        """Twelve hex digits."""
        return f"{next(self._count):012x}"
