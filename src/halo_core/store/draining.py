"""Ending a process without losing what it still has to record: `Store.drain`, and what it reports."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import HaloError

if TYPE_CHECKING:
    from halo_core.store.store import Store
    from halo_core.store.transaction import Transaction

_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a decision could be made durable now; true in a condition if so.

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
    """What was left when a store was drained.

    Args:
        running: actions that ran past the deadline; their outcome is recorded as unknown.
        unread: results whose text was not read yet.
        uncommitted: outcomes that could not be made durable; whoever opens the store next records them as unknown.
        problem: why they could not, empty where all could.
    """

    running: int = 0
    unread: int = 0
    uncommitted: int = 0
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was left."""
        return not (self.running or self.unread or self.uncommitted or self.problem)


def wait_for_outcomes(store: Store, deadline_s: float) -> Drained:
    """Wait until no action runs and every outcome is durable.

    Args:
        store: takes no new work any more.
        deadline_s: how long to wait, seconds; a transaction that has begun may take longer.

    Returns:
        What was left at the end.
    """
    end = time.monotonic() + deadline_s
    while True:
        left = _count_unfinished(store)
        if left.is_clean or time.monotonic() >= end:
            return left
        time.sleep(_POLL_S)


def _count_unfinished(store: Store) -> Drained:
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
