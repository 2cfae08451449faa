"""Room: the decay curve, laid out. Takes: a curve, a time. Gives: what is drawn, in axis units. Never: I/O, draws.

The terminal's chart and the SVG show the same scene. Its axis is time, or decisions where time took next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from halo_core.authority import authority_of
from halo_core.cli.curve import Curve, Dot, Epoch, Given, Position
from halo_core.cli.floors import Floor, classes, rough, soonest
from halo_core.cli.words import percent

__all__ = ["Scene", "Tick", "headline", "lay_out"]

_US: Final = 1_000_000
_SAMPLES: Final = 24
_AHEAD: Final = 0.25  # of what was lies ahead at least
_LATE: Final = 0.03  # where there is nothing to go on with
_FAR: Final = 1.0  # and at most
_BEYOND: Final = 1.25  # so that where the next class stops is well inside
_LEAST_AHEAD: Final = 4.0
_TICKS: Final = 6
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
        ahead: corners of what follows if it goes on like this: by time alone, or at this epoch's pace.
        now: place and authority of now.
        late: how long ago the last decision was, where the axis is cut short for it; else empty.
        dots: (x, decision).
        epochs: (x, epoch), re-authorizations only.
        stop: where the next classes stop if it goes on like this, and which; None where that lies beyond.
        given: (x from, x to, hand-off).
    """

    timed: bool
    axis: str
    width: float
    ticks: tuple[Tick, ...]
    line: tuple[tuple[float, int], ...]
    ahead: tuple[tuple[float, int], ...]
    now: tuple[float, int]
    late: str
    dots: tuple[tuple[float, Dot], ...]
    epochs: tuple[tuple[float, Epoch], ...]
    given: tuple[tuple[float, float, Given], ...]
    stop: tuple[float, int, str] | None = None

    @property
    def provided(self) -> str:
        """Under which condition `ahead` comes true."""
        return "if time alone passes" if self.timed else "if it goes on like this"


def lay_out(told: Curve, found: Sequence[Floor], now_us: int, *, timed: bool | None = None) -> Scene:
    """The scene of a curve; without a word the axis that shows more."""
    by_time = told.timed() if timed is None else timed
    place = _Axis(told, by_time, now_us)
    now_x = place.x(told.pieces[-1][1])
    past = max(now_x, 1.0)
    soon, stopping = soonest(found)
    reach = (float(soon[1]) if by_time else soon[0] + 1.0) if stopping and not place.late else 0.0
    ahead = max(past * _AHEAD, 1.0 if by_time else _LEAST_AHEAD)
    ahead = past * _LATE if place.late else ahead
    width = past + (min(max(ahead, reach * _BEYOND), max(past * _FAR, ahead)))
    ticks, unit = _time_ticks(width) if by_time else (_ticks(width, 1, least=1), "")
    future = tuple(_ahead(told, place, now_us, now_x, width))
    stop_x = (now_x if by_time else told.dots[-1].at[1]) + reach
    stop = (stop_x, _at(future, stop_x), classes(stopping)) if reach > 0 and stop_x <= width else None
    return Scene(
        stop=stop,
        timed=by_time,
        axis=f"{unit} since the session opened" if by_time else "decisions of the session",
        width=width,
        ticks=tuple(tick for tick in ticks if not place.late or tick.x <= place.last),
        line=tuple(_line(told, place)),
        ahead=future,
        now=(now_x, told.left(now_us)),
        late=rough((now_us - told.dots[-1].at[0]) // _US) if place.late else "",
        dots=tuple((place.x(dot.at), dot) for dot in told.dots),
        epochs=tuple((place.x(item.at), item) for item in told.epochs if item.epoch > 1),
        given=tuple(
            (place.x(item.since), place.x(item.until) if item.until is not None else now_x, item) for item in told.given
        ),
    )


class _Axis:
    """Where a position lies. On an axis of time, a long wait after the last decision is cut short."""

    def __init__(self, told: Curve, timed: bool, now_us: int) -> None:  # noqa: FBT001  one of two axes
        self.timed = timed
        self._opened = told.opened_us
        self._last_us = told.dots[-1].at[0]
        self.last = self.x(told.dots[-1].at) if not timed else (self._last_us - told.opened_us) / _US
        wait = (now_us - self._last_us) / _US
        self._room = max(self.last / 2, 1.0)
        self.late = timed and wait > 2 * self._room
        self._scale = self._room / wait if self.late else 1.0

    def x(self, at: Position) -> float:
        """The place of a position."""
        if not self.timed:
            return at[1]
        beyond = (at[0] - self._last_us) / _US
        return self.last + beyond * self._scale if beyond > 0 else (at[0] - self._opened) / _US


def _line(told: Curve, place: _Axis) -> Iterator[tuple[float, int]]:
    for number, (start, end, decay, account) in enumerate(told.pieces):
        for k in range(_SAMPLES + 1):
            at = (start[0] + (end[0] - start[0]) * k // _SAMPLES, start[1] + (end[1] - start[1]) * k / _SAMPLES)
            yield place.x(at), authority_of(decay, account, at[0])
        if number < len(told.dots):
            yield place.x(told.dots[number].at), told.dots[number].before


def _ahead(told: Curve, place: _Axis, now_us: int, now_x: float, width: float) -> Iterator[tuple[float, int]]:
    decay, account = told.pieces[-1][2], told.account
    if place.late:  # its axis has another scale, so there is nothing to go on with
        return
    if not place.timed:
        left = told.left(now_us)
        yield now_x, left
        for n in range(1, int(width - told.dots[-1].at[1]) + 1):
            x = told.dots[-1].at[1] + n
            yield x, left
            left = authority_of(decay, account, now_us, steps=n, risk=n * told.pace())
            yield x, left
        yield width, left
        return
    for k in range(_SAMPLES + 1):
        seconds = (width - now_x) * k / _SAMPLES
        yield now_x + seconds, authority_of(decay, account, now_us + int(seconds * _US))


def _at(corners: Sequence[tuple[float, int]], x: float) -> int:
    """The least authority that the corners show up to `x`."""
    return min((authority for place, authority in corners if place <= x), default=0)


def _ticks(width: float, size: float, *, least: float = 0.0) -> list[Tick]:
    step = next(n * 10**e for e in range(-1, 12) for n in (1, 2, 5) if width / size / (n * 10**e) <= _TICKS)
    step = max(step, least)
    count = int(width / size / step)
    return [Tick(k * step * size, f"{k * step:g}") for k in range(count + 1)]


def _time_ticks(width: float) -> tuple[list[Tick], str]:
    size, name = next(((size, name) for size, name in _PERIODS if width >= 2 * size), _PERIODS[-1])
    return _ticks(width, size), name


def headline(agent: str, session: str, scene: Scene, epoch: int) -> str:
    """The first line of a chart."""
    return f"authority of {agent} in session {session}, epoch {epoch}: {percent(scene.now[1])} now"
