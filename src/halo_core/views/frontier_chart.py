"""The frontier of score limits as one self-contained SVG document.

━━  choices of limits: sessions that are asked, against decisions that are asked or stopped
╌╌  the same against the attacks in which something is held, where sessions were judged an attack
●  the proposal    ◇  the policy as it is    │  the share of sessions that may be asked
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from halo_core.views import charts
from halo_core.views.score_frontier import PER_CENT, FrontierPoint, ScoreFrontier
from halo_core.views.wording import format_count

_HEIGHT: Final = 300
_GRID_LINES: Final = 4
_FULL: Final = 100.0
_STEPS: Final = (1, 2, 5)


def draw_frontier_chart(frontier: ScoreFrontier) -> str:
    """Draw a frontier, which has at least one point, as an SVG document."""
    about = wrap(_describe(frontier), 120)
    top = 92.0 + charts.LINE_HEIGHT * len(about)
    picture = _FrontierPicture(frontier, top)
    legend, rows = charts.place_legend(_list_signs(frontier))
    legend_top = top + _HEIGHT + 62
    parts = [
        *charts.draw_heading("Questions of the score's rules, by their limits", about),
        *picture.draw_grid(),
        *picture.draw_bound(),
        *picture.draw_lines(),
        *picture.draw_marks(),
        *charts.draw_legend(legend, legend_top),
    ]
    return charts.build_document("Questions by limits of the score", _describe(frontier), parts, legend_top + 24 * rows)


def format_limits(point: FrontierPoint) -> str:
    """The limits of a choice."""
    limits = point.limits
    return "as it is" if limits is None else f"{limits.elevated},{limits.high}"


def _describe(frontier: ScoreFrontier) -> str:
    attacks = f" and {format_count(frontier.attacks, 'attack')}" if frontier.attacks else ""
    sessions = f"{format_count(frontier.sessions, 'ordinary session')}{attacks}"
    decisions = format_count(frontier.decisions, "decision")
    current = f"the policy as it is asks in {frontier.share_asked(frontier.current):.1f}% of the ordinary ones"
    proposed = frontier.proposed
    proposal = f"no limits keep within {frontier.at_most / PER_CENT:g}%"
    if proposed is not None:
        proposal = f"limits {format_limits(proposed)} ask in {frontier.share_asked(proposed):.1f}%"
    return f"{sessions} with {decisions}: {current}, {proposal}. Rules that do not follow from the score alone stay."


def _list_signs(frontier: ScoreFrontier) -> list[tuple[str, str]]:
    items = [('<path class="s-curve line" d="M{a} {y}H{b}"/>', "decisions asked or stopped")]
    if frontier.attacks:
        items.append(
            ('<path class="s-stopped line floor" d="M{a} {y}H{b}"/>', "attacks with something asked or stopped")
        )
    items.append((charts.draw_sign("challenge", None, None), "the policy as it is"))
    if frontier.proposed is not None:
        items.append(('<circle class="f-epoch" cx="{x}" cy="{y}" r="5"/>', "proposal"))
    return items


class _FrontierPicture:
    """Draws the parts of the chart as SVG elements."""

    def __init__(self, frontier: ScoreFrontier, top: float) -> None:
        self._frontier = frontier
        self._top, self._bottom = top, top + _HEIGHT
        shown_points = [*frontier.points, frontier.current]
        asked = max(map(frontier.share_asked, shown_points))
        highest_share = max(map(frontier.share_held, shown_points)) if not frontier.attacks else _FULL
        self._width = _round_up(max(asked, frontier.at_most / PER_CENT))
        self._high = _round_up(highest_share)

    def _x(self, share: float) -> float:
        return charts.PLOT_LEFT + share / self._width * charts.PLOT_WIDTH

    def _y(self, share: float) -> float:
        return self._bottom - share / self._high * _HEIGHT

    def draw_grid(self) -> Iterator[str]:
        shares = [self._high * n / _GRID_LINES for n in range(_GRID_LINES + 1)]
        levels = [(self._y(share), f"{share:g}%") for share in shares]
        yield from charts.draw_levels("asked or stopped", levels, self._top, self._bottom)
        yield charts.draw_rule("s-soft", charts.PLOT_LEFT, charts.PLOT_RIGHT, self._bottom)
        for n in range(_GRID_LINES + 1):
            share = self._width * n / _GRID_LINES
            yield from charts.draw_tick(self._x(share), self._bottom, f"{share:g}%")
        yield charts.draw_text("soft", charts.PLOT_RIGHT + 28, self._bottom + 19, "of sessions asked")

    def draw_bound(self) -> Iterator[str]:
        share = self._frontier.at_most / PER_CENT
        x = self._x(share)
        yield f'<path class="s-epoch floor" d="M{x:.1f} {self._top - 6:.1f}V{self._bottom:.1f}"/>'
        yield charts.draw_text("epoch", x, self._top - 12, f"at most {share:g}%", "middle" if share else "start")

    def draw_lines(self) -> Iterator[str]:
        frontier = self._frontier
        yield self._draw_line("s-curve line", frontier.points, frontier.share_held)
        if frontier.attacks:
            yield self._draw_line("s-stopped line floor", frontier.points, frontier.share_attacks_held)
        for point in frontier.points:
            x, y = self._x(frontier.share_asked(point)), self._y(frontier.share_held(point))
            yield f'<circle class="f-curve" cx="{x:.1f}" cy="{y:.1f}" r="2.6">{self._build_tooltip(point)}</circle>'

    def _draw_line(self, name: str, points: Sequence[FrontierPoint], share: Callable[[FrontierPoint], float]) -> str:
        corners = "L".join(
            f"{self._x(self._frontier.share_asked(point)):.1f} {self._y(share(point)):.1f}" for point in points
        )
        return f'<path class="{name}" d="M{corners}"/>'

    def draw_marks(self) -> Iterator[str]:
        """Draw the policy as it is, and the proposal with its limits."""
        frontier = self._frontier
        x, y = self._x(frontier.share_asked(frontier.current)), self._y(frontier.share_held(frontier.current))
        yield f"<g>{charts.draw_sign('challenge', x, y)}{self._build_tooltip(frontier.current)}</g>"
        if frontier.proposed is None:
            return
        x, y = self._x(frontier.share_asked(frontier.proposed)), self._y(frontier.share_held(frontier.proposed))
        yield (
            f'<circle class="f-epoch s-paper" stroke-width="1.5" cx="{x:.1f}" cy="{y:.1f}" r="5.5">'
            f"{self._build_tooltip(frontier.proposed)}</circle>"
        )
        label = format_limits(frontier.proposed)
        yield charts.draw_text("epoch strong over", x + 10, min(y + 16, self._bottom - 6), label)

    def _build_tooltip(self, point: FrontierPoint) -> str:
        frontier = self._frontier
        words = (
            f"{format_limits(point)}: {frontier.share_asked(point):.1f}% of sessions asked, "
            f"{frontier.share_held(point):.1f}% of decisions asked or stopped"
        )
        return f"<title>{charts.escape_text(words)}</title>"


def _round_up(share: float) -> float:
    """The smallest round number, in per cent, that is not below a share; at most 100."""
    for power in range(-2, 3):
        for step in _STEPS:
            if step * 10**power >= share > 0:
                return float(min(step * 10**power, _FULL))
    return _FULL if share > 0 else 1.0
