"""Room: contexts that no policy can tell apart. Takes: policies; then a context. Gives: a key. Never: an answer.

A rule that reads `context.steps > 300` cannot tell 17 steps from 18. Where every use of an attribute is a comparison
with a literal, its value can be replaced, in the key under which Cedar's answer is remembered, by what the comparisons
say of it. Cedar itself is always asked with the real context, and stays the only judge; equal keys mean that every
comparison there is comes out the same. What is used in any other way stays in the key as it is.
"""

from __future__ import annotations

import operator
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson

__all__ = ["Alike"]

_Path = tuple[str, ...]
_ORDER: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_DECIMAL: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}


_NUMERAL: Final = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,4}")


@dataclass(slots=True)
class _Uses:
    """What one attribute is compared with."""

    longs: set[int] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    patterns: list[tuple[str | None, ...]] = field(default_factory=list)
    decimals: list[tuple[str, Decimal]] = field(default_factory=list)


class Alike:
    """Keys of the contexts of one set of policies.

    Args:
        policies: Cedar's JSON form of each.
    """

    __slots__ = ("_args", "_top")

    def __init__(self, policies: Iterable[Mapping[str, Any]]) -> None:
        uses = _Walk(policies).found()
        self._top = {path[0]: _judge(use) for path, use in uses.items() if len(path) == 1}
        self._args = {path[1]: _judge(use) for path, use in uses.items() if len(path) > 1}

    def key(self, context: Mapping[str, Any]) -> bytes:
        """Equal for contexts (Cedar JSON) that these policies cannot tell apart."""
        told = {name: _told(self._top, name, value) for name, value in context.items()}
        args = context.get("args")
        if args and self._args:
            told["args"] = {name: _told(self._args, name, value) for name, value in args.items()}
        return orjson.dumps(told)


_Judge = Callable[[Any], Any]


def _told(judges: Mapping[str, _Judge], name: str, value: Any) -> Any:
    judge = judges.get(name)
    return value if judge is None else judge(value)


def _judge(use: _Uses) -> _Judge:
    longs, texts = sorted(use.longs), frozenset(use.texts)

    def judge(value: Any) -> Any:
        # INVARIANT: a value is replaced by its type and the outcome of every comparison with a literal of that type;
        # with one of another type, equality is false and order an error, whatever the value.
        if type(value) is int:
            place = bisect_left(longs, value)
            return ["long", place, place < len(longs) and longs[place] == value]
        if type(value) is str:
            same = value if value in texts else ""
            return ["text", value in texts, same, *(_like(value, pattern) for pattern in use.patterns)]
        if type(value) is dict and value.keys() == {"__extn"} and value["__extn"]["fn"] == "decimal":
            number = Decimal(value["__extn"]["arg"])
            return ["decimal", *(_DECIMAL[name](number, literal) for name, literal in use.decimals)]
        return ["as it is", value]

    return judge


def _like(text: str, pattern: tuple[str | None, ...]) -> bool:
    """Whether a text matches Cedar's `like`: literals in order, None for any characters; linear in the text."""
    first, *rest = pattern
    if first is not None:
        if not text.startswith(first):
            return False
        text = text[len(first) :]
    if not rest:
        return first is None or not text
    free = first is None
    for i, part in enumerate(rest):
        if part is None:
            free = True
        elif i == len(rest) - 1:
            return text.endswith(part) if free else text == part
        else:
            # After a wildcard the earliest place leaves the most behind it.
            at = text.find(part)
            if at < 0:
                return False
            text, free = text[at + len(part) :], False
    return True


class _Walk:
    """One walk over the conditions of policies."""

    def __init__(self, policies: Iterable[Mapping[str, Any]]) -> None:
        self._uses: dict[_Path, _Uses] = {}
        self._otherwise: set[_Path] = set()
        for policy in policies:
            for clause in policy.get("conditions", ()):
                self._node(clause["body"])

    def found(self) -> dict[_Path, _Uses]:
        """Attributes that are only ever compared with literals."""
        if () in self._otherwise:
            return {}
        whole = {path[0] for path in self._otherwise if len(path) == 1}
        return {path: use for path, use in self._uses.items() if path not in self._otherwise and path[0] not in whole}

    def _node(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self._node(item)
        elif isinstance(node, dict):
            path = _path(node)
            if path is not None:
                self._otherwise.add(path)
                return
            for name, body in node.items():
                if not self._comparison(name, body):
                    self._inside(name, body)

    def _inside(self, name: str, body: Any) -> None:
        if name == "Record":
            self._node(list(body.values()))  # its keys are attribute names, not operators
        elif name == "has":
            # Whether it is there is in the key: an attribute that is not there has no place in it.
            if _path(body["left"]) not in ((), ("args",)):
                self._node(body["left"])
        elif name not in ("Value", "Var"):
            self._node(body)

    def _comparison(self, name: str, body: Any) -> bool:
        """Note a comparison of an attribute with a literal."""
        if name in _ORDER:
            return self._order(body["left"], body["right"]) or self._order(body["right"], body["left"])
        if name == "like":
            return self._matched(body)
        if name == "contains":
            return self._listed(body)
        return name in _DECIMAL and self._decimal(name, body)

    def _order(self, left: Any, right: Any) -> bool:
        path, literal = _path(left), right.get("Value")
        if not path or not isinstance(literal, str | int):
            return False
        if isinstance(literal, str):
            self._of(path).texts.add(literal)
        elif not isinstance(literal, bool):
            self._of(path).longs.add(literal)
        else:
            self._of(path)
        return True

    def _matched(self, body: Any) -> bool:
        path = _path(body["left"])
        pattern = _pattern(body["pattern"])
        if not path or not pattern:
            return False
        self._of(path).patterns.append(pattern)
        return True

    def _listed(self, body: Any) -> bool:
        path, items = _path(body["right"]), body["left"].get("Set")
        if not path or items is None or not all(type(item.get("Value")) is str for item in items):
            return False
        self._of(path).texts.update(item["Value"] for item in items)
        return True

    def _decimal(self, name: str, body: Any) -> bool:
        if not isinstance(body, list) or len(body) != 2:
            return False
        path, literal = _path(body[0]), body[1].get("decimal")
        if not path or not isinstance(literal, list) or len(literal) != 1:
            return False
        numeral = literal[0].get("Value")
        if not isinstance(numeral, str) or not _NUMERAL.fullmatch(numeral):
            return False  # Cedar says what is wrong with it
        self._of(path).decimals.append((name, Decimal(numeral)))
        return True

    def _of(self, path: _Path) -> _Uses:
        return self._uses.setdefault(path, _Uses())


def _path(node: Any) -> _Path | None:
    """`context`, `context.a` or `context.args.a` as names; None of anything else."""
    if node == {"Var": "context"}:
        return ()
    access = node.get(".") if isinstance(node, dict) and len(node) == 1 else None
    if access is None:
        return None
    above = _path(access["left"])
    if above is None or above not in ((), ("args",)):
        return None
    return (*above, access["attr"])


def _pattern(parts: Any) -> tuple[str | None, ...]:
    """Literals in one piece, None for each run of wildcards; empty where it is not understood."""
    found: list[str | None] = []
    for part in parts:
        literal = part.get("Literal") if isinstance(part, dict) else None
        if part == "Wildcard":
            if not found or found[-1] is not None:
                found.append(None)
        elif isinstance(literal, str):
            if found and found[-1] is not None:
                found[-1] += literal
            else:
                found.append(literal)
        else:
            return ()
    return tuple(found)
