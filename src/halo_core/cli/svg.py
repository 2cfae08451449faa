"""Room: the decay curve as SVG. Takes: a scene. Gives: one self-contained document. Never: I/O, scripts, outside fonts.

It brings its own background and follows the reader's colour scheme, so it can be read on a light and on a dark page.
Every name in it is somebody's words: escaped, and what would not be seen is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final

from halo_core.cli.floors import Floor, by_level
from halo_core.cli.scene import Scene
from halo_core.cli.svg_paper import SIGNS, document, safe, sign
from halo_core.cli.svg_places import LEFT, PLOT, across, apart, heads, lanes, wide
from halo_core.cli.words import percent

__all__ = ["draw"]

_HEIGHT: Final = 330
_MILLION: Final = 1_000_000
_QUARTERS: Final = (0, 250_000, 500_000, 750_000, 1_000_000)
_LINE: Final = 16
_MOST_DOTS: Final = 150


def draw(scene: Scene, floors: Sequence[Floor], title: str, outlook: str) -> str:
    """The document: a title, a sentence on what comes, the chart."""
    about = wrap(outlook, 120)
    top = 66 + _LINE * len(about) + _LINE * (heads(scene)[1])
    bars = lanes(scene)
    height = top + _HEIGHT + 74 + 20 * (1 + max((lane for *_, lane in bars), default=-1))
    picture = _Picture(scene, top)
    words = [
        f'<text class="ink head" x="{LEFT}" y="34">{safe(title)}</text>',
        *(f'<text class="soft" x="{LEFT}" y="{56 + _LINE * n}">{safe(line)}</text>' for n, line in enumerate(about)),
    ]
    parts = [
        *words,
        *picture.grid(),
        *picture.given(bars),
        *picture.floors(floors),
        *picture.epochs(),
        *picture.curve(),
        *picture.dots(),
        *picture.stop(),
        *picture.axis(),
        *picture.legend(height),
    ]
    told = f"{_described(scene, floors)} {outlook}."
    return document(title, told, parts, height)


def _described(scene: Scene, floors: Sequence[Floor]) -> str:
    levels = "; ".join(
        f"{', '.join(item.impact.value for item in group)} at {percent(level)}"
        for level, group in by_level(floors).items()
    )
    refused = sum(dot.effect == "deny" for _, dot in scene.dots)
    asked = sum(dot.effect == "challenge" for _, dot in scene.dots)
    again = "".join(f" Re-authorized by {item.approver or 'somebody'}: epoch {item.epoch}." for _, item in scene.epochs)
    handed = "".join(f" Handed off to {item.agent}." for *_, item in scene.given)
    return (
        f"A curve of authority over {scene.axis}: {len(scene.dots)} decisions, {refused} denied, {asked} challenged, "
        f"{percent(scene.now[1])} left now.{again}{handed} Floors: {levels}."
    )


class _Picture:
    """Parts of the drawing over one scene; each gives SVG elements."""

    def __init__(self, scene: Scene, top: float) -> None:
        self._scene = scene
        self._top = top
        self._bottom = top + _HEIGHT

    def _y(self, authority: int) -> float:
        return self._bottom - authority / _MILLION * _HEIGHT

    def _path(self, corners: Sequence[tuple[float, int]]) -> str:
        spots = (f"{across(x, self._scene):.1f} {self._y(authority):.1f}" for x, authority in corners)
        return "M" + "L".join(spot for spot, _ in groupby(spots))

    def grid(self) -> Iterator[str]:
        for level in _QUARTERS:
            y = self._y(level)
            yield f'<line class="s-grid" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="soft" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{level // 10_000}%</text>'
        spot = f"translate(22 {(self._top + self._bottom) / 2:.0f}) rotate(-90)"
        yield f'<text class="soft" transform="{spot}" text-anchor="middle">authority left</text>'

    def given(self, bars: Sequence[tuple[float, float, str, bool, int]]) -> Iterator[str]:
        for a, b, label, right, lane in bars:
            yield (
                f'<rect class="f-given band" x="{a:.1f}" y="{self._top:.1f}" width="{b - a:.1f}" height="{_HEIGHT}"/>'
            )
            y = self._bottom + 32 + 20 * lane
            yield f'<rect class="f-given bar" x="{a:.1f}" y="{y:.1f}" width="{b - a:.1f}" height="9" rx="4.5"/>'
            x, anchor = (b + 8, "start") if right else (a - 8, "end")
            yield f'<text class="given" x="{x:.1f}" y="{y + 9:.1f}" text-anchor="{anchor}">{safe(label)}</text>'
        for *_, item in self._scene.given:
            yield from self._child(item.handle)

    def _child(self, handle: str) -> Iterator[str]:
        """The curve of a hand-off, where its holder has less than the session."""
        own = {dot.at: dot.after for _, dot in self._scene.dots}
        x_of = {dot.at: x for x, dot in self._scene.dots}
        item = next(given for *_, given in self._scene.given if given.handle == handle)
        corners = [(x_of[at], left) for at, left in item.trace if at in x_of]
        if any(left < own[at] for at, left in item.trace if at in own) and len(corners) > 1:
            yield f'<path class="s-given line thin" stroke-dasharray="4 3" d="{self._path(corners)}"/>'

    def floors(self, floors: Sequence[Floor]) -> Iterator[str]:
        groups = list(by_level(floors).items())
        wanted = [self._y(level) for level, _ in groups]
        for (level, group), y, label in zip(groups, wanted, apart(wanted, _LINE, self._bottom), strict=True):
            stopped = any(item.used and not item.possible for item in group)
            name = "stopped" if stopped else "granted" if any(item.used for item in group) else "other"
            right = LEFT + PLOT
            yield f'<line class="s-{name} floor" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<path class="s-{name} line thin" d="M{right} {y:.1f}L{right + 10} {label:.1f}"/>'
            first = sorted(group, key=lambda item: not item.used)
            classes = ", ".join(
                f"{'' if item.possible else '✗ '}{safe(item.impact.value)}"
                if item.used
                else f'<tspan class="f-other">{safe(item.impact.value)}</tspan>'
                for item in first
            )
            words = f'<tspan class="strong">{percent(level)}</tspan> {classes}'
            yield f'<text class="{name}" x="{right + 14}" y="{label + 4:.1f}">{words}</text>'

    def epochs(self) -> Iterator[str]:
        placed, rows = heads(self._scene)
        for middle, text, name, row in placed:
            y = self._top - 10 - _LINE * (rows - 1 - row)
            yield f'<text class="{name} strong" x="{middle:.1f}" y="{y:.1f}" text-anchor="middle">{safe(text)}</text>'
        for x, _ in self._scene.epochs:
            yield self._upright(x, "s-epoch floor")
        yield self._upright(self._scene.now[0], "s-soft thin")

    def _upright(self, x: float, name: str) -> str:
        place = across(x, self._scene)
        return (
            f'<line class="{name}" x1="{place:.1f}" x2="{place:.1f}" y1="{self._top - 5:.1f}" y2="{self._bottom:.1f}"/>'
        )

    def curve(self) -> Iterator[str]:
        scene = self._scene
        line = self._path(scene.line)
        end, start = across(scene.line[-1][0], scene), across(scene.line[0][0], scene)
        yield f'<path class="f-curve area" d="{line}L{end:.1f} {self._bottom:.1f}L{start:.1f} {self._bottom:.1f}Z"/>'
        if scene.ahead:
            yield f'<path class="s-curve line ahead" d="{self._path(scene.ahead)}"/>'
        yield f'<path class="s-curve line" d="{line}"/>'
        x, y = across(scene.now[0], scene), self._y(scene.now[1])
        yield f'<circle class="f-curve s-paper" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="1.5"/>'

    def dots(self) -> Iterator[str]:
        many = len(self._scene.dots) > _MOST_DOTS
        for place, dot in self._scene.dots:
            x, y = across(place, self._scene), self._y(dot.after)
            tip = safe(f"#{dot.index} {dot.effect} {dot.action} {dot.resource}, {percent(dot.after)} left")
            if dot.effect in SIGNS:
                yield f"<g>{sign(dot.effect, x, y)}<title>{tip}</title></g>"
            elif not many:
                yield f'<circle class="f-curve" cx="{x:.1f}" cy="{y:.1f}" r="2.4"><title>{tip}</title></circle>'

    def stop(self) -> Iterator[str]:
        stop = self._scene.stop
        if stop is None:
            return
        x, y, text = across(stop[0], self._scene), self._y(stop[1]), f"{stop[2]} stops"
        # Below and to the left: what falls towards it comes from above.
        yield f'<circle class="f-paper s-curve" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="2"/>'
        yield f'<text class="curve strong over" x="{x - 9:.1f}" y="{y + 15:.1f}" text-anchor="end">{safe(text)}</text>'

    def axis(self) -> Iterator[str]:
        y = self._bottom
        yield f'<line class="s-soft" x1="{LEFT}" x2="{LEFT + PLOT}" y1="{y}" y2="{y}"/>'
        for tick in self._scene.ticks:
            x = across(tick.x, self._scene)
            yield f'<line class="s-soft" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>'
            yield f'<text class="soft" x="{x:.1f}" y="{y + 19}" text-anchor="middle">{safe(tick.text)}</text>'
        right = LEFT + PLOT
        yield f'<text class="soft" x="{right + 14}" y="{y + 19}">{safe(self._scene.axis)}</text>'
        if self._scene.late:
            middle = (across(self._scene.dots[-1][0], self._scene) + across(self._scene.now[0], self._scene)) / 2
            yield f'<text class="soft" x="{middle:.1f}" y="{y + 19}" text-anchor="middle">not to scale</text>'

    def legend(self, height: float) -> Iterator[str]:
        scene = self._scene
        effects = {dot.effect for _, dot in scene.dots}
        items = [('<circle class="f-curve" cx="{x}" cy="{y}" r="2.4"/>', "decided, and ran")]
        items += [(sign(effect, None, None), told) for effect, told in SIGNS.items() if effect in effects]
        if scene.ahead:
            items.append(('<path class="s-curve line ahead" d="M{a} {y}H{b}"/>', scene.provided))
        x, y = float(LEFT + 4), height - 22
        for shape, text in items:
            yield shape.format(x=f"{x:.1f}", y=f"{y:.1f}", a=f"{x - 6:.1f}", b=f"{x + 10:.1f}")
            yield f'<text class="soft" x="{x + 14:.1f}" y="{y + 4:.1f}">{text}</text>'
            x += 40 + wide(text)
