"""Room: manifest, what tools, retrievers and models are. Takes: items. Gives: declarations by name or pattern.

Never: I/O. A declaration says of a resource what `guard(x, resource=Resource(...))` would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.manifest.findings import shown
from halo_core.manifest.patterns import is_well_formed
from halo_core.manifest.scalars import boolean, integer, texts, word
from halo_core.manifest.tree import Item
from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["SECTIONS", "Declared", "read_declarations"]

SECTIONS: Final = {
    "tools": ActionKind.TOOL_CALL,
    "retrievers": ActionKind.RETRIEVAL,
    "models": ActionKind.INFERENCE,
}
"""Section of a manifest, and of an agent in it, by action kind."""

_MAX_TRUST: Final = 1000
_READ_ONLY: Final = frozenset({ActionKind.RETRIEVAL, ActionKind.INFERENCE})


class Declared(dict[str, Resource]):
    """Declarations of one action kind by name or pattern."""


def _costs(item: Item) -> tuple[tuple[str, str], ...]:
    found = []
    for unit, member in item.members():
        if member.kind() == "float":
            member.fail("a YAML number with a fraction is not exact", f'quote it: `"{shown(member.node.value)}"`')
            continue
        value = member.scalar()
        if isinstance(value, bool):
            member.fail("a cost is a number", 'for example `"0.02"`')
        elif value is not None:
            found.append((unit, str(value)))
    return tuple(sorted(found))


_FIELDS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "amount": lambda item: item.text(most=128),
    "costs": _costs,
    "idempotent": boolean,
    "impact": lambda item: word(item, [impact.value for impact in Impact]),
    "labels": lambda item: texts(item, labels=True),
    "reversal": lambda item: word(item, [reversal.value for reversal in Reversal]),
    "source_trust": lambda item: integer(item, 0, _MAX_TRUST),
    "system": lambda item: item.text(most=128),
    "targets": texts,
    "unit": lambda item: item.text(most=32),
}


def read_declarations(item: Item, kind: ActionKind) -> Declared:
    """The section of one kind."""
    found = Declared()
    for pattern, member in item.members():
        if not is_well_formed(pattern):
            member.fail(
                f"`{shown(pattern)}` is neither a name nor a pattern", "use `A-Z a-z 0-9 _ . : / @ -`, `*` and `?`"
            )
            continue
        resource = _resource(member, kind)
        if resource is not None:
            found[pattern] = resource
    return found


def _resource(item: Item, kind: ActionKind) -> Resource | None:
    if item.kind() == "null":
        return _made({}, item, kind)
    members = item.mapping(_FIELDS)
    values = {name: _FIELDS[name](member) for name, member in members.items()}
    if None in values.values() or len(members) != (len(item.node.value) if item.is_mapping() else -1):
        return None
    return _made(values, item, kind)


def _made(values: dict[str, Any], item: Item, kind: ActionKind) -> Resource | None:
    if kind in _READ_ONLY:
        values.setdefault("impact", Impact.READ.value)
    if values.get("impact") == Impact.READ.value:
        values.setdefault("reversal", Reversal.NONE_NEEDED.value)
    try:
        return Resource(kind=kind, **values)
    except BadInput as exc:
        named = item.mapping() if item.is_mapping() else {}
        named.get(exc.field, item).fail(exc.message, exc.remedy)
        return None
