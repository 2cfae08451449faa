"""Room: `halo risk` and `halo alerts`. Takes: a store. Gives: who is at which risk and why. Never: decides.

Risk is of sessions and agents: it moves with every scored action, rises at once and falls slowly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.cli.bars import WIDTH, line
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.stop import ByOption, WhyOption, commit, who
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.query import Found, entries, find, one_tenant
from halo_core.store import Draft, Tx
from halo_core.store.reader import Reader

__all__ = ["alerts", "judge", "risk"]

_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
_MOST: Final = 20


@dataclass(slots=True)
class _Agent:
    """What the log says of one agent's risk."""

    agent: str
    scored: int = 0
    risk: int = 0
    highest: int = 0
    band: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    history: list[int] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    session: str = ""
    last_us: int = 0

    def take(self, found: Found) -> None:
        """One decision, in log order."""
        body = found.entry.body
        snapshot = body["snapshot"]
        if snapshot["risk"] is None:
            return
        self.scored += 1
        self.risk, self.session, self.last_us = body["after"]["risk"], found.entry.session, found.entry.ts_us
        self.highest = max(self.highest, self.risk)
        self.band = snapshot["band"]
        self.bands[self.band] += 1
        self.history.append(self.risk)
        self.factors.update(item["words"] for item in snapshot["factors"])

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "agent": self.agent,
            "elevated": self.bands[1],
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": self.highest,
            "history": self.history[-WIDTH:],
            "last_us": self.last_us,
            "risk": self.risk,
            "scored": self.scored,
            "session": self.session,
        }


def risk(
    agent: Annotated[str, typer.Argument(metavar="[AGENT]", help="One agent in full.")] = "",
    *,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the risk of each agent (0..1000), what moved it, and how it went."""
    _, url = where(home, db)
    found: dict[str, _Agent] = {}
    with Reader(url) as reader:
        for item in entries(reader, one_tenant(reader, tenant), (EntryKind.DECISION,)):
            name = item.entry.body["request"]["subject"]["agent"]
            if not agent or name == agent:
                found.setdefault(name, _Agent(name)).take(item)
    scored = sorted((row for row in found.values() if row.scored), key=lambda row: (-row.risk, row.agent))
    if json:
        print_json({"agents": [row.to_plain() for row in scored]})
        return Exit.OK
    view = console()
    if not scored:
        view.print("no action was scored yet: `halo baseline fit AGENT` puts a score in force")
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most"):
        table.add_column(title, justify="right" if title in ("risk", "highest", "elevated", "high") else "left")
    for row in scored:
        words = next(iter(row.factors), "") if row.factors else "-"
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        table.add_row(cell(row.agent), str(row.risk), _BANDS[row.band], *counts, line(row.history), cell(words))
    view.print(table)
    if agent:
        for words, times in scored[0].factors.most_common(_MOST):
            view.print(f"  {times:>4} x {words}", markup=False)
    return Exit.OK


def alerts(
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that nobody has judged.")] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """List alerts: actions far from ordinary, sessions that became so. `halo judge N` says what one was."""
    _, url = where(home, db)
    with Reader(url) as reader:
        found = list(entries(reader, one_tenant(reader, tenant), (EntryKind.ALERT, EntryKind.FEEDBACK)))
    judged = {item.entry.body["alert"]: item.entry.body for item in found if item.entry.kind is EntryKind.FEEDBACK}
    shown = [item for item in found if item.entry.kind is EntryKind.ALERT]
    shown = [item for item in shown if not open_only or item.entry.id not in judged]
    if json:
        print_json({"alerts": [_plain(item, judged.get(item.entry.id)) for item in shown], "errors": _errors(found)})
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "time", "agent", "on", "risk", "session", "judged", "why"):
        table.add_column(title, justify="right" if title in ("#", "risk") else "left")
    for item in shown:
        body = item.entry.body
        verdict = judged.get(item.entry.id)
        said = "-" if verdict is None else "attack" if verdict["attack"] else "ordinary"
        why = "; ".join(factor["words"] for factor in body["factors"]) or "the session as a whole"
        score = str(body["risk"] if body["kind"] == "action" else body["session_risk"])
        on = (cell(body["agent"]), cell(body["resource"]), score, cell(item.entry.session))
        table.add_row(str(item.index), iso(item.entry.ts_us), *on, said, cell(why))
    console().print(table if shown else "no alerts")
    return Exit.OK


def _plain(item: Found, verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    judged = None if verdict is None else {"attack": verdict["attack"], "by": verdict["by"], "why": verdict["why"]}
    entry = item.entry
    return {
        "id": entry.id,
        "index": item.index,
        "judged": judged,
        "session": entry.session,
        "ts_us": entry.ts_us,
        **entry.body,
    }


def _errors(found: Iterable[Found]) -> dict[str, dict[str, int]]:
    """By agent: how many of its judged alerts were false."""
    agent_of = {item.entry.id: item.entry.body["agent"] for item in found if item.entry.kind is EntryKind.ALERT}
    told: dict[str, dict[str, int]] = {}
    for item in found:
        if item.entry.kind is EntryKind.FEEDBACK:
            row = told.setdefault(agent_of.get(item.entry.body["alert"], ""), {"attack": 0, "ordinary": 0})
            row["attack" if item.entry.body["attack"] else "ordinary"] += 1
    return told


def judge(
    alert: Annotated[str, typer.Argument(metavar="N", help="Index or id of the alert.")],
    *,
    attack: Annotated[
        bool, typer.Option("--attack/--ordinary", help="What it was; the next `halo baseline fit` heeds it.")
    ],
    why: WhyOption = "",
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Say what an alert was. Sessions that were an attack are left out of the next baseline."""
    folder, url = where(home, db)
    with Reader(url) as reader:
        found = find(reader, one_tenant(reader, tenant), alert).entry
    if found.kind is not EntryKind.ALERT:
        raise ConfigError("no_alert", f"`{alert}` is no alert", field="N", remedy="`halo alerts` lists them")
    body = {"alert": found.id, "attack": attack, "by": who(by), "session": found.session, "why": why[:1000]}

    def record(tx: Tx) -> None:
        tx.append(Draft(EntryKind.FEEDBACK, "", body))

    commit(url, folder, tenant, record)
    console().print(f"noted: {'an attack' if attack else 'ordinary'}; the next fit heeds it")
    return Exit.OK
