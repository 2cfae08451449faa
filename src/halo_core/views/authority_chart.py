"""The curve of a session's authority as one self-contained SVG document, without scripts and outside fonts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final

from halo_core.views import svg
from halo_core.views.authority_curve import Floor, HandOff, group_by_level
from halo_core.views.chart_layout import Scene
from halo_core.views.wording import format_percent

_HEIGHT: Final = 330
_MILLION: Final = 1_000_000
_QUARTERS: Final = (0, 250_000, 500_000, 750_000, 1_000_000)
_MAX_POINTS: Final = 150


def draw_authority_chart(scene: Scene, floors: Sequence[Floor], title: str, outlook: str) -> str:
    """The document: a title, a sentence on what comes, the chart."""
    about = wrap(outlook, 120)
    top = 66 + svg.LINE_HEIGHT * len(about) + svg.LINE_HEIGHT * (place_headings(scene)[1])
    bars = place_hand_offs(scene)
    height = top + _HEIGHT + 74 + 20 * (1 + max((lane for *_, lane in bars), default=-1))
    picture = _AuthorityPicture(scene, top)
    parts = [
        *svg.draw_heading(title, about),
        *svg.draw_levels("authority left", [(picture.y(n), f"{n // 10_000}%") for n in _QUARTERS], top, top + _HEIGHT),
        *picture.draw_hand_offs(bars),
        *picture.draw_floors(floors),
        *picture.draw_epochs(),
        *picture.draw_curve(),
        *picture.draw_points(),
        *picture.draw_stop(),
        *picture.draw_axis(),
        *picture.draw_legend(height),
    ]
    description = f"{_describe(scene, floors)} {outlook}."
    return svg.build_document(title, description, parts, height)


def _describe(scene: Scene, floors: Sequence[Floor]) -> str:
    levels = "; ".join(
        f"{', '.join(item.impact.value for item in group)} at {format_percent(level)}"
        for level, group in group_by_level(floors).items()
    )
    refused = sum(dot.effect == "deny" for _, dot in scene.points)
    challenged = sum(dot.effect == "challenge" for _, dot in scene.points)
    again = "".join(f" Re-authorized by {item.approver or 'somebody'}: epoch {item.epoch}." for _, item in scene.epochs)
    hand_off_text = "".join(f" Handed off to {item.agent}." for *_, item in scene.hand_offs)
    return (
        f"A curve of authority over {scene.axis}: {len(scene.points)} decisions, {refused} denied, "
        f"{challenged} challenged, "
        f"{format_percent(scene.now[1])} left now.{again}{hand_off_text} Floors: {levels}."
    )


class _AuthorityPicture:
    """Parts of the drawing over one scene; each gives SVG elements."""

    def __init__(self, scene: Scene, top: float) -> None:
        self._scene = scene
        self._top = top
        self._bottom = top + _HEIGHT

    def y(self, authority: int) -> float:
        """Where an authority lies."""
        return self._bottom - authority / _MILLION * _HEIGHT

    def _build_path(self, corners: Sequence[tuple[float, int]]) -> str:
        spots = (f"{scale_x(x, self._scene):.1f} {self.y(authority):.1f}" for x, authority in corners)
        return "M" + "L".join(spot for spot, _ in groupby(spots))

    def draw_hand_offs(self, bars: Sequence[tuple[float, float, str, bool, int]]) -> Iterator[str]:
        for a, b, label, right, lane in bars:
            yield (
                f'<rect class="f-given band" x="{a:.1f}" y="{self._top:.1f}" width="{b - a:.1f}" height="{_HEIGHT}"/>'
            )
            y = self._bottom + 32 + 20 * lane
            yield f'<rect class="f-given bar" x="{a:.1f}" y="{y:.1f}" width="{b - a:.1f}" height="9" rx="4.5"/>'
            x, anchor = (b + 8, "start") if right else (a - 8, "end")
            yield svg.draw_text("given", x, y + 9, svg.escape_text(label), anchor)
        yield from filter(None, (self._draw_hand_off_curve(item) for *_, item in self._scene.hand_offs))

    def _draw_hand_off_curve(self, item: HandOff) -> str:
        """The curve of a hand-off, where its holder has less than the session; else nothing."""
        points = {dot.position: (x, dot.after) for x, dot in self._scene.points}
        trace = [(*points[position], remaining) for position, remaining in item.trace if position in points]
        if len(trace) < 2 or all(remaining >= session for _, session, remaining in trace):
            return ""
        path = self._build_path([(x, remaining) for x, _, remaining in trace])
        return f'<path class="s-given line thin" stroke-dasharray="4 3" d="{path}"/>'

    def draw_floors(self, floors: Sequence[Floor]) -> Iterator[str]:
        groups = list(group_by_level(floors).items())
        wanted = [self.y(level) for level, _ in groups]
        for (level, group), y, label in zip(
            groups, wanted, svg.space_out(wanted, svg.LINE_HEIGHT, self._bottom), strict=True
        ):
            stopped = any(item.used and not item.possible for item in group)
            name = "stopped" if stopped else "granted" if any(item.used for item in group) else "other"
            yield svg.draw_rule(f"s-{name} floor", svg.PLOT_LEFT, svg.PLOT_RIGHT, y)
            first = sorted(group, key=lambda item: not item.used)
            classes = ", ".join(
                f"{'' if item.possible else '✗ '}{svg.escape_text(item.impact.value)}"
                if item.used
                else f'<tspan class="f-other">{svg.escape_text(item.impact.value)}</tspan>'
                for item in first
            )
            words = f'<tspan class="strong">{format_percent(level)}</tspan> {classes}'
            yield from svg.draw_level_label(name, y, label, words)

    def draw_epochs(self) -> Iterator[str]:
        placed, rows = place_headings(self._scene)
        for middle, text, name, row in placed:
            y = self._top - 10 - svg.LINE_HEIGHT * (rows - 1 - row)
            yield svg.draw_text(f"{name} strong", middle, y, svg.escape_text(text), "middle")
        for x, _ in self._scene.epochs:
            yield svg.draw_stroke("s-epoch floor", scale_x(x, self._scene), self._top - 5, self._bottom)
        yield svg.draw_stroke("s-soft thin", scale_x(self._scene.now[0], self._scene), self._top - 5, self._bottom)

    def draw_curve(self) -> Iterator[str]:
        scene = self._scene
        line = self._build_path(scene.line)
        end, start = scale_x(scene.line[-1][0], scene), scale_x(scene.line[0][0], scene)
        yield f'<path class="f-curve area" d="{line}L{end:.1f} {self._bottom:.1f}L{start:.1f} {self._bottom:.1f}Z"/>'
        if scene.ahead:
            yield f'<path class="s-curve line ahead" d="{self._build_path(scene.ahead)}"/>'
        yield f'<path class="s-curve line" d="{line}"/>'
        x, y = scale_x(scene.now[0], scene), self.y(scene.now[1])
        yield f'<circle class="f-curve s-paper" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="1.5"/>'

    def draw_points(self) -> Iterator[str]:
        many = len(self._scene.points) > _MAX_POINTS
        for place, dot in self._scene.points:
            x, y = scale_x(place, self._scene), self.y(dot.after)
            tip = svg.escape_text(
                f"#{dot.index} {dot.effect} {dot.action} {dot.resource}, {format_percent(dot.after)} left"
            )
            if dot.effect in svg.SIGNS:
                yield f"<g>{svg.draw_sign(dot.effect, x, y)}<title>{tip}</title></g>"
            elif not many:
                yield f'<circle class="f-curve" cx="{x:.1f}" cy="{y:.1f}" r="2.4"><title>{tip}</title></circle>'

    def draw_stop(self) -> Iterator[str]:
        stop = self._scene.stop
        if stop is None:
            return
        x, y, text = scale_x(stop[0], self._scene), self.y(stop[1]), f"{stop[2]} stops"
        # Below and to the left: what falls towards it comes from above.
        yield f'<circle class="f-paper s-curve" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="2"/>'
        yield svg.draw_text("curve strong over", x - 9, y + 15, svg.escape_text(text), "end")

    def draw_axis(self) -> Iterator[str]:
        scene, y = self._scene, self._bottom
        yield svg.draw_rule("s-soft", svg.PLOT_LEFT, svg.PLOT_RIGHT, y)
        for tick in scene.ticks:
            yield from svg.draw_tick(scale_x(tick.x, scene), y, svg.escape_text(tick.text))
        yield svg.draw_text("soft", svg.PLOT_RIGHT + 14, y + 19, svg.escape_text(scene.axis))
        if scene.late:
            middle = (scale_x(scene.points[-1][0], scene) + scale_x(scene.now[0], scene)) / 2
            yield svg.draw_text("soft", middle, y + 19, "not to scale", "middle")

    def draw_legend(self, height: float) -> Iterator[str]:
        scene = self._scene
        effects = {dot.effect for _, dot in scene.points}
        items = [('<circle class="f-curve" cx="{x}" cy="{y}" r="2.4"/>', "decided, and ran")]
        items += [
            (svg.draw_sign(effect, None, None), meaning) for effect, meaning in svg.SIGNS.items() if effect in effects
        ]
        if scene.ahead:
            items.append(('<path class="s-curve line ahead" d="M{a} {y}H{b}"/>', scene.condition))
        x, y = float(svg.PLOT_LEFT + 4), height - 22
        for shape, text in items:
            yield shape.format(x=f"{x:.1f}", y=f"{y:.1f}", a=f"{x - 6:.1f}", b=f"{x + 10:.1f}")
            yield svg.draw_text("soft", x + 14, y + 4, text)
            x += 40 + svg.estimate_width(text)


_MAX_LANES: Final = 4


def scale_x(x: float, scene: Scene) -> float:
    """Where a place on the scene's axis lies."""
    return svg.PLOT_LEFT + x / scene.width * svg.PLOT_WIDTH


def place_headings(scene: Scene) -> tuple[list[tuple[float, str, str, int]], int]:
    """Labels over the plot as (x, text, class, row), and how many rows they take."""
    headings = [
        (
            scale_x(x, scene),
            f"epoch {item.epoch}" + (f", re-authorized by {item.approver}" if item.approver else ""),
            "epoch",
        )
        for x, item in scene.epochs
    ]
    late = f", {scene.late} later" if scene.late else ""
    headings.append((scale_x(scene.now[0], scene), f"now{late}: {format_percent(scene.now[1])}", "ink"))
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for x, text, name in headings:
        half = svg.estimate_width(text) / 2
        middle = min(max(x, svg.PLOT_LEFT + half), svg.PLOT_LEFT + svg.PLOT_WIDTH + 60 - half)
        span = (middle - half - 8, middle + half + 8)
        row = next((n for n, taken in enumerate(rows) if all(span[0] > b or span[1] < a for a, b in taken)), len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(span)
        placed.append((middle, text, name, row))
    return placed, len(rows)


def place_hand_offs(scene: Scene) -> list[tuple[float, float, str, bool, int]]:
    """Hand-offs under the axis as (from, to, label, label to the right, lane)."""
    ends = [0.0] * _MAX_LANES
    placed = []
    for since, until, item in scene.hand_offs:
        label = f"{item.agent}, {'handed back' if item.until is not None else 'acts for it'}"
        a, b = scale_x(since, scene), max(scale_x(until, scene), scale_x(since, scene) + 4)
        right = b + 8 + svg.estimate_width(label) < svg.CHART_WIDTH - 8
        start, end = (a, b + 8 + svg.estimate_width(label)) if right else (a - 8 - svg.estimate_width(label), b)
        lane = next((n for n, taken in enumerate(ends) if taken + 8 < start), None)
        if lane is not None:
            ends[lane] = end
            placed.append((a, b, label, right, lane))
    return placed
