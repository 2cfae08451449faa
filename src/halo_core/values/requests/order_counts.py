"""How many of a thing a text of the user wants: counts, the most it allows, and numbers that say which one instead.

    find_count_forms("Order the chairs, up to 6 each")   # ("allowed_count", "1") ... ("allowed_count", "6")
    find_count_forms("Order 2 chairs for room 640")      # ("counting", "2"), ("numbering", "640")

An order at no stated price is bounded by its counts alone (ADR 78), so a count has to be the user's: written as one, or
within a limit that the user states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_MAX_NUMBERS: Final = 48
_MAX_ALLOWED: Final = 200
"""A higher limit allows only the counts that the user wrote."""
_MAX_NOUN: Final = 24  # characters of what stands in front of a number
PRICE_LIMIT: Final = Form("price_limit", "")
"""Says that the user states the most that something may cost."""

_NUMBER: Final = compile_later(r"(?<![\w.,/@+-])[0-9]{1,6}(?![\w/@-]|[.,][0-9])")
_TIME_BEHIND: Final = compile_later(
    r"[ -]?(?:second|minute|hour|day|night|week|month|year|percent|sekunde|stunde|tage?|woche|monat|jahr|nacht|nächte)"
    r"(?:e?[ns])?\b"
    r"|[ -]?(?:min|mins|hrs?|yrs?|kg|km|cm|mm|%)(?!\w)|[ -](?:employees|staff|customers|visitors|users|members)\b",
    re.IGNORECASE,
)
"""Says that a number in front is a time or another measure."""
MEASURING_NAMES: Final = frozenset(
    "second seconds minute minutes hour hours day days night nights week weeks month months year years duration length "
    "period term stay percent weight kg km hrs mins".split()
)
"""Words of arguments that hold a measure."""
MEASURES: Final = MEASURING_NAMES | frozenset(
    "limit quota price rate wage salary rent budget threshold percentage gigabyte gigabytes gb megabytes mb tb "
    "size capacity replicas instances workers retries attempts timeout ttl copies seats quantity qty count counts "
    "height width speed temperature discount memory storage cpus max min maximum minimum units".split()
)
"""Words of arguments that hold a measure, a limit, a price or a count, and never the number of a record."""
COUNT_NAMES: Final = frozenset(
    "quantity quantities qty count counts amount pieces pcs units copies items boxes bottles packs packages tickets "
    "seats number num anzahl menge stück".split()
)
"""Words of arguments that hold how many of a thing are ordered."""
_BEFORE_NUMBER: Final = compile_later(
    r"\b(?:invoice|mail|message|ticket|case|claim|table|room|no|nr|number|id|lot|page|form|version|unit|flat"
    r"|apartment|house|gate|line|row|seat|bus|flight|train|class|street|road|lane|avenue|building|locker|contract|account"
    r"|policy|file|issue|report|letter|request|until|at|by|on|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|floor|level|storey|wing|block|zone|bay|dock|pier|platform|stand|desk|aisle"
    r"|shelf|rack|station|post|route|chapter|section|step|week|month|quarter|year"
    r"|[a-z]+(?:strasse|straße|gasse|weg|platz|allee))\.? ?$",
    re.IGNORECASE,
)
"""Nouns and prepositions behind which a number says which one, or when."""
_PRICE_BEFORE: Final = compile_later(r"\b(?:for|at|costing|worth) $", re.IGNORECASE)
_PRICE_BEHIND: Final = compile_later(
    r",? (?:at (?:the )?most|max\b|each\b|apiece\b|per\b|in total\b|or less\b)", re.IGNORECASE
)
_CLAUSE: Final = compile_later(r"[,;\n]|\.\s|\b(?:and|und|et|y|e|en)\b")
_RUN: Final = compile_later(r"(?<![\w-])([\w-]*)[0-9][\w-]*")
"""Letters and digits with a digit among them; group 1 ends at the last one."""
_LAST_LETTER: Final = compile_later(r"([\w-]*)[A-Za-z]")
_ID: Final = compile_later(r"[A-Za-z0-9][\w-]{1,31}")
"""An id, as that of a ware, where a letter and a digit follow in its run."""
_ORDER_BEFORE: Final = compile_later(r"\b(?:order|booking)\.? ?$", re.IGNORECASE)
_COUNTED_BEHIND: Final = compile_later(
    r" (?:of|x|×)\b| (?!(?:is|was|has|had|for|from|and|or|to|on|in|at|by|with|that|which|as|if|it)\b)[^\W\d_]",
    re.IGNORECASE,
)
"""Says that "order 10" orders ten, and is no order with that number."""
_WORDS: Final = {
    word: number
    for number, row in enumerate(
        (
            "one a an ein eine einen un une uno una um uma een",
            "two zwei deux dos due dois twee",
            "three drei trois tres tre três drie",
            "four vier quatre cuatro quattro quatro",
            "five fünf cinq cinco cinque vijf",
            "six sechs sei seis zes",
            "seven sieben sept siete sette sete zeven",
            "eight acht huit ocho otto oito",
            "nine neun neuf nueve nove negen",
            "ten zehn dix diez dieci dez tien",
            "eleven elf onze once undici",
            "twelve dozen zwölf dutzend douze douzaine doce docena dodici dozzina doze dúzia twaalf dozijn",
        ),
        start=1,
    )
    for word in row.split()
}
_COUNT: Final = rf"([0-9]{{1,3}}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_NO_COUNT: Final = (
    r"(?![\w.,:/@-]*[0-9])(?! ?(?:%|[$€£¥]|percent|eur|euros?|usd|dollars?|gbp|pounds?|chf|cents?|pm|am|o['’]?clock|uhr"
    r"|(?:second|minute|hour|day|night|week|month|year|mile|meter|metre|kilo\w*|gram|litre|liter)s?"
    r"|tage?n?|nächten?|nächte|wochen?|monaten?|jours?|nuits?|días?|noches?|giorni|notti|km|kg|g|m|cm)\b)"
)
"""What is limited is no sum, no time and no measure."""
_MOST: Final = CaselessPattern(
    r"\b(?:up to|at (?:the )?most|no more than|not more than|max(?:imum)?\.?(?: of)?|a maximum of|bis zu|höchstens"
    r"|maximal|jusqu['’]à|au plus|au maximum|hasta|como máximo|no más de|fino a|al massimo|non più di|até|no máximo"
    rf"|tot|hoogstens|maksymalnie) {_COUNT}\b{_NO_COUNT}",
    needs="up to|most|more than|max|bis zu|jusqu|plus|hasta|fino a|massimo|tot|hoogstens|maksymalnie".split("|"),
)
_MOST_BEHIND: Final = CaselessPattern(
    rf"(?<![\w.,:/@-]){_COUNT} (?:at (?:the )?most|max(?:imum)?|tops|or (?:less|fewer)|höchstens|maximal|au plus"
    r"|como máximo|al massimo|no máximo)\b",
    needs="most|max|tops|or less|or fewer|au plus|massimo".split("|"),
)
_BETWEEN: Final = CaselessPattern(rf"\bbetween {_COUNT} and {_COUNT}\b{_NO_COUNT}", needs=("between",))
_DOZENS: Final = CaselessPattern(r"\b(half a|a|one|two|three|four) dozen\b", needs=("dozen",))
_DOZEN_COUNTS: Final = {"half a": 6, "a": 12, "one": 12, "two": 24, "three": 36, "four": 48}
_CURRENCY: Final = r"(?:[$€£¥]|eur\b|euros?\b|usd\b|dollars?\b|gbp\b|pounds?\b|chf\b)"
_MONEY: Final = rf"(?:[$€£¥] ?[0-9][0-9.,]*|[0-9][0-9.,]* ?{_CURRENCY})"
_MONEY_ANYWHERE: Final = rf"(?:[$€£¥] ?[0-9][0-9.,]*|(?<![0-9.,])[.,]*[0-9][0-9.,]* ?{_CURRENCY})"
"""Read from the beginning of a number alone: from each of its digits, that takes the square of its length."""
_PRICE_LIMIT: Final = CaselessPattern(
    rf"\b(?:up to|at (?:the )?most|no more than|not more than|max(?:imum)?\.?(?: of)?|under|below|less than|within"
    rf"|budget(?: is| of|:)?|cheaper than|bis zu|höchstens|maximal|unter) (?:a |the |our )?{_MONEY}"
    rf"|{_MONEY_ANYWHERE} (?:(?:each|apiece|per \w+|a piece),? )?"
    r"(?:at (?:the )?most|max(?:imum)?|tops|or less|höchstens|maximal)\b",
    needs="up to|most|more than|max|under|below|less|within|budget|cheaper|bis zu|unter|tops".split("|"),
)


def find_count_forms(text: str) -> Iterator[Form]:
    """Forms of the numbers in a text, by what they say, and of the most that it allows.

    A number says how many (`counting`), which one (`numbering`) or how long (`measuring`).

    Args:
        text: of the user.
    """
    for match in islice(_NUMBER.finditer(text), _MAX_NUMBERS):
        yield make_form((_find_use(text, match), match[0]))
    for match in islice(_DOZENS.finditer(text), _MAX_NUMBERS):
        yield make_form(("amount", str(_DOZEN_COUNTS[match[1].lower()])))
    yield from _find_counted(text)
    limits = [match[1] for pattern in (_MOST, _MOST_BEHIND) for match in islice(pattern.finditer(text), _MAX_NUMBERS)]
    limits += [match[2] for match in islice(_BETWEEN.finditer(text), _MAX_NUMBERS)]
    most = max([_read_count(limit) for limit in limits], default=0)
    if most <= _MAX_ALLOWED:
        yield from (make_form(("allowed_count", str(count))) for count in range(1, most + 1))
    if _PRICE_LIMIT.search(text) is not None:
        yield PRICE_LIMIT


def _find_counted(text: str) -> Iterator[Form]:
    """Forms of the ids that stand in a clause with counts, and of each with its count: "2 of CH-1 and 20 of CH-2"."""
    for clause in _CLAUSE.split(text)[:_MAX_NUMBERS]:
        ids = [name.casefold() for name in islice(_find_ids(clause), _MAX_NUMBERS)]
        numbers = [match[0] for match in islice(_NUMBER.finditer(clause), _MAX_NUMBERS)]
        if len(ids) == 1 and numbers:
            yield make_form(("counted", ids[0]))
            yield from (make_form(("counted", f"{ids[0]} {number}")) for number in numbers)


def _find_ids(clause: str) -> Iterator[str]:
    """Ids of letters and digits."""
    for run in _RUN.finditer(clause):
        if (letter := _LAST_LETTER.match(run[0])) is None:
            continue
        last = min(letter.end(1), run.end(1) - run.start())
        for match in _ID.finditer(run[0]):
            if match.start() > last:
                break
            yield match[0]


def _find_use(text: str, match: re.Match[str]) -> str:
    """What a number says: how many, which one, or how long (`measuring`)."""
    if _TIME_BEHIND.match(text, match.end()) is not None:
        return "measuring"
    return "numbering" if _says_which(text, match) else "counting"


def _says_which(text: str, match: re.Match[str]) -> bool:
    """Whether a number is that of a room, of an order or the like."""
    start = max(match.start() - _MAX_NOUN, 0)
    if _BEFORE_NUMBER.search(text, start, match.start()) is not None:
        return True
    if _PRICE_BEFORE.search(text, start, match.start()) and _PRICE_BEHIND.match(text, match.end()):
        return True  # "buy 5 for 2000 at most"
    is_order = _ORDER_BEFORE.search(text, start, match.start()) is not None
    return is_order and _COUNTED_BEHIND.match(text, match.end()) is None


def _read_count(text: str) -> int:
    return int(text) if text.isdecimal() else _WORDS[text.lower()]
