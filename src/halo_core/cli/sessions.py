"""`halo budget` and `halo authority`: what a session spent, and how its authority fell, as a curve in a terminal.

The curve is drawn with Braille characters, 2 dots across and 4 down in each. Floors are dashed lines with their names
at the right edge, hand-offs are lanes under the axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb, write_text_file
from halo_core.cli.rendering import build_table, console, print_json, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.durations import SECOND_US
from halo_core.model import AUTHORITY_ONE
from halo_core.quick_dataclass import dataclass
from halo_core.views.authority_chart import Scene, draw_authority_chart, format_headline, lay_out
from halo_core.views.authority_curve import Floor, group_by_level, load_authority
from halo_core.views.next_limits import NextLimit
from halo_core.views.sessions import (
    LinkBudget,
    PassportBudget,
    SessionBudget,
    build_session_budget,
    choose_session,
    load_sessions,
    load_trees,
)
from halo_core.views.wording import (
    format_amount,
    format_count,
    format_duration,
    format_percent,
    format_utc_minute,
    shorten_hash,
)

_ROWS: Final = 18
_MARGIN: Final = 5
_MAX_LABEL: Final = 28
_QUARTERS: Final = (1_000_000, 750_000, 500_000, 250_000, 0)
_BITS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_SIGNS: Final = {"deny": ("✗", "bold red"), "challenge": ("?", "bold magenta")}
_CURVE: Final = "bold cyan"
_AHEAD: Final = "cyan"
_MARK: Final = "magenta"
_STOPPED: Final = "red"


class _Canvas:
    """Rows of styled characters, over them the dots of curves, and over both the marks."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._text = [[(" ", "")] * columns for _ in range(_ROWS)]
        self._dots: dict[tuple[int, int], tuple[int, str]] = {}
        self._over: dict[tuple[int, int], tuple[str, str]] = {}

    def mark(self, row: int, column: int, character: str, style: str) -> None:
        """Draw a character over everything else."""
        self._over[row, min(column, self.columns - 1)] = (character, style)

    def put(self, row: int, column: int, character: str, style: str) -> None:
        if 0 <= row < _ROWS and 0 <= column < self.columns:
            self._text[row][column] = (character, style)

    def draw_line(self, corners: Sequence[tuple[float, int]], width: float, style: str, *, every: int = 1) -> None:
        """Draw a line through corners (x up to `width`, authority in millionths), or only each `every`th dot of it."""
        spots = [self._find_spot(x / width, authority) for x, authority in corners]
        number = 0
        for (x0, y0), (x1, y1) in pairwise(spots):
            steps = max(abs(x1 - x0), abs(y1 - y0))
            for k in range(steps + (steps == 0)):
                if number % every == 0:
                    self._set_dot(
                        x0 + round((x1 - x0) * k / max(steps, 1)), y0 + round((y1 - y0) * k / max(steps, 1)), style
                    )
                number += steps > 0

    def _find_spot(self, share: float, authority: int) -> tuple[int, int]:
        return round(share * (2 * self.columns - 1)), round((1 - authority / AUTHORITY_ONE) * (4 * _ROWS - 1))

    def _set_dot(self, x: int, y: int, style: str) -> None:
        place = (y // 4, x // 2)
        bits, dot_style = self._dots.get(place, (0, style))
        self._dots[place] = (bits | _BITS[x % 2][y % 4], dot_style)

    def render_row(self, number: int) -> Text:
        line = Text()
        for column, (character, style) in enumerate(self._text[number]):
            bits, colour = self._dots.get((number, column), (0, ""))
            if (number, column) in self._over:
                line.append(*self._over[number, column])
                continue
            line.append(chr(0x2800 + bits) if bits else character, style=colour if bits else style)
        return line


def draw_terminal_chart(scene: Scene, floors: Sequence[Floor], width: int) -> list[Text]:
    """The chart, `width` columns wide."""
    labels = _place_labels(floors)
    right = max((len(text) for text, _ in labels.values()), default=0)
    canvas = _Canvas(max(width - _MARGIN - 2 - right - 1, 20))
    for level, group in group_by_level(floors).items():
        style = _choose_style(group)
        for column in range(canvas.columns):
            canvas.put(_find_row(level), column, "╌", style)
    marks = [(x, ", ".join(filter(None, (f"epoch {item.epoch}", item.approver)))) for x, item in scene.epochs]
    for x, _ in marks:
        _draw_vertical(canvas, _find_column(x, scene, canvas), "┊", _MARK)
    now = _find_column(scene.now[0], scene, canvas)
    _draw_vertical(canvas, now, "│", "dim")
    canvas.draw_line(scene.ahead, scene.width, _AHEAD, every=3)
    canvas.draw_line(scene.line, scene.width, _CURVE)
    refused = _mark_refusals(canvas, scene)
    lines = _place_headings(marks, now, scene, canvas)
    ticks = {_find_row(level): format_percent(level) for level in _QUARTERS}
    for number in range(_ROWS):
        label, style = labels.get(number, ("", ""))
        edge = "┤" if number in ticks else "│"
        lines.append(
            Text.assemble(
                (f"{ticks.get(number, ''):>{_MARGIN}} {edge}", "dim"),
                canvas.render_row(number),
                " ",
                safe_text(label, style),
            )
        )
    return [*lines, *_draw_axis(scene, canvas, width), *_draw_hand_offs(scene, canvas), *_build_legend(refused, scene)]


def _mark_refusals(canvas: _Canvas, scene: Scene) -> list[str]:
    """Mark what did not run, and where the next class stops; returns the effects that were marked."""
    effects = []
    for x, dot in scene.points:
        if dot.effect in _SIGNS:
            canvas.mark(_find_row(dot.after), _find_column(x, scene, canvas), *_SIGNS[dot.effect])
            effects.append(dot.effect)
    if scene.stop is not None:
        canvas.mark(_find_row(scene.stop[1]), _find_column(scene.stop[0], scene, canvas), "○", _AHEAD)
    return effects


def _build_legend(refused: list[str], scene: Scene) -> list[Text]:
    line = Text(" " * (_MARGIN + 2))
    for effect, (sign, style) in _SIGNS.items():
        if effect in refused:
            line.append(sign, style=style)
            line.append(f" {effect}   ", style="dim")
    if scene.stop is not None:
        line.append("○", style=_AHEAD)
        line.append(f" {scene.stop[2]} stops, {scene.condition}", style="dim")
    return [line] if line.plain.strip() else []


def _find_row(authority: int) -> int:
    return round((1 - authority / AUTHORITY_ONE) * (4 * _ROWS - 1)) // 4


def _find_column(x: float, scene: Scene, canvas: _Canvas) -> int:
    return round(x / scene.width * (2 * canvas.columns - 1)) // 2


def _choose_style(group: Iterable[Floor]) -> str:
    group = list(group)
    if any(item.used and not item.possible for item in group):
        return _STOPPED
    return "yellow" if any(item.used for item in group) else "dim"


def _place_labels(floors: Sequence[Floor]) -> dict[int, tuple[str, str]]:
    """Row → (label, style), each level on a row of its own."""
    placed: dict[int, tuple[str, str]] = {}
    for level, group in group_by_level(floors).items():
        row = _find_row(level)
        while row in placed and row < _ROWS - 1:
            row += 1
        first = sorted(group, key=lambda item: not item.used)
        names = (("✗" if item.used and not item.possible else "") + item.impact.value for item in first)
        text = f"{format_percent(level)} {' '.join(names)}"
        placed[row] = (text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…", _choose_style(group))
    return placed


def _draw_vertical(canvas: _Canvas, column: int, character: str, style: str) -> None:
    for row in range(_ROWS):
        canvas.put(row, column, character, style)


def _place_headings(marks: list[tuple[float, str]], now: int, scene: Scene, canvas: _Canvas) -> list[Text]:
    """What stands over the chart: epochs and now, on as many lines as keep them apart."""
    headings = [(_find_column(x, scene, canvas), text, _MARK) for x, text in marks]
    headings.append((now, f"now, {scene.late} later" if scene.late else "now", "dim"))
    rows: list[list[tuple[int, str, str]]] = []
    for column, text, style in headings:
        start = max(min(column, canvas.columns - len(text)), 0)
        row = next((row for row in rows if row[-1][0] + len(row[-1][1]) < start), None)
        if row is None:
            rows.append([(start, text, style)])
        else:
            row.append((start, text, style))
    return [_render_spread(row, " " * (_MARGIN + 2)) for row in rows]


def _render_spread(row: list[tuple[int, str, str]], margin: str) -> Text:
    line, length = Text(margin), 0
    for start, text, style in row:
        line.append(" " * (start - length))
        line.append_text(safe_text(text, style))
        length = start + len(text)
    return line


def _draw_axis(scene: Scene, canvas: _Canvas, width: int) -> list[Text]:
    marks = {_find_column(x, scene, canvas): label for x, label in scene.ticks if x <= scene.width}
    rule = "".join("┴" if column in marks else "─" for column in range(canvas.columns))
    row: list[tuple[int, str, str]] = []
    for column, text in sorted(marks.items()):
        start = max(min(column - len(text) // 2, canvas.columns - len(text)), 0)
        if not row or row[-1][0] + len(row[-1][1]) < start:
            row.append((start, text, "dim"))
    line, title = _render_spread(row, " " * (_MARGIN + 2)), Text(f"  {scene.axis}", style="dim")
    has_room = len(line) + len(title) <= width
    return [
        Text(f"{'':{_MARGIN}} └{rule}", style="dim"),
        *([line.append_text(title)] if has_room else [line, Text(" " * _MARGIN) + title]),
    ]


def _draw_hand_offs(scene: Scene, canvas: _Canvas) -> list[Text]:
    lines = []
    for since, until, item in scene.hand_offs[:4]:
        start = _find_column(since, scene, canvas)
        length = max(_find_column(until, scene, canvas) - start, 1)
        end = "┤" if item.until is not None else "▶"
        status = "handed back" if item.until is not None else "acts for it"
        name = safe_text(f"{item.agent}, {status}", "dim")
        span = Text(f"├{'─' * (length - 1)}{end}", style=_MARK)
        if start + length + 1 + len(name) <= canvas.columns + _MAX_LABEL // 2 or len(name) >= start:
            parts = [Text(" " * (_MARGIN + 2 + start)), span, Text(" "), name]
        else:
            parts = [Text(" " * (_MARGIN + 1 + start - len(name))), name, Text(" "), span]
        lines.append(Text.assemble(*parts))
    if len(scene.hand_offs) > 4:
        lines.append(Text(f"{'':{_MARGIN + 2}}and {len(scene.hand_offs) - 4} more hand-offs", style="dim"))
    return lines


_MAX_WIDTH: Final = 100
_TITLES: Final = ("spent", "reserved", "limit", "ceiling")
_MAX_BAR: Final = 20
_MIN_BAR: Final = 6
_SHARE_WIDTH: Final = 6
_GAP: Final = "  "
_LOW: Final = 60
_HIGH: Final = 85

SessionArgument = Annotated[
    str, Argument(metavar="SESSION", help="Id of a session, or the first characters of it (default: the newest).")
]
AgentOption = Annotated[str, Option("--agent", help="Only sessions and links of this agent.")]


@store_verb()
def budget(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    everything: Annotated[bool, Option("--all", help="A table of all sessions.")] = False,
    store: StoreContext,
) -> None:
    """Show what a session has spent and may still spend, for each hand-off."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        states = load_sessions(reader, tenant, agent)
        state = choose_session(states, session)
        wanted = states if everything else [state] if state is not None else []
        budgets = [build_session_budget(s, load_trees(reader, tenant, s, now_us, agent), now_us) for s in wanted]
    if store.print_json(budgets if everything else next(iter(budgets), None)):
        return
    if not budgets:
        absence = f"no session of `{agent[:64]}`" if agent else "no session"
        say_plainly(f"{absence} has a passport in force")
    elif everything:
        say(_build_table(budgets))
    else:
        for line in _render_budget(budgets[0], min(console().width, _MAX_WIDTH)):
            say(line)


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
    """A line of the table: the heading of a link (without cells), or one unit.

    Args:
        name: name of the agent or the unit, indented.
        about: what a heading says of its link.
        cells: spent, reserved, limit and ceiling, as texts.
        used: amount spent, in the unit's smallest part, for the bar.
        reserved: amount reserved, likewise.
        limit: the limit, likewise.
        dim: whether the link is no longer live.
    """

    name: str
    about: str = ""
    cells: tuple[str, ...] = ()
    used: int = 0
    reserved: int = 0
    limit: int = 0
    dim: bool = False


def draw_bar(used: int, reserved: int, limit: int, width: int) -> str:
    """A bar: `█` for what is spent, `▒` for what is reserved, `░` for the rest; any amount above 0 gets a character."""
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
    age = format_duration((item.now_us - item.opened_us) // SECOND_US)
    titles = _GAP.join(title.rjust(columns[i]) for i, title in enumerate(_TITLES))
    return [
        Text.assemble(
            "session ", safe_text(item.session, "bold"), f", open for {age}, {format_count(item.steps, 'decision')}"
        ),
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
        spent, reserved, limit, remaining = (
            _format_hours(amount) if unit.unit == "time" else format_amount(amount, unit.decimals)
            for amount in (
                unit.committed,
                unit.reserved,
                unit.limit,
                unit.left if unit.ceiling is None else unit.ceiling,
            )
        )
        # The links above may have less left than this link has by itself.
        excess = f"{remaining} above" if not dim and unit.left < max(unit.limit - unit.used, 0) else ""
        yield _BudgetRow(
            f"{indent}    {unit.unit}",
            cells=(spent, reserved if unit.reserved else "", limit, excess if unit.ceiling is None else remaining),
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
    hours, remaining_s = divmod(value, 3600)
    return f"{hours:,}:{remaining_s // 60:02}:{remaining_s % 60:02}"


def _render_next_limit(first: NextLimit | None) -> Text:
    if first is None:
        return Text("nothing has been spent yet")
    limit_name = {"standing": "today's quota", "session": "session link"}.get(first.kind, "hand-off link")
    line = Text.assemble(
        "runs out first: ", safe_text(first.unit, "bold"), " of ", safe_text(first.agent), f"'s {limit_name}, "
    )
    if first.unit == "authority":
        stop = f"about {first.actions:,} more decisions until {first.impact} stops"
        return line.append(stop if first.actions else "nothing runs until the session is re-authorized")
    if first.actions is None:
        return line.append(f"{format_duration(first.left)} left")
    remaining, limit = (format_amount(amount, first.decimals) for amount in (first.left, first.limit))
    return line.append(f"{remaining} of {limit} left: about {first.actions:,} more decisions at this rate")


class Axis(StrEnum):
    """What runs along the chart."""

    TIME = "time"
    DECISIONS = "decisions"


@store_verb()
def authority(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    svg: Annotated[Path | None, Option("--svg", metavar="FILE", help="Write the chart as SVG.")] = None,
    by: Annotated[
        Axis | None, Option("--by", help="The horizontal axis (default: the one that cost more authority).")
    ] = None,
    store: StoreContext,
) -> None:
    """Draw a session's authority over time, its floors, and when which actions stop."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        state = choose_session(load_sessions(reader, tenant, agent), session)
        view = load_authority(reader, tenant, state, agent, now_us) if state is not None else None
    if view is None:
        if store.json:
            print_json(None)
        else:
            say("no session has a decision under a passport yet")
        return
    scene = lay_out(view.curve, view.floors, view.now_us, timed=None if by is None else by is Axis.TIME)
    title = format_headline(view.curve.agent, view.session, scene, view.curve.account.epoch)
    if svg is not None:
        write_text_file(svg, draw_authority_chart(scene, view.floors, title, view.outlook), "svg")
    if store.print_json(view):
        return
    say(safe_text(title, "bold"))
    for line in draw_terminal_chart(scene, view.floors, min(console().width, _MAX_WIDTH)):
        say(line)
    say(safe_text(view.outlook))
    if svg is not None:
        say_plainly(f"written to {svg}")
