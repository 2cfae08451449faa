"""Reversals and overrides: the checks of both, and the question which decisions were reversed or overridden.

answer = ask(log, period, answer_reversals)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.clock import format_iso
from halo_core.durations import SECOND_US
from halo_core.enforcement.reversals import is_finding_signed
from halo_core.evidence.answers import Answer, Period, Verdict, format_moment
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.check_runner import OUTCOME, Check, RunReader, run_pass
from halo_core.evidence.facts import find_place_id
from halo_core.model import EntryKind, format_entry_id
from halo_core.oversight.override_list import find_reviewer

_MAX_ROWS: Final = 1_000
_REFUSED_ACTS: Final = ("override allow", "override deny", "reverse")
_LEFT_OPEN: Final = frozenset({"cancelled", "error", "paused", "unknown"})
"""Statuses of a reversal after which nobody knows whether the effect was taken back."""


class OverridesCheck(Check):
    """Whether each override names who made it and why, and was reviewed by somebody else in time."""

    name = "overrides"
    claim = "every override names a person and a reason, and was reviewed by somebody else when it was due"
    unit = "overrides"
    history = frozenset({"override"})
    columns = ("override", "decision", "direction", "made", "due", "reviewed", "verdict")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._made: dict[str, dict[str, Any]] = {}
        self._people = load_approver_keys(run.log)

    def add_history(self, entry: AuditEntry) -> None:
        """Take an override, or the review of one."""
        body = entry.body
        name = str(body.get("answer") or entry.id)
        if body.get("op") == "review":
            if (reviewed := self._made.get(name)) is not None and not reviewed["reviewed_us"]:
                self._take_review(reviewed, entry)
            return
        links = dict(body.get("links", ()))
        override: dict[str, Any] = {member: body.get(member, "") for member in ("actor", "kid", "why")}
        override |= {"decision": str(links.get("overrides", "")), "direction": str(body.get("direction", ""))}
        override |= {"due_us": body.get("review_by_us") or 0, "made_us": entry.ts_us}
        override |= {"is_forged": False, "reviewed_us": 0, "reviewer": "", "verdict": ""}
        self._made.setdefault(name, override)  # a second entry moves no due date

    def _take_review(self, override: dict[str, Any], entry: AuditEntry) -> None:
        signer = find_review_signer(self.run.log, entry, self._people)
        if not signer or signer == override["kid"]:
            override["is_forged"] = True
            return
        override["reviewed_us"], override["verdict"] = entry.ts_us, str(entry.body.get("verdict", ""))
        override["reviewer"] = entry.body.get("actor", "")

    def finish(self) -> None:
        """Add a row for each override, and findings such as that it was not reviewed in time."""
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
        """Why the check cannot tell: there was no override."""
        return "no decision was overridden in this period"


class ReversalsCheck(Check):
    """Whether the outcome of each reversal that was begun is known."""

    name = "reversals"
    claim = "every reversal that was begun had been ordered, and it is known what came of it"
    unit = "reversals"
    kinds = frozenset({OUTCOME, "reversal"})
    history = frozenset({"reversal"})
    later = frozenset({OUTCOME, "reversal"})
    columns = ("at", "decision", "attempt", "tool", "act", "by", "status", "why")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._orders: dict[tuple[str, int], dict[str, Any]] = {}  # decision and attempt → row
        self._begun: dict[str, tuple[str, int]] = {}  # decision that ran the reversal → the same
        self._ordered_before: set[tuple[str, int]] = set()  # the same, of orders from before the period
        self._people = load_approver_keys(run.log)

    @property
    def is_waiting(self) -> bool:
        """Whether the outcome of a reversal may still come after the period."""
        return any(row["status"] in ("ordered", *_LEFT_OPEN) for row in self._orders.values())

    def add_history(self, entry: AuditEntry) -> None:
        """Take an order from before the period."""
        if entry.body["op"] == "request":
            self._ordered_before.add((find_place_id(entry.body["reverses"]), int(entry.body["attempt"])))

    def add(self, entry: AuditEntry) -> None:
        """Take an order, the begin or the outcome of a reversal."""
        self._take(entry, is_inside=True)

    def add_later(self, entry: AuditEntry) -> None:
        """Take the outcome of a reversal from after the period."""
        self._take(entry, is_inside=False)

    def _take(self, entry: AuditEntry, *, is_inside: bool) -> None:
        body = entry.body
        if entry.kind == OUTCOME:
            if self._begun and (key := self._begun.get(find_place_id(body.get("decision"), entry.writer))) is not None:
                status = str(body.get("status", "success"))
                self._orders[key]["status"] = "reversed" if status == "success" else status
            return
        key, op = (find_place_id(body["reverses"]), int(body["attempt"])), body["op"]
        if op == "request" and is_inside:
            self._orders[key] = self._make_row(entry, key) | {
                "by": str(body.get("actor", "")),
                "expires_us": int(body["expires_s"]) * SECOND_US,
                "tool": str(body["resource"]).removesuffix(f".{body['method']}"),
                "why": str(body["why"]),
            }
        elif op == "begin" and (key in self._orders or is_inside):
            if key not in self._orders and key not in self._ordered_before:
                self.add_finding(f"the reversal of {key[0]} was begun (entry {entry.id}), and nobody had ordered it")
            row = self._orders.setdefault(key, self._make_row(entry, key) | {"why": "ordered before the period"})
            row["status"] = "unknown"
            self._begun[find_place_id(body["decision"])] = key
        elif op == "confirm" and key in self._orders and is_finding_proven(self.run.log, entry, self._people):
            is_done = body["finding"] == "done"
            self._orders[key]["status"] = "reversed" if is_done else "not done, as a person found"

    @staticmethod
    def _make_row(entry: AuditEntry, key: tuple[str, int]) -> dict[str, Any]:
        return {
            "act": str(entry.body["method"]),
            "at": format_moment(entry.ts_us),
            "attempt": key[1],
            "by": "",
            "decision": key[0],
            "expires_us": 0,
            "status": "ordered",
            "tool": "",
            "why": "",
        }

    def finish(self) -> None:
        """Add a finding for each reversal whose outcome is unknown; an order that was never begun is no finding."""
        self.count = len(self._orders)
        for row in self._orders.values():
            if row["status"] in _LEFT_OPEN:
                self.add_finding(
                    f"nobody knows what came of the reversal of {row['decision']}: it is `{row['status']}`; look in "
                    "the system that it reached, and confirm it"
                )
            elif row["status"] == "ordered" and 0 < row["expires_us"] <= self.run.as_of_us:
                row["status"] = "expired, not carried out"
        self.rows = self.list_rows()[:_MAX_ROWS]

    def list_rows(self) -> list[Mapping[str, Any]]:
        """A row for each reversal."""
        return [{name: row[name] for name in self.columns} for row in self._orders.values()]

    def explain_empty(self) -> str:
        """Why the check cannot tell: there was no reversal."""
        return "nobody asked for a reversal in this period"


def answer_reversals(log: AuditLog, period: Period) -> Answer:
    """Which decisions were reversed or overridden, and which could not be reversed.

    The claim fails where a reversal was begun and nobody has said what came of it, and where an override was not
    reviewed in time. Without a reversal and an override there is nothing to judge.

    Args:
        log: the tenant's audit log.
        period: when it was ordered or tried. What came of it is taken from the whole log.
    """
    run = RunReader(log, period)
    check, overrides = ReversalsCheck(run), OverridesCheck(run)
    run_pass(log, period, [check, overrides])
    rows = [{**row, "by": log.name_of(str(row["by"]))} for row in check.list_rows()]
    for entry in log.entries((EntryKind.OVERRIDE, EntryKind.ACCESS), period):
        rows += _describe_other(log, entry)
    findings = [*check.list_findings(), *overrides.list_findings()]
    is_empty = not rows and not findings
    return log.conclude(
        period,
        counted=len(rows),
        what="reversals and overrides, done or refused",
        claim=f"{check.claim}, and {overrides.claim}",
        verdict=Verdict.CANNOT_TELL if is_empty else None,
        findings=["nobody asked for a reversal or an override in this period"] if is_empty else findings,
        columns=[name for name in check.columns if name != "attempt"],
        rows=sorted(rows, key=lambda row: str(row["at"])),
        notes=("a reversal is what a tool's own callable did; that the other system did it too, Halo cannot see",),
    )


def load_approver_keys(log: AuditLog) -> dict[str, bytes]:
    """Thumbprint → public key of every approver who was ever enrolled."""
    approver_keys = {} if log.home is None else Authorities(log.home).load(log.tenant).approvers
    return {kid: item.public_key for kid, item in approver_keys.items()}


def find_review_signer(log: AuditLog, entry: AuditEntry, people: Mapping[str, bytes]) -> str:
    """Thumbprint of the approver who signed exactly this review of an override; empty if nobody has."""
    return find_reviewer(entry.body, people, log.store_id, log.tenant)


def is_finding_proven(log: AuditLog, entry: AuditEntry, people: Mapping[str, bytes]) -> bool:
    """Whether an entry of a reversal counts; one that says what a person found has to be signed by an approver."""
    reverses = entry.body["reverses"]
    decision = format_entry_id(reverses["w"], reverses["ws"])
    return entry.body["op"] != "confirm" or is_finding_signed(entry.body, decision, people, log.store_id, log.tenant)


def _describe_other(log: AuditLog, entry: AuditEntry) -> list[dict[str, Any]]:
    """A row of an override, or of an act that was refused; none for other entries."""
    body, moment = entry.body, format_moment(entry.ts_us)
    if entry.kind == EntryKind.OVERRIDE and body.get("op") == "grant":
        decision = next(target for relation, target in body["links"] if relation == "overrides")
        row = {
            "act": f"override {body['direction']}",
            "status": "granted",
            "tool": body["resource"],
            "why": body["why"],
        }
    elif entry.kind == EntryKind.ACCESS and body.get("refused") in _REFUSED_ACTS:
        decision = str(body["what"].get("decision", body["what"].get("confirm", "")))
        row = {"act": body["refused"], "status": f"refused: {body['code']}", "why": ""}
        row["tool"] = _find_tool(log, decision)
    else:
        return []
    return [{"at": moment, "by": log.name_of(body.get("actor", "")), "decision": decision, **row}]


def _find_tool(log: AuditLog, decision: str) -> str:
    """The tool of a decision; empty if there is no such decision."""
    _, note = log.reader.find_note(log.tenant, decision) or (None, b"")
    entry = log.reader.read_entry(note) if note else None
    return str(entry.body["request"]["resource"]["id"]) if entry and entry.kind is EntryKind.DECISION else ""
