"""Room: envelopes, the accounts of a chain. Takes: accounts and charges. Gives: shortfalls, new accounts. Never: I/O.

    reserved ──▶ dispatched (durable, before the side effect) ──▶ committed      the outcome says what it cost
                                                              └─▶ indeterminate  a crash: it stays reserved, so charged

Reservation and dispatch are one transaction, so nothing is ever reserved without being dispatched. Steps and risk are
committed at once and never refunded; a cost is refunded down to what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from halo_core.model import RESERVED_UNITS, Budget, Envelope, Link

__all__ = ["Shortfall", "charged", "recharged", "settled", "shortfalls"]

_US = 1_000_000
_MOST = 2**53 - 1


@dataclass(frozen=True, slots=True, order=True)
class Shortfall:
    """Why an action does not fit: a reason code, the link it would overrun, the unit."""

    code: str
    link: str
    unit: str


def shortfalls(
    chain: Sequence[Link],
    accounts: Sequence[Envelope],
    charges: Iterable[tuple[str, int]],
    *,
    opened_us: int,
    time_us: int,
) -> list[Shortfall]:
    """Every limit of every decaying link that the charges would pass (INVARIANT: ENV).

    Codes: `per_action_exceeded`, `budget_exceeded`. `time` is the age of the session, over all its epochs.
    """
    due = tuple(charges)
    found = []
    decaying = [link for link in chain if link.decay is not None]
    for link, account in zip(decaying, accounts, strict=True):
        budgets = {budget.unit: budget for budget in link.budgets}
        for unit, amount in due:
            budget = budgets.get(unit)
            if budget is None:
                if unit not in RESERVED_UNITS:  # Halo's own units may go unlimited, everybody else's may not
                    found.append(Shortfall("unknown_unit", link.jti, unit))
            elif amount > budget.per_action:
                found.append(Shortfall("per_action_exceeded", link.jti, unit))
            elif account.total(unit) + amount > budget.subtree:
                found.append(Shortfall("budget_exceeded", link.jti, unit))
        if _too_old(budgets.get("time"), time_us - opened_us):
            found.append(Shortfall("budget_exceeded", link.jti, "time"))
    return found


def _too_old(budget: Budget | None, lived_us: int) -> bool:
    return budget is not None and lived_us > budget.subtree * _US


def charged(account: Envelope, charges: Iterable[tuple[str, int]]) -> Envelope:
    """The account after a charge: Halo's own units are committed, the others reserved until the outcome."""
    spent = {unit: (held, done) for unit, held, done in account.spent}
    for unit, amount in charges:
        held, done = spent.get(unit, (0, 0))
        # INVARIANT: MONO - a charge never lowers a counter.
        amount = max(amount, 0)  # noqa: PLW2901
        spent[unit] = (held, _up(done, amount)) if unit in RESERVED_UNITS else (_up(held, amount), done)
    return _spending(account, spent)


def _up(counter: int, amount: int) -> int:
    # An entry holds no more: a counter that is full stays so, instead of an entry that cannot be written.
    return min(counter + amount, _MOST)


def settled(account: Envelope, charges: Iterable[tuple[str, int]], actual: Mapping[str, int]) -> Envelope:
    """The account after an outcome: what was reserved is committed at what it cost.

    `actual` names units that cost something else than was reserved; more is charged too, since it was spent.
    """
    spent = {unit: (held, done) for unit, held, done in account.spent}
    for unit, amount in charges:
        if unit in RESERVED_UNITS or unit not in spent:
            continue
        held, done = spent[unit]
        spent[unit] = (max(held - amount, 0), _up(done, max(actual.get(unit, amount), 0)))
    return _spending(account, spent)


def recharged(account: Envelope, *, epoch: int, since_us: int) -> Envelope:
    """The account under a new epoch: ageing begins anew, what was spent stays spent (INVARIANT: EPOCH)."""
    return replace(
        account,
        epoch=epoch,
        since_us=since_us,
        base_step=account.total("step"),
        base_risk=account.total("risk"),
    )


def _spending(account: Envelope, spent: Mapping[str, tuple[int, int]]) -> Envelope:
    return Envelope(
        account.link,
        account.epoch,
        account.since_us,
        account.base_step,
        account.base_risk,
        tuple((unit, *spent[unit]) for unit in sorted(spent)),
    )
