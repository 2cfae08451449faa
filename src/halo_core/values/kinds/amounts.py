"""Amounts of money and other numbers: what a numeral can mean, which currency stands beside it, what is paid.

canonicalize_amounts("1.500 EUR")             # ("1.5 EUR", "1500 EUR"): a point for decimals, or for thousands
find_paid_amounts("Pay Ana 20 for invoice 7") # (PaidAmount(start=8, readings=("20",)),): 7 is no amount
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, islice
from typing import Final, NamedTuple

from halo_core.content.personal_data import normalize_text
from halo_core.values.kinds.kinds import MAX_FORMS, Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_CURRENCY: Final = (
    r"(?:[$€£¥]|\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR|SEK|NOK|DKK|PLN)\b|\b(?:euros?|dollars?|pounds?|bucks|quid)\b)"
)
_CURRENCIES: Final = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "euro": "EUR",
    "euros": "EUR",
    "dollar": "USD",
    "dollars": "USD",
    "pound": "GBP",
    "pounds": "GBP",
    "bucks": "USD",
    "quid": "GBP",
}
_NUMERAL: Final = (
    r"[+-]?[0-9]{1,3}(?:[.,' \u202f][0-9]{3}){1,9}(?:[.,][0-9]{1,4})?(?![0-9])|[+-]?[0-9]{1,30}(?:[.,][0-9]{1,30})?"
)
_AMOUNT: Final = compile_later(
    rf"(?P<before>{_CURRENCY})?[ ]?(?<![A-Za-z0-9_.,:/-])(?P<number>{_NUMERAL})(?![A-Za-z0-9_:/@-]|[.,][0-9])"
    rf"[ ]?(?P<after>{_CURRENCY})?",
    re.IGNORECASE,
)
_WHOLE_NUMERAL: Final = compile_later(_NUMERAL)
_NUMBER_IN_TEXT: Final = compile_later(
    r"[0-9+-](?<![A-Za-z0-9_.,:/-][0-9+-])(?<![A-Za-z0-9]-[0-9+-])(?:(?<=[0-9])[0-9]*+|(?<=[+-])[0-9]++)"
    r"(?:[.,'][0-9]++|[ \u202f][0-9]{3}(?![0-9]))*+(?![A-Za-z0-9_/@-]|:\S)"
)
_LISTED_NUMBER: Final = compile_later(r"[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?")
_CURRENCY_BEFORE: Final = compile_later(rf"({_CURRENCY})[ ]?$", re.IGNORECASE)
_CURRENCY_BEHIND: Final = compile_later(rf"[ ]?({_CURRENCY})", re.IGNORECASE)
_CURRENCY_STARTS: Final = frozenset("$uegjcaisndpbqUEGJCAISNDPBQ")
_CURRENCY_ENDS: Final = frozenset("$drpyfknsoDRPYFKNSO")
"""First and last signs of the currencies that are written in ASCII."""
_PLAIN_NUMBER: Final = compile_later(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")


def add_amount_forms(text: str, forms: list[Form]) -> None:
    """Add the forms of the lone numbers in a text, without and with the currency beside them.

    `20 euro` is `amount 20` and `amount 20 EUR`. All readings of a number are added (`1.500`).

    Args:
        text: without what was taken for an account, a telephone number or a date.
        forms: takes the forms, up to `MAX_FORMS`.
    """
    for match in _NUMBER_IN_TEXT.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        start, end = match.span()
        # The last sign of a currency before, and the first of one behind: most numbers have neither beside them.
        before, behind = text[max(start - 3, 0) : start].rstrip(" \n")[-1:], text[end : end + 2].lstrip(" ")[:1]
        currency = None
        if before in _CURRENCY_ENDS or behind in _CURRENCY_STARTS or not (before + behind).isascii():
            currency = _find_currency(text, start, end)
        numeral = match[0]
        for number in (numeral.lstrip("0") or "0",) if numeral.isdigit() else _read_number_row(numeral):
            forms.append(make_form(("amount", number)))
            if currency is not None:
                forms.append(make_form(("amount", f"{number} {_name_currency(currency[1])}")))


def _find_currency(text: str, start: int, end: int) -> re.Match[str] | None:
    """Find the currency before or else behind the number at these places."""
    return _CURRENCY_BEFORE.search(text, max(start - 8, 0), start) or _CURRENCY_BEHIND.match(text, end)


_PAYEE: Final = r"(?:[A-Z][\w.-]*|@\w[\w.-]*)"
"""A word of a name, or a handle."""
_VERBS_OF_ENGLISH: Final = (
    "pay transfer send wire remit donate tip refund spend reimburse repay compensate credit settle"
)
_VERBS_OF_OTHERS: Final = (
    "überweise bezahle zahle erstatte paie paye vire verse rembourse paga abona reembolsa transfiere rimborsa versa"
    " zapłać przelej betaal"
)


def _match_any(words: str) -> str:
    """Make a pattern of words, each also with a capital as at the beginning of a sentence."""
    return "|".join(f"[{word[0].upper()}{word[0]}]{word[1:]}" for word in words.split())


_NUMBER_BEHIND_VERB: Final = compile_later(
    rf"\b(?:{_match_any(_VERBS_OF_ENGLISH)}|[Tt]op up|{_match_any(_VERBS_OF_OTHERS)})"
    rf"(?: (?:him|her|them|us))?(?: {_PAYEE}){{0,3}} ({_NUMERAL})(?![A-Za-z0-9_:/@-]|[.,][0-9])"
)
_NUMBER_BEHIND_ARTICLE: Final = compile_later(
    rf"\b(?:{_match_any('pay transfer send wire remit refund reimburse return')})(?: (?:out|back))?"
    r"(?: (?:him|her|them|us))?"
    rf"(?: [A-Z][\w.-]*){{0,3}} (?:the|those|my|his|her|their) ({_NUMERAL})"
    r"(?= (?:of (?!them|these|those|us|the\b)|we|she|he|they|i|you|that|for|from|to|back|less|minus)\b"
    r"|[.,;!?](?!\w)|\s*$)"
)
"""A number behind a verb and an article, in front of words that describe it: "refund the 42 of order 7"."""
_NO_PAYEE: Final = (
    r"a|account|an|apartment|at|bill|bills|booking|building|bus|by|case|cases|chapter|claim|class|contract|day|document|file"
    r"|first|flat|flight|floor|for|form|from|gate|group|house|id|in|invoice|invoices|is|issue|item|lane|last|letter|line"
    r"|list|locker|lot|mail|mails|message|next|no|nr|number|of|on|order|orders|page|part|photo|picture|policy|report"
    r"|request|road|room|row|seat|step|street|table|text|ticket|tickets|time|to|train|unit|until|version|via|week|with"
    r"|her|his|my|our|that|the|their|these|this|those|word|year|rechnung|bestellung|zimmer|auftrag|datei|factura|facture|commande|pedido|fattura|ordine|factuur"
)
"""Words in front of a number that number something: "pay the invoice 417"."""
_SOMEBODY_AND_NUMBER: Final = (
    r" (?:the|my|our|your|his|her|their|that|this|an?|dem|der|den|die|unsere[mrn]|meine[mrn]|au|à la|à|a la|al|le|la|el"
    r"|il|alla|de|het|onze)"
    rf" (?:(?!(?i:{_NO_PAYEE})\b)[^\W\d_][\w'’-]{{0,30}},? ){{1,3}}"
    r"(?!(?:19|20)[0-9]{2}(?![0-9.,]))((?:[0-9]{1,3}(?:[.,'][0-9]{3})+|[0-9]{2,9})(?:[.,][0-9]{1,2})?)"
    r"(?=[.,;!?](?!\w)|\s*$|\s(?:for|to|as|and|from|at|via|by|on|in|into|now|today|please|plus|für|auf|und|pour|sur|et"
    r"|por|para|en|y|per|su|e|voor|op)\b)"
)
"""Whom somebody pays, and a number: "the plumber 90"."""
_NUMBER_BEHIND_SOMEBODY: Final = compile_later(
    rf"\b(?:{_match_any(_VERBS_OF_ENGLISH)}|{_match_any(_VERBS_OF_OTHERS)})(?: (?:to|an|à|a|aan))?"
    + _SOMEBODY_AND_NUMBER
)
_NUMBER_BEHIND_NEXT_SOMEBODY: Final = compile_later(
    r"(?:,|\b(?:and|und|et|y|e|en|i)\b)(?: (?:to|an|à|a|aan))?" + _SOMEBODY_AND_NUMBER
)
_NUMBER_BEHIND_ANOTHER: Final = CaselessPattern(
    rf"\b(?:another|a further|an additional|an extra|weitere|otros|altri) ({_NUMERAL})(?![a-z0-9_:/@-]|[.,][0-9])"
    r"(?=[.,;!?](?!\w)|\s*$|\s(?:for|to|at|on|als|an|auf|für|para|a|per)\b)"
    rf"|(?<![\w.,:/-])({_NUMERAL}) more(?=[.,;!?](?!\w)|\s*$|\s(?:for|to|at|on)\b)"
)
"""A further sum of a text that pays something: "and another 45 to her". It counts if the text has another amount."""


_NUMBER_BEHIND_NOUN: Final = CaselessPattern(
    r"\b(?:(?:rent|fee|price|amount|total|sum|payment|transfer|refund|salary|deposit|donation|bill|invoice|balance|betrag"
    r"|miete|überweisung|zahlung|rechnung|virement|montant|loyer|facture|importe|transferencia|alquiler|pago|factura"
    r"|importo|bonifico|affitto|fattura|bedrag|huur|kwot[aęy])(?: is|:)? (?:of|von|über|de|di|van)|amount|total|sum"
    rf"|make it|betrag|montant|importe|importo|bedrag)(?: is|:)? ({_NUMERAL})(?![a-z0-9_:/@-]|[.,][0-9])"
)
"""A number behind a noun that is counted in money: `the rent of 900`, but not `invoice 417`."""
_NUMBER_BEHIND_OFFER: Final = CaselessPattern(
    r"\b(?:bid|offer|wage|fine|reward|bonus|budget)(?: is|:)? (?:of|is) "
    rf"({_NUMERAL})(?![a-z0-9_:/@-]|[.,][0-9])"
)
"""A number behind a noun that is paid only sometimes. It counts if the text has no other amount."""
_NUMBER_AT_PRICE: Final = CaselessPattern(
    r"\b(?:book|hire|order|buy|reserve|rent|engage|get|take|sell|offer|purchase)\b[^.;!?\n]{1,80}? (?:at|@) "
    r"(?:(?:an?|the|his|her|their|our) )?"
    r"((?:2[5-9]|[3-9][0-9]|[0-9]{3})(?:[.,][0-9]{1,2})?|[0-9]{1,6}[.,][0-9]{2})"
    r"(?![a-z0-9_:/@%-]|[.,][0-9]| ?(?:h|hrs|hours?|o'?clock|am|pm|degrees?|percent|km|mph)\b)"
)
"""A number behind what is bought: "book Wen at 70". A number that could be an hour does not count."""
_NUMBER_BEFORE_TO: Final = compile_later(
    rf"(?:,|\b(?:and|und|et|y|e|en|i)) ({_NUMERAL})(?= (?:to|for|an|für|à|pour|para|per|aan|voor|na|dla)\b)"
)
_NUMBER_BEHIND_NEXT: Final = compile_later(
    rf"(?:,|\b(?:and|und|et|y|e|en|i)) (?!(?:Invoice|Order|Room|Ticket|Mail|Bill|Table|Rechnung|Bestellung) )"
    rf"{_PAYEE}(?: {_PAYEE}){{0,2}} ({_NUMERAL})(?=[.,;!?](?!\w)|\s*$| (?:and|und|et|y|e|en|i|for|für|pour|para)\b)"
)
"""A number behind the next person who is paid: "pay Mo 20 and Kim 300"."""


class PaidAmount(NamedTuple):
    """An amount of money in a text.

    Args:
        start: where it begins.
        readings: the numbers that it can mean, at least one.
    """

    start: int
    readings: tuple[str, ...]


_NUMBER_IN_ROW: Final = compile_later(
    r"(?<!\S)(?=[A-Z]|\S{0,40}[0-9])[^\s,;]{1,40}[ ]"
    r"((?:[0-9]{1,3}(?:[.,'][0-9]{3})+|[0-9]{1,9})[.,][0-9]{2})(?=\s*(?:[,;\n]|\b(?:and|und|et|y|e|en|i)\b))"
)
_DAY_AND_MONTH: Final = compile_later(r"(?:0?[1-9]|[12][0-9]|3[01])[.,](?:0[1-9]|1[0-2])")


def _find_row(text: str, end: int) -> list[re.Match[str]]:
    """Find a row of names or ids with amounts in front of `end`: `Ana 62.64, Bo 57.84 and Cy 55.31 EUR`.

    One amount alone is no row, and neither are numbers that could all be days.
    """
    row = list(islice(_NUMBER_IN_ROW.finditer(text, 0, end), MAX_FORMS))
    return row if len(row) > 1 and not all(_DAY_AND_MONTH.fullmatch(match[1]) for match in row) else []


@lru_cache(maxsize=8)
def find_paid_amounts(text: str) -> tuple[PaidAmount, ...]:
    """Find the amounts of money in a text, in order: numbers with a currency, or behind a verb such as `pay`.

    The currency behind the last amount of a row applies to the others as well. Cached, since each request is searched
    twice: for ceilings, and for the shares of several targets.
    """
    found: dict[int, str] = {}
    for match in islice(_NUMBER_IN_TEXT.finditer(text), MAX_FORMS):
        if _find_currency(text, *match.span()) is not None:
            found[match.start()] = match[0]
    for match in _find_row(text, max(found)) if found else ():
        found.setdefault(match.start(1), match[1])
    behind_verb = list(islice(_NUMBER_BEHIND_VERB.finditer(text), MAX_FORMS))
    behind_next = islice(_NUMBER_BEHIND_NEXT.finditer(text, behind_verb[0].end()), MAX_FORMS) if behind_verb else ()
    for match in chain(behind_verb, behind_next):
        found.setdefault(match.start(1), match[1])
    for match in islice(
        chain(_NUMBER_BEHIND_ARTICLE.finditer(text), _NUMBER_BEHIND_SOMEBODY.finditer(text)), MAX_FORMS
    ):
        found.setdefault(match.start(1), match[1])
    for match in islice(_NUMBER_BEHIND_NOUN.finditer(text), MAX_FORMS):
        found.setdefault(match.start(1), match[1])
    if not found:  # beside an amount, "get back to me at 930" raises none
        for match in islice(chain(_NUMBER_BEHIND_OFFER.finditer(text), _NUMBER_AT_PRICE.finditer(text)), MAX_FORMS):
            found.setdefault(match.start(1), match[1])
    if found:
        _find_further(text, found)
    read = [PaidAmount(start, _read_number_row(found[start])) for start in sorted(found)]
    return tuple([item for item in read if item.readings])


def _find_further(text: str, found: dict[int, str]) -> None:
    """Add the numbers that are amounts since the text has another one: "pay 10 to A and 20 to B"."""
    further = chain(_NUMBER_BEFORE_TO.finditer(text), _NUMBER_BEHIND_NEXT_SOMEBODY.finditer(text))
    for match in islice(further, MAX_FORMS):
        found.setdefault(match.start(1), match[1])
    for match in islice(_NUMBER_BEHIND_ANOTHER.finditer(text), MAX_FORMS):
        group = 1 if match[1] else 2
        found.setdefault(match.start(group), match[group])


def _read_number_row(text: str) -> tuple[str, ...]:
    """Split digits with commas and points between them into numbers: one number, or a list without blanks."""
    if _WHOLE_NUMERAL.fullmatch(text):
        return _read_numeral(text)
    # A form behind `MAX_FORMS` is not kept, so neither is a number of a row.
    numbers = islice(_LISTED_NUMBER.finditer(text), MAX_FORMS)
    return tuple([trim_number(item[0].replace(",", "")) for item in numbers])


def canonicalize_amounts(text: str) -> tuple[str, ...]:
    """Return all readings of an argument as an amount; empty if it is no amount."""
    text = text.strip()
    match = _AMOUNT.fullmatch(text if text.isascii() else normalize_text(text))
    if match is None:
        return ()
    currency = match["before"] or match["after"]
    numbers = _read_numeral(match["number"])
    return tuple(f"{number} {_name_currency(currency)}" for number in numbers) if currency else numbers


def _name_currency(text: str) -> str:
    return _CURRENCIES.get(text.lower(), text.upper())


def _read_numeral(text: str) -> tuple[str, ...]:
    """Return all readings of a numeral: `1.500` is 1.5 with a decimal point, and 1500 with one for thousands."""
    text = text.replace(" ", "").replace("'", "").replace("\u202f", "")
    comma, point = text.rfind(","), text.rfind(".")
    if comma < 0 and point < 0:
        return (trim_number(text),)
    if comma >= 0 and point >= 0:
        return (trim_number(_drop_thousands(text, decimal="," if comma > point else ".")),)
    sign = "," if comma >= 0 else "."
    tail = len(text) - text.rfind(sign) - 1
    if text.count(sign) > 1:
        return (trim_number(text.replace(sign, "")),)
    if tail == 3 and sign == ",":
        return (trim_number(text.replace(sign, "")),)
    as_decimal = trim_number(text.replace(",", "."))
    return (as_decimal, trim_number(text.replace(sign, ""))) if tail == 3 and text[0] != "0" else (as_decimal,)


def _drop_thousands(text: str, decimal: str) -> str:
    other = "." if decimal == "," else ","
    return text.replace(other, "").replace(decimal, ".")


def trim_number(text: str) -> str:
    """Remove the zeros of a plain numeral that do not change its value."""
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, decimals = match[1], match[2].lstrip("0") or "0", (match[3] or "").rstrip("0")
    return ("-" if sign == "-" else "") + whole + (f".{decimals}" if decimals else "")
