"""Signed checkpoints (C2SP tlog-checkpoint), the local anchor file, and inclusion proofs as text (C2SP tlog-proof).

A checkpoint has three lines: origin, size in decimal, root in base64. It has no extension lines, and further signature
lines (cosignatures of witnesses) are ignored. The anchor is a file outside the database with the newest checkpoint of
each log: a database with fewer entries was rolled back. It only moves forward; on the same host it protects against a
restored copy, not against somebody who can write both. A proof holds an entry, its index, the audit path and a
checkpoint, so that others can verify it with the log's key and their own tools.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, HaloError, Tampered
from halo_core.files import hold_file_lock, replace_file
from halo_core.ledger.notes import Vkey, decode_base64, decode_entry, log_origin, open_note, sign_note, verify_note
from halo_core.ledger.tree import inclusion_proof, leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer
    from halo_core.model.ledger_entry import LedgerEntry

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
        raise BadInput("bad_checkpoint", f"no tree has size {size} and a root of {len(root)} bytes", field="size")
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
    _, *rest = text.decode("utf-8").split("\n")
    root = decode_base64(rest[1].encode("ascii", "replace")) if len(rest) == 3 and _SIZE.fullmatch(rest[0]) else None
    if root is not None and len(root) == _ROOT_BYTES:
        result = Checkpoint(int(rest[0]), root)
        # INVARIANT: printing what was parsed gives the signed text, so one head has one text.
        if result.body(tenant) == text:
            return result
    raise Tampered("bad_checkpoint", f"the note is not a checkpoint of `{log_origin(tenant)}`")


_VERSION: Final = 1
_MAX_FILE: Final = 64 * 1024 * 1024

Anchors = dict[str, dict[str, bytes]]
"""Name of a store → tenant → checkpoint note."""


def read_anchors(path: Path) -> Anchors:
    """Read the anchor file; empty where there is none.

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
            f"the anchor file `{path}` is damaged: {exc}",
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


_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")
# 63 hashes, an entry and a checkpoint of 64 KiB each, in base64, fit well.
_MAX_PROOF: Final = 300_000


@dataclass(frozen=True, slots=True)
class VerifiedInclusion:
    """The result of a valid proof: this entry is at `index` of the tree with this head."""

    entry: LedgerEntry
    index: int
    head: Checkpoint


def make_proof(tenant: str, leaves: Sequence[bytes], index: int, note: bytes, checkpoint: bytes) -> str:
    """Write the proof that an entry is in a checkpointed tree.

    Args:
        tenant: owner of the log.
        leaves: leaf hashes in order of position, at least as many as the checkpoint covers.
        index: position of the entry.
        note: the entry's signed note.
        checkpoint: a signed checkpoint whose size is above `index`.

    Raises:
        BadInput: `not_covered`, the checkpoint does not cover the entry, or the leaves are not its tree.
    """
    head = read_checkpoint(checkpoint, tenant)
    if not 0 <= index < head.size <= len(leaves):
        raise BadInput(
            "not_covered",
            f"a checkpoint of size {head.size} does not cover entry {index}",
            field="index",
            remedy="wait for the next checkpoint",
        )
    path = inclusion_proof(leaves[: head.size], index)
    if not verify_inclusion(index, head.size, leaf_hash(note), path, head.root):
        raise BadInput("not_covered", "entry, leaves and checkpoint do not match", field="leaves")
    lines = [
        _HEADER,
        f"extra {_encode_base64(note)}",
        f"index {index}",
        *map(_encode_base64, path),
        "",
        checkpoint.decode("utf-8"),
    ]
    return "\n".join(lines)


def check_proof(text: str, vkey: Vkey, tenant: str) -> VerifiedInclusion:
    """Check a proof against the trusted key of a tenant's log.

    Raises:
        Tampered: `bad_proof`, or what `open_checkpoint` and `decode_entry` raise; nothing else, whatever the text.
    """
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    match = _INDEX.fullmatch(lines[2]) if len(lines) >= 3 and len(text) <= _MAX_PROOF else None
    if match is None or lines[0] != _HEADER or not lines[1].startswith("extra "):
        raise Tampered("bad_proof", "this text is not an inclusion proof")
    note, *path = [decode_base64(line.encode("ascii", "replace")) for line in (lines[1][len("extra ") :], *lines[3:])]
    signed = open_checkpoint(checkpoint.encode("utf-8", "replace"), vkey, tenant)
    index = int(match[1])
    hashes = [item for item in path if item is not None]
    all_decoded = note is not None and len(hashes) == len(path)
    if (
        note is None
        or not all_decoded
        or not verify_inclusion(index, signed.size, leaf_hash(note), hashes, signed.root)
    ):
        raise Tampered("bad_proof", f"the proof does not lead from entry {index} to the signed root")
    entry = decode_entry(note)
    if entry.tenant != tenant:
        raise Tampered("bad_proof", "the entry belongs to another tenant")
    return VerifiedInclusion(entry, index, signed)


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
