"""Targets that a model has made of the user's words: `dark_mode` of "dark mode", `floor-5` of "the 5th floor".

    list_likes("toner-black_5")   # [["toner"], ["black"], ["5", "5th", ...]]

Where nothing untrusted was seen, nobody but the user can have chosen such a name. So it is the user's if each of its
words is, in any order and with another ending. That is said of things, groups and channels: who somebody is, an address
or an account is nobody's guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from halo_core.values.argument_names import names_somebody, split_argument_name
from halo_core.values.dates import is_date
from halo_core.values.inflections import list_inflected
from halo_core.values.lexicon import AUDIENCE_WORDS, LEVEL_NAMES, STOP_WORDS

_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+(?:\.[0-9]+)*")
_NAME: Final = re.compile(r"[#]?[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_MAX_PARTS: Final = 6
_MIN_BEGINNING: Final = 4  # letters of a word of the user that a word begins with: `editor` of "edit"
_PLACES: Final = frozenset("channel group team list audience room board queue".split())
"""Words of arguments that say where many read or belong, and never who somebody is."""
_PERSONS: Final = frozenset("name user username person member id email address phone number account".split())
_WHEN: Final = frozenset(
    "day date when start starts begin begins end ends until till due deadline time night week month period arrival "
    "arrives departure departs check".split()
)
_LANGUAGE: Final = frozenset("locale lang language languages locales".split())
_LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}(?:[-_](?:[A-Z]{2}|[A-Z][a-z]{3}))?")
_ENDINGS: Final = ("st", "nd", "rd", "th", ".", "x", "h", "m", "pm", "am", "%")


def may_be_reworded(argument: str) -> bool:
    """Whether a target under this name is a thing, a place of many or a sort, and nobody in particular.

    Args:
        argument: its name.
    """
    words = frozenset(split_argument_name(argument))
    if not LEVEL_NAMES.isdisjoint(words):
        return False
    return not names_somebody(argument) or (not words.isdisjoint(_PLACES) and words.isdisjoint(_PERSONS))


def says_when_or_how(argument: str, text: str) -> bool:
    """Whether a target is a day or the tag of a language, such as `de-DE`, under a name that says so.

    Args:
        argument: its name.
        text: the target.
    """
    words = frozenset(split_argument_name(argument))
    if not words.isdisjoint(_WHEN) and words.isdisjoint(_PERSONS):
        return is_date(text)
    return not words.isdisjoint(_LANGUAGE) and _LANGUAGE_TAG.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def list_likes(text: str) -> tuple[tuple[str, ...], ...]:
    """For each word of a name, the words in small letters of which the user may have made it; none of another text."""
    if _NAME.fullmatch(text) is None:
        return ()
    parts = [part.lower() for part in _PART.findall(text)]
    if not 0 < len(parts) <= _MAX_PARTS or all(map(_says_little, parts)):
        return ()
    return tuple(_list_likes_of_word(part) for part in parts)


def _says_little(word: str) -> bool:
    return word in STOP_WORDS or word in AUDIENCE_WORDS or word.isdigit()


def _list_likes_of_word(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        return (word, *(word + ending for ending in _ENDINGS), f"v{word}")
    least = max(_MIN_BEGINNING, (len(word) + 1) // 2)
    return (word, *list_inflected(word), *(word[:end] for end in range(least, len(word))))


def are_written(likes: Collection[Collection[str]], written: Collection[str]) -> bool:
    """Whether the user wrote one of the words in each place."""
    return bool(likes) and all(any(word in written for word in place) for place in likes)
