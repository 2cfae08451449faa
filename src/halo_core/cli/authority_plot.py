"""The curve of a session's authority in a terminal.

Braille, eight dots a character: a curve of 60 columns has 120 places across. Floors are dashed lines with their names
at the right edge, hand-offs are lanes under the axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from rich.text import Text

from halo_core.cli.rendering import safe_text
from halo_core.views.authority_curve import Floor, group_by_level
from halo_core.views.chart_layout import Scene
from halo_core.views.wording import format_percent

_ROWS: Final = 18
_MILLION: Final = 1_000_000
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
    """Characters with styles; dots of a curve over them."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._text = [[(" ", "")] * columns for _ in range(_ROWS)]
        self._dots: dict[tuple[int, int], tuple[int, str]] = {}
        self._over: dict[tuple[int, int], tuple[str, str]] = {}

    def mark(self, row: int, column: int, character: str, style: str) -> None:
        """A character over everything else."""
        self._over[row, min(column, self.columns - 1)] = (character, style)

    def put(self, row: int, column: int, character: str, style: str) -> None:
        if 0 <= row < _ROWS and 0 <= column < self.columns:
            self._text[row][column] = (character, style)

    def draw_line(self, corners: Sequence[tuple[float, int]], width: float, style: str, *, every: int = 1) -> None:
        """A line through corners, or each `every`th dot of it."""
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
        return round(share * (2 * self.columns - 1)), round((1 - authority / _MILLION) * (4 * _ROWS - 1))

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
    """Mark what did not run, and where the next class stops; the effects that were marked."""
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
    return round((1 - authority / _MILLION) * (4 * _ROWS - 1)) // 4


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
    marks = {_find_column(tick.x, scene, canvas): tick.text for tick in scene.ticks if tick.x <= scene.width}
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
