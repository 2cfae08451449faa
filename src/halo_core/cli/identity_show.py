"""Room: what `halo identity` prints. Takes: a book, scored events. Gives: tables and JSON. Never: reads a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.table import Table

from halo_core.cli.bars import WIDTH, line
from halo_core.cli.common import console, print_json
from halo_core.cli.risk_words import plural
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.flagging import Flagged
from halo_core.identities.book import Book
from halo_core.identities.event import IdentityEvent
from halo_core.identities.limits import FEWEST_HIGH
from halo_core.identities.scoring import Basis, Scored

__all__ = ["Taken", "Who", "note_skipped", "show_alerted", "show_book", "show_scores", "skipped_of"]

_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
_MOST: Final = 40


@dataclass(frozen=True, slots=True)
class Taken:
    """What all files together held."""

    events: Sequence[IdentityEvent] = ()
    sources: tuple[str, ...] = ()
    skipped: Counter[int] = field(default_factory=Counter)
    left_out: int = 0


@dataclass(slots=True)
class Who:
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
        self.history = [*self.history[-WIDTH + 1 :], scored.running]
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


def skipped_of(taken: Taken) -> dict[str, int]:
    """Class of OCSF → events that were left out."""
    return {str(name): number for name, number in sorted(taken.skipped.items())}


def note_skipped(taken: Taken) -> None:
    """Say what was left out, if anything was."""
    if taken.skipped:
        classes = ", ".join(f"{number} of class {name}" for name, number in skipped_of(taken).items())
        console(stderr=True).print(f"[yellow]note[/]: left out, since they say nothing of identities: {classes}")


def show_book(book: Book, taken: Taken, *, in_force: bool, json: bool) -> None:
    """A baseline, in figures; it has no names."""
    limits = book.limits
    if json:
        told = {"elevated": limits.elevated, "high": limits.high, "identity_days": limits.days}
        facts = {"established": book.established(), "events": book.events, "identities": len(book.habits)}
        said = {"left_out": taken.left_out, "skipped": skipped_of(taken)}
        print_json({"in_force": in_force, "limits": told, **said, **facts})
        return
    view = console()
    view.print(f"people and service accounts: {'in force' if in_force else 'not put in force'}")
    view.print(
        f"  identities     {len(book.habits)}, of which {book.established()} with five days or more of their own"
    )
    view.print(f"  events         {book.events}, the newest of {iso(book.last_us)}")
    view.print(f"  a risk is elevated above {limits.elevated} of 1000, high above {limits.high}")
    if 0 < limits.days < FEWEST_HIGH:
        view.print(
            f"[yellow]note[/]: {limits.days} identity-days are too few to say what is high; that was set by hand"
        )
    if not limits.days:
        view.print("[yellow]note[/]: too short a history to say what is much here; these limits were set by hand")
    if taken.left_out:
        view.print(f"  left out       {plural(taken.left_out, 'event')}, of days that were judged an attack")
    note_skipped(taken)


def show_alerted(written: Flagged) -> None:
    """What became of `--alert`."""
    were = "was" if written.known == 1 else "were"
    known = f", {written.known} {were} there already" if written.known else ""
    console().print(f"{plural(written.written, 'alert')} written{known}; `halo alerts` lists them")
    if written.risen:
        told = f"{written.risen} of them of days that had one already, of a lower risk"
        console(stderr=True).print(f"[yellow]note[/]: {told}")
    if written.erased:
        told = f"{written.erased} of them without a name: that identity's data was erased"
        console(stderr=True).print(f"[yellow]note[/]: {told}")
    if written.forged:
        told = f"{written.forged} of them stood in the store already, signed by no writer of it: run `halo verify`"
        console(stderr=True).print(f"[bold red]warning[/]: {told}")


def show_scores(ranked: Sequence[Who], flagged: Sequence[Scored]) -> None:
    """Who is at which risk, then the events above the limits with what moved each."""
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
