"""Stems of the words by which a user asks for an act, as people type them.

find_stems_of_word("cancelled")  # cancel: a consonant is doubled in front of an ending
find_stems_of_word("remvoe")     # remove: two letters have changed places, or one is missing
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from halo_core.values.language.lexicon import FURTHER_VERBS, POLICY_ASKING_WORDS, STOP_WORDS, VERBS
from halo_core.values.language.text import split_name

_MIN_EXCHANGED: Final = 5  # letters of a word in which two have changed places
_MIN_SHORTENED: Final = 6  # letters of a word in which one is missing
_MIN_DOUBLED: Final = 5  # letters of a stem that ends in two
_VOWELS: Final = "aeiou"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_VERBS: Final = frozenset(VERBS | FURTHER_VERBS)
_BEGINNINGS: Final = frozenset(verb[:3] for verb in _VERBS)
"""The first three letters of the verbs. The stem of a word of four letters or more keeps its first three."""


@lru_cache(maxsize=8192)
def find_stems_of_word(word: str) -> frozenset[str]:
    """Find the stems by which a word may ask for an act; for an unknown word, those of the word it is a typo of.

    Args:
        word: in small letters.
    """
    stems = frozenset(split_name(word))
    found = POLICY_ASKING_WORDS & stems
    if found or not word.isascii() or not word.isalpha() or word in STOP_WORDS:
        return found
    undoubled = frozenset(stem[:-1] for stem in stems if _is_doubled(stem))
    return POLICY_ASKING_WORDS & undoubled or _find_mistyped(word)


def _is_doubled(stem: str) -> bool:
    """Whether a stem ends in a doubled consonant, as that of `cancelled` does."""
    return len(stem) >= _MIN_DOUBLED and stem[-1] == stem[-2] and stem[-1] not in _VOWELS


def _find_mistyped(word: str) -> frozenset[str]:
    """Find the stems of verbs that a word is a typo of. The first letter is hardly ever wrong."""
    for other in _iterate_corrections(word):
        found = _VERBS.intersection(split_name(other)) if other[:3] in _BEGINNINGS else None
        if found:
            return found
    return frozenset()


def _iterate_corrections(word: str) -> Iterator[str]:
    if len(word) >= _MIN_EXCHANGED:
        for i in range(1, len(word) - 1):
            yield f"{word[:i]}{word[i + 1]}{word[i]}{word[i + 2 :]}"
    if len(word) >= _MIN_SHORTENED:
        # A letter behind the first three leaves the beginning as it is.
        for i in range(2, len(word) if word[:3] in _BEGINNINGS else 3):
            yield from (f"{word[:i]}{letter}{word[i:]}" for letter in _LETTERS)
