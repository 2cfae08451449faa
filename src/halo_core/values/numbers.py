"""Canonical spellings of accounts, telephone numbers, amounts and dates, and where they stand in a text.

Digits may be grouped by blanks or hyphens. A row of groups in a text is one number as a whole; its parts are none, so
that neither the beginning nor the end of a long number says anything. A number of fewer than `MIN_DIGITS` digits counts
only together with the noun it stands beside ("invoice 42").
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

from halo_core.content.personal_data import IBAN_LENGTHS, is_iban, normalize_text
from halo_core.values.foreign_words import to_numbered_noun
from halo_core.values.kinds import Form, make_form
from halo_core.values.lexicon import STOP_WORDS

MIN_DIGITS: Final = 5
"""Digits that a number needs to be one without its noun."""
_MIN_GROUPED: Final = 7
_MIN_INTERNATIONAL: Final = 11
"""Digits of a telephone number with country code and the prefix `00`, at least."""
_MAX_AREA_CODE: Final = 6
_MIN_NATIONAL, _MAX_NATIONAL = 8, 12  # digits of a telephone number without its country code
_MAX_DIGITS: Final = 40
MAX_FORMS: Final = 4_096
"""Forms of one text that are kept."""

# A search is fast where a pattern begins with the signs that it can begin with, so what must not stand before a number
# is looked at behind its first sign.
_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \n-]?[A-Za-z0-9])")
_DIGITS_BEHIND_LETTERS: Final = re.compile(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9]")
_IBAN_CHARACTERS: Final = re.compile(r"[A-Za-z0-9](?:[ \n-]?[A-Za-z0-9]){14,33}")
_IBAN_SHAPE: Final = re.compile(r"[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_DIGITS: Final = re.compile(r"[0-9]+")
_GROUPING: Final = re.compile(r"[ \n-]")
_DIGIT_RUN: Final = re.compile(
    r"[0-9+(](?<![A-Za-z0-9_#/=@.,+-][0-9+(])(?:(?<=[0-9])[0-9]*+|(?<=\+)\(?[0-9]++|(?<=\()[0-9]++)\)?"
    r"(?:(?:[ -]{1,2}\(?|\.(?=[0-9]{2}))[0-9]++\)?)*+"
    r"(?P<tail>[A-Za-z_@/]|[.,:-][0-9])?"
)
_AFTER_HASH: Final = re.compile(r"(?<![\w#])#([0-9]{5,40})(?![\w.,-]?[0-9]|[\w])")
_WHOLE_NUMBER: Final = re.compile(r"\+?[0-9(](?:[ .()/-]{0,2}[0-9]){3,39}\)?")
_HYPHENATED: Final = re.compile(r"[0-9]+(?:-[0-9]+)+")
_DATE_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[.-][0-9]{1,2}[.-](?:[0-9]{2}|[0-9]{4})")
_ADDRESS_SHAPE: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_SORT_CODE: Final = re.compile(r"[0-9](?<![0-9-][0-9])[0-9]-[0-9]{2}-[0-9]{2}(?![0-9-])")
_BANK_WORDS: Final = (
    r"(?:sort[ -]?code|routing(?:[ -]?(?:number|no\.?|code))?|aba|bsb|blz|bank[ -]?code|transit(?:[ -]?number)?)"
)
_BANK_WORD_PARTS: Final = ("sort", "routing", "aba", "bsb", "blz", "bank", "transit")
_BANK_CODE: Final = re.compile(
    rf"\b{_BANK_WORDS}\b\D{{0,12}}(?P<named>[0-9][0-9 -]{{3,12}}[0-9])(?![0-9])"
    rf"|(?<![0-9-])(?P<sort>[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}})(?![0-9-])",
    re.IGNORECASE,
)
_NEXT_ACCOUNT: Final = re.compile(r"\D{0,40}?([0-9]{6,17})(?![0-9])")
_PREVIOUS_ACCOUNT: Final = re.compile(r"([0-9]{6,17})[^0-9]{1,40}$")
_SORT_AND_ACCOUNT: Final = re.compile(r"([0-9]{2}-?[0-9]{2}-?[0-9]{2})[ /,]{1,3}([0-9]{6,12})")
_TELEPHONE_START: Final = re.compile(r"\+|tel:|00[1-9]|\(|0[1-9]", re.IGNORECASE)


def canonicalize_iban(text: str) -> str | None:
    """Capital letters and digits of an IBAN (ISO 13616), grouped or not; None if the text is something else."""
    spelt = text.strip()
    if not spelt.isascii():
        spelt = normalize_text(spelt)
    bare = _GROUPING.sub("", spelt)
    if not (bare.isascii() and bare.isalnum()) or not 12 <= len(bare) <= 34:
        return None
    if is_iban(bare):
        return bare.upper()
    return bare if _IBAN_SHAPE.fullmatch(spelt) and bare[:2] in IBAN_LENGTHS else None


def canonicalize_digits(text: str) -> str | None:
    """The digits of a number that is grouped in any way, `+` in front where it is written; None for anything else."""
    text = text.strip()
    if not text.isascii():
        text = normalize_text(text)
    if text[:4].lower() == "tel:":
        text = text[4:]
    if not _WHOLE_NUMBER.fullmatch(text) or _DATE_SHAPE.fullmatch(text) or _ADDRESS_SHAPE.fullmatch(text):
        return None
    digits = "".join(filter(str.isdigit, text))
    return _spell_telephone("+" if text.startswith("+") else "", digits)


def _spell_telephone(plus: str, digits: str) -> str:
    """Digits with `+` in front; `00` before a country code means the same (ITU-T E.164 with prefix 00)."""
    if not plus and len(digits) >= _MIN_INTERNATIONAL and digits.startswith("00") and digits[2] != "0":
        return "+" + digits[2:]
    return plus + digits


def canonicalize_bank_account(text: str) -> str | None:
    """Bank code and account number written as one value: `12-34-56 12345678`."""
    text = text.strip()
    match = _SORT_AND_ACCOUNT.fullmatch(text if text.isascii() else normalize_text(text))
    return join_bank_account(match[1], match[2]) if match is not None else None


def join_bank_account(code: str, number: str) -> str:
    """The joint spelling of a bank code and an account number."""
    first, second = ("".join(filter(str.isalnum, normalize_text(part))) for part in (code, number))
    return f"{first} {second}".upper()


def looks_like_telephone(text: str) -> bool:
    """Whether digits are written as a telephone number is."""
    return _TELEPHONE_START.match(text.strip()) is not None


def find_number_forms(text: str, forms: list[Form], *, amounts: bool = True) -> None:
    """Add the forms of the accounts, telephone numbers, dates and, if wanted, amounts and numbered things in a text.

    Of forms past `MAX_FORMS` at least one is added where there is any, so the caller knows that there are more.

    INVARIANT: VOUCH - a part of a longer number is neither an amount nor an id.
    """
    if not text.isascii():
        text = normalize_text(text)
    taken: list[tuple[int, int]] = []
    _find_bank_accounts(text, taken, forms)
    _find_ibans(text, taken, forms)
    _find_dates(text, taken, forms)
    if taken:
        text = _blank_out(text, taken)
        taken.clear()
    if "#" in text:
        forms += [make_form(("digits", match[1])) for match in islice(_AFTER_HASH.finditer(text), MAX_FORMS)]
    _find_digit_runs(text, taken, forms)
    if not amounts:
        return
    if taken:
        text = _blank_out(text, taken)
    _find_amounts(text, forms)
    _find_numbered(text, forms)


def _blank_out(text: str, taken: list[tuple[int, int]]) -> str:
    """The text with signs that no number holds in place of what is taken."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(taken):
        if end > done:
            parts += text[done : max(start, done)], ";" * (end - max(start, done))
            done = end
    return "".join((*parts, text[done:]))


def _find_ibans(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    for digits in _DIGITS_BEHIND_LETTERS.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        start = _IBAN_START.match(text, digits.start() - 2)
        if start is None:
            continue
        length = IBAN_LENGTHS.get(start[0][:2].upper())
        if length is None:
            continue
        match = _IBAN_CHARACTERS.match(text, start.start())
        if match is not None:
            bare = _GROUPING.sub("", match[0])[:length]
            end = _find_end(text, start.start(), len(bare))
            if is_iban(bare) and not text[end : end + 1].isalnum():
                taken.append((start.start(), end))
                forms.append(make_form(("iban", bare.upper())))
                continue
        shape = _IBAN_SHAPE.match(text, start.start())
        if shape is not None:
            taken.append(shape.span())
            forms.append(make_form(("iban", _GROUPING.sub("", shape[0]))))


def _find_end(text: str, start: int, length: int) -> int:
    """Where the first `length` letters and digits from `start` end."""
    place = start
    for _ in range(length):
        while text[place] in " \n-":
            place += 1
        place += 1
    return place


def _find_digit_runs(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    for match in _DIGIT_RUN.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        run, tail = match[0], match["tail"]
        if len(run) < MIN_DIGITS and run.isdigit():
            continue  # it counts with its noun alone
        groups = _DIGITS.findall(run[: -len(tail)] if tail else run)
        if tail:
            groups.pop()  # it goes on as something else: `5th`, `10:30`
        elif _ADDRESS_SHAPE.fullmatch(run):
            continue
        if not groups:
            continue
        if "." in run and len(groups) == 2:
            continue  # `10000.00` is an amount
        if len(groups) > 1 or len(groups[0]) >= MIN_DIGITS:
            _read_groups(match, groups, taken, forms)


def _read_groups(match: re.Match[str], groups: list[str], taken: list[tuple[int, int]], forms: list[Form]) -> None:
    """Add forms of digits in groups: of one number, or of each group; what can be nothing else is `taken`."""
    run = match[0]
    plus, total = "+" if run.startswith("+") else "", sum(map(len, groups))
    is_international = bool(plus) or (run.startswith("00") and total >= _MIN_INTERNATIONAL)
    is_one = is_international or _is_regular(groups) or _is_national(groups, total)
    if len(groups) > 1 and _MIN_GROUPED <= total <= _MAX_DIGITS and is_one:
        # `100 000 000` can be an amount, and is looked for as one as well.
        if is_international or any(len(group) != 3 for group in groups[1:]):
            taken.append(match.span())
        forms.append(make_form(("digits", _spell_telephone(plus, "".join(groups)))))
    elif len(groups) > 1 and MIN_DIGITS <= total <= _MAX_DIGITS and _HYPHENATED.fullmatch(run) is not None:
        forms.append(make_form(("digits", "".join(groups))))  # `2026-17` is one number, `88-4410-7` another
    else:
        for i, group in enumerate(groups):
            if MIN_DIGITS <= len(group) <= _MAX_DIGITS:
                forms.append(make_form(("digits", _spell_telephone(plus if not i else "", group))))


def _is_regular(groups: list[str]) -> bool:
    """Whether groups of digits are written as one number: all of one digit, or all of two to six."""
    sizes = {len(group) for group in groups}
    return sizes == {1} or (min(sizes) >= 2 and max(sizes) <= 6)


def _is_national(groups: list[str], total: int) -> bool:
    """Whether groups of digits are a telephone number with its area code behind the prefix `0` (ITU-T E.123)."""
    code, *others = groups
    is_code = code[0] == "0" and code[1:2] not in ("", "0") and len(code) <= _MAX_AREA_CODE
    return is_code and _MIN_NATIONAL <= total <= _MAX_NATIONAL and all(len(group) > 1 for group in others)


def _find_bank_accounts(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    if _SORT_CODE.search(text) is None and not any(map(text.lower().__contains__, _BANK_WORD_PARTS)):
        return
    for match in _BANK_CODE.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        code = match["named"] or match["sort"]
        after = _NEXT_ACCOUNT.match(text, match.end(), match.end() + 80)
        before = _PREVIOUS_ACCOUNT.search(text[max(match.start() - 60, 0) : match.start()])
        # INVARIANT: VOUCH - a code belongs to one number. With one on either side it is the one that follows.
        other = after or before
        if other is not None:
            forms.append(make_form(("joint", join_bank_account(code, other[1]))))
        if match["sort"]:
            taken.append(match.span("sort"))
        forms.append(make_form(("digits", "".join(filter(str.isdigit, code)))))


_CURRENCY: Final = (
    r"(?:[$€£¥]|\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR|SEK|NOK|DKK|PLN)\b|\b(?:euros?|dollars?|pounds?)\b)"
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
}
_NUMERAL: Final = (
    r"[+-]?[0-9]{1,3}(?:[.,' \u202f][0-9]{3}){1,9}(?:[.,][0-9]{1,4})?(?![0-9])|[+-]?[0-9]{1,30}(?:[.,][0-9]{1,30})?"
)
_AMOUNT: Final = re.compile(
    rf"(?P<before>{_CURRENCY})?[ ]?(?<![A-Za-z0-9_.,:/-])(?P<number>{_NUMERAL})(?![A-Za-z0-9_:/@-]|[.,][0-9])"
    rf"[ ]?(?P<after>{_CURRENCY})?",
    re.IGNORECASE,
)
_WHOLE_NUMERAL: Final = re.compile(_NUMERAL)
_NUMBER_IN_TEXT: Final = re.compile(
    r"[0-9+-](?<![A-Za-z0-9_.,:/-][0-9+-])(?<![A-Za-z0-9]-[0-9+-])(?:(?<=[0-9])[0-9]*+|(?<=[+-])[0-9]++)"
    r"(?:[.,'][0-9]++|[ \u202f][0-9]{3}(?![0-9]))*+(?![A-Za-z0-9_/@-]|:\S)"
)
_NUMBER_OF_LIST: Final = re.compile(r"[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?")
_CURRENCY_BEFORE: Final = re.compile(rf"({_CURRENCY})[ ]?$", re.IGNORECASE)
_CURRENCY_BEHIND: Final = re.compile(rf"[ ]?({_CURRENCY})", re.IGNORECASE)
_CURRENCY_STARTS: Final = frozenset("$uegjcaisndpUEGJCAISNDP")
_CURRENCY_ENDS: Final = frozenset("$drpyfknsoDRPYFKNSO")
"""First and last signs of the currencies that are written in ASCII."""
_PLAIN_NUMBER: Final = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")


def _find_amounts(text: str, forms: list[Form]) -> None:
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
    """The currency beside the number at these places: before it, or else behind."""
    return _CURRENCY_BEFORE.search(text, max(start - 8, 0), start) or _CURRENCY_BEHIND.match(text, end)


_PAID_NUMBER: Final = re.compile(
    r"\b(?:pay|transfer|send|wire|remit|donate|tip|refund|spend|top up|überweise|bezahle|zahle|paie|vire|paga"
    r"|transfiere|zapłać|przelej|betaal)(?: (?:him|her|them|us))?(?: [A-Z][\w.-]*){0,3} "
    rf"({_NUMERAL})(?![A-Za-z0-9_:/@-]|[.,][0-9])"
)


_NUMBER_OF: Final = re.compile(
    r"\b(?:(?:rent|fee|price|amount|total|sum|payment|transfer|refund|salary|deposit|donation|bill|invoice|balance|betrag"
    r"|miete|überweisung|zahlung|rechnung|virement|montant|loyer|facture|importe|transferencia|alquiler|pago|factura"
    r"|importo|bonifico|affitto|fattura|bedrag|huur|kwot[aęy])(?: is|:)? (?:of|von|über|de|di|van)|amount|total|sum"
    rf"|make it|betrag|montant|importe|importo|bedrag)(?: is|:)? ({_NUMERAL})(?![A-Za-z0-9_:/@-]|[.,][0-9])",
    re.IGNORECASE,
)
"""A number behind a noun that is counted in money: `the rent of 900`, but not `invoice 417`."""
_NUMBER_TO: Final = re.compile(
    rf"(?:,|\b(?:and|und|et|y|e|en|i)) ({_NUMERAL})(?= (?:to|for|an|für|à|pour|para|per|aan|voor|na|dla)\b)"
)


class PaidAmount(NamedTuple):
    """An amount of money in a text.

    Args:
        start: where it begins.
        readings: the numbers that it can mean, at least one.
    """

    start: int
    readings: tuple[str, ...]


def find_paid_amounts(text: str) -> list[PaidAmount]:
    """The amounts of money in a text, in order: with a currency, or behind a verb such as `pay`."""
    found: dict[int, str] = {}
    for match in islice(_NUMBER_IN_TEXT.finditer(text), MAX_FORMS):
        if _find_currency(text, *match.span()) is not None:
            found[match.start()] = match[0]
    first_lowered = text[:1].lower() + text[1:]
    for match in islice(_PAID_NUMBER.finditer(first_lowered), MAX_FORMS):
        found.setdefault(match.start(1), match[1])
    for match in islice(_NUMBER_OF.finditer(text), MAX_FORMS):
        found.setdefault(match.start(1), match[1])
    for match in islice(_NUMBER_TO.finditer(text), MAX_FORMS) if found else ():
        found.setdefault(match.start(1), match[1])  # "pay 10 to A and 20 to B"
    read = [PaidAmount(start, _read_number_row(found[start])) for start in sorted(found)]
    return [item for item in read if item.readings]


def _read_number_row(text: str) -> tuple[str, ...]:
    """The numbers of digits with commas and points between: one number, or a list without blanks."""
    if _WHOLE_NUMERAL.fullmatch(text):
        return _read_numeral(text)
    # A form behind `MAX_FORMS` is not kept, so neither is a number of a row.
    numbers = islice(_NUMBER_OF_LIST.finditer(text), MAX_FORMS)
    return tuple([trim_number(item[0].replace(",", "")) for item in numbers])


def canonicalize_amounts(text: str) -> tuple[str, ...]:
    """What an argument says as an amount, in each way it can be read; empty if it is no amount."""
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
    """The numbers that a numeral can mean: `1.500` is read with a point for decimals and with one for thousands."""
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
    """A plain numeral without the zeros that say nothing."""
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, decimals = match[1], match[2].lstrip("0") or "0", (match[3] or "").rstrip("0")
    return ("-" if sign == "-" else "") + whole + (f".{decimals}" if decimals else "")


_MONTHS: Final = "january february march april may june july august september october november december".split()
_MONTH: Final = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_ISO_DATE: Final = re.compile(r"([0-9](?<![0-9-][0-9])[0-9]{3})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![0-9-])")
_ISO_MOMENT: Final = re.compile(
    r"(?:19|20)[0-9]{2}-(?:0?[1-9]|1[0-2])(?:-(?:0?[1-9]|[12][0-9]|3[01]))?"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?Z?)?"
)
_NUMERIC_DATE: Final = re.compile(r"([0-9](?<![0-9./-][0-9])[0-9]?)([./-])([0-9]{1,2})\2([0-9]{4})(?![0-9])")
_YEAR: Final = re.compile(r"[12](?<![0-9][12])(?:(?<=1)9|(?<=2)0)[0-9]{2}(?![0-9])")
_DAY_MONTH: Final = re.compile(
    rf"\b(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|\.)?[ ]{{1,2}}(?:of )?{_MONTH},?[ ]{{1,2}}[0-9]{{4}}$", re.IGNORECASE
)
_MONTH_DAY: Final = re.compile(
    rf"\b{_MONTH}[ ]{{1,2}}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[ ]{{1,2}}[0-9]{{4}}$", re.IGNORECASE
)


def is_date(text: str) -> bool:
    """Whether a text is a day, perhaps with a time, and nothing else."""
    return _ISO_MOMENT.fullmatch(text.strip()) is not None


def find_date_forms(text: str) -> list[Form]:
    """Forms of the dates in a text; of `03/04/2026` both readings."""
    forms: list[Form] = []
    _find_dates(text, [], forms)
    return forms


def _find_dates(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
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
        for pattern in (_DAY_MONTH, _MONTH_DAY):
            found = pattern.search(text, start, year.end())
            if found is not None:
                taken.append(found.span())
                month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(found["month"].lower()))
                forms.append(_make_date(year[0], str(month), found["day"]))


def _make_date(year: str, month: str, day: str) -> Form:
    return make_form(("date", f"{year}-{int(month):02}-{int(day):02}"))


_FILLERS: Final = frozenset(
    {
        "no",
        "nr",
        "num",
        "number",
        "numbers",
        "nos",
        "id",
        "ids",
        "#",
        ":",
        "nummer",
        "№",
        ".",
        "n",
        "nº",
        "numéro",
        "número",
        "numero",
        "numer",
        "°",
    }
)
_RELATING: Final = frozenset({"with", "whose", "having", "the", "has", "its"})
"""Words between a noun and its number's name: "the file with the id 13"."""
_SHORT_NOUNS: Final = frozenset(("pr", "mr"))
_QUOTES: Final = frozenset("'\"`’‘“”")
_CONNECTORS: Final = frozenset({",", "and", "or", "&", "und"})
_NO_NOUNS: Final = _FILLERS | _RELATING | _CONNECTORS | {"is"}
"""Words that say something of the noun and the number around them."""
_WORD_OR_NUMBER: Final = re.compile(r"[0-9]+(?![.,]?[0-9])(?=[^A-Za-z0-9_-]|$)|[^\W\d_]+|[0-9]\S*|[#:,.&№]|\S")
_MAX_TOKENS: Final = 20_000
_SHORT_NUMBER: Final = re.compile(r"[0-9](?<![\w.,][0-9])[0-9]{0,3}(?![\w])")
_NOUN_WINDOW: Final = 40  # characters on each side of a number


def _find_numbered(text: str, forms: list[Form]) -> None:
    """Add short numbers with the noun beside them: "invoice 42", "orders 7 and 8", "#7 channel"."""
    start = end = 0
    for match in _SHORT_NUMBER.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        if match.start() > end:
            if end:
                _find_numbered_in(text[start:end], forms)
            start = max(match.start() - _NOUN_WINDOW, end)
        end = match.end() + _NOUN_WINDOW
    if end:
        _find_numbered_in(text[start:end], forms)


def _find_numbered_in(text: str, forms: list[Form]) -> None:  # noqa: C901  one branch for each kind of word
    noun = previous = before = behind = ""  # `behind`: the noun before words such as `with the`
    in_list = False  # a number of the noun was the last thing but commas
    signs = _WORD_OR_NUMBER.findall(text) if len(text) <= _MAX_TOKENS else _list_signs(text)
    for sign in map(str.lower, signs):
        if sign.isalpha() and sign not in _NO_NOUNS and before != "#":
            behind, in_list = "", False
            noun = sign if _is_noun(sign) else ""
        elif sign.isascii() and sign.isdigit():
            if noun and len(sign) < MIN_DIGITS:
                forms.append(make_form(("numbered", f"{to_numbered_noun(singularize(noun))} {int(sign)}")))
            in_list = bool(noun)
        elif sign in _QUOTES or (sign == "is" and previous in _FILLERS):
            continue
        elif sign in _CONNECTORS:
            noun, behind = noun if in_list else "", ""
        elif sign in _FILLERS:
            noun = noun or (behind if sign.isalpha() else "")
            if sign == "." and previous not in ("no", "nr"):
                noun = ""
        elif sign.isalpha():
            if before == "#" and previous.isascii() and previous.isdigit() and len(previous) < MIN_DIGITS:
                forms.append(make_form(("numbered", f"{to_numbered_noun(singularize(sign))} {int(previous)}")))
            behind = noun or behind if sign in _RELATING else ""
            noun, in_list = sign if _is_noun(sign) and sign not in _RELATING else "", False
        else:
            noun, behind, in_list = "", "", False
        before, previous = previous, sign


def _is_noun(sign: str) -> bool:
    return (len(sign) > 2 or not sign.isascii() or sign in _SHORT_NOUNS) and sign not in STOP_WORDS


def _list_signs(text: str) -> list[str]:
    """Words, numbers and signs of a long text, at most `_MAX_TOKENS`."""
    return [match[0] for match in islice(_WORD_OR_NUMBER.finditer(text), _MAX_TOKENS)]


def singularize(word: str) -> str:
    """A noun in the singular, as far as its ending tells."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
