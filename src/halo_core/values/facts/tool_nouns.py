"""The nouns of a tool's name: what it is about, and what a read lists.

list_things("list_customers")   # ("customer", "customers", "listcustomer")
"""

from __future__ import annotations

from functools import lru_cache

from halo_core.values.facts.call_view import words_of
from halo_core.values.kinds.argument_names import find_nouns_of_result
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import COMMON_NAME_PARTS, STOP_WORDS, VERBS
from halo_core.values.language.text import split_name


@lru_cache(maxsize=2048)
def list_things(tool: str) -> tuple[str, ...]:
    """List the words of a tool's name that are no verbs."""
    return tuple(sorted(word for word in words_of(tool) if not is_common(word)))


@lru_cache(maxsize=2048)
def list_listed_things(tool: str) -> tuple[str, ...]:
    """List the same words of a read, and the nouns of what it lists, each in all its forms."""
    nouns = (*list_things(tool), *find_nouns_of_result(tool))
    return tuple(sorted({*nouns, *(form for noun in nouns for form in list_inflected(noun))}))


@lru_cache(maxsize=4096)
def is_common(word: str) -> bool:
    """Whether a word names nothing by itself: it is a verb, or part of many names."""
    stems = split_name(word)
    return not stems or any(stem in STOP_WORDS or stem in VERBS or stem in COMMON_NAME_PARTS for stem in stems)
