"""Room: opening and closing a writer's chain, and what must hold before. Takes: a transaction. Gives: entries.

Never: opens a database that is older than its anchor.
"""

from __future__ import annotations

from typing import Any

from halo_core.errors import Gap, Tampered
from halo_core.ledger import Vkey, open_checkpoint, read_anchors, vkey_string
from halo_core.model import EntryKind, Mode
from halo_core.store import checkpoints, trust
from halo_core.store.database import Database
from halo_core.store.tx import Control, Draft, Tx, leaf_text
from halo_core.store.writer import alive

__all__ = ["close_chain", "open_chain", "refuse_older_than_anchor", "remember_trust"]


def open_chain(tx: Tx, config: Any, origin: dict[str, Any]) -> None:
    """First entry of a writer; the control row if the store is new; what crashed writers left open."""
    if not tx.has_control():
        tx.put_control(Control(1, f"halo-store:{tx.new_id()}", Mode.OBSERVE, ""))
    written = tx.append(Draft(EntryKind.WRITER_OPEN, "", {"origin": origin, "vkey": tx.writer.vkey}))
    tx.open_writer(written)
    for writer in tx.open_writers():
        with alive(config.home, writer) as living:
            if not living:
                _recover(tx, writer)


def _recover(tx: Tx, writer: str) -> None:
    """Say of every dispatched decision of a dead writer that its outcome is unknown (INVARIANT: AUDIT)."""
    for seq, leaf, session in tx.unsettled(writer):
        tx.settled(writer, seq)
        body = {"decision": {"leaf": leaf_text(leaf), "w": writer, "ws": seq}, "status": "unknown"}
        tx.append(Draft(EntryKind.OUTCOME, session, {**body, "detail": "the process ended before it could say"}))
    tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "crash", "writer": writer}))
    tx.close_writer(writer, tx.clock.now_us())


def close_chain(tx: Tx) -> None:
    """Last entry of a writer."""
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


def remember_trust(config: Any, vkey: Vkey) -> None:
    """Write the trusted verifier key beside the keys, once; another key there is refused."""
    trust.remember(config.home, config.tenant, vkey_string(vkey))
