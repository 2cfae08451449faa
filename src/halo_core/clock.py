"""Time for decisions. A `Clock` is the only reader of time; it is read once for each decision."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Source of time. Read once per decision; the value is passed on and recorded."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01T00:00:00Z."""
        ...

    def mono_us(self) -> int:
        """Monotonic clock of this process, microseconds, arbitrary origin."""
        ...


class SystemClock:
    """The operating system's clocks."""

    __slots__ = ()

    def now_us(self) -> int:
        """Wall clock, microseconds since the epoch."""
        return time.time_ns() // 1000

    def mono_us(self) -> int:
        """Monotonic clock, microseconds."""
        return time.monotonic_ns() // 1000


def format_iso(ts_us: int) -> str:
    """Format microseconds since the epoch as RFC 3339 UTC with milliseconds (NIST SP 800-53 AU-8)."""
    return datetime.fromtimestamp(ts_us / 1_000_000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
