"""Room: opening and closing a writer's chain, and what must hold before. Takes: a transaction. Gives: entries.

Never: opens a database that is older than its anchor.
"""

from __future__ import annotations

from typing import Any

from halo_core.errors import ConfigError, Gap, Tampered
from halo_core.ledger import Vkey, open_checkpoint, read_anchors, unwrap_dek, vkey_string
from halo_core.model import EntryKind, Mode
from halo_core.store import checkpoints, trust
from halo_core.store.database import Database
from halo_core.store.tx import Control, Draft, Tx, leaf_text
from halo_core.store.writer import alive

__all__ = ["close_chain", "open_chain", "refuse_foreign", "refuse_older_than_anchor", "remember_trust"]


def open_chain(tx: Tx, config: Any, origin: dict[str, Any]) -> list[str]:
    """First entry of a writer; the control row if the store is new; what crashed writers left open.

    Returns:
        The writers recovered, whose lock files may go once this is durable.
    """
    if not tx.has_control():
        tx.put_control(Control(1, f"halo-store:{tx.new_id()}", Mode.OBSERVE, ""))
    written = tx.append(Draft(EntryKind.WRITER_OPEN, "", {"origin": origin, "vkey": tx.writer.vkey}))
    tx.open_writer(written)
    recovered = []
    for writer in tx.open_writers():
        with alive(config.home, writer) as living:
            if not living:
                _recover(tx, writer)
                recovered.append(writer)
    return recovered


def _recover(tx: Tx, writer: str) -> None:
    """Say of every dispatched decision of a dead writer that its outcome is unknown (INVARIANT: AUDIT)."""
    _unknown(tx, writer, "the process ended before it could say")
    tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "crash", "writer": writer}))
    tx.close_writer(writer, tx.clock.now_us())


def _unknown(tx: Tx, writer: str, why: str) -> None:
    for seq, leaf, session in tx.unsettled(writer):
        tx.settled(writer, seq)
        body = {"decision": {"leaf": leaf_text(leaf), "w": writer, "ws": seq}, "status": "unknown"}
        tx.append(Draft(EntryKind.OUTCOME, session, {**body, "detail": why}))


def close_chain(tx: Tx) -> None:
    """Last entry of a writer; what is still running will not be able to say how it ended."""
    _unknown(tx, tx.writer.id, "the ledger was closed before it could say")
    written = tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "closed", "writer": tx.writer.id}))
    tx.close_writer(tx.writer.id, written.entry.ts_us)


def refuse_older_than_anchor(database: Database, config: Any, vkey: Vkey) -> None:
    """Refuse a database that holds less than, or something else than, what the anchor remembers.

    Raises:
        Gap: code `ledger_behind_anchor`.
        Tampered: code `ledger_forked`.
    """
    note = checkpoints.anchored_note(read_anchors(config.home / "anchor.json"), database, config)
    if note is None:
        return
    known = open_checkpoint(note, vkey, config.tenant)
    size = checkpoints.log_size(database, config.tenant)
    if size < known.size:
        raise Gap(
            "ledger_behind_anchor",
            f"the database holds {size} entries, its anchor remembers {known.size}",
            remedy="restore the newest copy, or follow the restore ceremony in docs/operations.md",
        )
    if checkpoints.root_at(database, config.tenant, known.size) != known.root:
        raise Tampered(
            "ledger_forked",
            f"the first {known.size} entries are not the ones the anchor remembers",
            remedy="run `halo verify`",
        )


def refuse_foreign(database: Database, config: Any, vkey: Vkey, kek: bytes) -> None:
    """Refuse a log that began under other keys: a new one would certify writers that nobody trusts, or open nothing.

    Raises:
        ConfigError: code `foreign_store`, `log_key_changed` or `content_key_changed`.
    """
    trust.compare(config.home, config.tenant, vkey_string(vkey))
    row = database.connection.execute(
        "SELECT subject, dek_wrapped FROM vault WHERE tenant=? AND erased_at_us IS NULL LIMIT 1", (config.tenant,)
    ).fetchone()
    if row is not None:
        try:
            unwrap_dek(kek, row[1], config.tenant, row[0])
        except Tampered as exc:
            raise ConfigError(
                "content_key_changed",
                "the content key is not the one that sealed what this log holds",
                field="home",
                remedy="restore `content.key`; without it content stays closed and nothing can be added",
            ) from exc
    begun = checkpoints.anchor_names(database, config)[1]
    if begun and config.tenant not in trust.load(config.home):
        raise ConfigError(
            "foreign_store",
            f"the database holds a log of tenant `{config.tenant}` that `{config.home}` knows no key of",
            field="home",
            remedy="give the HALO_HOME that wrote it",
        )


def remember_trust(config: Any, vkey: Vkey) -> None:
    """Write the trusted verifier key beside the keys, once; another key there is refused."""
    trust.remember(config.home, config.tenant, vkey_string(vkey))
