"""`halo identity`: what is ordinary for people and service accounts, the risk of their events, and following them.

Imported and scored events are not stored, except those that `--alert` seals into alerts. Followed events change the
risk of their identity.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Self

import typer
from typer import Argument, Option

from halo_core.alerts.identity_days import (
    BATCH,
    FlagResult,
    exclude_days,
    find_attack_days,
    load_known_alerts,
    write_alerts,
)
from halo_core.baselines import (
    find_baseline_hash,
    load_identities,
    put_identities_in_force,
    take_out_of_force,
)
from halo_core.cli.context import StoreContext, WhyOption, store_verb
from halo_core.cli.rendering import (
    RISK_BANDS,
    Exit,
    build_table,
    console,
    print_note,
    safe_text,
    say,
    say_plainly,
)
from halo_core.clock import format_iso
from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Digester
from halo_core.errors import CannotDecide, ConfigError
from halo_core.identities.baseline import IDENTITIES, IdentityBaseline
from halo_core.identities.day_alerts import HighRiskDay, IdentityFingerprints
from halo_core.identities.event_file import FORMATS
from halo_core.identities.event_risk import MIN_IDENTITY_DAYS_FOR_HIGH, fit_identity_baseline
from halo_core.identity_feed import (
    FeedReport,
    FileSource,
    IdentityFeed,
    ParsedLines,
    PipeSource,
    RaisedRisk,
    SourcePlace,
    clear_identity,
)
from halo_core.identity_feed.feed import BATCH as FEED_BATCH
from halo_core.identity_feed.sources import LineSource
from halo_core.references import is_reference
from halo_core.store.reader import Reader
from halo_core.store.transaction import Transaction
from halo_core.views.alerts import (
    IdentityBaselineView,
    IdentityRiskReport,
    ImportedEvents,
    read_event_files,
    score_events,
)
from halo_core.views.risk import draw_sparkline
from halo_core.views.wording import format_count

_MAX_ROWS: Final = 40
app = typer.Typer(help="Baselines and risk of people and service accounts, from imported or followed events.")
_PAUSE_S: Final = 0.05
"""Pause between transactions, seconds, in which others get the write lock, above all agents' decisions."""
_MAX_TRIES: Final = 10
_FILES_HELP: Final = "CSV with a header, or OCSF as JSON, one event per line."

DryRunOption = Annotated[bool, Option("--dry-run", help="Fit and show the baseline without putting it in force.")]
FilesArgument = Annotated[
    list[Path], Argument(metavar="FILE...", help=_FILES_HELP, exists=True, dir_okay=False, readable=True)
]
FormatOption = Annotated[
    str, Option("--format", help=f"{' or '.join(FORMATS)} (default: by the file's name).", show_default=False)
]
MapOption = Annotated[
    list[str] | None,
    Option("--map", metavar="FIELD=COLUMN", help="Map a field to the CSV's column of another name."),
]


@store_verb(app, "import", by=True)
def import_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    add: Annotated[bool, Option("--add", help="Extend the baseline in force; all events must be later.")] = False,
    dry_run: DryRunOption = False,
    store: StoreContext,
) -> None:
    """Fit a baseline for each identity from its events, and put it in force for the tenant."""
    name = store.resolve_tenant()
    imported = read_event_files(files, form, mapping)
    fingerprints = _load_fingerprints(store, name)
    with store.open_reader() as reader:
        previous_book = _load_book(reader, name, "add") if add else None
        events, left_out = exclude_days(imported.events, find_attack_days(reader, name, fingerprints), fingerprints)
        imported = replace(imported, events=events, left_out=left_out)
        before = IDENTITIES in reader.baselines(name)
    book = fit_identity_baseline(imported.events, store.keys.secret("sketch"), previous_book)
    if not dry_run:
        store.commit(lambda tx: put_identities_in_force(tx, book, store.actor, imported.sources, left_out))
    _print_identity_baseline(store, IdentityBaselineView(book, imported, in_force=not dry_run))
    if before and not add and not dry_run:
        print_note("it replaces the previous baseline; use `--add` to extend a baseline")


@store_verb(app, "score")
def score_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    alert: Annotated[
        bool, Option("--alert", help="Write an alert for each identity and day with a risk above `high`.")
    ] = False,
    store: StoreContext,
) -> None:
    """Score events (0..1000) against the baseline in force, and show the risk of each identity with its causes."""
    name = store.resolve_tenant()
    with store.open_reader() as reader:
        book, baseline = _load_book(reader, name), find_baseline_hash(reader, name)
    imported = read_event_files(files, form, mapping)
    report = score_events(book, imported, store.keys.secret("sketch"))
    written = _write_alerts(store, name, report.days, baseline) if alert else None
    if store.print_json(report.to_json() | ({} if written is None else {"alerts": written})):
        return
    _print_scores(report)
    if written is not None:
        _print_written_alerts(written)
    if report.early:
        print_note(f"{report.early} events are not later than the baseline: their scores are not reliable")
    _note_skipped(report.skipped)


@store_verb(app, "show")
def show_identity_baseline(*, store: StoreContext) -> None:
    """Show the baseline in force. It contains keyed fingerprints and no names."""
    name = store.resolve_tenant()
    with store.open_reader() as reader:
        book = _load_book(reader, name)
    _print_identity_baseline(store, IdentityBaselineView(book, ImportedEvents(), in_force=True))


@store_verb(app, "drop", json=False, by=True)
def drop_identity_baseline(*, store: StoreContext) -> int:
    """Remove the baseline of people and service accounts."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, IDENTITIES, store.actor))
    say("no baseline of identities is in force" + ("" if dropped else ", nor was one before"))
    return Exit.OK if dropped else Exit.FAILED


_FOLLOW_PAUSE_S: Final = 1.0
"""Pause between two reads of a source, seconds, so that a stream of events hardly delays agents' decisions."""
_MAX_BAD_KEPT: Final = 1000
_STDIN: Final = "-"


@store_verb(app, "follow", by=True)
def follow_identity_events(
    file: Annotated[
        str, Argument(metavar="[FILE]", help="A file that grows, or `-` for lines from a pipe: one JSON object a line.")
    ] = _STDIN,
    *,
    from_start: Annotated[
        bool, Option("--from-start", help="Read a file that was never followed from its first line.")
    ] = False,
    once: Annotated[
        bool, Option("--once", help="Take what is there, from the first line that was not read yet, and end.")
    ] = False,
    name: Annotated[str, Option("--name", help="Name under which a pipe is known again.")] = "stdin",
    store: StoreContext,
) -> int:
    """Take events as they happen, and move the risk of each person and service account with them.

    A later run goes on where the last one ended, also after the file was rotated. A line that is no event is reported
    and left out.
    """
    tenant = store.resolve_tenant()
    with store.open_store(tenant) as opened:
        source_name = f"pipe:{name}" if file == _STDIN else f"file:{Path(file).absolute()}"
        feed = IdentityFeed(opened.commit, store.keys, tenant, opened.clock, source_name)
        source: LineSource
        if file == _STDIN:
            source = PipeSource(sys.stdin.buffer, feed.make_digest)
        else:
            source = FileSource(Path(file).absolute(), feed.make_digest, takes_unfinished=once)
        with closing(source), _EndOnSignal() as end:
            report = _follow(feed, source, source_name, once=once, from_start=from_start or once, end=end)
    if not store.print_json(report.to_json()):
        _print_feed(report)
    return Exit.FAILED if report.bad else Exit.OK


def _follow(
    feed: IdentityFeed, source: LineSource, name: str, *, once: bool, from_start: bool, end: _EndOnSignal
) -> FeedReport:
    """Read a source until it ends or the run is interrupted; returns what was taken in total."""
    place = feed.read_place(name)
    source.resume(SourcePlace.from_plain(place) if place else None, from_start=from_start)
    if not place:  # record where the first run begins, so that the next one continues there even if nothing was read
        place = source.place.to_plain()
        feed.take((), (name, {}, place))
    for note in source.notes:
        print_note(note)
    total = FeedReport()
    while not end.is_due:
        lines = source.read(FEED_BATCH)
        if not lines:
            if once or source.is_ended:
                break
            source.wait(_FOLLOW_PAUSE_S)
            continue
        parsed = ParsedLines()
        for number, line in lines:
            parsed.add_line(number, line)
        after = source.place.to_plain()
        report = feed.take([event for _, event in parsed.events], (name, place, after))
        place = after
        for bad in parsed.bad:
            print_note(f"left out: {bad.describe()}")
        for raised in report.raised:
            _print_raised(raised)
        report.bad, report.skipped = parsed.bad[: _MAX_BAD_KEPT - len(total.bad)], parsed.skipped
        total += report
        if len(lines) < FEED_BATCH and not once:
            source.wait(_FOLLOW_PAUSE_S)
    return total


class _EndOnSignal:
    """Notes SIGINT and SIGTERM, so that a run ends between two transactions."""

    def __init__(self) -> None:
        self.is_due = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_signal: object) -> None:
        self.is_due = True


def _print_raised(raised: RaisedRisk) -> None:
    words = "; ".join(raised.words)
    text = raised.name + (f": {words}" if words else "")
    console(stderr=True).print(f"{RISK_BANDS[raised.band]} {raised.risk} ", safe_text(text), sep="")


def _print_feed(report: FeedReport) -> None:
    counts = [format_count(report.taken, "event"), f"{len(report.raised)} changes of a band"]
    counts += [f"{format_count(report.alerts, 'alert')} written"] if report.alerts else []
    say_plainly(f"taken: {', '.join(counts)}")
    if report.suspended:
        text = f"agents stop acting for {report.suspended} of them; see `halo risk`, `halo lift --user NAME`"
        print_note(f"notice given: {text}")
    if report.bad:
        print_note(f"{format_count(len(report.bad), 'line')} left out; correct the source")
    if report.ahead:
        print_note(f"{format_count(report.ahead, 'event')} from the future counted as of now: check the source's clock")
    if report.late:
        print_note(f"{format_count(report.late, 'event')} of days that were over: they count, and teach nothing")
    _note_skipped({str(number): count for number, count in sorted(report.skipped.items())})


@store_verb(app, "clear", by=True)
def clear_identity_risk(
    name: Annotated[str, Argument(metavar="NAME", help="The person or service account, as its source names it.")],
    *,
    attack: Annotated[
        bool, Option("--attack", help="Somebody else used the account: its unusual days never become usual.")
    ] = False,
    why: WhyOption = "",
    store: StoreContext,
) -> int:
    """Take back the risk of a person or service account, after somebody has asked them.

    Without `--attack` the unusual days count as ordinary work from now on.
    """
    digester, reason = Digester(store.keys.secret("digest")), mask_reason(why)

    def job(tx: Transaction) -> bool:
        is_named = not is_reference(name)
        subject = tx.references.of_person(name) if is_named else name
        return clear_identity(
            tx, digester, subject, by=store.actor, why=reason, is_ordinary=not attack, name=name if is_named else ""
        )

    cleared = store.commit(job)
    if not store.print_json({"cleared": cleared, "name": name}):
        message = f"the risk of {name} was taken back" if cleared else f"nothing is known of `{name}`; see `halo risk`"
        say_plainly(message)
    return Exit.OK if cleared else Exit.FAILED


def _load_fingerprints(store: StoreContext, tenant: str) -> IdentityFingerprints:
    return IdentityFingerprints(Digester(store.keys.secret("digest")), tenant)


def _write_alerts(store: StoreContext, tenant: str, days: Sequence[HighRiskDay], baseline: str) -> FlagResult:
    """Write alerts for days at high risk, `BATCH` in each transaction."""
    flagged = FlagResult()
    if not days:
        return flagged
    with store.open_reader() as reader:
        before = load_known_alerts(reader, tenant)
    fingerprints = _load_fingerprints(store, tenant)
    with store.open_committer(tenant) as run:
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
    """Run a job, up to `_MAX_TRIES` times while another process keeps the ledger locked."""
    for retries_left in reversed(range(_MAX_TRIES)):
        try:
            return run(job)
        except CannotDecide as exc:
            if exc.code != "ledger_busy" or not retries_left:
                raise
        time.sleep(_PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _load_book(reader: Reader, tenant: str, field: str = "baseline") -> IdentityBaseline:
    """The baseline of identities that is in force.

    Raises:
        ConfigError: `no_baseline`, none is.
    """
    book = load_identities(reader, tenant)
    if book is None:
        remedy = "run `halo identity import FILE`"
        raise ConfigError("no_baseline", "no baseline of identities is in force", field=field, remedy=remedy)
    return book


def _print_identity_baseline(store: StoreContext, view: IdentityBaselineView) -> None:
    if store.print_json(view):
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
    say(f"{format_count(written.written, 'alert')} written{duplicates}; see `halo alerts`")
    if written.risen:
        print_note(f"{written.risen} of them for days that already had an alert with a lower risk")
    if written.erased:
        print_note(f"{written.erased} of them without a name: the data of that identity were erased")
    if written.forged:
        text = f"{written.forged} of them were already in the store without a valid signature: run `halo verify`"
        console(stderr=True).print(f"[bold red]warning[/]: {text}")


def _print_scores(report: IdentityRiskReport) -> None:
    """Print the risk of each identity, then the events above the limits with their causes."""
    titles = ("identity", "kind", "events", "risk", "highest", "elevated", "high", "the last events")
    table = build_table(titles, right=titles[2:-1], gap=2)
    for identity in report.identities[:_MAX_ROWS]:
        little = identity.unknown == identity.events
        risks = ("-", "-") if little else (str(identity.running), str(identity.highest))
        last = "too little known" if little else draw_sparkline(identity.history)
        counts = (str(identity.bands[1]), str(identity.bands[2]), last)
        table.add_row(safe_text(identity.identity), identity.kind, str(identity.events), *risks, *counts)
    say(table)
    _print_omitted(len(report.identities), "identities")
    for item in sorted(report.flagged, key=lambda item: (-(item.event_risk or 0), item.event))[:_MAX_ROWS]:
        event = item.event
        text = f"{event.identity}: {event.action}" + (f" on {event.system}" if event.system else "")
        say(f"{format_iso(event.ts_us)} {RISK_BANDS[item.band]} {item.event_risk} ", safe_text(text))
        for factor in item.factors:
            say_plainly(f"    {factor.words}")
    _print_omitted(len(report.flagged), "events above the limits")


def _print_omitted(number: int, noun: str) -> None:
    if number > _MAX_ROWS:
        say(f"... {number - _MAX_ROWS} more {noun}; use `--json` to see all")
