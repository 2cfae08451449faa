"""Checks of writers: chains without gap (check 3), certified keys and signatures (check 7)."""

from __future__ import annotations

from typing import Any, Final

from halo_core.crypto.keys import encode_base64, verify_signature
from halo_core.errors import BadInput
from halo_core.ledger.notes import Note, Vkey, find_signature, parse_vkey, writer_name
from halo_core.ledger.reader import EntryKey, Trust
from halo_core.ledger.report import Collector, format_entry_name

CLOCK_TOLERANCE_US: Final = 5_000_000
"""How far a writer's clock may go back between two entries without a warning."""


def find_closed_writer(fields: dict[str, Any]) -> str:
    """The writer that this entry closes: its own, or a crashed one; empty if it closes none."""
    return str(fields["body"].get("writer", fields.get("w"))) if fields.get("kind") == "writer_close" else ""


class WriterChain:
    """The current end of one writer's chain, against which its next entry is checked."""

    __slots__ = ("_is_leaf_known", "_leaf", "_ts", "certified", "closed", "idx", "last", "missing")

    def __init__(self) -> None:
        self.idx = -1
        self.missing = 0
        self.certified: Vkey | None = None
        self.last = -1
        self._leaf = b""
        self._is_leaf_known = True
        self._ts = 0
        self.closed = False

    def skip(self, key: EntryKey) -> None:
        """Move past an entry whose note cannot be read."""
        self.missing += max(0, key[2] - self.last - 1)
        self.last = key[2]
        self._is_leaf_known = False

    def check_link(self, key: EntryKey, leaf: bytes, fields: dict[str, Any], out: Collector) -> None:
        """Check one entry against its predecessor."""
        ws, entry, kind = key[2], fields.get("id", ""), fields.get("kind")
        is_sound = True
        if ws != self.last + 1:
            first, last = self.last + 1, ws - 1
            self.missing += ws - first
            message = f"sequence {first}" if first == last else f"sequences {first} to {last}"
            out.add_gap(3, f"entry {key[0]}/{key[1]}/{first}", f"{message} of the writer missing", "entry_missing")
            is_sound = False
        elif self._is_leaf_known and fields.get("prev") != encode_base64(self._leaf):
            message = f"it, or the entry before it ({key[1]}-{self.last}), is not what was signed: `prev` differs"
            out.add_tampered(3, format_entry_name(key), message, "chain_broken", entry)
            is_sound = False
        if (ws == 0) != (kind == "writer_open") or self.closed:
            message = "a writer must open exactly once, first, and write nothing after it closes"
            out.add_tampered(3, format_entry_name(key), message, "chain_broken", entry)
            is_sound = False
        out.passed[3] += is_sound
        self._check_clock(key, fields.get("ts_us"), out)
        self.closed = find_closed_writer(fields) == key[1]
        self.last, self._leaf, self._is_leaf_known = ws, leaf, True

    def _check_clock(self, key: EntryKey, ts_us: object, out: Collector) -> None:
        if type(ts_us) is int:
            if ts_us < self._ts - CLOCK_TOLERANCE_US:
                out.warn(f"{format_entry_name(key)}: the clock went back by {(self._ts - ts_us) // 1_000_000} s")
            self._ts = ts_us


class WriterCheck:
    """The chains of all writers, and the `writer` rows."""

    def __init__(self, trust: Trust, out: Collector, rows: dict[tuple[str, str], tuple[Any, Any]]) -> None:
        self._trust = trust
        self._out = out
        self._rows = rows
        self._chains: dict[tuple[str, str], WriterChain] = {}
        self._crashed: set[tuple[str, str]] = set()
        self._signers: dict[bytes, Vkey] | None = None

    def chain_of(self, key: EntryKey) -> WriterChain:
        """The chain of an entry's writer."""
        name = key[:2]
        chain = self._chains.get(name)
        if chain is None:
            chain = self._chains[name] = WriterChain()
        return chain

    def check_link(self, chain: WriterChain, key: EntryKey, leaf: bytes, fields: dict[str, Any]) -> None:
        """(3) Check the next entry of the writer with this chain."""
        chain.check_link(key, leaf, fields, self._out)
        if fields.get("kind") == "writer_close":
            closed = find_closed_writer(fields)
            if closed and closed != key[1]:
                self._crashed.add((key[0], closed))

    def certify(self, key: EntryKey, note: Note, fields: dict[str, Any]) -> None:
        """(7) Check that a writer's opening entry names its key, and that the log's key signed that entry."""
        tenant, w, _ = key
        where, entry = format_entry_name(key), str(fields.get("id", ""))
        log = self._trust.logs.get(tenant)
        try:
            vkey = parse_vkey(str(fields["body"]["vkey"]))
            is_valid = vkey.name == writer_name(tenant, w)
        except (BadInput, KeyError):
            is_valid = False
        if not is_valid:
            self._out.add_tampered(
                7,
                f"{where} columns tenant, w, body",
                "it does not contain a key of this writer",
                "bad_writer_key",
                entry,
            )
            return
        signature = find_signature(note, log) if log is not None else None
        if log is None:
            self._out.skipped[7] += 1
        elif signature is None or not verify_signature(log.public, note.text, signature):
            message = "the log's key did not certify this writer"
            self._out.add_tampered(7, f"{where} columns body, signatures", message, "bad_signature", entry)
            return
        self.chain_of(key).certified = vkey

    def key_of(self, chain: WriterChain, key: EntryKey) -> Vkey | None:
        """The certified key of a chain, or, where the opening entry is missing, the key in the writer's row."""
        if chain.certified is None and key[2] > 0:
            try:
                return parse_vkey(str(self._rows.get(key[:2], ("", None))[0]))
            except BadInput:
                return None
        return chain.certified

    def find_signer(self, note: Note) -> Vkey | None:
        """The writer of this store that signed a note which stands under another writer's name."""
        if self._signers is None:
            self._signers = dict(filter(None, map(_read_hash_and_key, self._rows.values())))
        name, hashed, signature = note.signatures[0]
        vkey = self._signers.get(hashed)
        if vkey is None or vkey.name == name or not verify_signature(vkey.public, note.text, signature):
            return None
        return vkey

    def finish(self, missing_seqs: dict[tuple[str, str], int]) -> dict[str, int]:
        """Compare with the `writer` rows; returns the number of entries missing from chains, by tenant.

        Args:
            missing_seqs: writer → largest sequence that a row of another table names and that is not there.
        """
        missing: dict[str, int] = {}
        rowless = set()
        for name, chain in self._chains.items():
            tenant = name[0]
            if name not in self._rows:
                rowless.add(tenant)
                self._out.add_gap(7, f"writer {tenant}/{name[1]}", "the writer's row is missing", "writer_missing")
            cut = self._count_cut(name, chain, missing_seqs.get(name, -1))
            missing[tenant] = missing.get(tenant, 0) + chain.missing + cut
            if chain.missing + cut:
                self._out.incomplete.add(tenant)
        for (tenant, w), (text, _) in self._rows.items():
            self._check_row(tenant, w, text, has_rowless_writer=tenant in rowless)
        return missing

    def _count_cut(self, name: tuple[str, str], chain: WriterChain, last_named: int) -> int:
        """Number of entries known to be missing after the last one."""
        cut = max(0, last_named - chain.last)
        closed_us = self._rows[name][1] if name in self._rows else None
        where = f"writer {name[0]}/{name[1]}"
        if name in self._crashed:
            return cut  # it crashed, and another writer closed it
        if closed_us is not None and not chain.closed:
            self._out.add_gap(3, where, "the entry with which the writer closed is missing", "entry_missing")
            cut = max(cut, 1)
        elif chain.closed and closed_us is None and name in self._rows:
            message = "the writer closed, but its row does not show it"
            self._out.add_tampered(7, f"{where} column closed_us", message, "column_altered")
        return cut

    def _check_row(self, tenant: str, w: str, text: object, *, has_rowless_writer: bool) -> None:
        chain = self._chains.get((tenant, w))
        where = f"writer {tenant}/{w}"
        if chain is None:
            if has_rowless_writer or tenant not in self._trust.logs:
                # Where a writer has no row, this row was renamed and no entries were deleted.
                self._out.add_tampered(7, f"{where} column w", "there is no entry of this writer", "writer_stray")
            else:
                self._out.incomplete.add(tenant)
                self._out.add_gap(3, where, "every entry of this writer is missing", "entry_missing")
            return
        try:
            same = chain.certified is None or parse_vkey(str(text)) == chain.certified
        except BadInput:
            same = False
        if same:
            self._out.passed[7] += 1
        else:
            message = "the key is not the one the writer opened with"
            self._out.add_tampered(7, f"{where} column vkey", message, "column_altered")


def _read_hash_and_key(row: tuple[Any, Any]) -> tuple[bytes, Vkey] | None:
    try:
        vkey = parse_vkey(str(row[0]))
    except BadInput:
        return None
    return vkey.hash, vkey
