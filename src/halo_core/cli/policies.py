"""`halo policy check | test | explain | starter`: Cedar files and their cases, and why one decision came out so."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.rendering import EFFECT_STYLE, Exit, console, print_json, safe_text
from halo_core.clock import format_iso
from halo_core.enforcement.agent_credentials import install_starter
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.policy import PolicyBundle, infer_arg_types
from halo_core.policy.checks import check_bundle, load_cases, run_case
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.entries import find_decision
from halo_core.views.explanations import Case, Explanation, Step, explain_decision

app = typer.Typer(help="Check, test and explain policies.", no_args_is_help=True)

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Folder of .cedar files (default: policy in the home).")
]


@app.command("explain")
@store_verb()
def explain(
    decision: Annotated[
        str, typer.Argument(metavar="N", help="A decision: its index (#), its id, or the first characters of the id.")
    ],
    *,
    store: StoreContext,
) -> int:
    """Explain a decision: each check with its result, and the smallest change that would have allowed the action."""
    with store.open_log() as (reader, tenant):
        record = find_decision(reader, tenant, decision, "N")
        explanation = explain_decision(reader, store.open_contents(reader), record)
    if store.json:
        print_json(explanation.to_json())
        return Exit.OK
    view = console()
    _print_head(view, explanation.case)
    _print_steps(view, explanation.steps)
    _print_changes(view, explanation)
    return Exit.OK


def _print_head(view: Console, case: Case) -> None:
    effect, request = case.decision.effect.value, case.request
    ran = "it ran" if case.entry.body["dispatched"] else "it did not run"
    line = safe_text(f"#{case.index} ", style="bold")
    line.append(effect, style=EFFECT_STYLE[effect])
    line.append(f" {request.kind.value} {request.resource.id}", style="bold")
    line.append(f", {ran} ({case.entry.body['snapshot']['mode']} mode)")
    view.print(line)
    context_line = (
        f"{' → '.join(request.subject.chain)}, session {request.context.session}, {format_iso(case.entry.ts_us)}"
    )
    view.print(safe_text(context_line, style="dim"))


_MARKS: Final = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("-", "dim")}


def _print_steps(view: Console, case_steps: list[Step]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in case_steps:
        first, *more = [f"{step.title}{': ' if step.answers else ''}{'; '.join(step.answers[:1])}", *step.answers[1:]]
        mark = Text(*(("!", "yellow") if step.passed and step.raised else _MARKS[step.passed]))
        table.add_row(str(step.number), mark, safe_text(first, style="dim" if step.passed is None else ""))
        for line in more:
            table.add_row("", "", safe_text(line))
        for line in step.text:
            table.add_row("", "", safe_text(f"  {line}", style="dim"))
    view.print(table)


def _print_changes(view: Console, explanation: Explanation) -> None:
    changes = explanation.changes
    if not changes:
        if explanation.case.decision.effect.runs:
            view.print("no check objected")
        return
    view.print("[bold]what would have allowed it[/]" + (", all of these" if len(changes) > 1 else ""))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 0, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for change in changes:
        line = safe_text(f"{change.code}: ", "bold")
        table.add_row("", line.append_text(safe_text(change.text)))
        for row in change.snippet:
            table.add_row("", safe_text(f"    {row}", "cyan"))
    view.print(table)


def _load_registered(store: StoreContext) -> list[RegisteredResource]:
    try:
        with store.open_log() as (reader, tenant):
            return [RegisteredResource.from_bytes(spec) for _, spec in reader.resources(tenant)]
    except ConfigError as exc:
        if exc.code in NO_LEDGER_CODES:
            return []
        raise


def _load_bundle(folder: Path, registered: list[RegisteredResource]) -> PolicyBundle:
    return PolicyBundle.load([folder], {item.resource.id: dict(infer_arg_types(item.schema)) for item in registered})


@app.command("check")
@store_verb()
def check_policies(folder: FolderArgument = None, *, store: StoreContext) -> int:
    """Validate policies strictly against the registered tools. Exit 1 if there are findings."""
    registered = _load_registered(store)
    chosen = folder or store.home / "policy"
    bundle = _load_bundle(chosen, registered)
    findings = check_bundle(bundle, [item.resource for item in registered])
    if store.json:
        print_json([{"message": f.message, "policy": f.policy, "where": f.where} for f in findings])
        return Exit.FAILED if findings else Exit.OK
    view = console()
    for finding in findings:
        view.print(f"[bold red]{finding.where}[/] ", end="")
        view.print(f"{finding.policy}: {finding.message}".removeprefix(": "), markup=False)
        if finding.hint:
            view.print(f"  {finding.hint}", markup=False)
    if not registered:
        view.print("[yellow]no tools are registered yet[/]: argument names were not checked; run the app once")
    if not findings:
        view.print(f"[green]✓[/] {len(bundle.parse())} policies, {len(registered)} resources: no findings")
    return Exit.FAILED if findings else Exit.OK


@app.command("test")
@store_verb()
def run_cases(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="TOML file with `case` tables, see docs/policy.md.")],
    folder: FolderArgument = None,
    *,
    store: StoreContext,
) -> int:
    """Run policy cases. Exit 1 if a case fails."""
    registered = _load_registered(store)
    bundle = _load_bundle(folder or store.home / "policy", registered)
    try:
        text = cases.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError("no_cases", f"cannot read `{cases}`: {exc.strerror}", field="CASES") from exc
    resources = {item.resource.id: item.resource for item in registered}
    parsed_cases = load_cases(text)
    for case in parsed_cases:
        close = [] if case.resource in resources else get_close_matches(case.resource, resources, 1)
        if close:  # a case of a tool still to come is fine; a misspelt one would pass for the wrong reason
            raise ConfigError(
                "no_such_resource",
                f"{case.name}: resource `{case.resource}` is not registered",
                field="resource",
                remedy=f"did you mean `{close[0]}`",
            )
    results = [run_case(case, bundle, resources) for case in parsed_cases]
    failed = [result for result in results if not result.passed]
    if store.json:
        rows = [{"expected": str(r.expected), "got": str(r.got), "name": r.name, "passed": r.passed} for r in results]
        print_json(rows)
    else:
        view = console()
        for result in results:
            view.print("[green]✓[/] " if result.passed else "[bold red]✗[/] ", end="")
            why = ", ".join(f"{reason.code} ({reason.source})" for reason in result.reasons) or "no rule"
            expected = f"{result.name}: expected {result.expected}, got {result.got} by {why}"
            view.print(result.name if result.passed else expected, markup=False)
        view.print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return Exit.FAILED if failed or not results else Exit.OK


@app.command("starter")
def write_starter(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to create.")],
    *,
    lean: Annotated[
        int | None,
        typer.Option(
            "--lean",
            metavar="RISK",
            help="Rules on targets and severe effects apply from this risk on (1..1000), or if there is no score.",
        ),
    ] = None,
) -> int:
    """Write the starter policy to a new folder."""
    if folder.exists():
        remedy = "choose another folder, or move it away first; existing policies are not overwritten"
        raise ConfigError("folder_exists", f"`{folder}` already exists", field="FOLDER", remedy=remedy)
    try:
        install_starter(folder, risk_threshold=lean)
    except OSError as exc:
        problem, remedy = f"cannot write `{folder}`: {exc.strerror}", "choose a folder in a writable place"
        raise ConfigError("no_folder", problem, field="FOLDER", remedy=remedy) from exc
    console().print(f"written to {folder}", markup=False)
    if lean is not None:
        console(stderr=True).print(
            "[yellow]note[/]: these rules now rely on the score, which detects attacks similar to its training data"
        )
    return Exit.OK
