"""Event risk, 0..1000: how unusual one event of an identity is, and what makes it so.

`EventScorer` compares events, in order, with an `IdentityBaseline`. An identity that is little known is compared with
its peers, and where these are too few with all of the tenant; where there are no others it has no risk, rather than a
low or a high one. The points of each factor are set by hand and are the same for everybody; which risk is high is
fitted for each tenant (`fit_identity_baseline`): the later third of the days is scored against a baseline of the
earlier two thirds.

INVARIANT: an event's risk comes from the baseline and from events before it, never from later ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from halo_core.identities.baseline import (
    DAY_US,
    ESTABLISHED_DAYS,
    HOUR_US,
    MOST_IDENTITIES,
    MOST_VALUES,
    Dimension,
    IdentityBaseline,
    IdentityHabit,
    PeerGroup,
    RiskLimits,
    fingerprint_event,
    fingerprint_group,
    fingerprint_identity,
    weekday_of,
)
from halo_core.identities.crowd import FEWEST_OTHERS, Crowd, CrowdComparison
from halo_core.identities.event import IdentityEvent, Outcome

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
        id: of the kind.
        points: 0..1000 that it alone would give.
        words: what it says.
    """

    id: str
    points: int
    words: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an event is compared with.

    Args:
        habit: of its identity, empty where there is none.
        peers: of its kind and role, None where they are too few.
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

    def value_strangeness(self, dim: Dimension) -> int:
        """How strange it is that the event shows this value."""
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

    def hour_strangeness(self, ts_us: int) -> int:
        """How strange the hour is."""
        habit, hour, weekday = self.habit, ts_us // HOUR_US % 24, weekday_of(ts_us // DAY_US)
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

    def weekday_strangeness(self, ts_us: int) -> int:
        """How strange the weekday is; 0 under three weeks of history, in which any may be missing."""
        habit, weekday = self.habit, weekday_of(ts_us // DAY_US)
        if self.peers is None and habit.count_days_spanned() < _LONG_HISTORY_DAYS:
            return 0
        active = habit.weekdays[weekday] > 0
        peer_count = self.peers.weekdays[weekday] - (self.member and active) if self.peers is not None else 0
        is_usual = active or habit.count_days_spanned() < _LONG_HISTORY_DAYS
        own_strangeness = 0 if is_usual else self._discount_novelty(Dimension.WEEKDAY, 1000)
        return self.weigh_strangeness(own_strangeness, peer_count)

    def _discount_novelty(self, dim: Dimension, points: int) -> int:
        """Fewer points for an identity that often shows something new in this dimension."""
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
        event: it.
        compared: what with.
        count: events of the identity in this clock hour, with this one.
        failures: in a row before it, within an hour.
    """
    factors = chain(
        _find_value_factors(event, compared),
        _find_time_factors(event, compared),
        _find_rate_factors(event, compared, count, failures),
    )
    return tuple(sorted((item for item in factors if item.points > 0), key=lambda item: (-item.points, item.id)))


def _find_value_factors(event: IdentityEvent, compared: Comparison | CrowdComparison) -> Iterator[EventFactor]:
    system, action = compared.value_strangeness(Dimension.SYSTEM), compared.value_strangeness(Dimension.ACTION)
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
    country, network = compared.value_strangeness(Dimension.COUNTRY), compared.value_strangeness(Dimension.NETWORK)
    if country:
        words = f"from a country hardly or never seen: {event.country}"
        yield _make_factor(Dimension.COUNTRY, "country_new", country, words)
    elif network:
        line = event.asn and not compared.value_strangeness(Dimension.ASN)
        points = network * _KNOWN_ASN_SHARE // 1000 if line else network
        on = f" on a known line, AS{event.asn}" if line else ""
        words = f"from a network hardly or never seen{on}: {event.network}"
        yield _make_factor(Dimension.NETWORK, "network_new", points, words)


def _find_time_factors(event: IdentityEvent, compared: Comparison | CrowdComparison) -> Iterator[EventFactor]:
    hour, weekday = event.ts_us // HOUR_US % 24, _WEEKDAY_NAMES[weekday_of(event.ts_us // DAY_US)]
    words = f"at an hour it is hardly or never active: {weekday} {hour:02d} UTC"
    yield _make_factor(Dimension.HOUR, "hour_unusual", compared.hour_strangeness(event.ts_us), words)
    words = f"on a weekday it is never active: {weekday}"
    yield _make_factor(Dimension.WEEKDAY, "weekday_unusual", compared.weekday_strangeness(event.ts_us), words)


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


MAX_FACTORS: Final = 3
_FEWEST_PEERS: Final = 3
_IDENTITY_RISK_DECAY: Final = (7, 8)
"""Share of an identity's risk that stays when its next event is ordinary."""


class ComparisonBasis(StrEnum):
    """What an event was compared with."""

    OWN_HISTORY = "own"
    PEERS = "peers"
    TENANT = "tenant"
    TOO_LITTLE = "too little known"


@dataclass(frozen=True, slots=True)
class ScoredEvent:
    """The risk of one event.

    Args:
        event: it.
        basis: what it was compared with.
        event_risk: 0..1000, None where too little is known.
        band: of the risk: 0 ordinary, 1 elevated, 2 high.
        factors: up to three that moved it, the strongest first.
        identity_risk: risk of the identity after it: rises at once, falls slowly.
    """

    event: IdentityEvent
    basis: ComparisonBasis
    event_risk: int | None
    band: int
    factors: tuple[EventFactor, ...]
    identity_risk: int

    def to_plain(self) -> dict[str, Any]:
        """For programs."""
        event = self.event
        return {
            "action": event.action,
            "band": self.band,
            "basis": self.basis.value,
            "factors": [asdict(factor) for factor in self.factors],
            "identity": event.identity,
            "network": event.network,
            "outcome": event.outcome.value,
            "risk": self.event_risk,
            "running": self.identity_risk,
            "system": event.system,
            "ts_us": event.ts_us,
        }


@dataclass(slots=True)
class _RecentActivity:
    """What an identity did in the last hour of the events that are scored."""

    hour: int = -1
    count: int = 0
    failures: int = 0
    failed_us: int = 0
    identity_risk: int = 0

    def count_event(self, event: IdentityEvent) -> tuple[int, int]:
        """Count an event: events of this hour with it, and failures in a row within an hour before it."""
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
class EventScorer:
    """Scores events in order against a baseline, which it does not change.

    Args:
        baseline: what is ordinary.
        key: of the tenant's fingerprints, that the baseline was made with; BadInput for another.
    """

    baseline: IdentityBaseline
    key: bytes
    _peers: Mapping[int, PeerGroup] = field(init=False)
    _crowd: Crowd = field(init=False)
    _recent: dict[int, _RecentActivity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.baseline.require_key(self.key)
        self._peers = self.baseline.group_peers()
        self._crowd = Crowd()
        for habit in self.baseline.habits.values():
            self._crowd.add_habit(habit)

    def score(self, event: IdentityEvent) -> ScoredEvent:
        """Score the next event."""
        name = fingerprint_identity(event.identity, self.key)
        habit = self.baseline.habits.get(name, _EMPTY_HABIT)
        group = fingerprint_group(event, self.key)
        peers = self._peers.get(group, _EMPTY_PEERS)
        recent = self._recent_activity_of(name)
        count, failures = recent.count_event(event)
        is_established = habit.days >= ESTABLISHED_DAYS
        member = is_established and habit.group == group  # the group's counts have it in them
        others = peers.members - member
        strangers = self._crowd.members - (name in self.baseline.habits)
        values = fingerprint_event(event, self.key)
        compared: Comparison | CrowdComparison
        if is_established or others >= _FEWEST_PEERS:
            basis = ComparisonBasis.OWN_HISTORY if is_established else ComparisonBasis.PEERS
            compared = Comparison(habit, peers if others >= _FEWEST_PEERS else None, others, values, member=member)
        elif strangers >= FEWEST_OTHERS:
            basis = ComparisonBasis.TENANT
            own = frozenset(dim for dim, value in values.items() if habit.count_days_shown(dim, value))
            compared = CrowdComparison(self._crowd, strangers, values, own, habit)
        else:
            recent.identity_risk = recent.identity_risk * _IDENTITY_RISK_DECAY[0] // _IDENTITY_RISK_DECAY[1]
            return ScoredEvent(event, ComparisonBasis.TOO_LITTLE, None, 0, (), recent.identity_risk)
        factors = find_event_factors(event, compared, count, failures)
        risk = combine_factors(factors)
        recent.identity_risk = max(risk, recent.identity_risk * _IDENTITY_RISK_DECAY[0] // _IDENTITY_RISK_DECAY[1])
        return ScoredEvent(
            event, basis, risk, self.baseline.limits.band_of(risk), factors[:MAX_FACTORS], recent.identity_risk
        )

    def _recent_activity_of(self, name: int) -> _RecentActivity:
        recent = self._recent.get(name)
        if recent is None:
            if len(self._recent) >= MOST_IDENTITIES:
                del self._recent[next(iter(self._recent))]
            recent = self._recent[name] = _RecentActivity()
        return recent


def combine_factors(factors: tuple[EventFactor, ...]) -> int:
    """Combine factors: each takes its share, in thousandths, of what the others leave."""
    remaining = 1000
    for factor in factors:
        remaining = remaining * (1000 - factor.points) // 1000
    return 1000 - remaining


_EMPTY_HABIT: Final = IdentityHabit()
_EMPTY_PEERS: Final = PeerGroup()


_MIN_HISTORY_DAYS: Final = 15  # of history
_MIN_IDENTITY_DAYS: Final = 40  # identity-days that say what one in twenty is
MIN_IDENTITY_DAYS_FOR_HIGH: Final = 100  # or one in a hundred
_LOWEST_LIMITS: Final = (200, 350)
"""Limits below which nothing is flagged, however quiet a tenant is."""


def fit_identity_baseline(
    events: Sequence[IdentityEvent], key: bytes, baseline: IdentityBaseline | None = None
) -> IdentityBaseline:
    """The baseline of these events, or of those of `baseline` and these.

    Raises:
        BadInput: they are older than what `baseline` has, or too many.
    """
    if baseline is not None:
        limits = RiskLimits()
        if baseline.count_established():
            limits = _compute_limits(find_highest_daily_risks(EventScorer(baseline, key), events))
        baseline.add_events(events, key)
        baseline.limits = limits if limits.days else baseline.limits
        return baseline
    first, last = events[0].ts_us // DAY_US, events[-1].ts_us // DAY_US
    limits = RiskLimits()
    if last - first + 1 >= _MIN_HISTORY_DAYS:
        cut_us = (first + (last - first + 1) * 2 // 3) * DAY_US
        earlier = IdentityBaseline().add_events((event for event in events if event.ts_us < cut_us), key)
        later = [event for event in events if event.ts_us >= cut_us]
        limits = _compute_limits(find_highest_daily_risks(EventScorer(earlier, key), later))
    fitted_baseline = IdentityBaseline().add_events(events, key)
    fitted_baseline.limits = limits
    return fitted_baseline


def find_highest_daily_risks(scorer: EventScorer, events: Iterable[IdentityEvent]) -> list[int]:
    """The highest risk of each identity on each day, of those that have one."""
    highest_risks: dict[tuple[str, int], int] = {}
    for event in events:
        risk = scorer.score(event).event_risk
        if risk is not None:
            identity_day = event.identity, event.ts_us // DAY_US
            highest_risks[identity_day] = max(highest_risks.get(identity_day, 0), risk)
    return sorted(highest_risks.values())


def _compute_limits(risks: Sequence[int]) -> RiskLimits:
    number, by_hand = len(risks), RiskLimits()
    if number < _MIN_IDENTITY_DAYS:
        return by_hand
    elevated, high = (risks[number - 1 - number // share] for share in (20, 100))
    elevated = max(elevated, _LOWEST_LIMITS[0])
    high = max(high, _LOWEST_LIMITS[1]) if number >= MIN_IDENTITY_DAYS_FOR_HIGH else by_hand.high
    return RiskLimits(elevated, max(high, elevated), number)
