"""What makes an event of an identity unusual: its factors, each with points and words (`find_event_factors`).

An event is compared with its identity's own habit and its peers (`Comparison`), or with all of the tenant
(`crowd.CrowdComparison`). The strangeness of a value, 0..1000, says how far it is from what they show. The points of a
factor are its strangeness times a weight, which is set by hand and the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from halo_core.durations import DAY_US, HOUR_US
from halo_core.identities.baseline import PeerGroup
from halo_core.identities.crowd import CrowdComparison
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.identities.habit import MOST_VALUES, Dimension, IdentityHabit, find_weekday
from halo_core.quick_dataclass import dataclass

_CERTAIN_DAYS: Final = 10  # days from which an identity is compared with itself alone
_LONG_HISTORY_DAYS: Final = 21  # days of history from which a weekday can be missing
_POINTS: Final = {
    Dimension.ACTION: 300,
    Dimension.SYSTEM: 350,
    Dimension.NETWORK: 350,
    Dimension.COUNTRY: 550,
    Dimension.HOUR: 400,
    Dimension.WEEKDAY: 300,
}
_KNOWN_ASN_SHARE: Final = 400  # thousandths that are left of a new network on a known autonomous system
_RARE_SHARE: Final = 50  # thousandths of the days
_SPARE_EVENTS, _SPARE_FAILURES = 20, 4
_FEWEST_FAILURES: Final = 5
_MIN_HOUR_SHARE: Final = 700  # that colleagues are up at night is no excuse for whoever never is
_WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class EventFactor:
    """One factor of an event risk.

    Args:
        id: id of the kind.
        points: 0..1000 that it alone would give.
        words: what it says.
    """

    id: str
    points: int
    words: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of an event with its identity and peers.

    Args:
        habit: habit of its identity, empty if there is none.
        peers: identities of its kind and role; None if they are too few.
        others: how many they are, the identity itself left out.
        values: fingerprints of what the event shows.
        member: the identity is counted among its peers.
    """

    habit: IdentityHabit
    peers: PeerGroup | None
    others: int
    values: Mapping[Dimension, int]
    member: bool = False

    def weigh_strangeness(self, own_strangeness: int, peer_count: int, least: int = 250) -> int:
        """Strangeness, 0..1000, from the identity's own (0..1000) and the number of peers that do the same.

        What peers do as well is less strange, down to `least` thousandths. The fewer days an identity has, the more its
        peers say.
        """
        sure = min(self.habit.days, _CERTAIN_DAYS) * 1000 // _CERTAIN_DAYS
        if self.peers is None:
            return sure * own_strangeness * 800 // 1_000_000
        few = 1000 if peer_count == 0 else 700 if peer_count == 1 else 500 if peer_count * 4 < self.others else 250
        few = max(few, least)
        theirs = 1000 if peer_count == 0 else 600 if peer_count == 1 else 0
        return (sure * (own_strangeness * few // 1000) + (1000 - sure) * theirs) // 1000

    def measure_value(self, dim: Dimension) -> int:
        """How unusual this value of the event is."""
        value = self.values.get(dim)
        if value is None:
            return 0
        habit, table, days = self.habit, self.habit.known_values[dim], self.habit.count_days_shown(dim, value)
        peer_count = self.peers.value_members[dim, value] - (self.member and days > 1) if self.peers is not None else 0
        if days:
            own_strangeness = 500 if days == 1 and habit.days >= _CERTAIN_DAYS else 0
        elif not table or len(table) >= MOST_VALUES:
            own_strangeness = 0  # nothing to compare with, or more than can be known
        else:
            own_strangeness = self._discount_novelty(dim, 1000)
        if not table and self.peers is not None and dim not in self.peers.dims:
            return 0
        return self.weigh_strangeness(own_strangeness, peer_count)

    def measure_hour(self, ts_us: int) -> int:
        """How unusual the hour is."""
        habit, hour, weekday = self.habit, ts_us // HOUR_US % 24, find_weekday(ts_us // DAY_US)
        days_near = habit.count_days_active_near(hour)
        peer_count = self.peers.hours[hour] - (self.member and days_near > 0) if self.peers is not None else 0
        if days_near * 1000 < _RARE_SHARE * habit.days:
            own_strangeness = self._discount_novelty(Dimension.HOUR, 500 if days_near else 1000)
        elif (
            habit.count_days_spanned() >= _LONG_HISTORY_DAYS
            and habit.weekdays[weekday] >= 3
            and not habit.count_days_active_near(hour, weekday)
        ):
            own_strangeness = 300
        else:
            own_strangeness = 0
        return self.weigh_strangeness(own_strangeness, peer_count, _MIN_HOUR_SHARE)

    def measure_weekday(self, ts_us: int) -> int:
        """How unusual the weekday is; 0 with under three weeks of history."""
        habit, weekday = self.habit, find_weekday(ts_us // DAY_US)
        if self.peers is None and habit.count_days_spanned() < _LONG_HISTORY_DAYS:
            return 0
        active = habit.weekdays[weekday] > 0
        peer_count = self.peers.weekdays[weekday] - (self.member and active) if self.peers is not None else 0
        is_usual = active or habit.count_days_spanned() < _LONG_HISTORY_DAYS
        own_strangeness = 0 if is_usual else self._discount_novelty(Dimension.WEEKDAY, 1000)
        return self.weigh_strangeness(own_strangeness, peer_count)

    def _discount_novelty(self, dim: Dimension, points: int) -> int:
        """Fewer points for an identity that often has new values in this dimension."""
        return points * max(1000 - 2 * self.habit.novelty_rate(dim), 100) // 1000

    def count_busy_hour_events(self) -> int:
        """Events of the identity's, or else its peers', usual busiest hour."""
        has_history = self.habit.days > 1
        return self.habit.busy.usual_peak() if has_history else self.peers.busy if self.peers is not None else 0

    def count_bad_hour_failures(self) -> int:
        """Failures of the identity's, or else its peers', usual worst hour."""
        has_history = self.habit.days > 1
        return self.habit.failing.usual_peak() if has_history else self.peers.failing if self.peers is not None else 0


def find_event_factors(
    event: IdentityEvent, compared: Comparison | CrowdComparison, count: int, failures: int
) -> tuple[EventFactor, ...]:
    """All factors of an event's risk, the strongest first.

    Args:
        event: what happened.
        compared: what it is compared with.
        count: how many events of the identity this clock hour has, this one among them.
        failures: how many came in a row before it, within an hour.
    """
    factors = chain(
        _find_value_factors(event, compared),
        _find_time_factors(event, compared),
        _find_rate_factors(event, compared, count, failures),
    )
    return tuple(sorted((item for item in factors if item.points > 0), key=lambda item: (-item.points, item.id)))


def _find_value_factors(event: IdentityEvent, compared: Comparison | CrowdComparison) -> Iterator[EventFactor]:
    system, action = compared.measure_value(Dimension.SYSTEM), compared.measure_value(Dimension.ACTION)
    reached_words = "reached before" if compared.habit.events else "reached by its peers"
    if system:
        words = f"a system hardly or never {reached_words}: {event.system}"
        yield _make_factor(Dimension.SYSTEM, "system_new", system, words)
    if action:
        peers, value = compared.peers, compared.values[Dimension.ACTION]
        alone = peers is not None and not peers.value_members[Dimension.ACTION, value]
        by = f", nor did any of {compared.others} peers" if alone else ""
        words = f"an action that it hardly or never took before{by}: {event.action}"
        # Whatever is done in a new system is new: counted once.
        yield _make_factor(Dimension.ACTION, "action_new", action if not system else action // 3, words)
    country, network = compared.measure_value(Dimension.COUNTRY), compared.measure_value(Dimension.NETWORK)
    if country:
        words = f"from a country hardly or never seen: {event.country}"
        yield _make_factor(Dimension.COUNTRY, "country_new", country, words)
    elif network:
        line = event.asn and not compared.measure_value(Dimension.ASN)
        points = network * _KNOWN_ASN_SHARE // 1000 if line else network
        on = f" on a known line, AS{event.asn}" if line else ""
        words = f"from a network hardly or never seen{on}: {event.network}"
        yield _make_factor(Dimension.NETWORK, "network_new", points, words)


def _find_time_factors(event: IdentityEvent, compared: Comparison | CrowdComparison) -> Iterator[EventFactor]:
    hour, weekday = event.ts_us // HOUR_US % 24, _WEEKDAY_NAMES[find_weekday(event.ts_us // DAY_US)]
    words = f"at an hour it is hardly or never active: {weekday} {hour:02d} UTC"
    yield _make_factor(Dimension.HOUR, "hour_unusual", compared.measure_hour(event.ts_us), words)
    words = f"on a weekday it is never active: {weekday}"
    yield _make_factor(Dimension.WEEKDAY, "weekday_unusual", compared.measure_weekday(event.ts_us), words)


def _find_rate_factors(
    event: IdentityEvent, compared: Comparison | CrowdComparison, count: int, failures: int
) -> Iterator[EventFactor]:
    busy, failing = compared.count_busy_hour_events(), compared.count_bad_hour_failures()
    usual = 2 * busy + _SPARE_EVENTS
    if count > usual:
        points = 200 if count <= 2 * usual else 400 if count <= 4 * usual else 600
        yield EventFactor("burst", points, f"{count} events in this hour, {busy} in a busy one")
    limit = max(_FEWEST_FAILURES, 2 * failing + _SPARE_FAILURES)
    if event.outcome is Outcome.SUCCESS and failures >= limit:
        words = f"a success after {failures} failures in a row within the hour"
        yield EventFactor("success_after_failures", 500, words)
    elif event.outcome is Outcome.FAILURE and failures + 1 >= limit:
        yield EventFactor("failures", 250, f"{failures + 1} failures in a row within the hour")


def _make_factor(dim: Dimension, name: str, strangeness: int, words: str) -> EventFactor:
    return EventFactor(name, _POINTS[dim] * strangeness // 1000, words)


def combine_factors(factors: tuple[EventFactor, ...]) -> int:
    """Combine factors: each adds its share, in thousandths, of what the others leave."""
    remaining = 1000
    for factor in factors:
        remaining = remaining * (1000 - factor.points) // 1000
    return 1000 - remaining
