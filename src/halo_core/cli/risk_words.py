"""Room: words and signs of risk. Takes: a history, a decision. Gives: phrases, labels, a legend. Never: I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from halo_core.cli.risk_history import Action, History
from halo_core.cli.svg_paper import SIGNS, safe, sign
from halo_core.cli.svg_places import LEFT, WIDTH, wide
from halo_core.clock import iso
from halo_core.telling.alert import Alert

__all__ = [
    "BANDS",
    "alert_rows",
    "cut",
    "in_words",
    "keys",
    "legend_of",
    "minute",
    "numbers",
    "plural",
    "score_rows",
    "tip_of",
]

BANDS: Final = (("other", "ordinary"), ("granted", "elevated"), ("stopped", "high"))
_TICKS: Final = 6
_KINDS: Final = {
    "action": "an action far from ordinary",
    "drift": "a session that left the ordinary little by little",
    "session": "a session whose risk became high",
}


def in_words(told: History) -> str:
    """The history in numbers, and what moved it."""
    actions = told.actions
    counts = [
        plural(len(actions), "scored action"),
        plural(len(told.spans), "session"),
        f"{sum(item.band == 1 for item in actions)} elevated",
        f"{sum(item.band > 1 for item in actions)} high",
        plural(sum(bool(item.alert) for item in actions), "alert"),
        f"{sum(item.effect == 'deny' for item in actions)} denied",
        f"{sum(item.effect == 'challenge' for item in actions)} challenged",
    ]
    moved = "; ".join(words for words, _ in told.factors)
    return ", ".join(counts) + (f". What moved it most: {moved}" if moved else "")


def score_rows(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a decision's record says of its score, title and words; nothing where nothing was scored."""
    snapshot = body["snapshot"]
    if snapshot.get("unscored"):
        agent = body["request"]["subject"]["agent"]
        return [("score", f"none, beside an agent that is scored: `halo baseline fit {agent}`")]
    if snapshot["risk"] is None:
        return []
    word = BANDS[min(snapshot["band"], len(BANDS) - 1)][1]
    told = [("score", f"{snapshot['risk']} of 1000, {word}; its session {body['after']['risk']}")]
    return [*told, *(("moved by", item["words"]) for item in snapshot["factors"])]


def alert_rows(alert: Alert) -> list[tuple[str, str]]:
    """What the alert of an agent says, title and words."""
    return [
        ("agent", alert.agent),
        ("on", alert.resource),
        ("kind", _KINDS.get(alert.kind, alert.kind)),
        ("risk", f"{alert.risk} of 1000; its session {alert.session_risk}"),
        *(("moved by", item.words) for item in alert.factors),
        ("decision", f"writer {alert.writer} seq {alert.seq}"),
    ]


def plural(number: int, name: str) -> str:
    """So many of something."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def tip_of(item: Action) -> str:
    """What is shown over a sign of one action."""
    words = f"#{item.index} {item.effect} {item.resource}, risk {item.risk}, its session {item.session_risk}"
    return f"<title>{safe(words)}</title>"


def minute(ts_us: int) -> str:
    """A time, to the minute."""
    return iso(ts_us)[:16].replace("T", " ")


def numbers(count: int) -> list[int]:
    """Round numbers of actions, few enough to be read."""
    step = next(s for power in range(12) for s in (10**power, 2 * 10**power, 5 * 10**power) if count / s <= _TICKS)
    return [*([1] if step > 1 else []), *range(step, count + 1, step)]


def cut(name: str, room: float) -> str:
    """Its start and its end: names of sessions often begin alike."""
    if wide(name) <= room:
        return name
    half = max((int(room / wide("x")) - 1) // 2, 1)
    return f"{name[:half]}…{name[-half:]}"


_Key = tuple[str, str, float, int]
"""Shape, words, x, row."""


def legend_of(told: History, lanes: list[str], *, many: bool) -> list[_Key]:
    """What each sign means, those that are there; on as many rows as they need."""
    effects = {item.effect for item in told.actions}
    bands = {min(item.band, 2) for item in told.actions}
    items = [
        (
            '<path class="s-curve line" d="M{a} {y}H{b}"/>',
            "highest risk of a session" if many else "risk of the session so far",
        )
    ]
    items += [
        (f'<path class="s-{name}" stroke-width="5" d="M{{x}} {{low}}V{{high}}"/>', f"{word} action")
        for band, (name, word) in enumerate(BANDS)
        if band in bands
    ]
    items += [(sign(effect, None, None), words) for effect, words in SIGNS.items() if effect in effects and not lanes]
    if any(item.alert for item in told.actions):
        items.append(('<path class="f-stopped" d="M{a} {high}h10l-5 8Z"/>', "alert"))
    placed: list[_Key] = []
    x, row = float(LEFT + 4), 0
    for shape, words in items:
        if x + 14 + wide(words) > WIDTH - 20:
            x, row = float(LEFT + 4), row + 1
        placed.append((shape, words, x, row))
        x += 40 + wide(words)
    return placed


def keys(legend: list[_Key], top: float) -> Iterator[str]:
    """The legend as SVG elements."""
    for shape, words, x, row in legend:
        y = top + 10 + 22 * row
        places = {"x": x, "y": y, "a": x - 6, "b": x + 8, "low": y + 5, "high": y - 5}
        yield shape.format(**{name: f"{value:.1f}" for name, value in places.items()})
        yield f'<text class="soft" x="{x + 14:.1f}" y="{y + 4:.1f}">{words}</text>'
