"""Room: provenance. Takes: arguments and a sketch. Gives: where each argument value came from. Never: I/O, a clock.

A value that is one token (an address, an account, a number) has that token's origin; a text of several tokens is
`user` or `system` where all of it was seen there, `untrusted` where all the rest was, else `mixed` or `novel`. A value
the user named stays the user's even if a document repeats it. Encoded or in groups it is the same value (`forms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from halo_core.behaviour.forms import spellings
from halo_core.behaviour.sketch import BITS, MAX_TEXT, Sketch, place_of, tokens
from halo_core.model import Provenance

__all__ = ["MAX_LEAVES", "leaves", "provenance_of", "texts", "traced", "worst"]

MAX_LEAVES: Final = 256
_MAX_WORDS: Final = 400
_PARTED: Final = (Mapping, list, tuple)
_Found = tuple[Provenance, tuple[int, ...]]

_USER: Final = BITS[Provenance.USER]
_OWN: Final = BITS[Provenance.USER] | BITS[Provenance.SYSTEM]
_SETTLED: Final = (Provenance.USER, Provenance.SYSTEM, Provenance.UNTRUSTED)
_FOREIGN: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_ORDER: Final = {
    Provenance.USER: 0,
    Provenance.SYSTEM: 1,
    Provenance.NOVEL: 2,
    Provenance.MIXED: 3,
    Provenance.UNTRUSTED: 4,
}


def leaves(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, text) of each leaf that carries something; None, booleans and empty text carry nothing.

    The place is `/argument`, and `/argument/3` for the fourth leaf of an argument with parts: names inside a value are
    content and stay out of the record. A mapping's keys are leaves as well.
    """
    for name, value in args.items():
        top = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if type(value) is str or not isinstance(value, _PARTED):
            for text in texts(value):
                yield top, text
        else:
            for i, text in enumerate(texts(value)):
                yield f"{top}/{i}", text


def texts(value: Any) -> Iterator[str]:
    """Texts of all leaves and mapping keys of a value, in order."""
    if type(value) is str:  # what most are; asking for a Mapping takes longest
        if value and not value.isspace():
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        if value.strip():
            yield value
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def provenance_of(args: Mapping[str, Any], sketch: Sketch) -> tuple[tuple[str, Provenance], ...]:
    """As `traced`, without the sources."""
    return tuple((pointer, found) for pointer, found, _ in traced(args, sketch))


def traced(args: Mapping[str, Any], sketch: Sketch) -> tuple[tuple[str, Provenance, tuple[int, ...]], ...]:
    """Where each argument leaf came from, and from which sources, sorted by pointer.

    Args:
        args: the real arguments (before secrets are sealed).
        sketch: what the session has seen.

    Returns:
        At most `MAX_LEAVES` of (pointer, origin, places of sources); the caller refuses arguments with more leaves.
    """
    found = []
    for pointer, text in leaves(args):
        found.append((pointer, *_classify(text, sketch)))
        if len(found) > MAX_LEAVES:
            break
    return tuple(sorted(found))


def _classify(text: str, sketch: Sketch) -> _Found:
    words = list(islice(tokens(text), _MAX_WORDS + 1))
    if len(words) > _MAX_WORDS or len(text) > MAX_TEXT:
        # What lies behind the cap was not looked at, so the value is nobody's alone.
        found, places = _judge(words[:_MAX_WORDS], sketch)
        return max(found, Provenance.MIXED, key=_ORDER.__getitem__), places
    told = _judge(words, sketch)
    return told if told[0] in _SETTLED else _respelled(text, told, sketch)


def _respelled(text: str, told: _Found, sketch: Sketch) -> _Found:
    """Where a value came from that nobody wrote like this: encoded, taken apart, with look-alikes."""
    forms = [
        (words, judged)
        for form in spellings(text)
        if (words := list(islice(tokens(form), _MAX_WORDS)))
        and (judged := _judge(words, sketch))[0] is not Provenance.NOVEL
    ]
    if any(judged[0] in _FOREIGN for _, judged in forms):
        return max((judged for _, judged in forms), key=lambda item: _ORDER[item[0]])
    # Ours only where one spelling is the whole of it.
    whole = _letters(text)
    ours = (judged for words, judged in forms if "".join(words) == whole)
    return next(ours, told) if told[0] is Provenance.NOVEL else told


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _judge(words: list[str], sketch: Sketch) -> _Found:
    if not words:
        return Provenance.NOVEL, ()
    masks = sketch.origins(words)
    if all(mask & _USER for mask in masks):
        return Provenance.USER, ()
    places = tuple(sorted({place for mask in masks if not mask & _USER and (place := place_of(mask))}))
    if all(mask & _OWN for mask in masks):
        return Provenance.SYSTEM, places
    foreign = [mask for mask in masks if mask and not mask & _OWN]
    if not foreign:
        return Provenance.NOVEL, places
    # INVARIANT: one word that only an untrusted source has said keeps the value from being called ours.
    return (Provenance.UNTRUSTED if len(foreign) == len(masks) else Provenance.MIXED), places


def worst(sources: Iterable[Provenance]) -> Provenance | None:
    """The least trusted of several origins, None of none."""
    return max(sources, key=_ORDER.__getitem__, default=None)
