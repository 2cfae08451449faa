"""Checks of what people do: answers to questions, administrative acts, alerts, incidents and drills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.decision.record_parts import unpack_digest
from halo_core.durations import DAY_US, SECOND_US
from halo_core.evidence.audit_log import AuditEntry
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader
from halo_core.evidence.incidents import IncidentFile, read_incidents, read_waivers
from halo_core.ledger.answer_changes import ends_answer, gives_answer
from halo_core.ledger.control_history import HISTORY_KINDS
from halo_core.views.wording import format_count

_ALERT_SLA_US: Final = DAY_US
"""How long an alert may wait for a person, microseconds."""
_MAX_TIMES: Final = 100_000
_STANDING: Final = frozenset({"break_glass", "override_allowed", "remembered", "reversal_ordered"})
"""Reason codes of actions that ran because of a signed answer that is no answer to one question."""
_ANSWERED: Final = _STANDING | {"approved"}
"""Reason codes of actions that ran because a person had answered."""
_ACTS: Final = frozenset(
    {
        "acknowledgement",
        "approval",
        "authority",
        "control_waiver",
        "erasure",
        "feedback",
        "incident",
        "inventory",
        "known",
        "legal_hold",
        "lift",
        "manifest",
        "mode",
        "override",
        "passport",
        "policy",
        "report",
        "retention",
        "reversal",
        "review",
        "revocation",
        "standing_answer",
        "stop",
    }
)
"""Kinds of entries that record an act of a person or an account."""


class ApprovalsCheck(Check):
    """Whether each action that ran on an answer had one in the log, given before, for this call or its scope."""

    name = "approvals"
    claim = "every action that ran on an answer had one, given before it, for exactly this call or its scope"
    unit = "questions, and actions that ran on an answer"
    kinds = frozenset({DECISION})
    history = frozenset({"approval", "approval_request", "override", "reversal", "standing_answer"})
    columns = ("fact", "value")
    limits = ("how often an answer served is compared with how often it may by `halo verify`",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._requests: dict[str, tuple[str, int]] = {}
        self._answers: dict[str, tuple[str, int]] = {}
        self._given: dict[str, tuple[str, int]] = {}  # id of a remembered answer, override or order → scope and end
        self._verdicts: Counter[str] = Counter()
        self._waits: list[int] = []

    def add_history(self, entry: AuditEntry) -> None:
        """Take a question or an answer."""
        body = entry.body
        if entry.kind == "approval_request":
            self._requests[entry.id] = (str(body.get("args_digest", "")), entry.ts_us)
        elif entry.kind == "approval":
            self._answers[str(body.get("request"))] = (str(body.get("answer")), entry.ts_us)
        elif gives_answer(body):
            end_us = int(body.get("expires_s", 0)) * SECOND_US
            self._given.setdefault(str(body.get("answer", "")), (str(body.get("scope", "")), end_us))
        elif ends_answer(body):
            self._given.pop(str(body.get("answer", "")), None)

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare what ran with its answer."""
        if decision.ran and _ANSWERED.intersection(decision.codes):
            self.count += 1
            self._compare(decision.entry, decision)

    def add(self, entry: AuditEntry) -> None:
        """Take a question or an answer."""
        self.add_history(entry)
        if entry.kind == "approval_request":
            self.count += 1
        elif entry.kind == "approval":
            self._verdicts[str(entry.body.get("answer"))] += 1
            question = self._requests.get(str(entry.body.get("request")))
            if question is None:
                self.add_finding(f"answer {entry.id} is to a question that the log does not have")
            elif len(self._waits) < _MAX_TIMES:
                self._waits.append(max(entry.ts_us - question[1], 0))

    def _compare(self, entry: AuditEntry, decision: DecisionItem) -> None:
        for reason in entry.body["decision"]["reasons"]:
            if reason["code"] in _STANDING:
                self._compare_standing(decision, str(reason.get("detail", "")))
        if "approved" in decision.codes:
            self._compare_approval(entry, decision)

    def _compare_standing(self, decision: DecisionItem, name: str) -> None:
        entry = decision.entry
        given = self._given.get(name)
        scope = str(entry.body.get("seen", {}).get("answer_scope", ""))
        if given is None and not (not name and any(scope == item for item, _ in self._given.values())):
            answer = f"the answer {name}" if name else "a remembered answer"
            self.add_finding(f"{decision.where} ran on {answer}, which the log does not have, or no more")
        elif given is not None and entry.ts_us >= given[1]:
            self.add_finding(f"{decision.where} ran on the answer {name}, which had expired")

    def _compare_approval(self, entry: AuditEntry, decision: DecisionItem) -> None:
        approval = entry.body.get("seen", {}).get("approval")
        if not isinstance(approval, dict):
            self.add_finding(f"{decision.where} ran as approved and names no answer")
            return
        request = str(approval.get("id"))
        question, answered = self._requests.get(request), self._answers.get(request)
        if question is None or answered is None or answered[0] != "approve":
            self.add_finding(f"{decision.where} ran on an answer to {request} that the log does not have")
        elif question[0] and question[0] != unpack_digest(str(entry.body.get("args")), KEYED_DIGEST):
            self.add_finding(f"{decision.where} ran with other arguments than those that were approved ({request})")
        elif entry.ts_us > approval.get("expires_us", 0):
            self.add_finding(f"{decision.where} ran on an answer that had expired ({request})")

    def finish(self) -> None:
        """Say how answers fell and how long they took."""
        facts: dict[str, Any] = {f"answers: {name}": n for name, n in sorted(self._verdicts.items())}
        if self._waits:
            facts["median wait in seconds"] = round(median(self._waits) / SECOND_US, 1)
            facts["shortest wait in seconds"] = round(min(self._waits) / SECOND_US, 1)
        self.rows = [{"fact": name, "value": value} for name, value in facts.items()]

    def explain_empty(self) -> str:
        """Why the check cannot tell: without a question there is nothing to compare."""
        return "nobody was asked anything in this period, and nothing ran on an answer"


class SeparationCheck(Check):
    """Whether nobody answered for their own actions or agents, or approved a policy of their own."""

    name = "separation_of_duties"
    claim = "nobody answered for an action of their own, or of an agent of theirs, or approved a policy of their own"
    unit = "answers, and approvals of policies"
    kinds = frozenset({"approval", "authority", "policy"})
    history = frozenset({"approval_request"})
    limits = ("whether each version of the policy was approved, and by whom, is told by `halo policy history`",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._places: dict[str, Mapping[str, Any]] = {}
        self._owners: dict[frozenset[str], frozenset[str]] = {}  # owners as passports say → their references too
        self._policies = self._approved = 0

    def add_history(self, entry: AuditEntry) -> None:
        """Note which decision a question is about."""
        place = entry.body.get("decision")
        if isinstance(place, dict):
            self._places[entry.id] = place

    def add(self, entry: AuditEntry) -> None:
        """Compare who answered or approved with whose action or policy it was."""
        body = entry.body
        if entry.kind == "approval_request":
            self.add_history(entry)
            return
        if entry.kind == "policy":
            self._policies += 1
            return
        if entry.kind == "authority" and body.get("act") != "policy":
            return
        self.count += 1
        if entry.kind == "approval":
            self._check_answer(entry)
        else:
            self._approved += 1
            if body.get("author") and body.get("author") == body.get("approver", body.get("actor")):
                rules = str(body.get("policy", ""))[:19]
                self.add_finding(f"policy {rules} was approved by its author (entry {entry.id})")

    def _check_answer(self, entry: AuditEntry) -> None:
        place = self._places.get(str(entry.body.get("request")))
        log = self.run.log
        if place is None:
            return  # the check of approvals reports it
        note = log.reader.note_at(log.tenant, str(place.get("w")), int(place.get("ws", -1)))
        if note is None:
            return
        request = log.reader.read_entry(note).body.get("request", {})
        chain = tuple(request.get("subject", {}).get("chain", ()))
        actor = str(entry.body.get("actor", ""))
        if actor and actor in chain:
            self.add_finding(f"answer {entry.id} is by somebody in the chain of the action")
        agent = str(request.get("subject", {}).get("agent", ""))
        hashes = tuple(log.reader.read_entry(note).body.get("snapshot", {}).get("chain", ()))
        if actor and actor in self._find_owners(hashes):
            self.add_finding(f"answer {entry.id} is by the owner of `{agent}`")

    def _find_owners(self, hashes: tuple[str, ...]) -> frozenset[str]:
        """Names and references of the owners that a chain of passports names."""
        links = self.run.read_chain(hashes) if hashes else ()
        owners = frozenset[str]() if isinstance(links, str) else frozenset(link.owner for link in links if link.owner)
        if owners not in self._owners:
            self._owners[owners] = frozenset().union(*map(self.run.log.reader.find_person, owners))
        return self._owners[owners]

    def finish(self) -> None:
        """Say how many policies somebody approved."""
        if self._policies:
            times = format_count(self._policies, "time")
            approvals = format_count(self._approved, "approval is", "approvals are")
            self.notes.append(f"processes put a policy in force {times}, {approvals} recorded")

    def explain_empty(self) -> str:
        """Why the check cannot tell: without an answer or an approval no duties met."""
        return "nobody answered a question or approved a policy in this period"


class AdminActsCheck(Check):
    """Whether each administrative act names who did it, and took effect."""

    name = "admin_acts"
    claim = "every act on Halo names who did it and how that is known, and none was without effect"
    unit = "acts"
    kinds = _ACTS | {"control"}
    history = frozenset(HISTORY_KINDS)
    columns = ("act", "count", "authenticated by")
    limits = ("what is done by hand, such as a file of a stop that is made or removed, has no entry",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._past = run.log.make_control_history()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add_history(self, entry: AuditEntry) -> None:
        """Take a control act from before the period."""
        self._past.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)

    def add(self, entry: AuditEntry) -> None:
        """Look for who did it, and whether it has an effect."""
        body = entry.body
        if entry.kind in HISTORY_KINDS:
            change = self._past.add(entry.kind, body, at_us=entry.ts_us, entry=entry.id)
            if change is not None and change.problem:
                self.add_finding(f"{change.act} {entry.id} has no effect: {change.problem}")
        if entry.kind == "control":
            self.add_finding(
                f"a row of control differed from its signed entry (entry {entry.id}, `{body.get('column')}`)"
            )
            return
        if entry.kind == "passport" and body.get("kind") != "standing":
            return
        if entry.kind == "reversal" and body.get("op") == "begin":
            return  # a process begins what a person ordered, and the order is an act of its own
        if entry.kind == "control_waiver" and (waivers := read_waivers([entry])) and waivers[0].problem:
            self.add_finding(f"waiver {entry.id} of a control counts for nothing: {waivers[0].problem}")
        self.count += 1
        self._counts[entry.kind, str(body.get("authn", "nobody"))] += 1
        if not body.get("actor") or not body.get("authn"):
            self.add_finding(f"{entry.kind} {entry.id} does not say who did it")

    def finish(self) -> None:
        """Count by act and authentication."""
        for (kind, authn), n in sorted(self._counts.items()):
            self.rows.append({"act": kind, "count": n, "authenticated by": authn})


class AlertsCheck(Check):
    """Whether each alert was acknowledged or judged within a day."""

    name = "alerts"
    claim = "every alert was acknowledged or judged by a person within 24 hours"
    unit = "alerts"
    kinds = frozenset({"alert", "acknowledgement", "feedback"})
    later = frozenset({"acknowledgement", "feedback"})
    columns = ("kind", "alerts", "answered", "median hours")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._open: dict[str, tuple[int, str]] = {}
        self._counts: Counter[str] = Counter()
        self._times: dict[str, list[float]] = {}

    @property
    def is_waiting(self) -> bool:
        """Answers to alerts near the end of the period come after it."""
        return bool(self._open)

    def add(self, entry: AuditEntry) -> None:
        """Take an alert, or an answer."""
        if entry.kind != "alert":
            self.add_later(entry)
            return
        self.count += 1
        kind = str(entry.body.get("kind", ""))
        self._counts[kind] += 1
        self._open[entry.id] = (entry.ts_us, kind)

    def add_later(self, entry: AuditEntry) -> None:
        """Take an answer."""
        open_alert = self._open.pop(str(entry.body.get("alert", "")), None)
        if open_alert is None:
            return
        waited = entry.ts_us - open_alert[0]
        self._times.setdefault(open_alert[1], []).append(waited / 3_600 / SECOND_US)
        if waited > _ALERT_SLA_US:
            self.add_finding(
                f"alert {entry.body['alert']} ({open_alert[1]}) was answered after {waited // 3_600 // SECOND_US} hours"
            )

    def finish(self) -> None:
        """Add a finding for each alert without an answer that is due by now, even if not in the period."""
        waiting = 0
        for name, (ts_us, kind) in self._open.items():
            if self.run.log.now_us - ts_us > _ALERT_SLA_US:
                self.add_finding(f"alert {name} ({kind}) of {format_iso(ts_us)} has no answer")
            else:
                waiting += 1
        if waiting:
            self.notes.append(f"{format_count(waiting, 'alert')} without an answer: a day has not passed yet")
        for kind, n in sorted(self._counts.items()):
            times = self._times.get(kind, [])
            middle = round(median(times), 1) if times else ""
            self.rows.append({"kind": kind, "alerts": n, "answered": len(times), "median hours": middle})


class IncidentsCheck(Check):
    """Whether each incident was reported by its deadline."""

    name = "incidents"
    claim = "every incident with a deadline was reported before it, and none was closed without a report"
    unit = "incidents"
    history = frozenset({"incident"})
    columns = ("incident", "class", "known", "deadline", "reported", "closed")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._entries: list[AuditEntry] = []

    def add_history(self, entry: AuditEntry) -> None:
        """Take an entry of an incident."""
        read_incidents([entry])  # raises for an entry that cannot be read, so that the finding names it
        self._entries.append(entry)

    def finish(self) -> None:
        """Add a row for each incident, and a finding for each that missed its deadline."""
        for item in read_incidents(self._entries).values():
            if item.closed_us and item.closed_us < self.run.period.from_us:
                continue
            self.count += 1
            self._check_deadline(item)
            self.rows.append(
                {
                    "incident": item.id,
                    "class": item.severity,
                    "known": format_iso(item.known_us),
                    "deadline": format_iso(item.deadline_us) if item.deadline_us else "",
                    "reported": format_iso(item.reported_us) if item.reported_us else "",
                    "closed": format_iso(item.closed_us) if item.closed_us else "",
                }
            )

    def _check_deadline(self, item: IncidentFile) -> None:
        if not item.deadline_us:
            return
        if item.reported_us > item.deadline_us:
            self.add_finding(f"incident {item.id} was reported {format_iso(item.reported_us)}, after its deadline")
        elif not item.reported_us and self.run.as_of_us > item.deadline_us:
            self.add_finding(f"incident {item.id} should have been reported by {format_iso(item.deadline_us)}")
        elif not item.reported_us and item.closed_us:
            self.add_finding(f"incident {item.id} was closed without a report")

    def explain_empty(self) -> str:
        """Why the check cannot tell: without an incident there is no deadline to keep."""
        return "there is no incident on record for this period"


class DrillsCheck(Check):
    """Whether drills were held in the period, and passed."""

    name = "drills"
    claim = "attacks were planted in this period, and every drill passed"
    unit = "drills"
    kinds = frozenset({"drill"})
    columns = ("drill", "application", "attacks held", "honest work ran", "passed")

    def add(self, entry: AuditEntry) -> None:
        """Take a drill."""
        self.count += 1
        body = entry.body
        classes = [item for item in dict(body.get("classes", {})).values() if isinstance(item, dict)]
        stopped_attacks = (
            f"{sum(item.get('held', 0) for item in classes)} of {sum(item.get('attacks', 0) for item in classes)}"
        )
        ran = f"{sum(item.get('ran', 0) for item in classes)} of {sum(item.get('honest', 0) for item in classes)}"
        passed = body.get("passed") is True
        application = str(body.get("application", ""))[:19]
        self.rows.append(
            {
                "drill": entry.id,
                "application": application,
                "attacks held": stopped_attacks,
                "honest work ran": ran,
                "passed": passed,
            }
        )
        if not passed:
            self.add_finding(
                f"drill {entry.id} did not pass: {stopped_attacks} attacks were held, {ran} honest cases ran"
            )

    def explain_empty(self) -> str:
        """Why the check cannot tell: without a drill nothing shows that attacks are held."""
        return "there was no drill in this period (`halo drill`)"
