"""Room: manifest, names with wildcards. Takes: patterns and names. Gives: what matches, the closest first. Never: I/O.

`*` stands for any run of characters, `?` for one; no resource id can hold either, so a pattern is never taken for a
name. A passport names exact ids: patterns are expanded when it is issued, and what is registered later is not in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["best", "is_pattern", "is_well_formed", "matches"]

_SHAPE: Final = re.compile(r"[A-Za-z0-9_.:/@ *?-]{1,128}")


def is_pattern(text: str) -> bool:
    """Whether it has a wildcard."""
    return "*" in text or "?" in text


def is_well_formed(text: str) -> bool:
    """Whether it could match a resource id."""
    return _SHAPE.fullmatch(text) is not None and text == text.strip(" ")


def matches(pattern: str, name: str) -> bool:
    """Whether the whole of `name` matches; quadratic in the worst case, never more."""
    at = here = 0
    star = back = -1
    while at < len(name):
        if here < len(pattern) and pattern[here] == "*":
            star, back = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", name[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            back += 1
            at, here = back, star + 1
        else:
            return False
    return not pattern[here:].strip("*")


def best(patterns: Iterable[str], name: str) -> list[str]:
    """The patterns that speak of `name` most exactly: itself, else those with the most literal characters.

    More than one means that nobody can tell which was meant.
    """
    found = [pattern for pattern in patterns if matches(pattern, name)]
    if name in found:
        return [name]
    most = max(map(_literal, found), default=0)
    return sorted(pattern for pattern in found if _literal(pattern) == most)


def _literal(pattern: str) -> int:
    return sum(character not in "*?" for character in pattern)
