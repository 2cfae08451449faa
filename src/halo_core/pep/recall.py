"""Room: recall, what an earlier run of the very same request brought. Takes: a transaction. Gives: a text, or None.

A framework that runs a step again asks again for what it has run. It must not run twice (INVARIANT: ONCE), and what it
brought is in the ledger. That goes back to a model, so it is believed only as far as signatures bear it out. Never:
decides, runs anything.
"""

from __future__ import annotations

import sqlite3

from halo_core.model import Decision, Effect, Entry, EntryKind
from halo_core.store import Proven, Tx, outcome_of

__all__ = ["only_repeats", "recall"]


def only_repeats(decision: Decision) -> bool:
    """Whether nothing is against this request but that it ran before."""
    refused = {reason.code for reason in decision.reasons if reason.effect == Effect.DENY.value}
    return refused == {"already_dispatched"}


def recall(tx: Tx, request_id: str, decision: Decision, *, whole: int) -> str | None:
    """What the one earlier run of this request brought; None where it did not succeed or cannot be shown to be that.

    Args:
        tx: where the earlier run is recorded.
        request_id: names session, agent, turn, call, resource and arguments.
        decision: the one made now; what it would hold back must have been held back then.
        whole: how many characters of an output are kept.
    """
    try:
        return _recall(tx, request_id, decision, whole)
    except sqlite3.Error:
        raise  # the transaction itself is in trouble
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - rows that are not as they should be bring nothing back
        return None


def _recall(tx: Tx, request_id: str, decision: Decision, whole: int) -> str | None:
    place = tx.ran_once(request_id)
    ran = Proven.read(tx, *place) if place is not None else None
    if ran is None or not _is_of(ran.entry, request_id, decision):
        return None
    outcome = outcome_of(tx, ran)
    if outcome is None or not _succeeded(outcome, whole):
        return None
    if not outcome.body["output_len"]:
        return ""
    data = tx.content(outcome, "output")
    return None if data is None else data.decode()


def _is_of(entry: Entry, request_id: str, now: Decision) -> bool:
    if entry.kind is not EntryKind.DECISION or entry.body["request"]["request_id"] != request_id:
        return False
    then = entry.body["decision"]["obligations"]
    return all(item in then for item in now.to_plain()["obligations"])


def _succeeded(outcome: Entry, whole: int) -> bool:
    body = outcome.body
    return bool(
        body["status"] == "success"
        and body["detail"] != "withheld"  # it ran, and nobody was given what it brought
        and 0 <= body["output_len"] <= whole
    )
