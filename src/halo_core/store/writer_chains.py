"""A writer's chain of entries: opening, closing and recovering one, reading proven entries, checks before opening.

Code that acts on an entry reads it as a `ProvenEntry`, never from the row alone: who can write the database can write
rows, but has no writer's key.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from halo_core.errors import ConfigError, Gap, Tampered
from halo_core.ledger import (
    Vkey,
    decode_entry,
    format_vkey,
    leaf_hash,
    open_checkpoint,
    parse_vkey,
    read_anchors,
    unwrap_dek,
    verify_note,
    writer_name,
)
from halo_core.model import EntryKind, LedgerEntry, Mode
from halo_core.store import checkpoints
from halo_core.store.database import Database
from halo_core.store.transaction import Control, Draft, Transaction, encode_leaf
from halo_core.store.writer import writer_alive


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry whose writer's signature was verified, with its leaf hash."""

    entry: LedgerEntry
    leaf: bytes

    @classmethod
    def read(cls, tx: Transaction, writer: str, seq: int) -> ProvenEntry:
        """The entry at this place of a writer's chain.

        Raises:
            Gap: it is missing.
            Tampered: that writer did not sign it, or it names another place.
        """
        note = _load_note(tx, writer, seq)
        verify_note(note, [_load_writer_key(tx, writer)])
        return cls(_decode_at(note, tx, writer, seq), leaf_hash(note))


def read_outcome(tx: Transaction, decision: ProvenEntry) -> LedgerEntry | None:
    """The proven outcome of a decision; None where there is none.

    Raises:
        Gap, Tampered: as `ProvenEntry.read`.
    """
    leaf = base64.b64encode(decision.leaf).decode("ascii")
    place = tx.find_outcome(decision.entry.session, decision.entry.ts_us, leaf)
    if place is None:
        return None
    outcome = ProvenEntry.read(tx, *place).entry
    reference = {"leaf": leaf, "w": decision.entry.writer, "ws": decision.entry.seq}
    return outcome if outcome.kind is EntryKind.OUTCOME and outcome.body["decision"] == reference else None


def find_paused_decision(tx: Transaction, request_id: str) -> LedgerEntry | None:
    """The decision that last let this request run, if its outcome is that it paused; None otherwise.

    Raises:
        Gap, Tampered: as `ProvenEntry.read`.
    """
    place = tx.find_paused_run(request_id)
    if place is None:
        return None
    decision = ProvenEntry.read(tx, *place)
    outcome = read_outcome(tx, decision)
    is_paused = outcome is not None and outcome.body["status"] == "paused"
    return decision.entry if is_paused and decision.entry.body["request"]["request_id"] == request_id else None


def _load_note(tx: Transaction, writer: str, seq: int) -> bytes:
    note = tx.load_note(writer, seq)
    if note is None:
        raise Gap("entry_missing", f"entry {writer}/{seq} is missing", remedy="run `halo verify`")
    return note


def _decode_at(note: bytes, tx: Transaction, writer: str, seq: int) -> LedgerEntry:
    entry = decode_entry(note)
    if (entry.tenant, entry.writer, entry.seq) != (tx.tenant, writer, seq):
        raise Tampered("column_altered", f"entry {writer}/{seq} is a different one", remedy="run `halo verify`")
    return entry


def _load_writer_key(tx: Transaction, writer: str) -> Vkey:
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


def open_writer_chain(tx: Transaction, config: Any, origin: dict[str, Any]) -> list[str]:
    """Write a writer's first entry, a new store's control row, and the outcomes that crashed writers left open.

    Returns:
        The writers recovered, whose lock files may be removed once this is durable.
    """
    if not tx.has_control():
        tx.put_control(Control(1, f"halo-store:{tx.new_id()}", Mode.OBSERVE, ""))
    written = tx.append(Draft(EntryKind.WRITER_OPEN, "", {"origin": origin, "vkey": tx.writer.vkey}))
    tx.record_writer_opened(written)
    recovered = []
    for writer in tx.list_open_writers():
        with writer_alive(config.home, writer) as is_alive:
            if not is_alive:
                _recover_writer(tx, writer)
                recovered.append(writer)
    return recovered


def _recover_writer(tx: Transaction, writer: str) -> None:
    """Record that the outcome of a dead writer's dispatched decisions is unknown (INVARIANT: AUDIT)."""
    _record_unknown_outcomes(tx, writer, "the process ended before the outcome was recorded")
    tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "crash", "writer": writer}))
    tx.record_writer_closed(writer, tx.clock.now_us())


def _record_unknown_outcomes(tx: Transaction, writer: str, why: str) -> None:
    for seq, leaf, session in tx.list_unsettled(writer):
        tx.mark_settled(writer, seq)
        body = {"decision": {"leaf": encode_leaf(leaf), "w": writer, "ws": seq}, "status": "unknown"}
        tx.append(Draft(EntryKind.OUTCOME, session, {**body, "detail": why}))


def close_writer_chain(tx: Transaction) -> None:
    """Write the last entry of a writer; the outcome of actions that still run is recorded as unknown."""
    _record_unknown_outcomes(tx, tx.writer.id, "the ledger was closed before the outcome was recorded")
    written = tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "closed", "writer": tx.writer.id}))
    tx.record_writer_closed(tx.writer.id, written.entry.ts_us)


def refuse_older_than_anchor(database: Database, config: Any, vkey: Vkey) -> None:
    """Refuse a database that holds fewer entries than the anchor covers, or other ones.

    Raises:
        Gap: code `ledger_behind_anchor`.
        Tampered: code `ledger_forked`.
    """
    note = checkpoints.find_anchored_note(read_anchors(config.home / "anchor.json"), database, config)
    if note is None:
        return
    anchored = open_checkpoint(note, vkey, config.tenant)
    size = checkpoints.count_entries(database, config.tenant)
    if size < anchored.size:
        raise Gap(
            "ledger_behind_anchor",
            f"the database has {size} entries, but its anchor has {anchored.size}",
            remedy="restore the newest copy, or follow the restore procedure in docs/operations.md",
        )
    if checkpoints.compute_root_at(database, config.tenant, anchored.size) != anchored.root:
        raise Tampered(
            "ledger_forked",
            f"the first {anchored.size} entries differ from those that the anchor covers",
            remedy="run `halo verify`",
        )


def refuse_foreign_store(database: Database, config: Any, vkey: Vkey, kek: bytes) -> None:
    """Refuse a log that was begun with other keys than those of the home.

    Raises:
        ConfigError: code `foreign_store`, `log_key_changed` or `content_key_changed`.
    """
    checkpoints.check_trusted_key(config.home, config.tenant, format_vkey(vkey))
    row = database.connection.execute(
        "SELECT subject, dek_wrapped FROM vault WHERE tenant=? AND erased_at_us IS NULL LIMIT 1", (config.tenant,)
    ).fetchone()
    if row is not None:
        try:
            unwrap_dek(kek, row[1], config.tenant, row[0])
        except Tampered as exc:
            raise ConfigError(
                "content_key_changed",
                "the content key is not the one that this log's content was sealed with",
                field="home",
                remedy="restore `content.key`; without it content cannot be read or added",
            ) from exc
    store_id = checkpoints.list_anchor_names(database, config)[1]
    if store_id and config.tenant not in checkpoints.load_trusted_keys(config.home):
        raise ConfigError(
            "foreign_store",
            f"the database has a log of tenant `{config.tenant}`, but `{config.home}` has no key for it",
            field="home",
            remedy="set HALO_HOME to the home that created it",
        )
