"""The edges of a log: checkpoints and the anchor, and the writers that append to it.

A `Writer` signs the entries of one process, from opening the store until closing it. Its key is made in memory,
certified by the log key in the writer's first entry, and gone with the process. On SQLite its lock file tells other
processes whether it is still alive; whoever opens a store recovers the writers that are not.

Beside that: signed checkpoints over a store's entries, the local anchor, the trusted log keys of a home (`trust.json`),
and the checks before a store is opened.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from halo_core.crypto.keys import Ed25519Signer, Signer
from halo_core.errors import ConfigError, Gap, Tampered
from halo_core.failpoints import hit_failpoint
from halo_core.files import hold_file_lock, replace_file
from halo_core.floors import HomeFloor
from halo_core.ledger import (
    CompactRange,
    SignedEntry,
    Vkey,
    advance_anchor,
    build_entry_note,
    encode_entry,
    format_vkey,
    leaf_hash,
    log_origin,
    make_vkey,
    open_checkpoint,
    read_anchors,
    sign_checkpoint,
    unwrap_dek,
    writer_name,
)
from halo_core.model import EntryKind, LedgerEntry, Mode
from halo_core.os_user import describe_os_user
from halo_core.store.content_keys import refresh_content_key
from halo_core.store.database import describe_file, sqlite_path
from halo_core.store.drafts import AppendedEntry, Draft, encode_leaf
from halo_core.store.engine import Engine, is_postgres
from halo_core.store.image import STORE_ID_PREFIX, Control, TenantImage
from halo_core.store.transaction import Transaction
from halo_core.store.writer_locks import lock_file

_NAME = "trust.json"


def load_trusted_keys(home: Path) -> dict[str, str]:
    """Tenant → verifier key of its log; empty where nothing is trusted yet.

    Raises:
        ConfigError: `bad_trust`, the file is damaged.
    """
    path = home / _NAME
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ConfigError("bad_trust", f"`{path}` cannot be read: {exc}", field="home") from exc
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise ConfigError("bad_trust", f"`{path}` is not a map of tenant to key", field="home")
    return data


def check_trusted_key(home: Path, tenant: str, vkey: str) -> bool:
    """Whether `vkey` is trusted already; False where no key of the tenant is.

    Raises:
        ConfigError: `log_key_changed`, another key is trusted.
    """
    trusted = load_trusted_keys(home).get(tenant)
    if trusted not in (None, vkey):
        raise ConfigError(
            "log_key_changed",
            f"the log key of tenant `{tenant}` is not the trusted one",
            field="home",
            remedy="restore `log.key`, or remove the entry from trust.json if you changed the key",
        )
    return trusted is not None


def trust_log_key(home: Path, tenant: str, vkey: str) -> None:
    """Trust `vkey` for `tenant` from now on.

    Raises:
        ConfigError: another key is trusted already (INVARIANT: AUDIT - a trusted key is never replaced silently).
    """
    if check_trusted_key(home, tenant, vkey):
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with hold_file_lock(home / f"{_NAME}.lock"):
        if not check_trusted_key(home, tenant, vkey):  # else another process or thread was first
            keys = {**load_trusted_keys(home), tenant: vkey}
            replace_file(home / _NAME, orjson.dumps(keys, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


_NOTES = "SELECT idx, tenant, w, body, signatures FROM entry WHERE tenant=? AND idx>=? AND idx<? ORDER BY idx"


def count_entries(database: Engine, tenant: str) -> int:
    """Number of entries that have a position."""
    row = database.execute("SELECT max(idx) FROM entry WHERE tenant=?", (tenant,)).fetchone()
    return 0 if row[0] is None else int(row[0]) + 1


def _load_tree(database: Engine, tenant: str, size: int) -> CompactRange:
    row = database.execute(
        "SELECT frontier FROM checkpoint WHERE tenant=? AND size<=? ORDER BY size DESC LIMIT 1", (tenant, size)
    ).fetchone()
    tree = CompactRange.from_bytes(row[0]) if row is not None else CompactRange()
    for idx, *columns in database.execute(_NOTES, (tenant, tree.size, size)):
        if idx != tree.size:
            raise Gap("missing_entry", f"position {tree.size} is missing", remedy="run `halo verify`")
        tree.append(leaf_hash(build_entry_note(*columns)))
    if tree.size != size:
        raise Gap("missing_entry", f"position {tree.size} is missing", remedy="run `halo verify`")
    return tree


def compute_root_at(database: Engine, tenant: str, size: int) -> bytes:
    """Merkle root over the first `size` entries, 32 bytes."""
    return _load_tree(database, tenant, size).root()


def sign_next_checkpoint(database: Engine, tenant: str, log: Signer, deadline_s: float) -> bytes | None:
    """Sign and store a checkpoint over all entries; None where the newest one covers them already."""
    database.begin(deadline_s)
    try:
        size = count_entries(database, tenant)
        row = database.execute("SELECT max(size) FROM checkpoint WHERE tenant=?", (tenant,)).fetchone()
        if size == 0 or (row[0] is not None and row[0] >= size):
            return None
        tree = _load_tree(database, tenant, size)
        note = sign_checkpoint(tenant, size, tree.root(), log)
        database.execute(
            "INSERT INTO checkpoint VALUES (?,?,?,?,?)", (tenant, size, tree.root(), note, tree.to_bytes())
        )
        hit_failpoint("checkpoint_signed")
        database.commit()
    finally:
        database.rollback()
    return note


def list_anchor_names(database: Engine, config: Any) -> tuple[str, str]:
    """Names under which the anchor file holds this store: the database's place, and the store's own id.

    The place finds it after the database was emptied or replaced, the id after it was moved or copied.
    """
    row = database.execute("SELECT store FROM control WHERE tenant=?", (config.tenant,)).fetchone()
    return database.describe_location(config.home), row[0] if row is not None else ""


def find_anchored_note(anchors: Mapping[str, Mapping[str, bytes]], database: Engine, config: Any) -> bytes | None:
    """The anchor's checkpoint for this database, by place or else by id; None where there is none."""
    for name in list_anchor_names(database, config):
        note = anchors.get(name, {}).get(config.tenant)
        if name and note is not None:
            return note
    return None


def select_anchors(anchors: Mapping[str, Mapping[str, bytes]], url: str, home: Path) -> Mapping[str, bytes]:
    """Tenant → checkpoint note that the anchor holds for the database of `url`, whether it is there or not."""
    if is_postgres(url):
        from halo_core.store.postgres_statements import describe_server  # noqa: PLC0415  the driver may not be installed

        return anchors.get(describe_server(url), {})
    return anchors.get(describe_file(sqlite_path(url), home), {})


def update_anchor(names: Iterable[str], config: Any, note: bytes) -> None:
    """Move the local anchor forward to `note`, under each of the store's names."""
    hit_failpoint("before_anchor")
    for name in names:
        if name not in ("", "memory"):
            advance_anchor(config.home / "anchor.json", config.tenant, name, note)
    hit_failpoint("after_anchor")


def open_writer_chain(tx: Transaction, config: Any, origin: dict[str, Any]) -> list[str]:
    """Write a writer's first entry, a new store's control row, and the outcomes that crashed writers left open.

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
    found = tx.cursor.execute("SELECT w FROM writer WHERE tenant=? AND closed_us IS NULL", (tx.tenant,))
    return [writer for (writer,) in found if writer != tx.writer.id]


def _begin_raised(tx: Transaction) -> None:
    """Put a new tenant, or a new database, of a home whose floor was raised in enforce mode.

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
        body = {"decision": {"leaf": encode_leaf(leaf), "w": writer, "ws": seq}, "status": "unknown"}
        tx.append(Draft(EntryKind.OUTCOME, session, {**body, "detail": why}, settles=(writer, seq)))


def close_writer_chain(tx: Transaction) -> None:
    """Write the last entry of a writer; the outcome of actions that still run is recorded as unknown."""
    _record_unknown_outcomes(tx, tx.writer.id, "the ledger was closed before the outcome was recorded")
    written = tx.append(Draft(EntryKind.WRITER_CLOSE, "", {"cause": "closed", "writer": tx.writer.id}))
    _record_closed(tx, tx.writer.id, written.entry.ts_us)


def refuse_older_than_anchor(database: Engine, config: Any, vkey: Vkey) -> None:
    """Refuse a database that holds fewer entries than the anchor covers, or other ones.

    Raises:
        Gap: code `ledger_behind_anchor`.
        Tampered: code `ledger_forked`.
    """
    note = find_anchored_note(read_anchors(config.home / "anchor.json"), database, config)
    if note is None:
        return
    anchored = open_checkpoint(note, vkey, config.tenant)
    size = count_entries(database, config.tenant)
    if size < anchored.size:
        raise Gap(
            "ledger_behind_anchor",
            f"the database has {size} entries, but its anchor has {anchored.size}",
            remedy="restore the newest copy, or follow the restore procedure in docs/operations.md",
        )
    if compute_root_at(database, config.tenant, anchored.size) != anchored.root:
        raise Tampered(
            "ledger_forked",
            f"the first {anchored.size} entries differ from those that the anchor covers",
            remedy="run `halo verify`",
        )


def refuse_foreign_store(database: Engine, config: Any, vkey: Vkey, image: TenantImage) -> None:
    """Refuse a log that was begun with other keys than those of the home.

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


class Writer:
    """Signs entries in its own sequence. Not thread-safe: the store guards it with a lock."""

    def __init__(self, tenant: str, writer_id: str, seed: bytes, log: Signer, home: Path | None) -> None:
        """With a lock file in `home`; None where a connection shows that the process is alive."""
        self.tenant = tenant
        self.id = writer_id
        self.seq = 0
        self.prev = ""
        self._signer = Ed25519Signer(seed)
        self._log = log
        self.vkey = format_vkey(make_vkey(writer_name(tenant, writer_id), self._signer.public_key))
        self._lock: tuple[int, Path] | None = None if home is None else lock_file(home, writer_id)

    @property
    def log_vkey(self) -> Vkey:
        """The log's key, which certifies writers."""
        return make_vkey(log_origin(self.tenant), self._log.public_key)

    def sign(self, entry: LedgerEntry) -> SignedEntry:
        """Sign the writer's next entry; after a rollback, `restore` the place before it."""
        # INVARIANT: AUDIT - a writer's key counts only if the log key certified it in the writer's first entry.
        log = self._log if entry.kind is EntryKind.WRITER_OPEN else None
        signed = encode_entry(entry, self._signer, log=log)
        self.seq += 1
        self.prev = binascii.b2a_base64(signed.leaf, newline=False).decode("ascii")
        return signed

    def chain_head(self) -> tuple[int, str]:
        """The end of the chain, for `restore`."""
        return self.seq, self.prev

    def restore(self, place: tuple[int, str]) -> None:
        """Go back to `place` after a rollback."""
        self.seq, self.prev = place

    def release_lock(self) -> None:
        """Remove the lock file."""
        if self._lock is not None:
            fd, path = self._lock
            path.unlink(missing_ok=True)
            os.close(fd)
            self._lock = None

    def abandon_lock(self) -> None:
        """Close this process's copy of the lock after a fork; the parent keeps it."""
        if self._lock is not None:
            os.close(self._lock[0])
            self._lock = None
