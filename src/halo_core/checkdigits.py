"""Room: check digits of card numbers and IBANs. Takes: groups of characters. Gives: where a number ends.

Every length a number may have costs one step, whatever the text is. Never: finds anything in a text, I/O.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Final

__all__ = ["IBAN_SHORTEST", "PAN_LONGEST", "PAN_SHORTEST", "iban_ends", "luhn", "pan_ends"]

_IBAN_START: Final = re.compile(r"[A-Za-z]{2}[0-9]{2}")
PAN_SHORTEST: Final = 13
PAN_LONGEST: Final = 19
IBAN_SHORTEST: Final = 15
_IBAN_LONGEST: Final = 34
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # digit sum of twice the digit
_BASE_36: Final = str.maketrans({char: str(int(char, 36)) for char in string.ascii_letters})


def pan_ends(groups: list[str]) -> Callable[[int], int]:
    """Where the longest card number from a group on ends, by running sums: each length costs one subtraction."""
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
            if sums[stop % 2 == 0] % 10 == 0 and sums[0]:
                found = i + 1
        return found

    return end_of


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = sum(int(digit) for digit in digits[-1::-2])
    total += sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0 and digits.strip("0") != ""


def iban_ends(groups: list[str]) -> Callable[[int], int]:
    """Where the longest IBAN from a group on ends; check digits of ISO 13616 (ISO/IEC 7064 MOD 97-10)."""
    known: dict[str, tuple[int, int]] = {}

    def residue(text: str) -> tuple[int, int]:
        """A piece as a number modulo 97, and what a number before it is multiplied with."""
        found = known.get(text)
        if found is None:
            number = text.translate(_BASE_36)
            found = known[text] = int(number or "0") % 97, pow(10, len(number), 97)
        return found

    def end_of(start: int) -> int:
        if not _IBAN_START.match(groups[start]):
            return start
        length, value, found = 0, 0, start
        head, shift = residue(groups[start][:4])
        for i in range(start, len(groups)):
            piece = groups[i]
            length += len(piece)
            if length > _IBAN_LONGEST:
                break
            number, power = residue(piece if i > start else piece[4:])
            value = (value * power + number) % 97
            if length >= IBAN_SHORTEST and (value * shift + head) % 97 == 1:
                found = i + 1
        return found

    return end_of
