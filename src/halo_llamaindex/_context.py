"""Room: what of a run its steps and bodies know of it. Takes: what a guarded workflow says. Gives: context variables.

Each step of a workflow runs in a copy of the context that the run was started in, so what one step sets no other sees:
what all of them need is set where the run starts, what outlives the process is in the workflow's own store. Never: I/O.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final

from halo_core.model import Provenance
from halo_core.pep.gate import subclass
from halo_core.session import asking, current_asking

__all__ = [
    "Once",
    "Run",
    "body",
    "current_run",
    "in_body",
    "is_within",
    "kind_with",
    "speaking",
    "spoken",
    "started",
    "waiting_place",
    "waits_in",
    "within",
]

Told = tuple[tuple[str, Provenance], ...]


@dataclass(slots=True, eq=False)
class Once:
    """One piece of a step's work.

    A run that goes on after a pause can be told to look again twice: by being begun anew, and by an event. What waited
    and has come to its end must not give its result a second time; the framework runs others again for its own reasons.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waited: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a guarded workflow.

    Args:
        kept: whether the host holds its `Context`, and so can see that it waits, keep it and resume it.
        words: what the host passed as its user's words.
        task: what it is asked to do, whoever asks.
        once: of each piece of a step's work that may be run again, a lock, and whether it came to its end.
        own: id of its session where the workflow's store has no place for one.
        writing: held by the step that changes what the store keeps for Halo. (The store's own `edit_state` copies all
            that is in it, the host's memory too, which is then no longer the host's.)
    """

    kept: bool
    words: tuple[str, ...] = ()
    task: str = ""
    once: dict[tuple[str, str], Once] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


_RUN: Final[ContextVar[Run | None]] = ContextVar("halo_llamaindex_run", default=None)
_PLACE: Final[ContextVar[Any]] = ContextVar("halo_llamaindex_place", default=None)
_SPOKEN: Final[ContextVar[tuple[Told, frozenset[str]]]] = ContextVar(
    "halo_llamaindex_spoken", default=((), frozenset())
)
_BODY: Final[ContextVar[bool]] = ContextVar("halo_llamaindex_body", default=False)


@contextmanager
def started(run: Run) -> Iterator[None]:
    """Start a run; its steps copy this context."""
    token = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(token)


def current_run() -> Run:
    """The guarded run at hand; one that nobody can resume outside of any."""
    return _RUN.get() or Run(kept=False)


@contextmanager
def waits_in(step: Any) -> Iterator[None]:
    """Run one step of a guarded workflow: what is asked in it can wait there; None where nothing can be resumed."""
    token = _PLACE.set(step)
    try:
        yield
    finally:
        _PLACE.reset(token)


def waiting_place() -> Any:
    """The step that can wait, None where there is none."""
    return _PLACE.get()


@contextmanager
def speaking(told: Told, earlier: frozenset[str]) -> Iterator[None]:
    """Run a step in which a model is shown these words; `earlier`: marks of results that predate the session."""
    token = _SPOKEN.set((told, earlier))
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken() -> tuple[Told, frozenset[str]]:
    """Words of the conversation at hand whose origin is known; none inside a tool's body, which wrote its own."""
    return ((), frozenset()) if _BODY.get() else _SPOKEN.get()


@contextmanager
def body() -> Iterator[None]:
    """Run the body of something decided: what it calls by itself is asked for by the same message, in no known call."""
    token, asked = _BODY.set(True), current_asking()
    try:
        with asking(replace(asked, call_id="")) if asked is not None and asked.call_id else nullcontext():
            yield
    finally:
        _BODY.reset(token)


def in_body() -> bool:
    """Whether a decided body is at work here, and so what is said is neither the user's nor the system's."""
    return _BODY.get()


_WITHIN: Final = "_halo_within"


def within(part: Any) -> None:
    """Mark a copy that a guarded thing holds, and whose doings are decided with that."""
    part.__dict__[_WITHIN] = True


def is_within(part: Any) -> bool:
    """Whether something is part of what is decided."""
    return _WITHIN in getattr(part, "__dict__", {})


def kind_with(kind: type[Any], members: dict[str, Any]) -> type[Any]:
    """As `subclass`, with members that LlamaIndex opens no span around: those that they stand before have one."""
    made = subclass(kind, {})
    for name, member in members.items():
        setattr(made, name, member)
    return made
