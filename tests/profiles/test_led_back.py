"""What a session wrote about somebody whom nothing led to comes back in a note, and nothing leads to it still."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profiles import DAY, ORDINARY
from test_tally import fold, read

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.event import TouchedObject
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.profile_forms import EARLIER_FORM
from halo_core.behaviour.tenant import TenantProfile

STRANGERS = range(7001, 7010)


def item(number, *, led=False, named=False):
    return TouchedObject(number, is_related=led or named, is_person=False, is_requested=named)


def act(impact, at, *items):
    return replace(read(at), impact=impact, ts_us=at * DAY // 4, host="h", objects=items)


def live(sessions):
    """Sessions of the tenant and of an agent: a record that the request names is read, and something is sent of it."""
    profile, tenant = NEW_PROFILE, TenantProfile()
    for at in range(sessions):
        events = [
            act("read", at, item(at, named=True)),
            act("send", at, item(at, named=True), item(9000 + at, led=True)),
        ]
        tally = fold([tenant.relate(one) for one in events])
        profile, tenant = profile.fold(tally, verdict=ORDINARY), tenant.fold(tally, verdict=ORDINARY)
    return profile, tenant


@pytest.fixture(scope="module")
def settled():
    return live(90)


def keep(tenant, at, numbers):
    """The tenant after a session of some other agent that wrote of these, though no request leads to them."""
    events = [act("read", at, item(at, named=True)), act("write", at, *map(item, numbers))]
    return tenant.fold(fold(events), verdict=ORDINARY)


def list_alarms(settled, tenant, *items, impact="send"):
    event = tenant.relate(act(impact, 400, *items))
    return {axis.id for axis in assess(settled[0], fold([event]), event, tenant=tenant).alarms}


def test_what_another_session_has_stored_is_not_led_to_by_the_note(settled):
    tenant = keep(settled[1], 390, STRANGERS)
    led = [item(number, led=True) for number in STRANGERS]
    assert "unrelated" in list_alarms(settled, tenant, *led)
    assert "unrelated" in list_alarms(settled, tenant, *led, impact="write")  # nor from note to note
    assert "unrelated" not in list_alarms(settled, settled[1], *led)


def test_what_the_request_itself_names_is_led_to(settled):
    tenant = keep(settled[1], 390, STRANGERS)
    assert not list_alarms(settled, tenant, *(item(number, named=True) for number in STRANGERS))


def test_a_read_goes_where_a_list_leads(settled):
    tenant = keep(settled[1], 390, STRANGERS)
    led = [item(number, led=True) for number in STRANGERS]
    assert "unrelated" not in list_alarms(settled, tenant, *led, impact="read")


def test_it_is_remembered_over_many_sessions(settled):
    tenant = keep(settled[1], 390, STRANGERS)
    for at in range(391, 491):
        tenant = tenant.fold(fold([act("read", at, item(at, named=True))]), verdict=ORDINARY)
    assert "unrelated" in list_alarms(settled, tenant, *(item(number, led=True) for number in STRANGERS))


def test_an_event_that_touches_nothing_of_the_kind_stays_as_it_is(settled):
    event = act("send", 400, item(8001, led=True), item(8002))
    assert keep(settled[1], 390, STRANGERS).relate(event) is event


def test_what_a_session_with_untrusted_content_touched_is_led_to_as_before(settled):
    event = replace(act("write", 390, *map(item, STRANGERS)), is_exposed=True)
    tenant = settled[1].fold(fold([act("read", 390, item(390, named=True)), event]), verdict=ORDINARY)
    assert not list_alarms(settled, tenant, *(item(number, led=True) for number in STRANGERS))


def test_the_tenant_remembers_the_last_objects_and_stores_them(settled):
    tenant = keep(settled[1], 390, STRANGERS)
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant
    for at in range(391, 431):
        tenant = keep(tenant, at, range(at * 1000, at * 1000 + 20))
    assert len(tenant.led_by_none) == 512
    assert TenantProfile.from_bytes(tenant.to_bytes()) == tenant
    assert not tenant.led_by_none.keys() & set(STRANGERS)
    assert 430_000 in tenant.led_by_none


def test_the_earlier_form_remembers_none(settled):
    tenant = TenantProfile().as_form(EARLIER_FORM)
    assert not keep(tenant, 1, STRANGERS).led_by_none
