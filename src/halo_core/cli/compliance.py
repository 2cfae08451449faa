"""`halo report`, `halo waive` and `halo incident`: controls of frameworks, their waivers, and incident files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer import Option

from halo_core.cli.context import StoreContext, parse_end, parse_time, store_verb, write_text_file
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.rendering import Exit, build_field_table, build_table, console, fail, safe_text, say
from halo_core.clock import SystemClock, format_iso
from halo_core.errors import ConfigError, NotVerified
from halo_core.evidence.annex_iv import build_annex
from halo_core.evidence.answers import END_US, Period, Verdict
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import CHECK_QUESTIONS, TESTED_CHECKS
from halo_core.evidence.control_report import ControlReport, build_report
from halo_core.evidence.controls import find_control, load_framework, load_frameworks
from halo_core.evidence.incidents import (
    CLOCK_CAVEAT,
    DEADLINE_DAYS,
    IncidentFile,
    add_to_incident,
    end_waiver,
    open_incident,
    read_incidents,
    read_waivers,
    record_report,
    resolve_decisions,
    waive_control,
)
from halo_core.evidence.oscal import build_assessment_results
from halo_core.evidence.report_page import list_facts, render_markdown, render_report
from halo_core.model import EntryKind

_FORMS: Final = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}
_STYLES: Final = {"holds": "green", "fails": "bold red", "cannot_tell": "yellow"}
_WORDS: Final = {"holds": "holds", "fails": "does not hold", "cannot_tell": "cannot tell"}
_ANNEX_FRAMEWORK: Final = "eu-ai-act"
_NO_LOG: Final = ("no_database", "no_store", "which_tenant", "schema_version")

incident_app = typer.Typer(no_args_is_help=True, help="Incident files, with the clock of a report to an authority.")


@store_verb(by=True)
def report(
    *,
    framework: Annotated[str, Option("--framework", help="Which framework; see `--list`.")] = "",
    from_: FromOption = "",
    to: ToOption = "",
    output: Annotated[Path | None, Option("--output", help="File to write: .html, .md, .json or .oscal.json.")] = None,
    check: Annotated[str, Option("--check", help="Run one check alone, and print its answer.")] = "",
    annex_iv: Annotated[bool, Option("--annex-iv", help="Draft what follows from the log for Annex IV.")] = False,
    list_: Annotated[bool, Option("--list", help="List frameworks, or the rows of `--framework`.")] = False,
    store: StoreContext,
) -> int | None:
    """Report what the log shows of a framework's controls, with the checks that were run, findings and waivers."""
    _refuse_unused(framework, output=output, check=check, annex_iv=annex_iv, list_=list_)
    if list_:
        _print_map(store, framework)
        return None
    framework = framework or (_ANNEX_FRAMEWORK if annex_iv else "")
    period = read_period(from_, to)
    if check:
        if check not in CHECK_QUESTIONS:
            raise _make_choice_error("no_such_check", "check", check, sorted(CHECK_QUESTIONS))
        return answer_question(store, "report", period, CHECK_QUESTIONS[check], check=check)
    if not framework:
        names = [item.id for item in load_frameworks()]
        raise _make_choice_error("no_such_framework", "framework", framework, names)
    wanted = load_framework(framework)
    form = _find_form(output)
    try:
        with _open_log(store) as log:
            if annex_iv:
                return _write_annex(store, log, period, output, form)
            document = build_report(log, period, wanted)
    except NotVerified as exc:
        return fail(exc, Exit.CANNOT_TELL)
    except ConfigError as exc:
        if exc.code not in _NO_LOG:
            raise
        return fail(exc, Exit.CANNOT_TELL)
    return _output_report(store, document, output, form)


def _refuse_unused(framework: str, *, output: Path | None, check: str, annex_iv: bool, list_: bool) -> None:
    """Refuse options that would be left out in silence.

    Raises:
        ConfigError: `usage`.
    """
    if list_ and (output is not None or check or annex_iv):
        problem, field, remedy = "a list is printed, and nothing else is made", "list", "leave the other options out"
    elif check and (framework or output is not None or annex_iv):
        problem, field = "one check is run alone, and its answer is printed", "check"
        remedy = "leave `--framework`, `--output` and `--annex-iv` out; `--json` prints the answer for programs"
    elif annex_iv and framework not in ("", _ANNEX_FRAMEWORK):
        problem, field = f"Annex IV is of `{_ANNEX_FRAMEWORK}`, not of `{framework[:64]}`", "annex-iv"
        remedy = "leave `--framework` out"
    else:
        return
    raise ConfigError("usage", problem, field=field, remedy=remedy)


def _find_form(output: Path | None) -> str:
    if output is None:
        return ""
    if output.name.lower().endswith(".oscal.json"):
        return "oscal"
    form = _FORMS.get(output.suffix.lower())
    if form is None:
        raise ConfigError(
            "bad_form",
            f"`{output}` is no file of a report",
            field="output",
            remedy="end its name in .html, .md, .json or .oscal.json",
        )
    return form


@contextmanager
def _open_log(store: StoreContext) -> Iterator[AuditLog]:
    with store.open_log() as (reader, tenant):
        yield AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us())


def _output_report(store: StoreContext, report: ControlReport, output: Path | None, form: str) -> int:
    """Write a report to a file and print it, or only print it; returns the exit code of its verdict."""
    if output is not None:
        text = _render(report, form)
        write_text_file(output, text, "output")
        digest = hashlib.sha256(text.encode()).hexdigest()
        say(safe_text(f"written to {output}, SHA-256 {digest}, {_record(store, report, form, digest)}"))
    else:
        store.record_access("read", {"query": report.query}, report.tenant)
    if output is not None or not store.print_json(report):
        _print_report(report)
    return int(report.verdict.exit_code)


def _record(store: StoreContext, report: ControlReport, form: str, digest: str) -> str:
    """Record that a report was made; returns the id of the entry, or why there is none, in words."""
    if not store.can_record:
        return "not recorded, since this home has no keys to write with"
    period = (report.period.from_us, report.period.to_us)
    entry = store.commit(
        lambda tx: record_report(
            tx,
            framework=report.framework.id,
            period_us=period,
            form=form,
            digest=digest,
            rows=report.count_verdicts(),
            by=store.actor,
        ),
        report.tenant,
    )
    return f"recorded as {entry}"


def _render(report: ControlReport, form: str) -> str:
    if form == "html":
        return render_report(report)
    if form == "md":
        return render_markdown(report)
    tree = report.to_json()
    return json.dumps(build_assessment_results(tree) if form == "oscal" else tree, indent=1, sort_keys=True) + "\n"


def _print_report(report: ControlReport) -> None:
    say(build_field_table((name, safe_text(words)) for name, words in list_facts(report)))
    table = build_table(("control", "title", "coverage", "verdict", "does not hold, or cannot tell"), gap=2)
    for row in report.rows:
        verdict = "" if row.verdict is None else row.verdict.value
        words = (
            "-" if not verdict else f"[{_STYLES[verdict]}]{_WORDS[verdict]}[/]" + (" (waived)" if row.is_waived else "")
        )
        bad = [
            name
            for name, answer in zip(row.control.checks, row.answers, strict=True)
            if answer.verdict is not Verdict.HOLDS
        ]
        if row.undecided and not bad:  # every check holds, and not for as long as the control asks for
            bad = list(row.undecided)
        table.add_row(
            safe_text(row.control.id),
            safe_text(row.control.title),
            row.coverage.value,
            words,
            safe_text(", ".join(bad) or "-"),
        )
    console().print(table)
    for name, answer in report.answers.items():
        for finding in answer.findings[:3] if answer.verdict is Verdict.FAILS else ():
            say("  - ", safe_text(f"{name}: {finding}"))
    for item in report.waivers:
        state = item.find_state(report.as_of_us)
        say(
            safe_text(
                f"  waiver {item.entry} of {item.control}, {state}, until {format_iso(item.until_us)}: {item.why}"
            )
        )


def _print_map(store: StoreContext, framework: str) -> None:
    chosen = [load_framework(framework)] if framework else load_frameworks()
    if store.json:
        tree = {
            item.id: [
                {
                    "checks": list(row.checks),
                    "coverage": row.limit_coverage(TESTED_CHECKS).value,
                    "id": row.id,
                    "title": row.title,
                }
                for row in item.controls
            ]
            for item in chosen
        }
        store.print_json(tree)
    elif framework:
        table = build_table(("control", "title", "coverage", "checks"), gap=2)
        for row in chosen[0].controls:
            table.add_row(row.id, row.title, row.limit_coverage(TESTED_CHECKS).value, ", ".join(row.checks) or "-")
        console().print(table)
    else:
        table = build_table(("framework", "name", "rows"), gap=2)
        for item in chosen:
            table.add_row(item.id, item.name, str(len(item.controls)))
        console().print(table)


def _make_choice_error(code: str, field: str, choice: str, choices: list[str]) -> ConfigError:
    problem = f"there is no {field} `{choice[:64]}`" if choice else f"a {field} is needed"
    return ConfigError(code, problem, field=field, remedy=f"choose one of {', '.join(choices)}")


def _write_annex(store: StoreContext, log: AuditLog, period: Period, output: Path | None, form: str) -> int:
    text, verdict = build_annex(log, period, "json" if form == "oscal" else form or "md")
    if output is None:
        console().out(text, highlight=False)
    else:
        write_text_file(output, text, "output")
        say(safe_text(f"written to {output}, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"))
    store.record_access("read", {"query": "halo report --annex-iv"}, log.tenant)
    return int(verdict.exit_code)


# waivers


@store_verb(by=True)
def waive(
    control: Annotated[list[str], typer.Argument(help="Framework and control, such as pci-dss-4.0.1 10.3.3.")],
    *,
    owner: Annotated[str, Option("--owner", help="The person who answers for the waiver.")] = "",
    until: Annotated[
        str, Option("--until", metavar="TIME", help="Its end, within a year: 2026-12-31, or 30d from now.")
    ] = "",
    why: Annotated[str, Option("--why", help="The reason; it is recorded in clear.")] = "",
    end: Annotated[bool, Option("--end", help="End the waiver of this control.")] = False,
    store: StoreContext,
) -> None:
    """Waive a control for a time: reports show it with owner, reason and end, and call an expired waiver a finding."""
    framework, row = find_control(" ".join(control))
    name = f"{framework.id} {row.id}"
    if end:
        with _open_log(store) as log:
            waived_controls = {
                item.control for item in read_waivers(log.entries((EntryKind.CONTROL_WAIVER,), Period(0, END_US)))
            }
        if name not in waived_controls:
            raise ConfigError("no_such_waiver", f"`{name}` is not waived", field="control", remedy="see `halo report`")
        entry = store.commit(lambda tx: end_waiver(tx, control=name, why=why, by=store.actor))
        say(safe_text(f"the waiver of {name} has ended, recorded as {entry}"))
        return
    now_us = SystemClock().now_us()
    until_us = parse_end(until, "until", now_us)
    entry = store.commit(
        lambda tx: waive_control(
            tx, control=name, owner=owner, until_us=until_us, why=why, by=store.actor, now_us=now_us
        )
    )
    say(safe_text(f"{name} ({row.title}) is waived until {format_iso(until_us)}, recorded as {entry}"))


# incidents


DecisionsOption = Annotated[
    list[str] | None, Option("--decision", help="A decision that belongs to it (index or id); may be repeated.")
]
TextOption = Annotated[str, Option("--what", help="In words; recorded in clear, so name nobody.")]


@store_verb(incident_app, "open", by=True)
def open_file(
    *,
    severity: Annotated[str, Option("--severity", help=f"One of {', '.join(DEADLINE_DAYS)}.")] = "serious",
    known: Annotated[
        str, Option("--known", metavar="TIME", help="When it became known (default: now); or 2h, 3d ago.")
    ] = "",
    what: TextOption = "",
    decisions: DecisionsOption = None,
    store: StoreContext,
) -> None:
    """Open an incident's file; its clock runs from the moment at which it became known."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        linked = resolve_decisions(reader, tenant, decisions or ())
    known_us = parse_time(known, now_us, "known", now_us)
    name = store.commit(
        lambda tx: open_incident(
            tx, severity=severity, known_us=known_us, text=what, decisions=linked, by=store.actor, now_us=now_us
        )
    )
    incident = _find_incident(store, name)
    say(safe_text(f"incident {name} is open: {incident.describe_clock(now_us)}"))
    if incident.deadline_us:
        say(safe_text(f"a report is due by {format_iso(incident.deadline_us)}; {CLOCK_CAVEAT}"))


@store_verb(incident_app, "add", by=True)
def add_act(
    name: Annotated[str, typer.Argument(help="Id of the incident, or its beginning.")],
    *,
    act: Annotated[str, Option("--act", help="contain, note or report (to an authority).")] = "note",
    what: TextOption = "",
    decisions: DecisionsOption = None,
    store: StoreContext,
) -> None:
    """Add to an incident's file what was done: contained, reported, or noted."""
    _add(store, name, act, what, decisions)


@store_verb(incident_app, "close", by=True)
def close_file(
    name: Annotated[str, typer.Argument(help="Id of the incident, or its beginning.")],
    *,
    what: TextOption = "",
    store: StoreContext,
) -> None:
    """Close an incident's file."""
    _add(store, name, "close", what, None)


def _add(store: StoreContext, name: str, act: str, what: str, decisions: list[str] | None) -> None:
    incident = _find_incident(store, name)
    with store.open_log() as (reader, tenant):
        linked = resolve_decisions(reader, tenant, decisions or ())
    entry = store.commit(lambda tx: add_to_incident(tx, incident, act, text=what, decisions=linked, by=store.actor))
    say(safe_text(f"incident {incident.id}: {act}, recorded as {entry}"))


def _load_incidents(store: StoreContext) -> dict[str, IncidentFile]:
    with _open_log(store) as log:
        return read_incidents(log.entries((EntryKind.INCIDENT,), Period(0, END_US)))


def _find_incident(store: StoreContext, name: str) -> IncidentFile:
    matches = [item for key, item in _load_incidents(store).items() if key.startswith(name)]
    if len(matches) != 1:
        problem = f"{len(matches) or 'no'} incidents start with `{name[:64]}`"
        raise ConfigError("no_such_incident", problem, field="name", remedy="see `halo incident list`")
    return matches[0]


@store_verb(incident_app, "list")
def list_files(*, store: StoreContext) -> None:
    """List incidents with their clocks."""
    incidents, now_us = list(_load_incidents(store).values()), SystemClock().now_us()
    if store.print_json(incidents):
        return
    if not incidents:
        say("no incident is on record")
        return
    table = build_table(("incident", "severity", "known", "clock", "closed"), gap=2)
    for item in incidents:
        closed = format_iso(item.closed_us) if item.closed_us else "-"
        table.add_row(item.id, item.severity, format_iso(item.known_us), item.describe_clock(now_us), closed)
    console().print(table)


@store_verb(incident_app, "show")
def show_file(
    name: Annotated[str, typer.Argument(help="Id of the incident, or its beginning.")], *, store: StoreContext
) -> None:
    """Show an incident: its clock, what was done and when, and the decisions that are linked."""
    incident = _find_incident(store, name)
    if store.print_json(incident):
        return
    rows = [
        ("incident", incident.id),
        ("severity", incident.severity),
        ("known", format_iso(incident.known_us)),
        ("deadline", format_iso(incident.deadline_us) if incident.deadline_us else "none"),
        ("clock", incident.describe_clock(SystemClock().now_us())),
        ("decisions", ", ".join(incident.decisions) or "-"),
    ]
    say(build_field_table((title, safe_text(words)) for title, words in rows))
    table = build_table(("at", "act", "what", "entry"), gap=2)
    for item in incident.events:
        table.add_row(format_iso(item.at_us), item.act, safe_text(item.text or "-"), item.entry)
    console().print(table)
    say(safe_text(f"note: {CLOCK_CAVEAT}", "dim"))


@store_verb(incident_app, "export")
def export_file(
    name: Annotated[str, typer.Argument(help="Id of the incident, or its beginning.")],
    *,
    output: Annotated[Path, Option("--output", help="File to write (JSON).")],
    store: StoreContext,
) -> None:
    """Write an incident with the entries of its decisions to a file; content stays sealed."""
    incident = _find_incident(store, name)
    with store.open_log() as (reader, tenant):
        linked: list[dict[str, Any]] = []
        for decision in incident.decisions:
            writer, _, seq = decision.rpartition("-")
            note = reader.note_at(tenant, writer, int(seq))
            if note is not None:
                linked.append(reader.read_entry(note).to_json())
    tree = {"caveat": CLOCK_CAVEAT, "decisions": linked, "incident": incident.to_json()}
    write_text_file(output, json.dumps(tree, indent=1, sort_keys=True) + "\n", "output")
    store.record_access("export", {"incident": incident.id})
    say(safe_text(f"written to {output}"))
