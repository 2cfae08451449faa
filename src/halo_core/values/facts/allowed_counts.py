"""Counts of unpriced orders that the user's words allow.

vouch_for_counts(traced, leaves, sketch, is_exposed=True)   # "up to 6 each" vouches for `quantity=4`
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.argument_names import name_of_argument, names_note, split_argument_name
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.order_counts import COUNT_NAMES
from halo_core.values.sketches.sketch import Sketch, extract_tokens, has_user_mark

_MANNER_NAMES: Final = frozenset("urgency priority importance severity".split())
_MAX_NOTE: Final = 80  # characters
_USUAL_MANNERS: Final = frozenset("low lowest normal medium regular standard default none routine".split())


def vouch_for_counts(
    traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch, *, is_exposed: bool
) -> tuple[TracedLeaf, ...]:
    """Give counts of an unpriced order the origin `user` if they are within a limit that the user states.

    A word of the model for the usual urgency gets the origin `known`.
    An order without a count is for one piece. After exposure, the user has to have named what is ordered.

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        sketch: what the session has seen.
        is_exposed: see `trace_leaves`.
    """
    texts = {leaf.pointer: leaf.text.strip() for leaf in leaves}
    traced = tuple(
        leaf._replace(origin=Provenance.KNOWN, places=())
        if leaf.origin is Provenance.NOVEL
        and not leaf.is_target
        and _orders_no_more(leaf, texts.get(leaf.pointer, ""), sketch)
        else leaf
        for leaf in traced
    )
    if is_exposed and any(leaf.is_target and leaf.origin is not Provenance.USER for leaf in traced):
        return traced
    return tuple(
        leaf._replace(origin=Provenance.USER, places=())
        if leaf.kind is Kind.AMOUNT
        and not leaf.is_target
        and leaf.origin is not Provenance.USER
        and not COUNT_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        and (texts[leaf.pointer] == "1" or _is_allowed(texts[leaf.pointer], sketch))
        else leaf
        for leaf in traced
    )


def _orders_no_more(leaf: TracedLeaf, text: str, sketch: Sketch) -> bool:
    """Whether words of the model make an order no larger: the usual urgency, or a note without a number.

    A note counts only if no untrusted source has a word of it.
    """
    if not _MANNER_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer))):
        return text.casefold() in _USUAL_MANNERS
    if not names_note(leaf.pointer) or len(text) > _MAX_NOTE or any(map(str.isdigit, text)):
        return False
    words = [word for word in extract_tokens(text) if word not in STOP_WORDS]
    return not sketch.saturated and not any(map(sketch.was_in_untrusted_text, words))


def _is_allowed(count: str, sketch: Sketch) -> bool:
    """Whether a count is within a limit that the user states."""
    return has_user_mark(sketch.look_up_forms([Form("allowed_count", count)]))
