"""Room: the ledger. Signed notes, Merkle tree, checkpoints, sealed content, verification. Pure but for its reader.

note ──▶ record ──▶ merkle ──▶ checkpoint ──▶ anchor        how an entry becomes evidence
                     └──────▶ verify, proof                 how anybody checks it
"""

from halo_core.ledger.checkpoints import Checkpoint, advance_anchor, open_checkpoint, read_anchors, sign_checkpoint
from halo_core.ledger.notes import (
    Vkey,
    decode_entry,
    encode_entry,
    format_vkey,
    leaf_hash,
    log_origin,
    make_vkey,
    parse_vkey,
    verify_note,
    writer_name,
)
from halo_core.ledger.reader import LedgerReader, Trust
from halo_core.ledger.report import CHECKS, LIMITS, Finding, Report
from halo_core.ledger.sealed_content import new_dek, open_sealed, seal, unwrap_dek, wrap_dek
from halo_core.ledger.tree import CompactRange
from halo_core.ledger.verify import verify
from halo_core.ledger.verify_projections import chain_marks, commit_state

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
    "advance_anchor",
    "chain_marks",
    "commit_state",
    "decode_entry",
    "encode_entry",
    "format_vkey",
    "leaf_hash",
    "log_origin",
    "make_vkey",
    "new_dek",
    "open_checkpoint",
    "open_sealed",
    "parse_vkey",
    "read_anchors",
    "seal",
    "sign_checkpoint",
    "unwrap_dek",
    "verify",
    "verify_note",
    "wrap_dek",
    "writer_name",
]
