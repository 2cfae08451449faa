"""A limit that a list barely passes is asked about and leaves nothing; a flood and a theft leave what they did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profiles import DAY, ORDINARY
from test_tally import read

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import MAX_DRIFT_SEVERITY, SessionVerdict, summarize_session
from halo_core.behaviour.event import describe_call
from halo_core.behaviour.measures import INDEX, WINDOWED
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.session_drift import is_drift_axis
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

LABELS = ("pii",)
FIRST = 150
_READS, _STRANGERS = (WINDOWED.index(INDEX[name]) for name in ("labelled_reads", "strangers"))


def listed(number, day, **more):
    """A record that the list of the request leads to."""
    return read(number, related=True, labels=LABELS, ts_us=day * DAY + number % 900 * 10**7, host="h", **more)


def strange(number, day, **more):
    return replace(listed(number, day, **more), objects=read(number).objects)


def work(profile, events, *, start=0):
    """What a session came to: what is asked about does not run, and nobody answers. Its tally, and how much ran."""
    tally, ran = SessionTally(), 0
    for call, event in enumerate(events, start + 1):
        found = assess(profile, tally.advance(event), event)
        if found.alarms:
            shape = describe_call(event.tool, {"n": call})
            tally = tally.with_refusal(
                call, is_attempt=False, findings=found, ts_us=event.ts_us, event=event, shape=shape
            )
        else:
            tally, ran = tally.advance(event).with_findings(found), ran + 1
    return tally, ran


def after(profile, tally, name="s"):
    summary = summarize_session(name, tally)
    return profile.fold(tally, verdict=summary.verdict, summary=summary), summary


@pytest.fixture(scope="module")
def reader():
    """An agent that reads four to nine records of a list a session."""
    profile = NEW_PROFILE
    for day in range(FIRST):
        tally = SessionTally()
        for event in [listed(day * 100 + k, day) for k in range(4 + day % 6)]:
            tally = tally.advance(event)
        profile = profile.fold(tally, verdict=ORDINARY)
    return profile


def room(profile):
    """Records of lists that run now, before anything is asked."""
    tally = SessionTally()
    for number in range(400):
        event = listed(10**6 + number, FIRST)
        tally = tally.advance(event)
        if assess(profile, tally, event).alarms:
            return number
    return 400


def test_a_long_list_is_asked_about_from_its_limit_on(reader):
    tally, ran = work(reader, [listed(10**6 + k, FIRST) for k in range(room(reader) + 9)])
    assert ran == room(reader)
    assert len(tally.refused) == 9


@pytest.mark.parametrize("beyond", [1, 3, 6])
def test_what_barely_passes_a_limit_leaves_no_risk_however_many_entries_are_asked_about(reader, beyond):
    limit = room(reader)
    assert beyond < limit // 4
    profile = reader
    for number in range(8):
        day = FIRST + number // 3
        events = [listed(10**6 + number * 1000 + k, day) for k in range(room(profile) + beyond)]
        tally, _ = work(profile, events)
        assert tally.open_alarms
        profile, summary = after(profile, tally, f"s{number}")
        assert summary.verdict is SessionVerdict.ALARM
        has_drifted = any(is_drift_axis(alarm.axis) for alarm in tally.alarms)  # which has a risk of its own
        assert (summary.severity, summary.is_only_asked) == ((MAX_DRIFT_SEVERITY, False) if has_drifted else (0, True))
        assert profile.carried.risk_for("") <= MAX_DRIFT_SEVERITY * (number >= 3)
    assert profile.sessions == reader.sessions  # it teaches nothing


def test_each_further_entry_of_a_list_is_no_further_alarm(reader):
    tally, _ = work(reader, [listed(10**6 + k, FIRST) for k in range(room(reader) + 30)])
    assert {alarm.times for alarm in tally.alarms} == {1}
    assert decode_tally(encode_tally(tally)) == tally


def test_the_sums_of_recent_sessions_fade_after_it_as_after_ordinary_work(reader):
    tally, _ = work(reader, [listed(10**6 + k, FIRST) for k in range(room(reader) + 3)])
    profile, _ = after(reader, tally)
    quiet = work(profile, [listed(5, FIRST + 1)])[0]
    alarmed = replace(quiet, alarms=tally.alarms)
    strange_one = replace(quiet, alarms=tuple([alarm._replace(share=1000) for alarm in tally.alarms]))
    sums = [
        profile.fold(one, verdict=verdict).windows[_READS]
        for one, verdict in ((quiet, ORDINARY), (alarmed, SessionVerdict.ALARM), (strange_one, SessionVerdict.ALARM))
    ]
    assert sums[0] == sums[1] < sums[2]
    drifted = replace(alarmed, alarms=(*tally.alarms, tally.alarms[0]._replace(axis="reads_trend", share=1000)))
    assert profile.fold(drifted, verdict=SessionVerdict.ALARM).windows[_READS] == sums[2]


# Attacks: whoever means to read much of other people's data gets nothing out of it.


def test_a_flood_that_a_list_leads_to_leaves_much(reader):
    limit = room(reader)
    tally, ran = work(reader, [listed(10**6 + k, FIRST) for k in range(6 * limit)])
    assert ran == limit
    assert after(reader, tally)[1].severity >= 500


def test_twice_as_much_as_is_usual_leaves_as_much_as_anything_else(reader):
    tally, _ = work(reader, [listed(10**6 + k, FIRST) for k in range(2 * room(reader))])
    assert after(reader, tally)[1].severity >= 400


def test_a_mass_read_of_others_is_stopped_and_leaves_the_most(reader):
    tally, ran = work(reader, [strange(10**6 + k, FIRST) for k in range(30)])
    assert ran <= 6
    profile, summary = after(reader, tally)
    assert summary.severity >= 900
    assert profile.carried.risk_for("") >= 900


def test_strangers_behind_a_long_list_do_not_run_and_leave_what_was_tried(reader):
    """The lever: fill the session with a list first, so that what follows looks like more of it."""
    limit = room(reader)
    events = [listed(10**6 + k, FIRST) for k in range(limit + 3)]
    events += [strange(10**7 + k, FIRST) for k in range(20)]
    tally, ran = work(reader, events)
    assert ran == limit
    assert after(reader, tally)[1].severity >= 800


def test_records_that_nothing_leads_to_are_stopped_at_half_of_that_and_leave_what_was_tried(reader):
    """Reads that name nobody, such as the pages of a search, have no measure but how many there are."""
    pages = [replace(listed(k, FIRST), objects=()) for k in range(60)]
    tally, ran = work(reader, pages)
    assert ran <= room(reader) // 2
    assert after(reader, tally)[1].severity >= 700


def test_a_flood_a_little_at_a_time_runs_no_more_than_ordinary_work_may(reader):
    """Twenty sessions that each try a fifth more than may run: what runs is what sums over recent sessions let by."""
    profile, ran_in_all = reader, 0
    for number in range(20):
        events = [listed(10**6 + number * 1000 + k, FIRST + number) for k in range(room(profile) * 6 // 5 + 1)]
        tally, ran = work(profile, events)
        ran_in_all += ran
        profile, _ = after(profile, tally, f"s{number}")
    assert profile.limits == reader.limits
    limit = 2 * reader.limit_of("labelled_reads_recent")
    assert ran_in_all <= limit + 20 * (limit // 16 + 1)


def test_thefts_do_not_fade_faster_for_being_mixed_with_much_reading(reader):
    tally, _ = work(reader, [listed(10**6 + k, FIRST) for k in range(room(reader) + 3)])
    profile, _ = after(reader, tally)
    mixed, _ = work(profile, [*[listed(10**7 + k, FIRST) for k in range(3)], *[strange(k, FIRST) for k in range(20)]])
    before, _ = after(profile, mixed)
    strangers = WINDOWED.index(INDEX["strangers"])
    assert before.windows[strangers] >= profile.windows[strangers]
    again = before.fold(replace(SessionTally(), values=mixed.values, alarms=mixed.alarms), verdict=SessionVerdict.ALARM)
    assert again.windows[strangers] >= before.windows[strangers] * 63 // 64


@pytest.fixture(scope="module")
def exhausted(reader):
    """The agent once lists have filled what recent sessions may read of labelled data."""
    profile, number = reader, 0
    while room(profile) > 0:
        tally, ran = work(profile, [listed(10**8 + number * 1000 + k, FIRST) for k in range(room(profile))])
        assert ran
        assert not tally.alarms
        profile, number = profile.fold(tally, verdict=ORDINARY), number + 1
        assert number < 100
    return profile


def test_a_try_at_strangers_while_sums_are_full_counts_as_one_that_ran(reader, exhausted):
    strangers = [strange(10**7 + k, FIRST) for k in range(30)]
    free, ran_then = work(reader, strangers)
    tally, ran = work(exhausted, strangers)
    assert (ran_then > 0, ran) == (True, 0)
    severity = after(exhausted, tally)[1].severity
    assert severity >= after(reader, free)[1].severity
    assert decode_tally(encode_tally(tally)) == tally
    assert after(exhausted, tally)[0].windows[_STRANGERS] == (exhausted.limit_of("strangers_recent") + 1) * 16


@pytest.mark.parametrize("tries", [1, 2])
def test_few_tries_leave_as_little_as_few_that_ran(reader, exhausted, tries):
    strangers = [strange(10**7 + k, FIRST) for k in range(tries)]
    assert after(reader, work(reader, strangers)[0])[1].severity == 0
    # The lists that have filled the sums are drift, which is carried as such.
    assert after(exhausted, work(exhausted, strangers)[0])[1].severity <= MAX_DRIFT_SEVERITY


def test_tries_a_few_at_a_time_add_up_as_reads_do(reader, exhausted):
    left = []
    for start in (reader, exhausted):
        profile, alarms = start, 0
        for number in range(16):
            tally, _ = work(profile, [strange(10**7 + number * 10 + k, FIRST) for k in range(2)])
            alarms += any(alarm.axis == "strangers_recent" for alarm in tally.alarms)
            profile, _ = after(profile, tally, f"s{number}")
        left.append((alarms, profile.carried.risk_for("")))
    (alarms_free, risk_free), (alarms, risk) = left
    assert alarms >= alarms_free > 0
    assert risk >= risk_free > 0


def test_a_session_that_goes_on_counts_its_tries_once(exhausted):
    """Sixteen minutes after its last call a session is folded, and may go on."""
    window = WINDOWED.index(INDEX["strangers"])
    tally, _ = work(exhausted, [strange(10**7 + k, FIRST) for k in range(4)])
    profile, summary = after(exhausted, tally)
    part = tally.after_fold(summary.verdict.value)
    assert profile.recent_of(part)[window] + part.strangers_tried == tally.strangers_tried
    event = strange(10**7 + 4, FIRST)
    shape = describe_call(event.tool, {"n": 99})
    more = part.with_refusal(99, is_attempt=False, ts_us=event.ts_us, event=event, shape=shape)
    assert more.strangers_tried_since_fold == 1
    again = profile.fold(more, verdict=summary.verdict)
    assert again.windows[window] == profile.windows[window] + 16 <= exhausted.limit_of("strangers_recent") * 16
    assert decode_tally(encode_tally(more)) == more


def test_a_record_that_is_tried_and_then_allowed_counts_once(exhausted):
    tally, _ = work(exhausted, [strange(10**7 + k, FIRST) for k in range(3)])
    event = strange(10**7, FIRST)
    ran = tally.without_attempt(1, event).advance(event)
    assert (ran["strangers"], ran.strangers_tried, ran.attempted[INDEX["strangers"]]) == (1, 2, 3)


def test_entries_of_a_list_that_was_refused_are_no_strangers(exhausted):
    """Nobody knows whom it would have led to: what follows counts as reads, by what a session may read."""
    page = replace(listed(1, FIRST), objects=(), labels=())
    refused = SessionTally().with_refusal(
        1, is_attempt=False, ts_us=page.ts_us, event=page, shape=describe_call("list", {})
    )
    tally = refused
    for call in range(2, 9):
        event = strange(10**7 + call, FIRST)
        found = assess(exhausted, tally.advance(event), event)
        assert found.alarms
        shape = describe_call(event.tool, {"n": call})
        tally = tally.with_refusal(call, is_attempt=False, findings=found, ts_us=event.ts_us, event=event, shape=shape)
    assert tally.strangers_tried == 0
    assert after(exhausted, tally)[1].severity <= MAX_DRIFT_SEVERITY


def test_a_flood_behind_a_list_that_was_refused_leaves_what_a_session_may_not_read(exhausted):
    """The lever: have a list refused first. Thirty further tries are twice what a session may read."""
    pages = [replace(listed(1, FIRST), objects=(), labels=LABELS)]
    tally, ran = work(exhausted, pages + [strange(10**7 + k, FIRST) for k in range(31)])
    assert not ran
    assert tally.strangers_tried == 0
    assert after(exhausted, tally)[1].severity >= 375


def test_a_record_of_the_request_that_was_refused_hides_no_strangers(exhausted):
    named = read(3, related=True, labels=LABELS, ts_us=FIRST * DAY)
    tally, _ = work(exhausted, [named, *[strange(10**7 + k, FIRST) for k in range(20)]])
    assert tally.strangers_tried == 20
    assert after(exhausted, tally)[1].severity >= 800


def refuse(tally, events, *, exposed=False):
    """The tally after calls that did not run, with an alarm of each as it was raised."""
    for call, event in enumerate(events, 1):
        shape = describe_call(event.tool, {"n": call})
        if exposed and not tally.at_exposure:
            tally = replace(tally, at_exposure=tally.values)
        tally = tally.with_refusal(
            call, is_attempt=False, findings=Tried(), ts_us=event.ts_us, event=event, shape=shape
        )
    return tally


class Tried:
    """Findings about a try at a stranger's record."""

    first_times = novelty = 0
    alarm_shares = (("strangers", 1000),)
    counted_once = frozenset()


@pytest.mark.parametrize("has_run", [True, False])
def test_tries_are_in_the_sums_of_recent_sessions_whatever_else_ran(reader, has_run):
    first = SessionTally().advance(listed(1, FIRST)) if has_run else SessionTally()
    tally = refuse(first, [strange(10**7 + k, FIRST) for k in range(5)])
    assert after(reader, tally)[0].windows[_STRANGERS] == 5 * 16


@pytest.mark.parametrize("has_run", [True, False])
def test_tries_that_untrusted_content_explains_move_no_sums(reader, has_run):
    """Whoever plants a message that has an agent try others' records takes nothing from later sessions."""
    first = SessionTally().advance(listed(1, FIRST)) if has_run else SessionTally()
    tally = refuse(first, [strange(10**7 + k, FIRST, is_exposed=True) for k in range(5)], exposed=True)
    summary = summarize_session("s", tally, source="the letter")
    profile = reader.fold(tally, verdict=summary.verdict, summary=summary)
    assert summary.verdict is SessionVerdict.ALARM
    assert (profile.windows[_STRANGERS], profile.exposed_windows[_STRANGERS]) == (0, 0)


def test_tries_of_several_agents_add_up_in_their_tenant():
    tenant = TenantProfile()
    for day in range(FIRST * 2):
        tenant = tenant.fold(SessionTally().advance(listed(day * 100, day)), verdict=ORDINARY)
    event = strange(10**7, FIRST * 2)
    tally = SessionTally().advance(event)
    assert not assess(NEW_PROFILE, tally, event, tenant=tenant).alarms
    for number in range(30):
        tried = refuse(SessionTally(), [strange(10**8 + number, FIRST * 2)])
        tenant = tenant.fold(tried, verdict=SessionVerdict.ALARM)
    two = refuse(SessionTally(), [strange(10**9, FIRST * 2)]).advance(event)
    assert "tenant_strangers_recent" in {axis.id for axis in assess(NEW_PROFILE, two, event, tenant=tenant).alarms}


def test_tries_of_one_session_reach_the_limit_of_its_tenant():
    tenant = TenantProfile()
    for day in range(FIRST * 2):
        tenant = tenant.fold(SessionTally().advance(listed(day * 100, day)), verdict=ORDINARY)
    limit = tenant.identity.limit_of("strangers_recent")
    events = [strange(10**7 + k, FIRST * 2) for k in range(limit + 1)]
    here = refuse(SessionTally(), events[:-1]).advance(events[-1])
    ids = {axis.id for axis in assess(NEW_PROFILE, here, events[-1], tenant=tenant).axes}
    assert "tenant_strangers_recent" in ids


def test_many_tries_fill_a_sum_and_no_more(exhausted):
    """Nobody has all other people asked for months by one session of tries."""
    tally = refuse(SessionTally().advance(listed(1, FIRST)), [strange(10**7 + k, FIRST) for k in range(32)])
    profile, limit = exhausted, exhausted.limit_of("strangers_recent")
    for _ in range(5):
        profile = profile.fold(tally, verdict=SessionVerdict.ALARM)
    assert profile.windows[_STRANGERS] <= (limit + 1) * 16
    quiet = SessionTally().advance(listed(5, FIRST + 1))
    for _ in range(10):
        profile = profile.fold(quiet, verdict=ORDINARY)
    assert profile.windows[_STRANGERS] <= limit * 16 * 7 // 10
