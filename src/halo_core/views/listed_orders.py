"""The orders that an application listed for an action, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import CanonicalError

_MAX_VALUE: Final = 80  # characters


def describe_listed_orders(text: str) -> str:
    """Describe the sealed field `orders` of a decision, one order a line; the text itself if it cannot be read.

        1 of 2: pay payee Labor Wenger, amount 312.4 (carried out)
        2 of 2: pay payee Ana, amount 20 (the action differs in amount, payee)

    Args:
        text: of the field, masked unless revealed.
    """
    try:
        tree = canonical.from_plain(json.loads(text))
        orders, differences = tree["orders"], tree.get("differences", {})
        lines = [
            f"{place + 1} of {len(orders)}: {_describe_order(order)}{_describe_use(tree, differences, place, order)}"
            for place, order in enumerate(orders)
        ]
    except (CanonicalError, ValueError, AttributeError, KeyError, TypeError):
        return text
    return "\n".join(lines) if lines else "none"


def _describe_order(order: Mapping[str, Any]) -> str:
    args = order.get("args", {})
    values = [f"{name} {_shorten(value)}" for name, value in args.items()]
    return " ".join([str(order["tool"]), ", ".join(values)]).rstrip()


def _describe_use(tree: Mapping[str, Any], differences: Mapping[str, Any], place: int, order: Mapping[str, Any]) -> str:
    """What became of an order, as far as the action is concerned."""
    if tree.get("carried_out") == place:
        return " (carried out)"
    if names := differences.get(str(place)):
        return f" (the action differs in {', '.join(map(str, names))})"
    return " (taken by another action)" if "args" in order and "carried_out" not in tree else ""


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"
