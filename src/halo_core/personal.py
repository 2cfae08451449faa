"""Room: recognition of account numbers and addresses of people in text. Takes: text. Gives: masks and labels.

A text is read through a copy of the same length, in which each kind of digit, blank and dash is the plain one, and what
is found in the copy is masked in the text. Linear: no expression here can backtrack. Never: keys, I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

from halo_core.checkdigits import IBAN_LENGTHS, PAN_LONGEST, PAN_SHORTEST, is_iban, issued, luhn, pan_ends

__all__ = ["looks_like_pan", "mask_numbers_and_names", "pan_mask", "personal_labels", "plain"]

# -- the copy that is read --------------------------------------------------------------------------------------------

_UNSEEN: Final = "\u200b"  # stands for every character that is there and not seen
_SIGNS: Final = {
    **dict.fromkeys("\u2212\u2043\u02d7", "-"),
    **dict.fromkeys("\u00b7\u2022\u2027\u2219\u22c5\u30fb", "."),
    **dict.fromkeys("\u2502\u2503\u00a6\u2223\u01c0", "|"),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("\u034f\u115f\u1160\u17b4\u17b5\u3164", _UNSEEN),
}
_CATEGORIES: Final = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Cf": _UNSEEN}


def plain(text: str) -> str:
    """The text with plain digits, blanks, dashes and signs in the place of others: same length, same places."""
    if text.isascii():
        return text
    table = {ord(char): found for char in set(text) if char > "\x7f" and (found := _plain(char)) != char}
    return text.translate(table) if table else text


def _plain(char: str) -> str:
    if (found := _SIGNS.get(char)) is not None:
        return found
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind == "Mn" and "\ufe00" <= char <= "\ufe0f":
        return _UNSEEN
    if (found := _CATEGORIES.get(kind)) is not None:
        return found
    # Fullwidth and the like; a superscript is no digit of the number that it stands behind.
    same = unicodedata.normalize("NFKC", char) if kind != "No" else char
    return same if len(same) == 1 and same.isascii() else char


class _Text(NamedTuple):
    words: str
    copy: str

    def masked(self, spans: Iterable[tuple[int, int, str]]) -> _Text:
        """With each span replaced; spans are in order and do not overlap."""
        words: list[str] = []
        copy: list[str] = []
        done = 0
        for start, end, mask in spans:
            words += self.words[done:start], mask
            copy += self.copy[done:start], mask
            done = end
        if not words:
            return self
        return _Text("".join((*words, self.words[done:])), "".join((*copy, self.copy[done:])))


# -- what stands between the groups of a number ------------------------------------------------------------------------

# One blank or dash is how a number is usually written. Tables, emphasis, line ends and such need more evidence.
_SEPARATOR: Final = (
    rf"(?:[ \-._/|*\t\n\r\f\v{_UNSEEN}]|%20|%2D|%C2%A0"
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
_IBANS: Final = {
    length: re.compile(rf"[A-Za-z]{_CHARS}{{{length - 1}}}(?![A-Za-z0-9])") for length in set(IBAN_LENGTHS.values())
}
_NOT_IN_NUMBERS: Final = re.compile(rf"{_SEPARATOR}+")
_CARD_GROUPS: Final = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (6, 13), (8, 8)})

Span = tuple[int, int, str]


def _ibans(text: str) -> Iterator[Span]:
    """IBANs by their country's length, however they are spaced."""
    done = 0
    for start in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(_NOT_IN_NUMBERS.sub("", start[0])[:2].upper())
        if start.start() < done or length is None or (match := _IBANS[length].match(text, start.start())) is None:
            continue
        bare = _NOT_IN_NUMBERS.sub("", match[0])
        if is_iban(bare):
            done = match.end()
            yield *match.span(), f"[iban {bare[:2].upper()}…{bare[-4:]}]"


def _pans(text: str) -> Iterator[Span]:
    for run in _DIGIT_RUN.finditer(text):
        if run.end() - run.start() < PAN_SHORTEST:
            continue
        groups = [part for part in _PART.finditer(text, *run.span()) if part[1] is None]
        gaps = [text[a.end() : b.start()] for a, b in pairwise(groups)]
        ends = pan_ends([group[0] for group in groups], partial(_is_card, groups, gaps))
        for first, last in _merged(_whole(groups, ends)):
            yield first, last, pan_mask(_NOT_IN_NUMBERS.sub("", text[first:last]))


def _is_card(groups: list[re.Match[str]], gaps: list[str], start: int, end: int) -> bool:
    """Whether digits that pass the check are a card number: one that is given out, and grouped as no other number."""
    texts = [group[0] for group in groups[start:end]]
    if not issued("".join(texts)):
        return False
    if len(texts) == 1:
        return not _is_fraction(gaps, start)
    if tuple(map(len, texts)) in _CARD_GROUPS:
        return True
    between = gaps[start : end - 1]
    # Decimal numbers are written with points, and coordinates with points and blanks; cells and lines part numbers.
    parted = any(sign in gap for gap in between for sign in ".|\n")
    even = not parted or (len(between) > 1 and len(set(between)) == 1)
    beside = (*gaps[max(start - 1, 0) : start], *gaps[end - 1 : end])
    decimal = "." in beside and "." not in between
    return even and not decimal and not any(map(_is_date, texts, texts[1:], texts[2:]))


def _is_fraction(gaps: list[str], at: int) -> bool:
    """Whether a group is what stands behind the point of a decimal number."""
    around = (*gaps[max(at - 2, 0) : max(at - 1, 0)], *gaps[at : at + 1])
    return at > 0 and gaps[at - 1] == "." and not any("." in gap for gap in around)


def _is_date(one: str, two: str, three: str) -> bool:
    """Whether three groups read as year, month and day, or as month or day, day or month, and year."""
    year, others = (one, (two, three)) if len(one) == 4 else (three, (one, two))
    if year[:2] not in ("19", "20") or len(year) != 4:
        return False
    return all(len(other) <= 2 and 1 <= int(other) <= 31 for other in others)


def _whole(groups: list[re.Match[str]], end_of: Callable[[int], int]) -> Iterator[tuple[int, int]]:
    """Every number from whole groups, those that overlap too: the first to pass may be a part of the real one."""
    for i, group in enumerate(groups):
        if (end := end_of(i)) > i:
            yield group.start(), groups[end - 1].end()


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
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


# -- addresses and telephones -----------------------------------------------------------------------------------------

# Possessive: what follows a part is never one of its own characters, so giving some back could not help.
_DOMAIN: Final = r"([\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}+)"
_EMAIL: Final = re.compile(rf'(?:[\w.%+\-]{{1,64}}+|"[^"@\n]{{1,64}}+")@{_DOMAIN}|[\w.+\-]{{1,64}}+%40{_DOMAIN}')
_BETWEEN: Final = rf"[ ().\-/\t{_UNSEEN}]"
_PHONE: Final = re.compile(
    rf"\+[0-9](?:{_BETWEEN}{{0,3}}+[0-9]){{7,14}}"
    # Without a plus it is one where it is also spaced like one.
    rf"|(?<![\w.,/+\-])00[1-9][0-9]{{0,2}}{_BETWEEN}{{1,3}}+[0-9](?:{_BETWEEN}{{0,3}}+[0-9]){{5,11}}(?![0-9])"
    r"|(?<![\w)])\([2-9][0-9]{2}\)[ \-]{0,2}+[0-9]{3}[ .\-][0-9]{4}(?![0-9])"
)


def _emails(text: str) -> Iterator[Span]:
    if "@" in text or "%40" in text:
        for match in _EMAIL.finditer(text):
            yield *match.span(), f"[e-mail …@{match[1] or match[2]}]"


def _phones(text: str) -> Iterator[Span]:
    if "+" in text or "00" in text or "(" in text:
        for match in _PHONE.finditer(text):
            yield *match.span(), f"[phone …{match[0][-2:]}]"


def mask_numbers_and_names(text: str) -> str:
    """Mask IBANs, card numbers, e-mail addresses and telephone numbers, keeping what tells them apart."""
    found = _Text(text, plain(text))
    for kind in (_ibans, _pans, _emails, _phones):
        found = found.masked(kind(found.copy))
    return found.words


def personal_labels(text: str) -> frozenset[str]:
    """`chd` where a card number stands in the text, `pii` where an IBAN, an e-mail address or a telephone number."""
    copy = plain(text)
    no_ibans = _Text(copy, copy).masked(_ibans(copy))
    bare = no_ibans.masked(_pans(no_ibans.copy))
    found = {"chd"} if bare is not no_ibans else set()
    if no_ibans.copy is not copy or _EMAIL.search(bare.copy) or _PHONE.search(bare.copy):
        found.add("pii")
    return frozenset(found)


def pan_mask(digits: str) -> str:
    """Last four only (PCI DSS 3.4.1)."""
    return f"[pan …{digits[-4:]}]"


def looks_like_pan(digits: str) -> bool:
    """Whether a bare number reads as a card number: length, Luhn, and an issuer range of payment cards."""
    return PAN_SHORTEST <= len(digits) <= PAN_LONGEST and digits[0] in "23456" and luhn(digits)
