"""Access entries: who read or exported which content, and who was refused an answer, a control act or a command.

An entry names what was read, never its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from halo_core.errors import Denied, HaloError
from halo_core.log_output import get_logger
from halo_core.model import Actor, EntryKind
from halo_core.store.drafts import Draft

if TYPE_CHECKING:
    # Commands that only read import this module; what writes takes longer to import than such a command to run.
    from halo_core.store.store import Store
    from halo_core.store.transaction import Transaction

T = TypeVar("T")
_LOG: Final = get_logger("access")
_MAX_TEXT: Final = 200


def record_access(tx: Transaction, act: str, what: Mapping[str, str | int], by: Actor | str) -> None:
    """Record that somebody read or exported something.

    Args:
        tx: the transaction.
        act: `read`, `reveal` or `export`.
        what: names of what was read, such as the id of an entry; no content.
        by: who.
    """
    named = {name: value[:_MAX_TEXT] if isinstance(value, str) else value for name, value in what.items()}
    tx.append(Draft(EntryKind.ACCESS, "", {"act": act, "what": named}, actor=Actor.of(by)))


def record_refusal(
    store: Store, act: str, refusal: HaloError, *, by: Actor | str, terms: Mapping[str, str | int] | None = None
) -> None:
    """Record that an act was refused. An error of the ledger is only logged, since the act stays refused anyway.

    Args:
        store: the store whose log gets the entry.
        act: `approve`, `deny`, a control act, or the name of a command.
        refusal: why it was refused; marked as recorded.
        by: who tried.
        terms: what was tried: names, no content.
    """

    def job(tx: Transaction) -> None:
        body = {"act": "refused", "code": refusal.code, "refused": act, "what": dict(terms or {})}
        tx.append(Draft(EntryKind.ACCESS, "", body, actor=Actor.of(by)))

    refusal.is_recorded = True
    try:
        store.commit(job)
    except HaloError as exc:
        _LOG.error("a refusal could not be recorded: %s", exc, extra={"halo_event": "refusal_not_recorded"})


@contextmanager
def recording_refusals(
    store: Store, act: str, by: Actor | str, terms: Mapping[str, str | int] | None = None
) -> Iterator[None]:
    """Record it if the block refuses the act with `Denied`, which goes on; parameters as in `record_refusal`."""
    try:
        yield
    except Denied as exc:
        # INVARIANT: AUDIT - what somebody was refused is part of the record.
        record_refusal(store, act, exc, by=by, terms=terms)
        raise


def commit_or_record_refusal(
    store: Store,
    job: Callable[[Transaction], T],
    act: str,
    by: Actor | str,
    terms: Mapping[str, str | int] | None = None,
) -> T:
    """Commit a job and return its result; where the job refuses the act, record the refusal (see `record_refusal`).

    Raises:
        Denied: as the job.
    """
    with recording_refusals(store, act, by, terms):
        return store.commit(job)
