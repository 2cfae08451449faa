"""SVG charts: the document, its colours, and the shapes that charts are put together from.

A document is self-contained, without scripts and outside fonts. It brings its own background and follows the reader's
colour scheme, so it can be read on a light and on a dark page. Names in it are not trusted: they are escaped, and
invisible characters are made visible. The width of a text is estimated from the number of its letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from halo_core.views.wording import escape_unprintable

CHART_WIDTH: Final = 960
PLOT_LEFT: Final = 76
PLOT_WIDTH: Final = 648
PLOT_RIGHT: Final = PLOT_LEFT + PLOT_WIDTH
LINE_HEIGHT: Final = 16
MAX_TICKS: Final = 6
_LETTER_WIDTH: Final = 6.9  # at 12 px


def estimate_width(text: str) -> float:
    """The approximate width of a text, pixels at 12 px."""
    return len(text) * _LETTER_WIDTH


def space_out(wanted: Sequence[float], gap: float, lowest: float) -> list[float]:
    """Move y coordinates, sorted from the top down, so that they are `gap` apart or more and none is below `lowest`."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + gap) if placed else y)
    for n in range(len(placed) - 1, -1, -1):
        most = lowest if n == len(placed) - 1 else placed[n + 1] - gap
        placed[n] = min(placed[n], most)
    return placed


_LIGHT: Final = {
    "paper": "#ffffff", "edge": "#d1d9e0", "ink": "#1f2328", "soft": "#59636e", "grid": "#eaeef2", "curve": "#0969da",
    "granted": "#9a6700", "stopped": "#cf222e", "other": "#818b98", "epoch": "#1a7f37", "given": "#8250df",
    "asked": "#bc4c00",
}  # fmt: skip


_DARK: Final = {
    "paper": "#0d1117", "edge": "#3d444d", "ink": "#f0f6fc", "soft": "#9198a1", "grid": "#21262d", "curve": "#4493f8",
    "granted": "#d29922", "stopped": "#f85149", "other": "#656c76", "epoch": "#3fb950", "given": "#ab7df8",
    "asked": "#f0883e",
}  # fmt: skip


_SHAPES: Final = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif}"
    ".head{font-size:17px;font-weight:600}.strong{font-weight:600}"
    ".floor{stroke-width:1;stroke-dasharray:6 4}.line{fill:none;stroke-width:2.25;stroke-linejoin:round}"
    ".ahead{stroke-dasharray:2 4;stroke-linecap:round}.thin{stroke-width:1}.area{stroke:none;fill-opacity:.1}"
    ".band{stroke:none;fill-opacity:.08}.bar{stroke:none;fill-opacity:.55}"
    ".over{paint-order:stroke;stroke-width:4;stroke-linejoin:round}"
)


def build_document(title: str, described: str, parts: Iterable[str], height: float) -> str:
    """The SVG document: title and description (for screen readers), and the elements that are drawn."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {CHART_WIDTH} {height}" width="{CHART_WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="halo-title halo-desc">\n'
        f'<title id="halo-title">{escape_text(title)}</title>\n'
        f'<desc id="halo-desc">{escape_text(described)}</desc>\n'
        f"<style>{_build_style(_LIGHT)}@media (prefers-color-scheme: dark){{{_build_style(_DARK)}}}{_SHAPES}</style>\n"
        f'<rect class="paper" x="0.5" y="0.5" width="{CHART_WIDTH - 1}" height="{height - 1}" rx="10"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _build_style(colours: dict[str, str]) -> str:
    rules = [f".paper{{fill:{colours['paper']};stroke:{colours['edge']}}}.over{{stroke:{colours['paper']}}}"]
    rules += [f"text.{name},.f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}" for name, value in colours.items()]
    return "".join(rules)


def draw_heading(title: str, about: Sequence[str]) -> Iterator[str]:
    """A title and lines under it."""
    yield draw_text("ink head", PLOT_LEFT, 34, escape_text(title))
    for number, line in enumerate(about):
        yield draw_text("soft", PLOT_LEFT, 56 + LINE_HEIGHT * number, escape_text(line))


def draw_levels(title: str, levels: Iterable[tuple[float, str]], top: float, bottom: float) -> Iterator[str]:
    """Draw horizontal lines with labels at the left edge, and the title of the scale; `levels` are (y, label)."""
    for y, label in levels:
        yield draw_rule("s-grid", PLOT_LEFT, PLOT_RIGHT, y)
        yield draw_text("soft", PLOT_LEFT - 10, y + 4, label, "end")
    spot = f"translate(22 {(top + bottom) / 2:.0f}) rotate(-90)"
    yield f'<text class="soft" transform="{spot}" text-anchor="middle">{title}</text>'


def draw_level_labels(labels: Sequence[tuple[str, float, str]], bottom: float) -> Iterator[str]:
    """Draw the meaning of horizontal lines at the right edge, kept apart; `labels` are (class, y, words), top down."""
    label_ys = space_out([y for _, y, _ in labels], LINE_HEIGHT, bottom)
    for (name, y, words), label_y in zip(labels, label_ys, strict=True):
        yield f'<path class="s-{name} line thin" d="M{PLOT_RIGHT} {y:.1f}L{PLOT_RIGHT + 10} {label_y:.1f}"/>'
        yield draw_text(name, PLOT_RIGHT + 14, label_y + 4, words)


LegendItem = tuple[str, str, float, int]
"""Shape, words, x, row."""
_LEGEND_ROW: Final = 22


def place_legend(items: Iterable[tuple[str, str]]) -> tuple[list[LegendItem], int]:
    """Place the items of a legend, given as (shape, words), in rows; returns them and the number of rows."""
    placed: list[LegendItem] = []
    x, row = float(PLOT_LEFT + 4), 0
    for shape, words in items:
        if x + 14 + estimate_width(words) > CHART_WIDTH - 20:
            x, row = float(PLOT_LEFT + 4), row + 1
        placed.append((shape, words, x, row))
        x += 40 + estimate_width(words)
    return placed, row + 1


def draw_legend(legend: Iterable[LegendItem], top: float) -> Iterator[str]:
    """Draw a legend.

    A shape is a format string with `x` and `y`, `a` and `b` (ends of a horizontal line), `low` and `high` (of a bar).
    """
    for shape, words, x, row in legend:
        y = top + _LEGEND_ROW * row
        places = {"x": x, "y": y, "a": x - 6, "b": x + 8, "low": y + 5, "high": y - 5}
        yield shape.format(**{name: f"{value:.1f}" for name, value in places.items()})
        yield draw_text("soft", x + 14, y + 4, words)


def draw_tick(x: float, bottom: float, label: str, anchor: str = "middle") -> Iterator[str]:
    """A place on the axis with its label."""
    yield draw_stroke("s-soft", x, bottom, bottom + 5)
    yield draw_text("soft", x, bottom + 19, label, anchor)


def draw_text(name: str, x: float, y: float, body: str, anchor: str = "") -> str:
    """A text of a class; `body` is markup already."""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}"{anchored}>{body}</text>'


def draw_rule(name: str, x1: float, x2: float, y: float) -> str:
    """A horizontal line."""
    return f'<line class="{name}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'


def draw_stroke(name: str, x: float, y1: float, y2: float) -> str:
    """A vertical line."""
    return f'<line class="{name}" x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def escape_text(text: str) -> str:
    """A text that is not trusted as text of the document: escaped, with invisible characters made visible."""
    return escape(escape_unprintable(text), {'"': "&quot;"})


SIGNS: Final = {"challenge": "approval was requested", "deny": "denied"}


def draw_sign(effect: str, x: float | None, y: float | None) -> str:
    """The sign of a decision that did not run; without a place a format string with `x` and `y`."""
    spot = "translate({x} {y})" if x is None or y is None else f"translate({x:.1f} {y:.1f})"
    if effect == "deny":
        return f'<path class="s-stopped line" transform="{spot}" d="M-4 -4L4 4M-4 4L4 -4"/>'
    return f'<path class="f-paper s-asked" stroke-width="2" transform="{spot}" d="M0 -5.5L5.5 0L0 5.5L-5.5 0Z"/>'
