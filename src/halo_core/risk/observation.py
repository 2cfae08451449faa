"""An observation of one action, given its session so far: where its values came from, how it fits the request.

`observe_action` needs no baseline, so an observation is made once and can be compared with any baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact
from halo_core.quick_dataclass import dataclass
from halo_core.risk.evidence import (
    CONTEXT_ATOMS,
    MAX_OCCURRENCES,
    RESULT_ORIGINS,
    ValueEvidence,
    ValueOrigin,
    collect_value_evidence,
)
from halo_core.risk.profile import Chunk, Profile, ProposedAction, shorten_tool_name
from halo_core.values.kinds.argument_values import Value, ValueKind, extract_values
from halo_core.values.language.lexicon import (
    DELEGATION_WORDS,
    REQUEST_WORDS_BY_IMPACT,
    STOP_WORDS,
    VERBS,
    find_synonyms,
)
from halo_core.values.language.text import (
    fingerprint_atom,
    fingerprint_atoms,
    fingerprint_bytes,
    fingerprint_strings,
    split_name,
    unpack_fingerprints,
)

MAX_TOOL_WORDS: Final = 8
MAX_ABSENT: Final = 96
MAX_HITS: Final = 1024
_LONG_NUMBER: Final = 4  # digits of a number that may well be a name
Word = tuple[int, bool]
"""Index of a word, and whether it is that very one."""


@dataclass(frozen=True, slots=True)
class ActionObservation:
    """One action, seen against its session. See `observe_action`.

    Args:
        tool: name.
        impact: class.
        is_read: it only reads.
        words: the tool's words.
        request_matches: for each of them 2 where the request says it, 1 where it says something like it, else 0.
        evidence: its values.
        hits: of each result, (position, index of a tool word or -1 - index of an absent argument word, exact) of words
            found.
        absent_word_count: number of argument words that the request does not hold.
        request_size: atoms of the request.
        action_fingerprint: fingerprint of the action with its arguments.
        request_fingerprint: fingerprint of the request.
        request_words: the request's words, without those of grammar, as fingerprints.
        session_state: steps, acts, acts since a result, results, repeats, uses of this tool among the last three,
            whether the last one was it.
        last_tools: the last tools.
        span_words: words of the request around the place of a result where most absent argument words stand together,
            as fingerprints; None if no result holds any.
        truncated: it has more values than are read.
    """

    tool: str
    impact: Impact
    is_read: bool
    words: tuple[str, ...]
    request_matches: tuple[int, ...]
    evidence: tuple[ValueEvidence, ...]
    hits: tuple[tuple[tuple[int, int, bool], ...], ...]
    absent_word_count: int
    request_size: int
    action_fingerprint: int
    request_fingerprint: int
    request_words: tuple[int, ...]
    session_state: tuple[int, ...]
    last_tools: tuple[str, ...]
    delegation_word_count: int
    secret_result_count: int
    class_requested: bool
    span_words: frozenset[int] | None = None
    truncated: bool = False

    @property
    def previous_tool(self) -> str:
        """The tool of the action before, empty if there is none."""
        return self.last_tools[0] if self.last_tools else ""

    @property
    def argument_names(self) -> str:
        """Names of its arguments, in order."""
        return ",".join(sorted({item.value.place.split("/", 1)[0].rstrip("~!") for item in self.evidence}))

    @property
    def named_by_request(self) -> bool:
        """Whether everything it names stands in the request."""
        return all(item.origin is ValueOrigin.REQUEST for item in self.evidence if item.value.is_naming)

    @property
    def is_listed(self) -> bool:
        """Whether it is about things that the request itself names, and about no others, as when that is a list.

        Plain words identify nothing, unless a result brought them.
        """
        has_any = False
        for item in self.evidence:
            value, is_asked = item.value, item.origin is ValueOrigin.REQUEST
            if value.kind is ValueKind.NUMBER:
                has_any = has_any or (is_asked and sum(map(len, value.words)) >= _LONG_NUMBER)
            elif value.is_naming:
                is_word = value.kind is ValueKind.WORD
                if not is_asked and (not is_word or item.origin in RESULT_ORIGINS):
                    return False
                has_any = has_any or (is_asked and not is_word)
        return has_any and not self.truncated


def observe_action(profile: Profile, act: ProposedAction) -> ActionObservation:
    """Observe an action: everything about it that needs no baseline."""
    key = profile.key
    words = _extract_tool_words(act.tool[:256], act.description[:256])
    values, truncated = extract_values(act.args)
    summary = _summarize_request(profile)
    bag = profile.request.bag
    secret_results = [chunk for chunk in profile.chunks if chunk.secret_word_count]
    evidence = tuple([collect_value_evidence(profile, value, summary.words, secret_results) for value in values])
    absent = _find_absent_words(values, bag, key)
    action_fingerprint = fingerprint_strings(
        act.tool,
        *(f"{item.place}{'~=' if item.disguised else '='}{' '.join((*item.words, item.exact))}" for item in values),
        key=key,
    )
    name = shorten_tool_name(act.tool)
    tool = _make_tool_words(words, key)
    hits = _find_hits(profile, tool, absent)
    return ActionObservation(
        tool=act.tool,
        impact=act.impact,
        is_read=act.impact is Impact.READ,
        words=words,
        request_matches=tuple([2 if exact in bag else int(not bag.isdisjoint(likes)) for exact, likes in tool.words]),
        evidence=evidence,
        hits=hits,
        absent_word_count=len(absent),
        request_size=profile.request.size,
        action_fingerprint=action_fingerprint,
        request_fingerprint=summary.fingerprint,
        request_words=summary.first_words,
        session_state=(
            profile.steps,
            profile.acts,
            profile.acts_since_result,
            len(profile.chunks),
            profile.action_counts.get(action_fingerprint, 0),
            profile.last_tools.count(name),
            int(profile.last_tools[:1] == (name,)),
        ),
        last_tools=profile.last_tools,
        delegation_word_count=summary.delegation_word_count,
        secret_result_count=len(secret_results),
        class_requested=_is_class_requested(act.impact, bag, key),
        span_words=_find_span_words(profile, hits, summary.words) if absent else None,
        truncated=truncated,
    )


@dataclass(frozen=True, slots=True)
class _RequestSummary:
    """What every observation of a session needs of its request.

    Args:
        words: its words without those of grammar.
        first_words: some of them.
        fingerprint: fingerprint of the whole list.
        delegation_word_count: words that hand on what others say.
    """

    words: frozenset[int]
    first_words: tuple[int, ...]
    fingerprint: int
    delegation_word_count: int


def _summarize_request(profile: Profile) -> _RequestSummary:
    cached = profile.request_summary
    if isinstance(cached, _RequestSummary):
        return cached
    key, bag = profile.key, profile.request.bag
    words = bag - _fingerprint_words(STOP_WORDS, key)
    summary = _RequestSummary(
        words,
        tuple(sorted(words))[:24],
        fingerprint_bytes(profile.request.atoms, key),
        len(bag & _fingerprint_words(DELEGATION_WORDS, key)),
    )
    profile.request_summary = summary
    return summary


@lru_cache(maxsize=96)
def _fingerprint_words(words: frozenset[str], key: bytes) -> frozenset[int]:
    """Fingerprints of a list of words."""
    return frozenset(unpack_fingerprints(fingerprint_atoms(sorted(words), key)))


@lru_cache(maxsize=1024)
def _extract_tool_words(tool: str, about: str) -> tuple[str, ...]:
    words = dict.fromkeys(word for word in split_name(tool) if word not in STOP_WORDS and len(word) > 1)
    if not words.keys() & VERBS:
        words |= dict.fromkeys(word for word in split_name(about) if word in VERBS)
    return tuple(words)[:MAX_TOOL_WORDS]


@lru_cache(maxsize=4096)
def _fingerprint_synonyms(word: str, key: bytes) -> tuple[int, frozenset[int]]:
    """Fingerprint of a word of a tool, and of words that mean much the same."""
    fingerprint = unpack_fingerprints(fingerprint_atom(word, key))[0]
    return fingerprint, frozenset(unpack_fingerprints(fingerprint_atoms(sorted(find_synonyms(word)), key)))


@dataclass(frozen=True, slots=True)
class _ToolWords:
    """What every observation of a tool needs of its words.

    Args:
        words: for each word, its fingerprint and those of its synonyms.
        by_synonym: which of them a fingerprint is like; of several the first.
        by_word: which of them it is.
    """

    words: tuple[tuple[int, frozenset[int]], ...]
    by_synonym: Mapping[int, Word]
    by_word: Mapping[int, Word]


@lru_cache(maxsize=1024)
def _make_tool_words(words: tuple[str, ...], key: bytes) -> _ToolWords:
    tool = tuple(_fingerprint_synonyms(word, key) for word in words)
    like = {number: (index, False) for index, (_, likes) in reversed([*enumerate(tool)]) for number in likes}
    return _ToolWords(tool, like, {fingerprint: (index, True) for index, (fingerprint, _) in enumerate(tool)})


def _is_class_requested(impact: Impact, bag: frozenset[int], key: bytes) -> bool:
    words = REQUEST_WORDS_BY_IMPACT.get(impact.value)
    return words is None or not bag.isdisjoint(_fingerprint_words(words, key))


def _find_absent_words(values: Iterable[Value], bag: frozenset[int], key: bytes) -> dict[int, Word]:
    """Argument words that the request does not hold: fingerprint → -1 - index."""
    words = dict.fromkeys(
        [word for value in values for word in value.words if word not in STOP_WORDS and len(word) > 1]
    )
    absent_words: dict[int, Word] = {}
    for number in unpack_fingerprints(fingerprint_atoms(list(words), key)):
        if number not in bag and number not in absent_words:
            absent_words[number] = (-1 - len(absent_words), True)
            if len(absent_words) >= MAX_ABSENT:
                break
    return absent_words


def _find_hits(
    profile: Profile, tool: _ToolWords, absent: dict[int, Word]
) -> tuple[tuple[tuple[int, int, bool], ...], ...]:
    if not profile.chunks:
        return ()
    wanted = {**tool.by_synonym, **absent, **tool.by_word}
    names = frozenset(wanted)
    return tuple([_find_hits_in_chunk(chunk, wanted, names) for chunk in profile.chunks])


def _find_hits_in_chunk(
    chunk: Chunk, wanted: Mapping[int, Word], names: frozenset[int]
) -> tuple[tuple[int, int, bool], ...]:
    shared = chunk.bag & names
    if not shared:
        return ()
    places, hits = chunk.positions, []
    for number in shared:
        which, exact = wanted[number]
        hits += [(position, which, exact) for position in places[number]]
    hits.sort()
    return tuple(hits[:MAX_HITS])


SPAN_WINDOW: Final = 32


def _find_span_words(
    profile: Profile, hits: Sequence[Sequence[tuple[int, int, bool]]], request_words: frozenset[int]
) -> frozenset[int] | None:
    """Words of the request around the densest window of absent argument words; of equally dense ones the most."""
    best: frozenset[int] | None = None
    most = 0
    for chunk, row in zip(profile.chunks, hits, strict=False):
        count, places = _find_densest(row, most or 1)
        if not count:
            continue
        numbers = chunk.numbers
        for position in places:
            here = request_words.intersection(
                numbers[max(position - SPAN_WINDOW - CONTEXT_ATOMS, 0) : position + CONTEXT_ATOMS]
            )
            if best is None or count > most or len(here) > len(best):
                best, most = here, count
    return best


def _find_densest(hits: Sequence[tuple[int, int, bool]], least: int) -> tuple[int, list[int]]:
    """Most different absent words in any window of `SPAN_WINDOW` words, and where such windows end, a few of them.

    Nothing if no window has `least` of them.
    """
    row = [(position, which) for position, which, _ in hits if which < 0]
    if len({which for _, which in row}) < least:
        return 0, []
    times: dict[int, int] = {}
    best, start = 0, 0
    places: list[int] = []
    for position, which in row:
        times[which] = times.get(which, 0) + 1
        while row[start][0] <= position - SPAN_WINDOW:
            old = row[start][1]
            times[old] -= 1
            if not times[old]:
                del times[old]
            start += 1
        if len(times) > best:
            best, places = len(times), [position]
        elif len(times) == best and len(places) < MAX_OCCURRENCES:
            places.append(position)
    return (best, places) if best >= least else (0, [])
