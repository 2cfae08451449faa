"""Room: one entry, proven. Takes: a transaction, a place. Gives: the entry, if its writer signed it. Never: writes.

What acts on a text of the log must not believe the row: whoever can write the database can write rows, and has no key.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halo_core.errors import Gap, Tampered
from halo_core.ledger import Vkey, decode_entry, leaf_hash, parse_vkey, verify_note, writer_name
from halo_core.model import Entry, EntryKind

if TYPE_CHECKING:
    from halo_core.store.tx import Tx

__all__ = ["Proven", "outcome_of", "paused_run"]


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that a writer of this log signed, with its leaf hash."""

    entry: Entry
    leaf: bytes

    @classmethod
    def read(cls, tx: Tx, writer: str, seq: int) -> Proven:
        """The entry at this place of a writer's chain.

        Raises:
            Gap: it is missing.
            Tampered: it is not signed by that writer, or says it is another one.
        """
        note = _note(tx, writer, seq)
        verify_note(note, [_vkey(tx, writer)])
        return cls(_at(note, tx, writer, seq), leaf_hash(note))


def outcome_of(tx: Tx, ran: Proven) -> Entry | None:
    """What a writer of this log said of how this decision ended; None where nobody has, or of another one.

    Raises:
        Gap, Tampered: see `Proven.read`.
    """
    leaf = base64.b64encode(ran.leaf).decode("ascii")
    found = tx.outcome_of(ran.entry.session, ran.entry.ts_us, leaf)
    if found is None:
        return None
    outcome = Proven.read(tx, *found).entry
    named = {"leaf": leaf, "w": ran.entry.writer, "ws": ran.entry.seq}
    return outcome if outcome.kind is EntryKind.OUTCOME and outcome.body["decision"] == named else None


def paused_run(tx: Tx, request_id: str) -> Entry | None:
    """The decision that let this request run the last time, if its writer says that it paused; None otherwise.

    Raises:
        Gap, Tampered: the entries are not what their writers signed.
    """
    place = tx.paused(request_id)
    if place is None:
        return None
    ran = Proven.read(tx, *place)
    outcome = outcome_of(tx, ran)
    told = outcome is not None and outcome.body["status"] == "paused"
    return ran.entry if told and ran.entry.body["request"]["request_id"] == request_id else None


def _note(tx: Tx, writer: str, seq: int) -> bytes:
    note = tx.note(writer, seq)
    if note is None:
        raise Gap("entry_missing", f"entry {writer}/{seq} is missing", remedy="run `halo verify`")
    return note


def _at(note: bytes, tx: Tx, writer: str, seq: int) -> Entry:
    entry = decode_entry(note)
    if (entry.tenant, entry.writer, entry.seq) != (tx.tenant, writer, seq):
        raise Tampered("column_altered", f"entry {writer}/{seq} is another one", remedy="run `halo verify`")
    return entry


def _vkey(tx: Tx, writer: str) -> Vkey:
    """The writer's key, as the log's key certified it in the writer's first entry (INVARIANT: AUDIT)."""
    if writer == tx.writer.id:
        return parse_vkey(tx.writer.vkey)
    note = _note(tx, writer, 0)
    verify_note(note, [tx.writer.log_vkey])
    entry = _at(note, tx, writer, 0)
    vkey = parse_vkey(entry.body["vkey"])
    if entry.kind is not EntryKind.WRITER_OPEN or vkey.name != writer_name(tx.tenant, writer):
        raise Tampered("bad_signature", f"writer `{writer}` is not certified", remedy="run `halo verify`")
    return vkey
