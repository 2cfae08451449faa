"""Room: ids of calls that a step or a tool's body makes by itself. Takes: whose piece of work it is. Gives: call ids.

A step that waited is run again from its beginning, and a tool's body with it: what it called before must be known as
the same call, or it would run a second time. The id says which piece of work called it, and how many calls like it that
has made before. Never: decides, gives an id where nothing can wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.session import current_asking
from halo_llamaindex._context import waiting_place

__all__ = ["nested", "nested_id"]


@dataclass(slots=True, eq=False)
class _Nest:
    prefix: str
    made: Counter[str] = field(default_factory=Counter)


_NEST: Final[ContextVar[_Nest | None]] = ContextVar("halo_llamaindex_nest", default=None)


@contextmanager
def nested(prefix: str) -> Iterator[None]:
    """Run a piece of work; an empty name has none that would be the same in another run of it."""
    token = _NEST.set(_Nest(prefix) if prefix else None)
    try:
        yield
    finally:
        _NEST.reset(token)


def nested_id(resource: str, args: Mapping[str, Any]) -> str:
    """Id of a call that the piece of work at hand makes; empty where whoever asked has named it, or nothing waits."""
    nest, asked = _NEST.get(), current_asking()
    if nest is None or waiting_place() is None or (asked is not None and asked.call_id):
        return ""
    # Calls side by side may come in another order the next time: only those that are alike are counted.
    alike = f"{resource} {sorted(args.items(), key=repr)!r}"
    nest.made[alike] += 1
    return f"{nest.prefix}/{nest.made[alike]}"
