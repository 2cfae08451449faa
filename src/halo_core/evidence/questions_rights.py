"""Questions about rights: retired agents, versions of the policy, answers of people.

Each takes a log and a period and returns an answer (`halo_core.evidence.audit_log.ask`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from halo_core.durations import SECOND_US
from halo_core.errors import NotVerified
from halo_core.evidence.answers import END_US, MAX_LISTED, Answer, Period, Verdict, format_moment
from halo_core.evidence.audit_log import AuditEntry, AuditLog, DecisionFilter
from halo_core.evidence.facts import DecisionFacts
from halo_core.ledger.control_history import ControlHistory
from halo_core.model import Effect, EntryKind, format_entry_id
from halo_core.oversight.control_acts import POLICY_ROLE
from halo_core.oversight.signed_entries import load_rules
from halo_core.views.wording import format_count, shorten_hash

_THROUGH_HALO: Final = "this holds for actions that pass through Halo"


def load_body(log: AuditLog, entry_id: str) -> Mapping[str, Any] | None:
    """The whole body of an entry that another one names by its id; None if it is missing."""
    writer, _, seq = entry_id.rpartition("-")
    note = log.reader.note_at(log.tenant, writer, int(seq)) if seq.isdecimal() else None
    return None if note is None else log.reader.read_entry(note).body


def find_asking_agent(log: AuditLog, request: str) -> str:
    """The agent whose decision asked a question."""
    question = load_body(log, request)
    place = question["decision"] if question is not None else {}
    decision = load_body(log, format_entry_id(str(place.get("w", "")), int(place.get("ws", 0)))) if place else None
    return "" if decision is None else str(decision["request"]["subject"]["agent"])


_AFTER_COLUMNS: Final = ("time", "session", "action", "effect", "ran", "reasons", "entry")


def answer_after_revocation(log: AuditLog, period: Period, *, agent: str) -> Answer:
    """Whether a revoked agent did anything afterwards; what it tried is listed.

    Order is that of the log: what stands after the revocation was decided after it.

    Args:
        log: the tenant's audit log.
        period: period of the attempts.
        agent: that was revoked.
    """
    claim = f"`{agent}` did nothing after it was revoked"
    revocation = _find_revocation(log, period.to_us, agent)
    if revocation is None:
        return log.conclude(
            period,
            counted=0,
            what="revocations",
            claim=claim,
            verdict=Verdict.CANNOT_TELL,
            findings=[f"no revocation of `{agent}` is in the log"],
        )
    by = log.name_of(str(revocation.body.get("actor", ""))) or "unknown"
    why = revocation.body.get("why") or "no reason"
    note = f"revoked {_time(revocation)} by {by}: {why} ({revocation.id}, position {revocation.index})"
    attempts = list(_iterate_attempts(log, revocation, period, agent))
    findings = [
        f"{format_moment(item.ts_us)}: {item.kind} `{item.resource}` ran ({item.id})"
        for item in attempts
        if item.dispatched
    ]
    findings += _find_later_signs(log, revocation, period, agent)
    return log.conclude(
        period,
        counted=len(attempts),
        what="attempts after the revocation",
        claim=claim,
        findings=findings,
        columns=_AFTER_COLUMNS,
        rows=[_build_attempt_row(item) for item in attempts],
        notes=(
            note,
            f"{_THROUGH_HALO}; compare `halo inventory show --compare` for what runs elsewhere under its name",
        ),
    )


def _build_attempt_row(item: DecisionFacts) -> dict[str, Any]:
    return {
        "action": f"{item.kind} {item.resource}",
        "effect": item.effect,
        "entry": item.id,
        "ran": item.dispatched,
        "reasons": list(item.reasons),
        "session": item.session,
        "time": format_moment(item.ts_us),
    }


def _iterate_attempts(log: AuditLog, revocation: AuditEntry, period: Period, agent: str) -> Iterator[DecisionFacts]:
    """Decisions of the period after a revocation in which the revoked agent acted or was handed to."""
    for item in log.decisions(DecisionFilter(Period(min(period.from_us, revocation.ts_us), END_US))):
        involved = agent in item.acting or (item.kind == "handoff" and item.resource == agent)
        if involved and item.index >= revocation.index and period.contains(item.ts_us):
            yield item


def _find_revocation(log: AuditLog, until_us: int, agent: str) -> AuditEntry | None:
    """The entry that revoked an agent, or else the last of its passports."""
    newest = ""
    by_target: dict[str, AuditEntry] = {}
    for entry in log.entries((EntryKind.PASSPORT, EntryKind.REVOCATION), Period(0, until_us)):
        body = entry.body
        if entry.kind == EntryKind.PASSPORT and body.get("agent") == agent and body.get("kind") == "standing":
            newest = str(body["hash"])
        elif entry.kind == EntryKind.REVOCATION and body.get("scope") in ("agent", "link"):
            by_target.setdefault(f"{body['scope']}:{body.get('target')}", entry)
    return by_target.get(f"agent:{agent}") or by_target.get(f"link:{newest}")


def _find_later_signs(log: AuditLog, revocation: AuditEntry, period: Period, agent: str) -> Iterator[str]:
    """Signs other than decisions that a revoked agent is still in use: an unguarded run, a new passport."""
    later = Period(max(revocation.ts_us, period.from_us), period.to_us)
    for entry in log.entries((EntryKind.PASSPORT, EntryKind.SHADOW), later):
        if entry.index < revocation.index:
            continue
        if entry.kind == EntryKind.SHADOW:
            if entry.body.get("name") == agent:
                yield f"{_time(entry)}: it ran without a guard, at {entry.body.get('where', '?')} ({entry.id})"
        elif entry.body.get("agent") == agent and entry.body.get("kind") == "standing":
            yield f"{_time(entry)}: it was given a passport again ({entry.id})"


_POLICY_COLUMNS: Final = (
    *("version", "from", "to", "writers", "decisions", "put_in_force_by", "author", "approved_by", "tests"),
)


@dataclass(slots=True)
class PolicyVersion:
    """One text of the rules, while it was in force somewhere.

    Args:
        rules: digest of the rules, the same whichever tools are registered.
        from_us: when a writer first decided by it.
        to_us: when the last writer left it, None while one may still decide by it.
        writers: number of writers.
        actors: accounts that put it in force, with how they are known.
        decisions: made by it in the period.
        author: reference of who wrote it, as its approver said; empty if nobody did.
        author_name: the same as a name, where it can be opened.
        approvers: who approved it.
        tests: what was recorded of drills with it.
    """

    rules: str
    from_us: int
    to_us: int | None = None
    writers: set[str] = field(default_factory=set)
    actors: set[tuple[str, str]] = field(default_factory=set)
    decisions: int = 0
    author: str = ""
    author_name: str = ""
    approvers: set[str] = field(default_factory=set)
    tests: list[str] = field(default_factory=list)


def answer_policy_history(log: AuditLog, period: Period, *, separation: bool = False) -> Answer:
    """Every version of the policy that was in force in a period, with who put it in force and who approved it.

    With `separation` the claim is that somebody other than its author approved each version. Versions that nobody
    approved cannot be told about; one that only its author approved, or whoever put it in force, is a finding.
    """
    versions = load_policy_versions(log, period)
    rows, findings, unapproved = [], [], []
    for number, item in enumerate(versions, 1):
        authors = {item.author} - {""} or {actor for actor, _ in item.actors}
        name = f"version {number} ({shorten_hash(item.rules)})"
        if item.approvers and item.approvers <= authors:
            names = ", ".join(sorted(map(log.name_of, item.approvers)))
            findings.append(f"{name} was approved by {names} alone, who wrote it or put it in force")
        elif not item.approvers:
            unapproved.append(f"nobody's approval of {name} is recorded")
        rows.append(
            {
                "approved_by": sorted(map(log.name_of, item.approvers)),
                "author": item.author_name,
                "decisions": item.decisions,
                "from": format_moment(item.from_us),
                "put_in_force_by": sorted(f"{log.name_of(actor)} ({authn})" for actor, authn in item.actors),
                "tests": item.tests,
                "to": None if item.to_us is None else format_moment(item.to_us),
                "version": shorten_hash(item.rules),
                "writers": len(item.writers),
            }
        )
    verdict = Verdict.CANNOT_TELL if separation and unapproved and not findings else None
    claim = "somebody other than its author approved each version of the policy" if separation else ""
    return log.conclude(
        period,
        counted=len(versions),
        what="versions of the policy",
        claim=claim or "every version of the policy that was in force is listed, with who put it in force",
        verdict=verdict,
        findings=(*findings, *unapproved) if separation else findings,
        columns=_POLICY_COLUMNS,
        rows=rows,
        notes=(
            "who put it in force is the account of the process that read it; the author is named by the approver",
            "`tests` are drills that were recorded with this policy; `halo policy test` and `backtest` record nothing",
        ),
    )


def load_policy_versions(log: AuditLog, period: Period) -> list[PolicyVersion]:
    """The versions of the rules that were in force in a period, oldest first."""
    versions: dict[str, PolicyVersion] = {}
    by_hash: dict[str, str] = {}
    current: dict[str, str] = {}
    end_times: dict[str, int] = {}
    kinds = (EntryKind.POLICY, EntryKind.AUTHORITY, EntryKind.DRILL, EntryKind.WRITER_CLOSE)
    approvals: list[AuditEntry] = []
    drills: list[AuditEntry] = []
    history = log.make_control_history()
    for entry in log.entries(kinds, Period(0, period.to_us)):
        if entry.kind == EntryKind.AUTHORITY:
            history.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)
            approvals += [entry] if _is_signed_approval(history, entry) else []
        elif entry.kind == EntryKind.DRILL:
            drills.append(entry)
        else:
            writer = str(entry.body.get("writer", entry.writer))
            replaced_rules = current.pop(writer, None)
            if replaced_rules is not None and replaced_rules not in current.values():
                end_times[replaced_rules] = entry.ts_us
            if entry.kind == EntryKind.POLICY:
                version = _note_policy(log, entry, versions, by_hash)
                current[writer] = version.rules
                end_times.pop(version.rules, None)
    for rules, at_us in end_times.items():
        versions[rules].to_us = at_us
    _add_approvals(log, versions, approvals)
    _add_drills(versions, by_hash, drills)
    for item in log.decisions(DecisionFilter(period)):
        if (decided_by := by_hash.get(str(item.host.get("policy")))) is not None:
            versions[decided_by].decisions += 1
    inside = (item for item in versions.values() if item.to_us is None or item.to_us >= period.from_us)
    return sorted(inside, key=lambda item: item.from_us)


def _is_signed_approval(history: ControlHistory, entry: AuditEntry) -> bool:
    """Whether an entry is the approval of a policy, signed by the person it names, who was enrolled then."""
    body = entry.body
    if body.get("act") != POLICY_ROLE or body.get("role") != POLICY_ROLE:
        return False
    terms = {"author": str(body.get("author", "")), "policy": str(body.get("policy"))}
    signers = history.find_signers(POLICY_ROLE, terms, body.get("signed"), entry.ts_us)
    return body.get("approver") in {item.name for item in history.people if item.key_id in signers}


def _note_policy(
    log: AuditLog, entry: AuditEntry, versions: dict[str, PolicyVersion], by_hash: dict[str, str]
) -> PolicyVersion:
    name = str(entry.body.get("hash", entry.body.get("unstored", "")))
    if name not in by_hash:
        try:
            by_hash[name] = load_rules(log.reader, log.tenant, name)
        except NotVerified:
            by_hash[name] = name  # its text is not stored here
    version = versions.setdefault(by_hash[name], PolicyVersion(by_hash[name], entry.ts_us))
    version.writers.add(entry.writer)
    version.actors.add((str(entry.body.get("actor", "")), str(entry.body.get("authn", ""))))
    return version


def _add_approvals(log: AuditLog, versions: Mapping[str, PolicyVersion], approvals: Sequence[AuditEntry]) -> None:
    for entry in approvals:
        version = versions.get(str(entry.body.get("policy")))
        if version is None:
            continue
        version.approvers.add(str(entry.body["approver"]))
        author = str(entry.body.get("author", ""))
        if author:
            note = log.reader.note_at_index(log.tenant, entry.index)
            named_body = log.reader.read_note(entry.index, note).entry.body if note is not None else entry.body
            version.author, version.author_name = author, str(named_body["author"])


def _add_drills(
    versions: Mapping[str, PolicyVersion], by_hash: Mapping[str, str], drills: Sequence[AuditEntry]
) -> None:
    for entry in drills:
        name = str(entry.body.get("policy"))
        version = versions.get(by_hash.get(name, name))
        if version is not None:
            outcome = "passed" if entry.body.get("passed") else "did not pass"
            version.tests.append(f"drill {entry.id}: {outcome}")


_QUESTION_COLUMNS: Final = (
    *("asked", "agent", "action", "why", "kind", "status", "decided_by", "answer", "after_s", "shown", "ran", "entry"),
)
_ASKED_OR_SETTLED: Final = frozenset({"challenge", "monitor", "restrict"})
_WITHOUT_QUESTION: Final = frozenset({"break_glass", "override_allowed", "remembered"})
"""Codes of actions that ran on a signed answer, and about which nobody was asked."""
_APPROVER_COLUMNS: Final = ("approver", "answers", "yes", "no", "refused", "median_s", "fastest_s", "slowest_s")


@dataclass(slots=True)
class Question:
    """One question to a person, and what became of it.

    Args:
        entry: that asked.
        agent: agent that acted.
        answers: approvals in the order of the log.
        used: ids of decisions that ran by the answer.
    """

    entry: AuditEntry
    agent: str
    answers: list[AuditEntry] = field(default_factory=list)
    used: list[str] = field(default_factory=list)

    def describe_status(self, now_us: int) -> str:
        """`approved`, `denied`, `expired` or `open`."""
        if self.answers:
            return "approved" if self.answers[-1].body.get("answer") == "approve" else "denied"
        return "expired" if int(self.entry.body.get("expires_us", 0)) <= now_us else "open"


def load_questions(log: AuditLog, period: Period) -> list[Question]:
    """The questions that were asked in a period, with answers and uses up to now."""
    questions = {
        entry.id: Question(entry, find_asking_agent(log, entry.id))
        for entry in log.entries((EntryKind.APPROVAL_REQUEST,), period)
    }
    later = Period(period.from_us, END_US)
    for entry in log.entries((EntryKind.APPROVAL,), later):
        if (question := questions.get(str(entry.body.get("request")))) is not None:
            question.answers.append(entry)
    if questions:
        by_binding = {str(item.entry.body.get("binding")): item for item in questions.values()}
        for item in log.decisions(DecisionFilter(later)):
            approval = item.approval
            if approval is None or not item.dispatched:
                continue
            question = questions.get(str(approval.get("id"))) or by_binding.get(str(approval.get("binding")))
            if question is not None:
                question.used.append(item.id)
    return list(questions.values())


def answer_approvals(log: AuditLog, period: Period, *, by_approver: bool = False) -> Answer:
    """Every action that needed a person: who decided, how fast, and the digest of what they were shown.

    Findings are answers of which it is not recorded what the approver was shown, actions that ran although the answer
    was no, or none, and actions that observe mode let run although a person should have been asked.

    Args:
        log: the tenant's audit log.
        period: when the question was asked.
        by_approver: rows are people with their figures in place of questions.
    """
    questions = load_questions(log, period)
    findings = [finding for item in questions for finding in _check_answers(log, item)]
    unasked, settled_before = _read_unasked(log, period)
    without = "needed a person and ran in observe mode without one"
    findings.extend(f"{item.id} ({item.agent}, `{item.resource}`) {without}" for item in unasked)
    if not questions and not unasked:
        findings.append("nobody was asked anything in this period, and nothing ran that needed a person")
    unanswered = sum(1 for item in questions if not item.answers)
    rows = _count_approvers(log, period, questions) if by_approver else [_describe_question(log, q) for q in questions]
    return log.conclude(
        period,
        counted=len(questions),
        what="questions to people",
        claim="every action about which a person was to be asked was decided by one who was shown it, or did not run",
        verdict=None if questions or unasked else Verdict.CANNOT_TELL,
        findings=findings,
        columns=_APPROVER_COLUMNS if by_approver else _QUESTION_COLUMNS,
        rows=rows,
        notes=(
            f"{unanswered} of {len(questions)} were not answered; what is not answered in time does not run",
            *([_describe_settled(settled_before)] if settled_before else []),
        ),
    )


def _check_answers(log: AuditLog, question: Question) -> Iterator[str]:
    """Findings about the answers to a question: what was shown is not recorded, or the action ran without a yes."""
    name = f"{question.entry.id} ({question.agent}, `{question.entry.body.get('resource', '')}`)"
    for approval in question.answers:
        if not approval.body.get("shown"):
            by = log.name_of(str(approval.body.get("actor", "")))
            yield f"what {by} was shown of {name} is not recorded ({approval.id})"
    if question.used and not any(approval.body.get("answer") == "approve" for approval in question.answers):
        yield f"{name} ran without a yes ({', '.join(question.used)})"


def _read_unasked(log: AuditLog, period: Period) -> tuple[list[DecisionFacts], int]:
    """Decisions that needed a person and ran without one, and the number of acts that an earlier answer let run."""
    unasked: list[DecisionFacts] = []
    settled_before = 0
    for decision in log.decisions(DecisionFilter(period, effects=_ASKED_OR_SETTLED)):
        if decision.effect != Effect.CHALLENGE.value:
            settled_before += decision.dispatched and not _WITHOUT_QUESTION.isdisjoint(decision.reasons)
        elif decision.dispatched and len(unasked) < MAX_LISTED:
            unasked.append(decision)
    return unasked, settled_before


def _describe_settled(number: int) -> str:
    return (
        f"{format_count(number, 'action')} ran on a remembered or emergency answer or an override, without a question: "
        "`halo approvals remembered --all`, `halo overrides --all`"
    )


def _describe_question(log: AuditLog, item: Question) -> dict[str, Any]:
    body, first_answer = item.entry.body, item.answers[0] if item.answers else None
    words = (
        ""
        if first_answer is None
        else f"{first_answer.body.get('answer')}: {first_answer.body.get('why', '')}".removesuffix(": ")
    )
    return {
        "action": str(body.get("resource", "")),
        "after_s": None if first_answer is None else round((first_answer.ts_us - item.entry.ts_us) / SECOND_US, 3),
        "agent": item.agent,
        "answer": words,
        "asked": _time(item.entry),
        "decided_by": [log.name_of(str(one.body.get("actor", ""))) for one in item.answers],
        "entry": item.entry.id,
        "kind": "held act" if body.get("held") else str(body.get("kind", "call")),
        "ran": len(item.used),
        "shown": "" if first_answer is None else str(first_answer.body.get("shown", "")),
        "status": item.describe_status(log.now_us),
        "why": list(dict.fromkeys(str(reason.get("code", "")) for reason in body.get("reasons", ()))),
    }


def _count_approvers(log: AuditLog, period: Period, questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Figures of each person who answered, or was refused to."""
    answers_by_person: dict[str, list[tuple[str, float]]] = {}
    refused: dict[str, int] = {}
    for item in questions:
        for given in item.answers:
            seconds = (given.ts_us - item.entry.ts_us) / SECOND_US
            answers_by_person.setdefault(str(given.body.get("actor", "")), []).append(
                (str(given.body.get("answer")), seconds)
            )
    for entry in log.entries((EntryKind.ACCESS,), period):
        if entry.body.get("act") == "refused" and entry.body.get("refused") in ("approve", "deny"):
            person = str(entry.body.get("actor", ""))
            refused[person] = refused.get(person, 0) + 1
    return [
        {
            "answers": len(answers := answers_by_person.get(person, [])),
            "approver": log.name_of(person),
            "fastest_s": min((seconds for _, seconds in answers), default=None),
            "median_s": median(seconds for _, seconds in answers) if answers else None,
            "no": sum(1 for answer, _ in answers if answer == "deny"),
            "refused": refused.get(person, 0),
            "slowest_s": max((seconds for _, seconds in answers), default=None),
            "yes": sum(1 for answer, _ in answers if answer == "approve"),
        }
        for person in sorted({*answers_by_person, *refused})
    ]


def _time(entry: AuditEntry) -> str:
    return format_moment(entry.ts_us) or "-"
