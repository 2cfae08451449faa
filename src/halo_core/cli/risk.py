"""`halo risk`, `halo baseline` and `halo identity`: what is ordinary, and the risk of agents, people, service accounts.

An agent's risk moves with every scored action, rises at once and falls slowly. Of people's events none is kept but
those that `--alert` seals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import SpinnerColumn, TextColumn
from typer import Argument, Option

from halo_core.alerts.records import BATCH, FlagResult, exclude_days, find_attack_days, load_known_alerts, write_alerts
from halo_core.baselines import (
    IDENTITIES,
    collect_sessions,
    find_baseline_hash,
    fit_score,
    load_identities,
    load_shipped_model,
    put_identities_in_force,
    put_in_force,
    take_out_of_force,
)
from halo_core.cli.context import StoreContext, show_progress, store_verb, write_text_file
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
from halo_core.crypto.keys import Digester
from halo_core.enforcement.profile_rebuild import rebuild_profiles
from halo_core.errors import CannotDecide, ConfigError
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.day_alerts import HighRiskDay, IdentityFingerprints
from halo_core.identities.event import FORMATS
from halo_core.identities.event_risk import MIN_IDENTITY_DAYS_FOR_HIGH, fit_identity_baseline
from halo_core.risk.model import MAX_MODEL_BYTES, RiskModel
from halo_core.store import Transaction
from halo_core.store.reader import Reader, Stream, read_entries
from halo_core.views.alerts import (
    IdentityBaselineView,
    IdentityRiskReport,
    ImportedEvents,
    read_event_files,
    score_events,
)
from halo_core.views.passports import read_regular_file
from halo_core.views.risk import (
    KINDS,
    BaselineView,
    build_history,
    check_agents_acted,
    count_unjudged_alerts,
    draw_sparkline,
    load_baseline,
    load_risk_report,
    survey_sessions,
)
from halo_core.views.risk_chart import draw_risk_chart
from halo_core.views.wording import format_count

_MAX_FACTORS: Final = 20
_PROGRESS: Final = "{task.description}: {task.completed} entries"


@store_verb()
def risk(
    agent: Annotated[str, Argument(metavar="[AGENT]", help="Show one agent in detail.")] = "",
    *,
    svg: Annotated[
        Path | None, Option("--svg", metavar="FILE", help="Write a chart of one agent's history to this file.")
    ] = None,
    rebuild: Annotated[
        bool, Option("--rebuild", help="Make the behaviour profiles anew from the ledger (reason code `bad_profile`).")
    ] = False,
    store: StoreContext,
) -> None:
    """Show the risk of each agent (0..1000), its causes, and its history."""
    if rebuild:
        _rebuild_profiles(store)
        return
    if svg is not None:
        _write_chart(store, agent, svg)
        return
    with store.open_log() as (reader, tenant):
        report = load_risk_report(reader, tenant, agent)
    if store.print_json(report):
        return
    if not report.scored:
        say_plainly(report.advice)
        return
    titles = ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most")
    table = build_table(titles, right=("risk", "highest", "elevated", "high"), gap=2)
    for row in report.scored:
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        moved = safe_text(next(iter(row.factors), "-"))
        table.add_row(
            safe_text(row.agent), str(row.risk), RISK_BANDS[row.band], *counts, draw_sparkline(row.history), moved
        )
    say(table)
    for note in report.describe_unscored():
        say_plainly(f"  {note}")
    if agent:
        for words, times in report.scored[0].factors.most_common(_MAX_FACTORS):
            say_plainly(f"  {times:>4} x {words}")
        for text in report.scored[0].activity.describe(report.scored[0].granted):
            say_plainly(f"  {text}")


def _rebuild_profiles(store: StoreContext) -> None:
    with store.open_log() as (reader, tenant), store.open_committer(tenant) as run:
        rebuilt = rebuild_profiles(run, reader, tenant, store.actor)
    for item in rebuilt:
        done = "written again" if item.restored else "as its newest entry left it"
        waited = f", {item.folded} sessions had waited" if item.folded else ""
        say_plainly(f"{item.kind} `{safe_text(item.subject)}`: {done}{waited}")


def _write_chart(store: StoreContext, agent: str, path: Path) -> None:
    if not agent:
        remedy = "give the agent: `halo risk AGENT`"
        raise ConfigError("no_agent", "a chart shows one agent", field="agent", remedy=remedy)
    with store.open_log() as (reader, tenant):
        history = build_history(agent, read_entries(reader, tenant, KINDS))
    if not history.actions:
        problem, remedy = f"no action of `{agent}` has been scored", f"run `halo baseline fit {agent}`"
        raise ConfigError("no_score", problem, field="agent", remedy=remedy)
    write_text_file(path, draw_risk_chart(history), "svg")
    say_plainly(f"written to {path}")


app = typer.Typer(help="Fit, show and drop the baseline of an agent's ordinary behaviour.")


def _check_agent_name(name: str) -> str:
    """An agent's id. INVARIANT: printable, so that none names the baseline of people, which stands among theirs."""
    if not name.isprintable():
        raise typer.BadParameter("the name of an agent must be printable")
    return name


DryRunOption = Annotated[bool, Option("--dry-run", help="Fit and show the baseline without putting it in force.")]
AgentArgument = Annotated[str, Argument(metavar="AGENT", help="The agent's id.", callback=_check_agent_name)]
_MIN_SESSIONS = 100
"""Sessions under which a false alarm rate of 5% is not to be had."""


@store_verb(app, "fit", by=True)
def fit_agent_baseline(
    agent: AgentArgument,
    *,
    like: Annotated[
        list[str] | None, Option("--like", help="Agents with the same role whose sessions are used too.")
    ] = None,
    model: Annotated[Path | None, Option("--model", help="A model file (default: Halo's model).")] = None,
    dry_run: DryRunOption = False,
    store: StoreContext,
) -> None:
    """Fit a baseline from the agent's sessions in the log, and score its actions against it from now on."""
    scorer = _load_model(model) if model is not None else load_shipped_model()
    key = store.keys.secret("sketch")
    agents = [agent, *(like or ())]
    with store.open_log() as (reader, tenant), show_progress(SpinnerColumn(), TextColumn(_PROGRESS)) as bar:
        check_agents_acted(reader, tenant, like or ())
        task = bar.add_task("reading the log")
        sessions = collect_sessions(
            reader, store.open_contents(reader, is_shown=False), tenant, agents, key, note=lambda: bar.advance(task)
        )
        if not sessions:
            problem = f"the log has no session of `{agent}`"
            remedy = "run it in observe mode first, or add agents with the same role with `--like`"
            raise ConfigError("no_sessions", problem, field="agent", remedy=remedy)
        bar.update(task, description=f"fitting {len(sessions)} sessions")
        baseline = fit_score(sessions, scorer, key)
        unjudged = count_unjudged_alerts(reader, tenant, frozenset(item.session for item in sessions))
        unscored, attacks = survey_sessions(reader, tenant, agents, sessions)
    if not dry_run:
        store.commit(lambda tx: put_in_force(tx, agent, baseline, store.actor))
    _print_baseline(store, BaselineView(agent, baseline.terms, baseline.usual, in_force=not dry_run))
    if attacks:
        print_note(f"left out because they were judged an attack: {format_count(attacks, 'session')}")
    for neighbour in unscored:
        text = "acted in these sessions without a baseline: if tainted, only its reads run without approval"
        print_note(f"{neighbour} {text}; `halo baseline fit {neighbour}`")
    if unjudged:
        text = f"{unjudged} not judged; their sessions count as ordinary; see `halo alerts --open`"
        print_note(f"alerts in these sessions: {text}")


@store_verb(app, "show")
def show_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> None:
    """Show the baseline that is in force for an agent."""
    with store.open_log() as (reader, tenant):
        _print_baseline(store, load_baseline(reader, tenant, agent))


@store_verb(app, "drop", json=False, by=True)
def drop_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> int:
    """Remove an agent's baseline; its actions are no longer scored."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, agent, store.actor))
    say_plainly(f"no baseline is in force for {agent}" + ("" if dropped else ", and none was before"))
    return Exit.OK if dropped else Exit.FAILED


def _load_model(path: Path) -> RiskModel:
    """A model file, packed or not.

    Raises:
        ConfigError: it cannot be read.
        BadInput: it is not a model of this version.
    """
    try:
        data = read_regular_file(path, MAX_MODEL_BYTES)
    except OSError as exc:
        why = f"cannot read `{path}`: {exc.strerror}"
        raise ConfigError("no_model", why, field="model", remedy="choose a file that train_behaviour.py wrote") from exc
    return RiskModel.from_bytes(data) if data[:1] == b"{" else RiskModel.from_packed(data)


def _print_baseline(store: StoreContext, baseline: BaselineView) -> None:
    if store.print_json(baseline):
        return
    view, terms = console(), baseline.terms
    view.print(f"{baseline.agent}: {'in force' if baseline.in_force else 'not put in force'}", markup=False)
    view.print(f"  ordinary       {terms.sessions} sessions with {terms.tasks} different requests")
    view.print("  a risk above {} of 1000 is elevated, above {} it is high".format(*terms.risks))
    view.print(f"  circumstances  {baseline.describe_circumstances()}", markup=False)
    view.print(f"  baseline       {terms.baseline}")
    view.print(f"  model          {terms.model}")
    if terms.sessions < _MIN_SESSIONS:
        text = "sessions ordinary work is flagged more often than the limits say"
        view.print(f"[yellow]note[/]: with fewer than {_MIN_SESSIONS} {text}")


_MAX_ROWS: Final = 40
identity_app = typer.Typer(help="Baselines and risk scores of people and service accounts, from imported events.")
_PAUSE_S: Final = 0.05
"""Between transactions: whoever waits for the write lock, an agent's decision above all, gets it."""
_MAX_TRIES: Final = 10
_FILES_HELP: Final = "CSV with a header, or OCSF as JSON, one event per line."

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


@store_verb(identity_app, "import", by=True)
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
    with Reader(store.url) as reader:
        previous_book = _load_book(reader, name, "add") if add else None
        events, left_out = exclude_days(imported.events, find_attack_days(reader, name, fingerprints), fingerprints)
        imported = replace(imported, events=events, left_out=left_out)
        before = any(row[:2] == (name, IDENTITIES) and row[2] for row in reader.rows(Stream.BASELINES))
    book = fit_identity_baseline(imported.events, store.keys.secret("sketch"), previous_book)
    if not dry_run:
        store.commit(lambda tx: put_identities_in_force(tx, book, store.actor, imported.sources, left_out))
    _print_identity_baseline(store, IdentityBaselineView(book, imported, in_force=not dry_run))
    if before and not add and not dry_run:
        print_note("it replaces the previous baseline; use `--add` to extend a baseline")


@store_verb(identity_app, "score")
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
    with Reader(store.url) as reader:
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


@store_verb(identity_app, "show")
def show_identity_baseline(*, store: StoreContext) -> None:
    """Show the baseline in force. It contains keyed fingerprints and no names."""
    name = store.resolve_tenant()
    with Reader(store.url) as reader:
        book = _load_book(reader, name)
    _print_identity_baseline(store, IdentityBaselineView(book, ImportedEvents(), in_force=True))


@store_verb(identity_app, "drop", json=False, by=True)
def drop_identity_baseline(*, store: StoreContext) -> int:
    """Remove the baseline of people and service accounts."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, IDENTITIES, store.actor))
    say("no baseline of identities is in force" + ("" if dropped else ", nor was one before"))
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
    """Run a job, also where somebody else has the ledger for longer than a decision would wait."""
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
    """Who is at which risk, then the events above the limits with what moved each."""
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
