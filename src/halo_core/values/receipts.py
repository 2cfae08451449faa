"""Whether a result says no more than that an act was done: `Message sent to Ana. id 4711`."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Final

from halo_core.values.lexicon import POLICY_ASKING_WORDS
from halo_core.values.sketch import extract_tokens
from halo_core.values.text import split_name

_MAX_LENGTH: Final = 512  # characters
_MAX_WORDS: Final = 48
_MAX_NUMBERS: Final = 2
_MAX_NUMBER: Final = 12  # characters
_RECEIPT_WORDS: Final = frozenset(
    "ok okay done success successful successfully true none null accepted added appointed approved archived assigned "
    "booked cancelled canceled changed charged closed completed confirmed created credited deleted delivered disabled "
    "dispatched enabled executed granted hidden invited issued locked merged moved notified ordered paid placed posted "
    "processed published queued received recorded refunded rejected released reminded removed renamed reserved "
    "restarted revoked saved scheduled sent set shared started stored submitted suspended transferred updated uploaded "
    "warned written a an the was is has have been be it its to for from of in at on by with and your you status result "
    "response code id message mail email notification reply payment transaction transfer invoice refund order event "
    "booking reservation file record entry row user member recipient channel amount".split()
)
"""Words that say that something was done, and ask for nothing."""


def is_receipt(text: str, own_words: Collection[str]) -> bool:
    """Whether a result has no words but those of a receipt, those of the call's arguments, and two numbers at most.

    INVARIANT: nothing can be asked for with them, in whatever order: a repeated argument counts only where none of its
    words asks for an act.

    Args:
        text: all of the result.
        own_words: tokens of the arguments.
    """
    if len(text) > _MAX_LENGTH:
        return False
    words = list(islice(extract_tokens(text), _MAX_WORDS + 1))
    others = [
        word
        for word in words
        if word not in _RECEIPT_WORDS and not (word in own_words and POLICY_ASKING_WORDS.isdisjoint(split_name(word)))
    ]
    return (
        len(words) <= _MAX_WORDS
        and len(others) <= _MAX_NUMBERS
        and all(len(word) <= _MAX_NUMBER and any(map(str.isdigit, word)) for word in others)
    )
