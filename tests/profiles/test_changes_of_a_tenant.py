"""Changes that no request leads to add up over the agents of a tenant where its ordinary sessions make none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profiles import DAY, ORDINARY
from test_tally import fold, read

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.event import TouchedObject
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.tenant import TenantProfile

AXIS = "tenant_unrelated_acts_recent"


def change(number, at, *, led=False):
    item = TouchedObject(number, is_related=led, is_person=False)
    return replace(read(number), impact="write", ts_us=at * DAY // 4, host="h", objects=(item,))


def live(tenant, first, sessions, *, strange=0):
    """Sessions that change what their requests lead to, every `strange`th of them something else as well."""
    for at in range(first, first + sessions):
        events = [change(at * 10 + k, at, led=True) for k in range(1 + at % 3)]
        if strange and at % strange == 0:
            events.append(change(at * 10 + 9, at))
        tenant = tenant.fold(fold(events), verdict=ORDINARY)
    return tenant


@pytest.fixture(scope="module")
def settled():
    return live(TenantProfile(), 0, 210)


def is_asked(tenant, events):
    return AXIS in [axis.id for axis in assess(NEW_PROFILE, fold(events), events[-1], tenant=tenant).alarms]


def test_one_change_by_each_of_some_agents_adds_up(settled):
    tenant = settled
    asked = []
    for at in range(210, 222):
        events = [change(at * 10, at, led=True), change(at * 10 + 1, at)]
        asked.append(is_asked(tenant, events))
        if not asked[-1]:
            tenant = tenant.fold(fold(events), verdict=ORDINARY)
    assert asked.index(True) == 4  # a sum over recent sessions fades
    assert all(asked[4:])


def test_what_requests_lead_to_adds_up_to_nothing(settled):
    assert not is_asked(live(settled, 210, 60), [change(5000 + k, 270, led=True) for k in range(20)])


def test_a_tenant_whose_ordinary_sessions_make_such_changes_has_limits_of_its_own():
    tenant = live(TenantProfile(), 0, 300, strange=4)
    assert not is_asked(tenant, [change(4001, 300), change(4002, 300)])


def test_a_persons_yes_lets_more_of_them_run(settled):
    events = [change(4000 + k, 211) for k in range(5)]
    assert is_asked(settled, events)
    tally = fold(events[:3]).with_allowance("unrelated_acts").advance(events[3])
    assert AXIS not in [axis.id for axis in assess(NEW_PROFILE, tally, events[3], tenant=settled).alarms]


@pytest.mark.parametrize("changes", [1, 3, 6])
def test_steady_work_that_nobody_asks_for_is_not_held_up(changes):
    """A service works all day: sums over recent sessions have filled before anything is held to them."""
    tenant, asked = TenantProfile(), []
    for at in range(330):
        events = [change(at * 10 + k, at) for k in range(changes)]
        if is_asked(tenant, events):
            asked.append(at)
        tenant = tenant.fold(fold(events), verdict=ORDINARY)
    assert asked == []
    assert is_asked(tenant, [change(5000 + k, 331) for k in range(changes * 120)])
