"""Room: the batch, one durable transaction over one or several jobs. Takes: jobs. Gives: their results.

Never: waits for anything but the database lock.

A job is a function of a `Tx`, and sees what the members before it did. One that fails leaves nothing behind: where none
fails, which is nearly always, no SAVEPOINT is needed (each costs a copy of every page its job touches); where one does,
the transaction is taken back and the jobs run again, each in a SAVEPOINT of its own. So a job has no effect but through
its `Tx`. INVARIANT: CRASH - results are handed out after COMMIT returned.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from halo_core.errors import CannotDecide, HaloError
from halo_core.failpoints import reach
from halo_core.store.database import as_cannot_decide
from halo_core.store.tx import Tx

__all__ = ["CommitFailed", "Job", "Outcome", "run_batch"]

Job = Callable[[Tx], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job: its result, or the error that took it back."""

    result: Any = None
    error: Exception | None = None


class CommitFailed(CannotDecide):
    """COMMIT itself failed: nobody knows what is durable, so the writer must not be used again."""


def run_batch(
    connection: sqlite3.Connection,
    tx: Tx,
    jobs: Sequence[Job],
    *,
    begin: Callable[[], None],
    forget: Callable[[], None],
) -> list[Outcome]:
    """Run jobs inside the open transaction and commit it.

    Args:
        connection: with the transaction open.
        tx: over it.
        jobs: in order.
        begin: opens a transaction again.
        forget: drops what is kept in memory of rows that were taken back.

    Raises:
        CommitFailed: COMMIT failed.
        CannotDecide: the transaction could not be carried on; nothing was written.
    """
    start = tx.writer.place()
    try:
        outcomes = _together(connection, tx, jobs)
        if outcomes is None:
            _undo(connection, tx, start)
            forget()
            tx.forget()
            begin()
            outcomes = [_member(tx, job, forget) for job in jobs]
    except sqlite3.Error as exc:
        _undo(connection, tx, start)
        raise as_cannot_decide(exc) from exc
    except BaseException:
        _undo(connection, tx, start)
        raise
    try:
        reach("before_commit")
        connection.execute("COMMIT")
    except sqlite3.Error as exc:
        _undo(connection, tx, start)
        raise CommitFailed("ledger_unwritable", f"commit failed: {exc}", remedy="check the disk") from exc
    except BaseException:  # interrupted: nothing may stay half done
        _undo(connection, tx, start)
        raise
    reach("after_commit")
    return outcomes


def _together(connection: sqlite3.Connection, tx: Tx, jobs: Sequence[Job]) -> list[Outcome] | None:
    """What became of the jobs, None where one failed."""
    try:
        return [Outcome(job(tx)) for job in jobs]
    except Exception as exc:
        if not connection.in_transaction:  # SQLite itself took it back: a full disk
            raise _readable(exc) from exc
        return None


def _member(tx: Tx, job: Job, forget: Callable[[], None]) -> Outcome:
    place = tx.writer.place()
    tx.savepoint()
    try:
        result = job(tx)
    except Exception as exc:  # noqa: BLE001  handed to whoever asked, after its part was taken back
        tx.take_back()
        tx.writer.restore(place)
        forget()
        return Outcome(error=_readable(exc))
    tx.release()
    return Outcome(result)


def _readable(error: Exception) -> Exception:
    if isinstance(error, HaloError):
        return error
    if isinstance(error, sqlite3.Error):
        return as_cannot_decide(error)
    refused = CannotDecide("decision_error", f"the decision failed: {type(error).__name__}", remedy="see the log")
    refused.__cause__ = error
    return refused


def _undo(connection: sqlite3.Connection, tx: Tx, place: tuple[int, str]) -> None:
    tx.writer.restore(place)
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        # The connection is beyond help; the store opens a new one with a new writer.
        tx.writer.release()
