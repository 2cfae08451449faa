"""Where each argument value came from: the user, the system, untrusted content, several of these, or nowhere.

`trace_arguments` looks every value up in the session's `Sketch`. A value that is one token (an address, an account, a
number) has that token's origin; a text of several tokens is `user` or `system` where all of it was seen there,
`untrusted` where all the rest was, else `mixed` or `novel`. A value the user named stays the user's even if a document
repeats it. Encoded or written in groups it is the same value (`generate_spellings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, Final, NamedTuple

from halo_core.model import ActionKind, Provenance, Resource
from halo_core.values.sketch import MAX_TEXT, ORIGIN_BITS, SOURCE_SHIFT, Sketch, extract_tokens
from halo_core.values.text import ANY_SPELLING, generate_spellings

TRUST_FLOOR: Final = 500
"""Source trust (0..1000) from which content counts as the system's own; below it, it taints the session."""


def origin_of_result(resource: Resource) -> Provenance:
    """`system` or `untrusted`, by how the resource was registered and never by what the content says of itself.

    A model's words are `novel`: they are no source. What it repeats was marked when it was shown it.
    """
    if resource.kind is ActionKind.INFERENCE:
        return Provenance.NOVEL
    return Provenance.SYSTEM if resource.trust >= TRUST_FLOOR else Provenance.UNTRUSTED


MAX_LEAVES: Final = 256
MAX_LEAF_WORDS: Final = 400
"""Tokens of one leaf that are compared."""
_CONTAINER_TYPES: Final = (Mapping, list, tuple)
_TracedOrigin = tuple[Provenance, tuple[int, ...]]

_USER_BIT: Final = ORIGIN_BITS[Provenance.USER]
_TRUSTED_BITS: Final = ORIGIN_BITS[Provenance.USER] | ORIGIN_BITS[Provenance.SYSTEM]
_DECISIVE_ORIGINS: Final = (Provenance.USER, Provenance.SYSTEM, Provenance.UNTRUSTED)
_FOREIGN_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_TRUST_ORDER: Final = {
    Provenance.USER: 0,
    Provenance.SYSTEM: 1,
    Provenance.NOVEL: 2,
    Provenance.MIXED: 3,
    Provenance.UNTRUSTED: 4,
}


def extract_leaves(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, text) of each leaf that carries something; None, booleans and empty text carry nothing.

    The place is `/argument`, and `/argument/3` for the fourth leaf of an argument with parts: names inside a value are
    content and stay out of the record. A mapping's keys are leaves as well.
    """
    for name, value in args.items():
        top = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if type(value) is str or not isinstance(value, _CONTAINER_TYPES):
            for text in extract_texts(value):
                yield top, text
        else:
            for i, text in enumerate(extract_texts(value)):
                yield f"{top}/{i}", text


def extract_texts(value: Any) -> Iterator[str]:
    """Texts of all leaves and mapping keys of a value, in order."""
    if type(value) is str:  # what most are; asking for a Mapping takes longest
        if value and not value.isspace():
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str.__str__(key) if isinstance(key, str) else str(key)
            yield from extract_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from extract_texts(item)
    elif isinstance(value, str):
        if value.strip():
            yield value
    elif value is not None and not isinstance(value, bool):
        yield str(value)


class Leaf(NamedTuple):
    """A leaf of the arguments.

    Args:
        pointer: its place, as `extract_leaves` gives it.
        text: its text.
        words: its tokens, at most one more than are compared.
    """

    pointer: str
    text: str
    words: list[str]


def parse_leaves(args: Mapping[str, Any]) -> tuple[Leaf, ...]:
    """The leaves of arguments with their tokens; at most one more than `MAX_LEAVES`."""
    found = islice(extract_leaves(args), MAX_LEAVES + 1)
    return tuple([Leaf(place, text, list(islice(extract_tokens(text), MAX_LEAF_WORDS + 1))) for place, text in found])


def trace_arguments(args: Mapping[str, Any], sketch: Sketch) -> tuple[tuple[str, Provenance, tuple[int, ...]], ...]:
    """As `trace_leaves`, of arguments."""
    return trace_leaves(parse_leaves(args), sketch)


def trace_leaves(leaves: Iterable[Leaf], sketch: Sketch) -> tuple[tuple[str, Provenance, tuple[int, ...]], ...]:
    """Where each argument leaf came from, and from which sources, sorted by pointer.

    Args:
        leaves: of the real arguments (before secrets are sealed).
        sketch: what the session has seen.

    Returns:
        (pointer, origin, places of sources) of each.
    """
    traced = []
    for leaf in leaves:
        pointer, text, words = leaf
        if len(words) > MAX_LEAF_WORDS or len(text) > MAX_TEXT:
            # What lies behind the cap was not looked at, so the value is nobody's alone.
            origin, places = _trace_words(words[:MAX_LEAF_WORDS], sketch)
            traced.append((pointer, max(origin, Provenance.MIXED, key=_TRUST_ORDER.__getitem__), places))
            continue
        origin, places = _trace_words(words, sketch)
        if origin not in _DECISIVE_ORIGINS and ANY_SPELLING.search(text) is not None:
            origin, places = _trace_spellings(text, (origin, places), sketch)
        traced.append((pointer, origin, places))
    traced.sort()
    return tuple(traced)


def _trace_spellings(text: str, traced: _TracedOrigin, sketch: Sketch) -> _TracedOrigin:
    """Where a value came from that nobody wrote like this: encoded, taken apart, with look-alikes."""
    forms = [
        (words, judged)
        for form in generate_spellings(text)
        if (words := list(islice(extract_tokens(form), MAX_LEAF_WORDS)))
        and (judged := _trace_words(words, sketch))[0] is not Provenance.NOVEL
    ]
    if any(judged[0] in _FOREIGN_ORIGINS for _, judged in forms):
        return max((judged for _, judged in forms), key=lambda item: _TRUST_ORDER[item[0]])
    if not forms:
        return traced
    # Ours only where one spelling is the whole of it.
    alphanumerics = _strip_to_alphanumerics(text)
    ours = (judged for words, judged in forms if "".join(words) == alphanumerics)
    return next(ours, traced) if traced[0] is Provenance.NOVEL else traced


def _strip_to_alphanumerics(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _trace_words(words: list[str], sketch: Sketch) -> _TracedOrigin:
    if not words:
        return Provenance.NOVEL, ()
    masks = sketch.look_up_marks(words)
    if reduce(and_, masks) & _USER_BIT:
        return Provenance.USER, ()
    places, trusted_count, foreign_count = set(), 0, 0
    for mask in masks:
        if mask >> SOURCE_SHIFT and not mask & _USER_BIT:
            places.add(mask >> SOURCE_SHIFT)
        if mask & _TRUSTED_BITS:
            trusted_count += 1
        elif mask:
            foreign_count += 1
    sorted_places = tuple(sorted(places))
    if trusted_count == len(masks):
        return Provenance.SYSTEM, sorted_places
    if not foreign_count:
        return Provenance.NOVEL, sorted_places
    # INVARIANT: one word that only an untrusted source has said keeps the value from being called ours.
    return (Provenance.UNTRUSTED if foreign_count == len(masks) else Provenance.MIXED), sorted_places
