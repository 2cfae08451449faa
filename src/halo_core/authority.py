"""Authority and budgets of a passport's chain: what is left, and what an action costs. Pure, integers only.

How the authority of a link falls with time, steps and risk:

    age = ceil(dt·M / half_life_s) + ceil(steps·M / half_life_steps) + ceil(risk·M / half_life_risk)
    k, f = divmod(age, M); high = a0 >> k; low = a0 >> (k + 1)
    A = high - ceil((high - low)·f / M)          0 when k ≥ 64
    E = min of A over the decaying links of the live chain

Authority is an integer 0..1_000_000. The line between two halvings lies at most 6.15% above the exponential curve and
never rounds up. The minimum over the live chain makes hand-offs safe: whatever a child asks for, it has no more than
its ancestors have at that moment.

What an action costs, and the accounts (envelopes) that the links of a chain are charged on:

    reserved ──▶ dispatched (durable, before the side effect) ──▶ committed      the outcome says what it cost
                                                              └─▶ indeterminate  a crash: it stays reserved, so charged

Every action costs one step and some risk points, by its impact class, doubled once the session has met untrusted
content; a behaviour score can only raise them. A refused attempt costs points as well, so that probing wears authority
out. Money and other units come from the resource: a fixed cost, an argument, or both. Steps and risk are committed at
once and never refunded; a cost is refunded down to what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal, DecimalException, localcontext
from typing import Final

from halo_core.durations import SECOND_US
from halo_core.model import AUTHORITY_ONE, RESERVED_UNITS, AccessRequest, Decay, Envelope, Impact, Link, Resource
from halo_core.quick_dataclass import dataclass

_MAX_HALVINGS: Final = 64
_AMOUNT_LIMIT: Final = 2**53
"""Amounts are below it, as canonical JSON holds them."""
_NOTHING_SPENT: Final = ("", 0, 0)
_MAX_CARRIED: Final = 1000
_CARRIED_HALVINGS: Final = 3
"""Halvings of authority at the start of a session whose agent carries the largest risk; set by hand."""
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
"""What an action of each class costs."""
REFUSED_POINTS: Final = 15
"""What a refused attempt costs."""
_SCORE_SHARE: Final = 10  # a score of 1000 costs 100 points


# decay


def halve_authority(authority: int, halvings: int) -> int:
    """Authority after an age of `halvings` millionths of a half-life. INVARIANT: MONO - it never rises with age."""
    halving_count, fraction = divmod(max(halvings, 0), AUTHORITY_ONE)
    if halving_count >= _MAX_HALVINGS:
        return 0
    high, low = authority >> halving_count, authority >> (halving_count + 1)
    return high + (low - high) * fraction // AUTHORITY_ONE


def compute_age(decay: Decay, lived_us: int, steps: int, risk: int) -> int:
    """Age in millionths of a half-life, from the microseconds, steps and risk points of the link's whole subtree."""
    # Each part is rounded up: -(-a // b) is ceil(a / b). µs·M / (s·10⁶) is µs / s.
    return -(
        -max(lived_us, 0) // decay.half_life_s
        + -max(steps, 0) * AUTHORITY_ONE // decay.half_life_steps
        + -max(risk, 0) * AUTHORITY_ONE // decay.half_life_risk
    )


def compute_authority(decay: Decay, account: Envelope, time_us: int, *, steps: int = 0, risk: int = 0) -> int:
    """Authority of one link at `time_us` if `steps` and `risk` were charged on top; 0..1_000_000."""
    points, steps_taken = risk - account.base_risk, steps - account.base_step
    for unit, reserved, committed in account.spent:
        if unit == "risk":
            points += reserved + committed
        elif unit == "step":
            steps_taken += reserved + committed
    return fade_authority(decay, time_us - account.since_us, steps_taken, points)


def fade_authority(decay: Decay, lived_us: int, steps: int, risk: int) -> int:
    """Authority of a link after this time, steps and risk points in its epoch; 0..1_000_000."""
    authority = min(halve_authority(decay.authority, compute_age(decay, lived_us, steps, risk)), AUTHORITY_ONE)
    for points, ceiling in decay.bands:
        if risk >= points:
            authority = min(authority, ceiling)
    return authority


def compute_effective_authority(
    chain: Sequence[Link], accounts: Sequence[Envelope], time_us: int, charges: Iterable[tuple[str, int]] = ()
) -> int:
    """E, the lowest authority of the decaying links of a chain after `charges` (INVARIANT: CLOSE).

    Raises:
        ValueError: a decaying link has no account, or there is no decaying link: then nobody knows.
    """
    due = dict(charges)
    decaying = [link.decay for link in chain if link.decay is not None]
    if not decaying:
        raise ValueError("no link of the chain decays")
    steps, risk, least = due.get("step", 0), due.get("risk", 0), AUTHORITY_ONE
    for decay, account in zip(decaying, accounts, strict=True):
        least = min(least, compute_authority(decay, account, time_us, steps=steps, risk=risk))
    return least


def find_floor(chain: Iterable[Link], impact: Impact) -> int:
    """Authority that an action of this impact needs: the highest floor of the decaying links.

    INVARIANT: FAILCLOSED - a class that a link says nothing of needs full authority.
    """
    floors = [
        max(link.decay.reauthorize_below, dict(link.decay.floors).get(impact.value, AUTHORITY_ONE))
        for link in chain
        if link.decay is not None
    ]
    return max(floors, default=AUTHORITY_ONE)


# accounts


@dataclass(frozen=True, slots=True, order=True)
class Shortfall:
    """Why an action does not fit: a reason code, the link whose limit it would exceed, and the unit."""

    code: str
    link: str
    unit: str


def find_shortfalls(
    chain: Sequence[Link],
    accounts: Sequence[Envelope],
    charges: Iterable[tuple[str, int]],
    *,
    opened_us: int,
    time_us: int,
) -> list[Shortfall]:
    """Every limit of every decaying link that the charges would exceed (INVARIANT: ENV).

    Codes: `per_action_exceeded`, `budget_exceeded`. `time` is the age of the session, over all its epochs.
    """
    charge_list = tuple(charges)
    missing = []
    decaying = [link for link in chain if link.decay is not None]
    for link, account in zip(decaying, accounts, strict=True):
        budgets = {budget.unit: budget for budget in link.budgets}
        for unit, amount in charge_list:
            budget = budgets.get(unit)
            if budget is None:
                if unit not in RESERVED_UNITS:  # Halo's own units may go unlimited, everybody else's may not
                    missing.append(Shortfall("unknown_unit", link.jti, unit))
            elif amount > budget.per_action:
                missing.append(Shortfall("per_action_exceeded", link.jti, unit))
            elif account.total(unit) + amount > budget.subtree:
                missing.append(Shortfall("budget_exceeded", link.jti, unit))
        age_limit = budgets.get("time")
        if age_limit is not None and time_us - opened_us > age_limit.subtree * SECOND_US:
            missing.append(Shortfall("budget_exceeded", link.jti, "time"))
    return missing


def charge_account(account: Envelope, charges: Iterable[tuple[str, int]]) -> Envelope:
    """The account after a charge: Halo's own units are committed, others are reserved until the outcome."""
    spent = {unit: (reserved, committed) for unit, reserved, committed in account.spent}
    for unit, amount in charges:
        reserved, committed = spent.get(unit, (0, 0))
        # INVARIANT: MONO - a charge never lowers a counter.
        amount = max(amount, 0)  # noqa: PLW2901
        # An entry holds no more: a counter that is full stays so, instead of an entry that cannot be written.
        if unit in RESERVED_UNITS:
            spent[unit] = reserved, min(committed + amount, _AMOUNT_LIMIT - 1)
        else:
            spent[unit] = min(reserved + amount, _AMOUNT_LIMIT - 1), committed
    return _with_spent(account, spent)


class AccountTerms:
    """The limits of one decaying link, prepared for many charges: its part of steps (9) and (10) of `decide`.

    Args:
        link: the link; it decays.
    """

    __slots__ = ("_decay", "_limits", "_max_age_us")

    def __init__(self, link: Link) -> None:
        if link.decay is None:
            raise ValueError("the link does not decay")
        self._decay = link.decay
        self._limits = {budget.unit: (budget.per_action, budget.subtree) for budget in link.budgets}
        time = self._limits.get("time")
        self._max_age_us = None if time is None else time[1] * SECOND_US

    def charge(
        self, account: Envelope, charges: Iterable[tuple[str, int]], *, opened_us: int, time_us: int
    ) -> tuple[Envelope, int, int] | None:
        """The account after a charge, and the link's authority before and after it.

        Returns:
            None if `find_shortfalls` would find that a limit is passed, or if a counter is full.
        """
        if self._max_age_us is not None and time_us - opened_us > self._max_age_us:
            return None
        spent: dict[str, tuple[str, int, int]] = {}
        for item in account.spent:
            spent[item[0]] = item
        step = spent.get("step", _NOTHING_SPENT)
        risk = spent.get("risk", _NOTHING_SPENT)
        for unit, amount in charges:
            _, reserved, committed = spent.get(unit, _NOTHING_SPENT)
            total = reserved + committed + amount
            is_own_unit = unit in RESERVED_UNITS
            limit = self._limits.get(unit)
            if limit is None:
                if not is_own_unit:
                    return None
            elif amount > limit[0] or total > limit[1]:
                return None
            if amount < 0 or total >= _AMOUNT_LIMIT:
                return None
            spent[unit] = (unit, reserved, committed + amount) if is_own_unit else (unit, reserved + amount, committed)
        charged = Envelope(
            account.link,
            account.epoch,
            account.since_us,
            account.base_step,
            account.base_risk,
            tuple(sorted(spent.values())),
        )
        lived_us = time_us - account.since_us
        steps_taken, points = step[1] + step[2] - account.base_step, risk[1] + risk[2] - account.base_risk
        before = fade_authority(self._decay, lived_us, steps_taken, points)
        _, reserved, committed = spent.get("step", _NOTHING_SPENT)
        steps_taken = reserved + committed - account.base_step
        _, reserved, committed = spent.get("risk", _NOTHING_SPENT)
        points = reserved + committed - account.base_risk
        return charged, before, fade_authority(self._decay, lived_us, steps_taken, points)


def settle_account(account: Envelope, charges: Iterable[tuple[str, int]], actual: Mapping[str, int]) -> Envelope:
    """The account after an outcome: reserved amounts are committed at their actual cost.

    `actual` names units that cost something else than was reserved; more is charged too, since it was spent.
    """
    spent = {unit: (reserved, committed) for unit, reserved, committed in account.spent}
    for unit, amount in charges:
        if unit in RESERVED_UNITS or unit not in spent:
            continue
        reserved, committed = spent[unit]
        spent[unit] = (max(reserved - amount, 0), min(committed + max(actual.get(unit, amount), 0), _AMOUNT_LIMIT - 1))
    return _with_spent(account, spent)


def lower_start(account: Envelope, decay: Decay, risk: int) -> Envelope:
    """The account at the start of an epoch, reduced by the alarms of past sessions (`risk`, 0..1000).

    INVARIANT: MONO - the points count as if they had been charged in this epoch, so authority only begins lower.
    """
    points = -(-max(risk, 0) * _CARRIED_HALVINGS * decay.half_life_risk // _MAX_CARRIED)
    return replace(account, base_risk=account.base_risk - points) if points else account


def renew_account(account: Envelope, *, epoch: int, since_us: int) -> Envelope:
    """The account under a new epoch: its age starts again, its spending remains (INVARIANT: EPOCH)."""
    base_step, base_risk = account.total("step"), account.total("risk")
    return replace(account, epoch=epoch, since_us=since_us, base_step=base_step, base_risk=base_risk)


def _with_spent(account: Envelope, spent: Mapping[str, tuple[int, int]]) -> Envelope:
    # The constructor, since `dataclasses.replace` takes three times as long.
    return Envelope(
        account.link,
        account.epoch,
        account.since_us,
        account.base_step,
        account.base_risk,
        tuple([(unit, *spent[unit]) for unit in sorted(spent)]),
    )


# prices


@dataclass(frozen=True, slots=True)
class Price:
    """The cost of an action: sorted (unit, amount) pairs; `problems` are (reason code, detail) that forbid it."""

    charges: tuple[tuple[str, int], ...]
    problems: tuple[tuple[str, str], ...] = ()


def price_action(request: AccessRequest, chain: Sequence[Link], *, tainted: bool, score: int | None) -> Price:
    """Price of one request under a chain. Total: an unreadable amount is a problem, never a guess."""
    resource = request.resource
    spent = [*resource.costs, *([(resource.unit, request.args.get(resource.amount))] if resource.unit else [])]
    return _price(resource.impact, spent, chain, tainted=tainted, score=score)


def price_fixed(resource: Resource, chain: Sequence[Link], *, tainted: bool) -> Price:
    """The fixed cost of each call of a resource, without a score and without amounts in its arguments."""
    return _price(resource.impact, resource.costs, chain, tainted=tainted, score=None)


def _price(
    impact: Impact, costs: Iterable[tuple[str, object]], chain: Sequence[Link], *, tainted: bool, score: int | None
) -> Price:
    points = RISK_POINTS[impact]
    if tainted and impact is not Impact.READ:
        points *= 2
    charges = {"step": 1, "risk": max(points, (score or 0) // _SCORE_SHARE)}
    problems = []
    for unit, value in costs:
        decimals = find_decimals(unit, chain)
        amount = to_units(value, decimals) if decimals is not None else None
        if decimals is None:
            problems.append(("unknown_unit", unit))
        elif amount is None:
            problems.append(("bad_amount", unit))
        else:
            charges[unit] = min(charges.get(unit, 0) + amount, _AMOUNT_LIMIT - 1)
    return Price(tuple(sorted(charges.items())), tuple(sorted(set(problems))))


def find_decimals(unit: str, chain: Sequence[Link]) -> int | None:
    """Decimals in which a chain counts a unit; None if it has no budget in that unit."""
    # Every link of a chain has the same units and decimals; a unit that no link budgets may not be spent.
    return next((budget.decimals for link in chain for budget in link.budgets if budget.unit == unit), None)


def to_units(value: object, decimals: int) -> int | None:
    """An amount in units of 10**-decimals, rounded up; None for anything else: negative, NaN, boolean, words."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        with localcontext(prec=64, rounding=ROUND_CEILING):
            amount = Decimal(repr(value) if isinstance(value, float) else value)
            if not amount.is_finite() or amount < 0 or amount >= _AMOUNT_LIMIT:
                return None
            scaled = int(amount.scaleb(decimals).to_integral_value(ROUND_CEILING))
    except (DecimalException, ValueError):
        return None
    return scaled if scaled < _AMOUNT_LIMIT else None


def price_refusal(chain: Sequence[Link], accounts: Sequence[Envelope]) -> tuple[tuple[str, int], ...]:
    """The charge for a refused attempt: risk points, at most what is left of every limit of the chain."""
    points = REFUSED_POINTS
    decaying = [link for link in chain if link.decay is not None]
    for link, account in zip(decaying, accounts, strict=True):
        limit = next((budget.subtree for budget in link.budgets if budget.unit == "risk"), None)
        if limit is not None:
            points = min(points, limit - account.total("risk"))
    return (("risk", points),) if points > 0 else ()
