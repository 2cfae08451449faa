"""Room: the local anchor file. Takes: a path, a checkpoint. Gives: the newest checkpoint per store. Never: decides.

The anchor stands outside the database and remembers how large each log was; a database that is smaller was rolled
back. It only moves forward. On the same host it protects against a restored copy, not against who can write both.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from halo_core import canonical
from halo_core.errors import HaloError, Tampered
from halo_core.ledger.checkpoint import read_checkpoint

__all__ = ["advance", "read_anchors"]

_VERSION: Final = 1
_MAX_FILE: Final = 64 * 1024 * 1024

Anchors = dict[str, dict[str, bytes]]
"""Store id → tenant → checkpoint note."""


def read_anchors(path: Path) -> Anchors:
    """Read the anchor file: store id → tenant → checkpoint note; empty when there is no file.

    Raises:
        Tampered: `bad_anchor`, the file is not what Halo wrote.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE)
    except FileNotFoundError:
        return {}
    try:
        plain = canonical.loads(data.removesuffix(b"\n"))
        return _checked(plain)
    except (HaloError, RecursionError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise Tampered(
            "bad_anchor",
            f"the anchor file `{path}` is damaged: {exc}",
            remedy="restore it from a copy; without it a rollback goes unseen",
        ) from exc


def _checked(plain: Any) -> Anchors:
    if plain["v"] != _VERSION or len(plain) != 2:
        raise ValueError("unknown version")
    anchors = {store: {t: note.encode() for t, note in logs.items()} for store, logs in plain["stores"].items()}
    for logs in anchors.values():
        for tenant, note in logs.items():
            read_checkpoint(note, tenant)
    return anchors


def advance(path: Path, tenant: str, store_id: str, checkpoint_note: bytes) -> bool:
    """Move a log's anchor forward, durably, under a lock that other processes respect.

    Args:
        path: the anchor file; its lock is `<path>.lock`.
        tenant: whose log.
        store_id: id of the store, so that several databases can share one home.
        checkpoint_note: a checkpoint the caller has signed or verified.

    Returns:
        True if it moved; False if the file already holds this size or a larger one (another process was faster).

    Raises:
        Tampered: `anchor_fork` when the file holds another root at this size; `bad_anchor`; `bad_checkpoint`.
        OSError: the file cannot be written.
    """
    new = read_checkpoint(checkpoint_note, tenant)
    with _locked(path):
        anchors = read_anchors(path)
        logs = anchors.setdefault(store_id, {})
        if tenant in logs:
            old = read_checkpoint(logs[tenant], tenant)
            if old.size == new.size and old.root != new.root:
                raise Tampered("anchor_fork", f"the anchor of `{tenant}` has another root at size {new.size}")
            # INVARIANT: the anchor only moves forward.
            if new.size <= old.size:
                return False
        logs[tenant] = checkpoint_note
        _replace(path, anchors)
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, anchors: Anchors) -> None:
    stores = {store: {t: note.decode() for t, note in logs.items()} for store, logs in anchors.items()}
    data = canonical.dumps({"stores": stores, "v": _VERSION}) + b"\n"
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(6)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # The new name is durable only when its directory is.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
