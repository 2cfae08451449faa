"""Looking up entries of a tenant's log: one by its id, those that refer to it, and what they say of a subject.

    newest = find_newest(tx, tx.image.standing_history, STANDING_ENTRIES, agent)

For rows that are only a cache of their entries, the signed entries of one kind are searched once for each subject, and
only newer ones after that, so a look-up costs one indexed query while nothing is newer. Who can write the database has
no writer's key: what is returned was proven by its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import orjson

from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered
from halo_core.model import EntryKind, LedgerEntry
from halo_core.reasons import get_reason_text
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.reader import LoggedEntry, Reader, read_entries

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction


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


K = TypeVar("K")
V = TypeVar("V")
Place = tuple[str, int]
"""Writer and sequence of an entry."""

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
    """

    newest: str
    all: str
    naming: str
    find_member: Callable[[K], bytes]
    read_body: Callable[[Mapping[str, Any]], Iterator[tuple[K, V]]]


@dataclass(slots=True)
class EntryHistory(Generic[K, V]):
    """What a process has read of a source; kept when the rest of the image is forgotten.

    An entry that was read stays, also when its row is removed.

    Args:
        end: the newest entry of the source that was read.
        steps: subject → (place, statement) of each entry about it, oldest first; only of subjects that were asked for.
        proven: places of entries whose signature was verified.
    """

    end: Place | None = None
    steps: dict[K, list[tuple[Place, V]]] = field(default_factory=dict)
    proven: set[Place] = field(default_factory=set)

    def forget_from(self, writer: str, seq: int) -> None:
        """Forget the entries of a writer from a sequence number on, which were rolled back."""
        if self.end is not None and _is_from(self.end, writer, seq):
            self.end = None
        self.proven = {place for place in self.proven if not _is_from(place, writer, seq)}
        for steps in self.steps.values():
            while steps and _is_from(steps[-1][0], writer, seq):
                steps.pop()

    def clear(self) -> None:
        """Forget everything."""
        self.end = None
        self.steps.clear()
        self.proven.clear()


def find_newest(
    tx: Transaction, history: EntryHistory[K, V], source: EntrySource[K, V], subject: K
) -> tuple[Place, V] | None:
    """Place and statement of the newest entry about a subject, proven; None where there is none.

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


def _take_newer(tx: Transaction, history: EntryHistory[K, V], source: EntrySource[K, V]) -> None:
    """Read the entries that are newer than what was read."""
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


def _read_all(tx: Transaction, source: EntrySource[K, V], subject: K) -> list[tuple[Place, V]]:
    rows = tx.cursor.execute(source.naming, (tx.tenant, source.find_member(subject))).fetchall()
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


def _prove(tx: Transaction, source: EntrySource[K, V], subject: K, place: Place) -> V:
    try:
        said = [item for other, item in source.read_body(ProvenEntry.read(tx, *place).entry.body) if other == subject]
        return said[-1]
    except (Gap, Tampered, IndexError) as exc:
        raise CannotDecide(
            "ledger_unwritable", f"entry {place[0]}-{place[1]} cannot be proven", remedy="run `halo verify`"
        ) from exc


def _is_from(place: Place, writer: str, seq: int) -> bool:
    return place[0] == writer and place[1] >= seq


@dataclass(slots=True)
class ProfileVersions:
    """The newest version of each profile, as far as this process has read the entries; kept while others expire.

    INVARIANT: AUDIT - what this process has seen is not undone by an entry that is taken away, or whose key is cleared.

    Args:
        end: the newest entry that was read.
        depth: how many of the newest entries were read at first.
        newest: kind and subject → version and place of its entry.
    """

    end: Place | None = None
    depth: int = 0
    newest: dict[tuple[str, str], tuple[int, Place]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.end, self.depth = None, 0
        self.newest.clear()

    def note(self, place: Place, text: bytes) -> None:
        """Take an entry's text."""
        try:
            left = orjson.loads(text)["body"]["profile"]
            key, version = (left["kind"], left["subject"]), left["version"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return  # of a session, or none; `halo verify` reports the latter
        if type(version) is int and version > self.newest.get(key, (0, place))[0]:
            self.newest[key] = version, place
