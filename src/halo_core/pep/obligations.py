"""Room: obligations, what `restrict` makes the PEP do. Takes: arguments and obligations. Gives: narrowed arguments.

Never: widens anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from halo_core.model import Obligation

__all__ = ["clamp", "document_floor"]


def clamp(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Arguments with every clamped number at or under its limit; the same object when nothing changes."""
    changed = dict(args)
    for item in obligations:
        if item.kind != "clamp" or item.name not in changed:
            continue
        value = changed[item.name]
        # Anything else was refused (`pdp`): what is no number has no smaller one. Nothing may mean anything.
        if value is None:
            changed[item.name] = item.value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            changed[item.name] = min(value, item.value)
    return changed if changed != dict(args) else args


def document_floor(obligations: Iterable[Obligation]) -> int | None:
    """Lowest source trust (0..1000) a document may have, None where every document may pass."""
    return max((item.value for item in obligations if item.kind == "drop_documents"), default=None)
