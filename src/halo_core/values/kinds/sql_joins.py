"""Which statements of SQL take sqlglot too long: those with many joins whose conditions are missing or come later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_MAX_OPEN_JOINS: Final = 8
"""The parser tries two readings of each join without a condition, so each doubles its time: 4 s for 18 of them."""


def has_many_open_joins(tokens: Iterable[Any]) -> bool:
    """Whether a statement has more joins without a condition than the parser can take.

    Args:
        tokens: as sqlglot gives them.
    """
    open_joins = 0
    for token in tokens:
        name = token.token_type.name
        if name in ("JOIN", "STRAIGHT_JOIN"):
            open_joins += 1
            if open_joins > _MAX_OPEN_JOINS:
                return True
        elif name in ("ON", "USING"):
            open_joins = max(open_joins - 1, 0)
        elif name == "SEMICOLON":
            open_joins = 0
    return False
