"""How many equal payments a text of the user orders: "two separate payments of 45 each".

count_equal_payments("I need two separate payments of 45 each to FI21...", 4500)   # 2
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.number_words import write_number_words
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.unordered_statements import OTHERS_WISH
from halo_core.values.payments.paid_amounts import to_hundredths
from halo_core.values.requests.unlisted_orders import SENTENCE

_MAX_CHARS: Final = 2_048
_NUMBERS: Final = "two three four five six seven eight nine ten".split()
_COUNTS: Final = {
    **{word: count for count, word in enumerate(_NUMBERS, start=2)},
    **{str(count): count for count in range(2, 11)},
    "twice": 2,
}
_COUNT: Final = rf"(?:{'|'.join(_NUMBERS)}|10|[2-9])"
_MONEY: Final = r"(?:[$€£] ?|(?:eur|usd|gbp|chf) )?(?P<amount>[0-9]{1,6}(?:\.[0-9]{1,2})?)(?![0-9]|[.,][0-9])"
_PAYMENTS_OF: Final = compile_later(
    rf"\b(?P<count>{_COUNT}) (?:(?:separate|equal|single|individual|different|distinct) ){{0,2}}"
    rf"(?:payments|transfers|transactions|instal?lments|(?:[a-z]+ )?(?:vouchers|coupons)|gift cards)"
    rf" (?:of|at|for|over|worth|a|à|@) ?{_MONEY}",
    re.IGNORECASE,
)
_AMOUNT_TIMES: Final = compile_later(
    rf"(?<![\w.,-]){_MONEY}(?:(?! and |, )[^.;!?\n]){{0,60}} (?P<count>twice|{_COUNT}(?= times\b))"
    r"(?! (?:an?|as|per|every|the)\b)\b",
    re.IGNORECASE,
)
_TIMES_AMOUNT: Final = compile_later(
    rf"\b(?P<count>twice|[2-9](?= ?[x×])) ?(?:[x×] ?)?(?<![0-9.,]){_MONEY}", re.IGNORECASE
)
_ORDERS: Final = (_PAYMENTS_OF, _AMOUNT_TIMES, _TIMES_AMOUNT)
"""Orders of several payments. "45 in two payments" splits one."""
_NO_ORDER: Final = CaselessPattern(
    r"\b(?:not|never|no|was|were|made|got|received?s?|took|taken|charged?|came|had|has|have been|paid|sent|did|does"
    r"|saw|seen?|bounced|failed|came back|returned|missing|show|shows|one of (?:them|those|these)"
    r"|already|says?|said|writes?|wrote|claims?|asks?|if|whether|why|instead of|only once)\b|n['’]t\b|[?\"“”]"
)
"""Words of a sentence that reports, asks or denies several payments."""


@lru_cache(maxsize=256)
def count_equal_payments(text: str, hundredths: int) -> int:
    """Count the equal payments of this amount that a text orders: 1 if it says nothing of several.

    Args:
        text: of the user, which asks for a payment.
        hundredths: the amount of each.
    """
    if len(text) > _MAX_CHARS:
        return 1
    sentences = SENTENCE.findall(write_number_words(text))
    for sentence in sentences:
        if _NO_ORDER.search(sentence) is not None:
            continue
        for pattern in _ORDERS:
            match = pattern.search(sentence)
            # A further sentence with the amount may be the order, and this one only mentions payments.
            if (
                match is not None
                and OTHERS_WISH.search(sentence[: match.start()]) is None
                and sum(_names(other, match["amount"]) for other in sentences) == 1
                and to_hundredths(match["amount"]) == hundredths
            ):
                return _COUNTS[match["count"].lower()]
    return 1


def _names(sentence: str, amount: str) -> bool:
    return re.search(rf"(?<![0-9.,]){re.escape(amount)}(?![0-9]|[.,][0-9])", sentence) is not None
