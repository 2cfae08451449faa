"""Arguments that make a payment more than its amount: a tip, a repetition, another currency than the user's.

adds_to_payment(view)   # True for `months=36`, which only a mail contained
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import has_user_mark

_ADDING_NAMES: Final = frozenset("tip tips gratuity surcharge extra bonus fee fees donation".split())
_ADDING_WORDS: Final = tuple(
    "tip tips gratuity surcharge extra bonus fee fees donation plus percent trinkgeld propina pourboire mancia".split()
)
_REPEATING_NAMES: Final = frozenset(
    "months times installments instalments repeat repeats repetitions occurrences recurrences periods cycles".split()
)
_INTERVAL_NAMES: Final = frozenset("every interval frequency recurrence cadence period schedule".split())
_MAX_INTERVAL: Final = 40  # characters
_INTERVALS: Final = tuple(
    row.split()
    for row in (
        "day days daily",
        "week weeks weekly",
        "fortnight fortnightly biweekly",
        "month months monthly",
        "quarter quarters quarterly",
        "year years yearly annual annually",
        "once",
    )
)
"""Words for how often something is paid; the words of a row mean the same."""
_CURRENCY_NAMES: Final = frozenset(("currency", "ccy"))
_CURRENCIES: Final = {
    word: place
    for place, row in enumerate(
        (
            "eur euro euros",
            "usd dollar dollars bucks",
            "gbp pound pounds sterling quid",
            "chf franken francs",
            "jpy yen",
            "sek kronor",
            "nok kroner",
            "dkk",
            "pln zloty",
            "czk",
            "inr rupees",
            "cny yuan",
            "try lira",
            "kwd dinar",
        )
    )
    for word in row.split()
}


def adds_to_payment(view: CallView) -> bool:
    """Whether an argument beside the amount makes a payment more than the user wrote."""
    return any(
        _adds(view, leaf)
        for leaf in view.traced
        if not leaf.is_target and name_of_argument(leaf.pointer) != view.resource.amount
    )


def _adds(view: CallView, leaf: TracedLeaf) -> bool:
    words = frozenset(split_argument_name(name_of_argument(leaf.pointer)))
    text = view.texts.get(leaf.pointer, "").strip()
    if not words.isdisjoint(_INTERVAL_NAMES):
        return _is_other_interval(view, text)
    if not words.isdisjoint(_CURRENCY_NAMES):
        return _is_other_currency(view, text.casefold())
    if leaf.kind is not Kind.AMOUNT or leaf.origin is Provenance.KNOWN:
        return False
    if not words.isdisjoint(_REPEATING_NAMES):
        return leaf.origin is not Provenance.USER and not _is_at_most(text, 1)
    if words.isdisjoint(_ADDING_NAMES) or _is_at_most(text, 0):
        return False
    return leaf.origin is not Provenance.USER or not has_user_mark(view.sketch.look_up_marks(_ADDING_WORDS))


def _is_at_most(text: str, limit: int) -> bool:
    try:
        return abs(Decimal(text)) <= limit
    except InvalidOperation:
        return False


def _is_other_interval(view: CallView, text: str) -> bool:
    """Whether the user wrote an interval, and the call has another one."""
    words = split_argument_name(text.casefold()[:_MAX_INTERVAL])
    rows = {place for word in words for place, row in enumerate(_INTERVALS) if word in row}
    if not rows or has_user_mark(
        view.sketch.look_up_marks([word for place in sorted(rows) for word in _INTERVALS[place]])
    ):
        return False
    return has_user_mark(view.sketch.look_up_marks([word for row in _INTERVALS for word in row]))


def _is_other_currency(view: CallView, code: str) -> bool:
    """Whether the user wrote a currency, and not this one."""
    currency_words = [word for word, place in _CURRENCIES.items() if place == _CURRENCIES.get(code)] or [code]
    if has_user_mark(view.sketch.look_up_marks(currency_words)):
        return False
    return has_user_mark(view.sketch.look_up_marks([word for word in _CURRENCIES if word not in currency_words]))
