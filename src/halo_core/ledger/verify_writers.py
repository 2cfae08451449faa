"""Room: writers under verification: chains, certified keys. Takes: notes in order. Gives: findings. Never: I/O."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import BadInput
from halo_core.keys import verify
from halo_core.ledger.note import Note, Vkey, parse_vkey, signature_of
from halo_core.ledger.record import writer_name
from halo_core.ledger.report import Collector, name_of

if TYPE_CHECKING:
    from halo_core.ledger.reader import Trust

__all__ = ["CLOCK_TOLERANCE_US", "Chain", "Writers"]

CLOCK_TOLERANCE_US: Final = 5_000_000
"""A writer's clock may run back this far between two entries without a warning."""

Key = tuple[str, str, int]


def closes(plain: dict[str, Any]) -> str:
    """The writer that this entry closes: its own, or a crashed one that it found; empty if it closes none."""
    body = plain.get("body")
    if plain.get("kind") != "writer_close" or not isinstance(body, dict):
        return ""
    return str(body.get("writer", plain.get("w")))


class Chain:
    """One writer's chain: what the next entry must look like."""

    __slots__ = ("_leaf", "_sure", "_ts", "certified", "closed", "idx", "last", "missing")

    def __init__(self) -> None:
        self.idx = -1
        self.missing = 0
        self.certified: Vkey | None = None
        self.last = -1
        self._leaf = b""
        self._sure = True
        self._ts = 0
        self.closed = False

    def skip(self, key: Key, leaf: object) -> None:
        """Pass an entry whose note cannot be read."""
        self.missing += max(0, key[2] - self.last - 1)
        self.last = key[2]
        self._leaf = leaf if type(leaf) is bytes else b""
        self._sure = False

    def link(self, key: Key, leaf: object, plain: dict[str, Any], bad: set[Key], out: Collector) -> None:
        """Check one entry against the one before it, then take its place."""
        ws = key[2]
        whole = True
        if ws != self.last + 1:
            first, last = self.last + 1, ws - 1
            self.missing += ws - first
            what = f"sequence {first}" if first == last else f"sequences {first} to {last}"
            out.gap(3, f"entry {key[0]}/{key[1]}/{first}", f"{what} of the writer missing", "entry_missing")
            whole = False
        elif self._sure and plain.get("prev") != base64.b64encode(self._leaf).decode("ascii"):
            what = "`prev` is not the leaf of the writer's entry before"
            out.tampered(3, name_of(key), what, "chain_broken", str(plain.get("id", "")))
            whole = False
        if (ws == 0) != (plain.get("kind") == "writer_open") or self.closed:
            what = "a writer opens first and once, and writes nothing after it closes"
            out.tampered(3, name_of(key), what, "chain_broken", str(plain.get("id", "")))
            whole = False
        out.passed[3] += whole
        self._tick(key, plain.get("ts_us"), out)
        self.closed = closes(plain) == key[1]
        self.last, self._leaf = ws, leaf if type(leaf) is bytes else b""
        self._sure = key not in bad and type(leaf) is bytes

    def _tick(self, key: Key, ts_us: object, out: Collector) -> None:
        if type(ts_us) is int:
            if ts_us < self._ts - CLOCK_TOLERANCE_US:
                out.warn(f"{name_of(key)}: the clock ran back {(self._ts - ts_us) // 1_000_000} s")
            self._ts = ts_us


class Writers:
    """Every writer seen, and the `writer` rows."""

    def __init__(self, trust: Trust, out: Collector, rows: dict[tuple[str, str], tuple[Any, Any]]) -> None:
        self._trust = trust
        self._out = out
        self._rows = rows
        self._chains: dict[tuple[str, str], Chain] = {}
        self._found_dead: set[tuple[str, str]] = set()

    def chain(self, key: Key) -> Chain:
        """The chain of an entry's writer."""
        name = key[:2]
        chain = self._chains.get(name)
        if chain is None:
            chain = self._chains[name] = Chain()
        return chain

    def link(self, key: Key, leaf: object, plain: dict[str, Any], bad: set[Key]) -> None:
        """(3) The next entry of a writer."""
        self.chain(key).link(key, leaf, plain, bad, self._out)
        closed = closes(plain)
        if closed and closed != key[1]:
            self._found_dead.add((key[0], closed))

    def certify(self, key: Key, note: Note, plain: dict[str, Any]) -> None:
        """(7) The writer's key is the one its opening entry names, and the log's key signed that entry."""
        tenant, w, _ = key
        where, entry = name_of(key), str(plain.get("id", ""))
        log = self._trust.logs.get(tenant)
        body = plain.get("body")
        try:
            vkey = parse_vkey(str(body["vkey"]) if isinstance(body, dict) else "")
            fits = vkey.name == writer_name(tenant, w)
        except (BadInput, KeyError):
            fits = False
        if not fits:
            self._out.tampered(7, f"{where} column body", "it names no key of this writer", "bad_writer_key", entry)
            return
        signature = signature_of(note, log) if log is not None else None
        if log is None:
            self._out.skipped[7] += 1
        elif signature is None or not verify(log.public, note.text, signature):
            what = "the log's key did not certify this writer"
            self._out.tampered(7, f"{where} column body", what, "bad_signature", entry)
            return
        self.chain(key).certified = vkey

    def key(self, key: Key) -> Vkey | None:
        """The writer's key: certified, or, where the opening entry is missing, the one of the writer's row."""
        chain = self.chain(key)
        if chain.certified is None and key[2] > 0:
            try:
                return parse_vkey(str(self._rows.get(key[:2], ("", None))[0]))
            except BadInput:
                return None
        return chain.certified

    def finish(self, named: dict[tuple[str, str], int]) -> dict[str, int]:
        """Compare with the `writer` rows; returns tenant → number of entries that are missing from chains.

        Args:
            named: writer → largest sequence that a row of another table names and that is not there.
        """
        missing: dict[str, int] = {}
        rowless = set()
        for name, chain in self._chains.items():
            tenant = name[0]
            if name not in self._rows:
                rowless.add(tenant)
                self._out.gap(7, f"writer {tenant}/{name[1]}", "the writer's row is missing", "writer_missing")
            cut = self._cut(name, chain, named.get(name, -1))
            missing[tenant] = missing.get(tenant, 0) + chain.missing + cut
            if chain.missing + cut:
                self._out.incomplete.add(tenant)
        for (tenant, w), (text, _) in self._rows.items():
            self._row(tenant, w, text, torn=tenant in rowless)
        return missing

    def _cut(self, name: tuple[str, str], chain: Chain, named: int) -> int:
        """Number of entries known to be missing behind the last one."""
        cut = max(0, named - chain.last)
        closed_us = self._rows[name][1] if name in self._rows else None
        where = f"writer {name[0]}/{name[1]}"
        if name in self._found_dead:
            return cut  # it crashed, and another writer closed it
        if closed_us is not None and not chain.closed:
            self._out.gap(3, where, "the entry with which the writer closed is missing", "entry_missing")
            cut = max(cut, 1)
        elif chain.closed and closed_us is None and name in self._rows:
            what = "the writer closed, and its row does not say so"
            self._out.tampered(7, f"{where} column closed_us", what, "column_altered")
        return cut

    def _row(self, tenant: str, w: str, text: object, *, torn: bool) -> None:
        chain = self._chains.get((tenant, w))
        where = f"writer {tenant}/{w}"
        if chain is None:
            if torn or tenant not in self._trust.logs:
                # Beside a writer without row: the row was renamed, not the writer's entries deleted.
                self._out.tampered(7, f"{where} column w", "no entry is of this writer", "writer_stray")
            else:
                self._out.incomplete.add(tenant)
                self._out.gap(3, where, "every entry of this writer is missing", "entry_missing")
            return
        try:
            same = chain.certified is None or parse_vkey(str(text)) == chain.certified
        except BadInput:
            same = False
        if same:
            self._out.passed[7] += 1
        else:
            what = "the key is not the one the writer opened with"
            self._out.tampered(7, f"{where} column vkey", what, "column_altered")
