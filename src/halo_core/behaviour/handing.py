"""Room: hand-offs, who hands what to whom. Takes: the hand-offs of a session. Gives: facts and how unusual they are.

A baseline of ordinary sessions says which pairs there are, when they come, how often they go back and forth, how much
of what is handed on the request or the session has said, and what kind of work is asked for. A hand-off is as strange
as its facts are rare, in sixteenths of a bit. INVARIANT: robust to a poisoned history - shares are of tasks, so that
one task repeated makes nothing ordinary. Not part of a decision: for studies and reports. Never: I/O, floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from halo_core.behaviour.lexicon import ASKED, STOP
from halo_core.behaviour.near import BITS
from halo_core.behaviour.text import atoms

__all__ = ["FACTS", "Fact", "Handing", "Team", "Watcher", "factors", "fit_team", "strangeness"]

_WORDS: Final = 600  # of one text
_MOST_SEEN: Final = 20_000  # words of a session that are remembered
_SMOOTH: Final = 2

FACTS: Final = {
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
class Fact:
    """One fact of a hand-off: its name, and what it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Handing:
    """One hand-off, seen against what came before it."""

    giver: str
    receiver: str
    facts: tuple[Fact, ...]


@dataclass
class Watcher:
    """A session's hand-offs so far. Bounded."""

    request: frozenset[str]
    seen: set[str] = field(default_factory=set)
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    count: int = 0
    run: int = 0
    last: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, request: str) -> Watcher:
        """Of a session that begins with this request."""
        words = _words(request)
        return cls(words, set(words))

    def said(self, text: str) -> None:
        """Somebody in the session said something."""
        if len(self.seen) < _MOST_SEEN:
            self.seen |= _words(text)

    def handed(self, giver: str, receiver: str, text: str) -> Handing:
        """A hand-off, from what came before it; it then counts as made."""
        words = _words(text)
        pair = giver, receiver
        self.run = self.run + 1 if self.last in ((receiver, giver), pair) else 0
        facts = (
            Fact("receiver", receiver),
            Fact("place", _step(self.count)),
            Fact("repeats", _step(self.pairs.get(pair, 0))),
            Fact("to_and_fro", _step(self.run)),
            Fact("requested", _quarter(words, self.request)),
            Fact("known", _quarter(words, self.seen)),
            *(Fact("work", kind) for kind in _work(words) or ("none",)),
        )
        self.count += 1
        self.last = pair
        self.pairs[pair] = self.pairs.get(pair, 0) + 1
        self.said(text)
        return Handing(giver, receiver, facts)


@dataclass(frozen=True)
class Team:
    """What is ordinary: in how many tasks each fact was seen, of a giver and of anybody.

    Args:
        tasks: different ones.
        givers: giver → tasks in which it handed anything on.
        facts: (giver or empty for anybody, fact) → tasks.
    """

    tasks: int = 0
    givers: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[tuple[str, Fact], int] = field(default_factory=dict)

    def bits(self, giver: str, fact: Fact) -> int:
        """Surprise at a fact, in sixteenths of a bit; where the giver is new, that of anybody."""
        anybody = (self.facts.get(("", fact), 0) * 1000 + _SMOOTH) // (self.tasks + _SMOOTH)
        own = self.facts.get((giver, fact), 0) * 1000 + anybody * _SMOOTH
        return BITS[min(own // (self.givers.get(giver, 0) + _SMOOTH), 1000)]


def fit_team(sessions: Iterable[tuple[str, Sequence[Handing]]]) -> Team:
    """The baseline of ordinary sessions: task and hand-offs of each."""
    tasks: set[str] = set()
    givers: dict[str, set[str]] = {}
    facts: dict[tuple[str, Fact], set[str]] = {}
    for task, handings in sessions:
        tasks.add(task)
        for handing in handings:
            givers.setdefault(handing.giver, set()).add(task)
            for fact in handing.facts:
                for who in ("", handing.giver):
                    facts.setdefault((who, fact), set()).add(task)
    return Team(
        len(tasks),
        {giver: len(found) for giver, found in givers.items()},
        {name: len(found) for name, found in facts.items()},
    )


def strangeness(handing: Handing, team: Team) -> int:
    """How unusual a hand-off is, in sixteenths of a bit: each kind of fact counts with its strangest."""
    return sum(_each(handing, team).values())


def factors(handing: Handing, team: Team, most: int = 3) -> tuple[tuple[Fact, int], ...]:
    """The strangest facts, with what each adds."""
    strangest: dict[str, tuple[Fact, int]] = {}
    for fact in handing.facts:
        bits = team.bits(handing.giver, fact)
        if bits > strangest.get(fact.name, (fact, 0))[1]:
            strangest[fact.name] = (fact, bits)
    return tuple(sorted(strangest.values(), key=lambda item: (-item[1], item[0].name))[:most])


def _each(handing: Handing, team: Team) -> dict[str, int]:
    found: dict[str, int] = {}
    for fact in handing.facts:
        found[fact.name] = max(found.get(fact.name, 0), team.bits(handing.giver, fact))
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in atoms(text, _WORDS) if word not in STOP and len(word) > 1)


def _step(number: int) -> str:
    """0, 1, 2, 4, 8, .., 64: the greatest of them that is not above the number."""
    return str(min(1 << number.bit_length() - 1, 64)) if number else "0"


def _quarter(words: frozenset[str], known: Iterable[str]) -> str:
    if not words:
        return "empty"
    return str(min(len(words.intersection(known)) * 4 // len(words), 3))


def _work(words: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(kind for kind, asked in ASKED.items() if not words.isdisjoint(asked)))
