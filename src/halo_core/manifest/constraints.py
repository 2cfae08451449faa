"""Room: manifest, grants of one agent. Takes: items. Gives: rules by pattern. Never: I/O, expansion.

    tools: [lookup, "crm.*"]               whatever arguments their schemas name
    tools:
      pay:
        to: {one_of: [ACC-1, ACC-2]}       exact, one_of, not_one_of, min / max, prefix, pattern, any
        amount: {min: 1, max: 500}
        "**": any                          every argument that is not named; without it they are refused

What a mapping does not name is not granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from halo_core.errors import PassportError
from halo_core.manifest.findings import Remedy, did_you_mean, shown
from halo_core.manifest.patterns import is_well_formed
from halo_core.manifest.tree import Item
from halo_core.model import ANY_OTHER, Constraint, ConstraintKind
from halo_core.passport import constraint_plain, parse_constraint

__all__ = ["Rule", "read_rules", "unknown_argument"]

_MAX_NAME: Final = 128
_BOUNDS: Final = ("min", "max")
_WORDS: Final = ("exact", "one_of", "not_one_of", "prefix", "pattern", *_BOUNDS)
_SEVERAL: Final = {"one_of": ConstraintKind.ONE_OF, "not_one_of": ConstraintKind.NOT_ONE_OF}
_TEXT: Final = {"prefix": ConstraintKind.PREFIX, "pattern": ConstraintKind.PATTERN}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a grant.

    Args:
        pattern: a resource id, or one with `*` and `?`.
        arguments: argument name → constraint; None for any argument that the schema names.
        item: where it stands.
    """

    pattern: str
    arguments: Mapping[str, Constraint] | None
    item: Item


def read_rules(item: Item) -> tuple[Rule, ...]:
    """A list of names and patterns, or a mapping of them to arguments."""
    if item.is_sequence():
        return _listed(item)
    if not item.is_mapping():
        item.fail("a list or a mapping is expected", "write `[lookup, pay]`, or `pay: {amount: {max: 500}}`")
        return ()
    rules = []
    for pattern, member in item.members():
        if _well_formed(pattern, member):
            rules.append(Rule(pattern, _arguments(member), member))
    return tuple(rules)


def _listed(item: Item) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for member in item.sequence():
        pattern = member.text(most=_MAX_NAME)
        if pattern is None or not _well_formed(pattern, member):
            continue
        if pattern in rules:
            member.fail(f"`{shown(pattern)}` is named twice", "keep one of them")
        rules[pattern] = Rule(pattern, None, member)
    return tuple(rules.values())


def _well_formed(pattern: str, item: Item) -> bool:
    if is_well_formed(pattern):
        return True
    item.fail(f"`{shown(pattern)}` is neither a name nor a pattern", "use `A-Z a-z 0-9 _ . : / @ -`, `*` and `?`")
    return False


def _arguments(item: Item) -> Mapping[str, Constraint] | None:
    if not item.is_mapping():
        if item.kind() != "str" or item.node.value != "any":
            item.fail("arguments are expected", "write `any`, or argument names with constraints; `{}` for no argument")
        return None
    found = {}
    for name, member in item.members():
        if len(name) > _MAX_NAME or not name.isascii():
            member.fail(f"`{shown(name)}` is no argument name", f"grant other arguments together as `{ANY_OTHER}`")
            continue
        constraint = _constraint(member)
        if constraint is not None:
            found[name] = constraint
    return found


def _constraint(item: Item) -> Constraint | None:
    if item.kind() == "str" and item.node.value == "any":
        return Constraint.anything()
    if not item.is_mapping():
        item.fail("a constraint is expected", "write `any`, `{exact: 3}`, `{one_of: [a, b]}` or `{max: 500}`")
        return None
    members = item.mapping(_WORDS)
    kinds = sorted({"range" if name in _BOUNDS else name for name in members})
    if len(kinds) != 1:
        if kinds or not item.node.value:
            item.fail("exactly one kind of constraint is expected", f"use one of {', '.join(_WORDS)}")
        return None
    made = _made(kinds[0], members)
    if made is None:
        return None
    try:
        return parse_constraint(constraint_plain(made))
    except PassportError as exc:
        item.fail(exc.message, exc.remedy)
        return None


def _made(kind: str, members: Mapping[str, Item]) -> Constraint | None:
    if kind == "range":
        return _range(members)
    member = members[kind]
    if kind == "exact":
        value = member.scalar()
        return None if value is None else Constraint.exactly(value)
    if kind in _SEVERAL:
        listed = member.sequence()
        values = [scalar for item in listed if (scalar := item.scalar()) is not None]
        if not values and member.is_sequence() and not listed:
            member.fail("the list is empty, so nothing would fit", "name values, or leave the tool out")
        return Constraint(_SEVERAL[kind], tuple(values)) if values and len(values) == len(listed) else None
    text = member.text()
    return None if text is None else Constraint(_TEXT[kind], text=text)


def _range(members: Mapping[str, Item]) -> Constraint | None:
    bounds: dict[str, int] = {}
    for name, member in members.items():
        value = member.scalar()
        if type(value) is int:
            bounds[name] = value
        elif value is not None:
            member.fail("a bound is a whole number", "write plain digits, without quotes")
    if len(bounds) != len(members):
        return None
    return Constraint.between(bounds.get("min"), bounds.get("max"))


def unknown_argument(name: str, known: Iterable[str], tool: str) -> tuple[str, Remedy]:
    """Message and remedy for an argument that a tool does not have."""
    return f"`{shown(tool)}` has no argument `{shown(name)}`", partial(did_you_mean, name, known)
