"""Room: what is strange about an event, in points and words. Takes: an event, habits. Gives: factors. Never: I/O.

The points were set by hand and are the same for everybody; which sum of them is much is the tenant's own (`limits`).
Whole numbers all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.identities.book import Peers
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.identities.habit import DAY_US, HOUR_US, MOST_VALUES, Dim, Habit, weekday_of

__all__ = ["Compared", "Factor", "factors_of"]

_SURE: Final = 10  # days from which an identity is compared with itself alone
_LONG: Final = 21  # days of history from which a weekday can be missing
_POINTS: Final = {
    Dim.ACTION: 300,
    Dim.SYSTEM: 350,
    Dim.NETWORK: 350,
    Dim.COUNTRY: 550,
    Dim.HOUR: 400,
    Dim.WEEKDAY: 300,
}
_KNOWN_LINE: Final = 400  # thousandths that are left of a new network on a known autonomous system
_HARDLY: Final = 50  # thousandths of the days
_SPARE_EVENTS, _SPARE_FAILURES = 20, 4
_FEWEST_FAILURES: Final = 5
_OWN_HOURS: Final = 700  # that colleagues are up at night is no excuse for whoever never is
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that moved a risk.

    Args:
        id: of the kind.
        points: 0..1000 that it alone would give.
        words: what it says.
    """

    id: str
    points: int
    words: str

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        return {"id": self.id, "points": self.points, "words": self.words}


@dataclass(frozen=True, slots=True)
class Compared:
    """What an event is compared with.

    Args:
        habit: of its identity, empty where there is none.
        peers: of its kind and role, None where they are too few.
        others: how many they are, the identity itself left out.
        values: fingerprints of what the event shows.
        member: the identity is counted among its peers.
    """

    habit: Habit
    peers: Peers | None
    others: int
    values: Mapping[Dim, int]
    member: bool = False

    def strange(self, own: int, shown: int, least: int = 250) -> int:
        """0..1000 of what is strange for the identity (0..1000), and of its peers that do it too.

        What peers do as well is less strange, down to `least` thousandths. The fewer days an identity has, the more its
        peers say.
        """
        sure = min(self.habit.days, _SURE) * 1000 // _SURE
        if self.peers is None:
            return sure * own * 800 // 1_000_000
        few = 1000 if shown == 0 else 700 if shown == 1 else 500 if shown * 4 < self.others else 250
        few = max(few, least)
        theirs = 1000 if shown == 0 else 600 if shown == 1 else 0
        return (sure * (own * few // 1000) + (1000 - sure) * theirs) // 1000

    def value(self, dim: Dim) -> int:
        """How strange it is that the event shows this value."""
        value = self.values.get(dim)
        if value is None:
            return 0
        habit, table, days = self.habit, self.habit.known[dim], self.habit.shown(dim, value)
        shown = self.peers.shown[dim, value] - (self.member and days > 1) if self.peers is not None else 0
        if days:
            own = 500 if days == 1 and habit.days >= _SURE else 0
        elif not table or len(table) >= MOST_VALUES:
            own = 0  # nothing to compare with, or more than can be known
        else:
            own = self._usual(dim, 1000)
        if not table and self.peers is not None and dim not in self.peers.dims:
            return 0
        return self.strange(own, shown)

    def hour(self, ts_us: int) -> int:
        """How strange the hour is."""
        habit, hour, weekday = self.habit, ts_us // HOUR_US % 24, weekday_of(ts_us // DAY_US)
        near = habit.near(hour)
        shown = self.peers.hours[hour] - (self.member and near > 0) if self.peers is not None else 0
        if near * 1000 < _HARDLY * habit.days:
            own = self._usual(Dim.HOUR, 500 if near else 1000)
        elif habit.span() >= _LONG and habit.weekdays[weekday] >= 3 and not habit.near(hour, weekday):
            own = 300
        else:
            own = 0
        return self.strange(own, shown, _OWN_HOURS)

    def weekday(self, ts_us: int) -> int:
        """How strange the weekday is; over less than three weeks any may be missing."""
        habit, weekday = self.habit, weekday_of(ts_us // DAY_US)
        if self.peers is None and habit.span() < _LONG:
            return 0
        active = habit.weekdays[weekday] > 0
        shown = self.peers.weekdays[weekday] - (self.member and active) if self.peers is not None else 0
        own = 0 if active or habit.span() < _LONG else self._usual(Dim.WEEKDAY, 1000)
        return self.strange(own, shown)

    def _usual(self, dim: Dim, much: int) -> int:
        """Less, for somebody who does something new of this kind on many days."""
        return much * max(1000 - 2 * self.habit.freshness(dim), 100) // 1000

    def busy(self) -> int:
        """Events of a busy hour."""
        known = self.habit.days > 1
        return self.habit.busy.usual() if known else self.peers.busy if self.peers is not None else 0

    def failing(self) -> int:
        """Failures of a bad hour."""
        known = self.habit.days > 1
        return self.habit.failing.usual() if known else self.peers.failing if self.peers is not None else 0


def factors_of(event: IdentityEvent, compared: Compared, count: int, failures: int) -> tuple[Factor, ...]:
    """Everything strange about an event, the strongest first.

    Args:
        event: it.
        compared: what with.
        count: events of the identity in this clock hour, with this one.
        failures: in a row before it, within an hour.
    """
    found = [*_what(event, compared), *_when(event, compared), *_how(event, compared, count, failures)]
    return tuple(sorted((item for item in found if item.points > 0), key=lambda item: (-item.points, item.id)))


def _what(event: IdentityEvent, compared: Compared) -> Iterator[Factor]:
    system, action = compared.value(Dim.SYSTEM), compared.value(Dim.ACTION)
    reached = "reached before" if compared.habit.events else "reached by its peers"
    if system:
        yield _factor(Dim.SYSTEM, "system_new", system, f"a system hardly or never {reached}: {event.system}")
    if action:
        alone = compared.peers is not None and not compared.peers.shown[Dim.ACTION, compared.values[Dim.ACTION]]
        by = f", nor did any of {compared.others} peers" if alone else ""
        words = f"an action that it hardly or never took before{by}: {event.action}"
        # Whatever is done in a new system is new: counted once.
        yield _factor(Dim.ACTION, "action_new", action if not system else action // 3, words)
    country, network = compared.value(Dim.COUNTRY), compared.value(Dim.NETWORK)
    if country:
        yield _factor(Dim.COUNTRY, "country_new", country, f"from a country hardly or never seen: {event.country}")
    elif network:
        line = event.asn and not compared.value(Dim.ASN)
        points = network * _KNOWN_LINE // 1000 if line else network
        on = f" on a known line, AS{event.asn}" if line else ""
        yield _factor(Dim.NETWORK, "network_new", points, f"from a network hardly or never seen{on}: {event.network}")


def _when(event: IdentityEvent, compared: Compared) -> Iterator[Factor]:
    hour, weekday = event.ts_us // HOUR_US % 24, weekday_of(event.ts_us // DAY_US)
    yield _factor(
        Dim.HOUR,
        "hour_unusual",
        compared.hour(event.ts_us),
        f"at an hour it is hardly or never active: {_DAYS[weekday]} {hour:02d} UTC",
    )
    yield _factor(
        Dim.WEEKDAY,
        "weekday_unusual",
        compared.weekday(event.ts_us),
        f"on a weekday it is never active: {_DAYS[weekday]}",
    )


def _how(event: IdentityEvent, compared: Compared, count: int, failures: int) -> Iterator[Factor]:
    busy, failing = compared.busy(), compared.failing()
    usual = 2 * busy + _SPARE_EVENTS
    if count > usual:
        points = 200 if count <= 2 * usual else 400 if count <= 4 * usual else 600
        yield Factor("burst", points, f"{count} events in this hour, {busy} in a busy one")
    limit = max(_FEWEST_FAILURES, 2 * failing + _SPARE_FAILURES)
    if event.outcome is Outcome.SUCCESS and failures >= limit:
        yield Factor("success_after_failures", 500, f"a success after {failures} failures in a row within the hour")
    elif event.outcome is Outcome.FAILURE and failures + 1 >= limit:
        yield Factor("failures", 250, f"{failures + 1} failures in a row within the hour")


def _factor(dim: Dim, name: str, strange: int, words: str) -> Factor:
    return Factor(name, _POINTS[dim] * strange // 1000, words)
