"""The pass over entries, with what is stored beside them.

`EntryPass` walks every entry in the order (tenant, writer, sequence), in step with the session rows that name entries,
and parses each note once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from halo_core.crypto import canonical
from halo_core.decision.record import PartReader, expand_decision, expand_outcome, unpack_digest
from halo_core.errors import CanonicalError, Tampered
from halo_core.ledger.notes import Note, Vkey, build_entry_note, find_signature, open_note
from halo_core.ledger.reader import EntryKey, LedgerReader, Row, Stream, Trust, filter_ordered
from halo_core.ledger.report import Collector, format_entry_name
from halo_core.ledger.sealed_content import (
    compute_attached_digest,
    compute_key_commitment,
    open_sealed,
    read_subject,
    unwrap_dek,
)
from halo_core.ledger.tree import leaf_hash
from halo_core.ledger.verify_controls import BaselineCheck, RestrictionCheck, StandingCheck
from halo_core.ledger.verify_projections import ProjectionCheck, StateCheck
from halo_core.ledger.verify_tree import SignatureJob, SignatureQueue, WriterCheck
from halo_core.model.ledger_entry import ENTRY_VERSION, format_entry_id

if TYPE_CHECKING:
    from halo_core.ledger.verify_tree import TreeFacts

_MAX_KEYS: Final = 10_000


class AttachedCheck:
    """(8) What is stored beside an entry is what it committed to, and opens with the content key if that is there."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector) -> None:
        self._trust = trust
        self._out = out
        self._vaults: dict[tuple[object, object], tuple[object, object]] = {}
        self._keys: dict[tuple[object, object], bytes | None] = {}
        self._used: set[tuple[object, object]] = set()
        self._unread: set[str] = set()
        for tenant, subject, wrapped, commitment, erased in reader.rows(Stream.VAULTS):
            self._vaults[tenant, subject] = wrapped or None, commitment
            if (erased is None) != bool(wrapped):
                message = "a subject must either have a key or be erased"
                where = f"vault {tenant}/{subject} columns dek_wrapped, erased_at_us"
                out.add_tampered(8, where, message, "column_altered")

    def check(self, key: EntryKey, fields: dict[str, Any], sealed: object, marks: object) -> None:
        """Check the columns `sealed` and `marks` of an entry."""
        attached, names = fields.get("attached", ""), fields.get("content", [])
        if not attached and sealed is None and marks is None:
            return
        name = format_entry_name(key)
        if names and sealed is None:
            self._unread.add(key[0])
            self._out.add_gap(8, f"{name} column sealed", "the content of the entry is missing", "content_missing")
            return
        try:
            subject = read_subject(sealed) if type(sealed) is bytes else None
        except Tampered as exc:
            self._unread.add(key[0])
            self._out.add_tampered(8, f"{name} column sealed", exc.message, exc.code)
            return
        wrapped, commitment = self._vaults.get((key[0], subject), (None, None)) if subject is not None else (None, b"")
        if subject is not None and (key[0], subject) not in self._vaults:
            where = f"{name} column sealed, or vault {key[0]}/{subject}"
            self._out.add_gap(8, where, "the key row of its subject is missing", "vault_missing", fields["id"])
            return
        self._used.add((key[0], subject))
        if not _matches_digest(attached, commitment, sealed, marks):
            where = f"{name} columns sealed, marks, or vault {key[0]}/{subject} column commitment"
            self._out.add_tampered(8, where, "not what the entry committed to", "content_altered", fields["id"])
        elif subject is None or wrapped is None or self._opens(key[0], subject, sealed, name):
            self._out.passed[8] += 1

    def finish(self) -> None:
        """Report key rows of subjects that no entry has content of."""
        for tenant, subject in self._vaults:
            if (tenant, subject) not in self._used and tenant not in self._unread:
                message = "no entry of this tenant has content of this subject"
                where = f"vault {tenant}/{subject}"
                self._out.add_unexplained(
                    8, str(tenant), where, message, "row_stray", columns=" columns tenant, subject"
                )

    def _opens(self, tenant: str, subject: str, sealed: Any, name: str) -> bool:
        # Without the content key, and for erased subjects, only the digest can be checked; it binds every byte.
        if self._trust.kek is None:
            return True
        dek = self._load_key(tenant, subject)
        if dek is None:
            self._out.skipped[8] += 1
            return False
        try:
            open_sealed(dek, tenant, sealed)
        except Tampered as exc:
            self._out.add_tampered(8, f"{name} column sealed", exc.message, exc.code)
            return False
        return True

    def _load_key(self, tenant: str, subject: str) -> bytes | None:
        if (tenant, subject) not in self._keys:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            wrapped, commitment = self._vaults[tenant, subject]
            try:
                opened = unwrap_dek(self._trust.kek or b"", wrapped if type(wrapped) is bytes else b"", tenant, subject)
            except Tampered:
                opened = b""
            is_right = bool(opened) and compute_key_commitment(opened) == commitment
            self._keys[tenant, subject] = opened if is_right else None
            if not is_right:
                where = f"vault {tenant}/{subject} columns dek_wrapped, commitment"
                message = "the data key cannot be decrypted, or is not the one of the commitment"
                self._out.add_tampered(8, where, message, "bad_wrapped_key")
        return self._keys[tenant, subject]


def _matches_digest(attached: object, commitment: object, sealed: object, marks: object) -> bool:
    if marks == b"":  # it would have the digest of none
        return False
    parts = [b"" if part is None else part for part in (commitment, sealed, marks)]
    given = [part for part in parts if isinstance(part, bytes)]
    return len(given) == 3 and compute_attached_digest(given[0], given[1], given[2]) == attached


_COLUMNS: Final = ("ws", "kind", "session", "ts_us")
_REPORT_EVERY: Final = 4096


@dataclass(frozen=True, slots=True)
class _ParsedEntry:
    """One entry whose note agrees with its key; `fields` is its JSON object, whose body is an object too."""

    key: EntryKey
    leaf: bytes
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
    """Checks 2, 3, 7, 8 and parts of 4 and 9."""

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
        self._attached = AttachedCheck(reader, trust, out)
        self._parts: dict[str, PartReader] = {}
        self.rows = 0

    def _report_malformed_entry(self, row: Row, message: str) -> None:
        self._out.add_tampered(2, f"entry {row[0]}/{row[1]}/{row[2]}", message, "row_malformed")

    def run(self, queue: SignatureQueue, progress: Callable[[str, int], None]) -> None:
        """Read the entries."""
        for row in filter_ordered(self._reader.rows(Stream.ENTRIES), (str, str, int), self._report_malformed_entry):
            self.rows += 1
            if self.rows % _REPORT_EVERY == 0:
                progress("entries", self.rows)
            key: EntryKey = row[:3]
            idx = self._check_position(key, row[3])
            parsed = self._parse(key, row)
            if parsed is None:
                self._projections.follow(key, None)
                self._writers.chain_of(key).skip(key)
                continue
            note, leaf, fields = parsed
            if self._check_columns(key, row, fields):
                self._check_entry(_ParsedEntry(key, leaf, idx, note, fields), queue, row)
            else:
                # A row under another key belongs to no chain; the chain of the other key misses its row.
                self._projections.follow(key, None)
        self._finish()

    def _check_position(self, key: EntryKey, idx: object) -> int | None:
        # (4) positions are in the order of the writer
        if type(idx) is not int:
            return None  # the pass over the tree reports it
        chain = self._writers.chain_of(key)
        if idx <= chain.idx:
            message = f"{format_entry_name(key)} is placed before an earlier entry of its writer"
            self._out.add_tampered(4, f"position {key[0]}/{idx}", message, "position_order")
        chain.idx = idx
        return idx

    def _parse(self, key: EntryKey, row: Row) -> tuple[Note, bytes, dict[str, Any]] | None:
        # (2) the note is well-formed and canonical
        text, signatures = row[9], row[10]
        is_stored = type(text) is bytes and type(signatures) is bytes
        try:
            data = build_entry_note(key[0], key[1], text if is_stored else b"", signatures if is_stored else b"")
            note = open_note(data)
            fields = _parse_object(note)
        except Tampered as exc:
            self._out.add_tampered(2, f"{format_entry_name(key)} columns body, signatures", exc.message, exc.code)
            return None
        if not isinstance(fields.get("body"), dict):
            fields["body"] = {}  # no such entry is ever written; the checks of what it names report it
        fields["id"], fields["w"] = format_entry_id(key[1], key[2]), key[1]
        fields.setdefault("session", "")
        self._expand(key, fields)
        return note, leaf_hash(data), fields

    def _expand(self, key: EntryKey, fields: dict[str, Any]) -> None:
        """Put the whole record of a decision or an outcome in place of the compact one."""
        body, kind = fields["body"], fields.get("kind")
        try:
            if kind == "decision":
                parts = self._parts.setdefault(key[0], PartReader(partial(self._reader.blob, key[0])))
                for name in (body["frame"], body["resource"]):
                    self.named_blobs[key[0], unpack_digest(name)] = format_entry_name(key)
                fields["body"] = expand_decision(
                    body, session=fields["session"], ts_us=fields["ts_us"], read_part=parts
                )
            elif kind == "outcome":
                fields["body"] = expand_outcome(body, key[1])
        except Tampered:
            fields["body"] = {}  # the check of blobs reports the part
        except (AttributeError, KeyError, TypeError, ValueError):
            fields["body"] = {}
            where = f"{format_entry_name(key)} column body"
            self._out.add_tampered(2, where, f"it holds no {kind}", "malformed_entry", fields["id"])

    def _check_columns(self, key: EntryKey, row: Row, fields: dict[str, Any]) -> bool:
        # (2) columns equal what the note says
        signed = tuple(fields.get(name) for name in _COLUMNS)
        stored = (row[2], row[4], row[5], row[6])
        if signed == stored and fields.get("v") == ENTRY_VERSION:
            self._out.passed[2] += 1
            return True
        where, entry = format_entry_name(key), fields["id"]
        if fields.get("v") != ENTRY_VERSION:
            message = f"format `{fields.get('v')}` is unknown to this program"
            self._out.add_gap(2, f"{where} column body", message, "unknown_version", entry)
        for name, signed_value, stored_value in zip(_COLUMNS, signed, stored, strict=True):
            if signed_value != stored_value:
                message = f"`{name}` is `{stored_value}` in the row, but `{signed_value}` in the note"
                self._out.add_tampered(2, f"{where} column {name}", message, "column_altered", entry)
        return bool(signed[0] == stored[0])

    def _check_entry(self, parsed: _ParsedEntry, queue: SignatureQueue, row: Row) -> None:
        key, fields = parsed.key, parsed.fields
        if key[2] == 0 and fields.get("kind") == "writer_open":
            self._writers.certify(key, parsed.note, fields)
        vkey = self._writers.key_of(key)
        if vkey is None or find_signature(parsed.note, vkey) is None:
            self._check_place(parsed)
        # (3) chains
        self._writers.check_link(key, parsed.leaf, fields)
        # (7) signatures: of all on demand, always of what no checkpoint covers
        if self._signatures or parsed.idx is None or parsed.idx >= self._covered.get(key[0], 0):
            self._queue_signature(parsed, vkey, queue)
        self._attached.check(key, fields, row[11], row[12])
        self._projections.follow(key, fields, (row[7], row[8]))
        for row_check in self.row_checks.values():
            row_check.add_entry(key[0], parsed.idx, fields)

    def _check_place(self, parsed: _ParsedEntry) -> None:
        # (2) Tenant and writer are not in the signed text: only the key that signed it says whose it is.
        signer = self._writers.find_signer(parsed.note)
        if signer is not None:
            where = f"{format_entry_name(parsed.key)} columns tenant, w"
            self._out.add_tampered(2, where, f"`{signer.name}` signed it", "column_altered", parsed.id)

    def _queue_signature(self, parsed: _ParsedEntry, vkey: Vkey | None, queue: SignatureQueue) -> None:
        if vkey is None:
            self._out.skipped[7] += 1
            return
        signature = find_signature(parsed.note, vkey)
        if signature is None or len(parsed.note.signatures) != 1 + (parsed.fields.get("kind") == "writer_open"):
            message = "the note does not have exactly one signature, that of its writer"
            where = f"{format_entry_name(parsed.key)} columns tenant, w, body, signatures"
            self._out.add_tampered(7, where, message, "bad_signature", parsed.id)
            return
        queue.add(SignatureJob(vkey.public, parsed.note.text, signature, parsed.key, parsed.id))

    def _finish(self) -> None:
        self._projections.finish()
        missing = self._writers.finish(self._projections.missing_seqs)
        self._attached.finish()
        for tenant in self._facts.heads:
            holes = self._facts.holes.get(tenant, 0)
            # (4) A hole that no missing entry explains comes from an altered row.
            if holes > missing.get(tenant, 0):
                where = f"position {tenant}/{self._facts.last[tenant]} column idx"
                self._out.add_tampered(
                    4, where, f"{holes} positions are skipped although no entry is missing", "position_stray"
                )
