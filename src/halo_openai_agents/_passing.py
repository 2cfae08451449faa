"""Room: a decided tool call on its way to the server that runs it. Takes: a call. Gives: a way past. Never: decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from halo_core.pep import Ticket
from halo_core.pep.plain import plain, unchanged

__all__ = ["passes", "passing"]

_TAKING: Final = threading.Lock()


@dataclass(slots=True, eq=False)
class _Passing:
    halo: object
    name: str
    args: Mapping[str, Any]
    open: bool = True


_PASSING: Final[ContextVar[_Passing | None]] = ContextVar("halo_openai_agents_passing", default=None)


@contextmanager
def passing(halo: object, name: str, ticket: Ticket) -> Iterator[None]:
    """Run the block with a decision that one call of the server's tool `name` may use; empty means none may."""
    token = _PASSING.set(held := _Passing(halo, name, ticket.args, open=bool(name)))
    try:
        yield
    finally:
        held.open = False  # tasks that were started inside hold it too
        _PASSING.reset(token)


def passes(halo: object, name: str, args: Mapping[str, Any]) -> bool:
    """Whether this call of a server is the one that was decided; no other is, afterwards."""
    held = _PASSING.get()
    if held is None or held.halo is not halo or held.name != name:
        return False
    # INVARIANT: one decision lets one call with the same arguments pass.
    with _TAKING:
        if not held.open or not unchanged(plain(dict(args)), dict(held.args)):
            return False
        held.open = False
    return True
