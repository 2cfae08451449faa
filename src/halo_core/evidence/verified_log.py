"""One pass over a tenant's log that verifies what an answer is made of, and remembers where which times stand.

Verified are: positions without a gap from 0, the hash tree under the newest checkpoint and under the anchor, the chain
of each writer, the columns by which rows are selected (kind, session, time, writer, sequence) against the signed text,
and the signatures of entries that no checkpoint covers yet. Contents and the other tables are left to `halo verify`.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from halo_core.crypto.keys import verify_signature
from halo_core.errors import BadInput, Gap, NotVerified, Tampered
from halo_core.ledger import Vkey, build_entry_note, parse_vkey, read_anchors
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint
from halo_core.ledger.notes import find_signature, open_note
from halo_core.ledger.tree import CompactRange
from halo_core.model import EntryKind
from halo_core.store.reader import Reader
from halo_core.store.writer_chains import load_trusted_keys
from halo_core.verification import find_anchors

BLOCK: Final = 1024
"""Positions whose earliest and latest time are remembered together."""
_TAIL: Final = re.compile(
    rb',"kind":"([a-z_]+)","prev":"([A-Za-z0-9+/=]*)"(?:,"session":"([^"\\]*)")?,"ts_us":(\d+),"v":3,"ws":(\d+)\}'
)
"""The end of an entry's text, from the last `,"kind":"` on: keys are sorted, and quotes within strings escaped."""
_TAIL_START: Final = b',"kind":"'


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """What the pass found out.

    Args:
        size: entries of the log.
        head: the newest checkpoint; None where there is none.
        blocks: earliest and latest time of the entries of each `BLOCK` positions.
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
        """Ranges of positions in which entries of a time may stand: first, and the one after the last."""
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
        tenant: whose log.
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
    anchor_note = find_anchors(reader, home, read_anchors(home / "anchor.json")).get(tenant)
    anchor = None if anchor_note is None else open_checkpoint(anchor_note, log, tenant)
    newest = reader.newest_checkpoint(tenant)
    head = None if newest is None else open_checkpoint(newest[1], log, tenant)
    if head is not None and newest is not None and head.size != newest[0]:
        raise Tampered("column_altered", f"the checkpoint of size {newest[0]} is signed for size {head.size}")
    if anchor is not None and anchor.size and (head is None or head.size < anchor.size):
        raise Gap("checkpoint_missing", "the checkpoint of the anchor is missing", remedy="run `halo verify`")
    heads = sorted((item for item in (anchor, head) if item is not None and item.size), key=lambda item: item.size)
    run = _Pass(tenant, log, heads)
    for row in reader.signed_rows(tenant):
        run.add(row)
    run.finish()
    ended = run.closed_by_others
    still_open = {w: chain.last_index for w, chain in run.writers.items() if not chain.is_closed and w not in ended}
    return VerifiedLog(run.size, head, tuple(run.blocks), still_open, ended, reader.count_unplaced(tenant))


@dataclass(slots=True)
class _Chain:
    """The end of a writer's chain."""

    seq: int = -1
    leaf: bytes = b""
    key: Vkey | None = None
    last_index: int = -1
    is_closed: bool = False


@dataclass(slots=True)
class _Pass:
    tenant: str
    log: Vkey
    heads: list[Checkpoint]
    size: int = 0
    tree: CompactRange = field(default_factory=CompactRange)
    leaves: list[bytes] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    writers: dict[str, _Chain] = field(default_factory=dict)
    closed_by_others: dict[str, int] = field(default_factory=dict)

    def add(self, row: tuple[Any, ...]) -> None:
        """Verify the next entry: (position, writer, sequence, kind, session, time, text, signatures)."""
        index, writer, seq, kind, session, ts_us, text, signatures = row
        if index != self.size:
            what = f"position {self.size}" if index == self.size + 1 else f"positions {self.size} to {index - 1}"
            raise Gap("position_missing", f"{what} of the log missing", remedy="run `halo verify`")
        text, signatures = bytes(text), bytes(signatures)
        note = build_entry_note(self.tenant, writer, text, signatures)
        leaf = hashlib.sha256(b"\x00" + note).digest()
        prev = _check_columns(index, text, (kind, session, ts_us, seq))
        chain = self.writers.get(writer)
        if chain is None:
            chain = self.writers[writer] = _Chain()
        self._check_chain(chain, index, seq, prev, kind)
        if kind in (EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE):
            self._note_writer(chain, writer, index, text)
        if index >= self._covered():
            self._check_signature(chain, index, note, seq)
        chain.seq, chain.leaf, chain.last_index = seq, leaf, index
        self.leaves.append(leaf)
        self.size += 1
        earliest, latest = (ts_us, ts_us) if index % BLOCK == 0 else self.blocks.pop()
        self.blocks.append((min(earliest, ts_us), max(latest, ts_us)))
        if len(self.leaves) >= BLOCK or (self.heads and self.size == self.heads[0].size):
            self._settle()

    def _covered(self) -> int:
        return self.heads[-1].size if self.heads else 0

    def _settle(self) -> None:
        """Put what was hashed into the tree, and compare it with the signed heads of this size."""
        self.tree.extend(self.leaves)
        self.leaves.clear()
        while self.heads and self.heads[0].size <= self.size:
            head = self.heads[0]
            if self.tree.root() != head.root:
                message = f"the first {head.size} entries are not those that were signed"
                raise Tampered("root_mismatch", message, remedy="run `halo verify`")
            del self.heads[0]

    def _check_chain(self, chain: _Chain, index: int, seq: int, prev: bytes, kind: str) -> None:
        if seq != chain.seq + 1:
            message = f"an entry before position {index} is missing from the chain of its writer"
            raise Gap("entry_missing", message, remedy="run `halo verify`")
        expected = binascii.b2a_base64(chain.leaf, newline=False) if chain.leaf else b""
        if prev != expected or (seq == 0) != (kind == EntryKind.WRITER_OPEN) or chain.is_closed:
            message = f"the entry at position {index} does not follow from the one before it"
            raise Tampered("chain_broken", message, remedy="run `halo verify`")

    def _note_writer(self, chain: _Chain, writer: str, index: int, text: bytes) -> None:
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

    def _check_signature(self, chain: _Chain, index: int, note: bytes, seq: int) -> None:
        opened = open_note(note)
        for vkey in (chain.key, *([self.log] if seq == 0 else [])):
            signature = None if vkey is None else find_signature(opened, vkey)
            if vkey is None or signature is None or not verify_signature(vkey.public, opened.text, signature):
                message = f"the entry at position {index} is not signed by its writer, or its writer is not certified"
                raise Tampered("bad_signature", message, remedy="run `halo verify`")

    def finish(self) -> None:
        """End the pass: what is signed must be there."""
        self._settle()
        if self.heads:
            size = self.heads[-1].size
            message = f"{size} entries are signed, but only {self.size} exist"
            raise Gap("ledger_behind_anchor", message, remedy="restore the newest copy")


def _check_columns(index: int, text: bytes, columns: tuple[object, ...]) -> bytes:
    """Compare (kind, session, time, sequence) of a row with its text; the `prev` that the text holds."""
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
