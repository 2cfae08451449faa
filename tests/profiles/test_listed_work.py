"""Work that a request lists, a small session after a heavy one, and pages that are written once a month."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_assessment import HOUR, NOON, settled
from test_profiles import DAY, ORDINARY, later
from test_tally import fold

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionSummary, SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, TouchedObject, fingerprint_text
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.settings import join_setting
from halo_core.behaviour.tally import SessionTally

CARD = BehaviourEvent("card", host="h", ts_us=NOON)
MAIL = BehaviourEvent("mail", impact="send", host="h", ts_us=NOON)


def customer(number, *, named=True):
    return replace(CARD, objects=(TouchedObject(number, is_related=True, is_requested=named),))


def mail_to(number, *, related=True, **more):
    return replace(MAIL, objects=(TouchedObject(10**6 + number, related, is_person=True),), **more)


def mailing(recipients, *, named=True, **more):
    """Reads the cards of customers, and writes to the address on each."""
    return [event for at in range(recipients) for event in (customer(at, named=named), mail_to(at, **more))]


def live(sizes):
    profile = NEW_PROFILE
    for at, size in enumerate(sizes):
        events = [replace(event, ts_us=at * DAY // 2 + 10 * HOUR) for event in mailing(size)]
        profile = profile.fold(fold(events), verdict=ORDINARY)
    return profile


MAILER = live([1, 2, 1, 1, 3] * 30)


def find(events, profile=MAILER):
    return {axis.id: axis.kind for axis in assess(profile, fold(events), events[-1]).alarms}


def test_a_list_of_the_request_has_twice_the_limits_and_a_question_about_it_leaves_no_risk():
    limit = MAILER.limit_of("sends")
    assert not {"sends", "persons"} & find(mailing(limit + 1)).keys()
    found = assess(MAILER, fold(events := mailing(2 * limit + 3)), events[-1])
    assert {axis.id: axis.kind for axis in found.alarms}["sends"] == "requested"
    assert dict(found.alarm_shares)["sends"] < 1000


@pytest.mark.parametrize("limits", ["sends", "persons"])
def test_messages_beyond_what_the_request_lists_are_held_to_the_limit_as_it_is(limits):
    limit = MAILER.limit_of(limits)
    assert limits in find([*mailing(1), *mailing(limit + 1, named=False)])
    assert limits in find([*mailing(limit), mail_to(10**5, is_exposed=True)])
    assert limits in find([*mailing(limit), mail_to(10**5, related=False)])


def heavy(at, recipients):
    return fold([replace(event, ts_us=at * DAY // 2 + 10 * HOUR) for event in mailing(recipients)])


@pytest.fixture(scope="module")
def after_heavy_work():
    """The sums over recent sessions are beyond their limits."""
    return later(MAILER, [heavy(at, 5 * MAILER.limit_of("sends")) for at in (151, 152)])


def test_a_sum_holds_up_no_session_that_adds_no_more_than_its_share(after_heavy_work):
    small, larger = mailing(1, is_exposed=True), mailing(6, is_exposed=True)
    assert not [name for name in find(small, after_heavy_work) if name.endswith("_recent")]
    assert {"sends_recent", "persons_recent"} <= find(larger, after_heavy_work).keys()


def test_a_sum_spares_nobody_whose_earlier_alarms_have_left_much(after_heavy_work):
    summary = SessionSummary("s", "ada", severity=900, verdict=SessionVerdict.ALARM, day=400)
    risky = after_heavy_work.fold(SessionTally(), verdict=SessionVerdict.ALARM, summary=summary)
    small = [replace(event, principal="ada") for event in mailing(1, is_exposed=True)]
    assert "sends_recent" in find(small, risky)
    assert "sends_recent" not in find([replace(event, principal="bob") for event in small], risky)


def test_a_sum_of_what_is_strange_holds_up_a_session_however_little_it_adds(after_heavy_work):
    strange = [
        replace(CARD, objects=(TouchedObject(10**7 + at, is_related=False),)) for at in range(40)
    ]  # one session of them
    profile = later(after_heavy_work, [fold(strange)] * 2)
    assert "unrelated_recent" in find(strange[:1], profile)


PAGE = TouchedObject(4711, is_related=False, is_page=True)
NAMED = TouchedObject(4712, is_related=True, is_requested=True)
LED = TouchedObject(4712, is_related=True)
RECORD = TouchedObject(4711, is_related=False)
NOTES = [
    ((PAGE,), {}, False),
    ((), {}, False),
    ((PAGE, NAMED), {}, False),  # whom the text is about
    ((PAGE, NAMED, LED), {}, True),  # what their record says
    ((RECORD,), {}, True),
    ((PAGE, RECORD), {}, True),
    ((PAGE,), {"is_note": False}, True),
    ((PAGE,), {"bytes_out": 10}, True),
]


@pytest.mark.parametrize(("objects", "more", "alarms"), [one for one in NOTES if one[0]])
def test_a_grant_that_slept_writes_a_note_about_nobody_without_an_alarm(objects, more, alarms):
    profile, usual = settled(impact="write", resource="daily")
    old = replace(usual, resource="monthly", ts_us=100 * DAY + 10 * HOUR)
    profile = later(profile, [SessionTally().advance(old)] * 2)
    slept = replace(usual, resource="monthly", ts_us=195 * DAY + 10 * HOUR, objects=objects, is_note=True)
    slept = replace(slept, **more)
    found = assess(profile, SessionTally().advance(slept), slept)
    assert "dormant_grant" in [axis.id for axis in found.axes]
    assert ("dormant_grant" in [axis.id for axis in found.alarms]) is alarms


@pytest.mark.parametrize(("objects", "more", "alarms"), [*NOTES, ((), {"is_exposed": True}, True)])
def test_the_new_title_of_a_note_about_nobody_is_written_down_and_not_asked_about(objects, more, alarms):
    place, other = fingerprint_text("memo_write title"), fingerprint_text("week")
    profile, usual = settled(impact="write", tool="memo_write", settings=(join_setting(place, other),))
    new = replace(usual, objects=objects, settings=(join_setting(place, fingerprint_text("june")),), is_note=True)
    new = replace(new, **more)
    found = assess(profile, SessionTally().advance(new), new)
    assert "first_setting" in [axis.id for axis in found.axes]
    assert ("first_setting" in [axis.id for axis in found.alarms]) is alarms
