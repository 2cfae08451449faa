"""`halo show`, `halo log`, `halo verify`, `halo replay`: what the ledger holds, and whether it is whole.

Content is masked; `--reveal` shows it, to whoever holds the content key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from halo_core.cli.context import StoreContext, show_progress, store_verb
from halo_core.cli.rendering import EFFECT_STYLE, Exit, build_field_table, console, print_json, safe_text
from halo_core.clock import format_iso
from halo_core.errors import ConfigError
from halo_core.ledger import LIMITS, Report
from halo_core.model import EntryKind
from halo_core.replay import Replayer, ReplayResult, ReplayStatus
from halo_core.store.reader import LoggedEntry, Reader, read_entries, summarize
from halo_core.verification import verify_store
from halo_core.views.entries import find_decision, format_ran, load_entry
from halo_core.views.wording import format_count

_TITLES: Final = ("action", "resource", "effect", "ran", "why")


@store_verb()
def show(
    id: Annotated[str, typer.Argument(help="An entry: its index (#), its id, or the first characters of the id.")],  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show content unmasked.")] = False,
    store: StoreContext,
) -> int:
    """Show one entry in full: who did what, why it was decided so, and the outcome."""
    with store.open_log() as (reader, tenant):
        parts = load_entry(reader, store.open_contents(reader), tenant, id, reveal=reveal)
    if store.json:
        print_json([part.to_json() for part in parts])
        return Exit.OK
    view = console()
    for part in parts:
        entry = part.record.entry
        view.print(f"[bold]{'sighting' if entry.kind is EntryKind.SHADOW else entry.kind.value}[/] {entry.id}")
        view.print(build_field_table((name, _style_value(name, value)) for name, value in part.describe()))
        view.print()
    return Exit.OK


def _style_value(name: str, value: str) -> str:
    style = EFFECT_STYLE.get(value, "") if name == "effect" else ""
    return f"[{style}]{value}[/]" if style else escape(value)


def _build_shadow_row(record: LoggedEntry) -> list[str | Text]:
    """The line of something that nobody decided."""
    body = record.entry.body
    subject_cells = [safe_text(str(body.get(name, ""))) for name in ("kind", "name")]
    why = safe_text(": ".join(filter(None, ("unguarded", str(body.get("where", ""))))))
    return [
        str(record.index),
        format_iso(record.entry.ts_us),
        "-",
        *subject_cells,
        Text("none", "bold red"),
        format_ran(record.entry),
        why,
    ]


@store_verb()
def log(
    *,
    session: Annotated[str, typer.Option("--session", help="Only this session.")] = "",
    last: Annotated[int, typer.Option("--last", help="Only the newest N entries.")] = 50,
    store: StoreContext,
) -> int:
    """List decisions, and actions that ran without a decision, in log order."""
    with store.open_log() as (reader, name):
        records = list(read_entries(reader, name, (EntryKind.DECISION, EntryKind.SHADOW), session))[-last:]
    if store.json:
        print_json([{"index": item.index, **item.entry.to_plain()} for item in records])
        return Exit.OK
    console().print(_build_table(records))
    return Exit.OK


def _build_table(records: Sequence[LoggedEntry]) -> Table:
    """One line each; who acted is said where more than one did."""
    several = len({_find_agent(item) for item in records} - {"-"}) > 1
    table = Table(box=None, pad_edge=False)
    for title in ("#", "time", "session", *(("agent",) if several else ()), *_TITLES):
        table.add_column(title, no_wrap=title not in ("why", "resource", "session"), overflow="fold")
    for item in records:
        cells: list[str | Text] = list(
            _build_shadow_row(item) if item.entry.kind is EntryKind.SHADOW else _build_decision_row(item)
        )
        if several:
            cells.insert(3, escape(_find_agent(item)))
        table.add_row(*cells)
    return table


def _find_agent(item: LoggedEntry) -> str:
    return "-" if item.entry.kind is EntryKind.SHADOW else str(item.entry.body["request"]["subject"]["agent"])


def _build_decision_row(item: LoggedEntry) -> tuple[str, ...]:
    body = item.entry.body
    effect = body["decision"]["effect"]
    return (
        str(item.index),
        format_iso(item.entry.ts_us),
        escape(item.entry.session),
        body["request"]["kind"],
        escape(body["request"]["resource"]["id"]),
        f"[{EFFECT_STYLE[effect]}]{effect}[/]",
        "yes" if body["dispatched"] else "no",
        ", ".join(dict.fromkeys(reason["code"] for reason in body["decision"]["reasons"])),
    )


_MAX_FINDINGS: Final = 20
_MAX_DIFFERENCES: Final = 20
_VERDICT: Final = {
    Exit.OK: "[bold green]whole[/]: nothing was changed, removed or added",
    Exit.CANNOT_TELL: "[bold yellow]cannot tell[/]",
    Exit.TAMPERED: "[bold red]TAMPERED[/]: data was changed after it was written",
    Exit.GAP: "[bold red]GAP[/]: data that was written is missing",
}


@store_verb(tenant=False)
def verify(
    *,
    signatures: Annotated[bool, typer.Option("--signatures", help="Also check every writer signature.")] = False,
    store: StoreContext,
) -> int:
    """Verify the ledger: hashes, chains, tree, checkpoints, anchor, content.

    Exit 0: whole. 11: something was changed. 13: something is missing. 2: cannot tell.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with show_progress(*columns) as bar:
        task = bar.add_task("verifying")
        report = verify_store(
            store.url,
            store.home,
            signatures=signatures,
            progress=lambda name, rows: bar.update(task, description=f"verifying {name}: {rows:,} rows"),
        )
    if store.json:
        heads = {name: {"covered": h.covered, "root": h.root.hex(), "size": h.size} for name, h in report.heads.items()}
        print_json(asdict(report) | {"heads": heads, "exit_code": report.exit_code})
    else:
        _print_report(report)
    return report.exit_code


def _print_report(report: Report) -> None:
    view = console()
    for check in report.checks:
        mark = "[bold red]✗[/]" if check.failed else "[green]✓[/]" if check.passed else "[dim]-[/]"
        skipped = f", {check.skipped:,} not checked" if check.skipped else ""
        failed = f", [bold red]{check.failed:,} wrong[/]" if check.failed else ""
        view.print(f"{mark} ({check.number}) {check.title}  [dim]{check.passed:,} right{skipped}[/]{failed}")
    for finding in report.findings[:_MAX_FINDINGS]:
        view.print(f"[bold red]{finding.kind}[/] ", end="")
        view.print(f"{finding.where}: {finding.what} ({finding.code}) {finding.entry}", markup=False)
    if report.total > _MAX_FINDINGS:
        view.print(f"… and {report.total - _MAX_FINDINGS} more findings")
    for line in (*report.warnings[:_MAX_FINDINGS], *report.undetermined):
        view.print(f"note: {line}", markup=False)
    for tenant, head in report.heads.items():
        view.print(
            f"{tenant}: {head.size:,} entries, {head.covered:,} under a checkpoint, root {head.root.hex()[:16]}…"
        )
    view.print(_VERDICT[Exit(report.exit_code)])
    for limit in LIMITS:
        view.print(f"[dim]not detected: {limit}[/]")


@store_verb()
def replay(
    *,
    id: Annotated[  # noqa: A002  the word users expect
        str, typer.Argument(help="A decision: its index (#), its id, or the first characters of the id.")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Replay all decisions.")] = False,
    store: StoreContext,
) -> int:
    """Recompute recorded decisions and compare the bytes.

    Exit 0: identical. 12: a decision differs (the first such field is shown). 2: cannot tell (erased or unreadable).
    """
    if bool(id) == all_:
        remedy = "run `halo replay ID` or `halo replay --all`"
        raise ConfigError("usage", "give one decision, or `--all`", field="id", remedy=remedy)
    with store.open_log() as (reader, name):
        replayer = Replayer(reader, store.open_contents(reader), name)
        if id:
            results = [replayer.replay(find_decision(reader, name, id, "id"))]
        else:
            results = _replay_all(reader, replayer, name)
    counts = Counter(item.status for item in results)
    odd = [item for item in results if item.status is not ReplayStatus.IDENTICAL]
    if store.json:
        rows = [
            {"id": item.id, "status": item.status.value, "where": item.where}
            | {"computed": repr(item.computed), "recorded": repr(item.recorded)}
            for item in odd[:1000]
        ]
        print_json({"counts": {status.value: n for status, n in counts.items()}, "odd": rows})
    else:
        _print_replay(len(results), counts, odd)
    if counts[ReplayStatus.DIFFERS]:
        return Exit.REPLAY_DIFFERS
    return Exit.CANNOT_TELL if odd or not results else Exit.OK


def _replay_all(reader: Reader, replayer: Replayer, tenant: str) -> list[ReplayResult]:
    total = sum(summarize(reader, tenant).decisions.values())
    with show_progress(TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        return list(bar.track(replayer.replay_all(), total=total))


def _print_replay(total: int, counts: Counter[ReplayStatus], odd: list[ReplayResult]) -> None:
    view = console()
    same = counts[ReplayStatus.IDENTICAL]
    share = f"{100 * same / total:.2f}%" if total else "nothing to replay"
    view.print(f"replayed {format_count(total, 'decision')}: [bold]{same:,} identical[/] ({share})")
    for item in odd[:_MAX_DIFFERENCES]:
        view.print(f"  {item.id} [bold red]{item.status.value}[/] ", end="")
        why = str(item.computed or "its content was erased")
        if item.status is ReplayStatus.DIFFERS:
            why = f"{item.where} recorded {item.recorded!r}, now {item.computed!r}"
        view.print(why, markup=False)
