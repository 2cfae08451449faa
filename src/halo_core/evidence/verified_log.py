"""Verifies a tenant's log in one pass before questions read it, and keeps an index of the times of its entries.

    log = verify_log(reader, tenant, home)
    for first, end in log.iter_spans(from_us, to_us): ...

The pass verifies:

- that positions count up from 0 without a gap;
- the hash tree, against the newest checkpoint and the anchor;
- the chain of each writer: every entry names the hash of the one before it;
- the columns that queries select by (kind, session, time, writer, sequence), against the signed text;
- the signatures of entries that no checkpoint covers yet.

Sealed contents and the other tables are left to `halo verify`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

import orjson

from halo_core.crypto.keys import encode_base64, verify_signature
from halo_core.errors import BadInput, Gap, NotVerified, Tampered
from halo_core.evidence.proofs import read_checkpoints
from halo_core.ledger import Vkey, build_entry_note, leaf_hash, parse_vkey, read_anchors
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint
from halo_core.ledger.notes import find_signature, open_note
from halo_core.ledger.tree import CompactRange
from halo_core.model import EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.read_rows import SignedRow
from halo_core.store.reader import Reader
from halo_core.verification import find_anchors

BLOCK: Final = 1024
"""Entries in one block of the index: of each block the earliest and the latest time are kept."""
_TAIL: Final = re.compile(
    rb',"kind":"([a-z_]+)","prev":"([A-Za-z0-9+/=]*)"(?:,"session":"([^"\\]*)")?,"ts_us":(\d+),"v":3,"ws":(\d+)\}'
)
"""The end of an entry's text, which holds the columns; found without parsing the whole text.

Canonical JSON sorts its keys, so these members stand last. Quotes within strings are escaped, so the last `,"kind":"`
is the member and not part of a value.
"""
_TAIL_START: Final = b',"kind":"'


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """A log that was verified.

    Args:
        size: entries of the log.
        head: the newest checkpoint; None if there is none.
        blocks: earliest and latest time (microseconds since 1970) of each `BLOCK` entries, in log order.
        open_writers: writers that have not closed, with the position of their last entry.
        closed_by_others: writers whose closing entry another writer wrote, with the position of that entry.
        unplaced: entries without a position (PostgreSQL, until the sequencer has placed them).
    """

    size: int
    head: Checkpoint | None
    blocks: tuple[tuple[int, int], ...]
    open_writers: Mapping[str, int]
    closed_by_others: Mapping[str, int]
    unplaced: int

    def iter_spans(self, from_us: int, to_us: int) -> Iterator[tuple[int, int]]:
        """Ranges of positions that may hold entries of a period; no entry of it is outside them.

        Args:
            from_us: start of the period, microseconds since 1970.
            to_us: its end, which is not part of it.

        Yields:
            First position, and the one after the last.
        """
        start: int | None = None
        for number, (earliest, latest) in enumerate(self.blocks):
            if earliest < to_us and latest >= from_us:
                start = number * BLOCK if start is None else start
            elif start is not None:
                yield start, number * BLOCK
                start = None
        if start is not None:
            yield start, self.size


def verify_log(reader: Reader, tenant: str, home: Path | None) -> VerifiedLog:
    """Verify a tenant's log.

    Args:
        reader: the store.
        tenant: owner of the log.
        home: folder with the trusted key and the anchor.

    Raises:
        Tampered: an entry is not what was signed.
        Gap: an entry is missing.
        NotVerified: `no_trust`, the home holds no trusted key of the tenant.
    """
    text = load_trusted_keys(home).get(tenant) if home is not None else None
    if home is None or text is None:
        remedy = "use the home that made the log, or one with its trust.json"
        raise NotVerified("no_trust", f"there is no trusted key of the log of `{tenant}`", remedy=remedy)
    log = parse_vkey(text)
    head, anchor = _open_heads(reader, tenant, log, home)
    heads = sorted((item for item in (anchor, head) if item is not None and item.size), key=lambda item: item.size)
    verifier = _LogVerifier(tenant, log, heads)
    for row in reader.signed_rows(tenant):
        verifier.add(row)
    verifier.finish()
    return VerifiedLog(
        verifier.size,
        head,
        tuple(verifier.blocks),
        verifier.list_open_writers(),
        verifier.closed_by_others,
        reader.count_unplaced(tenant),
    )


def _open_heads(reader: Reader, tenant: str, log: Vkey, home: Path) -> tuple[Checkpoint | None, Checkpoint | None]:
    """The newest checkpoint of the store, and the one of the anchor; None for one that is not there."""
    newest = reader.newest_checkpoint(tenant)
    stored = None if newest is None else next(read_checkpoints(reader, tenant, log, newest[0]), None)
    head = None if stored is None else stored.head
    anchor_note = find_anchors(reader, home, read_anchors(home / "anchor.json")).get(tenant)
    anchor = None if anchor_note is None else open_checkpoint(anchor_note, log, tenant)
    if anchor is not None and anchor.size and (head is None or head.size < anchor.size):
        raise Gap("checkpoint_missing", "the checkpoint of the anchor is missing", remedy="run `halo verify`")
    return head, anchor


def describe_anchors(home: Path) -> Iterator[str]:
    """The newest checkpoint of each log that a home knows of, in words; no log is read."""
    notes_by_place = read_anchors(home / "anchor.json")
    for tenant, text in sorted(load_trusted_keys(home).items()):
        try:
            log = parse_vkey(text)
            notes = [notes[tenant] for notes in notes_by_place.values() if tenant in notes]
            heads = [open_checkpoint(note, log, tenant) for note in notes]
        except (BadInput, NotVerified) as exc:
            yield f"{tenant}: the anchor does not verify ({exc.code})"
            continue
        head = max(heads, key=lambda item: item.size, default=None)
        yield f"{tenant}: none" if head is None else f"{tenant}: {encode_root(head)} of {head.size} entries"


def encode_root(head: Checkpoint) -> str:
    """The root of a checkpoint in base64, as it is printed."""
    return encode_base64(head.root)


@dataclass(slots=True)
class _WriterChain:
    """A writer's chain as far as it was read.

    Args:
        seq: sequence of its newest entry; -1 before the first.
        leaf: leaf hash of that entry.
        key: that its opening entry names; None if that cannot be read.
        last_index: position of its newest entry.
        is_closed: it wrote its closing entry.
    """

    seq: int = -1
    leaf: bytes = b""
    key: Vkey | None = None
    last_index: int = -1
    is_closed: bool = False


@dataclass(slots=True)
class _LogVerifier:
    """Takes the rows of a log one by one and verifies them.

    Args:
        tenant: owner of the log.
        log: the log's key.
        heads: signed checkpoints that are still to be compared, by size.
        size: entries that were taken.
        tree: tree over the entries up to the newest block.
        leaves: leaf hashes that are not in the tree yet.
        blocks: see `VerifiedLog`.
        writers: id → chain.
        closed_by_others: see `VerifiedLog`.
    """

    tenant: str
    log: Vkey
    heads: list[Checkpoint]
    size: int = 0
    tree: CompactRange = field(default_factory=CompactRange)
    leaves: list[bytes] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    writers: dict[str, _WriterChain] = field(default_factory=dict)
    closed_by_others: dict[str, int] = field(default_factory=dict)

    def add(self, row: SignedRow) -> None:
        """Verify the next entry."""
        index, writer, seq, kind, session, ts_us, text, signatures = row
        if index != self.size:
            gap = f"position {self.size}" if index == self.size + 1 else f"positions {self.size} to {index - 1}"
            raise Gap("position_missing", f"{gap} of the log missing", remedy="run `halo verify`")
        text, signatures = bytes(text), bytes(signatures)
        note = build_entry_note(self.tenant, writer, text, signatures)
        leaf = leaf_hash(note)
        prev = _check_columns(index, text, (kind, session, ts_us, seq))
        chain = self.writers.get(writer)
        if chain is None:
            chain = self.writers[writer] = _WriterChain()
        self._check_chain(chain, index, seq, prev, kind)
        if kind in (EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE):
            self._note_start_or_end(chain, writer, index, text)
        if index >= self._covered_size():
            self._check_signature(chain, index, note, seq)
        chain.seq, chain.leaf, chain.last_index = seq, leaf, index
        self.leaves.append(leaf)
        self.size += 1
        earliest, latest = (ts_us, ts_us) if index % BLOCK == 0 else self.blocks.pop()
        self.blocks.append((min(earliest, ts_us), max(latest, ts_us)))
        if len(self.leaves) >= BLOCK or (self.heads and self.size == self.heads[0].size):
            self._compare_heads()

    def _covered_size(self) -> int:
        """How many entries the newest checkpoint covers; 0 once the pass is behind it."""
        return self.heads[-1].size if self.heads else 0

    def _compare_heads(self) -> None:
        """Put the leaves into the tree, and compare its root with the signed checkpoints of this size."""
        self.tree.extend(self.leaves)
        self.leaves.clear()
        while self.heads and self.heads[0].size <= self.size:
            head = self.heads[0]
            if self.tree.root() != head.root:
                message = f"the first {head.size} entries are not those that were signed"
                raise Tampered("root_mismatch", message, remedy="run `halo verify`")
            del self.heads[0]

    def _check_chain(self, chain: _WriterChain, index: int, seq: int, prev: bytes, kind: str) -> None:
        """Require the next sequence and the hash of the entry before; a chain begins with its opening entry."""
        if seq != chain.seq + 1:
            message = f"an entry before position {index} is missing from the chain of its writer"
            raise Gap("entry_missing", message, remedy="run `halo verify`")
        expected = binascii.b2a_base64(chain.leaf, newline=False) if chain.leaf else b""
        if prev != expected or (seq == 0) != (kind == EntryKind.WRITER_OPEN) or chain.is_closed:
            message = f"the entry at position {index} does not follow from the one before it"
            raise Tampered("chain_broken", message, remedy="run `halo verify`")

    def _note_start_or_end(self, chain: _WriterChain, writer: str, index: int, text: bytes) -> None:
        """Take a writer's key from its opening entry, or note who closed which writer."""
        body = orjson.loads(text)["body"]
        if chain.seq == -1:
            try:
                chain.key = parse_vkey(str(body["vkey"]))
            except (BadInput, KeyError):
                chain.key = None
            return
        closed = str(body.get("writer", writer))
        if closed == writer:
            chain.is_closed = True
        else:
            self.closed_by_others[closed] = index

    def _check_signature(self, chain: _WriterChain, index: int, note: bytes, seq: int) -> None:
        """Require the writer's signature, and on its first entry also that of the log's key, which certifies it."""
        opened = open_note(note)
        for vkey in (chain.key, *([self.log] if seq == 0 else [])):
            signature = None if vkey is None else find_signature(opened, vkey)
            if vkey is None or signature is None or not verify_signature(vkey.public, opened.text, signature):
                message = f"the entry at position {index} is not signed by its writer, or its writer is not certified"
                raise Tampered("bad_signature", message, remedy="run `halo verify`")

    def finish(self) -> None:
        """End the pass, and require every entry that a checkpoint covers."""
        self._compare_heads()
        if self.heads:
            size = self.heads[-1].size
            message = f"{size} entries are signed, but only {self.size} exist"
            raise Gap("ledger_behind_anchor", message, remedy="restore the newest copy")

    def list_open_writers(self) -> dict[str, int]:
        """Writers that nobody has closed → position of their newest entry."""
        return {
            writer: chain.last_index
            for writer, chain in self.writers.items()
            if not chain.is_closed and writer not in self.closed_by_others
        }


def _check_columns(index: int, text: bytes, columns: tuple[object, ...]) -> bytes:
    """Compare the columns of a row with its signed text.

    Args:
        index: position, for an error.
        text: text of the entry.
        columns: kind, session, time and sequence of the row.

    Returns:
        Hash of the entry before, base64, as the text says it.

    Raises:
        Tampered: they differ, or the text cannot be read.
    """
    match = _TAIL.fullmatch(text, max(0, text.rfind(_TAIL_START)))
    if match is not None:
        kind, prev, session, ts_us, seq = match.groups()
        signed: tuple[object, ...] = (kind.decode(), (session or b"").decode(), int(ts_us), int(seq))
    else:
        try:
            tree = orjson.loads(text)
            signed = (tree["kind"], tree.get("session", ""), tree["ts_us"], tree["ws"])
            prev = str(tree["prev"]).encode()
        except (KeyError, TypeError, ValueError) as exc:
            raise Tampered("malformed_entry", f"the entry at position {index} cannot be read: {exc}") from exc
    if signed != columns:
        message = f"the row at position {index} differs from what was signed (kind, session, time or sequence)"
        raise Tampered("column_altered", message, remedy="run `halo verify`")
    return bytes(prev)
