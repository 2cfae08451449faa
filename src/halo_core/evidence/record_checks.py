"""Checks of the record: whether it is whole, complete and retained, and whether decisions can be computed again."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from halo_core.clock import format_iso
from halo_core.decision.record_parts import unpack_digest
from halo_core.durations import DAY_US, SECOND_US
from halo_core.errors import Gap
from halo_core.evidence.audit_log import SKEW_US, AuditEntry, describe_misdated
from halo_core.evidence.check_runner import (
    DECISION,
    MAX_FINDINGS,
    OUTCOME,
    Check,
    DecisionItem,
    RunReader,
    count_rows,
)
from halo_core.evidence.facts import find_place_id
from halo_core.model import ActionKind
from halo_core.replay import Replayer, ReplayStatus
from halo_core.store.reader import LoggedEntry
from halo_core.views.wording import format_count

_IN_FLIGHT_US: Final = 3_600 * SECOND_US
"""How old a decision may be without an outcome while its writer is open, microseconds."""
_TOLERANCE_US: Final = 5 * SECOND_US
"""How far the clock of one writer may run back, microseconds."""
_SAMPLE: Final = 300
_MAX_OPEN: Final = 200_000
_FAILURES: Final = frozenset(
    {
        "decision_error",
        "ledger_behind_anchor",
        "ledger_busy",
        "ledger_closed",
        "ledger_unreachable",
        "ledger_unwritable",
        "obligation_unknown",
        "policy_error",
        "score_unavailable",
    }
)
"""Codes of decisions that could not be made, or not be recorded."""
_NOT_NOTICED: Final = "the next process that opens the log will record it"
AGE_FACT: Final = "age in days"
SCHEDULE_FACT: Final = "longest schedule in days"
"""Names of facts among the rows of the check `retention`."""


class PopulationCheck(Check):
    """Whether the log is whole: positions, chains of writers, signed checkpoints, columns."""

    name = "population"
    claim = "the log has every entry since its first one, and none was changed"
    unit = "entries"
    kinds = None
    fails_on_damage = True
    limits = (
        "what stands beside the entries (sessions, sealed content, projections) is compared by `halo verify`",
        "entries after the newest checkpoint are covered by the chain and the signature of their writer alone",
        "a history written anew by whoever holds log key, database and anchor shows against a copy elsewhere alone",
    )

    def add(self, entry: AuditEntry) -> None:
        """Count."""
        del entry
        self.count += 1

    def finish(self) -> None:
        """Add a finding for entries without a position, unless they may still get one."""
        log = self.run.log
        if not log.verified.unplaced:
            return
        rows = log.reader.stream("SELECT min(ts_us) FROM entry WHERE tenant=? AND idx IS NULL", log.tenant)
        if log.reader.is_pending(log.tenant, int(next(rows)[0] or 0)):
            self.notes.append(f"{format_count(log.verified.unplaced, 'entry', 'entries')} wait for their position")
        else:
            has = "1 entry has" if log.verified.unplaced == 1 else f"{log.verified.unplaced} entries have"
            self.add_finding(f"{has} no position in the log")


class FieldsCheck(Check):
    """Whether each decision records who, what, when, where from, on what, why, and under which rules."""

    name = "record_fields"
    claim = "every decision has each field that an audit record needs"
    unit = "decisions"
    kinds = frozenset({DECISION})
    columns = ("field", "missing")
    limits = ("the network address is recorded where the host gives it",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._missing: Counter[str] = Counter()
        self._frames: dict[str, tuple[str, ...]] = {}

    def add_decision(self, decision: DecisionItem) -> None:
        """Look for what is missing."""
        entry = decision.entry
        self.count += 1
        name = decision.frame.name
        if name not in self._frames:
            if len(self._frames) >= _MAX_OPEN:
                self._frames.clear()
            self._frames[name] = self._find_missing_in_frame(decision)
        missing = [*self._frames[name]]
        body, resource = entry.body, decision.resource
        missing += [field for field in ("kind", "id", "impact") if not resource.get(field)]
        if not decision.frame.chain and decision.ran:
            missing.append("passport")
        if not entry.session:
            missing.append("session")
        if not decision.codes:
            missing.append("reason")
        if not _is_digest(body.get("args")):
            missing.append("digest of arguments")
        if not isinstance(body.get("seen"), dict):
            missing.append("state that was read")
        if resource.get("kind") == ActionKind.INFERENCE.value and decision.ran and not body.get("messages"):
            missing.append("messages of the model call")
        self._missing.update(missing)
        if missing:
            self.add_finding(f"{decision.where} lacks: {', '.join(missing)}")

    def _find_missing_in_frame(self, decision: DecisionItem) -> tuple[str, ...]:
        frame, host = decision.frame, decision.frame.host
        origin = host.get("origin") or {}
        present = {
            "agent": frame.agent,
            "chain of acting": frame.acting,
            "tenant": host.get("tenant"),
            "policy": host.get("policy"),
            "mode": host.get("mode"),
            "origin: host": origin.get("host"),
            "origin: process": origin.get("process"),
        }
        return tuple(name for name, value in present.items() if not value)

    def finish(self) -> None:
        """List what was missing how often."""
        self.rows = count_rows(self._missing, "field", "missing")


def _is_digest(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(unpack_digest(text))
    except ValueError:
        return False


class PairsCheck(Check):
    """Whether each action that ran has exactly one outcome, and no other decision has one."""

    name = "pairs"
    claim = "every action that ran has exactly one recorded outcome, and no other decision has one"
    unit = "decisions"
    kinds = frozenset({DECISION, OUTCOME})
    later = frozenset({OUTCOME})
    columns = ("status", "count")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._open: dict[str, tuple[int, str]] = {}
        self._statuses: Counter[str] = Counter()
        self._lost = 0

    @property
    def is_waiting(self) -> bool:
        """Outcomes of decisions near the end of the period come after it."""
        return bool(self._open)

    def add_decision(self, decision: DecisionItem) -> None:
        """Take a decision."""
        entry = decision.entry
        self.count += 1
        if decision.ran:
            if len(self._open) >= _MAX_OPEN:
                oldest = next(iter(self._open))
                self._report(oldest, *self._open.pop(oldest))
            self._open[entry.id] = (entry.ts_us, decision.what)

    def add(self, entry: AuditEntry) -> None:
        """Take the outcome of a decision."""
        self._settle(entry, is_inside=True)

    def add_later(self, entry: AuditEntry) -> None:
        """Take an outcome from after the period."""
        self._settle(entry, is_inside=False)

    def _settle(self, entry: AuditEntry, *, is_inside: bool) -> None:
        name = find_place_id(entry.body.get("decision"), entry.writer)
        open_run = self._open.pop(name, None)
        if open_run is None:
            if is_inside:
                self._check_earlier(entry, name)
            return
        status = str(entry.body.get("status", "success"))
        self._statuses[status] += 1
        if status == "unknown":
            why = entry.body.get("detail") or "nobody recorded it"
            self.add_finding(f"the outcome of decision {name} ({open_run[1]}) is unknown: {why}")

    def _check_earlier(self, entry: AuditEntry, name: str) -> None:
        """Check an outcome of no open decision: the decision was before the period, let nothing run, or is missing."""
        writer, _, seq = name.rpartition("-")
        note = self.run.log.reader.note_at(self.run.log.tenant, writer, int(seq)) if seq.isdecimal() else None
        if note is None:
            self.add_finding(f"outcome {entry.id} names decision {name or '?'}, which the log does not have")
            return
        logged = self.run.log.reader.read_entry(note)
        if logged.kind != DECISION or not logged.body.get("dispatched"):
            self.add_finding(f"outcome {entry.id} is of {name}, which let nothing run")
        elif self.run.period.contains(logged.ts_us):
            self.add_finding(f"decision {name} has a second outcome, {entry.id}")

    def _report(self, name: str, ts_us: int, problem: str) -> None:
        self.add_finding(f"decision {name} ({problem}) of {format_iso(ts_us)} ran and has no outcome")

    def finish(self) -> None:
        """Report actions without an outcome, except those that may still be running."""
        verified = self.run.log.verified
        waiting = 0
        for name, (ts_us, problem) in self._open.items():
            is_open = name.rpartition("-")[0] in verified.open_writers
            if is_open and self.run.log.now_us - ts_us < _IN_FLIGHT_US:
                waiting += 1
            else:
                self._report(name, ts_us, problem)
        if waiting:
            self.notes.append(f"{format_count(waiting, 'action')} may still be running")
        self.rows = count_rows(self._statuses, "status")


class ReplayCheck(Check):
    """Whether a sample of decisions, computed again, gives the recorded bytes."""

    name = "replay"
    claim = "recorded decisions, computed again from what they recorded, give the same bytes"
    unit = "decisions"
    kinds = frozenset({DECISION})
    limits = (f"a sample of at most {_SAMPLE}, drawn by the root of the checkpoint; `halo replay` takes all",)
    columns = ("decision", "result")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        head = run.log.verified.head
        self._seed = b"" if head is None else head.root
        self._sample: list[tuple[bytes, int, str]] = []

    def add(self, entry: AuditEntry) -> None:
        """Keep the entries with the lowest hashes: a sample that anybody can draw again."""
        self.count += 1
        rank = hashlib.sha256(self._seed + entry.id.encode()).digest()
        if len(self._sample) < _SAMPLE or rank < self._sample[-1][0]:
            self._sample.append((rank, entry.index, entry.id))
            self._sample.sort()
            del self._sample[_SAMPLE:]

    def finish(self) -> None:
        """Replay the sample."""
        log = self.run.log
        replayer, redacted = Replayer(log.reader, self.run.contents, log.tenant), 0
        for _, index, name in self._sample:
            note = log.reader.note_at_index(log.tenant, index)
            if note is None:
                raise Gap("position_missing", f"position {index} of the log is missing", remedy="run `halo verify`")
            result = replayer.replay(LoggedEntry(index, log.reader.read_entry(note), note))
            self.rows.append({"decision": name, "result": result.status.value})
            if result.status is ReplayStatus.REDACTED:
                redacted += 1
            elif result.status is not ReplayStatus.IDENTICAL:
                where = f" at {result.where}" if result.where else ""
                self.add_finding(f"decision {name} does not compute to what was recorded: {result.status.value}{where}")
        if redacted == len(self._sample):
            self.unknown.append("the content that these decisions read was erased, or its key is not at hand")
        elif redacted:
            self.notes.append(f"{redacted} of the sample cannot be replayed, since content was erased")


class TimeCheck(Check):
    """Whether times follow the order of the log, within a tolerance."""

    name = "time"
    claim = "times follow the order of the log: 5 s for one process, 60 s between processes"
    unit = "entries"
    kinds = None
    limits = (
        "whether clocks agree with the time of day is up to the hosts; the log shows steps, and clocks that differ",
    )

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._latest: dict[str, int] = {}
        self._newest = 0
        self._places: list[int] = []

    def add(self, entry: AuditEntry) -> None:
        """Compare with the writer's entry before, and with the newest one."""
        self.count += 1
        self._places = [self._places[0] if self._places else entry.index, entry.index]
        before = self._latest.get(entry.writer, 0)
        if entry.ts_us < before - _TOLERANCE_US:
            seconds = (before - entry.ts_us) // SECOND_US
            self.add_finding(f"entry {entry.id} is {seconds} s before the one that its writer wrote first")
        elif entry.ts_us < self._newest - SKEW_US:
            seconds = (self._newest - entry.ts_us) // SECOND_US
            self.add_finding(f"entry {entry.id} is {seconds} s before an entry ahead of it in the log")
        self._latest[entry.writer] = max(before, entry.ts_us)
        self._newest = max(self._newest, entry.ts_us)

    def finish(self) -> None:
        """Note entries that lie between the first and the last one of the period and have a time outside it."""
        misdated = self.run.log.count_misdated(self.run.period)
        if misdated:
            self.add_finding(describe_misdated(misdated))
        outside = self._places[-1] - self._places[0] + 1 - self.count - misdated if self._places else 0
        if outside > 0 and self._newest:
            spread = "writers overlap at the edge of the period"
            self.notes.append(f"{outside} entries between the first and the last one have times outside: {spread}")
        if self._newest > self.run.log.now_us + SKEW_US and self.run.log.now_us:
            self.add_finding(f"the newest entry is of {format_iso(self._newest)}, which is in the future")


class LifecycleCheck(Check):
    """Whether each process that wrote opened the log, and closed it or is still open."""

    name = "lifecycle"
    claim = "every process that wrote has opened the log with an entry, and closed it or is still open"
    unit = "processes"
    kinds = None
    history = frozenset({"writer_open"})
    columns = ("writer", "host", "process", "opened", "closed", "cause")
    limits = ("a process that ended without closing is found when another one opens the log, on its own host at once",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._opened: dict[str, tuple[int, dict[str, str]]] = {}
        self._closed: dict[str, tuple[int, str]] = {}
        self._writers: set[str] = set()

    def add_history(self, entry: AuditEntry) -> None:
        """Take an opening from before the period."""
        self._opened[entry.writer] = (entry.ts_us, dict(entry.body.get("origin") or {}))

    def add(self, entry: AuditEntry) -> None:
        """Note who wrote, opened and closed."""
        self._writers.add(entry.writer)
        if entry.kind == "writer_open":
            self.add_history(entry)
        elif entry.kind == "writer_close":
            closed = str(entry.body.get("writer", entry.writer))
            self._writers.add(closed)
            self._closed[closed] = (entry.ts_us, str(entry.body.get("cause", "")))

    def finish(self) -> None:
        """List the processes."""
        self.count = len(self._writers)
        verified = self.run.log.verified
        for writer in sorted(self._writers, key=lambda name: self._opened.get(name, (0, {}))[0]):
            opened, origin = self._opened.get(writer, (0, {}))
            is_open = writer in verified.open_writers
            closed, cause = self._closed.get(writer, (0, "open" if is_open else "after the period"))
            if is_open and self._has_died(writer):
                cause = "ended without closing"
                self.add_finding(f"the process of writer {writer} has ended without closing the log; {_NOT_NOTICED}")
            if cause == "crash":
                self.add_finding(
                    f"the process of writer {writer} ended without closing the log; noticed {format_iso(closed)}"
                )
            self.rows.append(
                {
                    "writer": writer,
                    "host": origin.get("host", ""),
                    "process": origin.get("process", ""),
                    "opened": format_iso(opened) if opened else "",
                    "closed": format_iso(closed) if closed else "",
                    "cause": cause,
                }
            )
        del self.rows[1000:]

    def _has_died(self, writer: str) -> bool:
        """Whether an open writer's process is known to have ended; told in a period that lasts until now alone."""
        log = self.run.log
        if log.home is None or self.run.as_of_us < log.now_us - SKEW_US:
            return False
        with log.reader.database.writer_alive(log.home, writer) as is_alive:
            return not is_alive


class FailuresCheck(Check):
    """Whether nothing ran on a decision that failed or could not be recorded."""

    name = "failures"
    claim = "no action ran on a decision that failed, or could not be recorded"
    unit = "decisions"
    kinds = frozenset({DECISION})
    columns = ("code", "decisions", "first", "last")
    limits = ("a process that could not reach the log at all has refused there, and left no entry",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._failed: dict[str, list[int]] = {}

    def add_decision(self, decision: DecisionItem) -> None:
        """Look for codes of failures."""
        entry = decision.entry
        self.count += 1
        for code in sorted(_FAILURES.intersection(decision.codes)):
            tally = self._failed.setdefault(code, [0, entry.ts_us, 0])
            tally[0] += 1
            tally[2] = entry.ts_us
            if decision.ran:
                self.add_finding(f"{decision.where} ran although the decision failed: {code}")

    def finish(self) -> None:
        """List the failures."""
        for code, (n, first, last) in sorted(self._failed.items()):
            self.rows.append({"code": code, "decisions": n, "first": format_iso(first), "last": format_iso(last)})


class LogAccessCheck(Check):
    """Whether each recorded access to the log names who it was."""

    name = "log_access"
    claim = "every recorded access to the log names who it was, and how that is known"
    unit = "accesses"
    kinds = frozenset({"access"})
    columns = ("act", "count")
    limits = ("who reads the database file itself is seen by the operating system alone",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._acts: Counter[str] = Counter()

    def add(self, entry: AuditEntry) -> None:
        """Look for the actor."""
        self.count += 1
        act = str(entry.body.get("act", ""))
        self._acts[act] += 1
        if not entry.body.get("actor") or not entry.body.get("authn"):
            self.add_finding(f"access {entry.id} ({act or 'unknown act'}) does not say who it was")

    def finish(self) -> None:
        """Count by act."""
        self.rows = count_rows(self._acts, "act")


class RetentionCheck(Check):
    """Whether no entry was removed, and nothing under a legal hold was erased."""

    name = "retention"
    claim = "no entry was removed since the first one, and nothing under a legal hold was erased"
    unit = "entries"
    kinds = None
    history = frozenset({"legal_hold", "retention"})
    columns = ("fact", "value")
    limits = ("a hold of a session or an agent is compared with erasures by `halo erase`, not here",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._held: set[tuple[str, str]] = set()
        self._keep_days: dict[str, int] = {}  # record class → days of its schedule
        self._erasures = 0

    def add_history(self, entry: AuditEntry) -> None:
        """Note what is under a hold, and the schedules in force."""
        if entry.kind == "retention":
            if entry.body.get("op") == "set":
                self._keep_days[str(entry.body["class"])] = int(entry.body["keep_days"])
            elif entry.body.get("op") == "unset":
                self._keep_days.pop(str(entry.body["class"]), None)
            return
        hold = (str(entry.body.get("scope", "")), str(entry.body.get("target", "")))
        if entry.body.get("op") == "set":
            self._held.add(hold)
        else:
            self._held.discard(hold)

    def add(self, entry: AuditEntry) -> None:
        """Count, and compare erasures with holds."""
        self.count += 1
        if entry.kind in self.history:
            self.add_history(entry)
        elif entry.kind == "erasure":
            self._erasures += 1
            names = (str(entry.body.get("subject", "")), *map(str, entry.body.get("names", ())))
            is_held = any(scope == "all" or (scope == "subject" and target in names) for scope, target in self._held)
            if is_held:
                self.add_finding(f"erasure {entry.id} erased what is under a legal hold")

    def finish(self) -> None:
        """Say how old the log is."""
        log = self.run.log
        note = log.reader.note_at_index(log.tenant, 0)
        if note is None:
            self.add_finding("the first entry of the log is missing")
            return
        first = log.reader.read_entry(note).ts_us
        days = max(self.run.as_of_us - first, 0) // DAY_US
        facts = {
            "first entry": format_iso(first),
            AGE_FACT: days,
            SCHEDULE_FACT: max(self._keep_days.values(), default=0),
            "erasures in the period": self._erasures,
            "under a legal hold": len(self._held),
        }
        self.rows = [{"fact": name, "value": value} for name, value in facts.items()]
        self.notes.append(f"the log is {days} days old: a longer time can only be shown later")


class LogReviewCheck(Check):
    """Whether each day with activity was covered by a report made within a day after it."""

    name = "log_review"
    claim = "every day on which agents acted was covered by a report made within a day after it"
    unit = "days with activity"
    kinds = frozenset({DECISION, "report"})
    later = frozenset({"report"})
    columns = ("day", "decisions", "report")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._days: Counter[int] = Counter()
        self._reports: list[tuple[str, int, int, int]] = []

    def add_decision(self, decision: DecisionItem) -> None:
        """Count days."""
        self._days[decision.entry.ts_us // DAY_US] += 1

    def add(self, entry: AuditEntry) -> None:
        """Take a report."""
        self.add_later(entry)

    def add_later(self, entry: AuditEntry) -> None:
        """Take a report, unless it comes too late for every day of the period."""
        if entry.ts_us > self.run.period.to_us + 2 * DAY_US:
            return
        from_us, to_us = entry.body.get("from_us"), entry.body.get("to_us")
        if isinstance(from_us, int) and isinstance(to_us, int):
            self._reports.append((entry.id, from_us, to_us, entry.ts_us))

    def finish(self) -> None:
        """Find the report of each day."""
        self.count = len(self._days)
        if not self._reports:
            self.unknown.append("there is no report of this time in the log (`halo report` records each one)")
        late = 0
        for day, n in sorted(self._days.items()):
            start, end = day * DAY_US, (day + 1) * DAY_US
            names = [
                name
                for name, from_us, to_us, made_us in self._reports
                if from_us <= start and to_us >= min(end, made_us) and start <= made_us <= end + DAY_US
            ]
            is_due = self.run.log.now_us > end + DAY_US
            if not names and is_due and self._reports:
                late += 1
                if late <= MAX_FINDINGS:
                    self.add_finding(f"no report covers {format_iso(start)[:10]} ({n} decisions)")
            self.rows.append({"day": format_iso(start)[:10], "decisions": n, "report": names[0] if names else ""})
