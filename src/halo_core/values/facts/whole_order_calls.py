"""Calls all of whose values stand in one order of the user (`whole_orders`), whatever verb the tool has.

    program_lock(door="cellar", code="4481")                    # for "set the cellar door to 4481"
    deploy_release(service="gateway", version="2.9.1", stage="staging")   # for "roll gateway 2.9.1 out to staging"

For such a call, the user alone said what is acted on, and with which values. Somebody else may have chosen the tool.
So the order must not have a verb for another act, or a number that the call leaves out. It must take something away if
the tool does, and not otherwise. A call with one value also needs a word of the tool in the order, unless it deletes.

A value that a trusted lookup returned need not stand in the order, if the words by which it was looked up stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.order_comparison import Comparison, LookedUp, Values, are_adjacent, find_orders
from halo_core.values.kinds.argument_names import name_of_argument, names_remark, split_argument_name
from halo_core.values.kinds.kinds import SUSPICIOUS, Kind
from halo_core.values.orders.looked_up_words import list_lookups
from halo_core.values.orders.whole_orders import list_order_words
from halo_core.values.provenance.known_rows import list_words_of_row
from halo_core.values.provenance.leaves import KEY, Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

ORDERED_IMPACTS: Final = frozenset({Impact.PAYMENT, Impact.SEND, Impact.ADMIN, Impact.EXECUTE, Impact.DELETE})
"""Classes of acts that people order: after exposure they run unasked only if the user asked for them."""
_MAX_VALUES: Final = 12
_MAX_VALUE_WORDS: Final = 8
_FREE_KINDS: Final = frozenset({Kind.TEXT, Kind.HANDLE, Kind.DATE})
"""Kinds that the value of a text argument may have. An address, an account or a path has to stand in the order."""
_TEXTS: Final = frozenset("text body subject message content title html markdown note summary comment".split())
"""Words in the name of an argument for a text, which the model may write itself."""
_SIGNS: Final = str.maketrans("", "", " \t\n,;()\"'’@#.:!?–-")
"""Signs at which a value is split into words, or which are left out around a word."""


def _has_price(resource: Resource) -> bool:
    """Whether a call pays a stated amount, which `stated_calls` and `given_calls` compare."""
    return resource.impact is Impact.PAYMENT and bool(resource.amount)


def is_wholly_ordered(
    resource: Resource, args: Mapping[str, Any], traced: Sequence[TracedLeaf], leaves: Iterable[Leaf], sketch: Sketch
) -> bool:
    """Whether one order of the user has all values of a call, and nothing in it speaks of another act.

    INVARIANT: VOUCH - each value but texts stands in the same order of the user, word by word, or was looked up in a
    trusted source by words of it.

    Args:
        resource: what is acted on.
        args: the real arguments.
        traced: their leaves with their origins.
        leaves: the same leaves with their texts.
        sketch: what the session has seen.
    """
    if resource.impact not in ORDERED_IMPACTS or sketch.saturated or not resource.targets or _has_price(resource):
        return False
    if any(isinstance(value, bool) for value in args.values()):
        return False
    values = _read_values(resource, traced, leaves, sketch)
    if values is None:
        return False
    return any(
        Comparison(resource, args, values, sketch, number).fits() for number in find_orders(sketch, values.written)
    )


def vouch_for_values(traced: Iterable[TracedLeaf], leaves: Iterable[Leaf]) -> tuple[TracedLeaf, ...]:
    """Give the values of a call that `is_wholly_ordered` the origin `user`, except its texts."""
    texts = {leaf.pointer: leaf for leaf in leaves}
    return tuple(
        leaf._replace(origin=Provenance.USER)
        if leaf.origin not in VOUCHED_ORIGINS
        and (leaf.is_target or (leaf.pointer in texts and not _is_text(texts[leaf.pointer], leaf)))
        else leaf
        for leaf in traced
    )


def vouch_for_keys(traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch) -> tuple[TracedLeaf, ...]:
    """Give new values of a lookup the origin `user` if their words follow each other in an order.

    Prepositions in between do not count: "Let Ilona at Varga Partners see the room" names "Ilona Varga Partners".
    """
    texts = {leaf.pointer: leaf for leaf in leaves}
    if not any(leaf.origin is Provenance.NOVEL for leaf in traced):
        return traced
    return tuple(
        leaf._replace(origin=Provenance.USER)
        if leaf.origin is Provenance.NOVEL and leaf.pointer in texts and _is_adjacent(texts[leaf.pointer], leaf, sketch)
        else leaf
        for leaf in traced
    )


def _is_adjacent(leaf: Leaf, traced: TracedLeaf, sketch: Sketch) -> bool:
    """Whether all words of a value follow each other in an order, except prepositions in between."""
    words = list_order_words(leaf.text, _MAX_VALUE_WORDS + 1)
    if not 1 < len(words) <= _MAX_VALUE_WORDS or leaf.is_cut or traced.flags or not _is_made_of(leaf.text, words):
        return False
    return any(are_adjacent(sketch, [words], number) for number in find_orders(sketch, [words]))


def _read_values(
    resource: Resource, traced: Sequence[TracedLeaf], leaves: Iterable[Leaf], sketch: Sketch
) -> Values | None:
    """Read the values of a call; None if one of them can stand in no order."""
    by_pointer = {leaf.pointer: leaf for leaf in leaves}
    values = Values([], [], [])
    has_target = False
    for item in traced:
        leaf = by_pointer.get(item.pointer)
        if leaf is None or _is_never_written(leaf, item):
            return None
        is_declared = name_of_argument(item.pointer) in resource.targets
        if leaf.field == KEY or (not is_declared and not item.is_target and _is_text(leaf, item)):
            continue
        has_target = has_target or is_declared
        words = list_order_words(leaf.text, _MAX_VALUE_WORDS + 1)
        if item.origin is Provenance.KNOWN and resource.impact is not Impact.PAYMENT:
            row = list_words_of_row(sketch, leaf.text.strip())
            values.looked_up.append(LookedUp(words, list_lookups(sketch, item.places), row))
            continue
        if not words or len(words) > _MAX_VALUE_WORDS or leaf.is_cut or not _is_made_of(leaf.text, words):
            return None
        values.written.append(words)
        if item.origin is not Provenance.USER and len(words) > 1:
            values.adjacent.append(words)
    if not has_target or len(values.written) + len(values.looked_up) > _MAX_VALUES:
        return None
    return values if values.written or any(item.lookups or item.row for item in values.looked_up) else None


def _is_never_written(leaf: Leaf, traced: TracedLeaf) -> bool:
    """Whether no order can have a value: a program, a look-alike of another value, a key that others wrote."""
    if SUSPICIOUS in traced.flags and not (traced.kind is Kind.EMAIL and leaf.text.isascii()):
        return True  # an address that a look-alike was sent for is still the user's
    is_others = traced.origin in (Provenance.UNTRUSTED, Provenance.MIXED)
    return traced.kind is Kind.PROGRAM or (leaf.field == KEY and is_others)


def _is_made_of(text: str, words: Sequence[str]) -> bool:
    """Whether a value consists of its words, without signs that they leave out: "from:*", "bob-" and "-100" do not."""
    text = text.strip()
    if text[:1] in "-_~*%" or text[-1:] in "-_~*%":
        return False
    written = text.casefold().translate(_SIGNS)
    return all(character.isalnum() or character in "/_+&€$£" for character in written) or "".join(words) == text


def _is_text(leaf: Leaf, traced: TracedLeaf) -> bool:
    """Whether a value is a text of the model that says nothing about where something goes."""
    name = leaf.field or name_of_argument(leaf.pointer)
    is_named = names_remark(name) or not _TEXTS.isdisjoint(split_argument_name(name))
    return is_named and not leaf.is_amount and traced.kind in _FREE_KINDS
