"""Room: `halo policy explain`, why one decision came out so. Takes: an entry. Gives: each check and what would do.

It reads what the entry recorded and computes the numbers again; whether the verdict itself holds, `halo replay` says.
Never: decides, shows an argument's value, proposes to drop a rule that forbids.

Room: `halo policy check | test | starter`. Takes: Cedar files, cases. Gives: findings, a folder. Never: decides.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from halo_core.cli.context import (
    EFFECT_STYLE,
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.clock import format_iso
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import install_starter
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.model import AccessRequest, Decision, EntryKind, Envelope
from halo_core.oversight.requests import load_links
from halo_core.policy import CedarPolicy, PolicyBundle, infer_arg_types
from halo_core.policy.checks import check_bundle as check_bundle
from halo_core.policy.checks import load_cases, run_case
from halo_core.store.log import LoggedEntry, SealedContents, find_entry, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.explanations import Case, NeededChange, Step, build_steps, find_needed_changes
from halo_core.views.wording import safe_text

__all__ = [
    "app",
    "explain",
]


def explain(
    decision: Annotated[
        str, typer.Argument(metavar="N", help="A decision: its index (#), its id, or the first characters of the id.")
    ],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Explain a decision: each check with its result, and the smallest change that would have allowed the action."""
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        record = find_entry(reader, select_tenant(reader, tenant), decision)
        case = _load_case(reader, folder, record)
    case_steps, changes = build_steps(case), find_needed_changes(case)
    if json:
        print_json(_explanation_to_json(case, case_steps, changes))
        return Exit.OK
    view = console()
    _print_head(view, case)
    _print_steps(view, case_steps)
    _print_changes(view, case, changes)
    return Exit.OK


def _load_case(reader: Reader, home: Path, record: LoggedEntry) -> Case:
    entry = record.entry
    if entry.kind is not EntryKind.DECISION:
        raise ConfigError(
            "not_a_decision",
            f"#{record.index} is not a decision but a {entry.kind.value} entry",
            field="N",
            remedy="see `halo log`",
        )
    snapshot = entry.body["snapshot"]
    sealed = SealedContents.with_home_key(reader, KeyStore(home)).open(entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else None
    bundle = reader.blob(entry.tenant, snapshot["policy"])
    policies = CedarPolicy.from_bytes(bundle).policies if bundle is not None else ()
    return Case(
        index=record.index,
        entry=entry,
        request=AccessRequest.from_plain(entry.body["request"], args or {}),
        decision=Decision.from_plain(entry.body["decision"]),
        chain=load_links(reader, entry.tenant, snapshot["chain"]),
        accounts=tuple(map(Envelope.from_plain, snapshot["envelopes"])),
        policies={policy.id: policy for policy in policies},
        opened=args is not None,
    )


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


_MARKS = {
    True: safe_text("✓", style="green"),
    False: safe_text("✗", style="bold red"),
    None: safe_text("-", style="dim"),
}


def _print_steps(view: Console, case_steps: list[Step]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in case_steps:
        first, *more = [f"{step.title}{': ' if step.answers else ''}{'; '.join(step.answers[:1])}", *step.answers[1:]]
        mark = safe_text("!", style="yellow") if step.passed and step.raised else _MARKS[step.passed]
        table.add_row(str(step.number), mark, safe_text(first, style="dim" if step.passed is None else ""))
        for line in more:
            table.add_row("", "", safe_text(line))
        for line in step.text:
            table.add_row("", "", safe_text(f"  {line}", style="dim"))
    view.print(table)


def _print_changes(view: Console, case: Case, changes: list[NeededChange]) -> None:
    if not changes:
        if case.decision.effect.runs:
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


def _explanation_to_json(case: Case, case_steps: list[Step], changes: list[NeededChange]) -> dict[str, Any]:
    return {
        "changes": [{"code": item.code, "snippet": "\n".join(item.snippet), "text": item.text} for item in changes],
        "effect": case.decision.effect.value,
        "id": case.entry.id,
        "index": case.index,
        "steps": [
            {"answers": list(step.answers), "number": step.number, "passed": step.passed, "title": step.title}
            for step in case_steps
        ],
    }


app = typer.Typer(help="Check, test and explain policies.", no_args_is_help=True)

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Folder of .cedar files (default: policy in the home).")
]


def _load_registered(url: str, tenant: str | None) -> list[RegisteredResource]:
    try:
        with Reader(url) as reader:
            name = select_tenant(reader, tenant)
            return [RegisteredResource.from_bytes(spec) for _, spec in reader.resources(name)]
    except ConfigError as exc:
        if exc.code in ("no_database", "no_store"):
            return []
        raise


def _load_bundle(folder: Path, registered: list[RegisteredResource]) -> PolicyBundle:
    return PolicyBundle.load([folder], {item.resource.id: dict(infer_arg_types(item.schema)) for item in registered})


@app.command("check")
def check_policies(
    folder: FolderArgument = None,
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Validate policies strictly against the registered tools. Exit 1 if there are findings."""
    place, url = resolve_store(home, db)
    registered = _load_registered(url, tenant)
    chosen = folder or place / "policy"
    bundle = _load_bundle(chosen, registered)
    findings = check_bundle(bundle, [item.resource for item in registered])
    if json:
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
def run_cases(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="TOML file with `case` tables, see docs/policy.md.")],
    folder: FolderArgument = None,
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Run policy cases. Exit 1 if a case fails."""
    place, url = resolve_store(home, db)
    registered = _load_registered(url, tenant)
    bundle = _load_bundle(folder or place / "policy", registered)
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
    if json:
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
