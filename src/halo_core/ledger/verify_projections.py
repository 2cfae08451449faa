"""Checks of what follows from entries: session states, quotas, taint, the keys of runs, and blobs (check 9).

Each entry commits to the session state before it and after it. So no state can be changed, rolled back or deleted
unnoticed, neither after the last entry nor between two entries.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from halo_core.crypto import canonical
from halo_core.ledger.commitments import chain_marks, digest_state
from halo_core.ledger.reader import EntryKey, LedgerReader, Row, RowFollower, Stream, Trust, filter_ordered
from halo_core.ledger.report import Collector, format_entry_name
from halo_core.model.ledger_entry import (
    ENDED,
    PAUSED,
    SINGLE_RUN_KEY_BYTES,
    make_finding_key,
    make_outcome_key,
    make_profile_key,
    make_repeatable_run_key,
    make_reversal_key,
    make_single_run_key,
)


@dataclass(slots=True)
class _VersionRun:
    """Versions `first` to `last` of a session, each committing to its predecessor."""

    first: int
    before: str | None
    last: int
    digest: str


class _VersionHistory:
    """The versions of one session as runs: one for each writer, joined where they meet."""

    __slots__ = ("_firsts", "runs")

    def __init__(self) -> None:
        self.runs: list[_VersionRun] = []
        self._firsts: list[int] = []

    def add(self, version: int, before: str | None, digest: str) -> list[tuple[int, str]]:
        """Add one entry's commitment; returns (version, problem) for each break that it shows.

        `before` is None if the commitment does not name the state that it found.
        """
        newest = self.runs[-1] if self.runs else None
        if newest is not None and before is None and version == newest.last + 1:  # as nearly all are
            newest.last, newest.digest = version, digest
            return []
        index = bisect_right(self._firsts, version)
        previous = self.runs[index - 1] if index else None
        if previous is not None and version <= previous.last:
            return [(version, f"two entries of the session left version {version} behind")]
        joined = previous if previous is not None and previous.last == version - 1 else None
        differs = joined is not None and before not in (None, joined.digest)
        broken = [(version, _describe_break(version))] if differs or (version == 1 and before) else []
        if joined is not None:
            joined.last, joined.digest = version, digest
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
        broken = [(after.first, _describe_break(after.first))] if after.before not in (None, run.digest) else []
        run.last, run.digest = after.last, after.digest
        del self.runs[index + 1], self._firsts[index + 1]
        return broken

    def find_holes(self) -> list[tuple[int, int]]:
        """First and last version of each gap in the commitments."""
        ends = [0, *(run.last for run in self.runs[:-1])]
        return [(end + 1, run.first - 1) for end, run in zip(ends, self.runs, strict=True) if run.first > end + 1]


def _name_profile(kind: object, subject: object) -> str:
    return f"{kind}/{subject}"


def _describe_break(version: int) -> str:
    start = f"version {version - 1} was left" if version > 1 else "a session begins"
    return f"the state was changed between two entries: version {version} did not start from the state as {start}"


class StateCheck:
    """(9) Chains the commitments of each session, then compares the rows with the newest ones."""

    kinds: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._histories: dict[tuple[str, str, str], _VersionHistory] = {}

    def add_entry(self, tenant: str, _idx: int | None, fields: dict[str, Any]) -> None:
        """Take the commitments of one entry, if it has any."""
        body = fields["body"]
        state, quota, stored = body.get("state"), body.get("quota"), body.get("stored")
        entry = fields.get("id", "")
        if isinstance(state, dict):
            self._add_commitment(tenant, "session", str(fields.get("session", "")), state, entry)
        if isinstance(quota, dict):
            self._add_commitment(tenant, "quota", str(quota.get("account", "")), quota, entry)
        if isinstance(stored, dict):
            self._add_commitment(tenant, "residue", "", stored, entry)
        profile = body.get("profile")
        if isinstance(profile, dict):
            self._add_commitment(
                tenant, "profile", _name_profile(profile.get("kind"), profile.get("subject")), profile, entry
            )
        sums = body.get("sums")
        for item in sums if isinstance(sums, list) else ():
            if isinstance(item, dict):
                self._add_commitment(tenant, "quota", str(item.get("account", "")), item, entry)

    def _add_commitment(self, tenant: str, kind: str, owner: str, commitment: dict[str, Any], entry: str) -> None:
        version = commitment.get("version")
        if type(version) is not int:
            return
        history = self._histories.get((tenant, kind, owner))
        if history is None:
            history = self._histories[tenant, kind, owner] = _VersionHistory()
        before, digest = commitment.get("before"), str(commitment.get("digest", ""))
        for broken, message in history.add(version, before, digest):
            self._out.add_tampered(9, f"{kind} {tenant}/{owner} version {broken}", message, "state_broken", entry)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row of sessions, quotas and taint."""
        self._check_complete()
        remaining = {name: history.runs[-1] for name, history in self._histories.items()}
        for tenant, session, version, state in reader.rows(Stream.SESSION_STATES):
            self._check_row(remaining, tenant, "session", session, (version, state))
        for tenant, account, version, state in reader.rows(Stream.QUOTAS):
            if (tenant, "quota", account) not in remaining and tenant not in self._out.incomplete:
                self._out.add_tampered(9, f"quota {tenant}/{account}", "no entry refers to this row", "row_stray")
            self._check_row(remaining, tenant, "quota", account, (version, state))
        for tenant, kind, subject, version, state in reader.rows(Stream.PROFILES):
            owner = _name_profile(kind, subject)
            if (tenant, "profile", owner) not in remaining and tenant not in self._out.incomplete:
                self._out.add_tampered(9, f"profile {tenant}/{owner}", "no entry refers to this row", "row_stray")
            self._check_row(remaining, tenant, "profile", owner, (version, state))
        self._check_taint(reader, remaining)
        for tenant, kind, owner in remaining:
            message = "the row is missing, although entries refer to its state"
            self._out.add_gap(9, f"{kind} {tenant}/{owner}", message, f"{kind}_missing")

    def _check_row(
        self,
        remaining: dict[tuple[str, str, str], _VersionRun],
        tenant: str,
        kind: str,
        owner: str,
        row: tuple[Any, Any],
    ) -> None:
        """Compare a row with the state committed to by its newest entry, and remove it from `remaining`."""
        newest = remaining.pop((tenant, kind, owner), None)
        if newest is None:
            return
        version, state = row
        if type(state) is bytes and (version, digest_state(state)) == (newest.last, newest.digest):
            self._out.passed[9] += 1
        elif tenant not in self._out.incomplete:  # else the newest entry may be one of the missing entries
            message = f"it is not the state after the {kind}'s newest entry"
            self._out.add_tampered(9, f"{kind} {tenant}/{owner} columns version, state", message, "state_altered")

    def _check_taint(self, reader: LedgerReader, remaining: dict[tuple[str, str, str], _VersionRun]) -> None:
        """Check the fingerprints of tainted values: each tenant's rows, in order, against the entries' digests."""
        chains: dict[str, tuple[int, str]] = {}
        for tenant, seq, chain, fingerprints in reader.rows(Stream.TAINT):
            count, before = chains.get(tenant, (0, ""))
            sound = seq == count + 1 and type(fingerprints) is bytes and chain_marks(before, fingerprints) == chain
            chains[tenant] = (seq, chain) if sound else (-1, "")
        for tenant, (count, chain) in chains.items():
            newest = remaining.pop((tenant, "residue", ""), None)
            if newest is not None and (count, digest_state(chain.encode("ascii", "replace"))) == (
                newest.last,
                newest.digest,
            ):
                self._out.passed[9] += 1
            elif tenant not in self._out.incomplete:
                message = "the fingerprints of stored values differ from those in the entries"
                self._out.add_tampered(9, f"residue {tenant}", message, "residue_altered")

    def _check_complete(self) -> None:
        # Either the entry of a version was deleted, and no other check misses it, or the counter was changed.
        for (tenant, kind, owner), history in self._histories.items():
            if tenant in self._out.incomplete:
                continue
            for first, last in history.find_holes():
                which = f"version {first}" if first == last else f"versions {first} to {last}"
                where = f"{kind} {tenant}/{owner} {which}"
                self._out.add_gap(9, where, f"no entry of the {kind} produced it", "entry_missing")


class _SingleRun(NamedTuple):
    """A run of a request that may run once, with the number in its key."""

    key: EntryKey
    digest: bytes
    number: int
    request_id: str
    entry: str


class ProjectionCheck:
    """(9) Checks that each session head exists, and that the columns `once` and `mark` follow from their entry.

    A request id that may run once must not run twice (INVARIANT: ONCE), and the key by which the table refuses a second
    run must be the one that follows from the decision. A request that paused may run once more for each pause.

    `missing_seqs` holds, for each writer, the largest sequence of a missing entry that a row names; `named_blobs` the
    blobs that entries name, with the key of the entry.
    """

    def __init__(self, reader: LedgerReader, out: Collector, writers: set[tuple[str, str]]) -> None:
        self._out = out
        self._writers = writers
        self.missing_seqs: dict[tuple[str, str], int] = {}
        self.named_blobs: dict[tuple[str, str], EntryKey] = {}
        # 8 bytes for each request id; keyed, so that nobody can choose two ids with the same digest.
        self._once_digests: set[bytes] = set()
        self._salt = secrets.token_bytes(16)
        self._open_runs: dict[EntryKey, tuple[bytes, bool]] = {}
        self._pauses: Counter[bytes] = Counter()
        self._repeatable_pauses: Counter[bytes] = Counter()
        self._repeated: list[_SingleRun] = []
        self._numbered: list[_SingleRun] = []

        def report(row: Row, message: str) -> None:
            out.add_tampered(9, f"session {row[0]}/{row[3]}", message, "row_malformed")

        self._sessions = RowFollower(filter_ordered(reader.rows(Stream.SESSION_HEADS), (str, str, int), report))

    def follow(self, key: EntryKey, fields: dict[str, Any] | None, columns: tuple[Any, Any] = (None, 0)) -> None:
        """Check all rows up to this entry, which has these columns `once` and `mark`; None if it is unreadable."""
        before, matching = self._sessions.advance_to(key)
        for row in before:
            self._report_dangling(row)
        if fields is not None:
            for row in matching:
                self._check_session(row, fields)
            if not fields.get("is_partial"):
                self._check_run(key, fields, columns)
            if type(fields["body"].get("hash")) is str:
                self.named_blobs[key[0], fields["body"]["hash"]] = key

    def finish(self) -> None:
        """Report the rows that name an entry after the last one, and requests that ran too often."""
        for row in self._sessions.remaining():
            self._report_dangling(row)
        self._check_numbers()
        for run in self._repeated:
            self._pauses[run.digest] -= 1
            if self._pauses[run.digest] < 0:
                message = f"request `{run.request_id}`, which may run only once, was dispatched before"
                self._out.add_tampered(9, format_entry_name(run.key), message, "dispatched_twice", run.entry)

    def _check_numbers(self) -> None:
        """Check that the run numbers of a request are 0, 1, 2 and so on, so that none allows another run."""
        counts = Counter(run.digest for run in self._repeated)
        used = Counter((run.digest, run.number) for run in self._numbered)
        zeros = Counter({digest: count + 1 for digest, count in counts.items()})
        zeros.subtract(run.digest for run in self._numbered if run.digest in zeros)
        wrong = [run for run in self._repeated if run.number == 0 and zeros[run.digest] > 1]
        for run in self._numbered:
            # Runs that may be repeated are counted as well, as long as they paused.
            end = 1 + counts[run.digest] + self._repeatable_pauses[run.digest]
            if run.number >= end or used[run.digest, run.number] > 1:
                wrong.append(run)
        for run in dict.fromkeys([*wrong, *self._find_disordered()]):
            if run.key[0] not in self._out.incomplete:
                self._report_column(run.key, "once", run.entry)

    def _find_disordered(self) -> Iterator[_SingleRun]:
        """Runs with a lower number than an earlier run of the same request and writer."""
        highest: dict[tuple[bytes, str], int] = {}
        for run in sorted({*self._repeated, *self._numbered}, key=lambda run: run.key):
            place = run.digest, run.key[1]
            if run.number < highest.get(place, 0):
                yield run
            highest[place] = max(run.number, highest.get(place, 0))

    def _report_dangling(self, row: Row) -> None:
        where = f"session {row[0]}/{row[3]}"
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

    def _check_run(self, key: EntryKey, fields: dict[str, Any], columns: tuple[Any, Any]) -> None:
        try:
            expected = self._expect_columns(key, fields, columns[0])
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return  # no such entry is ever written
        if columns == expected:
            self._out.passed[9] += 1
            return
        for name, stored, derived in zip(("once", "mark"), columns, expected, strict=True):
            if stored != derived:
                self._report_column(key, name, str(fields.get("id", "")))

    def _report_column(self, key: EntryKey, name: str, entry: str) -> None:
        where, message = f"{format_entry_name(key)} column {name}", f"`{name}` is not what follows from the entry"
        self._out.add_tampered(9, where, message, "column_altered", entry)

    def _expect_columns(self, key: EntryKey, fields: dict[str, Any], stored: object) -> tuple[bytes | None, int]:
        """The columns `once` and `mark` that follow from an entry."""
        body, kind = fields["body"], fields.get("kind")
        if kind == "outcome":
            reference, is_paused = body["decision"], body["status"] == "paused"
            digest, is_single = self._open_runs.pop((key[0], reference["w"], reference["ws"]), (b"", False))
            if digest and is_paused:
                (self._pauses if is_single else self._repeatable_pauses)[digest] += 1
            return make_outcome_key(reference["w"], reference["ws"]), PAUSED if is_paused else ENDED
        if kind == "profile" and isinstance(body.get("profile"), dict):
            profile = body["profile"]
            return make_profile_key(profile["kind"], profile["subject"], profile["version"]), 0
        if kind == "reversal" and body.get("op") in ("begin", "confirm"):
            effect = body["reverses"]
            make_key = make_reversal_key if body["op"] == "begin" else make_finding_key
            return make_key(effect["w"], effect["ws"], body["attempt"]), 0
        if kind != "decision" or body.get("dispatched") is not True:
            return None, 0
        request_id = body["request"]["request_id"]
        name = f"{key[0]}\0{request_id}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, digest_size=8, key=self._salt).digest()
        is_single = _runs_once(body)
        self._open_runs[key] = digest, is_single
        if not is_single:
            return make_repeatable_run_key(request_id, key[1], key[2]), ENDED
        # Of a column that holds no key of a run, no number is taken.
        number = stored[-1] if type(stored) is bytes and len(stored) == SINGLE_RUN_KEY_BYTES else 0
        is_repeated = digest in self._once_digests
        if is_repeated or number:
            run = _SingleRun(key, digest, number, request_id, str(fields.get("id", "")))
            if is_repeated:
                self._repeated.append(run)
            if number:
                self._numbered.append(run)
        self._once_digests.add(digest)
        return make_single_run_key(request_id, number), ENDED


def _runs_once(body: dict[str, Any]) -> bool:
    """Whether a decision's action may run once: in enforce mode, and not idempotent."""
    return body["snapshot"]["mode"] == "enforce" and not body["request"]["resource"]["idempotent"]


def check_blobs(
    reader: LedgerReader, trust: Trust, out: Collector, named_blobs: dict[tuple[str, str], EntryKey]
) -> None:
    """(9) Check that each blob matches its hash in one of the known domains, and that an entry names it."""
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
    for (tenant, name), key in missing.items():
        message = f"{format_entry_name(key)} refers to it, but it is missing"
        out.add_gap(9, f"blob {tenant}/{name}", message, "blob_missing")
