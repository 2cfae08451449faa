"""What is ordinary for an identity, and the margin above which an action is not.

`fit_baseline` counts what the actions of ordinary sessions show, by tasks (different requests) and by sessions.
INVARIANT: robust to a poisoned history - what only one task has shown is not known, unless it is in a hundredth of all
sessions: one sloppy or steered run makes nothing ordinary. Names and values are kept as keyed fingerprints.

`blend_threshold` mixes an identity's own highest margins with those that are usual elsewhere; the longer its history,
the more it weighs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, require
from halo_core.risk.evidence import ValueEvidence, ValueOrigin
from halo_core.risk.observation import ActionObservation
from halo_core.risk.relation import SURPRISE_BITS, RelationCounts
from halo_core.values.kinds.argument_values import Value
from halo_core.values.language.text import fingerprint_names, fingerprint_strings

USUAL_WEIGHT: Final = 100
"""Sessions that the margins usual elsewhere count for."""
MAX_OWN_MARGINS: Final = 1024


def sample_own_margins(highest: Sequence[int]) -> tuple[int, ...]:
    """Highest margins of an identity's ordinary sessions, sorted; at most `MAX_OWN_MARGINS`, evenly chosen."""
    ranked = sorted(highest)
    if len(ranked) <= MAX_OWN_MARGINS:
        return tuple(ranked)
    return tuple(ranked[index * (len(ranked) - 1) // (MAX_OWN_MARGINS - 1)] for index in range(MAX_OWN_MARGINS))


def blend_threshold(own_margins: Sequence[int], usual: Sequence[int], share: int) -> int:
    """The limit above which `share` thousandths of the mixture's sessions lie, at most.

    Args:
        own_margins: highest margin of each of the identity's ordinary sessions, against a baseline without its task.
        usual: the same elsewhere, as evenly spaced quantiles (`RiskModel.usual_margins`).
        share: thousandths.
    """
    if not own_margins and not usual:
        raise ValueError("nothing to set a limit by")
    # In common units: one own session weighs len(usual), one quantile weighs USUAL_WEIGHT.
    own_weight = max(len(usual), 1)
    total_weight = len(own_margins) * own_weight + USUAL_WEIGHT * len(usual)
    rows = [(margin, own_weight) for margin in own_margins] + [(margin, USUAL_WEIGHT) for margin in usual]
    rows.sort(reverse=True)
    weight_above, allowed = 0, total_weight * share
    for margin, weight in rows:
        weight_above += weight
        if weight_above * 1000 > allowed:
            return margin
    return rows[-1][0]


def compute_conformal_threshold(own_margins: Sequence[int], share: int) -> int | None:
    """The limit that another ordinary session passes with a probability of `share` thousandths at most.

    The (n + 1)(1 - share)-th smallest of n margins (split conformal prediction; Vovk et al., Algorithmic Learning in a
    Random World, 2005). That holds for any distribution, as far as the next session is like these. None with too few
    margins to promise it: fewer than 19 at 50 thousandths, fewer than 99 at 10.
    """
    count = len(own_margins)
    rank = -(-(count + 1) * (1000 - share) // 1000)
    return sorted(own_margins)[rank - 1] if rank <= count else None


def suit_threshold(own_margins: Sequence[int], usual: Sequence[int], share: int) -> int:
    """The limit for an identity: the blend with what is usual elsewhere, never below its own conformal limit."""
    own = compute_conformal_threshold(own_margins, share)
    blended = blend_threshold(own_margins, usual, share)
    return blended if own is None else max(own, blended)


_FORM: Final = "halo-baseline-1"
_SMOOTH: Final = 2
_MAX_MEMOIZED: Final = 2048
_LEAST_SHARE: Final = 30  # thousandths: with few tasks, a word of none of them is no rarer than this


@dataclass(frozen=True)
class Baseline:
    """What is ordinary for an identity, as counts.

    Args:
        tasks: different requests seen.
        sessions: sessions seen.
        counts: fingerprint → (tasks, sessions) that showed it.
        rates: fingerprint of a place → (new, all): of the values that tasks brought there, those no other task brought.
        word_counts: word of a tool → number of tools that have it.
        established: fingerprints of values that several principals named at their place in unexposed sessions.
    """

    tasks: int = 0
    sessions: int = 0
    counts: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    rates: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    word_counts: Mapping[str, int] = field(default_factory=dict, repr=False)
    tool_count: int = 0
    established: frozenset[int] = frozenset()
    _memo: dict[object, list[int]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _word_weights: dict[bytes, dict[int, int]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def memoize(self, name: object, make: Callable[[], list[int]]) -> list[int]:
        """The value of `make` for this `name`, computed once; bounded."""
        result = self._memo.get(name)
        if result is None:
            if len(self._memo) >= _MAX_MEMOIZED:
                self._memo.clear()
            result = self._memo[name] = make()
        return result

    def weigh_request_words(self, words: Iterable[int], key: bytes) -> int:
        """Sum of the surprises, in sixteenths of a bit, at words (fingerprints) in a request of this role.

        The rarer a word is in the requests, the more it says about this one.
        """
        weights = self._word_weights.setdefault(key, {})
        if len(weights) > _MAX_MEMOIZED:
            weights.clear()
        total = 0
        for word in words:
            weight = weights.get(word)
            if weight is None:
                share = self.task_share(fingerprint_names("q", f"{word:x}", key=key))
                weight = weights[word] = SURPRISE_BITS[max(share, _LEAST_SHARE)]
            total += weight
        return total

    def is_known(self, fingerprint: int) -> bool:
        """Whether a fingerprint is known: from two tasks, or a hundredth of the sessions (two of ten or more)."""
        counts = self.counts.get(fingerprint)
        return counts is not None and (counts[0] >= 2 or counts[1] >= self._min_sessions)

    @cached_property
    def _min_sessions(self) -> int:
        return max(-(-self.sessions // 100), 2) if self.sessions >= 10 else 1

    def task_share(self, fingerprint: int) -> int:
        """Thousandths of the tasks that showed it."""
        return self.counts.get(fingerprint, (0, 0))[0] * 1000 // max(self.tasks, 1)

    def novelty_rate(self, places: Sequence[int]) -> int:
        """Thousandths of values that are new at a place; places go from exact to general, smoothing one another."""
        rate = 500
        for place in reversed(places):
            new, total = self.rates.get(place, (0, 0))
            rate = (new * 1000 + rate * _SMOOTH) // (total + _SMOOTH)
        return max(rate, 1)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "form": _FORM,
                "known": {f"{fingerprint:012x}": list(counts) for fingerprint, counts in self.counts.items()},
                "rates": {f"{fingerprint:012x}": list(counts) for fingerprint, counts in self.rates.items()},
                "sessions": self.sessions,
                "tasks": self.tasks,
                "tools": self.tool_count,
                "words": sorted([word, times] for word, times in self.word_counts.items()),
            }
            | ({"established": [f"{item:012x}" for item in sorted(self.established)]} if self.established else {})
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Baseline:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            members = canonical.loads(data)
            require(members["form"] == _FORM, "another form")
            counts, rates = (
                {int(name, 16): (int(first), int(second)) for name, (first, second) in members[part].items()}
                for part in ("known", "rates")
            )
            words = {str(word): int(times) for word, times in members["words"]}
            established = frozenset(int(name, 16) for name in members.get("established", ()))
            sizes = int(members["tasks"]), int(members["sessions"])
            return cls(*sizes, counts, rates, words, int(members["tools"]), established)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise BadInput("bad_baseline", "not a baseline", field="baseline", remedy="fit the baseline again") from exc


class ValueFingerprints:
    """Fingerprints under which a value is counted, each made when it is asked for."""

    __slots__ = ("_evidence", "_key", "_observation", "_text", "value")

    def __init__(self, observation: ActionObservation, evidence: ValueEvidence, key: bytes) -> None:
        self._observation, self._evidence, self._key = observation, evidence, key
        self._text = f"{evidence.fingerprint:x}"
        self.value = fingerprint_strings("v", observation.tool, evidence.value.place, self._text, key=key)

    @property
    def value_elsewhere(self) -> Iterator[int]:
        """Fingerprints of the value at any place of its name, and anywhere."""
        yield fingerprint_strings("w", self._evidence.value.leaf, self._text, key=self._key)
        yield fingerprint_strings("x", self._text, key=self._key)

    @property
    def general_forms(self) -> Iterator[int]:
        """Fingerprints of its general form, at this place and anywhere; none if it has none."""
        if general := self._evidence.value.general:
            yield fingerprint_strings("g", self._observation.tool, self._evidence.value.place, general, key=self._key)
            yield fingerprint_strings("h", general, key=self._key)

    @property
    def source_flow(self) -> int:
        """Fingerprint of this place taking values from that tool's results."""
        return fingerprint_strings(
            "f", self._evidence.source, self._observation.tool, self._evidence.value.place, key=self._key
        )


MIN_PRINCIPALS: Final = 2
"""Principals that a value takes to be established."""


def find_established(sightings: Iterable[tuple[str, ActionObservation]], key: bytes) -> frozenset[int]:
    """Fingerprints of the values that several principals named at their place.

    Args:
        sightings: (principal, action) of unexposed sessions; an action without a principal counts for none.
        key: key of the fingerprints.
    """
    principals: dict[int, set[str]] = {}
    for principal, observation in sightings:
        for fingerprint in fingerprint_named_values(observation, key) if principal else ():
            principals.setdefault(fingerprint, set()).add(principal)
    return frozenset(value for value, names in principals.items() if len(names) >= MIN_PRINCIPALS)


def fingerprint_named_values(observation: ActionObservation, key: bytes) -> list[int]:
    """Fingerprints of what an action names (whom, where, which), each at its place."""
    return [ValueFingerprints(observation, item, key).value for item in observation.evidence if item.value.is_naming]


def is_established(observation: ActionObservation, baseline: Baseline, key: bytes) -> bool:
    """Whether an action names something, and nothing that is not established."""
    named = fingerprint_named_values(observation, key) if baseline.established and not observation.truncated else []
    return bool(named) and baseline.established.issuperset(named)


def fingerprint_levels(purpose: str, observation: ActionObservation, value: Value, key: bytes) -> tuple[int, ...]:
    """Fingerprints of a place and of the more general ones, from exact to general."""
    return _fingerprint_levels(purpose, observation.tool, value.place, value.leaf, int(value.kind), key)


@lru_cache(maxsize=8192)
def _fingerprint_levels(purpose: str, tool: str, where: str, leaf: str, number: int, key: bytes) -> tuple[int, ...]:  # noqa: PLR0917  a memo
    kind = str(number)
    return (
        fingerprint_names(purpose, tool, where, key=key),
        fingerprint_names(purpose, "leaf", leaf, kind, key=key),
        fingerprint_names(purpose, "kind", kind, key=key),
        fingerprint_names(purpose, "all", key=key),
    )


def fingerprint_observation(observation: ActionObservation, key: bytes) -> list[int]:
    """Fingerprints of everything about an action that is counted in tasks and sessions."""
    request = f"{observation.request_fingerprint:x}"
    fingerprints = [
        fingerprint_strings("t", observation.tool, key=key),
        fingerprint_strings("i", observation.impact.value, key=key),
        fingerprint_strings("b", observation.previous_tool, observation.tool, key=key),
        fingerprint_strings("a", observation.tool, observation.argument_names, key=key),
        fingerprint_strings("r", request, key=key),
        fingerprint_strings("rt", request, observation.tool, key=key),
        fingerprint_strings("m", f"{observation.action_fingerprint:x}", key=key),
    ]
    for request_word in observation.request_words:
        fingerprints += [
            fingerprint_names("q", f"{request_word:x}", key=key),
            fingerprint_names("qt", f"{request_word:x}", observation.tool, key=key),
        ]
    for evidence in observation.evidence:
        value_fingerprints = ValueFingerprints(observation, evidence, key)
        fingerprints += [
            value_fingerprints.value,
            *value_fingerprints.value_elsewhere,
            *value_fingerprints.general_forms,
            value_fingerprints.source_flow,
            fingerprint_strings("rv", request, f"{evidence.fingerprint:x}", key=key),
        ]
    return fingerprints


def fit_baseline(sessions: Iterable[Sequence[ActionObservation]], key: bytes) -> Baseline:
    """The baseline of sessions, each the observations of its actions in order; a request is a task."""
    counts = _BaselineCounts(key)
    for observations in sessions:
        if observations:
            counts.add_session(observations)
    return counts.to_baseline()


class _BaselineCounts:
    def __init__(self, key: bytes) -> None:
        self.key = key
        self.tasks_by_fingerprint: dict[int, set[int]] = {}
        self.sessions_by_fingerprint: dict[int, int] = {}
        self.requests: set[int] = set()
        self.sessions = 0
        self.tasks_by_place_and_value: dict[int, dict[int, set[int]]] = {}
        self.origin_counts: dict[int, list[int]] = {}
        self.words_by_tool: dict[str, tuple[str, ...]] = {}
        self.relations = RelationCounts(key)

    def add_session(self, observations: Sequence[ActionObservation]) -> None:
        task = observations[0].request_fingerprint
        self.requests.add(task)
        self.sessions += 1
        fingerprints: set[int] = set()
        for observation in observations:
            fingerprints.update(fingerprint_observation(observation, self.key))
            self.words_by_tool.setdefault(observation.tool, observation.words)
            self.relations.add(observation, task)
            for evidence in observation.evidence:
                self._count_value(observation, evidence, task)
        for fingerprint in fingerprints:
            self.tasks_by_fingerprint.setdefault(fingerprint, set()).add(task)
            self.sessions_by_fingerprint[fingerprint] = self.sessions_by_fingerprint.get(fingerprint, 0) + 1

    def _count_value(self, observation: ActionObservation, evidence: ValueEvidence, task: int) -> None:
        general = evidence.value.general
        forms = [("n", evidence.fingerprint)]
        forms += [("ng", fingerprint_strings(general, key=self.key))] if general else []
        for purpose, fingerprint in forms:
            for place in fingerprint_levels(purpose, observation, evidence.value, self.key):
                self.tasks_by_place_and_value.setdefault(place, {}).setdefault(fingerprint, set()).add(task)
        for place in fingerprint_levels("p", observation, evidence.value, self.key):
            self.origin_counts.setdefault(place, [0] * len(ValueOrigin))[evidence.origin] += 1

    def to_baseline(self) -> Baseline:
        rates = dict(self.relations.to_rates())
        for place, values in self.tasks_by_place_and_value.items():
            total = sum(len(tasks) for tasks in values.values())
            rates[place] = (sum(len(tasks) == 1 for tasks in values.values()), total)
        for place, row in self.origin_counts.items():
            total = sum(row)
            for origin, times in enumerate(row):
                rates[place + (origin + 1 << 48)] = (total - times, total)
        words = Counter(word for name in self.words_by_tool.values() for word in set(name))
        counts = {
            fingerprint: (len(tasks), self.sessions_by_fingerprint[fingerprint])
            for fingerprint, tasks in self.tasks_by_fingerprint.items()
        }
        return Baseline(len(self.requests), self.sessions, counts, rates, words, len(self.words_by_tool))
