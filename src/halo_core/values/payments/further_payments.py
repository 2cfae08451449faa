"""Further amounts that a later message of the user gives to the account of an earlier one.

    find_further_amounts("I forgot the vaccine, 31 more to the same account")   # frozenset({3100})
    find_further_amounts("He says 31 more should go to the same account")       # frozenset(): a report
    find_further_amounts("Send it again to the same account")                   # frozenset(): no amount

A further amount is no repetition of what was paid, and it does not count against the earlier amount.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from halo_core.values.kinds.amounts import find_paid_amounts
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.number_words import write_number_words
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.payments.paid_amounts import find_lone_numbers, to_hundredths
from halo_core.values.payments.payment_statements import list_statements, waits_for_yes
from halo_core.values.requests.user_texts import drop_forbidden

_MAX_CHARS: Final = 1_024
_ACCOUNTS: Final = frozenset({"iban", "digits", "joint", "email"})
_UNIT: Final = r"(?:euros?|eur|usd|gbp|chf|pounds?|quid|dollars?|bucks|francs?)"
_MONEY: Final = rf"(?:[$€£] ?|{_UNIT} )?[0-9]{{1,6}}(?:[.,][0-9]{{1,2}})?(?![0-9]|[.,][0-9])(?: ?(?:[$€£]|{_UNIT}\b))?"
_FURTHER: Final = compile_later(
    rf"\b(?:another|(?:a |an )?(?:further|additional|extra)) (?P<before>{_MONEY})"
    rf"|(?<![\w.,-])(?P<behind>{_MONEY}) (?:more|extra|further|on top|additionally)\b(?! (?:than|or less))",
    re.IGNORECASE,
)
"""An amount beside a word which says that it is another one."""
_SAME_PAYEE: Final = CaselessPattern(
    r"\bsame (?:account|acct|acc|iban|payee|person|place|card|number|details|recipient|wallet|address|one)\b"
    r"|\b(?:send|give|pay|transfer|wire|get|slip|shoot|sling) (?:him|her|them)\b|\bto (?:him|her|them)\b"
)
_GIVEN: Final = compile_later(
    rf"\b(?:send|give|pay|transfer|wire|get|slip|shoot|sling) (him|her|them) ({_MONEY})", re.IGNORECASE
)
_EXCUSE: Final = compile_later(
    r"(?:^|(?<=[.!;\n] )|(?<=\n))(?:(?:and|oh|oops|sorry|argh|damn|right|hm+|ah|also|btw|by the way|actually"
    r"|one more thing|my (?:mistake|bad|fault))\b[,.!: –-]*)*"
    r"(?:(?:i|we)(?:['’]ve| have)? (?:just )?(?:forgot(?:ten)?|missed|overlooked|left out|miscounted)"
    r"(?: (?!not\b)[\w'’-]+){0,5}"
    r"|there (?:is|was)(?: also)?(?: (?!no\b|not\b)[\w'’-]+){1,5}"
    r"|(?:he|she|they)(?: also)? (?:was|were|came|worked|stayed|helped)(?: (?!not\b|never\b|only\b)[\w'’-]+){0,5})"
    r"\s*[,:;–-]+\s*(?:so |and )?",
    re.IGNORECASE,
)
"""Why the user pays more: "I forgot the vaccine, ..."."""
_ASIDE: Final = compile_later(
    r"(?:,| and|;)\s*(?:please )?(?:remind me|tell me|let me know|the note|note|ref|reference|memo|purpose|subject"
    r"|text)\b"
    r"(?:(?! (?:if|whether|when|once|unless|until|before|after)\b)[^.!?;\n0-9$€£])*(?=[.!;\n]|$)",
    re.IGNORECASE,
)
"""What a sentence says of the purpose or of reminders, without a number and a condition."""


@lru_cache(maxsize=256)
def find_further_amounts(text: str) -> frozenset[int]:
    """Find the amounts, in hundredths, that a text gives in addition to an account which an earlier text named.

    Args:
        text: of the user. What it only reports, asks, denies or lets wait is no order.
    """
    if len(text) > _MAX_CHARS or _SAME_PAYEE.search(text) is None:
        return frozenset()
    written = write_number_words(drop_quoted(drop_forbidden(text)))
    if waits_for_yes(written) or _FURTHER.search(written) is None:
        return frozenset()
    plain = _FURTHER.sub(lambda match: match["before"] or match["behind"], _ASIDE.sub("", _EXCUSE.sub("", written)))
    plain = _GIVEN.sub(r"send \2 to \1", plain)
    further = [_read_amounts(match["before"] or match["behind"]) for match in _FURTHER.finditer(written)]
    stated = [
        _read_amounts(statement) for statement in list_statements(plain) if _SAME_PAYEE.search(statement) is not None
    ]
    return frozenset(amounts[0] for amounts in stated if len(amounts) == 1 and amounts in further)


def names_one_payee(text: str, forms: set[Form]) -> bool:
    """Whether a text names one account, or no account and one amount.

    Args:
        text: of the user.
        forms: of the accounts and addresses in it.
    """
    parts_of_joint = {part for form in forms if form.domain == "joint" for part in form.text.split()}
    accounts = [
        form
        for form in forms
        if form.domain in ("iban", "digits", "joint", "email") and form.text not in parts_of_joint
    ]
    return len(accounts) == 1 if accounts else len(_read_amounts(write_number_words(text))) == 1


def _read_amounts(text: str) -> list[int]:
    """Read the amounts of a text in hundredths; none if one can mean several sums."""
    found: dict[int, tuple[str, ...]] = {start: (number,) for start, number in find_lone_numbers(text)}
    found |= {amount.start: amount.readings for amount in find_paid_amounts(text)}
    if any(len(readings) != 1 for readings in found.values()):
        return []
    return [to_hundredths(found[start][0]) for start in sorted(found)]
