"""The passes over entries and sealed content.

`EntryPass` walks every entry in the order (tenant, writer, sequence), in step with the tables that name entries, and
parses each note once. `ContentPass` then compares the content rows with the references that the entries hold.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from halo_core.crypto import canonical
from halo_core.crypto.keys import verify_signature
from halo_core.errors import CanonicalError, Tampered
from halo_core.ledger.notes import Note, Vkey, find_signature, open_note
from halo_core.ledger.reader import EntryKey, LedgerReader, Row, RowFollower, Stream, Trust, filter_ordered
from halo_core.ledger.report import MAX_FINDINGS, Collector, format_entry_name
from halo_core.ledger.sealed_content import ciphertext_digest, open_sealed, unwrap_dek
from halo_core.ledger.tree import leaf_hash
from halo_core.ledger.verify_controls import BaselineCheck, RestrictionCheck, StandingCheck
from halo_core.ledger.verify_projections import ProjectionCheck, StateCheck
from halo_core.ledger.verify_writers import SignatureJob, SignatureQueue, WriterCheck
from halo_core.model.ledger_entry import ENTRY_VERSION

if TYPE_CHECKING:
    from halo_core.ledger.verify_tree import TreeFacts

_RECORD: Final = struct.Struct(">32s32sIQ")
_MAX_KEYS: Final = 10_000

_Slot = tuple[bytes, int, int]


class ContentReferences:
    """Every content reference of the entries, 76 bytes each, in buckets by the first byte of the commitment."""

    def __init__(self) -> None:
        self._writers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._buckets: dict[tuple[str, int], bytearray] = {}

    def add(self, key: EntryKey, commitment: bytes, digest: bytes) -> None:
        """Add one; ValueError unless both are 32 bytes."""
        if len(commitment) != 32 or len(digest) != 32:
            raise ValueError("a content reference must be two hashes")
        number = self._writers.get(key[:2])
        if number is None:
            number = self._writers[key[:2]] = len(self._names)
            self._names.append(key[:2])
        bucket = self._buckets.setdefault((key[0], commitment[0]), bytearray())
        bucket += _RECORD.pack(commitment, digest, number, key[2])

    def take_bucket(self, tenant: str, first: int) -> dict[bytes, list[_Slot]]:
        """Remove and return one bucket: commitment → (digest, writer number, sequence)."""
        slots: dict[bytes, list[_Slot]] = {}
        for commitment, *slot in _RECORD.iter_unpack(self._buckets.pop((tenant, first), b"")):
            slots.setdefault(commitment, []).append((slot[0], slot[1], slot[2]))
        return slots

    def remaining_buckets(self) -> Iterator[tuple[str, int]]:
        """Buckets not taken yet."""
        yield from sorted(self._buckets)

    def entry_name(self, slot: _Slot) -> str:
        """Name of the entry that holds a reference."""
        return format_entry_name((*self._names[slot[1]], slot[2]))


class ContentPass:
    """(8) Each reference has its row and each row its reference; digest and, with the content key, commitment match.

    The rows come in the order of their commitments, so one bucket of references is in use at a time.
    """

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector, references: ContentReferences) -> None:
        self._reader = reader
        self._trust = trust
        self._out = out
        self._references = references
        self._vaults: dict[tuple[object, object], object] = {}
        self._keys: dict[tuple[object, object], bytes | None] = {}
        self._tenants_with_losses: set[str] = set()
        self._strays: list[tuple[str, str, bool]] = []

    def _report_malformed(self, row: Row, message: str) -> None:
        self._out.add_tampered(8, _row_name(row), message, "row_malformed")

    def run(self) -> None:
        """Read vaults and contents."""
        for tenant, subject, wrapped, erased in self._reader.rows(Stream.VAULTS):
            self._vaults[tenant, subject] = wrapped or None
            if (erased is None) != bool(wrapped):
                message = "a subject must either have a key or be erased"
                where = f"vault {tenant}/{subject} columns dek_wrapped, erased_at_us"
                self._out.add_tampered(8, where, message, "column_altered")
        bucket = ("", 0)
        slots: dict[bytes, list[_Slot]] = {}
        for row in filter_ordered(self._reader.rows(Stream.CONTENTS), (str, bytes), self._report_malformed):
            if len(row[1]) != 32:
                self._report_malformed(row, "the commitment is not 32 bytes")
                continue
            if bucket != (row[0], row[1][0]):
                self._report_missing(bucket[0], slots)
                bucket = (row[0], row[1][0])
                slots = self._references.take_bucket(*bucket)
            matching = slots.pop(row[1], None)
            if matching is None:
                self._note_stray(row)
            else:
                self._check_row(row, matching)
        self._report_missing(bucket[0], slots)
        for bucket in list(self._references.remaining_buckets()):
            self._report_missing(bucket[0], self._references.take_bucket(*bucket))
        self._report_strays()

    def _report_missing(self, tenant: str, slots: dict[bytes, list[_Slot]]) -> None:
        # Erasure deletes the subject's key and leaves the row, so a row that is not there was never erased.
        for commitment, matching in slots.items():
            self._tenants_with_losses.add(tenant)
            message = f"the content of {self._references.entry_name(matching[0])} is missing"
            self._out.add_gap(8, f"content {tenant}/{commitment.hex()}", message, "content_missing")

    def _note_stray(self, row: Row) -> None:
        # Bounded, as the list of findings is.
        if len(self._strays) < MAX_FINDINGS:
            self._strays.append((row[0], _row_name(row), self._is_authentic(row)))

    def _is_authentic(self, row: Row) -> bool:
        """Whether the content key shows that Halo wrote this row under this commitment."""
        tenant, commitment, subject, nonce, ciphertext = row
        dek = self._load_key(tenant, subject) if type(subject) is str else None
        if dek is None or type(nonce) is not bytes or type(ciphertext) is not bytes:
            return False
        try:
            open_sealed(dek, tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)
        except Tampered:
            return False
        return True

    def _report_strays(self) -> None:
        # The row of a missing entry is part of that gap. Where a reference has no row, the row was renamed; where no
        # entry is missing, it was added.
        for tenant, name, authentic in self._strays:
            if tenant not in self._tenants_with_losses and (authentic or tenant in self._out.incomplete):
                self._out.add_gap(8, name, "the entry that refers to this row is missing", "entry_missing")
            else:
                message = "no entry refers to this row"
                self._out.add_tampered(8, f"{name} columns tenant, commitment", message, "content_stray")

    def _check_row(self, row: Row, slots: list[_Slot]) -> None:
        tenant, _, subject, nonce, ciphertext = row
        source = self._references.entry_name(slots[0])
        right = type(subject) is str and type(nonce) is bytes and type(ciphertext) is bytes
        digest = ciphertext_digest(subject, nonce, ciphertext) if right else b""
        if any(slot[0] != digest for slot in slots):
            where = f"{_row_name(row)} columns subject, nonce, ciphertext"
            self._out.add_tampered(8, where, f"not what {source} committed to", "content_altered")
        elif (tenant, subject) not in self._vaults:
            self._out.add_gap(8, f"vault {tenant}/{subject}", "the subject's key row is missing", "vault_missing")
        elif self._check_commitment(row, f"{_row_name(row)} of {source}"):
            self._out.passed[8] += 1

    def _check_commitment(self, row: Row, where: str) -> bool:
        # Without the content key, and for erased subjects, only the digest can be checked; it binds every column.
        tenant, commitment, subject, nonce, ciphertext = row
        if self._trust.kek is None or self._vaults[tenant, subject] is None:
            return True
        dek = self._load_key(tenant, subject)
        if dek is None:
            self._out.skipped[8] += 1
            return False
        try:
            open_sealed(dek, tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)
        except Tampered as exc:
            self._out.add_tampered(8, where, exc.message, exc.code)
            return False
        return True

    def _load_key(self, tenant: str, subject: str) -> bytes | None:
        wrapped = self._vaults.get((tenant, subject))
        if self._trust.kek is None or wrapped is None:
            return None
        if (tenant, subject) not in self._keys:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            try:
                opened = unwrap_dek(self._trust.kek, wrapped if type(wrapped) is bytes else b"", tenant, subject)
            except Tampered as exc:
                self._out.add_tampered(8, f"vault {tenant}/{subject} column dek_wrapped", exc.message, exc.code)
                opened = None
            self._keys[tenant, subject] = opened
        return self._keys[tenant, subject]


def _row_name(row: Row) -> str:
    commitment = row[1].hex() if type(row[1]) is bytes else repr(row[1])[:80]
    return f"content {row[0]}/{commitment}"


_COLUMNS: Final = ("tenant", "w", "ws", "kind", "session", "ts_us")
_REPORT_EVERY: Final = 4096


@dataclass(frozen=True, slots=True)
class _ParsedEntry:
    """One entry whose note agrees with its key; `fields` is its JSON object, whose body is an object too."""

    key: EntryKey
    leaf: object
    idx: int | None
    note: Note
    fields: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.fields.get("id", ""))


def _parse_object(note: Note) -> dict[str, Any]:
    """The canonical JSON object of a note.

    It is serialized again and compared. `decode_entry` also checks what the canonical form forbids besides (floats), at
    four times the cost; a writer's encoder refuses that anyway.
    """
    try:
        fields = orjson.loads(note.text)
        if type(fields) is dict and canonical.dumps(fields) == note.text[:-1]:
            return fields
    except (CanonicalError, orjson.JSONDecodeError) as exc:
        raise Tampered("malformed_entry", "the note does not contain JSON") from exc
    raise Tampered("malformed_entry", "the note does not contain a canonical JSON object")


class RowCheck(Protocol):
    """A check that collects what entries say about some rows, and then compares the rows."""

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Take the fields of one entry; `idx` is its position in the log, None where it has none."""
        ...

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        ...


class EntryPass:
    """Checks 2, 3, 7 and parts of 4 and 9; collects content references for check 8."""

    def __init__(
        self,
        reader: LedgerReader,
        trust: Trust,
        out: Collector,
        facts: TreeFacts,
        writers: dict[tuple[str, str], Any],
        *,
        signatures: bool,
    ) -> None:
        self._reader = reader
        self._trust = trust
        self._out = out
        self._facts = facts
        self._signatures = signatures
        self._positions = RowFollower(
            filter_ordered(reader.rows(Stream.POSITIONS), (str, str, int), self._report_malformed_position)
        )
        self._projections = ProjectionCheck(reader, out, set(writers))
        self.named_blobs = self._projections.named_blobs
        self._writers = WriterCheck(trust, out, writers)
        self.row_checks: dict[str, RowCheck] = {
            "session": StateCheck(out),
            "hold, approval": RestrictionCheck(out),
            "standing": StandingCheck(out),
            "baseline": BaselineCheck(out),
        }
        self._covered: dict[str, int] = {tenant: head.covered for tenant, head in facts.heads.items()}
        self._unpositioned: dict[str, int] = {}
        self.references = ContentReferences()
        self.rows = 0

    def _report_malformed_position(self, row: Row, message: str) -> None:
        self._out.add_tampered(4, f"position {row[0]}/{row[3]}", message, "row_malformed")

    def _report_malformed_entry(self, row: Row, message: str) -> None:
        self._out.add_tampered(2, f"entry {row[0]}/{row[1]}/{row[2]}", message, "row_malformed")

    def run(self, queue: SignatureQueue, progress: Callable[[str, int], None]) -> None:
        """Read the entries."""
        for row in filter_ordered(self._reader.rows(Stream.ENTRIES), (str, str, int), self._report_malformed_entry):
            self.rows += 1
            if self.rows % _REPORT_EVERY == 0:
                progress("entries", self.rows)
            key: EntryKey = row[:3]
            idx = self._check_position(key, row)
            parsed = self._parse(key, row)
            if parsed is None:
                self._projections.follow(key, None)
                self._writers.chain_of(key).skip(key, row[3])
                continue
            note, fields = parsed
            if self._check_columns(key, row, fields):
                self._check_entry(_ParsedEntry(key, row[3], idx, note, fields), queue)
            else:
                # A row under another key belongs to no chain; the chain of the other key misses its row.
                self._projections.follow(key, None)
        self._finish()

    def _check_position(self, key: EntryKey, row: Row) -> int | None:
        # (4) each entry has one position, in the order of its writer
        _, matching = self._positions.advance_to(key)
        if not matching:
            self._unpositioned[key[0]] = self._unpositioned.get(key[0], 0) + 1
            self._out.add_gap(4, format_entry_name(key), "the entry has no position", "position_missing")
            if type(row[7]) is bytes and leaf_hash(row[7]) != row[3]:
                self._facts.bad.add(key)
            return None
        for extra in matching[1:]:
            message = f"{format_entry_name(key)} has another position, {matching[0][3]}"
            self._out.add_tampered(4, f"position {key[0]}/{extra[3]}", message, "position_stray")
        idx = matching[0][3]
        if type(idx) is not int:
            return None
        chain = self._writers.chain_of(key)
        if idx <= chain.idx:
            message = f"{format_entry_name(key)} is placed before an earlier entry of its writer"
            self._out.add_tampered(4, f"position {key[0]}/{idx}", message, "position_order")
        chain.idx = idx
        return idx

    def _parse(self, key: EntryKey, row: Row) -> tuple[Note, dict[str, Any]] | None:
        # (2) the note is well-formed and canonical
        try:
            note = open_note(row[7] if type(row[7]) is bytes else b"")
            fields = _parse_object(note)
            if not isinstance(fields.get("body"), dict):
                fields["body"] = {}  # no such entry is ever written; the checks of what it names report it
        except Tampered as exc:
            self._out.add_tampered(2, f"{format_entry_name(key)} column body", exc.message, exc.code)
            self._facts.bad.discard(key)
            return None
        return note, fields

    def _check_columns(self, key: EntryKey, row: Row, fields: dict[str, Any]) -> bool:
        # (2) columns equal what the note says
        signed = tuple(fields.get(name) for name in _COLUMNS)
        stored = (row[0], row[1], row[2], row[4], row[5], row[6])
        if signed == stored and fields.get("v") == ENTRY_VERSION:
            return True
        where, entry = format_entry_name(key), str(fields.get("id", ""))
        if fields.get("v") != ENTRY_VERSION:
            message = f"format `{fields.get('v')}` is unknown to this program"
            self._out.add_gap(2, f"{where} column body", message, "unknown_version", entry)
        for name, signed_value, stored_value in zip(_COLUMNS, signed, stored, strict=True):
            if signed_value != stored_value:
                message = f"`{name}` is `{stored_value}` in the row, but `{signed_value}` in the note"
                self._out.add_tampered(2, f"{where} column {name}", message, "column_altered", entry)
        return signed[:3] == stored[:3]

    def _check_entry(self, parsed: _ParsedEntry, queue: SignatureQueue) -> None:
        key, fields = parsed.key, parsed.fields
        if key[2] == 0 and fields.get("kind") == "writer_open":
            self._writers.certify(key, parsed.note, fields)
        vkey = self._writers.key_of(key)
        if key in self._facts.bad:
            self._report_leaf_mismatch(parsed, vkey)
        else:
            self._out.passed[2] += 1
        # (3) chains
        self._writers.check_link(key, parsed.leaf, fields, self._facts.bad)
        # (7) signatures: of all on demand, always of what no checkpoint covers
        if self._signatures or parsed.idx is None or parsed.idx >= self._covered.get(key[0], 0):
            self._queue_signature(parsed, vkey, queue)
        if fields.get("content"):
            self._collect_references(parsed)
        self._projections.follow(key, fields)
        for row_check in self.row_checks.values():
            row_check.add_entry(key[0], parsed.idx, fields)

    def _report_leaf_mismatch(self, parsed: _ParsedEntry, vkey: Vkey | None) -> None:
        # Leaf and note disagree: the signature shows which of them was changed.
        signature = find_signature(parsed.note, vkey) if vkey is not None else None
        is_signed = (
            vkey is not None and signature is not None and verify_signature(vkey.public, parsed.note.text, signature)
        )
        where = f"{format_entry_name(parsed.key)} column {'leaf' if is_signed else 'body'}"
        self._out.add_tampered(2, where, "the leaf is not the hash of the note", "leaf_mismatch", parsed.id)

    def _queue_signature(self, parsed: _ParsedEntry, vkey: Vkey | None, queue: SignatureQueue) -> None:
        if vkey is None:
            self._out.skipped[7] += 1
            return
        signature = find_signature(parsed.note, vkey)
        if signature is None or len(parsed.note.signatures) != 1 + (parsed.fields.get("kind") == "writer_open"):
            message = "the note does not have exactly one signature, that of its writer"
            self._out.add_tampered(
                7, f"{format_entry_name(parsed.key)} column body", message, "bad_signature", parsed.id
            )
            return
        queue.add(SignatureJob(vkey.public, parsed.note.text, signature, parsed.key, parsed.id))

    def _collect_references(self, parsed: _ParsedEntry) -> None:
        try:
            for reference in parsed.fields["content"].values():
                self.references.add(parsed.key, base64.b64decode(reference["c"]), base64.b64decode(reference["x"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            where = f"{format_entry_name(parsed.key)} column body"
            self._out.add_tampered(2, where, "a content reference is malformed", "malformed_entry", parsed.id)

    def _finish(self) -> None:
        self._projections.finish()
        missing = self._writers.finish(self._projections.missing_seqs)
        for tenant in self._facts.heads:
            holes = self._facts.holes.get(tenant, 0)
            dangling, loose = self._facts.dangling.get(tenant, 0), self._unpositioned.get(tenant, 0)
            # (4) A hole that no missing entry explains, or an entry without position beside a position without
            # entry, comes from an altered row: a deletion makes one of them, not both.
            if holes > loose + missing.get(tenant, 0):
                where = f"position {tenant}/{self._facts.last[tenant]} column idx"
                self._out.add_tampered(
                    4, where, f"{holes} positions are skipped although no entry is missing", "position_stray"
                )
            if dangling and loose:
                message = f"{dangling} positions have no entry, and {loose} entries have no position"
                self._out.add_tampered(4, f"position {tenant} columns w, ws", message, "position_stray")
