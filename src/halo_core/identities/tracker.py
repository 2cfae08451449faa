"""Follows the identities of a tenant event by event: scores each event, and keeps the state of each identity.

    tracker = IdentityTracker(baseline, key, states)
    taken = tracker.take(event, subject, fingerprint, now_us)

An event is compared with the identity's own habit, else with that of its role, else with all of the tenant. If even
these are too few, only bursts and failures count. Every event gets a risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Final

from halo_core.durations import DAY_US, HOUR_US
from halo_core.errors import BadInput
from halo_core.identities.baseline import (
    ESTABLISHED_DAYS,
    MOST_IDENTITIES,
    IdentityBaseline,
    PeerGroup,
    fingerprint_group,
    fingerprint_identity,
)
from halo_core.identities.crowd import FEWEST_OTHERS, Crowd, CrowdComparison
from halo_core.identities.day_alerts import HighRiskDay
from halo_core.identities.event import IdentityEvent, Outcome
from halo_core.identities.event_factors import Comparison, EventFactor, combine_factors, find_event_factors
from halo_core.identities.event_risk import MAX_FACTORS, ComparisonBasis, ScoredEvent
from halo_core.identities.habit import Dimension, fingerprint_event
from halo_core.identities.live import LiveIdentity, find_band, scale_risk
from halo_core.quick_dataclass import dataclass

_MAX_AHEAD_US: Final = 5 * 60 * 1_000_000
"""Microseconds by which the clock of a source may be ahead before its events count as of now."""
_HIGH_BAND: Final = 2
_NO_PEERS: Final = PeerGroup()


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """An event that was taken.

    Args:
        scored: the event with its risk; `identity_risk` is the identity's risk with it, scaled.
        subject: reference of the identity.
        identity: its state.
        has_new_band: the band of the identity's risk changed.
        is_ahead: the event's time was in the future, so that the present was taken.
        is_late: the event's day was over before.
        is_foreign: it is a failure from where the identity has never been, which says nothing of the identity.
    """

    scored: ScoredEvent
    subject: str
    identity: LiveIdentity
    has_new_band: bool
    is_ahead: bool
    is_late: bool
    is_foreign: bool


@dataclass(slots=True)
class IdentityTracker:
    """The identities of one tenant.

    Args:
        baseline: what was imported; the habits of the identities that are followed move from there to `states`.
        key: key of the fingerprints of values, with which the baseline was made; BadInput for another.
        states: reference of each identity → its state.
    """

    baseline: IdentityBaseline
    key: bytes
    states: dict[str, LiveIdentity]
    dirty: set[str] = field(default_factory=set)
    high_days: dict[tuple[str, int], HighRiskDay] = field(default_factory=dict)
    _peers: Mapping[int, PeerGroup] = field(init=False)
    _peers_day: int = field(default=-1, init=False)
    _crowd: Crowd = field(init=False)

    def __post_init__(self) -> None:
        self.baseline.require_key(self.key)
        self._crowd = Crowd()
        for state in self.states.values():  # what was imported since goes on from there
            imported = self.baseline.habits.pop(state.habit_key, None)
            if imported is not None and imported.last_us > state.habit.last_us:
                state.habit = imported
        for habit in self.baseline.habits.values():
            self._crowd.add_habit(habit)
        for state in self.states.values():
            self._count_in_crowd(state)
        self._group_peers()

    def _count_in_crowd(self, state: LiveIdentity) -> None:
        self._crowd.members += 1
        self._crowd.add_values(state.list_shown())
        self._crowd.hours.update(state.list_hours())
        self._crowd.days = max(self._crowd.days, state.habit.days)

    def _group_peers(self) -> None:
        habits = [*self.baseline.habits.values(), *(state.habit for state in self.states.values())]
        groups: dict[int, PeerGroup] = {}
        for habit in habits:
            if habit.days >= ESTABLISHED_DAYS and habit.group:
                groups.setdefault(habit.group, PeerGroup()).add_member(habit)
        self._peers = groups

    def take(self, event: IdentityEvent, subject: str, fingerprint: str, now_us: int) -> TakenEvent:
        """Score the next event and count it.

        Args:
            event: it.
            subject: reference of its identity.
            fingerprint: fingerprint by which alerts name the identity.
            now_us: the present, microseconds since the epoch.

        Raises:
            BadInput: `too_many`, the tenant has too many identities.
        """
        is_ahead = event.ts_us > now_us + _MAX_AHEAD_US
        if is_ahead:  # a clock that jumped would make every later event an old one
            event = replace(event, ts_us=now_us)
        state = self._find_state(event, subject, fingerprint)
        state.kind = event.kind.value
        day = event.ts_us // DAY_US
        state.close_day(day)
        if day > self._peers_day:
            self._peers_day = day
            self._group_peers()
        values, group = fingerprint_event(event, self.key), fingerprint_group(event, self.key)
        scored = self._score(event, state, values, group)
        is_foreign = _is_foreign(event, state, values)
        today = state.today
        is_late = today is None or day < today.number
        if today is not None and not is_late and not is_foreign:
            self._show_crowd(event, state, values)
            today.add_event(event, values, group)
        state.events += 1
        state.last_us = max(state.last_us, event.ts_us)
        factors = tuple(item.id for item in scored.factors)
        has_new_band = False
        if not is_foreign:
            risk = scale_risk(scored.event_risk or 0, self.baseline.limits)
            has_new_band = state.set_risk(risk, factors, event.ts_us)
        scored = replace(scored, identity_risk=state.risk)
        self.dirty.add(subject)
        self._note_high_day(scored, day)
        return TakenEvent(scored, subject, state, has_new_band, is_ahead, is_late, is_foreign)

    def _show_crowd(self, event: IdentityEvent, state: LiveIdentity, values: Mapping[Dimension, int]) -> None:
        """Count what an identity shows for the first time."""
        crowd, hour = self._crowd, event.ts_us // HOUR_US % 24
        crowd.add_values((dim, value) for dim, value in values.items() if not state.shows(dim, value))
        crowd.days = max(crowd.days, state.habit.days)
        crowd.hours[hour] += hour not in state.list_hours()

    def _find_state(self, event: IdentityEvent, subject: str, fingerprint: str) -> LiveIdentity:
        state = self.states.get(subject)
        if state is not None:
            return state
        if len(self.states) >= MOST_IDENTITIES:
            message = f"there are more than {MOST_IDENTITIES:,} identities"
            raise BadInput("too_many", message, field="identity", remedy="follow only the accounts that matter")
        habit_key = fingerprint_identity(event.identity, self.key)
        imported = self.baseline.habits.pop(habit_key, None)
        state = self.states[subject] = LiveIdentity(fingerprint, habit_key, event.kind.value)
        if imported is None:
            self._crowd.members += 1
        else:
            state.habit = imported
        return state

    def _score(
        self, event: IdentityEvent, state: LiveIdentity, values: Mapping[Dimension, int], group: int
    ) -> ScoredEvent:
        habit = state.habit
        count = state.count_hour_events(event.ts_us) + 1
        failures = state.count_failures(values.get(Dimension.NETWORK, 0), event.ts_us, event.outcome)
        is_established = habit.days >= ESTABLISHED_DAYS
        peers = self._peers.get(group, _NO_PEERS)
        is_member = is_established and habit.group == group
        others = peers.members - is_member
        enough = others >= FEWEST_OTHERS
        compared: Comparison | CrowdComparison
        if is_established or enough:
            basis = ComparisonBasis.OWN_HISTORY if is_established else ComparisonBasis.PEERS
            compared = Comparison(habit, peers if enough else None, others, values, member=is_member)
        else:
            strangers = self._crowd.members - 1
            basis = ComparisonBasis.TENANT if strangers >= FEWEST_OTHERS else ComparisonBasis.TOO_LITTLE
            own = frozenset(dim for dim, value in values.items() if state.shows(dim, value))
            compared = CrowdComparison(self._crowd, strangers, values, own, habit)
        factors: tuple[EventFactor, ...] = find_event_factors(event, compared, count, failures)
        risk = combine_factors(factors)
        band = self.baseline.limits.find_band(risk)
        return ScoredEvent(event, basis, risk, band, factors[:MAX_FACTORS], state.risk)

    def _note_high_day(self, scored: ScoredEvent, number: int) -> None:
        """Gather events above the higher limit for the alert of their day."""
        event, place = scored.event, (scored.event.identity, number)
        if scored.band < _HIGH_BAND:
            return
        day = self.high_days.get(place)
        if day is None:
            self.high_days[place] = HighRiskDay(scored, 1, event.ts_us, event.ts_us, scored.identity_risk)
            return
        day.high_event_count, day.last_us = day.high_event_count + 1, max(day.last_us, event.ts_us)
        day.identity_risk = scored.identity_risk
        if (scored.event_risk or 0) > (day.worst_event.event_risk or 0):
            day.worst_event = scored

    def find_band(self, subject: str) -> int:
        """Band of an identity's risk, 0 for one that is not known."""
        state = self.states.get(subject)
        return 0 if state is None else find_band(state.risk)


def _is_foreign(event: IdentityEvent, state: LiveIdentity, values: Mapping[Dimension, int]) -> bool:
    """Whether an event is a failure from a place where the identity has never been.

    INVARIANT: whoever fails to log in under a name moves nothing of that person: neither the risk, nor what is usual.
    It is the source that is unusual. Once something succeeds from there, it counts, with the failures before it.
    """
    if event.outcome is not Outcome.FAILURE:
        return False
    network = values.get(Dimension.NETWORK)
    return network is None or not state.shows(Dimension.NETWORK, network)
