"""Room: `halo identity`. Takes: files of events, a store. Gives: what is ordinary, the risk of events.

Never: decides; keeps an event, but those that `--alert` seals.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.identity_show import Taken, Who, note_skipped, show_alerted, show_book, show_scores, skipped_of
from halo_core.cli.stop import ByOption, commit, committing, tenant_of, who
from halo_core.errors import BadInput, CannotDecide, ConfigError
from halo_core.fitting import IDENTITIES, drop, identities_in_force, identities_name, put_identities
from halo_core.flagging import BATCH, Flagged, attacks, flag, on_record, without
from halo_core.identities.alerting import Days, HighDay, Prints
from halo_core.identities.event import IdentityEvent
from halo_core.identities.limits import fitted
from halo_core.identities.reading import FORMATS, MAX_EVENTS, mapping_of, read
from halo_core.identities.scoring import Scored, Scorer
from halo_core.keys import Digester, KeyStore
from halo_core.store import Tx
from halo_core.store.reader import Reader

__all__ = ["app"]

app = typer.Typer(help="People and service accounts: what is ordinary, from imported events; the risk of others.")
_SUFFIXES: Final = {".csv": "csv", ".json": "ocsf", ".jsonl": "ocsf", ".ndjson": "ocsf"}
_BREATH_S: Final = 0.05
"""Between transactions: whoever waits for the write lock, an agent's decision above all, gets it."""
_TRIES: Final = 10
_FILES_HELP: Final = "CSV with a header, or OCSF as JSON, one event a line."

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help=_FILES_HELP, exists=True, dir_okay=False, readable=True)
]
FormatOption = Annotated[
    str, typer.Option("--format", help=f"{' or '.join(FORMATS)} (default: by the file's name).", show_default=False)
]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Where a CSV names a field otherwise.")
]


@app.command("import")
def import_(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    add: Annotated[bool, typer.Option("--add", help="Go on with the baseline in force; events must be later.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, fit and show, put nothing in force.")] = False,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Fit what is ordinary for each identity from its events, and put that in force for the tenant."""
    folder, url = where(home, db)
    name = tenant_of(url, tenant)
    taken = _events(files, form, mapping)
    prints = _prints(folder, name)
    with Reader(url) as reader:
        known = identities_in_force(reader, name) if add else None
        events, left_out = without(taken.events, attacks(reader, name, prints), prints)
        taken = replace(taken, events=events, left_out=left_out)
        before = any(row[:2] == (name, IDENTITIES) and row[2] for row in reader.baselines())
    if add and known is None:
        raise _none("add")
    book = fitted(taken.events, KeyStore(folder).secret("sketch"), known)
    if not dry_run:
        commit(url, folder, tenant, lambda tx: put_identities(tx, book, who(by), taken.sources, left_out))
    show_book(book, taken, in_force=not dry_run, json=json)
    if before and not add and not dry_run:
        console(stderr=True).print("[yellow]note[/]: it replaces the baseline before it; `--add` goes on with one")
    return Exit.OK


@app.command("score")
def score(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Write an alert for each identity and day above `high`.")
    ] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Score events (0..1000) against the baseline in force: who is at which risk, which events, and why."""
    folder, url = where(home, db)
    name = tenant_of(url, tenant)
    with Reader(url) as reader:
        book, baseline = identities_in_force(reader, name), identities_name(reader, name)
    if book is None:
        raise _none("baseline")
    taken = _events(files, form, mapping)
    scorer, days = Scorer(book, KeyStore(folder).secret("sketch")), Days()
    found: dict[str, Who] = {}
    flagged: list[Scored] = []
    for event in taken.events:
        scored = scorer.score(event)
        days.take(scored)
        found.setdefault(event.identity, Who(event.identity)).take(scored)
        if scored.band:
            flagged.append(scored)
    ranked = sorted(found.values(), key=lambda one: (-one.highest, one.identity))
    newest_us = book.last_us
    early = sum(event.ts_us <= newest_us for event in taken.events)
    written = _alerted(url, folder, name, days.high(), baseline) if alert else None
    if json:
        plain = {"early": early, "events": [item.to_plain() for item in flagged], "skipped": skipped_of(taken)}
        told = {} if written is None else {"alerts": written.to_plain()}
        print_json({"identities": [one.to_plain() for one in ranked], **plain, **told})
        return Exit.OK
    show_scores(ranked, flagged)
    if written is not None:
        show_alerted(written)
    view = console(stderr=True)
    if early:
        view.print(
            f"[yellow]note[/]: {early} events are not later than the baseline, which may hold them: no fair score"
        )
    note_skipped(taken)
    return Exit.OK


@app.command("show")
def show(
    *,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the baseline in force. It holds no names: identities and values are keyed fingerprints."""
    _, url = where(home, db)
    with Reader(url) as reader:
        book = identities_in_force(reader, tenant_of(url, tenant))
    if book is None:
        raise _none("baseline")
    show_book(book, Taken(), in_force=True, json=json)
    return Exit.OK


@app.command("drop")
def drop_(*, by: ByOption = "", tenant: TenantOption = None, db: DbOption = "", home: HomeOption = None) -> int:
    """Take the baseline of people and service accounts out of force."""
    folder, url = where(home, db)
    gone = commit(url, folder, tenant, lambda tx: drop(tx, IDENTITIES, who(by)))
    console().print("no baseline of identities is in force" + ("" if gone else ", nor was one before"))
    return Exit.OK if gone else Exit.FAILED


class _Hashed:
    """A stream that hashes what is read of it: the record names the very bytes that were imported."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def readline(self, limit: int) -> bytes:
        """As a file's."""
        return self._took(self._stream.readline(limit))

    def read(self, limit: int) -> bytes:
        """As a file's."""
        return self._took(self._stream.read(limit))

    def _took(self, data: bytes) -> bytes:
        self.hash.update(data)
        return data


def _events(files: Iterable[Path], form: str, mapping: list[str] | None) -> Taken:
    """Events of all files, in order; INVARIANT: of all of them or, where one is wrong, of none."""
    columns = mapping_of(mapping or [])
    events: list[IdentityEvent] = []
    sources, skipped = [], Counter[int]()
    for path in files:
        kind = form or _SUFFIXES.get(path.suffix.lower(), "")
        if not kind:
            what = f"`{path.name}` does not say what it is"
            raise ConfigError("no_format", what, field="format", remedy="give `--format csv` or `--format ocsf`")
        with path.open("rb") as file:
            stream = _Hashed(file)
            try:
                taken = read(stream, kind, columns, most=MAX_EVENTS - len(events))
            except BadInput as exc:
                exc.field = f"{path.name}: {exc.field}"
                raise
        sources.append(f"sha256:{stream.hash.hexdigest()}")
        events += taken.events
        skipped.update(taken.skipped)
    return Taken(sorted(events), tuple(sources), skipped)


def _prints(folder: Path, tenant: str) -> Prints:
    return Prints(Digester(KeyStore(folder).secret("digest")), tenant)


def _alerted(url: str, folder: Path, tenant: str, days: Sequence[HighDay], baseline: str) -> Flagged:
    """Alerts for these days, a few in each transaction."""
    told = Flagged()
    if not days:
        return told
    with Reader(url) as reader:
        before = on_record(reader, tenant)
    prints = _prints(folder, tenant)
    with committing(url, folder, tenant) as run:
        for start in range(0, len(days), BATCH):
            if start:
                time.sleep(_BREATH_S)
            some = days[start : start + BATCH]
            job = partial(flag, days=some, prints=prints, baseline=baseline, before=before)
            new, read = _patiently(run, job)
            told += new
            before.add(read)
    return told


def _patiently(run: Callable[[Any], Any], job: Callable[[Tx], Any]) -> Any:
    """Run a job, also where somebody else has the ledger for longer than a decision would wait."""
    for left in reversed(range(_TRIES)):
        try:
            return run(job)
        except CannotDecide as exc:
            if exc.code != "ledger_busy" or not left:
                raise
        time.sleep(_BREATH_S)
    raise AssertionError("the last try returns or raises")


def _none(name: str) -> ConfigError:
    remedy = "`halo identity import FILE` makes one"
    return ConfigError("no_baseline", "no baseline of identities is in force", field=name, remedy=remedy)
