"""Grants and their constraints on arguments: tests of a call, parsing and writing of claims.

Closed world: an argument that no constraint names is refused. Types are compared as well as values (`True` is not 1,
`"1"` is not 1), and every test is linear in the value. Constraint shapes follow the attenuating agent token draft
(draft-niyikiza-oauth-attenuating-agent-tokens), plus `prefix`: `{"constraint_type": "range", "min": 1, "max": 100}`.

`authorization_details` of RFC 9396 holds one object, `{"type": "halo_grant", "actions": {kind: {resource: {argument:
constraint}}}}`. The type is our own, because a foreign verifier would honour the grant without its budgets and decay.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import re2

from halo_core.content.redaction import SEAL_PREFIX
from halo_core.crypto.canonical import INT_LIMIT
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants
from halo_core.passports.codec import claim_error, require_members, require_object

# ASCII only: a homoglyph, a zero-width character or a newline never names a resource.
_RESOURCE_ID: Final = re.compile(r"[A-Za-z0-9_.:/@ -]{1,128}")
_DETAIL_LIMIT: Final = 64
_WHOLE_VALUE_KINDS: Final = frozenset({ConstraintKind.EXACT, ConstraintKind.ONE_OF})
_DECODE_ROUNDS: Final = 3
"""How often a path is percent-decoded at most; one that changes each time is refused."""
_STRIPPED_BY_URL_PARSERS: Final = str.maketrans("", "", "\t\r\n")


class Violation(NamedTuple):
    """A reason code and its subject: the name of a resource, an argument or a label, never a value."""

    code: str
    detail: str


def is_resource_id(text: str) -> bool:
    """Whether `text` may name a resource: 1 to 128 of `A-Z a-z 0-9 _ . : / @ space -`, without folding."""
    return _RESOURCE_ID.fullmatch(text) is not None and text == text.strip(" ")


def find_violation(grants: Grants, kind: ActionKind, resource_id: str, args: Mapping[str, Any]) -> Violation | None:
    """The first reason why `grants` do not cover a call, or None.

    Arguments are visited in the order of their names, so that a replay from recorded arguments finds the same one.
    An argument under `wildcard` may be absent, any other named argument must be there.
    """
    rules = grants.get(kind, {}).get(resource_id)
    if rules is None:
        return Violation("tool_not_granted", _printable_name(resource_id))
    for name in args:
        if not isinstance(name, str):
            return Violation("args_closed_world", "an argument without a name")
    default_rule = rules.get(ANY_OTHER)
    # INVARIANT: closed world; an argument that no constraint names is refused.
    for name in sorted(args):
        rule = rules.get(name, default_rule)
        if rule is None:
            return Violation("args_closed_world", f"{_printable_name(name)}: not named in the grant")
        if not accepts(rule, args[name]):
            return Violation("arg_violates", f"{_printable_name(name)}: {rule.kind.value}")
    for name in sorted(rules):
        if name not in args and name != ANY_OTHER and rules[name].kind is not ConstraintKind.WILDCARD:
            return Violation("args_closed_world", f"{_printable_name(name)}: missing")
    return None


class ArgumentCheck:
    """The constraints of a grant on one resource's arguments, prepared for many calls: step (5) of `decide`.

    Args:
        rules: argument name (or `ANY_OTHER`) → constraint.
    """

    __slots__ = ("_constrained", "_named", "_other", "_required")

    def __init__(self, rules: Mapping[str, Constraint]) -> None:
        named = {name: rule for name, rule in rules.items() if name != ANY_OTHER}
        self._named = frozenset(named)
        constrained = [(name, rule) for name, rule in named.items() if rule.kind is not ConstraintKind.WILDCARD]
        self._required = frozenset(name for name, _ in constrained)
        self._constrained = tuple(constrained)
        self._other = rules.get(ANY_OTHER)

    def allows(self, args: Mapping[str, Any]) -> bool:
        """Whether `find_violation` would find nothing."""
        names = args.keys()
        if not names >= self._required:
            return False
        for name, rule in self._constrained:
            if not accepts(rule, args[name]):
                return False
        # INVARIANT: closed world, as above.
        return names <= self._named or self._allows_others(args)

    def _allows_others(self, args: Mapping[str, Any]) -> bool:
        rule = self._other
        others = args.keys() - self._named
        return rule is not None and all(accepts(rule, args[name]) for name in others)


def list_label_violations(ceiling: tuple[str, ...] | None, labels: tuple[str, ...]) -> list[Violation]:
    """A violation for each of `labels` that is above a link's ceiling (None: any label is allowed), sorted."""
    if ceiling is None:
        return []
    return [Violation("class_ceiling", label) for label in sorted(set(labels) - set(ceiling))]


def _printable_name(text: str) -> str:
    printable = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return printable if len(printable) <= _DETAIL_LIMIT else printable[: _DETAIL_LIMIT - 1] + "…"


def accepts(constraint: Constraint, value: object) -> bool:
    """Whether `value` satisfies `constraint`; False, never an exception, for whatever is not a scalar."""
    kind = constraint.kind
    if kind is ConstraintKind.WILDCARD:
        return True
    scalar = _to_scalar(value)
    if scalar is None or (kind not in _WHOLE_VALUE_KINDS and isinstance(scalar, str) and SEAL_PREFIX in scalar):
        # The value contains a sealed secret: the tool would receive plain text that this constraint never tested.
        return False
    return _TESTS[kind](scalar, constraint)


def _to_scalar(value: object) -> str | int | bool | float | None:
    # As the canonical form records it: an enum or another subclass counts as its base value.
    if value is True or value is False:
        return bool(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else None


def _is_among(value: str | float, constraint: Constraint) -> bool:
    return any(type(item) is type(value) and item == value for item in constraint.values)


def _is_not_among(value: str | float, constraint: Constraint) -> bool:
    # `not_one_of [1]` must not let "1" through to a tool that converts it.
    return any(type(item) is type(value) for item in constraint.values) and not _is_among(value, constraint)


def _is_in_range(value: str | float, constraint: Constraint) -> bool:
    # By comparison only: NaN compares false with every bound, and `isfinite` of a huge integer overflows.
    if isinstance(value, str | bool) or abs(value) == math.inf:
        return False
    low = -math.inf if constraint.low is None else constraint.low
    high = math.inf if constraint.high is None else constraint.high
    return low <= value <= high


def _has_prefix(value: str | float, constraint: Constraint) -> bool:
    if not isinstance(value, str) or not constraint.text or not value.startswith(constraint.text):
        return False
    decoded = value
    for _ in range(_DECODE_ROUNDS):
        once, decoded = decoded, unquote(decoded)
        if once == decoded:
            return not _climbs_up(decoded)
    return False


def _climbs_up(path: str) -> bool:
    if "\0" in path or "\\" in path:
        return True
    # A segment as servers read it: URL parsers drop tabs and newlines, some servers cut `;parameters`.
    segments = path.translate(_STRIPPED_BY_URL_PARSERS).replace("?", "/").replace("#", "/").split("/")
    return any(segment.split(";", 1)[0].strip(" ") == ".." for segment in segments)


def _matches_pattern(value: str | float, constraint: Constraint) -> bool:
    compiled = compile_pattern(constraint.text)
    if compiled is None or not isinstance(value, str):
        return False
    try:
        return compiled.fullmatch(value) is not None
    except UnicodeEncodeError:  # a lone surrogate is not text
        return False


_TESTS: Final[Mapping[ConstraintKind, Callable[[str | float, Constraint], bool]]] = {
    ConstraintKind.EXACT: _is_among,
    ConstraintKind.ONE_OF: _is_among,
    ConstraintKind.NOT_ONE_OF: _is_not_among,
    ConstraintKind.RANGE: _is_in_range,
    ConstraintKind.PREFIX: _has_prefix,
    ConstraintKind.PATTERN: _matches_pattern,
}


@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Any:
    """RE2 program of `pattern` (linear time, bounded memory); None if RE2 refuses it."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


GRANT_TYPE: Final = "halo_grant"
MAX_VALUES: Final = 512
"""Values of one `one_of`."""
MAX_TEXT: Final = 1024
"""Characters of a prefix or a pattern."""
MAX_NAME: Final = 128
"""Characters of an argument name."""
_CONTENT_MEMBERS: Final = {
    ConstraintKind.EXACT: "value",
    ConstraintKind.ONE_OF: "values",
    ConstraintKind.NOT_ONE_OF: "excluded",
    ConstraintKind.PREFIX: "value",
    ConstraintKind.PATTERN: "value",
}
"""Member that holds what a constraint compares with; a range has `min` and `max`, a wildcard nothing."""
_TEXT_KINDS: Final = frozenset({ConstraintKind.PREFIX, ConstraintKind.PATTERN})
# RFC 3986 section 3.1, or a reference without one.
_URL_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?|//")


_FIELD: Final = "/authorization_details"


def parse_grants(json_value: object) -> Grants:
    """Parse `authorization_details`.

    Raises:
        PassportError: `bad_detail`, `bad_tool_id`, `unknown_constraint` or `bad_constraint`.
    """
    if type(json_value) is not list or len(json_value) != 1:
        raise claim_error("bad_detail", "exactly one authorization detail is expected", _FIELD)
    detail = require_members(json_value[0], ("actions", "type"), "bad_detail", f"{_FIELD}/0")
    if detail["type"] != GRANT_TYPE:
        raise claim_error("bad_detail", f"the detail's type is not `{GRANT_TYPE}`", f"{_FIELD}/0/type")
    actions = require_object(detail["actions"], "bad_detail", f"{_FIELD}/0/actions")
    return {
        _parse_action(kind): _parse_resources(items, f"{_FIELD}/0/actions/{kind}") for kind, items in actions.items()
    }


def _parse_action(text: str) -> ActionKind:
    try:
        return ActionKind(text)
    except ValueError:
        raise claim_error("bad_detail", f"`{text[:64]}` is not an action kind", f"{_FIELD}/0/actions") from None


def _parse_resources(json_value: object, field: str) -> dict[str, dict[str, Constraint]]:
    resources = require_object(json_value, "bad_detail", field)
    for name in resources:
        if not is_resource_id(name):
            raise claim_error(
                "bad_tool_id", "a resource id contains misleading characters or has an invalid length", field
            )
    return {name: _parse_arguments(rules, f"{field}/{name}") for name, rules in resources.items()}


def _parse_arguments(json_value: object, field: str) -> dict[str, Constraint]:
    rules = require_object(json_value, "bad_detail", field)
    for name in rules:
        # ASCII, since a homoglyph of an argument's name would look like a constraint on it.
        if not 0 < len(name) <= MAX_NAME or not name.isascii() or not name.isprintable():
            raise claim_error(
                "bad_detail",
                "an argument name in a grant must be 1 to 128 printable ASCII characters",
                field,
                remedy=f"grant other arguments together as `{ANY_OTHER}`",
            )
    return {name: parse_constraint(rule, field=f"{field}/{name}") for name, rule in rules.items()}


def parse_constraint(json_value: object, *, field: str = "") -> Constraint:
    """Parse one constraint object.

    Raises:
        PassportError: `unknown_constraint` (fail closed) or `bad_constraint`.
    """
    members = require_object(json_value, "bad_constraint", field)
    name = members.get("constraint_type")
    if type(name) is not str:
        raise claim_error("bad_constraint", "`constraint_type` is missing", field)
    try:
        kind = ConstraintKind(name)
    except ValueError:
        raise claim_error("unknown_constraint", f"`{name[:64]}` is not a constraint type", field) from None
    if kind is ConstraintKind.RANGE:
        return _parse_range(members, field)
    member = _CONTENT_MEMBERS.get(kind)
    require_members(members, ("constraint_type", *([member] if member else [])), "bad_constraint", field)
    if member is None:
        return Constraint(kind)
    if kind in _TEXT_KINDS:
        return Constraint(kind, text=_parse_text(kind, members[member], field))
    values = [members[member]] if kind is ConstraintKind.EXACT else members[member]
    return Constraint(kind, values=_parse_scalars(values, field))


def _parse_range(members: Mapping[str, Any], field: str) -> Constraint:
    if not {"min", "max"} & set(members) or set(members) - {"constraint_type", "min", "max"}:
        raise claim_error("bad_constraint", "a range needs `min`, `max` or both", field)
    for bound_name in members.keys() - {"constraint_type"}:
        if not _is_integer(members[bound_name]):
            raise claim_error("bad_constraint", f"`{bound_name}` is not an integer below 2**53", field)
    low, high = members.get("min"), members.get("max")
    if low is not None and high is not None and low > high:
        raise claim_error("bad_constraint", "`min` is above `max`", field)
    return Constraint.between(low, high)


def _parse_text(kind: ConstraintKind, text: object, field: str) -> str:
    if type(text) is not str or not 0 < len(text) <= MAX_TEXT:
        raise claim_error("bad_constraint", f"`value` is not a text of 1 to {MAX_TEXT} characters", field)
    if kind is ConstraintKind.PATTERN and compile_pattern(text) is None:
        raise claim_error("bad_constraint", "the pattern is not an RE2 expression, or it is too large", field)
    scheme = _URL_SCHEME.match(text) if kind is ConstraintKind.PREFIX else None
    if scheme is not None and "/" not in text[scheme.end() :]:
        # `https://bank.example` would also accept `https://bank.example.evil.example`.
        raise claim_error("bad_constraint", "a URL prefix must include the slash after the host", field)
    return text


def _parse_scalars(json_value: object, field: str) -> tuple[str | int | bool, ...]:
    if type(json_value) is not list or not 0 < len(json_value) <= MAX_VALUES:
        raise claim_error("bad_constraint", f"1 to {MAX_VALUES} values are expected", field)
    for item in json_value:
        if type(item) not in (str, bool) and not _is_integer(item):
            raise claim_error("bad_constraint", "a value must be a text, a boolean or an integer below 2**53", field)
    if len({(type(item), item) for item in json_value}) != len(json_value):
        raise claim_error("bad_constraint", "a value occurs twice", field)
    return tuple(json_value)


def _is_integer(value: object) -> bool:
    return type(value) is int and -INT_LIMIT < value < INT_LIMIT


def grants_to_json(grants: Grants) -> list[dict[str, Any]]:
    """`authorization_details` of grants, the inverse of `parse_grants`."""
    actions = {
        ActionKind(kind).value: {
            name: {argument: constraint_to_json(rule) for argument, rule in rules.items()}
            for name, rules in resources.items()
        }
        for kind, resources in grants.items()
    }
    return [{"actions": actions, "type": GRANT_TYPE}]


def constraint_to_json(constraint: Constraint) -> dict[str, Any]:
    """JSON object of a constraint, the inverse of `parse_constraint`."""
    kind, json_object = constraint.kind, {"constraint_type": constraint.kind.value}
    if kind is ConstraintKind.RANGE:
        bounds = {"min": constraint.low, "max": constraint.high}
        return json_object | {name: bound for name, bound in bounds.items() if bound is not None}
    content: Any = constraint.text if kind in _TEXT_KINDS else list(constraint.values)
    if kind is ConstraintKind.EXACT:
        if len(content) != 1:
            raise claim_error("bad_constraint", "`exact` takes one value", "", remedy="")
        (content,) = content
    return json_object | ({_CONTENT_MEMBERS[kind]: content} if kind in _CONTENT_MEMBERS else {})
