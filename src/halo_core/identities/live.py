"""The state of an identity whose events are followed: its habit, the current day, its risk, and earlier risks.

A day becomes part of the habit when it is over, unless it had an event of high risk that nobody has judged ordinary. So
the work of an intruder teaches nothing, and one day changes a habit by one day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from halo_core.durations import DAY_US, HOUR_US
from halo_core.errors import require
from halo_core.identities.baseline import RiskLimits
from halo_core.identities.day_alerts import FACTOR_WORDS
from halo_core.identities.event import Outcome
from halo_core.identities.habit import DayActivity, Dimension, IdentityHabit
from halo_core.model import ELEVATED_PRINCIPAL_RISK, HIGH_PRINCIPAL_RISK
from halo_core.quick_dataclass import dataclass

MAX_HISTORY: Final = 48
"""Changes of the risk that are kept of an identity, the newest ones."""
_MAX_HELD_DAYS: Final = 5
_MAX_FACTORS: Final = 3
_DECAY: Final = (7, 8)
"""Share of the risk that stays after an hour of ordinary events."""
_CALM_HOURS: Final = 4
"""Hours of a day that lower the risk: who holds the account cannot work it off within a morning."""
_MAX_RISK: Final = 1000
_MAX_FEEDS: Final = 4
_MAX_FEED_EVENTS: Final = 16
_MAX_NETWORKS: Final = 16
_SOURCE_LASTS_US: Final = 7 * DAY_US
"""How long what a feed reported counts beside what another one does."""


@dataclass(frozen=True, slots=True)
class RiskChange:
    """The risk of an identity from a time on.

    Args:
        ts_us: when, microseconds since the epoch.
        risk: 0..1000.
        factors: ids of what moved it; of a fall none.
    """

    ts_us: int
    risk: int
    factors: tuple[str, ...] = ()


def scale_risk(risk: int, limits: RiskLimits) -> int:
    """An event's risk, 0..1000, so that 500 is above the tenant's limit for elevated and 800 above that for high."""
    elevated, high = limits.elevated, limits.high
    if risk <= elevated:
        return risk * (ELEVATED_PRINCIPAL_RISK - 1) // max(elevated, 1)
    if risk <= high:
        span = HIGH_PRINCIPAL_RISK - 1 - ELEVATED_PRINCIPAL_RISK
        return ELEVATED_PRINCIPAL_RISK + (risk - elevated - 1) * span // max(high - elevated, 1)
    return HIGH_PRINCIPAL_RISK + (risk - high - 1) * (_MAX_RISK - HIGH_PRINCIPAL_RISK) // max(_MAX_RISK - high, 1)


def find_band(risk: int) -> int:
    """Band of a scaled risk: 0 ordinary, 1 elevated, 2 high."""
    return 2 if risk >= HIGH_PRINCIPAL_RISK else 1 if risk >= ELEVATED_PRINCIPAL_RISK else 0


def describe_factors(factors: tuple[str, ...]) -> tuple[str, ...]:
    """Descriptions of factors, without any identity's values."""
    return tuple(FACTOR_WORDS.get(item, item.replace("_", " ")) for item in factors)


@dataclass(slots=True)
class LiveIdentity:
    """A followed identity.

    Args:
        fingerprint: fingerprint by which alerts name it.
        habit_key: key by which a baseline names it (`fingerprint_identity`).
        kind: `human`, `service`, `role`, `machine` or `unknown`.
        risk: 0..1000, scaled (`scale_risk`): rises at once, falls with hours of ordinary events.
        band: band of the risk since its last change, at `since_us`.
        factors: what moved the risk last.
        last_us: time of the newest event.
        events: how many were taken.
        bands: events by band.
        history: changes of the risk, the newest last.
        raised_by: feed → time at which it last raised the risk above high, for those since the risk was taken back.
        raised_with: feed → fingerprints of the newest events with which it did.
        habit: what is usual, from days that are over.
        today: the newest day, not usual yet.
        is_high: the newest day had an event of high risk.
        held: earlier days with an event of high risk that nobody has judged.
        calm_hours: hours of the newest day that lowered the risk, and the last of them as its number.
        failures: network → failures from there in a row before the next event, and the time of the last.
    """

    fingerprint: str = ""
    habit_key: int = 0
    kind: str = "unknown"
    risk: int = 0
    band: int = 0
    since_us: int = 0
    factors: tuple[str, ...] = ()
    last_us: int = 0
    events: int = 0
    bands: list[int] = field(default_factory=lambda: [0, 0, 0])
    history: list[RiskChange] = field(default_factory=list)
    raised_by: dict[str, int] = field(default_factory=dict)
    raised_with: dict[str, list[int]] = field(default_factory=dict)
    habit: IdentityHabit = field(default_factory=IdentityHabit)
    today: DayActivity | None = None
    is_high: bool = False
    held: list[DayActivity] = field(default_factory=list)
    calm_hours: tuple[int, int] = (0, -1)
    failures: dict[int, tuple[int, int]] = field(default_factory=dict)

    def shows(self, dim: Dimension, value: int) -> bool:
        """Whether the identity has shown a value on any day."""
        days = (self.today, *self.held)
        return value in self.habit.known_values[dim] or any(day and value in day.values.get(dim, ()) for day in days)

    def count_hour_events(self, ts_us: int) -> int:
        """Events of the clock hour of a time so far."""
        today = self.today
        if today is None or today.number != ts_us // DAY_US:
            return 0
        return today.hours.get(ts_us // HOUR_US % 24, (0, 0))[0]

    def close_day(self, day: int) -> bool:
        """Begin a new day if `day` is later than the newest; True if the last one became usual."""
        today = self.today
        if today is not None and day <= today.number:
            return False
        self.today, self.calm_hours = DayActivity(day), (0, -1)
        if today is None:
            return False
        is_learned = not self.is_high
        if is_learned:
            self.habit.add_day(today)
        else:
            self.held = [*self.held, today][-_MAX_HELD_DAYS:]
        self.is_high = False
        return is_learned

    def set_risk(self, event_risk: int, factors: tuple[str, ...], ts_us: int) -> bool:
        """Apply the scaled risk of an event at a time; True if the identity's band changed."""
        before = self.risk
        if event_risk > self.risk:
            self.risk, self.factors = event_risk, factors[:_MAX_FACTORS]
        elif find_band(event_risk) == 0 and self.risk:
            self._calm_down(ts_us)
        self.bands[find_band(event_risk)] += 1
        self.is_high = self.is_high or find_band(event_risk) > 1
        if self.risk != before:
            self._note_change(RiskChange(ts_us, self.risk, self.factors if self.risk > before else ()))
        return self._note_band(ts_us)

    def note_source(self, feed: str, ts_us: int, event: int) -> None:
        """Note which feed reported an event of high risk, and the fingerprint of the event."""
        self.raised_by[feed] = ts_us
        known = self.raised_with.setdefault(feed, [])
        if event not in known:
            self.raised_with[feed] = [*known, event][-_MAX_FEED_EVENTS:]
        while len(self.raised_by) > _MAX_FEEDS:
            oldest = min(self.raised_by, key=self.raised_by.__getitem__)
            del self.raised_by[oldest]
            self.raised_with.pop(oldest, None)

    def list_sources(self, now_us: int) -> tuple[str, ...]:
        """Feeds that recently reported events of high risk; feeds that report the same event count once.

        INVARIANT: one event that reaches Halo on two ways is one source.
        """
        lately = sorted(feed for feed, ts_us in self.raised_by.items() if now_us - ts_us <= _SOURCE_LASTS_US)
        counted: list[str] = []
        for feed in lately:
            events = self.raised_with.get(feed, [])
            if all(set(events).isdisjoint(self.raised_with.get(other, [])) for other in counted):
                counted.append(feed)
        return tuple(counted)

    def count_failures(self, network: int, ts_us: int, outcome: Outcome) -> int:
        """Failures from a network in a row, within an hour before an event; the event is counted for the next one."""
        number, last_us = self.failures.get(network, (0, 0))
        before = number if ts_us - last_us <= HOUR_US else 0
        if outcome is Outcome.FAILURE:
            self.failures.pop(network, None)
            self.failures[network] = before + 1, ts_us
            while len(self.failures) > _MAX_NETWORKS:
                del self.failures[next(iter(self.failures))]
        elif outcome is Outcome.SUCCESS:
            self.failures.pop(network, None)
        return before

    def _calm_down(self, ts_us: int) -> None:
        number, last = self.calm_hours
        hour = ts_us // HOUR_US
        if hour == last or number >= _CALM_HOURS:
            return
        self.calm_hours = number + 1, hour
        self.risk = self.risk * _DECAY[0] // _DECAY[1]

    def clear(self, ts_us: int, *, is_ordinary: bool) -> None:
        """Reset the risk after a person's verdict; held days become usual if judged ordinary."""
        days = [*self.held, *([self.today] if self.today is not None and self.is_high else [])]
        if is_ordinary:
            for day in sorted(days, key=lambda item: item.number):
                if day is not self.today and day.number > self.habit.last_us // DAY_US:
                    self.habit.add_day(day)
        self.held, self.is_high = [], self.is_high and not is_ordinary
        self.risk, self.factors, self.raised_by, self.raised_with = 0, (), {}, {}
        self._note_change(RiskChange(ts_us, 0))
        self._note_band(ts_us)

    def _note_change(self, change: RiskChange) -> None:
        self.history = [*self.history, change][-MAX_HISTORY:]

    def _note_band(self, ts_us: int) -> bool:
        band = find_band(self.risk)
        if band == self.band:
            return False
        self.band, self.since_us = band, ts_us
        return True

    def to_head(self) -> dict[str, Any]:
        """Canonical tree of what a decision and `halo risk` read."""
        return {
            **{name: getattr(self, name) for name in _HEAD_MEMBERS},
            "bands": list(self.bands),
            "factors": list(self.factors),
            "feeds": dict(self.raised_by),
            "history": [[item.ts_us, item.risk, list(item.factors)] for item in self.history],
        }

    def to_habit(self) -> dict[str, Any]:
        """Canonical tree of the rest."""
        return {
            "calm": list(self.calm_hours),
            "failures": [[network, *counted] for network, counted in self.failures.items()],
            "feed_events": {feed: list(events) for feed, events in self.raised_with.items()},
            "habit": self.habit.to_plain(),
            "held": [day.to_plain() for day in self.held],
            "is_high": self.is_high,
            "today": None if self.today is None else self.today.to_plain(),
        }

    @classmethod
    def from_head(cls, tree: Mapping[str, Any]) -> LiveIdentity:
        """Inverse of `to_head`; ValueError, KeyError or TypeError for anything else."""
        risk, band = int(tree["risk"]), int(tree["band"])
        require(0 <= risk <= _MAX_RISK and 0 <= band <= 2, "not an identity")
        return cls(
            fingerprint=str(tree["fingerprint"]),
            habit_key=int(tree["habit_key"]),
            kind=str(tree["kind"]),
            risk=risk,
            band=band,
            since_us=int(tree["since_us"]),
            factors=tuple(map(str, tree["factors"])),
            last_us=int(tree["last_us"]),
            events=int(tree["events"]),
            raised_by={str(feed): int(ts_us) for feed, ts_us in tree["feeds"].items()},
            bands=[int(item) for item in tree["bands"]],
            history=[
                RiskChange(int(ts_us), int(value), tuple(map(str, factors)))
                for ts_us, value, factors in tree["history"]
            ],
        )

    @classmethod
    def from_plain(cls, head: Mapping[str, Any], habit: Mapping[str, Any]) -> LiveIdentity:
        """Inverse of `to_head` and `to_habit` together; raises as `from_head`."""
        today = habit["today"]
        return replace(
            cls.from_head(head),
            habit=IdentityHabit.from_plain(habit["habit"]),
            today=None if today is None else DayActivity.from_plain(today),
            is_high=bool(habit["is_high"]),
            held=[DayActivity.from_plain(day) for day in habit["held"]],
            calm_hours=(int(habit["calm"][0]), int(habit["calm"][1])),
            failures=_read_failures(habit["failures"]),
            # Missing in rows of older versions.
            raised_with={str(feed): list(map(int, events)) for feed, events in habit.get("feed_events", {}).items()},
        )

    def list_hours(self) -> set[int]:
        """Hours of the day at which the identity was active."""
        hours = {week_hour % 24 for week_hour in self.habit.active_hours}
        return hours.union(*(day.hours for day in (self.today, *self.held) if day is not None))

    def list_shown(self) -> Iterator[tuple[Dimension, int]]:
        """Every value that the identity has shown, each once."""
        values_by_dimension: dict[Dimension, set[int]] = {
            dim: set(table) for dim, table in zip(Dimension, self.habit.known_values, strict=False)
        }
        for day in (self.today, *self.held):
            for dim, values in day.values.items() if day is not None else ():
                values_by_dimension[dim] |= values
        for dim, values in values_by_dimension.items():
            yield from ((dim, value) for value in values)


def _read_failures(rows: Sequence[Any]) -> dict[int, tuple[int, int]]:
    """Failures by network; rows of older versions hold the number of all, and the time."""
    if rows and isinstance(rows[0], int):
        rows = [[0, *rows]]
    return {int(network): (int(number), int(ts_us)) for network, number, ts_us in rows}


_HEAD_MEMBERS: Final = ("band", "events", "fingerprint", "habit_key", "kind", "last_us", "risk", "since_us")
