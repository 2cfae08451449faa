"""Endings of the user's language on a word that an argument has without them.

    "plumbers" in list_inflected("plumber")
    "Petran" in list_inflected("Petra")       # Finnish: Petra's

For words that a lookup is called with, not for targets: `Anna` need not be the person whom `Anny` names.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_MIN_WORD: Final = 4  # letters of a common word
_MIN_NAME: Final = 3  # letters of a name
_PLURALS: Final = "s es n en e er ar or r".split()
_CASES: Final = (
    "s n in en an on un lle alle elle ille olle ulle lta alta elta ilta ltä iltä sta ista esta stä istä ssa issa ssä "
    "issä lla illa llä illä ta tä a ä ksi iksi owi em iem u ie y i ą om ami а у ом е ой ы и ю"
).split()
_CASES_BEHIND_A: Final = "y i ę ie ą o ze rze е у ы и ой".split()
"""Endings in place of a last `a`."""


@lru_cache(maxsize=1024)
def list_inflected(word: str) -> tuple[str, ...]:
    """List other forms of a word in which a user may have written it; none of a short word.

    Args:
        word: as an argument has it: a common word in small letters, or a name with a capital.
    """
    if not word.isalpha():
        return ()
    if word[0].isupper():
        return tuple(_list_cases(word)) if len(word) >= _MIN_NAME and word[1:].islower() else ()
    return tuple(_list_numbers(word)) if len(word) >= _MIN_WORD and word.islower() else ()


def _list_numbers(word: str) -> list[str]:
    """List the plural of a common word, and its singular."""
    found = [word + ending for ending in _PLURALS]
    if word.endswith("y"):
        found.append(word[:-1] + "ies")
    if word.endswith("ies"):
        found.append(word[:-3] + "y")
    if word.endswith("s") and not word.endswith("ss"):
        found += [word[:-1], *([word[:-2]] if word.endswith("es") else [])]
    return [other for other in found if len(other) >= _MIN_WORD]


def _list_cases(word: str) -> list[str]:
    """List the forms of a name in Finnish, Polish and Russian, and its Germanic genitive."""
    found = [word + ending for ending in _CASES]
    if word[-1] in "aа":
        found += [word[:-1] + ending for ending in _CASES_BEHIND_A]
    return found


_LONG_CASES: Final = tuple(sorted((ending for ending in _CASES if len(ending) > 1), key=len, reverse=True))
_SHORT_CASES: Final = tuple("n a u y i ą ę а у ы и".split())
_MIN_STEM: Final = 4


def list_uninflected(name: str) -> list[str]:
    """List names that a user may have written with an ending, such as `Jonasowi` and `Petran`; none of a short name."""
    found = [name.removesuffix(ending) for ending in (*_LONG_CASES, *_SHORT_CASES) if name.endswith(ending)]
    return [stem for stem in dict.fromkeys(found) if len(stem) >= _MIN_STEM and stem.isalpha()]
