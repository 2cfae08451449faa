"""One action as seen from what came before it in its session: where each value came from, how it fits the request.

`observe_action` needs no baseline, so an observation is made once and can be compared with any.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from halo_core.model import Impact
from halo_core.risk.profile import Chunk, Profile, ProposedAction, shorten_tool_name
from halo_core.values.argument_values import Value, ValueKind, extract_values
from halo_core.values.lexicon import (
    COMMON_NAME_PARTS,
    DELEGATION_WORDS,
    REQUEST_WORDS_BY_IMPACT,
    SENSITIVE_WORDS,
    STOP_WORDS,
    VERBS,
    find_synonyms,
)
from halo_core.values.text import (
    find_atoms,
    fingerprint_atom,
    fingerprint_atoms,
    fingerprint_bytes,
    fingerprint_strings,
    is_plain_word,
    normalize_atom,
    split_name,
    unpack_fingerprints,
)

MAX_OCCURRENCES: Final = 8
CONTEXT_ATOMS: Final = 20
_DISGUISED_PREFIX: Final = b"\0"
_TEXT: Final = ValueKind.TEXT  # looking up a member of an enum takes a while
_MIN_KNOWN_SHARE: Final = 600  # thousandths of a text's words that must be known for it to be of known origin


class ValueOrigin(IntEnum):
    """Where a value came from, as far as the session's own texts say."""

    REQUEST = 0
    NAMED_RESULT = 1
    RESULT = 2
    BOTH = 3
    NOWHERE = 4


_REQUEST: Final = ValueOrigin.REQUEST
RESULT_ORIGINS: Final = frozenset({ValueOrigin.NAMED_RESULT, ValueOrigin.RESULT})
"""Origins of what only a result names."""


@dataclass(frozen=True, slots=True)
class ValueEvidence:
    """One value, seen against the session.

    Args:
        value: it.
        fingerprint: fingerprint of its words.
        origin: where from.
        request_share: thousandths of its words that the request holds.
        result_share: thousandths of its words that one result holds, the best of them.
        source: tool whose result that was, empty if none.
        age: actions since then, 0 where it is the last result.
        result_count: in how many results it stands.
        mentions_secret: it holds a word for a secret that the request does not.
        secret_token_count: words with digits, at least eight long, from a result that speaks of secrets.
        affix_match: of a name that came from a result, one of its words begins or ends with a word of the request
            (alicemiller, where that says Alice).
        nearby_request_words: of a name that came from a result, most words of the request around it in one; else -1.
    """

    value: Value
    fingerprint: int
    origin: ValueOrigin
    request_share: int
    result_share: int
    source: str
    age: int
    result_count: int
    mentions_secret: bool
    secret_token_count: int
    affix_match: bool = False
    nearby_request_words: int = -1


def collect_value_evidence(
    profile: Profile, value: Value, request_words: frozenset[int], secret_results: Sequence[Chunk]
) -> ValueEvidence:
    """Compare a value with the request (`request_words`) and results (`secret_results`: those that name secrets)."""
    key, bag = profile.key, profile.request.bag
    packed = fingerprint_atoms(list(value.words), key)
    row = unpack_fingerprints(packed)
    request_share = _share_in_bag(row, bag)
    is_name = value.kind is not _TEXT
    covered, source, age, results = (
        _find_result_of_name(profile, packed) if is_name else _find_result_of_text(profile, row)
    )
    if is_name and profile.request.find(packed) >= 0:
        origin = _REQUEST
    else:
        request_share = min(request_share, 999) if is_name else request_share
        origin = _resolve_origin(profile, request_share, covered, source, age, is_name=is_name)
    foreign = value.is_naming and origin in RESULT_ORIGINS
    return ValueEvidence(
        value,
        _fingerprint_value(value, packed, key),
        origin,
        request_share,
        covered,
        source,
        age,
        results,
        _mentions_secret(value, bag, key),
        _count_secret_tokens(value, row, secret_results, bag) if secret_results else 0,
        foreign and _has_affix_match(value, request_words, key),
        _count_nearby_request_words(profile, packed, request_words) if foreign else -1,
    )


def _share_in_bag(row: array[int], bag: frozenset[int]) -> int:
    """Thousandths of words that a text holds."""
    return sum(map(bag.__contains__, row)) * 1000 // len(row)


def _fingerprint_value(value: Value, packed: bytes, key: bytes) -> int:
    """Fingerprint of a value, exact form included: similar words alone do not make it known."""
    distinguishing = _DISGUISED_PREFIX * value.disguised + value.exact.encode("utf-8", "replace")
    return fingerprint_bytes(packed + distinguishing, key)


def _find_result_of_name(profile: Profile, packed: bytes) -> tuple[int, str, int, int]:
    """Coverage by the latest result that holds a name, its source and age, and the number of results that do."""
    matches = [
        (back, chunk.source)
        for back, chunk in enumerate(reversed(profile.chunks))
        if packed in chunk.atoms and chunk.find(packed) >= 0
    ]
    if not matches:
        return 0, "", 0, 0
    age, source = matches[0]
    return 1000, source, age, len(matches)


def _find_result_of_text(profile: Profile, row: array[int]) -> tuple[int, str, int, int]:
    """As `_find_result_of_name`, of a text: the result that holds most of its words, of equals the latest."""
    best, source, age, results = 0, "", 0, 0
    for back, chunk in enumerate(reversed(profile.chunks)):
        cover = _share_in_bag(row, chunk.bag)
        results += cover >= _MIN_KNOWN_SHARE
        if cover > best:
            best, source, age = cover, chunk.source, back
    return best, source, age, results


def _resolve_origin(
    profile: Profile, request_share: int, result_share: int, source: str, age: int, *, is_name: bool
) -> ValueOrigin:
    if not is_name and request_share >= 800:
        return _REQUEST
    if result_share >= _MIN_KNOWN_SHARE and source:
        return ValueOrigin.NAMED_RESULT if profile.chunks[-1 - age].named_by_request else ValueOrigin.RESULT
    return ValueOrigin.BOTH if not is_name and request_share + result_share >= _MIN_KNOWN_SHARE else ValueOrigin.NOWHERE


def _mentions_secret(value: Value, bag: frozenset[int], key: bytes) -> bool:
    if SENSITIVE_WORDS.isdisjoint(value.words):
        return False
    return any(
        word in SENSITIVE_WORDS and unpack_fingerprints(fingerprint_atom(word, key))[0] not in bag
        for word in value.words[:64]
    )


def _count_secret_tokens(value: Value, row: array[int], secret_results: Sequence[Chunk], bag: frozenset[int]) -> int:
    long = [(word, number) for word, number in zip(value.words, row, strict=True) if len(word) >= 8]
    rare = {number for word, number in long if not word.isalpha() and any(map(str.isdigit, word))} - bag
    return sum(any(number in chunk.bag for chunk in secret_results) for number in rare)


def _has_affix_match(value: Value, request_words: frozenset[int], key: bytes) -> bool:
    if not request_words:
        return False
    for word in value.words[:16]:
        if len(word) < 3 or word in COMMON_NAME_PARTS or word in STOP_WORDS:
            continue
        if not request_words.isdisjoint(
            _fingerprint_plain_affixes(word, key) if is_plain_word(word) else _fingerprint_affixes(word, key)
        ):
            return True
    return False


def _fingerprint_affixes(word: str, key: bytes) -> array[int]:
    """Fingerprints of what a word begins and ends with."""
    most = min(len(word), 24)
    ends = {normalize_atom(word[:end]) for end in range(3, most + 1)}
    ends.update([normalize_atom(word[-end:]) for end in range(3, most)])
    return unpack_fingerprints(fingerprint_atoms(list(ends), key))


@lru_cache(maxsize=4096)
def _fingerprint_plain_affixes(word: str, key: bytes) -> frozenset[int]:
    return frozenset(_fingerprint_affixes(word, key))


def _count_nearby_request_words(profile: Profile, packed: bytes, request_words: frozenset[int]) -> int:
    """Most words of the request that stand around a value, over its latest occurrences in results."""
    best, looked = -1, 0
    others = request_words.difference(unpack_fingerprints(packed))
    for chunk in reversed(profile.chunks):
        position = chunk.find(packed)
        while position >= 0 and looked < MAX_OCCURRENCES:
            around = chunk.numbers[max(position - CONTEXT_ATOMS, 0) : position + len(packed) // 4 + CONTEXT_ATOMS]
            best, looked = max(best, len(others.intersection(around))), looked + 1
            position = find_atoms(packed, chunk.atoms, position + 1)
    return best


MAX_TOOL_WORDS: Final = 8
MAX_ABSENT: Final = 96
MAX_HITS: Final = 1024
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
    truncated: bool = False

    @property
    def previous_tool(self) -> str:
        """The tool of the action before, empty where there is none."""
        return self.last_tools[0] if self.last_tools else ""

    @property
    def argument_names(self) -> str:
        """Names of its arguments, in order."""
        return ",".join(sorted({item.value.place.split("/", 1)[0].rstrip("~!") for item in self.evidence}))

    @property
    def named_by_request(self) -> bool:
        """Whether everything it names stands in the request."""
        return all(item.origin is ValueOrigin.REQUEST for item in self.evidence if item.value.is_naming)


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
    return ActionObservation(
        tool=act.tool,
        impact=act.impact,
        is_read=act.impact is Impact.READ,
        words=words,
        request_matches=tuple([2 if exact in bag else int(not bag.isdisjoint(likes)) for exact, likes in tool.words]),
        evidence=evidence,
        hits=_find_hits(profile, tool, absent),
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
        truncated=truncated,
    )


@dataclass(frozen=True, slots=True)
class _RequestSummary:
    """What every observation of a session needs of its request.

    Args:
        words: its words without those of grammar.
        first_words: some of them.
        fingerprint: of all of it.
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
        words: of each its fingerprint, and those of words that mean much the same.
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
    words = dict.fromkeys(word for value in values for word in value.words if word not in STOP_WORDS and len(word) > 1)
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
