"""How long, until when and how many a text of the user says, so that an act does not go further.

    find_stated_extents("Heat zone F for 2 hours")   # ("lasts", "7200"), ("lasts", "")

`goes_beyond` judges numbers and days that stand nowhere: 8,760 hours go beyond two hours, and 48 hours are two days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.dates import find_date_forms
from halo_core.values.kinds.kinds import Form, Kind, make_form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.order_counts import COUNT_NAMES
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_MAX_STATED: Final = 32
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DAYS: Final = {"month": (28, 29, 30, 31), "quarter": (90, 91, 92), "year": (365, 366)}
_UNITS: Final = {
    **dict.fromkeys("second sec secs s sekunde sekunden".split(), "second"),
    **dict.fromkeys("minute min mins m minuten".split(), "minute"),
    **dict.fromkeys("hour hr hrs h stunde stunden".split(), "hour"),
    **dict.fromkeys("day night d tag tage tagen".split(), "day"),
    **dict.fromkeys("week wk woche wochen".split(), "week"),
    **dict.fromkeys("month monat monate monaten".split(), "month"),
    **dict.fromkeys(("quarter",), "quarter"),
    **dict.fromkeys("year yr jahr jahre jahren".split(), "year"),
}
_NUMBERS: Final = {
    word: number
    for number, row in enumerate(
        "a an one ein eine einen,two zwei,three drei,four vier,five fünf,six sechs,seven sieben,eight acht,nine neun,"
        "ten zehn,eleven elf,twelve zwölf".split(","),
        start=1,
    )
    for word in row.split()
}
_LASTING: Final = compile_later(
    rf"(?<![\w.,])([0-9]{{1,6}}(?:\.5)?|half an?|{'|'.join(_NUMBERS)})[ -]?"
    r"((?:second|sec|minute|min|hour|hr|day|night|week|wk|month|quarter|year|yr|sekunde|stunde|tag|woche|monat|jahr)"
    r"e?[ns]?|h|d)(?!\w)",
    re.IGNORECASE,
)
_MEASURES: Final = frozenset("duration length period term stay timeout ttl lifetime".split())
"""Words of arguments that hold how long something lasts, in a unit that they do not say."""
_ENDS: Final = frozenset("until till end ends expires expiry expiration through deadline".split())
_FURTHER_COUNTS: Final = frozenset("replica copy instance worker node pod seat license licence slot".split())
_CHANGED: Final = compile_later(
    r"\b(?:more|another|additional|extra|further|double|twice|triple|half|halve|fewer|less|by [0-9])\b", re.IGNORECASE
)
_STATED_COUNT: Final = compile_later(
    r"\b(?:to|with|at|of|for|on|up to|only|just|is|=) ?([0-9]{1,4})\b(?![.,:/-]?[0-9])"
)


def find_stated_extents(text: str) -> Iterator[Form]:
    """Find how long something lasts by a text of the user, and whether the text says a day or a count."""
    lasting = list(islice(_LASTING.finditer(text), _MAX_STATED))
    for match in lasting:
        number = 0.5 if match[1].lower().startswith("half") else float(_NUMBERS.get(match[1].lower(), 0) or match[1])
        yield from (make_form(("lasts", seconds)) for seconds in _list_seconds(number, match[2]))
    if lasting:
        yield make_form(("lasts", ""))
    if next(iter(find_date_forms(text)), None) is not None:
        yield make_form(("dated", ""))
    if _STATED_COUNT.search(text) is not None and _CHANGED.search(text) is None:
        yield make_form(("counts", ""))


def _list_seconds(number: float, unit: str) -> list[str]:
    """List how many seconds this many of a unit may be."""
    name = _UNITS.get(unit.lower()) or _UNITS.get(singularize(unit.lower()), "")
    if name in _SECONDS:
        return [f"{number * _SECONDS[name]:.0f}"]
    return [f"{number * days * 86_400:.0f}" for days in _DAYS.get(name, ())]


def _list_lengths(words: frozenset[str], text: str) -> list[str]:
    """List how many seconds a number is, by the unit in its argument's name, or by any unit."""
    text = text.strip()
    if not text.replace(".", "", 1).isdigit() or len(text) > 9:
        return []
    units = [word for word in sorted(words) if len(word) > 1 and word in _UNITS]
    if not units and not _MEASURES.isdisjoint(words):
        units = ["second", "minute", "hour", "day", "week", "month", "year"]
    return [seconds for unit in units for seconds in _list_seconds(float(text), unit)]


def states_extent(sketch: Sketch, kind: Kind) -> bool:
    """Whether the user says until when, or how long or how many."""
    domains = ("dated",) if kind is Kind.DATE else ("lasts", "counts")
    return has_user_mark(sketch.look_up_forms([Form(domain, "") for domain in domains]))


def goes_beyond(pointer: str, kind: Kind, text: str, sketch: Sketch) -> bool:
    """Whether a number or a day that stands nowhere says how far an act goes, and the user said something else.

    Args:
        pointer: of the argument.
        kind: of its value.
        text: the value.
        sketch: what the session has seen.
    """
    words = frozenset(map(singularize, split_argument_name(name_of_argument(pointer))))
    if kind is Kind.DATE:
        return not _ENDS.isdisjoint(words) and has_user_mark(sketch.look_up_forms([Form("dated", "")]))
    if kind is not Kind.AMOUNT:
        return False
    if lengths := _list_lengths(words, text):
        stated_marks = sketch.look_up_forms([Form("lasts", "")])
        return has_user_mark(stated_marks) and not has_user_mark(
            sketch.look_up_forms([Form("lasts", x) for x in lengths])
        )
    is_count = not words.isdisjoint(COUNT_NAMES | _FURTHER_COUNTS)
    return is_count and has_user_mark(sketch.look_up_forms([Form("counts", "")]))
