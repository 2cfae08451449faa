"""Room: which of two limits is tighter. Takes: budgets, decays. Gives: a violation, or the tighter of both. Never: I/O.

Limits are compared unit by unit and decays parameter by parameter, so that what is no looser here is no looser at
any time, after any steps and at any risk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from halo_core.model import Budget, Decay, Link
from halo_core.passport.constraints import Violation
from halo_core.passport.limits import AUTHORITY_ONE

__all__ = ["budgets_violation", "decay_violation", "labels_meet", "session_limits", "tighter_budgets", "tighter_decay"]


def budgets_violation(child: Sequence[Budget], limits: Sequence[Budget]) -> Violation | None:
    """Why `child` is not within `limits`: other units, other decimals or a higher limit."""
    most = {item.unit: item for item in limits}
    if {item.unit for item in child} != set(most):
        return Violation("budget_units_changed", ", ".join(sorted({item.unit for item in child} ^ set(most)))[:64])
    for item in child:
        limit = most[item.unit]
        # Limits in other decimals are other limits: 5 of 10**-2 is more than 5 of 10**-6.
        if item.decimals != limit.decimals or item.per_action > limit.per_action or item.subtree > limit.subtree:
            return Violation("budget_widened", item.unit)
    return None


def decay_violation(child: Decay, parent: Decay) -> Violation | None:
    """Why authority could fall more slowly, or reach further, under `child` than under `parent`."""
    loose = {
        "a0": child.authority > parent.authority,
        "hl_s": child.half_life_s > parent.half_life_s,
        "hl_steps": child.half_life_steps > parent.half_life_steps,
        "hl_risk": child.half_life_risk > parent.half_life_risk,
        "reauth": child.reauthorize_below < parent.reauthorize_below,
        "floors": any(_floor(child, name) < floor for name, floor in parent.floors),
        # Ceilings only fall, so the parent's own steps are the places where the child's could be above.
        "bands": any(_ceiling(child.bands, risk) > ceiling for risk, ceiling in parent.bands),
    }
    return next((Violation("decay_widened", name) for name, found in loose.items() if found), None)


def _floor(decay: Decay, impact: str) -> int:
    return dict(decay.floors).get(impact, 0)


def _ceiling(bands: Iterable[tuple[int, int]], risk: int) -> int:
    return min((ceiling for points, ceiling in bands if points <= risk), default=AUTHORITY_ONE)


def tighter_decay(a: Decay, b: Decay) -> Decay:
    """The loosest decay that is no looser than either."""
    return Decay(
        authority=min(a.authority, b.authority),
        half_life_s=min(a.half_life_s, b.half_life_s),
        half_life_steps=min(a.half_life_steps, b.half_life_steps),
        half_life_risk=min(a.half_life_risk, b.half_life_risk),
        reauthorize_below=max(a.reauthorize_below, b.reauthorize_below),
        floors=tuple(
            (name, max(_floor(a, name), _floor(b, name))) for name in sorted({*dict(a.floors), *dict(b.floors)})
        ),
        bands=_tighter_bands(a.bands, b.bands),
    )


def _tighter_bands(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    bands: list[tuple[int, int]] = []
    for risk in sorted({points for points, _ in (*a, *b)}):
        ceiling = min(_ceiling(a, risk), _ceiling(b, risk))
        if not bands or ceiling < bands[-1][1]:
            bands.append((risk, ceiling))
    return tuple(bands)


def tighter_budgets(a: Sequence[Budget], b: Sequence[Budget]) -> tuple[Budget, ...]:
    """Budgets in the units and decimals of `a`, each limit the lower of both where `b` has the unit."""
    others = {item.unit: item for item in b}
    return tuple(_lower(item, others.get(item.unit, item)) for item in a)


def _lower(a: Budget, b: Budget) -> Budget:
    to, of = int(10**a.decimals), int(10**b.decimals)

    def limit(own: int, other: int) -> int:
        return min(own, other * to // of)

    return Budget(a.unit, limit(a.per_action, b.per_action), limit(a.subtree, b.subtree), a.decimals)


def session_limits(standing: Link, approved: Sequence[Budget] | None = None) -> tuple[Budget, ...]:
    """Limits of a re-authorized session, in the units of the standing link's terms.

    Args:
        standing: with terms; its budgets are ceilings, and where it names none the terms are.
        approved: what the approver gave; of a unit not named, the terms. None for the ceilings.
    """
    terms = standing.terms.budgets if standing.terms is not None else ()
    ceilings = {item.unit: item for item in standing.budgets}
    most = tuple(ceilings.get(item.unit, item) for item in terms)
    if approved is None:
        return most
    given = {item.unit: item for item in approved}
    # INVARIANT: EPOCH never above the first grant.
    return tighter_budgets(most, [given.get(item.unit, item) for item in terms])


def labels_meet(a: Sequence[str] | None, b: Sequence[str] | None) -> tuple[str, ...] | None:
    """Labels that both allow, sorted; None is any."""
    if a is None or b is None:
        found = b if a is None else a
        return None if found is None else tuple(sorted(found))
    return tuple(sorted({*a} & {*b}))
