"""New ways: plain work on what is asked for is let; a removal that was never done and a strange export are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_assessment import NOON
from test_profiles import DAY, ORDINARY
from test_tally import fold, read

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.event import BehaviourEvent, TouchedObject
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.tenant import TenantProfile

NAMED = TouchedObject(7, is_related=True, is_person=False, is_requested=True)
LED = TouchedObject(8, is_related=True, is_person=False)
STRANGER = TouchedObject(9, is_related=False, is_person=False)
PORTAL = BehaviourEvent(
    "upload", impact="write", system="portal", resource="upload", ts_us=NOON, host="h", objects=(NAMED, LED)
)
EXPORT = BehaviourEvent(
    "export", impact="read", system="registry", resource="export", labels=("health",), ts_us=NOON, host="h"
)
REMOVAL = replace(PORTAL, tool="remove", impact="delete", system="files", resource="remove", objects=(NAMED,))


def used(event, at):
    return replace(event, resource="read_file", system="files", host="h", ts_us=at * DAY + 10 * 3_600_000_000)


def work(profile, sessions):
    """Sessions with a grant and a system that are named, as those of `session` are not."""
    for at in range(sessions):
        events = [used(read(at * 10 + k), 500 + at) for k in range(2 + at % 3)]
        events[-1] = replace(events[-1], impact="write")
        profile = profile.fold(fold(events), verdict=ORDINARY)
    return profile


@pytest.fixture(scope="module")
def settled():
    return work(IdentityProfile(), 120)


@pytest.fixture(scope="module")
def tenant():
    return work(TenantProfile(), 300)


def alarms(profile, event, *, tenant=None, before=()):
    event = replace(event, ts_us=800 * DAY + 10 * 3_600_000_000)
    events = [*(replace(one, ts_us=event.ts_us - 10**6) for one in before), event]
    return {axis.id: axis.kind for axis in assess(profile, fold(events), event, tenant=tenant).alarms}


def test_a_system_that_is_brought_in_is_used_on_what_is_asked_for(settled):
    assert not alarms(settled, PORTAL)
    assert not alarms(settled, replace(PORTAL, impact="read"))


@pytest.mark.parametrize(
    "strange",
    [
        {"objects": (NAMED, STRANGER)},
        {"is_exposed": True},
        {"objects": ()},
        {"labels": ("health",)},
        {"bytes_out": 4000},
        {"impact": "delete"},
        {"impact": "payment"},
        {"impact": "admin"},
        {"host": "elsewhere"},
    ],
    ids=str,
)
def test_with_anything_else_a_new_system_counts_as_before(settled, strange):
    event = replace(PORTAL, **strange)
    assert assess(settled, fold([event]), event).novelty >= 500
    assert "novelty" in alarms(settled, event)


@pytest.mark.parametrize("impact", ["delete", "admin"])
def test_a_removal_that_was_never_done_is_asked_about_each_time(settled, impact):
    assert alarms(settled, replace(REMOVAL, impact=impact))["first_grant"] == "requested"
    assert alarms(settled, replace(REMOVAL, impact=impact, objects=(STRANGER,)))["first_grant"] == "volume"


def test_a_persons_yes_lets_a_removal_run(settled):
    tally = fold([REMOVAL])
    found = assess(settled, tally, REMOVAL)
    yes = tally.with_findings(found, call=5).with_cleared(5, ())
    assert "first_grant" not in [axis.id for axis in assess(settled, yes.advance(REMOVAL), REMOVAL).alarms]


def test_who_has_removed_before_is_not_asked(settled):
    profile = settled
    for at in range(4):
        profile = profile.fold(fold([replace(REMOVAL, ts_us=(700 + at) * DAY)]), verdict=SessionVerdict.CLEARED)
    assert "first_grant" not in alarms(profile, REMOVAL)


def test_an_export_that_nobody_ever_made_is_asked_about_while_all_is_new_to_an_agent(tenant):
    profile = NEW_PROFILE
    for at in range(40):  # each session of it reaches something new
        events = [used(read(at), 500 + at), replace(used(read(at), 500 + at), resource=f"r{at}", system=f"s{at}")]
        profile = profile.fold(fold(events), verdict=ORDINARY)
    usual = used(read(1), 800)
    assert "first_grant" not in alarms(profile, EXPORT, before=[usual])
    assert "first_grant" in alarms(profile, EXPORT, tenant=tenant, before=[usual])
    assert "first_grant" not in alarms(profile, replace(EXPORT, objects=(LED,)), tenant=tenant, before=[usual])


@pytest.mark.parametrize("sessions", [0, 5, 19])
def test_an_export_that_nobody_ever_made_is_asked_about_on_the_first_day(tenant, sessions):
    profile = work(IdentityProfile(), sessions)
    usual = used(read(1), 800)
    assert "first_grant" in alarms(profile, EXPORT, tenant=tenant, before=[usual])
    assert "first_grant" in alarms(profile, REMOVAL, tenant=tenant, before=[usual])


def test_an_export_with_nothing_else_in_the_session_is_compared_by_the_sessions_before(tenant):
    assert "first_grant" in alarms(work(IdentityProfile(), 1), EXPORT, tenant=tenant)
    assert not alarms(NEW_PROFILE, EXPORT, tenant=tenant)  # it may be the first day of another trade


def test_the_first_day_of_another_trade_is_asked_about_nothing(tenant):
    other = [replace(EXPORT, tool=f"tool {k}", resource=f"tool {k}", system="ward") for k in range(5)]
    for at in range(1, len(other)):
        assert not alarms(NEW_PROFILE, other[at], tenant=tenant, before=other[:at])
        assert not alarms(NEW_PROFILE, replace(other[at], impact="delete"), tenant=tenant, before=other[:at])


def test_a_first_day_in_a_new_tenant_is_asked_about_nothing():
    usual = used(read(1), 800)
    for young in (None, TenantProfile(), work(TenantProfile(), 30)):
        assert not alarms(NEW_PROFILE, EXPORT, tenant=young, before=[usual])


def test_what_colleagues_do_is_no_question_on_the_first_day(tenant):
    assert not alarms(NEW_PROFILE, used(read(5), 800), tenant=tenant, before=[used(read(1), 800)])
    named = replace(EXPORT, objects=(NAMED,))
    assert not alarms(NEW_PROFILE, named, tenant=tenant, before=[used(read(1), 800)])
