"""The frontier as one self-contained SVG document: what is stopped, and the honest work that nobody interrupts.

Each row is what `redrive.py --offline --remember` printed for some options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from halo_core.views import charts

__all__ = ["Row", "draw_frontier", "read_row"]

_TOP: Final = 104.0
_ROW: Final = 46.0
_LEAST: Final = 50.0  # per cent, at the left edge
_SHARE: Final = re.compile(r"([\d.]+) \[([\d.]+)-([\d.]+)\]")
_TITLE: Final = "First acts that are stopped, and honest sessions that nobody is asked about"
_CROSS: Final = '<path class="s-stopped line" transform="translate({x} {y})" d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5"/>'
_DIAMOND: Final = '<path class="f-stopped" transform="translate({x} {y})" d="M0 -6L6 0L0 6L-6 0Z"/>'
_OPEN: Final = '<circle class="f-paper s-curve" stroke-width="2" cx="{x}" cy="{y}" r="5"/>'
_FULL: Final = '<circle class="f-curve" cx="{x}" cy="{y}" r="5"/>'


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the frontier; shares in per cent.

    Args:
        name: its options.
        stopped: first acts of hijacked sessions that are stopped: all, and the impactful ones.
        untouched: honest sessions without a question: at first contact, and after 800 with remembered answers.
        interval: of `untouched` at first contact, Wilson's 95%.
    """

    name: str
    stopped: tuple[float, float]
    untouched: tuple[float, float]
    interval: tuple[float, float]


def read_row(name: str, figures: Mapping[str, Any]) -> Row:
    """A row from the figures that an offline replay printed."""
    first = _SHARE.match(figures["untouched"]["benign"])
    settled = _SHARE.match(figures["remembered"]["untouched_after_800"]) or first
    stopped, impactful = _SHARE.match(figures["stopped"]), _SHARE.match(figures["stopped_impactful"])
    if first is None or settled is None or stopped is None or impactful is None:
        raise ValueError(f"`{name}` has no honest or no hijacked sessions")
    return Row(
        name,
        (float(stopped[1]), float(impactful[1])),
        (float(first[1]), float(settled[1])),
        (float(first[2]), float(first[3])),
    )


def draw_frontier(rows: Sequence[Row]) -> str:
    """The document, with a line for each row."""
    about = ["Recorded sessions, replayed offline. Honest sessions: share without a question. Thin: 95% interval."]
    bottom = _TOP + _ROW * len(rows)
    signs = [
        (_OPEN, "honest, first contact"),
        (_FULL, "honest, after 800 sessions with remembered answers"),
        (_CROSS, "stopped, all first acts"),
        (_DIAMOND, "stopped, impactful"),
    ]
    placed, count = charts.place_legend(signs)
    parts = [
        *charts.draw_heading(_TITLE, about),
        *_draw_grid(bottom),
        *(part for number, row in enumerate(rows) for part in _draw_row(row, _TOP + _ROW * (number + 0.65))),
        *charts.draw_legend(placed, bottom + 52),
    ]
    return charts.build_document(_TITLE, about[0], parts, bottom + 62 + 24 * count)


def _x(share: float) -> float:
    return charts.PLOT_LEFT + max(share - _LEAST, 0) / (100 - _LEAST) * charts.PLOT_WIDTH


def _draw_grid(bottom: float) -> Iterator[str]:
    for share in range(int(_LEAST), 101, 10):
        yield charts.draw_stroke("s-grid", _x(share), _TOP, bottom)
        yield from charts.draw_tick(_x(share), bottom, f"{share}%")


def _draw_row(row: Row, y: float) -> Iterator[str]:
    first, settled = row.untouched
    low, high = map(_x, row.interval)
    words = (
        f"{row.name}: {row.stopped[0]}% stopped, {row.stopped[1]}% of the impactful, "
        f"{first}% untouched, {settled}% after 800"
    )
    yield f"<g><title>{charts.escape_text(words)}</title>"
    yield charts.draw_text("ink over", charts.PLOT_LEFT + 2, y - 12, charts.escape_text(row.name))
    yield charts.draw_rule("s-curve line", _x(first), _x(settled), y)
    yield f'<path class="s-curve line thin" d="M{low:.1f} {y - 5:.1f}v10m0 -5H{high:.1f}m0 -5v10"/>'
    for sign, share in zip((_OPEN, _FULL, _CROSS, _DIAMOND), (*row.untouched, *row.stopped), strict=True):
        yield sign.format(x=f"{_x(share):.1f}", y=f"{y:.1f}")
    yield "</g>"
