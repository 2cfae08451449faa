"""How unusual a hand-off between agents is, against those of ordinary sessions.

The baseline says which pairs there are, when they come, how often they go back and forth, how much of what is handed on
the request or the session has said, and what kind of work is asked for. A hand-off is as unusual as its facts are rare,
in sixteenths of a bit. INVARIANT: robust to a poisoned history - shares are of tasks, so that one task repeated makes
nothing ordinary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from halo_core.risk.relation import SURPRISE_BITS
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT, STOP_WORDS
from halo_core.values.language.text import extract_atoms

__all__ = [
    "HANDOFF_FACTS",
    "Handoff",
    "HandoffFact",
    "HandoffTracker",
    "TeamBaseline",
    "find_factors",
    "fit_team",
    "score_handoff",
]

_MAX_TEXT_WORDS: Final = 600  # of one text
_MAX_SESSION_WORDS: Final = 20_000  # words of a session that are remembered
_SMOOTH: Final = 2

HANDOFF_FACTS: Final = {
    "receiver": "this agent is handed work by that one",
    "place": "how many hand-offs came before",
    "repeats": "how often this pair has come before",
    "to_and_fro": "how long the two have gone back and forth",
    "requested": "how much of what is handed on the request says",
    "known": "how much of it the session has said at all",
    "work": "the kind of work that is asked for",
}
"""What is looked at, with a sentence for people."""


@dataclass(frozen=True, slots=True)
class HandoffFact:
    """One fact of a hand-off: its name, and what it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Handoff:
    """One hand-off, seen against what came before it."""

    giver: str
    receiver: str
    facts: tuple[HandoffFact, ...]


@dataclass
class HandoffTracker:
    """A session's hand-offs so far. Bounded."""

    request: frozenset[str]
    session_words: set[str] = field(default_factory=set)
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    count: int = 0
    alternations: int = 0
    last: tuple[str, str] = ("", "")

    @classmethod
    def start(cls, request: str) -> HandoffTracker:
        """Of a session that begins with this request."""
        words = _content_words(request)
        return cls(words, set(words))

    def add_text(self, text: str) -> None:
        """Somebody in the session said something."""
        if len(self.session_words) < _MAX_SESSION_WORDS:
            self.session_words |= _content_words(text)

    def record_handoff(self, giver: str, receiver: str, text: str) -> Handoff:
        """A hand-off, from what came before it; it then counts as made."""
        words = _content_words(text)
        pair = giver, receiver
        self.alternations = self.alternations + 1 if self.last in ((receiver, giver), pair) else 0
        facts = (
            HandoffFact("receiver", receiver),
            HandoffFact("place", _round_down_to_power(self.count)),
            HandoffFact("repeats", _round_down_to_power(self.pairs.get(pair, 0))),
            HandoffFact("to_and_fro", _round_down_to_power(self.alternations)),
            HandoffFact("requested", _overlap_quarter(words, self.request)),
            HandoffFact("known", _overlap_quarter(words, self.session_words)),
            *(HandoffFact("work", kind) for kind in _find_work_kinds(words) or ("none",)),
        )
        self.count += 1
        self.last = pair
        self.pairs[pair] = self.pairs.get(pair, 0) + 1
        self.add_text(text)
        return Handoff(giver, receiver, facts)


@dataclass(frozen=True)
class TeamBaseline:
    """What is ordinary: in how many tasks each fact was seen, of a giver and of anybody.

    Args:
        tasks: different ones.
        givers: giver → tasks in which it handed anything on.
        facts: (giver or empty for anybody, fact) → tasks.
    """

    tasks: int = 0
    givers: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[tuple[str, HandoffFact], int] = field(default_factory=dict)

    def compute_surprise(self, giver: str, fact: HandoffFact) -> int:
        """Surprise at a fact, in sixteenths of a bit; where the giver is new, that of anybody."""
        anybody = (self.facts.get(("", fact), 0) * 1000 + _SMOOTH) // (self.tasks + _SMOOTH)
        giver_share = self.facts.get((giver, fact), 0) * 1000 + anybody * _SMOOTH
        return SURPRISE_BITS[min(giver_share // (self.givers.get(giver, 0) + _SMOOTH), 1000)]


def fit_team(sessions: Iterable[tuple[str, Sequence[Handoff]]]) -> TeamBaseline:
    """The baseline of ordinary sessions: task and hand-offs of each."""
    tasks: set[str] = set()
    givers: dict[str, set[str]] = {}
    facts: dict[tuple[str, HandoffFact], set[str]] = {}
    for task, handoffs in sessions:
        tasks.add(task)
        for handoff in handoffs:
            givers.setdefault(handoff.giver, set()).add(task)
            for fact in handoff.facts:
                for giver_or_any in ("", handoff.giver):
                    facts.setdefault((giver_or_any, fact), set()).add(task)
    return TeamBaseline(
        len(tasks),
        {giver: len(task_set) for giver, task_set in givers.items()},
        {name: len(task_set) for name, task_set in facts.items()},
    )


def score_handoff(handoff: Handoff, team: TeamBaseline) -> int:
    """How unusual a hand-off is, in sixteenths of a bit: each kind of fact counts with its strangest."""
    return sum(_surprise_by_fact(handoff, team).values())


def find_factors(handoff: Handoff, team: TeamBaseline, most: int = 3) -> tuple[tuple[HandoffFact, int], ...]:
    """The strangest facts, with what each adds."""
    strangest: dict[str, tuple[HandoffFact, int]] = {}
    for fact in handoff.facts:
        bits = team.compute_surprise(handoff.giver, fact)
        if bits > strangest.get(fact.name, (fact, 0))[1]:
            strangest[fact.name] = (fact, bits)
    return tuple(sorted(strangest.values(), key=lambda item: (-item[1], item[0].name))[:most])


def _surprise_by_fact(handoff: Handoff, team: TeamBaseline) -> dict[str, int]:
    surprises: dict[str, int] = {}
    for fact in handoff.facts:
        surprises[fact.name] = max(surprises.get(fact.name, 0), team.compute_surprise(handoff.giver, fact))
    return surprises


def _content_words(text: str) -> frozenset[str]:
    return frozenset(word for word in extract_atoms(text, _MAX_TEXT_WORDS) if word not in STOP_WORDS and len(word) > 1)


def _round_down_to_power(number: int) -> str:
    """0, 1, 2, 4, 8, .., 64: the greatest of them that is not above the number."""
    return str(min(1 << number.bit_length() - 1, 64)) if number else "0"


def _overlap_quarter(words: frozenset[str], known_words: Iterable[str]) -> str:
    if not words:
        return "empty"
    return str(min(len(words.intersection(known_words)) * 4 // len(words), 3))


def _find_work_kinds(words: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        sorted(kind for kind, request_words in REQUEST_WORDS_BY_IMPACT.items() if not words.isdisjoint(request_words))
    )
