"""The state of a profile: the limits in force, the levels of a session, what is usual and for whom.

`halo_core.behaviour.profile` changes it with each session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from halo_core.behaviour.carried import CarriedRisk
from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.known import NOTHING_KNOWN, KnownValues
from halo_core.behaviour.limit_steps import has_hardly_paid
from halo_core.behaviour.limits import (
    ANY_CHANGES,
    FINE,
    FLOORS,
    GENEROUS,
    LEAST_SLACK,
    LOOSENESS_UNIT,
    MATURE_SESSIONS,
    SERIES,
    SHIPPED_PRIOR,
    Histogram,
    NarrowLimits,
    RolePrior,
    blend_limits,
    narrow_by_habit,
)
from halo_core.behaviour.measures import COUNT, INDEX, MAX_LEVEL, WINDOWED, list_levels
from halo_core.behaviour.principals import NO_PRINCIPALS, Principals, find_strange
from halo_core.behaviour.profile_forms import FOLD_FORM, TERMS_OF_FORM, FormTerms
from halo_core.behaviour.seen import SeenKind, join_seen
from halo_core.behaviour.session_drift import SessionDrift
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.watched_drift import WatchedDrifts

WINDOW_SESSIONS: Final = 16
"""Sessions that a window reaches back, its weights falling by 15/16 with each."""
WINDOW_UNIT: Final = 16
"""Sums over recent sessions are kept in 16ths."""
NO_LIMITS: Final = FLOORS
_DAY_HOURS: Final = 24
_STRANGERS: Final = INDEX["strangers"]
_KINDS: Final = tuple(SeenKind)  # in the order of `ProfileState.known`; iterating over the class is a call for each
NO_WINDOWS: Final = (0,) * len(WINDOWED)


@dataclass(frozen=True)
class ProfileState(WatchedDrifts):
    """What is usual for an identity after its sessions so far.

    Args:
        sessions: ordinary sessions that it learnt from.
        watched: all sessions folded.
        histograms: for each limit, ordinary sessions by level.
        limits: for each limit, in 64ths of an octave, before `looseness`.
        day: of the last session that it learnt from, since 1970.
        day_limits: limits at the start of that day.
        looseness: see `limits.update_looseness`.
        windows: for each windowed measure, its sum over recent sessions, in 16ths, before exposure to content.
        exposed_windows: the same after exposure.
        window: sessions that windows reach back.
        known: for each `SeenKind`, what it has shown.
        drifts: drift over sessions without untrusted content, and over all sessions.
        first_day: of its first session that it learnt from.
        carried: what its alarms leave for the next sessions.
        form: one of `FORMS`, the form in which it is folded.
        principals: habits of each person or account that it acts for.
        narrow: limits of changes that no request leads to.
    """

    sessions: int = 0
    watched: int = 0
    histograms: tuple[Histogram, ...] = ((),) * SERIES
    limits: tuple[int, ...] = NO_LIMITS
    day: int = 0
    day_limits: tuple[int, ...] = NO_LIMITS
    looseness: int = 0
    windows: tuple[int, ...] = NO_WINDOWS
    exposed_windows: tuple[int, ...] = NO_WINDOWS
    window: int = WINDOW_SESSIONS
    known: tuple[KnownValues, ...] = NOTHING_KNOWN
    drifts: tuple[SessionDrift, SessionDrift] = (SessionDrift(), SessionDrift())
    first_day: int = 0
    carried: CarriedRisk = field(default_factory=CarriedRisk)
    form: str = FOLD_FORM
    principals: Principals = NO_PRINCIPALS
    narrow: NarrowLimits = ANY_CHANGES

    @property
    def _terms(self) -> FormTerms:
        return TERMS_OF_FORM[self.form]

    def list_levels(self, tally: SessionTally, *, values: tuple[int, ...] = ()) -> list[int]:
        """Levels of the measures, then of the measures over recent sessions, with the profile as the session found it.

        Args:
            tally: of the session.
            values: measures to use in place of the tally's own.
        """
        values = values or tally.values
        sums = [total + values[at] for total, at in zip(self.recent_of(tally), WINDOWED, strict=True)]
        return list_levels(range(len(values)), values) + list_levels(WINDOWED, sums)

    def recent_of(self, tally: SessionTally) -> tuple[int, ...]:
        """For each windowed measure, its sum over recent sessions, to which that of the session is added.

        Sums of exposed sessions count for a session that was exposed to untrusted content only. The part of the session
        that was folded already is not counted.
        """
        if tally.folded is None:
            return self._recent_with_exposed if tally.at_exposure else self._recent
        totals = self.windows
        if tally.at_exposure:
            totals = tuple(map(sum, zip(totals, self.exposed_windows, strict=True)))
        done = tally.folded.values
        if tally.folded.attempted:  # strangers' records that were tried were added as well
            done = (*done[:_STRANGERS], tally.folded.attempted[_STRANGERS], *done[_STRANGERS + 1 :])
        return tuple(max(totals[which] // WINDOW_UNIT - done[at], 0) for which, at in enumerate(WINDOWED))

    @cached_property
    def _recent(self) -> tuple[int, ...]:
        sessions = self.window
        return tuple([total * (sessions - 1) // sessions // WINDOW_UNIT for total in self.windows])

    @cached_property
    def _recent_with_exposed(self) -> tuple[int, ...]:
        sessions, both = self.window, zip(self.windows, self.exposed_windows, strict=True)
        kept = sessions - 1
        return tuple([(total * kept // sessions + more * kept // sessions) // WINDOW_UNIT for total, more in both])

    @cached_property
    def own_limits(self) -> tuple[int, ...]:
        """Its own limits, in 64ths of an octave."""
        return tuple(
            max(limit + self.looseness // LOOSENESS_UNIT, floor)
            for limit, floor in zip(self.limits, FLOORS, strict=True)
        )

    @cached_property
    def _mature_limits(self) -> tuple[int, ...]:
        return blend_limits(self.limits, self.sessions, self.looseness, GENEROUS, self.window)

    def limits_with(self, prior: RolePrior) -> tuple[int, ...]:
        """Limits in force, as values: a measure above its limit is beyond what is usual."""
        if self.sessions >= MATURE_SESSIONS + self.window or prior is SHIPPED_PRIOR:
            return self._mature_limits
        return blend_limits(self.limits, self.sessions, self.looseness, prior.limits, self.window)

    @cached_property
    def narrowed_by_habit(self) -> Mapping[int, int]:
        """See `narrow_by_habit`."""
        return narrow_by_habit(self.histograms, self.narrow)

    def limit_of(self, measure: str, prior: RolePrior = SHIPPED_PRIOR) -> int:
        """Limit of a measure by its name (`objects`, `objects_recent`)."""
        base = measure.removesuffix("_recent")
        at = INDEX[base]
        return self.limits_with(prior)[at if base == measure else COUNT + WINDOWED.index(at)]

    @cached_property
    def usual_values(self) -> frozenset[int]:
        """All values of all kinds that are usual, each joined with its kind (`seen.join_seen`)."""
        usual_numbers: list[int] = []
        for kind, values in zip(_KINDS, self.known, strict=True):
            shown = range(_DAY_HOURS) if kind is SeenKind.HOUR else values.values
            usual_numbers += [join_seen(kind, value) for value in shown if not values.weigh(kind, value)]
        return frozenset(usual_numbers)

    def usual_for(self, principal: str) -> frozenset[int]:
        """The part of `usual_values` that this principal has it do as well, without the hours."""
        usual = self._usual_for.get(principal)
        if usual is None:
            usual = self.usual_values.difference(self.strange_for(principal))
            self._usual_for[principal] = usual
        return usual

    @cached_property
    def _usual_for(self) -> dict[str, frozenset[int]]:
        return {}

    @cached_property
    def quiet_hours(self) -> dict[str, int]:
        """Principal → bits of the hours of the day that are not strange for it; filled on demand."""
        return {}

    def strange_for(self, principal: str) -> dict[int, int]:
        """What the identity usually does, but never for this principal → how strange it is, in sixteenths of a bit."""
        return find_strange(self.principals.find(principal), self.usual_values, self.known, self.sessions)

    def count_idle(self, grant: str, day: int) -> tuple[int, int]:
        """Days and sessions since a grant was last used; 0 if it never was, or if its last use is not remembered."""
        return self.known[SeenKind.GRANT].count_idle(fingerprint_text(grant), day, self.sessions)

    def as_prior(self, *, least: RolePrior | None = None) -> RolePrior:
        """The prior that this profile, of a role or a tenant, gives its agents: 1.5 times its limits.

        Args:
            least: the lowest limits that it may have.
        """
        if self.sessions < MATURE_SESSIONS:
            return SHIPPED_PRIOR
        limits = self._limits_as_prior
        return RolePrior(limits if least is None else tuple(map(max, limits, least.limits)), self.sessions)

    @cached_property
    def _limits_as_prior(self) -> tuple[int, ...]:
        return tuple([min(limit + LEAST_SLACK * FINE, MAX_LEVEL * FINE) for limit in self.own_limits])

    @cached_property
    def has_hardly_paid(self) -> bool:
        """Whether too few of its sessions have moved an amount for anybody to know what is usual."""
        return has_hardly_paid(self.histograms)

    @property
    def has_settled_windows(self) -> bool:
        """Whether sums over recent sessions have filled, and varied, long enough for limits of their own."""
        return self.sessions >= max(3 * self.window, MATURE_SESSIONS)

    @property
    def is_mature(self) -> bool:
        """Whether its own limits are in force."""
        return self.sessions >= MATURE_SESSIONS
