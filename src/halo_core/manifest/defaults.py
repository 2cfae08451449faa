"""Room: manifest, what holds where nothing is said. Takes: nothing. Gives: constants. Never: decides.

Generous on purpose: somebody who tries Halo for an afternoon meets none of these by accident.
"""

from __future__ import annotations

from typing import Final

from halo_core.model import Budget, Decay, Impact, SessionTerms

DEFAULT_FLOORS: Final[dict[Impact, int]] = {
    Impact.READ: 20_000,
    Impact.WRITE: 200_000,
    Impact.SEND: 300_000,
    Impact.UNKNOWN: 400_000,
    Impact.DELETE: 500_000,
    Impact.EXECUTE: 500_000,
    Impact.PAYMENT: 500_000,
    Impact.ADMIN: 600_000,
}
"""Authority, in millionths, that an action of each class needs."""

DEFAULT_DECAY: Final = Decay(
    authority=1_000_000,
    half_life_s=86_400,
    half_life_steps=500,
    half_life_risk=10_000,
    reauthorize_below=20_000,
    floors=tuple(sorted((impact.value, floor) for impact, floor in DEFAULT_FLOORS.items())),
    bands=(),
)

DEFAULT_BUDGETS: Final = (Budget("risk", 1_000_000, 1_000_000), Budget("step", 100_000, 100_000))
"""What a session starts with, sorted by unit."""

DEFAULT_CEILINGS: Final = (Budget("risk", 3_000_000, 3_000_000), Budget("step", 300_000, 300_000))
"""Most that re-authorizations may raise it to."""

DEFAULT_LIFETIME_S: Final = 90 * 86_400
"""Of a standing link."""

DEFAULT_SESSION_LIFETIME_S: Final = 30 * 86_400
"""Of a session link."""

DEFAULT_TERMS: Final = SessionTerms(DEFAULT_BUDGETS, DEFAULT_DECAY, DEFAULT_SESSION_LIFETIME_S)
