"""Drift of sessions that alarmed after reading content: refusals hide no other way of working, strange work does."""

from __future__ import annotations

import pytest
from test_drift_terms import make_session
from test_profiles import ALARM, ORDINARY, Found, earlier, later, session

from halo_core.behaviour.measures import INDEX, WINDOWED
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import EARLIER_FORM, FOLD_FORM
from halo_core.behaviour.session_drift import (
    DRIFT_TERMS,
    EARLIER_DRIFT_TERMS,
    REFERENCE_SESSIONS,
    HabitDrift,
    SessionDrift,
)

FIRST = 80
OBJECTS = WINDOWED.index(INDEX["objects"])


@pytest.fixture(scope="module")
def settled():
    return later(NEW_PROFILE, [session(2 + at % 3, at=at, exposed=at % 2 == 0) for at in range(FIRST)])


def alarmed(number, *found):
    tally = session(30, at=FIRST + number, exposed=True)
    for one in found:
        tally = tally.with_findings(one)
    return tally


@pytest.mark.parametrize("found", [Found("refusals_recent", 1400), Found("refusals", 3000), Found("novelty", 999)])
def test_what_is_refused_or_asked_for_hides_no_drift(settled, found):
    after = later(settled, [alarmed(number, found) for number in range(12)], ALARM)
    assert after.drift_of(is_exposed=True) >= 1000


def test_strange_work_that_content_explains_moves_no_drift(settled):
    found = Found("refusals_recent", 1400), Found("strangers", 1000)
    after = later(settled, [alarmed(number, *found) for number in range(12)], ALARM)
    assert after.drifts == settled.drifts


def test_refusals_after_content_move_nothing_that_sessions_without_content_are_held_to(settled):
    after = later(settled, [alarmed(number, Found("refusals_recent", 1400)) for number in range(40)], ALARM)
    assert after.drifts[0] == settled.drifts[0]
    assert after.drift_of(is_exposed=False) < 1000
    assert after.windows == later(settled, [alarmed(0, Found("strangers", 1000))] * 40, ALARM).windows
    assert after.exposed_windows[OBJECTS] < 16 * 16 * 30  # no more than the limit of each session


def test_a_profile_of_the_earlier_form_keeps_what_hid_drift_there():
    before = earlier(FIRST)
    after = later(before, [alarmed(number, Found("refusals_recent", 1400)) for number in range(12)], ALARM)
    assert (after.form, after.drifts) == (EARLIER_FORM, before.drifts)


def moved(terms, sessions):
    drift = HabitDrift()
    for number in range(REFERENCE_SESSIONS + sessions):
        way = 1 if number < REFERENCE_SESSIONS else 2
        drift = drift.advance(make_session(number, way), learns=True, terms=terms)
    return drift


@pytest.mark.parametrize("terms", [DRIFT_TERMS, EARLIER_DRIFT_TERMS])
def test_both_sessions_of_an_alarm_are_held_to_the_same_limit(terms):
    last, next_one = moved(terms, 8), moved(terms, 9)
    assert next_one.before * 1000 // last.slack == last.latest_share


def test_a_drift_of_the_earlier_form_is_read_back_as_it_was_left():
    profile = earlier(FIRST)
    habits = moved(EARLIER_DRIFT_TERMS, 9)
    profile = later(profile, [session(3, at=FIRST, exposed=True)])
    drifted = IdentityProfile(**{**profile.__dict__, "drifts": (SessionDrift(habits), profile.drifts[1])})
    again = IdentityProfile.from_bytes(drifted.to_bytes())
    assert again.drift == drifted.drift
    gone_on, read = (
        one.as_form(FOLD_FORM).fold(session(3, at=90, exposed=True), verdict=ORDINARY) for one in (drifted, again)
    )
    assert (
        IdentityProfile.from_bytes(gone_on.to_bytes()).drifts[0].share
        == gone_on.drifts[0].share
        == read.drifts[0].share
    )
