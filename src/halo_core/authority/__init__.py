"""Room: authority. Takes: links, accounts, a request. Gives: what is left and what an action costs. Never: I/O."""

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
    AUTHORITY_ONE,
    compute_age,
    compute_authority,
    compute_effective_authority,
    find_floor,
    halve_authority,
)

__all__ = [
    "AUTHORITY_ONE",
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
