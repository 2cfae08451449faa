"""Mistyped values: a word one letter away from the user's, an id written as its number, or with a slip of one digit."""

from __future__ import annotations

from typing import Final

from halo_core.values.kinds.kinds import Form
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.user_texts import generate_typos
from halo_core.values.sketches.sketch import Sketch, extract_tokens, has_user_mark

_MAX_READ: Final = 64  # characters
_MIN_TYPO: Final = 4  # characters of a mistyped word
_MAX_TYPO: Final = 16
_DIGITS: Final = compile_later(r"\d")
_DIGIT_TOO_MANY: Final = compile_later(r".*\d{6}")
"""An id of five digits or more, with another one behind them."""
_MIN_SWAPPED: Final = 5  # digits of an id in which two may be swapped


def is_typo(sketch: Sketch, text: str) -> bool:
    """Whether a text that stands nowhere is a mistyped word of the user, or was meant by one.

    An agent that types `O-4519038` for the user's `O-451903` names no other record: numbers of a kind have one length.
    Two neighbouring digits may be swapped too, as in `O-451930`: nobody but the user chooses the number.
    """
    words = list(extract_tokens(text[:_MAX_READ]))
    if len(words) != 1:
        return False  # what stands beside the number may lead elsewhere
    if has_user_mark(sketch.look_up_forms([Form("id_number", words[0])])):
        return True
    if not _MIN_TYPO <= len(words[0]) <= _MAX_TYPO:
        return False
    slips = [words[0][:-1]] if _DIGIT_TOO_MANY.fullmatch(words[0]) is not None else []
    slips += _swap_digits(words[0])
    if slips and has_user_mark(sketch.look_up_marks(slips)):
        return True
    # Another digit is another record, which nobody mistypes for the user.
    digits = _DIGITS.findall(words[0])
    return has_user_mark(
        sketch.look_up_marks([word for word in generate_typos(words[0]) if _DIGITS.findall(word) == digits])
    )


def _swap_digits(word: str) -> list[str]:
    """List the words that differ from a word with a long number by a swap of two neighbouring digits."""
    if len(_DIGITS.findall(word)) < _MIN_SWAPPED:
        return []
    return [
        f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"
        for at in range(len(word) - 1)
        if word[at : at + 2].isdecimal() and word[at] != word[at + 1]
    ]
