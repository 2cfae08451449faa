"""Ordinary work that comes in waves widens limits of drift where nobody was asked, and nowhere else."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_drift_terms import make_session
from test_profiles import session

from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.drift_waves import widen_by_return
from halo_core.behaviour.measures import COUNT, INDEX
from halo_core.behaviour.packing import NumberReader, pack_numbers
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.session_drift import DRIFT_TERMS, REFERENCE_SESSIONS, SessionDrift

OBSERVED = {"is_asked": False, "is_observed": True}
ORDINARY = {"is_asked": False, "is_observed": False}
ASKED = {"is_asked": True, "is_observed": False}


def values(actions):
    numbers = [0] * COUNT
    numbers[INDEX["actions"]] = numbers[INDEX["reads"]] = actions
    return tuple(numbers)


def live(drift, sessions, *, way=1, actions=3, how=ORDINARY):
    highest = 0
    for number in range(sessions):
        drift = drift.advance(make_session(number, way), values(actions + number % 2), learns=how is ORDINARY)
        highest = max(highest, drift.share)
        drift = drift.note_return(**(ORDINARY if how is OBSERVED and drift.share < 1000 else how))
    return drift, highest


@pytest.fixture(scope="module")
def settled():
    return live(SessionDrift(), REFERENCE_SESSIONS)[0]


@pytest.mark.parametrize("wave", [partial(live, way=2), partial(live, actions=60)], ids=["habits", "trend"])
def test_a_wave_that_went_by_itself_in_observe_mode_alarms_once(settled, wave):
    drift, highest = wave(settled, 6, how=OBSERVED)
    assert highest >= 1000
    drift, _ = live(drift, 40, how=OBSERVED)
    assert drift.share < 500
    assert wave(drift, 6)[1] < 1000


@pytest.mark.parametrize("how", [ASKED, ORDINARY])
def test_what_ran_in_enforce_mode_widens_nothing(settled, how):
    drift, _ = live(settled, 6, way=2, how=how)
    drift, _ = live(drift, 40)
    assert live(drift, 6, way=2)[1] >= 1000


def test_a_wave_that_goes_on_where_somebody_is_asked_widens_nothing(settled):
    drift, _ = live(settled, 6, way=2, how=OBSERVED)
    drift, _ = live(drift, 2, way=2, how=ASKED)
    drift, _ = live(drift, 40)
    assert live(drift, 6, way=2)[1] >= 1000


def test_a_change_that_stays_widens_nothing(settled):
    drift, _ = live(settled, 30, way=2, how=OBSERVED)
    assert drift.habits.slack == settled.habits.slack
    assert drift.share >= 1000


def test_a_change_is_still_found_after_the_largest_wave(settled):
    drift, _ = live(settled, 30, way=2, how=OBSERVED)
    drift, _ = live(drift, 60, how=OBSERVED)
    assert live(drift, 40, way=2, actions=60)[1] >= 1000


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans(), st.sampled_from((OBSERVED, ORDINARY, ASKED)))))
def test_limits_never_narrow_and_are_at_most_three_times_as_wide(sessions):
    peak, slack = 0, 1000
    for reached, is_alarm, how in sessions:
        before = slack
        peak, slack = widen_by_return((peak, slack), reached, is_alarm=is_alarm, **how)
        assert before <= slack <= 3000


def test_waves_are_stored(settled):
    drift, _ = live(settled, 6, way=2, actions=60, how=OBSERVED)
    assert drift.habits.peak
    assert drift.trend.peak
    later, _ = live(drift, 60, how=OBSERVED)
    assert later.habits.slack > 1000
    for one in (drift, later):
        packed = pack_numbers(b"x\n", [*one.to_numbers(), *one.to_later_numbers()])
        reader = NumberReader(b"x\n", packed, max_bytes=32_768)
        assert (
            SessionDrift.read(reader, DRIFT_TERMS).with_later_numbers(reader).to_later_numbers()
            == one.to_later_numbers()
        )


def live_on(profile, first, number, *, objects=3, exposed=False, verdict=SessionVerdict.ORDINARY):
    for at in range(first, first + number):
        is_alarm = profile.drift >= 1000 and verdict is SessionVerdict.OBSERVED
        tally = session(objects + at % 2, at=at, exposed=exposed)
        profile = profile.fold(tally, verdict=verdict if is_alarm or objects > 9 else SessionVerdict.ORDINARY)
    return profile


def slacks(profile):
    return {part.slack for drift in profile.drifts for part in (drift.habits, drift.trend)}


@pytest.fixture(scope="module")
def clerk():
    """A profile of sessions of which some have read untrusted content, and that never drifted."""
    profile = live_on(NEW_PROFILE, 0, 60)
    for at in range(60, 100):
        profile = live_on(profile, at, 1, exposed=at % 4 == 0)
    assert slacks(profile) == {1000}
    return profile


def test_waves_that_content_makes_in_observe_mode_widen_nothing(clerk):
    """The lever: whoever can make an agent read something makes its limits three times as wide."""
    profile = live_on(clerk, 100, 12, objects=60, exposed=True, verdict=SessionVerdict.OBSERVED)
    assert profile.drifts[1].share >= 1000
    profile = live_on(profile, 112, 2, verdict=SessionVerdict.OBSERVED, objects=10)  # ordinary work beside it, observed
    profile = live_on(profile, 114, 60)
    profile = live_on(profile, 174, 60, exposed=True)
    assert profile.drifts[1].share < 500
    assert slacks(profile) == {1000}


def test_waves_of_work_without_content_widen_the_limits_of_all_sessions(clerk):
    profile = live_on(clerk, 100, 12, objects=60, verdict=SessionVerdict.OBSERVED)
    assert min(drift.share for drift in profile.drifts) >= 1000
    profile = live_on(profile, 112, 60)
    assert all(drift.trend.slack > 1000 for drift in profile.drifts)


def test_content_does_not_keep_ordinary_waves_from_widening_limits(clerk):
    profile = live_on(clerk, 100, 12, objects=60, verdict=SessionVerdict.OBSERVED)
    asked = session(3, at=112, exposed=True)
    profile = profile.fold(asked, verdict=SessionVerdict.ALARM)
    profile = live_on(profile, 113, 60)
    assert all(drift.trend.slack > 1000 for drift in profile.drifts)
