"""Long work that the request leads to is held up less, and only that: whatever else is in a session counts in full."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_assessment import CLERK, NOON, reads
from test_tally import fold, read

from halo_core.behaviour.assessment import BehaviourAssessment, assess
from halo_core.behaviour.axes import Axis
from halo_core.behaviour.carried import MAX_DRIFT_SEVERITY, SessionVerdict, summarize_session
from halo_core.behaviour.event import BehaviourEvent, TouchedObject, is_led_by_request, is_plain
from halo_core.behaviour.tally import SessionTally

LED = BehaviourEvent(
    "put_review", impact="write", ts_us=NOON, host="h", objects=(TouchedObject(7, is_related=True, is_person=False),)
)
STRANGE = {
    "after untrusted content": {"is_exposed": True},
    "on somebody else's record as well": {
        "objects": (*LED.objects, TouchedObject(8, is_related=False, is_person=False)),
    },
    "on nothing": {"objects": ()},
    "a payment": {"impact": "payment"},
    "a removal": {"impact": "delete"},
    "a right": {"impact": "admin"},
    "a program": {"impact": "execute"},
    "of unknown effect": {"impact": "unknown"},
}


@pytest.mark.parametrize("impact", ["read", "write", "send"])
def test_entries_of_a_list_are_no_evidence_beside_each_other(impact):
    event = replace(LED, impact=impact, surprise=4200)
    assert is_led_by_request(event)
    assert is_plain(event)
    assert "surprise" not in [axis.id for axis in assess(CLERK, SessionTally().advance(event), event).alarms]


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_what_the_list_does_not_lead_to_is_held_to_all_that_was_unlikely(strange):
    event = replace(LED, surprise=1200, **strange)
    assert not (is_led_by_request(event) and is_plain(event))
    found = assess(CLERK, SessionTally().advance(event), event)
    assert "surprise" in [axis.id for axis in found.alarms]
    assert found.drift >= 1200


def led_reads(number, **more):
    return [read(10**9 + at, ts_us=NOON + at * 60_000_000, host="h", related=True, **more) for at in range(number)]


def ids(events):
    return {axis.id for axis in assess(CLERK, fold(events), events[-1]).alarms}


def test_reading_a_list_through_has_twice_the_limit_of_objects():
    limit = CLERK.limit_of("objects")
    assert "objects" not in ids(led_reads(limit + 1))
    assert "objects" in ids(led_reads(2 * limit + 3))


def test_another_record_at_the_end_of_a_list_has_the_limit_as_it_is():
    limit = CLERK.limit_of("objects")
    events = [*led_reads(limit), read(5, ts_us=NOON + 10**10, host="h")]
    assert "objects" in ids(events)
    events = led_reads(limit + 1)
    events[-1] = replace(events[-1], is_exposed=True)
    assert "objects" in ids(events)


def alarmed(times, *axes):
    """A session in which each of some calls is asked about for these axes."""
    made = tuple(Axis(name, value, limit, "words", value * 1000 // (limit + 1)) for name, value, limit in axes)
    tally, found = SessionTally(), BehaviourAssessment(axes=made)
    for call in range(1, times + 1):
        tally = tally.with_refusal(call, is_attempt=False, findings=found, ts_us=1)
    return summarize_session("s", tally)


@pytest.mark.parametrize("axis", ["objects_recent", "actions", "reads_recent", "tenant_objects_recent", "burst"])
def test_a_long_list_at_its_limit_leaves_no_more_than_drift_however_many_entries_it_has(axis):
    summary = alarmed(30, (axis, 94, 93))
    assert (summary.severity, summary.verdict) == (MAX_DRIFT_SEVERITY, SessionVerdict.ALARM)


def test_much_work_far_above_its_limit_leaves_as_much_as_anything_else():
    assert alarmed(1, ("objects", 400, 93)).severity == alarmed(1, ("unrelated", 400, 93)).severity == 900


def test_much_work_of_several_kinds_is_one_thing():
    assert alarmed(30, ("objects_recent", 94, 93), ("actions", 99, 98), ("reads", 51, 50)).severity <= 250


@pytest.mark.parametrize(
    "axis",
    [
        "unrelated",
        "strangers_recent",
        "unrelated_acts",
        "outside",
        "persons",
        "labelled_reads",
        "labelled_bytes",
        "bytes_out",
        "removals",
        "failures",
    ],
)
def test_what_is_strange_beside_much_work_leaves_all_that_it_did(axis):
    summary = alarmed(30, ("objects_recent", 94, 93), (axis, 9, 8))
    assert summary.severity >= 900


def test_a_theft_of_three_hundred_records_leaves_the_most():
    tally = SessionTally()
    for event in reads(300):
        found = assess(CLERK, tally.advance(event), event)
        if found.alarms:
            call = event.objects[0].fingerprint & 0xFFFF
            tally = tally.with_refusal(call, is_attempt=False, findings=found, ts_us=event.ts_us, event=event)
        else:
            tally = tally.advance(event)
    assert tally["unrelated"] <= CLERK.limit_of("unrelated")
    assert summarize_session("s", tally).severity >= 900
