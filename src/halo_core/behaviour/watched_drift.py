"""Which sessions move which drift of an identity: that of sessions without untrusted content, and that of all.

Only a session that has read untrusted content is held to the second one. Two drifts of disjoint sessions would each
wait for a reference of its own, and an agent that changed meanwhile would become part of it.
INVARIANT: content moves no drift that sessions without content are held to.
"""

from __future__ import annotations

from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.measures import INDEX
from halo_core.behaviour.session_drift import SessionDrift
from halo_core.behaviour.tally import SessionTally

_ACTIONS = INDEX["actions"]
_ORDINARY = (SessionVerdict.ORDINARY, SessionVerdict.CLEARED)
Drifts = tuple[SessionDrift, SessionDrift]


def watch_drift(drifts: Drifts, tally: SessionTally, *, is_reference: bool) -> Drifts:
    """The drifts after a session, by what it did and tried.

    Args:
        drifts: before it.
        tally: of the session.
        is_reference: it teaches what is usual.
    """
    (unexposed, every), part = drifts, tally.folded
    if part is None:
        session, values = tally.to_drift_session(), tally.attempted
        every = every.advance(every.habits.make_comparable(session), values, learns=is_reference)
        if not tally.at_exposure:
            session = unexposed.habits.make_comparable(session)
            unexposed = unexposed.advance(session, values, learns=is_reference)
        return unexposed, every
    learns = is_reference and part.verdict in _ORDINARY
    before, values = part.attempted or part.values, tally.attempted
    every = every.amend(before, values, learns=learns)
    return unexposed if tally.at_exposure else unexposed.amend(before, values, learns=learns), every


def watch_drift_as_before(drifts: Drifts, tally: SessionTally, *, is_reference: bool) -> Drifts:
    """As `watch_drift`, in the earlier form of profiles: the second drift is of sessions with content alone."""
    after, which, part = list(drifts), int(bool(tally.at_exposure)), tally.folded
    if part is None:
        session = tally.to_drift_session(with_denials=True)
        after[which] = after[which].advance(session, tally.values, learns=is_reference)
    elif not which or tally.at_exposure[_ACTIONS] < part.values[_ACTIONS]:
        learns = is_reference and part.verdict in _ORDINARY
        after[which] = after[which].amend(part.values, tally.values, learns=learns)
    return after[0], after[1]
