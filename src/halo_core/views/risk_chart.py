"""An agent's risk as one self-contained SVG document.

┃  an action: its own risk, coloured by band        ━━  the session so far: rises at once, falls slowly
▼  somebody should look    ✗ denied    ◇ somebody was asked    ╌╌  the limits in force then
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from halo_core.views import charts
from halo_core.views.risk_history import BANDS, ActionGroup, RiskHistory, ScoredAction, group_actions, group_limits
from halo_core.views.wording import format_count, format_minute


def describe_history(agent_history: RiskHistory) -> str:
    """A history in numbers, with its main causes, as a sentence."""
    actions = agent_history.actions
    bands, effects = Counter(item.band for item in actions), Counter(item.effect for item in actions)
    counts = [
        format_count(len(actions), "scored action"),
        format_count(len(agent_history.spans), "session"),
        f"{bands[1]} elevated",
        f"{bands[2]} high",
        format_count(sum(bool(item.alert) for item in actions), "alert"),
        f"{effects['deny']} denied",
        f"{effects['challenge']} challenged",
    ]
    moved = "; ".join(words for words, _ in agent_history.factors)
    return ", ".join(counts) + (f". Main causes: {moved}" if moved else "")


def build_tooltip(item: ScoredAction) -> str:
    """The element that shows an action in words when the pointer is over its sign."""
    words = f"#{item.index} {item.effect} {item.resource}, risk {item.risk}, its session {item.session_risk}"
    return f"<title>{charts.escape_text(words)}</title>"


def choose_ticks(count: int) -> list[int]:
    """Round numbers from 1 to `count` for the ticks of an axis, at most about `MAX_TICKS`."""
    step = next(n * 10**power for power in range(12) for n in (1, 2, 5) if count / (n * 10**power) <= charts.MAX_TICKS)
    return [*([1] if step > 1 else []), *range(step, count + 1, step)]


def shorten_middle(name: str, room: float) -> str:
    """Shorten a name to `room` pixels, keeping start and end, since names of sessions often begin alike."""
    if charts.estimate_width(name) <= room:
        return name
    half = max((int(room / charts.estimate_width("x")) - 1) // 2, 1)
    return f"{name[:half]}…{name[-half:]}"


def list_signs(agent_history: RiskHistory, lanes: list[str], *, many: bool) -> list[tuple[str, str]]:
    """The signs that a chart contains, as format strings, each with its meaning."""
    effects = {item.effect for item in agent_history.actions}
    bands = {min(item.band, 2) for item in agent_history.actions}
    words = "highest risk of a session" if many else "risk of the session so far"
    items = [('<path class="s-curve line" d="M{a} {y}H{b}"/>', words)]
    items += [
        (f'<path class="s-{name}" stroke-width="5" d="M{{x}} {{low}}V{{high}}"/>', f"{word} action")
        for band, (name, word) in enumerate(BANDS)
        if band in bands
    ]
    if not lanes:
        items += [(charts.draw_sign(name, None, None), sign) for name, sign in charts.SIGNS.items() if name in effects]
    if any(item.alert for item in agent_history.actions):
        items.append(('<path class="f-stopped" d="M{a} {high}h10l-5 8Z"/>', "alert"))
    return items


_HEIGHT: Final = 300
_MAX_GROUPS: Final = 130
"""Most groups that are drawn; with more actions, a group holds several."""
_LANE: Final = 20
_THOUSAND: Final = 1000
_LEVELS: Final = (0, 250, 500, 750, 1000)
_LANES: Final = {"challenge": "asked", "deny": "stopped"}
_MIN_SPAN: Final = 9
"""Average width of a session, in pixels, below which sessions are not marked."""
_MIN_NAME: Final = 30
_MIN_DISTANCE: Final = 11
_ROWS: Final = 3
"""Number of rows under the axis: numbers of actions, sessions, times."""


def draw_risk_chart(agent_history: RiskHistory) -> str:
    """Draw a history, which has at least one action, as an SVG document."""
    drawn = group_actions(agent_history, _MAX_GROUPS)
    many = len(drawn[0].actions)
    text = describe_history(agent_history)
    shares = f". Each bar is {many} actions; it shows the highest of each colour, as wide as its share"
    about = wrap(text + shares if many > 1 else text, 120)
    effects = {item.effect for item in agent_history.actions}
    lanes = [effect for effect in charts.SIGNS if many > 1 and effect in effects]
    top = 82 + charts.LINE_HEIGHT * len(about) + _LANE * len(lanes)
    legend, rows = charts.place_legend(list_signs(agent_history, lanes, many=many > 1))
    legend_top = top + _HEIGHT + 30 + charts.LINE_HEIGHT * _ROWS
    title = f"Risk of {agent_history.agent}: {agent_history.now} of 1000 now, {agent_history.highest} at most"
    picture = _RiskPicture(agent_history, drawn, top)
    parts = [
        *charts.draw_heading(title, about),
        *picture.draw_sessions(),
        *charts.draw_levels("risk", [(picture.y(level), str(level)) for level in _LEVELS], top, top + _HEIGHT),
        *picture.draw_actions(),
        *picture.draw_limits(),
        *picture.draw_line(),
        *picture.draw_points(),
        *(picture.draw_lanes(lanes) if lanes else picture.draw_verdicts()),
        *picture.draw_alerts(_LANE * len(lanes)),
        *picture.draw_axis(),
        *charts.draw_legend(legend, legend_top + 10),
    ]
    described = f"Bars show the risk of each action, the line shows the risk of its session. {text}"
    return charts.build_document(title, described, parts, legend_top + 24 * rows)


class _RiskPicture:
    """Draws the parts of the chart as SVG elements."""

    def __init__(self, agent_history: RiskHistory, drawn: list[ActionGroup], top: float) -> None:
        self._history = agent_history
        self._top = top
        self._bottom = top + _HEIGHT
        self._cells = drawn
        self._many = len(drawn[0].actions)
        self._slot = charts.PLOT_WIDTH / len(agent_history.actions)

    def _x(self, place: float) -> float:
        return charts.PLOT_LEFT + place * self._slot

    def _middle(self, cell: ActionGroup) -> float:
        return self._x(cell.first + len(cell.actions) / 2)

    def y(self, risk: int) -> float:
        """The y coordinate of a risk."""
        return self._bottom - risk / _THOUSAND * _HEIGHT

    def draw_sessions(self) -> Iterator[str]:
        """Draw sessions: every other one on a darker ground, with names where there is room."""
        y = self._bottom + 20 + charts.LINE_HEIGHT
        spans = self._history.spans
        has_room = charts.PLOT_WIDTH / len(spans) >= _MIN_SPAN
        for number, span in enumerate(spans if has_room else ()):
            left_edge, size = self._x(span.start), (span.end - span.start) * self._slot
            if number % 2:
                place = f'x="{left_edge:.1f}" y="{self._top:.1f}" width="{size:.1f}" height="{_HEIGHT}"'
                yield f'<rect class="f-soft band" {place}/>'
            if number:
                yield charts.draw_stroke("s-edge thin", left_edge, self._top, self._bottom + charts.LINE_HEIGHT * 2 + 6)
            if size >= _MIN_NAME:
                short_name, full = map(charts.escape_text, (shorten_middle(span.session, size - 6), span.session))
                yield charts.draw_text("soft", left_edge + 4, y, f"{short_name}<title>{full}</title>")
        if not has_room or max(span.end - span.start for span in spans) * self._slot < _MIN_NAME:
            words = format_count(len(spans), "session") + ("" if has_room else ", too many to mark each beginning")
            yield charts.draw_text("soft over", charts.PLOT_LEFT + 4, y, words)

    def draw_limits(self) -> Iterator[str]:
        """Draw the limits that were in force at each action, and label the last ones."""
        ranges = group_limits([item.limits for item in self._history.actions])
        for start, end, pair in ranges:
            for (name, word), level in zip(BANDS[1:], pair, strict=True):
                y, x1, x2 = self.y(level), self._x(start), self._x(end)
                tip = f"<title>{word} above {level}</title>"
                place = f'x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
                yield f'<line class="s-paper" stroke-width="3" stroke-opacity=".6" {place}/>'
                yield f'<line class="s-{name} floor" {place}>{tip}</line>'
        if not ranges or ranges[-1][1] != len(self._history.actions):
            return
        last = zip(BANDS[:0:-1], reversed(ranges[-1][2]), strict=True)
        labels = [(name, self.y(level), f"{word} above {level}") for (name, word), level in last]
        yield from charts.draw_level_labels(labels, self._bottom)

    def draw_actions(self) -> Iterator[str]:
        """Draw, for each group and band, a bar as high as the band's riskiest action and as wide as its share."""
        full = min(self._slot * self._many * 0.8, 6)
        for cell in self._cells:
            x = self._middle(cell)
            for band, (name, _) in enumerate(BANDS):
                some = [item for item in cell.actions if min(item.band, 2) == band]
                top = max(some, key=lambda item: item.risk, default=None)
                if top is not None and top.risk:
                    size = max(full * len(some) / len(cell.actions), min(full, 1.2))
                    bar = f'stroke-width="{size:.1f}" d="M{x:.1f} {self._bottom:.1f}V{self.y(top.risk):.1f}"'
                    yield f'<path class="s-{name}" {bar}>{build_tooltip(top)}</path>'

    def draw_points(self) -> Iterator[str]:
        """Draw a point for each action over the line, unless groups hold several actions."""
        if self._many > 1:
            return
        for cell in self._cells:
            x, y, name = self._middle(cell), self.y(cell.top.risk), BANDS[min(cell.top.band, 2)][0]
            spot = f'cx="{x:.1f}" cy="{y:.1f}" r="3.2" stroke-width="1"'
            yield f'<circle class="f-{name} s-paper" {spot}>{build_tooltip(cell.top)}</circle>'

    def draw_line(self) -> Iterator[str]:
        """Draw the session risk as steps, which are joined only within a session and if groups hold one action."""
        pieces: list[str] = []
        session = None
        for cell in self._cells:
            y, first = self.y(cell.session_risk), cell.actions[0].session
            joined = first == session and self._many == 1
            pieces.append(f"{'V' if joined else f'M{self._x(cell.first):.1f} '}{y:.1f}")
            pieces.append(f"H{self._x(cell.first + len(cell.actions)):.1f}")
            session = first
        yield f'<path class="s-curve line" d="{"".join(pieces)}"/>'

    def draw_verdicts(self) -> Iterator[str]:
        """Draw a sign at each action that was denied or asked about; of signs that would overlap, only one."""
        positions = set()
        for cell in self._cells:
            for item in cell.actions:
                x, y = self._middle(cell), self.y(item.risk)
                place = (item.effect, round(x / _MIN_DISTANCE), round(y / _MIN_DISTANCE))
                if item.effect in charts.SIGNS and place not in positions:
                    positions.add(place)
                    yield f"<g>{charts.draw_sign(item.effect, x, y)}{build_tooltip(item)}</g>"

    def draw_lanes(self, effects: list[str]) -> Iterator[str]:
        """Draw lanes over the chart with the share of each group's actions that was denied or asked about."""
        size = self._slot * self._many * 0.7
        for lane, effect in enumerate(effects):
            y = self._top - 6 - _LANE * lane
            name = _LANES[effect]
            for cell in self._cells:
                count = sum(item.effect == effect for item in cell.actions)
                if count:
                    high = 3 + (_LANE - 9) * count / len(cell.actions)
                    tip = f"<title>{effect}: {count} of {len(cell.actions)}</title>"
                    bar = f'stroke-width="{size:.1f}" d="M{self._middle(cell):.1f} {y:.1f}v-{high:.1f}"'
                    yield f'<path class="s-{name}" {bar}>{tip}</path>'
            yield charts.draw_rule("s-grid", charts.PLOT_LEFT, charts.PLOT_RIGHT, y)
            yield charts.draw_text(name, charts.PLOT_RIGHT + 14, y - 1, charts.SIGNS[effect])

    def draw_alerts(self, offset: float) -> Iterator[str]:
        """Draw alerts over the chart; neighbouring ones share a mark with their number."""
        groups: dict[int, list[tuple[float, int]]] = {}
        for cell in self._cells:
            if cell.alerts:
                x = self._middle(cell)
                groups.setdefault(int(x / (2 * _MIN_DISTANCE)), []).append((x, len(cell.alerts)))
        y = self._top - 7 - offset
        for column, group in groups.items():
            x = group[0][0] if len(group) == 1 and self._many == 1 else (column + 0.5) * 2 * _MIN_DISTANCE
            count = sum(number for _, number in group)
            tip = f"<title>{format_count(count, 'alert')}</title>"
            yield f'<path class="f-stopped" d="M{x - 5:.1f} {y - 8:.1f}h10l-5 8Z">{tip}</path>'
            if count > 1:
                yield charts.draw_text("stopped strong", x, y - 12, str(count), "middle")

    def draw_axis(self) -> Iterator[str]:
        y, actions = self._bottom, self._history.actions
        yield charts.draw_rule("s-soft", charts.PLOT_LEFT, charts.PLOT_RIGHT, y)
        for number in choose_ticks(len(actions)):
            x = self._x(number - 0.5)
            yield from charts.draw_tick(x, y, f"{number:,}", "end" if x > charts.PLOT_RIGHT - 12 else "middle")
        first, last = (format_minute(pick(item.ts_us for item in actions)) for pick in (min, max))
        times_y = y + 22 + 2 * charts.LINE_HEIGHT
        for label, label_y in (("actions", y + 19), ("sessions", y + 20 + charts.LINE_HEIGHT), ("UTC", times_y)):
            yield charts.draw_text("soft", charts.PLOT_RIGHT + 14, label_y, label)
        yield charts.draw_text("soft", charts.PLOT_LEFT + 4, times_y, first)
        if last != first:
            yield charts.draw_text("soft", charts.PLOT_RIGHT, times_y, last, "end")
