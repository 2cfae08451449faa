"""Cache keys that are equal for contexts which a set of policies cannot tell apart.

A rule that reads `context.steps > 300` cannot tell 17 steps from 18. Where every use of an attribute is a comparison
with a literal, the cache key holds the outcomes of the comparisons instead of the value. Cedar itself is always asked
with the real context; equal keys mean that every comparison comes out the same. What is used in any other way stays in
the key as it is.
"""

from __future__ import annotations

import operator
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from operator import methodcaller
from typing import Any, Final

import orjson

_Path = tuple[str, ...]
_ORDER_OPERATORS: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_DECIMAL_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}


_DECIMAL_NUMERAL: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,4}")


@dataclass(slots=True)
class Comparisons:
    """The literals that one attribute is compared with."""

    longs: set[int] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    patterns: list[tuple[str | None, ...]] = field(default_factory=list)
    decimals: list[tuple[str, Decimal]] = field(default_factory=list)

    def judge_decimal(self, number: Decimal | int) -> tuple[Any, ...]:
        """The outcome of every comparison of a decimal with a literal."""
        return ("decimal", *[_DECIMAL_OPERATORS[name](number, literal) for name, literal in self.decimals])


class ContextKeyBuilder:
    """Builds keys of contexts for one set of policies, from the outcomes of comparisons (`top`, `args`).

    Args:
        policies: Cedar's JSON form of each.
    """

    __slots__ = ("args", "top", "top_comparisons")

    def __init__(self, policies: Iterable[Mapping[str, Any]]) -> None:
        comparisons = _ComparisonCollector(policies).collect()
        self.top_comparisons = {path[0]: use for path, use in comparisons.items() if len(path) == 1}
        self.top = {name: _make_projector(use) for name, use in self.top_comparisons.items()}
        self.args = {path[1]: _make_projector(use) for path, use in comparisons.items() if len(path) > 1}

    def build_key(self, context: Mapping[str, Any]) -> bytes:
        """Equal for contexts (Cedar JSON) that these policies cannot tell apart."""
        projected = _project(self.top, context)
        args = context.get("args")
        if args and self.args:
            projected["args"] = _project(self.args, args)
        return orjson.dumps(projected)


Projector = Callable[[Any], Any]
"""A value → what it counts as, the same for values that no comparison tells apart."""


def _project(projectors: Mapping[str, Projector], record: Mapping[str, Any]) -> dict[str, Any]:
    """The record, with each value projected that has a projector."""
    projected = dict(record)
    for name, project in projectors.items():
        if name in record:
            projected[name] = project(record[name])
    return projected


def _make_projector(comparisons: Comparisons) -> Projector:
    longs, texts = sorted(comparisons.longs), frozenset(comparisons.texts)
    patterns = [_compile_like(pattern) for pattern in comparisons.patterns]

    def project(value: Any) -> Any:
        # INVARIANT: a value is replaced by its type and the outcome of every comparison with a literal of that type;
        # with one of another type, equality is false and order an error, whatever the value.
        if type(value) is int:
            index = bisect_left(longs, value)
            return "long", index, index < len(longs) and longs[index] == value
        if type(value) is str:
            same = value if value in texts else ""
            return "text", value in texts, same, *[matches(value) for matches in patterns]
        if type(value) is dict and value.keys() == {"__extn"} and value["__extn"]["fn"] == "decimal":
            return comparisons.judge_decimal(Decimal(value["__extn"]["arg"]))
        return "as it is", value

    return project


def _compile_like(pattern: tuple[str | None, ...]) -> Callable[[str], bool]:
    """Cedar's `like` with one pattern; the common ones are methods of `str`."""
    match pattern:
        case (None, str() as end):
            return methodcaller("endswith", end)
        case (str() as start, None):
            return methodcaller("startswith", start)
        case (None, str() as part, None):
            return methodcaller("__contains__", part)
        case _:
            return partial(_matches_like, pattern=pattern)


def _matches_like(text: str, pattern: tuple[str | None, ...]) -> bool:
    """Whether a text matches Cedar's `like`: literals in order, None for any characters; linear in the text."""
    first, *tail = pattern
    if first is not None:
        if not text.startswith(first):
            return False
        text = text[len(first) :]
    if not tail:
        return first is None or not text
    free = first is None
    for i, part in enumerate(tail):
        if part is None:
            free = True
        elif i == len(tail) - 1:
            return text.endswith(part) if free else text == part
        else:
            # After a wildcard the earliest place leaves the most behind it.
            position = text.find(part)
            if position < 0:
                return False
            text, free = text[position + len(part) :], False
    return True


class _ComparisonCollector:
    """One walk over the conditions of policies."""

    def __init__(self, policies: Iterable[Mapping[str, Any]]) -> None:
        self._uses: dict[_Path, Comparisons] = {}
        self._other_uses: set[_Path] = set()
        for policy in policies:
            for clause in policy.get("conditions", ()):
                self._visit(clause["body"])

    def collect(self) -> dict[_Path, Comparisons]:
        """Attributes that are only ever compared with literals."""
        if () in self._other_uses:
            return {}
        whole_attributes = {path[0] for path in self._other_uses if len(path) == 1}
        return {
            path: use
            for path, use in self._uses.items()
            if path not in self._other_uses and path[0] not in whole_attributes
        }

    def _visit(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self._visit(item)
        elif isinstance(node, dict):
            path = _attribute_path(node)
            if path is not None:
                self._other_uses.add(path)
                return
            for name, body in node.items():
                if not self._note_comparison(name, body):
                    self._visit_operands(name, body)

    def _visit_operands(self, name: str, body: Any) -> None:
        if name == "Record":
            self._visit(list(body.values()))  # its keys are attribute names, not operators
        elif name == "has":
            # The key already shows whether an attribute is present: absent attributes are left out of it.
            if _attribute_path(body["left"]) not in ((), ("args",)):
                self._visit(body["left"])
        elif name not in ("Value", "Var"):
            self._visit(body)

    def _note_comparison(self, name: str, body: Any) -> bool:
        """Note a comparison of an attribute with a literal."""
        if name in _ORDER_OPERATORS:
            return self._note_order(body["left"], body["right"]) or self._note_order(body["right"], body["left"])
        if name == "like":
            return self._note_like(body)
        if name == "contains":
            return self._note_contains(body)
        return name in _DECIMAL_OPERATORS and self._note_decimal(name, body)

    def _note_order(self, operand: Any, right: Any) -> bool:
        path, literal = _attribute_path(operand), right.get("Value")
        if not path or not isinstance(literal, str | int):
            return False
        if isinstance(literal, str):
            self._comparisons_of(path).texts.add(literal)
        elif not isinstance(literal, bool):
            self._comparisons_of(path).longs.add(literal)
        else:
            self._comparisons_of(path)
        return True

    def _note_like(self, body: Any) -> bool:
        path = _attribute_path(body["left"])
        pattern = _merge_pattern(body["pattern"])
        if not path or not pattern:
            return False
        self._comparisons_of(path).patterns.append(pattern)
        return True

    def _note_contains(self, body: Any) -> bool:
        path, items = _attribute_path(body["right"]), body["left"].get("Set")
        if not path or items is None or not all(type(item.get("Value")) is str for item in items):
            return False
        self._comparisons_of(path).texts.update(item["Value"] for item in items)
        return True

    def _note_decimal(self, name: str, body: Any) -> bool:
        if not isinstance(body, list) or len(body) != 2:
            return False
        path, literal = _attribute_path(body[0]), body[1].get("decimal")
        if not path or not isinstance(literal, list) or len(literal) != 1:
            return False
        numeral = literal[0].get("Value")
        if not isinstance(numeral, str) or not _DECIMAL_NUMERAL.fullmatch(numeral):
            return False  # Cedar says what is wrong with it
        self._comparisons_of(path).decimals.append((name, Decimal(numeral)))
        return True

    def _comparisons_of(self, path: _Path) -> Comparisons:
        return self._uses.setdefault(path, Comparisons())


def _attribute_path(node: Any) -> _Path | None:
    """The path of a node such as `context`, `context.a` or `context.args.a`; None for any other."""
    if node == {"Var": "context"}:
        return ()
    access = node.get(".") if isinstance(node, dict) and len(node) == 1 else None
    if access is None:
        return None
    parent_path = _attribute_path(access["left"])
    if parent_path is None or parent_path not in ((), ("args",)):
        return None
    return (*parent_path, access["attr"])


def _merge_pattern(parts: Any) -> tuple[str | None, ...]:
    """Merged literals, and None for each run of wildcards; empty if the pattern is not understood."""
    merged: list[str | None] = []
    for part in parts:
        literal = part.get("Literal") if isinstance(part, dict) else None
        if part == "Wildcard":
            if not merged or merged[-1] is not None:
                merged.append(None)
        elif isinstance(literal, str):
            if merged and merged[-1] is not None:
                merged[-1] += literal
            else:
                merged.append(literal)
        else:
            return ()
    return tuple(merged)
