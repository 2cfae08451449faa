"""Which words of a text repeat what a model said, or wrote into a tool call, while it was exposed to untrusted content.

`fingerprint_model_words` makes keyed fingerprints of such words: of the whole text, of runs of neighbouring words, and
of single values, short ones too. `split_repeats` finds them again in another text, whoever sends it.

Words that the session knows from the user or the system are left out, and so are runs of common words: a user who
writes an ordinary phrase repeats nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from typing import Final

from halo_core.values.lexicon import STOP_WORDS, VERBS
from halo_core.values.sketch import extract_tokens, fingerprint_tokens, is_distinctive
from halo_core.values.text import generate_spellings, normalize_atom

REPEAT_BYTES: Final = 7
"""Bytes of a fingerprint."""
_MAX_RUNS: Final = 24  # fingerprints of runs of one text; of more the smallest
_MAX_VALUES: Final = 16  # of single words of one text
_MAX_WORDS: Final = 60_000
_SHORT_RUN: Final = 3  # words, of a short text
_LONG_RUN: Final = 5  # words
_SHORT_TEXT: Final = 24  # words
_SPELLED_TEXT: Final = 4096  # characters of a text whose other spellings are looked at
_MIN_DIGITS: Final = 4
_MASK: Final = (1 << 8 * REPEAT_BYTES) - 1


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text in two parts.

    Args:
        own: what repeats nothing.
        repeated: what a model wrote before.
    """

    own: str
    repeated: str


def fingerprint_model_words(
    key: bytes, text: str, is_foreign: Callable[[str], bool], *, is_argument: bool
) -> frozenset[int]:
    """Fingerprints of a text that a model wrote while it was exposed.

    Args:
        key: of the fingerprints.
        text: what it wrote.
        is_foreign: whether a word is not the user's or the system's own.
        is_argument: it is the value of a tool's argument, where a single plain word may be a name.
    """
    words = list(islice(extract_tokens(text), _MAX_WORDS))
    foreign = [not _is_common(word) and is_foreign(word) for word in words]
    if not any(foreign):
        return frozenset()
    numbers = _number_words(key, words)
    found = set[int]()
    if is_argument or len(words) >= _LONG_RUN:
        found.add(_fingerprint_whole(key, words))
    for length in (_SHORT_RUN, _LONG_RUN) if is_argument and len(words) <= _SHORT_TEXT else (_LONG_RUN,):
        runs = {
            run
            for i, run in _iterate_runs(numbers, length)
            if _is_distinct_run(words[i : i + length], foreign[i : i + length])
        }
        found.update(nsmallest(_MAX_RUNS, runs))
    values = {
        _fingerprint_value(key, word)
        for word, is_word_foreign in zip(words, foreign, strict=True)
        if is_word_foreign and (is_short_value(word) or (is_argument and len(words) == 1))
    }
    found.update(nsmallest(_MAX_VALUES, values))
    return frozenset(found)


def split_repeats(key: bytes, text: str, contains: Callable[[int], bool]) -> SplitText:
    """Split a text into its own words and those that repeat a model's.

    Args:
        key: of the fingerprints.
        text: to be split.
        contains: whether a fingerprint is known.
    """
    words = list(islice(extract_tokens(text), _MAX_WORDS))
    if not words:
        return SplitText(text, "")
    if contains(_fingerprint_whole(key, words)):
        return SplitText("", text)
    repeated = [contains(_fingerprint_value(key, word)) for word in words]
    numbers = _number_words(key, words)
    for length in (_SHORT_RUN, _LONG_RUN):
        for i, run in _iterate_runs(numbers, length):
            if contains(run):
                repeated[i : i + length] = [True] * len(repeated[i : i + length])
    hidden = _find_respelled(key, text, contains)
    if not any(repeated) and not hidden:
        return SplitText(text, "")
    own = [word for word, is_repeated in zip(words, repeated, strict=True) if not is_repeated]
    taken = [word for word, is_repeated in zip(words, repeated, strict=True) if is_repeated]
    if hidden:
        # What stands there in another spelling cannot be taken out of the words around it.
        return SplitText("", f"{text} {hidden}")
    return SplitText(" ".join(own), " ".join(taken))


def is_short_value(word: str) -> bool:
    """Whether a word (lower case) may name one thing: an address, a link, an account of a few digits."""
    return "@" in word or is_distinctive(word) or sum(map(str.isdigit, word)) >= _MIN_DIGITS


def _is_distinct_run(words: list[str], foreign: list[bool]) -> bool:
    """Whether a run says more than an amount among common words; digits in a row may spell a number."""
    is_small = [word.isdigit() and len(word) < _MIN_DIGITS for word in words]
    return all(is_small) or any(map(lambda own, small: own and not small, foreign, is_small))


def _find_respelled(key: bytes, text: str, contains: Callable[[int], bool]) -> str:
    """A value of a model's that stands in the text encoded, or written in groups; empty where there is none."""
    if len(text) > _SPELLED_TEXT:
        return ""
    for form in generate_spellings(text):
        for word in islice(extract_tokens(form), _MAX_WORDS):
            if is_short_value(word) and contains(_fingerprint_value(key, word)):
                return word
    return ""


def _is_common(word: str) -> bool:
    return (len(word) < 2 and not word.isdigit()) or normalize_atom(word) in STOP_WORDS or normalize_atom(word) in VERBS


def _number_words(key: bytes, words: Iterable[str]) -> list[int]:
    words = list(words)
    numbers = {word: next(iter(fingerprint_tokens(key, (word,)))) for word in set(words)}
    return [numbers[word] for word in words]


def _iterate_runs(numbers: list[int], length: int) -> Iterator[tuple[int, int]]:
    """Place and fingerprint of each run of so many words; the words' own fingerprints are keyed already."""
    for i in range(len(numbers) - length + 1):
        value = length
        for number in numbers[i : i + length]:
            value = (value * 0x9E3779B97F4A7C15 + number) & 0xFFFFFFFFFFFFFFFF
            value ^= value >> 29
        yield i, value & _MASK


def _fingerprint_value(key: bytes, word: str) -> int:
    return _digest(key, "value", word)


def _fingerprint_whole(key: bytes, words: list[str]) -> int:
    return _digest(key, "whole", " ".join(words))


def _digest(key: bytes, kind: str, text: str) -> int:
    data = f"said\0{kind}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=REPEAT_BYTES, key=key[:64]).digest())
