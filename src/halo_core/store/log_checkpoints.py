"""What is signed and trusted about a log as a whole: its checkpoints, the local anchor, and its key (`trust.json`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import orjson

from halo_core.crypto.keys import Signer
from halo_core.errors import ConfigError, Gap, Tampered
from halo_core.failpoints import hit_failpoint
from halo_core.files import hold_file_lock, replace_file
from halo_core.ledger import (
    CompactRange,
    Vkey,
    advance_anchor,
    build_entry_note,
    leaf_hash,
    open_checkpoint,
    read_anchors,
    sign_checkpoint,
)
from halo_core.store.config import StoreConfig
from halo_core.store.database import describe_file, find_sqlite_path
from halo_core.store.engine import Engine, is_postgres

_TRUST_FILE: Final = "trust.json"
_RESTORE_REMEDY: Final = "restore the file from a backup: it says which log key is trusted"
_SELECT_NOTES: Final = (
    "SELECT idx, tenant, w, body, signatures FROM entry WHERE tenant=? AND idx>=? AND idx<? ORDER BY idx"
)


def load_trusted_keys(home: Path) -> dict[str, str]:
    """Tenant → verifier key of its log; empty if none is trusted yet.

    Raises:
        ConfigError: `bad_trust`, the file is damaged.
    """
    path = home / _TRUST_FILE
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ConfigError("bad_trust", f"`{path}` cannot be read: {exc}", field="home", remedy=_RESTORE_REMEDY) from exc
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        problem = f"`{path}` is not a map of tenant to key"
        raise ConfigError("bad_trust", problem, field="home", remedy=_RESTORE_REMEDY)
    return data


def check_trusted_key(home: Path, tenant: str, vkey: str) -> bool:
    """Whether `vkey` is already trusted; False if the tenant has no key.

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
    with hold_file_lock(home / f"{_TRUST_FILE}.lock"):
        if not check_trusted_key(home, tenant, vkey):  # else another process or thread was first
            keys = {**load_trusted_keys(home), tenant: vkey}
            replace_file(home / _TRUST_FILE, orjson.dumps(keys, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def count_entries(database: Engine, tenant: str) -> int:
    """Number of entries that have a position."""
    row = database.execute("SELECT max(idx) FROM entry WHERE tenant=?", (tenant,)).fetchone()
    return 0 if row[0] is None else int(row[0]) + 1


def _load_tree(database: Engine, tenant: str, size: int) -> CompactRange:
    row = database.execute(
        "SELECT frontier FROM checkpoint WHERE tenant=? AND size<=? ORDER BY size DESC LIMIT 1", (tenant, size)
    ).fetchone()
    tree = CompactRange.from_bytes(row[0]) if row is not None else CompactRange()
    for idx, *columns in database.execute(_SELECT_NOTES, (tenant, tree.size, size)):
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
    """Sign and store a checkpoint over all entries; None if the newest one already covers them."""
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


def list_anchor_names(database: Engine, config: StoreConfig) -> tuple[str, str]:
    """Names under which the anchor file holds this store: the database's place, and the store's own id.

    The place finds it after the database was emptied or replaced, the id after it was moved or copied.
    """
    row = database.execute("SELECT store FROM control WHERE tenant=?", (config.tenant,)).fetchone()
    return database.describe_location(config.home), row[0] if row is not None else ""


def find_anchored_note(
    anchors: Mapping[str, Mapping[str, bytes]], database: Engine, config: StoreConfig
) -> bytes | None:
    """The anchored checkpoint of this database, by location or else by id; None if there is none."""
    for name in list_anchor_names(database, config):
        note = anchors.get(name, {}).get(config.tenant)
        if name and note is not None:
            return note
    return None


def select_anchors(anchors: Mapping[str, Mapping[str, bytes]], url: str, home: Path) -> Mapping[str, bytes]:
    """Tenant → anchored checkpoint of the database of `url`, whether it exists or not."""
    if is_postgres(url):
        from halo_core.store.postgres_statements import describe_server  # noqa: PLC0415  the driver may not be installed

        return anchors.get(describe_server(url), {})
    return anchors.get(describe_file(find_sqlite_path(url), home), {})


def update_anchor(names: Iterable[str], config: StoreConfig, note: bytes) -> None:
    """Move the local anchor forward to `note`, under each of the store's names."""
    hit_failpoint("before_anchor")
    for name in names:
        if name not in ("", "memory"):
            advance_anchor(config.home / "anchor.json", config.tenant, name, note)
    hit_failpoint("after_anchor")


def refuse_older_than_anchor(database: Engine, config: StoreConfig, vkey: Vkey) -> None:
    """Refuse a database with fewer entries than the anchor covers, or with other ones.

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
