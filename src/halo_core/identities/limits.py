"""Room: which risk is much. Takes: events in order. Gives: a book with limits. Never: I/O, a clock, floats.

The later third of the days is scored against a book of the earlier two, as if it were new: what ordinary days of this
tenant score, without what a day knows of itself. Then everything goes into the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from halo_core.identities.book import Book, Limits
from halo_core.identities.event import IdentityEvent
from halo_core.identities.habit import DAY_US
from halo_core.identities.scoring import Scorer

__all__ = ["FEWEST_HIGH", "fitted", "highest"]

_LEAST_DAYS: Final = 15  # of history
_FEWEST: Final = 40  # identity-days that say what one in twenty is
FEWEST_HIGH: Final = 100  # or one in a hundred
_LOWEST: Final = (200, 350)
"""Limits below which nothing is flagged, however quiet a tenant is."""


def fitted(events: Sequence[IdentityEvent], key: bytes, book: Book | None = None) -> Book:
    """A book of these events, or of those of `book` and these.

    Raises:
        BadInput: they are older than what `book` has, or too many.
    """
    if book is not None:
        told = _limits(highest(Scorer(book, key), events)) if book.established() else Limits()
        book.take(events, key)
        book.limits = told if told.days else book.limits
        return book
    first, last = events[0].ts_us // DAY_US, events[-1].ts_us // DAY_US
    limits = Limits()
    if last - first + 1 >= _LEAST_DAYS:
        cut = (first + (last - first + 1) * 2 // 3) * DAY_US
        known = Book().take((event for event in events if event.ts_us < cut), key)
        limits = _limits(highest(Scorer(known, key), (event for event in events if event.ts_us >= cut)))
    made = Book().take(events, key)
    made.limits = limits
    return made


def highest(scorer: Scorer, events: Iterable[IdentityEvent]) -> list[int]:
    """The highest risk of each identity on each day, of those that have one."""
    found: dict[tuple[str, int], int] = {}
    for event in events:
        risk = scorer.score(event).risk
        if risk is not None:
            place = event.identity, event.ts_us // DAY_US
            found[place] = max(found.get(place, 0), risk)
    return sorted(found.values())


def _limits(risks: Sequence[int]) -> Limits:
    number, by_hand = len(risks), Limits()
    if number < _FEWEST:
        return by_hand
    elevated, high = (risks[number - 1 - number // share] for share in (20, 100))
    elevated = max(elevated, _LOWEST[0])
    high = max(high, _LOWEST[1]) if number >= FEWEST_HIGH else by_hand.high
    return Limits(elevated, max(high, elevated), number)
