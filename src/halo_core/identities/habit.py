"""Room: what one identity ordinarily does. Takes: its events in order. Gives: counts of days. Never: I/O, floats.

Everything is counted in days, not in events: a thousand calls of one night make nothing ordinary. Values are kept as
keyed fingerprints, so a baseline names nobody and no address. Bounded: a table that is full says nothing any more,
rather than calling what it could not hold new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from halo_core.behaviour.sight import mark
from halo_core.identities.event import IdentityEvent, Outcome

__all__ = ["DAY_US", "HOUR_US", "MOST_VALUES", "Dim", "Habit", "Peak", "values_of", "weekday_of"]

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
MOST_VALUES: Final = 256
_EARLY: Final = 5  # days in which everything is new
_THURSDAY: Final = 3  # 1970-01-01, with Monday 0


class Dim(IntEnum):
    """What is compared; the first five by value, the last two by time."""

    ACTION = 0
    SYSTEM = 1
    NETWORK = 2
    COUNTRY = 3
    ASN = 4
    HOUR = 5
    WEEKDAY = 6


def values_of(event: IdentityEvent, key: bytes) -> dict[Dim, int]:
    """Fingerprints of what an event shows; what it does not say is left out."""
    action = f"{event.system}\x1e{event.action}"  # `delete` of one system is not that of another
    said = (action, event.system, event.network, event.country, event.asn)
    texts = zip(Dim, said, strict=False)
    return {dim: mark("identity", dim.name, text, key=key) for dim, text in texts if text}


@dataclass(slots=True)
class Peak:
    """The busiest hour of each of the two busiest days, so that one day alone does not say what is usual.

    Args:
        hour: number of the hour that is counted now.
        count: what it has so far.
        today: the most of one hour of this day.
        days: the most of one hour of a day, of the two busiest days before this one.
    """

    hour: int = -1
    count: int = 0
    today: int = 0
    days: tuple[int, int] = (0, 0)

    def take(self, hour: int) -> None:
        """One more in this hour; hours come in order."""
        if hour != self.hour:
            if hour // 24 != self.hour // 24:
                self.days, self.today = self._top(), 0
            self.hour, self.count = hour, 0
        self.count += 1
        self.today = max(self.today, self.count)

    def usual(self) -> int:
        """The second busiest day's busiest hour; with one day only, that of this day."""
        first, second = self._top()
        return second or first

    def _top(self) -> tuple[int, int]:
        first, second, _ = sorted((*self.days, self.today), reverse=True)
        return first, second

    def to_plain(self) -> list[int]:
        """Canonical tree."""
        return [self.hour, self.count, self.today, *self.days]

    @classmethod
    def from_plain(cls, plain: list[int]) -> Peak:
        """Inverse of `to_plain`."""
        hour, count, today, first, second = map(int, plain)
        return cls(hour, count, today, (first, second))


@dataclass(slots=True)
class Habit:
    """See the module.

    Args:
        group: fingerprint of kind and role: whoever shares it is a peer.
        events: how many.
        days: on which it did anything.
        first_day: number of the first of them.
        last_us: time of the newest event.
        known: value → (days that showed it, the last of them), for each of the first five of `Dim`.
        fresh: days after the early ones that showed something new, and the last of them, for each of `Dim`.
        week: hour of the week → days on which it was active then.
        weekdays: active days by weekday, Monday first.
        busy: events an hour.
        failing: failures an hour.
    """

    group: int = 0
    events: int = 0
    days: int = 0
    first_day: int = 0
    last_us: int = -1
    known: tuple[dict[int, tuple[int, int]], ...] = field(default_factory=lambda: ({}, {}, {}, {}, {}))
    fresh: dict[int, tuple[int, int]] = field(default_factory=dict)
    week: dict[int, int] = field(default_factory=dict)
    weekdays: list[int] = field(default_factory=lambda: [0] * 7)
    busy: Peak = field(default_factory=Peak)
    failing: Peak = field(default_factory=Peak)

    def take(self, event: IdentityEvent, values: Mapping[Dim, int], group: int) -> None:
        """One more event, not older than the last."""
        hour, day = event.ts_us // HOUR_US, event.ts_us // DAY_US
        self.group = group
        self._time(hour, day)
        for dim, value in values.items():
            self._value(dim, value, day)
        self.busy.take(hour)
        if event.outcome is Outcome.FAILURE:
            self.failing.take(hour)
        self.events += 1
        self.last_us = event.ts_us

    def _time(self, hour: int, day: int) -> None:
        weekday, last_day, last_hour = weekday_of(day), self.last_us // DAY_US, self.last_us // HOUR_US
        if not self.events or day != last_day:
            self.first_day = self.first_day if self.events else day
            self.days += 1
            if not self.weekdays[weekday]:
                self._fresh(Dim.WEEKDAY, day)
            self.weekdays[weekday] += 1
        if not self.events or hour != last_hour:
            if not self.near(hour % 24):
                self._fresh(Dim.HOUR, day)
            place = weekday * 24 + hour % 24
            self.week[place] = self.week.get(place, 0) + 1

    def _value(self, dim: Dim, value: int, day: int) -> None:
        table = self.known[dim]
        days, last = table.get(value, (0, -1))
        if not days and len(table) >= MOST_VALUES:
            return
        if not days:
            self._fresh(dim, day)
        if day != last:
            table[value] = (days + 1, day)

    def _fresh(self, dim: Dim, day: int) -> None:
        times, last = self.fresh.get(dim, (0, -1))
        if self.days > _EARLY and day != last:
            self.fresh[dim] = (times + 1, day)

    def shown(self, dim: Dim, value: int) -> int:
        """Days that showed a value."""
        return self.known[dim].get(value, (0, -1))[0]

    def near(self, hour: int, weekday: int | None = None) -> int:
        """Days on which it was active within an hour of this hour of the day; of one weekday, if given."""
        weekdays = range(7) if weekday is None else (weekday,)
        hours = ((hour - 1) % 24, hour, (hour + 1) % 24)
        return sum(self.week.get(day * 24 + at, 0) for day in weekdays for at in hours)

    def freshness(self, dim: Dim) -> int:
        """Thousandths of its days on which something new of this is usual."""
        times, _ = self.fresh.get(dim, (0, -1))
        return (times * 1000 + 100) // (max(self.days - _EARLY, 0) + 2)

    def span(self) -> int:
        """Days from the first to the last."""
        return self.last_us // DAY_US - self.first_day + 1 if self.events else 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "busy": self.busy.to_plain(),
            "days": self.days,
            "events": self.events,
            "failing": self.failing.to_plain(),
            "first_day": self.first_day,
            "fresh": [[int(dim), *told] for dim, told in sorted(self.fresh.items())],
            "group": self.group,
            "known": [[[value, *told] for value, told in sorted(table.items())] for table in self.known],
            "last_us": self.last_us,
            "week": [list(item) for item in sorted(self.week.items())],
            "weekdays": list(self.weekdays),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Habit:
        """Inverse of `to_plain`; ValueError, KeyError or TypeError for anything else."""
        tables = tuple({int(value): (int(days), int(last)) for value, days, last in table} for table in plain["known"])
        if len(tables) != len(_VALUED) or len(plain["weekdays"]) != 7 or any(len(t) > MOST_VALUES for t in tables):
            raise ValueError("not a habit")
        return cls(
            group=int(plain["group"]),
            events=int(plain["events"]),
            days=int(plain["days"]),
            first_day=int(plain["first_day"]),
            last_us=int(plain["last_us"]),
            known=tables,
            fresh={int(dim): (int(times), int(last)) for dim, times, last in plain["fresh"]},
            week={int(place): int(times) for place, times in plain["week"]},
            weekdays=[int(times) for times in plain["weekdays"]],
            busy=Peak.from_plain(plain["busy"]),
            failing=Peak.from_plain(plain["failing"]),
        )

    def members(self) -> Iterator[tuple[Dim, int]]:
        """Everything it has shown on two days or more."""
        for dim in _VALUED:
            yield from ((dim, value) for value, (days, _) in self.known[dim].items() if days > 1)


_VALUED: Final = (Dim.ACTION, Dim.SYSTEM, Dim.NETWORK, Dim.COUNTRY, Dim.ASN)


def weekday_of(day: int) -> int:
    """Monday 0."""
    return (day + _THURSDAY) % 7
