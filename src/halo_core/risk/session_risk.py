"""Risk of a session, from the action risks of its actions (0..1000), and its drift alarm.

A session's risk is at least that of its riskiest recent action, falls by an eighth with each action, and rises by a
fixed amount with each refusal: `next_session_risk` is applied once for each decided action.

Beside it runs an e-process, a bet against "this is ordinary work" that grows with each unlikely action. By Ville's
inequality ordinary work passes a wealth of 1/alpha with probability alpha at most, however long it goes on, as far as
the tail probabilities are true.
"""

from __future__ import annotations

from typing import Final

from halo_core.risk.model import MAX_RISK

__all__ = ["DRIFT_ALARM_WEALTH", "WEALTH_INDEX", "next_session_risk", "update_wealth"]

WEALTH_INDEX: Final = 5
"""Where the wealth of the session's e-process stands among `Profile.sums`."""
DRIFT_ALARM_WEALTH: Final = 160
"""Wealth (sixteenths of a bit) from which on it is an alarm: one ordinary session in 1,024 gets there."""
_DECAY_DIVISOR: Final = 8
_REFUSAL_RISK: Final = 60


def next_session_risk(before: int, action_risk: int, *, refused: bool) -> int:
    """The session risk after one more action, 0..1000."""
    remaining = before - -(-before // _DECAY_DIVISOR)
    return min(max(remaining, action_risk) + (_REFUSAL_RISK if refused else 0), MAX_RISK)


def update_wealth(wealth: int, surprise: int) -> int:
    """The wealth after one more action, in sixteenths of a bit, never below zero, so that late trouble counts in full.

    Args:
        wealth: before the action.
        surprise: -log2 of the probability of anything as strange in ordinary work, in sixteenths of a bit.

    The bet is the calibrator p^(-1/2)/2, whose mean is one where p is uniform: log2 of it is surprise/2 - 1.
    """
    return max(wealth + surprise // 2 - 16, 0)
