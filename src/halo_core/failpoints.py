"""Named places in the store and the enforcement flow at which a crash test can interrupt the process.

Reaching one that is not armed costs a truth test. Only tests arm them, in their own process; there is no setting for
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

POINTS: Final = (
    "before_begin",  # nothing is written
    "after_append",  # the entries are inserted, not committed
    "before_commit",  # all of the transaction is done but the commit
    "after_commit",  # durable, nobody knows yet
    "before_run",  # the caller knows, the action has not run
    "after_run",  # the action ran, its outcome is not recorded
    "checkpoint_signed",  # the tree head is inserted, not committed
    "before_anchor",  # the tree head is durable, the anchor is old
    "after_anchor",  # the anchor moved
)

ALERT_ACCEPTED: Final = "alert_told"
"""A receiver said yes to an alert, the cursor is old. Reached by whoever sends alerts, never by a decision."""

ERASURE_POINTS: Final = (
    "erasure_appended",  # the entry is inserted, the keys are as before
    "keys_destroyed",  # all of the transaction is done but the commit
    "erasure_committed",  # durable, the home has the old content key
    "content_key_written",  # the new content key is in a file of its own
)
"""Reached by `halo erase` and `halo retention apply`, never by a decision."""

ARMED: Final[list[Callable[[str], None]]] = []
"""What is called with the name of every point reached; empty unless armed. A hot path looks here before it calls."""


def arm_failpoints(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every failpoint reached in this process; None disarms."""
    ARMED[:] = [hook] if hook is not None else []


def hit_failpoint(name: str) -> None:
    """Report that a failpoint was reached."""
    if ARMED:
        ARMED[0](name)
