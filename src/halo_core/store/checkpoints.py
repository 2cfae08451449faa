"""Room: signing checkpoints over the store's tree. Takes: a database. Gives: signed tree heads and the anchor moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from halo_core.errors import Gap
from halo_core.failpoints import reach
from halo_core.keys import Signer
from halo_core.ledger import CompactRange, advance, sign_checkpoint
from halo_core.store.database import Database, sqlite_path

__all__ = ["anchor", "anchor_names", "anchored_note", "log_size", "remembered", "root_at", "sign_next"]

_LEAVES = (
    "SELECT p.idx, e.leaf FROM position p JOIN entry e USING (tenant, w, ws) "
    "WHERE p.tenant=? AND p.idx>=? AND p.idx<? ORDER BY p.idx"
)


def log_size(database: Database, tenant: str) -> int:
    """Number of entries that have a position."""
    row = database.connection.execute("SELECT max(idx) FROM position WHERE tenant=?", (tenant,)).fetchone()
    return 0 if row[0] is None else int(row[0]) + 1


def _range_at(database: Database, tenant: str, size: int) -> CompactRange:
    row = database.connection.execute(
        "SELECT frontier FROM checkpoint WHERE tenant=? AND size<=? ORDER BY size DESC LIMIT 1", (tenant, size)
    ).fetchone()
    tree = CompactRange.from_bytes(row[0]) if row is not None else CompactRange()
    for idx, leaf in database.connection.execute(_LEAVES, (tenant, tree.size, size)):
        if idx != tree.size:
            raise Gap("missing_entry", f"position {tree.size} is missing", remedy="run `halo verify`")
        tree.append(leaf)
    if tree.size != size:
        raise Gap("missing_entry", f"position {tree.size} is missing", remedy="run `halo verify`")
    return tree


def root_at(database: Database, tenant: str, size: int) -> bytes:
    """Merkle root over the first `size` entries, 32 bytes."""
    return _range_at(database, tenant, size).root()


def sign_next(database: Database, tenant: str, log: Signer, deadline_s: float) -> bytes | None:
    """Sign a checkpoint over everything; None when the newest one covers it already."""
    database.begin(deadline_s)
    try:
        size = log_size(database, tenant)
        row = database.connection.execute("SELECT max(size) FROM checkpoint WHERE tenant=?", (tenant,)).fetchone()
        if size == 0 or (row[0] is not None and row[0] >= size):
            return None
        tree = _range_at(database, tenant, size)
        note = sign_checkpoint(tenant, size, tree.root(), log)
        database.connection.execute(
            "INSERT INTO checkpoint VALUES (?,?,?,?,?)", (tenant, size, tree.root(), note, tree.to_bytes())
        )
        reach("checkpoint_signed")
        database.connection.execute("COMMIT")
    finally:
        database.rollback()
    return note


def anchor_names(database: Database, config: Any) -> tuple[str, str]:
    """Names under which the anchor is kept: the file's place, and the store's own id.

    The place finds the anchor when the file was emptied or replaced, the id when it was moved or copied.
    """
    row = database.connection.execute("SELECT store FROM control WHERE tenant=?", (config.tenant,)).fetchone()
    return _place(database.path, config.home), row[0] if row is not None else ""


def _place(path: Path | None, home: Path) -> str:
    if path is None:
        return "memory"
    full, base = Path(os.path.realpath(path)), Path(os.path.realpath(home))
    return f"home:{full.relative_to(base)}" if full.is_relative_to(base) else f"file:{full}"


def anchored_note(anchors: Mapping[str, Mapping[str, bytes]], database: Database, config: Any) -> bytes | None:
    """The anchor's checkpoint for this database, by place and else by id."""
    for name in anchor_names(database, config):
        note = anchors.get(name, {}).get(config.tenant)
        if name and note is not None:
            return note
    return None


def remembered(anchors: Mapping[str, Mapping[str, bytes]], url: str, home: Path) -> Mapping[str, bytes]:
    """Tenant → checkpoint note that the anchor holds for the file behind `url`, whatever is there now."""
    return anchors.get(_place(sqlite_path(url), home), {})


def anchor(names: Iterable[str], config: Any, note: bytes) -> None:
    """Move the local anchor forward to `note`, under each of its names."""
    reach("before_anchor")
    for name in names:
        if name not in ("", "memory"):
            advance(config.home / "anchor.json", config.tenant, name, note)
    reach("after_anchor")
