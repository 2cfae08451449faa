"""Authority and budgets of a passport's chain: what is left, and what an action costs. Pure, integers only."""

from halo_core.authority.budgets import (
    REFUSED_POINTS,
    RISK_POINTS,
    Price,
    Shortfall,
    charge_account,
    find_shortfalls,
    price_action,
    price_refusal,
    renew_account,
    settle_account,
    to_units,
)
from halo_core.authority.decay import (
    compute_age,
    compute_authority,
    compute_effective_authority,
    find_floor,
    halve_authority,
)

__all__ = [
    "REFUSED_POINTS",
    "RISK_POINTS",
    "Price",
    "Shortfall",
    "charge_account",
    "compute_age",
    "compute_authority",
    "compute_effective_authority",
    "find_floor",
    "find_shortfalls",
    "halve_authority",
    "price_action",
    "price_refusal",
    "renew_account",
    "settle_account",
    "to_units",
]
