"""Charts of an agent over its sessions, as self-contained SVG documents.

    timeline   the risk that past alarms left for the next session, and what was done about it
    drift      how close each session came to the agent's own limits, with its alarms
    parts      the four parts of how unusual the agent was, session by session

Sessions are drawn in the order in which they were folded. If there are many, a bar stands for several sessions and
shows the highest value.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from halo_core.quick_dataclass import dataclass
from halo_core.views import charts
from halo_core.views.agent_behaviour import ALARM, PARTS, AgentBehaviour, DoneAct, SessionPoint
from halo_core.views.risk_chart import choose_ticks, shorten_middle
from halo_core.views.wording import format_count, format_minute

_MAX_CELLS: Final = 216
_HEIGHT: Final = 260
_LANE_HEIGHT: Final = 62
_LANE_GAP: Final = 18
_TOP: Final = 96
_LINES: Final = 120
"""Characters of a line under the title."""
_MAX_NAMED: Final = 10
_LEAST_DISTANCE: Final = 14
_LEVELS: Final = (0, 250, 500, 750, 1000)
_BANDS: Final = ((700, "stopped", "700: acts are asked about"), (400, "granted", "400: grave acts are asked about"))
"""Risks from which on the starter policy asks (`behaviour.cedar`)."""
_LINEAR_SHARE: Final = 0.6
"""Part of the height up to the limit; what is above it is drawn on a logarithmic scale."""
_FACTORS: Final = (2, 5, 10, 100, 1000)
_MAX_FACTOR: Final = 1000
_VERDICTS: Final = {
    "ordinary": "other",
    "observed": "given",
    "cleared": "epoch",
    "alarm": "granted",
    "attack": "stopped",
}
_VERDICT_WORDS: Final = {
    "ordinary": "ordinary session",
    "observed": "alarm while observed",
    "cleared": "alarm that a person cleared",
    "alarm": "session with an alarm",
    "attack": "judged an attack",
}
_COUNTED: Final = {
    "alarm": "with an alarm",
    "attack": "judged an attack",
    "cleared": "with an alarm that a person cleared",
    "observed": "with an alarm while observed",
}
_RANK: Final = {name: place for place, name in enumerate(_VERDICTS)}


@dataclass(frozen=True, slots=True)
class _Cell:
    """Neighbouring sessions that are drawn as one; `first` is the place of the first one."""

    first: int
    points: tuple[SessionPoint, ...]

    def most(self, pick: Callable[[SessionPoint], int]) -> int:
        """The highest value that `pick` takes from a session of the cell."""
        return max(map(pick, self.points))

    @property
    def verdict(self) -> str:
        """The gravest verdict."""
        return max((point.verdict for point in self.points), key=lambda name: _RANK.get(name, 0))

    @property
    def alarms(self) -> tuple[str, ...]:
        """What alarmed."""
        return tuple(dict.fromkeys(words for point in self.points for words in point.alarms))

    def tooltip(self, words: str) -> str:
        """The element that shows words, sessions and alarms when the pointer is over the cell."""
        point = self.points[0]
        more = f" and {len(self.points) - 1} more" if len(self.points) > 1 else ""
        principal_text = f" for {point.principal}" if point.principal else ""
        text = f"{point.session}{more}{principal_text}, {format_minute(point.ts_us)}: {words}"
        alarms = "; ".join(self.alarms)
        return f"<title>{charts.escape_text(text + (f'; {alarms}' if alarms else ''))}</title>"


class _Plot:
    """Sessions side by side, over a rectangle of the document."""

    def __init__(self, points: Sequence[SessionPoint], top: float, height: float = _HEIGHT) -> None:
        size = max(-(-len(points) // _MAX_CELLS), 1)
        self.points = points
        self.cells = [_Cell(start, tuple(points[start : start + size])) for start in range(0, len(points), size)]
        self.size = size
        self.top, self.bottom = top, top + height
        self._slot = charts.PLOT_WIDTH / len(points)

    def x(self, place: float) -> float:
        """The x coordinate of a place, in sessions from the left."""
        return charts.PLOT_LEFT + place * self._slot

    def middle(self, cell: _Cell) -> float:
        """The x coordinate of the middle of a cell."""
        return self.x(cell.first + len(cell.points) / 2)

    def y(self, risk: float) -> float:
        """The y coordinate of a value of 0..1000."""
        return self.bottom - min(max(risk, 0), ALARM) / ALARM * (self.bottom - self.top)

    @property
    def bar_width(self) -> float:
        """Width of a bar."""
        return max(min(self._slot * self.size * 0.72, 14), 0.8)

    def draw_bar(self, cell: _Cell, y: float, colour: str, words: str) -> str:
        """A bar from the ground up to `y`."""
        bar = f'stroke-width="{self.bar_width:.1f}" d="M{self.middle(cell):.1f} {self.bottom:.1f}V{y:.1f}"'
        return f'<path class="s-{colour}" {bar}>{cell.tooltip(words)}</path>'

    def draw_steps(self, pick: Callable[[SessionPoint], int], y: Callable[[float], float]) -> str:
        """A line that holds a number from one session to the next."""
        pieces: list[str] = []
        for cell in self.cells:
            start, end = self.x(cell.first), self.x(cell.first + len(cell.points))
            pieces.append(f"{'L' if pieces else 'M'}{start:.1f} {y(cell.most(pick)):.1f}H{end:.1f}")
        return f'<path class="s-curve line" d="{"".join(pieces)}"/>'

    def draw_axis(self) -> Iterator[str]:
        """Numbers of sessions, and the first and last day."""
        yield charts.draw_rule("s-soft", charts.PLOT_LEFT, charts.PLOT_RIGHT, self.bottom)
        for number in choose_ticks(len(self.points)):
            x = self.x(number - 0.5)
            anchor = "end" if x > charts.PLOT_RIGHT - 12 else "middle"
            yield from charts.draw_tick(x, self.bottom, f"{number:,}", anchor)
        y = self.bottom + 19
        yield charts.draw_text("soft", charts.PLOT_RIGHT + 14, y, "sessions")
        first, last = format_minute(self.points[0].ts_us), format_minute(self.points[-1].ts_us)
        y += charts.LINE_HEIGHT
        yield charts.draw_text("soft", charts.PLOT_LEFT, y, first)
        if last != first:
            yield charts.draw_text("soft", charts.PLOT_RIGHT, y, last, "end")
        yield charts.draw_text("soft", charts.PLOT_RIGHT + 14, y, "UTC")

    def draw_alarms(self, numbers: dict[int, int]) -> Iterator[str]:
        """A sign over each cell that alarmed, with the number under which it is named below."""
        last_x = -math.inf
        for place, cell in enumerate(self.cells):
            if not cell.alarms:
                continue
            x, y = self.middle(cell), self.top - 6
            yield f'<path class="f-stopped" d="M{x - 5:.1f} {y - 8:.1f}h10l-5 8Z">{cell.tooltip("alarm")}</path>'
            if place in numbers and x - last_x >= _LEAST_DISTANCE:
                yield charts.draw_text("stopped strong", x, y - 12, str(numbers[place]), "middle")
                last_x = x

    def name_alarms(self) -> tuple[dict[int, int], list[str]]:
        """Place of a cell → number drawn at its alarms, and a line of text for each number; for the newest cells."""
        alarmed = [place for place, cell in enumerate(self.cells) if cell.alarms]
        named_sessions = alarmed[-_MAX_NAMED:]
        numbers = {place: number for number, place in enumerate(named_sessions, 1)}
        lines = []
        for place, number in numbers.items():
            cell = self.cells[place]
            sessions = [point.session for point in cell.points if point.alarms]
            more = f" and {len(sessions) - 1} more" if len(sessions) > 1 else ""
            lines.append(f"{number}  {shorten_middle(sessions[0], 180)}{more}: {'; '.join(cell.alarms)}")
        if len(alarmed) > len(named_sessions):
            lines.insert(0, f"{len(alarmed) - len(named_sessions)} alarms before these are drawn without a number")
        return numbers, lines


def _draw_lines(lines: Sequence[str], top: float) -> Iterator[str]:
    """Lines of text under the plot; long ones end with `…`."""
    most = int((charts.CHART_WIDTH - charts.PLOT_LEFT - 24) / charts.estimate_width("x"))
    for number, line in enumerate(lines):
        text = line if len(line) <= most else line[: most - 1] + "…"
        body = f"{charts.escape_text(text)}<title>{charts.escape_text(line)}</title>"
        yield charts.draw_text("ink", charts.PLOT_LEFT, top + charts.LINE_HEIGHT * number, body)


def _list_verdicts(points: Sequence[SessionPoint]) -> list[tuple[str, str]]:
    verdicts = {point.verdict for point in points}
    return [
        (f'<path class="s-{colour}" stroke-width="5" d="M{{x}} {{low}}V{{high}}"/>', _VERDICT_WORDS[name])
        for name, colour in _VERDICTS.items()
        if name in verdicts
    ]


_ALARM_SIGN: Final = ('<path class="f-stopped" d="M{a} {high}h10l-5 8Z"/>', "alarm, named below")


def _shorten_name(name: str) -> str:
    """A name that fits into a title."""
    return shorten_middle(name, 260)


def _build_chart(
    plot: _Plot,
    title: str,
    text: str,
    *,
    drawing: Sequence[str],
    signs: Sequence[tuple[str, str]],
    lines: Sequence[str],
) -> str:
    """The document of a chart: heading, drawing, axis, the legend of its signs, and lines of text."""
    legend, rows = charts.place_legend(signs)
    legend_top = plot.bottom + 62
    lines_top = legend_top + 24 * rows + 10
    parts = [
        *charts.draw_heading(title, wrap(text, _LINES)),
        *drawing,
        *plot.draw_axis(),
        *charts.draw_legend(legend, legend_top),
        *_draw_lines(lines, lines_top),
    ]
    return charts.build_document(title, text, parts, lines_top + charts.LINE_HEIGHT * len(lines))


def _make_plot(points: Sequence[SessionPoint], text: str) -> _Plot:
    """A plot below a heading with this text."""
    return _Plot(points, _TOP + charts.LINE_HEIGHT * len(wrap(text, _LINES)))


def draw_timeline_chart(agent: AgentBehaviour) -> str:
    """Draw the risk that sessions left for the next ones, and what was done about the agent.

    A bar is the risk for the principal that the session acted for, the line that of the whole agent.
    """
    acts = list(agent.done)[-_MAX_NAMED:]
    text = _describe_timeline(agent)
    plot = _make_plot(agent.points, text)
    numbers, alarm_lines = plot.name_alarms()
    act_lines = [
        f"{chr(ord('A') + place)}  {format_minute(act.ts_us)} {act.what}{f', by {act.by}' if act.by else ''}"
        for place, act in enumerate(acts)
    ]
    signs = [
        ('<path class="s-curve line" d="M{a} {y}H{b}"/>', "risk of the whole agent"),
        *_list_verdicts(agent.points),
        *([_ALARM_SIGN] if numbers else []),
        *([('<path class="s-given floor" d="M{x} {low}V{high}"/>', "something was done")] if acts else []),
    ]
    bars = []
    for cell in plot.cells:
        risk = cell.most(_pick_pair)
        if risk or cell.verdict != "ordinary":
            bars.append(plot.draw_bar(cell, plot.y(risk), _VERDICTS[cell.verdict], f"risk {risk} after it"))
    labels = [(colour, plot.y(level), words) for level, colour, words in _BANDS]
    drawing = [
        *charts.draw_levels("carried risk", [(plot.y(level), str(level)) for level in _LEVELS], plot.top, plot.bottom),
        *(charts.draw_rule(f"s-{colour} floor", charts.PLOT_LEFT, charts.PLOT_RIGHT, y) for colour, y, _ in labels),
        *charts.draw_level_labels(labels, plot.bottom),
        *bars,
        plot.draw_steps(lambda point: point.agent_risk, plot.y),
        *_draw_acts(plot, acts),
        *plot.draw_alarms(numbers),
    ]
    title = f"Carried risk of {_shorten_name(agent.agent)}: {agent.risk} of 1000 now"
    return _build_chart(plot, title, text, drawing=drawing, signs=signs, lines=[*alarm_lines, *act_lines])


def _pick_pair(point: SessionPoint) -> int:
    return point.pair_risk


def _draw_acts(plot: _Plot, acts: Sequence[DoneAct]) -> Iterator[str]:
    times = [point.ts_us for point in plot.points]
    labels: list[tuple[float, str]] = []
    for number, act in enumerate(acts):
        x, letter = plot.x(bisect_right(times, act.ts_us)), chr(ord("A") + number)
        tip = f"<title>{charts.escape_text(f'{format_minute(act.ts_us)} {act.what}')}</title>"
        yield f'<path class="s-given floor" d="M{x:.1f} {plot.top:.1f}V{plot.bottom:.1f}">{tip}</path>'
        if labels and x - labels[-1][0] < _LEAST_DISTANCE:
            labels[-1] = labels[-1][0], labels[-1][1] + letter
        else:
            labels.append((x, letter))
    for x, letters in labels:
        yield charts.draw_text("given strong over", x + 3, plot.top + 12, letters)


def _describe_timeline(agent: AgentBehaviour) -> str:
    points = agent.points
    verdicts = Counter(point.verdict for point in points)
    counts = [f"{verdicts[name]:,} {words}" for name, words in _COUNTED.items() if verdicts[name]]
    since = f" There is a risk since {format_minute(agent.since_us)} UTC." if agent.since_us else ""
    bars = "Bars: the risk that a session left for the person it acted for. Line: the risk of the whole agent"
    head = f"{format_count(len(points), 'session')}, {', '.join(counts) or 'none with an alarm'}"
    return f"{head}. {bars}. Both fall by a quarter with each day of ordinary work.{since}"


def draw_drift_chart(agent: AgentBehaviour) -> str:
    """Draw how close each session came to the agent's own limits, and the drift over sessions."""
    points = agent.points
    over = sum(point.share >= ALARM for point in points)
    text = (
        f"{format_count(len(points), 'session')}, {over:,} above a limit of the agent's own. Bars: the measure that "
        "came closest to its limit in that session. Line: the drift over sessions, an alarm at 100%. Above 100% the "
        "scale is logarithmic."
    )
    plot = _make_plot(points, text)
    top_factor = max(point.share for point in points) / ALARM
    scale = _ShareScale(plot, max(top_factor, max(point.drift for point in points) / ALARM))
    numbers, lines = plot.name_alarms()
    signs = [
        ('<path class="s-curve line" d="M{a} {y}H{b}"/>', "drift over sessions"),
        ('<path class="s-other" stroke-width="5" d="M{x} {low}V{high}"/>', "within its limits"),
        ('<path class="s-stopped" stroke-width="5" d="M{x} {low}V{high}"/>', "a limit was passed"),
        *([_ALARM_SIGN] if numbers else []),
    ]
    bars = []
    for cell in plot.cells:
        point = max(cell.points, key=lambda item: item.share)
        colour = "stopped" if point.share >= ALARM else "other"
        words = f"{point.measure}: {point.share / 10:g}% of its limit"
        bars.append(plot.draw_bar(cell, scale.y(point.share), colour, words))
    drawing = [
        *charts.draw_levels("share of the limit", scale.list_levels(), plot.top, plot.bottom),
        charts.draw_rule("s-stopped floor", charts.PLOT_LEFT, charts.PLOT_RIGHT, scale.y(ALARM)),
        *charts.draw_level_labels([("stopped", scale.y(ALARM), "its own limit")], plot.bottom),
        *bars,
        plot.draw_steps(lambda point: point.drift, scale.y),
        *plot.draw_alarms(numbers),
    ]
    title = f"Drift of {_shorten_name(agent.agent)}: {agent.drift / 10:g}% of an alarm now"
    return _build_chart(plot, title, text, drawing=drawing, signs=signs, lines=lines)


class _ShareScale:
    """The scale of shares of a limit: linear up to the limit, logarithmic above it."""

    def __init__(self, plot: _Plot, factor: float) -> None:
        self._plot = plot
        self._top = min(next((item for item in _FACTORS if item >= factor), _MAX_FACTOR), _MAX_FACTOR)

    def y(self, share: float) -> float:
        """The y coordinate of a share, in thousandths."""
        height = self._plot.bottom - self._plot.top
        if share <= ALARM:
            return self._plot.bottom - share / ALARM * _LINEAR_SHARE * height
        excess = min(math.log(share / ALARM) / math.log(self._top), 1.0)
        return self._plot.bottom - (_LINEAR_SHARE + excess * (1 - _LINEAR_SHARE)) * height

    def list_levels(self) -> list[tuple[float, str]]:
        """Y coordinate and label of each horizontal line."""
        within = [(self.y(share), f"{share // 10}%") for share in (0, 250, 500, 750, 1000)]
        return within + [(self.y(factor * ALARM), f"{factor * 100:,}%") for factor in _FACTORS if factor <= self._top]


_PART_WORDS: Final = {
    "behaviour": "what it does, and how much",
    "entitlement": "rights unused for long",
    "context": "hour, host, program, system",
    "scope": "distance from the request",
    "unusual": "the four in one number",
}
_PART_ASK: Final = 900


def draw_parts_chart(agent: AgentBehaviour) -> str:
    """Draw the four parts of each session and their combined value, each in a lane."""
    points = agent.points
    names = (*PARTS, "unusual")
    about_text = (
        f"The highest of each session, 0 to 1000. {sum(point.unusual >= _PART_ASK for point in points)} of "
        f"{format_count(len(points), 'session')} were unusual enough to ask a person ({_PART_ASK})."
    )
    if not any(point.unusual for point in points):
        about_text += " Nothing was unusual so far."
    about = wrap(about_text, _LINES)
    top = 84 + charts.LINE_HEIGHT * len(about)
    title = f"What made {_shorten_name(agent.agent)} unusual"
    parts = [*charts.draw_heading(title, about)]
    plot = _Plot(points, top)
    for number, name in enumerate(names):
        lane_top = top + number * (_LANE_HEIGHT + _LANE_GAP)
        plot = _Plot(points, lane_top, _LANE_HEIGHT)
        parts += _draw_lane(plot, name)
    parts += plot.draw_axis()
    return charts.build_document(title, about_text, parts, plot.bottom + 62)


def _draw_lane(plot: _Plot, name: str) -> Iterator[str]:
    colour = "curve" if name == "unusual" else "given"
    for level in (0, 500, 1000):
        yield charts.draw_rule("s-grid", charts.PLOT_LEFT, charts.PLOT_RIGHT, plot.y(level))
    for level in (0, 1000):
        yield charts.draw_text("soft", charts.PLOT_LEFT - 10, plot.y(level) + 4, str(level), "end")
    if name == "unusual":
        yield charts.draw_rule("s-stopped floor", charts.PLOT_LEFT, charts.PLOT_RIGHT, plot.y(_PART_ASK))

    def pick(point: SessionPoint) -> int:
        return point.unusual if name == "unusual" else point.parts.get(name, 0)

    for cell in plot.cells:
        value = cell.most(pick)
        if value:
            is_grave = name == "unusual" and value >= _PART_ASK
            yield plot.draw_bar(cell, plot.y(value), "stopped" if is_grave else colour, f"{name} {value}")
    yield charts.draw_rule("s-soft", charts.PLOT_LEFT, charts.PLOT_RIGHT, plot.bottom)
    for number, line in enumerate((name, _PART_WORDS[name])):
        y = plot.top + 14 + charts.LINE_HEIGHT * number
        yield charts.draw_text("soft" if number else "ink strong", charts.PLOT_RIGHT + 14, y, line)
