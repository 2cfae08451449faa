"""Signed checkpoints (C2SP tlog-checkpoint), and the local anchor file.

A checkpoint has three lines: origin, size in decimal, root in base64. It has no extension lines, and further signature
lines (cosignatures of witnesses) are ignored. The anchor is a file outside the database with the newest checkpoint of
each log: a database with fewer entries was rolled back. It only moves forward. On the same host it protects against a
restored copy, but not against somebody who can write both.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, HaloError, Tampered, describe_cause
from halo_core.files import hold_file_lock, replace_file
from halo_core.ledger.notes import Vkey, decode_base64, log_origin, open_note, sign_note, verify_note
from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer

_ROOT_BYTES: Final = 32
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: number of leaves and 32-byte root."""

    size: int
    root: bytes

    def body(self, tenant: str) -> bytes:
        """The text to sign."""
        return f"{log_origin(tenant)}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n".encode("ascii")


def sign_checkpoint(tenant: str, size: int, root: bytes, signer: Signer) -> bytes:
    """Sign a tree head with the log's key.

    Raises:
        BadInput: `bad_checkpoint`, a negative size or a root that is not 32 bytes.
        ConfigError: `bad_tenant`.
    """
    if not 0 <= size < 2**63 or len(root) != _ROOT_BYTES:
        problem = f"no tree has size {size} and a root of {len(root)} bytes"
        raise BadInput("bad_checkpoint", problem, field="size", remedy="give the size and root of a tree")
    return sign_note(Checkpoint(size, root).body(tenant), [(log_origin(tenant), signer)])


def open_checkpoint(note: bytes, vkey: Vkey, tenant: str) -> Checkpoint:
    """Verify a checkpoint of a tenant's log.

    Raises:
        Tampered: `malformed_note`, `bad_signature` or `bad_checkpoint` (another origin, another spelling).
    """
    verify_note(note, [vkey])
    return read_checkpoint(note, tenant)


def read_checkpoint(note: bytes, tenant: str) -> Checkpoint:
    """Parse a checkpoint without verifying its signature.

    Raises:
        Tampered: `malformed_note` or `bad_checkpoint`.
    """
    text = open_note(note).text
    _, *lines = text.decode("utf-8").split("\n")
    root = decode_base64(lines[1].encode("ascii", "replace")) if len(lines) == 3 and _SIZE.fullmatch(lines[0]) else None
    if root is not None and len(root) == _ROOT_BYTES:
        result = Checkpoint(int(lines[0]), root)
        # INVARIANT: printing what was parsed gives the signed text, so one head has one text.
        if result.body(tenant) == text:
            return result
    raise Tampered("bad_checkpoint", f"the note is not a checkpoint of `{log_origin(tenant)}`")


_VERSION: Final = 1
_MAX_FILE: Final = 64 * 1024 * 1024

Anchors = dict[str, dict[str, bytes]]
"""Name of a store → tenant → checkpoint note."""


def read_anchors(path: Path) -> Anchors:
    """Read the anchor file; empty if there is none.

    Raises:
        Tampered: `bad_anchor`, the file is damaged.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            # Reading at most a number of bytes takes memory for all of them.
            data = file.read(min(_MAX_FILE, os.fstat(file.fileno()).st_size))
    except FileNotFoundError:
        return {}
    try:
        tree = canonical.loads(data.removesuffix(b"\n"))
        return _decode_anchors(tree)
    except (HaloError, RecursionError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise Tampered(
            "bad_anchor",
            f"the anchor file `{path}` is damaged: {describe_cause(exc)}",
            remedy="restore it from a copy; without it a rollback is not detected",
        ) from exc


def _decode_anchors(tree: Any) -> Anchors:
    if tree["v"] != _VERSION or len(tree) != 2:
        raise ValueError("unknown version")
    anchors = {store: {t: note.encode() for t, note in logs.items()} for store, logs in tree["stores"].items()}
    for logs in anchors.values():
        for tenant, note in logs.items():
            read_checkpoint(note, tenant)
    return anchors


def advance_anchor(path: Path, tenant: str, store_id: str, checkpoint_note: bytes) -> bool:
    """Move a log's anchor forward, durably, under a lock that other processes respect.

    Args:
        path: the anchor file; its lock is `<path>.lock`.
        tenant: owner of the log.
        store_id: name of the store, since several databases can share one home.
        checkpoint_note: a checkpoint that the caller has signed or verified.

    Returns:
        False if the file already holds this size or a larger one, since another process was faster.

    Raises:
        Tampered: `anchor_fork` when the file holds another root at this size; `bad_anchor`; `bad_checkpoint`.
        OSError: the file cannot be written.
    """
    new = read_checkpoint(checkpoint_note, tenant)
    with hold_file_lock(path.with_name(f"{path.name}.lock")):
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
        stores = {store: {t: note.decode() for t, note in logs.items()} for store, logs in anchors.items()}
        replace_file(path, canonical.dumps({"stores": stores, "v": _VERSION}) + b"\n")
    return True
