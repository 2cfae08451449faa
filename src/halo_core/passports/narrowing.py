"""Narrowing: whether a link allows no more than its parent (`find_widening`), and what two links allow together.

Grants are compared by their structure alone, in linear time. If the structure does not show that one is within the
other, it counts as wider (INVARIANT: SUB). Budgets are compared unit by unit and decays parameter by parameter, so that
a child that is no looser in them is no looser at any time, after any steps and at any risk. Checks that need the whole
chain (keys and agents used once, approvals, registered holders) are in `halo_core.passports.chain`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from halo_core.model import (
    ANY_OTHER,
    AUTHORITY_ONE,
    ActionKind,
    Budget,
    Constraint,
    ConstraintKind,
    Decay,
    Grants,
    Link,
    LinkKind,
)
from halo_core.passports.grants import MAX_VALUES, Violation, accepts

_VALUE_KINDS: Final = (ConstraintKind.EXACT, ConstraintKind.ONE_OF)
_Rules = Mapping[str, Constraint]


def constraint_within(child: Constraint, parent: Constraint) -> bool:
    """Whether every value that `child` accepts is accepted by `parent`, as far as structure tells."""
    if parent.kind is ConstraintKind.WILDCARD:
        return True
    if child.kind in _VALUE_KINDS:
        # By `accepts`, which compares types: `==` would let `true` in where 1 is meant.
        return all(accepts(parent, value) for value in child.values)
    within = _WITHIN.get(child.kind)
    return child.kind is parent.kind and within is not None and within(child, parent)


def _is_range_within(child: Constraint, parent: Constraint) -> bool:
    is_low_within = parent.low is None or (child.low is not None and child.low >= parent.low)
    return is_low_within and (parent.high is None or (child.high is not None and child.high <= parent.high))


def _is_prefix_within(child: Constraint, parent: Constraint) -> bool:
    # The prefix is tested like a value: it must begin with the parent's, and not leave it with `..`.
    return child.text == parent.text or accepts(parent, child.text)


def _is_exclusion_within(child: Constraint, parent: Constraint) -> bool:
    types = {type(value) for value in child.values}
    if not types <= {type(value) for value in parent.values}:
        return False
    return not any(accepts(child, value) for value in parent.values)


_WITHIN: Final[Mapping[ConstraintKind, Callable[[Constraint, Constraint], bool]]] = {
    ConstraintKind.RANGE: _is_range_within,
    ConstraintKind.PREFIX: _is_prefix_within,
    ConstraintKind.PATTERN: lambda child, parent: child.text == parent.text,
    ConstraintKind.NOT_ONE_OF: _is_exclusion_within,
}


def grants_within(child: Grants, parent: Grants) -> str | None:
    """None if `parent` covers every call that `child` covers, else the first resource where it does not."""
    if child is parent:
        return None
    for kind in sorted(child):
        for name in sorted(child[kind]):
            rules = parent.get(kind, {}).get(name)
            if rules is None or not _are_rules_within(child[kind][name], rules):
                return name
    return None


def _are_rules_within(child: _Rules, parent: _Rules) -> bool:
    default_rule = child.get(ANY_OTHER)
    for name in {*child, *parent}:
        mine = child.get(name, default_rule)
        theirs = parent.get(name, parent.get(ANY_OTHER))
        if mine is not None and (theirs is None or not constraint_within(mine, theirs)):
            return False
        # An argument that the parent requires the child must require by name: no constraint tests one that is left out.
        if _demands(parent, name) and not _demands(child, name):
            return False
    return True


def _demands(rules: _Rules, name: str) -> bool:
    return name != ANY_OTHER and name in rules and rules[name].kind is not ConstraintKind.WILDCARD


def intersect_grants(parent: Grants, wanted: Grants) -> Grants:
    """The largest grants within both that can be expressed; a resource without any is left out."""
    grants: dict[ActionKind, dict[str, dict[str, Constraint]]] = {}
    for kind in wanted:
        for name in wanted[kind]:
            if name in parent.get(kind, {}):
                rules = _intersect_rules(parent[kind][name], wanted[kind][name])
                if rules is not None:
                    grants.setdefault(kind, {})[name] = rules
    return grants


def _intersect_rules(a: _Rules, b: _Rules) -> dict[str, Constraint] | None:
    others = (a.get(ANY_OTHER), b.get(ANY_OTHER))
    default_rule = _intersect_constraints(*others)
    rules = {} if default_rule is None else {ANY_OTHER: default_rule}
    for name in sorted({*a, *b} - {ANY_OTHER}):
        left_rule, right_rule = a.get(name, others[0]), b.get(name, others[1])
        both = _intersect_constraints(left_rule, right_rule)
        demanded = _demands(a, name) or _demands(b, name)
        if both is not None and (
            demanded or both.kind is ConstraintKind.WILDCARD or not _are_equivalent(both, default_rule)
        ):
            rules[name] = both
    # INVARIANT: SUB, tested on the result. Where no value fits a required argument, nothing is left of the resource.
    return rules if _are_rules_within(rules, a) and _are_rules_within(rules, b) else None


def _are_equivalent(both: Constraint, default_rule: Constraint | None) -> bool:
    return default_rule is not None and constraint_within(both, default_rule) and constraint_within(default_rule, both)


def _intersect_constraints(a: Constraint | None, b: Constraint | None) -> Constraint | None:
    if a is None or b is None:
        return None
    if constraint_within(a, b):
        return a
    if constraint_within(b, a):
        return b
    for values, test in ((a, b), (b, a)):
        if values.kind in _VALUE_KINDS:
            accepted = tuple(value for value in values.values if accepts(test, value))
            return Constraint(ConstraintKind.ONE_OF, accepted) if accepted else None
    if a.kind is b.kind is ConstraintKind.RANGE:
        return _intersect_ranges(a, b)
    return _intersect_exclusions(a, b) if a.kind is b.kind is ConstraintKind.NOT_ONE_OF else None


def _intersect_ranges(a: Constraint, b: Constraint) -> Constraint | None:
    low = max((limit for limit in (a.low, b.low) if limit is not None), default=None)
    high = min((limit for limit in (a.high, b.high) if limit is not None), default=None)
    if low is not None and high is not None and low > high:
        return None
    return Constraint.between(low, high)


def _intersect_exclusions(a: Constraint, b: Constraint) -> Constraint | None:
    types = {type(value) for value in a.values} & {type(value) for value in b.values}
    both = {(type(value), value): value for value in (*a.values, *b.values) if type(value) in types}
    return Constraint.none_of(*both.values()) if 0 < len(both) <= MAX_VALUES else None


def find_budget_violation(child: Sequence[Budget], limits: Sequence[Budget]) -> Violation | None:
    """Why `child` exceeds `limits`: other units, other decimals or a higher limit."""
    most = {item.unit: item for item in limits}
    if {item.unit for item in child} != set(most):
        return Violation("budget_units_changed", ", ".join(sorted({item.unit for item in child} ^ set(most)))[:64])
    for item in child:
        limit = most[item.unit]
        # Limits in other decimals are other limits: 5 of 10**-2 is more than 5 of 10**-6.
        if item.decimals != limit.decimals or item.per_action > limit.per_action or item.subtree > limit.subtree:
            return Violation("budget_widened", item.unit)
    return None


def find_decay_violation(child: Decay, parent: Decay) -> Violation | None:
    """Why authority could fall more slowly, or extend further, under `child` than under `parent`."""
    if child == parent:  # as of most sessions
        return None
    floors = dict(child.floors)
    loose = {
        "a0": child.authority > parent.authority,
        "hl_s": child.half_life_s > parent.half_life_s,
        "hl_steps": child.half_life_steps > parent.half_life_steps,
        "hl_risk": child.half_life_risk > parent.half_life_risk,
        "reauth": child.reauthorize_below < parent.reauthorize_below,
        "floors": any(floors.get(name, 0) < floor for name, floor in parent.floors),
        # Ceilings only fall with the risk, so it is enough to compare them where the parent's ceiling falls.
        "bands": any(_ceiling_at(child.bands, risk) > ceiling for risk, ceiling in parent.bands),
    }
    return next((Violation("decay_widened", name) for name, is_looser in loose.items() if is_looser), None)


def _ceiling_at(bands: Iterable[tuple[int, int]], risk: int) -> int:
    return min((ceiling for points, ceiling in bands if points <= risk), default=AUTHORITY_ONE)


def tighter_decay(a: Decay, b: Decay) -> Decay:
    """The loosest decay that is no looser than either."""
    floors, others = dict(a.floors), dict(b.floors)
    return Decay(
        authority=min(a.authority, b.authority),
        half_life_s=min(a.half_life_s, b.half_life_s),
        half_life_steps=min(a.half_life_steps, b.half_life_steps),
        half_life_risk=min(a.half_life_risk, b.half_life_risk),
        reauthorize_below=max(a.reauthorize_below, b.reauthorize_below),
        floors=tuple((name, max(floors.get(name, 0), others.get(name, 0))) for name in sorted({*floors, *others})),
        bands=_intersect_bands(a.bands, b.bands),
    )


def _intersect_bands(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    bands: list[tuple[int, int]] = []
    for risk in sorted({points for points, _ in (*a, *b)}):
        ceiling = min(_ceiling_at(a, risk), _ceiling_at(b, risk))
        if not bands or ceiling < bands[-1][1]:
            bands.append((risk, ceiling))
    return tuple(bands)


def tighter_budgets(a: Sequence[Budget], b: Sequence[Budget]) -> tuple[Budget, ...]:
    """Budgets in the units and decimals of `a`, each limit the lower of both where `b` has the unit."""
    others = {item.unit: item for item in b}
    budgets = []
    for item in a:
        other = others.get(item.unit, item)
        factor, divisor = int(10**item.decimals), int(10**other.decimals)
        per_action = min(item.per_action, other.per_action * factor // divisor)
        subtree = min(item.subtree, other.subtree * factor // divisor)
        budgets.append(replace(item, per_action=per_action, subtree=subtree))
    return tuple(budgets)


def session_limits(standing_link: Link, approved: Sequence[Budget] | None = None) -> tuple[Budget, ...]:
    """Limits of a re-authorized session, in the units of the standing link's terms.

    Args:
        standing_link: link with terms, whose budgets are the ceilings; of a unit without budget, the terms are.
        approved: limits that the approver gave; units left out keep the limits of the terms. None for the ceilings.
    """
    terms = standing_link.terms.budgets if standing_link.terms is not None else ()
    ceilings = {item.unit: item for item in standing_link.budgets}
    most = tuple(ceilings.get(item.unit, item) for item in terms)
    if approved is None:
        return most
    approved_by_unit = {item.unit: item for item in approved}
    # INVARIANT: EPOCH - never above the ceilings of the standing link.
    return tighter_budgets(most, [approved_by_unit.get(item.unit, item) for item in terms])


def intersect_labels(a: Sequence[str] | None, b: Sequence[str] | None) -> tuple[str, ...] | None:
    """Labels that both allow, sorted; None means any."""
    if a is None:
        return None if b is None else tuple(sorted(b))
    return tuple(sorted(a if b is None else {*a} & {*b}))


def find_widening(parent: Link, child: Link) -> Violation | None:
    """The first way in which `child` is not within `parent`, or None.

    A session link with a re-authorization is also compared with the approval, by `find_reauthorization_violation`.
    """
    return (
        _check_identity(parent, child)
        or _check_validity(parent, child)
        or _check_scope(parent, child)
        or _check_kind(parent, child)
    )


def _check_identity(parent: Link, child: Link) -> Violation | None:
    fixed = {
        "principal_altered": child.principal == parent.principal,
        "tenant_changed": child.tenant == parent.tenant,
        "envelope_changed": child.envelope == parent.envelope,
        "jti_reused": child.jti != parent.jti,
    }
    return next((Violation(code, "") for code, holds in fixed.items() if not holds), None)


def _check_validity(parent: Link, child: Link) -> Violation | None:
    if not child.audience or not {*child.audience} <= {*parent.audience}:
        return Violation("aud_widened", "")
    times = {
        "iat": child.issued_at_s >= parent.issued_at_s,
        "nbf": child.not_before_s >= parent.not_before_s,
        "exp": child.expires_at_s <= parent.expires_at_s,
    }
    outside = [name for name, holds in times.items() if not holds]
    if outside:
        return Violation("time_widened", ", ".join(outside))
    if child.depth != parent.depth + 1 or not child.depth <= child.max_depth <= parent.max_depth:
        return Violation("bad_depth", f"depth {child.depth} of {child.max_depth}")
    return None


def _check_scope(parent: Link, child: Link) -> Violation | None:
    if parent.policy and child.policy != parent.policy:
        return Violation("policy_changed", "")
    if parent.labels is not None and (child.labels is None or not {*child.labels} <= {*parent.labels}):
        return Violation("class_widened", ", ".join(sorted({*(child.labels or ())} - {*parent.labels}))[:64])
    if not {*child.hand_off_to} <= {*parent.hand_off_to}:
        return Violation("handoff_widened", "")
    wider = grants_within(child.grants, parent.grants)
    return None if wider is None else Violation("scope_widened", wider)


def _check_kind(parent: Link, child: Link) -> Violation | None:
    if child.kind is LinkKind.SESSION and parent.kind is LinkKind.STANDING:
        return _check_session(parent, child)
    if child.kind is LinkKind.HANDOFF and parent.kind is not LinkKind.STANDING:
        return _check_handoff(parent, child)
    return Violation("bad_depth", f"a {child.kind} link under a {parent.kind} link")


def _check_session(parent: Link, child: Link) -> Violation | None:
    terms = parent.terms
    if terms is None or child.decay is None:
        return Violation("bad_dcy", "the standing link does not allow sessions")
    if (child.agent, child.holder_key) != (parent.agent, parent.holder_key):
        return Violation("holder_changed", "")
    if child.expires_at_s - child.issued_at_s > terms.lifetime_s:
        return Violation("time_widened", "the session outlives its terms")
    limits = terms.budgets if child.epoch == 1 else session_limits(parent)
    return find_budget_violation(child.budgets, limits) or find_decay_violation(child.decay, terms.decay)


def _check_handoff(parent: Link, child: Link) -> Violation | None:
    if child.decay is None or parent.decay is None:
        return Violation("bad_dcy", "a hand-off link decays")
    if child.agent not in parent.hand_off_to:
        return Violation("handoff_not_allowed", child.agent[:64])
    if child.agent == parent.agent or child.holder_key == parent.holder_key:
        return Violation("key_reuse_cycle", child.agent[:64])
    if child.txn != parent.txn:
        return Violation("txn_altered", "")
    if child.epoch != parent.epoch:
        return Violation("epoch_changed", "")
    return find_budget_violation(child.budgets, parent.budgets) or find_decay_violation(child.decay, parent.decay)
