"""Grants of a manifest: which tools an agent may call, and with which arguments.

    tools: [lookup, "crm.*"]               # any argument that their schemas name
    tools:
      pay:
        to: {one_of: [ACC-1, ACC-2]}       # exact, one_of, not_one_of, min / max, prefix, pattern, any
        amount: {min: 1, max: 500}
        "**": any                          # every argument that is not named; without it they are refused

What a mapping does not name is not granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from halo_core.errors import PassportError
from halo_core.manifest.fields import check_pattern
from halo_core.manifest.nodes import Item, printable
from halo_core.model import ANY_OTHER, Constraint, ConstraintKind
from halo_core.passports import constraint_to_json, parse_constraint
from halo_core.quick_dataclass import dataclass

MAX_NAME: Final = 128
"""Characters of the name of a tool, an argument or a role."""
_BOUNDS: Final = ("min", "max")
_CONSTRAINT_KEYS: Final = ("exact", "one_of", "not_one_of", "prefix", "pattern", *_BOUNDS)
_SEVERAL: Final = {"one_of": ConstraintKind.ONE_OF, "not_one_of": ConstraintKind.NOT_ONE_OF}
_TEXT: Final = {"prefix": ConstraintKind.PREFIX, "pattern": ConstraintKind.PATTERN}


@dataclass(frozen=True, slots=True)
class GrantRule:
    """One line of a grant.

    Args:
        pattern: a resource id, or one with `*` and `?`.
        arguments: constraints by argument name; None for any argument that the schema names.
        item: its place in the file.
    """

    pattern: str
    arguments: Mapping[str, Constraint] | None
    item: Item


def read_rules(item: Item) -> tuple[GrantRule, ...]:
    """A list of names and patterns, or a mapping of them to arguments."""
    if item.is_sequence():
        return _read_list(item)
    if not item.is_mapping():
        item.fail("a list or a mapping is expected", "write `[lookup, pay]`, or `pay: {amount: {max: 500}}`")
        return ()
    members = item.mapping().items()
    return tuple(
        GrantRule(name, _read_arguments(member), member) for name, member in members if check_pattern(member, name)
    )


def _read_list(item: Item) -> tuple[GrantRule, ...]:
    """Rules of a list of names and patterns, which grant any argument of the schema."""
    rules: dict[str, GrantRule] = {}
    for member in item.sequence():
        pattern = member.text(most=MAX_NAME)
        if pattern is None or not check_pattern(member, pattern):
            continue
        if pattern in rules:
            member.fail(f"`{printable(pattern)}` occurs twice", "keep one of them")
        rules[pattern] = GrantRule(pattern, None, member)
    return tuple(rules.values())


def _read_arguments(item: Item) -> Mapping[str, Constraint] | None:
    """Constraints by argument name; None for `any`."""
    if not item.is_mapping():
        if item.kind() != "str" or item.node.value != "any":
            item.fail(
                "arguments are expected", "write `any`, argument names with constraints, or `{}` for no arguments"
            )
        return None
    arguments = {}
    for name, member in item.mapping().items():
        if len(name) > MAX_NAME or not name.isascii():
            member.fail(
                f"`{printable(name)}` is not a valid argument name", f"grant other arguments together as `{ANY_OTHER}`"
            )
            continue
        constraint = _read_constraint(member)
        if constraint is not None:
            arguments[name] = constraint
    return arguments


def _read_constraint(item: Item) -> Constraint | None:
    """The constraint of one argument; None if it is invalid, which is reported."""
    if item.kind() == "str" and item.node.value == "any":
        return Constraint.anything()
    if not item.is_mapping():
        item.fail("a constraint is expected", "write `any`, `{exact: 3}`, `{one_of: [a, b]}` or `{max: 500}`")
        return None
    members = item.mapping(_CONSTRAINT_KEYS)
    kinds = sorted({"range" if name in _BOUNDS else name for name in members})
    if len(kinds) != 1:
        if kinds or not item.node.value:
            item.fail("exactly one kind of constraint is expected", f"use one of {', '.join(_CONSTRAINT_KEYS)}")
        return None
    constraint = _make_constraint(kinds[0], members)
    if constraint is None:
        return None
    try:
        return parse_constraint(constraint_to_json(constraint))
    except PassportError as exc:
        item.fail(exc.message)
        return None


def _make_constraint(kind: str, members: Mapping[str, Item]) -> Constraint | None:
    """The constraint of one kind, before its values are checked."""
    if kind == "range":
        return _read_range(members)
    member = members[kind]
    if kind == "exact":
        value = member.scalar()
        return None if value is None else Constraint.exactly(value)
    if kind in _SEVERAL:
        items = member.sequence()
        values = [scalar for item in items if (scalar := item.scalar()) is not None]
        if not values and member.is_sequence() and not items:
            member.fail("the list is empty, so no value is allowed", "add values, or remove the tool")
        return Constraint(_SEVERAL[kind], tuple(values)) if values and len(values) == len(items) else None
    text = member.text()
    return None if text is None else Constraint(_TEXT[kind], text=text)


def _read_range(members: Mapping[str, Item]) -> Constraint | None:
    bounds: dict[str, int] = {}
    for name, member in members.items():
        value = member.scalar()
        if type(value) is int:
            bounds[name] = value
        elif value is not None:
            member.fail("a bound must be a whole number", "write plain digits, without quotes")
    if len(bounds) != len(members):
        return None
    return Constraint.between(bounds.get("min"), bounds.get("max"))
