"""Event risk, 0..1000: how unusual one event of an identity is.

`EventScorer` compares events, in order, with an `IdentityBaseline`, and combines what it finds (`event_factors`). An
identity with little history is compared with its peers, and if these are too few, with all of the tenant. If there is
nobody to compare it with, it has no risk, rather than a low or a high one. The limit of a high risk is fitted for each
tenant (`fit_identity_baseline`): the last third of the days is scored against a baseline of the days before.

INVARIANT: an event's risk depends on the baseline and on earlier events, never on later ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, field
from enum import StrEnum
from typing import Any, Final

from halo_core.durations import DAY_US, HOUR_US
from halo_core.identities.baseline import (
    ESTABLISHED_DAYS,
    MOST_IDENTITIES,
    IdentityBaseline,
    PeerGroup,
    RiskLimits,
    fingerprint_group,
    fingerprint_identity,
)
from halo_core.identities.crowd import FEWEST_OTHERS, Crowd, CrowdComparison
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.identities.event_factors import Comparison, EventFactor, combine_factors, find_event_factors
from halo_core.identities.habit import IdentityHabit, fingerprint_event
from halo_core.quick_dataclass import dataclass

MAX_FACTORS: Final = 3
_FEWEST_PEERS: Final = 3
_IDENTITY_RISK_DECAY: Final = (7, 8)
"""Share of an identity's risk that stays when its next event is ordinary."""
_EMPTY_HABIT: Final = IdentityHabit()
_EMPTY_PEERS: Final = PeerGroup()
_MIN_HISTORY_DAYS: Final = 15  # of history
_MIN_IDENTITY_DAYS: Final = 40  # identity-days that say what one in twenty is
MIN_IDENTITY_DAYS_FOR_HIGH: Final = 100  # or one in a hundred
_LOWEST_LIMITS: Final = (200, 350)
"""Limits below which nothing is flagged, however quiet a tenant is."""


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
        event: what happened.
        basis: what it was compared with.
        event_risk: 0..1000, None if too little is known.
        band: band of the risk: 0 ordinary, 1 elevated, 2 high.
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
        key: key of the tenant's fingerprints, that the baseline was made with; BadInput for another.
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
        recent = self._find_recent_activity(name)
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
            event, basis, risk, self.baseline.limits.find_band(risk), factors[:MAX_FACTORS], recent.identity_risk
        )

    def _find_recent_activity(self, name: int) -> _RecentActivity:
        recent = self._recent.get(name)
        if recent is None:
            if len(self._recent) >= MOST_IDENTITIES:
                del self._recent[next(iter(self._recent))]
            recent = self._recent[name] = _RecentActivity()
        return recent


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
