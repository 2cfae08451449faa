"""Room: grants and constraints as claims. Takes: JSON trees. Gives: model values, or a refusal. Never: I/O, crypto.

`authorization_details` of RFC 9396 holds one object, `{"type": "halo_grant", "actions": {kind: {resource: {argument:
constraint}}}}`. The type is our own, because a foreign verifier would honour the grant without its budgets and decay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from halo_core.errors import PassportError
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants
from halo_core.passport.constraints import compile_pattern, is_resource_id

__all__ = ["GRANT_TYPE", "constraint_plain", "grants_plain", "parse_constraint", "parse_grants"]

GRANT_TYPE: Final = "halo_grant"
MAX_VALUES: Final = 512
"""Values of one `one_of`."""
MAX_TEXT: Final = 1024
"""Characters of a prefix or a pattern."""
MAX_NAME: Final = 128
"""Characters of an argument name."""
_INT_LIMIT: Final = 2**53

# RFC 3986 section 3.1, or a reference without one.
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?|//")


def parse_grants(plain: object, *, field: str = "/authorization_details") -> Grants:
    """Parse `authorization_details`.

    Raises:
        PassportError: `bad_detail`, `bad_tool_id`, `unknown_constraint` or `bad_constraint`.
    """
    if type(plain) is not list or len(plain) != 1:
        raise _refuse("bad_detail", "exactly one authorization detail is expected", field)
    detail = _exact(plain[0], ("actions", "type"), "bad_detail", f"{field}/0")
    if detail["type"] != GRANT_TYPE:
        raise _refuse("bad_detail", f"the detail's type is not `{GRANT_TYPE}`", f"{field}/0/type")
    actions = _mapping(detail["actions"], "bad_detail", f"{field}/0/actions")
    return {_action(kind, field): _resources(items, f"{field}/0/actions/{kind}") for kind, items in actions.items()}


def _action(text: str, field: str) -> ActionKind:
    try:
        return ActionKind(text)
    except ValueError:
        raise _refuse("bad_detail", f"`{text[:64]}` is no action kind", f"{field}/0/actions") from None


def _resources(plain: object, field: str) -> dict[str, dict[str, Constraint]]:
    resources = _mapping(plain, "bad_detail", field)
    for name in resources:
        if not is_resource_id(name):
            raise _refuse("bad_tool_id", "a resource id has characters that may deceive, or a bad length", field)
    return {name: _arguments(rules, f"{field}/{name}") for name, rules in resources.items()}


def _arguments(plain: object, field: str) -> dict[str, Constraint]:
    rules = _mapping(plain, "bad_detail", field)
    for name in rules:
        # ASCII, since a homoglyph of an argument's name would look like a constraint on it.
        if not 0 < len(name) <= MAX_NAME or not name.isascii() or not name.isprintable():
            raise _refuse(
                "bad_detail",
                "an argument name in a grant is printable ASCII of 1 to 128 characters",
                field,
                remedy=f"grant other arguments together as `{ANY_OTHER}`",
            )
    return {name: parse_constraint(rule, field=f"{field}/{name}") for name, rule in rules.items()}


def parse_constraint(plain: object, *, field: str = "") -> Constraint:
    """Parse one constraint object.

    Raises:
        PassportError: `unknown_constraint` (fail closed) or `bad_constraint`.
    """
    members = _mapping(plain, "bad_constraint", field)
    name = members.get("constraint_type")
    if type(name) is not str:
        raise _refuse("bad_constraint", "`constraint_type` is missing", field)
    try:
        kind = ConstraintKind(name)
    except ValueError:
        raise _refuse("unknown_constraint", f"`{name[:64]}` is no constraint type", field) from None
    return _PARSERS[kind](members, field)


def _wildcard(members: Mapping[str, Any], field: str) -> Constraint:
    _exact(members, ("constraint_type",), "bad_constraint", field)
    return Constraint(ConstraintKind.WILDCARD)


def _one(members: Mapping[str, Any], field: str) -> Constraint:
    _exact(members, ("constraint_type", "value"), "bad_constraint", field)
    return Constraint(ConstraintKind.EXACT, values=_scalars([members["value"]], field))


def _several(member: str, kind: ConstraintKind) -> Callable[[Mapping[str, Any], str], Constraint]:
    def parse(members: Mapping[str, Any], field: str) -> Constraint:
        _exact(members, ("constraint_type", member), "bad_constraint", field)
        return Constraint(kind, values=_scalars(members[member], field))

    return parse


def _range(members: Mapping[str, Any], field: str) -> Constraint:
    if not {"min", "max"} & set(members) or set(members) - {"constraint_type", "min", "max"}:
        raise _refuse("bad_constraint", "a range has `min`, `max` or both", field)
    for bound in members.keys() - {"constraint_type"}:
        if not _is_integer(members[bound]):
            raise _refuse("bad_constraint", f"`{bound}` is no integer below 2**53", field)
    low, high = members.get("min"), members.get("max")
    if low is not None and high is not None and low > high:
        raise _refuse("bad_constraint", "`min` is above `max`", field)
    return Constraint(ConstraintKind.RANGE, low=low, high=high)


def _prefix(members: Mapping[str, Any], field: str) -> Constraint:
    text = _text(members, field)
    found = _SCHEME.match(text)
    if found is not None and "/" not in text[found.end() :]:
        # `https://bank.example` would also accept `https://bank.example.evil.example`.
        raise _refuse("bad_constraint", "a URL prefix goes at least to the slash after the host", field)
    return Constraint(ConstraintKind.PREFIX, text=text)


def _pattern(members: Mapping[str, Any], field: str) -> Constraint:
    text = _text(members, field)
    if compile_pattern(text) is None:
        raise _refuse("bad_constraint", "the pattern is no RE2 expression, or too large", field)
    return Constraint(ConstraintKind.PATTERN, text=text)


_PARSERS: Final[Mapping[ConstraintKind, Callable[[Mapping[str, Any], str], Constraint]]] = {
    ConstraintKind.EXACT: _one,
    ConstraintKind.ONE_OF: _several("values", ConstraintKind.ONE_OF),
    ConstraintKind.NOT_ONE_OF: _several("excluded", ConstraintKind.NOT_ONE_OF),
    ConstraintKind.RANGE: _range,
    ConstraintKind.PREFIX: _prefix,
    ConstraintKind.PATTERN: _pattern,
    ConstraintKind.WILDCARD: _wildcard,
}


def _text(members: Mapping[str, Any], field: str) -> str:
    text = _exact(members, ("constraint_type", "value"), "bad_constraint", field)["value"]
    if type(text) is not str or not 0 < len(text) <= MAX_TEXT:
        raise _refuse("bad_constraint", f"`value` is no text of 1 to {MAX_TEXT} characters", field)
    return text


def _scalars(plain: object, field: str) -> tuple[str | int | bool, ...]:
    if type(plain) is not list or not 0 < len(plain) <= MAX_VALUES:
        raise _refuse("bad_constraint", f"1 to {MAX_VALUES} values are expected", field)
    for item in plain:
        if type(item) not in (str, bool) and not _is_integer(item):
            raise _refuse("bad_constraint", "a value is a text, a boolean or an integer below 2**53", field)
    if len({(type(item), item) for item in plain}) != len(plain):
        raise _refuse("bad_constraint", "a value is given twice", field)
    return tuple(plain)


def _is_integer(value: object) -> bool:
    return type(value) is int and -_INT_LIMIT < value < _INT_LIMIT


def _mapping(plain: object, code: str, field: str) -> Mapping[str, Any]:
    if type(plain) is not dict or not all(type(key) is str for key in plain):
        raise _refuse(code, "an object is expected", field)
    return plain


def _exact(plain: object, names: Sequence[str], code: str, field: str) -> Mapping[str, Any]:
    members = _mapping(plain, code, field)
    if sorted(members) != sorted(names):
        raise _refuse(code, f"expected exactly the members {', '.join(sorted(names))}", field)
    return members


def _refuse(code: str, message: str, field: str, *, remedy: str = "") -> PassportError:
    return PassportError(code, message, field=field[:256], remedy=remedy)


def grants_plain(grants: Grants) -> list[dict[str, Any]]:
    """`authorization_details` of grants, the inverse of `parse_grants`."""
    actions = {
        ActionKind(kind).value: {
            name: {argument: constraint_plain(rule) for argument, rule in rules.items()}
            for name, rules in resources.items()
        }
        for kind, resources in grants.items()
    }
    return [{"actions": actions, "type": GRANT_TYPE}]


def constraint_plain(constraint: Constraint) -> dict[str, Any]:
    """JSON object of a constraint, the inverse of `parse_constraint`."""
    plain: dict[str, Any] = {"constraint_type": constraint.kind.value}
    match constraint.kind:
        case ConstraintKind.EXACT:
            if len(constraint.values) != 1:
                raise _refuse("bad_constraint", "`exact` has one value", "")
            plain["value"] = constraint.values[0]
        case ConstraintKind.ONE_OF:
            plain["values"] = list(constraint.values)
        case ConstraintKind.NOT_ONE_OF:
            plain["excluded"] = list(constraint.values)
        case ConstraintKind.RANGE:
            bounds = {"min": constraint.low, "max": constraint.high}
            plain.update((name, bound) for name, bound in bounds.items() if bound is not None)
        case ConstraintKind.PREFIX | ConstraintKind.PATTERN:
            plain["value"] = constraint.text
    return plain
