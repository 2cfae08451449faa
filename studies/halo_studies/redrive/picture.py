"""The frontier as one self-contained SVG document: what is stopped against the honest work that nobody interrupts.

Each row is what `redrive.py --offline --remember` printed for some options. It is drawn as a line at the height of the
first acts that are stopped, from the sessions untouched at first contact to those after 800 with remembered answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from halo_core.views import charts

__all__ = ["Row", "draw_frontier", "read_row"]

_TOP: Final = 110.0
_HEIGHT: Final = 320.0
_LEAST_UNTOUCHED, _LEAST_STOPPED = 50.0, 80.0
_SHARE: Final = re.compile(r"([\d.]+) \[([\d.]+)-([\d.]+)\]")
_COLOURS: Final = ("curve", "granted", "epoch", "given", "asked", "stopped", "other", "ink")
_TITLE: Final = "Stopped first acts and honest sessions that nobody is asked about"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the frontier; shares in per cent.

    Args:
        name: its options.
        stopped: first acts of hijacked sessions that are stopped.
        untouched: honest sessions without a question: at first contact, and after 800 with remembered answers.
        interval: of `untouched` at first contact, Wilson's 95%.
    """

    name: str
    stopped: float
    untouched: tuple[float, float]
    interval: tuple[float, float]


def read_row(name: str, figures: Mapping[str, Any]) -> Row:
    """A row from the figures that an offline replay printed."""
    first = _SHARE.match(figures["untouched"]["benign"])
    settled = _SHARE.match(figures["remembered"]["untouched_after_800"]) or first
    stopped = _SHARE.match(figures["stopped"])
    if first is None or settled is None or stopped is None:
        raise ValueError(f"`{name}` has no honest or no hijacked sessions")
    return Row(name, float(stopped[1]), (float(first[1]), float(settled[1])), (float(first[2]), float(first[3])))


def draw_frontier(rows: Sequence[Row]) -> str:
    """The document, with a line for each row."""
    about = [
        "across: honest sessions without a question, at first contact (o) and after 800 with remembered answers (dot)",
        "up: first acts of hijacked sessions that are stopped; thin: 95% interval",
    ]
    bottom = _TOP + _HEIGHT
    legend = [
        (f'<path class="s-{colour} line" d="M{{a}} {{y}}H{{b}}"/>', charts.escape_text(row.name))
        for row, colour in zip(rows, _COLOURS, strict=False)
    ]
    placed, count = charts.place_legend(legend)
    parts = [
        *charts.draw_heading(_TITLE, about),
        *_draw_grid(bottom),
        *(part for row, colour in zip(rows, _COLOURS, strict=False) for part in _draw_row(row, colour, bottom)),
        *charts.draw_legend(placed, bottom + 58),
    ]
    return charts.build_document(_TITLE, " ".join(about), parts, bottom + 72 + 24 * count)


def _x(share: float) -> float:
    return charts.PLOT_LEFT + (share - _LEAST_UNTOUCHED) / (100 - _LEAST_UNTOUCHED) * charts.PLOT_WIDTH


def _y(share: float, bottom: float) -> float:
    return bottom - (share - _LEAST_STOPPED) / (100 - _LEAST_STOPPED) * _HEIGHT


def _draw_grid(bottom: float) -> Iterator[str]:
    levels = [(_y(share, bottom), f"{share}%") for share in range(int(_LEAST_STOPPED), 101, 5)]
    yield from charts.draw_levels("stopped", levels, _TOP, bottom)
    for share in range(int(_LEAST_UNTOUCHED), 101, 10):
        yield from charts.draw_tick(_x(share), bottom, f"{share}%")
    yield charts.draw_text("soft", charts.PLOT_RIGHT + 28, bottom + 19, "untouched")


def _draw_row(row: Row, colour: str, bottom: float) -> Iterator[str]:
    y, (first, settled) = _y(row.stopped, bottom), map(_x, row.untouched)
    low, high = map(_x, row.interval)
    words = f"{row.name}: {row.stopped}% stopped, {row.untouched[0]}% untouched, {row.untouched[1]}% after 800"
    yield f"<g><title>{charts.escape_text(words)}</title>"
    yield f'<path class="s-{colour} line" d="M{first:.1f} {y:.1f}H{settled:.1f}"/>'
    yield f'<path class="s-{colour} line thin" d="M{low:.1f} {y - 5:.1f}v10m0 -5H{high:.1f}m0 -5v10"/>'
    yield f'<circle class="f-paper s-{colour}" stroke-width="2" cx="{first:.1f}" cy="{y:.1f}" r="5"/>'
    yield f'<circle class="f-{colour}" cx="{settled:.1f}" cy="{y:.1f}" r="5"/></g>'
