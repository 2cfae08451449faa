"""Whether a result says no more than that an act was done, such as `Message sent to Ana`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from halo_core.model import ActionKind, Impact, Resource
from halo_core.values.language.lexicon import POLICY_ASKING_WORDS
from halo_core.values.language.text import split_name
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.sketches.sketch import extract_tokens

_MAX_LENGTH: Final = 512  # characters
_MAX_WORDS: Final = 48
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
_NO_ACTS: Final = frozenset((Impact.READ, Impact.EXECUTE, Impact.UNKNOWN))


def is_receipt_of(resource: Resource, text: str, leaves: Iterable[Leaf]) -> bool:
    """Whether the result of a declared act only confirms that it was done."""
    return (
        resource.classified == "declared"
        and resource.kind is ActionKind.TOOL_CALL
        and resource.impact not in _NO_ACTS
        and is_receipt(text, {word for leaf in leaves for word in leaf.words})
    )


def is_receipt(text: str, argument_words: Collection[str]) -> bool:
    """Whether a result has only words of a receipt and of the call's arguments.

    INVARIANT: nothing can be asked for with these words, in whatever order: a repeated argument counts only if none
    of its words asks for an act. Nor can the result contain a number, a name or a code that nobody has seen before.

    Args:
        text: all of the result.
        argument_words: tokens of the arguments.
    """
    if len(text) > _MAX_LENGTH:
        return False
    words = list(islice(extract_tokens(text), _MAX_WORDS + 1))
    return len(words) <= _MAX_WORDS and all(
        word in _RECEIPT_WORDS or (word in argument_words and POLICY_ASKING_WORDS.isdisjoint(split_name(word)))
        for word in words
    )
