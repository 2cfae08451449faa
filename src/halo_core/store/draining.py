"""Ends a process without losing what it still has to record: `Store.drain`, and the list of open stores.

An open store is closed at the end of its process, and is at rest while the process forks.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Collection, Sequence
from typing import Any, Final, Protocol, TypeVar, cast

from halo_core.errors import HaloError
from halo_core.quick_dataclass import dataclass
from halo_core.store.committer import Job, Outcome
from halo_core.store.transaction import Transaction

_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a decision could be made durable now; usable as a condition.

    Args:
        code: why not, empty if it could.
        message: likewise, for people.
    """

    code: str = ""
    message: str = ""

    def __bool__(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class Drained:
    """What remained when a store was drained.

    Args:
        running: actions that ran past the deadline; their outcome is recorded as unknown.
        unread: results whose text was not read yet.
        uncommitted: outcomes that could not be made durable; whoever opens the store next records them as unknown.
        problem: why they could not, empty if all could.
    """

    running: int = 0
    unread: int = 0
    uncommitted: int = 0
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was left undone, and nothing went wrong."""
        return not (self.running or self.unread or self.uncommitted or self.problem)


class OpenStore(Protocol):
    """The methods of a store (`halo_core.store.store.Store`) used when its process forks or ends."""

    def commit_group(self, jobs: Sequence[Job], sessions: Collection[str] | None = None) -> list[Outcome]:
        """Run jobs in one transaction, after what was deferred."""
        ...

    def count_deferred(self) -> tuple[int, int]:
        """How many deferred jobs wait for a text to be read, and how many wait at all."""
        ...

    def hold_for_fork(self) -> list[threading.Lock]:
        """Keep other threads out of the database; the locks to release after the fork."""
        ...

    def close(self) -> None:
        """Record what waits, and close."""
        ...


S = TypeVar("S", bound=OpenStore)


def wait_for_outcomes(store: OpenStore, deadline_s: float) -> Drained:
    """Wait until no action runs and every outcome is durable.

    Args:
        store: takes no new work any more.
        deadline_s: how long to wait, seconds; a transaction that has begun may take longer.

    Returns:
        What was left at the end.
    """
    end = time.monotonic() + deadline_s
    while True:
        unfinished = _count_unfinished(store)
        if unfinished.is_clean or time.monotonic() >= end:
            return unfinished
        time.sleep(_POLL_S)


def _count_unfinished(store: OpenStore) -> Drained:
    def count_running(tx: Transaction) -> int:
        return len(tx.list_unsettled(tx.writer.id))

    running, problem = 0, ""
    try:
        outcome = store.commit_group([count_running])[0]  # after what was deferred, in one transaction
        running, problem = outcome.result or 0, _describe(outcome.error)
    except HaloError as exc:
        problem = _describe(exc)
    unread, uncommitted = store.count_deferred()
    return Drained(running, unread, uncommitted, problem)


def _describe(error: Any) -> str:
    return "" if error is None else str(error)


_STORES: weakref.WeakSet[OpenStore] = weakref.WeakSet()
_SIBLINGS: dict[tuple[str, str], weakref.WeakSet[OpenStore]] = {}
"""URL and tenant → the stores of this process over that database."""
_HELD: Final = threading.local()
"""In the thread that forks: locks to release afterwards."""


def add_store(store: S, url: str, tenant: str) -> weakref.WeakSet[S]:
    """Register an open store; returns those of its process over the same database and tenant, itself included."""
    _STORES.add(store)
    siblings = _SIBLINGS.setdefault((url, tenant), weakref.WeakSet())
    siblings.add(store)
    return cast("weakref.WeakSet[S]", siblings)


def list_stores(stores: weakref.WeakSet[S]) -> list[S]:
    """Open stores of this process; may miss one that another thread opens meanwhile."""
    try:
        return list(stores)
    except RuntimeError:  # a store was opened meanwhile
        return list_stores(stores)


@atexit.register
def close_stores() -> None:
    """Close every store that this process still has open; runs when it exits."""
    for store in list_stores(_STORES):
        store.close()


# INVARIANT: a fork finds no transaction under way. SQLite keeps in the process which locks its connections hold: a
# child that inherited a held one could never write. It closes its copies of the connections before it opens its own.
def _hold_stores() -> None:
    _HELD.locks = [lock for store in list_stores(_STORES) for lock in store.hold_for_fork()]


def _release_stores() -> None:
    for lock in _HELD.__dict__.pop("locks", ()):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_stores, after_in_parent=_release_stores, after_in_child=_release_stores)
