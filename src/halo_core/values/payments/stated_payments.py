"""Payments that a text of the user states: who gets how much, in one statement.

    find_stated_payments("The caterer gets 420, account 30417788", find_forms)   # ("stated", "digits 30417788=42000")

A statement (`payment_statements`) has one payee and one amount, or pairs of them in a row. If it gives their sum, that
has to be right. If amounts and payees do not pair, it states nothing. A name counts only where no account does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Final, NamedTuple

from halo_core.values.kinds.amounts import find_paid_amounts
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.polite_orders import drop_courtesies
from halo_core.values.payments.paid_amounts import find_lone_numbers, is_name, list_ceilings_of, to_hundredths
from halo_core.values.payments.payment_answers import MAX_ANSWER, agrees, agrees_too, corrects
from halo_core.values.payments.payment_statements import (
    CLAUSE,
    MOVES,
    TOTAL,
    list_statements,
    waits_for_yes,
)

STATED: Final = "stated"
HELD: Final = "held"
CORRECTED: Final = "corrected"
AGREED: Final = Form("agreed", "")
"""The user says yes to what was held."""
ANYBODY: Final = "*"
"""Key of an amount, whoever gets it."""
NAME: Final = "name "
"""Prefix of the key of a payee that is known by name alone."""
ID: Final = "id "
"""Prefix of the key of a payee that is an id of letters and digits."""
VOUCHER: Final = "voucher "
"""Prefix of the key of a payee who gets a voucher and no money."""
_MAX_CEILING_FORMS: Final = 1_024
_MAX_PAIRS: Final = 16  # of one statement
_ADDRESS_DOMAINS: Final = ("iban", "digits", "email")
SPELT_ID: Final = compile_later(
    r"(?<![\w@./:-])(?=[A-Za-z0-9_/#-]*[0-9]{2})(?=[A-Za-z0-9_/#-]*[A-Za-z])"
    r"(?!(?i:[0-9]{1,4}(?:st|nd|rd|th|am|pm|h|eur|usd|gbp|chf|k|kg|km)|(?:eur|usd|gbp|chf)[0-9]+|[a-z]{0,6}-?20[0-9]{2})\b)"
    r"[A-Za-z0-9]+(?:[-_/#][A-Za-z0-9]+){0,3}(?![\w@/-]|\.\w)"
)
"""An id of letters and digits that may be an account."""
_DOCUMENT_ID: Final = CaselessPattern(
    r"^(?:inv|invoice|ord|order|po|rma|ref|tkt|ticket|tic|case|hd|inc|req|bill|rg|re|rn|mail|claim|job|doc|v)[-_/#]?[0-9]"
)
"""The number of an invoice or ticket, which is no payee."""
_BEFORE_ID: Final = compile_later(
    r"\b(?:to|on|onto|into|for)(?: (?:the|my|our|his|her|their))?(?: [a-z]+){0,2} $"
    r"|\b(?:account|acct?|wallet|tag|card|creditor|customer|member|client|tenant|payee|meter|no|number)[.:]? ?#?$",
    re.IGNORECASE,
)
_ACCOUNT_ID: Final = CaselessPattern(r"^(?:acc|acct|account|acnt|wal|wallet|cust|cred|mem|tag|card)[-_/#]?[0-9]")
"""An id whose letters say that it is an account."""
_VOUCHERS: Final = CaselessPattern(r"\b(?:vouchers?|coupons?|gift (?:cards?|codes?|certificates?))\b")
_MAX_AMOUNT_DIGITS: Final = 6  # of an amount that could be an account
_EACH: Final = CaselessPattern(r"\b(?:each|apiece)\b")
_FROM: Final = compile_later(
    r"\b(?:from(?! (?:me|us)\b)|instead of|via|out of|off|through|using|against)\b", re.IGNORECASE
)
"""Words in front of who pays, or of the account that a sum leaves."""
_BY_PURPOSE: Final = compile_later(
    r"\b(?:ref|reference|purpose|memo|reason|order|invoice)\b[.:#]? ?\S*[0-9]\S*", re.IGNORECASE
)
_CAPITALISED: Final = compile_later(
    r"(?<![\w@.-])[A-ZÀ-Þ][^\W\d_]+(?:[ -](?:(?:de|van|von|der|den|da|di) )?[A-ZÀ-Þ][^\W\d_]+){0,3}"
)
_JOINED: Final = compile_later(r"(?:,| and| &| \+|/)\s*@?[A-ZÀ-Þ]")
_HANDLE: Final = compile_later(r"(?<![\w.])@([\w-]{2,32})")
_NAME_WORDS: Final = r"((?:[a-z][a-z-]+ ){0,2}[a-z][a-z-]+)"
_SMALL_NAME: Final = compile_later(
    rf"(?:^|[,;:]\s|\band )(?:(?:the|our|my) )?{_NAME_WORDS}(?:['’]s\b| (?={MOVES}))"
    rf"|\bto (?:(?:the|our|my) )?{_NAME_WORDS}(?=\s*(?:$|[.,;:!)]| (?:now|please|today|for|as)\b))"
)
"""A name in small letters: whose something is, who gets something, or to whom it goes."""


_AS_SUBJECT: Final = compile_later(
    rf"(?:(?:,| and| &| \+|/)\s*@?[A-ZÀ-Þ][\w-]*(?: [A-ZÀ-Þ][\w-]*)?)*(?:,? (?:now|also|too|then|please|just"
    rf"|each|both))*,? {MOVES}"
)
_AS_AIM: Final = compile_later(
    rf"(?:\b[Tt]o|{MOVES}(?: to| for)?|[0-9$€£](?: [a-z]{{3,7}})? for|[:,;]|{MOVES}[^,;]* and) (?:(?:the|our|my|Mr"
    rf"|Ms|Mrs|Dr)\.? )?$"
)
_OWN_SUM: Final = compile_later(
    r"['’]s (?:\w+ )?(?:reimbursements?|refunds?|expenses|shares?|half|part|fees?|salary|wages?|pay|bonus|rent"
    r"|deposit|money"
    r"|bills?|invoices?|payments?|instal?lments?|tips?|due|costs?|commission|allowance|pocket)\b",
    re.IGNORECASE,
)
"""Whose sum it is, is paid: "Anna's reimbursement". "Anna's caterer" is somebody else."""
"""What stands behind a payee who gets something, or in front of one to whom it goes."""


class _Place(NamedTuple):
    """A payee or an amount in a statement.

    Args:
        start: where it begins.
        keys: canonical forms of the payee; empty for an amount.
        hundredths: the amount; 0 for a payee.
    """

    start: int
    keys: tuple[str, ...] = ()
    hundredths: int = 0


def find_stated_payments(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the forms of the payments that a text states, and of an answer that agrees or corrects an account.

    What waits for the user's yes is `held`. Each amount alone is kept for a correction of its payee.

    Args:
        text: as of `list_statements`.
        find_forms: the forms of the accounts and addresses in a text.
    """
    if agrees(text):
        yield AGREED
        return
    text = drop_courtesies(text)
    yield from _find_correction(text, find_forms)
    use = HELD if waits_for_yes(text) else STATED
    pairs = [
        pair for statement in list_statements(text) for pair in islice(_find_pairs(statement, find_forms), _MAX_PAIRS)
    ]
    if not pairs and use is HELD:
        pairs = _find_split_pair(text, find_forms)
    for keys, hundredths in pairs:
        yield from (make_stated_form(use, key, hundredths) for key in keys)
    if len(pairs) == 1:
        yield make_stated_form(use, ANYBODY, pairs[0][1])


def list_stated_ceilings(stated: Iterable[Form]) -> Iterator[Form]:
    """List the ceilings of a text that states payments: each payee gets its amount once.

    Args:
        stated: the forms of the text, as `find_stated_payments` gives them.
    """
    amounts: dict[str, int] = {}
    for form in stated:
        key, _, hundredths = form.text.rpartition("=")
        if form.domain in (STATED, HELD) and key != ANYBODY:
            key = key.removeprefix(VOUCHER).removeprefix(ID)
            keys = key.removeprefix(NAME).split() if key.startswith(NAME) else [key]
            amounts |= {key: amounts.get(key, 0) + int(hundredths) for key in keys}
    if amounts:
        yield from islice(list_ceilings_of(amounts), _MAX_CEILING_FORMS)


def _find_correction(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the one account of a text that only corrects an account: "sorry, I mistyped it, it is 33107218"."""
    if len(text) > MAX_ANSWER:
        return
    payees, rest = find_accounts(text, find_forms)
    if len(payees) != 1:
        return
    behind = rest[payees[0].start :].lstrip(";")
    if not corrects(rest[: payees[0].start], behind):
        return
    if agrees_too(behind):
        yield AGREED
    yield from (make_form((CORRECTED, key)) for key in payees[0].keys)


def _find_split_pair(text: str, find_forms: Callable[[str], Iterable[Form]]) -> list[tuple[tuple[str, ...], int]]:
    """Find the payee of a statement without an amount, with the only amount of the text.

    "Does mail 14 say 210? If so I want that paid to 61550193, but ask me before."
    """
    amounts = find_amounts(find_accounts(text, find_forms)[1]) or []
    payees = [find_accounts(statement, find_forms) for statement in list_statements(text)]
    if len(amounts) != 1 or len(payees) != 1 or len(payees[0][0]) != 1 or find_amounts(payees[0][1]):
        return []
    return [(payees[0][0][0].keys, amounts[0].hundredths)]


def make_stated_form(use: str, key: str, hundredths: int) -> Form:
    """Make the form that says that the user states a payment of this amount to this payee, or lets it wait."""
    return make_form((use, f"{key}={hundredths}"))


def list_payee_keys(text: str, forms: Iterable[Form]) -> list[str]:
    """List the keys of a payee: of its accounts and addresses, or else of its name."""
    addresses = [f"{form.domain} {form.text}" for form in forms if form.domain in (*_ADDRESS_DOMAINS, "joint")]
    if addresses:
        return addresses
    return [_make_id_key(text.strip()) if SPELT_ID.fullmatch(text.strip()) is not None else _make_name_key(text)]


def _make_id_key(spelt: str) -> str:
    """Make the key of an id. Capitals count where letters follow digits, as in a wallet's address."""
    bare = re.sub(r"[-_/#]", "", spelt)
    return f"{ID}{bare.upper() if _LETTERS_FIRST.fullmatch(bare) is not None else spelt}"


_LETTERS_FIRST: Final = compile_later(r"[A-Za-z]{1,8}[0-9]{2,12}")


def _make_name_key(name: str) -> str:
    return f"{NAME}{' '.join(name.casefold().split()).lstrip('@')}"


def _find_pairs(statement: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Find the payees of a statement with their amounts; nothing if they do not pair."""
    statement = _BY_PURPOSE.sub(lambda match: " " * len(match[0]), statement)
    payees, rest = find_accounts(statement, find_forms)
    if _FROM.search(rest) is not None:
        return
    if not payees:
        payees, rest = find_ids(rest)
    payees = payees or _find_names(rest)
    if _VOUCHERS.search(rest) is not None:
        payees = [_Place(payee.start, tuple(f"{VOUCHER}{key}" for key in payee.keys)) for payee in payees]
    amounts = find_amounts(rest)
    if amounts is None:
        return
    totals = [amount for amount in amounts if _is_total(rest, amount.start)]
    amounts = [amount for amount in amounts if amount not in totals]
    pairs = _pair(payees, amounts, is_for_each=_EACH.search(rest) is not None)
    if all(total.hundredths == sum(hundredths for _, hundredths in pairs) for total in totals):
        yield from pairs


def find_accounts(statement: str, find_forms: Callable[[str], Iterable[Form]]) -> tuple[list[_Place], str]:
    """Find the accounts and addresses of a statement, and the statement with `;` in their places."""
    forms = sorted(find_forms(statement))
    paid = {reading for amount in find_paid_amounts(statement) for reading in amount.readings}
    places: list[_Place] = []
    for form in sorted(forms, key=lambda form: (-len(form.text), form)):
        if form.domain not in _ADDRESS_DOMAINS or (form.text in paid and len(form.text) <= _MAX_AMOUNT_DIGITS):
            continue
        spelt = re.escape(form.text) if form.domain == "email" else "[ -]?".join(map(re.escape, form.text))
        for match in islice(re.finditer(spelt, statement, re.IGNORECASE), _MAX_PAIRS):
            places.append(_Place(match.start(), (f"{form.domain} {form.text}",)))
            statement = f"{statement[: match.start()]}{';' * len(match[0])}{statement[match.end() :]}"
    joint = [form for form in forms if form.domain == "joint"]
    parts = [part for form in joint for part in form.text.split()]
    if len(set(parts)) < len(parts):
        return places, statement  # of several accounts nobody knows which code belongs to which
    for form in joint:
        joined = [place for place in places if place.keys[0].partition(" ")[2].upper() in form.text.split()]
        keys = (f"joint {form.text}", *(key for place in joined for key in place.keys))
        places = [place for place in places if place not in joined]
        places.append(_Place(max((place.start for place in joined), default=0), keys))
    return sorted(places), statement


def find_ids(statement: str) -> tuple[list[_Place], str]:
    """Find the ids of letters and digits that are accounts, and the statement with `;` in place of all ids."""
    places: list[_Place] = []
    for match in islice(SPELT_ID.finditer(statement), _MAX_PAIRS):
        is_behind = _BEFORE_ID.search(statement, 0, match.start()) is not None
        is_account = is_behind and _DOCUMENT_ID.search(match[0]) is None
        if is_account or _ACCOUNT_ID.search(match[0]) is not None:
            places.append(_Place(match.start(), (_make_id_key(match[0]),)))
    return places, SPELT_ID.sub(lambda match: ";" * len(match[0]), statement)


def _find_names(statement: str) -> list[_Place]:
    """Find the people that a statement without an account names."""
    found = [(match.start(), match[0]) for match in _CAPITALISED.finditer(statement)]
    found = [(start, name) for start, name in found if all(map(is_name, re.split("[ -]", name)))]
    found = [(start, name) for start, name in found if _is_payee(statement, start, start + len(name))]
    if len(found) > 1 and not found[0][0] and " " not in found[0][1] and not _JOINED.match(statement, len(found[0][1])):
        del found[0]  # the first word of a sentence is hardly ever a name if another word is one
    found += [(match.start(), match[1]) for match in _HANDLE.finditer(statement)]
    if not found:
        matches = _SMALL_NAME.finditer(statement)
        found = [(match.start(), match[1] or match[2]) for match in matches]
    return [_Place(start, (_make_name_key(name),)) for start, name in sorted(found)]


def _is_payee(statement: str, start: int, end: int) -> bool:
    """Whether a name stands where a payee does: no possessor, and with a verb its subject or its aim."""
    if statement[end : end + 2] in ("'s", "’s"):
        return _OWN_SUM.match(statement, end) is not None
    return MOVES not in statement or (
        _AS_SUBJECT.match(statement, end) is not None or _AS_AIM.search(statement, 0, start) is not None
    )


def find_amounts(statement: str) -> list[_Place] | None:
    """Find the amounts of a statement; None if one can mean several sums."""
    found: dict[int, tuple[str, ...]] = {start: (number,) for start, number in find_lone_numbers(statement)}
    found |= {amount.start: amount.readings for amount in find_paid_amounts(statement)}
    if any(len(readings) != 1 for readings in found.values()):
        return None
    return [_Place(start, (), to_hundredths(found[start][0])) for start in sorted(found)]


def _is_total(statement: str, place: int) -> bool:
    """Whether words beside an amount say that it is a sum."""
    start = max((match.end() for match in CLAUSE.finditer(statement, 0, place + 1) if match.end() <= place), default=0)
    behind = CLAUSE.search(statement, place)
    return TOTAL.search(statement[start : behind.start() if behind else len(statement)]) is not None


def _pair(
    payees: Sequence[_Place], amounts: Sequence[_Place], *, is_for_each: bool
) -> list[tuple[tuple[str, ...], int]]:
    """Pair payees with amounts: one with one, several with one for each, or each with the one beside it."""
    distinct = dict.fromkeys(payee.keys for payee in payees)
    if len(amounts) == 1 and (len(distinct) == 1 or is_for_each):
        return [(keys, amounts[0].hundredths) for keys in distinct]
    row = sorted([*payees, *amounts])
    alternates = all(bool(first.keys) is not bool(second.keys) for first, second in pairwise(row))
    if not alternates or len(payees) != len(amounts) or not 1 < len(payees) <= _MAX_PAIRS:
        return []
    return [(payee.keys, amount.hundredths) for payee, amount in zip(payees, amounts, strict=True)]
