"""Checks of what people do: answers, changes, alerts, reviews, overrides, reversals, incidents, drills and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.decision.record_parts import unpack_digest
from halo_core.evidence.check_runner import DECISION, OUTCOME, Check, DecisionItem, RunReader
from halo_core.evidence.facts import find_place_id
from halo_core.evidence.incidents import IncidentFile, read_incidents, read_waivers
from halo_core.evidence.questions_oversight import find_review_signer, is_finding_proven, load_approver_keys
from halo_core.evidence.room import RoomEntry
from halo_core.ledger.control_history import HISTORY_KINDS, ControlHistory
from halo_core.views.access_reviews import ReviewCycle, find_kept_grants, take_review_entry

_US: Final = 1_000_000
_ALERT_SLA_US: Final = 86_400 * _US
"""How long an alert may wait for a person."""
_MAX_TIMES: Final = 100_000
_MAX_ROWS: Final = 1_000
_ANSWERED: Final = frozenset({"approved", "break_glass", "remembered"})
"""Codes of actions that ran on a person's answer."""
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
"""Kinds of entries that somebody causes."""


class ApprovalsCheck(Check):
    """What ran on an answer had one: for exactly this call, given before, by an enrolled person."""

    name = "approvals"
    claim = "every action that ran on an answer had one, given before it, for exactly this call or its scope"
    counted = "questions, and actions that ran on an answer"
    kinds = frozenset({DECISION})
    history = frozenset({"approval", "approval_request", "standing_answer"})
    columns = ("fact", "value")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._requests: dict[str, tuple[str, int]] = {}
        self._answers: dict[str, tuple[str, int]] = {}
        self._scopes: set[str] = set()
        self._verdicts: Counter[str] = Counter()
        self._waits: list[int] = []

    def add_history(self, entry: RoomEntry) -> None:
        """Take a question or an answer."""
        body = entry.body
        if entry.kind == "approval_request":
            self._requests[entry.id] = (str(body.get("args_digest", "")), entry.ts_us)
        elif entry.kind == "approval":
            self._answers[str(body.get("request"))] = (str(body.get("answer")), entry.ts_us)
        elif body.get("op") == "grant":
            self._scopes.add(str(body.get("scope", "")))

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare what ran with its answer."""
        if decision.ran and _ANSWERED.intersection(decision.codes):
            self.count += 1
            self._compare(decision.entry, decision)

    def add(self, entry: RoomEntry) -> None:
        """Take a question or an answer."""
        self.add_history(entry)
        if entry.kind == "approval_request":
            self.count += 1
        elif entry.kind == "approval":
            self._verdicts[str(entry.body.get("answer"))] += 1
            asked = self._requests.get(str(entry.body.get("request")))
            if asked is None:
                self.add_finding(f"answer {entry.id} is to a question that the log does not have")
            elif len(self._waits) < _MAX_TIMES:
                self._waits.append(max(entry.ts_us - asked[1], 0))

    def _compare(self, entry: RoomEntry, decision: DecisionItem) -> None:
        seen = entry.body.get("seen", {})
        approval = seen.get("approval")
        if "approved" not in decision.codes:
            scope = str(seen.get("answer_scope", ""))
            if not seen.get("standing") and scope not in self._scopes:
                self.add_finding(f"{decision.where} ran on a remembered answer that the log does not have")
            return
        if not isinstance(approval, dict):
            self.add_finding(f"{decision.where} ran as approved and names no answer")
            return
        request = str(approval.get("id"))
        asked, answered = self._requests.get(request), self._answers.get(request)
        if asked is None or answered is None or answered[0] != "approve":
            self.add_finding(f"{decision.where} ran on an answer to {request} that the log does not have")
        elif asked[0] and asked[0] != unpack_digest(str(entry.body.get("args")), KEYED_DIGEST):
            self.add_finding(f"{decision.where} ran with other arguments than those that were approved ({request})")
        elif entry.ts_us > approval.get("expires_us", 0):
            self.add_finding(f"{decision.where} ran on an answer that had expired ({request})")

    def finish(self) -> None:
        """Say how answers fell and how long they took."""
        facts: dict[str, Any] = {f"answers: {name}": n for name, n in sorted(self._verdicts.items())}
        if self._waits:
            facts["median wait in seconds"] = round(median(self._waits) / _US, 1)
            facts["shortest wait in seconds"] = round(min(self._waits) / _US, 1)
        self.rows = [{"fact": name, "value": value} for name, value in facts.items()]

    def explain_empty(self) -> str:
        """Without a question nothing is known."""
        return "no action needed an answer in this period"


class SeparationCheck(Check):
    """Nobody decides in an own matter."""

    name = "separation_of_duties"
    claim = "nobody answered for an action of their own, or of an agent of theirs, or approved a policy of their own"
    counted = "answers and policies"
    kinds = frozenset({"approval", "authority", "policy"})
    history = frozenset({"approval_request"})
    limits = ("whether each version of the policy was approved, and by whom, is told by `halo policy history`",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._places: dict[str, Mapping[str, Any]] = {}
        self._owners: dict[str, frozenset[str]] = {}
        self._policies = self._approved = 0

    def add_history(self, entry: RoomEntry) -> None:
        """Remember which decision a question is of."""
        place = entry.body.get("decision")
        if isinstance(place, dict):
            self._places[entry.id] = place

    def add(self, entry: RoomEntry) -> None:
        """Compare who did it with whose matter it is."""
        body = entry.body
        if entry.kind == "approval_request":
            self.add_history(entry)
            return
        if entry.kind == "authority" and body.get("act") != "policy":
            return
        self.count += 1
        if entry.kind == "approval":
            self._check_answer(entry)
        elif entry.kind == "policy":
            self._policies += 1
        else:
            self._approved += 1
            if body.get("author") and body.get("author") == body.get("approver", body.get("actor")):
                rules = str(body.get("policy", ""))[:19]
                self.add_finding(f"policy {rules} was approved by its author (entry {entry.id})")

    def _check_answer(self, entry: RoomEntry) -> None:
        place = self._places.get(str(entry.body.get("request")))
        room = self.run.room
        if place is None:
            return  # the check of approvals reports it
        note = room.reader.note_at(room.tenant, str(place.get("w")), int(place.get("ws", -1)))
        if note is None:
            return
        request = room.reader.read_entry(note).body.get("request", {})
        chain = tuple(request.get("subject", {}).get("chain", ()))
        actor = str(entry.body.get("actor", ""))
        if actor and actor in chain:
            self.add_finding(f"answer {entry.id} is by somebody in the chain of the action")
        agent = str(request.get("subject", {}).get("agent", ""))
        hashes = tuple(room.reader.read_entry(note).body.get("snapshot", {}).get("chain", ()))
        if actor and actor in self._find_owner(agent, hashes):
            self.add_finding(f"answer {entry.id} is by the owner of `{agent}`")

    def _find_owner(self, agent: str, hashes: tuple[str, ...]) -> frozenset[str]:
        if agent not in self._owners:
            links = self.run.read_chain(hashes) if hashes else ()
            names = [] if isinstance(links, str) else [link.owner for link in links if link.owner]
            find_person = self.run.room.reader.find_person
            self._owners[agent] = frozenset().union(*(find_person(name) for name in names))
        return self._owners[agent]

    def finish(self) -> None:
        """Say how many policies somebody approved."""
        if self._policies:
            self.notes.append(f"{self._policies} policies were put in force, {self._approved} approvals are recorded")


class AdminActsCheck(Check):
    """Each act on Halo says who did it, and has the effect that it claims."""

    name = "admin_acts"
    claim = "every act on Halo names who did it and how that is known, and none was without effect"
    counted = "acts"
    kinds = _ACTS | {"control"}
    history = frozenset(HISTORY_KINDS)
    columns = ("act", "count", "authenticated by")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        row = run.room.reader.control(run.room.tenant)
        self._past = ControlHistory(run.room.tenant, str(row[1]) if row else "")
        self._counts: Counter[tuple[str, str]] = Counter()

    def add_history(self, entry: RoomEntry) -> None:
        """Take a control act from before the period."""
        self._past.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)

    def add(self, entry: RoomEntry) -> None:
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
    """Each alert was answered within a day."""

    name = "alerts"
    claim = "every alert was acknowledged or judged by a person within 24 hours"
    counted = "alerts"
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

    def add(self, entry: RoomEntry) -> None:
        """Take an alert, or an answer."""
        if entry.kind != "alert":
            self.add_later(entry)
            return
        self.count += 1
        kind = str(entry.body.get("kind", ""))
        self._counts[kind] += 1
        self._open[entry.id] = (entry.ts_us, kind)

    def add_later(self, entry: RoomEntry) -> None:
        """Take an answer."""
        known = self._open.pop(str(entry.body.get("alert", "")), None)
        if known is None:
            return
        waited = entry.ts_us - known[0]
        self._times.setdefault(known[1], []).append(waited / 3_600 / _US)
        if waited > _ALERT_SLA_US:
            self.add_finding(
                f"alert {entry.body['alert']} ({known[1]}) was answered after {waited // 3_600 // _US} hours"
            )

    def finish(self) -> None:
        """What nobody answered is a finding once it is due."""
        waiting = 0
        for name, (ts_us, kind) in self._open.items():
            if self.run.as_of_us - ts_us > _ALERT_SLA_US:
                self.add_finding(f"alert {name} ({kind}) of {format_iso(ts_us)} has no answer")
            else:
                waiting += 1
        if waiting:
            self.notes.append(f"{waiting} alerts are not a day old and open")
        for kind, n in sorted(self._counts.items()):
            times = self._times.get(kind, [])
            middle = round(median(times), 1) if times else ""
            self.rows.append({"kind": kind, "alerts": n, "answered": len(times), "median hours": middle})


class AccessReviewsCheck(Check):
    """Reviews of grants are held when they are due."""

    name = "access_reviews"
    claim = "every review of grants was finished by its due date, and what it revoked was removed"
    counted = "reviews"
    history = frozenset({"review"})
    columns = ("review", "reviewer", "due", "finished", "kept", "revoked")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._cycles: dict[str, ReviewCycle] = {}

    def add_history(self, entry: RoomEntry) -> None:
        """Take an act of a review."""
        take_review_entry(self._cycles, entry.index, entry.body, entry.ts_us)

    def finish(self) -> None:
        """What is overdue is a finding, and so is what was revoked and not removed."""
        run, room = self.run, self.run.room
        for name, cycle in self._cycles.items():
            due, finished = cycle.due_us, cycle.closed_us
            if finished and finished < run.period.from_us:
                continue
            self.count += 1
            if not finished and run.as_of_us > due:
                self.add_finding(f"review {name} was due {format_iso(due)} and is not finished")
            elif finished > due:
                self.add_finding(f"review {name} was due {format_iso(due)} and finished {format_iso(finished)}")
            for problem in find_kept_grants(room.reader, room.tenant, cycle) if finished else ():
                self.add_finding(f"review {name} {problem}")
            verdicts = list(cycle.answers.values())
            kept, revoked = verdicts.count("keep"), verdicts.count("revoke")
            closed = format_iso(finished) if finished else ""
            row = {"review": name, "reviewer": cycle.reviewer, "due": format_iso(due), "finished": closed}
            self.rows.append({**row, "kept": kept, "revoked": revoked})
        del self.rows[_MAX_ROWS:]

    def explain_empty(self) -> str:
        """Without a review nothing is known."""
        return "there is no review of grants on record"


class OverridesCheck(Check):
    """Each override says who and why, and somebody else reviewed it in time."""

    name = "overrides"
    claim = "every override names a person and a reason, and was reviewed by somebody else when it was due"
    counted = "overrides"
    history = frozenset({"override"})
    columns = ("override", "decision", "direction", "made", "due", "reviewed", "verdict")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._made: dict[str, dict[str, Any]] = {}
        self._people = load_approver_keys(run.room)

    def add_history(self, entry: RoomEntry) -> None:
        """Take an override, or the review of one."""
        body = entry.body
        name = str(body.get("answer") or entry.id)
        if body.get("op") == "review":
            if (known := self._made.get(name)) is not None and not known["reviewed_us"]:
                self._take_review(known, entry)
            return
        links = dict(body.get("links", ()))
        made: dict[str, Any] = {member: body.get(member, "") for member in ("actor", "kid", "why")}
        made |= {"decision": str(links.get("overrides", "")), "direction": str(body.get("direction", ""))}
        made |= {"due_us": body.get("review_by_us") or 0, "made_us": entry.ts_us}
        made |= {"is_forged": False, "reviewed_us": 0, "reviewer": "", "verdict": ""}
        self._made.setdefault(name, made)  # a second entry moves no due date

    def _take_review(self, known: dict[str, Any], entry: RoomEntry) -> None:
        signer = find_review_signer(self.run.room, entry, self._people)
        if not signer or signer == known["kid"]:
            known["is_forged"] = True
            return
        known["reviewed_us"], known["verdict"] = entry.ts_us, str(entry.body.get("verdict", ""))
        known["reviewer"] = entry.body.get("actor", "")

    def finish(self) -> None:
        """What was not reviewed in time is a finding."""
        for name, item in self._made.items():
            due, reviewed = item["due_us"], item["reviewed_us"]
            if not self.run.period.contains(item["made_us"]) and not self.run.period.contains(due):
                continue
            self.count += 1
            if not item["actor"] or not item["why"]:
                self.add_finding(f"override {name} does not say who made it and why")
            if reviewed and item["reviewer"] == item["actor"]:
                self.add_finding(f"override {name} was reviewed by the person who made it")
            if item["is_forged"]:
                self.add_finding(f"override {name} has a review that no second person has signed")
            if due and self.run.as_of_us > due and not 0 < reviewed <= due:
                self.add_finding(f"override {name} was not reviewed by {format_iso(due)}")
            self.rows.append(
                {
                    "override": name,
                    "decision": item["decision"],
                    "direction": item["direction"],
                    "made": format_iso(item["made_us"]),
                    "due": format_iso(due) if due else "",
                    "reviewed": format_iso(reviewed) if reviewed else "",
                    "verdict": item["verdict"],
                }
            )
        del self.rows[_MAX_ROWS:]

    def explain_empty(self) -> str:
        """Without an override nothing is known."""
        return "no decision was overridden in this period"


class ReversalsCheck(Check):
    """Of each reversal that was begun it is known what came of it."""

    name = "reversals"
    claim = "of every reversal that was begun it is known what came of it"
    counted = "reversals"
    kinds = frozenset({OUTCOME, "reversal"})
    later = frozenset({OUTCOME, "reversal"})
    columns = ("decision", "attempt", "method", "asked", "status")
    _open: Final = frozenset({"asked", "begun", "cancelled", "error", "paused", "unknown"})

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._asked: dict[tuple[str, int], dict[str, Any]] = {}
        self._begun: dict[str, tuple[str, int]] = {}
        self._people = load_approver_keys(run.room)

    @property
    def is_waiting(self) -> bool:
        """What came of a reversal may come after the period."""
        return any(item["status"] in self._open for item in self._asked.values())

    def add(self, entry: RoomEntry) -> None:
        """Take an order, a beginning, or what came of it."""
        self._take(entry, is_inside=True)

    def add_later(self, entry: RoomEntry) -> None:
        """Take what came of it from behind the period."""
        self._take(entry, is_inside=False)

    def _take(self, entry: RoomEntry, *, is_inside: bool) -> None:
        body = entry.body
        if entry.kind == OUTCOME:
            if self._begun and (key := self._begun.get(find_place_id(body.get("decision"), entry.writer))) is not None:
                status = str(body.get("status", "success"))
                self._asked[key]["status"] = "reversed" if status == "success" else status
            return
        key, op = (find_place_id(body.get("reverses")), int(body.get("attempt", 0))), body.get("op")
        if op == "request" and is_inside:
            method = str(body.get("method", ""))
            self._asked[key] = {"asked_us": entry.ts_us, "method": method, "status": "ordered"}
        elif op == "begin" and (key in self._asked or is_inside):
            method = str(body.get("method", ""))
            before = {"asked_us": entry.ts_us, "method": method}  # ordered before the period
            self._asked.setdefault(key, before)["status"] = "begun"
            self._begun[find_place_id(body.get("decision"))] = key
        elif op == "confirm" and key in self._asked and is_finding_proven(self.run.room, entry, self._people):
            done = body.get("finding") == "done"
            self._asked[key]["status"] = "reversed" if done else "not done, as a person found"

    def finish(self) -> None:
        """What is left open is a finding; an order that nobody carried out is none."""
        for (decision, attempt), item in self._asked.items():
            self.count += 1
            if item["status"] in self._open:
                self.add_finding(f"nobody knows what came of the reversal of {decision}: it is `{item['status']}`")
            self.rows.append(
                {
                    "decision": decision,
                    "attempt": attempt,
                    "method": item["method"],
                    "asked": format_iso(item["asked_us"]),
                    "status": item["status"],
                }
            )
        del self.rows[_MAX_ROWS:]

    def explain_empty(self) -> str:
        """Without a reversal nothing is known."""
        return "nobody asked for a reversal in this period"


class IncidentsCheck(Check):
    """Incidents kept their deadlines."""

    name = "incidents"
    claim = "every incident with a deadline was reported before it, and none was closed without a report"
    counted = "incidents"
    history = frozenset({"incident"})
    columns = ("incident", "class", "known", "deadline", "reported", "closed")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._entries: list[RoomEntry] = []

    def add_history(self, entry: RoomEntry) -> None:
        """Take an entry of an incident."""
        self._entries.append(entry)

    def add(self, entry: RoomEntry) -> None:
        """Take an entry of an incident."""
        self._entries.append(entry)

    def finish(self) -> None:
        """What missed its deadline is a finding."""
        for item in read_incidents(self._entries).values():
            if item.closed_us and item.closed_us < self.run.period.from_us:
                continue
            self.count += 1
            self._judge(item)
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

    def _judge(self, item: IncidentFile) -> None:
        if not item.deadline_us:
            return
        if item.reported_us > item.deadline_us:
            self.add_finding(f"incident {item.id} was reported {format_iso(item.reported_us)}, after its deadline")
        elif not item.reported_us and self.run.as_of_us > item.deadline_us:
            self.add_finding(f"incident {item.id} should have been reported by {format_iso(item.deadline_us)}")
        elif not item.reported_us and item.closed_us:
            self.add_finding(f"incident {item.id} was closed without a report")

    def explain_empty(self) -> str:
        """Without an incident nothing is known."""
        return "there is no incident on record for this period"


class DrillsCheck(Check):
    """Drills were held and passed."""

    name = "drills"
    claim = "attacks were planted in this period, and every drill passed"
    counted = "drills"
    kinds = frozenset({"drill"})
    columns = ("drill", "application", "attacks held", "honest work ran", "passed")

    def add(self, entry: RoomEntry) -> None:
        """Take a drill."""
        self.count += 1
        body = entry.body
        classes = [item for item in dict(body.get("classes", {})).values() if isinstance(item, dict)]
        held = f"{sum(item.get('held', 0) for item in classes)} of {sum(item.get('attacks', 0) for item in classes)}"
        ran = f"{sum(item.get('ran', 0) for item in classes)} of {sum(item.get('honest', 0) for item in classes)}"
        passed = body.get("passed") is True
        application = str(body.get("application", ""))[:19]
        self.rows.append(
            {
                "drill": entry.id,
                "application": application,
                "attacks held": held,
                "honest work ran": ran,
                "passed": passed,
            }
        )
        if not passed:
            self.add_finding(f"drill {entry.id} did not pass: {held} attacks were held, {ran} honest cases ran")

    def explain_empty(self) -> str:
        """Without a drill nothing is known."""
        return "there was no drill in this period (`halo drill`)"
