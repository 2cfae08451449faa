"""Room: `halo verify`. Takes: a store and the keys beside it. Gives: the numbered checks. Never: writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, console, print_json, where
from halo_core.ledger import LIMITS, Report
from halo_core.verification import verify_store

__all__ = ["verify"]

_SHOWN: Final = 20
_VERDICT: Final = {
    Exit.OK: "[bold green]whole[/]: nothing was changed, removed or added",
    Exit.CANNOT_TELL: "[bold yellow]cannot tell[/]",
    Exit.TAMPERED: "[bold red]TAMPERED[/]: what is there was changed after it was written",
    Exit.GAP: "[bold red]GAP[/]: something that was written is missing",
}


def verify(
    *,
    db: DbOption = "",
    home: HomeOption = None,
    signatures: Annotated[bool, typer.Option("--signatures", help="Check every writer signature as well.")] = False,
    json: JsonOption = False,
) -> int:
    """Check that the ledger is whole: hashes, chains, tree, checkpoints, anchor, content.

    Exit 0 whole, 11 something was changed, 13 something is missing, 2 cannot tell.
    """
    folder, url = where(home, db)
    out = console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as bar:
        task = bar.add_task("verifying")
        report = verify_store(
            url,
            folder,
            signatures=signatures,
            progress=lambda name, rows: bar.update(task, description=f"verifying {name}: {rows:,} rows"),
        )
    if json:
        print_json(_plain(report))
    else:
        _print(report)
    return report.exit_code


def _print(report: Report) -> None:
    view = console()
    for check in report.checks:
        mark = "[bold red]✗[/]" if check.failed else "[green]✓[/]" if check.passed else "[dim]-[/]"
        skipped = f", {check.skipped:,} not checked" if check.skipped else ""
        failed = f", [bold red]{check.failed:,} wrong[/]" if check.failed else ""
        view.print(f"{mark} ({check.number}) {check.title}  [dim]{check.passed:,} right{skipped}[/]{failed}")
    for finding in report.findings[:_SHOWN]:
        view.print(f"[bold red]{finding.kind}[/] ", end="")
        view.print(f"{finding.where}: {finding.what} ({finding.code}) {finding.entry}", markup=False)
    if report.total > _SHOWN:
        view.print(f"… and {report.total - _SHOWN} more findings")
    for line in (*report.warnings[:_SHOWN], *report.undetermined):
        view.print(f"note: {line}", markup=False)
    for tenant, head in report.heads.items():
        view.print(
            f"{tenant}: {head.size:,} entries, {head.covered:,} under a checkpoint, root {head.root.hex()[:16]}…"
        )
    view.print(_VERDICT[Exit(report.exit_code)])
    for limit in LIMITS:
        view.print(f"[dim]not seen by this: {limit}[/]")


def _plain(report: Report) -> dict[str, Any]:
    plain = asdict(report)
    plain["heads"] = {t: {"covered": h.covered, "root": h.root.hex(), "size": h.size} for t, h in report.heads.items()}
    plain["exit_code"] = report.exit_code
    return plain
