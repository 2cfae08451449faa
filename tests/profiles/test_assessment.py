"""What an action deviates in: said in words, for what the action itself adds, and more is never less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_profiles import DAY, later, session, taught
from test_tally import EVENTS, fold, read

from halo_core.behaviour.assessment import BehaviourAssessment, assess
from halo_core.behaviour.carried import SessionSummary, SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject
from halo_core.behaviour.measures import COUNT, INDEX
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile

CLERK = taught(150)
HOUR = 3_600_000_000
NOON = 400 * DAY + 10 * HOUR


def look(profile, events, **more):
    tally = fold(events)
    return assess(profile, tally, events[-1], **more)


def reads(number, start=10**9, **more):
    return [read(start + at, ts_us=NOON + at * 10**6, host="h", **more) for at in range(number)]


def test_ordinary_work_is_quiet():
    found = look(CLERK, reads(3))
    assert found.is_quiet
    assert (found.axes, found.volume < 1000, found.unusual) == ((), True, 0)


def test_a_mass_read_passes_the_limit_and_is_said_in_words():
    limit = CLERK.limit_of("unrelated")
    assert look(CLERK, reads(limit)).volume < 1000
    found = look(CLERK, reads(limit + 1))
    assert found.volume == 1000
    assert found.axes[0].words == (
        f"it touched {limit + 1} records that the request has nothing to do with; the limit is {limit}"
    )
    assert found.scope > 0
    assert found.alarms


def test_a_passed_limit_stops_nothing_that_does_not_add_to_it():
    events = [*reads(CLERK.limit_of("unrelated") + 1), read(5, related=True, ts_us=NOON, host="h")]
    assert look(CLERK, events).volume < 1000


def test_what_was_refused_is_asked_again_at_the_next_attempt():
    kept = fold(reads(CLERK.limit_of("unrelated")))
    another = read(77, ts_us=NOON, host="h")
    for _ in range(3):
        assert assess(CLERK, kept.advance(another), another).volume >= 1000


def test_a_persons_yes_doubles_the_limit_for_the_session():
    limit = CLERK.limit_of("unrelated")
    tally = fold(reads(limit + 1)).with_allowance("unrelated").with_allowance("nothing known")
    event = read(10**12, ts_us=NOON, host="h")
    assert assess(CLERK, tally.advance(event), event).volume < 1000
    more = fold(reads(limit + 2, start=10**13), tally)
    assert assess(CLERK, more.advance(event), event).volume >= 1000


def test_a_first_day_asks_nothing_within_generous_limits():
    assert look(NEW_PROFILE, reads(50)).is_quiet
    assert look(NEW_PROFILE, reads(400)).volume >= 1000


def test_open_sessions_beside_this_one_count_like_recent_ones():
    beside = [0] * COUNT
    beside[INDEX["unrelated"]] = CLERK.limit_of("unrelated_recent")
    assert look(CLERK, reads(3)).volume < 1000
    found = look(CLERK, reads(3), beside=beside)
    assert [axis.id for axis in found.alarms] == ["unrelated_recent"]


def test_many_short_sessions_of_unrelated_reads_pass_the_window():
    profile, found = NEW_PROFILE, []
    for at in range(150):
        profile = profile.fold(session(3 if at % 3 == 0 else 1, at=at), verdict=SessionVerdict.ORDINARY)
    assert profile.limit_of("unrelated") >= 5
    for at in range(20):
        tally = session(4, at=500 + at, number=10**7 + at)
        event = read(1, ts_us=NOON, host="h")
        alarms = assess(profile, tally.advance(event), event).alarms
        found += [axis.id for axis in alarms if axis.kind == "volume"]
        profile = profile.fold(tally, verdict=SessionVerdict.ALARM if alarms else SessionVerdict.ORDINARY)
    assert found
    assert "unrelated_recent" in found


def settled(**more):
    """A profile of 120 sessions on one host, in one program, at ten o'clock, with one tool."""
    profile = NEW_PROFILE
    base = {"tool": "read_file", "system": "crm", "host": "h1", "process": "agent", "resource": "read_file"} | more
    for at in range(120):
        event = BehaviourEvent(**base, ts_us=at * DAY + 10 * HOUR, objects=(TouchedObject(at, True),))
        profile = profile.fold(SessionTally().advance(event).advance(event), verdict=SessionVerdict.ORDINARY)
    return profile, BehaviourEvent(**base, ts_us=121 * DAY + 10 * HOUR)


SETTLED, USUAL = settled()


def first_times(**change):
    event = replace(USUAL, **change)
    return assess(SETTLED, SessionTally().advance(event), event)


def test_what_is_usual_is_no_first_time():
    assert first_times() == BehaviourAssessment(volume=first_times().volume)


@pytest.mark.parametrize(
    ("change", "axis", "part"),
    [
        ({"tool": "export"}, "first_tool", "behaviour"),
        ({"system": "vault"}, "first_system", "context"),
        ({"labels": ("internal",)}, "first_label", "scope"),
        ({"host": "h2"}, "first_host", "context"),
        ({"process": "bash"}, "first_process", "context"),
        ({"ts_us": 121 * DAY + 3 * HOUR}, "first_hour", "context"),
        ({"hand_off_to": "other"}, "first_hand_off", "scope"),
        ({"resource": "admin"}, "first_grant", "entitlement"),
        ({"program": "curl"}, "first_program", "context"),
        ({"impact": "delete"}, "first_impact", "entitlement"),
        ({"destinations": (Destination(5, False, False),)}, "first_destination", "scope"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_each_first_time_is_seen_and_belongs_to_a_part(change, axis, part):
    found = first_times(**change)
    assert [item.id for item in found.axes if item.kind == "first"] == [axis]
    assert found.parts[part] > 0
    assert sum(found.parts.values()) == found.parts[part]
    assert found.first_times == 1
    assert found.volume < 1000  # one small change alone is no alarm


def test_a_neighbouring_hour_is_usual():
    assert first_times(ts_us=121 * DAY + 11 * HOUR).axes == ()


def test_card_data_weighs_more_than_another_label():
    assert first_times(labels=("chd",)).scope > first_times(labels=("internal",)).scope


def test_a_vouched_destination_weighs_less():
    ours, strange = (Destination(5, True, False),), (Destination(5, False, False),)
    assert first_times(destinations=ours).scope < first_times(destinations=strange).scope


def test_card_data_of_a_new_system_by_a_new_tool_is_an_alarm():
    found = first_times(tool="export", resource="export", system="cards", labels=("chd",))
    assert [axis.id for axis in found.alarms] == ["novelty"]
    assert found.unusual >= 600


def test_at_night_from_a_strange_host_is_an_alarm_and_a_redeployment_is_not():
    night = first_times(host="laptop", process="python", ts_us=121 * DAY + 3 * HOUR)
    assert night.alarms
    assert not first_times(host="new-node", process="agent-2").alarms


def test_a_first_time_is_asked_again_within_the_session_and_counted_once():
    event = replace(USUAL, tool="export", resource="export", system="cards", labels=("chd",))
    tally = SessionTally().advance(event)
    first = assess(SETTLED, tally, event)
    again = tally.with_findings(first).advance(event)
    second = assess(SETTLED, again, event)
    assert (first.first_times > 0, second.first_times) == (True, 0)
    assert second.alarms


def test_who_meets_new_hosts_every_day_is_not_surprised_by_one():
    profile = NEW_PROFILE
    for at in range(120):
        event = replace(USUAL, host=f"h{at}", ts_us=at * DAY + 10 * HOUR)
        profile = profile.fold(SessionTally().advance(event), verdict=SessionVerdict.ORDINARY)
    event = replace(USUAL, host="another", ts_us=121 * DAY + 10 * HOUR)
    assert assess(profile, SessionTally().advance(event), event).context == 0


@pytest.mark.parametrize(("impact", "alarms"), [("read", False), ("admin", True)])
def test_a_grant_that_slept_ninety_days(impact, alarms):
    profile, usual = settled(impact=impact, resource="daily")
    old = replace(usual, resource="yearly", ts_us=100 * DAY + 10 * HOUR)
    profile = later(profile, [SessionTally().advance(old)] * 2)
    slept = replace(usual, resource="yearly", ts_us=195 * DAY + 10 * HOUR)
    found = assess(profile, SessionTally().advance(slept), slept)
    assert [axis.id for axis in found.axes if axis.kind == "first"] == ["dormant_grant"]
    assert found.entitlement > 0
    assert bool(found.alarms) is alarms
    fresh = replace(slept, ts_us=150 * DAY + 10 * HOUR)
    assert assess(profile, SessionTally().advance(fresh), fresh).axes == ()


@pytest.mark.parametrize(("labels", "share"), [(("pii",), 1000), ((), 300)])
def test_a_grant_that_slept_weighs_more_where_it_reaches_labelled_data_of_somebody_else(labels, share):
    """A quarterly report is read without a question; an archive of people is not."""
    profile, usual = settled(resource="daily", labels=labels)
    old = replace(usual, resource="quarterly", ts_us=100 * DAY + 10 * HOUR)
    profile = later(profile, [SessionTally().advance(old)] * 2)
    slept = replace(
        usual, resource="quarterly", ts_us=195 * DAY + 10 * HOUR, objects=(TouchedObject(4711, False, False, False),)
    )
    found = assess(profile, SessionTally().advance(slept), slept)
    assert [axis.share for axis in found.axes if axis.id == "dormant_grant"] == [share]
    assert ("dormant_grant" in [axis.id for axis in found.alarms]) is bool(labels)
    assert bool(found.alarms) is bool(labels)


def test_drift_is_told_in_words_at_every_session():
    profile = later(CLERK, [session(30, at=600 + k) for k in range(10)], SessionVerdict.ALARM)
    found = look(profile, reads(1))
    assert found.drift >= 1000
    assert any(axis.kind == "drift" and "more than before" in axis.words for axis in found.axes)


def test_what_drifted_upwards_is_held_to_what_it_was_until_a_person_accepts_it():
    profile = CLERK
    for at in range(30):
        profile = profile.fold(session(5, at=500 + at, number=10**7 + at), verdict=SessionVerdict.ALARM)
    assert "unrelated" in [name for name, share in profile.list_moved() if share >= 1000]
    before, after = look(CLERK, reads(5)), look(profile, reads(5))
    assert not [axis for axis in before.alarms if axis.id == "unrelated"]
    assert [axis for axis in after.alarms if axis.id == "unrelated"]


def test_the_surprise_of_a_session_is_drift():
    event = replace(USUAL, surprise=1200)
    found = assess(SETTLED, SessionTally().advance(event), event)
    assert (found.drift, [axis.id for axis in found.alarms]) == (1200, ["surprise"])


@pytest.mark.parametrize("surprise", [1_000, 1_800, 50_000])
def test_drift_alone_keeps_no_agent_from_reading(surprise):
    event = replace(USUAL, surprise=surprise)
    found = assess(SETTLED, SessionTally().advance(event), event)
    assert found.drift == surprise
    assert 500 <= found.unusual < 900


def test_carried_risk_is_that_of_the_principal():
    summary = SessionSummary("s", "ada", 700, "", SessionVerdict.ALARM)
    profile = SETTLED.fold(SessionTally(), verdict=SessionVerdict.ALARM, summary=summary)
    for principal, risk in (("ada", 700), ("bob", 0)):
        event = replace(USUAL, principal=principal)
        found = assess(profile, SessionTally().advance(event), event)
        assert (found.agent_risk, found.is_quiet) == (risk, not risk)


def test_one_object_that_many_agents_touch_for_no_reason_adds_up():
    tenant, found = TenantProfile(), []
    for at in range(100):
        tenant = tenant.fold(session(3, at=at), verdict=SessionVerdict.ORDINARY)
    for _ in range(20):
        event = read(4711, ts_us=NOON)
        tally = SessionTally().advance(event)
        found.append(assess(NEW_PROFILE, tally, event, tenant=tenant))
        verdict = SessionVerdict.ALARM if found[-1].alarms else SessionVerdict.ORDINARY
        tenant = tenant.fold(tally, verdict=verdict)
    assert not any(item.axes for item in found[:3])
    assert all(item.axes[0].id == "object_spread" for item in found[10:])
    related = read(4711, related=True, ts_us=NOON)
    assert assess(NEW_PROFILE, SessionTally().advance(related), related, tenant=tenant).volume < 1000


@pytest.mark.parametrize(("labels", "first_asked"), [(("pii",), 3), ((), None)])
def test_a_record_with_labelled_data_is_not_usual_because_a_file_is(labels, first_asked):
    """A file that every session opens hides nobody who looks up one person again and again."""
    tenant, asked = TenantProfile(), []
    for at in range(150):
        event = read(4711, ts_us=at * DAY // 4)
        tally = session(2, at=at).advance(event)
        if at % 30 == 0:  # a namesake whose record is opened by mistake
            tally = tally.advance(read(5000 + at, ts_us=at * DAY // 4, labels=labels))
        tenant = tenant.fold(tally, verdict=SessionVerdict.ORDINARY)
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant
    for at in range(8):
        event = read(99, ts_us=NOON + at * HOUR, labels=labels)
        tally = SessionTally().advance(event)
        if "object_spread" in [axis.id for axis in assess(NEW_PROFILE, tally, event, tenant=tenant).alarms]:
            asked.append(at)
        tenant = tenant.fold(tally, verdict=SessionVerdict.ORDINARY)
    assert asked[:1] == ([first_asked] if first_asked else [])


def test_records_that_ordinary_sessions_share_are_usual():
    tenant, asked = TenantProfile(), 0
    for at in range(200):
        event = read(99 + at % 4, ts_us=at * DAY // 4, labels=("pii",))
        tally = session(2, at=at).advance(event)
        asked += at > 60 and bool(assess(NEW_PROFILE, tally, event, tenant=tenant).alarms)
        tenant = tenant.fold(tally, verdict=SessionVerdict.ORDINARY)
    assert asked == 0
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant


def test_who_was_stopped_at_somebody_elses_record_does_not_go_on_with_others():
    class Found:
        first_times = novelty = 0
        counted_once = frozenset()
        alarm_shares = (("object_spread", 1200),)

    tally = fold(reads(1)).with_refusal(7, is_attempt=False, findings=Found())
    other = read(12, ts_us=NOON, host="h")
    assert "unrelated" in [axis.id for axis in assess(CLERK, tally.advance(other), other).alarms]
    related = read(12, ts_us=NOON, host="h", related=True)
    assert not assess(CLERK, tally.advance(related), related).alarms
    cleared = tally.with_cleared(7, ())
    assert not assess(CLERK, cleared.advance(other), other).alarms


@pytest.mark.parametrize(("risk", "limits"), [(250, 1), (900, 4)])
def test_limits_of_what_no_request_accounts_for_follow_the_risk(risk, limits):
    summary = SessionSummary("s", "ada", severity=risk, verdict=SessionVerdict.ALARM, day=400)
    profile = CLERK.fold(SessionTally(), verdict=SessionVerdict.ALARM, summary=summary)
    limit = CLERK.limit_of("unrelated")

    def count_run(principal):
        events = reads(limit + 1, principal=principal)
        return next(at for at in range(limit + 1) if look(profile, events[: at + 1]).volume >= 1000)

    assert count_run("bob") == limit
    assert limit // limits - 1 <= count_run("ada") <= limit // limits
    work = [replace(event, objects=(TouchedObject(1, True),)) for event in reads(limit, principal="ada")]
    assert look(profile, work).volume < 1000


def test_what_only_carried_risk_makes_an_alarm_is_asked_about_and_adds_no_risk():
    summary = SessionSummary("s", "ada", severity=900, verdict=SessionVerdict.ALARM, day=400)
    profile = CLERK.fold(SessionTally(), verdict=SessionVerdict.ALARM, summary=summary)
    limit = CLERK.limit_of("unrelated")
    within = look(profile, reads(limit, principal="ada"))
    assert within.volume >= 1000
    assert dict(within.alarm_shares)["unrelated"] == 999
    beyond = look(profile, reads(limit + 1, principal="ada"))
    assert dict(beyond.alarm_shares)["unrelated"] >= 1000


def pay(account, *, related, ts_us=NOON):
    objects = (TouchedObject(account, related, True),)
    return BehaviourEvent("pay", impact="payment", amount=10_0000, unit="EUR", objects=objects, ts_us=ts_us, host="h")


@pytest.mark.parametrize("share", [1000, 10])
def test_who_pays_related_accounts_only_is_asked_about_the_first_other_one(share):
    """An agent whose ordinary work is to pay from lists is not."""
    profile = NEW_PROFILE
    for at in range(100):
        event = pay(at, related=bool((at + 1) % share), ts_us=at * DAY // 3)
        profile = profile.fold(SessionTally().advance(event), verdict=SessionVerdict.ORDINARY)
    event = pay(4711, related=False)
    found = assess(profile, SessionTally().advance(event), event)
    assert ("unrelated_payments" in [axis.id for axis in found.alarms]) is (share == 1000)
    event = pay(4711, related=True)
    assert not assess(profile, SessionTally().advance(event), event).alarms
    summary = SessionSummary("s", "", severity=900, verdict=SessionVerdict.ALARM, day=400)
    risky = profile.fold(SessionTally(), verdict=SessionVerdict.ALARM, summary=summary)
    event = pay(4711, related=False)
    found = assess(risky, SessionTally().advance(event), event)
    assert found.agent_risk >= 300
    assert (dict(found.alarm_shares).get("unrelated_payments", 0) >= 1000) is (share == 1000)


def test_an_object_that_everybody_always_touches_is_usual():
    tenant, asked = TenantProfile(), 0
    for at in range(300):
        event = read(4711, ts_us=at * DAY // 10)
        tally = session(2, at=at).advance(event)
        found = assess(NEW_PROFILE, tally, event, tenant=tenant)
        asked += bool(found.alarms) and at > 60
        tenant = tenant.fold(tally, verdict=SessionVerdict.CLEARED if found.alarms else SessionVerdict.ORDINARY)
    assert asked <= 3


def test_what_is_spread_over_agents_passes_the_tenants_window():
    tenant, found = TenantProfile(), ()
    for at in range(200):
        tenant = tenant.fold(session(1 + at % 3, at=at), verdict=SessionVerdict.ORDINARY)
    for at in range(64):
        event = read(1, ts_us=NOON)
        tally = session(5, at=300 + at).advance(event)
        found = assess(NEW_PROFILE, tally, event, tenant=tenant)
        tenant = tenant.fold(tally, verdict=SessionVerdict.ALARM if found.alarms else SessionVerdict.ORDINARY)
    assert any(axis.id == "tenant_unrelated_recent" for axis in found.axes)
    assert any(axis.words.startswith("the tenant's agents ") for axis in found.axes)


@given(st.lists(EVENTS, min_size=1, max_size=8), st.integers(0, COUNT - 1), st.integers(1, 10**6))
@settings(max_examples=40, deadline=None)
def test_more_of_a_measure_never_lowers_the_volume(events, at, more):
    tally = fold(events)
    values = list(tally.values)
    values[at] += more
    raised = replace(tally, values=tuple(values), raised=tally.raised | 1 << at)
    for profile in (NEW_PROFILE, CLERK):
        assert assess(profile, raised, events[-1]).volume >= assess(profile, tally, events[-1]).volume


@given(st.lists(EVENTS, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_any_event_is_assessed_and_written_as_it_is_read(events):
    for profile in (NEW_PROFILE, CLERK):
        found = look(profile, events)
        assert BehaviourAssessment.from_plain(found.to_plain()) == found
        assert all(0 <= part <= 1000 for part in (*found.parts.values(), found.unusual))
        assert len(found.axes) <= 16
        assert all(axis.words for axis in found.axes)


def test_nothing_unusual_is_written_as_nothing():
    assert BehaviourAssessment().to_plain() == {}
    assert BehaviourAssessment.from_plain({}) == BehaviourAssessment()
