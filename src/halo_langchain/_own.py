"""Room: entry points that a class has made anew. Takes: classes, objects. Gives: which these are, or a refusal.

A guard stands at the last step before an action. A class that makes an entry point of the framework's anew need not
come to that step: it is decided where it is entered, and where that cannot be done it is not guarded at all. Never:
runs anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from halo_core.errors import ConfigError
from halo_core.pep.gate import is_made

__all__ = ["UNDECIDED", "own", "refuse_own"]

_FRAMEWORK: Final = "langchain_core."

UNDECIDED: Final = (
    "transform",
    "atransform",
    "batch_as_completed",
    "abatch_as_completed",
    "stream_events",
    "astream_events",
    "astream_log",
)
"""Entry points of any runnable that nobody can decide where a class has made them anew."""


def own(kind: type[Any], name: str) -> bool:
    """Whether a class has made an entry point anew; LangChain's own classes are known to come to the last step."""
    makers = (base for base in kind.__mro__ if name in base.__dict__ and not is_made(base))
    maker = next(makers, None)
    return maker is not None and not maker.__module__.startswith(_FRAMEWORK)


def refuse_own(thing: Any, decided: Iterable[str], undecided: Iterable[str], remedy: str) -> None:
    """Refuse an object that can be entered where nothing decides.

    Args:
        thing: what is to be guarded.
        decided: entry points that a guarded class decides, whoever made them.
        undecided: those that it cannot.
        remedy: what to do instead.

    Raises:
        ConfigError: its class has made one of `undecided` anew, or the object one of either for itself.
    """
    undecided = (*undecided, *UNDECIDED)
    found = next((name for name in undecided if own(type(thing), name)), "")
    # What an object holds for itself is found before whatever its class has.
    found = found or next((name for name in (*decided, *undecided) if name in thing.__dict__), "")
    if found:
        raise ConfigError(
            "own_entry_point",
            f"`{type(thing).__name__}` has a `{found}` of its own, which Halo cannot decide",
            field="x",
            remedy=remedy,
        )
