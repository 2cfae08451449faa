"""Room: JSON that a model wrote. Takes: text. Gives: what it says. Never: decides."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["parsed"]

_LONGEST: Final = 400  # digits; Python reads no integer of more than 4,300, others do


def parsed(text: str) -> tuple[Any, bool]:
    """What a text says that whoever reads it may take for JSON, and whether a name stands in it twice.

    Raises:
        ValueError: it is none.
        RecursionError: it is too deep.
    """
    twice: list[bool] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.append(len(dict(found)) != len(found))
        return dict(found)

    told = json.loads(text, strict=False, parse_int=_number, object_pairs_hook=pairs)
    return told, any(twice)


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST else digits
