"""Room: checks (9) and (10) of the PDP, authority and budgets. Takes: request, snapshot, price. Gives: reasons.

What somebody outside the chain can mend by re-authorizing the session is a challenge, all else a denial. Never: spends.
"""

from __future__ import annotations

from typing import Final

from halo_core.authority import Price, Shortfall, effective, floor_of, shortfalls
from halo_core.model import RENEWABLE, AccessRequest, Effect, LinkKind, Reason, Snapshot

__all__ = ["REAUTHORIZATION", "limit_reasons"]

REAUTHORIZATION: Final = RENEWABLE
_PERCENT: Final = 10_000


def limit_reasons(request: AccessRequest, snapshot: Snapshot, cost: Price) -> list[Reason]:
    """Why the chain's authority or budgets do not hold this action, empty if they do."""
    reasons = [Reason(code, "price", detail) for code, detail in cost.problems]
    needed = floor_of(snapshot.chain, request.resource.impact)
    left = effective(snapshot.chain, snapshot.envelopes, snapshot.time_us, cost.charges)
    # INVARIANT: CLOSE, MONO - judged after this action's own charge, at the least of all live links.
    if left < needed:
        detail = f"{request.resource.impact.value} needs {_percent(needed)}, {_percent(left)} would be left"
        reasons.append(Reason("authority_decayed", snapshot.chain[-1].jti, detail, Effect.CHALLENGE.value))
    short = shortfalls(
        snapshot.chain,
        snapshot.envelopes,
        cost.charges,
        opened_us=snapshot.session.opened_us,
        time_us=snapshot.time_us,
    )
    reasons.extend(_reason(item, snapshot, cost) for item in short)
    reasons.extend(_quota_reasons(snapshot, cost))
    return reasons


def _percent(authority: int) -> str:
    return f"{authority / _PERCENT:.4g}%"


def _reason(short: Shortfall, snapshot: Snapshot, cost: Price) -> Reason:
    effect = Effect.CHALLENGE if _can_be_raised(short, snapshot, cost) else Effect.DENY
    return Reason(short.code, short.link, short.unit, effect.value)


def _can_be_raised(short: Shortfall, snapshot: Snapshot, cost: Price) -> bool:
    """Whether the session's own limit is what is short, and the standing link's ceiling leaves room above it."""
    link = next(link for link in snapshot.chain if link.jti == short.link)
    if short.code != "budget_exceeded" or link.kind is not LinkKind.SESSION:
        return False
    ceiling = next((budget.subtree for budget in snapshot.chain[0].budgets if budget.unit == short.unit), 0)
    if short.unit == "time":
        return snapshot.time_us - snapshot.session.opened_us <= ceiling * 1_000_000
    return snapshot.envelopes[0].total(short.unit) + dict(cost.charges).get(short.unit, 0) <= ceiling


def _quota_reasons(snapshot: Snapshot, cost: Price) -> list[Reason]:
    root = snapshot.chain[0]
    used, due = dict(snapshot.quotas), dict(cost.charges)
    return [
        Reason("quota_exceeded", root.jti, quota.unit)
        for quota in root.quotas
        # INVARIANT: ENV - a quota that nobody counted is used up.
        if quota.unit not in used or 0 < due.get(quota.unit, 0) > quota.per_day - used[quota.unit]
    ]
