"""The pass over entries, with what is stored beside them.

`EntryPass` walks every entry in the order (tenant, writer, sequence), in step with the session rows that name entries,
and parses each note once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

import orjson

from halo_core.crypto import canonical
from halo_core.decision.record import PartReader, expand_decision, iter_part_names, unpack_digest
from halo_core.decision.record_facts import extract_decision, extract_outcome
from halo_core.errors import CanonicalError, Tampered
from halo_core.ledger.notes import Note, Vkey, build_entry_note, find_signature, is_writer, open_note
from halo_core.ledger.reader import PROVISIONAL, EntryKey, LedgerReader, Row, Stream, Trust, filter_ordered
from halo_core.ledger.report import Collector, format_entry_name
from halo_core.ledger.tree import leaf_hash
from halo_core.ledger.verify_answers import KnownValueCheck, OutboxCheck, StandingAnswerCheck
from halo_core.ledger.verify_attached import AttachedCheck
from halo_core.ledger.verify_control_state import ControlStateCheck
from halo_core.ledger.verify_in_force import KnownInForceCheck, PassportInForceCheck
from halo_core.ledger.verify_profiles import IdentityCheck, ProfileCheck
from halo_core.ledger.verify_projections import ProjectionCheck, StateCheck
from halo_core.ledger.verify_restrictions import BaselineCheck, RestrictionCheck, StandingCheck
from halo_core.ledger.verify_signatures import SignatureJob, SignatureQueue
from halo_core.ledger.verify_writers import WriterChain, WriterCheck
from halo_core.model.ledger_entry import ENTRY_VERSION, format_entry_id

if TYPE_CHECKING:
    from halo_core.ledger.verify_tree import TreeFacts

_COMMITMENTS: Final = ("quota", "state", "stored", "sums")
_COLUMNS: Final = ("ws", "kind", "session", "ts_us")
_REPORT_EVERY: Final = 4096
_KEY_HASH: Final = 4  # bytes at the start of a stored signature
_ONE_SIGNATURE: Final = _KEY_HASH + 64


class _ParsedEntry(NamedTuple):
    """One entry whose note `data` agrees with its key; `fields` is its JSON object, whose body is an object too.

    `text` and `signatures` are the columns of which the note was built.
    """

    key: EntryKey
    leaf: bytes
    idx: int | None
    data: bytes
    text: bytes
    signatures: bytes
    fields: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.fields.get("id", ""))

    @property
    def note(self) -> Note:
        return open_note(self.data)


def _parse_note(tenant: str, writer: str, data: bytes, text: bytes) -> dict[str, Any]:
    """The canonical JSON object of an entry's note `data`, which was built of its text.

    It is serialized again and compared. Floats, which the canonical form forbids too, are not looked for, as that would
    take four times as long (`decode_entry`); the encoder of a writer refuses them.

    Raises:
        Tampered: `malformed_note` or `malformed_entry`.
    """
    # A text in canonical form has no line break and no control character, so its note need not be taken apart.
    fields = _parse_object(text)
    if fields is not None and is_writer(tenant, writer):
        return fields
    note = open_note(data)
    try:
        fields = orjson.loads(note.text)
        if type(fields) is dict and canonical.dumps(fields) == note.text[:-1]:
            return fields
    except (CanonicalError, orjson.JSONDecodeError) as exc:
        raise Tampered("malformed_entry", "the note does not contain JSON") from exc
    raise Tampered("malformed_entry", "the note does not contain a canonical JSON object")


def _parse_object(text: bytes) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(text)
        return fields if type(fields) is dict and canonical.dumps(fields) == text else None
    except (CanonicalError, orjson.JSONDecodeError):
        return None


class RowCheck(Protocol):
    """A check that collects what entries state about some rows, then compares the rows.

    `kinds` are the kinds of entries that it reads; empty for every kind.
    """

    kinds: ClassVar[frozenset[str]]

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process the fields of one entry; `idx` is its position in the log, None if it has none."""
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
            "control, resource, usage, writer": ControlStateCheck(out, reader, trust),
            "session": StateCheck(out),
            "profile": ProfileCheck(out, is_thorough=signatures),
            "identity": IdentityCheck(out),
            "hold, approval": RestrictionCheck(out),
            "standing": StandingCheck(out),
            "entry, standing passports": PassportInForceCheck(out),
            "entry, known values": KnownInForceCheck(out, reader),
            "baseline": BaselineCheck(out),
            "standing_answer": StandingAnswerCheck(out),
            "known_value": KnownValueCheck(out),
            "outbox": OutboxCheck(out),
        }
        self._checks_by_kind: dict[str, tuple[RowCheck, ...]] = {}
        self._covered: dict[str, int] = {tenant: head.covered for tenant, head in facts.heads.items()}
        self._attached = AttachedCheck(reader, trust, out)
        self._parts: dict[str, PartReader] = {}
        self._part_names: dict[str, str] = {}
        self._waiting: dict[tuple[str, str], tuple[int, int]] = {}
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
            chain = self._writers.chain_of(key)
            idx = self._check_position(chain, key, row[3], row[6])
            parsed = self._parse(key, row, idx)
            if parsed is None:
                self._projections.follow(key, None)
                chain.skip(key)
            elif self._check_columns(key, row, parsed.fields):
                self._check_entry(parsed, chain, queue, row)
            else:
                # A row under another key belongs to no chain; the chain of the other key misses its row.
                self._projections.follow(key, None)
        self._finish()

    def _check_position(self, chain: WriterChain, key: EntryKey, idx: object, ts_us: object) -> int | None:
        # (4) positions are in the order of the writer
        if type(idx) is not int:
            return None  # the pass over the tree reports it
        if idx <= chain.idx:
            message = f"{format_entry_name(key)} is placed before an earlier entry of its writer"
            self._out.add_tampered(4, f"position {key[0]}/{idx}", message, "position_order")
        chain.idx = idx
        if idx >= PROVISIONAL:
            count, oldest_us = self._waiting.get(key[:2], (0, 0))
            oldest_us = ts_us if not count and type(ts_us) is int else oldest_us
            self._waiting[key[:2]] = count + 1, oldest_us
        return idx

    def _report_waiting(self) -> None:
        # (4) an entry that waits for its position is not missing
        pending: dict[str, int] = {}
        for (tenant, w), (count, oldest_us) in self._waiting.items():
            if self._reader.is_pending(tenant, oldest_us):
                pending[tenant] = pending.get(tenant, 0) + count
            else:
                where, message = f"writer {tenant}/{w}", f"{count} of its entries never got a position"
                self._out.add_gap(4, where, message, "position_missing")
        for tenant, count in pending.items():
            noun = "entry of" if count == 1 else "entries of"
            self._out.warn(
                f"{count} {noun} `{tenant}` will get a position, and a checkpoint, when the sequencer runs next"
            )

    def _parse(self, key: EntryKey, row: Row, idx: int | None) -> _ParsedEntry | None:
        # (2) the note is well-formed and canonical
        text, signatures = row[9], row[10]
        if type(text) is not bytes or type(signatures) is not bytes:
            text = signatures = b""
        try:
            data = build_entry_note(key[0], key[1], text, signatures)
            fields = _parse_note(key[0], key[1], data, text)
        except Tampered as exc:
            self._out.add_tampered(2, f"{format_entry_name(key)} columns body, signatures", exc.message, exc.code)
            return None
        if not isinstance(fields.get("body"), dict):
            fields["body"] = {}  # no such entry is ever written; the checks of what it names report it
        fields["id"], fields["w"] = format_entry_id(key[1], key[2]), key[1]
        fields.setdefault("session", "")
        self._read_record(key, fields)
        return _ParsedEntry(key, leaf_hash(data), idx, data, text, signatures, fields)

    def _read_record(self, key: EntryKey, fields: dict[str, Any]) -> None:
        """Replace the compact body of a decision or outcome by the record members that checks read.

        Where that is not possible, `is_partial` is set, and the body keeps only the commitments.
        """
        kind, compact = fields.get("kind"), fields["body"]
        if fields.get("v") != ENTRY_VERSION:
            fields["body"], fields["is_partial"] = {}, True
            return
        try:
            if kind == "decision":
                fields["body"] = self._read_decision(key, fields)
            elif kind == "outcome":
                fields["body"] = extract_outcome(fields["body"], key[1])
        except Tampered:  # the check of blobs reports the part
            fields["body"] = {name: compact[name] for name in _COMMITMENTS if name in compact}
            fields["is_partial"] = True
        except (AttributeError, KeyError, TypeError, ValueError):
            fields["body"] = {}
            where = f"{format_entry_name(key)} column body"
            self._out.add_tampered(2, where, f"it holds no {kind}", "malformed_entry", fields["id"])

    def _read_decision(self, key: EntryKey, fields: dict[str, Any]) -> dict[str, Any]:
        body, session, ts_us = fields["body"], fields["session"], fields["ts_us"]
        parts = self._parts.get(key[0])
        if parts is None:
            parts = self._parts[key[0]] = PartReader(partial(self._reader.blob, key[0]))
        for packed in iter_part_names(body, parts):
            self.named_blobs[key[0], self._unpack_name(packed)] = key
        facts = extract_decision(body, session=session, ts_us=ts_us, read_part=parts)
        return facts or expand_decision(body, session=session, ts_us=ts_us, read_part=parts)

    def _unpack_name(self, packed: Any) -> str:
        """The name of a part; cached, since many entries name the same few parts."""
        if type(packed) is not str:
            return unpack_digest(packed)
        name = self._part_names.get(packed)
        if name is None:
            name = self._part_names[packed] = unpack_digest(packed)
        return name

    def _check_columns(self, key: EntryKey, row: Row, fields: dict[str, Any]) -> bool:
        # (2) columns equal what the note says
        signed = (fields.get("ws"), fields.get("kind"), fields["session"], fields.get("ts_us"))
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

    def _check_entry(self, parsed: _ParsedEntry, chain: WriterChain, queue: SignatureQueue, row: Row) -> None:
        key, fields = parsed.key, parsed.fields
        if key[2] == 0 and fields.get("kind") == "writer_open":
            self._writers.certify(key, parsed.note, fields)
        vkey = self._writers.key_of(chain, key)
        if vkey is None or not _is_signed_by(parsed, chain, vkey):
            self._check_place(parsed)
        # (3) chains
        self._writers.check_link(chain, key, parsed.leaf, fields)
        # (7) signatures: of all on demand, always of what no checkpoint covers
        if self._signatures or parsed.idx is None or parsed.idx >= self._covered.get(key[0], 0):
            self._queue_signature(parsed, chain, vkey, queue)
        self._attached.check(key, fields, row[11], row[12])
        self._projections.follow(key, fields, (row[7], row[8]))
        kind = str(fields.get("kind"))
        row_checks = self._checks_by_kind.get(kind)
        if row_checks is None:
            row_checks = self._checks_by_kind[kind] = self._select_checks(kind)
        for row_check in row_checks:
            row_check.add_entry(key[0], parsed.idx, fields)

    def _select_checks(self, kind: str) -> tuple[RowCheck, ...]:
        return tuple(item for item in self.row_checks.values() if not item.kinds or kind in item.kinds)

    def _check_place(self, parsed: _ParsedEntry) -> None:
        # (2) Tenant and writer are not in the signed text: only the key that signed it says whose it is.
        signer = self._writers.find_signer(parsed.note)
        if signer is not None:
            where = f"{format_entry_name(parsed.key)} columns tenant, w"
            self._out.add_tampered(2, where, f"`{signer.name}` signed it", "column_altered", parsed.id)

    def _queue_signature(
        self, parsed: _ParsedEntry, chain: WriterChain, vkey: Vkey | None, queue: SignatureQueue
    ) -> None:
        if vkey is None:
            self._out.skipped[7] += 1
            return
        is_opening = parsed.fields.get("kind") == "writer_open"
        if not is_opening and len(parsed.signatures) == _ONE_SIGNATURE and _is_signed_by(parsed, chain, vkey):
            job = SignatureJob(vkey.public, parsed.text + b"\n", parsed.signatures[_KEY_HASH:], parsed.key, parsed.id)
            queue.add(job)
            return
        note = parsed.note
        signature = find_signature(note, vkey)
        if signature is None or len(note.signatures) != 1 + is_opening:
            message = "the note does not have exactly one signature, that of its writer"
            where = f"{format_entry_name(parsed.key)} columns tenant, w, body, signatures"
            self._out.add_tampered(7, where, message, "bad_signature", parsed.id)
            return
        queue.add(SignatureJob(vkey.public, note.text, signature, parsed.key, parsed.id))

    def _finish(self) -> None:
        self._projections.finish()
        self._report_waiting()
        missing = self._writers.finish(self._projections.missing_seqs)
        self._out.with_missing_entries.update(tenant for tenant, count in missing.items() if count)
        self._attached.finish()
        for tenant in self._facts.heads:
            holes = self._facts.holes.get(tenant, 0)
            # (4) A hole that no missing entry explains comes from an altered row.
            if holes > missing.get(tenant, 0):
                where = f"position {tenant}/{self._facts.last[tenant]} column idx"
                self._out.add_tampered(
                    4, where, f"{holes} positions are skipped although no entry is missing", "position_stray"
                )


def _is_signed_by(parsed: _ParsedEntry, chain: WriterChain, vkey: Vkey) -> bool:
    """Whether the note names this key as one that signed it."""
    # A certified key has the name of its writer, under which the first signature of a note stands.
    if vkey is chain.certified:
        return parsed.signatures[:_KEY_HASH] == vkey.hash
    return find_signature(parsed.note, vkey) is not None
