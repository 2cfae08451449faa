"""Room: self-contained proofs (C2SP tlog-proof). Takes: leaves, notes. Gives: text to keep, a verdict. Never: I/O.

The text holds everything but the trusted key: the entry (in the `extra` line), its index, the audit path and a signed
checkpoint. The format is public, so others can check it with their own tools.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from halo_core.errors import BadInput, Tampered
from halo_core.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from halo_core.ledger.merkle import inclusion_proof, leaf_hash, verify_inclusion
from halo_core.ledger.note import Vkey, unbase64
from halo_core.ledger.record import decode_entry

if TYPE_CHECKING:
    from halo_core.model.entry import Entry

__all__ = ["Proven", "check_proof", "make_proof"]

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")
# 63 hashes, an entry and a checkpoint of 64 KiB each, in base64, fit well.
_MAX_PROOF: Final = 300_000


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof shows: this entry is at `index` of the tree with this head."""

    entry: Entry
    index: int
    head: Checkpoint


def make_proof(tenant: str, leaves: Sequence[bytes], index: int, note: bytes, checkpoint: bytes) -> str:
    """Write the proof that an entry is in a checkpointed tree.

    Args:
        tenant: whose log.
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
        raise BadInput("not_covered", "entry, leaves and checkpoint do not belong together", field="leaves")
    lines = [_HEADER, f"extra {_b64(note)}", f"index {index}", *map(_b64, path), "", checkpoint.decode("utf-8")]
    return "\n".join(lines)


def check_proof(text: str, vkey: Vkey, tenant: str) -> Proven:
    """Check a proof against the trusted key of a tenant's log.

    Raises:
        Tampered: `bad_proof`, or what `open_checkpoint` and `decode_entry` raise; nothing else, whatever the text.
    """
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    match = _INDEX.fullmatch(lines[2]) if len(lines) >= 3 and len(text) <= _MAX_PROOF else None
    if match is None or lines[0] != _HEADER or not lines[1].startswith("extra "):
        raise Tampered("bad_proof", "this text is no inclusion proof")
    note, *path = [unbase64(line.encode("ascii", "replace")) for line in (lines[1][len("extra ") :], *lines[3:])]
    signed = open_checkpoint(checkpoint.encode("utf-8", "replace"), vkey, tenant)
    index = int(match[1])
    hashes = [item for item in path if item is not None]
    whole = note is not None and len(hashes) == len(path)
    if note is None or not whole or not verify_inclusion(index, signed.size, leaf_hash(note), hashes, signed.root):
        raise Tampered("bad_proof", f"the proof does not lead from entry {index} to the signed root")
    entry = decode_entry(note)
    if entry.tenant != tenant:
        raise Tampered("bad_proof", "the entry belongs to another tenant")
    return Proven(entry, index, signed)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
