"""`halo budget` and `halo authority`: what a session may still spend, and how its authority fell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from halo_core.cli.authority_plot import draw_terminal_chart
from halo_core.cli.context import StoreContext, store_verb, write_text_file
from halo_core.cli.rendering import Exit, build_table, console, print_json, safe_text
from halo_core.clock import SystemClock, format_iso
from halo_core.views.authority_chart import draw_authority_chart
from halo_core.views.authority_curve import load_authority
from halo_core.views.budgets import LinkBudget, NextLimit, PassportBudget, SessionBudget, build_session_budget
from halo_core.views.chart_layout import format_headline, lay_out
from halo_core.views.sessions import choose_session, load_sessions, load_trees
from halo_core.views.wording import format_amount, format_duration, format_percent, format_utc_minute, shorten_hash

_MAX_WIDTH: Final = 100
_TITLES: Final = ("spent", "reserved", "limit", "ceiling")
_MAX_BAR: Final = 20
_MIN_BAR: Final = 6
_SHARE_WIDTH: Final = 6
_GAP: Final = "  "
_LOW: Final = 60
_HIGH: Final = 85
_US_PER_S: Final = 1_000_000

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id of a session, or the first characters of it (default: the newest).")
]
AgentOption = Annotated[str, typer.Option("--agent", help="Only sessions and links of this agent.")]


@store_verb()
def budget(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    everything: Annotated[bool, typer.Option("--all", help="A table of all sessions.")] = False,
    store: StoreContext,
) -> int:
    """Show what a session has spent and may still spend, for each hand-off."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        states = load_sessions(reader, tenant, agent)
        state = choose_session(states, session)
        wanted = states if everything else [state] if state is not None else []
        budgets = [build_session_budget(s, load_trees(reader, tenant, s, now_us, agent), now_us) for s in wanted]
    if store.json:
        reports = [item.to_json() for item in budgets]
        print_json(reports if everything else reports[0] if reports else None)
    elif not budgets:
        whose = f"no session of `{agent[:64]}`" if agent else "no session"
        console().print(f"{whose} has a passport in force", markup=False)
    elif everything:
        console().print(_build_table(budgets))
    else:
        view = console()
        for line in _render_budget(budgets[0], min(view.width, 100)):
            view.print(line)
    return Exit.OK


def _build_table(budgets: list[SessionBudget]) -> Table:
    titles = ("session", "agents", "epoch", "steps", "authority", "runs out first", "last seen")
    table = build_table(titles, no_wrap=titles[2:])
    for item in budgets:
        roots = [link for passport in item.standing for link in passport.links]
        first = item.first
        table.add_row(
            safe_text(item.session),
            safe_text(", ".join(item.agents)),
            ", ".join(str(link.epoch) for link in roots),
            f"{item.steps:,}",
            ", ".join(format_percent(link.authority or 0) for link in roots),
            safe_text(f"{first.unit}, {100 * first.used // max(first.limit, 1)}% used") if first else "-",
            format_iso(item.seen_us)[:19] + "Z",
        )
    return table


@dataclass(frozen=True, slots=True)
class _BudgetRow:
    """A line: a heading of a link, or one unit with its numbers (spent, reserved, limit, ceiling)."""

    name: str
    about: str = ""
    cells: tuple[str, ...] = ()
    used: int = 0
    reserved: int = 0
    limit: int = 0
    dim: bool = False


def draw_bar(used: int, reserved: int, limit: int, width: int) -> str:
    """`█` for what is spent, `▒` for what is reserved, `░` for the rest; what was spent at all shows."""
    total = max(limit, 1)
    spent = min(max(round(width * used / total), used > 0), width)
    reserved_cells = min(max(round(width * reserved / total), reserved > 0), width - spent)
    return "█" * spent + "▒" * reserved_cells + "░" * (width - spent - reserved_cells)


def _render_budget(item: SessionBudget, width: int) -> list[Text]:
    """The tree of a session, at most `width` columns wide where the names allow."""
    rows = [row for passport in item.standing for row in _build_passport_rows(passport)]
    units = [row for row in rows if row.cells]
    name = max((len(row.name) for row in units), default=0)
    columns = [max(len(title), *(len(row.cells[i]) for row in units)) for i, title in enumerate(_TITLES)]
    room = width - name - sum(columns) - len(_GAP) * (len(columns) + 1) - _SHARE_WIDTH
    length = max(min(room, _MAX_BAR), _MIN_BAR)
    age = format_duration((item.now_us - item.opened_us) // _US_PER_S)
    titles = _GAP.join(title.rjust(columns[i]) for i, title in enumerate(_TITLES))
    return [
        Text.assemble("session ", safe_text(item.session, "bold"), f", open for {age}, {item.steps:,} decisions"),
        Text(f"{'':{name}}{_GAP}{titles}", style="dim"),
        *(_render_budget_row(row, name, columns, length) for row in rows),
        Text(""),
        _render_next_limit(item.first),
    ]


def _render_budget_row(row: _BudgetRow, name: int, columns: list[int], length: int) -> Text:
    if not row.cells:
        return Text.assemble(safe_text(row.name, "dim bold" if row.dim else "bold"), "  ", safe_text(row.about, "dim"))
    numbers = _GAP.join(text.rjust(columns[i]) for i, text in enumerate(row.cells))
    share = 100 * (row.used + row.reserved) // max(row.limit, 1)
    colour = "green" if share < _LOW else "yellow" if share < _HIGH else "red"
    line = Text(style="dim" if row.dim else "")
    line.append_text(safe_text(f"{row.name:{name}}"))
    line.append(f"{_GAP}{numbers}{_GAP}")
    line.append(draw_bar(row.used, row.reserved, row.limit, length), style="dim" if row.dim else colour)
    line.append(f" {share:>4}%")
    return line


def _build_passport_rows(item: PassportBudget) -> Iterator[_BudgetRow]:
    until = format_utc_minute(item.until_s)[:10]
    yield _BudgetRow(item.agent, f"standing passport {shorten_hash(item.hash)} for {item.principal}, until {until}")
    for quota in item.quotas:
        used, limit = (format_amount(amount, quota.decimals) for amount in (quota.used, quota.per_day))
        yield _BudgetRow(f"  {quota.unit} today", cells=(used, "", limit, ""), used=quota.used, limit=quota.per_day)
    for link in item.links:
        yield from _build_link_rows(link, "")


def _build_link_rows(link: LinkBudget, indent: str) -> Iterator[_BudgetRow]:
    dim = link.status != "live"
    yield _BudgetRow(f"{indent}└ {link.agent}", _describe_link(link), dim=dim)
    for unit in link.units:
        if dim and unit.unit == "time":
            continue  # a link that is gone has no age
        spent, reserved, limit, left = (
            _format_hours(amount) if unit.unit == "time" else format_amount(amount, unit.decimals)
            for amount in (
                unit.committed,
                unit.reserved,
                unit.limit,
                unit.left if unit.ceiling is None else unit.ceiling,
            )
        )
        # The links above may have less left than this link has by itself.
        above = f"{left} above" if not dim and unit.left < max(unit.limit - unit.used, 0) else ""
        yield _BudgetRow(
            f"{indent}    {unit.unit}",
            cells=(spent, reserved if unit.reserved else "", limit, above if unit.ceiling is None else left),
            used=unit.committed,
            reserved=unit.reserved,
            limit=unit.limit,
            dim=dim,
        )
    for child in link.links:
        yield from _build_link_rows(child, f"{indent}  ")


def _describe_link(link: LinkBudget) -> str:
    authority = format_percent(link.authority or 0)
    if link.kind == "session":
        return f"session link, epoch {link.epoch}, authority {authority}"
    parents = " and ".join(reversed(link.debits))
    if link.status != "live":
        return f"hand-off, {link.status}; {parents} spent this too"
    return f"hand-off, authority {authority}; {parents} spends this too"


def _format_hours(value: int) -> str:
    hours, rest = divmod(value, 3600)
    return f"{hours:,}:{rest // 60:02}:{rest % 60:02}"


def _render_next_limit(first: NextLimit | None) -> Text:
    if first is None:
        return Text("nothing has been spent yet")
    limit_name = {"standing": "today's quota", "session": "session link"}.get(first.kind, "hand-off link")
    line = Text.assemble(
        "runs out first: ", safe_text(first.unit, "bold"), " of ", safe_text(first.agent), f"'s {limit_name}, "
    )
    if first.actions is None:
        return line.append(f"{format_duration(first.left)} left")
    left, limit = (format_amount(amount, first.decimals) for amount in (first.left, first.limit))
    return line.append(f"{left} of {limit} left: about {first.actions:,} more decisions at this rate")


class Axis(StrEnum):
    """What runs along the chart."""

    TIME = "time"
    DECISIONS = "decisions"


@store_verb()
def authority(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the chart as SVG.")] = None,
    by: Annotated[
        Axis | None, typer.Option("--by", help="The horizontal axis (default: the one that cost more authority).")
    ] = None,
    store: StoreContext,
) -> int:
    """Draw a session's authority over time, its floors, and when which actions stop."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        state = choose_session(load_sessions(reader, tenant, agent), session)
        view = load_authority(reader, tenant, state, agent, now_us) if state is not None else None
    if view is None:
        if store.json:
            print_json(None)
        else:
            console().print("no session has a decision under a passport yet")
        return Exit.OK
    scene = lay_out(view.curve, view.floors, view.now_us, timed=None if by is None else by is Axis.TIME)
    title = format_headline(view.curve.agent, view.session, scene, view.curve.account.epoch)
    if svg is not None:
        write_text_file(svg, draw_authority_chart(scene, view.floors, title, view.outlook), "svg")
    if store.json:
        print_json(view.to_json())
        return Exit.OK
    out = console()
    out.print(safe_text(title, "bold"))
    for line in draw_terminal_chart(scene, view.floors, min(out.width, _MAX_WIDTH)):
        out.print(line)
    out.print(safe_text(view.outlook))
    if svg is not None:
        out.print(f"written to {svg}", markup=False)
    return Exit.OK
