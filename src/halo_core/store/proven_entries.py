"""Entries of which a signature shows that a writer of this log wrote them.

Code that acts on an entry reads it here, never from the row alone: who can write the database can write rows, but has
no writer's key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import encode_base64
from halo_core.decision.record import expand_entry
from halo_core.errors import CannotDecide, Gap, Tampered
from halo_core.ledger import (
    Vkey,
    decode_entry,
    digest_state,
    leaf_hash,
    parse_vkey,
    verify_note,
    writer_name,
)
from halo_core.model import Effect, EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store.row_access import RowAccess


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry whose writer's signature was verified, with its leaf hash."""

    entry: LedgerEntry
    leaf: bytes

    @classmethod
    def read(cls, tx: RowAccess, writer: str, seq: int) -> ProvenEntry:
        """The entry at this place of a writer's chain.

        Raises:
            Gap: it is missing.
            Tampered: that writer did not sign it, or it names another place.
        """
        note = _load_note(tx, writer, seq)
        verify_note(note, [_load_writer_key(tx, writer)])
        return cls(expand_entry(_decode_at(note, tx, writer, seq), tx.read_part), leaf_hash(note))


def read_outcome(tx: RowAccess, decision: ProvenEntry) -> LedgerEntry | None:
    """The proven outcome of a decision; None if there is none.

    Raises:
        Gap, Tampered: as `ProvenEntry.read`.
    """
    leaf = encode_base64(decision.leaf)
    place = tx.find_outcome(decision.entry.session, decision.entry.writer, decision.entry.seq)
    if place is None:
        return None
    outcome = ProvenEntry.read(tx, *place[:2]).entry
    if outcome.kind is not EntryKind.OUTCOME:
        return None
    # An outcome of the same writer stands in one chain with its decision, and does not name its leaf.
    reference = {"leaf": leaf, "w": decision.entry.writer, "ws": decision.entry.seq}
    return outcome if {"leaf": leaf, **outcome.body["decision"]} == reference else None


def find_paused_decision(tx: RowAccess, session: str, request_id: str) -> LedgerEntry | None:
    """The decision that last let this request run, if the run paused; else None.

    Raises:
        Gap, Tampered: as `ProvenEntry.read`.
    """
    place = tx.find_paused_run(session, request_id)
    if place is None:
        return None
    decision = ProvenEntry.read(tx, *place)
    outcome = read_outcome(tx, decision)
    is_paused = outcome is not None and outcome.body["status"] == "paused"
    return decision.entry if is_paused and decision.entry.body["request"]["request_id"] == request_id else None


def list_asked_codes(tx: RowAccess, question: str) -> tuple[str, ...]:
    """List the codes of the reasons that a question asked about, sorted.

    Args:
        tx: the transaction.
        question: id of its entry.

    Raises:
        Gap, Tampered: as `ProvenEntry.read`.
    """
    writer, _, seq = question.rpartition("-")
    body = ProvenEntry.read(tx, writer, int(seq)).entry.body
    asked = {reason["code"] for reason in body["reasons"] if reason["effect"] == Effect.CHALLENGE.value}
    return tuple(sorted(asked))


_USES_QUERY: Final = (
    "SELECT w, ws FROM entry WHERE tenant=? AND session=? AND kind='decision' AND instr(body, ?)>0 ORDER BY idx"
)


def was_approval_used(tx: RowAccess, approval: str, sessions: Iterable[str]) -> bool:
    """Whether a decision of one of these sessions ran its action on an approval, whatever its row says.

    Of an entry that cannot be proven it is taken that it did.
    """
    member = canonical.dumps({"id": approval})[1:-1]
    for session in sessions:
        for place in tx.cursor.execute(_USES_QUERY, (tx.tenant, session, member)).fetchall():
            try:
                body = ProvenEntry.read(tx, *place).entry.body
            except (Gap, Tampered):
                return True
            if body["dispatched"] and (body["snapshot"]["approval"] or {}).get("id") == approval:
                return True
    return False


def _load_note(tx: RowAccess, writer: str, seq: int) -> bytes:
    note = tx.load_note(writer, seq)
    if note is None:
        raise Gap("entry_missing", f"entry {writer}/{seq} is missing", remedy="run `halo verify`")
    return note


def _decode_at(note: bytes, tx: RowAccess, writer: str, seq: int) -> LedgerEntry:
    entry = decode_entry(note)
    if (entry.tenant, entry.writer, entry.seq) != (tx.tenant, writer, seq):
        raise Tampered("column_altered", f"entry {writer}/{seq} is a different one", remedy="run `halo verify`")
    return entry


def _load_writer_key(tx: RowAccess, writer: str) -> Vkey:
    """The writer's key, as the log's key certified it in the writer's first entry (INVARIANT: AUDIT)."""
    if writer == tx.writer.id:
        return parse_vkey(tx.writer.vkey)
    note = _load_note(tx, writer, 0)
    verify_note(note, [tx.writer.log_vkey])
    entry = _decode_at(note, tx, writer, 0)
    vkey = parse_vkey(entry.body["vkey"])
    if entry.kind is not EntryKind.WRITER_OPEN or vkey.name != writer_name(tx.tenant, writer):
        raise Tampered("bad_signature", f"writer `{writer}` is not certified", remedy="run `halo verify`")
    return vkey


def require_committed_state(
    tx: RowAccess, session: str, state: bytes, head: tuple[str, int], *, is_known: bool
) -> None:
    """Refuse a session's row that differs from the commitment of the session's newest entry.

    A state that this process knows needs no proof, but it must still be the newest.

    INVARIANT: AUDIT - an older row with the older entry that it belongs to gives nobody back what was spent since.

    Raises:
        CannotDecide: it was changed or put back, or its entry is missing or was changed.
    """
    if tx.find_newest_state(session) != head:
        raise _make_session_error(session)
    if is_known:
        return
    try:
        note = _load_note(tx, *head)
        verify_note(note, [_load_writer_key(tx, head[0])])
        entry = _decode_at(note, tx, *head)
        is_committed = entry.session == session and entry.body["state"]["digest"] == digest_state(state)
    except (Gap, Tampered, KeyError, TypeError):
        is_committed = False
    if not is_committed:
        raise _make_session_error(session)


def require_new_session(tx: RowAccess, session: str) -> None:
    """Refuse a session without a row whose entries committed to a state.

    INVARIANT: AUDIT - deleting its row does not give a session back what it spent.

    Raises:
        CannotDecide: there is such an entry.
    """
    if tx.find_newest_state(session) is not None:
        raise _make_session_error(session)


def _make_session_error(session: str) -> CannotDecide:
    return CannotDecide(
        "ledger_unwritable",
        f"the row of session `{session}` is not what its newest entry left behind",
        remedy="run `halo verify`",
    )
