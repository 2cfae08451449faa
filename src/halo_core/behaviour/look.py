"""Room: one look at an action, from what came before it in its session. Takes: a profile and an act. Gives: a look.

A look holds where each value came from and how the action fits the request, and nothing that needs a baseline, so
that it is made once and judged by any. Never: I/O, a clock, and nothing that comes after the action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from halo_core.behaviour.lexicon import ASKED, DELEGATING, STOP, VERBS, alike
from halo_core.behaviour.profile import Act, Profile
from halo_core.behaviour.seen import Chunk, short
from halo_core.behaviour.sight import Came, Sight, digest, mark, numbers, sight
from halo_core.behaviour.text import name_words, print_of, prints
from halo_core.behaviour.values import Value, values_of
from halo_core.model import Impact

__all__ = ["Came", "Look", "Sight", "look_at", "mark"]

MAX_TOOL_WORDS: Final = 8
MAX_ABSENT: Final = 96
MAX_HITS: Final = 1024
Word = tuple[int, bool]
"""Index of a word, and whether it is that very one."""


@dataclass(frozen=True, slots=True)
class Look:
    """One action, seen against its session. See `look_at`.

    Args:
        tool: name.
        impact: class.
        reads: it only reads.
        words: the tool's words.
        fits: for each of them 2 where the request says it, 1 where it says something like it, else 0.
        sights: its values.
        hits: of each result, (position, index of a tool word or -1 - index of an absent argument word, exact) of words
            found.
        absent: number of argument words that the request does not hold.
        sizes: atoms of the request and of all results.
        made: fingerprint of the action with its arguments.
        request: fingerprint of the request.
        asks: the request's words, without those of grammar, as fingerprints.
        state: steps, acts, acts since a result, results, forgotten, repeats, same tool before, age of the last result's
            source.
        last: the last tools.
        cut: it has more values than are read.
    """

    tool: str
    impact: Impact
    reads: bool
    words: tuple[str, ...]
    fits: tuple[int, ...]
    sights: tuple[Sight, ...]
    hits: tuple[tuple[tuple[int, int, bool], ...], ...]
    absent: int
    sizes: tuple[int, int]
    made: int
    request: int
    asks: tuple[int, ...]
    state: tuple[int, ...]
    last: tuple[str, ...]
    delegates: int
    keen_seen: int
    class_asked: bool
    cut: bool = False

    @property
    def named(self) -> bool:
        """Everything it names stands in the request."""
        return all(sight.came is Came.REQUEST for sight in self.sights if sight.value.naming)


def look_at(profile: Profile, act: Act) -> Look:
    """What there is to say of an action without a baseline."""
    key = profile.key
    words = _tool_words(act.tool[:256], act.about[:256])
    values, cut = values_of(act.args)
    said = _said(profile)
    bag = profile.request.bag
    keen = [chunk for chunk in profile.chunks if chunk.keen]
    sights = tuple([sight(profile, value, said.asks, keen) for value in values])
    absent = _absent(values, bag, key)
    made = mark(
        act.tool,
        *(f"{one.place}{'~=' if one.disguised else '='}{' '.join((*one.words, one.exact))}" for one in values),
        key=key,
    )
    name = short(act.tool)
    tool = _spoken(words, key)
    return Look(
        tool=act.tool,
        impact=act.impact,
        reads=act.impact is Impact.READ,
        words=words,
        fits=tuple([_fit(own, likes, bag) for own, likes in tool.words]),
        sights=sights,
        hits=_hits(profile, tool, absent),
        absent=len(absent),
        sizes=(profile.request.size, profile.kept),
        made=made,
        request=said.print,
        asks=said.first,
        state=(
            profile.steps,
            profile.acts,
            profile.since,
            len(profile.chunks),
            profile.forgotten,
            profile.made.get(made, 0),
            profile.last.count(name),
            int(bool(profile.last) and profile.last[0] == name),
        ),
        last=profile.last,
        delegates=said.delegates,
        keen_seen=len(keen),
        class_asked=_class_asked(act.impact, bag, key),
        cut=cut,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What every look of a session asks of its request.

    Args:
        asks: its words without those of grammar.
        first: some of them.
        print: of all of it.
        delegates: words that hand on what others say.
    """

    asks: frozenset[int]
    first: tuple[int, ...]
    print: int
    delegates: int


def _said(profile: Profile) -> _Said:
    known = profile.said
    if isinstance(known, _Said):
        return known
    key, bag = profile.key, profile.request.bag
    asks = bag - _stop(key)
    found = _Said(
        asks,
        tuple(sorted(asks))[:24],
        digest(profile.request.atoms, key),
        len(bag & _delegating(key)),
    )
    profile.said = found
    return found


@lru_cache(maxsize=16)
def _delegating(key: bytes) -> frozenset[int]:
    return frozenset(numbers(prints(sorted(DELEGATING), key)))


@lru_cache(maxsize=16)
def _stop(key: bytes) -> frozenset[int]:
    return frozenset(numbers(prints(sorted(STOP), key)))


@lru_cache(maxsize=1024)
def _tool_words(tool: str, about: str) -> tuple[str, ...]:
    words = dict.fromkeys(word for word in name_words(tool) if word not in STOP and len(word) > 1)
    if not words.keys() & VERBS:
        words |= dict.fromkeys(word for word in name_words(about) if word in VERBS)
    return tuple(words)[:MAX_TOOL_WORDS]


@lru_cache(maxsize=4096)
def _likes(word: str, key: bytes) -> tuple[int, frozenset[int]]:
    """Fingerprint of a word of a tool, and of words that mean much the same."""
    own = numbers(print_of(word, key))[0]
    return own, frozenset(numbers(prints(sorted(alike(word)), key)))


@lru_cache(maxsize=64)
def _asking(impact: Impact, key: bytes) -> frozenset[int] | None:
    words = ASKED.get(impact.value)
    return None if words is None else frozenset(numbers(prints(sorted(words), key)))


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What every look at a tool asks of its words.

    Args:
        words: of each its fingerprint, and those of words that mean much the same.
        like: which of them a fingerprint is like; of several the first.
        own: which of them it is.
    """

    words: tuple[tuple[int, frozenset[int]], ...]
    like: Mapping[int, Word]
    own: Mapping[int, Word]


@lru_cache(maxsize=1024)
def _spoken(words: tuple[str, ...], key: bytes) -> _Spoken:
    tool = tuple(_likes(word, key) for word in words)
    like = {number: (index, False) for index, (_, likes) in reversed([*enumerate(tool)]) for number in likes}
    return _Spoken(tool, like, {own: (index, True) for index, (own, _) in enumerate(tool)})


def _fit(own: int, likes: frozenset[int], bag: frozenset[int]) -> int:
    return 2 if own in bag else int(not bag.isdisjoint(likes))


def _class_asked(impact: Impact, bag: frozenset[int], key: bytes) -> bool:
    words = _asking(impact, key)
    return words is None or not bag.isdisjoint(words)


def _absent(values: Iterable[Value], bag: frozenset[int], key: bytes) -> dict[int, Word]:
    """Argument words that the request does not hold: fingerprint → -1 - index."""
    words = dict.fromkeys(word for value in values for word in value.words if word not in STOP and len(word) > 1)
    found: dict[int, Word] = {}
    for number in numbers(prints(list(words), key)):
        if number not in bag and number not in found:
            found[number] = (-1 - len(found), True)
            if len(found) >= MAX_ABSENT:
                break
    return found


def _hits(profile: Profile, tool: _Spoken, absent: dict[int, Word]) -> tuple[tuple[tuple[int, int, bool], ...], ...]:
    if not profile.chunks:
        return ()
    wanted = {**tool.like, **absent, **tool.own}
    names = frozenset(wanted)
    return tuple([_found(chunk, wanted, names) for chunk in profile.chunks])


def _found(chunk: Chunk, wanted: Mapping[int, Word], names: frozenset[int]) -> tuple[tuple[int, int, bool], ...]:
    known = chunk.bag & names
    if not known:
        return ()
    places, found = chunk.places, []
    for number in known:
        which, exact = wanted[number]
        found += [(at, which, exact) for at in places[number]]
    found.sort()
    return tuple(found[:MAX_HITS])
