"""Room: entry points that an object has for itself. Takes: objects. Gives: a refusal. Never: runs anything.

What an object holds for itself is found before whatever its class has, a guarded class's too: it would be an open way
in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from halo_core.errors import ConfigError
from halo_core.pep.gate import is_made

__all__ = ["made_anew", "refuse_made", "refuse_own"]


def made_anew(kind: type[Any], name: str, framework: str) -> bool:
    """Whether a class has an entry point that somebody else than the framework made."""
    maker = next((base for base in kind.__mro__ if name in base.__dict__ and not is_made(base)), None)
    return maker is not None and not maker.__module__.startswith(framework)


def refuse_made(kind: type[Any], names: Iterable[str], framework: str) -> None:
    """Refuse a class that has made one of these anew: it need not come to a step that is decided.

    Raises:
        ConfigError: it has.
    """
    found = next((name for name in names if made_anew(kind, name, framework)), "")
    if found:
        raise ConfigError(
            "own_entry_point",
            f"`{kind.__name__}` has a `{found}` of its own, which Halo cannot decide",
            field="x",
            remedy="leave it to the base class, which comes down to `chat` and `complete`",
        )


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
