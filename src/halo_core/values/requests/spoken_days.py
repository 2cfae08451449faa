"""Days without a year, as people write them: "the 12th of October", "Oct 12", "3rd to 5th of August", "next Friday".

    find_spoken_days("from the 12th of october")     # ("day", "10-12")
    list_spoken_forms("2026-10-12")                   # ("day", "10-12"), ("weekday", "0")

A model writes such a day with the year. The user's day vouches for it, unless an untrusted source named the same date:
then it may have chosen the year or the week.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.requests.exact_dates import is_exact_date
from halo_core.values.sketches.sketch import USER_BIT, Sketch

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b"
)
_DAY: Final = r"([0-3]?[0-9])(?:st|nd|rd|th|\.)?"
_DAY_MONTH: Final = CaselessPattern(
    rf"(?<![\w.,:/-])(?:{_DAY} ?(?:to|till|until|and|-|–) ?(?:the )?)?{_DAY} (?:of )?{_MONTH}", needs=_MONTHS
)
_MONTH_DAY: Final = CaselessPattern(rf"\b{_MONTH}\.? (?:the )?{_DAY}(?![\w.:/-]*[0-9])", needs=_MONTHS)
_WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_WEEKDAY: Final = CaselessPattern(rf"\b({'|'.join(_WEEKDAYS)})\b", needs=("day",))
_MAX_DAYS: Final = 16
_DATE_LENGTH: Final = 10  # characters of `2026-10-12`


def find_spoken_days(text: str) -> Iterator[Form]:
    """Find the days without a year, and the days of the week, in a text of the user."""
    for match in islice(_DAY_MONTH.finditer(text), _MAX_DAYS):
        yield from (_make_day(match[3], day) for day in match.group(1, 2) if day)
    yield from (_make_day(match[1], match[2]) for match in islice(_MONTH_DAY.finditer(text), _MAX_DAYS))
    for match in islice(_WEEKDAY.finditer(text), _MAX_DAYS):
        yield make_form(("weekday", str(_WEEKDAYS.index(match[1].lower()))))


def _make_day(month: str, day: str) -> Form:
    return make_form(("day", f"{_MONTHS.index(month[:3].lower()) + 1:02}-{int(day):02}"))


def list_spoken_forms(date: str) -> tuple[Form, ...]:
    """List the forms of a date without its year and as a day of the week; empty if the text is no date."""
    try:
        weekday = dt.date.fromisoformat(date).weekday()
    except ValueError:
        return ()
    return Form("day", date[5:]), Form("weekday", str(weekday))


def is_users_day(sketch: Sketch, text: str, marks: Iterable[int], *, is_target: bool) -> bool:
    """Whether the user wrote this day, or this time for a target, in another form.

    A target may also be a day that an untrusted source names, if the user wrote it with its year. A day without its
    year counts if nobody else named it. For a target, neither may any source have named that day of the week.

    Args:
        sketch: what the session has seen.
        text: of the argument.
        marks: of the forms of its value.
        is_target: it is a declared target.
    """
    if is_target and is_exact_date(sketch, text):
        return True
    forms = list_spoken_forms(text) if len(text) <= _DATE_LENGTH and text[:4].isdigit() else ()
    if not forms or any(marks):
        return False
    is_day, is_weekday = (bool(mask & USER_BIT) for mask in sketch.look_up_forms(forms))
    if is_target:
        is_named = any(sketch.look_up_forms([Form("date", text)]))
        weekday = _WEEKDAYS[dt.date.fromisoformat(text).weekday()]
        return not is_named and (is_day or (is_weekday and not sketch.was_in_untrusted_text(weekday)))
    return is_day or is_weekday
