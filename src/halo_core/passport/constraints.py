"""Room: closed-world constraints on arguments. Takes: grants, a call. Gives: the first violation. Never: I/O, a clock.

Types are compared as well as values (`True` is not 1, `"1"` is not 1), and every test is linear in the value.
Constraint shapes follow the attenuating agent token draft (draft-niyikiza-oauth-attenuating-agent-tokens), plus
`prefix`: `{"constraint_type": "range", "min": 1, "max": 100}`.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import re2

from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants

__all__ = ["Violation", "accepts", "compile_pattern", "is_resource_id", "label_violation", "violation"]

# ASCII only: a homoglyph, a zero-width character or a newline never names a resource.
_RESOURCE_ID: Final = re.compile(r"[A-Za-z0-9_.:/@ -]{1,128}")
_DETAIL_LIMIT: Final = 64
SEALED: Final = "halo:secret:"
"""How a sealed secret begins (`halo_core.redact`)."""
_WHOLE: Final = frozenset({ConstraintKind.EXACT, ConstraintKind.ONE_OF})
# An encoding of an encoding of an encoding is not a path anybody meant.
_DECODE_ROUNDS: Final = 3
_STRIPPED_BY_URL_PARSERS: Final = str.maketrans("", "", "\t\r\n")


class Violation(NamedTuple):
    """A reason code and what it is about: the name of a resource, an argument or a label, never a value."""

    code: str
    detail: str


def is_resource_id(text: str) -> bool:
    """Whether `text` may name a resource: 1 to 128 of `A-Z a-z 0-9 _ . : / @ space -`, as it is, not folded."""
    return _RESOURCE_ID.fullmatch(text) is not None and text == text.strip(" ")


def violation(grants: Grants, kind: ActionKind, resource_id: str, args: Mapping[str, Any]) -> Violation | None:
    """The first reason why `grants` do not cover a call, or None.

    Arguments are visited in the order of their names, so that a replay from recorded arguments finds the same one.
    An argument under `wildcard` may be absent, any other named argument must be there.
    """
    rules = grants.get(kind, {}).get(resource_id)
    if rules is None:
        return Violation("tool_not_granted", _name(resource_id))
    if not all(isinstance(name, str) for name in args):
        return Violation("args_closed_world", "an argument without a name")
    other = rules.get(ANY_OTHER)
    # INVARIANT: closed world; an argument that no constraint speaks of is refused.
    for name in sorted(args):
        rule = rules.get(name, other)
        if rule is None:
            return Violation("args_closed_world", f"{_name(name)}: not named in the grant")
        if not accepts(rule, args[name]):
            return Violation("arg_violates", f"{_name(name)}: {rule.kind.value}")
    for name in sorted(rules):
        if name not in args and name != ANY_OTHER and rules[name].kind is not ConstraintKind.WILDCARD:
            return Violation("args_closed_world", f"{_name(name)}: missing")
    return None


def label_violation(ceiling: tuple[str, ...] | None, labels: tuple[str, ...]) -> Violation | None:
    """Whether data with `labels` is above a link's ceiling (None: any label is allowed)."""
    above = sorted(set(labels) - set(ceiling)) if ceiling is not None else []
    return Violation("class_ceiling", _name(above[0])) if above else None


def _name(text: str) -> str:
    shown = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= _DETAIL_LIMIT else shown[: _DETAIL_LIMIT - 1] + "…"


def accepts(constraint: Constraint, value: object) -> bool:
    """Whether `value` satisfies `constraint`; False, never an exception, for whatever is not a scalar."""
    kind = constraint.kind
    if kind is ConstraintKind.WILDCARD:
        return True
    plain = _scalar(value)
    if plain is None or (kind not in _WHOLE and isinstance(plain, str) and SEALED in plain):
        # Part of it is sealed: the tool gets a text that no prefix, pattern or exclusion has seen.
        return False
    return _TESTS[kind](plain, constraint)


def _scalar(value: object) -> str | int | bool | float | None:
    # As the canonical form records it: an enum or another subclass counts as its base value.
    if value is True or value is False:
        return bool(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else None


def _among(value: str | float, constraint: Constraint) -> bool:
    return any(type(item) is type(value) and item == value for item in constraint.values)


def _not_among(value: str | float, constraint: Constraint) -> bool:
    # `not_one_of [1]` must not let "1" through to a tool that converts it.
    return any(type(item) is type(value) for item in constraint.values) and not _among(value, constraint)


def _in_range(value: str | float, constraint: Constraint) -> bool:
    # By comparison only: NaN compares false with every bound, and `isfinite` of a huge integer overflows.
    if isinstance(value, str | bool) or abs(value) == math.inf:
        return False
    low = -math.inf if constraint.low is None else constraint.low
    high = math.inf if constraint.high is None else constraint.high
    return low <= value <= high


def _under(value: str | float, constraint: Constraint) -> bool:
    if not isinstance(value, str) or not constraint.text or not value.startswith(constraint.text):
        return False
    decoded = value
    for _ in range(_DECODE_ROUNDS):
        once, decoded = decoded, unquote(decoded)
        if once == decoded:
            return not _climbs(decoded)
    return False


def _climbs(path: str) -> bool:
    if "\0" in path or "\\" in path:
        return True
    # A segment as servers read it: URL parsers drop tabs and newlines, some servers cut `;parameters`.
    segments = path.translate(_STRIPPED_BY_URL_PARSERS).replace("?", "/").replace("#", "/").split("/")
    return any(segment.split(";", 1)[0].strip(" ") == ".." for segment in segments)


def _matches(value: str | float, constraint: Constraint) -> bool:
    compiled = compile_pattern(constraint.text)
    if compiled is None or not isinstance(value, str):
        return False
    try:
        return compiled.fullmatch(value) is not None
    except UnicodeEncodeError:  # a lone surrogate is not text
        return False


_TESTS: Final[Mapping[ConstraintKind, Callable[[str | float, Constraint], bool]]] = {
    ConstraintKind.EXACT: _among,
    ConstraintKind.ONE_OF: _among,
    ConstraintKind.NOT_ONE_OF: _not_among,
    ConstraintKind.RANGE: _in_range,
    ConstraintKind.PREFIX: _under,
    ConstraintKind.PATTERN: _matches,
}


@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Any:
    """RE2 program of `pattern` (linear time, bounded memory), or None where RE2 refuses it."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None
