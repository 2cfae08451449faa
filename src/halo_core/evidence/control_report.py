"""A report on one framework: its controls, and for each the checks that were run on the log for a period.

    report = build_report(log, period, load_framework("pci-dss-4.0.1"))
    report.verdict, report.to_json()

The report follows from the log and the period alone: no clock is read, so the same log gives the same bytes. It makes
no statement about an organisation as a whole and has no overall grade; `verdict` is only the exit code of the command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from halo_core.clock import format_iso
from halo_core.durations import DAY_US
from halo_core.errors import NotVerified
from halo_core.evidence.answers import Answer, Period, Verdict, describe_tool, format_query
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader, run_check_classes
from halo_core.evidence.checks import CHECK_CLASSES, TESTED_CHECKS
from halo_core.evidence.controls import AS_SCHEDULED, Control, Coverage, Framework
from halo_core.evidence.grant_uses import NONE_OLD_NOTE, UnusedGrantsCheck
from halo_core.evidence.incidents import ControlWaiver, read_waivers
from halo_core.evidence.record_checks import AGE_FACT, SCHEDULE_FACT, RetentionCheck
from halo_core.model import Effect, EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.views import View

SCOPE_NOTE: Final = (
    "Every row is about actions of agents that pass through Halo, and about nothing else. Compare the agents of this "
    "log with a list from elsewhere (a gateway, an identity provider, a database) to see what does not pass through it."
)
CLAIM_NOTE: Final = (
    "This report is evidence for people who judge. It is no certificate, no audit opinion and no legal advice, and it "
    "has no overall grade."
)
_CLAIMED: Final = (Coverage.FULL, Coverage.PARTIAL)
MAX_DAYS: Final = 400


class ActivityCheck(Check):
    """Decisions by day and effect, for the head of a report; it has no claim of its own that could fail."""

    name: ClassVar[str] = "activity"
    claim = "decisions were recorded"
    unit = "decisions"
    kinds = frozenset({DECISION})
    columns = ("day", *(effect.value for effect in Effect), "agents")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._days: dict[int, Counter[str]] = {}
        self._agents: dict[int, set[str]] = {}

    def add_decision(self, decision: DecisionItem) -> None:
        """Count a decision under its day."""
        entry = decision.entry
        self.count += 1
        day = entry.ts_us // DAY_US
        self._days.setdefault(day, Counter())[decision.effect] += 1
        self._agents.setdefault(day, set()).add(decision.frame.agent)

    def finish(self) -> None:
        """A row for each day."""
        for day, effects in sorted(self._days.items())[-MAX_DAYS:]:
            counts = {effect.value: effects[effect.value] for effect in Effect}
            self.rows.append({"day": format_iso(day * DAY_US)[:10], **counts, "agents": len(self._agents[day])})


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One control of a report.

    Args:
        control: the control, as the map has it.
        coverage: the coverage that is printed (`Control.limit_coverage`).
        verdict: whether the control holds; None if the coverage is neither `full` nor `partial`, so that its checks
            are only input.
        answers: the answers of its checks, in their order.
        waiver: the newest waiver of the control; None for none.
        findings: what the failing checks found, and what is wrong with the waiver.
        undecided: why the other checks cannot tell.
        is_waived: whether the control does not hold and a waiver is in force.
    """

    control: Control
    coverage: Coverage
    verdict: Verdict | None
    answers: tuple[Answer, ...]
    waiver: ControlWaiver | None
    findings: tuple[str, ...]
    undecided: tuple[str, ...]
    is_waived: bool

    @property
    def is_gap(self) -> bool:
        """Whether the log does not show that the control holds."""
        return self.verdict is not Verdict.HOLDS

    def to_json(self, as_of_us: int) -> dict[str, Any]:
        """For programs."""
        control = self.control
        return {
            "asks": control.asks,
            "checks": {name: answer.verdict.value for name, answer in zip(control.checks, self.answers, strict=True)},
            "claimed_coverage": control.coverage.value,
            "coverage": self.coverage.value,
            "findings": list(self.findings),
            "id": control.id,
            "queries": [answer.query for answer in self.answers],
            "remains": control.remains,
            "shows": control.shows,
            "source": control.source,
            "title": control.title,
            "undecided": list(self.undecided),
            "verdict": None if self.verdict is None else self.verdict.value,
            "verified": control.verified,
            "waived": self.is_waived,
            "waiver": None if self.waiver is None else self.waiver.to_json(as_of_us),
        }


@dataclass(frozen=True, slots=True)
class ControlReport(View):
    """A report.

    Args:
        framework: framework of the map.
        tenant: owner of the log.
        period: period of the report.
        as_of_us: the moment at which deadlines were judged.
        query: the command in canonical form.
        tool: name, version and digest of the program.
        rows: a row for each control, in the framework's order.
        answers: check → answer, of every check that was run.
        activity: decisions by day.
        waivers: every waiver of the framework's controls, the void ones included.
    """

    framework: Framework
    tenant: str
    period: Period
    as_of_us: int
    query: str
    tool: str
    rows: tuple[ControlRow, ...]
    answers: Mapping[str, Answer]
    activity: Answer
    waivers: tuple[ControlWaiver, ...]

    @property
    def population(self) -> Answer:
        """The answer on whether the log is whole, under which every other one stands."""
        return self.answers["population"]

    @property
    def verdict(self) -> Verdict:
        """The exit code: fails if a row fails that nobody waived, cannot tell if one is open, else holds."""
        open_rows = {row.verdict for row in self.rows if not row.is_waived}
        table_verdict = next(
            (item for item in (Verdict.FAILS, Verdict.CANNOT_TELL) if item in open_rows), Verdict.HOLDS
        )
        if self.population.verdict is Verdict.FAILS:
            return Verdict.FAILS
        return table_verdict if any(row.verdict for row in self.rows) else self.population.verdict

    def count_verdicts(self) -> dict[str, int]:
        """Verdict → number of rows; rows without one are counted as `supports` or `none`."""
        names = [row.coverage.value if row.verdict is None else row.verdict.value for row in self.rows]
        counts = Counter(names)
        order = [*(item.value for item in Verdict), Coverage.SUPPORTS.value, Coverage.NONE.value]
        return {name: counts[name] for name in order if counts[name]}

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        framework = self.framework
        return {
            "activity": [dict(row) for row in self.activity.rows],
            "answers": {name: answer.to_json() for name, answer in self.answers.items()},
            "framework": {
                "about": framework.about,
                "id": framework.id,
                "name": framework.name,
                "publisher": framework.publisher,
                "scope": framework.scope,
                "titles": framework.titles,
            },
            "notes": [SCOPE_NOTE, CLAIM_NOTE],
            "period": self.period.to_json(),
            "population": self.population.to_json()["population"],
            "query": self.query,
            "rows": [row.to_json(self.as_of_us) for row in self.rows],
            "tenant": self.tenant,
            "tool": self.tool,
            "verdicts": self.count_verdicts(),
            "waivers": [item.to_json(self.as_of_us) for item in self.waivers],
        }


def build_report(log: AuditLog, period: Period, framework: Framework) -> ControlReport:
    """A report on one framework; see `build_reports`."""
    return build_reports(log, period, (framework,))[0]


def build_reports(log: AuditLog, period: Period, frameworks: Sequence[Framework]) -> list[ControlReport]:
    """Run every check of some frameworks in one pass over the log, and judge their controls.

    Args:
        log: the tenant's audit log.
        period: period of the reports.
        frameworks: frameworks of the map.

    Returns:
        A report for each framework, in their order.
    """
    used = {name for framework in frameworks for item in framework.controls for name in item.checks} | {"population"}
    answers = run_check_classes(
        log, period, [*(check for name, check in CHECK_CLASSES.items() if name in used), ActivityCheck]
    )
    activity = answers.pop(ActivityCheck.name)
    return [_build_one(log, period, framework, answers, activity) for framework in frameworks]


def _build_one(
    log: AuditLog, period: Period, framework: Framework, answers: Mapping[str, Answer], activity: Answer
) -> ControlReport:
    as_of_us = min(log.now_us, period.to_us)
    waivers, void = _read_waivers(log, framework, as_of_us)
    rows = tuple(
        _build_row(control, [answers[name] for name in control.checks], waivers.get(control.id), as_of_us)
        for control in framework.controls
    )
    used = {name for control in framework.controls for name in control.checks} | {"population"}
    return ControlReport(
        framework=framework,
        tenant=log.tenant,
        period=period,
        as_of_us=as_of_us,
        query=format_query("report", period, framework=framework.id),
        tool=describe_tool(),
        rows=rows,
        answers={name: answer for name, answer in answers.items() if name in used},
        activity=activity,
        waivers=(*waivers.values(), *void),
    )


def _read_waivers(
    log: AuditLog, framework: Framework, as_of_us: int
) -> tuple[dict[str, ControlWaiver], list[ControlWaiver]]:
    """The newest valid waiver of each control of a framework, by id of the control; and the void waivers."""
    try:
        entries = [_show_owner(log, entry) for entry in log.entries((EntryKind.CONTROL_WAIVER,), Period(0, as_of_us))]
        all_waivers = read_waivers(entries)
    except NotVerified:
        return {}, []
    waivers: dict[str, ControlWaiver] = {}
    void = []
    for item in all_waivers:
        name, _, control = item.control.partition(" ")
        if item.problem:
            void += [item] if name == framework.id or "does not have" in item.problem else []
        elif name == framework.id:
            waivers[control] = item
    return waivers, void


def _show_owner(log: AuditLog, entry: AuditEntry) -> AuditEntry:
    """The entry of a waiver with the name of its owner, where the reader has names."""
    names = log.reader.names
    note = log.reader.note_at_index(log.tenant, entry.index) if names is not None else None
    if names is None or note is None:
        return entry
    return entry._replace(body=names.restore(log.reader.read_entry(note)).body)


def _build_row(control: Control, answers: Sequence[Answer], waiver: ControlWaiver | None, as_of_us: int) -> ControlRow:
    coverage = control.limit_coverage(TESTED_CHECKS)
    findings = [finding for item in answers if item.verdict is Verdict.FAILS for finding in item.findings]
    undecided = [finding for item in answers if item.verdict is Verdict.CANNOT_TELL for finding in item.findings]
    state = "" if waiver is None else waiver.find_state(as_of_us)
    verdict = None
    if coverage in _CLAIMED:
        verdicts = {answer.verdict for answer in answers}
        order = (Verdict.FAILS, Verdict.CANNOT_TELL, Verdict.HOLDS)
        verdict = next(item for item in order if item in verdicts)
        unshown = _find_unshown_time(control, answers, as_of_us)
        if unshown:
            undecided.append(unshown)
            verdict = Verdict.CANNOT_TELL if verdict is Verdict.HOLDS else verdict
    if waiver is not None and state == "expired":
        verdict = Verdict.FAILS
        words = f"waiver {waiver.entry} ended at {format_iso(waiver.until_us)}; nobody has ended or renewed it"
        findings.insert(0, words)
    return ControlRow(
        control=control,
        coverage=coverage,
        verdict=verdict,
        answers=tuple(answers),
        waiver=waiver,
        findings=tuple(dict.fromkeys(findings)),
        undecided=tuple(dict.fromkeys(undecided)),
        is_waived=state == "in force" and verdict in (Verdict.FAILS, Verdict.CANNOT_TELL),
    )


def _find_unshown_time(control: Control, answers: Sequence[Answer], as_of_us: int) -> str:
    """Why a log is too young to show what a control asks for; empty if it is not."""
    if control.checks == (UnusedGrantsCheck.name,) and NONE_OLD_NOTE in answers[0].notes:
        return NONE_OLD_NOTE
    if not control.keeps_days:
        return ""
    facts = {row["fact"]: row["value"] for row in answers[control.checks.index(RetentionCheck.name)].rows}
    age_days, days = facts.get(AGE_FACT, 0), control.keeps_days
    if days == AS_SCHEDULED:
        days = facts.get(SCHEDULE_FACT, 0)
    if not days:
        return "no schedule says how long records are kept (`halo retention set`)"
    if age_days >= days:
        return ""
    last_day = format_iso(as_of_us + (days - age_days) * DAY_US)[:10]
    return f"the log is {age_days} days old: that it is kept for {days} days can be shown from {last_day} on"
