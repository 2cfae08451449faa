"""Checks of writers: chains without gap (check 3), certified keys and signatures (check 7).

Signatures are verified in batches on a few threads, since libsodium releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import base64
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from halo_core.crypto.keys import verify_signature
from halo_core.errors import BadInput
from halo_core.ledger.notes import Note, Vkey, find_signature, parse_vkey, writer_name
from halo_core.ledger.report import Collector, format_entry_name

if TYPE_CHECKING:
    from halo_core.ledger.reader import EntryKey, Trust

_BATCH: Final = 256


class SignatureJob(NamedTuple):
    """One signature to verify, and the entry to report if it is wrong."""

    public: bytes
    text: bytes
    signature: bytes
    key: EntryKey
    entry: str


class SignatureQueue:
    """Verifies signatures on `threads` threads; at most two batches per thread wait."""

    def __init__(self, out: Collector, threads: int) -> None:
        self._out = out
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "halo-verify")
        self._batch: list[SignatureJob] = []
        self._running: deque[tuple[Future[list[SignatureJob]], int]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish every job, even if the pass ended with an error."""
        self._submit()
        while self._running:
            self._collect()
        self._pool.shutdown()

    def add(self, job: SignatureJob) -> None:
        """Queue a job."""
        self._batch.append(job)
        if len(self._batch) >= _BATCH:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        self._running.append((self._pool.submit(_find_wrong, batch), len(batch)))
        while len(self._running) > 2 * self._threads:
            self._collect()

    def _collect(self) -> None:
        future, count = self._running.popleft()
        wrong = future.result()
        self._out.passed[7] += count - len(wrong)
        for job in wrong:
            where = f"{format_entry_name(job.key)} column body"
            self._out.add_tampered(7, where, "the signature is not the writer's", "bad_signature", job.entry)


def _find_wrong(batch: list[SignatureJob]) -> list[SignatureJob]:
    return [job for job in batch if not verify_signature(job.public, job.text, job.signature)]


CLOCK_TOLERANCE_US: Final = 5_000_000
"""How far a writer's clock may go back between two entries without a warning."""


def closed_writer(fields: dict[str, Any]) -> str:
    """The writer that this entry closes: its own, or one that crashed; empty if it closes none."""
    return str(fields["body"].get("writer", fields.get("w"))) if fields.get("kind") == "writer_close" else ""


class WriterChain:
    """The end of one writer's chain, against which its next entry is checked."""

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

    def skip(self, key: EntryKey, leaf: object) -> None:
        """Go past an entry whose note cannot be read."""
        self.missing += max(0, key[2] - self.last - 1)
        self.last = key[2]
        self._leaf = leaf if type(leaf) is bytes else b""
        self._is_leaf_known = False

    def check_link(
        self, key: EntryKey, leaf: object, fields: dict[str, Any], bad: set[EntryKey], out: Collector
    ) -> None:
        """Check one entry against the one before it."""
        ws, entry = key[2], str(fields.get("id", ""))
        is_sound = True
        if ws != self.last + 1:
            first, last = self.last + 1, ws - 1
            self.missing += ws - first
            message = f"sequence {first}" if first == last else f"sequences {first} to {last}"
            out.add_gap(3, f"entry {key[0]}/{key[1]}/{first}", f"{message} of the writer missing", "entry_missing")
            is_sound = False
        elif self._is_leaf_known and fields.get("prev") != base64.b64encode(self._leaf).decode("ascii"):
            message = "`prev` is not the leaf of the writer's previous entry"
            out.add_tampered(3, format_entry_name(key), message, "chain_broken", entry)
            is_sound = False
        if (ws == 0) != (fields.get("kind") == "writer_open") or self.closed:
            message = "a writer must open exactly once, first, and write nothing after it closes"
            out.add_tampered(3, format_entry_name(key), message, "chain_broken", entry)
            is_sound = False
        out.passed[3] += is_sound
        self._check_clock(key, fields.get("ts_us"), out)
        self.closed = closed_writer(fields) == key[1]
        self.last, self._leaf = ws, leaf if type(leaf) is bytes else b""
        self._is_leaf_known = key not in bad and type(leaf) is bytes

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

    def chain_of(self, key: EntryKey) -> WriterChain:
        """The chain of an entry's writer."""
        name = key[:2]
        chain = self._chains.get(name)
        if chain is None:
            chain = self._chains[name] = WriterChain()
        return chain

    def check_link(self, key: EntryKey, leaf: object, fields: dict[str, Any], bad: set[EntryKey]) -> None:
        """(3) Check the next entry of a writer."""
        self.chain_of(key).check_link(key, leaf, fields, bad, self._out)
        closed = closed_writer(fields)
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
                7, f"{where} column body", "it does not contain a key of this writer", "bad_writer_key", entry
            )
            return
        signature = find_signature(note, log) if log is not None else None
        if log is None:
            self._out.skipped[7] += 1
        elif signature is None or not verify_signature(log.public, note.text, signature):
            message = "the log's key did not certify this writer"
            self._out.add_tampered(7, f"{where} column body", message, "bad_signature", entry)
            return
        self.chain_of(key).certified = vkey

    def key_of(self, key: EntryKey) -> Vkey | None:
        """The writer's certified key, or, where the opening entry is missing, the key in the writer's row."""
        chain = self.chain_of(key)
        if chain.certified is None and key[2] > 0:
            try:
                return parse_vkey(str(self._rows.get(key[:2], ("", None))[0]))
            except BadInput:
                return None
        return chain.certified

    def finish(self, missing_seqs: dict[tuple[str, str], int]) -> dict[str, int]:
        """Compare with the `writer` rows; returns tenant → number of entries that are missing from chains.

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
            self._check_row(tenant, w, text, torn=tenant in rowless)
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

    def _check_row(self, tenant: str, w: str, text: object, *, torn: bool) -> None:
        chain = self._chains.get((tenant, w))
        where = f"writer {tenant}/{w}"
        if chain is None:
            if torn or tenant not in self._trust.logs:
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
