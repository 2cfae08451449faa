"""Room: which session and which message an action belongs to. Takes: what the host or adapter says. Gives: context.

Context variables travel with the frameworks' own threads and tasks; a raw thread has none, and then there is no
session: nobody knows which request it works for. Never: I/O.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

__all__ = [
    "Acting",
    "Asking",
    "Session",
    "acting",
    "acting_as",
    "asking",
    "begin_lineage",
    "current_acting",
    "current_asking",
    "current_session",
    "in_session",
    "inside_agent",
    "is_raw_thread",
]


@dataclass(frozen=True, slots=True)
class Session:
    """One request's session.

    Args:
        id: exact id.
        source: how it was found: `host` (`halo.session`), `thread` (LangGraph's thread id), `run` (opened by the
            middleware), `process` (one per process, `Halo.local` only).
        user: whom the agent acts for, as the host asserts; empty keeps the facade's.
        request: the user's own words, if the host gave them.
    """

    id: str
    source: str
    user: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """The message that asked for an action: its id, its kind (`message`, `user`, `handoff`) and its text."""

    turn: str = ""
    call_id: str = ""
    kind: str = "host"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Acting:
    """Under which link a hand-off's receiver acts.

    Args:
        root: the facade's agent, which handed off.
        session: id of the session in which it did.
        handle: of the link.
        agents: from the first receiver down to the actor.
    """

    root: str
    session: str
    handle: str
    agents: tuple[str, ...]


_SESSION: Final[ContextVar[Session | None]] = ContextVar("halo_session", default=None)
_ASKING: Final[ContextVar[Asking | None]] = ContextVar("halo_asking", default=None)


# Set where Halo is opened, and so in every context that was copied from there.
_LINEAGE: Final[ContextVar[bool]] = ContextVar("halo_lineage", default=False)


def begin_lineage() -> None:
    """Say that this context, and what is copied from it, belongs to whoever opened Halo."""
    _LINEAGE.set(True)


def is_raw_thread() -> bool:
    """Whether this is a thread that somebody started without any context: not the main one, and of no lineage."""
    return not _LINEAGE.get() and threading.current_thread() is not threading.main_thread()


_ACTING: Final[ContextVar[Callable[[], Acting | None] | None]] = ContextVar("halo_acting", default=None)


def current_acting(root: str, session: str) -> Acting | None:
    """Under which link of this agent's session the context acts, None where it acts for itself."""
    found = _now()
    return found if found is not None and (found.root, found.session) == (root, session) else None


def inside_agent() -> str | None:
    """The session in which this context acts under a link, whoever's it is; None where everybody acts for itself."""
    found = _now()
    return found.session if found is not None else None


def _now() -> Acting | None:
    asked = _ACTING.get()
    return asked() if asked is not None else None


@contextmanager
def acting(value: Acting | None) -> Iterator[None]:
    """Run the block under a link; None is the agent's own."""
    with acting_as(lambda: value):
        yield


@contextmanager
def acting_as(now: Callable[[], Acting | None]) -> Iterator[None]:
    """Run the block under whichever link `now` says when it is asked: in a run of a framework who acts changes."""
    token = _ACTING.set(now)
    try:
        yield
    finally:
        _ACTING.reset(token)


def current_session() -> Session | None:
    """The session of this context, None outside of one."""
    return _SESSION.get()


def current_asking() -> Asking | None:
    """The message that asked, None where nobody said."""
    return _ASKING.get()


@contextmanager
def in_session(session: Session) -> Iterator[Session]:
    """Run the block inside a session."""
    token = _SESSION.set(session)
    try:
        yield session
    finally:
        _SESSION.reset(token)


@contextmanager
def asking(value: Asking) -> Iterator[Asking]:
    """Run the block on behalf of a message."""
    token = _ASKING.set(value)
    try:
        yield value
    finally:
        _ASKING.reset(token)
