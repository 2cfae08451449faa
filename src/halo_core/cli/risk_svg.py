"""Room: an agent's risk as SVG. Takes: a history. Gives: one self-contained document. Never: I/O, scripts.

┃  an action: its own risk, coloured by band        ━━  the session so far: rises at once, falls slowly
▼  somebody should look    ✗ denied    ◇ somebody was asked    ╌╌  the limits in force then
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from halo_core.cli.risk_history import Cell, History, cells, runs
from halo_core.cli.risk_words import BANDS, cut, in_words, keys, legend_of, minute, numbers, plural, tip_of
from halo_core.cli.svg_paper import SIGNS, document, safe, sign
from halo_core.cli.svg_places import LEFT, PLOT, apart

__all__ = ["draw_risk"]

_HEIGHT: Final = 300
_LINE: Final = 16
_MOST_CELLS: Final = 130
"""More actions are drawn several as one."""
_LANE: Final = 20
_THOUSAND: Final = 1000
_LEVELS: Final = (0, 250, 500, 750, 1000)
_LANES: Final = {"challenge": "asked", "deny": "stopped"}
_LEAST_SPAN: Final = 9
"""Pixels of a session below which its place is not shown."""
_LEAST_NAME: Final = 30
_APART: Final = 11
_ROWS: Final = 3
"""Under the axis: numbers of actions, sessions, times."""


def draw_risk(told: History) -> str:
    """The document; the history has at least one action."""
    drawn = cells(told, _MOST_CELLS)
    many = len(drawn[0].actions)
    about = wrap(
        in_words(told)
        + (f". A bar is {many} actions: of each colour the highest, as wide as its share" if many > 1 else ""),
        120,
    )
    lanes = [effect for effect in SIGNS if many > 1 and any(item.effect == effect for item in told.actions)]
    top = 82 + _LINE * len(about) + _LANE * len(lanes)
    legend = legend_of(told, lanes, many=many > 1)
    height = top + _HEIGHT + 30 + _LINE * _ROWS + 24 * (1 + max(row for *_, row in legend))
    title = f"Risk of {told.agent}: {told.now} of 1000 now, {told.highest} at most"
    picture = _Picture(told, drawn, top)
    parts = [
        f'<text class="ink head" x="{LEFT}" y="34">{safe(title)}</text>',
        *(f'<text class="soft" x="{LEFT}" y="{56 + _LINE * n}">{safe(line)}</text>' for n, line in enumerate(about)),
        *picture.sessions(),
        *picture.grid(),
        *picture.actions(),
        *picture.limits(),
        *picture.line(),
        *picture.dots(),
        *(picture.lanes(lanes) if lanes else picture.verdicts()),
        *picture.alerts(_LANE * len(lanes)),
        *picture.axis(),
        *keys(legend, top + _HEIGHT + 30 + _LINE * _ROWS),
    ]
    return document(
        title, f"Bars of the risk of each action, a line of the risk of its session. {in_words(told)}", parts, height
    )


class _Picture:
    """Parts of the drawing; each gives SVG elements."""

    def __init__(self, told: History, drawn: list[Cell], top: float) -> None:
        self._told = told
        self._top = top
        self._bottom = top + _HEIGHT
        self._cells = drawn
        self._many = len(drawn[0].actions)
        self._slot = PLOT / len(told.actions)

    def _x(self, place: float) -> float:
        return LEFT + place * self._slot

    def _middle(self, cell: Cell) -> float:
        return self._x(cell.first + len(cell.actions) / 2)

    def _y(self, risk: int) -> float:
        return self._bottom - risk / _THOUSAND * _HEIGHT

    def grid(self) -> Iterator[str]:
        for level in _LEVELS:
            y = self._y(level)
            yield f'<line class="s-grid" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="soft" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'
        spot = f"translate(22 {(self._top + self._bottom) / 2:.0f}) rotate(-90)"
        yield f'<text class="soft" transform="{spot}" text-anchor="middle">risk</text>'

    def sessions(self) -> Iterator[str]:
        """Every other one on a darker ground, by name where there is room."""
        y = self._bottom + 20 + _LINE
        spans = self._told.spans
        shown = PLOT / len(spans) >= _LEAST_SPAN
        for number, span in enumerate(spans if shown else ()):
            left, size = self._x(span.start), (span.end - span.start) * self._slot
            if number % 2:
                place = f'x="{left:.1f}" y="{self._top:.1f}" width="{size:.1f}" height="{_HEIGHT}"'
                yield f'<rect class="f-soft band" {place}/>'
            if number:
                ends = f'y1="{self._top:.1f}" y2="{self._bottom + _LINE * 2 + 6:.1f}"'
                yield f'<line class="s-edge thin" x1="{left:.1f}" x2="{left:.1f}" {ends}/>'
            if size >= _LEAST_NAME:
                name = f"{safe(cut(span.session, size - 6))}<title>{safe(span.session)}</title>"
                yield f'<text class="soft" x="{left + 4:.1f}" y="{y:.1f}">{name}</text>'
        if not shown or max(span.end - span.start for span in spans) * self._slot < _LEAST_NAME:
            words = plural(len(spans), "session") + ("" if shown else ", too many to show where each begins")
            yield f'<text class="soft over" x="{LEFT + 4}" y="{y:.1f}">{words}</text>'

    def limits(self) -> Iterator[str]:
        """As they were when each action was decided; the last ones by name."""
        found = runs([item.limits for item in self._told.actions])
        for start, end, pair in found:
            for (name, word), level in zip(BANDS[1:], pair, strict=True):
                y, x1, x2 = self._y(level), self._x(start), self._x(end)
                tip = f"<title>{word} above {level}</title>"
                place = f'x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
                yield f'<line class="s-paper" stroke-width="3" stroke-opacity=".6" {place}/>'
                yield f'<line class="s-{name} floor" {place}>{tip}</line>'
        if not found or found[-1][1] != len(self._told.actions):
            return
        right = LEFT + PLOT
        named = list(zip(BANDS[:0:-1], reversed(found[-1][2]), strict=True))
        wanted = [self._y(level) for _, level in named]
        for ((name, word), level), y, label in zip(named, wanted, apart(wanted, _LINE, self._bottom), strict=True):
            yield f'<path class="s-{name} line thin" d="M{right} {y:.1f}L{right + 10} {label:.1f}"/>'
            yield f'<text class="{name}" x="{right + 14}" y="{label + 4:.1f}">{word} above {level}</text>'

    def actions(self) -> Iterator[str]:
        """A bar for each band: its highest action, as wide as its share."""
        full = min(self._slot * self._many * 0.8, 6)
        for cell in self._cells:
            x = self._middle(cell)
            for band, (name, _) in enumerate(BANDS):
                some = [item for item in cell.actions if min(item.band, 2) == band]
                top = max(some, key=lambda item: item.risk, default=None)
                if top is not None and top.risk:
                    size = max(full * len(some) / len(cell.actions), min(full, 1.2))
                    bar = f'stroke-width="{size:.1f}" d="M{x:.1f} {self._bottom:.1f}V{self._y(top.risk):.1f}"'
                    yield f'<path class="s-{name}" {bar}>{tip_of(top)}</path>'

    def dots(self) -> Iterator[str]:
        """An action each, over the line, where they are few."""
        if self._many > 1:
            return
        for cell in self._cells:
            x, y, name = self._middle(cell), self._y(cell.top.risk), BANDS[min(cell.top.band, 2)][0]
            spot = f'cx="{x:.1f}" cy="{y:.1f}" r="3.2" stroke-width="1"'
            yield f'<circle class="f-{name} s-paper" {spot}>{tip_of(cell.top)}</circle>'

    def line(self) -> Iterator[str]:
        """A step for each, not joined between sessions, nor where several actions are one."""
        pieces: list[str] = []
        session = None
        for cell in self._cells:
            y, first = self._y(cell.session_risk), cell.actions[0].session
            joined = first == session and self._many == 1
            pieces.append(f"{'V' if joined else f'M{self._x(cell.first):.1f} '}{y:.1f}")
            pieces.append(f"H{self._x(cell.first + len(cell.actions)):.1f}")
            session = first
        yield f'<path class="s-curve line" d="{"".join(pieces)}"/>'

    def verdicts(self) -> Iterator[str]:
        """What was denied or asked about, at its risk; where they would cover each other, one for all."""
        taken = set()
        for cell in self._cells:
            for item in cell.actions:
                x, y = self._middle(cell), self._y(item.risk)
                place = (item.effect, round(x / _APART), round(y / _APART))
                if item.effect in SIGNS and place not in taken:
                    taken.add(place)
                    yield f"<g>{sign(item.effect, x, y)}{tip_of(item)}</g>"

    def lanes(self, effects: list[str]) -> Iterator[str]:
        """Over the chart, where there is no room in it: which share of the actions was denied or asked about."""
        size = self._slot * self._many * 0.7
        for lane, effect in enumerate(effects):
            y = self._top - 6 - _LANE * lane
            name = _LANES[effect]
            for cell in self._cells:
                count = sum(item.effect == effect for item in cell.actions)
                if count:
                    high = 3 + (_LANE - 9) * count / len(cell.actions)
                    tip = f"<title>{effect}: {count} of {len(cell.actions)}</title>"
                    bar = f'stroke-width="{size:.1f}" d="M{self._middle(cell):.1f} {y:.1f}v-{high:.1f}"'
                    yield f'<path class="s-{name}" {bar}>{tip}</path>'
            yield f'<line class="s-grid" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="{name}" x="{LEFT + PLOT + 14}" y="{y - 1:.1f}">{SIGNS[effect]}</text>'

    def alerts(self, above: float) -> Iterator[str]:
        """Over the chart; neighbours under one mark with their number."""
        groups: dict[int, list[tuple[float, int]]] = {}
        for cell in self._cells:
            if cell.alerts:
                x = self._middle(cell)
                groups.setdefault(int(x / (2 * _APART)), []).append((x, len(cell.alerts)))
        y = self._top - 7 - above
        for column, group in groups.items():
            x = group[0][0] if len(group) == 1 and self._many == 1 else (column + 0.5) * 2 * _APART
            count = sum(number for _, number in group)
            tip = f"<title>{plural(count, 'alert')}</title>"
            yield f'<path class="f-stopped" d="M{x - 5:.1f} {y - 8:.1f}h10l-5 8Z">{tip}</path>'
            if count > 1:
                yield f'<text class="stopped strong" x="{x:.1f}" y="{y - 12:.1f}" text-anchor="middle">{count}</text>'

    def axis(self) -> Iterator[str]:
        y = self._bottom
        actions = self._told.actions
        yield f'<line class="s-soft" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y}" y2="{y}"/>'
        for number in numbers(len(actions)):
            x = self._x(number - 0.5)
            yield f'<line class="s-soft" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>'
            anchor = "end" if x > LEFT + PLOT - 12 else "middle"
            yield f'<text class="soft" x="{x:.1f}" y="{y + 19}" text-anchor="{anchor}">{number:,}</text>'
        right = LEFT + PLOT + 14
        yield f'<text class="soft" x="{right}" y="{y + 19}">actions</text>'
        yield f'<text class="soft" x="{right}" y="{y + 20 + _LINE}">sessions</text>'
        first, last = (minute(pick(item.ts_us for item in actions)) for pick in (min, max))
        below = y + 22 + 2 * _LINE
        yield f'<text class="soft" x="{LEFT + 4}" y="{below}">{first}</text>'
        if last != first:
            yield f'<text class="soft" x="{LEFT + PLOT}" y="{below}" text-anchor="end">{last}</text>'
        yield f'<text class="soft" x="{right}" y="{below}">UTC</text>'
