"""Targets that a model formed from the user's words: `dark_mode` for "dark mode", `floor-5` for "the 5th floor".

    list_word_variants("toner-black_5")   # (("toner",), ("black",), ("5", "5th", ...))

Before exposure, only the user can have chosen such a name. So the user vouches for it if each of its words is one of
the user's, in any order and with another ending. This holds for things, groups and channels, and never for a person,
an address or an account.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from halo_core.values.kinds.argument_names import names_somebody, split_argument_name
from halo_core.values.kinds.dates import is_date
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import AUDIENCE_WORDS, LEVEL_NAMES, STOP_WORDS
from halo_core.values.language.patterns import compile_later

_PART: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+(?:\.[0-9]+)*")
_NAME: Final = compile_later(r"[#]?[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_MAX_PARTS: Final = 6
_MIN_BEGINNING: Final = 4  # letters of a word of the user that a word begins with: `editor` of "edit"
_PLACES: Final = frozenset("channel group team list audience room board queue".split())
"""Words of arguments for what many people read or belong to, and not for a person."""
_PERSONS: Final = frozenset("name user username person member id email address phone number account".split())
_WHEN: Final = frozenset(
    "day date when start starts begin begins end ends until till due deadline time night week month period arrival "
    "arrives departure departs check".split()
)
_LANGUAGE: Final = frozenset("locale lang language languages locales".split())
_LANGUAGE_TAG: Final = compile_later(r"[a-z]{2,3}(?:[-_](?:[A-Z]{2}|[A-Z][a-z]{3}))?")
_ENDINGS: Final = ("st", "nd", "rd", "th", ".", "x", "h", "m", "pm", "am", "%")


def may_be_reworded(argument: str) -> bool:
    """Whether an argument holds a thing, a group or a sort, by its name, and no particular person.

    Args:
        argument: its name.
    """
    words = frozenset(split_argument_name(argument))
    if not LEVEL_NAMES.isdisjoint(words):
        return False
    return not names_somebody(argument) or (not words.isdisjoint(_PLACES) and words.isdisjoint(_PERSONS))


def says_when_or_how(argument: str, text: str) -> bool:
    """Whether a target is a day or the tag of a language, such as `de-DE`, and its argument is named so.

    Args:
        argument: its name.
        text: the target.
    """
    words = frozenset(split_argument_name(argument))
    if not words.isdisjoint(_WHEN) and words.isdisjoint(_PERSONS):
        return is_date(text)
    return not words.isdisjoint(_LANGUAGE) and _LANGUAGE_TAG.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def list_word_variants(text: str) -> tuple[tuple[str, ...], ...]:
    """List, for each word of a name, the words of the user from which it may be formed; none for other texts."""
    if _NAME.fullmatch(text) is None:
        return ()
    parts = [part.lower() for part in _PART.findall(text)]
    if not 0 < len(parts) <= _MAX_PARTS or all(map(_is_filler, parts)):
        return ()
    return tuple(_list_variants(part) for part in parts)


def _is_filler(word: str) -> bool:
    return word in STOP_WORDS or word in AUDIENCE_WORDS or word.isdigit()


def _list_variants(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        return (word, *(word + ending for ending in _ENDINGS), f"v{word}")
    least = max(_MIN_BEGINNING, (len(word) + 1) // 2)
    return (word, *list_inflected(word), *(word[:end] for end in range(least, len(word))))


def are_variants_written(variants: Collection[Collection[str]], written: Collection[str]) -> bool:
    """Whether the user wrote one of the variants of each word."""
    return bool(variants) and all(any(word in written for word in place) for place in variants)
