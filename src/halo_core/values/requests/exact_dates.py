"""Days and times that a user writes with the year, in whatever form, as a tool takes them: `2025-12-03T15:30`.

    find_exact_dates("Cancel his shift on 3 Dec 2025")              # ("exact_date", "2025-12-03")
    find_exact_dates("Move it to 3 December 2025 at 3:30 pm")       # also ("exact_date", "2025-12-03T15:30")
    find_exact_dates("Open the door at 3 pm")                       # ("exact_date", "15:00")

An untrusted source may name the same day: the user wrote it whole, with its year. Where he writes several days in
different places, it could choose among them, so then none counts; nor does a day that can be read in two ways
(`03/04/2026`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import islice, pairwise, product
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.patterns import compile_later
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_EXACT: Final = compile_later(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::00)?)?|[0-9]{2}:[0-9]{2}(?::00)?")
"""A day, a time or both, as arguments of tools have them."""
_MAX_DATES: Final = 8
_MAX_CHARS: Final = 4_096  # of a text
_HAS_YEAR: Final = compile_later(r"[12][0-9]{3}|[0-9]\.[0-9]{1,2}\.[0-9]{2}")
MONTHS: Final = {
    name: number
    for number, row in enumerate(
        (
            "january jan januar janvier janv gennaio gen enero ene janeiro januari",
            "february feb februar février fevrier fév febbraio febrero fevereiro fev februari",
            "march mar märz mars marzo março maart mrt",
            "april apr avril avr aprile abril abr",
            "may mai maggio mag mayo maio mei maj",
            "june jun juni juin giugno giu junio junho",
            "july jul juli juillet juil luglio lug julio julho",
            "august aug août aout agosto ago augustus augusti",
            "september sep sept septembre settembre set septiembre setembro",
            "october oct oktober okt octobre ottobre ott octubre outubro out",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre déc dicembre dic diciembre dezembro",
        ),
        start=1,
    )
    for name in row.split()
}
_MONTH: Final = r"(?P<month>[^\W\d_]{3,10})\.?"
_DAY: Final = r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th|er|º|\.)?"
_TO: Final = r" ?(?:-|–|to|till|until|through|and|bis|und|au|al|a|et|y|tot) ?(?:the )?"
_END: Final = r"(?![\w/-]|[.,][0-9])"
_YEAR: Final = rf"(?P<year>(?:19|20)[0-9]{{2}}){_END}"
_START: Final = r"(?<![\w.,:/-])"
_DATES: Final = (
    compile_later(rf"{_START}(?P<year>(?:19|20)[0-9]{{2}})[-/](?P<month>[0-9]{{1,2}})[-/](?P<day>[0-9]{{1,2}}){_END}"),
    compile_later(rf"{_START}(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.(?P<year>(?:20)?[0-9]{{2}}){_END}"),
    compile_later(
        rf"{_START}(?P<first>[0-9]{{1,2}})(?P<sign>[/-])(?P<second>[0-9]{{1,2}})(?P=sign)(?P<year>20[0-9]{{2}}){_END}"
    ),
    compile_later(
        rf"{_START}(?:(?P<since>[0-3]?[0-9])(?:st|nd|rd|th|\.)?{_TO})?{_DAY}(?:-| ?(?:of |de |d['’])?){_MONTH}"
        rf"(?:-|,?(?: de| of)? ){_YEAR}",
        re.IGNORECASE,
    ),
    compile_later(
        rf"\b{_MONTH} (?:the )?(?:(?P<since>[0-3]?[0-9])(?:st|nd|rd|th)?{_TO})?{_DAY},? {_YEAR}", re.IGNORECASE
    ),
)
_JOINING: Final = compile_later(
    r"(?:\s*(?:[,;&–-]|to|till|until|through|and|or|bis|und|et|au|y|al|e|en|tot)\s*(?:on |the |am |le |el )?){1,2}",
    re.IGNORECASE,
)
"""What stands between the days of one list or one span."""
_TIME: Final = (
    r"(?:(?P<hour>[01]?[0-9]|2[0-3])(?:[:.h](?P<minute>[0-5][0-9]))? ?(?P<half>[ap])\.?m\b\.?"
    r"|(?P<hour24>[01]?[0-9]|2[0-3])[:h](?P<minute24>[0-5][0-9])(?: ?(?:uhr|h)\b)?(?![\w:]|[.][0-9])"
    r"|(?P<clock>[01]?[0-9]|2[0-3])(?:\.(?P<of>[0-5][0-9]))? ?(?:uhr|o['’]clock)\b|(?P<word>noon|midnight|midday)\b)"
)
TIMES: Final = compile_later(rf"{_START}{_TIME}", re.IGNORECASE)
_BEHIND_DATE: Final = compile_later(rf"(?:,? (?:at|um|à|a las|alle|às|om|from|ab|von)|,)? {_TIME}", re.IGNORECASE)
_BEFORE_DATE: Final = compile_later(rf"{_START}{_TIME},? (?:(?:on|am|le|el|of|op|il|em) )?(?:the )?$", re.IGNORECASE)
_MAX_TIME: Final = 24  # characters
_WORDS: Final = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


class _Date(NamedTuple):
    """A day in a text, and where it stands."""

    start: int
    end: int
    days: tuple[str, ...]


def find_exact_dates(text: str) -> Iterator[Form]:
    """Find the days, the times and the moments of a user's text that nobody else can have chosen.

    Args:
        text: of the user, without what it forbids.
    """
    text = text[:_MAX_CHARS]
    times = {read_time(match) for match in islice(TIMES.finditer(text), _MAX_DATES)}
    if len(times) == 1:
        yield make_form(("exact_date", next(iter(times))))
    dates = _find_dates(text) if _HAS_YEAR.search(text) is not None else []
    if not dates or not _is_one_list(text, dates):
        return
    for date in dates:
        yield from (make_form(("exact_date", day)) for day in date.days)
        if len(date.days) == 1:
            yield from (make_form(("exact_date", f"{date.days[0]}T{time}")) for time in _find_times(text, date))


def is_exact_date(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote this day, time or moment of an argument in another form.

    INVARIANT: VOUCH - in his own words, and not in those of a text that was pasted.
    """
    if not 4 < len(text) < 20 or _EXACT.fullmatch(text) is None:
        return False
    text = text.removesuffix(":00") if text.count(":") == 2 else text
    if not has_user_mark(sketch.look_up_forms([Form("exact_date", text)])):
        return False
    day, _, time = text.rpartition("T") if "T" in text else ("", "", text) if ":" in text else (text, "", "")
    return (not day or _is_day_written(sketch, day)) and (not time or _is_time_written(sketch, time))


def _is_day_written(sketch: Sketch, day: str) -> bool:
    """Whether the numbers and the name of the month of a day are words of the user."""
    year, month, number = day.split("-")
    days, months, years = ({part, part.lstrip("0")} for part in (number, month, year))
    orders = ((days, months, {*years, year[2:]}), (months, days, years), (years, months, days))
    for first, second, third in orders:
        for sign in "./-":
            if any(is_written(sketch, sign.join(parts)) for parts in product(first, second, third)):
                return True
    names = [name for name, place in MONTHS.items() if place == int(month)]
    if any(is_written(sketch, "-".join(parts)) for parts in product(days, names, [year])):
        return True
    numbers = [spelling + end for spelling in days for end in ("", "st", "nd", "rd", "th", "er", "º")]
    spans = [f"{since}{sign}{number}" for since in range(1, 32) for sign in "-–" for number in days]
    return all(any(is_written(sketch, word) for word in words) for words in ([year], names, [*numbers, *spans]))


def _is_time_written(sketch: Sketch, time: str) -> bool:
    """Whether a time is written in words of the user."""
    hour, minute = time.split(":")
    half, of_half = "ap"[int(hour) >= 12], str(int(hour) % 12 or 12)
    hours = (*({hour, str(int(hour))}), *(f"{of_half}{sign}{half}{m}" for sign in ("", " ") for m in ("m", ".m")))
    wholes = [*(f"{x} uhr" for x in hours), *(f"{x} o'clock" for x in hours), *(f"{x}h" for x in hours), *hours[-4:]]
    exact = [f"{x}{sign}{minute}" for x in {hour, str(int(hour)), of_half} for sign in ":.h"]
    parts = [f"{x}{end}" for x in exact for end in ("", f"{half}m", f" {half}m", f" {half}.m", " uhr", "h")]
    words = [word for word, meant in _WORDS.items() if meant == time]
    return any(is_written(sketch, spelling) for spelling in (*parts, *(wholes if minute == "00" else ()), *words))


def _find_dates(text: str) -> list[_Date]:
    """Find the days of a text in their order; empty if one of them can be read in two ways, or there are too many."""
    found: dict[int, _Date] = {}
    for pattern in _DATES:
        for match in islice(pattern.finditer(text), _MAX_DATES + 1):
            parts = match.groupdict()
            if not (parts.get("month") or "1").isdigit() and str(parts["month"]).lower() not in MONTHS:
                continue  # "7 apples 2025"
            days = _read_days(parts)
            if not days or len(found) > _MAX_DATES:
                return []
            found.setdefault(match.end(), _Date(match.start(), match.end(), days))
    return [found[end] for end in sorted(found)]


def _read_days(parts: dict[str, str | None]) -> tuple[str, ...]:
    """Read one day, or the first and the last one of a span; empty if there is no such day, or two may be meant."""
    year, first = parts["year"] or "", parts.get("first")
    if first is not None:
        day, month = int(first), int(parts["second"] or 0)
        if month > 12:
            day, month = month, day
        elif day <= 12 and day != month:
            return ()
    else:
        name = (parts["month"] or "").lower()
        day, month = int(parts["day"] or 0), MONTHS[name] if name in MONTHS else int(name)
    since = parts.get("since")
    numbers = [day] if since is None else [int(since), day]
    try:
        century = 2000 if len(year) == 2 else 0
        return tuple(dt.date(int(year) + century, month, number).isoformat() for number in numbers)
    except ValueError:
        return ()


def _is_one_list(text: str, dates: list[_Date]) -> bool:
    """Whether a text names one day, perhaps several times, or several in one list or span."""
    if len({date.days for date in dates}) == 1:
        return True
    return all(_JOINING.fullmatch(text[left.end : right.start]) is not None for left, right in pairwise(dates))


def _find_times(text: str, date: _Date) -> list[str]:
    """Find the times that stand beside a day."""
    behind = _BEHIND_DATE.match(text[date.end : date.end + _MAX_TIME])
    before = _BEFORE_DATE.search(text[max(date.start - _MAX_TIME, 0) : date.start])
    return [read_time(match) for match in (behind, before) if match is not None]


def read_time(match: re.Match[str]) -> str:
    """Read a time as a tool takes it: `15:30`."""
    if match["word"]:
        return _WORDS[match["word"].lower()]
    if match["half"]:
        hour = int(match["hour"]) % 12 + (12 if match["half"].lower() == "p" else 0)
        return f"{hour:02}:{match['minute'] or '00'}"
    if match["clock"]:
        return f"{int(match['clock']):02}:{match['of'] or '00'}"
    return f"{int(match['hour24']):02}:{match['minute24']}"
