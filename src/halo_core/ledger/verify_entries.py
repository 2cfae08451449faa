"""Room: the entry pass: notes, columns, chains, keys, projections. Takes: a reader. Gives: findings. Never: I/O.

Walks every entry row in the order (tenant, writer, sequence), whatever its tenant column says, in step with the tables
that name entries. Each note is parsed once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from halo_core import canonical
from halo_core.errors import CanonicalError, Tampered
from halo_core.keys import verify
from halo_core.ledger.merkle import leaf_hash
from halo_core.ledger.note import Note, Vkey, open_note, signature_of
from halo_core.ledger.reader import Follower, LedgerReader, Row, Trust, keyed
from halo_core.ledger.report import Collector, name_of
from halo_core.ledger.verify_content import References
from halo_core.ledger.verify_holds import Holds
from halo_core.ledger.verify_projections import Projections
from halo_core.ledger.verify_signatures import Job, SignatureQueue
from halo_core.ledger.verify_standing import Baselines, Standings
from halo_core.ledger.verify_states import States
from halo_core.ledger.verify_writers import Writers
from halo_core.model.entry import ENTRY_VERSION

if TYPE_CHECKING:
    from halo_core.ledger.verify_tree import TreeFacts

__all__ = ["EntryPass"]

_COLUMNS: Final = ("tenant", "w", "ws", "kind", "session", "ts_us")
_REPORT_EVERY: Final = 4096
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One entry whose note agrees with its key."""

    key: Key
    leaf: object
    idx: int | None
    note: Note
    plain: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.plain.get("id", ""))


def _object(note: Note) -> dict[str, Any]:
    """The canonical JSON object of a note.

    Print and compare: what the profile forbids besides (floats) a writer's own encoder refuses; a reader of the entry
    (`decode_entry`) checks that too, at four times the cost.
    """
    try:
        plain = orjson.loads(note.text)
        if type(plain) is dict and canonical.dumps(plain) == note.text[:-1]:
            return plain
    except (CanonicalError, orjson.JSONDecodeError) as exc:
        raise Tampered("malformed_entry", "the note holds no JSON") from exc
    raise Tampered("malformed_entry", "the note holds no canonical JSON object")


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
        self._positions = Follower(keyed(reader.positions(), (str, str, int), self._complain_position))
        self._projections = Projections(reader, out, set(writers))
        self.named_blobs = self._projections.blobs
        self._writers = Writers(trust, out, writers)
        self.states = States(out)
        self.holds = Holds(out)
        self.standings = Standings(out)
        self.baselines = Baselines(out)
        self._covered: dict[str, int] = {tenant: head.covered for tenant, head in facts.heads.items()}
        self._unpositioned: dict[str, int] = {}
        self.references = References()
        self.rows = 0

    def _complain_position(self, row: Row, what: str) -> None:
        self._out.tampered(4, f"position {row[0]}/{row[3]}", what, "row_malformed")

    def _complain_entry(self, row: Row, what: str) -> None:
        self._out.tampered(2, f"entry {row[0]}/{row[1]}/{row[2]}", what, "row_malformed")

    def run(self, queue: SignatureQueue, progress: Callable[[str, int], None]) -> None:
        """Stream the entries."""
        for row in keyed(self._reader.entries(), (str, str, int), self._complain_entry):
            self.rows += 1
            if self.rows % _REPORT_EVERY == 0:
                progress("entries", self.rows)
            key: Key = row[:3]
            idx = self._position(key, row)
            parsed = self._parse(key, row)
            if parsed is None:
                self._projections.follow(key, None)
                self._writers.chain(key).skip(key, row[3])
                continue
            note, plain = parsed
            if self._columns(key, row, plain):
                self._entry(_Seen(key, row[3], idx, note, plain), queue)
            else:
                # A row under a foreign key belongs to no chain; the row that should be there is missed there.
                self._projections.follow(key, None)
        self._finish()

    def _position(self, key: Key, row: Row) -> int | None:
        # (4) each entry has one position, in the order of its writer
        _, at = self._positions.upto(key)
        if not at:
            self._unpositioned[key[0]] = self._unpositioned.get(key[0], 0) + 1
            self._out.gap(4, name_of(key), "the entry has no position", "position_missing")
            if type(row[7]) is bytes and leaf_hash(row[7]) != row[3]:
                self._facts.bad.add(key)
            return None
        for extra in at[1:]:
            what = f"{name_of(key)} has another position, {at[0][3]}"
            self._out.tampered(4, f"position {key[0]}/{extra[3]}", what, "position_stray")
        idx = at[0][3]
        if type(idx) is not int:
            return None
        chain = self._writers.chain(key)
        if idx <= chain.idx:
            what = f"{name_of(key)} stands before an earlier entry of its writer"
            self._out.tampered(4, f"position {key[0]}/{idx}", what, "position_order")
        chain.idx = idx
        return idx

    def _parse(self, key: Key, row: Row) -> tuple[Note, dict[str, Any]] | None:
        # (2) the note is well-formed and canonical
        try:
            # What is no bytes is no note.
            note = open_note(row[7] if type(row[7]) is bytes else b"")
            plain = _object(note)
        except Tampered as exc:
            self._out.tampered(2, f"{name_of(key)} column body", exc.message, exc.code)
            self._facts.bad.discard(key)
            return None
        return note, plain

    def _columns(self, key: Key, row: Row, plain: dict[str, Any]) -> bool:
        # (2) columns equal what the note says
        told = tuple(plain.get(name) for name in _COLUMNS)
        held = (row[0], row[1], row[2], row[4], row[5], row[6])
        if told == held and plain.get("v") == ENTRY_VERSION:
            return True
        where, entry = name_of(key), str(plain.get("id", ""))
        if plain.get("v") != ENTRY_VERSION:
            what = f"format `{plain.get('v')}` is unknown to this program"
            self._out.gap(2, f"{where} column body", what, "unknown_version", entry)
        for name, say, hold in zip(_COLUMNS, told, held, strict=True):
            if say != hold:
                what = f"`{name}` is `{hold}` in the row and `{say}` in the note"
                self._out.tampered(2, f"{where} column {name}", what, "column_altered", entry)
        return told[:3] == held[:3]

    def _entry(self, seen: _Seen, queue: SignatureQueue) -> None:
        key, plain = seen.key, seen.plain
        if key[2] == 0 and plain.get("kind") == "writer_open":
            self._writers.certify(key, seen.note, plain)
        vkey = self._writers.key(key)
        if key in self._facts.bad:
            self._diagnose(seen, vkey)
        else:
            self._out.passed[2] += 1
        # (3) chains
        self._writers.link(key, seen.leaf, plain, self._facts.bad)
        # (7) signatures: of all on demand, always of what no checkpoint covers
        if self._signatures or seen.idx is None or seen.idx >= self._covered.get(key[0], 0):
            self._signature(seen, vkey, queue)
        if plain.get("content"):
            self._references(seen)
        self._projections.follow(key, plain)
        self.states.note(key[0], plain)
        self.holds.note(key[0], seen.idx, plain)
        self.standings.note(key[0], seen.idx, plain)
        self.baselines.note(key[0], seen.idx, plain)

    def _diagnose(self, seen: _Seen, vkey: Vkey | None) -> None:
        # Leaf and note disagree: the signature says which of them was changed.
        signature = signature_of(seen.note, vkey) if vkey is not None else None
        intact = vkey is not None and signature is not None and verify(vkey.public, seen.note.text, signature)
        where = f"{name_of(seen.key)} column {'leaf' if intact else 'body'}"
        self._out.tampered(2, where, "the leaf is not the hash of the note", "leaf_mismatch", seen.id)

    def _signature(self, seen: _Seen, vkey: Vkey | None, queue: SignatureQueue) -> None:
        if vkey is None:
            self._out.skipped[7] += 1
            return
        signature = signature_of(seen.note, vkey)
        if signature is None or len(seen.note.signatures) != 1 + (seen.plain.get("kind") == "writer_open"):
            what = "the note does not carry its writer's signature, and no other"
            self._out.tampered(7, f"{name_of(seen.key)} column body", what, "bad_signature", seen.id)
            return
        queue.add(Job(vkey.public, seen.note.text, signature, seen.key, seen.id))

    def _references(self, seen: _Seen) -> None:
        try:
            for reference in seen.plain["content"].values():
                self.references.add(seen.key, base64.b64decode(reference["c"]), base64.b64decode(reference["x"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            where = f"{name_of(seen.key)} column body"
            self._out.tampered(2, where, "a content reference is malformed", "malformed_entry", seen.id)

    def _finish(self) -> None:
        self._projections.finish()
        missing = self._writers.finish(self._projections.named)
        for tenant in self._facts.heads:
            holes = self._facts.holes.get(tenant, 0)
            dangling, loose = self._facts.dangling.get(tenant, 0), self._unpositioned.get(tenant, 0)
            # (4) A hole that no missing entry explains, or an entry without position beside a position without
            # entry, comes from an altered row: a deletion makes one of them, not both.
            if holes > loose + missing.get(tenant, 0):
                where = f"position {tenant}/{self._facts.last[tenant]} column idx"
                self._out.tampered(4, where, f"{holes} positions are skipped though no entry is", "position_stray")
            if dangling and loose:
                what = f"{dangling} positions name no entry and {loose} entries have no position"
                self._out.tampered(4, f"position {tenant} columns w, ws", what, "position_stray")
