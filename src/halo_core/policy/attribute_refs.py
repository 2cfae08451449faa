"""Finds the attributes and entities that a policy refers to: `find_attribute_refs`, `find_entity_literals`.

The engine encodes only attributes that are read, so an omission here would be a hole: Cedar skips a `forbid` that reads
a missing attribute. Every use that is not a plain `context.a`, `context has a`, `context.args.a` or `context.args has
a` counts as a use of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from halo_core.quick_dataclass import dataclass

ALL: Final = "*"
"""Member of a set that stands for everything; it is one more attribute name, so no attribute can hide behind it."""

_NESTED: Final = frozenset({"args", "provenance"})


@dataclass(frozen=True, slots=True)
class AttributeRefs:
    """The attributes read, per place: `context`, `args`, `provenance`, `resource`, `principal`."""

    context: frozenset[str] = frozenset()
    args: frozenset[str] = frozenset()
    provenance: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    principal: frozenset[str] = frozenset()

    def references(self, name: str) -> bool:
        """Whether attribute `name` of the context is read."""
        return name in self.context or ALL in self.context


def merge_refs(many: Iterable[AttributeRefs]) -> AttributeRefs:
    """The union of several references."""
    items = list(many)
    return AttributeRefs(
        *(frozenset().union(*(getattr(item, place) for item in items)) for place in AttributeRefs.__slots__)
    )


def find_attribute_refs(policy: dict[str, Any]) -> AttributeRefs:
    """Attributes that the conditions of a policy read."""
    refs: dict[str, set[str]] = {name: set() for name in AttributeRefs.__slots__}
    pending: list[Any] = [clause["body"] for clause in policy.get("conditions", ())]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            for operator, body in node.items():
                if operator in {".", "has"} and _note_access(operator, body, refs):
                    continue
                if operator == "Var":
                    _note_whole_context(body, refs)
                elif operator == "Record":
                    # Its keys are attribute names, not operators: one may be called `Value` or `Var`.
                    pending.extend(body.values())
                elif operator != "Value":
                    pending.append(body)
    return AttributeRefs(**{name: frozenset(names) for name, names in refs.items()})


def _note_access(operator: str, body: dict[str, Any], refs: dict[str, set[str]]) -> bool:
    """Note a plain attribute access; False when its left side must be walked."""
    operand, attr = body["left"], body["attr"]
    variable = operand.get("Var")
    if variable in refs:
        refs[variable].add(attr)
        if variable == "context" and operator == "." and attr in _NESTED:
            # `context.args` with nothing after it: compared, passed or searched as a whole.
            refs[attr].add(ALL)
        return True
    inner = operand.get(".")
    if inner is not None and inner["left"].get("Var") == "context" and inner["attr"] in _NESTED:
        refs["context"].add(inner["attr"])
        refs[inner["attr"]].add(attr)
        return True
    return False


def _note_whole_context(variable: str, refs: dict[str, set[str]]) -> None:
    """Note that the whole context is read, if the variable is `context`."""
    if variable == "context":
        for place in ("context", *_NESTED):
            refs[place].add(ALL)


def find_entity_literals(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Every entity that the policy names, as (type, id), in its scope or its conditions."""
    entities: list[tuple[str, str]] = []
    pending: list[Any] = [part for name, part in policy.items() if name != "annotations"]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            entity = node.get("__entity", node)
            if set(entity) == {"type", "id"} and all(isinstance(part, str) for part in entity.values()):
                entities.append((entity["type"], entity["id"]))
            else:
                pending.extend(node.values())
    return sorted(entities)
