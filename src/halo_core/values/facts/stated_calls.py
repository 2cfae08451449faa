"""Calls that pay what the user states in one sentence: each payee with its amount (`stated_payments`).

No verb says which act is meant, so the tool has to be named after paying, and the call has to pay exactly what the
statement says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import InvalidOperation
from typing import Final

from halo_core.values.facts.added_amounts import adds_to_payment
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.kinds.kinds import SUSPICIOUS, Form
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.text import split_name
from halo_core.values.payments.paid_amounts import to_hundredths
from halo_core.values.payments.stated_payments import (
    AGREED,
    ANYBODY,
    CORRECTED,
    HELD,
    NAME,
    STATED,
    VOUCHER,
    list_payee_keys,
    make_stated_form,
)
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_PAYING: Final = stem_all(
    "pay payment payout transfer wire remit send settle reimburse refund repay compensate disburse donate "
    "topup recharge load credit bacs sepa swift ach remittance"
)
"""Stems of words in the name of a tool that pays once what it is given."""
_GIVING_VOUCHERS: Final = stem_all("voucher coupon")
"""Stems of words in the name of a tool that gives vouchers. The user has to speak of one."""
_OTHERWISE: Final = stem_all(
    "standing recurring regular schedule subscribe subscription charge debit collect request invoice claim withdraw "
    "cancel revoke limit update set redeem void expire extend note download unload workload"
)
"""Stems of words in the name of a tool that pays repeatedly, takes money or only changes something."""
_AMOUNTS: Final = frozenset("amount sum value total".split())
"""Fields of the amount in an item of a list of payments."""


class _Item:
    """One payment of a call: the texts of its target, and its amount if it has one of its own."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.amount = ""
        self.fields: set[str] = set()


def is_stated_payment(
    view: CallView, targets: Sequence[TracedLeaf], keys: Collection[str], *, by_answer: bool = True
) -> bool:
    """Whether the user states each payment of a call, and no other sum.

    INVARIANT: VOUCH - each target is the user's or known, and the user wrote its amount for it in one statement.

    Args:
        view: the call.
        targets: its target leaves.
        keys: pointers of the leaves that are keys of mappings.
        by_answer: a yes to what waited and a corrected account count too.
    """
    amount = view.texts.get(f"/{view.resource.amount}", "")
    if not amount or not pays_once(view.resource.id) or adds_to_payment(view):
        return False
    gives_voucher = not _GIVING_VOUCHERS.isdisjoint(split_name(view.resource.id))
    payees = [leaf for leaf in targets if leaf.pointer not in keys]
    if any(leaf.origin not in VOUCHED_ORIGINS or SUSPICIOUS in leaf.flags for leaf in payees):
        return False
    items = list(_split_items(view, {leaf.pointer for leaf in payees}, keys))
    try:
        total = to_hundredths(amount)
        sums = [to_hundredths(item.amount or amount) for item in items]
    except InvalidOperation:
        return False
    is_plain_list = len(payees) > len({name_of_argument(leaf.pointer) for leaf in payees}) and len(items) == 1
    if is_plain_list or sum(sums) != total or min(sums) <= 0:
        return False
    keys_of_items = [_list_keys(item, VOUCHER if gives_voucher else "") for item in items]
    all_keys = [key for payees_of_item in keys_of_items for payee in payees_of_item for key in payee]
    if len(set(all_keys)) < len(all_keys):
        return False  # a batch that pays somebody twice
    return all(
        _is_stated(view.sketch, item, hundredths, by_answer=by_answer)
        for item, hundredths in zip(keys_of_items, sums, strict=True)
    )


def pays_once(tool: str) -> bool:
    """Whether the name of a tool says that it pays once what it is given, in money, as a credit or as a voucher."""
    stems = frozenset(split_name(tool))
    is_paying = not stems.isdisjoint(_PAYING | _GIVING_VOUCHERS) or stems >= {"top", "up"}
    return is_paying and not pays_otherwise(tool)


def pays_otherwise(tool: str) -> bool:
    """Whether the name of a tool says that it pays repeatedly, takes money or only changes something."""
    return not _OTHERWISE.isdisjoint(split_name(tool))


def _split_items(view: CallView, payees: Collection[str], keys: Collection[str]) -> Iterator[_Item]:
    """Split the targets of a call into its payments: each mapping of a list is one."""
    arguments = set(map(name_of_argument, payees))
    item, field = _Item(), ""
    for pointer in sorted(
        filter(lambda pointer: name_of_argument(pointer) in arguments, view.texts), key=_order_pointer
    ):
        text = view.texts[pointer].strip()
        if pointer in keys:
            field = text.casefold()
            if field in item.fields:
                yield item
                item = _Item()
            item.fields.add(field)
        elif field in _AMOUNTS:
            item.amount = text
        elif pointer in payees:
            item.texts.append(text)
    yield item


def _order_pointer(pointer: str) -> tuple[str, int]:
    place = pointer.rpartition("/")[2]
    return (pointer.removesuffix(place), int(place)) if place.isdecimal() else (pointer, 0)


def _list_keys(item: _Item, prefix: str) -> list[list[str]]:
    """List the keys of each account of a payment, each behind a prefix; if it has none, of its names."""
    payees = [
        list_payee_keys(text, [form for value in parse_argument(text, is_target=True) for form in value.forms])
        for text in item.texts
    ]
    payees = [keys for keys in payees if not keys[0].startswith(NAME)] or payees
    return [[f"{prefix}{key}" for key in keys] for keys in payees]


def _is_stated(sketch: Sketch, payees: Sequence[Sequence[str]], hundredths: int, *, by_answer: bool) -> bool:
    """Whether the user states this amount for each account of a payment, or for its one name."""
    if not payees or (payees[0][0].removeprefix(VOUCHER).startswith(NAME) and len(payees) > 1):
        return False

    def are_written(forms: Sequence[Form]) -> bool:
        return has_user_mark(sketch.look_up_forms(forms))

    def are_all_written(use: str) -> bool:
        return all(are_written([make_stated_form(use, key, hundredths) for key in keys]) for keys in payees)

    if are_all_written(STATED) or not by_answer:
        return are_all_written(STATED)
    is_corrected = all(are_written([Form(CORRECTED, key) for key in keys]) for keys in payees)
    if is_corrected and are_written([make_stated_form(STATED, ANYBODY, hundredths)]):
        return True
    return are_written([AGREED]) and (
        are_all_written(HELD) or (is_corrected and are_written([make_stated_form(HELD, ANYBODY, hundredths)]))
    )
