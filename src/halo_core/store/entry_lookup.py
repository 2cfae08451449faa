"""Looking up entries of a tenant's log: one by its id, those that refer to it, and what they say of a subject.

    newest = find_newest(tx, tx.image.standing_history, STANDING_ENTRIES, agent)

For rows that are only a cache of their entries, the signed entries of one kind are searched once for each subject, and
only newer ones after that, so a look-up costs one indexed query while nothing is newer. Who can write the database has
no writer's key: what is returned was proven by its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic

import orjson

from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered
from halo_core.model import EntryKind, LedgerEntry
from halo_core.reasons import get_reason_text
from halo_core.store.cached_rows import EntryHistory, K, Place, V
from halo_core.store.entry_parts import bound_part
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.store.row_access import RowAccess

_INDEX_DIGITS: Final = 7  # a longer number is no position


def find_entry(reader: Reader, tenant: str, prefix: str) -> LoggedEntry:
    """The entry at a position (only digits), or with this id, whose first part may be shortened.

    Raises:
        ConfigError: none, more than one, or (`not_placed`) one that has no position yet.
    """
    if prefix.isdecimal() and len(prefix) <= _INDEX_DIGITS:
        row = reader.note_at_index(tenant, int(prefix))
        if row is not None:
            return reader.read_note(int(prefix), row)
    hits = [reader.read_note(index, note) for index, note in reader.notes_by_id(tenant, *prefix.rpartition("-")[::2])]
    if len(hits) != 1:
        raise _make_entry_error(prefix, len(hits), reader.next_index(tenant))
    require_placed(hits[0].entry, hits[0].index)
    return hits[0]


def _make_entry_error(prefix: str, hits: int, end: int) -> ConfigError:
    """The error for a text that identifies no entry, or several, in a log with this many positions."""
    text, remedy = prefix[:80], "give a number of the column `#` of `halo log`, or an id such as 3f2a9c-17"
    problem = f"{hits} entries have an id that begins with `{text}`" if hits else f"no entry with id `{text}`"
    if hits:
        remedy = "give more characters"
    elif prefix.isdecimal():
        newest = f"the newest is {end - 1}" if end else "the log is empty"
        problem = f"no entry at position {text}, and none with this id; {newest}"
    return ConfigError("no_such_entry", problem, field="id", remedy=remedy)


def make_kind_error(name: str, entry: LedgerEntry, field: str) -> ConfigError:
    """The error if an entry is no decision; it names the decision that the entry is about."""
    subject = find_subject_id(entry)
    remedy = f"it is about the decision `{subject}`: use that id" if subject else "see `halo log`"
    problem = f"`{name[:64]}` is not a decision but an entry of kind {entry.kind.value}"
    return ConfigError("not_a_decision", problem, field=field, remedy=remedy)


def find_subject_id(entry: LedgerEntry) -> str:
    """The id of the decision that an entry is about; empty if it names none."""
    writer, seq = _find_subject(entry.body)
    return f"{writer}-{seq}" if isinstance(writer, str) and type(seq) is int else ""


def require_placed(entry: LedgerEntry, index: int | None) -> int:
    """The position of an entry; refuses an entry on a server that has none yet.

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
    """A person's verdict on an alert: `actor`, `alert`, `attack`, `session`, `why`; None for any other entry."""
    body = entry.body
    has_texts = all(isinstance(body.get(name), str) for name in ("actor", "alert", "session", "why"))
    return body if entry.kind is EntryKind.FEEDBACK and has_texts and isinstance(body.get("attack"), bool) else None


def find_related(reader: Reader, decision: LoggedEntry) -> list[LoggedEntry]:
    """The entries about a decision, and the question and answers that let it run, in log order.

    What refers to it: outcome, approval request, what a person answered, overrides, reversals.
    """
    place = (decision.entry.writer, decision.entry.seq)
    kinds = (EntryKind.OUTCOME, EntryKind.OVERRIDE, EntryKind.REVERSAL)
    asking = (EntryKind.APPROVAL_REQUEST, EntryKind.APPROVAL)
    related: list[LoggedEntry] = []
    for item in read_entries(reader, decision.entry.tenant, (*kinds, *asking), decision.entry.session):
        body = item.entry.body
        if item.entry.kind is EntryKind.APPROVAL:
            is_related = body.get("request") in {question.entry.id for question in related}
        else:
            is_related = _find_subject(body) == place
        if is_related:
            related.append(item)
    approval = decision.entry.body["snapshot"]["approval"]
    related += _find_question(reader, decision.entry.tenant, str(approval["id"])) if approval else ()
    return sorted(related, key=lambda item: item.index)


def _find_question(reader: Reader, tenant: str, request: str) -> list[LoggedEntry]:
    """A question to a person, with its answers; it may have been asked in another session."""
    index, note = reader.find_note(tenant, request) or (None, b"")
    if index is None:
        return []
    question = reader.read_note(index, note)
    answers = read_entries(reader, tenant, (EntryKind.APPROVAL,), question.entry.session)
    return [question, *(item for item in answers if item.entry.body.get("request") == request)]


def _find_subject(body: Mapping[str, Any]) -> tuple[Any, Any]:
    """Writer and sequence of the decision that an entry is about."""
    reference = body.get("reverses") or body.get("decision")
    return (reference.get("w"), reference.get("ws")) if isinstance(reference, Mapping) else (None, None)


_MAX_SUBJECTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class EntrySource(Generic[K, V]):
    """Entries of one kind.

    Args:
        newest: statement for (writer, sequence) of the newest one of a tenant.
        all: statement for (writer, sequence, text) of each, newest first.
        naming: likewise, of those whose text contains some bytes.
        find_member: bytes that the text of an entry about a subject contains.
        read_body: what an entry says: subject and statement, in order.
        has_part: an index holds the part of the text that begins with the member; `naming` takes its bounds
            (`entry_parts`) instead of the member.
    """

    newest: str
    all: str
    naming: str
    find_member: Callable[[K], bytes]
    read_body: Callable[[Mapping[str, Any]], Iterator[tuple[K, V]]]
    has_part: bool = False


def find_newest(
    tx: RowAccess, history: EntryHistory[K, V], source: EntrySource[K, V], subject: K
) -> tuple[Place, V] | None:
    """Place and statement of the newest entry about a subject, proven; None if there is none.

    INVARIANT: AUDIT - what this process has read of a subject is not undone by an entry that is taken away or moved.

    Raises:
        CannotDecide: `ledger_unwritable`, that entry cannot be proven.
    """
    _take_newer(tx, history, source)
    steps = history.steps.get(subject)
    if steps is None:
        if len(history.steps) >= _MAX_SUBJECTS:
            history.clear()
            _take_newer(tx, history, source)
        steps = history.steps[subject] = _read_all(tx, source, subject)
    if not steps:
        return None
    place = steps[-1][0]
    if place not in history.proven:
        steps[-1] = place, _prove(tx, source, subject, place)
        history.proven.add(place)
    return steps[-1]


def list_statements(
    tx: RowAccess, history: EntryHistory[K, V], source: EntrySource[K, V], subject: K
) -> list[tuple[Place, V]]:
    """Place and statement of each entry about a subject, oldest first; not proven (`prove_statement`)."""
    _take_newer(tx, history, source)
    if subject not in history.steps:
        history.steps[subject] = _read_all(tx, source, subject)
    return history.steps[subject]


def prove_statement(
    tx: RowAccess, history: EntryHistory[K, V], source: EntrySource[K, V], subject: K, step: tuple[Place, V]
) -> V:
    """The statement of an entry, once its signature was verified.

    Raises:
        CannotDecide: `ledger_unwritable`, it cannot be proven.
    """
    place, statement = step
    if place in history.proven:
        return statement
    proven = _prove(tx, source, subject, place)
    history.steps[subject] = [(place, proven) if item[0] == place else item for item in history.steps[subject]]
    history.proven.add(place)
    return proven


def _take_newer(tx: RowAccess, history: EntryHistory[K, V], source: EntrySource[K, V]) -> None:
    """Read the entries added since the last read."""
    row = tx.cursor.execute(source.newest, (tx.tenant,)).fetchone()
    newest = None if row is None else (str(row[0]), int(row[1]))
    if newest is None or newest == history.end:
        return
    newer: list[tuple[Place, list[tuple[K, V]]]] = []
    if history.steps:
        for writer, seq, text in tx.cursor.execute(source.all, (tx.tenant,)):
            if (writer, seq) == history.end:
                break
            newer.append(((writer, seq), list(_read_text(source, text))))
    for place, statements in reversed(newer):
        for subject, statement in statements:
            steps = history.steps.get(subject)
            if steps is not None and all(place != known for known, _ in steps):
                steps.append((place, statement))
    history.end = newest


def _read_all(tx: RowAccess, source: EntrySource[K, V], subject: K) -> list[tuple[Place, V]]:
    member = source.find_member(subject)
    wanted = bound_part(member) if source.has_part else (member,)
    rows = tx.cursor.execute(source.naming, (tx.tenant, *wanted)).fetchall()
    return [
        ((writer, seq), statement)
        for writer, seq, text in reversed(rows)
        for other, statement in _read_text(source, text)
        if other == subject
    ]


def _read_text(source: EntrySource[K, V], text: bytes) -> Iterator[tuple[K, V]]:
    try:
        body = orjson.loads(text)["body"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return  # no entry; `halo verify` reports it
    if isinstance(body, dict):
        yield from source.read_body(body)


def _prove(tx: RowAccess, source: EntrySource[K, V], subject: K, place: Place) -> V:
    try:
        statements = [
            item for other, item in source.read_body(ProvenEntry.read(tx, *place).entry.body) if other == subject
        ]
        return statements[-1]
    except (Gap, Tampered, IndexError) as exc:
        raise CannotDecide(
            "ledger_unwritable", f"entry {place[0]}-{place[1]} cannot be proven", remedy="run `halo verify`"
        ) from exc
