"""Room: whether one set of grants lies within another, and what both allow. Takes: grants. Gives: answers. Never: I/O.

Decided by structure alone, in time linear in the grants. Sound and conservative: within means that whatever the one
accepts the other accepts (INVARIANT: SUB); where structure cannot tell, the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants
from halo_core.passport.constraints import accepts
from halo_core.passport.grants import MAX_VALUES

__all__ = ["constraint_within", "grants_within", "meet"]

_VALUES: Final = (ConstraintKind.EXACT, ConstraintKind.ONE_OF)
_Rules = Mapping[str, Constraint]


def constraint_within(child: Constraint, parent: Constraint) -> bool:
    """Whether every value that `child` accepts is accepted by `parent`, as far as structure tells."""
    if parent.kind is ConstraintKind.WILDCARD:
        return True
    if child.kind in _VALUES:
        # By `accepts`, which compares types: `==` would let `true` in where 1 is meant.
        return all(accepts(parent, value) for value in child.values)
    within = _WITHIN.get(child.kind)
    return child.kind is parent.kind and within is not None and within(child, parent)


def _range(child: Constraint, parent: Constraint) -> bool:
    return _above(child.low, parent.low) and _below(child.high, parent.high)


def _above(child: int | None, parent: int | None) -> bool:
    return parent is None or (child is not None and child >= parent)


def _below(child: int | None, parent: int | None) -> bool:
    return parent is None or (child is not None and child <= parent)


def _prefix(child: Constraint, parent: Constraint) -> bool:
    # The prefix itself must lie below the parent's: one that climbs leads nowhere good.
    return child.text == parent.text or accepts(parent, child.text)


def _pattern(child: Constraint, parent: Constraint) -> bool:
    return child.text == parent.text


def _excludes(child: Constraint, parent: Constraint) -> bool:
    types = {type(value) for value in child.values}
    if not types <= {type(value) for value in parent.values}:
        return False
    return not any(accepts(child, value) for value in parent.values)


_WITHIN: Final[Mapping[ConstraintKind, Callable[[Constraint, Constraint], bool]]] = {
    ConstraintKind.RANGE: _range,
    ConstraintKind.PREFIX: _prefix,
    ConstraintKind.PATTERN: _pattern,
    ConstraintKind.NOT_ONE_OF: _excludes,
}


def grants_within(child: Grants, parent: Grants) -> str | None:
    """None if every call that `child` covers is covered by `parent`, else the first resource where it is not."""
    if child is parent:
        return None
    for kind in sorted(child):
        for name in sorted(child[kind]):
            rules = parent.get(kind, {}).get(name)
            if rules is None or not _rules_within(child[kind][name], rules):
                return name
    return None


def _rules_within(child: _Rules, parent: _Rules) -> bool:
    other = child.get(ANY_OTHER)
    for name in {*child, *parent}:
        mine = child.get(name, other)
        theirs = parent.get(name, parent.get(ANY_OTHER))
        if mine is not None and (theirs is None or not constraint_within(mine, theirs)):
            return False
        # What the parent demands the child must demand by name: an argument left out is no value to be tested.
        if _demands(parent, name) and not _demands(child, name):
            return False
    return True


def _demands(rules: _Rules, name: str) -> bool:
    return name != ANY_OTHER and name in rules and rules[name].kind is not ConstraintKind.WILDCARD


def meet(parent: Grants, wanted: Grants) -> Grants:
    """The largest grants that this vocabulary can express within both; a resource without any is left out."""
    found: dict[ActionKind, dict[str, dict[str, Constraint]]] = {}
    for kind in wanted:
        for name in wanted[kind]:
            if name in parent.get(kind, {}):
                rules = _rules_meet(parent[kind][name], wanted[kind][name])
                if rules is not None:
                    found.setdefault(kind, {})[name] = rules
    return found


def _rules_meet(a: _Rules, b: _Rules) -> dict[str, Constraint] | None:
    others = (a.get(ANY_OTHER), b.get(ANY_OTHER))
    other = _meet(*others)
    found = {} if other is None else {ANY_OTHER: other}
    for name in sorted({*a, *b} - {ANY_OTHER}):
        left, right = a.get(name, others[0]), b.get(name, others[1])
        both = _meet(left, right)
        demanded = _demands(a, name) or _demands(b, name)
        if both is not None and (demanded or both.kind is ConstraintKind.WILDCARD or not _same(both, other)):
            found[name] = both
    # INVARIANT: SUB, whatever was put together above; a demanded argument that no value fits leaves nothing.
    return found if _rules_within(found, a) and _rules_within(found, b) else None


def _same(both: Constraint, other: Constraint | None) -> bool:
    return other is not None and constraint_within(both, other) and constraint_within(other, both)


def _meet(a: Constraint | None, b: Constraint | None) -> Constraint | None:
    if a is None or b is None:
        return None
    if constraint_within(a, b):
        return a
    if constraint_within(b, a):
        return b
    for values, test in ((a, b), (b, a)):
        if values.kind in _VALUES:
            kept = tuple(value for value in values.values if accepts(test, value))
            return Constraint(ConstraintKind.ONE_OF, kept) if kept else None
    if a.kind is b.kind is ConstraintKind.RANGE:
        return _ranges(a, b)
    return _exclusions(a, b) if a.kind is b.kind is ConstraintKind.NOT_ONE_OF else None


def _ranges(a: Constraint, b: Constraint) -> Constraint | None:
    low = max((bound for bound in (a.low, b.low) if bound is not None), default=None)
    high = min((bound for bound in (a.high, b.high) if bound is not None), default=None)
    if low is not None and high is not None and low > high:
        return None
    return Constraint.between(low, high)


def _exclusions(a: Constraint, b: Constraint) -> Constraint | None:
    types = {type(value) for value in a.values} & {type(value) for value in b.values}
    both = {(type(value), value): value for value in (*a.values, *b.values) if type(value) in types}
    return Constraint.none_of(*both.values()) if 0 < len(both) <= MAX_VALUES else None
