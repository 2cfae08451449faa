"""Room: one value of an action, seen against its session. Takes: a profile and a value. Gives: a sight. Never: I/O."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from halo_core.behaviour.lexicon import COMMON, SENSITIVE, STOP
from halo_core.behaviour.profile import Profile
from halo_core.behaviour.seen import Chunk
from halo_core.behaviour.text import find, is_plain, keyed, normal, print_of, prints
from halo_core.behaviour.values import Kind, Value

__all__ = ["RESULTS", "Came", "Sight", "digest", "mark", "numbers", "place", "sight"]

MAX_PLACES: Final = 8
AROUND: Final = 20
_DISGUISED: Final = b"\0"
_TEXT: Final = Kind.TEXT  # looking up a member of an enum takes a while
_MIXED: Final = 600  # thousandths of a text's words that must be known for it to be of known origin


class Came(IntEnum):
    """Where a value came from, as far as the session's own texts say."""

    REQUEST = 0
    NAMED_RESULT = 1
    RESULT = 2
    BOTH = 3
    NOWHERE = 4


_REQUEST: Final = Came.REQUEST
RESULTS: Final = frozenset({Came.NAMED_RESULT, Came.RESULT})
"""Origins of what only a result names."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One value, seen against the session.

    Args:
        value: it.
        print: fingerprint of its words.
        came: where from.
        asked: thousandths of its words that the request holds.
        covered: thousandths of its words that one result holds, the best of them.
        source: tool whose result that was, empty if none.
        age: actions since then, 0 where it is the last result.
        results: in how many results it stands.
        keen: it holds a word for a secret that the request does not.
        leaks: words with digits, at least eight long, from a result that speaks of secrets.
        kin: of a name that came from a result, one of its words begins or ends with a word of the request: alicemiller,
            where that says Alice.
        near: of a name that came from a result, most words of the request that stand around it in one; else -1.
    """

    value: Value
    print: int
    came: Came
    asked: int
    covered: int
    source: str
    age: int
    results: int
    keen: bool
    leaks: int
    kin: bool = False
    near: int = -1


def mark(*parts: str, key: bytes) -> int:
    """Keyed 48-bit fingerprint of some names together."""
    return digest("\x1f".join(parts).encode("utf-8", "replace"), key)


def digest(data: bytes, key: bytes) -> int:
    """Keyed 48-bit fingerprint."""
    return int.from_bytes(keyed(data, key, 6))


@lru_cache(maxsize=32_768)
def place(*parts: str, key: bytes) -> int:
    """As `mark`, remembered: for names of tools, arguments and kinds, and never for values."""
    return mark(*parts, key=key)


def numbers(packed: bytes) -> array[int]:
    """Fingerprints, packed one behind the other, as numbers."""
    row = array("I")
    row.frombytes(packed)
    return row


def sight(profile: Profile, value: Value, asks: frozenset[int], keen: Sequence[Chunk]) -> Sight:
    """A value against the request (`asks`: its words that say something) and the results (`keen`: those of secrets)."""
    key, bag = profile.key, profile.request.bag
    packed = prints(list(value.words), key)
    row = numbers(packed)
    asked = _held(row, bag)
    whole = value.kind is not _TEXT
    covered, source, age, results = _best(profile, packed) if whole else _best_of_text(profile, row)
    if whole and profile.request.find(packed) >= 0:
        came = _REQUEST
    else:
        asked = min(asked, 999) if whole else asked
        came = _came(profile, asked, covered, source, age, whole=whole)
    foreign = value.naming and came in RESULTS
    return Sight(
        value,
        _print(value, packed, key),
        came,
        asked,
        covered,
        source,
        age,
        results,
        _keen(value, bag, key),
        _leaks(value, row, keen, bag) if keen else 0,
        foreign and _kin(value, asks, key),
        _near(profile, packed, asks) if foreign else -1,
    )


def _held(row: array[int], bag: frozenset[int]) -> int:
    """Thousandths of words that a text holds."""
    return sum(map(bag.__contains__, row)) * 1000 // len(row)


def _print(value: Value, packed: bytes, key: bytes) -> int:
    """Fingerprint of a value: it came from where its words came from, and is known only as what it is."""
    own = _DISGUISED * value.disguised + value.exact.encode("utf-8", "replace")
    return digest(packed + own, key)


def _best(profile: Profile, packed: bytes) -> tuple[int, str, int, int]:
    """Coverage by the latest result that holds a name, its source and age, and the number of results that do."""
    found = [
        (back, chunk.source)
        for back, chunk in enumerate(reversed(profile.chunks))
        if packed in chunk.atoms and chunk.find(packed) >= 0
    ]
    if not found:
        return 0, "", 0, 0
    age, source = found[0]
    return 1000, source, age, len(found)


def _best_of_text(profile: Profile, row: array[int]) -> tuple[int, str, int, int]:
    """As `_best`, of a text: the result that holds most of its words, of equals the latest."""
    best, source, age, results = 0, "", 0, 0
    for back, chunk in enumerate(reversed(profile.chunks)):
        cover = _held(row, chunk.bag)
        results += cover >= _MIXED
        if cover > best:
            best, source, age = cover, chunk.source, back
    return best, source, age, results


def _came(profile: Profile, asked: int, covered: int, source: str, age: int, *, whole: bool) -> Came:
    if not whole and asked >= 800:
        return _REQUEST
    if covered >= _MIXED and source:
        return Came.NAMED_RESULT if profile.chunks[-1 - age].named else Came.RESULT
    return Came.BOTH if not whole and asked + covered >= _MIXED else Came.NOWHERE


def _keen(value: Value, bag: frozenset[int], key: bytes) -> bool:
    if SENSITIVE.isdisjoint(value.words):
        return False
    return any(word in SENSITIVE and numbers(print_of(word, key))[0] not in bag for word in value.words[:64])


def _leaks(value: Value, row: array[int], keen: Sequence[Chunk], bag: frozenset[int]) -> int:
    long = [(word, number) for word, number in zip(value.words, row, strict=True) if len(word) >= 8]
    rare = {number for word, number in long if not word.isalpha() and any(map(str.isdigit, word))} - bag
    return sum(any(number in chunk.bag for chunk in keen) for number in rare)


def _kin(value: Value, asks: frozenset[int], key: bytes) -> bool:
    if not asks:
        return False
    for word in value.words[:16]:
        if len(word) < 3 or word in COMMON or word in STOP:
            continue
        if not asks.isdisjoint(_ends_of_plain(word, key) if is_plain(word) else _ends(word, key)):
            return True
    return False


def _ends(word: str, key: bytes) -> array[int]:
    """Fingerprints of what a word begins and ends with."""
    most = min(len(word), 24)
    ends = {normal(word[:end]) for end in range(3, most + 1)}
    ends.update([normal(word[-end:]) for end in range(3, most)])
    return numbers(prints(list(ends), key))


@lru_cache(maxsize=4096)
def _ends_of_plain(word: str, key: bytes) -> frozenset[int]:
    return frozenset(_ends(word, key))


def _near(profile: Profile, packed: bytes, asks: frozenset[int]) -> int:
    """Most words of the request that stand around a value, over its latest occurrences in results."""
    best, looked = -1, 0
    others = asks.difference(numbers(packed))
    for chunk in reversed(profile.chunks):
        at = chunk.find(packed)
        while at >= 0 and looked < MAX_PLACES:
            around = chunk.row[max(at - AROUND, 0) : at + len(packed) // 4 + AROUND]
            best, looked = max(best, len(others.intersection(around))), looked + 1
            at = find(packed, chunk.atoms, at + 1)
    return best
