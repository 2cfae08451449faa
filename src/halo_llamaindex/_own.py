"""Room: entry points that an object has for itself. Takes: objects. Gives: a refusal. Never: runs anything.

What an object holds for itself is found before whatever its class has, a guarded class's too: it would be an open way
in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from halo_core.errors import ConfigError

__all__ = ["refuse_own"]


def refuse_own(thing: Any, names: Iterable[str]) -> None:
    """Refuse an object that has made one of these for itself.

    Raises:
        ConfigError: it has.
    """
    found = next((name for name in names if name in getattr(thing, "__dict__", {})), "")
    if found:
        raise ConfigError(
            "own_entry_point",
            f"this `{type(thing).__name__}` has a `{found}` of its own, which Halo cannot decide",
            field="x",
            remedy="make a class of it that overrides the method",
        )
