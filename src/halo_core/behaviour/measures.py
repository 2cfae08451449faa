"""What is counted over a session, and the scale on which counts are compared.

A *measure* is a whole number that starts at zero with a session and never falls within it. Limits, windows and drift
work on a logarithmic scale: `to_level` gives 16ths of an octave, exactly, by a table and shifts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from halo_core.quick_dataclass import dataclass

LEVELS_PER_OCTAVE: Final = 16
MAX_VALUE: Final = 2**48


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Args:
        id: stable name.
        verb: for people: what the agent did, in the past tense.
        noun: of what.
        floor: no limit lies below it, however little an identity has shown.
        generous: limit of an identity without a history, or at the start of its own.
        unit: how values are written: `count`, `bytes`, `amount` (ten-thousandths), `seconds` or `risk`.
        ceiling: no limit of a mature identity lies above it; 0 for none.
        is_windowed: it is also summed over recent sessions.
        drifts: its trend over sessions is watched.
    """

    id: str
    verb: str
    noun: str
    floor: int
    generous: int
    unit: str = "count"
    ceiling: int = 0
    is_windowed: bool = False
    drifts: bool = False


MEASURES: Final = (
    Measure("actions", "made", "actions", 12, 250, is_windowed=True, drifts=True),
    Measure("reads", "made", "reads", 10, 200, drifts=True),
    Measure("acts", "made", "actions that change or send something", 6, 80, is_windowed=True, drifts=True),
    Measure("sends", "sent", "messages", 4, 40, is_windowed=True, drifts=True),
    Measure("payments", "made", "payments", 3, 20, is_windowed=True, drifts=True),
    Measure("removals", "removed", "things", 3, 15, is_windowed=True, drifts=True),
    Measure("grave", "made", "changes of rights, program runs and actions of unknown effect", 4, 40, is_windowed=True),
    Measure("tools", "used", "different tools", 5, 40, drifts=True),
    Measure(
        "objects", "touched", "different records, accounts, files or addresses", 12, 150, is_windowed=True, drifts=True
    ),
    Measure(
        "unrelated", "touched", "records that the request has nothing to do with", 5, 60, is_windowed=True, drifts=True
    ),
    Measure("requested", "touched", "records that the request names one by one", 24, 150, is_windowed=True),
    Measure(
        "unrelated_acts",
        "made",
        "changes to things that the request has nothing to do with",
        3,
        20,
        is_windowed=True,
        drifts=True,
    ),
    Measure(
        "unrelated_payments",
        "made",
        "payments to accounts that the request has nothing to do with",
        1,
        6,
        is_windowed=True,
    ),
    Measure("persons", "touched", "persons and accounts", 6, 60, is_windowed=True, drifts=True),
    Measure("bytes_out", "sent out", "", 4_096, 1_000_000, unit="bytes", is_windowed=True, drifts=True),
    Measure("destinations", "reached", "different destinations", 4, 40, drifts=True),
    Measure("outside", "reached", "destinations outside that nobody vouched for", 2, 12, is_windowed=True, drifts=True),
    Measure("labelled_reads", "made", "reads of labelled data", 6, 100, is_windowed=True, drifts=True),
    Measure("labelled_bytes", "read", "of labelled data", 16_384, 4_000_000, unit="bytes", is_windowed=True),
    Measure("result_bytes", "read", "of results", 262_144, 20_000_000, unit="bytes"),
    Measure("amount_sum", "moved", "in all", 0, 50_000_0000, unit="amount", is_windowed=True),
    Measure("amount_largest", "moved", "at once", 0, 20_000_0000, unit="amount"),
    Measure("failures", "had", "actions that failed", 5, 40, is_windowed=True, drifts=True),
    Measure("refusals", "had", "actions refused or left unanswered", 2, 12, is_windowed=True, drifts=True),
    Measure("session_risk", "reached", "session risk", 400, 900, unit="risk"),
    Measure("first_times", "did", "things for the first time", 5, 400, is_windowed=True),
    Measure("novelty", "did", "of 1,000 that it never does", 530, 950, unit="risk", ceiling=800),
    Measure("seconds", "ran for", "", 900, 86_400, unit="seconds"),
    Measure("burst", "made", "actions within a minute", 20, 250),
    Measure("hand_offs", "handed work to", "agents", 3, 12, drifts=True),
    Measure(
        "strangers",
        "asked for",
        "records with labelled data that the request has nothing to do with",
        2,
        12,
        is_windowed=True,
    ),
)
"""All measures; profiles hold one number for each, in this order."""
COUNT: Final = len(MEASURES)
EARLIER_COUNT: Final = COUNT - 1
"""Measures of tallies, and of profiles, that were written before `strangers` was counted, which is the last one."""
INDEX: Final = {measure.id: at for at, measure in enumerate(MEASURES)}
WINDOWED: Final = tuple(at for at, measure in enumerate(MEASURES) if measure.is_windowed)
_RISKS: Final = frozenset(at for at, measure in enumerate(MEASURES) if measure.unit == "risk")
MUCH_WORK_IDS: Final = frozenset("actions reads acts objects labelled_reads".split())
MUCH_WORK: Final = frozenset(INDEX[name] for name in MUCH_WORK_IDS)
"""Measures of the amount of work. Their limits are doubled for work that the request leads to, such as each entry of a
list that it names. Payments, messages, removals and strangers' records have measures of their own."""
LISTABLE: Final = {
    "acts": "acts",
    "amount_sum": "payments",
    "destinations": "destinations",
    "payments": "payments",
    "persons": "persons",
    "requested": "requested",
    "sends": "sends",
}
"""Measures that a request can account for, each with the measure that is compared with the number of its objects.

A request accounts for two payments if it names two objects one by one, and so for their sum: an unusual amount among
them has an alarm of its own (`amount_largest`)."""
DRIFTING: Final = tuple(at for at, measure in enumerate(MEASURES) if measure.drifts)


def _make_steps() -> tuple[int, ...]:
    """2**(k/16) in 2**-32, rounded up, so that a power of two is at its own level."""
    steps = []
    for k in range(LEVELS_PER_OCTAVE):
        target, low, high = 2 ** (32 * LEVELS_PER_OCTAVE + k), 2**32, 2**33
        while low < high:
            middle = (low + high) // 2
            if middle**LEVELS_PER_OCTAVE >= target:
                high = middle
            else:
                low = middle + 1
        steps.append(low)
    return tuple(steps)


_STEPS: Final = _make_steps()


def _compute_level(value: int) -> int:
    whole = value + 1
    octave = whole.bit_length() - 1
    return octave * LEVELS_PER_OCTAVE + bisect_right(_STEPS, (whole << 32) >> octave) - 1


_SMALL: Final = 1024
_LEVELS: Final = tuple(_compute_level(value) for value in range(_SMALL))
MAX_LEVEL: Final = _compute_level(MAX_VALUE)


_MAX_ODDS: Final = 1000


def level_of(at: int, value: int) -> int:
    """Level of a value of a measure; risks, which are at most 1,000, are compared by their odds."""
    if at in _RISKS:
        return to_level(min(value, _MAX_ODDS) * _MAX_ODDS // (_MAX_ODDS + 1 - min(value, _MAX_ODDS)))
    return to_level(value)


def list_levels(places: Iterable[int], values: Iterable[int]) -> list[int]:
    """Levels of values of the measures at some places."""
    levels = []
    for at, value in zip(places, values, strict=True):  # a session has more than fifty, nearly all of them small
        levels.append(_LEVELS[value] if 0 <= value < _SMALL and at not in _RISKS else level_of(at, value))
    return levels


@lru_cache(maxsize=16_384)
def value_at(at: int, level: int) -> int:
    """The largest value of a measure whose level is not above `level`."""
    value = from_level(level)
    if at not in _RISKS:
        return value
    low, high = 0, _MAX_ODDS
    while low < high:
        middle = (low + high + 1) // 2
        if level_of(at, middle) <= level:
            low = middle
        else:
            high = middle - 1
    return low


def to_level(value: int) -> int:
    """16 * log2(1 + value), rounded down; 0 for 0, at most `MAX_LEVEL`."""
    if 0 <= value < _SMALL:
        return _LEVELS[value]
    return _compute_level(min(value, MAX_VALUE)) if value > 0 else 0


def from_level(level: int) -> int:
    """The largest value whose level is not above `level`; -1 below 0."""
    if level < 0:
        return -1
    octave, step = divmod(min(level, MAX_LEVEL) + 1, LEVELS_PER_OCTAVE)
    return -(-(_STEPS[step] << octave) // 2**32) - 2


def describe_value(measure: Measure, value: int) -> str:
    """A value for people, with its unit."""
    match measure.unit:
        case "bytes":
            return f"{value} bytes" if value < 10_000 else f"{value // 1000} KB"
        case "amount":
            return (
                f"{value // 10_000}" if value % 10_000 == 0 else f"{value // 10_000}.{value % 10_000:04d}".rstrip("0")
            )
        case "seconds":
            return f"{value} seconds" if value < 600 else f"{value // 60} minutes"
        case _:
            return str(value)


def show_value(measure: Measure, value: int) -> str:
    """Like `describe_value`, for views: an amount has at most two decimals. Recorded sentences keep all of them."""
    if measure.unit != "amount":
        return describe_value(measure, value)
    return f"{value / 10_000:.2f}".rstrip("0").rstrip(".")


def describe_excess(measure: Measure, value: int, limit: int, *, is_recent: bool = False, who: str = "it") -> str:
    """A sentence for people: what was measured, and the limit."""
    noun = f" {measure.noun}" if measure.noun else ""
    recent = " over its last sessions" if is_recent else ""
    reached, most = describe_value(measure, value), describe_value(measure, limit)
    return f"{who} {measure.verb} {reached}{noun}{recent}; the limit is {most}"
