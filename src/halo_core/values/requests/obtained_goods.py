"""Goods and services that the user wants, by their nouns: "get Mia a voucher", "we need two taxis".

    find_obtained_goods("Get Mia a 30 euro voucher from the bookshop")   # ("verb", "+get voucher")
    list_stems_of_order("gift_voucher")                                  # {"+get gift", "+get voucher"}

Such a noun asks for an order by a tool that is named after it, or by a tool that only orders: `gift_voucher`,
`order_taxi`. Shop, recipient and price are not read here. They are arguments of the call, and are judged as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.idioms import RECORDS
from halo_core.values.language.lexicon import ALL_VERBS, stem_all
from halo_core.values.language.text import split_name
from halo_core.values.requests.unlisted_orders import INFORMING

OBTAINED: Final = "+get "
"""Prefix of the stem of a noun that names what the user wants."""
COUNTED: Final = f"{OBTAINED}counted"
"""Stem for a text that wants a number of something, whatever it is."""
_MAX_GOODS: Final = 16
_BEGINNING: Final = (
    r"(?:(?<![^.!?;:,\n])|(?<=[.!?;:,\n] )"
    r"|\b(?:and|then|please|pls|so|also|to|just|(?:can|could|would|will) you(?: please)?) )"
)
_NOUN: Final = (
    r"((?:[\w€$£'’-]+ ){0,4}?[a-z][\w'’-]*)"
    r"(?=\W*$|[.,;:!\n]| (?:for|from|to|at|in|on|with|by|of|and|as|like|this|please|pls|now|today|tomorrow|tonight"
    r"|again|via)\b)"
)
_MEASURE: Final = "a (?:dozen|couple|pair|box|pack|crate|case|bag|bottle)"
_COUNT: Final = f"(?:[0-9]{{1,4}}|two|three|four|five|six|seven|eight|nine|ten|{_MEASURE})"
_GETTING: Final = CaselessPattern(
    rf"{_BEGINNING}(?:(?:get|grab|fetch|buy|bring|organi[sz]e|(?:i|we) (?:need|want))"
    r"(?: (?:me|us|him|her|them)| [\w'’-]+(?: and [\w'’-]+)?)??"
    r"|(?:give|award|grant|pay)(?: [\w'’-]+){1,6}?)"
    rf" ({_COUNT}|an?|another|some)(?: of)?(?: (?:the|those|these|our))? {_NOUN}"
)
"""Group 1 is the article or the count, group 2 the words behind it, of which the last one is the noun."""
_ARTICLES: Final = frozenset("a an another some".split())
_NO_GOODS: Final = (
    INFORMING
    | RECORDS
    | frozenset(
        "account accounts access admin answers bill bills code colors colours command data email emails file files "
        "fine help ideas invoice invoices key keys link links mail mails message messages money offers options page "
        "pages password payment payments permission quote quotes receipt refund role rule script suggestions summary "
        "thing things transfer transfers user users way word words".split()
    )
)
"""Words of what nobody orders: information, messages, money, rights."""
_ORDERING: Final = stem_all("order buy book reserve purchase procure hire rent reorder restock")
"""Stems of verbs in the name of a tool that only orders."""


def find_obtained_goods(text: str) -> Iterator[Form]:
    """Find the nouns of what a user wants, where an article or a count stands in front of them.

    Yields:
        Forms `("verb", OBTAINED + stem)` of each noun, and `("verb", COUNTED)` for each count.
    """
    for match in islice(_GETTING.finditer(text), _MAX_GOODS):
        words = match[2].lower().split()
        if any(word in _NO_GOODS for word in words):
            continue
        yield from (make_form(("verb", OBTAINED + stem)) for stem in split_name(words[-1]))
        if match[1].lower() not in _ARTICLES:
            yield make_form(("verb", COUNTED))


@lru_cache(maxsize=2048)
def list_stems_of_order(tool: str) -> frozenset[str]:
    """List the stems, as `find_obtained_goods` finds them, that ask for an order by this tool.

    The list is empty for a tool that does something else than to order.
    """
    stems = frozenset(split_name(tool))
    verbs = stems & ALL_VERBS
    if not verbs.isdisjoint(_ORDERING):
        return frozenset({COUNTED, *(OBTAINED + stem for stem in stems - _ORDERING)})
    return frozenset() if verbs else frozenset(OBTAINED + stem for stem in stems)
