"""Room: the ledger. Signed notes, Merkle tree, checkpoints, sealed content, verification. Pure but for its reader.

note ──▶ record ──▶ merkle ──▶ checkpoint ──▶ anchor        how an entry becomes evidence
                     └──────▶ verify, proof                 how anybody checks it
"""

from halo_core.ledger.anchor import advance, read_anchors
from halo_core.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from halo_core.ledger.content import new_dek, open_sealed, seal, unwrap_dek, wrap_dek
from halo_core.ledger.merkle import CompactRange
from halo_core.ledger.note import Vkey, parse_vkey, verify_note, vkey_of, vkey_string
from halo_core.ledger.reader import LedgerReader, Trust
from halo_core.ledger.record import decode_entry, encode_entry, leaf_hash, origin, writer_name
from halo_core.ledger.report import CHECKS, LIMITS, Finding, Report
from halo_core.ledger.verify import verify
from halo_core.ledger.verify_states import chain_marks, commit_state

__all__ = [
    "CHECKS",
    "LIMITS",
    "Checkpoint",
    "CompactRange",
    "Finding",
    "LedgerReader",
    "Report",
    "Trust",
    "Vkey",
    "advance",
    "chain_marks",
    "commit_state",
    "decode_entry",
    "encode_entry",
    "leaf_hash",
    "new_dek",
    "open_checkpoint",
    "open_sealed",
    "origin",
    "parse_vkey",
    "read_anchors",
    "seal",
    "sign_checkpoint",
    "unwrap_dek",
    "verify",
    "verify_note",
    "vkey_of",
    "vkey_string",
    "wrap_dek",
    "writer_name",
]
