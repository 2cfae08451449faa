"""`halo verify`, `replay` and `policy`: whether the record of decisions is whole, and their policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from halo_core.cli.context import StoreContext, show_progress, store_verb
from halo_core.cli.evidence import answer_since, open_log, print_log_head, read_log_head
from halo_core.cli.rendering import (
    EFFECT_STYLE,
    PASSED_MARKS,
    Exit,
    build_field_table,
    print_note,
    safe_text,
    say,
    say_plainly,
)
from halo_core.clock import format_iso
from halo_core.enforcement.agent_credentials import install_starter
from halo_core.errors import ConfigError, make_read_error, make_write_error
from halo_core.ledger import LIMITS, Report
from halo_core.model import EntryKind, LedgerEntry, Resource
from halo_core.policy import PolicyBundle, infer_arg_types
from halo_core.policy.cases import load_cases, run_case
from halo_core.policy.checks import check_bundle
from halo_core.processes import count_cores
from halo_core.replay import Replayer, ReplayResult, ReplayStatus, replay_log
from halo_core.verification import verify_store
from halo_core.views import select_fields
from halo_core.views.control import count_answer_proofs, count_proofs
from halo_core.views.entries import find_decision, find_decision_or_question
from halo_core.views.explanations import Case, Explanation, Step, explain_decision
from halo_core.views.inventory import load_catalogue
from halo_core.views.wording import format_count, format_entries

_MAX_FINDINGS: Final = 20
_MAX_DIFFERENCES: Final = 20
_MAX_ODD: Final = 1000  # in JSON
_VERDICT: Final = {
    Exit.OK: "[bold green]whole[/]: nothing was changed, removed or added",
    Exit.CANNOT_TELL: "[bold yellow]cannot tell[/]",
    Exit.TAMPERED: "[bold red]TAMPERED[/]: data was changed after it was written",
    Exit.GAP: "[bold red]GAP[/]: data that was written is missing",
}


@store_verb(tenant=False)
def verify(
    *,
    signatures: Annotated[bool, Option("--signatures", help="Also check every writer signature.")] = False,
    since: Annotated[
        Path | None,
        Option(
            "--since",
            metavar="FILE",
            help="A checkpoint that you kept, or a copy of anchor.json: was anything that it signed changed or cut?",
        ),
    ] = None,
    store: StoreContext,
) -> int:
    """Verify the ledger: hashes, chains, tree, checkpoints, anchor, content.

    Exit 0: whole. 11: something was changed. 13: something is missing. 2: cannot tell. With `--since` as of a question:
    0 nothing was changed or cut since, 1 something was, 2 cannot tell.
    """
    if since is not None:
        return answer_since(store, since)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with show_progress(*columns) as bar:
        task = bar.add_task("verifying")
        report = verify_store(
            store.url,
            store.home,
            signatures=signatures,
            processes=count_cores(),
            progress=lambda name, rows: bar.update(task, description=f"verifying {name}: {rows:,} rows"),
        )
    heads = {name: {"covered": h.covered, "root": h.root.hex(), "size": h.size} for name, h in report.heads.items()}
    proofs, answers = count_proofs(report, store.home), count_answer_proofs(report, store.home)
    more = {"answer_proofs": answers, "exit_code": report.exit_code, "heads": heads, "proofs": proofs}
    if not store.print_json(asdict(report) | more):
        _print_report(report, {"control acts (mode, enrolments, lifts)": proofs, "answers to questions": answers})
    return report.exit_code


def _print_report(report: Report, proofs: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    for check in report.checks:
        mark = "[bold red]✗[/]" if check.failed else "[green]✓[/]" if check.passed else "[dim]-[/]"
        skipped = f", {check.skipped:,} not checked" if check.skipped else ""
        failed = f", [bold red]{check.failed:,} wrong[/]" if check.failed else ""
        say(f"{mark} ({check.number}) {check.title}  [dim]{check.passed:,} right{skipped}[/]{failed}")
    for finding in report.findings[:_MAX_FINDINGS]:
        text = f"{finding.where}: {finding.what} ({finding.code}) {finding.entry}"
        say(f"[bold red]{finding.kind}[/] ", safe_text(text))
    if report.total > _MAX_FINDINGS:
        say(f"… and {report.total - _MAX_FINDINGS} more findings")
    for line in (*report.warnings[:_MAX_FINDINGS], *report.undetermined):
        say_plainly(f"note: {line}")
    for tenant, head in report.heads.items():
        say(f"{tenant}: {format_entries(head.size)}, {head.covered:,} under a checkpoint, root {head.root.hex()[:16]}…")
    for what, by_tenant in proofs.items():
        for tenant, counts in by_tenant.items():
            text = ", ".join(f"{count:,} {proof}" for proof, count in sorted(counts.items()))
            say(safe_text(f"{tenant}: {what}: {text}"))
    say(_VERDICT[Exit(report.exit_code)])
    for limit in LIMITS:
        say(f"[dim]not detected: {limit}[/]")


@store_verb()
def replay(
    *,
    id: Annotated[  # noqa: A002  the word users expect
        str, Argument(help="A decision: its index (#), its id, or the first characters of the id.")
    ] = "",
    all_: Annotated[bool, Option("--all", help="Replay all decisions.")] = False,
    store: StoreContext,
) -> int:
    """Recompute recorded decisions and compare the bytes.

    Exit 0: identical. 12: a decision differs (the first such field is shown). 2: cannot tell (erased or unreadable).
    Whether the log is whole stands at the head, and is the exit code of `halo verify`.
    """
    if bool(id) == all_:
        remedy = "run `halo replay ID` or `halo replay --all`"
        raise ConfigError("usage", "give one decision, or `--all`", field="id", remedy=remedy)
    with store.open_log() as (reader, name):
        total = 1 if id else reader.count(name, EntryKind.DECISION.value)
        record = find_decision(reader, name, id, "id") if id else None
        if record is not None:
            replayer = Replayer(reader, store.open_contents(reader, is_shown=False), name)
            results = iter([replayer.replay(record)])
        else:
            results = replay_log(store.url, store.home, name, processes=count_cores())
        counts, odd = _collect_results(results, total)
        query = f"halo replay {'--all' if record is None else record.entry.id}"
        head = read_log_head(open_log(store, reader, name, query), (counts.total(), "decisions"))
    rows = [
        {"id": item.id, "status": item.status.value, "where": item.where}
        | {"computed": repr(item.computed), "recorded": repr(item.recorded)}
        for item in odd
    ]
    answer = {"counts": {status.value: n for status, n in counts.items()}, "head": head.to_json(), "odd": rows}
    if not store.print_json(answer):
        print_log_head(head)
        if record is not None:
            _print_replayed(record.entry)
        _print_replay(counts.total(), counts, odd)
    if counts[ReplayStatus.DIFFERS]:
        return Exit.REPLAY_DIFFERS
    return Exit.CANNOT_TELL if odd or not counts else Exit.OK


def _print_replayed(decision: LedgerEntry) -> None:
    """Print a decision that is replayed: when it was made, why, with what effect, under which policy."""
    request, effect = decision.body["request"], decision.body["decision"]["effect"]
    say(f"{decision.id}, {format_iso(decision.ts_us)}: ", safe_text(decision.body["justification"]))
    say(f"recorded effect [bold]{effect}[/], policy {decision.body['snapshot']['policy']}")
    say(safe_text(f"arguments {request['args_digest']}"))


def _collect_results(results: Iterator[ReplayResult], total: int) -> tuple[Counter[ReplayStatus], list[ReplayResult]]:
    """The number of results by status, and the first `_MAX_ODD` that are not identical."""
    counts: Counter[ReplayStatus] = Counter()
    odd: list[ReplayResult] = []
    with show_progress(TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        for item in bar.track(results, total=total):
            counts[item.status] += 1
            if item.status is not ReplayStatus.IDENTICAL and len(odd) < _MAX_ODD:
                odd.append(item)
    return counts, odd


def _print_replay(total: int, counts: Counter[ReplayStatus], odd: list[ReplayResult]) -> None:
    same = counts[ReplayStatus.IDENTICAL]
    share = f"{100 * same / total:.2f}%" if total else "nothing to replay"
    say(f"replayed {format_count(total, 'decision')}: [bold]{same:,} identical[/] ({share})")
    for item in odd[:_MAX_DIFFERENCES]:
        why = str(item.computed or "its content was erased")
        if item.status is ReplayStatus.DIFFERS:
            why = f"{item.where} recorded {item.recorded!r}, now {item.computed!r}"
        say(f"  {item.id} [bold red]{item.status.value}[/] ", safe_text(why))


policy_app = typer.Typer(help="Check, test, compare and explain policies.", no_args_is_help=True)

FolderArgument = Annotated[
    Path | None, Argument(metavar="FOLDER", help="Folder of .cedar files (default: policy in the home).")
]


@store_verb(policy_app, "explain")
def explain(
    decision: Annotated[
        str, Argument(metavar="N", help="A decision or its question: its index (#), its id, or the id's beginning.")
    ],
    *,
    store: StoreContext,
) -> None:
    """Explain a decision: each check with its result, and the smallest change that would have allowed the action."""
    with store.open_log() as (reader, tenant):
        record = find_decision_or_question(reader, tenant, decision, "N")
        explanation = explain_decision(reader, store.open_contents(reader), record)
    if not store.print_json(explanation):
        _print_head(explanation.case)
        _print_steps(explanation.steps)
        _print_changes(explanation)


def _print_head(case: Case) -> None:
    effect, request = case.decision.effect.value, case.request
    ran = "it ran" if case.entry.body["dispatched"] else "it did not run"
    line = safe_text(f"#{case.index} ", style="bold")
    line.append(effect, style=EFFECT_STYLE[effect])
    line.append(f" {request.kind.value} {request.resource.id}", style="bold")
    line.append(f", {ran} ({case.entry.body['snapshot']['mode']} mode)")
    say(line)
    context_line = f"{' → '.join(request.subject.chain)}, session {case.entry.session}, {format_iso(case.entry.ts_us)}"
    say(safe_text(context_line, style="dim"))


def _print_steps(case_steps: list[Step]) -> None:
    rows: list[tuple[str, str | Text, Text]] = []
    for step in case_steps:
        first, *more = [f"{step.title}{': ' if step.answers else ''}{'; '.join(step.answers[:1])}", *step.answers[1:]]
        mark = "[yellow]![/]" if step.passed and step.raised else PASSED_MARKS[step.passed]
        rows.append((f"{step.number:>2}", mark, safe_text(first, style="dim" if step.passed is None else "")))
        rows += [("", "", safe_text(line)) for line in more]
        rows += [("", "", safe_text(f"  {line}", style="dim")) for line in step.text]
    say(build_field_table(rows, {"no_wrap": True}))


def _print_changes(explanation: Explanation) -> None:
    changes = explanation.changes
    if not changes:
        if explanation.case.decision.effect.runs:
            say("no check objected")
        return
    say("[bold]what would have allowed it[/]" + (", all of these" if len(changes) > 1 else ""))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 0, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for change in changes:
        line = safe_text(f"{change.code}: ", "bold")
        table.add_row("", line.append_text(safe_text(change.text)))
        for row in change.snippet:
            table.add_row("", safe_text(f"    {row}", "cyan"))
    say(table)


def _load_policies(store: StoreContext, folder: Path | None) -> tuple[PolicyBundle, dict[str, Resource]]:
    """The policies of a folder, by default the home's, and what is registered, by id."""
    registered = load_catalogue(store.url, store.tenant)
    types = {item.resource.id: dict(infer_arg_types(item.schema)) for item in registered}
    bundle = PolicyBundle.load([folder or store.home / "policy"], types)
    return bundle, {item.resource.id: item.resource for item in registered}


@store_verb(policy_app, "check")
def check_policies(folder: FolderArgument = None, *, store: StoreContext) -> int:
    """Validate policies strictly against the registered tools. Exit 1 if there are findings."""
    bundle, registered = _load_policies(store, folder)
    findings = check_bundle(bundle, registered.values())
    if store.print_json([select_fields(item, "message", "policy", "where") for item in findings]):
        return Exit.FAILED if findings else Exit.OK
    for finding in findings:
        say(f"[bold red]{finding.where}[/] ", safe_text(f"{finding.policy}: {finding.message}".removeprefix(": ")))
        if finding.hint:
            say_plainly(f"  {finding.hint}")
    if not registered:
        say("[yellow]no tools are registered yet[/]: argument names were not checked; run the app once")
    if not findings:
        say(f"[green]✓[/] {len(bundle.parse())} policies, {len(registered)} resources: no findings")
    return Exit.FAILED if findings else Exit.OK


@store_verb(policy_app, "test")
def run_cases(
    cases: Annotated[Path, Argument(metavar="CASES", help="TOML file with `case` tables, see docs/policy.md.")],
    folder: FolderArgument = None,
    *,
    store: StoreContext,
) -> int:
    """Run policy cases. Exit 1 if a case fails."""
    bundle, resources = _load_policies(store, folder)
    try:
        parsed_cases = load_cases(cases.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as exc:
        raise make_read_error(cases, exc, field="CASES", code="no_cases") from exc
    for case in parsed_cases:
        close = [] if case.resource in resources else get_close_matches(case.resource, resources, 1)
        if close:  # a tool that does not exist yet is fine, but a case with a misspelt one would pass by mistake
            problem = f"{case.name}: resource `{case.resource}` is not registered"
            remedy = f"did you mean `{close[0]}`"
            raise ConfigError("no_such_resource", problem, field="resource", remedy=remedy)
    results = [run_case(case, bundle, resources) for case in parsed_cases]
    failed = [result for result in results if not result.passed]
    if not store.print_json([select_fields(item, "expected", "got", "name", "passed") for item in results]):
        for result in results:
            why = ", ".join(f"{reason.code} ({reason.source})" for reason in result.reasons) or "no rule"
            expected = f"{result.name}: expected {result.expected}, got {result.got} by {why}"
            say(PASSED_MARKS[result.passed], " ", safe_text(result.name if result.passed else expected))
        say(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return Exit.FAILED if failed or not results else Exit.OK


@policy_app.command("starter")
def write_starter(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="Folder to create.")],
    *,
    lean: Annotated[
        int | None,
        Option(
            "--lean",
            metavar="RISK",
            help="Rules on targets and severe effects apply from this risk on (1..1000), or if there is no score.",
        ),
    ] = None,
) -> None:
    """Write the starter policy to a new folder."""
    if folder.exists():
        remedy = "choose another folder, or move it away first; existing policies are not overwritten"
        raise ConfigError("folder_exists", f"`{folder}` already exists", field="FOLDER", remedy=remedy)
    try:
        install_starter(folder, risk_threshold=lean)
    except OSError as exc:
        remedy = "choose a folder in a writable place"
        raise make_write_error(folder, exc, field="FOLDER", code="no_folder", remedy=remedy) from exc
    say_plainly(f"written to {folder}")
    if lean is not None:
        print_note("these rules now rely on the score, which detects attacks similar to its training data")
