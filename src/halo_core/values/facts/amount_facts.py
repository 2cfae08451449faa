"""Facts about the amount of a call: whether the user wrote it, and whether it is more than the user wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.added_amounts import adds_to_payment
from halo_core.values.facts.amount_sources import is_as_before, leaves_amount_to_source, points_before, wants_arithmetic
from halo_core.values.facts.call_view import CallView, is_unpriced_order
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import SUSPICIOUS, Form, Kind
from halo_core.values.payments.paid_amounts import (
    has_written_amount,
    is_above_ceiling,
    is_above_numbers,
    is_share_of_other,
    list_target_keys,
)
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.forms import list_ceiling_forms
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.lookup_requests import has_looked_up
from halo_core.values.requests.order_counts import COUNT_NAMES, MEASURING_NAMES, PRICE_LIMIT
from halo_core.values.requests.topics import LEFT_OPEN
from halo_core.values.requests.user_texts import MAX_USER_CHARS
from halo_core.values.sketches.sketch import ORIGIN_BITS, USER_BIT, Sketch

_PRODUCT_NAMES: Final = frozenset(
    "article articles component item items kind material model part parts product products sku sort".split()
)
"""Words in the names of arguments that say what is ordered. Other arguments say who sells it and who gets it."""
_ONE_AT_MOST: Final = frozenset(("0", "1"))


def is_amount_asked(view: CallView) -> bool:
    """Whether the call has an amount, and the user wrote it."""
    amounts = _list_amounts(view)
    return bool(amounts) and all(leaf.origin is Provenance.USER for leaf in amounts)


def is_amount_listed(view: CallView, sources: FactSources) -> bool:
    """Whether the call carries out a listed order of the user that gives its amount."""
    listed = sources.ordered_pointers
    return listed is not None and all(leaf.pointer in listed for leaf in _list_amounts(view))


def exceeds_amount(view: CallView, targets: Iterable[TracedLeaf], sources: FactSources) -> bool:
    """Whether a call pays more than the user wrote for its targets.

    An amount of a trusted lookup is not compared, unless an untrusted source names it too.
    """
    amounts = [
        leaf for leaf in _list_amounts(view) if leaf.origin is not Provenance.KNOWN or _is_in_untrusted_text(view, leaf)
    ]
    if not amounts:
        return False
    if adds_to_payment(view):
        return True
    keys = set[str]()
    for target in targets:
        text = view.texts.get(target.pointer, "")
        keys |= list_target_keys(text, [form for value in parse_argument(text) for form in value.forms])
    return any(
        _is_above(view, leaf, sorted(keys), sources)
        or _is_untrusted_amount(view, leaf, sources)
        or _is_share_of_other(view, leaf, sorted(keys), sources)
        for leaf in amounts
    )


def _is_in_untrusted_text(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether an untrusted source contained an amount, even if other sources contained it too."""
    forms = [form for value in parse_argument(view.texts.get(leaf.pointer, "")) for form in value.forms]
    return any(mask & ORIGIN_BITS[Provenance.UNTRUSTED] for mask in view.sketch.look_up_forms(forms))


def leaves_amount_open(view: CallView, sources: FactSources) -> bool:
    """Whether an untrusted source named the amount, and the request leaves it to what was read."""
    untrusted = (Provenance.UNTRUSTED, Provenance.MIXED)
    is_untrusted = any(leaf.origin in untrusted for leaf in _list_amounts(view))
    return is_untrusted and _is_left_to_source(view, sources)


def has_unvouched_amount(view: CallView, sources: FactSources) -> bool:
    """Whether an untrusted source may have chosen the amount, although the request leaves it to no source.

    False before exposure, and where the user wrote an amount, which `exceeds_amount` compares. After exposure, a number
    that stands in no text may be calculated from untrusted numbers. That is allowed if the request asks to calculate
    something.
    """
    is_exposed = sources.is_exposed or view.sketch.may_hold_untrusted
    open_origins = {leaf.origin for leaf in _list_amounts(view)} - {*VOUCHED_ORIGINS, Provenance.SYSTEM}
    if not is_exposed or not open_origins or has_written_amount(partial(are_from_user, view.sketch)):
        return False
    if open_origins == {Provenance.NOVEL} and wants_arithmetic(sources.find_payment_text()):
        return False
    return not _is_left_to_source(view, sources)


def _is_left_to_source(view: CallView, sources: FactSources) -> bool:
    """Whether the request leaves the amount to a text that was read, for it or for an earlier question of the user."""
    text = sources.find_payment_text()
    if leaves_amount_to_source(text):
        return True
    return points_before(text) and (has_looked_up(view.sketch) or is_as_before(text))


def _list_amounts(view: CallView) -> list[TracedLeaf]:
    """List the leaves of the argument that is declared as the amount."""
    name = view.resource.amount
    return [leaf for leaf in view.traced if name and name_of_argument(leaf.pointer) == name]


def has_invented_count(view: CallView) -> bool:
    """Whether an unpriced order before exposure has a number that stands in no text; 0 and 1 are allowed.

    Only the model can have chosen such a number.
    """
    return any(
        leaf.kind is Kind.AMOUNT
        and leaf.origin is Provenance.NOVEL
        and not leaf.is_target
        and view.texts.get(leaf.pointer, "").strip() not in _ONE_AT_MOST
        for leaf in view.traced
    )


def has_unvouched_count(view: CallView) -> bool:
    """Whether an unpriced order after exposure has a count or a date that the user did not write.

    A number in a trusted list is not enough: the list does not say how many are wanted, and a mail may choose among its
    numbers. A number that the user wrote for something else ("room 640") is no count either. If the user wrote a price
    limit, no count is vouched for, since no argument holds the price.
    """
    if any(are_from_user(view.sketch, [PRICE_LIMIT])) or _is_count_of_something_else(view):
        return True
    return any(
        (leaf.origin is not Provenance.USER and not _is_one_piece(view, leaf))
        or _is_number_of_something_else(view, leaf)
        for leaf in view.traced
        if leaf.kind in (Kind.AMOUNT, Kind.DATE) and not leaf.is_target
    )


def orders_what_is_pointed_at(view: CallView, sources: FactSources) -> bool:
    """Whether a result that the user pointed at names the products of an unpriced order, as the user wanted.

    "Order the filter that the manual names", for a manual that the user named. Everything else in the order must be
    vouched for: the shop, the recipient, the count.
    """
    if not is_unpriced_order(view.resource) or not any(are_from_user(view.sketch, [Form("about", LEFT_OPEN)])):
        return False
    targets = [leaf for leaf in view.traced if leaf.is_target]
    products = [leaf for leaf in targets if leaf.origin not in VOUCHED_ORIGINS]
    are_pointed_at = all(
        leaf.origin is Provenance.UNTRUSTED
        and SUSPICIOUS not in leaf.flags
        and not _PRODUCT_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        and leaf.places
        and sources.pointed.issuperset(leaf.places)
        for leaf in products
    )
    return are_pointed_at and 0 < len(products) < len(targets) and not has_unvouched_count(view)


def _is_one_piece(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether a count is 1 and stands in no text: an order without a count is for one piece."""
    is_one = view.texts.get(leaf.pointer, "").strip() == "1"
    return is_one and leaf.origin is Provenance.NOVEL and _holds_count(leaf)


def _is_count_of_something_else(view: CallView) -> bool:
    """Whether the user wrote counts beside a target of the call, and a count of the call is none of them."""
    counts = [view.texts.get(leaf.pointer, "").strip() for leaf in view.traced if _holds_count(leaf)]
    targets = [view.texts.get(leaf.pointer, "").strip().casefold() for leaf in view.traced if leaf.is_target]
    for target in targets:
        if not any(are_from_user(view.sketch, [Form("counted", target)])):
            continue
        beside = are_from_user(view.sketch, [Form("counted", f"{target} {count}") for count in counts])
        allowed = are_from_user(view.sketch, [Form("allowed_count", count) for count in counts])
        if not all(is_beside or is_allowed for is_beside, is_allowed in zip(beside, allowed, strict=True)):
            return True
    return False


def _holds_count(leaf: TracedLeaf) -> bool:
    """Whether an argument says how many pieces are ordered, by its name and kind."""
    words = split_argument_name(name_of_argument(leaf.pointer))
    return leaf.kind is Kind.AMOUNT and not leaf.is_target and not COUNT_NAMES.isdisjoint(words)


def _is_number_of_something_else(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether the user wrote a number, but only to say which room or mail is meant, or how long something takes.

    An argument for a length of time may hold a length of time. A count of 1 is always allowed: an order without a count
    is for one piece.
    """
    number = view.texts.get(leaf.pointer, "").strip()
    if number == "1" and _holds_count(leaf):
        return False
    uses = ("counting", "numbering", "measuring")
    counts, numbers, measures = are_from_user(view.sketch, [Form(use, number) for use in uses])
    if measures and not MEASURING_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer))):
        return False
    return (numbers or measures) and not counts


def _is_above(view: CallView, leaf: TracedLeaf, keys: Sequence[str], sources: FactSources) -> bool:
    """Whether an amount is above the ceilings of the newest request, and above those of all texts of the user.

    What was paid for this request counts against both. If the request states ceilings, whatever was paid within the
    last day counts against those of all texts.

    Args:
        view: the call.
        leaf: the amount.
        keys: of the targets that it is for, as `list_target_keys` gives them.
        sources: what was paid, and the newest request.
    """
    is_above = partial(
        is_above_ceiling,
        view.texts.get(leaf.pointer, ""),
        keys=keys,
        is_written=leaf.origin is Provenance.USER,
    )
    paid_before, newest = sources.paid_before, _find_ceilings_of_request(sources.payment_request)
    if newest:
        if not is_above(lambda forms: map(newest.__contains__, forms), paid_before=paid_before):
            return False
        paid_before = max(paid_before, sources.paid_today)
    return is_above(partial(are_from_user, view.sketch), paid_before=paid_before)


def _is_untrusted_amount(view: CallView, leaf: TracedLeaf, sources: FactSources) -> bool:
    """Whether an amount is from a source and not from the user, and above each number that the user wrote alone."""
    is_other = leaf.origin in (Provenance.UNTRUSTED, Provenance.KNOWN)
    if not is_other or _find_ceilings_of_request(sources.payment_request):
        return False  # the sums that the request says to pay are compared instead
    return is_above_numbers(view.texts.get(leaf.pointer, ""), partial(are_from_user, view.sketch))


def _is_share_of_other(view: CallView, leaf: TracedLeaf, keys: Sequence[str], sources: FactSources) -> bool:
    """Whether the user wrote an amount only for another target, and somebody else may have chosen it for this one."""
    is_exposed = sources.is_exposed or view.sketch.may_hold_untrusted
    return is_exposed and is_share_of_other(view.texts.get(leaf.pointer, ""), partial(are_from_user, view.sketch), keys)


def are_from_user(sketch: Sketch, forms: Iterable[Form]) -> list[bool]:
    """Tell for each form whether the user wrote it."""
    return [bool(mask & USER_BIT) for mask in sketch.look_up_forms(forms)]


@lru_cache(maxsize=64)
def _find_ceilings_of_request(request: str) -> frozenset[Form]:
    """Find the ceilings that a request states."""
    return frozenset(list_ceiling_forms(request[:MAX_USER_CHARS]))
