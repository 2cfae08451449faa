"""Which sessions move which drift of an identity: one of sessions without untrusted content, and one of all sessions.

Only a session that has read untrusted content is judged by the second one. Two drifts over disjoint sessions would each
need a reference of their own, and an agent that changed meanwhile would become part of it. INVARIANT: content moves no
drift by which sessions without content are judged.

What moved may be the work of one account: then only its sessions are judged by it. If the sessions of two principals
have moved it, the agent itself has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.measures import INDEX, MAX_VALUE, MUCH_WORK_IDS
from halo_core.behaviour.principals import name_principal
from halo_core.behaviour.session_drift import EARLIER_DRIFT_TERMS, SessionDrift
from halo_core.behaviour.tally import SessionTally

_ACTIONS = INDEX["actions"]
_ORDINARY = (SessionVerdict.ORDINARY, SessionVerdict.CLEARED)
Drifts = tuple[SessionDrift, SessionDrift]
DRIFT_ALARM: Final = 1000


def tells_of_strange_work(axis: str, share: int) -> bool:
    """Whether an alarm says that a session did what its identity does not do, and its request does not account for."""
    return share >= DRIFT_ALARM and not axis.startswith("refusals")


def tells_of_much_work(axis: str, share: int) -> bool:
    """Whether an alarm says that there was somewhat more work than usual, and nothing else."""
    return share < DRIFT_ALARM and axis.removeprefix("tenant_").removesuffix("_recent") in MUCH_WORK_IDS


def watch_drift(drifts: Drifts, tally: SessionTally, *, verdict: SessionVerdict) -> Drifts:
    """The drifts after a session, by what it did and tried, with who moved them.

    Args:
        drifts: before it.
        tally: of the session.
        verdict: as what it counts. Only what is ordinary or was cleared becomes a reference: what nobody was asked
            about may be an attack, which could not be taken out again.
    """
    name = name_principal(tally.principal)
    unexposed, every = _advance(drifts, tally, is_reference=verdict in _ORDINARY)
    is_same, is_observed = unexposed is every, verdict is SessionVerdict.OBSERVED
    is_asked = not is_observed and verdict not in _ORDINARY
    # INVARIANT: content widens no limits of drift, and keeps nobody from it: waves are those of sessions without any.
    if not tally.at_exposure:
        unexposed = unexposed.note_return(is_asked=is_asked, is_observed=is_observed)
    every = unexposed if is_same else every.widened_as(unexposed)
    moved = every.moved_by(name, drifts[1])
    return moved if unexposed is every else unexposed.moved_by(name, drifts[0]), moved


def _advance(drifts: Drifts, tally: SessionTally, *, is_reference: bool) -> Drifts:
    (unexposed, every), part = drifts, tally.folded
    if part is None:
        session, values = tally.to_drift_session(), tally.attempted
        if not tally.at_exposure and unexposed == every:  # as long as no session has read untrusted content
            both = every.advance(every.habits.make_comparable(session), values, learns=is_reference)
            return both, both
        every = every.advance(every.habits.make_comparable(session), values, learns=is_reference)
        if not tally.at_exposure:
            session = unexposed.habits.make_comparable(session)
            unexposed = unexposed.advance(session, values, learns=is_reference)
        return unexposed, every
    learns = is_reference and part.verdict in _ORDINARY
    before, values = part.attempted or part.values, tally.attempted
    every = every.amend(before, values, learns=learns)
    return unexposed if tally.at_exposure else unexposed.amend(before, values, learns=learns), every


def watch_drift_as_before(drifts: Drifts, tally: SessionTally, *, verdict: SessionVerdict) -> Drifts:
    """As `watch_drift`, in the earlier form of profiles: the second drift is of sessions with content alone."""
    after, which, part = list(drifts), int(bool(tally.at_exposure)), tally.folded
    is_reference = verdict in _ORDINARY
    if part is None:
        session = tally.to_drift_session(with_denials=True)
        after[which] = after[which].advance(session, tally.values, learns=is_reference, terms=EARLIER_DRIFT_TERMS)
    elif not which or tally.at_exposure[_ACTIONS] < part.values[_ACTIONS]:
        learns = is_reference and part.verdict in _ORDINARY
        after[which] = after[which].amend(part.values, tally.values, learns=learns)
    return after[0], after[1]


def share_of(drifts: Sequence[SessionDrift]) -> int:
    """Largest share of an alarm, in thousandths."""
    return max((drift.share for drift in drifts), default=0)


def find_narrowed(drifts: Sequence[SessionDrift]) -> dict[int, int]:
    """Limits of measures that rose to an alarm: what the reference sessions reached."""
    narrowed: dict[int, int] = {}
    for drift in drifts:
        for at, limit in drift.trend.list_narrowed().items():
            narrowed[at] = min(limit, narrowed.get(at, MAX_VALUE))
    return narrowed


def list_moved(drifts: Sequence[SessionDrift]) -> tuple[tuple[str, int], ...]:
    """Measures that moved, with signed shares of an alarm, the largest first."""
    moved: dict[str, int] = {}
    for drift in drifts:
        for name, share in drift.trend.list_moved():
            moved[name] = max(moved.get(name, 0), share, key=abs)
    return tuple(sorted(moved.items(), key=lambda pair: (-abs(pair[1]), pair[0])))


class WatchedDrifts:
    """What holds up the sessions of a profile.

    Attributes:
        drifts: drift over sessions without untrusted content, and over all sessions.
    """

    drifts: Drifts

    @cached_property
    def _drift_shares(self) -> tuple[int, int]:
        return share_of(self.drifts[:1]), share_of(self.drifts)

    def drifts_for(self, principal: str | None, *, is_exposed: bool) -> tuple[SessionDrift, ...]:
        """The drifts that a session is held to.

        Only a session that has read untrusted content is held to what all sessions did: an attacker's text may have
        moved that. INVARIANT: what the sessions of one principal alone have moved holds up nobody else.

        Args:
            principal: whom it acts for; None for what has moved at all.
            is_exposed: it has read untrusted content.
        """
        drifts = self.drifts[: 1 + is_exposed]
        if principal is None or self._drift_shares[is_exposed] < DRIFT_ALARM:
            return drifts
        return tuple(drift for drift in drifts if drift.holds(name_principal(principal)))

    def drift_of(self, *, is_exposed: bool, principal: str | None = None) -> int:
        """Share of an alarm that drift over sessions has reached, in thousandths; see `drifts_for`."""
        share = self._drift_shares[is_exposed]
        return share if share < DRIFT_ALARM else share_of(self.drifts_for(principal, is_exposed=is_exposed))

    @property
    def drift(self) -> int:
        """Largest share of a drift alarm, over sessions of either kind."""
        return self._drift_shares[1]

    def narrowed_limits(self, *, is_exposed: bool, principal: str | None = None) -> dict[int, int]:
        """Limits of measures that rose over sessions to an alarm: what the reference sessions reached."""
        if self._drift_shares[is_exposed] < DRIFT_ALARM:
            return {}
        return find_narrowed(self.drifts_for(principal, is_exposed=is_exposed))

    def list_moved(self) -> tuple[tuple[str, int], ...]:
        """Measures that moved over sessions, with signed shares of an alarm, the largest first."""
        return list_moved(self.drifts)
