"""Recognition and masking of card numbers, IBANs, e-mail addresses and telephone numbers in text.

A text is searched through a copy of the same length, in which every kind of digit, blank and dash is replaced by the
plain one; what is found in the copy is masked in the text. No expression here can backtrack, and each possible length
of a number costs one step, so the time is linear in any text.
"""

from __future__ import annotations

import re
import string
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

PAN_SHORTEST: Final = 13
PAN_LONGEST: Final = 19
_IBAN_DIGITS: Final = 10  # no country has fewer; words are not made of digits
# fmt: off
IBAN_LENGTHS: Final = {country: length for length, countries in {
    15: "NO", 16: "BE", 18: "DK FK FO FI GL NL SD", 19: "MK SI", 20: "AT BA EE KZ XK LT LU MN", 21: "HR LV LI CH",
    22: "BH BG CR GE DE IE ME RS GB VA", 23: "GI IQ IL OM SO TL AE", 24: "AD CZ MD PK RO SA SK ES SE TN VG",
    25: "LY PT ST AO CV GW MZ", 26: "IS TR DZ IR", 27: "BI DJ FR GR IT MR MC SM CF CG CM GA GQ KM MG TD",
    28: "AL AZ BY CY DO GT HN HU LB NI PL BF BJ CI MA ML NE SN TG",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}.items() for country in countries.split()}
# fmt: on
"""Characters of a country's IBAN (ISO 13616 registry), and of those who use the form without being in it."""
# First digits of payment cards, as six digits, and the lengths that go with them (ISO/IEC 7812; the networks' tables).
_ISSUERS: Final = (
    (222100, 272099, (16,)),
    (300000, 305999, (14, 16, 17, 18, 19)),
    (309500, 309599, (14, 16, 17, 18, 19)),
    (340000, 349999, (15,)),
    (352800, 358999, (16, 17, 18, 19)),
    (360000, 369999, (14, 16, 17, 18, 19)),
    (370000, 379999, (15,)),
    (380000, 399999, (14, 16, 17, 18, 19)),
    (400000, 499999, (13, 16, 19)),
    (500000, 509999, (13, 14, 15, 16, 17, 18, 19)),
    (510000, 559999, (16,)),
    (560000, 589999, (13, 14, 15, 16, 17, 18, 19)),
    (600000, 699999, (13, 14, 15, 16, 17, 18, 19)),
)
_DOUBLED_DIGIT_SUM: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # digit sum of twice the digit
_BASE_36: Final = str.maketrans({char: str(int(char, 36)) for char in string.ascii_letters})


def make_pan_end_finder(groups: list[str], accept: Callable[[int, int], bool] | None) -> Callable[[int], int]:
    """Make a function that finds where the longest card number from a group on ends, by running sums.

    Args:
        groups: ASCII digits.
        accept: asked whether groups `start` to `end` whose digits pass the check are a number; None takes every one.
    """
    ends = list(accumulate(map(len, groups)))
    digits = [ord(char) - 48 for char in "".join(groups)]
    doubled = [_DOUBLED_DIGIT_SUM[digit] for digit in digits]
    # Sums in which the digits at odd places, or those at even places, count doubled.
    odd = list(accumulate((d if i % 2 else s for i, (s, d) in enumerate(zip(digits, doubled, strict=True))), initial=0))
    even = list(
        accumulate((s if i % 2 else d for i, (s, d) in enumerate(zip(digits, doubled, strict=True))), initial=0)
    )

    def find_end(start: int) -> int:
        begin, end = ends[start] - len(groups[start]), start
        for i in range(bisect_left(ends, begin + PAN_SHORTEST, lo=start), len(ends)):
            stop = ends[i]
            if stop > begin + PAN_LONGEST:
                break
            sums = odd[stop] - odd[begin], even[stop] - even[begin]
            # The last digit counts once; nothing but zeros is no number.
            if sums[stop % 2 == 0] % 10 == 0 and sums[0] and (accept is None or accept(start, i + 1)):
                end = i + 1
        return end

    return find_end


def passes_luhn(digits: str) -> bool:
    """Whether digits pass the Luhn check (ISO/IEC 7812-1 annex B)."""
    total = sum(int(digit) for digit in digits[-1::-2])
    total += sum(_DOUBLED_DIGIT_SUM[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0 and digits.strip("0") != ""


def is_issued_range(digits: str) -> bool:
    """Whether a card network issues numbers of this prefix and length."""
    first = int(digits[:6])
    return any(low <= first <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)


def is_iban(text: str) -> bool:
    """Whether letters and digits are an IBAN: its country's length, enough digits, check digits (MOD 97-10)."""
    has_country_length = IBAN_LENGTHS.get(text[:2].upper()) == len(text)
    if not has_country_length or sum(map(str.isdigit, text)) < _IBAN_DIGITS:
        return False
    return int((text[4:] + text[:4]).translate(_BASE_36)) % 97 == 1


# the copy that is read

_INVISIBLE: Final = "\u200b"  # stands for every character that is there and not seen
_SIGNS: Final = {
    **dict.fromkeys("\u2212\u2043\u02d7", "-"),
    **dict.fromkeys("\u00b7\u2022\u2027\u2219\u22c5\u30fb", "."),
    **dict.fromkeys("\u2502\u2503\u00a6\u2223\u01c0", "|"),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("\u034f\u115f\u1160\u17b4\u17b5\u3164", _INVISIBLE),
}
_CATEGORIES: Final = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Cf": _INVISIBLE}


def normalize_text(text: str) -> str:
    """The text with plain digits, blanks, dashes and signs in the place of others: same length, same places."""
    if text.isascii():
        return text
    table = {
        ord(char): replacement for char in set(text) if char > "\x7f" and (replacement := _normalize_char(char)) != char
    }
    return text.translate(table) if table else text


def _normalize_char(char: str) -> str:
    if (replacement := _SIGNS.get(char)) is not None:
        return replacement
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind == "Mn" and "\ufe00" <= char <= "\ufe0f":
        return _INVISIBLE
    if (replacement := _CATEGORIES.get(kind)) is not None:
        return replacement
    # Fullwidth and the like; a superscript is no digit of the number that it stands behind.
    folded = unicodedata.normalize("NFKC", char) if kind != "No" else char
    return folded if len(folded) == 1 and folded.isascii() else char


class _MaskedText(NamedTuple):
    """A text and its normalized copy, in both of which the same spans are masked."""

    original: str
    normalized: str

    def replace_spans(self, spans: Iterable[tuple[int, int, str]]) -> _MaskedText:
        """Replace each span; spans are in order and do not overlap."""
        original: list[str] = []
        normalized: list[str] = []
        done = 0
        for start, end, mask in spans:
            original += self.original[done:start], mask
            normalized += self.normalized[done:start], mask
            done = end
        if not original:
            return self
        return _MaskedText("".join((*original, self.original[done:])), "".join((*normalized, self.normalized[done:])))


# what stands between the groups of a number

# One blank or dash is how a number is usually written. Tables, emphasis, line ends and such need more evidence.
_SEPARATOR: Final = (
    rf"(?:[ \-._/|*\t\n\r\f\v{_INVISIBLE}]|%20|%2D|%C2%A0"
    # As HTML and JSON write them.
    r"|&(?i:nbsp|thinsp|ensp|emsp|ndash|mdash|shy|#0*160|#x0*a0|#0*8[0-9]{3});|</?[A-Za-z][^<>]{0,80}+>"
    r"|\\++(?:[tnr]|u(?i:00a0|00ad|20[0-9a-f]{2}|3000|feff)))"
)
_GAP: Final = rf"{_SEPARATOR}{{1,6}}+"
_DIGIT_RUN: Final = re.compile(rf"[0-9]++(?:{_GAP}[0-9]++)*+")
_PART: Final = re.compile(rf"({_SEPARATOR}++)|[0-9]++")
_CHARS: Final = rf"(?:{_SEPARATOR}{{0,6}}+[A-Za-z0-9])"
_IBAN_START: Final = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z]{_SEPARATOR}{{0,2}}[A-Za-z](?:{_SEPARATOR}{{0,6}}+[0-9]){{2}}"
)
_NOT_IN_NUMBERS: Final = re.compile(rf"{_SEPARATOR}+")
_CARD_GROUPS: Final = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (6, 13), (8, 8)})

Span = tuple[int, int, str]


@cache  # all of them would be a tenth of the time in which a verb that reads is imported
def _compile_iban(length: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z]{_CHARS}{{{length - 1}}}(?![A-Za-z0-9])")


def _find_ibans(text: str) -> Iterator[Span]:
    """IBANs by their country's length, however they are spaced."""
    done = 0
    for start in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(_NOT_IN_NUMBERS.sub("", start[0])[:2].upper())
        if (
            start.start() < done
            or length is None
            or (match := _compile_iban(length).match(text, start.start())) is None
        ):
            continue
        bare = _NOT_IN_NUMBERS.sub("", match[0])
        if is_iban(bare):
            done = match.end()
            yield *match.span(), f"[iban {bare[:2].upper()}…{bare[-4:]}]"


def _find_pans(text: str) -> Iterator[Span]:
    """Card numbers, and the mask for each, as far as they are written in whole groups."""
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() < PAN_SHORTEST:
            continue
        groups = [part for part in _PART.finditer(text, *run.span()) if part[1] is None]
        gaps = [text[a.end() : b.start()] for a, b in pairwise(groups)]
        ends = make_pan_end_finder([group[0] for group in groups], partial(_is_card, groups, gaps))
        for first, last in _merge_spans(_find_whole_numbers(groups, ends)):
            yield first, last, mask_pan(_NOT_IN_NUMBERS.sub("", text[first:last]))


def _is_card(groups: list[re.Match[str]], gaps: list[str], start: int, end: int) -> bool:
    """Whether digits that pass the check are a card number: of an issued range, and grouped like one."""
    texts = [group[0] for group in groups[start:end]]
    if not is_issued_range("".join(texts)):
        return False
    if len(texts) == 1:
        return not _is_fraction(gaps, start)
    if tuple(map(len, texts)) in _CARD_GROUPS:
        return True
    between = gaps[start : end - 1]
    # Decimal numbers are written with points, and coordinates with points and blanks; cells and lines part numbers.
    has_strong_separator = any(sign in gap for gap in between for sign in ".|\n")
    is_evenly_spaced = not has_strong_separator or (len(between) > 1 and len(set(between)) == 1)
    outer_gaps = (*gaps[max(start - 1, 0) : start], *gaps[end - 1 : end])
    is_decimal = "." in outer_gaps and "." not in between
    return is_evenly_spaced and not is_decimal and not any(map(_is_date, texts, texts[1:], texts[2:]))


def _is_fraction(gaps: list[str], index: int) -> bool:
    """Whether a group is what stands behind the point of a decimal number."""
    around = (*gaps[max(index - 2, 0) : max(index - 1, 0)], *gaps[index : index + 1])
    return index > 0 and gaps[index - 1] == "." and not any("." in gap for gap in around)


def _is_date(first: str, second: str, third: str) -> bool:
    """Whether three groups read as year, month and day, or as month or day, day or month, and year."""
    year, month_and_day = (first, (second, third)) if len(first) == 4 else (third, (first, second))
    if year[:2] not in ("19", "20") or len(year) != 4:
        return False
    return all(len(part) <= 2 and 1 <= int(part) <= 31 for part in month_and_day)


def _find_whole_numbers(groups: list[re.Match[str]], end_of: Callable[[int], int]) -> Iterator[tuple[int, int]]:
    """Every number of whole groups, overlapping ones too: the first to pass may be part of the real one."""
    for i, group in enumerate(groups):
        if (end := end_of(i)) > i:
            yield group.start(), groups[end - 1].end()


def _merge_spans(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in order, overlapping ones as one."""
    first = last = -1
    for start, end in sorted(spans):
        if start < last:
            last = max(last, end)
            continue
        if last > 0:
            yield first, last
        first, last = start, end
    if last > 0:
        yield first, last


# addresses and telephones

# Possessive: what follows a part is never one of its own characters, so giving some back could not help.
_DOMAIN: Final = r"([\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}+)"
_EMAIL: Final = re.compile(rf'(?:[\w.%+\-]{{1,64}}+|"[^"@\n]{{1,64}}+")@{_DOMAIN}|[\w.+\-]{{1,64}}+%40{_DOMAIN}')
_BETWEEN: Final = rf"[ ().\-/\t{_INVISIBLE}]"
_PHONE: Final = re.compile(
    rf"\+[0-9](?:{_BETWEEN}{{0,3}}+[0-9]){{7,14}}"
    # Without a plus it is one where it is also spaced like one.
    rf"|(?<![\w.,/+\-])00[1-9][0-9]{{0,2}}{_BETWEEN}{{1,3}}+[0-9](?:{_BETWEEN}{{0,3}}+[0-9]){{5,11}}(?![0-9])"
    r"|(?<![\w)])\([2-9][0-9]{2}\)[ \-]{0,2}+[0-9]{3}[ .\-][0-9]{4}(?![0-9])"
)


def _find_emails(text: str) -> Iterator[Span]:
    if "@" in text or "%40" in text:
        for match in _EMAIL.finditer(text):
            yield *match.span(), f"[e-mail …@{match[1] or match[2]}]"


def _find_phones(text: str) -> Iterator[Span]:
    if "+" in text or "00" in text or "(" in text:
        for match in _PHONE.finditer(text):
            yield *match.span(), f"[phone …{match[0][-2:]}]"


def mask_personal_data(text: str) -> str:
    """Mask IBANs, card numbers, e-mail addresses and telephone numbers, keeping what tells them apart."""
    masked = _MaskedText(text, normalize_text(text))
    for find in (_find_ibans, _find_pans, _find_emails, _find_phones):
        masked = masked.replace_spans(find(masked.normalized))
    return masked.original


def mask_card_numbers(text: str) -> str:
    """Mask the middle of card numbers and nothing else: the first six and last four digits stay (PCI DSS 3.4.1)."""
    normalized = normalize_text(text)
    ibans = [(start, end) for start, end, _ in _find_ibans(normalized)]
    spans = []
    for start, end, _ in _find_pans(normalized):
        if not any(start < iban_end and iban_start < end for iban_start, iban_end in ibans):
            digits = _NOT_IN_NUMBERS.sub("", normalized[start:end])
            spans.append((start, end, f"[pan {digits[:6]}…{digits[-4:]}]"))
    return _MaskedText(text, normalized).replace_spans(spans).original


def find_personal_labels(text: str) -> frozenset[str]:
    """`chd` where a card number stands in the text, `pii` where an IBAN, an e-mail address or a telephone number."""
    copy = normalize_text(text)
    no_ibans = _MaskedText(copy, copy).replace_spans(_find_ibans(copy))
    bare = no_ibans.replace_spans(_find_pans(no_ibans.normalized))
    labels = {"chd"} if bare is not no_ibans else set()
    if no_ibans.normalized is not copy or _EMAIL.search(bare.normalized) or _PHONE.search(bare.normalized):
        labels.add("pii")
    return frozenset(labels)


def mask_pan(digits: str) -> str:
    """Mask a card number but for its last four digits (PCI DSS 3.4.1)."""
    return f"[pan …{digits[-4:]}]"


def list_card_digits(value: float) -> str:
    """Decimal digits of a whole number that could be a card number; empty for any other."""
    return str(abs(int(value))) if abs(value) < 10**PAN_LONGEST and value == int(value) else ""


def looks_like_pan(digits: str) -> bool:
    """Whether a bare number reads as a card number: length, Luhn, and an issuer range of payment cards."""
    return PAN_SHORTEST <= len(digits) <= PAN_LONGEST and digits[0] in "23456" and passes_luhn(digits)
