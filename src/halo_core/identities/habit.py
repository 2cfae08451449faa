"""What one identity ordinarily does (`IdentityHabit`), counted in days, by keyed fingerprints of what it shows.

A full table makes no statement, because it might call new what it could not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from halo_core.durations import DAY_US, HOUR_US
from halo_core.errors import require
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.values.language.text import fingerprint_strings

MOST_VALUES: Final = 256
_EARLY_DAYS: Final = 5  # days in which everything is new
_HABIT_NUMBERS: Final = ("group", "events", "days", "first_day", "last_us")
_THURSDAY: Final = 3  # 1970-01-01, with Monday 0


class Dimension(IntEnum):
    """The dimensions compared: the first five by value, the last two by time."""

    ACTION = 0
    SYSTEM = 1
    NETWORK = 2
    COUNTRY = 3
    ASN = 4
    HOUR = 5
    WEEKDAY = 6


def fingerprint_event(event: IdentityEvent, key: bytes) -> dict[Dimension, int]:
    """Fingerprints of an event's values; empty values are left out."""
    action = f"{event.system}\x1e{event.action}"  # `delete` of one system is not that of another
    texts_shown = (action, event.system, event.network, event.country, event.asn)
    texts = zip(Dimension, texts_shown, strict=False)
    return {dim: fingerprint_strings("identity", dim.name, text, key=key) for dim, text in texts if text}


def fingerprint_moment(event: IdentityEvent, key: bytes) -> int:
    """Fingerprint of one event, which recognises the event when it arrives again from another feed."""
    texts = (str(event.ts_us // 1_000_000), event.action, event.system, event.network, event.outcome.value)
    return fingerprint_strings("identity-event", "\x1e".join(texts), key=key)


@dataclass(slots=True)
class BusiestHours:
    """The busiest hour of each of the two busiest days, so that a single day does not decide what is usual.

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

    def count_event(self, hour: int, number: int = 1) -> None:
        """Count events of this hour; hours come in order."""
        if hour != self.hour:
            if hour // 24 != self.hour // 24:
                self.days, self.today = self._two_busiest(), 0
            self.hour, self.count = hour, 0
        self.count += number
        self.today = max(self.today, self.count)

    def usual_peak(self) -> int:
        """The second busiest day's busiest hour; with one day only, that of this day."""
        first, second = self._two_busiest()
        return second or first

    def _two_busiest(self) -> tuple[int, int]:
        first, second, _ = sorted((*self.days, self.today), reverse=True)
        return first, second

    def to_plain(self) -> list[int]:
        """Canonical tree."""
        return [self.hour, self.count, self.today, *self.days]

    @classmethod
    def from_plain(cls, numbers: list[int]) -> BusiestHours:
        """Inverse of `to_plain`."""
        hour, count, today, first, second = map(int, numbers)
        return cls(hour, count, today, (first, second))


@dataclass(slots=True)
class DayActivity:
    """An identity's values on one UTC day, before they count as usual.

    Args:
        number: days since the epoch.
        group: fingerprint of kind and role.
        values: values shown of the first five of `Dimension`; at most `MOST_VALUES` of each.
        hours: hour of the day → (events, failures).
        last_us: time of the newest event.
    """

    number: int
    group: int = 0
    values: dict[Dimension, set[int]] = field(default_factory=dict)
    hours: dict[int, tuple[int, int]] = field(default_factory=dict)
    last_us: int = 0

    def add_event(self, event: IdentityEvent, values: Mapping[Dimension, int], group: int) -> None:
        """Count an event of this day."""
        hour = event.ts_us // HOUR_US % 24
        events, failures = self.hours.get(hour, (0, 0))
        self.hours[hour] = (events + 1, failures + (event.outcome is Outcome.FAILURE))
        self.group, self.last_us = group, max(self.last_us, event.ts_us)
        for dim, value in values.items():
            known_values = self.values.setdefault(dim, set())
            if len(known_values) < MOST_VALUES:
                known_values.add(value)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "group": self.group,
            "hours": [[hour, *counts] for hour, counts in sorted(self.hours.items())],
            "last_us": self.last_us,
            "number": self.number,
            "values": [[int(dim), sorted(values)] for dim, values in sorted(self.values.items())],
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> DayActivity:
        """Inverse of `to_plain`."""
        return cls(
            int(tree["number"]),
            int(tree["group"]),
            {Dimension(dim): {int(value) for value in values} for dim, values in tree["values"]},
            {int(hour): (int(events), int(failures)) for hour, events, failures in tree["hours"]},
            int(tree["last_us"]),
        )


@dataclass(slots=True)
class IdentityHabit:
    """The usual values of one identity.

    Args:
        group: fingerprint of kind and role: whoever shares it is a peer.
        events: number of events.
        days: number of days with an event of it.
        first_day: number of the first of them.
        last_us: time of the newest event.
        known_values: value → (days that showed it, the last of them), for each of the first five of `Dimension`.
        novelty_days: days after the early ones that showed something new, and the last of them, by `Dimension`.
        active_hours: hour of the week → days on which it was active then.
        weekdays: active days by weekday, Monday first.
        busy: events an hour.
        failing: failures an hour.
    """

    group: int = 0
    events: int = 0
    days: int = 0
    first_day: int = 0
    last_us: int = -1
    known_values: tuple[dict[int, tuple[int, int]], ...] = field(default_factory=lambda: ({}, {}, {}, {}, {}))
    novelty_days: dict[int, tuple[int, int]] = field(default_factory=dict)
    active_hours: dict[int, int] = field(default_factory=dict)
    weekdays: list[int] = field(default_factory=lambda: [0] * 7)
    busy: BusiestHours = field(default_factory=BusiestHours)
    failing: BusiestHours = field(default_factory=BusiestHours)

    def add_event(self, event: IdentityEvent, values: Mapping[Dimension, int], group: int) -> None:
        """Count an event, not older than the last."""
        hour, day = event.ts_us // HOUR_US, event.ts_us // DAY_US
        self.group = group
        self._count_time(hour, day)
        for dim, value in values.items():
            self._count_value(dim, value, day)
        self.busy.count_event(hour)
        if event.outcome is Outcome.FAILURE:
            self.failing.count_event(hour)
        self.events += 1
        self.last_us = event.ts_us

    def add_day(self, day: DayActivity) -> None:
        """Count a whole day, later than the last, from its summary."""
        self.group = day.group or self.group
        for hour, (events, failures) in sorted(day.hours.items()):
            number = day.number * 24 + hour
            self._count_time(number, day.number)
            self.events += events
            self.last_us = number * HOUR_US
            self.busy.count_event(number, events)
            if failures:
                self.failing.count_event(number, failures)
        for dim, values in day.values.items():
            for value in sorted(values):
                self._count_value(dim, value, day.number)
        self.last_us = max(self.last_us, day.last_us)

    def _count_time(self, hour: int, day: int) -> None:
        weekday, last_day, last_hour = find_weekday(day), self.last_us // DAY_US, self.last_us // HOUR_US
        if not self.events or day != last_day:
            self.first_day = self.first_day if self.events else day
            self.days += 1
            if not self.weekdays[weekday]:
                self._count_novelty(Dimension.WEEKDAY, day)
            self.weekdays[weekday] += 1
        if not self.events or hour != last_hour:
            if not self.count_days_active_near(hour % 24):
                self._count_novelty(Dimension.HOUR, day)
            week_hour = weekday * 24 + hour % 24
            self.active_hours[week_hour] = self.active_hours.get(week_hour, 0) + 1

    def _count_value(self, dim: Dimension, value: int, day: int) -> None:
        table = self.known_values[dim]
        days, last = table.get(value, (0, -1))
        if not days and len(table) >= MOST_VALUES:
            return
        if not days:
            self._count_novelty(dim, day)
        if day != last:
            table[value] = (days + 1, day)

    def _count_novelty(self, dim: Dimension, day: int) -> None:
        times, last = self.novelty_days.get(dim, (0, -1))
        if self.days > _EARLY_DAYS and day != last:
            self.novelty_days[dim] = (times + 1, day)

    def count_days_shown(self, dim: Dimension, value: int) -> int:
        """On how many days a value was seen."""
        return self.known_values[dim].get(value, (0, -1))[0]

    def count_days_active_near(self, hour: int, weekday: int | None = None) -> int:
        """Days on which it was active within an hour of this hour of the day; of one weekday, if given."""
        weekdays = range(7) if weekday is None else (weekday,)
        hours = ((hour - 1) % 24, hour, (hour + 1) % 24)
        return sum(self.active_hours.get(day * 24 + hour_near, 0) for day in weekdays for hour_near in hours)

    def novelty_rate(self, dim: Dimension) -> int:
        """Thousandths of its days with a new value of this dimension."""
        times, _ = self.novelty_days.get(dim, (0, -1))
        return (times * 1000 + 100) // (max(self.days - _EARLY_DAYS, 0) + 2)

    def count_days_spanned(self) -> int:
        """Number of days from the first event to the last."""
        return self.last_us // DAY_US - self.first_day + 1 if self.events else 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            **{name: getattr(self, name) for name in _HABIT_NUMBERS},
            "busy": self.busy.to_plain(),
            "failing": self.failing.to_plain(),
            "fresh": [[int(dim), *counts] for dim, counts in sorted(self.novelty_days.items())],
            "known": [[[value, *counts] for value, counts in sorted(table.items())] for table in self.known_values],
            "week": [list(item) for item in sorted(self.active_hours.items())],
            "weekdays": list(self.weekdays),
        }

    @classmethod
    def from_plain(cls, members: Mapping[str, Any]) -> IdentityHabit:
        """Inverse of `to_plain`; ValueError, KeyError or TypeError for anything else."""
        tables = tuple(
            {int(value): (int(days), int(last)) for value, days, last in table} for table in members["known"]
        )
        is_valid = len(tables) == len(_VALUE_DIMENSIONS) and len(members["weekdays"]) == 7
        require(is_valid and all(len(table) <= MOST_VALUES for table in tables), "not a habit")
        return cls(
            **{name: int(members[name]) for name in _HABIT_NUMBERS},
            known_values=tables,
            novelty_days={int(dim): (int(times), int(last)) for dim, times, last in members["fresh"]},
            active_hours={int(week_hour): int(times) for week_hour, times in members["week"]},
            weekdays=[int(times) for times in members["weekdays"]],
            busy=BusiestHours.from_plain(members["busy"]),
            failing=BusiestHours.from_plain(members["failing"]),
        )

    def repeated_values(self) -> Iterator[tuple[Dimension, int]]:
        """Values seen on two days or more."""
        for dim in _VALUE_DIMENSIONS:
            yield from ((dim, value) for value, (days, _) in self.known_values[dim].items() if days > 1)


_VALUE_DIMENSIONS: Final = tuple(Dimension)[: Dimension.HOUR]


def find_weekday(day: int) -> int:
    """Weekday of a day since the epoch, Monday 0."""
    return (day + _THURSDAY) % 7
