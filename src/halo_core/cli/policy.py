"""Room: `halo policy check | test | starter`. Takes: Cedar files, cases. Gives: findings, a folder. Never: decides."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.errors import ConfigError
from halo_core.policy import PolicyBundle, arg_types
from halo_core.policy.cases import load_cases, run_case
from halo_core.policy.check import check as check_bundle
from halo_core.query import one_tenant
from halo_core.registry import Registered
from halo_core.standing import install_starter
from halo_core.store.reader import Reader

__all__ = ["app"]

app = typer.Typer(help="Check and test policies before they decide anything.", no_args_is_help=True)

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Folder of .cedar files (default: policy in the home).")
]


def _registered(url: str, tenant: str | None) -> list[Registered]:
    try:
        with Reader(url) as reader:
            name = one_tenant(reader, tenant)
            return [Registered.from_bytes(spec) for _, spec in reader.resources(name)]
    except ConfigError as exc:
        if exc.code in ("no_database", "no_store"):
            return []
        raise


def _load(folder: Path, registered: list[Registered]) -> PolicyBundle:
    return PolicyBundle.load([folder], {item.resource.id: dict(arg_types(item.schema)) for item in registered})


@app.command("check")
def check(
    folder: FolderArgument = None,
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Validate policies strictly against the tools that are registered. Exit 1 on any finding."""
    place, url = where(home, db)
    registered = _registered(url, tenant)
    chosen = folder or place / "policy"
    bundle = _load(chosen, registered)
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
        view.print("[yellow]no tools are registered yet[/]: argument names could not be checked; run the app once")
    if not findings:
        view.print(f"[green]✓[/] {len(bundle.policies())} policies, {len(registered)} resources: no findings")
    return Exit.FAILED if findings else Exit.OK


@app.command("test")
def run_cases(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="TOML file of `case` tables, see docs/policy.md.")],
    folder: FolderArgument = None,
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Run policy cases. Exit 1 when one does not come out as it says."""
    place, url = where(home, db)
    registered = _registered(url, tenant)
    bundle = _load(folder or place / "policy", registered)
    try:
        text = cases.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError("no_cases", f"cannot read `{cases}`: {exc.strerror}", field="CASES") from exc
    known = {item.resource.id: item.resource for item in registered}
    listed = load_cases(text)
    for case in listed:
        close = [] if case.resource in known else get_close_matches(case.resource, known, 1)
        if close:  # a case of a tool still to come is fine; a misspelt one would pass for the wrong reason
            raise ConfigError(
                "no_such_resource",
                f"{case.name}: no resource `{case.resource}` is registered",
                field="resource",
                remedy=f"did you mean `{close[0]}`",
            )
    results = [run_case(case, bundle, known) for case in listed]
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
def starter(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write it: a folder that is not there yet.")
    ],
    *,
    lean: Annotated[
        int | None,
        typer.Option(
            "--lean",
            metavar="RISK",
            help="Rules on targets and grave effects speak from this risk on (1..1000), or where there is no score.",
        ),
    ] = None,
) -> int:
    """Write the starter policy into a folder."""
    if folder.exists():
        remedy = "name another, or move it away first; policies of yours are never written over"
        raise ConfigError("folder_exists", f"`{folder}` is there already", field="FOLDER", remedy=remedy)
    try:
        install_starter(folder, lean=lean)
    except OSError as exc:
        what, remedy = f"cannot write `{folder}`: {exc.strerror}", "name a folder in a place that you can write to"
        raise ConfigError("no_folder", what, field="FOLDER", remedy=remedy) from exc
    console().print(f"written to {folder}", markup=False)
    if lean is not None:
        console(stderr=True).print(
            "[yellow]note[/]: these rules now trust the score; it knows attacks that are like those it was trained on"
        )
    return Exit.OK
