"""Room: check digits of card numbers and IBANs. Takes: groups of characters. Gives: where a number ends.

Every length a number may have costs one step, whatever the text is. Never: finds anything in a text, I/O.
"""

from __future__ import annotations

import string
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Final

__all__ = [
    "IBAN_LENGTHS",
    "PAN_LONGEST",
    "PAN_SHORTEST",
    "is_iban",
    "issued",
    "luhn",
    "pan_ends",
]

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
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # digit sum of twice the digit
_BASE_36: Final = str.maketrans({char: str(int(char, 36)) for char in string.ascii_letters})


def pan_ends(groups: list[str], accept: Callable[[int, int], bool] | None = None) -> Callable[[int], int]:
    """Where the longest card number from a group on ends, by running sums: each length costs one subtraction.

    Args:
        groups: ASCII digits.
        accept: asked whether groups `start` to `end` whose digits pass the check are a number; None takes every one.
    """
    ends = list(accumulate(map(len, groups)))
    digits = [ord(char) - 48 for char in "".join(groups)]
    doubled = [_DOUBLED[digit] for digit in digits]
    # Sums in which the digits at odd places, or those at even places, count doubled.
    odd = list(accumulate((d if i % 2 else s for i, (s, d) in enumerate(zip(digits, doubled, strict=True))), initial=0))
    even = list(
        accumulate((s if i % 2 else d for i, (s, d) in enumerate(zip(digits, doubled, strict=True))), initial=0)
    )

    def end_of(start: int) -> int:
        begin, found = ends[start] - len(groups[start]), start
        for i in range(bisect_left(ends, begin + PAN_SHORTEST, lo=start), len(ends)):
            stop = ends[i]
            if stop > begin + PAN_LONGEST:
                break
            sums = odd[stop] - odd[begin], even[stop] - even[begin]
            # The last digit counts once; nothing but zeros is no number.
            if sums[stop % 2 == 0] % 10 == 0 and sums[0] and (accept is None or accept(start, i + 1)):
                found = i + 1
        return found

    return end_of


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = sum(int(digit) for digit in digits[-1::-2])
    total += sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0 and digits.strip("0") != ""


def issued(digits: str) -> bool:
    """Whether a network of payment cards gives out numbers that begin like this and are as long."""
    first = int(digits[:6])
    return any(low <= first <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)


def is_iban(text: str) -> bool:
    """Whether letters and digits are an IBAN: its country's length, enough digits, check digits (MOD 97-10)."""
    known = IBAN_LENGTHS.get(text[:2].upper()) == len(text)
    if not known or sum(char.isdigit() for char in text) < _IBAN_DIGITS:
        return False
    return int((text[4:] + text[:4]).translate(_BASE_36)) % 97 == 1
