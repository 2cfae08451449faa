"""Room: the sketch of what a session has seen. Takes: texts with their origin. Gives: marks. Never: I/O, a clock.

A mark is the keyed fingerprint of one token (a word, a number, an address), the origins it was seen in and the place
of the first source that said it, in the session's list of sources (from 1; 0 is none that has a name). The sketch is
bounded: past `MAX_MARKS` it is saturated and says so, and then what it does not know counts as untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from halo_core.model import Provenance

__all__ = ["MARK", "MAX_MARKS", "MAX_TEXT", "SOURCES", "Marks", "Sketch", "fingerprints", "place_of", "tokens"]

MAX_MARKS: Final = 20_000
MAX_TEXT: Final = 262_144  # characters of one text that are read
_MAX_TOKEN: Final = 512
_SHORT: Final = 4096  # characters
_PLAIN: Final = 16  # letters of a word that is remembered
_REMEMBERED: Final = 8192  # words

MARK: Final = 8
"""Bytes of a packed mark."""
SOURCES: Final = 31
"""Sources that a session can tell apart; later ones share the last place."""
_PLACE: Final = 3  # bits before it
_ORIGINS: Final = 7
BITS: Final = {Provenance.USER: 1, Provenance.SYSTEM: 2, Provenance.UNTRUSTED: 4}

# A comma ends a token unless it groups thousands.
_INSIDE: Final = r"[^\s,;()\[\]{}<>\"'`|=*]+"
_TOKEN: Final = re.compile(rf"{_INSIDE}(?:(?<=[0-9]),(?=[0-9]{{3}}(?![0-9])){_INSIDE})*")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")
_NUMERIC: Final = frozenset("0123456789+-")
_EDGE: Final = ".:!?-_#$€£%…"

Marks = dict[int, int]
"""Fingerprint (56 bits) → origins (3 bits), place of the first source (5 bits)."""


def tokens(text: str) -> Iterable[str]:
    """Lower-case tokens of a text; numbers lose thousands separators and trailing zeros."""
    folded = text[:MAX_TEXT].casefold()
    if len(folded) <= _SHORT:
        return [
            _number(token) if token[0] in _NUMERIC else token
            for raw in _TOKEN.findall(folded)
            if (token := raw.strip(_EDGE)[:_MAX_TOKEN])
        ]
    return _long(folded)


def _long(folded: str) -> Iterator[str]:
    # One by one: whoever wants only the first words of a long text does not pay for all.
    for match in _TOKEN.finditer(folded):
        token = match.group().strip(_EDGE)[:_MAX_TOKEN]
        if token:
            yield _number(token) if token[0] in _NUMERIC else token


def _number(token: str) -> str:
    if token.isascii() and token.isdigit():
        return token
    match = _NUMBER.fullmatch(token)
    if match is None:
        return token
    digits = token.replace(",", "").lstrip("+")
    return digits.rstrip("0").rstrip(".") if match.group(1) else digits


def fingerprints(key: bytes, words: Iterable[str]) -> set[int]:
    """Keyed 56-bit fingerprints: without the key nobody can test a guess against a stored sketch."""
    known = _known(key)
    return {_fingerprint(key, word, known) if (found := known.get(word)) is None else found for word in words}


def _fingerprint(key: bytes, word: str, known: dict[str, int]) -> int:
    digest = blake2b(word.encode("utf-8", "replace"), digest_size=7, key=key).digest()
    found = int.from_bytes(digest)
    # Words of the language come again and again. Names, numbers and whatever could be a secret are not kept in memory.
    if len(word) <= _PLAIN and word.isalpha() and word.isascii():
        if len(known) >= _REMEMBERED:
            known.clear()
        known[word] = found
    return found


@lru_cache(maxsize=16)
def _known(_key: bytes) -> dict[str, int]:
    """Fingerprints of plain words under a key."""
    return {}


class Sketch:
    """Marks of one session, in memory; `pack` and `unpack` carry additions to and from the store."""

    __slots__ = ("_key", "marks", "saturated")

    def __init__(self, key: bytes) -> None:
        self._key = key[:64]
        self.marks: Marks = {}
        self.saturated = False

    @property
    def key(self) -> bytes:
        """Key of its fingerprints."""
        return self._key

    def additions(self, prints: Iterable[int], origin: Provenance, *, vouched: bool = False, place: int = 0) -> Marks:
        """Marks that the fingerprints of a text would add or change, without adding them.

        Args:
            prints: of the text.
            origin: `user`, `system` or `untrusted`.
            vouched: the host itself says these are the user's words (`halo.session(request=...)`).
            place: of the source, 0..`SOURCES`.
        """
        bit = BITS[origin]
        foreign = BITS[Provenance.UNTRUSTED]
        added: Marks = {}
        room = MAX_MARKS - len(self.marks)
        for print_ in prints:
            known = self.marks.get(print_)
            if known is None:
                if len(added) >= room:
                    self.saturated = True
                    break
                added[print_] = bit | place << _PLACE
            elif not known & bit and (vouched or bit == foreign or known & _ORIGINS != foreign):
                # INVARIANT: what only an untrusted source has said is not made ours by an echo: a receipt that
                # repeats it, a prompt it was pasted into. Only the host can vouch for it.
                added[print_] = known | bit
        return added

    def merge(self, added: Marks) -> None:
        """Take marks in; a mark never loses an origin."""
        for print_, bits in added.items():
            self.marks[print_] = self.marks.get(print_, 0) | bits
        self.saturated = self.saturated or len(self.marks) >= MAX_MARKS

    def origins(self, words: Iterable[str]) -> list[int]:
        """Mark of each word, 0 where it was never seen (4, untrusted, where the sketch is saturated)."""
        unknown = BITS[Provenance.UNTRUSTED] if self.saturated else 0
        known, key, marks = _known(self._key), self._key, self.marks
        prints = (_fingerprint(key, word, known) if (found := known.get(word)) is None else found for word in words)
        return [marks.get(print_, unknown) for print_ in prints]


def pack(marks: Marks) -> bytes:
    """Eight bytes a mark: fingerprint, origins and place, sorted."""
    return b"".join((print_ << 8 | bits).to_bytes(MARK) for print_, bits in sorted(marks.items()))


def place_of(mark: int) -> int:
    """Place of the first source that said a word, 0 for none."""
    return mark >> _PLACE


def unpack(data: bytes) -> Marks:
    """Inverse of `pack`."""
    numbers = (int.from_bytes(data[i : i + MARK]) for i in range(0, len(data), MARK))
    return {number >> 8: number & 0xFF for number in numbers}
