"""Looking up entries of a tenant's log: one by its id, and those that refer to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.errors import ConfigError
from halo_core.model import EntryKind, LedgerEntry
from halo_core.reasons import get_reason_text
from halo_core.store.reader import LoggedEntry, Reader, read_entries

_INDEX_DIGITS: Final = 7  # a longer number is no position


def find_entry(reader: Reader, tenant: str, prefix: str) -> LoggedEntry:
    """The entry at a position (digits alone), or with this id, of whose first part a beginning is enough.

    Raises:
        ConfigError: none, more than one, or (`not_placed`) one that has no position yet.
    """
    if prefix.isdecimal() and len(prefix) <= _INDEX_DIGITS:
        row = reader.note_at_index(tenant, int(prefix))
        if row is not None:
            return reader.read_note(int(prefix), row)
    hits = [reader.read_note(index, note) for index, note in reader.notes_by_id(tenant, *prefix.rpartition("-")[::2])]
    if len(hits) != 1:
        message = "no entry" if not hits else f"{len(hits)} entries"
        raise ConfigError(
            "no_such_entry",
            f"{message} with id `{prefix}`",
            field="id",
            remedy="see `halo log`; an id is a writer and a number, such as 3f2a9c-17",
        )
    require_placed(hits[0].entry, hits[0].index)
    return hits[0]


def require_placed(entry: LedgerEntry, index: int | None) -> int:
    """The position of an entry; on a server it may have none yet, which is refused.

    Raises:
        ConfigError: `not_placed`.
    """
    if index is None:
        raise ConfigError(
            "not_placed",
            f"entry `{entry.id}` is recorded, but has no position in the log yet",
            field="id",
            remedy=get_reason_text("not_placed").remedy,
        )
    return index


def read_verdict(entry: LedgerEntry) -> Mapping[str, Any] | None:
    """A person's verdict on an alert: `actor`, `alert`, `attack`, `session`, `why`; None where the entry is another."""
    body = entry.body
    texts = all(isinstance(body.get(name), str) for name in ("actor", "alert", "session", "why"))
    return body if entry.kind is EntryKind.FEEDBACK and texts and isinstance(body.get("attack"), bool) else None


def find_related(reader: Reader, decision: LoggedEntry) -> list[LoggedEntry]:
    """The entries that refer to a decision: outcome, approval request, what a person answered, overrides, reversals."""
    place = (decision.entry.writer, decision.entry.seq)
    kinds = (
        EntryKind.OUTCOME,
        EntryKind.APPROVAL_REQUEST,
        EntryKind.APPROVAL,
        EntryKind.OVERRIDE,
        EntryKind.REVERSAL,
    )
    related: list[LoggedEntry] = []
    for item in read_entries(reader, decision.entry.tenant, kinds, decision.entry.session):
        body = item.entry.body
        if item.entry.kind is EntryKind.APPROVAL:
            is_related = body.get("request") in {question.entry.id for question in related}
        else:
            is_related = _find_subject(body) == place
        if is_related:
            related.append(item)
    return related


def _find_subject(body: Mapping[str, Any]) -> tuple[Any, Any]:
    """Writer and sequence of the decision that an entry is about."""
    reference = body.get("reverses") or body.get("decision") or {}
    return reference.get("w"), reference.get("ws")
