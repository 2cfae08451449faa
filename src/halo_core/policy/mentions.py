"""Room: what a policy reads. Takes: Cedar's JSON form of one policy. Gives: the attributes it mentions. Never: I/O.

The engine encodes only what is mentioned, so an omission here would be a hole: a `forbid` that reads a missing
attribute is skipped by Cedar. Every use that is not a plain `context.a`, `context has a`, `context.args.a` or
`context.args has a` counts as a use of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ALL", "Mentions", "literals", "mentions", "merged"]

ALL: Final = "*"
"""Member of a set that stands for everything; it is one more attribute name, so no attribute can hide behind it."""

_NESTED: Final = frozenset({"args", "provenance"})


@dataclass(frozen=True, slots=True)
class Mentions:
    """Attributes read, per place: `context`, `args`, `provenance`, `resource`, `principal`."""

    context: frozenset[str] = frozenset()
    args: frozenset[str] = frozenset()
    provenance: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    principal: frozenset[str] = frozenset()

    def reads(self, name: str) -> bool:
        """Whether attribute `name` of the context is read."""
        return name in self.context or ALL in self.context


def merged(many: Iterable[Mentions]) -> Mentions:
    """Everything any of them reads."""
    items = list(many)
    return Mentions(
        context=frozenset().union(*(item.context for item in items)),
        args=frozenset().union(*(item.args for item in items)),
        provenance=frozenset().union(*(item.provenance for item in items)),
        resource=frozenset().union(*(item.resource for item in items)),
        principal=frozenset().union(*(item.principal for item in items)),
    )


def mentions(policy: dict[str, Any]) -> Mentions:
    """Attributes that the conditions of a policy read."""
    found: dict[str, set[str]] = {name: set() for name in Mentions.__slots__}
    todo: list[Any] = [clause["body"] for clause in policy.get("conditions", ())]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            for operator, body in node.items():
                if operator in {".", "has"} and _access(operator, body, found):
                    continue
                if operator == "Var":
                    _whole(body, found)
                elif operator == "Record":
                    # Its keys are attribute names, not operators: one may be called `Value` or `Var`.
                    todo.extend(body.values())
                elif operator != "Value":
                    todo.append(body)
    return Mentions(**{name: frozenset(names) for name, names in found.items()})


def _access(operator: str, body: dict[str, Any], found: dict[str, set[str]]) -> bool:
    """Note a plain attribute access; False when its left side must be walked."""
    left, attr = body["left"], body["attr"]
    variable = left.get("Var")
    if variable in found:
        found[variable].add(attr)
        if variable == "context" and operator == "." and attr in _NESTED:
            # `context.args` with nothing after it: compared, passed or searched as a whole.
            found[attr].add(ALL)
        return True
    inner = left.get(".")
    if inner is not None and inner["left"].get("Var") == "context" and inner["attr"] in _NESTED:
        found["context"].add(inner["attr"])
        found[inner["attr"]].add(attr)
        return True
    return False


def _whole(variable: str, found: dict[str, set[str]]) -> None:
    if variable == "context":
        for place in ("context", *_NESTED):
            found[place].add(ALL)


def literals(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Every entity that the policy names, as (type, id), in its scope or its conditions."""
    found: list[tuple[str, str]] = []
    todo: list[Any] = [part for name, part in policy.items() if name != "annotations"]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            named = node.get("__entity", node)
            if set(named) == {"type", "id"} and all(isinstance(part, str) for part in named.values()):
                found.append((named["type"], named["id"]))
            else:
                todo.extend(node.values())
    return sorted(found)
