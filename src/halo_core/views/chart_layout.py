"""The scene of an authority curve, in units of its axis.

The terminal's chart and the SVG show the same scene. Its axis is time, or decisions where time took next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from halo_core.authority import compute_authority
from halo_core.views.authority_curve import (
    Curve,
    DecisionPoint,
    Epoch,
    Floor,
    HandOff,
    Position,
    find_soonest,
    format_classes,
)
from halo_core.views.wording import format_percent, format_rough_duration

_US_PER_S: Final = 1_000_000
_SAMPLES: Final = 24
_AHEAD: Final = 0.25  # of what was lies ahead at least
_LATE: Final = 0.03  # where there is nothing to go on with
_FAR: Final = 1.0  # and at most
_BEYOND: Final = 1.25  # so that where the next class stops is well inside
_LEAST_AHEAD: Final = 4.0
_MAX_TICKS: Final = 6
_PERIODS: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis with its label."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn. Authority is 0..1_000_000; `x` runs from 0 to `width`.

    Args:
        timed: the axis is time, else decisions.
        axis: the axis' title, with its unit.
        width: end of the axis.
        ticks: on the axis.
        line: corners of the curve up to now.
        ahead: corners of what follows at the current rate: by time alone, or at this epoch's pace.
        now: place and authority of now.
        late: how long ago the last decision was, where the axis is cut short for it; else empty.
        points: (x, decision).
        epochs: (x, epoch), re-authorizations only.
        stop: where the next classes stop at the current rate, and which; None where that lies beyond.
        hand_offs: (x from, x to, hand-off).
    """

    timed: bool
    axis: str
    width: float
    ticks: tuple[Tick, ...]
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
        """Under which condition `ahead` comes true."""
        return "if only time passes" if self.timed else "at the current rate"


def lay_out(curve: Curve, class_floors: Sequence[Floor], now_us: int, *, timed: bool | None = None) -> Scene:
    """The scene of a curve; without a word the axis that shows more."""
    by_time = curve.is_time_driven() if timed is None else timed
    place = _Axis(curve, by_time, now_us)
    now_x = place.x(curve.segments[-1][1])
    past = max(now_x, 1.0)
    soon, stopping = find_soonest(class_floors)
    stop_distance = (float(soon[1]) if by_time else soon[0] + 1.0) if stopping and not place.late else 0.0
    ahead = max(past * _AHEAD, 1.0 if by_time else _LEAST_AHEAD)
    ahead = past * _LATE if place.late else ahead
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
        ticks=tuple(tick for tick in ticks if not place.late or tick.x <= place.last),
        line=tuple(_trace_curve(curve, place)),
        ahead=future,
        now=(now_x, curve.authority_at(now_us)),
        late=format_rough_duration((now_us - curve.points[-1].position[0]) // _US_PER_S) if place.late else "",
        points=tuple((place.x(dot.position), dot) for dot in curve.points),
        epochs=tuple((place.x(item.position), item) for item in curve.epochs if item.epoch > 1),
        hand_offs=tuple(
            (place.x(item.since), place.x(item.until) if item.until is not None else now_x, item)
            for item in curve.hand_offs
        ),
    )


class _Axis:
    """Where a position lies. On an axis of time, a long wait after the last decision is cut short."""

    def __init__(self, curve: Curve, timed: bool, now_us: int) -> None:  # noqa: FBT001  one of two axes
        self.timed = timed
        self._opened = curve.opened_us
        self._last_us = curve.points[-1].position[0]
        self.last = self.x(curve.points[-1].position) if not timed else (self._last_us - curve.opened_us) / _US_PER_S
        wait = (now_us - self._last_us) / _US_PER_S
        self._room = max(self.last / 2, 1.0)
        self.late = timed and wait > 2 * self._room
        self._scale = self._room / wait if self.late else 1.0

    def x(self, position: Position) -> float:
        """The place of a position."""
        if not self.timed:
            return position[1]
        beyond = (position[0] - self._last_us) / _US_PER_S
        return self.last + beyond * self._scale if beyond > 0 else (position[0] - self._opened) / _US_PER_S


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
        yield now_x + seconds, compute_authority(decay, account, now_us + int(seconds * _US_PER_S))


def _build_ticks(width: float, size: float, *, least: float = 0.0) -> list[Tick]:
    step = next(n * 10**e for e in range(-1, 12) for n in (1, 2, 5) if width / size / (n * 10**e) <= _MAX_TICKS)
    step = max(step, least)
    count = int(width / size / step)
    return [Tick(k * step * size, f"{k * step:g}") for k in range(count + 1)]


def format_headline(agent: str, session: str, scene: Scene, epoch: int) -> str:
    """The first line of a chart."""
    return f"authority of {agent} in session {session}, epoch {epoch}: {format_percent(scene.now[1])} now"
