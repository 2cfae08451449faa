"""Room: residue, what is left of a text that an agent stored. Takes: texts. Gives: prints to know it by. Never: I/O.

A value that came from nobody trusted, written to a memory, a file or a mailbox, comes back from there as the system's
own. It is known again by keyed prints of runs of five words and of single words that say something by themselves (an
address, an account, a link). A paraphrase is not known again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from typing import Final

from halo_core.behaviour.sketch import tokens

__all__ = ["MAX_KEPT", "MOST_OF_ONE", "distinctive", "residue", "traces"]

MAX_KEPT: Final = 500_000
"""Prints that a tenant's store keeps; past it whatever comes back counts as untrusted."""
MOST_OF_ONE: Final = 64
"""Prints of each kind that are kept of one value; of a longer one the smallest, so that any part of it has some."""
_RUN: Final = 5  # words
_MOST_WORDS: Final = 60_000
_WHEN: Final = re.compile(r"\d{4}-\d\d-\d\d\S*|\d{1,2}[:.]\d\d\S*|\d{1,2}/\d{1,2}/\d{2,4}")
_NAMES: Final = re.compile(r"[^@\s]+@[^@\s]+|\w+://\S+|(?=\S*\d)(?=\S*[a-z])\S{8,}|\d{9,}")


def residue(key: bytes, values: Iterable[str]) -> frozenset[int]:
    """What is left of values that are stored: at most 2 x `MOST_OF_ONE` prints of 56 bits for each."""
    found: set[int] = set()
    for value in values:
        words = _words(value)
        found.update(nsmallest(MOST_OF_ONE, _runs(key, words)), nsmallest(MOST_OF_ONE, _names(key, words)))
    return frozenset(found)


def traces(key: bytes, text: str) -> Iterator[int]:
    """Every print by which `residue` could know a part of this text."""
    words = _words(text)
    yield from _names(key, words)
    yield from _runs(key, words)


def _words(text: str) -> list[str]:
    return list(islice(tokens(text), _MOST_WORDS))


def _runs(key: bytes, words: list[str]) -> Iterator[int]:
    for i in range(len(words) - _RUN + 1):
        yield _print(key, "run", " ".join(words[i : i + _RUN]))


def _names(key: bytes, words: Iterable[str]) -> Iterator[int]:
    return (_print(key, "name", word) for word in dict.fromkeys(words) if distinctive(word))


def distinctive(word: str) -> bool:
    """Whether a word (lower case) names one thing: an address, a link, an account; not a date or a time."""
    return _NAMES.fullmatch(word) is not None and _WHEN.fullmatch(word) is None


def _print(key: bytes, kind: str, text: str) -> int:
    data = f"{kind}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=7, key=key[:64]).digest())
