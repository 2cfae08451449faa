"""A message that tells of somebody whom no request concerns is an alarm, where an agent hardly ever sends such."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profiles import DAY, ORDINARY
from test_tally import fold

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict, summarize_session
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.profile_forms import EARLIER_FORM
from halo_core.behaviour.seen import SeenKind
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

AXIS = "first_leak"
ANA, BOB = 10**9, 2 * 10**9  # addresses


def look(record, day, *, related=True, labels=("pii",)):
    return BehaviourEvent("card", labels=labels, ts_us=day * DAY, host="h", objects=(TouchedObject(record, related),))


def mail(day, *carried, to=ANA, is_vouched=True):
    """A message to somebody with what it carries: (fingerprint, is related, is a person)."""
    objects = (TouchedObject(to, is_vouched, True), *(TouchedObject(*one) for one in carried))
    places = (Destination(to, False, is_vouched),)
    return BehaviourEvent("mail", impact="send", ts_us=day * DAY, host="h", objects=objects, destinations=places)


def answer(day):
    """Ordinary work: the record of the request is read, and its owner is told of it."""
    return [look(day * 10, day), mail(day, (day * 10, True, False))]


def leak(day):
    return [look(day * 10, day), look(5, day, related=False), mail(day, (5, False, False))]


def live(sessions=80, *, every=0, make=NEW_PROFILE):
    profile = make
    for day in range(sessions):
        profile = profile.fold(fold(leak(day) if every and day % every == 0 else answer(day)), verdict=ORDINARY)
    return profile


@pytest.fixture(scope="module")
def clerk():
    return live()


def alarms(profile, events, **more):
    tally = fold(events[:-1])
    return [axis.id for axis in assess(profile, tally.advance(events[-1]), events[-1], **more).alarms]


def test_telling_somebody_of_what_the_request_is_about_is_ordinary(clerk):
    assert alarms(clerk, answer(100)) == []


def test_telling_the_person_of_the_request_of_somebody_else_is_an_alarm(clerk):
    assert AXIS in alarms(clerk, leak(100))


def test_a_tool_of_unknown_effect_that_reaches_somebody_is_a_message(clerk):
    *reads, told = leak(100)
    assert AXIS in alarms(clerk, [*reads, replace(told, impact="unknown")])


def test_leaving_the_number_out_hides_nothing_as_long_as_an_address_stands_there(clerk):
    events = [look(5, 100, related=False), mail(100, (BOB, False, True))]
    assert AXIS in alarms(clerk, events)


@pytest.mark.parametrize("to", [(ANA, True), (BOB, False)], ids=["to whom the request names", "to a stranger"])
def test_a_message_that_says_nothing_of_others_is_none(clerk, to):
    events = [look(1000, 100), look(5, 100, related=False), mail(100, to=to[0], is_vouched=to[1])]
    assert AXIS not in alarms(clerk, events)


def test_what_was_read_without_labels_is_nobodys_data(clerk):
    events = [look(5, 100, related=False, labels=()), mail(100, (5, False, False))]
    assert AXIS not in alarms(clerk, events)


def test_an_agent_that_sends_such_now_and_then_is_not_asked():
    assert AXIS not in alarms(live(every=10), leak(100))


def test_one_that_did_so_once_in_a_long_time_is():
    assert AXIS in alarms(live(160, every=1000), leak(200))


def test_one_with_a_short_history_is_compared_with_its_tenant():
    newcomer, tenant = live(25), TenantProfile()
    assert AXIS not in alarms(newcomer, leak(100))
    for day in range(80):
        tenant = tenant.fold(fold(answer(day)), verdict=ORDINARY)
    assert AXIS in alarms(newcomer, leak(100), tenant=tenant)
    assert AXIS not in alarms(live(25, every=8), leak(100), tenant=tenant)


def test_a_persons_yes_lets_the_rest_of_the_session_go_on(clerk):
    events = leak(100)
    tally = fold(events)
    tally = tally.with_findings(assess(clerk, tally, events[-1]), call=7).with_cleared(7, [AXIS])
    again = mail(100, (5, False, False))
    assert AXIS not in [axis.id for axis in assess(clerk, tally.advance(again), again).alarms]


def test_one_record_to_the_person_of_every_third_request_never_runs(clerk):
    profile, ran = clerk, 0
    for number in range(30):
        events = leak(100 + number) if number % 3 == 0 else answer(100 + number)
        tally = SessionTally()
        for call, event in enumerate(events, 1):
            found = assess(profile, tally.advance(event), event)
            if found.alarms:
                tally = tally.with_refusal(call, is_attempt=False, findings=found, ts_us=event.ts_us, event=event)
            else:
                tally = tally.advance(event).with_findings(found)
        ran += number % 3 == 0 and not tally.refused
        assert number % 3 == 0 or not tally.refused, number
        summary = summarize_session(f"s{number}", tally)
        profile = profile.fold(tally, verdict=summary.verdict, summary=summary)
    assert ran == 0
    assert not profile.known[SeenKind.LEAK].values  # what was asked about teaches nothing


def test_it_is_stored_and_the_earlier_form_knows_nothing_of_it():
    tally = fold(leak(3))
    assert decode_tally(encode_tally(tally)) == tally
    assert summarize_session("s", tally).verdict is SessionVerdict.ORDINARY
    earlier = live(make=NEW_PROFILE.as_form(EARLIER_FORM), every=1)
    assert not earlier.known[SeenKind.LEAK].values
