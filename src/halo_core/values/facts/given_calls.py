"""Calls that pay a payee and an amount which the user gave (`given_payments`), wherever in his texts each stands.

    pay(account="33018842", amount=85.0)    # for "85 pounds need to leave before tonight" and "20-45-77, 33018842"

The marks of the user's texts are described in `given_payments`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import InvalidOperation
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.added_amounts import adds_to_payment
from halo_core.values.facts.call_view import CallView
from halo_core.values.facts.stated_calls import pays_once, pays_otherwise
from halo_core.values.kinds.argument_names import name_of_argument, names_remark, split_argument_name
from halo_core.values.kinds.kinds import SUSPICIOUS, Form, Kind
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.opposite_acts import takes_money
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.whole_orders import list_order_words
from halo_core.values.payments.given_payments import AMOUNT, EACH, GIVEN_WORD, MANY, ONE, PAYEE, PEOPLE, SUMS
from halo_core.values.payments.paid_amounts import to_hundredths
from halo_core.values.payments.stated_payments import list_payee_keys
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.known_rows import is_pointed_out
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_ACCOUNT_KINDS: Final = frozenset({Kind.ACCOUNT, Kind.EMAIL})
_SORT_CODE: Final = compile_later(r"[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{2}")
_PAYING: Final = stem_all("pay settle reimburse remit")
_LENDING: Final = stem_all("bet bid stake gamble invest trade lend loan lease exchange convert swap pledge")
"""Stems of verbs in the name of a tool that does something else with a sum than pay it."""
_PAID: Final = stem_all("invoice claim request")
"""Stems in the name of a tool that ask for money, except beside a verb of paying: `pay_invoice`."""
_VOUCHER_WORDS: Final = ("voucher", "vouchers", "coupon", "coupons")
_VOUCHERS: Final = stem_all("voucher coupon gift")
_TEXTS: Final = frozenset("text note message memo reference purpose description currency due date day".split())
"""Words in the name of an argument that says nothing about who gets how much."""


def is_given_payment(
    view: CallView, targets: Sequence[TracedLeaf], keys: Collection[str], pointed: frozenset[int]
) -> bool:
    """Whether the user gave the amount of a call, and its payee or the name by which it was looked up.

    INVARIANT: VOUCH - each value but texts is the user's or known, and the user gave no second payee.

    Args:
        view: the call.
        targets: its target leaves.
        keys: pointers of the leaves that are keys of mappings.
        pointed: numbers of the sources whose results the user pointed at.
    """
    amount = f"/{view.resource.amount}"
    payees = [leaf for leaf in targets if leaf.pointer not in keys]
    others = [leaf for leaf in view.traced if leaf not in payees and leaf.pointer != amount]
    if keys or not _pays_one(view, payees):
        return False
    if any(leaf.origin not in VOUCHED_ORIGINS or SUSPICIOUS in leaf.flags for leaf in payees):
        return False
    if not all(leaf.origin in VOUCHED_ORIGINS or _is_remark(leaf) or _is_given_count(view, leaf) for leaf in others):
        return False
    if not _is_amount_given(view.sketch, view.texts.get(amount, "")) or _was_given(view.sketch, Form(PEOPLE, MANY)):
        return False
    return all(_is_payee_given(view, leaf, pointed) for leaf in payees)


def _pays_one(view: CallView, payees: Sequence[TracedLeaf]) -> bool:
    """Whether a call pays one payee once. In a batch it is not known who gets how much."""
    names = {name_of_argument(leaf.pointer) for leaf in payees}
    return (
        0 < len(payees) == len(names)
        and not _pays_otherwise(view.resource.id)
        and not _is_voucher_wanted_instead(view)
        and not adds_to_payment(view)
        and not view.sketch.saturated
    )


def _is_voucher_wanted_instead(view: CallView) -> bool:
    """Whether the user speaks of a voucher, and the tool gives none."""
    if not _VOUCHERS.isdisjoint(split_name(view.resource.id)):
        return False
    return any(_was_given(view.sketch, Form(GIVEN_WORD, word)) for word in _VOUCHER_WORDS)


def _is_amount_given(sketch: Sketch, amount: str) -> bool:
    """Whether the user gave an amount, which is written as in the call."""
    try:
        hundredths = to_hundredths(amount)
    except InvalidOperation:
        return False
    return hundredths > 0 and _was_given(sketch, Form(AMOUNT, str(hundredths)))


def _pays_otherwise(tool: str) -> bool:
    """Whether a tool does something else than pay once, by its name: it charges, bets, lends or pays repeatedly."""
    words = split_name(tool)
    if takes_money(words) or not _LENDING.isdisjoint(words):
        return True
    paid = [word for word in words if word not in _PAID] if not _PAYING.isdisjoint(words) else words
    return pays_otherwise("_".join(paid))


def _was_given(sketch: Sketch, form: Form) -> bool:
    """Whether a text of the user has a mark."""
    return has_user_mark(sketch.look_up_forms([form]))


def _is_remark(leaf: TracedLeaf) -> bool:
    """Whether a value is a text or a day that the model may choose, since it does not say who gets how much."""
    name = name_of_argument(leaf.pointer)
    is_named = names_remark(name) or not _TEXTS.isdisjoint(split_argument_name(name))
    return leaf.origin is not Provenance.UNTRUSTED and is_named and leaf.kind in (Kind.TEXT, Kind.HANDLE, Kind.DATE)


def _is_given_count(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether a number that no text has in digits stands beside what the user gave: "two tickets" for 2."""
    is_number = leaf.origin is Provenance.NOVEL and leaf.kind is Kind.AMOUNT
    return is_number and _are_words_given(view.sketch, view.texts.get(leaf.pointer, ""))


def _are_words_given(sketch: Sketch, text: str) -> bool:
    """Whether each word of a text stands in sentences of the user that order a payment."""
    words = list_order_words(text)
    return bool(words) and all(_was_given(sketch, Form(GIVEN_WORD, word)) for word in words)


def _is_payee_given(view: CallView, leaf: TracedLeaf, pointed: frozenset[int]) -> bool:
    """Whether the user gave a payee by an account or a name, or pointed at the lookup that returned it.

    Args:
        view: the call.
        leaf: the payee.
        pointed: numbers of the sources whose results the user pointed at.
    """
    text = view.texts.get(leaf.pointer, "")
    sketch = view.sketch
    gives_accounts = any(_was_given(sketch, Form(PEOPLE, use)) for use in (ONE, EACH))
    if leaf.origin is Provenance.KNOWN:
        return not gives_accounts and is_pointed_out(sketch, text, leaf.origin, leaf.places, pointed)
    forms = [form for value in parse_argument(text, is_target=True) for form in value.forms]
    digits = "".join(filter(str.isdigit, text))
    keys = [*list_payee_keys(text, forms), *([f"digits {digits}"] if _SORT_CODE.fullmatch(text.strip()) else [])]
    if any(_was_given(sketch, Form(PAYEE, key)) for key in keys):
        return True
    if any(map(str.isdigit, text)):
        return leaf.kind is Kind.HANDLE and _are_words_given(sketch, text)
    # A name in separate words is too little for a tool that pays money: it needs a whole statement (`stated_payments`).
    is_name = leaf.kind not in _ACCOUNT_KINDS and not gives_accounts and not pays_once(view.resource.id)
    return is_name and not _was_given(sketch, Form(PEOPLE, SUMS)) and _are_words_given(sketch, text)
