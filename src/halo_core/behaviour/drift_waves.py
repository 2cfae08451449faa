"""Waves of ordinary work that look like drift each time they return: the end of a month, the day of an incident."""

from __future__ import annotations

from typing import Final

MIN_SLACK: Final = 1000
"""Thousandths of the shipped limits of drift that are in force at least."""
REFERENCE_SLACK: Final = 1500
"""Thousandths of what ordinary work itself reached at which limits of drift begin."""
_MAX_RETURN_SLACK: Final = 3000
"""Most that a wave widens limits to."""


def widen_by_return(
    peak_and_slack: tuple[int, int], reached: int, *, is_alarm: bool, is_asked: bool, is_observed: bool
) -> tuple[int, int]:
    """Peak and slack after a session.

    Where nobody is asked, in observe mode, a wave that alarmed and fell to half of its height by itself has shown how
    far ordinary work goes.
    INVARIANT: what somebody was asked about and did not answer widens nothing, and no wave widens it without a bound.

    Args:
        peak_and_slack: before it.
        reached: by the session, before slack.
        is_alarm: that is an alarm.
        is_asked: somebody was asked about the session, and did not say yes.
        is_observed: nobody was, since it ran in observe mode.
    """
    peak, slack = peak_and_slack
    if is_asked:
        return 0, slack
    if is_observed and is_alarm:
        return max(peak, reached), slack
    if 2 * reached >= peak:
        return peak, slack
    return 0, max(slack, min(peak * REFERENCE_SLACK // 1000, _MAX_RETURN_SLACK))
