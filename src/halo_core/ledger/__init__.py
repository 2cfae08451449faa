"""The ledger: entries as signed notes, the Merkle tree over them, checkpoints, sealed content, and verification.

A writer signs an entry as a note (`notes`), its hash becomes a leaf of the tenant's tree (`tree`), the log's key signs
heads of that tree (`checkpoints`), and the newest one is kept outside the database as the anchor. `verify` checks all
of it again. Except for the `LedgerReader` and the anchor file, nothing here does any I/O.
"""

from halo_core.ledger.checkpoints import advance_anchor, open_checkpoint, read_anchors, sign_checkpoint
from halo_core.ledger.commitments import chain_marks, commit_state, digest_state
from halo_core.ledger.notes import (
    SignedEntry,
    Vkey,
    build_entry_note,
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
from halo_core.ledger.reader import PROVISIONAL, Stream, Trust
from halo_core.ledger.report import LIMITS, Report
from halo_core.ledger.sealed_content import (
    BoxKeys,
    SubjectKey,
    compute_attached_digest,
    compute_key_commitment,
    digest_box_keys,
    find_box_key,
    follow_content_key,
    name_next_key,
    new_dek,
    open_attached,
    open_sealed,
    read_subject,
    rewrap,
    seal,
    split_boxes,
    split_marks,
    unwrap_dek,
    unwrap_key,
    wrap_box_keys,
    wrap_dek,
    wrap_next_content_key,
)
from halo_core.ledger.tree import CompactRange

__all__ = [
    "LIMITS",
    "PROVISIONAL",
    "BoxKeys",
    "CompactRange",
    "Report",
    "SignedEntry",
    "Stream",
    "SubjectKey",
    "Trust",
    "Vkey",
    "advance_anchor",
    "build_entry_note",
    "chain_marks",
    "commit_state",
    "compute_attached_digest",
    "compute_key_commitment",
    "decode_entry",
    "digest_box_keys",
    "digest_state",
    "encode_entry",
    "find_box_key",
    "follow_content_key",
    "format_vkey",
    "leaf_hash",
    "log_origin",
    "make_vkey",
    "name_next_key",
    "new_dek",
    "open_attached",
    "open_checkpoint",
    "open_sealed",
    "parse_vkey",
    "read_anchors",
    "read_subject",
    "rewrap",
    "seal",
    "sign_checkpoint",
    "split_boxes",
    "split_marks",
    "unwrap_dek",
    "unwrap_key",
    "verify_note",
    "wrap_box_keys",
    "wrap_dek",
    "wrap_next_content_key",
    "writer_name",
]
