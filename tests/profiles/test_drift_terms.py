"""What drift of habits is held to: ways weigh more than in the earlier form, and less of a limit is an alarm."""

from __future__ import annotations

import pytest

from halo_core.behaviour.session_drift import DRIFT_TERMS, EARLIER_DRIFT_TERMS, REFERENCE_SESSIONS, HabitDrift
from halo_core.risk.drift import HABITS, DriftSession


def make_session(number, way):
    return DriftSession(number % 5, tuple((number * 7 + at) % 5 for at in range(len(HABITS))), frozenset((way,)))


def watch(sessions, terms, *, ways=(1,)):
    drift = HabitDrift()
    for number in range(REFERENCE_SESSIONS):
        drift = drift.advance(make_session(number, 1), learns=True, terms=terms)
    for number in range(sessions):
        drift = drift.advance(make_session(number, ways[number % len(ways)]), learns=True, terms=terms)
    return drift


@pytest.mark.parametrize("ways", [(2,), (1, 2), (1, 1, 2)])
def test_another_way_of_working_counts_more_than_in_the_earlier_form(ways):
    now, before = (watch(6, terms, ways=ways) for terms in (DRIFT_TERMS, EARLIER_DRIFT_TERMS))
    assert now.monitor.worst_share > before.monitor.worst_share
    assert now.before > before.before


@pytest.mark.parametrize("terms", [DRIFT_TERMS, EARLIER_DRIFT_TERMS])
def test_the_same_ways_are_no_drift(terms):
    assert watch(60, terms).share < 1000
