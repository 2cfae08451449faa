"""Room: `halo risk`. Takes: a store. Gives: who is at which risk and why. Never: decides.

Risk is of sessions and agents: it moves with every scored action, rises at once and falls slowly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.cli.bars import WIDTH, line
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.passport_files import current
from halo_core.cli.risk_history import KINDS, history
from halo_core.cli.risk_reach import Reach
from halo_core.cli.risk_svg import draw_risk
from halo_core.cli.risk_words import plural
from halo_core.cli.words import cell
from halo_core.errors import ConfigError
from halo_core.fitting import IDENTITIES
from halo_core.model import EntryKind, Grants
from halo_core.query import Found, entries, one_tenant
from halo_core.store.reader import Reader

__all__ = ["risk"]

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
    reach: Reach = field(default_factory=Reach)
    unscored: int = 0

    def take(self, found: Found) -> None:
        """One decision, in log order."""
        body = found.entry.body
        self.reach.take(found)
        snapshot = body["snapshot"]
        self.unscored += bool(snapshot.get("unscored"))
        if snapshot["risk"] is None:
            return
        self.scored += 1
        self.risk, self.session, self.last_us = body["after"]["risk"], found.entry.session, found.entry.ts_us
        self.highest = max(self.highest, self.risk)
        self.band = snapshot["band"]
        self.bands[self.band] += 1
        self.history.append(self.risk)
        self.factors.update(item["words"] for item in snapshot["factors"])

    def to_plain(self, granted: Grants | None) -> dict[str, Any]:
        """For programs."""
        return {
            "agent": self.agent,
            "elevated": self.bands[1],
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": self.highest,
            "history": self.history[-WIDTH:],
            "last_us": self.last_us,
            "reach": self.reach.to_plain(granted),
            "risk": self.risk,
            "scored": self.scored,
            "session": self.session,
        }


def risk(
    agent: Annotated[str, typer.Argument(metavar="[AGENT]", help="One agent in full.")] = "",
    *,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the history of one agent as a chart.")
    ] = None,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the risk of each agent (0..1000), what moved it, and how it went."""
    _, url = where(home, db)
    if svg is not None:
        return _chart(url, tenant, agent, svg)
    with Reader(url) as reader:
        found, granted = _read(reader, one_tenant(reader, tenant), agent)
        unscored = _unscored(reader, tenant, agent, acted=bool(found))
    scored = sorted((row for row in found.values() if row.scored), key=lambda row: (-row.risk, row.agent))
    if json:
        beside = {row.agent: row.unscored for row in found.values() if row.unscored}
        print_json({"agents": [row.to_plain(granted[row.agent]) for row in scored], "unscored": beside})
        return Exit.OK
    view = console()
    if not scored:
        view.print(unscored, markup=False)
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most"):
        table.add_column(title, justify="right" if title in ("risk", "highest", "elevated", "high") else "left")
    for row in scored:
        words = next(iter(row.factors), "") if row.factors else "-"
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        table.add_row(cell(row.agent), str(row.risk), _BANDS[row.band], *counts, line(row.history), cell(words))
    view.print(table)
    for told in _beside(found):
        view.print(told, markup=False)
    if agent:
        for words, times in scored[0].factors.most_common(_MOST):
            view.print(f"  {times:>4} x {words}", markup=False)
        for text in scored[0].reach.lines(granted[agent]):
            view.print(f"  {text}", markup=False)
    return Exit.OK


def _beside(found: Mapping[str, _Agent]) -> Iterator[str]:
    """Agents that act beside scored ones, and have no score."""
    for name, row in sorted(found.items()):
        if row.unscored and not row.scored:
            told = plural(row.unscored, "action")
            yield f"  {told} of {name} beside them without a score: `halo baseline fit {name}`"


def _read(reader: Reader, tenant: str, agent: str) -> tuple[dict[str, _Agent], dict[str, Grants | None]]:
    """What agents did, and what they hold; None for one that stands on no passport of its own."""
    found: dict[str, _Agent] = {}
    for item in entries(reader, tenant, (EntryKind.DECISION,)):
        name = item.entry.body["request"]["subject"]["agent"]
        if not agent or name == agent:
            found.setdefault(name, _Agent(name)).take(item)
    kept = {name: current(reader, tenant, name) for name in found}
    return found, {name: None if chain is None else chain.links[0].grants for name, chain in kept.items()}


def _unscored(reader: Reader, tenant: str | None, agent: str, *, acted: bool) -> str:
    """What to do where no action was scored."""
    whose = one_tenant(reader, tenant)
    fitted = {name for known, name, blob in reader.baselines() if known == whose and blob and name != IDENTITIES}
    if agent in fitted or (not agent and fitted):
        return "no action was scored yet: a score is in force from the next action on"
    if agent and not acted:
        return f"no action of `{agent}` is in the log: `halo agents` lists who acted"
    return f"no action was scored yet: `halo baseline fit {agent or 'AGENT'}` puts a score in force"


def _chart(url: str, tenant: str | None, agent: str, path: Path) -> int:
    if not agent:
        raise ConfigError("no_agent", "a chart is of one agent", field="agent", remedy="name it: `halo risk AGENT`")
    with Reader(url) as reader:
        told = history(agent, entries(reader, one_tenant(reader, tenant), KINDS))
    if not told.actions:
        raise ConfigError(
            "no_score", f"no action of `{agent}` was scored", field="agent", remedy=f"`halo baseline fit {agent}`"
        )
    try:
        path.write_text(draw_risk(told), encoding="utf-8")
    except OSError as exc:
        why, remedy = f"cannot write `{path}`: {exc.strerror}", "name a file in a folder that you can write to"
        raise ConfigError("no_file", why, field="svg", remedy=remedy) from exc
    console().print(f"written to {path}", markup=False)
    return Exit.OK
