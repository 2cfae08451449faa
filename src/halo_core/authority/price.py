"""Room: what an action costs. Takes: a request. Gives: charges in integer units, or why there are none. Never: floats.

Every action costs one step and some risk points. Points follow the impact class, doubled once the session has met
untrusted content; a behaviour score, where there is one, can only raise them. A refused attempt costs points as well,
so that probing wears authority out. Money and other units come from the resource: a fixed cost, an argument, or both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, DecimalException, localcontext
from typing import Final

from halo_core.model import AccessRequest, Envelope, Impact, Link

__all__ = ["REFUSED_POINTS", "RISK_POINTS", "Price", "price", "refusal", "to_units"]

RISK_POINTS: Final[Mapping[Impact, int]] = {
    Impact.READ: 1,
    Impact.WRITE: 3,
    Impact.SEND: 10,
    Impact.UNKNOWN: 10,
    Impact.PAYMENT: 25,
    Impact.DELETE: 25,
    Impact.EXECUTE: 25,
    Impact.ADMIN: 40,
}
REFUSED_POINTS: Final = 15
_SCORE_SHARE: Final = 10  # a score of 1000 costs 100 points
_LIMIT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Price:
    """What an action costs: (unit, amount) sorted; `problems` are (reason code, detail) that forbid it."""

    charges: tuple[tuple[str, int], ...]
    problems: tuple[tuple[str, str], ...] = ()


def price(request: AccessRequest, chain: Sequence[Link], *, tainted: bool, score: int | None) -> Price:
    """Price of one request under a chain. Total: an amount that cannot be read is a problem, never a guess."""
    points = RISK_POINTS[request.resource.impact]
    if tainted and request.resource.impact is not Impact.READ:
        points *= 2
    charges = {"step": 1, "risk": max(points, (score or 0) // _SCORE_SHARE)}
    problems = []
    for unit, value in _costs(request):
        decimals = _decimals(unit, chain)
        amount = to_units(value, decimals) if decimals is not None else None
        if decimals is None:
            problems.append(("unknown_unit", unit))
        elif amount is None:
            problems.append(("bad_amount", unit))
        else:
            charges[unit] = min(charges.get(unit, 0) + amount, _LIMIT - 1)
    return Price(tuple(sorted(charges.items())), tuple(sorted(set(problems))))


def _costs(request: AccessRequest) -> list[tuple[str, object]]:
    resource = request.resource
    costs: list[tuple[str, object]] = list(resource.costs)
    if resource.unit:
        costs.append((resource.unit, request.args.get(resource.amount)))
    return costs


def _decimals(unit: str, chain: Sequence[Link]) -> int | None:
    # Every link has the same units and decimals (`passport.narrow`); a unit that no link budgets may not be spent.
    return next((budget.decimals for link in chain for budget in link.budgets if budget.unit == unit), None)


def to_units(value: object, decimals: int) -> int | None:
    """An amount in units of 10**-decimals, rounded up; None for what is no amount: negative, NaN, boolean, words."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        with localcontext(prec=64, rounding=ROUND_CEILING):
            amount = Decimal(repr(value) if isinstance(value, float) else value)
            if not amount.is_finite() or amount < 0 or amount >= _LIMIT:
                return None
            scaled = int(amount.scaleb(decimals).to_integral_value(ROUND_CEILING))
    except (DecimalException, ValueError):
        return None
    return scaled if scaled < _LIMIT else None


def refusal(chain: Sequence[Link], accounts: Sequence[Envelope]) -> tuple[tuple[str, int], ...]:
    """What a refused attempt costs: risk points, as many as every limit of the chain has left."""
    left = REFUSED_POINTS
    decaying = [link for link in chain if link.decay is not None]
    for link, account in zip(decaying, accounts, strict=True):
        limit = next((budget.subtree for budget in link.budgets if budget.unit == "risk"), None)
        if limit is not None:
            left = min(left, limit - account.total("risk"))
    return (("risk", left),) if left > 0 else ()
