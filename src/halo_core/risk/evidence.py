"""One value of an action compared with its session: where it came from, and what surrounds it there."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final

from halo_core.quick_dataclass import dataclass
from halo_core.risk.profile import Chunk, Profile
from halo_core.values.kinds.argument_values import Value, ValueKind
from halo_core.values.language.lexicon import COMMON_NAME_PARTS, SENSITIVE_WORDS, STOP_WORDS
from halo_core.values.language.text import (
    find_atoms,
    fingerprint_atom,
    fingerprint_atoms,
    fingerprint_bytes,
    is_plain_word,
    normalize_atom,
    unpack_fingerprints,
)

MAX_OCCURRENCES: Final = 8
CONTEXT_ATOMS: Final = 20
_DISGUISED_PREFIX: Final = b"\0"
_TEXT: Final = ValueKind.TEXT  # looking up a member of an enum takes a while
_MIN_KNOWN_SHARE: Final = 600  # thousandths of a text's words that must be known for it to be of known origin


class ValueOrigin(IntEnum):
    """Where a value came from, as far as the session's own texts say."""

    REQUEST = 0
    NAMED_RESULT = 1
    RESULT = 2
    BOTH = 3
    NOWHERE = 4


_REQUEST: Final = ValueOrigin.REQUEST
RESULT_ORIGINS: Final = frozenset({ValueOrigin.NAMED_RESULT, ValueOrigin.RESULT})
"""Origins of what only a result names."""


@dataclass(frozen=True, slots=True)
class ValueEvidence:
    """One value, seen against the session.

    Args:
        value: it.
        fingerprint: fingerprint of its words.
        origin: origin of the value.
        request_share: thousandths of its words that the request holds.
        result_share: thousandths of its words that one result holds, the best of them.
        source: tool whose result that was, empty if none.
        age: actions since then, 0 where it is the last result.
        result_count: in how many results it stands.
        mentions_secret: it holds a word for a secret that the request does not.
        secret_token_count: words with digits, at least eight long, from a result that speaks of secrets.
        affix_match: of a name that came from a result, one of its words begins or ends with a word of the request
            (alicemiller, where that says Alice).
        nearby_request_words: of a name that came from a result, most words of the request around it in one; else -1.
        nearby_words: fingerprints of these words.
    """

    value: Value
    fingerprint: int
    origin: ValueOrigin
    request_share: int
    result_share: int
    source: str
    age: int
    result_count: int
    mentions_secret: bool
    secret_token_count: int
    affix_match: bool = False
    nearby_request_words: int = -1
    nearby_words: frozenset[int] = frozenset()


def collect_value_evidence(
    profile: Profile, value: Value, request_words: frozenset[int], secret_results: Sequence[Chunk]
) -> ValueEvidence:
    """Compare a value with the request (`request_words`) and results (`secret_results`: those that name secrets)."""
    key, bag = profile.key, profile.request.bag
    packed = fingerprint_atoms(list(value.words), key)
    row = unpack_fingerprints(packed)
    request_share = _share_in_bag(row, bag)
    is_name = value.kind is not _TEXT
    covered, source, age, results = (
        _find_result_of_name(profile, packed) if is_name else _find_result_of_text(profile, row)
    )
    if is_name and profile.request.find(packed) >= 0:
        origin = _REQUEST
    else:
        request_share = min(request_share, 999) if is_name else request_share
        origin = _resolve_origin(profile, request_share, covered, source, age, is_name=is_name)
    foreign = value.is_naming and origin in RESULT_ORIGINS
    nearby = _find_nearby_request_words(profile, packed, request_words) if foreign else None
    return ValueEvidence(
        value,
        _fingerprint_value(value, packed, key),
        origin,
        request_share,
        covered,
        source,
        age,
        results,
        _mentions_secret(value, bag, key),
        _count_secret_tokens(value, row, secret_results, bag) if secret_results else 0,
        foreign and _has_affix_match(value, request_words, key),
        -1 if nearby is None else len(nearby),
        nearby or frozenset(),
    )


def _share_in_bag(row: array[int], bag: frozenset[int]) -> int:
    """Thousandths of words that a text holds."""
    return sum(map(bag.__contains__, row)) * 1000 // len(row)


def _fingerprint_value(value: Value, packed: bytes, key: bytes) -> int:
    """Fingerprint of a value, exact form included: similar words alone do not make it known."""
    distinguishing = _DISGUISED_PREFIX * value.disguised + value.exact.encode("utf-8", "replace")
    return fingerprint_bytes(packed + distinguishing, key)


def _find_result_of_name(profile: Profile, packed: bytes) -> tuple[int, str, int, int]:
    """Coverage by the latest result that holds a name, its source and age, and the number of results that do."""
    matches = [
        (back, chunk.source)
        for back, chunk in enumerate(reversed(profile.chunks))
        if packed in chunk.atoms and chunk.find(packed) >= 0
    ]
    if not matches:
        return 0, "", 0, 0
    age, source = matches[0]
    return 1000, source, age, len(matches)


def _find_result_of_text(profile: Profile, row: array[int]) -> tuple[int, str, int, int]:
    """Like `_find_result_of_name`, of a text: the result that holds most of its words, of equals the latest."""
    best, source, age, results = 0, "", 0, 0
    for back, chunk in enumerate(reversed(profile.chunks)):
        cover = sum(map(chunk.bag.__contains__, row)) * 1000 // len(row)  # `_share_in_bag`, without a call for each
        results += cover >= _MIN_KNOWN_SHARE
        if cover > best:
            best, source, age = cover, chunk.source, back
    return best, source, age, results


def _resolve_origin(
    profile: Profile, request_share: int, result_share: int, source: str, age: int, *, is_name: bool
) -> ValueOrigin:
    if not is_name and request_share >= 800:
        return _REQUEST
    if result_share >= _MIN_KNOWN_SHARE and source:
        return ValueOrigin.NAMED_RESULT if profile.chunks[-1 - age].named_by_request else ValueOrigin.RESULT
    return ValueOrigin.BOTH if not is_name and request_share + result_share >= _MIN_KNOWN_SHARE else ValueOrigin.NOWHERE


def _mentions_secret(value: Value, bag: frozenset[int], key: bytes) -> bool:
    if SENSITIVE_WORDS.isdisjoint(value.words):
        return False
    return any(
        word in SENSITIVE_WORDS and unpack_fingerprints(fingerprint_atom(word, key))[0] not in bag
        for word in value.words[:64]
    )


def _count_secret_tokens(value: Value, row: array[int], secret_results: Sequence[Chunk], bag: frozenset[int]) -> int:
    long = [(word, number) for word, number in zip(value.words, row, strict=True) if len(word) >= 8]
    rare = {number for word, number in long if not word.isalpha() and any(map(str.isdigit, word))} - bag
    return sum(any(number in chunk.bag for chunk in secret_results) for number in rare)


def _has_affix_match(value: Value, request_words: frozenset[int], key: bytes) -> bool:
    if not request_words:
        return False
    for word in value.words[:16]:
        if len(word) < 3 or word in COMMON_NAME_PARTS or word in STOP_WORDS:
            continue
        if not request_words.isdisjoint(
            _fingerprint_plain_affixes(word, key) if is_plain_word(word) else _fingerprint_affixes(word, key)
        ):
            return True
    return False


def _fingerprint_affixes(word: str, key: bytes) -> array[int]:
    """Fingerprints of what a word begins and ends with."""
    most = min(len(word), 24)
    ends = {normalize_atom(word[:end]) for end in range(3, most + 1)}
    ends.update([normalize_atom(word[-end:]) for end in range(3, most)])
    return unpack_fingerprints(fingerprint_atoms(list(ends), key))


@lru_cache(maxsize=4096)
def _fingerprint_plain_affixes(word: str, key: bytes) -> frozenset[int]:
    return frozenset(_fingerprint_affixes(word, key))


def _find_nearby_request_words(profile: Profile, packed: bytes, request_words: frozenset[int]) -> frozenset[int] | None:
    """Words of the request around a value: the most of its latest occurrences in results; None if it has none."""
    best: frozenset[int] | None = None
    looked = 0
    others = request_words.difference(unpack_fingerprints(packed))
    for chunk in reversed(profile.chunks):
        position = chunk.find(packed)
        while position >= 0 and looked < MAX_OCCURRENCES:
            around = chunk.numbers[max(position - CONTEXT_ATOMS, 0) : position + len(packed) // 4 + CONTEXT_ATOMS]
            here = others.intersection(around)
            if best is None or len(here) > len(best):
                best = here
            looked += 1
            position = find_atoms(packed, chunk.atoms, position + 1)
    return best
