"""Common words, letters and short numbers that the user shows to be values by what he wrote beside them.

    list_naming_rows("checking", ("source",), is_sort=True)   # [["from", "checking", "to"]]
    list_naming_rows("2026-12-09T15:30", ("start",), ...)     # the day and the time with a blank between them
    list_naming_rows("B", ("grade",), is_sort=True)           # [["a", "B"], ["an", "B"]]

Any such word could stand in a request by chance, so that an untrusted source could choose it in other words. What
stands beside it is the user's alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.user_texts import NO_NAMES
from halo_core.values.sketches.sketch import Sketch
from halo_core.values.sketches.spans import fingerprint_tokens_in_order, tokenize

__all__ = ["list_naming_rows", "vouch_for_counted_things"]

_LETTER: Final = compile_later(r"[A-Z]")
_MOMENT: Final = compile_later(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(?::00)?")
_SHORT_NUMBER: Final = compile_later(r"[0-9]{3,4}")
_WORD: Final = compile_later(r"[a-z]{2,24}")
_WORDS: Final = compile_later(r"[a-z]{3,24}(?: [a-z]{3,24}){0,2}")
_COUNT: Final = compile_later(r"[1-9][0-9]{0,4}")
_STARTS: Final = frozenset("source from origin".split())
"""Words of arguments that hold where something comes from."""
_CARDS: Final = frozenset("card last".split())
"""Words of arguments that hold the last digits of a card."""
_COUNTED_NAMES: Final = frozenset("item items article component material part product ware goods supply".split())
"""Words of arguments that hold what is ordered."""


def list_naming_rows(text: str, nouns: Collection[str], *, is_sort: bool) -> list[list[str]]:
    """List the rows of tokens in which a text of the user shows a word to be this value.

    Args:
        text: the value.
        nouns: words of the argument's name.
        is_sort: by its name the argument holds neither a person nor an address.
    """
    moment = _MOMENT.fullmatch(text)
    if moment is not None:
        return [tokenize(f"{moment[1]}{between}{moment[2]}") for between in (" ", " at ", ", ")]
    if _LETTER.fullmatch(text) is not None:
        return [["a", text], ["an", text]] if is_sort else []
    if _SHORT_NUMBER.fullmatch(text) is not None:
        return [[word, "in", text] for word in ("ending", "ends")] if not _CARDS.isdisjoint(nouns) else []
    is_word = _WORD.fullmatch(text) is not None and text not in NO_NAMES and text not in STOP_WORDS
    return [["from", text, "to"]] if is_word and not _STARTS.isdisjoint(nouns) else []


def vouch_for_counted_things(
    traced: tuple[TracedLeaf, ...], leaves: Sequence[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Give a thing that is ordered the origin `user` if he wrote it behind the count of the call: "4 monitors".

    INVARIANT: VOUCH - only a thing that nobody else named, in an argument that is named after a product.

    Args:
        traced: the leaves of the call with their origins.
        leaves: the same leaves with their texts.
        sketch: what the session has seen.
    """
    things = {
        leaf.pointer
        for leaf in traced
        if leaf.is_target
        and leaf.origin is Provenance.NOVEL
        and not _COUNTED_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
    }
    if not things:
        return traced
    texts = {leaf.pointer: leaf.text.strip() for leaf in leaves}
    counts = [
        text
        for leaf in traced
        if leaf.origin is Provenance.USER and _COUNT.fullmatch(text := texts.get(leaf.pointer, "")) is not None
    ]
    return tuple(
        leaf._replace(origin=Provenance.USER, places=())
        if leaf.pointer in things and _is_counted(texts.get(leaf.pointer, ""), counts, sketch)
        else leaf
        for leaf in traced
    )


def _is_counted(text: str, counts: Collection[str], sketch: Sketch) -> bool:
    """Whether the user wrote a thing directly behind one of these counts."""
    if _WORDS.fullmatch(text) is None:
        return False
    find = sketch.spans[Provenance.USER].find
    return any(find(fingerprint_tokens_in_order([count, *text.split()], sketch.key)) > 1 for count in counts)
