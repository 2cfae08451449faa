"""What all identities of a tenant do, for comparing those with too little history of their own or of their role.

A value that others show as well is not strange. How strange a value is that nobody else shows depends on the tenant:
where most identities show values of their own (each its own network), it says little. The share of such values is
counted for each dimension (Good and Turing's estimate of what is new).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from halo_core.durations import HOUR_US
from halo_core.identities.habit import Dimension, IdentityHabit
from halo_core.quick_dataclass import dataclass

FEWEST_OTHERS: Final = 3
_SURE_OTHERS: Final = 10
_WEIGHT: Final = 700
"""Thousandths: what strangers do says less than what an identity itself does."""
_MAX_PAIRS: Final = 500_000
_FEWEST_DAYS: Final = 5
_SHARE_AT_NIGHT: Final = 50  # thousandths of the others that make an hour usual
DEFAULT_BUSY_HOUR: Final = 1_000
"""Events an hour that nobody is surprised by, where nothing is known."""


@dataclass(slots=True)
class Crowd:
    """The values of a tenant's identities, each counted once for each identity.

    Args:
        members: identities with any event.
        days: the most days on which any of them was active.
        pairs: (dimension, value) → identities that showed it.
        totals: dimension → number of pairs of identity and value.
        singles: dimension → values that one identity alone showed.
        hours: hour of the day → identities active in it.
    """

    members: int = 0
    days: int = 0
    pairs: dict[tuple[Dimension, int], int] = field(default_factory=dict)
    totals: Counter[Dimension] = field(default_factory=Counter)
    singles: Counter[Dimension] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)

    def add_habit(self, habit: IdentityHabit) -> None:
        """Count all values of an identity."""
        self.members += 1
        for dim, table in zip(Dimension, habit.known_values, strict=False):
            self.add_values((dim, value) for value in table)
        self.hours.update({week_hour % 24 for week_hour in habit.active_hours})
        self.days = max(self.days, habit.days)

    def add_values(self, shown: Iterable[tuple[Dimension, int]]) -> None:
        """Count values that an identity shows for the first time."""
        for pair in shown:
            number = self.pairs.get(pair, 0)
            if not number and len(self.pairs) >= _MAX_PAIRS:
                continue
            self.pairs[pair] = number + 1
            self.totals[pair[0]] += 1
            self.singles[pair[0]] += (number == 0) - (number == 1)

    def find_turnover(self, dim: Dimension) -> int:
        """Share of the tenant's values of a dimension that only one identity has, in thousandths."""
        total = self.totals[dim]
        return self.singles[dim] * 1000 // total if total else 1000


@dataclass(frozen=True, slots=True)
class CrowdComparison:
    """An event compared with the whole tenant; has the members of `event_factors.Comparison` that factors read.

    Args:
        crowd: the tenant's identities.
        others: how many they are, the identity itself left out.
        values: fingerprints of what the event shows.
        own: those of them that the identity has shown before.
        habit: habit of the identity, short or empty.
    """

    crowd: Crowd
    others: int
    values: Mapping[Dimension, int]
    own: frozenset[Dimension]
    habit: IdentityHabit
    peers: None = None

    def measure_value(self, dim: Dimension) -> int:
        """How unusual this value of the event is."""
        value = self.values.get(dim)
        if value is None or self.others < FEWEST_OTHERS:
            return 0
        others = self.crowd.pairs.get((dim, value), 0) - (dim in self.own)
        points = 1000 if others <= 0 else 600 if others == 1 else 0
        if dim in self.own:
            points //= 2
        return points * self._find_certainty() // 1000 * (1000 - self.crowd.find_turnover(dim)) // 1000

    def measure_hour(self, ts_us: int) -> int:
        """How unusual the hour is: 0 until several days of the tenant are known."""
        if self.others < FEWEST_OTHERS or self.crowd.days < _FEWEST_DAYS:
            return 0
        hour = ts_us // HOUR_US % 24
        active = max(self.crowd.hours[near % 24] for near in (hour - 1, hour, hour + 1))
        return self._find_certainty() if active * 1000 < _SHARE_AT_NIGHT * self.others else 0

    def measure_weekday(self, ts_us: int) -> int:  # noqa: ARG002  as `Comparison`
        """Always 0: a short history does not tell which weekdays are unusual."""
        return 0

    def count_busy_hour_events(self) -> int:
        """Events of a busy hour."""
        return max(self.habit.busy.usual_peak(), DEFAULT_BUSY_HOUR)

    def count_bad_hour_failures(self) -> int:
        """Failures of a bad hour."""
        return self.habit.failing.usual_peak()

    def _find_certainty(self) -> int:
        return _WEIGHT * min(self.others, _SURE_OTHERS) // _SURE_OTHERS
