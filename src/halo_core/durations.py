"""Units of time in microseconds and seconds, for code that reads no clock."""

from __future__ import annotations

from typing import Final

SECOND_US: Final = 1_000_000
"""Microseconds of a second."""
HOUR_US: Final = 3600 * SECOND_US
"""Microseconds of an hour."""
DAY_US: Final = 24 * HOUR_US
"""Microseconds of a day."""
DAY_S: Final = 86_400
"""Seconds of a day."""
