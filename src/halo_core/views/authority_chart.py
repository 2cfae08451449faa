"""Room: the decay curve as SVG. Takes: a scene. Gives: one self-contained document. Never: I/O, scripts, outside fonts.

It brings its own background and follows the reader's colour scheme, so it can be read on a light and on a dark page.
Every name in it is somebody's words: escaped, and what would not be seen is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final

from halo_core.views.authority_curve import Floor, group_by_level
from halo_core.views.chart_layout import (
    PLOT_LEFT,
    PLOT_WIDTH,
    SIGNS,
    Scene,
    build_document,
    draw_sign,
    escape_text,
    estimate_width,
    place_hand_offs,
    place_headings,
    scale_x,
    space_out,
)
from halo_core.views.wording import format_percent

__all__ = ["draw_authority_chart"]

_HEIGHT: Final = 330
_MILLION: Final = 1_000_000
_QUARTERS: Final = (0, 250_000, 500_000, 750_000, 1_000_000)
_LINE: Final = 16
_MAX_POINTS: Final = 150


def draw_authority_chart(scene: Scene, floors: Sequence[Floor], title: str, outlook: str) -> str:
    """The document: a title, a sentence on what comes, the chart."""
    about = wrap(outlook, 120)
    top = 66 + _LINE * len(about) + _LINE * (place_headings(scene)[1])
    bars = place_hand_offs(scene)
    height = top + _HEIGHT + 74 + 20 * (1 + max((lane for *_, lane in bars), default=-1))
    picture = _AuthorityPicture(scene, top)
    words = [
        f'<text class="ink head" x="{PLOT_LEFT}" y="34">{escape_text(title)}</text>',
        *(
            f'<text class="soft" x="{PLOT_LEFT}" y="{56 + _LINE * n}">{escape_text(line)}</text>'
            for n, line in enumerate(about)
        ),
    ]
    parts = [
        *words,
        *picture.draw_grid(),
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
    return build_document(title, description, parts, height)


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
        f"A curve of authority over {scene.axis}: {len(scene.points)} decisions, {refused} denied, {challenged} challenged, "
        f"{format_percent(scene.now[1])} left now.{again}{hand_off_text} Floors: {levels}."
    )


class _AuthorityPicture:
    """Parts of the drawing over one scene; each gives SVG elements."""

    def __init__(self, scene: Scene, top: float) -> None:
        self._scene = scene
        self._top = top
        self._bottom = top + _HEIGHT

    def _y(self, authority: int) -> float:
        return self._bottom - authority / _MILLION * _HEIGHT

    def _build_path(self, corners: Sequence[tuple[float, int]]) -> str:
        spots = (f"{scale_x(x, self._scene):.1f} {self._y(authority):.1f}" for x, authority in corners)
        return "M" + "L".join(spot for spot, _ in groupby(spots))

    def draw_grid(self) -> Iterator[str]:
        for level in _QUARTERS:
            y = self._y(level)
            yield f'<line class="s-grid" x1="{PLOT_LEFT}" x2="{PLOT_LEFT + PLOT_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="soft" x="{PLOT_LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{level // 10_000}%</text>'
        spot = f"translate(22 {(self._top + self._bottom) / 2:.0f}) rotate(-90)"
        yield f'<text class="soft" transform="{spot}" text-anchor="middle">authority left</text>'

    def draw_hand_offs(self, bars: Sequence[tuple[float, float, str, bool, int]]) -> Iterator[str]:
        for a, b, label, right, lane in bars:
            yield (
                f'<rect class="f-given band" x="{a:.1f}" y="{self._top:.1f}" width="{b - a:.1f}" height="{_HEIGHT}"/>'
            )
            y = self._bottom + 32 + 20 * lane
            yield f'<rect class="f-given bar" x="{a:.1f}" y="{y:.1f}" width="{b - a:.1f}" height="9" rx="4.5"/>'
            x, anchor = (b + 8, "start") if right else (a - 8, "end")
            yield f'<text class="given" x="{x:.1f}" y="{y + 9:.1f}" text-anchor="{anchor}">{escape_text(label)}</text>'
        for *_, item in self._scene.hand_offs:
            yield from self._draw_hand_off_curve(item.handle)

    def _draw_hand_off_curve(self, handle: str) -> Iterator[str]:
        """The curve of a hand-off, where its holder has less than the session."""
        session_authority = {dot.position: dot.after for _, dot in self._scene.points}
        x_of = {dot.position: x for x, dot in self._scene.points}
        item = next(hand_off for *_, hand_off in self._scene.hand_offs if hand_off.handle == handle)
        corners = [(x_of[position], remaining) for position, remaining in item.trace if position in x_of]
        if (
            any(
                remaining < session_authority[position]
                for position, remaining in item.trace
                if position in session_authority
            )
            and len(corners) > 1
        ):
            yield f'<path class="s-given line thin" stroke-dasharray="4 3" d="{self._build_path(corners)}"/>'

    def draw_floors(self, floors: Sequence[Floor]) -> Iterator[str]:
        groups = list(group_by_level(floors).items())
        wanted = [self._y(level) for level, _ in groups]
        for (level, group), y, label in zip(groups, wanted, space_out(wanted, _LINE, self._bottom), strict=True):
            stopped = any(item.used and not item.possible for item in group)
            name = "stopped" if stopped else "granted" if any(item.used for item in group) else "other"
            right = PLOT_LEFT + PLOT_WIDTH
            yield f'<line class="s-{name} floor" x1="{PLOT_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<path class="s-{name} line thin" d="M{right} {y:.1f}L{right + 10} {label:.1f}"/>'
            first = sorted(group, key=lambda item: not item.used)
            classes = ", ".join(
                f"{'' if item.possible else '✗ '}{escape_text(item.impact.value)}"
                if item.used
                else f'<tspan class="f-other">{escape_text(item.impact.value)}</tspan>'
                for item in first
            )
            words = f'<tspan class="strong">{format_percent(level)}</tspan> {classes}'
            yield f'<text class="{name}" x="{right + 14}" y="{label + 4:.1f}">{words}</text>'

    def draw_epochs(self) -> Iterator[str]:
        placed, rows = place_headings(self._scene)
        for middle, text, name, row in placed:
            y = self._top - 10 - _LINE * (rows - 1 - row)
            yield f'<text class="{name} strong" x="{middle:.1f}" y="{y:.1f}" text-anchor="middle">{escape_text(text)}</text>'
        for x, _ in self._scene.epochs:
            yield self._draw_vertical(x, "s-epoch floor")
        yield self._draw_vertical(self._scene.now[0], "s-soft thin")

    def _draw_vertical(self, x: float, name: str) -> str:
        place = scale_x(x, self._scene)
        return (
            f'<line class="{name}" x1="{place:.1f}" x2="{place:.1f}" y1="{self._top - 5:.1f}" y2="{self._bottom:.1f}"/>'
        )

    def draw_curve(self) -> Iterator[str]:
        scene = self._scene
        line = self._build_path(scene.line)
        end, start = scale_x(scene.line[-1][0], scene), scale_x(scene.line[0][0], scene)
        yield f'<path class="f-curve area" d="{line}L{end:.1f} {self._bottom:.1f}L{start:.1f} {self._bottom:.1f}Z"/>'
        if scene.ahead:
            yield f'<path class="s-curve line ahead" d="{self._build_path(scene.ahead)}"/>'
        yield f'<path class="s-curve line" d="{line}"/>'
        x, y = scale_x(scene.now[0], scene), self._y(scene.now[1])
        yield f'<circle class="f-curve s-paper" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="1.5"/>'

    def draw_points(self) -> Iterator[str]:
        many = len(self._scene.points) > _MAX_POINTS
        for place, dot in self._scene.points:
            x, y = scale_x(place, self._scene), self._y(dot.after)
            tip = escape_text(
                f"#{dot.index} {dot.effect} {dot.action} {dot.resource}, {format_percent(dot.after)} left"
            )
            if dot.effect in SIGNS:
                yield f"<g>{draw_sign(dot.effect, x, y)}<title>{tip}</title></g>"
            elif not many:
                yield f'<circle class="f-curve" cx="{x:.1f}" cy="{y:.1f}" r="2.4"><title>{tip}</title></circle>'

    def draw_stop(self) -> Iterator[str]:
        stop = self._scene.stop
        if stop is None:
            return
        x, y, text = scale_x(stop[0], self._scene), self._y(stop[1]), f"{stop[2]} stops"
        # Below and to the left: what falls towards it comes from above.
        yield f'<circle class="f-paper s-curve" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="2"/>'
        yield f'<text class="curve strong over" x="{x - 9:.1f}" y="{y + 15:.1f}" text-anchor="end">{escape_text(text)}</text>'

    def draw_axis(self) -> Iterator[str]:
        y = self._bottom
        yield f'<line class="s-soft" x1="{PLOT_LEFT}" x2="{PLOT_LEFT + PLOT_WIDTH}" y1="{y}" y2="{y}"/>'
        for tick in self._scene.ticks:
            x = scale_x(tick.x, self._scene)
            yield f'<line class="s-soft" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>'
            yield f'<text class="soft" x="{x:.1f}" y="{y + 19}" text-anchor="middle">{escape_text(tick.text)}</text>'
        right = PLOT_LEFT + PLOT_WIDTH
        yield f'<text class="soft" x="{right + 14}" y="{y + 19}">{escape_text(self._scene.axis)}</text>'
        if self._scene.late:
            middle = (scale_x(self._scene.points[-1][0], self._scene) + scale_x(self._scene.now[0], self._scene)) / 2
            yield f'<text class="soft" x="{middle:.1f}" y="{y + 19}" text-anchor="middle">not to scale</text>'

    def draw_legend(self, height: float) -> Iterator[str]:
        scene = self._scene
        effects = {dot.effect for _, dot in scene.points}
        items = [('<circle class="f-curve" cx="{x}" cy="{y}" r="2.4"/>', "decided, and ran")]
        items += [(draw_sign(effect, None, None), meaning) for effect, meaning in SIGNS.items() if effect in effects]
        if scene.ahead:
            items.append(('<path class="s-curve line ahead" d="M{a} {y}H{b}"/>', scene.condition))
        x, y = float(PLOT_LEFT + 4), height - 22
        for shape, text in items:
            yield shape.format(x=f"{x:.1f}", y=f"{y:.1f}", a=f"{x - 6:.1f}", b=f"{x + 10:.1f}")
            yield f'<text class="soft" x="{x + 14:.1f}" y="{y + 4:.1f}">{text}</text>'
            x += 40 + estimate_width(text)
