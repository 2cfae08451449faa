"""`halo identity`: what is ordinary for people and service accounts, and the risk of their events.

No event is kept but those that `--alert` seals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from halo_core.alerts.identity import BATCH, FlagResult, exclude_days, find_attack_days, load_known_alerts, write_alerts
from halo_core.baselines import (
    IDENTITIES,
    find_identities_hash,
    load_identities,
    put_identities_in_force,
    take_out_of_force,
)
from halo_core.cli.context import StoreContext, open_committer, store_verb
from halo_core.cli.rendering import RISK_BANDS, Exit, build_table, console, print_json, print_note, safe_text
from halo_core.clock import format_iso
from halo_core.crypto.keys import Digester
from halo_core.errors import CannotDecide, ConfigError
from halo_core.identities.day_alerts import HighRiskDay, IdentityFingerprints
from halo_core.identities.event_reader import FORMATS
from halo_core.identities.event_risk import MIN_IDENTITY_DAYS_FOR_HIGH, fit_identity_baseline
from halo_core.store import Transaction
from halo_core.store.reader import Reader, Stream
from halo_core.views.identities import (
    IdentityBaselineView,
    IdentityRiskReport,
    ImportedEvents,
    read_event_files,
    score_events,
)
from halo_core.views.risk import draw_sparkline
from halo_core.views.wording import format_count

_MAX_ROWS: Final = 40
app = typer.Typer(help="Baselines and risk scores of people and service accounts, from imported events.")
_PAUSE_S: Final = 0.05
"""Between transactions: whoever waits for the write lock, an agent's decision above all, gets it."""
_MAX_TRIES: Final = 10
_FILES_HELP: Final = "CSV with a header, or OCSF as JSON, one event per line."

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help=_FILES_HELP, exists=True, dir_okay=False, readable=True)
]
FormatOption = Annotated[
    str, typer.Option("--format", help=f"{' or '.join(FORMATS)} (default: by the file's name).", show_default=False)
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Map a field to the CSV's column of another name."),
]


@app.command("import")
@store_verb(by=True)
def import_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    add: Annotated[bool, typer.Option("--add", help="Extend the baseline in force; all events must be later.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fit and show the baseline without putting it in force.")
    ] = False,
    store: StoreContext,
) -> int:
    """Fit a baseline for each identity from its events, and put it in force for the tenant."""
    name = store.resolve_tenant()
    imported = read_event_files(files, form, mapping)
    fingerprints = _load_fingerprints(store, name)
    with Reader(store.url) as reader:
        previous_book = load_identities(reader, name) if add else None
        events, left_out = exclude_days(imported.events, find_attack_days(reader, name, fingerprints), fingerprints)
        imported = replace(imported, events=events, left_out=left_out)
        before = any(row[:2] == (name, IDENTITIES) and row[2] for row in reader.rows(Stream.BASELINES))
    if add and previous_book is None:
        raise _build_no_baseline_error("add")
    book = fit_identity_baseline(imported.events, store.keys.secret("sketch"), previous_book)
    if not dry_run:
        store.commit(lambda tx: put_identities_in_force(tx, book, store.actor, imported.sources, left_out))
    _print_baseline(IdentityBaselineView(book, imported, in_force=not dry_run), json=store.json)
    if before and not add and not dry_run:
        print_note("it replaces the previous baseline; use `--add` to extend a baseline")
    return Exit.OK


@app.command("score")
@store_verb()
def score_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Write an alert for each identity and day with a risk above `high`.")
    ] = False,
    store: StoreContext,
) -> int:
    """Score events (0..1000) against the baseline in force, and show the risk of each identity with its causes."""
    name = store.resolve_tenant()
    with Reader(store.url) as reader:
        book, baseline = load_identities(reader, name), find_identities_hash(reader, name)
    if book is None:
        raise _build_no_baseline_error("baseline")
    imported = read_event_files(files, form, mapping)
    report = score_events(book, imported, store.keys.secret("sketch"))
    written = _write_alerts(store, name, report.days, baseline) if alert else None
    if store.json:
        print_json(report.to_json() | ({} if written is None else {"alerts": written.to_plain()}))
        return Exit.OK
    _print_scores(report)
    if written is not None:
        _print_written_alerts(written)
    if report.early:
        print_note(f"{report.early} events are not later than the baseline: their scores are not reliable")
    _note_skipped(report.skipped)
    return Exit.OK


@app.command("show")
@store_verb()
def show_identity_baseline(*, store: StoreContext) -> int:
    """Show the baseline in force. It contains keyed fingerprints and no names."""
    with Reader(store.url) as reader:
        book = load_identities(reader, store.resolve_tenant())
    if book is None:
        raise _build_no_baseline_error("baseline")
    _print_baseline(IdentityBaselineView(book, ImportedEvents(), in_force=True), json=store.json)
    return Exit.OK


@app.command("drop")
@store_verb(json=False, by=True)
def drop_identity_baseline(*, store: StoreContext) -> int:
    """Remove the baseline of people and service accounts."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, IDENTITIES, store.actor))
    console().print("no baseline of identities is in force" + ("" if dropped else ", nor was one before"))
    return Exit.OK if dropped else Exit.FAILED


def _load_fingerprints(store: StoreContext, tenant: str) -> IdentityFingerprints:
    return IdentityFingerprints(Digester(store.keys.secret("digest")), tenant)


def _write_alerts(store: StoreContext, tenant: str, days: Sequence[HighRiskDay], baseline: str) -> FlagResult:
    """Alerts for these days, a few in each transaction."""
    flagged = FlagResult()
    if not days:
        return flagged
    with Reader(store.url) as reader:
        before = load_known_alerts(reader, tenant)
    fingerprints = _load_fingerprints(store, tenant)
    with open_committer(store.url, store.home, tenant) as run:
        for start in range(0, len(days), BATCH):
            if start:
                time.sleep(_PAUSE_S)
            some = days[start : start + BATCH]
            job = partial(write_alerts, days=some, prints=fingerprints, baseline=baseline, before=before)
            new, read = _run_with_retries(run, job)
            flagged += new
            before.merge(read)
    return flagged


def _run_with_retries(run: Callable[[Any], Any], job: Callable[[Transaction], Any]) -> Any:
    """Run a job, also where somebody else has the ledger for longer than a decision would wait."""
    for retries_left in reversed(range(_MAX_TRIES)):
        try:
            return run(job)
        except CannotDecide as exc:
            if exc.code != "ledger_busy" or not retries_left:
                raise
        time.sleep(_PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _build_no_baseline_error(name: str) -> ConfigError:
    remedy = "run `halo identity import FILE`"
    return ConfigError("no_baseline", "no baseline of identities is in force", field=name, remedy=remedy)


def _print_baseline(view: IdentityBaselineView, *, json: bool) -> None:
    if json:
        print_json(view.to_json())
        return
    out, book, limits, left_out = console(), view.baseline, view.baseline.limits, view.imported.left_out
    established = book.count_established()
    out.print(f"people and service accounts: {'in force' if view.in_force else 'not put in force'}")
    out.print(f"  identities     {len(book.habits)}, {established} of them with at least five days of their own")
    out.print(f"  events         {book.event_count}, the newest of {format_iso(book.last_us)}")
    out.print(f"  a risk above {limits.elevated} of 1000 is elevated, above {limits.high} it is high")
    if 0 < limits.days < MIN_IDENTITY_DAYS_FOR_HIGH:
        text = "identity-days are too few to compute the limit for high; a preset is used"
        out.print(f"[yellow]note[/]: {limits.days} {text}")
    if not limits.days:
        out.print("[yellow]note[/]: the history is too short to compute limits; presets are used")
    if left_out:
        out.print(f"  left out       {format_count(left_out, 'event')} of days that were judged an attack")
    _note_skipped(view.imported.count_skipped())


def _note_skipped(skipped: Mapping[str, int]) -> None:
    if skipped:
        classes = ", ".join(f"{number} of class {name}" for name, number in skipped.items())
        print_note(f"left out because they are not about identities: {classes}")


def _print_written_alerts(written: FlagResult) -> None:
    were = "was" if written.known == 1 else "were"
    duplicates = f", {written.known} {were} already there" if written.known else ""
    console().print(f"{format_count(written.written, 'alert')} written{duplicates}; see `halo alerts`")
    if written.risen:
        print_note(f"{written.risen} of them for days that already had an alert with a lower risk")
    if written.erased:
        print_note(f"{written.erased} of them without a name: the data of that identity were erased")
    if written.forged:
        text = f"{written.forged} of them were already in the store without a valid signature: run `halo verify`"
        console(stderr=True).print(f"[bold red]warning[/]: {text}")


def _print_scores(report: IdentityRiskReport) -> None:
    """Who is at which risk, then the events above the limits with what moved each."""
    view = console()
    titles = ("identity", "kind", "events", "risk", "highest", "elevated", "high", "the last events")
    table = build_table(titles, right=titles[2:-1], gap=2)
    for identity in report.identities[:_MAX_ROWS]:
        little = identity.unknown == identity.events
        risks = ("-", "-") if little else (str(identity.running), str(identity.highest))
        last = "too little known" if little else draw_sparkline(identity.history)
        counts = (str(identity.bands[1]), str(identity.bands[2]), last)
        table.add_row(safe_text(identity.identity), identity.kind, str(identity.events), *risks, *counts)
    view.print(table)
    _print_omitted(len(report.identities), "identities")
    for item in sorted(report.flagged, key=lambda item: (-(item.event_risk or 0), item.event))[:_MAX_ROWS]:
        event = item.event
        view.print(f"{format_iso(event.ts_us)} {RISK_BANDS[item.band]} {item.event_risk} ", end="")
        view.print(f"{event.identity}: {event.action}" + (f" on {event.system}" if event.system else ""), markup=False)
        for factor in item.factors:
            view.print(f"    {factor.words}", markup=False)
    _print_omitted(len(report.flagged), "events above the limits")


def _print_omitted(number: int, noun: str) -> None:
    if number > _MAX_ROWS:
        console().print(f"... {number - _MAX_ROWS} more {noun}; use `--json` to see all")
