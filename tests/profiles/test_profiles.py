"""Profiles: a pure fold that ordinary sessions teach, that nobody can teach quickly, and that stays small."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tally import EVENTS, fold, read

from halo_core.behaviour.carried import SessionSummary, SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject, describe_call
from halo_core.behaviour.known import TERMS, KnownValues, Sighting
from halo_core.behaviour.limits import (
    SERIES,
    SHIPPED_PRIOR,
    RolePrior,
    add_to_histogram,
    estimate_limit,
    list_histogram,
)
from halo_core.behaviour.measures import MEASURES
from halo_core.behaviour.profile import MAX_PROFILE_BYTES, NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import EARLIER_FORM, FOLD_FORM
from halo_core.behaviour.seen import SeenKind
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile
from halo_core.errors import BadInput

ORDINARY, ALARM, CLEARED, ATTACK = (
    SessionVerdict.ORDINARY,
    SessionVerdict.ALARM,
    SessionVerdict.CLEARED,
    SessionVerdict.ATTACK,
)
DAY = 86_400_000_000


class Found:
    """Findings with one alarm."""

    first_times = novelty = 0
    counted_once = frozenset()

    def __init__(self, axis="unrelated", share=1500):
        self.alarm_shares = ((axis, share),)


def at(number, per_day=4):
    """When a session of this number begins, microseconds since the epoch."""
    return (number // per_day) * DAY + number % per_day * 3_600_000_000 + 9 * 3_600_000_000


def session(objects=3, *, at=0, per_day=4, exposed=False, tool="read_file", request=1, number=None):
    start = (at // per_day) * DAY + at % per_day * 3_600_000_000 + 9 * 3_600_000_000
    number = at if number is None else number
    tally = SessionTally()
    for one in range(objects):
        tally = tally.advance(
            read(number * 1000 + one * 7919, ts_us=start + one * 10**6, is_exposed=exposed, request=request, host="h")
        ).with_outcome(shape=describe_call(tool, {"path": "p"}))
    return tally


def taught(sessions=100, **more):
    profile = NEW_PROFILE
    for at in range(sessions):
        profile = profile.fold(session(2 + at % 3, at=at, **more), verdict=ORDINARY)
    return profile


def later(profile, tallies, verdict=ORDINARY):
    for tally in tallies:
        profile = profile.fold(tally, verdict=verdict)
    return profile


def test_the_same_sessions_give_the_same_bytes():
    assert taught(80).to_bytes() == taught(80).to_bytes()


def test_values_of_which_a_session_shows_nothing_are_kept_as_they_are():
    before = KnownValues({1: Sighting(2, 3, 4)}, lone=256, units=512)
    after = before.fold((), 9, 9, 8)
    assert after.values is before.values
    assert before.fold((), 9, 9, 0).values == {}
    assert before.values == {1: Sighting(2, 3, 4)}
    shown = before.fold((2,), 9, 9, 8)
    assert shown.values == {1: Sighting(2, 3, 4), 2: Sighting(1, 9, 9)}
    assert before.values == {1: Sighting(2, 3, 4)}


def test_what_many_limits_have_alike_is_worked_out_once_for_each_session():
    profile = taught(80)
    for function in (add_to_histogram, estimate_limit, list_histogram):
        function.cache_clear()
    profile.fold(session(at=DAY * 30), verdict=ORDINARY).to_bytes()
    for function in (add_to_histogram, estimate_limit, list_histogram):
        assert 0 < function.cache_info().misses < SERIES / 2


def test_what_was_stored_is_read_back():
    for sessions in (0, 1, 30, 59, 60, 61, 130):
        profile = taught(sessions)
        assert IdentityProfile.from_bytes(profile.to_bytes()) == profile


def test_a_hundred_and_fifty_sessions_within_an_hour_are_a_history():
    profile = NEW_PROFILE
    for at in range(150):
        profile = profile.fold(
            fold([read(at * 100 + k, ts_us=at * 10**6) for k in range(2 + at % 3)]), verdict=ORDINARY
        )
    assert profile.is_mature
    assert profile.limit_of("unrelated") < 15


def test_a_first_day_has_generous_limits():
    for measure in MEASURES:
        assert NEW_PROFILE.limit_of(measure.id) >= measure.generous


def varied(sessions):
    """A profile of this form: sessions of every verdict that teaches, refusals, and content from a while on."""
    profile, tenant = NEW_PROFILE, TenantProfile()
    for number in range(sessions):
        tally = session(2 + number * 7 % 5, at=number, exposed=number > 70 and number % 4 == 0)
        tally = tally.with_outcome(refused=number % 9 == 0, failed=number % 5 == 0)
        verdict = CLEARED if number % 13 == 0 else SessionVerdict.OBSERVED if number % 11 == 0 else ORDINARY
        profile, tenant = profile.fold(tally, verdict=verdict), tenant.fold(tally, verdict=verdict)
    return profile.to_bytes() + tenant.to_bytes()


def test_a_profile_has_the_bytes_that_it_always_had():
    # Whoever changes what a fold gives has to give profiles another form: older entries commit to these bytes.
    for sessions, digest in (
        (65, "7890fc5dcc4fa38768530312372b5983247f642981c294eae93ac5a4510a540b"),
        (140, "1504260bdca41e324bbe9b0cc49af6933f0c0f8bb3bb1d76e0e1f0fed141df68"),
    ):
        assert sha256(varied(sessions)).hexdigest() == digest


def test_drifts_of_all_sessions_and_of_those_without_content_move_as_one_until_they_part():
    profile = taught(70)
    assert profile.drifts[0] is profile.drifts[1]
    read_back = IdentityProfile.from_bytes(profile.to_bytes())
    assert read_back.drifts[0] is not read_back.drifts[1]
    for number, exposed in enumerate((False, True, False, False), start=70):
        tally = session(9, at=number, exposed=exposed)
        profile, read_back = profile.fold(tally, verdict=ORDINARY), read_back.fold(tally, verdict=ORDINARY)
        assert profile.to_bytes() == read_back.to_bytes()
    assert profile.drifts[0] != profile.drifts[1]


def earlier(sessions):
    """A profile as the release before folded it."""
    profile = NEW_PROFILE.as_form(EARLIER_FORM)
    for number in range(sessions):
        tally = session(2 + number % 3, at=number, exposed=number % 4 == 0).with_outcome(refused=number % 5 == 0)
        profile = profile.fold(tally, verdict=ORDINARY)
    return profile


def test_a_profile_of_the_release_before_has_the_bytes_that_it_wrote():
    data = earlier(90).to_bytes()
    assert sha256(data).hexdigest() == "27f8f5dacc56a2c6183713636e6e894ed5ab5ee357259053e8258247f0324e16"
    assert IdentityProfile.from_bytes(data) == earlier(90)


def test_a_profile_of_the_release_before_goes_on_in_this_form():
    before = earlier(90)
    after = before.as_form(FOLD_FORM).fold(session(3, at=90), verdict=ORDINARY)
    assert (after.form, after.sessions, after.drifts[0].trend.sessions) == (FOLD_FORM, 91, 60)
    assert after.drifts[1].trend.sessions == 1  # another reference than that of sessions with content
    assert IdentityProfile.from_bytes(after.to_bytes()) == after
    assert after.as_form(EARLIER_FORM) == after


def test_limits_become_its_own_as_sessions_accumulate():
    limits = [taught(sessions).limit_of("unrelated") for sessions in (0, 20, 40, 60)]
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] <= 8


def test_the_limits_of_a_role_stand_in_for_the_shipped_ones():
    role = taught(100).as_prior()
    assert role.sessions == 100
    assert taught(10).as_prior() is SHIPPED_PRIOR
    profile = taught(5)
    assert profile.limit_of("unrelated", role) < profile.limit_of("unrelated")
    assert profile.limit_of("unrelated", RolePrior()) == profile.limit_of("unrelated")


def test_limits_of_other_agents_narrow_none_of_the_shipped_ones():
    tenant, profile = taught(100).as_prior(least=SHIPPED_PRIOR), taught(5)
    assert profile.limit_of("unrelated", tenant) == profile.limit_of("unrelated")
    busy = taught(100)
    busy = replace(busy, limits=tuple(limit + 640 for limit in SHIPPED_PRIOR.limits)).as_prior(least=SHIPPED_PRIOR)
    assert profile.limit_of("unrelated", busy) > profile.limit_of("unrelated")


def test_sessions_with_alarms_that_nobody_cleared_teach_nothing():
    profile = taught(100)
    rogue = session(60, at=101, tool="export").with_findings(Found())
    for verdict in (ALARM, ATTACK):
        after = later(profile, [rogue] * 20, verdict)
        assert after.limits == profile.limits
        assert after.known == profile.known
        assert after.sessions == profile.sessions
        assert after.watched == profile.watched + 20


def test_one_session_raises_a_mature_limit_by_little_even_if_it_was_cleared():
    profile = taught(100)
    before = profile.limit_of("objects")
    after = later(profile, [session(500, at=101)], CLEARED)
    assert after.limit_of("objects") <= before * 1.8  # the step, and the looseness of one session beyond its limits


def test_one_day_raises_a_mature_limit_by_a_quarter_at_most():
    def send(number, at):
        return SessionTally().advance(BehaviourEvent("send", impact="send", bytes_out=number, ts_us=at))

    profile = later(NEW_PROFILE, [send(5000 + at % 7 * 1000, at * DAY) for at in range(100)])
    before = profile.limit_of("bytes_out")
    after = profile
    for _ in range(200):
        after = after.fold(send(after.limit_of("bytes_out"), 200 * DAY), verdict=ORDINARY)
    assert before < after.limit_of("bytes_out") <= before * 1.3


def test_sessions_that_end_in_turn_with_newer_ones_raise_no_more_than_those_of_a_day():
    """Sessions that were opened before midnight, and end after others, must not begin the day anew."""

    def send(number, at):
        return SessionTally().advance(BehaviourEvent("send", impact="send", bytes_out=number, ts_us=at))

    profile = later(NEW_PROFILE, [send(5000 + at % 7 * 1000, at * DAY) for at in range(100)])
    before, after = profile.limit_of("bytes_out"), profile
    for turn in range(200):
        after = after.fold(send(after.limit_of("bytes_out"), (200 + turn % 2) * DAY), verdict=ORDINARY)
    assert after.limit_of("bytes_out") <= before * 1.3**2


def test_a_verdict_on_a_young_profile_raises_a_limit_by_half_of_what_was_cleared():
    def read(number, at):
        objects = tuple(TouchedObject(at * 1000 + each, is_related=False) for each in range(number))
        return SessionTally().advance(BehaviourEvent("read", impact="read", objects=objects, ts_us=at * DAY))

    profile = later(NEW_PROFILE, [read(1, at) for at in range(25)])
    cleared = profile.fold(read(40, 30), verdict=CLEARED)
    assert cleared.limit_of("unrelated") <= max(profile.limit_of("unrelated"), 60)


def test_what_a_person_accepts_is_learnt_within_a_few_sessions():
    profile = taught(100)
    sessions = 0
    while profile.limit_of("bytes_out") < 50_000:
        tally = SessionTally().advance(
            BehaviourEvent("send", impact="send", bytes_out=50_000, ts_us=(200 + sessions) * DAY)
        )
        profile = profile.fold(tally, verdict=CLEARED)
        sessions += 1
    assert 3 <= sessions <= 8


def test_clocks_that_jump_change_no_more_than_others():
    profile = taught(100)
    for at, ts_us in enumerate((0, -(10**18), 4_102_444_800_000_000, 2**62, -(2**62), 10**15)):
        profile = profile.fold(fold([read(at, ts_us=ts_us)]), verdict=ORDINARY)
        assert IdentityProfile.from_bytes(profile.to_bytes()) == profile
    assert profile.limit_of("objects") < 30


def test_a_session_judged_an_attack_is_taken_out_again():
    profile = taught(50)
    rogue = session(40, at=51, tool="export")
    spoilt = profile.fold(rogue, verdict=ORDINARY)
    assert spoilt.limit_of("objects") > profile.limit_of("objects")
    summary = SessionSummary("s", "", 0, "", ATTACK)
    after = spoilt.judge(rogue, summary, before=ORDINARY)
    assert after.limits == profile.limits
    assert after.sessions == profile.sessions
    assert after.carried.risk_for("") >= 900


@pytest.mark.parametrize("sessions", [30, 70, 120])
def test_what_observe_mode_learnt_is_taken_out_again(sessions):
    """It taught less than it did, since it was cut at its limits; all the same nothing of it stays."""
    profile = taught(sessions)
    rogue = session(90, at=sessions + 1, tool="export").with_findings(Found())
    spoilt = profile.fold(rogue, verdict=SessionVerdict.OBSERVED)
    assert spoilt.limit_of("objects") >= profile.limit_of("objects")
    after = spoilt.judge(rogue, SessionSummary("s", "", 0, "", ATTACK), before=SessionVerdict.OBSERVED)
    assert all(now <= was for now, was in zip(after.limits, profile.limits, strict=True))
    assert after.histograms[: len(MEASURES)] == profile.histograms[: len(MEASURES)]
    assert after.sessions == profile.sessions
    again = profile
    for _ in range(40):  # however often it is done, nothing is left
        again = again.fold(rogue, verdict=SessionVerdict.OBSERVED)
        again = again.judge(rogue, SessionSummary("s", "", 0, "", ATTACK), before=SessionVerdict.OBSERVED)
    assert again.limit_of("objects") <= profile.limit_of("objects")


def test_the_tenant_forgets_what_a_session_judged_an_attack_taught():
    profile = TenantProfile()
    for at in range(80):
        profile = profile.fold(session(3, at=at), verdict=ORDINARY)
    rogue = session(5, at=90, number=3)  # objects that others touched
    spoilt = profile
    for _ in range(8):
        spoilt = spoilt.fold(rogue, verdict=SessionVerdict.OBSERVED)
    assert spoilt.touch_limit > profile.touch_limit
    for _ in range(8):
        spoilt = spoilt.judge(rogue, verdict=ATTACK, before=SessionVerdict.OBSERVED)
    assert spoilt.touch_limit <= profile.touch_limit
    assert TenantProfile.from_bytes(spoilt.to_bytes()) == spoilt


def reach(place, *, exposed, vouched=False, at=0):
    """A session that sends something somewhere."""
    event = BehaviourEvent(
        tool="send_mail",
        impact="send",
        ts_us=at * DAY,
        destinations=(Destination(place, False, vouched),),
        is_exposed=exposed,
    )
    return fold([read(at, ts_us=at * DAY, is_exposed=exposed), event])


def weight_of(profile, place):
    number = next(iter(reach(place, exposed=True).unlearned))
    return profile.known[SeenKind.DESTINATION].weigh(SeenKind.DESTINATION, number & 2**48 - 1)


def test_exposed_sessions_do_not_make_a_destination_usual():
    profile, place = taught(60), 2**50 + 7
    assert weight_of(profile, place) > 0
    for at in range(61, 71):
        profile = profile.fold(reach(place, exposed=True, at=at), verdict=ORDINARY)
    assert weight_of(profile, place) > 0
    back = reach(place, exposed=True, at=71)
    assert decode_tally(encode_tally(back)).unlearned == back.unlearned


@pytest.mark.parametrize(
    ("how", "verdict"),
    [({"exposed": False}, ORDINARY), ({"exposed": True, "vouched": True}, ORDINARY), ({"exposed": True}, CLEARED)],
)
def test_destinations_become_usual_by_other_sessions(how, verdict):
    profile, place = taught(60), 2**50 + 7
    for at in range(61, 64):
        profile = profile.fold(reach(place, **how, at=at), verdict=verdict)
    assert weight_of(profile, place) == 0


def use(grant, at):
    return fold([BehaviourEvent(tool=grant, resource=grant, ts_us=at * DAY) for _ in range(3)])


def slept(days=120):
    """A profile that used a grant often, and then for so many days no more."""
    profile = NEW_PROFILE
    for at in range(30):
        profile = profile.fold(use("archive", at), verdict=ORDINARY)
    for at in range(30, 30 + days, 3):
        profile = profile.fold(use("lookup", at), verdict=ORDINARY)
    return profile, 30 + days


def is_asleep(profile, day):
    return profile.count_idle("archive", day)[0] >= 90


def test_one_use_does_not_wake_a_grant_that_slept():
    profile, day = slept()
    for times in range(1, 6):
        assert is_asleep(profile, day + times), times
        profile = profile.fold(use("archive", day + times), verdict=ORDINARY)
        assert IdentityProfile.from_bytes(profile.to_bytes()) == profile
    assert not is_asleep(profile, day + 6)


def test_a_grant_that_slept_is_awake_once_a_person_said_yes():
    profile, day = slept()
    profile = profile.fold(use("archive", day), verdict=CLEARED)
    assert not is_asleep(profile, day + 1)


def try_to_use(grant, day):
    """A session in which a grant is tried, and somebody would have had to say yes."""
    tally = SessionTally().advance(BehaviourEvent("read_file", resource="files", ts_us=day * DAY))
    event = BehaviourEvent(grant, resource=grant, ts_us=day * DAY)
    return tally.with_refusal(day, is_attempt=False, event=event, shape=describe_call(grant, {}))


def test_a_grant_that_is_tried_and_never_allowed_does_not_sleep():
    profile, day = slept(days=60)
    for more in range(60):
        profile = profile.fold(try_to_use("archive", day + more), verdict=ORDINARY)
    assert not is_asleep(profile, day + 60)


@pytest.mark.parametrize("verdict", [ORDINARY, ALARM], ids=str)
def test_trying_wakes_no_grant_that_slept(verdict):
    profile, day = slept()
    for more in range(20):
        profile = profile.fold(try_to_use("archive", day + more), verdict=verdict)
    assert is_asleep(profile, day + 20)


def test_trying_a_grant_that_was_never_used_does_not_make_it_known():
    profile, day = slept()
    after = profile.fold(try_to_use("wipe", day), verdict=ORDINARY)
    assert after.count_idle("wipe", day) == (0, 0)


def test_a_grant_in_regular_use_does_not_sleep():
    profile, day = slept(days=60)
    profile = profile.fold(use("archive", day), verdict=ORDINARY)
    assert profile.count_idle("archive", day + 1)[0] == 1


def test_an_alarm_that_a_person_clears_teaches_afterwards():
    profile = taught(100)
    busy = session(30, at=101).with_findings(Found())
    alarmed = profile.fold(busy, verdict=ALARM)
    cleared = alarmed.judge(busy, SessionSummary("s", "", 400, "", CLEARED), before=ALARM)
    assert cleared.sessions == profile.sessions + 1
    assert cleared.limit_of("objects") > alarmed.limit_of("objects")


def test_what_is_spread_over_short_sessions_adds_up():
    profile = taught(150)
    limit = profile.limit_of("unrelated_recent")
    rogue = later(profile, [session(4, at=200 + k, number=10**6 + k) for k in range(25)])
    assert rogue.recent_of(SessionTally())[0] > profile.recent_of(SessionTally())[0]
    assert limit < 100


def test_creep_is_found_although_each_session_is_within_its_limits():
    profile = NEW_PROFILE
    for at in range(150):
        profile = profile.fold(session(1 + at % 4, at=at), verdict=ORDINARY)
    assert profile.drift < 1000
    found = None
    for step in range(25):
        profile = profile.fold(session(2 + step * 36 // 24, at=150 + step), verdict=ORDINARY)
        if profile.drift >= 1000 and found is None:
            found = step
    assert found is not None
    assert found <= 15
    assert any(name == "unrelated" and share > 0 for name, share in profile.list_moved())


def test_sessions_as_before_bring_drift_back():
    profile = later(taught(120), [session(30, at=121 + k) for k in range(10)], ALARM)
    assert profile.drift >= 1000
    profile = later(profile, [session(2 + k % 3, at=140 + k) for k in range(120)], ALARM)
    assert profile.drift < 1000


def test_a_person_who_accepts_drift_starts_a_new_reference():
    profile = later(taught(120), [session(30, at=121 + k) for k in range(10)], ALARM)
    tally = session(30, at=140).with_findings(Found("objects_trend", 1500))
    after = profile.fold(tally, verdict=CLEARED)
    assert after.drift == 0
    judged = profile.judge(tally, SessionSummary("s", "", 250, "", CLEARED), before=ALARM)
    assert judged.drift == 0


def test_one_poisoned_document_moves_neither_windows_nor_drift_for_others():
    profile = taught(120)
    for at in range(100):
        start = fold([read(at * 50 + k, ts_us=at * DAY) for k in range(2)])
        exposed = fold([read(10**7 + at * 50 + k, ts_us=at * DAY, is_exposed=True) for k in range(30)], start)
        exposed = exposed.with_findings(Found())
        summary = SessionSummary(f"s{at}", f"user{at}", 1000, "poisoned", ALARM)
        profile = profile.fold(exposed, verdict=ALARM, summary=summary)
    others = SessionTally().advance(read(5, ts_us=200 * DAY, principal="somebody"))
    assert profile.carried.risk_for("somebody") == 0
    assert profile.drift < 1000
    assert profile.recent_of(others)[0] <= 2 * 16


def mixed(first, sessions, objects):
    """Every second session reads untrusted content."""
    return [session(objects(at), at=at, exposed=at % 2 == 0) for at in range(first, first + sessions)]


def test_a_change_is_noticed_though_only_some_sessions_read_content():
    profile = later(NEW_PROFILE, mixed(0, 64, lambda at: 2 + at % 3))
    profile = later(profile, mixed(64, 24, lambda at: 12 + at % 3))
    assert profile.drift_of(is_exposed=True) >= 1000
    assert profile.drift_of(is_exposed=False) == 0  # 44 sessions without content are no reference yet


def test_what_exposed_sessions_did_moves_no_drift_that_others_are_held_to():
    profile = later(NEW_PROFILE, mixed(0, 130, lambda at: 2 + at % 3))
    after = later(profile, [session(20, at=130 + k, exposed=True) for k in range(30)])
    assert after.drift_of(is_exposed=True) >= 1000
    assert after.drifts[0] == profile.drifts[0]


def test_an_alarm_of_drift_in_a_session_with_content_ends_with_ordinary_work():
    profile = later(taught(60, exposed=True), [session(30, at=60 + k, exposed=True) for k in range(10)])
    assert profile.drift >= 1000
    alarmed = [session(2 + k % 3, at=80 + k, exposed=True).with_findings(Found("objects_trend")) for k in range(120)]
    assert later(profile, alarmed, ALARM).drift < 1000


def wide_session(number, ways=16, request=1):
    """A session that fills in other arguments in each of its calls, the same in every session."""
    tally = SessionTally()
    for way in range(ways):
        event = read(number * 1000 + way, ts_us=at(number) + way * 10**6, request=request, host="h")
        tally = tally.advance(event).with_outcome(shape=describe_call("read_file", {f"at{way}": "p"}))
    return tally


def test_more_ways_than_the_reference_keeps_are_no_drift():
    profile = later(NEW_PROFILE, [wide_session(number) for number in range(130)])
    assert profile.drifts[0].habits.share < 500


def test_requests_whose_ways_the_reference_left_out_are_no_drift():
    sessions = [wide_session(number, 10 + number % 40, request=1 + number % 40) for number in range(180)]
    profile = later(NEW_PROFILE, sessions)
    assert profile.drifts[0].habits.share < 500


def test_sessions_in_which_nothing_ran_make_nothing_older_that_a_tenant_remembers():
    tenant = TenantProfile()
    for number in range(8):
        tenant = tenant.fold(session(3, at=number, number=1), verdict=ORDINARY)
    objects = tenant.objects
    event, shape = BehaviourEvent("send_mail", impact="send"), describe_call("send_mail", {"to": "a"})
    for call in range(60):
        tried = SessionTally().with_refusal(call, is_attempt=False, event=event, shape=shape)
        tenant = tenant.fold(tried, verdict=ORDINARY)
    assert objects
    assert tenant.objects == objects


def test_fewer_failures_are_no_drift():
    def work(number, failed):
        tally = session(2 + number % 3, at=number)
        for _ in range(failed):
            tally = tally.with_outcome(failed=True)
        return tally

    profile = later(NEW_PROFILE, [work(number, 3 + number % 2) for number in range(60)])
    assert later(profile, [work(60 + k, 0) for k in range(40)]).drifts[0].trend.share < 1000
    assert later(profile, [work(60 + k, 30) for k in range(40)]).drifts[0].trend.share >= 1000


def test_a_session_in_which_nothing_ran_moves_drift_alone():
    profile, event = taught(70), BehaviourEvent("send_mail", impact="send", ts_us=at(70))
    shape = describe_call("send_mail", {"to": "a"})
    tried = SessionTally().with_refusal(7, is_attempt=False, ts_us=at(70), event=event, shape=shape)
    after = profile.fold(tried, verdict=ORDINARY)
    assert after.drifts != profile.drifts
    assert replace(after, drifts=profile.drifts) == profile


def test_what_exposed_sessions_did_is_not_held_against_unexposed_ones():
    profile = taught(120)
    for at in range(30):
        quiet = fold([read(10**7 + at * 50 + k, ts_us=at * DAY, is_exposed=True) for k in range(4)])
        profile = profile.fold(quiet, verdict=ORDINARY)
    plain, exposed = SessionTally(), SessionTally().advance(read(1, is_exposed=True))
    assert all(a <= b for a, b in zip(profile.recent_of(plain), profile.recent_of(exposed), strict=True))
    assert profile.recent_of(plain)[0] < profile.recent_of(exposed)[0]


def test_known_values_are_learnt_and_the_least_used_forgotten():
    profile = NEW_PROFILE
    for at in range(300):
        event = BehaviourEvent(
            "send", destinations=(Destination(at % 250, False, False), Destination(999, False, False))
        )
        profile = profile.fold(SessionTally().advance(event), verdict=ORDINARY)
    places = profile.known[SeenKind.DESTINATION].values
    assert len(places) == TERMS[SeenKind.DESTINATION].room
    assert 999 in places


def in_parts(profile, events, cuts):
    """A session that is folded after each of some numbers of its actions, and at its end."""
    tally = SessionTally()
    for at, event in enumerate(events, 1):
        tally = tally.advance(event)
        if at in cuts or at == len(events):
            profile, tally = profile.fold(tally, verdict=ORDINARY), tally.after_fold(ORDINARY.value)
    return profile


@pytest.mark.parametrize("cuts", [{1}, {4}, {1, 2, 5, 8}], ids=str)
@pytest.mark.parametrize("others", [3, 30])
def test_a_session_in_parts_teaches_what_it_teaches_as_a_whole(cuts, others):
    before = taught(others)
    events = [read(k * 7919 + 5, ts_us=at(others) + k * 10**6, request=1, host="h") for k in range(9)]
    parts, whole = in_parts(before, events, cuts), in_parts(before, events, set())
    assert (parts.sessions, parts.watched) == (whole.sessions, whole.watched)
    assert parts.windows == whole.windows
    assert parts.limits == whole.limits
    assert parts.histograms == whole.histograms
    assert [kind.values for kind in parts.known] == [kind.values for kind in whole.known]
    assert parts.drifts[0].trend == whole.drifts[0].trend


def test_parts_of_a_session_move_the_drift_of_its_measures():
    before = taught(70)
    events = [read(k * 7919 + 5, ts_us=at(70) + k * 10**6, request=1, host="h") for k in range(40)]
    parts, whole = in_parts(before, events, {2, 9, 30}), in_parts(before, events, set())
    moved = [profile.drifts[0].trend.means[0] for profile in (parts, whole)]
    assert all(abs(a - b) <= 3 for a, b in zip(*moved, strict=True))  # rounded once for each part
    assert moved[0] != before.drifts[0].trend.means[0]


def test_one_conversation_is_no_history():
    events = [read(k * 7919, ts_us=at(0) + k * 10**6, request=1, host="h") for k in range(100)]
    assert in_parts(NEW_PROFILE, events, set(range(100))).sessions == 1


def test_the_part_that_was_folded_counts_once_against_the_limits_of_recent_sessions():
    before = taught(100)
    events = [read(k * 7919 + 5, ts_us=at(100) + k * 10**6, request=1, host="h") for k in range(9)]
    tally = fold(events[:5])
    after = before.fold(tally, verdict=ORDINARY)
    went_on = fold(events[5:], tally.after_fold(ORDINARY.value))
    for recent, whole in zip(after.recent_of(went_on), before.recent_of(fold(events)), strict=True):
        assert abs(recent - whole) <= 1


def test_an_attack_in_a_later_part_is_taken_out_alone():
    before = taught(30)
    events = [read(k * 7919 + 5, ts_us=at(30) + k * 10**6, request=1, host="h") for k in range(12)]
    first = fold(events[:3])
    one = before.fold(first, verdict=ORDINARY)
    second = fold(events[3:], first.after_fold(ORDINARY.value))
    both = one.fold(second, verdict=ORDINARY)
    assert both.limits != one.limits
    judged = both.relearn(second, verdict=ATTACK, before=ORDINARY)
    measures = slice(0, len(MEASURES))
    assert judged.histograms[measures] == one.histograms[measures]
    assert judged.limits[measures] == one.limits[measures]
    assert judged.sessions == one.sessions


@given(st.lists(st.lists(EVENTS, min_size=1, max_size=4), max_size=6), st.sets(st.integers(1, 4)))
@settings(max_examples=30, deadline=None)
def test_any_parts_fold_and_are_read_back(sessions, cuts):
    profile, tenant = NEW_PROFILE, TenantProfile()
    for events in sessions:
        profile = in_parts(profile, events, cuts)
        first = fold(events)
        went_on = decode_tally(encode_tally(fold(events, first.after_fold(ORDINARY.value))))
        tenant = tenant.fold(first, verdict=ORDINARY).fold(went_on, verdict=ORDINARY)
    assert IdentityProfile.from_bytes(profile.to_bytes()) == profile
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant
    assert profile.sessions == tenant.identity.sessions == len(sessions)


@given(st.lists(st.lists(EVENTS, min_size=1, max_size=4), max_size=6))
@settings(max_examples=30, deadline=None)
def test_any_sessions_fold_and_are_read_back(sessions):
    profile = NEW_PROFILE
    for events in sessions:
        summary = SessionSummary("s", events[0].principal, 600, "", ALARM)
        profile = profile.fold(fold(events), verdict=ORDINARY, summary=summary)
    assert IdentityProfile.from_bytes(profile.to_bytes()) == profile


def hash_of(text):
    return int.from_bytes(sha256(text.encode()).digest()[:8])


def hostile_tally(at):
    tally = SessionTally()
    for step in range(4 + at % 23):
        name = f"{at}-{step}"
        event = BehaviourEvent(
            tool=name,
            system=name,
            labels=tuple(f"{name}{k}" for k in range(16)),
            ts_us=(at * 12 + step) * 3_600_000_000,
            host=name,
            process=name,
            request=hash_of(name),
            resource=name,
            hand_off_to=name,
            program=name,
            amount=7**at % 10**15,
            unit=name,
            bytes_out=3**at % 10**14,
            session_risk=at * 37 % 1000,
            is_exposed=bool(step % 2 and at % 2),
            impact=("read", "send", "payment", "delete")[step % 4],
            objects=tuple(
                TouchedObject(hash_of(f"{name}{k}"), is_related=False, is_person=True) for k in range(at % 40)
            ),
            destinations=tuple(Destination(hash_of(f"{name}-{k}"), is_own=False, is_vouched=False) for k in range(8)),
        )
        tally = tally.advance(event).with_outcome(shape=describe_call(name, {f"{name}{k}": "x" for k in range(30)}))
    return tally


def test_no_history_makes_a_profile_large():
    profile, tenant = NEW_PROFILE, TenantProfile()
    for at in range(220):
        tally = hostile_tally(at)
        summary = SessionSummary(f"s{at}", f"user{at}", 700, f"doc{at}" if at % 2 else "", ALARM)
        profile = profile.fold(tally, verdict=ORDINARY, summary=summary)
        tenant = tenant.fold(tally, verdict=ORDINARY)
    assert len(profile.to_bytes()) <= MAX_PROFILE_BYTES
    assert len(tenant.to_bytes()) <= 2 * MAX_PROFILE_BYTES
    assert IdentityProfile.from_bytes(profile.to_bytes()) == profile
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant


@given(st.integers(0, 3000), st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_no_changed_byte_is_taken_for_a_profile(at, change):
    data = bytearray(PROFILE_BYTES)
    data[at % len(data)] ^= change
    for read_bytes in (IdentityProfile.from_bytes, TenantProfile.from_bytes):
        with pytest.raises(BadInput) as caught:
            read_bytes(bytes(data))
        assert caught.value.code == "bad_profile"


@pytest.mark.parametrize("data", [b"", b"x", b"halo-habits-1\n", b"\x00" * 100, b"\xff" * 20_000, "text", None])
def test_other_bytes_are_no_profile(data):
    for read_bytes in (IdentityProfile.from_bytes, TenantProfile.from_bytes):
        with pytest.raises(BadInput) as caught:
            read_bytes(data)
        assert caught.value.code == "bad_profile"


def test_a_cut_profile_is_refused():
    for end in range(0, len(PROFILE_BYTES), 37):
        with pytest.raises(BadInput):
            IdentityProfile.from_bytes(PROFILE_BYTES[:end])


PROFILE_BYTES = taught(70).to_bytes()
