"""Begins and ends the chain of a writer, and recovers the writers whose process has died.

Whoever opens a store records that the outcome of what such writers let run is unknown (INVARIANT: AUDIT).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from halo_core.crypto.keys import encode_base64
from halo_core.errors import ConfigError, Tampered
from halo_core.floors import HomeFloor
from halo_core.ledger import Vkey, format_vkey, unwrap_dek
from halo_core.model import EntryKind, Mode
from halo_core.os_user import describe_os_user
from halo_core.store.config import StoreConfig
from halo_core.store.content_keys import refresh_content_key
from halo_core.store.drafts import AppendedEntry, Draft
from halo_core.store.engine import Engine
from halo_core.store.image import STORE_ID_PREFIX, Control, TenantImage
from halo_core.store.log_checkpoints import check_trusted_key, list_anchor_names, load_trusted_keys
from halo_core.store.transaction import Transaction


def open_writer_chain(tx: Transaction, config: StoreConfig, origin: dict[str, Any]) -> list[str]:
    """Write a writer's first entry, a new store's control row, and outcomes missing after crashes.

    Returns:
        The writers recovered, whose lock files may be removed once this is durable.
    """
    is_new = not tx.has_control()
    if is_new:
        tx.put_control(Control(1, f"{STORE_ID_PREFIX}{tx.new_id()}", Mode.OBSERVE, ""))
    written = tx.append(
        Draft(EntryKind.WRITER_OPEN, "", {"origin": origin, "store": tx.load_store_id(), "vkey": tx.writer.vkey})
    )
    _record_opened(tx, written)
    if is_new and HomeFloor(config.home).list_raised():
        _begin_raised(tx)
    recovered = []
    for writer in _list_open_writers(tx):
        with tx.database.writer_alive(config.home, writer) as is_alive:
            if not is_alive:
                _recover_writer(tx, writer)
                recovered.append(writer)
    return recovered


def _record_opened(tx: Transaction, written: AppendedEntry) -> None:
    tx.insert(
        "INSERT INTO writer VALUES (?,?,?,?,NULL)", (tx.tenant, tx.writer.id, tx.writer.vkey, written.entry.ts_us)
    )


def _record_closed(tx: Transaction, writer: str, at_us: int) -> None:
    tx.cursor.execute("UPDATE writer SET closed_us=? WHERE tenant=? AND w=?", (at_us, tx.tenant, writer))


def _list_open_writers(tx: Transaction) -> list[str]:
    """The other writers that never closed."""
    open_writers = tx.cursor.execute("SELECT w FROM writer WHERE tenant=? AND closed_us IS NULL", (tx.tenant,))
    return [writer for (writer,) in open_writers if writer != tx.writer.id]


def _begin_raised(tx: Transaction) -> None:
    """Put a new tenant or database in enforce mode if the floor of the home was raised.

    INVARIANT: FLOOR - an application that names another tenant is below no other floor.
    """
    control = tx.load_control()
    tx.put_control(replace(control, version=control.version + 1, recorded=Mode.ENFORCE))
    body = {"from": Mode.OBSERVE.value, "to": Mode.ENFORCE.value, "why": "the floor of the home"}
    tx.append(Draft(EntryKind.MODE, "", body, actor=describe_os_user()))


def _recover_writer(tx: Transaction, writer: str) -> None:
    """Record that the outcome of a dead writer's dispatched decisions is unknown (INVARIANT: AUDIT)."""
    _record_unknown_outcomes(tx, writer, "the process ended before the outcome was recorded")
    written = tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "crash", "writer": writer}))
    _record_closed(tx, writer, written.entry.ts_us)


def _record_unknown_outcomes(tx: Transaction, writer: str, why: str) -> None:
    for seq, leaf, session in tx.list_unsettled(writer):
        body = {"decision": {"leaf": encode_base64(leaf), "w": writer, "ws": seq}, "status": "unknown"}
        tx.append(Draft(EntryKind.OUTCOME, session, {**body, "detail": why}, settles=(writer, seq)))


def close_writer_chain(tx: Transaction) -> None:
    """Write a writer's last entry; records the outcome of running actions as unknown."""
    _record_unknown_outcomes(tx, tx.writer.id, "the ledger was closed before the outcome was recorded")
    written = tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "closed", "writer": tx.writer.id}))
    _record_closed(tx, tx.writer.id, written.entry.ts_us)


def refuse_foreign_store(database: Engine, config: StoreConfig, vkey: Vkey, image: TenantImage) -> None:
    """Refuse a log begun with other keys than the home's.

    Raises:
        ConfigError: code `foreign_store`, `log_key_changed` or `content_key_changed`.
    """
    check_trusted_key(config.home, config.tenant, format_vkey(vkey))
    row = database.execute(
        "SELECT subject, dek_wrapped FROM vault WHERE tenant=? AND erased_at_us IS NULL LIMIT 1", (config.tenant,)
    ).fetchone()
    if row is not None:
        try:
            unwrap_dek(refresh_content_key(database, image), row[1], config.tenant, row[0])
        except Tampered as exc:
            raise ConfigError(
                "content_key_changed",
                "the content key is not the one that this log's content was sealed with",
                field="home",
                remedy="restore `content.key`, or a newer copy of the database if this one is older than an erasure",
            ) from exc
    store_id = list_anchor_names(database, config)[1]
    if store_id and config.tenant not in load_trusted_keys(config.home):
        raise ConfigError(
            "foreign_store",
            f"the database has a log of tenant `{config.tenant}`, but `{config.home}` has no key for it",
            field="home",
            remedy="set HALO_HOME to the home that created it",
        )
