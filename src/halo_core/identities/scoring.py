"""Room: the risk of one event. Takes: a book, events in order. Gives: 0..1000, what moved it. Never: I/O, floats.

INVARIANT: an event's risk comes from the book and from events before it, never from later ones. An identity that is
little known is compared with its peers; where there are none it has no risk, rather than a low or a high one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from halo_core.identities.book import ESTABLISHED, MOST_IDENTITIES, Book, Peers, group_of, name_of
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.identities.habit import HOUR_US, Habit, values_of
from halo_core.identities.strange import Compared, Factor, factors_of

__all__ = ["Basis", "Scored", "Scorer"]

_SHOWN: Final = 3
_FEWEST_PEERS: Final = 3
_KEEP: Final = (7, 8)
"""Share of an identity's risk that stays when its next event is ordinary."""


class Basis(StrEnum):
    """What an event was compared with."""

    OWN = "own"
    PEERS = "peers"
    LITTLE = "too little known"


@dataclass(frozen=True, slots=True)
class Scored:
    """What is said of one event.

    Args:
        event: it.
        basis: what it was compared with.
        risk: 0..1000, None where too little is known.
        band: of the risk: 0 ordinary, 1 elevated, 2 high.
        factors: up to three that moved it, the strongest first.
        running: risk of the identity after it: rises at once, falls slowly.
    """

    event: IdentityEvent
    basis: Basis
    risk: int | None
    band: int
    factors: tuple[Factor, ...]
    running: int

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        event = self.event
        return {
            "action": event.action,
            "band": self.band,
            "basis": self.basis.value,
            "factors": [factor.to_plain() for factor in self.factors],
            "identity": event.identity,
            "network": event.network,
            "outcome": event.outcome.value,
            "risk": self.risk,
            "running": self.running,
            "system": event.system,
            "ts_us": event.ts_us,
        }


@dataclass(slots=True)
class _Lately:
    """What an identity did in the last hour of the events that are scored."""

    hour: int = -1
    count: int = 0
    failures: int = 0
    failed_us: int = 0
    running: int = 0

    def take(self, event: IdentityEvent) -> tuple[int, int]:
        """Events in this hour with this one, and failures in a row within an hour before it."""
        hour = event.ts_us // HOUR_US
        self.count = self.count + 1 if hour == self.hour else 1
        self.hour = hour
        before = self.failures if event.ts_us - self.failed_us <= HOUR_US else 0
        if event.outcome is Outcome.FAILURE:
            self.failures, self.failed_us = before + 1, event.ts_us
        elif event.outcome is Outcome.SUCCESS:
            self.failures = 0
        return self.count, before


@dataclass(slots=True)
class Scorer:
    """Scores events in order against a book, which it does not change.

    Args:
        book: what is ordinary.
        key: of the tenant's fingerprints, that the book was made with; BadInput for another.
    """

    book: Book
    key: bytes
    _peers: Mapping[int, Peers] = field(init=False)
    _lately: dict[int, _Lately] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book.require(self.key)
        self._peers = self.book.peers()

    def score(self, event: IdentityEvent) -> Scored:
        """The next event."""
        name = name_of(event.identity, self.key)
        habit = self.book.habits.get(name, _NOBODY)
        group = group_of(event, self.key)
        peers = self._peers.get(group, _NONE)
        lately = self._of(name)
        count, failures = lately.take(event)
        own = habit.days >= ESTABLISHED
        member = own and habit.group == group  # the group's counts have it in them
        others = peers.members - member
        if not own and others < _FEWEST_PEERS:
            lately.running = lately.running * _KEEP[0] // _KEEP[1]
            return Scored(event, Basis.LITTLE, None, 0, (), lately.running)
        enough = peers if others >= _FEWEST_PEERS else None
        compared = Compared(habit, enough, others, values_of(event, self.key), member=member)
        factors = factors_of(event, compared, count, failures)
        risk = together(factors)
        lately.running = max(risk, lately.running * _KEEP[0] // _KEEP[1])
        basis = Basis.OWN if own else Basis.PEERS
        return Scored(event, basis, risk, self.book.limits.band(risk), factors[:_SHOWN], lately.running)

    def _of(self, name: int) -> _Lately:
        found = self._lately.get(name)
        if found is None:
            if len(self._lately) >= MOST_IDENTITIES:
                del self._lately[next(iter(self._lately))]
            found = self._lately[name] = _Lately()
        return found


def together(factors: tuple[Factor, ...]) -> int:
    """One risk of several: each takes its share of what the others leave."""
    left = 1000
    for factor in factors:
        left = left * (1000 - factor.points) // 1000
    return 1000 - left


_NOBODY: Final = Habit()
_NONE: Final = Peers()
