"""The chart of an authority curve: what it shows (`Scene`, from `lay_out`), and its drawing as an SVG document.

The terminal's chart and the SVG show the same `Scene`. Its axis is time, or decisions where time took hardly any
authority.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final

from halo_core.authority import compute_authority
from halo_core.durations import DAY_S, SECOND_US
from halo_core.model import AUTHORITY_ONE
from halo_core.quick_dataclass import dataclass
from halo_core.views.authority_curve import (
    Curve,
    DecisionPoint,
    Epoch,
    Floor,
    HandOff,
    Position,
    find_soonest,
    format_classes,
    group_by_level,
)
from halo_core.views.charts import (
    CHART_WIDTH,
    LINE_HEIGHT,
    MAX_TICKS,
    PLOT_LEFT,
    PLOT_RIGHT,
    PLOT_WIDTH,
    SIGNS,
    build_document,
    draw_heading,
    draw_legend,
    draw_level_labels,
    draw_levels,
    draw_rule,
    draw_sign,
    draw_stroke,
    draw_text,
    draw_tick,
    escape_text,
    estimate_width,
    place_legend,
)
from halo_core.views.wording import format_percent, format_rough_duration

_SAMPLES: Final = 24
# Width of the part of the axis after now, as a share of the part before:
_AHEAD: Final = 0.25  # at least
_FAR: Final = 1.0  # at most
_LATE: Final = 0.03  # where no forecast is drawn
_BEYOND: Final = 1.25  # the axis ends this many times the distance at which the next class stops
_LEAST_AHEAD: Final = 4.0  # decisions, on an axis of decisions
_PERIODS: Final = ((DAY_S, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn. Authority is 0..1_000_000; `x` runs from 0 to `width`, in seconds or decisions.

    Args:
        timed: whether the axis is time; else it is decisions.
        axis: title of the axis, with its unit.
        width: end of the axis.
        ticks: (x, label) of each tick.
        line: (x, authority) of the corners of the curve up to now.
        ahead: the same of the forecast, as time alone or this epoch's pace of decisions gives it.
        now: (x, authority) of the present.
        late: time since the last decision, in words, where the axis is compressed after it; else empty.
        points: (x, decision).
        epochs: (x, epoch) of each re-authorization.
        stop: (x, authority, names) of the classes that stop next; None if that is beyond the axis.
        hand_offs: (x from, x to, hand-off).
    """

    timed: bool
    axis: str
    width: float
    ticks: tuple[tuple[float, str], ...]
    line: tuple[tuple[float, int], ...]
    ahead: tuple[tuple[float, int], ...]
    now: tuple[float, int]
    late: str
    points: tuple[tuple[float, DecisionPoint], ...]
    epochs: tuple[tuple[float, Epoch], ...]
    hand_offs: tuple[tuple[float, float, HandOff], ...]
    stop: tuple[float, int, str] | None = None

    @property
    def condition(self) -> str:
        """The condition under which the forecast holds."""
        return "if only time passes" if self.timed else "at the current rate"


def lay_out(curve: Curve, class_floors: Sequence[Floor], now_us: int, *, timed: bool | None) -> Scene:
    """The scene of a curve; `timed` chooses the axis, None the one on which more authority was lost."""
    by_time = curve.is_time_driven() if timed is None else timed
    place = _Axis(curve, by_time, now_us)
    now_x = place.x(curve.segments[-1][1])
    past = max(now_x, 1.0)
    soon, stopping = find_soonest(class_floors)
    stop_distance = (float(soon[1]) if by_time else soon[0] + 1.0) if stopping and not place.late else 0.0
    ahead = past * _LATE if place.late else max(past * _AHEAD, 1.0 if by_time else _LEAST_AHEAD)
    width = past + (min(max(ahead, stop_distance * _BEYOND), max(past * _FAR, ahead)))
    size, unit = next(((size, name) for size, name in _PERIODS if width >= 2 * size), _PERIODS[-1])
    ticks = _build_ticks(width, size) if by_time else _build_ticks(width, 1, least=1)
    future = tuple(_trace_forecast(curve, place, now_us, now_x, width))
    stop_x = (now_x if by_time else curve.points[-1].position[1]) + stop_distance
    stop = None
    if stop_distance > 0 and stop_x <= width:
        least = min((authority for x, authority in future if x <= stop_x), default=0)
        stop = (stop_x, least, format_classes(stopping))
    return Scene(
        stop=stop,
        timed=by_time,
        axis=f"{unit} since the session opened" if by_time else "decisions of the session",
        width=width,
        ticks=tuple(tick for tick in ticks if not place.late or tick[0] <= place.last),
        line=tuple(_trace_curve(curve, place)),
        ahead=future,
        now=(now_x, curve.authority_at(now_us)),
        late=format_rough_duration((now_us - curve.points[-1].position[0]) // SECOND_US) if place.late else "",
        points=tuple((place.x(dot.position), dot) for dot in curve.points),
        epochs=tuple((place.x(item.position), item) for item in curve.epochs if item.epoch > 1),
        hand_offs=tuple(
            (place.x(item.since), place.x(item.until) if item.until is not None else now_x, item)
            for item in curve.hand_offs
        ),
    )


class _Axis:
    """Places positions on the axis. On an axis of time, a long wait after the last decision is compressed."""

    def __init__(self, curve: Curve, timed: bool, now_us: int) -> None:  # noqa: FBT001  one of two axes
        self.timed = timed
        self._opened = curve.opened_us
        self._last_us = curve.points[-1].position[0]
        self.last = self.x(curve.points[-1].position) if not timed else (self._last_us - curve.opened_us) / SECOND_US
        wait = (now_us - self._last_us) / SECOND_US
        self._room = max(self.last / 2, 1.0)
        self.late = timed and wait > 2 * self._room
        self._scale = self._room / wait if self.late else 1.0

    def x(self, position: Position) -> float:
        """The place of a position on the axis."""
        if not self.timed:
            return position[1]
        beyond = (position[0] - self._last_us) / SECOND_US
        return self.last + beyond * self._scale if beyond > 0 else (position[0] - self._opened) / SECOND_US


def _trace_curve(curve: Curve, place: _Axis) -> Iterator[tuple[float, int]]:
    for number, (start, end, decay, account) in enumerate(curve.segments):
        for k in range(_SAMPLES + 1):
            position = (start[0] + (end[0] - start[0]) * k // _SAMPLES, start[1] + (end[1] - start[1]) * k / _SAMPLES)
            yield place.x(position), compute_authority(decay, account, position[0])
        if number < len(curve.points):
            yield place.x(curve.points[number].position), curve.points[number].before


def _trace_forecast(curve: Curve, place: _Axis, now_us: int, now_x: float, width: float) -> Iterator[tuple[float, int]]:
    decay, account = curve.segments[-1][2], curve.account
    if place.late:  # its axis has another scale, so there is nothing to go on with
        return
    if not place.timed:
        remaining = curve.authority_at(now_us)
        yield now_x, remaining
        for n in range(1, int(width - curve.points[-1].position[1]) + 1):
            x = curve.points[-1].position[1] + n
            yield x, remaining
            remaining = compute_authority(decay, account, now_us, steps=n, risk=n * curve.risk_per_action())
            yield x, remaining
        yield width, remaining
        return
    for k in range(_SAMPLES + 1):
        seconds = (width - now_x) * k / _SAMPLES
        yield now_x + seconds, compute_authority(decay, account, now_us + int(seconds * SECOND_US))


def _build_ticks(width: float, size: float, *, least: float = 0.0) -> list[tuple[float, str]]:
    step = next(n * 10**e for e in range(-1, 12) for n in (1, 2, 5) if width / size / (n * 10**e) <= MAX_TICKS)
    step = max(step, least)
    return [(k * step * size, f"{k * step:g}") for k in range(int(width / size / step) + 1)]


def format_headline(agent: str, session: str, scene: Scene, epoch: int) -> str:
    """The first line of a chart."""
    return f"authority of {agent} in session {session}, epoch {epoch}: {format_percent(scene.now[1])} now"


_HEIGHT: Final = 330
_QUARTERS: Final = (0, 250_000, 500_000, 750_000, 1_000_000)
_MAX_POINTS: Final = 150


def draw_authority_chart(scene: Scene, floors: Sequence[Floor], title: str, outlook: str) -> str:
    """Draw the chart as an SVG document; `outlook` is the sentence under the title."""
    about = wrap(outlook, 120)
    top = 66 + LINE_HEIGHT * len(about) + LINE_HEIGHT * (place_headings(scene)[1])
    bars = place_hand_offs(scene)
    height = top + _HEIGHT + 74 + 20 * (1 + max((lane for *_, lane in bars), default=-1))
    picture = _AuthorityPicture(scene, top)
    parts = [
        *draw_heading(title, about),
        *draw_levels("authority left", [(picture.y(n), f"{n // 10_000}%") for n in _QUARTERS], top, top + _HEIGHT),
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
    effects = Counter(dot.effect for _, dot in scene.points)
    again = "".join(f" Re-authorized by {item.approver or 'somebody'}: epoch {item.epoch}." for _, item in scene.epochs)
    hand_off_text = "".join(f" Handed off to {item.agent}." for *_, item in scene.hand_offs)
    return (
        f"A curve of authority over {scene.axis}: {len(scene.points)} decisions, {effects['deny']} denied, "
        f"{effects['challenge']} challenged, {format_percent(scene.now[1])} left now.{again}{hand_off_text} "
        f"Floors: {levels}."
    )


class _AuthorityPicture:
    """Draws the parts of a chart of one scene as SVG elements."""

    def __init__(self, scene: Scene, top: float) -> None:
        self._scene = scene
        self._top = top
        self._bottom = top + _HEIGHT

    def y(self, authority: int) -> float:
        """The y coordinate of an authority."""
        return self._bottom - authority / AUTHORITY_ONE * _HEIGHT

    def _build_path(self, corners: Sequence[tuple[float, int]]) -> str:
        spots = (f"{scale_x(x, self._scene):.1f} {self.y(authority):.1f}" for x, authority in corners)
        return "M" + "L".join(spot for spot, _ in groupby(spots))

    def draw_hand_offs(self, bars: Sequence[tuple[float, float, str, bool, int]]) -> Iterator[str]:
        for a, b, label, right, lane in bars:
            place = f'x="{a:.1f}" y="{self._top:.1f}" width="{b - a:.1f}" height="{_HEIGHT}"'
            yield f'<rect class="f-given band" {place}/>'
            y = self._bottom + 32 + 20 * lane
            yield f'<rect class="f-given bar" x="{a:.1f}" y="{y:.1f}" width="{b - a:.1f}" height="9" rx="4.5"/>'
            x, anchor = (b + 8, "start") if right else (a - 8, "end")
            yield draw_text("given", x, y + 9, escape_text(label), anchor)
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
        labels = []
        for level, group in group_by_level(floors).items():
            stopped = any(item.used and not item.possible for item in group)
            name = "stopped" if stopped else "granted" if any(item.used for item in group) else "other"
            yield draw_rule(f"s-{name} floor", PLOT_LEFT, PLOT_RIGHT, self.y(level))
            classes = ", ".join(
                f"{'' if item.possible else '✗ '}{escape_text(item.impact.value)}"
                if item.used
                else f'<tspan class="f-other">{escape_text(item.impact.value)}</tspan>'
                for item in sorted(group, key=lambda item: not item.used)
            )
            labels.append((name, self.y(level), f'<tspan class="strong">{format_percent(level)}</tspan> {classes}'))
        yield from draw_level_labels(labels, self._bottom)

    def draw_epochs(self) -> Iterator[str]:
        placed, rows = place_headings(self._scene)
        for middle, text, name, row in placed:
            y = self._top - 10 - LINE_HEIGHT * (rows - 1 - row)
            yield draw_text(f"{name} strong", middle, y, escape_text(text), "middle")
        for x, _ in self._scene.epochs:
            yield draw_stroke("s-epoch floor", scale_x(x, self._scene), self._top - 5, self._bottom)
        yield draw_stroke("s-soft thin", scale_x(self._scene.now[0], self._scene), self._top - 5, self._bottom)

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
            words = f"#{dot.index} {dot.effect} {dot.action} {dot.resource}, {format_percent(dot.after)} left"
            tip = escape_text(words)
            if dot.effect in SIGNS:
                yield f"<g>{draw_sign(dot.effect, x, y)}<title>{tip}</title></g>"
            elif not many:
                yield f'<circle class="f-curve" cx="{x:.1f}" cy="{y:.1f}" r="2.4"><title>{tip}</title></circle>'

    def draw_stop(self) -> Iterator[str]:
        stop = self._scene.stop
        if stop is None:
            return
        x, y, text = scale_x(stop[0], self._scene), self.y(stop[1]), f"{stop[2]} stops"
        # The label is below and to the left, since the curve falls towards it from above.
        yield f'<circle class="f-paper s-curve" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke-width="2"/>'
        yield draw_text("curve strong over", x - 9, y + 15, escape_text(text), "end")

    def draw_axis(self) -> Iterator[str]:
        scene, y = self._scene, self._bottom
        yield draw_rule("s-soft", PLOT_LEFT, PLOT_RIGHT, y)
        for x, label in scene.ticks:
            yield from draw_tick(scale_x(x, scene), y, escape_text(label))
        yield draw_text("soft", PLOT_RIGHT + 14, y + 19, escape_text(scene.axis))
        if scene.late:
            middle = (scale_x(scene.points[-1][0], scene) + scale_x(scene.now[0], scene)) / 2
            yield draw_text("soft", middle, y + 19, "not to scale", "middle")

    def draw_legend(self, height: float) -> Iterator[str]:
        scene = self._scene
        effects = {dot.effect for _, dot in scene.points}
        items = [('<circle class="f-curve" cx="{x}" cy="{y}" r="2.4"/>', "decided, and ran")]
        items += [(draw_sign(effect, None, None), meaning) for effect, meaning in SIGNS.items() if effect in effects]
        if scene.ahead:
            items.append(('<path class="s-curve line ahead" d="M{a} {y}H{b}"/>', scene.condition))
        yield from draw_legend(place_legend(items)[0], height - 22)


_MAX_LANES: Final = 4


def scale_x(x: float, scene: Scene) -> float:
    """The x coordinate of a place on the scene's axis."""
    return PLOT_LEFT + x / scene.width * PLOT_WIDTH


def place_headings(scene: Scene) -> tuple[list[tuple[float, str, str, int]], int]:
    """Labels over the plot as (x, text, class, row), and how many rows they take."""
    headings = [
        (scale_x(x, scene), f"epoch {epoch.epoch}{epoch.approver and f', re-authorized by {epoch.approver}'}", "epoch")
        for x, epoch in scene.epochs
    ]
    late = f", {scene.late} later" if scene.late else ""
    headings.append((scale_x(scene.now[0], scene), f"now{late}: {format_percent(scene.now[1])}", "ink"))
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for x, text, name in headings:
        half = estimate_width(text) / 2
        middle = min(max(x, PLOT_LEFT + half), PLOT_LEFT + PLOT_WIDTH + 60 - half)
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
        right = b + 8 + estimate_width(label) < CHART_WIDTH - 8
        start, end = (a, b + 8 + estimate_width(label)) if right else (a - 8 - estimate_width(label), b)
        lane = next((n for n, taken in enumerate(ends) if taken + 8 < start), None)
        if lane is not None:
            ends[lane] = end
            placed.append((a, b, label, right, lane))
    return placed
