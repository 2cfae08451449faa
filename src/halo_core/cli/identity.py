"""Room: `halo identity`. Takes: files of events, a store. Gives: what is ordinary for people and service accounts, and the
risk of what they did. Never: decides; keeps an event.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.cli.bars import line
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.stop import ByOption, commit, tenant_of, who
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.errors import BadInput, ConfigError
from halo_core.fitting import IDENTITIES, drop, identities_in_force, put_identities
from halo_core.identities.book import Book
from halo_core.identities.event import IdentityEvent
from halo_core.identities.limits import fitted
from halo_core.identities.reading import FORMATS, mapping_of, read
from halo_core.identities.scoring import Basis, Scored, Scorer
from halo_core.keys import KeyStore
from halo_core.store.reader import Reader

__all__ = ["app"]

app = typer.Typer(help="People and service accounts: what is ordinary, from imported events; the risk of others.")
_SUFFIXES: Final = {".csv": "csv", ".json": "ocsf", ".jsonl": "ocsf", ".ndjson": "ocsf"}
_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
_MOST: Final = 40
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
    with Reader(url) as reader:
        known = identities_in_force(reader, name) if add else None
    if add and known is None:
        raise _none("add")
    book = fitted(taken.events, KeyStore(folder).secret("sketch"), known)
    if not dry_run:
        commit(url, folder, tenant, lambda tx: put_identities(tx, book, who(by), taken.sources))
    _show(book, taken, in_force=not dry_run, json=json)
    return Exit.OK


@app.command("score")
def score(
    files: FilesArgument,
    *,
    form: FormatOption = "",
    mapping: MapOption = None,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Score events (0..1000) against the baseline in force: who is at which risk, which events, and why."""
    folder, url = where(home, db)
    with Reader(url) as reader:
        book = identities_in_force(reader, tenant_of(url, tenant))
    if book is None:
        raise _none("baseline")
    taken = _events(files, form, mapping)
    scorer = Scorer(book, KeyStore(folder).secret("sketch"))
    found: dict[str, _Who] = {}
    flagged: list[Scored] = []
    for event in taken.events:
        scored = scorer.score(event)
        found.setdefault(event.identity, _Who(event.identity)).take(scored)
        if scored.band:
            flagged.append(scored)
    ranked = sorted(found.values(), key=lambda one: (-one.highest, one.identity))
    early = sum(event.ts_us <= book.last_us for event in taken.events)
    if json:
        plain = {"early": early, "events": [item.to_plain() for item in flagged], "skipped": _skipped(taken)}
        print_json({"identities": [one.to_plain() for one in ranked], **plain})
        return Exit.OK
    _table(ranked, flagged)
    view = console(stderr=True)
    if early:
        view.print(
            f"[yellow]note[/]: {early} events are not later than the baseline, which may hold them: no fair score"
        )
    _note_skipped(taken)
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
    _show(book, _Taken(), in_force=True, json=json)
    return Exit.OK


@app.command("drop")
def drop_(*, by: ByOption = "", tenant: TenantOption = None, db: DbOption = "", home: HomeOption = None) -> int:
    """Take the baseline of people and service accounts out of force."""
    folder, url = where(home, db)
    gone = commit(url, folder, tenant, lambda tx: drop(tx, IDENTITIES, who(by)))
    console().print("no baseline of identities is in force" + ("" if gone else ", nor was one before"))
    return Exit.OK if gone else Exit.FAILED


@dataclass(frozen=True, slots=True)
class _Taken:
    """What all files together held."""

    events: Sequence[IdentityEvent] = ()
    sources: tuple[str, ...] = ()
    skipped: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Who:
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

    def take(self, scored: Scored) -> None:
        """One event, in order."""
        self.events += 1
        self.kind, self.running = scored.event.kind.value, scored.running
        self.unknown += scored.basis is Basis.LITTLE
        self.highest = max(self.highest, scored.risk or 0)
        self.bands[scored.band] += 1
        self.history = [*self.history[-_MOST + 1 :], scored.running]
        if scored.band:
            self.factors.update(item.words for item in scored.factors)

    def to_plain(self) -> dict[str, Any]:
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


def _events(files: Iterable[Path], form: str, mapping: list[str] | None) -> _Taken:
    """Events of all files, in order; INVARIANT: of all of them or, where one is wrong, of none."""
    columns = mapping_of(mapping or [])
    events: list[IdentityEvent] = []
    sources, skipped = [], Counter[int]()
    for path in files:
        kind = form or _SUFFIXES.get(path.suffix.lower(), "")
        if not kind:
            what = f"`{path.name}` does not say what it is"
            raise ConfigError("no_format", what, field="format", remedy="give `--format csv` or `--format ocsf`")
        with path.open("rb") as stream:
            sources.append("sha256:" + hashlib.file_digest(stream, "sha256").hexdigest())
            stream.seek(0)
            try:
                taken = read(stream, kind, columns)
            except BadInput as exc:
                exc.field = f"{path.name}: {exc.field}"
                raise
        events += taken.events
        skipped.update(taken.skipped)
    return _Taken(sorted(events), tuple(sources), skipped)


def _none(name: str) -> ConfigError:
    remedy = "`halo identity import FILE` makes one"
    return ConfigError("no_baseline", "no baseline of identities is in force", field=name, remedy=remedy)


def _skipped(taken: _Taken) -> dict[str, int]:
    return {str(name): number for name, number in sorted(taken.skipped.items())}


def _note_skipped(taken: _Taken) -> None:
    if taken.skipped:
        classes = ", ".join(f"{number} of class {name}" for name, number in _skipped(taken).items())
        console(stderr=True).print(f"[yellow]note[/]: left out, since they say nothing of identities: {classes}")


def _show(book: Book, taken: _Taken, *, in_force: bool, json: bool) -> None:
    limits = book.limits
    if json:
        told = {"elevated": limits.elevated, "high": limits.high, "identity_days": limits.days}
        facts = {"established": book.established(), "events": book.events, "identities": len(book.habits)}
        print_json({"in_force": in_force, "limits": told, "skipped": _skipped(taken), **facts})
        return
    view = console()
    view.print(f"people and service accounts: {'in force' if in_force else 'not put in force'}")
    view.print(
        f"  identities     {len(book.habits)}, of which {book.established()} with five days or more of their own"
    )
    view.print(f"  events         {book.events}, the newest of {iso(book.last_us)}")
    view.print(f"  a risk is elevated above {limits.elevated} of 1000, high above {limits.high}")
    if not limits.days:
        view.print("[yellow]note[/]: too short a history to say what is much here; these limits were set by hand")
    _note_skipped(taken)


def _table(ranked: Sequence[_Who], flagged: Sequence[Scored]) -> None:
    view = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("identity", "kind", "events", "risk", "highest", "elevated", "high", "the last events"):
        right = title in ("events", "risk", "highest", "elevated", "high")
        table.add_column(title, justify="right" if right else "left")
    for one in ranked[:_MOST]:
        little = one.unknown == one.events
        risks = ("-", "-") if little else (str(one.running), str(one.highest))
        last = "too little known" if little else line(one.history)
        counts = (str(one.bands[1]), str(one.bands[2]), last)
        table.add_row(cell(one.identity), one.kind, str(one.events), *risks, *counts)
    view.print(table)
    _left(len(ranked), "identities")
    for item in sorted(flagged, key=lambda item: (-(item.risk or 0), item.event))[:_MOST]:
        event = item.event
        view.print(f"{iso(event.ts_us)} {_BANDS[item.band]} {item.risk} ", end="")
        view.print(f"{event.identity}: {event.action}" + (f" on {event.system}" if event.system else ""), markup=False)
        for factor in item.factors:
            view.print(f"    {factor.words}", markup=False)
    _left(len(flagged), "events above the limits")


def _left(number: int, what: str) -> None:
    if number > _MOST:
        console().print(f"... {number - _MOST} more {what}; `--json` has all")
