"""The defaults of an agent's manifest: budgets, decay of authority, lifetimes.

They are generous, so that somebody who tries Halo for an afternoon does not run into a limit.
"""

from __future__ import annotations

from typing import Final

from halo_core.durations import DAY_S
from halo_core.model import Budget, Decay, SessionTerms
from halo_core.quick_dataclass import dataclass

DEFAULT_DECAY: Final = Decay(
    authority=1_000_000,
    half_life_s=DAY_S,
    half_life_steps=500,
    half_life_risk=10_000,
    reauthorize_below=20_000,
    floors=(
        ("admin", 600_000),
        ("delete", 500_000),
        ("execute", 500_000),
        ("payment", 500_000),
        ("read", 20_000),
        ("send", 300_000),
        ("unknown", 400_000),
        ("write", 200_000),
    ),
)
"""Floors are in millionths of authority, which an action of each impact class needs."""

DEFAULT_BUDGETS: Final = (Budget("risk", 1_000_000, 1_000_000), Budget("step", 100_000, 100_000))
"""Budgets that a session starts with, sorted by unit."""

DEFAULT_CEILINGS: Final = (Budget("risk", 3_000_000, 3_000_000), Budget("step", 300_000, 300_000))
"""Budgets that re-authorization may raise a session to."""

DEFAULT_LIFETIME_S: Final = 90 * DAY_S
"""Seconds that a passport is valid."""

DEFAULT_SESSION_LIFETIME_S: Final = 30 * DAY_S
"""Seconds that one session may last."""

DEFAULT_HOLD_S: Final = DAY_S
"""Seconds for which an act that can wait is held for an answer."""

DEFAULT_ANSWER_WAIT_S: Final = 60
"""Seconds that a run waits for an answer where nobody reads that it waits."""

DEFAULT_TERMS: Final = SessionTerms(DEFAULT_BUDGETS, DEFAULT_DECAY, DEFAULT_SESSION_LIFETIME_S)

DEFAULT_NOTICE_S: Final = 3_600
"""Seconds from the notice of a suspension to its beginning."""

MIN_SUSPENSION_RISK: Final = 800
"""The lowest risk at which somebody may be suspended without a person."""

DEFAULT_UNUSED_DAYS: Final = 90
"""Days without a use after which a grant is proposed for removal."""

DEFAULT_REMOVAL_NOTICE_DAYS: Final = 7
"""Days from the notice to the removal of a grant."""


@dataclass(frozen=True, slots=True)
class SuspensionRule:
    """The risk from which somebody is suspended, and the notice.

    Args:
        risk: 0..1000.
        notice_s: seconds from the notice to the suspension.
    """

    risk: int
    notice_s: int = DEFAULT_NOTICE_S


@dataclass(frozen=True, slots=True)
class UnusedGrants:
    """What happens to grants that an agent does not use.

    Args:
        after_days: days without a use.
        action: `propose`, or `remove` after a notice.
        notice_days: days from the notice to the removal.
    """

    after_days: int = DEFAULT_UNUSED_DAYS
    action: str = "propose"
    notice_days: int = DEFAULT_REMOVAL_NOTICE_DAYS
