"""Counts of a priced order that the user gave, if only in words.

vouch_for_given_counts(resource, traced, leaves, sketch)   # `pieces=40` of "forty vials from Medivant, 312 all in"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.patterns import compile_later
from halo_core.values.orders.whole_orders import list_order_words
from halo_core.values.payments.given_payments import GIVEN_WORD
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_COUNT: Final = compile_later(r"[0-9]{1,4}(?:\.[0-9]{1,2})?")


def vouch_for_given_counts(
    resource: Resource, traced: tuple[TracedLeaf, ...], leaves: Sequence[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Give the origin `user` to numbers of a payment that no source contains and that the user gave beside its amount.

    INVARIANT: VOUCH - the number stands in a sentence of the user that may order a payment.
    """
    if resource.impact is not Impact.PAYMENT or not resource.amount:
        return traced
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    return tuple(
        leaf._replace(origin=Provenance.USER)
        if leaf.origin is Provenance.NOVEL
        and _COUNT.fullmatch(texts.get(leaf.pointer, "")) is not None
        and _is_given(sketch, texts.get(leaf.pointer, ""))
        else leaf
        for leaf in traced
    )


def _is_given(sketch: Sketch, text: str) -> bool:
    words = list_order_words(text)
    return bool(words) and all(has_user_mark(sketch.look_up_forms([Form(GIVEN_WORD, word)])) for word in words)
