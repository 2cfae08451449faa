"""Dates in a text: `2026-03-04`, `4.3.2026`, `March 4, 2026`, all with the form `2026-03-04`.

Where day and month can be told in two ways (`03/04/2026`), both dates are found.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.kinds.kinds import MAX_FORMS, Form, make_form
from halo_core.values.language.patterns import compile_later

_MONTHS: Final = "january february march april may june july august september october november december".split()
_MONTH: Final = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_FOUR_DIGITS: Final = compile_later(r"[0-9]{4}")
"""Every date contains this: its year."""
_MONTH_BEGINNING: Final = compile_later("[jfmasond](?:an|eb|ar|pr|ay|un|ul|ug|ep|ct|ov|ec)", re.IGNORECASE)
"""Every match of `_MONTH` contains this."""
_ISO_DATE: Final = compile_later(r"([0-9](?<![0-9-][0-9])[0-9]{3})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![0-9-])")
_ISO_MOMENT: Final = compile_later(
    r"(?:19|20)[0-9]{2}-(?:0?[1-9]|1[0-2])(?:-(?:0?[1-9]|[12][0-9]|3[01]))?"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?Z?)?"
)
_NUMERIC_DATE: Final = compile_later(r"([0-9](?<![0-9./-][0-9])[0-9]?)([./-])([0-9]{1,2})\2([0-9]{4})(?![0-9])")
_YEAR: Final = compile_later(r"[12](?<![0-9][12])(?:(?<=1)9|(?<=2)0)[0-9]{2}(?![0-9])")
_DAY_MONTH: Final = compile_later(
    rf"\b(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|\.)?[ ]{{1,2}}(?:of )?{_MONTH},?[ ]{{1,2}}[0-9]{{4}}$", re.IGNORECASE
)
_MONTH_DAY: Final = compile_later(
    rf"\b{_MONTH}[ ]{{1,2}}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[ ]{{1,2}}[0-9]{{4}}$", re.IGNORECASE
)


_PERIOD: Final = compile_later(
    r"(?:19|20)[0-9]{2}-?W(?:0?[1-9]|[1-4][0-9]|5[0-3])(?:-[1-7])?|(?:19|20)[0-9]{2}[- ]?Q[1-4]"
    r"|Q[1-4][ /-]?(?:19|20)[0-9]{2}",
    re.IGNORECASE,
)
"""A week, a day of one, or a quarter."""


def is_date(text: str) -> bool:
    """Whether a text is only a day, perhaps with a time, or a week, a month or a quarter."""
    text = text.strip()
    return _ISO_MOMENT.fullmatch(text) is not None or _PERIOD.fullmatch(text) is not None


_DATE_IN_FILTER: Final = compile_later(rf"(?<![0-9A-Za-z.-])(?:{_ISO_MOMENT.pattern})(?![0-9A-Za-z.-])")
_MAX_IN_FILTER: Final = 2


def drop_dates(text: str) -> str:
    """Remove at most two dates from a text: `expires<` of `expires<2027-01-01`."""
    return _DATE_IN_FILTER.sub("", text, count=_MAX_IN_FILTER)


def find_date_forms(text: str) -> list[Form]:
    """Find the dates in a text; both readings of `03/04/2026`."""
    forms: list[Form] = []
    add_date_forms(text, [], forms)
    return forms


def add_date_forms(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    """Add the forms of the dates in a text.

    Args:
        text: to be read.
        taken: takes the places of the dates in the text.
        forms: takes the forms, up to `MAX_FORMS`.
    """
    if _FOUR_DIGITS.search(text) is None:
        return
    for match in _ISO_DATE.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        taken.append(match.span())
        forms.append(_make_date(match[1], match[2], match[3]))
    for match in _NUMERIC_DATE.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        taken.append(match.span())
        first, second, year = match[1], match[3], match[4]
        if match[2] != "." and int(second) <= 31 and int(first) <= 12:
            forms.append(_make_date(year, first, second))
        if int(second) <= 12:
            forms.append(_make_date(year, second, first))
    if _YEAR.search(text) is not None:
        _find_dates_in_words(text, taken, forms)


def _find_dates_in_words(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    for year in _YEAR.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        start = max(year.start() - 28, 0)
        if _MONTH_BEGINNING.search(text, start, year.start()) is None:
            continue
        for pattern in (_DAY_MONTH, _MONTH_DAY):
            found = pattern.search(text, start, year.end())
            if found is not None:
                taken.append(found.span())
                month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(found["month"].lower()))
                forms.append(_make_date(year[0], str(month), found["day"]))


def _make_date(year: str, month: str, day: str) -> Form:
    return make_form(("date", f"{year}-{int(month):02}-{int(day):02}"))
