"""Room: what `halo identity` prints. Takes: a book, scored events. Gives: tables and JSON. Never: reads a store.

Room: `halo identity`. Takes: files of events, a store. Gives: what is ordinary, the risk of events.

Never: decides; keeps an event, but those that `--alert` seals.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.alerts.identity import BATCH, FlagResult, exclude_days, find_attack_days, load_known_alerts, write_alerts
from halo_core.baselines import (
    IDENTITIES,
    find_identities_hash,
    load_identities,
    put_identities_in_force,
    take_out_of_force,
)
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.controls import ByOption, commit, open_committer, resolve_actor, resolve_tenant
from halo_core.clock import format_iso
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import BadInput, CannotDecide, ConfigError
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.day_alerts import HighRiskDay, HighRiskDays, IdentityFingerprints
from halo_core.identities.event import IdentityEvent
from halo_core.identities.event_reader import FORMATS, MAX_EVENTS, parse_column_mapping, read_events
from halo_core.identities.event_risk import (
    MIN_IDENTITY_DAYS_FOR_HIGH,
    ComparisonBasis,
    EventScorer,
    ScoredEvent,
    fit_identity_baseline,
)
from halo_core.store import Transaction
from halo_core.store.reader import Reader
from halo_core.views.risk import SPARKLINE_WIDTH, draw_sparkline
from halo_core.views.risk_chart import format_count
from halo_core.views.wording import safe_text

__all__ = [
    "IdentityRisk",
    "ImportedEvents",
    "app",
    "note_skipped",
    "show_alerted",
    "show_book",
    "show_scores",
    "skipped_to_json",
]


_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
_MAX_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class ImportedEvents:
    """What all files together held."""

    events: Sequence[IdentityEvent] = ()
    sources: tuple[str, ...] = ()
    skipped: Counter[int] = field(default_factory=Counter)
    left_out: int = 0


@dataclass(slots=True)
class IdentityRisk:
    """What the scored events say of one identity."""

    identity: str
    events: int = 0
    unknown: int = 0
    highest: int = 0
    running: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    history: list[int] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    kind: str = ""

    def add(self, scored: ScoredEvent) -> None:
        """One event, in order."""
        self.events += 1
        self.kind, self.running = scored.event.kind.value, scored.identity_risk
        self.unknown += scored.basis is ComparisonBasis.TOO_LITTLE
        self.highest = max(self.highest, scored.event_risk or 0)
        self.bands[scored.band] += 1
        self.history = [*self.history[-SPARKLINE_WIDTH + 1 :], scored.identity_risk]
        if scored.band:
            self.factors.update(item.words for item in scored.factors)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "elevated": self.bands[1],
            "events": self.events,
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": None if self.unknown == self.events else self.highest,
            "history": self.history,
            "identity": self.identity,
            "kind": self.kind,
            "risk": None if self.unknown == self.events else self.running,
            "too_little_known": self.unknown,
        }


def skipped_to_json(imported: ImportedEvents) -> dict[str, int]:
    """Class of OCSF → events that were left out."""
    return {str(name): number for name, number in sorted(imported.skipped.items())}


def note_skipped(imported: ImportedEvents) -> None:
    """Say what was left out, if anything was."""
    if imported.skipped:
        classes = ", ".join(f"{number} of class {name}" for name, number in skipped_to_json(imported).items())
        console(stderr=True).print(f"[yellow]note[/]: left out because they are not about identities: {classes}")


def show_book(book: IdentityBaseline, imported: ImportedEvents, *, in_force: bool, json: bool) -> None:
    """A baseline, in figures; it has no names."""
    limits = book.limits
    if json:
        limit_fields = {"elevated": limits.elevated, "high": limits.high, "identity_days": limits.days}
        facts = {"established": book.count_established(), "events": book.event_count, "identities": len(book.habits)}
        import_fields = {"left_out": imported.left_out, "skipped": skipped_to_json(imported)}
        print_json({"in_force": in_force, "limits": limit_fields, **import_fields, **facts})
        return
    view = console()
    view.print(f"people and service accounts: {'in force' if in_force else 'not put in force'}")
    view.print(
        f"  identities     {len(book.habits)}, {book.count_established()} of them with at least five days of their own"
    )
    view.print(f"  events         {book.event_count}, the newest of {format_iso(book.last_us)}")
    view.print(f"  a risk above {limits.elevated} of 1000 is elevated, above {limits.high} it is high")
    if 0 < limits.days < MIN_IDENTITY_DAYS_FOR_HIGH:
        view.print(
            f"[yellow]note[/]: {limits.days} identity-days are too few to compute the limit for high; a preset is used"
        )
    if not limits.days:
        view.print("[yellow]note[/]: the history is too short to compute limits; presets are used")
    if imported.left_out:
        view.print(f"  left out       {format_count(imported.left_out, 'event')} of days that were judged an attack")
    note_skipped(imported)


def show_alerted(written: FlagResult) -> None:
    """What became of `--alert`."""
    were = "was" if written.known == 1 else "were"
    duplicates_text = f", {written.known} {were} already there" if written.known else ""
    console().print(f"{format_count(written.written, 'alert')} written{duplicates_text}; see `halo alerts`")
    if written.risen:
        text = f"{written.risen} of them for days that already had an alert with a lower risk"
        console(stderr=True).print(f"[yellow]note[/]: {text}")
    if written.erased:
        text = f"{written.erased} of them without a name: the data of that identity were erased"
        console(stderr=True).print(f"[yellow]note[/]: {text}")
    if written.forged:
        text = f"{written.forged} of them were already in the store without a valid signature: run `halo verify`"
        console(stderr=True).print(f"[bold red]warning[/]: {text}")


def show_scores(ranked: Sequence[IdentityRisk], flagged: Sequence[ScoredEvent]) -> None:
    """Who is at which risk, then the events above the limits with what moved each."""
    view = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("identity", "kind", "events", "risk", "highest", "elevated", "high", "the last events"):
        right = title in ("events", "risk", "highest", "elevated", "high")
        table.add_column(title, justify="right" if right else "left")
    for identity in ranked[:_MAX_ROWS]:
        little = identity.unknown == identity.events
        risks = ("-", "-") if little else (str(identity.running), str(identity.highest))
        last = "too little known" if little else draw_sparkline(identity.history)
        counts = (str(identity.bands[1]), str(identity.bands[2]), last)
        table.add_row(safe_text(identity.identity), identity.kind, str(identity.events), *risks, *counts)
    view.print(table)
    _print_omitted(len(ranked), "identities")
    for item in sorted(flagged, key=lambda item: (-(item.event_risk or 0), item.event))[:_MAX_ROWS]:
        event = item.event
        view.print(f"{format_iso(event.ts_us)} {_BANDS[item.band]} {item.event_risk} ", end="")
        view.print(f"{event.identity}: {event.action}" + (f" on {event.system}" if event.system else ""), markup=False)
        for factor in item.factors:
            view.print(f"    {factor.words}", markup=False)
    _print_omitted(len(flagged), "events above the limits")


def _print_omitted(number: int, noun: str) -> None:
    if number > _MAX_ROWS:
        console().print(f"... {number - _MAX_ROWS} more {noun}; use `--json` to see all")


app = typer.Typer(help="Baselines and risk scores of people and service accounts, from imported events.")
_SUFFIXES: Final = {".csv": "csv", ".json": "ocsf", ".jsonl": "ocsf", ".ndjson": "ocsf"}
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
def import_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    add: Annotated[bool, typer.Option("--add", help="Extend the baseline in force; all events must be later.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fit and show the baseline without putting it in force.")
    ] = False,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Fit a baseline for each identity from its events, and put it in force for the tenant."""
    folder, url = resolve_store(home, db)
    name = resolve_tenant(url, tenant)
    imported = _read_events(files, form, mapping)
    fingerprints = _load_fingerprints(folder, name)
    with Reader(url) as reader:
        previous_book = load_identities(reader, name) if add else None
        events, left_out = exclude_days(imported.events, find_attack_days(reader, name, fingerprints), fingerprints)
        imported = replace(imported, events=events, left_out=left_out)
        before = any(row[:2] == (name, IDENTITIES) and row[2] for row in reader.baselines())
    if add and previous_book is None:
        raise _build_no_baseline_error("add")
    book = fit_identity_baseline(imported.events, KeyStore(folder).secret("sketch"), previous_book)
    if not dry_run:
        commit(
            url,
            folder,
            tenant,
            lambda tx: put_identities_in_force(tx, book, resolve_actor(by), imported.sources, left_out),
        )
    show_book(book, imported, in_force=not dry_run, json=json)
    if before and not add and not dry_run:
        console(stderr=True).print(
            "[yellow]note[/]: it replaces the previous baseline; use `--add` to extend a baseline"
        )
    return Exit.OK


@app.command("score")
def score_identity_events(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Write an alert for each identity and day with a risk above `high`.")
    ] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Score events (0..1000) against the baseline in force, and show the risk of each identity with its causes."""
    folder, url = resolve_store(home, db)
    name = resolve_tenant(url, tenant)
    with Reader(url) as reader:
        book, baseline = load_identities(reader, name), find_identities_hash(reader, name)
    if book is None:
        raise _build_no_baseline_error("baseline")
    imported = _read_events(files, form, mapping)
    scorer, days = EventScorer(book, KeyStore(folder).secret("sketch")), HighRiskDays()
    identities: dict[str, IdentityRisk] = {}
    flagged: list[ScoredEvent] = []
    for event in imported.events:
        scored = scorer.score(event)
        days.add_event(scored)
        identities.setdefault(event.identity, IdentityRisk(event.identity)).add(scored)
        if scored.band:
            flagged.append(scored)
    ranked = sorted(identities.values(), key=lambda identity: (-identity.highest, identity.identity))
    newest_us = book.last_us
    early = sum(event.ts_us <= newest_us for event in imported.events)
    written = _write_alerts(url, folder, name, days.list_days(), baseline) if alert else None
    if json:
        fields = {"early": early, "events": [item.to_plain() for item in flagged], "skipped": skipped_to_json(imported)}
        alert_fields = {} if written is None else {"alerts": written.to_plain()}
        print_json({"identities": [identity.to_json() for identity in ranked], **fields, **alert_fields})
        return Exit.OK
    show_scores(ranked, flagged)
    if written is not None:
        show_alerted(written)
    view = console(stderr=True)
    if early:
        view.print(f"[yellow]note[/]: {early} events are not later than the baseline: their scores are not reliable")
    note_skipped(imported)
    return Exit.OK


@app.command("show")
def show_identity_baseline(
    *,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the baseline in force. It contains keyed fingerprints and no names."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        book = load_identities(reader, resolve_tenant(url, tenant))
    if book is None:
        raise _build_no_baseline_error("baseline")
    show_book(book, ImportedEvents(), in_force=True, json=json)
    return Exit.OK


@app.command("drop")
def drop_identity_baseline(
    *, by: ByOption = "", tenant: TenantOption = None, db: DbOption = "", home: HomeOption = None
) -> int:
    """Remove the baseline of people and service accounts."""
    folder, url = resolve_store(home, db)
    dropped = commit(url, folder, tenant, lambda tx: take_out_of_force(tx, IDENTITIES, resolve_actor(by)))
    console().print("no baseline of identities is in force" + ("" if dropped else ", nor was one before"))
    return Exit.OK if dropped else Exit.FAILED


class _HashingStream:
    """A stream that hashes what is read of it: the record names the very bytes that were imported."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def readline(self, limit: int) -> bytes:
        """As a file's."""
        return self._update_hash(self._stream.readline(limit))

    def read(self, limit: int) -> bytes:
        """As a file's."""
        return self._update_hash(self._stream.read(limit))

    def _update_hash(self, data: bytes) -> bytes:
        self.hash.update(data)
        return data


def _read_events(files: Iterable[Path], form: str, mapping: list[str] | None) -> ImportedEvents:
    """Events of all files, in order; INVARIANT: of all of them or, where one is wrong, of none."""
    columns = parse_column_mapping(mapping or [])
    events: list[IdentityEvent] = []
    sources, skipped = [], Counter[int]()
    for path in files:
        kind = form or _SUFFIXES.get(path.suffix.lower(), "")
        if not kind:
            problem = f"the format of `{path.name}` cannot be told from its name"
            raise ConfigError("no_format", problem, field="format", remedy="give `--format csv` or `--format ocsf`")
        with path.open("rb") as file:
            stream = _HashingStream(file)
            try:
                taken = read_events(stream, kind, columns, most=MAX_EVENTS - len(events))
            except BadInput as exc:
                exc.field = f"{path.name}: {exc.field}"
                raise
        sources.append(f"sha256:{stream.hash.hexdigest()}")
        events += taken.events
        skipped.update(taken.skipped)
    return ImportedEvents(sorted(events), tuple(sources), skipped)


def _load_fingerprints(folder: Path, tenant: str) -> IdentityFingerprints:
    return IdentityFingerprints(Digester(KeyStore(folder).secret("digest")), tenant)


def _write_alerts(url: str, folder: Path, tenant: str, days: Sequence[HighRiskDay], baseline: str) -> FlagResult:
    """Alerts for these days, a few in each transaction."""
    flagged = FlagResult()
    if not days:
        return flagged
    with Reader(url) as reader:
        before = load_known_alerts(reader, tenant)
    fingerprints = _load_fingerprints(folder, tenant)
    with open_committer(url, folder, tenant) as run:
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
