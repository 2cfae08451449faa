"""The most that a text of the user orders to be paid, in all and to each target: its ceilings.

    find_ceiling_forms("Pay 20 euro to Ana and 500 to Bob", find_forms)  # what a session keeps of the text
    is_above_ceiling("520", look_up, keys=list_target_keys("Ana", ()))   # True: 20 are for Ana
    is_above_ceiling("450", look_up, keys=list_target_keys("Eve", ()))   # False: no amount stands beside Eve

An amount belongs to the target that stands beside it in the same clause. If a text names one target, all its amounts
are for that one. For a target without an amount beside it, the largest amount of the text is the ceiling.

A session keeps keyed digests and no amounts, so a ceiling has to be found again by equal forms alone. It is kept as
the few intervals that make up [0, ceiling] in hundredths. Each has a length that is a power of two, and begins at a
multiple of it: 20.00 is 2000 hundredths, and [0, 2000] is [0, 1023], [1024, 1535], [1536, 1791], ... An amount lies
in one interval of each length, and is not above the ceiling if one of those was kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import islice, pairwise
from math import ceil
from typing import Final

from halo_core.values.kinds.amounts import PaidAmount, find_paid_amounts
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import POLICY_ASKING_WORDS, STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.requests.asked_acts import find_asked_stems

_MAX_LEVEL: Final = 40
"""Intervals are up to 2**40 hundredths long, and no ceiling is higher."""
_MAX_EXPONENT: Final = 15
"""Amounts of 10**16 and more are above any ceiling."""
_WROTE_AMOUNT: Final = Form("ceiling", "")
"""The user wrote an amount."""

_ADDING: Final = CaselessPattern(r"%|\b(?:percent|plus|tip|fees?|vat|tax(?:es)?|shipping|interest|postage|charges)\b")
"""Words for unknown sums that are added to an amount."""
_MULTIPLYING: Final = CaselessPattern(
    r"\b(?:each|apiece|per|every|both|monthly)\b"
    r"|(?:[0-9€$£]|\b(?:chf|eur|euros?|dollars?|francs?|gbp|pounds?|usd)) an? "
    r"(?:bottle|box|day|head|hour|kg|kilo|km|kilometre|litre|mile|month|night|page|person|piece|seat|ton|tonne|unit|week)\b"
    r"(?! (?:ago|ahead|after|before|early|earlier|from|in advance|late|later|of|off|or|sooner|start)\b)"
)
"""Words that multiply an amount by an unknown number."""
_FEW: Final = {
    word: number for number, word in enumerate("two three four five six seven eight nine ten".split(), start=2)
}
_EACH_OF: Final = CaselessPattern(
    rf"\beach of (?:the |these |those |my |our |his |her |their )?({'|'.join(_FEW)}|[1-9][0-9]{{0,2}})\b(?![.,][0-9])"
)
"""How often an amount is paid: "30 for each of the two lessons"."""
_ADDED_SHARE: Final = 2
"""Factor for unknown sums: they are no more than the amount itself."""
_USUAL_COUNT: Final = 12
"""Highest factor of an amount in a text without a larger count: the months of a year."""
_MAX_COUNT: Final = 366
_COUNT: Final = CaselessPattern(r"(?<![\w.,:/-])[0-9]{1,3}(?![\w.,:/%-]|[ ]?(?:[$€£¥]|eur|usd|gbp|chf|dollar|pound))")
_SENTENCE_END: Final = compile_later(r"[.!?](?=\s|$)|\n")
_TAKING_OFF: Final = CaselessPattern(r"(?<!\bno )\b(?:less(?! than)|minus|deduct(?:ed|ing)?)\b")
"""Words in front of an amount that is taken off a sum which the text does not give."""
_CLAUSE_END: Final = compile_later(
    r"[\n;；，。]|[.,](?=\s|$)|\b(?:and|und|et|y|oraz|и)\b|(?<=[\w]) (?:e|en|i|ve) (?=[0-9$€£¥A-Z@])|和"
)
_TO_SOMEBODY: Final = compile_later(r"(?:\b(?:to|an|à|aan)\s+|给\s*)[@#]?([^\W\d_][\w-]*)", re.IGNORECASE)
"""A name behind a word such as `to`."""
_ADDRESS: Final = compile_later(r"@\w|\b(?=\w*[0-9])(?=\w*[A-Za-z])\w{6,}|\b[0-9]{7,}\b|\b[A-Z]{2}[0-9]{2}\b")
"""A handle, an id of letters and digits, a long number or the beginning of an IBAN."""
_CAPITALISED: Final = compile_later(r"(?<![\w.-])[A-Z][\w-]+")
_NAME_BEHIND_AMOUNT: Final = compile_later(
    r"(?:[Ee]uros?|EUR|USD|[0-9$€£¥])\s+(?:a|dla|do|для)\s+[@#]?([^\W\d_a-z][\w-]+)"
)
"""An amount and a name, with a word between them that means `to` in another language."""
_BEFORE_PURPOSE: Final = CaselessPattern(
    r"(?:\b(?:for|für|pour|para|per|voor|dla|eur|euros?|usd|dollars?|gbp|pounds?|chf)|[0-9$€£¥])\s*$"
)
"""Words in front of a capitalised purpose of an amount, which is no recipient: `für Miete`."""
_CAPITALISED_WORDS: Final = frozenset(
    "eur euro euros usd dollar dollars gbp pound pounds chf january february march april may june july august "
    "september october november december monday tuesday wednesday thursday friday saturday sunday".split()
)
"""Words with capitals that name nobody."""
_ADDRESS_DOMAINS: Final = frozenset({"digits", "iban", "joint", "email"})
_WORD: Final = compile_later(r"[^\W_](?:[\w@.+/-]*[^\W_])?")
_MAX_SHARES: Final = 16
_MAX_KEYS: Final = 48
_MAX_SHARE_FORMS: Final = 256
_MAX_SHARE_WORDS: Final = 96
_MIN_WORD: Final = 2  # characters
_MAX_NOUN: Final = 24  # characters of what stands in front of a number
_LONE_NUMBER_DOMAIN: Final = "*"
"""Key of lone numbers, in place of a target's key."""
_NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class _Share:
    """The amounts of a text that are for one target.

    Args:
        text: the clauses in which they stand.
        amounts: in the order of the text.
        factor: how many times their sum the ceiling is.
    """

    text: str
    amounts: list[PaidAmount] = field(default_factory=list)
    factor: int = 1

    @property
    def total(self) -> int:
        """Sum in hundredths; of an amount with two readings (`1.500`) the larger."""
        return self.factor * sum(
            max(abs(to_hundredths(reading)) for reading in amount.readings) for amount in self.amounts
        )


def find_ceiling_forms(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the forms by which `is_above_ceiling` later finds the ceilings of a text.

    There are none if the text pays nothing, or if an amount is taken off a sum that the text does not give. If
    something unknown is added (`20 plus tip`), the ceilings are twice as high. If the amounts are multiplied (`20
    each`), they are higher by the largest count in the text, or by the months of a year.

    Args:
        text: of the user.
        find_forms: the forms of the accounts and addresses in a text.
    """
    text = _write_ascii_digits(text)
    amounts = [amount for amount in find_paid_amounts(text) if not _is_percentage(text, amount)]
    if not amounts or _takes_off(text, amounts):
        return
    amounts = _drop_reported_amounts(text, amounts)
    factor = _find_factor(text)
    shares = _split_shares(text, amounts)
    for share in shares:
        share.factor = factor
    yield _WROTE_AMOUNT
    yield from _cover(max(share.total for share in shares))
    yield from {_make_amount_form(to_hundredths(reading)) for amount in amounts for reading in amount.readings}
    for key, total in _sum_for_targets(shares, find_forms).items():
        yield _make_target_form(key)
        yield from _cover(total, key)


def list_ceilings_of(amounts: Mapping[str, int]) -> Iterator[Form]:
    """List the forms of ceilings, given the sum in hundredths for each key of a target."""
    yield _WROTE_AMOUNT
    yield from _cover(max(amounts.values()))
    yield from map(_make_amount_form, sorted(set(amounts.values())))
    for key, hundredths in amounts.items():
        yield _make_target_form(key)
        yield from _cover(hundredths, key)


def _takes_off(text: str, amounts: Sequence[PaidAmount]) -> bool:
    """Whether the sum to pay cannot be known: "the rent less 50"."""
    taking_off = _TAKING_OFF.search(text)
    return taking_off is not None and amounts[0].start > taking_off.start()


def _is_percentage(text: str, amount: PaidAmount) -> bool:
    """Whether an amount is a share of another one: "a tip of 10%"."""
    return _PERCENTAGE.match(text, amount.start) is not None


_PERCENTAGE: Final = compile_later(r"[0-9.,]{1,16} ?(?:%|percent\b)", re.IGNORECASE)


def _find_factor(text: str) -> int:
    """Find the factor between the amounts and their ceiling, for what the text leaves open."""
    factor = _ADDED_SHARE if _ADDING.search(text) is not None else 1
    if _MULTIPLYING.search(text) is None:
        return factor
    each_of = _EACH_OF.search(text)
    if each_of is not None:
        return factor * (_FEW.get(each_of[1].lower()) or int(each_of[1]))
    counts = [int(match[0]) for match in _COUNT.finditer(text)]
    return factor * max([_USUAL_COUNT, *[count for count in counts if count <= _MAX_COUNT]])


def _write_ascii_digits(text: str) -> str:
    """Write full-width digits and digits of other scripts in ASCII, in a text of the same length."""
    return text if text.isascii() else _DIGIT.sub(lambda match: str(int(match[0])), text)


_DIGIT: Final = compile_later(r"\d")


def _drop_reported_amounts(text: str, amounts: list[PaidAmount]) -> list[PaidAmount]:
    """Remove the amounts of sentences that only report something, if another sentence asks for something.

    Of "I have 900 euros left. Send Ana 20 euros", 900 is not an amount to pay.
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    sentences = list(pairwise([0, *ends, len(text)]))
    with_amounts = [
        (start, end, [amount for amount in amounts if start <= amount.start < end]) for start, end in sentences
    ]
    with_amounts = [item for item in with_amounts if item[2]]
    if len(with_amounts) < 2:
        return amounts
    ordering = [item for item in with_amounts if _asks_for_anything(text[item[0] : item[1]])]
    if not ordering:
        return amounts
    reported = [
        amount.start
        for start, end, found in with_amounts
        if (start, end, found) not in ordering and not _names_target(text[start:end], found[-1].start - start)
        for amount in found
    ]
    return [amount for amount in amounts if amount.start not in reported]


def _asks_for_anything(sentence: str) -> bool:
    """Whether a sentence asks for anything: "Pay Ana 20", "Make it 25"."""
    return bool(find_asked_stems(sentence) or find_foreign_acts(sentence))


# forms


def _make_amount_form(hundredths: int) -> Form:
    """Make the form that says that the user wrote exactly this amount."""
    return make_form(("ceiling", f"={hundredths}"))


def _make_target_form(key: str) -> Form:
    """Make the form that says that an amount stands beside this word or address."""
    return make_form(("ceiling", f"{key}|"))


# An interval has a level, it is 2**level hundredths long, and a number: so many of its length lie below it. The form of
# one says that it is below a ceiling: that of a target, by a word or an address as key, or that of all others.


def _list_intervals(hundredths: int, key: str | None) -> list[Form]:
    """List the forms of all intervals that an amount lies in."""
    prefix = "" if key is None else f"{key}|"
    return [make_form(("ceiling", f"{prefix}{level} {hundredths >> level}")) for level in range(_MAX_LEVEL + 1)]


def _is_in_any_interval(hundredths: int, look_up: Callable[[Iterable[Form]], Iterable[bool]], key: str | None) -> bool:
    """Whether a ceiling of the user's texts covers one of the intervals in which an amount lies.

    The intervals up to a few times the amount are looked up first, since most ceilings are of about its size.
    """
    forms = _list_intervals(hundredths, key)
    usual = hundredths.bit_length() + 2
    return any(look_up(forms[:usual])) or any(look_up(forms[usual:]))


def _cover(ceiling: int, key: str | None = None) -> Iterator[Form]:
    """Cover [0, ceiling] with the fewest intervals, as forms."""
    prefix = "" if key is None else f"{key}|"
    left, start = min(ceiling, 2**_MAX_LEVEL - 1) + 1, 0
    for level in range(_MAX_LEVEL, -1, -1):
        if left >= 1 << level:
            yield make_form(("ceiling", f"{prefix}{level} {start >> level}"))
            start += 1 << level
            left -= 1 << level


# who gets which amount


def _split_shares(text: str, amounts: Sequence[PaidAmount]) -> list[_Share]:
    """Split the amounts of a text into shares, each for one target.

    A clause with an amount begins a new share if it names a target and the share before has one already. Any other
    clause adds to the share before: "Pay Hansen 480 for the rent and 20 for the heating".
    """
    shares: list[_Share] = []
    has_target = False  # of the last share
    has_account = _ADDRESS.search(text) is not None
    amounts_left = list(reversed(amounts))
    for start, end in _split_clauses(text):
        inside: list[PaidAmount] = []
        while amounts_left and amounts_left[-1].start < end:
            inside.append(amounts_left.pop())
        if not inside:
            continue
        clause = text[start:end]
        names_target = _names_target(clause, inside[-1].start - start, has_account=has_account)
        if not shares or (names_target and has_target):
            shares.append(_Share(clause, inside))
            has_target = names_target
        else:
            shares[-1].text += f"\n{clause}"
            shares[-1].amounts += inside
            has_target = has_target or names_target
    return shares


def _split_clauses(text: str) -> Iterator[tuple[int, int]]:
    """Iterate over (start, end) of each clause."""
    start = 0
    for match in _CLAUSE_END.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _names_target(clause: str, amount_start: int, *, has_account: bool = False) -> bool:
    """Whether a clause says to whom the amount that begins at `amount_start` goes.

    Args:
        clause: of a text.
        amount_start: where the amount begins in the clause.
        has_account: the text names an account. An id such as `TN-90` is then a purpose, and no target.
    """
    if _ADDRESS.search(clause) is not None or _NAME_BEHIND_AMOUNT.search(clause) is not None:
        return True
    if any(is_name(match[1]) for match in _TO_SOMEBODY.finditer(clause)):
        return True
    return any(
        match.start() < amount_start
        and _BEFORE_PURPOSE.search(clause[: match.start()]) is None
        and not (has_account and any(map(str.isdigit, match[0])))
        and is_name(match[0])
        for match in _CAPITALISED.finditer(clause)
    )


def is_name(word: str) -> bool:
    """Whether a word can be somebody's name, and not a currency, a day, a verb or a common word."""
    folded = word.casefold()
    if folded in _CAPITALISED_WORDS:
        return False
    for stem in split_name(folded):
        if stem in STOP_WORDS or stem in POLICY_ASKING_WORDS:
            return False
    return not find_foreign_acts(word)  # last, since it takes longest


def _sum_for_targets(shares: Sequence[_Share], find_forms: Callable[[str], Iterable[Form]]) -> dict[str, int]:
    """Sum the amounts beside each target, in hundredths, by the target's words and addresses.

    By its addresses alone if there are too many words; nothing if there are too many of either.
    """
    if len(shares) > _MAX_SHARES:
        return {}
    for list_keys in (_list_names_and_addresses, _list_addresses):
        totals: dict[str, int] = {}
        for share in shares:
            for key in list_keys(share.text, find_forms(share.text)):
                totals[key] = totals.get(key, 0) + share.total
        if len(totals) <= _MAX_KEYS:
            return totals
    return {}


def _list_names_and_addresses(text: str, forms: Iterable[Form]) -> set[str]:
    words = list_words(text)
    names = set(filter(is_name, words)) if len(words) <= _MAX_SHARE_WORDS else set[str]()
    return names | _list_addresses(text, forms)


def _list_addresses(_text: str, forms: Iterable[Form]) -> set[str]:
    """List accounts and e-mail addresses as keys."""
    return {f"{form.domain} {form.text}" for form in forms if form.domain in _ADDRESS_DOMAINS}


def list_target_keys(text: str, forms: Iterable[Form]) -> set[str]:
    """List the keys of a call's target, by which the user's amounts beside it are found: its words and addresses.

    Args:
        text: of the target, as the argument has it.
        forms: of the same text.
    """
    return list_words(text) | _list_addresses(text, forms)


def list_words(text: str) -> set[str]:
    """List the words of a text that can be part of a name, in small letters."""
    words = map(str.casefold, _WORD.findall(text))
    return {word for word in words if len(word) >= _MIN_WORD and not word.isdigit()}


# amounts of calls


def is_above_ceiling(
    amount: str,
    look_up: Callable[[Iterable[Form]], Iterable[bool]],
    *,
    keys: Iterable[str] = (),
    paid_before: Decimal = _NOTHING,
    is_written: bool = False,
) -> bool:
    """Whether an amount is more than the user wrote for a target; False if the user wrote no amount.

    Args:
        amount: as an argument has it. Anything but a number is above each ceiling.
        look_up: tells of forms whether a text of the user gave them.
        keys: of its targets (`list_target_keys`).
        paid_before: what was paid to them already for the same message of the user.
        is_written: the user wrote the number. It is an amount only where it stands as one.
    """
    if not any(look_up([_WROTE_AMOUNT])):
        return False
    try:
        hundredths = abs(to_hundredths(amount)) + to_hundredths(str(paid_before))
    except InvalidOperation:
        return True

    def is_covered(key: str | None) -> bool:
        return _is_in_any_interval(hundredths, look_up, key)

    keys = list(keys)
    known = look_up([_make_target_form(key) for key in keys])
    keys_beside_amounts = [key for key, is_known in zip(keys, known, strict=True) if is_known]
    if keys_beside_amounts:
        return not all(map(is_covered, keys_beside_amounts))
    is_amount = is_written and not paid_before and any(look_up([_make_amount_form(hundredths)]))
    return not is_amount and not is_covered(None)


def has_written_amount(look_up: Callable[[Iterable[Form]], Iterable[bool]]) -> bool:
    """Whether a text of the user has an amount, or a number that stands alone and may be one.

    Args:
        look_up: says of forms whether a text of the user gave them.
    """
    return any(look_up([_WROTE_AMOUNT, _make_target_form(_LONE_NUMBER_DOMAIN)]))


_LONE_NUMBER: Final = compile_later(
    r"(?<![\w#.,:/@+-])(?!(?:19|20)[0-9]{2}(?![0-9.,]))"
    r"([0-9]{2,6}(?:[.,][0-9]{1,2})?|[0-9][.,][0-9]{2})(?![\w:/@%-]|[.,][0-9])"
    r"(?! ?(?:people|persons?|guests?|nights?|days?|weeks?|months?|years?|minutes?|mins?|hours?|hrs?|am|pm|o['’]?clock"
    r"|kg|g|km|m|cm|units?|pieces?|pcs|boxes|crates|bottles|bags|times|items|seats|tickets|copies|january|february"
    r"|march|april|may|june|july|august|september|october|november|december)\b)"
    r"(?! ?°| (?!(?:euros|dollars|pounds|francs|pesos|rupees|cents|bucks|as|buys|comes|counts|covers|does|equals|fits"
    r"|gets|goes|has|includes|is|its|less|looks|makes|minus|needs|pays|plus|remains|seems|sounds|stays|suits|this|thus|towards"
    r"|unless|was|works|yes)\b)[a-z]{2,24}s\b)"
)
"""A number without a noun behind it. "60 degrees" and "12 kayaks" are no amounts."""
_GROUPED: Final = compile_later(r"(?<![\w.,-])(?:[A-Z]{2})?[0-9]{2,4}(?: [0-9]{2,4}){2,8}(?! ?[0-9])(?![\w.,-]*\w)")
"""An account in groups, whose parts are no numbers of their own."""
_BEFORE_NUMBER: Final = compile_later(
    r"\b(?:order|invoice|mail|message|ticket|case|claim|table|room|no|nr|number|id|booking|lot|page|form|version|unit|flat"
    r"|apartment|house|gate|line|row|seat|bus|flight|train|class|street|road|lane|avenue|building|locker|lane|contract"
    r"|account|policy|file|issue|report|letter|request|until|at|by|on|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|[a-z]+strasse|[a-z]+straße)\.? ?$",
    re.IGNORECASE,
)


def find_lone_number_forms(text: str) -> Iterator[Form]:
    """Find the forms of the largest number that stands alone in a text, and may be an amount.

    Args:
        text: of the user.
    """
    numbers = [to_hundredths(number) for _, number in find_lone_numbers(_write_ascii_digits(text))]
    if numbers:
        yield _make_target_form(_LONE_NUMBER_DOMAIN)
        yield from _cover(max(numbers), _LONE_NUMBER_DOMAIN)


def find_lone_numbers(text: str) -> list[tuple[int, str]]:
    """Find start and numeral of each number that stands alone, and is no part of an account in groups."""
    grouped = [match.span() for match in islice(_GROUPED.finditer(text), _MAX_KEYS)]
    return [
        (match.start(), match[1].replace(",", "."))
        for match in islice(_LONE_NUMBER.finditer(text), _MAX_KEYS)
        if _BEFORE_NUMBER.search(text, max(match.start() - _MAX_NOUN, 0), match.start()) is None
        and not any(start <= match.start() < end for start, end in grouped)
    ]


def is_above_numbers(amount: str, look_up: Callable[[Iterable[Form]], Iterable[bool]]) -> bool:
    """Whether an amount is above each lone number of the user's texts; False if there is none.

    "They were charged 348 twice, refund one" allows no 696 that only a mail contains.

    Args:
        amount: as an argument has it. Anything but a number is above all.
        look_up: says of forms whether a text of the user gave them.
    """
    if not any(look_up([_make_target_form(_LONE_NUMBER_DOMAIN)])):
        return False
    try:
        return not _is_in_any_interval(abs(to_hundredths(amount)), look_up, _LONE_NUMBER_DOMAIN)
    except InvalidOperation:
        return True


def find_share_forms(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the amounts of a text that are for several targets, each with the words and addresses beside it.

    Of a text without amounts, the lone numbers.

    Args:
        text: of the user.
        find_forms: the forms of the accounts and addresses in a text.
    """
    text = _write_ascii_digits(text)
    amounts: Sequence[PaidAmount] = find_paid_amounts(text)
    amounts = amounts or [PaidAmount(start, (number,)) for start, number in find_lone_numbers(text)]
    shares = _split_shares(text, amounts)
    if not 1 < len(shares) <= _MAX_SHARES:
        return
    written = set[Form]()
    for share in shares:
        numbers = {str(abs(to_hundredths(reading))) for amount in share.amounts for reading in amount.readings}
        keys = _list_names_and_addresses(share.text, find_forms(share.text))
        written |= {make_form(("share", f"{key}{end}")) for key in keys for end in ("", *(f"={x}" for x in numbers))}
        written |= {make_form(("share", f"={number}")) for number in numbers}
    yield from islice(sorted(written), _MAX_SHARE_FORMS)


def is_share_of_other(amount: str, look_up: Callable[[Iterable[Form]], Iterable[bool]], keys: Iterable[str]) -> bool:
    """Whether the user wrote an amount only for another target: 100 of "400 to A and 100 to B" is not for A.

    Args:
        amount: as an argument has it.
        look_up: says of forms whether a text of the user gave them.
        keys: of its targets (`list_target_keys`).
    """
    try:
        number = str(abs(to_hundredths(amount)))
    except InvalidOperation:
        return False
    keys = list(keys)
    beside = [
        key for key, is_beside in zip(keys, look_up([Form("share", key) for key in keys]), strict=True) if is_beside
    ]
    if not beside or not any(look_up([Form("share", f"={number}")])):
        return False
    return not any(look_up([Form("share", f"{key}={number}") for key in beside]))


def to_hundredths(amount: str) -> int:
    """Convert a plain decimal numeral to hundredths, rounded up: `12.345` is 1235.

    Huge numbers become one number above any ceiling.

    Raises:
        InvalidOperation: it is no number.
    """
    value = Decimal(amount)
    if not value.is_finite():
        raise InvalidOperation
    if value.adjusted() > _MAX_EXPONENT:
        return (1 << 2 * _MAX_LEVEL) * (-1 if value < 0 else 1)
    if value.adjusted() <= -_MAX_LEVEL:
        return int(value > 0)  # a product may be too small for a Decimal, and then is 0
    return ceil(value * 100)
