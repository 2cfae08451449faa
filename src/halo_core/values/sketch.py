"""Which source said which word (`Sketch`), and fingerprints of untrusted values that an agent stored.

A mark of a sketch is the keyed fingerprint of one token (a word, a number, an address), the origins it was seen in, and
the number of the first source that said it (from 1; 0 for a source without a name). Past `MAX_MARKS` a sketch is
saturated, and what it does not hold counts as untrusted.

A value of untrusted origin that was written to a memory, a file or a mailbox comes back from there as the system's own.
It is recognized by keyed fingerprints of runs of five words and of single distinctive words (an address, an account, a
link). A paraphrase is not recognized.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from typing import Final

from halo_core.model import Provenance
from halo_core.values.text import start_keyed_hash

MAX_MARKS: Final = 20_000
MAX_TEXT: Final = 262_144  # characters of one text that are read
_MAX_TOKEN: Final = 512
_SHORT_TEXT_LENGTH: Final = 4096  # characters
_MAX_CACHED_WORD_LENGTH: Final = 16  # letters of a word that is remembered
_CACHE_SIZE: Final = 8192  # words

_FINGERPRINT_BYTES: Final = 7
MARK_BYTES: Final = 8
"""Bytes of a packed mark."""
MAX_SOURCE_INDEX: Final = 31
"""Sources that a session can tell apart; later ones share the last place."""
SOURCE_SHIFT: Final = 3
"""Bits of a mark before the place of its source."""
_ORIGIN_MASK: Final = 7
ORIGIN_BITS: Final = {Provenance.USER: 1, Provenance.SYSTEM: 2, Provenance.UNTRUSTED: 4}

# A comma ends a token unless it groups thousands.
_CHARACTERS: Final = r"[^\s,;()\[\]{}<>\"'`|=*]+"
_TOKEN: Final = re.compile(rf"{_CHARACTERS}(?:(?<=[0-9]),(?=[0-9]{{3}}(?![0-9])){_CHARACTERS})*")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")
_NUMERIC: Final = frozenset("0123456789+-")
_EDGE_CHARACTERS: Final = ".:!?-_#$€£%…"

Marks = dict[int, int]
"""Fingerprint (56 bits) → origins (3 bits), place of the first source (5 bits)."""


def extract_tokens(text: str) -> Iterable[str]:
    """Lower-case tokens of a text; numbers lose thousands separators and trailing zeros."""
    folded = text[:MAX_TEXT].casefold()
    if len(folded) > _SHORT_TEXT_LENGTH:
        return _extract_tokens_lazily(folded)
    tokens = []
    for raw in _TOKEN.findall(folded):
        token = raw.strip(_EDGE_CHARACTERS)[:_MAX_TOKEN]
        if token:
            is_odd_number = token[0] in _NUMERIC and not (token.isascii() and token.isdigit())
            tokens.append(_normalize_number(token) if is_odd_number else token)
    return tokens


def _extract_tokens_lazily(folded: str) -> Iterator[str]:
    # One by one: whoever wants only the first words of a long text does not pay for all.
    for match in _TOKEN.finditer(folded):
        token = match.group().strip(_EDGE_CHARACTERS)[:_MAX_TOKEN]
        if token:
            yield _normalize_number(token) if token[0] in _NUMERIC else token


def _normalize_number(token: str) -> str:
    if token.isascii() and token.isdigit():
        return token
    match = _NUMBER.fullmatch(token)
    if match is None:
        return token
    digits = token.replace(",", "").lstrip("+")
    return digits.rstrip("0").rstrip(".") if match.group(1) else digits


def fingerprint_tokens(key: bytes, words: Iterable[str]) -> set[int]:
    """Keyed 56-bit fingerprints: without the key nobody can test a guess against a stored sketch."""
    cache = _fingerprint_cache(key)
    return {
        _fingerprint_token(key, word, cache) if (fingerprint := cache.get(word)) is None else fingerprint
        for word in words
    }


def _fingerprint_token(key: bytes, word: str, cache: dict[str, int]) -> int:
    keyed = start_keyed_hash(key, _FINGERPRINT_BYTES).copy()
    keyed.update(word.encode("utf-8", "replace"))
    fingerprint = int.from_bytes(keyed.digest())
    # Words of the language come again and again. Names, numbers and whatever could be a secret are not kept in memory.
    if len(word) <= _MAX_CACHED_WORD_LENGTH and word.isalpha() and word.isascii():
        if len(cache) >= _CACHE_SIZE:
            cache.clear()
        cache[word] = fingerprint
    return fingerprint


@lru_cache(maxsize=16)
def _fingerprint_cache(_key: bytes) -> dict[str, int]:
    """Fingerprints of plain words under a key."""
    return {}


class Sketch:
    """Marks of one session, in memory; `pack_marks` and `unpack_marks` carry additions to and from the store."""

    __slots__ = ("_key", "last_request", "marks", "saturated")

    def __init__(self, key: bytes) -> None:
        self.last_request: frozenset[int] | None = None
        """Fingerprints of the user's words that were added last; marks lose nothing, so it still has them."""
        self._key = key[:64]
        self.marks: Marks = {}
        self.saturated = False

    @property
    def key(self) -> bytes:
        """Key of its fingerprints."""
        return self._key

    def compute_additions(
        self, fingerprints: Iterable[int], origin: Provenance, *, vouched: bool = False, place: int = 0
    ) -> Marks:
        """Marks that the fingerprints of a text would add or change, without adding them.

        Args:
            fingerprints: of the text.
            origin: `user`, `system` or `untrusted`.
            vouched: the host itself says these are the user's words (`halo.session(request=...)`).
            place: of the source, 0..`SOURCES`.
        """
        bit, first = ORIGIN_BITS[origin], ORIGIN_BITS[origin] | place << SOURCE_SHIFT
        foreign = ORIGIN_BITS[Provenance.UNTRUSTED]
        added: Marks = {}
        find_mark, room = self.marks.get, MAX_MARKS - len(self.marks)
        for fingerprint in fingerprints:
            mark = find_mark(fingerprint)
            if mark is None:
                if len(added) >= room:
                    self.saturated = True
                    break
                added[fingerprint] = first
            elif not mark & bit and (vouched or bit == foreign or mark & _ORIGIN_MASK != foreign):
                # INVARIANT: what only an untrusted source has said is not made ours by an echo: a receipt that
                # repeats it, a prompt it was pasted into. Only the host can vouch for it.
                added[fingerprint] = mark | bit
        return added

    def merge(self, added: Marks) -> None:
        """Add marks; a mark never loses an origin."""
        for fingerprint, bits in added.items():
            self.marks[fingerprint] = self.marks.get(fingerprint, 0) | bits
        self.saturated = self.saturated or len(self.marks) >= MAX_MARKS

    def look_up_marks(self, words: Iterable[str]) -> list[int]:
        """Mark of each word, 0 where it was never seen (4, untrusted, where the sketch is saturated)."""
        unknown = ORIGIN_BITS[Provenance.UNTRUSTED] if self.saturated else 0
        cache, key, find_mark = _fingerprint_cache(self._key), self._key, self.marks.get
        marks = []
        for word in words:
            fingerprint = cache.get(word)
            marks.append(
                find_mark(_fingerprint_token(key, word, cache) if fingerprint is None else fingerprint, unknown)
            )
        return marks


def pack_marks(marks: Marks) -> bytes:
    """Eight bytes a mark: fingerprint, origins and place, sorted."""
    numbers = sorted([fingerprint << 8 | bits for fingerprint, bits in marks.items()])
    return struct.pack(f">{len(numbers)}Q", *numbers)


def unpack_marks(data: bytes) -> Marks:
    """Inverse of `pack_marks`."""
    if len(data) % MARK_BYTES:
        raise ValueError(f"{len(data)} bytes are no whole number of marks")
    return {number >> 8: number & 0xFF for number in struct.unpack(f">{len(data) // MARK_BYTES}Q", data)}


MAX_TAINTED_FINGERPRINTS: Final = 500_000
"""Fingerprints that a tenant's store keeps; past it every result counts as untrusted."""
MAX_FINGERPRINTS_PER_VALUE: Final = 64
"""Fingerprints of each kind that are kept of one value; of a longer one the smallest, so that any part has some."""
_RUN_LENGTH: Final = 5  # words
_MAX_WORDS: Final = 60_000
_DATE_OR_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d\S*|\d{1,2}[:.]\d\d\S*|\d{1,2}/\d{1,2}/\d{2,4}")
_DISTINCTIVE_WORD: Final = re.compile(r"[^@\s]+@[^@\s]+|\w+://\S+|(?=\S*\d)(?=\S*[a-z])\S{8,}|\d{9,}")


def fingerprint_stored_values(key: bytes, values: Iterable[str]) -> frozenset[int]:
    """Fingerprints of stored values, 56 bits each: at most 2 x `MAX_FINGERPRINTS_PER_VALUE` a value."""
    fingerprints: set[int] = set()
    for value in values:
        words = _extract_words(value)
        fingerprints.update(
            nsmallest(MAX_FINGERPRINTS_PER_VALUE, _fingerprint_runs(key, words)),
            nsmallest(MAX_FINGERPRINTS_PER_VALUE, _fingerprint_names(key, words)),
        )
    return frozenset(fingerprints)


def iter_text_fingerprints(key: bytes, text: str) -> Iterator[int]:
    """Every fingerprint that `fingerprint_stored_values` could have kept of a part of this text."""
    words = _extract_words(text)
    yield from _fingerprint_names(key, words)
    yield from _fingerprint_runs(key, words)


def _extract_words(text: str) -> list[str]:
    return list(islice(extract_tokens(text), _MAX_WORDS))


def _fingerprint_runs(key: bytes, words: list[str]) -> Iterator[int]:
    for i in range(len(words) - _RUN_LENGTH + 1):
        yield _fingerprint_part(key, "run", " ".join(words[i : i + _RUN_LENGTH]))


def _fingerprint_names(key: bytes, words: Iterable[str]) -> Iterator[int]:
    return (_fingerprint_part(key, "name", word) for word in dict.fromkeys(words) if is_distinctive(word))


def is_distinctive(word: str) -> bool:
    """Whether a word (lower case) names one thing: an address, a link, an account; not a date or a time."""
    return _DISTINCTIVE_WORD.fullmatch(word) is not None and _DATE_OR_TIME.fullmatch(word) is None


def _fingerprint_part(key: bytes, kind: str, text: str) -> int:
    data = f"{kind}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=7, key=key[:64]).digest())
