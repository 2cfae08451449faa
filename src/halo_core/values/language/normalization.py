"""Normalization of texts in bounded time and memory, and the skeleton of a text (how it looks).

Unicode normalization can make a text 18 times as long (U+FDFA). `normalize_bounded` therefore limits its output, not
only its input.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from halo_core.values.language.patterns import compile_later

_SLICE: Final = 2048  # characters that are normalized at once
_MAX_EXPANSION: Final = 18  # characters that one becomes under NFKC, at most (Unicode Standard Annex 15, section 11)

INVISIBLE: Final = compile_later(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164"
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\U000e0000-\\U000e0fff]"
)
"""Characters that are not seen: soft hyphen, zero width, marks of direction, variation selectors, tags, fillers."""

# Letters of other scripts that look Latin (Unicode Technical Standard 39, confusables, the common part).
LATIN_LOOKALIKES: Final = str.maketrans(
    "аеорсухіјѕһԁԛԝɡαορνιτκυχϲАВЕКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwgaopvitkuxcabekmhopctxabezhikmnoptyx",
)
_SIMILAR_SIGNS: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "ı": "l"})
_SIMILAR_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_ASCII_RUN: Final = compile_later(r"[\x00-\x7f]")


def normalize_bounded(text: str, most: int) -> str:
    """Normalize a text to form KC, at most `most` characters of it, in time that depends only on these."""
    if text.isascii():
        return text[:most]
    if len(text) * _MAX_EXPANSION <= most:
        return unicodedata.normalize("NFKC", text)
    parts: list[str] = []
    size = start = 0
    while start < len(text) and size < most:
        end = start + _SLICE
        # A slice ends before an ASCII character, which never combines with what stands before it.
        match = _ASCII_RUN.search(text, end, end + 64)
        end = match.start() if match is not None else end
        part = unicodedata.normalize("NFKC", text[start:end])
        parts.append(part)
        size += len(part)
        start = end
    return "".join(parts)[:most]


def has_invisible(text: str) -> bool:
    """Whether a text has an invisible character, or a control character other than white space."""
    if not text.isprintable() and any(
        not char.isspace() and unicodedata.category(char)[0] == "C" for char in set(text)
    ):
        return True
    return not text.isascii() and INVISIBLE.search(text) is not None


def make_skeleton(text: str) -> str:
    """Reduce a short text to its look, without case, width, hidden characters, accents and look-alike letters.

    Equal skeletons never show that two values are the same. They show that one can be mistaken for the other.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", normalize_bounded(text, 1024))
        text = "".join(char for char in text if not unicodedata.combining(char))
        text = INVISIBLE.sub("", text).translate(LATIN_LOOKALIKES)
    text = text.casefold()
    for pair, single in _SIMILAR_PAIRS:
        text = text.replace(pair, single)
    return text.translate(_SIMILAR_SIGNS)


def compact(text: str) -> str:
    """Return the letters and digits of a text, without case."""
    return "".join(filter(str.isalnum, text.casefold()))
