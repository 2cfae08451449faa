"""Room: manifest, names with wildcards. Takes: patterns and names. Gives: what matches, the closest first. Never: I/O.

`*` stands for any run of characters, `?` for one; no resource id can hold either, so a pattern is never taken for a
name. A passport names exact ids: patterns are expanded when it is issued, and what is registered later is not in it.

Room: manifest, what tools, retrievers and models are. Takes: items. Gives: declarations by name or pattern.

Never: I/O. A declaration says of a resource what `guard(x, resource=Resource(...))` would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.manifest.nodes import Item, printable
from halo_core.manifest.scalars import read_boolean, read_integer, read_texts, read_word
from halo_core.model import ActionKind, Impact, Resource, Reversal

_SHAPE: Final = re.compile(r"[A-Za-z0-9_.:/@ *?-]{1,128}")


def is_pattern(text: str) -> bool:
    """Whether it has a wildcard."""
    return "*" in text or "?" in text


def is_well_formed(text: str) -> bool:
    """Whether it could match a resource id."""
    return _SHAPE.fullmatch(text) is not None and text == text.strip(" ")


def matches(pattern: str, name: str) -> bool:
    """Whether the whole of `name` matches; quadratic in the worst case, never more."""
    index = pattern_index = 0
    star = back = -1
    while index < len(name):
        if pattern_index < len(pattern) and pattern[pattern_index] == "*":
            star, back = pattern_index, index
            pattern_index += 1
        elif pattern_index < len(pattern) and pattern[pattern_index] in ("?", name[index]):
            index, pattern_index = index + 1, pattern_index + 1
        elif star >= 0:
            back += 1
            index, pattern_index = back, star + 1
        else:
            return False
    return not pattern[pattern_index:].strip("*")


def best_matches(patterns: Iterable[str], name: str) -> list[str]:
    """The patterns that speak of `name` most exactly: itself, else those with the most literal characters.

    More than one means that nobody can tell which was meant.
    """
    matching = [pattern for pattern in patterns if matches(pattern, name)]
    if name in matching:
        return [name]
    most = max(map(_count_literals, matching), default=0)
    return sorted(pattern for pattern in matching if _count_literals(pattern) == most)


def _count_literals(pattern: str) -> int:
    return sum(character not in "*?" for character in pattern)


SECTIONS: Final = {
    "tools": ActionKind.TOOL_CALL,
    "retrievers": ActionKind.RETRIEVAL,
    "models": ActionKind.INFERENCE,
}
"""Section of a manifest, and of an agent in it, by action kind."""

_MAX_TRUST: Final = 1000
_READ_ONLY: Final = frozenset({ActionKind.RETRIEVAL, ActionKind.INFERENCE})


class Declarations(dict[str, Resource]):
    """Declarations of one action kind by name or pattern."""


def _read_costs(item: Item) -> tuple[tuple[str, str], ...]:
    costs = []
    for unit, member in item.members():
        if member.kind() == "float":
            member.fail("a YAML number with a fraction is not exact", f'quote it: `"{printable(member.node.value)}"`')
            continue
        value = member.scalar()
        if isinstance(value, bool):
            member.fail("a cost must be a number", 'for example `"0.02"`')
        elif value is not None:
            costs.append((unit, str(value)))
    return tuple(sorted(costs))


_RESOURCE_FIELDS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "amount": lambda item: item.text(most=128),
    "costs": _read_costs,
    "idempotent": read_boolean,
    "impact": lambda item: read_word(item, [impact.value for impact in Impact]),
    "labels": lambda item: read_texts(item, labels=True),
    "reversal": lambda item: read_word(item, [reversal.value for reversal in Reversal]),
    "source_trust": lambda item: read_integer(item, 0, _MAX_TRUST),
    "system": lambda item: item.text(most=128),
    "targets": read_texts,
    "unit": lambda item: item.text(most=32),
}


def read_declarations(item: Item, kind: ActionKind) -> Declarations:
    """The section of one kind."""
    declarations = Declarations()
    for pattern, member in item.members():
        if not is_well_formed(pattern):
            member.fail(
                f"`{printable(pattern)}` is not a valid name or pattern", "use `A-Z a-z 0-9 _ . : / @ -`, `*` and `?`"
            )
            continue
        resource = _read_resource(member, kind)
        if resource is not None:
            declarations[pattern] = resource
    return declarations


def _read_resource(item: Item, kind: ActionKind) -> Resource | None:
    if item.kind() == "null":
        return _make_resource({}, item, kind)
    members = item.mapping(_RESOURCE_FIELDS)
    values = {name: _RESOURCE_FIELDS[name](member) for name, member in members.items()}
    if None in values.values() or len(members) != (len(item.node.value) if item.is_mapping() else -1):
        return None
    return _make_resource(values, item, kind)


def _make_resource(values: dict[str, Any], item: Item, kind: ActionKind) -> Resource | None:
    if kind in _READ_ONLY:
        values.setdefault("impact", Impact.READ.value)
    if values.get("impact") == Impact.READ.value:
        values.setdefault("reversal", Reversal.NONE_NEEDED.value)
    try:
        return Resource(kind=kind, **values)
    except BadInput as exc:
        members = item.mapping() if item.is_mapping() else {}
        members.get(exc.field, item).fail(exc.message, exc.remedy)
        return None
