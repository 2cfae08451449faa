"""Questions about the operation of Halo itself: when it failed or was switched off, and what it refused.

`answer_unchanged` says whether the log still contains every entry that an auditor's old checkpoint covers.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from halo_core.errors import Gap, Tampered
from halo_core.evidence.answers import MAX_LISTED, Answer, Period, Verdict, check_listed, format_moment
from halo_core.evidence.audit_log import END_US, AuditEntry, AuditLog, DecisionFacts, DecisionFilter, read_place
from halo_core.evidence.questions_access import describe_open_writers, describe_ungoverned_act
from halo_core.ledger import build_entry_note, parse_vkey
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint
from halo_core.ledger.tree import CompactRange, list_consistency_ranges, verify_consistency
from halo_core.model import EntryKind
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.verification import find_anchors
from halo_core.views.wording import format_count

_REFUSED: Final = frozenset({"challenge", "deny"})
_ERRORS: Final = frozenset(
    {
        "decision_error",
        "foreign_trigger",
        "ledger_behind_anchor",
        "ledger_busy",
        "ledger_closed",
        "ledger_unreachable",
        "ledger_unwritable",
        "policy_error",
        "risk_unknown",
        "score_unavailable",
    }
)
"""Reasons that say that something of Halo did not work."""
_ORIGIN: Final = re.compile(rb"halo/([A-Za-z0-9._-]{1,64})/log\n")
_UNWRITTEN: Final = (
    "where the log could not be written nothing ran in enforce mode, and no entry says so; the application's log does"
)
_MAX_FINDINGS: Final = 1000
_MAX_IDS: Final = 10
_FAILURE_KINDS: Final = (
    EntryKind.CONTROL,
    EntryKind.DECISION,
    EntryKind.OUTCOME,
    EntryKind.SHADOW,
    EntryKind.WRITER_CLOSE,
)


@dataclass(slots=True)
class _Failure:
    """One kind of failure of one origin: when, and what agents did then."""

    what: str
    who: str
    detail: str
    first_us: int
    last_us: int
    decisions: int = 0
    ran_though_refused: int = 0
    agents: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)

    def add(self, entry_id: str, ts_us: int) -> None:
        self.first_us, self.last_us = min(self.first_us, ts_us), max(self.last_us, ts_us)
        if len(self.ids) < _MAX_IDS:
            self.ids.append(entry_id)

    def add_decision(self, item: DecisionFacts) -> None:
        self.decisions += 1
        self.ran_though_refused += item.dispatched and item.effect in _REFUSED
        self.agents[item.agent] += 1

    def describe(self) -> str:
        """A sentence."""
        did = ""
        if self.decisions:
            did = f"; {format_count(self.decisions, 'decision')} then"
            did += f", {self.ran_though_refused} ran though refused" if self.ran_though_refused else ""
        actor_suffix = f" by {self.who}" if self.who else ""
        times = f"{format_moment(self.first_us)} to {format_moment(self.last_us) or 'its end'}"
        return f"{self.what}{actor_suffix}, {times}{did}{f' ({self.detail})' if self.detail else ''}"

    def to_row(self) -> dict[str, Any]:
        return {
            "agents": [f"{name} {count}" for name, count in sorted(self.agents.items())],
            "decisions": self.decisions,
            "detail": self.detail,
            "from": format_moment(self.first_us),
            "ids": list(self.ids),
            "ran_though_refused": self.ran_though_refused,
            "to": format_moment(self.last_us),
            "what": self.what,
            "who": self.who,
        }


def answer_failures(log: AuditLog, period: Period) -> Answer:
    """When enforcement or recording did not work or was switched off, by whom, and what agents did then."""
    waivers = list(_find_waivers(log, period))
    failures: dict[tuple[str, ...], _Failure] = {}
    last_us: dict[str, int] = {}
    decision_count = 0
    everything = DecisionFilter(period)
    for entry in log.entries(_FAILURE_KINDS, period):
        if entry.kind == EntryKind.DECISION:
            decision_count += 1
            item = log.read_decision(entry, everything)
            if item is not None:
                _add_decision(failures, waivers, entry, item)
        else:
            _add_failure(failures, entry, last_us)
        last_us[entry.writer] = entry.ts_us
    _add_missing_outcomes(log, failures, everything)
    failures_in_order = sorted([*waivers, *failures.values()], key=lambda item: (item.first_us, item.what))
    waiting = log.verified.unplaced
    unplaced = [f"{format_count(waiting, 'entry', 'entries')} have no position in the log yet"] if waiting else []
    return log.conclude(
        period,
        counted=decision_count,
        what="decisions",
        claim="every action was decided in enforce mode, and every decision and outcome was recorded",
        findings=[*unplaced, *(item.describe() for item in failures_in_order[:_MAX_FINDINGS])],
        columns=("what", "who", "from", "to", "decisions", "ran_though_refused", "agents", "detail", "ids"),
        rows=[item.to_row() for item in failures_in_order],
        notes=(
            *describe_open_writers(log),
            _UNWRITTEN,
        ),
    )


def _add_missing_outcomes(log: AuditLog, failures: dict[tuple[str, ...], _Failure], wanted: DecisionFilter) -> None:
    """Add what was let run and has no outcome, not even an unknown one, although its writer has closed."""
    for item, outcome in log.actions(wanted):
        writer = item.id.rpartition("-")[0]
        if outcome is not None or not item.dispatched or writer in log.verified.open_writers:
            continue
        key = ("missing", writer)
        if key not in failures:
            failures[key] = _Failure("outcomes missing", f"writer {writer}", "", item.ts_us, item.ts_us)
        failures[key].add(item.id, item.ts_us)
        failures[key].add_decision(item)


def _find_waivers(log: AuditLog, period: Period) -> Iterator[_Failure]:
    """The times within a period when enforcement was switched off, also by a waiver from before it."""
    current: _Failure | None = None
    for entry in log.entries((EntryKind.MODE,), Period(0, period.to_us)):
        body = entry.body
        if current is not None:
            current.last_us = min(current.last_us, entry.ts_us)
            if current.last_us > period.from_us:
                yield current
            current = None
        if body.get("to") == "observe":
            until_us = body.get("until_us")
            end_us = until_us if type(until_us) is int else END_US
            actor = log.name_of(str(body.get("actor", "")))
            detail = f"{body.get('authn', '')}: {body.get('why', '')}"
            current = _Failure("enforcement waived", actor, detail, entry.ts_us, end_us, ids=[entry.id])
    if current is not None and current.last_us > period.from_us:
        yield current


def _add_decision(
    failures: dict[tuple[str, ...], _Failure], waivers: list[_Failure], entry: AuditEntry, item: DecisionFacts
) -> None:
    for waiver in waivers:
        if waiver.first_us <= item.ts_us < waiver.last_us:
            waiver.add_decision(item)
    mode = str(item.host.get("mode", ""))
    troubles = [(code, f"decisions with the reason `{code}`") for code in _ERRORS.intersection(item.reasons)]
    if mode != "enforce":
        troubles.append((mode, f"decisions in {mode} mode"))
    for key, problem in troubles:
        origin = item.host.get("origin") or {}
        process_name = f"{origin.get('process', '')} (pid {origin.get('pid', '')})"
        failure = failures.get((key, entry.writer))
        if failure is None:
            failure = failures[key, entry.writer] = _Failure(
                problem, process_name, f"writer {entry.writer}", item.ts_us, item.ts_us
            )
        failure.add(item.id, item.ts_us)
        failure.add_decision(item)


def _add_failure(failures: dict[tuple[str, ...], _Failure], entry: AuditEntry, last_us: dict[str, int]) -> None:
    body, start_us = entry.body, entry.ts_us
    if entry.kind == EntryKind.OUTCOME:
        if body.get("status") != "unknown":
            return
        place = read_place(entry)
        key, problem, detail = ("unknown", place.rpartition("-")[0]), "outcomes not known", str(body.get("detail", ""))
        actor, name = f"writer {key[1]}", place
    elif entry.kind == EntryKind.WRITER_CLOSE:
        writer = str(body.get("writer", entry.writer))
        if body.get("cause") != "crash":
            return
        key, problem, detail = ("crash", writer), "a process ended without closing the log", f"writer {writer}"
        actor, name, start_us = "", entry.id, last_us.get(writer, entry.ts_us)
    elif entry.kind == EntryKind.SHADOW:
        if body.get("refused"):
            return
        key, actor, name = ("shadow", entry.id), "", entry.id
        problem, detail = "an action without a decision", describe_ungoverned_act(entry)
    else:
        key, actor, name = ("control", entry.id), "", entry.id
        problem, detail = "a row that differed from its entry", f"column {body.get('column', '')}"
    failure = failures.get(key)
    if failure is None:
        failure = failures[key] = _Failure(problem, actor, detail, start_us, entry.ts_us)
    failure.add(name, entry.ts_us)


@dataclass(slots=True)
class _Refusal:
    """A refused attempt, and what followed."""

    item: DecisionFacts
    events: list[str] = field(default_factory=list)
    again: int = 0

    def add(self, text: str) -> None:
        if text not in self.events and len(self.events) < _MAX_IDS:
            self.events.append(text)


def answer_denials(log: AuditLog, period: Period, wanted: DecisionFilter, *, with_disposition: bool = False) -> Answer:
    """Refused and invalid attempts, and what followed: asked a person, tried again, judged, stopped.

    Args:
        log: the tenant's audit log.
        period: period of the attempts.
        wanted: which decisions; its effects are taken as they are, or else `deny` and `challenge`.
        with_disposition: also say what followed, until now.
    """
    refused = replace(wanted, period=period, effects=wanted.effects or _REFUSED)
    follow = _Dispositions(log)
    attempts = 0
    if with_disposition:
        for entry in log.entries(_DISPOSITION_KINDS, Period(period.from_us, END_US)):
            attempts += follow.add(entry, refused)
        follow.note_silence()
    else:
        for item in log.decisions(refused):
            attempts += 1
            follow.add_refusal(item)
    unknown = log.find_unknown(wanted) if not attempts else ()
    columns = ("index", "id", "time", "agent", "person", "resource", "effect", "ran", "codes", "invalid")
    rows = [_refusal_row(log, item, with_disposition=with_disposition) for item in follow.refusals]
    notes: list[str] = []
    if with_disposition and attempts:
        open_count = sum(row["followed"] == _NOTHING for row in rows)
        nothing = f"after {open_count} of them nothing followed: no question, answer, alert, stop or further attempt"
        something = (
            "after each of them something followed: a question, an answer, an alert, a stop or a further attempt"
        )
        notes.append(nothing if open_count else something)
    if let_run := sum(item.item.dispatched for item in follow.refusals):
        notes.append(f"{let_run} of them ran all the same, in observe mode: `halo failures` says since when and why")
    return log.conclude(
        period,
        counted=attempts,
        what="refused attempts",
        claim=f"{format_count(attempts, 'attempt')} {'was' if attempts == 1 else 'were'} refused or challenged, "
        "all listed" + (" with what followed" if with_disposition else ""),
        verdict=Verdict.CANNOT_TELL if unknown or attempts > MAX_LISTED else Verdict.HOLDS,
        findings=(*unknown, *check_listed(attempts)),
        columns=(*columns, *(("followed",) if with_disposition else ())),
        rows=rows,
        notes=(*notes, "refused acts of people, such as an approval by the wrong person, are in `halo access-log`"),
    )


_NOTHING: Final = ["nothing"]
_DISPOSITION_KINDS: Final = (
    EntryKind.DECISION,
    EntryKind.APPROVAL_REQUEST,
    EntryKind.APPROVAL,
    EntryKind.ALERT,
    EntryKind.FEEDBACK,
    EntryKind.STOP,
    EntryKind.HELD,
)


def _refusal_row(log: AuditLog, refusal: _Refusal, *, with_disposition: bool) -> dict[str, Any]:
    item = refusal.item
    row = {
        "agent": item.agent,
        "codes": list(dict.fromkeys(item.reasons)),
        "effect": item.effect,
        "id": item.id,
        "index": item.index,
        "invalid": item.body.get("problem", ""),
        "person": log.name_of(item.user),
        "ran": item.dispatched,
        "reference": item.user,
        "resource": item.resource,
        "rules": [rule for rule in item.rules if rule],
        "time": format_moment(item.ts_us),
    }
    if with_disposition:
        again = [f"tried again {format_count(refusal.again, 'time')}"] if refusal.again else []
        row["followed"] = [*refusal.events, *again] or _NOTHING
    return row


class _Dispositions:
    """Follows refused attempts through the entries after them."""

    def __init__(self, log: AuditLog) -> None:
        self.refusals: list[_Refusal] = []
        self._room = log
        self._decisions: dict[str, _Refusal] = {}
        self._questions: dict[str, tuple[_Refusal, int]] = {}
        self._unanswered: dict[str, int] = {}  # id of a question → until when it could be answered
        self._alerts: dict[str, _Refusal] = {}
        self._held: dict[str, _Refusal] = {}
        self._attempts: dict[tuple[str, ...], _Refusal] = {}

    def add_refusal(self, item: DecisionFacts) -> None:
        """Begin to follow an attempt."""
        if len(self.refusals) >= MAX_LISTED:
            return
        refusal = _Refusal(item)
        self.refusals.append(refusal)
        self._decisions[item.id] = refusal
        if item.dispatched:
            refusal.add("ran all the same (observe mode)")
        self._attempts[self._name_attempt(item)] = refusal

    def note_silence(self) -> None:
        """Say of each question whose time is over that nobody answered it."""
        for name, expires_us in self._unanswered.items():
            if expires_us <= self._room.now_us:
                self._questions[name][0].add(f"nobody answered until {format_moment(expires_us)}")

    def _name_attempt(self, item: DecisionFacts) -> tuple[str, ...]:
        return item.session, item.agent, item.resource, item.args_digest

    def add(self, entry: AuditEntry, refused: DecisionFilter) -> bool:
        """Take the next entry of the log; whether it is a refused attempt that is wanted."""
        if entry.kind == EntryKind.DECISION:
            return self._add_decision(entry, refused)
        if entry.kind == EntryKind.STOP:
            self._add_stop(entry)
        elif entry.kind in (EntryKind.APPROVAL, EntryKind.FEEDBACK):
            self._add_answer(entry)
        else:
            self._add_reference(entry)
        return False

    def _add_decision(self, entry: AuditEntry, refused: DecisionFilter) -> bool:
        item = self._room.read_decision(entry, DecisionFilter(refused.period))
        if item is None:
            return False
        earlier = self._attempts.get(self._name_attempt(item))
        if earlier is not None:
            earlier.again += 1
            if item.dispatched:
                earlier.add(f"ran later ({item.id})")
        released = self._held.get(str(item.body.get("released", "")))
        if released is not None and item.dispatched:
            released.add(f"ran after its answer ({item.id})")
        is_wanted = refused.period.contains(item.ts_us) and self._room.read_decision(entry, refused) is not None
        if is_wanted:
            self.add_refusal(item)
        return is_wanted

    def _add_stop(self, entry: AuditEntry) -> None:
        scope, target = str(entry.body.get("scope", "")), str(entry.body.get("target", ""))
        actor = self._room.name_of(str(entry.body.get("actor", ""))) or str(entry.body.get("authn", ""))
        for refusal in self.refusals:
            item = refusal.item
            of_item = {
                "agent": item.agent,
                "session": item.session,
                "suspended_agent": item.agent,
                "suspended_pair": f"{item.user}:{item.agent}",
                "suspended_user": item.user,
                "tool": item.resource,
                "user": item.user,
            }
            if of_item.get(scope) == target and not any(text.startswith("stopped") for text in refusal.events):
                refusal.add(f"stopped ({scope}) by {actor} at {format_moment(entry.ts_us)}")

    def _add_answer(self, entry: AuditEntry) -> None:
        body = entry.body
        actor = self._room.name_of(str(body.get("actor", "")))
        if entry.kind == EntryKind.APPROVAL:
            question = self._questions.get(str(body.get("request", "")))
            self._unanswered.pop(str(body.get("request", "")), None)
            if question is not None:
                word = "approved" if body.get("answer") == "approve" else "denied"
                question[0].add(f"{word} by {actor} after {(entry.ts_us - question[1]) // 1_000_000} s")
            return
        name = str(body.get("alert", ""))
        judged = self._alerts.get(name) or self._decisions.get(name)
        if judged is not None:
            judged.add(f"judged {'an attack' if body.get('attack') else 'ordinary'} by {actor}")

    def _add_reference(self, entry: AuditEntry) -> None:
        """An alert, a question or a held act that names the decision that it is about."""
        if entry.kind == EntryKind.HELD:
            question = self._questions.get(str(entry.body.get("question", "")))
            if question is not None:
                question[0].add("held until it is answered")
                self._held[entry.id] = question[0]
            elif entry.body.get("op") in ("expired", "dropped"):
                refusal = self._held.get(str(entry.body.get("held", "")))
                if refusal is not None:
                    refusal.add(f"what was held was {entry.body['op']}")
            return
        if "decision" not in entry.body:
            return
        refusal = self._decisions.get(read_place(entry))
        if refusal is None:
            return
        if entry.kind == EntryKind.ALERT:
            self._alerts[entry.id] = refusal
            refusal.add(f"alert {entry.id}")
        else:
            self._questions[entry.id] = (refusal, entry.ts_us)
            self._unanswered[entry.id] = int(entry.body.get("expires_us", END_US))
            refusal.add(f"a person was asked ({entry.id})")


def answer_unchanged(log: AuditLog, period: Period, note: bytes) -> Answer:
    """Whether the log still contains every entry that an earlier checkpoint covers, and how many were added since.

    Args:
        log: the tenant's audit log.
        period: period of the answer.
        note: the signed checkpoint that somebody kept elsewhere.
    """
    keys = load_trusted_keys(log.home) if log.home is not None else {}
    claim = "nothing that the checkpoint signed was changed or cut since"
    if log.tenant not in keys:
        return log.cannot_tell(period, f"there is no trusted key of the log of `{log.tenant}`", claim=claim)
    try:
        earlier = open_checkpoint(note, parse_vkey(keys[log.tenant]), log.tenant)
    except Tampered as exc:
        text = f"the file holds no checkpoint that the trusted key of this log signed: {exc.message}"
        return log.cannot_tell(period, text, claim=claim)
    try:
        head, size = log.verified.head, log.verified.size
        proof, root, new_root = _read_proof(log, earlier, head)
    except (Gap, Tampered) as exc:
        return replace(log.cannot_tell(period, f"{exc.message} ({exc.code})", claim=claim), verdict=Verdict.FAILS)
    findings = []
    if earlier.size > size:
        findings.append(f"the checkpoint signed {earlier.size} entries, but only {size} exist")
    elif head is None or head.size < earlier.size:
        findings.append("the newest checkpoint of the log is older than the one kept")
    elif root != earlier.root:
        findings.append(f"the first {earlier.size} entries are not those that the checkpoint signed")
    elif not verify_consistency(earlier.size, head.size, proof, earlier.root, new_root):
        findings.append("the consistency proof does not hold")
    added = max(0, size - earlier.size)
    rows = [{"hash": item.hex(), "n": number} for number, item in enumerate(proof, 1)]
    return log.conclude(
        period,
        counted=added,
        what=f"entries added since the checkpoint of {earlier.size}",
        claim=f"{claim}: {format_count(earlier.size, 'entry', 'entries')} are as they were, and {added} were added",
        findings=findings,
        columns=("n", "hash"),
        rows=rows if not findings else [],
        notes=(
            "the rows are the consistency proof (RFC 6962 section 2.1.2) from the checkpoint kept to the newest one",
        ),
    )


def find_note(log: AuditLog, data: bytes) -> bytes:
    """The checkpoint in a file: the signed note itself, or that of this store in the copy of an `anchor.json`."""
    by_store = _read_anchor_copy(data)
    if by_store is None or log.home is None:
        return data
    return find_anchors(log.reader, log.home, by_store).get(log.tenant, b"")


def list_signed_tenants(data: bytes) -> list[str]:
    """Tenants of whose logs a file (see `find_note`) holds a checkpoint, sorted; none if it holds no checkpoint."""
    by_store = _read_anchor_copy(data)
    if by_store is not None:
        return sorted({tenant for logs in by_store.values() for tenant in logs})
    origin = _ORIGIN.match(data)
    return [] if origin is None else [origin[1].decode("ascii")]


def _read_anchor_copy(data: bytes) -> dict[str, dict[str, bytes]] | None:
    """Store → tenant → checkpoint of the copy of an `anchor.json`; None if it is none."""
    try:
        anchors = orjson.loads(data)["stores"]
        return {str(name): {str(t): str(n).encode() for t, n in logs.items()} for name, logs in anchors.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read_proof(log: AuditLog, earlier: Checkpoint, head: Checkpoint | None) -> tuple[list[bytes], bytes, bytes]:
    """The consistency proof between two sizes, and the roots of both, from the entries; nothing if there is none."""
    if head is None or not 0 < earlier.size <= head.size:
        return [], b"", b""
    ranges = list_consistency_ranges(earlier.size, head.size)
    parts = [CompactRange() for _ in ranges]
    tree, old_root = CompactRange(), b""
    for row in log.reader.signed_rows(log.tenant):
        if row.position >= head.size:
            break
        note = build_entry_note(log.tenant, row.writer, bytes(row.text), bytes(row.signatures))
        leaf = hashlib.sha256(b"\x00" + note).digest()
        tree.append(leaf)
        for part, (low, high) in zip(parts, ranges, strict=True):
            if low <= row.position < high:
                part.append(leaf)
        if row.position + 1 == earlier.size:
            old_root = tree.root()
    return [part.root() for part in parts], old_root, tree.root()
