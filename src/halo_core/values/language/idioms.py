"""Verbs that ask for no act because of the words beside them: "buy time", "tell me what it costs", "refund policy".

is_idiom(["pay", "attention", "to", "it"], 0, begins=True)  # True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

CLAUSE_END: Final = ""
"""The word that stands for the end of a clause."""
MAX_CLAUSE: Final = 24  # words of a clause that are looked at
RECORDS: Final = frozenset(
    "status history histories detail details number numbers date dates overview confirmation report reports statement "
    "statements record records log logs id ids reference receipt receipts summary info information list form terms "
    "policy limit limits method methods page".split()
)
"""Nouns behind a verb that name information about the act: "order status"."""
_NEVER_PAID: Final = frozenset(
    "details files histories history info information list lists log logs notes overview policies policy report "
    "reports sheet sheets statement statements status summary".split()
)
"""What nobody pays, refunds or charges: "refund policy", "transfer the notes"."""
_GIVEN_INFORMATION: Final = _NEVER_PAID | frozenset("call hint look ring what".split())
"""Objects of `give` that are information: "give me a call"."""
_MESSAGES: Final = frozenset("mail email message text".split())
_MOVING_MONEY: Final = frozenset("refund charge transfer wire credit debit".split())
_INTO_WORDS: Final = frozenset(("in", "into", "onto"))
_COMPOUNDS: Final = frozenset(
    ("credit card", "wire transfer", "charge number", "charge of", "charge me", "refund request", "debit note")
)
_DETERMINERS: Final = frozenset("the all these those his her their our my".split())
_ARTICLES: Final = frozenset("a an the all".split())
_LET_BY_NOBODY: Final = frozenset("know see sink think".split())
"""Verbs behind `let` that order no act: "let Kim know", "let it sink in"."""
_BEHIND_BID: Final = frozenset("on for up at once again eur euro euros usd chf".split())
_BY_WHICH: Final = frozenset("by via on over through slack teams sms mail email text chat".split())
"""Words of a clause that says how the user is to be informed: "by mail"."""
_ORDERED_BY: Final = frozenset(
    "date day time age name title size price cost number id priority urgency relevance importance rank rating "
    "alphabet topic category".split()
)
"""What a list is sorted by."""


def is_idiom(words: Sequence[str], place: int, *, begins: bool) -> bool:
    """Whether a verb asks for no act here.

    "Tell me by mail" asks for a message.

    Args:
        words: of a text.
        place: of the verb.
        begins: an order may begin with the verb. "Otto bid 90" reports what Otto did.
    """
    word, behind = words[place], word_at(words, place + 1)
    if word == "bid":
        return not begins or not (behind[:1].isdigit() or behind in _BEHIND_BID)
    if word == "hush":
        return behind in ("", "now", "please", "hush")
    if word == "sign":
        return behind == "off"  # an approval is read as a verb of two words: "sign off on it"
    if word == "right":
        return not behind and not word_at(words, place - 1)  # "it is approved, right?"
    if word in _MESSAGES and behind.isdigit() and not word_at(words, place + 2):
        return True  # "(mail 1)"
    return _only_informs(words, place) or _moves_no_money(words, place) or _buys_nothing(words, place)


def _only_informs(words: Sequence[str], place: int) -> bool:
    """Whether a verb only informs somebody: "tell me what it costs", "let Kim know", "give me the notes"."""
    word, behind = words[place], word_at(words, place + 1)
    if word == "tell":
        return behind in ("me", "us") and _BY_WHICH.isdisjoint(words[place : _find_end(words, place)])
    if word == "let" and behind in ("me", "us"):
        return word_at(words, place + 2) not in ("in", "into", "onto", "have")
    if word == "let":
        return not _LET_BY_NOBODY.isdisjoint(words[place + 2 : min(place + 7, _find_end(words, place))])
    if word == "give":
        start = place + 2 if behind in ("me", "us") else place + 1
        return word_at(words, start + (word_at(words, start) in _ARTICLES)) in _GIVEN_INFORMATION
    return False


def _moves_no_money(words: Sequence[str], place: int) -> bool:
    """Whether a verb of paying pays nobody: "give Kim credit for it", "refund policy", "transfer the notes"."""
    word, behind = words[place], word_at(words, place + 1)
    if word == "pay":
        return behind in ("attention", "heed", "day", "slip", "nobody", "nothing")
    if word not in _MOVING_MONEY:
        return False
    if word == "credit" and behind in ("for", "to"):
        is_given = "give" in words[max(place - 4, 0) : place] and word_at(words, place - 1) not in _ARTICLES
        return is_given or not word_at(words, place - 1)
    if word == "transfer" and not _INTO_WORDS.isdisjoint(words[place : (end := _find_end(words, place))]):
        return not _NEVER_PAID.isdisjoint(words[place:end])
    is_compound = f"{word} {behind}" in _COMPOUNDS or behind in ("nobody", "nothing")
    return is_compound or (word_at(words, place + 2) if behind in _DETERMINERS else behind) in _NEVER_PAID


def _buys_nothing(words: Sequence[str], place: int) -> bool:
    """Whether a verb of buying buys nothing: "order the mails by date", "buy time", "restock report of May"."""
    word, behind = words[place], word_at(words, place + 1)
    if word == "buy":
        return behind == "time" or word_at(words, place + 2) == "time"
    if word not in ("order", "reorder", "restock"):
        return False
    if behind in RECORDS:
        return True
    end = _find_end(words, place)
    return any(words[i] == "by" and word_at(words, i + 1) in _ORDERED_BY for i in range(place, min(end, len(words))))


def _find_end(words: Sequence[str], place: int) -> int:
    """Find the end of a clause, or the last word of it that is looked at."""
    return next((i for i in range(place, place + MAX_CLAUSE) if not word_at(words, i)), place + MAX_CLAUSE)


def word_at(words: Sequence[str], place: int) -> str:
    """Return the word at a place; `CLAUSE_END` outside of the text."""
    return words[place] if 0 <= place < len(words) else CLAUSE_END
