"""Values that are recognized by how they are written: times, days, numbers, files, marks, streets, ids and versions.

    list_shaped("Move it to 11:40 on 3 May")   # time 11:40 and date *05-03

The same value has the same spelling in a text of the user and in an argument. A day is spelled in as many ways as are
needed to compare it with another one that has more or fewer parts: with its year, without, by its weekday.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from halo_core.values.kinds.addresses import canonicalize_path, has_file_ending, has_public_suffix
from halo_core.values.kinds.amounts import canonicalize_amounts
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.exact_dates import MONTHS, TIMES, read_time

TIME: Final = "time"
HOUR: Final = "hour"
"""A whole hour without more, which may be another number: "at 9"."""
DATE: Final = "date"
NUMBER: Final = "number"
PATH: Final = "path"
MARK: Final = "mark"
STREET: Final = "street"
ID: Final = "id"
VERSION: Final = "version"
QUOTED: Final = "quoted"
_MAX_FOUND: Final = 24  # of one pattern

_SECONDS: Final = compile_later(r"(?<=[0-9]:[0-5][0-9]):[0-5][0-9](?:\.[0-9]{1,6})?(?=[\s,;)Z+-]|$)")
_ZONE: Final = compile_later(r"(?<=[0-9]:[0-5][0-9])(?:Z|[+-][0-9]{2}:?[0-9]{2})(?![\w:])")
_HOURS: Final = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)
}
_HOUR: Final = rf"(?:{'|'.join(_HOURS)}|1[0-2]|[1-9])"
_PART_OF_HOUR: Final = compile_later(
    rf"\b(?P<part>half|quarter|ten|twenty|five|[0-9]{{1,2}}) (?P<side>past|to) (?P<hour>{_HOUR})\b(?![:.,]?[0-9])",
    re.IGNORECASE,
)
_SPOKEN_TIME: Final = compile_later(
    r"(?<![\w.,:/-])(?P<hour>1[0-2]|[1-9]) (?P<minute>00|15|30|45)(?![\w.,:/-]?[0-9])(?! ?(?:[€$£%]|e[u]))"
)
_MINUTES: Final = {"half": 30, "quarter": 15, "ten": 10, "twenty": 20, "five": 5}
_BARE_HOUR: Final = compile_later(
    rf"\b(?:at|by|till|until|from|to|um|ab|bis|a las|à|alle) (?P<hour>{_HOUR}|1[3-9]"
    rf"|2[0-3])(?:\.(?P<minute>[0-5][0-9]))?"
    r"(?! ?(?:%|€|\$|£|degrees?|euros?|eur|usd|gbp|pounds?|dollars?|percent|seats|people|persons|days|hours|minutes"
    r"|weeks|months|years|items|pieces|times))(?![\w:/-]|[.,][0-9])",
    re.IGNORECASE,
)
_MONTH_NAMES: Final = "|".join(sorted((name for name in MONTHS if len(name) > 2), key=len, reverse=True))
_DAY: Final = r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th|\.)?"
_YEAR: Final = r"(?:,? ?(?P<year>(?:19|20)[0-9]{2})(?![0-9]))?"
_DAYS: Final = (
    compile_later(
        r"(?<![\w.,/-])(?P<year>(?:19|20)[0-9]{2})[-/](?P<number>[01]?[0-9])[-/](?P<day>[0-3]?[0-9])(?![0-9-])"
    ),
    compile_later(
        r"(?<![\w.,:/-])(?P<day>[0-3]?[0-9])\.(?P<number>[01]?[0-9])\.(?:(?P<year>(?:19"
        r"|20)?[0-9]{2})(?![0-9.]))?(?![0-9])"
    ),
    compile_later(
        r"(?<![\w.,:/-])(?P<day>[0-3]?[0-9])/(?P<number>[01]?[0-9])(?:/(?P<year>(?:20)?[0-9]{2}))?(?![\w/-])"
    ),
    compile_later(rf"(?<![\w.,:/-]){_DAY}[ -]?(?:of |de |d['’])?(?P<month>{_MONTH_NAMES})\b\.?{_YEAR}", re.IGNORECASE),
    compile_later(rf"\b(?P<month>{_MONTH_NAMES})\b\.? (?:the )?{_DAY}(?![\w:]|\.[0-9]){_YEAR}", re.IGNORECASE),
)
_DAY_ALONE: Final = compile_later(
    r"\b(?:the )?([0-3]?[0-9])(?:st|nd|rd|th)\b(?! (?:of )?[a-z]*(?:floor|time|place|row|edition)\b)"
)
_WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_WEEKDAY: Final = compile_later(rf"\b(?:{'|'.join(_WEEKDAYS)}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)\b", re.IGNORECASE)
_PATH: Final = compile_later(r"(?<![\w.:/~@-])(?:~|\.{1,2})?[\w./@+-]*[\w/](?![\w@]|:/)")
_NUMBER: Final = compile_later(
    r"(?<![\w.,:/@#'’-])(?:[$€£] ?)?(?P<number>[+-]?(?:[0-9]{1,3}(?:[.,'’ ][0-9]{3})+(?:[.,][0-9]{1,4})?(?![0-9])"
    r"|[0-9]+(?:[.,][0-9]+)?))(?P<unit>k|%|€|\$|£|°[cf]?|[a-z]{1,3})?(?![\w/@]|[.,:-][0-9])",
    re.IGNORECASE,
)
_PERCENT: Final = compile_later(r" ?(?:%|percent|per cent|pct)", re.IGNORECASE)
_MARK: Final = compile_later(
    r"(?<![\w.,'’/&-])(?P<mark>[A-FUS](?:[+-]|(?= (?:plus|minus)\b))?|A\*)(?![\w'’/&.-]\w|[\w'’/&])"
)
_ARTICLE: Final = compile_later(
    r" (?!(?:in|for|and|or|to|on|from|is|instead|please|pls|now|plus|minus|but|not|as|then)\b)\w"
)
"""What stands behind the article "A"."""
_STREET_ENDS: Final = (
    "strasse|straße|str|weg|allee|gasse|platz|ufer|ring|damm|steig|street|road|avenue|lane|boulevard|quay|laan|straat|plein"
    "|gatan|vägen|gade|vej|gata"
)
_STREET_WORDS: Final = frozenset(_STREET_ENDS.split("|"))
_HOUSE: Final = r"[0-9]{1,4}(?: ?[a-hA-H](?![\w]))?(?![\w.,:/ -]?[0-9])"
_STREETS: Final = (
    compile_later(rf"(?<![\w'’-])((?:[^\W\d_][\w'’]* )?[\w'’-]{{0,32}}(?i:{_STREET_ENDS})\.?) ({_HOUSE})"),
    compile_later(
        r"(?<![\w.,:/-])([0-9]{1,4}[a-hA-H]?),? ((?:[A-ZÀ-Ý][\w'’]* ){1,3}"
        rf"(?i:{_STREET_ENDS}|drive|square|court|close|crescent|terrace|row|hill|gardens|rd|ave|ln|dr|sq)\b)"
    ),
    compile_later(
        r"(?<![\w'’-])((?:Rue|Via|Calle|Avenida|Avenue|Piazza|Plaza|Rua|Ulica|ul\.|Am|An der|Im|Zum|Zur)"
        rf"(?: (?:de|del|della|des|du|la|los|las)){{0,2}} [A-ZÀ-Ý][\w'’-]*),? ({_HOUSE})"
    ),
)
_ID: Final = compile_later(r"(?<![\w/.@-])(?P<sort>[A-Za-z]{1,8})[-_#]?(?P<rest>[0-9][\w-]{0,15})(?![\w@/]|\.\w)")
_VERSION: Final = compile_later(r"(?<![\w.,:/@-])v?([0-9]+(?:\.[0-9]+){2,3}(?:-[\w.]+)?)(?![\w/@]|\.[0-9])")
_QUOTATION: Final = compile_later(
    r"\"([^\"\n]{1,40})\"|[“„]([^”“\n]{1,40})[”“]|«([^»\n]{1,40})»|(?<![\w'])['‘]([^'’\n]{1,40})['’](?!\w)"
    r"|`([^`\n]{1,40})`"
)
_HAS_DIGIT: Final = compile_later(r"[0-9]")
_ADDRESS: Final = compile_later(r"\S+@\S+|\b[a-zA-Z][a-zA-Z0-9+.-]*://\S+|\bwww\.\S+")


class Shaped(NamedTuple):
    """A value with its shape, and where it stands in a text.

    Args:
        shape: such as `TIME`; for an id with its sort: `id hd`.
        value: the spelling that is compared.
        start: of its first character.
        end: behind its last character.
    """

    shape: str
    value: str
    start: int
    end: int


def list_shaped(text: str) -> list[Shaped]:
    """List the values of a text that have a shape, in no certain order.

    One value may have several spellings. A number that belongs to another value (a time, a day, a street, an id) is
    no number.
    """
    text = _ZONE.sub("", _SECONDS.sub("", re.sub(r"(?<=[0-9])T(?=[0-9]{2}:)", " ", text)))
    addresses = [match.span() for match in islice(_ADDRESS.finditer(text), _MAX_FOUND)]
    found: list[Shaped] = []
    finders = _FINDERS if _HAS_DIGIT.search(text) is not None else _FINDERS_WITHOUT_DIGITS
    for find in finders if "/" in text or "." in text else finders[1:]:
        taken = [*addresses, *((item.start, item.end) for item in found)]
        found += [item for item in find(text) if not _overlaps(item, taken)]
    taken = [*addresses, *((item.start, item.end) for item in found if item.shape != HOUR)]
    numbers = _find_numbers(text) if finders is _FINDERS else ()
    found += [item for item in chain(numbers, _find_marks(text)) if not _overlaps(item, taken)]
    return found


def _overlaps(item: Shaped, taken: list[tuple[int, int]]) -> bool:
    return any(item.start < end and start < item.end for start, end in taken)


def find_quotations(text: str) -> Iterator[Shaped]:
    """Find the short values in quotation marks."""
    for match in islice(_QUOTATION.finditer(text), _MAX_FOUND):
        value = next(filter(None, match.groups()), "").strip().casefold()
        if value and len(value.split()) <= 4:
            yield Shaped(QUOTED, value, *match.span())


def _find_times(text: str) -> Iterator[Shaped]:
    """Find times of a day. An hour up to twelve without more may also be one of the afternoon."""
    for match in islice(TIMES.finditer(text), _MAX_FOUND):
        is_exact = bool(match["half"] or match["word"]) or match[0].startswith("0")
        yield from _spell_time(TIME, read_time(match), match, is_exact=is_exact)
    for match in islice(_PART_OF_HOUR.finditer(text), _MAX_FOUND):
        minutes, hour = match["part"].lower(), match["hour"].lower()
        minute = _MINUTES.get(minutes) or (int(minutes) if minutes.isdigit() else 0)
        whole = (_HOURS.get(hour) or int(hour)) * 60 + (minute if match["side"].lower() == "past" else -minute)
        yield from _spell_time(TIME, f"{whole // 60 % 24:02}:{whole % 60:02}", match)
    for match in islice(_SPOKEN_TIME.finditer(text), _MAX_FOUND):
        yield from _spell_time(TIME, f"{int(match['hour']):02}:{match['minute']}", match)
    for match in islice(_BARE_HOUR.finditer(text), _MAX_FOUND):
        hour = match["hour"].lower()
        time = f"{_HOURS.get(hour) or int(hour):02}:{match['minute'] or '00'}"
        yield from _spell_time(HOUR, time, match)


def _spell_time(shape: str, time: str, match: re.Match[str], *, is_exact: bool = False) -> Iterator[Shaped]:
    hour, _, minute = time.partition(":")
    yield Shaped(shape, time, *match.span())
    if not is_exact and 0 < int(hour) <= 12:
        yield Shaped(shape, f"{(int(hour) + 12) % 24:02}:{minute}", *match.span())


def _find_dates(text: str) -> Iterator[Shaped]:
    """Find days; `*` stands for any year or month."""
    spans: list[tuple[int, int]] = []
    for pattern in _DAYS:
        for match in islice(pattern.finditer(text), _MAX_FOUND):
            parts = match.groupdict()
            month = MONTHS[parts["month"].lower()] if parts.get("month") else int(parts["number"])
            for day, number in {
                (int(parts["day"]), month),
                *(((month, int(parts["day"])),) if "/" in match[0][:3] else ()),
            }:
                if 1 <= day <= 31 and 1 <= number <= 12:
                    spans.append(match.span())
                    yield from _spell_date(parts.get("year") or "", number, day, match)
    for match in islice(_DAY_ALONE.finditer(text), _MAX_FOUND):
        if not any(start <= match.start() < end for start, end in spans):
            yield Shaped(DATE, f"*-*-{int(match[1]):02}", *match.span())
    yield from _find_weekdays(text)


def _find_weekdays(text: str) -> Iterator[Shaped]:
    for match in islice(_WEEKDAY.finditer(text), _MAX_FOUND):
        number = next(i for i, name in enumerate(_WEEKDAYS) if name.startswith(match[0].lower()[:3]))
        yield Shaped(DATE, f"day {number}", *match.span())


def _spell_date(year: str, month: int, day: int, match: re.Match[str]) -> Iterator[Shaped]:
    if not year:
        yield Shaped(DATE, f"*-{month:02}-{day:02}", *match.span())
        return
    whole = int(year) + (2000 if len(year) == 2 else 0)
    try:
        dt.date(whole, month, day)
    except ValueError:
        return
    yield Shaped(DATE, f"{whole}-{month:02}-{day:02}", *match.span())


def list_matching_dates(value: str) -> list[str]:
    """List the spellings by which a user may have named the day of an argument.

    For `2026-05-03` also `*-05-03`, `*-*-03` and the weekday.
    """
    if value.startswith("day "):
        return [value]
    year, month, day = value.split("-")
    found = [f"*-{month}-{day}", f"*-*-{day}"]
    if year != "*":
        found += [value, f"day {dt.date(int(year), int(month), int(day)).weekday()}"]
    return found


def _find_paths(text: str) -> Iterator[Shaped]:
    for match in islice(_PATH.finditer(text), 4 * _MAX_FOUND):
        written = match[0].rstrip(".")
        if "/" not in written and not has_file_ending(written):
            continue
        if "/" not in written and has_public_suffix(written.lower()) and not _names_file(written):
            continue
        if not written.startswith(("/", "~", ".")) and not any(map(str.isalpha, written.rpartition("/")[2])):
            continue
        path = canonicalize_path(written)
        if path is not None and path not in ("/", "."):
            yield Shaped(PATH, path.lstrip("/"), *match.span())


_FILE: Final = compile_later(r".*\.(?:md|py|sh|pl|zip|txt|pdf|csv|docx?|xlsx?)", re.IGNORECASE)


def _names_file(text: str) -> bool:
    """Whether an ending that is also one of hosts is rather one of a file: `tender.md`."""
    return _FILE.fullmatch(text) is not None


def _find_streets(text: str) -> Iterator[Shaped]:
    for pattern in _STREETS:
        for match in islice(pattern.finditer(text), _MAX_FOUND):
            name, house = (match[2], match[1]) if match[1][:1].isdigit() else (match[1], match[2])
            words = name.replace(".", "").replace("’", "'").split()
            if words[-1].casefold() not in _STREET_WORDS:
                words = words[-1:]
            elif len(words) < 2 or not words[-2][0].isupper():
                continue  # "please ring 40"
            street = re.sub(r"str(?:asse|aße)?$", "str", " ".join(words[-2:]).casefold())
            yield Shaped(STREET, f"{street} {house.replace(' ', '').lower()}", *match.span())


def _find_versions(text: str) -> Iterator[Shaped]:
    for match in islice(_VERSION.finditer(text), _MAX_FOUND):
        yield Shaped(VERSION, match[1].lower(), *match.span())


def _find_ids(text: str) -> Iterator[Shaped]:
    for match in islice(_ID.finditer(text), _MAX_FOUND):
        if len(match["sort"]) > 1 or match[0][1] in "-_#" or len(match["rest"]) > 2:
            yield Shaped(f"{ID} {match['sort'].lower()}", match[0].casefold(), *match.span())


def _find_numbers(text: str) -> Iterator[Shaped]:
    for match in islice(_NUMBER.finditer(text), _MAX_FOUND):
        for number in _read_number(match["number"]):
            yield Shaped(NUMBER, number, *match.span())
            unit = (match["unit"] or "").lower()
            if unit == "k":
                yield Shaped(NUMBER, _trim(float(number) * 1000), *match.span())
            if unit == "%" or _PERCENT.match(text, match.end("number")) is not None:
                yield Shaped(NUMBER, _trim(float(number) / 100), *match.span())


def _read_number(text: str) -> tuple[str, ...]:
    return tuple(number for number in canonicalize_amounts(text) if number.replace(".", "", 1).lstrip("-").isdigit())


def _trim(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _find_marks(text: str) -> Iterator[Shaped]:
    for match in islice(_MARK.finditer(text), _MAX_FOUND):
        if match["mark"] == "A" and _ARTICLE.match(text, match.end()) is not None:
            continue
        behind = text[match.end() : match.end() + 6].lower()
        sign = "+" if behind.startswith(" plus") else "-" if behind.startswith(" minus") else ""
        yield Shaped(MARK, match["mark"] + sign, *match.span())


_FINDERS: Final = (_find_paths, _find_streets, _find_dates, _find_times, _find_versions, _find_ids)
_FINDERS_WITHOUT_DIGITS: Final = (_find_paths, _find_weekdays, _find_times)
"""What can be found in a text without a digit. A path needs "/" or ".", and is found first."""
