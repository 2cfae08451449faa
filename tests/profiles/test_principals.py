"""What a profile knows of whom the agent acts for: their hours, kinds of work and amounts, and how it learns them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionSummary, SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, TouchedObject
from halo_core.behaviour.principals import MAX_PRINCIPALS, MIN_SESSIONS, NO_PRINCIPALS, PrincipalHabits, Principals
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.seen import SeenKind, join_seen
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile

DAY, HOUR = 86_400_000_000, 3_600_000_000
ORDINARY, CLEARED, ALARM, ATTACK = (
    SessionVerdict.ORDINARY,
    SessionVerdict.CLEARED,
    SessionVerdict.ALARM,
    SessionVerdict.ATTACK,
)
ANA, BOB, SYNC = "ana-reference", "bob-reference", "sync-reference"
LAST = 200
WORKS = {ANA: 9, BOB: 14, SYNC: 3}
EVERYBODY = [(ANA, 8, 8), (BOB, 9, 7), ("carla-reference", 15, 6), (SYNC, 1, 4)]
"""Who works from which hour on, and for how many hours."""


def act(principal, day, hour, *, pays=0, **change):
    objects = (TouchedObject(day * 31 + hour, is_related=True, is_requested=True),)
    event = BehaviourEvent(
        tool="pay" if pays else "read",
        impact="payment" if pays else "read",
        system="bank" if pays else "crm",
        ts_us=day * DAY + hour * HOUR,
        host="h",
        principal=principal,
        amount=pays or None,
        objects=objects,
    )
    return replace(event, **change)


def ordinary(day):
    """Ana pays in the morning, Bob reads in the afternoon, an account reads at night: one session each."""
    hour = day % 3
    return [
        [act(ANA, day, 9 + hour), act(ANA, day, 9 + hour, pays=100_0000 + day % 7 * 10_0000)],
        [act(BOB, day, 14 + hour)],
        [act(SYNC, day, 3, labels=("pii",) if day % 2 else ())],
    ]


def run(events):
    tally = SessionTally()
    for event in events:
        tally = tally.advance(event)
    return tally


def live(days=60, *, kind=IdentityProfile, first=LAST - 60):
    profile = kind()
    for day in range(first, first + days):
        for events in ordinary(day):
            profile = profile.fold(run(events), verdict=ORDINARY)
    return profile


PROFILE, TENANT = live(), live(kind=TenantProfile)


def look(event, profile=PROFILE, tenant=TENANT):
    return assess(profile, run([event]), event, tenant=tenant)


def ids(found):
    return {axis.id for axis in found.axes}


@pytest.mark.parametrize("day", range(LAST, LAST + 6))
def test_what_each_of_them_always_does_is_quiet(day):
    for events in ordinary(day):
        for at in range(len(events)):
            assert assess(PROFILE, run(events[: at + 1]), events[at], tenant=TENANT).axes == ()


@pytest.mark.parametrize(("who", "hour"), [(ANA, 3), (BOB, 3), (SYNC, 14), (SYNC, 10)])
def test_an_account_at_the_hours_of_another_one_is_an_alarm(who, hour):
    found = look(act(who, LAST, hour))
    assert "principal_hour" in ids(found)
    assert "first_hour" not in ids(found)  # the agent itself works at all of these hours
    assert {axis.id for axis in found.alarms} >= {"novelty"}
    assert "never acted for this person" in found.alarms[0].words


@pytest.mark.parametrize(("who", "hour"), [(ANA, 12), (ANA, 14), (ANA, 7), (BOB, 18), (SYNC, 5)])
def test_overtime_is_no_alarm(who, hour):
    assert not look(act(who, LAST, hour)).alarms


@pytest.mark.parametrize("hour", [8, 9, 14, 17])
def test_a_new_colleague_is_not_stopped_at_hours_at_which_people_work(hour):
    assert look(act("new-reference", LAST, hour)).axes == ()


@pytest.mark.parametrize(("who", "hour"), [(ANA, 3), (BOB, 3), (BOB, 23), (SYNC, 14)])
def test_an_hour_far_from_those_of_an_account_is_an_alarm_however_much_new_its_agent_shows(who, hour):
    loose = replace(PROFILE, looseness=32 * 4 * 16)
    found = look(act(who, LAST, hour), loose)
    assert [axis.id for axis in found.alarms] == ["principal_hour"]
    assert found.volume >= 1000
    assert found.unusual < 900  # so that a yes to the alarm is enough


def test_a_new_account_at_the_hour_of_a_job_is_an_alarm():
    found = look(act("new-reference", LAST, 3))
    assert "principal_hour" in {axis.id for axis in found.alarms}
    assert "hardly anybody" in found.alarms[0].words


@pytest.mark.parametrize("verdict", [ORDINARY, CLEARED])
def test_an_hour_at_which_a_new_account_was_seen_is_no_alarm(verdict):
    tally = run([act("new-reference", LAST, 3)])
    profile, tenant = PROFILE.fold(tally, verdict=verdict), TENANT.fold(tally, verdict=verdict)
    assert not look(act("new-reference", LAST + 1, 3), profile, tenant).axes
    assert look(act("new-reference", LAST + 1, 22), profile, tenant).alarms


def live_in_shifts(days=60):
    """Days on which each works once, at an hour of its own."""
    profile, tenant = IdentityProfile(), TenantProfile()
    for day in range(LAST - days, LAST):
        for who, begins, hours in EVERYBODY:
            tally = run([act(who, day, begins + day % hours)])
            profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
    return profile, tenant


@pytest.mark.parametrize(("who", "hour"), [("new-reference", 3), (ANA, 2), (BOB, 2), (SYNC, 12)])
def test_the_hours_of_a_nightly_job_are_those_of_nobody_else(who, hour):
    assert "principal_hour" in {axis.id for axis in look(act(who, LAST, hour), *live_in_shifts()).alarms}


@pytest.mark.share(2)
@pytest.mark.parametrize(
    ("who", "hour"), [("new-reference", 12), ("new-reference", 17), (ANA, 18), (BOB, 18), (SYNC, 6)]
)
def test_work_by_day_and_overtime_are_no_alarm_beside_a_nightly_job(who, hour):
    assert not look(act(who, LAST, hour), *live_in_shifts()).alarms


def test_one_new_hour_of_an_account_does_not_open_the_night():
    profile, tenant = live_in_shifts()
    tally = run([act(BOB, LAST, 19)])
    profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
    assert "principal_hour" in {axis.id for axis in look(act(BOB, LAST + 1, 2), profile, tenant).alarms}


def test_a_history_that_was_replayed_within_an_hour_says_nothing_of_hours():
    profile, tenant = IdentityProfile(), TenantProfile()
    for _ in range(100):
        tally = run([act(ANA, LAST, 10)])
        profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
    for who in (ANA, "new-reference"):
        assert not look(act(who, LAST + 1, 17), profile, tenant).alarms


def test_an_hour_that_a_person_allowed_is_no_alarm_again_in_that_session():
    event = act("new-reference", LAST, 3)
    found = look(event)
    cleared = [axis.id for axis in found.alarms]
    allowed = run([event]).with_findings(found, call=7).with_cleared(7, cleared).with_allowance("novelty")
    assert not assess(PROFILE, allowed.advance(event), event, tenant=TENANT).alarms


def test_where_many_work_at_night_a_new_account_may():
    tenant = TENANT
    for day in range(LAST, LAST + 60):
        for at in range(3):
            tenant = tenant.fold(run([act(f"night shift {at}", day, (22, 1, 3)[day % 3])]), verdict=ORDINARY)
    assert not look(act("new-reference", LAST + 60, 3), PROFILE, tenant).alarms


def test_somebody_new_at_an_hour_at_which_nobody_works_is_an_alarm():
    found = look(act("new-reference", LAST, 22))
    assert {"principal_hour", "first_hour"} <= ids(found)
    assert found.alarms


def test_who_serves_new_people_every_day_is_not_surprised_by_one():
    profile = NEW_PROFILE
    for day in range(90):
        profile = profile.fold(run([act(f"visitor {day}", day, 9 + day % 3)]), verdict=ORDINARY)
    assert not look(act("visitor", 90, 22), profile, tenant=None).alarms


def test_a_class_of_action_that_this_principal_never_does_is_an_alarm_where_others_do_it():
    found = look(act(BOB, LAST, 14, pays=100_0000))
    assert ids(found) >= {"principal_impact", "principal_system", "novelty"}
    assert not ids(found) & {"first_impact", "first_system", "first_tool"}
    assert look(act(ANA, LAST, 10, pays=100_0000)).axes == ()


def test_who_shows_something_new_at_times_does_not_come_to_pay_by_that():
    profile = PROFILE
    for day in range(LAST, LAST + 6):
        profile = profile.fold(run([act(BOB, day, 14, system=f"system {day}")]), verdict=ORDINARY)
    found = look(act(BOB, LAST + 7, 14, pays=100_0000), profile)
    assert [axis.share for axis in found.axes if axis.id == "principal_impact"] == [1000]
    assert found.alarms


def test_a_first_payment_for_somebody_is_an_alarm_however_much_new_the_agent_shows():
    event = act(BOB, LAST, 14, pays=100_0000, objects=(TouchedObject(7, is_related=False, is_requested=False),))
    found = look(event, replace(PROFILE, looseness=32 * 4 * 16))
    assert "principal_impact" in {axis.id for axis in found.alarms}
    assert found.volume >= 1000
    allowed = run([event]).with_findings(found, call=7).with_cleared(7, [axis.id for axis in found.alarms])
    again = assess(replace(PROFILE, looseness=32 * 4 * 16), allowed.advance(event), event, tenant=TENANT)
    assert "principal_impact" not in {axis.id for axis in again.alarms}


def test_a_first_payment_that_the_request_names_is_asked_about_and_leaves_no_risk():
    found = look(act(BOB, LAST, 14, pays=100_0000), replace(PROFILE, looseness=32 * 4 * 16))
    assert found.volume >= 1000
    assert dict(found.alarm_shares)["principal_impact"] < 1000


def alternate(one, other, days=60):
    """A profile of two people who ask in turn."""
    profile = NEW_PROFILE
    for day in range(LAST - days, LAST):
        for event in (one, other):
            profile = profile.fold(run([replace(event, ts_us=event.ts_us + day * DAY)]), verdict=ORDINARY)
    return profile


def test_a_new_kind_of_reading_alone_is_named_and_not_stopped():
    profile = alternate(act(ANA, 0, 9), act(BOB, 0, 15, labels=("internal",)))
    found = look(act(ANA, LAST, 9, labels=("internal",)), profile, tenant=None)
    assert ids(found) == {"principal_label"}
    assert found.scope > 0
    assert found.alarms == ()


def test_data_of_a_sensitive_kind_that_others_read_is_an_alarm():
    assert look(act(BOB, LAST, 15, labels=("pii",))).alarms


def test_who_has_shown_little_is_held_to_what_the_agent_does_for_everybody():
    profile = PROFILE
    for day in range(MIN_SESSIONS - 1):
        profile = profile.fold(run([act("new-reference", LAST + day, 10)]), verdict=ORDINARY)
    assert look(act("new-reference", LAST + 20, 10, pays=100_0000), profile).axes == ()


def test_an_amount_far_above_those_of_this_principal_is_an_alarm():
    profile = alternate(act(ANA, 0, 9, pays=100_0000), act(BOB, 0, 15, pays=5_000_0000))
    assert ids(look(act(BOB, LAST, 15, pays=5_000_0000), profile, tenant=None)) == set()
    assert ids(look(act(ANA, LAST, 9, pays=300_0000), profile, tenant=None)) == set()
    event = act(ANA, LAST, 9, pays=5_000_0000)
    found = look(event, profile, tenant=None)
    assert [axis.id for axis in found.alarms] == ["principal_amount"]
    assert "for whom it acts the limit is" in found.alarms[0].words
    allowed = run([event]).with_findings(found, call=7).with_cleared(7, ["principal_amount"])
    assert assess(profile, allowed.advance(event), event).alarms == ()  # a person said yes


def test_a_person_who_is_known_to_the_tenant_is_no_newcomer_to_an_agent():
    other = NEW_PROFILE
    for day in range(LAST - 60, LAST):
        other = other.fold(run([act("carla", day, 10)]), verdict=ORDINARY)
    event = act(SYNC, LAST, 3)
    assert look(event, other, tenant=None).alarms
    assert not look(event, other, tenant=TENANT).alarms


# how it learns


def test_sessions_with_an_alarm_teach_nothing_of_a_principal():
    after = PROFILE
    for day in range(LAST, LAST + 30):
        after = after.fold(run([act(ANA, day, 3)]), verdict=ALARM)
    assert after.principals == PROFILE.principals


def test_one_day_teaches_an_hour_once():
    profile = tenant = None
    for sessions, alarms in ((40, True), (1, True)):
        profile, tenant = PROFILE, TENANT
        for _ in range(sessions):
            tally = run([act(ANA, LAST, 3)])
            profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
        assert bool(look(act(ANA, LAST + 1, 5), profile, tenant).axes) is alarms
    for day in range(LAST + 1, LAST + 3):
        tally = run([act(ANA, day, 3)])
        profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
    assert look(act(ANA, LAST + 4, 3), profile, tenant).axes == ()


def test_a_persons_yes_makes_an_hour_and_a_kind_of_work_usual():
    tally = run([act(BOB, LAST, 3), act(BOB, LAST, 3, pays=100_0000)])
    profile, tenant = PROFILE.fold(tally, verdict=CLEARED), TENANT.fold(tally, verdict=CLEARED)
    assert look(act(BOB, LAST + 1, 3, pays=100_0000), profile, tenant).axes == ()


def test_an_attack_is_taken_out_again():
    tally = run([act(BOB, LAST, 3), act(BOB, LAST, 3, pays=9_000_0000)])
    before = PROFILE.principals.find(BOB)
    taught = PROFILE.fold(tally, verdict=CLEARED, summary=SessionSummary("s", BOB))
    assert taught.principals.find(BOB) != before
    judged = taught.judge(tally, SessionSummary("s", BOB, verdict=ATTACK), before=CLEARED)
    after = judged.principals.find(BOB)
    assert (after.sessions, after.paid, after.largest) == (before.sessions, before.paid, before.largest)
    assert look(act(BOB, LAST + 1, 14, pays=100_0000), judged).alarms


def test_a_session_that_went_on_teaches_its_new_hours_and_work_once():
    first = run([act(BOB, LAST, 14)])
    whole = first.after_fold(ORDINARY.value).advance(act(BOB, LAST, 18, labels=("internal",)))
    habits = PROFILE.fold(first, verdict=ORDINARY).fold(whole, verdict=ORDINARY).principals.find(BOB)
    assert habits.sessions == PROFILE.principals.find(BOB).sessions + 1
    assert habits.hours >> 2 * 18 & 3 == 1


@pytest.mark.parametrize("stranger", [BOB, "new-reference", ""])
def test_nobody_moves_the_habits_of_somebody_else(stranger):
    after = PROFILE
    for day in range(LAST, LAST + 30):
        after = after.fold(run([act(stranger, day, 3, pays=10**9)]), verdict=ORDINARY)
    assert after.principals.find(ANA) == PROFILE.principals.find(ANA)


# bounds


def test_a_flood_of_names_pushes_out_nobody_who_works_every_day():
    profile = PROFILE
    for at in range(300):
        profile = profile.fold(run([act(f"made up {at}", LAST + at // 100, 10)]), verdict=ORDINARY)
    assert len(profile.principals.habits) == MAX_PRINCIPALS
    for who in (ANA, BOB, SYNC):
        assert profile.principals.find(who) == PROFILE.principals.find(who)


def test_who_has_stopped_makes_room():
    principals = NO_PRINCIPALS
    for number in range(MAX_PRINCIPALS * 20):
        who = f"first {number % MAX_PRINCIPALS}"
        principals = principals.learn(SessionTally(principal=who), number, number // 10, is_cleared=False)
    for number in range(2_000, 2_000 + MAX_PRINCIPALS * 20):
        who = f"second {number % MAX_PRINCIPALS}"
        principals = principals.learn(SessionTally(principal=who), number, number // 10, is_cleared=False)
    assert all(principals.find(f"second {at}").sessions == 20 for at in range(MAX_PRINCIPALS))


SHOWN = st.lists(
    st.builds(join_seen, st.sampled_from(list(SeenKind)), st.integers(0, 2**48 - 1))
    | st.builds(join_seen, st.just(SeenKind.HOUR), st.integers(0, 23)),
    max_size=60,
)


@given(st.lists(st.tuples(SHOWN, st.integers(0, 9), st.integers(0, 700), st.booleans()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_habits_stay_small_and_what_is_forgotten_is_never_below_nothing(steps):
    habits = PrincipalHabits()
    for shown, day, level, is_cleared in steps:
        habits = habits.learn(shown, 5, day, level, is_cleared=is_cleared)
        assert len(habits.values) <= 32
        assert habits.hours < 2**48
        assert 0 <= habits.weigh_hour(day) <= 128
    for shown, _, level, _ in steps:
        habits = habits.forget(shown, level)
    assert min(habits.sessions, habits.hours, habits.paid, habits.largest, habits.second) >= 0
    assert not any(packed & 3 == 0 for packed in habits.values)


def test_what_was_stored_is_read_back_with_its_principals():
    assert IdentityProfile.from_bytes(PROFILE.to_bytes()) == PROFILE
    assert isinstance(PROFILE.principals, Principals)
    assert PROFILE.principals.find(ANA).is_known


@given(st.one_of(st.integers(0, 2**48 - 1), st.just(0)), st.integers(0, 10_000), st.integers(0, 10_000))
def test_hours_are_quiet_that_are_not_strange_one_by_one(hours, units, lone):
    habits = PrincipalHabits(sessions=9, units=units, lone_hours=lone, hours=hours)
    assert habits.quiet_hours == sum(1 << hour for hour in range(24) if not habits.weigh_hour(hour))
