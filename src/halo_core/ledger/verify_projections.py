"""Checks of the projections that follow from entries: session states, quotas, taint, dispatches and blobs (check 9).

Each entry commits to the session state it found and to the one it left, and the state to its sketch rows by a chained
digest; so a state cannot be changed, rolled back or deleted unseen, neither after the last entry nor between two.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from halo_core.crypto import canonical
from halo_core.ledger.reader import EntryKey, LedgerReader, Row, RowFollower, Stream, Trust, filter_ordered
from halo_core.ledger.report import Collector, format_entry_name

_DOMAIN = "halo/session/v1"


def commit_state(version: int, state: bytes, *, before: bytes) -> dict[str, Any]:
    """An entry's commitment to a state: the version, which rises by one, its digest and the digest of the one before.

    Args:
        version: of the state that the entry leaves behind.
        state: its bytes.
        before: bytes of the state that the entry found, empty where there was none.
    """
    return {"before": _state_digest(before) if before else "", "digest": _state_digest(state), "version": version}


def _state_digest(state: bytes) -> str:
    return canonical.digest(_DOMAIN, state)


def chain_marks(before: str, chunk: bytes) -> str:
    """Digest over the rows of a sketch so far, 64 hex digits; `before` is the digest before `chunk`, or empty."""
    return hashlib.sha256(before.encode("ascii", "replace") + b"\0" + chunk).hexdigest()


@dataclass(slots=True)
class _VersionRun:
    """Versions `first` to `last` of a session, each entry of which found what the one before it left."""

    first: int
    before: str
    last: int
    digest: str


class _VersionHistory:
    """The versions of one session as runs. Entries of one writer make one run; runs of several writers are joined."""

    __slots__ = ("_firsts", "runs")

    def __init__(self) -> None:
        self.runs: list[_VersionRun] = []
        self._firsts: list[int] = []

    def add(self, version: int, before: str, digest: str) -> list[tuple[int, str]]:
        """Add one entry's commitment; (version, what is wrong) for each break that it shows."""
        index = bisect_right(self._firsts, version)
        previous = self.runs[index - 1] if index else None
        if previous is not None and version <= previous.last:
            return [(version, f"two entries of the session left version {version} behind")]
        broken = []
        joins = previous is not None and previous.last == version - 1
        if (joins and previous is not None and previous.digest != before) or (version == 1 and before):
            broken.append((version, _describe_break(version)))
        if joins and previous is not None:
            previous.last, previous.digest = version, digest
            index -= 1
        else:
            self.runs.insert(index, _VersionRun(version, before, version, digest))
            self._firsts.insert(index, version)
        return broken + self._join_next(index)

    def _join_next(self, index: int) -> list[tuple[int, str]]:
        run = self.runs[index]
        after = self.runs[index + 1] if index + 1 < len(self.runs) else None
        if after is None or after.first != run.last + 1:
            return []
        broken = [(after.first, _describe_break(after.first))] if after.before != run.digest else []
        run.last, run.digest = after.last, after.digest
        del self.runs[index + 1], self._firsts[index + 1]
        return broken

    def find_holes(self) -> list[tuple[int, int]]:
        """First and last version of each stretch that no entry commits to."""
        ends = [0, *(run.last for run in self.runs[:-1])]
        return [(end + 1, run.first - 1) for end, run in zip(ends, self.runs, strict=True) if run.first > end + 1]


def _describe_break(version: int) -> str:
    start = f"version {version - 1} was left" if version > 1 else "a session begins"
    return f"the state was changed between two entries: version {version} did not start from the state as {start}"


class StateCheck:
    """(9) Chains the commitments of each session, then compares the rows with the newest."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._histories: dict[tuple[str, str, str], _VersionHistory] = {}

    def add_entry(self, tenant: str, _idx: int | None, fields: dict[str, Any]) -> None:
        """Take the commitments of one entry, if it has any."""
        body, entry = fields["body"], str(fields.get("id", ""))
        self._add_commitment(tenant, "session", str(fields.get("session", "")), body.get("state"), entry)
        quota = body.get("quota")
        if isinstance(quota, dict):
            self._add_commitment(tenant, "quota", str(quota.get("account", "")), quota, entry)
        self._add_commitment(tenant, "residue", "", body.get("stored"), entry)

    def _add_commitment(self, tenant: str, kind: str, owner: str, commitment: object, entry: str) -> None:
        if not isinstance(commitment, dict) or type(commitment.get("version")) is not int:
            return
        history = self._histories.setdefault((tenant, kind, owner), _VersionHistory())
        before, digest = str(commitment.get("before", "")), str(commitment.get("digest", ""))
        for version, message in history.add(commitment["version"], before, digest):
            self._out.add_tampered(9, f"{kind} {tenant}/{owner} version {version}", message, "state_broken", entry)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row of sessions, quotas, taint and sketches."""
        self._check_complete()
        remaining = {name: history.runs[-1] for name, history in self._histories.items()}
        sketch_digests: dict[tuple[str, str], tuple[int, str]] = {}
        for tenant, session, version, state in reader.rows(Stream.SESSION_STATES):
            if self._check_row(remaining, tenant, "session", session, (version, state)):
                fields = orjson.loads(state)
                sketch_digests[tenant, session] = (fields["chunks"], fields["marks"])
        for tenant, account, version, state in reader.rows(Stream.QUOTAS):
            if (tenant, "quota", account) not in remaining and tenant not in self._out.incomplete:
                self._out.add_tampered(9, f"quota {tenant}/{account}", "no entry refers to this row", "row_stray")
            self._check_row(remaining, tenant, "quota", account, (version, state))
        self._check_taint(reader, remaining)
        for tenant, kind, owner in remaining:
            message = "the row is missing, although entries refer to its state"
            self._out.add_gap(9, f"{kind} {tenant}/{owner}", message, f"{kind}_missing")
        self._check_sketches(reader, sketch_digests)

    def _check_row(
        self,
        remaining: dict[tuple[str, str, str], _VersionRun],
        tenant: str,
        kind: str,
        owner: str,
        row: tuple[Any, Any],
    ) -> bool:
        """Whether a row is the state that its newest entry left behind; it is removed from `remaining`."""
        newest = remaining.pop((tenant, kind, owner), None)
        if newest is None:
            return False
        version, state = row
        if type(state) is bytes and (version, _state_digest(state)) == (newest.last, newest.digest):
            self._out.passed[9] += 1
            return True
        if tenant not in self._out.incomplete:  # else the newest entry may be one of the missing entries
            message = f"it is not the state after the {kind}'s newest entry"
            self._out.add_tampered(9, f"{kind} {tenant}/{owner} columns version, state", message, "state_altered")
        return False

    def _check_taint(self, reader: LedgerReader, remaining: dict[tuple[str, str, str], _VersionRun]) -> None:
        """Check the fingerprints of tainted values: each tenant's rows, in order, under the digests of the entries."""
        chains: dict[str, tuple[int, str]] = {}
        for tenant, seq, chain, fingerprints in reader.rows(Stream.TAINT):
            count, before = chains.get(tenant, (0, ""))
            sound = seq == count + 1 and type(fingerprints) is bytes and chain_marks(before, fingerprints) == chain
            chains[tenant] = (seq, chain) if sound else (-1, "")
        for tenant, (count, chain) in chains.items():
            newest = remaining.pop((tenant, "residue", ""), None)
            if newest is not None and (count, _state_digest(chain.encode("ascii", "replace"))) == (
                newest.last,
                newest.digest,
            ):
                self._out.passed[9] += 1
            elif tenant not in self._out.incomplete:
                message = "the fingerprints of stored values differ from those in the entries"
                self._out.add_tampered(9, f"residue {tenant}", message, "residue_altered")

    def _check_complete(self) -> None:
        # A version without entry: the entry was deleted where nothing else misses it, or the counter was changed.
        for (tenant, kind, owner), history in self._histories.items():
            if tenant in self._out.incomplete:
                continue
            for first, last in history.find_holes():
                which = f"version {first}" if first == last else f"versions {first} to {last}"
                where = f"{kind} {tenant}/{owner} {which}"
                self._out.add_gap(9, where, f"no entry of the {kind} produced it", "entry_missing")

    def _check_sketches(self, reader: LedgerReader, sketch_digests: dict[tuple[str, str], tuple[int, str]]) -> None:
        chains: dict[tuple[str, str], tuple[int, str]] = {}
        for tenant, session, seq, marks in reader.rows(Stream.SKETCHES):
            count, chain = chains.get((tenant, session), (0, ""))
            if seq != count or type(marks) is not bytes:
                count = -1  # never equal to what the state says
            else:
                count, chain = count + 1, chain_marks(chain, marks)
            chains[tenant, session] = (count, chain)
        for name, (count, chain) in sketch_digests.items():
            if chains.pop(name, (0, "")) != (count, chain):
                message = "the fingerprints of the session differ from its state"
                self._out.add_tampered(9, f"sketch {name[0]}/{name[1]}", message, "sketch_altered")
        for tenant, session in chains:
            if tenant not in self._out.incomplete and (tenant, "session", session) not in self._histories:
                self._out.add_tampered(9, f"sketch {tenant}/{session}", "it does not belong to a session", "row_stray")


_PAUSED = 2  # in the column `outcome`


class ProjectionCheck:
    """(9) Each session head exists; each dispatch row names a dispatched decision, and each such decision has one.

    No request id that must run once is dispatched twice (INVARIANT: ONCE), and the column `once`, with which the table
    refuses that, is what the decision says. A request that paused may be dispatched once more for each pause.

    `missing_seqs` holds, for each writer, the largest sequence of a missing entry that a row names; `named_blobs` the
    blobs that entries name, with the entry.
    """

    def __init__(self, reader: LedgerReader, out: Collector, writers: set[tuple[str, str]]) -> None:
        self._out = out
        self._writers = writers
        self.missing_seqs: dict[tuple[str, str], int] = {}
        self.named_blobs: dict[tuple[str, str], str] = {}
        # 8 bytes for each request id; keyed, so that nobody can choose two ids with the same digest.
        self._once_digests: set[bytes] = set()
        self._salt = secrets.token_bytes(16)
        # Pauses are few: repeated dispatches, and what rows and outcomes say of pauses.
        self._repeated: list[tuple[EntryKey, bytes, str, str]] = []
        self._paused_rows: dict[EntryKey, tuple[bytes | None, str]] = {}
        self._paused_outcomes: dict[EntryKey, tuple[str, str]] = {}
        self._sessions = self._follow_table(reader, "session", Stream.SESSION_HEADS)
        self._dispatches = self._follow_table(reader, "dispatch", Stream.DISPATCHES)

    def _follow_table(self, reader: LedgerReader, table: str, stream: Stream) -> RowFollower:
        def report(row: Row, message: str) -> None:
            self._out.add_tampered(9, f"{table} {row[0]}/{row[3]}", message, "row_malformed")

        return RowFollower(filter_ordered(reader.rows(stream), (str, str, int), report))

    def follow(self, key: EntryKey, fields: dict[str, Any] | None) -> None:
        """Check both tables up to this entry; None for an entry that cannot be read or has another key."""
        before, matching = self._sessions.advance_to(key)
        for row in before:
            self._report_dangling("session", row)
        if fields is not None:
            for row in matching:
                self._check_session(row, fields)
        before, matching = self._dispatches.advance_to(key)
        for row in before:
            self._report_dangling("dispatch", row)
        if fields is not None:
            self._check_dispatch(key, matching, fields)
            self._note_outcome(key, fields)
            if type(fields["body"].get("hash")) is str:
                self.named_blobs[key[0], fields["body"]["hash"]] = format_entry_name(key)

    def finish(self) -> None:
        """Report the rows that name an entry after the last one, and check the pauses."""
        for row in self._sessions.remaining():
            self._report_dangling("session", row)
        for row in self._dispatches.remaining():
            self._report_dangling("dispatch", row)
        self._check_pauses()

    def _report_dangling(self, table: str, row: Row) -> None:
        where = f"{table} {row[0]}/{row[3]}"
        message = f"entry {row[0]}/{row[1]}/{row[2]}, which it refers to, is missing"
        if row[:2] in self._writers:
            self._out.incomplete.add(row[0])
            self.missing_seqs[row[0], row[1]] = max(row[2], self.missing_seqs.get((row[0], row[1]), -1))
            self._out.add_gap(9, where, message, "entry_missing")
        else:
            self._out.add_tampered(9, where, f"{message}, and its writer is unknown", "row_stray")

    def _check_session(self, row: Row, fields: dict[str, Any]) -> None:
        state = fields["body"].get("state")
        version = state.get("version") if isinstance(state, dict) else None
        if row[3] != fields.get("session") or version != row[4]:
            message = f"its head is an entry of session `{fields.get('session')}` that left version {version} behind"
            self._out.add_tampered(9, f"session {row[0]}/{row[3]}", message, "row_stray", str(fields.get("id", "")))
        else:
            self._out.passed[9] += 1

    def _check_dispatch(self, key: EntryKey, rows: list[Row], fields: dict[str, Any]) -> None:
        body, entry = fields["body"], str(fields.get("id", ""))
        dispatched = fields.get("kind") == "decision" and body.get("dispatched") is True
        once = _once_request_id(body) if dispatched else None
        if once is not None:
            self._note_run_once(key, once, entry)
        if dispatched and not rows:
            self._out.add_gap(
                9, format_entry_name(key), "the dispatch row of this decision is missing", "dispatch_missing", entry
            )
        for i, row in enumerate(rows):
            where = f"dispatch {row[0]}/{row[3]}"
            if not dispatched or i:
                message = "it refers to an entry that dispatched nothing or already has a row"
                self._out.add_tampered(9, where, message, "row_stray", entry)
            elif _request_id_of(body) not in (None, row[3]):
                message = "its decision has another request id"
                self._out.add_tampered(9, f"{where} column request_id", message, "column_altered", entry)
            elif row[4] not in (0, 1, _PAUSED):
                self._out.add_tampered(9, f"{where} column outcome", "it is not 0, 1 or 2", "column_altered", entry)
            elif row[5] != (None if row[4] == _PAUSED else once):
                message = f"it is `{row[5]}` where the decision needs `{once}`, or nothing if it paused"
                self._out.add_tampered(9, f"{where} column once", message, "column_altered", entry)
            else:
                self._out.passed[9] += 1
            if dispatched and row[4] == _PAUSED:
                self._paused_rows[key] = (None if once is None else self._hash_request_id(key, once), entry)

    def _hash_request_id(self, key: EntryKey, request_id: str) -> bytes:
        name = f"{key[0]}\0{request_id}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(name, digest_size=8, key=self._salt).digest()

    def _note_run_once(self, key: EntryKey, request_id: str, entry: str) -> None:
        digest = self._hash_request_id(key, request_id)
        if digest in self._once_digests:
            self._repeated.append((key, digest, request_id, entry))
        self._once_digests.add(digest)

    def _note_outcome(self, key: EntryKey, fields: dict[str, Any]) -> None:
        if fields.get("kind") != "outcome" or fields["body"].get("status") != "paused":
            return
        reference = fields["body"].get("decision")
        w, ws = (reference.get("w"), reference.get("ws")) if isinstance(reference, dict) else (None, None)
        if type(w) is str and type(ws) is int:
            self._paused_outcomes[key[0], w, ws] = (format_entry_name(key), str(fields.get("id", "")))

    def _check_pauses(self) -> None:
        """Check that a row says paused where an outcome does, and a request ran again at most once for each pause."""
        for key, (_, entry) in self._paused_rows.items():
            if key not in self._paused_outcomes:
                where = f"dispatch of {format_entry_name(key)} column outcome"
                message = "it is marked as paused, but no outcome is"
                self._out.add_unexplained(9, key[0], where, message, "column_altered", entry=entry)
        for key, (outcome, entry) in self._paused_outcomes.items():
            if key not in self._paused_rows and key[0] not in self._out.incomplete:
                message = f"the dispatch of {format_entry_name(key)} is not marked as paused"
                self._out.add_tampered(9, outcome, message, "column_altered", entry)
        pauses_left = Counter(digest for key, (digest, _) in self._paused_rows.items() if key in self._paused_outcomes)
        for key, digest, request_id, entry in self._repeated:
            pauses_left[digest] -= 1
            if pauses_left[digest] < 0:
                message = f"request `{request_id}`, which may run only once, was dispatched before"
                self._out.add_tampered(9, format_entry_name(key), message, "dispatched_twice", entry)


def _once_request_id(body: dict[str, Any]) -> str | None:
    """The request id of a decision whose action may run once: in enforce mode, and not idempotent."""
    try:
        request = body["request"]
        must_run_once = body["snapshot"]["mode"] == "enforce" and not request["resource"]["idempotent"]
        return str(request["request_id"]) if must_run_once else None
    except (KeyError, TypeError):
        return None


def _request_id_of(body: dict[str, Any]) -> Any:
    request = body.get("request")
    return request.get("request_id") if isinstance(request, dict) else None


def check_blobs(reader: LedgerReader, trust: Trust, out: Collector, named_blobs: dict[tuple[str, str], str]) -> None:
    """(9) Each blob has the hash it is stored under, in one of the known domains, and an entry that names it."""
    missing = dict(named_blobs)
    for tenant, name, data in reader.rows(Stream.BLOBS):
        missing.pop((tenant, name), None)
        where = f"blob {tenant}/{name}"
        if type(data) is not bytes:
            out.add_tampered(9, f"{where} column bytes", "the blob is not bytes", "row_malformed")
        elif name not in {canonical.digest(domain, data) for domain in trust.blob_domains}:
            out.add_tampered(9, f"{where} columns hash, bytes", "the blob does not have this hash", "blob_altered")
        elif (tenant, name) in named_blobs:
            out.passed[9] += 1
        else:
            message = "no entry of this tenant refers to it"
            out.add_unexplained(9, tenant, where, message, "row_stray", columns=" column tenant")
    for (tenant, name), entry in missing.items():
        out.add_gap(9, f"blob {tenant}/{name}", f"{entry} refers to it, but it is missing", "blob_missing")
