"""The words by which the user had something looked up, so that an order with these words is about what was found.

    # after `directory(name="Marek Sowa")` returned "Marek Sowa, login msowa", for `close_account(login="msowa")`:
    list_lookups(sketch, places=(3,))    # the fingerprints of "marek" and "sowa"

A session keeps a mark for each word of the arguments of a trusted lookup, if the user wrote all of them: the
fingerprint of the word XOR that of the number of the source. Words of orders are kept likewise
(`fingerprint_order_words`), so the two can be compared without the words themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form
from halo_core.values.language.patterns import compile_later
from halo_core.values.orders.whole_orders import (
    MAX_ORDERS,
    ORDER_FIRST,
    ORDER_HEAD,
    ORDER_NAME,
    ORDER_OF,
    ORDER_REST,
    ORDER_THING,
    ORDER_WHEN,
    ORDER_WORD,
    list_order_words,
)
from halo_core.values.sketches.sketch import (
    MAX_SOURCE_INDEX,
    USER_BIT,
    Sketch,
    extract_tokens,
    fingerprint_forms,
    fingerprint_words,
)

ORDER_WORD_DOMAINS: Final = frozenset(
    (ORDER_WORD, ORDER_NAME, ORDER_REST, ORDER_OF, ORDER_HEAD, ORDER_FIRST, ORDER_WHEN, ORDER_THING)
)
"""Domains of the forms that `fingerprint_order_words` keeps."""
_MASK: Final = (1 << 56) - 1
_LOOKED_UP: Final = "looked_up_by"
_WITH_DIGITS: Final = "looked_up_by_number"
_COUNT: Final = "looked_up_words"
_MAX_READ: Final = 16_384  # characters of a result
_ITEM: Final = compile_later(
    r"(?<![\w@./+-])(?:[^\s@,;:|()]+@[^\s@,;:|()]+|@[\w.-]+|(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{2,32}"
    r"|[^\W\d_]+(?:[-_][^\W\d_]+)+|[0-9]{5,})(?![\w@-])"
)
"""An address, a handle, an id of letters and digits, a name with hyphens, or a long number."""
_LETTERS: Final = compile_later(r"[^\W\d_]+")
_DIGITS: Final = compile_later(r"[0-9]+")
_LABELLED: Final = compile_later(r"[ \t]*[\"'{]?[\w ]{1,32}[\"']?: ")
"""The beginning of a line of one record: "login: msowa"."""
_MAX_WORDS: Final = 8  # of the arguments of a lookup


class LookedUpWord(NamedTuple):
    """The fingerprint of a word of a lookup, and whether it has digits."""

    fingerprint: int
    has_digits: bool


def fingerprint_order_words(key: bytes, forms: Iterable[Form]) -> list[int]:
    """Fingerprint the words of orders: each word XOR its order.

    Args:
        key: of the sketch.
        forms: of a text of the user; others than words of orders are left out.
    """
    split = [(domain, *text.rpartition(" ")[::2]) for domain, text in forms if domain in ORDER_WORD_DOMAINS]
    heads = [order.partition(" ")[2] if domain == ORDER_HEAD else "" for domain, order, _ in split]
    plain = [order.partition(" ")[0] if domain == ORDER_HEAD else order for domain, order, _ in split]
    orders = fingerprint_forms(key, [Form(domain, order) for (domain, *_), order in zip(split, plain, strict=True)])
    words = fingerprint_words(key, [word for *_, word in split])
    mixed = [mix(mark) if head else 0 for head, mark in zip(heads, fingerprint_words(key, heads), strict=True)]
    return [
        order ^ word ^ head if text else order
        for order, word, head, (*_, text) in zip(orders, words, mixed, split, strict=True)
    ]


def mix(fingerprint: int) -> int:
    """Change the fingerprint of what belongs to something, so that the two are not confused."""
    return fingerprint * 3 & _MASK


@lru_cache(maxsize=1024)
def fingerprint_order(key: bytes, domain: str, order: str) -> int:
    """Compute the fingerprint of an order by which its words are kept."""
    return fingerprint_forms(key, [Form(domain, order)])[0]


@lru_cache(maxsize=16)
def fingerprint_numbers(key: bytes) -> tuple[int, ...]:
    """Compute the fingerprints of all orders by which their words are kept."""
    return tuple(fingerprint_forms(key, [Form(ORDER_WORD, str(number)) for number in range(MAX_ORDERS)]))


def fingerprint_arguments(key: bytes, arguments: Iterable[str], text: str) -> tuple[LookedUpWord, ...]:
    """Fingerprint the words of the arguments of a lookup; none if they are too many, or it returned several things.

    Args:
        key: of the sketch.
        arguments: of the lookup.
        text: its result.
    """
    words = list(dict.fromkeys(word for text in arguments for word in list_order_words(text, _MAX_WORDS + 1)))
    if not words or len(words) > _MAX_WORDS or _lists_several(text[:_MAX_READ], words):
        return ()
    return tuple(
        LookedUpWord(mark, any(map(str.isdigit, word)))
        for word, mark in zip(words, fingerprint_words(key, words), strict=True)
    )


def _lists_several(text: str, words: Collection[str]) -> bool:
    """Whether a result names several things of one sort, so that it does not say which one is meant.

    Things are of one sort if their ids look alike, such as "L-701" and "L-702". So are lines that have no label. A
    result that has each word of the lookup twice is about two things as well.
    """
    found = Counter(extract_tokens(text))
    if min(found[word] for word in words) > 1:
        return True
    sorts = [_DIGITS.sub("9", _LETTERS.sub("A", item)) for item in dict.fromkeys(_ITEM.findall(text))]
    lines = [line for line in text.split("\n") if line.strip()]
    return len(set(sorts)) < len(sorts) or sum(_LABELLED.match(line) is None for line in lines) > 1


def tie_to_source(key: bytes, words: Collection[LookedUpWord], number: int) -> list[int]:
    """Return the marks that tie the words of a lookup to the number of its source."""
    if not words or number >= MAX_SOURCE_INDEX:  # all later sources share the last number
        return []
    plain, digits = _fingerprint_source(key, number)
    ties = [word.fingerprint ^ (digits if word.has_digits else plain) for word in words]
    return [*ties, fingerprint_order(key, _COUNT, f"{number} {len(words)}")]


def list_lookups(sketch: Sketch, places: Collection[int]) -> list[list[LookedUpWord]]:
    """List the words of each lookup among some sources whose arguments the user wrote.

    Args:
        sketch: what the session has seen.
        places: numbers of the sources.
    """
    found = [_list_words_of_source(sketch, place) for place in places if place < MAX_SOURCE_INDEX]
    return [words for words in found if words]


def _list_words_of_source(sketch: Sketch, number: int) -> list[LookedUpWord]:
    """Return the words that a lookup was called with; none if the user did not write one of them by itself."""
    find_mark, found = sketch.marks.get, list[LookedUpWord]()
    for has_digits, source in enumerate(_fingerprint_source(sketch.key, number)):
        ties = [tie for tie, mark in sketch.marks.items() if not mark & USER_BIT]
        words = [tie ^ source for tie in ties if find_mark(tie ^ source, 0) & USER_BIT]
        found += [LookedUpWord(word, has_digits=bool(has_digits)) for word in words]
    count = fingerprint_order(sketch.key, _COUNT, f"{number} {len(found)}")
    return found if count in sketch.marks else []


@lru_cache(maxsize=256)
def _fingerprint_source(key: bytes, number: int) -> tuple[int, int]:
    plain, digits = fingerprint_forms(key, [Form(_LOOKED_UP, str(number)), Form(_WITH_DIGITS, str(number))])
    return plain, digits
