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
    "ActiveDelegation",
    "Session",
    "TriggeringMessage",
    "current_delegation",
    "current_delegation_session",
    "current_session",
    "current_triggering_message",
    "delegation_scope",
    "dynamic_delegation_scope",
    "is_raw_thread",
    "mark_lineage",
    "session_scope",
    "triggering_message_scope",
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
class TriggeringMessage:
    """The message that asked for an action: its id, its kind (`message`, `user`, `handoff`) and its text."""

    turn: str = ""
    call_id: str = ""
    kind: str = "host"
    text: str = ""


@dataclass(frozen=True, slots=True)
class ActiveDelegation:
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
_TRIGGERING_MESSAGE: Final[ContextVar[TriggeringMessage | None]] = ContextVar("halo_asking", default=None)


# Set where Halo is opened, and so in every context that was copied from there.
_LINEAGE: Final[ContextVar[bool]] = ContextVar("halo_lineage", default=False)


def mark_lineage() -> None:
    """Say that this context, and what is copied from it, belongs to whoever opened Halo."""
    _LINEAGE.set(True)


def is_raw_thread() -> bool:
    """Whether this is a thread that somebody started without any context: not the main one, and of no lineage."""
    return not _LINEAGE.get() and threading.current_thread() is not threading.main_thread()


_DELEGATION: Final[ContextVar[Callable[[], ActiveDelegation | None] | None]] = ContextVar("halo_acting", default=None)


def current_delegation(root: str, session: str) -> ActiveDelegation | None:
    """Under which link of this agent's session the context acts, None where it acts for itself."""
    delegation = _get_delegation()
    return delegation if delegation is not None and (delegation.root, delegation.session) == (root, session) else None


def current_delegation_session() -> str | None:
    """The session in which this context acts under a link, whoever's it is; None where everybody acts for itself."""
    delegation = _get_delegation()
    return delegation.session if delegation is not None else None


def _get_delegation() -> ActiveDelegation | None:
    find_delegation = _DELEGATION.get()
    return find_delegation() if find_delegation is not None else None


@contextmanager
def delegation_scope(value: ActiveDelegation | None) -> Iterator[None]:
    """Run the block under a link; None is the agent's own."""
    with dynamic_delegation_scope(lambda: value):
        yield


@contextmanager
def dynamic_delegation_scope(find_delegation: Callable[[], ActiveDelegation | None]) -> Iterator[None]:
    """Run the block under whichever link `find_delegation` says when it is asked: in a run of a framework who acts changes."""
    token = _DELEGATION.set(find_delegation)
    try:
        yield
    finally:
        _DELEGATION.reset(token)


def current_session() -> Session | None:
    """The session of this context, None outside of one."""
    return _SESSION.get()


def current_triggering_message() -> TriggeringMessage | None:
    """The message that asked, None where nobody said."""
    return _TRIGGERING_MESSAGE.get()


@contextmanager
def session_scope(session: Session) -> Iterator[Session]:
    """Run the block inside a session."""
    token = _SESSION.set(session)
    try:
        yield session
    finally:
        _SESSION.reset(token)


@contextmanager
def triggering_message_scope(value: TriggeringMessage) -> Iterator[TriggeringMessage]:
    """Run the block on behalf of a message."""
    token = _TRIGGERING_MESSAGE.set(value)
    try:
        yield value
    finally:
        _TRIGGERING_MESSAGE.reset(token)
