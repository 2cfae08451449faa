"""Records with labelled data that no request leads to, changes that no request leads to, and grants that slept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, TouchedObject
from halo_core.behaviour.known import is_dormant
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import EARLIER_FORM, FOLD_FORM
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

DAY, HOUR = 86_400_000_000, 3_600_000_000
ORDINARY = SessionVerdict.ORDINARY


def touch(number, at=0, *, related=False, labels=("pii",), **change):
    event = BehaviourEvent(
        tool="read",
        system="crm",
        labels=labels,
        ts_us=at * DAY + 10 * HOUR,
        host="h",
        principal="ana-reference",
        objects=(TouchedObject(number, is_related=related, is_requested=related),),
    )
    return replace(event, **change)


def run(events):
    tally = SessionTally()
    for event in events:
        tally = tally.advance(event)
    return tally


def live(sessions=100, *, kind=IdentityProfile, strangers=lambda number: number % 40 == 0, acts=True, at=0):
    """Sessions on a record that the request names, a file of which nobody asked, and at times a wrong number."""
    profile = kind()
    for number in range(at, at + sessions):
        events = [touch(number, number, related=True), touch(1, number, labels=()), touch(2, number, labels=())]
        if acts:
            change = touch(number, number, related=True, labels=(), tool="update", impact="write")
            events.append(change)
        if strangers(number):
            events.append(touch(10_000 + number, number))
        profile = profile.fold(run(events), verdict=ORDINARY)
    return profile


def find_alarms(profile, events, tenant=None):
    """Alarms of the last action, whose predecessors ran."""
    tally = run(events[:-1]).advance(events[-1])
    return {axis.id for axis in assess(profile, tally, events[-1], tenant=tenant).alarms}


def read(number, at=200, **change):
    return [touch(50_000 + one, at, **change) for one in range(number)]


def test_few_strangers_with_labelled_data_pass_the_limit_of_who_hardly_touches_any():
    profile = live()
    assert not find_alarms(profile, read(2))
    assert find_alarms(profile, read(3)) == {"strangers"}


def test_objects_without_labels_are_no_strangers():
    assert not find_alarms(live(), read(5, labels=()))


def test_who_always_touches_strangers_may():
    profile = live(strangers=lambda _: True)
    assert not find_alarms(profile, read(2))


def test_strangers_add_up_over_sessions():
    profile = live(strangers=lambda _: False)
    found = []
    for number in range(12):
        events = [touch(90_000 + number, 300 + number)]
        found.append("strangers_recent" in find_alarms(profile, events))
        profile = profile.fold(run(events), verdict=ORDINARY if not found[-1] else SessionVerdict.ALARM)
    assert not any(found[:4])
    assert all(found[9:])


def test_strangers_of_several_agents_add_up_in_the_tenant():
    tenant = live(220, kind=TenantProfile, strangers=lambda _: False)
    for number in range(4):
        tenant = tenant.fold(run(read(2, 300 + number)), verdict=ORDINARY)
    assert "tenant_strangers_recent" in find_alarms(NEW_PROFILE, read(2, 310), tenant)


def test_a_first_day_is_asked_about_no_stranger():
    assert not find_alarms(NEW_PROFILE, read(10))


def test_a_profile_of_the_form_before_is_not_held_to_what_it_never_counted():
    before = NEW_PROFILE.as_form(EARLIER_FORM)
    for number in range(100):
        before = before.fold(run(read(6, number)), verdict=ORDINARY)
    assert IdentityProfile.from_bytes(before.to_bytes()) == before
    after = before.as_form(FOLD_FORM)
    assert after.limit_of("strangers") >= 6
    assert "strangers" not in find_alarms(after, read(6))


def test_a_tally_that_was_written_before_strangers_were_counted_is_read():
    whole = run(read(3)).after_fold(ORDINARY.value).advance(touch(1, 1, is_exposed=True))
    tree = encode_tally(whole)
    old = {**tree, "v": tree["v"][:-1], "x": tree["x"][:-1], "f": [tree["f"][0][:-1], *tree["f"][1:]]}
    assert decode_tally(old) == whole.without_strangers()


# changes that no request leads to


def change(number, at=200):
    return touch(number, at, labels=(), tool="update", impact="write")


def test_a_second_change_that_no_request_leads_to_is_an_alarm_for_who_never_makes_any():
    profile = live()
    assert not find_alarms(profile, [change(70_001)])
    assert find_alarms(profile, [change(70_001), change(70_002)]) == {"unrelated_acts"}


def test_one_such_change_a_session_adds_up():
    profile, found = live(), []
    for number in range(8):
        events = [change(70_000 + number, 300 + number)]
        found.append("unrelated_acts_recent" in find_alarms(profile, events))
        profile = profile.fold(run(events), verdict=SessionVerdict.ALARM if found[-1] else ORDINARY)
    assert not any(found[:3])
    assert any(found[:5])


def test_who_has_changed_little_is_held_to_the_floor():
    profile = live(acts=False)
    assert not find_alarms(profile, [change(70_001), change(70_002), change(70_003)])


@pytest.mark.parametrize(
    ("days", "sessions", "history", "slept"),
    [(90, 3, 400, True), (60, 100, 80, True), (60, 100, 119, True), (10, 100, 80, False), (60, 100, 200, False)],
)
def test_a_grant_slept_for_90_days_or_for_half_of_the_history(days, sessions, history, slept):
    assert is_dormant(days, sessions, history) is slept
