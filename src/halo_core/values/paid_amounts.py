"""How much a text of the user has paid, and to whom.

    find_ceiling_forms("Pay 20 euro to Ana and 500 to Bob", find_forms)
    is_above_ceiling("520", look_up, keys=list_target_keys("Ana", ()))  # True: 20 are for Ana

An amount belongs to the target that is written beside it. Where a text names one target, all its amounts are for that
one; a target that no amount stands beside is paid the largest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Final

from halo_core.values.foreign_words import find_foreign_acts
from halo_core.values.kinds import Form, make_form
from halo_core.values.lexicon import POLICY_ASKING_WORDS, STOP_WORDS
from halo_core.values.numbers import PaidAmount, find_paid_amounts
from halo_core.values.text import split_name

_LEVELS: Final = 40  # amounts up to 2**40 hundredths
_MOST_DIGITS: Final = 15
_ANY_CEILING: Final = Form("ceiling", "")
"""Says that the user wrote an amount at all."""
_OPEN_SUM: Final = re.compile(
    r"%|\b(?:percent|plus|tip|fees?|vat|tax(?:es)?|shipping|interest|postage|charges|each|apiece|per|every|both|monthly)\b",
    re.IGNORECASE,
)
_TAKING_OFF: Final = re.compile(r"(?<!\bno )\b(?:less(?! than)|minus|deduct(?:ed|ing)?)\b", re.IGNORECASE)
"""Words behind which an amount is no sum to pay, but what is taken off one that the text does not give."""
_SEPARATOR: Final = re.compile(
    r"[\n;；，。]|[.,](?=\s|$)|\b(?:and|und|et|y|oraz|и)\b|(?<=[\w]) (?:e|en|i|ve) (?=[0-9$€£¥A-Z@])|和"
)
_TO_SOMEBODY: Final = re.compile(r"(?:\b(?:to|an|à|aan)\s+|给\s*)[@#]?([^\W\d_][\w-]*)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"@\w|\b(?=\w*[0-9])(?=\w*[A-Za-z])\w{6,}|\b[0-9]{7,}\b|\b[A-Z]{2}[0-9]{2}\b")
_CAPITALISED: Final = re.compile(r"(?<![\w.-])[A-Z][\w-]+")
_AMOUNT_A_NAME: Final = re.compile(r"(?:[Ee]uros?|EUR|USD|[0-9$€£¥])\s+(?:a|dla|do|для)\s+[@#]?([^\W\d_a-z][\w-]+)")
_PRECEDING: Final = re.compile(
    r"(?:\b(?:for|für|pour|para|per|voor|dla|eur|euros?|usd|dollars?|gbp|pounds?|chf)|[0-9$€£¥])\s*$", re.IGNORECASE
)
"""Stands in front of a word that says what an amount is for."""
_NO_NAMES: Final = frozenset(
    "eur euro euros usd dollar dollars gbp pound pounds chf january february march april may june july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday".split()
)
_ADDRESS_DOMAINS: Final = frozenset({"digits", "iban", "joint", "email"})
_WORD: Final = re.compile(r"[^\W_](?:[\w@.+/-]*[^\W_])?")
_MOST_SHARES: Final = 16
_MOST_KEYS: Final = 48
_MOST_WORDS: Final = 96  # of a share
_MIN_KEY: Final = 2
_NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class _Share:
    """Amounts of a text, and what stands beside them."""

    text: str
    amounts: list[PaidAmount] = field(default_factory=list)

    @property
    def total(self) -> int:
        """In hundredths; of two readings the larger."""
        return sum(max(abs(to_hundredths(reading)) for reading in amount.readings) for amount in self.amounts)


def find_ceiling_forms(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Forms that cover all amounts up to those that a text pays; none where it leaves open what is added.

    They are the fewest intervals, of lengths that are powers of two, that make up [0, sum] in hundredths. An amount
    lies below the sum if one of its own `_LEVELS + 1` intervals is among them (`is_above_ceiling`).

    Args:
        text: of the user.
        find_forms: the forms of the accounts and addresses in a text.
    """
    amounts = find_paid_amounts(text)
    if not amounts or _OPEN_SUM.search(text) is not None:
        return
    less = _TAKING_OFF.search(text)
    if less is not None and amounts[0].start > less.start():
        return
    shares = _split_shares(text, amounts)
    yield _ANY_CEILING
    yield from _cover("", max(share.total for share in shares))
    yield from {make_form(("ceiling", f"={to_hundredths(item)}")) for one in amounts for item in one.readings}
    for key, total in _sum_for_targets(shares, find_forms).items():
        yield make_form(("ceiling", f"{key}|"))
        yield from _cover(f"{key}|", total)


def _cover(key: str, total: int) -> Iterator[Form]:
    """The intervals that make up [0, total]."""
    rest, start = min(total, 2**_LEVELS - 1) + 1, 0
    for level in range(_LEVELS, -1, -1):
        if rest >= 1 << level:
            yield make_form(("ceiling", f"{key}{level} {start >> level}"))
            start += 1 << level
            rest -= 1 << level


def _split_shares(text: str, amounts: Sequence[PaidAmount]) -> list[_Share]:
    """The amounts of a text, those together that are for one target."""
    shares: list[_Share] = []
    has_target = False  # of the last share
    rest = list(reversed(amounts))
    for start, end in _split_clauses(text):
        inside: list[PaidAmount] = []
        while rest and rest[-1].start < end:
            inside.append(rest.pop())
        if not inside:
            continue
        clause = text[start:end]
        names = _names_target(clause, inside[-1].start - start)
        if not shares or (names and has_target):
            shares.append(_Share(clause, inside))
            has_target = names
        else:  # "Pay Hansen 480 for the rent and 20 for the heating"
            shares[-1].text += f"\n{clause}"
            shares[-1].amounts += inside
            has_target = has_target or names
    return shares


def _split_clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SEPARATOR.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _names_target(clause: str, place: int) -> bool:
    """Whether a clause says to whom the amount at a place goes."""
    if _ADDRESS.search(clause) is not None or _AMOUNT_A_NAME.search(clause) is not None:
        return True
    if any(_is_name(match[1]) for match in _TO_SOMEBODY.finditer(clause)):
        return True
    return any(
        match.start() < place and _PRECEDING.search(clause[: match.start()]) is None and _is_name(match[0])
        for match in _CAPITALISED.finditer(clause)
    )


def _is_name(word: str) -> bool:
    folded = word.casefold()
    if folded in _NO_NAMES or find_foreign_acts(word):
        return False
    return all(stem not in STOP_WORDS and stem not in POLICY_ASKING_WORDS for stem in split_name(folded))


def _sum_for_targets(shares: Sequence[_Share], find_forms: Callable[[str], Iterable[Form]]) -> dict[str, int]:
    """What is paid to each target that stands beside an amount, by its words and addresses."""
    if len(shares) > _MOST_SHARES:
        return {}
    for list_keys in (_list_keys, _list_addresses):
        totals: dict[str, int] = {}
        for share in shares:
            for key in list_keys(share.text, find_forms):
                totals[key] = totals.get(key, 0) + share.total
        if len(totals) <= _MOST_KEYS:
            return totals
    return {}


def _list_addresses(text: str, find_forms: Callable[[str], Iterable[Form]]) -> set[str]:
    return {f"{form.domain} {form.text}" for form in find_forms(text) if form.domain in _ADDRESS_DOMAINS}


def _list_keys(text: str, find_forms: Callable[[str], Iterable[Form]]) -> set[str]:
    words = list_words(text)
    names = set(filter(_is_name, words)) if len(words) <= _MOST_WORDS else set[str]()
    return names | _list_addresses(text, find_forms)


def list_target_keys(text: str, forms: Iterable[Form]) -> set[str]:
    """By what the share of a target is found: its words and its forms."""
    return list_words(text) | {f"{form.domain} {form.text}" for form in forms if form.domain in _ADDRESS_DOMAINS}


def list_words(text: str) -> set[str]:
    """The words of a text that can be part of a name."""
    words = map(str.casefold, _WORD.findall(text))
    return {word for word in words if len(word) >= _MIN_KEY and not word.isdigit()}


def is_above_ceiling(
    amount: str,
    look_up: Callable[[Iterable[Form]], Iterable[bool]],
    *,
    keys: Iterable[str] = (),
    paid_before: Decimal = _NOTHING,
    is_written: bool = False,
) -> bool:
    """Whether an amount is more than the user wrote for a target; False where the user wrote none.

    Args:
        amount: as an argument has it.
        look_up: says of forms whether a text of the user gave them.
        keys: of its targets (`list_target_keys`).
        paid_before: what was paid to them already for the same message of the user.
        is_written: the user wrote the number. It is an amount only where it stands as one.
    """
    if not any(look_up([_ANY_CEILING])):
        return False
    try:
        hundredths = abs(to_hundredths(amount)) + to_hundredths(str(paid_before))
    except InvalidOperation:
        return True

    def is_covered(key: str) -> bool:
        intervals = [make_form(("ceiling", f"{key}{level} {hundredths >> level}")) for level in range(_LEVELS + 1)]
        return any(look_up(intervals))

    prefixes = [f"{key}|" for key in keys]
    tied = [
        prefix
        for prefix, known in zip(prefixes, look_up([make_form(("ceiling", item)) for item in prefixes]), strict=True)
        if known
    ]
    if tied:
        return not all(map(is_covered, tied))
    is_amount = is_written and not paid_before and any(look_up([make_form(("ceiling", f"={hundredths}"))]))
    return not is_amount and not is_covered("")


def to_hundredths(amount: str) -> int:
    """A plain decimal numeral in hundredths, rounded up; what is too large for any ceiling as one number.

    Raises:
        InvalidOperation: it is no number.
    """
    value = Decimal(amount)
    if not value.is_finite():
        raise InvalidOperation
    if value.adjusted() > _MOST_DIGITS:
        return (1 << 2 * _LEVELS) * (-1 if value < 0 else 1)
    return ceil(value * 100) if value.adjusted() > -_LEVELS else int(value > 0)
