"""Questions about what people did: alerts acknowledged and judged, the figures of a period, drills of stops.

answer = ask(log, period, answer_alert_times, within_s=3600)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.durations import DAY_US, SECOND_US
from halo_core.evidence.answers import MAX_LISTED, Answer, Period, Verdict, check_listed, format_moment
from halo_core.evidence.audit_log import END_US, AuditEntry, AuditLog, DecisionFilter
from halo_core.evidence.facts import DecisionFacts
from halo_core.intervals import compute_wilson_interval
from halo_core.model import EntryKind
from halo_core.views.wording import format_count, format_duration

_ALERT_KINDS: Final = (EntryKind.ALERT, EntryKind.FEEDBACK, EntryKind.ACKNOWLEDGEMENT)


@dataclass(slots=True)
class AlertCase:
    """An alert, who acknowledged it and who judged it, each the first time."""

    entry: AuditEntry
    acknowledged: AuditEntry | None = None
    judged: AuditEntry | None = None
    verdict: str = ""

    @property
    def first_answer(self) -> AuditEntry | None:
        """The acknowledgement, or the verdict where that came first; who judges an alert has seen it."""
        answers = [item for item in (self.acknowledged, self.judged) if item is not None]
        return min(answers, key=lambda item: item.index) if answers else None

    def seconds_to(self, answer: AuditEntry | None) -> int | None:
        """Seconds from the alert to an answer."""
        return None if answer is None else max(0, answer.ts_us - self.entry.ts_us) // SECOND_US


def load_cases(log: AuditLog, period: Period) -> tuple[list[AlertCase], int]:
    """The alerts of a period with what became of them until now, at most `MAX_LISTED`; and how many there are."""
    cases: dict[str, AlertCase] = {}
    alert_count = 0
    for entry in log.entries(_ALERT_KINDS, Period(period.from_us, END_US)):
        if entry.kind == EntryKind.ALERT:
            is_asked = period.contains(entry.ts_us)
            alert_count += is_asked
            if is_asked and len(cases) < MAX_LISTED:
                cases[entry.id] = AlertCase(entry)
            continue
        case = cases.get(str(entry.body.get("alert", "")))
        if case is None:
            continue
        if entry.kind == EntryKind.ACKNOWLEDGEMENT:
            case.acknowledged = case.acknowledged or entry
        elif type(entry.body.get("attack")) is bool:
            case.judged = case.judged or entry
            case.verdict = "attack" if entry.body["attack"] else "ordinary"  # the newest one holds
    return list(cases.values()), alert_count


def answer_alert_times(log: AuditLog, period: Period, *, within_s: int = 0) -> Answer:
    """How long each alert waited until somebody acknowledged and judged it.

    Args:
        log: the tenant's audit log.
        period: period of the alerts.
        within_s: acknowledgements after more seconds are findings; 0 for any time.
    """
    cases, counted = load_cases(log, period)
    findings = check_listed(counted)
    rows = []
    for case in cases:
        answer = case.first_answer
        waited_s = case.seconds_to(answer)
        if waited_s is None:
            findings.append(f"alert {case.entry.id} was acknowledged by nobody")
        elif within_s and waited_s > within_s:
            findings.append(f"alert {case.entry.id} was acknowledged after {format_duration(waited_s)}")
        rows.append(_case_row(log, case, answer, waited_s))
    if not counted:
        findings.append("there was no alert in the period")
    in_time = f" within {format_duration(within_s)}" if within_s else ""
    return log.conclude(
        period,
        counted=counted,
        what="alerts",
        claim=f"every alert was acknowledged{in_time}: {_describe_times(cases)}",
        verdict=Verdict.CANNOT_TELL if not counted or counted > MAX_LISTED else None,
        findings=findings[:MAX_LISTED],
        columns=(
            "index",
            "id",
            "time",
            "kind",
            "agent",
            "acknowledged_by",
            "after_s",
            "judged",
            "judged_by",
            "judged_s",
        ),
        rows=rows,
        notes=("a verdict counts as an acknowledgement where it came first",),
    )


def _case_row(log: AuditLog, case: AlertCase, answer: AuditEntry | None, waited_s: int | None) -> dict[str, Any]:
    body = case.entry.body
    judged = case.judged
    return {
        "acknowledged_by": "" if answer is None else log.name_of(str(answer.body.get("actor", ""))),
        "after_s": waited_s,
        "agent": str(body.get("agent", body.get("identity", ""))),
        "id": case.entry.id,
        "index": case.entry.index,
        "judged": case.verdict,
        "judged_by": "" if judged is None else log.name_of(str(judged.body.get("actor", ""))),
        "judged_s": case.seconds_to(judged),
        "kind": str(body.get("kind", "")),
        "time": format_moment(case.entry.ts_us),
    }


def _describe_times(cases: Sequence[AlertCase]) -> str:
    times = sorted(item for case in cases if (item := case.seconds_to(case.first_answer)) is not None)
    if not times:
        return f"{format_count(len(cases), 'alert')}, none acknowledged"
    median, most = (format_duration(round(item)) for item in (find_quantile(times, 50), times[-1]))
    return f"{len(times)} of {format_count(len(cases), 'alert')}, median {median}, longest {most}"


@dataclass(slots=True)
class _Figures:
    """What is counted for `halo metrics`; of times at most `MAX_LISTED` are kept."""

    effects: Counter[str] = field(default_factory=Counter)
    let_run: int = 0
    questions: int = 0
    asked_us: dict[str, int] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    times_s: list[int] = field(default_factory=list)


def answer_metrics(log: AuditLog, period: Period, wanted: DecisionFilter) -> Answer:
    """The figures of a period: decisions by effect, questions and answers, alerts and their verdicts.

    The share of false alarms is among the alerts that a person judged; the interval is Wilson's of 95 %, which says how
    far chance goes and nothing of how the judged alerts were chosen.

    Args:
        log: the tenant's audit log.
        period: period of decisions, questions and alerts; answers and verdicts count until now.
        wanted: which decisions; alerts and questions are those of its agent.
    """
    figures = _Figures()
    for item in log.decisions(wanted):
        figures.effects[item.effect] += 1
        figures.let_run += item.dispatched
    _count_questions(log, period, figures)
    cases, alerts = load_cases(log, period)
    cases = [case for case in cases if not wanted.agent or case.entry.body.get("agent") == wanted.agent]
    decision_count = figures.effects.total()
    unknown = log.find_unknown(wanted) if not decision_count else ()
    rows = [
        _share_row(f"decisions: {effect}", number, decision_count) for effect, number in sorted(figures.effects.items())
    ]
    rows.append(_share_row("decisions: let run", figures.let_run, decision_count))
    rows += _question_rows(figures)
    rows += _alert_rows(cases)
    findings = [*unknown, *check_listed(alerts)]
    if not decision_count and not unknown:
        findings.append("no decision of the period is in the population")
    judged = sum(1 for case in cases if case.verdict)
    limits = (
        f"the share of false alarms is among the {format_count(judged, 'judged alert')} of this log and period; "
        f"{len(cases) - judged:,} of {format_count(len(cases), 'alert')} were not judged"
        if judged
        else "no alert of this log and period was judged, so nothing is known of false alarms"
    )
    return log.conclude(
        period,
        counted=decision_count,
        what="decisions",
        claim=f"these are the figures of {format_count(decision_count, 'decision')} "
        f"and {format_count(len(cases), 'alert')}",
        verdict=Verdict.CANNOT_TELL if findings else Verdict.HOLDS,
        findings=findings,
        columns=("metric", "value", "n", "share", "low", "high"),
        rows=rows,
        notes=(
            limits,
            "`low` and `high`: Wilson's interval of 95 %",
            *(("questions are those of all agents",) if wanted.agent else ()),
        ),
    )


def _count_questions(log: AuditLog, period: Period, figures: _Figures) -> None:
    kinds = (EntryKind.APPROVAL_REQUEST, EntryKind.APPROVAL)
    for entry in log.entries(kinds, Period(period.from_us, END_US)):
        if entry.kind == EntryKind.APPROVAL_REQUEST:
            if period.contains(entry.ts_us):
                figures.questions += 1
                figures.asked_us[entry.id] = entry.ts_us
            continue
        asked_us = figures.asked_us.pop(str(entry.body.get("request", "")), None)
        if asked_us is not None:
            figures.answers["approved" if entry.body.get("answer") == "approve" else "denied"] += 1
            figures.times_s.append(max(0, entry.ts_us - asked_us) // SECOND_US)


def _question_rows(figures: _Figures) -> list[dict[str, Any]]:
    times = sorted(figures.times_s)
    rows = [{"metric": "questions asked", "n": figures.questions, "value": figures.questions}]
    rows += [
        _share_row(f"questions: {word}", figures.answers[word], figures.questions) for word in ("approved", "denied")
    ]
    rows.append(_share_row("questions: without an answer", len(figures.asked_us), figures.questions))
    if times:
        rows += [
            {"metric": f"time to answer, {name}, s", "n": len(times), "value": find_quantile(times, percent)}
            for name, percent in (("median", 50), ("90 %", 90), ("longest", 100))
        ]
    return rows


def _alert_rows(cases: Sequence[AlertCase]) -> list[dict[str, Any]]:
    verdicts = Counter(case.verdict for case in cases)
    judged = verdicts["attack"] + verdicts["ordinary"]
    acknowledged = sum(1 for case in cases if case.first_answer is not None)
    return [
        {"metric": "alerts", "n": len(cases), "value": len(cases)},
        _share_row("alerts: acknowledged", acknowledged, len(cases)),
        _share_row("alerts: judged", judged, len(cases)),
        _share_row("alerts: false, of those judged", verdicts["ordinary"], judged),
    ]


def _share_row(metric: str, number: int, total: int) -> dict[str, Any]:
    row: dict[str, Any] = {"metric": metric, "n": total, "value": number}
    if total:
        low, high = compute_wilson_interval(number, total)
        row |= {"high": round(high, 4), "low": round(low, 4), "share": round(number / total, 4)}
    return row


def find_quantile(times: Sequence[int], percent: int) -> int:
    """The value that so many percent of the sorted values do not exceed (nearest rank)."""
    return times[max(0, math.ceil(len(times) * percent / 100) - 1)]


_DRILL_COLUMNS: Final = ("time", "agent", "action", "effect", "ran", "ended", "entry")


def answer_stop_drill(log: AuditLog, period: Period, *, scope: str, target: str, stop_id: str) -> Answer:
    """Whether anything of what was stopped ran afterwards, and how long what was running still took.

    Rows are what was decided after the stop, and actions that ran when it was set. A stop holds through its file before
    its entry is written, so what it refused meanwhile counts as well, and times begin when it was ordered.

    Args:
        log: the tenant's audit log.
        period: from the stop until the end of the drill.
        scope: scope of the stop: `agent`, `session`, `tool`, `user`, `tenant` or `all`.
        target: target of the stop; the reference of a session or a person.
        stop_id: id of the entry that set it.
    """
    stop = next((item for item in log.entries((EntryKind.STOP,), Period(0, END_US)) if item.id == stop_id), None)
    claim = f"nothing of {scope} `{target}` ran after the stop" if target else "nothing ran after the stop"
    if stop is None:
        return log.cannot_tell(period, f"the stop {stop_id} is not in the log", claim=claim)
    ordered_us = min(int(stop.body.get("since_us", stop.ts_us)), stop.ts_us)
    around_stop = Period(stop.ts_us - DAY_US, period.to_us)
    end_times = {item.decision: item.ts_us for item in log.outcomes(around_stop)}
    watch = _StopWatch(stop.index, ordered_us, period.to_us, end_times)
    for item in log.decisions(DecisionFilter(around_stop)):
        if _is_in_scope(item, scope, target):
            watch.add(item)
    findings = watch.findings
    if not watch.rows:
        findings.append("nothing was running and nothing was tried meanwhile, so nothing shows that the stop holds")
    return log.conclude(
        period,
        counted=len(watch.rows),
        what="actions that were running or were tried",
        claim=claim,
        verdict=None if watch.rows else Verdict.CANNOT_TELL,
        findings=findings,
        columns=_DRILL_COLUMNS,
        rows=watch.rows,
        notes=watch.make_notes(),
    )


def _is_in_scope(item: DecisionFacts, scope: str, target: str) -> bool:
    """Whether a stop of this scope and target applies to a decision."""
    values = {"agent": item.acting, "session": (item.session,), "tool": (item.resource,), "user": (item.user,)}
    return not target or scope not in values or target in values[scope]


@dataclass(slots=True)
class _StopWatch:
    """What happened around a stop to actions in its scope.

    Args:
        stop_index: position of the stop's entry in the log.
        ordered_us: when the stop was ordered, microseconds since the epoch.
        to_us: end of the drill, microseconds since the epoch.
        end_times: id of a decision → when its action ended, microseconds since the epoch.
        rows: actions that were running when the stop was set, and what was decided afterwards.
        findings: actions that ran after the stop, or have not ended.
        time_to_zero_us: from the order until the last running action had ended.
        refused: number of attempts that were refused after the stop.
        newest_us: when the newest action was decided that ran; 0 for none.
    """

    stop_index: int
    ordered_us: int
    to_us: int
    end_times: Mapping[str, int]
    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    time_to_zero_us: int = 0
    refused: int = 0
    newest_us: int = 0

    def add(self, item: DecisionFacts) -> None:
        """Add the next decision in the stop's scope."""
        by_file = not item.dispatched and "stopped" in item.reasons and item.ts_us >= self.ordered_us
        is_later, end_us = item.index > self.stop_index or by_file, self.end_times.get(item.id)
        in_flight = not is_later and item.dispatched and (end_us is None or end_us > self.ordered_us)
        if item.dispatched:
            self.newest_us = max(self.newest_us, item.ts_us)
        if not (is_later or in_flight):
            return
        if in_flight:
            self.time_to_zero_us = max(self.time_to_zero_us, (end_us or self.to_us) - self.ordered_us)
        self.refused += is_later and not item.dispatched
        action = f"{item.agent}: {item.kind} `{item.resource}`"
        if is_later and item.dispatched:
            self.findings.append(f"{action} ran after the stop ({item.id})")
        if in_flight and end_us is None:
            self.findings.append(f"{action} was running and has not ended ({item.id})")
        self.rows.append(
            {
                "action": f"{item.kind} {item.resource}",
                "agent": item.agent,
                "effect": item.effect,
                "ended": None if end_us is None else format_moment(end_us),
                "entry": item.id,
                "ran": item.dispatched,
                "time": format_moment(item.ts_us),
            }
        )

    def make_notes(self) -> tuple[str, ...]:
        """The notes of the answer."""
        newest = format_moment(self.newest_us) if self.newest_us else "none in the day before"
        stopped = format_moment(self.ordered_us)
        seconds = self.time_to_zero_us / SECOND_US
        return (
            f"time to zero: {seconds:.3f} s after the stop of {stopped}; newest action: {newest}",
            f"tried and refused after it: {self.refused}",
            "this holds for actions that pass through Halo",
        )
